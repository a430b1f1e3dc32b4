"""Internal events of scenarios start the scenarios that listen to them, in the same chat, as inbox items of their own."""

from collections.abc import Sequence

from apps.conversations import inbox
from apps.conversations.inbox import Posting
from apps.conversations.models import Update
from apps.conversations.responder import Turn
from apps.scenarios import triggers
from apps.scenarios.engine.contract import Emit
from apps.scenarios.models import Session


def post(emitted: Sequence[tuple[Turn, Session, Emit]]) -> None:
    """One item a listener; bounded by the generation that the started session carries on."""
    inbox.post(
        Posting(
            channel_id=turn.chat.channel.pk,
            bot_id=turn.chat.bot.pk,
            chat_id=turn.chat.lead.chat_id,
            kind=Update.Kind.START,
            source="event",
            event_key=f"{turn.update.pk}:{number}:{found.scenario_id}",
            trace_id=turn.update.trace_id,
            payload={
                "scenario_id": found.scenario_id,
                "entry": found.entry,
                "params": {"event": emit.name, **emit.data},
                "why": found.reason,
                "generation": session.generation + 1,
            },
        )
        for number, (turn, session, emit) in enumerate(emitted)
        for found in triggers.by_event(turn.chat.bot.pk, emit.name)
    )
