"""A small synchronous client of `/control/…` for tests and scripts in other processes."""

import json
import urllib.error
import urllib.request
from typing import Any

TIMEOUT = 10


class Control:
    """`Control(url).script({"do": "500"}, path="/effects/7/*")`; see `misbehaving.py` for the steps."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def script(self, *steps: dict[str, Any], path: str = "*", chat: str = "") -> None:
        """Prescribe the next answers to requests on this path (`*` matches anything) and about this chat ("" = any)."""
        self._answered("script", {"steps": list(steps), "path": path, "chat": chat})

    def stats(self) -> dict[str, Any]:
        """`requests`, `effects` (each key once) and `conflicts` (one key with two bodies)."""
        return self._answered("stats", {})

    def reset(self) -> None:
        """Forget scripts; effects and the ledger stay."""
        self._answered("reset", {})

    def _answered(self, command: str, body: dict[str, Any]) -> dict[str, Any]:
        address, headers = f"{self.url}/control/{command}", {"Content-Type": "application/json"}
        request = urllib.request.Request(address, json.dumps(body).encode(), headers)  # noqa: S310 - the address is our own emulator's
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310 - our own emulator
                parsed: dict[str, Any] = json.load(answer)
                return parsed
        except urllib.error.HTTPError as error:
            with error:
                raise RuntimeError(error.read().decode()) from None
