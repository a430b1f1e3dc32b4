"""Signing in: what an attacker meets, and the trail that it leaves."""

import math
from typing import Any

from axes.helpers import get_cool_off
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_cache_control

from apps.accounts.models import User
from apps.core import audit
from apps.core.ratelimit import allow, client_ip

TRIES_PER_ADDRESS = 60
ADDRESS_SECONDS = 600


def check_address(request: HttpRequest | None) -> None:
    """One address may try 60 times in ten minutes, whatever names it tries; the lock of one name (axes) is much tighter.

    Raises PermissionDenied, which ends authentication without asking a password check that costs time.
    """
    if request is None:
        return
    limit = int(getattr(settings, "SIGN_IN_TRIES_PER_ADDRESS", TRIES_PER_ADDRESS))
    if not allow(f"sign-in:{client_ip(request)}", limit=limit, per_seconds=ADDRESS_SECONDS).allowed:
        raise PermissionDenied


def locked_out(request: HttpRequest, _response: HttpResponse | None = None, _credentials: dict[str, Any] | None = None) -> HttpResponse:
    """The answer (429) while a name is locked for an address; `settings.AXES_LOCKOUT_CALLABLE`."""
    cool_off = get_cool_off(request)
    seconds = int(cool_off.total_seconds()) if cool_off else 0
    context = {**admin.site.each_context(request), "minutes": max(1, math.ceil(seconds / 60)), "sign_in_url": reverse("admin:login")}
    response = render(request, "accounts/locked_out.html", context, status=429)
    response.headers["Retry-After"] = str(seconds)
    patch_cache_control(response, no_store=True)
    return response


def watch() -> None:
    """Django calls sign-in itself, so its signals are the one place to note it; wrong attempts are kept by axes."""
    user_logged_in.connect(_signed_in, dispatch_uid="accounts.signed_in")
    user_logged_out.connect(_signed_out, dispatch_uid="accounts.signed_out")


def _signed_in(user: User, **_kwargs: object) -> None:
    audit.record(user, "accounts.signed_in", user)


def _signed_out(user: User | None, **_kwargs: object) -> None:
    if user is not None:
        audit.record(user, "accounts.signed_out", user)
