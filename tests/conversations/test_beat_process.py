"""A real beat beside a real worker: what falls due is swept, though nothing is sent while nothing is due."""

import os
from pathlib import Path

import pytest
from django.db import connection
from django.db.models.functions import Now

from apps.conversations import inbox
from apps.conversations.models import Lane, Timer, Update
from apps.core.models import Heartbeat
from tests.making import make_channel, text
from tools.processes import wait_until
from tools.stack import Stack

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    base = os.environ["DATABASE_URL"].rpartition("/")[0]
    own = {"DATABASE_URL": f"{base}/{connection.settings_dict['NAME']}", "DJANGO_SETTINGS_MODULE": "config.settings_test"}
    return Stack({**os.environ, **own}, tmp_path)


def handled(kind: str) -> int:
    return Update.objects.filter(kind=kind, state=Update.State.DONE).count()


def test_a_timer_fires_although_nothing_is_sent_while_nothing_is_due(stack: Stack) -> None:
    channel = make_channel()
    inbox.accept(channel, [text("hello")])
    with stack as running:
        running.beat()
        running.worker()
        assert wait_until(lambda: set(Heartbeat.objects.values_list("name", flat=True)) == {"beat", "worker"}, seconds=40)
        assert wait_until(lambda: handled("messenger") == 1, seconds=20)
        Timer.objects.create(
            lane=Lane.objects.get(), bot=channel.bot, channel=channel, due_at=Now(), reason="test", session_id=1, visit=1, trace_id=""
        )
        assert wait_until(lambda: handled("timer") == 1, seconds=20)
    assert (running.folder / "beat.log").read_text() == ""
