import pytest
from pytest_django.fixtures import Settings

from apps.bots.models import Channel
from tests.panel.visiting import make_widget


@pytest.fixture(autouse=True)
def _echo(settings: Settings) -> None:
    settings.RESPONDERS = ["tests.conversations.answering.Echo"]


@pytest.fixture
def widget(db: None) -> Channel:
    return make_widget()
