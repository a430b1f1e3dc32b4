"""Reading a node of theirs: where its exits lead, its categories, what its author knows it by."""

from apps.scenarios.engine.contract import Json
from apps.scenarios.foreign.rapidpro.actions import KEEPING
from apps.scenarios.foreign.reading import at, number, objects, rows, text

WEEK = 7 * 24 * 60
EXPIRED = "expired"  # how a called flow ends when no answer came for too long
SHOWN = 40  # letters of a message that stand for its node in the report


def waits(node: Json) -> bool:
    return text(at(node, "router", "wait", "type")) == "msg"


def expiry(flow: Json) -> float | None:
    """After how many minutes without an answer the flow is over. A week is what every flow has unless its author chose."""
    minutes = number(flow.get("expire_after_minutes"))
    return minutes if minutes is not None and 0 < minutes < WEEK and any(map(waits, objects(flow.get("nodes")))) else None


def only_exit(node: Json) -> str:
    return next((text(item.get("destination_uuid")) for item in objects(node.get("exits"))), "")


def category_name(node: Json, uuid: str) -> str:
    return text(_category(node, uuid).get("name"))


def category_target(node: Json, uuid: str) -> str:
    wanted = text(_category(node, uuid).get("exit_uuid"))
    return next((text(item.get("destination_uuid")) for item in objects(node.get("exits")) if text(item.get("uuid")) == wanted), "")


def _category(node: Json, uuid: str) -> Json:
    return next((item for item in objects(at(node, "router", "categories")) if text(item.get("uuid")) == uuid), {})


def known_by(node: Json) -> str:
    """What its author knows a node by: the result that it keeps, or the first words that it says."""
    said = next((found for action in objects(node.get("actions")) if (found := " ".join(text(action.get("text")).split()))), "")
    shown = said if len(said) <= SHOWN else f"{said[: SHOWN - 1].rstrip()}…"
    return f"“{shown}”" if shown else text(at(node, "router", "result_name"))


def question_last(made: list[Json]) -> list[Json]:
    """A message with quick replies after the actions that only keep something: its buttons wait for the answer, and nothing is said meanwhile."""
    place = max((index for index, action in enumerate(made) if action.get("type") == "send_msg"), default=-1)
    after = made[place + 1 :]
    if place < 0 or not rows(made[place].get("quick_replies")) or not all(text(action.get("type")) in KEEPING for action in after):
        return made
    return [*made[:place], *after, made[place]]
