"""A session's state carried over to another version of its scenario. Pure: what stays where it is, what goes on elsewhere, what cannot."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.scenarios.engine.contract import Json, Placed
from apps.scenarios.engine.flow import Flow, FlowNode


@dataclass(frozen=True)
class Carried:
    """The state on the new version; `placed` when the dialogue goes on at another block than the one at which it stood."""

    state: Json
    placed: Placed | None = None


def carry(state: Json | None, old: Flow, new: Flow, mapping: Mapping[str, str]) -> Carried | None:
    """None when the session must stay on its version: a call is out, or a block at which it stands has neither kept its place nor an heir."""
    wait = (state or {}).get("wait") or {}
    stack = (state or {}).get("stack") or []
    if not state or not stack or wait.get("kind") == "action":
        return None
    callers = [_caller(frame, new, mapping) for frame in stack[:-1]]
    stands = str(wait.get("node") or stack[-1].get("node", ""))
    target = _heir(stands, new, mapping)
    if target is None or any(frame is None for frame in callers):
        return None
    kept = [frame for frame in callers if frame is not None]
    top = {**stack[-1], "section": target.section, "node": target.id}
    if target.id == stands and _is_same(old.nodes.get(stands), target):
        return Carried({**state, "stack": [*kept, top], "wait": {**wait, "section": target.section} if wait else None})
    return Carried({**state, "stack": [*kept, top], "wait": None}, Placed(node=target.id))


def _caller(frame: Json, new: Flow, mapping: Mapping[str, str]) -> Json | None:
    """The frame of a section that waits for a called one."""
    node = _heir(str(frame.get("node", "")), new, mapping)
    return {**frame, "section": node.section, "node": node.id} if node else None


def _heir(node: str, new: Flow, mapping: Mapping[str, str]) -> FlowNode | None:
    return new.nodes.get(node) or new.nodes.get(mapping.get(node, ""))


def _is_same(old: FlowNode | None, new: FlowNode) -> bool:
    """Whether the open question can be answered on the new version: the block is of the same kind, and asks for the same kind of answer."""
    return old is not None and old.kind == new.kind and _asks(old.params) == _asks(new.params)


def _asks(params: Any) -> Any:
    return getattr(params, "kind", None)
