"""The testing section: run what stands in the editor with a sample input, and keep it as a test case."""

import re
import uuid
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from pydantic import ValidationError as PydanticError

from apps.core.settings_store import instance_settings
from apps.scenarios.engine.explaining import explain
from apps.scenarios.jail import publishing, running
from apps.scenarios.jail.acting import outcome_result
from apps.scenarios.jail.concealing import HIDDEN
from apps.scenarios.jail.declaring import clean_exits, clean_params, exits_of
from apps.scenarios.jail.models import CustomAction, CustomActionTest
from apps.scenarios.jail.outcome import Host, Outcome
from apps.scenarios.jail.outside import OutsideHost

Json = dict[str, Any]
SETTING = re.compile(r"\s*\{\{-?\s*instance_settings\.(\w+)\s*-?\}\}\s*")
GIVEN = ("params", "user", "data", "memory", "tables")


class WrongInputError(Exception):
    """The sample cannot be run; the text says why."""


def run(action: CustomAction, asked: Json) -> Json:
    """`asked`: {code, declared: {params, exits}, given: {params, user, data, memory, tables}, mocks, live}. Calls go outside only when `live` is
    true. The answer is for the page: {exit, value, error, logs, asked, writes, ms, cpu_ms, memory_kb}.
    """
    edited, given, live = _edited(action, asked), _given(asked), asked.get("live") is True
    secrets = [value for _name, value in _settings_in(given)] if live else []
    given = _filled(given, live=live)
    try:
        script = publishing.script_of(edited, given, secrets=secrets)
    except PydanticError as error:
        raise WrongInputError("; ".join(f"{path}: {why}" for path, why in explain(error))) from error
    outcome = running.run_sync(script, _host(action, given, asked, live=live), fresh=True)
    return _told(edited, outcome)


def check(code: str) -> Json:
    """{"line", "column", "message"} of what keeps the code from being JavaScript; {} when nothing does."""
    error = publishing.unreadable(code)
    return {} if error is None else {"line": error.line, "column": error.column, "message": error.message}


def save_case(action: CustomAction, asked: Json) -> CustomActionTest:
    """Keep the sample as a test case of that name; an older one of the same name is replaced. Raises `WrongInputError`."""
    name = str(asked.get("name") or "").strip()[:200]
    if not name:
        raise WrongInputError(_("Give the test case a name."))
    row, _created = CustomActionTest.objects.update_or_create(
        action=action,
        name=name,
        defaults={
            "given": _given(asked),
            "mocks": _mocks(asked),
            "expected_exit": str(asked.get("expected_exit") or "next")[:60],
            "expected": asked.get("expected"),
        },
    )
    return row


def _edited(action: CustomAction, asked: Json) -> CustomAction:
    """The action as it stands in the editor; nothing is stored."""
    declared = asked.get("declared") if isinstance(asked.get("declared"), dict) else {}
    try:
        params, exits = clean_params(declared.get("params", action.params)), clean_exits(declared.get("exits", action.exits))  # type: ignore[union-attr]
    except ValidationError as error:
        raise WrongInputError(" ".join(error.messages)) from error
    return CustomAction(bot=action.bot, key=action.key, name=action.name, code=str(asked.get("code") or ""), params=params, exits=exits)


def _given(asked: Json) -> Json:
    given = asked.get("given") if isinstance(asked.get("given"), dict) else {}
    cleaned = {name: given.get(name) or {} for name in GIVEN}  # type: ignore[union-attr]
    wrong = [name for name, value in cleaned.items() if not isinstance(value, dict)]
    if wrong:
        raise WrongInputError(_("%(name)s must be an object: it begins with “{”.") % {"name": wrong[0]})
    return cleaned


def _mocks(asked: Json) -> list[Json]:
    mocks = asked.get("mocks") or []
    if not isinstance(mocks, list) or not all(isinstance(row, dict) for row in mocks):
        raise WrongInputError(_('Prepared answers are a list: [{"url": "https://…*", "body": {}}].'))
    return mocks


def _host(action: CustomAction, given: Json, asked: Json, *, live: bool) -> Host:
    if not live:
        return publishing.mock_host(given, _mocks(asked))
    return OutsideHost(key=f"test-{uuid.uuid4().hex}", bot_id=action.bot_id, name=f"{action.key} (test)")


def _settings_in(given: Json) -> Iterator[tuple[str, str]]:
    """Parameters that are one instance setting, with its value."""
    known, _secret = instance_settings()
    for name, value in given["params"].items():
        found = SETTING.fullmatch(value) if isinstance(value, str) else None
        if found and found[1] in known:
            yield name, str(known[found[1]])


def _filled(given: Json, *, live: bool) -> Json:
    """Settings take their place only when the test really calls; else a mask stands there."""
    values = {name: value if live else HIDDEN for name, value in _settings_in(given)}
    return {**given, "params": {**given["params"], **values}}


def _told(action: CustomAction, outcome: Outcome) -> Json:
    result = outcome_result(outcome, {spec.name for spec in exits_of(action.exits)})
    error = outcome.error.dump() if outcome.error else {"text": result.error, "line": 0} if result.error else None
    return {
        "exit": result.exit, "value": outcome.value, "variables": {} if error else result.values, "error": error, "logs": list(outcome.logs),
        "asked": [{"what": row.what, "shown": row.shown, "answer": row.answer, "error": row.error, "ms": row.ms} for row in outcome.asked],
        "writes": list(outcome.writes), "ms": outcome.ms, "cpu_ms": outcome.cpu_ms, "memory_kb": outcome.memory_kb,
    }  # fmt: skip
