"""A Telegram on loopback and python-telegram-bot with its own HTTP client."""

import os
from collections.abc import AsyncIterator

import pytest
from telegram import Bot

from tools.emulators.telegram import Emulator, Options, running

os.environ.setdefault("PTB_TIMEDELTA", "1")  # the library warns of whole seconds unless told that periods are understood

TOKEN = "123456:emulated-token"
CHAT = 540278913


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    async with running(options=Options(webhook_retry=0.02)) as emulator:
        yield emulator


@pytest.fixture
async def bot(emulator: Emulator) -> AsyncIterator[Bot]:
    async with Bot(TOKEN, base_url=f"{emulator.url}/bot", base_file_url=f"{emulator.url}/file/bot") as bot:
        yield bot
