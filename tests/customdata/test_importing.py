"""Loads: every cell checked, good rows once, the others named by row and column."""

import os
import signal
import subprocess
import sys
import time
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.db import connection
from psycopg import sql

from apps.core.models import AuditEntry
from apps.customdata import following, records, structure
from apps.customdata.designing import FieldSpec
from apps.customdata.importing import loading, making, plan, running, staging
from apps.customdata.importing.limits import FileError
from apps.customdata.importing.models import ImportJob, ImportProblem
from apps.customdata.models import Field, FieldChange, RecordHistory, Table
from apps.customdata.records import Filter, model_of
from apps.events.models import Event
from tests.customdata.conftest import BY, make_table

pytestmark = pytest.mark.django_db
State = ImportJob.State
HEADER = "Number;Subject;Status;Amount;Due;Seen;Urgent;Tags;Data;Phone;Story\n"
GOOD = '1;Broken screen;New;1 250,50;21.11.2026;21.11.2026 14:30;да;new, done;"{""a"": [1]}";+38 050 111 22 33;"one\ntwo"\n'


@pytest.fixture(autouse=True)
def _media(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def job_of(table: Table, text: str, *, key: str = "", **fields: Any) -> ImportJob:
    job = making.new_job(table, making.keep(ContentFile(text.encode())), name="file.csv")
    job.key = table.by_alias[key] if key else None
    for name, value in fields.items():
        setattr(job, name, value)
    return job


def run(job: ImportJob, *, at_once: bool = True) -> ImportJob:
    running.start(job, at_once=at_once, by_hand=True)
    running.work(job.pk)
    job.refresh_from_db()
    return job


def load(table: Table, text: str, **options: Any) -> ImportJob:
    return run(job_of(table, text, **options))


def problems(job: ImportJob) -> list[tuple[int, str, str, str]]:
    return [(one.row, one.column, one.code, one.value) for one in ImportProblem.objects.filter(job=job)]


def all_of(table: Table, *aliases: str) -> list[Any]:
    fields = [structure.fresh(table.pk).by_alias[alias].attribute for alias in aliases]
    return list(model_of(structure.fresh(table.pk))._default_manager.order_by("pk").values_list(*fields, flat=len(fields) == 1))


def test_cells_become_what_a_person_typing_them_would_get(complaints: Table) -> None:
    job = load(complaints, HEADER + GOOD)
    assert (job.state, job.total, job.created, job.bad, problems(job)) == (State.DONE, 1, 1, 0, [])
    loaded = records.find(complaints).records[0]
    typed = records.create(
        complaints,
        {"number": 2, "subject": "Broken screen", "status": "New", "amount": "1 250,50", "due": "21.11.2026", "seen": "21.11.2026 14:30",
         "urgent": "да", "tags": "new, done", "data": '{"a": [1]}', "phone": "+38 050 111 22 33", "story": "one\ntwo"},
        by=BY,
    )  # fmt: skip
    told = [records.values_of(one, private=True) for one in (loaded, typed)]
    for one in told:
        for name in ("id", "number", "created_at", "updated_at"):
            del one[name]
    assert told[0] == told[1]
    assert [row.pk for row in records.find(complaints, [Filter("phone", "eq", "+380501112233")]).records] == [typed.pk, loaded.pk]


def test_every_wrong_cell_is_named_by_row_and_column(complaints: Table) -> None:
    text = (
        HEADER
        + "x;;maybe;1,234;31.02.2026;25:00;hm;new, other;{;12;ok\n"
        + "1;good;;;;;;;;;\n"
        + "2;short\n"
        + '3;"open;;;;;;;;;\n'
        + "1;twice;;;;;;;;;\n"
        + "5;=1+1;done;;2026-11-21;;no;;;;\n"
    )
    job = load(complaints, text)
    assert (job.state, job.total, job.bad, job.created) == (State.DONE, 6, 4, 2)
    found = {(row, column): code for row, column, code, _value in problems(job)}
    assert found == {
        (2, "Number"): "number", (2, "Subject"): "required", (2, "Status"): "choice", (2, "Amount"): "decimals", (2, "Due"): "date",
        (2, "Seen"): "datetime", (2, "Urgent"): "boolean", (2, "Tags"): "One of these is expected: New, Done.",
        (2, "Data"): found[2, "Data"], (2, "Phone"): "This is no phone number. Use the international form, e.g. +380501112233.",
        (4, ""): "cells", (5, ""): "quotes", (6, "Number"): "twice",
    }  # fmt: skip
    assert "not JSON" in found[2, "Data"]
    assert ("Phone", "") in {(column, value) for _row, column, _code, value in problems(job)}  # personal values are in no report
    assert job.mistakes == len(found)
    assert all_of(complaints, "subject", "status") == [("good", "new"), ("=1+1", "done")]


def test_all_or_nothing_loads_nothing_when_one_cell_is_wrong(complaints: Table) -> None:
    text = "Number,Subject\n1,a\n2,\n"
    job = load(complaints, text, mode=ImportJob.Mode.ALL)
    assert (job.state, job.bad, records.count(complaints)) == (State.REFUSED, 1, 0)
    assert load(complaints, "Number,Subject\n1,a\n2,b\n", mode=ImportJob.Mode.ALL).created == 2


def test_records_are_recognised_by_a_key(complaints: Table) -> None:
    records.create(complaints, {"number": 1, "subject": "old", "amount": 5, "phone": "+380501112233"}, by=BY)
    records.create(complaints, {"number": 2, "subject": "same"}, by=BY)
    job = load(complaints, "Number,Subject,Phone\n1,new,+380501112234\n2,same,\n3,more,\n", key="number")
    assert (job.created, job.updated, job.bad) == (1, 1, 0)
    assert all_of(complaints, "number", "subject", "amount") == [(1, "new", Decimal(5)), (2, "same", None), (3, "more", None)]
    history = RecordHistory.objects.filter(actor="import").order_by("pk")
    subject, phone = (str(complaints.by_alias[name].pk) for name in ("subject", "phone"))
    assert [(row.action, row.before, row.after) for row in history] == [
        ("updated", {subject: "old", phone: "***"}, {subject: "new", phone: "***"}),
        ("created", {}, {}),
    ]
    assert history[0].actor_name == f"import #{job.pk}"
    assert [record.version for record in records.find(complaints, order="id").records] == [2, 1, 1]


def test_values_that_others_have_are_refused(complaints: Table) -> None:
    records.create(complaints, {"number": 1, "subject": "old"}, by=BY)
    job = load(complaints, "Number,Subject\n1,new\n2,more\n")
    assert (problems(job), job.created) == ([(2, "Number", "taken", "1")], 1)


def test_a_value_taken_between_check_and_load_is_refused_then(complaints: Table) -> None:
    job = run(job_of(complaints, "Number,Subject\n1,a\n2,b\n3,c\n"), at_once=False)
    assert (job.state, job.bad) == (State.CHECKED, 0)
    records.create(complaints, {"number": 2, "subject": "faster"}, by=BY)
    assert running.confirm(job)
    running.work(job.pk)
    job.refresh_from_db()
    assert (job.state, job.created, job.bad, problems(job)) == (State.DONE, 2, 1, [(3, "Number", "taken", "2")])


def test_links_are_found_by_number_or_by_a_unique_field(complaints: Table) -> None:
    shops = make_table(FieldSpec("Code", "text", unique=True, required=True), name="Shops")
    linked = make_table(FieldSpec("Shop", "relation", options={"table": shops.pk}), FieldSpec("Person", "person"), name="Visits")
    first = records.create(shops, {"code": "Riga-1"}, by=BY)
    job = load(linked, f"Shop,Person\n{first.pk},\n{first.pk + 1},\nx,\n,999\n")
    assert [(row, code) for row, _column, code, _value in problems(job)] == [(3, "relation"), (4, "relation"), (5, "relation")]
    by_code = job_of(linked, "Shop\nriga-1\nriga-2\n")
    by_code.mapping["0"]["by"] = shops.by_alias["code"].pk
    assert (run(by_code).created, [row for row, *_rest in problems(by_code)]) == (1, [3])
    assert all_of(linked, "shop") == [first.pk, first.pk]


def test_a_linked_record_that_was_deleted_since_the_check_is_no_link(complaints: Table) -> None:
    linked = make_table(FieldSpec("Complaint", "relation", options={"table": complaints.pk}), name="Visits")
    kept, gone = (records.create(complaints, {"subject": text}, by=BY).pk for text in ("kept", "gone"))
    job = run(job_of(linked, f"Complaint\n{kept}\n{gone}\n"), at_once=False)
    records.delete(complaints, gone, by=BY)
    running.confirm(job)
    running.work(job.pk)
    job.refresh_from_db()
    assert (job.state, job.created, job.bad, problems(job)) == (State.DONE, 1, 1, [(3, "Complaint", "relation", str(gone))])
    assert all_of(linked, "complaint") == [kept]


def test_required_fields_need_a_column_unless_records_are_only_changed(complaints: Table) -> None:
    with pytest.raises(FileError, match="Subject"):
        load(complaints, "Number,Amount\n1,5\n")
    records.create(complaints, {"number": 1, "subject": "there"}, by=BY)
    job = load(complaints, "Number,Amount\n1,5\n2,6\n", key="number")
    assert (job.updated, job.created, [row for row, *_rest in problems(job)]) == (1, 0, [3])


def test_a_bulk_load_leaves_one_line_in_the_audit_and_the_log(complaints: Table) -> None:
    Event.objects.all().delete()
    load(complaints, "Number,Subject\n" + "".join(f"{n},a\n" for n in range(1, 51)))
    assert [(row.action, row.changes["created"]) for row in AuditEntry.objects.filter(action__startswith="customdata")] == [
        ("customdata.import", 50)
    ]
    assert [event.kind for event in Event.objects.all()] == ["records.imported"]
    assert RecordHistory.objects.filter(action="created", actor="import").count() == 50


def test_staging_is_gone_when_the_load_is_over(complaints: Table) -> None:
    job = load(complaints, "Number,Subject\n1,a\n")
    assert not staging.has_values(job, 1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'imports'")
        assert cursor.fetchone() == (0,)


def test_a_lost_staging_table_is_read_anew(complaints: Table) -> None:
    """A crash of the server empties tables that are not logged."""
    job = run(job_of(complaints, "Number,Subject\n1,a\n2,b\n"), at_once=False)
    staging.run(sql.SQL("TRUNCATE {}, {}").format(staging.table_of(job), staging.values_of(job)))
    running.confirm(job)
    while running.work(job.pk):
        pass
    job.refresh_from_db()
    assert (job.state, job.created, all_of(complaints, "subject")) == (State.DONE, 2, ["a", "b"])


def test_a_load_can_be_cancelled(complaints: Table) -> None:
    waiting = run(job_of(complaints, "Number,Subject\n1,a\n"), at_once=False)
    running.cancel(waiting)
    waiting.refresh_from_db()
    assert (waiting.state, records.count(complaints)) == (State.CANCELLED, 0)
    working = job_of(complaints, "Number,Subject\n1,a\n")
    running.start(working, at_once=True, by_hand=True)
    running.cancel(working)
    running.work(working.pk)
    working.refresh_from_db()
    assert (working.state, working.created, records.count(complaints)) == (State.CANCELLED, 0, 0)


def test_a_model_that_changed_is_checked_again(complaints: Table) -> None:
    job = run(job_of(complaints, "Number,Subject\n1,a\n"), at_once=False)
    Field.objects.filter(pk=complaints.by_alias["subject"].pk).update(options={"max_length": 300})
    following.changed(complaints.pk)
    running.confirm(job)
    running.work(job.pk)
    job.refresh_from_db()
    assert (job.state, records.count(complaints)) == (State.FAILED, 0)
    assert "changed" in job.error


def test_a_load_waits_for_a_conversion(complaints: Table) -> None:
    field = complaints.by_alias["subject"]
    change = FieldChange.objects.create(table=complaints, field=field, action="convert", state="running")
    job = load(complaints, "Number,Subject\n1,a\n")
    assert (job.state, job.created) == (State.LOADING, 0)
    change.delete()
    running.work(job.pk)
    job.refresh_from_db()
    assert (job.state, job.created) == (State.DONE, 1)


def test_the_command_makes_the_model_and_tells_the_rate(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes("Номер;Сумма\n7;12,50\n8;x\n".encode("cp1251"))
    call_command("import_records", str(path), "--model", "orders", "--create", "--key", "nomer")
    told = capsys.readouterr().out
    assert "Model orders: nomer (Number), summa (Text)" in told
    assert "loaded: 2 rows, 2 loaded (2 new, 0 changed), 0 refused" in told
    call_command("import_records", str(path), "--model", "orders", "--key", "nomer")
    assert "0 loaded (0 new, 0 changed), 0 refused" in capsys.readouterr().out
    with pytest.raises(CommandError, match="no unique field"):
        call_command("import_records", str(path), "--model", "orders", "--key", "summa")
    with pytest.raises(CommandError, match="--create"):
        call_command("import_records", str(path), "--model", "nothing")


def test_two_columns_cannot_fill_one_field(complaints: Table) -> None:
    job = job_of(complaints, "Number,Subject,More\n1,a,b\n")
    job.mapping["2"] = {"field": complaints.by_alias["subject"].pk, "by": 0}
    with pytest.raises(FileError, match="same field"):
        plan.check(plan.plan_of(job, complaints))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("mode", [ImportJob.Mode.GOOD, ImportJob.Mode.ALL])
def test_killed_in_the_middle_nothing_is_lost_and_nothing_doubled(complaints: Table, mode: str) -> None:
    """A real process is killed in the middle of the load; another one goes on."""
    count = 20_000
    job = job_of(complaints, "Number,Subject,Phone\n" + "".join(f"{n},subject {n},+3805011{n:05}\n" for n in range(count)), mode=mode)
    running.start(job, at_once=True, by_hand=True)
    program = f"import django; django.setup()\nfrom apps.customdata.importing import running\nrunning.work({job.pk})"
    env = {**os.environ, "DATABASE_URL": _url(), "DJANGO_SETTINGS_MODULE": "config.settings_test"}
    kills = 0
    for seconds in (1.6, 2.0) if mode == ImportJob.Mode.GOOD else (1.8,):
        process = subprocess.Popen([sys.executable, "-c", program], env=env, stderr=subprocess.DEVNULL)
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        process.wait()
        kills += 1
        job.refresh_from_db()
        if not job.is_active:
            break
    while job.is_active:
        running.work(job.pk)
        job.refresh_from_db()
    assert (job.state, job.total, job.created, job.bad) == (State.DONE, count, count, 0)
    assert all_of(complaints, "number") == [Decimal(n) for n in range(count)]
    assert RecordHistory.objects.filter(table_id=complaints.pk, action="created").count() == count
    assert kills


def _url() -> str:
    params = connection.get_connection_params()
    host = str(params.get("host", "")).replace("/", "%2F")
    return f"postgres://{params.get('user', '')}@{host}:{params.get('port') or ''}/{params['dbname']}".replace(":/", "/")


def test_two_workers_do_not_load_one_file_twice(complaints: Table) -> None:
    job = run(job_of(complaints, "Number,Subject\n1,a\n2,b\n"), at_once=False)
    running.confirm(job)
    first, second = (ImportJob.objects.get(pk=job.pk) for _ in range(2))
    assert [done.created for done in loading.load(first, by=BY)] == [2]
    with pytest.raises(loading.LostError):
        list(loading.load(second, by=BY))
    assert records.count(complaints) == 2
