"""How much a sender takes in hand at once, so that what has been given a slot leaves in it.

A missed slot is lost: its chat waits for the next one, and the message is claimed once more. On a machine whose cores are all busy a claim of two
hundred came so late to its last messages that a third of their slots were missed; to claim them again made it later still. So a missed slot means
what a lost packet means to TCP: take much less, and then a little more each time.
"""

import time

from django.conf import settings

from apps.bots.adapter import Rate
from apps.conversations.outbox import Outgoing

LEAST = 16
LATE_SECONDS = 0.06  # half of what the slots leave room for (`pacing.SPREAD_SECONDS`); the way to the messenger has the other half
MISSED_SLOTS = 6


class Grip:
    """Of one sender. Messages without a slot of their own miss none, and so do not narrow it."""

    def __init__(self) -> None:
        self._most: int = settings.SENDER_IN_FLIGHT
        self._missed: dict[int, int] = {}

    def room(self, free: int) -> int:
        """How many messages to claim now where there is room for `free`."""
        self._most = min(self._most + 1, settings.SENDER_IN_FLIGHT)
        return min(self._most, free)

    def has_missed(self, outgoing: Outgoing, *, rate: Rate, at: float) -> bool:
        """Whether its slot (a moment of `monotonic`) is long over: then all that waited would leave at once. Six times at most."""
        missed = bool(rate.per_second) and time.monotonic() - at > LATE_SECONDS
        if missed:
            self._most = LEAST
        times = self._missed[outgoing.id] = self._missed.get(outgoing.id, 0) + missed
        if not missed or times > MISSED_SLOTS:
            self._missed.pop(outgoing.id, None)
            return False
        return True
