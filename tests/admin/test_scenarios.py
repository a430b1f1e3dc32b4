"""Writing, checking, publishing, comparing and exporting scenarios; their sessions."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from apps.accounts.models import User
from apps.bots.models import Bot
from apps.conversations import advancing
from apps.core.models import AuditEntry
from apps.scenarios import beginnings, byhand, comparing, definitions, publishing
from apps.scenarios.admin.outline import outline
from apps.scenarios.admin.palette import palette
from apps.scenarios.models import Scenario, ScenarioVersion, Session
from apps.scenarios.ordering import readable
from apps.scenarios.registry import actions, blocks
from apps.scenarios.versions import planning
from tests.admin.conftest import act, change, listing, told
from tests.admin.world import World
from tests.making import make_bot, make_channel, make_lead
from tests.scenarios.definitions import definition, node, thank_you
from tests.scenarios.making import make_scenario
from tests.scenarios.simulation.making import keep

pytestmark = pytest.mark.django_db


@pytest.fixture
def bot(db: None) -> Bot:
    return make_bot(name="Shop")


@pytest.fixture
def scenario(bot: Bot) -> Scenario:
    return make_scenario(bot, thank_you(), key="thank-you")


def form(scenario: Scenario, draft: Any = None, **fields: Any) -> dict[str, Any]:
    shown = scenario.draft if draft is None else draft
    text = shown if isinstance(shown, str) else json.dumps(shown)
    return {
        "name": scenario.name,
        "description": "",
        "is_active": "on",
        "draft": text,
        "based_on": scenario.draft_version,
        "_continue": "1",
        **fields,
    }


def with_text(text: str) -> dict[str, Any]:
    data = json.loads(json.dumps(thank_you()))
    data["sections"][0]["nodes"][1]["params"]["text"] = text
    return data  # type: ignore[no-any-return]


def address(scenario: Scenario, what: str) -> str:
    return f"/admin/scenarios/scenario/{scenario.pk}/{what}/"


def stands_at(scenario: Scenario, block: str) -> None:
    """Somebody inside, at that block."""
    lead = make_lead(make_channel(scenario.bot))
    byhand.start(scenario, [lead.code], user=User.objects.create_user("colleague"))
    advancing.drain()
    Session.objects.update(node=block)


# --- beginning ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("beginning", beginnings.BEGINNINGS, ids=lambda row: row.key)
def test_a_new_scenario_begins_with_something_that_can_be_published(page: Client, bot: Bot, beginning: beginnings.Beginning) -> None:
    data = {"bot": bot.pk, "name": "Order", "key": "order", "description": "", "begin_with": beginning.key}
    response = page.post("/admin/scenarios/scenario/add/", data)
    scenario = Scenario.objects.get()
    assert response["Location"] == change(scenario)
    assert publishing.check(scenario.draft, bot=bot) == []


def test_an_exported_scenario_can_be_imported_into_another_bot(page: Client, scenario: Scenario) -> None:
    exported = page.get(address(scenario, "export"))
    assert exported["Content-Disposition"] == 'attachment; filename="thank-you.json"'
    other = make_bot(name="Bank")
    data = {
        "bot": other.pk,
        "name": "Copy",
        "key": "copy",
        "description": "",
        "begin_with": "empty",
        "file": SimpleUploadedFile("s.json", exported.content),
    }
    page.post("/admin/scenarios/scenario/add/", data)
    assert Scenario.objects.get(bot=other).draft == scenario.draft


@pytest.mark.parametrize(
    ("body", "why"),
    [(b"{", "The body is not JSON"), (b'{"a": 1}', "This is no exported scenario"), (b"[]", "This is no exported scenario")],
)
def test_a_file_that_is_no_scenario_is_refused(page: Client, bot: Bot, body: bytes, why: str) -> None:
    data = {"bot": bot.pk, "name": "X", "key": "x", "description": "", "begin_with": "empty", "file": SimpleUploadedFile("s.json", body)}
    errors = page.post("/admin/scenarios/scenario/add/", data).context["adminform"].form.errors
    assert [text.startswith(why) for text in errors["file"]] == [True]
    assert Scenario.objects.count() == 0


# --- the draft ------------------------------------------------------------------------------------------------------------


def test_a_saved_draft_does_not_run_until_it_is_published(page: Client, scenario: Scenario) -> None:
    page.post(change(scenario), form(scenario, with_text("Changed")))
    stored = Scenario.objects.get(pk=scenario.pk)
    assert (stored.draft_version, stored.draft == with_text("Changed"), stored.published_id) == (2, True, scenario.published_id)
    assert "the draft differs from what runs" in page.get(change(scenario)).content.decode()


def test_a_page_saved_without_changes_raises_no_version(page: Client, scenario: Scenario) -> None:
    shown = page.get(change(scenario)).context["adminform"].form["draft"].value()
    page.post(change(scenario), form(scenario, shown, name="Renamed"))
    stored = Scenario.objects.get(pk=scenario.pk)
    assert (stored.name, stored.draft_version) == ("Renamed", 1)


def test_a_stale_save_is_refused_with_the_changes_of_the_other(page: Client, scenario: Scenario) -> None:
    page.post(change(scenario), form(scenario, with_text("Theirs")))
    response = page.post(change(scenario), form(scenario, with_text("Mine")))
    text = response.content.decode()
    assert Scenario.objects.get(pk=scenario.pk).draft == with_text("Theirs")
    assert "Not saved: somebody else has saved this scenario" in text
    assert "<ins>Theirs</ins>" in text
    assert "Mine" in response.context["adminform"].form["draft"].value()
    again = form(scenario, with_text("Mine and theirs"), based_on=response.context["adminform"].form["based_on"].value())
    page.post(change(scenario), again)
    assert Scenario.objects.get(pk=scenario.pk).draft == with_text("Mine and theirs")


@pytest.mark.parametrize("text", ["{", '{"a": 1, "a": 2}', "[]", "NaN", '{"a": "\\u0000"}', "{" * 5000])
def test_a_draft_that_cannot_be_read_is_refused_and_kept_in_the_editor(page: Client, scenario: Scenario, text: str) -> None:
    response = page.post(change(scenario), form(scenario, text))
    assert list(response.context["adminform"].form.errors) == ["draft"]
    assert response.context["adminform"].form["draft"].value() == text
    assert Scenario.objects.get(pk=scenario.pk).draft == scenario.draft


def test_the_history_says_in_words_what_a_draft_changed(page: Client, scenario: Scenario) -> None:
    page.post(change(scenario), form(scenario, with_text("Changed")))
    text = page.get(f"/admin/scenarios/scenario/{scenario.pk}/history/").content.decode()
    assert "Main › thanks (message): params.text" in text
    assert "Changed" in text


def test_the_key_stays_because_files_and_endpoints_name_it(page: Client, scenario: Scenario) -> None:
    page.post(change(scenario), form(scenario, key="other"))
    assert Scenario.objects.get(pk=scenario.pk).key == "thank-you"


def test_the_draft_is_shown_in_the_order_in_which_people_read_it(scenario: Scenario) -> None:
    shown = readable(Scenario.objects.get(pk=scenario.pk).draft)
    assert list(shown) == ["schema_version", "name", "default_language", "languages", "triggers", "sections"]
    assert list(shown["sections"][0]) == ["id", "name", "nodes"]
    assert list(shown["sections"][0]["nodes"][1]) == ["id", "kind", "params", "exits"]
    assert shown == scenario.draft


@pytest.mark.parametrize("data", [None, 1, [], {"sections": 1}, {"sections": [1, {"nodes": [2, {"exits": 3}]}]}])
def test_whatever_a_draft_is_its_page_answers(page: Client, scenario: Scenario, data: Any) -> None:
    Scenario.objects.filter(pk=scenario.pk).update(draft=data if data is not None else {})
    assert readable(data) == data
    assert page.get(change(scenario)).status_code == 200
    assert page.get(address(scenario, "publish")).status_code == 200
    assert page.get(address(scenario, "compare")).status_code == 200


# --- the check --------------------------------------------------------------------------------------------------------------


def test_the_check_names_the_block_and_says_what_to_do(page: Client, scenario: Scenario) -> None:
    broken = definition(node("start", "start", next="nowhere"))
    found = page.post(address(scenario, "check"), {"draft": json.dumps(broken)}).json()
    assert 'data-level="error" data-section="main" data-node="start" data-field="exits.next"' in found["problems"]
    assert "nowhere" in found["outline"]
    assert Scenario.objects.get(pk=scenario.pk).draft_version == 1


def test_the_check_of_what_cannot_be_read_says_where(page: Client, scenario: Scenario) -> None:
    response = page.post(address(scenario, "check"), {"draft": '{\n"a": }'})
    assert (response.status_code, "line 2" in response.json()["error"]) == (400, True)


def test_the_check_wants_post_and_an_own_bot(page: Client, scenario: Scenario, signed_in: Callable[..., Client]) -> None:
    assert page.get(address(scenario, "check")).status_code == 405
    assert signed_in("integrator", bots=[make_bot()]).post(address(scenario, "check"), {"draft": "{}"}).status_code == 404


def test_the_outline_shows_where_exits_lead() -> None:
    group = outline(thank_you())[0]
    assert [(item.id, item.preview, [(way.name, way.to, way.lost) for way in item.ways]) for item in group.items][:2] == [
        ("start", "", [("next", "thanks", False)]),
        ("thanks", "Thank you, {{ user_name }}! Amount {{ amount }}", [("confirm", "done", False), ("later", "bye", False)]),
    ]


def test_the_help_describes_every_block_and_action_with_an_example() -> None:
    found = palette()
    assert {kind.kind for _name, kinds in found.groups for kind in kinds} == set(blocks)
    assert {kind.kind for kind in found.actions} == set(actions)
    for kind in [*(kind for _name, kinds in found.groups for kind in kinds), *found.actions]:
        assert kind.label
        assert json.loads(kind.example)["kind"] in blocks


# --- publishing -------------------------------------------------------------------------------------------------------------


def test_publishing_makes_a_version_with_its_note(page: Client, scenario: Scenario) -> None:
    page.post(change(scenario), form(scenario, with_text("Changed")))
    shown = page.get(address(scenario, "publish")).content.decode()
    assert "<del>Thank you, {{ user_name }}! Amount {{ amount }}</del>" in shown
    response = page.post(address(scenario, "publish"), {"note": "New text"}, follow=True)
    version = Scenario.objects.get(pk=scenario.pk).published
    assert version is not None
    assert (version.number, version.note, str(version.published_by)) == (2, "New text", "owner")
    assert told(response)[-1] == "Version 2 is published. New dialogues run it from now on."
    assert AuditEntry.objects.get(action="scenarios.scenario.publish").changes == {"version": 2}


def test_a_draft_with_errors_is_not_published(page: Client, scenario: Scenario) -> None:
    page.post(change(scenario), form(scenario, definition(node("start", "start", next="nowhere"))))
    response = page.post(address(scenario, "publish"), {"note": ""})
    assert "Errors: correct them before publishing" in response.content.decode()
    assert ScenarioVersion.objects.count() == 1


def test_the_page_of_publishing_says_how_many_people_stand_on_removed_blocks(page: Client, shop: World) -> None:
    Scenario.objects.filter(pk=shop.scenario.pk).update(draft=definition(node("start", "start", next="end"), node("end", "end")))
    text = page.get(address(shop.scenario, "publish")).content.decode()
    assert "removed in the draft" in text
    assert "<td>thanks</td><td>1</td>" in text


def test_publishing_wants_the_right_to_edit(signed_in: Callable[..., Client], scenario: Scenario) -> None:
    browser = signed_in("analyst")
    assert browser.get(change(scenario)).status_code == 200
    assert browser.get(address(scenario, "publish")).status_code == 403
    assert browser.post(address(scenario, "publish"), {"note": ""}).status_code == 403
    assert browser.post(change(scenario), form(scenario, with_text("X"))).status_code == 403


# --- versions ---------------------------------------------------------------------------------------------------------------


def test_differences_are_told_by_block_and_field() -> None:
    new = with_text("Changed")
    new["sections"][0]["nodes"].append(node("extra", "end"))
    del new["sections"][0]["nodes"][3]
    new["sections"][0]["nodes"][1]["params"]["buttons"][0].reverse()
    found = [
        (change.kind, change.place, [(field.path, field.old, field.new) for field in change.fields])
        for change in comparing.compare(thank_you(), new)
    ]
    assert found == [
        ("changed", "Main › thanks (message)", [("params.text", "Thank you, {{ user_name }}! Amount {{ amount }}", "Changed")]),
        ("added", "Main › extra (end)", [("kind", None, "end"), ("params", None, "{}"), ("exits", None, "{}"), ("section", None, "main")]),
        ("removed", "Main › bye (message)", [("kind", "message", None), ("params.text", "As you like.", None), ("exits.next", "end", None), ("section", "main", None)]),
    ]  # fmt: skip


def test_two_versions_and_the_draft_can_be_compared(page: Client, scenario: Scenario) -> None:
    page.post(change(scenario), form(scenario, with_text("Second")))
    page.post(address(scenario, "publish"), {"note": ""})
    page.post(change(scenario), form(Scenario.objects.get(pk=scenario.pk), with_text("Third")))
    assert "<ins>Second</ins>" in page.get(address(scenario, "compare"), {"old": "1", "new": "2"}).content.decode()
    assert "<ins>Third</ins>" in page.get(address(scenario, "compare"), {"old": "2"}).content.decode()
    assert "No differences." in page.get(address(scenario, "compare"), {"old": "2", "new": "2"}).content.decode()


def test_rolling_back_publishes_what_an_old_version_said(page: Client, scenario: Scenario) -> None:
    first = scenario.versions.get()
    page.post(change(scenario), form(scenario, with_text("Second")))
    page.post(address(scenario, "publish"), {"note": ""})
    response = page.post(act(first, "rollback"), follow=True)
    assert told(response)[-1] == "Version 3 is published; it says what version 1 said."
    assert Scenario.objects.get(pk=scenario.pk).draft == thank_you()
    definitions.forget()
    assert page.post(act(Scenario.objects.get(pk=scenario.pk).published, "rollback"), follow=True).status_code == 200


def test_going_back_tells_first_what_changes_and_takes_a_reason_and_the_people_along(page: Client, scenario: Scenario) -> None:
    extra = with_text("Second")
    extra["sections"][0]["nodes"] += [node("news", "message", {"text": "News", "buttons": [[{"id": "ok", "label": "OK"}]]}, ok="end")]
    extra["sections"][0]["nodes"][-1]["title"] = "The news"
    page.post(change(scenario), form(scenario, extra))
    page.post(address(scenario, "publish"), {"note": ""})
    stands_at(scenario, "news")
    text = page.get(address(scenario, "rollback/1")).content.decode()
    assert all(
        shown in text
        for shown in ("Second", "Back to v1, published", "not in that version", "The person at the removed block “The news” goes on at")
    )
    assert ("although tests fail" in text, 'name="due_at"' in text, "another draft is still published" in text) == (False, False, False)
    planning.plan(scenario, due_at=timezone.now() + timedelta(days=1), user=None)
    assert "another draft is still published" in page.get(address(scenario, "rollback/1")).content.decode()
    stays = page.post(address(scenario, "rollback/1"), {"note": "", "people": "stay", "to_0": "thanks"}).content.decode()
    assert ("choose when they move" in stays, scenario.versions.count()) == (True, 2)
    response = page.post(
        address(scenario, "rollback/1"), {"note": "The second one confused people", "people": "now", "to_0": "thanks"}, follow=True
    )
    assert told(response)[-1] == "Version 3 is published; it says what version 1 said."
    newest = scenario.versions.get(number=3)
    assert (newest.note, newest.people, newest.mapping) == (
        "Rolled back to version 1: The second one confused people", "now", {"news": "thanks"},
    )  # fmt: skip
    assert AuditEntry.objects.filter(action="scenarios.scenario.rollback").count() == 1
    assert page.get(address(scenario, "rollback/77")).status_code == 404
    assert page.get(address(scenario, f"rollback/{10**30}")).status_code == 404


def test_going_back_brings_the_places_on_the_canvas_along_and_refused_leaves_the_draft_alone(scenario: Scenario) -> None:
    first = scenario.versions.get()
    ScenarioVersion.objects.update(layout={"nodes": {"thanks": {"x": 1, "y": 2}}})
    Scenario.objects.update(layout={}, draft=with_text("Second"))
    first.refresh_from_db()
    publishing.rollback(first)
    assert Scenario.objects.get().layout == {"nodes": {"thanks": {"x": 1, "y": 2}}}
    ScenarioVersion.objects.filter(pk=first.pk).update(definition={"sections": []})
    Scenario.objects.update(draft=with_text("Third"))
    first = ScenarioVersion.objects.get(pk=first.pk)
    with pytest.raises(publishing.PublishingRefusedError):
        publishing.rollback(first)
    assert Scenario.objects.get().draft == with_text("Third")


def test_the_page_asks_for_a_reason_only_where_a_test_fails_and_names_the_clock(page: Client, scenario: Scenario) -> None:
    text = page.get(address(scenario, "publish")).content.decode()
    assert ("although tests fail" in text, "By your clock (UTC)." in text) == (False, True)
    keep(scenario)
    page.post(change(scenario), form(scenario, with_text("Second")))
    assert "although tests fail" in page.get(address(scenario, "publish")).content.decode()


def test_the_editor_takes_no_more_than_a_scenario_may_have(page: Client, scenario: Scenario) -> None:
    response = page.post(change(scenario), form(scenario, with_text("x" * 3_000_000)))
    assert "The scenario would have 2.9 MB; 2 MB is the most." in response.content.decode()
    assert Scenario.objects.get().draft == thank_you()


@pytest.mark.parametrize(
    ("content", "told_of"),
    [
        (
            {
                "name": "Old",
                "nodes": [{"id": "a", "kind": "message", "params": {"text": "Hello"}, "next": "b"}, {"id": "b", "kind": "end"}],
            },
            "",
        ),
        ({"schema_version": 7, "sections": []}, "this product reads the forms up to 1"),
        (
            {"format": "dialog-bus/scenario", "definition": {"sections": [{"id": "m", "nodes": [{"id": "a", "kind": "nope"}]}]}},
            "It has 2 errors, such as: Block “a”: there is no kind “nope”.",
        ),
    ],
)
def test_a_file_of_an_older_form_is_brought_forward_and_errors_are_told_at_once(page: Client, bot: Bot, content: Any, told_of: str) -> None:
    file = SimpleUploadedFile("flow.json", json.dumps(content).encode(), content_type="application/json")
    data = {"bot": bot.pk, "name": "Order", "key": "order", "description": "", "begin_with": "empty", "file": file}
    response = page.post("/admin/scenarios/scenario/add/", data, follow=True)
    assert told_of in " ".join(told(response)[1:])
    assert (len(told(response)) > 1) is bool(told_of)
    if not told_of:
        assert Scenario.objects.get().draft["sections"][0]["nodes"][0]["exits"] == {"next": "b"}


def test_a_version_is_exported_as_it_is(page: Client, scenario: Scenario) -> None:
    page.post(change(scenario), form(scenario, with_text("Second")))
    assert page.get(address(scenario, "export"), {"version": "1"}).json()["definition"] == thank_you()
    assert page.get(address(scenario, "export")).json()["definition"] == with_text("Second")
    assert page.get(address(scenario, "export"), {"version": "9"}).status_code == 404


# --- sessions ---------------------------------------------------------------------------------------------------------------


def test_a_session_shows_its_way_and_hides_personal_data(page: Client, shop: World) -> None:
    Session.objects.filter(pk=shop.session.pk).update(
        state={"vars": {"phone": "+380501112233", "city": "Kyiv", "api_token": "s3cr3t-value"}}
    )
    text = page.get(change(shop.session)).content.decode()
    assert all(shown in text for shown in ("said: Thank you", "Kyiv", "thanks"))
    assert ("+380501112233" in text, "s3cr3t-value" in text) == (False, False)


def test_the_list_of_sessions_shows_no_variables(page: Client, shop: World) -> None:
    Session.objects.filter(pk=shop.session.pk).update(state={"vars": {"city": "Kyiv"}})
    assert "Kyiv" not in page.get(listing("scenarios.Session")).content.decode()


def test_a_session_is_cancelled_through_the_queue_of_its_chat(page: Client, shop: World) -> None:
    response = page.post(act(shop.session, "cancel"), follow=True)
    assert told(response) == ["The session is being cancelled; look at its state in a moment."]
    advancing.drain()
    assert shop.session.status == Session.Status.CANCELLED


def test_who_may_not_edit_operations_cancels_nothing(signed_in: Callable[..., Client], shop: World) -> None:
    assert signed_in("communications_manager").post(act(shop.session, "cancel")).status_code in (403, 404)
    assert shop.session.status == Session.Status.ACTIVE
