import pytest
from pytest_django.fixtures import Settings


@pytest.fixture(autouse=True)
def _echo(settings: Settings) -> None:
    settings.RESPONDERS = ["tests.conversations.answering.Echo"]
