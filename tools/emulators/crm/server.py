"""The HTTP side: any path is a request to the CRM, `/control/…` is for tests."""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from tools.emulators.crm.misbehaving import Json, Scripts, accepts, answer

KEY_HEADER = "Idempotency-Key"
BODY_BYTES = 16 * 1024 * 1024


class Ledger:
    """One JSON line a request, complete on disk before the answer begins. Without a path the lines are kept in `entries`."""

    def __init__(self, path: Path | None = None) -> None:
        self.entries: list[Json] = []
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644) if path else None

    def write(self, entry: Json) -> None:
        if self._file is None:
            self.entries.append(entry)
        else:
            os.write(self._file, json.dumps(entry, ensure_ascii=False).encode("utf-8", "replace") + b"\n")

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


@dataclass
class Crm:
    """`effects` holds the answer given for each key: the same key gets the same answer and no second effect."""

    ledger: Ledger = field(default_factory=Ledger)
    scripts: Scripts = field(default_factory=Scripts)
    effects: dict[str, Json] = field(default_factory=dict)
    bodies: dict[str, str] = field(default_factory=dict)
    requests: int = 0
    conflicts: int = 0
    url: str = ""

    def application(self) -> web.Application:
        application = web.Application(client_max_size=BODY_BYTES)
        application.router.add_post("/control/{command}", self.control)
        application.router.add_route("*", "/{path:.*}", self.serve)
        return application

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One request: script, effect, ledger, answer."""
        text = (await request.read()).decode("utf-8", "replace")
        body = _parsed(text)
        chat = str(body.get("chat") or request.query.get("chat") or "")
        key = request.headers.get(KEY_HEADER, "")
        step = self.scripts.take(request.path, chat)
        known = bool(key) and key in self.effects
        effect = accepts(step) and not known
        right = self._take_effect(key, text) if effect else self.effects.get(key, {"id": 0})
        self.requests += 1
        if known and self.bodies.get(key) != text:
            self.conflicts += 1
        self.ledger.write({
            "time": time.time(), "method": request.method, "path": request.path, "chat": chat, "key": key, "do": step["do"],
            "effect": effect, "repeat": known, "trace": request.headers.get("X-Trace-Id", ""), "body": body,
        })  # fmt: skip
        return await answer(request, step, right)

    def _take_effect(self, key: str, text: str) -> Json:
        right: Json = {"id": len(self.effects) + 1, "status": "done"}
        self.effects[key or f"without key {self.requests}"] = right
        self.bodies[key] = text
        return right

    async def control(self, request: web.Request) -> web.Response:
        """POST script {steps, path?, chat?}, stats {}, reset {}."""
        given = _parsed((await request.read()).decode())
        try:
            return web.json_response(self._command(request.match_info["command"], given))
        except (KeyError, ValueError) as error:
            return web.json_response({"error": str(error)}, status=400)

    def _command(self, command: str, given: Json) -> Json:
        if command == "script":
            self.scripts.add(list(given["steps"]), path=str(given.get("path") or "*"), chat=str(given.get("chat") or ""))
        elif command == "reset":
            self.scripts.known.clear()
        elif command != "stats":
            raise ValueError(f"unknown command {command}")
        return {"requests": self.requests, "effects": len(self.effects), "conflicts": self.conflicts}


def _parsed(text: str) -> dict[str, Any]:
    with suppress(ValueError):
        parsed = json.loads(text) if text else {}
        if isinstance(parsed, dict):
            return parsed
    return {}


@asynccontextmanager
async def running(*, host: str = "127.0.0.1", port: int = 0, ledger: Path | None = None) -> AsyncIterator[Crm]:
    """A CRM that listens in the running loop; port 0 takes a free one."""
    crm = Crm(Ledger(ledger))
    runner = web.AppRunner(crm.application(), access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, reuse_address=True).start()
        crm.url = f"http://{host}:{runner.addresses[0][1]}"
        yield crm
    finally:
        with suppress(asyncio.CancelledError):
            await runner.cleanup()
        crm.ledger.close()
