"""Forms of endpoints and tokens."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold import widgets

from apps.bots.forms import ListField
from apps.bots.models import Bot
from apps.core.form_fields import SecretForm
from apps.customdata.models import Table
from apps.events.json_field import JSONTextField
from apps.gateway import fitting
from apps.gateway.models import ApiToken, Endpoint

_ALIAS = re.compile(r"[A-Za-z0-9._~-]+(?:/[A-Za-z0-9._~-]+)*")
_PATTERN = re.compile(r"[A-Za-z0-9._~-]+(?:/[A-Za-z0-9._~-]+)*(?:/\*)?")
_DATA = re.compile(r"(?:\*|[a-z][a-z0-9_]*):(?:read|write|delete|personal)")
LEAST_SECRET = 16


class EndpointForm(SecretForm):
    secret_fields = ("signing_secret",)
    request_schema = JSONTextField(
        label=gettext_lazy("Request schema"), required=False, small=True, empty={},
        help_text=gettext_lazy("JSON Schema of the parameters; a call that does not fit is refused. Empty: everything is taken."),
    )  # fmt: skip
    request_example = JSONTextField(label=gettext_lazy("Request example"), required=False, small=True, empty={},
                                    help_text=gettext_lazy("Shown in the documentation and put into “Try it”."))  # fmt: skip
    response_schema = JSONTextField(label=gettext_lazy("Response schema"), required=False, small=True, empty={},
                                    help_text=gettext_lazy("JSON Schema of “data” in the answer; for the documentation."))  # fmt: skip

    class Meta:
        model = Endpoint
        fields = (
            "bot", "alias", "name", "purpose", "owner", "direction", "method", "url", "scenario", "entry", "request_schema", "request_example",
            "response_schema", "needs_recipient", "own_key", "signing_secret", "is_active",
        )  # fmt: skip

    def clean_alias(self) -> str:
        alias = str(self.cleaned_data["alias"]).strip().strip("/")
        if not _ALIAS.fullmatch(alias):
            raise ValidationError(
                _("Use Latin letters, digits, “-”, “_”, “.” and “~”, parts divided by “/”, e.g. order/thank-you."), code="alias"
            )
        return alias

    def clean_request_schema(self) -> Any:
        return self._checked("request_schema")

    def clean_response_schema(self) -> Any:
        return self._checked("response_schema")

    def clean_signing_secret(self) -> str:
        secret = str(self.cleaned_data.get("signing_secret") or "")
        if secret and len(secret) < LEAST_SECRET:
            raise ValidationError(_("Use at least %(count)s characters."), code="short", params={"count": LEAST_SECRET})
        return secret

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        scenario, bot, direction = (
            data.get("scenario"),
            data.get("bot") or (self.instance.bot_id and self.instance.bot),
            data.get("direction"),
        )
        if scenario and bot and scenario.bot_id != bot.pk:
            self.add_error("scenario", _("This scenario belongs to another bot."))
        if direction == Endpoint.Direction.OUTBOUND and not data.get("url"):
            self.add_error("url", _("An outbound point needs the address that scenarios call."))
        if direction != Endpoint.Direction.OUTBOUND and data.get("method") not in (None, "POST"):
            self.add_error("method", _("Systems call us by POST. Other methods are for outbound points."))
        return data

    def _checked(self, name: str) -> Any:
        schema = self.cleaned_data[name]
        found = fitting.problems(schema) if schema else []
        if found:
            raise ValidationError(found)
        return schema or {}


class TokenForm(forms.ModelForm):  # type: ignore[type-arg]
    bots = forms.ModelMultipleChoiceField(label=gettext_lazy("Bots"), queryset=Bot.objects.all(), required=False,
                                          widget=widgets.UnfoldAdminCheckboxSelectMultipleWidget)  # fmt: skip
    aliases = ListField(
        label=gettext_lazy("Endpoints"), required=False, widget=widgets.UnfoldAdminTextareaWidget({"rows": 4}),
        help_text=gettext_lazy("One alias a line; order/* covers everything below order/."),
    )  # fmt: skip

    data_rights = ListField(
        label=gettext_lazy("Custom data"), required=False, widget=widgets.UnfoldAdminTextareaWidget({"rows": 4}),
        help_text=gettext_lazy(
            "One right a line: the model's alias (* = all) and read, write, delete or personal, e.g. complaints:read. "
            "Without “personal”, personal values are masked."
        ),
    )  # fmt: skip

    class Meta:
        model = ApiToken
        fields = (
            "name",
            "source_system",
            "all_bots",
            "bots",
            "all_aliases",
            "aliases",
            "data_rights",
            "dry_run_only",
            "calls_per_minute",
            "expires_at",
            "is_active",
        )

    def clean_aliases(self) -> list[str]:
        found = [alias.strip("/") for alias in self.cleaned_data["aliases"]]
        wrong = [alias for alias in found if not _PATTERN.fullmatch(alias)]
        if wrong:
            raise ValidationError(_("These are no aliases: %(names)s."), code="alias", params={"names": ", ".join(wrong)})
        return found

    def clean_data_rights(self) -> list[str]:
        wrong = [line for line in self.cleaned_data["data_rights"] if not _DATA.fullmatch(line)]
        if wrong:
            raise ValidationError(_("These are no rights over models: %(names)s."), code="data", params={"names": ", ".join(wrong)})
        unknown = (
            {line.partition(":")[0] for line in self.cleaned_data["data_rights"]}
            - {"*"}
            - set(Table.objects.values_list("alias", flat=True))
        )
        if unknown:
            raise ValidationError(_("There are no such models: %(names)s."), code="data", params={"names": ", ".join(sorted(unknown))})
        return list(self.cleaned_data["data_rights"])

    def clean_expires_at(self) -> Any:
        at = self.cleaned_data.get("expires_at")
        if at and "expires_at" in self.changed_data and at <= timezone.now():
            raise ValidationError(_("This moment has passed."), code="past")
        return at

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if not data.get("all_bots") and not data.get("bots"):
            self.add_error("bots", _("Choose the bots, or tick “all bots”."))
        if not data.get("all_aliases") and not data.get("aliases"):
            self.add_error("aliases", _("Name the endpoints, or tick “all endpoints”."))
        return data


class TryForm(forms.Form):
    params = JSONTextField(label=gettext_lazy("Parameters"), small=True, empty={}, required=False,
                           help_text=gettext_lazy("As the system would send them, with the recipient: userId, leadId, chatId, phone or email."))  # fmt: skip

    def clean_params(self) -> dict[str, Any]:
        params = self.cleaned_data["params"]
        if not isinstance(params, dict):
            raise ValidationError(_("The parameters are a JSON object."), code="object")
        return params
