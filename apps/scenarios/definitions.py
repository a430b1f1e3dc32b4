"""Published definitions, compiled once per version and process; a version never changes, so nothing has to be checked again."""

from functools import lru_cache

from apps.scenarios.engine.flow import Flow, compile_definition
from apps.scenarios.models import ScenarioVersion
from apps.scenarios.registry import actions, blocks


@lru_cache(maxsize=500)
def flow_of(version_id: int) -> Flow:
    """The compiled flow of a published version. Raises `ScenarioVersion.DoesNotExist`."""
    definition = ScenarioVersion.objects.values_list("definition", flat=True).get(pk=version_id)
    return compile_definition(definition, blocks=blocks, actions=actions)


def forget() -> None:
    """For tests that make versions with the same ids again."""
    flow_of.cache_clear()
