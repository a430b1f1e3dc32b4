// What this browser keeps between visits. Browsers that give a frame of another site no storage get the page around it to keep things; where
// that is refused too, they live as long as the page.

export class Storage {
  constructor(key) {
    this.prefix = `dialogbus:${key}:`;
    this.memory = new Map();
    this.own = works(this.prefix);
    this.tellHost = null;
  }

  // `kept` is what the page around us has kept for us; `tell(name, value)` makes it keep more.
  useHost(kept, tell) {
    if (this.own) return;
    for (const [name, value] of Object.entries(kept ?? {})) if (!this.memory.has(name)) this.memory.set(name, value);
    this.tellHost = tell;
  }

  get(name) {
    if (!this.own) return this.memory.get(name) ?? null;
    try {
      return JSON.parse(localStorage.getItem(this.prefix + name));
    } catch {
      return null;
    }
  }

  set(name, value) {
    if (!this.own) {
      this.memory.set(name, value);
      this.tellHost?.(name, value);
    } else if (value === null) {
      localStorage.removeItem(this.prefix + name);
    } else {
      localStorage.setItem(this.prefix + name, JSON.stringify(value));
    }
  }
}

function works(prefix) {
  try {
    localStorage.setItem(`${prefix}test`, "1");
    localStorage.removeItem(`${prefix}test`);
    return true;
  } catch {
    return false;
  }
}
