"""Every cell against its field, in the database and set by set. What is wrong is noted by row and column; a row with a mistake is marked bad."""

from collections.abc import Iterator, Mapping, Sequence

from django.db import connection, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as translated
from django.utils.translation import gettext_lazy as _
from psycopg import sql

from apps.customdata.importing.cells import Sql
from apps.customdata.importing.models import ImportJob, ImportProblem
from apps.customdata.importing.plan import Filled, Plan, compared
from apps.customdata.importing.staging import first_of, run, table_of, values_of
from apps.customdata.storage import relation

BATCH = 50_000
MOST_KEPT = 100_000
MESSAGES: dict[str, str | Promise] = {
    "quotes": _("A quote is opened and not closed, or text follows a closing quote."),
    "encoding": _("The row holds bytes of another encoding."),
    "nul": _("The row holds the character NUL, which cannot be stored."),
    "cells": _("The row has another number of cells than the header."),
    "number": _("A number is expected, for example 1250 or 12.5."),
    "decimals": _("The number has more digits after the point than the field keeps."),
    "range": _("The number is outside the field's limits."),
    "boolean": _("Yes or no is expected."),
    "date": _("A date is expected, for example 2026-11-21 or 21.11.2026."),
    "datetime": _("A date and time is expected, for example 2026-11-21 14:30."),
    "choice": _("The value is none of the field's choices."),
    "too_long": _("The text is longer than the field allows."),
    "relation": _("There is no such record."),
    "required": _("A value is required."),
    "twice": _("The value is in the file already, in a row above; it must be unique."),
    "taken": _("Another record has this value already; it must be unique."),
    "no_key": _("Without a value here the record cannot be recognised."),
}


def message(code: str) -> str:
    """The text for a code; a kind's own sentence is its own text."""
    return str(MESSAGES.get(code, code))


def batches(job: ImportJob, plan: Plan) -> Iterator[int]:
    """Check batch after batch behind `job.checked`; gives the position after each."""
    while job.checked < job.total:
        until = min(job.checked + BATCH, job.total)
        with transaction.atomic():
            _check_cells(job, plan, job.checked, until)
            ImportJob.objects.filter(pk=job.pk).update(checked=until)
        job.checked = until
        yield until


def begin(job: ImportJob) -> None:
    """Forget what an interrupted or earlier check found."""
    ImportProblem.objects.filter(job=job).delete()
    run(sql.SQL("TRUNCATE {}").format(values_of(job)))
    ImportJob.objects.filter(pk=job.pk).update(checked=0, bad=0, mistakes=0)
    job.checked = job.bad = job.mistakes = 0


def finish(job: ImportJob, plan: Plan) -> None:
    """What only all rows together show: values that are there twice, or that other records have; then the counts."""
    run(sql.SQL("ANALYZE {}").format(values_of(job)))
    for one in plan.filled:
        if one.field.unique:
            _check_twice(job, one)
            _check_taken(job, plan, one)
    if plan.key is not None and plan.missing:
        _check_new_records(job, plan)
    count_bad(job)


def count_bad(job: ImportJob) -> None:
    job.bad = first_of(sql.SQL("SELECT count(*) FROM {} WHERE bad").format(values_of(job)))
    ImportJob.objects.filter(pk=job.pk).update(bad=job.bad)


def _check_cells(job: ImportJob, plan: Plan, after: int, until: int) -> None:
    """Texts into values, then what is wrong with those of which none came or that break a limit."""
    where = between(after, until)
    columns = [one.value for one in plan.filled] + [one.digest for one in plan.filled if one.field.personal]
    values = [plan.rule(one).value for one in plan.filled] + [
        sql.SQL("nullif({}, '')").format(one.digest) for one in plan.filled if one.field.personal
    ]
    run(
        sql.SQL("INSERT INTO {} (n, line, {}) SELECT n, line, {} FROM {} AS v WHERE {}").format(
            values_of(job), _list(columns), _list(values), table_of(job), where
        )
    )
    problems = {one: _problem(plan, one) for one in plan.filled}
    wrong = sql.SQL(" OR ").join([sql.SQL("s.wrong <> ''"), *(sql.SQL("({}) IS NOT NULL").format(code) for code in problems.values())])
    marked = run(
        sql.SQL("UPDATE {} AS v SET bad = true FROM {} AS s WHERE s.n = v.n AND {} AND ({})").format(
            values_of(job), table_of(job), between(after, until), wrong
        )
    )
    if marked:
        _keep(job, _cells_with(job, plan, problems, where))


def _cells_with(job: ImportJob, plan: Plan, problems: Mapping[Filled, Sql], where: Sql) -> Sql:
    """(line, name, code, value) of every cell with a problem, and of every row that cannot be read."""
    first = plan.filled[0].cell
    listed = [sql.SQL("('', nullif(s.wrong, ''), CASE WHEN s.wrong <> '' THEN s.{} END)").format(first)]
    listed += [
        sql.SQL("({}, CASE WHEN s.wrong = '' THEN {} END, {})").format(sql.Literal(one.name), code, _shown(one))
        for one, code in problems.items()
    ]
    return sql.SQL(
        "SELECT s.line, f.name, f.code, f.value FROM {} AS v JOIN {} AS s ON s.n = v.n CROSS JOIN LATERAL (VALUES {}) AS f(name, code, value) "
        "WHERE {} AND v.bad AND f.code IS NOT NULL"
    ).format(values_of(job), table_of(job), _list(listed), where)


def between(after: int, until: int) -> Sql:
    """Of the values `v`."""
    return sql.SQL("v.n > {} AND v.n <= {}").format(sql.Literal(after), sql.Literal(until))


def _list(parts: Sequence[Sql]) -> Sql:
    return sql.SQL(", ").join(parts)


def _problem(plan: Plan, one: Filled) -> Sql:
    """What is wrong with a cell, a missing value included."""
    value = sql.SQL("v.{}").format(one.value)
    found = plan.rule(one).problem(cell=sql.SQL("s.{}").format(one.cell), value=value)
    code = "no_key" if one is plan.key else "required" if one.field.required and one.field.default is None else ""
    if not code:
        return found
    return sql.SQL("coalesce({problem}, CASE WHEN {value} IS NULL THEN {code} END)").format(
        problem=found, value=value, code=sql.Literal(code)
    )


def _shown(one: Filled) -> Sql:
    """The cell as far as the report may show it."""
    return sql.SQL("''") if one.field.personal else sql.SQL("s.{}").format(one.cell)


def _keep(job: ImportJob, found: Sql) -> None:
    """Store mistakes (line, name, code, value) as far as there is room, and count them all."""
    room = max(0, MOST_KEPT - job.mistakes)
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL(
                'WITH found AS ({found}), kept AS (INSERT INTO imports_importproblem (job_id, row, "column", code, value) '
                "SELECT {job}, line, left(name, 200), left(code, 200), left(coalesce(value, ''), 200) FROM found ORDER BY line LIMIT {room}) "
                "UPDATE imports_importjob SET mistakes = mistakes + (SELECT count(*) FROM found) WHERE id = {job} RETURNING mistakes"
            ).format(found=found, job=sql.Literal(job.pk), room=sql.Literal(room))
        )
        job.mistakes = cursor.fetchone()[0]


def value_of(one: Filled) -> Sql:
    """The value as it is compared: a personal one by its digest, texts without case."""
    return one.digest if one.field.personal else compared(one.field, one.value)


def stored(one: Filled) -> Sql:
    """The same of a record `t`."""
    name = one.field.digest_column if one.field.personal else one.field.column
    return compared(one.field, sql.SQL("t.{}").format(sql.Identifier(name)))


def _mark(job: ImportJob, one: Filled, code: str, rows: Sql) -> None:
    """Mark the rows (n) that `rows` selects, and note the mistake at this column."""
    found = sql.SQL(
        "UPDATE {values} AS v SET bad = true FROM ({rows}) AS r JOIN {texts} AS s ON s.n = r.n WHERE v.n = r.n "
        "RETURNING v.line, {name}::text AS name, {code}::text AS code, {value} AS value"
    )
    told = {"name": sql.Literal(one.name), "code": sql.Literal(code), "value": _shown(one)}
    _keep(job, found.format(values=values_of(job), texts=table_of(job), rows=rows, **told))


def _check_twice(job: ImportJob, one: Filled) -> None:
    rows = sql.SQL(
        "SELECT n FROM (SELECT n, row_number() OVER (PARTITION BY {value} ORDER BY n) AS place FROM {values} "
        "WHERE NOT bad AND {column} IS NOT NULL) AS numbered WHERE place > 1"
    ).format(value=value_of(one), values=values_of(job), column=one.value)
    _mark(job, one, "twice", rows)


def _taken(job: ImportJob, plan: Plan, one: Filled, *, where: Sql) -> Sql:
    """Rows (n) whose value another record has; the record with the row's own key is no other one."""
    other: Sql = sql.SQL("")
    if plan.key is not None:
        other = sql.SQL("AND {} IS DISTINCT FROM {}").format(stored(plan.key), value_of(plan.key))
    return sql.SQL(
        "SELECT n FROM {values} AS v WHERE NOT bad AND {column} IS NOT NULL AND {where} "
        "AND EXISTS (SELECT 1 FROM {records} AS t WHERE {stored} = {value} {other})"
    ).format(
        values=values_of(job),
        column=one.value,
        where=where,
        records=relation(plan.table),
        stored=stored(one),
        value=value_of(one),
        other=other,
    )


def _ahead(job: ImportJob) -> Sql:
    """Rows that are not loaded yet: those that are meet themselves when a file has to be read anew in the middle of a load."""
    return sql.SQL("v.n > {}").format(sql.Literal(job.loaded))


def _check_taken(job: ImportJob, plan: Plan, one: Filled) -> None:
    if one is not plan.key:
        _mark(job, one, "taken", _taken(job, plan, one, where=_ahead(job)))


def recheck(job: ImportJob, plan: Plan, after: int, until: int) -> None:
    """Once more what others may have taken since the check; in the transaction of a batch that met it."""
    for one in plan.filled:
        if one.field.unique and one is not plan.key:
            _mark(job, one, "taken", _taken(job, plan, one, where=between(after, until)))


def gone(job: ImportJob, one: Filled, table: Sql, *, where: Sql) -> int:
    """Rows whose link leads nowhere any more; how many. In the transaction of a batch that holds the others."""
    rows = sql.SQL(
        "SELECT n FROM {values} AS v WHERE NOT bad AND {column} IS NOT NULL AND {where} AND NOT EXISTS (SELECT 1 FROM {table} AS r WHERE r.id = {column})"
    ).format(values=values_of(job), column=one.value, where=where, table=table)
    before = job.mistakes
    _mark(job, one, "relation", rows)
    return job.mistakes - before


def _check_new_records(job: ImportJob, plan: Plan) -> None:
    """Rows that would make a record although a required field has no column."""
    if plan.key is None:
        return
    rows = sql.SQL(
        "SELECT n FROM {values} AS v WHERE NOT bad AND {ahead} AND NOT EXISTS (SELECT 1 FROM {records} AS t WHERE {stored} = {value})"
    ).format(values=values_of(job), ahead=_ahead(job), records=relation(plan.table), stored=stored(plan.key), value=value_of(plan.key))
    lacking = ", ".join(field.name for field in plan.missing)
    _mark(job, plan.key, translated("There is no record with this key, and a new one would lack: %(names)s.") % {"names": lacking}, rows)
