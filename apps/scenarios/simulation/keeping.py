"""A chat of the preview becomes a test: the person's facts and the clock are taken in, so that the test needs nobody and never changes by itself."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from pydantic import Field, ValidationError

from apps.accounts.models import User
from apps.scenarios.engine.explaining import explain
from apps.scenarios.engine.flow import compile_definition
from apps.scenarios.models import Scenario
from apps.scenarios.registry import actions_for, blocks
from apps.scenarios.simulation.asked import copied
from apps.scenarios.simulation.asking import AskError, Input, Part, Someone, World
from apps.scenarios.simulation.models import SavedTest
from apps.scenarios.simulation.testing import MAX_TURNS, recorded
from apps.scenarios.simulation.world import facts_of


class Chat(Part):
    """What the preview posts to keep a chat: its world and its inputs in order; `replace` writes over the test of that name."""

    name: str = Field(min_length=1, max_length=200)
    description: str = ""
    replace: bool = False
    world: World = World()
    inputs: list[Input] = Field(min_length=1, max_length=MAX_TURNS)


def read_chat(body: Any) -> Chat:
    """Raises `AskError`."""
    try:
        return Chat.model_validate(body)
    except ValidationError as error:
        raise AskError(list(explain(error))) from error


def keep(scenario: Scenario, chat: Chat, *, user: User) -> SavedTest:
    """The test, with what the draft does now as what it expects. Raises `AskError`, `NotThereError`, `DefinitionError`."""
    if not chat.replace and scenario.tests.filter(name=chat.name).exists():
        raise AskError([("name", _("There is a test of this name. Choose another name, or replace that test."))])
    world = chat.world if chat.world.now else chat.world.model_copy(update={"now": timezone.now().replace(microsecond=0)})
    flow = compile_definition(scenario.draft, blocks=blocks, actions=actions_for(scenario.bot_id))
    recording = recorded(_frozen(scenario, world, user), chat.inputs, flow=flow, bot=scenario.bot)
    values = {"description": chat.description, "recording": recording, "created_by": user, "last_passed": None, "last_failures": []}
    test, _made = SavedTest.objects.update_or_create(scenario=scenario, name=chat.name, defaults=values)
    return test


def _frozen(scenario: Scenario, world: World, user: User) -> World:
    """The world with the facts of the person that was copied in the place of the reference to them."""
    person, lead = copied(scenario.bot, world.person, user)
    if person is None:
        return world
    facts = facts_of(scenario.bot, world.person, channel=world.channel, person=person, lead=lead)
    known = {key: value for key, value in facts.person.items() if value is not None}
    return world.model_copy(update={"person": Someone(attributes=known), "channel": str(facts.channel["kind"])})
