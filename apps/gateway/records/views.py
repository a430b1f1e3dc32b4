"""The addresses below `/api/v1/data`. Reading leaves no event; writing leaves one for the request, and each record has its own history."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from apps.customdata import structure
from apps.gateway import bodies, calling, noting
from apps.gateway.answers import Answer, Json, RefusedError
from apps.gateway.machine import MachineView
from apps.gateway.noting import Attempt
from apps.gateway.records import answering, asking
from apps.gateway.records.admitting import Right, actor, admitted, sees
from apps.gateway.views import NotedView

MOST_FOUND = 50
FOUND = 10


class ModelsView(MachineView):
    """`GET /api/v1/data`: the models that the token reaches."""

    methods = ("GET",)
    schema = None

    def get(self, request: HttpRequest) -> HttpResponse:
        caller = calling.admitted(request, noting.begin(request, "data"))
        tables = sorted((table for table in structure.tables().values() if sees(caller, table)), key=lambda table: table.alias)
        found = [
            {"alias": table.alias, "name": table.name, "rights": [right for right in _RIGHTS if caller.may_data(table.alias, right)]}
            for table in tables
        ]
        return Answer(200, {"success": True, "results": found}).response()


_RIGHTS: tuple[Right, ...] = ("read", "write", "delete", "personal")


class _DataView(NotedView):
    """One request to a model; `rights` by method."""

    schema = None
    rights: dict[str, Right] = {}

    @property
    def methods(self) -> tuple[str, ...]:  # type: ignore[override]
        return tuple(self.rights)

    def endpoint_name(self, **kwargs: Any) -> str:
        return f"data/{kwargs['alias']}"

    def answer(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if request.method == "GET":
            return self.work(request, noting.begin(request, self.endpoint_name(**kwargs)), **kwargs).response()
        return super().answer(request, **kwargs)

    def work(self, request: HttpRequest, attempt: Attempt, **kwargs: Any) -> Answer:
        self.check_method(request)
        alias = str(kwargs.pop("alias"))
        caller, table = admitted(request, attempt, alias=alias, right=self.rights[str(request.method)])
        self.caller, self.table, self.by, self.private = caller, table, actor(caller), caller.may_data(alias, "personal")
        attempt.facts["method"] = request.method
        answer: Answer = getattr(self, f"do_{str(request.method).lower()}")(request, **kwargs)
        return answer

    def body(self, request: HttpRequest) -> Json:
        raw = bodies.read(request)
        bodies.check_is_json(request)
        return bodies.parse_object(raw)


class RecordsView(_DataView):
    """`GET`: a page. `POST`: a new record."""

    rights = {"GET": "read", "POST": "write"}

    def do_get(self, request: HttpRequest) -> Answer:
        return answering.page(self.table, asking.page(request.GET, self.table), private=self.private)

    def do_post(self, request: HttpRequest) -> Answer:
        values = self.body(request)
        return answering.once(request, self.caller, values, lambda: answering.create(self.table, values, by=self.by, private=self.private))


class RecordView(_DataView):
    """One record; `If-Match` with its version guards changes against each other."""

    rights = {"GET": "read", "PATCH": "write", "DELETE": "delete"}

    def do_get(self, _request: HttpRequest, *, pk: str) -> Answer:
        return answering.one(self.table, asking.record_id(pk), private=self.private)

    def do_patch(self, request: HttpRequest, *, pk: str) -> Answer:
        number, version = asking.record_id(pk), asking.expected_version(request)
        return answering.update(self.table, number, self.body(request), by=self.by, private=self.private, version=version)

    def do_delete(self, request: HttpRequest, *, pk: str) -> Answer:
        return answering.delete(self.table, asking.record_id(pk), by=self.by, version=asking.expected_version(request))


class UpsertView(_DataView):
    """`POST ?key=number`: changes the record with this key, or makes it."""

    rights = {"POST": "write"}

    def do_post(self, request: HttpRequest) -> Answer:
        values, key = self.body(request), request.GET.get("key", "")
        return answering.once(
            request, self.caller, values, lambda: answering.upsert(self.table, key, values, by=self.by, private=self.private)
        )


class BulkView(_DataView):
    """`POST`: up to 10,000 rows with a report for each."""

    rights = {"POST": "write"}

    def do_post(self, request: HttpRequest) -> Answer:
        order = self.body(request)
        if order.get("operation") == "delete" and not self.caller.may_data(self.table.alias, "delete"):
            raise RefusedError("not_allowed", f"This token may not do this. It needs the right {self.table.alias}:delete.")
        return answering.once(request, self.caller, order, lambda: answering.bulk(self.table, order, by=self.by))


class SearchView(_DataView):
    """`GET ?q=…`: the best first, also while somebody is typing."""

    rights = {"GET": "read"}

    def do_get(self, request: HttpRequest) -> Answer:
        errors: list[dict[str, str]] = []
        limit = asking.whole(request.GET.get("limit", ""), "limit", errors, most=MOST_FOUND, otherwise=FOUND)
        if errors:
            raise RefusedError("bad_request", errors=errors)
        return answering.search(self.table, request.GET.get("q", ""), limit, private=self.private)
