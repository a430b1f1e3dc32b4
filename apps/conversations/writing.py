"""Write what a batch of turns caused, in bulk, inside the batch's transaction."""

from collections.abc import Sequence

from apps.conversations import waking
from apps.conversations.models import Acknowledgement, Attachment, FeedItem, Message, Outbox
from apps.conversations.responder import Responder, Turn, Written
from apps.core import hot
from apps.core.bulk import add_in_bulk, insert_in_bulk, update_in_bulk
from apps.events import recording

CARD = [
    "owner",
    "operator",
    "owner_token",
    "version",
    "last_seq",
    "last_public_seq",
    "last_text",
    "last_author",
    "last_at",
    "waiting_since",
    "next_deadline_at",
    "status",
    "closed_at",
    "person",
]


def write(batch: Written, turns: Sequence[Turn], answering: Sequence[Responder]) -> None:
    """Messages first (others name them), then work for the sender, then the responders' rows, the log and the feed; what can be, in one
    statement.
    """
    with hot.together():
        _write(batch, turns, answering)


def _write(batch: Written, turns: Sequence[Turn], answering: Sequence[Responder]) -> None:
    for responder in answering:
        responder.close()
    insert_in_bulk(batch.messages)
    _queue(batch, turns)
    add_in_bulk(batch.timers)
    add_in_bulk(batch.calls)
    if batch.acknowledge:
        Acknowledgement.objects.bulk_create(
            Acknowledgement(channel_id=channel, callback_id=callback) for channel, callback in batch.acknowledge
        )
    fetched = _attachments(batch)
    if fetched:
        Attachment.objects.bulk_create(fetched)
    update_in_bulk(list(batch.changed.values()), CARD)
    for responder in answering:
        responder.written()
    add_in_bulk(_feed(batch))
    recording.write(batch.events)
    update_in_bulk([turn.update for turn in turns], ["state", "done_at", "outcome", "error"])
    if batch.outgoing or batch.calls or batch.acknowledge or fetched:
        waking.senders(beside=bool(batch.calls or batch.acknowledge or fetched))


def _queue(batch: Written, turns: Sequence[Turn]) -> None:
    chats = {turn.chat.conversation.pk: turn.chat for turn in turns}
    rows = [
        hot.make(
            Outbox,
            lane_id=chat.lane_id,
            channel_id=message.channel_id,
            message=message,
            chat_id=chat.lead.chat_id,
            is_group=chat.lead.is_group,
            at_most_once=bool(message.meta.get("at_most_once")),
        )
        for message in batch.outgoing
        for chat in [chats[message.conversation_id]]
    ]
    add_in_bulk(rows)


def _attachments(batch: Written) -> list[Attachment]:
    """Files of inbound messages; the sender fetches them (channels.md 2.11)."""
    return [
        Attachment(
            channel_id=message.channel_id,
            message=message,
            lead_id=message.conversation.lead_id,
            kind=item["kind"],
            name=item.get("name", "")[:255],
            mime=item.get("mime", "")[:100],
            size=item.get("size"),
            external=item["external"],
            **({"uid": item["uid"]} if item.get("uid") else {}),
        )
        for message in batch.messages
        if message.direction == Message.Direction.IN
        for item in message.content.get("media", [])
        if item.get("external")
    ]


def _feed(batch: Written) -> list[FeedItem]:
    return [
        hot.make(
            FeedItem,
            bot_id=message.conversation.bot_id,
            conversation_id=message.conversation_id,
            lead_id=message.conversation.lead_id,
            kind="message.created",
            version=message.conversation.version,
            data={"message": message.pk, "seq": message.seq},
        )
        for message in batch.messages
    ]
