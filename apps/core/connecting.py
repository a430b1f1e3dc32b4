"""How the outgoing client connects: the host is resolved once, every address judged, and the peer judged again before a byte is written."""

import asyncio
import ipaddress
import re
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client_reqrep import ClientRequest
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from django.utils.translation import gettext as _

from apps.core.addresses import AllowRule, IPAddress, allows
from apps.core.outgoing import AddressRefusedError

_NUMERIC = re.compile(r"(0x[0-9a-f]*|[0-9]+)(\.(0x[0-9a-f]*|[0-9]+))*\.?", re.IGNORECASE)


@dataclass
class Attempt:
    """The call that the present task makes. `written` is set as soon as the other side may have received something."""

    rules: tuple[AllowRule, ...]
    host: str
    port: int
    written: bool = False

    def judge(self, address: IPAddress) -> None:
        """Raises `AddressRefusedError` unless the address is public or allowed."""
        if not allows(self.rules, host=self.host, port=self.port, address=address):
            raise AddressRefusedError(
                _(
                    "%(host)s is an address inside a private network or a reserved one. If it is your own system, an administrator can add it "
                    "under Settings, Allowed inner addresses.",
                )
                % {"host": self.host}
            )


current_attempt: ContextVar[Attempt] = ContextVar("outgoing_attempt")


class Lookup(Protocol):
    """Resolves a host name to addresses as text; raises OSError."""

    async def __call__(self, host: str, port: int, /) -> Sequence[str]: ...


_lookups = ThreadPoolExecutor(max_workers=32, thread_name_prefix="outgoing-dns")


async def system_lookup(host: str, port: int) -> Sequence[str]:
    """The system's resolver in threads of its own, so that a hanging name server holds up nothing else."""
    loop = asyncio.get_running_loop()
    found = await loop.run_in_executor(_lookups, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    return list(dict.fromkeys(str(item[4][0]) for item in found))


class JudgingResolver(AbstractResolver):
    """Refuses the whole name when one of its addresses is refused: a mixed answer is how name rebinding begins."""

    def __init__(self, lookup: Lookup) -> None:
        self.lookup = lookup

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[ResolveResult]:  # noqa: ARG002
        attempt = current_attempt.get()
        texts = await self.lookup(host, port)
        for text in texts:
            attempt.judge(ipaddress.ip_address(text))
        return [self._result(host, text, port) for text in texts]

    @staticmethod
    def _result(host: str, text: str, port: int) -> ResolveResult:
        family = socket.AF_INET6 if ":" in text else socket.AF_INET
        return ResolveResult(hostname=host, host=text, port=port, family=family, proto=socket.IPPROTO_TCP, flags=socket.AI_NUMERICHOST)

    async def close(self) -> None:
        return None


def judge_literal(attempt: Attempt) -> None:
    """A host that is written as a number is judged here, because such a host is not looked up."""
    host = attempt.host.strip("[]")
    try:
        attempt.judge(ipaddress.ip_address(host))
    except ValueError as error:
        if _NUMERIC.fullmatch(host):
            raise AddressRefusedError(_("Write the address as four decimal numbers (10.0.0.5) or use a host name.")) from error


class JudgingConnector(aiohttp.TCPConnector):
    """Judges whom a connection, new or kept alive, really leads to; only then may the request be written."""

    async def connect(self, req: ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout) -> Connection:  # noqa: ASYNC109
        connection = await super().connect(req, traces, timeout)
        attempt = current_attempt.get()
        try:
            attempt.judge(self._peer(connection))
        except BaseException:
            connection.close()
            raise
        attempt.written = True
        return connection

    @staticmethod
    def _peer(connection: Connection) -> IPAddress:
        name = connection.transport.get_extra_info("peername") if connection.transport else None
        if not name:
            raise AddressRefusedError(_("The connection was closed before it could be checked. Try again."))
        return ipaddress.ip_address(name[0])
