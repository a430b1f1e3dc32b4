"""A block that does harm: it kills the worker that runs it, keeps it busy, or raises what no block should raise."""

import os
import signal
import time
from typing import Literal

from pydantic import Field

from apps.scenarios.block import NOWHERE, Block, Exit, Outcome, Scope, Take
from apps.scenarios.engine.context import Context
from apps.scenarios.engine.errors import StepFailedError
from apps.scenarios.engine.params import ParamsModel


class PoisonParams(ParamsModel):
    harm: Literal["kill", "spin", "break"] = "kill"
    seconds: float = Field(1.0, ge=0, le=60)


class Poison(Block[PoisonParams]):
    kind = "poison"
    label = "Poison"
    group = "logic"
    Params = PoisonParams

    def exits(self, params: PoisonParams, scope: Scope = NOWHERE) -> list[Exit]:  # noqa: ARG002 - the contract's arguments
        return [Exit("next", waits=True)]

    def enter(self, ctx: Context, params: PoisonParams) -> Outcome:  # noqa: ARG002 - the contract's arguments
        if params.harm == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif params.harm == "break":
            raise _unspeakable()
        until = time.monotonic() + params.seconds
        while time.monotonic() < until:
            pass
        return Take("next")


def _unspeakable() -> StepFailedError:
    """A failure that says nothing, which the engine itself cannot handle."""
    error = StepFailedError.__new__(StepFailedError)
    error.problem = None  # type: ignore[assignment]
    return error
