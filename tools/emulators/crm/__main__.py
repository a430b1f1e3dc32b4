"""Run the CRM as a process until it is told to stop."""

import argparse
import asyncio
import contextlib
import signal
from pathlib import Path

from tools.emulators.crm.server import running


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.emulators.crm", description="A CRM for tests.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8090, help="0 takes a free port")
    parser.add_argument("--ledger", type=Path, help="file to which every request is appended as a JSON line")
    return parser.parse_args()


async def serve(given: argparse.Namespace) -> None:
    """Listen until SIGINT or SIGTERM; the first line of output is the address."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stop.set)
    async with running(host=given.host, port=given.port, ledger=given.ledger) as crm:
        print(crm.url, flush=True)
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(serve(arguments()))
