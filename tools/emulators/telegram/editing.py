"""Methods that change what is in a chat, and answers to pressed buttons."""

from typing import Any

from tools.emulators.telegram.calls import Call
from tools.emulators.telegram.keyboards import check_markup
from tools.emulators.telegram.posting import CAPTION_LENGTH, TEXT_LENGTH, formatted, reached_chat
from tools.emulators.telegram.refusals import bad_request
from tools.emulators.telegram.state import Bot, Chat, Json, World

ANSWER_LENGTH = 200
NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current content "
    "and reply markup of the message"
)


def edited_message(chat: Chat, bot: Bot, call: Call) -> Json:
    """The message to edit, which must be the bot's own."""
    message = chat.messages.get(call.integer("message_id"))
    if message is None:
        raise bad_request("message to edit not found")
    if message["from"]["id"] != bot.id:
        raise bad_request("message can't be edited")
    return message


def changed(chat: Chat, message: Json, call: Call, *, content: Json, replaced: tuple[str, ...]) -> Json:
    """The message with new fields; `reply_markup` that is not given disappears, as in Telegram."""
    markup = call.tree("reply_markup")
    check_markup(markup, private=chat.kind == "private")
    dropped = {*replaced, "reply_markup", "edit_date"}
    new = {key: value for key, value in message.items() if key not in dropped} | content
    if markup and markup.get("inline_keyboard"):
        new["reply_markup"] = markup
    if new == {key: value for key, value in message.items() if key != "edit_date"}:
        raise bad_request(NOT_MODIFIED)
    new["edit_date"] = message["date"]
    chat.messages[message["message_id"]] = new
    return new


def edit_message_text(world: World, bot: Bot, call: Call) -> Any:
    chat = reached_chat(world, bot, call)
    message = edited_message(chat, bot, call)
    if "text" not in message:
        raise bad_request("there is no text in the message to edit")
    content = formatted(call, text_field="text", limit=TEXT_LENGTH)
    if not content:
        raise bad_request("message text is empty")
    return changed(chat, message, call, content=content, replaced=("text", "entities"))


def edit_message_caption(world: World, bot: Bot, call: Call) -> Any:
    chat = reached_chat(world, bot, call)
    message = edited_message(chat, bot, call)
    if "text" in message:
        raise bad_request("there is no caption in the message to edit")
    content = formatted(call, text_field="caption", limit=CAPTION_LENGTH)
    return changed(chat, message, call, content=content, replaced=("caption", "caption_entities"))


def edit_message_reply_markup(world: World, bot: Bot, call: Call) -> Any:
    """Without a markup the buttons go away."""
    chat = reached_chat(world, bot, call)
    return changed(chat, edited_message(chat, bot, call), call, content={}, replaced=())


def delete_message(world: World, bot: Bot, call: Call) -> Any:
    chat = reached_chat(world, bot, call)
    if chat.messages.pop(call.integer("message_id"), None) is None:
        raise bad_request("message to delete not found")
    return True


def answer_callback_query(_world: World, bot: Bot, call: Call) -> Any:
    """Each press can be answered once."""
    if len(call.text("text")) > ANSWER_LENGTH:
        raise bad_request("MESSAGE_TOO_LONG")
    query = bot.queries.pop(call.text("callback_query_id"), None)
    if query is None:
        raise bad_request("query is too old and response timeout expired or query ID is invalid")
    bot.answers.append({"id": query["id"], "text": call.text("text"), "show_alert": call.flag("show_alert")})
    return True


METHODS = {
    "editMessageText": edit_message_text,
    "editMessageCaption": edit_message_caption,
    "editMessageReplyMarkup": edit_message_reply_markup,
    "deleteMessage": delete_message,
    "answerCallbackQuery": answer_callback_query,
}
