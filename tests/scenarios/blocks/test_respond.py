"""Respond."""

from tests.scenarios.blocks.cases import Case, run

CASES = [
    Case(
        "answers and goes on",
        {"data": {"ok": True, "order": "{{ order }}", "text": "for {{ user_name }}"}},
        given={"order": {"id": 1}},
        takes="next",
    )
]


def test_the_answer_keeps_types() -> None:
    assert run("respond", CASES[0]).responses == [{"ok": True, "order": {"id": 1}, "text": "for Anna"}]
