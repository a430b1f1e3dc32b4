"""What starts by the clock, written from the published definition."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.bots.models import Bot


class Schedule(models.Model):
    """One trigger of the kinds `schedule` and `date`. `key` says what it is, so that publishing the same again keeps its place in time.

    `next_at`: when it is looked at next. `since`: everything due up to then is done.
    """

    access_module = "scenarios"
    bot_lookup = "bot_id"

    class Kind(models.TextChoices):
        CRON = "schedule", _("at set times")
        DATE = "date", _("around a date of the person")

    bot = models.ForeignKey(Bot, on_delete=models.CASCADE, related_name="+", verbose_name=_("bot"))
    scenario = models.ForeignKey("scenarios.Scenario", on_delete=models.CASCADE, related_name="schedules", verbose_name=_("scenario"))
    key = models.CharField(max_length=64, editable=False)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    config = models.JSONField(_("settings"), default=dict)
    next_at = models.DateTimeField(_("next"), null=True, blank=True, db_index=True)
    since = models.DateTimeField(_("done up to"))
    last_at = models.DateTimeField(_("last started"), null=True, blank=True)
    last_people = models.PositiveIntegerField(_("people then"), default=0)

    class Meta:
        verbose_name = _("schedule")
        verbose_name_plural = _("schedules")
        ordering = ["next_at", "id"]
        constraints = [models.UniqueConstraint(fields=["scenario", "key"], name="schedule_once")]

    def __str__(self) -> str:
        if self.kind == self.Kind.CRON:
            return str(self.config.get("cron", ""))
        days = int(self.config.get("days", 0))
        shift = f"{days:+d} d " if days else ""
        return f"{self.config.get('attribute', '')} {shift}{self.config.get('at', '')}".strip()
