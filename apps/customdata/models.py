"""Tables that business users make: what they are made of, who may do what with them, what happened to their records.

The records themselves lie in the schema `records`, one table each (apps.customdata.storage); these rows describe them.
"""

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.accounts.models import Role
from apps.bots.models import Bot
from apps.core.fields import EncryptedJSONField
from apps.customdata.fieldtype import FieldKind, field_kinds, kinds


class Table(models.Model):
    """A model of the business: complaints, faq, shops. Every change of it or of its fields raises `version`."""

    access_module = "datamodels"
    bot_lookup = None

    name = models.CharField(_("name"), max_length=100, help_text=_("As people see it, in the plural: Complaints."))
    alias = models.CharField(
        _("alias"),
        max_length=40,
        unique=True,
        help_text=_("How scenarios, the API and SQL name it: small Latin letters, digits and “_”, e.g. complaints."),
    )
    description = models.CharField(
        _("description"), max_length=300, blank=True, help_text=_("What the records are for; shown over the list.")
    )
    icon = models.CharField(_("icon"), max_length=40, default="table_rows", blank=True, help_text=_("A name of Material Symbols."))
    bot = models.ForeignKey(
        Bot,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("only for the bot"),
        help_text=_("Empty: every bot and its staff use it."),
    )
    title_field = models.CharField(
        _("title"), max_length=40, blank=True, help_text=_("The field by which people recognise a record; empty = the first text.")
    )
    position = models.PositiveIntegerField(_("position"), default=0)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    history = HistoricalRecords(excluded_fields=["version", "updated_at"])

    class Meta:
        verbose_name = _("model")
        verbose_name_plural = _("models")
        ordering = ["position", "name", "id"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("admin:customdata_table_change", args=[self.pk])

    @property
    def relation(self) -> str:
        """The table of PostgreSQL, within the schema."""
        return f"t_{self.pk}"

    @cached_property
    def fields(self) -> "list[Field]":
        """The fields in use, in order."""
        return sorted(
            (field for field in self.all_fields.all() if field.state == Field.State.ACTIVE), key=lambda one: (one.position, one.pk)
        )

    @cached_property
    def by_alias(self) -> "dict[str, Field]":
        return {field.alias: field for field in self.fields}

    @cached_property
    def title(self) -> "Field | None":
        """The field that names a record; never one of personal data."""
        chosen = self.by_alias.get(self.title_field)
        open_ = [field for field in self.fields if not field.personal]
        return chosen if chosen in open_ else next((field for field in open_ if field.type.searchable), None)


class Field(models.Model):
    """A column of a model. `column` is its present name in PostgreSQL; a changed type gets a new one (see `FieldChange`)."""

    class State(models.TextChoices):
        ACTIVE = "active", _("in use")
        REMOVED = "removed", _("removed, can come back")

    class Index(models.TextChoices):
        NONE = "none", _("none")
        WANTED = "wanted", _("waiting")
        BUILDING = "building", _("is being built")
        READY = "ready", _("ready")
        FAILED = "failed", _("failed")

    access_module = "datamodels"
    bot_lookup = None

    table = models.ForeignKey(Table, on_delete=models.CASCADE, related_name="all_fields", verbose_name=_("model"))
    name = models.CharField(_("name"), max_length=100)
    alias = models.CharField(_("alias"), max_length=40, help_text=_("How scenarios, the API and SQL name it."))
    kind = models.CharField(_("type"), max_length=20, choices=field_kinds, default="text")
    options = models.JSONField(_("options"), default=dict, blank=True)
    required = models.BooleanField(_("required"), default=False)
    unique = models.BooleanField(_("unique"), default=False, help_text=_("No two records have the same value; texts without case."))
    indexed = models.BooleanField(_("indexed"), default=False, help_text=_("Fast filters and sorting in big models."))
    personal = models.BooleanField(
        _("personal data"),
        default=False,
        help_text=_("Encrypted in the database, hidden in lists, history, logs and BI; found by exact value only."),
    )
    default = models.JSONField(_("default"), null=True, blank=True, help_text=_("The value of a new record that gives none."))
    help_text = models.CharField(_("hint"), max_length=200, blank=True)
    section = models.CharField(_("section"), max_length=60, blank=True, help_text=_("Fields of one section stand together in the form."))
    position = models.PositiveIntegerField(_("position"), default=0)
    in_list = models.BooleanField(_("in the list"), default=True)
    in_filter = models.BooleanField(_("filter"), default=False)
    in_search = models.BooleanField(_("search"), default=False)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.ACTIVE, editable=False)
    column = models.CharField(max_length=60, blank=True, editable=False)
    index_state = models.CharField(_("index"), max_length=10, choices=Index.choices, default=Index.NONE, editable=False)
    index_error = models.CharField(_("why the index failed"), max_length=300, blank=True, editable=False)

    history = HistoricalRecords(excluded_fields=["index_state", "index_error"])

    class Meta:
        verbose_name = _("field")
        verbose_name_plural = _("fields")
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["table", "alias"], condition=models.Q(state="active"), name="customdata_field_alias_once"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def type(self) -> FieldKind:
        return kinds[self.kind]

    @property
    def attribute(self) -> str:
        """Its name on a record (`RecordBase`), whatever its alias and column are."""
        return f"f_{self.pk}"

    @property
    def digest_column(self) -> str:
        """Where the blind index of a personal value lies."""
        return f"{self.column}_x"

    @property
    def digest_attribute(self) -> str:
        return f"{self.attribute}_x"


class TableRight(models.Model):
    """What a role may do with the records of a model. Without a row the role's right in “Custom data” holds."""

    access_module = "datamodels"
    bot_lookup = None

    table = models.ForeignKey(Table, on_delete=models.CASCADE, related_name="rights", verbose_name=_("model"))
    role = models.ForeignKey(Role, on_delete=models.CASCADE, related_name="+", verbose_name=_("role"))
    can_view = models.BooleanField(_("view"), default=True)
    can_add = models.BooleanField(_("add"), default=False)
    can_edit = models.BooleanField(_("edit"), default=False)
    can_delete = models.BooleanField(_("delete"), default=False)
    hidden = models.JSONField(_("hidden fields"), default=list, blank=True, help_text=_("Aliases of fields that this role never sees."))

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("right of a role")
        verbose_name_plural = _("rights of roles")
        ordering = ["role__name"]
        constraints = [models.UniqueConstraint(fields=["table", "role"], name="customdata_right_once")]

    def __str__(self) -> str:
        return f"{self.role}: {self.table}"


class RecordHistory(models.Model):
    """Who did what to a record. `before` and `after` hold the changed fields by the field's id, as `dump` gives them, encrypted because any
    text may be personal; values of personal fields are never in them (HIDDEN).
    """

    class Action(models.TextChoices):
        CREATED = "created", _("created")
        UPDATED = "updated", _("changed")
        DELETED = "deleted", _("deleted")

    access_module = "customdata"
    bot_lookup = None

    table_id = models.BigIntegerField()
    record_id = models.BigIntegerField()
    at = models.DateTimeField(_("time"), auto_now_add=True)
    action = models.CharField(_("action"), max_length=10, choices=Action.choices)
    actor = models.CharField(_("who"), max_length=10, help_text="staff, scenario, api, import, system")
    actor_name = models.CharField(_("name"), max_length=150, blank=True)
    user_id = models.BigIntegerField(null=True, blank=True)
    before = EncryptedJSONField(default=dict, blank=True)
    after = EncryptedJSONField(default=dict, blank=True)
    trace_id = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = _("change of a record")
        verbose_name_plural = _("changes of records")
        ordering = ["-id"]
        indexes = [models.Index(fields=["table_id", "record_id", "-id"], name="customdata_history")]

    def __str__(self) -> str:
        return f"{self.table_id}/{self.record_id} {self.action}"


def record_file_path(_file: "RecordFile", _name: str) -> str:
    return f"records/{uuid.uuid4().hex}"  # the name that people see is a column


class RecordFile(models.Model):
    """A file of a record; what it is comes from its content. Without a record it is swept after a day."""

    access_module = "customdata"
    bot_lookup = None

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    table_id = models.BigIntegerField()
    field_id = models.BigIntegerField()
    record_id = models.BigIntegerField(null=True, blank=True)
    file = models.FileField(_("file"), upload_to=record_file_path, max_length=200)
    name = models.CharField(_("file name"), max_length=255)
    kind = models.CharField(_("kind"), max_length=10)
    mime = models.CharField(_("type"), max_length=100)
    size = models.BigIntegerField(_("size, bytes"))
    created_at = models.DateTimeField(auto_now_add=True)
    detached_at = models.DateTimeField(null=True, blank=True, help_text="When no record pointed at it any more.")

    class Meta:
        verbose_name = _("file of a record")
        verbose_name_plural = _("files of records")
        indexes = [models.Index(fields=["table_id", "record_id"], name="customdata_file_record")]

    def __str__(self) -> str:
        return self.name


class FieldChange(models.Model):
    """A change of a field of a filled model: looked at, run in the background, kept reversible until somebody confirms it.

    `before` and `after` are {kind, options, personal, column}. The backfill marks rows in the table itself, so that it goes on after any
    kill where it stood: `done` and `refused` are counted in the same transactions.
    """

    class State(models.TextChoices):
        CHECKING = "checking", _("is being checked")
        CHECKED = "checked", _("checked, waits for your decision")
        RUNNING = "running", _("is being converted")
        REVIEW = "review", _("converted; old values are kept")
        CONFIRMED = "confirmed", _("confirmed; old values are deleted")
        UNDOING = "undoing", _("is being undone")
        UNDONE = "undone", _("undone")
        CANCELLED = "cancelled", _("cancelled")
        FAILED = "failed", _("failed")

    class Action(models.TextChoices):
        CONVERT = "convert", _("change of type")
        REMOVE = "remove", _("removal")

    access_module = "datamodels"
    bot_lookup = None

    table = models.ForeignKey(Table, on_delete=models.CASCADE, related_name="changes", verbose_name=_("model"))
    field = models.ForeignKey(Field, on_delete=models.CASCADE, related_name="changes", verbose_name=_("field"))
    action = models.CharField(_("what"), max_length=10, choices=Action.choices)
    state = models.CharField(_("state"), max_length=10, choices=State.choices)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    total = models.BigIntegerField(_("records"), default=0)
    done = models.BigIntegerField(_("looked at"), default=0)
    fits = models.BigIntegerField(_("convert"), default=0)
    refused = models.BigIntegerField(_("do not convert"), default=0)
    sample: Any = models.JSONField(default=list, help_text="The first that do not convert: [record, value, why].")
    cursor = models.BigIntegerField(default=0)
    beat_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(_("error"), max_length=500, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("by")
    )
    created_at = models.DateTimeField(_("begun"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("change of a field")
        verbose_name_plural = _("changes of fields")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["field"],
                condition=models.Q(state__in=["checking", "checked", "running", "review", "undoing"]),
                name="customdata_change_one_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.field}: {self.get_action_display()}"
