"""Subscriptions to events, and what is owed to them."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.core.fields import EncryptedTextField
from apps.core.standard_webhooks import new_secret
from apps.events.webhooks.formats_registry import format_choices


class Subscription(models.Model):
    """An address of another system that is told of events as they happen. It is told nothing before it has answered a challenge."""

    class State(models.TextChoices):
        NEW = "new", _("not confirmed yet")
        ACTIVE = "active", _("active")
        PAUSED = "paused", _("paused by a person")
        DISABLED = "disabled", _("disabled after failures")

    access_module = "integration"
    bot_lookup = "bot_id"

    name = models.CharField(_("name"), max_length=100, help_text=_("Which system is told, and what for."))
    bot_id = models.BigIntegerField(
        _("bot"), null=True, blank=True, help_text=_("Only events of this bot are told. Empty: events of all bots and of the installation.")
    )
    url = models.CharField(
        _("address"), max_length=2000, help_text=_("Where the events are sent by POST. It must answer a challenge before anything is sent.")
    )
    format = models.CharField(
        _("format"), max_length=40, default="native", choices=format_choices, help_text=_("What the body of a request looks like.")
    )
    kinds = ArrayField(
        models.CharField(max_length=60),
        verbose_name=_("events"),
        default=list,
        help_text=_("What is told. A name that ends in .* means all events that begin so; * means every event."),
    )
    secret = EncryptedTextField(_("secret"), default=new_secret, editable=False)
    old_secret = EncryptedTextField(_("former secret"), blank=True, default="", editable=False)
    old_secret_until = models.DateTimeField(_("former secret is valid until"), null=True, blank=True, editable=False)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.NEW, editable=False)
    state_text = models.CharField(_("why"), max_length=500, blank=True, editable=False)
    after_event = models.BigIntegerField(default=0, editable=False)
    failing_since = models.DateTimeField(_("fails since"), null=True, blank=True, editable=False)
    last_success_at = models.DateTimeField(_("last delivery"), null=True, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    history = HistoricalRecords(excluded_fields=["secret", "old_secret", "after_event", "failing_since", "last_success_at"])

    class Meta:
        verbose_name = _("event subscription")
        verbose_name_plural = _("event subscriptions")
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("admin:events_subscription_change", args=[self.pk])

    @property
    def live_secrets(self) -> list[str]:
        """Those that a receiver may hold now: the present one, and after a rotation for a while the former one."""
        old = self.old_secret if self.old_secret_until and self.old_secret_until > timezone.now() else ""
        return [secret for secret in (self.secret, old) if secret]


class SubscriptionFilter(models.Model):
    """A condition on an event; all conditions of a subscription must hold."""

    class Operator(models.TextChoices):
        EQUALS = "equals", _("is")
        NOT_EQUALS = "not_equals", _("is not")
        ONE_OF = "one_of", _("is one of (comma-separated)")
        CONTAINS = "contains", _("contains")
        STARTS_WITH = "starts_with", _("begins with")
        GREATER = "greater", _("is greater than")
        LESS = "less", _("is less than")
        PRESENT = "present", _("is present")
        ABSENT = "absent", _("is absent")

    access_module = "integration"
    bot_lookup = "subscription__bot_id"

    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="filters")
    field = models.CharField(
        _("field"),
        max_length=200,
        help_text=_("A name in the event as the native format shows it: status, channel.kind, data.name, data.data.total."),
    )
    operator = models.CharField(_("condition"), max_length=20, choices=Operator.choices, default=Operator.EQUALS)
    value = models.CharField(_("value"), max_length=500, blank=True)

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("condition")
        verbose_name_plural = _("conditions")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.field} {self.get_operator_display()} {self.value}".strip()


class Delivery(models.Model):
    """One event owed to one subscription, with the very bytes that are sent at each attempt. A row is the queue entry, too: claimed as messages
    are, and within a conversation only the oldest pending one leaves (`order_key`).
    """

    class State(models.TextChoices):
        PENDING = "pending", _("waiting")
        DONE = "done", _("delivered")
        FAILED = "failed", _("given up")
        HELD = "held", _("held back: the subscription is not active")

    access_module = "integration"
    bot_lookup = "subscription__bot_id"

    id = models.BigAutoField(primary_key=True)
    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="deliveries", verbose_name=_("subscription"))
    event_id = models.BigIntegerField(_("event"), null=True, blank=True)
    kind = models.CharField(_("kind of event"), max_length=60)
    message_id = models.CharField("webhook-id", max_length=60)
    order_key = models.BigIntegerField(_("conversation"), null=True, blank=True)
    trace_id = models.CharField(_("trace"), max_length=64, blank=True)
    body = EncryptedTextField(_("body"))
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.PENDING)
    attempts = models.SmallIntegerField(_("attempts"), default=0)
    deaths = models.SmallIntegerField(default=0)
    replays = models.SmallIntegerField(_("replayed"), default=0)
    due_at = models.DateTimeField(_("due"), db_default=Now())
    claimed_by = models.BigIntegerField(null=True, blank=True)
    status_code = models.IntegerField(_("answer"), null=True, blank=True)
    error = models.CharField(_("reason"), max_length=500, blank=True)
    latency_ms = models.IntegerField(_("latency, ms"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), db_default=Now())
    done_at = models.DateTimeField(_("done"), null=True, blank=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["subscription", "event_id"], name="delivery_event_once")]
        indexes = [
            models.Index(fields=["due_at"], name="delivery_due", condition=Q(state="pending", claimed_by__isnull=True)),
            models.Index(fields=["subscription", "order_key", "id"], name="delivery_order", condition=Q(state="pending")),
            models.Index(fields=["claimed_by"], name="delivery_claimed", condition=Q(claimed_by__isnull=False)),
            models.Index(fields=["subscription", "-id"], name="delivery_subscription"),
            models.Index(fields=["state", "-id"], name="delivery_state"),
            models.Index(fields=["trace_id"], name="delivery_trace"),
            models.Index(fields=["created_at"], name="delivery_age"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.message_id}"

    def get_absolute_url(self) -> str:
        return reverse("admin:events_delivery_change", args=[self.pk])


class DeliveryAttempt(models.Model):
    """One request and what came of it; texts are masked and cut before they are stored."""

    id = models.BigAutoField(primary_key=True)
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="log")
    at = models.DateTimeField(_("time"), db_default=Now())
    url = models.CharField(_("address"), max_length=2000)
    request_headers = models.JSONField(_("headers of the request"), default=dict)
    status_code = models.IntegerField(_("answer"), null=True)
    response_headers = models.JSONField(_("headers of the answer"), default=dict)
    response_body = models.TextField(_("answer's body"), blank=True)
    error = models.CharField(_("reason"), max_length=500, blank=True)
    latency_ms = models.IntegerField(_("latency, ms"), null=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.status_code or self.error}"


class BusCursor(models.Model):
    """How far the bus has read the log (one row). `gaps`: ids that were not there yet when later ones were: [[id, horizon, seen], …]."""

    last_id = models.BigIntegerField(default=0)
    gaps = models.JSONField(default=list)
    moved_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return str(self.last_id)
