"""What a script may use. Each limit has its own message (`errors.py`)."""

from dataclasses import asdict, dataclass
from typing import Any

KILL_AFTER = 0.2  # seconds that the engine has to stop by itself before the process is killed


@dataclass(frozen=True)
class Limits:
    """`cpu_seconds`: computing; `wall_seconds`: from start to end, waiting for other systems included; `calls`: of `callApi`;
    `operations`: of tables; `output_bytes`: the result as JSON, and each thing handed to the host.
    """

    cpu_seconds: float = 1.0
    wall_seconds: float = 20.0
    memory_mb: int = 64
    output_bytes: int = 256 * 1024
    calls: int = 20
    operations: int = 200
    log_lines: int = 200
    log_bytes: int = 64 * 1024

    def dump(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def frame_bytes(self) -> int:
        """The most that a child may say at once: result, logs, writes and calls, escaped as JSON within JSON."""
        return 8 * self.output_bytes + 2 * self.log_bytes
