"""What models are made of: made, changed, taken away. The one writer of `Table` and `Field`; every change raises the model's version.

    create_table(name="Complaints", alias="complaints", fields=[FieldSpec(...)], user=…)   → Table
    add_field(table, FieldSpec(...), version=…)                                            → Field
    remove_table(table)

A whole page at once is `redesigning.save`; what touches stored values is `changing`.

`version`: what the editor saw; another one raises `StaleError`, which says what changed. Names and aliases are checked for form, reserved
words, doubles (also by look) and number. Raises ValidationError with the errors by field.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from pydantic import ValidationError as OptionsError

from apps.customdata import deleting, following, naming, storage, structure
from apps.customdata.fieldtype import kinds
from apps.customdata.models import Field, RecordFile, RecordHistory, Table

MAX_TABLES = 500


class StaleError(Exception):
    """Somebody else changed the model meanwhile; the text says who did what."""


@dataclass(frozen=True)
class FieldSpec:
    """A field as it is wanted; the alias is made from the name when none is given."""

    name: str
    kind: str = "text"
    alias: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    required: bool = False
    unique: bool = False
    indexed: bool = False
    personal: bool = False
    default: Any = None
    help_text: str = ""
    section: str = ""
    in_list: bool = True
    in_filter: bool = False
    in_search: bool = False


@transaction.atomic
def create_table(*, name: str, alias: str = "", fields: Sequence[FieldSpec] = (), **more: Any) -> Table:
    """The model with its table, columns and indexes; all or nothing."""
    name = naming.clean_name(name)
    if Table.objects.count() >= MAX_TABLES:
        raise ValidationError(_("There may be %(limit)s models. Delete one that nobody needs.") % {"limit": MAX_TABLES})
    known = list(Table.objects.values_list("alias", flat=True))
    alias = alias or naming.alias_from(name, taken=known, reserved=naming.RESERVED_TABLES, otherwise="model")
    check_table_names(name, alias)
    table = Table(name=name, alias=alias, **more)
    table.save()
    storage.create_table(table)
    for position, spec in enumerate(fields):
        _add(structure.fresh(table.pk), spec, position=position)
    _raise_version(table.pk)
    return structure.fresh(table.pk)


def check_table_names(name: str, alias: str, *, pk: int | None = None) -> None:
    """Raises ValidationError {name, alias}."""
    errors: dict[str, Any] = {}
    try:
        naming.check_alias(alias, reserved=naming.RESERVED_TABLES)
    except ValidationError as error:
        errors["alias"] = error
    others = Table.objects.exclude(pk=pk or 0)
    if "alias" not in errors and others.filter(alias=alias).exists():
        errors["alias"] = _("There is a model with the alias “%(alias)s” already.") % {"alias": alias}
    if naming.same_name(name) in {naming.same_name(other) for other in others.values_list("name", flat=True)}:
        errors["name"] = _("There is a model with this name already.")
    if errors:
        raise ValidationError(errors)


@transaction.atomic
def add_field(table: Table, spec: FieldSpec, *, version: int | None = None) -> Field:
    """The field with its column; records that are there get the default. Raises ValidationError, `StaleError`, `StorageBusyError`."""
    present = structure.for_changing(table.pk)
    check_version(present, version)
    added = _add(present, spec, position=max((one.position for one in present.fields), default=-1) + 1)
    _raise_version(table.pk)
    return added


def _add(table: Table, spec: FieldSpec, *, position: int) -> Field:
    added = Field(table=table, **{name: getattr(spec, name) for name in FieldSpec.__dataclass_fields__}, position=position)
    added.options = dict(spec.options)
    added.alias = spec.alias or naming.alias_from(spec.name, taken=table.by_alias)
    check_field(table, added)
    if table.all_fields.exclude(column="").count() >= storage.MAX_FIELDS:
        raise ValidationError(
            _("A model may have %(limit)s fields, removed ones that are kept included. Split it into two models.")
            % {"limit": storage.MAX_FIELDS}
        )
    try:
        with transaction.atomic():
            added.save()
    except IntegrityError as error:
        raise ValidationError({"alias": _("There is a field with this alias already.")}) from error
    added.column = added.attribute
    storage.add_column(table, added)
    added.index_state = wanted_index(table, added)
    added.save(update_fields=["column", "index_state"])
    following.fill_default(table, added)
    return added


def wanted_index(table: Table, wanted: Field) -> str:
    """Builds the index of a small table at once; for a big one says that it is waited for (apps.customdata.indexing)."""
    if not storage.wants_index(wanted):
        return Field.Index.NONE
    if storage.row_count(table, cap=storage.SMALL) > storage.SMALL:
        return Field.Index.WANTED
    storage.add_index(table, wanted)
    return Field.Index.READY


def check_field(table: Table, wanted: Field) -> None:
    """Raises ValidationError with the errors by attribute; brings name, options and default to their form."""
    errors: dict[str, Any] = {}
    others = [other for other in table.fields if other.pk != wanted.pk]
    _check_names(wanted, others, errors)
    _check_kind(wanted, errors)
    if not errors:
        _check_default(wanted, errors)
        _check_cycle(table, wanted, errors)
    if errors:
        raise ValidationError(errors)


def _check_names(wanted: Field, others: Sequence[Field], errors: dict[str, Any]) -> None:
    try:
        wanted.name = naming.clean_name(wanted.name)
        if naming.same_name(wanted.name) in {naming.same_name(other.name) for other in others}:
            errors["name"] = _("There is a field with this name already.")
    except ValidationError as error:
        errors["name"] = error
    try:
        naming.check_alias(wanted.alias, reserved=naming.RESERVED_FIELDS)
        if wanted.alias in {other.alias for other in others}:
            errors["alias"] = _("There is a field with this alias already.")
    except ValidationError as error:
        errors["alias"] = error


def _check_kind(wanted: Field, errors: dict[str, Any]) -> None:
    kind = kinds.get(wanted.kind)
    if kind is None:
        errors["kind"] = _("This type is not installed.")
        return
    try:
        wanted.options = kind.Options.model_validate(wanted.options).model_dump(mode="json", exclude_none=True)
    except OptionsError as error:
        errors["options"] = [_option_error(one) for one in error.errors()]
    if wanted.unique and not (kind.unique or wanted.personal):
        errors["unique"] = _("A field of this type cannot be unique.")
    if wanted.indexed and not kind.index:
        errors["indexed"] = _("A field of this type cannot be indexed.")
    if wanted.personal and not kind.personal:
        errors["personal"] = _("A field of this type cannot be encrypted. Keep personal data in texts, phones, e-mails, numbers or dates.")


def _option_error(error: Any) -> str:
    where = ".".join(str(part) for part in error["loc"])
    return f"{where}: {error['msg'].removeprefix('Value error, ')}" if where else str(error["msg"])


def _check_default(wanted: Field, errors: dict[str, Any]) -> None:
    kind = kinds[wanted.kind]
    if wanted.default in (None, ""):
        wanted.default = None
    elif wanted.unique or kind.refers:
        errors["default"] = _("A unique field and a link have no default.")
    else:
        try:
            wanted.default = kind.dump(wanted, kind.clean(wanted, wanted.default))
        except ValueError as error:
            errors["default"] = str(error)


def _check_cycle(table: Table, wanted: Field, errors: dict[str, Any]) -> None:
    """Models that require each other could never get their first records."""
    if wanted.kind != "relation":
        return
    goal = structure.tables().get(wanted.options["table"])
    if goal is None and wanted.options["table"] != table.pk:
        errors["options"] = _("This model is not there any more. Choose another one.")
    elif goal and table.bot_id != goal.bot_id and goal.bot_id is not None:
        errors["options"] = _("That model belongs to another bot.")
    elif wanted.required and table.pk in _required_from(wanted.options["table"]):
        errors["required"] = _(
            "These models would require each other, so neither could get its first record. Leave one of the links optional."
        )


def _required_from(table_id: int) -> set[int]:
    """The model and all that it cannot do without."""
    seen: set[int] = set()
    ahead = [table_id]
    while ahead:
        pk = ahead.pop()
        if pk in seen:
            continue
        seen.add(pk)
        found = structure.tables().get(pk)
        ahead += [one.options["table"] for one in (found.fields if found else []) if one.kind == "relation" and one.required]
    return seen


def check_version(present: Table, version: int | None) -> None:
    """Raises `StaleError` when the editor saw another version."""
    if version is not None and version != present.version:
        raise StaleError(following.what_changed(present))


def _raise_version(table_id: int) -> None:
    following.changed(table_id)


def plain_changes(declared: Field, wanted: Mapping[str, Any]) -> Collection[str]:
    """Attributes that differ."""
    return [name for name, value in wanted.items() if getattr(declared, name) != value]


@transaction.atomic
def remove_table(table: Table) -> None:
    """The model with its records, their history and files' rows. Raises ValidationError while other models link to it, `StorageBusyError`."""
    present = structure.for_changing(table.pk)
    holders = [one for one in deleting.pointing_at(present) if one.table_id != present.pk]
    if holders:
        told = _("“%(model)s” links to it with the field “%(field)s”. Remove that field first.")
        raise ValidationError(told % {"model": holders[0].table.name, "field": holders[0].name})
    following.removed(present)
    storage.drop_table(present)
    RecordFile.objects.filter(table_id=present.pk).update(detached_at=timezone.now(), record_id=None)
    RecordHistory.objects.filter(table_id=present.pk).delete()
    Table.objects.get(pk=present.pk).delete()
    structure.forget()
    transaction.on_commit(structure.forget)
