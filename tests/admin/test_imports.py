"""Imports and exports in the admin: from the upload to the records, by whom they may be made, and back into a file."""

import io
import json
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from apps.accounts.models import Role
from apps.core.models import AuditEntry
from apps.customdata import records, structure
from apps.customdata.designing import FieldSpec, create_table
from apps.customdata.importing import running
from apps.customdata.importing.models import ImportJob
from apps.customdata.models import Table, TableRight
from apps.customdata.noting import Actor
from tests.admin.conftest import change
from tests.admin.world import World

pytestmark = pytest.mark.django_db
BASE = "/admin/imports/importjob/"
BY = Actor("system", "tests")
TEXT = "Number,Subject,Note\n1,first,x\n2,,y\n3,third,z\n"


@pytest.fixture(autouse=True)
def _media(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def complaints(db: None) -> Table:
    return create_table(
        name="Complaints",
        fields=[
            FieldSpec("Number", "number", unique=True),
            FieldSpec("Subject", "text", required=True),
            FieldSpec("Phone", "phone", personal=True),
            FieldSpec("Due", "date", in_filter=True),
            FieldSpec("Open", "boolean"),
        ],
    )


def upload(page: Client, text: str = TEXT, **data: Any) -> Any:
    return page.post(f"{BASE}add/", {"model": "complaints", "file": SimpleUploadedFile("жалобы.csv", text.encode()), **data})


def job_of(page: Client, text: str = TEXT) -> ImportJob:
    answer = upload(page, text)
    job = ImportJob.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (302, change(job))
    return job


def choose(table: Table, **columns: str) -> dict[str, str]:
    return {
        f"column_{number}": str(table.by_alias[alias].pk) for number, alias in ((int(name[1:]), alias) for name, alias in columns.items())
    }


def test_a_file_goes_from_the_upload_to_the_records(page: Client, complaints: Table) -> None:
    job = job_of(page)
    shown = page.get(change(job)).content.decode()
    assert all(text in shown for text in ("жалобы.csv", "third", "Subject *", "Check every cell"))
    page.post(f"{BASE}{job.pk}/check/", choose(complaints, c0="number", c1="subject"))
    assert "hourglass_top" in page.get(change(job)).content.decode()
    assert page.get(f"{BASE}{job.pk}/progress/").json() == {
        "state": "staging",
        "text": "is being read",
        "done": 0,
        "total": 0,
        "percent": 0,
        "active": True,
    }
    running.work(job.pk)
    report = page.get(change(job)).content.decode()
    assert all(text in report for text in ("A value is required.", "Load the 2 good rows", "Download the list"))
    mistakes = b"".join(page.get(f"{BASE}{job.pk}/mistakes.csv").streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    assert mistakes.splitlines() == ["row,column,problem,value", "3,Subject,A value is required.,"]
    page.post(f"{BASE}{job.pk}/load/", {"mode": "good"})
    running.work(job.pk)
    assert "task_alt" in page.get(change(job)).content.decode()
    assert records.count(complaints) == 2
    history = page.get(f"/admin/data/complaints/{records.find(complaints).records[0].pk}/history/").content.decode()
    assert f"import owner · import #{job.pk}" in history


def test_a_file_can_be_read_in_another_way(page: Client, complaints: Table) -> None:
    job = job_of(page, "Number|Subject;x\n1|a;b\n")
    page.post(f"{BASE}{job.pk}/read/", {"encoding": "utf-8", "separator": "|", "decimal": ",", "dates": "mdy"})
    job.refresh_from_db()
    assert (job.columns, job.form["separator"], job.form["dates"]) == (["Number", "Subject;x"], "|", "mdy")


def test_wrong_choices_are_told(page: Client, complaints: Table) -> None:
    job = job_of(page)
    for columns, told in (
        (choose(complaints, c0="subject", c1="subject"), "Two columns fill the same field"),
        (choose(complaints, c0="number"), "These fields are required: Subject"),
        ({**choose(complaints, c1="subject"), "key": str(complaints.by_alias["number"].pk)}, "The key must be among the fields"),
        ({"column_0": "99999"}, "Select a valid choice"),
        ({}, "Choose at least one column"),
    ):
        assert told in page.post(f"{BASE}{job.pk}/check/", columns).content.decode()
    assert ImportJob.objects.get().state == ImportJob.State.DRAFT


def test_what_is_no_table_is_refused_at_the_upload(page: Client, complaints: Table, tmp_path: Any) -> None:
    assert "no workbook" in upload(page, "").content.decode() or "empty" in upload(page, "").content.decode()
    assert "document" in upload(page, "%PDF-1.7").content.decode()
    assert ImportJob.objects.count() == 0
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_model_is_made_from_a_file(page: Client) -> None:
    text = "Город;Дата;Сумма;Лишнее\n" + "Рига;21.11.2026;12,50;x\n" * 5
    shown = upload(page, text, model="+", name="Магазины").content.decode()
    assert all(part in shown for part in ("Город", "Type of the field", "12,50"))
    ticket = shown.partition('name="ticket" value="')[2].partition('"')[0]
    assert page.post(f"{BASE}new-model/", {"ticket": "x"}).status_code == 404
    again = page.post(f"{BASE}new-model/", {"ticket": ticket, "kind_0": "nothing", "kind_1": "date"})
    assert "not installed" in again.content.decode()
    made = page.post(f"{BASE}new-model/", {"ticket": ticket, "kind_0": "text", "kind_1": "date", "kind_2": "number", "kind_3": ""})
    job = ImportJob.objects.get()
    assert made.headers["Location"] == change(job)
    table = structure.fresh(job.table_id)
    assert [(field.name, field.kind) for field in table.fields] == [("Город", "text"), ("Дата", "date"), ("Сумма", "number")]
    running.start(job, at_once=True, by_hand=True)
    running.work(job.pk)
    assert records.count(table) == 5


def test_only_who_may_add_records_may_import(signed_in: Callable[..., Client], shop: World, complaints: Table) -> None:
    reader = signed_in("supervisor", bots=[shop.bot])
    assert upload(reader).status_code == 302
    job = ImportJob.objects.get()
    for role in ("supervisor",):
        TableRight.objects.create(table=complaints, role=_role(role), can_view=True)
    reader = signed_in("supervisor", bots=[shop.bot])
    assert reader.get(change(job)).status_code in (302, 403)
    for path in ("check/", "load/", "cancel/", "back/", "read/"):
        assert reader.post(f"{BASE}{job.pk}/{path}").status_code == 404
    assert reader.get(f"{BASE}{job.pk}/progress/").status_code == 404
    assert upload(reader).status_code == 403
    stranger = signed_in("analyst", bots=[shop.bot])
    assert stranger.get(BASE).status_code == 403
    assert stranger.get(f"{BASE}export/complaints/csv/").status_code == 404
    assert job.state == ImportJob.State.DRAFT


def _role(key: str) -> Any:
    return Role.objects.get(key=key)


def test_a_waiting_import_can_be_cancelled_and_taken_up_again(page: Client, complaints: Table) -> None:
    job = job_of(page)
    page.post(f"{BASE}{job.pk}/cancel/")
    job.refresh_from_db()
    assert job.state == ImportJob.State.CANCELLED
    page.post(f"{BASE}{job.pk}/back/")
    job.refresh_from_db()
    assert job.state == ImportJob.State.DRAFT


@pytest.fixture
def filled(complaints: Table) -> Table:
    rows: list[Any] = [
        {"number": 1, "subject": "=1+1", "phone": "+380501112233", "due": "2026-11-21", "open": True},
        {"number": "2", "subject": 'Anna, "quoted" line', "due": "2026-11-22"},
    ]
    records.create_many(complaints, rows, by=BY)
    return complaints


def exported(page: Client, kind: str, query: str = "") -> bytes:
    answer = page.get(f"{BASE}export/complaints/{kind}/{query}")
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)  # type: ignore[attr-defined]


def test_an_export_can_be_imported_again(page: Client, filled: Table) -> None:
    text = exported(page, "csv", "?personal=1").decode("utf-8-sig")
    assert text.splitlines()[0] == "id,Number,Subject,Phone,Due,Open,created_at,updated_at"
    assert "'=1+1" in text
    assert "'+380501112233" in text
    copy = create_table(name="Copy", fields=[FieldSpec(one.name, one.kind, personal=one.personal) for one in filled.fields])
    for content in (text.encode(), exported(page, "xlsx", "?personal=1")):
        page.post(f"{BASE}add/", {"model": "copy", "file": SimpleUploadedFile("copy", content)})
        job = ImportJob.objects.order_by("-pk")[0]
        running.start(job, at_once=True, by_hand=True)
        running.work(job.pk)
        job.refresh_from_db()
        assert (job.state, job.bad) == (ImportJob.State.DONE, 0)
    told = [
        [records.values_of(record, private=True)[field.alias] for field in table.fields]
        for table in (filled, copy)
        for record in records.find(table, order="id").records
    ]
    assert sorted(told[:2], key=str) == sorted(told[2:4], key=str) == sorted(told[4:], key=str)


def test_exports_keep_the_filter_and_hide_personal_values(page: Client, filled: Table) -> None:
    lines = exported(page, "ndjson", "?q=2").decode().splitlines()
    assert [json.loads(line)["number"] for line in lines] == [2]
    every = [json.loads(line)["phone"] for line in exported(page, "ndjson").decode().splitlines()]
    assert every == [None, "+380*******33"]
    sheet: Any = openpyxl.load_workbook(io.BytesIO(exported(page, "xlsx"))).active
    assert [[cell.value for cell in row][1:3] for row in sheet.iter_rows(min_row=2)] == [[2, 'Anna, "quoted" line'], [1, "=1+1"]]
    assert sheet["C3"].data_type in ("inlineStr", "s")  # a text, never a formula
    assert [row.changes["format"] for row in AuditEntry.objects.filter(action="customdata.export").order_by("pk")] == [
        "ndjson",
        "ndjson",
        "xlsx",
    ]


def test_hidden_fields_are_in_no_export(signed_in: Callable[..., Client], shop: World, filled: Table) -> None:
    TableRight.objects.create(table=filled, role=_role("supervisor"), can_view=True, hidden=["subject"])
    reader = signed_in("supervisor", bots=[shop.bot])
    header = exported(reader, "csv", "?personal=1").decode("utf-8-sig").splitlines()
    assert header[0] == "id,Number,Phone,Due,Open,created_at,updated_at"
    assert "+380*******33" in header[2]  # who may not edit sees no personal values
