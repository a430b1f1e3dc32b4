"""What may have arrived: a broken connection counts like the death of a sender, and what another sender has taken over is no longer ours."""

import asyncio
from datetime import timedelta

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from apps.bots import adapter as contract
from apps.bots.adapter import Credentials, Sent
from apps.bots.channels.telegram import Telegram
from apps.bots.content import Content
from apps.conversations import claimants, delivering, inbox, outbox, outcalls
from apps.conversations.models import Call, Message, Outbox, Update
from apps.conversations.outbox import Outcome, Outgoing
from apps.core import claimants as core_claimants
from apps.events.models import Event
from tests.conversations.sending import until
from tests.making import make_channel, text

pytestmark = pytest.mark.django_db(transaction=True)
OURS, THEIRS = 11, 22


class Broken(Telegram):
    """Takes every message and never answers."""

    kind = "broken"

    async def send(self, credentials: Credentials, chat_id: str, content: Content) -> Sent:
        raise contract.RetryError("The connection broke.", doubtful=True)


class Recognising(Broken):
    knows_repeats = True


def claimed() -> Outgoing:
    inbox.accept(make_channel(), [text("one")])
    until(Outbox.objects.exists)
    return outbox.claim(OURS, limit=1)[0]


def tried(outgoing: Outgoing, adapter: contract.Adapter) -> Outcome:
    return asyncio.run(delivering.deliver(outgoing, adapter=adapter, credentials=Credentials(1, {}, {})))


def again() -> Outgoing:
    Outbox.objects.update(due_at=timezone.now())
    return outbox.claim(OURS, limit=1)[0]


def test_a_connection_that_breaks_twice_leaves_the_message_in_doubt() -> None:
    outbox.settle([tried(claimed(), Broken())], identity=OURS)
    assert Outbox.objects.get().deaths == 1
    outbox.settle([tried(again(), Broken())], identity=OURS)
    assert Outbox.objects.count() == 0
    assert Message.objects.get(direction="out").state == "unknown"


def test_a_messenger_that_knows_repeats_is_tried_on() -> None:
    outbox.settle([tried(claimed(), Recognising())], identity=OURS)
    outbox.settle([tried(again(), Recognising())], identity=OURS)
    assert (Outbox.objects.get().attempts, Outbox.objects.get().deaths) == (2, 0)


def test_what_another_sender_has_taken_over_is_not_put_back_by_us() -> None:
    outgoing = claimed()
    Outbox.objects.update(claimed_by=THEIRS)
    outbox.settle([Outcome(outgoing, again_at=timezone.now() + timedelta(seconds=1), error="late")], identity=OURS)
    assert Outbox.objects.get().claimed_by == THEIRS


def test_that_it_was_sent_counts_once_whoever_says_so() -> None:
    outgoing = claimed()
    Outbox.objects.update(claimed_by=THEIRS)
    for identity in (OURS, THEIRS):
        outbox.settle([Outcome(outgoing, sent=True, external_ids=["1"])], identity=identity)
    assert Outbox.objects.count() == 0
    assert Message.objects.get(direction="out").state == "sent"
    assert Event.objects.filter(kind="message.sent").count() == 1


def test_the_result_of_a_cancelled_call_is_told_to_nobody() -> None:
    lane = claimed().lane_id
    channel = Message.objects.get(direction="out").channel
    call = Call.objects.create(
        lane_id=lane, bot=channel.bot, channel=channel, session_id=1, visit=1, idempotency_key="k", trace_id="t" * 32, claimed_by=OURS
    )
    outcalls.cancel(session_ids=[1])
    outcalls.settle([outcalls.CallOutcome(call, reply={"error": "timeout", "reason": "late"}, again_in=1)])
    assert Call.objects.get().state == "cancelled"
    assert not Update.objects.filter(kind="result").exists()
    assert Event.objects.filter(kind="call.retried").count() == 1


def test_what_was_claimed_but_never_taken_in_hand_is_free_again() -> None:
    inbox.accept(make_channel(), [text("one")])
    until(Outbox.objects.exists)
    identity = claimants.enter()
    [claimed] = outbox.claim(identity, limit=1)
    assert claimants.free("conversations_outbox", identity=identity) == 1
    row = Outbox.objects.get(pk=claimed.id)
    assert (row.claimed_by, row.deaths, row.attempts) == (None, 0, 0)


def test_a_new_session_keeps_what_is_in_hand_unless_somebody_was_faster() -> None:
    inbox.accept(make_channel(), [text("one")])
    inbox.accept(make_channel(), [text("two", chat_id="2")])
    until(lambda: Outbox.objects.count() == 2)
    rows = outbox.claim(OURS, limit=2)
    living = claimants.enter()
    Outbox.objects.filter(pk=rows[1].id).update(claimed_by=living)
    claimants.keep("conversations_outbox", identity=THEIRS, hand=[row.id for row in rows])
    assert list(Outbox.objects.order_by("id").values_list("claimed_by", flat=True)) == [THEIRS, living]


def test_a_claimant_that_asks_nothing_for_long_is_cut_off_and_a_living_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    known = connection.get_connection_params()
    place = {name: known[name] for name in ("dbname", "user", "host", "port") if known.get(name)}
    with psycopg.connect(**place, autocommit=True) as stopped:
        stopped.execute("SELECT pg_advisory_lock(%s, 7)", [claimants.LOCK_CLASS])
        assert claimants.end_silent() == 0
        monkeypatch.setattr(core_claimants, "SILENT_SECONDS", 0.0)
        assert claimants.end_silent() == 1
        with pytest.raises(psycopg.OperationalError):
            stopped.execute("SELECT 1")
    assert claimants.count() == 0
