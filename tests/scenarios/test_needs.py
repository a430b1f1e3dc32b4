"""What a definition names that an installation must have; the report of imports between installations."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client

from apps.accounts.models import User
from apps.core.models import Constant, InstanceSetting
from apps.customdata.models import Table
from apps.scenarios import botfile, fixtures_io, needs
from apps.scenarios.models import Scenario
from tests.making import make_bot
from tests.scenarios.definitions import Json, definition, node, thank_you
from tests.scenarios.making import make_scenario

pytestmark = pytest.mark.django_db


def naming() -> Json:
    find = {"action": "custom_modules__get", "params": {"model": "complaints", "value": "{{ constants.first }}"}}
    return definition(
        node("start", "start", next="call"),
        node("call", "action", {"action": "action_send_request", "params": {"url": "{{ instance_settings.crm_url }}/x"}}, ok="find"),
        node("find", "action", find, ok="price"),
        node("price", "message", {"text": "{{ constants.shop }}", "media": [{"kind": "file", "file": "price-list"}]}, next="own"),
        node("own", "action", {"action": "check_stock"}, next="end"),
        node("end", "end"),
    )


def named(found: list[needs.Need]) -> list[tuple[str, str]]:
    return [(need.kind, need.key) for need in found]


def test_everything_that_is_named_is_found_once() -> None:
    found = needs.needs_of(naming(), make_bot())
    assert named(found) == [
        ("action", "action_send_request"), ("action", "check_stock"), ("action", "custom_modules__get"), ("block", "action"), ("block", "end"),
        ("block", "message"), ("block", "start"), ("constant", "first"), ("constant", "shop"), ("file", "price-list"), ("setting", "crm_url"),
        ("table", "complaints"),
    ]  # fmt: skip


def test_what_is_there_is_not_missing() -> None:
    bot = make_bot()
    Constant.objects.create(key="shop", value="Shop")
    InstanceSetting.objects.create(key="crm_url", value="https://crm.example", is_secret=False)
    Table.objects.create(name="Complaints", alias="complaints")
    assert named(needs.missing(naming(), bot)) == [("action", "check_stock"), ("constant", "first"), ("file", "price-list")]
    assert needs.missing(thank_you(), bot) == []


@pytest.mark.parametrize("data", [None, 5, {}, {"sections": [{"nodes": [{"id": "a", "kind": [], "params": {"media": "x", "action": 5}}]}]}])
def test_anything_may_be_asked(data: Any) -> None:
    assert [need.present for need in needs.needs_of(data, None)] in ([], [False])


def test_a_bot_taken_to_another_installation_reports_what_is_missing(tmp_path: Path) -> None:
    make_scenario(make_bot(name="Shop"), thank_you(), key="thank-you")
    bot = make_bot(name="Source")
    make_scenario(bot, naming(), key="order", publish=False)
    file = tmp_path / "bot.json"
    file.write_text(botfile.dump(fixtures_io.export_bot(bot)))
    out = StringIO()
    other = make_bot(name="Target")
    call_command("import_bot", str(file), "--bot", str(other.pk), "--check", stdout=out)
    lines = out.getvalue().splitlines()
    assert "created  scenario order" in lines
    assert [line for line in lines if line.startswith("missing")] == [
        "missing  action check_stock (named by order)", "missing  constant first (named by order)", "missing  constant shop (named by order)",
        "missing  file price-list (named by order)", "missing  setting crm_url (named by order)", "missing  table complaints (named by order)",
    ]  # fmt: skip
    assert not Scenario.objects.filter(bot=other).exists()


def test_a_scenario_made_from_a_file_says_what_is_missing(client: Client) -> None:
    client.force_login(User.objects.create_superuser("owner", password="x"))
    bot = make_bot()
    exported = make_scenario(bot, naming(), key="source", publish=False)
    body = client.get(f"/admin/scenarios/scenario/{exported.pk}/export/").content
    data = {
        "bot": bot.pk,
        "name": "Copy",
        "key": "copy",
        "description": "",
        "begin_with": "empty",
        "file": SimpleUploadedFile("order.json", body),
    }
    answer = client.post("/admin/scenarios/scenario/add/", data, follow=True)
    told = [str(message) for message in answer.context["messages"]]
    assert told[1].startswith("This installation does not have what the scenario names: action check_stock, constant first")
    assert Scenario.objects.get(key="copy").draft == exported.draft
