"""Formulas of other systems, parsed into a tree and written anew in Liquid. Nothing is replaced by search; what is not understood is refused.

The grammar is what spreadsheets and flow builders share: numbers, "texts", true and false, names with dots and [indexes], {{holes}} with a
name in them, calls of functions, + - * / ^ &, comparisons, brackets.
"""

import re
from dataclasses import dataclass

LONGEST = 2_000
DEEPEST = 40
TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>\d+(?:\.\d+)?)
      | \{\{(?P<hole>[^{}]{1,200})\}\}
      | (?P<text>"(?:[^"\\]|""|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<name>[^\W\d][\w]*)
      | (?P<sign><=|>=|<>|!=|==|\|\||&&|[-+*/^&=<>(),.\[\]])
    )""",
    re.VERBOSE,
)
# Loosest first; each row binds tighter than the one before.
LEVELS: tuple[tuple[str, ...], ...] = (
    ("||",), ("&&",), ("=", "==", "<>", "!="), ("<", "<=", ">", ">="), ("&",), ("+", "-"), ("*", "/"), ("^",),
)  # fmt: skip


class FormulaError(Exception):
    """The formula cannot be read, or has no counterpart here; the text says what it was."""


@dataclass(frozen=True)
class Literal:
    value: str | float | bool | None


@dataclass(frozen=True)
class Path:
    """A name with what stands behind its dots: `results.age.category`. `hole`: it was written as `{{any name}}`."""

    parts: tuple[str, ...]
    hole: bool = False


@dataclass(frozen=True)
class Call:
    """A function; of `urn_parts(x).scheme` the name is `urn_parts.scheme`."""

    name: str
    arguments: tuple["Tree", ...]


@dataclass(frozen=True)
class Operation:
    sign: str
    left: "Tree"
    right: "Tree"


Tree = Literal | Path | Call | Operation


@dataclass(frozen=True)
class Token:
    kind: str
    text: str


def parse(source: str) -> Tree:
    """The tree of a formula. Raises `FormulaError`."""
    if len(source) > LONGEST:
        raise FormulaError(f"longer than {LONGEST} characters")
    parser = _Parser(tokens_of(source))
    tree = parser.level(0, 0)
    if parser.here is not None:
        raise FormulaError(f"“{parser.here.text}” is not expected there")
    return tree


def tokens_of(source: str) -> list[Token]:
    found: list[Token] = []
    place = 0
    source = source.rstrip()
    while place < len(source):
        match = TOKEN.match(source, place)
        if match is None or match.lastgroup is None:
            raise FormulaError(f"“{source[place : place + 10]}” is not understood")
        found.append(Token(match.lastgroup, match[match.lastgroup]))
        place = match.end()
    return found


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._place = 0

    @property
    def here(self) -> Token | None:
        return self._tokens[self._place] if self._place < len(self._tokens) else None

    def level(self, level: int, depth: int) -> Tree:
        """Operations of this level and tighter ones, from left to right."""
        if depth > DEEPEST:
            raise FormulaError("nested too deep")
        if level == len(LEVELS):
            return self._single(depth)
        left = self.level(level + 1, depth)
        while (sign := self._sign(*LEVELS[level])) is not None:
            left = Operation(sign, left, self.level(level + 1, depth))
        return left

    def _single(self, depth: int) -> Tree:
        if self._sign("-"):
            return Operation("-", Literal(0.0), self._single(depth + 1))
        if self._sign("("):
            tree = self.level(0, depth + 1)
            self._expect(")")
            return tree
        token = self._next()
        if token.kind == "number":
            return Literal(float(token.text))
        if token.kind == "text":
            return Literal(_unquoted(token.text))
        if token.kind == "hole":
            return Path((token.text.strip(),), hole=True)
        if token.kind == "name":
            return self._named(token.text, depth)
        raise FormulaError(f"“{token.text}” is not expected there")

    def _named(self, name: str, depth: int) -> Tree:
        if self._sign("("):
            given = tuple(self._arguments(depth + 1))
            return Call(".".join((name.lower(), *self._members())), given)
        word = name.lower()
        if word in {"true", "false"}:
            return Literal(word == "true")
        if word in {"null", "none"}:
            return Literal(None)
        return Path((name, *self._members()))

    def _members(self) -> list[str]:
        """What stands behind dots and in [brackets]."""
        found: list[str] = []
        while (sign := self._sign(".", "[")) is not None:
            found.append(self._next().text if sign == "." else _unquoted(self._next().text))
            if sign == "[":
                self._expect("]")
        return found

    def _arguments(self, depth: int) -> list[Tree]:
        found: list[Tree] = []
        if self._sign(")"):
            return found
        while True:
            found.append(self.level(0, depth))
            if self._sign(")"):
                return found
            self._expect(",")

    def _sign(self, *wanted: str) -> str | None:
        """The sign that stands here, if it is one of these; then it is taken."""
        token = self.here
        if token is None or token.kind != "sign" or token.text not in wanted:
            return None
        self._place += 1
        return token.text

    def _expect(self, sign: str) -> None:
        if self._sign(sign) is None:
            raise FormulaError(f"“{sign}” is missing")

    def _next(self) -> Token:
        token = self.here
        if token is None:
            raise FormulaError("it ends too early")
        self._place += 1
        return token


def _unquoted(text: str) -> str:
    if text[:1] == '"':
        return text[1:-1].replace('""', '"').replace('\\"', '"').replace("\\\\", "\\")
    return text[1:-1].replace("\\'", "'").replace("\\\\", "\\") if text[:1] == "'" else text
