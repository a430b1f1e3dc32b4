"""A small synchronous client of `/control/…` for tests and scripts in other processes."""

import json
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlencode

TIMEOUT = 10


class Control:
    """`Control(url, token).text(chat_id, "hi")`; see `control.py` for the commands and `people.py` for the actions."""

    def __init__(self, url: str, token: str = "") -> None:
        self.url, self.token = url.rstrip("/"), token

    def act(self, chat_id: int, action: str, **details: Any) -> list[int]:
        """Let a person act; returns the update ids."""
        update_ids: list[int] = self.post("act", bot=self.token, chat_id=chat_id, action=action, **details)["update_ids"]
        return update_ids

    def text(self, chat_id: int, text: str) -> list[int]:
        """A person writes."""
        return self.act(chat_id, "text", text=text)

    def press(self, chat_id: int, label: str = "", **details: Any) -> list[int]:
        """A person presses a button."""
        return self.act(chat_id, "press", label=label, **details)

    def script(self, *steps: dict[str, Any], chat_id: int | None = None, method: str | None = None) -> None:
        """Prescribe the bot's next answers."""
        self.post("script", bot=self.token, chat_id=chat_id, method=method, steps=list(steps))

    def messages(self, chat_id: int) -> list[dict[str, Any]]:
        """What stands in a chat, oldest first."""
        found: list[dict[str, Any]] = self.get("messages", bot=self.token, chat_id=chat_id)["messages"]
        return found

    def stats(self) -> dict[str, Any]:
        """Counts of calls and waiting updates."""
        return self.get("stats", bot=self.token)

    def post(self, command: str, **body: Any) -> dict[str, Any]:
        """Run a command that changes something."""
        return self.answered(command, json.dumps(body).encode())

    def get(self, command: str, **query: Any) -> dict[str, Any]:
        """Ask something."""
        return self.answered(f"{command}?{urlencode(query)}")

    def answered(self, command: str, body: bytes | None = None) -> dict[str, Any]:
        """The JSON answer; a refusal is raised with its description."""
        address, headers = f"{self.url}/control/{command}", {"Content-Type": "application/json"}
        request = urllib.request.Request(address, body, headers)  # noqa: S310 - the address is our own emulator's
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310 - our own emulator
                parsed: dict[str, Any] = json.load(answer)
                return parsed
        except urllib.error.HTTPError as error:
            with error:
                raise RuntimeError(json.load(error)["description"]) from None
