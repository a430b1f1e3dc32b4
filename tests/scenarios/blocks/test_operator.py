"""Operator connection."""

from apps.scenarios.engine.contract import Act, Said
from tests.scenarios.blocks.cases import Case, run
from tests.scenarios.engine.driving import give_back

PARAMS = {"subject_alias": "orders", "message": "Order {{ order_id }}", "timeout": "10 minutes"}
CASES = [
    Case(
        "an operator took it",
        {**PARAMS, "connected_text": "Olga is here."},
        (give_back("connected"),),
        takes="connected",
        says=("Olga is here.",),
    ),
    Case("all are busy", PARAMS, (give_back("limit"),), takes="limit"),
    Case("nobody came", PARAMS, (give_back("timeout"),), takes="timeout"),
    Case("stays until it is closed", {**PARAMS, "stay": True}, (give_back("connected"),), takes="", status="calling"),
    Case(
        "goes on once it is closed",
        {**PARAMS, "stay": True},
        (give_back("connected", operator="Olga"), give_back("closed")),
        takes="closed",
        sets={"operator": "Olga"},
    ),
    Case("what the person writes meanwhile is the operator's", PARAMS, (Said("hello"),), takes="", handled=False),
]


def test_the_action_gets_the_sources_parameters() -> None:
    act = run("operator", Case("", PARAMS, given={"order_id": 9821})).acts[0]
    expected = {
        "subject_alias": "orders",
        "message": "Order 9821",
        "auto_connect_operator": True,
        "status": "queue",
        "timeout_seconds": 600.0,
    }
    assert act == Act(
        "operator_panel__connect_to_operator_with_msg", expected, expected, "it", 1, ("connected", "limit", "closed", "timeout")
    )
