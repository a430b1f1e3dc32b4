"""Publications that wait for their moment."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class PlannedPublication(models.Model):
    """A definition as it was when somebody planned its publication; edits made afterwards are not part of it."""

    class State(models.TextChoices):
        PLANNED = "planned", _("planned")
        DONE = "done", _("published")
        REFUSED = "refused", _("refused")
        CANCELLED = "cancelled", _("cancelled")

    access_module = "scenarios"
    bot_lookup = "scenario__bot_id"

    scenario = models.ForeignKey("scenarios.Scenario", on_delete=models.CASCADE, related_name="planned", verbose_name=_("scenario"))
    definition = models.JSONField(_("definition"))
    layout = models.JSONField(default=dict, blank=True)
    due_at = models.DateTimeField(_("publish at"))
    note = models.CharField(_("note"), max_length=500, blank=True)
    override = models.CharField(_("although tests fail, because"), max_length=500, blank=True)
    people = models.CharField(max_length=10, default="stay")
    mapping = models.JSONField(default=dict, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.PLANNED)
    reason = models.CharField(_("why not"), max_length=1000, blank=True)
    version = models.ForeignKey("scenarios.ScenarioVersion", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("planned by")
    )
    created_at = models.DateTimeField(_("planned"), auto_now_add=True)

    class Meta:
        verbose_name = _("planned publication")
        verbose_name_plural = _("planned publications")
        ordering = ["-due_at", "-id"]
        indexes = [models.Index(fields=["due_at"], name="planned_publication_due", condition=Q(state="planned"))]

    def __str__(self) -> str:
        return f"{self.scenario_id}: {self.due_at:%Y-%m-%d %H:%M}"
