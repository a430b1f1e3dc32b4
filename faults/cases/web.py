"""The web process: killed before and after its commit."""

from faults import audit
from faults.driver import Chat, Driver
from faults.matrix import MACHINE, Run, fault

RECOVERY = 5.0


@fault(
    "kill -9 of the web process before its commit",
    bound=f"2xx again ≤ {RECOVERY:g} s, the update has one effect",
    quick=True,
    takes=MACHINE,
)
def web_before_commit(run: Run) -> None:
    """A thread of the web process is held where it marks the chat's lane; nothing is committed, so nobody was told 2xx."""
    chats = run.people(chats=4, count=1)
    run.begun(chats, more=2)
    held = chats[0]
    with run.holding("SELECT 1 FROM conversations_lane WHERE key = %s FOR UPDATE", held.lane_key):
        driver = run.driver(chats, rate=8).start()
        run.until(lambda: run.stuck("web"), "a request before its commit")
        moment = run.ground.kill("web1")
    run.finish(driver)
    run.within("recovery", _again(driver, moment), RECOVERY)


@fault(
    "kill -9 of the web process after its commit, before its answer",
    bound=f"2xx again ≤ {RECOVERY:g} s, the update has one effect",
    quick=True,
    takes=MACHINE,
)
def web_after_commit(run: Run) -> None:
    """Redis is frozen, so that the request stands at its hint: the update is stored, the messenger was not answered and posts it again."""
    chats = run.people(chats=4, count=1)
    run.begun(chats, more=2)
    held = chats[0]
    run.ground.valkey.pause()
    driver = run.driver(chats, rate=8).start()
    run.until(lambda: _stored(run, held) > len(held.accepted_at), "a stored update without an answer", seconds=10)
    moment = run.ground.kill("web1")
    run.ground.valkey.resume()
    run.finish(driver)
    run.check("no update was posted again", holds=any(answer.status == 0 for answer in driver.answers))
    run.within("recovery", _again(driver, moment), RECOVERY)
    run.within("answered", audit.recovery(driver, moment), 3 * RECOVERY)


def _again(driver: Driver, moment: float) -> float:
    """Seconds until the first 2xx after that moment."""
    return min((a.time + a.ms / 1000 for a in driver.answers if a.status == 200 and a.time > moment), default=999.0) - moment  # noqa: PLR2004


def _stored(run: Run, chat: Chat) -> int:
    sql = "SELECT count(*) FROM conversations_update u JOIN conversations_lane l ON l.id = u.lane_id WHERE l.key = %s AND u.kind = 'messenger'"
    return int(run.ground.value(sql, chat.lane_key))
