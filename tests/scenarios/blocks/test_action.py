"""The Action block: parameters, secrets, results."""

from apps.scenarios.engine.contract import Act, Cancelled, Facts, Fired, Resumed, Returned, Said
from tests.scenarios.blocks.cases import Case, run
from tests.scenarios.engine.driving import Talk, flow_of, give_back, node

CALL = {
    "action": "call_system",
    "params": {"url": "https://crm.example.com/orders/{{ order_id }}", "body": {"id": "{{ order_id }}", "name": "{{ name }}"}},
}
CASES = [
    Case("takes the exit of the result and its values", CALL, (give_back("ok", status="paid"),), takes="ok", sets={"status": "paid"}),
    Case("takes a failure's exit", CALL, (give_back("error", error="refused"),), takes="error"),
    Case("waits for the result", CALL, takes="", status="calling"),
    Case("a message meanwhile is not for it", CALL, (Said("hello"),), takes="", handled=False, status="calling"),
    Case("a result of another visit is not for it", CALL, (Returned(visit=99, exit="ok"),), takes="", handled=False),
    Case(
        "a failure that is not connected fails the run",
        CALL,
        (give_back("error", error="No answer."),),
        open_exits=frozenset({"error"}),
        status="failed",
    ),
    Case("an exit that the action does not declare fails the run", CALL, (give_back("surprise"),), status="failed"),
    Case("coming back goes on waiting", CALL, (Resumed(),), takes="", status="calling"),
    Case("cancelling ends the session", CALL, (Cancelled(),), status="ended"),
    Case("a timer is not for it", CALL, (Fired(visit=1, reason="timeout"),), takes="", handled=False),
]
SECRET = Facts(settings={"crm_url": "https://crm.example.com", "token": "s3cr3t"}, secret_settings=frozenset({"token"}))


def acted(params: dict[str, object], facts: Facts = SECRET, **given: object) -> Act:
    return (
        Talk(flow_of(node("it", "action", {"action": "call_system", "params": params}, ok="end"), node("end", "end")), facts=facts)
        .start(params=given)
        .acts[0]
    )


def test_bodies_keep_types_and_name_the_connected_exits() -> None:
    act = run("action", Case("", CALL, given={"order_id": 9821, "name": "Анна"})).acts[0]
    assert act == Act(
        action="call_system",
        params={"url": "https://crm.example.com/orders/9821", "body": {"id": 9821, "name": "Анна"}},
        shown={"url": "https://crm.example.com/orders/9821", "body": {"id": 9821, "name": "Анна"}},
        node="it",
        visit=1,
        exits=("ok", "error"),
    )


def test_values_cannot_break_out_of_an_address() -> None:
    act = acted({"url": "{{ instance_settings.crm_url }}/orders/{{ id }}?q={{ q }}"}, id="../../admin?x=1#", q="a b&c=д")
    assert act.params["url"] == "https://crm.example.com/orders/..%2F..%2Fadmin%3Fx%3D1%23?q=a%20b%26c%3D%D0%B4"


def test_values_cannot_break_out_of_a_json_text() -> None:
    act = acted({"template": '{"name": "{{ name }}", "n": {{ n }}, "tags": {{ tags }}}'}, name='An"na\n', n=5, tags=["a"])
    assert act.params["template"] == '{"name": "An\\"na\\n", "n": 5, "tags": ["a"]}'


def test_secrets_are_in_clear_for_the_action_only() -> None:
    act = acted({"headers": {"Authorization": "Bearer {{ instance_settings.token }}"}, "url": "{{ instance_settings.crm_url }}"})
    assert act.params == {"headers": {"Authorization": "Bearer s3cr3t"}, "url": "https://crm.example.com"}
    assert act.shown == {"headers": {"Authorization": "Bearer •••"}, "url": "https://crm.example.com"}


def test_secrets_reach_no_text_variable_event_or_trace() -> None:
    flow = flow_of(
        node("s", "set_variable", {"variables": [{"name": "x", "value": "{{ instance_settings.token }}"}]}, next="m"),
        node("m", "message", {"text": "{{ instance_settings.token }} {{ x }} {{ instance_settings }}"}, next="e"),
        node("e", "emit_event", {"name": "x", "data": {"t": "{{ instance_settings.token }}"}}, next="r"),
        node("r", "respond", {"data": "{{ instance_settings.token }}"}, next="a"),
        node("a", "action", {"action": "call_system", "params": {"body": "{{ instance_settings.token }}"}}),
    )
    talk = Talk(flow, facts=SECRET).start()
    acts = [effect for effect in talk.effects if isinstance(effect, Act)]
    assert [act.params for act in acts] == [{"body": "s3cr3t"}]
    others = [effect for effect in talk.effects if not isinstance(effect, Act)]
    assert "s3cr3t" not in repr((others, talk.last.events, talk.state, acts[0].shown))


def test_nobody_may_cover_settings_by_parameters_or_results() -> None:
    flow = flow_of(
        node("a", "action", {"action": "call_system", "params": {"url": "{{ instance_settings.crm_url }}"}}, ok="b"),
        node("b", "action", {"action": "call_system", "params": {"url": "{{ instance_settings.crm_url }}"}}),
    )
    evil = {"crm_url": "https://evil.example.com"}
    talk = Talk(flow, facts=SECRET).start(params={"instance_settings": evil})
    talk.tell(give_back("ok", instance_settings=evil))
    assert [act.params["url"] for act in talk.acts] == ["https://crm.example.com"] * 2


def test_an_action_that_is_not_installed_still_ends_well() -> None:
    flow = flow_of(node("a", "action", {"action": "gone"}, ok="end"), node("end", "end", {"outcome": "fine"}), actions={})
    assert Talk(flow).start().tell(give_back("ok")).last.outcome == "fine"
    failed = Talk(flow).start().tell(give_back("error", error="The action “gone” is not installed.")).last
    assert failed.failure is not None
    assert failed.failure.message == "Script error at node “a”: The action “gone” is not installed."
