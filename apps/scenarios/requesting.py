"""How a request to another system is written: its body with the kind of it, and its address with the query."""

import json
from typing import Any
from urllib.parse import urlencode

from apps.scenarios.engine.plain import shown


def body_of(body: Any, *, form: bool) -> tuple[Any, dict[str, str]]:
    """The body as it is sent, and the header that says what it is. An object is sent as JSON, or as a form; a text as it is."""
    if body in (None, ""):
        return None, {}
    if form and isinstance(body, dict):
        return urlencode({name: shown(value) for name, value in body.items()}), {"Content-Type": "application/x-www-form-urlencoded"}
    if isinstance(body, str) and _is_json(body):
        return body, {"Content-Type": "application/json"}
    return body, {"Content-Type": "text/plain; charset=utf-8"} if isinstance(body, str) else {}


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def with_query(url: str, query: dict[str, Any]) -> str:
    given = urlencode({name: shown(value) for name, value in query.items() if value not in (None, "")})
    if not given:
        return url
    address, mark, fragment = url.partition("#")
    return f"{address}{'&' if '?' in address else '?'}{given}{mark}{fragment}"
