"""Callbacks of other systems: the later answers to calls of scenarios, each at a signed address that is good for one answer."""

from django.http import HttpRequest, HttpResponse
from drf_spectacular.utils import extend_schema

from apps.conversations import callbacks
from apps.conversations.callbacks import Taken
from apps.core.trace import current_trace_id
from apps.gateway import apispec, bodies
from apps.gateway.answers import Answer, RefusedError
from apps.gateway.machine import MachineView

MAX_BYTES = 1024 * 1024


class CallbackView(MachineView):
    @extend_schema(**apispec.CALLBACK)
    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        raw = bodies.read(request)
        if len(raw) > MAX_BYTES:
            raise RefusedError("too_large", f"The body is larger than {MAX_BYTES} bytes.")
        kind = request.content_type or ""
        if raw.strip() and (kind == "application/json" or kind.endswith("+json")):
            bodies.parse(raw)  # strict: what we could not keep is refused now, not lost later
        text = raw.decode("utf-8", errors="replace").replace("\x00", "\ufffd")
        return answered(callbacks.receive(token, content_type=kind, body=text))


def answered(taken: Taken) -> HttpResponse:
    """A receiver that repeats its callback gets a 2xx each time, so that it stops."""
    match taken:
        case Taken.NEW:
            return Answer(202, {"success": True, "status": "accepted", "trace_id": current_trace_id()}).response()
        case Taken.KNOWN:
            return Answer(200, {"success": True, "status": "already_received", "trace_id": current_trace_id()}).response()
        case Taken.LATE:
            raise RefusedError("no_longer_awaited")
        case Taken.UNKNOWN:
            raise RefusedError("not_found")
