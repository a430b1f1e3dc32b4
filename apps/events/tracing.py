"""One chain from end to end: what the log knows, and what other apps add to it (messages, visits of nodes, outside calls).

An app above adds a source in its own `tracing.py`, found by that name:

    class Calls(TraceSource): ...
    register(Calls())

A reply begins a trace of its own. Traces that belong to the same session are one story and are shown together, one part each.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, Literal

from django.utils.functional import Promise
from django.utils.module_loading import autodiscover_modules

from apps.accounts.access import AnyUser, scoped
from apps.events.kinds import kind_icon, kind_title
from apps.events.models import Event

Tone = Literal["plain", "ok", "bad", "warn", "info"]
Text = str | Promise
LINES_PER_SOURCE = 1000
RELATED = 30


@dataclass(frozen=True)
class Place:
    """What a line is about, by the model's label and id; the page makes names and links of them."""

    label: str
    pk: int


@dataclass(frozen=True)
class Line:
    """One thing that happened; details are masked when shown, `private` names further keys to hide.

    `order` settles what happened at the same instant: phase (0 came in, 1 was heard, 2 the scenario moved, 3 was said, 4 was called, 9 the
    rest), then place within it. A line with `after` stands directly behind the line whose `anchor` it names, if that is in the same trace.
    """

    at: datetime
    trace_id: str
    title: Text
    icon: str = "circle"
    tone: Tone = "plain"
    text: str = ""
    state: Text = ""
    latency_ms: int | None = None
    details: Any = None
    places: tuple[Place, ...] = ()
    order: tuple[int, ...] = (9,)
    anchor: str = ""
    after: str = ""
    private: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Part:
    """One trace of the story: its lines in order, and whether it is the one that was asked for."""

    trace_id: str
    lines: tuple[Line, ...]
    asked: bool = False

    @property
    def started(self) -> datetime:
        return min(line.at for line in self.lines)

    @property
    def took_ms(self) -> float:
        return (max(line.at for line in self.lines) - self.started).total_seconds() * 1000

    @property
    def failed(self) -> bool:
        return any(line.tone == "bad" for line in self.lines)


@dataclass(frozen=True)
class Chain:
    """The whole story, oldest part first. `cut` says that the session has more traces than are shown."""

    parts: tuple[Part, ...]
    places: frozenset[Place] = field(default_factory=frozenset)
    cut: bool = False

    def __bool__(self) -> bool:
        return bool(self.parts)


class TraceSource:
    """What one app knows of chains. `tells` names kinds of the log's rows that its own lines tell better: those are left out, failed ones
    only with `tells_failures`.
    """

    tells: frozenset[str] = frozenset()
    tells_failures = False

    def related(self, trace_ids: Collection[str]) -> Iterable[str]:  # noqa: ARG002
        """Traces that belong to the same sessions as these; these themselves may be among them. Oldest first."""
        return ()

    def lines(self, trace_ids: Sequence[str], viewer: AnyUser) -> Iterable[Line]:
        """What happened in these traces as far as `viewer` may see it: at most `LINES_PER_SOURCE`."""
        raise NotImplementedError


_sources: list[TraceSource] = []


def register(source: TraceSource) -> None:
    _sources.append(source)


@cache
def sources() -> tuple[TraceSource, ...]:
    autodiscover_modules("tracing", "webhooks.tracing")
    return tuple(_sources)


def chain(trace_id: str, *, viewer: AnyUser) -> Chain:
    """Everything that `viewer` may see of this trace and of those of the same session; empty when there is nothing."""
    related = _related(trace_id)
    shown = _around(related, trace_id)
    lines = list(_lines(shown, viewer))
    if not any(line.trace_id == trace_id for line in lines):
        return Chain(parts=())
    return Chain(
        parts=tuple(_parts(lines, asked=trace_id)),
        places=frozenset(place for line in lines for place in line.places),
        cut=len(shown) < len(related),
    )


def _related(trace_id: str) -> list[str]:
    found: dict[str, None] = {}
    for source in sources():
        found |= dict.fromkeys(source.related([trace_id]))
    return list(found | {trace_id: None})


def _around(related: list[str], trace_id: str) -> list[str]:
    """At most `RELATED` traces, those nearest to the one asked for."""
    place = related.index(trace_id)
    start = max(0, min(place - RELATED // 2, len(related) - RELATED))
    return related[start : start + RELATED]


def _lines(trace_ids: Sequence[str], viewer: AnyUser) -> Iterator[Line]:
    told: dict[str, bool] = {}
    for source in sources():
        found = list(source.lines(trace_ids, viewer))
        if found:
            told |= dict.fromkeys(source.tells, source.tells_failures)
        yield from found
    for row in scoped(Event.objects.filter(trace_id__in=trace_ids), viewer).order_by("id")[:LINES_PER_SOURCE]:
        if row.kind not in told or (row.status == Event.Status.FAIL and not told[row.kind]):
            yield line_of(row)


def line_of(row: Event) -> Line:
    """A row of the log as a line."""
    failed = row.status == Event.Status.FAIL
    about = {
        "bots.Bot": row.bot_id,
        "bots.Channel": row.channel_id,
        "identity.Person": row.person_id,
        "identity.Lead": row.lead_id,
        "conversations.Conversation": row.conversation_id,
        "scenarios.Session": row.session_id,
        "accounts.User": row.user_id,
    }
    return Line(
        at=row.timestamp,
        trace_id=row.trace_id,
        title=kind_title(row.kind, failed=failed),
        icon=kind_icon(row.kind),
        tone="bad" if failed else "plain",
        text=" · ".join(part for part in (row.source_system, row.endpoint, "" if failed else _why(row.details)) if part),
        latency_ms=row.latency_ms,
        details=row.details or None,
        state=str(row.details.get("reason") or row.details.get("error") or "") if failed and isinstance(row.details, dict) else "",
        places=tuple(Place(label, pk) for label, pk in about.items() if pk),
        order=(_phase(row.kind), 0, row.pk),
    )


def _why(details: Any) -> str:
    """What started a scenario, or ended it, which is the first thing that people ask."""
    return str(details.get("why") or details.get("reason") or "") if isinstance(details, dict) else ""


def _phase(kind: str) -> int:
    """Where a row of the log stands among lines of the same instant: what came in first, what went out last."""
    return 0 if kind.startswith(("endpoint.", "webhook.", "message.received", "chat.", "button.")) else 9


def _parts(lines: list[Line], *, asked: str) -> Iterator[Part]:
    by_trace: dict[str, list[Line]] = {}
    for line in sorted(lines, key=lambda line: (line.at, line.order)):
        by_trace.setdefault(line.trace_id, []).append(line)
    for trace_id, found in by_trace.items():
        yield Part(trace_id=trace_id, lines=tuple(_anchored(found)), asked=trace_id == asked)


def _anchored(lines: list[Line]) -> list[Line]:
    """The lines in order, those with `after` behind the line that they follow from."""
    anchors = {line.anchor for line in lines if line.anchor}
    following: dict[str, list[Line]] = {}
    for line in lines:
        if line.after in anchors:
            following.setdefault(line.after, []).append(line)
    ordered: list[Line] = []
    for line in lines:
        if line.after not in anchors:
            ordered += [line, *sorted(following.get(line.anchor, []), key=lambda line: line.order)] if line.anchor else [line]
    return ordered
