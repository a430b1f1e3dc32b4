"""Tables as a stream: CSV for spreadsheets, NDJSON for programs. Memory stays the same whatever the size; cells hold no formulas."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.apps import apps
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header

from apps.core.masking import mask
from apps.events.models import Event

CHUNK = 2000
# What a spreadsheet takes for the beginning of a formula or of a command, also in full width (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
Row = Mapping[str, Any]


def safe_cell(value: Any) -> Any:
    """The value as a spreadsheet may show it: text that it would run as a formula gets an apostrophe in front; numbers stay numbers."""
    if value is None:
        return ""
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, cls=DjangoJSONEncoder)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def csv_lines(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    """UTF-8 with a byte order mark, which spreadsheets need to read Cyrillic."""
    yield "\ufeff" + _csv_line(columns)
    for row in rows:
        yield _csv_line([safe_cell(row.get(column)) for column in columns])


def _csv_line(cells: Sequence[Any]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def ndjson_lines(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    """One JSON object a line, with all columns."""
    for row in rows:
        yield json.dumps({column: row.get(column) for column in columns}, ensure_ascii=False, cls=DjangoJSONEncoder) + "\n"


def json_lines(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    """One JSON array, still as a stream."""
    first = True
    for line in ndjson_lines(columns, rows):
        yield ("[" if first else ",") + line
        first = False
    yield "[]\n" if first else "]\n"


Format = tuple[str, Callable[[Sequence[str], Iterable[Row]], Iterator[str]]]
FORMATS: dict[str, Format] = {
    "csv": ("text/csv; charset=utf-8", csv_lines),
    "ndjson": ("application/x-ndjson", ndjson_lines),
    "json": ("application/json", json_lines),
}


def download(name: str, kind: str, columns: Sequence[str], rows: Iterable[Row]) -> StreamingHttpResponse:
    """The answer that downloads the rows; `kind` is one of `FORMATS`."""
    content_type, lines = FORMATS[kind]
    response = StreamingHttpResponse(lines(columns, rows), content_type=content_type)
    stamp = timezone.localtime().strftime("%Y-%m-%d-%H%M")
    response["Content-Disposition"] = content_disposition_header(True, f"{name}-{stamp}.{kind}") or "attachment"
    response["Cache-Control"] = "no-store"
    return response


EVENT_COLUMNS = (
    "id",
    "timestamp",
    "trace_id",
    "kind",
    "status",
    "source_system",
    "endpoint",
    "userId",
    "leadId",
    "latency_ms",
    "bot_id",
    "channel_id",
    "person_id",
    "conversation_id",
    "session_id",
    "details",
)


def event_rows(events: QuerySet[Event]) -> Iterator[Row]:
    """The log, newest first, with the sources' names `userId` and `leadId` looked up; a few queries per `CHUNK` rows."""
    for chunk in _chunks(events):
        leads = _names("identity.Lead", (row.lead_id for row in chunk), "code")
        users = _names("identity.ExternalId", (row.person_id for row in chunk), "value", by="person_id")
        for row in chunk:
            yield {
                **{column: getattr(row, column) for column in EVENT_COLUMNS if column not in ("userId", "leadId", "details")},
                "userId": users.get(row.person_id),
                "leadId": leads.get(row.lead_id),
                "details": mask(row.details),
            }


def _chunks(events: QuerySet[Event]) -> Iterator[list[Event]]:
    """By key, so that no cursor is held open while a slow reader takes the stream."""
    rows = events.order_by("-id")
    while chunk := list(rows[:CHUNK]):
        yield chunk
        if len(chunk) < CHUNK:
            return
        rows = events.filter(pk__lt=chunk[-1].pk).order_by("-id")


def _names(label: str, keys: Iterable[int | None], value: str, *, by: str = "pk") -> dict[int | None, str]:
    """The log refers by plain ids to tables of apps above it; their names are asked by label."""
    wanted = {key for key in keys if key}
    return dict(apps.get_model(label)._default_manager.filter(**{f"{by}__in": wanted}).values_list(by, value)) if wanted else {}
