"""Custom actions for tests, published as the product publishes them."""

from typing import Any

from apps.bots.models import Bot
from apps.scenarios.jail import catalogue, publishing
from apps.scenarios.jail.declaring import clean_exits, clean_params
from apps.scenarios.models import CustomAction


def make_action(code: str, *, key: str = "check_stock", bot: Bot | None = None, publish: bool = True, **given: Any) -> CustomAction:
    params, exits = clean_params(given.get("params", [])), clean_exits(given.get("exits", []))
    action = CustomAction.objects.create(key=key, name=key.replace("_", " ").capitalize(), bot=bot, code=code, params=params, exits=exits)
    if publish:
        publishing.publish(action)
    catalogue.forget()
    return action
