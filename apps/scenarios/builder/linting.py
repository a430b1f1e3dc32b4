"""What the builder must know of a draft as it stands: its problems, and of each block the exits and the variables that it sets."""

from typing import Any

from apps.bots.models import Bot
from apps.scenarios import publishing
from apps.scenarios.builder.describing import exit_facts
from apps.scenarios.engine.contract import Json, Problem
from apps.scenarios.engine.flow import FlowNode, load
from apps.scenarios.registry import actions_for, blocks


def lint(definition: Any, *, bot: Bot, own: int | None = None) -> Json:
    """The form of `LintSerializer`. Blocks that cannot be read yet are missing from `nodes`: their last exits go on to count."""
    flow, _problems = load(definition, blocks=blocks, actions=actions_for(bot.pk))
    return {
        "problems": [problem_facts(problem) for problem in publishing.check(definition, bot=bot, own=own)],
        "nodes": {node.id: _node(node, flow.scope) for node in flow.nodes.values()} if flow else {},
    }


def problem_facts(problem: Problem) -> Json:
    return {
        "level": problem.level, "code": problem.code, "message": problem.message, "section": problem.section, "node": problem.node,
        "field": problem.field,
    }  # fmt: skip


def _node(node: FlowNode, scope: Any) -> Json:
    return {"exits": [exit_facts(spec) for spec in node.specs.values()], "sets": list(dict.fromkeys(node.block.sets(node.params, scope)))}
