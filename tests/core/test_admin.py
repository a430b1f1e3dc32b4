import datetime as dt
from typing import Any

import pytest
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import Role, RoleAssignment, User
from apps.bots.models import Bot
from apps.core import audit
from apps.core.admin_base import BaseAdmin, BaseTabularInline, CappedPaginator
from apps.core.models import AllowedAddress, AuditEntry, Calendar, Constant, Heartbeat, InstanceSetting
from apps.identity.models import ExternalId, Person

pytestmark = pytest.mark.django_db
PAGES = ["instancesetting", "constant", "calendar", "allowedaddress"]


def user_with(role: str, *, bots: list[Bot] | None = None, name: str = "anna") -> User:
    user = User.objects.create_user(name, is_staff=True)
    RoleAssignment.objects.create(
        user=user,
        role=Role.objects.get(key=role),
        all_bots=bots is None,
        bot_ids=[bot.pk for bot in bots or []],
    )
    return user


@pytest.fixture
def integrator(client: Client) -> User:
    user = user_with("integrator")
    client.force_login(user)
    return user


def url(model: str, page: str = "changelist", *args: Any) -> str:
    return reverse(f"admin:core_{model}_{page}", args=args)


@pytest.mark.parametrize("model", PAGES)
@pytest.mark.parametrize("page", ["changelist", "add"])
@pytest.mark.usefixtures("integrator")
def test_the_pages_are_shown(client: Client, model: str, page: str) -> None:
    assert client.get(url(model, page)).status_code == 200


# What each role may do with the settings: list, add, change, delete.
RIGHTS = {
    "operator": (403, 403, 403, 403),
    "supervisor": (403, 403, 403, 403),
    "admin": (200, 302, 302, 302),
    "integrator": (200, 302, 302, 302),
    "communications_manager": (200, 403, 403, 403),
    "analyst": (403, 403, 403, 403),
}


@pytest.mark.parametrize("role", RIGHTS)
def test_each_role_with_the_constants(client: Client, role: str) -> None:
    client.force_login(user_with(role))
    row = Constant.objects.create(key="city", value="Kyiv")
    form = {"key": "town", "value": "x", "description": ""}
    codes = (
        client.get(url("constant")).status_code,
        client.post(url("constant", "add"), form).status_code,
        client.post(url("constant", "change", row.pk), form | {"key": "city"}).status_code,
        client.post(url("constant", "delete", row.pk), {"post": "yes"}).status_code,
    )
    assert codes == RIGHTS[role]


def test_who_keeps_one_bot_only_looks_at_settings(client: Client) -> None:
    client.force_login(user_with("integrator", bots=[Bot.objects.create(name="Shop")]))
    row = Constant.objects.create(key="city", value="Kyiv")
    assert client.get(url("constant", "change", row.pk)).status_code == 200
    assert client.post(url("constant", "change", row.pk), {"key": "city", "value": "x"}).status_code == 403
    assert client.post(url("constant", "add"), {"key": "town", "value": "x"}).status_code == 403


def test_a_secret_is_written_and_never_shown_again(client: Client, integrator: User) -> None:
    form = {"key": "crm_token", "is_secret": "on", "value": "s3cret-value", "description": ""}
    assert client.post(url("instancesetting", "add"), form).status_code == 302
    row = InstanceSetting.objects.get()
    assert row.value == "s3cret-value"
    for page in (url("instancesetting"), url("instancesetting", "change", row.pk), url("instancesetting", "history", row.pk)):
        assert "s3cret" not in client.get(page).content.decode()
    assert "A value is stored. Leave empty to keep it." in client.get(url("instancesetting", "change", row.pk)).content.decode()
    assert row.history.get().history_user == integrator


@pytest.mark.usefixtures("integrator")
def test_an_empty_secret_keeps_what_is_stored_and_a_new_one_replaces_it(client: Client) -> None:
    row = InstanceSetting.objects.create(key="crm_token", value="old-s3cret")
    form = {"key": "crm_token", "is_secret": "on", "value": "", "description": "CRM"}
    assert client.post(url("instancesetting", "change", row.pk), form).status_code == 302
    row.refresh_from_db()
    assert (row.value, row.description) == ("old-s3cret", "CRM")
    client.post(url("instancesetting", "change", row.pk), form | {"value": "new-s3cret"})
    row.refresh_from_db()
    assert row.value == "new-s3cret"
    assert [entry.history_change_reason for entry in row.history.all()] == ["changed: value", None, None]
    assert "changed: value" in client.get(url("instancesetting", "history", row.pk)).content.decode()


@pytest.mark.usefixtures("integrator")
def test_a_typed_secret_is_not_sent_back_with_an_error(client: Client) -> None:
    response = client.post(url("instancesetting", "add"), {"key": "wrong key!", "is_secret": "on", "value": "s3cret"})
    assert response.status_code == 200
    assert "Use Latin letters" in response.content.decode()
    assert "s3cret" not in response.content.decode()


@pytest.mark.usefixtures("integrator")
def test_a_stored_secret_becomes_plain_only_when_typed_anew(client: Client) -> None:
    row = InstanceSetting.objects.create(key="crm", value="s3cret")
    response = client.post(url("instancesetting", "change", row.pk), {"key": "crm", "value": "", "description": ""})
    assert "enter the value again" in response.content.decode()
    assert client.post(url("instancesetting", "change", row.pk), {"key": "crm", "value": "plain", "description": ""}).status_code == 302
    assert "plain" in client.get(url("instancesetting", "change", row.pk)).content.decode()


@pytest.mark.usefixtures("integrator")
def test_an_encrypted_text_is_not_taken_as_a_secret(client: Client) -> None:
    response = client.post(url("instancesetting", "add"), {"key": "crm", "is_secret": "on", "value": "enc1.k1.AAAA"})
    assert "encrypted form" in response.content.decode()


def test_who_may_only_look_sees_no_secret_and_no_field(client: Client) -> None:
    client.force_login(user_with("communications_manager"))
    secret = InstanceSetting.objects.create(key="a", value="s3cret")
    plain = InstanceSetting.objects.create(key="b", value="https://crm", is_secret=False)
    assert "s3cret" not in client.get(url("instancesetting", "change", secret.pk)).content.decode()
    assert "https://crm" in client.get(url("instancesetting", "change", plain.pk)).content.decode()


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("Kyiv", "Kyiv"),
        ("+380501112233", "+380501112233"),
        ("3500", 3500),
        ('"3500"', "3500"),
        ("true", True),
        ("", ""),
        ("3.5", 3.5),
        ('["a", 1]', ["a", 1]),
        ('{"a": {"b": null}}', {"a": {"b": None}}),
        ("NaN", "NaN"),
        ("00123", "00123"),
        ("a: b", "a: b"),
    ],
)
@pytest.mark.usefixtures("integrator")
def test_a_constant_is_text_or_json_and_is_shown_as_it_can_be_typed_again(client: Client, typed: str, stored: Any) -> None:
    assert client.post(url("constant", "add"), {"key": "x", "value": typed, "description": ""}).status_code == 302
    row = Constant.objects.get()
    assert row.value == stored
    form = client.get(url("constant", "change", row.pk)).context["adminform"].form
    client.post(url("constant", "change", row.pk), {"key": "x", "value": form["value"].value(), "description": ""})
    row.refresh_from_db()
    assert row.value == stored


@pytest.mark.usefixtures("integrator")
def test_broken_json_is_refused_with_a_reason(client: Client) -> None:
    response = client.post(url("constant", "add"), {"key": "x", "value": '{"a": ', "description": ""})
    assert "begins like JSON but cannot be read as JSON" in response.content.decode()


def calendar_form(**changes: Any) -> dict[str, Any]:
    rows = {"intervals-TOTAL_FORMS": "1", "intervals-INITIAL_FORMS": "0", "exceptions-TOTAL_FORMS": "1", "exceptions-INITIAL_FORMS": "0"}
    first = {"intervals-0-weekday": "0", "intervals-0-start": "22:00", "intervals-0-end": "06:00"}
    second = {"exceptions-0-date": "2026-12-31", "exceptions-0-name": "Party", "exceptions-0-closed": "on"}
    return {"name": "Shop", "timezone": "Asia/Tashkent", "country": "UZ", "subdivision": "", **rows, **first, **second, **changes}


def test_a_calendar_is_made_with_hours_and_exceptions(client: Client, integrator: User) -> None:
    assert client.post(url("calendar", "add"), calendar_form()).status_code == 302
    calendar = Calendar.objects.get()
    assert list(calendar.intervals.values_list("weekday", "start", "end")) == [(0, dt.time(22), dt.time(6))]
    assert list(calendar.exceptions.values_list("date", "name", "closed")) == [(dt.date(2026, 12, 31), "Party", True)]
    assert calendar.intervals.get().history.get().history_user == integrator


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"country": "XX"}, "Select a valid choice"),
        ({"timezone": "Mars/Base"}, "Select a valid choice"),
        ({"subdivision": "ZZ"}, "Unknown region. Known for this country: none."),
        ({"exceptions-0-start": "10:00", "exceptions-0-end": "12:00"}, "A closed day has no hours."),
        ({"exceptions-0-closed": "", "exceptions-0-start": "10:00"}, "Give both “from” and “to”"),
    ],
)
@pytest.mark.usefixtures("integrator")
def test_a_wrong_calendar_is_explained(client: Client, changes: dict[str, str], message: str) -> None:
    response = client.post(url("calendar", "add"), calendar_form(**changes))
    assert response.status_code == 200
    assert message in response.content.decode()


@pytest.mark.usefixtures("integrator")
def test_the_list_of_calendars_costs_the_same_for_three_as_for_one(client: Client) -> None:
    Calendar.objects.create(name="a")

    def own_queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url("calendar")).status_code == 200
        return sum('FROM "core_calendar' in query["sql"] for query in captured.captured_queries)

    assert own_queries() == 4
    Calendar.objects.create(name="b")
    Calendar.objects.create(name="c")
    assert own_queries() == 4


def test_an_allowed_address_names_who_added_it(client: Client, integrator: User) -> None:
    assert client.post(url("allowedaddress", "add"), {"target": "10.0.0.0/24", "port": "443", "note": "CRM"}).status_code == 302
    row = AllowedAddress.objects.get()
    assert (row.target, row.port, row.created_by) == ("10.0.0.0/24", 443, integrator)
    assert row.history.get().history_user == integrator


@pytest.mark.parametrize("target", ["http://crm", "10.0.0.1/24", "a b", "crm:80:90"])
@pytest.mark.usefixtures("integrator")
def test_a_wrong_allowed_address_is_refused(client: Client, target: str) -> None:
    response = client.post(url("allowedaddress", "add"), {"target": target, "port": "", "note": "CRM"})
    assert response.status_code == 200
    assert AllowedAddress.objects.count() == 0


@pytest.mark.usefixtures("integrator")
def test_the_same_address_twice_is_refused(client: Client) -> None:
    AllowedAddress.objects.create(target="crm", note="CRM")
    response = client.post(url("allowedaddress", "add"), {"target": "crm", "port": "", "note": "again"})
    assert response.status_code == 200
    assert AllowedAddress.objects.count() == 1


def test_the_audit_trail_and_processes_are_only_read(client: Client) -> None:
    administrator = user_with("admin")
    client.force_login(administrator)
    entry = audit.record(administrator, "events.exported", rows=5)
    beat = Heartbeat.objects.create(name="worker", instance="a:1", at=timezone.now())
    for model, row in (("auditentry", entry), ("heartbeat", beat)):
        assert client.get(url(model)).status_code == 200
        assert client.get(url(model, "change", row.pk)).status_code == 200
        assert client.get(url(model, "history", row.pk)).status_code == 200
        assert client.get(url(model, "add")).status_code == 403
        assert client.post(url(model, "change", row.pk), {}).status_code == 403
        assert client.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 403
        client.post(url(model), {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
    assert AuditEntry.objects.filter(pk=entry.pk).exists()
    assert Heartbeat.objects.filter(pk=beat.pk).exists()


def test_the_history_shows_who_changed_what_and_cannot_be_played_back(client: Client, integrator: User) -> None:
    row = Constant.objects.create(key="city", value="Kyiv")
    client.post(url("constant", "change", row.pk), {"key": "city", "value": "Tashkent", "description": ""})
    page = client.get(url("constant", "history", row.pk)).content.decode()
    assert all(word in page for word in ("Kyiv", "Tashkent", str(integrator)))
    version = row.history.last()
    assert version is not None
    address = reverse("admin:core_constant_simple_history", args=[row.pk, version.pk])
    assert client.get(address).status_code == 200
    assert client.post(address, {"key": "city", "value": "Kyiv"}).status_code == 403
    row.refresh_from_db()
    assert row.value == "Tashkent"


def test_deleting_many_leaves_history_with_who(client: Client, integrator: User) -> None:
    rows = [Constant.objects.create(key=key, value=1) for key in "ab"]
    client.post(url("constant"), {"action": "delete_selected", "_selected_action": [row.pk for row in rows], "post": "yes"})
    history = Constant.history.filter(history_type="-")
    assert [entry.history_user for entry in history] == [integrator, integrator]


def test_a_capped_count_reads_no_more_than_its_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    Constant.objects.bulk_create(Constant(key=f"k{number}", value=number) for number in range(7))
    monkeypatch.setattr(CappedPaginator, "CAP", 5)
    assert CappedPaginator(Constant.objects.order_by("key"), 2).count == 5
    assert CappedPaginator([1, 2, 3], 2).count == 3


@pytest.fixture
def bots(client: Client) -> tuple[Bot, Bot]:
    """Two bots, of which the signed-in integrator keeps the first."""
    shop, bank = Bot.objects.create(name="Shop"), Bot.objects.create(name="Bank")
    client.force_login(user_with("integrator", bots=[shop]))
    return shop, bank


def test_foreign_rows_are_not_listed_nor_opened(client: Client, bots: tuple[Bot, Bot]) -> None:
    shop, bank = bots
    page = client.get(reverse("admin:bots_bot_changelist"))
    assert [bot.name for bot in page.context["cl"].result_list] == ["Shop"]
    assert client.get(reverse("admin:bots_bot_change", args=[shop.pk])).status_code == 200
    for name in ("change", "history"):
        assert client.get(reverse(f"admin:bots_bot_{name}", args=[bank.pk])).status_code in (302, 403, 404)
    assert client.get(reverse("admin:bots_bot_delete", args=[bank.pk])).status_code in (302, 403)


@pytest.fixture
def people_page(bots: tuple[Bot, Bot]) -> tuple[BaseAdmin, HttpRequest]:
    """An admin page of people and a request of the integrator of the first bot."""
    request = RequestFactory().post("/")
    request.user = User.objects.get(username="anna")
    assert len(bots) == 2
    return BaseAdmin(Person, admin.site), request


def test_foreign_bots_are_no_choice(people_page: tuple[BaseAdmin, HttpRequest], bots: tuple[Bot, Bot]) -> None:
    page, request = people_page
    form = page.get_form(request)(data={"bot": bots[1].pk, "name": "x"})
    field: Any = form.fields["bot"]
    assert list(field.queryset) == [bots[0]]
    assert form.errors["bot"] == ["Select a valid choice. That choice is not one of the available choices."]


def test_a_row_that_ends_in_a_foreign_bot_is_not_saved(people_page: tuple[BaseAdmin, HttpRequest], bots: tuple[Bot, Bot]) -> None:
    """Whatever a page's own form lets through."""
    page, request = people_page
    form = page.get_form(request)()
    form.changed_data = []
    own, foreign = (Person(bot=bot, name=bot.name) for bot in bots)
    page.save_model(request, own, form, change=False)
    with pytest.raises(PermissionDenied), transaction.atomic():
        page.save_model(request, foreign, form, change=False)
    assert list(Person.objects.values_list("name", flat=True)) == ["Shop"]


def test_the_note_about_a_secret_names_the_field(people_page: tuple[BaseAdmin, HttpRequest], bots: tuple[Bot, Bot]) -> None:
    page, request = people_page
    person = Person.objects.create(bot=bots[0])
    form = page.get_form(request, person)({"phone": "+380501112233", "bot": bots[0].pk}, instance=person)
    assert "phone" in form.changed_data
    person.phone = "+380501112233"
    page.save_model(request, person, form, change=True)
    latest = person.history.first()
    assert latest is not None
    assert latest.history_change_reason.startswith("changed: phone")
    assert latest.history_user == request.user


class ExternalIds(BaseTabularInline):
    model = ExternalId


def test_rows_below_a_row_take_its_bot(people_page: tuple[BaseAdmin, HttpRequest], bots: tuple[Bot, Bot]) -> None:
    _page, request = people_page
    inline = ExternalIds(Person, admin.site)
    own, foreign = (Person.objects.create(bot=bot) for bot in bots)
    allowed = [
        (
            inline.has_view_permission(request, parent),
            inline.has_add_permission(request, parent),
            inline.has_change_permission(request, parent),
            inline.has_delete_permission(request, parent),
        )
        for parent in (own, foreign, None)
    ]
    assert allowed == [(True, True, True, False), (False, False, False, False), (True, True, True, False)]


def test_the_audit_trail_names_what_was_added_changed_and_deleted(integrator: User, client: Client) -> None:
    client.post(reverse("admin:core_constant_add"), {"key": "city", "value": "Kyiv", "description": ""})
    constant = Constant.objects.get()
    page = reverse("admin:core_constant_change", args=[constant.pk])
    client.post(page, {"key": "city", "value": "Lviv", "description": ""})
    client.post(reverse("admin:core_constant_delete", args=[constant.pk]), {"post": "yes"})
    entries = AuditEntry.objects.filter(object_type="core.Constant").order_by("pk")
    assert list(entries.values_list("username", "action", "object_id", "object_text", "changes")) == [
        ("anna", "core.constant.added", str(constant.pk), "city", {"what": [{"added": {}}]}),
        ("anna", "core.constant.changed", str(constant.pk), "city", {"what": [{"changed": {"fields": ["Value"]}}]}),
        ("anna", "core.constant.deleted", str(constant.pk), "city", {}),
    ]


def test_rows_deleted_together_are_named_one_by_one(integrator: User, client: Client) -> None:
    keys = [Constant.objects.create(key=key, value=1).pk for key in ("a", "b")]
    client.post(reverse("admin:core_constant_changelist"), {"action": "delete_selected", "_selected_action": keys, "post": "yes"})
    assert sorted(AuditEntry.objects.filter(action="core.constant.deleted").values_list("object_text", flat=True)) == ["a", "b"]


def test_the_audit_trail_leads_to_what_still_exists(client: Client) -> None:
    client.force_login(user_with("admin"))
    kept = Constant.objects.create(key="kept", value=1)
    audit.record(None, "core.constant.changed", kept)
    audit.record(None, "core.constant.deleted", Constant(pk=999, key="gone"))
    text = client.get(reverse("admin:core_auditentry_changelist")).content.decode()
    assert (f'href="/admin/core/constant/{kept.pk}/change/">kept' in text, "/constant/999/" in text, "gone" in text) == (True, False, True)
