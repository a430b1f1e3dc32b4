"""How much a sender takes in hand: much, until slots are missed; then little, and slowly more again."""

import time
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from apps.bots.adapter import Rate
from apps.conversations.gripping import LATE_SECONDS, LEAST, MISSED_SLOTS, Grip
from apps.conversations.outbox import Outgoing

PACED = Rate(per_second=30, per_chat_seconds=1)


@pytest.fixture
def grip(settings: Settings) -> Grip:
    settings.SENDER_IN_FLIGHT = 200
    return Grip()


def outgoing(number: int = 1) -> Outgoing:
    told: dict[str, Any] = {"lane_id": 1, "channel_id": 1, "message_id": 1, "chat_id": "1", "is_group": False, "at_most_once": False}
    return Outgoing(id=number, attempts=1, deaths=0, held=True, parts=[], content={}, **told)


def late() -> float:
    return time.monotonic() - LATE_SECONDS - 0.01


def test_all_that_there_is_room_for_is_taken_while_every_slot_is_kept(grip: Grip) -> None:
    assert grip.room(200) == 200
    assert not grip.has_missed(outgoing(), rate=PACED, at=time.monotonic())
    assert (grip.room(200), grip.room(70)) == (200, 70)


def test_after_a_missed_slot_little_is_taken_and_one_more_each_time(grip: Grip) -> None:
    assert grip.has_missed(outgoing(), rate=PACED, at=late())
    assert [grip.room(200) for _time in range(3)] == [LEAST + 1, LEAST + 2, LEAST + 3]
    assert grip.room(5) == 5
    for _time in range(300):
        grip.room(200)
    assert grip.room(1000) == 200


def test_where_there_are_no_slots_none_is_missed_however_late_it_is(grip: Grip) -> None:
    assert not grip.has_missed(outgoing(), rate=Rate(), at=late())
    assert grip.room(200) == 200


def test_a_message_leaves_after_six_missed_slots_and_its_next_life_begins_anew(grip: Grip) -> None:
    tries = [grip.has_missed(outgoing(), rate=PACED, at=late()) for _time in range(2 * MISSED_SLOTS + 2)]
    assert tries == [*[True] * MISSED_SLOTS, False] * 2
    assert grip.has_missed(outgoing(2), rate=PACED, at=late())
