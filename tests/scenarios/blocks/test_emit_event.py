"""Emit event."""

from apps.scenarios.engine.contract import Emit
from tests.scenarios.blocks.cases import Case, run

CASES = [
    Case(
        "tells and goes on",
        {"name": "order.confirmed", "data": {"id": "{{ order_id }}", "by": "{{ user_name }}"}},
        given={"order_id": 9821},
        takes="next",
    )
]


def test_the_event_carries_typed_data() -> None:
    assert run("emit_event", CASES[0]).emitted == [Emit(name="order.confirmed", data={"id": 9821, "by": "Anna"})]
