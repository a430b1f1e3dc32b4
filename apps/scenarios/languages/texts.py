"""Every text of a scenario that is said to people, in all its languages: read out of a definition and written back into it.

A text stands in the node as one string (the base language) or as an object by language. Its key is made of ids, `thanks/buttons.0.confirm.label`, so
that it still means the same text when rows were moved.
"""

import copy
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from apps.bots.models import Bot
from apps.scenarios import loose
from apps.scenarios.engine.contract import Json
from apps.scenarios.engine.flow import Flow, load
from apps.scenarios.engine.params import Text, marked_in
from apps.scenarios.engine.texts import LITERAL
from apps.scenarios.registry import actions, blocks
from apps.scenarios.versions.naming import SEPARATOR, label_of

SCENARIO = "scenario"


@dataclass(frozen=True)
class Line:
    """One text. `place` says where it stands, in words; `texts` by language, the base language always among them."""

    key: str
    place: str
    texts: Mapping[str, str]
    node: str = ""

    @property
    def has_words(self) -> bool:
        """Whether there is anything to translate besides placeholders, digits and signs."""
        return any(char.isalpha() for text in self.texts.values() for char in LITERAL.sub("", text))


@dataclass(frozen=True)
class Share:
    """How much of a scenario is translated into a language."""

    language: str
    done: int
    whole: int

    @property
    def percent(self) -> int:
        """Rounded down, so that 100 means all."""
        return 100 * self.done // self.whole if self.whole else 100


@dataclass
class Applied:
    """A definition with texts written into it. `unknown` are keys that it does not have, `stale` those whose base text is another one by now."""

    definition: Json
    changed: list[tuple[str, str]] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)


def lines(definition: Any) -> list[Line]:
    """Every text in the order of the definition; of blocks that cannot be read only what others hold."""
    flow, _problems = load(definition, blocks=blocks, actions=actions)
    if flow is None:
        return []
    base = flow.definition.default_language
    return [Line(key, place, _by_language(raw, base), node) for key, place, raw, node in _raw_texts(flow, definition)]


def shares(found: Iterable[Line], languages: Iterable[str]) -> list[Share]:
    """Completeness of each language; texts without words need no translation."""
    counted = [line for line in found if line.has_words]
    return [Share(language, sum(bool(line.texts.get(language, "").strip()) for line in counted), len(counted)) for language in languages]


def apply(
    definition: Json, texts: Iterable[tuple[str, Mapping[str, str]]], *, base: str, take_base: bool = False, languages: Iterable[str] = ()
) -> Applied:
    """`texts` are pairs of key and texts by language; "" removes a translation. The base text is only written with `take_base`; otherwise one
    that differs is told of. `languages` are added to the scenario's.
    """
    done = Applied(copy.deepcopy(definition))
    holders = {key: (parent, name) for key, parent, name in _holders(done.definition)}
    for key, given in texts:
        if key not in holders:
            done.unknown.append(key)
            continue
        parent, name = holders[key]
        before = _by_language(parent[name], base)
        if given.get(base, before[base]) != before[base] and not take_base:
            done.stale.append(key)
        wanted = {language: text for language, text in given.items() if language != base or take_base}
        done.changed += [(key, language) for language, text in wanted.items() if text != before.get(language, "")]
        parent[name] = _stored({**before, **wanted}, base)
    _declare(done.definition, languages)
    return done


def of_bot(bot: Bot, definition: Any) -> list[str]:
    """The scenario's languages, then the bot's own: the order in which translators see them."""
    return list(dict.fromkeys([*loose.languages(definition), bot.default_language]))


def _by_language(raw: Any, base: str) -> dict[str, str]:
    return {base: raw} if isinstance(raw, str) else {base: "", **{str(code): str(text) for code, text in raw.items()}}


def _stored(texts: Mapping[str, str], base: str) -> Any:
    """As short as it was: one string when there is nothing but the base."""
    kept = {language: text for language, text in texts.items() if text or language == base}
    return kept[base] if set(kept) == {base} else kept


def _declare(definition: Json, languages: Iterable[str]) -> None:
    known = loose.languages(definition)
    added = [language for language in languages if language not in known]
    if added:
        definition["languages"] = [*known, *added]


# --- where texts stand -----------------------------------------------------------------------------------------------


def _raw_texts(flow: Flow, definition: Any) -> Iterator[tuple[str, str, Any, str]]:
    """Key, place in words, raw value and node id of every text that is written in the definition (defaults of a kind are not)."""
    raw = {str(node["id"]): node for node in loose.nodes(definition)}
    for node in flow.nodes.values():
        for path, marked in marked_in(node.params):
            found = _at(loose.params(raw[node.id]), path) if isinstance(marked, Text) else None
            if found is not None:
                place = SEPARATOR.join((node.name, label_of(f"params.{found[1]}", kind=node.kind)))
                yield f"{node.id}/{found[1]}", place, found[0], node.id
    for path, marked in marked_in(flow.policies, "policies"):
        found = _at(definition, path) if isinstance(marked, Text) else None
        if found is not None:
            yield f"{SCENARIO}/{found[1]}", label_of(path), found[0], ""


def _at(data: Any, path: str) -> tuple[Any, str] | None:
    """The raw text at a path of positions, and the path with ids in the place of positions where items have one."""
    named = []
    for part in path.split("."):
        if isinstance(data, list) and part.isdecimal() and int(part) < len(data):
            data = data[int(part)]
            named.append(str(data["id"]) if isinstance(data, dict) and data.get("id") else part)
        elif isinstance(data, dict) and part in data:
            data = data[part]
            named.append(part)
        else:
            return None
    is_text = isinstance(data, str) or (isinstance(data, dict) and bool(data) and all(isinstance(text, str) for text in data.values()))
    return (data, ".".join(named)) if is_text else None


def _holders(definition: Json) -> Iterator[tuple[str, Any, Any]]:
    """Key, the object or list that holds the text, and its name or position there."""
    raw = {str(node["id"]): loose.params(node) for node in loose.nodes(definition)}
    for line in lines(definition):
        owner, _slash, path = line.key.partition("/")
        parent: Any = definition if owner == SCENARIO and path.startswith("policies") else raw[owner]
        *way, last = path.split(".")
        for part in way:
            parent = parent[_name(parent, part)]
        yield line.key, parent, _name(parent, last)


def _name(parent: Any, part: str) -> Any:
    """A key, or the position of the item with that id, or the position itself."""
    if not isinstance(parent, list):
        return part
    by_id = next((place for place, item in enumerate(parent) if isinstance(item, dict) and str(item.get("id")) == part), None)
    return by_id if by_id is not None else int(part)
