"""A formula's tree in Liquid: `a | filter: b`. A formula that Liquid cannot say raises `FormulaError`."""

from collections.abc import Callable, Mapping, Sequence

from apps.scenarios.foreign import functions
from apps.scenarios.foreign.formulas import Call, FormulaError, Literal, Operation, Path, Tree

ARITHMETIC = {"+": "plus: ", "-": "minus: ", "*": "times: ", "/": "times: 1.0 | divided_by: ", "&": "append: "}
# What may be said from the right as well, when only the right side is calculated.
FROM_THE_RIGHT = {"+": "plus: ", "*": "times: ", "&": "prepend: "}
COMPARISONS = {"=": "==", "==": "==", "<>": "!=", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
NameOf = Callable[[Sequence[str]], str]

# Functions with the same meaning here: the first argument flows through the filter, the others are its arguments.
FILTERS: Mapping[str, tuple[str, int, int]] = {
    "upper": ("upcase", 1, 1), "lower": ("downcase", 1, 1),
    "trim": ("strip", 1, 1), "clean": ("strip", 1, 1), "len": ("size", 1, 1), "length": ("size", 1, 1), "text_length": ("size", 1, 1),
    "count": ("size", 1, 1), "default": ("default", 2, 2), "if_error": ("default", 2, 2), "round": ("round", 1, 2), "abs": ("abs", 1, 1),
    "round_up": ("ceil", 1, 1), "round_down": ("floor", 1, 1), "mod": ("modulo", 2, 2), "join": ("join", 2, 2), "split": ("split", 2, 2),
    "replace": ("replace", 3, 3), "substitute": ("replace", 3, 3), "url_encode": ("url_encode", 1, 1), "json": ("json", 1, 1),
    "reverse": ("reverse", 1, 1), "format_number": ("number", 1, 2), "fixed": ("number", 1, 2), "max": ("at_least", 2, 2),
    "min": ("at_most", 2, 2),
}  # fmt: skip
SAME = frozenset({"text", "number", "value", "object", "html_decode", "date", "datetime", "format_urn"})
MOMENTS = {"now": "now", "today": "today"}
EACH_WORD = (
    '{{% assign words = {} | split: " " %}}{{% for word in words %}}{{{{ word | capitalize }}}}'
    '{{% unless forloop.last %}}{{{{ " " }}}}{{% endunless %}}{{% endfor %}}'
)


def said(tree: Tree, name_of: NameOf) -> str:
    """What stands in a text in place of the formula: an output, or tags where one output cannot say it. Raises `FormulaError`."""
    match tree:
        case Call(name="if", arguments=(Call(name="is_error", arguments=(looked_at,)), _, same)) if looked_at == same:
            return f"{{{{ {output(tree, name_of)} }}}}"
        case Call(name="if", arguments=(test, good, bad)):
            return f"{{% if {condition(test, name_of)} %}}{said(good, name_of)}{{% else %}}{said(bad, name_of)}{{% endif %}}"
        case Call(name="title" | "proper", arguments=(words,)):
            return EACH_WORD.format(output(words, name_of))
    return f"{{{{ {output(tree, name_of)} }}}}"


def output(tree: Tree, name_of: NameOf) -> str:
    """What stands between {{ and }}. Raises `FormulaError`."""
    match tree:
        case Literal():
            return literal(tree)
        case Path():
            return name_of(tree.parts)
        case Call(name="if", arguments=(Call(name="is_error", arguments=(looked_at,)), otherwise, same)) if looked_at == same:
            return f"{output(same, name_of)} | default: {simple(otherwise, name_of)}"
        case Operation(sign="^"):
            raise FormulaError("powers cannot be calculated here")
        case Operation(sign="+" | "-", left=left, right=Literal(value=float() as days)) if _is_moment(left, name_of):
            return f'{output(left, name_of)} | shift: "{"-" if tree.sign == "-" else ""}{days:g} days"'
        case Operation() if tree.sign in ARITHMETIC:
            return _calculated(tree, name_of)
        case Operation():
            raise FormulaError(f"“{tree.sign}” cannot stand in a text")
        case Call():
            return _called(tree, name_of)


def condition(tree: Tree, name_of: NameOf) -> str:
    """A condition in Liquid's syntax. Raises `FormulaError`."""
    match tree:
        case Call(name="is_error", arguments=(looked_at,)):
            return f"{simple(looked_at, name_of)} == nil"
        case Operation() if tree.sign in COMPARISONS:
            return f"{simple(tree.left, name_of)} {COMPARISONS[tree.sign]} {simple(tree.right, name_of)}"
        case Operation(sign="&&" | "||") | Call(name="and" | "or"):
            word = _word(tree)
            if any(_word(part) not in {"", word} for part in _parts(tree)):
                raise FormulaError("“and” mixed with “or”")
            return f" {word} ".join(condition(part, name_of) for part in _parts(tree))
    return simple(tree, name_of)


def _word(tree: Tree) -> str:
    """How this part joins its own parts: "and", "or", or "" when it does not."""
    match tree:
        case Operation(sign="&&") | Call(name="and"):
            return "and"
        case Operation(sign="||") | Call(name="or"):
            return "or"
    return ""


def _calculated(tree: Operation, name_of: NameOf) -> str:
    """Filters run from left to right, so the right side must be a value; where the order does not matter the sides are changed."""
    if isinstance(tree.right, Operation | Call) and not isinstance(tree.left, Operation | Call) and tree.sign in FROM_THE_RIGHT:
        return f"{output(tree.right, name_of)} | {FROM_THE_RIGHT[tree.sign]}{simple(tree.left, name_of)}"
    return f"{output(tree.left, name_of)} | {ARITHMETIC[tree.sign]}{simple(tree.right, name_of)}"


def simple(tree: Tree, name_of: NameOf) -> str:
    """An argument: a value or a name, nothing that is calculated."""
    match tree:
        case Literal():
            return literal(tree)
        case Path():
            found = name_of(tree.parts)
            if "|" not in found:
                return found
        case Operation(sign="-", left=Literal(value=0.0), right=Literal(value=float() as value)):
            return literal(Literal(-value))
    raise FormulaError("a calculation inside another one; set a variable to it first")


def literal(tree: Literal) -> str:
    match tree.value:
        case None:
            return "nil"
        case bool() as value:
            return str(value).lower()
        case float() as value:
            return str(int(value)) if value.is_integer() and abs(value) < 1e15 else str(value)  # noqa: PLR2004
        case str() as value:
            if '"' in value and "'" in value:
                raise FormulaError("a text with both kinds of quotes")
            return f"'{value}'" if '"' in value else f'"{value}"'
    raise FormulaError("a value of an unknown kind")


def _parts(tree: Tree) -> Sequence[Tree]:
    if isinstance(tree, Operation):
        return (tree.left, tree.right)
    return tree.arguments if isinstance(tree, Call) else ()


def _is_moment(tree: Tree, name_of: NameOf) -> bool:
    """Whether days are added to it: the present moment or day."""
    return isinstance(tree, Path | Call) and output(tree, name_of) in MOMENTS.values()


def _called(call: Call, name_of: NameOf) -> str:
    given = call.arguments
    if call.name in functions.WRITERS and given:
        return functions.WRITERS[call.name](output(given[0], name_of), given[1:])
    if call.name in MOMENTS and not given:
        return MOMENTS[call.name]
    if call.name in SAME and len(given) == 1:
        return output(given[0], name_of)
    if call.name in {"concatenate", "concat"} and given:
        return output(_joined(given), name_of)
    name, least, most = FILTERS.get(call.name, ("", 0, 0))
    if not name or not least <= len(given) <= most:
        raise FormulaError(f"the function {call.name}() has no counterpart")
    rest = ", ".join(simple(argument, name_of) for argument in given[1:])
    return f"{output(given[0], name_of)} | {name}{': ' if rest else ''}{rest}"


def _joined(parts: Sequence[Tree]) -> Tree:
    whole = parts[0]
    for part in parts[1:]:
        whole = Operation("&", whole, part)
    return whole
