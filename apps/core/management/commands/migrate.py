"""Django's `migrate` for tables that are in use: it holds nobody up for long, and tries again."""

import time
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.core.management.commands import migrate
from django.db import OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration

from apps.core.sqlstates import DEADLOCK, LOCK_NOT_AVAILABLE, sqlstate

# Whoever comes after a migration that waits for a table waits behind it. Shorter than PostgreSQL looks for deadlocks (1 s): it is the migration that gives way.
LOCK_MS = 500
PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 5.0
_OLDEST = """
SELECT pid, application_name, extract(epoch FROM now() - xact_start)::int FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL ORDER BY xact_start LIMIT 1
"""


class Command(migrate.Command):
    help = (
        f"{migrate.Command.help} Safe beside a running release: a migration that finds its tables in use or meets a deadlock changes nothing "
        "and is tried again."
    )
    _in_steps = False
    """What is under way is not one transaction: what it did stays, so it cannot just be run again. Such a one asks for no lock that holds others up."""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--patience", type=float, default=300, help="Seconds in which a migration is tried again (300).")

    def handle(self, *args: Any, **options: Any) -> None:
        self._connection = connections[options["database"]]
        until = time.monotonic() + options["patience"]
        pause = PAUSE_SECONDS
        while not self._done(until, *args, **options):
            time.sleep(pause)
            pause = min(pause + PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
        _set_lock_timeout(self._connection, "DEFAULT")

    def _done(self, until: float, *args: Any, **options: Any) -> bool:
        try:
            super().handle(*args, **options)
        except OperationalError as error:
            if self._in_steps or sqlstate(error) not in {DEADLOCK, LOCK_NOT_AVAILABLE}:
                raise
            self.stdout.write("")
            if time.monotonic() > until:
                text = "Tables stayed in use. Nothing of this migration was changed. Let what holds them end, then run migrate again."
                raise CommandError(f"{text} {self._holder()}") from error
            self.stdout.write(self.style.WARNING(f"Its tables are in use; nothing of it was changed. It is tried again. {self._holder()}"))
            return False
        return True

    def migration_progress_callback(self, action: str, migration: Migration | None = None, fake: bool = False) -> None:  # noqa: FBT001, FBT002  as Django calls it
        if migration and action in {"apply_start", "unapply_start"}:
            self._in_steps = not migration.atomic
            _set_lock_timeout(self._connection, 0 if self._in_steps else LOCK_MS)
        elif action in {"apply_success", "unapply_success"}:
            self._in_steps = False
        super().migration_progress_callback(action, migration, fake)

    def _holder(self) -> str:
        with self._connection.cursor() as cursor:
            cursor.execute(_OLDEST)
            oldest = cursor.fetchone()
        if not oldest:
            return ""
        return "The oldest transaction is of process {} ({}), {} s old.".format(oldest[0], oldest[1] or "without a name", oldest[2])


def _set_lock_timeout(connection: BaseDatabaseWrapper, milliseconds: int | str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout TO {milliseconds}")
