"""Two processes of pytest over modules of a few lines: each test is run once, and one that nobody told of is no pass."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tools.places import CLONE

NEEDS_BOTH = """
from pathlib import Path
from tools.processes import wait_until

def holds():
    own, other = Path({own!r}), Path({other!r})
    assert not own.exists()
    own.touch()
    assert wait_until(other.exists, seconds=30)
"""
COMES_LAST = """
import os
from pathlib import Path

def holds():
    assert "TOX_PARALLEL_ENV" not in os.environ
    assert [Path(name).exists() for name in {names!r}] == [True, True]
"""
DIES_BESIDE = """
import os
from pathlib import Path
from tools.processes import wait_until

def holds():
    beside = "TOX_PARALLEL_ENV" in os.environ
    Path({own!r}).touch()
    if beside:
        os._exit(3)
    assert wait_until(Path({other!r}).exists, seconds=30)
"""
SETTINGS = """
[pytest]
testpaths = tests
python_functions = holds
asyncio_default_fixture_loop_scope = function
"""
LAST_LINE = re.compile(r"=+ (.+) in [\d.]+s =+")


def run(folder: Path, sources: dict[str, str]) -> tuple[int, str, str]:
    """Exit code, what the last line counts, and everything said."""
    given = {"own": "", "other": "", "names": [str(folder / name) for name in ("one", "two")]}
    for place, source in sources.items():
        file = folder / "tests" / place
        file.parent.mkdir(parents=True, exist_ok=True)
        own, other = ("one", "two") if "one" in file.name else ("two", "one")
        file.write_text(source.format(**given | {"own": str(folder / own), "other": str(folder / other)}))
    (folder / "pytest.ini").write_text(SETTINGS)
    own_plugin = ["-p", "tests.spreading", "--processes", "2", "-p", "no:cacheprovider", "-p", "no:django"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *own_plugin],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name != "TOX_PARALLEL_ENV"} | {"PYTHONPATH": str(CLONE)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    last = LAST_LINE.fullmatch(done.stdout.strip().splitlines()[-1])
    assert last, done.stdout + done.stderr
    return done.returncode, last[1], done.stdout


def test_both_take_from_the_same_tests_and_one_report_tells_of_all(tmp_path: Path) -> None:
    sources = {"test_one.py": NEEDS_BOTH, "test_two.py": NEEDS_BOTH, "faults/test_last.py": COMES_LAST}
    assert run(tmp_path, sources)[:2] == (0, "3 passed")


def test_a_failure_beside_is_told_with_its_reason(tmp_path: Path) -> None:
    fails = NEEDS_BOTH + "    assert 'TOX_PARALLEL_ENV' not in __import__('os').environ, 'beside'\n"
    code, counted, said = run(tmp_path, {"test_one.py": fails, "test_two.py": fails})
    assert (code, counted) == (1, "1 failed, 1 passed")
    assert "AssertionError: beside" in said


def test_a_test_whose_process_died_has_failed(tmp_path: Path) -> None:
    code, counted, said = run(tmp_path, {"test_one.py": DIES_BESIDE, "test_two.py": DIES_BESIDE})
    assert (code, counted) == (1, "2 failed, 1 passed")
    assert "No process told of this test." in said
    assert "tests-1 ended with 3:\n" in said
