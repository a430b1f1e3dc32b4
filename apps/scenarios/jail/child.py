"""The jail's child process: lock yourself in, then run one script after another, each in a fresh context, talking JSON through one pipe.

Frames from the parent: a job {"code", "data", "limits"}, then replies {"id", "value"} or {"id", "error"} to what the script asked for.
Frames to the parent: a letter and text. "H" hello, "S" the script's state (what `__jail.take()` gives), "E" it was stopped or is unreadable,
"U" what the run used, as the last.
"""

import gc
import importlib
import json
import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import Any

from apps.scenarios.jail import isolation, wire
from apps.scenarios.jail.engine import Context, Engine, StoppedError, UnreadableError
from apps.scenarios.jail.limits import KILL_AFTER, Limits

PIPE = 0
TICK = 0.02


def main(module: str, folder: str, memory_mb: int) -> None:
    """`module` holds the engine, `folder` is empty."""
    held = isolation.apart()
    engine = _engine(module)
    engine.load(Path(__file__).with_name("prelude.js").read_text(encoding="utf-8"))
    meter = Meter()
    isolation.note_data()
    held += isolation.lock(threads=engine.threads, address_space=engine.address_space, memory_mb=memory_mb, folder=folder)
    sys.path.clear()
    os.environ.clear()  # Python itself puts the locale there
    gc.collect()
    gc.freeze()
    _say("H", json.dumps({"engine": engine.kind, "protections": held}))
    while frame := wire.read(PIPE):
        job = json.loads(frame)
        if "code" in job:  # else a reply for which a script did not wait to the end
            _work(engine, job, meter)


def _engine(module: str) -> Engine:
    found = importlib.import_module(module)
    kinds = [
        value for value in vars(found).values() if isinstance(value, type) and issubclass(value, Engine) and value.__module__ == module
    ]
    return kinds[0]()


def _say(letter: str, text: str) -> None:
    wire.write(PIPE, letter.encode() + text.encode("utf-8", "replace"))


def _work(engine: Engine, job: dict[str, Any], meter: "Meter") -> None:
    limits = Limits(**job["limits"])
    meter.start(limits)
    context: Context | None = None
    try:
        context = engine.open(limits)
        state = context.begin(job["data"], job["code"], seconds=meter.left())
        while _still_on(state):
            _say("S", state)
            meter.pause()
            reply = wire.read(PIPE)
            if not reply:
                sys.exit(0)
            meter.go_on()
            state = context.settle(reply.decode(), seconds=meter.left())
        _say("S", state)
    except StoppedError as stopped:
        _say("E", json.dumps({"limit": stopped.limit}))
    except UnreadableError as error:
        _say("E", json.dumps({"message": error.message, "line": error.line, "column": error.column}))
    except MemoryError:
        _say("E", json.dumps({"limit": "memory"}))
    finally:
        meter.stop()
        if context is not None:
            context.close()
    _say("U", json.dumps(meter.used()))


def _still_on(state: str) -> bool:
    """Whether the script waits for replies: `done` stands last but for what is told at the end."""
    return state.endswith('"done":null}')


class Meter:
    """Time and memory of one run. The CPU's own alarm kills this process when the engine does not stop by itself."""

    def __init__(self) -> None:
        self._status, self._reset = _opened("/proc/self/status", os.O_RDONLY), _opened("/proc/self/clear_refs", os.O_WRONLY)
        self._limits = Limits()
        self._cpu = self._base_kb = 0.0

    def start(self, limits: Limits) -> None:
        self._limits, self._cpu = limits, time.process_time()
        if self._reset is not None:
            os.write(self._reset, b"5")  # the peak begins anew
        self._base_kb = self._peak_kb()
        self.go_on()

    def left(self) -> float:
        """Seconds of computing that the script still has."""
        return self._limits.cpu_seconds - (time.process_time() - self._cpu)

    def pause(self) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)

    def go_on(self) -> None:
        signal.setitimer(signal.ITIMER_PROF, max(TICK, self.left() + KILL_AFTER))

    def stop(self) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)

    def used(self) -> dict[str, Any]:
        return {"cpu_ms": round((time.process_time() - self._cpu) * 1000, 1), "memory_kb": max(0, round(self._peak_kb() - self._base_kb))}

    def _peak_kb(self) -> float:
        if self._status is not None:
            text = os.pread(self._status, 4096, 0)
            start = text.find(b"VmHWM:")
            if start >= 0:
                return float(text[start + 6 :].split(None, 1)[0])
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / 1024 if sys.platform == "darwin" else float(peak)


def _opened(path: str, flags: int) -> int | None:
    try:
        return os.open(path, flags)
    except OSError:
        return None
