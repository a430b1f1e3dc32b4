"""The two requests that are measured; every system takes the same ones. Each carries its own number, which comes back in the message."""

import json
import time
from dataclasses import dataclass
from typing import Any, Literal

# B1 as an integrator calls by default (it waits for the scenario's first stop), B1 without waiting, B2.
Kind = Literal["order", "order_async", "answer"]

FIRST_CHAT = 500_000_000
BOT_TOKENS = {"orders": "700001:a-token-of-the-loopback-messenger-1", "survey": "700002:a-token-of-the-loopback-messenger-2"}
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105  the name of the header


@dataclass(frozen=True)
class Address:
    """Where requests of one kind go. `people`: how many there are; request n comes from, or is about, person n modulo that number."""

    kind: Kind
    url: str
    secret: str
    people: int

    def request(self, number: int) -> tuple[dict[str, str], bytes]:
        """Headers and body of one request."""
        person = number % self.people
        body = answer(number, person) if self.kind == "answer" else order(number, person)
        return {"Content-Type": "application/json", **self._headers()}, json.dumps(body).encode()

    def _headers(self) -> dict[str, str]:
        if self.kind == "answer":
            return {SECRET_HEADER: self.secret}
        return {"Authorization": f"Bearer {self.secret}", **({"Prefer": "respond-async"} if self.kind == "order_async" else {})}


def order(number: int, person: int) -> dict[str, Any]:
    """B1: what a shop tells."""
    return {"userId": person, "order": number, "amount": 500 if number % 2 else 3500, "customer": "Anna"}


def answer(number: int, person: int) -> dict[str, Any]:
    """B2: an update of the messenger."""
    chat = FIRST_CHAT + person
    who = {"id": chat, "is_bot": False, "first_name": f"Person {chat}", "language_code": "en"}
    place = {"id": chat, "type": "private", "first_name": f"Person {chat}"}
    message = {"message_id": number, "from": who, "chat": place, "date": int(time.time()), "text": str(number)}
    return {"update_id": number, "message": message}
