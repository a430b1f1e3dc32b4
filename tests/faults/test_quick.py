"""The quick part of the fault matrix: real processes on a ground of their own, one test a fault. `make faults` breaks more and for longer.

The seed is printed with every failure and taken from FAULTS_SEED: `FAULTS_SEED=7 pytest tests/faults` or `make faults ARGS="--quick --seed 7"`
repeats the same plan.
"""

import os
import random
from collections.abc import Iterator

import pytest

from faults import audit, ground, matrix
from faults.ground import Ground
from faults.matrix import Fault

SEED = int(os.environ.get("FAULTS_SEED") or random.randrange(2**31))  # noqa: S311  a seed, not a secret
QUICK = [fault for fault in matrix.load().values() if fault.quick]


@pytest.fixture(scope="session")
def common() -> Iterator[Ground]:
    """Servers, emulators and every process of the product, for all faults one after the other."""
    with ground.running() as running:
        audit.install_witness(running)
        yield running


@pytest.mark.timeout(240)
@pytest.mark.parametrize("fault", QUICK, ids=lambda fault: fault.name)
def test_the_promises_hold(fault: Fault, common: Ground) -> None:
    verdict = matrix.judge(fault, common, SEED)
    broken = "\n  ".join(verdict.problems)
    figures = ", ".join(f"{name} {value}" for name, value in verdict.measured.items())
    if verdict.problems:
        pytest.fail(
            f'{fault.title}\nbound: {fault.bound}\nmeasured: {figures}\nbroken:\n  {broken}\nagain: make faults ARGS="--only {fault.name} --seed {SEED}"',
            pytrace=False,
        )
