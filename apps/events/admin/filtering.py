"""Filters of lists that read a plain value: by text that must be equal, by a choice, by a span of time."""

from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from apps.accounts.access import scoped
from apps.events.admin.unfolded import DropdownFilter, RangeDateTimeFilter, TextFilter


class ExactFilter(TextFilter):
    """A text box; the column must be equal to what is typed."""

    column = ""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002
        text = str(self.value() or "").strip()
        return queryset.filter(**{self.column: text}) if text else queryset


def exact(column: str, title: Any, *, parameter: str = "") -> type[ExactFilter]:
    """`ExactFilter` of a column."""
    return type("Exact", (ExactFilter,), {"column": column, "title": title, "parameter_name": parameter or column})


class NumberFilter(ExactFilter):
    """The same for ids; what is no number finds nothing."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002
        text = str(self.value() or "").strip()
        if not text:
            return queryset
        return queryset.filter(**{self.column: int(text)}) if text.isascii() and text.isdigit() and len(text) < 19 else queryset.none()  # noqa: PLR2004


def number(column: str, title: Any, *, parameter: str = "") -> type[NumberFilter]:
    return type("Number", (NumberFilter,), {"column": column, "title": title, "parameter_name": parameter or column})


class BotFilter(DropdownFilter):
    """Bots that the user may see; for rows that hold the bot's plain id or point at it."""

    title = _("bot")
    parameter_name = "bot"
    column = "bot_id"

    def lookups(self, request: HttpRequest, model_admin: "admin.ModelAdmin[Any]") -> list[tuple[str, str]]:
        rows = scoped(apps.get_model("bots.Bot")._default_manager.order_by("name"), request.user, module=_module(model_admin))
        return [(str(pk), name) for pk, name in rows.values_list("pk", "name")[:200]]

    def has_output(self) -> bool:
        return len(self.lookup_choices) > 1

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002
        value = str(self.value() or "")
        return queryset.filter(**{self.column: int(value)}) if value.isascii() and value.isdigit() else queryset


def bot_filter(column: str) -> type[BotFilter]:
    return type("OfBot", (BotFilter,), {"column": column})


class SeenValuesFilter(DropdownFilter):
    """The values that an indexed column really holds, found by jumps through its index: as fast in a table of any size."""

    column = ""
    table = ""

    def lookups(self, request: HttpRequest, model_admin: "admin.ModelAdmin[Any]") -> list[tuple[str, str]]:  # noqa: ARG002
        quote = connection.ops.quote_name
        table, column = quote(model_admin.model._meta.db_table), quote(self.column)
        with connection.cursor() as cursor:
            cursor.execute(
                f"WITH RECURSIVE seen AS ((SELECT {column} AS v FROM {table} ORDER BY {column} LIMIT 1) UNION ALL "  # noqa: S608  our own names
                f"SELECT (SELECT {column} FROM {table} WHERE {column} > seen.v ORDER BY {column} LIMIT 1) FROM seen WHERE seen.v IS NOT NULL) "
                "SELECT v FROM seen WHERE v IS NOT NULL LIMIT 200",
            )
            return [(value, self.label(value)) for (value,) in cursor.fetchall()]

    def label(self, value: str) -> str:
        return value

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002
        return queryset.filter(**{self.column: self.value()}) if self.value() else queryset


class SinceFilter(DropdownFilter):
    """Today, the last hour, day, week; or an exact time in the address: `since=2026-11-21T10:00` (a colleague's link)."""

    title = _("time")
    parameter_name = "since"
    column = "timestamp"
    spans = {
        "1h": (_("last hour"), timedelta(hours=1)),
        "24h": (_("last 24 hours"), timedelta(days=1)),
        "7d": (_("last 7 days"), timedelta(days=7)),
        "30d": (_("last 30 days"), timedelta(days=30)),
    }

    def lookups(self, request: HttpRequest, model_admin: "admin.ModelAdmin[Any]") -> list[tuple[str, Any]]:  # noqa: ARG002
        return [("today", _("today")), *((key, text) for key, (text, _span) in self.spans.items())]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002
        value = str(self.value() or "")
        at = _moment(value)
        if value == "today":
            at = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
        elif value in self.spans:
            at = timezone.now() - self.spans[value][1]
        return queryset.filter(**{f"{self.column}__gte": at}) if at else queryset


def since(column: str) -> type[SinceFilter]:
    return type("Since", (SinceFilter,), {"column": column})


class PeriodFilter(RangeDateTimeFilter):
    """Two exact times, from and to."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = str(_("period"))


def _moment(text: str) -> datetime | None:
    try:
        at = parse_datetime(text)
    except ValueError:
        return None
    return timezone.make_aware(at) if at and timezone.is_naive(at) else at


def _module(model_admin: "admin.ModelAdmin[Any]") -> str:
    return str(getattr(model_admin.model, "access_module", ""))
