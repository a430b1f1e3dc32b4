"""A colleague starts a scenario for people from its page."""

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from apps.accounts.models import User
from apps.conversations import advancing
from apps.conversations.models import Message
from apps.core.models import AuditEntry
from apps.events.models import Event
from apps.identity.models import ExternalId, Lead
from apps.scenarios import triggers
from tests.making import make_channel, make_lead
from tests.scenarios.definitions import definition, node
from tests.scenarios.making import make_scenario

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lead() -> Lead:
    triggers.forget()
    lead = make_lead(make_channel(), chat_id="77", name="Anna")
    ExternalId.objects.create(bot=lead.channel.bot, person=lead.person, system=lead.channel.bot.source_system, value="125")
    return lead


@pytest.fixture
def page(lead: Lead) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("irina", password="x"))
    return client


def test_people_are_named_as_one_knows_them_and_told_who_was_not_found(page: Client, lead: Lead) -> None:
    hello = node("hello", "message", {"text": "Order {{ order_id }}, {{ user_name }}"})
    scenario = make_scenario(lead.channel.bot, definition(node("start", "start", next="hello"), hello))
    address = f"/admin/scenarios/scenario/{scenario.pk}/start/"
    assert address in page.get(f"/admin/scenarios/scenario/{scenario.pk}/change/").content.decode()
    answer = page.post(address, {"people": f"125\n{lead.code}\n999, +380501112233", "entry": "", "params": '{"order_id": 7}'})
    assert answer.status_code == 302
    told = [str(message) for message in get_messages(answer.wsgi_request)]
    assert told[0].startswith("Started for one person. <a")
    assert told[1] == "Not known: 999, +380501112233"
    advancing.drain()
    assert list(Message.objects.filter(direction="out").values_list("text", flat=True)) == ["Order 7, Anna"]
    assert Event.objects.get(kind="session.started").details["why"] == "by hand: irina"
    assert AuditEntry.objects.filter(action="scenarios.scenario.start").count() == 1


def test_variables_are_written_one_a_line(page: Client, lead: Lead) -> None:
    hello = node("hello", "message", {"text": "{{ order_id | plus: 1 }} {{ postcode }} {{ shop }}"})
    scenario = make_scenario(lead.channel.bot, definition(node("start", "start", next="hello"), hello, policies={"arrival": "skip"}))
    address = f"/admin/scenarios/scenario/{scenario.pk}/start/"
    assert "Where a dialogue is open, nothing is started." in page.get(address).content.decode()
    page.post(address, {"people": "125", "entry": "", "params": "order_id: 7\r\n\r\npostcode = 0700\r\nshop: Corner: shop"})
    advancing.drain()
    assert list(Message.objects.filter(direction="out").values_list("text", flat=True)) == ["8 0700 Corner: shop"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"people": "125", "params": "["}, "params"),
        ({"people": "125", "params": "order 7"}, "params"),
        ({"people": "", "params": "{}"}, "people"),
        ({"people": "\n".join(map(str, range(101))), "params": ""}, "people"),
    ],
)
def test_wrong_input_is_told_at_its_field(page: Client, lead: Lead, fields: dict[str, str], message: str) -> None:
    scenario = make_scenario(lead.channel.bot, definition(node("start", "start", next="end"), node("end", "end")))
    answer = page.post(f"/admin/scenarios/scenario/{scenario.pk}/start/", fields)
    assert list(answer.context["form"].errors) == [message]


def test_a_draft_cannot_be_started(page: Client, lead: Lead) -> None:
    scenario = make_scenario(lead.channel.bot, definition(node("start", "start", next="end"), node("end", "end")), publish=False)
    answer = page.get(f"/admin/scenarios/scenario/{scenario.pk}/start/", follow=True)
    assert "Publish the scenario first" in answer.content.decode()
