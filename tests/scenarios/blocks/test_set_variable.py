"""Set variable."""

from tests.scenarios.blocks.cases import Case
from tests.scenarios.engine.driving import Talk, flow_of, node


def setting(**values: object) -> dict[str, object]:
    return {"variables": [{"name": name, "value": value} for name, value in values.items()]}


CASES = [
    Case(
        "keeps types",
        setting(
            number=5,
            flag=True,
            nothing=None,
            total="{{ amount }}",
            items="{{ order.items }}",
            text="{{ amount }} USD",
            made={"id": "{{ amount }}", "n": ["{{ x }}"]},
        ),
        given={"amount": 3500, "order": {"items": [1, {"a": 2}]}},
        takes="next",
        sets={
            "number": 5,
            "flag": True,
            "nothing": None,
            "total": 3500,
            "items": [1, {"a": 2}],
            "text": "3500 USD",
            "made": {"id": 3500, "n": [""]},
        },
    ),
    Case("a later one sees an earlier one", setting(a=1, b="{{ a | plus: 1 }}"), takes="next", sets={"a": 1, "b": 2}),
    Case("a filter that does not fit fails with the node", setting(a="{{ 1 | divided_by: 0 }}"), status="failed"),
    Case("a value that is too large fails", setting(a="{{ big }}{{ big }}"), given={"big": "x" * 40_000}, status="failed"),
]


def test_two_variables_never_share_a_list() -> None:
    flow = flow_of(
        node("s", "set_variable", setting(copy="{{ order }}"), next="q"),
        node("q", "input", {"text": "?"}),
    )
    talk = Talk(flow).start(params={"order": {"items": [1]}})
    talk.variables["copy"]["items"].append(2)
    assert talk.variables["order"] == {"items": [1]}


def test_the_limit_of_variables_names_node_and_variable() -> None:
    flow = flow_of(node("s", "set_variable", setting(half="{{ big }}", whole="{{ big }}"), next="q"), node("q", "input", {"text": "?"}))
    talk = Talk(flow).start(params={"big": "ж" * 15_000})
    assert talk.last.status == "failed"
    assert talk.last.failure is not None
    assert (talk.last.failure.code, talk.last.failure.node) == ("variables", "s")
    assert "after “whole” was set" in talk.last.failure.message


def test_setting_the_language_changes_the_texts_that_follow() -> None:
    flow = flow_of(
        node("s", "set_variable", setting(language="ru"), next="m"),
        node("m", "message", {"text": {"en": "Hello", "ru": "Здравствуйте"}}),
        languages=["en", "ru"],
    )
    assert Talk(flow).start().said == ["Здравствуйте"]
