// What this browser keeps between visits. Where storage is refused (private windows, strict third-party rules) it lives as long as the page.

const memory = new Map();

export class Storage {
  constructor(key) {
    this.prefix = `dialogbus:${key}:`;
  }

  get(name) {
    try {
      const text = localStorage.getItem(this.prefix + name);
      return text === null ? memory.get(this.prefix + name) ?? null : JSON.parse(text);
    } catch {
      return memory.get(this.prefix + name) ?? null;
    }
  }

  set(name, value) {
    memory.set(this.prefix + name, value);
    try {
      if (value === null) localStorage.removeItem(this.prefix + name);
      else localStorage.setItem(this.prefix + name, JSON.stringify(value));
    } catch {
      // Kept in memory above.
    }
  }
}
