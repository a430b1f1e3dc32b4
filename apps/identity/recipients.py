"""To whom a call of the integration API speaks: leads for ids, phones and e-mail addresses, a list of any length in a few queries."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from apps.bots import known
from apps.bots.models import Bot
from apps.core import hot
from apps.core.together import Together
from apps.identity import contacts
from apps.identity.mapping import id_text
from apps.identity.models import Lead, Person


@dataclass(frozen=True)
class Asked:
    """One recipient as the caller named it: `by` is userId, leadId, chatId, phone or email."""

    by: str
    value: str


@dataclass
class Found:
    """`leads` in the order asked, each once; `missing` is who is not known; `inactive` who is, but cannot be written to now."""

    leads: list[Lead] = field(default_factory=list)
    missing: list[Asked] = field(default_factory=list)
    inactive: list[Lead] = field(default_factory=list)


Known = tuple[Asked, Sequence[int], Lead | None]  # as asked, the people meant, or the one lead meant
UserKey = tuple[int, str, str]  # bot, system, the user's id there


def find(
    bot: Bot,
    *,
    system: str,
    user_ids: Iterable[Any] = (),
    lead_ids: Iterable[Any] = (),
    chat_ids: Iterable[Any] = (),
    phones: Iterable[str] = (),
    emails: Iterable[str] = (),
    channel_kind: str | None = None,
) -> Found:
    """Leads of the bot for all these, ids of `system` meant by `user_ids`.

    A user, phone or e-mail means a person: the answer is their lead in `channel_kind`, or else the one that wrote last. A leadId or chatId
    means that very chat. Phones and e-mail addresses count only when they are confirmed, so that nobody receives what is another's by typing
    that other's number.
    """
    meant = [
        *_by_user(bot, system, [id_text(value) for value in user_ids], channel_kind),
        *_by_chat(bot, "leadId", "code", [id_text(value).upper() for value in lead_ids], channel_kind),
        *_by_chat(bot, "chatId", "chat_id", [id_text(value) for value in chat_ids], channel_kind),
        *_by_contact(bot, "phone", [str(value) for value in phones]),
        *_by_contact(bot, "email", [str(value) for value in emails]),
    ]
    return _found(meant, _leads_of_people({pk for _asked, people, _lead in meant for pk in people}, channel_kind))


def of_user(value: str, leads: list[Lead]) -> Found:
    """The same for one user whose chats `leads_of_users` has given already."""
    return _found([(Asked("userId", value), (), _best(_attach_channels(leads)))], {})


def _found(meant: Sequence[Known], by_person: dict[int, list[Lead]]) -> Found:
    found, seen = Found(), set[int]()
    for asked, people, lead in meant:
        chosen = lead or _best([row for pk in people for row in by_person.get(pk, [])])
        if chosen is None:
            found.missing.append(asked)
        elif chosen.person_id not in seen:
            seen.add(chosen.person_id)
            (found.leads if reachable(chosen) else found.inactive).append(chosen)
    return found


def reachable(lead: Lead) -> bool:
    """Whether a message to this lead can leave now."""
    return lead.is_active and lead.channel.is_active


def leads_of(people: Iterable[int]) -> dict[int, Lead]:
    """By person the chat in which they can be written to now: the one that wrote last. People without any are left out."""
    by_person = _leads_of_people(set(people), None)
    best = {pk: _best([lead for lead in leads if reachable(lead)]) for pk, leads in by_person.items()}
    return {pk: lead for pk, lead in best.items() if lead is not None}


def _by_user(bot: Bot, system: str, values: list[str], channel_kind: str | None) -> list[Known]:
    """One user is looked up together with those of other calls of the moment."""
    keys = [(bot.pk, system, value) for value in values]
    found = [_user_together(keys[0])] if len(keys) == 1 else leads_of_users(keys)
    _attach_channels([lead for leads in found for lead in leads])
    return [
        (Asked("userId", value), (), _best([lead for lead in leads if channel_kind in {None, lead.channel.kind}]))
        for value, leads in zip(values, found, strict=True)
    ]


def leads_of_users(keys: Sequence[UserKey]) -> list[list[Lead]]:
    """The chats of each of these users, without groups and without channels at hand."""
    if not keys:
        return []
    rows = hot.run(
        f"""
        SELECT asked.place, {hot.columns(Lead, "lead")}
        FROM unnest(%s::bigint[], %s::text[], %s::text[]) WITH ORDINALITY AS asked(bot_id, system, value, place),
            LATERAL (
                SELECT person_id FROM identity_externalid WHERE bot_id = asked.bot_id AND system = asked.system AND value = asked.value LIMIT 1
            ) AS known,
            LATERAL (SELECT * FROM identity_lead WHERE person_id = known.person_id AND NOT is_group OFFSET 0) AS lead
        """,  # noqa: S608  names are ours
        [hot.numbers(key[0] for key in keys), hot.texts(key[1] for key in keys), hot.texts(key[2] for key in keys)],
    )
    found: list[list[Lead]] = [[] for _key in keys]
    for place, *lead in rows:
        found[place - 1].append(hot.reader(Lead)(lead))
    return found


_user_together = Together(leads_of_users)


def _by_chat(bot: Bot, by: str, column: str, values: list[str], channel_kind: str | None) -> list[Known]:
    if not values:
        return []
    leads: dict[str, list[Lead]] = {}
    for lead in _leads(channel_kind, channel__bot=bot, **{f"{column}__in": values}):
        leads.setdefault(getattr(lead, column), []).append(lead)
    return [(Asked(by, value), [], _best(leads.get(value, []))) for value in values]


def _by_contact(bot: Bot, by: str, values: list[str]) -> list[Known]:
    if not values:
        return []
    normal, index = (contacts.normal_phone, contacts.phone_index) if by == "phone" else (contacts.normal_email, contacts.email_index)
    digests = {value: index(normal(value)) for value in values}
    wanted = {digest for digest in digests.values() if digest}
    holders: dict[str, list[int]] = {}
    confirmed = Person.objects.filter(bot=bot, **{f"{by}_index__in": wanted, f"{by}_verified": True})
    for digest, pk in confirmed.values_list(f"{by}_index", "pk"):
        holders.setdefault(digest, []).append(pk)
    return [(Asked(by, value), holders.get(digests[value], []), None) for value in values]


def _leads_of_people(people: set[int], channel_kind: str | None) -> dict[int, list[Lead]]:
    by_person: dict[int, list[Lead]] = {}
    for lead in _leads(channel_kind, person_id__in=people, is_group=False) if people else ():
        by_person.setdefault(lead.person_id, []).append(lead)
    return by_person


def _leads(channel_kind: str | None, **wanted: Any) -> list[Lead]:
    return _attach_channels(list(Lead.objects.filter(**wanted, **({"channel__kind": channel_kind} if channel_kind else {}))))


def _attach_channels(leads: list[Lead]) -> list[Lead]:
    channels = known.among(lead.channel_id for lead in leads)
    for lead in leads:
        hot.join(lead, channel=channels[lead.channel_id])
    return leads


def _best(leads: list[Lead]) -> Lead | None:
    """The chat to write to: one that can be reached, in which the person was last seen."""
    return max(
        leads, key=lambda lead: (reachable(lead), lead.last_inbound_at is not None, lead.last_inbound_at or lead.created_at), default=None
    )
