"""A request to another system through the guarded client."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.conversations import calling
from apps.conversations.models import Call
from apps.conversations.performer import Performer


class Http(Performer):
    kind = "http"
    label = _("HTTP request")

    async def perform(self, call: Call) -> dict[str, Any]:
        return await calling.guarded(call)
