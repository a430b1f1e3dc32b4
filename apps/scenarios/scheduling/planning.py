"""From the triggers of a definition to rows with a time, and from one time to the next."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from apps.scenarios.engine import cron
from apps.scenarios.engine.names import zone
from apps.scenarios.models import Scenario
from apps.scenarios.scheduling.models import Schedule

KINDS = frozenset(Schedule.Kind.values)
QUARTER = 15  # minutes: clocks of the world differ by quarters of an hour


def plan(scenario: Scenario, triggers: Iterable[Mapping[str, Any]]) -> None:
    """Bring the schedules of a scenario in line with its published triggers; those that stay keep their place in time."""
    wanted = {_key(trigger): dict(trigger) for trigger in triggers if trigger.get("kind") in KINDS}
    Schedule.objects.filter(scenario=scenario).exclude(key__in=wanted).delete()
    known = set(Schedule.objects.filter(scenario=scenario).values_list("key", flat=True))
    now = timezone.now()
    Schedule.objects.bulk_create(_row(scenario, key, config, now) for key, config in wanted.items() if key not in known)


def following(schedule: Schedule, after: datetime) -> datetime | None:
    """When the schedule is looked at next."""
    if schedule.kind == Schedule.Kind.DATE:
        begun = after.replace(second=0, microsecond=0) + timedelta(minutes=1)
        return begun + timedelta(minutes=(int(schedule.config["at"][-2:]) - begun.minute) % QUARTER)
    return cron.parse(schedule.config["cron"]).following(after, zone(schedule.bot.timezone))


def _key(trigger: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(trigger, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _row(scenario: Scenario, key: str, config: dict[str, Any], now: datetime) -> Schedule:
    row = Schedule(bot=scenario.bot, scenario=scenario, key=key, kind=config["kind"], config=config, since=now)
    row.next_at = following(row, now)
    return row
