"""What the cells of a column must look like, as SQL over the staging table: for each kind of field the value of a text, and a named problem.

Set-based, so that a million rows are checked in seconds. An empty cell is no value. The functions `imports.as_…` are in the migrations: they
give NULL for what is no value. A rule's problem is asked of the text and of the value that was made of it, so that nothing is read twice.

Rules stand here for the kinds that are worth it; cells of every other kind, also of one that an installation adds, are read by the kind's own
`clean` when the file is read (`staging`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.conf import settings
from psycopg import sql

from apps.customdata.importing.sniffing import Form

Sql = sql.Composable
DEFAULT_LENGTH = 255
LONGEST = 100_000
BEYOND = Decimal(10) ** 18
_TRUE = ["true", "t", "yes", "y", "1", "on", "x", "+", "да", "истина", "так", "иә", "ha"]
_FALSE = ["false", "f", "no", "n", "0", "off", "-", "нет", "ложь", "ні", "жоқ", "yoq"]
_TRIMMED = "btrim({cell}, E' \\t\\r\\n\\u00a0''')"


@dataclass(frozen=True)
class Column:
    """What a kind's rule may know of the field; `target` is how cells name the row that a link means."""

    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)
    target: "Target | None" = None


@dataclass(frozen=True)
class Target:
    """The rows that a link may name: a table, the expression that cells are compared with, and how cells are read for that."""

    table: Sql
    by: Sql
    read: Column
    folds: bool = False  # compared without case


@dataclass(frozen=True)
class Rule:
    """`value`: what a text becomes, NULL for an empty and for a wrong one. `problems`: conditions over `{cell}` and `{value}` with their codes,
    asked in this order; none of them holds for a good cell.
    """

    value: Sql
    problems: tuple[tuple[str, str | Sql], ...] = ()

    def problem(self, *, cell: Sql, value: Sql) -> Sql:
        """The code of what is wrong with a cell whose value lies in `value`; NULL when nothing is."""
        parts = {"cell": cell, "value": value, "trimmed": sql.SQL(_TRIMMED).format(cell=cell)}
        whens = [sql.SQL("WHEN {} THEN {}").format(sql.SQL(test).format(**parts), _code(code)) for test, code in self.problems]
        return sql.SQL("CASE {} END").format(sql.SQL(" ").join(whens)) if whens else sql.SQL("NULL::text")


def _code(code: str | Sql) -> Sql:
    return code if isinstance(code, sql.Composable) else sql.Literal(code)


def rule(column: Column, cell: Sql, form: Form) -> Rule:
    """How the text in `cell` becomes a value."""
    return _related(column.target, cell, form) if column.target is not None else _RULES[column.kind](column, cell, form)


def knows(kind: str) -> bool:
    """Whether cells of this kind can be read by the database; those of all other kinds are read one by one by the kind itself."""
    return kind in _RULES


def prepared(cell: Sql, problem: Sql, type_: str) -> Rule:
    """A cell that a kind has read already: it holds the value as JSON, or its problem is told beside it."""
    plain = {
        "jsonb": "{cell}::jsonb",
        "text[]": "ARRAY(SELECT jsonb_array_elements_text({cell}::jsonb))",
    }.get(type_, "({cell}::jsonb #>> '{{}}')::{type}")
    value = sql.SQL("CASE WHEN {cell} <> '' AND {problem} = '' THEN " + plain + " END").format(
        cell=cell, problem=problem, type=sql.SQL(type_)
    )
    return Rule(value, _told(problem))


def sealed(cell: Sql, problem: Sql) -> Rule:
    """A personal value that was read and encrypted already."""
    return Rule(sql.SQL("CASE WHEN {p} = '' THEN nullif({cell}, '') END").format(cell=cell, p=problem), _told(problem))


def _told(problem: Sql) -> tuple[tuple[str, str | Sql], ...]:
    return (("{cell} <> '' AND {value} IS NULL", problem), ("{value} IS NULL", sql.SQL("nullif({}, '')").format(problem)))


def _wrong(code: str) -> tuple[tuple[str, str | Sql], ...]:
    return (("{value} IS NULL AND {trimmed} <> ''", code),)


def _text(column: Column, cell: Sql, _form: Form) -> Rule:
    """One line; line ends within are spaces."""
    value = sql.SQL("nullif(btrim(translate(imports.as_text({cell}), E'\\r\\n', '  ')), '')").format(cell=cell)
    most = int(column.options.get("max_length") or DEFAULT_LENGTH)
    return Rule(value, ((f"char_length({{value}}) > {most}", "too_long"),))


def _long_text(_column: Column, cell: Sql, _form: Form) -> Rule:
    value = sql.SQL("CASE WHEN btrim({cell}, E' \\t\\r\\n') <> '' THEN replace(imports.as_text({cell}), E'\\r\\n', E'\\n') END").format(
        cell=cell
    )
    return Rule(value, ((f"char_length({{value}}) > {LONGEST}", "too_long"),))


def _number(column: Column, cell: Sql, form: Form) -> Rule:
    """Decimals are never rounded away in silence; bounds are the field's."""
    value = sql.SQL("imports.as_number({cell}, {point})").format(cell=cell, point=sql.Literal(form.decimal))
    decimals = int(column.options.get("decimals") or 0)
    tests: list[tuple[str, str | Sql]] = [*_wrong("number"), (f"min_scale({{value}}) > {decimals}", "decimals")]
    tests.append((f"abs({{value}}) >= {BEYOND}", "range"))
    for name, sign in (("minimum", "<"), ("maximum", ">")):
        bound = column.options.get(name)
        if bound is not None:
            tests.append((f"{{value}} {sign} {Decimal(str(bound)):f}", "range"))
    return Rule(value, tuple(tests))


def _boolean(_column: Column, cell: Sql, _form: Form) -> Rule:
    value = sql.SQL("CASE WHEN {word} = ANY({yes}) THEN true WHEN {word} = ANY({no}) THEN false END").format(
        word=sql.SQL("records.fold(" + _TRIMMED + ")").format(cell=cell), yes=sql.Literal(_TRUE), no=sql.Literal(_FALSE)
    )
    return Rule(value, _wrong("boolean"))


def _date(_column: Column, cell: Sql, form: Form) -> Rule:
    return Rule(sql.SQL("imports.as_date({cell}, {dates})").format(cell=cell, dates=sql.Literal(form.dates)), _wrong("date"))


def _moment(_column: Column, cell: Sql, form: Form) -> Rule:
    """Without a zone it is a time of the installation's."""
    value = sql.SQL("imports.as_moment({cell}, {dates}, {zone})")
    return Rule(value.format(cell=cell, dates=sql.Literal(form.dates), zone=sql.Literal(settings.TIME_ZONE)), _wrong("datetime"))


def _choice(column: Column, cell: Sql, _form: Form) -> Rule:
    """A value or a label, whatever its case."""
    named = {
        name.strip().lower(): one["value"]
        for one in column.options.get("choices", [])
        for name in (one.get("label") or "", one["value"])
        if name
    }
    value = sql.SQL("({values}::text[])[array_position({names}::text[], {word})]").format(
        values=sql.Literal(list(named.values())), names=sql.Literal(list(named)),
        word=sql.SQL("records.fold(" + _TRIMMED + ")").format(cell=cell),
    )  # fmt: skip
    return Rule(value, _wrong("choice"))


def _row_id(_column: Column, cell: Sql, _form: Form) -> Rule:
    value = sql.SQL("CASE WHEN {cell} ~ '^\\s*[0-9]{{1,18}}\\s*$' THEN btrim({cell}, E' \\t\\r\\n')::bigint END").format(cell=cell)
    return Rule(value, _wrong("relation"))


def _related(target: Target, cell: Sql, form: Form) -> Rule:
    """The id of the row that the cell names; a cell that names none is a problem."""
    read = rule(target.read, cell, form).value
    wanted = sql.SQL("records.fold({})").format(read) if target.folds else read
    found = sql.SQL("(SELECT r.id FROM {table} AS r WHERE {by} = {wanted} LIMIT 1)").format(table=target.table, by=target.by, wanted=wanted)
    return Rule(found, _wrong("relation"))


_RULES: dict[str, Callable[[Column, Sql, Form], Rule]] = {
    "text": _text,
    "long_text": _long_text,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "datetime": _moment,
    "choice": _choice,
    "relation": _row_id,
    "person": _row_id,
}
