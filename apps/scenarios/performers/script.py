"""Runs a custom action's published version in the jail."""

import asyncio
from typing import Any

from django.db import connections
from django.utils.translation import gettext_lazy as _

from apps.conversations.models import Call
from apps.conversations.performer import Performer
from apps.scenarios.jail import running
from apps.scenarios.jail.acting import VIA
from apps.scenarios.jail.models import CustomActionVersion
from apps.scenarios.jail.outcome import Script
from apps.scenarios.jail.outside import OutsideHost

GOOD, FAILED = 200, 500


class ScriptPerformer(Performer):
    kind = VIA
    label = _("Custom action")

    async def perform(self, call: Call) -> dict[str, Any]:
        """{"status": 200, "script": outcome}; 500 with the reason when the script failed, which is an answer too and not tried again."""
        asked = call.request
        code = await asyncio.to_thread(_code, asked["version"])
        if code is None:
            return {"error": "refused", "reason": str(_("This version of the custom action no longer exists."))}
        script = Script(
            code=code, ctx={**asked["ctx"], "params": asked["json"]}, memory=asked["memory"], secrets=tuple(asked["secrets"]), limits=running.limits()
        )  # fmt: skip
        host = OutsideHost(key=call.idempotency_key, trace_id=call.trace_id, bot_id=call.bot_id, name=call.action, repeatable=True)
        outcome = await running.run(script, host)
        if outcome.error is None:
            return {"status": GOOD, "script": outcome.dump()}
        if outcome.error.kind == "crash":
            return {"error": "failed", "reason": outcome.error.text}
        return {"status": FAILED, "reason": outcome.error.text, "script": outcome.dump()}


def _code(version_id: int) -> str | None:
    try:
        return CustomActionVersion.objects.filter(pk=version_id).values_list("code", flat=True).first()
    finally:
        connections.close_all()
