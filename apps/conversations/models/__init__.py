"""The queue of record: lanes, the inbox, the outbox, timers and outside calls; and what people see: conversations and messages.

`docs/delivery.md` tells the whole way of a message. Rows that are work (inbox, outbox, calls, timers) point at a lane, the queue of one chat.
"""

from apps.conversations.models.dialogue import Conversation, FeedItem, Message
from apps.conversations.models.outgoing import Acknowledgement, Attachment, Outbox, attachment_path
from apps.conversations.models.work import Call, Lane, Timer, Update

__all__ = [
    "Acknowledgement",
    "Attachment",
    "Call",
    "Conversation",
    "FeedItem",
    "Lane",
    "Message",
    "Outbox",
    "Timer",
    "Update",
    "attachment_path",
]
