"""Integration points, the tokens that may call them, and the answers kept for repeated calls."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.bots.models import Bot
from apps.core.fields import EncryptedJSONField, EncryptedTextField
from apps.scenarios.models import Scenario


class Endpoint(models.Model):
    """An integration point: `POST /bots/{botId}/call/{alias}` starts a scenario (inbound); outbound ones document what scenarios call."""

    class Direction(models.TextChoices):
        INBOUND = "inbound", _("inbound: the system calls us")
        OUTBOUND = "outbound", _("outbound: we call the system")
        BOTH = "both", _("bidirectional")

    access_module = "integration"
    bot_lookup = "bot_id"

    bot = models.ForeignKey(Bot, on_delete=models.PROTECT, related_name="endpoints", verbose_name=_("bot"))
    alias = models.CharField(_("alias"), max_length=200, help_text=_("The end of the address; may hold slashes, e.g. order/thank-you."))
    name = models.CharField(_("name"), max_length=200, blank=True)
    purpose = models.TextField(_("purpose"), blank=True, help_text=_("What it is for, in a sentence."))
    owner = models.CharField(_("owner"), max_length=100, blank=True, help_text=_("Responsible person or team."))
    direction = models.CharField(_("direction"), max_length=10, choices=Direction.choices, default=Direction.INBOUND)
    method = models.CharField(
        _("method"), max_length=6, default="POST", choices=[(m, m) for m in ("POST", "PUT", "GET", "PATCH", "DELETE")]
    )
    url = models.CharField(_("address"), max_length=500, blank=True, help_text=_("For outbound points: the address that scenarios call."))
    scenario = models.ForeignKey(
        Scenario,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="endpoints",
        verbose_name=_("scenario"),
        help_text=_("Started by a call. Its published version runs."),
    )
    entry = models.CharField(_("entry"), max_length=200, blank=True, help_text=_("Alias of an entry block; empty = the start block."))
    request_schema = models.JSONField(
        _("request schema"), default=dict, blank=True, help_text=_("JSON Schema of the parameters; a call that does not fit is refused.")
    )
    request_example = models.JSONField(_("request example"), default=dict, blank=True)
    response_schema = models.JSONField(
        _("response schema"), default=dict, blank=True, help_text=_("JSON Schema of “data” in the answer; for the docs.")
    )
    needs_recipient = models.BooleanField(_("needs a recipient"), default=True)
    own_key = models.BooleanField(
        _("isolated"),
        default=False,
        help_text=_("Only tokens that name this alias may call it; tokens for “all endpoints” may not."),
    )
    signing_secret = EncryptedTextField(
        _("signing secret"),
        blank=True,
        default="",
        help_text=_("When set, every call must carry a valid signature."),
    )
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    history = HistoricalRecords(excluded_fields=["signing_secret"])

    class Meta:
        verbose_name = _("endpoint")
        verbose_name_plural = _("endpoints")
        ordering = ["bot_id", "alias"]
        constraints = [models.UniqueConstraint(fields=["bot", "alias"], name="endpoint_alias_once")]

    def __str__(self) -> str:
        return self.alias

    def get_absolute_url(self) -> str:
        return reverse("admin:gateway_endpoint_change", args=[self.pk])


class ApiToken(models.Model):
    """A key of an outside system. Stored as a digest; shown once when made. Empty bots or aliases mean none unless `all_…` is ticked."""

    access_module = "integration"
    bot_lookup = None

    name = models.CharField(_("name"), max_length=100, help_text=_("Which system or partner uses it."))
    source_system = models.CharField(
        _("system"), max_length=50, default="crm", help_text=_("Whose user ids it sends; also named in the log.")
    )
    digest = models.CharField(max_length=64, unique=True, editable=False)
    prefix = models.CharField(max_length=12, editable=False)
    last_four = models.CharField(max_length=4, editable=False)
    all_bots = models.BooleanField(_("all bots"), default=False)
    bots = models.ManyToManyField(Bot, blank=True, related_name="tokens", verbose_name=_("bots"))
    all_aliases = models.BooleanField(_("all endpoints"), default=True)
    aliases = ArrayField(
        models.CharField(max_length=200),
        verbose_name=_("endpoints"),
        default=list,
        blank=True,
        help_text=_("Aliases, or prefixes that end in /*, e.g. order/*."),
    )
    data_rights = ArrayField(
        models.CharField(max_length=80),
        verbose_name=_("custom data"),
        default=list,
        blank=True,
        help_text=_("A model and what may be done with its records: complaints:read, complaints:write, *:delete, *:personal."),
    )
    dry_run_only = models.BooleanField(_("dry run only"), default=False)
    calls_per_minute = models.PositiveIntegerField(
        _("calls per minute"), null=True, blank=True, help_text=_("Empty = the installation's default.")
    )
    is_active = models.BooleanField(_("active"), default=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)
    replaces = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="replaced_by",
        verbose_name=_("replaces"),
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    history = HistoricalRecords(excluded_fields=["digest", "last_used_at"])

    class Meta:
        verbose_name = _("access token")
        verbose_name_plural = _("access tokens")
        ordering = ["name"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…{self.last_four})"


class KeptAnswer(models.Model):
    """The answer of a call that carried an Idempotency-Key: the same key and body get it again for 24 hours, another body gets 409."""

    token = models.ForeignKey(ApiToken, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    request_digest = models.CharField(max_length=64)
    trace_id = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    answer = EncryptedJSONField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["token", "key"], name="kept_answer_once")]
        indexes = [models.Index(fields=["created_at"], name="kept_answer_age")]

    def __str__(self) -> str:
        return self.key
