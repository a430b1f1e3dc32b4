"""When a message may leave: evenly spaced slots per channel and chat, given out atomically by Redis (delivery.md, contract 9).

Generic cell rate: a key holds the earliest time of its next slot. A bucket that refills each second let 59 messages into one second at a
limit of 30 (performance.md); evenly spaced slots do not. What counts is when the messenger sees them, and some leave or arrive a little later
than their slot and so nearer to the ones behind them: the spacing leaves room for that (`SPREAD_SECONDS`).

Nor may they be exceeded when what Redis knew is lost. The `epoch` is the moment from which its memory counts: it is set when it is found
missing (flushed, restarted) and when a process comes back that had to do without Redis. Whatever was granted before is taken into account
as if every chat had just had its burst and the channel its whole horizon. Unless it is certain that nothing was: there is one sender alone, it
has been granted nothing for the longest of all windows, and nor does the database know of anything that left (`_is_quiet`).
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from redis.exceptions import RedisError

from apps.bots.adapter import Rate
from apps.conversations import claimants
from apps.core import hot, redis

logger = structlog.get_logger(__name__)

CHAT_BURST = 3
LOCAL_KEYS = 100_000
HORIZON = 0.5  # seconds ahead for which slots are given out; later ones are asked for again
# By how much messages may come late one more than another, our own lateness and the way there together, and no window is exceeded.
SPREAD_SECONDS = 0.12

LONGEST_WINDOW = 60.0  # seconds: that of groups

# KEYS: epoch, the channel, then one a message. ARGV: channel interval, horizon, chat interval, chat tolerance, what to do about the epoch, the longest
# window. Answers microseconds to wait for each message; negative: not now, ask again after that many; nothing: the epoch is missing.
ASK, BEGIN, BEGIN_QUIET = 0, 1, 2  # answer nothing when it is missing; begin it now; when it is missing, as if it had begun long ago
_SCRIPT = """
local t = redis.call('TIME'); local now = t[1] * 1000000 + t[2]
local step, horizon, chat_step, tolerance = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local epoch = tonumber(redis.call('GET', KEYS[1]) or '0')
if epoch == 0 and ARGV[5] == '0' then return {} end
if epoch == 0 or ARGV[5] == '1' then
    epoch = ARGV[5] == '2' and now - tonumber(ARGV[6]) or now
    redis.call('SET', KEYS[1], string.format('%.0f', epoch))
end
local next_slot = math.max(now, epoch + horizon, tonumber(redis.call('GET', KEYS[2]) or '0'))
local waits = {}
for i = 3, #KEYS do
    local wait = 0
    if chat_step > 0 then
        local chat = math.max(now, epoch + tolerance + chat_step, tonumber(redis.call('GET', KEYS[i]) or '0'))
        if chat - tolerance > now then wait = -(chat - tolerance - now)
        elseif next_slot - now <= horizon then redis.call('SET', KEYS[i], string.format('%.0f', chat + chat_step), 'PX', math.ceil((chat + chat_step - now) / 1000) + 1000) end
    end
    if wait == 0 then
        if next_slot - now > horizon then wait = -(next_slot - now)
        else wait = next_slot - now; next_slot = next_slot + step end
    end
    waits[#waits + 1] = string.format('%.0f', wait)
end
redis.call('SET', KEYS[2], string.format('%.0f', next_slot), 'PX', math.ceil((next_slot - now) / 1000) + 1000)
return waits
"""
EPOCH = "pace:epoch"


@dataclass(frozen=True)
class Slot:
    """`wait` seconds from the asking until it may leave; `granted` False: not now, ask again after `wait`."""

    wait: float
    granted: bool


class Local:
    """The same rule in memory: what holds while Redis is away. Senders cannot see one another then, so each takes its share of the rate."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, senders: Callable[[], int] = claimants.count) -> None:
        self.clock, self.senders = clock, senders
        self.epoch: float | None = None
        self._next: dict[str, float] = {}

    @property
    def active(self) -> bool:
        return self.epoch is not None

    def leave(self) -> None:
        """Redis is back."""
        self.epoch = None
        self._next.clear()

    def slots(self, keys: Sequence[str], *, step: float, chat_step: float, tolerance: float) -> list[Slot]:
        now = self.clock()
        self.epoch = now if self.epoch is None else self.epoch
        share = max(2, self.senders())
        return [self._slot(keys[0], key, now, step=step * share, chat_step=chat_step * share, tolerance=tolerance) for key in keys[1:]]

    def _slot(self, channel: str, chat: str, now: float, *, step: float, chat_step: float, tolerance: float) -> Slot:
        epoch = self.epoch or now
        chat_next = max(now, self._next.get(chat, 0), epoch + tolerance + chat_step) if chat_step else now
        if chat_next - tolerance > now:
            return Slot(chat_next - tolerance - now, granted=False)
        slot = max(now, self._next.get(channel, 0), epoch + HORIZON)
        if slot - now > HORIZON:
            return Slot(slot - now, granted=False)
        self._next[channel], self._next[chat] = slot + step, chat_next + chat_step
        if len(self._next) > LOCAL_KEYS:
            self._next = {key: at for key, at in self._next.items() if at > now}
        return Slot(slot - now, granted=True)


_local = Local()


def slots(*, channel_id: int, rate: Rate, chats: Sequence[tuple[str, bool]]) -> list[Slot]:
    """One slot a message, in order; `chats` are (chat id, is a group). Channels without limits go at once and ask nobody."""
    if not rate.limited:
        return [Slot(0, granted=True)] * len(chats)
    people = _paced(channel_id, rate, chats, group=False)
    groups = _paced(channel_id, rate, chats, group=True)
    return [groups[i] if is_group else people[i] for i, (_chat, is_group) in enumerate(chats)]


def _paced(channel_id: int, rate: Rate, chats: Sequence[tuple[str, bool]], *, group: bool) -> dict[int, Slot]:
    mine = [i for i, (_chat, is_group) in enumerate(chats) if is_group == group]
    if not mine:
        return {}
    keys = [f"pace:{channel_id}", *(f"pace:{channel_id}:{chats[i][0]}" for i in mine)]
    # Of messages that leave evenly and come up to `spread` late, one second sees at most (1 + spread) / step + 1.
    step = (1 + SPREAD_SECONDS) / max(rate.per_second - 1, 0.5) if rate.per_second else 0.0
    grouped = group and rate.per_group_minute
    spaced = rate.per_chat_seconds + SPREAD_SECONDS if rate.per_chat_seconds else 0.0  # a late one must not meet the next one
    chat_step = 60 / max(rate.per_group_minute - 1, 1) if grouped else spaced
    tolerance = 0.0 if grouped else chat_step * (CHAT_BURST - 1)
    return dict(zip(mine, _ask(keys, step=step, chat_step=chat_step, tolerance=tolerance), strict=True))


def _ask(keys: Sequence[str], *, step: float, chat_step: float, tolerance: float) -> list[Slot]:
    try:
        script = redis.client().register_script(_SCRIPT)
        micro = [round(value * 1_000_000) for value in (step, HORIZON, chat_step, tolerance)]

        def waits(epoch: int) -> list[float]:
            return [float(wait) for wait in script(keys=[EPOCH, *keys], args=[*micro, epoch, round(LONGEST_WINDOW * 1_000_000)])]

        told = waits(BEGIN if _local.active else ASK) or waits(BEGIN_QUIET if _is_quiet() else BEGIN)
        _local.leave()
        return _noted([Slot(abs(wait) / 1_000_000, granted=wait >= 0) for wait in told])
    except (RedisError, OSError):
        if not _local.active:
            logger.warning("redis is away; each sender takes its share of the rate")
        return _noted(_local.slots(keys, step=step, chat_step=chat_step, tolerance=tolerance))


def _noted(slots: list[Slot]) -> list[Slot]:
    global _granted_at  # noqa: PLW0603
    if any(slot.granted for slot in slots):
        _granted_at = time.monotonic()
    return slots


_granted_at = float("-inf")  # when this process was last granted a slot


def _is_quiet() -> bool:
    """Whether nothing can have left within the longest window. Only one sender alone may say so: what others are about to send is not all in the
    database. What it holds itself for the first time has not left, since it was granted nothing.
    """
    if time.monotonic() - _granted_at < LONGEST_WINDOW or claimants.count() != 1:
        return False
    return not hot.run(
        f"""
        SELECT EXISTS (SELECT 1 FROM conversations_outbox WHERE error <> '' OR attempts > CASE WHEN claimed_by IN {claimants.LIVING} THEN 1 ELSE 0 END)
            OR EXISTS (SELECT 1 FROM bots_channel WHERE paused_until > clock_timestamp() - make_interval(secs => %(window)s))
            OR EXISTS (SELECT 1 FROM events_event WHERE timestamp > clock_timestamp() - make_interval(secs => %(window)s)
                AND kind IN ('message.sent', 'message.failed', 'message.unknown'))
        """,  # noqa: S608  names are ours
        {"window": LONGEST_WINDOW},
    )[0][0]
