"""A system that fails again and again is not waited for by every dialogue."""

import pytest

from apps.conversations import calling
from apps.conversations.models import Call
from apps.core import loop
from tests.identity.provider import provider

pytestmark = pytest.mark.django_db(transaction=True)  # an opening is kept in a row for people


def test_a_failing_host_is_asked_five_times_and_then_left_alone() -> None:
    with provider() as system:
        system.status = 503
        call = Call(action="action_send_request", request={"method": "GET", "url": system.url}, trace_id="t", idempotency_key="k")
        replies = [loop.run(calling.make(call)).reply for _time in range(7)]
        assert [reply.get("status", reply.get("error")) for reply in replies] == [503, 503, 503, 503, 503, "failed", "failed"]
        assert len(system.asked) == 5


def test_a_host_that_answers_is_never_held_back() -> None:
    with provider() as system:
        call = Call(action="action_send_request", request={"method": "GET", "url": system.url}, trace_id="t", idempotency_key="k")
        for status in (503, 503, 503, 503, 404) * 3:
            system.status = status
            assert loop.run(calling.make(call)).reply["status"] == status
