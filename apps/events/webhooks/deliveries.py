"""What is owed to subscriptions: made from events in bulk, claimed by the pusher, settled in bulk; replayed, tested, held back and forgotten."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.core import dbclock
from apps.core.bulk import add_in_bulk, insert_in_bulk, update_in_bulk
from apps.core.cached import CachedTable
from apps.core.trace import new_trace_id
from apps.events import bus, recording
from apps.events.bus import Listener
from apps.events.models import Delivery, DeliveryAttempt, Event, Subscription
from apps.events.webhooks import kinds
from apps.events.webhooks.envelopes import envelopes
from apps.events.webhooks.filtering import passes
from apps.events.webhooks.formats_registry import formats

MAX_ATTEMPTS = 10
MAX_DEATHS = 5
REPLAY_MOST = 10_000
SUCCESS_SECONDS = 60  # how exact `last_success_at` is
Json = dict[str, Any]
State = Delivery.State


def _load() -> dict[int, Subscription]:
    return {row.pk: row for row in Subscription.objects.prefetch_related("filters")}


_table: CachedTable[dict[int, Subscription]] = CachedTable(lambda: Subscription, _load)


def subscriptions() -> dict[int, Subscription]:
    """All of them with their filters, right within half a second after any change."""
    return _table.get()


def forget() -> None:
    """After a change in this process."""
    _table.forget()


class Webhooks(Listener):
    """The bus's listener that makes deliveries."""

    def wants(self) -> bool:
        return any(_is_told(row) for row in subscriptions().values())

    def is_meant(self, kind: str, bot_id: int | None) -> bool:
        return any(_concerns(row, kind, bot_id) for row in subscriptions().values() if _is_told(row))

    def take(self, events: Sequence[Event]) -> None:
        found, told = envelopes(events), [row for row in subscriptions().values() if _is_told(row)]
        rows = [
            row
            for event in events
            for subscription in told
            if event.pk > subscription.after_event
            for row in _owed(subscription, event, found[event.pk])
        ]
        add_in_bulk(rows, unless_there=True)


def _is_told(subscription: Subscription) -> bool:
    return subscription.state == Subscription.State.ACTIVE


def _concerns(subscription: Subscription, kind: str, bot_id: int | None) -> bool:
    return subscription.bot_id in (None, bot_id) and kinds.is_meant(kind, subscription.kinds)


def _owed(subscription: Subscription, event: Event, envelope: Json) -> list[Delivery]:
    """The delivery of this event, or none."""
    if not _concerns(subscription, event.kind, event.bot_id) or not passes(subscription.filters.all(), envelope):
        return []
    body = formats[subscription.format].body(envelope) if subscription.format in formats else None
    if body is None:
        return []
    return [
        Delivery(
            subscription=subscription,
            event_id=event.pk,
            kind=event.kind,
            message_id=f"msg_{subscription.pk}_{event.pk}",
            order_key=event.conversation_id,
            trace_id=event.trace_id,
            body=dump(body),
            due_at=dbclock.now(),
        )
    ]


def dump(body: Any) -> str:
    return json.dumps(body, ensure_ascii=False, cls=DjangoJSONEncoder)


# --- claiming and settling --------------------------------------------------------------------------------------------

# Within a conversation only the oldest pending delivery leaves; a slow receiver takes no more than its share of what is in flight.
_CLAIM = """
WITH due AS (
    SELECT d.id, row_number() OVER (PARTITION BY d.subscription_id ORDER BY d.due_at, d.id) AS place, d.due_at
    FROM events_delivery d
    WHERE d.state = 'pending' AND d.claimed_by IS NULL AND d.due_at <= clock_timestamp() AND d.subscription_id <> ALL(%(busy)s)
      AND (d.order_key IS NULL OR NOT EXISTS (
        SELECT 1 FROM events_delivery e
        WHERE e.subscription_id = d.subscription_id AND e.order_key = d.order_key AND e.state = 'pending' AND e.id < d.id))
), free AS (
    SELECT id FROM events_delivery
    WHERE id IN (SELECT id FROM due WHERE place <= %(share)s ORDER BY due_at LIMIT %(limit)s) AND state = 'pending' AND claimed_by IS NULL
    FOR UPDATE SKIP LOCKED
)
UPDATE events_delivery AS t SET claimed_by = %(identity)s, attempts = t.attempts + 1 FROM free WHERE t.id = free.id RETURNING t.id
"""


def claim(identity: int, *, limit: int, share: int, busy: Iterable[int] = ()) -> list[Delivery]:
    """Deliveries that are due and whose turn it is, oldest first; the attempt is counted before it is made."""
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"identity": identity, "limit": limit, "share": share, "busy": list(busy)})
        ids = [pk for (pk,) in cursor.fetchall()]
    return list(Delivery.objects.filter(pk__in=ids).order_by("due_at", "id")) if ids else []


@dataclass
class Pushed:
    """What came of one attempt. `again_in` seconds: it is tried again; `counted` False: the receiver was not asked (its host rests).
    `gone`: the receiver said 410 and wants nothing more.
    """

    delivery: Delivery
    status: int | None = None
    error: str = ""
    again_in: float | None = None
    counted: bool = True
    gone: bool = False
    latency_ms: int = 0
    attempt: DeliveryAttempt | None = None

    @property
    def good(self) -> bool:
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004


@dataclass
class _Health:
    """What a batch says about one subscription."""

    good: bool = False
    bad: bool = False
    given_up: bool = False
    gone: bool = False
    reasons: list[str] = field(default_factory=list)


def settle(ended: Sequence[Pushed]) -> None:
    """Note what came of attempts, in one transaction, and what it says about the receivers."""
    with transaction.atomic():
        ids = [pushed.delivery.pk for pushed in ended]
        pending = set(
            Delivery.objects.select_for_update().filter(pk__in=ids, state=State.PENDING).order_by("pk").values_list("pk", flat=True)
        )
        noted = [pushed for pushed in ended if pushed.delivery.pk in pending]
        for pushed in noted:
            _note(pushed)
        fields = ["state", "attempts", "due_at", "claimed_by", "status_code", "error", "latency_ms", "done_at"]
        update_in_bulk([pushed.delivery for pushed in noted], fields, now=True)
        _keep_order([pushed.delivery for pushed in noted if pushed.again_in is not None])
        insert_in_bulk([pushed.attempt for pushed in noted if pushed.attempt])
        _judge(noted)


def _note(pushed: Pushed) -> None:
    delivery, now = pushed.delivery, dbclock.now()
    delivery.claimed_by, delivery.status_code, delivery.latency_ms = None, pushed.status, pushed.latency_ms
    delivery.error = pushed.error[:500]
    if pushed.again_in is not None:
        delivery.due_at = now + timedelta(seconds=pushed.again_in)
        delivery.attempts -= not pushed.counted
    else:
        delivery.state, delivery.done_at = State.DONE if pushed.good else State.FAILED, now


def _keep_order(postponed: Sequence[Delivery]) -> None:
    """What waits behind a postponed delivery of the same conversation is not due before it, so that claiming need not look at it."""
    for delivery in postponed:
        if delivery.order_key is not None:
            behind = Delivery.objects.filter(
                subscription_id=delivery.subscription_id, order_key=delivery.order_key, state=State.PENDING, pk__gt=delivery.pk
            )
            behind.filter(due_at__lt=delivery.due_at).update(due_at=Greatest(F("due_at"), delivery.due_at))


def _judge(noted: Sequence[Pushed]) -> None:
    """A success ends a time of failure; a delivery given up after days without any success disables the subscription, with a notice."""
    found: dict[int, _Health] = {}
    for pushed in noted:
        health = found.setdefault(pushed.delivery.subscription_id, _Health())
        health.good |= pushed.good
        health.bad |= not pushed.good and pushed.counted
        health.gone |= pushed.gone
        health.given_up |= not pushed.good and pushed.again_in is None
        health.reasons += [pushed.error] if pushed.error else []
    for pk, health in found.items():
        if health.good:
            _succeeded(pk)
        elif health.bad:
            _failed(pk, health)


def _succeeded(pk: int) -> None:
    now = timezone.now()
    news = (
        Q(failing_since__isnull=False) | Q(last_success_at__isnull=True) | Q(last_success_at__lt=now - timedelta(seconds=SUCCESS_SECONDS))
    )
    Subscription.objects.filter(news, pk=pk).update(failing_since=None, last_success_at=now)


def _failed(pk: int, health: _Health) -> None:
    now = timezone.now()
    Subscription.objects.filter(pk=pk, failing_since__isnull=True).update(failing_since=now)
    row = Subscription.objects.select_for_update().get(pk=pk)
    days = settings.WEBHOOK_DISABLE_AFTER_HOURS
    too_long = health.given_up and row.failing_since is not None and row.failing_since <= now - timedelta(hours=days)
    if row.state != Subscription.State.ACTIVE or not (health.gone or too_long):
        return
    why = (
        _("The receiver answered 410: it wants no more events.")
        if health.gone
        else _("No delivery succeeded for %(hours)s hours.") % {"hours": days}
    )
    last = health.reasons[-1] if health.reasons else ""
    set_state(row, Subscription.State.DISABLED, why=f"{why} {last}".strip())
    recording.record(
        "webhook.disabled", status="fail", bot_id=row.bot_id, trace_id=new_trace_id(),
        details={"subscription": row.pk, "name": row.name, "reason": row.state_text},
    )  # fmt: skip


def set_state(row: Subscription, state: str, *, why: str = "") -> None:
    """Change the state, with a line in the history. Whoever becomes active is told what happens from now on and gets what was held back."""
    with transaction.atomic():
        becomes_active = state == Subscription.State.ACTIVE and row.state != state
        if becomes_active:
            row.after_event, row.failing_since = bus.newest_id(), None
        row.state, row.state_text = state, why[:500]
        vars(row)["_change_reason"] = why[:100] or None  # where simple-history looks for it
        row.save(update_fields=["state", "state_text", "after_event", "failing_since"])
        mine = Delivery.objects.filter(subscription=row)
        if becomes_active:
            mine.filter(state=State.HELD).update(state=State.PENDING, due_at=dbclock.now())
        elif state != Subscription.State.ACTIVE:
            mine.filter(state=State.PENDING).update(state=State.HELD, claimed_by=None)
    forget()


# --- again, by a person -------------------------------------------------------------------------------------------------


def replay(rows: Iterable[Delivery]) -> int:
    """Send these once more, each with its own id; those that still wait are left alone. How many are sent."""
    ids = [row.pk for row in rows]
    again = Delivery.objects.filter(pk__in=ids, subscription__state=Subscription.State.ACTIVE).filter(
        state__in=[State.DONE, State.FAILED, State.HELD]
    )
    return again.update(
        state=State.PENDING, attempts=0, deaths=0, replays=F("replays") + 1, due_at=dbclock.now(), done_at=None, claimed_by=None, error=""
    )


def replay_range(subscription: Subscription, *, since: datetime, until: datetime, only_failed: bool) -> int:
    """Send what happened in that time once more, and also what was never sent because the subscription was not there or not active. How many;
    at most `REPLAY_MOST`.
    """
    mine = Delivery.objects.filter(subscription=subscription)
    events = Event.objects.filter(timestamp__gte=since, timestamp__lte=until).order_by("pk")
    if only_failed:
        ids = mine.filter(state=State.FAILED, event_id__in=events.values("pk")).values_list("pk", flat=True)[:REPLAY_MOST]
        return replay(Delivery.objects.filter(pk__in=list(ids)).only("pk"))
    if subscription.bot_id is not None:
        events = events.filter(bot_id=subscription.bot_id)
    chosen = [pk for pk, kind in events.values_list("pk", "kind")[: 20 * REPLAY_MOST] if kinds.is_meant(kind, subscription.kinds)][
        :REPLAY_MOST
    ]
    with transaction.atomic():
        again = replay(mine.filter(event_id__in=chosen).only("pk"))
        known = set(mine.filter(event_id__in=chosen).values_list("event_id", flat=True))
        missed = list(Event.objects.filter(pk__in=[pk for pk in chosen if pk not in known]).order_by("pk"))
        found = envelopes(missed)
        rows = [row for event in missed for row in _owed(subscription, event, found[event.pk])]
        add_in_bulk(rows, unless_there=True)
    return again + len(rows)


def send_test(subscription: Subscription) -> Delivery:
    """A made-up event, sent as any other. Its type is `webhook.test` and `data.test` is true."""
    trace_id, now = new_trace_id(), timezone.now()
    row = Delivery(subscription=subscription, kind=kinds.TEST, trace_id=trace_id, due_at=now, body="")
    row.save()
    row.message_id = f"msg_{subscription.pk}_test{row.pk}"
    envelope: Json = {
        "id": f"evt_test_{row.pk}", "type": kinds.TEST, "timestamp": now.isoformat(), "status": "success", "trace_id": trace_id,
        "source_system": None, "endpoint": None, "latency_ms": None, "bot": {"id": subscription.bot_id} if subscription.bot_id else None,
        "channel": None, "person": None, "lead": None, "conversation": None, "session": None,
        "data": {"test": True, "subscription": subscription.name, "text": "A test event of Dialog Bus"},
    }  # fmt: skip
    body = formats[subscription.format].body(envelope)
    row.body = dump(envelope if body is None else body)
    row.save()
    return row


def forget_old() -> int:
    """Delete deliveries whose time is over, with their logs; what still waits stays. How many."""
    limit = timezone.now() - timedelta(days=settings.WEBHOOK_DELIVERY_DAYS)
    gone = 0
    while True:
        ids = list(
            Delivery.objects.filter(created_at__lt=limit, state__in=[State.DONE, State.FAILED, State.HELD]).values_list("pk", flat=True)[
                :1000
            ]
        )
        if not ids:
            return gone
        DeliveryAttempt.objects.filter(delivery_id__in=ids).delete()
        gone += Delivery.objects.filter(pk__in=ids).delete()[0]
