"""Somebody sweeps when those who should have not done so for a while."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from apps.conversations import inbox, sweeping
from apps.conversations.models import Lane, Timer
from tests.conversations.sending import until
from tests.making import make_channel, text

pytestmark = pytest.mark.django_db(transaction=True)


def waiting_timer(*, due: timedelta) -> None:
    channel = make_channel()
    inbox.accept(channel, [text("one")])
    until(lambda: not Lane.objects.filter(wake_at__isnull=False).exists())
    Timer.objects.create(
        lane=Lane.objects.get(), bot=channel.bot, channel=channel, due_at=Now() + due, reason="test", session_id=1, visit=1, trace_id=""
    )


def test_nobody_stands_in_for_those_who_may_be_just_at_it() -> None:
    waiting_timer(due=timedelta(seconds=-1))
    assert (sweeping.stand_in(), Timer.objects.count()) == (0, 1)


def test_what_has_been_due_for_a_while_fires_whoever_is_away() -> None:
    waiting_timer(due=timedelta(seconds=-6))
    assert (sweeping.stand_in(), Timer.objects.count()) == (1, 0)
