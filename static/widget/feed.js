// News of the chat: by a stream where there is one, by asking otherwise. Both read the same log from the same cursor, so that changing from
// one to the other loses nothing and repeats at most what is harmless.

const STREAM_AGAIN_MS = [2000, 5000, 15000, 60000];
const ASK_AGAIN_MS = [1000, 2000, 5000, 10000, 15000];
const SILENCE_MS = 40000;
const STREAM_OPENS_MS = 3000;

export class Feed {
  // `events(answer)`, `reset()`, `ended()` when the session is over, `online(boolean)`.
  constructor(api, handlers) {
    this.api = api;
    this.handlers = handlers;
    this.timers = {};
    this.running = false;
    this.typing = false; // what is shown now: only a change of it is news
    addEventListener("online", () => this.#hurry());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.#hurry());
  }

  start(cursor, live) {
    this.stop();
    Object.assign(this, { running: true, cursor, live, streamFailures: 0, failures: 0 });
    if (live) {
      this.#listen();
      this.#later("ask", STREAM_OPENS_MS, () => this.#ask());
    } else {
      this.#ask();
    }
  }

  stop() {
    this.running = false;
    this.#close();
    this.asking?.abort();
    for (const timer of Object.values(this.timers)) clearTimeout(timer);
  }

  // --- the stream ---

  #listen() {
    if (!this.running || !this.live || this.stream || !("EventSource" in window)) return;
    const stream = new EventSource(`${this.live}&after=${this.cursor}`);
    this.stream = stream;
    stream.addEventListener("open", () => this.#opened(stream));
    stream.addEventListener("events", (event) => this.#heard(JSON.parse(event.data)));
    stream.addEventListener("beat", () => this.#watch(stream));
    stream.addEventListener("error", () => this.#broken(stream));
  }

  #opened(stream) {
    if (stream !== this.stream) return;
    this.open = true;
    this.streamFailures = 0;
    this.asking?.abort();
    this.handlers.online(true);
    this.#watch(stream);
  }

  // A connection that died without a word is noticed by the missing beats.
  #watch(stream) {
    this.#later("silence", SILENCE_MS, () => this.#broken(stream));
  }

  #broken(stream) {
    if (stream !== this.stream) return;
    this.#close();
    this.#later("stream", STREAM_AGAIN_MS[Math.min(this.streamFailures, STREAM_AGAIN_MS.length - 1)], () => this.#listen());
    this.streamFailures += 1;
    this.#ask();
  }

  #close() {
    clearTimeout(this.timers.silence);
    this.stream?.close();
    this.stream = null;
    this.open = false;
  }

  // --- asking ---

  async #ask() {
    if (!this.running || this.open || this.asking) return;
    const asking = new AbortController();
    this.asking = asking;
    let pause;
    try {
      pause = this.#answered(await this.api.get("/events", { after: this.cursor, wait: this.failures ? 0 : 25, typing: this.typing ? 1 : 0 }, { signal: asking.signal, seconds: 40 }));
    } catch (error) {
      pause = this.#failed(error);
    } finally {
      this.asking = null;
    }
    this.#later("ask", pause, () => this.#ask());
  }

  #answered(answer) {
    this.failures = 0;
    this.handlers.online(true);
    const first = answer.live && !this.live;
    this.live = answer.live ?? this.live;
    this.#heard(answer);
    if (first) this.#later("stream", 0, () => this.#listen());
    return answer.poll_ms ?? 200;
  }

  #failed(error) {
    if (error.kind === "session") {
      this.stop();
      this.handlers.ended();
    }
    if (error.kind === "stopped") return 0;
    if (error.kind === "offline") this.handlers.online(false);
    this.failures += 1;
    return Math.max(error.retryAfter * 1000 || 0, ASK_AGAIN_MS[Math.min(this.failures, ASK_AGAIN_MS.length) - 1]);
  }

  #heard(answer) {
    if (!this.running) return;
    if (answer.reset) return this.handlers.reset();
    if (BigInt(answer.cursor) > BigInt(this.cursor)) this.cursor = answer.cursor;
    this.handlers.events(answer);
    if (this.open) this.#watch(this.stream);
  }

  #hurry() {
    if (!this.running || this.open || !this.failures) return;
    this.failures = 0;
    this.asking?.abort();
    this.#later("ask", 0, () => this.#ask());
  }

  #later(name, milliseconds, work) {
    clearTimeout(this.timers[name]);
    this.timers[name] = setTimeout(work, milliseconds);
  }
}
