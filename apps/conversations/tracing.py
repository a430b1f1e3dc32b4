"""What a trace's page shows of chats: messages, items that wait or are parked, and calls to other systems."""

from collections.abc import Iterable, Sequence

from django.utils.translation import gettext as _

from apps.accounts.access import AnyUser, bot_scope, scoped
from apps.conversations.models import Call, Message, Update
from apps.events.tracing import LINES_PER_SOURCE, Line, Place, Tone, TraceSource, register
from apps.identity.attributes import private_keys

GOOD = range(200, 400)
STATES: dict[str, Tone] = {Message.State.FAILED: "bad", Message.State.UNKNOWN: "bad", Message.State.QUEUED: "warn"}


class Messages(TraceSource):
    """What was said. The words are for those who may see conversations; others see that something was said."""

    tells = frozenset({"message.received", "button.pressed", "chat.started"})

    def lines(self, trace_ids: Sequence[str], viewer: AnyUser) -> Iterable[Line]:
        rows = scoped(Message.objects.filter(trace_id__in=trace_ids, is_note=False), viewer, module="events")
        readable = bot_scope(viewer, "view", "operations")
        for row in rows.select_related("conversation").order_by("id")[:LINES_PER_SOURCE]:
            inbound = row.direction == Message.Direction.IN
            words = readable.covers(row.conversation.bot_id)
            meta = row.meta if isinstance(row.meta, dict) else {}
            yield Line(
                at=row.created_at, trace_id=row.trace_id, title=_("The client says") if inbound else _("Message to the client"),
                icon="chat_bubble" if inbound else "sms", tone="info" if inbound else STATES.get(row.state, "plain"),
                text=(row.text or _kinds(row)) if words else "", state="" if inbound else row.get_state_display(),
                details={**({"buttons": _buttons(row)} if _buttons(row) else {}), **({"reason": row.error} if row.error else {})} or None,
                places=(Place("conversations.Conversation", row.conversation_id), Place("identity.Person", row.conversation.person_id)),
                order=(1, 0, row.seq) if inbound else (3, row.seq), after=f"s{meta['session']}v{meta.get('visit', 0)}" if meta.get("session") else "",
            )  # fmt: skip


class Inbox(TraceSource):
    """Items that are not simply done: waiting, parked, discarded."""

    def lines(self, trace_ids: Sequence[str], viewer: AnyUser) -> Iterable[Line]:
        rows = Update.objects.filter(trace_id__in=trace_ids).exclude(state=Update.State.DONE).defer("payload")
        for row in scoped(rows, viewer, module="events").order_by("id")[:LINES_PER_SOURCE]:
            parked = row.state == Update.State.PARKED
            yield Line(
                at=row.received_at, trace_id=row.trace_id, title=_("Inbox: %(kind)s") % {"kind": row.get_kind_display()}, icon="inbox",
                tone="bad" if parked else "warn", state=row.get_state_display(), text=row.error[:300],
                details={"attempts": row.attempts} if row.attempts else None, places=(Place("conversations.Update", row.pk),), order=(1, 1, row.pk),
            )  # fmt: skip


class Calls(TraceSource):
    """Calls to other systems with their answers."""

    tells = frozenset({"call.made"})
    tells_failures = True

    def lines(self, trace_ids: Sequence[str], viewer: AnyUser) -> Iterable[Line]:
        private = private_keys()
        for row in scoped(Call.objects.filter(trace_id__in=trace_ids).defer("request"), viewer, module="events").order_by("id")[
            :LINES_PER_SOURCE
        ]:
            shown = row.shown if isinstance(row.shown, dict) else {}
            good = row.status_code in GOOD and not row.error
            pending = row.state != Call.State.DONE
            yield Line(
                at=row.created_at, trace_id=row.trace_id, title=_("We call another system"), icon="call_made", tone="plain" if pending or good else "bad",
                text=f"{shown.get('method') or ''} {shown.get('url') or row.action}".strip(), latency_ms=row.latency_ms,
                state=str(row.status_code or (_("no answer") if row.done_at else row.get_state_display())), private=private,
                details={"action": row.action, "request": shown, "attempts": row.attempts, **({"reason": row.error} if row.error else {})},
                places=(Place("conversations.Call", row.pk),), order=(4, row.visit, row.pk), after=f"s{row.session_id}v{row.visit}",
            )  # fmt: skip
            if row.done_at:
                yield Line(
                    at=row.done_at, trace_id=row.trace_id, tone="ok" if good else "bad", icon="call_received" if row.status_code else "call_missed_outgoing",
                    title=_("The other system answers") if row.status_code else _("The call came to nothing"),
                    state=str(row.status_code or ""), text=row.error, order=(0, 0, row.pk),
                )  # fmt: skip


def _buttons(row: Message) -> list[str]:
    content = row.content if isinstance(row.content, dict) else {}
    return [button.get("label", "") for buttons in content.get("buttons", []) for button in buttons]


def _kinds(row: Message) -> str:
    content = row.content if isinstance(row.content, dict) else {}
    return " ".join(
        [
            *(f"[{item.get('kind')}]" for item in content.get("media", [])),
            *(f"[{name}]" for name in ("location", "contact") if content.get(name)),
        ]
    )


for source in (Messages(), Inbox(), Calls()):
    register(source)
