"""The live feed: it tells what asking would tell, at once; and it may go away at any moment."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import time_machine
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client
from pytest_django.fixtures import Settings

from apps.bots.content import Content
from apps.bots.models import Channel
from apps.conversations import waking
from apps.panel import live as live_module
from apps.panel import presence, tickets
from tests.panel.streaming import Running, Stream, live_feed, status_of
from tests.panel.visiting import SHOP, Visitor, make_widget, talk, tell, visit
from tools.ports import free_port

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def feed_server() -> Iterator[Running]:
    with live_feed() as running:
        yield running


@pytest.fixture
def visitor() -> Visitor:
    visitor = visit(make_widget())
    talk(visitor)
    visitor.open()
    return visitor


def stream(visitor: Visitor, running: Running, *, after: str | None = None, **headers: str) -> Stream:
    address = f"{visitor.session['live']}&after={visitor.session['cursor'] if after is None else after}"
    return Stream(address, running.port, headers={"Origin": visitor.origin, **headers})


def say(visitor: Visitor, text: str) -> None:
    tell(visitor.lead, Content(text=text))
    waking.feed()


def texts(data: dict[str, Any]) -> list[str]:
    return [event["message"]["text"] for event in data["events"]]


def test_a_message_is_told_within_a_moment(feed_server: Running, visitor: Visitor) -> None:
    opened = stream(visitor, feed_server)
    assert (opened.status, opened.head["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert opened.quiet()
    begun = time.monotonic()
    say(visitor, "at once")
    given, data = opened.next()
    assert time.monotonic() - begun < 1
    assert texts(data) == ["at once"]
    assert given == data["cursor"]
    opened.close()


def test_what_was_missed_comes_first(feed_server: Running, visitor: Visitor) -> None:
    say(visitor, "one")
    say(visitor, "two")
    opened = stream(visitor, feed_server)
    assert texts(opened.next()[1]) == ["one", "two"]
    opened.close()


def test_a_browser_that_comes_back_goes_on_where_it_was(feed_server: Running, visitor: Visitor) -> None:
    first = stream(visitor, feed_server)
    say(visitor, "one")
    given, _data = first.next()
    first.close()
    say(visitor, "two")
    second = stream(visitor, feed_server, **{"Last-Event-ID": given})
    assert texts(second.next()[1]) == ["two"]
    second.close()


def test_each_stream_tells_its_own_chat_only(feed_server: Running, visitor: Visitor) -> None:
    other = visit(visitor.channel)
    talk(other)
    other.open()
    mine, theirs = stream(visitor, feed_server), stream(other, feed_server)
    say(other, "private")
    assert texts(theirs.next()[1]) == ["private"]
    assert mine.quiet()
    mine.close()
    theirs.close()


def test_two_windows_of_one_visitor_are_both_told(feed_server: Running, visitor: Visitor) -> None:
    streams = [stream(visitor, feed_server), stream(visitor, feed_server)]
    say(visitor, "both")
    assert [texts(opened.next()[1]) for opened in streams] == [["both"], ["both"]]
    for opened in streams:
        opened.close()


def test_somebody_who_writes_is_shown(feed_server: Running, visitor: Visitor) -> None:
    opened = stream(visitor, feed_server)
    assert opened.quiet()
    presence.note_staff(visitor.lead.pk, typing=True)
    assert opened.next()[1]["typing"] is True
    presence.note_staff(visitor.lead.pk, typing=False)
    assert opened.next()[1]["typing"] is False
    opened.close()


def test_a_silent_stream_beats(feed_server: Running, visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_module, "BEAT_SECONDS", 0.2)
    opened = stream(visitor, feed_server)
    assert opened.next(name="beat", seconds=3)[1] == {}
    opened.close()


def test_a_browser_that_leaves_is_forgotten(feed_server: Running, visitor: Visitor) -> None:
    opened = stream(visitor, feed_server)
    assert opened.quiet()
    assert feed_server.live.hub is not None
    assert feed_server.live.hub.waiting == 1
    opened.close()
    until(lambda: feed_server.live.hub is not None and feed_server.live.hub.waiting == 0)


def test_signing_out_ends_the_stream(feed_server: Running, visitor: Visitor) -> None:
    opened = stream(visitor, feed_server)
    assert opened.quiet()
    visitor.call("post", "sign-out", {})
    say(visitor, "too late")
    assert opened.ended.wait(5)
    assert opened.quiet(seconds=0.05)
    opened.close()


def test_only_the_page_that_asked_may_listen(feed_server: Running, visitor: Visitor) -> None:
    for origin in ("https://shop.example.evil.test", SHOP, "null"):
        refused = stream(visitor, feed_server, Origin=origin)
        assert refused.status == 403
        assert "access-control-allow-origin" not in refused.head
    opened = stream(visitor, feed_server)
    assert opened.head["access-control-allow-origin"] == visitor.origin
    opened.close()


@pytest.mark.parametrize("ticket", ["", "x", "eyJkIjpbMV19~x"])
def test_without_a_valid_ticket_nothing_opens(feed_server: Running, visitor: Visitor, ticket: str) -> None:
    visitor.session["live"] = f"/live/widget?ticket={quote(ticket)}"
    assert stream(visitor, feed_server).status == 401


def test_a_ticket_is_for_minutes_and_carries_no_token(visitor: Visitor) -> None:
    address = visitor.session["live"]
    assert visitor.session["visitor_token"] not in address
    ticket = address.partition("ticket=")[2]
    read = tickets.read(ticket)
    assert read is not None
    assert (read.visitor_id, read.origin) == (visitor.row.pk, visitor.origin)
    with time_machine.travel(time.time() + 301, tick=False):
        assert tickets.read(ticket) is None


def test_the_number_of_streams_is_bounded(feed_server: Running, visitor: Visitor, settings: Settings) -> None:
    settings.LIVE_MAX_STREAMS = 1
    opened = stream(visitor, feed_server)
    assert opened.quiet()
    refused = stream(visitor, feed_server)
    assert (refused.status, refused.head["retry-after"]) == (503, "5")
    opened.close()


def test_one_chat_cannot_take_all_the_streams(feed_server: Running, visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_module, "STREAMS_PER_LEAD", 1)
    opened = stream(visitor, feed_server)
    assert opened.quiet()
    assert stream(visitor, feed_server).status == 429
    opened.close()


def test_health_says_whether_it_hears_the_database(feed_server: Running) -> None:
    until(lambda: status_of("/live/health?", feed_server.port) == 200)


def test_it_finds_the_database_again_by_itself(feed_server: Running, visitor: Visitor) -> None:
    opened = stream(visitor, feed_server)
    assert opened.quiet()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%%'",
        )
        assert cursor.fetchone()[0] >= 1
    say(visitor, "meanwhile")
    assert texts(opened.next()[1]) == ["meanwhile"]
    until(lambda: feed_server.live.hub is not None and feed_server.live.hub.listening)
    say(visitor, "afterwards")
    assert texts(opened.next()[1]) == ["afterwards"]
    opened.close()


def test_the_process_stops_at_once_although_streams_are_open(
    visitor: Visitor, channel_of_process: tuple[subprocess.Popen[bytes], int]
) -> None:
    process, port = channel_of_process
    opened = Stream(f"{visitor.session['live']}&after={visitor.session['cursor']}", port, headers={"Origin": visitor.origin})
    assert opened.status == 200
    say(visitor, "before")
    assert texts(opened.next()[1]) == ["before"]
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert opened.ended.wait(3)
    process.wait(5)
    assert time.monotonic() - begun < 2.5
    opened.close()


@pytest.fixture
def channel_of_process(tmp_path: Path) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    """The live process as it is really started, on the tests' database."""
    port = free_port()
    name = str(connection.settings_dict["NAME"])
    base, _slash, _name = os.environ["DATABASE_URL"].rpartition("/")
    environment = {**os.environ, "DATABASE_URL": f"{base}/{name}", "DJANGO_SETTINGS_MODULE": "config.settings_test"}
    argv = [
        sys.executable,
        "-m",
        "uvicorn",
        "config.asgi:application",
        "--port",
        str(port),
        "--timeout-graceful-shutdown",
        "10",
        "--no-access-log",
    ]
    with (tmp_path / "live.log").open("wb") as log:
        process = subprocess.Popen(argv, env=environment, cwd=django_settings.BASE_DIR, stdout=log, stderr=log)
    try:
        until(lambda: process.poll() is not None or status_of("/live/health?", port) == 200, seconds=20)
        assert process.poll() is None, (tmp_path / "live.log").read_text()
        yield process, port
    finally:
        process.kill()
        process.wait(5)


def until(condition: Any, *, seconds: float = 8) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def test_asking_works_without_any_live_process(visitor: Visitor) -> None:
    tell(visitor.lead, Content(text="asked for"))
    assert texts(visitor.events()) == ["asked for"]
    assert isinstance(visitor.client, Client)
    assert isinstance(visitor.channel, Channel)
