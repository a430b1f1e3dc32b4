"""Forms of custom actions: the draft with protection against lost work, and publishing with its gate."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold import widgets

from apps.events.json_field import JSONTextField
from apps.scenarios.jail.declaring import clean_exits, clean_params
from apps.scenarios.jail.models import CustomAction

DRAFT = ("code", "params", "exits")
BEGINNING = """// ctx.params: the parameters · ctx.user: the person · ctx.data: the scenario's variables
const order = ctx.params.order_id
log("looking for", order)

// const answer = await callApi({ url: "https://crm.example.com/orders/" + order })
// if (!answer.ok) exit("error")

return { order_found: true }
"""


class RowsField(JSONTextField):
    """A list of rows; the page's script draws them as fields, without it they are JSON."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(small=True, empty=[], **kwargs)
        self.widget = forms.Textarea({"rows": 6, "class": "db-input db-mono", "spellcheck": "false"})


class CustomActionForm(forms.ModelForm):  # type: ignore[type-arg]
    """`based_on` is the draft's number when the page was opened; a save over somebody else's is refused once, and then counts as a decision."""

    code = forms.CharField(
        label=gettext_lazy("Code"), required=False, strip=False, max_length=200_000,
        widget=forms.Textarea({"data-code-editor": "", "rows": 24, "spellcheck": "false", "class": "db-input db-mono"}),
    )  # fmt: skip
    params = RowsField(label=gettext_lazy("Parameters"), required=False)
    exits = RowsField(label=gettext_lazy("Exits"), required=False)
    based_on = forms.IntegerField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = CustomAction
        fields = ("name", "key", "bot", "description", "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.update({name: getattr(self.instance, name) for name in DRAFT}, based_on=self.instance.draft_version)
        if self.instance.pk is None:
            self.initial["code"] = BEGINNING

    def clean_code(self) -> str:
        return str(self.cleaned_data["code"]).replace("\r\n", "\n")

    def clean_params(self) -> list[dict[str, Any]]:
        return clean_params(self.cleaned_data["params"])

    def clean_exits(self) -> list[dict[str, Any]]:
        return clean_exits(self.cleaned_data["exits"])

    def clean_key(self) -> str:
        from apps.scenarios.registry import actions  # noqa: PLC0415  the registry lies above this package

        key = str(self.cleaned_data["key"])
        if key in actions:
            raise ValidationError(_("This name belongs to an action of the product. Choose another."), code="taken")
        return key

    def clean(self) -> dict[str, Any]:
        """Runs in the admin's transaction: the row stays locked until the save."""
        data = super().clean() or self.cleaned_data
        if self.instance.pk is None:
            return data
        stored = CustomAction.objects.select_for_update(of=("self",)).get(pk=self.instance.pk)
        if data.get("based_on") != stored.draft_version and set(DRAFT) & set(self.changed_data):
            self.data = {**self.data.dict(), "based_on": stored.draft_version} if isinstance(self.data, QueryDict) else self.data
            text = _(
                "Not saved: somebody else has saved this action since you opened it; see its history. Save again to replace their draft."
            )
            raise ValidationError(text, code="stale")
        self.instance.draft_version = stored.draft_version + 1
        return data

    def save(self, commit: bool = True) -> Any:  # noqa: FBT001, FBT002  Django's signature
        for name in DRAFT:
            setattr(self.instance, name, self.cleaned_data[name])
        return super().save(commit)


class PublishActionForm(forms.Form):
    note = forms.CharField(
        label=gettext_lazy("What is new"), max_length=500, required=False, widget=widgets.UnfoldAdminTextareaWidget({"rows": 2}),
        help_text=gettext_lazy("For colleagues; shown in the list of versions."),
    )  # fmt: skip
    despite = forms.CharField(
        label=gettext_lazy("Publish although tests fail, because"), max_length=500, required=False,
        widget=widgets.UnfoldAdminTextareaWidget({"rows": 2}), help_text=gettext_lazy("The reason is kept with the version and in the log."),
    )  # fmt: skip

    def __init__(self, *args: Any, failed: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not failed:
            del self.fields["despite"]
