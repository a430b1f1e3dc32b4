"""The list of faults: each is a function in `faults/cases/`, with what it promises and within which bound."""

import importlib
import pkgutil
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from faults import audit, cases, dialogues
from faults.audit import NOTHING, Allowed
from faults.driver import Chat, Driver
from faults.ground import Ground

Json = dict[str, Any]
BUSY = 1.15
CORE, MACHINE = 1, 2
KNOWN_SECONDS = 0.7  # what was published is known to every worker after half a second (apps/core/cached.py)


@dataclass(frozen=True)
class Fault:
    """`keeps` is the promise beyond the audit, `bound` what must hold in figures. `quick`: part of the tests; `slow`: takes more than a minute;
    `short_of`: the fault of the whole set of which this is a short form.
    `takes`: what it needs of the machine while others run beside it: little, a `CORE`, or all of the `MACHINE`.
    `ground`: options of a ground of its own (`ground.running`), None when it shares the common one. `skipped` says why it cannot run here.
    """

    name: str
    title: str
    bound: str
    work: Callable[["Run"], None]
    quick: bool = False
    ground: Mapping[str, Any] | None = None
    slow: bool = False
    skipped: Callable[[], str] = str
    short_of: str = ""
    takes: int = 0


FAULTS: dict[str, Fault] = {}


def fault(title: str, *, bound: str, **options: Any) -> Callable[[Callable[["Run"], None]], Callable[["Run"], None]]:
    """Put a function into the matrix under its own name."""

    def register(work: Callable[["Run"], None]) -> Callable[["Run"], None]:
        name = work.__name__.replace("_", "-")
        FAULTS[name] = Fault(name, title, bound, work, **options)
        return work

    return register


def load() -> dict[str, Fault]:
    """All faults in the order of the files and of the functions in them."""
    for module in sorted(pkgutil.iter_modules(cases.__path__), key=lambda found: found.name):
        importlib.import_module(f"faults.cases.{module.name}")
    return FAULTS


@dataclass
class Run:
    """One fault on one ground: makes people, drives them, measures, complains."""

    ground: Ground
    seed: int
    measured: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.time)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    # --- people -------------------------------------------------------------------------------------------------------

    def people(
        self, kind: str = "talk", *, chats: int = 5, count: int = 4, bots: int = 1, definition: Json | None = None, **options: Any
    ) -> list[Chat]:
        """Chats of new bots that run the dialogue of that kind."""
        options.setdefault("waits", kind in {"buttons", "ordering"})
        found: list[Chat] = []
        for number in range(bots):
            ids = [next_chat_id() for _ in range(number, chats, bots)]
            calls = {"chats": ids, "endpoint": "notify"} if kind == "call" else {}
            bot = self.ground.clerk("bot", definition=definition or self.dialogue(kind), **calls)
            found += [Chat(bot, chat_id, kind, count=count, **options) for chat_id in ids]
        self.ground.sleep(KNOWN_SECONDS)
        return found

    def dialogue(self, kind: str) -> Json:
        made: dict[str, Callable[[], Json]] = {
            "talk": dialogues.talk,
            "buttons": dialogues.buttons,
            "ordering": lambda: dialogues.ordering(self.ground.crm_url),
            "call": dialogues.notifying,
        }
        return made[kind]()

    def mixed(self, *, chats: int, count: int, bots: int = 1) -> list[Chat]:
        """All kinds of dialogues side by side."""
        kinds = ("talk", "buttons", "ordering", "call")
        return [chat for kind in kinds for chat in self.people(kind, chats=max(bots, chats // len(kinds)), count=count, bots=bots)]

    def driver(self, chats: Sequence[Chat], *, rate: float = 20, **options: Any) -> Driver:
        return Driver(self.ground, chats, seed=self.seed, rate=rate, **options)

    def begun(self, chats: Sequence[Chat], *, more: int) -> None:
        """Everybody has said all that was planned; then each will say `more` to the next driver."""
        driver = self.driver(chats, rate=0)
        driver.start().finish(seconds=60)
        self.check("the beginning was not answered", holds=driver.replied())
        for chat in chats:
            chat.count += more

    # --- verdicts -----------------------------------------------------------------------------------------------------

    def finish(self, driver: Driver, *, seconds: float = 60, allowed: Allowed = NOTHING) -> None:
        """Let the driver come to its end, then compare everything."""
        driver.finish(seconds=seconds, without=allowed.unknown | allowed.failed)
        self.settled(driver, allowed=allowed)
        found = audit.audit(self.ground, driver, allowed=allowed)
        self.problems += found.problems
        if allowed.copies:
            self.measured["extra copies"] = str(found.copies)

    def settled(self, driver: Driver, *, seconds: float = 20, allowed: Allowed = NOTHING) -> None:
        """Replies are at the messenger; give the notes about them a moment to be written."""
        known = audit.or_came_twice(driver, allowed)
        self.ground.wait(lambda: not list(audit.left(self.ground, driver.chats, known)), seconds=seconds, step=0.1)

    def within(self, name: str, value: float, bound: float, *, since: float | None = None) -> None:
        """Seconds against a bound, which stretches by what strangers took of the machine since then (see `strangers`)."""
        slack = self.ground.strangers.slack(self.began if since is None else since)
        self.measured[name] = f"{value:.2f} s" + (f" (machine {slack:.1f} × slower)" if slack > BUSY else "")
        if value > bound * slack:
            self.problems.append(f"{name} {value:.2f} s is over {bound:g} s × {slack:.2f}")

    def check(self, complaint: str, *, holds: bool) -> None:
        if not holds:
            self.problems.append(complaint)

    def until(self, condition: Callable[[], object], what: str, *, seconds: float = 20) -> bool:
        came = self.ground.wait(condition, seconds=seconds)
        self.check(f"{what} did not happen within {seconds:g} s", holds=came)
        return came

    # --- holding processes at exact places ----------------------------------------------------------------------------

    @contextmanager
    def holding(self, sql: str, *params: object) -> Iterator[None]:
        """Row or table locks held for the length of the block: whoever needs them stops right there."""
        with self.ground.database(autocommit=False) as connection:
            connection.execute(sql.encode(), params)
            yield
            connection.rollback()

    def stuck(self, kind: str) -> str:
        """Name of the process of that kind whose session waits for a lock, or ""."""
        rows = self.ground.rows(
            "SELECT application_name FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND wait_event <> 'advisory' AND application_name LIKE %s",
            kind + "%",
        )
        return str(rows[0][0]) if rows else ""

    def has_in_hand(self, chat: Chat) -> str:
        """Name of the sender that has claimed a message of this chat, or ""."""
        rows = self.ground.rows(
            "SELECT a.application_name FROM conversations_outbox o JOIN pg_locks l ON l.locktype = 'advisory' AND l.objsubid = 2 "
            "AND l.objid::bigint = o.claimed_by JOIN pg_stat_activity a ON a.pid = l.pid WHERE o.channel_id = %s AND o.chat_id = %s",
            chat.bot["channel_id"], str(chat.id),
        )  # fmt: skip
        return str(rows[0][0]) if rows else ""

    def arrived(self, driver: Driver, chat: Chat, number: int, times: int = 1) -> bool:
        """Whether the reply to that message has reached the messenger so often."""
        driver.messenger.look()
        wanted = chat.reply(number)
        return sum(sent.text == wanted for sent in driver.messenger.of(chat.telegram_id, chat.id)) >= times


_chat_ids = iter(range(1001, 10_000_000))


def next_chat_id() -> int:
    return next(_chat_ids)


@dataclass(frozen=True)
class Verdict:
    """How a fault ended."""

    name: str
    seed: int
    seconds: float
    measured: dict[str, str]
    problems: list[str]
    skipped: str = ""

    @property
    def held(self) -> bool:
        return not self.problems and not self.skipped


def judge(found: Fault, ground: Ground | None, seed: int) -> Verdict:
    """Run one fault. Whatever breaks in it is a complaint, not the end of the matrix. Without a ground it cannot run here."""
    why = found.skipped()
    if why or ground is None:
        return Verdict(found.name, seed, 0, {}, [], skipped=why)
    run = Run(ground, seed)
    audit.forget_overlaps(ground)
    began = time.monotonic()
    try:
        found.work(run)
    except Exception as error:  # noqa: BLE001  told with the others
        run.problems.append(f"{type(error).__name__}: {error}")
    return Verdict(found.name, seed, time.monotonic() - began, run.measured, run.problems)
