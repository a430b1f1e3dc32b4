"""Addresses of the records' pages: `/admin/data/<alias>/…`, under names that Django's admin uses (`admin:customdata_t_5_change`).

Models come and go while processes run, so these addresses are no fixed list: they are made anew when the structure has changed (seen within half
a second), and Django's caches of addresses with them. Other code uses the two names that are always there: `admin:data_list` (alias) and
`admin:data_record` (alias, id).
"""

import threading
from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, clear_url_caches, include, path
from django.urls.resolvers import RoutePattern
from django.utils.translation import gettext as _

from apps.customdata import structure
from apps.customdata.building import model_of
from apps.customdata.models import Table

_lock = threading.Lock()


def not_there(_request: HttpRequest, **_named: Any) -> HttpResponse:
    """No such model (any more), or none that the user may know of."""
    raise Http404(_("There is no such model."))


class RecordsResolver(URLResolver):
    """Resolves below `data/`; knows its patterns only for the present structure."""

    def __init__(self) -> None:
        super().__init__(RoutePattern("data/"), [])
        self._seen: tuple[tuple[int, int], ...] | None = None
        self._patterns: list[Any] = []

    def resolve(self, path: Any) -> Any:
        if str(path).startswith("data/"):
            self.renew()
        return super().resolve(path)

    def renew(self) -> None:
        """Makes the patterns anew when a model or field has changed."""
        present = tuple(sorted((table.pk, table.version) for table in structure.tables().values()))
        if present == self._seen:
            return
        with _lock:
            self._patterns = [pattern for table in structure.tables().values() for pattern in _patterns(table)]
            self.__dict__.update(_reverse_dict={}, _namespace_dict={}, _app_dict={}, _populated=False)
            self._seen = present
            clear_url_caches()

    @property
    def url_patterns(self) -> list[Any]:
        fixed = [path("<slug:alias>/", not_there, name="data_list"), path("<slug:alias>/<int:pk>/change/", not_there, name="data_record")]
        return [*self._patterns, *fixed]


def _patterns(table: Table) -> list[URLPattern | URLResolver]:
    from apps.customdata.admin.records import RecordAdmin  # noqa: PLC0415  its pages link here

    return [path(f"{table.alias}/", include(RecordAdmin(model_of(table), admin.site).urls))]


resolver = RecordsResolver()


def with_records(urls: tuple[Any, str, str]) -> tuple[Any, str, str]:
    """The admin site's addresses with those of the records in front."""
    patterns, app_name, namespace = urls
    return [resolver, *patterns], app_name, namespace
