"""What is due starts: each person once for each time, whatever dies in between and however many sweeps run at once.

A start is an inbox item whose key names the schedule, the time and the person; posting it again is harmless. So a sweep that was killed is
simply done again. What was due while everything was down is made up for: the newest time of a schedule, no older than a day.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from apps.conversations import inbox
from apps.conversations.inbox import Posting
from apps.conversations.models import Update
from apps.core.trace import new_trace_id
from apps.events.recording import record
from apps.identity import attributes, recipients
from apps.identity.models import Lead, Person
from apps.scenarios.engine import cron
from apps.scenarios.engine.conditions import Condition
from apps.scenarios.engine.names import Names, zone
from apps.scenarios.engine.reading import on_the_wall
from apps.scenarios.facts import facts_for_lead
from apps.scenarios.scheduling.models import Schedule
from apps.scenarios.scheduling.planning import following

SOURCE = "schedule"
LATEST = timedelta(days=1)
BATCH = 500
LOCK_SPACE = 7301  # of PostgreSQL's advisory locks: one schedule is worked on by one sweep
OLDEST = 120  # years that an anniversary may be old


@dataclass(frozen=True)
class Starting:
    """One time that has come and for whom. `key` names it among the times of the schedule: the day of a date is one time, wherever a person who
    travels is when its hour comes; `why` is for the trace.
    """

    moment: datetime
    key: str
    people: QuerySet[Person]
    why: str


def sweep(now: datetime | None = None) -> int:
    """Start what is due; how many people it was started for."""
    at = now or timezone.now()
    due = Schedule.objects.filter(next_at__lte=at, scenario__is_active=True, scenario__published__isnull=False)
    return sum(_once(pk, at) for pk in due.order_by("next_at").values_list("pk", flat=True)[:1000])


def _once(pk: int, now: datetime) -> int:
    with _alone(pk) as mine:
        schedule = Schedule.objects.select_related("bot", "scenario").filter(pk=pk, next_at__lte=now).first() if mine else None
        if schedule is None:
            return 0
        started = sum(_start(schedule, starting) for starting in STARTS[schedule.kind](schedule, now))
        last = {"last_at": now, "last_people": started} if started else {}
        Schedule.objects.filter(pk=pk).update(since=now, next_at=following(schedule, now), **last)
        return started


@contextmanager
def _alone(pk: int) -> Iterator[bool]:
    """Whether this sweep has the schedule for itself; others go on to the next one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK_SPACE, pk % 2**31])
        mine = bool(cursor.fetchone()[0])
    try:
        yield mine
    finally:
        if mine:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK_SPACE, pk % 2**31])


# --- who, and for which time --------------------------------------------------------------------------------------------


def _by_cron(schedule: Schedule, now: datetime) -> Iterator[Starting]:
    """The newest time that is due: of several that were missed the last one counts."""
    rule, here = cron.parse(schedule.config["cron"]), zone(schedule.bot.timezone)
    found, after = None, max(schedule.since, now - LATEST)
    while (moment := rule.following(after, here)) is not None and moment <= now:
        found = after = moment
    if found is not None:
        people = Person.objects.filter(bot_id=schedule.bot_id)
        yield Starting(found, found.isoformat(), people, f"schedule “{schedule}”")


def _by_date(schedule: Schedule, now: datetime) -> Iterator[Starting]:
    """For each time zone in which people of the bot live, the days on which the hour has come since the last look."""
    since, hour = max(schedule.since, now - LATEST), time.fromisoformat(schedule.config["at"])
    people = Person.objects.filter(bot_id=schedule.bot_id)
    for name in people.order_by().values_list("timezone", flat=True).distinct():
        here = zone(name or schedule.bot.timezone)
        day, last = since.astimezone(here).date(), now.astimezone(here).date()
        while day <= last:
            moment = on_the_wall(datetime.combine(day, hour), here)
            if since < moment <= now:
                why = f"schedule “{schedule}”: {day.isoformat()} in {here}"
                yield Starting(moment, day.isoformat(), people.filter(_has_date(schedule, day), timezone=name), why)
            day += timedelta(days=1)


STARTS: dict[str, Callable[[Schedule, datetime], Iterator[Starting]]] = {Schedule.Kind.CRON: _by_cron, Schedule.Kind.DATE: _by_date}


def _has_date(schedule: Schedule, day: date) -> Q:
    """People whose attribute is the date that is meant on `day`; through the index of attributes."""
    wanted = day - timedelta(days=int(schedule.config.get("days", 0)))
    dates = _anniversaries(wanted) if schedule.config.get("yearly") else [wanted]
    found = Q(pk__in=[])
    for one in dates:
        found |= Q(attributes__contains={schedule.config["attribute"]: one.isoformat()})
    return found


def _anniversaries(day: date) -> Iterator[date]:
    """The same day in earlier years; what fell on 29 February is kept on the 28th of other years."""
    for year in range(day.year - OLDEST, day.year + 1):
        if (day.month, day.day) != (2, 29) or _is_leap(year):
            yield day.replace(year=year)
        if (day.month, day.day) == (2, 28) and _is_leap(year) and not _is_leap(day.year):
            yield date(year, 2, 29)


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


# --- starting -----------------------------------------------------------------------------------------------------------


def _start(schedule: Schedule, starting: Starting) -> int:
    when = Condition.model_validate(schedule.config["when"]) if schedule.config.get("when") else None
    started = 0
    for batch in _in_batches(starting.people):
        leads = _chosen(batch, when)
        started += sum(posted.created for posted in inbox.post(_posting(schedule, starting, lead) for lead in leads))
    if started:
        record(
            "schedule.started",
            bot_id=schedule.bot_id,
            details={"scenario": schedule.scenario.key, "schedule": str(schedule), "at": starting.moment.isoformat(), "people": started},
        )
    return started


def _in_batches(people: QuerySet[Person]) -> Iterator[list[Person]]:
    last = 0
    while batch := list(people.filter(pk__gt=last).order_by("pk")[:BATCH]):
        yield batch
        last = batch[-1].pk


def _chosen(people: Iterable[Person], when: Condition | None) -> list[Lead]:
    """The chat in which each can be written to, of those whom the condition lets through."""
    by_person = recipients.leads_of(person.pk for person in people)
    leads = list(Lead.objects.select_related("person", "channel__bot").filter(pk__in=[lead.pk for lead in by_person.values()]))
    if when is None or not leads:
        return leads
    known = attributes.facts_of([lead.person for lead in leads])
    return [lead for lead in leads if when.holds(_names(lead, known[lead.person_id]))]


def _names(lead: Lead, known: dict[str, Any]) -> Names:
    facts = facts_for_lead(lead, known=known)
    return Names({}, facts, now=timezone.now(), language=facts.language or "en")


def _posting(schedule: Schedule, starting: Starting, lead: Lead) -> Posting:
    return Posting(
        channel_id=lead.channel_id,
        bot_id=schedule.bot_id,
        chat_id=lead.chat_id,
        kind=Update.Kind.START,
        source=SOURCE,
        event_key=f"{schedule.scenario_id}:{schedule.key[:16]}:{starting.key}:{lead.person_id}",
        trace_id=new_trace_id(),
        payload={
            "scenario_id": schedule.scenario_id,
            "entry": schedule.config.get("entry") or "",
            "params": {"scheduled_for": starting.moment.isoformat()},
            "why": starting.why,
        },
    )
