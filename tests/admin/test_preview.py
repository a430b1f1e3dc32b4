"""The chat preview: who may open it, that it is inert, and that a ticked call goes out through the guarded client."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.apps import apps
from django.test import Client

from apps.core.models import AuditEntry, InstanceSetting
from apps.identity.models import Person
from apps.scenarios.models import Scenario
from tests.admin.world import World
from tests.scenarios.definitions import Json, definition, node, question
from tests.scenarios.making import make_scenario
from tests.scenarios.test_outside_calls import Crm
from tests.scenarios.test_outside_calls import crm as serve_crm

pytestmark = pytest.mark.django_db
Turn = Callable[..., Any]


@pytest.fixture
def crm() -> Iterator[Crm]:
    yield from serve_crm.__wrapped__()  # type: ignore[attr-defined]


def address(scenario: Scenario, what: str = "") -> str:
    return f"/admin/scenarios/scenario/{scenario.pk}/preview/{what}"


@pytest.fixture
def turn(page: Client) -> Turn:
    def post(scenario: Scenario, **body: Any) -> Any:
        return page.post(address(scenario, "turn/"), {"input": {"kind": "start"}, **body}, content_type="application/json")

    return post


def calling(url: str, **headers: str) -> Json:
    call = {"action": "action_send_request", "params": {"method": "GET", "url": url, "headers": headers, "save": {"status": "json.status"}}}
    return definition(
        node("start", "start", next="call"),
        node("call", "action", call, ok="good", refused="bad"),
        node("good", "message", {"text": "It is {{ status }}."}, next="end"),
        node("bad", "message", {"text": "Refused."}, next="end"),
        node("end", "end"),
    )


def texts(answer: Any) -> list[str]:
    return [effect["content"]["text"] for effect in answer.json()["effects"] if effect["kind"] == "say"]


def test_the_page_offers_every_block_entry_and_channel(page: Client, shop: World) -> None:
    answer = page.get(address(shop.scenario))
    text = answer.content.decode()
    assert answer.status_code == 200
    assert 'value="node:thanks"' in text
    assert '<option value="widget">' in text
    assert "<script>" not in text
    assert "onclick" not in text


@pytest.mark.parametrize(("role", "status"), [("integrator", 200), ("analyst", 403), ("operator", 403)])
def test_it_opens_for_who_may_edit(signed_in: Callable[..., Client], shop: World, bank: World, role: str, status: int) -> None:
    browser = signed_in(role, bots=[shop.bot])
    body = {"input": {"kind": "start"}}
    answers = [browser.get(address(shop.scenario)), browser.post(address(shop.scenario, "turn/"), body, content_type="application/json")]
    assert {answer.status_code for answer in answers} <= {status, 404}
    assert browser.get(address(bank.scenario)).status_code == 404


def test_a_turn_tells_what_the_api_tells(turn: Turn, shop: World) -> None:
    answer = turn(shop.scenario, person={"lead": shop.lead.code}, show_in=["widget"])
    assert texts(answer) == ["Thank you, Anna of Shop! Amount "]
    assert list(answer.json()["effects"][0]["parts"]) == ["widget"]
    assert turn(make_scenario(shop.bot, question(), publish=False)).json()["status"] == "waiting"


def test_a_definition_of_ones_own_does_not_run_here(turn: Turn, shop: World) -> None:
    assert turn(shop.scenario, definition=question(), bot=shop.bot.pk).status_code == 400
    assert turn(shop.scenario, input={"kind": "nonsense"}).status_code == 400
    assert turn(shop.scenario, person={"id": 0}).status_code == 404


def test_calls_are_only_told_unless_they_are_ticked(turn: Turn, shop: World, crm: Crm) -> None:
    crm.answers.append((200, {}, b'{"status": "shipped"}'))
    InstanceSetting.objects.create(key="crm_key", value="sesame-open", is_secret=True)
    scenario = make_scenario(shop.bot, calling(f"{crm.url}/orders", **{"X-Key": "{{ instance_settings.crm_key }}"}))
    told = turn(scenario)
    assert (texts(told), crm.asked) == (["It is ."], [])
    live = turn(scenario, live=True)
    assert (texts(live), live.json()["effects"][0]["answered_by"]) == (["It is shipped."], "live")
    [asked] = crm.asked
    assert (asked["path"], asked["headers"]["X-Key"]) == ("/orders", "sesame-open")
    assert "sesame" not in live.content.decode()
    entry = AuditEntry.objects.get(action="scenarios.preview.call")
    assert entry.changes == {"called": "action_send_request", "host": crm.url.removeprefix("http://")}
    mocked = turn(scenario, live=True, mocks=[{"node": "call", "values": {"status": "mocked"}}])
    assert (texts(mocked), len(crm.asked)) == (["It is mocked."], 1)


def test_a_ticked_call_goes_through_the_guard(turn: Turn, shop: World) -> None:
    live = turn(make_scenario(shop.bot, calling("http://10.1.2.3/orders")), live=True)
    assert texts(live) == ["Refused."]


def test_even_a_live_turn_leaves_no_row_but_the_note_of_its_call(turn: Turn, shop: World, crm: Crm) -> None:
    keep = {"action": "registered_users__set", "params": {"values": {"city": "Kyiv"}}}
    call = {"action": "action_send_request", "params": {"method": "GET", "url": crm.url}}
    data = definition(
        node("start", "start", next="set"),
        node("set", "action", keep, next="call", ok="call"),
        node("call", "action", call, ok="end"),
        node("end", "end"),
    )
    scenario = make_scenario(shop.bot, data)

    def rows() -> dict[str, int]:
        return {model._meta.label: model._default_manager.count() for model in apps.get_models() if model._meta.app_label != "sessions"}

    before = rows()
    answer = turn(scenario, live=True, person={"lead": shop.lead.code})
    assert answer.json()["status"] == "ended"
    assert rows() == {**before, "core.AuditEntry": before["core.AuditEntry"] + 1}
    assert "city" not in Person.objects.get(pk=shop.person.pk).attributes
