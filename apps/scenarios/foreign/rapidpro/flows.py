"""A RapidPro flow (definition 13 or 14) as a section: its nodes one by one, then the edges between them.

A node of theirs holds actions and then a router. A message right before a node that waits becomes one question with it, as authors here draw it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from apps.scenarios.engine.contract import Json
from apps.scenarios.foreign.drawing import LONGEST_NOTE, Drawing, Section, join
from apps.scenarios.foreign.formulas import FormulaError
from apps.scenarios.foreign.naming import Distinct, category_of, slug, variable
from apps.scenarios.foreign.rapidpro import actions, tests
from apps.scenarios.foreign.rapidpro.actions import HINT, Chain, Place
from apps.scenarios.foreign.rapidpro.languages import language, names_none
from apps.scenarios.foreign.rapidpro.nodes import EXPIRED, category_name, category_target, expiry, known_by, only_exit, question_last, waits
from apps.scenarios.foreign.rapidpro.texts import SCHEME, Used, reference, write
from apps.scenarios.foreign.reading import at, number, obj, objects, rows, text

HINTS = {"location": "location", "image": "photo", "audio": "voice", "video": "file"}
LONGEST_WAIT = 366 * 86400
MOST_BRANCHES = 50
ANSWER = "answer"
TO = "to:"  # before the uuid of a node of theirs, where a block of ours is not known yet


@dataclass
class Loose:
    """An exit that leads to a node of theirs; `asked`: the waiting there is done already."""

    node: Json
    taken: str
    target: str
    asked: bool = False


@dataclass(frozen=True)
class Asked:
    """Results whose category, and whose value, some text or test of the file looks at."""

    categories: frozenset[str]
    values: frozenset[str]


@dataclass
class FlowSection:
    """One flow on its way into a section. `known`: sections of the other flows of the file, by uuid."""

    drawing: Drawing
    section: Section
    flow: Json
    used: Used
    known: Mapping[str, Section]
    asked: Asked
    loose: list[Loose] = field(default_factory=list)
    entries: dict[str, str] = field(default_factory=dict)
    routers: dict[str, str] = field(default_factory=dict)

    def draw(self) -> None:
        self._stickies()
        nodes = {text(node.get("uuid")): node for node in objects(self.flow.get("nodes")) if text(node.get("uuid"))}
        first = next(iter(nodes), "")
        start = self.drawing.node(self.section, "start", place=self._position(nodes.get(first, {}), above=True))
        self.loose.append(Loose(start, "next", first))
        for uuid, node in nodes.items():
            self._node(uuid, node, nodes)
        self._ask_where_needed(nodes)
        for loose in self.loose:
            target = self._resolved(loose.target, self.routers.get(loose.target, "") if loose.asked else f"{TO}{loose.target}")
            if target or loose.taken in self._must(loose.node):
                join(loose.node, loose.taken, target or self.drawing.ended(self.section))

    def _stickies(self) -> None:
        """Notes that their authors pinned to the canvas are notes of the section."""
        for sticky in obj(at(self.flow, "_ui", "stickies")).values():
            said = ": ".join(filter(None, (text(obj(sticky).get("title")), text(obj(sticky).get("body")))))
            self.section.note = "\n".join(filter(None, (self.section.note, said)))[:LONGEST_NOTE]

    def _resolved(self, uuid: str, entry: str) -> str:
        """The block to which an entry leads: nodes of which no block came over only pass on. "" for the end and for endless passing on."""
        seen: set[str] = set()
        while entry.startswith(TO):
            uuid = entry.removeprefix(TO)
            if uuid in seen:
                return ""
            seen.add(uuid)
            entry = self.entries.get(uuid, "")
        return entry

    def _must(self, node: Json) -> frozenset[str]:
        """Exits that may not stay open."""
        if node["kind"] == "router":
            return frozenset({*(branch["id"] for branch in node["params"]["branches"]), "else"})
        if node["kind"] == "action":
            return frozenset(actions.ONWARD.get(node["params"]["action"], ("ok",)))
        return frozenset({"start": {"next"}, "input": {"ok", "timeout"}, "delay": {"next"}, "operator": {"limit"}}.get(node["kind"], ()))

    # --- one node -----------------------------------------------------------------------------------------------------

    def _node(self, uuid: str, node: Json, nodes: Mapping[str, Json]) -> None:
        place, made = self._place(uuid, node), question_last(objects(node.get("actions")))
        asks = uuid if waits(node) else self._asked_next(node, nodes, made)
        says = bool(asks and made) and made[-1].get("type") == "send_msg" and bool(text(made[-1].get("text")).strip())
        chains = [found for action in (made[:-1] if says else made) if (found := self._action(place, action))]
        if says or (asks and made):
            chains.append(self._ask(place, nodes[asks], asks, action=made[-1] if says else None))
        for before, after in pairwise(chains):
            for owner, taken in before.loose:
                join(owner, taken, after.first)
        if waits(node):
            self.routers[uuid] = self._route(place, node, on=self._kept_in(node))
            if chains:
                self.entries[uuid] = chains[0].first
            return
        onward = self._route(place, node, on="") if obj(node.get("router")) else f"{TO}{only_exit(node)}"
        for owner, taken in chains[-1].loose if chains else ():
            self._join(owner, taken, onward)
        self.entries[uuid] = chains[0].first if chains else onward

    def _action(self, place: Place, action: Json) -> Chain | None:
        return self._enter_flow(place, action) if action.get("type") == "enter_flow" else actions.make(place, action)

    # --- waiting ------------------------------------------------------------------------------------------------------

    def _kept_in(self, node: Json) -> str:
        name = text(at(node, "router", "result_name"))
        return variable(name) if name else ANSWER

    def _asked_next(self, node: Json, nodes: Mapping[str, Json], made: list[Json]) -> str:
        """The node that only waits and follows right after this one's last message; "" when there is none."""
        if not made or obj(node.get("router")) or made[-1].get("type") != "send_msg" or not text(made[-1].get("text")).strip():
            return ""
        target = only_exit(node)
        follows = nodes.get(target, {})
        return target if waits(follows) and not objects(follows.get("actions")) else ""

    def _ask(self, place: Place, node: Json, uuid: str, *, action: Json | None = None) -> Chain:
        """A question: of a message, or silent where the way comes from elsewhere. What follows hangs on the node's router."""
        lost: list[str] = []
        params: Json = {"kind": self._kind(node, action), "save_as": self._kept_in(node), "attempts": 0}
        if action:
            params |= actions.message_params(place, action, lost)
            options = actions.replies(place, action, lost)
            if options:
                params["choices"] = options
        if self.flow.get("ignore_triggers") is True:
            params["interruptible"] = False
        asked = place.node("input", params)
        self.loose.append(Loose(asked, "ok", uuid, asked=True))
        self._wait_no_longer(place, asked, node)
        if params["kind"] != "text":  # there any message goes on, whatever it carries
            self._join(asked, "no_match", self._settled(place, node, text(at(node, "router", "default_category_uuid")), self._result(node)))
        return actions.done(place, asked, "send_msg and wait" if action else "wait for a message", lost)

    def _wait_no_longer(self, place: Place, asked: Json, node: Json) -> None:
        """Where the way goes without an answer: by the question's own time, else by the one after which the whole flow is over."""
        seconds = number(at(node, "router", "wait", "timeout", "seconds"))
        if seconds is not None and 0 < seconds <= LONGEST_WAIT:
            asked["params"]["timeout"] = {"amount": seconds, "unit": "seconds"}
            category = text(at(node, "router", "wait", "timeout", "category_uuid"))
            self._join(asked, "timeout", self._settled(place, node, category, self._result(node)))
        elif (minutes := expiry(self.flow)) is not None:
            asked["params"]["timeout"] = {"amount": minutes, "unit": "minutes"}
            join(asked, "timeout", self.drawing.ended_by(self.section, EXPIRED))

    def _kind(self, node: Json, action: Json | None) -> str:
        """What is asked for: what the wait hints at, or what all tests of the answer look for."""
        hint = text(at(node, "router", "wait", "hint", "type")) or text(obj(action).get(HINT))
        return HINTS.get(hint) or tests.carried(objects(at(node, "router", "cases"))) or "text"

    def _ask_where_needed(self, nodes: Mapping[str, Json]) -> None:
        """Silent waiting for nodes to which a way leads that asked nothing; each may lead to further ones."""
        place = 0
        targets = [entry.removeprefix(TO) for entry in (*self.entries.values(), *self.routers.values()) if entry.startswith(TO)]
        while place < len(self.loose) or targets:
            if targets:
                uuid = targets.pop()
            else:
                loose = self.loose[place]
                place += 1
                uuid = "" if loose.asked else loose.target
            node = nodes.get(uuid)
            if node is not None and waits(node) and uuid not in self.entries:
                self.entries[uuid] = self._ask(self._place(uuid, node), node, uuid).first

    # --- routing ------------------------------------------------------------------------------------------------------

    def _route(self, place: Place, node: Json, *, on: str) -> str:
        """Where the router begins: a block's id, "to:" with a node of theirs, or "" for the end. `on`: the variable with the answer."""
        router = obj(node.get("router"))
        if text(router.get("type")) == "random":
            return self._random(place, node)
        if text(router.get("type")) == "smart":
            place.tell("smart router", "approximated", "an AI chose there by what was meant; here the words themselves are looked for")
        key, first = self._result(node), None
        if not on and (key or objects(router.get("cases"))):
            on, first = self._operand(place, text(router.get("operand")), key)
        branches, targets = self._branches(place, node, on)
        default = self._settled(place, node, text(router.get("default_category_uuid")), key)
        if not branches:
            if first:
                self._join(first, "next", default)
            return str(first["id"]) if first else default
        block = place.node("router", {"branches": branches})
        if first:
            join(first, "next", block["id"])
        if key in self.asked.values and any(text(case.get("type")) in tests.TAKES_A_PART for case in objects(router.get("cases"))):
            place.tell("result", "approximated", "the whole answer is kept, not only the part that was looked for", node=block)
        for branch, category in targets.items():
            self._join(block, branch, self._settled(place, node, category, key))
        self._join(block, "else", default)
        return str((first or block)["id"])

    def _join(self, owner: Json, taken: str, target: str) -> None:
        """`target` is a block's id, "to:" with a node of theirs that may not be drawn yet, or "" for the end."""
        if target.startswith(TO) or not target:
            self.loose.append(Loose(owner, taken, target.removeprefix(TO)))
        else:
            join(owner, taken, target)

    def _result(self, node: Json) -> str:
        name = text(at(node, "router", "result_name"))
        return variable(name) if name else ""

    def _settled(self, place: Place, node: Json, category: str, key: str) -> str:
        """Where a category leads; through a block that keeps its name when some text of the file asks for it."""
        target = category_target(node, category)
        found = f"{TO}{target}" if target else ""
        if not key or key not in self.asked.categories:
            return found
        values = [{"name": category_of(key), "value": category_name(node, category)}]
        kept = place.node("set_variable", {"variables": values})
        self._join(kept, "next", found)
        return str(kept["id"])

    def _operand(self, place: Place, operand: str, key: str) -> tuple[str, Json | None]:
        """The variable that is looked at, and the block that sets it where it must be set first."""
        found = write(operand, self.used)
        if found.lost:
            place.tell("router", "unsupported", found.lost[0])
        path = "" if found.lost or key else self._path(operand)
        if path == SCHEME:
            place.tell("router", "approximated", "it looks at the kind of the channel: telegram, widget, api or one of your own")
        if path:
            return path, None
        name = key or "looked_at"
        return name, place.node("set_variable", {"variables": [{"name": name, "value": found.text}]})

    def _path(self, operand: str) -> str:
        """The name that is looked at, when the operand is one; "" when its value must be made first."""
        try:
            return reference(operand, self.used)
        except FormulaError:
            return ""

    def _branches(self, place: Place, node: Json, on: str) -> tuple[list[Json], dict[str, str]]:
        """Branches in order, cases of one category that follow each other in one; and branch id → category."""
        router = obj(node.get("router"))
        groups: list[tuple[str, list[Json]]] = []
        for case in objects(router.get("cases")):
            found = self._condition(place, case, on)
            category = text(case.get("category_uuid"))
            if found is None:
                continue
            if groups and groups[-1][0] == category:
                groups[-1][1].append(found)
            else:
                groups.append((category, [found]))
        ids = Distinct()
        ids("else")
        branches, targets = [], {}
        for category, conditions in groups[:MOST_BRANCHES]:
            name = category_name(node, category)
            branch = {
                "id": ids(slug(name, sign="-", empty="branch")),
                "when": conditions[0] if len(conditions) == 1 else {"any": conditions},
            }
            branches.append({**branch, "title": name[:200]} if name else branch)
            targets[str(branch["id"])] = category
        if len(groups) > MOST_BRANCHES:
            place.tell("router", "approximated", f"only the first {MOST_BRANCHES} of {len(groups)} ways came over")
        return branches, targets

    def _condition(self, place: Place, case: Json, on: str) -> Json | None:
        """The case in its own language, and in every other one with words of its own."""
        kind = text(case.get("type")) or "case"
        near: list[str] = []
        found = self._tested(place, case, on, near)
        if found is None:
            return None
        for code, localized in obj(self.flow.get("localization")).items():
            given = rows(obj(obj(localized).get(text(case.get("uuid")))).get("arguments"))
            if any(text(one) for one in given):
                found = self._in_language(found, self._tested(place, case, on, near, given), language(code))
        message = "; ".join(dict.fromkeys(near))
        place.tell(kind, "approximated" if message else "exact", message)
        return found

    def _tested(self, place: Place, case: Json, on: str, near: list[str], given: list[object] | None = None) -> Json | None:
        try:
            return tests.condition(case, on=on, used=self.used, given=given)
        except tests.Approximated as found:
            near.append(found.message)
            return found.condition
        except FormulaError as error:
            place.tell(text(case.get("type")) or "case", "unsupported", str(error))
            return None

    def _in_language(self, otherwise: Json, there: Json | None, code: str) -> Json:
        if there is None or there == otherwise or (code == self.drawing.language and not names_none(self.flow)):
            return otherwise
        if code == self.drawing.language:
            return {"any": [otherwise, there]}
        speaks = {"variable": "language", "operator": "equals", "value": code}
        return {"any": [{"all": [speaks, there]}, {"all": [{**speaks, "operator": "not_equals"}, otherwise]}]}

    def _random(self, place: Place, node: Json) -> str:
        ids = Distinct()
        ids("else")
        categories = objects(at(node, "router", "categories"))[:MOST_BRANCHES]
        if not categories:
            return ""
        named = {ids(slug(text(item.get("name")), sign="-", empty="way")): item for item in categories}
        block = place.node("router", {"mode": "share", "branches": [{"id": name, "share": 1} for name in named]})
        for name, item in named.items():
            target = category_target(node, text(item.get("uuid")))
            self._join(block, name, f"{TO}{target}" if target else "")
        place.tell("random", "exact")
        return str(block["id"])

    # --- another flow -------------------------------------------------------------------------------------------------

    def _enter_flow(self, place: Place, action: Json) -> Chain | None:
        """Flows of the same file are sections here; what comes back says `child_status`: that it was completed, or that no answer came for too long."""
        flow = obj(action.get("flow"))
        section = self.known.get(text(flow.get("uuid")))
        if section is None:
            place.tell("enter_flow", "unsupported", f"“{text(flow.get('name'))}”: {actions.UNSUPPORTED['enter_flow']}")
            return None
        final = action.get("terminal") is True
        node = place.node("exit", {"mode": "go" if final else "call", "section": section.id}, title=section.name)
        place.tell("enter_flow", "exact")
        if final:
            return Chain(node["id"], [])
        chain = Chain(node["id"], [])
        for taken, status in (("next", "completed"), *((name, name) for name in section.outputs)):
            after = place.node("set_variable", {"variables": [{"name": "child_status", "value": status}]})
            join(node, taken, after["id"])
            chain.loose.append((after, "next"))
        return chain

    # --- reading ------------------------------------------------------------------------------------------------------

    def _place(self, uuid: str, node: Json) -> Place:
        return Place(
            drawing=self.drawing,
            section=self.section,
            title=f"{self.section.name} / {known_by(node) or uuid[:8]}",
            at=self._position(node),
            used=self.used,
            localization=obj(self.flow.get("localization")),
            categories=self.asked.categories,
            flow={("run", "flow", key): text(self.flow.get(key)) for key in ("name", "uuid")},
            results=self._results,
            unnamed=names_none(self.flow),
        )

    @cached_property
    def _results(self) -> tuple[str, ...]:
        """The variables of this flow's results."""
        nodes = objects(self.flow.get("nodes"))
        named = [text(at(node, "router", "result_name")) for node in nodes]
        named += [text(one.get("name")) for node in nodes for one in objects(node.get("actions")) if one.get("type") == "set_run_result"]
        return tuple(dict.fromkeys(variable(name) for name in named if name))

    def _position(self, node: Json, *, above: bool = False) -> tuple[float, float]:
        found = obj(at(self.flow, "_ui", "nodes", text(node.get("uuid")), "position"))
        x, y = number(found.get("left")) or 0.0, number(found.get("top")) or 0.0
        return x * 1.5, y * 1.5 - (150 if above else 0)
