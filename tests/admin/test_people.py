"""The client card, the search, the mapping table, client fields and connect links."""

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.bots.models import Bot
from apps.core.models import AuditEntry
from apps.identity import attributes
from apps.identity.models import ClientField, ConnectLink, ExternalId, Lead, Person, PersonMerge
from tests.admin.conftest import act, change, listing, told
from tests.making import make_bot, make_channel, make_lead

pytestmark = pytest.mark.django_db
NO_IDS = {"external_ids-TOTAL_FORMS": "0", "external_ids-INITIAL_FORMS": "0"}
PHONE, EMAIL = "+380501112233", "anna@example.com"


@pytest.fixture
def bot(db: None) -> Bot:
    return make_bot(name="Shop")


@pytest.fixture
def fields(db: None, settings: Any) -> None:
    settings.CACHE_CHECK_SECONDS = 0
    for key, kind, private in (
        ("city", "text", False),
        ("age", "number", False),
        ("vip", "boolean", False),
        ("birthday", "date", True),
        ("plan", "choice", False),
    ):
        ClientField.objects.create(
            key=key, label=key.title(), type=kind, is_private=private, choices=["basic", "pro"] if kind == "choice" else []
        )


@pytest.fixture
def anna(bot: Bot) -> Lead:
    lead = make_lead(make_channel(bot), "540278913", name="Anna Petrenko")
    attributes.set_values(lead.person, {"phone": PHONE, "email": EMAIL}, source="test")
    ExternalId.objects.create(bot=bot, person=lead.person, system="crm", value="125")
    return lead


def card(**changed: Any) -> dict[str, Any]:
    given = {"name": "Anna Petrenko", "phone": PHONE, "email": EMAIL, "segment": "", "language": "", "timezone": "", "attributes": "{}"}
    return {**given, **{f"card_{name}": "" for name in ("city", "age", "vip", "birthday", "plan")}, **NO_IDS, **changed}


def streamed(response: Any) -> bytes:
    return b"".join(response.streaming_content)


def names(page: Client, text: str) -> list[str]:
    return [str(row) for row in page.get(listing("identity.Person"), {"q": text}).context["cl"].result_list]


# --- the card -------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("fields")
def test_the_card_stores_each_field_with_its_type(page: Client, anna: Lead) -> None:
    values = card(
        card_city="Kyiv", card_age="33", card_vip="true", card_birthday="1990-05-01", card_plan="pro", attributes='{"last_order": 125}'
    )
    assert page.post(change(anna.person), values).status_code == 302
    person = Person.objects.get(pk=anna.person_id)
    assert person.attributes == {"city": "Kyiv", "age": 33, "vip": True, "plan": "pro", "last_order": 125}
    assert person.private == {"birthday": "1990-05-01"}
    assert list(attributes.find(person.bot, key="birthday", value="1990-05-01")) == [person]


@pytest.mark.usefixtures("fields")
def test_the_card_shows_what_is_stored_and_saving_it_unchanged_changes_nothing(page: Client, anna: Lead) -> None:
    attributes.set_values(anna.person, {"city": "Kyiv", "vip": False, "birthday": "1990-05-01", "note": {"a": 1}}, source="test")
    before = Person.objects.get(pk=anna.person_id)
    form = page.get(change(anna.person)).context["adminform"].form
    shown = {name: form[name].value() for name in form.fields}
    assert (shown["phone"], shown["card_vip"], shown["card_birthday"]) == (PHONE, "false", "1990-05-01")
    assert json.loads(shown["attributes"]) == {"note": {"a": 1}}
    page.post(change(anna.person), card(card_city="Kyiv", card_vip="false", card_birthday="1990-05-01", attributes='{"note": {"a": 1}}'))
    after = Person.objects.get(pk=anna.person_id)
    assert (after.attributes, after.private, after.updated_at) == (before.attributes, before.private, before.updated_at)


@pytest.mark.usefixtures("fields")
@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("phone", "12", "This is no phone number. Use the international form, e.g. +380501112233."),
        ("card_age", "old", "A number is expected, for example 1250 or 12.5."),
        ("card_birthday", "soon", "Enter a valid date."),
        ("language", "klingon!", "A language code is expected, e.g. en or ru."),
        ("attributes", "[1]", 'Write the attributes as a JSON object: {"name": value}.'),
        ("attributes", '{"a b": 1}', None),
    ],
)
def test_what_is_refused_is_said_at_its_field_and_nothing_is_written(
    page: Client, anna: Lead, field: str, value: str, why: str | None
) -> None:
    response = page.post(change(anna.person), card(name="Other", **{field: value}))
    assert response.status_code == 200
    errors = response.context["adminform"].form.errors
    assert [*errors.get(field, errors.get("__all__", []))] == ([why] if why else [*errors.get(field, errors.get("__all__", []))])
    assert errors
    assert value in response.content.decode().replace("&quot;", '"')
    assert Person.objects.get(pk=anna.person_id).name == "Anna Petrenko"


@pytest.mark.usefixtures("fields")
def test_who_may_only_look_sees_personal_data_masked(signed_in: Callable[..., Client], anna: Lead) -> None:
    attributes.set_values(anna.person, {"birthday": "1990-05-01", "city": "Kyiv"}, source="test")
    text = signed_in("communications_manager").get(change(anna.person)).content.decode()
    assert {hidden: hidden in text for hidden in (PHONE, EMAIL, "1990-05-01")} == {PHONE: False, EMAIL: False, "1990-05-01": False}
    assert all(shown in text for shown in ("+380*******33", "a***@example.com", "City: Kyiv", "Birthday: •••"))


def test_the_history_holds_no_personal_data(page: Client, anna: Lead) -> None:
    text = page.get(f"/admin/identity/person/{anna.person_id}/history/").content.decode()
    assert (PHONE in text, EMAIL in text) == (False, False)


def test_a_person_can_be_made_by_hand(page: Client, bot: Bot) -> None:
    ids = {
        "external_ids-TOTAL_FORMS": "1",
        "external_ids-INITIAL_FORMS": "0",
        "external_ids-0-system": "crm",
        "external_ids-0-value": "125.0",
    }
    page.post(
        "/admin/identity/person/add/",
        {"bot": bot.pk, "name": "Ivan", "phone": "+380 50 111 22 33", "email": "", "segment": "", "language": "", "timezone": "", **ids},
    )
    person = Person.objects.get()
    assert (person.name, person.phone, bool(person.phone_index)) == ("Ivan", PHONE, True)
    assert [(row.bot_id, row.value) for row in person.external_ids.all()] == [(bot.pk, "125.0")]


def test_an_id_of_somebody_else_is_refused_with_the_name(page: Client, bot: Bot, anna: Lead) -> None:
    ivan = Person.objects.create(bot=bot, name="Ivan")
    ids = {
        "external_ids-TOTAL_FORMS": "1",
        "external_ids-INITIAL_FORMS": "0",
        "external_ids-0-system": "crm",
        "external_ids-0-value": "125",
    }
    response = page.post(change(ivan), card(name="Ivan", phone="", email="") | ids)
    why = f"This id belongs to Anna Petrenko (number {anna.person_id}). Merge the two people instead."
    assert why in response.content.decode()
    assert ExternalId.objects.get(value="125").person_id == anna.person_id


def test_the_page_shows_chats_and_conversations(page: Client, shop: Any) -> None:
    text = page.get(change(shop.person)).content.decode()
    assert all(f'href="{change(row)}"' in text for row in (shop.lead, shop.conversation))


# --- merging ----------------------------------------------------------------------------------------------------------------


def test_two_people_are_merged_after_both_were_shown_and_the_merge_is_undone(page: Client, anna: Lead) -> None:
    ivan = make_lead(anna.channel, "777", name="Ann P.")
    address = f"/admin/identity/person/{anna.person_id}/merge/"
    shown = page.post(address, {"other": ivan.person_id}).content.decode()
    assert ("Ann P." in shown, ivan.code in shown, Person.objects.count()) == (True, True, 2)
    page.post(address, {"other": ivan.person_id, "sure": "1"})
    assert set(Lead.objects.values_list("person_id", flat=True)) == {anna.person_id}
    merged = PersonMerge.objects.get()
    assert page.get(change(merged)).status_code == 200
    page.post(act(merged, "undo"))
    assert Person.objects.get(pk=ivan.person_id).name == "Ann P."
    assert Lead.objects.get(pk=ivan.pk).person_id == ivan.person_id


def test_two_users_of_one_system_are_not_merged(page: Client, anna: Lead) -> None:
    other = Person.objects.create(bot=anna.channel.bot, name="Ivan")
    ExternalId.objects.create(bot=other.bot, person=other, system="crm", value="126")
    response = page.post(f"/admin/identity/person/{anna.person_id}/merge/", {"other": other.pk, "sure": "1"}, follow=True)
    assert told(response) == ["Not merged: both people have an id in the same system, so that they are two users there."]


@pytest.mark.parametrize("other", ["own", "foreign", "99999999", "x", "-1", str(2**70)])
def test_only_another_person_of_the_same_bot_can_be_merged(page: Client, anna: Lead, other: str) -> None:
    known = {"own": anna.person_id, "foreign": Person.objects.create(bot=make_bot()).pk}
    response = page.post(f"/admin/identity/person/{anna.person_id}/merge/", {"other": known.get(other, other), "sure": "1"})
    assert list(response.context["form"].errors) == ["other"]


def test_merging_wants_the_right_to_edit(signed_in: Callable[..., Client], anna: Lead) -> None:
    assert signed_in("communications_manager").get(f"/admin/identity/person/{anna.person_id}/merge/").status_code == 404


# --- search ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["Anna Petrenko", "petr", "an petr", "125", "540278913", PHONE, "380 50 111-22-33", "ANNA@example.com"])
def test_a_person_is_found_by_whatever_one_has(page: Client, anna: Lead, text: str) -> None:
    make_lead(make_channel(anna.channel.bot), "777", name="Ivan")
    assert names(page, text) == ["Anna Petrenko"]


def test_a_person_is_found_by_the_lead(page: Client, anna: Lead) -> None:
    assert names(page, anna.code.lower()) == ["Anna Petrenko"]


@pytest.mark.parametrize("text", ["x' OR 1=1", "!", "&|:*", "nobody", "%", "'", "\\"])
def test_a_search_for_nonsense_finds_nobody(page: Client, anna: Lead, text: str) -> None:
    assert names(page, text) == []


def test_search_stays_within_own_bots(signed_in: Callable[..., Client], anna: Lead) -> None:
    browser = signed_in("admin", bots=[make_bot(name="Bank")])
    assert [names(browser, text) for text in ("Anna", "125", PHONE)] == [[], [], []]


# --- the mapping table ------------------------------------------------------------------------------------------------------


def test_the_mapping_table_is_exported_with_the_names_of_the_sources(page: Client, anna: Lead) -> None:
    Lead.objects.filter(pk=anna.pk).update(connected_at=datetime(2025, 10, 15, 11, 24, 52, tzinfo=UTC))
    expected = {
        "userId": 125,
        "leadId": anna.code,
        "chatId": 540278913,
        "isActive": True,
        "source": "telegram",
        "connected_at": "2025-10-15T11:24:52Z",
    }
    export = "/admin/identity/lead/export/"
    assert json.loads(streamed(page.get(export, {"format": "json"}))) == [expected]
    rows = list(csv.DictReader(io.StringIO(streamed(page.get(export)).decode().removeprefix("\ufeff"))))
    assert rows == [{name: str(value) for name, value in expected.items()}]
    assert AuditEntry.objects.filter(action="identity.mapping.exported").count() == 2


def test_the_export_of_the_mapping_table_runs_no_formula(page: Client, bot: Bot) -> None:
    make_lead(make_channel(bot), "=cmd|' /C calc'!A0")
    text = streamed(page.get("/admin/identity/lead/export/")).decode()
    assert "'=cmd|" in text


def test_the_export_follows_filters_and_bots(signed_in: Callable[..., Client], anna: Lead) -> None:
    other = make_lead(make_channel(make_bot(name="Bank")))
    browser = signed_in("integrator", bots=[anna.channel.bot])
    rows = json.loads(streamed(browser.get("/admin/identity/lead/export/", {"format": "json"})))
    assert [row["leadId"] for row in rows] == [anna.code]
    assert json.loads(streamed(browser.get("/admin/identity/lead/export/", {"format": "json", "linked": "1"}))) == []
    assert browser.get(change(other)).status_code == 302


def test_a_lead_is_unlinked_by_an_act(page: Client, anna: Lead) -> None:
    Lead.objects.filter(pk=anna.pk).update(connected_at=timezone.now())
    response = page.post(act(anna, "disconnect"), follow=True)
    lead = Lead.objects.get(pk=anna.pk)
    assert (lead.connected_at, lead.person_id == anna.person_id) == (None, False)
    assert told(response) == [f"Unlinked. The chat belongs to the new person number {lead.person_id}."]


def test_leads_cannot_be_made_up(page: Client) -> None:
    assert page.get("/admin/identity/lead/add/").status_code == 403


# --- client fields ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["name", "user_phone", "constants", "a-b"])
def test_names_that_mean_something_else_are_no_keys(page: Client, key: str) -> None:
    data = {"key": key, "label": "X", "type": "text", "choices": "", "position": "0", "help_text": ""}
    assert "key" in page.post("/admin/identity/clientfield/add/", data).context["adminform"].form.errors


def test_choices_are_typed_one_a_line(page: Client) -> None:
    data = {"key": "plan", "label": "Plan", "type": "choice", "choices": "basic\npro\n", "position": "0", "help_text": "", "in_card": "on"}
    page.post("/admin/identity/clientfield/add/", data)
    assert ClientField.objects.get().choices == ["basic", "pro"]
    response = page.post("/admin/identity/clientfield/add/", {**data, "key": "other", "choices": ""})
    assert list(response.context["adminform"].form.errors) == ["choices"]


def test_the_protection_of_a_field_with_values_cannot_be_changed(page: Client, anna: Lead, settings: Any) -> None:
    settings.CACHE_CHECK_SECONDS = 0
    field = ClientField.objects.create(key="city", label="City")
    assert "is_private" in page.get(change(field)).context["adminform"].form.fields
    attributes.set_values(anna.person, {"city": "Kyiv"}, source="test")
    response = page.get(change(field))
    assert "is_private" not in response.context["adminform"].form.fields
    assert "its protection cannot be changed" in response.content.decode()


# --- connect links ------------------------------------------------------------------------------------------------------------


def test_a_connect_link_is_shown_once(page: Client, bot: Bot) -> None:
    channel = make_channel(bot, account={"name": "Shop", "username": "shop_bot"})
    response = page.post("/admin/identity/connectlink/add/", {"channel": channel.pk, "system": "crm", "external_id": "125"})
    link = ConnectLink.objects.get()
    token = response.context["made"].token
    assert f"https://t.me/shop_bot?start={token}" in response.content.decode()
    assert (link.bot_id, link.external_id, "no-store" in response["Cache-Control"]) == (bot.pk, "125", True)
    assert token not in page.get(change(link)).content.decode() + page.get(listing("identity.ConnectLink")).content.decode()
    assert AuditEntry.objects.get(action="identity.connect_link.made").object_id == str(channel.pk)


def test_connect_links_are_made_for_own_bots_only(signed_in: Callable[..., Client], bot: Bot) -> None:
    channel = make_channel(bot)
    browser = signed_in("operator", bots=[make_bot(name="Bank")])
    response = browser.post("/admin/identity/connectlink/add/", {"channel": channel.pk, "system": "crm", "external_id": "125"})
    assert list(response.context["form"].errors) == ["channel"]
    assert signed_in("analyst").get("/admin/identity/connectlink/add/").status_code == 403
    assert ConnectLink.objects.count() == 0
