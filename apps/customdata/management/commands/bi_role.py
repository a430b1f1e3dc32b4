"""`manage.py bi_role NAME [--personal] [--revoke]`: a role of PostgreSQL for the BI tool that sees the models' views and nothing else."""

import os
import secrets
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import ProgrammingError, connection, transaction
from psycopg import sql

from apps.core import audit
from apps.customdata import bi

TIMEOUT = "5min"


class Command(BaseCommand):
    help = "Make a read-only database role that sees only the views of custom data (schema bi); prints its new password once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the role's name, e.g. metabase")
        parser.add_argument(
            "--personal", action="store_true", help="also personal data in clear (schema bi_pii); makes copies that are not encrypted"
        )
        parser.add_argument("--revoke", action="store_true", help="take the rights away again (with --personal only those)")

    def handle(self, *_args: Any, **options: Any) -> None:
        schemas = [bi.PERSONAL] if options["personal"] else [bi.OPEN]
        try:
            with transaction.atomic():
                if options["revoke"]:
                    self._revoke(options["name"], schemas)
                else:
                    self._make(options["name"], [bi.OPEN, *schemas])
        except ProgrammingError as error:
            reason = str(error).partition("\n")[0]
            raise CommandError(
                f"{reason}. The database user of the product needs CREATEROLE, or let the server's administrator run this."
            ) from error

    def _make(self, name: str, schemas: list[str]) -> None:
        password = os.environ.get("BI_PASSWORD") or secrets.token_urlsafe(24)
        role = sql.Identifier(name)
        if not _exists(name):
            _run(sql.SQL("CREATE ROLE {} NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION").format(role))
        _run(sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(password)))
        for setting, value in (
            ("default_transaction_read_only", "on"),
            ("statement_timeout", TIMEOUT),
            ("search_path", ", ".join(dict.fromkeys(schemas))),
        ):
            _run(
                sql.SQL("ALTER ROLE {} SET {} TO {}").format(
                    role, sql.SQL(setting), sql.SQL(value) if setting == "search_path" else sql.Literal(value)
                )
            )
        _run(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(sql.Identifier(str(connection.settings_dict["NAME"])), role))
        for schema in dict.fromkeys(schemas):
            self._open(schema, role)
        audit.record(None, "customdata.bi_role", role=name, schemas=", ".join(dict.fromkeys(schemas)))
        if not os.environ.get("BI_PASSWORD"):
            self.stdout.write(f"Role {name}, password (shown once): {password}")
        self.stdout.write(f"It reads the views of: {', '.join(dict.fromkeys(schemas))}")

    def _open(self, schema: str, role: sql.Identifier) -> None:
        bi.make_schema(schema)
        if not _exists(bi.group(schema)):
            _run(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(bi.group(schema))))
        bi.keep()
        bi.grant_all(schema)
        _run(sql.SQL("GRANT {} TO {}").format(sql.Identifier(bi.group(schema)), role))

    def _revoke(self, name: str, schemas: list[str]) -> None:
        for schema in schemas:
            if _exists(name) and _exists(bi.group(schema)):
                _run(sql.SQL("REVOKE {} FROM {}").format(sql.Identifier(bi.group(schema)), sql.Identifier(name)))
        if bi.PERSONAL in schemas and not _members(bi.group(bi.PERSONAL)):
            _run(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(bi.PERSONAL)))
            self.stdout.write("Nobody may read personal data now: the copies in clear are deleted.")
        audit.record(None, "customdata.bi_role_revoked", role=name, schemas=", ".join(schemas))
        self.stdout.write(f"{name} does not read {', '.join(schemas)} any more.")


def _exists(name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name])
        return cursor.fetchone() is not None


def _members(name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid JOIN pg_roles u ON u.oid = m.member WHERE r.rolname = %s AND u.rolcanlogin",
            [name],
        )
        return cursor.fetchone() is not None


def _run(statement: sql.Composable) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
