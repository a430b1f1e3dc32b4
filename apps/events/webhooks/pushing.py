"""The pusher: an asynchronous loop in the sender process that reads the bus and sends what is owed, with many requests in flight.

It has a thread, a database session and an identity of its own, so that receivers that are slow or away take nothing from messages. What it
had claimed is free again the moment its process dies (`core.claimants`); the event is then sent once more, with the same `webhook-id`.
"""

import asyncio
import contextlib
import time
from typing import TypeVar

import structlog
from django.db import InterfaceError, OperationalError, transaction

from apps.core import claimants, dbclock
from apps.core.claimant import Claimant
from apps.events import bus
from apps.events.models import Delivery, Subscription
from apps.events.webhooks import deliveries, posting
from apps.events.webhooks.deliveries import Pushed

logger = structlog.get_logger(__name__)
T = TypeVar("T")

LOOK_SECONDS = 0.25
IDLE_SECONDS = 1.0  # while nobody subscribes
FREE_SECONDS = 1.0
SKIP_SECONDS = 5.0
GRACE_SECONDS = 15.0
IN_FLIGHT = 200
SHARE = 32  # of one receiver
TABLE = Delivery._meta.db_table


class Pusher:
    """One loop. `run` returns after `stop`, when everything in flight has been noted."""

    def __init__(self) -> None:
        self._claimant = Claimant("pusher-database", tables=[TABLE], lock_class=claimants.PUSHERS)
        self._in_flight: dict[asyncio.Task[None], int] = {}  # the subscription of each
        self._ended: list[Pushed] = []
        self._lost: list[int] = []
        self._stopping = self._idle = False
        self._wake = asyncio.Event()
        self._freed_at = self._skipped_at = 0.0

    async def run(self) -> None:
        """Work until stopped. A database that goes away is waited for."""
        while not (self._stopping and not self._in_flight and not self._ended):
            try:
                await self._round()
            except (OperationalError, InterfaceError) as error:
                logger.warning("the pusher waits for the database", error=type(error).__name__)
                await asyncio.sleep(1)
            except Exception:
                logger.exception("a round of the pusher failed")
                await asyncio.sleep(1)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), IDLE_SECONDS if self._idle else LOOK_SECONDS)
            self._wake.clear()
        await self._claimant.close()

    def stop(self) -> None:
        """Claim nothing more; let what is in flight end, but not for longer than the grace."""
        self._stopping = True
        self._wake.set()
        asyncio.get_running_loop().call_later(GRACE_SECONDS, self._give_up)

    def _give_up(self) -> None:
        for task in list(self._in_flight):
            task.cancel()

    async def _round(self) -> None:
        await self._settle()
        if self._stopping:
            return
        while True:
            found, more = await self._claimant.run(self._take)
            for delivery, subscription in found:
                self._fly(delivery, subscription)
            if not more:
                return

    # --- in the database thread -----------------------------------------------------------------------------------------

    def _take(self) -> tuple[list[tuple[Delivery, Subscription]], bool]:
        """Read the bus, free what the dead had, claim what is due; whether the bus had more than one batch."""
        known = deliveries.subscriptions()
        dbclock.keep()
        now = time.monotonic()
        if now - self._freed_at > FREE_SECONDS and known:
            self._free()
            self._freed_at = now
        somebody = bool(bus.listening())
        more = somebody and bus.pump() >= bus.BATCH
        if not somebody and now - self._skipped_at > SKIP_SECONDS:
            bus.skip()
            self._skipped_at = now
        self._idle = not (somebody or known)
        room = IN_FLIGHT - len(self._in_flight)
        if not known or room <= 0:
            return [], more
        with transaction.atomic():
            claimed = deliveries.claim(self._claimant.identity, limit=room, share=SHARE, busy=self._busy())
        # What belongs to a subscription that is newer than our memory stays out of hand, and so is free again in a moment.
        mine = [(delivery, known[delivery.subscription_id]) for delivery in claimed if delivery.subscription_id in known]
        self._claimant.hand[TABLE].update(delivery.pk for delivery, _subscription in mine)
        return mine, more

    def _busy(self) -> list[int]:
        flying = list(self._in_flight.values())
        return [pk for pk in set(flying) if flying.count(pk) >= SHARE]

    def _free(self) -> None:
        if self._lost:
            self._claimant.abandon(TABLE, self._lost)
            self._lost.clear()
        self._claimant.free()

    def _noted(self, ended: list[Pushed]) -> None:
        deliveries.settle(ended)
        self._claimant.hand[TABLE].difference_update(pushed.delivery.pk for pushed in ended)

    # --- in flight ------------------------------------------------------------------------------------------------------

    def _fly(self, delivery: Delivery, subscription: Subscription) -> None:
        task = asyncio.create_task(self._push(delivery, subscription))
        self._in_flight[task] = subscription.pk
        task.add_done_callback(lambda done: self._landed(done, delivery.pk))

    async def _push(self, delivery: Delivery, subscription: Subscription) -> None:
        self._ended.append(await posting.push(delivery, subscription))

    def _landed(self, task: asyncio.Task[None], pk: int) -> None:
        self._in_flight.pop(task, None)
        self._wake.set()
        if task.cancelled() or task.exception():
            self._lost.append(pk)
            if not task.cancelled():
                logger.error("a delivery failed in an unexpected way", delivery=pk, exc_info=task.exception())

    async def _settle(self) -> None:
        ended = self._ended[:]
        if ended:
            await self._claimant.run(self._noted, ended)
            del self._ended[: len(ended)]
