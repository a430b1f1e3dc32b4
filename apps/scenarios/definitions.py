"""Published definitions, compiled once per version and process; a version never changes, so nothing has to be checked again."""

from functools import lru_cache

from apps.core.cached import CachedTable
from apps.scenarios.engine.flow import Flow, compile_definition
from apps.scenarios.models import Scenario, ScenarioVersion
from apps.scenarios.registry import actions_for, blocks


@lru_cache(maxsize=500)
def flow_of(version_id: int) -> Flow:
    """The compiled flow of a published version. Raises `ScenarioVersion.DoesNotExist`."""
    definition, bot_id = ScenarioVersion.objects.values_list("definition", "scenario__bot_id").get(pk=version_id)
    return compile_definition(definition, blocks=blocks, actions=actions_for(bot_id))


_scenarios: CachedTable[dict[int, Scenario]] = CachedTable(
    lambda: Scenario, lambda: {scenario.pk: scenario for scenario in Scenario.objects.defer("draft", "layout")}
)


def scenario(scenario_id: int) -> Scenario:
    """The scenario's row without its draft, right within half a second after a change anywhere. Raises `Scenario.DoesNotExist`."""
    rows = _scenarios.get()
    return rows[scenario_id] if scenario_id in rows else Scenario.objects.get(pk=scenario_id)


def startable(scenario_id: int) -> Scenario:
    """The same for a start: a scenario that could not start is looked at anew, since it may have been published a moment ago."""
    found = scenario(scenario_id)
    if found.published_id is None or not found.is_active:
        _scenarios.renew()
        found = scenario(scenario_id)
    return found


def forget() -> None:
    """After a publication in this process, and for tests that make versions with the same ids again."""
    _scenarios.forget()
    flow_of.cache_clear()
