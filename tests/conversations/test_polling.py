"""Updates that are asked for: stored once, with the credentials that the channel has now, whatever strange things they hold."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress

import pytest
from django.db import InterfaceError, OperationalError
from pytest_django.fixtures import Settings

from apps.bots import connecting
from apps.bots.adapter import ConfigError, Polled
from apps.bots.models import Channel
from apps.conversations import polling
from apps.conversations.models import Message, Update
from apps.core import loop
from apps.core.claimant import Claimant
from apps.events.models import Event
from tests.conversations.sending import emulated, lose_session, sender, until
from tests.making import TELEGRAM_TOKEN, make_channel, make_lead
from tools.emulators.telegram import Control

pytestmark = pytest.mark.django_db(transaction=True)
CHAT = 540278913
OTHER_TOKEN = "654321:AAE-another_made_up_token_for_tests_x"


@pytest.fixture
def telegram(settings: Settings) -> Iterator[Control]:
    with emulated() as url:
        settings.TELEGRAM_API_URL = url
        settings.PUBLIC_URL = ""
        yield Control(url, TELEGRAM_TOKEN)


def heard() -> list[str]:
    return list(Message.objects.filter(direction="in").order_by("pk").values_list("text", flat=True))


def test_what_people_write_is_polled_and_answered(telegram: Control) -> None:
    channel = make_channel()
    connecting.connect(channel)
    telegram.text(CHAT, "hi")
    with sender():
        until(lambda: Message.objects.filter(state="sent").exists())
    assert [message["text"] for message in telegram.messages(CHAT)] == ["hi", "echo: hi"]
    assert Channel.objects.get().poll_offset > 0


def test_an_album_that_is_polled_gets_one_answer(telegram: Control) -> None:
    connecting.connect(make_channel())
    telegram.act(CHAT, "album", count=3, caption="three")
    with sender():
        until(lambda: Message.objects.filter(state="sent").exists())
    assert [message.text for message in Message.objects.filter(direction="out")] == ["echo: three"]
    assert Message.objects.filter(direction="in").count() == 3


def test_updates_that_nobody_understands_hold_nothing_up(telegram: Control) -> None:
    connecting.connect(make_channel())
    telegram.act(CHAT, "raw", update={"message": "garbage"})
    telegram.act(CHAT, "text", text="nul \x00 here")
    telegram.text(CHAT, "hi")
    with sender():
        until(lambda: len(heard()) == 2)
    assert heard() == ["nul \ufffd here", "hi"]
    assert not Update.objects.exclude(state=Update.State.DONE).exists()
    assert Event.objects.filter(kind="webhook.unknown").count() == 1


def test_another_token_is_polled_at_once_from_its_beginning(telegram: Control) -> None:
    channel = make_channel(poll_offset=900_000_000)
    connecting.connect(channel)
    second = Control(telegram.url, OTHER_TOKEN)
    second.post("bots", token=OTHER_TOKEN, username="second_bot")
    with sender():
        until(lambda: telegram.stats()["polled"])
        channel.secrets = {"token": OTHER_TOKEN}
        channel.save(update_fields=["secrets"])
        connecting.connect(channel)
        second.text(CHAT, "to the second bot")
        until(lambda: heard() == ["to the second bot"], seconds=12)


def test_a_channel_with_chats_keeps_its_account(telegram: Control) -> None:
    channel = make_channel()
    connecting.connect(channel)
    make_lead(channel)
    channel.secrets = {"token": OTHER_TOKEN}
    with pytest.raises(ConfigError, match="another account than emulated_123456_bot"):
        connecting.connect(channel)


def test_two_channels_do_not_share_an_account(telegram: Control) -> None:
    connecting.connect(make_channel())
    with pytest.raises(ConfigError, match="Another active channel uses this account already"):
        connecting.connect(make_channel())


def test_a_late_answer_for_the_old_account_does_not_move_the_new_ones_place(telegram: Control) -> None:
    channel = make_channel()
    connecting.connect(channel)
    Channel.objects.update(account={"external_id": "654321"})
    polling.store(channel, Polled(updates=({"update_id": 5, "message": "garbage"},), offset=6))
    assert (Channel.objects.get().poll_offset, channel.poll_offset) == (0, 6)


def test_a_revoked_token_turns_the_channel_red_and_it_is_in_the_log(telegram: Control) -> None:
    channel = make_channel()
    connecting.connect(channel)
    telegram.post("bots", token=TELEGRAM_TOKEN, revoked=True)
    with sender():
        until(lambda: Channel.objects.get().health == Channel.Health.FAILING)
    assert "does not know this token" in Channel.objects.get().health_text
    assert Event.objects.filter(kind="channel.failing", channel_id=channel.pk).count() == 1


def test_a_new_address_of_ours_is_told_to_the_messenger(telegram: Control, settings: Settings) -> None:
    channel = make_channel()
    connecting.connect(channel)
    settings.PUBLIC_URL = "https://bus.example"
    assert connecting.check(channel).ok
    assert telegram.stats()["webhook"]
    settings.PUBLIC_URL = ""
    assert connecting.check(channel).ok
    assert not telegram.stats()["webhook"]


def test_a_webhook_that_somebody_else_took_is_not_fought_over(telegram: Control, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://bus.example"
    channel = make_channel()
    connecting.connect(channel)
    other = make_channel(is_active=False)
    loop.run(other.adapter.activate(other.credentials, webhook_url="https://elsewhere.example/hook"))
    assert connecting.check(channel).text == "Telegram sends the updates elsewhere. Save the channel to connect it again."


def test_a_channel_whose_lock_went_with_its_session_is_polled_by_whoever_has_it_now(telegram: Control) -> None:
    channel = make_channel()
    connecting.connect(channel)

    async def story() -> list[tuple[list[int], list[int]]]:
        one, two = Claimant("one", tables=()), Claimant("two", tables=())
        first, second = polling.Pollers(one), polling.Pollers(two)
        await first.look()
        await second.look()
        polled = [(list(first.running), list(second.running))]
        await lose_session(one)
        for pollers in (second, first):
            with suppress(OperationalError, InterfaceError):
                await pollers.look()
        await first.look()
        polled.append((list(first.running), list(second.running)))
        await first.close()
        await second.close()
        await one.close()
        await two.close()
        await loop.close_connections()
        return polled

    assert asyncio.run(story()) == [([channel.pk], []), ([], [channel.pk])]
