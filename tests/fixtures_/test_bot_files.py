"""A bot's file: in, in again, out and in elsewhere; never a secret, never half an import."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.bots.models import Bot
from apps.core.models import Constant, InstanceSetting
from apps.gateway.models import Endpoint
from apps.identity import attributes
from apps.identity.models import ClientField
from apps.scenarios import botfile, fixtures_io, publishing
from apps.scenarios.botfile import BotFile, BotFileError
from apps.scenarios.commands.models import Command
from apps.scenarios.models import Scenario, ScenarioVersion
from tests.fixtures_.conftest import FIXTURES
from tests.making import make_bot, make_lead

pytestmark = pytest.mark.django_db
SYSTEMS = {"ecommerce": "crm", "registration": "crm", "installers": "portal", "family": "family", "helpdesk": "helpdesk"}
FILES = list(SYSTEMS)


def delivered(name: str) -> BotFile:
    return botfile.read(FIXTURES / name / "bot.json")


def small(**changes: Any) -> dict[str, Any]:
    """A file with one scenario and one endpoint."""
    hello = {
        "sections": [
            {"id": "main", "nodes": [
                {"id": "start", "kind": "start", "exits": {"next": "hello"}},
                {"id": "hello", "kind": "message", "params": {"text": "Hello {{ tier }}, call {{ constants.phone }} or {{ instance_settings.site }}"}},
            ]}
        ]
    }  # fmt: skip
    return {
        "format": "dialogbus.bot",
        "bot": {"name": "Small"},
        "client_fields": [{"key": "tier", "label": "Tier"}],
        "constants": [{"key": "phone", "value": "+1 202 555 0123"}],
        "instance_settings": [{"key": "site", "is_secret": False, "value": "https://example.com"}, {"key": "site_key"}],
        "scenarios": [{"key": "hello", "name": "Hello", "definition": hello}],
        "endpoints": [{"alias": "say/hello", "scenario": "hello"}],
        **changes,
    }


def load(data: Any) -> BotFile:
    return botfile.load(json.dumps(data).encode())


@pytest.mark.parametrize("name", FILES)
def test_a_delivered_bot_is_imported_published_and_the_second_time_nothing_changes(name: str) -> None:
    file = delivered(name)
    first = fixtures_io.import_bot(file, note="First import")
    assert {outcome for _label, _key, outcome in first.rows} == {"created"}
    assert first.published == [part.key for part in file.scenarios]
    assert first.to_enter == [f"{SYSTEMS[name]}_url", f"{SYSTEMS[name]}_token"]
    assert first.missing == []
    assert set(ScenarioVersion.objects.values_list("number", "note")) == {(1, "First import")}
    second = fixtures_io.import_bot(file)
    assert second.bot == first.bot
    assert {outcome for _label, _key, outcome in second.rows} == {"matched"}
    assert (second.published, ScenarioVersion.objects.count()) == ([], len(file.scenarios))


@pytest.mark.parametrize("name", FILES)
def test_a_delivered_bot_survives_the_round_trip(name: str) -> None:
    text = (FIXTURES / name / "bot.json").read_text(encoding="utf-8")
    bot = fixtures_io.import_bot(delivered(name)).bot
    exported = botfile.dump(fixtures_io.export_bot(bot, about=delivered(name).about))
    assert load(json.loads(exported)).model_dump() == fixtures_io.export_bot(bot, about=delivered(name).about).model_dump()
    assert _sorted(json.loads(exported)) == _sorted(json.loads(text))
    copy = fixtures_io.import_bot(botfile.load(exported.encode()), bot=make_bot(name="Copy"))
    assert copy.bot.name == "Copy"
    assert copy.bot.scenarios.count() == bot.scenarios.count()
    assert copy.bot.endpoints.count() == bot.endpoints.count()
    assert botfile.dump(fixtures_io.export_bot(copy.bot)) == botfile.dump(
        fixtures_io.export_bot(bot).model_copy(update={"bot": fixtures_io.export_bot(copy.bot).bot})
    )


def _sorted(data: dict[str, Any]) -> dict[str, Any]:
    """Lists of keyed parts in one order: their order means nothing."""
    return {
        name: sorted(value, key=lambda part: part.get("key") or part.get("alias") or (part["words"] + part.get("speaks", "")))
        if isinstance(value, list)
        else value
        for name, value in data.items()
    }


@pytest.mark.parametrize("name", FILES)
def test_a_delivered_bot_has_no_warnings(name: str) -> None:
    bot = fixtures_io.import_bot(delivered(name)).bot
    for scenario in bot.scenarios.all():
        found = publishing.check(scenario.draft, bot=bot, own=scenario.pk)
        assert (scenario.key, [problem.message for problem in found]) == (scenario.key, [])


def test_global_commands_travel_with_the_bot_and_are_found_again_by_their_words() -> None:
    stop, menu = {"kind": "stop", "words": "stop, /stop"}, {"kind": "start", "words": "menu", "scenario": "hello"}
    bot = fixtures_io.import_bot(load(small(commands=[stop, menu]))).bot
    assert fixtures_io.export_bot(bot).model_dump(exclude_defaults=True)["commands"] == [
        {"kind": "start", "words": "menu", "scenario": "hello"},
        {"kind": "stop", "words": "stop, /stop"},
    ]
    report = fixtures_io.import_bot(load(small(commands=[{**stop, "words": "/stop, enough", "text": "Bye"}, menu])))
    assert [row for row in report.rows if row[0] == "command"] == [("command", "/stop, enough", "changed"), ("command", "menu", "matched")]
    assert list(Command.objects.filter(kind="stop").values_list("words", "text")) == [("/stop, enough", "Bye")]


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ({"kind": "start", "words": "menu"}, "menu: Choose the scenario that is started."),
        ({"kind": "stop", "words": "hi", "speaks": "?"}, "hi (?): This is no code of a language. Write one such as ru or pt-BR."),
        ({"kind": "start", "words": "menu", "scenario": "nope"}, "commands: the file has no scenario nope"),
    ],
)
def test_a_command_that_cannot_be_stops_the_import(command: dict[str, Any], why: str) -> None:
    with pytest.raises(BotFileError) as refused:
        fixtures_io.import_bot(load(small(commands=[command])))
    assert (refused.value.problems, Bot.objects.count()) == ([why], 0)


@pytest.mark.parametrize("name", FILES)
def test_delivered_files_are_written_as_the_product_writes_them(name: str) -> None:
    text = (FIXTURES / name / "bot.json").read_text(encoding="utf-8")
    assert botfile.dump(botfile.load(text.encode())) == text
    assert max(len(line) for line in text.splitlines()) < 400


def test_a_change_in_the_file_changes_that_part_alone_and_is_published_with_a_note() -> None:
    fixtures_io.import_bot(load(small()))
    data = small()
    data["scenarios"][0]["definition"]["sections"][0]["nodes"][1]["params"]["text"] = "Goodbye"
    report = fixtures_io.import_bot(load(data), note="Say goodbye")
    assert [row for row in report.rows if row[2] != "matched"] == [("scenario", "hello", "changed")]
    assert report.published == ["hello"]
    scenario = Scenario.objects.get()
    assert (scenario.draft_version, scenario.published and scenario.published.number, scenario.published and scenario.published.note) == (
        2,
        2,
        "Say goodbye",
    )


def test_an_installations_own_values_are_kept() -> None:
    InstanceSetting.objects.create(key="site", value="https://own.example", is_secret=True, description="Ours")
    InstanceSetting.objects.create(key="site_key", value="own-secret")
    report = fixtures_io.import_bot(load(small()))
    site = InstanceSetting.objects.get(key="site")
    assert (site.value, site.is_secret, site.description) == ("https://own.example", True, "Ours")
    assert InstanceSetting.objects.get(key="site_key").value == "own-secret"
    assert report.to_enter == []


def test_no_secret_leaves_with_an_export() -> None:
    bot = fixtures_io.import_bot(load(small())).bot
    InstanceSetting.objects.filter(key="site").delete()
    InstanceSetting.objects.create(key="site", value="very-secret-value", is_secret=True)
    Endpoint.objects.filter(alias="say/hello").update(signing_secret="signing-secret-value")
    text = botfile.dump(fixtures_io.export_bot(bot))
    assert "very-secret-value" not in text
    assert "signing-secret-value" not in text
    assert [part.model_dump(exclude_defaults=True) for part in fixtures_io.export_bot(bot).instance_settings] == [{"key": "site"}]


def test_an_export_holds_what_the_scenarios_name_and_nothing_else() -> None:
    bot = fixtures_io.import_bot(load(small())).bot
    ClientField.objects.create(key="unused", label="Unused")
    Constant.objects.create(key="unused", value=1)
    file = fixtures_io.export_bot(bot)
    assert [part.key for part in file.client_fields] == ["tier"]
    assert [part.key for part in file.constants] == ["phone"]


def test_a_field_that_becomes_personal_takes_its_values_along() -> None:
    lead = make_lead()
    ClientField.objects.create(key="tier", label="Tier")
    attributes.set_values(lead.person, {"tier": "gold"}, source="test")
    fixtures_io.import_bot(load(small(client_fields=[{"key": "tier", "label": "Tier", "is_private": True}])))
    lead.person.refresh_from_db()
    assert (lead.person.attributes, lead.person.private) == ({}, {"tier": "gold"})


def _without(path: str) -> dict[str, Any]:
    data = small()
    del data[path]
    return data


BAD: dict[str, tuple[Callable[[], Any], str]] = {
    "a list": (list, "This is not a bot's file: “format” must be “dialogbus.bot”."),
    "another format": (lambda: {**small(), "format": "typebot"}, "This is not a bot's file: “format” must be “dialogbus.bot”."),
    "a newer version": (lambda: small(version=2), "version: Input should be 1"),
    "no bot": (lambda: _without("bot"), "bot: Field required"),
    "an unknown part": (lambda: small(channels=[]), "channels: Extra inputs are not permitted"),
    "a secret's value": (
        lambda: small(instance_settings=[{"key": "k", "value": "s3cret"}]),
        "instance_settings.0: the value of a secret setting may not be in a file; remove it and enter the value in the admin",
    ),
    "a signing secret": (
        lambda: small(endpoints=[{"alias": "a", "signing_secret": "x"}]),
        "endpoints.0.signing_secret: Extra inputs are not permitted",
    ),
    "a key twice": (lambda: small(constants=[{"key": "a"}, {"key": "a"}]), "constants: a occurs twice"),
    "a lost scenario": (lambda: small(scenarios=[]), "endpoints: the file has no scenario hello"),
    "a wrong type": (
        lambda: small(client_fields=[{"key": "a", "label": "A", "type": "colour"}]),
        "client_fields.0.type: Input should be 'text', 'number', 'boolean', 'date' or 'choice'",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_refused_with_its_place(case: str) -> None:
    make, problem = BAD[case]
    with pytest.raises(BotFileError) as refused:
        load(make())
    assert refused.value.problems == [problem]
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("body", [b"", b"{", b'{"format": "dialogbus.bot", "format": "x"}', b"\xff", b'{"a": NaN}', b"[" * 1000])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(BotFileError):
        botfile.load(body)


def test_a_scenario_that_cannot_run_stops_the_whole_import() -> None:
    data = small()
    data["scenarios"][0]["definition"]["sections"][0]["nodes"][0]["exits"] = {}
    with pytest.raises(BotFileError) as refused:
        fixtures_io.import_bot(load(data))
    assert refused.value.problems == ["hello: Block “start”: the exit “Next” is not connected. Connect it to the next block."]
    assert (Bot.objects.count(), Scenario.objects.count(), Constant.objects.count()) == (0, 0, 0)
    report = fixtures_io.import_bot(load(data), publish=False)
    assert (report.published, Scenario.objects.get().published) == ([], None)


def test_a_field_of_another_type_is_not_changed_behind_peoples_backs() -> None:
    ClientField.objects.create(key="tier", label="Tier", type="number")
    with pytest.raises(BotFileError) as refused:
        fixtures_io.import_bot(load(small()))
    assert "“tier”" in refused.value.problems[0]
    assert Bot.objects.count() == 0


def test_two_bots_of_one_name_are_not_guessed_at() -> None:
    bots = [make_bot(name="Small"), make_bot(name="Small")]
    with pytest.raises(BotFileError):
        fixtures_io.import_bot(load(small()))
    assert fixtures_io.import_bot(load(small()), bot=bots[1]).bot == bots[1]


def test_a_trial_leaves_nothing_behind() -> None:
    report = fixtures_io.import_bot(load(small()), check_only=True)
    assert (report.count("created"), report.published) == (7, ["hello"])
    assert (Bot.objects.count(), Scenario.objects.count(), Endpoint.objects.count(), ClientField.objects.count()) == (0, 0, 0, 0)


def test_the_commands_bring_a_bot_from_one_place_to_another(tmp_path: Path) -> None:
    out = StringIO()
    call_command("import_bot", str(FIXTURES / "ecommerce" / "bot.json"), "--note", "From the command line", stdout=out)
    assert "created  scenario order-thank-you" in out.getvalue()
    assert "enter the values of these instance settings in the admin: crm_url, crm_token" in out.getvalue()
    bot = Bot.objects.get()
    exported = StringIO()
    call_command("export_bot", str(bot.pk), stdout=exported)
    path = tmp_path / "bot.json"
    call_command("export_bot", str(bot.pk), "--out", str(path))
    assert path.read_text(encoding="utf-8") == exported.getvalue()
    again = StringIO()
    call_command("import_bot", str(path), "--bot", str(bot.pk), stdout=again)
    assert "published nothing" in again.getvalue()
    assert "created" not in again.getvalue()
    for wrong in (["export_bot", "0"], ["import_bot", str(path), "--bot", "999999"], ["import_bot", str(tmp_path / "none.json")]):
        with pytest.raises(CommandError):
            call_command(*wrong)
