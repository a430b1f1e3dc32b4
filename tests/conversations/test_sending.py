"""What leaves: in order, at the vendor's rate, with every kind of failure taken for what it means. Against a real Bot API on loopback."""

import asyncio
import base64
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import OperationalError, connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.bots.models import Channel
from apps.conversations import beside, claimants, inbox, outbox
from apps.conversations.models import Acknowledgement, Attachment, Lane, Message, Outbox, Update
from apps.conversations.resending import resend
from apps.conversations.sending import Sender
from apps.core.models import StoredFile
from apps.events.models import Event
from apps.identity.models import Lead
from tests.conversations.sending import emulated, sender, until
from tests.making import TELEGRAM_TOKEN, make_channel, text
from tools.emulators.telegram import Control

pytestmark = pytest.mark.django_db(transaction=True)
CHAT = 540278913


@pytest.fixture
def telegram(settings: Settings) -> Iterator[Control]:
    with emulated() as url:
        settings.TELEGRAM_API_URL = url
        settings.PUBLIC_URL = "https://bus.example"  # webhooks: nothing is polled
        yield Control(url, TELEGRAM_TOKEN)


def say(channel: Channel, *words: str, chat_id: int = CHAT) -> None:
    inbox.accept(channel, [text(word, chat_id=str(chat_id)) for word in words])


def sent(telegram: Control, chat_id: int = CHAT) -> list[str]:
    return [message.get("text", "") for message in telegram.messages(chat_id) if message.get("from", {}).get("is_bot")]


def test_answers_leave_in_order_and_are_noted_as_sent(telegram: Control) -> None:
    channel = make_channel()
    telegram.act(CHAT, "text", text="hi")
    say(channel, "one", "two", "three")
    with sender():
        until(lambda: Outbox.objects.count() == 0 and Message.objects.filter(state="sent").count() == 3)
    assert sent(telegram) == ["echo: one", "echo: two", "echo: three"]
    for message in Message.objects.filter(direction="out"):
        assert message.external_id
        assert message.sent_at
    assert Event.objects.filter(kind="message.sent", status="success").count() == 3


def test_a_database_that_goes_between_messages_and_other_claims_keeps_no_message_back(
    telegram: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    telegram.act(CHAT, "text", text="hi")
    say(make_channel(), "one")
    until(Outbox.objects.exists)
    look = beside.look
    broken: list[bool] = []

    def lost() -> beside.Others:
        if Outbox.objects.filter(claimed_by__isnull=False).exists() and not broken:
            broken.append(True)
            connection.close()
            raise OperationalError("the database crashed")
        return look()

    monkeypatch.setattr(beside, "look", lost)
    with sender():
        until(lambda: Message.objects.filter(state="sent").exists())
    assert broken
    assert sent(telegram) == ["echo: one"]


def test_a_channel_that_is_met_while_the_known_ones_are_read_again_stays_known(telegram: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = make_channel(), make_channel(kind="api")
    met: list[int] = []

    async def story() -> dict[int, Channel]:
        running = Sender()
        run = running._claimant.run

        async def while_reading(work: Callable[..., Any], *args: Any) -> Any:
            if work == running._read and args == ([first.pk],):
                await run(running._know, [second.pk])  # a message of that channel is claimed just before
                met.append(second.pk)
            return await run(work, *args)

        await run(running._know, [first.pk])
        monkeypatch.setattr(running._claimant, "run", while_reading)
        await running._heart()
        await running._claimant.close()
        return running._channels

    assert set(asyncio.run(story())) == {first.pk, second.pk}
    assert met


def test_a_flood_answer_pauses_the_channel_and_nothing_is_sent_inside_it(telegram: Control) -> None:
    channel = make_channel()
    telegram.act(CHAT, "text", text="hi")
    telegram.script({"do": "429", "retry_after": 2}, chat_id=CHAT)
    say(channel, "one")
    started = time.monotonic()
    with sender():
        until(lambda: Message.objects.filter(state="sent").exists())
    assert time.monotonic() - started >= 2
    assert sent(telegram) == ["echo: one"]
    assert Outbox.objects.count() == 0


def test_a_block_ends_the_message_and_deactivates_the_lead(telegram: Control) -> None:
    channel = make_channel()
    telegram.act(CHAT, "text", text="hi")
    telegram.script({"do": "403"}, chat_id=CHAT)
    say(channel, "one")
    with sender():
        until(lambda: Message.objects.filter(state="failed").exists())
    assert not Lead.objects.get().is_active
    assert "blocked" in Message.objects.get(state="failed").error
    assert Event.objects.filter(kind="message.failed", status="fail").count() == 1


def test_a_message_that_a_person_sends_again_makes_the_lead_reachable_unless_it_is_refused_again(telegram: Control) -> None:
    channel = make_channel()
    telegram.act(CHAT, "text", text="hi")
    telegram.script({"do": "403"}, {"do": "403"}, chat_id=CHAT)
    say(channel, "one")
    with sender():
        until(lambda: Message.objects.filter(state="failed").exists())
        message = Message.objects.get(state="failed")
        assert resend(message)
        assert Lead.objects.get().is_active
        until(lambda: not Lead.objects.get().is_active)
        assert resend(message)
        until(lambda: Message.objects.filter(state="sent").exists())
    assert (sent(telegram), Lead.objects.get().is_active, Lead.objects.get().inactive_reason) == (["echo: one"], True, "")


def test_a_server_error_is_tried_again(telegram: Control) -> None:
    channel = make_channel()
    telegram.act(CHAT, "text", text="hi")
    telegram.script({"do": "500"}, chat_id=CHAT)
    say(channel, "one", "two")
    with sender():
        until(lambda: Message.objects.filter(state="sent").count() == 2)
    assert sent(telegram) == ["echo: one", "echo: two"]


def test_a_chat_in_trouble_does_not_hold_up_the_others(telegram: Control) -> None:
    channel = make_channel()
    for chat in (1, 2):
        telegram.act(chat, "text", text="hi")
    telegram.script({"do": "hang", "seconds": 5}, chat_id=1)
    say(channel, "stuck", chat_id=1)
    say(channel, "quick", chat_id=2)
    started = time.monotonic()
    with sender():
        until(lambda: sent(telegram, 2) == ["echo: quick"])
        assert time.monotonic() - started < 2


def test_a_wrong_token_turns_the_channel_red_and_keeps_the_message(telegram: Control) -> None:
    channel = make_channel()
    telegram.script({"do": "401", "times": -1})
    say(channel, "one")
    with sender():
        until(lambda: Channel.objects.filter(health="failing").exists())
    assert Message.objects.get(direction="out").state == "queued"
    assert Outbox.objects.get().attempts == 0


def test_a_message_that_was_in_the_hand_of_a_dead_sender_is_sent_once_more_and_then_doubted(telegram: Control) -> None:
    channel = make_channel()
    telegram.act(CHAT, "text", text="hi")
    say(channel, "one")
    until(Outbox.objects.exists)
    outbox.begin(outbox.claim(999_999, limit=1), identity=999_999)  # nobody holds this identity's lock
    assert claimants.free("conversations_outbox", identity=0) == 1
    assert Outbox.objects.get().deaths == 1
    with sender():
        until(lambda: Message.objects.filter(state="sent").exists())
    assert sent(telegram) == ["echo: one"]
    say(channel, "two")
    until(Outbox.objects.exists)
    Outbox.objects.update(deaths=2)
    with sender():
        until(lambda: Message.objects.filter(state="unknown").exists())
    assert sent(telegram) == ["echo: one"]


def test_a_living_sender_keeps_what_it_has_claimed() -> None:
    channel = make_channel()
    say(channel, "one")
    until(Outbox.objects.exists)
    identity = claimants.enter()
    [claimed] = outbox.claim(identity, limit=1)
    assert claimants.free("conversations_outbox", identity=identity, hand=[claimed.id]) == 0
    connection.close()


def test_only_the_oldest_message_of_a_chat_can_be_claimed() -> None:
    channel = make_channel()
    say(channel, "one", "two")
    say(channel, "other", chat_id=7)
    until(lambda: Outbox.objects.count() == 3)
    claimed = outbox.claim(1, limit=10)
    assert [outgoing.content["text"] for outgoing in claimed] == ["echo: one", "echo: other"]
    Outbox.objects.filter(pk=claimed[0].id).update(claimed_by=None, due_at=timezone.now() + timedelta(hours=1))
    assert outbox.claim(1, limit=10) == []


def test_a_press_is_acknowledged_and_files_are_fetched(telegram: Control, settings: Settings) -> None:
    settings.PUBLIC_URL = ""
    channel = make_channel()
    telegram.act(CHAT, "file", caption="the invoice")
    with sender():
        until(lambda: Attachment.objects.filter(state="stored").exists())
        Acknowledgement.objects.create(channel=channel, callback_id="2320481")
        until(lambda: not Acknowledgement.objects.exists())
    stored = Attachment.objects.get()
    with stored.file.open() as content:
        assert (stored.kind, stored.size) == ("image", len(content.read()))
    assert Message.objects.get(direction="in").text == "the invoice"


def test_what_a_fetched_file_is_is_told_by_its_content(telegram: Control, settings: Settings) -> None:
    settings.PUBLIC_URL = ""
    make_channel()
    told = {"name": "cat.png", "mime": "image/png", "data": base64.b64encode(b"<html><script>").decode()}
    telegram.act(CHAT, "file", kind="document", **told)
    with sender():
        until(lambda: Attachment.objects.filter(state="stored").exists())
    assert (Attachment.objects.get().mime, Attachment.objects.get().name) == ("text/html", "cat.png")


def test_polling_brings_what_people_write(telegram: Control, settings: Settings) -> None:
    settings.PUBLIC_URL = ""
    make_channel()
    telegram.act(CHAT, "text", text="hello")
    with sender():
        until(lambda: sent(telegram) == ["echo: hello"])
        telegram.act(CHAT, "text", text="again")
        until(lambda: sent(telegram) == ["echo: hello", "echo: again"])
    assert Update.objects.filter(state="done").count() == 2
    assert Lane.objects.count() == 1
    assert Channel.objects.get().poll_offset > 0


def test_thirty_messages_a_second_are_never_exceeded(telegram: Control) -> None:
    channel = make_channel()
    for chat in range(1, 61):
        telegram.act(chat, "text", text="hi")
    Channel.objects.update(is_active=False)
    for chat in range(1, 61):
        say(channel, "x", chat_id=chat)
    until(lambda: Outbox.objects.count() == 60)
    Channel.objects.update(is_active=True)
    started = time.monotonic()
    with sender():
        until(lambda: Message.objects.filter(state="sent").count() == 60, seconds=15)
    took = time.monotonic() - started
    assert 60 / took <= 30.5, took
    at = sorted(row.timestamp() for row in Message.objects.filter(direction="out").values_list("sent_at", flat=True) if row)
    assert max(sum(1 for other in at if first <= other < first + 0.9) for first in at) <= 30


def test_a_stored_file_is_uploaded_with_its_caption(telegram: Control) -> None:
    channel = make_channel()
    telegram.act(CHAT, "text", text="hi")
    say(channel, "one")
    until(Outbox.objects.exists)
    stored = Attachment.objects.create(channel=channel, kind="file", name="act.pdf", mime="application/pdf", state="stored")
    stored.file.save("file", ContentFile(b"%PDF-1.4 the act"))
    Message.objects.filter(direction="out").update(
        content={"media": [{"kind": "file", "attachment": stored.pk, "name": "act.pdf", "caption": "the act"}]}
    )
    with sender():
        until(lambda: Message.objects.filter(state="sent").exists())
    [message] = [message for message in telegram.messages(CHAT) if message["from"]["is_bot"]]
    assert (message["document"]["file_name"], message["document"]["file_size"], message["caption"]) == ("act.pdf", 16, "the act")


def test_a_file_of_the_business_is_uploaded_under_its_name(telegram: Control) -> None:
    channel = make_channel()
    row = StoredFile(key="price-list", name="Prices.pdf", kind="file", mime="application/pdf", size=8)
    row.file.save("a", ContentFile(b"%PDF-1.7"), save=True)
    for chat in (1, 2):
        telegram.act(chat, "text", text="hi")
        say(channel, "one", chat_id=chat)
    until(lambda: Outbox.objects.count() == 2)
    Message.objects.filter(direction="out").update(content={"media": [{"kind": "file", "file": "price-list"}]})
    with sender():
        until(lambda: Message.objects.filter(state="sent").count() == 2)
    for chat in (1, 2):
        [message] = [message for message in telegram.messages(chat) if message["from"]["is_bot"]]
        assert (message["document"]["file_name"], message["document"]["file_size"]) == ("Prices.pdf", 8)


def test_a_file_that_is_gone_fails_the_message_with_its_reason(telegram: Control) -> None:
    telegram.act(CHAT, "text", text="hi")
    say(make_channel(), "one")
    until(Outbox.objects.exists)
    Message.objects.filter(direction="out").update(content={"media": [{"kind": "file", "file": "gone", "name": "Gone.pdf"}]})
    with sender():
        until(lambda: Message.objects.filter(state="failed").exists())
    assert Message.objects.get(state="failed").error == "The file “Gone.pdf” has neither content nor an address."
