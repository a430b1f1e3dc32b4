"""Each effect of a script once, however often the script has to be run: what a step did is kept before the script goes on."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.scenarios.jail.models import ScriptEffect

KEPT = timedelta(days=7)  # longer than any run that could still be repeated


def once(run: str, what: str, number: int, work: Callable[[], Any]) -> Any:
    """The result (JSON) of `work`, done in one transaction with the note that it was done; the noted one when it was. What `work` raises passes
    and leaves nothing.
    """
    known = recall(run, what, number)
    if known is not None:
        return known["value"]
    try:
        with transaction.atomic():
            value = work()
            ScriptEffect.objects.create(run=run, what=what, number=number, result={"value": value})
    except IntegrityError:  # another process ran the same script meanwhile and was faster
        known = recall(run, what, number)
        if known is None:
            raise
        return known["value"]
    return value


def recall(run: str, what: str, number: int) -> dict[str, Any] | None:
    """{"value": …} of a step that was done, else None."""
    found: dict[str, Any] | None = ScriptEffect.objects.filter(run=run, what=what, number=number).values_list("result", flat=True).first()
    return found


def keep(run: str, what: str, number: int, value: Any) -> None:
    """Note what was done already and cannot be taken back, such as an answered call."""
    ScriptEffect.objects.get_or_create(run=run, what=what, number=number, defaults={"result": {"value": value}})


def forget(run: str) -> None:
    """The run's result is stored; nobody will ask again."""
    ScriptEffect.objects.filter(run=run).delete()


def tidy() -> int:
    """Notes of runs whose session was cancelled meanwhile."""
    count, _by_model = ScriptEffect.objects.filter(created_at__lt=timezone.now() - KEPT).delete()
    return count
