"""Real processes of the product for the length of a block: for tests of faults and for measurements."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Self

from tools import programs
from tools.demo import ask
from tools.ports import free_port
from tools.processes import Process, Program, wait_until


class NotUpError(Exception):
    """A process did not come up; the text ends with its log."""


@dataclass
class Stack:
    """Starts programs with one environment; leaving the block kills whatever still runs. Logs lie in `folder`.

    Each answer is a `Process`: `kill()` is `kill -9`, `stop()` asks first, `pause()` and `resume()` freeze it, `start()` starts it again.
    """

    env: Mapping[str, str]
    folder: Path
    processes: dict[str, Process] = field(default_factory=dict)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for process in self.processes.values():
            process.kill()

    def start(self, program: Program) -> Process:
        process = self.processes[program.name] = Process(program, self.folder / f"{program.name}.log")
        process.start()
        return process

    def web(self, *, seconds: float = 30) -> str:
        """Starts the web process on a free port; its address, once it answers."""
        port = free_port()
        return self._serving(self.start(programs.web(self.env, port=port)), f"http://127.0.0.1:{port}", seconds)

    def live(self, *, seconds: float = 30) -> str:
        """Starts the live process on a free port; its address, once it answers."""
        port = free_port()
        return self._serving(self.start(programs.live(self.env, port=port)), f"http://127.0.0.1:{port}", seconds)

    def worker(self, name: str = "worker") -> Process:
        return self.start(programs.worker(self.env, name=name))

    def sender(self, name: str = "sender") -> Process:
        return self.start(programs.sender(self.env, name=name))

    def beat(self, name: str = "beat") -> Process:
        return self.start(programs.beat(self.env, folder=self.folder, name=name))

    def _serving(self, process: Process, address: str, seconds: float) -> str:
        if (
            not wait_until(lambda: not process.alive() or ask(f"{address}/health/live")[0] == HTTPStatus.OK, seconds=seconds)
            or not process.alive()
        ):
            raise NotUpError(f"{process.name} did not come up:\n{process.last_lines(30)}")
        return address
