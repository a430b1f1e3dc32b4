"""Help for the JSON editor and the builder's forms, made from the models themselves: JSON Schema, operators, filters, names."""

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from apps.scenarios.engine.conditions import OPERATORS
from apps.scenarios.engine.contract import Json
from apps.scenarios.engine.definition import Definition
from apps.scenarios.engine.flow import Actions, Blocks
from apps.scenarios.engine.names import WORLD
from apps.scenarios.engine.wording import gettext_noop

Translate = Callable[[str], str]
REF = "#/$defs/{model}"
MINIMAL: Json = {
    "schema_version": 1,
    "name": "Thank you",
    "default_language": "en",
    "sections": [
        {
            "id": "main",
            "name": "Main",
            "params": [{"name": "amount", "type": "number", "required": True}],
            "nodes": [
                {"id": "entry", "kind": "entry", "params": {"alias": "order/thank-you"}, "exits": {"next": "thanks"}},
                {
                    "id": "thanks",
                    "kind": "message",
                    "params": {"text": "Thank you for your order, {{ user_name }}! Amount {{ amount | number }}"},
                },
            ],
        }
    ],
}

FILTER_HELP: dict[str, tuple[str, str]] = {
    "number": ("{{ amount | number }}", gettext_noop("A number with separators as the language writes them.")),
    "money": ('{{ amount | money: "USD" }}', gettext_noop("An amount with its currency.")),
    "date": (
        '{{ order.date | date: "%d %B %Y, %H:%M" }}',
        gettext_noop("A date or time in the person's time zone; another zone may follow."),
    ),
    "shift": ('{{ now | shift: "3 days" }}', gettext_noop("A date moved forward or back.")),
    "plural": ('{{ n | plural: "day", "days" }}', gettext_noop("The form of a word that fits a number.")),
    "phone": ("{{ user_phone | phone }}", gettext_noop("A phone number in its usual spelling; “masked” hides all but the end.")),
    "default": ('{{ user_name | default: "friend" }}', gettext_noop("Another value where there is none.")),
    "upcase": ("{{ code | upcase }}", gettext_noop("In capital letters.")),
    "downcase": ("{{ code | downcase }}", gettext_noop("In small letters.")),
    "capitalize": ("{{ user_name | capitalize }}", gettext_noop("With a capital at the beginning.")),
    "strip": ("{{ answer | strip }}", gettext_noop("Without spaces around it.")),
    "truncate": ("{{ text | truncate: 100 }}", gettext_noop("Cut to a length.")),
    "replace": ('{{ text | replace: "a", "b" }}', gettext_noop("One text put in the place of another.")),
    "remove": ('{{ text | remove: "-" }}', gettext_noop("Without a certain text.")),
    "split": ('{{ tags | split: "," }}', gettext_noop("A text cut into a list.")),
    "join": ('{{ tags | join: ", " }}', gettext_noop("A list as one text.")),
    "size": ("{{ items | size }}", gettext_noop("How many items or letters there are.")),
    "first": ("{{ items | first }}", gettext_noop("The first item.")),
    "last": ("{{ items | last }}", gettext_noop("The last item.")),
    "map": ('{{ items | map: "name" }}', gettext_noop("One field of every item.")),
    "where": ('{{ items | where: "paid", true }}', gettext_noop("The items whose field has a value.")),
    "sort": ('{{ items | sort: "price" }}', gettext_noop("The items in order.")),
    "uniq": ("{{ items | uniq }}", gettext_noop("Without repetitions.")),
    "sum": ('{{ items | sum: "price" }}', gettext_noop("The total.")),
    "plus": ("{{ count | plus: 1 }}", gettext_noop("Addition.")),
    "minus": ("{{ count | minus: 1 }}", gettext_noop("Subtraction.")),
    "times": ("{{ price | times: 2 }}", gettext_noop("Multiplication.")),
    "divided_by": ("{{ total | divided_by: 3.0 }}", gettext_noop("Division; by a whole number it gives a whole number.")),
    "round": ("{{ total | round: 2 }}", gettext_noop("Rounded to so many decimals.")),
    "json": ("{{ order | json }}", gettext_noop("The value as JSON.")),
    "url_encode": ("{{ text | url_encode }}", gettext_noop("Fit for an address; addresses of actions do this by themselves.")),
    "url_path": ("{{ path | url_path }}", gettext_noop("Fit for an address, its slashes kept.")),
    "escape": ("{{ text | escape }}", gettext_noop("Fit for HTML; HTML messages do this by themselves.")),
    "strip_html": ("{{ text | strip_html }}", gettext_noop("Without HTML tags.")),
}


def definition_schema(*, blocks: Blocks, actions: Actions | None = None, translate: Translate = str) -> Json:
    """JSON Schema (2020-12) of a definition; a node's `params` follow from its `kind`.

    `x-kinds` describes the kinds for a palette, `x-actions` what an Action block may name. Placeholders may stand wherever a property's
    `x-role` is text, template, reference, value or expression.
    """
    models: list[type[BaseModel]] = [Definition, *(block.Params for block in blocks.values())]
    places, combined = models_json_schema([(model, "validation") for model in models], ref_template=REF)
    definitions = dict(combined["$defs"])
    root = definitions.pop("Definition")
    node = definitions["Node"]
    rules = [_params_rule(kind, places[(blocks[kind].Params, "validation")], definitions) for kind in blocks]
    definitions["Node"] = {**node, "properties": {**node["properties"], "kind": {"enum": list(blocks), "title": "Kind"}}, "allOf": rules}
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **root, "$defs": definitions, "examples": [MINIMAL]}
    schema["x-kinds"] = {kind: _kind_schema(blocks, kind) for kind in blocks}
    schema["x-actions"] = {kind: _action_schema(actions, kind) for kind in actions} if actions else {}
    translated: Json = _translated(schema, translate)
    return translated


def _params_rule(kind: str, params: Any, definitions: Json) -> Json:
    """If the kind is this, then the parameters are those: one failing rule tells what is wrong, unlike `oneOf`."""
    needed = definitions.get(str(params.get("$ref", "")).removeprefix("#/$defs/"), params).get("required")
    then: Json = {"properties": {"params": params}}
    return {"if": {"properties": {"kind": {"const": kind}}}, "then": {**then, "required": ["params"]} if needed else then}


def _kind_schema(blocks: Blocks, kind: str) -> Json:
    block = blocks[kind]
    return {"title": str(block.label), "description": str(block.help), "icon": block.icon, "group": block.group}


def _action_schema(actions: Actions, kind: str) -> Json:
    action = actions[kind]
    return {
        "title": str(getattr(action, "label", kind)),
        "description": str(getattr(action, "help", "")),
        "params": action.Params.model_json_schema(),
        "exits": [
            {"name": spec.name, "title": str(spec.label) or spec.name, "failure": spec.failure, "required": spec.required}
            for spec in action.exits
        ],
    }


def _translated(value: Any, translate: Translate) -> Any:
    if isinstance(value, dict):
        return {
            key: translate(item) if key in {"title", "description"} and isinstance(item, str) and item else _translated(item, translate)
            for key, item in value.items()
        }
    return [_translated(item, translate) for item in value] if isinstance(value, list) else value


def operators(translate: Translate = str) -> list[Json]:
    """The operators of condition rows in the order of the form: name, label, how many values they take."""
    return [{"name": name, "label": translate(operator.label), "takes": operator.takes} for name, operator in OPERATORS.items()]


def filters(translate: Translate = str) -> list[Json]:
    """The filters that authors are told of, each with an example; the rest of standard Liquid works as well."""
    return [{"name": name, "example": example, "help": translate(text)} for name, (example, text) in FILTER_HELP.items()]


def world_names() -> list[str]:
    """Names that every placeholder may use, whatever the scenario sets."""
    return sorted({*WORLD, "user_input", "user_name"})
