"""Cases of a block: what happens to it and by which exit it is left. Every kind has a file of them; the contract test runs them all.

The block under test is the node `it`; each exit that the case does not leave open leads to an end whose outcome is the exit's name.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from apps.scenarios.engine.contract import Facts, Json
from apps.scenarios.engine.flow import Flow
from apps.scenarios.registry import blocks
from tests.scenarios.engine.driving import ANNA, Talk, Told, flow_of, node


@dataclass(frozen=True)
class Case:
    """`told`: inputs after the start, or spans of time that pass. `takes`: the exit, "" when it still waits, None when that is not an exit's case.

    `says`: the texts, `sets`: variables at the end, `status`: of the last step, `open_exits`: exits that are not connected.
    """

    title: str
    params: Json = field(default_factory=dict)
    told: tuple[Told | timedelta, ...] = ()
    takes: str | None = None
    says: tuple[str, ...] | None = None
    sets: Json = field(default_factory=dict)
    given: Json = field(default_factory=dict)
    facts: Facts = ANNA
    open_exits: frozenset[str] = frozenset()
    sections: tuple[Json, ...] = ()
    handled: bool = True
    status: str = ""


def exits_of(kind: str, case: Case) -> list[str]:
    """Names of the exits that an author draws for these parameters."""
    block = blocks[kind]
    bare = flow_of(node("it", kind, case.params), sections=case.sections) if kind != "action" else None
    scope = bare.scope if bare else flow_of(node("it", kind, case.params)).scope
    specs = block.exits(block.Params.model_validate(case.params), scope)
    return [spec.name for spec in specs if spec.to is None and spec.returns is None]


def built(kind: str, case: Case) -> Flow:
    names = [name for name in exits_of(kind, case) if name not in case.open_exits]
    ends = [node(f"end-{name}", "end", {"outcome": name}) for name in names]
    return flow_of(node("it", kind, case.params, **{name: f"end-{name}" for name in names}), *ends, sections=case.sections)


def run(kind: str, case: Case) -> Talk:
    talk = Talk(built(kind, case), facts=case.facts).start(params=case.given)
    for told in case.told:
        if isinstance(told, timedelta):
            talk.later(seconds=told.total_seconds())
        else:
            talk.tell(told)
    return talk


def check(kind: str, case: Case) -> None:
    """Run the case and compare everything that it states."""
    talk = run(kind, case)
    variables: Json = {}
    for step in talk.steps:
        variables |= {event.details["name"]: event.details["value"] for event in step.events if event.kind == "set"}
    assert talk.last.handled is case.handled
    if case.status:
        assert talk.last.status == case.status, talk.last.failure
    if case.takes == "":
        assert talk.last.status in {"waiting", "calling"}, talk.last
    elif case.takes is not None:
        assert (talk.last.status, talk.last.outcome) == ("ended", case.takes), talk.last.failure
    if case.says is not None:
        assert tuple(talk.said) == case.says
    assert {name: variables.get(name) for name in case.sets} == case.sets


def taken(cases: Iterable[Case]) -> set[str]:
    return {case.takes for case in cases if case.takes}
