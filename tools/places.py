"""Where things lie: the clone, its `.run` folder, and the data of the servers that the tools start."""

import hashlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CLONE = Path(__file__).resolve().parent.parent
RUN = Path(os.environ.get("DIALOG_BUS_FOLDER") or CLONE / ".run").absolute()  # a second demo beside the first needs a folder of its own
OUTSIDE = Path("/var/tmp")  # noqa: S108 - the folder in it is made and checked by `_own_folder`
SOCKET_PATH_LIMIT = 100  # a Unix socket's address holds 104 characters on macOS, 108 on Linux
LONGEST_SOCKET = "test/postgres/.s.PGSQL.5432"


class PlaceError(Exception):
    """A folder cannot be used; the text says which and why."""


def make_run_folder() -> Path:
    """`.run`, which the database's own user may pass; what lies in it is for its owner."""
    for folder, mode in ((RUN, 0o755), (RUN / "logs", 0o700), (RUN / "media", 0o700), (RUN / "static", 0o700)):
        folder.mkdir(exist_ok=True, parents=True)
        folder.chmod(mode)  # whatever the umask
    return RUN


def data_folder() -> Path:
    """`.run/data`, or a folder outside the clone when the database could not work there.

    PostgreSQL refuses to run as root, so that it runs as a user of its own, who must be able to reach its files; and the
    path of its socket must be short.
    """
    inside = RUN / "data"
    if not _unreachable(inside) and len(str(inside / LONGEST_SOCKET)) <= SOCKET_PATH_LIMIT:
        inside.mkdir(exist_ok=True)
        inside.chmod(0o755)
        return inside
    return _outside(RUN, RUN / "place")


def _unreachable(folder: Path) -> bool:
    return os.geteuid() == 0 and not others_can_enter(folder.parent)


def others_can_enter(folder: Path) -> bool:
    """Whether every folder on the way may be passed by any user; nothing is changed to make it so."""
    return all(part.stat().st_mode & 0o001 for part in (folder, *folder.parents))


def _outside(run: Path, note: Path) -> Path:
    """One folder for each `.run`. When that was removed, the data that were written with its keys go too."""
    folder = OUTSIDE / f"dialog-bus-{hashlib.sha256(str(run).encode()).hexdigest()[:12]}"
    if not note.exists():
        note.write_text(secrets.token_hex(16))
    _own_folder(folder)
    owner = folder / "owner"
    if not owner.exists() or owner.read_text() != note.read_text():
        shutil.rmtree(folder)
        _own_folder(folder)
        owner.write_text(note.read_text())
    return folder


def _own_folder(folder: Path) -> None:
    folder.mkdir(mode=0o711, exist_ok=True)
    state = folder.lstat()
    if folder.is_symlink() or state.st_uid != os.geteuid():
        raise PlaceError(f"{folder} belongs to somebody else. Remove it, or set DATABASE_URL and REDIS_URL to servers of your own.")
    folder.chmod(0o711)


@contextmanager
def temporary_data() -> Iterator[Path]:
    """A data folder that the database's user can reach, for servers of a few seconds; removed with everything in it."""
    folder = Path(tempfile.mkdtemp(prefix="dialog-bus-", dir=OUTSIDE))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
