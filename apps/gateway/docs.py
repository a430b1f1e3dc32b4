"""Swagger UI of a bot and of the platform: for staff who may see integrations, and for whoever holds a token of the bot."""

from dataclasses import dataclass

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.views import SpectacularAPIView
from rest_framework.permissions import IsAuthenticated

from apps.accounts.access import can
from apps.bots.models import Bot
from apps.gateway import endpoints, openapi, tokens
from apps.gateway.answers import Answer, RefusedError
from apps.gateway.machine import MachineView
from apps.gateway.tokens import Caller

QUERY = "token"
_STAFF = Caller(
    token_id=0,
    family=0,
    name="",
    source_system="",
    bots=None,
    all_aliases=True,
    aliases=frozenset(),
    dry_run_only=True,
    calls_per_minute=None,
    expires_at=None,
)


@dataclass(frozen=True)
class Reader:
    """Who reads the description of a bot: a token (`caller`) or a member of staff."""

    bot: Bot
    caller: Caller | None = None


def reader(request: HttpRequest, bot_id: str) -> Reader | None:
    """The reader, when this request may see the bot; raises `RefusedError` for a bot that is not there."""
    clear = request.GET.get(QUERY, "") or request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    caller = tokens.recognise(clear, at=timezone.now()) if clear else None
    if caller:
        return Reader(endpoints.find_bot(bot_id, caller, code="not_found"), caller)
    if clear or not request.user.is_authenticated:
        return None
    bot = endpoints.find_bot(bot_id, _STAFF, code="not_found")
    if not can(request.user, "view", "integration", bot.pk):
        raise RefusedError("not_found")
    return Reader(bot)


class BotDocsView(MachineView):
    """The page with Swagger UI. Scripts and styles come from the installation itself and the page's policy allows no inline script."""

    methods = ("GET",)
    schema = None

    def get(self, request: HttpRequest, bot_id: str) -> HttpResponse:
        known = reader(request, bot_id)
        if known is None:
            return redirect_to_login(request.get_full_path(), reverse("admin:login"))
        token = request.GET.get(QUERY, "") if known.caller else ""
        return docs_page(request, title=known.bot.name, url=reverse("gateway:bot-openapi", args=[known.bot.pk]), token=token)


class BotOpenApiView(MachineView):
    """The description as JSON, for generators of clients."""

    methods = ("GET",)
    schema = None

    def get(self, request: HttpRequest, bot_id: str) -> HttpResponse:
        known = reader(request, bot_id)
        if known is None:
            raise RefusedError("invalid_token", headers={"WWW-Authenticate": "Bearer"})
        origin = f"{request.scheme}://{request.get_host()}"
        return Answer(200, openapi.document(known.bot, origin=origin, caller=known.caller)).response()


class PlatformSchemaView(SpectacularAPIView):
    """The OpenAPI description of everything that is not a bot's own endpoint, for signed-in staff."""

    permission_classes = [IsAuthenticated]


class PlatformDocsView(MachineView):
    """Swagger UI of the platform's own description."""

    methods = ("GET",)
    schema = None

    def get(self, request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path(), reverse("admin:login"))
        return docs_page(request, title="Dialog Bus", url=reverse("gateway:schema") + "?format=json")


def docs_page(request: HttpRequest, *, title: str, url: str, token: str = "") -> HttpResponse:
    response = render(request, "gateway/docs.html", {"title": title, "url": url, "token": token})
    response.headers["Cache-Control"] = "no-store"
    return response
