"""The one client for every call whose address a user can choose (security.md 2).

Closed by default: http and https only, public addresses only, or those on the owner's allow-list. The host is resolved once, each of its
addresses judged, the peer judged again after connecting. No proxy or credentials from the environment, no cookies, no automatic redirects, one
deadline over everything, one limit on the size after decompression.
"""

import asyncio
import ipaddress
import os
import socket
import time
import zlib
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import lru_cache
from urllib.parse import urljoin

import aiohttp
import structlog
from django.utils.translation import gettext as _
from yarl import URL

from apps.core import loop
from apps.core.addresses import AllowRule
from apps.core.allowlist import environment_rules, stored_rules, stored_rules_in_thread
from apps.core.connecting import Attempt, JudgingConnector, JudgingResolver, Lookup, current_attempt, judge_literal, system_lookup
from apps.core.decompressing import UnknownEncodingError, decoder_for
from apps.core.outgoing import (
    MAX_TIMEOUT,
    AddressRefusedError,
    Checked,
    ConnectionFailedError,
    DeadlineError,
    OutgoingError,
    OutgoingRequest,
    RefusedError,
    Reply,
    TimeoutError_,
    TooLargeError,
    check,
    check_url,
)
from apps.core.trace import HEADER as TRACE_HEADER
from apps.core.trace import known_trace_id

__all__ = [
    "AddressRefusedError",
    "ConnectionFailedError",
    "DeadlineError",
    "OutgoingClient",
    "OutgoingError",
    "OutgoingRequest",
    "RefusedError",
    "Reply",
    "TimeoutError_",
    "TooLargeError",
    "fetch",
    "fetch_sync",
    "reach",
]

logger = structlog.get_logger(__name__)

MAX_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})
KEPT_ACROSS_SITES = frozenset({"accept", "accept-language", "content-type", "user-agent"})
KEEP_ALIVE_SECONDS = 10
KNOCK_SECONDS = 5
Rules = tuple[AllowRule, ...]


async def fetch(request: OutgoingRequest) -> Reply:
    """Makes the call from any event loop; the work itself runs on the process's background loop. Raises `OutgoingError`."""
    work = _fetch(request)
    if asyncio.get_running_loop() is loop.background_loop():
        return await work
    return await asyncio.wrap_future(loop.submit(work))


async def _fetch(request: OutgoingRequest) -> Reply:
    if request.allow_redirects:
        return await _client().send(request, environment_rules() + await _stored())
    try:
        return await _client().send(request, environment_rules())
    except AddressRefusedError:
        stored = await _stored()
        if not stored:
            raise
        return await _client().send(request, environment_rules() + stored)


async def _stored() -> Rules:
    return await asyncio.get_running_loop().run_in_executor(_reader, stored_rules_in_thread)


_reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="allow-list")


async def reach(address: str) -> None:
    """Whether this address may be called and something listens there; nothing is sent to it. Raises `OutgoingError`."""
    url = check_url(address)
    attempt = Attempt(rules=environment_rules(), host=url.host or "", port=url.port or 0)
    try:
        await _knock(attempt)
    except AddressRefusedError:
        attempt.rules += await _stored()
        await _knock(attempt)


async def _knock(attempt: Attempt) -> None:
    place = {"host": attempt.host, "port": attempt.port}
    judge_literal(attempt)
    try:
        async with asyncio.timeout(KNOCK_SECONDS):
            texts = await system_lookup(attempt.host, attempt.port)
            for text in texts:
                attempt.judge(ipaddress.ip_address(text))
            _reader, writer = await asyncio.open_connection(texts[0], attempt.port)
            writer.close()
    except socket.gaierror as error:
        raise ConnectionFailedError(_("The host name %(host)s is not known.") % place, written=False) from error
    except OSError as error:
        raise ConnectionFailedError(_("%(host)s port %(port)s does not accept connections.") % place, written=False) from error


def fetch_sync(request: OutgoingRequest) -> Reply:
    """Makes the call and waits. Raises `OutgoingError`. The allow-list is read in this thread, in its transaction if there is one."""
    rules = environment_rules() + (stored_rules() if request.allow_redirects else ())
    try:
        return loop.run(_client().send(request, rules))
    except AddressRefusedError:
        stored = () if request.allow_redirects else stored_rules()
        if not stored:
            raise
        return loop.run(_client().send(request, rules + stored))


def _client() -> "OutgoingClient":
    return _process_client(os.getpid())


@lru_cache(maxsize=2)
def _process_client(_process: int) -> "OutgoingClient":
    client = OutgoingClient()
    loop.close_at_exit(client.close)
    return client


class OutgoingClient:
    """One session on one event loop. `lookup` resolves host names (the system's resolver by default)."""

    def __init__(self, lookup: Lookup = system_lookup) -> None:
        self.lookup = lookup
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def close(self) -> None:
        """Closes the session on the loop that it was opened on, whichever loop asks."""
        session, self._session = self._session, None
        if session is None or self._loop is None:
            return
        if self._loop is asyncio.get_running_loop():
            await session.close()
        elif self._loop.is_running():
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(session.close(), self._loop))

    async def send(self, request: OutgoingRequest, rules: Rules) -> Reply:
        """The reply, whatever its status; raises `OutgoingError`. Checks come first, so that a refusal costs no connection."""
        checked = check(request)
        started = time.monotonic()
        attempt = Attempt(rules=rules, host=checked.host, port=checked.port)
        try:
            async with asyncio.timeout(min(request.timeout, MAX_TIMEOUT)):
                reply = await self._follow(checked, request, attempt, started)
        except TimeoutError as error:
            raise DeadlineError(
                _("No answer within %(seconds)s s.") % {"seconds": f"{request.timeout:g}"}, written=attempt.written
            ) from error
        logger.debug("outgoing_call", method=checked.method, host=checked.host, status=reply.status, ms=reply.elapsed_ms)
        return reply

    async def _follow(self, checked: Checked, request: OutgoingRequest, attempt: Attempt, started: float) -> Reply:
        for _hop in range(MAX_REDIRECTS + 1):
            reply = await self._once(checked, request, attempt, started)
            target = reply.headers.get("Location")
            if not request.allow_redirects or reply.status not in REDIRECTS or not target:
                return reply
            checked = _redirected(checked, reply.status, target)
            attempt.host, attempt.port = checked.host, checked.port
        raise RefusedError(_("More than %(count)s redirects. Use the final address.") % {"count": MAX_REDIRECTS})

    async def _once(self, checked: Checked, request: OutgoingRequest, attempt: Attempt, started: float) -> Reply:
        judge_literal(attempt)
        current_attempt.set(attempt)
        async with (
            _typed_errors(attempt),
            self._open().request(
                checked.method,
                checked.url,
                headers=_headers(checked),
                data=checked.body,
                allow_redirects=False,
            ) as response,
        ):
            body = await _read(response, request.max_bytes)
            elapsed = round((time.monotonic() - started) * 1000)
            return Reply(status=response.status, headers=response.headers, body=body, elapsed_ms=elapsed, url=str(checked.url))

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._loop = asyncio.get_running_loop()
            connector = JudgingConnector(
                resolver=JudgingResolver(self.lookup),
                use_dns_cache=False,
                limit=512,
                limit_per_host=64,
                keepalive_timeout=KEEP_ALIVE_SECONDS,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                trust_env=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
                read_bufsize=64 * 1024,
            )
        return self._session


def _headers(checked: Checked) -> dict[str, str]:
    headers = {"User-Agent": "DialogBus", "Accept": "*/*", "Accept-Encoding": "gzip, deflate"}
    trace_id = known_trace_id()
    if trace_id:
        headers[TRACE_HEADER] = trace_id
    given = {name.lower() for name in checked.headers}
    return {**{name: value for name, value in headers.items() if name.lower() not in given}, **checked.headers}


async def _read(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    """The body after decompression; stops reading at the first byte too many."""
    too_large = TooLargeError(_("The answer is larger than %(limit)s bytes.") % {"limit": max_bytes})
    if response.content_length is not None and response.content_length > max_bytes and response.method != "HEAD":
        response.close()
        raise too_large
    decoder = decoder_for(response.headers.get("Content-Encoding", ""))
    body = bytearray()
    received = 0
    async for chunk in response.content.iter_any():
        received += len(chunk)
        body += decoder.feed(chunk, max_bytes - len(body))
        if len(body) > max_bytes or received > max_bytes:
            response.close()
            raise too_large
    return bytes(body)


@asynccontextmanager
async def _typed_errors(attempt: Attempt) -> AsyncIterator[None]:
    """Aiohttp's errors as ours. Their own texts may quote the address with its secrets, so ours are written anew."""
    try:
        yield
    except OutgoingError:
        raise
    except aiohttp.ClientConnectorCertificateError as error:
        text = _("The certificate of %(host)s is not valid: %(why)s.") % {"host": attempt.host, "why": error.certificate_error}
        raise ConnectionFailedError(text, written=False) from error
    except aiohttp.ClientConnectorDNSError as error:
        raise ConnectionFailedError(_("The host name %(host)s is not known.") % {"host": attempt.host}, written=False) from error
    except aiohttp.ClientConnectorError as error:
        text = _("%(host)s port %(port)s does not accept connections.") % {"host": attempt.host, "port": attempt.port}
        raise ConnectionFailedError(text, written=False) from error
    except (UnknownEncodingError, zlib.error) as error:
        raise ConnectionFailedError(
            _("The answer of %(host)s is compressed in an unknown way.") % {"host": attempt.host}, written=True
        ) from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        if isinstance(error, TimeoutError):
            raise
        text = _("The connection to %(host)s broke or its answer is not HTTP.") % {"host": attempt.host}
        raise ConnectionFailedError(text, written=attempt.written) from error


def _joined(base: URL, target: str) -> URL:
    try:
        return check_url(urljoin(str(base), target))
    except ValueError as error:
        raise RefusedError(_("The server redirects to an address that is not valid.")) from error


def _redirected(checked: Checked, status: int, target: str) -> Checked:
    """The next request, re-checked from the start; to another site it carries no credentials."""
    url = _joined(checked.url, target)
    if checked.url.scheme == "https" and url.scheme != "https":
        raise RefusedError(_("The server redirects from https to http. Use the final address if it is trusted."))
    keeps_body = status in (307, 308) or checked.method in ("GET", "HEAD")
    headers = dict(checked.headers)
    if url.origin() != checked.url.origin():
        headers = {name: value for name, value in headers.items() if name.lower() in KEPT_ACROSS_SITES}
    if keeps_body:
        return Checked(method=checked.method, url=url, headers=headers, body=checked.body)
    return Checked(
        method="GET",
        url=url,
        body=None,
        headers={name: value for name, value in headers.items() if name.lower() != "content-type"},
    )
