"""What is known about a person: typed, private where declared, one write that is all or nothing."""

from typing import Any

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from apps.events.models import Event
from apps.identity import attributes
from apps.identity.attributes import InvalidValuesError
from apps.identity.models import ClientField, ExternalId, Person, PrivateIndex
from apps.identity.reclassifying import reclassify
from tests.making import make_bot, make_lead

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_fields(settings: Settings) -> None:
    settings.CACHE_CHECK_SECONDS = 0
    settings.PHONE_REGION = ""


def make_person(**fields: Any) -> Person:
    return make_lead(**fields).person


def test_facts_hold_everything_placeholders_may_know() -> None:
    person = make_person(name="Anna", language="en", attributes={"city": "Kyiv"}, private={"passport": "AA1"})
    attributes.set_values(person, {"phone": "+380501112233", "email": "Anna@Example.com"}, source="test", verified=["phone"])
    ExternalId.objects.create(bot=person.bot, person=person, system="crm", value="125")
    ExternalId.objects.create(bot=person.bot, person=person, system="erp", value="A-77")
    assert attributes.facts(person) == {
        "city": "Kyiv",
        "passport": "AA1",
        "user_name": "Anna",
        "user_language": "en",
        "user_timezone": None,
        "user_segment": None,
        "user_phone": "+380501112233",
        "user_email": "anna@example.com",
        "user_phone_verified": True,
        "user_email_verified": False,
        "user_id": 125,
        "user_ids": {"crm": 125, "erp": "A-77"},
    }


def test_facts_without_personal_data() -> None:
    person = make_person(name="Anna", phone="+380501112233", private={"passport": "AA1"})
    known = attributes.facts(person, private=False)
    assert {"passport", "user_phone", "user_email"} & set(known) == set()
    assert known["user_name"] == "Anna"


def test_facts_of_many_people_cost_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    people = [make_person() for _number in range(5)]
    with django_assert_num_queries(1):
        assert set(attributes.facts_of(people)) == {person.pk for person in people}


def test_values_go_where_they_belong_and_only_changes_are_told() -> None:
    ClientField.objects.create(key="passport", label="Passport", is_private=True)
    person = make_person()
    changed = attributes.set_values(
        person, {"user_name": "Anna", "city": "Kyiv", "passport": "AA1", "timezone": "Europe/Kyiv"}, source="crm"
    )
    assert changed == ["city", "name", "passport", "timezone"]
    person.refresh_from_db()
    assert (person.name, person.attributes, person.private, person.timezone) == (
        "Anna",
        {"city": "Kyiv"},
        {"passport": "AA1"},
        "Europe/Kyiv",
    )
    assert attributes.set_values(person, {"city": "Kyiv", "passport": "AA1"}, source="crm") == []
    event = Event.objects.get(kind="person.changed")
    assert (event.person_id, event.details) == (person.pk, {"keys": changed, "source": "crm"})


def test_none_and_empty_text_remove() -> None:
    ClientField.objects.create(key="passport", label="Passport", is_private=True)
    person = make_person()
    attributes.set_values(person, {"city": "Kyiv", "name": "Anna", "passport": "AA1"}, source="test")
    attributes.set_values(person, {"city": None, "name": "", "passport": ""}, source="test")
    person.refresh_from_db()
    assert (person.name, person.attributes, person.private) == ("", {}, {})
    assert PrivateIndex.objects.count() == 0


@pytest.mark.parametrize(
    ("kind", "given", "stored"),
    [
        ("number", "1 250,50", 1250.5),
        ("number", 7, 7),
        ("boolean", "Да", True),
        ("boolean", 0, False),
        ("date", "21.11.2026", "2026-11-21"),
        ("date", "2026-11-21T10:00:00Z", "2026-11-21"),
        ("text", 125, "125"),
        ("choice", "gold", "Gold"),
    ],
)
def test_a_declared_field_brings_values_to_its_type(kind: str, given: Any, stored: Any) -> None:
    ClientField.objects.create(key="field", label="Field", type=kind, choices=["Gold", "Silver"])
    person = make_person()
    attributes.set_values(person, {"field": given}, source="test")
    person.refresh_from_db()
    assert person.attributes == {"field": stored}
    assert type(person.attributes["field"]) is type(stored)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("number", "many"),
        ("number", float("inf")),
        ("date", "31.02.2026"),
        ("choice", "Bronze"),
        ("boolean", "perhaps"),
        ("phone", "12"),
        ("email", "anna"),
        ("timezone", "Mars/Base"),
        ("language", "English, please"),
        ("name", "x" * 201),
        ("text", "nul \x00 inside"),
        ("text", "half \ud800 pair"),
        ("text", {"a": "deep \x00"}),
        ("free", float("nan")),
        ("free", object()),
        ("constants", {"a": 1}),
        ("user_id", 7),
        ("two words", 1),
        ("", 1),
    ],
)
def test_a_refused_value_is_named_and_nothing_is_written(key: str, value: Any) -> None:
    for kind in ClientField.Type:
        ClientField.objects.create(key=kind.value, label=kind.value, type=kind, choices=["Gold"])
    person = make_person()
    with pytest.raises(InvalidValuesError) as refused:
        attributes.set_values(person, {"city": "Kyiv", key: value}, source="test")
    assert list(refused.value.errors) == [key]
    person.refresh_from_db()
    assert (person.attributes, person.name, person.phone) == ({}, "", "")


def test_a_person_cannot_become_a_warehouse() -> None:
    person = make_person()
    with pytest.raises(InvalidValuesError):
        attributes.set_values(person, {f"key{number}": "x" * 1000 for number in range(80)}, source="test")
    person.refresh_from_db()
    assert person.attributes == {}


def test_a_contact_is_confirmed_only_with_proof_and_loses_it_when_it_changes() -> None:
    person = make_person()
    attributes.set_values(person, {"phone": "+380501112233"}, source="crm")
    assert (person.phone_verified, person.phone_index != "") == (False, True)
    assert attributes.set_values(person, {"phone": "380501112233"}, source="code", verified=["phone"]) == ["phone"]
    assert person.phone_verified
    attributes.set_values(person, {"phone": "+38 050 111 22 33"}, source="crm")
    assert person.phone_verified
    attributes.set_values(person, {"phone": "+380501112234"}, source="crm")
    person.refresh_from_db()
    assert (person.phone, person.phone_verified) == ("+380501112234", False)


def test_two_writers_do_not_lose_each_others_values() -> None:
    person = make_person()
    same = Person.objects.get(pk=person.pk)
    attributes.set_values(person, {"city": "Kyiv"}, source="one")
    attributes.set_values(same, {"plan": "gold"}, source="other")
    person.refresh_from_db()
    assert person.attributes == {"city": "Kyiv", "plan": "gold"}


def test_personal_values_are_not_in_the_database_in_clear() -> None:
    ClientField.objects.create(key="passport", label="Passport", is_private=True)
    person = make_person()
    attributes.set_values(person, {"passport": "AA 123456", "phone": "+380501112233", "email": "anna@example.com"}, source="test")
    with connection.cursor() as cursor:
        for table in ("identity_person", "identity_historicalperson", "identity_privateindex", "events_event"):
            cursor.execute(f"SELECT string_agg(t::text, ' ') FROM {table} t")  # noqa: S608  our own tables
            stored = str(cursor.fetchone()[0])
            assert [secret for secret in ("123456", "501112233", "anna@") if secret in stored] == []


def test_people_are_found_by_exact_values() -> None:
    ClientField.objects.create(key="passport", label="Passport", is_private=True)
    ClientField.objects.create(key="age", label="Age", type="number")
    bot = make_bot()
    person = Person.objects.create(bot=bot)
    Person.objects.create(bot=bot, name="Other")
    values = {"passport": "AA1", "phone": "+380501112233", "email": "anna@example.com", "age": 30, "tags": ["vip"], "segment": "gold"}
    attributes.set_values(person, values, source="test")
    for key, value in {**values, "passport": " aa1 ", "phone": "380501112233", "age": "30", "user_email": "ANNA@example.com"}.items():
        assert list(attributes.find(bot, key=key, value=value)) == [person], key
    for key, value in {"passport": "AA2", "phone": "", "email": "x", "age": "old", "nothing": 1}.items():
        assert list(attributes.find(bot, key=key, value=value)) == [], key
    assert list(attributes.find(make_bot(), key="phone", value="+380501112233")) == []


def test_declaring_a_field_personal_encrypts_what_people_have_and_forgets_the_clear_history() -> None:
    person = make_person()
    attributes.set_values(person, {"passport": "AA1", "city": "Kyiv"}, source="test")
    field = ClientField.objects.create(key="passport", label="Passport", is_private=True)
    assert reclassify(field) == 1
    assert reclassify(field) == 0
    person.refresh_from_db()
    assert (person.attributes, person.private) == ({"city": "Kyiv"}, {"passport": "AA1"})
    assert list(attributes.find(person.bot, key="passport", value="aa1")) == [person]
    assert [row.attributes for row in person.history.order_by("history_id")] == [{}, {"city": "Kyiv"}]
    field.is_private = False
    assert reclassify(field) == 1
    person.refresh_from_db()
    assert (person.attributes, person.private) == ({"city": "Kyiv", "passport": "AA1"}, {})
    assert PrivateIndex.objects.count() == 0
