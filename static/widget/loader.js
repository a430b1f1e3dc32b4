// Dialog Bus web chat. One tag on your page:
//   <script async src="https://HOST/widget/v1/widget.js" data-key="wk_…"></script>
// Optional: data-lang="ru", data-position="left", data-label="Chat", data-open (opens at once), data-target="#box" (fills that element
// instead of floating), and for a signed-in user data-user-id, data-user-exp, data-user-hash, data-user-name (the hash is made on your server).
// From a script: DialogBus("open" | "close" | "toggle" | "signOut"), DialogBus("identify", {user_id, exp, hash, name}),
// DialogBus("on", "unread" | "open" | "close" | "ready", callback). Calls made before this file has come are kept in DialogBus.q.
(function () {
  "use strict";
  var script = document.currentScript;
  if (!script || window.DialogBus && window.DialogBus.loaded) return;
  var set = script.dataset;
  var host = new URL(script.src).origin;
  var waiting = (window.DialogBus && window.DialogBus.q) || [];
  var identity = set.userId ? { user_id: set.userId, exp: Number(set.userExp) || 0, hash: set.userHash || "", name: set.userName || "" } : null;
  var state = { open: false, there: false, ready: false, unread: 0 };
  var listeners = { unread: [], open: [], close: [], ready: [] };
  var frame, box, button, badge, shape, color, ink, title = set.label || "Chat", inline = null;

  if (!set.key) return console.error("Dialog Bus: the script tag has no data-key.");

  function style(element, rules) {
    for (var name in rules) element.style.setProperty(name, rules[name], "important");
    return element;
  }

  function make(tag, rules, parent) {
    var element = style(document.createElement(tag), rules);
    if (parent) parent.appendChild(element);
    return element;
  }

  function tell(name, data) {
    if (state.there) frame.contentWindow.postMessage(Object.assign({ dialogbus: name }, data), host);
  }

  function emit(name, value) {
    listeners[name].forEach(function (listener) { listener(value); });
  }

  function known(on) {
    var key = "dialogbus:known:" + set.key;
    try {
      if (on) localStorage.setItem(key, "1");
      return localStorage.getItem(key) === "1";
    } catch (refused) {
      return false;
    }
  }

  // For browsers that give the frame no storage of its own.
  function kept(change) {
    var key = "dialogbus:kept:" + set.key;
    try {
      var all = Object.assign(JSON.parse(localStorage.getItem(key)) || {}, change);
      if (change) localStorage.setItem(key, JSON.stringify(all));
      return all;
    } catch (refused) {
      return {};
    }
  }

  // The frame comes when somebody needs it: the chat is opened, was used before, or its user is known.
  function load() {
    if (frame) return;
    frame = make("iframe", { border: "0", width: "100%", height: "100%", display: "block", background: "transparent", "color-scheme": "normal" }, box);
    frame.title = title;
    frame.allow = "geolocation; clipboard-write";
    frame.src = host + "/widget/" + encodeURIComponent(set.key) + (set.lang ? "?lang=" + encodeURIComponent(set.lang) : "");
  }

  function place() {
    if (inline) return;
    var phone = window.innerWidth <= 480;
    var side = set.position === "left" ? "left" : "right";
    style(box, phone ? { inset: "0", width: "100%", height: "100%", "max-height": "none", "border-radius": "0" } : { inset: "auto", bottom: "92px", width: "384px", height: "640px", "max-height": "calc(100vh - 116px)", "border-radius": "18px" });
    if (!phone) style(box, side === "left" ? { left: "20px" } : { right: "20px" });
    style(box, { display: state.open ? "block" : "none" });
    style(button, { display: state.open && phone ? "none" : "flex" });
    style(button, side === "left" ? { left: "20px" } : { right: "20px" });
  }

  function show(on) {
    if (state.open === on && frame) return;
    state.open = on;
    if (on) load();
    if (!inline) {
      place();
      button.setAttribute("aria-expanded", String(on));
      draw();
      if (!on) button.focus();
    }
    tell("shown", { on: on });
    emit(on ? "open" : "close");
  }

  function draw() {
    if (!button) return;
    shape.setAttribute("d", state.open ? "M6 9l6 6 6-6" : "M4 5h16v11h-9l-4 4v-4H4z");
    badge.textContent = state.unread > 99 ? "99+" : state.unread || "";
    style(badge, { display: state.unread && !state.open ? "block" : "none" });
    button.setAttribute("aria-label", title + (state.unread ? " (" + state.unread + ")" : ""));
  }

  function floating() {
    var root = make("div", { all: "initial" }, document.body);
    box = make("div", { position: "fixed", "z-index": "2147483000", overflow: "hidden", "box-shadow": "0 18px 60px rgba(15,23,42,.28)", background: "#fff" }, root);
    button = make("button", { position: "fixed", bottom: "20px", width: "60px", height: "60px", border: "0", "border-radius": "50%", "align-items": "center", "justify-content": "center", cursor: "pointer", "z-index": "2147483000", "box-shadow": "0 8px 28px rgba(15,23,42,.3)", background: color, color: ink, padding: "0" }, root);
    button.type = "button";
    button.setAttribute("aria-expanded", "false");
    var picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    picture.setAttribute("viewBox", "0 0 24 24");
    var path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    [["fill", "none"], ["stroke", "currentColor"], ["stroke-width", "2"], ["stroke-linejoin", "round"], ["stroke-linecap", "round"]].forEach(function (pair) { path.setAttribute(pair[0], pair[1]); });
    style(picture, { width: "28px", height: "28px", "pointer-events": "none" });
    picture.appendChild(path);
    button.appendChild(picture);
    badge = make("span", { position: "absolute", top: "-4px", right: "-4px", "min-width": "22px", height: "22px", "border-radius": "11px", background: "#dc2626", color: "#fff", font: "600 12px/22px system-ui,sans-serif", "text-align": "center", padding: "0 6px", "box-sizing": "border-box" }, button);
    shape = path;
    button.addEventListener("click", function () { show(!state.open); });
    window.addEventListener("resize", place);
    place();
    draw();
  }

  function begin(config) {
    color = config.color;
    ink = config.ink;
    title = set.label || config.title;
    inline = set.target ? document.querySelector(set.target) : null;
    if (inline) {
      box = inline;
      state.open = true;
      load();
    } else {
      floating();
      if (identity || known()) load();
      if ("open" in set) show(true);
    }
    waiting.forEach(function (call) { command.apply(null, call); });
  }

  window.addEventListener("message", function (event) {
    if (!frame || event.source !== frame.contentWindow || event.origin !== host || !event.data) return;
    var name = event.data.dialogbus;
    if (name === "ready") {
      state.there = true;
      tell("begin", { identity: identity, page: location.href.split("#")[0], frame: inline ? "inline" : "floating", kept: kept() });
      tell("shown", { on: state.open });
    } else if (name === "opened") {
      state.ready = true;
      if (event.data.known) known(true);
      emit("ready");
    } else if (name === "keep") {
      var change = {};
      change[event.data.name] = event.data.value;
      kept(change);
    } else if (name === "unread") {
      state.unread = event.data.count;
      draw();
      emit("unread", state.unread);
    } else if (name === "close" && !inline) show(false);
  });

  function command(name, value, callback) {
    if (!box) return waiting.push([name, value, callback]);
    if (name === "open") show(true);
    else if (name === "close") show(false);
    else if (name === "toggle") show(!state.open);
    else if (name === "identify") {
      identity = value;
      if (frame) tell("identify", { identity: value });
      else load();
    } else if (name === "signOut") {
      identity = null;
      tell("sign-out");
    } else if (name === "on" && listeners[value]) listeners[value].push(callback);
  }

  window.DialogBus = command;
  window.DialogBus.loaded = true;

  function start() {
    fetch(host + "/widget/v1/config?key=" + encodeURIComponent(set.key), { credentials: "omit" })
      .then(function (answer) {
        if (answer.ok) return answer.json().then(begin);
        console.error("Dialog Bus: the chat may not be shown here (" + answer.status + "). Check data-key and the channel's allowed pages.");
      })
      .catch(function (error) { console.error("Dialog Bus: the chat cannot be reached or may not be shown on this page.", error); });
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
