"""One session for each event loop of the process and one `Bot` for each token on it: connections are reused, many calls are in flight."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field

import aiohttp
from django.conf import settings
from telegram import Bot

from apps.bots.adapter import Credentials
from apps.bots.telegram.transport import AiohttpRequest
from apps.core.loop import close_at_exit

KEEP_ALIVE_SECONDS = 15
KEPT_BOTS = 1_000

Key = tuple[str, str]


@dataclass
class Connections:
    """What one event loop holds open."""

    session: aiohttp.ClientSession
    bots: OrderedDict[Key, Bot] = field(default_factory=OrderedDict)

    def bot(self, token: str) -> Bot:
        """The bot of a token; those not used for long are forgotten."""
        key = (settings.TELEGRAM_API_URL, token)
        if key not in self.bots:
            request = AiohttpRequest(self.session)
            base, files = f"{settings.TELEGRAM_API_URL}/bot", f"{settings.TELEGRAM_API_URL}/file/bot"
            self.bots[key] = Bot(token, base_url=base, base_file_url=files, request=request, get_updates_request=request)
        self.bots.move_to_end(key)
        if len(self.bots) > KEPT_BOTS:
            self.bots.popitem(last=False)
        return self.bots[key]


_connections: dict[asyncio.AbstractEventLoop, Connections] = {}


def bot_of(credentials: Credentials) -> Bot:
    """The bot of a channel, on the running loop."""
    loop = asyncio.get_running_loop()
    if loop not in _connections:
        for other in [other for other in _connections if other.is_closed()]:
            del _connections[other]
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_SECONDS)
        _connections[loop] = Connections(aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()))
    return _connections[loop].bot(credentials.secrets.get("token", ""))


async def close() -> None:
    """Close what the running loop holds open; the next call opens it again."""
    connections = _connections.pop(asyncio.get_running_loop(), None)
    if connections is not None:
        await connections.session.close()


close_at_exit(close)
