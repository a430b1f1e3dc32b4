"""A command that `make` runs ends when `make` is killed, although nobody told it."""

import os
import signal
from pathlib import Path

from tools.processes import end_with_parent


def follow_make() -> None:
    """Linux only. A command that was started in another way lives on its own, as one would expect of `… &`."""
    try:
        parent = Path(f"/proc/{os.getppid()}/comm").read_text().strip()
    except OSError:
        return
    if parent in {"make", "gmake"}:
        end_with_parent(signal.SIGTERM, parent=os.getppid())()
