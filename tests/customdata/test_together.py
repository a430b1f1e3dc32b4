"""Several at once, and what dies in the middle: nothing is lost, nothing is doubled, nobody hangs."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from django.conf import settings as configured
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.customdata import changing, records, redesigning, structure, working
from apps.customdata.admin import listing
from apps.customdata.choosing import pairs
from apps.customdata.converting import Shape
from apps.customdata.designing import FieldSpec, add_field
from apps.customdata.fieldtype import kinds
from apps.customdata.filtering import condition
from apps.customdata.models import Field, FieldChange, RecordHistory, Table
from apps.customdata.records import Filter
from apps.customdata.storage import StorageBusyError
from tests.customdata.conftest import BY, CHOICES, make_table

ROWS = 4000


def together(*works: Callable[[], Any]) -> list[Any]:
    """What each gave, run at the same time on connections of their own."""
    found: list[Any] = [None] * len(works)

    def run(place: int, work: Callable[[], Any]) -> None:
        try:
            found[place] = work()
        except Exception as error:  # noqa: BLE001  what came of it is what the test looks at
            found[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return found


@pytest.mark.django_db(transaction=True)
def test_the_same_key_written_at_once_is_one_record(transactional_db: None) -> None:
    table = make_table(FieldSpec("Code", unique=True), FieldSpec("Name"))
    found = together(*[partial(records.upsert, table, "code", {"code": "Ж", "name": str(n)}, by=BY) for n in range(6)])
    assert (sorted(made for _record, made in found), records.count(table)) == ([False] * 5 + [True], 1)
    assert RecordHistory.objects.count() == 6


@pytest.mark.django_db(transaction=True)
def test_a_record_and_the_one_it_points_at_never_miss_each_other(transactional_db: None) -> None:
    shops = make_table(FieldSpec("Name"), name="Shops")
    orders = make_table(FieldSpec("Shop", "relation", options={"table": shops.pk}), name="Orders")
    for _attempt in range(4):
        shop = records.create(shops, {"name": "x"}, by=BY)
        together(partial(records.create, orders, {"shop": shop.pk}, by=BY), partial(records.delete, shops, shop.pk, by=BY))
        pointing = records.find(orders, [Filter("shop", "eq", shop.pk)]).records
        assert bool(pointing) == (records.get(shops, shop.pk) is not None)


@pytest.mark.django_db(transaction=True)
def test_a_change_of_the_model_does_not_wait_behind_a_long_write(transactional_db: None) -> None:
    table = make_table(FieldSpec("Name"))
    begun, done = threading.Event(), threading.Event()

    def write() -> None:
        with transaction.atomic():
            structure.for_writing(table)
            begun.set()
            done.wait(20)

    def change() -> Any:
        begun.wait(10)
        try:
            return add_field(table, FieldSpec("New"))
        finally:
            done.set()

    assert isinstance(together(write, change)[1], StorageBusyError)


@pytest.mark.django_db(transaction=True)
def test_a_conversion_killed_in_the_middle_goes_on_where_it_stood(transactional_db: None) -> None:
    table = make_table(FieldSpec("Value"))
    with connection.cursor() as cursor:
        column = table.by_alias["value"].column
        cursor.execute(f"INSERT INTO records.{table.relation} ({column}) SELECT n::text FROM generate_series(1, {ROWS}) AS n")  # noqa: S608  our own names
    change = changing.begin_conversion(table.by_alias["value"], {"kind": "number", "options": {}, "personal": False}, user=None)
    assert change is not None
    while changing.work(change):
        pass
    changing.start(change)
    _kill_at_work(change)
    change.refresh_from_db()
    assert change.state == FieldChange.State.RUNNING
    assert not working.work()
    change.refresh_from_db()
    assert (change.state, change.done, change.fits, change.refused) == (FieldChange.State.REVIEW, ROWS, ROWS, 0)
    field = structure.fresh(table.pk).by_alias["value"]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*), sum({field.column}), count(*) FILTER (WHERE {field.column} <> id) FROM records.{table.relation}")  # noqa: S608
        assert cursor.fetchone() == (ROWS, ROWS * (ROWS + 1) // 2, 0)


WORKER = """
import time, django
django.setup()
from apps.customdata import changing, converting
from apps.customdata.models import FieldChange
converting.unmarked.__kwdefaults__["limit"] = 50
change = FieldChange.objects.get(pk={pk})
while changing.work(change):
    print("batch", flush=True)
    time.sleep(0.02)
"""


def _kill_at_work(change: FieldChange) -> None:
    """A real process, killed without a word after a few batches."""
    name = connection.settings_dict["NAME"]
    address = os.environ["DATABASE_URL"].rpartition("/")[0]
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings_test", "DATABASE_URL": f"{address}/{name}"}
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER.format(pk=change.pk)], env=env, cwd=configured.BASE_DIR, stdout=subprocess.PIPE, text=True
    )
    assert worker.stdout
    assert [worker.stdout.readline().strip() for _line in range(3)] == ["batch"] * 3
    worker.send_signal(signal.SIGKILL)
    worker.wait(10)
    worker.stdout.close()


@pytest.mark.django_db(transaction=True)
def test_the_index_of_a_big_model_is_built_in_the_background(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.customdata.storage.SMALL", 1)
    table = make_table(FieldSpec("Name"))
    records.create_many(table, [{"name": "A"}, {"name": "B"}, {"name": "b"}], by=BY)
    good = add_field(table, FieldSpec("Town", indexed=True))
    bad = Field.objects.get(pk=table.by_alias["name"].pk)
    bad.unique, bad.index_state = True, Field.Index.WANTED
    bad.save()
    assert not working.work()
    states = dict(Field.objects.filter(pk__in=[good.pk, bad.pk]).values_list("pk", "index_state"))
    assert states == {good.pk: "ready", bad.pk: "failed"}
    assert "could not create unique index" in Field.objects.get(pk=bad.pk).index_error
    records.update(structure.fresh(table.pk), records.find(table).records[0].pk, {"name": "C"}, by=BY)
    design = redesigning.described(structure.fresh(table.pk))
    redesigning.save(table.pk, {**design, "rights": []}, user=None, version=design["version"])
    assert not working.work()
    assert Field.objects.get(pk=bad.pk).index_state == "ready"


@pytest.mark.django_db
def test_a_filter_uses_the_index_of_its_field(db: None) -> None:
    table = make_table(FieldSpec("Code", indexed=True), FieldSpec("Amount", "number", options={"decimals": 2}, indexed=True))
    code, amount = (table.by_alias[alias].column for alias in ("code", "amount"))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO records.{table.relation} ({code}, {amount}) SELECT 'Код ' || n, n / 100.0 FROM generate_series(1, 5000) AS n"  # noqa: S608  our own names
        )
        cursor.execute(f"ANALYZE records.{table.relation}")
    for asked in (Filter("code", "eq", "КОД 77"), Filter("amount", "eq", 12.5), Filter("amount", "gt", "49.9")):
        rows = records.model_of(table)._default_manager.filter(condition(table, asked))
        assert "Index" in rows.explain(), asked
    page = records.find(table, order="amount", limit=10)
    assert [float(getattr(one, table.by_alias["amount"].attribute)) for one in page.records] == [n / 100 for n in range(1, 11)]


@pytest.mark.django_db
def test_a_question_that_takes_too_long_is_stopped_with_advice(admin_client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    make_table(FieldSpec("Name", in_filter=True), name="Slow")

    def page(_self: Any, _request: Any) -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(5)")
        return []

    monkeypatch.setattr(listing, "PATIENCE_SECONDS", 0.1)
    monkeypatch.setattr(listing.RecordChangeList, "_page", page)
    begun = time.monotonic()
    answer = admin_client.get("/admin/data/slow/?name=x")
    assert (answer.status_code, time.monotonic() - begun < 4) == (200, True)
    assert "Mark as indexed in the model: “Name”" in str(next(iter(answer.context["messages"])))


OPTIONS: dict[str, dict[str, Any]] = {"choice": CHOICES, "choices": CHOICES, "number": {"decimals": 4}, "relation": {"table": 1}}
ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=60), st.decimals(), st.dates(), st.datetimes(),
    st.lists(st.text(max_size=5), max_size=3), st.dictionaries(st.text(max_size=3), st.integers(), max_size=2), st.binary(max_size=5),
    st.from_regex(r"[+-]?[0-9 .,']{1,25}(e[0-9]{1,3})?", fullmatch=True), st.sampled_from(["new", "Done", "да", "нет", "21.11.2026", "2026-11-21T10:00Z"]),
)  # fmt: skip


@pytest.mark.parametrize("kind", sorted(kinds))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=ANYTHING)
def test_whatever_is_given_is_read_or_refused_in_words_and_comes_back_the_same(kind: str, value: Any) -> None:
    field = Shape(1, "A", "a", kind, OPTIONS.get(kind, {}), personal=False, column="f_1")
    try:
        found = field.type.clean(field, value)
    except ValueError as error:
        why = str(error)
    else:
        why = _comes_back(field, found)
    assert why


def _comes_back(field: Shape, found: Any) -> str:
    assert field.type.clean(field, field.type.dump(field, found)) == found or field.kind == "json"
    assert isinstance(field.type.show(field, found), str)
    return "it does"


def test_every_kind_has_a_name_and_says_what_may_be_asked() -> None:
    for kind in kinds.values():
        assert str(kind.label)
        assert "empty" in kind.operators
        assert kind.index in ("", "plain", "fold", "gin")
    assert pairs(Shape(1, "A", "a", "choice", CHOICES, personal=False, column="f_1")) == [("new", "New"), ("done", "Done")]


@pytest.fixture
def transactional_db(transactional_db: None) -> Iterator[None]:
    """Real commits; the models of a test go with it (conftest)."""
    yield
    Table.objects.all().delete()
    structure.forget()
