// The chat preview: posts one turn at a time and shows what came of it. The state travels with the requests; nothing is stored.
(() => {
  "use strict";

  const root = document.querySelector("[data-preview]");
  if (!root) return;
  const data = JSON.parse(document.getElementById("preview-data").textContent);
  const words = data.texts;
  const one = (name) => root.querySelector(`[data-${name}]`);
  const chat = one("chat");
  const setup = one("setup");
  const channel = document.getElementById("preview-channel");
  const kinds = [...channel.options].map((option) => option.value);
  const token = root.querySelector("[name=csrfmiddlewaretoken]").value;
  // Every turn: what was put in, and what came back; the last one's state is where the chat stands.
  let turns = [];
  let world = null;
  let line = Promise.resolve();
  let waiting = 0;

  const make = (tag, classes, text) => {
    const node = document.createElement(tag);
    if (classes) node.className = classes;
    if (text !== undefined) node.textContent = text;
    return node;
  };

  const json = (text, empty) => (text.trim() ? JSON.parse(text) : empty);
  const shown = (value) => (typeof value === "string" ? value : JSON.stringify(value));
  const last = () => turns[turns.length - 1];

  const readWorld = () => {
    const field = (name) => (setup.elements[name] ? setup.elements[name].value.trim() : "");
    const person = { attributes: json(field("attributes"), {}) };
    if (field("name")) person.name = field("name");
    if (field("language")) person.language = field("language");
    const copy = field("copy");
    if (/^\d+$/.test(copy)) person.id = Number(copy);
    else if (copy) person.lead = copy;
    const now = field("now") ? new Date(field("now")) : new Date();
    const [how, where] = [field("place").split(":")[0], field("place").split(":").slice(1).join(":")];
    return {
      version: field("version") ? Number(field("version")) : null,
      begin: { kind: "start", params: json(field("params"), {}), ...(how ? { [how]: where } : {}) },
      person,
      now: now.toISOString(),
      mocks: json(field("mocks"), []),
      live: setup.elements.live.checked,
    };
  };

  const ask = async (input, state) => {
    const body = {
      input, person: world.person, mocks: world.mocks, show_in: kinds, channel: channel.value, live: world.live,
      ...(world.version ? { version: world.version } : {}), ...(state ? { state, now: null } : { now: world.now }),
    };
    const answer = await fetch(data.turn, {
      method: "POST", credentials: "same-origin", body: JSON.stringify(body), headers: { "Content-Type": "application/json", "X-CSRFToken": token },
    });
    const found = await answer.json().catch(() => ({ error: answer.statusText }));
    if (!answer.ok) throw new Error(found.error || answer.statusText);
    return found;
  };

  const note = (text, tone) => chat.append(make("p", `db-preview-note ${tone || ""}`, text));

  const step = async (input, seen) => {
    try {
      const before = input.kind === "start" || !turns.length ? null : last().answer.state;
      turns.push({ input, seen, answer: await ask(input, before) });
      draw();
    } catch (error) {
      note(error instanceof TypeError ? words.offline : error.message, "db-bad");
    }
  };

  // What is done sooner than the server answers waits for its turn.
  const go = (input, seen) => {
    waiting += 1;
    line = line.then(() => step(input, seen)).finally(() => { waiting -= 1; });
  };

  // --- one message ------------------------------------------------------------------------------------------------------

  const press = (effect, button) => {
    if (button.kind === "contact") return go({ kind: "said", type: "contact", contact: { phone: "+998901234567", name: "", own: true } }, button.label);
    if (button.kind === "location") return go({ kind: "said", type: "location", location: { latitude: 41.31, longitude: 69.28 } }, button.label);
    return go({ kind: "pressed", button: button.id, label: button.label, node: effect.node, visit: effect.visit }, button.label);
  };

  const buttonsOf = (effect, part) => {
    const box = make("div", "db-bubble-buttons");
    for (const row of part.buttons) {
      const line = make("div", "db-preview-row");
      for (const button of row) {
        const item = make("button", "", button.kind === "url" ? `${button.label} ↗ ${button.url}` : button.label);
        item.type = "button";
        if (button.kind === "url") item.disabled = true;
        else item.addEventListener("click", () => press(effect, button));
        line.append(item);
      }
      box.append(line);
    }
    return box;
  };

  const withoutMarkup = (text) => new DOMParser().parseFromString(text, "text/html").body.textContent;

  const bubble = (effect, part) => {
    const node = make("div", "db-bubble db-out");
    for (const file of part.media || []) {
      const name = make("p", "db-file");
      name.append(make("span", "material-symbols-outlined", "attach_file"), document.createTextNode([file.name || file.url || file.file || file.kind, file.caption].filter(Boolean).join(": ")));
      node.append(name);
    }
    if (part.location) node.append(make("p", "db-file", `${part.location.title || ""} ${part.location.latitude}, ${part.location.longitude}`));
    if (part.contact) node.append(make("p", "db-file", `${part.contact.name || ""} ${part.contact.phone}`));
    if (part.text) node.append(make("p", "", part.format === "html" ? withoutMarkup(part.text) : part.text));
    if (part.buttons) node.append(buttonsOf(effect, part));
    const foot = make("div", "db-bubble-foot");
    foot.append(make("span", "db-mono", effect.node));
    node.append(foot);
    return node;
  };

  const called = (effect) => {
    const by = words[effect.answered_by];
    const what = effect.request ? `${effect.answered_by === "live" ? words.called : words.would_call}: ${effect.request.method} ${effect.request.url}` : `${words.acts}: ${effect.action}`;
    const answer = effect.answer ? ` → ${words.exit} ${effect.answer.exit} (${by})` : ` (${by})`;
    return `${what}${answer}`;
  };

  const drawTurn = (turn) => {
    if (turn.seen) chat.append(make("div", "db-bubble db-in", turn.seen));
    if (turn.answer.started_by) note(words.started_by.replace("%s", turn.answer.started_by));
    for (const effect of turn.answer.effects) {
      if (effect.kind === "say") for (const part of (effect.parts || {})[channel.value] || [effect.content]) chat.append(bubble(effect, part));
      if (effect.kind === "act") note(called(effect));
      if (effect.kind === "emit") note(`${words.emits}: ${effect.name}`);
      if (effect.kind === "respond") note(`${words.responds}: ${shown(effect.data)}`);
    }
    if (!turn.answer.handled) note(turn.answer.state.session ? words.ignored : words.unheard);
    if (turn.answer.failure) note(words.failed.replace("%s", turn.answer.failure.message), "db-bad");
    else if (turn.answer.status === "ended" && turn.answer.handled) note(words.ended);
  };

  // --- beside the chat ---------------------------------------------------------------------------------------------------

  const drawPath = () => {
    const list = make("ol");
    for (const turn of turns) {
      for (const event of turn.answer.events) {
        if (event.kind === "entered") list.append(make("li", "", `${event.details.title || event.node} (${event.details.kind})`));
        if (event.kind === "left") list.append(make("li", "db-hint", `→ ${event.exit}`));
        if (event.kind === "invalid" || event.kind === "error") list.append(make("li", "db-hint", shown(event.details)));
      }
    }
    one("path").replaceChildren(list);
  };

  // Of a chat that is over: as they were at its end.
  const variablesNow = () => {
    const { answer } = last();
    if (answer.state.session) return answer.variables;
    const set = answer.events.filter((event) => event.kind === "set").map((event) => [event.details.name, event.details.value]);
    return { ...(turns.length > 1 && !answer.started_by ? turns[turns.length - 2].answer.variables : {}), ...Object.fromEntries(set) };
  };

  const drawVariables = () => {
    const list = make("dl");
    for (const [name, value] of Object.entries(variablesNow())) list.append(make("dt", "db-mono", name), make("dd", "", shown(value)));
    one("vars").replaceChildren(list);
  };

  // Another answer of a call: it is mocked from now on, and the turn in which it was made is played again.
  const otherwise = (place, effect, exit, values) => {
    const input = turns[place];
    world.mocks = [...world.mocks.filter((mock) => mock.node !== effect.node), { node: effect.node, exit, values }];
    setup.elements.mocks.value = JSON.stringify(world.mocks, null, 1);
    turns = turns.slice(0, place);
    go(input.input, input.seen);
  };

  const callCard = (place, effect) => {
    const card = make("div", "db-kind");
    card.append(make("strong", "", `${effect.node}: ${effect.action}`), make("pre", "db-code", JSON.stringify(effect.request || effect.params, null, 1)));
    if (effect.answer) card.append(make("pre", "db-code", JSON.stringify(effect.answer, null, 1)));
    const exits = make("select", "db-input");
    for (const name of effect.exits) exits.append(new Option(name, name, false, Boolean(effect.answer) && effect.answer.exit === name));
    const values = make("textarea", "db-input db-mono");
    values.setAttribute("aria-label", words.values);
    values.value = JSON.stringify(effect.answer ? effect.answer.values : {});
    const button = make("button", "db-button db-plain", words.answer_so);
    button.type = "button";
    button.addEventListener("click", () => {
      try {
        otherwise(place, effect, exits.value, json(values.value, {}));
      } catch (error) {
        note(words.wrong.replace("%s", error.message), "db-bad");
      }
    });
    card.append(exits, values, button);
    return card;
  };

  const drawCalls = () => {
    const box = one("calls");
    box.replaceChildren();
    turns.forEach((turn, place) => turn.answer.effects.filter((effect) => effect.kind === "act").forEach((effect) => box.append(callCard(place, effect))));
  };

  const draw = () => {
    chat.replaceChildren();
    turns.forEach(drawTurn);
    if (!turns.length) return;
    const answer = last().answer;
    const waits = answer.waits_for;
    one("status").textContent = waits ? `${words.waits}: ${waits.node}` : answer.status;
    one("clock").textContent = new Date(answer.now).toLocaleString() + (waits && waits.timers.length ? ` · ${words.timer}: ${waits.timers.map((timer) => `${timer.reason} ${new Date(timer.due_at).toLocaleString()}`).join(", ")}` : "");
    drawPath();
    drawVariables();
    drawCalls();
    chat.scrollTop = chat.scrollHeight;
    root.dispatchEvent(new CustomEvent("preview:turn", { detail: { turns, world } }));
  };

  // --- what people do ---------------------------------------------------------------------------------------------------

  // Reads who and where from the form; false when something in it cannot be read.
  const anew = () => {
    try {
      world = readWorld();
    } catch (error) {
      note(words.wrong.replace("%s", error.message), "db-bad");
      return false;
    }
    turns = [];
    chat.replaceChildren();
    return true;
  };

  setup.addEventListener("submit", (event) => {
    event.preventDefault();
    if (anew()) go(world.begin);
  });

  const message = (kind, text) => {
    if (kind === "contact") return { kind: "said", type: kind, contact: { phone: text, name: "", own: true } };
    const [latitude, longitude] = text.split(/[,;\s]+/).map(Number);
    if (kind === "location") return { kind: "said", type: kind, location: { latitude: latitude || 0, longitude: longitude || 0 } };
    if (kind === "text") return { kind: "said", text };
    return { kind: "said", type: kind, media: [{ kind: kind === "photo" ? "image" : kind, name: text || kind, mime: "", size: 1, url: "" }] };
  };

  one("say").addEventListener("submit", (event) => {
    event.preventDefault();
    const [kind, text] = [document.getElementById("preview-kind").value, document.getElementById("preview-text")];
    if (kind === "text" && !text.value.trim()) return;
    // Whoever writes first begins by a trigger, as in a real chat.
    if (!turns.length && !waiting && !anew()) return;
    go(message(kind, text.value), kind === "text" ? text.value : `${kind}: ${text.value}`);
    text.value = "";
  });

  for (const button of root.querySelectorAll("[data-later]")) {
    button.addEventListener("click", () => {
      if (!turns.length) return;
      const seconds = button.dataset.later;
      go({ kind: "later", ...(seconds ? { seconds: Number(seconds) } : {}) }, `⏩ ${button.textContent.trim()}`);
    });
  }
  one("cancel").addEventListener("click", () => turns.length && go({ kind: "cancelled" }, one("cancel").textContent));
  one("back").addEventListener("click", () => { turns.pop(); draw(); });
  channel.addEventListener("change", draw);

  // --- keeping as a test -------------------------------------------------------------------------------------------------

  const liveAnswers = () => turns.flatMap((turn) => turn.answer.effects)
    .filter((effect) => effect.kind === "act" && effect.answered_by === "live")
    .map((effect) => ({ node: effect.node, ...effect.answer }));

  one("keep").addEventListener("submit", async (event) => {
    event.preventDefault();
    await line;
    if (!turns.length) return;
    const form = event.target;
    const kept = { person: world.person, channel: channel.value, now: world.now, mocks: [...world.mocks, ...liveAnswers()] };
    const body = { name: form.elements.name.value, replace: form.elements.replace.checked, world: kept, inputs: turns.map((turn) => turn.input) };
    const answer = await fetch(data.keep, {
      method: "POST", credentials: "same-origin", body: JSON.stringify(body), headers: { "Content-Type": "application/json", "X-CSRFToken": token },
    });
    const found = await answer.json().catch(() => ({ error: answer.statusText }));
    one("kept").textContent = answer.ok ? words.kept : found.error;
  });
})();
