"""From node to node until the session waits or is over: what a block answered is turned into a place."""

import traceback
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import PurePath
from typing import Any

from apps.scenarios.block import End, Exit, Ignored, Outcome, Take, Target, Wait
from apps.scenarios.engine.coercing import section_params
from apps.scenarios.engine.context import Context
from apps.scenarios.engine.draft import Draft
from apps.scenarios.engine.errors import NodeError, StepFailedError, UnhandledError
from apps.scenarios.engine.placeholders import TemplateError
from apps.scenarios.engine.wording import _

Place = str | None


def walk(draft: Draft, node_id: Place) -> None:
    """Go on from a node; returns when the session waits (`draft.wait`) or is over (`draft.stack` is empty)."""
    while node_id is not None:
        node = draft.flow.nodes[node_id]
        ctx = Context(draft, node, visit=draft.enter(node))
        draft.happened("entered", ctx, details={"kind": node.kind, "title": node.title})
        node_id = attempt(draft, ctx, partial(_arrive, ctx))


def _arrive(ctx: Context) -> Outcome:
    outcome = ctx.node.block.enter(ctx, ctx.node.params)
    if isinstance(outcome, Ignored):
        raise NodeError("unexpected", _("the block ignored its own turn. Tell the administrator."))
    return outcome


def attempt(draft: Draft, ctx: Context, act: Callable[[], Outcome]) -> Place:
    """Let a block act and go where it says; whatever it raises becomes a failure of its node."""
    try:
        return _settle(draft, ctx, act())
    except (StepFailedError, UnhandledError):
        raise
    except NodeError as error:
        return fail(draft, ctx, code=error.code, message=error.message)
    except TemplateError as error:
        return fail(draft, ctx, code="template", message=error.message)
    except Exception as error:  # noqa: BLE001  (a block of an installation must not stop the chat; its place is told, its values are not)
        return fail(draft, ctx, code="unexpected", message=_unexpected(error))


def _unexpected(error: Exception) -> str:
    """Kind and place of an error without its text, which may hold anything."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
    return _("an unexpected %(kind)s in %(place)s. Tell the administrator.") % {"kind": type(error).__name__, "place": place}


def _settle(draft: Draft, ctx: Context, outcome: Outcome) -> Place:
    if isinstance(outcome, Take):
        return leave(draft, ctx, outcome)
    if isinstance(outcome, Wait):
        _stay(draft, ctx, outcome)
        return None
    if isinstance(outcome, End):
        return finish(draft, ctx, outcome.outcome)
    if isinstance(outcome, Ignored):
        raise UnhandledError("not for the open question")
    raise TypeError(type(outcome).__name__)


def _stay(draft: Draft, ctx: Context, wait: Wait) -> None:
    before = draft.wait or {}
    draft.wait = {
        "kind": "action" if wait.calling else "answer",
        "node": ctx.node.id,
        "section": ctx.node.section,
        "visit": ctx.visit,
        "visits": list(dict.fromkeys([*before.get("visits", []), ctx.visit])),
        "timers": sorted(draft.timers),
        "interruptible": wait.interruptible,
        "collects": wait.collects,
        "data": dict(wait.data),
    }


def finish(draft: Draft, ctx: Context | None, outcome: str) -> Place:
    """The scenario is over, whatever called it."""
    draft.stack.clear()
    draft.wait = None
    draft.outcome = outcome
    draft.happened("ended", ctx, details={"outcome": outcome})
    return None


def leave(draft: Draft, ctx: Context, take: Take) -> Place:
    """Through an exit: along its edge, into the section that it names, back to the caller, or into failure."""
    node = ctx.node
    spec = node.specs.get(take.exit)
    draft.happened("left", ctx, taken=take.exit, details={"error": take.error} if take.error else {})
    if target := node.exits.get(take.exit):
        return target
    if spec is not None and spec.to is not None:
        return go(draft, spec.to, take.values)
    if spec is not None and spec.returns is not None:
        return _come_back(draft, ctx, spec.returns, take.values)
    if take.error or (spec is None and node.specs) or (spec is not None and spec.failure):
        return fail(draft, ctx, code="exit", message=take.error or _unconnected(spec, take.exit))
    return _come_back(draft, ctx, "", {})


def _unconnected(spec: Exit | None, name: str) -> str:
    label = str(spec.label) if spec is not None and spec.label else name
    return _("it ended with “%(exit)s”, and this exit is not connected. Connect it or set an error section.") % {"exit": label}


def go(draft: Draft, target: Target, values: Mapping[str, Any]) -> Place:
    """To a section or entry of this scenario; a call remembers where to come back. Who goes for good takes the variables along, so that a
    parameter of the section may be one that is set already.
    """
    section = draft.flow.scope.section_of(target)
    begin = draft.flow.aliases.get(target.entry) if target.entry else draft.flow.begins.get(target.section)
    if section is None or begin is None:
        raise NodeError(
            "unknown_target",
            _("the section or entry “%(name)s” does not exist or has no blocks.") % {"name": target.entry or target.section},
        )
    known = {} if target.call else {param.name: draft.variables[param.name] for param in section.params if param.name in draft.variables}
    params = section_params(section, {**known, **values}, draft.names)
    if target.call:
        draft.push(section, begin)
    for name, value in params.items():
        if target.call or name in values or name not in draft.variables:
            draft.set(name, value)
    return begin


def _come_back(draft: Draft, ctx: Context, output: str, values: Mapping[str, Any]) -> Place:
    """The section is over: on with the caller by the exit of that output, or the scenario ends."""
    if len(draft.stack) == 1:
        return finish(draft, ctx, output)
    draft.pop()
    for name, value in values.items():
        draft.set(name, value, ctx)
    frame = draft.stack[-1]
    caller = draft.flow.nodes.get(frame["node"])
    if caller is None:
        raise NodeError("gone", _("the block that called this section no longer exists."))
    taken = output if output in caller.exits else "next"
    return leave(draft, Context(draft, caller, visit=frame.get("visit", draft.visit)), Take(taken))


def fail(draft: Draft, ctx: Context, *, code: str, message: str) -> Place:
    """On in the scenario's error section with `error` set, or the step fails. A failure inside the error section fails the step."""
    problem = draft.problem(code, message, node=ctx.node)
    draft.happened("error", ctx, details={"code": code, "message": message})
    section_id = draft.flow.error_section
    begin = draft.flow.begins.get(section_id) if section_id else None
    if begin is None or draft.failing:
        raise StepFailedError(problem)
    draft.failing = True
    draft.stack = [{"section": section_id, "node": begin}]
    draft.set("error", {"message": message, "code": code, "node": ctx.node.id, "title": ctx.node.name, "section": ctx.node.section})
    return begin
