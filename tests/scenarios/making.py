"""Scenarios for tests, published as the product publishes them."""

import itertools
import json
from typing import Any

from apps.bots.models import Bot
from apps.scenarios import definitions, publishing
from apps.scenarios.models import Scenario

_numbers = itertools.count(1)


def make_scenario(bot: Bot, definition: dict[str, Any], *, key: str = "", publish: bool = True) -> Scenario:
    number = next(_numbers)
    scenario = Scenario.objects.create(
        bot=bot, key=key or f"scenario-{number}", name=f"Scenario {number}", draft=json.loads(json.dumps(definition))
    )
    if publish:
        publishing.publish(scenario)
        definitions.forget()
    return scenario
