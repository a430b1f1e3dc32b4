"""Visitors and their tokens. What a visitor may see follows from the token alone, never from an id in the request."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from apps.bots.models import Channel
from apps.core.crypto import token_digest
from apps.identity.models import Lead
from apps.panel import connecting
from apps.panel.models import WidgetVisitor
from apps.panel.proving import Identity

PREFIX = "vt_"
LIFETIME = timedelta(days=30)
NOTED_EVERY = timedelta(hours=1)


@dataclass(frozen=True)
class Opened:
    """`token` is given out whenever a session begins; `fresh` when it is not the one the browser came with."""

    visitor: WidgetVisitor
    token: str
    fresh: bool


def find(token: str) -> WidgetVisitor | None:
    """The visitor whose token this is, while it lives; being used is noted once an hour."""
    if not token.startswith(PREFIX):
        return None
    now = timezone.now()
    visitor = (
        WidgetVisitor.objects.select_related("channel__bot")
        .filter(digest=token_digest(token), expires_at__gt=now, channel__is_active=True, channel__kind="widget")
        .first()
    )
    if visitor and now - visitor.seen_at > NOTED_EVERY:
        WidgetVisitor.objects.filter(pk=visitor.pk).update(seen_at=now, expires_at=now + LIFETIME)
    return visitor


def open_session(channel: Channel, *, token: str, identity: Identity, told: Mapping[str, Any]) -> Opened:
    """The visitor behind `token`, or a new one. `told`: `language` and `page` as the browser tells them.

    Somebody else's session is never continued: a browser that was signed in as one user and now comes as another, or as nobody, begins
    anew. An anonymous visitor who signs in keeps the chat; a signed-in user finds the same chat in every browser.
    """
    now = timezone.now()
    with transaction.atomic():
        _one_at_a_time(channel, identity.user_id or token)
        visitor = find(token)
        if visitor and (visitor.channel_id != channel.pk or visitor.user_id not in {"", identity.user_id}):
            visitor = None
        fresh = visitor is None
        if visitor is None:
            token = PREFIX + secrets.token_urlsafe(32)
            visitor = WidgetVisitor(channel=channel, digest=token_digest(token))
        _note(visitor, identity, told, now=now)
        if identity.user_id:
            _become(visitor, identity.user_id)
        visitor.save()
        connecting.learn_language(visitor)
    return Opened(visitor, token, fresh)


def forget(visitor: WidgetVisitor) -> None:
    """The browser signs out: its token opens nothing from now on. What was said stays."""
    WidgetVisitor.objects.filter(pk=visitor.pk).update(expires_at=timezone.now())


def remove_expired() -> int:
    """Deletes visitors whose token has run out; their chats stay. Returns how many."""
    return WidgetVisitor.objects.filter(expires_at__lt=timezone.now()).delete()[1].get("panel.WidgetVisitor", 0)


def new_chat_id() -> str:
    return f"w_{secrets.token_hex(8)}"


def _note(visitor: WidgetVisitor, identity: Identity, told: Mapping[str, Any], *, now: datetime) -> None:
    visitor.chat_id = visitor.chat_id or new_chat_id()
    visitor.claims = {**(visitor.claims or {}), **identity.claims}
    visitor.language = str(told.get("language") or visitor.language)[:10]
    visitor.page = str(told.get("page") or visitor.page)[:500]
    visitor.seen_at, visitor.expires_at = now, now + LIFETIME


def _become(visitor: WidgetVisitor, user_id: str) -> None:
    """The visitor is this user of the main system, by proof: give them the chat that this user has here, or connect their own."""
    visitor.user_id = user_id
    said_something = Lead.objects.filter(channel=visitor.channel, chat_id=visitor.chat_id).exists()
    known = None if said_something else connecting.chat_of(visitor.channel, user_id)
    visitor.chat_id = known or visitor.chat_id
    if not known and not connecting.connect(visitor, user_id):
        visitor.chat_id = connecting.chat_of(visitor.channel, user_id) or new_chat_id()
        connecting.connect(visitor, user_id)


def _one_at_a_time(channel: Channel, key: str) -> None:
    """Two tabs that open together must not make two chats; held until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))", [f"widget:{key}", channel.pk])
