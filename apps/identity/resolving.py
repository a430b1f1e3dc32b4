"""From a chat to the lead and the person behind it, for many chats at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from apps.bots.models import Channel
from apps.core import hot
from apps.core.bulk import update_in_bulk
from apps.core.masking import mask_email, mask_phone
from apps.identity.models import Lead, Person

HEARD_EVERY = timedelta(minutes=1)
PROFILE_KEYS = ("name", "first_name", "last_name", "username", "language")
Profile = Mapping[str, Any]


def leads_of(wanted: Mapping[int, tuple[Channel, str]], *, profiles: Mapping[int, Profile] | None = None) -> dict[int, Lead]:
    """The lead of each chat, by the caller's keys; `lead.person` is loaded, `lead.channel` is the caller's own.

    One query when all are known. Unknown chats get a person and a lead in a few queries for all of them together; whoever else makes the
    same lead at the same moment gets the same row. `profiles` are what the messenger tells (`Inbound.profile`, and `group`).
    """
    if not wanted:
        return {}
    channels = {channel.pk: channel for channel, _chat_id in wanted.values()}
    pairs = {(channel.pk, chat_id) for channel, chat_id in wanted.values()}
    known = _known(pairs, channels)
    missing = {key: asked for key, asked in wanted.items() if (asked[0].pk, asked[1]) not in known}
    if missing:
        _create(missing, profiles or {})
        known |= _known(pairs - set(known), channels)
    return {key: known[channel.pk, chat_id] for key, (channel, chat_id) in wanted.items()}


@dataclass(frozen=True)
class Heard:
    """A person wrote at this moment, and what the messenger told of them then (`Inbound.profile`)."""

    lead: Lead
    at: datetime
    profile: Profile


def heard_from(heard: Sequence[Heard]) -> None:
    """These people wrote, in this order: their leads are active, names follow the messenger's. At most a statement for each set of fields that
    changes, and none when nothing changed within the last minute.
    """
    leads: Changed = {}
    people: Changed = {}
    for one in heard:
        _note(people, one.lead.person, _greeted(one.lead.person, one.profile, old_name=one.lead.display_name))
        _note(leads, one.lead, _news(one))
    _write(leads)
    _write(people)


def activate(lead: Lead) -> None:
    """The chat can be written to again."""
    _set_active(lead, active=True, reason="")


def deactivate(lead: Lead, *, reason: str) -> None:
    """The chat cannot be written to until the person writes again; `reason` is for people."""
    _set_active(lead, active=False, reason=reason)


def migrate(lead: Lead, *, chat_id: str) -> Lead:
    """The messenger gave the chat a new id. Returns the lead that has it from now on: this one, or the one that has written from there
    already, which then takes over the person while this one becomes inactive.
    """
    other = Lead.objects.select_related("person", "channel__bot").filter(channel_id=lead.channel_id, chat_id=chat_id).first()
    if other is None:
        lead.chat_id = chat_id
        lead.save(update_fields=["chat_id"])
        return lead
    if other.pk != lead.pk:
        deactivate(lead, reason=f"The chat has moved to {other.code}.")
    return other


def _known(pairs: Iterable[tuple[int, str]], channels: Mapping[int, Channel]) -> dict[tuple[int, str], Lead]:
    """The callers' channels are used: to read them once more with each lead would decrypt their credentials as often."""
    rows, leads = list(pairs), hot.width(Lead)
    found = hot.run(
        f"""
        SELECT {hot.columns(Lead, "lead")}, {hot.columns(Person, "person")} FROM unnest(%s::bigint[], %s::text[]) AS asked(channel_id, chat_id)
        JOIN LATERAL (SELECT * FROM identity_lead WHERE channel_id = asked.channel_id AND chat_id = asked.chat_id LIMIT 1) AS lead ON true
        JOIN LATERAL (SELECT * FROM identity_person WHERE id = lead.person_id LIMIT 1) AS person ON true
        """,  # noqa: S608  names are ours
        [hot.numbers(channel_id for channel_id, _chat_id in rows), hot.texts(chat_id for _channel_id, chat_id in rows)],
    )
    known = {}
    for row in found:
        lead = hot.reader(Lead)(row[:leads])
        hot.join(lead, person=hot.reader(Person)(row[leads:]), channel=channels[lead.channel_id])
        known[lead.channel_id, lead.chat_id] = lead
    return known


def _create(missing: Mapping[int, tuple[Channel, str]], profiles: Mapping[int, Profile]) -> None:
    """Leads first, each pointing at a person who does not exist yet (the constraint is checked at commit), then people for those leads that
    were really ours: a chat that somebody else has just made leaves nobody behind.
    """
    asked = {(channel.pk, chat_id): (channel, profiles.get(key, {})) for key, (channel, chat_id) in missing.items()}
    lead_ids, person_ids = _next_ids(Lead, len(asked)), _next_ids(Person, len(asked))
    # One order for all who make leads at the same time, so that they wait for one another and never in a circle.
    leads = [
        _new_lead(channel, chat_id, profile, pk=lead_id, person_id=person_id)
        for ((_channel_id, chat_id), (channel, profile)), lead_id, person_id in zip(
            sorted(asked.items(), key=_place), lead_ids, person_ids, strict=True
        )
    ]
    with transaction.atomic():
        Lead.objects.bulk_create(leads, ignore_conflicts=True)
        ours = set(Lead.objects.filter(pk__in=lead_ids).values_list("pk", flat=True))
        Person.objects.bulk_create(
            Person(pk=lead.person_id, bot_id=lead.channel.bot_id, name=lead.display_name, language=_language(lead.profile))
            for lead in leads
            if lead.pk in ours
        )


def _place(item: tuple[tuple[int, str], object]) -> tuple[int, str]:
    return item[0]


def _next_ids(model: type[Lead] | type[Person], count: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [model._meta.db_table, count])
        return [number for (number,) in cursor.fetchall()]


def _new_lead(channel: Channel, chat_id: str, profile: Profile, *, pk: int, person_id: int) -> Lead:
    return Lead(
        pk=pk,
        code=f"{channel.adapter.lead_prefix}-{pk}",
        person_id=person_id,
        channel=channel,
        chat_id=chat_id,
        is_group=bool(profile.get("group")),
        display_name=_name(profile),
        username=str(profile.get("username", ""))[:200],
        profile=_told(profile),
    )


def _named(profile: Profile, lead: Lead) -> dict[str, Any]:
    """What the messenger now tells otherwise; what it does not tell stays."""
    now = {
        "display_name": _name(profile),
        "username": str(profile.get("username", ""))[:200],
        "profile": {**lead.profile, **_told(profile)},
    }
    return {field: value for field, value in now.items() if value and value != getattr(lead, field)}


def _name(profile: Profile) -> str:
    full = " ".join(str(profile[part]) for part in ("first_name", "last_name") if profile.get(part))
    return str(profile.get("name") or full)[:200]


def _told(profile: Profile) -> dict[str, Any]:
    """What is kept of a profile: names and language; a phone or e-mail is only claimed and therefore masked."""
    told = {key: str(profile[key])[:200] for key in PROFILE_KEYS if profile.get(key)}
    claimed = {"phone": mask_phone, "email": mask_email}
    return told | {f"claimed_{key}": mask(str(profile[key])) for key, mask in claimed.items() if profile.get(key)}


def _language(profile: Profile) -> str:
    return str(profile.get("language", "")).replace("_", "-")[:10]


def _news(heard: Heard) -> dict[str, Any]:
    lead, changes = heard.lead, _named(heard.profile, heard.lead)
    if lead.last_inbound_at is None or heard.at - lead.last_inbound_at >= HEARD_EVERY:
        changes["last_inbound_at"] = heard.at
    if not lead.is_active:
        changes |= {"is_active": True, "inactive_reason": ""}
    return changes


def _greeted(person: Person, profile: Profile, *, old_name: str) -> dict[str, Any]:
    """A person's name follows the messenger's until a system or a colleague has given another one."""
    changes: dict[str, Any] = {}
    name = _name(profile)
    if name and name != person.name and person.name in {"", old_name}:
        changes["name"] = name
    if not person.language and _language(profile):
        changes["language"] = _language(profile)
    return changes


def _set_active(lead: Lead, *, active: bool, reason: str) -> None:
    if lead.is_active == active:
        return
    lead.is_active, lead.inactive_reason = active, reason[:300]
    lead.save(update_fields=["is_active", "inactive_reason"])


Changed = dict[int, tuple[Lead | Person, set[str]]]  # by the object: two chats of one person hold two of them


def _note(changed: Changed, row: Lead | Person, changes: Mapping[str, Any]) -> None:
    if changes:
        changed.setdefault(id(row), (row, set()))[1].update(changes)
    for field, value in changes.items():
        setattr(row, field, value)


def _write(changed: Changed) -> None:
    """These fields alone, without a history row: nobody of the staff did it."""
    by_fields: dict[tuple[str, ...], list[Lead | Person]] = {}
    for row, fields in changed.values():
        by_fields.setdefault(tuple(sorted(fields)), []).append(row)
    for fields_, rows in by_fields.items():
        update_in_bulk(rows, fields_, now=True)
