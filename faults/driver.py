"""Those who write: people in many chats whose updates are posted until a 2xx, and a system that calls an endpoint for each of them.

The order within a chat is kept, chats are mixed by chance, a fifth of all that was accepted is posted again (some of it at the same moment).
"""

import asyncio
import json
import random
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from faults.ground import Ground
from faults.ledgers import Messenger

Json = dict[str, Any]
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the name of the header
ANSWER_SECONDS = 30
LOOK_SECONDS = 0.02
CALL = "call"


@dataclass
class Chat:
    """One chat and what is to be said in it. `told` counts what was accepted; `replies` are the texts that must come back, in order.

    `waits`: the person writes on only after the reply. `kind`: talk, buttons, ordering, reminding or call (an endpoint is called instead).
    """

    bot: Json
    id: int
    kind: str = "talk"
    count: int = 5
    waits: bool = False
    keyless: bool = False  # call: it is posted without an idempotency key, so that each post is an event of its own
    statuses: dict[int, int] = field(default_factory=dict)  # ordering: what the CRM answers to a message where that is not 200
    effects: dict[int, int] = field(default_factory=dict)  # ordering: how often a message takes effect in the CRM where that is not once
    numbers: Sequence[int] = ()  # update ids in the order in which they are posted; () is in their order
    said: list[str] = field(default_factory=list)
    updates: list[Json] = field(default_factory=list)
    accepted_at: list[float] = field(default_factory=list)
    first_posted_at: list[float] = field(default_factory=list)

    @property
    def telegram_id(self) -> int:
        return int(self.bot["telegram_id"])

    @property
    def lane_key(self) -> str:
        """Of its row in conversations_lane."""
        return f"{self.bot['channel_id']}:{self.id}"

    def reply(self, number: int) -> str:
        """What comes back for the message of that number."""
        said = self.said[number] if number < len(self.said) else f"c{self.id}.{number}"
        if self.kind == CALL:
            return f"event:{said}"
        if self.kind == "ordering":
            return f"{number}:{said}:{self.statuses.get(number, 200) if number else 0}"
        return f"{number}:{said}"

    @property
    def heard(self) -> list[str]:
        """What must be stored as said in this chat."""
        return [] if self.kind == CALL else self.said[: len(self.accepted_at)]

    @property
    def replies(self) -> list[str]:
        replies = [self.reply(number) for number in range(len(self.accepted_at))]
        if self.kind == "reminding":
            return [text for reply in replies for text in (reply, f"late:{reply.partition(':')[2]}")]
        return replies


@dataclass(frozen=True)
class Answer:
    """One request of ours. `status` 0: no answer."""

    time: float
    ms: float
    status: int
    chat: int
    repeat: bool
    retry_after: str = ""


@dataclass
class Driver:
    """Posts in a thread of its own, so that the ground can be kept meanwhile. `rate`: updates a second over all chats; 0 = as fast as it goes."""

    ground: Ground
    chats: Sequence[Chat]
    seed: int
    rate: float = 0
    repeats: float = 0.2
    together: int = 64
    answers: list[Answer] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    stopping: bool = False

    def __post_init__(self) -> None:
        self.messenger = Messenger(self.ground.ledger)
        self.random = random.Random(self.seed)
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def start(self) -> "Driver":
        self._thread.start()
        return self

    @property
    def done(self) -> bool:
        return not self._thread.is_alive()

    @property
    def accepted(self) -> int:
        return sum(len(chat.accepted_at) for chat in self.chats)

    def replied(self, *, without: frozenset[str] = frozenset()) -> bool:
        """Whether every accepted message has been answered (at least once); `without` those whose answer may never come."""
        self.messenger.look()
        return all(
            set(chat.replies) - without <= {sent.text for sent in self.messenger.of(chat.telegram_id, chat.id)} for chat in self.chats
        )

    def run(self, *, seconds: float) -> None:
        """Start, keep the ground until everything is posted and answered; raises when that takes too long."""
        self.start()
        self.finish(seconds=seconds)

    def finish(self, *, seconds: float, without: frozenset[str] = frozenset()) -> None:
        if not self.ground.wait(lambda: self.done and self.replied(without=without), seconds=seconds, step=0.05):
            self.stopping = True
            self._thread.join(5)

    def _serve(self) -> None:
        try:
            asyncio.run(self._work())
        except Exception as error:  # noqa: BLE001  told by the audit
            self.problems.append(f"the driver broke: {type(error).__name__}: {error}")

    async def _work(self) -> None:
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        connector = aiohttp.TCPConnector(limit=self.together)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as self.session:
            self.gate = asyncio.Semaphore(self.together)
            watching = asyncio.create_task(self._watch())
            order = list(self.chats)
            self.random.shuffle(order)
            await asyncio.gather(*(self._write(chat, random.Random(f"{self.seed}:{chat.id}")) for chat in order))
            watching.cancel()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await asyncio.to_thread(self.messenger.look)

    async def _write(self, chat: Chat, chance: random.Random) -> None:
        pause = len(self.chats) / self.rate if self.rate else 0
        if pause:
            await asyncio.sleep(chance.uniform(0, pause))
        for number in range(len(chat.accepted_at), chat.count):
            if self.stopping:
                return
            update = self._next(chat, number, chance)
            chat.first_posted_at.append(time.time())
            twins = 2 if chance.random() < self.repeats / 4 else 1
            await asyncio.gather(*(self._until_taken(chat, update, repeat=twin > 0) for twin in range(twins)))
            chat.accepted_at.append(time.time())
            if chance.random() < self.repeats:
                await self._until_taken(chat, chance.choice(chat.updates), repeat=True)
            if chat.waits and not await self._reply(chat, number):
                return
            if pause:
                await asyncio.sleep(max(0.0, chance.uniform(0.5, 1.5) * pause - (time.time() - chat.first_posted_at[-1])))

    def _next(self, chat: Chat, number: int, chance: random.Random) -> Json:
        words = f"c{chat.id}.{number}"
        pressed = chat.kind == "buttons" and number > 0
        chat.said.append(chance.choice(["Yes", "No"]) if pressed else words)
        update = self._press(chat, number) if pressed else call(chat, number) if chat.kind == CALL else message(chat, number, words)
        chat.updates.append(update)
        return update

    def _press(self, chat: Chat, number: int) -> Json:
        shown = next(sent for sent in self.messenger.of(chat.telegram_id, chat.id) if sent.text == chat.reply(number - 1))
        return press(chat, number, data=shown.buttons[chat.said[number]], message_id=shown.message_id)

    async def _reply(self, chat: Chat, number: int) -> bool:
        """Wait until the reply to this message has reached the messenger."""
        wanted = chat.reply(number)
        while not self.stopping:
            rows = self.messenger.by_chat.get((chat.telegram_id, chat.id), ())
            if any(sent.text == wanted for sent in reversed(list(rows))):
                return True
            await asyncio.sleep(LOOK_SECONDS)
        return False

    async def _until_taken(self, chat: Chat, update: Json, *, repeat: bool) -> None:
        pause = 0.1
        while not self.stopping:
            async with self.gate:
                answer = await self._post(chat, update, repeat=repeat)
            self.answers.append(answer)
            if 200 <= answer.status < 300:  # noqa: PLR2004
                return
            if 400 <= answer.status < 500 and answer.status != 429:  # noqa: PLR2004
                self.problems.append(f"chat {chat.id}: refused with {answer.status}")
                return
            await asyncio.sleep(min(float(answer.retry_after or pause), 1.0))
            pause = min(pause * 1.5, 1.0)

    async def _post(self, chat: Chat, update: Json, *, repeat: bool) -> Answer:
        began, moment = time.monotonic(), time.time()
        try:
            async with self.session.post(
                self.ground.base_url + _path(chat), data=json.dumps(update["body"]), headers=_headers(chat, update)
            ) as got:
                await got.read()
                status, retry_after = got.status, got.headers.get("Retry-After", "")
        except (aiohttp.ClientError, TimeoutError, OSError):
            status, retry_after = 0, ""
        return Answer(moment, (time.monotonic() - began) * 1000, status, chat.id, repeat, retry_after)


def post(base_url: str, chat: Chat, update: Json, *, seconds: float = ANSWER_SECONDS) -> int:
    """The status of one request, from any thread; 0 when there is no answer."""
    request = urllib.request.Request(base_url + _path(chat), json.dumps(update["body"]).encode(), _headers(chat, update))  # noqa: S310  our own server
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except OSError:
        return 0


def _path(chat: Chat) -> str:
    return f"/bots/{chat.bot['bot_id']}/call/notify" if chat.kind == CALL else f"/webhooks/telegram/{chat.bot['public_id']}"


def _headers(chat: Chat, update: Json) -> dict[str, str]:
    if chat.kind == CALL:
        key = {} if chat.keyless else {"Idempotency-Key": update["key"]}
        return {"Authorization": f"Bearer {chat.bot['api_token']}", "Content-Type": "application/json", **key}
    return {SECRET_HEADER: str(chat.bot["secret"]), "Content-Type": "application/json"}


def update_id(chat: Chat, number: int) -> int:
    return chat.id * 10_000 + (chat.numbers[number] if number < len(chat.numbers) else number)


def message(chat: Chat, number: int, words: str) -> Json:
    said = {"message_id": number + 1, "from": _person(chat), "chat": _place(chat), "date": int(time.time()), "text": words}
    return {"key": f"u:{update_id(chat, number)}", "body": {"update_id": update_id(chat, number), "message": said}}


def press(chat: Chat, number: int, *, data: str, message_id: int) -> Json:
    carrier = {"message_id": message_id, "chat": _place(chat), "date": int(time.time())}
    query = {"id": f"{chat.id}{number:04d}", "from": _person(chat), "message": carrier, "chat_instance": "1", "data": data}
    return {"key": f"u:{update_id(chat, number)}", "body": {"update_id": update_id(chat, number), "callback_query": query}}


def call(chat: Chat, number: int) -> Json:
    return {"key": f"k{chat.id}-{number}", "body": {"chat_id": chat.id, "number": f"c{chat.id}.{number}"}}


def _person(chat: Chat) -> Json:
    return {"id": chat.id, "is_bot": False, "first_name": f"Person {chat.id}", "language_code": "en"}


def _place(chat: Chat) -> Json:
    return {"id": chat.id, "type": "private", "first_name": f"Person {chat.id}"}
