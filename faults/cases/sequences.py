"""Random sequences of {update, duplicate, timer, call, operator act, kill, flush, restart}: after each, every promise holds.

A sequence is fifty events drawn from its seed, for people of its own: it is the same whenever it is asked for. Twenty run side by side with the
same workers and senders (from the nursery, in a hurry: no rates, short patience), so that each also meets the kills of the others. A sequence
that fails is printed whole.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import redis

from faults import audit, dialogues, driver
from faults.audit import Allowed
from faults.cases.killing import nursery, replay
from faults.driver import Chat, Driver
from faults.matrix import KNOWN_SECONDS, MACHINE, Run, fault, next_chat_id
from faults.servants import Servant

SEQUENCES, EVENTS = 200, 50
A_FEW = 6
ABREAST = 20
PATIENCE = 30.0
LOOKS_FOR_ONE_AT_DOUBTS = 25
NEVER = 3600.0  # seconds of a timer that only fires when the sequence says so
WEIGHTS = {"update": 34, "duplicate": 14, "order": 10, "timer": 14, "call": 12, "act": 8, "kill": 4, "flush": 2, "restart": 2}
KINDS = ("worker", "sender", "worker", "sender")


def plan(seed: int, number: int) -> list[str]:
    """The events of one sequence."""
    chance = random.Random(f"sequence:{seed}:{number}")
    return chance.choices(list(WEIGHTS), list(WEIGHTS.values()), k=EVENTS)


@dataclass
class Told(Chat):
    """A chat in which colleagues speak too: `expected` is what must leave, in the order in which it was asked for."""

    expected: list[str] = field(default_factory=list)

    @property
    def replies(self) -> list[str]:
        return self.expected


@dataclass
class Cast:
    """The bots of the run, and the workers and senders of the moment; touched by the threads of all sequences."""

    run: Run
    servant: Servant
    talk: driver.Json
    ordering: driver.Json
    reminding: driver.Json
    calling: driver.Json
    callers: dict[int, int]
    living: list[tuple[str, int]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def bear(self, kind: str) -> None:
        self.living.append((kind, self.servant.ask(do="start", kind=kind, hasty=True)))

    def replace(self, chance: random.Random, how: str) -> None:
        with self.lock:
            kind, pid = self.living.pop(chance.randrange(len(self.living)))
            self.servant.ask(do=how, pid=pid)
            self.bear(kind)


@fault(f"{SEQUENCES} random sequences of {EVENTS} events", bound="every promise after each", slow=True, takes=MACHINE)
def random_sequences(run: Run) -> None:
    play(run, count=SEQUENCES)


@fault(f"{A_FEW} random sequences of {EVENTS} events", bound="every promise after each", quick=True, short_of="random-sequences")
def a_few_random_sequences(run: Run) -> None:
    play(run, count=A_FEW)


def play(run: Run, *, count: int) -> None:
    tally: Counter[str] = Counter()
    with nursery(run) as servant:
        cast = _cast(run, servant, count)
        for kind in KINDS:
            cast.bear(kind)
        for first in range(0, count, ABREAST):
            flight = [Sequenced(cast, number) for number in range(first, min(count, first + ABREAST))]
            with ThreadPoolExecutor(len(flight)) as threads:
                playing = [threads.submit(sequence.play) for sequence in flight]
                run.ground.wait(partial(_is_over, run, flight, playing), seconds=150, step=0.2)
            for sequence, played in zip(flight, playing, strict=True):
                sequence.problems += [f"{type(error).__name__}: {error}"] if (error := played.exception()) else []
                tally.update(sequence.events)
            _judge(run, flight)
            if run.problems:
                break
        for _kind, pid in cast.living:
            servant.ask(do="stop", pid=pid)
    run.measured |= {
        "events": f"{sum(tally.values()):,}",
        "kills": str(tally["kill"]),
        "restarts": str(tally["restart"]),
        "flushes": str(tally["flush"]),
    }


def _cast(run: Run, servant: Servant, count: int) -> Cast:
    callers = {number: next_chat_id() for number in range(count)}
    bot = run.ground.clerk
    cast = Cast(
        run,
        servant,
        talk=bot("bot", definition=dialogues.talk()),
        ordering=bot("bot", definition=run.dialogue("ordering")),
        reminding=bot("bot", definition=dialogues.reminding(NEVER)),
        calling=bot("bot", definition=dialogues.notifying(), chats=list(callers.values()), endpoint="notify"),
        callers=callers,
    )
    run.ground.sleep(KNOWN_SECONDS)
    return cast


class Sequenced:
    """One sequence being played; everything it posts is awaited before the next event."""

    def __init__(self, cast: Cast, number: int) -> None:
        self.cast, self.run, self.number = cast, cast.run, number
        self.events = plan(cast.run.seed, number)
        self.chance = random.Random(f"details:{cast.run.seed}:{number}")
        self.talk = [Told(cast.talk, next_chat_id()) for _ in range(3)]
        self.ordering = [Told(cast.ordering, next_chat_id(), kind="ordering")]
        self.calling = Told(cast.calling, cast.callers[number], kind="call")
        self.reminding: list[Told] = []
        self.fired: set[int] = set()
        self.posted: list[tuple[Chat, driver.Json]] = []
        self.problems: list[str] = []
        self.told_parked = 0
        self.driver = Driver(self.run.ground, [], seed=0)

    @property
    def chats(self) -> list[Told]:
        return [*self.talk, *self.ordering, self.calling, *self.reminding]

    def play(self) -> None:
        for event in self.events:
            getattr(self, event)()
            time.sleep(self.chance.uniform(0, 0.01))
        while len(self.fired) < len(self.reminding):
            self._fire()

    # --- events -------------------------------------------------------------------------------------------------------

    def update(self) -> None:
        chat = self.chance.choice(self.talk)
        self._say(chat)
        number = len(chat.accepted_at) - 1
        chat.expected.append(f"{number}:{chat.said[number]}")

    def duplicate(self) -> None:
        if self.posted:
            self._post(*self.chance.choice(self.posted))

    def order(self) -> None:
        """The next answer of somebody who waits for ours first."""
        [chat] = self.ordering
        if not chat.expected or self._came(chat, chat.expected[-1]):
            self._say(chat)
            chat.expected.append(chat.reply(len(chat.accepted_at) - 1))

    def timer(self) -> None:
        """A timer is set, or one that waits falls due."""
        if len(self.fired) < len(self.reminding) and self.chance.random() < 0.6:  # noqa: PLR2004
            self._fire()
        elif len(self.reminding) < 30:  # noqa: PLR2004
            chat = Told(self.cast.reminding, next_chat_id(), kind="reminding")
            self.reminding.append(chat)
            self._say(chat)
            chat.expected += [f"0:{chat.said[0]}", f"late:{chat.said[0]}"]

    def call(self) -> None:
        chat = self.calling
        number = len(chat.accepted_at)
        update = driver.call(chat, number)
        chat.said.append(f"c{chat.id}.{number}")
        self._post(chat, update)
        chat.accepted_at.append(time.time())
        chat.expected.append(f"event:c{chat.id}.{number}")

    def act(self) -> None:
        """A colleague speaks."""
        chat = self.chance.choice(self.talk)
        text = f"colleague {chat.id}.{len(chat.expected)}"
        self.run.ground.clerk("act", channel_id=chat.bot["channel_id"], chat=chat.id, payload={"act": "say", "content": {"text": text}})
        chat.expected.append(text)

    def kill(self) -> None:
        self.cast.replace(self.chance, "kill")

    def restart(self) -> None:
        self.cast.replace(self.chance, "stop")

    def flush(self) -> None:
        with redis.Redis.from_url(self.run.ground.redis_url) as client:
            client.flushall()

    # --- what they need -----------------------------------------------------------------------------------------------

    def _say(self, chat: Chat) -> None:
        number = len(chat.accepted_at)
        words = f"c{chat.id}.{number}"
        chat.said.append(words)
        self._post(chat, driver.message(chat, number, words))
        chat.accepted_at.append(time.time())

    def _post(self, chat: Chat, update: driver.Json) -> None:
        status = driver.post(self.run.ground.base_url, chat, update)
        if not 200 <= status < 300 and not (status == 500 and self._was_parked(chat)):  # noqa: PLR2004
            raise AssertionError(f"chat {chat.id} was answered {status}")
        self.posted.append((chat, update))

    def _was_parked(self, chat: Chat) -> bool:
        """A call that was parked because three processes died with it is answered 500; it is replayed."""
        sql = """SELECT count(*) FROM events_event e JOIN conversations_update u ON u.id = (e.details->>'update')::bigint
            JOIN conversations_lane l ON l.id = u.lane_id WHERE e.kind = 'inbox.parked' AND e.details->>'reason' LIKE '%%died%%' AND l.key = %s"""
        self.told_parked += 1
        return chat.kind == driver.CALL and self.run.ground.value(sql, chat.lane_key) >= self.told_parked

    def _fire(self) -> None:
        """The oldest timer that waits falls due, as soon as it is there."""
        number = next(n for n in range(len(self.reminding)) if n not in self.fired)
        chat = self.reminding[number]
        sql = "UPDATE conversations_timer t SET due_at = clock_timestamp() FROM conversations_lane l WHERE l.id = t.lane_id AND l.key = %s RETURNING t.id"
        end = time.monotonic() + PATIENCE
        while not self.run.ground.rows(sql, chat.lane_key):
            if time.monotonic() > end:
                raise AssertionError(f"chat {chat.id} has no timer")
            time.sleep(0.02)
        self.fired.add(number)

    def _came(self, chat: Chat, text: str) -> bool:
        """It has arrived, or people are told that this is not known: two senders were killed with it in hand, and nobody sends it a third time."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            for _look in range(LOOKS_FOR_ONE_AT_DOUBTS):
                self.driver.messenger.look()
                if any(sent.text == text for sent in self.driver.messenger.of(chat.telegram_id, chat.id)):
                    return True
                time.sleep(0.02)
            if text in audit.doubtful(self.run.ground, [chat]):
                return True
        raise AssertionError(f"chat {chat.id}: {text!r} has not come")


def _is_over(run: Run, flight: Sequence[Sequenced], playing: Sequence["Future[None]"]) -> bool:
    replay(run, [chat for sequence in flight for chat in sequence.chats])
    return all(one.done() for one in playing)


def _is_settled(run: Run, whole: Driver, allowed: Allowed) -> bool:
    """Whether all is answered and at rest; what was parked because workers died with it is replayed, as a person does."""
    replay(run, whole.chats)
    return whole.replied(without=audit.doubtful(run.ground, whole.chats)) and not list(audit.left(run.ground, whole.chats, allowed))


def _judge(run: Run, flight: Sequence[Sequenced]) -> None:
    """All chats of the flight against the database; what is wrong in a chat is told with the whole sequence that it belongs to."""
    whole = Driver(run.ground, [chat for sequence in flight for chat in sequence.chats], seed=run.seed)
    allowed = Allowed(copies=True, late_copies=True, doubts=True)
    run.ground.wait(partial(_is_settled, run, whole, allowed), seconds=PATIENCE, step=0.1)
    found = audit.audit(run.ground, whole, allowed=allowed, rates=False).problems
    for sequence in flight:
        own = [*sequence.problems, *(problem for problem in found if any(f"chat {chat.id}" in problem for chat in sequence.chats))]
        if own:
            run.problems += [f"sequence {sequence.number} of seed {run.seed}: {' '.join(sequence.events)}", *own]
    run.problems += [problem for problem in found if problem not in run.problems]
