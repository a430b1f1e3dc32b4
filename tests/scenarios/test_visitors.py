"""The people behind a number: exactly the visits that it counts, names and transcripts as far as the reader may see them."""

import json
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Role, RoleAssignment, User
from apps.conversations.models import Message
from apps.gateway.authoring_forms import VisitSerializer
from apps.scenarios import publishing, triggers, visitors
from apps.scenarios.analytics import Window
from apps.scenarios.models import Scenario, SessionStep
from apps.scenarios.visitors import COUNTED, PAGE, Number
from tests.admin.world import make_staff
from tests.making import make_channel, make_lead
from tests.scenarios.definitions import node, thank_you
from tests.scenarios.making import make_scenario
from tests.scenarios.sampling import fate as fate_of
from tests.scenarios.sampling import make_many, recount
from tests.scenarios.test_runtime import press, start


def everybody(scenario: Scenario, number: Number, reader: User) -> list[visitors.Visit]:
    """All pages one after another."""
    found, page, more = [], 1, True
    while more:
        rows, more = visitors.behind(scenario, Window(), number, reader=reader, page=page)
        found += rows
        page += 1
    return found


@pytest.fixture
def many(db: None) -> Scenario:
    return make_many()


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_superuser("owner", password="x")


def test_behind_each_number_stand_as_many_visits_as_it_says(many: Scenario, owner: User) -> None:
    for (name, exit_), figures in recount(many, Window()).items():
        for counted in COUNTED:
            told = everybody(many, Number(name, exit_ or "", counted=counted), owner)
            said = figures.left if counted == "slowest" else getattr(figures, counted)  # the time is known of those that were left
            assert (name, exit_, counted, len(told)) == (name, exit_, counted, said)


def test_the_visits_are_the_very_ones(many: Scenario, owner: User) -> None:
    steps = list(SessionStep.objects.filter(node="thanks").select_related("session"))
    for fate in ("left", "dropped", "ended", "waiting"):
        told = [(visit.session, visit.visit) for visit in everybody(many, Number("thanks", counted=fate), owner)]
        assert told == [(step.session_id, step.visit) for step in sorted(steps, key=lambda step: -step.pk) if fate_of(step) == fate]
    slow = [visit.seconds or 0 for visit in everybody(many, Number("thanks", counted="slowest"), owner)]
    assert slow == sorted(slow, reverse=True)
    people = everybody(many, Number("thanks", counted="people"), owner)
    assert sum(visit.visits for visit in people) == len(steps)


def test_an_exit_that_was_connected_anew_keeps_its_people_apart(many: Scenario, owner: User) -> None:
    confirmed = SessionStep.objects.filter(node="thanks", exit="confirm")
    for target, version in (("done", 1), ("bye", 2)):
        told = everybody(many, Number("thanks", "confirm", to=target), owner)
        assert {visit.version for visit in told} == {version}
        assert len(told) == confirmed.filter(session__version__number=version).count()


def test_pages_follow_one_another(many: Scenario, owner: User) -> None:
    first, more = visitors.behind(many, Window(), Number("thanks"), reader=owner)
    second, _more = visitors.behind(many, Window(), Number("thanks"), reader=owner, page=2)
    assert (len(first), more) == (PAGE, True)
    assert not {(visit.session, visit.visit) for visit in first} & {(visit.session, visit.visit) for visit in second}


@pytest.mark.django_db(transaction=True)
def test_a_transcript_opens_at_what_the_block_said() -> None:
    triggers.forget()
    lead = make_lead(make_channel(), name="Anna")
    scenario = make_scenario(lead.channel.bot, thank_you())
    start(lead, scenario)
    press(lead, "Later", message=Message.objects.filter(conversation__lead=lead, direction="out").latest("seq"))
    owner = User.objects.create_superuser("owner", password="x")
    said = {message.text: message.seq for message in Message.objects.filter(conversation__lead=lead)}
    for name, text in (("thanks", "Thank you, Anna! Amount "), ("bye", "As you like.")):
        [[visit], _more] = visitors.behind(scenario, Window(), Number(name), reader=owner)
        conversation = Message.objects.filter(conversation__lead=lead).values_list("conversation_id", flat=True)[0]
        seq = said[text]
        assert visit.transcript == f"/admin/conversations/conversation/{conversation}/change/?before={seq + visitors.AFTER + 1}#m{seq}"
        assert visit.name == "Anna"
        client = Client()
        client.force_login(owner)
        assert f'id="m{seq}"' in client.get(visit.transcript).content.decode()
        assert client.get(visit.way).status_code == 200


# --- rights and the API ------------------------------------------------------------------------------------------------


def ask(client: Client, scenario: Scenario, query: str) -> Any:
    return client.get(f"/api/scenarios/{scenario.pk}/visits?{query}")


def test_the_api_gives_the_page(client: Client, many: Scenario, owner: User) -> None:
    client.force_login(owner)
    answer = ask(client, many, "node=thanks&counted=dropped&version=2").json()
    told, more = visitors.behind(many, Window(version=2), Number("thanks", counted="dropped"), reader=owner)
    assert [row["session"] for row in answer["visits"]] == [visit.session for visit in told]
    assert set(answer["visits"][0]) == set(VisitSerializer().fields)
    assert (answer["page"], answer["more"]) == (1, more)
    for wrong in ("", "node=", "node=%00", "node=a&exit=%00", "node=a&counted=x", "node=a&page=x", "node=a&page=-1", "node=a&since=x"):
        assert (wrong, ask(client, many, wrong).status_code) == (wrong, 400)
    assert ask(client, many, "node=thanks&page=99999999").json()["visits"] == []


def test_names_and_transcripts_need_their_own_rights(client: Client, many: Scenario) -> None:
    seen = {}
    for role in ("analyst", "supervisor", "integrator"):
        client.force_login(make_staff(role, bots=[many.bot]))
        row = ask(client, many, "node=thanks").json()["visits"][0]
        seen[role] = (row["name"] is not None, bool(row["transcript"]), bool(row["way"]))
    assert seen["supervisor"] == (True, True, True)
    assert seen["analyst"][0] is False
    client.force_login(make_staff("operator", bots=[many.bot]))
    assert ask(client, many, "node=thanks").status_code == 404
    foreign = make_scenario(make_channel().bot, thank_you())
    publishing.publish(foreign)
    client.force_login(make_staff("analyst", bots=[many.bot]))
    assert ask(client, foreign, "node=thanks").status_code == 404


def test_a_visit_in_a_definition_without_exits_counts_too(many: Scenario, owner: User) -> None:
    """Versions of older forms may hold blocks without exits at all."""
    version = many.versions.get(number=1)
    type(version).objects.filter(pk=version.pk).update(
        definition={"sections": [{"id": "main", "nodes": [{"id": "thanks", "kind": "message"}, node("x", "end")]}]}
    )
    assert everybody(many, Number("thanks", "confirm", to="done"), owner) == []
    assert len(everybody(many, Number("thanks", "confirm"), owner)) == SessionStep.objects.filter(node="thanks", exit="confirm").count()


def test_without_the_right_to_analytics_the_builder_offers_no_figures(
    client: Client, many: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.scenarios.admin.builder.SCRIPT", "admin_ui/admin.js")  # as if it were built
    reader = User.objects.create_user("reader", password="x", is_staff=True)
    role = Role.objects.create(key="reader", name="Reader", permissions={"scenarios": ["view"]})
    RoleAssignment.objects.create(user=reader, role=role, all_bots=False, bot_ids=[many.bot_id])
    for user, offered in ((reader, False), (make_staff("analyst", bots=[many.bot]), True)):
        client.force_login(user)
        text = client.get(f"/admin/scenarios/scenario/{many.pk}/builder/").content.decode()
        urls = json.loads(text.split('<script id="builder-data" type="application/json">')[1].split("</script>")[0])["urls"]
        assert ("figures" in urls, "visits" in urls, "differences" in urls) == (offered, offered, True)
        assert ask(client, many, "node=thanks").status_code == (200 if offered else 403)
