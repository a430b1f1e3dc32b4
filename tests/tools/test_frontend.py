from pathlib import Path

import pytest

from tools import demo, frontend
from tools.frontend import Step
from tools.processes import Program
from tools.programs import Ports


class Steps:
    """Takes the place of npm: leaves what a build leaves."""

    def __init__(self, source: Path) -> None:
        self.source = source
        self.ran: list[str] = []

    def __call__(self, program: Program) -> str:
        self.ran.append(program.name)
        if program.name == "npm-build":
            (self.source / "dist").mkdir(exist_ok=True)
            (self.source / "dist" / "app.js").write_text("built")
        return ""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "frontend"
    folder.mkdir()
    return folder


def test_without_a_front_end_there_is_nothing_to_build(source: Path, tmp_path: Path) -> None:
    assert frontend.build(Steps(source), source=source, note=tmp_path / "note") is False


def test_it_is_built_once_for_each_state_of_its_sources(source: Path, tmp_path: Path) -> None:
    def built() -> bool:
        return frontend.build(Steps(source), source=source, note=tmp_path / "note")

    (source / "package.json").write_text("{}")

    assert [built(), built()] == [True, False]
    (source / "main.ts").write_text("let x = 1")
    assert [built(), built()] == [True, False]
    (source / "node_modules").mkdir()
    (source / "node_modules" / "index.js").write_text("")
    assert built() is False
    (source / "dist" / "app.js").unlink()
    (source / "dist").rmdir()
    assert built() is True


def test_types_and_tests_are_checked_where_there_is_a_front_end(source: Path) -> None:
    steps = Steps(source)
    frontend.check(steps, source=source)
    assert steps.ran == []
    (source / "package.json").write_text("{}")
    frontend.check(steps, source=source)
    assert steps.ran == ["npm-check", "npm-test"]


def test_the_demo_starts_without_the_builder_s_pages(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def no_registry(_run_step: Step) -> bool:
        raise demo.StepFailedError("npm-ci failed")

    monkeypatch.setattr(frontend, "build", no_registry)
    demo.Demo(Ports(8000)).build_frontend()
    assert "offers the JSON editor instead.\nnpm-ci failed" in capsys.readouterr().out
