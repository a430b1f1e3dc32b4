"""Typebot: public files of version 6 and older ones with groups."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.scenarios.foreign.drawing import Drawing
from apps.scenarios.foreign.naming import slug
from apps.scenarios.foreign.reading import obj, objects, text
from apps.scenarios.foreign.typebot.bots import Bot
from apps.scenarios.foreign.typebot.texts import Variables
from apps.scenarios.importer import ForeignFileError, Imported, Importer

MOST_BLOCKS = 5_000
EVENTS = {
    "reply": "Use a router after each question.",
    "invalidReply": "Use the text for answers that are not understood.",
}


class Typebot(Importer):
    kind = "typebot"
    label = gettext_lazy("Typebot")

    def recognises(self, data: Any) -> bool:
        groups = objects(obj(data).get("groups"))
        return "edges" in obj(data) and any(isinstance(group.get("blocks"), list) for group in groups)

    def convert(self, data: Any) -> Imported:
        if not self.recognises(data):
            raise ForeignFileError(
                _("The file holds no groups with blocks. Take what “Export flow” of Typebot gives (version 3 or newer).")
            )
        groups = objects(obj(data).get("groups"))
        if sum(len(objects(group.get("blocks"))) for group in groups) > MOST_BLOCKS:
            raise ForeignFileError(_("The file holds more than %(limit)s blocks.") % {"limit": MOST_BLOCKS})
        name = text(data.get("name")) or "Typebot"
        drawing = Drawing(name)
        section = drawing.section(name, key="main")
        Bot(drawing, section, data, Variables.of(data)).draw()
        for event in objects(data.get("events")):
            kind = text(event.get("type"))
            if kind not in {"start", "command"}:
                drawing.tell(name, f"event {kind}", "unsupported", EVENTS.get(kind, "There is no such event here."), section=section)
        found = drawing.drawn(key=slug(name, sign="-", empty="typebot"), description=_("Imported from Typebot."))
        return Imported(scenarios=[found], lines=drawing.lines)
