"""JSON from outside, read strictly (security.md 11): what PostgreSQL cannot store or two readers would understand differently is refused."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser

MAX_DEPTH = 64
MAX_BYTES = 10 * 1024 * 1024
MAX_NUMBER_CHARS = 100
_BOM = b"\xef\xbb\xbf"
# The closing quote is optional: an unterminated string is then consumed once instead of being tried from every quote (quadratic).
_STRINGS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")
_SUSPICIOUS = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


class StrictJsonError(ValueError):
    """Refused; `reason` says what is wrong (with line and column where known), `too_large` that only the size is."""

    def __init__(self, reason: str, *, too_large: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.too_large = too_large


def loads(body: bytes, *, max_depth: int = MAX_DEPTH, max_bytes: int = MAX_BYTES) -> Any:
    """The value that `body` (UTF-8, a byte order mark is ignored) holds; raises `StrictJsonError`."""
    if len(body) > max_bytes:
        raise StrictJsonError(_("The body is larger than %(limit)s bytes.") % {"limit": max_bytes}, too_large=True)
    body = body.removeprefix(_BOM)
    if not body.strip():
        raise StrictJsonError(_("The body is empty; JSON is expected."))
    _check_depth(body, max_depth)
    value = _parse(_decode(body))
    if _SUSPICIOUS.search(body):
        _check_texts(value)
    return value


def _decode(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise StrictJsonError(_("The body is not UTF-8 (byte %(position)s).") % {"position": error.start + 1}) from error


def _check_depth(body: bytes, max_depth: int) -> None:
    """Counts brackets outside strings without recursion, before the parser that recurses sees the text."""
    brackets = _STRINGS.sub(b"", body).translate(None, _NO_BRACKETS)
    if brackets.count(b"[") + brackets.count(b"{") <= max_depth:
        return
    depth = 0
    for bracket in brackets:
        depth += 1 if bracket in b"[{" else -1
        if depth > max_depth:
            raise StrictJsonError(_("The body is nested deeper than %(limit)s levels.") % {"limit": max_depth})


def _parse(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer, parse_float=_float)
    except json.JSONDecodeError as error:
        place = {"what": error.msg, "line": error.lineno, "column": error.colno}
        raise StrictJsonError(_("The body is not JSON: %(what)s at line %(line)s, column %(column)s.") % place) from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _value in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise StrictJsonError(_("The key “%(key)s” occurs twice in one object.") % {"key": twice[:100]})
    return result


def _constant(name: str) -> NoReturn:
    raise StrictJsonError(_("%(name)s is not a JSON number.") % {"name": name})


def _integer(text: str) -> int:
    _check_number(text)
    return int(text)


def _float(text: str) -> float:
    _check_number(text)
    number = float(text)
    if not math.isfinite(number):
        raise StrictJsonError(_("The number %(number)s is too large.") % {"number": text})
    return number


def _check_number(text: str) -> None:
    if len(text) > MAX_NUMBER_CHARS:
        raise StrictJsonError(_("A number has more than %(limit)s characters.") % {"limit": MAX_NUMBER_CHARS})


def _check_texts(value: Any) -> None:
    for text in _texts(value):
        if "\x00" in text:
            raise StrictJsonError(_("A text contains the character NUL (\\u0000)."))
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise StrictJsonError(_("A text contains half of a surrogate pair (\\ud800-\\udfff).")) from error


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


_UNSTORABLE = re.compile("[\\x00\\ud800-\\udfff]")


def cleaned(value: Any) -> Any:
    """A copy in which every character that PostgreSQL cannot store (NUL, half a surrogate pair) is U+FFFD: for what a vendor's client has
    read for us and what must not be lost.
    """
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {cleaned(key): cleaned(item) for key, item in value.items()}
    return [cleaned(item) for item in value] if isinstance(value, list) else value


class BodyTooLargeError(APIException):
    """413 in the form of DRF's own errors."""

    status_code = 413
    default_detail = "The body is too large."
    default_code = "too_large"


class StrictJSONParser(BaseParser):
    """Request bodies of the API: `loads`, with the limits of the settings."""

    media_type = "application/json"

    def parse(self, stream: Any, _media_type: str | None = None, _parser_context: Mapping[str, Any] | None = None) -> Any:
        limit = int(getattr(settings, "CALL_MAX_BYTES", MAX_BYTES))
        try:
            return loads(stream.read(limit + 1), max_bytes=limit)
        except StrictJsonError as error:
            if error.too_large:
                raise BodyTooLargeError(error.reason) from error
            raise ParseError(error.reason) from error
