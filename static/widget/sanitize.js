// Texts of messages as DOM nodes. Nothing of a message is ever parsed as the page's own HTML: plain text becomes text nodes, and of the few
// tags that a message may use each is made anew, with no attribute but a checked link.

const TAGS = { B: "b", STRONG: "b", I: "i", EM: "i", U: "u", INS: "u", S: "s", DEL: "s", STRIKE: "s", CODE: "code", PRE: "pre", BLOCKQUOTE: "blockquote", BR: "br" };
const SILENT = new Set(["SCRIPT", "STYLE", "TEMPLATE", "IFRAME", "OBJECT", "SVG", "MATH", "TITLE", "NOSCRIPT", "TEXTAREA"]);
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

export function html(text) {
  const read = new DOMParser().parseFromString(`<body>${text}`, "text/html");
  return copied(read.body);
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

function copied(node) {
  const made = document.createDocumentFragment();
  for (const child of node.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) made.append(child.data);
    else if (child.nodeType === Node.ELEMENT_NODE && !SILENT.has(child.tagName.toUpperCase())) made.append(element(child));
  }
  return made;
}

function element(node) {
  const inner = copied(node);
  if (node.tagName === "A") {
    const made = link(node.getAttribute("href") ?? "", "");
    if (made.nodeType === Node.TEXT_NODE) return inner;
    made.append(inner);
    return made;
  }
  if (node.tagName === "TG-SPOILER") return spoiler(inner);
  const tag = TAGS[node.tagName];
  if (!tag) return inner;
  const made = document.createElement(tag);
  made.append(inner);
  return made;
}

function spoiler(inner) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "spoiler";
  made.append(inner);
  made.addEventListener("click", () => made.classList.add("shown"), { once: true });
  return made;
}
