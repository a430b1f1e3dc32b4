"""Two people turn out to be one: everything of the absorbed one moves to the kept one, and can be moved back."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from django.db import transaction
from django.db.models import ForeignKey, Model
from django.utils import timezone

from apps.events import recording
from apps.identity.attributes import COLUMNS, index_private
from apps.identity.models import ExternalId, Lead, Person, PersonMerge, PrivateIndex


class Follower(Protocol):
    """Rows of an app above that hold a person's number without a foreign key; their labels in an undo begin with `prefix`."""

    prefix: str

    def move(self, origin: int, target: int) -> dict[str, list[int]]:
        """Re-points them; which rows, by label."""

    def move_back(self, label: str, ids: Sequence[int], *, kept: int, restored: int) -> None:
        """Those of them that still point at `kept`."""


followers: list[Follower] = []  # apps above put theirs here when they are ready


class MergeConflictError(Exception):
    """Both people have an id in the same system: they are two users there, and nothing was changed."""


def merge(*, kept: Person, absorbed: Person, reason: str) -> PersonMerge:
    """Move leads, ids, conversations and whatever else points at `absorbed` to `kept` and delete `absorbed`.

    Values of `kept` are filled where empty and never overwritten. Raises `MergeConflictError`. `kept` is refreshed.
    """
    if kept.pk == absorbed.pk or kept.bot_id != absorbed.bot_id:
        raise MergeConflictError("Only two different people of one bot can be merged.")
    with transaction.atomic():
        people = {row.pk: row for row in Person.objects.select_for_update().filter(pk__in=[kept.pk, absorbed.pk]).order_by("pk")}
        winner, loser = people[kept.pk], people[absorbed.pk]
        _refuse_conflicts(winner, loser)
        undo = {"person": _packed(loser), "filled": _fill(winner, loser), "moved": _move_all(loser.pk, winner.pk)}
        PrivateIndex.objects.filter(person=loser).delete()
        loser.delete()
        record = PersonMerge.objects.create(bot_id=winner.bot_id, kept=winner, absorbed_id=absorbed.pk, reason=reason[:200], undo=undo)
        recording.record(
            "person.merged",
            details={"absorbed": absorbed.pk, "reason": reason, "merge": record.pk},
            person_id=winner.pk,
            bot_id=winner.bot_id,
        )
    kept.refresh_from_db()
    return record


def unmerge(record: PersonMerge) -> Person:
    """Take a merge back: the absorbed person exists again with what was theirs; what was filled in since stays. Returns that person."""
    with transaction.atomic():
        if not PersonMerge.objects.filter(pk=record.pk, undone_at=None).update(undone_at=timezone.now()):
            raise MergeConflictError("This merge has been undone already.")
        kept = Person.objects.select_for_update().get(pk=record.kept_id)
        person = _restored(record.undo["person"])
        _unfill(kept, record.undo["filled"])
        index_private(person, written=person.private)
        for label, ids in record.undo["moved"].items():
            follower = next((one for one in followers if label.startswith(one.prefix)), None)
            if follower is not None:
                follower.move_back(label, ids, kept=kept.pk, restored=person.pk)
                continue
            relation = next(field for field in _pointers() if _label(field) == label)
            relation.model._default_manager.filter(pk__in=ids, **{relation.name: kept}).update(**{relation.name: person})
        recording.record("person.unmerged", details={"restored": person.pk, "merge": record.pk}, person_id=kept.pk, bot_id=kept.bot_id)
    return person


def split(lead: Lead) -> Person:
    """A new, unknown person for this lead; what hangs on the lead (conversations, sessions) goes along, the ids of the old person do not."""
    with transaction.atomic():
        person = Person.objects.create(bot_id=lead.channel.bot_id, name=lead.display_name, language=lead.profile.get("language", "")[:10])
        Lead.objects.filter(pk=lead.pk).update(person=person)
        for relation in _pointers():
            of_leads = [
                field for field in relation.model._meta.concrete_fields if isinstance(field, ForeignKey) and field.related_model is Lead
            ]
            for field in of_leads:
                relation.model._default_manager.filter(**{field.name: lead, f"{relation.name}_id": lead.person_id}).update(
                    **{relation.name: person}
                )
    return person


def _refuse_conflicts(kept: Person, absorbed: Person) -> None:
    systems = ExternalId.objects.filter(person=kept).values("system")
    if ExternalId.objects.filter(person=absorbed, system__in=systems).exists():
        raise MergeConflictError("Both people have an id in the same system.")


def _packed(person: Person) -> dict[str, Any]:
    """The whole row, personal fields in clear: it is kept in an encrypted column only."""
    return {field.attname: field.value_from_object(person) for field in Person._meta.concrete_fields}


def _restored(row: dict[str, Any]) -> Person:
    values = {field.attname: field.to_python(row[field.attname]) for field in Person._meta.concrete_fields if field.attname in row}
    person = Person(**values)
    person.save(force_insert=True)
    Person.objects.filter(pk=person.pk).update(created_at=values["created_at"])
    return person


def _fill(kept: Person, absorbed: Person) -> dict[str, list[str]]:
    """Give `kept` what only `absorbed` has; which keys that were, by column."""
    filled: dict[str, list[str]] = {"columns": [], "attributes": [], "private": []}
    for column in COLUMNS:
        if getattr(absorbed, column) and not getattr(kept, column):
            filled["columns"].append(column)
            setattr(kept, column, getattr(absorbed, column))
            for suffix in ("_index", "_verified"):
                if hasattr(kept, column + suffix):
                    setattr(kept, column + suffix, getattr(absorbed, column + suffix))
    for store in ("attributes", "private"):
        filled[store] = [key for key in getattr(absorbed, store) if key not in getattr(kept, store)]
        setattr(kept, store, {**getattr(absorbed, store), **getattr(kept, store)})
    kept.save()
    index_private(kept, written=filled["private"])
    return filled


def _unfill(kept: Person, filled: dict[str, list[str]]) -> None:
    for column in filled["columns"]:
        setattr(kept, column, "")
        for suffix, empty in (("_index", ""), ("_verified", False)):
            if hasattr(kept, column + suffix):
                setattr(kept, column + suffix, empty)
    for store in ("attributes", "private"):
        setattr(kept, store, {key: value for key, value in getattr(kept, store).items() if key not in filled[store]})
    kept.save()
    index_private(kept, written=(), removed=filled["private"])


def _move_all(origin: int, target: int) -> dict[str, list[int]]:
    """Re-point every row that refers to the person, in whatever app it lies; which rows, by relation."""
    moved: dict[str, list[int]] = {}
    for relation in _pointers():
        rows = relation.model._default_manager.filter(**{f"{relation.name}_id": origin})
        ids = list(rows.values_list("pk", flat=True))
        if ids:
            moved[_label(relation)] = ids
            relation.model._default_manager.filter(pk__in=ids).update(**{f"{relation.name}_id": target})
    for follower in followers:
        moved |= follower.move(origin, target)
    return moved


def _pointers() -> Iterator["ForeignKey[Any, Any]"]:
    """Foreign keys to Person, hidden ones too; but neither the history's, which tell what was, nor the blind index, which is rebuilt."""
    for relation in Person._meta.get_fields(include_hidden=True):
        model: type[Model] | None = getattr(relation, "related_model", None)
        field = getattr(relation, "field", None)
        if relation.auto_created and isinstance(field, ForeignKey) and model is not PrivateIndex and not hasattr(model, "history_type"):
            yield field


def _label(field: "ForeignKey[Any, Any]") -> str:
    return f"{field.model._meta.label_lower}.{field.name}"
