"""Records over the API: typed filters, versions, bulk, rights of tokens, the description that fits them."""

import json
from typing import Any

import pytest
from django.test import Client
from jsonschema import Draft202012Validator

from apps.accounts.models import Role, RoleAssignment, User
from apps.accounts.rights import DELIVERED
from apps.bots.models import Bot
from apps.customdata import records
from apps.customdata.designing import FieldSpec, create_table
from apps.customdata.models import RecordHistory, Table
from apps.customdata.noting import Actor
from apps.events.models import Event
from apps.gateway import tokens
from apps.gateway.models import ApiToken
from tests.gateway.asserting import refused
from tests.making import make_bot

pytestmark = pytest.mark.django_db
BY = Actor("system", "tests")
CHOICES = {"choices": [{"value": "new", "label": "New"}, {"value": "done", "label": "Done"}]}
ALL = ("complaints:read", "complaints:write", "complaints:delete")


class Api:
    """A system with a token."""

    def __init__(self, *rights: str, **token: Any) -> None:
        _row, self.token = tokens.issue(name="CRM", data=rights, **token)
        self.client = Client()

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        given = {"Authorization": f"Bearer {self.token}", **{name.replace("_", "-"): value for name, value in headers.items()}}
        data = (
            {}
            if body is None
            else {"data": body if isinstance(body, str | bytes) else json.dumps(body), "content_type": "application/json"}
        )
        return getattr(self.client, method)(f"/api/v1/data{path}", headers=given, **data)

    def found(self, query: str = "") -> list[Any]:
        answer = self.call("get", f"/complaints/records?{query}")
        assert answer.status_code == 200, answer.json()
        return [one["number"] for one in answer.json()["results"]]


@pytest.fixture
def complaints(db: None) -> Table:
    return create_table(
        name="Complaints",
        fields=[
            FieldSpec("Number", "number", unique=True),
            FieldSpec("Subject", "text", required=True, indexed=True, in_search=True),
            FieldSpec("Status", "choice", options=CHOICES, default="new"),
            FieldSpec("Amount", "number", options={"decimals": 2}),
            FieldSpec("Due", "date"),
            FieldSpec("Tags", "choices", options=CHOICES),
            FieldSpec("Phone", "phone", personal=True),
        ],
    )


@pytest.fixture
def api(complaints: Table) -> Api:
    for number, (subject, amount, due, tags) in enumerate(
        [
            ("Жалоба на доставку", "10.50", "2026-11-20", ["new"]),
            ("Broken, bent", "9", "2026-11-21", ["new", "done"]),
            ("Late", None, None, None),
        ],
        start=1,
    ):
        records.create(complaints, {"number": number, "subject": subject, "amount": amount, "due": due, "tags": tags}, by=BY)
    return Api(*ALL)


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", [3, 2, 1]),
        ("sort=amount", [2, 1, 3]),
        ("filter[amount][gte]=9.5", [1]),
        ("filter[amount]=10.5", [1]),
        ("filter[subject]=ЖАЛОБА на доставку", [1]),
        ("filter[subject][contains]=ДОСТАВК", [1]),
        ('filter[subject][in]=["Broken, bent","late"]', [3, 2]),
        ("filter[number][in]=1,3", [3, 1]),
        ("filter[number][in]=1&filter[number][in]=2", [2, 1]),
        ("filter[due][lt]=21.11.2026", [1]),
        ("filter[due][empty]=true", [3]),
        ("filter[tags][has]=done", [2]),
        ("filter[status][ne]=done&filter[number][lte]=2&sort=number", [1, 2]),
        ("filter[id][gte]=1", [3, 2, 1]),
    ],
)
def test_filters_are_typed(api: Api, query: str, numbers: list[int]) -> None:
    assert api.found(query) == numbers


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("filter[amount][gte]=many", "amount"), ("filter[amount][contains]=1", "amount"), ("filter[nothing]=1", "nothing"),
        ("filter[subject][iregex]=x", "subject"), ("filter[phone][contains]=38", "phone"), ("filter[table__name]=x", "table__name"),
        ("subject=x", "subject"), ("filter[subject__startswith]=x", "subject__startswith"), ("f_1=2", "f_1"), ("limit=5000", "limit"),
        ("limit=-1", "limit"), ("sort=phone", "phone"), ("sort=?", "?"), ("cursor=abc", "cursor"), ("fields=id,nope", "fields"), ("count=maybe", "count"),
        ("filter[number]=1&filter[number]=2", "number"), ("filter[number][in]=", "number"), ("filter[due]=31.02.2026", "due"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_by_name(api: Api, query: str, field: str) -> None:
    answer = api.call("get", f"/complaints/records?{query}")
    assert (answer.status_code, answer.json()["code"], [one["field"] for one in answer.json()["errors"]]) == (400, "bad_request", [field])


def test_pages_go_on_by_cursor_and_counts_are_capped(api: Api) -> None:
    first = api.call("get", "/complaints/records?limit=2&sort=number&count=true&fields=number").json()
    assert (first["results"], first["count"], first["count_is_exact"]) == ([{"number": 1}, {"number": 2}], 3, True)
    second = api.call("get", f"/complaints/records?limit=2&sort=number&fields=number&cursor={first['next']}").json()
    assert (second["results"], second["next"]) == ([{"number": 3}], None)


def test_a_record_is_made_read_changed_and_deleted(api: Api, complaints: Table) -> None:
    made = api.call("post", "/complaints/records", {"number": 7, "subject": "New one", "amount": "0.10", "phone": "+380501112233"})
    record = made.json()["record"]
    assert (made.status_code, made.headers["ETag"], record["status"], record["amount"], record["phone"]) == (
        201,
        '"1"',
        "new",
        0.1,
        "+380*******33",
    )
    path = f"/complaints/records/{record['id']}"
    assert api.call("get", path).json()["record"] == record
    changed = api.call("patch", path, {"amount": None}, If_Match='"1"')
    assert (changed.status_code, changed.json()["record"]["amount"], changed.headers["ETag"]) == (200, None, '"2"')
    refused(api.call("patch", path, {"amount": 5}, If_Match='"1"'), 412, "version_conflict",
            "The record has another version. Read it again and repeat your change.", version=2)  # fmt: skip
    assert api.call("delete", path, If_Match='W/"1"').status_code == 412
    assert api.call("delete", path, If_Match='"2"').json()["id"] == record["id"]
    refused(api.call("get", path), 404, "not_found", "Record not found")
    history = RecordHistory.objects.filter(record_id=record["id"]).order_by("pk")
    assert [(row.action, row.actor, row.actor_name) for row in history] == [
        (what, "api", "CRM") for what in ("created", "updated", "deleted")
    ]
    assert Api(*ALL, "complaints:personal").call("get", "/complaints/records").json()["results"][0]["phone"] is None


def test_every_wrong_field_is_named(api: Api) -> None:
    answer = api.call("post", "/complaints/records", {"number": 1, "amount": 1.234, "due": "x", "nope": 1})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_record")
    assert {"amount", "due", "nope"} <= {one["field"] for one in answer.json()["errors"]}


def test_upsert_makes_one_record_for_a_key(api: Api, complaints: Table) -> None:
    answers = [api.call("post", "/complaints/upsert?key=number", {"number": 50, "subject": text}) for text in ("a", "b")]
    assert [(one.status_code, one.json()["created"], one.json()["record"]["version"]) for one in answers] == [
        (201, True, 1),
        (200, False, 2),
    ]
    wrong = api.call("post", "/complaints/upsert?key=subject", {"subject": "a"})
    assert wrong.json()["errors"] == [{"field": "key", "message": "must be one of the unique fields: id, number"}]


def test_a_bulk_call_reports_every_row(api: Api, complaints: Table) -> None:
    rows: list[Any] = [{"number": 1, "subject": "taken"}, {"number": 60, "subject": "ok"}, {"number": 61}]
    answer = api.call("post", "/complaints/bulk", {"operation": "create", "records": rows}).json()
    assert [(line["row"], line["result"], [one["field"] for one in line.get("errors", [])]) for line in answer["results"]] == [
        (0, "invalid", ["number"]), (1, "created", []), (2, "invalid", ["subject"]),
    ]  # fmt: skip
    assert (answer["written"], answer["refused"]) == (1, 2)
    whole = api.call(
        "post",
        "/complaints/bulk",
        {"operation": "create", "records": [{"number": 70, "subject": "ok"}, {"number": 1}], "all_or_nothing": True},
    )
    assert (whole.status_code, [line["row"] for line in whole.json()["errors"]], api.found("filter[number]=70")) == (400, [1], [])
    made = answer["results"][1]
    updated = api.call("post", "/complaints/bulk", {"operation": "update", "records": [
        {"id": made["id"], "version": 1, "subject": "x"}, {"id": made["id"] + 999, "subject": "y"}]}).json()  # fmt: skip
    assert [line["result"] for line in updated["results"]] == ["updated", "not_found"]
    upserted = api.call("post", "/complaints/bulk", {"operation": "upsert", "key": "number", "records": [
        {"number": 60, "subject": "x"}, {"number": 80, "subject": "z"}]}).json()  # fmt: skip
    assert [line["result"] for line in upserted["results"]] == ["unchanged", "created"]
    deleted = api.call("post", "/complaints/bulk", {"operation": "delete", "records": [made["id"], made["id"] + 999]}).json()
    assert [line["result"] for line in deleted["results"]] == ["deleted", "not_found"]


@pytest.mark.parametrize(
    "order",
    [
        {}, {"operation": "drop", "records": [{}]}, {"operation": "create", "records": []}, {"operation": "create", "records": {}},
        {"operation": "create", "records": [1]}, {"operation": "delete", "records": ["x"]}, {"operation": "update", "records": [{"subject": "x"}]},
        {"operation": "create", "records": [{}] * 10_001}, {"operation": "create", "records": [{}], "extra": 1},
        {"operation": "create", "records": [{}], "all_or_nothing": "yes"}, {"operation": "upsert", "records": [{}]},
    ],
)  # fmt: skip
def test_a_bulk_call_of_another_form_is_refused(api: Api, order: Any) -> None:
    answer = api.call("post", "/complaints/bulk", order)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


def test_a_repeated_call_has_one_effect(api: Api, complaints: Table) -> None:
    answers = [api.call("post", "/complaints/records", {"subject": "once"}, Idempotency_Key="k1") for _ in range(2)]
    assert [one.status_code for one in answers] == [201, 201]
    assert answers[0].json()["record"] == answers[1].json()["record"]
    assert answers[1].headers["Idempotent-Replayed"] == "true"
    refused(api.call("post", "/complaints/records", {"subject": "other"}, Idempotency_Key="k1"), 409, "key_reused",
            "This Idempotency-Key was used with another request. Use a new key for a new request.")  # fmt: skip
    assert api.call("post", "/complaints/records", {"subject": ""}, Idempotency_Key="k2").status_code == 400
    assert api.call("post", "/complaints/records", {"subject": "corrected"}, Idempotency_Key="k2").status_code == 201


def test_search_says_how_it_searched(api: Api) -> None:
    answer = api.call("get", "/complaints/search?q=жалоб&limit=5").json()
    assert ([one["number"] for one in answer["results"]], answer["results"][0]["title"]) == ([1], "Жалоба на доставку")
    assert answer["matched_by"] in ("words", "likeness")
    assert api.call("get", "/complaints/search?q=x&limit=500").status_code == 400


@pytest.mark.parametrize(
    "body", [b"{", b'{"a": 1, "a": 2}', b'{"subject": "\\u0000"}', b'{"subject": "\\ud800"}', b'{"number": NaN}', b"[]", b"\xff"]
)
def test_json_is_read_strictly(api: Api, body: bytes) -> None:
    answer = api.call("post", "/complaints/records", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_json")


@pytest.mark.parametrize(
    ("rights", "allowed"),
    [
        ((), set()),
        (("complaints:read",), {"list", "get", "search"}),
        (("complaints:write",), {"create", "update", "upsert", "bulk"}),
        (("complaints:delete",), {"delete"}),
        (("*:read",), {"list", "get", "search"}),
        (("other:read", "other:write"), set()),
        (("complaints:personal",), set()),
    ],
)
def test_a_token_may_do_what_its_rights_say(api: Api, complaints: Table, rights: tuple[str, ...], allowed: set[str]) -> None:
    record = records.find(complaints).records[0].pk
    other = Api(*rights)
    calls = {
        "list": other.call("get", "/complaints/records"),
        "get": other.call("get", f"/complaints/records/{record}"),
        "search": other.call("get", "/complaints/search?q=x"),
        "create": other.call("post", "/complaints/records", {"subject": "x"}),
        "update": other.call("patch", f"/complaints/records/{record}", {"subject": "x"}),
        "upsert": other.call("post", "/complaints/upsert?key=number", {"number": 900, "subject": "x"}),
        "bulk": other.call("post", "/complaints/bulk", {"operation": "create", "records": [{"subject": "x"}]}),
        "delete": other.call("delete", f"/complaints/records/{record}"),
    }
    assert {name for name, answer in calls.items() if answer.status_code < 300} == allowed
    hidden = 403 if allowed else 404
    assert {answer.status_code for name, answer in calls.items() if name not in allowed} == {hidden}


def test_a_model_of_one_bot_is_for_tokens_of_that_bot(complaints: Table) -> None:
    bot, other = make_bot(), make_bot()
    Table.objects.filter(pk=complaints.pk).update(bot=bot)
    assert Api("*:read", bots=[bot]).call("get", "/complaints/records").status_code == 200
    refused(Api("*:read", bots=[other]).call("get", "/complaints/records"), 404, "not_found", "Model not found")
    assert Api("*:read", bots=[other]).call("get", "").json()["results"] == []
    assert Bot.objects.count() == 2


def test_personal_values_are_told_to_whom_they_are_granted(api: Api, complaints: Table) -> None:
    records.create(complaints, {"subject": "x", "phone": "+380501112233"}, by=BY)
    seen = Api("complaints:read", "complaints:personal").call("get", "/complaints/records?filter[phone]=%2B380501112233").json()["results"]
    assert [one["phone"] for one in seen] == ["+380501112233"]
    assert api.call("get", "/complaints/records?limit=1").json()["results"][0]["phone"] == "+380*******33"


def test_a_token_for_dry_runs_writes_nothing(complaints: Table) -> None:
    rehearsing = Api(*ALL, dry_run_only=True)
    assert rehearsing.call("get", "/complaints/records").status_code == 200
    assert rehearsing.call("post", "/complaints/records", {"subject": "x"}).status_code == 403
    assert records.count(complaints) == 0


def test_writing_is_in_the_log_without_values(api: Api) -> None:
    Event.objects.all().delete()
    api.call("post", "/complaints/records", {"subject": "secret text"})
    api.call("get", "/complaints/records")
    events = list(Event.objects.order_by("pk"))
    assert [(one.kind, one.endpoint) for one in events] == [("record.created", ""), ("endpoint.called", "data/complaints")]
    assert len({one.trace_id for one in events}) == 1
    assert "secret text" not in json.dumps([one.details for one in events])


def test_addresses_and_methods_that_are_not_there(api: Api) -> None:
    refused(api.call("get", "/nothing/records"), 404, "not_found", "Model not found")
    refused(api.call("get", "/complaints/records/x"), 404, "not_found", "Record not found")
    refused(api.call("get", "/complaints/nothing"), 404, "not_found", "Not found")
    refused(api.call("put", "/complaints/records", {}), 405, "method_not_allowed", "Method not allowed")
    refused(Client().get("/api/v1/data/complaints/records"), 401, "invalid_token", "Invalid token")


def test_the_calls_of_a_token_are_limited(complaints: Table) -> None:
    slow = Api("*:read", calls_per_minute=2)
    assert [slow.call("get", "/complaints/records").status_code for _ in range(3)] == [200, 200, 429]


def test_the_description_fits_what_is_answered(api: Api, complaints: Table) -> None:
    document = Client().get("/docs/data/complaints/openapi.json", headers={"Authorization": f"Bearer {api.token}"}).json()
    schemas = {"$defs": document["components"]["schemas"]}
    text = json.dumps({**schemas, "$ref": "#/$defs/Record"}).replace("#/components/schemas/", "#/$defs/")
    check = Draft202012Validator(json.loads(text))
    for record in api.call("get", "/complaints/records").json()["results"]:
        check.validate(record)
    listed = document["paths"]["/api/v1/data/complaints/records"]["get"]["parameters"]
    assert {"filter[amount][gte]", "filter[phone][eq]", "sort"} <= {one["name"] for one in listed}
    assert "filter[phone][contains]" not in {one["name"] for one in listed}
    reading = Client().get("/docs/data/complaints/openapi.json", headers={"Authorization": f"Bearer {Api('complaints:read').token}"}).json()
    assert {(path, method) for path, methods in reading["paths"].items() for method in methods if method != "parameters"} == {
        ("/api/v1/data/complaints/records", "get"), ("/api/v1/data/complaints/records/{id}", "get"), ("/api/v1/data/complaints/search", "get"),
    }  # fmt: skip


def test_staff_who_see_the_records_see_the_description(complaints: Table) -> None:
    assert Client().get("/docs/data/complaints").status_code == 302
    user = User.objects.create_user("irina", password="x")
    client = Client()
    client.force_login(user)
    assert client.get("/docs/data/complaints").status_code == 404
    role, _made = Role.objects.get_or_create(key="operator", defaults=DELIVERED["operator"])
    RoleAssignment.objects.create(user=user, role=role, all_bots=True)
    assert client.get("/docs/data/complaints").status_code == 200
    assert client.get("/docs/data/complaints/openapi.json").status_code == 200


def test_a_rotated_token_keeps_its_rights(complaints: Table) -> None:
    row, _clear = tokens.issue(name="CRM", data=["complaints:read"])
    fresh, clear = tokens.rotate(row)
    assert (fresh.data_rights, ApiToken.objects.get(pk=fresh.pk).data_rights) == (["complaints:read"], ["complaints:read"])
    caller = tokens.recognise(clear, at=fresh.created_at)
    assert caller is not None
    assert caller.may_data("complaints", "read")
