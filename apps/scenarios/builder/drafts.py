"""The draft as the builder saves it: often, never over somebody else's save, and without a row of history for every letter."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.scenarios.engine.contract import Json
from apps.scenarios.models import Scenario
from apps.scenarios.ordering import readable

MAX_BYTES = 2 * 1024 * 1024
# Saves of one person within this time are one row of the history.
ONE_ROW = timedelta(minutes=10)
REASON = "builder"


class DraftTooLargeError(Exception):
    """The draft is larger than a scenario may be; the message says what to do."""


@dataclass(frozen=True)
class StaleRevisionError(Exception):
    """Somebody else has saved: `theirs` is the stored row."""

    theirs: Scenario


def shown(scenario: Scenario) -> Json:
    """The form of `DraftSerializer` without the rights of whoever asks."""
    published = scenario.published
    return {
        "id": scenario.pk, "name": scenario.name, "key": scenario.key, "bot": scenario.bot.name, "revision": scenario.draft_version,
        "definition": readable(scenario.draft), "layout": scenario.layout, "saved_at": scenario.updated_at, "saved_by": saved_by(scenario),
        "published": published.number if published else None, "differs": published is None or published.definition != scenario.draft,
    }  # fmt: skip


def saved_by(scenario: Scenario) -> str:
    """Who saved the draft last, as colleagues know them; "" when a program did."""
    history: Any = scenario.history
    newest = history.select_related("history_user").order_by("-history_id").first()
    user = newest.history_user if newest else None
    return (user.get_full_name() or user.get_username()) if user else ""


def save(scenario: Scenario, *, definition: Json, layout: Json, based_on: int, user: User) -> Scenario:
    """Store both; the revision counts up. Raises `StaleRevisionError` and `DraftTooLargeError`, having stored nothing."""
    size = len(json.dumps([definition, layout], cls=DjangoJSONEncoder, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        message = _("The scenario would have %(size)s MB; %(limit)s MB is the most. Move parts of it to another scenario.")
        raise DraftTooLargeError(message % {"size": f"{size / 1024 / 1024:.1f}", "limit": MAX_BYTES // 1024 // 1024})
    with transaction.atomic():
        stored = Scenario.objects.select_for_update(of=("self",)).select_related("bot", "published").get(pk=scenario.pk)
        if stored.draft_version != based_on:
            raise StaleRevisionError(stored)
        stored.draft, stored.layout, stored.draft_version = definition, layout, based_on + 1
        _store(stored, user)
    return stored


def _store(scenario: Scenario, user: User) -> None:
    """With a row of history, or with the change added to the row that this person's editing has begun."""
    history: Any = scenario.history
    newest = history.order_by("-history_id").first()
    joins = (
        newest is not None
        and newest.history_user_id == user.pk
        and newest.history_change_reason == REASON
        and newest.history_date > timezone.now() - ONE_ROW
    )
    fields = ["draft", "layout", "draft_version", "updated_at"]
    if not joins:
        scenario._change_reason = REASON  # type: ignore[attr-defined]  # noqa: SLF001  simple-history's own way
        scenario.save(update_fields=fields)
        return
    scenario.skip_history_when_saving = True  # type: ignore[attr-defined]
    scenario.save(update_fields=fields)
    del scenario.skip_history_when_saving  # type: ignore[attr-defined]
    history.filter(pk=newest.pk).update(draft=scenario.draft, draft_version=scenario.draft_version, updated_at=scenario.updated_at)
