"""A visitor whose user id the page's server has signed is that user: the chat is linked before anything was said, so that an event in
the CRM finds it.
"""

from typing import Any

from apps.bots.models import Channel
from apps.identity import linking, proofs, resolving
from apps.identity.models import Lead, Person
from apps.panel.models import WidgetVisitor


def chat_of(channel: Channel, user_id: str) -> str | None:
    """The chat that this user of the bot's main system has in this channel."""
    return (
        Lead.objects.filter(
            channel=channel,
            connected_at__isnull=False,
            person__external_ids__system=channel.bot.source_system,
            person__external_ids__value=user_id,
        )
        .order_by("-is_active", "-connected_at")
        .values_list("chat_id", flat=True)
        .first()
    )


def connect(visitor: WidgetVisitor, user_id: str) -> bool:
    """Make the lead of this chat and link it to the user; False when the chat is somebody else's already. Only after the proof was judged."""
    lead = resolving.leads_of({0: (visitor.channel, visitor.chat_id)}, profiles={0: profile(visitor)})[0]
    system = visitor.channel.bot.source_system
    # The system's own server named its user to this very browser, which came with it: the system's word and the person's presence.
    proof = proofs.by_system(lead, system=system, external_id=user_id, named=True, confirmed=True)
    return linking.link(lead, system=system, external_id=user_id, proof=proof).linked


def learn_language(visitor: WidgetVisitor) -> None:
    """The bot speaks the page's language to a user of whom it knows none, from the first message on."""
    if visitor.user_id and visitor.language:
        people = Person.objects.filter(leads__channel_id=visitor.channel_id, leads__chat_id=visitor.chat_id, language="")
        Person.objects.filter(pk__in=people.values("pk")).update(language=visitor.language)


def profile(visitor: WidgetVisitor) -> dict[str, Any]:
    """What the visitor's page tells about them, as an inbound's profile."""
    claims = visitor.claims or {}
    return {**{key: claims[key] for key in ("name", "phone", "email", "username") if claims.get(key)}, "language": visitor.language}
