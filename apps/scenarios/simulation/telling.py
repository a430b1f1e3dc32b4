"""A turn of a simulated chat as JSON, messages also as each messenger would show them."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from pydantic import ValidationError

from apps.bots.adapter import Capabilities
from apps.bots.content import Content
from apps.bots.degrading import fit
from apps.scenarios.engine.contract import Emit, Happened, Json, Respond, Say, WaitUntil
from apps.scenarios.simulation.turning import Acted, Sandbox, Turn, asked_for

Channels = Mapping[str, Capabilities]


def told(turn: Turn, sandbox: Sandbox, *, channels: Channels) -> Json:
    """{"events", "effects", "path", "status", "handled", "started_by", "outcome", "failure", "waits_for", "variables", "state", "now"}."""
    session = turn.state.session or {}
    return {
        "events": [_event(happened) for happened in turn.events],
        "effects": [shown for effect in turn.effects if (shown := _effect(effect, sandbox, channels))],
        "path": path_of(turn),
        "status": turn.status,
        "handled": turn.handled,
        "started_by": turn.started_by,
        "outcome": turn.outcome,
        "failure": asdict(turn.failure) if turn.failure else None,
        "waits_for": _waits_for(turn),
        "variables": session.get("vars", {}),
        "state": turn.state.model_dump(mode="json"),
        "now": turn.state.model_dump(mode="json")["now"],
    }


def path_of(turn: Turn) -> list[str]:
    """The nodes that were entered, in order."""
    return [happened.node for happened in turn.events if happened.kind == "entered"]


def said_in(turn: Turn) -> list[Json]:
    """The contents that the person would get, in order."""
    return [effect.content for effect in turn.effects if isinstance(effect, Say)]


def _event(happened: Happened) -> Json:
    return {name: value for name, value in asdict(happened).items() if value not in ("", 0, {})}


def _effect(effect: Any, sandbox: Sandbox, channels: Channels) -> Json | None:
    match effect:
        case Say():
            parts = {"parts": dict(_parts(effect.content, channels))} if channels else {}
            return {"kind": "say", "node": effect.node, "visit": effect.visit, "content": effect.content, **parts}
        case Acted():
            return _acted(effect, sandbox)
        case WaitUntil():
            return {"kind": "wait_until", "due_at": effect.due_at.isoformat(), "visit": effect.visit, "reason": effect.reason}
        case Emit():
            return {"kind": "emit", "name": effect.name, "data": effect.data}
        case Respond():
            return {"kind": "respond", "data": effect.data}
    return None


def _acted(effect: Acted, sandbox: Sandbox) -> Json:
    """What the action would have been asked, with secrets masked, and what it gave."""
    act, back = effect.act, effect.returned
    answer = {"exit": back.exit, "values": back.values, "error": back.error} if back else None
    base = {"kind": "act", "action": act.action, "node": act.node, "visit": act.visit, "params": act.shown}
    exits = [spec.name for spec in sandbox.actions[act.action].exits] if act.action in sandbox.actions else list(act.exits)
    return {**base, "request": asked_for(act, sandbox), "answered_by": effect.by, "answer": answer, "exits": exits}


def _parts(content: Json, channels: Channels) -> Iterator[tuple[str, list[Json]]]:
    """The messages that each messenger would show for one content: split, shortened, buttons turned into lines."""
    try:
        whole = Content.model_validate(content)
    except ValidationError:
        return
    for kind, capabilities in channels.items():
        yield kind, [dict(part.model_dump(mode="json", exclude_defaults=True)) for part in fit(whole, capabilities)]


def _waits_for(turn: Turn) -> Json | None:
    wait = (turn.state.session or {}).get("wait")
    if not isinstance(wait, dict):
        return None
    timers = [{"reason": timer.reason, "due_at": timer.due_at.isoformat()} for timer in turn.state.timers]
    return {"kind": wait.get("kind"), "node": wait.get("node"), "visit": wait.get("visit"), "timers": timers}
