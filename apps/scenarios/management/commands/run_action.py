"""Run a custom action, or a file of JavaScript, in the jail."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from pydantic import ValidationError

from apps.core.strictjson import StrictJsonError, loads
from apps.core.trace import new_trace_id
from apps.scenarios.engine.explaining import explain
from apps.scenarios.jail import running
from apps.scenarios.jail.declaring import params_model
from apps.scenarios.jail.outcome import Host, Outcome, Script
from apps.scenarios.jail.outside import OutsideHost
from apps.scenarios.jail.pretending import MockHost
from apps.scenarios.models import CustomAction


class Command(BaseCommand):
    help = "Runs a custom action or a file of JavaScript in the jail; prints its result, exit and logs, or the error with its line."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", help="name of a custom action")
        parser.add_argument("--draft", action="store_true", help="its draft instead of its published version")
        parser.add_argument("--code", metavar="FILE", help="a file of JavaScript instead")
        parser.add_argument("--input", metavar="JSON", default="{}", help="the parameters, at ctx.params")
        parser.add_argument(
            "--mocks", metavar="FILE", help='JSON list of answers for callApi, [{"url": "https://…*", "body": {…}}]; nothing is called then'
        )
        parser.add_argument("--engine", default="", choices=["", *running.engines], help="the engine, if not the installation's")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        if bool(options["name"]) == bool(options["code"]):
            raise CommandError("Give either the name of a custom action or --code FILE.")
        params = _json(options["input"].encode(), "--input")
        code, bot_id = _file(options["code"]), None
        if options["name"]:
            code, params, bot_id = _stored(options["name"], params, draft=options["draft"])
        script = Script(code=code, ctx={"params": params}, limits=running.limits())
        outcome = running.run_sync(script, _host(options["mocks"], bot_id), engine=options["engine"], fresh=True)
        self._tell(outcome)
        if outcome.error:
            raise CommandError(outcome.error.text)

    def _tell(self, outcome: Outcome) -> None:
        if outcome.error is None:
            self.stdout.write(f"result: {json.dumps(outcome.value, ensure_ascii=False)}")
            self.stdout.write(f"exit: {outcome.exit or 'next'}")
        for line in outcome.logs:
            self.stdout.write(f"log: {line}")
        for row in outcome.asked:
            self.stdout.write(f"{row.what}: {row.shown.get('url') or row.shown.get('table', '')} → {row.error or row.answer}, {row.ms} ms")
        for write in outcome.writes:
            self.stdout.write(f"{write['kind']}: {json.dumps(write['data'], ensure_ascii=False)}")
        self.stdout.write(f"time: {outcome.ms} ms, of them computing {outcome.cpu_ms} ms; memory: {outcome.memory_kb} kB")


def _file(path: str | None) -> str:
    return _read(path).decode("utf-8-sig", "replace") if path else ""


def _stored(key: str, params: Any, *, draft: bool) -> tuple[str, Any, int | None]:
    """Code, parameters in their types, and the bot of a custom action."""
    action = CustomAction.objects.select_related("published").filter(key=key).first()
    if action is None:
        known = ", ".join(CustomAction.objects.order_by("key").values_list("key", flat=True)) or "–"
        raise CommandError(f"There is no custom action “{key}”. There are: {known}.")
    source = action if draft else action.published
    if source is None:
        raise CommandError(f"“{key}” is not published yet. Run its draft with --draft.")
    try:
        given = params_model(source.params).model_validate(params).model_dump(mode="json")
    except ValidationError as error:
        raise CommandError("--input: " + "; ".join(f"{path}: {why}" for path, why in explain(error))) from error
    return source.code, given, action.bot_id


def _host(mocks: str | None, bot_id: int | None) -> Host:
    if mocks:
        return MockHost(_json(_read(mocks), "--mocks"))
    trace_id = new_trace_id()
    return OutsideHost(key=f"shell-{trace_id}", trace_id=trace_id, bot_id=bot_id, name="shell")


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error


def _json(body: bytes, option: str) -> Any:
    try:
        return loads(body)
    except StrictJsonError as error:
        raise CommandError(f"{option}: {error.reason}") from error
