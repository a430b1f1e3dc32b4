"""The start block."""

from tests.scenarios.blocks.cases import Case

CASES = [Case("goes on", takes="next", says=())]
