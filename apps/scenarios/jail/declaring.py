"""What the author of a custom action declares: its parameters and its exits, as stored rows and as the engine's types."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import BeforeValidator, Field, create_model
from pydantic import ValidationError as PydanticError

from apps.scenarios.action import ActionParams
from apps.scenarios.block import Exit
from apps.scenarios.engine.plain import shown

Json = dict[str, Any]
TYPES: Mapping[str, tuple[Any, Any]] = {
    "text": (gettext_lazy("text"), Annotated[str, BeforeValidator(shown)]),
    "number": (gettext_lazy("number"), float),
    "integer": (gettext_lazy("whole number"), int),
    "boolean": (gettext_lazy("yes/no"), bool),
    "list": (gettext_lazy("list"), list[Any]),
    "object": (gettext_lazy("object"), dict[str, Any]),
    "any": (gettext_lazy("any value"), Any),
}
MOST = 30
ERROR = "error"
NEXT = "next"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}")


def clean_params(rows: Any) -> list[Json]:
    """Rows {name, type, required, default, help}; raises ValidationError that names the row."""
    cleaned = [_clean_param(row) for row in _rows(rows)]
    _once([row["name"] for row in cleaned])
    try:
        params_model(cleaned)
    except (PydanticError, TypeError, ValueError, NameError) as error:
        raise ValidationError(_("These parameters cannot be used: %(why)s") % {"why": error}) from error
    return cleaned


def clean_exits(rows: Any) -> list[Json]:
    """Rows {name, label}; `error` is always there and need not be declared."""
    cleaned = []
    for row in _rows(rows):
        name = _name(row)
        if name != ERROR:
            cleaned.append({"name": name, "label": str(row.get("label") or "")[:200]})
    _once([row["name"] for row in cleaned])
    return cleaned


def params_model(rows: Sequence[Json]) -> type[ActionParams]:
    """The parameters as the class by which Action blocks are checked and shown."""
    fields: dict[str, Any] = {row["name"]: _field(row) for row in rows}
    made: type[ActionParams] = create_model("CustomParams", __base__=ActionParams, **fields)
    return made


def exits_of(rows: Sequence[Json]) -> tuple[Exit, ...]:
    """Those declared, or `next` alone; the error exit always."""
    declared = [Exit(row["name"], row.get("label") or row["name"], required=True) for row in rows] or [Exit(NEXT)]
    return (*declared, Exit(ERROR, gettext_lazy("Script error"), failure=True))


def _rows(rows: Any) -> list[Json]:
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValidationError(_("A list of rows is expected."))
    filled = [row for row in rows if any(row.get(key) for key in ("name", "label", "help", "default"))]
    if len(filled) > MOST:
        raise ValidationError(_("At most %(n)s rows.") % {"n": MOST})
    return filled


def _name(row: Json) -> str:
    name = str(row.get("name") or "").strip()
    if not _NAME.fullmatch(name) or name.startswith("model_"):
        raise ValidationError(_("“%(name)s” is no name: use Latin letters, digits and _, beginning with a letter.") % {"name": name[:60]})
    return name


def _once(names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValidationError(_("Named twice: %(names)s.") % {"names": ", ".join(twice)})


def _clean_param(row: Json) -> Json:
    name, kind = _name(row), str(row.get("type") or "text")
    if kind not in TYPES:
        raise ValidationError(_("%(name)s: there is no type “%(type)s”.") % {"name": name, "type": kind[:40]})
    cleaned: Json = {"name": name, "type": kind, "required": bool(row.get("required")), "help": str(row.get("help") or "")[:500]}
    default = row.get("default")
    if default not in (None, ""):
        cleaned["default"] = _typed(name, kind, default)
    return cleaned


def _typed(name: str, kind: str, default: Any) -> Any:
    """The default in its type. Raises ValidationError."""
    try:
        read: Any = params_model([{"name": "value", "type": kind, "required": True}]).model_validate({"value": default})
    except PydanticError as error:
        why = error.errors()[0]["msg"]
        raise ValidationError(_("%(name)s: the default does not fit: %(why)s.") % {"name": name, "why": why}) from error
    return read.value


def _field(row: Json) -> tuple[Any, Any]:
    _label, annotation = TYPES[row["type"]]
    about: Json = {"title": row["name"], "description": row.get("help") or None}
    if row.get("required") and "default" not in row:
        return annotation, Field(**about)
    return annotation | None if row["type"] != "any" else annotation, Field(default=row.get("default"), **about)
