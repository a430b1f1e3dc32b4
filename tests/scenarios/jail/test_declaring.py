"""What authors declare, and the gate before publishing."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from pydantic import ValidationError as PydanticError

from apps.events.models import Event
from apps.scenarios.jail import publishing
from apps.scenarios.jail.declaring import clean_exits, clean_params, exits_of, params_model
from apps.scenarios.jail.publishing import FailedCasesError, UnreadableCodeError
from apps.scenarios.models import CustomActionTest
from tests.scenarios.jail.making import make_action


def test_parameters_get_their_types_and_defaults() -> None:
    rows = clean_params(
        [
            {"name": "order", "type": "integer", "required": True, "help": "The order's number"},
            {"name": "city", "type": "text", "default": "Kyiv"},
            {"name": "days", "type": "number", "default": "1.5"},
            {"name": "", "type": "text"},
        ]
    )
    model = params_model(rows)

    assert [row["name"] for row in rows] == ["order", "city", "days"]
    assert model.model_validate({"order": "21"}).model_dump() == {"order": 21, "city": "Kyiv", "days": 1.5}
    assert model.model_json_schema()["properties"]["order"]["description"] == "The order's number"
    with pytest.raises(PydanticError):
        model.model_validate({"order": 1, "other": 2})


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([{"name": "1st"}], "is no name"),
        ([{"name": "a"}, {"name": "a"}], "Named twice: a"),
        ([{"name": "a", "type": "date"}], "there is no type"),
        ([{"name": "a", "type": "integer", "default": "x"}], "the default does not fit"),
        ({"name": "a"}, "A list"),
        ([{"name": f"a{n}"} for n in range(31)], "At most 30"),
        ([{"name": "__class__"}], "is no name"),
        ([{"name": "model_config"}], "is no name"),
    ],
)
def test_wrong_parameters_are_explained(rows: Any, told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        clean_params(rows)


def test_exits_are_those_declared_and_the_error() -> None:
    assert [spec.name for spec in exits_of([])] == ["next", "error"]
    assert [(spec.name, spec.failure) for spec in exits_of(clean_exits([{"name": "found"}, {"name": "error"}]))] == [
        ("found", False),
        ("error", True),
    ]


@pytest.mark.django_db
def test_saved_tests_gate_the_publication_and_overriding_is_logged() -> None:
    action = make_action("exit(ctx.params.n > 5 ? 'many' : 'few', {n: ctx.params.n, more: 1})", publish=False,
                         params=[{"name": "n", "type": "integer"}], exits=[{"name": "many"}, {"name": "few"}])  # fmt: skip
    CustomActionTest.objects.create(action=action, name="Many", given={"params": {"n": 6}}, expected_exit="many", expected={"n": 6})
    assert publishing.publish(action).number == 1

    action.code = "exit('few', {n: 0})"
    action.save()
    with pytest.raises(FailedCasesError) as raised:
        publishing.publish(action)
    assert [(result.test.name, result.why) for result in raised.value.failed] == [("Many", "it took the exit “few” instead of “many”")]

    version = publishing.publish(action, despite="The CRM is down")
    assert (version.number, version.despite) == (2, "The CRM is down")
    told = Event.objects.filter(kind="custom_action.published").latest("id").details
    assert (told["failed_tests"], told["despite"]) == (["Many"], "The CRM is down")


@pytest.mark.django_db
def test_code_that_cannot_be_read_is_not_published() -> None:
    with pytest.raises(UnreadableCodeError, match=r"^Script error at line 2, column \d+: SyntaxError"):
        make_action("let a = 1\nlet b = = 2")


@pytest.mark.django_db
def test_an_old_version_comes_back_as_a_new_one() -> None:
    action = make_action("return 1")
    first = action.published
    action.code = "return 2"
    action.save()
    publishing.publish(action)
    assert first is not None

    version = publishing.roll_back(first)

    action.refresh_from_db()
    assert (version.number, version.code, action.code, action.published_id) == (3, "return 1", "return 1", version.pk)
