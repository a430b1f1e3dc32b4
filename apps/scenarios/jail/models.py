"""Custom actions: a draft in JavaScript that people edit, immutable published versions, and saved test cases."""

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.bots.models import Bot
from apps.core.fields import EncryptedJSONField

KEY = RegexValidator(
    r"^[a-z][a-z0-9_]{1,59}\Z", _("Use small Latin letters, digits and _, beginning with a letter, e.g. check_delivery."), code="key"
)


class CustomAction(models.Model):
    """An action in JavaScript. Scenarios run the published version; the draft runs in tests only."""

    access_module = "action_jail"
    bot_lookup = "bot_id"

    bot = models.ForeignKey(
        Bot,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="custom_actions",
        verbose_name=_("bot"),
        help_text=_("Empty: scenarios of all bots may use it."),
    )
    key = models.CharField(
        _("name in scenarios"),
        max_length=60,
        unique=True,
        validators=[KEY],
        help_text=_("How Action blocks and the shell call it, e.g. check_delivery. It stays."),
    )
    name = models.CharField(_("name"), max_length=200)
    description = models.TextField(_("description"), blank=True, help_text=_("What it does and when to take it; shown in the builder."))
    params = models.JSONField(_("parameters"), default=list, blank=True)
    exits = models.JSONField(_("exits"), default=list, blank=True)
    code = models.TextField(_("code"), blank=True)
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("An inactive one is offered no more and ends with its error exit.")
    )
    draft_version = models.PositiveIntegerField(
        default=1, editable=False, help_text="Raised with every saved draft; a stale save is refused."
    )
    published = models.ForeignKey(
        "CustomActionVersion",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("published version"),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    history = HistoricalRecords()

    class Meta:
        app_label = "scenarios"
        verbose_name = _("custom action")
        verbose_name_plural = _("custom actions")
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("admin:scenarios_customaction_change", args=[self.pk])


class CustomActionVersion(models.Model):
    """A published version: never changed afterwards."""

    access_module = "action_jail"
    bot_lookup = "action__bot_id"

    action = models.ForeignKey(CustomAction, on_delete=models.CASCADE, related_name="versions", verbose_name=_("custom action"))
    number = models.PositiveIntegerField(_("number"))
    code = models.TextField(_("code"))
    params = models.JSONField(_("parameters"), default=list)
    exits = models.JSONField(_("exits"), default=list)
    note = models.CharField(_("what is new"), max_length=500, blank=True)
    despite = models.CharField(_("published although tests failed, because"), max_length=500, blank=True)
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
        app_label = "scenarios"
        verbose_name = _("version of a custom action")
        verbose_name_plural = _("versions of custom actions")
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["action", "number"], name="custom_action_version_once")]

    def __str__(self) -> str:
        return f"v{self.number}"


class CustomActionTest(models.Model):
    """A saved test case: what goes in, what other systems answer, what has to come out. Run before publishing."""

    access_module = "action_jail"
    bot_lookup = "action__bot_id"

    action = models.ForeignKey(CustomAction, on_delete=models.CASCADE, related_name="tests", verbose_name=_("custom action"))
    name = models.CharField(_("name"), max_length=200)
    given = models.JSONField(_("input"), default=dict, help_text="{params, user, data, memory, tables}")
    mocks = models.JSONField(_("prepared answers"), default=list, blank=True)
    expected_exit = models.CharField(_("expected exit"), max_length=60, default="next")
    expected = models.JSONField(_("expected result"), null=True, blank=True, help_text=_("Only what is named here is compared."))
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        app_label = "scenarios"
        verbose_name = _("test case of a custom action")
        verbose_name_plural = _("test cases of custom actions")
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["action", "name"], name="custom_action_test_once")]

    def __str__(self) -> str:
        return self.name


class ScriptEffect(models.Model):
    """What one step of a running script did outside its process (an answered call, a written record), kept before the script learns of it: when
    the process dies and the script runs again, the step is not done again but answered from here. Deleted with the result.
    """

    id = models.BigAutoField(primary_key=True)
    run = models.CharField(max_length=100)
    what = models.CharField(max_length=10)
    number = models.PositiveIntegerField()
    result = EncryptedJSONField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        app_label = "scenarios"
        constraints = [models.UniqueConstraint(fields=["run", "what", "number"], name="script_effect_once")]

    def __str__(self) -> str:
        return f"{self.run} {self.what} {self.number}"
