"""The web chat's API, `/widget/v1/…` (channels.md 11). Everything is the visitor's own, found by the token."""

import threading
import time
import uuid

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext as _

from apps.bots.models import Channel
from apps.conversations import filelinks
from apps.core.ratelimit import client_ip
from apps.panel import presence, proving, saying, showing, tickets, uploading, visitors
from apps.panel.answering import Json, Limit, RefusedError, api, body, check_origin, text, visitor_of, within
from apps.panel.models import WidgetVisitor

MESSAGES = Limit("messages", 20, 60)
MESSAGES_BY_ADDRESS = Limit("messages-ip", 60, 180)  # 20 a minute too, with room for an office behind one address
SESSIONS_BY_ADDRESS = Limit("sessions-ip", 60, 120)
UPLOADS = Limit("uploads", 10, 60)
READS = Limit("reads", 240, 60)
SIGNALS = Limit("signals", 120, 60)

LONGEST_WAIT = 25
LOOK_SECONDS = 0.5
POLL_MS = 3000
_waiting = threading.BoundedSemaphore(getattr(settings, "WIDGET_LONG_POLLS", 16))


def channel_by_key(key: str) -> Channel | None:
    """The web chat whose public key this is (`wk_` and 32 hex digits)."""
    try:
        public_id = uuid.UUID(hex=key.removeprefix("wk_"))
    except ValueError:
        return None
    return Channel.objects.select_related("bot").filter(public_id=public_id, kind="widget", is_active=True).first()


def key_of(channel: Channel) -> str:
    return f"wk_{channel.public_id.hex}"


@api("POST")
def sessions(request: HttpRequest) -> HttpResponse:
    """Begin or continue: `{"key", "visitor_token", "identity", "start", "page", "language"}` → token, chat and the history."""
    within(SESSIONS_BY_ADDRESS, client_ip(request))
    data = body(request)
    channel = channel_by_key(text(data, "key", limit=64, needed=True))
    if channel is None:
        raise RefusedError(404, "unknown_key", _("There is no chat with this key. Copy the key from the channel's page in the admin."))
    check_origin(request, channel)
    told_identity = data.get("identity")
    identity = proving.judge(channel, told_identity if isinstance(told_identity, dict) else {})
    told = {"language": text(data, "language", limit=10), "page": text(data, "page", limit=500)}
    opened = visitors.open_session(channel, token=text(data, "visitor_token", limit=100), identity=identity, told=told)
    begun = text(data, "start", limit=64)
    if begun:
        saying.start(opened.visitor, begun)
    return JsonResponse(
        {
            "visitor_token": opened.token,
            "chat_id": opened.visitor.chat_id,
            "fresh": opened.fresh,
            "verified": bool(opened.visitor.user_id),
            **({"identity_problem": identity.problem} if identity.problem else {}),
            **_history(request, opened.visitor, before=None),
        }
    )


@api("GET", "POST")
def messages(request: HttpRequest) -> HttpResponse:
    """GET: history, `?before=m_17` for older. POST: say something; 202 means that it is kept and will be handled."""
    visitor = visitor_of(request)
    if request.method == "GET":
        within(READS, str(visitor.pk))
        return JsonResponse(_history(request, visitor, before=showing.message_id(request.GET.get("before", ""))))
    within(MESSAGES, str(visitor.pk))
    within(MESSAGES_BY_ADDRESS, client_ip(request))
    data = body(request)
    posted = saying.say(visitor, data)
    return JsonResponse(
        {"message_id": f"i_{posted.update_id}", "client_message_id": data["client_message_id"], "repeated": not posted.created},
        status=202,
    )


@api("GET")
def events(request: HttpRequest) -> HttpResponse:
    """What changed after `?after=<cursor>`; with `&wait=25` the answer comes when something has, or after that many seconds. `&typing=1` says
    that the page shows somebody writing already, so that only the end of it is news.
    """
    visitor = visitor_of(request)
    within(READS, str(visitor.pk))
    after, wait, typed = (_number(request, key, most=most) for key, most in (("after", 2**62), ("wait", LONGEST_WAIT), ("typing", 1)))
    return JsonResponse({**_events(visitor, after=after, wait=wait, typing=bool(typed)), **_live(request, visitor)})


@api("POST")
def receipts(request: HttpRequest) -> HttpResponse:
    """`{"read_up_to": "m_17"}` or `{"delivered_up_to": "m_17"}`."""
    visitor = visitor_of(request)
    within(SIGNALS, str(visitor.pk))
    data = body(request)
    for key, state in (("delivered_up_to", "delivered"), ("read_up_to", "read")):
        up_to = showing.message_id(text(data, key, limit=30))
        if up_to:
            saying.receipts(visitor, up_to=up_to, state=state)
    return HttpResponse(status=204)


@api("POST")
def typing(request: HttpRequest) -> HttpResponse:
    """`{"on": true}`; forgotten by itself after some seconds."""
    visitor = visitor_of(request)
    within(SIGNALS, str(visitor.pk))
    lead = showing.lead_of(visitor)
    if lead is not None:
        presence.note_visitor(lead.pk, typing=body(request).get("on") is True)
    return HttpResponse(status=204)


@api("POST")
def uploads(request: HttpRequest) -> HttpResponse:
    """One file as multipart field `file`; the answer's id goes into a message of type `file`."""
    visitor = visitor_of(request)
    within(UPLOADS, str(visitor.pk))
    if int(request.headers.get("Content-Length") or 0) > uploading.MAX_BYTES + 64 * 1024:
        raise RefusedError(413, "too_large", _("The file is larger than %(limit)s MB.") % {"limit": uploading.MAX_BYTES // 1024 // 1024})
    try:
        file = request.FILES.get("file")
    except MultiPartParserError as error:
        raise RefusedError(400, "bad_request", _("The upload was cut off. Try again.")) from error
    if not isinstance(file, UploadedFile):
        raise RefusedError(400, "bad_request", _("Send the file as the multipart field “file”."))
    try:
        upload = uploading.store(visitor, file)
    except uploading.UploadRefusedError as error:
        raise RefusedError(error.status, error.code, error.reason) from error
    kept = upload.attachment
    return JsonResponse(
        {
            "upload_id": uploading.upload_id(upload),
            "name": kept.name,
            "kind": kept.kind,
            "mime": kept.mime,
            "size": kept.size,
            "url": filelinks.of_uid(kept.uid),
        }
    )


@api("POST")
def sign_out(request: HttpRequest) -> HttpResponse:
    """The browser gives its token up: what was said stays with the company, this browser no longer sees it."""
    visitors.forget(visitor_of(request))
    return HttpResponse(status=204)


def _history(request: HttpRequest, visitor: WidgetVisitor, *, before: int | None) -> Json:
    history = showing.history(visitor, before=before)
    return {"messages": history.messages, "more": history.more, "cursor": str(history.cursor), **_live(request, visitor)}


def _live(request: HttpRequest, visitor: WidgetVisitor) -> Json:
    """Where this page may listen; null until the chat has a lead, because there is nothing to hear before."""
    origin = getattr(request, "allowed_origin", "") or f"{request.scheme}://{request.get_host()}"
    return {"live": showing.live_address(tickets.issue(visitor, origin=origin)) if showing.lead_of(visitor) else None}


def _events(visitor: WidgetVisitor, *, after: int, wait: int, typing: bool) -> Json:
    """Waits without holding more than a few threads of this process; whoever finds no room is told when to ask again."""
    deadline = time.monotonic() + wait
    page = showing.events(visitor, after=after)
    if not wait or _news(page, typing=typing):
        return page
    if not _waiting.acquire(blocking=False):
        return {**page, "poll_ms": POLL_MS}
    try:
        while not _news(page, typing=typing) and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)
            page = showing.events(visitor, after=after)
    finally:
        _waiting.release()
    return page


def _news(page: Json, *, typing: bool) -> bool:
    return bool(page["events"] or page.get("reset") or page["typing"] != typing)


def _number(request: HttpRequest, key: str, *, most: int) -> int:
    given = request.GET.get(key) or "0"
    if not (given.isdecimal() and given.isascii() and len(given) < 20):  # noqa: PLR2004
        raise RefusedError(400, "bad_request", _("“%(key)s” must be a number.") % {"key": key})
    return min(int(given), most)
