"""What can be subscribed to, in groups as the form shows them, and whether an event is meant by what was chosen."""

from collections.abc import Iterable

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.events.kinds import kind_title

Text = str | Promise

GROUPS: tuple[tuple[Text, tuple[str, ...]], ...] = (
    (_("Messages from clients"), ("message.received", "button.pressed", "chat.started", "message.edited")),
    (_("Messages to clients and their state"), ("message.sent", "message.delivered", "message.read", "message.failed", "message.unknown")),
    (_("Scenarios"), ("session.started", "session.ended", "session.failed", "session.cancelled", "scenario.event")),
    (
        _("People"),
        ("lead.connected", "lead.disconnected", "person.changed", "person.merged", "lead.blocked", "lead.unblocked"),
    ),
    (_("Custom data"), ("record.created", "record.updated", "record.deleted")),
    (_("Integration"), ("endpoint.called", "call.made")),
    (_("Channels"), ("channel.failing", "channel.recovered")),
    (_("Everything"), ("*",)),
)
TITLES: dict[str, Text] = {"*": _("Every event")}
OWN = "webhook."  # told to nobody: a failing webhook must not feed itself
TEST = "webhook.test"


def title_of(pattern: str) -> Text:
    return TITLES[pattern] if pattern in TITLES else kind_title(pattern)


def choices() -> list[tuple[Text, list[tuple[str, str]]]]:
    """Groups for the form; each line shows the name for people and the one in the event."""
    return [(group, [(pattern, f"{title_of(pattern)} ({pattern})") for pattern in patterns]) for group, patterns in GROUPS]


def is_meant(kind: str, patterns: Iterable[str]) -> bool:
    """Whether an event of this kind is among what was chosen."""
    if kind.startswith(OWN):
        return False
    return any(pattern in (kind, "*") or (pattern.endswith(".*") and kind.startswith(pattern[:-1])) for pattern in patterns)
