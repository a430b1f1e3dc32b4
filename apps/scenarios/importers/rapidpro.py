"""RapidPro and Glific: definitions 11 to 14, single flows and whole exports."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.scenarios.foreign.drawing import Drawing, Section
from apps.scenarios.foreign.naming import Distinct, slug
from apps.scenarios.foreign.rapidpro.files import Flow, campaigns_in, categories_in, fields_in, flows_in, triggers_of
from apps.scenarios.foreign.rapidpro.flows import FlowSection
from apps.scenarios.foreign.rapidpro.languages import language
from apps.scenarios.foreign.rapidpro.texts import Used
from apps.scenarios.foreign.reading import at, obj, objects, text
from apps.scenarios.importer import Drawn, ForeignFileError, Imported, Importer, Line

MOST_FLOWS = 500


class RapidPro(Importer):
    kind = "rapidpro"
    label = gettext_lazy("RapidPro or Glific")

    def recognises(self, data: Any) -> bool:
        return bool(flows_in(data))

    def convert(self, data: Any) -> Imported:
        flows = flows_in(data)
        if not flows:
            raise ForeignFileError(_("The file holds no flow. Take what “Export” of RapidPro or Glific gives."))
        if len(flows) > MOST_FLOWS:
            raise ForeignFileError(_("The file holds more than %(limit)s flows. Export fewer at once.") % {"limit": MOST_FLOWS})
        found = Imported(fields=fields_in(data))
        used, keys, known = Used(), Distinct(), {flow.uuid: flow for flow in flows}
        categories = categories_in(flows)
        for flow in flows:
            drawing = Drawing(flow.name, language(text(flow.body.get("language"))), languages=_languages(flow, known))
            _draw(drawing, flow, known, used, categories)
            _start(drawing, data, flow)
            found.lines += drawing.lines
            found.scenarios.append(_drawn(drawing, flow, keys))
        found.constants = dict.fromkeys(sorted(used.constants), "")
        found.lines += [
            Line("", event.name, "campaign", "unsupported", event.message or "Its flow is not in the file.")
            for event in campaigns_in(data)
            if event.trigger is None or event.flow not in known
        ]
        return found


def _draw(drawing: Drawing, flow: Flow, known: Mapping[str, Flow], used: Used, categories: frozenset[str]) -> None:
    """The flow as the first section, and every flow that it enters, directly or not, as a section of its own."""
    entered = _entered(flow, known)
    sections: dict[str, Section] = {one.uuid: drawing.section(one.name) for one in entered}
    for one in entered:
        drawing.quiet = one is not flow  # told where it is a scenario of its own
        FlowSection(drawing, sections[one.uuid], one.body, used, sections, categories).draw()
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


def _start(drawing: Drawing, data: Any, flow: Flow) -> None:
    drawing.triggers, lost = triggers_of(data, flow)
    for trigger in drawing.triggers:
        drawing.tell(flow.name, f"trigger {trigger['kind']}", "exact")
    for event in campaigns_in(data):
        if event.trigger and event.flow == flow.uuid:
            drawing.triggers.append(event.trigger)
            drawing.tell(event.name, "campaign", "approximated" if event.message else "exact", event.message, section=drawing.sections[0])
    for what, why in lost:
        drawing.tell(flow.name, what, "unsupported", why, section=drawing.sections[0])


def _languages(flow: Flow, known: Mapping[str, Flow]) -> tuple[str, ...]:
    """Of all flows that are drawn together; the flow's own first."""
    found = [language(text(flow.body.get("language")))]
    for one in _entered(flow, known):
        found += [language(code) for code in obj(one.body.get("localization"))]
    return tuple(dict.fromkeys(found))


def _drawn(drawing: Drawing, flow: Flow, keys: Distinct) -> Drawn:
    return drawing.drawn(key=keys(slug(flow.name, sign="-", empty="flow")), description=_("Imported from RapidPro or Glific."))
