"""The sender process: one event loop with many requests in flight that delivers messages, makes outside calls, fetches files and polls.

All database work runs in one thread with one session, which also holds the lock of this process's identity (claimants.py): when the process
or its session dies, whatever it had claimed is free again. Woken by NOTIFY outbox or beside; looks by itself each second.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction

from apps.bots.models import Channel
from apps.conversations import (
    beside,
    calling,
    claimants,
    delivering,
    fetching,
    outbox,
    outcalls,
    pacing,
    polling,
    preparing,
    sweeping,
    waking,
)
from apps.conversations.beginning import Beginnings
from apps.conversations.gripping import Grip
from apps.conversations.models import Acknowledgement, Attachment, Call
from apps.conversations.outbox import Outcome, Outgoing
from apps.core import dbclock, notices
from apps.core.claimant import Claimant
from apps.core.heart import beat_heart
from apps.core.loop import close_connections

logger = structlog.get_logger(__name__)
T = TypeVar("T")

LOOK_SECONDS = 1.0
SETTLE_SECONDS = 0.01
CLAIM_SECONDS = 0.005
SAID_BEFORE_SECONDS = 0.1  # until calls are looked at again that wait for a message
HEART_SECONDS = 5.0
GRACE_SECONDS = 15.0
OUT_OF_SLOTS_SECONDS = 0.05
SILENCE_SECONDS = 0.1  # shorter than this a channel is only out of slots, see `_pace`
OUTBOX, CALLS, FILES = "conversations_outbox", "conversations_call", "conversations_attachment"


@dataclass
class Work:
    """What one claim has taken; messages with the moment (`monotonic`) at which each may leave."""

    sends: Sequence[tuple[Outgoing, float]] = ()
    calls: Sequence[Call] = ()
    files: Sequence[Attachment] = ()
    acknowledgements: Sequence[Acknowledgement] = ()
    more: bool = False  # there may be: as much was due as there was room for
    again: float | None = None  # seconds until something that could not be claimed yet may be


class Sender:
    """One process. `run` returns after `stop`, when everything in flight has been noted."""

    def __init__(self) -> None:
        self._wake = asyncio.Event()
        self._waking: asyncio.TimerHandle | None = None
        self._again: asyncio.TimerHandle | None = None
        self._due = self._beside = True  # there may be something to claim, and something else than messages
        self._stopping, self._claimed_at = False, 0.0
        self._claimant = Claimant("sender-database", tables=(OUTBOX, CALLS, FILES), waiting={OUTBOX: "held"})
        self._beginnings = Beginnings(self._begin)
        self._in_flight: set[asyncio.Task[None]] = set()
        self._ended: list[Outcome] = []
        self._calls_ended: list[outcalls.CallOutcome] = []
        self._fetched: list[fetching.Fetched] = []
        self._late: list[tuple[Outgoing, float]] = []
        self._grip = Grip()
        self._crashed: list[tuple[str, int]] = []
        self._blocked: dict[int, float] = {}
        self._channels: dict[int, Channel] = {}
        self._pollers = polling.Pollers(self._claimant)

    async def run(self) -> None:
        """Work until stopped. A database that goes away is waited for."""
        helpers = [asyncio.create_task(work) for work in (self._listen(), self._tick(), self._poll())]
        try:
            while not (self._stopping and not self._in_flight and not self._unsettled()):
                await self._guarded(self._round)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), LOOK_SECONDS)
                self._wake.clear()
        finally:
            for task in helpers:
                task.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)
            await self._pollers.close()
            await self._beginnings.close()
            await self._claimant.close()
            await close_connections()

    def stop(self) -> None:
        """Claim nothing more; let what is in flight end, but not for longer than the grace."""
        self._stopping = True
        self._wake.set()
        asyncio.get_running_loop().call_later(GRACE_SECONDS, self._give_up)

    # --- one round: note what ended, take what is due ---------------------------------------------------------------

    async def _round(self) -> None:
        await self._settle()
        while self._due and not self._stopping:
            room = settings.SENDER_IN_FLIGHT - len(self._in_flight)
            if room <= 0:
                return
            await asyncio.sleep(max(0.0, self._claimed_at + CLAIM_SECONDS - time.monotonic()))  # what comes within a moment leaves together
            self._due, self._claimed_at = False, time.monotonic()
            await self._start(room)

    async def _start(self, room: int) -> None:
        """Claim up to `room` things and set them going. Messages are on their way before the others are claimed: whatever breaks then, what is
        in hand has somebody who sends it.
        """
        self._set_going(await self._claimant.run(self._claim_messages, self._grip.room(room)))
        if self._beside:
            self._set_going(await self._claimant.run(self._claim_others, room))

    def _set_going(self, work: Work) -> None:
        for outgoing, at in work.sends:
            self._fly(self._deliver(outgoing, at), (OUTBOX, outgoing.id))
        for call in work.calls:
            self._fly(self._call(call), (CALLS, call.pk))
        for attachment in work.files:
            self._fly(self._fetch(attachment), (FILES, attachment.pk))
        for acknowledgement in work.acknowledgements:
            self._fly(self._acknowledge(acknowledgement))
        self._due = self._due or work.more
        if work.again is not None:
            self._look_in(work.again)

    def _look_in(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        if self._again is None or loop.time() + seconds < self._again.when():
            if self._again:
                self._again.cancel()
            self._again = loop.call_later(seconds, self._have_slots)

    def _have_slots(self) -> None:
        self._again = None
        self._look_again()

    def _look_again(self) -> None:
        self._due = True
        self._wake.set()

    def _look_at_all(self) -> None:
        self._beside = True
        self._look_again()

    def _claim_messages(self, room: int) -> Work:
        """What is claimed and not in hand, because something broke in between, is freed at the next tick (`claimants.free`)."""
        now = time.monotonic()
        blocked = [channel_id for channel_id, until in self._blocked.items() if until > now]
        claimed = outbox.claim(self._claimant.identity, limit=room, without_channels=blocked)
        self._know([outgoing.channel_id for outgoing in claimed])
        sends, back = self._pace(claimed)
        outbox.unclaim(back, identity=self._claimant.identity)
        preparing.complete([outgoing for outgoing, _at in sends], self._channels)
        self._claimant.hand[OUTBOX].update(outgoing.id for outgoing, _at in sends)
        waits = [wait for _outgoing, wait in back] + [until - now for until in self._blocked.values() if now < until < now + LOOK_SECONDS]
        return Work(sends, more=len(claimed) == room, again=min(waits, default=None))

    def _claim_others(self, room: int) -> Work:
        self._beside, work = False, Work()
        with transaction.atomic():
            others = beside.look()
            if others.calls:
                work.calls = outcalls.claim(self._claimant.identity, limit=max(1, room // 2))
            if others.files:
                work.files = fetching.claim(self._claimant.identity, limit=max(1, room // 4))
            if others.acknowledgements:
                work.acknowledgements = beside.take_acknowledgements()
            self._know([*(row.channel_id for row in work.files), *(row.channel_id for row in work.acknowledgements)])
        self._claimant.hand[CALLS].update(call.pk for call in work.calls)
        self._claimant.hand[FILES].update(attachment.pk for attachment in work.files)
        if work.calls or work.files or work.acknowledgements:
            self._beside = work.more = True
        elif others.calls:  # what was said before them is still on its way: they go when that is noted, here or by another sender
            self._beside, work.again = True, SAID_BEFORE_SECONDS
        return work

    def _pace(self, claimed: Sequence[Outgoing]) -> tuple[list[tuple[Outgoing, float]], list[tuple[Outgoing, float]]]:
        """Give each message its slot as a moment of `monotonic`; those without one go back, with the seconds until they may ask again, and a
        channel that has none left is not asked for a moment.
        """
        sends: list[tuple[Outgoing, float]] = []
        back: list[tuple[Outgoing, float]] = []
        for channel_id in {outgoing.channel_id for outgoing in claimed}:
            mine = [outgoing for outgoing in claimed if outgoing.channel_id == channel_id]
            rate = self._channels[channel_id].adapter.rate
            asked = time.monotonic()
            granted = pacing.slots(channel_id=channel_id, rate=rate, chats=[(outgoing.chat_id, outgoing.is_group) for outgoing in mine])
            sends += [(outgoing, asked + slot.wait) for outgoing, slot in zip(mine, granted, strict=True) if slot.granted]
            back += [(outgoing, slot.wait) for outgoing, slot in zip(mine, granted, strict=True) if not slot.granted]
            if any(not slot.granted for slot in granted):
                self._block(channel_id, seconds=OUT_OF_SLOTS_SECONDS)
        return sends, back

    def _block(self, channel_id: int, *, seconds: float) -> None:
        """Take nothing for this channel for so long; a longer silence that is known already stays."""
        self._blocked[channel_id] = max(self._blocked.get(channel_id, 0.0), time.monotonic() + seconds)

    def _know(self, channel_ids: Sequence[int]) -> None:
        unknown = {channel_id for channel_id in channel_ids if channel_id not in self._channels}
        if unknown:
            self._read(unknown)

    def _read(self, channel_ids: Iterable[int]) -> None:
        self._channels.update(Channel.objects.select_related("bot").in_bulk(channel_ids))

    # --- things in flight ---------------------------------------------------------------------------------------------

    def _fly(self, work: Coroutine[Any, Any, None], row: tuple[str, int] | None = None) -> None:
        task = asyncio.create_task(work)
        self._in_flight.add(task)
        task.add_done_callback(partial(self._landed, row=row))

    def _landed(self, task: asyncio.Task[None], *, row: tuple[str, int] | None) -> None:
        self._in_flight.discard(task)
        self._wake_soon()
        if not task.cancelled() and task.exception():
            logger.error("work in flight failed", exc_info=task.exception())
            if row:
                self._crashed.append(row)

    def _wake_soon(self) -> None:
        """What ends within a moment is noted together."""
        if self._waking is None:
            self._waking = asyncio.get_running_loop().call_later(SETTLE_SECONDS, self._wake_now)

    def _wake_now(self) -> None:
        self._waking = None
        self._wake.set()

    async def _deliver(self, outgoing: Outgoing, at: float) -> None:
        await asyncio.sleep(max(0.0, at - time.monotonic()))
        channel = self._channels[outgoing.channel_id]
        if (
            self._is_silent(channel)
            or not await self._begins(outgoing)
            or self._is_silent(channel)
            or self._grip.has_missed(outgoing, rate=channel.adapter.rate, at=at)
        ):
            self._late.append((outgoing, 0.0))
            return
        outcome = await delivering.deliver(outgoing, adapter=channel.adapter, credentials=channel.credentials)
        if outcome.pause:
            self._block(channel.pk, seconds=outcome.pause)
            await notices.tell(waking.PAUSE, waking.pause_of(channel.pk, seconds=outcome.pause))  # the others must not wait for our note
        self._ended.append(outcome)

    def _is_silent(self, channel: Channel) -> bool:
        """The messenger has asked for silence."""
        return self._blocked.get(channel.pk, 0) > time.monotonic() + SILENCE_SECONDS

    async def _begins(self, outgoing: Outgoing) -> bool:
        """Noted before its first byte; False: the database is away, or we were taken for dead and another sender has the message."""
        try:
            return not outgoing.held or await self._beginnings.of(outgoing)
        except (OperationalError, InterfaceError):
            return False

    def _begin(self, rows: Sequence[Outgoing]) -> set[int]:
        return outbox.begin(rows, identity=self._claimant.identity)

    async def _call(self, call: Call) -> None:
        self._calls_ended.append(await calling.make(call))

    async def _fetch(self, attachment: Attachment) -> None:
        self._fetched.append(await fetching.fetch(attachment, channel=self._channels[attachment.channel_id]))

    async def _acknowledge(self, acknowledgement: Acknowledgement) -> None:
        channel = self._channels[acknowledgement.channel_id]
        with contextlib.suppress(Exception):  # best effort: the spinner ends by itself
            await channel.adapter.acknowledge(channel.credentials, acknowledgement.callback_id)

    def _unsettled(self) -> bool:
        return bool(self._ended or self._calls_ended or self._fetched or self._late)

    async def _settle(self) -> None:
        """Note in bulk what has ended since the last round; what could not be noted is noted with the next."""
        await self._note(OUTBOX, self._late, lambda row: row[0].id, self._put_back)
        await self._note(OUTBOX, self._ended, lambda row: row.outgoing.id, self._note_sends)
        await self._note(CALLS, self._calls_ended, lambda row: row.call.pk, outcalls.settle)
        await self._note(FILES, self._fetched, lambda row: row.attachment.pk, fetching.settle)

    def _put_back(self, rows: list[tuple[Outgoing, float]]) -> None:
        outbox.unclaim(rows, identity=self._claimant.identity)
        self._due = True

    def _note_sends(self, rows: list[Outcome]) -> None:
        if outbox.settle(rows, identity=self._claimant.identity) or self._beside:
            self._due = True

    async def _note(self, table: str, ended: list[T], id_of: Callable[[T], int], settle: Callable[[list[T]], None]) -> None:
        rows = ended[:]
        if rows:
            await self._claimant.run(self._claimant.note, table, rows, id_of, settle)
            del ended[: len(rows)]

    def _give_up(self) -> None:
        for task in list(self._in_flight):
            task.cancel()

    # --- beside the rounds ------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        """Turn NOTIFY into wake-ups; when the connection breaks, the rounds go on by the clock until it is back."""
        while True:
            with contextlib.suppress(*notices.LOST):
                async for channel, payload in notices.hear("outbox", "beside", waking.PAUSE):
                    self._told(channel, payload)
            await asyncio.sleep(1)

    def _told(self, channel: str, payload: str) -> None:
        if channel == waking.PAUSE:
            channel_id, _colon, seconds = payload.partition(":")
            self._block(int(channel_id), seconds=float(seconds))
        elif channel == "outbox":
            self._look_again()
        else:
            self._look_at_all()

    async def _tick(self) -> None:
        """Free what dead senders had claimed, beat the heart, and forget cached channels, so that changed credentials are seen."""
        beats = 0
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self._guarded(self._free)
            beats += 1
            if beats % HEART_SECONDS == 1:
                await self._guarded(self._heart)

    async def _free(self) -> None:
        await self._claimant.run(self._free_claims)
        self._look_at_all()

    def _free_claims(self) -> None:
        while self._crashed:
            table, row_id = self._crashed[0]
            self._claimant.abandon(table, [row_id])
            del self._crashed[0]
        if beside.anything_held():
            self._claimant.free()

    async def _heart(self) -> None:
        await self._claimant.run(claimants.end_silent)
        await self._claimant.run(dbclock.keep)
        await self._claimant.run(sweeping.stand_in)
        await self._claimant.run(self._read, list(self._channels))
        await self._claimant.run(lambda: beat_heart("sender", details={"in_flight": len(self._in_flight)}))

    async def _poll(self) -> None:
        while True:
            await self._guarded(self._pollers.look)
            await asyncio.sleep(polling.LOOK_SECONDS)

    async def _guarded(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await work()
        except (OperationalError, InterfaceError) as error:
            logger.warning("the database is away; waiting for it", error=str(error).splitlines()[0] if str(error) else type(error).__name__)
            await self._enter_again()
        except Exception:
            logger.exception("a round of the sender failed")
            await asyncio.sleep(LOOK_SECONDS)

    async def _enter_again(self) -> None:
        try:
            await self._claimant.enter()
        except (OperationalError, InterfaceError):
            await asyncio.sleep(LOOK_SECONDS)
