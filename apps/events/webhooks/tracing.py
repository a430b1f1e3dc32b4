"""Deliveries as lines of a trace: which system was told, and what it answered."""

from collections.abc import Iterable, Sequence

from django.utils.translation import gettext as _

from apps.accounts.access import AnyUser, scoped
from apps.events.models import Delivery
from apps.events.tracing import LINES_PER_SOURCE, Line, Place, Tone, TraceSource, register

TONES: dict[str, Tone] = {
    Delivery.State.DONE: "ok",
    Delivery.State.FAILED: "bad",
    Delivery.State.PENDING: "warn",
    Delivery.State.HELD: "plain",
}


class Deliveries(TraceSource):
    def lines(self, trace_ids: Sequence[str], viewer: AnyUser) -> Iterable[Line]:
        rows = Delivery.objects.filter(trace_id__in=trace_ids).select_related("subscription")
        for row in scoped(rows.defer("body", "subscription__secret", "subscription__old_secret"), viewer).order_by("id")[:LINES_PER_SOURCE]:
            yield Line(
                at=row.done_at or row.created_at,
                trace_id=row.trace_id,
                title=_("%(name)s was told of %(kind)s") % {"name": row.subscription.name, "kind": row.kind},
                icon="outbox",
                tone=TONES[row.state],
                text=str(row.status_code or ""),
                state=row.error or row.get_state_display(),
                latency_ms=row.latency_ms,
                places=(Place("events.Delivery", row.pk), Place("events.Subscription", row.subscription_id)),
            )


register(Deliveries())
