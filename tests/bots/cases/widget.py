"""What a visitor's page tells us, as the API of the web chat hands it on."""

from typing import Any

from apps.bots.adapter import Inbound
from apps.bots.content import Media

CHAT_ID = "w_81"


def told(kind: str, **fields: Any) -> dict[str, Any]:
    return {
        "chat_id": CHAT_ID,
        "type": kind,
        "client_message_id": "c-1",
        "profile": {"name": "Anna", "language": "uk", "hash": "x"},
        **fields,
    }


def heard(kind: Any = "message", **fields: Any) -> Inbound:
    known: dict[str, Any] = {"event_key": "m:w_81:c-1", "external_id": "c-1", **fields}
    return Inbound(chat_id=CHAT_ID, kind=kind, profile={"name": "Anna", "language": "uk"}, **known)


PARSED: dict[str, tuple[dict[str, Any], list[Inbound]]] = {
    "text": (told("text", text="Hi"), [heard(text="Hi")]),
    "button": (
        told("action", action_id="b:4Kd9.1", message_id="m_7", text="Yes"),
        [heard("button", button="b:4Kd9.1", reply_to="m_7", text="Yes")],
    ),
    "file": (
        told("file", media=[{"kind": "image", "attachment": 9, "name": "a.png", "mime": "image/png", "size": 12}], text="see"),
        [heard(media=(Media(kind="image", attachment=9, name="a.png", mime="image/png", size=12),), text="see")],
    ),
    "contact": (
        told("contact", phone="+380501112233", name="Anna"),
        [heard(contact={"phone": "+380501112233", "name": "Anna", "own": False})],
    ),
    "location": (told("location", latitude=50.45, longitude=30.52), [heard(location={"latitude": 50.45, "longitude": 30.52})]),
    "start": (told("start", start="c_7Zk2Qp"), [heard("start", payload="c_7Zk2Qp")]),
    "read": (
        told("receipt", message_id="m_7", status="read"),
        [heard("receipt", event_key="s:w_81:m_7:read", receipt="read", reply_to="m_7", external_id="")],
    ),
    "typing": (told("typing"), [heard("typing")]),
}
SECRETS: dict[str, Any] = {"identity_secret": "known-to-the-shops-server"}
CONFIG: dict[str, Any] = {"title": "Shop", "allowed_hosts": ["shop.example"], "color": "#112233"}
