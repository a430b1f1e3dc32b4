"""Reading and keeping what is known about people, from a scenario."""

from typing import Any

import pytest
from pytest_django.fixtures import Settings

from apps.identity import attributes
from apps.identity.models import ClientField, ExternalId
from apps.scenarios.action import ActionResult
from apps.scenarios.actions.registered_users__get import Get, GetParams
from apps.scenarios.actions.registered_users__set import Set, SetParams
from tests.making import make_bot, make_channel, make_lead
from tests.scenarios.actions.contexts import context_of

pytestmark = pytest.mark.django_db
PHONE = "+380501112233"
UNCONFIRMED = {"user_phone_verified": False, "user_email_verified": False}


@pytest.fixture(autouse=True)
def _fresh_fields(settings: Settings) -> None:
    settings.CACHE_CHECK_SECONDS = 0


def get(lead: Any, **fields: Any) -> ActionResult:
    return Get().run(context_of(lead), GetParams.model_validate(fields))


def put(lead: Any, values: dict[str, Any], *, dry_run: bool = False, **fields: Any) -> ActionResult:
    return Set().run(context_of(lead, dry_run=dry_run), SetParams.model_validate({"values": values, **fields}))


def test_the_person_in_the_chat_is_found_when_registered_and_known_either_way() -> None:
    lead = make_lead(name="Anna", attributes={"city": "Kyiv"})
    known: dict[str, Any] = {"user_name": "Anna", "city": "Kyiv", "user_ids": {}, **UNCONFIRMED}
    assert get(lead) == ActionResult("not_found", values={"registered_user": known})
    ExternalId.objects.create(bot=lead.channel.bot, person=lead.person, system="crm", value="125")
    known |= {"user_id": 125, "user_ids": {"crm": 125}}
    assert get(lead) == ActionResult("found", values={"registered_user": known})
    assert get(lead, system="erp").exit == "not_found"
    assert get(lead, fields=["city"], save_as="me") == ActionResult("found", values={"me": {"city": "Kyiv"}})


def test_another_person_is_found_by_id_and_value_but_without_personal_data() -> None:
    ClientField.objects.create(key="passport", label="Passport", is_private=True)
    channel = make_channel()
    anna, asking = make_lead(channel, name="Anna"), make_lead(channel)
    attributes.set_values(anna.person, {"phone": PHONE, "passport": "AA1", "card": 7}, source="test")
    ExternalId.objects.create(bot=channel.bot, person=anna.person, system="crm", value="125")
    known = {"user_name": "Anna", "card": 7, "user_id": 125, "user_ids": {"crm": 125}, **UNCONFIRMED}
    searches: list[dict[str, Any]] = [
        {"by": "user_id", "value": 125},
        {"by": "lead_id", "value": anna.code},
        {"by": "phone", "value": "380501112233"},
        {"by": "attribute", "attribute": "card", "value": 7},
        {"by": "attribute", "attribute": "passport", "value": "aa1"},
    ]
    for search in searches:
        assert get(asking, **search) == ActionResult("found", values={"registered_user": known}), search
    assert get(anna, by="phone", value=PHONE).values["registered_user"]["user_phone"] == PHONE
    nobody: list[dict[str, Any]] = [
        {"by": "user_id", "value": 126},
        {"by": "phone", "value": None},
        {"by": "email", "value": "x"},
        {"by": "attribute", "value": 7},
        {"by": "lead_id", "value": "TG-0"},
    ]
    for search in nobody:
        assert get(asking, **search) == ActionResult("not_found", values={"registered_user": None}), search


def test_people_of_another_bot_are_not_found() -> None:
    lead = make_lead(name="Anna")
    ExternalId.objects.create(bot=lead.channel.bot, person=lead.person, system="crm", value="125")
    stranger = context_of(None, bot_id=make_bot().pk)
    for search in ({"by": "user_id", "value": 125}, {"by": "lead_id", "value": lead.code}):
        assert Get().run(stranger, GetParams.model_validate(search)).exit == "not_found"


def test_values_are_kept_and_seen_at_once() -> None:
    ClientField.objects.create(key="age", label="Age", type="number")
    lead = make_lead()
    result = put(lead, {"name": "Anna", "user_phone": PHONE, "age": "30", "city": "Kyiv"})
    assert result == ActionResult("ok")
    lead.person.refresh_from_db()
    assert (lead.person.name, lead.person.phone, lead.person.phone_verified) == ("Anna", PHONE, False)
    assert lead.person.attributes == {"age": 30, "city": "Kyiv"}
    assert put(lead, {"city": ""}).exit == "ok"
    lead.person.refresh_from_db()
    assert lead.person.attributes == {"age": 30}


def test_what_is_there_can_be_kept() -> None:
    lead = make_lead(name="Anna", attributes={"city": "Kyiv"})
    put(lead, {"name": "Olena", "city": "Lviv", "plan": "gold"}, keep_existing=True)
    lead.person.refresh_from_db()
    assert (lead.person.name, lead.person.attributes) == ("Anna", {"city": "Kyiv", "plan": "gold"})


def test_a_value_that_does_not_fit_takes_its_exit_and_nothing_is_kept() -> None:
    lead = make_lead()
    for dry_run in (False, True):
        result = put(lead, {"city": "Kyiv", "email": "anna"}, dry_run=dry_run)
        assert result == ActionResult(
            "invalid", values={"invalid_fields": {"email": "This is no e-mail address."}}, error="email: This is no e-mail address."
        )
    assert put(None, {"city": "Kyiv"}).exit == "invalid"
    lead.person.refresh_from_db()
    assert lead.person.attributes == {}


def test_a_dry_run_keeps_nothing() -> None:
    lead = make_lead()
    assert put(lead, {"city": "Kyiv"}, dry_run=True) == ActionResult("ok")
    lead.person.refresh_from_db()
    assert lead.person.attributes == {}


def test_the_check_knows_which_variables_are_set() -> None:
    assert Set().sets({"values": {"name": 1, "user_email": 1, "city": 1}}) == ["user_name", "user_email", "city", "invalid_fields"]
    assert Get().sets({}) == ["registered_user", "*"]
    assert Get().sets({"by": "phone", "save_as": "user"}) == ["user"]
