"""What a quiet installation costs: every process of the product with its servers, and nobody who wants anything.

CPU is what the kernel has noted for each process and its children over the time watched. Memory is the proportional set size (`Pss` of `smaps_rollup`): a page that
several processes share, because they were forked from one another or have mapped the same library, is divided among them and so counted once.
"""

import time

from bench import ground, usage
from bench.runs import Say
from bench.table import Row

SETTLING, WATCHED = 15.0, 60.0
MOST_CPU, MOST_MEMORY = 2.0, 600.0  # per cent of a core, megabytes


def table(*, quick: bool, say: Say) -> tuple[list[Row], str]:
    """The rows by process, and whether the promise holds. The messenger is no part of an installation."""
    watched = WATCHED / 3 if quick else WATCHED
    with ground.running() as servers:
        system = servers.start_product("product", people=100, with_live=True)
        programs = {**system.programs, **{name: pid for name, pid in servers.shared.items() if name != "messenger"}}
        say(f"letting it rest for {SETTLING:.0f} s, then watching for {watched:.0f} s")
        time.sleep(SETTLING)
        before, began = usage.cpu(programs), time.monotonic()
        time.sleep(watched)
        spent, seconds = usage.cpu(programs).since(before), time.monotonic() - began
        memory = usage.memory(programs)
    share = {name: used / seconds * 100 for name, used in spent.by_program.items()}
    return rows(share, memory), verdict(sum(share.values()), sum(memory.values()))


def rows(share: dict[str, float], memory: dict[str, float]) -> list[Row]:
    """By process, the sum last."""
    each = [[name, f"{share[name]:.2f} %", f"{memory[name]:.0f} MB"] for name in share]
    return [["process", "of a core", "memory"], *each, ["all", f"{sum(share.values()):.2f} %", f"{sum(memory.values()):.0f} MB"]]


def verdict(share: float, memory: float) -> str:
    held = share < MOST_CPU and memory < MOST_MEMORY
    return f"idle {share:.1f} % of a core {memory:.0f} MB: {'held' if held else 'MISSED'}, wanted {MOST_CPU:.0f} % and {MOST_MEMORY:.0f} MB"
