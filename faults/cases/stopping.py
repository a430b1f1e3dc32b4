"""Processes that are stopped (SIGSTOP, a suspended machine) in the middle of their work and continued: others take over meanwhile, and whoever
was stopped does nothing twice afterwards.
"""

import time

from faults import audit
from faults.audit import Allowed
from faults.driver import Chat
from faults.matrix import Run, fault

LONG = 90.0
SHORT = 5.0
TAKEN_OVER = 30.0  # 15 s until the database ends the worker's transaction, 20 to 25 s until the sender counts as silent
LATE = {"do": "delay", "seconds": 3}  # taken at once, answered while the sender stands still


@fault(
    "a worker and a sender are stopped for ninety seconds in the middle of their work, then continued",
    bound=f"others take over: all answered ≤ {TAKEN_OVER:g} s after the stop, at most one extra copy",
    slow=True,
)
def stopped_for_long(run: Run) -> None:
    chats, at = _stop_both(run, seconds=LONG)
    driver = run.driver(chats, rate=10).start()
    run.finish(driver, allowed=Allowed(copies=True, late_copies=True))
    run.within("taken over", at, TAKEN_OVER)


@fault(
    "a worker and a sender are stopped for five seconds in the middle of their work, then continued",
    bound="they go on; no extra copy",
    quick=True,
    short_of="stopped-for-long",
)
def stopped_for_short(run: Run) -> None:
    chats, _at = _stop_both(run, seconds=SHORT)
    driver = run.driver(chats, rate=10).start()
    run.finish(driver)


def _stop_both(run: Run, *, seconds: float) -> tuple[list[Chat], float]:
    """The chats, each with something more to say, and how long after the stop the last one written to before it had its answer."""
    chats = run.people(chats=8, count=1)
    run.begun(chats, more=1)
    in_work, in_hand = chats[0], chats[-1]
    run.ground.messenger(in_hand.bot).script(LATE, chat_id=in_hand.id)
    first = run.driver([in_hand]).start()
    run.until(lambda: run.arrived(first, in_hand, 1), "the message at the messenger")
    sender = run.has_in_hand(in_hand) or "sender1"
    run.ground.processes[sender].pause()
    sql = "SELECT 1 FROM conversations_conversation c JOIN identity_lead l ON l.id = c.lead_id WHERE l.channel_id = %s AND l.chat_id = %s FOR UPDATE OF c"
    with run.holding(sql, in_work.bot["channel_id"], str(in_work.id)):
        driver = run.driver(chats[:-1], rate=16).start()
        run.until(lambda: run.stuck("worker"), "a worker in the step")
        worker = run.stuck("worker")
        run.ground.processes[worker].pause()
    stopped = time.time()
    run.ground.sleep(seconds)
    for name in (worker, sender):
        run.ground.processes[name].resume()
    driver.finish(seconds=60)
    taken_over = audit.recovery(driver, stopped, before=10, after=seconds)
    for chat in chats:
        chat.count += 2
    return chats, taken_over
