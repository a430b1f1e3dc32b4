"""Staff: who they are, which roles exist, and for which bots a person has a role."""

from typing import Any

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.accounts.rights import clean_permissions
from apps.core.models import validate_timezone


class User(AbstractUser):
    """A member of staff. What a person may do comes from roles only (`apps.accounts.access`), never from Django's groups."""

    access_module = "accounts"
    bot_lookup = None

    email = models.EmailField(_("e-mail"), null=True, blank=True, unique=True)  # type: ignore[assignment]
    display_name = models.CharField(
        _("name shown to customers"), max_length=100, blank=True, help_text=_("For operators, e.g. “Anna, support”.")
    )
    language = models.CharField(_("language"), max_length=10, blank=True, help_text=_("Of the interface; empty = the browser's."))
    timezone = models.CharField(
        _("time zone"),
        max_length=60,
        blank=True,
        validators=[validate_timezone],
        help_text=_("For example Europe/Kyiv; empty = the server's."),
    )

    history = HistoricalRecords(excluded_fields=["password", "last_login"])

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        ordering = ["username"]

    def __str__(self) -> str:
        return self.display_name or self.get_full_name() or self.username

    def save(self, *args: Any, **kwargs: Any) -> None:
        """A missing e-mail is NULL, because "" could be given once only. Signing in only moves `last_login`: that is in the audit trail and
        makes no row of history.
        """
        self.email = self.email.lower() if self.email else None
        if set(kwargs.get("update_fields") or ()) == {"last_login"}:
            self.skip_history_when_saving = True
        try:
            super().save(*args, **kwargs)
        finally:
            self.__dict__.pop("skip_history_when_saving", None)

    def clean(self) -> None:
        super().clean()
        self.email = self.email.lower() if self.email else None


class Role(models.Model):
    """A set of rights: for each module the verbs that it allows. `permissions` is {module: ["view", "edit", "delete"]}."""

    access_module = "accounts"
    bot_lookup = None

    key = models.CharField(
        _("key"),
        max_length=50,
        unique=True,
        validators=[RegexValidator(r"^[a-z][a-z0-9_]*\Z", _("Use small Latin letters, digits and “_”."), code="key_form")],
    )
    name = models.CharField(_("name"), max_length=100)
    description = models.CharField(_("description"), max_length=300, blank=True)
    permissions = models.JSONField(_("rights"), default=dict, blank=True)
    builtin = models.BooleanField(_("delivered with the product"), default=False, editable=False)

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("role")
        verbose_name_plural = _("roles")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        self.permissions = clean_permissions(self.permissions)


class RoleAssignment(models.Model):
    """A person has a role, for all bots or for the listed ones. Several assignments add up."""

    access_module = "accounts"
    bot_lookup = None

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="role_assignments", verbose_name=_("user"))
    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="assignments", verbose_name=_("role"))
    all_bots = models.BooleanField(_("all bots"), default=True, help_text=_("Also bots that are made later, and what belongs to no bot."))
    bot_ids = ArrayField(models.BigIntegerField(), default=list, blank=True, verbose_name=_("bots"))

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("role of a person")
        verbose_name_plural = _("roles of a person")
        ordering = ["user_id", "role_id"]
        constraints = [models.UniqueConstraint(fields=["user", "role"], name="role_assignment_once")]

    def __str__(self) -> str:
        return f"{self.user}: {self.role}"
