"""Who is talking: the person, the person's leads (one a channel), and the ids that other systems know the person by."""

import uuid

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.bots.models import Bot, Channel
from apps.core.fields import EncryptedJSONField, EncryptedTextField


class Person(models.Model):
    """The human behind one or more leads. Phone, e-mail and fields flagged as personal data are encrypted at rest and found by exact
    value through a blind index.
    """

    access_module = "people"
    bot_lookup = "bot_id"

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    bot = models.ForeignKey(Bot, on_delete=models.PROTECT, related_name="people", verbose_name=_("bot"), db_index=False)
    name = models.CharField(_("name"), max_length=200, blank=True)
    language = models.CharField(_("language"), max_length=10, blank=True, help_text=_("For example en or ru; empty = unknown."))
    timezone = models.CharField(_("time zone"), max_length=60, blank=True, help_text=_("For example Europe/Kyiv; empty = the bot's."))
    segment = models.CharField(_("segment"), max_length=100, blank=True, help_text=_("Used for routing to skill groups."))
    phone = EncryptedTextField(_("phone"), blank=True, default="", help_text=_("International form, e.g. +380501112233."))
    phone_index = models.CharField(max_length=64, blank=True, default="", editable=False, db_index=True)
    phone_verified = models.BooleanField(_("phone confirmed"), default=False)
    email = EncryptedTextField(_("e-mail"), blank=True, default="")
    email_index = models.CharField(max_length=64, blank=True, default="", editable=False, db_index=True)
    email_verified = models.BooleanField(_("e-mail confirmed"), default=False)
    attributes = models.JSONField(_("attributes"), default=dict, blank=True, help_text=_("Kept across scenarios."))
    private = EncryptedJSONField(_("personal fields"), default=dict, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    history = HistoricalRecords(excluded_fields=["phone", "email", "private", "phone_index", "email_index"])

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["bot", "-id"], name="person_bot"),
            GinIndex(fields=["attributes"], opclasses=["jsonb_path_ops"], name="person_attributes"),
            GinIndex(SearchVector("name", config="simple"), name="person_name_words"),
        ]

    def __str__(self) -> str:
        return self.name or f"#{self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("admin:identity_person_change", args=[self.pk])


class ExternalId(models.Model):
    """The id of a person in another system (CRM 125, ERP A-77). Unique within bot and system."""

    access_module = "people"
    bot_lookup = "bot_id"

    bot = models.ForeignKey(Bot, on_delete=models.PROTECT, related_name="+", verbose_name=_("bot"))
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="external_ids", verbose_name=_("person"))
    system = models.CharField(_("system"), max_length=50, default="crm")
    value = models.CharField(_("user id"), max_length=200)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("external id")
        verbose_name_plural = _("external ids")
        constraints = [
            models.UniqueConstraint(fields=["bot", "system", "value"], name="external_id_once"),
            models.UniqueConstraint(fields=["person", "system"], name="external_id_one_per_system"),
        ]
        indexes = [models.Index(fields=["value"], name="external_id_value")]

    def __str__(self) -> str:
        return f"{self.system}: {self.value}"


class Lead(models.Model):
    """One person in one channel; a row of the mapping userId ↔ leadId ↔ chatId."""

    access_module = "people"
    bot_lookup = "channel__bot_id"

    code = models.CharField(_("lead id"), max_length=40, unique=True, help_text=_("Channel prefix and number, e.g. TG-9072612."))
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="leads", verbose_name=_("person"))
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="leads", verbose_name=_("channel"), db_index=False)
    chat_id = models.CharField(_("chat id"), max_length=200)
    username = models.CharField(_("username"), max_length=200, blank=True)
    display_name = models.CharField(_("name in the messenger"), max_length=200, blank=True)
    profile = models.JSONField(_("profile"), default=dict, blank=True, help_text=_("What the messenger tells; not verified."))
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("Off when the customer blocked the bot; on again when they write.")
    )
    inactive_reason = models.CharField(_("why inactive"), max_length=300, blank=True)
    is_group = models.BooleanField(_("group"), default=False)
    connected_at = models.DateTimeField(_("connected"), null=True, blank=True, help_text=_("When the chat was linked to a user id."))
    last_inbound_at = models.DateTimeField(_("last wrote"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    history = HistoricalRecords(excluded_fields=["last_inbound_at", "profile"])

    class Meta:
        verbose_name = _("lead")
        verbose_name_plural = _("leads (mapping table)")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["channel", "chat_id"], name="lead_once")]

    def __str__(self) -> str:
        return self.code

    def get_absolute_url(self) -> str:
        return reverse("admin:identity_lead_change", args=[self.pk])


class ClientField(models.Model):
    """A declared attribute of people: shown in the client card, typed, and encrypted when it is personal data."""

    class Type(models.TextChoices):
        TEXT = "text", _("text")
        NUMBER = "number", _("number")
        BOOLEAN = "boolean", _("yes/no")
        DATE = "date", _("date")
        CHOICE = "choice", _("choice")

    access_module = "settings"
    bot_lookup = None

    key = models.SlugField(_("key"), max_length=60, unique=True, help_text=_("The name in placeholders: {{key}}."))
    label = models.CharField(_("label"), max_length=100)
    type = models.CharField(_("type"), max_length=10, choices=Type.choices, default=Type.TEXT)
    choices = models.JSONField(_("choices"), default=list, blank=True, help_text=_("For the type “choice”: a list of values."))
    is_private = models.BooleanField(_("personal data"), default=False, help_text=_("Encrypted at rest, masked in lists and logs."))
    in_card = models.BooleanField(_("in the client card"), default=True)
    position = models.PositiveIntegerField(_("position"), default=0)
    help_text = models.CharField(_("hint"), max_length=200, blank=True)

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("client field")
        verbose_name_plural = _("client fields")
        ordering = ["position", "key"]

    def __str__(self) -> str:
        return self.label


class PrivateIndex(models.Model):
    """Blind index of a personal field's value: exact search without clear text."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=60)
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "key"], name="private_index_once")]
        indexes = [models.Index(fields=["key", "digest"], name="private_index_find")]

    def __str__(self) -> str:
        return f"{self.person_id} {self.key}"


class ConnectLink(models.Model):
    """A one-time token that links the chat in which it arrives to a user id: from a deep link or a code. Stored hashed, at most used once."""

    access_module = "people"
    bot_lookup = "bot_id"

    digest = models.CharField(max_length=64, unique=True, editable=False)
    bot = models.ForeignKey(Bot, on_delete=models.CASCADE, related_name="+", verbose_name=_("bot"))
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("channel"))
    system = models.CharField(_("system"), max_length=50, default="crm")
    external_id = models.CharField(_("user id"), max_length=200)
    expires_at = models.DateTimeField(_("expires"))
    used_at = models.DateTimeField(_("used"), null=True, blank=True)
    used_by = models.ForeignKey(Lead, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("used by"))
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("connect link")
        verbose_name_plural = _("connect links")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.system}: {self.external_id}"


class ProofCode(models.Model):
    """A one-time code sent to a phone or an e-mail to prove that it is the person's. Bound to the lead, few attempts, ten minutes.

    `target` and `code` are kept (encrypted) until the code has been handed to its sender, `target` until it is used: at most one sending.
    """

    class Way(models.TextChoices):
        PHONE = "phone", _("phone")
        EMAIL = "email", _("e-mail")

    class State(models.TextChoices):
        PENDING = "pending", _("waiting")
        SENDING = "sending", _("being sent")
        SENT = "sent", _("sent")
        FAILED = "failed", _("failed")

    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, related_name="+")
    way = models.CharField(max_length=10, choices=Way.choices)
    target = EncryptedTextField(blank=True, default="")
    target_index = models.CharField(max_length=64)
    code = EncryptedTextField(blank=True, default="")
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    error = models.CharField(max_length=300, blank=True)
    trace_id = models.CharField(max_length=64, blank=True)
    digest = models.CharField(max_length=64)
    attempts = models.PositiveSmallIntegerField(default=0)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["lead", "way", "-id"], name="proof_code_latest"),
            models.Index(fields=["target_index", "-id"], name="proof_code_target"),
            models.Index(fields=["id"], name="proof_code_pending", condition=models.Q(state="pending")),
        ]

    def __str__(self) -> str:
        return f"{self.lead_id} {self.way}"


class UsedProof(models.Model):
    """A signed proof that may count once (a Telegram login): its digest, kept until the proof itself has expired."""

    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.digest[:8]


class PersonMerge(models.Model):
    """Two people turned out to be one: what was moved and filled in, so that it can be undone."""

    access_module = "people"
    bot_lookup = "bot_id"

    bot = models.ForeignKey(Bot, on_delete=models.CASCADE, related_name="+", verbose_name=_("bot"))
    kept = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="merges", verbose_name=_("person kept"))
    absorbed_id = models.BigIntegerField(_("person absorbed"), db_index=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    undo = EncryptedJSONField(default=dict, editable=False, help_text="The absorbed person, the rows moved and the values filled in.")
    created_at = models.DateTimeField(_("merged"), auto_now_add=True)
    undone_at = models.DateTimeField(_("undone"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("merge of two people")
        verbose_name_plural = _("merges of people")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"#{self.absorbed_id} → #{self.kept_id}"
