"""Helpers that need Django, in processes of their own: a JSON command a line in, a JSON answer a line out. Safe to ask from several threads."""

import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from tools.places import CLONE


class Servant:
    """`python -m module` for as long as it is needed."""

    def __init__(self, module: str, env: Mapping[str, str], log: Path) -> None:
        self._lock = threading.Lock()
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module],
                env=dict(env),
                cwd=CLONE,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )

    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, **command: object) -> Any:
        process = self._process
        assert process.stdin is not None  # noqa: S101  piped above
        assert process.stdout is not None  # noqa: S101
        with self._lock:
            process.stdin.write(json.dumps(command) + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

    def stop(self) -> None:
        """Let it end what it has started and then itself: when its commands end, or where it is at one by a signal. (A signal that comes just
        before it waits for the next command is not noticed until there is one.)
        """
        assert self._process.stdin is not None  # noqa: S101  piped above
        busy = self._lock.locked()
        with suppress(OSError):
            self._process.stdin.close()
        if busy:
            self._process.terminate()
        self._process.wait()
        self.close()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
