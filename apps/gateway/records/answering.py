"""Records read and written for a token; outcomes become answers. All the rules are in `apps.customdata.records`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

from django.db import transaction
from django.http import HttpRequest

from apps.core.trace import current_trace_id
from apps.customdata import records, searching
from apps.customdata.building import RecordBase
from apps.customdata.models import Table
from apps.customdata.outcomes import Outcome
from apps.customdata.records import (
    Actor,
    ConflictError,
    CursorError,
    FilterError,
    InUseError,
    InvalidRecordError,
    NotFoundError,
    TableGoneError,
)
from apps.customdata.searching import TooSlowError
from apps.gateway import repeating
from apps.gateway.answers import Answer, Json, RefusedError
from apps.gateway.records.asking import Asked
from apps.gateway.tokens import Caller

MOST_ROWS = 10_000
COUNT_CAP = 10_000
_CREATED, _OK = 201, 200
_OPERATIONS = ("create", "update", "upsert", "delete")


@contextmanager
def told() -> Iterator[None]:
    """The errors of records as refusals in the one form."""
    try:
        yield
    except InvalidRecordError as error:
        errors = [{"field": field, "message": why} for field, why in error.errors.items()]
        raise RefusedError("invalid_record", errors=errors) from error
    except FilterError as error:
        raise RefusedError("bad_request", errors=[{"field": error.field[:100], "message": str(error)}]) from error
    except CursorError as error:
        raise RefusedError("bad_request", errors=[{"field": "cursor", "message": str(error)}]) from error
    except ConflictError as error:
        raise RefusedError("version_conflict", version=error.record.version) from error
    except NotFoundError as error:
        raise RefusedError("not_found", "Record not found") from error
    except InUseError as error:
        raise RefusedError("record_in_use", str(error)) from error
    except TableGoneError as error:
        raise RefusedError("not_found", "Model not found") from error
    except TooSlowError as error:
        raise RefusedError("too_slow") from error


def page(table: Table, asked: Asked, *, private: bool) -> Answer:
    with told(), searching.in_time():
        found = records.find(table, asked.filters, order=asked.sort, after=asked.cursor, limit=asked.limit)
        extra: Json = {}
        if asked.count:
            count = records.count(table, asked.filters, cap=COUNT_CAP)
            extra = {"count": min(count, COUNT_CAP), "count_is_exact": count <= COUNT_CAP}
        results = [_shown(record, private=private, only=asked.fields) for record in found.records]
    return _answer(results=results, next=found.next or None, **extra)


def search(table: Table, text: str, limit: int, *, private: bool) -> Answer:
    with told():
        found = searching.search(table, text, limit)
    results = [{**_shown(record, private=private), "title": str(record)} for record in found.records]
    return _answer(results=results, matched_by=found.way)


def one(table: Table, pk: int, *, private: bool) -> Answer:
    record = records.get(table, pk)
    if record is None:
        raise RefusedError("not_found", "Record not found")
    return _record(record, private=private)


def create(table: Table, values: Json, *, by: Actor, private: bool) -> Answer:
    with told():
        record = records.create(table, values, by=by)
    return _record(record, private=private, status=_CREATED)


def update(table: Table, pk: int, values: Json, *, by: Actor, private: bool, version: int | None) -> Answer:
    with told():
        return _record(records.update(table, pk, values, by=by, version=version), private=private)


def upsert(table: Table, key: str, values: Json, *, by: Actor, private: bool) -> Answer:
    check_key(table, key)
    with told():
        record, created = records.upsert(table, key, values, by=by)
    return _record(record, private=private, status=_CREATED if created else _OK, created=created)


def delete(table: Table, pk: int, *, by: Actor, version: int | None) -> Answer:
    with told():
        records.delete(table, pk, by=by, version=version)
    return _answer(id=pk)


def check_key(table: Table, key: str) -> None:
    """Raises `RefusedError` unless records can be recognised by this field."""
    declared = table.by_alias.get(key)
    if key != "id" and (declared is None or not declared.unique):
        names = ", ".join(["id", *(field.alias for field in table.fields if field.unique)])
        raise RefusedError("bad_request", errors=[{"field": "key", "message": f"must be one of the unique fields: {names}"}])


def bulk(table: Table, order: Json, *, by: Actor) -> Answer:
    """{"operation", "key"?, "records": [...], "all_or_nothing"?}: a report with a line for each row, in the order given."""
    operation, rows, whole = _checked(table, order)
    with told():
        if not whole:
            return _report(_written(table, operation, rows, str(order.get("key") or ""), by))
        with transaction.atomic():
            outcomes = _written(table, operation, rows, str(order.get("key") or ""), by)
            if not all(outcome.ok for outcome in outcomes):
                transaction.set_rollback(True)
                report = _report(outcomes)
                wrong = [line for line in report.body["results"] if "error" in line or "errors" in line]
                raise RefusedError("invalid_record", "Some rows are not valid; nothing was written.", errors=wrong[:1000])
            return _report(outcomes)


def _checked(table: Table, order: Json) -> tuple[str, list[Any], bool]:
    errors: list[Json] = []
    operation, rows, whole = order.get("operation"), order.get("records"), order.get("all_or_nothing", False)
    if operation not in _OPERATIONS:
        errors.append({"field": "operation", "message": f"must be one of: {', '.join(_OPERATIONS)}"})
    if not isinstance(rows, list) or not 0 < len(rows) <= MOST_ROWS:
        errors.append({"field": "records", "message": f"must be a list of 1 to {MOST_ROWS} rows"})
    elif operation == "delete" and not all(_is_id(row) for row in rows):
        errors.append({"field": "records", "message": "must be a list of ids"})
    elif operation != "delete" and not all(isinstance(row, dict) for row in rows):
        errors.append({"field": "records", "message": "must be a list of objects"})
    elif operation == "update" and not all(_is_id(row.get("id")) for row in rows):
        errors.append({"field": "records", "message": "must each have the id of a record"})
    if not isinstance(whole, bool):
        errors.append({"field": "all_or_nothing", "message": "must be true or false"})
    errors += [
        {"field": str(name)[:100], "message": "is unknown"} for name in set(order) - {"operation", "key", "records", "all_or_nothing"}
    ]
    if errors:
        raise RefusedError("bad_request", errors=errors)
    if operation == "upsert":
        check_key(table, str(order.get("key") or ""))
    return str(operation), cast("list[Any]", rows), bool(whole)


def _is_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63


def _written(table: Table, operation: str, rows: Sequence[Any], key: str, by: Actor) -> list[Outcome]:
    if operation == "create":
        return records.create_many(table, rows, by=by)
    if operation == "upsert":
        return records.upsert_many(table, key, rows, by=by)
    if operation == "delete":
        return records.delete_many(table, rows, by=by)
    given = [(row["id"], {name: value for name, value in row.items() if name not in ("id", "version")}, _version(row)) for row in rows]
    return records.update_many(table, given, by=by)


def _version(row: Mapping[str, Any]) -> int | None:
    version = row.get("version")
    return version if isinstance(version, int) and not isinstance(version, bool) else None


def _report(outcomes: Sequence[Outcome]) -> Answer:
    lines = [_line(number, outcome) for number, outcome in enumerate(outcomes)]
    good = sum(outcome.ok for outcome in outcomes)
    return _answer(written=good, refused=len(outcomes) - good, results=lines)


def _line(number: int, outcome: Outcome) -> Json:
    line: Json = {"row": number, "result": outcome.action, "id": outcome.id}
    if outcome.record is not None and outcome.ok and outcome.action != "deleted":
        line["version"] = outcome.record.version
    if outcome.errors:
        line["errors"] = [{"field": field, "message": why} for field, why in outcome.errors.items()]
    elif not outcome.ok:
        line["error"] = _WHY[outcome.action]
    return line


_WHY = {
    "invalid": "The record is not valid",
    "conflict": "The record has another version",
    "not_found": "Record not found",
    "in_use": "Other records point at it",
}


def once(request: HttpRequest, caller: Caller, body: Json, work: Callable[[], Answer]) -> Answer:
    """Does `work`; with an Idempotency-Key once in 24 hours, in one transaction with the key."""
    claim = repeating.claim_of(request, caller, body)
    if claim is None:
        return work()
    kept = repeating.find(claim)
    if kept is None:
        with transaction.atomic():
            if repeating.take(claim, trace_id=current_trace_id()):
                answer = work()
                repeating.keep(claim, answer)
                return answer
        kept = repeating.find(claim)
    if kept is None or kept.status is None:
        raise RefusedError("unavailable", headers={"Retry-After": "1"})
    return Answer(kept.status, cast("Json", kept.answer), {repeating.REPLAYED_HEADER: "true"})


def _shown(record: RecordBase, *, private: bool, only: frozenset[str] | None = None) -> Json:
    values = records.values_of(record, private=private)
    return values if only is None else {name: value for name, value in values.items() if name in only}


def _record(record: RecordBase, *, private: bool, status: int = _OK, **extra: Any) -> Answer:
    answer = _answer(record=_shown(record, private=private), **extra)
    return Answer(status, answer.body, {"ETag": f'"{record.version}"'})


def _answer(**parts: Any) -> Answer:
    return Answer(_OK, {"success": True, "trace_id": current_trace_id(), **parts})
