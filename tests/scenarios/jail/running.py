"""What the jail's tests share."""

from typing import Any

from apps.scenarios.jail import running
from apps.scenarios.jail.limits import Limits
from apps.scenarios.jail.outcome import Outcome, Script
from apps.scenarios.jail.pretending import MockHost

ENGINES = ("jsbox", "mini_racer")
TIGHT = Limits(cpu_seconds=0.4, wall_seconds=2, memory_mb=32)


def run(code: str, *, engine: str = "jsbox", mocks: Any = (), limits: Limits = TIGHT, fresh: bool = False, **given: Any) -> Outcome:
    return running.run_sync(Script(code=code, limits=limits, **given), MockHost(mocks), engine=engine, fresh=fresh)


def value(code: str, **given: Any) -> Any:
    outcome = run(code, **given)
    assert outcome.error is None, outcome.error
    return outcome.value
