"""Sizes that keep the code readable: modules up to 400 lines, kinds up to 150, functions up to 60, most of them far shorter."""

import ast
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.places import CLONE
from tools.supervisor import say

FOLDERS = ("apps", "config", "tools")
KINDS = ("apps/bots/channels", "apps/scenarios/blocks", "apps/scenarios/actions")
MODULE, KIND, FUNCTION = 400, 150, 60
MEDIAN, NINE_OF_TEN = 8, 30


@dataclass(frozen=True)
class Function:
    place: str
    lines: int


def main() -> int:
    modules = list(_modules(CLONE))
    functions = [function for path in modules for function in _functions(path)]
    complaints = [*_long_modules(modules), *_long_functions(functions), *_typical(functions)]
    for complaint in complaints:
        say(complaint)
    return 1 if complaints else 0


def _modules(root: Path) -> Iterator[Path]:
    for folder in FOLDERS:
        yield from (path for path in sorted((root / folder).rglob("*.py")) if "migrations" not in path.parts)


def _functions(path: Path) -> Iterator[Function]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield Function(f"{_told(path)}:{node.lineno} {node.name}", (node.end_lineno or node.lineno) - node.lineno + 1)


def _long_modules(modules: list[Path]) -> Iterator[str]:
    for path in modules:
        lines, limit = len(path.read_text(encoding="utf-8").splitlines()), _limit(path)
        if lines > limit:
            yield f"{_told(path)}: {lines} lines, at most {limit}"


def _limit(path: Path) -> int:
    return KIND if any(path.parent == CLONE / folder for folder in KINDS) else MODULE


def _long_functions(functions: list[Function]) -> Iterator[str]:
    return (f"{function.place}: {function.lines} lines, at most {FUNCTION}" for function in functions if function.lines > FUNCTION)


def _typical(functions: list[Function]) -> Iterator[str]:
    sizes = sorted(function.lines for function in functions)
    if statistics.median(sizes) > MEDIAN:
        yield f"The median function has {statistics.median(sizes)} lines, at most {MEDIAN}"
    if sizes[len(sizes) * 9 // 10] > NINE_OF_TEN:
        yield f"One function in ten has more than {sizes[len(sizes) * 9 // 10]} lines, at most {NINE_OF_TEN}"


def _told(path: Path) -> str:
    return str(path.relative_to(CLONE))


if __name__ == "__main__":
    sys.exit(main())
