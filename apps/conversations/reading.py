"""Read in bulk what a batch of locked lanes needs: their pending items, who writes, and where each conversation stands."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils import timezone

from apps.bots import known
from apps.bots.adapter import Inbound
from apps.conversations.inbox import load
from apps.conversations.lanes import Claim
from apps.conversations.models import Conversation, Update
from apps.conversations.responder import Chat, Turn, Written
from apps.core import dbclock, hot
from apps.core.bulk import insert_in_bulk
from apps.identity import resolving
from apps.identity.models import Lead


@dataclass
class Standing:
    """`turns` in inbox order; `unfinished` are lanes that have more items than were read."""

    turns: list[Turn]
    unfinished: set[int] = field(default_factory=set)


def read(claims: Sequence[Claim], written: Written, *, per_lane: int, items: Sequence[Update] = ()) -> Standing:
    """Everything of the claimed chats, read under their locks. Leads and conversations are made where missing. `items`: all that waits in their
    lanes, as far as the caller knows it already.
    """
    known = {update.lane_id for update in items}
    unknown = [claim.lane_id for claim in claims if claim.lane_id not in known]
    by_lane: dict[int, list[Update]] = {}
    for update in [*items, *(_pending(unknown, per_lane=per_lane + 1) if unknown else ())]:
        by_lane.setdefault(update.lane_id, []).append(update)
    unfinished = {lane_id for lane_id, items in by_lane.items() if len(items) > per_lane}
    chat_ids = {claim.lane_id: claim.chat_id for claim in claims}
    chats = _chats({lane_id: items[0] for lane_id, items in by_lane.items()}, chat_ids, written)
    now = dbclock.keep()
    turns = [
        Turn(
            chat=chats[update.lane_id],
            update=update,
            now=now,
            inbound=_named(load(update.payload)) if update.kind == Update.Kind.MESSENGER else None,
        )
        for items in by_lane.values()
        for update in items[:per_lane]
    ]
    _join_albums(turns)
    _find_repeats(turns)
    return Standing(turns=turns, unfinished=unfinished)


def _named(inbound: Inbound) -> Inbound:
    """Its files get the name under which they will be stored, so that a scenario can tell another system where they are."""
    if not inbound.media:
        return inbound
    media = (item.model_copy(update={"uid": uuid.uuid4().hex}) if item.external else item for item in inbound.media)
    return replace(inbound, media=tuple(media))


def _join_albums(turns: Sequence[Turn]) -> None:
    """Files that were sent together come one by one: the first of them stands for all."""
    leaders: dict[tuple[int, str], Turn] = {}
    for turn in turns:
        if turn.inbound and turn.inbound.album:
            leader = leaders.setdefault((turn.chat.lane_id, turn.inbound.album), turn)
            leader.files += turn.inbound.media
            turn.follows = turn is not leader


def _find_repeats(turns: Sequence[Turn]) -> None:
    """Messages that are here already, or twice in this batch."""
    seen: dict[tuple[int, str], Turn] = {}
    for turn in turns:
        if turn.inbound and turn.inbound.kind == "message" and turn.inbound.external_id:
            first = seen.setdefault((turn.chat.conversation.pk, turn.inbound.external_id), turn)
            turn.repeats = first is not turn
    if not seen:
        return
    known = hot.run(
        """
        SELECT asked.conversation_id, asked.external_id FROM unnest(%s::bigint[], %s::text[], %s::bigint[]) AS asked(conversation_id, external_id, channel_id),
            LATERAL (
                SELECT 1 FROM conversations_message AS old WHERE old.channel_id = asked.channel_id AND old.direction = 'in'
                    AND old.external_id = asked.external_id AND old.conversation_id = asked.conversation_id LIMIT 1
            ) AS old
        """,
        [
            hot.numbers(conversation_id for conversation_id, _external_id in seen),
            hot.texts(external_id for _conversation_id, external_id in seen),
            hot.numbers(turn.chat.channel.pk for turn in seen.values()),
        ],
    )
    for conversation_id, external_id in known:
        seen[conversation_id, external_id].repeats = True


def _pending(lane_ids: Sequence[int], *, per_lane: int) -> list[Update]:
    """The oldest items of each lane; the limit is per lane, so that one flooded chat costs no more than the others."""
    rows = hot.run(
        f"""
        SELECT {hot.columns(Update, "item")} FROM unnest(%s::bigint[]) AS lane(id), LATERAL (
            SELECT * FROM conversations_update WHERE lane_id = lane.id AND state = 'pending' ORDER BY id LIMIT %s
        ) AS item ORDER BY item.lane_id, item.id
        """,  # noqa: S608  names are ours
        [hot.numbers(lane_ids), per_lane],
    )
    return list(map(hot.reader(Update), rows))


def _chats(heads: dict[int, Update], chat_ids: dict[int, str], written: Written) -> dict[int, Chat]:
    """The chat of each lane; `heads` is any item of it."""
    channels = known.among(update.channel_id for update in heads.values())
    leads = resolving.leads_of(
        {lane_id: (channels[update.channel_id], chat_ids[lane_id]) for lane_id, update in heads.items()},
        profiles={lane_id: _profile(update) for lane_id, update in heads.items() if update.kind == Update.Kind.MESSENGER},
    )
    conversations = _open_conversations(leads)
    return {
        lane_id: Chat(
            lane_id=lane_id,
            bot=channels[update.channel_id].bot,
            channel=channels[update.channel_id],
            lead=leads[lane_id],
            person=leads[lane_id].person,
            conversation=conversations[lane_id],
            written=written,
        )
        for lane_id, update in heads.items()
    }


def _profile(update: Update) -> dict[str, Any]:
    return {**update.payload.get("profile", {}), "group": update.payload.get("group", False)}


def _open_conversations(leads: dict[int, Lead]) -> dict[int, Conversation]:
    rows = hot.run(
        f"""
        SELECT {hot.columns(Conversation, "open")} FROM unnest(%s::bigint[]) AS lead(id), LATERAL (
            SELECT * FROM conversations_conversation WHERE lead_id = lead.id AND status <> 'closed' LIMIT 1
        ) AS open WHERE open.status = 'open'
        """,  # noqa: S608  names are ours
        [hot.numbers({lead.pk for lead in leads.values()})],
    )
    found = {row.lead_id: row for row in map(hot.reader(Conversation), rows)}
    missing = [(lane_id, lead) for lane_id, lead in leads.items() if lead.pk not in found]
    for lane_id, lead in missing:
        found[lead.pk] = hot.make(
            Conversation, bot_id=lead.channel.bot_id, lead=lead, person=lead.person, lane_id=lane_id, opened_at=timezone.now()
        )
    if missing:
        insert_in_bulk([found[lead.pk] for _lane_id, lead in missing])
    for lead in leads.values():
        conversation = found[lead.pk]
        conversation.person_id = lead.person_id  # a merge may be newer than the conversation
        hot.join(conversation, lead=lead, person=lead.person)
    return {lane_id: found[lead.pk] for lane_id, lead in leads.items()}
