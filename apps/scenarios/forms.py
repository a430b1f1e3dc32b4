"""Forms of scenarios: the draft as JSON with protection against lost work, a new scenario from a beginning or a file, publishing."""

import json
from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold import widgets

from apps.core.strictjson import StrictJsonError, loads
from apps.events.json_field import JSONTextField
from apps.scenarios import beginnings
from apps.scenarios.engine.migrating import migrate
from apps.scenarios.models import Scenario, ScenarioVersion
from apps.scenarios.ordering import readable
from apps.scenarios.publishing import Choices, Standing

FILE_BYTES = 2 * 1024 * 1024


class ScenarioForm(forms.ModelForm):  # type: ignore[type-arg]
    """`based_on` is the draft's number when the page was opened. When somebody else has saved another one meanwhile, the save is refused,
    `theirs` holds that row, and the next save counts as a decision: it is based on theirs.
    """

    draft = JSONTextField(label=gettext_lazy("Definition"), empty={})
    based_on = forms.IntegerField(widget=forms.HiddenInput)
    theirs: Scenario | None = None
    opened_version = 0

    class Meta:
        model = Scenario
        fields = ("name", "key", "description", "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["draft"] = readable(self.instance.draft)
        self.initial["based_on"] = self.instance.draft_version

    def clean_draft(self) -> dict[str, Any]:
        data = self.cleaned_data["draft"]
        if not isinstance(data, dict):
            raise ValidationError(_("A definition is a JSON object: it begins with “{”."), code="object")
        size = len(json.dumps(data, ensure_ascii=False).encode("utf-8", "surrogatepass"))
        if "draft" in self.changed_data and size > FILE_BYTES:
            message = _("The scenario would have %(size)s MB; %(limit)s MB is the most. Move parts of it to another scenario.")
            raise ValidationError(message % {"size": f"{size / 1024 / 1024:.1f}", "limit": FILE_BYTES // 1024 // 1024}, code="size")
        return data

    def clean(self) -> dict[str, Any]:
        """Runs in the admin's transaction: the row stays locked until the save."""
        data = super().clean() or self.cleaned_data
        stored = Scenario.objects.select_for_update().get(pk=self.instance.pk)
        if "draft" in self.changed_data and data.get("based_on") != stored.draft_version:
            self.theirs, self.opened_version = stored, int(data.get("based_on") or 0)
            self.data = {**self.data.dict(), "based_on": stored.draft_version} if isinstance(self.data, QueryDict) else self.data
            raise ValidationError(
                _("Not saved: somebody else has saved this scenario since you opened it. Their changes are shown below; yours are still in the "
                  "editor. Bring both together, then save again: that replaces theirs."), code="stale",
            )  # fmt: skip
        self.instance.draft_version = stored.draft_version
        return data

    def save(self, commit: bool = True) -> Any:  # noqa: FBT001, FBT002  Django's signature
        if "draft" in self.changed_data:
            self.instance.draft = self.cleaned_data["draft"]
            self.instance.draft_version += 1
        return super().save(commit)


class NewScenarioForm(forms.ModelForm):  # type: ignore[type-arg]
    """A scenario begins with something small that works, or with a file that was exported."""

    begin_with = forms.ChoiceField(
        label=gettext_lazy("Begin with"), choices=[(row.key, row.label) for row in beginnings.BEGINNINGS], initial=beginnings.BEGINNINGS[0].key,
        widget=widgets.UnfoldAdminRadioSelectWidget,
    )  # fmt: skip
    file = forms.FileField(label=gettext_lazy("Or with a file"), required=False, help_text=gettext_lazy("A scenario exported as JSON; it takes the place of the choice above."),
                           widget=widgets.UnfoldAdminFileFieldWidget)  # fmt: skip

    class Meta:
        model = Scenario
        fields = ("bot", "name", "key", "description")

    def clean_file(self) -> dict[str, Any] | None:
        uploaded = self.cleaned_data.get("file")
        if not uploaded:
            return None
        if uploaded.size > FILE_BYTES:
            raise ValidationError(_("The file is larger than %(limit)s MB.") % {"limit": FILE_BYTES // 1024 // 1024}, code="size")
        return read_file(uploaded.read())

    def save(self, commit: bool = True) -> Any:  # noqa: FBT001, FBT002  Django's signature
        found = self.cleaned_data.get("file")
        self.instance.draft = (
            found["definition"] if found else beginnings.definition(self.cleaned_data["begin_with"], name=self.instance.name)
        )
        self.instance.layout = found.get("layout", {}) if found else {}
        return super().save(commit)


class PublishForm(forms.Form):
    note = forms.CharField(
        label=gettext_lazy("What is new"), max_length=500, required=False, widget=widgets.UnfoldAdminTextareaWidget({"rows": 2}),
        help_text=gettext_lazy("For colleagues; shown in the list of versions."),
    )  # fmt: skip
    override = forms.CharField(
        label=gettext_lazy("Publish although tests fail, because"), max_length=500, required=False, widget=widgets.UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("Only needed when a test fails; stands in the log with your name."),
    )  # fmt: skip
    people = forms.ChoiceField(
        label=gettext_lazy("People who are inside"), choices=ScenarioVersion.People.choices, initial=ScenarioVersion.People.STAY, required=False,
        widget=widgets.UnfoldAdminRadioSelectWidget,
    )  # fmt: skip
    due_at = forms.DateTimeField(
        label=gettext_lazy("Publish at"), required=False, widget=widgets.UnfoldAdminTextInputWidget({"type": "datetime-local"}),
    )  # fmt: skip

    def __init__(self, *args: Any, removed: Sequence[Standing] = (), nodes: Sequence[tuple[str, str]] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.removed = [row.node for row in removed]
        zone = timezone.get_current_timezone_name()
        self.fields["due_at"].help_text = _(
            "Empty: now. By your clock (%(zone)s). The draft as it is now is published then; later edits are not part of it."
        ) % {"zone": zone}
        for place, row in enumerate(removed):
            self.fields[f"to_{place}"] = forms.ChoiceField(
                label=ngettext(
                    "The person at the removed block “%(node)s” goes on at", "The %(count)s people at the removed block “%(node)s” go on at", row.people
                ) % {"count": row.people, "node": row.title},
                choices=[("", _("nowhere: they stay on their version")), *nodes], required=False, widget=widgets.UnfoldAdminSelectWidget,
            )  # fmt: skip
        self.order_fields(["note", "override", "people", *(f"to_{place}" for place in range(len(removed))), "due_at"])

    def clean(self) -> dict[str, Any]:
        """A block for those who stay would do nothing, and nobody would know."""
        data = super().clean() or self.cleaned_data
        heirs = [f"to_{place}" for place in range(len(self.removed)) if data.get(f"to_{place}")]
        if heirs and (data.get("people") or ScenarioVersion.People.STAY) == ScenarioVersion.People.STAY:
            raise ValidationError({"people": _("You have named where people go on: choose when they move, or leave it at nowhere.")})
        return data

    def how(self) -> Choices:
        """As `publishing.publish` takes it."""
        data = self.cleaned_data
        mapping = {node: data[f"to_{place}"] for place, node in enumerate(self.removed) if data[f"to_{place}"]}
        return {"note": data["note"], "override": data.get("override", ""), "people": data["people"] or "stay", "mapping": mapping}


class RollbackForm(PublishForm):
    """Going back happens at once and waits for no test."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["due_at"], self.fields["override"]
        self.fields["note"].label = _("Why")


def file_of(scenario: Scenario, definition: dict[str, Any]) -> dict[str, Any]:
    """What an export holds; `read_file` is its inverse."""
    return {
        "format": "dialog-bus/scenario", "key": scenario.key, "name": scenario.name, "description": scenario.description,
        "definition": readable(definition), "layout": scenario.layout,
    }  # fmt: skip


def read_file(body: bytes) -> dict[str, Any]:
    """An exported file, or a bare definition. Raises ValidationError."""
    try:
        data = loads(body)
    except StrictJsonError as error:
        raise ValidationError(error.reason, code="json") from error
    if isinstance(data, dict) and any(isinstance(data.get(key), list) for key in ("sections", "nodes")):
        return {"definition": migrate(data)}
    if not isinstance(data, dict) or not isinstance(data.get("definition"), dict):
        raise ValidationError(_("This is no exported scenario: it has no “definition”."), code="format")
    layout = data.get("layout")
    return {"definition": migrate(data["definition"]), "layout": layout if isinstance(layout, dict) else {}}
