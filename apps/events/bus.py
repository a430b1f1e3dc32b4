"""The bus: whoever listens gets the log's new rows in bulk, after they are committed. Nothing is added to the way of a message.

    class Starts(Listener): ...        named in the setting EVENT_LISTENERS

Ids are given before commits, so a row may become visible after rows with higher ids. Such gaps are remembered and looked at again until the
transaction that took the id must be over: when no transaction that ran when the gap was seen runs any more. The cursor moves in the same
transaction in which listeners write, so each row is given to each listener once.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.module_loading import import_string

from apps.events.models import BusCursor, Event

BATCH = 1000
GAP_SECONDS = 5.0  # between taking an id and having a transaction id lie microseconds; a stopped process may stretch them
MOST_GAPS = 20_000
CURSOR = 1
Gap = tuple[int, int, float]


class Listener(ABC):
    """One instance a process."""

    @abstractmethod
    def wants(self) -> bool:
        """Whether anybody listens now; from memory. While nobody does, the log is not read."""

    @abstractmethod
    def is_meant(self, kind: str, bot_id: int | None) -> bool:
        """Whether an event of this kind and bot may concern it; from memory."""

    @abstractmethod
    def take(self, events: Sequence[Event]) -> None:
        """Write what follows from these events, in the caller's transaction. Must not talk to the outside."""


@cache
def _all(paths: tuple[str, ...]) -> tuple[Listener, ...]:
    return tuple(import_string(path)() for path in paths)


def listening() -> list[Listener]:
    return [listener for listener in _all(tuple(settings.EVENT_LISTENERS)) if listener.wants()]


@dataclass
class _Read:
    """One look at the log: (id, kind, bot) of the rows not seen before, and the gaps that remain."""

    rows: list[tuple[int, str, int | None]] = field(default_factory=list)
    last_id: int = 0
    gaps: list[Gap] = field(default_factory=list)


def pump(*, limit: int = BATCH) -> int:
    """Give listeners what is new; how many rows were read. 0 also when another process is at it."""
    present = listening()
    if not present:
        return 0
    with transaction.atomic():
        cursor = _cursor()
        if cursor is None:
            return 0
        read = _read(cursor, limit)
        if not read.rows and read.last_id == cursor.last_id and len(read.gaps) == len(cursor.gaps):
            return 0
        _give(present, read.rows)
        cursor.last_id, cursor.gaps, cursor.moved_at = read.last_id, [list(gap) for gap in read.gaps], timezone.now()
        cursor.save()
    return len(read.rows)


def _give(present: Sequence[Listener], rows: Sequence[tuple[int, str, int | None]]) -> None:
    """Each listener gets the events that it means, as whole rows in order; what nobody means is not read further."""
    sorts = {(kind, bot_id) for _pk, kind, bot_id in rows}
    meant = [(listener, {sort for sort in sorts if listener.is_meant(*sort)}) for listener in present]
    wanted = [pk for pk, kind, bot_id in rows if any((kind, bot_id) in those for _listener, those in meant)]
    events = list(Event.objects.filter(pk__in=wanted).order_by("pk")) if wanted else []
    for listener, those in meant if events else ():
        mine = [event for event in events if (event.kind, event.bot_id) in those]
        if mine:
            listener.take(mine)


def skip() -> None:
    """Nobody listens: what happens now concerns nobody who will listen later."""
    with transaction.atomic():
        cursor = _cursor()
        newest = newest_id()
        if cursor is not None and newest > cursor.last_id:
            cursor.last_id, cursor.gaps, cursor.moved_at = newest, [], timezone.now()
            cursor.save()


def _cursor() -> BusCursor | None:
    """The cursor, locked until the transaction ends; None while another process has it."""
    rows = BusCursor.objects.select_for_update(skip_locked=True).filter(pk=CURSOR)
    found = rows.first()
    if found is None:
        BusCursor.objects.bulk_create([BusCursor(pk=CURSOR)], ignore_conflicts=True)
        found = rows.first()
    return found


def newest_id() -> int:
    return Event.objects.aggregate(top=Max("pk"))["top"] or 0


def _read(cursor: BusCursor, limit: int) -> _Read:
    over = _oldest_running() if cursor.gaps else 0  # before the rows: what is not visible then never will be
    gaps = {int(pk): (int(pk), int(horizon), float(seen)) for pk, horizon, seen in cursor.gaps}
    columns = ("pk", "kind", "bot_id")
    late = list(Event.objects.filter(pk__in=gaps).order_by("pk").values_list(*columns)) if gaps else []
    new = list(Event.objects.filter(pk__gt=cursor.last_id).order_by("pk").values_list(*columns)[:limit])
    for pk, _kind, _bot_id in late:
        gaps.pop(pk)
    old_enough = time.time() - GAP_SECONDS
    remaining = [gap for gap in gaps.values() if gap[1] > over or gap[2] > old_enough]
    if not new:
        return _Read([*late], cursor.last_id, remaining)
    there = {pk for pk, _kind, _bot_id in new}
    missing = (
        [pk for pk in range(cursor.last_id + 1, new[-1][0]) if pk not in there] if new[-1][0] - cursor.last_id < limit + MOST_GAPS else []
    )
    horizon, now = (_next_transaction(), time.time()) if missing else (0, 0.0)
    remaining += [(pk, horizon, now) for pk in missing]
    return _Read([*late, *new], new[-1][0], remaining[-MOST_GAPS:])


def _oldest_running() -> int:
    with connection.cursor() as database:
        database.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        return int(database.fetchone()[0])


def _next_transaction() -> int:
    """Every transaction that runs now has a lower id than this."""
    with connection.cursor() as database:
        database.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
        return int(database.fetchone()[0])
