"""Names and links for what the log's plain ids point at: one query for each kind of row, only rows that the viewer may see get a name."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.apps import apps
from django.utils.functional import Promise

from apps.accounts.access import AnyUser, scoped
from apps.events.showing import page_of
from apps.events.tracing import Place


@dataclass(frozen=True)
class Named:
    """`what` is the kind of thing, `name` its own; `url` is "" when the viewer may not open it."""

    what: str | Promise
    name: str
    url: str = ""


def named(places: Iterable[Place], viewer: AnyUser) -> dict[Place, Named]:
    by_label: dict[str, set[int]] = {}
    for place in places:
        by_label.setdefault(place.label, set()).add(place.pk)
    found: dict[Place, Named] = {}
    for label, keys in by_label.items():
        model = apps.get_model(label)
        seen = {row.pk: str(row) for row in scoped(model._default_manager.filter(pk__in=keys), viewer)}
        for key in keys:
            url = page_of(label, key) if key in seen else ""
            found[Place(label, key)] = Named(what=model._meta.verbose_name or label, name=seen.get(key, f"#{key}"), url=url)
    return found
