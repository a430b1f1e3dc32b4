// What the chat shows: messages of the server by id, and those that are still on their way from here. Applying anything twice or in another
// order gives the same picture.

export class Timeline {
  constructor() {
    this.messages = new Map();
    this.pending = new Map();
    this.more = false;
    this.listeners = [];
  }

  onChange(listener) {
    this.listeners.push(listener);
  }

  changed(why = {}) {
    for (const listener of this.listeners) listener(why);
  }

  // A snapshot replaces everything that the server knows.
  replace(messages, more) {
    this.messages.clear();
    this.more = more;
    for (const message of messages) this.#put(message);
    this.changed({ replaced: true });
  }

  prepend(messages, more) {
    this.more = more;
    for (const message of messages) this.#put(message);
    this.changed({ prepended: true });
  }

  apply(messages) {
    const fresh = messages.filter((message) => !this.messages.has(message.id));
    for (const message of messages) this.#put(message);
    if (messages.length) this.changed({ fresh });
  }

  // Not yet with the server. state: sending, sent (kept by the server, not handled yet) or failed.
  say(entry) {
    this.pending.set(entry.client_message_id, { direction: "in", author: "client", state: "sending", created_at: new Date().toISOString(), buttons: [], media: [], ...entry });
    this.changed({ said: true });
  }

  amend(clientId, changes) {
    const entry = this.pending.get(clientId);
    if (!entry) return;
    Object.assign(entry, changes);
    this.changed();
  }

  drop(clientId) {
    if (this.pending.delete(clientId)) this.changed();
  }

  // All entries in the order in which they are shown; `key` never changes while an entry goes from here to the server and back.
  entries() {
    const known = [...this.messages.values()].filter((message) => !message.hidden).sort((a, b) => a.number - b.number);
    return [...known, ...this.pending.values()];
  }

  newest(direction) {
    let newest = null;
    for (const message of this.messages.values()) {
      if (message.direction === direction && (!newest || message.number > newest.number)) newest = message;
    }
    return newest;
  }

  // Our messages after the one that was `seen` last (its number).
  unread(seen) {
    let count = 0;
    for (const message of this.messages.values()) {
      if (message.direction === "out" && !message.hidden && message.number > seen && message.state !== "read") count += 1;
    }
    return count;
  }

  oldestId() {
    let oldest = null;
    for (const message of this.messages.values()) if (!oldest || message.number < oldest.number) oldest = message;
    return oldest?.id ?? null;
  }

  #put(message) {
    const before = this.messages.get(message.id);
    const own = message.direction === "in" ? this.#pendingFor(message) : null;
    const key = before?.key ?? own?.client_message_id ?? (message.client_message_id || message.id);
    this.messages.set(message.id, { ...message, key, number: Number(message.id.slice(2)), pressed: before?.pressed });
    if (message.edits) this.#edit(message);
    const edit = before?.editedBy && this.messages.get(before.editedBy);
    if (edit) this.#edit(edit);
  }

  // The entry here that became this message. A pressed button comes back without our id on older servers: then by its label.
  #pendingFor(message) {
    for (const [id, entry] of this.pending) {
      const same = message.client_message_id ? id === message.client_message_id : entry.type === "action" && entry.text === message.text;
      if (same) {
        this.pending.delete(id);
        return entry;
      }
    }
    return null;
  }

  #edit(message) {
    const target = this.messages.get(message.edits);
    if (!target) return;
    this.messages.get(message.id).hidden = true;
    const { text, format, buttons, media } = message;
    Object.assign(target, { text, format, buttons, media, edited: true, editedBy: message.id });
  }
}
