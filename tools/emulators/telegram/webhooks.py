"""Delivery of updates: to the waiting poll, or to the webhook with repeats as Telegram's server does them."""

import asyncio
import random
import time

import aiohttp

from tools.emulators.telegram.state import Bot, Json, World

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the name of the header
LONGEST_DELAY = 60
ANSWER_TIMEOUT = 30


class Delivery:
    """Takes every new update. Updates of one chat go in order; different chats go side by side, at most `max_connections` at once."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.session: aiohttp.ClientSession | None = None
        self.chains: dict[tuple[int, int], list[Json]] = {}
        self.gates: dict[int, asyncio.Semaphore] = {}
        self.tasks: set[asyncio.Task[None]] = set()

    def push(self, bot: Bot, content: Json) -> int:
        """Give the update its id and deliver it, unless the bot asked not to get this kind. Returns the id."""
        update = {"update_id": next(bot.update_ids), **content}
        bot.history[update["update_id"]] = update
        if next(iter(content)) in bot.allowed:
            bot.updates[update["update_id"]] = update
            self.offer(bot, update)
        return int(update["update_id"])

    def offer(self, bot: Bot, update: Json) -> None:
        """Hand a waiting update to whoever takes updates now."""
        if bot.poll:
            bot.poll.wake.set()
        if bot.webhook.url:
            self.chain(bot, update)

    def resume(self, bot: Bot) -> None:
        """A webhook was set: everything that waited goes to it."""
        if bot.webhook.url:
            for update in list(bot.updates.values()):
                self.chain(bot, update)

    def chain(self, bot: Bot, update: Json) -> None:
        """Put an update behind the earlier ones of its chat."""
        key = (bot.id, chat_of(update))
        waiting = self.chains.setdefault(key, [])
        waiting.append(update)
        if len(waiting) == 1:
            self.spawn(bot, key)

    def spawn(self, bot: Bot, key: tuple[int, int]) -> None:
        """Start to work through one chat's chain."""
        task = asyncio.get_running_loop().create_task(self.drain(bot, key))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def drain(self, bot: Bot, key: tuple[int, int]) -> None:
        """Deliver one chat's updates in order until none waits or the webhook is gone."""
        waiting = self.chains[key]
        while waiting and bot.webhook.url:
            await self.deliver(bot, waiting[0])
            waiting.pop(0)
        self.chains.pop(key, None)

    async def deliver(self, bot: Bot, update: Json) -> None:
        """Post one update until it is taken; the delay doubles and the answer's Retry-After is honoured."""
        delay = self.world.options.webhook_retry
        while bot.webhook.url and update["update_id"] in bot.updates:
            status, retry_after = await self.attempt(bot, update)
            if 200 <= status < 300:  # noqa: PLR2004
                bot.updates.pop(update["update_id"], None)
                return
            await asyncio.sleep(retry_after or delay)
            delay = min(delay * 2, random.uniform(LONGEST_DELAY, 2 * LONGEST_DELAY))  # noqa: S311 - jitter

    async def attempt(self, bot: Bot, update: Json) -> tuple[int, float]:
        """One POST: HTTP status (0 = no answer) and the Retry-After in seconds (0 = none)."""
        gate = self.gates.setdefault(bot.id, asyncio.Semaphore(bot.webhook.max_connections))
        headers = {SECRET_HEADER: bot.webhook.secret} if bot.webhook.secret else {}
        try:
            async with gate, self.client().post(bot.webhook.url, json=update, headers=headers, allow_redirects=False) as answer:
                await answer.read()
                status, retry_after = answer.status, answer.headers.get("Retry-After", "")
        except (aiohttp.ClientError, TimeoutError) as error:
            note(bot, f"Connection failed: {type(error).__name__}")
            return 0, 0
        if not 200 <= status < 300:  # noqa: PLR2004
            note(bot, f"Wrong response from the webhook: {status} {answer.reason}")
        return status, float(retry_after) if retry_after.isdigit() else 0

    async def replay(self, bot: Bot, update_id: int, *, times: int, together: bool) -> list[int]:
        """Post an update again, as Telegram does when our answer got lost; returns the statuses."""
        update = bot.history[update_id]
        if together:
            return [status for status, _ in await asyncio.gather(*(self.attempt(bot, update) for _ in range(times)))]
        return [(await self.attempt(bot, update))[0] for _ in range(times)]

    def client(self) -> aiohttp.ClientSession:
        """The session of this process, made inside its loop."""
        if self.session is None:
            self.session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_TIMEOUT))
        return self.session

    async def close(self) -> None:
        """Stop delivering."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        if self.session is not None:
            await self.session.close()


def note(bot: Bot, problem: str) -> None:
    """Remember a failed attempt for getWebhookInfo."""
    bot.webhook.last_error_date, bot.webhook.last_error_message = int(time.time()), problem


def chat_of(update: Json) -> int:
    """The chat that orders an update; 0 for one without a chat."""
    for value in update.values():
        if isinstance(value, dict):
            chat = value.get("chat") or value.get("message", {}).get("chat") or {}
            return int(chat.get("id", 0))
    return 0
