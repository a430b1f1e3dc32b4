"""Somebody sweeps when those who should have not done so for a while."""

import time
from datetime import timedelta

import pytest
from django.db.models.functions import Now

from apps.conversations import inbox, sweeping
from apps.conversations.models import Lane, Timer
from tests.conversations.sending import until
from tests.making import make_channel, text

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _others_were_here() -> None:
    sweeping._others.away_until = float("-inf")


def waiting_timer(*, due: timedelta) -> None:
    channel = make_channel()
    inbox.accept(channel, [text("one")])
    until(lambda: not Lane.objects.filter(wake_at__isnull=False).exists())
    Timer.objects.create(
        lane=Lane.objects.get(key__startswith=f"{channel.pk}:"),
        bot=channel.bot,
        channel=channel,
        due_at=Now() + due,
        reason="test",
        session_id=1,
        visit=1,
        trace_id="",
    )


def test_nobody_stands_in_for_those_who_may_be_just_at_it() -> None:
    waiting_timer(due=timedelta(seconds=-1))
    assert (sweeping.stand_in(), Timer.objects.count()) == (0, 1)


def test_what_has_been_due_for_a_while_fires_whoever_is_away() -> None:
    waiting_timer(due=timedelta(seconds=-3))
    assert (sweeping.stand_in(), Timer.objects.count()) == (1, 0)


def test_whoever_stands_in_sweeps_for_a_while_what_falls_due_and_then_leaves_it_to_others() -> None:
    waiting_timer(due=timedelta(seconds=-3))
    sweeping.stand_in()
    waiting_timer(due=timedelta())
    assert (sweeping.stand_in(), Timer.objects.count()) == (1, 0)
    waiting_timer(due=timedelta())
    sweeping._others.away_until = time.monotonic()
    assert (sweeping.stand_in(), Timer.objects.count()) == (0, 1)
