"""What a person does in a chat with a bot: each action becomes an update, as Telegram would send it.

`act(world, bot, chat_id, "text", text="hi")` and so on; the actions are the keys of `ACTIONS`. In a group `user` says who acts.
"""

import base64
import time
from collections.abc import Callable
from typing import Any

from tools.emulators.telegram.media import message_parts
from tools.emulators.telegram.refusals import bad_request
from tools.emulators.telegram.state import Bot, Chat, Json, World, new_chat

Push = Callable[[Bot, Json], int]


class Person:
    """One acting person in one chat; every public method is an action and returns the new update ids."""

    def __init__(self, world: World, bot: Bot, chat: Chat, *, user: int | None, push: Push) -> None:
        self.world, self.bot, self.chat, self.push = world, bot, chat, push
        self.user: Json = chat.person or new_chat(user or 1).person
        if user and self.user["id"] != user:
            self.user = new_chat(user).person

    def message(self, **parts: Any) -> Json:
        """A message of this person, kept in the chat."""
        message = {"message_id": next(self.bot.message_ids), "from": self.user, "chat": self.chat.json, "date": int(time.time()), **parts}
        self.chat.keep(message)
        return message

    def say(self, **parts: Any) -> list[int]:
        """Send one message as an update; `reply_to` names a message of the chat."""
        replied = self.chat.messages.get(int(parts.pop("reply_to", 0) or 0))
        if replied:
            parts["reply_to_message"] = replied
        return [self.push(self.bot, {"message": self.message(**parts)})]

    def text(self, text: str, **more: Any) -> list[int]:
        """Write a text; commands get their entity."""
        if text.startswith("/"):
            more["entities"] = [{"type": "bot_command", "offset": 0, "length": len(text.split(maxsplit=1)[0])}]
        return self.say(text=text, **more)

    def start(self, payload: str = "") -> list[int]:
        """Press "Start", perhaps through a deep link."""
        self.chat.blocked = False
        return self.text(f"/start {payload}".strip())

    def press(self, label: str = "", *, message_id: int | None = None, data: str = "") -> list[int]:
        """Press an inline button (by label, data, or the first one), else the button of the reply keyboard with that label."""
        found = self.inline_button(label, message_id=message_id, data=data)
        if found:
            return self.query(*found)
        for button in (button for row in (self.chat.keyboard or {}).get("keyboard", []) for button in row):
            shape = {"text": button} if isinstance(button, str) else button
            if shape["text"] == label:
                return self.press_reply(shape)
        raise bad_request(f"no button {label or data or message_id!r} in this chat")

    def inline_button(self, label: str, *, message_id: int | None, data: str) -> tuple[Json, Json] | None:
        """Message and button that a press means, newest message first."""
        messages = [self.chat.messages[message_id]] if message_id in self.chat.messages else list(self.chat.messages.values())
        for message in reversed(messages):
            for button in (button for row in message.get("reply_markup", {}).get("inline_keyboard", []) for button in row):
                if "callback_data" in button and (not label or button["text"] == label) and (not data or button["callback_data"] == data):
                    return message, button
        return None

    def query(self, message: Json, button: Json) -> list[int]:
        """The callback query of a pressed inline button."""
        query = {
            "id": f"{self.bot.id}{next(self.world.file_ids):06d}",
            "from": self.user,
            "message": message,
            "chat_instance": str(self.chat.id),
            "data": button["callback_data"],
        }
        self.bot.queries[query["id"]] = query
        return [self.push(self.bot, {"callback_query": query})]

    def forge(self, data: str, *, message_id: int = 1) -> list[int]:
        """A press with data that no button of ours carries, as a modified client can send it."""
        message = self.chat.messages.get(message_id) or {"message_id": message_id, "chat": self.chat.json, "date": 0}
        return self.query(message, {"callback_data": data})

    def press_reply(self, button: Json) -> list[int]:
        """A button of the reply keyboard: its text, or what it asks for."""
        if (self.chat.keyboard or {}).get("one_time_keyboard"):
            self.chat.keyboard = None
        if button.get("request_contact"):
            return self.contact()
        return self.location() if button.get("request_location") else self.text(button["text"])

    def contact(self, phone: str = "", *, own: bool = True, user_id: int | None = None, first_name: str = "") -> list[int]:
        """Share a contact: one's own, or (`own=False`) somebody else's card."""
        whose = self.user["id"] if own else user_id
        card = {"phone_number": phone or f"380{self.user['id']:09d}"[:12], "first_name": first_name or self.user["first_name"]}
        return self.say(contact=card | ({"user_id": whose} if whose else {}))

    def location(self, latitude: float = 50.45, longitude: float = 30.52) -> list[int]:
        """Share a place."""
        return self.say(location={"latitude": latitude, "longitude": longitude})

    def venue(self, title: str, address: str, latitude: float = 50.45, longitude: float = 30.52) -> list[int]:
        """Share a place that has a name."""
        place = {"latitude": latitude, "longitude": longitude}
        return self.say(location=place, venue={"location": place, "title": title, "address": address})

    def file(self, kind: str = "photo", *, data: str = "", name: str = "", mime: str = "", caption: str = "", **more: Any) -> list[int]:
        """Send a file; `kind` as in the Bot API, `data` in base64."""
        content = base64.b64decode(data) if data else f"{kind} of {self.user['id']}".encode()
        stored = self.world.store(data=content, name=name or f"{kind}.bin", mime=mime or "application/octet-stream")
        return self.say(**message_parts(kind, stored), **({"caption": caption} if caption else {}), **more)

    def album(self, count: int = 2, *, caption: str = "") -> list[int]:
        """Several photos at once: separate messages with one group id."""
        group = str(next(self.world.file_ids))
        return [update for index in range(count) for update in self.file(caption="" if index else caption, media_group_id=group)]

    def edit(self, message_id: int, text: str) -> list[int]:
        """Edit an own message."""
        message = self.chat.messages[message_id] | {"text": text, "edit_date": int(time.time())}
        self.chat.keep(message)
        return [self.push(self.bot, {"edited_message": message})]

    def block(self) -> list[int]:
        """Block the bot, or throw it out of the group."""
        self.chat.blocked = True
        return self.membership("member", "kicked")

    def unblock(self) -> list[int]:
        """Take the block back."""
        self.chat.blocked = False
        return self.membership("kicked", "member")

    def membership(self, old: str, new: str) -> list[int]:
        """The bot's own membership changed."""
        states = [{"status": status, "user": self.bot.json} | ({"until_date": 0} if status == "kicked" else {}) for status in (old, new)]
        return [
            self.push(
                self.bot,
                {
                    "my_chat_member": {
                        "chat": self.chat.json,
                        "from": self.user,
                        "date": int(time.time()),
                        "old_chat_member": states[0],
                        "new_chat_member": states[1],
                    }
                },
            )
        ]

    def migrate(self, to: int) -> list[int]:
        """The group becomes a supergroup with another id."""
        updates = self.say(migrate_to_chat_id=to)
        self.chat.migrated_to = to
        self.bot.chats[to] = new_chat(to)
        return updates

    def raw(self, update: Json) -> list[int]:
        """Any update, as given."""
        return [self.push(self.bot, update)]


ACTIONS = frozenset(
    {"text", "start", "press", "forge", "contact", "location", "venue", "file", "album", "edit", "block", "unblock", "migrate", "raw"}
)


def act(world: World, bot: Bot, chat_id: int, action: str, *, push: Push, user: int | None = None, **details: Any) -> list[int]:
    """Do one action; returns the ids of the updates that it made."""
    if action not in ACTIONS:
        raise bad_request(f"unknown action {action!r}; one of {', '.join(sorted(ACTIONS))}")
    chat = bot.chats.setdefault(chat_id, new_chat(chat_id))
    person = Person(world, bot, chat, user=user, push=push)
    try:
        updates: list[int] = getattr(person, action)(**details)
    except (TypeError, KeyError) as error:
        raise bad_request(f"action {action!r}: {error}") from None
    return updates
