"""Hosts that touch nothing: answers given beforehand for `callApi`, tables in memory. For tests in the admin, saved test cases, the shell."""

import fnmatch
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from apps.scenarios.jail.outcome import HostError, Json


class MockHost:
    """`mocks`: rows {"url": pattern with *, "method"?, "status"?, "body"?, "headers"?, "error"?}; the first that fits answers.

    `tables`: {name: [records]}; inserts and updates live as long as this object.
    """

    def __init__(self, mocks: Sequence[Json] = (), tables: Mapping[str, Sequence[Json]] | None = None) -> None:
        self._mocks = list(mocks)
        self._tables = {name: [dict(row) for row in rows] for name, rows in (tables or {}).items()}

    async def call_api(self, request: Json, *, number: int) -> Json:  # noqa: ARG002  as the contract says
        url, method = str(request.get("url", "")), str(request.get("method") or "GET").upper()
        for mock in self._mocks:
            if fnmatch.fnmatchcase(url, str(mock.get("url", "*"))) and str(mock.get("method") or method).upper() == method:
                return _answered(mock)
        raise HostError(
            _("There is no prepared answer for %(method)s %(url)s. Add one, or tick “really call”.") % {"method": method, "url": url}
        )

    async def table(self, request: Json, *, number: int) -> Any:
        rows = self._tables.setdefault(str(request.get("table", "")), [])
        args = request.get("args") or {}
        match request.get("verb"):
            case "get":
                return next((row for row in rows if row.get("id") == args.get("id")), None)
            case "find":
                wanted = (args.get("filter") or {}).items()
                return [row for row in rows if all(row.get(name) == value for name, value in wanted)][: _most(args)]
            case "insert":
                rows.append({"id": f"new-{number}", **(args.get("values") or {})})
                return rows[-1]
            case _:
                row = next((row for row in rows if row.get("id") == args.get("id")), None)
                if row is None:
                    raise HostError(_("There is no record %(id)s.") % {"id": args.get("id")})
                row.update(args.get("values") or {})
                return row


def _most(args: Json) -> int:
    limit = (args.get("options") or {}).get("limit")
    return limit if isinstance(limit, int) and 0 < limit <= 100 else 100  # noqa: PLR2004  as for real tables


def _answered(mock: Json) -> Json:
    if mock.get("error"):
        raise HostError(str(mock["error"]))
    status = int(mock.get("status") or 200)
    return {"ok": 200 <= status < 300, "status": status, "headers": mock.get("headers") or {}, "body": mock.get("body")}  # noqa: PLR2004
