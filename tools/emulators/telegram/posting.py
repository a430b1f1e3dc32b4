"""From an accepted call to a message in a chat: the checks that every send method shares."""

import time
from typing import Any

from tools.emulators.telegram.calls import Call
from tools.emulators.telegram.entities import read_html, units
from tools.emulators.telegram.keyboards import check_markup
from tools.emulators.telegram.refusals import RefusalError, bad_request
from tools.emulators.telegram.state import Bot, Chat, Json, World, new_chat

TEXT_LENGTH = 4096
CAPTION_LENGTH = 1024


def reached_chat(world: World, bot: Bot, call: Call) -> Chat:
    """The chat that the call addresses, or the refusal that its state asks for."""
    chat_id = call.chat_id
    chat = bot.chats.get(chat_id) if chat_id else None
    if chat is None:
        if not chat_id or world.options.closed:
            raise bad_request("chat not found" if "chat_id" in call.params else "chat_id is empty")
        chat = bot.chats[chat_id] = new_chat(chat_id)
    if chat.migrated_to:
        raise bad_request("group chat was upgraded to a supergroup chat", migrate_to_chat_id=chat.migrated_to)
    if chat.blocked:
        person_blocked = chat.kind == "private"
        raise RefusalError(
            403, "Forbidden: bot was blocked by the user" if person_blocked else "Forbidden: bot was kicked from the group chat"
        )
    return chat


def formatted(call: Call, *, text_field: str, limit: int) -> Json:
    """The text (or caption) with its entities, as the fields of a message; empty when there is none."""
    text, entities = call.text(text_field), call.tree("entities") or []
    if call.text("parse_mode").lower() == "html":
        text, entities = read_html(text)
    text = text.strip()
    if units(text) > limit:
        raise bad_request("message is too long" if text_field == "text" else "message caption is too long")
    if not text:
        return {}
    names = ("text", "entities") if text_field == "text" else ("caption", "caption_entities")
    return {names[0]: text} | ({names[1]: entities} if entities else {})


def post(bot: Bot, chat: Chat, call: Call, content: Json) -> Json:
    """Put a message of the bot into the chat and return it as the Bot API shows it."""
    markup = call.tree("reply_markup")
    check_markup(markup, private=chat.kind == "private")
    message = {"message_id": next(bot.message_ids), "from": bot.json, "chat": chat.json, "date": int(time.time()), **content}
    reply_to = replied_message(chat, call)
    if reply_to:
        message["reply_to_message"] = {key: value for key, value in reply_to.items() if key != "reply_to_message"}
    if markup and "inline_keyboard" in markup:
        message["reply_markup"] = markup
    elif markup and "keyboard" in markup:
        chat.keyboard = markup
    elif markup and markup.get("remove_keyboard"):
        chat.keyboard = None
    chat.keep(message)
    return message


def replied_message(chat: Chat, call: Call) -> Json | None:
    """The message that `reply_parameters` names."""
    parameters = call.tree("reply_parameters")
    if not parameters:
        return None
    found = chat.messages.get(int(parameters.get("message_id", 0)))
    if found is None and not parameters.get("allow_sending_without_reply"):
        raise bad_request("message to be replied not found")
    return found


def send_message(world: World, bot: Bot, call: Call) -> Any:
    chat = reached_chat(world, bot, call)
    content = formatted(call, text_field="text", limit=TEXT_LENGTH)
    if not content:
        raise bad_request("message text is empty")
    return post(bot, chat, call, content)


def send_location(world: World, bot: Bot, call: Call) -> Any:
    return post(bot, reached_chat(world, bot, call), call, {"location": coordinates(call)})


def send_venue(world: World, bot: Bot, call: Call) -> Any:
    """A place with a name."""
    chat, place = reached_chat(world, bot, call), coordinates(call)
    title, address = call.text("title"), call.text("address")
    if not title or not address:
        raise bad_request("venue title and address must be non-empty")
    return post(bot, chat, call, {"location": place, "venue": {"location": place, "title": title, "address": address}})


def coordinates(call: Call) -> Json:
    """Latitude and longitude within the globe."""
    latitude, longitude = call.number("latitude"), call.number("longitude")
    if abs(latitude) > 90 or abs(longitude) > 180:  # noqa: PLR2004
        raise bad_request("wrong latitude or longitude specified")
    return {"latitude": latitude, "longitude": longitude}


def send_contact(world: World, bot: Bot, call: Call) -> Any:
    chat = reached_chat(world, bot, call)
    phone, name = call.text("phone_number"), call.text("first_name")
    if not phone or not name:
        raise bad_request("phone number and first name must be non-empty")
    last = {"last_name": call.text("last_name")} if call.text("last_name") else {}
    return post(bot, chat, call, {"contact": {"phone_number": phone, "first_name": name, **last}})


def send_chat_action(world: World, bot: Bot, call: Call) -> Any:
    chat = reached_chat(world, bot, call)
    action = call.text("action")
    if not action:
        raise bad_request("wrong parameter action in request")
    chat.actions.append(action)
    return True


METHODS = {
    "sendMessage": send_message,
    "sendLocation": send_location,
    "sendVenue": send_venue,
    "sendContact": send_contact,
    "sendChatAction": send_chat_action,
}
