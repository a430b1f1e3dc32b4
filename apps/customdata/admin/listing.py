"""The list of records: any sortable column, pages by key, at most two seconds a query, links with names."""

from typing import Any

from django.contrib import messages
from django.db import OperationalError
from django.http import HttpRequest
from django.utils.translation import gettext as _

from apps.core.sqlstates import QUERY_CANCELED, sqlstate
from apps.customdata import links, paging
from apps.customdata.admin.filters import names
from apps.customdata.models import Table
from apps.customdata.paging import CursorError
from apps.events.admin.listing import AFTER, BEFORE, UncountedPaginator, patience
from apps.events.admin.unfolded import ChangeList

PATIENCE_SECONDS = 2
COUNTED = 1000


class RecordChangeList(ChangeList):
    """`older` and `newer` are query strings; `counted` is exact up to `COUNTED`, None when counting took too long."""

    older = newer = ""
    counted: int | None = None

    @property
    def table(self) -> Table:
        return self.model.table  # type: ignore[attr-defined,no-any-return]

    def get_filters_params(self, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """Only what this list's filters read: nothing else of the address reaches the database."""
        known = {name for one in self.list_filter for name in names(one)}
        return {name: value for name, value in super().get_filters_params(params).items() if name in known}

    @property
    def order(self) -> str:
        """The chosen column as `alias` or `-alias`."""
        first = str(next(iter(self.get_ordering(self.request, self.root_queryset)), "-pk"))
        by_attribute = {field.attribute: field.alias for field in self.table.fields}
        bare = first.removeprefix("-")
        alias = by_attribute.get(bare, bare if bare in ("created_at", "updated_at") else "id")
        return f"-{alias}" if first.startswith("-") else alias

    def get_results(self, request: HttpRequest) -> None:
        self.request = request
        self.paginator = UncountedPaginator([], self.list_per_page)
        self.show_full_result_count = self.can_show_all = self.multi_page = False
        self.show_admin_actions = True
        self.result_list = []
        try:
            with patience(PATIENCE_SECONDS):
                self.result_list = self._page(request)
                goals = links.goals(self.table, self.result_list, request.user)
            self._count()
        except OperationalError as error:
            if sqlstate(error) != QUERY_CANCELED:
                raise
            goals = {}
            messages.warning(request, self._advice())
        for record in self.result_list:
            record.goals = goals
        self.full_result_count = self.result_count = self.counted if self.counted is not None else len(self.result_list)

    def _page(self, request: HttpRequest) -> list[Any]:
        after, before = request.GET.get(AFTER, ""), request.GET.get(BEFORE, "")
        try:
            page = paging.page(self.queryset, self.table, order=self.order, after=after, before=before, limit=self.list_per_page)
        except CursorError:
            page = paging.page(self.queryset, self.table, order=self.order, limit=self.list_per_page)
        if page.next:
            self.older = self.get_query_string({AFTER: page.next}, [BEFORE])
        if page.previous:
            self.newer = self.get_query_string({BEFORE: page.previous}, [AFTER])
        return page.records

    def _count(self) -> None:
        if not self.older and not self.newer:
            self.counted = len(self.result_list)
            return
        try:
            with patience(PATIENCE_SECONDS):
                self.counted = self.queryset.order_by()[: COUNTED + 1].count()
        except OperationalError:
            self.counted = None

    def _advice(self) -> str:
        """Which of the fields that were asked have no index."""
        bare = self.order.removeprefix("-")
        asked = {str(name).partition("__")[0] for name in self.params} | ({bare} if bare in self.table.by_alias else set())
        slow = [field.name for field in self.table.fields if field.alias in asked and field.index_state != field.Index.READY]
        if slow:
            return _("This took longer than 2 seconds and was stopped. Mark as indexed in the model: %(fields)s. Or narrow the filter.") % {
                "fields": ", ".join(f"“{name}”" for name in slow)
            }
        return _("This took longer than 2 seconds and was stopped. Narrow the filter: more letters, a shorter time, or one more field.")

    @property
    def count_text(self) -> str:
        if self.counted is None:
            return ""
        return _("more than %(count)s") % {"count": f"{COUNTED:,}"} if self.counted > COUNTED else f"{self.counted:,}"
