"""Short-lived permission to listen: a stream's address may land in a log, so it never carries the visitor's token."""

from dataclasses import dataclass

from apps.core import crypto
from apps.panel.models import WidgetVisitor

PURPOSE = "widget-live"
LIFETIME_SECONDS = 300


@dataclass(frozen=True)
class Ticket:
    """One visitor's stream, readable by pages of one origin."""

    visitor_id: int
    origin: str


def issue(visitor: WidgetVisitor, *, origin: str) -> str:
    return crypto.sign([visitor.pk, origin], purpose=PURPOSE, ttl=LIFETIME_SECONDS)


def read(text: str) -> Ticket | None:
    """None when forged, expired or for something else."""
    data = crypto.unsign(text, purpose=PURPOSE)
    match data:
        case [int(visitor_id), str(origin)]:
            return Ticket(visitor_id, origin)
    return None
