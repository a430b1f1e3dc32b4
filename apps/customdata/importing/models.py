"""A load of a file into a model: what was asked, how far it is, what was wrong. The row is the queue; tasks only hint."""

import uuid

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _


def import_file_path(_job: "ImportJob", _name: str) -> str:
    return f"imports/{uuid.uuid4().hex}"  # the name that people see is a column


class ImportJob(models.Model):
    """One upload. `form` is `sniffing.Form`; `mapping` says for the number of a column which field it fills, and for links by which field of
    the other model cells name its records: {"0": {"field": 12, "by": 0}}.

    Positions are numbers of data rows: `staged` rows lie in the staging table, `checked` ones were checked, `loaded` ones were put into the
    model or left out. Each is raised in the transaction that did the work, so that a killed load goes on where it stood.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("waits for its columns")
        STAGING = "staging", _("is being read")
        CHECKING = "checking", _("is being checked")
        CHECKED = "checked", _("checked, waits for your decision")
        LOADING = "loading", _("is being loaded")
        DONE = "done", _("loaded")
        REFUSED = "refused", _("refused: nothing was loaded")
        CANCELLED = "cancelled", _("cancelled")
        FAILED = "failed", _("failed")

    class Mode(models.TextChoices):
        GOOD = "good", _("load the good rows, leave the others out")
        ALL = "all", _("all or nothing")

    ACTIVE = (State.STAGING, State.CHECKING, State.LOADING)
    access_module = "customdata"
    bot_lookup = None

    table = models.ForeignKey("customdata.Table", on_delete=models.CASCADE, related_name="imports", verbose_name=_("model"))
    file = models.FileField(_("file"), upload_to=import_file_path, max_length=200, editable=False)
    name = models.CharField(_("file name"), max_length=255, editable=False)
    size = models.BigIntegerField(_("size, bytes"), default=0, editable=False)
    form = models.JSONField(default=dict, editable=False)
    columns = models.JSONField(default=list, editable=False)
    mapping = models.JSONField(default=dict, editable=False)
    key = models.ForeignKey(
        "customdata.Field", on_delete=models.CASCADE, null=True, blank=True, related_name="+", editable=False, verbose_name=_("key")
    )
    mode = models.CharField(_("rows with mistakes"), max_length=10, choices=Mode.choices, default=Mode.GOOD, editable=False)
    load_at_once = models.BooleanField(default=False, editable=False)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.DRAFT, editable=False, db_index=True)
    staged = models.BigIntegerField(_("rows read"), default=0, editable=False)
    total = models.BigIntegerField(_("rows"), default=0, editable=False)
    checked = models.BigIntegerField(_("rows checked"), default=0, editable=False)
    loaded = models.BigIntegerField(_("rows gone through"), default=0, editable=False)
    bad = models.BigIntegerField(_("rows refused"), default=0, editable=False)
    mistakes = models.BigIntegerField(_("mistakes"), default=0, editable=False)
    created = models.BigIntegerField(_("records made"), default=0, editable=False)
    updated = models.BigIntegerField(_("records changed"), default=0, editable=False)
    seconds = models.FloatField(_("working time, s"), default=0, editable=False)
    fingerprint = models.CharField(max_length=64, blank=True, editable=False)
    cancel_asked = models.BooleanField(default=False, editable=False)
    attempts = models.PositiveIntegerField(default=0, editable=False)
    error = models.CharField(_("error"), max_length=500, blank=True, editable=False)
    trace_id = models.CharField(max_length=64, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", editable=False, verbose_name=_("by")
    )
    created_at = models.DateTimeField(_("uploaded"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"#{self.pk} {self.name}"

    def get_absolute_url(self) -> str:
        return reverse("admin:imports_importjob_change", args=[self.pk])

    @property
    def is_active(self) -> bool:
        return self.state in self.ACTIVE

    @property
    def good(self) -> int:
        return max(0, self.total - self.bad)

    @property
    def unchanged(self) -> int:
        """Good rows whose records had these values already."""
        return max(0, self.good - self.created - self.updated)


class ImportProblem(models.Model):
    """A cell that does not fit; the first `checking.MOST_KEPT` of a load are kept. `column` is the name in the file, empty for the whole row."""

    access_module = "customdata"
    bot_lookup = None

    job = models.ForeignKey(ImportJob, on_delete=models.CASCADE, related_name="problems")
    row = models.BigIntegerField(_("row"))
    column = models.CharField(_("column"), max_length=200, blank=True)
    code = models.CharField(_("problem"), max_length=200)
    value = models.CharField(_("value"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("mistake of an import")
        verbose_name_plural = _("mistakes of imports")
        ordering = ["row", "id"]
        indexes = [models.Index(fields=["job", "row"], name="import_problem_row")]

    def __str__(self) -> str:
        return f"{self.row} {self.column}: {self.code}"
