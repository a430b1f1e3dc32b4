"""Idempotency-Key: the same key and request within 24 hours get the same answer and no second effect (delivery.md, contract 8).

The key is claimed in the transaction that puts the start of the scenario into the inbox. So whoever dies whenever leaves either nothing, and
the repeated call begins anew, or both, and the repeated call finds the inbox items and waits for their outcome like the first one did.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.db import DatabaseError, connection
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest

from apps.gateway.answers import Answer, Json, RefusedError
from apps.gateway.models import KeptAnswer
from apps.gateway.tokens import Caller

logger = structlog.get_logger(__name__)

KEPT = timedelta(hours=24)
MAX_KEY = 255
REPLAYED_HEADER = "Idempotent-Replayed"
_COLUMN = 200


@dataclass(frozen=True)
class Claim:
    """A key of this caller with the request that it stands for."""

    token_id: int
    key: str
    digest: str


def claim_of(request: HttpRequest, caller: Caller, body: Json) -> Claim | None:
    """The claim that the request makes, or None without the header. Two bodies are the same when their JSON is, whatever the spacing."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    asked = json.dumps([request.method, request.path.rstrip("/"), sorted(request.GET.items()), body], sort_keys=True)
    return Claim(token_id=caller.family, key=_stored("key", checked(key)), digest=hashlib.sha256(asked.encode()).hexdigest())


def checked(key: str) -> str:
    """The key; raises `RefusedError` for one that cannot be stored."""
    if not 0 < len(key) <= MAX_KEY or not (key.isascii() and key.isprintable()):
        raise RefusedError("bad_request", f"Idempotency-Key must be 1 to {MAX_KEY} printable characters.")
    return key


def find(claim: Claim) -> KeptAnswer | None:
    """What an earlier call with this key left; raises `RefusedError` when that was another request."""
    row = KeptAnswer.objects.filter(token_id=claim.token_id, key=claim.key, created_at__gt=Now() - KEPT).first()
    if row and row.request_digest != claim.digest:
        raise RefusedError("key_reused")
    return row


def take(claim: Claim, *, trace_id: str) -> bool:
    """Claim the key in the caller's transaction; False when another call has it. Waits for a call that is claiming it at this moment."""
    return _take(claim, trace_id)


def use_up(*, token_id: int, endpoint_id: int, message_id: str, trace_id: str) -> None:
    """Note that a signed message was accepted, in the transaction of its effect; raises `RefusedError` when it was before."""
    if not _take(Claim(token_id=token_id, key=_stored(f"signed:{endpoint_id}", message_id), digest=""), trace_id):
        raise RefusedError("replayed")


def remember(claim: Claim, left: Json) -> None:
    """What a repeated call needs to find the outcome; in the transaction that puts the items into the inbox."""
    _row(claim).update(answer=left)


def keep(claim: Claim, answer: Answer) -> None:
    """The final answer; the first one counts. Should the database be away now, a repeated call finds the outcome by what was remembered."""
    try:
        _row(claim).filter(status=None).update(status=answer.status, answer=answer.body)
    except DatabaseError as error:
        logger.warning("an answer was not kept", error=type(error).__name__)


def forget_old() -> int:
    """Delete what is older than 24 hours; how many rows."""
    return KeptAnswer.objects.filter(created_at__lt=Now() - KEPT).delete()[0]


def _row(claim: Claim) -> QuerySet[KeptAnswer]:
    return KeptAnswer.objects.filter(token_id=claim.token_id, key=claim.key)


def _stored(space: str, key: str) -> str:
    text = f"{space}:{key}"
    return text if len(text) <= _COLUMN else f"{space}:sha256:{hashlib.sha256(key.encode()).hexdigest()}"


def _take(claim: Claim, trace_id: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO gateway_keptanswer AS kept (token_id, key, request_digest, trace_id, status, answer, created_at)
            VALUES (%s, %s, %s, %s, NULL, NULL, clock_timestamp())
            ON CONFLICT (token_id, key) DO UPDATE
                SET request_digest = excluded.request_digest, trace_id = excluded.trace_id, status = NULL, answer = NULL, created_at = excluded.created_at
                WHERE kept.created_at <= clock_timestamp() - make_interval(secs => %s)
            RETURNING id
            """,
            [claim.token_id, claim.key, claim.digest, trace_id, KEPT.total_seconds()],
        )
        return cursor.fetchone() is not None
