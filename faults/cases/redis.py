"""Redis: killed, flushed, full, frozen, away for a minute. It holds hints and limits, so nothing may be lost with it."""

import time

import redis

from faults import audit
from faults.driver import Answer
from faults.matrix import Run, fault

RECOVERY = 15.0
AWAY = 60.0


@fault(
    "Redis is killed and comes back empty of connections",
    bound=f"webhooks 2xx meanwhile, all answered ≤ {RECOVERY:g} s after it is back",
    quick=True,
)
def redis_killed(run: Run) -> None:
    _away(run, seconds=3)


@fault("Redis is away for a minute", bound=f"webhooks 2xx meanwhile, all answered ≤ {RECOVERY:g} s after it is back", slow=True)
def redis_away(run: Run) -> None:
    _away(run, seconds=AWAY)


@fault("Redis is flushed again and again under load", bound="nothing lost, no rate exceeded", quick=True)
def redis_flushed(run: Run) -> None:
    chats = run.people(chats=20, count=6)
    driver = run.driver(chats, rate=25).start()
    while not driver.done:
        _client(run).flushall()
        run.ground.sleep(0.7)
    run.finish(driver)


@fault("Redis is full", bound=f"webhooks 2xx meanwhile, all answered ≤ {RECOVERY:g} s after there is room", quick=True)
def redis_full(run: Run) -> None:
    """No memory for a single further write for five seconds."""
    chats = run.people(chats=10, count=6)
    driver = run.driver(chats, rate=8).start()
    run.ground.sleep(1)
    with _client(run) as client:
        client.config_set("maxmemory", "1")
        run.ground.sleep(5)
        client.config_set("maxmemory", "0")
    back = time.time()
    run.finish(driver)
    _taken_meanwhile(run, driver.answers)
    run.within("recovery", audit.recovery(driver, back, before=6), RECOVERY)


@fault(
    "Redis accepts connections and answers nothing for ten seconds", bound=f"webhooks 2xx meanwhile, all answered ≤ {RECOVERY:g} s after"
)
def redis_frozen(run: Run) -> None:
    chats = run.people(chats=10, count=8)
    driver = run.driver(chats, rate=8).start()
    run.ground.sleep(1)
    run.ground.valkey.pause()
    run.ground.sleep(10)
    run.ground.valkey.resume()
    back = time.time()
    run.finish(driver)
    _taken_meanwhile(run, driver.answers)
    run.within("recovery", audit.recovery(driver, back, before=11), RECOVERY)


def _away(run: Run, *, seconds: float) -> None:
    chats = run.people(chats=36, count=6, bots=4)  # so many that no chat has more to get afterwards than its rate lets through in the bound
    driver = run.driver(chats, rate=36 * 6 / (seconds + 6)).start()
    run.ground.sleep(1)
    run.ground.valkey.kill()
    gone = time.time()
    run.ground.sleep(seconds)
    run.ground.valkey.start()
    back = time.time()
    run.finish(driver, seconds=90)
    _taken_meanwhile(run, driver.answers)
    run.measured["answers meanwhile"] = str(sum(gone <= answer.time < back for answer in driver.answers))
    run.within("recovery", audit.recovery(driver, back, before=seconds + 1), RECOVERY)


def _taken_meanwhile(run: Run, answers: list[Answer]) -> None:
    refused = sorted({answer.status for answer in answers if not 200 <= answer.status < 300})  # noqa: PLR2004
    run.check(f"webhooks were answered {refused}", holds=not refused)
    run.measured["slowest webhook"] = f"{max(answer.ms for answer in answers) / 1000:.2f} s"


def _client(run: Run) -> redis.Redis:
    return redis.Redis.from_url(run.ground.redis_url)
