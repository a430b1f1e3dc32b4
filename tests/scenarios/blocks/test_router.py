"""The router."""

from collections import Counter

from tests.scenarios.blocks.cases import Case
from tests.scenarios.engine.driving import Talk, flow_of, node

BRANCHES = [
    {
        "id": "vip",
        "title": "VIP",
        "when": {"all": [{"variable": "order.amount", "operator": "gte", "value": "1 000"}, {"variable": "city", "value": "tashkent"}]},
    },
    {"id": "paid", "when": {"expression": "status == 'paid' or status == 'done'"}},
    {"id": "any", "when": {"any": [{"variable": "a", "operator": "is_set"}, {"variable": "b", "operator": "is_yes"}]}},
]
CASES = [
    Case("all rows hold", {"branches": BRANCHES}, given={"order": {"amount": 3500}}, takes="vip"),
    Case("a free expression holds", {"branches": BRANCHES}, given={"order": {"amount": 1}, "status": "paid"}, takes="paid"),
    Case("any row holds", {"branches": BRANCHES}, given={"b": "да"}, takes="any"),
    Case("the first that holds wins", {"branches": BRANCHES}, given={"order": {"amount": 3500}, "status": "paid"}, takes="vip"),
    Case("none holds", {"branches": BRANCHES}, takes="else"),
    Case("a branch without a condition always holds", {"branches": [{"id": "always"}]}, takes="always"),
    Case("by share, one branch", {"mode": "share", "branches": [{"id": "a", "share": 1}, {"id": "b", "share": 0}]}, takes="a"),
    Case("by share, the other branch", {"mode": "share", "branches": [{"id": "a", "share": 0}, {"id": "b", "share": 2}]}, takes="b"),
    Case(
        "by share, none fits", {"mode": "share", "branches": [{"id": "a", "when": {"variable": "x", "operator": "is_set"}}]}, takes="else"
    ),
    Case(
        "an expression that cannot compare fails",
        {"branches": [{"id": "a", "when": {"expression": "order > 5"}}]},
        given={"order": {}},
        status="failed",
    ),
]


def test_shares_are_kept_over_many_people() -> None:
    flow = flow_of(
        node("r", "router", {"mode": "share", "branches": [{"id": "a", "share": 3}, {"id": "b", "share": 1}]}, a="ea", b="eb"),
        node("ea", "end", {"outcome": "a"}),
        node("eb", "end", {"outcome": "b"}),
    )
    counted = Counter(Talk(flow, seed=seed).start().last.outcome for seed in range(400))
    assert 250 < counted["a"] < 350
