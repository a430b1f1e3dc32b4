"""The product's own envelope: everything that is known of an event, under stable names."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.events.webhooks.formats_registry import Format, Json


class Native(Format):
    kind = "native"
    label = _("Dialog Bus: the whole event")
    help = _("id, type, timestamp, trace_id, bot, channel, person, lead, conversation, session and the data of the event.")

    def body(self, envelope: Json) -> Any:
        return envelope
