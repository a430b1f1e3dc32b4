"""Files of other systems through the command and the admin; and files that hold anything at all."""

import json
import random
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client

from apps.accounts.models import Role, RoleAssignment, User
from apps.accounts.rights import DELIVERED
from apps.bots.models import Bot
from apps.core.models import AuditEntry
from apps.identity.models import ClientField
from apps.scenarios import importing
from apps.scenarios.admin.looking import packed
from apps.scenarios.engine import lint
from apps.scenarios.importer import ForeignFileError
from apps.scenarios.importing import importers
from apps.scenarios.models import Scenario
from apps.scenarios.registry import actions, blocks
from tests.scenarios.importers.files import CALLS, LEGACY, ORDER, RATING, SURVEY, TYPEBOT, WHOLE, export, flow, node, said, switch

PAGE = "/admin/scenarios/scenario/import-flows/"
FILES = {"survey": SURVEY, "order": ORDER, "legacy": LEGACY, "typebot": TYPEBOT, "calls": CALLS, "whole": WHOLE, "rating": RATING}
SCRIPT = "<script>alert(1)</script>"
STRANGE: list[Any] = [
    None, True, 0, -1, 1e308, "", "x", "@(", "@(if(", "{{", "{%", "\x00", "\ud800", [], {}, [None], {"type": {}}, "A" * 20_000, [[[[]]]], "@" * 500, SCRIPT,
    "constants", "email", "[" * 60, "(?P<", "é" * 90, "_" * 90, "9" * 90,
]  # fmt: skip


@pytest.fixture
def bot(db: None) -> Bot:
    return Bot.objects.create(name="Shop")


@pytest.fixture
def page(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("chief", password="x"))
    return client


def spoiled(value: Any, chance: random.Random) -> Any:
    """The file with some of its parts missing, doubled, or replaced by anything."""
    if chance.random() < 0.04:
        return chance.choice(STRANGE)
    if isinstance(value, dict):
        return {key: spoiled(item, chance) for key, item in value.items() if chance.random() > 0.03}
    if isinstance(value, list):
        return [spoiled(item, chance) for item in value for _again in range(chance.choice([1, 1, 1, 1, 1, 1, 1, 0, 2]))]
    return value


@pytest.mark.parametrize("name", FILES)
def test_no_file_breaks_an_importer_and_every_draft_can_be_checked(name: str) -> None:
    for seed in range(120):
        data = spoiled(FILES[name], random.Random(seed))  # noqa: S311  no secret hangs on it
        for importer in importers.values():
            if importer.recognises(data):
                for drawn in importer.convert(data).scenarios:
                    assert {p.code for p in lint.check(drawn.definition, blocks=blocks, actions=actions)} & {"params", "form"} == set(), (
                        seed
                    )


def test_the_command_makes_drafts_and_tells_every_node(bot: Bot, tmp_path: Path) -> None:
    path, out = tmp_path / "export.json", StringIO()
    path.write_text(json.dumps(SURVEY))
    call_command("import_scenarios", path, "--dry-run", stdout=out)
    assert "! Favourite colours / keep  transfer_airtime: There is no transfer of airtime here." in out.getvalue()
    assert Scenario.objects.count() == 0
    call_command("import_scenarios", path, bot=bot.pk, stdout=out)
    call_command("import_scenarios", path, bot=bot.pk, stdout=out)
    keys = ["age", "age-2", "favourite-colours", "favourite-colours-2", "reminders-1d", "reminders-1d-2"]
    assert list(Scenario.objects.order_by("key").values_list("key", flat=True)) == keys
    assert list(Scenario.objects.filter(published__isnull=False)) == []
    assert set(ClientField.objects.values_list("key", "type")) == {("colour", "text"), ("born", "date"), ("group_painters", "boolean")}


@pytest.mark.parametrize("name", FILES)
def test_every_spoiled_file_can_be_brought_in_as_a_file_of_the_bot(name: str, bot: Bot) -> None:
    for seed in range(25):
        body = json.dumps(spoiled(FILES[name], random.Random(seed + 1_000))).encode()  # noqa: S311  no secret hangs on it
        try:
            importing.convert(body, bot=bot, seconds=0)
        except ForeignFileError as error:
            assert str(error)  # noqa: PT017  both outcomes are right


def test_flows_in_circles_and_ways_to_nowhere_are_drawn() -> None:
    gone = switch("b", {"A": "gone", "Other": "b"}, ("has_text", [], "A"), wait={"type": "msg"})
    circles = export(flow("f", "Circle", node("a", to="c"), node("c", to="a"), gone, node("d", said("m", "Hi"), to="d")))
    drawn = importers["rapidpro"].convert(circles).scenarios[0]
    assert {p.code for p in lint.check(drawn.definition, blocks=blocks, actions=actions) if p.level == "error"} <= {"circle"}
    bots = {**TYPEBOT, "edges": [{"id": edge["id"], "to": {"groupId": "nowhere"}} for edge in TYPEBOT["edges"]]}  # type: ignore[index]
    assert importers["typebot"].convert(bots).scenarios


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b'{"a": 1}', "none of the formats"),
        (b"[" * 100_000, "no JSON"),
        (b'{"flows": [], "groups": [], "edges": []}', "none of the formats"),
    ],
)
def test_broken_files_are_refused_with_what_to_do(bot: Bot, body: bytes, reason: str) -> None:
    with pytest.raises(ForeignFileError, match=reason):
        importing.convert(body, bot=bot)


def test_a_file_that_is_too_large_and_a_wrong_format_are_refused(bot: Bot, tmp_path: Path) -> None:
    path = tmp_path / "huge.json"
    path.write_bytes(b" " * (importing.MAX_BYTES + 1))
    with pytest.raises(CommandError, match="larger than 10 MB"):
        call_command("import_scenarios", path, bot=bot.pk)
    with pytest.raises(ForeignFileError, match="no groups"):
        importing.convert(json.dumps(SURVEY).encode(), bot=bot, kind="typebot")


def test_the_admin_shows_what_would_become_of_it_and_then_imports(page: Client, bot: Bot) -> None:
    upload = SimpleUploadedFile("lead.json", json.dumps(TYPEBOT).encode())
    looked = page.post(PAGE, {"file": upload, "bot": bot.pk, "kind": ""})
    assert "Typebot: what would become of it in “Shop”" in looked.content.decode()
    assert "Make it a custom action in JavaScript." in looked.content.decode()
    assert Scenario.objects.count() == 0
    done = page.post(PAGE, {"text": looked.context["text"], "bot": bot.pk, "kind": "", "import": "1"})
    assert "Imported into “Shop”" in done.content.decode()
    assert Scenario.objects.get().key == "lead-score"
    assert AuditEntry.objects.filter(action="scenarios.foreign.import", object_id=str(bot.pk)).count() == 1
    assert page.get("/admin/scenarios/scenario/").content.decode().count(PAGE) == 1


def test_the_report_says_what_is_made_what_is_there_and_what_is_missing(page: Client, bot: Bot) -> None:
    ClientField.objects.create(key="colour", label="Colour")
    upload = SimpleUploadedFile("survey.json", json.dumps(SURVEY).encode())
    looked = page.post(PAGE, {"file": upload, "bot": bot.pk, "kind": ""})
    assert sorted(looked.context["made"]) == [
        ("client field", "born", "created"),
        ("client field", "colour", "matched"),
        ("client field", "group_painters", "created"),
    ]
    assert [(name, len(lines)) for name, lines in looked.context["looked_at"]] == [
        ("Favourite colours", 5),
        ("Age", 1),
        ("Reminders 1D", 1),
    ]
    assert "rule: has a number between" in looked.content.decode()
    assert all(draft["checked"] for draft in looked.context["drafts"])


def test_a_large_file_comes_back_small_and_cannot_be_blown_up(page: Client, bot: Bot) -> None:
    body = json.dumps({**SURVEY, "padding": "x" * 9_000_000}).encode()
    looked = page.post(PAGE, {"file": SimpleUploadedFile("large.json", body), "bot": bot.pk, "kind": ""})
    assert len(looked.context["text"]) < 100_000
    done = page.post(PAGE, {"text": looked.context["text"], "bot": bot.pk, "kind": "", "import": "1"})
    assert "Imported into “Shop”" in done.content.decode()
    for text, told in ((packed(b" " * (importing.MAX_BYTES + 1)), "larger than 10 MB"), ("packed:AAAA", "Choose the file again")):
        assert told in page.post(PAGE, {"text": text, "bot": bot.pk, "kind": "", "import": "1"}).content.decode()
    assert Scenario.objects.count() == 3


def test_drafts_for_whose_check_no_time_is_left_are_told(bot: Bot) -> None:
    found = importing.convert(json.dumps(SURVEY).encode(), bot=bot, seconds=0)
    assert (len(found.file.scenarios), found.problems) == (3, {})


def test_scripts_in_a_file_are_text_on_the_page(page: Client, bot: Bot) -> None:
    listed = flow(
        "f",
        SCRIPT,
        node("n", {"uuid": "a", "type": SCRIPT}, said("m", SCRIPT)),
        switch("w", {SCRIPT: None, "O": None}, (SCRIPT, [], SCRIPT)),
    )
    upload = SimpleUploadedFile("x.json", json.dumps(export(listed, groups=[{"name": SCRIPT, "query": SCRIPT}])).encode())
    looked = page.post(PAGE, {"file": upload, "bot": bot.pk, "kind": ""}).content.decode()
    assert (SCRIPT in looked, "&lt;script&gt;alert(1)" in looked) == (False, True)


def test_a_wrong_file_is_told_on_the_page(page: Client, bot: Bot) -> None:
    answer = page.post(PAGE, {"file": SimpleUploadedFile("x.json", b"<html>"), "bot": bot.pk, "kind": ""})
    assert "Nothing was imported" in answer.content.decode()


def test_the_only_bot_is_chosen_already(page: Client, bot: Bot) -> None:
    assert page.get(PAGE).context["form"]["bot"].value() == bot.pk
    Bot.objects.create(name="Another")
    assert page.get(PAGE).context["form"]["bot"].value() is None


def test_who_may_not_edit_scenarios_may_not_import(bot: Bot) -> None:
    role, _made = Role.objects.get_or_create(key="analyst", defaults=DELIVERED["analyst"])
    user = User.objects.create_user("olga", password="x", is_staff=True)
    RoleAssignment.objects.create(user=user, role=role, all_bots=True)
    client = Client()
    client.force_login(user)
    assert client.get(PAGE).status_code == 403
