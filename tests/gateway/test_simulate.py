"""Trying a scenario out over the API: what it answers, who may, and that nothing outside is touched."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.test import Client

from apps.accounts.models import User
from apps.core.models import InstanceSetting
from apps.gateway import tokens
from apps.scenarios import publishing
from apps.scenarios.models import Scenario
from tests.admin.world import make_staff
from tests.gateway.asserting import refused
from tests.making import make_bot, make_channel, make_lead
from tests.scenarios.definitions import Json, button, definition, node, question, thank_you
from tests.scenarios.jail.making import make_action
from tests.scenarios.making import make_scenario

pytestmark = pytest.mark.django_db
Ask = Callable[..., Any]
ADDRESS = "/api/scenarios/simulate"
NOON = "2026-05-20T12:00:00Z"


@pytest.fixture
def scenario() -> Scenario:
    return make_scenario(make_bot(name="Shop"), thank_you())


@pytest.fixture
def ask(client: Client) -> Ask:
    client.force_login(User.objects.create_superuser("owner", password="x"))

    def post(scenario: Scenario | None = None, **body: Any) -> Any:
        asked = {"input": {"kind": "start"}, "now": NOON, **body}
        whole = {"scenario": scenario.pk, **asked} if scenario else asked
        return client.post(ADDRESS, whole, content_type="application/json")

    return post


def counts() -> dict[str, int]:
    """Rows of every table but the session of the browser."""
    return {model._meta.label: model._default_manager.count() for model in apps.get_models() if model._meta.app_label != "sessions"}


def texts(answer: Json) -> list[str]:
    return [effect["content"].get("text", "") for effect in answer["effects"] if effect["kind"] == "say"]


def test_the_person_goes_back_a_question(ask: Ask) -> None:
    scenario = make_scenario(make_bot(), definition(
        node("start", "start", next="name"), node("name", "input", {"text": "Name?", "save_as": "name"}, ok="city"),
        node("city", "input", {"text": "City of {{ name }}?", "save_as": "city"}, ok="end"), node("end", "end"),
    ))  # fmt: skip
    state = ask(scenario).json()["state"]
    state = ask(scenario, state=state, input={"kind": "said", "text": "Ana"}).json()["state"]
    found = ask(scenario, state=state, input={"kind": "back"}).json()
    assert (texts(found), found["path"], found["variables"]["name"]) == (["Name?"], ["name"], "Ana")
    assert ask(scenario, state=found["state"], input={"kind": "back"}).json()["handled"] is False


def crm() -> Json:
    call = {"action": "action_send_request", "params": {"url": "{{ instance_settings.crm_url }}/orders", "headers": {"X-Key": "{{ instance_settings.crm_key }}"},
                                                       "body": {"n": "{{ order_id }}"}, "save": {"state": "json.state"}}}  # fmt: skip
    return definition(
        node("start", "start", next="call"),
        node("call", "action", call, ok="good", client_error="bad", server_error="bad"),
        node("good", "message", {"text": "State: {{ state }} {{ instance_settings.crm_key }}"}, next="end"),
        node("bad", "message", {"text": "It failed: {{ request_status }}"}, next="end"),
        node("end", "end"),
    )


# --- a chat ----------------------------------------------------------------------------------------------------------


def test_a_chat_goes_on_when_its_state_is_posted_back(ask: Ask, scenario: Scenario) -> None:
    first = ask(scenario, input={"kind": "start", "params": {"amount": 3500}}, person={"name": "Anna"}).json()
    assert texts(first) == ["Thank you, Anna! Amount 3500"]
    assert (first["path"], first["status"], first["waits_for"]["node"]) == (["start", "thanks"], "waiting", "thanks")
    assert first["variables"] == {"amount": 3500, "user_input": ""}
    second = ask(scenario, state=first["state"], input={"kind": "pressed", "button": "confirm", "label": "Confirm"}).json()
    assert (texts(second), second["path"], second["status"]) == (["Confirmed."], ["done", "end"], "ended")
    assert second["state"]["session"] is None


def test_the_draft_is_meant_unless_a_version_is_named(ask: Ask, scenario: Scenario) -> None:
    draft = json.loads(json.dumps(thank_you()))
    draft["sections"][0]["nodes"][1]["params"]["text"] = "New words"
    publishing.save_draft(scenario, draft, based_on=scenario.draft_version, user=None)
    assert texts(ask(scenario).json()) == ["New words"]
    assert texts(ask(scenario, version=1, person={"name": "Anna"}).json()) == ["Thank you, Anna! Amount "]
    refused(ask(scenario, version=9), 404, "not_found", "There is no such version.")


def test_it_may_begin_at_any_node_with_any_variables(ask: Ask, scenario: Scenario) -> None:
    answer = ask(scenario, input={"kind": "start", "node": "done"}).json()
    assert (texts(answer), answer["path"]) == (["Confirmed."], ["done", "end"])
    lost = ask(scenario, input={"kind": "start", "node": "nowhere"}).json()
    assert (lost["status"], lost["failure"]["code"]) == ("failed", "gone")


def test_time_can_be_skipped(ask: Ask, scenario: Scenario) -> None:
    asks = make_scenario(scenario.bot, question())
    first = ask(asks).json()
    assert first["waits_for"]["timers"] == [{"reason": "timeout", "due_at": "2026-05-20T12:01:00+00:00"}]
    body: Json = {"state": first["state"], "now": None}
    early = ask(asks, **body, input={"kind": "later", "seconds": 59}).json()
    assert (texts(early), early["now"], early["status"]) == ([], "2026-05-20T12:00:59Z", "waiting")
    late = ask(asks, **body, input={"kind": "later"}).json()
    assert (texts(late), late["now"]) == (["Too late."], "2026-05-20T12:01:00Z")
    again = ask(asks, state=early["state"], now=None, input={"kind": "later", "seconds": 3600}).json()
    assert (texts(again), again["now"]) == (["Too late."], "2026-05-20T12:00:59Z".replace("12:00:59", "13:00:59"))


def test_an_input_that_does_not_concern_the_question_changes_nothing(ask: Ask, scenario: Scenario) -> None:
    first = ask(scenario).json()
    old = ask(scenario, state=first["state"], input={"kind": "pressed", "button": "x", "node": "start", "visit": 1}).json()
    assert (old["handled"], old["status"], old["state"]["session"]) == (False, "waiting", first["state"]["session"])


def test_messages_are_told_as_each_messenger_shows_them(ask: Ask, scenario: Scenario) -> None:
    said = ask(scenario, show_in=["telegram", "api"]).json()["effects"][0]
    assert [[item["label"] for item in row] for row in said["parts"]["telegram"][0]["buttons"]] == [["Confirm", "Later"]]
    many = definition(
        node("start", "start", next="ask"), node("ask", "message", {"text": "x" * 5000, "buttons": [[button("b1", "Yes")]]}, b1="end"), node("end", "end")
    )  # fmt: skip
    parts = ask(definition=many, bot=scenario.bot_id, show_in=["telegram"]).json()["effects"][0]["parts"]["telegram"]
    assert ([len(part["text"]) for part in parts], "buttons" in parts[0], "buttons" in parts[1]) == ([4096, 904], False, True)


# --- actions ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def secret() -> None:
    InstanceSetting.objects.create(key="crm_url", value="https://crm.example", is_secret=False)
    InstanceSetting.objects.create(key="crm_key", value="sesame-open", is_secret=True)


def test_a_call_is_told_and_mocked_never_made(ask: Ask, scenario: Scenario, secret: None) -> None:
    reply = {"status": 200, "body": '{"state": "paid"}'}
    answer = ask(
        make_scenario(scenario.bot, crm()), input={"kind": "start", "params": {"order_id": 7}}, mocks=[{"node": "call", "reply": reply}]
    )
    act = answer.json()["effects"][0]
    assert act["request"] == {"method": "POST", "url": "https://crm.example/orders", "body": {"n": 7}}
    assert (act["answered_by"], act["answer"]["exit"], act["answer"]["values"]["state"]) == ("mock", "ok", "paid")
    assert texts(answer.json()) == ["State: paid •••"]
    assert "sesame" not in answer.content.decode()


def test_mocks_of_one_node_are_used_one_after_the_other(ask: Ask, scenario: Scenario, secret: None) -> None:
    data = crm()
    data["sections"][0]["nodes"][3] = node("bad", "message", {"text": "Again", "buttons": [[button("again", "Again")]]}, again="call")
    mocks = [{"node": "call", "exit": "server_error"}, {"node": "call", "exit": "ok", "values": {"state": "late"}}]
    first = ask(definition=data, bot=scenario.bot_id, mocks=mocks).json()
    assert texts(first) == ["Again"]
    second = ask(
        definition=data, bot=scenario.bot_id, mocks=mocks, state=first["state"], input={"kind": "pressed", "button": "again"}
    ).json()
    assert texts(second) == ["State: late •••"]


def test_without_a_mock_the_good_exit_is_assumed_or_an_answer_awaited(ask: Ask, scenario: Scenario, secret: None) -> None:
    assumed = ask(definition=crm(), bot=scenario.bot_id).json()
    assert (assumed["effects"][0]["answered_by"], assumed["path"]) == ("assumed", ["start", "call", "good", "end"])
    held = ask(definition=crm(), bot=scenario.bot_id, calls="hold").json()
    assert (held["status"], held["effects"][0]["answered_by"], held["effects"][0]["answer"]) == ("calling", "held", None)
    back = {"kind": "returned", "exit": "client_error", "values": {"request_status": 404}}
    after = ask(definition=crm(), bot=scenario.bot_id, calls="hold", state=held["state"], input=back).json()
    assert texts(after) == ["It failed: 404"]


def test_actions_on_stored_data_do_not_run(ask: Ask, scenario: Scenario) -> None:
    lead = make_lead(make_channel(scenario.bot), name="Anna")
    keep = {"action": "registered_users__set", "params": {"values": {"city": "Kyiv"}}}
    data = definition(node("start", "start", next="set"), node("set", "action", keep, next="end", ok="end"), node("end", "end"))
    answer = ask(definition=data, bot=scenario.bot_id, person={"id": lead.person_id}).json()
    assert (answer["status"], answer["effects"][0]["params"]) == ("ended", {"values": {"city": "Kyiv"}})
    lead.person.refresh_from_db()
    assert lead.person.attributes == {}


def test_javascript_of_the_bot_is_told_and_does_not_run(ask: Ask, scenario: Scenario) -> None:
    make_action("while (true) {}", key="check_stock", bot=scenario.bot)
    own = definition(node("start", "start", next="js"), node("js", "action", {"action": "check_stock"}, next="end"), node("end", "end"))
    answer = ask(definition=own, bot=scenario.bot_id).json()
    act = answer["effects"][0]
    assert (answer["path"], act["answered_by"], act["answer"]["exit"], act["request"]["method"]) == (
        ["start", "js", "end"],
        "assumed",
        "next",
        "JS",
    )
    foreign = make_bot()
    other = ask(definition=own, bot=foreign.pk).json()
    assert (other["effects"][0]["answer"]["exit"], other["status"]) == ("error", "failed")


# --- no hands --------------------------------------------------------------------------------------------------------


def test_nothing_is_written_and_nobody_is_called_whatever_is_posted(
    ask: Ask, scenario: Scenario, secret: None, django_assert_max_num_queries: Any
) -> None:
    """The guard of all tests fails this one when anything tries to reach the network."""
    lead = make_lead(make_channel(scenario.bot), name="Anna")
    everything = definition(
        node("start", "start", next="call"),
        node("call", "action", {"action": "action_send_request", "params": {"url": "http://198.51.100.7/x"}}, ok="event"),
        node("event", "emit_event", {"name": "paid", "data": {"a": 1}}, next="set"),
        node("set", "action", {"action": "registered_users__set", "params": {"values": {"city": "Kyiv"}}}, next="ask", ok="ask"),
        node("ask", "input", {"text": "?", "kind": "text", "timeout": {"amount": 1, "unit": "minutes"}}, ok="end", timeout="call2"),
        node("call2", "action", {"action": "action_send_request", "params": {"url": "http://198.51.100.7/y"}}, ok="end"),
        node("end", "end"),
    )
    ask(scenario)
    before = counts()
    first = ask(definition=everything, bot=scenario.bot_id, person={"lead": lead.code}).json()
    assert (first["status"], first["path"]) == ("waiting", ["start", "call", "event", "set", "ask"])
    with django_assert_max_num_queries(25):
        late = ask(
            definition=everything, bot=scenario.bot_id, person={"lead": lead.code}, state=first["state"], now=None, input={"kind": "later"}
        )
    assert late.json()["path"] == ["call2", "end"]
    assert counts() == before


@pytest.mark.parametrize(
    "session", [{"stack": "x"}, {"stack": [{"node": 5}], "wait": {"node": [], "visit": "x"}}, {"vars": [], "wait": 7}, {"visit": {}}]
)
def test_a_made_up_state_is_no_error(ask: Ask, scenario: Scenario, session: Json) -> None:
    for asked in ({"kind": "said", "text": "Hi"}, {"kind": "pressed", "button": "x"}, {"kind": "later"}, {"kind": "cancelled"}):
        answer = ask(scenario, state={"session": session}, input=asked)
        assert (answer.status_code, answer.json()["status"] in {"failed", "waiting", "ended"}) == (200, True)


def test_what_does_not_fit_is_refused_with_its_place(ask: Ask, scenario: Scenario) -> None:
    wrong = ask(scenario, input={"kind": "said", "text": 5})
    place = [{"field": "input.text", "message": "Write a text in quotes."}]
    refused(wrong, 400, "bad_request", "The request is not valid", errors=place)
    assert ask(input={"kind": "start"}).json()["errors"][0]["field"] == "scenario"
    assert ask(definition={}).json()["errors"][0]["field"] == "bot"
    broken = ask(definition={"sections": [{"id": "main", "nodes": [{"id": "a", "kind": "nonsense"}]}]}, bot=scenario.bot_id)
    assert (broken.status_code, broken.json()["code"], broken.json()["errors"][0]["node"]) == (400, "invalid_definition", "a")


# --- who may ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("role", "status"), [("integrator", 200), ("communications_manager", 200), ("analyst", 403), ("operator", 404)])
def test_it_needs_the_right_to_edit(client: Client, scenario: Scenario, role: str, status: int) -> None:
    client.force_login(make_staff(role, bots=[scenario.bot]))
    body = {"scenario": scenario.pk, "input": {"kind": "start"}}
    assert client.post(ADDRESS, body, content_type="application/json").status_code == status
    own = {"definition": thank_you(), "bot": scenario.bot_id, "input": {"kind": "start"}}
    assert client.post(ADDRESS, own, content_type="application/json").status_code == status
    foreign = make_scenario(make_bot(), thank_you())
    assert client.post(ADDRESS, {**body, "scenario": foreign.pk}, content_type="application/json").status_code == 404
    assert client.post(ADDRESS, {**own, "bot": foreign.bot_id}, content_type="application/json").status_code == 404


def test_people_of_another_bot_cannot_be_copied(ask: Ask, scenario: Scenario) -> None:
    foreign = make_lead(make_channel(make_bot()), name="Boris")
    refused(ask(scenario, person={"id": foreign.person_id}), 404, "not_found", "There is no such person.")
    refused(ask(scenario, person={"lead": foreign.code}), 404, "not_found", "There is no such person.")


def test_strangers_tokens_and_forged_requests_are_refused(client: Client, scenario: Scenario) -> None:
    body = {"scenario": scenario.pk, "input": {"kind": "start"}}
    refused(client.post(ADDRESS, body, content_type="application/json"), 401, "not_signed_in", "Sign in to the admin first")
    _row, clear = tokens.issue(name="CRM", bots=[scenario.bot])
    with_token = client.post(ADDRESS, body, content_type="application/json", headers={"Authorization": f"Bearer {clear}"})
    refused(with_token, 401, "not_signed_in", "Sign in to the admin first")
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.create_superuser("owner", password="x"))
    assert strict.post(ADDRESS, body, content_type="application/json").json()["code"] == "forged"
    assert strict.get(ADDRESS).json()["code"] == "method_not_allowed"
