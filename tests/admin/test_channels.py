"""A channel is saved when the messenger confirms it; its secrets are never shown; its health is checked and told."""

from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from apps.bots import connecting
from apps.bots.adapter import Health, SendError
from apps.bots.models import Bot, Channel
from apps.bots.tasks import check_channels
from apps.core import loop
from apps.core.models import AuditEntry
from apps.events.models import Event
from tests.admin.conftest import act, change, listing, told
from tests.making import TELEGRAM_TOKEN, make_bot, make_channel, make_lead
from tools.emulators.telegram import Emulator, Options, running

pytestmark = pytest.mark.django_db
ADD = "/admin/bots/channel/add/"
TELEGRAM = f"{ADD}?kind=telegram"


@pytest.fixture
def telegram(settings: Settings) -> Iterator[Emulator]:
    """A Telegram on loopback that runs beside the test."""
    manager: AbstractAsyncContextManager[Emulator] = running(options=Options(webhook_retry=0.02))
    emulator = loop.run(_enter(manager))
    settings.TELEGRAM_API_URL = emulator.url
    yield emulator
    loop.run(_leave(manager))


async def _enter(manager: AbstractAsyncContextManager[Emulator]) -> Emulator:
    return await manager.__aenter__()


async def _leave(manager: AbstractAsyncContextManager[Emulator]) -> None:
    await manager.__aexit__(None, None, None)


@pytest.fixture
def bot(db: None) -> Bot:
    return make_bot(name="Shop")


def form(bot: Bot, **fields: Any) -> dict[str, Any]:
    return {"bot": bot.pk, "name": "Shop in Telegram", "is_active": "on", "config_previews": "on", "secret_token": TELEGRAM_TOKEN, **fields}


def test_first_a_messenger_is_chosen(page: Client) -> None:
    text = page.get(ADD).content.decode()
    assert all(f'href="?kind={kind}"' in text for kind in ("api", "telegram", "widget"))
    assert page.get(f"{ADD}?kind=carrier-pigeon").context["choices"]


def test_the_form_has_a_field_for_each_setting_and_secret(page: Client) -> None:
    fields = page.get(TELEGRAM).context["adminform"].form.fields
    assert list(fields) == ["bot", "name", "is_active", "secret_token", "config_previews"]
    assert list(page.get(f"{ADD}?kind=widget").context["adminform"].form.fields)[3:] == [
        "secret_identity_secret", "secret_identity_secret_previous", "config_title", "config_greeting", "config_color", "config_allowed_hosts",
    ]  # fmt: skip


def test_a_saved_channel_says_as_whom_it_is_connected(page: Client, bot: Bot, telegram: Emulator) -> None:
    response = page.post(TELEGRAM, form(bot), follow=True)
    channel = Channel.objects.get()
    username = channel.account["username"]
    assert f"Connected as @{username}." in told(response)
    assert (channel.health, channel.secrets, channel.config) == (Channel.Health.OK, {"token": TELEGRAM_TOKEN}, {"previews": True})
    assert f"@{username}" in page.get(listing("bots.Channel")).content.decode()


def test_wrong_credentials_keep_the_form_and_save_nothing(page: Client, bot: Bot, telegram: Emulator) -> None:
    telegram.world.bot(TELEGRAM_TOKEN).revoked = True  # type: ignore[union-attr]
    response = page.post(TELEGRAM, form(bot, name="Kept name"))
    text = response.content.decode()
    assert Channel.objects.count() == 0
    assert "Telegram does not know this token." in text
    assert 'value="Kept name"' in text
    assert TELEGRAM_TOKEN not in text


def test_an_inactive_channel_is_saved_without_asking_the_messenger(page: Client, bot: Bot, telegram: Emulator) -> None:
    telegram.world.bot(TELEGRAM_TOKEN).revoked = True  # type: ignore[union-attr]
    response = page.post(TELEGRAM, form(bot, is_active=""), follow=True)
    assert told(response)[0] == "Saved, not checked: the channel is inactive and neither receives nor sends."
    assert Channel.objects.get().health == Channel.Health.UNKNOWN


@pytest.mark.parametrize(
    ("token", "why"), [("", "This is needed."), ("nonsense", "This does not have the right form. Copy it again, whole.")]
)
def test_a_token_of_a_wrong_form_is_refused_at_its_field(page: Client, bot: Bot, token: str, why: str) -> None:
    errors = page.post(TELEGRAM, form(bot, secret_token=token)).context["adminform"].form.errors
    assert errors == {"secret_token": [why]}


def test_a_stored_secret_is_never_shown_and_kept_when_left_empty(page: Client, bot: Bot, telegram: Emulator) -> None:
    page.post(TELEGRAM, form(bot))
    channel = Channel.objects.get()
    text = page.get(change(channel)).content.decode()
    assert TELEGRAM_TOKEN not in text
    assert "A value is stored. Leave empty to keep it." in text
    page.post(change(channel), form(bot, name="Renamed", secret_token=""))
    channel.refresh_from_db()
    assert (channel.name, channel.secrets) == ("Renamed", {"token": TELEGRAM_TOKEN})


def test_the_history_says_that_a_secret_was_changed_and_not_what_it_is(page: Client, bot: Bot, telegram: Emulator) -> None:
    page.post(TELEGRAM, form(bot))
    channel = Channel.objects.get()
    page.post(change(channel), form(bot, secret_token=f"{TELEGRAM_TOKEN}2"))
    text = page.get(f"/admin/bots/channel/{channel.pk}/history/").content.decode()
    assert "changed: Bot token" in text
    assert TELEGRAM_TOKEN not in text


def test_lists_of_texts_are_typed_one_a_line(page: Client, bot: Bot) -> None:
    fields = {
        "bot": bot.pk,
        "name": "Chat",
        "is_active": "on",
        "config_color": "#112233",
        "config_allowed_hosts": "shop.example\n\n www.shop.example ",
    }
    page.post(f"{ADD}?kind=widget", fields)
    channel = Channel.objects.get()
    assert (channel.kind, channel.config["allowed_hosts"], channel.config["color"]) == (
        "widget",
        ["shop.example", "www.shop.example"],
        "#112233",
    )
    assert "shop.example\nwww.shop.example" in page.get(change(channel)).content.decode()


def test_a_host_that_is_none_is_refused_at_its_field(page: Client, bot: Bot) -> None:
    fields = {
        "bot": bot.pk,
        "name": "Chat",
        "is_active": "on",
        "config_color": "#112233",
        "config_allowed_hosts": "shop.example\nhttps://bad host",
    }
    errors = page.post(f"{ADD}?kind=widget", fields).context["adminform"].form.errors
    assert errors == {"config_allowed_hosts": ["“https://bad host” is no host of a web page. Write it like shop.example, without a path."]}


def test_one_account_is_not_connected_twice(page: Client, bot: Bot, telegram: Emulator) -> None:
    page.post(TELEGRAM, form(bot))
    text = page.post(TELEGRAM, form(bot, name="Once more")).content.decode()
    assert (Channel.objects.count(), "Another active channel uses this account already." in text) == (1, True)


def test_a_channel_with_chats_does_not_change_its_account(page: Client, bot: Bot, telegram: Emulator) -> None:
    page.post(TELEGRAM, form(bot))
    channel = Channel.objects.get()
    make_lead(channel)
    text = page.post(change(channel), form(bot, secret_token="777:AAE-of_quite_another_bot_for_tests_xx")).content.decode()
    assert "This is another account than emulated_123456_bot, with whose chats the channel works." in text
    assert Channel.objects.get().secrets == {"token": TELEGRAM_TOKEN}


def test_the_page_of_a_web_chat_shows_its_tag(page: Client, bot: Bot) -> None:
    channel = make_channel(bot, kind="widget")
    text = page.get(change(channel)).content.decode()
    tag = f"&lt;script src=&quot;http://testserver/widget/v1/widget.js&quot; data-key=&quot;wk_{channel.public_id.hex}&quot; async&gt;&lt;/script&gt;"
    assert tag in text


def test_who_may_only_look_sees_the_settings_without_secrets(signed_in: Callable[..., Client], bot: Bot) -> None:
    channel = make_channel(bot, config={"previews": False})
    text = signed_in("analyst").get(change(channel)).content.decode()
    assert ("previews: False" in text, TELEGRAM_TOKEN in text, 'name="secret_token"' in text) == (True, False, False)


def test_a_channel_cannot_be_put_into_a_foreign_bot(signed_in: Callable[..., Client], bot: Bot) -> None:
    other = make_bot(name="Bank")
    browser = signed_in("admin", bots=[bot])
    response = browser.post(f"{ADD}?kind=widget", {"bot": other.pk, "name": "Chat", "is_active": "on", "config_color": "#112233"})
    assert list(response.context["adminform"].form.errors) == ["bot"]
    assert Channel.objects.count() == 0


# --- acts ---------------------------------------------------------------------------------------------------------------


def test_pause_and_resume(page: Client, bot: Bot) -> None:
    channel = make_channel(bot, kind="widget")
    page.post(act(channel, "pause"))
    channel.refresh_from_db()
    assert (channel.is_active, channel.health) == (False, Channel.Health.PAUSED)
    assert "Connected as Web chat." in told(page.post(act(channel, "resume"), follow=True))
    channel.refresh_from_db()
    assert (channel.is_active, channel.health) == (True, Channel.Health.OK)
    assert list(AuditEntry.objects.filter(action__startswith="bots.").order_by("pk").values_list("action", flat=True)) == [
        "bots.channel.pause",
        "bots.channel.resume",
    ]


def test_a_channel_that_cannot_connect_is_not_resumed(page: Client, bot: Bot, telegram: Emulator) -> None:
    telegram.world.bot(TELEGRAM_TOKEN).revoked = True  # type: ignore[union-attr]
    channel = make_channel(bot, is_active=False)
    assert told(page.post(act(channel, "resume"), follow=True))[0].startswith("Not resumed: Telegram does not know this token.")
    assert not Channel.objects.get(pk=channel.pk).is_active


def test_an_act_wants_post_and_the_right(page: Client, signed_in: Callable[..., Client], bot: Bot) -> None:
    channel = make_channel(bot, kind="widget")
    assert page.get(act(channel, "pause")).status_code == 405
    assert page.post(act(channel, "explode")).status_code == 404
    assert signed_in("analyst").post(act(channel, "pause")).status_code == 403
    assert signed_in("admin", bots=[make_bot()]).post(act(channel, "pause")).status_code == 404
    assert Channel.objects.get(pk=channel.pk).is_active


def test_an_act_that_came_too_late_says_so(page: Client, bot: Bot) -> None:
    channel = make_channel(bot, kind="widget", is_active=False)
    assert told(page.post(act(channel, "pause"), follow=True)) == [
        "This is not possible any more: the row has changed meanwhile. Look at its present state.",
    ]


def test_several_channels_are_checked_at_once(page: Client, bot: Bot, telegram: Emulator) -> None:
    telegram.world.bot(TELEGRAM_TOKEN).revoked = True  # type: ignore[union-attr]
    rows = [make_channel(bot), make_channel(bot, kind="widget"), make_channel(bot, kind="widget", is_active=False)]
    data = {"action": "check_now", "_selected_action": [row.pk for row in rows]}
    assert told(page.post(listing("bots.Channel"), data, follow=True)) == ["2 channels checked: 1 fails."]


# --- health ---------------------------------------------------------------------------------------------------------------


def test_a_check_notes_what_the_messenger_says_and_tells_changes_once(bot: Bot, telegram: Emulator) -> None:
    channel = make_channel(bot)
    assert connecting.check(channel) == Health(ok=True)
    account = telegram.world.bot(TELEGRAM_TOKEN)
    account.revoked = True  # type: ignore[union-attr]
    for _time in range(2):
        assert not connecting.check(Channel.objects.get(pk=channel.pk)).ok
    account.revoked = False  # type: ignore[union-attr]
    connecting.check(Channel.objects.get(pk=channel.pk))
    kinds = list(Event.objects.filter(channel_id=channel.pk).order_by("pk").values_list("kind", "status"))
    assert kinds == [("channel.failing", "fail"), ("channel.recovered", "success")]


def test_a_channel_that_works_again_sends_at_once(bot: Bot) -> None:
    later = timezone.now() + timedelta(hours=1)
    failing = make_channel(bot, kind="widget", health=Channel.Health.FAILING, paused_until=later, account={"name": "x"})
    paused = make_channel(bot, kind="widget", health=Channel.Health.OK, paused_until=later, account={"name": "x"})
    connecting.check_all([failing, paused])
    assert [Channel.objects.get(pk=row.pk).paused_until for row in (failing, paused)] == [None, later]


def test_a_newer_note_of_the_sender_is_not_overwritten(bot: Bot) -> None:
    channel = make_channel(bot, kind="widget", account={"name": "x"})
    Channel.objects.filter(pk=channel.pk).update(health=Channel.Health.FAILING, health_text="401", health_at=timezone.now())
    connecting.check(channel)
    assert Channel.objects.get(pk=channel.pk).health_text == "401"


def test_a_messenger_that_hangs_is_given_up_after_a_while(bot: Bot, telegram: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "CONNECT_SECONDS", 0.2)
    telegram.options.delay = 5
    with pytest.raises(SendError, match="did not answer within"):
        connecting.connect(make_channel(bot))
    assert Channel.objects.get().health == Channel.Health.FAILING


def test_whatever_breaks_in_an_adapter_is_told_as_trouble_of_its_channel(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    channel = make_channel(bot, kind="widget", account={"name": "x"})

    async def broken(*_args: object, **_kwargs: object) -> Health:
        raise ZeroDivisionError

    monkeypatch.setattr(type(channel.adapter), "health", broken)
    assert connecting.check(channel) == Health(
        ok=False, text="The channel could not be checked (ZeroDivisionError). Look into its settings."
    )


def test_beat_checks_active_channels_of_active_bots_only(bot: Bot) -> None:
    wanted = make_channel(bot, kind="widget")
    others = [make_channel(bot, kind="widget", is_active=False), make_channel(make_bot(is_active=False), kind="widget")]
    Channel.objects.bulk_create([Channel(bot=bot, kind="forgotten", name="Gone")])
    assert check_channels() == 0
    assert [Channel.objects.get(pk=row.pk).health_at is not None for row in (wanted, *others)] == [True, False, False]
