"""The database's disk fills up: nobody is told 2xx for what is not stored, and all goes on when there is room again."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from faults import audit
from faults.audit import Allowed
from faults.matrix import Run, fault

RECOVERY = 10.0
DISK_MB = 320
FULL_SECONDS = 20.0
SMALL_LOG = ("-c", "max_wal_size=48MB", "-c", "min_wal_size=32MB")


def no_disk_of_our_own() -> str:
    """A disk of a given size needs a memory disk, and that the right to mount one."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        return "only root may mount a memory disk of a given size"
    with tempfile.TemporaryDirectory() as place:
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], capture_output=True, text=True, check=False)
        if done.returncode:
            return f"no memory disk can be mounted here: {done.stderr.strip()[:120]}"
        subprocess.run(["umount", place], check=False)
    return ""


@fault(
    f"the database's disk ({DISK_MB} MB) is full for twenty seconds",
    bound=f"503 meanwhile, nothing lost, all answered ≤ {RECOVERY:g} s after there is room, nobody restarts anything by hand",
    ground={"disk_mb": DISK_MB, "database_options": SMALL_LOG},
    skipped=no_disk_of_our_own,
)
def disk_full(run: Run) -> None:
    """PostgreSQL refuses what needs room and, when its log needs room too, ends; the supervisor starts it again as any other process."""
    run.ground.wanted.add("postgres")
    chats = run.mixed(chats=12, count=10)
    driver = run.driver(chats, rate=8).start()
    run.ground.sleep(3)
    ballast = run.ground.disk / "ballast"
    full = time.time()
    end = time.monotonic() + FULL_SECONDS
    while time.monotonic() < end:
        _fill(ballast)
        run.ground.sleep(0.1)
    run.measured["room left"] = f"{shutil.disk_usage(run.ground.disk).free // 1024} kB"
    ballast.unlink()
    back = time.time()
    run.finish(driver, seconds=90, allowed=Allowed(copies=True, late_copies=True))
    meanwhile = [answer for answer in driver.answers if full + 1 < answer.time < back]
    run.measured["answers meanwhile"] = ", ".join(
        f"{sum(a.status == s for a in meanwhile)} × {s or 'none'}" for s in sorted({a.status for a in meanwhile})
    )
    run.check("nobody was refused: the disk was not full", holds=any(answer.status == 503 for answer in meanwhile))  # noqa: PLR2004
    run.check("an error of ours", holds=not any(answer.status == 500 for answer in meanwhile))  # noqa: PLR2004
    run.measured["database started again"] = f"{run.ground.deaths.get('postgres', 0)} times"
    run.within("recovery", audit.recovery(driver, back, before=FULL_SECONDS + 1), RECOVERY)


def _fill(ballast: Path) -> None:
    """Take whatever room there is."""
    with ballast.open("ab", buffering=0) as file, suppress(OSError):
        for size in (1 << 20, 1 << 14, 1 << 12):
            with suppress(OSError):
                while True:
                    if file.write(b"\0" * size) < size:
                        break
