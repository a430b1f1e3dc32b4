"""The queue of record: lanes, the inbox, the outbox, timers and outside calls; and what people see: conversations and messages.

`docs/delivery.md` tells the whole way of a message. Rows that are work (inbox, outbox, calls, timers) point at a lane, the queue of one chat.
"""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from apps.bots.models import Bot, Channel
from apps.core.fields import EncryptedJSONField
from apps.identity.models import Lead, Person


class Lane(models.Model):
    """The queue of one chat. A worker that drains it holds the transaction-scoped advisory lock of its id: one at a time, freed by death.

    `wake_at` is when there is (or may be) work; null = none. `posted` counts what was put in, so that work which arrives during a
    drain is never missed. `attempts` counts claims since the last finished one: a process that dies is counted before it ran.
    """

    key = models.CharField(max_length=260, unique=True)
    posted = models.BigIntegerField(default=0)
    wake_at = models.DateTimeField(null=True, blank=True)
    held_until = models.DateTimeField(null=True, blank=True)
    attempts = models.SmallIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["wake_at"], name="lane_due", condition=Q(wake_at__isnull=False))]

    def __str__(self) -> str:
        return self.key


class Update(models.Model):
    """The inbox: one accepted thing that will advance one chat, exactly once. `event_key` within `source` makes repeats harmless."""

    class Kind(models.TextChoices):
        MESSENGER = "messenger", _("from the messenger")
        START = "start", _("start of a scenario")
        TIMER = "timer", _("timer")
        RESULT = "result", _("result of an outside call")
        OPERATOR = "operator", _("act of a person")

    class State(models.TextChoices):
        PENDING = "pending", _("waiting")
        DONE = "done", _("done")
        PARKED = "parked", _("parked")
        DISCARDED = "discarded", _("discarded")

    access_module = "operations"
    bot_lookup = "bot_id"

    id = models.BigAutoField(primary_key=True)
    lane = models.ForeignKey(Lane, on_delete=models.PROTECT, related_name="updates")
    bot = models.ForeignKey(Bot, on_delete=models.CASCADE, related_name="+", verbose_name=_("bot"))
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="+", verbose_name=_("channel"))
    source = models.CharField(max_length=60, help_text="Name space of event_key: c<channel id>, call, timer, result, panel.")
    event_key = models.CharField(_("event key"), max_length=200)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    payload = EncryptedJSONField(_("content"), default=dict)
    trace_id = models.CharField(_("trace"), max_length=64)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.PENDING)
    attempts = models.SmallIntegerField(_("attempts"), default=0)
    error = models.TextField(_("reason"), blank=True)
    outcome = models.JSONField(_("outcome"), default=dict, blank=True)
    received_at = models.DateTimeField(_("received"), db_default=Now())
    done_at = models.DateTimeField(_("done"), null=True, blank=True)

    class Meta:
        verbose_name = _("inbox item")
        verbose_name_plural = _("inbox")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["source", "event_key"], name="update_once")]
        indexes = [
            models.Index(fields=["lane", "id"], name="update_pending", condition=Q(state="pending")),
            models.Index(fields=["-id"], name="update_parked", condition=Q(state="parked")),
            models.Index(fields=["trace_id"], name="update_trace"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.event_key}"


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
    lane = models.ForeignKey(Lane, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.OPEN)
    owner = models.CharField(_("served by"), max_length=10, choices=Owner.choices, default=Owner.BOT)
    operator = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("operator"),
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
        ]

    def __str__(self) -> str:
        return f"{self.lead_id}/{self.pk}"

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
    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="messages", verbose_name=_("conversation"))
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="+", verbose_name=_("channel"))
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


class Outbox(models.Model):
    """A message that has to leave. Only the head of a lane is sent, so order holds; deleted when the messenger has taken it.

    `claimed_by` is the database session of a sender that holds its advisory lock: when the sender dies the lock is gone and the row is
    free again at once. `deaths` counts such claims: the second makes the message `unknown`, so there are never more than two copies.
    """

    class Urgency(models.IntegerChoices):
        DIALOGUE = 0, _("dialogue")
        BROADCAST = 10, _("broadcast")

    id = models.BigAutoField(primary_key=True)
    lane = models.ForeignKey(Lane, on_delete=models.PROTECT, related_name="+")
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="+")
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


class Timer(models.Model):
    """A row that waits for a time (database clock). When due it becomes an inbox item, once; bound to one visit of one session."""

    id = models.BigAutoField(primary_key=True)
    lane = models.ForeignKey(Lane, on_delete=models.CASCADE, related_name="timers")
    bot = models.ForeignKey(Bot, on_delete=models.CASCADE, related_name="+")
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="+")
    due_at = models.DateTimeField()
    reason = models.CharField(max_length=20)
    session_id = models.BigIntegerField(null=True)
    visit = models.IntegerField(default=0)
    trace_id = models.CharField(max_length=64)

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], name="timer_due"),
            models.Index(fields=["session_id"], name="timer_session"),
        ]

    def __str__(self) -> str:
        return f"{self.reason} {self.due_at:%Y-%m-%d %H:%M:%S}"


class Call(models.Model):
    """A call to another system that a scenario waits for: committed before it is made, made without a lock by the sender, its result comes
    back as an inbox item. `request` may hold secrets and is encrypted; `shown` is the same for people.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("waiting")
        DONE = "done", _("done")
        CANCELLED = "cancelled", _("cancelled")

    access_module = "operations"
    bot_lookup = "bot_id"

    id = models.BigAutoField(primary_key=True)
    lane = models.ForeignKey(Lane, on_delete=models.PROTECT, related_name="+")
    bot = models.ForeignKey(Bot, on_delete=models.CASCADE, related_name="+", verbose_name=_("bot"))
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="+", verbose_name=_("channel"))
    session_id = models.BigIntegerField(_("session"))
    visit = models.IntegerField()
    action = models.CharField(_("action"), max_length=100)
    request = EncryptedJSONField(default=dict)
    shown = models.JSONField(_("request"), default=dict)
    idempotency_key = models.CharField(max_length=100, unique=True)
    trace_id = models.CharField(_("trace"), max_length=64)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.PENDING)
    attempts = models.SmallIntegerField(_("attempts"), default=0)
    deaths = models.SmallIntegerField(default=0)
    due_at = models.DateTimeField(_("due"), db_default=Now())
    claimed_by = models.BigIntegerField(null=True, blank=True)
    status_code = models.IntegerField(_("answer"), null=True, blank=True)
    error = models.CharField(_("reason"), max_length=500, blank=True)
    latency_ms = models.IntegerField(_("latency, ms"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), db_default=Now())
    done_at = models.DateTimeField(_("done"), null=True, blank=True)

    class Meta:
        verbose_name = _("outside call")
        verbose_name_plural = _("outside calls")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["due_at"], name="call_due", condition=Q(state="pending", claimed_by__isnull=True)),
            models.Index(fields=["claimed_by"], name="call_claimed", condition=Q(claimed_by__isnull=False)),
            models.Index(fields=["trace_id"], name="call_trace"),
            models.Index(fields=["session_id", "visit"], name="call_session"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.idempotency_key}"


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
    external = models.CharField(max_length=300, blank=True)
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
