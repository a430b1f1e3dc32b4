import asyncio
import io
import json
import logging
import logging.config
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from celery import Celery, shared_task
from celery.contrib.testing.worker import start_worker
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client
from pytest_django import Settings

from apps.core.logging import logging_config
from apps.core.middleware import TraceMiddleware
from apps.core.trace import accepted_trace_id, current_trace_id, known_trace_id, new_trace_id, trace

W3C = "4bf92f3577b34da6a3ce929d0e0e4736"


def test_a_chain_lasts_for_its_block_and_nests() -> None:
    assert known_trace_id() == ""
    with trace("outer-chain"):
        with trace() as inner:
            assert current_trace_id() == inner
            assert len(inner) == 32
        assert current_trace_id() == "outer-chain"
    assert known_trace_id() == ""


def test_outside_a_chain_nothing_is_linked() -> None:
    assert current_trace_id() != current_trace_id()


async def test_tasks_of_one_loop_have_chains_of_their_own() -> None:
    async def work(name: str) -> str:
        with trace(name):
            await asyncio.sleep(0.01)
            return current_trace_id()

    names = [new_trace_id() for _number in range(5)]
    assert await asyncio.gather(*(work(name) for name in names)) == names


@pytest.mark.parametrize(
    ("own", "traceparent", "accepted"),
    [
        ("e9fa-234c-118a", None, "e9fa-234c-118a"),
        ("e9fa-234c-118a", f"00-{W3C}-00f067aa0ba902b7-01", "e9fa-234c-118a"),
        (None, f"00-{W3C}-00f067aa0ba902b7-01", W3C),
        (None, f"cc-{W3C}-00f067aa0ba902b7-01-future", W3C),
        (None, f"ff-{W3C}-00f067aa0ba902b7-01", ""),
        (None, f"00-{'0' * 32}-00f067aa0ba902b7-01", ""),
        (None, f"00-{W3C.upper()}-00f067aa0ba902b7-01", ""),
        ("short", None, ""),
        ("a" * 64, None, "a" * 64),
        ("a" * 65, None, ""),
        ("with space 1", None, ""),
        ("line\nbreak12", None, ""),
        ("<script>alert(1)", None, ""),
        ("короткий-ид", None, ""),
        (None, None, ""),
        ("", "", ""),
    ],
)
def test_only_valid_ids_of_callers_are_taken(own: str | None, traceparent: str | None, accepted: str) -> None:
    assert accepted_trace_id(own, traceparent) == accepted


def test_a_callers_id_is_returned(client: Client) -> None:
    assert client.get("/health/live", headers={"X-Trace-Id": "crm-chain-1"}).headers["X-Trace-Id"] == "crm-chain-1"
    assert client.get("/health/live", headers={"traceparent": f"00-{W3C}-00f067aa0ba902b7-01"}).headers["X-Trace-Id"] == W3C


def test_a_request_without_an_id_begins_a_chain(client: Client) -> None:
    first, second = (client.get("/health/live").headers["X-Trace-Id"] for _time in range(2))
    assert len(first) == 32
    assert first != second


async def test_the_middleware_works_under_asgi(async_client: AsyncClient) -> None:
    response = await async_client.get("/health/live", headers={"X-Trace-Id": "crm-chain-1"})
    assert response.headers["X-Trace-Id"] == "crm-chain-1"


def test_the_view_is_inside_the_chain_and_the_next_request_is_not() -> None:
    def view(_request: HttpRequest) -> HttpResponse:
        return HttpResponse(current_trace_id())

    request = HttpRequest()
    request.META["HTTP_X_TRACE_ID"] = "crm-chain-1"
    response: Any = TraceMiddleware(view)(request)
    assert response.content == b"crm-chain-1"
    assert known_trace_id() == ""


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What production would write to its log."""
    out = io.StringIO()
    root = logging.getLogger()
    kept = root.handlers[:]
    config = logging_config(json_lines=True)
    handler = logging.StreamHandler(out)
    formatter = config["formatters"]["lines"]
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(**{key: value for key, value in formatter.items() if key != "()"}))
    root.handlers = [handler]
    yield out
    root.handlers = kept


def entries(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_every_line_is_json_with_the_trace_and_without_secrets(lines: io.StringIO) -> None:
    with trace("crm-chain-1"):
        structlog.get_logger("a").warning(
            "sent", token="s3cret", phone="+380501112233", url="https://x/?token=s3cret", nested={"password": "s3cret"}
        )
        logging.getLogger("b").error("bot %s failed", "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw", extra={"authorization": "s3cret"})
    first, second = entries(lines)
    assert (first["event"], first["level"], first["logger"], first["trace_id"]) == ("sent", "warning", "a", "crm-chain-1")
    assert (first["token"], first["phone"], first["url"], first["nested"]) == (
        "***",
        "+380*******33",
        "https://x/?token=***",
        {"password": "***"},
    )
    assert (second["event"], second["authorization"], second["trace_id"]) == ("bot 123456789:*** failed", "***", "crm-chain-1")
    assert "s3cret" not in lines.getvalue()


def test_an_exceptions_text_is_masked_too(lines: io.StringIO) -> None:
    try:
        raise ValueError("GET https://x/?token=s3cret failed")  # noqa: TRY301
    except ValueError:
        structlog.get_logger("a").exception("failed")
        logging.getLogger("b").exception("failed")
    for entry in entries(lines):
        assert "ValueError: GET https://x/?token=*** failed" in entry["exception"]
    assert "s3cret" not in lines.getvalue()


def test_objects_are_written_as_masked_text(lines: io.StringIO) -> None:
    structlog.get_logger("a").warning(
        "odd", error=ValueError("password=s3cret1"), data={"when": object, "inner": ValueError("token=s3cret1")}
    )
    assert "s3cret1" not in lines.getvalue()


def test_a_line_outside_a_chain_has_no_trace(lines: io.StringIO) -> None:
    logging.getLogger("b").warning("x")
    assert "trace_id" not in entries(lines)[0]


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_what_django_says_about_a_finished_request_is_in_its_chain(client: Client, lines: io.StringIO) -> None:
    client.get("/nothing-here", headers={"X-Trace-Id": "crm-chain-1"})
    [entry] = [entry for entry in entries(lines) if entry["logger"] == "django.request"]
    assert (entry["event"], entry["trace_id"]) == ("Not Found: /nothing-here", "crm-chain-1")


seen: list[str] = []


@shared_task(name="tests.core.note_trace")
def note_trace() -> None:
    seen.append(current_trace_id())


@shared_task(name="tests.core.pass_on")
def pass_on() -> None:
    seen.append(current_trace_id())
    note_trace.delay()


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_the_chain_goes_along_with_a_task_and_with_the_tasks_that_it_sends(settings: Settings) -> None:
    app = Celery("tests", broker=settings.REDIS_URL, set_as_current=False)
    app.conf.update(task_default_queue="tests-core-trace", worker_hijack_root_logger=False)
    app.set_default()
    seen.clear()
    with start_worker(app, perform_ping_check=False, pool="solo", loglevel="ERROR"):
        with trace("crm-chain-1"):
            app.send_task("tests.core.pass_on")
        app.send_task("tests.core.note_trace", headers={"trace_id": "not valid!"})
        for _try in range(100):
            if len(seen) == 3:
                break
            import time  # noqa: PLC0415

            time.sleep(0.05)
    assert seen.count("crm-chain-1") == 2
    [other] = [trace_id for trace_id in seen if trace_id != "crm-chain-1"]
    assert len(other) == 32
    assert known_trace_id() == ""
