"""The guard that keeps tests on this machine: Python's sockets may reach loopback, Unix sockets and the test's own servers, nothing else."""

import ipaddress
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

Address = Any  # a path for Unix sockets, a tuple that begins with host and port otherwise

refused: list[str] = []


class OutsideConnectionError(Exception):
    """A test tried to reach another machine. Use a server on 127.0.0.1 instead."""


def _own_names() -> frozenset[str]:
    """Names that mean this machine, or the database and the broker that the environment chose for the tests."""
    named = (urlsplit(os.environ.get(variable, "")).hostname for variable in ("DATABASE_URL", "REDIS_URL"))
    return frozenset({"localhost", socket.gethostname().lower(), *(unquote(name).lower() for name in named if name)})


def _own_addresses() -> frozenset[str]:
    named = _own_names() - {"localhost", socket.gethostname().lower()}
    return frozenset(str(found[4][0]) for name in named if not name.startswith("/") for found in socket.getaddrinfo(name, None))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _refuse(what: str) -> None:
    refused.append(what)
    raise OutsideConnectionError(f"A test may not reach {what}: only loopback addresses and Unix sockets are open to tests.")


@contextmanager
def only_loopback() -> Iterator[None]:
    """Patches the methods by which Python's sockets leave the machine, and name look-ups; puts them back at the end."""
    names, addresses = _own_names(), _own_addresses()
    original = {name: getattr(socket.socket, name) for name in ("connect", "connect_ex", "sendto")}
    look_up = socket.getaddrinfo

    def check(sock: socket.socket, address: Address) -> None:
        if sock.family not in {socket.AF_INET, socket.AF_INET6}:
            return
        host = str(address[0])
        if not (_is_loopback(host) or host.lower() in names or host in addresses):
            _refuse(f"{host}:{address[1]}")

    def connect(self: socket.socket, address: Address) -> None:
        check(self, address)
        original["connect"](self, address)

    def connect_ex(self: socket.socket, address: Address) -> int:
        check(self, address)
        return int(original["connect_ex"](self, address))

    def sendto(self: socket.socket, *args: Any) -> int:
        check(self, args[-1])
        return int(original["sendto"](self, *args))

    def getaddrinfo(host: Any, *args: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name and name.lower() not in names and not _is_address(name):
            _refuse(name)
        return look_up(host, *args, **options)

    replaced: dict[str, Any] = {"connect": connect, "connect_ex": connect_ex, "sendto": sendto}
    for name, method in replaced.items():
        setattr(socket.socket, name, method)
    socket.getaddrinfo = getaddrinfo
    try:
        yield
    finally:
        for name, method in original.items():
            setattr(socket.socket, name, method)
        socket.getaddrinfo = look_up


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
