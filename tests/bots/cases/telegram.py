"""What Telegram posts, and what it means."""

from datetime import UTC, datetime
from typing import Any

from apps.bots.adapter import Inbound
from apps.bots.content import Content, Media

CHAT: dict[str, Any] = {"id": 540278913, "type": "private", "first_name": "Anna"}
ANNA: dict[str, Any] = {
    "id": 540278913,
    "is_bot": False,
    "first_name": "Anna",
    "last_name": "K",
    "username": "anna_k",
    "language_code": "uk",
}
GROUP: dict[str, Any] = {"id": -1001234567890, "type": "supergroup", "title": "Friends"}
SHOP: dict[str, Any] = {"id": 99, "is_bot": True, "first_name": "Shop"}
PROFILE = {"name": "Anna K", "first_name": "Anna", "last_name": "K", "username": "anna_k", "language": "uk"}
DATE = 1760520292
AT = datetime(2025, 10, 15, 9, 24, 52, tzinfo=UTC)


def message(**parts: Any) -> dict[str, Any]:
    return {"update_id": 710001, "message": {"message_id": 41, "date": DATE, "chat": CHAT, "from": ANNA, **parts}}


def heard(kind: Any = "message", **fields: Any) -> Inbound:
    known: dict[str, Any] = {"chat_id": "540278913", "external_id": "41", "occurred_at": AT, "profile": PROFILE, **fields}
    return Inbound(event_key="u:710001", kind=kind, **known)


def membership(status: str, chat: dict[str, Any] = CHAT) -> dict[str, Any]:
    states: dict[str, dict[str, Any]] = {
        "old_chat_member": {"status": "left", "user": SHOP},
        "new_chat_member": {"status": status, "user": SHOP},
    }
    if status == "kicked":
        states["new_chat_member"] |= {"until_date": 0}
    return {"update_id": 710001, "my_chat_member": {"chat": chat, "from": ANNA, "date": DATE, **states}}


def press(**parts: Any) -> dict[str, Any]:
    return {"update_id": 710001, "callback_query": {"id": "2320481", "from": ANNA, "chat_instance": "-77", "data": "b:4Kd9.1", **parts}}


def media(kind: Any, **fields: Any) -> Inbound:
    return heard(media=(Media(kind=kind, **fields),))


FILE = {"file_id": "F1", "file_unique_id": "u1", "file_size": 48211}
PIXELS = {"width": 640, "height": 480}

PARSED: dict[str, tuple[dict[str, Any], list[Inbound]]] = {
    "text": (message(text="Привіт 😀"), [heard(text="Привіт 😀")]),
    "answer to a message": (
        message(text="yes", reply_to_message={"message_id": 40, "date": DATE, "chat": CHAT, "text": "?"}),
        [heard(text="yes", reply_to="40")],
    ),
    "start": (message(text="/start"), [heard("start", text="/start")]),
    "deep link": (message(text="/start c_7Zk2Qp"), [heard("start", text="/start c_7Zk2Qp", payload="c_7Zk2Qp")]),
    "deep link in a group": (message(text="/start@shop_bot c_7"), [heard("start", text="/start@shop_bot c_7", payload="c_7")]),
    "another command": (message(text="/started"), [heard(text="/started")]),
    "photo": (
        message(
            photo=[{"file_id": "small", "file_unique_id": "q1", "width": 90, "height": 60, "file_size": 1200}, FILE | PIXELS],
            caption="invoice",
        ),
        [heard(text="invoice", media=(Media(kind="image", external="F1", mime="image/jpeg", size=48211),))],
    ),
    "photo of an album": (
        message(photo=[FILE | PIXELS], media_group_id="1367"),
        [heard(media=(Media(kind="image", external="F1", mime="image/jpeg", size=48211),), album="1367")],
    ),
    "document": (
        message(document=FILE | {"file_name": "act.pdf", "mime_type": "application/pdf"}),
        [media("file", external="F1", mime="application/pdf", name="act.pdf", size=48211)],
    ),
    "video": (
        message(video=FILE | PIXELS | {"duration": 3, "mime_type": "video/mp4", "file_name": "a.mp4"}),
        [media("video", external="F1", mime="video/mp4", name="a.mp4", size=48211)],
    ),
    "animation, shown as a document too": (
        message(animation=FILE | PIXELS | {"duration": 3}, document=FILE | {"file_name": "a.gif"}),
        [media("video", external="F1", mime="video/mp4", size=48211)],
    ),
    "round video": (
        message(video_note=FILE | {"length": 240, "duration": 3}),
        [media("video", external="F1", mime="video/mp4", size=48211)],
    ),
    "audio": (
        message(audio=FILE | {"duration": 3, "mime_type": "audio/mpeg", "file_name": "a.mp3"}),
        [media("audio", external="F1", mime="audio/mpeg", name="a.mp3", size=48211)],
    ),
    "voice": (
        message(voice=FILE | {"duration": 3, "mime_type": "audio/ogg"}),
        [media("voice", external="F1", mime="audio/ogg", size=48211)],
    ),
    "sticker": (
        message(sticker=FILE | {"type": "regular", "width": 512, "height": 512, "is_animated": False, "is_video": False}),
        [media("sticker", external="F1", mime="image/webp", size=48211)],
    ),
    "animated sticker": (
        message(sticker=FILE | {"type": "regular", "width": 512, "height": 512, "is_animated": True, "is_video": False}),
        [media("sticker", external="F1", mime="application/x-tgsticker", size=48211)],
    ),
    "own contact": (
        message(contact={"phone_number": "380501112233", "first_name": "Anna", "last_name": "K", "user_id": 540278913}),
        [heard(contact={"phone": "+380501112233", "name": "Anna K", "own": True})],
    ),
    "somebody else's contact": (
        message(contact={"phone_number": "+38 (050) 999-88-77", "first_name": "Boss", "user_id": 1}),
        [heard(contact={"phone": "+380509998877", "name": "Boss", "own": False})],
    ),
    "contact of nobody in Telegram": (
        message(contact={"phone_number": "+380509998877", "first_name": "Mum"}),
        [heard(contact={"phone": "+380509998877", "name": "Mum", "own": False})],
    ),
    "location": (message(location={"latitude": 50.45, "longitude": 30.52}), [heard(location={"latitude": 50.45, "longitude": 30.52})]),
    "venue": (
        message(
            location={"latitude": 50.45, "longitude": 30.52},
            venue={"location": {"latitude": 50.45, "longitude": 30.52}, "title": "Shop", "address": "Main st. 1"},
        ),
        [heard(text="Shop, Main st. 1", location={"latitude": 50.45, "longitude": 30.52})],
    ),
    "answer of a web app": (message(web_app_data={"data": '{"slot":3}', "button_text": "Choose time"}), [heard(text='{"slot":3}')]),
    "message in a group": (message(text="hi", chat=GROUP), [heard(text="hi", chat_id="-1001234567890", group=True)]),
    "message in the name of a group": (
        {"update_id": 710001, "message": {"message_id": 41, "date": DATE, "chat": GROUP, "sender_chat": GROUP, "text": "hi"}},
        [heard(text="hi", chat_id="-1001234567890", group=True, profile={})],
    ),
    "group that became a supergroup": (
        message(chat={"id": -5, "type": "group", "title": "Friends"}, migrate_to_chat_id=-1001234567890),
        [heard("migrated", chat_id="-5", payload="-1001234567890", group=True)],
    ),
    "edited text": (
        {"update_id": 710001, "edited_message": message(text="new")["message"] | {"edit_date": DATE + 60}},
        [heard("edited", text="new", occurred_at=datetime(2025, 10, 15, 9, 25, 52, tzinfo=UTC))],
    ),
    "pressed button": (
        press(message={"message_id": 42, "date": DATE, "chat": CHAT, "text": "Confirm?"}),
        [heard("button", button="b:4Kd9.1", callback_id="2320481", reply_to="42", external_id="", occurred_at=None)],
    ),
    "pressed button of a message that is too old to be shown": (
        press(message={"message_id": 42, "date": 0, "chat": CHAT}),
        [heard("button", button="b:4Kd9.1", callback_id="2320481", reply_to="42", external_id="", occurred_at=None)],
    ),
    "pressed button in a group": (
        press(message={"message_id": 42, "date": DATE, "chat": GROUP, "text": "Confirm?"}),
        [
            heard(
                "button",
                chat_id="-1001234567890",
                button="b:4Kd9.1",
                callback_id="2320481",
                reply_to="42",
                external_id="",
                occurred_at=None,
                group=True,
            )
        ],
    ),
    "pressed button without a message": (
        press(inline_message_id="x"),
        [heard("button", button="b:4Kd9.1", callback_id="2320481", external_id="", occurred_at=None)],
    ),
    "bot blocked": (membership("kicked"), [heard("blocked", external_id="")]),
    "bot welcome again": (membership("member"), [heard("unblocked", external_id="")]),
    "bot thrown out of a group": (membership("left", GROUP), [heard("blocked", chat_id="-1001234567890", group=True, external_id="")]),
    "something that people did in a group": (
        message(chat=GROUP, new_chat_members=[ANNA]),
        [heard("unknown", chat_id="-1001234567890", group=True)],
    ),
    "a kind of message that we do not know": (message(game_of_the_future={"x": 1}), [heard("unknown")]),
    "an update that we did not ask for": (
        {
            "update_id": 710001,
            "channel_post": {"message_id": 1, "date": DATE, "chat": {"id": -100, "type": "channel", "title": "News"}, "text": "hi"},
        },
        [Inbound(event_key="u:710001", chat_id="-100", kind="unknown", group=True)],
    ),
    "an update of the future": (
        {"update_id": 710001, "telepathy": {"thought": "hi"}},
        [Inbound(event_key="u:710001", chat_id="", kind="unknown")],
    ),
    "a message of a wrong shape": (
        {"update_id": 710001, "message": {"message_id": "x"}},
        [Inbound(event_key="u:710001", chat_id="", kind="unknown")],
    ),
}

SAID: dict[str, tuple[Content, str]] = {
    "text": (Content(text="Hi"), "sendMessage"),
    "picture": (Content(media=[Media(kind="image", data=b"x")]), "sendPhoto"),
    "typing": (Content(typing=0.01), "sendChatAction"),
}

SECRETS = {"token": "123456:ABC-def_1"}
CONFIG: dict[str, Any] = {}
