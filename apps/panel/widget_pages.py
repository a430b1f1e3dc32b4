"""The chat's own page, the script that puts it on other pages, and what that script must know first."""

import re
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_safe

from apps.bots.models import Channel
from apps.bots.origins import Origin, rules
from apps.core.ratelimit import client_ip
from apps.panel.answering import Limit, RefusedError, api, check_origin, within
from apps.panel.widget_api import channel_by_key, key_of

LOADER = "widget/loader.js"
LOADER_SECONDS = 300
DEFAULT_COLOR = "#2563eb"
DARK_INK, LIGHT_INK = "#111827", "#ffffff"
LIGHT_FROM = 0.36  # white on anything lighter is hard to read
CONFIGS = Limit("config-ip", 120, 60)
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")


@require_safe
def loader(_request: HttpRequest) -> HttpResponse:
    """The script of the one-tag embed. It is public and holds nothing of an installation."""
    response = HttpResponse(_loader(), content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = f"public, max-age={LOADER_SECONDS}"
    response["Access-Control-Allow-Origin"] = "*"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@api("GET")
def config(request: HttpRequest) -> HttpResponse:
    """What the embedding page needs before anybody opens the chat: `?key=wk_…` → title and colour. Refused for pages that may not show it."""
    within(CONFIGS, client_ip(request))
    channel = channel_by_key(request.GET.get("key", ""))
    if channel is None:
        raise RefusedError(404, "unknown_key", _("There is no chat with this key. Copy the key from the channel's page in the admin."))
    check_origin(request, channel)
    color = color_of(channel)
    return JsonResponse(
        {"title": title_of(channel), "color": color, "ink": ink_on(color)}, headers={"Cache-Control": f"private, max-age={LOADER_SECONDS}"}
    )


@require_safe
@xframe_options_exempt
def chat(request: HttpRequest, key: str) -> HttpResponse:
    """The chat as a page, in a frame of an allowed page or by itself."""
    channel = channel_by_key(key)
    if channel is None:
        raise Http404
    asked = request.GET.get("lang", "")
    with translation.override(asked if asked in dict(settings.LANGUAGES) else get_language()):
        response = render(request, "panel/chat.html", {"channel": channel, "title": title_of(channel), "page": page_data(channel)})
        response["Content-Language"] = get_language() or ""
    response["Content-Security-Policy"] = policy(frame_ancestors(channel))
    response["Cross-Origin-Opener-Policy"] = "unsafe-none"
    return response


def title_of(channel: Channel) -> str:
    return str(channel.config.get("title") or channel.bot.name)


def color_of(channel: Channel) -> str:
    color = str(channel.config.get("color") or "")
    return color if _COLOR.fullmatch(color) else DEFAULT_COLOR


def ink_on(color: str) -> str:
    """The text colour that is read best on `color`: by relative luminance, as WCAG defines it."""
    parts = [int(color[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)  # noqa: PLR2004
    return DARK_INK if 0.2126 * red + 0.7152 * green + 0.0722 * blue > LIGHT_FROM else LIGHT_INK


def frame_ancestors(channel: Channel) -> list[str]:
    return ["'self'", *(source for rule in rules(channel.config.get("allowed_hosts") or []) for source in rule.sources())]


def policy(ancestors: list[str]) -> str:
    """No inline script or style, no plugin, no other page's script; pictures of messages may come from the web."""
    live = Origin.parse(settings.LIVE_URL) if settings.LIVE_URL else None
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "font-src 'self'",
            "img-src 'self' blob: data: https:",
            "media-src 'self' blob: https:",
            f"connect-src 'self'{f' {live}' if live else ''}",
            "form-action 'none'",
            "base-uri 'none'",
            f"frame-ancestors {' '.join(ancestors)}",
        )
    )


def page_data(channel: Channel) -> dict[str, Any]:
    """What the page's script starts with."""
    color = color_of(channel)
    return {
        "key": key_of(channel),
        "title": title_of(channel),
        "greeting": str(channel.config.get("greeting") or ""),
        "color": color,
        "ink": ink_on(color),
        "language": get_language(),
        "parents": frame_ancestors(channel)[1:],
        "texts": texts(),
    }


def texts() -> dict[str, str]:
    """Every text of the chat page, in the language of the request."""
    return {
        "attach": _("Attach a file"),
        "close": _("Close the chat"),
        "connecting": _("Connecting…"),
        "download": _("Download"),
        "drop": _("Drop files here to send them"),
        "edited": _("edited"),
        "ended": _("This chat cannot be opened here."),
        "failed": _("Not sent."),
        "in_work": _("Sending"),
        "loading_older": _("Show earlier messages"),
        "location": _("Location"),
        "location_refused": _("Your browser did not tell where you are. Allow it, or write the address."),
        "message": _("Write a message…"),
        "messages": _("Messages"),
        "offline": _("No connection. Trying again…"),
        "open_map": _("Open the map"),
        "phone": _("Your phone number"),
        "phone_send": _("Send the number"),
        "received": _("Received"),
        "retry": _("Try again"),
        "sent": _("Sent"),
        "send": _("Send"),
        "today": _("Today"),
        "too_large": _("The file is larger than 20 MB."),
        "typing": _("is typing…"),
        "yesterday": _("Yesterday"),
        "opens_new_tab": _("opens in a new tab"),
    }


def _loader() -> bytes:
    path = finders.find(LOADER)
    if not isinstance(path, str):
        raise Http404
    return Path(path).read_bytes()
