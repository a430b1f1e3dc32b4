// The chat page: begins a session, shows it, and keeps it in step with the server.

import { Api } from "./api.js";
import { Composer } from "./composer.js";
import { Feed } from "./feed.js";
import { Host } from "./host.js";
import { Sender } from "./sender.js";
import { Storage } from "./storage.js";
import { Timeline } from "./timeline.js";
import { View } from "./view.js";

const OFFLINE_SHOWN_MS = 2500;
const READ_AFTER_MS = 400;
const LONGEST_TYPING_MS = 3000;
const TYPING_ENDS_MS = 8000;

class Chat {
  constructor(page) {
    this.page = page;
    this.texts = page.texts;
    this.main = document.getElementById("chat");
    this.storage = new Storage(page.key);
    this.api = new Api(page.language);
    this.timeline = new Timeline();
    const actions = { press: (button, entry) => this.press(button, entry), retry: (entry) => this.sender.again(entry) };
    const locale = navigator.languages.find((name) => name.startsWith(page.language)) ?? page.language; // the visitor's own way to write times
    this.view = new View(this.timeline, { texts: page.texts, language: locale, actions });
    this.feed = new Feed(this.api, {
      events: (answer) => this.heard(answer), reset: () => this.reload(), ended: () => this.open(), online: (on) => this.online(on),
    });
    this.sender = new Sender(this.api, this.timeline, this.storage, {
      sent: () => this.feed.running || this.listen(), ended: () => this.open(), online: (on) => this.online(on),
    });
    this.composer = new Composer(page.texts, this.storage, this.composing());
    this.timeline.onChange(() => this.changed());
    this.seen = 0;
    this.receipt = {};
    this.told = { page: document.referrer.slice(0, 500), start: new URLSearchParams(location.search).get("start") ?? "" };
    document.getElementById("older").addEventListener("click", () => this.older());
    document.getElementById("close").addEventListener("click", () => this.host.tell("close"));
    addEventListener("keydown", (event) => event.key === "Escape" && this.host.tell("close"));
    document.addEventListener("visibilitychange", () => this.noteRead());
    document.documentElement.style.setProperty("--accent", page.color);
    document.documentElement.style.setProperty("--on-accent", page.ink);
    this.host = new Host(page.parents, {
      begin: (told) => this.begin(told), shown: (on) => this.shown(on), identify: (identity) => this.identify(identity), signOut: () => this.signOut(),
    });
    this.visible = !this.host.embedded;
    document.getElementById("close").hidden = !this.host.embedded;
    if (!this.host.embedded) this.open();
  }

  // --- the session ---

  begin({ identity, page, start, frame, kept }) {
    this.storage.useHost(kept, (name, value) => this.host.tell("keep", { name, value }));
    this.composer.restore();
    this.seen = 0;
    this.receipt = {};
    this.told = { page: page ?? "", start: start ?? this.told.start };
    this.identity = identity ?? null;
    this.inline = frame === "inline";
    this.main.classList.toggle("inline", this.inline);
    document.getElementById("close").hidden = this.inline;
    this.open();
  }

  async open() {
    this.reopen = this.opening; // the visitor has changed meanwhile: what is on its way is somebody else's
    if (this.opening) return;
    this.opening = true;
    this.feed.stop();
    this.api.token = null;
    try {
      const session = await this.api.post("/sessions", {
        key: this.page.key, visitor_token: this.storage.get("token") ?? "", identity: this.identity, language: this.page.language, ...this.told,
      });
      if (!this.reopen) this.opened(session);
    } catch (error) {
      if (!this.reopen) this.refused(error);
    } finally {
      this.opening = false;
    }
    if (this.reopen) this.open();
  }

  opened(session) {
    this.api.token = session.visitor_token;
    this.storage.set("token", session.visitor_token);
    if (session.identity_problem) console.warn(`Dialog Bus: the identity was not accepted (${session.identity_problem}); the visitor stays anonymous.`);
    this.told.start = "";
    this.cursor = session.cursor;
    this.live = session.live;
    this.timeline.replace(session.messages, session.more);
    this.main.dataset.state = "ready";
    this.online(true);
    if (!this.resumed) this.sender.resume();
    this.resumed = true;
    this.sender.wake();
    if (session.live || session.messages.length) this.listen();
    this.host.tell("opened", { known: session.live !== null });
  }

  refused(error) {
    if (error.kind === "refused") {
      this.main.dataset.state = "closed";
      this.view.say(error.message || this.texts.ended);
      return;
    }
    this.online(false);
    setTimeout(() => this.open(), Math.max(3000, error.retryAfter * 1000 || 0));
  }

  identify(identity) {
    this.identity = identity;
    this.open();
  }

  async signOut() {
    this.feed.stop();
    if (this.api.token) await this.api.post("/sign-out", {}).catch(() => {});
    this.storage.set("token", null);
    this.storage.set("unsent", null);
    this.identity = null;
    this.open();
  }

  listen() {
    this.feed.start(this.cursor, this.live);
  }

  async reload() {
    try {
      const history = await this.api.get("/messages");
      this.timeline.replace(history.messages, history.more);
      this.cursor = history.cursor;
      this.live = history.live;
      this.listen();
    } catch {
      setTimeout(() => this.reload(), 3000);
    }
  }

  async older() {
    const before = this.timeline.oldestId();
    const button = document.getElementById("older");
    button.disabled = true;
    try {
      const history = await this.api.get("/messages", { before });
      this.timeline.prepend(history.messages, history.more);
    } catch (error) {
      if (error.kind === "offline") this.online(false);
    } finally {
      button.disabled = false;
    }
  }

  // --- what comes ---

  heard(answer) {
    this.cursor = answer.cursor;
    this.live = answer.live ?? this.live;
    const messages = answer.events.map((event) => event.message);
    const slow = messages.filter((message) => message.typing && message.direction === "out" && !this.timeline.messages.has(message.id));
    if (slow.length && this.visible) this.pretendTyping(slow);
    this.timeline.apply(messages);
    this.typing(answer.typing);
  }

  // Somebody writes; without further word they have stopped.
  typing(on) {
    clearTimeout(this.typingTimer);
    this.feed.typing = on;
    this.view.types(on || this.view.held.size > 0);
    if (on) this.typingTimer = setTimeout(() => this.typing(false), TYPING_ENDS_MS);
  }

  // A scenario may ask for a pause that looks like writing.
  pretendTyping(messages) {
    const ids = messages.map((message) => message.id);
    this.view.hold(ids);
    this.view.types(true);
    setTimeout(() => {
      this.view.release(ids);
      this.view.types(this.view.held.size > 0);
    }, Math.min(LONGEST_TYPING_MS, 1000 * Math.max(...messages.map((message) => message.typing))));
  }

  changed() {
    const keyboard = this.timeline.entries().findLast((entry) => entry.direction === "in" || entry.keyboard === "reply" || entry.keyboard === "remove");
    this.composer.keyboardOf(keyboard?.keyboard === "reply" && keyboard.direction === "out" ? keyboard : null);
    this.noteRead();
  }

  // --- what the visitor does ---

  composing() {
    return {
      text: (text) => this.sender.say({ type: "text", text }, { text }),
      file: (file) => this.sendFile(file),
      tooLarge: (file) => this.timeline.say({ client_message_id: `large-${Date.now()}`, text: file.name, state: "failed", error: this.texts.too_large, final: true }),
      typing: () => this.api.token && this.timeline.messages.size && this.api.post("/typing", { on: true }).catch(() => {}),
      press: (button, entry) => this.press(button, entry),
      phone: (phone) => this.sender.say({ type: "contact", phone }, { text: "", contact: { phone, name: "" } }),
      location: () => this.sendLocation(),
    };
  }

  press(button, entry) {
    if (entry.pressed) return;
    const message = this.timeline.messages.get(entry.id);
    if (message) message.pressed = button.token;
    this.sender.say({ type: "action", action_id: button.token }, { text: button.label });
  }

  sendFile(file) {
    const kind = file.type.startsWith("image/") && file.type !== "image/svg+xml" ? "image" : "file";
    const preview = kind === "image" ? URL.createObjectURL(file) : "";
    this.sender.sayFile(file, { text: "", media: [{ kind, name: file.name, size: file.size, url: "", preview }], progress: 0 });
  }

  sendLocation() {
    navigator.geolocation?.getCurrentPosition(
      ({ coords: { latitude, longitude } }) => this.sender.say({ type: "location", latitude, longitude }, { text: "", location: { latitude, longitude, title: "" } }),
      () => this.view.say(this.texts.location_refused),
    );
  }

  // --- being read ---

  shown(on) {
    this.visible = on;
    if (on) {
      this.view.toEnd();
      if (!this.inline) this.composer.focus();
    }
    this.noteRead();
  }

  // What was on the screen is read, even if the chat is closed before the server has heard of it.
  noteRead() {
    if (this.reading()) this.seen = Math.max(this.seen, this.timeline.newest("out")?.number ?? 0);
    this.host?.tell("unread", { count: this.timeline.unread(this.seen) });
    clearTimeout(this.readTimer);
    this.readTimer = setTimeout(() => this.sendReceipts(), READ_AFTER_MS);
  }

  reading() {
    return this.visible && document.visibilityState === "visible";
  }

  sendReceipts() {
    const newest = this.timeline.newest("out");
    if (!newest || !this.api.token) return;
    this.sendReceipt("read", this.timeline.messages.get(`m_${this.seen}`));
    if (newest.number > this.seen && newest.state !== "delivered") this.sendReceipt("delivered", newest);
  }

  sendReceipt(state, message) {
    if (!message || message.state === "read" || message.state === "failed") return;
    const said = `${message.id}:${message.state}:${state}`;
    if (this.receipt[state] === said) return;
    this.receipt[state] = said;
    this.api.post("/receipts", { [`${state}_up_to`]: message.id }).catch(() => (this.receipt[state] = ""));
  }

  // --- how it looks ---

  online(on) {
    if (on) {
      clearTimeout(this.offlineTimer);
      this.offlineTimer = 0;
      this.main.dataset.online = "yes";
      this.view.say("");
      return;
    }
    this.offlineTimer ||= setTimeout(() => {
      this.main.dataset.online = "no";
      this.view.say(this.texts.offline);
    }, OFFLINE_SHOWN_MS);
  }
}

new Chat(JSON.parse(document.getElementById("page").textContent));
