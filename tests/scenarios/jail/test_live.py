"""A custom action in a scenario: the sender runs it, its result and writes are stored once, its failure names the line."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.conversations import advancing
from apps.conversations.models import Call
from apps.core.models import InstanceSetting
from apps.core.settings_store import forget
from apps.customdata import records
from apps.customdata.designing import FieldSpec
from apps.events.models import Event
from apps.identity.models import Lead
from apps.scenarios import publishing as scenario_publishing
from apps.scenarios import tasks, triggers
from apps.scenarios.jail import catalogue, journal, publishing, tables
from apps.scenarios.jail.models import ScriptEffect
from apps.scenarios.models import CustomAction, Session
from apps.scenarios.registry import actions_for
from tests.conversations.sending import sender, until
from tests.customdata.conftest import _no_tables_left, make_table
from tests.making import make_bot, make_channel, make_lead
from tests.scenarios.definitions import Json, definition, node
from tests.scenarios.jail.making import make_action
from tests.scenarios.making import make_scenario
from tests.scenarios.test_outside_calls import Crm, crm, ended
from tests.scenarios.test_runtime import said, start

__all__ = ["_no_tables_left", "crm"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lead() -> Lead:
    triggers.forget()
    catalogue.forget()
    return make_lead(make_channel(kind="widget"), chat_id="w_1", name="Anna")


def using(action: str, params: Json | None = None, *exits: str, failing: bool = False, **more: Any) -> Json:
    """Runs the action and says which exit it took, and the variables `a` and `result`."""
    named = exits or ("next",)
    said_by = [node(f"on_{name}", "message", {"text": f"{name}: {{{{ a }}}} {{{{ result }}}}"}, next="end") for name in named]
    error = [node("on_error", "message", {"text": "{{ script_error }}"}, next="end")] if not failing else []
    edges = {name: f"on_{name}" for name in named} | ({} if failing else {"error": "on_error"})
    return definition(
        node("start", "start", next="hello"),
        node("hello", "message", {"text": "One moment."}, next="run"),
        node("run", "action", {"action": action, "params": params or {}}, **edges),
        *said_by, *error, node("end", "end"), **more,
    )  # fmt: skip


def test_its_result_becomes_variables_and_its_exit_is_taken(lead: Lead) -> None:
    make_action(
        "log('looking for', ctx.params.order, ctx.data.city, ctx.user.user_name); exit('found', {a: ctx.params.order * 2})",
        params=[{"name": "order", "type": "integer", "required": True}], exits=[{"name": "found"}, {"name": "missing"}],
    )  # fmt: skip
    update = start(
        lead, make_scenario(lead.channel.bot, using("check_stock", {"order": "{{ order }}"}, "found", "missing")), order="21", city="Kyiv"
    )

    assert (update.outcome["status"], said(lead)) == ("calling", ["One moment."])
    with sender():
        until(ended)
    assert said(lead) == ["One moment.", "found: 42 "]
    told = Event.objects.get(kind="script.ran")
    assert (told.status, told.details["exit"], told.details["logs"]) == ("success", "found", ["looking for 21 Kyiv Anna"])


def test_an_error_names_its_line_to_the_caller_and_in_the_trace(lead: Lead) -> None:
    make_action("// 1\n" * 22 + "ctx.params.order.id")
    update = start(lead, make_scenario(lead.channel.bot, using("check_stock", failing=True)))
    with sender():
        until(ended)

    assert Session.objects.get().status == "failed"
    assert Session.objects.get().error.startswith("Script error at line 23, column ")
    told = Event.objects.get(kind="script.ran")
    assert (told.status, told.details["line"]) == ("fail", 23)
    assert update.trace_id == told.trace_id


def test_its_error_exit_can_be_handled(lead: Lead) -> None:
    make_action("throw new Error('The stock is empty')")
    start(lead, make_scenario(lead.channel.bot, using("check_stock")))
    with sender():
        until(ended)

    assert said(lead)[1] == "Script error at line 1, column 11: The stock is empty"


def test_memory_and_events_are_written_with_the_result(lead: Lead) -> None:
    make_action("memory.set('visits', (memory.get('visits') || 0) + 1); emit('visited', {n: memory.get('visits')}); return {a: 1}")
    scenario = make_scenario(lead.channel.bot, using("check_stock"))
    for _time in range(2):
        start(lead, scenario)
        with sender():
            until(ended)

    lead.person.refresh_from_db()
    assert lead.person.attributes["visits"] == 2
    assert [event.details["data"] for event in Event.objects.filter(kind="scenario.event").order_by("id")] == [{"n": 1}, {"n": 2}]


def test_a_script_that_fails_leaves_nothing_behind(lead: Lead) -> None:
    make_action("memory.set('visits', 1); emit('visited'); throw new Error('no')")
    start(lead, make_scenario(lead.channel.bot, using("check_stock")))
    with sender():
        until(ended)

    lead.person.refresh_from_db()
    assert "visits" not in lead.person.attributes
    assert not Event.objects.filter(kind="scenario.event").exists()


def test_a_call_carries_a_key_that_a_repeated_run_repeats_and_is_made_once(lead: Lead, crm: Crm) -> None:
    """The process dies after the call was answered and before the result was stored: the script runs again, the call does not."""
    code = f"const r = await callApi({{url: '{crm.url}/orders', body: {{n: 1}}}}); return {{a: r.body.ok}}"
    make_action(code)
    start(lead, make_scenario(lead.channel.bot, using("check_stock")))
    call = Call.objects.get()
    journal.keep(call.idempotency_key, "call", 1, {"ok": True, "status": 200, "headers": {}, "body": {"ok": "as noted before"}})
    with sender():
        until(ended)

    assert said(lead)[1] == "next: as noted before "
    assert crm.asked == []

    start(lead, make_scenario(lead.channel.bot, using("check_stock")))
    key = Call.objects.latest("id").idempotency_key
    with sender():
        until(ended)
    assert [asked["headers"]["Idempotency-Key"] for asked in crm.asked] == [f"{key}-1"]
    assert journal.recall(key, "call", 1) is None


def test_a_session_cancelled_meanwhile_gets_no_effect(lead: Lead) -> None:
    make_action("memory.set('visits', 1)")
    start(lead, make_scenario(lead.channel.bot, using("check_stock")))
    Call.objects.update(state=Call.State.CANCELLED)
    with sender():
        pass
    advancing.drain()

    lead.person.refresh_from_db()
    assert lead.person.attributes == {}


def test_secrets_reach_other_systems_only(lead: Lead, crm: Crm) -> None:
    InstanceSetting.objects.create(key="crm_key", value="sk-123456789", is_secret=True)
    forget()
    make_action(
        f"log(ctx.params.key); await callApi({{url: '{crm.url}', headers: {{'X-Key': ctx.params.key}}}}); return {{a: 'key ' + ctx.params.key}}",
        params=[{"name": "key", "type": "text"}],
    )
    start(lead, make_scenario(lead.channel.bot, using("check_stock", {"key": "{{ instance_settings.crm_key }}"})))
    with sender():
        until(ended)

    assert crm.asked[0]["headers"]["X-Key"] == "sk-123456789"
    assert said(lead)[1] == "next: key ••• "
    assert "sk-123456789" not in str(list(Event.objects.values_list("details", flat=True))) + str(
        list(Call.objects.values_list("shown", flat=True))
    )


def test_the_version_that_was_asked_for_runs_even_when_another_was_published_since(lead: Lead) -> None:
    action = make_action("return {a: 'first'}")
    start(lead, make_scenario(lead.channel.bot, using("check_stock")))
    action.code, action.params = "return {a: 'second'}", [{"name": "needed", "type": "text", "required": True, "help": ""}]
    action.save()
    publishing.publish(action)
    with sender():
        until(ended)

    assert said(lead)[1] == "next: first "


def test_an_exit_that_is_not_declared_is_an_error(lead: Lead) -> None:
    make_action("exit('gone')", exits=[{"name": "found"}])
    start(lead, make_scenario(lead.channel.bot, using("check_stock", {}, "found")))
    with sender():
        until(ended)

    assert said(lead)[1] == "The script named the exit “gone”, which is not declared: error, found."


def test_a_published_action_is_offered_at_once_to_its_bot_alone() -> None:
    mine, other = make_bot(), make_bot()
    make_action("return 1", key="for_mine", bot=mine)
    make_action("return 1", key="for_all")
    draft = make_action("return 1", key="only_a_draft", bot=mine, publish=False)

    assert [key for key in actions_for(mine.pk) if key.startswith(("for_", "only_"))] == ["for_all", "for_mine"]
    assert [key for key in actions_for(other.pk) if key.startswith(("for_", "only_"))] == ["for_all"]
    publishing.publish(draft)
    assert "only_a_draft" in actions_for(mine.pk)
    CustomAction.objects.filter(pk=draft.pk).update(is_active=False)
    catalogue.forget()
    assert "only_a_draft" not in actions_for(mine.pk)


def test_a_scenario_of_another_bot_is_refused_at_publishing() -> None:
    mine, other = make_bot(), make_bot()
    make_action("return 1", bot=mine)

    assert [problem.code for problem in scenario_publishing.check(using("check_stock"), bot=mine) if problem.level == "error"] == []
    assert "unknown_action" in [problem.code for problem in scenario_publishing.check(using("check_stock"), bot=other)]


def test_records_are_written_once_with_the_rights_of_the_bot(lead: Lead) -> None:
    table = make_table(FieldSpec("Subject", "text", required=True), FieldSpec("Amount", "number"), name="Complaints", bot=lead.channel.bot)
    make_table(FieldSpec("Name", "text"), name="Foreign", bot=make_bot())
    make_action(
        """
        const made = await table("complaints").insert({subject: "late", amount: 5})
        await table("complaints").update(made.id, {amount: 7})
        const found = await table("complaints").find({amount: {gt: 6}}, {order: "-amount", limit: 5})
        let refused = []
        for (const work of [() => table("foreign").find(), () => table("complaints").insert({}), () => table("complaints").find({nothing: 1})])
            await work().catch(error => refused.push(error.message))
        return {a: found.map(row => row.subject + row.amount).join(), result: refused.length + " " + refused[0]}
        """
    )
    start(lead, make_scenario(lead.channel.bot, using("check_stock")))
    with sender():
        until(ended)

    assert said(lead)[1] == "next: late7 3 There is no table “foreign”."
    assert len(records.find(table).records) == 1


def test_a_repeated_run_writes_a_record_no_second_time(lead: Lead) -> None:
    table = make_table(FieldSpec("Subject", "text"), name="Complaints")
    request = {"table": "complaints", "verb": "insert", "args": {"values": {"subject": "late"}}}

    def work() -> Any:
        return tables.work(request, bot_id=lead.channel.bot_id, name="check_stock")

    first, again = (journal.once("s1-v1", "table", 1, work) for _time in range(2))

    assert first == again
    assert len(records.find(table).records) == 1


def test_notes_of_runs_that_nobody_will_repeat_are_taken_away() -> None:
    for run in ("old", "new"):
        journal.keep(run, "call", 1, {"ok": True})
    ScriptEffect.objects.filter(run="old").update(created_at=timezone.now() - timedelta(days=8))

    assert tasks.tidy() == 1
    assert [journal.recall(run, "call", 1) for run in ("old", "new")] == [None, {"value": {"ok": True}}]
