"""A message that only waits for its slot in a sender's hand has not left: what becomes of the sender is nothing that happened to the message."""

import time
from collections.abc import Iterator

import pytest
from django.db import OperationalError
from pytest_django.fixtures import Settings

from apps.bots.models import Channel
from apps.conversations import claimants, inbox, outbox, pacing
from apps.conversations.models import Message, Outbox
from apps.conversations.outbox import Outgoing
from apps.core import redis
from tests.conversations.sending import emulated, sender, until
from tests.making import TELEGRAM_TOKEN, make_channel, text
from tools.emulators.telegram import Control

pytestmark = pytest.mark.django_db(transaction=True)
CHAT = 540278913
DEAD, DEAD_TOO, LIVING = 999_997, 999_998, 999_999  # nobody holds the locks of the first two


@pytest.fixture
def telegram(settings: Settings) -> Iterator[Control]:
    with emulated() as url:
        settings.TELEGRAM_API_URL = url
        settings.PUBLIC_URL = "https://bus.example"  # webhooks: nothing is polled
        control = Control(url, TELEGRAM_TOKEN)
        control.act(CHAT, "text", text="hi")
        yield control


def sent(telegram: Control) -> list[str]:
    return [message["text"] for message in telegram.messages(CHAT) if message.get("from", {}).get("is_bot")]


def waiting(*, kind: str = "telegram") -> None:
    inbox.accept(make_channel(kind=kind), [text("one", chat_id=str(CHAT))])
    until(Outbox.objects.exists)


def claimed(identity: int) -> Outgoing:
    [outgoing] = outbox.claim(identity, limit=1)
    return outgoing


def freed() -> tuple[int | None, int, int]:
    assert claimants.free("conversations_outbox", identity=LIVING, waiting="held") == 1
    row = Outbox.objects.get()
    return row.claimed_by, row.deaths, row.attempts


def test_two_senders_that_die_while_it_waits_leave_no_doubt(telegram: Control) -> None:
    waiting()
    Outbox.objects.update(at_most_once=True)
    for identity in (DEAD, DEAD_TOO):
        assert claimed(identity).held
        assert freed() == (None, 0, 0)
    with sender():
        until(lambda: Message.objects.filter(state="sent").exists())
    assert sent(telegram) == ["echo: one"]


def test_a_sender_that_dies_after_the_beginning_counts() -> None:
    waiting()
    assert outbox.begin([claimed(DEAD)], identity=DEAD)
    assert freed() == (None, 1, 1)


def test_a_channel_without_limits_holds_nothing_back() -> None:
    waiting(kind="api")
    assert not claimed(DEAD).held
    assert freed() == (None, 1, 1)


def test_what_nobody_could_take_note_of_counts_even_if_it_was_held() -> None:
    waiting()
    claimants.abandon("conversations_outbox", [claimed(DEAD).id])
    assert freed() == (None, 1, 1)


def test_what_another_sender_has_taken_over_meanwhile_does_not_begin() -> None:
    waiting()
    outgoing = claimed(DEAD)
    Outbox.objects.update(claimed_by=DEAD_TOO)
    assert outbox.begin([outgoing], identity=DEAD) == set()
    assert Outbox.objects.get().held


def test_it_is_held_until_its_slot_and_then_no_longer(telegram: Control) -> None:
    waiting()
    with sender():
        until(lambda: not Outbox.objects.exists())
        [channel] = Channel.objects.all()
        redis.client().set(f"pace:{channel.pk}", int((time.time() + pacing.HORIZON) * 1_000_000), px=2000)
        inbox.accept(channel, [text("two", chat_id=str(CHAT))])
        until(lambda: Outbox.objects.filter(claimed_by__isnull=False, held=True).exists())
        assert sent(telegram) == ["echo: one"]
        telegram.script({"do": "accept_then_hang", "seconds": 1.0}, chat_id=CHAT)
        until(lambda: len(sent(telegram)) == 2)
        assert not Outbox.objects.get().held


def test_while_the_beginning_cannot_be_noted_nothing_leaves(telegram: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    begin, tries = outbox.begin, []

    def away(rows: list[Outgoing], *, identity: int) -> set[int]:
        tries.append(len(sent(telegram)))
        if len(tries) < 3:
            raise OperationalError("the database is away")
        return begin(rows, identity=identity)

    monkeypatch.setattr(outbox, "begin", away)
    waiting()
    with sender():
        until(lambda: Message.objects.filter(state="sent").exists())
    assert tries == [0, 0, 0]
    assert sent(telegram) == ["echo: one"]
