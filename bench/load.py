"""The generator, a process of its own: `python -m bench.load <plan.json> <result.json>`.

`burst`: a number of clients, each posting as soon as its last answer is there. `steady`: every request has its moment, fixed beforehand, so
that waiting counts as in life. The result holds for each request its number, the moment it was due (wall clock), milliseconds to the answer
and the status (0: none).
"""

import asyncio
import gc
import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import aiohttp
import uvloop

from bench.requests import Address

Row = tuple[int, float, float, int]


@dataclass(frozen=True)
class Plan:
    """`rate` 0: a burst of `clients`; else requests a second. Numbers are `first` and the `count - 1` after it."""

    address: dict[str, Any]
    first: int
    count: int
    rate: float = 0
    clients: int = 32

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)))


class Generator:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.address = Address(**plan.address)
        numbers = range(plan.first, plan.first + plan.count)
        self.requests = [(number, *self.address.request(number)) for number in numbers]
        self.rows: list[Row] = []

    async def run(self) -> list[Row]:
        limit = self.plan.clients if not self.plan.rate else 0
        timeout = aiohttp.ClientTimeout(total=60)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=limit), timeout=timeout) as self.session:
            await (self._steady() if self.plan.rate else self._burst())
        return self.rows

    async def _burst(self) -> None:
        waiting = iter(self.requests)

        async def client() -> None:
            for request in waiting:
                await self._post(time.time(), *request)

        await asyncio.gather(*(client() for _ in range(self.plan.clients)))

    async def _steady(self) -> None:
        begin = time.time() + 0.05
        tasks = []
        for place, request in enumerate(self.requests):
            due = begin + place / self.plan.rate
            pause = due - time.time()
            if pause > 0:
                await asyncio.sleep(pause)
            tasks.append(asyncio.create_task(self._post(due, *request)))
        await asyncio.gather(*tasks)

    async def _post(self, due: float, number: int, headers: dict[str, str], body: bytes) -> None:
        status = 0
        try:
            async with self.session.post(self.address.url, data=body, headers=headers) as answer:
                await answer.read()
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            print(f"{number}: {type(error).__name__}", file=sys.stderr)
        self.rows.append((number, due, (time.time() - due) * 1000, status))


if __name__ == "__main__":
    gc.disable()
    rows = uvloop.run(Generator(Plan(**json.loads(Path(sys.argv[1]).read_text()))).run())
    Path(sys.argv[2]).write_text(json.dumps(rows))
