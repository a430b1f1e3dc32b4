"""An outgoing call as data: the request with its checks, the reply, and the ways in which it can fail."""

import json as jsonlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.utils.translation import gettext as _
from yarl import URL

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
DEFAULT_TIMEOUT = 10.0
MAX_TIMEOUT = 120.0
DEFAULT_MAX_BYTES = 1024 * 1024
MAX_URL = 8000
MAX_HEADER = 8000

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_URL_FORBIDDEN = re.compile(r"[\x00-\x20\x7f\\]")
# The client writes these itself; a second one would let a caller speak to another site or smuggle a second request.
_OWN_HEADERS = frozenset(
    {
        "host",
        "connection",
        "keep-alive",
        "content-length",
        "transfer-encoding",
        "te",
        "trailer",
        "upgrade",
        "expect",
        "accept-encoding",
        "proxy-authorization",
        "proxy-connection",
        "proxy-authenticate",
        "http2-settings",
    }
)
# Cloud metadata services answer only to requests that carry one of these.
_METADATA_HEADER = re.compile(
    r"metadata(-flavor)?|x-aws-ec2-metadata-.*|x-google-metadata-.*|x-metadata-token|x-identity-header", re.IGNORECASE
)


class OutgoingError(Exception):
    """The call gave no usable reply. The text is for people and holds no secret.

    `written`: the other side may have received the request, so that repeating it may do the thing twice.
    """

    written = False


class RefusedError(OutgoingError):
    """We do not make this call: its address, scheme, method or a header is not allowed. Nothing was sent; repeating cannot help."""


class AddressRefusedError(RefusedError):
    """The host is (or resolves to) an address that is neither public nor allowed."""


class DeadlineError(OutgoingError):
    """No complete reply within the time, connecting and reading included."""

    def __init__(self, text: str, *, written: bool) -> None:
        super().__init__(text)
        self.written = written


class TooLargeError(OutgoingError):
    """The reply is larger than allowed; the rest was not read."""

    written = True


class ConnectionFailedError(OutgoingError):
    """No connection, or it broke, or what came was not HTTP."""

    def __init__(self, text: str, *, written: bool) -> None:
        super().__init__(text)
        self.written = written


TimeoutError_ = DeadlineError


@dataclass(frozen=True)
class Reply:
    """What the other side answered, whatever its status. `headers` are looked up without regard to case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    elapsed_ms: int
    url: str = ""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300  # noqa: PLR2004

    @property
    def media_type(self) -> str:
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    def text(self) -> str:
        """The body as text: the charset of the content type, else UTF-8; what cannot be read is replaced."""
        match = re.search(r"charset=\"?([\w.:-]+)", self.headers.get("Content-Type", ""), re.IGNORECASE)
        try:
            return self.body.decode(match[1] if match else "utf-8", "replace")
        except LookupError:
            return self.body.decode("utf-8", "replace")


@dataclass(frozen=True)
class OutgoingRequest:
    """One call. Give `body` (bytes as they are) or `json` (any value but None; sets the content type).

    `timeout` bounds the whole call in seconds; `max_bytes` the reply after decompression.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    json: Any = None
    timeout: float = DEFAULT_TIMEOUT
    max_bytes: int = DEFAULT_MAX_BYTES
    allow_redirects: bool = False


@dataclass(frozen=True)
class Checked:
    """A request that may be sent as far as can be told before its host is resolved."""

    method: str
    url: URL
    headers: dict[str, str]
    body: bytes | None

    @property
    def host(self) -> str:
        return self.url.raw_host or ""

    @property
    def port(self) -> int:
        return self.url.port or 0


def check(request: OutgoingRequest) -> Checked:
    """Raises `RefusedError` with what to change."""
    method = request.method.upper()
    if method not in METHODS:
        raise RefusedError(
            _("The method %(method)s cannot be used. Use one of: %(known)s.")
            % {
                "method": request.method[:20],
                "known": ", ".join(sorted(METHODS)),
            }
        )
    headers = check_headers(request.headers)
    return Checked(method=method, url=check_url(request.url), headers=headers, body=_body(request, headers))


def check_url(text: str) -> URL:
    """The address as `URL`; raises `RefusedError`. The reasons never quote the address: it may hold a secret."""
    if len(text) > MAX_URL or _URL_FORBIDDEN.search(text):
        raise RefusedError(_("The address is too long or holds spaces, control characters or “\\”. Encode them as %XX."))
    try:
        url = URL(text)
        host, port = url.host, url.port
    except ValueError as error:
        raise RefusedError(_("The address is not valid. Check the host name and the port.")) from error
    if url.scheme not in ("http", "https"):
        raise RefusedError(_("The address must begin with http:// or https://."))
    if not host or not port:
        raise RefusedError(_("The address has no host or no valid port."))
    if url.raw_user is not None or url.raw_password is not None:
        raise RefusedError(_("The address holds a user name or password. Send them in the header Authorization instead."))
    return url


def check_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers as text; raises `RefusedError` naming the one that cannot be sent."""
    checked: dict[str, str] = {}
    for name, value in headers.items():
        text = str(value).strip(" \t")
        if not _TOKEN.fullmatch(name) or _CONTROL.search(text) or len(text) > MAX_HEADER:
            raise RefusedError(
                _("The header “%(name)s” has a line break or another character that is not allowed, or is too long.")
                % {
                    "name": _CONTROL.sub(" ", name)[:60],
                }
            )
        if name.lower() in _OWN_HEADERS or _METADATA_HEADER.fullmatch(name):
            raise RefusedError(_("The header “%(name)s” cannot be set. Remove it.") % {"name": name[:60]})
        checked[name] = text
    return checked


def _body(request: OutgoingRequest, headers: dict[str, str]) -> bytes | None:
    if request.json is None:
        return request.body
    if request.body is not None:
        raise RefusedError(_("Give either a body or JSON, not both."))
    if not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = "application/json"
    return jsonlib.dumps(request.json, cls=DjangoJSONEncoder, ensure_ascii=False, allow_nan=False).encode()
