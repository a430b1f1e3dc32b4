"""From the inbox to what it causes: once, in order, one at a time; what fails is tried again, parked, and never in the way of others."""

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.conversations import advancing, awaiting, inbox, lanes, parking
from apps.conversations.inbox import Posting
from apps.conversations.models import Conversation, Lane, Message, Outbox, Update
from apps.core import lastwords
from apps.events.models import Event
from apps.identity.models import ExternalId, Lead
from tests.making import make_channel, make_lead, text

pytestmark = pytest.mark.django_db(transaction=True)


def drained() -> int:
    """Drain, waking lanes that wait for a later try."""
    handled = advancing.drain()
    while Lane.objects.filter(wake_at__isnull=False).update(wake_at="2000-01-01T00:00:00Z", held_until=None):
        handled += advancing.drain()
    return handled


def test_a_message_becomes_an_answer_in_the_outbox() -> None:
    channel = make_channel()
    inbox.accept(channel, [text("hello", profile={"name": "Anna", "language": "en"})])
    assert advancing.drain() == 1
    heard, said = Message.objects.order_by("seq")
    assert (heard.seq, heard.direction, heard.text, heard.state) == (1, "in", "hello", "received")
    assert (said.seq, said.direction, said.text, said.state) == (2, "out", "echo: hello", "queued")
    assert Outbox.objects.get().message_id == said.pk
    conversation = Conversation.objects.get()
    assert (conversation.last_text, conversation.last_seq, conversation.waiting_since) == ("echo: hello", 2, None)
    assert conversation.person.name == "Anna"
    assert Update.objects.get().state == "done"
    assert Lane.objects.get().wake_at is None


def test_the_same_event_has_one_effect_however_often_it_comes() -> None:
    channel = make_channel()
    for _time in range(3):
        inbox.accept(channel, [text("hello", key="u:1")])
        advancing.drain()
    assert Update.objects.count() == 1
    assert Message.objects.count() == 2


def test_simultaneous_deliveries_of_one_event_store_one_row() -> None:
    channel = make_channel()
    gate = threading.Barrier(8)

    def deliver(_number: int) -> bool:
        gate.wait()
        try:
            return inbox.accept(channel, [text("hello", key="u:1")])[0].created
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(deliver, range(8))) == 1
    assert Update.objects.count() == 1


def test_messages_of_a_chat_are_handled_in_the_order_in_which_they_were_stored() -> None:
    channel = make_channel()
    for number in range(45):
        inbox.accept(channel, [text(str(number))])
    assert advancing.drain() == 45
    said = Message.objects.filter(direction="out").order_by("seq").values_list("text", flat=True)
    assert list(said) == [f"echo: {number}" for number in range(45)]


def test_many_workers_share_the_chats_and_no_chat_is_served_twice() -> None:
    channel = make_channel()
    for chat in range(30):
        for number in range(5):
            inbox.accept(channel, [text(str(number), chat_id=f"9{chat}")])

    def work(_number: int) -> int:
        try:
            return advancing.drain()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        handled = sum(pool.map(work, range(4)))
    handled += drained()
    assert handled == 150
    for conversation in Conversation.objects.all():
        rows = conversation.messages.order_by("seq").values_list("seq", "text")
        assert list(rows) == [(i + 1, str(i // 2) if i % 2 == 0 else f"echo: {i // 2}") for i in range(10)]


def test_an_item_that_fails_is_parked_after_five_tries_and_the_chat_goes_on() -> None:
    channel = make_channel()
    inbox.accept(channel, [text("one", chat_id="1"), text("boom", chat_id="1"), text("two", chat_id="1"), text("other", chat_id="2")])
    drained()
    parked = Update.objects.get(state="parked")
    assert parked.attempts == 5
    assert parked.error == "RuntimeError: the scenario cannot handle this"
    first, other = Conversation.objects.order_by("lead__chat_id")
    assert list(first.messages.filter(direction="out").values_list("text", flat=True)) == ["echo: one", "echo: two"]
    assert other.messages.count() == 2
    assert Event.objects.filter(kind="inbox.parked", trace_id=parked.trace_id, status="fail").count() == 1


def _batches(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The chats that were advanced together, one list for each time."""
    seen: list[list[str]] = []

    def lock(claims: Iterable[lanes.Claim]) -> list[lanes.Claim]:
        claims = list(claims)
        seen.append(sorted(claim.chat_id for claim in claims))
        return lanes.lock(claims)

    monkeypatch.setattr(advancing, "lanes", SimpleNamespace(**{**vars(lanes), "lock": lock}))
    return seen


def _outcomes() -> list[tuple[str, str, int]]:
    return [(item.event_key, item.state, item.attempts) for item in Update.objects.order_by("event_key")]


def test_the_others_go_on_at_once_when_one_fails_and_it_is_not_tried_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    channel = make_channel()
    inbox.accept(channel, [text("boom" if chat == "2" else "hello", key=chat, chat_id=chat) for chat in "1234"])
    seen = _batches(monkeypatch)
    assert advancing.drain() == 3
    assert seen == [["1", "2", "3", "4"], ["1", "3", "4"]]
    assert _outcomes() == [("1", "done", 0), ("2", "pending", 1), ("3", "done", 0), ("4", "done", 0)]


def test_of_several_that_fail_together_only_the_first_is_blamed_without_being_tried_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    channel = make_channel()
    inbox.accept(channel, [text("boom" if chat in "23" else "hello", key=chat, chat_id=chat) for chat in "1234"])
    seen = _batches(monkeypatch)
    assert advancing.drain() == 2
    assert seen == [["1", "2", "3", "4"], ["1", "4"], ["3"]]
    assert [attempts for _key, _state, attempts in _outcomes()] == [0, 1, 1, 0]


def test_what_came_before_an_item_that_fails_is_handled_and_not_blamed(monkeypatch: pytest.MonkeyPatch) -> None:
    channel = make_channel()
    inbox.accept(channel, [text(said, key=said, chat_id="1") for said in ("a", "boom", "c")])
    seen = _batches(monkeypatch)
    assert advancing.drain() == 1
    assert seen == [["1"], ["1"], ["1"]]  # all three, the first, the second
    assert _outcomes() == [("a", "done", 0), ("boom", "pending", 1), ("c", "pending", 0)]


def test_after_a_failure_in_the_database_each_chat_is_advanced_by_itself() -> None:
    inbox.accept(make_channel(), [text("query" if chat == "2" else "hello", key=chat, chat_id=chat) for chat in "123"])
    assert advancing.drain() == 2
    assert _outcomes() == [("1", "done", 0), ("2", "pending", 1), ("3", "done", 0)]
    assert Update.objects.get(event_key="2").error == "DataError: division by zero"


def test_the_reason_of_a_failure_is_logged_with_the_trace_of_its_item(caplog: pytest.LogCaptureFixture) -> None:
    inbox.accept(make_channel(), [text("boom")])
    advancing.drain()
    [line] = [record.msg for record in caplog.records if isinstance(record.msg, dict) and record.msg["event"] == "an inbox item failed"]
    assert line["trace_id"] == Update.objects.get().trace_id


def test_a_parked_item_can_be_replayed_once_its_cause_is_gone(settings: object) -> None:
    channel = make_channel()
    inbox.accept(channel, [text("boom")])
    drained()
    parked = Update.objects.get(state="parked")
    Update.objects.filter(pk=parked.pk).update(payload=inbox.dump(text("fine")))
    assert parking.replay(parked)
    assert not parking.replay(parked)
    drained()
    assert Message.objects.get(direction="out").text == "echo: fine"


def test_a_discarded_item_stays_unhandled() -> None:
    channel = make_channel()
    inbox.accept(channel, [text("boom")])
    drained()
    assert parking.discard(Update.objects.get())
    assert drained() == 0
    assert Update.objects.get().state == "discarded"


def test_an_item_that_kills_its_worker_is_parked_after_three_deaths() -> None:
    channel = make_channel()
    inbox.accept(channel, [text("harmless to the test")])
    Lane.objects.update(attempts=3)  # three claims that never came back
    advancing.drain()
    assert Update.objects.get().error == "The worker died 3 times while it handled this item."
    assert Lane.objects.get().attempts == 0


def test_what_has_killed_two_workers_is_kept_in_hand_alone_so_that_its_neighbours_are_not_parked_with_it() -> None:
    channel = make_channel()
    for chat in ("1", "2", "3"):
        inbox.accept(channel, [text("hello", chat_id=chat)])
    Lane.objects.update(attempts=2)
    assert advancing.advance_claimed(lanes.claim(limit=10)) == 1
    assert sorted(Lane.objects.values_list("attempts", flat=True)) == [0, 2, 2]
    assert advancing.drain() == 2
    assert list(Update.objects.values_list("state", flat=True)) == ["done"] * 3


def test_a_busy_chat_is_left_alone_and_its_item_is_not_lost() -> None:
    channel = make_channel()
    lane_id = inbox.accept(channel, [text("hello")])[0].lane_id
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        from django.db import transaction  # noqa: PLC0415  the other thread's session

        with transaction.atomic():
            lanes.lock([lanes.Claim(lane_id, 1, 1, "")])
            held.set()
            release.wait(5)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(5)
    claims = lanes.claim(limit=10)
    assert advancing.advance_claimed(claims) == 0
    release.set()
    thread.join()
    drained()
    assert Message.objects.filter(direction="out").count() == 1


def test_a_chat_that_goes_on_writing_keeps_its_place_among_those_that_wait() -> None:
    channel = make_channel()
    for chat in ("1", "2", "1"):
        inbox.accept(channel, [text("hello", chat_id=chat)])
    assert [claim.chat_id for _time in range(2) for claim in lanes.claim(limit=1)] == ["1", "2"]


def test_work_posted_during_a_drain_is_not_missed() -> None:
    channel = make_channel()
    inbox.accept(channel, [text("first")])
    [claim] = lanes.claim(limit=10)
    inbox.accept(channel, [text("second")])
    advancing.advance([claim], alone=True)
    assert Lane.objects.get().wake_at is not None
    assert advancing.drain() == 1
    assert Message.objects.filter(direction="out").count() == 2


def test_advance_now_runs_the_item_in_the_calling_process() -> None:
    lead = make_lead()
    posted = inbox.accept(lead.channel, [text("hello", chat_id=lead.chat_id)])[0]
    update = awaiting.outcome_of(Update(id=posted.update_id), wait_seconds=2)
    assert (update.state, update.outcome) == ("done", {"status": "waiting"})


def call(lead: Lead, key: str, payload: dict[str, Any] | None = None) -> Posting:
    return Posting(
        channel_id=lead.channel_id,
        bot_id=lead.channel.bot_id,
        chat_id=lead.chat_id,
        kind=Update.Kind.START,
        source="call",
        event_key=key,
        payload=payload or {"ask": key},
        trace_id=f"trace-{key}",
    )


def said() -> list[str]:
    return list(Message.objects.filter(direction="out").order_by("seq").values_list("text", flat=True))


def test_a_call_is_accepted_and_handled_in_one_transaction() -> None:
    lead = make_lead()
    with CaptureQueriesContext(connection) as asked, transaction.atomic():
        [update] = awaiting.post([call(lead, "1")])
        assert (update.state, update.outcome) == ("done", {"status": "waiting"})
    assert not any("FOR UPDATE SKIP LOCKED" in str(query["sql"]) for query in asked)  # the chat was never put into the queue for others
    stored = Update.objects.get()
    assert (stored.pk, stored.state, stored.outcome, stored.payload) == (update.pk, "done", {"status": "waiting"}, {"ask": "1"})
    assert Lane.objects.values_list("wake_at", "held_until", "attempts").get() == (None, None, 0)
    assert said() == ["echo: {'ask': '1'}"]
    assert awaiting.outcome_of(update, wait_seconds=0).outcome == {"status": "waiting"}


def test_users_of_several_calls_are_looked_up_together_and_a_refused_one_takes_nobody_along() -> None:
    lead, other = make_lead(), make_lead()
    for one, user_id in ((lead, "1"), (other, "2")):
        ExternalId.objects.create(bot_id=one.channel.bot_id, person=one.person, system="crm", value=user_id)

    def wish(user_id: str, of: Lead) -> awaiting.ForUser:
        def postings(leads: list[Lead]) -> list[Posting]:
            if not leads:
                raise LookupError(user_id)
            return [call(one, user_id) for one in leads]

        return awaiting.ForUser((of.channel.bot_id, "crm", user_id), postings)

    with CaptureQueriesContext(connection) as asked:
        answers = awaiting._post_all([wish("1", lead), wish("nobody", lead), [call(other, "plain")], wish("2", other)])
    assert sum("identity_externalid" in str(query["sql"]) and "unnest" in str(query["sql"]) for query in asked) == 1
    states = [str(answer) if isinstance(answer, Exception) else [update.state for update in answer] for answer in answers]
    assert states == [["done"], "nobody", ["done"], ["done"]]
    assert sorted(said()) == ["echo: {'ask': '1'}", "echo: {'ask': '2'}", "echo: {'ask': 'plain'}"]
    with pytest.raises(LookupError, match="nobody"):
        awaiting.post(wish("nobody", lead))


def test_a_call_comes_after_what_waits_in_its_chat() -> None:
    lead = make_lead(chat_id="7")
    inbox.accept(lead.channel, [text("first", chat_id="7")])
    updates = awaiting.post([call(lead, "1"), call(lead, "2")])
    assert [update.state for update in updates] == ["done", "done"]
    assert said() == ["echo: first", "echo: {'ask': '1'}", "echo: {'ask': '2'}"]


def test_a_call_to_a_chat_that_a_worker_holds_is_accepted_and_waits() -> None:
    lead = make_lead(chat_id="7")
    inbox.accept(lead.channel, [text("first", chat_id="7")])
    [claim] = lanes.claim(limit=1)
    [update] = awaiting.post([call(lead, "1")])
    assert update.state == "pending"
    assert said() == []
    advancing.advance_claimed([claim])
    assert awaiting.outcome_of(update, wait_seconds=5).state == "done"
    assert said() == ["echo: first", "echo: {'ask': '1'}"]


def test_a_call_whose_handling_fails_is_accepted_all_the_same_and_takes_nobody_along() -> None:
    lead, other = make_lead(), make_lead()
    updates = awaiting.post([call(lead, "1", payload={"text": "boom"})]) + awaiting.post([call(other, "2")])
    assert [update.state for update in updates] == ["pending", "done"]
    assert Update.objects.get(event_key="1").state == "pending"
    assert Lane.objects.get(pk=updates[0].lane_id).wake_at is not None
    for _attempt in range(advancing.MAX_FAILURES):
        drained()
    assert Update.objects.get(event_key="1").state == "parked"


def test_nothing_of_a_call_is_left_when_its_transaction_cannot_commit() -> None:
    lead = make_lead()

    def break_off() -> None:
        with transaction.atomic():
            awaiting.post([call(lead, "1")])
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(OperationalError):
        break_off()
    connection.close()
    assert not Update.objects.exists()
    assert not Message.objects.exists()
    assert not Outbox.objects.exists()


def test_many_calls_at_once_and_workers_beside_them_have_one_effect_each() -> None:
    leads = [make_lead() for _number in range(4)]
    ended = threading.Event()

    def work(_number: int) -> None:
        try:
            while not ended.is_set():
                advancing.drain()
        finally:
            connection.close()

    def ask(number: int) -> str:
        try:
            [update] = awaiting.post([call(leads[number % 4], str(number))])
            return awaiting.outcome_of(update, wait_seconds=10).state
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as workers, ThreadPoolExecutor(8) as callers:
        busy = [workers.submit(work, number) for number in range(2)]
        states = list(callers.map(ask, range(80)))
        ended.set()
        for one in busy:
            one.result()
    assert states == ["done"] * 80
    assert sorted(said()) == sorted(f"echo: {{'ask': '{number}'}}" for number in range(80))
    for conversation in Conversation.objects.all():
        assert list(conversation.messages.order_by("seq").values_list("seq", flat=True)) == list(range(1, 21))


def test_advance_now_waits_for_a_worker_that_has_the_chat() -> None:
    lead = make_lead()
    inbox.accept(lead.channel, [text("slow", chat_id=lead.chat_id)])

    def work() -> None:
        advancing.drain()
        connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    posted = inbox.accept(lead.channel, [text("hello", chat_id=lead.chat_id)])[0]
    update = awaiting.outcome_of(Update(id=posted.update_id), wait_seconds=5)
    worker.join()
    assert update.state == "done"
    assert list(Message.objects.filter(direction="out").order_by("seq").values_list("text", flat=True)) == ["echo: slow", "echo: hello"]


def test_a_blocked_lead_becomes_inactive_and_active_again_when_it_writes() -> None:
    lead = make_lead(chat_id="7")
    inbox.accept(lead.channel, [text("", chat_id="7", kind="blocked")])
    advancing.drain()
    lead.refresh_from_db()
    assert (lead.is_active, lead.inactive_reason) == (False, "The client blocked the bot.")
    inbox.accept(lead.channel, [text("I am back", chat_id="7")])
    advancing.drain()
    lead.refresh_from_db()
    assert lead.is_active


def test_a_drain_costs_a_fixed_number_of_queries_however_many_chats(django_assert_num_queries: object) -> None:
    channel = make_channel()
    counts = []
    for size in (2, 40):
        for chat in range(size):
            inbox.accept(channel, [text("hi", chat_id=f"{size}00{chat}")])
        advancing.drain()
        for chat in range(size):
            inbox.accept(channel, [text("again", chat_id=f"{size}00{chat}")])
        with connection.execute_wrapper(Counting()) as _none:
            counter = Counting()
            with connection.execute_wrapper(counter):
                advancing.drain()
        counts.append(counter.count)
    assert counts[0] == counts[1]


class Counting:
    def __init__(self) -> None:
        self.count = 0

    def __call__(self, execute: object, sql: str, params: object, many: bool, context: object) -> object:  # noqa: FBT001
        self.count += 1
        return execute(sql, params, many, context)  # type: ignore[operator]


@pytest.fixture
def full_disk() -> Iterator[Callable[[], None]]:
    """Until the given function is called PostgreSQL refuses new messages and lanes that are given back, as it does without room on its disk. A
    claim, which may find room where the row already lies, goes through.
    """
    refused = (
        ("conversations_message", "INSERT", ""),
        ("conversations_lane", "UPDATE", "WHEN (NEW.attempts < OLD.attempts)"),
        ("conversations_update", "UPDATE", ""),
    )
    with connection.cursor() as cursor:
        cursor.execute(
            """CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$"""
        )
        for table, act, when in refused:
            cursor.execute(f"CREATE TRIGGER no_room BEFORE {act} ON {table} FOR EACH ROW {when} EXECUTE FUNCTION no_room()")

    def make_room() -> None:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION IF EXISTS no_room() CASCADE")

    yield make_room
    make_room()
    advancing._no_room.clear()


def test_a_full_disk_counts_neither_as_a_failure_nor_as_a_death(full_disk: Callable[[], None]) -> None:
    channel = make_channel()
    inbox.accept(channel, [text("hello", chat_id="1"), text("hello", chat_id="2")])
    for _round in range(advancing.MAX_DEATHS + advancing.MAX_FAILURES):
        assert advancing.drain() == 0
        Lane.objects.update(wake_at=timezone.now())  # the time of the claim has passed
    assert max(Lane.objects.values_list("attempts", flat=True)) <= 1
    full_disk()
    assert advancing.drain() == 2
    assert list(Update.objects.values_list("state", "attempts")) == [("done", 0)] * 2
    assert list(Lane.objects.values_list("attempts", flat=True)) == [0, 0]
    assert not advancing._no_room.is_set()


def test_a_caller_whose_item_finds_no_room_is_told_that_it_waits(full_disk: Callable[[], None]) -> None:
    lead = make_lead()
    posted = inbox.accept(lead.channel, [text("hello", chat_id=lead.chat_id)])[0]
    assert awaiting.outcome_of(Update(id=posted.update_id), wait_seconds=0.1).state == "pending"
    full_disk()
    assert awaiting.outcome_of(Update(id=posted.update_id), wait_seconds=5).state == "done"


def test_with_a_chat_that_two_have_died_with_only_workers_deal() -> None:
    lead = make_lead(chat_id="7")
    posted = inbox.accept(lead.channel, [text("hello", chat_id="7")])[0]
    Lane.objects.update(attempts=2)
    assert awaiting.outcome_of(Update(id=posted.update_id), wait_seconds=0.1).state == "pending"
    [update] = awaiting.post([call(lead, "1")])
    assert update.state == "pending"
    assert advancing.drain() == 2
    assert said() == ["echo: hello", "echo: {'ask': '1'}"]


def test_a_call_to_a_chat_that_a_process_may_have_died_with_is_left_to_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    lead, other = make_lead(chat_id="7"), make_lead(chat_id="8")
    words = lastwords.LastWords()
    monkeypatch.setattr(lastwords, "_words", words)
    pid = os.fork()
    if not pid:
        with words.in_hand([call(lead, "1").lane]):
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    updates = awaiting.post([call(lead, "1")]) + awaiting.post([call(other, "2")])
    assert [update.state for update in updates] == ["pending", "done"]
    assert awaiting.outcome_of(updates[0], wait_seconds=0.1).state == "pending"
    assert Lane.objects.get(pk=updates[0].lane_id).attempts == 0
    assert advancing.drain() == 1
    assert awaiting.outcome_of(updates[0], wait_seconds=5).state == "done"


def test_an_item_that_fails_after_the_disk_was_full_is_counted_again(full_disk: Callable[[], None]) -> None:
    channel = make_channel()
    inbox.accept(channel, [text("boom")])
    advancing._no_room.set()
    full_disk()
    advancing.drain()
    assert Update.objects.get().attempts == 1
    drained()
    assert Update.objects.get().state == "parked"
