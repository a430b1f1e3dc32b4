// What the visitor says, in order, one at a time, until the server has it. Every message has an id of ours, so that a repeat is harmless;
// texts that were not taken yet survive a reload.

const AGAIN_MS = [1000, 2000, 5000, 10000, 20000];
const KEPT = new Set(["text", "action", "contact", "location"]);

export class Sender {
  constructor(api, timeline, storage, handlers) {
    this.api = api;
    this.timeline = timeline;
    this.storage = storage;
    this.handlers = handlers;
    this.queue = [];
    this.busy = false;
    this.failures = 0;
    addEventListener("online", () => this.#go());
  }

  // What was left from before a reload, unless the server has it already.
  resume() {
    const known = new Set([...this.timeline.messages.values(), ...this.queue.map((said) => said.call)].map((said) => said.client_message_id));
    const left = (this.storage.get("unsent") ?? []).filter((said) => !known.has(said.call.client_message_id));
    for (const said of left) this.#put(said.call, said.shown);
    this.#keep();
  }

  say(call, shown) {
    const id = newId();
    this.#put({ client_message_id: id, ...call }, shown);
    this.#keep();
    return id;
  }

  sayFile(file, shown) {
    this.#put({ client_message_id: newId(), type: "file" }, shown, file);
  }

  again(entry) {
    this.timeline.amend(entry.client_message_id, { state: "sending", error: "" });
    const said = this.queue.find((item) => item.call.client_message_id === entry.client_message_id);
    if (said) said.failed = false;
    this.#go();
  }

  #put(call, shown, file) {
    this.queue.push({ call, shown, file });
    this.timeline.say({ ...shown, type: call.type, client_message_id: call.client_message_id });
    this.#go();
  }

  async #go() {
    if (this.busy || !this.api.token) return;
    const said = this.queue.find((item) => !item.failed);
    if (!said) return;
    this.busy = true;
    clearTimeout(this.timer);
    try {
      await this.#send(said);
      if (this.failures) this.handlers.online(true);
      this.failures = 0;
      this.queue = this.queue.filter((item) => item !== said);
      this.timeline.amend(said.call.client_message_id, { state: "sent", progress: undefined });
      this.handlers.sent(said.call);
    } catch (error) {
      this.#failed(said, error);
    } finally {
      this.busy = false;
    }
    this.#keep();
    if (!this.waiting) this.#go();
  }

  async #send(said) {
    const id = said.call.client_message_id;
    if (said.file && !said.call.upload_id) {
      const stored = await this.api.upload(said.file, (share) => this.timeline.amend(id, { progress: share }));
      said.call.upload_id = stored.upload_id;
    }
    await this.api.post("/messages", said.call);
  }

  #failed(said, error) {
    this.waiting = false;
    if (error.kind === "session") {
      this.waiting = true;
      return this.handlers.ended();
    }
    if (error.kind === "refused") {
      said.failed = true;
      return this.timeline.amend(said.call.client_message_id, { state: "failed", error: error.message, progress: undefined, final: error.status === 413 || error.status === 415 });
    }
    this.failures += 1;
    this.waiting = true;
    if (error.kind === "offline") this.handlers.online(false);
    const pause = error.retryAfter ? error.retryAfter * 1000 : AGAIN_MS[Math.min(this.failures, AGAIN_MS.length) - 1];
    this.timer = setTimeout(() => this.wake(), pause);
  }

  wake() {
    this.waiting = false;
    this.#go();
  }

  #keep() {
    const left = this.queue.filter((item) => KEPT.has(item.call.type) && !item.failed);
    this.storage.set("unsent", left.length ? left.map(({ call, shown }) => ({ call, shown })) : null);
  }
}

function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
