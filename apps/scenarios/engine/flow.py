"""A definition, checked and compiled once: nodes with their parsed parameters, templates, exits and places by name."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from apps.scenarios.block import ActionKind, Block, Exit, Scope
from apps.scenarios.engine.contract import Problem
from apps.scenarios.engine.definition import Definition, Node, Policies, Section, logic_hash
from apps.scenarios.engine.explaining import explain, path_of
from apps.scenarios.engine.migrating import SCHEMA_VERSION, migrate
from apps.scenarios.engine.params import ParamsModel, compiled_in, marked_in
from apps.scenarios.engine.placeholders import TemplateError
from apps.scenarios.engine.wording import _

Blocks = Mapping[str, Block[Any]]
Actions = Mapping[str, ActionKind]


class DefinitionError(Exception):
    """The definition cannot run; `problems` name every place and say what to do."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("; ".join(problem.message for problem in problems[:5]))


@dataclass(frozen=True, slots=True)
class FlowNode:
    """A node ready to run. `exits`: connected exits → node ids; `specs`: what the block declares about each exit."""

    id: str
    kind: str
    title: str
    section: str
    block: Block[Any]
    params: ParamsModel
    exits: Mapping[str, str]
    specs: Mapping[str, Exit]

    @property
    def name(self) -> str:
        """As a person knows the node."""
        return self.title or self.id


@dataclass(frozen=True)
class Flow:
    """A compiled scenario; immutable and shared between sessions. `begins`: section → its first node; `aliases`: entry alias → node."""

    definition: Definition
    nodes: dict[str, FlowNode]
    begins: Mapping[str, str]
    aliases: Mapping[str, str]
    scope: Scope
    source: Mapping[str, Any] = field(repr=False)

    @cached_property
    def logic_hash(self) -> str:
        return logic_hash(self.source)

    @property
    def policies(self) -> Policies:
        return self.definition.policies

    @property
    def error_section(self) -> str | None:
        return self.definition.error_section

    @cached_property
    def main_section(self) -> str:
        """Where a start without entry or section begins: the first section with a start block, else the first section."""
        starts = (node.section for node in self.nodes.values() if node.block.begins == "section")
        return next(starts, self.definition.sections[0].id)

    @cached_property
    def entries(self) -> dict[str, Section]:
        """Entry aliases with the sections whose parameters a call to them takes."""
        return {alias: self.scope.sections[self.nodes[node_id].section] for alias, node_id in self.aliases.items()}

    def language(self, *wishes: object) -> str:
        """The first wish that the scenario has texts for (`ru-RU` finds `ru`), else its default."""
        known = {code.lower(): code for code in self.definition.all_languages}
        for wish in wishes:
            code = str(wish or "").lower()
            if found := known.get(code) or known.get(code.split("-", maxsplit=1)[0]):
                return found
        return self.definition.default_language

    def error_text(self, language: str = "") -> str:
        """What to say when the scenario failed and nothing in it says so itself."""
        return self._plain_text(self.policies.error_text, language)

    def old_button_text(self, language: str = "") -> str:
        """The answer to a press on a question that is no longer open; "" says nothing."""
        return self._plain_text(self.policies.old_buttons.text, language)

    def _plain_text(self, text: Any, language: str) -> str:
        return str(text.in_language(self.language(language), self.definition.default_language).text({}))


def compile_definition(data: Any, *, blocks: Blocks, actions: Actions | None = None) -> Flow:
    """The flow of a definition (any schema version). Raises `DefinitionError` when it cannot run.

    `actions` gives the exits and escaping of Action blocks; an action that is missing there fails when it is reached, not here.
    """
    flow, problems = load(data, blocks=blocks, actions=actions or {})
    errors = [problem for problem in problems if problem.level == "error"]
    if flow is None or errors:
        raise DefinitionError(errors)
    return flow


def load(data: Any, *, blocks: Blocks, actions: Actions, scope: Scope | None = None) -> tuple[Flow | None, list[Problem]]:
    """The flow as far as it can be read, and every problem that keeps it from running. `scope` adds what only the check knows."""
    if not isinstance(data, dict):
        return None, [Problem("error", "structure", _("A scenario is a JSON object with “sections”."))]
    source = migrate(data)
    try:
        definition = Definition.model_validate(source)
    except ValidationError as error:
        return None, list(_structure_problems(error, source))
    return _Loader(definition, source, blocks, actions, scope or Scope()).load()


class _Loader:
    """One reading of a definition; collects problems instead of stopping at the first."""

    def __init__(self, definition: Definition, source: dict[str, Any], blocks: Blocks, actions: Actions, scope: Scope) -> None:
        self.definition = definition
        self.source = source
        self.blocks = blocks
        self.problems: list[Problem] = []
        self.params: dict[str, ParamsModel] = {}
        self.aliases: dict[str, str] = {}
        self.places: dict[str, list[str]] = {}
        for section in definition.sections:
            for node in section.nodes:
                self.places.setdefault(node.id, []).append(section.id)
        self.scope = replace(
            scope,
            sections={section.id: section for section in definition.sections},
            actions=actions,
            languages=definition.all_languages,
        )

    def load(self) -> tuple[Flow, list[Problem]]:
        self._check_unique_ids()
        for section, node in self._all_nodes():
            self._read_params(section, node)
        self.scope = replace(self.scope, aliases={alias: self.places[node][0] for alias, node in self.aliases.items()})
        nodes = {node.id: self._flow_node(section, node) for section, node in self._all_nodes() if node.id in self.params}
        begins = {section.id: begin for section in self.definition.sections if (begin := self._begin(section))}
        for section, node in self._all_nodes():
            self._check_exits(section, node, nodes)
        self._check_places()
        return Flow(self.definition, nodes, begins, self.aliases, self.scope, self.source), self.problems

    def _all_nodes(self) -> Iterator[tuple[Section, Node]]:
        """Every node with its section; of nodes with the same id only the first (the others are told of already)."""
        seen: set[str] = set()
        for section in self.definition.sections:
            for node in section.nodes:
                if node.id not in seen:
                    seen.add(node.id)
                    yield section, node

    def _add(self, code: str, message: str, *, section: str = "", node: str = "", field_path: str = "") -> None:
        self.problems.append(Problem("error", code, message, section, node, field_path))

    def _check_unique_ids(self) -> None:
        for section_id, count in Counter(section.id for section in self.definition.sections).items():
            if count > 1:
                self._add(
                    "duplicate_section",
                    _("%(count)s sections have the id “%(id)s”. Rename all but one.") % {"count": count, "id": section_id},
                    section=section_id,
                )
        for node_id, count in ((node_id, len(sections)) for node_id, sections in self.places.items()):
            if count > 1:
                self._add(
                    "duplicate_node",
                    _("%(count)s blocks have the id “%(id)s”. Give each its own.") % {"count": count, "id": node_id},
                    node=node_id,
                )

    def _read_params(self, section: Section, node: Node) -> None:
        block = self.blocks.get(node.kind)
        if block is None:
            known = ", ".join(sorted(self.blocks))
            message = _("Block “%(node)s”: there is no kind “%(kind)s”. Use one of: %(known)s.")
            self._add(
                "unknown_kind",
                message % {"node": node.title or node.id, "kind": node.kind, "known": known},
                section=section.id,
                node=node.id,
                field_path="kind",
            )
            return
        try:
            params = block.Params.model_validate(node.params)
        except ValidationError as error:
            for path, reason in explain(error):
                message = _("Block “%(node)s”, %(field)s: %(reason)s") % {
                    "node": node.title or node.id,
                    "field": path or "params",
                    "reason": reason,
                }
                self._add("params", message, section=section.id, node=node.id, field_path=f"params.{path}".rstrip("."))
            return
        self.params[node.id] = params
        self._compile_templates(section, node, params)
        if block.begins == "entry":
            self._note_alias(section, node, str(getattr(params, "alias", "")))

    def _compile_templates(self, section: Section, node: Node, params: ParamsModel) -> None:
        for path, marked in marked_in(params):
            try:
                for _path, _template in compiled_in(marked, path):
                    pass
            except TemplateError as error:
                place = f"{path} ({error.place})" if error.place else path
                message = _("Block “%(node)s”, %(field)s: %(reason)s") % {
                    "node": node.title or node.id,
                    "field": place,
                    "reason": error.message,
                }
                self._add("template", message, section=section.id, node=node.id, field_path=f"params.{path}")

    def _note_alias(self, section: Section, node: Node, alias: str) -> None:
        if alias in self.aliases:
            message = _("The entry alias “%(alias)s” is used twice. Aliases are unique in a scenario; rename one.") % {"alias": alias}
            self._add("duplicate_alias", message, section=section.id, node=node.id, field_path="params.alias")
            return
        self.aliases[alias] = node.id

    def _flow_node(self, section: Section, node: Node) -> FlowNode:
        block, params = self.blocks[node.kind], self.params[node.id]
        specs = {spec.name: spec for spec in block.exits(params, self.scope)}
        return FlowNode(node.id, node.kind, node.title, section.id, block, params, dict(node.exits), specs)

    def _begin(self, section: Section) -> str:
        """The section's start block, else its first entry, else its first block."""
        usable = [node for node in section.nodes if node.kind in self.blocks]
        ranked = sorted(usable, key=lambda node: {"section": 0, "entry": 1, "": 2}[self.blocks[node.kind].begins])
        return ranked[0].id if ranked else ""

    def _check_exits(self, section: Section, node: Node, nodes: Mapping[str, FlowNode]) -> None:
        values = {"node": node.title or node.id}
        for name, target in node.exits.items():
            if section.id in self.places.get(target, ()):
                continue
            elsewhere = target in self.places
            message = (
                _(
                    "Block “%(node)s”: the exit “%(exit)s” leads to the block “%(target)s” of another section. Use an Exit point block to go there."
                )
                if elsewhere
                else _(
                    "Block “%(node)s”: the exit “%(exit)s” leads to “%(target)s”, which does not exist. Connect it to a block of this section."
                )
            )
            self._add(
                "exit_to_nowhere",
                message % {**values, "exit": name, "target": target},
                section=section.id,
                node=node.id,
                field_path=f"exits.{name}",
            )
        for spec in nodes[node.id].specs.values() if node.id in nodes else ():
            if spec.to is not None and self.scope.section_of(spec.to) is None:
                missing = spec.to.entry or spec.to.section
                message = _(
                    "Block “%(node)s” leads to “%(target)s”, but this scenario has no such section or entry. Choose one that exists."
                )
                field_path = "params.entry" if spec.to.entry else "params.section"
                self._add(
                    "unknown_target", message % {**values, "target": missing}, section=section.id, node=node.id, field_path=field_path
                )

    def _check_places(self) -> None:
        error_section = self.definition.error_section
        if error_section is not None and error_section not in self.scope.sections:
            message = _("The error section “%(id)s” does not exist. Choose one of the sections or leave it empty.") % {"id": error_section}
            self._add("unknown_target", message, field_path="error_section")
        for index, trigger in enumerate(self.definition.triggers):
            if trigger.entry is not None and trigger.entry not in self.aliases:
                message = _("A trigger starts at the entry “%(alias)s”, which does not exist. Choose one that exists.") % {
                    "alias": trigger.entry
                }
                self._add("unknown_target", message, field_path=f"triggers.{index}.entry")


def _structure_problems(error: ValidationError, source: dict[str, Any]) -> Iterator[Problem]:
    """Problems of the form as a whole, with section and node found by their positions in the JSON."""
    for details in error.errors(include_url=False):
        location = details["loc"]
        if location == ("schema_version",) and isinstance(details["input"], int) and details["input"] > SCHEMA_VERSION:
            message = _("schema_version: this product reads the forms up to %(newest)s. Export the scenario anew, or update the product.")
            yield Problem("error", "structure", message % {"newest": SCHEMA_VERSION}, field="schema_version")
            continue
        section, node, rest = _named(source, location)
        reason = next(iter(explain(error, only=details)))[1]
        place = path_of(rest)
        named = (
            _("Block “%(node)s”, %(field)s: %(reason)s")
            if node
            else _("Section “%(section)s”, %(field)s: %(reason)s")
            if section
            else "%(field)s: %(reason)s"
        )
        yield Problem(
            "error", "structure", named % {"node": node, "section": section, "field": place, "reason": reason}, section, node, place
        )


def _named(source: dict[str, Any], location: tuple[int | str, ...]) -> tuple[str, str, tuple[int | str, ...]]:
    """Section id, node id and the path within that a pydantic location such as ("sections", 0, "nodes", 2, "id") means."""
    names: list[str] = []
    current: Any = source
    rest = location
    for key in ("sections", "nodes"):
        if len(rest) < 2 or rest[0] != key or not isinstance(rest[1], int):  # noqa: PLR2004
            break
        current = current[key][rest[1]]
        if not isinstance(current, dict):
            break
        names.append(str(current.get("id", rest[1])))
        rest = rest[2:]
    return (*names, "", "")[0], (*names, "", "")[1], rest
