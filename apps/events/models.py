"""The log: one append-only row per thing that happened."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Event(models.Model):
    """A thing that happened, with the names of the sources' log (trace_id, source_system, endpoint, userId/leadId, status, latency_ms,
    timestamp). References are plain ids: the log outlives what it speaks of and is ready to be partitioned by month.
    `details` are masked before they are written (apps.core.masking).
    """

    class Status(models.TextChoices):
        SUCCESS = "success", _("success")
        FAIL = "fail", _("fail")

    access_module = "events"
    bot_lookup = "bot_id"

    id = models.BigAutoField(primary_key=True)
    trace_id = models.CharField(_("trace"), max_length=64, help_text=_("Everything that shares this id belongs to one chain."))
    timestamp = models.DateTimeField(_("time"))
    kind = models.CharField(_("kind"), max_length=60, help_text=_("What happened, e.g. endpoint.called or message.sent."))
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.SUCCESS)
    source_system = models.CharField(_("source system"), max_length=100, blank=True)
    endpoint = models.CharField(_("endpoint"), max_length=200, blank=True)
    bot_id = models.BigIntegerField(_("bot"), null=True, blank=True)
    channel_id = models.BigIntegerField(_("channel"), null=True, blank=True)
    person_id = models.BigIntegerField(_("person"), null=True, blank=True)
    lead_id = models.BigIntegerField(_("lead"), null=True, blank=True)
    conversation_id = models.BigIntegerField(_("conversation"), null=True, blank=True)
    session_id = models.BigIntegerField(_("session"), null=True, blank=True)
    user_id = models.BigIntegerField(_("staff user"), null=True, blank=True)
    latency_ms = models.IntegerField(_("latency, ms"), null=True, blank=True)
    details = models.JSONField(_("details"), default=dict, blank=True)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("event log")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["trace_id", "id"], name="event_trace"),
            models.Index(fields=["bot_id", "-id"], name="event_bot"),
            models.Index(fields=["person_id", "-id"], name="event_person", condition=models.Q(person_id__isnull=False)),
            models.Index(fields=["kind", "-id"], name="event_kind"),
            models.Index(fields=["-id"], name="event_fail", condition=models.Q(status="fail")),
            models.Index(fields=["timestamp"], name="event_time"),
        ]

    def __str__(self) -> str:
        return f"{self.timestamp:%Y-%m-%d %H:%M:%S} {self.kind}"


from apps.events.webhooks.models import BusCursor, Delivery, DeliveryAttempt, Subscription, SubscriptionFilter  # noqa: E402  found by Django here

__all__ = ["BusCursor", "Delivery", "DeliveryAttempt", "Event", "Subscription", "SubscriptionFilter"]
