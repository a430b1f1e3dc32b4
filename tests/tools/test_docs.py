"""What people copy from the docs is what the programs do."""

import re
from typing import Any

import pytest
import yaml

from tools import programs
from tools.places import CLONE

COMPOSE: dict[str, Any] = yaml.safe_load((CLONE / "compose.yaml").read_text())["services"]


def test_every_setting_from_the_environment_is_explained() -> None:
    explained = set(re.findall(r"^\| `([A-Z_]+)`", (CLONE / "docs/configuration.md").read_text(), re.MULTILINE))

    assert explained == programs.settings_variables()


@pytest.mark.parametrize(
    ("service", "program"),
    [
        ("web", programs.WEB),
        ("live", programs.LIVE),
        ("worker", programs.WORKER),
        ("sender", programs.SENDER),
        ("beat", programs.BEAT),
    ],
)
def test_compose_starts_the_programs_of_the_demo(service: str, program: tuple[str, ...]) -> None:
    assert COMPOSE[service]["command"][: len(program) + 1] == ["python", *program]
