"""What is left behind by every change of a record: a row of its history and an event of the log."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from apps.core.bulk import insert_in_bulk
from apps.core.masking import HIDDEN, mask_email, mask_phone
from apps.core.trace import current_trace_id
from apps.customdata.building import RecordBase
from apps.customdata.models import Field, RecordHistory, Table
from apps.events import recording
from apps.identity.models import Person


@dataclass(frozen=True)
class Actor:
    """Who changes records. `kind`: staff, scenario, api, import or system; `name` is shown in the history. `person_id` and `bot_id`: in whose chat, for
    the event of a record that links to nobody.
    """

    kind: str
    name: str = ""
    user_id: int | None = None
    person_id: int | None = None
    bot_id: int | None = None

    @classmethod
    def staff(cls, user: Any) -> "Actor":
        return cls("staff", str(user)[:150], getattr(user, "pk", None))


SYSTEM = Actor("system")


@dataclass(frozen=True)
class Change:
    """One record that was changed. `before` and `after`: values by field, of the fields that changed. `person_id`: whom the record links to."""

    action: str
    record_id: int
    before: Mapping[Field, Any] = field(default_factory=dict)
    after: Mapping[Field, Any] = field(default_factory=dict)
    person_id: int | None = None

    @property
    def fields(self) -> list[Field]:
        return sorted({*self.before, *self.after}, key=lambda one: (one.position, one.pk))


def dumped(declared: Field, value: Any, *, private: bool = False) -> Any:
    """As JSON; a personal value only when `private` may be told, else recognisable at most."""
    if value is None:
        return None
    if declared.personal and not private:
        return masked(declared, value)
    return declared.type.dump(declared, value)


def masked(declared: Any, value: Any) -> str:
    """What may be seen of a personal value."""
    if value is None:
        return ""
    hide = {"phone": mask_phone, "email": mask_email}.get(declared.kind)
    return hide(str(value)) if hide else HIDDEN


def note(table: Table, changes: Iterable[Change], by: Actor) -> None:
    """In the transaction of the change."""
    noted = list(changes)
    if not noted:
        return
    trace_id = current_trace_id()
    insert_in_bulk([_history(table, change, by, trace_id) for change in noted])
    people = {pk for change in noted if (pk := _person(change))}
    bots = dict(Person.objects.filter(pk__in=people).values_list("pk", "bot_id")) if people else {}
    recording.write([_event(table, change, by, trace_id, bots) for change in noted])


def _history(table: Table, change: Change, by: Actor, trace_id: str) -> RecordHistory:
    return RecordHistory(
        at=timezone.now(),
        table_id=table.pk,
        record_id=change.record_id,
        action=change.action,
        actor=by.kind,
        actor_name=by.name,
        user_id=by.user_id,
        before=_hidden(change.before),
        after=_hidden(change.after),
        trace_id=trace_id,
    )


def _hidden(values: Mapping[Field, Any]) -> dict[str, Any]:
    return {
        str(declared.pk): None if value is None else HIDDEN if declared.personal else declared.type.dump(declared, value)
        for declared, value in values.items()
    }


def _event(table: Table, change: Change, by: Actor, trace_id: str, bots: Mapping[int, int]) -> Any:
    """`record.created`, `record.updated`, `record.deleted`: which record and which fields; never the values."""
    person = _person(change)
    person = person if person in bots else by.person_id
    told = {"table": table.alias, "table_id": table.pk, "record_id": change.record_id, "action": change.action, "by": by.kind}
    return recording.event(
        f"record.{change.action}",
        details={**told, "fields": [one.alias for one in change.fields]},
        bot_id=table.bot_id or bots.get(person or 0) or by.bot_id,
        person_id=person,
        user_id=by.user_id,
        source_system="",
        trace_id=trace_id,
    )


def person_of(record: RecordBase) -> int | None:
    """The first person that the record links to."""
    linked = (getattr(record, one.attribute) for one in record.table.fields if one.kind == "person")
    return next((pk for pk in linked if pk), None)


def _person(change: Change) -> int | None:
    """Whom the record links to, or did before the change."""
    if change.person_id:
        return change.person_id
    values = {**change.before, **change.after}
    return next((values[one] for one in change.fields if one.kind == "person" and values.get(one)), None)


def values_of(record: RecordBase, *, private: bool = False, without: Iterable[str] = ()) -> dict[str, Any]:
    """The record as plain JSON by alias, with id, version, created_at, updated_at."""
    table, hidden = record.table, frozenset(without)
    return {
        "id": record.pk,
        "version": record.version,
        "created_at": record.created_at.isoformat().replace("+00:00", "Z"),
        "updated_at": record.updated_at.isoformat().replace("+00:00", "Z"),
        **{one.alias: dumped(one, getattr(record, one.attribute), private=private) for one in table.fields if one.alias not in hidden},
    }
