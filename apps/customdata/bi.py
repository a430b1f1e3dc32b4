"""Models as typed, read-only SQL views for a BI tool, kept in step with their fields; a role that sees nothing else (docs/custom-data.md).

    bi.<alias>        every field under its alias in its own type; personal values are “***”, with a digest by which equal ones can be counted
    bi_pii.<alias>    the same with personal values in clear, for roles to which that was granted

Personal values are encrypted with keys that the database does not have. So the second schema stands on copies in clear, which exist only since
somebody asked for them (`manage.py bi_role NAME --personal`) and follow the records by the version of each.

    keep()            views and copies as they should be; safe at any time, beat calls it
    follow(table_id)  the same for one model, after a change of its fields
"""

import hashlib
import json

import structlog
from django.db import DatabaseError, connection, transaction
from psycopg import sql

from apps.customdata import noting, structure
from apps.customdata.building import model_of
from apps.customdata.models import Field, Table
from apps.customdata.storage import relation

logger = structlog.get_logger(__name__)
OPEN, PERSONAL = "bi", "bi_pii"
MASK = "***"
BATCH = 5_000
BATCHES = 20  # of a model in one call, so that a big one does not hold up the others
Sql = sql.Composable


def group(schema: str) -> str:
    """The role that may read the schema's views: roles belong to the whole server, so the database's name is in front."""
    suffix = {OPEN: "bi", PERSONAL: "bi_personal"}[schema]
    return f"{connection.settings_dict['NAME']}_{suffix}"[:63]


def keep() -> None:
    """All models. What fails now (a reader holds a view) is tried again by the next call."""
    there = _views()
    tables = structure.tables()
    for schema in _schemas():
        for (where, pk), name in there.items():
            if where == schema and pk not in tables:
                _quietly(lambda: _drop(schema, name))  # noqa: B023  called at once
    for table in tables.values():
        follow(table.pk)
    if has_personal():
        for table in tables.values():
            _quietly(lambda: copy_personal(table))  # noqa: B023  called at once


def follow(table_id: int) -> None:
    """Makes the views of one model anew unless they are right; never an error for who changed the model."""
    table = structure.tables().get(table_id)
    for schema in _schemas():
        if table is not None and _told(schema, table.pk) != _sign(table):
            _quietly(lambda: rebuild(table, schema))  # noqa: B023  called at once


def has_personal() -> bool:
    return PERSONAL in _schemas()


def _schemas() -> list[str]:
    """Those that are wanted: the second one only when somebody asked for it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nspname FROM pg_namespace WHERE nspname IN (%s, %s) ORDER BY 1", [OPEN, PERSONAL])
        return [name for (name,) in cursor.fetchall()]


def make_schema(schema: str) -> None:
    _run(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))


def _quietly(work: object) -> None:
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', '2s', true)")
            work()  # type: ignore[operator]
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout TO DEFAULT")
    except DatabaseError as error:
        logger.warning("a view for BI is made later", error=str(error).partition("\n")[0][:200])


# --- views -----------------------------------------------------------------------------------------------------------


def _sign(table: Table) -> str:
    """The comment on a view: whose it is, and what it was made of."""
    parts = [(field.alias, field.column, field.kind, field.personal, field.name) for field in table.fields]
    return f"model {table.pk} {hashlib.sha256(json.dumps([table.alias, parts]).encode()).hexdigest()[:16]}"


def _views() -> dict[tuple[str, int], str]:
    """(schema, model's id) → name of the view."""
    return {(schema, int(comment.split()[1])): name for schema, name, comment in _comments()}


def _told(schema: str, pk: int) -> str:
    return next((comment for where, _name, comment in _comments() if where == schema and comment.startswith(f"model {pk} ")), "")


def _comments() -> list[tuple[str, str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n.nspname, c.relname, obj_description(c.oid, 'pg_class') FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname IN (%s, %s) AND c.relkind = 'v' AND obj_description(c.oid, 'pg_class') ~ '^model [0-9]+ '",
            [OPEN, PERSONAL],
        )
        return list(cursor.fetchall())


def rebuild(table: Table, schema: str = OPEN) -> None:
    """The view, its comments and its right, in the caller's transaction."""
    old = _views().get((schema, table.pk))
    if old is not None:
        _drop(schema, old)
    if schema == PERSONAL:
        _run(
            sql.SQL('CREATE TABLE IF NOT EXISTS {} (id bigint PRIMARY KEY, version integer, shape text, "values" jsonb)').format(
                _copies(table)
            )
        )
    name = sql.Identifier(schema, table.alias)
    columns = sql.SQL(", ").join(
        [
            sql.SQL("t.id"),
            *(part for field in table.fields for part in _columns(table, field, schema)),
            sql.SQL("t.created_at, t.updated_at"),
        ]
    )
    source = sql.SQL("{} AS t").format(relation(table))
    if schema == PERSONAL:
        source += sql.SQL(" LEFT JOIN {} AS p ON p.id = t.id AND p.version = t.version").format(_copies(table))
    _run(sql.SQL("CREATE VIEW {} AS SELECT {} FROM {}").format(name, columns, source))
    _run(sql.SQL("COMMENT ON VIEW {} IS {}").format(name, sql.Literal(_sign(table))))
    for field in table.fields:
        _run(sql.SQL("COMMENT ON COLUMN {} IS {}").format(sql.Identifier(schema, table.alias, field.alias), sql.Literal(field.name)))
    _grant(schema, name)


def _columns(table: Table, field: Field, schema: str) -> list[Sql]:
    """A column under the field's alias; of a personal field also the digest, unless a field is called so."""
    column, alias = sql.Identifier("t", field.column), sql.Identifier(field.alias)
    if not field.personal:
        return [sql.SQL("{} AS {}").format(column, alias)]
    digest = f"{field.alias}_digest"
    shown = sql.SQL("CASE WHEN {} IS NOT NULL THEN {} END AS {}").format(column, sql.Literal(MASK), alias)
    if schema == PERSONAL:
        shown = sql.SQL('(p."values" ->> {})::{} AS {}').format(sql.Literal(field.column), sql.SQL(field.type.column), alias)
    if digest in table.by_alias:
        return [shown]
    return [shown, sql.SQL("{} AS {}").format(sql.Identifier("t", field.digest_column), sql.Identifier(digest))]


def _drop(schema: str, name: str) -> None:
    _run(sql.SQL("DROP VIEW IF EXISTS {}").format(sql.Identifier(schema, name)))


def _grant(schema: str, name: Sql) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [group(schema)])
        if cursor.fetchone():
            cursor.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(name, sql.Identifier(group(schema))))


def grant_all(schema: str) -> None:
    """The group may read every view of the schema; tables of copies are not views."""
    _run(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(sql.Identifier(schema), sql.Identifier(group(schema))))
    for where, name, _comment in _comments():
        if where == schema:
            _grant(schema, sql.Identifier(schema, name))


def _run(statement: Sql) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


# --- copies in clear -------------------------------------------------------------------------------------------------


def _copies(table: Table) -> sql.Identifier:
    return sql.Identifier(PERSONAL, f"c_{table.pk}")


def copy_personal(table: Table) -> int:
    """Brings the copies after the records: those that were made or changed, and those that are gone; how many were written."""
    personal = [field for field in table.fields if field.personal]
    if (PERSONAL, table.pk) not in _views():
        return 0
    _run(sql.SQL("DELETE FROM {} AS p WHERE NOT EXISTS (SELECT 1 FROM {} AS t WHERE t.id = p.id)").format(_copies(table), relation(table)))
    if not personal:
        return 0
    shape, written = ",".join(field.column for field in personal), 0
    for _round in range(BATCHES):
        ids = _stale(table, shape)
        rows = model_of(table)._default_manager.filter(pk__in=ids).only("id", "version", *(field.attribute for field in personal))
        copies = [
            {
                "id": row.pk,
                "version": row.version,
                "values": {field.column: noting.dumped(field, getattr(row, field.attribute), private=True) for field in personal},
            }
            for row in rows
        ]
        _store(table, shape, copies)
        written += len(copies)
        if len(ids) < BATCH:
            break
    return written


def _stale(table: Table, shape: str) -> list[int]:
    statement = sql.SQL(
        "SELECT t.id FROM {} AS t LEFT JOIN {} AS p ON p.id = t.id WHERE p.id IS NULL OR p.version <> t.version OR p.shape <> {} LIMIT {}"
    ).format(relation(table), _copies(table), sql.Literal(shape), sql.Literal(BATCH))
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return [pk for (pk,) in cursor.fetchall()]


def _store(table: Table, shape: str, copies: list[dict[str, object]]) -> None:
    statement = sql.SQL(
        'INSERT INTO {} (id, version, shape, "values") SELECT n.id, n.version, {}, n."values" '
        'FROM json_to_recordset(%s) AS n(id bigint, version integer, "values" jsonb) '
        'ON CONFLICT (id) DO UPDATE SET version = excluded.version, shape = excluded.shape, "values" = excluded."values"'
    ).format(_copies(table), sql.Literal(shape))
    with connection.cursor() as cursor:
        cursor.execute(statement, [json.dumps(copies, ensure_ascii=False)])
