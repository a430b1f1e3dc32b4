"""Calls to a real web process: killed between commit and answer, without its database, with bodies as they come over the wire."""

import http.client
import json
import os
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import connection

from apps.conversations.lanes import LOCK_SPACE
from apps.conversations.models import Message, Update
from tests.gateway.making import Shop, make_shop
from tools.stack import Stack

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]

CHUNKED = {"Transfer-Encoding": "chunked"}
BODY = b'{"user_id": "125", "amount": 3500}'


def environment() -> dict[str, str]:
    """What makes a process use the tests' own database."""
    base, _slash, _name = os.environ["DATABASE_URL"].rpartition("/")
    return {**os.environ, "DATABASE_URL": f"{base}/{connection.settings_dict['NAME']}", "DJANGO_SETTINGS_MODULE": "config.settings_test"}


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    with Stack(environment(), tmp_path) as running:
        yield running


def call(
    address: str, shop: Shop, body: Any = BODY, *, headers: Mapping[str, str] | None = None
) -> tuple[int, dict[str, Any], Mapping[str, str]]:
    """Status, body and headers; status 0 when the connection broke."""
    server = http.client.HTTPConnection(str(urlsplit(address).hostname), int(urlsplit(address).port or 0), timeout=30)
    given = {"Authorization": f"Bearer {shop.token}", "Content-Type": "application/json", **(headers or {})}
    try:
        server.request("POST", f"/bots/{shop.bot.pk}/call/order/thank-you", body, given, encode_chunked="Transfer-Encoding" in given)
        answer = server.getresponse()
        return answer.status, json.loads(answer.read()), dict(answer.headers)
    except (http.client.HTTPException, OSError):
        return 0, {}, {}
    finally:
        server.close()


def until(condition: Any, *, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def test_a_web_process_that_is_killed_between_commit_and_answer_leaves_one_effect(stack: Stack) -> None:
    shop = make_shop()
    address = stack.web()
    assert call(address, shop)[0] == 200
    lane_id, key = Update.objects.get().lane_id, {"Idempotency-Key": "order-9821"}
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": psycopg.Cursor}) as other:
        other.execute("SELECT pg_advisory_lock(%s::bigint << 48 | %s)", [LOCK_SPACE, lane_id])  # as a worker that has this chat
        broken: list[int] = []
        asking = threading.Thread(target=lambda: broken.append(call(address, shop, headers=key)[0]))
        asking.start()
        until(lambda: Update.objects.count() == 2)
        stack.processes["web"].kill()
        stack.processes["web"].wait(5)
        asking.join()
        assert broken == [0]
        assert Message.objects.count() == 1
    address = stack.web()
    answers = [call(address, shop, headers=key) for _ in range(2)]
    assert [status for status, _body, _headers in answers] == [200, 200]
    assert answers[0][1] == answers[1][1]
    assert (Update.objects.count(), Message.objects.count()) == (2, 2)


def test_without_its_database_a_process_says_so_within_a_second(tmp_path: Path) -> None:
    shop = make_shop()
    with Stack({**environment(), "DATABASE_URL": "postgres://postgres@%2Fvar%2Fempty%2Fnowhere/none"}, tmp_path) as running:
        address = running.web()
        call(address, shop)  # the first request of a process loads its code
        began = time.monotonic()
        status, body, headers = call(address, shop)
        assert time.monotonic() - began < 1
    assert (status, body["code"], body["message"]) == (503, "unavailable", "Temporarily unavailable. Nothing was accepted; try again.")
    assert (headers["retry-after"], headers["x-trace-id"]) == ("1", body["trace_id"])


def test_bodies_as_they_come_over_the_wire(stack: Stack) -> None:
    shop = make_shop()
    address = stack.web()
    assert call(address, shop, iter([BODY[:10], BODY[10:]]), headers=CHUNKED)[0] == 200
    big = b'{"user_id": "125", "text": "' + b"x" * (11 * 1024 * 1024) + b'"}'
    assert call(address, shop, big)[:2][0] == 413
    status, body, _headers = call(address, shop, iter([big]), headers=CHUNKED)
    assert (status, body["code"], body["message"]) == (413, "too_large", "The body is larger than 10485760 bytes.")
    assert call(address, shop, b"\xff")[0] == 400
    assert Message.objects.count() == 1
