"""A Telegram Bot API on loopback: strict enough for python-telegram-bot's own client, scriptable enough for faults.

As a process: `python -m tools.emulators.telegram --port 8081 --ledger calls.ndjson`. In a test: `async with running() as emulator`.
"""

from tools.emulators.telegram.client import Control
from tools.emulators.telegram.server import Emulator, running
from tools.emulators.telegram.state import Options

__all__ = ["Control", "Emulator", "Options", "running"]
