// Keeps the page in step with the timeline: one list item per entry, days between them, and the place where the reader stands.

import { MessageNode, element } from "./message.js";

const NEAR_END = 80;

export class View {
  constructor(timeline, { texts, language, actions }) {
    this.timeline = timeline;
    this.context = { texts, language, actions };
    this.nodes = new Map();
    this.held = new Set();
    this.missed = 0;
    for (const id of ["scroll", "log", "older", "latest", "latest-count", "typing", "note"]) this[id.replace("-c", "C")] = document.getElementById(id);
    this.days = new Intl.DateTimeFormat(language, { day: "numeric", month: "long" });
    timeline.onChange((why) => this.draw(why));
    this.latest.addEventListener("click", () => this.toEnd({ smooth: true }));
    this.scroll.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    const grown = new ResizeObserver(() => this.stuck && this.toEnd());
    grown.observe(this.scroll);
    grown.observe(this.log);
    this.stuck = true;
  }

  draw(why) {
    const height = this.scroll.scrollHeight;
    const entries = this.timeline.entries().filter((entry) => !this.held.has(entry.id));
    const lastSaid = entries.findLastIndex((entry) => entry.direction === "in");
    const rows = [];
    let day = "";
    entries.forEach((entry, index) => {
      const date = new Date(entry.created_at).toDateString();
      if (date !== day) rows.push(this.#day(date));
      day = date;
      rows.push(this.#node(entry, { open: index > lastSaid }));
    });
    this.#replace(rows);
    this.older.hidden = !this.timeline.more;
    if (why.prepended) this.scroll.scrollTop += this.scroll.scrollHeight - height;
    else if (this.stuck || why.replaced || why.said) this.toEnd();
    else if (why.fresh?.some((message) => message.direction === "out")) this.#miss(why.fresh.length);
  }

  // Hides new messages for a moment, as if somebody were still writing them.
  hold(ids) {
    for (const id of ids) this.held.add(id);
  }

  release(ids) {
    for (const id of ids) this.held.delete(id);
    this.draw({ fresh: ids.map(() => ({ direction: "out" })) });
  }

  types(on) {
    if (this.typing.hidden === !on) return;
    this.typing.hidden = !on;
    if (this.stuck) this.toEnd();
  }

  say(text) {
    if (this.note.textContent !== text) this.note.textContent = text;
  }

  toEnd({ smooth = false } = {}) {
    this.stuck = true;
    this.#miss(0);
    this.scroll.scrollTo({ top: this.scroll.scrollHeight, behavior: smooth ? "smooth" : "instant" });
  }

  #scrolled() {
    this.stuck = this.scroll.scrollHeight - this.scroll.scrollTop - this.scroll.clientHeight < NEAR_END;
    this.latest.hidden = this.stuck;
    if (this.stuck) this.#miss(0);
  }

  #miss(count) {
    this.missed = count ? this.missed + count : 0;
    this.latestCount.textContent = this.missed || "";
    this.latest.hidden = this.stuck;
  }

  #node(entry, state) {
    let known = this.nodes.get(entry.key ?? entry.client_message_id);
    if (!known) {
      known = new MessageNode(entry, this.context);
      this.nodes.set(entry.key ?? entry.client_message_id, known);
    }
    known.update(entry, state);
    return known.node;
  }

  #day(date) {
    const key = `day:${date}`;
    if (!this.nodes.has(key)) this.nodes.set(key, { node: element("li", "day", element("span", "", this.#dayText(date))) });
    return this.nodes.get(key).node;
  }

  #dayText(date) {
    const today = new Date();
    const yesterday = new Date(today.getFullYear(), today.getMonth(), today.getDate() - 1);
    if (date === today.toDateString()) return this.context.texts.today;
    return date === yesterday.toDateString() ? this.context.texts.yesterday : this.days.format(new Date(date));
  }

  // Moves as few nodes as possible, so that nothing loses its focus or is read aloud twice.
  #replace(rows) {
    const wanted = new Set(rows);
    for (const node of [...this.log.children]) if (!wanted.has(node)) node.remove();
    rows.forEach((node, index) => {
      if (this.log.children[index] !== node) this.log.insertBefore(node, this.log.children[index] ?? null);
    });
  }
}
