"""The check before publishing: everything that would fail, lead nowhere, run in a circle or look wrong, each with what to do about it."""

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from apps.bots.adapter import Capabilities
from apps.scenarios.block import Finding, Scope
from apps.scenarios.engine.coercing import fits
from apps.scenarios.engine.contract import Problem
from apps.scenarios.engine.definition import Section
from apps.scenarios.engine.flow import Actions, Blocks, Flow, FlowNode, load
from apps.scenarios.engine.graph import circles, reachable
from apps.scenarios.engine.names import PROTECTED
from apps.scenarios.engine.params import Text, marked_in
from apps.scenarios.engine.texts import KnownNames, text_findings, translation_findings
from apps.scenarios.engine.wording import _

# With these the graph has holes, and what is "unreachable" would be a mere consequence.
HOLES = frozenset({"unknown_kind", "params", "duplicate_node", "duplicate_section", "exit_to_nowhere", "unknown_target"})


def check(
    data: Any,
    *,
    blocks: Blocks,
    actions: Actions,
    capabilities: Iterable[Capabilities] | None = None,
    known_names: Collection[str] = (),
    files: Collection[str] | None = None,
) -> list[Problem]:
    """Every problem of a definition, errors first. Never raises.

    `capabilities`: of the connected channels. `known_names`: what the installation knows besides (client fields, `constants.x`,
    `instance_settings.x`), `files` its files.
    """
    scope = Scope(capabilities=tuple(capabilities or ()), files=None if files is None else frozenset(files))
    flow, problems = load(data, blocks=blocks, actions=actions, scope=scope)
    if flow is None:
        return problems
    found = [*problems, *_place_problems(flow)]
    live = reachable(flow)
    if not any(problem.code in HOLES for problem in problems):
        found += [*_exit_problems(flow, live), *_unreachable(flow, live), *_circle_problems(flow)]
    known = KnownNames(flow, known_names)
    for node in flow.nodes.values():
        found += [_of_node(node, finding) for finding in _node_findings(flow, node, known)]
    return sorted(found, key=lambda problem: problem.level)


def _node_findings(flow: Flow, node: FlowNode, known: KnownNames) -> Iterator[Finding]:
    yield from node.block.check(node.params, flow.scope)
    yield from text_findings(flow, node, known)


def _of_node(node: FlowNode, finding: Finding) -> Problem:
    message = _("Block “%(node)s”: %(finding)s") % {"node": node.name, "finding": finding.message}
    return Problem(finding.level, finding.code, message, node.section, node.id, f"params.{finding.field}".rstrip("."))


def _place_problems(flow: Flow) -> Iterator[Problem]:
    """What concerns the scenario as a whole."""
    for path, marked in marked_in(flow.policies, "policies"):
        if isinstance(marked, Text):
            for finding in translation_findings(path, marked, flow.definition.all_languages):
                yield Problem(finding.level, finding.code, finding.message, field=finding.field)
    if not flow.nodes:
        yield Problem("error", "empty", _("The scenario has no blocks. Add a start block and something that it leads to."))
    for section in flow.definition.sections:
        yield from _param_problems(section)


def _param_problems(section: Section) -> Iterator[Problem]:
    names = [param.name for param in section.params]
    twice = _("The section “%(section)s” declares the parameter “%(name)s” twice. Remove one.")
    reserved = _("The section “%(section)s” declares the parameter “%(name)s”, which is a name of the system. Choose another.")
    for name in sorted(set(names)):
        values = {"section": section.name or section.id, "name": name}
        if names.count(name) > 1:
            yield Problem("error", "duplicate_param", twice % values, section.id, field="params")
        if name in PROTECTED:
            yield Problem("error", "reserved", reserved % values, section.id, field="params")
    unfit = _("The default of the parameter “%(name)s” of the section “%(section)s” must be of the type %(type)s.")
    for param in section.params:
        if not fits(param, param.default):
            values = {"section": section.name or section.id, "name": param.name, "type": param.type}
            yield Problem("error", "wrong_default", unfit % values, section.id, field="params")


def _exit_problems(flow: Flow, live: set[str]) -> Iterator[Problem]:
    outputs = {section.id: {output.name for output in section.outputs} for section in flow.definition.sections}
    for node in flow.nodes.values():
        for spec in node.specs.values() if node.id in live else ():
            connected = spec.name in node.exits or spec.to is not None or spec.returns is not None
            excused = bool(spec.unless) and all(name in node.exits for name in spec.unless)
            if spec.required and not connected and not excused:
                message = _("Block “%(node)s”: the exit “%(exit)s” is not connected. Connect it to the next block.")
                values = {"node": node.name, "exit": str(spec.label) or spec.name}
                yield Problem("error", "missing_exit", message % values, node.section, node.id, f"exits.{spec.name}")
            if spec.returns and spec.returns not in outputs.get(node.section, ()):
                message = _(
                    "Block “%(node)s” returns by “%(output)s”, which its section does not declare, so no caller can go on by it. Declare it there."
                )
                values = {"node": node.name, "output": spec.returns}
                yield Problem("warning", "unknown_output", message % values, node.section, node.id, "params.output")
        for name in node.exits:
            if node.specs and name not in node.specs:
                message = _("Block “%(node)s” no longer has the exit “%(exit)s”. Remove its connection.") % {
                    "node": node.name,
                    "exit": name,
                }
                yield Problem("warning", "stale_exit", message, node.section, node.id, f"exits.{name}")


def _unreachable(flow: Flow, live: set[str]) -> Iterator[Problem]:
    for section in flow.definition.sections:
        lost = [node for node in section.nodes if node.id not in live]
        if lost and len(lost) == len(section.nodes):
            message = _(
                "Nothing leads to the section “%(section)s”. Lead to it by an Exit point, give it an Entry point, mark it as macro, or delete it."
            )
            yield Problem("warning", "unreachable", message % {"section": section.name or section.id}, section.id)
            continue
        for node in lost:
            message = _("Nothing leads to the block “%(node)s”. Connect it or delete it.") % {"node": node.title or node.id}
            yield Problem("warning", "unreachable", message, section.id, node.id)


def _circle_problems(flow: Flow) -> Iterator[Problem]:
    for circle in circles(flow):
        names = " → ".join(f"“{flow.nodes[node].name}”" for node in [*circle, circle[0]])
        message = _("%(names)s run in a circle without waiting. Put a question, buttons or a delay between them.") % {"names": names}
        first = flow.nodes[circle[0]]
        yield Problem("error", "circle", message, first.section, first.id)
