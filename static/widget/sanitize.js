// Texts of messages as DOM nodes. Nothing of a message is ever parsed as the page's own HTML: plain text becomes text nodes, and of the few
// tags that a message may use each is made anew, with no attribute but a checked link.

const TAGS = { b: "b", strong: "b", i: "i", em: "i", u: "u", ins: "u", s: "s", del: "s", strike: "s", code: "code", pre: "pre", blockquote: "blockquote" };
const SILENT = new Set(["script", "style", "template", "iframe", "object", "svg", "math", "title", "noscript", "textarea"]);
const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0" };
const DEEPEST = 32;
const MARKUP = /<(\/?)([a-z][a-z0-9-]*)((?:"[^"]*"|'[^']*'|[^<>"'])*)>|<!--[\s\S]*?-->/gi;
const HREF = /(?:^|\s)href\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"']+))/i;
const ENTITY = /&(#x[0-9a-f]{1,6}|#[0-9]{1,7}|[a-z]{2,5});/gi;
const LINK = /\bhttps?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]}]/g;
const SCHEMES = new Set(["http:", "https:", "mailto:", "tel:", "tg:"]);

export function plain(text) {
  const made = document.createDocumentFragment();
  let from = 0;
  for (const found of text.matchAll(LINK)) {
    made.append(text.slice(from, found.index), link(found[0], found[0]));
    from = found.index + found[0].length;
  }
  made.append(text.slice(from));
  return made;
}

// Read by ourselves: a parser of the browser's would already look at what it is never to run.
export function html(text) {
  const root = document.createDocumentFragment();
  const open = [{ tag: "", into: root }];
  let from = 0;
  for (const found of text.matchAll(MARKUP)) {
    if (found.index < from) continue;
    open.at(-1).into.append(decoded(text.slice(from, found.index)));
    from = found.index + found[0].length;
    const tag = found[2]?.toLowerCase();
    if (SILENT.has(tag) && !found[1]) from = after(text, tag, from);
    else if (tag) step(open, tag, found);
  }
  open.at(-1).into.append(decoded(text.slice(from)));
  return root;
}

function step(open, tag, found) {
  if (tag === "br") return open.at(-1).into.append(document.createElement("br"));
  if (found[1]) {
    const opened = open.findLastIndex((item) => item.tag === tag);
    if (opened > 0) open.length = opened;
    return undefined;
  }
  const made = element(tag, found[3]);
  if (!made || open.length > DEEPEST) return undefined;
  open.at(-1).into.append(made);
  return open.push({ tag, into: made });
}

function element(tag, attributes) {
  if (tag === "a") {
    const made = link(decoded(HREF.exec(attributes)?.slice(1).find((part) => part !== undefined) ?? ""), "");
    return made.nodeType === Node.TEXT_NODE ? null : made;
  }
  if (tag === "tg-spoiler") return spoiler();
  return TAGS[tag] ? document.createElement(TAGS[tag]) : null;
}

function after(text, tag, from) {
  const end = text.toLowerCase().indexOf(`</${tag}`, from);
  if (end < 0) return text.length;
  const close = text.indexOf(">", end);
  return close < 0 ? text.length : close + 1;
}

function decoded(text) {
  return text.replace(ENTITY, (whole, name) => {
    if (!name.startsWith("#")) return ENTITIES[name] ?? whole;
    const code = name[1] === "x" || name[1] === "X" ? parseInt(name.slice(2), 16) : Number(name.slice(1));
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

// An <a> that leads outside safely, or just the text when the address would run something.
export function link(address, text) {
  const url = checked(address);
  if (!url) return document.createTextNode(text);
  const made = document.createElement("a");
  made.href = url;
  made.target = "_blank";
  made.rel = "noopener noreferrer nofollow";
  made.append(text);
  return made;
}

export function checked(address) {
  try {
    const url = new URL(address, location.origin);
    return SCHEMES.has(url.protocol) ? url.href : "";
  } catch {
    return "";
  }
}

function spoiler() {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "spoiler";
  made.addEventListener("click", () => made.classList.add("shown"), { once: true });
  return made;
}
