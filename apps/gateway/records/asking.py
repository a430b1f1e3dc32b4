"""What a request asks: filters by typed operators, order, page, fields; ids and expected versions. Everything unknown is refused by name.

?filter[status]=new&filter[amount][gte]=100&filter[city][in]=Riga,Kyiv&sort=-created_at&limit=50&cursor=…&fields=id,status&count=true
"""

import re
from dataclasses import dataclass, field

from django.http import HttpRequest, QueryDict

from apps.core import strictjson
from apps.customdata.filtering import OPERATORS, Filter
from apps.customdata.models import Table
from apps.gateway.answers import RefusedError

LIMIT = 100
MOST = 1000
MOST_FILTERS = 30
SYSTEM = ("id", "version", "created_at", "updated_at")
_FILTER = re.compile(r"filter\[([a-z][a-z0-9_]{0,59})\](?:\[([a-z_]{1,20})\])?", re.ASCII)
_LISTS = frozenset({"in", "has_any", "has_all"})
_ETAG = re.compile(r'(?:W/)?"?(\d{1,10})"?')


@dataclass(frozen=True)
class Asked:
    """A page of a list."""

    filters: list[Filter] = field(default_factory=list)
    sort: str = "-id"
    cursor: str = ""
    limit: int = LIMIT
    fields: frozenset[str] | None = None
    count: bool = False


def page(query: QueryDict, table: Table) -> Asked:
    """Raises `RefusedError` with every parameter that is not understood."""
    errors: list[dict[str, str]] = []
    filters: list[Filter] = []
    for name in query:
        match = _FILTER.fullmatch(name)
        if match:
            filters.append(_filter(match[1], match[2] or "eq", query.getlist(name), errors))
        elif name not in ("sort", "cursor", "limit", "fields", "count"):
            errors.append({"field": name[:100], "message": "is unknown. Filters are written filter[field][operator]=value."})
    if len(filters) > MOST_FILTERS:
        errors.append({"field": "filter", "message": f"at most {MOST_FILTERS} filters are taken"})
    asked = Asked(
        filters,
        query.get("sort", "") or "-id",
        query.get("cursor", ""),
        whole(query.get("limit", ""), "limit", errors, most=MOST, otherwise=LIMIT),
        fields_of(query.get("fields", ""), table, errors),
        _flag(query.get("count", ""), "count", errors),
    )
    if errors:
        raise RefusedError("bad_request", errors=errors)
    return asked


def _filter(name: str, op: str, values: list[str], errors: list[dict[str, str]]) -> Filter:
    if op not in OPERATORS:
        errors.append({"field": name, "message": f"{op} is no operator. Use: {', '.join(OPERATORS)}."})
    if len(values) > 1 and op not in _LISTS:
        errors.append({"field": name, "message": "is given twice"})
    return Filter(name, op, _list(values) if op in _LISTS else values[-1])


def _list(values: list[str]) -> list[object]:
    """Repeated, divided by commas, or a JSON list for values with commas in them."""
    if len(values) > 1:
        return list(values)
    text = values[0]
    if text.startswith("["):
        try:
            found = strictjson.loads(text.encode(errors="surrogatepass"))
        except strictjson.StrictJsonError:
            found = None
        if isinstance(found, list):
            return found
    return [part for part in text.split(",") if part]


def whole(text: str, name: str, errors: list[dict[str, str]], *, most: int, otherwise: int) -> int:
    if not text:
        return otherwise
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(most)) and 0 < int(text) <= most):
        errors.append({"field": name, "message": f"must be a whole number from 1 to {most}"})
        return otherwise
    return int(text)


def fields_of(text: str, table: Table, errors: list[dict[str, str]]) -> frozenset[str] | None:
    if not text:
        return None
    wanted = frozenset(part.strip() for part in text.split(",") if part.strip())
    unknown = sorted(wanted - set(table.by_alias) - set(SYSTEM))
    if unknown:
        errors.append({"field": "fields", "message": f"there is no field {', '.join(unknown)[:200]}"})
    return wanted


def _flag(text: str, name: str, errors: list[dict[str, str]]) -> bool:
    if text.lower() not in ("", "true", "false", "1", "0"):
        errors.append({"field": name, "message": "must be true or false"})
    return text.lower() in ("true", "1")


def record_id(text: str) -> int:
    """Raises `RefusedError` for what cannot be an id."""
    if not (text.isascii() and text.isdecimal() and len(text) < 19 and int(text) > 0):  # noqa: PLR2004  fits a bigint
        raise RefusedError("not_found", "Record not found")
    return int(text)


def expected_version(request: HttpRequest) -> int | None:
    """`If-Match: "3"`; None without the header or for `*`."""
    given = request.headers.get("If-Match", "").strip()
    if given in ("", "*"):
        return None
    match = _ETAG.fullmatch(given)
    if match is None:
        raise RefusedError("bad_request", 'If-Match must be the version of the record, as in the header ETag: "3".')
    return int(match[1])
