"""The delivered bots, imported from their files, with a CRM on this machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from pytest_django.fixtures import Settings

from apps.bots.models import Bot
from apps.core import settings_store
from apps.core.models import InstanceSetting
from apps.identity.models import ExternalId
from apps.scenarios import botfile, fixtures_io
from tests.fixtures_.crm import Crm, running_crm
from tests.fixtures_.dialogue import Dialogue
from tests.making import make_lead

FIXTURES = Path(django_settings.BASE_DIR) / "fixtures"


@pytest.fixture(autouse=True)
def _fresh(settings: Settings) -> Iterator[None]:
    settings.CACHE_CHECK_SECONDS = 0
    yield
    settings_store.forget()


@pytest.fixture
def crm(db: None) -> Iterator[Crm]:
    with running_crm() as running:
        InstanceSetting.objects.create(key="crm_url", value=running.url, is_secret=False)
        InstanceSetting.objects.create(key="crm_token", value="crm-key-of-the-tests")
        running.users[125] = {"userId": 125, "name": "Anna", "phone": "+380501112233", "email": "anna@example.com"}
        running.orders["9821"] = {"id": 9821, "status": "shipped", "amount": 3500, "user_id": 125}
        yield running


def imported(name: str) -> Bot:
    return fixtures_io.import_bot(botfile.read(FIXTURES / name / "bot.json")).bot


@pytest.fixture
def shop(crm: Crm) -> Dialogue:
    return Dialogue(imported("ecommerce"))


def told_to(crm: Crm, name: str, system: str) -> Dialogue:
    """A delivered bot whose system is the one on this machine, and Anna, whom that system knows as 125."""
    InstanceSetting.objects.create(key=f"{system}_url", value=crm.url, is_secret=False)
    InstanceSetting.objects.create(key=f"{system}_token", value="crm-key-of-the-tests")
    dialogue = Dialogue(imported(name))
    lead = make_lead(dialogue.channel, dialogue.chat_id, name="Anna", language="en")
    ExternalId.objects.create(bot=dialogue.bot, person=lead.person, system=system, value="125")
    return dialogue


@pytest.fixture
def installer(crm: Crm) -> Dialogue:
    return told_to(crm, "installers", "portal")


@pytest.fixture
def relative(crm: Crm) -> Dialogue:
    return told_to(crm, "family", "family")


@pytest.fixture
def client_of_helpdesk(crm: Crm) -> Dialogue:
    return told_to(crm, "helpdesk", "helpdesk")


@pytest.fixture
def registration(crm: Crm) -> Dialogue:
    return Dialogue(imported("registration"))
