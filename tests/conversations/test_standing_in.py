"""Somebody sweeps when those who should have not done so for a while."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from apps.conversations import inbox, sweeping
from apps.conversations.models import Lane, Timer
from apps.core.health import beat_heart
from apps.core.models import Heartbeat
from tests.conversations.sending import until
from tests.making import make_channel, text

pytestmark = pytest.mark.django_db(transaction=True)


def waiting_timer() -> None:
    channel = make_channel()
    inbox.accept(channel, [text("one")])
    until(lambda: not Lane.objects.filter(wake_at__isnull=False).exists())
    Timer.objects.create(
        lane=Lane.objects.get(), bot=channel.bot, channel=channel, due_at=Now(), reason="test", session_id=1, visit=1, trace_id=""
    )


def test_nobody_stands_in_for_those_who_work() -> None:
    waiting_timer()
    beat_heart("worker")
    assert (sweeping.stand_in(), Timer.objects.count()) == (0, 1)


def test_nobody_stands_in_where_nobody_ever_swept() -> None:
    waiting_timer()
    assert (sweeping.stand_in(), Timer.objects.count()) == (0, 1)


def test_after_a_silence_timers_fire_all_the_same() -> None:
    waiting_timer()
    beat_heart("worker")
    Heartbeat.objects.update(at=Now() - timedelta(seconds=6))
    assert (sweeping.stand_in(), Timer.objects.count()) == (1, 0)
