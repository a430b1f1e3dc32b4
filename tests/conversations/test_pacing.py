"""Slots are evenly spaced, and no window is exceeded either when Redis forgets everything, goes away, or comes back."""

import time
from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest
import redis
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.bots.adapter import Rate
from apps.conversations import advancing, claimants, inbox, pacing
from apps.conversations.models import Outbox
from apps.core import redis as core_redis
from apps.events.models import Event
from apps.events.recording import record
from tests.making import make_channel, text
from tools.ports import free_port

pytestmark = pytest.mark.django_db
AT_MOST = 30
TELEGRAM = Rate(per_second=30, per_chat_seconds=1, per_group_minute=20)


@pytest.fixture(autouse=True)
def _no_memory() -> Iterator[None]:
    pacing._local.leave()
    pacing._local.senders = lambda: 2
    pacing._granted_at = float("-inf")
    yield
    pacing._local.leave()


class Sender:
    """Asks for slots until it has `count`, and notes the moments at which it may send."""

    def __init__(self) -> None:
        self.moments: list[float] = []

    def send(self, *, seconds: float, chats: Sequence[str] = ()) -> None:
        until, number = time.monotonic() + seconds, 0
        while time.monotonic() < until:
            asked = [(chat, False) for chat in chats] or [(f"{id(self)}-{number + i}-{len(self.moments)}", False) for i in range(20)]
            asked_at = time.monotonic()
            granted = [slot for slot in pacing.slots(channel_id=7, rate=TELEGRAM, chats=asked) if slot.granted]
            self.moments += [asked_at + slot.wait for slot in granted]
            number += 20
            time.sleep(0.02)

    def busiest(self, seconds: float = 1.0) -> int:
        return max(sum(first <= other < first + seconds for other in self.moments) for first in self.moments)

    def most_ahead(self) -> float:
        """How far a chat was ahead of one message a second."""
        due = most = 0.0
        for moment in sorted(self.moments):
            due = max(due, moment) + 1
            most = max(most, due - moment)
        return most


@pytest.fixture
def away(settings: Settings) -> Iterator[None]:
    """Redis is not there."""
    present = settings.REDIS_URL
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"
    yield
    settings.REDIS_URL = present


def test_a_second_has_no_more_than_thirty() -> None:
    sender = Sender()
    sender.send(seconds=2.5)
    assert sender.busiest() <= AT_MOST
    assert len(sender.moments) >= 40


def test_a_flush_in_between_exceeds_nothing(redis_connection: redis.Redis) -> None:
    sender, chat = Sender(), Sender()
    for _time in range(3):
        sender.send(seconds=0.7)
        chat.send(seconds=0.1, chats=["5"])
        redis_connection.flushdb()
    chat.send(seconds=1.2, chats=["5"])
    sender.send(seconds=0.7)
    assert sender.busiest() <= AT_MOST
    assert chat.most_ahead() <= pacing.CHAT_BURST + 0.1


def test_a_chat_has_a_short_burst_and_then_one_a_second() -> None:
    pacing.slots(channel_id=7, rate=TELEGRAM, chats=[("1", False)])
    time.sleep(1.2)  # the first second of an epoch
    granted = [pacing.slots(channel_id=7, rate=TELEGRAM, chats=[("5", False)])[0].granted for _time in range(5)]
    assert granted == [True, False, False, False, False]
    time.sleep(3.5)
    assert sum(pacing.slots(channel_id=7, rate=TELEGRAM, chats=[("5", False)])[0].granted for _time in range(5)) == 3


def test_without_redis_each_sender_takes_its_share_and_begins_where_redis_may_have_ended(settings: Settings) -> None:
    sender, present = Sender(), settings.REDIS_URL
    sender.send(seconds=1)
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"
    sender.send(seconds=2)
    assert pacing._local.active
    settings.REDIS_URL = present
    core_redis.client().ping()
    sender.send(seconds=1.5)
    assert [pacing._local.active] == [False]
    assert sender.busiest() <= AT_MOST


@pytest.mark.usefixtures("away")
def test_many_senders_share_the_rate_when_they_cannot_see_one_another() -> None:
    pacing._local.senders = lambda: 5
    moments = []
    until = time.monotonic() + 3
    while time.monotonic() < until:
        granted = pacing.slots(channel_id=7, rate=Rate(per_second=30), chats=[("1", False)] * 5)
        moments += [time.monotonic() + slot.wait for slot in granted if slot.granted]
        time.sleep(0.02)
    assert 10 <= len(moments) <= 3.5 * 29 / 5


def test_a_channel_without_limits_asks_nobody() -> None:
    assert pacing.slots(channel_id=7, rate=Rate(), chats=[("1", False)] * 3) == [pacing.Slot(0, granted=True)] * 3


# --- an empty Redis after a quiet minute --------------------------------------------------------------------------------


@pytest.fixture
def sender_id() -> Iterator[int]:
    """The one sender that there is."""
    identity = claimants.enter()
    yield identity
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock_all()")


def first() -> pacing.Slot:
    return pacing.slots(channel_id=7, rate=TELEGRAM, chats=[("5", False)])[0]


def told(*, seconds_ago: float) -> None:
    record("message.sent")
    Event.objects.update(timestamp=timezone.now() - timedelta(seconds=seconds_ago))


def waiting_message(**fields: object) -> None:
    inbox.accept(make_channel(), [text("one")])
    advancing.drain()
    Outbox.objects.update(**fields)


@pytest.mark.usefixtures("sender_id")
def test_where_nothing_has_left_for_a_minute_the_first_message_leaves_at_once() -> None:
    told(seconds_ago=70)
    assert first() == pacing.Slot(0, granted=True)


@pytest.mark.usefixtures("sender_id")
def test_what_the_database_knows_to_have_left_keeps_it_waiting() -> None:
    told(seconds_ago=50)
    assert not first().granted


@pytest.mark.parametrize(("mine", "attempts", "granted"), [(True, 1, True), (True, 2, False), (False, 1, False), (False, 0, True)])
def test_only_what_the_sender_holds_for_the_first_time_has_not_left(sender_id: int, *, mine: bool, attempts: int, granted: bool) -> None:
    waiting_message(claimed_by=sender_id if mine else None, attempts=attempts)
    assert first().granted is granted


@pytest.mark.usefixtures("sender_id")
def test_a_channel_that_was_paused_keeps_it_waiting() -> None:
    make_channel(paused_until=timezone.now() - timedelta(seconds=50))
    assert not first().granted


@pytest.mark.usefixtures("sender_id")
def test_a_sender_that_has_been_granted_slots_waits_after_a_flush(redis_connection: redis.Redis) -> None:
    assert first().granted
    redis_connection.flushdb()
    assert not first().granted


@pytest.mark.usefixtures("sender_id")
def test_two_senders_cannot_see_all_and_wait() -> None:
    claimants.enter()
    assert not first().granted
