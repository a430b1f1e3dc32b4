"""The random run: three thousand updates of a hundred and fifty people while something dies, stops or forgets every few seconds."""

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import psycopg
import redis

from faults import audit
from faults.audit import Allowed
from faults.driver import Driver
from faults.matrix import CORE, Run, fault

UPDATES, CHATS, BLOWS = 3000, 150, 40
KINDS = {"talk": 38, "buttons": 37, "ordering": 37, "call": 38}
RATE = 26.0
RECOVERY = 15.0
DEADLY = ("kill worker1", "kill worker2", "kill sender1", "kill sender2", "kill web1", "kill beat1", "crash postgres", "kill redis")
OTHERS = ("flush redis", "end sessions", "stop worker1", "stop sender2")


@dataclass(frozen=True)
class Blow:
    """After `pause` seconds, do it."""

    pause: float
    what: str


def plan(seed: int) -> list[Blow]:
    """The same for the same seed: at least thirty of the forty kill something."""
    chance = random.Random(f"blows:{seed}")
    whats = [chance.choice(DEADLY) for _ in range(32)] + [chance.choice(OTHERS) for _ in range(BLOWS - 32)]
    chance.shuffle(whats)
    return [Blow(chance.uniform(1.0, 4.0), what) for what in whats]


@fault(
    f"random run: {UPDATES:,} updates, {CHATS} chats, {BLOWS} blows, 32 of them kills",
    bound=f"all promises; all answered ≤ {RECOVERY:g} s after the last blow",
    slow=True,
    takes=CORE,
)
def random_run(run: Run) -> None:
    chats = [chat for kind, count in KINDS.items() for chat in run.people(kind, chats=count, count=UPDATES // CHATS, bots=3)]
    driver = run.driver(chats, rate=RATE).start()
    blows = plan(run.seed)
    for blow in blows:
        run.ground.sleep(blow.pause)
        strike(run, blow.what)
    last = time.time()
    run.finish(driver, seconds=240, allowed=Allowed(copies=True, late_copies=True, doubts=True))
    run.measured |= _told(driver, blows)
    run.within("recovery", audit.recovery(driver, last, before=10), RECOVERY)


def strike(run: Run, what: str) -> None:
    act, _space, whom = what.partition(" ")
    ground = run.ground
    acts: dict[str, Callable[[], object]] = {
        "crash postgres": partial(_crash, run),
        "kill redis": partial(_kill_redis, run),
        "flush redis": lambda: redis.Redis.from_url(ground.redis_url).flushall(),
        "end sessions": lambda: ground.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name <> '' AND pid <> pg_backend_pid()"
        ),
    }
    if what in acts:
        acts[what]()
    elif act == "kill":
        ground.kill(whom)
    else:
        ground.processes[whom].pause()
        ground.sleep(1.5)
        ground.processes[whom].resume()


def _crash(run: Run) -> None:
    run.ground.postgres.kill()
    run.ground.sleep(0.5)
    run.ground.postgres.start()
    run.until(partial(_answers, run), "PostgreSQL", seconds=40)


def _answers(run: Run) -> bool:
    try:
        return bool(run.ground.value("SELECT 1"))
    except psycopg.Error:
        return False


def _kill_redis(run: Run) -> None:
    run.ground.valkey.kill()
    run.ground.sleep(1.0)
    run.ground.valkey.start()


def _told(driver: Driver, blows: Sequence[Blow]) -> dict[str, str]:
    counted = Counter(blow.what.partition(" ")[0] for blow in blows)
    doubled = Counter(answer.repeat for answer in driver.answers)
    return {
        "updates": f"{driver.accepted:,}",
        "posts": f"{len(driver.answers):,} ({doubled[True]:,} repeats)",
        "blows": ", ".join(f"{count} × {what}" for what, count in sorted(counted.items())),
    }
