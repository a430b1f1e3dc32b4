"""The side bar by task, not by app: what a person may open, in the order in which they work."""

from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.accounts.access import can_model, scoped
from apps.bots.models import Channel
from apps.conversations.models import Update
from apps.customdata.access import visible_tables
from apps.customdata.links import list_url
from apps.events.showing import with_query

MANY = 99


@dataclass(frozen=True)
class Page:
    """A list of a model: its label, name and icon. `query` opens it filtered; `badge` names a counter."""

    label: str
    title: str | Promise
    icon: str
    query: tuple[tuple[str, str], ...] = ()
    badge: str = ""


DATA = _("Data")
TASKS: tuple[tuple[str | Promise, tuple[Page, ...]], ...] = (
    (
        _("Bots"),
        (
            Page("bots.Bot", _("Bots"), "smart_toy"),
            Page("bots.Channel", _("Channels"), "cell_tower", badge="channels"),
        ),
    ),
    (
        _("Scenarios"),
        (
            Page("scenarios.Scenario", _("Scenarios"), "account_tree"),
            Page("scenarios.Command", _("Global commands"), "keyboard_command_key"),
            Page("scenarios.ScenarioVersion", _("Published versions"), "history"),
            Page("scenarios.CustomAction", _("Action Jail"), "code_blocks"),
            Page("scenarios.SavedTest", _("Scenario tests"), "checklist"),
        ),
    ),
    (
        _("People"),
        (
            Page("identity.Person", _("People"), "groups"),
            Page("identity.Lead", _("Mapping table"), "table_rows"),
            Page("identity.PersonMerge", _("Merges"), "merge"),
            Page("identity.ConnectLink", _("Connect links"), "add_link"),
            Page("identity.ClientField", _("Client fields"), "badge"),
        ),
    ),
    (DATA, (Page("customdata.Table", _("Models"), "schema"), Page("imports.ImportJob", _("Imports"), "upload_file"))),
    (
        _("Integration"),
        (
            Page("gateway.Endpoint", _("Endpoints"), "webhook"),
            Page("gateway.ApiToken", _("Access tokens"), "key"),
            Page("events.Subscription", _("Event subscriptions"), "outbox"),
            Page("events.Delivery", _("Deliveries"), "forward_to_inbox"),
        ),
    ),
    (
        _("Operations"),
        (
            Page("conversations.Update", _("Needs attention"), "report", query=(("state__exact", "parked"),), badge="parked"),
            Page("conversations.Conversation", _("Conversations"), "forum"),
            Page("scenarios.Session", _("Sessions"), "play_circle"),
            Page("conversations.Message", _("Messages"), "chat"),
            Page("conversations.Call", _("Outside calls"), "call_made"),
            Page("core.HeldHost", _("Failing hosts"), "cloud_off"),
            Page("events.Event", _("Event log"), "list_alt"),
        ),
    ),
    (
        _("Settings"),
        (
            Page("core.InstanceSetting", _("Instance settings"), "tune"),
            Page("core.Constant", _("Constants"), "data_object"),
            Page("core.Calendar", _("Calendars"), "calendar_month"),
            Page("core.StoredFile", _("Files"), "draft"),
            Page("core.AllowedAddress", _("Allowed inner addresses"), "vpn_lock"),
            Page("accounts.User", _("Staff"), "badge"),
            Page("accounts.Role", _("Roles"), "admin_panel_settings"),
            Page("axes.AccessAttempt", _("Wrong sign-ins"), "lock_clock"),
            Page("core.AuditEntry", _("Audit trail"), "policy"),
        ),
    ),
)


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Groups of links for Unfold's side bar; groups without a link are left out."""
    badges = _badges(request)
    groups = [
        {
            "title": title,
            "items": [
                *(_records(request) if title is DATA else ()),
                *(_item(page, badges) for page in pages if _may_open(request, page)),
            ],
        }
        for title, pages in TASKS
    ]
    start = {"title": _("Start page"), "icon": "home", "link": reverse("admin:index"), "active": request.path == reverse("admin:index")}
    return [{"items": [start]}, *(group for group in groups if group["items"])]


def _records(request: HttpRequest) -> list[dict[str, Any]]:
    """The models whose records the user may see."""
    return [{"title": table.name, "icon": table.icon or "table_rows", "link": list_url(table)} for table in visible_tables(request.user)]


def _may_open(request: HttpRequest, page: Page) -> bool:
    model = apps.get_model(page.label)
    return admin.site.is_registered(model) and can_model(request.user, "view", model)


def _item(page: Page, badges: dict[str, int]) -> dict[str, Any]:
    address = reverse(f"admin:{page.label.lower().replace('.', '_')}_changelist")
    item: dict[str, Any] = {"title": page.title, "icon": page.icon, "link": with_query(address, **dict(page.query))}
    count = badges.get(page.badge, 0)
    if count:
        item["badge"] = f"{MANY}+" if count > MANY else str(count)
    return item


def _badges(request: HttpRequest) -> dict[str, int]:
    """What calls for a person: parked items and failing channels, each counted up to a hundred through a small index or table."""
    parked = scoped(Update.objects.filter(state=Update.State.PARKED), request.user)
    failing = scoped(Channel.objects.filter(health=Channel.Health.FAILING, is_active=True), request.user)
    return {
        "parked": parked.order_by()[: MANY + 1].count() if can_model(request.user, "view", Update) else 0,
        "channels": failing.order_by()[: MANY + 1].count() if can_model(request.user, "view", Channel) else 0,
    }
