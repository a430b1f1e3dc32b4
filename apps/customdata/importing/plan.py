"""What will be done with a file: which column fills which field, how its cells are read, and by what a record is recognised."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from psycopg import sql

from apps.customdata import structure
from apps.customdata.importing import cells
from apps.customdata.importing.cells import Column, Rule, Sql, Target
from apps.customdata.importing.limits import FileError
from apps.customdata.importing.models import ImportJob
from apps.customdata.importing.sniffing import Form
from apps.customdata.importing.suggesting import same_name
from apps.customdata.models import Field, Table
from apps.customdata.storage import column_type, relation
from apps.identity.models import Person


@dataclass(frozen=True)
class Filled:
    """A field that a column of the file fills. `by`: the field of the linked model that its cells name; None for the record's number."""

    number: int
    name: str
    field: Field
    by: Field | None = None

    @property
    def cell(self) -> Sql:
        return sql.Identifier(f"c{self.number}")

    @property
    def value(self) -> Sql:
        """Where the typed value lies once the cell was read."""
        return sql.Identifier(f"v{self.number}")

    @property
    def problem(self) -> Sql:
        return sql.Identifier(f"p{self.number}")

    @property
    def digest(self) -> Sql:
        return sql.Identifier(f"g{self.number}")

    @property
    def is_prepared(self) -> bool:
        """Whether its cells are read by Python: kinds without a rule, and personal data, which is encrypted there."""
        return self.field.personal or not cells.knows(self.field.kind)


@dataclass(frozen=True)
class Plan:
    """`key`: the one by which records are recognised and changed; without it every row makes a record."""

    table: Table
    form: Form
    filled: Sequence[Filled]
    key: Filled | None = None

    def rule(self, one: Filled) -> Rule:
        """How the field's cells are read."""
        if one.field.personal:
            return cells.sealed(one.cell, one.problem)
        if one.is_prepared:
            return cells.prepared(one.cell, one.problem, column_type(one.field))
        return cells.rule(Column(one.field.kind, one.field.options, self.target(one)), one.cell, self.form)

    def target(self, one: Filled) -> Target | None:
        """Whose rows a link may name; people when the kind links to no model."""
        if not one.field.type.refers:
            return None
        if "table" not in one.field.options:
            return Target(sql.Identifier(Person._meta.db_table), sql.SQL("r.id"), Column(one.field.kind))
        other = _linked(one.field)
        if other is None:
            raise FileError(_("The model to which “%(field)s” links is gone.") % {"field": one.field.name})
        if one.by is None:
            return Target(relation(other), sql.SQL("r.id"), Column(one.field.kind))
        by = compared(one.by, sql.SQL("r.{}").format(sql.Identifier(one.by.column)))
        return Target(relation(other), by, Column(one.by.kind, one.by.options), folds=one.by.type.index == "fold")

    @property
    def missing(self) -> list[Field]:
        """Required fields that no column fills and that have no default."""
        have = {one.field.pk for one in self.filled}
        return [one for one in self.table.fields if one.required and one.default is None and one.pk not in have]

    @property
    def defaults(self) -> list[Field]:
        """Fields that a new record gets although no column fills them."""
        have = {one.field.pk for one in self.filled}
        return [one for one in self.table.fields if one.default is not None and one.pk not in have]

    @property
    def fingerprint(self) -> str:
        """Another one when a field was changed meanwhile, so that what was checked is not loaded under other rules."""
        parts = [
            [one.number, one.field.pk, one.field.column, one.field.kind, one.field.options, one.field.personal, one.field.required,
             one.field.unique, one.field.default, one.by.pk if one.by else 0]
            for one in self.filled
        ]  # fmt: skip
        told = json.dumps(
            [parts, self.key.number if self.key else None, self.form.as_json(), [one.pk for one in self.missing]], sort_keys=True
        )
        return hashlib.sha256(told.encode()).hexdigest()


def compared(field: Field, value: Sql) -> Sql:
    """The value as uniqueness has it: texts without case."""
    return sql.SQL("records.fold({})").format(value) if not field.personal and field.type.index == "fold" else value


def plan_of(job: ImportJob, table: Table) -> Plan:
    """The job's plan over the present structure; raises `FileError` when a field is gone."""
    by_id = {field.pk: field for field in table.fields}
    filled = [_filled(job, int(number), told, by_id) for number, told in sorted(job.mapping.items(), key=lambda pair: int(pair[0]))]
    key = next((one for one in filled if one.field.pk == job.key_id), None)
    return Plan(table, Form(**job.form), filled, key)


def _filled(job: ImportJob, number: int, told: Mapping[str, Any], by_id: Mapping[int, Field]) -> Filled:
    field = by_id.get(int(told["field"]))
    if field is None:
        raise FileError(_("A field of the model was removed meanwhile. Choose the columns again."))
    return Filled(number, str(job.columns[number]), field, _by(field, int(told.get("by") or 0)))


def _by(field: Field, by: int) -> Field | None:
    return next((one for one in keys_of_link(field) if one.pk == by), None) if by else None


def keys_of_link(field: Field) -> list[Field]:
    """The unique fields of the model to which a field links: by any of them cells may name its records."""
    other = _linked(field)
    return [one for one in other.fields if one.unique and not one.personal and cells.knows(one.kind)] if other else []


def _linked(field: Field) -> Table | None:
    return structure.tables().get(int(field.options.get("table") or 0)) if field.type.refers else None


def fillable(table: Table) -> list[Field]:
    """The fields that a file may fill: all but those whose values are rows that no cell can name."""
    return [field for field in table.fields if not field.type.refers or cells.knows(field.kind)]


def keys(table: Table) -> list[Field]:
    """The fields by which records can be recognised."""
    return [field for field in fillable(table) if field.unique]


def check(plan: Plan) -> None:
    """Raises `FileError` for a plan that cannot be carried out."""
    if not plan.filled:
        raise FileError(_("Choose at least one column."))
    if len({one.field.pk for one in plan.filled}) < len(plan.filled):
        raise FileError(_("Two columns fill the same field. Choose one of them."))
    if plan.missing and plan.key is None:
        raise FileError(
            _("These fields are required: %(names)s. Choose columns for them.") % {"names": ", ".join(one.name for one in plan.missing)}
        )


def suggested(table: Table, columns: Sequence[str]) -> dict[str, dict[str, int]]:
    """Columns that are called like a field or its alias."""
    free = list(fillable(table))
    return dict(_suggestions(columns, free))


def _suggestions(columns: Sequence[str], free: list[Field]) -> Iterator[tuple[str, dict[str, int]]]:
    for number, name in enumerate(columns):
        found = next((one for one in free if same_name(name, one.name) or same_name(name, one.alias)), None)
        if found is not None:
            free.remove(found)
            yield str(number), {"field": found.pk, "by": 0}
