"""Loopback ports: free ones, and taken ones named before anything is started."""

import socket
from collections.abc import Mapping


class PortTakenError(Exception):
    """Somebody listens there already; the text says where and what to do."""


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def is_taken(port: int) -> bool:
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a connection that is just closing takes nothing
        try:
            sock.bind(("127.0.0.1", port))
            sock.listen()
        except OSError:
            return True
    return False


def check_free(wanted: Mapping[str, int]) -> None:
    """`wanted` names each port's use. Raises for the first taken one, and proposes a PORT with which all are free."""
    taken = [(use, port) for use, port in wanted.items() if is_taken(port)]
    if not taken:
        return
    use, port = taken[0]
    first = min(wanted.values())
    other = next(
        (start for start in range(first + 100, 65000, 100) if not any(is_taken(start + p - first) for p in wanted.values())), first
    )
    raise PortTakenError(
        f"Port {port} (for the {use}) is taken by another program. Stop that program, or use other ports: PORT={other} make demo"
    )
