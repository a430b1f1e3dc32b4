"""Whom a call is for: the names that the sources use for recipients, found in the parameters (product row IN-5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from apps.gateway.answers import Json, RefusedError
from apps.identity.mapping import id_text

Way = Literal["lead", "chat", "user", "phone", "email"]

# The most exact way wins, so that a whole row of the mapping table is one recipient, and a phone or e-mail that travels with an order as data
# does not address anybody while an id is there.
NAMES: Mapping[Way, tuple[str, ...]] = {
    "lead": ("leadId", "lead_id", "leadIds", "lead_ids"),
    "chat": ("chatId", "chat_id", "chatIds", "chat_ids"),
    "user": ("userId", "user_id", "userIds", "user_ids"),
    "phone": ("phone", "phones"),
    "email": ("email", "emails"),
}
MAX_RECIPIENTS = 1000
MAX_ID = 200


@dataclass(frozen=True)
class Wanted:
    """The recipients asked for: all in one way, each once, in the caller's order. `several`: the caller gave a list."""

    way: Way
    values: tuple[str, ...]
    several: bool


def wanted(params: Json) -> Wanted | None:
    """The recipients named in `params`, or None when nobody is; raises `RefusedError` for ids that are none."""
    for way, names in NAMES.items():
        given = {name: params[name] for name in names if params.get(name) not in (None, [], "")}
        if given:
            return _wanted(way, given)
    return None


def _wanted(way: Way, given: Mapping[str, Any]) -> Wanted:
    several = any(isinstance(value, list) for value in given.values())
    items = [(name, item) for name, value in given.items() for item in (value if isinstance(value, list) else [value])]
    wrong = [name for name, item in items if not _is_id(item)]
    if wrong:
        message = f"must be a whole number or a text of 1 to {MAX_ID} characters, or a list of them"
        raise RefusedError("bad_request", errors=[{"field": name, "message": message} for name in dict.fromkeys(wrong)])
    values = tuple(dict.fromkeys(id_text(item) for _name, item in items))
    if len(values) > MAX_RECIPIENTS:
        raise RefusedError("bad_request", f"A call may have at most {MAX_RECIPIENTS} recipients. Split the list, or use a broadcast.")
    return Wanted(way=way, values=values, several=several)


def _is_id(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | str | float):
        return False
    if isinstance(value, float) and not value.is_integer():
        return False
    return 0 < len(id_text(value)) <= MAX_ID
