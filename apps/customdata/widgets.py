"""Inputs of the record form that need more than a plain box."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.template import loader
from django.utils.safestring import SafeString

if TYPE_CHECKING:  # the package is untyped
    _TextInput = forms.TextInput
    _FileInput = forms.ClearableFileInput
else:
    from unfold.widgets import UnfoldAdminFileFieldWidget as _FileInput
    from unfold.widgets import UnfoldAdminTextInputWidget as _TextInput


class ChooseRow(_TextInput):
    """The number of a row with a box to look it up by its title; `data-choose` is what `customdata.js` asks."""

    template_name = "admin/customdata/choose_row.html"

    def __init__(self, field: Any = None, attrs: dict[str, Any] | None = None) -> None:
        self.field = field
        self.address = ""
        self.title_of: Any = None
        super().__init__(attrs)

    def _render(self, template_name: str, context: dict[str, Any], renderer: Any = None) -> SafeString:
        """Forms look for templates in packages only; this one is the project's."""
        return loader.render_to_string(
            template_name, {**context, "input": SafeString(renderer.render("django/forms/widgets/input.html", context))}
        )

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["widget"].update(address=self.address, title=self.title_of(value) if value and self.title_of else "")
        return context


class FileInput(_FileInput):
    """A file with a link to the stored one."""
