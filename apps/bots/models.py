"""Bots and the channels through which they talk."""

import secrets
import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.bots.adapter import Account, Adapter, Credentials
from apps.bots.registry import adapters, channel_kinds
from apps.core.fields import EncryptedJSONField


class Bot(models.Model):
    """One assistant of the company. Its id is the `{botId}` of the integration API."""

    access_module = "bots"
    bot_lookup = "id"

    name = models.CharField(_("name"), max_length=100, help_text=_("Shown to staff; customers see the name that the messenger shows."))
    description = models.TextField(_("description"), blank=True)
    is_active = models.BooleanField(_("active"), default=True, help_text=_("An inactive bot keeps what it receives but starts nothing."))
    default_language = models.CharField(
        _("default language"),
        max_length=10,
        default="en",
        help_text=_("Used when the customer's language is unknown or has no text."),
    )
    timezone = models.CharField(_("time zone"), max_length=60, default="UTC", help_text=_("For example Europe/Kyiv."))
    source_system = models.CharField(
        _("main system"),
        max_length=50,
        default="crm",
        help_text=_("The system whose user ids the integration API means when a token names no other, e.g. crm."),
    )
    error_text = models.TextField(
        _("text on failure"),
        blank=True,
        default="Something went wrong. We are already looking into it.",
        help_text=_("Said when a scenario fails and has no error section of its own. Leave empty to say nothing."),
    )
    fallback_text = models.TextField(
        _("text when nothing matches"),
        blank=True,
        help_text=_("Said when no scenario takes a message. Leave empty to say nothing."),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("bot")
        verbose_name_plural = _("bots")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("admin:bots_bot_change", args=[self.pk])


def new_webhook_secret() -> str:
    return secrets.token_urlsafe(32)


class Channel(models.Model):
    """A messenger account of a bot: a type plus its credentials. `public_id` is the unguessable part of its webhook's address."""

    class Health(models.TextChoices):
        UNKNOWN = "unknown", _("not checked")
        OK = "ok", _("connected")
        FAILING = "failing", _("failing")
        PAUSED = "paused", _("paused")

    access_module = "channels"
    bot_lookup = "bot_id"

    bot = models.ForeignKey(Bot, on_delete=models.PROTECT, related_name="channels", verbose_name=_("bot"))
    kind = models.CharField(_("type"), max_length=40, choices=channel_kinds)
    name = models.CharField(_("name"), max_length=100, help_text=_("For staff, e.g. “Shop in Telegram”."))
    is_active = models.BooleanField(_("active"), default=True, help_text=_("An inactive channel neither receives nor sends."))
    config = models.JSONField(_("settings"), default=dict, blank=True)
    secrets = EncryptedJSONField(_("credentials"), default=dict, blank=True)
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    webhook_secret = EncryptedJSONField(default=new_webhook_secret, editable=False)
    account = models.JSONField(_("connected as"), default=dict, blank=True, editable=False)
    health = models.CharField(_("health"), max_length=10, choices=Health.choices, default=Health.UNKNOWN, editable=False)
    health_text = models.CharField(_("last problem"), max_length=500, blank=True, editable=False)
    health_at = models.DateTimeField(_("checked"), null=True, blank=True, editable=False)
    paused_until = models.DateTimeField(null=True, blank=True, editable=False)
    poll_offset = models.BigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    history = HistoricalRecords(
        excluded_fields=["secrets", "webhook_secret", "health", "health_text", "health_at", "poll_offset", "paused_until"],
    )

    class Meta:
        verbose_name = _("channel")
        verbose_name_plural = _("channels")
        ordering = ["bot_id", "name"]

    def __str__(self) -> str:
        label = adapters[self.kind].label if self.kind in adapters else self.kind  # a kind may be no longer installed
        return self.name if str(label) in self.name else f"{self.name} ({label})"

    def get_absolute_url(self) -> str:
        return reverse("admin:bots_channel_change", args=[self.pk])

    @property
    def adapter(self) -> Adapter:
        return adapters[self.kind]

    @property
    def credentials(self) -> Credentials:
        return Credentials(channel_id=self.pk, config=self.config, secrets=self.secrets, webhook_secret=self.webhook_secret)

    @property
    def connected_account(self) -> Account:
        known: dict[str, Any] = {key: self.account.get(key, "") for key in ("name", "external_id", "username", "link")}
        return Account(**known)

    @property
    def webhook_url(self) -> str:
        """Where the messenger posts to; empty when the installation has no public address (then we poll)."""
        return f"{settings.PUBLIC_URL}/webhooks/{self.kind}/{self.public_id}" if settings.PUBLIC_URL else ""
