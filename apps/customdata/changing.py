"""Changes of fields of a filled model: previewed, run in the background, kept reversible until confirmed (`FieldChange`).

begin_conversion(declared, wanted, user=…)   → FieldChange, being checked; of an empty model it is done at once (None)
begin_removal(declared, user=…)              → FieldChange in review: the values are kept
work(change)                                 one step; False when there is nothing left to do. Repeatable at any time, by one worker at a time
start(change), cancel(change), confirm(change), undo(change)    a person's decisions; raise `NotNowError`
"""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from apps.customdata import converting, designing, following, storage, structure
from apps.customdata.converting import Shape
from apps.customdata.models import Field, FieldChange, Table
from apps.customdata.structure import TableGoneError

State = FieldChange.State
AT_ONCE = 2000  # records up to which a check is done while the person waits
SAMPLE = 20
OPEN = (State.CHECKING, State.CHECKED, State.RUNNING, State.REVIEW, State.UNDOING)


class NotNowError(Exception):
    """The change is not in the state for this; for people."""


def open_changes(table: Table) -> Any:
    return FieldChange.objects.filter(table_id=table.pk, state__in=OPEN).select_related("field", "table", "created_by")


def is_wider(kind: str, old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Whether every value that fits the old options fits the new ones. Options are limits by their names, or lists of choices."""
    return all(_wider(name, old.get(name), new.get(name)) for name in {*old, *new}) if kind else False


def _wider(name: str, old: Any, new: Any) -> bool:
    if old == new or name == "on_delete":
        return True
    if name in ("maximum", "max_length", "decimals", "max_mb"):
        return new is None or (old is not None and float(new) >= float(old))
    if name == "minimum":
        return new is None or (old is not None and float(new) <= float(old))
    return name == "choices" and {one["value"] for one in old or []} <= {one["value"] for one in new or []}


@transaction.atomic
def begin_conversion(declared: Field, wanted: dict[str, Any], *, user: Any) -> FieldChange | None:
    """`wanted`: kind, options, personal, already checked by `designing`."""
    table = structure.for_changing(declared.table_id)
    if storage.row_count(table, cap=0) == 0:
        _replace_empty(table, declared, wanted)
        return None
    change = _begin(table, declared, FieldChange.Action.CONVERT, State.CHECKING, user)
    change.after = {**wanted, "column": f"f_{declared.pk}_{change.pk}"}
    change.total = storage.row_count(table, cap=100_000_000)
    change.save()
    if change.total <= AT_ONCE:
        while work(change):
            change.refresh_from_db()
            if change.state != State.CHECKING:
                break
    change.refresh_from_db()
    return change


@transaction.atomic
def begin_removal(declared: Field, *, user: Any) -> FieldChange:
    table = structure.for_changing(declared.table_id)
    change = _begin(table, declared, FieldChange.Action.REMOVE, State.REVIEW, user)
    Field.objects.filter(pk=declared.pk).update(state=Field.State.REMOVED)
    following.changed(table.pk)
    return change


def _begin(table: Table, declared: Field, action: str, state: str, user: Any) -> FieldChange:
    try:
        with transaction.atomic():
            return FieldChange.objects.create(
                table_id=table.pk,
                field_id=declared.pk,
                action=action,
                state=state,
                before=converting.described(declared),
                created_by_id=getattr(user, "pk", None),
            )
    except IntegrityError as error:
        raise NotNowError(
            _("“%(field)s” is being changed already. Finish or undo that change first.") % {"field": declared.name}
        ) from error


def _replace_empty(table: Table, declared: Field, wanted: dict[str, Any]) -> None:
    storage.drop_column(table, declared.column)
    field = Field.objects.get(pk=declared.pk)
    field.kind, field.options, field.personal = wanted["kind"], wanted["options"], wanted["personal"]
    storage.add_column(table, field)
    field.index_state = designing.wanted_index(table, field)
    field.save()
    following.changed(table.pk)


def shapes(change: FieldChange) -> tuple[Shape, Shape]:
    return converting.shape(change.field, change.before), converting.shape(change.field, change.after)


# --- the work -----------------------------------------------------------------------------------------------------------------------


@transaction.atomic
def work(change: FieldChange) -> bool:
    """One batch of the check or of the conversion; counts and position are committed with it."""
    change = FieldChange.objects.select_for_update(of=("self",)).select_related("field").get(pk=change.pk)
    try:
        if change.state == State.CHECKING:
            return _check(change)
        if change.state == State.RUNNING:
            return _bring_over(change)
    except TableGoneError:
        FieldChange.objects.filter(pk=change.pk).update(state=State.FAILED, error=_("The model was deleted."))
    return False


def _check(change: FieldChange) -> bool:
    table = structure.fresh(change.table_id)
    before, after = shapes(change)
    rows = converting.read_after(table, before.column, change.cursor)
    _count(change, converting.batch(before, after, rows, keep_rows=False))
    if not rows:
        change.state, change.cursor = State.CHECKED, 0
    change.save()
    return bool(rows)


def _count(change: FieldChange, tally: converting.Tally) -> None:
    change.cursor = tally.last or change.cursor
    change.done += tally.done
    change.fits += tally.fits
    change.refused += len(tally.refused)
    change.sample = [*change.sample, *(list(one) for one in tally.refused)][:SAMPLE]


def _bring_over(change: FieldChange) -> bool:
    table = structure.fresh(change.table_id)
    before, after = shapes(change)
    rows = converting.unmarked(table, before.column, converting.mark_name(change), change.cursor)
    if not rows:
        return _swap(change)
    tally = converting.batch(before, after, rows)
    converting.store(table, after, converting.mark_name(change), tally.rows)
    _count(change, tally)
    change.save()
    return True


def _swap(change: FieldChange) -> bool:
    """Nobody writes while the last values come over and the field gets its new column."""
    table = structure.for_changing(change.table_id)
    before, after = shapes(change)
    mark = converting.mark_name(change)
    while rows := converting.unmarked(table, before.column, mark, 0):
        converting.store(table, after, mark, converting.batch(before, after, rows).rows)
    if change.field.unique and (twice := converting.doubles(table, after)):
        _give_up(
            table, change, _("%(count)d values would be there twice, but the field is unique. Nothing was changed.") % {"count": twice}
        )
        return False
    converting.watch(table, change, after.column)
    _use(table, change, after)
    change.state = State.REVIEW
    change.save()
    return False


def _use(table: Table, change: FieldChange, chosen: Shape) -> None:
    field = Field.objects.select_for_update(of=("self",)).get(pk=change.field_id)
    field.kind, field.options, field.personal, field.column = chosen.kind, chosen.options, chosen.personal, chosen.column
    field.indexed = field.indexed and bool(field.type.index)
    field.index_state = designing.wanted_index(table, field)
    field.save()
    following.changed(table.pk)


def _give_up(table: Table, change: FieldChange, why: str) -> None:
    converting.unwatch(table, change)
    storage.drop_column(table, change.after["column"])
    storage.drop_column(table, converting.mark_name(change))
    change.state, change.error = State.FAILED, why[:500]
    change.save()


# --- a person's decisions -----------------------------------------------------------------------------------------------------------


def _held(change: FieldChange, *states: str) -> tuple[Table, FieldChange]:
    table = structure.for_changing(change.table_id)
    held = FieldChange.objects.select_for_update(of=("self",)).select_related("field").get(pk=change.pk)
    if held.state not in states:
        raise NotNowError(_("Meanwhile the change is: %(state)s.") % {"state": held.get_state_display()})
    return table, held


@transaction.atomic
def start(change: FieldChange) -> None:
    """The conversion begins: a column for the new values, a mark, a watch over the old ones."""
    table, held = _held(change, State.CHECKED)
    before, after = shapes(held)
    storage.add_column(table, after, column=after.column)
    converting.add_mark(table, held)
    converting.watch(table, held, before.column)
    held.state, held.cursor, held.done, held.fits, held.refused, held.sample = State.RUNNING, 0, 0, 0, 0, []
    held.save()


@transaction.atomic
def cancel(change: FieldChange) -> None:
    """Before the swap nothing of the model has changed."""
    table, held = _held(change, State.CHECKING, State.CHECKED, State.RUNNING)
    if held.state == State.RUNNING:
        _give_up(table, held, "")
    held.state, held.error = State.CANCELLED, ""
    held.save()


@transaction.atomic
def confirm(change: FieldChange) -> None:
    """The old values are deleted for good."""
    table, held = _held(change, State.REVIEW)
    if held.action == FieldChange.Action.CONVERT:
        converting.unwatch(table, held)
        storage.drop_column(table, converting.mark_name(held))
    storage.drop_column(table, held.before["column"])
    if held.action == FieldChange.Action.REMOVE:
        Field.objects.filter(pk=held.field_id).update(column="", index_state=Field.Index.NONE)
    held.state = State.CONFIRMED
    held.save()
    following.changed(table.pk)


@transaction.atomic
def undo(change: FieldChange) -> int:
    """Back to the old values; what was written since is brought back where the old type can hold it. How many could not be."""
    table, held = _held(change, State.REVIEW)
    if held.action == FieldChange.Action.REMOVE:
        _bring_back(table, held)
        return 0
    before, after = shapes(held)
    mark, lost = converting.mark_name(held), 0
    converting.unwatch(table, held)
    while rows := converting.unmarked(table, after.column, mark, 0):
        tally = converting.batch(after, before, rows)
        lost += len(tally.refused)
        converting.store(table, before, mark, tally.rows)
    _use(table, held, before)
    storage.drop_column(table, after.column)
    storage.drop_column(table, mark)
    held.state = State.UNDONE
    held.save()
    return lost


def _bring_back(table: Table, change: FieldChange) -> None:
    if any(one.alias == change.field.alias for one in table.fields):
        raise NotNowError(_("Another field has the alias “%(alias)s” now. Rename it first.") % {"alias": change.field.alias})
    Field.objects.filter(pk=change.field_id).update(state=Field.State.ACTIVE)
    change.state = State.UNDONE
    change.save()
    following.changed(table.pk)
