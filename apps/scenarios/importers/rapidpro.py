"""RapidPro and Glific: definitions 11 to 14, single flows and whole exports."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.scenarios.foreign.drawing import Drawing, Section
from apps.scenarios.foreign.naming import Distinct, slug
from apps.scenarios.foreign.rapidpro import starts
from apps.scenarios.foreign.rapidpro.files import Flow, categories_in, fields_in, flows_in, values_in
from apps.scenarios.foreign.rapidpro.flows import Asked, FlowSection
from apps.scenarios.foreign.rapidpro.languages import UNDETERMINED, language, names_none, spoken
from apps.scenarios.foreign.rapidpro.nodes import EXPIRED, expiry
from apps.scenarios.foreign.rapidpro.tests import group_name
from apps.scenarios.foreign.rapidpro.texts import Used
from apps.scenarios.foreign.rapidpro.words import WORDS
from apps.scenarios.foreign.reading import at, obj, objects, rows, text
from apps.scenarios.importer import Drawn, ForeignFileError, Imported, Importer, Line

MOST_FLOWS = 500


class RapidPro(Importer):
    kind = "rapidpro"
    label = gettext_lazy("RapidPro or Glific")
    words = WORDS

    def recognises(self, data: Any) -> bool:
        return bool(flows_in(data))

    def convert(self, data: Any) -> Imported:
        flows = flows_in(data)
        if not flows:
            raise ForeignFileError(_("The file holds no flow. Take what “Export” of RapidPro or Glific gives."))
        if len(flows) > MOST_FLOWS:
            raise ForeignFileError(_("The file holds more than %(limit)s flows. Export fewer at once.") % {"limit": MOST_FLOWS})
        used, keys, known = Used(), Distinct(), {flow.uuid: flow for flow in flows}
        found = Imported()
        _groups(data, used, found)
        begun = starts.starts_in(data, used)
        asked, unnamed = Asked(categories_in(flows), values_in(flows)), spoken(flow.body for flow in flows)
        for flow in flows:
            own_language = unnamed if names_none(flow.body) else language(text(flow.body.get("language")))
            drawing = Drawing(flow.name, own_language, languages=_languages(flow, known, own_language))
            _draw(drawing, flow, known, used, asked)
            own = starts.by_words({"name": flow.name, **flow.body})
            for start in (*filter(None, [own]), *(start for start in begun if start.flow == flow.uuid)):
                starts.draw(drawing, start)
            found.lines += drawing.lines
            found.scenarios.append(_drawn(drawing, flow, keys))
        if unnamed == UNDETERMINED:
            message = "The file does not name the language of its own texts: they came over as “und”. Choose the language in each scenario."
            found.lines.append(Line("", _("The file"), "language", "approximated", message))
        found.constants = dict.fromkeys(sorted(used.constants), "")
        found.fields = _fields(data, used)
        found.lines += [
            Line("", start.name, start.what, "unsupported", start.message if start.trigger is None else "Its flow is not in the file.")
            for start in begun
            if start.flow not in known
        ]
        return found


def _groups(data: Any, used: Used, found: Imported) -> None:
    """Groups that the file lists; one that gathers its people by a query stays empty here."""
    collections = [item if isinstance(item, dict) else {"name": item} for item in rows(obj(data).get("collections"))]
    for group in (*objects(obj(data).get("groups")), *collections):
        name = text(group.get("name"))
        if not name:
            continue
        group_name(group, used)
        query = text(group.get("query"))
        if query:
            found.lines.append(
                Line("", name, "group", "unsupported", f"It gathers its people by a query: {query}. Write it as a condition.")
            )
        else:
            found.lines.append(Line("", name, "group", "approximated", "A yes/no attribute of the person."))


def _fields(data: Any, used: Used) -> dict[str, tuple[str, str]]:
    """Attributes that the file declares, that its texts and actions name, and one for each group."""
    declared = fields_in(data)
    named = {key: (label, "text") for key, label in used.fields.items() if key not in used.groups}
    groups = {key: (label, "boolean") for key, label in used.groups.items()}
    return {**named, **declared, **groups}


def _draw(drawing: Drawing, flow: Flow, known: Mapping[str, Flow], used: Used, asked: Asked) -> None:
    """The flow as the first section, and every flow that it enters, directly or not, as a section of its own."""
    entered = _entered(flow, known)
    sections: dict[str, Section] = {one.uuid: drawing.section(one.name) for one in entered}
    for one in entered[1:]:
        sections[one.uuid].outputs = {EXPIRED: ""} if expiry(one.body) else {}
    for one in entered:
        drawing.quiet = one is not flow  # told where it is a scenario of its own
        used.older = one.body.get("older") is True
        FlowSection(drawing, sections[one.uuid], one.body, used, sections, asked).draw()
        if one.kind == "voice":
            drawing.tell(
                one.name,
                "voice flow",
                "unsupported",
                "There are no voice calls here; what it says is a message.",
                section=sections[one.uuid],
            )
    drawing.quiet = False


def _entered(flow: Flow, known: Mapping[str, Flow]) -> list[Flow]:
    found: dict[str, Flow] = {}
    waiting = [flow]
    while waiting:
        one = waiting.pop(0)
        if one.uuid in found:
            continue
        found[one.uuid] = one
        for node in objects(one.body.get("nodes")):
            for action in objects(node.get("actions")):
                target = known.get(text(at(action, "flow", "uuid"))) if action.get("type") == "enter_flow" else None
                if target is not None:
                    waiting.append(target)
    return list(found.values())


def _languages(flow: Flow, known: Mapping[str, Flow], own: str) -> tuple[str, ...]:
    """Of all flows that are drawn together; the flow's own first."""
    found = [own]
    for one in _entered(flow, known):
        found += [language(code) for code in obj(one.body.get("localization"))]
    return tuple(dict.fromkeys(found))


def _drawn(drawing: Drawing, flow: Flow, keys: Distinct) -> Drawn:
    return drawing.drawn(key=keys(slug(flow.name, sign="-", empty="flow")), description=_("Imported from RapidPro or Glific."))
