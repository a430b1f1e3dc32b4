"""Records as a stream: CSV and a workbook for spreadsheets, NDJSON for programs. Any number in flat memory; no cell is run as a formula; what
is exported can be imported again.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header

from apps.customdata import noting, xlsxwriting
from apps.customdata.building import RecordBase
from apps.customdata.models import Field, Table
from apps.events.exporting import safe_cell

CHUNK = 1_000
Rows = Iterator[RecordBase]


def chunks(rows: "QuerySet[RecordBase]") -> Rows:
    """All of them, newest first, in pages by key: no cursor is held open while a slow reader takes the stream."""
    ordered = rows.order_by("-pk")
    page = list(ordered[:CHUNK])
    while page:
        yield from page
        if len(page) < CHUNK:
            return
        page = list(ordered.filter(pk__lt=page[-1].pk)[:CHUNK])


def value_of(record: RecordBase, field: Field, *, private: bool) -> Any:
    """As it is read again by an import: true numbers and dates, choices by value, links by number, anything else as text."""
    value = getattr(record, field.attribute)
    if value is None:
        return None
    if field.personal and not private:
        return noting.masked(field, value)
    if field.type.column == "timestamptz":
        return timezone.localtime(value)
    dumped = field.type.dump(field, value)
    if isinstance(dumped, list) and field.type.column == "text[]":
        return "; ".join(map(str, dumped))
    if field.type.column in ("numeric", "date", "boolean", "bigint"):
        return value
    return dumped if isinstance(dumped, str) else json.dumps(dumped, ensure_ascii=False)


def _line(record: RecordBase, fields: Sequence[Field], *, private: bool) -> list[Any]:
    values = [value_of(record, field, private=private) for field in fields]
    return [record.pk, *values, timezone.localtime(record.created_at), timezone.localtime(record.updated_at)]


def _header(fields: Sequence[Field]) -> list[str]:
    return ["id", *(field.name for field in fields), "created_at", "updated_at"]


def csv_pieces(_table: Table, fields: Sequence[Field], rows: Rows, *, private: bool) -> Iterator[str]:
    """UTF-8 with a byte order mark, which spreadsheets need to read Cyrillic."""
    yield "\ufeff" + _csv([_header(fields)])
    for lot in _lots(rows):
        yield _csv([_safe(value) for value in _line(record, fields, private=private)] for record in lot)


def _safe(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if hasattr(value, "tzinfo"):
        return value.isoformat(sep=" ", timespec="seconds")
    return value.isoformat() if hasattr(value, "isoformat") else safe_cell(value)


def _csv(lines: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(lines)
    return text.getvalue()


def xlsx_pieces(table: Table, fields: Sequence[Field], rows: Rows, *, private: bool) -> Iterator[bytes]:
    return xlsxwriting.pieces(table.name, _header(fields), (_line(record, fields, private=private) for record in rows))


def ndjson_pieces(_table: Table, fields: Sequence[Field], rows: Rows, *, private: bool) -> Iterator[str]:
    """One object a line, by aliases, as the API gives it."""
    shown = {"id", "version", "created_at", "updated_at", *(field.alias for field in fields)}
    for lot in _lots(rows):
        told = ({name: value for name, value in noting.values_of(record, private=private).items() if name in shown} for record in lot)
        yield "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in told)


def _lots(rows: Rows) -> Iterator[list[RecordBase]]:
    lot: list[RecordBase] = []
    for record in rows:
        lot.append(record)
        if len(lot) == CHUNK // 4:
            yield lot
            lot = []
    if lot:
        yield lot


Writer = Callable[..., Iterator[Any]]
FORMATS: dict[str, tuple[str, Writer]] = {
    "csv": ("text/csv; charset=utf-8", csv_pieces),
    "xlsx": (xlsxwriting.CONTENT_TYPE, xlsx_pieces),
    "ndjson": ("application/x-ndjson", ndjson_pieces),
}


def download(
    table: Table, rows: "QuerySet[RecordBase]", kind: str, *, fields: Sequence[Field], private: bool = False
) -> StreamingHttpResponse:
    """The answer that downloads these records; `kind` is one of `FORMATS`. Personal values are masked unless `private`."""
    content_type, writer = FORMATS[kind]
    response = StreamingHttpResponse(writer(table, fields, chunks(rows), private=private), content_type=content_type)
    stamp = timezone.localtime().strftime("%Y-%m-%d-%H%M")
    response["Content-Disposition"] = content_disposition_header(True, f"{table.alias}-{stamp}.{kind}") or "attachment"
    response["Cache-Control"] = "no-store"
    return response
