"""The scenario as a graph: what can be reached, and which circles no person, operator or timer interrupts.

Calls are followed by summaries: a calling block's exit counts as free of waiting only when the called section can come back by that output
without waiting. So two calls of the same section are no circle, while a section that calls itself is one.
"""

from collections.abc import Iterator

from apps.scenarios.block import Exit
from apps.scenarios.engine.flow import Flow, FlowNode

Ends = dict[str, frozenset[str]]


def reachable(flow: Flow) -> set[str]:
    """Nodes that a start, an entry, a macro, the error section, or a block before them leads to."""
    macros = [section.id for section in flow.definition.sections if section.macro]
    begins = [flow.begins.get(section, "") for section in (flow.main_section, flow.error_section or "", *macros)]
    waiting = [node for node in (*begins, *flow.aliases.values()) if node in flow.nodes]
    found: set[str] = set()
    while waiting:
        current = waiting.pop()
        if current not in found:
            found.add(current)
            waiting.extend(_all_targets(flow, flow.nodes[current]))
    return found


def _all_targets(flow: Flow, node: FlowNode) -> Iterator[str]:
    yield from (target for target in node.exits.values() if target in flow.nodes)
    for spec in node.specs.values():
        if begin := begin_of(flow, spec):
            yield begin


def begin_of(flow: Flow, spec: Exit) -> str:
    """The node to which an exit leads by itself; "" when it does not."""
    if spec.to is None:
        return ""
    found = flow.aliases.get(spec.to.entry) if spec.to.entry else flow.begins.get(spec.to.section)
    return found if found is not None and found in flow.nodes else ""


def circles(flow: Flow) -> list[list[str]]:
    """Each circle without a wait as the nodes on it, in order; one for every group of nodes that reach each other."""
    ends = _ends(flow)
    edges = {node.id: list(dict.fromkeys(_free_targets(flow, node, ends))) for node in flow.nodes.values()}
    return [_circle(group, edges) for group in _components(edges) if len(group) > 1 or group[0] in edges[group[0]]]


def _ends(flow: Flow) -> Ends:
    """By which outputs the section that a node stands in can end without waiting, beginning at the node; "" is the plain end."""
    ends: Ends = dict.fromkeys(flow.nodes, frozenset())
    changed = True
    while changed:
        changed = False
        # Authors draw from the beginning on, so that the ends are near the end and one or two rounds suffice.
        for node in reversed(flow.nodes.values()):
            found = frozenset(_outputs(flow, node, ends))
            if found != ends[node.id]:
                ends[node.id] = found
                changed = True
    return ends


def _outputs(flow: Flow, node: FlowNode, ends: Ends) -> Iterator[str]:
    for spec in _specs(node):
        if spec.returns is not None:
            yield spec.returns
        elif spec.to is not None:
            if not spec.to.call and (begin := begin_of(flow, spec)):
                yield from ends[begin]
        elif _is_free(flow, node, spec, ends):
            target = node.exits.get(spec.name, "")
            yield from ends.get(target, ()) if target else [] if spec.failure else [""]


def _free_targets(flow: Flow, node: FlowNode, ends: Ends) -> Iterator[str]:
    for spec in _specs(node):
        if begin := begin_of(flow, spec):
            yield begin
        target = node.exits.get(spec.name, "")
        if target in flow.nodes and _is_free(flow, node, spec, ends):
            yield target


def _specs(node: FlowNode) -> Iterator[Exit]:
    """The declared exits, and the connected ones of an action that is not known here."""
    yield from node.specs.values()
    yield from (Exit(name) for name in node.exits if name not in node.specs)


def _is_free(flow: Flow, node: FlowNode, spec: Exit, ends: Ends) -> bool:
    """Whether this exit can be taken without waiting."""
    if spec.waits:
        return False
    called = next((begin_of(flow, other) for other in node.specs.values() if other.to is not None and other.to.call), None)
    if called is None:
        return True
    taken = {output if output in node.exits else "next" for output in ends.get(called, ())}
    return spec.name in taken


def _components(edges: dict[str, list[str]]) -> list[list[str]]:
    """Strongly connected groups (Tarjan's algorithm, without recursion, so that a long scenario is no problem)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    groups: list[list[str]] = []
    for root, first in edges.items():
        if root in index:
            continue
        work = [(root, iter(first))]
        index[root] = low[root] = len(index)
        stack.append(root)
        while work:
            node, targets = work[-1]
            following = next((target for target in targets if target not in index or target in stack), None)
            if following is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    place = stack.index(node)
                    groups.append(stack[place:])
                    del stack[place:]
            elif following in index:
                low[node] = min(low[node], index[following])
            else:
                index[following] = low[following] = len(index)
                stack.append(following)
                work.append((following, iter(edges[following])))
    return groups


def _circle(group: list[str], edges: dict[str, list[str]]) -> list[str]:
    """The shortest way from the first node of the group back to itself."""
    members = set(group)
    start = group[0]
    came_from: dict[str, str] = {}
    waiting = [start]
    for current in waiting:
        for target in edges[current]:
            if target == start:
                path = [current]
                while path[-1] != start:
                    path.append(came_from[path[-1]])
                return path[::-1]
            if target in members and target not in came_from:
                came_from[target] = current
                waiting.append(target)
    return group
