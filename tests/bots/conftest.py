"""A Telegram on loopback and the adapter that talks to it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import hypothesis
import pytest
from pytest_django import Settings

from apps.bots.adapter import Adapter, Credentials, Inbound, Sent
from apps.bots.content import Content
from apps.bots.registry import adapters
from apps.bots.telegram import connections
from tools.emulators.telegram import Emulator, Options, running

hypothesis.settings.register_profile("shared", deadline=None, derandomize=True)  # a busy machine is no failure; each run is alike
hypothesis.settings.load_profile("shared")

TOKEN = "123456:emulated-token-of-the-shop"
CHAT = 540278913


def telegram_credentials(token: str = TOKEN, **config: Any) -> Credentials:
    return Credentials(channel_id=3, config=config, secrets={"token": token}, webhook_secret="shared-with-telegram_1")


@dataclass
class Telegram:
    """The adapter, one channel of it, and what a person on the other side does and sees."""

    emulator: Emulator
    adapter: Adapter
    credentials: Credentials

    async def send(self, chat_id: int = CHAT, **content: Any) -> Sent:
        return await self.adapter.send(self.credentials, str(chat_id), Content.model_validate(content))

    def sees(self, chat_id: int = CHAT) -> list[dict[str, Any]]:
        return self.emulator.messages(self.credentials.secrets["token"], chat_id)

    def does(self, action: str, chat_id: int = CHAT, **details: Any) -> list[int]:
        return self.emulator.act(self.credentials.secrets["token"], chat_id, action, **details)

    def answers(self, *steps: dict[str, Any], chat_id: int | None = CHAT, method: str | None = None) -> None:
        self.emulator.script(list(steps), token=self.credentials.secrets["token"], chat_id=chat_id, method=method)

    async def hears(self) -> list[Inbound]:
        polled = await self.adapter.poll(self.credentials, offset=0)
        return [inbound for update in polled.updates for inbound in self.adapter.parse(update)]


@pytest.fixture
async def emulator(settings: Settings) -> AsyncIterator[Emulator]:
    async with running(options=Options(webhook_retry=0.02)) as emulator:
        settings.TELEGRAM_API_URL = emulator.url
        yield emulator


@pytest.fixture
async def telegram(emulator: Emulator) -> AsyncIterator[Telegram]:
    adapter = adapters["telegram"]
    yield Telegram(emulator, adapter, telegram_credentials())
    await connections.close()
