"""The history of a scenario in words: which blocks and fields a saved draft changed, instead of two pieces of JSON."""

from typing import TYPE_CHECKING, Any

from simple_history.template_utils import HistoricalRecordContextHelper

from apps.scenarios import comparing

if TYPE_CHECKING:  # the package is untyped

    class _Helper:
        def context_for_delta_changes(self, delta: Any) -> list[dict[str, Any]]: ...
else:
    _Helper = HistoricalRecordContextHelper

SHOWN = 20
CHARS = 120


class DraftHistory(_Helper):
    def context_for_delta_changes(self, delta: Any) -> list[dict[str, Any]]:
        drafts = [change for change in delta.changes if change.field == "draft"]
        delta.changes[:] = [change for change in delta.changes if change.field not in ("draft", "draft_version")]
        rows = super().context_for_delta_changes(delta)
        for draft in drafts:
            rows += list(_told(draft.old, draft.new))[:SHOWN]
        return rows


def _told(old: Any, new: Any) -> list[dict[str, Any]]:
    changes = comparing.compare(old or {}, new or {})
    return [
        {"field": f"{change.place}: {field.path}", "old": (field.old or "")[:CHARS], "new": (field.new or "")[:CHARS]}
        for change in changes
        for field in change.fields
    ]
