"""The entry block."""

from tests.scenarios.blocks.cases import Case
from tests.scenarios.engine.driving import Talk, flow_of, node

CASES = [Case("goes on", {"alias": "order/thank-you"}, takes="next")]


def test_a_call_by_alias_begins_at_its_entry() -> None:
    flow = flow_of(
        node("start", "start", next="hello"),
        node("hello", "message", {"text": "Hello"}),
        node("in", "entry", {"alias": "order/status"}, next="shipped"),
        node("shipped", "message", {"text": "Shipped"}),
    )
    assert Talk(flow).start(entry="order/status").said == ["Shipped"]
    assert Talk(flow).start().said == ["Hello"]


def test_an_unknown_alias_fails_with_its_name() -> None:
    talk = Talk(flow_of(node("start", "start", next="end"), node("end", "end"))).start(entry="nope")
    assert talk.last.status == "failed"
    assert talk.last.failure is not None
    assert talk.last.failure.message == "Script error at node “nope”: the section or entry “nope” does not exist or has no blocks."


def test_entries_tell_their_sections_parameters() -> None:
    flow = flow_of(node("in", "entry", {"alias": "a/b"}), params=[{"name": "order_id", "type": "number", "required": True}])
    assert [param.name for param in flow.entries["a/b"].params] == ["order_id"]
