import re
import socket

import pytest

from tools import ports


def test_a_taken_port_is_named_with_a_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        with pytest.raises(ports.PortTakenError) as refusal:
            ports.check_free({"web pages": port})

    told = re.fullmatch(rf"Port {port} \(for the web pages\) is taken by another program\. .*PORT=(\d+) make demo", str(refusal.value))
    assert told is not None
    assert int(told[1]) != port
    assert not ports.is_taken(int(told[1]))


def test_free_ports_pass() -> None:
    ports.check_free({"web pages": ports.free_port()})


def test_a_port_whose_connections_are_closing_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            accepted, _ = server.accept()
            accepted.close()

    assert not ports.is_taken(port)
