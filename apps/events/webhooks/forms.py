"""Forms of subscriptions: what is told to whom, and a span of time to tell again."""

from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django import forms
from django.apps import apps
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold import widgets

from apps.accounts.access import bot_scope, scoped
from apps.core.outgoing import RefusedError, check_url
from apps.events.models import Subscription, SubscriptionFilter
from apps.events.webhooks import kinds

MODULE = "integration"
MOST_DAYS = 90


class BotField(forms.TypedChoiceField):
    """A bot by its plain id: the log lies below the bots. “All bots” is offered to those only who may edit them all."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(coerce=int, empty_value=None, widget=widgets.UnfoldAdminSelectWidget, **kwargs)

    def offer(self, viewer: Any) -> None:
        everywhere = bot_scope(viewer, "edit", MODULE).everywhere
        rows = scoped(apps.get_model("bots.Bot")._default_manager.order_by("name"), viewer, "edit", module=MODULE)
        self.required = not everywhere
        self.choices = [
            *([("", _("All bots and the installation"))] if everywhere else [("", "---------")]),
            *rows.values_list("pk", "name"),
        ]


class SubscriptionForm(forms.ModelForm):  # type: ignore[type-arg]
    """`viewer` is put in by the admin page."""

    viewer: ClassVar[Any] = None
    bot_id = BotField(label=gettext_lazy("Bot"), required=False, help_text=gettext_lazy("Only events of this bot are told."))
    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("Events"), required=False, choices=kinds.choices, widget=widgets.UnfoldAdminCheckboxSelectMultipleWidget
    )
    other_kinds = forms.CharField(
        label=gettext_lazy("Other events"), required=False, widget=widgets.UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("Names as the event log shows them, separated by commas; person.* means all that begin so."),
    )  # fmt: skip

    class Meta:
        model = Subscription
        fields = ("name", "bot_id", "url", "format", "kinds")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "bot_id" in self.fields:  # not for those who may only look
            self.fields["bot_id"].offer(self.viewer)  # type: ignore[attr-defined]
        offered = {pattern for _group, patterns in kinds.GROUPS for pattern in patterns}
        self.initial["other_kinds"] = ", ".join(name for name in self.instance.kinds if name not in offered)

    def clean_url(self) -> str:
        url = str(self.cleaned_data["url"]).strip()
        try:
            check_url(url)
        except RefusedError as error:
            raise ValidationError(str(error), code="url") from error
        if urlsplit(url).fragment:
            raise ValidationError(_("Leave out what follows “#”: it is never sent."), code="fragment")
        return url

    def clean_other_kinds(self) -> list[str]:
        names = [name.strip() for name in str(self.cleaned_data["other_kinds"]).split(",") if name.strip()]
        wrong = [name for name in names if len(name) > 60 or not all(part.isidentifier() or part == "*" for part in name.split("."))]  # noqa: PLR2004
        if wrong:
            raise ValidationError(_("“%(name)s” is no name of an event. Names look like person.changed or person.*.") % {"name": wrong[0]})
        return names

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        chosen = [*dict.fromkeys([*(data.get("kinds") or []), *(data.get("other_kinds") or [])])]
        if not chosen and "kinds" in self.fields:
            self.add_error("kinds", _("Choose at least one event."))
        return {**data, "kinds": chosen}


class FilterForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = SubscriptionFilter
        fields = ("field", "operator", "value")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        operator = SubscriptionFilter.Operator
        if data.get("operator") not in (operator.PRESENT, operator.ABSENT, None) and not data.get("value"):
            self.add_error("value", _("This condition needs a value."))
        return data


class ReplayForm(forms.Form):
    since = forms.DateTimeField(label=gettext_lazy("From"), widget=widgets.UnfoldAdminTextInputWidget({"type": "datetime-local"}))
    until = forms.DateTimeField(label=gettext_lazy("To"), widget=widgets.UnfoldAdminTextInputWidget({"type": "datetime-local"}))
    only_failed = forms.BooleanField(
        label=gettext_lazy("Only what was given up"), required=False, initial=True, widget=widgets.UnfoldBooleanWidget,
        help_text=gettext_lazy("Otherwise everything of that time that this subscription means, also what was never sent."),
    )  # fmt: skip

    @classmethod
    def of_today(cls) -> "ReplayForm":
        now = timezone.localtime().replace(second=0, microsecond=0)
        shown = "%Y-%m-%dT%H:%M"
        return cls(initial={"since": (now - timedelta(hours=24)).strftime(shown), "until": (now + timedelta(minutes=1)).strftime(shown)})

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        since, until = data.get("since"), data.get("until")
        if since and until and not since < until <= since + timedelta(days=MOST_DAYS):
            self.add_error("until", _("The end must be after the beginning, by %(days)s days at most.") % {"days": MOST_DAYS})
        return data
