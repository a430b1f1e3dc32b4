"""A simulation from the request to the answer: whose scenario, for whom, and whether the reader may."""

from apps.accounts.access import AnyUser, can, scoped
from apps.bots.models import Bot
from apps.identity.models import Lead, Person
from apps.scenarios.engine.contract import Facts, Json
from apps.scenarios.engine.flow import Flow, compile_definition
from apps.scenarios.models import Scenario, ScenarioVersion
from apps.scenarios.registry import actions_for, blocks
from apps.scenarios.simulation.asking import Ask, Someone, State, World
from apps.scenarios.simulation.telling import told
from apps.scenarios.simulation.turning import Perform, Sandbox, play
from apps.scenarios.simulation.world import capabilities_of, facts_of


class NotAllowedError(Exception):
    """The reader may see this but has not the right to edit it, which trying out needs."""


class NotThereError(Exception):
    """There is no such scenario, version, bot or person for this reader; `what` names it."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


def simulate(ask: Ask, user: AnyUser) -> Json:
    """The answer to one turn. Reads rows, writes none, calls nothing. Raises the errors above and `DefinitionError`."""
    bot, definition = definition_for(ask, user)
    flow = compile_definition(definition, blocks=blocks, actions=actions_for(bot.pk))
    sandbox = sandbox_of(flow, facts_for(bot, ask, user), ask, bot=bot)
    turn = play(sandbox, ask.state or State(), ask.input, now=ask.now)
    return told(turn, sandbox, channels=capabilities_of(ask.show_in))


def sandbox_of(flow: Flow, facts: Facts, world: World, *, bot: Bot, perform: Perform | None = None) -> Sandbox:
    return Sandbox(flow, facts, actions_for(bot.pk), mocks=tuple(world.mocks), hold=world.calls == "hold", seed=world.seed, perform=perform)


def facts_for(bot: Bot, world: World, user: AnyUser) -> Facts:
    """Copying a person needs the right to see people of the bot."""
    person, lead = copied(bot, world.person, user)
    return facts_of(bot, world.person, channel=world.channel, person=person, lead=lead)


def scenario_for(pk: int, user: AnyUser) -> Scenario:
    """The scenario with its bot, for who may edit it."""
    found = scoped(Scenario.objects.select_related("bot", "published"), user, "edit").filter(pk=pk).first()
    if found:
        return found
    if scoped(Scenario.objects.filter(pk=pk), user, "view").exists():
        raise NotAllowedError
    raise NotThereError("scenario")


def definition_for(ask: Ask, user: AnyUser) -> tuple[Bot, Json]:
    """The bot and the definition that are meant, for who may edit them."""
    if ask.scenario is None:
        return _bot(ask.bot or 0, user), ask.definition or {}
    scenario = scenario_for(ask.scenario, user)
    if ask.version is None:
        return scenario.bot, scenario.draft
    version = ScenarioVersion.objects.filter(scenario=scenario, number=ask.version).first()
    if version is None:
        raise NotThereError("version")
    return scenario.bot, version.definition


def _bot(pk: int, user: AnyUser) -> Bot:
    bot = Bot.objects.filter(pk=pk).first()
    if bot is None or not can(user, "view", "scenarios", bot.pk):
        raise NotThereError("bot")
    if not can(user, "edit", "scenarios", bot.pk):
        raise NotAllowedError
    return bot


def copied(bot: Bot, someone: Someone, user: AnyUser) -> tuple[Person | None, Lead | None]:
    """The person and the chat that are copied, as far as the reader may see people; raises `NotThereError`."""
    if someone.lead:
        leads = Lead.objects.filter(code=someone.lead, channel__bot=bot).select_related("person", "channel")
        lead = scoped(leads, user).first()
        if lead is None:
            raise NotThereError("person")
        return lead.person, lead
    if someone.id is None:
        return None, None
    person = scoped(Person.objects.filter(pk=someone.id, bot=bot), user).first()
    if person is None:
        raise NotThereError("person")
    return person, None
