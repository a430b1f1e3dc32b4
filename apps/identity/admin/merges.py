"""Two people turn out to be one: the merge from the page of the one who stays, and the way back."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import AdminSite
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from apps.accounts.access import scoped
from apps.core import audit
from apps.events.admin.acts import Act, ActError, page_address
from apps.events.admin.filtering import bot_filter, number
from apps.events.admin.pages import Fact, LogAdmin
from apps.events.showing import badge, link, moment, page_of
from apps.identity.forms import MergeForm
from apps.identity.merging import MergeConflictError, merge, unmerge
from apps.identity.models import Person, PersonMerge


def merge_page(request: HttpRequest, pk: int, *, admin_site: AdminSite) -> HttpResponse:
    """First the number of the other person is typed, then both are shown, then they are merged."""
    people = scoped(Person.objects.select_related("bot").prefetch_related("leads", "external_ids"), request.user, "edit")
    kept = people.filter(pk=pk).first()
    if kept is None:
        raise Http404
    form = MergeForm(request.POST or None, people=people, kept=kept)
    other = form.cleaned_data["other"] if request.method == "POST" and form.is_valid() else None
    if other is not None and "sure" in request.POST:
        return _merged(request, kept, other)
    context = {
        **admin_site.each_context(request),
        "title": _("Merge another person into %(name)s") % {"name": kept},
        "opts": Person._meta,
        "original": kept,
        "form": form,
        "kept": kept,
        "other": other,
    }
    return TemplateResponse(request, "admin/identity/merge.html", context)


def _merged(request: HttpRequest, kept: Person, other: Person) -> HttpResponse:
    name, number_ = str(other), other.pk
    try:
        merge(kept=kept, absorbed=other, reason=f"by {request.user.get_username()}")
    except MergeConflictError:
        messages.error(request, _("Not merged: both people have an id in the same system, so that they are two users there."))
    else:
        audit.record(request.user, "identity.person.merge", kept, absorbed=number_)
        messages.success(request, _("%(name)s (number %(number)s) is part of this person now.") % {"name": name, "number": number_})
    return HttpResponseRedirect(page_address(kept))


@admin.register(PersonMerge)
class PersonMergeAdmin(LogAdmin):
    intro = gettext_lazy("Who was found to be the same person, and why. A merge can be undone: everything goes back to where it was.")
    list_display = ("who", "bot", "reason", "state", "at")
    list_filter = (bot_filter("bot_id"), number("kept_id", gettext_lazy("person (number)"), parameter="person"))
    list_select_related = ("kept", "bot")
    acts = (
        Act(
            "undo",
            gettext_lazy("Undo the merge"),
            icon="call_split",
            tone="primary",
            when=lambda row: row.undone_at is None,
            confirm=gettext_lazy("The other person exists again with chats, ids and values; what came in since then stays here."),
        ),
    )

    def act_undo(self, request: HttpRequest, obj: PersonMerge) -> HttpResponse:
        try:
            person = unmerge(obj)
        except MergeConflictError as error:
            raise ActError(_("This merge has been undone already.")) from error
        self.message_user(request, _("Undone. This person exists again."))
        return HttpResponseRedirect(page_address(person))

    def get_queryset(self, request: HttpRequest) -> Any:
        """What was moved holds personal data and is read only to undo it."""
        return super().get_queryset(request).defer("undo")

    @display(description=gettext_lazy("person"))
    def who(self, row: PersonMerge) -> str:
        return f"{row.kept} ← #{row.absorbed_id}"

    @display(description=gettext_lazy("state"))
    def state(self, row: PersonMerge) -> SafeString:
        return badge(_("undone")) if row.undone_at else badge(_("merged"), "info")

    @display(description=gettext_lazy("time"))
    def at(self, row: PersonMerge) -> SafeString:
        return moment(row.created_at)

    def facts(self, request: HttpRequest, obj: PersonMerge) -> list[Fact]:  # noqa: ARG002
        return [
            Fact(_("person who stayed"), link(page_of("identity.Person", obj.kept_id), str(obj.kept))),
            Fact(_("person who was absorbed"), f"#{obj.absorbed_id}"),
            Fact(_("state"), self.state(obj)),
            Fact(_("reason"), obj.reason),
            Fact(_("merged"), moment(obj.created_at)),
            Fact(_("undone"), moment(obj.undone_at)),
        ]
