"""RapidPro's templates, `Hi @contact.first_name, you are @(results.age + 1)`, in Liquid. `@@` is a plain @."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from apps.identity.attributes import COLUMNS
from apps.scenarios.foreign import liquid
from apps.scenarios.foreign.formulas import LONGEST, Call, FormulaError, Literal, Operation, Path, Tree, parse
from apps.scenarios.foreign.naming import category_of, variable

# The names that may stand after an @; anything else, such as an e-mail address, is plain text.
ROOTS = frozenset(
    {
        "contact", "fields", "results", "run", "input", "urns", "globals", "parent", "child", "webhook", "legacy_extra", "trigger", "node",
        "resume", "ticket", "locals", "flow", "step", "extra", "date", "channel",
    }
)  # fmt: skip
NAME = re.compile(r"[^\W\d]\w*(?:\.\w+)*")
BRACES = re.compile(r"\{\{|\{%")
CODE = re.compile(r"<%.{0,200}?%>", re.DOTALL)
MOST_UNCLOSED = 20  # formulas without an end, after which the rest of a text is text
CONTACT = {
    "": "user_name", "name": "user_name", "first_name": "user_name | split: ' ' | first", "language": "user_language",
    "timezone": "user_timezone", "tel": "user_phone", "tel_e164": "user_phone", "urn": "user_phone", "mailto": "user_email",
    "email": "user_email", "uuid": "lead.id", "id": "lead.id", "groups": "groups", "channel": "channel.name",
}  # fmt: skip
# What those systems know about a person and nothing here does; all else after `contact` is an attribute.
UNKNOWN = frozenset(
    {
        "created_on", "last_seen_on", "status", "tickets", "ref", "urns", "in_groups", "list_profiles", "has_multiple_profiles", "optin_time",
        "optin_status", "optin_method", "bsp_status",
    }
)  # fmt: skip
URNS = {"tel": "user_phone", "whatsapp": "user_phone", "mailto": "user_email", "telegram": "lead.chat_id", "ext": "lead.chat_id"}
VALUES = frozenset({"", "value", "text", "input"})
CATEGORIES = frozenset({"category", "category_localized"})
SCHEME = "channel.kind"  # of the address of a chat
# What goflow and the older engine know about a run without its flow having set it.
WORLD: dict[tuple[str, ...], str] = {
    ("input",): "user_input", ("input", "text"): "user_input", ("step",): "user_input", ("step", "value"): "user_input",
    ("step", "text"): "user_input", ("trigger", "keyword"): "user_input", ("date", "now"): "now", ("date",): "now",
    ("date", "today"): "today", ("webhook",): "webhook", ("webhook", "status"): "request_status", ("webhook", "json"): "webhook",
    ("legacy_extra",): "webhook", ("extra",): "webhook", ("child", "status"): "child_status", ("child", "run", "status"): "child_status",
    ("channel", "name"): "channel.name", ("channel",): "channel.name", ("date", "yesterday"): "today | shift: '-1 days'",
    ("date", "tomorrow"): "today | shift: '1 days'", ("step", "contact"): "user_name",
    ("urn", "scheme"): SCHEME, ("urn", "path"): "lead.chat_id",
}  # fmt: skip
FROM_ONE = frozenset({"word", "field"})  # functions of the older engine that count from 1


@dataclass
class Used:
    """What the texts and actions of a file name; filled while they are read.

    `fields`, `groups`: attributes of people → what they are called there. `older`: the flow that is read is of definition 12 or older.
    """

    constants: set[str] = field(default_factory=set)
    fields: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    older: bool = False

    def attribute(self, key: str, label: str = "") -> str:
        """The name under which an attribute is kept; those that every person has are no new ones."""
        name = variable(key)
        if name not in COLUMNS:
            self.fields.setdefault(name, label or key)
        return name

    def read(self, key: str) -> str:
        """The name under which placeholders see that attribute."""
        name = self.attribute(key)
        return f"user_{name}" if name in COLUMNS else name


@dataclass(frozen=True)
class Piece:
    """Plain text, or a formula (`wanted` as it was written)."""

    plain: str = ""
    formula: str = ""
    wanted: str = ""


def pieces(template: str) -> Iterator[Piece]:
    place = start = unclosed = 0
    while unclosed < MOST_UNCLOSED and (at := template.find("@", place)) >= 0:
        formula, end = _formula_at(template, at + 1)
        if template[at + 1 : at + 2] == "@":
            yield Piece(plain=template[start : at + 1])
            place = start = at + 2
        elif formula is None:
            place = at + 1
            unclosed += template[place : place + 1] == "("
        else:
            yield Piece(plain=template[start:at])
            yield Piece(formula=formula, wanted=template[at:end])
            place = start = end
    yield Piece(plain=template[start:])


def _formula_at(template: str, start: int) -> tuple[str | None, int]:
    if template[start : start + 1] == "(":
        end = _closing(template, start)
        return (template[start + 1 : end], end + 1) if end else (None, start)
    match = NAME.match(template, start)
    if match is None or match[0].split(".", maxsplit=1)[0].lower() not in ROOTS:
        return None, start
    return match[0], match.end()


def _closing(template: str, start: int) -> int:
    """The place of the bracket that closes the one at `start`; 0 when none does. Brackets in quotes do not count."""
    depth, quoted = 0, False
    for place in range(start, min(len(template), start + LONGEST + 2)):
        char = template[place]
        if char == '"':
            quoted = not quoted
        elif not quoted and char in "()":
            depth += 1 if char == "(" else -1
            if depth == 0:
                return place
    return 0


@dataclass
class Written:
    """A template in Liquid; `lost` are the formulas that could not be written and stand in it as plain text."""

    text: str
    lost: list[str] = field(default_factory=list)

    @property
    def told(self) -> list[str]:
        return [f"kept as text: {one}" for one in self.lost]


def write(template: str, used: Used) -> Written:
    found = Written("")
    for piece in pieces(template):
        if not piece.formula:
            found.text += BRACES.sub(lambda match: f'{{{{ "{match[0]}" }}}}', piece.plain)
            continue
        try:
            found.text += liquid.said(tree_of(piece.formula, used), lambda parts: name_of(parts, used))
        except FormulaError as error:
            found.text += BRACES.sub("", piece.wanted)
            found.lost.append(f"{piece.wanted} ({error})")
    found.lost += [f"{match[0]} (code of Glific)" for match in CODE.finditer(template)]
    return found


def reference(template: str, used: Used) -> str:
    """The path of a template that is one formula; "" when it is more. Raises `FormulaError`."""
    found = [piece for piece in pieces(template.strip()) if piece.formula or piece.plain]
    return output_of(found[0].formula, used) if len(found) == 1 and found[0].formula else ""


def output_of(formula: str, used: Used) -> str:
    return liquid.output(tree_of(formula, used), lambda parts: name_of(parts, used))


def tree_of(formula: str, used: Used) -> Tree:
    """The formula as the newer engine reads it. Raises `FormulaError`."""
    return _newer(parse(formula), older=used.older)


def _newer(tree: Tree, *, older: bool) -> Tree:
    """The older engine's WORD(text, 1) is the newer word(text, 0). A part of an address is a name here."""
    match tree:
        case Operation():
            return Operation(tree.sign, _newer(tree.left, older=older), _newer(tree.right, older=older))
        case Call(name="urn_parts.path" | "urn_parts.display", arguments=(Path(parts=(root, *_)) as address,)) if root.lower() == "urns":
            return address
        case Call(name="urn_parts.scheme" | "urn_parts.path" | "urn_parts.display"):
            return Path(("urn", "scheme" if tree.name == "urn_parts.scheme" else "path"))
        case Call():
            given = [_newer(one, older=older) for one in tree.arguments]
            if older and tree.name in FROM_ONE and len(given) > 1 and isinstance(given[1], Literal) and isinstance(given[1].value, float):
                given[1] = Literal(max(given[1].value - 1, 0.0))
            return Call(tree.name, tuple(given))
    return tree


def name_of(parts: Sequence[str], used: Used) -> str:
    """Our name of what a path names there. Raises `FormulaError` when nothing here has that value."""
    path = tuple(part.lower() for part in parts)
    found = WORLD.get(path) or _named(path, used)
    if not found:
        raise FormulaError(f"nothing here is “{'.'.join(parts)}”")
    return found


def _named(path: tuple[str, ...], used: Used) -> str:
    root, rest = path[0], path[1:]
    match root:
        case "results" | "flow":
            return _result(rest)
        case "run" | "parent" | "child" | "step":
            return _of_a_run(rest, used)
        case "contact":
            return _named(rest, used) if rest[:1] == ("fields",) else _contact(rest, used)
        case "fields":
            return used.read(rest[0]) if len(rest) == 1 else ""
        case "locals":
            return variable(rest[0]) if len(rest) == 1 else ""
        case "urns":
            return URNS.get(rest[0], "") if rest else ""
        case "webhook" | "legacy_extra" | "extra":
            return ".".join(("webhook", *(rest[1:] if rest[:1] == ("json",) else rest)))
    return _of_the_start(root, rest, used)


def _of_a_run(rest: tuple[str, ...], used: Used) -> str:
    """Of this run, or of the one that called it or was called: all share their variables here. Older flows leave `results` out."""
    match rest[:1]:
        case ("contact" | "fields",):
            return _named(rest, used)
        case ("results",):
            return _result(rest[1:])
        case ("run",):
            return _of_a_run(rest[1:], used)
    return _result(rest)


def _of_the_start(root: str, rest: tuple[str, ...], used: Used) -> str:
    """Values of the installation, and what whoever started the flow gave."""
    if root == "globals" and len(rest) == 1:
        used.constants.add(variable(rest[0]))
        return f"constants.{variable(rest[0])}"
    if root == "trigger" and rest[:1] == ("params",) and len(rest) > 1:
        return ".".join((variable(rest[1]), *rest[2:]))
    return ""


def _result(rest: tuple[str, ...]) -> str:
    if not rest:
        return ""
    if rest[1:2] == ("extra",):
        return ".".join((variable(rest[0]), *rest[2:]))
    name, part = variable(rest[0]), ".".join(rest[1:])
    return category_of(name) if part in CATEGORIES else name if part in VALUES else ""


def _contact(rest: tuple[str, ...], used: Used) -> str:
    if len(rest) > 1:
        return URNS.get(rest[1], "") if rest[0] == "urns" else ""
    key = rest[0] if rest else ""
    return CONTACT.get(key) or ("" if key in UNKNOWN else used.read(key))
