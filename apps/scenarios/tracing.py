"""What a trace's page shows of scenarios: each visit of a block with what it did, and which traces are one session's."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Min, Q
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from apps.accounts.access import AnyUser, scoped
from apps.conversations.models import Message
from apps.events.tracing import LINES_PER_SOURCE, Line, Place, TraceSource, register
from apps.identity.attributes import private_keys
from apps.scenarios.models import Session, SessionStep
from apps.scenarios.registry import blocks

MOST_SESSIONS = 20
MOST_TRACES = 300


class Visits(TraceSource):
    """A visit may go on over several traces (asked in one, answered in the next); each trace shows its own part of it."""

    def related(self, trace_ids: Collection[str]) -> Iterable[str]:
        sessions = _sessions(trace_ids) or _answering(trace_ids)
        first = (
            SessionStep.objects.filter(session_id__in=sessions).values("trace_id").annotate(first=Min("id")).order_by("first")[:MOST_TRACES]
        )
        known = dict.fromkeys(row["trace_id"] for row in first)
        return [*known, *(trace_id for trace_id in _answered(sessions) if trace_id not in known)]

    def lines(self, trace_ids: Sequence[str], viewer: AnyUser) -> Iterable[Line]:
        sessions = {row.pk: row for row in scoped(Session.objects.filter(pk__in=_sessions(trace_ids)), viewer, module="events").select_related("scenario").only(
            "id", "person_id", "conversation_id", "scenario__name", "scenario_id")}  # fmt: skip
        private = private_keys()
        for step in SessionStep.objects.filter(session_id__in=sessions).order_by("id")[:LINES_PER_SOURCE]:
            yield from _visit(step, sessions[step.session_id], frozenset(trace_ids), private)


def _visit(step: SessionStep, session: Session, wanted: frozenset[str], private: frozenset[str]) -> Iterable[Line]:
    by_trace: dict[str, list[dict[str, Any]]] = {}
    for event in step.events if isinstance(step.events, list) else []:
        by_trace.setdefault(str(event.get("trace") or step.trace_id), []).append(event)
    for trace_id, events in by_trace.items():
        if trace_id not in wanted:
            continue
        left = next((str(event["exit"]) for event in reversed(events) if event.get("exit")), "")
        failed = any(event.get("kind") == "error" for event in events)
        yield Line(
            at=_at(events) or step.at, trace_id=trace_id, title=f"{_kind(step)}: {step.node}" if step.node else _kind(step),
            icon=blocks[step.kind].icon if step.kind in blocks else "account_tree", tone="bad" if failed else "plain",
            text=_told(events), state=_("exit: %(name)s") % {"name": left} if left else "", details=[_plain(event) for event in events] or None,
            places=(Place("scenarios.Session", session.pk), Place("scenarios.Scenario", session.scenario_id)), order=(2, step.visit, step.pk),
            anchor=f"s{step.session_id}v{step.visit}", private=private,
        )  # fmt: skip


def _sessions(trace_ids: Collection[str]) -> list[int]:
    """Sessions that began in these traces or moved in them."""
    begun = Session.objects.filter(trace_id__in=trace_ids).order_by("pk").values_list("pk", flat=True)
    moved = SessionStep.objects.filter(trace_id__in=trace_ids).order_by().values_list("session_id", flat=True).distinct()
    return list(dict.fromkeys([*begun[:MOST_SESSIONS], *moved[:MOST_SESSIONS]]))


def _answering(trace_ids: Collection[str]) -> list[int]:
    """Sessions that only took an answer in these traces (not understood, for example): found by way of the conversation."""
    chats = list(
        Message.objects.filter(trace_id__in=trace_ids).order_by().values_list("conversation_id", flat=True).distinct()[:MOST_SESSIONS]
    )
    of_trace = [Q(events__contains=[{"trace": trace_id}]) for trace_id in trace_ids]
    found = SessionStep.objects.filter(reduce(or_, of_trace), session__conversation_id__in=chats) if chats else SessionStep.objects.none()
    return list(found.order_by().values_list("session_id", flat=True).distinct()[:MOST_SESSIONS])


def _answered(sessions: Collection[int]) -> list[str]:
    """Traces in which a question was only answered: no visit began in them, so that they stand in the events alone."""
    rows = SessionStep.objects.filter(session_id__in=sessions).order_by("id").values_list("events", flat=True)[:LINES_PER_SOURCE]
    return list(dict.fromkeys(str(event["trace"]) for events in rows if isinstance(events, list) for event in events if event.get("trace")))


def _kind(step: SessionStep) -> str:
    return str(blocks[step.kind].label) if step.kind in blocks else step.kind or _("Scenario")


def _at(events: list[dict[str, Any]]) -> datetime | None:
    return parse_datetime(str(events[0].get("at", ""))) if events and events[0].get("at") else None


def _told(events: list[dict[str, Any]]) -> str:
    """The failure, if there was one: what was said stands in lines of its own."""
    return next((str(_details(event).get("message", "")) for event in events if event.get("kind") == "error"), "")


def _plain(event: dict[str, Any]) -> dict[str, Any]:
    return {key: event[key] for key in ("kind", "exit", "details") if event.get(key)}


def _details(event: dict[str, Any]) -> dict[str, Any]:
    found = event.get("details")
    return found if isinstance(found, dict) else {}


register(Visits())
