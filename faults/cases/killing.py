"""Kill -9 at hundreds of random points, with a CRM that honours the idempotency key: each order takes effect once, every dialogue ends."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from faults import dialogues, ledgers
from faults.audit import Allowed
from faults.driver import Chat
from faults.matrix import CORE, Run, fault
from faults.servants import Servant

KILLS = 200
LIVES = (0.2, 2.4)  # seconds that one lives; the first tenths of them it connects
SLOW = {"do": "delay", "seconds": 0.3, "times": -1}
KINDS = ("worker", "sender", "worker", "sender")


@fault(
    f"kill -9 of workers and senders at {KILLS} random points, with calls to a CRM that honours the idempotency key",
    bound="each order has one effect, every dialogue ends, never a third copy",
    takes=CORE,
)
def killed_at_random_points(run: Run) -> None:
    """The CRM takes a moment for each answer, so that kills meet calls under way."""
    chats = run.people("ordering", chats=40, count=8, bots=4, definition=dialogues.ordering(run.ground.further_system(2)))
    run.ground.crm_control(run.ground.further_system(2)).script(SLOW)
    with nursery(run) as servant:
        driver = run.driver(chats, rate=5).start()
        kills = _kill(run, servant)
        living = [servant.ask(do="start", kind=kind) for kind in KINDS]
        replayed: list[int] = []
        given_up = 0
        end = time.monotonic() + 90
        while not driver.done and time.monotonic() < end:
            replayed.append(replay(run, chats))
            given_up = _given_up(run, chats)
            run.ground.sleep(0.5)
        run.finish(driver, seconds=150, allowed=Allowed(copies=True, late_copies=True, doubts=True))
        for pid in living:
            servant.ask(do="stop", pid=pid)
    run.measured |= {"kills": str(kills), "parked and replayed": str(sum(replayed)), "calls given up after five deaths": str(given_up)}
    run.ground.crm_control(run.ground.further_system(2)).reset()
    rows = [row for row in ledgers.lines(run.ground.crm_ledger) if row["chat"] in {str(chat.id) for chat in chats}]
    run.measured |= {"orders": str(sum(row["effect"] for row in rows)), "calls for them": str(len(rows))}


def _given_up(run: Run, chats: Sequence[Chat]) -> int:
    """Calls with which five senders died are given up: their dialogues go on by way of a failure, and the order has taken effect or not. With a CRM
    this slow and senders this short-lived one call in a few hundred comes to that.
    """
    sql = "SELECT shown->>'url' FROM conversations_call WHERE channel_id = ANY(%s) AND error LIKE '%%died again and again%%'"
    urls = [url for (url,) in run.ground.rows(sql, list({chat.bot["channel_id"] for chat in chats}))]
    effects = Counter(row["path"] for row in ledgers.lines(run.ground.crm_ledger) if row["effect"]) if urls else {}
    for url in urls:
        chat_id, number = map(int, url.rsplit("/", 2)[1:])
        chat = next(chat for chat in chats if chat.id == chat_id)
        chat.statuses[number], chat.effects[number] = 0, min(1, effects.get(f"/effects/{chat_id}/{number}", 0))
    return len(urls)


@contextmanager
def nursery(run: Run) -> Iterator[Servant]:
    """Workers and senders come from a nursery; the ground's own rest meanwhile."""
    resting = [*run.ground.named("worker"), *run.ground.named("sender")]
    servant = Servant("faults.nursery", run.ground.env, run.ground.logs / "nursery.log")
    for name in resting:
        run.ground.drop(name)
    try:
        yield servant
    finally:
        servant.close()
        for name in resting:
            run.ground.want(name)
        run.ground.await_up()


def _kill(run: Run, servant: Servant) -> int:
    """Four live side by side; each is killed after a random time and followed by another."""
    living: list[tuple[float, int, str]] = []
    kills = 0
    while kills < KILLS:
        living += [_born(run, servant, kind) for kind in KINDS[len(living) :]]
        due, pid, kind = min(living)
        run.ground.wait(partial(_is_over, due), seconds=2, step=0.002)
        servant.ask(do="kill", pid=pid)
        kills += 1
        living.remove((due, pid, kind))
        living.append(_born(run, servant, kind))
    for _due, pid, _kind in living:
        servant.ask(do="kill", pid=pid)
    return kills + len(living)


def _born(run: Run, servant: Servant, kind: str) -> tuple[float, int, str]:
    """When it is to die, its pid, its kind."""
    return time.monotonic() + run.random.uniform(*LIVES), servant.ask(do="start", kind=kind), kind


def _is_over(due: float) -> bool:
    return time.monotonic() >= due


def replay(run: Run, chats: Sequence[Chat]) -> int:
    """An item whose worker died three times is parked; a person replays it. Parked for any other reason is a complaint."""
    sql = "SELECT id, kind, error FROM conversations_update WHERE state = 'parked' AND channel_id = ANY(%s)"
    rows = run.ground.rows(sql, list({chat.bot["channel_id"] for chat in chats}))
    run.problems += sorted({f"parked {kind}: {error[:200]}" for _id, kind, error in rows if "died 3 times" not in error})
    return int(run.ground.clerk("replay", update_ids=[row[0] for row in rows])) if rows else 0
