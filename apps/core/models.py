"""What the owner sets for the whole installation, and the two records of the platform itself: heartbeats and the audit trail."""

import uuid
import zoneinfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.core.addresses import AllowRule
from apps.core.fields import EncryptedTextField
from apps.core.holidays import check_region

KEY_FORM = RegexValidator(
    r"^[A-Za-z][A-Za-z0-9_-]*\Z",
    _("Use Latin letters, digits, “_” and “-”; begin with a letter."),
    code="key_form",
)


class InstanceSetting(models.Model):
    """A named value for scenarios, `{{instance_settings.key}}`: an address, a token. Encrypted; a secret one is never shown again."""

    access_module = "settings"
    bot_lookup = None

    key = models.CharField(
        _("key"),
        max_length=60,
        unique=True,
        validators=[KEY_FORM],
        help_text=_("Used in scenarios as {{instance_settings.key}}."),
    )
    value = EncryptedTextField(_("value"), blank=True, default="")
    is_secret = models.BooleanField(
        _("secret"),
        default=True,
        help_text=_("A secret is usable in calls but never shown again: not here, not in logs, traces or dry runs."),
    )
    description = models.CharField(_("description"), max_length=200, blank=True, help_text=_("What it is for and who can renew it."))
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    history = HistoricalRecords(excluded_fields=["value", "updated_at"])

    class Meta:
        verbose_name = _("instance setting")
        verbose_name_plural = _("instance settings")
        ordering = ["key"]

    def __str__(self) -> str:
        return self.key


class Constant(models.Model):
    """A named value of the business, `{{constants.key}}`: a support phone, a list of cities."""

    access_module = "settings"
    bot_lookup = None

    key = models.CharField(
        _("key"), max_length=60, unique=True, validators=[KEY_FORM], help_text=_("Used in scenarios as {{constants.key}}.")
    )
    value = models.JSONField(_("value"), default=str, blank=True, help_text=_("Plain text, a number, or JSON."))
    description = models.CharField(_("description"), max_length=200, blank=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    history = HistoricalRecords(excluded_fields=["updated_at"])

    class Meta:
        verbose_name = _("constant")
        verbose_name_plural = _("constants")
        ordering = ["key"]

    def __str__(self) -> str:
        return self.key


def validate_timezone(name: str) -> None:
    """Refuses what is no IANA time zone."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(_("“%(name)s” is no time zone. Use a name such as Europe/Kyiv."), code="timezone", params={"name": name})


def stored_file_path(_file: "StoredFile", _name: str) -> str:
    return f"files/{uuid.uuid4().hex}"  # the name that people see is a column


class StoredFile(models.Model):
    """A picture or document of the business that messages send: `"file": "price-list"` in a message's media."""

    access_module = "settings"
    bot_lookup = None

    key = models.CharField(
        _("key"),
        max_length=60,
        unique=True,
        validators=[KEY_FORM],
        help_text=_("How messages of scenarios name the file, e.g. price-list."),
    )
    description = models.CharField(_("description"), max_length=200, blank=True)
    file = models.FileField(_("file"), upload_to=stored_file_path, max_length=200)
    name = models.CharField(_("file name"), max_length=255, blank=True, help_text=_("As clients see it."))
    kind = models.CharField(_("kind"), max_length=10, editable=False)
    mime = models.CharField(_("type"), max_length=100, editable=False)
    size = models.BigIntegerField(_("size, bytes"), editable=False)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    history = HistoricalRecords(excluded_fields=["updated_at"])

    class Meta:
        verbose_name = _("file")
        verbose_name_plural = _("files")
        ordering = ["key"]

    def __str__(self) -> str:
        return self.key


class Calendar(models.Model):
    """Working hours: weekly intervals, public holidays of a country, and dated exceptions."""

    access_module = "settings"
    bot_lookup = None

    name = models.CharField(_("name"), max_length=100, unique=True)
    timezone = models.CharField(
        _("time zone"),
        max_length=60,
        default="UTC",
        validators=[validate_timezone],
        help_text=_("For example Europe/Kyiv."),
    )
    country = models.CharField(
        _("public holidays of"),
        max_length=10,
        blank=True,
        help_text=_("Closed on the public holidays of this country. Empty: only the exceptions below count."),
    )
    subdivision = models.CharField(
        _("region"),
        max_length=10,
        blank=True,
        help_text=_("Region code within the country, where holidays differ, e.g. BY for Bavaria."),
    )

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("calendar")
        verbose_name_plural = _("calendars")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        check_region(self.country, self.subdivision)


class Weekday(models.IntegerChoices):
    """Monday is 0, as in `datetime.weekday()`."""

    MONDAY = 0, _("Monday")
    TUESDAY = 1, _("Tuesday")
    WEDNESDAY = 2, _("Wednesday")
    THURSDAY = 3, _("Thursday")
    FRIDAY = 4, _("Friday")
    SATURDAY = 5, _("Saturday")
    SUNDAY = 6, _("Sunday")


class CalendarInterval(models.Model):
    """Open from `start` to `end` on a weekday; an `end` not after `start` is on the next day (00:00–00:00 is the whole day)."""

    access_module = "settings"
    bot_lookup = None

    calendar = models.ForeignKey(Calendar, on_delete=models.CASCADE, related_name="intervals", verbose_name=_("calendar"))
    weekday = models.PositiveSmallIntegerField(
        _("weekday"),
        choices=Weekday.choices,
        validators=[MinValueValidator(0), MaxValueValidator(6)],
    )
    start = models.TimeField(_("from"))
    end = models.TimeField(_("to"), help_text=_("Not after “from”: it ends on the next day. 00:00–00:00 is the whole day."))

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("working hours")
        verbose_name_plural = _("working hours")
        ordering = ["weekday", "start"]
        constraints = [models.UniqueConstraint(fields=["calendar", "weekday", "start"], name="calendar_interval_once")]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.start:%H:%M}–{self.end:%H:%M}"


class CalendarException(models.Model):
    """One date that differs from the week: closed, or open at other hours. Several rows on one date are several intervals."""

    access_module = "settings"
    bot_lookup = None

    calendar = models.ForeignKey(Calendar, on_delete=models.CASCADE, related_name="exceptions", verbose_name=_("calendar"))
    date = models.DateField(_("date"))
    name = models.CharField(_("name"), max_length=100, blank=True, help_text=_("For example “Company day”."))
    closed = models.BooleanField(_("closed"), default=True)
    start = models.TimeField(_("from"), null=True, blank=True, help_text=_("Only when not closed. Both empty: open the whole day."))
    end = models.TimeField(_("to"), null=True, blank=True, help_text=_("Not after “from”: it ends on the next day."))

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("exception")
        verbose_name_plural = _("exceptions")
        ordering = ["date", "start"]

    def __str__(self) -> str:
        return f"{self.date} {self.name}".strip()

    def clean(self) -> None:
        if self.closed and (self.start or self.end):
            raise ValidationError(_("A closed day has no hours. Remove the hours or untick “closed”."), code="closed_with_hours")
        if (self.start is None) != (self.end is None):
            raise ValidationError(_("Give both “from” and “to”, or neither for the whole day."), code="half_hours")


def validate_allow_target(text: str) -> None:
    """Refuses what is neither a host name, an address nor a network."""
    try:
        AllowRule.parse(text)
    except ValueError as error:
        raise ValidationError(str(error), code="allow_target") from error


class AllowedAddress(models.Model):
    """An inner system that the outgoing client may call although its address is not public. The owner answers for each row."""

    access_module = "settings"
    bot_lookup = None

    target = models.CharField(
        _("host or network"),
        max_length=255,
        validators=[validate_allow_target],
        help_text=_("A host name (crm.internal), an address (10.0.0.5) or a network (10.0.0.0/24)."),
    )
    port = models.PositiveIntegerField(
        _("port"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(65535)],
        help_text=_("Empty: any port."),
    )
    note = models.CharField(_("why"), max_length=200, help_text=_("Which system this is and why it may be called."))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("added by"),
    )
    created_at = models.DateTimeField(_("added"), auto_now_add=True)

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("allowed inner address")
        verbose_name_plural = _("allowed inner addresses")
        ordering = ["target", "port"]
        constraints = [
            models.UniqueConstraint(fields=["target", "port"], name="allowed_address_once"),
            models.UniqueConstraint(fields=["target"], condition=models.Q(port=None), name="allowed_address_any_port_once"),
        ]

    def __str__(self) -> str:
        return f"{self.target}:{self.port}" if self.port else self.target


class HeldHost(models.Model):
    """A host whose circuit breaker has opened: when, how often, why. Whether it is open now is asked of Redis (apps.core.breaker)."""

    access_module = "operations"
    bot_lookup = None

    host = models.CharField(_("host"), max_length=300, unique=True)
    reason = models.CharField(_("last failure"), max_length=500, blank=True)
    times = models.PositiveIntegerField(_("times held back"), default=1)
    first_at = models.DateTimeField(_("first time"))
    opened_at = models.DateTimeField(_("last time"), db_index=True)
    open_until = models.DateTimeField(_("until"), null=True)

    class Meta:
        verbose_name = _("failing host")
        verbose_name_plural = _("failing hosts")
        ordering = ["-opened_at"]

    def __str__(self) -> str:
        return self.host


class Heartbeat(models.Model):
    """The last sign of life of a background process; read by `/health/`."""

    access_module = "operations"
    bot_lookup = None

    name = models.CharField(_("process"), max_length=30)
    instance = models.CharField(_("on"), max_length=100)
    at = models.DateTimeField(_("last sign of life"))
    details = models.JSONField(_("details"), default=dict, blank=True)

    class Meta:
        verbose_name = _("process")
        verbose_name_plural = _("processes")
        ordering = ["name", "instance"]
        constraints = [models.UniqueConstraint(fields=["name", "instance"], name="heartbeat_once")]

    def __str__(self) -> str:
        return f"{self.name} {self.instance}"


class AuditEntry(models.Model):
    """What a person did: each row added, changed or deleted in the admin, and acts that change nothing by themselves but must be known
    (sign-in, export, replay, a token shown). Append-only.
    """

    access_module = "accounts"
    bot_lookup = None

    at = models.DateTimeField(_("time"), auto_now_add=True, db_index=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("user"),
    )
    username = models.CharField(_("user name at that time"), max_length=150, blank=True)
    action = models.CharField(_("action"), max_length=60, db_index=True)
    object_type = models.CharField(_("object type"), max_length=100, blank=True)
    object_id = models.CharField(_("object id"), max_length=100, blank=True)
    object_text = models.CharField(_("object"), max_length=200, blank=True)
    changes = models.JSONField(_("details"), default=dict, blank=True)
    ip_address = models.GenericIPAddressField(_("IP address"), null=True, blank=True)
    trace_id = models.CharField(_("trace"), max_length=64, blank=True)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit trail")
        ordering = ["-id"]
        indexes = [models.Index(fields=["object_type", "object_id", "-id"], name="audit_object")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.username} {self.action}"
