"""States of messages after they left: they arrive late, repeated and out of order, and only ever rise (channels.md 2.5)."""

from django.db.models import Q

from apps.bots.content import Content
from apps.conversations.models import FeedItem, Message
from apps.conversations.responder import Turn

RANK = {"queued": 0, "unknown": 1, "failed": 2, "sent": 3, "delivered": 4, "read": 5}


def raise_state(turn: Turn, *, external_id: str, state: str, reason: str = "") -> None:
    """Apply a receipt for the message with this external id; for `read`, everything sent before it has been read too."""
    message = _by_external(turn, external_id, direction=Message.Direction.OUT)
    if message is None or not state:
        return
    lower = [known for known, rank in RANK.items() if rank < RANK[state]]
    if state == Message.State.FAILED:
        lower = ["queued", "sent", "unknown"]
    mine = Q(pk=message.pk)
    before = Q(conversation_id=message.conversation_id, direction="out", seq__lt=message.seq, state__in=["sent", "delivered"])
    rows = Message.objects.filter(mine | before if state == "read" else mine, state__in=lower)
    if rows.update(state=state, error=reason[:500] if state == "failed" else ""):
        turn.record(f"message.{state}", details={"message": message.pk}, status="fail" if state == "failed" else "success")
        _notice(turn, message, kind="message.state", data={"message": message.pk, "state": state})


def edited(turn: Turn, *, external_id: str, content: Content) -> None:
    """The client changed an earlier message: people see the new text, the old one stays in the version list of its meta."""
    message = _by_external(turn, external_id, direction=Message.Direction.IN)
    if message is None:
        return
    message.meta = {**message.meta, "before": [*message.meta.get("before", []), message.content][-20:]}
    message.content, message.text = content.dump(), content.text
    message.save(update_fields=["meta", "content", "text"])
    turn.record("message.edited", details={"message": message.pk})
    _notice(turn, message, kind="message.edited", data={"message": message.pk, "seq": message.seq})


def _by_external(turn: Turn, external_id: str, *, direction: str) -> Message | None:
    if not external_id:
        return None
    rows = Message.objects.filter(channel=turn.chat.channel, conversation__lead=turn.chat.lead, direction=direction)
    return rows.filter(Q(external_id=external_id) | Q(external_ids__contains=[external_id])).order_by("-id").first()


def _notice(turn: Turn, message: Message, *, kind: str, data: dict[str, object]) -> None:
    chat = turn.chat
    FeedItem.objects.create(
        bot_id=chat.bot.pk,
        conversation_id=message.conversation_id,
        lead_id=chat.lead.pk,
        kind=kind,
        version=chat.conversation.version,
        data=data,
    )
