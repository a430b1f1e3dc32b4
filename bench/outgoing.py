"""`python -m bench.outgoing [--quick]`: calls a second through the guarded client beside bare aiohttp, against one server on loopback.

Both run in this process, in turns and on one event loop each, with the same number of calls in flight; the server runs in another process.
The guarded client judges the address before and after connecting, limits time and size and refuses what security.md forbids; `breaker` adds
what each call of a scenario asks about its host.
"""

import argparse
import asyncio
import multiprocessing
import os
import resource
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from statistics import median

import aiohttp
from aiohttp import web

IN_FLIGHT = 100
ROUNDS = 5
BODY = {"order": 9821, "items": [{"sku": f"A-{number}", "amount": number * 15} for number in range(20)], "comment": "Leave it at the door."}
Call = Callable[[], Awaitable[int]]


@dataclass(frozen=True)
class Work:
    """What is called: how, and how long the other system takes (seconds)."""

    name: str
    method: str
    wait: float
    calls: int


WORKS = (
    Work("GET, answered at once", "GET", 0, 3000),
    Work("POST of 1 kB, answered at once", "POST", 0, 3000),
    Work("POST of 1 kB, answered after 20 ms", "POST", 0.02, 3000),
)


@dataclass(frozen=True)
class Measure:
    """Of one round: calls a second and CPU milliseconds of this process for each."""

    rate: float
    cpu_ms: float


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.outgoing", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the calls")
    given = parser.parse_args()
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=_serve, args=(there,), daemon=True)
    server.start()
    try:
        rows = asyncio.run(_compare(f"http://127.0.0.1:{here.recv()}", share=10 if given.quick else 1))
    finally:
        server.terminate()
        server.join()
    print(_table(rows))
    return 0


async def _compare(url: str, *, share: int) -> list[list[str]]:
    """The rows of the table: each kind of work by each client, the rounds of the clients in turns, medians of them."""
    _set_up()
    from apps.core import http, loop  # noqa: PLC0415  Django has to be set up before

    rows = [["", "bare aiohttp", "guarded", "× bare", "with breaker", "× bare", "CPU a call: bare / guarded / breaker"]]
    connector = aiohttp.TCPConnector(limit=512, limit_per_host=64, keepalive_timeout=10)
    async with aiohttp.ClientSession(connector=connector) as session:
        for work in WORKS:
            calls = [_bare(session, url, work), _guarded(url, work), _with_breaker(url, work)]
            found: list[list[Measure]] = [[], [], []]
            for call in calls:
                await _round(call, IN_FLIGHT)  # connections are open, code is warm
            for _number in range(ROUNDS):
                for place, call in enumerate(calls):
                    # Our client lives on the process's background loop; each is measured on the loop on which it lives.
                    run = _round(call, work.calls // share)
                    found[place].append(await (run if place == 0 else asyncio.wrap_future(loop.submit(run))))
            rows.append(_row(work, found))
    await asyncio.wrap_future(loop.submit(http._client().close()))  # noqa: SLF001  a program that is about to end
    return rows


async def _round(call: Call, calls: int) -> Measure:
    left = iter(range(calls))
    began, cpu = time.perf_counter(), _cpu()

    async def worker() -> None:
        for _number in left:
            if await call() != 200:  # noqa: PLR2004
                raise RuntimeError("the server did not answer 200")

    await asyncio.gather(*(worker() for _number in range(IN_FLIGHT)))
    return Measure(calls / (time.perf_counter() - began), (_cpu() - cpu) / calls * 1000)


def _bare(session: aiohttp.ClientSession, url: str, work: Work) -> Call:
    async def call() -> int:
        async with session.request(work.method, f"{url}/{work.wait}", json=BODY if work.method == "POST" else None) as response:
            await response.read()
            return response.status

    return call


def _guarded(url: str, work: Work) -> Call:
    from apps.core import http  # noqa: PLC0415  Django has to be set up before
    from apps.core.outgoing import OutgoingRequest  # noqa: PLC0415

    request = OutgoingRequest(work.method, f"{url}/{work.wait}", json=BODY if work.method == "POST" else None)

    async def call() -> int:
        return (await http.fetch(request)).status

    return call


def _with_breaker(url: str, work: Work) -> Call:
    from apps.core import breaker  # noqa: PLC0415  Django has to be set up before

    guarded, host = _guarded(url, work), url.removeprefix("http://")

    async def call() -> int:
        if await breaker.holds_back(host):
            return 0
        status = await guarded()
        await breaker.tell(host, good=True)
        return status

    return call


def _set_up() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ["OUTGOING_ALLOW"] = "127.0.0.0/8"
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    import django  # noqa: PLC0415  after the environment

    django.setup()


def _serve(told: Connection) -> None:
    """The other system: waits as long as its address says and answers 200 bytes of JSON."""

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        if wait := float(request.match_info["wait"]):
            await asyncio.sleep(wait)
        return web.json_response({"ok": True, "id": 15, "text": "x" * 160})

    async def serve() -> None:
        application = web.Application()
        application.router.add_route("*", "/{wait}", answer)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        told.send(runner.addresses[0][1])
        await asyncio.Event().wait()

    asyncio.run(serve())


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _row(work: Work, found: list[list[Measure]]) -> list[str]:
    rates = [median(one.rate for one in measures) for measures in found]
    cpu = [median(one.cpu_ms for one in measures) for measures in found]
    shown = [f"{rate:.0f}/s" for rate in rates]
    return [
        work.name, shown[0], shown[1], f"{rates[1] / rates[0]:.2f}", shown[2], f"{rates[2] / rates[0]:.2f}",
        " / ".join(f"{each:.2f}" for each in cpu) + " ms",
    ]  # fmt: skip


def _table(rows: list[list[str]]) -> str:
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)


if __name__ == "__main__":
    sys.exit(main())
