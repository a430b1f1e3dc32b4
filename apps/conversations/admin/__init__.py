"""Operations in the admin: conversations, messages, the inbox and outside calls."""

from apps.conversations.admin.calls import CallAdmin
from apps.conversations.admin.conversations import ConversationAdmin
from apps.conversations.admin.inbox import UpdateAdmin
from apps.conversations.admin.messages import MessageAdmin

__all__ = ["CallAdmin", "ConversationAdmin", "MessageAdmin", "UpdateAdmin"]
