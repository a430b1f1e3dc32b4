"""What the engine costs: a step of ten blocks, and reading and checking a definition of 1 MB. `python -m bench.engine`; a table in Markdown.

Beside each the least that could do it: the same texts filled in by `str.format`, the same bytes read by `json.loads`. CPU of this process, so that
other users of the machine matter little; the engine asks no database.
"""

import argparse
import json
import os
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from bench.scenarios import definition, node

Json = dict[str, Any]
BLOCKS = 10
MEGABYTE = 1_000_000
TEXT = "Thank you, {{ customer }}! Order #{{ order }} over {{ amount }} is on its way."
VALUES = {"customer": "Anna", "order": 1, "amount": 3500}


def ten_blocks() -> Json:
    """Branches and messages by turns, between a start and an end, without a wait: ten visits in one step."""
    kinds = []
    for number in range(1, BLOCKS - 1):
        following = f"n{number + 1}" if number < BLOCKS - 2 else "end"
        if number % 2:
            when = {"variable": "amount", "operator": "gt", "value": 1000}
            kinds.append(node(f"n{number}", "router", {"branches": [{"id": "yes", "when": when}]}, yes=following, **{"else": "end"}))
        else:
            kinds.append(node(f"n{number}", "message", {"text": TEXT}, next=following))
    return definition("Ten", node("start", "start", next="n1"), *kinds, node("end", "end"))


def megabyte() -> Json:
    """Messages in a row, each with a text of its own, until the definition has a megabyte."""
    texts = [f"{number}: " + f"{TEXT} " * 32 for number in range(400)]
    nodes = [node(f"n{number}", "message", {"text": text}, next=f"n{number + 1}") for number, text in enumerate(texts)]
    while len(json.dumps(nodes)) > MEGABYTE:
        nodes.pop()
    nodes[-1]["exits"] = {"next": "end"}
    variables = [{"name": name, "value": value} for name, value in VALUES.items()]
    values = node("values", "set_variable", {"variables": variables}, next="n0")
    return definition("Megabyte", node("start", "start", next="values"), values, *nodes, node("end", "end"))


def cpu(work: Callable[[], object], *, seconds: float) -> float:
    """Milliseconds of CPU of one `work`: the best of five rounds that take `seconds` together."""
    work()
    best = float("inf")
    for _round in range(5):
        count, began, end = 0, time.process_time(), time.perf_counter() + seconds / 5
        while time.perf_counter() < end:
            work()
            count += 1
        best = min(best, (time.process_time() - began) / count)
    return best * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0, help="for each of the measurements")
    seconds: float = parser.parse_args().seconds
    import django  # noqa: PLC0415

    django.setup()
    from apps.scenarios.engine.contract import Facts, Start  # noqa: PLC0415
    from apps.scenarios.engine.flow import compile_definition  # noqa: PLC0415
    from apps.scenarios.engine.lint import check  # noqa: PLC0415
    from apps.scenarios.engine.stepping import step  # noqa: PLC0415
    from apps.scenarios.registry import actions, blocks  # noqa: PLC0415

    flow = compile_definition(ten_blocks(), blocks=blocks, actions=actions)
    facts, now, begin = Facts(), datetime.now(UTC), Start(params=VALUES)

    def walk() -> object:
        return step(flow, None, begin, facts=facts, clock=lambda: now, rng=random.Random(1))

    visits = len({event.visit for event in walk().events if event.visit})  # type: ignore[attr-defined]
    if visits != BLOCKS:
        raise SystemExit(f"the step made {visits} visits instead of {BLOCKS}")
    plain = TEXT.replace("{{ ", "{").replace(" }}", "}")
    large = megabyte()
    body = json.dumps(large)
    rows = [
        (
            f"a step of {BLOCKS} blocks",
            cpu(walk, seconds=seconds),
            cpu(lambda: [plain.format(**VALUES) for _ in range(4)], seconds=seconds),
        ),
        (
            f"reading a definition of {len(body) / MEGABYTE:.2f} MB, {len(large['sections'][0]['nodes'])} blocks",
            cpu(lambda: compile_definition(json.loads(body), blocks=blocks, actions=actions), seconds=seconds),
            cpu(lambda: json.loads(body), seconds=seconds),
        ),
        (
            "checking it",
            cpu(lambda: check(large, blocks=blocks, actions=actions), seconds=seconds),
            cpu(lambda: json.loads(body), seconds=seconds),
        ),
    ]
    print("| | CPU, ms | the least that could do it, ms | × |\n|---|---|---|---|")
    for name, ours, least in rows:
        print(f"| {name} | {ours:.2f} | {least:.3f} | {ours / least:.0f} |")


if __name__ == "__main__":
    main()
