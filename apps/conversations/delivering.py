"""One message on its way: made to fit the messenger, sent part by part, and its outcome typed by what happens next."""

import random
import time
from datetime import timedelta

import structlog

from apps.bots import adapter as contract
from apps.bots import tokens
from apps.bots.adapter import Adapter, Credentials
from apps.bots.degrading import fit
from apps.conversations.outbox import MAX_ATTEMPTS, MAX_DEATHS, Outcome, Outgoing
from apps.conversations.preparing import content_of
from apps.core import dbclock

logger = structlog.get_logger(__name__)

CONFIG_PAUSE_SECONDS = 30


async def deliver(outgoing: Outgoing, *, adapter: Adapter, credentials: Credentials) -> Outcome:
    """Send what has not left yet of one message; never raises."""
    doubt = _doubt(outgoing) if not adapter.knows_repeats else None
    if doubt:
        return doubt
    started = time.monotonic()
    try:
        ids = await _send(outgoing, adapter=adapter, credentials=credentials)
        outcome = Outcome(outgoing, sent=True, external_ids=ids)
    except contract.SendError as error:
        outcome = after(outgoing, error, knows_repeats=adapter.knows_repeats)
    except Exception as error:
        logger.exception("sending failed in an unexpected way", channel=outgoing.channel_id, message=outgoing.message_id)
        doubtful = contract.RetryError(f"{type(error).__name__} while sending", doubtful=True)
        outcome = after(outgoing, doubtful, knows_repeats=adapter.knows_repeats)
    outcome.latency_ms = round((time.monotonic() - started) * 1000)
    return outcome


async def _send(outgoing: Outgoing, *, adapter: Adapter, credentials: Credentials) -> list[str]:
    """Parts that left before a failure are not sent again: their ids are kept in the outbox row."""
    content = content_of(outgoing)
    for index, button in enumerate(content.flat_buttons()):
        button.token = tokens.encode(outgoing.message_id, index)
    for number, part in list(enumerate(fit(content, adapter.capabilities)))[len(outgoing.parts) :]:
        part.context = {**content.context, "part": number}
        sent = await adapter.send(credentials, outgoing.chat_id, part)
        outgoing.parts.append(",".join(sent.external_ids))
    return [external_id for part in outgoing.parts for external_id in part.split(",") if external_id]


def after(outgoing: Outgoing, error: contract.SendError, *, knows_repeats: bool = False) -> Outcome:
    """What a failure means for the message (channels.md 2.6)."""
    reason = error.reason[:500]
    match error:
        case contract.RateLimitedError():
            outcome = _again(outgoing, error.retry_after, reason, counted=False)
            outcome.pause = 0 if error.chat_only else error.retry_after
            return outcome
        case contract.ConfigError():
            outcome = _again(outgoing, CONFIG_PAUSE_SECONDS, reason, counted=False)
            outcome.pause, outcome.failing = CONFIG_PAUSE_SECONDS, True
            return outcome
        case contract.ChatMigratedError():
            outcome = _again(outgoing, 0, reason, counted=True)
            outcome.moved_to = error.chat_id
            return outcome
        case contract.RecipientGoneError():
            return Outcome(outgoing, failed=reason, gone=True)
        case contract.RetryError() if error.doubtful and not knows_repeats:
            return _doubtful(outgoing, reason)
        case contract.RetryError() if outgoing.attempts < MAX_ATTEMPTS:
            return _again(outgoing, backoff(outgoing.attempts), reason, counted=True)
        case _:
            return Outcome(outgoing, failed=reason)


def _doubtful(outgoing: Outgoing, reason: str) -> Outcome:
    """The connection died with this message on it: it may have arrived. As with the death of a sender it is sent once more at most."""
    if outgoing.at_most_once or outgoing.deaths + 1 >= MAX_DEATHS:
        return Outcome(outgoing, unknown=reason)
    outcome = _again(outgoing, backoff(outgoing.attempts), reason, counted=True)
    outcome.doubtful = True
    return outcome


def backoff(attempts: int) -> float:
    """1 s, 4 s, 16 s … with jitter, so that many do not come back together."""
    return min(4.0 ** (attempts - 1), 300) * random.uniform(0.75, 1.25)  # noqa: S311


def _again(outgoing: Outgoing, seconds: float, reason: str, *, counted: bool) -> Outcome:
    return Outcome(outgoing, again_at=dbclock.now() + timedelta(seconds=seconds), counted=counted, error=reason)


def _doubt(outgoing: Outgoing) -> Outcome | None:
    """A sender died with this message in hand: it may have arrived. Once is repeated; twice, or a message that must not be doubled, is
    shown to people as unknown.
    """
    if outgoing.deaths >= MAX_DEATHS or (outgoing.deaths and outgoing.at_most_once):
        return Outcome(outgoing, unknown="The sender stopped while sending; it is not known whether this arrived.")
    return None
