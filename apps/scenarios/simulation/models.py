"""Chats with a scenario that are kept as tests."""

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.core.fields import EncryptedJSONField


class SavedTest(models.Model):
    """A chat that must go on as it went: what was put in turn by turn, in which world, and what came of it.

    `recording`: {"world": `asking.World`, "turns": [{"input": `asking.Input`, "expect": {"said"?, "path"?, "status"?, "calls"?}}]}; people's
    data may stand in it, so that it is encrypted and no part of the history.
    """

    access_module = "scenarios"
    bot_lookup = "scenario__bot_id"

    scenario = models.ForeignKey("scenarios.Scenario", on_delete=models.CASCADE, related_name="tests", verbose_name=_("scenario"))
    name = models.CharField(_("name"), max_length=200)
    description = models.TextField(_("description"), blank=True)
    is_active = models.BooleanField(_("run before publishing"), default=True, help_text=_("A failed one refuses publishing."))
    recording = EncryptedJSONField(_("recording"), default=dict)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("made by"),
    )
    created_at = models.DateTimeField(_("made"), auto_now_add=True)
    last_run_at = models.DateTimeField(_("last run"), null=True, blank=True, editable=False)
    last_passed = models.BooleanField(_("passed"), null=True, editable=False)
    last_failures = EncryptedJSONField(default=list, blank=True, editable=False)

    history = HistoricalRecords(excluded_fields=["recording", "last_run_at", "last_passed", "last_failures"])

    class Meta:
        verbose_name = _("scenario test")
        verbose_name_plural = _("scenario tests")
        ordering = ["scenario_id", "name"]
        constraints = [models.UniqueConstraint(fields=["scenario", "name"], name="saved_test_name_once")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("admin:scenarios_savedtest_change", args=[self.pk])
