"""Is a channel connected? Asked when it is saved, and of every active channel each half minute, so that a failing one is red within 60 s."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, TypeVar

from django.utils import timezone
from django.utils.translation import gettext as _

from apps.bots.adapter import Account, ConfigError, Health, RetryError, SendError
from apps.bots.models import Channel
from apps.core import loop
from apps.events import recording

CONNECT_SECONDS = 10
T = TypeVar("T")


def connect(channel: Channel) -> Account:
    """Check the credentials with the messenger, tell it where to send, and note on the channel as whom we are connected.

    The channel may be unsaved: then the notes are only set on it. Raises `SendError` with a text for people after noting the failure.
    """
    asked_at = channel.health_at
    try:
        _check_account(channel)
        account = loop.run(_activate(channel))
    except SendError as error:
        note(channel, Health(ok=False, text=error.reason), asked_at=asked_at)
        raise
    _keep_account(channel, account)
    note(channel, Health(ok=True), asked_at=asked_at)
    return account


def check(channel: Channel) -> Health:
    """How the messenger sees this channel now, noted on it."""
    return check_all([channel])[0]


def check_all(channels: Sequence[Channel]) -> list[Health]:
    """`check` for many at once: a messenger that hangs costs `CONNECT_SECONDS` for all of them together, not for each."""
    found = loop.run(_ask_all(channels)) if channels else []
    for channel, (health, account) in zip(channels, found, strict=True):
        if account is not None:
            _keep_account(channel, account)
        note(channel, health, asked_at=channel.health_at)
    return [health for health, _account in found]


def note(channel: Channel, health: Health, *, asked_at: datetime | None) -> None:
    """Store what was found, unless the sender has noted something newer meanwhile; a change of state is an event of the log.

    A channel that had failed and works again sends at once; a pause that the messenger itself asked for stays.
    """
    was_failing = channel.health == Channel.Health.FAILING
    channel.health = Channel.Health.OK if health.ok else Channel.Health.FAILING
    channel.health_text, channel.health_at = health.text[:500], timezone.now()
    fields: dict[str, Any] = {"health": channel.health, "health_text": channel.health_text, "health_at": channel.health_at}
    if health.ok and was_failing:
        channel.paused_until = fields["paused_until"] = None
    if not channel.pk or not Channel.objects.filter(pk=channel.pk, health_at=asked_at).update(**fields):
        return
    if was_failing == health.ok:
        recording.record(
            "channel.recovered" if health.ok else "channel.failing", status="success" if health.ok else "fail", bot_id=channel.bot_id,
            channel_id=channel.pk, details={"reason": health.text} if health.text else {},
        )  # fmt: skip


def _check_account(channel: Channel) -> None:
    """Two channels with one account would take each other's messages; another account in an old channel counts messages and chats anew, so
    that some would be taken for repeats.
    """
    account_id, known_id = channel.adapter.account_id(channel.credentials), channel.account.get("external_id")
    if account_id and known_id and account_id != known_id and channel.adapter.keeps_account and channel.pk and channel.leads.exists():
        raise ConfigError(
            _("This is another account than %(name)s, with whose chats the channel works. Make a new channel for it.")
            % {"name": channel.account.get("username") or channel.account.get("name")}
        )
    others = Channel.objects.filter(kind=channel.kind, is_active=True, account__external_id=account_id).exclude(pk=channel.pk)
    if account_id and others.exists():
        raise ConfigError(_("Another active channel uses this account already. Pause that channel first, or take another account."))


def _keep_account(channel: Channel, account: Account) -> None:
    """Note who we are there and which address of ours the messenger was told. What was polled so far says nothing about another account."""
    changed = channel.account.get("external_id", account.external_id) != account.external_id
    channel.account = {**asdict(account), "webhook_url": channel.webhook_url}
    fields: dict[str, Any] = {"account": channel.account}
    if changed:
        channel.poll_offset = fields["poll_offset"] = 0
    if channel.pk:
        Channel.objects.filter(pk=channel.pk).update(**fields)


async def _activate(channel: Channel) -> Account:
    return await _limited(channel.adapter.activate(channel.credentials, webhook_url=channel.webhook_url))


async def _ask_all(channels: Sequence[Channel]) -> list[tuple[Health, Account | None]]:
    return list(await asyncio.gather(*(_ask(channel) for channel in channels)))


async def _ask(channel: Channel) -> tuple[Health, Account | None]:
    """A channel that was never connected (it came from a file), or not since our own address changed, is connected now; the account is then
    told too.
    """
    try:
        if not channel.account or channel.account.get("webhook_url", "") != channel.webhook_url:
            return Health(ok=True), await _activate(channel)
        return await _limited(channel.adapter.health(channel.credentials, webhook_url=channel.webhook_url)), None
    except SendError as error:
        return Health(ok=False, text=error.reason), None


async def _limited(work: Coroutine[Any, Any, T]) -> T:
    """Whatever goes wrong in an adapter becomes a `SendError`: a check must name the trouble of one channel, not stop all."""
    try:
        return await asyncio.wait_for(work, CONNECT_SECONDS)
    except SendError:
        raise
    except TimeoutError:
        raise RetryError(
            _("The messenger did not answer within %(seconds)s seconds. Try again later.") % {"seconds": CONNECT_SECONDS}
        ) from None
    except OSError as error:
        raise RetryError(
            _("The messenger cannot be reached (%(error)s). Check the server's network.") % {"error": type(error).__name__}
        ) from error
    except Exception as error:
        raise ConfigError(
            _("The channel could not be checked (%(error)s). Look into its settings.") % {"error": type(error).__name__}
        ) from error
