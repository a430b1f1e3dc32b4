"""What a refused save is told: who has saved since, what each side has changed block by block in words, and where they collide."""

from typing import Any

from apps.scenarios.engine.contract import Json
from apps.scenarios.models import Scenario
from apps.scenarios.versions.differing import Side, difference

MANY_SAVES = 20


def told(stored: Scenario, *, based_on: int, mine: Side, base: Side | None) -> Json:
    """The form of `ConflictSerializer` without `detail` and `theirs`. `base` is what both grew out of, as far as the caller knows it."""
    theirs, ground = Side("theirs", stored.draft, stored.layout), base or remembered(stored, based_on)
    if ground is None:
        changes, yours = _changes(mine, theirs), []
    else:
        changes, yours = _changes(ground, theirs), _changes(ground, mine)
    return {
        "saves": saves_since(stored, based_on), "compared": "base" if ground else "yours", "changes": changes, "yours": yours,
        "collides": collisions(changes, yours),
    }  # fmt: skip


def collisions(changes: list[Json], yours: list[Json]) -> list[str]:
    """What both have changed and not alike: a block by its id, as its title may have changed; all else by its place in words."""
    theirs, mine = _outcomes(changes), _outcomes(yours)
    return [where for where, outcome in theirs.items() if where in mine and mine[where] != outcome]


def remembered(scenario: Scenario, revision: int) -> Side | None:
    """The draft of that revision where a row of the history holds it: one person's saves in a row leave only the last."""
    history: Any = scenario.history
    row = history.filter(draft_version=revision).order_by("-history_id").first()
    return Side("base", row.draft, {}) if row else None


def saves_since(scenario: Scenario, revision: int) -> list[Json]:
    """The newest first."""
    history: Any = scenario.history
    rows = history.filter(draft_version__gt=revision).select_related("history_user").order_by("-history_id")[:MANY_SAVES]
    return [
        {"by": row.history_user.get_full_name() or row.history_user.get_username() if row.history_user else "", "at": row.updated_at}
        for row in rows
    ]


def _changes(old: Side, new: Side) -> list[Json]:
    found: list[Json] = difference(old, new)["changes"]
    return found


def _outcomes(changes: list[Json]) -> dict[str, Any]:
    return {
        change["node"] or change["place"]: (change["kind"], [(field["path"], field["new"]) for field in change["fields"]])
        for change in changes
    }
