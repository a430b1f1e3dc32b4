"""One-time codes: proof that a phone or a mailbox is the person's (ID-6). Ten minutes, five attempts, few codes, stored hashed."""

import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

import structlog
from celery.exceptions import OperationalError
from django.db import transaction
from django.db.models import F
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from apps.core.crypto import blind_index
from apps.core.trace import current_trace_id, trace
from apps.events import recording
from apps.identity import attributes, contacts
from apps.identity.models import ConnectLink, Lead, ProofCode, UsedProof
from apps.identity.senders import CodeSender, SendingFailedError, sender_of

logger = structlog.get_logger(__name__)

DIGITS = 6
LIVES = timedelta(minutes=10)
MAX_ATTEMPTS = 5
PER_LEAD = (3, timedelta(minutes=10))
PER_TARGET = (5, timedelta(hours=1))
BATCH = 50


class Sending(StrEnum):
    SENT = "sent"
    INVALID = "invalid"
    TOO_MANY = "too_many"
    UNAVAILABLE = "unavailable"


class Checking(StrEnum):
    CONFIRMED = "confirmed"
    WRONG = "wrong"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Checked:
    """`left`: attempts that remain with this code."""

    status: Checking
    left: int = 0


def send_code(lead: Lead, *, way: str, target: str, dry_run: bool = False) -> Sending:
    """Send a code to this phone or e-mail, for this chat alone; it leaves when the caller's transaction has committed, at most once.

    A new code replaces the one before. `dry_run` only tells what would come of it.
    """
    target = contacts.normal_phone(target) if way == ProofCode.Way.PHONE else contacts.normal_email(target)
    if not target:
        return Sending.INVALID
    if sender_of(way) is None:
        return Sending.UNAVAILABLE
    index = _index(way, target)
    if _too_many(lead, index):
        return Sending.TOO_MANY
    if not dry_run:
        code = "".join(secrets.choice("0123456789") for _digit in range(DIGITS))
        ProofCode.objects.create(
            lead=lead,
            way=way,
            target=target,
            target_index=index,
            code=code,
            digest=_digest(lead, index, code),
            expires_at=timezone.now() + LIVES,
            trace_id=current_trace_id(),
        )
        transaction.on_commit(_hint)
    return Sending.SENT


def check_code(lead: Lead, *, way: str, code: str) -> Checked:
    """Compare what the person typed with the latest code; counted before it is compared. The phone or e-mail is then confirmed as theirs."""
    row = ProofCode.objects.filter(lead=lead, way=way).order_by("-id").first()
    open_codes = ProofCode.objects.filter(used_at=None, expires_at__gt=timezone.now(), attempts__lt=MAX_ATTEMPTS)
    if row is None or not open_codes.filter(pk=row.pk).update(attempts=F("attempts") + 1):
        return Checked(Checking.EXPIRED)
    left = MAX_ATTEMPTS - row.attempts - 1
    typed = "".join(char for char in code if char.isdigit())
    if not hmac.compare_digest(_digest(lead, row.target_index, typed), row.digest):
        return Checked(Checking.WRONG, left) if left > 0 else Checked(Checking.EXPIRED)
    with transaction.atomic():
        if not ProofCode.objects.filter(pk=row.pk, used_at=None).update(used_at=timezone.now(), target="", code=""):
            return Checked(Checking.EXPIRED)
        attributes.set_values(lead.person, {way: row.target}, source="one-time code", verified=[way])
    return Checked(Checking.CONFIRMED, left)


def own_contact(lead: Lead, *, phone: str) -> bool:
    """The messenger states that this phone is the sender's own: it is confirmed. False when it is no phone number."""
    number = contacts.normal_phone(phone)
    if number:
        attributes.set_values(lead.person, {"phone": number}, source="own contact", verified=["phone"])
    return number != ""


def deliver_pending() -> int:
    """Hand codes that wait to their senders; how many were tried. Each is tried once: a code that may have left is never sent again."""
    waiting = ProofCode.objects.filter(state=ProofCode.State.PENDING, expires_at__gt=timezone.now())
    ids = list(waiting.order_by("id").values_list("pk", flat=True)[:BATCH])
    return sum(_deliver(pk) for pk in ids)


def tidy(*, keep: timedelta = timedelta(days=30)) -> None:
    """Forget codes a day after they expired, and links and used proofs after `keep`."""
    now = timezone.now()
    ProofCode.objects.filter(expires_at__lt=now - timedelta(days=1)).delete()
    UsedProof.objects.filter(expires_at__lt=now).delete()
    ConnectLink.objects.filter(expires_at__lt=now - keep).delete()


def _deliver(pk: int) -> bool:
    if not ProofCode.objects.filter(pk=pk, state=ProofCode.State.PENDING).update(state=ProofCode.State.SENDING):
        return False
    row = ProofCode.objects.select_related("lead__person", "lead__channel__bot").get(pk=pk)
    sender = sender_of(row.way)
    with trace(row.trace_id):
        error = _send(row, sender) if sender else _("Codes cannot be sent this way: no provider is configured.")
        row.state, row.error = (ProofCode.State.FAILED if error else ProofCode.State.SENT), error[:300]
        row.code = ""
        row.save(update_fields=["state", "error", "code"])
        recording.record(
            "code.failed" if error else "code.sent",
            details={"way": row.way, **({"reason": error} if error else {})},
            status="fail" if error else "success",
            bot_id=row.lead.channel.bot_id,
            channel_id=row.lead.channel_id,
            person_id=row.lead.person_id,
            lead_id=row.lead_id,
        )
    return True


def _send(row: ProofCode, sender: CodeSender) -> str:
    """Why it failed, or ""."""
    with translation.override(row.lead.person.language or row.lead.channel.bot.default_language):
        text = _("Your code: %(code)s. It works for 10 minutes. Tell it to nobody.") % {"code": row.code}
        try:
            sender.send(target=row.target, code=row.code, text=text)
        except SendingFailedError as error:
            return str(error)
    return ""


def _too_many(lead: Lead, index: str) -> bool:
    now = timezone.now()
    for (limit, span), about in ((PER_LEAD, {"lead": lead}), (PER_TARGET, {"target_index": index})):
        if ProofCode.objects.filter(created_at__gt=now - span, **about).count() >= limit:
            return True
    return False


def _index(way: str, target: str) -> str:
    return contacts.phone_index(target) if way == ProofCode.Way.PHONE else contacts.email_index(target)


def _digest(lead: Lead, index: str, code: str) -> str:
    """Keyed, because six digits are guessed from a plain digest at once."""
    return blind_index(code, purpose=f"proof-code:{lead.pk}:{index}")


def _hint() -> None:
    # Inline: tasks import this module.
    from apps.identity.tasks import send_codes  # noqa: PLC0415

    try:
        send_codes.delay()
    except (OperationalError, OSError) as error:
        logger.warning("no hint to workers: the sweep will send the code", error=type(error).__name__)
