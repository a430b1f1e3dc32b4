"""Lanes and the work that waits in them: accepted items, timers, calls to other systems."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from apps.bots.models import Bot, Channel
from apps.core.fields import EncryptedJSONField


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
    bot = models.ForeignKey(Bot, on_delete=models.CASCADE, related_name="+", verbose_name=_("bot"), db_index=False)
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="+", verbose_name=_("channel"), db_index=False)
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
        WAITING = "waiting", _("answered, waits for the callback")
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
    answer = EncryptedJSONField(null=True, blank=True, help_text="The reply of a call that waits for its callback.")
    callback = EncryptedJSONField(null=True, blank=True, help_text="What came by callback: {content_type, body}.")
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
            models.Index(fields=["due_at"], name="call_callback_due", condition=Q(state="waiting")),
            models.Index(fields=["claimed_by"], name="call_claimed", condition=Q(claimed_by__isnull=False)),
            models.Index(fields=["trace_id"], name="call_trace"),
            models.Index(fields=["session_id", "visit"], name="call_session"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.idempotency_key}"
