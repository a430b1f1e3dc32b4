"""What links of records point at: titles for people, addresses for who may follow them. One query for each field of a page."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts.access import scoped
from apps.customdata import access, structure
from apps.customdata.building import RecordBase, model_of
from apps.customdata.filtering import Filter, FilterError, conditions
from apps.customdata.models import Field, RecordFile, Table
from apps.identity.models import Person

MOST_OFFERED = 20


@dataclass(frozen=True)
class Goal:
    """`url` is "" when the reader may not go there."""

    text: str
    url: str = ""


Goals = dict[tuple[int, int], Goal]  # by (field's id, row's id)


def record_url(table: Table, pk: Any) -> str:
    return reverse("admin:data_record", args=[table.alias, pk])


def list_url(table: Table) -> str:
    return reverse("admin:data_list", args=[table.alias])


def goals(table: Table, records: Iterable[RecordBase], reader: Any) -> Goals:
    """Everything that the links and files of these records point at."""
    rows, found = list(records), Goals()
    for field in table.fields:
        if field.type.refers:
            ids = {value for row in rows if (value := getattr(row, field.attribute))}
            found |= {(field.pk, pk): goal for pk, goal in named(field, ids, reader).items()}
    return found


def named(field: Field, ids: Iterable[int], reader: Any) -> dict[int, Goal]:
    """A goal for each id, also for what is gone or may not be seen."""
    wanted = set(ids)
    if not wanted:
        return {}
    found = {"person": _people, "file": _files}.get(field.kind, _records)(field, wanted, reader)
    return {pk: found.get(pk, Goal(f"#{pk}")) for pk in wanted}


def _people(_field: Field, ids: set[int], reader: Any) -> dict[int, Goal]:
    people = scoped(Person.objects.filter(pk__in=ids), reader)
    return {one.pk: Goal(one.name or f"#{one.pk}", reverse("admin:identity_person_change", args=[one.pk])) for one in people}


def _files(_field: Field, ids: set[int], _reader: Any) -> dict[int, Goal]:
    return {one.pk: Goal(one.name) for one in RecordFile.objects.filter(pk__in=ids)}


def _records(field: Field, ids: set[int], reader: Any) -> dict[int, Goal]:
    other = structure.tables().get(int(field.options.get("table") or 0))
    if other is None:
        return {}
    own = access.rights(reader, other)
    seen = {one.pk: Goal(str(access.named(one, own)), record_url(other, one.pk)) for one in access.rows(other, reader).filter(pk__in=ids)}
    there = (
        set(model_of(other)._default_manager.filter(pk__in=ids - seen.keys()).values_list("pk", flat=True)) if ids - seen.keys() else set()
    )
    gone = {pk: Goal(_("#%(number)s (deleted)") % {"number": pk}) for pk in ids - seen.keys() - there}
    return seen | gone


def offered(field: Field, term: str, reader: Any) -> list[Goal]:
    """Rows to choose from, by the beginning of their title or by number; the goal's url is the number."""
    if field.kind == "person":
        people = scoped(Person.objects.order_by("-pk"), reader)
        if field.table.bot_id:
            people = people.filter(bot_id=field.table.bot_id)
        found: Any = people.filter(pk=int(term)) if _is_id(term) else people.filter(name__icontains=term) if term else people
        return [Goal(f"{one.name or '–'} · #{one.pk}", str(one.pk)) for one in found[:MOST_OFFERED]]
    other = structure.tables().get(int(field.options.get("table") or 0))
    if other is None:
        return []
    own = access.rights(reader, other)
    found = access.rows(other, reader).filter(_titled(other, term, own.hidden)).order_by("-pk")[:MOST_OFFERED]
    return [Goal(f"{access.named(one, own)} · #{one.pk}", str(one.pk)) for one in found]


def _is_id(term: str) -> bool:
    return term.isascii() and term.isdigit() and len(term) < 19  # noqa: PLR2004  fits a bigint


def _titled(table: Table, term: str, hidden: frozenset[str]) -> Any:
    if not term:
        return conditions(table, [])
    asked = Filter("id", "eq", term) if _is_id(term) or table.title is None else Filter(table.title.alias, "contains", term)
    try:
        return conditions(table, [asked], without=hidden)
    except FilterError:
        return conditions(table, [Filter("id", "lt", 1)])
