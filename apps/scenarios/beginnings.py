"""What a new scenario begins with: small, valid, and meant to be changed."""

from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


@dataclass(frozen=True)
class Beginning:
    key: str
    label: str | Promise


BEGINNINGS = (
    Beginning("event", gettext_lazy("A system tells us something, the client gets a message with buttons")),
    Beginning("greeting", gettext_lazy("The client writes first: a greeting and a question")),
    Beginning("empty", gettext_lazy("Only a start and an end")),
)


def definition(key: str, *, name: str) -> dict[str, Any]:
    """The definition of a beginning; its texts are in the language of whoever makes it."""
    nodes, triggers = {"event": _event, "greeting": _greeting, "empty": _empty}[key]()
    return {
        "schema_version": 1,
        "name": name,
        "default_language": "en",
        "triggers": triggers,
        "sections": [{"id": "main", "name": _("Main"), "nodes": nodes}],
    }


Parts = tuple[list[dict[str, Any]], list[dict[str, Any]]]


def _event() -> Parts:
    return [
        {"id": "start", "kind": "start", "exits": {"next": "thanks"}},
        {
            "id": "thanks", "kind": "message",
            "params": {
                "text": _('Thank you, {{ user_name | default: "friend" }}! Is everything right?'),
                "buttons": [[{"id": "yes", "label": _("Yes")}, {"id": "no", "label": _("No")}]],
            },
            "exits": {"yes": "good", "no": "sorry"},
        },
        {"id": "good", "kind": "message", "params": {"text": _("Glad to hear it!")}},
        {"id": "sorry", "kind": "message", "params": {"text": _("We will call you.")}},
    ], []  # fmt: skip


def _greeting() -> Parts:
    nodes: list[dict[str, Any]] = [
        {"id": "start", "kind": "start", "exits": {"next": "ask"}},
        {
            "id": "ask",
            "kind": "input",
            "params": {"kind": "text", "text": _("Hello! What is your name?"), "save_as": "name"},
            "exits": {"ok": "answer"},
        },
        {"id": "answer", "kind": "message", "params": {"text": _("Nice to meet you, {{ name }}!")}},
    ]
    return nodes, [{"kind": "keyword", "words": ["/start"]}, {"kind": "any_message"}]


def _empty() -> Parts:
    return [{"id": "start", "kind": "start", "exits": {"next": "end"}}, {"id": "end", "kind": "end"}], []
