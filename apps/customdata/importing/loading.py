"""Good rows into the model: a batch is one transaction of records, history and position, so that each row is loaded once, whatever is killed.

Set-based: one statement for records that are made, few for those that are changed, whose history tells what they were before.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from psycopg import sql

from apps.core.bulk import insert_in_bulk
from apps.core.masking import HIDDEN
from apps.core.trace import current_trace_id
from apps.customdata import structure
from apps.customdata.building import RecordBase, model_of
from apps.customdata.filtering import digest
from apps.customdata.importing import checking
from apps.customdata.importing.cells import Sql
from apps.customdata.importing.limits import FileError
from apps.customdata.importing.models import ImportJob
from apps.customdata.importing.plan import Plan, compared, plan_of
from apps.customdata.importing.staging import run, values_of
from apps.customdata.models import Field, FieldChange, RecordHistory, Table
from apps.customdata.noting import Actor
from apps.customdata.storage import relation

BATCH = 10_000
TRIES = 3


class PauseError(Exception):
    """The model is being converted; the load goes on when that is done."""


class LostError(Exception):
    """Another worker has gone on with this load."""


@dataclass(frozen=True)
class Done:
    """How many records a batch made and changed."""

    created: int
    updated: int


def load(job: ImportJob, *, by: Actor) -> Iterator[Done]:
    """Batch after batch behind `job.loaded`, each committed (within the caller's transaction when it has one)."""
    while job.loaded < job.total:
        until = min(job.loaded + BATCH, job.total)
        done = _batch(job, until, by)
        job.loaded, job.created, job.updated = until, job.created + done.created, job.updated + done.updated
        yield done


def _batch(job: ImportJob, until: int, by: Actor) -> Done:
    """One batch. Where others were first with a unique value, the rows that met it are refused and the rest is tried again."""
    for left in reversed(range(TRIES)):
        try:
            with transaction.atomic():
                plan = _plan(job)
                if left < TRIES - 1:
                    _refuse_taken(job, plan, until)
                _hold_links(job, plan, until)
                done = _write(job, plan, until, by)
                _advance(job, until, done)
                return done
        except IntegrityError as error:
            if not left:
                raise FileError(_("Records that others make at the same time have the same unique values. Try again later.")) from error
    raise AssertionError  # the last round returns or raises


def _plan(job: ImportJob) -> Plan:
    """Over the structure as it is held until the commit."""
    table = structure.for_writing(Table(pk=job.table_id))
    if FieldChange.objects.filter(table_id=job.table_id, state__in=(FieldChange.State.RUNNING, FieldChange.State.UNDOING)).exists():
        raise PauseError
    plan = plan_of(job, table)
    if plan.fingerprint != job.fingerprint:
        raise FileError(_("The model's fields were changed since the check. Check the file again."))
    return plan


def _refuse_taken(job: ImportJob, plan: Plan, until: int) -> None:
    if job.mode == ImportJob.Mode.ALL:
        raise FileError(_("Other records have taken some of the unique values since the check. Check the file again."))
    before = job.mistakes
    checking.recheck(job, plan, job.loaded, until)
    if job.mistakes > before:
        checking.count_bad(job)


def _hold_links(job: ImportJob, plan: Plan, until: int) -> None:
    """Rows that the batch points at stay until the commit; of those that went since the check, the rows that name them are refused."""
    where = checking.between(job.loaded, until)
    for one in plan.filled:
        target = plan.target(one)
        if target is None:
            continue
        named = sql.SQL("SELECT {} FROM {} AS v WHERE {} AND NOT bad").format(one.value, values_of(job), where)
        run(sql.SQL("SELECT 1 FROM {} AS r WHERE r.id IN ({}) ORDER BY r.id FOR KEY SHARE").format(target.table, named))
        gone = checking.gone(job, one, target.table, where=where)
        if gone and job.mode == ImportJob.Mode.ALL:
            raise FileError(_("Some records to which the file links were deleted since the check. Check the file again."))
        if gone:
            checking.count_bad(job)


def _advance(job: ImportJob, until: int, done: Done) -> None:
    """In an all-or-nothing load the row is written once, at the end: whoever wants to cancel must be able to."""
    if job.mode == ImportJob.Mode.ALL and until < job.total:
        return
    at = 0 if job.mode == ImportJob.Mode.ALL else job.loaded
    raised = ImportJob.objects.filter(pk=job.pk, loaded=at, state=ImportJob.State.LOADING).update(
        loaded=until, created=job.created + done.created, updated=job.updated + done.updated, bad=job.bad, mistakes=job.mistakes
    )
    if not raised:
        raise LostError


def _write(job: ImportJob, plan: Plan, until: int, by: Actor) -> Done:
    values = _values(plan)
    given = sql.SQL("SELECT n, {} FROM {} AS v WHERE {} AND NOT bad").format(
        sql.SQL(", ").join(sql.SQL("{} AS {}").format(value, sql.Identifier(name)) for name, value in values.items()),
        values_of(job),
        checking.between(job.loaded, until),
    )
    if plan.key is None:
        return Done(_insert(plan, sql.SQL("({}) AS g").format(given), list(values), by), 0)
    run(sql.SQL("CREATE TEMPORARY TABLE given ON COMMIT DROP AS {}").format(given))
    run(sql.SQL("ANALYZE given"))
    updated = _update(plan, list(values), by)
    new = sql.SQL("given AS g WHERE NOT EXISTS ({})").format(_same(plan, "SELECT 1 FROM {records} AS t WHERE {match}"))
    created = _insert(plan, new, list(values), by)
    run(sql.SQL("DROP TABLE given"))
    return Done(created, updated)


def _values(plan: Plan) -> dict[str, Sql]:
    """Column → value, of the fields that the file fills, with their defaults, and their digests."""
    found: dict[str, Sql] = {}
    for one in plan.filled:
        own = {one.field.column: one.value, **({one.field.digest_column: one.digest} if one.field.personal else {})}
        default = constants(plan.table, one.field)
        found |= {name: sql.SQL("coalesce({}, {})").format(value, default[name]) if default else value for name, value in own.items()}
    return found


def constants(table: Table, field: Field) -> dict[str, Sql]:
    """Column → the field's default as SQL; empty without one."""
    if field.default is None:
        return {}
    value = field.type.clean(field, field.default)
    column: Any = model_of(table)._meta.get_field(field.attribute)
    stored = column.get_db_prep_save(value, connection)
    found: dict[str, Sql] = {
        field.column: sql.SQL("{}::{}").format(sql.Literal(stored), sql.SQL("text" if field.personal else field.type.column))
    }
    if field.personal:
        found[field.digest_column] = sql.Literal(digest(field, value))
    return found


def _insert(plan: Plan, source: Sql, names: Sequence[str], by: Actor) -> int:
    """Make a record of every row of `source` and note it in its history; how many."""
    defaults = {name: value for field in plan.defaults for name, value in constants(plan.table, field).items()}
    columns = sql.SQL(", ").join(map(sql.Identifier, [*names, *defaults]))
    values = sql.SQL(", ").join([*(sql.Identifier("g", name) for name in names), *defaults.values()])
    empty: Any = RecordHistory._meta.get_field("before")
    nothing = sql.Literal(empty.get_prep_value({}))
    statement = sql.SQL(
        "WITH made AS (INSERT INTO {records} ({columns}) SELECT {values} FROM {source} ORDER BY g.n RETURNING id), noted AS ("
        "INSERT INTO customdata_recordhistory (table_id, record_id, at, action, actor, actor_name, user_id, before, after, trace_id) "
        "SELECT {table}, id, clock_timestamp(), 'created', {kind}, {name}, {user}, {nothing}, {nothing}, {trace} FROM made) "
        "SELECT count(*) FROM made"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            statement.format(
                records=relation(plan.table), columns=columns, values=values, source=source, table=sql.Literal(plan.table.pk),
                kind=sql.Literal(by.kind), name=sql.Literal(by.name), user=sql.Literal(by.user_id), nothing=nothing, trace=sql.Literal(current_trace_id()),
            )
        )  # fmt: skip
        return int(cursor.fetchone()[0])


def _same(plan: Plan, statement: str, **parts: Sql) -> Sql:
    """The statement with `{match}`: record `t` and row `g` have the same key."""
    if plan.key is None:
        raise AssertionError
    field = plan.key.field
    name = field.digest_column if field.personal else field.column
    given = sql.Identifier("g", name)
    match = sql.SQL("{} = {}").format(checking.stored(plan.key), given if field.personal else compared(field, given))
    return sql.SQL(statement).format(records=relation(plan.table), match=match, **parts)


def _update(plan: Plan, names: Sequence[str], by: Actor) -> int:
    """Change the records that are there already and differ; how many. Rows are locked in the order of their ids."""
    ids = _differing(plan, names)
    if not ids:
        return 0
    before = _stored_rows(plan, ids)
    changes = sql.SQL(", ").join(sql.SQL("{} = {}").format(sql.Identifier(name), sql.Identifier("g", name)) for name in names)
    with connection.cursor() as cursor:
        statement = "UPDATE {records} AS t SET {changes}, version = t.version + 1, updated_at = now() FROM given AS g WHERE {match} AND t.id = ANY(%s)"
        cursor.execute(_same(plan, statement, changes=changes), [ids])
    after = _stored_rows(plan, ids)
    insert_in_bulk([_history(plan, before[pk], after[pk], by) for pk in ids])
    return len(ids)


def _differing(plan: Plan, names: Sequence[str]) -> list[int]:
    sealed = {one.field.column for one in plan.filled if one.field.personal}  # the same value is another text each time; its digest tells
    compared = [name for name in names if name not in sealed]
    ours = sql.SQL(", ").join(sql.Identifier("t", name) for name in compared)
    theirs = sql.SQL(", ").join(sql.Identifier("g", name) for name in compared)
    statement = "SELECT t.id FROM given AS g JOIN {records} AS t ON {match} WHERE ROW({ours}) IS DISTINCT FROM ROW({theirs}) ORDER BY t.id FOR UPDATE OF t"
    with connection.cursor() as cursor:
        cursor.execute(_same(plan, statement, ours=ours, theirs=theirs))
        return [row[0] for row in cursor.fetchall()]


def _stored_rows(plan: Plan, ids: Sequence[int]) -> Mapping[int, RecordBase]:
    """Records with what is compared: values, and digests instead of personal ones, which need not be decrypted for that."""
    names = [one.field.digest_attribute if one.field.personal else one.field.attribute for one in plan.filled]
    return {record.pk: record for record in model_of(plan.table)._default_manager.only("id", *names).filter(pk__in=ids)}


def _history(plan: Plan, before: RecordBase, after: RecordBase, by: Actor) -> RecordHistory:
    """What the import changed of one record; personal values are told to have changed, not what they are."""
    was, became = _told(plan, before), _told(plan, after)
    changed = [field for field, value in became.items() if value != was[field]]
    row = RecordHistory(
        table_id=plan.table.pk, record_id=after.pk, at=timezone.now(), action=RecordHistory.Action.UPDATED, actor=by.kind, actor_name=by.name,
        user_id=by.user_id, trace_id=current_trace_id(),
    )  # fmt: skip
    row.before = {str(field.pk): _dumped(field, was[field]) for field in changed}
    row.after = {str(field.pk): _dumped(field, became[field]) for field in changed}
    return row


def _told(plan: Plan, record: RecordBase) -> dict[Field, Any]:
    return {one.field: getattr(record, one.field.digest_attribute if one.field.personal else one.field.attribute) for one in plan.filled}


def _dumped(field: Field, value: Any) -> Any:
    return None if value is None else HIDDEN if field.personal else field.type.dump(field, value)
