"""What the builder is told of kinds, of a draft's problems and blocks, and of colleagues."""

import json
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.bots.models import Bot
from apps.core.models import Constant, InstanceSetting, StoredFile
from apps.identity.models import ClientField
from apps.scenarios.models import Scenario
from apps.scenarios.registry import actions, blocks
from tests.making import make_channel
from tests.scenarios.builder.conftest import address, save
from tests.scenarios.definitions import button, definition, node, says, thank_you

pytestmark = pytest.mark.django_db


def lint(page: Client, scenario: Scenario, draft: Any) -> Any:
    answer = page.post(address(scenario, "lint"), {"definition": draft}, content_type="application/json")
    assert answer.status_code == 200, answer.content
    return answer.json()


def described(page: Client, scenario: Scenario) -> Any:
    answer = page.get(address(scenario, "builder"))
    assert answer.status_code == 200
    return answer.json()


# --- kinds ---------------------------------------------------------------------------------------------------------------


def test_every_kind_is_described_with_label_help_schema_and_exits(page: Client, scenario: Scenario) -> None:
    told = described(page, scenario)
    assert [block["kind"] for block in told["blocks"]] == list(blocks)
    assert [action["kind"] for action in told["actions"]] == list(actions)
    groups = {group["name"] for group in told["groups"]}
    for block in told["blocks"]:
        assert all((block["label"], block["help"], block["icon"], block["group"] in groups, block["schema"]["type"] == "object"))
    message = next(block for block in told["blocks"] if block["kind"] == "message")
    assert [spec["name"] for spec in message["exits"]] == ["next"]
    assert message["schema"]["$defs"]["Button"]["properties"]["id"]["x-role"] == "id"
    request = next(action for action in told["actions"] if action["kind"] == "action_send_request")
    assert [spec["name"] for spec in request["exits"]] == [spec.name for spec in actions["action_send_request"].exits]


def test_names_files_and_limits_of_this_bot_are_offered(page: Client, scenario: Scenario, bot: Bot) -> None:
    make_channel(bot, kind="widget")
    ClientField.objects.create(key="city", label="City")
    Constant.objects.create(key="shop", value="Coffee", description="Name of the shop")
    InstanceSetting.objects.create(key="crm_key", value="topsecret", is_secret=True, description="Key of the CRM")
    StoredFile.objects.create(key="menu", name="menu.pdf", size=1)
    told = described(page, scenario)
    names = {name["name"]: (name["kind"], name["help"]) for name in told["names"]}
    assert (names["city"], names["constants.shop"]) == (("person", "City"), ("constant", "Name of the shop"))
    assert names["instance_settings.crm_key"] == ("setting", "Key of the CRM (secret: in actions only)")
    assert "topsecret" not in json.dumps(told)
    assert (told["files"], [channel["kind"] for channel in told["channels"]]) == (["menu"], ["widget"])


def test_descriptions_are_in_the_language_of_the_reader(page: Client, scenario: Scenario) -> None:
    english = described(page, scenario)
    assert next(block["label"] for block in english["blocks"] if block["kind"] == "message") == "Message with buttons"
    assert english["definition_schema"]["$defs"]["Section"]["properties"]["macro"]["title"] == "Used as macro"


# --- problems ------------------------------------------------------------------------------------------------------------


def test_a_good_draft_has_no_problems_and_tells_its_exits_and_variables(page: Client, scenario: Scenario) -> None:
    draft = definition(
        node("start", "start", next="ask"),
        node("ask", "input", {"text": "Name?", "save_as": "name"}, ok="go"),
        node("go", "exit", {"section": "two"}),
    )
    draft["sections"].append({"id": "two", "name": "Two", "nodes": [node("begin", "start", next="end"), node("end", "end")]})
    told = lint(page, scenario, draft)
    assert told["problems"] == []
    assert told["nodes"]["ask"]["sets"] == ["name"]
    assert [(spec["name"], spec["required"], spec["failure"]) for spec in told["nodes"]["ask"]["exits"]] == [
        ("ok", True, False), ("no_match", False, False), ("attempts", False, True), ("cancelled", False, False),
    ]  # fmt: skip
    assert told["nodes"]["go"]["exits"] == [
        {"name": "go", "label": "To the section", "failure": False, "required": False, "waits": False, "leads": "section", "section": "two", "entry": ""}
    ]  # fmt: skip


def test_a_problem_names_block_and_field(page: Client, scenario: Scenario, bot: Bot) -> None:
    draft = definition(
        node("start", "start", next="say"),
        node("say", "message", {"text": "Hi {{ user_nmae }}", "buttons": [[button("a", "A" * 300), button("b", "No")]]}, a="start"),
        node("lost", "end"),
        languages=["en", "ru"],
    )
    make_channel(bot, kind="telegram")
    found = {(problem["code"], problem["level"], problem["node"], problem["field"]) for problem in lint(page, scenario, draft)["problems"]}
    assert ("missing_exit", "error", "say", "exits.b") in found
    assert ("unreachable", "warning", "lost", "") in found
    assert ("long_label", "warning", "say", "params.buttons.0.0.label") in found
    assert ("translation", "warning", "say", "params.text") in found


def test_a_circle_and_a_connection_to_nothing_are_errors(page: Client, scenario: Scenario) -> None:
    variables = {"variables": [{"name": "x", "value": 1}]}
    circle = definition(
        node("start", "start", next="a"), node("a", "set_variable", variables, next="b"), node("b", "set_variable", variables, next="a")
    )
    assert [problem["code"] for problem in lint(page, scenario, circle)["problems"]] == ["circle"]
    dangling = definition(node("start", "start", next="gone"))
    assert [problem["code"] for problem in lint(page, scenario, dangling)["problems"]] == ["exit_to_nowhere"]


@pytest.mark.parametrize(
    "draft",
    [None, 1, "x", [], {}, {"sections": []}, {"sections": [{"id": "a", "nodes": [{"kind": 1}]}]}, {"schema_version": 99, "sections": 1}],
)
def test_whatever_is_checked_the_answer_is_a_list_of_problems(page: Client, scenario: Scenario, draft: Any) -> None:
    told = lint(page, scenario, draft) if draft is not None else {"problems": [1], "nodes": {}}
    assert (bool(told["problems"]), told["nodes"]) == (True, {})


def test_a_block_that_cannot_be_read_yet_is_left_out_and_the_others_are_told(page: Client, scenario: Scenario) -> None:
    told = lint(page, scenario, definition(node("start", "start", next="r"), node("r", "router"), node("x", "nothing")))
    assert sorted(told["nodes"]) == ["start"]


def test_a_check_stores_nothing(page: Client, scenario: Scenario) -> None:
    lint(page, scenario, says("Other"))
    scenario.refresh_from_db()
    assert (scenario.draft, scenario.draft_version) == (thank_you(), 1)


# --- colleagues ----------------------------------------------------------------------------------------------------------


def meet(page: Client, scenario: Scenario, window: str, **more: Any) -> Any:
    return page.post(address(scenario, "presence"), {"window": window, **more}, content_type="application/json").json()


def test_two_people_see_each_other_and_the_revision(page: Client, scenario: Scenario) -> None:
    boris = Client()
    boris.force_login(User.objects.create_superuser("boris", password="a long passphrase"))
    assert meet(page, scenario, "window-1", node="say") == {"revision": 1, "others": []}
    assert meet(boris, scenario, "window-2") == {
        "revision": 1,
        "others": [{"window": "window-1", "name": "Anna", "mine": False, "node": "say"}],
    }
    save(page, scenario, says("Hello"))
    assert meet(boris, scenario, "window-2")["revision"] == 2
    assert meet(page, scenario, "window-3")["others"][0] == {"window": "window-1", "name": "Anna", "mine": True, "node": "say"}
    meet(page, scenario, "window-1", leave=True)
    assert [other["window"] for other in meet(boris, scenario, "window-2")["others"]] == ["window-3"]


def test_a_window_that_no_longer_asks_is_gone(page: Client, scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    meet(page, scenario, "window-1")
    monkeypatch.setattr("apps.scenarios.builder.presence.SECONDS", -1)
    assert meet(page, scenario, "window-2")["others"] == []


@pytest.mark.parametrize("window", ["", "short", "x" * 65, "window 1 2 3", None])
def test_a_window_needs_a_name(page: Client, scenario: Scenario, window: Any) -> None:
    assert page.post(address(scenario, "presence"), {"window": window}, content_type="application/json").status_code == 400


# --- the page ------------------------------------------------------------------------------------------------------------


def test_without_a_build_the_page_says_so_and_offers_the_json_editor(
    page: Client, scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.scenarios.admin.builder.SCRIPT", "app/not-built.js")
    text = page.get(f"/admin/scenarios/scenario/{scenario.pk}/builder/").content.decode()
    assert "The builder is not built on this installation" in text
    assert f'href="/admin/scenarios/scenario/{scenario.pk}/change/"' in text
    assert 'id="builder"' not in text


def test_the_page_gives_addresses_and_rights_without_inline_scripts(
    page: Client, scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.scenarios.admin.builder.SCRIPT", "admin_ui/admin.js")
    scenario.name = "</script><script>alert(1)</script>"
    scenario.save()
    answer = page.get(f"/admin/scenarios/scenario/{scenario.pk}/builder/")
    text = answer.content.decode()
    data = json.loads(text.split('<script id="builder-data" type="application/json">')[1].split("</script>")[0])
    assert (data["urls"]["draft"], data["may_edit"], data["id"]) == (address(scenario, "draft"), True, scenario.pk)
    assert "<script>alert(1)" not in text
    assert "'unsafe-inline'" not in answer.headers["Content-Security-Policy"].split("script-src")[1].split(";")[0]


def test_who_may_only_look_gets_the_page_locked(scenario: Scenario, staff: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.scenarios.admin.builder.SCRIPT", "admin_ui/admin.js")
    text = staff("analyst").get(f"/admin/scenarios/scenario/{scenario.pk}/builder/").content.decode()
    assert '"may_edit": false' in text
    assert staff("operator").get(f"/admin/scenarios/scenario/{scenario.pk}/builder/").status_code in (403, 404)
