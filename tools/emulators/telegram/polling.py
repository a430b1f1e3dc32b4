"""getUpdates: long polling with confirmation by offset."""

import asyncio
import itertools
from typing import Any

from tools.emulators.telegram.account import allow_updates
from tools.emulators.telegram.calls import Call
from tools.emulators.telegram.refusals import conflict
from tools.emulators.telegram.state import Bot, Poll, World

LIMIT = 100
LONGEST = 50


async def get_updates(_world: World, bot: Bot, call: Call) -> Any:
    """Confirm, then wait for updates; a second caller makes the first one end with 409."""
    if bot.webhook.url:
        raise conflict("can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first")
    if bot.poll:
        bot.poll.superseded = True
        bot.poll.wake.set()
    poll = bot.poll = Poll()
    try:
        allow_updates(bot, call)
        if call.integer("offset"):
            bot.confirm(call.integer("offset"))
        return await awaited_updates(bot, poll, limit=call.integer("limit", LIMIT), seconds=min(call.integer("timeout"), LONGEST))
    finally:
        if bot.poll is poll:
            bot.poll = None


async def awaited_updates(bot: Bot, poll: Poll, *, limit: int, seconds: int) -> list[dict[str, Any]]:
    """Waiting updates, at once or as soon as one arrives within `seconds`."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not bot.updates:
        try:
            async with asyncio.timeout_at(deadline):
                await poll.wake.wait()
        except TimeoutError:
            return []
        poll.wake.clear()
        if poll.superseded:
            raise conflict("terminated by other getUpdates request; make sure that only one bot instance is running")
    return list(itertools.islice(bot.updates.values(), max(1, min(limit, LIMIT))))


METHODS = {"getUpdates": get_updates}
