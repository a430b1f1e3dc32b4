"""The first page that a newcomer sees: a web chat beside a small CRM, and what to press. Only where the installation is a demo."""

import time
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from apps.bots.models import Channel
from apps.core.models import InstanceSetting
from apps.panel import proving
from apps.panel.widget_api import key_of

CHANNEL_SETTING = "demo_channel"
CRM_SETTING = "crm_url"
CUSTOMER = {"user_id": "125", "name": "Anna"}


@require_safe
def demo(request: HttpRequest) -> HttpResponse:
    """The visitor of this page is Anna, customer 125: the page's server (we) signs that, as a shop's server would for its signed-in user."""
    channel = demo_channel() if getattr(settings, "DEMO", False) else None
    if channel is None:
        raise Http404
    base_url = f"{request.scheme}://{request.get_host()}"
    crm_url = _setting(CRM_SETTING)
    context: dict[str, Any] = {
        "channel": channel,
        "bot": channel.bot,
        "key": key_of(channel),
        "identity": signed_identity(channel),
        "crm_url": crm_url,
        "base_url": base_url,
        "customer": CUSTOMER,
        "call_url": f"{base_url}/bots/{channel.bot_id}/call/order/thank-you",
        "docs_url": f"/docs/{channel.bot_id}",
        "scenario_url": reverse("admin:scenarios_scenario_changelist"),
        "channels_url": reverse("admin:bots_channel_add"),
    }
    response = render(request, "demo/demo.html", context)
    response["Content-Security-Policy"] = _policy(crm_url)
    response["Cache-Control"] = "no-store"
    return response


def demo_channel() -> Channel | None:
    """The web chat that `load_demo` made."""
    pk = _setting(CHANNEL_SETTING)
    found = Channel.objects.select_related("bot").filter(pk=pk, kind="widget", is_active=True) if pk.isdecimal() else Channel.objects.none()
    return found.first()


def signed_identity(channel: Channel) -> dict[str, str | int]:
    """What the embed tag carries for a signed-in user."""
    expires = int(time.time()) + proving.LIFETIME_SECONDS
    secret = str(channel.secrets.get("identity_secret") or "")
    return {**CUSTOMER, "exp": expires, "hash": proving.signature(secret, user_id=CUSTOMER["user_id"], expires=expires)}


def _setting(key: str) -> str:
    row = InstanceSetting.objects.filter(key=key, is_secret=False).first()
    return str(row.value) if row else ""


def _policy(crm_url: str) -> str:
    parts = urlsplit(crm_url)
    frames = f" {parts.scheme}://{parts.netloc}" if parts.netloc else ""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "connect-src 'self'",
            f"frame-src 'self'{frames}",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )
