"""Lists of tables that grow for ever: newest first, paged by key, never counted in full (performance.md: 421 ms against 68 ms a page).

    class EventAdmin(LogListMixin, BaseAdmin): ...

`?before=<key>` and `?after=<key>` turn the pages. The order is by id, or by a time and id (`page_by`) where an index has them. A filter that no index serves may have to read far back; then the query is stopped after
`PATIENCE_SECONDS` and the page asks for a narrower one instead of hanging.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db import OperationalError, connection, models, transaction
from django.http import HttpRequest
from django.utils.dateparse import parse_datetime
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from apps.events.admin.unfolded import ChangeList, Paginator

BEFORE = "before"
AFTER = "after"
COUNTED = 1000
PATIENCE_SECONDS = 5


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """Each query of the block may take so long; a longer one raises OperationalError and leaves the caller's transaction usable."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{int(seconds * 1000)}ms"])
        yield
        cursor.execute("SET LOCAL statement_timeout TO DEFAULT")


class UncountedPaginator(Paginator):
    """What the admin asks of a paginator, without a count; the change list slices by key itself."""

    template_name = "admin/parts/older_newer.html"

    @cached_property
    def count(self) -> int:
        return 0


class LogChangeList(ChangeList):
    """Pages by key. `older` and `newer` are query strings, or "" at the ends; `counted` is exact up to `COUNTED` rows, None when unknown."""

    older = ""
    newer = ""
    counted: int | None = None

    def get_filters_params(self, params: dict[str, Any] | None = None) -> dict[str, Any]:
        found: dict[str, Any] = super().get_filters_params(params)
        return {name: value for name, value in found.items() if name not in (BEFORE, AFTER)}

    @property
    def page_by(self) -> str:
        """The nullable time field that leads the order, or "" for id alone."""
        return str(getattr(self.model_admin, "page_by", ""))

    def get_ordering(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> list[Any]:  # noqa: ARG002
        return [f"-{self.page_by}", "-pk"] if self.page_by else ["-pk"]

    def get_results(self, request: HttpRequest) -> None:
        self.paginator = UncountedPaginator([], self.list_per_page)
        self.show_full_result_count = self.can_show_all = self.multi_page = False
        self.show_admin_actions = True
        self.full_result_count = self.result_count = 0
        try:
            with patience(PATIENCE_SECONDS):
                self.result_list = self._page(request)
                self._count()
        except OperationalError:
            self.result_list = []
            messages.warning(request, _("This would have to look through too many rows. Narrow it: choose a time range, a bot or a kind."))
        self.full_result_count = self.result_count = self.counted if self.counted is not None else len(self.result_list)

    def _page(self, request: HttpRequest) -> list[Any]:
        before, after = (self._key(request.GET.get(name)) for name in (BEFORE, AFTER))
        if after:
            rows = self.queryset.filter(self._beyond(after, "gt")).reverse()
        else:
            rows = self.queryset.filter(self._beyond(before, "lt")) if before else self.queryset
        found = list(rows[: self.list_per_page + 1])
        more, page = len(found) > self.list_per_page, found[: self.list_per_page]
        self._turn(page[::-1] if after else page, older=bool(after) or more, newer=more if after else bool(before))
        return page[::-1] if after else page

    def _turn(self, page: list[Any], *, older: bool, newer: bool) -> None:
        if not page:
            self.newer = self.get_query_string({}, [AFTER, BEFORE]) if newer or older else ""
            return
        if older:
            self.older = self.get_query_string({BEFORE: self._key_of(page[-1])}, [AFTER])
        if newer:
            self.newer = self.get_query_string({AFTER: self._key_of(page[0])}, [BEFORE])

    def _key_of(self, row: Any) -> str:
        at = getattr(row, self.page_by, None) if self.page_by else None
        return f"{at.isoformat()}~{row.pk}" if at else str(row.pk)

    def _key(self, text: str | None) -> tuple[datetime | None, int] | None:
        """(time, id) of a page's edge; None for what nobody but a forger would send."""
        time_text, tilde, pk = (text or "").rpartition("~")
        if not (pk.isascii() and pk.isdigit() and len(pk) < 19):  # noqa: PLR2004  fits a bigint
            return None
        at = parse_datetime(time_text) if tilde else None
        return (at, int(pk)) if bool(at) == bool(tilde) else None

    def _beyond(self, key: tuple[datetime | None, int], than: str) -> models.Q:
        at, pk = key
        beside = models.Q((f"pk__{than}", pk))
        if not self.page_by:
            return beside
        if at is None:  # rows without a time stand in front
            return (
                models.Q((f"{self.page_by}__isnull", True)) & beside
                if than == "gt"
                else models.Q((f"{self.page_by}__isnull", True)) & beside | models.Q((f"{self.page_by}__isnull", False))
            )
        past = models.Q((f"{self.page_by}__{than}", at)) | models.Q((self.page_by, at)) & beside
        return past | models.Q((f"{self.page_by}__isnull", True)) if than == "gt" else past

    def _count(self) -> None:
        if not self.older and not self.newer:
            self.counted = len(self.result_list)
        else:
            self.counted = self.queryset.order_by()[: COUNTED + 1].count()

    @property
    def count_text(self) -> str:
        if self.counted is None:
            return ""
        return _("more than %(count)s") % {"count": f"{COUNTED:,}"} if self.counted > COUNTED else f"{self.counted:,}"


class LogListMixin:
    """For the admin of a growing table, before `BaseAdmin` in the list of bases."""

    list_per_page = 50
    show_full_result_count = False
    list_filter_submit = True
    list_fullwidth = True
    sortable_by: Any = ()
    ordering: Any = ("-pk",)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:  # noqa: ARG002
        return LogChangeList
