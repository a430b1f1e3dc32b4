"""Channels: choose a messenger, fill in what it needs, and see at once as whom we are connected."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.template.loader import select_template
from django.template.response import TemplateResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter
from unfold.decorators import action, display

from apps.bots import connecting
from apps.bots.adapter import Account, Adapter, SendError
from apps.bots.admin.health import health_badge, icon_of, kind_label
from apps.bots.forms import CONFIG, SECRET, channel_form
from apps.bots.models import Channel
from apps.bots.registry import adapters
from apps.core import audit
from apps.events.admin.acts import Act, ActError
from apps.events.admin.filtering import bot_filter
from apps.events.admin.pages import PageAdmin, Panel
from apps.events.showing import EMPTY, badge, link, moment


@admin.register(Channel)
class ChannelAdmin(PageAdmin):
    intro = gettext_lazy("A channel is a messenger account of a bot. Each is checked every half minute; a failing one is red and says why.")
    list_display = ("title", "bot", "kind_shown", "health_shown", "connected_as", "checked")
    list_filter = (
        bot_filter("bot_id"),
        ("kind", ChoicesDropdownFilter),
        ("health", ChoicesDropdownFilter),
        ("is_active", BooleanRadioFilter),
    )
    list_select_related = ("bot",)
    search_fields = ("name", "bot__name")
    search_help_text = gettext_lazy("Name of the channel or the bot")
    actions = ("check_now",)
    acts = (
        Act("check", gettext_lazy("Check now"), icon="network_check", when=lambda channel: channel.is_active),
        Act("pause", gettext_lazy("Pause"), icon="pause", when=lambda channel: channel.is_active,
            confirm=gettext_lazy("The channel will neither receive nor send until it is resumed. What it should send waits.")),
        Act("resume", gettext_lazy("Resume"), icon="play_arrow", tone="primary", when=lambda channel: not channel.is_active),
    )  # fmt: skip

    # --- the form -----------------------------------------------------------------------------------------------------

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """First the messenger is chosen, then its form is shown."""
        if not self.has_add_permission(request) or _kind(request, None):
            return super().add_view(request, form_url, extra_context)
        context = {
            **self.admin_site.each_context(request), "title": _("Choose a messenger"), "opts": self.opts,
            "choices": [
                {"adapter": adapter, "url": _choose(request, adapter.kind), "needs": _secrets(adapter, needed=True), "takes": _secrets(adapter, needed=False)}
                for adapter in adapters.values()
            ],
        }  # fmt: skip
        return TemplateResponse(request, "admin/channels/choose.html", context)

    def get_form(self, request: HttpRequest, obj: Channel | None = None, *args: Any, **kwargs: Any) -> Any:
        kind = _kind(request, obj)
        if kind and self._may_fill_in(request, obj):
            kwargs["form"] = channel_form(adapters[kind])
        return super().get_form(request, obj, *args, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Channel | None = None) -> Any:
        kind = _kind(request, obj)
        if not kind or not self._may_fill_in(request, obj):
            return ((None, {"fields": ("bot", "name", "kind", "is_active", "settings_shown")}),)
        adapter = adapters[kind]
        config = tuple(f"{CONFIG}{name}" for name in adapter.Config.model_fields)
        secrets = tuple(f"{SECRET}{name}" for name in adapter.Secrets.model_fields)
        hint = _("Stored encrypted, never shown again. Checked with the messenger when you save.")
        return (
            (None, {"fields": ("bot", "name", "is_active")}),
            *([(_("Credentials"), {"fields": secrets, "description": hint})] if secrets else []),
            *([(_("Settings"), {"fields": config})] if config else []),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Channel | None = None) -> tuple[str, ...]:
        return () if _kind(request, obj) and self._may_fill_in(request, obj) else ("settings_shown",)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        initial: dict[str, Any] = {**super().get_changeform_initial_data(request), "is_active": True}
        return {**initial, "name": str(adapters[kind].label) if (kind := _kind(request, None)) else ""}

    def save_model(self, request: HttpRequest, obj: Channel, form: Form, change: bool) -> None:  # noqa: FBT001  Django's signature
        secrets = [name for name in form.changed_data if name.startswith(SECRET)]
        if secrets:
            labels = ", ".join(str(form.fields[name].label) for name in secrets)
            obj._change_reason = f"{_('changed')}: {labels}"[:100]  # type: ignore[attr-defined]  # noqa: SLF001 - read by simple-history
        super().save_model(request, obj, form, change)
        if obj.is_active:
            messages.success(request, _connected(obj))
        else:
            messages.warning(request, _("Saved, not checked: the channel is inactive and neither receives nor sends."))

    def _may_fill_in(self, request: HttpRequest, obj: Channel | None) -> bool:
        return bool(self.has_change_permission(request, obj) if obj else self.has_add_permission(request))

    # --- the list -----------------------------------------------------------------------------------------------------

    @display(description=gettext_lazy("name"), ordering="name")
    def title(self, channel: Channel) -> str:
        return channel.name

    @display(description=gettext_lazy("type"), ordering="kind")
    def kind_shown(self, channel: Channel) -> SafeString:
        return badge(kind_label(channel), icon=icon_of(channel))

    @display(description=gettext_lazy("health"), ordering="health")
    def health_shown(self, channel: Channel) -> SafeString:
        return health_badge(channel)

    @display(description=gettext_lazy("connected as"))
    def connected_as(self, channel: Channel) -> SafeString | str:
        account = channel.connected_account
        return link(account.link, _account_name(account)) if channel.account else EMPTY

    @display(description=gettext_lazy("checked"), ordering="health_at")
    def checked(self, channel: Channel) -> SafeString:
        return moment(channel.health_at)

    @display(description=gettext_lazy("settings"))
    def settings_shown(self, channel: Channel) -> SafeString | str:
        """For those who may only look: the settings without the secrets."""
        rows = ((name, value) for name, value in channel.config.items())
        return format_html_join("", "<div>{}: {}</div>", rows) or EMPTY

    @action(description=gettext_lazy("Check now"), permissions=["change"])
    def check_now(self, request: HttpRequest, queryset: QuerySet[Channel]) -> None:
        channels = [
            channel
            for channel in queryset
            if channel.is_active and channel.kind in adapters and self.has_change_permission(request, channel)
        ]
        failing = sum(not health.ok for health in connecting.check_all(channels))
        audit.record(request.user, "bots.channel.check", channels=[channel.pk for channel in channels])
        said = ngettext("%(count)s channel checked", "%(count)s channels checked", len(channels)) % {"count": len(channels)}
        if failing:
            messages.error(request, f"{said}: " + ngettext("%(count)s fails.", "%(count)s fail.", failing) % {"count": failing})
        else:
            messages.success(request, f"{said}: " + _("all are well."))

    # --- acts ---------------------------------------------------------------------------------------------------------

    def act_check(self, _request: HttpRequest, obj: Channel) -> str:
        health = connecting.check(obj)
        if not health.ok:
            raise ActError(health.text)
        return _connected(obj)

    def act_pause(self, _request: HttpRequest, obj: Channel) -> str:
        obj.is_active, obj.health, obj.health_text = False, Channel.Health.PAUSED, ""
        obj.save(update_fields=["is_active", "health", "health_text"])
        return _("Paused. What the channel should send waits until it is resumed.")

    def act_resume(self, _request: HttpRequest, obj: Channel) -> str:
        try:
            connecting.connect(obj)
        except SendError as error:
            raise ActError(_("Not resumed: %(reason)s") % {"reason": error.reason}) from error
        obj.is_active, obj.paused_until = True, None
        obj.save(update_fields=["is_active", "paused_until"])
        return _connected(obj)

    # --- around the form ----------------------------------------------------------------------------------------------

    def notes(self, request: HttpRequest, obj: Channel) -> list[SafeString | str]:  # type: ignore[override]  # noqa: ARG002
        if obj.is_active and obj.health == Channel.Health.FAILING:
            return [format_html("<strong>{}</strong> {}", _("This channel fails."), obj.health_text)]
        return []

    def panels(self, request: HttpRequest, obj: Channel) -> list[Panel]:  # type: ignore[override]
        """How the messenger reaches us. A messenger that needs more than its webhook's address has a template of its own name."""
        template = select_template([f"admin/channels/{obj.kind}.html", "admin/channels/webhook.html"]).template.name
        base = settings.PUBLIC_URL or request.build_absolute_uri("/").rstrip("/")
        polls = obj.kind in adapters and adapters[obj.kind].polls
        context = {"channel": obj, "base": base, "key": f"wk_{obj.public_id.hex}", "account": obj.connected_account, "polls": polls}
        return [Panel(title=_("Connection"), template=str(template), context=context, icon="link")]


def _kind(request: HttpRequest, obj: Channel | None) -> str:
    """The messenger of the stored channel, or the one chosen for a new one; "" when it is not known."""
    kind = obj.kind if obj else request.GET.get("kind", "")
    return kind if kind in adapters else ""


def _secrets(adapter: Adapter, *, needed: bool) -> list[str]:
    return [_(str(info.title)) for info in adapter.Secrets.model_fields.values() if info.is_required() == needed]


def _choose(request: HttpRequest, kind: str) -> str:
    query = request.GET.copy()
    query["kind"] = kind
    return f"?{query.urlencode()}"


def _connected(channel: Channel) -> str:
    return _("Connected as %(name)s.") % {"name": _account_name(channel.connected_account) or channel.name}


def _account_name(account: Account) -> str:
    return f"@{account.username}" if account.username else account.name
