"""Workers: killed in a step, right after their commit, again and again."""

from functools import partial

from faults import audit
from faults.matrix import MACHINE, Run, fault

RECOVERY = 5.0


@fault(
    "kill -9 of a worker in the middle of a step", bound=f"answered ≤ {RECOVERY:g} s after the kill, one effect", quick=True, takes=MACHINE
)
def worker_in_a_step(run: Run) -> None:
    """The worker is held where it writes the conversation: claimed, read, computed, nothing committed."""
    chats = run.people(chats=6, count=1)
    run.begun(chats, more=2)
    held = chats[0]
    sql = "SELECT 1 FROM conversations_conversation c JOIN identity_lead l ON l.id = c.lead_id WHERE l.channel_id = %s AND l.chat_id = %s FOR UPDATE OF c"
    with run.holding(sql, held.bot["channel_id"], str(held.id)):
        driver = run.driver(chats, rate=12).start()
        if run.until(lambda: run.stuck("worker"), "a worker in the step"):
            moment = run.ground.kill(run.stuck("worker"))
    run.finish(driver)
    run.within("recovery", audit.recovery(driver, moment), RECOVERY)


@fault(
    "kill -9 of a worker right after its commit", bound=f"answered ≤ {RECOVERY:g} s after the kill, one effect", quick=True, takes=MACHINE
)
def worker_after_commit(run: Run) -> None:
    """Both workers in turn, at the moment at which an item has become done."""
    chats = run.people(chats=6, count=10)
    driver = run.driver(chats, rate=7).start()
    slowest = 0.0
    moments = []
    for name in run.ground.named("worker"):
        before = _done(run, chats[0].bot["channel_id"])
        run.ground.wait(partial(_more_than, run, chats[0].bot["channel_id"], before), seconds=10, step=0.001)
        moments.append(run.ground.kill(name))
        run.ground.sleep(4)
    run.finish(driver)
    for moment in moments:
        slowest = max(slowest, audit.recovery(driver, moment))
    run.within("recovery", slowest, RECOVERY)


def _more_than(run: Run, channel_id: int, count: int) -> bool:
    return _done(run, channel_id) > count


def _done(run: Run, channel_id: int) -> int:
    return int(run.ground.value("SELECT count(*) FROM conversations_update WHERE channel_id = %s AND state = 'done'", channel_id))
