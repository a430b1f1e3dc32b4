"""A message that failed goes out again because a person said so."""

from django.db import transaction

from apps.conversations import waking
from apps.conversations.models import FeedItem, Message, Outbox
from apps.events.recording import record
from apps.identity import resolving

AGAIN = (Message.State.FAILED, Message.State.UNKNOWN)


def resend(message: Message, *, user_id: int | None = None) -> bool:
    """Queue it behind what the chat waits for; False when it is not failed (any more). Parts that had left already leave again.

    The chat counts as reachable from now on: whoever sends again has a reason to think so, and if the messenger refuses again it says so again.
    """
    with transaction.atomic():
        found = Message.objects.filter(pk=message.pk, direction=Message.Direction.OUT, is_note=False, state__in=AGAIN)
        if not found.update(state=Message.State.QUEUED, error=""):
            return False
        message = Message.objects.select_related("conversation__lead").get(pk=message.pk)
        conversation, lead = message.conversation, message.conversation.lead
        resolving.activate(lead)
        Outbox.objects.create(
            lane_id=conversation.lane_id, channel_id=message.channel_id, message=message, chat_id=lead.chat_id, is_group=lead.is_group,
            at_most_once=bool(message.meta.get("at_most_once")),
        )  # fmt: skip
        FeedItem.objects.create(
            bot_id=conversation.bot_id, conversation_id=conversation.pk, lead_id=lead.pk, kind="message.state", version=conversation.version,
            data={"message": message.pk, "state": Message.State.QUEUED},
        )  # fmt: skip
        record(
            "message.retried", trace_id=message.trace_id, bot_id=conversation.bot_id, channel_id=message.channel_id, lead_id=lead.pk,
            person_id=conversation.person_id, conversation_id=conversation.pk, user_id=user_id, details={"message": message.pk},
        )  # fmt: skip
        waking.senders()
        waking.feed()
    return True
