"""Typebot's texts: rich text as Telegram's kind of HTML, `{{Any Name}}` as a placeholder, small calculations in Liquid."""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from apps.scenarios.engine.contract import Json
from apps.scenarios.foreign import liquid
from apps.scenarios.foreign.formulas import FormulaError, Literal, Operation, Path, Tree, parse
from apps.scenarios.foreign.naming import Distinct, variable
from apps.scenarios.foreign.reading import obj, objects, text

HOLE = re.compile(r"\{\{=(?P<code>.{0,500}?)=\}\}|\{\{(?P<name>[^{}]{1,200})\}\}", re.DOTALL)
BRACES = re.compile(r"\{\{|\{%")
MARKS = (("bold", "b"), ("italic", "i"), ("underline", "u"), ("strikethrough", "s"), ("code", "code"))
DEEPEST = 30


@dataclass
class Variables:
    """The file's variables under names that ours may have."""

    by_id: dict[str, str] = field(default_factory=dict)
    by_name: dict[str, str] = field(default_factory=dict)
    distinct: Distinct = field(default_factory=lambda: Distinct("_"))
    initial: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, data: Json) -> "Variables":
        found = cls()
        for item in objects(data.get("variables")):
            name = found.by_id[text(item.get("id"))] = found.named(text(item.get("name")))
            value = item.get("value")
            if isinstance(value, str | int | float) or (isinstance(value, list) and all(isinstance(one, str) for one in value)):
                found.initial[name] = _bare_value(value)
        return found

    def named(self, name: str) -> str:
        key = name.strip()
        if key not in self.by_name:
            self.by_name[key] = self.distinct(variable(key))
        return self.by_name[key]

    def at(self, value: Any, *, otherwise: str = "answer") -> str:
        return self.by_id.get(text(value), otherwise)


def _bare_value(value: Any) -> Any:
    """A value that is no template: braces in it are text."""
    if isinstance(value, list):
        return [_bare_value(one) for one in value]
    return _literal(text(value), escape=False) if isinstance(value, str) else value


@dataclass
class Written:
    text: str = ""
    lost: list[str] = field(default_factory=list)


def plain(template: str, known: Variables, *, escape: bool = False) -> Written:
    """A template in Liquid. Code inside it that is more than a small calculation is kept as plain text and reported."""
    found, place = Written(), 0
    for match in HOLE.finditer(template):
        found.text += _literal(template[place : match.start()], escape=escape)
        place = match.end()
        code, name = match["code"], match["name"]
        if name is not None:
            found.text += f"{{{{ {known.named(name)} }}}}"
            continue
        try:
            found.text += f"{{{{ {calculated(code, known)} }}}}"
        except FormulaError:
            found.text += _literal(BRACES.sub("", code), escape=escape)
            found.lost.append(f"kept as text: {code.strip()[:100]}")
    found.text += _literal(template[place:], escape=escape)
    return found


def _literal(part: str, *, escape: bool) -> str:
    shown = html.escape(part, quote=False) if escape else part
    return BRACES.sub(lambda match: f'{{{{ "{match[0]}" }}}}', shown)


def calculated(code: str, known: Variables) -> str:
    """A small calculation, `{{Score}} + 10`, as what stands between {{ and }}. Raises `FormulaError` for anything else."""
    return liquid.output(_joined(parse(code.strip())), lambda parts: known.named(parts[0]))


def _joined(tree: Tree) -> Tree:
    """In JavaScript + joins texts. A bare word is no variable of the file, but text."""
    match tree:
        case Path(hole=False):
            raise FormulaError("a name that is no variable")
        case Operation(sign="+") if any(isinstance(part, Literal) and isinstance(part.value, str) for part in (tree.left, tree.right)):
            return Operation("&", _joined(tree.left), _joined(tree.right))
        case Operation():
            return Operation(tree.sign, _joined(tree.left), _joined(tree.right))
    return tree


@dataclass
class Rich:
    """A text block as it is said here; `html` when it has marks or links."""

    text: str
    html: bool
    lost: list[str]


def rich(content: Json, known: Variables) -> Rich:
    """Of a bubble's `richText`; older files have `plainText` or `html` beside it."""
    paragraphs = objects(content.get("richText"))
    marked = any(_marked(node) for node in paragraphs)
    lost: list[str] = []
    lines = [_line(node, known, lost, escape=marked) for node in paragraphs]
    said = "\n".join(lines).strip("\n")
    if not said.strip():
        written = plain(text(content.get("plainText")) or _bare(text(content.get("html"))), known)
        return Rich(written.text, html=False, lost=written.lost)
    return Rich(said, html=marked, lost=lost)


def _marked(node: Json, depth: int = 0) -> bool:
    own = any(node.get(name) is True for name, _tag in MARKS) or node.get("type") == "a"
    return own or (depth < DEEPEST and any(_marked(child, depth + 1) for child in objects(node.get("children"))))


def _line(node: Json, known: Variables, lost: list[str], *, escape: bool, depth: int = 0) -> str:
    if depth > DEEPEST:
        return ""
    if "text" in node:
        written = plain(text(node.get("text")), known, escape=escape)
        lost += written.lost
        return _tagged(written.text, node) if escape else written.text
    inner = [_line(child, known, lost, escape=escape, depth=depth + 1) for child in objects(node.get("children"))]
    match text(node.get("type")):
        case "a":
            address = plain(text(node.get("url")), known)
            return f'<a href="{html.escape(address.text)}">{"".join(inner)}</a>' if escape and address.text else "".join(inner)
        case "li":
            return f"• {''.join(inner).strip()}\n"
        case "ol":
            return "".join(f"{number}. {said.removeprefix('• ')}" for number, said in enumerate(filter(str.strip, inner), start=1))
    return "".join(inner)


def _tagged(said: str, node: Mapping[str, Any]) -> str:
    if not said.strip():
        return said
    for name, tag in MARKS:
        if node.get(name) is True:
            said = f"<{tag}>{said}</{tag}>"
    return said


def _bare(source: str) -> str:
    return html.unescape(re.sub(r"<[^<>]*>", "", source.replace("<br>", "\n").replace("</div><div>", "\n")))


def path_of(value: str) -> str:
    """Where a value stands in the answer: Typebot's `data.items[0].name` as ours, `json.items.0.name`."""
    parts = [part for part in re.split(r"[.\[\]]+", value.strip().strip("'\"")) if part]
    if parts[:1] == ["data"]:
        return ".".join(("json", *parts[1:]))
    return "status" if parts == ["statusCode"] else ".".join(("json", *parts))


def option(block: Json, *path: str) -> Any:
    """A setting of a block."""
    found: Any = obj(block.get("options"))
    for key in path:
        found = obj(found).get(key)
    return found
