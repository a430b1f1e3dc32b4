"""Every page and address of authoring, for every delivered role, on a scenario of the own bot and on one of another (security.md 5)."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Role
from apps.accounts.rights import DELIVERED
from apps.scenarios.commands.models import Command
from apps.scenarios.models import Scenario, ScenarioVersion, Session
from tests.admin.conftest import act, change
from tests.admin.world import World

pytestmark = pytest.mark.django_db
SignIn = Callable[..., Client]
PAGE, API = "/admin/scenarios/scenario/{pk}/", "/api/scenarios/{pk}/"
START = {"input": {"kind": "start"}}
# method, address, what is posted, the right that it takes
PAGES: list[tuple[str, str, Any, str]] = [
    ("get", PAGE + "builder/", None, "view"), ("post", PAGE + "check/", {"draft": "{}"}, "view"), ("get", PAGE + "publish/", None, "edit"),
    ("post", PAGE + "publish/", {}, "edit"), ("post", PAGE + "publish/", {"cancel": "1"}, "edit"), ("get", PAGE + "rollback/1/", None, "edit"),
    ("post", PAGE + "rollback/1/", {}, "edit"), ("get", PAGE + "preview/", None, "edit"), ("get", PAGE + "tests/", None, "view"),
    ("get", PAGE + "start/", None, "edit"), ("post", PAGE + "start/", {}, "edit"), ("get", PAGE + "languages/", None, "view"),
    ("get", PAGE + "languages/export/?format=csv", None, "view"), ("get", PAGE + "compare/", None, "view"), ("get", PAGE + "export/", None, "view"),
]  # fmt: skip
CALLS: list[tuple[str, str, Any, str]] = [
    ("post", PAGE + "preview/turn/", START, "edit"), ("post", PAGE + "preview/keep/", {"name": "x", "inputs": [START["input"]]}, "edit"),
    ("get", API + "builder", None, "view"), ("post", API + "lint", {"definition": {}}, "view"), ("get", API + "draft", None, "view"),
    ("put", API + "draft", {"definition": {}, "layout": {}}, "edit"), ("post", API + "presence", {"window": "w"}, "view"),
    ("get", API + "versions", None, "view"), ("get", API + "publication", None, "edit"), ("post", API + "publication", {"based_on": 0}, "edit"),
    ("post", API + "rollback", {"version": 1}, "edit"), ("get", API + "tests", None, "view"), ("post", API + "tests", {"name": "y", "inputs": [START["input"]]}, "edit"),
    ("get", API + "differences", None, "view"), ("post", "/api/scenarios/simulate", {"scenario": "{pk}", **START}, "edit"),
]  # fmt: skip
REFUSED = {403, 404}


def status(browser: Client, method: str, address: str, data: Any, pk: int) -> int:
    """Of a page, or of an address that takes JSON."""
    address = address.format(pk=pk)
    if method == "get":
        return browser.get(address).status_code
    if address.startswith("/api/") or address.endswith(("/turn/", "/keep/")):
        body = {key: pk if value == "{pk}" else value for key, value in data.items()}
        return browser.generic(
            method.upper(), address, json.dumps(body), content_type="application/json", headers={"If-Match": '"0"'}
        ).status_code
    return browser.post(address, data).status_code


@pytest.mark.parametrize("role", sorted(DELIVERED))
def test_each_address_takes_its_right_on_this_very_scenario(role: str, signed_in: SignIn, shop: World, bank: World) -> None:
    browser = signed_in(role, bots=[shop.bot])
    verbs = Role.objects.get(key=role).permissions.get("scenarios", [])
    for method, address, data, right in [*PAGES, *CALLS]:
        found = status(browser, method, address, data, shop.scenario.pk)
        assert (address, method, found in REFUSED) == (address, method, right not in verbs), found
        if verbs:
            foreign = status(browser, method, address, data, bank.scenario.pk)
            assert (address, method, foreign in REFUSED) == (address, method, True)


def test_nobody_signed_in_gets_nothing(client: Client, shop: World) -> None:
    for method, address, data, _right in PAGES:
        assert (address, status(client, method, address, data, shop.scenario.pk)) == (address, 302)
    for method, address, data, _right in CALLS:
        assert status(client, method, address, data, shop.scenario.pk) in {302, 401, 403}, address


def test_who_may_only_look_changes_nothing(signed_in: SignIn, shop: World) -> None:
    """Of what a viewer may open, the buttons behind it are refused too."""
    browser = signed_in("supervisor", bots=[shop.bot])
    version = ScenarioVersion.objects.get(scenario=shop.scenario)
    before = (Scenario.objects.values_list("draft_version", flat=True)[0], ScenarioVersion.objects.count(), Session.objects.count())
    browser.post(f"/admin/scenarios/scenario/{shop.scenario.pk}/tests/", {})
    shop.rows["scenarios.SavedTest"].refresh_from_db()
    assert shop.rows["scenarios.SavedTest"].last_run_at is None  # type: ignore[attr-defined]
    assert browser.post(f"/admin/scenarios/scenario/{shop.scenario.pk}/languages/", {"file": ""}).status_code in {200, 403}
    for address in (act(version, "rollback"), act(shop.rows["scenarios.SavedTest"], "run")):
        assert (address, browser.post(address).status_code) == (address, 403)
    text = browser.get(change(shop.scenario)).content.decode()
    assert all(name not in text for name in ("/publish/", "/preview/", "/start/", "/rollback/"))
    assert before == (Scenario.objects.values_list("draft_version", flat=True)[0], ScenarioVersion.objects.count(), Session.objects.count())


def test_global_commands_of_other_bots_are_out_of_reach(signed_in: SignIn, shop: World, bank: World) -> None:
    theirs = Command.objects.create(bot=bank.bot, kind="stop", words="stop")
    browser = signed_in("integrator", bots=[shop.bot])
    data = {"kind": "start", "words": "menu", "text": "", "language": "", "speaks": "", "is_active": "on"}
    assert browser.get(change(theirs)).status_code == 302
    assert browser.post(change(theirs), {**data, "bot": bank.bot.pk, "kind": "stop"}).status_code == 302
    for foreign in ({"bot": bank.bot.pk, "scenario": bank.scenario.pk}, {"bot": shop.bot.pk, "scenario": bank.scenario.pk}):
        assert browser.post("/admin/scenarios/command/add/", {**data, **foreign}).status_code == 200  # refused by the form
    theirs.refresh_from_db()
    assert (theirs.words, Command.objects.count()) == ("stop", 1)
    assert browser.post("/admin/scenarios/command/add/", {**data, "bot": shop.bot.pk, "scenario": shop.scenario.pk}).status_code == 302
    assert Command.objects.filter(bot=shop.bot).count() == 1
