"""Hosts of other systems that have failed again and again: how they stand now, and calling them again at once."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from redis.exceptions import RedisError
from unfold.decorators import display

from apps.core import breaker
from apps.core.models import HeldHost
from apps.events.admin.acts import Act, ActError
from apps.events.admin.filtering import since
from apps.events.admin.pages import Fact, RecordAdmin
from apps.events.showing import EMPTY, badge, moment


@admin.register(HeldHost)
class HeldHostAdmin(RecordAdmin):
    intro = gettext_lazy(
        "A system that fails five times within a minute is left alone for half a minute; then one call tries it. Calls to it take their exit meanwhile."
    )
    list_display = ("host", "stands", "times", "opened", "reason")
    list_filter = (since("opened_at"),)
    search_fields = ("host", "reason")
    search_help_text = gettext_lazy("Host or reason")
    acts = (
        Act("reset", gettext_lazy("Call again now"), icon="restart_alt", tone="primary",
            confirm=gettext_lazy("Calls go out to this host at once, as if it had never failed.")),
    )  # fmt: skip

    def act_reset(self, _request: HttpRequest, obj: HeldHost) -> str:
        try:
            breaker.reset(obj.host)
        except RedisError as error:
            raise ActError(_("Redis does not answer. While it is away every call is made anyway.")) from error
        return _("Calls to %(host)s go out again.") % {"host": obj.host}

    @display(description=gettext_lazy("now"))
    def stands(self, row: HeldHost) -> SafeString:
        return standing_badge(row.host)

    @display(description=gettext_lazy("last time"), ordering="opened_at")
    def opened(self, row: HeldHost) -> SafeString:
        return moment(row.opened_at)

    def facts(self, request: HttpRequest, obj: HeldHost) -> list[Fact]:  # noqa: ARG002
        standing = breaker.standing(obj.host)
        return [
            Fact(_("now"), standing_badge(obj.host)), Fact(_("times held back"), str(obj.times)), Fact(_("first time"), moment(obj.first_at)),
            Fact(_("last time"), moment(obj.opened_at)), Fact(_("failures within the last minute"), str(standing.failures or EMPTY)),
            Fact(_("last failure"), obj.reason or EMPTY, wide=True),
        ]  # fmt: skip


def standing_badge(host: str) -> SafeString:
    now = breaker.standing(host)
    if not now.known:
        return badge(_("not known: Redis is away"), "warn")
    if now.open_seconds:
        return badge(_("held back for %(seconds)s s") % {"seconds": now.open_seconds}, "bad")
    return badge(_("on trial"), "warn") if now.doubted else badge(_("called"), "ok")
