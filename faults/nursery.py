"""Workers and senders that are there at once: forked from a process in which everything is loaded, so that hundreds can be killed in a minute.

A process of its own (`python -m faults.nursery`), one JSON command a line in, one JSON answer a line out. What is forked is the product's own
work in a process of its own with database sessions of its own, and a kill is `kill -9`; only the seconds of starting Python are saved.
`{"do": "start", "kind": "worker" | "sender", "hasty": bool}` → pid · `{"do": "kill", "pid"}` · `{"do": "stop", "pid"}` (SIGTERM, waits)
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

import django

from tools.processes import end_with_parent

Json = dict[str, Any]
SWEEP_SECONDS = 0.25
HASTY_HOLD = 0.4  # seconds until a dead worker's lanes are claimed again; 3 in the product, see `lanes.HOLD_SECONDS`
HASTY_LOOK = 0.1
NEVER = 1_000_000


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever the product prints goes to the log
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from apps.conversations import advancing, sending, sweeping  # noqa: F401, PLC0415  loaded once, before anything is forked
    from config.celery import load_kinds  # noqa: PLC0415

    load_kinds()
    for line in sys.stdin:
        command: Json = json.loads(line)
        answer = COMMANDS[command.pop("do")](**command)
        print(json.dumps(answer), file=answers, flush=True)


def start(kind: str, *, hasty: bool = False) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    try:
        end_with_parent(signal.SIGKILL, parent=parent)()
        os.environ["PGAPPNAME"] = f"{kind}-{os.getpid()}"
        if hasty:
            hurry()
        {"worker": work, "sender": send}[kind]()
    finally:
        os._exit(0)


def hurry() -> None:
    """Patience of tenths of a second, no rates, nothing parked for deaths: what is looked for is order and effects, and the order of a chat is
    not promised over an item that was parked and replayed.
    """
    from apps.bots.adapter import Rate  # noqa: PLC0415
    from apps.bots.channels.telegram import Telegram  # noqa: PLC0415
    from apps.conversations import advancing, lanes, sending  # noqa: PLC0415

    advancing.MAX_DEATHS = NEVER
    lanes.HOLD_SECONDS = HASTY_HOLD  # type: ignore[assignment]
    sending.LOOK_SECONDS = HASTY_LOOK
    Telegram.rate = Rate()


def work() -> None:
    """Drains and sweeps without hints, until it is asked to stop."""
    from apps.conversations import advancing, sweeping  # noqa: PLC0415

    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: stopping.append(number))
    swept = 0.0
    while not stopping:
        if time.monotonic() - swept > SWEEP_SECONDS:
            sweeping.sweep()
            swept = time.monotonic()
        if not advancing.drain(stop=lambda: bool(stopping)):
            time.sleep(0.005)


def send() -> None:
    import asyncio  # noqa: PLC0415

    from apps.conversations.sending import Sender  # noqa: PLC0415

    async def serve() -> None:
        sender = Sender()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, sender.stop)
        await sender.run()

    asyncio.run(serve())


def kill(pid: int) -> int:
    os.kill(pid, signal.SIGKILL)
    return _ended(pid)


def stop(pid: int) -> int:
    os.kill(pid, signal.SIGTERM)
    return _ended(pid)


def _ended(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


COMMANDS: dict[str, Callable[..., int]] = {"start": start, "kill": kill, "stop": stop}


if __name__ == "__main__":
    main()
