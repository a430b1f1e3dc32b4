import asyncio
import socket

import pytest

from tests import loopback


def refuses(attempt: str) -> None:
    """The guard's note of the attempt is taken away, or this very test would fail for it."""
    assert loopback.refused == [attempt]
    loopback.refused.clear()


@pytest.mark.parametrize("address", ["192.0.2.1", "10.0.0.1", "169.254.169.254"])
def test_a_connection_to_another_machine_is_refused(address: str) -> None:
    with socket.socket() as sock, pytest.raises(loopback.OutsideConnectionError, match=f"{address}:80"):
        sock.connect((address, 80))
    refuses(f"{address}:80")


def test_a_connection_by_return_code_is_refused() -> None:
    with socket.socket() as sock, pytest.raises(loopback.OutsideConnectionError):
        sock.connect_ex(("192.0.2.1", 443))
    refuses("192.0.2.1:443")


def test_ipv6_outside_loopback_is_refused() -> None:
    with socket.socket(socket.AF_INET6) as sock, pytest.raises(loopback.OutsideConnectionError):
        sock.connect(("2001:db8::1", 443))
    refuses("2001:db8::1:443")


def test_a_datagram_to_another_machine_is_refused() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as sock, pytest.raises(loopback.OutsideConnectionError):
        sock.sendto(b"x", ("192.0.2.1", 53))
    refuses("192.0.2.1:53")


def test_a_name_is_not_looked_up() -> None:
    with pytest.raises(loopback.OutsideConnectionError, match=r"api\.telegram\.org"):
        socket.create_connection(("api.telegram.org", 443), timeout=1)
    refuses("api.telegram.org")


async def test_asyncio_is_refused_too() -> None:
    with pytest.raises(loopback.OutsideConnectionError):
        await asyncio.open_connection("192.0.2.1", 80)
    refuses("192.0.2.1:80")


def test_loopback_is_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(("localhost", server.getsockname()[1])):
        assert loopback.refused == []
