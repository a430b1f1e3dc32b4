"""What a sender has in hand: messages to send, presses to acknowledge, files to fetch."""

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from apps.bots.models import Channel
from apps.conversations.models.dialogue import Message
from apps.conversations.models.work import Lane
from apps.identity.models import Lead


class Outbox(models.Model):
    """A message that has to leave. Only the head of a lane is sent, so order holds; deleted when the messenger has taken it.

    `claimed_by` is the database session of a sender that holds its advisory lock: when the sender dies the lock is gone and the row is
    free again at once. `deaths` counts such claims: the second makes the message `unknown`, so there are never more than two copies.
    `held`: claimed, but it waits for its slot and so cannot have left; such a claim is no death.
    """

    class Urgency(models.IntegerChoices):
        DIALOGUE = 0, _("dialogue")
        BROADCAST = 10, _("broadcast")

    id = models.BigAutoField(primary_key=True)
    lane = models.ForeignKey(Lane, on_delete=models.PROTECT, related_name="+", db_index=False)
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="+", db_index=False)
    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="outbox")
    chat_id = models.CharField(max_length=200)
    is_group = models.BooleanField(default=False)
    urgency = models.SmallIntegerField(choices=Urgency.choices, default=Urgency.DIALOGUE)
    at_most_once = models.BooleanField(default=False)
    due_at = models.DateTimeField(db_default=Now())
    parts = models.JSONField(default=list, blank=True, help_text="External ids of the parts that have left already.")
    attempts = models.SmallIntegerField(default=0)
    deaths = models.SmallIntegerField(default=0)
    claimed_by = models.BigIntegerField(null=True, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    held = models.BooleanField(default=False, db_default=False)
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        verbose_name = _("message to send")
        verbose_name_plural = _("outbox")
        indexes = [
            models.Index(fields=["urgency", "due_at", "id"], name="outbox_due", condition=Q(claimed_by__isnull=True)),
            models.Index(fields=["lane", "id"], name="outbox_lane"),
            models.Index(fields=["claimed_by"], name="outbox_claimed", condition=Q(claimed_by__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.message_id}"


class Acknowledgement(models.Model):
    """A press that the messenger wants answered (Telegram's spinner). Best effort, once, by the sender; never waits for the dialogue."""

    id = models.BigAutoField(primary_key=True)
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="+")
    callback_id = models.CharField(max_length=200)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.callback_id


def attachment_path(_attachment: "Attachment", _filename: str) -> str:
    return f"attachments/{uuid.uuid4().hex}"  # the name that people see is a column


class Attachment(models.Model):
    """A file of a message: fetched from the messenger by the sender, or uploaded by the client or a colleague. Served by checked links only."""

    class State(models.TextChoices):
        PENDING = "pending", _("being fetched")
        STORED = "stored", _("stored")
        FAILED = "failed", _("failed")

    access_module = "operations"
    bot_lookup = "channel__bot_id"

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="+")
    message = models.ForeignKey(Message, on_delete=models.CASCADE, null=True, blank=True, related_name="attachments")
    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    kind = models.CharField(_("kind"), max_length=10)
    name = models.CharField(_("name"), max_length=255, blank=True)
    mime = models.CharField(_("type"), max_length=100, blank=True)
    size = models.BigIntegerField(_("size, bytes"), null=True, blank=True)
    external = models.CharField(max_length=2000, blank=True)
    file = models.FileField(upload_to=attachment_path, blank=True, max_length=200)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.PENDING)
    error = models.CharField(_("reason"), max_length=300, blank=True)
    attempts = models.SmallIntegerField(default=0)
    deaths = models.SmallIntegerField(default=0)
    due_at = models.DateTimeField(db_default=Now())
    claimed_by = models.BigIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(_("created"), db_default=Now())

    class Meta:
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")
        indexes = [models.Index(fields=["due_at"], name="attachment_due", condition=Q(state="pending"))]

    def __str__(self) -> str:
        return self.name or self.kind
