import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.core.models import AuditEntry
from apps.events import exporting
from apps.events.models import Event
from apps.events.recording import event, write
from tests.admin.world import World

pytestmark = pytest.mark.django_db
EXPORT = "/admin/events/event/export/"


def body_of(response: Any) -> str:
    return b"".join(response.streaming_content).decode()


def rows_of(response: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body_of(response).removeprefix("\ufeff"))))


@pytest.mark.parametrize("text", ["=1+1", "+7", "-2", "@SUM(A1)", "\tx", "\rx", "＝1", " =1", "\n=1"])
def test_a_cell_that_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    assert exporting.safe_cell(text) == f"'{text}"


@pytest.mark.parametrize(("value", "cell"), [(None, ""), (-5, -5), (1.5, 1.5), (True, True), ("plain", "plain"), ({"a": 1}, '{"a": 1}')])
def test_other_cells_stay_as_they_are(value: object, cell: object) -> None:
    assert exporting.safe_cell(value) == cell


def test_csv_begins_with_a_byte_order_mark_and_quotes_what_it_must() -> None:
    lines = list(exporting.csv_lines(["a", "b"], [{"a": "x,y", "b": "=1"}, {"a": "Анна"}]))
    assert lines == ["\ufeffa,b\r\n", '"x,y",\'=1\r\n', "Анна,\r\n"]


def test_json_is_one_array_even_without_rows() -> None:
    assert json.loads("".join(exporting.json_lines(["a"], []))) == []
    assert json.loads("".join(exporting.json_lines(["a"], [{"a": 1}, {"b": 2}]))) == [{"a": 1}, {"a": None}]


def test_the_export_holds_the_names_of_the_sources(page: Client, shop: World) -> None:
    rows = rows_of(page.get(EXPORT, {"kind": "session.started"}))
    assert [(row["userId"], row["leadId"], row["kind"], row["status"]) for row in rows] == [
        ("125", shop.lead.code, "session.started", "success")
    ]
    assert {"trace_id", "source_system", "endpoint", "userId", "leadId", "status", "latency_ms", "timestamp"} <= set(rows[0])


def test_the_export_follows_the_filters_of_the_list(page: Client, shop: World, bank: World) -> None:
    lines = body_of(page.get(EXPORT, {"bot": str(bank.bot.pk), "status__exact": "fail", "format": "ndjson"})).splitlines()
    assert [(row["bot_id"], row["kind"]) for row in map(json.loads, lines)] == [(bank.bot.pk, "inbox.parked")]


def test_the_export_holds_only_rows_of_own_bots(signed_in: Callable[..., Client], shop: World, bank: World) -> None:
    rows = rows_of(signed_in("analyst", bots=[shop.bot]).get(EXPORT))
    assert {row["bot_id"] for row in rows} == {str(shop.bot.pk)}


def test_who_may_not_see_the_log_may_not_export_it(signed_in: Callable[..., Client], shop: World) -> None:
    assert signed_in("operator").get(EXPORT).status_code == 403


def test_secrets_and_personal_data_stay_hidden(page: Client) -> None:
    Event.objects.bulk_create(
        [Event(kind="old.row", timestamp="2026-11-21T10:00:00Z", trace_id="t", details={"phone": "+380501112233", "token": "abc"})]
    )
    text = body_of(page.get(EXPORT, {"kind": "old.row", "format": "ndjson"}))
    assert ("+380501112233" in text, "abc" in text) == (False, False)


def test_the_export_is_noted_with_its_filters(page: Client, shop: World) -> None:
    body_of(page.get(EXPORT, {"kind": "message.received", "format": "csv"}))
    entry = AuditEntry.objects.get(action="events.exported")
    assert (entry.username, entry.changes) == ("owner", {"format": "csv", "filters": {"kind": "message.received"}})


def test_an_unknown_format_is_refused_with_words(page: Client) -> None:
    response = page.get(EXPORT, {"format": "xlsx"}, follow=True)
    assert [str(message) for message in response.context["messages"]] == ["This format is not known. Choose CSV, NDJSON or JSON."]


def test_a_long_log_is_read_in_pieces_by_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "CHUNK", 2)
    write([event(f"kind.{number}") for number in range(5)])
    with CaptureQueriesContext(connection) as captured:
        kinds = [row["kind"] for row in exporting.event_rows(Event.objects.all())]
    assert kinds == ["kind.4", "kind.3", "kind.2", "kind.1", "kind.0"]
    assert len(captured) == 3
    assert all("OFFSET" not in query["sql"] for query in captured.captured_queries)
