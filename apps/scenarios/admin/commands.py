"""The page of a bot's global commands."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import BooleanRadioFilter

from apps.events.admin.filtering import bot_filter
from apps.events.admin.pages import PageAdmin
from apps.scenarios.commands import doing
from apps.scenarios.commands.models import Command


@admin.register(Command)
class CommandAdmin(PageAdmin):
    intro = _("Words that work wherever the client stands, before the open question: stop, back, another language, the menu, an operator.")
    list_display = ("words", "kind", "bot", "scenario", "language", "speaks", "is_active")
    list_filter = (bot_filter("bot_id"), "kind", ("is_active", BooleanRadioFilter))
    list_select_related = ("bot", "scenario")
    search_fields = ("words", "text")
    fieldsets = ((None, {"fields": ("bot", "kind", "words", "text", "scenario", "language", "speaks", "is_active")}),)
    conditional_fields = {"scenario": "kind == 'start'", "language": "kind == 'language'"}

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001  Django's signature
        super().save_model(request, obj, form, change)
        doing.forget()
