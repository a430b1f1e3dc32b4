"""A visitor of a web chat who talks to its API as the page does."""

import itertools
import time
from dataclasses import dataclass, field
from typing import Any

from django.test import Client

from apps.bots.content import Content
from apps.bots.models import Channel
from apps.conversations import advancing
from apps.conversations.models import FeedItem, Message
from apps.identity.models import Lead
from apps.panel import proving
from apps.panel.models import WidgetVisitor
from apps.panel.widget_api import key_of
from tests.making import make_channel

OWN = "http://testserver"
SHOP = "https://shop.example"
SECRET = "the shop's own secret"
_ids = itertools.count(1)


def make_widget(**fields: Any) -> Channel:
    config = {"title": "Shop", "allowed_hosts": ["shop.example"]}
    return make_channel(**{"kind": "widget", "config": config, "secrets": {"identity_secret": SECRET}, **fields})


def identity(user_id: str = "125", *, secret: str = SECRET, seconds: int = 300, **claims: Any) -> dict[str, Any]:
    expires = int(time.time()) + seconds
    return {"user_id": user_id, "exp": expires, "hash": proving.signature(secret, user_id=user_id, expires=expires), **claims}


@dataclass
class Visitor:
    """One browser. Every call comes from `origin`."""

    channel: Channel
    origin: str = OWN
    client: Client = field(default_factory=Client)
    session: dict[str, Any] = field(default_factory=dict)

    def call(self, method: str, path: str, data: Any = None, **options: Any) -> Any:
        headers = {"Origin": self.origin, **options.pop("headers", {})}
        if self.session:
            headers.setdefault("Authorization", f"Bearer {self.session['visitor_token']}")
        body = {} if data is None else {"data": data, "content_type": "application/json"}
        send = getattr(self.client, method)
        return send(f"/widget/v1/{path}", **body, headers={name: value for name, value in headers.items() if value}, **options)

    def open(self, **data: Any) -> dict[str, Any]:
        answer = self.call(
            "post", "sessions", {"key": key_of(self.channel), "visitor_token": self.session.get("visitor_token", ""), **data}
        )
        assert answer.status_code == 200, answer.content
        self.session = answer.json()
        return self.session

    def say(self, text: str | None = "Hi", **data: Any) -> Any:
        return self.call("post", "messages", {"client_message_id": f"c{next(_ids)}", "type": "text", "text": text, **data})

    def events(self, after: str | None = None) -> dict[str, Any]:
        answer = self.call("get", f"events?after={after or self.session['cursor']}")
        assert answer.status_code == 200, answer.content
        return dict(answer.json())

    def texts(self) -> list[str]:
        answer = self.call("get", "messages")
        assert answer.status_code == 200, answer.content
        return [message["text"] for message in answer.json()["messages"]]

    @property
    def row(self) -> WidgetVisitor:
        return WidgetVisitor.objects.get(chat_id=self.session["chat_id"])

    @property
    def lead(self) -> Lead:
        return Lead.objects.get(channel=self.channel, chat_id=self.session["chat_id"])


def visit(channel: Channel, *, origin: str = OWN, **data: Any) -> Visitor:
    visitor = Visitor(channel, origin=origin)
    visitor.open(**data)
    return visitor


def talk(visitor: Visitor, text: str = "Hi", **data: Any) -> None:
    """Say something and have it answered."""
    assert visitor.say(text, **data).status_code == 202
    advancing.drain()


def tell(lead: Lead, content: Content, **fields: Any) -> Message:
    """A message of ours, as a sent one stands in the database, with its notice in the feed."""
    conversation = lead.conversations.get(status="open")
    conversation.last_seq += 1
    conversation.save()
    message = Message.objects.create(
        **{
            "conversation": conversation,
            "channel": lead.channel,
            "seq": conversation.last_seq,
            "direction": "out",
            "author": "bot",
            "content": content.dump(),
            "text": content.text,
            "state": "sent",
            "trace_id": "trace-of-the-question",
            **fields,
        }
    )
    Message.objects.filter(pk=message.pk).update(external_id=f"m_{message.pk}")
    FeedItem.objects.create(
        bot_id=conversation.bot_id,
        conversation_id=conversation.pk,
        lead_id=lead.pk,
        kind="message.created",
        version=1,
        data={"message": message.pk, "seq": message.seq},
    )
    return message
