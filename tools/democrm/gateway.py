"""The CRM's calls of Dialog Bus, as any system would make them."""

import json
import time
from dataclasses import dataclass
from typing import Any

import aiohttp

from tools.democrm.book import Book, Entry

SECONDS = 15


@dataclass(frozen=True)
class Gateway:
    """Where the bot's endpoints are and the key for them."""

    base_url: str
    bot_id: str
    token: str

    async def call(self, book: Book, alias: str, body: dict[str, Any], *, key: str, note: str) -> Entry:
        """POST to an endpoint and note what came back. `key` makes a repeat of the same call harmless."""
        path = f"/bots/{self.bot_id}/call/{alias}"
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": key}
        began = time.monotonic()
        status, answer = await self._post(path, body, headers)
        return book.note(
            "out", method="POST", path=path, body=body, status=status, answer=answer, note=note,
            trace_id=str(answer.get("trace_id", "")) if isinstance(answer, dict) else "", milliseconds=round((time.monotonic() - began) * 1000),
        )  # fmt: skip

    async def _post(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> tuple[int, Any]:
        """Status 0 when nobody answered."""
        timeout = aiohttp.ClientTimeout(total=SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(self.base_url + path, json=body, headers=headers) as response,
            ):
                text = await response.text()
                return response.status, _json(text)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            return 0, {"message": f"Dialog Bus does not answer ({type(error).__name__}). Is it running at {self.base_url}?"}

    def curl(self, body: str) -> str:
        """What a person would type for the first endpoint."""
        return (
            f"curl -X POST {self.base_url}/bots/{self.bot_id}/call/order/thank-you \\\n"
            f'  -H "Authorization: Bearer {self.token}" \\\n  -H "Content-Type: application/json" \\\n  -d \'{body}\''
        )


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return {"message": text[:300]}
