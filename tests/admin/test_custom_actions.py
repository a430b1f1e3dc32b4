"""The Action Jail's pages: writing, trying out, keeping test cases, publishing, comparing, rolling back."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from apps.bots.models import Bot
from apps.core.models import AuditEntry
from apps.scenarios.models import CustomAction, CustomActionTest, CustomActionVersion
from tests.admin.conftest import act, change, listing
from tests.making import make_bot
from tests.scenarios.definitions import definition, node
from tests.scenarios.jail.making import make_action
from tests.scenarios.making import make_scenario

pytestmark = pytest.mark.django_db
CODE = "log('for', ctx.user.user_name); const r = await callApi('https://crm.example/a'); exit(r.body.found ? 'found' : 'missing', {n: ctx.params.n})"


@pytest.fixture
def bot(db: None) -> Bot:
    return make_bot(name="Shop")


def form(action: CustomAction, **fields: Any) -> dict[str, Any]:
    return {
        "name": action.name, "bot": action.bot_id or "", "description": "", "is_active": "on", "code": action.code, "params": json.dumps(action.params),
        "exits": json.dumps(action.exits), "based_on": action.draft_version, "_continue": "1", **fields,
    }  # fmt: skip


def post(client: Client, address: str, body: Any) -> Any:
    return client.post(address, json.dumps(body), content_type="application/json")


def address(action: CustomAction, what: str) -> str:
    return f"/admin/scenarios/customaction/{action.pk}/{what}/"


def test_an_action_is_made_changed_and_has_a_history(page: Client, bot: Bot) -> None:
    new = {
        "name": "Check stock",
        "key": "check_stock",
        "bot": bot.pk,
        "description": "",
        "is_active": "on",
        "code": "return 1",
        "params": "[]",
        "exits": "[]",
    }
    made = page.post("/admin/scenarios/customaction/add/", new)
    action = CustomAction.objects.get()
    assert (made.status_code, made["Location"], action.key, action.code) == (302, change(action), "check_stock", "return 1")

    params = [{"name": "n", "type": "integer", "required": True, "default": "", "help": ""}]
    page.post(change(action), form(action, code="return 2\r\n", params=json.dumps(params), exits='[{"name": "found", "label": "Found"}]'))
    action.refresh_from_db()
    assert (action.code, action.params[0]["type"], action.exits, action.draft_version) == (
        "return 2\n",
        "integer",
        [{"name": "found", "label": "Found"}],
        2,
    )
    assert action.history.count() == 2
    assert "check_stock" in page.get(listing("scenarios.CustomAction")).content.decode()


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"key": "action_send_request"}, "belongs to an action of the product"),
        ({"key": "Check"}, "small Latin letters"),
        ({"params": '[{"name": "1"}]'}, "is no name"),
        ({"exits": "{"}, "line 1"),
    ],
)
def test_what_cannot_be_saved_is_explained(page: Client, fields: dict[str, str], complaint: str) -> None:
    new = {"name": "A", "key": "check_a", "bot": "", "description": "", "is_active": "on", "code": "", "params": "[]", "exits": "[]"}
    shown = page.post("/admin/scenarios/customaction/add/", {**new, **fields})

    assert (shown.status_code, CustomAction.objects.count()) == (200, 0)
    assert complaint in shown.content.decode()


def test_a_save_over_somebody_elses_draft_is_refused_once(page: Client) -> None:
    action = make_action("return 1", publish=False)
    opened = form(action, code="return 'mine'")
    page.post(change(action), form(action, code="return 'theirs'"))

    assert "somebody else has saved" in page.post(change(action), opened).content.decode()
    action.refresh_from_db()
    assert action.code == "return 'theirs'"


def test_the_draft_is_tried_out_with_prepared_answers(page: Client) -> None:
    action = make_action("", publish=False)
    declared = {"params": [{"name": "n", "type": "integer", "required": True}], "exits": [{"name": "found"}, {"name": "missing"}]}
    asked = {
        "code": CODE, "declared": declared, "given": {"params": {"n": "5"}, "user": {"user_name": "Anna"}},
        "mocks": [{"url": "https://crm.example/*", "body": {"found": True}}],
    }  # fmt: skip
    shown = post(page, address(action, "try"), asked).json()

    assert (shown["exit"], shown["value"], shown["error"], shown["logs"]) == ("found", {"n": 5}, None, ["for Anna"])
    assert [(row["what"], row["answer"]) for row in shown["asked"]] == [("callApi", 200)]
    wrong = post(page, address(action, "try"), {**asked, "given": {"params": {"n": "many"}}})
    assert (wrong.status_code, wrong.json()["error"]["text"].startswith("n: ")) == (400, True)
    thrown = post(page, address(action, "try"), {**asked, "code": "\n\nnull.x"}).json()
    assert (thrown["exit"], thrown["error"]["line"]) == ("error", 3)


def test_the_editor_is_told_where_the_code_is_wrong(page: Client) -> None:
    check = "/admin/scenarios/customaction/check/"

    assert post(page, check, {"code": "const a = await callApi('x')\nreturn a"}).json() == {}
    wrong = post(page, check, {"code": "let a = 1\nlet b = = 2"}).json()
    assert (wrong["line"], wrong["message"].startswith("SyntaxError")) == (2, True)
    assert post(page, check, {"code": "let a = ;"}).json()["column"] == 9


def test_kept_test_cases_run_before_publishing(page: Client) -> None:
    action = make_action("exit('found')", publish=False, exits=[{"name": "found"}])
    case: dict[str, Any] = {"name": "Found", "given": {"params": {}}, "mocks": [], "expected_exit": "found", "expected": None}
    post(page, address(action, "cases"), case)
    assert "passes" in page.get(address(action, "publish")).content.decode()
    assert page.post(address(action, "publish"), {"note": "first"}).status_code == 302
    assert AuditEntry.objects.filter(action="scenarios.customaction.publish").count() == 1

    CustomAction.objects.update(code="exit('error')")
    refused = page.post(address(action, "publish"), {"note": ""})
    assert (refused.status_code, CustomActionVersion.objects.count()) == (200, 1)
    assert "instead of “found”" in refused.content.decode()
    page.post(address(action, "publish"), {"note": "", "despite": "the case is old"})
    assert CustomActionVersion.objects.latest("number").despite == "the case is old"

    post(page, address(action, "cases"), {"delete": CustomActionTest.objects.get().pk})
    assert CustomActionTest.objects.count() == 0


def test_versions_are_compared_and_rolled_back(page: Client, bot: Bot) -> None:
    action = make_action("return 1")
    page.post(change(action), form(action, code="return 2"))
    assert "-return 1" in page.get(address(action, "compare")).content.decode()
    page.post(address(action, "publish"), {"note": ""})
    first = CustomActionVersion.objects.get(number=1)

    page.post(act(first, "rollback"))

    action.refresh_from_db()
    assert (action.code, action.published and action.published.number) == ("return 1", 3)
    assert page.get(change(first)).status_code == 200
    assert page.get(listing("scenarios.CustomActionVersion")).status_code == 200


def test_the_page_names_who_uses_it(page: Client, bot: Bot) -> None:
    action = make_action("return 1", bot=bot)
    make_scenario(
        bot,
        definition(
            node("start", "start", next="run"),
            node("run", "action", {"action": "check_stock"}, next="end", error="end"),
            node("end", "end"),
        ),
    )

    shown = page.get(change(action)).content.decode()

    assert "Who uses it" in shown
    assert "run" in shown


def test_rights_decide(signed_in: Callable[..., Client], bot: Bot) -> None:
    mine, foreign = make_action("return 1", bot=bot), make_action("return 1", key="foreign", bot=make_bot())

    reader = signed_in("communications_manager", bots=[bot])
    assert reader.get(change(mine)).status_code == 200
    assert post(reader, address(mine, "try"), {"code": "return 1"}).status_code == 403
    assert reader.get(address(mine, "publish")).status_code == 403

    writer = signed_in("integrator", bots=[bot])
    assert post(writer, address(mine, "try"), {"code": "return 1"}).status_code == 200
    assert post(writer, address(foreign, "try"), {"code": "return 1"}).status_code == 404
    assert writer.get(address(foreign, "compare")).status_code == 404
    assert signed_in("operator", bots=[bot]).get(listing("scenarios.CustomAction")).status_code == 403


def test_without_the_built_editor_the_page_says_so(page: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.scenarios.admin.custom_actions.SCRIPT", "app/not_built.js")

    shown = page.get(change(make_action("return 1"))).content.decode()

    assert "The code editor is not built" in shown
    assert "python -m tools.frontend" in shown
