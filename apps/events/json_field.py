"""A form field for JSON that people write: an editor with line numbers, and nothing typed is lost while it is wrong."""

import json
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminTextareaWidget

from apps.core.strictjson import StrictJsonError, loads

if TYPE_CHECKING:  # the package is untyped
    _Textarea = forms.Textarea
else:
    _Textarea = UnfoldAdminTextareaWidget


class JSONEditor(_Textarea):
    """The textarea that `editor.js` makes an editor of; plain but usable without it."""

    def __init__(self, *, small: bool = False) -> None:
        super().__init__({"data-json-editor": "small" if small else "large", "rows": 8 if small else 30})

    class Media:
        js = ("admin_ui/editor.js",)


class JSONTextField(forms.CharField):
    """Read strictly; kept as text until it can be read. `empty` is the value of an empty field."""

    def __init__(self, *, small: bool = False, empty: Any = None, **kwargs: Any) -> None:
        self.empty = empty
        super().__init__(widget=JSONEditor(small=small), strip=False, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        """What may be left empty is shown as an empty editor, not as `null` or `{}`."""
        if isinstance(value, str):
            return value
        if value is None or (value == self.empty and not self.required):
            return ""
        return json.dumps(value, indent=2, ensure_ascii=False)

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value) or ""
        if not text.strip():
            return self.empty
        try:
            return loads(text.encode(errors="surrogatepass"))
        except StrictJsonError as error:
            raise ValidationError(error.reason, code="json") from error

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != initial)
        except ValidationError:
            return True
