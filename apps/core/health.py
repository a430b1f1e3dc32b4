"""Whether the parts of the installation work. Each check is a plain function that returns a `Part` and raises nothing."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

import redis
import structlog
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Max
from django.db.models.functions import Now

from apps.core.models import Heartbeat
from apps.core.redis import client

logger = structlog.get_logger(__name__)

PROCESSES = ("worker", "sender", "beat")
STALE_AFTER = timedelta(seconds=30)
FORGET_AFTER = timedelta(days=1)
MIGRATIONS_SECONDS = 60


@dataclass(frozen=True)
class Part:
    """One line of the health page; `text` says what to do when it is not well."""

    ok: bool
    text: str = ""
    details: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {key: value for key, value in asdict(self).items() if key == "ok" or value}


def forget_dead() -> int:
    """Removes the rows of processes that have been silent for a day; returns how many."""
    return Heartbeat.objects.filter(at__lt=Now() - FORGET_AFTER).delete()[0]


def _timed(work: Callable[[], object]) -> dict[str, Any]:
    started = time.perf_counter()
    work()
    return {"ms": round((time.perf_counter() - started) * 1000, 1)}


def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def database() -> Part:
    try:
        return Part(ok=True, details=_timed(_ask_database))
    except DatabaseError:
        logger.warning("health_database", exc_info=True)
        return Part(ok=False, text="The database does not answer. Check that PostgreSQL runs and DATABASE_URL is right.")


def broker() -> Part:
    try:
        return Part(ok=True, details=_timed(lambda: client().ping()))
    except redis.RedisError:
        logger.warning("health_redis", exc_info=True)
        return Part(ok=False, text="Redis does not answer. Check that it runs and REDIS_URL is right. Messages are kept and go out later.")


def migrations() -> Part:
    """Reading every migration costs tenths of a second, so a good answer holds for a minute."""
    if time.monotonic() < _migrated_until[0]:
        return Part(ok=True)
    try:
        executor = MigrationExecutor(connection)
        missing = [f"{step.app_label}.{step.name}" for step, _back in executor.migration_plan(executor.loader.graph.leaf_nodes())]
    except DatabaseError:
        return Part(ok=False, text="Unknown: the database does not answer.")
    if missing:
        return Part(ok=False, text="The database is older than the program. Run: manage.py migrate", details={"missing": missing[:20]})
    _migrated_until[0] = time.monotonic() + MIGRATIONS_SECONDS
    return Part(ok=True)


_migrated_until = [float("-inf")]


def process(name: str) -> Part:
    """Whether at least one process of this name has beaten within `STALE_AFTER`."""
    known = Heartbeat.objects.filter(name=name, at__gte=Now() - FORGET_AFTER)
    try:
        alive = known.filter(at__gte=Now() - STALE_AFTER).count()
        last = known.aggregate(last=Max("at"))["last"]
    except DatabaseError:
        return Part(ok=False, text="Unknown: the database does not answer.")
    when = {"last": last.isoformat()} if last else {}
    if alive:
        return Part(ok=True, details={"alive": alive, **when})
    return Part(
        ok=False,
        text=f"No {name} process has shown a sign of life for {STALE_AFTER.seconds} s. Start one: see README, processes.",
        details=when,
    )


def report() -> dict[str, Part]:
    """Every part by its name."""
    return {"database": database(), "redis": broker(), "migrations": migrations(), **{name: process(name) for name in PROCESSES}}
