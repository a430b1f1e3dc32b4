"""Records that link to a person follow them when two people turn out to be one, with history."""

from collections.abc import Sequence

from apps.customdata import structure, writing
from apps.customdata.building import model_of
from apps.customdata.models import Field
from apps.customdata.noting import Actor
from apps.customdata.writing import Row

MERGED = Actor("system", "merge of people")


class Links:
    """An `apps.identity.merging.Follower`."""

    prefix = "records:"

    def move(self, origin: int, target: int) -> dict[str, list[int]]:
        moved: dict[str, list[int]] = {}
        for field in _fields():
            rows = model_of(field.table)._default_manager.filter(**{field.attribute: origin})
            ids = list(rows.order_by("pk").values_list("pk", flat=True))
            if ids:
                moved[f"{self.prefix}{field.pk}"] = ids
                _point(field, ids, target)
        return moved

    def move_back(self, label: str, ids: Sequence[int], *, kept: int, restored: int) -> None:
        field = next((one for one in _fields() if label == f"{self.prefix}{one.pk}"), None)
        if field is not None:
            rows = model_of(field.table)._default_manager.filter(**{"pk__in": ids, field.attribute: kept})
            _point(field, list(rows.order_by("pk").values_list("pk", flat=True)), restored)


def _fields() -> list[Field]:
    return [field for table in structure.tables().values() for field in table.fields if field.kind == "person"]


def _point(field: Field, ids: Sequence[int], person: int) -> None:
    writing.write(field.table, [Row(values={field.alias: person}, pk=pk) for pk in ids], by=MERGED)
