"""Channels that have no webhook are polled. One process polls a channel: it holds the channel's session-scoped advisory lock."""

import asyncio
from dataclasses import dataclass

import structlog
from django.conf import settings
from django.db import connection, transaction

from apps.bots import connecting
from apps.bots.adapter import ConfigError, Credentials, Health, Polled, RateLimitedError, SendError
from apps.bots.models import Channel
from apps.bots.registry import adapters
from apps.conversations import inbox
from apps.core import strictjson
from apps.core.claimant import Claimant

logger = structlog.get_logger(__name__)

LOCK_CLASS = 0x1A52  # beside those of claimants.py
LOOK_SECONDS = 3.0


@dataclass
class Poller:
    """A channel that is polled, with the credentials that it had and the identity whose session holds its lock."""

    credentials: Credentials
    identity: int
    task: asyncio.Task[None]


class Pollers:
    """The channels that this process polls. `look` each few seconds; `close` at the end."""

    def __init__(self, claimant: Claimant) -> None:
        self._claimant = claimant
        self.running: dict[int, Poller] = {}

    async def look(self) -> None:
        """Poll each channel that wants it and that no other process polls. What was given other credentials, or was polled under a lock that
        went with its session, begins anew: another process may have it by now.
        """
        channels = {channel.pk: channel for channel in await self._claimant.run(pollable)}
        for channel_id, poller in list(self.running.items()):
            present, identity = channels.get(channel_id), self._claimant.identity
            if present and present.credentials == poller.credentials and poller.identity == identity and not poller.task.done():
                del channels[channel_id]
                continue
            poller.task.cancel()
            del self.running[channel_id]
            if poller.identity == identity:
                await self._claimant.run(leave, channel_id)
        for channel in channels.values():
            if await self._claimant.run(take, channel.pk):
                task = asyncio.create_task(poll_for_ever(channel, self._claimant))
                self.running[channel.pk] = Poller(channel.credentials, self._claimant.identity, task)

    async def close(self) -> None:
        tasks = [poller.task for poller in self.running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def pollable() -> list[Channel]:
    """Active channels whose messenger can be polled while the installation has no public address."""
    if settings.PUBLIC_URL:
        return []
    kinds = [kind for kind, adapter in adapters.items() if adapter.polls]
    return list(Channel.objects.select_related("bot").filter(kind__in=kinds, is_active=True))


def take(channel_id: int) -> bool:
    """Become the poller of this channel, unless another process is."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK_CLASS, channel_id])
        return bool(cursor.fetchone()[0])


def leave(channel_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK_CLASS, channel_id])


def store(channel: Channel, polled: Polled) -> None:
    """Accept polled updates and remember how far we are, in one transaction: only then are they confirmed to the messenger."""
    if not polled.updates:
        return
    with transaction.atomic():
        for payload in polled.updates:
            inbox.accept(channel, inbox.of_chats(channel, channel.adapter.parse(strictjson.cleaned(payload))))
        account_id = channel.account.get("external_id")  # another account, given to the channel meanwhile, counts by itself
        known = Channel.objects.filter(pk=channel.pk, **({"account__external_id": account_id} if account_id else {}))
        known.update(poll_offset=polled.offset)
    channel.poll_offset = polled.offset


async def poll_for_ever(channel: Channel, claimant: Claimant) -> None:
    """Long-poll one channel, with the credentials that it has now, until cancelled. A wrong token turns the channel red and is tried again
    later.
    """
    while True:
        try:
            polled = await channel.adapter.poll(channel.credentials, offset=channel.poll_offset)
            await claimant.run(store, channel, polled)
        except RateLimitedError as error:
            await asyncio.sleep(error.retry_after)
        except ConfigError as error:
            await claimant.run(_failing, channel, error.reason)
            await asyncio.sleep(30)
        except SendError as error:
            logger.info("polling failed; trying again", channel=channel.pk, reason=error.reason)
            await asyncio.sleep(3)


def _failing(channel: Channel, reason: str) -> None:
    present = Channel.objects.get(pk=channel.pk)
    connecting.note(present, Health(ok=False, text=reason), asked_at=present.health_at)
