"""Liquid with every resource bounded: what an author writes (or pastes) must not cost more than a small, known amount of work.

The library's own limits count loops, output and names; this module adds a budget of work per render, sizes for each filter's input and
result, and bounded ranges. Measured holes that it closes: `(1..100000000) | join`, chains of `replace`, `reversed` over a huge range.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from io import StringIO
from typing import Any

from liquid import Environment, RenderContext
from liquid.ast import Node
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.builtin.output import Output, OutputNode
from liquid.builtin.tags.capture_tag import CaptureNode, CaptureTag
from liquid.builtin.tags.echo_tag import EchoNode, EchoTag
from liquid.exceptions import LoopIterationLimitError, ResourceLimitError
from liquid.expression import Expression
from liquid.template import BoundTemplate
from liquid.token import Token
from liquid.undefined import Undefined

from apps.scenarios.engine import limits
from apps.scenarios.engine.escaping import ESCAPES, READY_MADE, Ready
from apps.scenarios.engine.plain import dig, shown

FILTER_CALL_WORK = 200
NODE_WORK = 200
LOOKUP_WORK = 20
ITEM_WORK = 20
INTEGER_BITS = 256


class TooMuchError(ResourceLimitError):
    """A value or a computation is over its limit."""

    def __init__(self, message: str) -> None:
        super().__init__(message, token=None)


class GuardedContext(RenderContext):
    """One render: carries the target to escape for and the work that is left."""

    __slots__ = ("iterations", "node_count", "target", "work")

    def __init__(self, template: BoundTemplate, *, names: Mapping[str, object], target: str = "", node_count: int = 1) -> None:
        super().__init__(template, globals=names)
        self.target = target
        self.node_count = node_count
        self.iterations = 0
        self.work = limits.RENDER_WORK

    def spend(self, amount: int) -> None:
        self.work -= amount
        if self.work < 0:
            raise TooMuchError("too much work for one text")

    def raise_for_loop_limit(self, length: int = 1) -> None:
        """Counts iterations over the whole render (the library multiplies nested loops only) and charges the body for each."""
        self.iterations += length
        if self.iterations > limits.LOOP_ITERATIONS:
            raise LoopIterationLimitError("too many repetitions", token=None)
        self.spend(length * self.node_count * NODE_WORK)

    def get_item(self, obj: Any, key: Any) -> Any:
        self.spend(LOOKUP_WORK)
        return dig(obj, key)

    def filter(self, name: str, token: Token | None) -> Callable[..., object]:
        return partial(self._filtered, name, super().filter(name, token))

    def _filtered(self, name: str, function: Callable[..., object], left: object, *args: object, **kwargs: object) -> object:
        weight = weigh(left) + sum(weigh(value) for value in (*args, *kwargs.values()))
        self.spend(FILTER_CALL_WORK + weight)
        if name in GROWING:
            self.spend(GROWING[name](left, *args))
        result = function(left, *args, **kwargs)
        self.spend(weigh(result))
        return Ready(result) if isinstance(result, str) and name in READY_MADE.get(self.target, ()) else result


def weigh(value: object) -> int:
    """About how many characters the value has; raises when it is over a filter's limits. Ranges and numbers count by size."""
    weight = 0
    items = 0
    stack = [value]
    while stack:
        current = stack.pop()
        weight += ITEM_WORK
        if isinstance(current, str):
            weight += len(current)
        elif isinstance(current, int | float):
            _check_number(current)
        elif isinstance(current, Mapping | list | tuple | range) and not isinstance(current, Undefined):
            items += len(current)
            if items > limits.FILTER_ITEMS:
                raise TooMuchError("too many items")
            if not isinstance(current, range):
                stack.extend(current.values() if isinstance(current, Mapping) else current)
        if weight > limits.FILTER_CHARS + ITEM_WORK * limits.FILTER_ITEMS:
            raise TooMuchError("the value is too long")
    return weight


def _check_number(number: float) -> None:
    if isinstance(number, int):
        if number.bit_length() > INTEGER_BITS:
            raise TooMuchError("the number is too big")
    elif not math.isfinite(number):
        raise TooMuchError("the number is not finite")


def _grown_by_replace(left: object, old: object = "", new: object = "", *_rest: object) -> int:
    text, old_text = str(left), str(old)
    return _affordable(text.count(old_text) * len(str(new)))


def _grown_by_join(left: object, separator: object = " ", *_rest: object) -> int:
    count = len(left) if isinstance(left, list | tuple | range) else 1
    return _affordable(count * len(str(separator)))


def _affordable(chars: int) -> int:
    if chars > limits.FILTER_CHARS:
        raise TooMuchError("the result would be too long")
    return chars


# Filters whose result may be a multiple of what goes in: judged before they run.
GROWING: dict[str, Callable[..., int]] = {"replace": _grown_by_replace, "join": _grown_by_join}


class GuardedRange(RangeLiteral):
    """`(1..n)` that is refused before anything can walk it."""

    __slots__ = ()

    def evaluate(self, context: RenderContext) -> range:
        numbers = super().evaluate(context)
        if numbers.stop - numbers.start > limits.RANGE_ITEMS:
            raise LoopIterationLimitError("the range is too long", token=None)
        return numbers


class Escaping(OutputNode):
    """`{{ … }}`: escapes the value for the render's target, once."""

    __slots__ = ()

    def render_to_output(self, context: RenderContext, buffer: Any) -> int:
        value = self.expression.evaluate(context)
        text = shown(value)
        if isinstance(context, GuardedContext) and context.target and not isinstance(value, Ready):
            text = ESCAPES[context.target](text, value=value, at_start=getattr(buffer, "size", 1) == 0)
        return int(buffer.write(text))


class EscapingEchoNode(Escaping, EchoNode):
    __slots__ = ()


class EscapingOutput(Output):
    node_class = Escaping


class EscapingEcho(EchoTag):
    node_class = EscapingEchoNode


class ReadyCaptureNode(CaptureNode):
    """`{% capture %}`: what was captured is escaped already and is not escaped again when it is written."""

    def _assign(self, context: RenderContext, buf: StringIO) -> None:
        context.assign(self.name, Ready(buf.getvalue()))


class ReadyCapture(CaptureTag):
    node_class = ReadyCaptureNode


class GuardedEnvironment(Environment):
    """The Liquid that authors get: standard tags and filters, less those that load templates, over bounded resources."""

    loop_iteration_limit = limits.LOOP_ITERATIONS
    local_namespace_limit = limits.NAMESPACE_BYTES
    output_stream_limit = limits.RENDERED_BYTES
    shorthand_indexes = True
    logical_not_operator = True
    logical_parentheses = True
    ternary_expressions = True

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=extra)
        for tag in ("include", "render", "tablerow", "doc"):
            del self.tags[tag]
        for name in ("safe", "escapejs"):
            del self.filters[name]
        for tag_class in (EscapingOutput, EscapingEcho, ReadyCapture):
            self.add_tag(tag_class)


def harden(nodes: Iterable[Node], context: RenderContext) -> int:
    """Bound the ranges of a parsed template in place; returns its number of nodes, by which loops are charged."""
    count = 0
    for node in nodes:
        count += 1 + harden(node.children(context, include_partials=False), context)
        for expression in node.expressions():
            harden_expression(expression)
    return count


def harden_expression(expression: Expression) -> None:
    if type(expression) is RangeLiteral:
        # The parser offers no hook for literals; both classes have the same layout.
        expression.__class__ = GuardedRange
    for child in expression.children():
        harden_expression(child)
