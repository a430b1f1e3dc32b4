"""One call of the Bot API, however its parameters were sent: JSON, form, multipart or query."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from tools.emulators.telegram.refusals import RefusalError, bad_request


@dataclass
class Upload:
    """A file in a multipart call."""

    name: str
    mime: str
    data: bytes


@dataclass
class Call:
    """Method and parameters; a JSON parameter may come as JSON or as text that holds JSON."""

    method: str
    params: dict[str, Any] = field(default_factory=dict)
    files: dict[str, Upload] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """A text parameter, "" when absent."""
        value = self.params.get(name)
        return "" if value is None else str(value)

    def integer(self, name: str, default: int = 0) -> int:
        """A whole number given as number or text."""
        try:
            return int(self.params.get(name) or default)
        except (TypeError, ValueError):
            raise bad_request(f"field {name!r} must be of type Number") from None

    def number(self, name: str) -> float:
        """A required decimal number."""
        try:
            return float(self.params[name])
        except (KeyError, TypeError, ValueError):
            raise bad_request(f"field {name!r} must be of type Number") from None

    def flag(self, name: str) -> bool:
        """A boolean given as JSON or as text."""
        return str(self.params.get(name, "")).lower() in {"true", "1"}

    def tree(self, name: str) -> Any:
        """A JSON parameter, None when absent."""
        value = self.params.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value else None
        except ValueError:
            raise bad_request(f"can't parse {name}: can't parse JSON") from None

    @property
    def chat_id(self) -> int | None:
        """The addressed chat; None when absent or not a number (`@names` are not emulated)."""
        try:
            return int(self.params["chat_id"])
        except (KeyError, TypeError, ValueError):
            return None


async def read_call(request: web.Request, method: str) -> Call:
    """Parse a request; raises a refusal for a broken body."""
    call = Call(method=method, params=dict(request.query))
    kind = request.content_type
    if kind == "application/json":
        call.params.update(parsed_json(await request.read()))
    elif kind == "multipart/form-data":
        await read_multipart(request, call)
    elif request.can_read_body:
        call.params.update(parse_qsl((await request.read()).decode("utf-8", "replace"), keep_blank_values=True))
    return call


def parsed_json(body: bytes) -> dict[str, Any]:
    """The object in a JSON body."""
    try:
        parsed = json.loads(body) if body else {}
    except ValueError:
        raise bad_request("can't parse JSON object") from None
    if not isinstance(parsed, dict):
        raise bad_request("object expected as JSON")
    return parsed


async def read_multipart(request: web.Request, call: Call) -> None:
    """Put the fields and files of a multipart body into the call."""
    try:
        form = await request.post()
    except web.HTTPRequestEntityTooLarge:
        raise RefusalError(413, "Request Entity Too Large") from None
    for name, value in form.items():
        if isinstance(value, web.FileField):
            call.files[name] = Upload(name=value.filename, mime=value.content_type, data=value.file.read())
        else:
            call.params[name] = value
