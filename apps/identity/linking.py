"""A chat becomes a known user of another system. Never without proof, never silently over an active link (security.md 8)."""

import secrets
import string
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.bots.models import Bot, Channel
from apps.core.crypto import token_digest
from apps.events import recording
from apps.identity.mapping import MappingRow, id_text, mapping, mapping_row
from apps.identity.merging import MergeConflictError, merge, split
from apps.identity.models import ConnectLink, ExternalId, Lead, Person
from apps.identity.proofs import Proof, Way

TOKEN_PREFIX = "c_"  # noqa: S105  how every link token begins
TOKEN_CHARS = 22
LINK_SECONDS = 600
_BASE62 = string.digits + string.ascii_letters


class Status(StrEnum):
    CONNECTED = "connected"
    ALREADY_LINKED = "already_linked"
    NO_PROOF = "no_proof"


@dataclass(frozen=True)
class LinkResult:
    """`changed` is False when the link was there before; `reason` says for people why it was not made. `external_id` is known after a
    redeemed token even when the link was not made.
    """

    status: Status
    changed: bool = False
    reason: str = ""
    system: str = ""
    external_id: str = ""

    @property
    def linked(self) -> bool:
        return self.status == Status.CONNECTED


@dataclass(frozen=True)
class MadeLink:
    """`token` is shown here and never again; `url` is "" when the messenger has no deep links, `app_url` when its program has no own."""

    token: str
    url: str
    app_url: str
    expires_at: datetime


def link(lead: Lead, *, system: str, external_id: str, proof: Proof | None) -> LinkResult:
    """Note that the person in this chat is `external_id` of `system`.

    When that id is known already, the person of this chat is merged into its holder (`lead.person` is the holder afterwards). Refused as
    already linked when this person is another user of the system, or when the user has another active chat in this channel: see `move`.
    """
    external_id = id_text(external_id)
    if proof is None or lead.is_group or not external_id or not proof.holds_for(lead, system=system, external_id=external_id):
        result = LinkResult(
            Status.NO_PROOF, reason=_("Nothing proves that this chat belongs to that user."), system=system, external_id=external_id
        )
        _record(lead, "lead.not_connected", system=system, external_id=external_id, reason=result.reason)
        return result
    with transaction.atomic():
        result = _link(lead, system, external_id)
        if result.changed:
            _record(lead, "lead.connected", system=system, external_id=external_id, way=proof.way)
        elif not result.linked:
            _record(lead, "lead.not_connected", system=system, external_id=external_id, reason=result.reason)
    return result


def move(lead: Lead, *, system: str, external_id: str, proof: Proof | None, consent: Proof | None) -> LinkResult:
    """As `link`, but takes the place of the user's other chat in this channel. `consent` is proof from that other chat."""
    external_id = id_text(external_id)
    if consent is None or (consent.system, consent.external_id) != (system, external_id):
        return LinkResult(Status.NO_PROOF, reason=_("The other chat has not agreed."), system=system, external_id=external_id)
    with transaction.atomic():
        point = transaction.savepoint()
        for other in _other_chats(lead, system, external_id).filter(pk=consent.lead_id):
            disconnect(other, reason="moved to another chat")
        result = link(lead, system=system, external_id=external_id, proof=proof)
        if result.linked:
            transaction.savepoint_commit(point)
        else:
            transaction.savepoint_rollback(point)
    return result


def disconnect(lead: Lead, *, reason: str) -> Person:
    """The chat is nobody's from now on: it gets a new, unknown person. Returns that person."""
    with transaction.atomic():
        _record(lead, "lead.disconnected", reason=reason)
        person = split(lead)
        lead.person, lead.connected_at = person, None
        lead.save(update_fields=["person", "connected_at"])
    return person


def make_link(bot: Bot, channel: Channel, *, system: str, external_id: str | int, ttl: float = LINK_SECONDS) -> MadeLink:
    """A one-time address that, opened in the messenger, links that chat to the user. `ttl` in seconds, at most `CONNECT_LINK_MAX_SECONDS`."""
    token = TOKEN_PREFIX + "".join(secrets.choice(_BASE62) for _char in range(TOKEN_CHARS))
    seconds = max(1.0, min(ttl, getattr(settings, "CONNECT_LINK_MAX_SECONDS", LINK_SECONDS)))
    row = ConnectLink.objects.create(
        digest=token_digest(token),
        bot=bot,
        channel=channel,
        system=system,
        external_id=id_text(external_id),
        expires_at=timezone.now() + timedelta(seconds=seconds),
    )
    recording.record("connect_link.made", details={"system": system, "external_id": row.external_id}, bot_id=bot.pk, channel_id=channel.pk)
    adapter, account = channel.adapter, channel.connected_account
    return MadeLink(token=token, url=adapter.deep_link(account, token), app_url=adapter.app_link(account, token), expires_at=row.expires_at)


def is_token(text: str) -> bool:
    """Whether a deep link's payload has the form of a token of ours."""
    return len(text) == len(TOKEN_PREFIX) + TOKEN_CHARS and text.startswith(TOKEN_PREFIX) and text.isascii() and text[2:].isalnum()


def redeem(token: str, lead: Lead) -> LinkResult:
    """The token arrived in this chat: link it. Works once; opened again in the same chat it changes nothing and answers the same."""
    digest = token_digest(token)
    known = ConnectLink.objects.filter(digest=digest, bot_id=lead.channel.bot_id).filter(Q(channel=None) | Q(channel_id=lead.channel_id))
    now = timezone.now()
    with transaction.atomic():
        taken = not lead.is_group and known.filter(used_at=None, expires_at__gt=now).update(used_at=now, used_by=lead)
        row = known.first()
        if row is None or row.used_by_id != lead.pk:
            _record(lead, "connect_link.refused", reason=_why_refused(row))
            return LinkResult(Status.NO_PROOF, reason=_why_refused(row))
        if not taken and not _is_user(lead, row.system, row.external_id):
            return LinkResult(Status.NO_PROOF, reason=_("This link has been used already. Ask for a new one."))
        proof = Proof(Way.DEEP_LINK, lead.pk, row.system, row.external_id)
        return link(lead, system=row.system, external_id=row.external_id, proof=proof)


def _link(lead: Lead, system: str, external_id: str) -> LinkResult:
    bot_id = lead.channel.bot_id
    person = Person.objects.select_for_update().get(leads=lead)
    lead.person = person
    own = ExternalId.objects.filter(person=person, system=system).first()
    if own is not None and own.value != external_id:
        return _taken(_("This chat is linked to another user of the system."), system, external_id)
    held, created = ExternalId.objects.get_or_create(bot_id=bot_id, system=system, value=external_id, defaults={"person": person})
    if held.person_id != person.pk:
        if _other_chats(lead, system, external_id).exists():
            return _taken(_("This user has another active chat in this channel."), system, external_id)
        try:
            merge(kept=held.person, absorbed=person, reason=f"{system}: {external_id}")
        except MergeConflictError:
            return _taken(_("This chat is linked to another user in a further system."), system, external_id)
        lead.person = held.person
    fresh = lead.connected_at is None
    if fresh:
        lead.connected_at = timezone.now()
        lead.save(update_fields=["connected_at"])
    return LinkResult(Status.CONNECTED, changed=created or fresh, system=system, external_id=external_id)


def _other_chats(lead: Lead, system: str, external_id: str) -> QuerySet[Lead]:
    return Lead.objects.filter(
        person__external_ids__system=system,
        person__external_ids__value=external_id,
        channel_id=lead.channel_id,
        is_active=True,
        connected_at__isnull=False,
    ).exclude(pk=lead.pk)


def _taken(reason: str, system: str, external_id: str) -> LinkResult:
    return LinkResult(Status.ALREADY_LINKED, reason=reason, system=system, external_id=external_id)


def _is_user(lead: Lead, system: str, external_id: str) -> bool:
    return ExternalId.objects.filter(person__leads=lead, system=system, value=external_id).exists()


def _why_refused(row: ConnectLink | None) -> str:
    if row is None:
        return _("This link is not valid here. Ask for a new one.")
    if row.used_at is not None:
        return _("This link has been used already. Ask for a new one.")
    return _("This link has expired. Ask for a new one.")


def _record(lead: Lead, kind: str, **details: str) -> None:
    recording.record(
        kind,
        details=details,
        bot_id=lead.channel.bot_id,
        channel_id=lead.channel_id,
        person_id=lead.person_id,
        lead_id=lead.pk,
        status="success" if kind in {"lead.connected", "lead.disconnected"} else "fail",
    )


__all__ = [
    "LinkResult",
    "MadeLink",
    "MappingRow",
    "Status",
    "disconnect",
    "is_token",
    "link",
    "make_link",
    "mapping",
    "mapping_row",
    "move",
    "redeem",
]
