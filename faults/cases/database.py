"""PostgreSQL: crashed, away for half a minute, sessions ended, its disk full."""

import time

import psycopg

from faults import audit
from faults.audit import Allowed
from faults.driver import Answer, Driver
from faults.matrix import Run, fault

RECOVERY = 10.0
ANSWER = 1.0
AWAY = 30.0


@fault("PostgreSQL crashes (kill -9 of all its processes) under load", bound=f"all answered ≤ {RECOVERY:g} s after it is back", quick=True)
def database_crash(run: Run) -> None:
    _away(run, seconds=1)


@fault(
    "PostgreSQL is away for half a minute",
    bound=f"503 with Retry-After ≤ {ANSWER:g} s, no hang, all answered ≤ {RECOVERY:g} s after",
    slow=True,
)
def database_away(run: Run) -> None:
    _away(run, seconds=AWAY)


@fault("every session is terminated, ten times under load", bound=f"all answered ≤ {RECOVERY:g} s after", quick=True)
def sessions_terminated(run: Run) -> None:
    chats = run.mixed(chats=16, count=8)
    driver = run.driver(chats, rate=14).start()
    for _time in range(10):
        if driver.done:
            break
        last = time.time()
        run.ground.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name <> '' AND pid <> pg_backend_pid()")
        run.ground.sleep(0.8)
    run.finish(driver, allowed=Allowed(copies=True, late_copies=True))
    run.within("recovery", audit.recovery(driver, last), RECOVERY)


@fault("PostgreSQL answers nothing for eight seconds (its processes are frozen)", bound=f"all answered ≤ {RECOVERY:g} s after")
def database_frozen(run: Run) -> None:
    chats = run.people(chats=8, count=5)
    driver = run.driver(chats, rate=5).start()
    run.ground.sleep(1)
    run.ground.postgres.pause()
    run.ground.sleep(8)
    run.ground.postgres.resume()
    back = time.time()
    run.finish(driver, allowed=Allowed(copies=True))
    run.within("recovery", audit.recovery(driver, back, before=9), RECOVERY)


def _away(run: Run, *, seconds: float) -> None:
    chats = run.mixed(chats=12, count=6)
    driver = run.driver(chats, rate=12 * 6 / (seconds + 6)).start()
    run.ground.sleep(2)
    run.ground.postgres.kill()
    gone = time.time()
    run.ground.sleep(seconds)
    run.ground.postgres.start()
    run.until(lambda: _answers(run), "PostgreSQL", seconds=30)
    back = time.time()
    run.finish(driver, seconds=90, allowed=Allowed(copies=True, late_copies=True))
    _refusals(run, driver, gone, back)
    run.within("recovery", audit.recovery(driver, back, before=4), RECOVERY)


def _refusals(run: Run, driver: Driver, gone: float, back: float) -> None:
    """While the database is away everybody is told so at once, and when to come again."""
    meanwhile: list[Answer] = [answer for answer in driver.answers if gone + 0.2 < answer.time < back - 0.2 and answer.status]
    strange = sorted({answer.status for answer in meanwhile} - {503})
    run.check(f"answers other than 503: {strange}", holds=not strange)
    run.check("503 without Retry-After", holds=all(answer.retry_after for answer in meanwhile))
    run.measured["503 meanwhile"] = str(len(meanwhile))
    if meanwhile:
        run.within("slowest 503", max(answer.ms for answer in meanwhile) / 1000, ANSWER)


def _answers(run: Run) -> bool:
    try:
        return bool(run.ground.value("SELECT 1"))
    except psycopg.Error:
        return False
