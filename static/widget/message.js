// One entry of the chat as DOM. `node.update(entry)` changes what is there instead of drawing it anew.

import { checked, html, link, plain } from "./sanitize.js";

const TICKS = { sending: "…", sent: "✓", received: "✓✓" };
const MAP = "https://www.openstreetmap.org/?mlat={lat}&mlon={lon}#map=16/{lat}/{lon}";

export function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

export class MessageNode {
  constructor(entry, { texts, language, actions }) {
    this.texts = texts;
    this.actions = actions;
    this.clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" });
    this.body = element("div", "body");
    this.meta = element("span", "meta");
    this.buttons = element("div", "buttons");
    this.bubble = element("div", "bubble", this.body, this.meta);
    this.node = element("li", `message ${entry.direction === "in" ? "mine" : "theirs"}`, this.bubble, this.buttons);
    this.drawn = {};
    this.update(entry, { open: false });
  }

  // `open`: its buttons still answer the question that was asked last.
  update(entry, { open }) {
    this.#once("body", [entry.text, entry.format, entry.media, entry.location, entry.contact, entry.progress], () => this.#body(entry));
    this.#once("meta", [entry.state, entry.edited, entry.error, entry.created_at], () => this.#meta(entry));
    this.#once("buttons", [entry.buttons, entry.keyboard, open, entry.pressed], () => this.#buttons(entry, open));
    this.node.classList.toggle("failed", entry.state === "failed" && entry.direction === "in");
    this.node.classList.toggle("only-media", !entry.text && entry.media.length > 0 && entry.media.every((item) => item.kind === "image"));
  }

  #once(part, values, draw) {
    const now = JSON.stringify(values);
    if (this.drawn[part] === now) return;
    this.drawn[part] = now;
    draw();
  }

  #body(entry) {
    const parts = entry.media.map((item) => media(item, entry, this.texts));
    if (entry.text) parts.push(element("div", "text", entry.format === "html" ? html(entry.text) : plain(entry.text)));
    if (entry.location) parts.push(place(entry.location, this.texts));
    if (entry.contact) parts.push(element("div", "contact", `☎ ${entry.contact.name ? `${entry.contact.name}, ` : ""}${entry.contact.phone}`));
    this.body.replaceChildren(...parts);
  }

  #meta(entry) {
    const parts = [];
    if (entry.edited) parts.push(this.texts.edited, " ");
    const time = element("time", "", this.clock.format(new Date(entry.created_at)));
    time.dateTime = entry.created_at;
    parts.push(time);
    if (entry.direction === "in" && entry.state !== "failed") parts.push(this.#tick(entry.state));
    this.meta.replaceChildren(...parts);
    if (entry.state === "failed" && entry.direction === "in") this.meta.append(this.#failure(entry));
  }

  #tick(state) {
    const known = TICKS[state] ? state : "received";
    const tick = element("span", `tick ${known}`, element("span", "", TICKS[known]), element("span", "sr", this.texts[known === "sending" ? "in_work" : known]));
    tick.firstChild.ariaHidden = "true";
    return tick;
  }

  #failure(entry) {
    const again = element("button", "again", this.texts.retry);
    again.type = "button";
    again.addEventListener("click", () => this.actions.retry(entry));
    return element("span", "failure", ` ${entry.error || this.texts.failed} `, entry.final ? "" : again);
  }

  #buttons(entry, open) {
    const shown = entry.direction === "out" && entry.keyboard !== "reply" ? entry.buttons : [];
    this.buttons.replaceChildren(...shown.map((row) => element("div", "row", ...row.map((button) => this.#button(entry, button)))));
    this.buttons.hidden = !shown.length;
    this.buttons.classList.toggle("past", !open);
  }

  #button(entry, button) {
    if (button.kind === "url") {
      const made = link(button.url, button.label);
      if (made.nodeType === Node.TEXT_NODE) return element("span", "button", made);
      made.className = "button outside";
      made.append(element("span", "sr", ` (${this.texts.opens_new_tab})`));
      return made;
    }
    const made = element("button", "button", button.label);
    made.type = "button";
    made.dataset.token = button.token;
    made.classList.toggle("pressed", entry.pressed === button.token);
    made.addEventListener("click", () => this.actions.press(button, entry));
    return made;
  }
}

function media(item, entry, texts) {
  const url = item.url ? checked(item.url) : item.preview ?? "";
  const name = item.name || item.kind;
  let made;
  if (item.kind === "image" && url) made = picture(url, item, texts);
  else if ((item.kind === "audio" || item.kind === "voice") && url) made = player("audio", url);
  else if (item.kind === "video" && url) made = player("video", url);
  else made = file(url, name, item.size, texts);
  const parts = [made];
  if (entry.progress !== undefined && entry.state === "sending") parts.push(progress(entry.progress));
  if (item.caption) parts.push(element("figcaption", "caption", item.caption));
  return element("figure", `media of-${item.kind}`, ...parts);
}

function picture(url, item, texts) {
  const image = new Image();
  image.src = url;
  image.alt = item.caption || item.name || "";
  image.loading = "lazy";
  image.decoding = "async";
  if (url.startsWith("blob:")) return image;
  const opened = element("a", "", image);
  opened.href = url;
  opened.target = "_blank";
  opened.rel = "noopener noreferrer";
  opened.title = texts.download;
  return opened;
}

function player(tag, url) {
  const made = document.createElement(tag);
  made.controls = true;
  made.preload = "metadata";
  made.src = url;
  return made;
}

function file(url, name, size, texts) {
  const text = element("span", "file-name", name);
  const note = element("span", "file-size", size ? bytes(size) : "");
  const made = element(url ? "a" : "span", "document", element("span", "file-mark", "⬇"), element("span", "file-text", text, note));
  made.firstChild.ariaHidden = "true";
  if (url) {
    made.href = url;
    made.download = name;
    made.target = "_blank";
    made.rel = "noopener noreferrer";
    made.title = texts.download;
  }
  return made;
}

function progress(share) {
  const made = document.createElement("progress");
  made.max = 1;
  made.value = share;
  return made;
}

function place(location, texts) {
  const address = MAP.replaceAll("{lat}", location.latitude).replaceAll("{lon}", location.longitude);
  return element("div", "place", `📍 ${location.title || texts.location} `, link(address, texts.open_map));
}

function bytes(count) {
  if (count < 1024) return `${count} B`;
  return count < 1024 * 1024 ? `${Math.round(count / 1024)} kB` : `${(count / 1024 / 1024).toFixed(1)} MB`;
}
