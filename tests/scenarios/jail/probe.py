"""An engine that obeys: its “script” is Python. It stands for an engine that was broken out of, and shows what the process around it still allows."""

import json
import re
from typing import Any

from apps.scenarios.jail.engine import Context, Engine
from apps.scenarios.jail.limits import Limits


class ProbeContext(Context):
    def begin(self, data: str, code: str, *, seconds: float) -> str:
        names: dict[str, Any] = {"given": json.loads(data)["ctx"]}
        try:
            exec(code, names)  # noqa: S102  that is the point
            value = names.get("found")
        except BaseException as error:  # noqa: BLE001  whatever stops it is the answer
            value = f"{type(error).__name__}: {error}"
        done = {"value": json.dumps(value)}
        return json.dumps({"posts": [], "done": done, "exit": "", "logs": [], "writes": []})

    def settle(self, reply: str, *, seconds: float) -> str:
        return reply

    def close(self) -> None:
        """Nothing to free."""


class Probe(Engine):
    kind = "probe"
    label = "Probe"
    frame = re.compile(r"(\d+):(\d+)")

    def load(self, prelude: str) -> None:
        """What the code under test needs must be there before files are gone."""
        import os  # noqa: F401, PLC0415
        import signal  # noqa: F401, PLC0415
        import socket  # noqa: F401, PLC0415
        import subprocess  # noqa: F401, PLC0415

    def open(self, limits: Limits) -> Context:
        return ProbeContext()
