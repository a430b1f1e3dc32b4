"""Publications at a moment: what was planned is what is published, once, or it is told why not."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from apps.accounts.models import User
from apps.events.models import Event
from apps.scenarios import publishing
from apps.scenarios.models import PlannedPublication, Scenario
from apps.scenarios.tasks import publish_due
from apps.scenarios.versions import planning
from tests.making import make_bot
from tests.scenarios.definitions import says, thank_you
from tests.scenarios.making import make_scenario
from tests.scenarios.simulation.making import changed, keep

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def scenario() -> Scenario:
    return make_scenario(make_bot(name="Shop"), thank_you(), key="thank-you")


def test_the_draft_as_it_was_is_published_at_its_moment_once(scenario: Scenario) -> None:
    user = User.objects.create_superuser("irina", password="x")
    changed(scenario, "done", text="Planned words")
    planned = planning.plan(scenario, due_at=timezone.now() + HOUR, user=user, note="The sale begins", people="at_wait")
    changed(scenario, "done", text="Edited afterwards")
    assert publish_due() == 0
    with time_machine.travel(timezone.now() + HOUR, tick=True):
        assert (publish_due(), publish_due()) == (1, 0)
    planned.refresh_from_db()
    version = planned.version
    assert version is not None
    assert (planned.state, version.number, version.note, version.published_by, version.people) == (
        "done",
        2,
        "The sale begins",
        user,
        "at_wait",
    )
    assert version.definition["sections"][0]["nodes"][2]["params"]["text"] == "Planned words"
    scenario.refresh_from_db()
    assert (scenario.published, scenario.draft["sections"][0]["nodes"][2]["params"]["text"]) == (version, "Edited afterwards")


def test_what_has_errors_by_then_is_refused_and_told(scenario: Scenario) -> None:
    planned = planning.plan(scenario, due_at=timezone.now() + HOUR, user=None)
    keep(scenario)
    PlannedPublication.objects.update(definition=says("Other words"))
    with time_machine.travel(timezone.now() + HOUR, tick=True):
        publish_due()
    planned.refresh_from_db()
    assert (planned.state, planned.version, planned.reason.startswith("Test “Confirms”")) == ("refused", None, True)
    assert Event.objects.get(kind="scenario.not_published").status == "fail"
    assert scenario.versions.count() == 1


def test_a_past_moment_or_a_broken_draft_cannot_be_planned(scenario: Scenario) -> None:
    with pytest.raises(planning.PlanError):
        planning.plan(scenario, due_at=timezone.now() - HOUR, user=None)
    scenario.draft = {"sections": []}
    with pytest.raises(publishing.PublishingRefusedError):
        planning.plan(scenario, due_at=timezone.now() + HOUR, user=None)


def test_a_cancelled_one_is_not_published(scenario: Scenario) -> None:
    planned = planning.plan(scenario, due_at=timezone.now() + HOUR, user=None)
    assert (planning.cancel(planned), planning.cancel(planned)) == (True, False)
    with time_machine.travel(timezone.now() + HOUR, tick=True):
        assert publish_due() == 0


def test_the_page_plans_and_cancels(client: Client, scenario: Scenario, django_user_model: Callable[..., User]) -> None:
    client.force_login(User.objects.create_superuser("owner", password="x"))
    page = f"/admin/scenarios/scenario/{scenario.pk}/publish/"
    moment = timezone.localtime(timezone.now() + HOUR).strftime("%Y-%m-%dT%H:%M")
    client.post(page, {"note": "Later", "people": "now", "due_at": moment})
    planned = PlannedPublication.objects.get()
    assert (planned.state, planned.people, scenario.versions.count()) == ("planned", "now", 1)
    assert "Planned publications" in client.get(page).content.decode()
    client.post(page, {"cancel": str(planned.pk)})
    planned.refresh_from_db()
    assert planned.state == "cancelled"
    assert client.post(page, {"cancel": "nonsense"}).status_code == 302
