"""The HTTP side: `/bot<token>/<method>`, `/file/bot<token>/<path>` and, for tests, `/control/…`."""

import asyncio
import inspect
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from tools.emulators.telegram import account, control, editing, media, polling, posting
from tools.emulators.telegram.calls import Call, read_call
from tools.emulators.telegram.faults import Faults, misbehave, takes_effect
from tools.emulators.telegram.ledger import Ledger
from tools.emulators.telegram.people import act
from tools.emulators.telegram.rates import Rates
from tools.emulators.telegram.refusals import RefusalError
from tools.emulators.telegram.state import Bot, Json, Options, World
from tools.emulators.telegram.webhooks import Delivery

METHODS: dict[str, Callable[[World, Bot, Call], Any]] = {
    **posting.METHODS,
    **media.METHODS,
    **editing.METHODS,
    **account.METHODS,
    **polling.METHODS,
}
BODY_BYTES = 60 * 1024 * 1024
NAMES = {name.lower(): name for name in METHODS}
UNRECORDED = {"getUpdates"}


@dataclass
class Emulator:
    """A Telegram for tests. `url` is what `TELEGRAM_API_URL` must be; every accepted call is in `ledger`, every refused one in `refusals`."""

    options: Options = field(default_factory=Options)
    ledger: Ledger = field(default_factory=Ledger)
    refusals: Ledger = field(default_factory=Ledger)
    url: str = ""

    def __post_init__(self) -> None:
        self.world = World(self.options)
        self.delivery = Delivery(self.world)
        self.faults = Faults()
        self.rates = Rates()

    def application(self) -> web.Application:
        """The aiohttp application with all routes."""
        application = web.Application(client_max_size=BODY_BYTES)
        application.router.add_route("*", "/bot{token}/{method}", self.call)
        application.router.add_get("/file/bot{token}/{path:.+}", self.download)
        control.add_routes(application, self)
        application.on_cleanup.append(self.close)
        return application

    async def call(self, request: web.Request) -> web.StreamResponse:
        """Answer one call of the Bot API."""
        bot = self.world.bot(request.match_info["token"])
        if bot is None or bot.revoked:
            status, text = (404, "Not Found") if bot is None else (401, "Unauthorized")
            return web.json_response({"ok": False, "error_code": status, "description": text}, status=status)
        try:
            name = request.match_info["method"]
            call = await read_call(request, NAMES.get(name.lower(), name))
            step = self.faults.take(bot, call) if self.faults.scripts else None
            if step is not None:
                if not takes_effect(step):
                    self.refusals.write(bot=bot.id, method=call.method, params={}, do=step["do"], chat_id=call.chat_id)
                return await misbehave(request, step, lambda: self.effect(bot, call))
            answer = await self.effect(bot, call)
        except RefusalError as error:
            self.refusals.write(bot=bot.id, method=request.match_info["method"], params={}, status=error.status, reason=error.description)
            return web.json_response(error.body(), status=error.status)
        if self.options.delay:
            await asyncio.sleep(self.options.delay)
        return web.Response(body=json.dumps(answer).encode(), content_type="application/json")

    async def effect(self, bot: Bot, call: Call) -> Json:
        """Run the method and record it."""
        method = METHODS.get(call.method)
        if method is None:
            raise RefusalError(404, "Not Found: method not found")
        if self.options.enforce_rates:
            self.rates.admit(bot, call.chat_id, call.method)
        result = method(self.world, bot, call)
        if inspect.isawaitable(result):
            result = await result
        if call.method not in UNRECORDED:
            self.record(bot, call, result)
        if call.method == "setWebhook":
            self.delivery.resume(bot)
        return {"ok": True, "result": result}

    def record(self, bot: Bot, call: Call, result: Any) -> None:
        """One ledger line; file contents are left out, secrets of webhooks too."""
        messages = result if isinstance(result, list) else [result]
        ids = [message["message_id"] for message in messages if isinstance(message, dict) and "message_id" in message]
        params = {key: value for key, value in call.params.items() if key != "secret_token"}
        self.ledger.write(bot=bot.id, method=call.method, chat_id=call.chat_id, message_ids=ids, params=params)

    async def download(self, request: web.Request) -> web.StreamResponse:
        """The bytes that getFile promised."""
        bot, stored = self.world.bot(request.match_info["token"]), self.world.paths.get(request.match_info["path"])
        if bot is None or bot.revoked or stored is None:
            return web.json_response({"ok": False, "error_code": 404, "description": "Not Found"}, status=404)
        return web.Response(body=stored.data, content_type="application/octet-stream")

    def act(self, token: str, chat_id: int, action: str, **details: Any) -> list[int]:
        """Let a person do something (see `people.ACTIONS`); returns the update ids."""
        bot = self.world.bot(token)
        if bot is None:
            raise RefusalError(404, "Not Found")
        return act(self.world, bot, chat_id, action, push=self.delivery.push, **details)

    def script(self, steps: list[Json], *, token: str = "", chat_id: int | None = None, method: str | None = None) -> None:
        """Prescribe the answers to the next calls (see `faults`)."""
        bot = self.world.bot(token)
        self.faults.add(steps, bot=bot.id if bot else None, chat_id=chat_id, method=method)

    def messages(self, token: str, chat_id: int) -> list[Json]:
        """What stands in a chat now, oldest first."""
        bot = self.world.bot(token)
        chat = bot.chats.get(chat_id) if bot else None
        return list(chat.messages.values()) if chat else []

    async def close(self, _application: web.Application | None = None) -> None:
        """Stop deliveries and close the ledgers."""
        await self.delivery.close()
        self.ledger.close()
        self.refusals.close()


@asynccontextmanager
async def running(
    *, host: str = "127.0.0.1", port: int = 0, ledger: Path | None = None, refusals: Path | None = None, options: Options | None = None
) -> AsyncIterator[Emulator]:
    """An emulator that listens in the running loop; port 0 takes a free one."""
    emulator = Emulator(options or Options(), Ledger(ledger), Ledger(refusals))
    runner = web.AppRunner(emulator.application(), access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, reuse_address=True).start()
        emulator.url = f"http://{host}:{runner.addresses[0][1]}"
        yield emulator
    finally:
        await runner.cleanup()
