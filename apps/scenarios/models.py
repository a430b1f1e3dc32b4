"""Scenarios: a draft that people edit, immutable published versions, and the sessions that run them."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.bots.models import Bot
from apps.conversations.models import Conversation
from apps.core.fields import EncryptedJSONField
from apps.identity.models import Lead, Person
from apps.scenarios.commands.models import Command
from apps.scenarios.jail.models import CustomAction, CustomActionTest, CustomActionVersion
from apps.scenarios.scheduling.models import Schedule
from apps.scenarios.simulation.models import SavedTest
from apps.scenarios.versions.models import PlannedPublication

__all__ = [
    "Command",
    "CustomAction",
    "CustomActionTest",
    "CustomActionVersion",
    "PlannedPublication",
    "SavedTest",
    "Scenario",
    "ScenarioVersion",
    "Schedule",
    "Session",
    "SessionStep",
    "Trigger",
]


class Scenario(models.Model):
    """A dialogue program of a bot. `draft` is what people edit; only a published version runs."""

    access_module = "scenarios"
    bot_lookup = "bot_id"

    bot = models.ForeignKey(Bot, on_delete=models.PROTECT, related_name="scenarios", verbose_name=_("bot"))
    key = models.SlugField(
        _("key"), max_length=100, help_text=_("Stable name within the bot, e.g. order-thank-you; used by files and endpoints.")
    )
    name = models.CharField(_("name"), max_length=200)
    description = models.TextField(_("description"), blank=True)
    is_active = models.BooleanField(_("active"), default=True, help_text=_("An inactive scenario starts nothing; people inside go on."))
    draft = models.JSONField(_("definition"), default=dict)
    layout = models.JSONField(default=dict, blank=True, editable=False)
    draft_version = models.PositiveIntegerField(
        default=1, editable=False, help_text="Raised with every saved draft; a stale save is refused."
    )
    published = models.ForeignKey(
        "ScenarioVersion",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("published version"),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    history = HistoricalRecords(excluded_fields=["layout"])

    class Meta:
        verbose_name = _("scenario")
        verbose_name_plural = _("scenarios")
        ordering = ["bot_id", "name"]
        constraints = [models.UniqueConstraint(fields=["bot", "key"], name="scenario_key_once")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("admin:scenarios_scenario_change", args=[self.pk])


class ScenarioVersion(models.Model):
    """A published version: never changed afterwards. Sessions are pinned to it. `people`: what became of those on older versions."""

    class People(models.TextChoices):
        STAY = "stay", _("finish on their version")
        AT_WAIT = "at_wait", _("move at their next wait")
        NOW = "now", _("move now")

    access_module = "scenarios"
    bot_lookup = "scenario__bot_id"

    scenario = models.ForeignKey(Scenario, on_delete=models.PROTECT, related_name="versions", verbose_name=_("scenario"))
    number = models.PositiveIntegerField(_("number"))
    definition = models.JSONField(_("definition"))
    layout = models.JSONField(default=dict, blank=True)
    logic_hash = models.CharField(max_length=64)
    note = models.CharField(_("note"), max_length=500, blank=True)
    people = models.CharField(_("people inside"), max_length=10, choices=People.choices, default=People.STAY)
    mapping = models.JSONField(default=dict, blank=True, help_text="Removed node → the node at which its people go on.")
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("published by"),
    )
    published_at = models.DateTimeField(_("published"), auto_now_add=True)

    class Meta:
        verbose_name = _("scenario version")
        verbose_name_plural = _("scenario versions")
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["scenario", "number"], name="scenario_version_once")]

    def __str__(self) -> str:
        return f"v{self.number}"


class Trigger(models.Model):
    """What starts a published scenario without an endpoint; written from the definition when it is published, never by hand."""

    bot = models.ForeignKey(Bot, on_delete=models.CASCADE, related_name="+")
    scenario = models.ForeignKey(Scenario, on_delete=models.CASCADE, related_name="triggers")
    kind = models.CharField(_("kind"), max_length=20)
    match = models.CharField(_("match"), max_length=20, blank=True)
    pattern = models.CharField(_("pattern"), max_length=200, blank=True)
    language = models.CharField(_("language"), max_length=10, blank=True)
    entry = models.CharField(_("entry"), max_length=200, blank=True)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("trigger")
        verbose_name_plural = _("triggers")
        ordering = ["position", "id"]
        indexes = [models.Index(fields=["bot", "kind"], name="trigger_bot_kind")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pattern}".strip()


class Session(models.Model):
    """One execution of a scenario in one conversation, pinned to its version. At most one active a conversation; others are suspended (they
    come back) or queued (they start after the active one).
    """

    class Status(models.TextChoices):
        ACTIVE = "active", _("active")
        SUSPENDED = "suspended", _("interrupted, comes back")
        QUEUED = "queued", _("queued")
        ENDED = "ended", _("ended")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    access_module = "operations"
    bot_lookup = "scenario__bot_id"

    conversation = models.ForeignKey(
        Conversation, on_delete=models.PROTECT, related_name="sessions", verbose_name=_("conversation"), db_index=False
    )
    lead = models.ForeignKey(Lead, on_delete=models.PROTECT, related_name="sessions", verbose_name=_("lead"))
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="sessions", verbose_name=_("person"))
    scenario = models.ForeignKey(Scenario, on_delete=models.PROTECT, related_name="sessions", verbose_name=_("scenario"))
    version = models.ForeignKey(ScenarioVersion, on_delete=models.PROTECT, related_name="sessions", verbose_name=_("version"))
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.ACTIVE)
    state = EncryptedJSONField(
        _("state"), null=True, blank=True, help_text="Position, variables, what it waits for; answers may be personal data."
    )
    start = EncryptedJSONField(default=dict, blank=True, help_text="Entry and parameters; what a queued session starts with.")
    node = models.CharField(_("stands at"), max_length=100, blank=True)
    waits_for = models.CharField(_("waits for"), max_length=20, blank=True)
    error = models.CharField(_("error"), max_length=500, blank=True)
    generation = models.PositiveSmallIntegerField(default=0, help_text="How many scenarios started one another up to this one; at most 5.")
    trace_id = models.CharField(_("trace"), max_length=64)
    owner_token = models.UUIDField(null=True, blank=True)
    started_at = models.DateTimeField(_("started"), db_default=Now())
    changed_at = models.DateTimeField(_("changed"), db_default=Now())
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["conversation"], condition=Q(status="active"), name="session_one_active")]
        indexes = [
            models.Index(fields=["conversation", "status"], name="session_by_status"),
            models.Index(fields=["version", "node"], name="session_standing", condition=Q(status="active")),
            models.Index(fields=["trace_id"], name="session_trace"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class SessionStep(models.Model):
    """One visit of a node, written once: the trace's finest grain and the proof of one effect per update."""

    id = models.BigAutoField(primary_key=True)
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="steps", db_index=False)
    visit = models.IntegerField()
    section = models.CharField(max_length=100)
    node = models.CharField(max_length=100)
    kind = models.CharField(max_length=40)
    exit = models.CharField(max_length=100, blank=True)
    events = models.JSONField(default=list)
    trace_id = models.CharField(max_length=64)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["session_id", "visit", "id"]
        constraints = [models.UniqueConstraint(fields=["session", "visit"], name="session_step_once")]
        indexes = [models.Index(fields=["trace_id"], name="session_step_trace")]

    def __str__(self) -> str:
        return f"{self.session_id}:{self.visit} {self.node}"
