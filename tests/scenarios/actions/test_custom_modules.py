"""Scenarios read, write and search records of custom data."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from apps.customdata import records, structure
from apps.customdata.designing import FieldSpec
from apps.customdata.models import RecordHistory, Table
from apps.customdata.noting import SYSTEM
from apps.events.models import Event
from apps.identity.models import Lead
from apps.scenarios.action import ActionResult
from apps.scenarios.actions.custom_modules__get import Get, GetParams
from apps.scenarios.actions.custom_modules__search import Search, SearchParams
from apps.scenarios.actions.custom_modules__set import Set, SetParams
from apps.scenarios.engine.contract import Facts
from apps.scenarios.engine.names import Names
from tests.customdata.conftest import make_table
from tests.making import make_bot, make_lead
from tests.scenarios.actions.contexts import context_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh(settings: Settings) -> None:
    settings.CACHE_CHECK_SECONDS = 0
    structure.forget()


@pytest.fixture
def anna(db: None) -> Lead:
    return make_lead(name="Anna")


@pytest.fixture
def table(db: None) -> Table:
    return make_table(
        FieldSpec("Number", "number", unique=True),
        FieldSpec("Subject", required=True, in_search=True),
        FieldSpec("Client", "person"),
        FieldSpec("Phone", "phone", personal=True),
        FieldSpec("Passport", personal=True),
    )


def put(lead: Lead, values: dict[str, Any], *, dry_run: bool = False, model: str = "complaints", **more: Any) -> ActionResult:
    return Set().run(context_of(lead, dry_run=dry_run), SetParams.model_validate({"model": model, "values": values, **more}))


def get(lead: Lead, value: Any, **more: Any) -> ActionResult:
    return Get().run(context_of(lead), GetParams.model_validate({"model": "complaints", "value": value, **more}))


def search(lead: Lead, **more: Any) -> ActionResult:
    return Search().run(context_of(lead), SearchParams.model_validate({"model": "complaints", **more}))


def test_a_new_record_gives_its_number_back_and_links_to_the_person(anna: Lead, table: Table) -> None:
    result = put(anna, {"number": "7", "subject": "Broken", "phone": "+380501112233", "passport": "AA1"})
    record = records.find(table).records[0]
    assert result.exit == "saved"
    assert result.values["constants.complaint_id"] == record.pk == result.values["record"]["id"]
    assert {name: result.values["record"].get(name) for name in ("number", "subject", "client", "phone", "passport")} == {
        "number": 7, "subject": "Broken", "client": anna.person_id, "phone": "+380501112233", "passport": None,
    }  # fmt: skip
    assert RecordHistory.objects.get().actor == "scenario"
    event = Event.objects.get(kind="record.created")
    assert (event.person_id, event.bot_id) == (anna.person_id, anna.channel.bot_id)
    assert put(anna, {"number": 8, "subject": "x"}, id_as="case").values["constants.case"] == record.pk + 1


def test_records_are_updated_and_upserted(anna: Lead, table: Table) -> None:
    pk = put(anna, {"number": 7, "subject": "a"}).values["record"]["id"]
    assert put(anna, {"subject": "b"}, action="update", id=str(pk)).values["record"]["subject"] == "b"
    assert put(anna, {"number": 7, "subject": "c"}, action="upsert", key="number").values["record"]["id"] == pk
    assert put(anna, {"subject": "b"}, action="update", id=999_999).exit == "not_found"
    for wrong in ("", "x", None, "1; drop"):
        assert put(anna, {"subject": "b"}, action="update", id=wrong).exit == "not_found"


def test_what_does_not_fit_is_told_by_field_and_nothing_is_written(anna: Lead, table: Table) -> None:
    result = put(anna, {"number": "x", "subject": "", "nothing": 1})
    assert (result.exit, sorted(result.values["invalid_fields"])) == ("invalid", ["nothing", "number"])
    assert put(anna, {"subject": "a"}, action="upsert", key="subject").exit == "invalid"
    assert put(anna, {"a": 1}, model="nothing").error == "There is no model “nothing”. There are: complaints."
    assert records.count(table) == 0


def test_a_dry_run_shows_what_would_be_and_writes_nothing(anna: Lead, table: Table) -> None:
    result = put(anna, {"number": 7, "subject": "Broken"}, dry_run=True)
    assert (result.exit, result.values["record"]) == ("saved", {"client": anna.person_id, "number": 7, "subject": "Broken", "id": None})
    assert put(anna, {"number": "x"}, dry_run=True).exit == "invalid"
    assert records.count(table) == 0
    assert not Event.objects.filter(kind__startswith="record.").exists()


def test_a_record_is_found_by_number_or_field(anna: Lead, table: Table) -> None:
    pk = put(anna, {"number": 7, "subject": "Broken", "phone": "+380501112233"}).values["record"]["id"]
    assert get(anna, pk).values["record"]["subject"] == "Broken"
    assert get(anna, "BROKEN", field="subject", save_as="it").values["it"]["id"] == pk
    assert get(anna, "+38 050 111 22 33", field="phone").exit == "found"
    for value, more in ((999, {}), ("", {}), (None, {}), ("other", {"field": "subject"})):
        assert get(anna, value, **more) == ActionResult("not_found", values={"record": None}), value
    assert get(anna, "x").exit == "error"
    assert get(anna, 1, field="subject__regex").exit == "error"
    assert "phone" not in get(make_lead(anna.channel), pk).values["record"]


def test_records_are_searched_by_words_and_conditions(anna: Lead, table: Table) -> None:
    for number, subject in enumerate(["Broken screen", "Broken battery", "Late parcel"], 1):
        records.create(table, {"number": number, "subject": subject}, by=SYSTEM)
    found = search(anna, text="brok")
    assert (found.exit, found.values["records_count"], sorted(one["number"] for one in found.values["records"])) == ("found", 2, [1, 2])
    found = search(anna, text="brok", filters=[{"field": "number", "op": "gt", "value": 1}], save_as="them")
    assert [one["number"] for one in found.values["them"]] == [2]
    assert [one["number"] for one in search(anna, order="-number", limit=2).values["records"]] == [3, 2]
    assert search(anna, text="nothing").exit == "empty"
    assert search(anna, filters=[{"field": "number", "op": "regex", "value": "x"}]).exit == "error"


def test_a_model_of_another_bot_does_not_exist(anna: Lead) -> None:
    make_table(FieldSpec("Name"), name="Secrets", bot=make_bot())
    assert put(anna, {"name": "x"}, model="secrets").exit == "error"


def test_the_number_is_kept_among_the_constants_but_never_in_place_of_one(anna: Lead, table: Table) -> None:
    names = Names({"constants.complaint_id": 5, "constants.phone": "evil"}, Facts(constants={"phone": "1"}), now=datetime.now(UTC))
    assert names["constants"] == {"complaint_id": 5, "phone": "1"}
    assert Set().sets({"model": "stories"}) == ["record", "constants.story_id", "invalid_fields"]
