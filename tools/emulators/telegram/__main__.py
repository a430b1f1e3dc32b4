"""Run the emulator as a process until it is told to stop."""

import argparse
import asyncio
import contextlib
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from tools.emulators.telegram.server import running
from tools.emulators.telegram.state import Options

RUN: Callable[[Coroutine[Any, Any, None]], None] = asyncio.run
with contextlib.suppress(ImportError):  # no uvloop on Windows
    import uvloop

    RUN = uvloop.run


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.emulators.telegram", description="A Telegram Bot API for tests.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8081, help="0 takes a free port")
    parser.add_argument("--ledger", type=Path, help="file to which every accepted call is appended as a JSON line")
    parser.add_argument("--refusals", type=Path, help="the same for refused calls")
    parser.add_argument("--delay", type=float, default=0, help="seconds before every answer")
    parser.add_argument("--closed", action="store_true", help="bots may write only to people who wrote first")
    parser.add_argument("--enforce-rates", action="store_true", help="answer 429 over Telegram's published rates")
    parser.add_argument("--webhook-retry", type=float, default=1.0, help="seconds before a failed webhook is repeated, doubled each time")
    return parser.parse_args()


async def serve(given: argparse.Namespace) -> None:
    """Listen until SIGINT or SIGTERM; the first line of output is the address."""
    options = Options(delay=given.delay, closed=given.closed, enforce_rates=given.enforce_rates, webhook_retry=given.webhook_retry)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stop.set)
    async with running(host=given.host, port=given.port, ledger=given.ledger, refusals=given.refusals, options=options) as emulator:
        print(emulator.url, flush=True)
        await stop.wait()


if __name__ == "__main__":
    RUN(serve(arguments()))
