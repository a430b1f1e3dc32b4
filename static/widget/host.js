// The page around the chat, when there is one. Only its script at an allowed address is listened to (security.md 14).

export class Host {
  // `begin({identity, page, start})`, `shown(boolean)`, `identify(identity)`, `signOut()`
  constructor(parents, handlers) {
    this.embedded = window.parent !== window;
    this.parents = parents;
    this.handlers = handlers;
    this.origin = null;
    if (!this.embedded) return;
    addEventListener("message", (event) => this.#heard(event));
    window.parent.postMessage({ dialogbus: "ready" }, "*"); // tells nothing; the answer shows who is there
  }

  tell(name, data = {}) {
    if (this.origin) window.parent.postMessage({ dialogbus: name, ...data }, this.origin);
  }

  #heard(event) {
    if (event.source !== window.parent || typeof event.data?.dialogbus !== "string" || !this.#allowed(event.origin)) return;
    this.origin = event.origin;
    const { dialogbus: name, ...data } = event.data;
    if (name === "begin") this.handlers.begin(data);
    else if (name === "shown") this.handlers.shown(data.on === true);
    else if (name === "identify") this.handlers.identify(data.identity ?? null);
    else if (name === "sign-out") this.handlers.signOut();
  }

  // The same rule as the server's: our own address, or one of the allowed sources whole (a "*." stands for one or more labels).
  #allowed(origin) {
    if (origin === location.origin) return true;
    let url;
    try {
      url = new URL(origin);
    } catch {
      return false;
    }
    return this.parents.some((source) => {
      const [scheme, host] = source.split("://");
      if (`${scheme}:` !== url.protocol) return false;
      return host.startsWith("*.") ? url.host.endsWith(host.slice(1)) : url.host === host;
    });
  }
}
