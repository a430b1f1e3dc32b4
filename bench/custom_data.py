"""`python -m bench.custom_data [--rows 1000000]`: a model of a business user beside a plain table with the same columns, in one run.

A private PostgreSQL as in production; the file is loaded by `running` as the worker does it, with its indexes in place; the plain table is filled by
COPY without any check and indexed afterwards, which is the best that PostgreSQL itself can do with such a file.
"""

import argparse
import json
import os
import random
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

TIMES = 40
COLUMNS = "number numeric, subject text, status text, amount numeric, due date, seen timestamptz, urgent boolean, story text"
WORDS = [
    "доставка",
    "заказ",
    "телефон",
    "оплата",
    "возврат",
    "курьер",
    "адрес",
    "склад",
    "delivery",
    "order",
    "phone",
    "payment",
    "refund",
    "courier",
    "address",
]
LIMIT = 50


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.custom_data", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        print(json.dumps(measured(given.rows)))
        return
    from bench import ground  # noqa: PLC0415  starts servers; the measuring process needs none of it

    with ground.running() as here:
        env = {**here.env, "DATABASE_URL": here.database("custom_data"), "REDIS_URL": here.redis_url, "LOG_LEVEL": "ERROR"}
        env |= {"DJANGO_SETTINGS_MODULE": "config.settings", "MEDIA_ROOT": str(here.folder / "media")}
        here.step(env, "manage.py", "migrate", "--no-input")
        told = json.loads(here.step(env, "-m", "bench.custom_data", "--inside", "--rows", str(given.rows)).splitlines()[-1])
    show(told)


def show(told: dict[str, Any]) -> None:
    for name, value in told["facts"].items():
        print(f"{name:48} {value}")
    print(f"\n{'p50, ms':48} {'model':>10} {'plain':>10} {'ratio':>8}")
    for name, (ours, plain) in told["latencies"].items():
        ratio = f"{ours / plain:8.1f}" if plain else f"{'':>8}"
        print(f"{name:48} {ours:10.2f} {plain:10.2f} {ratio}" if plain else f"{name:48} {ours:10.2f} {'':>10}")


def measured(rows: int) -> dict[str, Any]:
    """Everything, in a process with Django set up."""
    import django  # noqa: PLC0415  needs the environment of `main`

    django.setup()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "complaints.csv"
        write_file(path, rows)
        table, facts = load_model(path, rows)
        facts |= load_plain(path, rows)
    facts["memory of the process, MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    began = time.monotonic()
    from apps.customdata import searching  # noqa: PLC0415  after django.setup

    searching.keep_indexes()
    facts["search index, s"] = round(time.monotonic() - began, 1)
    execute("ANALYZE plain")
    execute(f"ANALYZE records.{table.relation}")
    return {"facts": facts, "latencies": latencies(table, rows)}


def write_file(path: Path, rows: int) -> None:
    chance = random.Random(7)
    with path.open("w", encoding="utf-8") as stream:
        stream.write("number,subject,status,amount,due,seen,urgent,story\n")
        for number in range(1, rows + 1):
            words = " ".join(chance.choices(WORDS, k=3))
            day = f"2026-{number % 12 + 1:02}-{number % 28 + 1:02}"
            status = chance.choice(("new", "open", "done"))
            amount = f"{chance.randrange(10**7) / 100:.2f}"
            stream.write(
                f"{number},{words} {number},{status},{amount},{day},{day} {number % 24:02}:30,{'yes' if number % 3 else 'no'},story {words}\n"
            )


def load_model(path: Path, rows: int) -> tuple[Any, dict[str, Any]]:
    from django.core.files import File  # noqa: PLC0415

    from apps.customdata import designing, structure  # noqa: PLC0415
    from apps.customdata.designing import FieldSpec  # noqa: PLC0415
    from apps.customdata.importing import making, running  # noqa: PLC0415
    from apps.customdata.importing.models import ImportJob  # noqa: PLC0415

    choices = {"choices": [{"value": value} for value in ("new", "open", "done")]}
    table = designing.create_table(
        name="Complaints",
        fields=[
            FieldSpec("number", "number", unique=True), FieldSpec("subject", "text", indexed=True, in_search=True),
            FieldSpec("status", "choice", options=choices, indexed=True), FieldSpec("amount", "number", options={"decimals": 2}, indexed=True),
            FieldSpec("due", "date"), FieldSpec("seen", "datetime"), FieldSpec("urgent", "boolean"), FieldSpec("story", "long_text"),
        ],
    )  # fmt: skip
    with path.open("rb") as content:
        job = making.new_job(table, making.keep(File(content, name=path.name)), name=path.name)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    running.start(job, at_once=True, by_hand=True)
    began = time.monotonic()
    while running.work(job.pk):
        pass
    seconds = time.monotonic() - began
    job = ImportJob.objects.get(pk=job.pk)
    if job.created != rows:
        raise SystemExit(f"{job.created} of {rows} rows were loaded: {job.state} {job.error}")
    facts = {
        "rows": rows,
        "import: checked, 4 indexes, history, rows/s": round(rows / seconds),
        "import, s": round(seconds, 1),
        "memory grown by the import, MB": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024,
        "model with indexes, MB": first(f"SELECT pg_total_relation_size('records.{table.relation}') / 1000000"),
    }
    return structure.fresh(table.pk), facts


def load_plain(path: Path, rows: int) -> dict[str, Any]:
    from django.db import connection, transaction  # noqa: PLC0415

    execute(f"CREATE TABLE plain (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, {COLUMNS})")
    began = time.monotonic()
    names = ", ".join(part.split()[0] for part in COLUMNS.split(", "))
    with transaction.atomic(), connection.cursor() as cursor, path.open("rb") as stream:
        cursor.execute("SET LOCAL statement_timeout = 0")
        with cursor.copy(f"COPY plain ({names}) FROM STDIN (FORMAT csv, HEADER)") as pipe:
            while block := stream.read(1 << 20):
                pipe.write(block)
    copied = time.monotonic() - began
    began = time.monotonic()
    execute("CREATE UNIQUE INDEX ON plain (number)")
    for name in ("lower(subject)", "status", "amount"):
        execute(f"CREATE INDEX ON plain ({name}, id)")
    indexed = time.monotonic() - began
    return {
        "plain: COPY without checks, indexes afterwards, rows/s": round(rows / (copied + indexed)),
        "plain: index build, s": round(indexed, 1),
        "plain with indexes, MB": first("SELECT pg_total_relation_size('plain') / 1000000"),
    }


def latencies(table: Any, rows: int) -> dict[str, tuple[float, float]]:
    from apps.customdata import records, searching  # noqa: PLC0415
    from apps.customdata.records import Actor, Filter  # noqa: PLC0415

    by, chance = Actor("system", "bench"), random.Random(11)
    deep = ""
    for _page in range(20):
        deep = records.find(table, order="amount", after=deep, limit=1000).next
    middle = first(f"SELECT amount FROM plain ORDER BY amount, id OFFSET {min(20_000, rows // 2)} LIMIT 1")

    def some() -> int:
        return chance.randrange(1, rows)

    def upsert() -> None:
        records.upsert(table, "number", {"number": some(), "amount": chance.randrange(1000)}, by=by)

    def many() -> None:
        given = [{"number": number, "amount": chance.randrange(1000)} for number in {some() for _ in range(1000)}]
        records.upsert_many(table, "number", given, by=by)

    def plain_upsert() -> None:
        execute("INSERT INTO plain (number, amount) VALUES (%s, %s) ON CONFLICT (number) DO UPDATE SET amount = excluded.amount",
                [some(), Decimal(chance.randrange(1000))])  # fmt: skip

    page = f"LIMIT {LIMIT}"
    return {
        "first page": (p50(lambda: records.find(table)), p50(lambda: execute(f"SELECT * FROM plain ORDER BY id DESC {page}"))),
        "one record by its key": (
            p50(lambda: records.find(table, [Filter("number", "eq", some())])),
            p50(lambda: execute("SELECT * FROM plain WHERE number = %s", [Decimal(some())])),
        ),
        "filter and sort, a page": (
            p50(lambda: records.find(table, [Filter("status", "eq", "new"), Filter("amount", "gte", "50000")], order="amount")),
            p50(lambda: execute(f"SELECT * FROM plain WHERE status = 'new' AND amount >= 50000 ORDER BY amount, id {page}")),
        ),
        "page 21 by key, 1,000 records each": (
            p50(lambda: records.find(table, order="amount", after=deep)),
            p50(lambda: execute(f"SELECT * FROM plain WHERE (amount, id) > (%s, 0) ORDER BY amount, id {page}", [middle])),
        ),
        "count up to 1,000": (
            p50(lambda: records.count(table, [Filter("status", "eq", "new")])),
            p50(lambda: execute("SELECT count(*) FROM (SELECT 1 FROM plain WHERE status = 'new' LIMIT 1001) AS x")),
        ),
        "search, a rare word": (p50(lambda: searching.search(table, f"доставки {some()}")), 0),
        "search, a word begun": (p50(lambda: searching.search(table, "дост")), 0),
        "upsert of one record, with history and event": (p50(upsert), p50(plain_upsert)),
        "upsert of 1,000 records in one call": (p50(many, times=5), 0),
    }


def p50(work: Callable[[], Any], *, times: int = TIMES) -> float:
    """Milliseconds; the first, cold ones do not count."""
    taken = []
    for number in range(times + 2):
        began = time.perf_counter()
        work()
        if number > 1:
            taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


def execute(statement: str, params: list[Any] | None = None) -> list[Any]:
    from django.db import connection  # noqa: PLC0415

    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return list(cursor.fetchall()) if cursor.description else []


def first(statement: str) -> Any:
    value = execute(statement)[0][0]
    return int(value) if isinstance(value, int) else value


if __name__ == "__main__":
    os.umask(0o077)
    main()
