"""The kinds of blocks and actions: every file of their folders and of the packages that an installation adds."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from apps.core.registry import Registry
from apps.scenarios.action import Action
from apps.scenarios.block import Block
from apps.scenarios.jail.catalogue import ActionsOfBot

blocks: Registry[Block[Any]] = Registry("apps.scenarios.blocks", Block, extra=lambda: settings.EXTRA_KINDS["blocks"])
actions: Registry[Action[Any]] = Registry("apps.scenarios.actions", Action, extra=lambda: settings.EXTRA_KINDS["actions"])


def actions_for(bot_id: int | None) -> Mapping[str, Action[Any]]:
    """The actions that scenarios of this bot may use, published custom ones included; None: what all bots have."""
    return ActionsOfBot(actions, bot_id)
