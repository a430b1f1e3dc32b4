"""`manage.py import_records FILE --model ALIAS [--create] [--key FIELD]`: a file into a model, checked and loaded by the ways of the admin."""

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files import File
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from apps.core.trace import trace
from apps.customdata import structure
from apps.customdata.importing import checking, making, plan, running
from apps.customdata.importing.limits import FileError
from apps.customdata.importing.models import ImportJob, ImportProblem
from apps.customdata.importing.sniffing import Form
from apps.customdata.models import Field, Table

SHOWN = 20


class Command(BaseCommand):
    help = "Load a CSV or XLSX file into a model; prints the rows loaded and refused and the rate."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--model", required=True, metavar="ALIAS", help="the model's alias")
        parser.add_argument("--create", action="store_true", help="make the model from the file when there is none with this alias")
        parser.add_argument(
            "--key", default="", metavar="FIELD", help="recognise records by this unique field: change them, make the others"
        )
        parser.add_argument("--all-or-nothing", action="store_true", help="load nothing when one row has a mistake")
        parser.add_argument("--encoding", default="", help="utf-8, cp1251, utf-16-le …; otherwise as the file seems to be")
        parser.add_argument("--separator", default="", help="otherwise as the file seems to be")

    def handle(self, *_args: Any, **options: Any) -> None:
        path: Path = options["file"]
        if not path.is_file():
            raise CommandError(f"There is no file {path}.")
        try:
            with trace():
                self._load(path, options)
        except FileError as error:
            raise CommandError(str(error)) from error
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error

    def _load(self, path: Path, options: dict[str, Any]) -> None:
        with path.open("rb") as content:
            stored = making.keep(File(content, name=path.name))
        form = _form(making.look(stored).form, options)
        table = self._table(stored, form, options)
        job = making.new_job(table, stored, name=path.name, form=form)
        job.key = _key(table, options["key"])
        job.mode = ImportJob.Mode.ALL if options["all_or_nothing"] else ImportJob.Mode.GOOD
        self._tell_mapping(job, table)
        began = time.monotonic()
        running.start(job, at_once=True, by_hand=True)
        while running.work(job.pk):
            pass
        self._report(job, time.monotonic() - began)

    def _table(self, stored: str, form: Form, options: dict[str, Any]) -> Table:
        table = structure.by_alias(options["model"])
        if table is not None:
            return table
        if not options["create"]:
            raise FileError(_("There is no model “%(alias)s”. Add --create to make it from the file.") % {"alias": options["model"]})
        name = options["model"].replace("_", " ").capitalize()
        table = making.model_from(making.look(stored, form), name=name, alias=options["model"], key=options["key"])
        self.stdout.write(f"Model {table.alias}: " + ", ".join(f"{field.alias} ({field.type.label})" for field in table.fields))
        return table

    def _tell_mapping(self, job: ImportJob, table: Table) -> None:
        left_out = [name for number, name in enumerate(job.columns) if str(number) not in job.mapping]
        if left_out:
            self.stdout.write(f"Columns without a field of their name, left out: {', '.join(left_out)}")
        plan.check(plan.plan_of(job, table))

    def _report(self, job: ImportJob, seconds: float) -> None:
        job.refresh_from_db()
        for problem in ImportProblem.objects.filter(job=job)[:SHOWN]:
            self.stdout.write(f"row {problem.row}, {problem.column or 'whole row'}: {checking.message(problem.code)} {problem.value!r}")
        if job.mistakes > SHOWN:
            self.stdout.write(f"… {job.mistakes - SHOWN} more mistakes; see import {job.pk} in the admin")
        done = job.created + job.updated
        rate = round(job.total / seconds) if seconds else 0
        self.stdout.write(
            f"{job.get_state_display()}: {job.total} rows, {done} loaded ({job.created} new, {job.updated} changed), "
            f"{job.bad} refused, {seconds:.1f} s, {rate} rows/s"
        )
        if job.state != ImportJob.State.DONE:
            raise CommandError(job.error or "Nothing was loaded.")


def _form(found: Form, options: dict[str, Any]) -> Form:
    changed = {name: options[name].replace("\\t", "\t") for name in ("encoding", "separator") if options[name]}
    return Form(**{**found.as_json(), **changed})


def _key(table: Table, name: str) -> Field | None:
    if not name:
        return None
    found = next((field for field in plan.keys(table) if name in (field.alias, field.name)), None)
    if found is None:
        raise FileError(_("“%(name)s” is no unique field of the model.") % {"name": name})
    return found
