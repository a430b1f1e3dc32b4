"""Operations: conversations to read, messages to send again, parked items to settle, files, calls."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client

from apps.conversations import advancing
from apps.conversations.models import Attachment, Message, Outbox, Update
from apps.conversations.resending import resend
from apps.core.models import AuditEntry
from apps.events.models import Event
from tests.admin.conftest import act, change, listing, told
from tests.admin.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def failed(shop: World) -> Message:
    message = shop.said
    Outbox.objects.filter(message=message).delete()
    Message.objects.filter(pk=message.pk).update(state=Message.State.FAILED, error="The client blocked the bot.")
    return Message.objects.get(pk=message.pk)


@pytest.fixture
def parked(shop: World) -> Update:
    return Update.objects.get(pk=shop.rows["conversations.Update"].pk)


# --- messages ---------------------------------------------------------------------------------------------------------------


def test_a_failed_message_shows_its_reason_and_goes_out_again(page: Client, failed: Message) -> None:
    assert "The client blocked the bot." in page.get(change(failed)).content.decode()
    assert told(page.post(act(failed, "resend"), follow=True)) == ["The message goes out again."]
    failed.refresh_from_db()
    queued = Outbox.objects.get(message=failed)
    assert (failed.state, failed.error, queued.chat_id) == (Message.State.QUEUED, "", failed.conversation.lead.chat_id)
    assert list(Event.objects.filter(kind="message.retried").values_list("trace_id", flat=True)) == [failed.trace_id]


def test_a_message_goes_out_again_once_however_often_one_asks(failed: Message) -> None:
    assert [resend(failed), resend(failed)] == [True, False]
    assert Outbox.objects.filter(message=failed).count() == 1


@pytest.mark.parametrize("state", [Message.State.SENT, Message.State.QUEUED, Message.State.READ])
def test_what_has_not_failed_is_not_sent_again(page: Client, shop: World, state: str) -> None:
    message = shop.said
    Message.objects.filter(pk=message.pk).update(state=state)
    assert "/act/resend/" not in page.get(change(message)).content.decode()
    before = Outbox.objects.count()
    page.post(act(message, "resend"))
    assert (Outbox.objects.count(), Message.objects.get(pk=message.pk).state) == (before, state)


def test_several_messages_are_sent_again_at_once(page: Client, failed: Message) -> None:
    data = {"action": "send_again", "_selected_action": [failed.pk]}
    assert told(page.post(listing("conversations.Message"), data, follow=True)) == ["1 message goes out again."]
    assert AuditEntry.objects.get(action="conversations.message.resend").changes == {"messages": [failed.pk]}


def test_failed_messages_are_found_by_the_filter(page: Client, failed: Message) -> None:
    text = page.get(listing("conversations.Message"), {"state__exact": "failed"}).content.decode()
    assert text.count('class="data-row') == 1
    assert "The client blocked the bot." in text


# --- the inbox --------------------------------------------------------------------------------------------------------------


def test_a_parked_item_is_replayed(page: Client, parked: Update) -> None:
    text = page.get(change(parked)).content.decode()
    assert all(shown in text for shown in ("RuntimeError: it broke", "Poison", "/act/replay/", "/act/discard/"))
    assert told(page.post(act(parked, "replay"), follow=True)) == ["The item is handled again; look at its state in a moment."]
    advancing.drain()
    assert Update.objects.get(pk=parked.pk).state == Update.State.DONE


def test_a_parked_item_is_discarded_and_may_still_be_replayed(page: Client, parked: Update) -> None:
    page.post(act(parked, "discard"))
    assert Update.objects.get(pk=parked.pk).state == Update.State.DISCARDED
    assert "/act/discard/" not in page.get(change(parked)).content.decode()
    page.post(act(parked, "replay"))
    assert Update.objects.get(pk=parked.pk).state == Update.State.PENDING


def test_many_parked_items_are_settled_at_once(page: Client, shop: World, bank: World) -> None:
    rows = [world.rows["conversations.Update"].pk for world in (shop, bank)]
    answer = page.post(listing("conversations.Update"), {"action": "replay_all", "_selected_action": rows}, follow=True)
    assert told(answer) == ["2 items are handled again."]
    assert set(Update.objects.filter(pk__in=rows).values_list("state", flat=True)) == {"pending"}


def test_secrets_of_an_item_are_hidden(page: Client, shop: World) -> None:
    update = shop.posts("", contact={"phone": "+380501112233", "name": "Anna", "own": True})
    text = page.get(change(update)).content.decode()
    assert ("+380501112233" in text, "Anna" in text) == (False, True)


def test_who_may_only_look_settles_nothing(signed_in: Callable[..., Client], parked: Update, failed: Message, bank: World) -> None:
    for browser in (signed_in("analyst"), signed_in("admin", bots=[bank.bot])):
        assert browser.post(act(parked, "replay")).status_code in (403, 404)
        assert browser.post(act(failed, "resend")).status_code in (403, 404)
    assert Update.objects.get(pk=parked.pk).state == Update.State.PARKED
    assert Message.objects.get(pk=failed.pk).state == Message.State.FAILED


# --- conversations ----------------------------------------------------------------------------------------------------------


def test_a_conversation_is_read_as_a_timeline(page: Client, shop: World) -> None:
    text = page.get(change(shop.conversation)).content.decode()
    assert text.index("<p>Hello</p>") < text.index("<p>Thank you, Anna of Shop!")
    assert "<span>Confirm</span>" in text
    assert 'name="_save"' not in text


def test_a_long_conversation_is_read_in_pages(page: Client, shop: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.conversations.admin.conversations.SHOWN", 2)
    shop.hears("Later")
    numbers = list(Message.objects.filter(conversation=shop.conversation).order_by("seq").values_list("seq", flat=True))
    newest = page.get(change(shop.conversation)).content.decode()
    assert [f'id="m{number}"' in newest for number in numbers][-2:] == [True, True]
    older = page.get(change(shop.conversation), {"before": numbers[-2]}).content.decode()
    assert (f'id="m{numbers[-3]}"' in older, f'id="m{numbers[-1]}"' in older) == (True, False)
    assert page.get(change(shop.conversation), {"before": "x"}).status_code == 200


def test_what_a_client_writes_is_shown_as_text(page: Client, shop: World) -> None:
    shop.hears("<script>alert(1)</script>")
    for address in (
        change(shop.conversation),
        listing("conversations.Conversation"),
        listing("conversations.Message"),
        change(shop.person),
    ):
        assert "<script>alert" not in page.get(address).content.decode()


def test_conversations_are_found_by_person_and_number(page: Client, shop: World, bank: World) -> None:
    text = page.get(listing("conversations.Conversation"), {"q": "anna of bank"}).content.decode()
    assert (change(bank.conversation) in text, change(shop.conversation) in text) == (True, False)
    assert change(shop.conversation) in page.get(listing("conversations.Conversation"), {"person": shop.person.pk}).content.decode()


# --- files and calls --------------------------------------------------------------------------------------------------------


def test_a_file_is_given_as_a_download_to_those_who_may_see_it(
    page: Client, signed_in: Callable[..., Client], shop: World, bank: World
) -> None:
    row = Attachment(
        channel=shop.channel, message=shop.said, kind="file", name="page.html", mime="text/html", state=Attachment.State.STORED
    )
    row.file.save("x", ContentFile(b"<script>"))
    address = f"/admin/conversations/message/file/{row.uid}/"
    response: Any = page.get(address)
    assert (b"".join(response.streaming_content), response["Content-Type"], response["X-Content-Type-Options"]) == (
        b"<script>",
        "application/octet-stream",
        "nosniff",
    )
    assert response["Content-Disposition"] == 'attachment; filename="page.html"'
    assert "page.html</a>" in page.get(change(shop.conversation)).content.decode()
    assert [browser.get(address).status_code for browser in (signed_in("analyst"), signed_in("admin", bots=[bank.bot]))] == [404, 404]


def test_a_picture_is_shown_in_the_conversation_and_only_its_download_is_audited(page: Client, shop: World) -> None:
    row = Attachment(channel=shop.channel, message=shop.said, kind="image", name="a.png", mime="image/png", state=Attachment.State.STORED)
    row.file.save("x", ContentFile(b"PNG"))
    address = f"/admin/conversations/message/file/{row.uid}/"
    assert f'src="{address}?preview=1"' in page.get(change(shop.conversation)).content.decode()
    response: Any = page.get(f"{address}?preview=1")
    assert (b"".join(response.streaming_content), response["Content-Type"]) == (b"PNG", "image/png")
    assert not AuditEntry.objects.filter(action="conversations.file.opened").exists()
    b"".join(page.get(address).streaming_content)  # type: ignore[attr-defined]  # a download is a stream
    assert AuditEntry.objects.filter(action="conversations.file.opened").count() == 1


def test_a_call_is_shown_without_personal_data(page: Client, shop: World) -> None:
    call = shop.rows["conversations.Call"]
    text = page.get(change(call)).content.decode()
    assert ("https://crm.example/orders" in text, "+380501112233" in text) == (True, False)


@pytest.mark.parametrize(("answer", "count"), [("good", 1), ("bad", 0), ("none", 0), ("", 1)])
def test_calls_are_filtered_by_their_answer(page: Client, shop: World, answer: str, count: int) -> None:
    assert page.get(listing("conversations.Call"), {"answer": answer}).content.decode().count('class="data-row') == count
