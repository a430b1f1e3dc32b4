"""Which web pages may show a chat and call its API: hosts are compared whole, never by a part of their text (security.md 14)."""

from collections.abc import Iterable

from django.conf import settings
from django.http import HttpRequest

from apps.bots.origins import Origin, rules


def own_origins(request: HttpRequest) -> set[str]:
    """The origins under which this very installation is reached: the address asked (Django has checked the host) and the public one."""
    public = Origin.parse(settings.PUBLIC_URL) if settings.PUBLIC_URL else None
    return {f"{request.scheme}://{request.get_host()}".lower()} | ({str(public)} if public else set())


def allowed_origin(request: HttpRequest, allowed_hosts: Iterable[object]) -> str | None:
    """The `Origin` of this call when it is our own or an allowed host's; "" when the browser rightly sent none; None when refused.

    A browser leaves `Origin` out only of GET requests within one origin, so that anything else without it is refused.
    """
    text = request.headers.get("Origin", "")
    if not text:
        same = request.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin"
        return "" if request.method in {"GET", "HEAD"} and same else None
    if text.lower() in own_origins(request):
        return text
    origin = Origin.parse(text)
    return text if origin and any(rule.allows(origin) for rule in rules(allowed_hosts)) else None
