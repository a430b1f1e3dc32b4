"""An upload becomes a load; a file becomes a model."""

from collections.abc import Sequence
from typing import Any

from django.core.files import File
from django.core.files.storage import default_storage
from django.utils.translation import gettext as _

from apps.core.trace import current_trace_id
from apps.customdata import designing, naming
from apps.customdata.designing import FieldSpec
from apps.customdata.importing import reading
from apps.customdata.importing.limits import MAX_FILE, FileError
from apps.customdata.importing.models import ImportJob, import_file_path
from apps.customdata.importing.plan import suggested
from apps.customdata.importing.reading import Sample
from apps.customdata.importing.sniffing import Form
from apps.customdata.importing.suggesting import kind_of
from apps.customdata.models import Table
from apps.customdata.storage import MAX_FIELDS


def keep(content: "File[Any]") -> str:
    """Store the upload under a name of ours; raises `FileError` when it is too large."""
    if content.size > MAX_FILE:
        raise FileError(_("The file is larger than %(limit)s MB. Divide it.") % {"limit": MAX_FILE // 1_000_000})
    return default_storage.save(import_file_path(ImportJob(), ""), content)


def look(stored: str, form: Form | None = None) -> Sample:
    """What is in a stored file; raises `FileError`."""
    with reading.local(stored) as path:
        return reading.sample(path, form)


def new_job(table: Table, stored: str, *, name: str, user: Any = None, form: Form | None = None) -> ImportJob:
    """A draft over a stored file, with columns matched by their names. A file that cannot be read leaves nothing behind: raises `FileError`."""
    try:
        seen = look(stored, form)
    except FileError:
        default_storage.delete(stored)
        raise
    job = ImportJob(
        table=table, name=name.replace("\x00", "")[-255:], size=default_storage.size(stored), form=seen.form.as_json(), columns=seen.columns,
        mapping=suggested(table, seen.columns), created_by=user if getattr(user, "pk", None) else None, trace_id=current_trace_id(),
    )  # fmt: skip
    job.file.name = stored
    job.save()
    return job


def model_from(seen: Sample, *, name: str, alias: str = "", key: str = "", kinds: Sequence[str] = ()) -> Table:
    """A new model with a field for each column; `kinds` are those that a person chose ("" leaves a column out), else what the cells look like.
    `key` names the column or the alias of the field that becomes unique. Raises `FileError` and ValidationError.
    """
    if len(seen.columns) > MAX_FIELDS:
        raise FileError(
            _("The file has %(count)s columns; a model has at most %(limit)s fields.") % {"count": len(seen.columns), "limit": MAX_FIELDS}
        )
    specs = field_specs(seen, kinds=kinds)
    wanted = next((spec for spec in specs if key in (spec.name, spec.alias)), None) if key else None
    if key and wanted is None:
        raise FileError(_("The file has no column “%(name)s”.") % {"name": key[:100]})
    if wanted is not None:
        specs = [FieldSpec(**{**vars(spec), "unique": True, "required": True}) if spec is wanted else spec for spec in specs]
    return designing.create_table(name=name, alias=alias, fields=specs)


def field_specs(seen: Sample, *, kinds: Sequence[str] = ()) -> list[FieldSpec]:
    taken: list[str] = []
    specs = []
    for number, column in enumerate(seen.columns):
        chosen = kinds[number] if number < len(kinds) else None
        if chosen == "":
            continue
        found = kind_of(seen.column(number), seen.form)
        kind = chosen or found.kind
        alias = naming.alias_from(column, taken=taken)
        taken.append(alias)
        options = found.options if kind == found.kind else _options(kind, seen.column(number))
        specs.append(
            FieldSpec(
                name=column[: naming.MAX_NAME], alias=alias, kind=kind, options=options, in_list=number < SHOWN, in_search=number < SHOWN
            )
        )
    return specs


SHOWN = 8


def _options(kind: str, cells: Sequence[str]) -> dict[str, Any]:
    """For a kind that a person chose although the cells look otherwise."""
    if kind in {"choice", "choices"}:
        return {"choices": [{"value": value[:100]} for value in sorted({cell.strip() for cell in cells if cell.strip()})]}
    return {"decimals": 2} if kind == "number" else {}
