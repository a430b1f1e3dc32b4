"""What a messenger tells, as it stands in the conversation: files, albums, edits, blocks, moves."""

from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.bots.adapter import Inbound
from apps.bots.content import Media
from apps.bots.models import Channel
from apps.conversations import advancing, filelinks, inbox
from apps.conversations.models import Attachment, Lane, Message, Update
from apps.events.models import Event
from apps.identity.models import Lead
from tests.making import make_channel, text

pytestmark = pytest.mark.django_db(transaction=True)


def photo(name: str, *, caption: str = "", album: str = "") -> Inbound:
    media = (Media(kind="image", external=f"file-{name}", mime="image/jpeg", name=name, size=100),)
    return text(caption, external_id=name, media=media, album=album)


def arrive(channel: Channel, *inbounds: Inbound) -> None:
    """Each in a call of its own, as webhooks come; what waits for more is not waited for."""
    for inbound in inbounds:
        inbox.accept(channel, [inbound])
    Lane.objects.update(wake_at=timezone.now())
    advancing.drain()


def said(direction: str = "out") -> list[str]:
    return list(Message.objects.filter(direction=direction).order_by("seq").values_list("text", flat=True))


def test_an_album_gets_one_answer_and_all_its_files_are_fetched() -> None:
    channel = make_channel()
    arrive(channel, photo("1", caption="three", album="77"), photo("2", album="77"), photo("3", album="77"))
    assert said() == ["echo: three"]
    assert said("in") == ["three", "", ""]
    assert list(Attachment.objects.order_by("pk").values_list("external", "state")) == [(f"file-{n}", "pending") for n in "123"]


def test_an_album_waits_a_moment_for_the_rest_of_it() -> None:
    channel = make_channel()
    inbox.accept(channel, [photo("1", caption="first", album="77")])
    assert (advancing.drain(), said()) == (0, [])
    assert Lane.objects.filter(wake_at__gt=timezone.now()).count() == 1


def test_a_straggler_of_an_album_gets_no_second_answer_and_another_album_does() -> None:
    channel = make_channel()
    arrive(channel, photo("1", caption="one", album="77"))
    arrive(channel, photo("2", album="77"))
    arrive(channel, photo("3", caption="other", album="78"))
    assert said() == ["echo: one", "echo: other"]


def test_the_text_after_an_album_is_answered_too() -> None:
    channel = make_channel()
    arrive(channel, photo("1", caption="one", album="77"), photo("2", album="77"), text("and this"))
    assert said() == ["echo: one", "echo: and this"]


def test_an_edit_changes_what_people_read_and_gets_no_answer() -> None:
    channel = make_channel()
    arrive(channel, text("mistake", external_id="41"))
    arrive(channel, text("corrected", external_id="41", kind="edited"))
    assert (said("in"), said()) == (["corrected"], ["echo: mistake"])


def test_the_same_message_under_another_event_is_heard_once() -> None:
    channel = make_channel()
    arrive(channel, text("hi", external_id="41"), text("hi", external_id="41"))
    assert (said("in"), said()) == (["hi"], ["echo: hi"])


def test_a_block_makes_the_lead_inactive_until_it_comes_back() -> None:
    channel = make_channel()
    arrive(channel, text("hi"), text("", kind="blocked"))
    lead = Lead.objects.get()
    assert (lead.is_active, lead.inactive_reason) == (False, "The client blocked the bot.")
    arrive(channel, text("", kind="unblocked"))
    assert Lead.objects.get().is_active
    assert list(Event.objects.filter(kind__startswith="lead.").order_by("id").values_list("kind", flat=True)) == [
        "lead.blocked",
        "lead.unblocked",
    ]


def test_a_group_that_moves_keeps_its_lead_and_its_order() -> None:
    channel = make_channel()
    arrive(channel, text("hi", chat_id="-5", group=True), text("", chat_id="-5", kind="migrated", payload="-1005", group=True))
    arrive(channel, text("still here", chat_id="-1005", group=True))
    assert list(Lead.objects.values_list("chat_id", flat=True)) == ["-1005"]
    assert said() == ["echo: hi", "echo: still here"]


def test_a_shared_contact_is_masked_in_the_conversation_and_proves_the_phone() -> None:
    channel = make_channel()
    arrive(channel, text("", contact={"phone": "+380501112233", "name": "Anna", "own": True}))
    message = Message.objects.get(direction="in")
    assert message.content["contact"] == {"phone": "+380*******33", "name": "Anna", "own": True}
    person = Lead.objects.get().person
    assert (person.phone, person.phone_verified) == ("+380501112233", True)


def test_what_belongs_to_no_chat_is_kept_in_the_log_and_makes_nobody() -> None:
    channel = make_channel()
    unknown = [Inbound(event_key="u:1", chat_id="", kind="unknown"), Inbound(event_key="u:2", chat_id="5", kind="unknown")]
    assert inbox.of_chats(channel, [*unknown, text("hi")])[0].text == "hi"
    assert (Update.objects.count(), Lead.objects.count()) == (0, 0)
    assert [event.details["event_key"] for event in Event.objects.filter(kind="webhook.unknown").order_by("id")] == ["u:1", "u:2"]


def test_a_system_is_told_of_events_in_chats_by_the_messengers_name(settings: Settings) -> None:
    arrive(make_channel(), text("hi"))
    assert Event.objects.get(kind="message.received").source_system == "telegram"


def test_a_received_file_is_named_before_it_is_fetched(client: Client) -> None:
    arrive(make_channel(), photo("1"))
    stored = Attachment.objects.get()
    assert Message.objects.get(direction="in").content["media"][0]["uid"] == stored.uid.hex
    link = filelinks.of(stored)
    assert (client.get(link).status_code, client.get(link).headers["Retry-After"]) == (503, "2")
    stored.state, stored.name = Attachment.State.STORED, "1.jpg"
    stored.file.save("1", ContentFile(b"JPG"))
    answer: Any = client.get(link)
    assert (b"".join(answer.streaming_content), answer.headers["Content-Disposition"]) == (b"JPG", "attachment; filename*=UTF-8''1.jpg")
