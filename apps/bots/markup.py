"""The HTML that may be said: a small neutral set of tags, read leniently and written so that every messenger's parser takes it."""

import html
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urlsplit

from apps.bots import splitting

SAME = {"strong": "b", "em": "i", "ins": "u", "strike": "s", "del": "s"}
KEPT = frozenset({"b", "i", "u", "s", "a", "code", "pre", "blockquote", "tg-spoiler"})
BLOCKS = frozenset(
    {"p", "div", "ul", "ol", "table", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "section", "article", "header", "footer", "hr"}
)
DROPPED = frozenset(
    {
        "html",
        "head",
        "body",
        "title",
        "meta",
        "link",
        "span",
        "font",
        "img",
        "td",
        "th",
        "tbody",
        "thead",
        "small",
        "big",
        "sub",
        "sup",
        "mark",
        "figure",
        "center",
        "label",
        "nav",
        "main",
        "input",
        "button",
        "form",
    }
)
SILENT = frozenset({"script", "style"})
LINKS = frozenset({"http", "https", "tg", "mailto", "tel"})


@dataclass(frozen=True)
class Run:
    """Characters under the same tags; `tags` are start tags without brackets, the outermost first."""

    text: str
    tags: tuple[str, ...] = ()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.runs: list[Run] = []
        self.opened: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        name = SAME.get(tag, tag)
        if name in SILENT:
            self.silent += 1
        elif name in KEPT:
            self._open(name, dict(attrs))
        elif name == "span" and "tg-spoiler" in (dict(attrs).get("class") or ""):
            self.opened.append("span")
        elif name == "br":
            self.handle_data("\n")
        elif name in BLOCKS or name == "li":
            self._break_line()
            self.handle_data("• " if name == "li" else "")
        elif name not in DROPPED:
            self.handle_data(self.get_starttag_text() or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if SAME.get(tag, tag) not in KEPT | SILENT:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        name = SAME.get(tag, tag)
        if name in SILENT:
            self.silent = max(0, self.silent - 1)
        elif name in self._names():
            while self.opened.pop().partition(" ")[0] != name:
                pass
        elif name in BLOCKS or name == "li":
            self._break_line()
        elif name not in DROPPED | KEPT | {"br"}:
            self.handle_data(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if data and not self.silent:
            tags = tuple("tg-spoiler" if tag == "span" else tag for tag in self.opened if tag)
            self.runs.append(Run(data, tags))

    def _names(self) -> list[str]:
        return [tag.partition(" ")[0] for tag in self.opened]

    def _open(self, name: str, attrs: dict[str, str | None]) -> None:
        href = (attrs.get("href") or "").strip()
        if name == "a":
            self.opened.append(f'a href="{html.escape(href)}"' if _scheme(href) in LINKS else "a")
        else:
            self.opened.append("blockquote expandable" if name == "blockquote" and "expandable" in attrs else name)

    def _break_line(self) -> None:
        if self.runs and not self.runs[-1].text.endswith("\n"):
            self.handle_data("\n")


def _scheme(url: str) -> str:
    """The scheme of an address in lower case, "" when it is none."""
    try:
        return urlsplit(url).scheme.lower()
    except ValueError:
        return ""


def read(source: str) -> list[Run]:
    """Text with its tags. Tags that no messenger shows become line breaks or vanish; what is not HTML at all ("<name>") stays as text."""
    reader = _Reader()
    reader.feed(source)
    reader.close()
    return [Run(run.text, tuple(tag for tag in run.tags if tag != "a")) for run in reader.runs]


def write(runs: list[Run]) -> str:
    """HTML whose tags are balanced and whose text is escaped."""
    written: list[str] = []
    opened: list[str] = []
    for run in runs:
        shared = _shared(opened, run.tags)
        written += [f"</{tag.partition(' ')[0]}>" for tag in reversed(opened[shared:])]
        written += [f"<{tag}>" for tag in run.tags[shared:]]
        opened = list(run.tags)
        written.append(html.escape(run.text, quote=False))
    return "".join([*written, *(f"</{tag.partition(' ')[0]}>" for tag in reversed(opened))])


def _shared(opened: list[str], tags: tuple[str, ...]) -> int:
    count = 0
    while count < min(len(opened), len(tags)) and opened[count] == tags[count]:
        count += 1
    return count


def text_of(runs: list[Run]) -> str:
    """The characters that people see."""
    return "".join(run.text for run in runs)


def plain(source: str) -> str:
    """HTML as plain text; a link's address stands in brackets behind its words."""
    words: list[str] = []
    runs = read(source)
    for index, run in enumerate(runs):
        words.append(run.text)
        link, following = _link(run), _link(runs[index + 1]) if index + 1 < len(runs) else ""
        if link and link not in {following, run.text}:
            words.append(f" ({link})")
    return "".join(words)


def _link(run: Run) -> str:
    tag = next((tag for tag in run.tags if tag.startswith("a ")), "")
    return html.unescape(tag.removeprefix('a href="').removesuffix('"'))


def split(source: str, limit: int) -> list[str]:
    """Parts of at most `limit` visible units each, every part with balanced tags of its own."""
    runs = read(source)
    return [write(list(_slice(runs, start, end))) for start, end in splitting.spans(text_of(runs), limit)]


def _slice(runs: list[Run], start: int, end: int) -> Iterator[Run]:
    position = 0
    for run in runs:
        cut = run.text[max(0, start - position) : max(0, end - position)]
        if cut:
            yield Run(cut, run.tags)
        position += len(run.text)
