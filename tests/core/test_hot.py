"""Statements of the hot paths against the real database."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import NotSupportedError, connection, transaction
from django.db.models.expressions import DatabaseDefault

from apps.bots.models import Bot, Channel
from apps.core import hot


@pytest.fixture
def _table(transactional_db: None) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE hot_test (id bigint PRIMARY KEY, word varchar(10))")
        cursor.execute("INSERT INTO hot_test VALUES (1, 'one'), (2, 'two')")
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE hot_test")


READ = "SELECT word FROM hot_test WHERE id = ANY (%s::bigint[]) ORDER BY id"


@pytest.mark.parametrize("words", [["plain"], ['with "quotes"', "and, {commas}", "back\\slash", "", "NULL", "Привет"], []])
@pytest.mark.django_db
def test_lists_of_texts_arrive_as_they_are(words: list[str]) -> None:
    rows = hot.run("SELECT word FROM unnest(%s::text[]) WITH ORDINALITY AS t(word, place) ORDER BY place", [hot.texts(words)])
    assert [word for (word,) in rows] == words


@pytest.mark.django_db
def test_rows_become_models_like_the_orms() -> None:
    bot = Bot.objects.create(name="Shop")
    rows = hot.run(f"SELECT {hot.columns(Bot, 'bot')} FROM bots_bot AS bot WHERE id = %s::bigint", [bot.pk])  # noqa: S608  our own columns
    (read,) = map(hot.reader(Bot), rows)
    known = Bot.objects.get(pk=bot.pk)
    assert read == known
    assert {field.attname: getattr(read, field.attname) for field in Bot._meta.concrete_fields} == {
        field.attname: getattr(known, field.attname) for field in Bot._meta.concrete_fields
    }
    read.name = "Other"
    read.save()
    assert Bot.objects.get(pk=bot.pk).name == "Other"


@pytest.mark.usefixtures("_table")
def test_statements_given_together_are_sent_as_one() -> None:
    with transaction.atomic(), hot.together():
        hot.later("UPDATE hot_test SET word = %s WHERE id = %s::bigint", ["eins", 1])
        hot.later("DELETE FROM hot_test WHERE id = %s::bigint", [2])
        hot.notify("hot_test")
        assert hot.run(READ, [hot.numbers([1, 2])]) == [("one",), ("two",)]
    assert hot.run(READ, [hot.numbers([1, 2])]) == [("eins",)]


@pytest.mark.usefixtures("_table")
def test_a_failing_block_sends_nothing() -> None:
    with pytest.raises(ZeroDivisionError), hot.together():
        _delete_and_fail()
    assert len(hot.run(READ, [hot.numbers([1, 2])])) == 2
    hot.later("DELETE FROM hot_test", [])  # and what comes later is not gathered any more
    assert hot.run(READ, [hot.numbers([1, 2])]) == []


@pytest.mark.usefixtures("_table")
def test_a_release_may_change_a_column_under_a_plan() -> None:
    for _time in range(4):
        assert hot.run(READ, [hot.numbers([1])]) == [("one",)]
    _widen(20)
    assert hot.run(READ, [hot.numbers([1])]) == [("one",)]


@pytest.mark.usefixtures("_table")
def test_in_a_transaction_an_old_plan_fails_once() -> None:
    for _time in range(4):
        hot.run(READ, [hot.numbers([1])])
    _widen(30)
    with pytest.raises(NotSupportedError), transaction.atomic():
        hot.run(READ, [hot.numbers([1])])
    with transaction.atomic():
        assert hot.run(READ, [hot.numbers([1])]) == [("one",)]


def _delete_and_fail() -> None:
    hot.later("DELETE FROM hot_test", [])
    raise ZeroDivisionError


def _widen(size: int) -> None:
    """By another session, as a release does."""
    with connection.copy().cursor() as cursor:
        cursor.execute(f"ALTER TABLE hot_test ALTER COLUMN word TYPE varchar({size})")
        cursor.db.close()


@pytest.mark.django_db
def test_a_row_made_for_a_hot_path_is_the_models_own() -> None:
    bot = Bot.objects.create(name="Shop")
    made, plain = hot.make(Channel, bot=bot, kind="telegram"), Channel(bot=bot, kind="telegram")
    assert made.bot is bot
    assert made._state.adding is plain._state.adding is True
    for field in Channel._meta.concrete_fields:
        if not callable(field.default) or field.default in {dict, list}:
            ours, theirs = getattr(made, field.attname), getattr(plain, field.attname)
            assert type(ours) is type(theirs)
            assert ours == theirs or isinstance(ours, DatabaseDefault)
    made.config["mine"] = True
    assert hot.make(Channel, bot=bot).config == {}
    made.save()
    assert Channel.objects.get().bot == bot


@pytest.mark.django_db(transaction=True)
def test_the_sessions_of_a_dedicated_thread_read_by_index_and_those_of_others_do_not() -> None:
    def asked() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SHOW enable_seqscan")
            return str(cursor.fetchone()[0])

    def dedicated() -> list[str]:
        found = [asked()]
        hot.dedicate()
        found.append(asked())
        connection.close()
        found.append(asked())
        connection.close()
        return found

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(dedicated).result() == ["on", "off", "off"]
    assert asked() == "on"


HEADS = (
    "SELECT o.id FROM hot_queue o WHERE NOT EXISTS (SELECT 1 FROM hot_queue b WHERE b.lane = o.lane AND b.id < o.id) ORDER BY o.id LIMIT 50"
)


BY_LANE = "Index Cond: ((lane = o.lane) AND (id < o.id))"


@pytest.fixture
def _queue(transactional_db: None) -> Iterator[None]:
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE hot_queue (id bigint PRIMARY KEY, lane bigint) WITH (autovacuum_enabled = off)")
        cursor.execute("CREATE INDEX hot_queue_lane ON hot_queue (lane, id)")
        cursor.execute("VACUUM ANALYZE hot_queue")
        cursor.execute("SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off")
    yield
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE hot_queue")


def _plan_of_heads() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_prepared_statements WHERE statement = %s", [HEADS])
        [(name,)] = cursor.fetchall()
        cursor.execute(f"EXPLAIN EXECUTE {name}")
        return "\n".join(line for (line,) in cursor.fetchall())


@pytest.mark.usefixtures("_queue")
def test_a_plan_made_for_an_empty_table_is_forgotten_once_it_is_slow() -> None:
    for _time in range(10):
        hot.run(HEADS)
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO hot_queue SELECT i, i % 2000 FROM generate_series(1, 10000) AS i")
    assert BY_LANE not in _plan_of_heads()  # all rows are read for each
    hot._planned.at = float("-inf")
    hot.run(HEADS)
    hot.run(HEADS)
    assert BY_LANE in _plan_of_heads()
