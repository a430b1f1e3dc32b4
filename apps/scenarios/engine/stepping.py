"""The engine's one verb: advance a session by one input. Pure: no database, no network, no clock of its own."""

import random
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from functools import singledispatch
from typing import Any

from apps.scenarios.block import Target
from apps.scenarios.engine.context import Context
from apps.scenarios.engine.contract import (
    Back,
    Cancelled,
    Effect,
    Entered,
    Facts,
    Fired,
    Happened,
    Json,
    Placed,
    Pressed,
    Problem,
    Resumed,
    Returned,
    Said,
    Start,
    Status,
    Step,
)
from apps.scenarios.engine.draft import Draft
from apps.scenarios.engine.errors import NodeError, StepFailedError, UnhandledError
from apps.scenarios.engine.flow import Flow
from apps.scenarios.engine.limits import CUSTOMER_TEXT_CHARS
from apps.scenarios.engine.names import PROTECTED
from apps.scenarios.engine.plain import clean_text
from apps.scenarios.engine.walking import Place, attempt, finish, go, walk
from apps.scenarios.engine.wording import _

MAX_COLLECTED = 20


def step(flow: Flow, state: Json | None, entered: Entered, *, facts: Facts, clock: Callable[[], datetime], rng: random.Random) -> Step:
    """Advance the session by `entered`. Never raises for anything in the definition, the state or the input.

    `state` None begins (with `Start`). `clock` gives an aware moment. The given state is not changed.
    """
    now = clock()
    now = now if now.tzinfo else now.replace(tzinfo=UTC)
    try:
        draft = Draft(flow, None if isinstance(entered, Start) else state, facts=facts, now=now, rng=rng)
    except (TypeError, ValueError, AttributeError, KeyError):
        return _unreadable()
    try:
        take_in(entered, draft)
    except UnhandledError as unhandled:
        return _unhandled(state, unhandled.why)
    except StepFailedError as failed:
        return _failed(draft, failed.problem)
    except Exception as error:  # noqa: BLE001  (a state of another version or a bug: the chat must go on, the place is told)
        return _failed(draft, draft.problem("internal", _("the session cannot go on (%(kind)s).") % {"kind": type(error).__name__}))
    status: Status = "ended" if not draft.stack else _waiting(draft.wait)
    return Step(draft.dump() if draft.stack else None, tuple(draft.events), tuple(draft.effects), status, outcome=draft.outcome)


def _unreadable() -> Step:
    problem = Problem("error", "internal", _("Script error: the stored session cannot be read."))
    return Step(None, (Happened("error", details={"code": problem.code, "message": problem.message}),), (), "failed", failure=problem)


def _waiting(wait: Any) -> Status:
    return "calling" if isinstance(wait, dict) and wait.get("kind") == "action" else "waiting"


def _unhandled(state: Json | None, why: str) -> Step:
    wait = (state or {}).get("wait")
    wait = wait if isinstance(wait, dict) else {}
    visit = wait.get("visit")
    place = (str(wait.get("node", "")), str(wait.get("section", "")), visit if isinstance(visit, int) else 0)
    event = Happened("ignored", *place, details={"reason": why})
    return Step(state, (event,), (), _waiting(wait) if state else "ended", handled=False)


def _failed(draft: Draft, problem: Problem) -> Step:
    last = draft.events[-1] if draft.events else None
    if last is None or last.kind != "error":
        draft.events.append(
            Happened("error", problem.node, problem.section, draft.visit, details={"code": problem.code, "message": problem.message})
        )
    effects: tuple[Effect, ...] = tuple(draft.effects)
    return Step(None, tuple(draft.events), effects, "failed", failure=problem)


@singledispatch
def take_in(entered: Entered, draft: Draft) -> None:  # noqa: ARG001
    raise UnhandledError(f"unknown input {type(entered).__name__}")


@take_in.register
def _start(entered: Start, draft: Draft) -> None:
    target = Target(entry=entered.entry or "", section=entered.section or ("" if entered.entry else draft.flow.main_section))
    section = draft.flow.scope.section_of(target)
    draft.stack = [{"section": section.id if section else target.section or target.entry, "node": ""}]
    try:
        for name, value in entered.params.items():
            if name not in PROTECTED:
                draft.set(name, value)
        draft.set("user_input", _kept(entered.user_input or str(entered.params.get("user_input", ""))))
        begin = go(draft, target, entered.params)
    except NodeError as error:
        raise StepFailedError(draft.problem(error.code, error.message)) from None
    walk(draft, begin)


@take_in.register
def _placed(entered: Placed, draft: Draft) -> None:
    node = draft.flow.nodes.get(entered.node)
    if node is None:
        raise StepFailedError(draft.problem("gone", _("the block “%(node)s” does not exist in this version.") % {"node": entered.node}))
    draft.stack = draft.stack or [{"section": node.section, "node": ""}]
    for name, value in entered.params.items():
        if name not in PROTECTED:
            draft.set(name, value)
    draft.failing = False
    walk(draft, node.id)


@take_in.register
def _said(entered: Said, draft: Draft) -> None:
    wait = _open(draft)
    said = replace(entered, text=_kept(entered.text))
    if wait.get("collects") and draft.flow.policies.two_messages == "collect":
        _collect(said, draft, wait)
        return
    _answer(said, draft, wait, text=said.text)


@take_in.register
def _pressed(entered: Pressed, draft: Draft) -> None:
    """Only a press on the very question that is open counts; an earlier showing of it by the scenario's policy."""
    wait = _open(draft)
    if entered.node != wait["node"]:
        raise UnhandledError("an old button: its question is no longer open")
    if entered.visit not in wait["visits"] and not draft.flow.policies.old_buttons.accept_if_open:
        raise UnhandledError("an old button: an earlier showing of the open question")
    _answer(entered, draft, wait, text=_kept(entered.label))


@take_in.register
def _fired(entered: Fired, draft: Draft) -> None:
    wait = _open(draft)
    if entered.visit != wait["visit"] or entered.reason not in wait["timers"]:
        raise UnhandledError("a timer of an earlier wait")
    wait = {**wait, "timers": [reason for reason in wait["timers"] if reason != entered.reason]}
    collected = wait.get("collected")
    if collected:
        joined = _joined(collected)
        _answer(joined, draft, wait, text=joined.text)
        if entered.reason == "collect" or draft.wait is None or draft.wait["visit"] != entered.visit:
            return
        wait = draft.wait
    if entered.reason != "collect":
        _resume(entered, draft, wait)


@take_in.register
def _returned(entered: Returned, draft: Draft) -> None:
    wait = _open(draft)
    if wait["kind"] != "action" or entered.visit != wait["visit"]:
        raise UnhandledError("a result that nothing waits for")
    _resume(entered, draft, wait)


@take_in.register
def _resumed(entered: Resumed, draft: Draft) -> None:
    """The open question is asked again as a new visit, so that timers of its first showing are stale; a call that is out goes on."""
    wait = _open(draft)
    if wait["kind"] == "action":
        return
    draft.visit += 1
    _resume(entered, draft, {**wait, "timers": []}, visit=draft.visit)


@take_in.register
def _back(_entered: Back, draft: Draft) -> None:
    """To the question that was answered before the open one. Variables stay; the answer is asked for anew."""
    wait = _open(draft)
    while draft.asked and draft.asked[-1][-1].get("node") in {wait["node"], None}:
        draft.asked.pop()
    if not draft.asked or wait["kind"] == "action":
        raise UnhandledError("no question to go back to")
    draft.stack = draft.asked.pop()
    node = draft.here
    if node is None:
        raise UnhandledError("the question to go back to no longer exists")
    walk(draft, node.id)


@take_in.register
def _cancelled(entered: Cancelled, draft: Draft) -> None:
    """By the exit for it, else the session ends."""
    if not draft.stack:
        raise UnhandledError("nothing is open")
    wait = draft.wait
    node = draft.flow.nodes.get(wait["node"]) if wait else draft.here
    if wait and node is not None and "cancelled" in node.exits:
        _resume(entered, draft, wait)
        return
    ctx = Context(draft, node, visit=wait["visit"] if wait else draft.visit) if node else None
    finish(draft, ctx, "cancelled")


def _open(draft: Draft) -> Json:
    if draft.wait is None or not draft.stack:
        raise UnhandledError("nothing is open")
    return draft.wait


def _kept(text: str) -> str:
    return clean_text(text[:CUSTOMER_TEXT_CHARS])


def _answer(entered: Said | Pressed, draft: Draft, wait: Json, *, text: str) -> None:
    timers = [reason for reason in wait["timers"] if reason != "collect"]
    draft.answered()
    _resume(entered, draft, {**wait, "collected": [], "timers": timers}, said=text)


def _resume(entered: Entered, draft: Draft, wait: Json, *, visit: int = 0, said: str | None = None) -> None:
    node = draft.flow.nodes.get(wait["node"])
    if node is None:
        message = _("the block at which the person stood no longer exists in this version.")
        raise StepFailedError(draft.problem("gone", message))
    ctx = Context(draft, node, visit=visit or wait["visit"], data=wait["data"])
    # The error section led back into the dialogue: a later failure may run it again.
    draft.failing = draft.failing and node.section == draft.flow.error_section
    draft.wait = wait
    draft.timers = set(wait["timers"])
    if said is not None:
        draft.set("user_input", said, ctx)
    walk(draft, _attempted(draft, ctx, entered))


def _attempted(draft: Draft, ctx: Context, entered: Entered) -> Place:
    if isinstance(entered, Returned):
        return attempt(draft, ctx, lambda: _with_values(draft, ctx, entered))
    return attempt(draft, ctx, lambda: ctx.node.block.resume(ctx, ctx.node.params, entered))


def _with_values(draft: Draft, ctx: Context, entered: Returned) -> Any:
    for name, value in entered.values.items():
        if name not in PROTECTED:
            draft.set(name, value, ctx)
    return ctx.node.block.resume(ctx, ctx.node.params, entered)


def _collect(said: Said, draft: Draft, wait: Json) -> None:
    """Keep the message until the window closes; the first one opens it. A full window closes at once."""
    collected = [*wait.get("collected", []), asdict(said)]
    if len(collected) >= MAX_COLLECTED:
        joined = _joined(collected)
        _answer(joined, draft, wait, text=joined.text)
        return
    draft.timers = set(wait["timers"])
    node = draft.flow.nodes[wait["node"]]
    ctx = Context(draft, node, visit=wait["visit"])
    if "collect" not in draft.timers:
        ctx.wake("collect", after=timedelta(seconds=draft.flow.policies.collect_seconds))
    draft.wait = {**wait, "collected": collected, "timers": sorted(draft.timers)}


def _joined(collected: list[Json]) -> Said:
    """Several messages as one: texts by lines, all media, the kind of the last that is more than text."""
    kinds = [item["kind"] for item in collected if item["kind"] != "text"]
    return Said(
        text=_kept("\n".join(item["text"] for item in collected if item["text"])),
        kind=kinds[-1] if kinds else "text",
        media=tuple(media for item in collected for media in item["media"]),
        location=next((item["location"] for item in reversed(collected) if item["location"]), None),
        contact=next((item["contact"] for item in reversed(collected) if item["contact"]), None),
    )
