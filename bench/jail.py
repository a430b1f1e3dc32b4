"""Scripts a second through the jail, and what the jail adds, beside the same work in the bare engine. `python -m bench.jail`; a table in Markdown.

One script at a time on one core's worth of work: `callApi` is answered at once by a prepared answer, so that only the jail's own cost is seen.
"""

import argparse
import os
import resource
import statistics
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

CODE = "const reply = await callApi({url: 'https://crm.example/orders/' + ctx.params.id}); return {total: reply.body.total + ctx.params.id}"
BARE = "(() => { const reply = JSON.parse(callApi('https://crm.example/orders/' + 5)); return JSON.stringify({total: reply.body.total + 5}) })()"
ANSWER = {"ok": True, "status": 200, "headers": {}, "body": {"total": 37}}


def bare(count: int) -> list[float]:
    """Seconds of each run in jsbox alone: a fresh runtime, one host function, no process around it."""
    import json  # noqa: PLC0415

    import jsbox  # noqa: PLC0415

    answer = json.dumps(ANSWER)

    def one() -> None:
        runtime = jsbox.Runtime(memory_limit=64 << 20)
        runtime.bind_function("callApi", lambda _url: answer)
        runtime.eval(BARE, 1.0)

    return _timed(one, count)


def jailed(engine: str, count: int) -> list[float]:
    """Seconds of each run through the warm jail, measured where a caller waits."""
    from apps.scenarios.jail import running  # noqa: PLC0415
    from apps.scenarios.jail.outcome import Script  # noqa: PLC0415
    from apps.scenarios.jail.pretending import MockHost  # noqa: PLC0415

    host = MockHost([{"url": "https://crm.example/*", "body": {"total": 37}}])
    script = Script(CODE, ctx={"params": {"id": 5}})

    def one() -> None:
        outcome = running.run_sync(script, host, engine=engine)
        if outcome.value != {"total": 42}:
            raise SystemExit(f"a run failed: {outcome.error}")

    _timed(one, 20)
    return _timed(one, count)


def _timed(one: Callable[[], Any], count: int) -> list[float]:
    spent = []
    for _run in range(count):
        started = time.perf_counter()
        one()
        spent.append(time.perf_counter() - started)
    return spent


def _row(name: str, spent: list[float], cpu: float) -> str:
    ordered = sorted(spent)
    median, late = statistics.median(ordered), ordered[int(len(ordered) * 0.99)]
    return f"| {name} | {len(spent) / sum(spent):,.0f} | {len(spent) / cpu:,.0f} | {median * 1000:.2f} | {late * 1000:.2f} |"


def _cpu() -> float:
    """Of this process; children count when they are gone, so theirs is asked by `_children`."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _children() -> float:
    """CPU seconds of the jail's living children (Linux)."""
    total, ticks = 0.0, os.sysconf("SC_CLK_TCK")
    for task in _pids():
        try:
            with open(f"/proc/{task}/stat", encoding="ascii") as file:  # noqa: PTH123
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        total += (int(fields[11]) + int(fields[12])) / ticks
    return total


def _pids() -> list[str]:
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:  # noqa: PTH123
            own = file.read().split()
        return own or [name for name in os.listdir("/proc") if name.isdigit() and _parent(name) == os.getpid()]  # noqa: PTH208
    except OSError:
        return []


def _parent(pid: str) -> int:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:  # noqa: PTH123
            return int(file.read().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _measured(name: str, work: Callable[[], list[float]]) -> tuple[str, list[float]]:
    before = _cpu() + _children()
    spent = work()
    return _row(name, spent, max(0.001, _cpu() + _children() - before)), spent


def _memory_kb() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
        return int(file.read().split()[1]) * resource.getpagesize() // 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=3000, help="runs through the jail")
    parser.add_argument("--flat", type=int, default=10_000, help="runs over which this process's memory is watched; 0: not")
    parser.add_argument("--v8", action="store_true", help="the second engine too")
    asked = parser.parse_args()
    import django  # noqa: PLC0415

    django.setup()
    print("| | scripts/s | scripts/s per core's CPU | median ms | 99 % ms |\n|---|---|---|---|---|")
    row, alone = _measured("bare engine, no process", lambda: bare(asked.count))
    print(row)
    jailed("jsbox", 1)
    row, spent = _measured("jail, QuickJS", lambda: jailed("jsbox", asked.count))
    print(row)
    if asked.v8:
        jailed("mini_racer", 1)
        print(_measured("jail, V8", lambda: jailed("mini_racer", asked.count // 5))[0])
    added = (statistics.median(spent) - statistics.median(alone)) * 1000
    print(f"\nThe jail adds {added:.2f} ms to a run (median).")
    if asked.flat:
        before = _memory_kb()
        jailed("jsbox", asked.flat)
        print(f"Memory of the parent over {asked.flat:,} runs: {before:,} kB → {_memory_kb():,} kB.")


if __name__ == "__main__":
    main()
