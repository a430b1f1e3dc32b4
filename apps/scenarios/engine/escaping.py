"""How a value is written into what surrounds it: a value is escaped for its target once, the author's own text never."""

import html
import json
from dataclasses import dataclass
from typing import Any, Literal, Protocol
from urllib.parse import quote

from apps.scenarios.engine.plain import plain

Target = Literal["", "html", "url", "json"]


@dataclass(frozen=True)
class Escaped:
    """Marks an action's parameter whose placeholders are escaped for a target: `url: Annotated[str, Escaped("url")]`.

    "url": values are percent-encoded, one that begins the address and is an address stays. "json": for a body that is written as text.
    """

    target: Target


class Ready(str):
    """Text that is already fit for the target of this render."""

    __slots__ = ()


class _Escape(Protocol):
    def __call__(self, text: str, *, value: Any, at_start: bool) -> str: ...


def _html(text: str, *, value: Any, at_start: bool) -> str:  # noqa: ARG001
    return html.escape(text)


def _url(text: str, *, value: Any, at_start: bool) -> str:  # noqa: ARG001
    """A value that begins the address and is one (`{{ instance_settings.crm_url }}/orders`) stays; all others become one part of it."""
    if at_start and text.startswith(("https://", "http://")):
        return text
    return quote(text, safe="")


def _json(text: str, *, value: Any, at_start: bool) -> str:  # noqa: ARG001
    """For a body written as text: texts are escaped for the quotes that the author put around them, other values become JSON."""
    if isinstance(value, bool | int | float | list | dict):
        return json.dumps(plain(value), ensure_ascii=False)
    return json.dumps(text, ensure_ascii=False)[1:-1]


ESCAPES: dict[str, _Escape] = {"html": _html, "url": _url, "json": _json}
# Filters by which the author escapes on purpose, per target.
READY_MADE: dict[str, frozenset[str]] = {
    "html": frozenset({"escape", "escape_once"}),
    "url": frozenset({"url_encode", "url_path", "base64_url_safe_encode"}),
    "json": frozenset({"json"}),
}
