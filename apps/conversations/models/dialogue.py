"""What people see: conversations, their messages, and the feed that says what changed."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from apps.bots.models import Bot, Channel
from apps.conversations.models.work import Lane
from apps.identity.models import Lead, Person


class Conversation(models.Model):
    """The thread with a lead; one open at a time. Ownership (bot, queue, operator) is taken by a conditional write on `version`;
    a writer that carries an old `owner_token` is refused. The card (last text, who waits since when) is kept, not computed.
    """

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        CLOSED = "closed", _("closed")

    class Owner(models.TextChoices):
        BOT = "bot", _("bot")
        QUEUE = "queue", _("queue")
        OPERATOR = "operator", _("operator")

    access_module = "operations"
    bot_lookup = "bot_id"

    bot = models.ForeignKey(Bot, on_delete=models.PROTECT, related_name="+", verbose_name=_("bot"))
    lead = models.ForeignKey(Lead, on_delete=models.PROTECT, related_name="conversations", verbose_name=_("lead"))
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="conversations", verbose_name=_("person"))
    lane = models.ForeignKey(Lane, on_delete=models.PROTECT, related_name="+", db_index=False)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.OPEN)
    owner = models.CharField(_("served by"), max_length=10, choices=Owner.choices, default=Owner.BOT)
    operator = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("operator"),
        db_index=False,
    )
    owner_token = models.UUIDField(default=uuid.uuid4, editable=False)
    version = models.BigIntegerField(default=0, editable=False)
    last_seq = models.BigIntegerField(default=0, editable=False)
    last_public_seq = models.BigIntegerField(default=0, editable=False)
    last_text = models.CharField(_("last message"), max_length=200, blank=True, editable=False)
    last_author = models.CharField(max_length=10, blank=True, editable=False)
    last_at = models.DateTimeField(_("last activity"), null=True, blank=True, editable=False)
    waiting_since = models.DateTimeField(_("client waits since"), null=True, blank=True, editable=False)
    next_deadline_at = models.DateTimeField(null=True, blank=True, editable=False)
    opened_at = models.DateTimeField(_("opened"), auto_now_add=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)

    class Meta:
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")
        ordering = ["-last_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["lead"], condition=~Q(status="closed"), name="conversation_one_open")]
        indexes = [
            models.Index(fields=["bot", "-last_at", "-id"], name="conversation_live", condition=Q(status="open")),
            models.Index(fields=["-last_at", "-id"], name="conversation_recent"),
            models.Index(fields=["lane"], name="conversation_lane", condition=Q(status="open")),
            models.Index(fields=["operator"], name="conversation_operator", condition=Q(operator__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("admin:conversations_conversation_change", args=[self.pk])


class Message(models.Model):
    """One message of a conversation. `seq` is given under the lane's lock, so it has no gaps; `client_id` and `external_id` are unique, so
    that a repeated send or webhook makes no second one. States only rise (channels.md 2.5).
    """

    class Direction(models.TextChoices):
        IN = "in", _("from the client")
        OUT = "out", _("to the client")

    class Author(models.TextChoices):
        CLIENT = "client", _("client")
        BOT = "bot", _("bot")
        OPERATOR = "operator", _("operator")
        SYSTEM = "system", _("system")

    class State(models.TextChoices):
        RECEIVED = "received", _("received")
        QUEUED = "queued", _("queued")
        SENT = "sent", _("sent")
        DELIVERED = "delivered", _("delivered")
        READ = "read", _("read")
        FAILED = "failed", _("failed")
        UNKNOWN = "unknown", _("not known whether it arrived")

    access_module = "operations"
    bot_lookup = "conversation__bot_id"

    id = models.BigAutoField(primary_key=True)
    conversation = models.ForeignKey(
        Conversation, on_delete=models.PROTECT, related_name="messages", verbose_name=_("conversation"), db_index=False
    )
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="+", verbose_name=_("channel"), db_index=False)
    seq = models.BigIntegerField(_("number"))
    direction = models.CharField(_("direction"), max_length=3, choices=Direction.choices)
    author = models.CharField(_("author"), max_length=10, choices=Author.choices)
    is_note = models.BooleanField(_("internal note"), default=False)
    content = models.JSONField(_("content"), default=dict)
    text = models.TextField(_("text"), blank=True)
    meta = models.JSONField(default=dict, blank=True, help_text="Session, version, node and visit that said it; for old buttons.")
    client_id = models.CharField(max_length=100, null=True, blank=True)  # noqa: DJ001  unique where given
    external_id = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001  unique where given
    external_ids = models.JSONField(default=list, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices)
    error = models.CharField(_("reason"), max_length=500, blank=True)
    trace_id = models.CharField(_("trace"), max_length=64)
    created_at = models.DateTimeField(_("time"), db_default=Now())
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ["conversation_id", "seq"]
        constraints = [
            models.UniqueConstraint(fields=["conversation", "seq"], name="message_seq_once"),
            models.UniqueConstraint(fields=["conversation", "client_id"], name="message_client_id_once"),
            models.UniqueConstraint(fields=["channel", "direction", "external_id", "conversation"], name="message_external_id_once"),
        ]
        indexes = [
            models.Index(fields=["trace_id"], name="message_trace"),
            models.Index(fields=["-id"], name="message_failed", condition=Q(state__in=["failed", "unknown"])),
        ]

    def __str__(self) -> str:
        return f"{self.conversation_id}#{self.seq}"


class FeedItem(models.Model):
    """The live feed's log: small notices that something of a conversation changed. `cursor` is stamped when the row is first read, under a
    lock, so that reading by cursor has no gaps whatever order transactions commit in (desk.md 6.2).
    """

    id = models.BigAutoField(primary_key=True)
    cursor = models.BigIntegerField(null=True, unique=True)
    bot_id = models.BigIntegerField()
    conversation_id = models.BigIntegerField()
    lead_id = models.BigIntegerField()
    kind = models.CharField(max_length=30)
    version = models.BigIntegerField()
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [
            models.Index(fields=["id"], name="feed_unstamped", condition=Q(cursor__isnull=True)),
            models.Index(fields=["conversation_id", "cursor"], name="feed_conversation"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.conversation_id}"
