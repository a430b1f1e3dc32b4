"""Which nodes and exits a set of tests goes through, and which it leaves out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from apps.scenarios.engine.contract import Happened
from apps.scenarios.engine.flow import Flow, FlowNode
from apps.scenarios.engine.graph import reachable

Way = tuple[str, str]


@dataclass
class Seen:
    """Nodes that were entered, and exits (node, name) that were taken."""

    nodes: set[str] = field(default_factory=set)
    exits: set[Way] = field(default_factory=set)

    def take(self, events: Iterable[Happened]) -> None:
        for event in events:
            if event.kind == "entered":
                self.nodes.add(event.node)
            elif event.kind == "left":
                self.exits.add((event.node, event.exit))


@dataclass(frozen=True)
class Coverage:
    """Counts only what can be reached and leads somewhere. `missing_*` in the order of the definition."""

    nodes: int = 0
    exits: int = 0
    missing_nodes: Sequence[str] = ()
    missing_exits: Sequence[Way] = ()

    @classmethod
    def of(cls, flow: Flow, seen: Sequence[Seen]) -> "Coverage":
        live = reachable(flow)
        nodes = [node for node in flow.nodes if node in live]
        exits = [(node, name) for node in nodes for name in _ways(flow.nodes[node])]
        entered = set().union(*(one.nodes for one in seen))
        taken = set().union(*(one.exits for one in seen))
        return cls(len(nodes), len(exits), [node for node in nodes if node not in entered], [way for way in exits if way not in taken])

    @property
    def node_percent(self) -> int:
        return _percent(self.nodes, len(self.missing_nodes))

    @property
    def exit_percent(self) -> int:
        return _percent(self.exits, len(self.missing_exits))


def _percent(whole: int, missing: int) -> int:
    """Rounded down, so that 100 means all."""
    return 100 * (whole - missing) // whole if whole else 100


def _ways(node: FlowNode) -> list[str]:
    """Exits that are connected, and those that lead somewhere by themselves."""
    own = [name for name, spec in node.specs.items() if spec.to is not None or spec.returns is not None]
    return list(dict.fromkeys([*node.exits, *own]))
