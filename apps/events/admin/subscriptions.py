"""Event subscriptions: made, confirmed, tested, paused, given a new secret; what was told can be told again."""

from typing import Any

from django.apps import apps
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.forms import Form, ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from apps.accounts.access import can_object
from apps.accounts.models import User
from apps.core import audit
from apps.core.admin_base import BaseTabularInline
from apps.events.admin.acts import Act, ActError
from apps.events.admin.deliveries import delivery_line
from apps.events.admin.filtering import bot_filter
from apps.events.admin.pages import PageAdmin, Panel, table
from apps.events.models import Delivery, Subscription, SubscriptionFilter
from apps.events.showing import Tone, badge, badges, list_of, moment
from apps.events.webhooks import confirming, deliveries, kinds
from apps.events.webhooks.forms import FilterForm, ReplayForm, SubscriptionForm

State = Subscription.State
TONES: dict[str, Tone] = {State.NEW: "warn", State.ACTIVE: "ok", State.PAUSED: "plain", State.DISABLED: "bad"}
SHOWN = 10


class FilterInline(BaseTabularInline):
    model = SubscriptionFilter
    form = FilterForm
    fields = ("field", "operator", "value")
    verbose_name_plural = gettext_lazy("conditions: an event is told only when all of them hold")


@admin.register(Subscription)
class SubscriptionAdmin(PageAdmin):
    form = SubscriptionForm
    inlines = (FilterInline,)
    intro = gettext_lazy(
        "A subscription tells another system of events as they happen: signed, in order for each conversation, again for three days when it fails."
    )
    list_display = ("name", "to", "told", "bot", "state_shown", "last", "waiting")
    list_filter = (("state", ChoicesDropdownFilter), bot_filter("bot_id"))
    search_fields = ("name", "url")
    search_help_text = gettext_lazy("Name or address")
    fieldsets = (
        (None, {"fields": ("name", "bot_id", "url", "format")}),
        (gettext_lazy("What is told"), {"fields": ("kinds", "other_kinds")}),
    )
    acts = (
        Act("confirm", gettext_lazy("Send the challenge"), icon="verified", tone="primary", when=lambda row: row.state in (State.NEW, State.DISABLED)),
        Act("test", gettext_lazy("Send a test event"), icon="science", tone="primary", when=lambda row: row.state == State.ACTIVE),
        Act("pause", gettext_lazy("Pause"), icon="pause", when=lambda row: row.state == State.ACTIVE,
            confirm=gettext_lazy("Nothing is sent until you resume. What waits now is kept; what happens meanwhile can be replayed by its time.")),
        Act("resume", gettext_lazy("Resume"), icon="play_arrow", tone="primary", when=lambda row: row.state == State.PAUSED),
        Act("rotate", gettext_lazy("New secret"), icon="autorenew",
            confirm=gettext_lazy("A new secret is made and shown once. For 24 hours every request is signed with both.")),
    )  # fmt: skip

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.replay_view))
        return [path("<int:pk>/replay/", view, name="events_subscription_replay"), *super().get_urls()]

    def get_form(self, request: HttpRequest, obj: Any = None, *args: Any, **kwargs: Any) -> "type[ModelForm[Any]]":
        form = super().get_form(request, obj, *args, **kwargs)
        return type("ViewersForm", (form,), {"viewer": request.user})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With what the list shows of other tables, in the same query."""
        bots = apps.get_model("bots.Bot")._default_manager.filter(pk=OuterRef("bot_id")).values("name")
        pending = Delivery.objects.filter(subscription=OuterRef("pk"), state=Delivery.State.PENDING)
        found = super().get_queryset(request).defer("secret", "old_secret")
        rows: QuerySet[Any] = found.annotate(
            bot_name=Subquery(bots), oldest_waiting=Subquery(pending.order_by("id").values("created_at")[:1])
        )
        return rows

    # --- saving -----------------------------------------------------------------------------------------------------

    def save_model(self, request: HttpRequest, obj: Subscription, form: Form, change: bool) -> None:  # noqa: FBT001  Django's signature
        if not change:
            obj.created_by = request.user if isinstance(request.user, User) else None
        elif "url" in form.changed_data:
            obj.state, obj.state_text = State.NEW, _("The address was changed and has to be confirmed.")
        super().save_model(request, obj, form, change)
        deliveries.forget()

    def response_add(self, request: HttpRequest, obj: Subscription, post_url_continue: str | None = None) -> HttpResponse:  # noqa: ARG002
        """The secret is shown once; the challenge goes out at once, for receivers that answer without checking the signature."""
        confirming.confirm(obj)
        return self._secret_page(request, obj, obj.secret)

    def response_change(self, request: HttpRequest, obj: Subscription) -> HttpResponse:
        if obj.state == State.NEW:
            why = confirming.confirm(obj)
            if why:
                messages.warning(request, _("Not confirmed yet: %(why)s") % {"why": why})
            else:
                messages.success(request, _("The address has answered the challenge."))
        return super().response_change(request, obj)

    # --- acts ---------------------------------------------------------------------------------------------------------

    def act_confirm(self, _request: HttpRequest, obj: Subscription) -> str:
        why = confirming.confirm(obj)
        if why:
            raise ActError(why)
        return _("The address has answered the challenge. Events are told from now on.")

    def act_test(self, _request: HttpRequest, obj: Subscription) -> str:
        deliveries.send_test(obj)
        return _("A test event is on its way. Reload this page in a moment to see the answer.")

    def act_pause(self, _request: HttpRequest, obj: Subscription) -> str:
        deliveries.set_state(obj, State.PAUSED, why=_("paused by a person"))
        return _("Paused. Nothing is sent until you resume.")

    def act_resume(self, _request: HttpRequest, obj: Subscription) -> str:
        deliveries.set_state(obj, State.ACTIVE)
        return _("Events are told from now on.")

    def act_rotate(self, request: HttpRequest, obj: Subscription) -> HttpResponse:
        return self._secret_page(request, obj, confirming.rotate(obj))

    def _secret_page(self, request: HttpRequest, obj: Subscription, secret: str) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request), "title": _("The secret of the subscription"), "opts": self.opts, "row": obj, "secret": secret,
            "confirmed": obj.state == State.ACTIVE,
        }  # fmt: skip
        response = TemplateResponse(request, "admin/webhooks/secret.html", context)
        response["Cache-Control"] = "no-store"
        return response

    def replay_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        obj = self.get_queryset(request).filter(pk=pk).first()
        if obj is None:
            raise Http404
        if not can_object(request.user, "edit", obj):
            raise PermissionDenied
        form = ReplayForm(request.POST)
        if obj.state != State.ACTIVE:
            messages.error(request, _("Only an active subscription can replay. Confirm or resume it first."))
        elif not form.is_valid():
            messages.error(request, " ".join(str(text) for found in form.errors.values() for text in found))
        else:
            count = deliveries.replay_range(obj, **form.cleaned_data)
            audit.record(request.user, "events.subscription.replay", obj, span=str(form.cleaned_data), count=count)
            messages.success(
                request, ngettext("%(count)s event is sent again.", "%(count)s events are sent again.", count) % {"count": count}
            )
        return HttpResponseRedirect(obj.get_absolute_url())

    # --- the page -------------------------------------------------------------------------------------------------------

    def notes(self, request: HttpRequest, obj: Subscription) -> list[SafeString | str]:  # type: ignore[override]  # noqa: ARG002
        if obj.state == State.NEW:
            why = obj.state_text or _("The address has not answered the challenge.")
            return [_("Nothing is sent yet. %(why)s Give the receiver the secret, then send the challenge.") % {"why": why}]
        if obj.state == State.DISABLED:
            return [_("Disabled. %(why)s Mend the receiver, then send the challenge; what waits is sent then.") % {"why": obj.state_text}]
        return (
            [_("Fails since %(when)s; tried again with growing pauses.") % {"when": moment(obj.failing_since)}] if obj.failing_since else []
        )

    def panels(self, request: HttpRequest, obj: Subscription) -> list[Panel]:  # type: ignore[override]
        rows = Delivery.objects.filter(subscription=obj).defer("body").order_by("-id")[:SHOWN]
        shown = table(
            _("Latest deliveries"),
            [_("time"), _("event"), _("state"), _("answer"), _("attempts"), _("reason")],
            [delivery_line(row) for row in rows],
            icon="outbox",
            more_url=list_of("events.Delivery", subscription=obj.pk),
            empty=_("Nothing was sent yet."),
        )
        if obj.state != State.ACTIVE or not can_object(request.user, "edit", obj):
            return [shown]
        url = reverse("admin:events_subscription_replay", args=[obj.pk])
        replay = Panel(
            title=_("Replay"), template="admin/webhooks/replay_panel.html", icon="replay", context={"form": ReplayForm.of_today(), "url": url},
            note=_("Sends what happened in a span of time once more, each event with its former id."),
        )  # fmt: skip
        return [shown, replay]

    # --- columns --------------------------------------------------------------------------------------------------------

    @display(description=gettext_lazy("address"))
    def to(self, row: Subscription) -> str:
        return row.url.split("?")[0]

    @display(description=gettext_lazy("events"))
    def told(self, row: Subscription) -> SafeString:
        shown = [badge(kinds.title_of(pattern), title=pattern) for pattern in row.kinds[:4]]
        return badges([*shown, *([badge(f"+{len(row.kinds) - 4}")] if len(row.kinds) > 4 else [])])  # noqa: PLR2004

    @display(description=gettext_lazy("bot"))
    def bot(self, row: Subscription) -> SafeString | str:
        if row.bot_id is None:
            return badge(_("all"), "warn")
        return getattr(row, "bot_name", None) or f"#{row.bot_id}"

    @display(description=gettext_lazy("state"))
    def state_shown(self, row: Subscription) -> SafeString:
        if row.state == State.ACTIVE and row.failing_since:
            return badge(_("fails"), "bad", title=str(row.failing_since))
        return badge(row.get_state_display(), TONES[row.state], title=row.state_text)

    @display(description=gettext_lazy("last delivery"))
    def last(self, row: Subscription) -> SafeString:
        return moment(row.last_success_at)

    @display(description=gettext_lazy("waiting since"))
    def waiting(self, row: Subscription) -> SafeString:
        return moment(getattr(row, "oldest_waiting", None))
