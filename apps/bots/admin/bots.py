"""A bot: its texts, its channels with their health, and the address of its integration API."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import BooleanRadioFilter
from unfold.decorators import display

from apps.bots.admin.health import health_badge, kind_label
from apps.bots.forms import BotForm
from apps.bots.models import Bot, Channel
from apps.events.admin.pages import Fact, PageAdmin, Panel, facts_panel, table
from apps.events.showing import EMPTY, badge, badges, copyable, link, list_of, moment, page_of, with_query


@admin.register(Bot)
class BotAdmin(PageAdmin):
    form = BotForm
    intro = gettext_lazy("A bot is one assistant of your company. It talks through its channels and does what its scenarios say.")
    list_display = ("name", "state", "channels_shown", "default_language", "timezone", "number")
    list_filter = (("is_active", BooleanRadioFilter),)
    search_fields = ("name", "description")
    search_help_text = gettext_lazy("Name or description")
    fieldsets = (
        (None, {"fields": ("name", "description", "is_active", ("default_language", "timezone"))}),
        (gettext_lazy("What it says by itself"), {"fields": ("fallback_text", "error_text"), "classes": ["tab"]}),
        (gettext_lazy("Integration"), {"fields": ("source_system",), "classes": ["tab"]}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related(Prefetch("channels", queryset=Channel.objects.order_by("name")))

    @display(description=gettext_lazy("state"))
    def state(self, bot: Bot) -> SafeString:
        return badge(_("active"), "ok") if bot.is_active else badge(_("inactive"), "plain")

    @display(description=gettext_lazy("channels"))
    def channels_shown(self, bot: Bot) -> SafeString | str:
        shown = [health_badge(channel, text=channel.name) for channel in bot.channels.all()]
        return badges(shown) if shown else EMPTY

    @display(description=gettext_lazy("botId"), ordering="id")
    def number(self, bot: Bot) -> str:
        return str(bot.pk)

    def panels(self, request: HttpRequest, obj: Bot) -> list[Panel]:  # type: ignore[override]
        base = settings.PUBLIC_URL or request.build_absolute_uri("/").rstrip("/")
        addresses = [
            Fact(_("botId"), copyable(str(obj.pk))),
            Fact(_("calls of other systems"), copyable(f"{base}/bots/{obj.pk}/call/…")),
            Fact(_("documentation (Swagger)"), link(f"/docs/{obj.pk}", f"{base}/docs/{obj.pk}")),
            Fact(
                _("file"), link(reverse("admin:scenarios_scenario_bot_file", args=[obj.pk]), _("Export scenarios, endpoints and settings"))
            ),
        ]
        rows = [
            (
                link(page_of("bots.Channel", channel.pk), channel.name),
                kind_label(channel),
                health_badge(channel),
                moment(channel.health_at),
                channel.health_text,
            )
            for channel in obj.channels.all()
        ]
        return [
            table(
                _("Channels"), (_("name"), _("type"), _("health"), _("checked"), ""), rows, icon="cell_tower",
                empty=_("No channel yet. Without one the bot hears nobody."), more_url=list_of("bots.Channel", bot=obj.pk),
            ),
            facts_panel(_("Integration"), addresses, icon="webhook"),
        ]  # fmt: skip

    def notes(self, request: HttpRequest, obj: Bot) -> list[SafeString | str]:  # type: ignore[override]
        if obj.channels.all() or not self.has_change_permission(request, obj):
            return []
        return [link(with_query(reverse("admin:bots_channel_add"), bot=obj.pk), _("Connect the first channel of this bot."))]
