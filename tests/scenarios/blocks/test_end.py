"""The end block."""

from tests.scenarios.blocks.cases import Case
from tests.scenarios.engine.driving import Talk, flow_of, node, section

CASES = [
    Case("ends with its outcome", {"outcome": "ordered"}, takes="ordered"),
    Case("ends without one", takes=None, status="ended"),
]


def test_an_end_in_a_called_section_ends_the_whole_scenario() -> None:
    flow = flow_of(
        node("call", "exit", {"mode": "call", "section": "sub"}, next="after"),
        node("after", "message", {"text": "After"}),
        sections=[section("sub", node("end", "end", {"outcome": "over"}))],
    )
    talk = Talk(flow).start()
    assert (talk.last.status, talk.last.outcome, talk.said) == ("ended", "over", [])
