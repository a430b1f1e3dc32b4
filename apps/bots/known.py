"""Channels with their bots, kept in memory: every message needs them, and they change seldom."""

from collections.abc import Iterable

from apps.bots.models import Bot, Channel
from apps.core.cached import CachedTable

_bots: CachedTable[dict[int, Bot]] = CachedTable(lambda: Bot, lambda: {bot.pk: bot for bot in Bot.objects.all()})
_channels: CachedTable[dict[int, Channel]] = CachedTable(
    lambda: Channel, lambda: {channel.pk: channel for channel in Channel.objects.all()}
)


def channels() -> dict[int, Channel]:
    """All channels by id, each with its bot; right within half a second after a change anywhere. Not to be changed or saved."""
    global _joined  # noqa: PLW0603  what is remembered here
    known, bots = _channels.get(), _bots.get()
    if _joined[0] is not known or _joined[1] is not bots:
        for channel in known.values():
            if channel.bot_id in bots:
                channel.bot = bots[channel.bot_id]
        _joined = (known, bots)
    return known


_joined: tuple[object, object] = (None, None)  # the channels and bots that were last put together


def among(channel_ids: Iterable[int]) -> dict[int, Channel]:
    """Those of them that exist; one that was made a moment ago is read from the database."""
    wanted, known = set(channel_ids), channels()
    found = {channel_id: known[channel_id] for channel_id in wanted if channel_id in known}
    if len(found) < len(wanted):
        found |= Channel.objects.select_related("bot").in_bulk(wanted - known.keys())
    return found
