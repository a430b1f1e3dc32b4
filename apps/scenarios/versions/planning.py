"""Publications at a moment: planned with the draft as it stands, made by beat's sweep, or told why not."""

from datetime import datetime
from typing import Unpack

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.events.recording import record
from apps.scenarios import publishing
from apps.scenarios.models import PlannedPublication, Scenario
from apps.scenarios.publishing import Choices

BATCH = 20


class PlanError(Exception):
    """The publication cannot be planned; the text says what to do."""


def plan(scenario: Scenario, *, due_at: datetime, user: User | None, **chosen: Unpack[Choices]) -> PlannedPublication:
    """The draft as it is now, to be published at `due_at`. Raises `PlanError`, and `PublishingRefusedError` when it has errors already."""
    if due_at <= timezone.now():
        raise PlanError(_("This moment is over. Choose a later one, or publish now."))
    publishing.check_publishable(scenario, scenario.draft, override=chosen.get("override", ""))
    return PlannedPublication.objects.create(
        scenario=scenario, definition=scenario.draft, layout=scenario.layout, due_at=due_at, created_by=user, **chosen
    )


def cancel(planned: PlannedPublication) -> bool:
    """Whether there was still something to cancel."""
    waiting = PlannedPublication.objects.filter(pk=planned.pk, state=PlannedPublication.State.PLANNED)
    return bool(waiting.update(state=PlannedPublication.State.CANCELLED))


def publish_due() -> int:
    """Publish everything whose moment has come, oldest first; how many. Safe to run twice and by two beats: each row is taken under its lock."""
    done = 0
    while done < BATCH and _publish_next():
        done += 1
    return done


def _publish_next() -> bool:
    with transaction.atomic():
        due = PlannedPublication.objects.select_for_update(of=("self",), skip_locked=True).filter(
            state=PlannedPublication.State.PLANNED, due_at__lte=timezone.now()
        )
        planned = due.select_related("scenario__bot", "created_by").order_by("due_at", "pk").first()
        if planned is None:
            return False
        _publish(planned)
        planned.save(update_fields=["state", "reason", "version"])
    return True


def _publish(planned: PlannedPublication) -> None:
    scenario = planned.scenario
    try:
        planned.version = publishing.publish(
            scenario,
            user=planned.created_by,
            note=planned.note,
            override=planned.override,
            people=planned.people,
            mapping=planned.mapping,
            definition=planned.definition,
            layout=planned.layout,
        )
        planned.state = PlannedPublication.State.DONE
    except publishing.PublishingRefusedError as error:
        planned.state, planned.reason = PlannedPublication.State.REFUSED, str(error)[:1000]
        details = {"scenario": scenario.key, "reason": planned.reason, "due_at": planned.due_at.isoformat()}
        record("scenario.not_published", status="fail", bot_id=scenario.bot_id, user_id=planned.created_by_id, details=details)
