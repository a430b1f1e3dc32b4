"""What an external messenger posts to us."""

from typing import Any

from apps.bots.adapter import Inbound
from apps.bots.content import Media


def told(**fields: Any) -> dict[str, Any]:
    return {"task_id": "1721129985149x478019552540622850", "chat_id": "123456789", "client_message_id": "c-1", **fields}


def heard(kind: Any = "message", **fields: Any) -> Inbound:
    known: dict[str, Any] = {"event_key": "m:123456789:c-1", "external_id": "c-1", "chat_id": "123456789", **fields}
    return Inbound(kind=kind, **known)


def _file(kind: Any, url: str, **fields: Any) -> Media:
    """A file of theirs is fetched from its address."""
    return Media(kind=kind, url=url, external=url, **fields)


PARSED: dict[str, tuple[dict[str, Any], list[Inbound]]] = {
    "text": (told(message="Test message via api"), [heard(text="Test message via api")]),
    "text with what is known of the person": (
        told(message="Hi", name="Anna K", username="anna_k", phone="+380501112233", email="anna@shop.example", language="uk"),
        [
            heard(
                text="Hi",
                profile={"name": "Anna K", "username": "anna_k", "phone": "+380501112233", "email": "anna@shop.example", "language": "uk"},
            )
        ],
    ),
    "repeat known by the header": (
        {"chat_id": 5, "message": "Hi", "idempotency_key": "k-9"},
        [Inbound(event_key="m:5:k-9", chat_id="5", kind="message", text="Hi", external_id="k-9")],
    ),
    "button": (told(message="OK", action_id="b:4Kd9.0"), [heard("button", button="b:4Kd9.0", text="OK")]),
    "start": (told(start="c_7Zk2Qp"), [heard("start", payload="c_7Zk2Qp")]),
    "files": (
        told(
            attachments=[
                {"url": "https://x.example/1.jpg", "type": "image", "name": "1.jpg"},
                {"url": "https://x.example/2", "type": "hologram"},
            ]
        ),
        [heard(media=(_file("image", "https://x.example/1.jpg", name="1.jpg"), _file("file", "https://x.example/2")))],
    ),
    "nothing said": (told(), [heard("unknown")]),
    "delivered": (
        {"message_id": "m_77", "status": "delivered"},
        [Inbound(event_key="s:m_77:delivered", chat_id="", kind="receipt", receipt="delivered", reply_to="m_77")],
    ),
    "failed": (
        {"message_id": "m_77", "status": "failed", "reason": "no phone", "chat_id": "5"},
        [Inbound(event_key="s:m_77:failed", chat_id="5", kind="receipt", receipt="failed", reply_to="m_77", text="no phone")],
    ),
}
SECRETS: dict[str, Any] = {"signing_secret": "known-to-both-sides-1"}
CONFIG: dict[str, Any] = {"webhook_url": "https://crm.example/hook", "task_id": "1721129985149x478019552540622850"}
