"""Global commands of a bot."""

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.bots.models import Bot
from apps.scenarios.matching import heard

LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})?")


class Command(models.Model):
    """What a word does wherever the person stands. `text` is said after it; a scenario is started by `start` alone. A word may stand in several rows
    that are for people of different languages (`speaks`).
    """

    access_module = "scenarios"
    bot_lookup = "bot_id"

    class Kind(models.TextChoices):
        STOP = "stop", _("stop: end the dialogue")
        BACK = "back", _("back: ask the question before again")
        LANGUAGE = "language", _("language: speak another language")
        START = "start", _("start a scenario (menu, operator, help)")

    bot = models.ForeignKey(Bot, on_delete=models.CASCADE, related_name="+", verbose_name=_("bot"))
    kind = models.CharField(_("what it does"), max_length=10, choices=Kind.choices)
    words = models.CharField(
        _("words"), max_length=300, help_text=_("What the client writes, separated by commas: stop, /stop, стоп. Case does not matter.")
    )
    text = models.TextField(_("answer"), blank=True, help_text=_("Said after it; empty: nothing."))
    speaks = models.CharField(
        _("only for the language"), max_length=10, blank=True,
        help_text=_("Code such as ru: only people of this language are meant, so that /stop can be answered in theirs. Empty: everybody."),
    )  # fmt: skip
    language = models.CharField(_("language"), max_length=10, blank=True, help_text=_("For “language”: its code, such as ru."))
    scenario = models.ForeignKey(
        "scenarios.Scenario", on_delete=models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("scenario"),
        help_text=_("For “start”: what is started."),
    )  # fmt: skip
    is_active = models.BooleanField(_("active"), default=True)

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("global command")
        verbose_name_plural = _("global commands")
        ordering = ["bot_id", "kind", "id"]
        constraints = [
            models.CheckConstraint(condition=~Q(kind="start") | Q(scenario__isnull=False), name="command_start_has_scenario"),
            models.CheckConstraint(condition=~Q(kind="language") | ~Q(language=""), name="command_language_named"),
        ]

    def __str__(self) -> str:
        return self.words

    def clean(self) -> None:
        if self.kind == self.Kind.START and self.scenario is None:
            raise ValidationError({"scenario": _("Choose the scenario that is started.")})
        if self.kind == self.Kind.LANGUAGE and not self.language:
            raise ValidationError({"language": _("Write the code of the language, such as ru.")})
        if self.scenario is not None and self.scenario.bot_id != self.bot_id:
            raise ValidationError({"scenario": _("This scenario belongs to another bot.")})
        if not self.listed:
            raise ValidationError({"words": _("Write at least one word.")})
        for field in ("language", "speaks"):
            if getattr(self, field) and not LANGUAGE.fullmatch(getattr(self, field)):
                raise ValidationError({field: _("This is no code of a language. Write one such as ru or pt-BR.")})
        self._check_words()

    def _check_words(self) -> None:
        """A word that two rows claim for the same people would do what nobody can foresee."""
        rows: Any = type(self)._default_manager.filter(bot_id=self.bot_id, speaks=self.speaks).exclude(pk=self.pk)
        taken = {word: other for other in rows for word in other.listed}
        for word in self.listed:
            if word in taken:
                message = _("“%(word)s” is a word of another command already: %(other)s.")
                raise ValidationError({"words": message % {"word": word, "other": taken[word]}})

    def get_absolute_url(self) -> str:
        return reverse("admin:scenarios_command_change", args=[self.pk])

    @property
    def listed(self) -> list[str]:
        """The words as they are compared."""
        return [word for one in self.words.split(",") if (word := heard(one))]
