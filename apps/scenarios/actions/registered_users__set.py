"""Keeps values with the person, across scenarios."""

from typing import Any

from django.utils.translation import gettext as translated
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from pydantic import Field

from apps.identity import attributes
from apps.identity.attributes import InvalidValuesError
from apps.identity.models import Person
from apps.scenarios.acting import person_of
from apps.scenarios.action import Action, ActionContext, ActionParams, ActionResult
from apps.scenarios.block import Exit
from apps.scenarios.engine.contract import Json


class SetParams(ActionParams):
    values: dict[str, Any] = Field(
        min_length=1,
        title=gettext_noop("Values"),
        description=gettext_noop(
            "name, language, timezone, segment, phone, email, client fields by key; anything else becomes an attribute."
        ),
        json_schema_extra={"examples": [{"name": "{{ answer }}", "city": "Kyiv"}]},
    )
    keep_existing: bool = Field(default=False, title=gettext_noop("Fill only what is empty"))


class Set(Action[SetParams]):
    kind = "registered_users__set"
    label = _("Registered users: set")
    help = _("Keeps values with the person. Declared client fields are brought to their type; an empty value removes. All or nothing.")
    exits = (Exit("ok", _("Stored"), required=True), Exit("invalid", _("A value does not fit"), failure=True))
    Params = SetParams

    def run(self, context: ActionContext, params: SetParams) -> ActionResult:
        person = person_of(context)
        if person is None:
            return ActionResult("invalid", error=translated("There is no person in this run."))
        values = _missing(person, params.values) if params.keep_existing else params.values
        try:
            if context.dry_run:
                attributes.check_values(values)
            else:
                attributes.set_values(person, values, source="scenario")
        except InvalidValuesError as error:
            return ActionResult("invalid", values={"invalid_fields": error.errors}, error=str(error))
        return ActionResult("ok")

    def sets(self, params: Json) -> list[str]:
        values = params.get("values")
        return [*(map(_fact, values) if isinstance(values, dict) else ()), "invalid_fields"]


def _missing(person: Person, values: dict[str, Any]) -> dict[str, Any]:
    known = attributes.facts(person)
    return {key: value for key, value in values.items() if known.get(_fact(key)) in (None, "")}


def _fact(key: str) -> str:
    """The name under which placeholders see what is stored as `key`."""
    bare = key.removeprefix("user_")
    return f"user_{bare}" if bare in attributes.COLUMNS else key
