"""The first seconds on a bare machine, in a clone of nothing but the bootstrap and a lock file."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.places import CLONE


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    (tmp_path / "tools").mkdir()
    shutil.copy(CLONE / "tools" / "bootstrap.py", tmp_path / "tools")
    (tmp_path / "requirements.lock").write_text("# nothing to install\n")
    (tmp_path / "where.py").write_text("import os, sys; print(sys.prefix, os.getcwd(), *sys.argv[1:])")
    return tmp_path


def bootstrap(clone: Path, *arguments: str, cwd: Path = Path("/")) -> "subprocess.CompletedProcess[str]":
    command = [getattr(sys, "_base_executable", sys.executable), str(clone / "tools" / "bootstrap.py"), *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=60)


def test_the_environment_is_made_once_and_the_command_runs_in_it(clone: Path) -> None:
    first = bootstrap(clone, "requirements.lock", "where", "stop")
    again = bootstrap(clone, "requirements.lock", "where")

    *said, answer = first.stdout.splitlines()
    assert answer == f"{clone}/.venv {clone} stop"
    assert [line.split()[0] for line in said] == ["Making", "Installing"]
    assert again.stdout == f"{clone}/.venv {clone}\n"

    (clone / "requirements.lock").write_text("# another lock\n")
    assert bootstrap(clone, "requirements.lock", "where").stdout.startswith("Installing requirements.lock")

    (clone / "requirements.lock").write_text("nothing-like-this==1.0 --hash=sha256:0\n")
    refused = bootstrap(clone, "requirements.lock", "where")
    assert refused.returncode == 1
    assert "Setting up .venv failed" in refused.stderr


def test_a_broken_environment_is_made_anew(clone: Path) -> None:
    (clone / ".venv" / "bin").mkdir(parents=True)
    (clone / ".venv" / "bin" / "python").symlink_to("/nonexistent/python3")

    assert bootstrap(clone, "requirements.lock", "where").stdout.endswith(f"{clone}/.venv {clone}\n")


def test_the_bootstrap_is_readable_by_an_older_python() -> None:
    """It must get as far as saying which Python is needed."""
    compile((CLONE / "tools" / "bootstrap.py").read_text(), "bootstrap.py", "exec", dont_inherit=True, _feature_version=6)
