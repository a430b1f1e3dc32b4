"""Liquid placeholders over plain JSON: `{{ path | filter: argument }}` in texts, addresses, headers and bodies.

Only what an author wrote is ever compiled; what a customer wrote is a value. Templates are compiled once and never touch Python attributes.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, TypeVar

from liquid import RenderContext
from liquid.ast import Node
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import BooleanExpression, FilteredExpression, Path, tokenize
from liquid.exceptions import LiquidError, ResourceLimitError
from liquid.expression import Expression
from liquid.output import LimitedStringIO
from liquid.stream import TokenStream
from liquid.template import BoundTemplate
from liquid.token import TOKEN_EXPRESSION, Token

from apps.scenarios.engine import limits
from apps.scenarios.engine.escaping import ESCAPES, Target
from apps.scenarios.engine.filters import add_filters
from apps.scenarios.engine.guarding import Escaping, GuardedContext, GuardedEnvironment, harden, harden_expression
from apps.scenarios.engine.plain import clean_text, dig, plain, shown
from apps.scenarios.engine.wording import _

PathKeys = tuple[str | int, ...]
T = TypeVar("T")
ENVIRONMENT = GuardedEnvironment()
add_filters(ENVIRONMENT)
EMPTY = BoundTemplate(ENVIRONMENT, [])
MARKS = ("{{", "{%", "}}", "%}")


class TemplateError(Exception):
    """A template that cannot be compiled or rendered. The message says what to do and quotes the author only, never a value."""

    def __init__(self, message: str, *, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column

    @property
    def place(self) -> str:
        return _("line %(line)s, column %(column)s") % {"line": self.line, "column": self.column} if self.line else ""


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled text. `single`: its one placeholder when it consists of nothing else; `parts`: texts and paths when there is nothing more."""

    source: str
    bound: BoundTemplate | None = None
    node_count: int = 0
    single: Expression | None = None
    parts: tuple[str | PathKeys, ...] | None = None

    def text(self, names: Mapping[str, Any], *, target: Target = "") -> str:
        """The rendered text; missing names are empty. Raises `TemplateError`."""
        if self.bound is None:
            return self.source
        return clean_text(
            _guarded(lambda: self._rendered(names, target) if self.parts is None else self._joined(self.parts, names, target))
        )

    def value(self, names: Mapping[str, Any], *, target: Target = "") -> Any:
        """As `text`, but a lone placeholder keeps the JSON type of its value (a missing name is "")."""
        single = self.single
        if self.bound is None or single is None:
            return self.text(names, target=target)
        if self.parts is not None:
            return _guarded(lambda: plain(_walk(names, self.parts[0])))  # type: ignore[index,arg-type]
        return _guarded(lambda: plain(single.evaluate(self._context(names, target))))

    def names(self) -> Iterator[tuple[str, ...]]:
        """Paths that the template reads from outside, such as ("order", "amount"); its own loop and assigned names are left out."""
        if self.bound is None:
            return
        for variables in self.bound.analyze(include_partials=False).globals.values():
            for variable in variables:
                yield tuple(segment if isinstance(segment, str) else "*" for segment in variable.segments)

    def _context(self, names: Mapping[str, Any], target: Target) -> GuardedContext:
        return GuardedContext(self.bound or EMPTY, names=names, target=target, node_count=self.node_count)

    def _rendered(self, names: Mapping[str, Any], target: Target) -> str:
        buffer = LimitedStringIO(limit=limits.RENDERED_BYTES)
        context = self._context(names, target)
        context.template.render_with_context(context, buffer)
        return buffer.getvalue()

    def _joined(self, parts: tuple[str | PathKeys, ...], names: Mapping[str, Any], target: Target) -> str:
        escape = ESCAPES.get(target)
        written: list[str] = []
        for index, part in enumerate(parts):
            if isinstance(part, str):
                written.append(part)
                continue
            value = _walk(names, part)
            text = shown(value)
            written.append(escape(text, value=value, at_start=index == 0) if escape else text)
        if sum(map(len, written)) > limits.RENDERED_BYTES:
            raise _too_much()
        return "".join(written)


def _walk(names: Mapping[str, Any], path: PathKeys) -> Any:
    try:
        value = names[path[0]]  # type: ignore[index]
        for key in path[1:]:
            value = dig(value, key)
    except KeyError:
        return ""
    return value


@dataclass(frozen=True, slots=True)
class Formula:
    """A compiled free condition in Liquid's syntax, such as `amount > 100 and status == "paid"`."""

    source: str
    expression: Expression

    def test(self, names: Mapping[str, Any]) -> bool:
        """Whether the condition holds. Raises `TemplateError`."""
        return bool(_guarded(lambda: self.expression.evaluate(GuardedContext(EMPTY, names=names))))

    def names(self) -> Iterator[tuple[str, ...]]:
        yield from _paths_in(self.expression)


def _paths_in(expression: Expression) -> Iterator[tuple[str, ...]]:
    if isinstance(expression, Path):
        yield tuple(segment if isinstance(segment, str) else "*" for segment in expression.path)
    for child in expression.children():
        yield from _paths_in(child)


@lru_cache(maxsize=limits.COMPILED_TEMPLATES)
def compile_template(source: str) -> Template:
    """Compile a text of an author's. Raises `TemplateError` with line and column when it is malformed or too long."""
    if not any(mark in source for mark in MARKS):
        return Template(source)
    _check_length(source)
    bound = _parsed(lambda: ENVIRONMENT.from_string(source), source)
    _check_filters(bound, source)
    node_count = harden(bound.nodes, RenderContext(bound))
    single = bound.nodes[0].expression if len(bound.nodes) == 1 and isinstance(bound.nodes[0], Escaping) else None
    return Template(source, bound, node_count, single, _simple_parts(bound.nodes))


@lru_cache(maxsize=limits.COMPILED_TEMPLATES)
def compile_formula(source: str) -> Formula:
    """Compile a free condition; braces around the whole of it are forgiven. Raises `TemplateError`."""
    text = source.strip()
    if text.startswith("{{") and text.endswith("}}"):
        text = text[2:-2].strip()
    _check_length(text)
    if not text:
        raise TemplateError(_("The condition is empty. Write one such as: amount > 100"))
    token = Token(TOKEN_EXPRESSION, text, 0, text)
    expression = _parsed(lambda: BooleanExpression.parse(ENVIRONMENT, TokenStream(tokenize(text, token))), text)
    harden_expression(expression)
    return Formula(source, expression)


def render(value: Any, names: Mapping[str, Any], *, target: Target = "") -> Any:
    """Every text inside a JSON value rendered; other values as they are. A lone placeholder keeps its type.

    `target` json concerns a text body only: inside an object the values are encoded with it.
    """
    return plan(value)(names, target)


Plan = Callable[[Mapping[str, Any], Target], Any]


def plan(value: Any, *, depth: int = 0) -> Plan:
    """A JSON value with placeholders, compiled into a function that renders it."""
    if isinstance(value, str):
        return _plan_text(compile_template(value))
    if depth > limits.JSON_DEPTH:
        raise TemplateError(_("The value is nested too deep. Make it flatter."))
    if isinstance(value, dict):
        items = {str(key): plan(item, depth=depth + 1) for key, item in value.items()}
        return lambda names, target: {key: item(names, _inner(target)) for key, item in items.items()}
    if isinstance(value, list | tuple):
        members = [plan(item, depth=depth + 1) for item in value]
        return lambda names, target: [member(names, _inner(target)) for member in members]
    return lambda _names, _target: value


def _plan_text(template: Template) -> Plan:
    if template.bound is None:
        return lambda _names, _target: template.source
    return lambda names, target: template.value(names, target=target)


def _inner(target: Target) -> Target:
    return "" if target == "json" else target


def _simple_parts(nodes: list[Node]) -> tuple[str | PathKeys, ...] | None:
    """Texts and plain paths, when the template holds nothing else: most do, and these need no render context."""
    parts: list[str | PathKeys] = []
    for node in nodes:
        if isinstance(node, ContentNode):
            parts.append(str(node.text))
            continue
        expression = node.expression if isinstance(node, Escaping) else None
        if not isinstance(expression, FilteredExpression) or expression.filters or not isinstance(expression.left, Path):
            return None
        segments = tuple(segment for segment in expression.left.path if not isinstance(segment, Path))
        if len(segments) != len(expression.left.path) or not isinstance(segments[0], str):
            return None
        parts.append(segments)
    return tuple(parts)


def _check_length(source: str) -> None:
    if len(source) > limits.TEMPLATE_CHARS:
        raise TemplateError(
            _("The text with placeholders has %(chars)s characters; the limit is %(limit)s. Split it into several blocks.")
            % {"chars": len(source), "limit": limits.TEMPLATE_CHARS}
        )


def _check_filters(bound: BoundTemplate, source: str) -> None:
    for name, spans in bound.analyze(include_partials=False).filters.items():
        if name not in ENVIRONMENT.filters:
            close = get_close_matches(name, ENVIRONMENT.filters, n=3)
            advice = _("Did you mean %(names)s?") % {"names": ", ".join(close)} if close else _("Correct its name or remove it.")
            line, column = _position(source, spans[0].index)
            raise TemplateError(f"{_('There is no filter “%(name)s”.') % {'name': name}} {advice}", line=line, column=column)


def _position(source: str, index: int) -> tuple[int, int]:
    before = source[:index]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def _parsed(parse: Callable[[], T], source: str) -> T:
    try:
        return parse()
    except LiquidError as error:
        raise _syntax_error(error, source) from None
    except (RecursionError, ValueError, IndexError) as error:
        raise TemplateError(_("The placeholder cannot be read. Make it simpler.")) from error


def _syntax_error(error: LiquidError, source: str) -> TemplateError:
    if error.token is None or error.token.start_index < 0:
        return TemplateError(_("The placeholder cannot be read. Make it simpler."))
    line, column = _position(source, error.token.start_index)
    return TemplateError(_("The placeholder is written wrongly: %(reason)s.") % {"reason": error.message}, line=line, column=column)


def _guarded(act: Callable[[], T]) -> T:
    """Runs a render; whatever goes wrong becomes a `TemplateError` that quotes no value (they may be secret or personal)."""
    try:
        return act()
    except ResourceLimitError:
        raise _too_much() from None
    except LiquidError as error:
        word = error.token.value.strip() if error.token is not None else ""
        raise TemplateError(
            _("The placeholder at “%(word)s” does not fit its value. Check the filter and its arguments.") % {"word": word[:80]}
        ) from None
    except Exception as error:  # noqa: BLE001  (a filter of the library met a value that it did not expect)
        raise TemplateError(
            _("The placeholder does not fit its value (%(kind)s). Check the filter and its arguments.") % {"kind": type(error).__name__}
        ) from None


def _too_much() -> TemplateError:
    return TemplateError(_("The result of the placeholders is too large or takes too much work. Use fewer or smaller values."))
