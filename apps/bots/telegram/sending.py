"""One neutral content as one call of the Bot API (after an optional "typing…").

Calls go through the library's raw door and keyboards are plain JSON: building and reading its objects costs more than the rest of a send.
"""

import asyncio
import contextlib
from typing import Any

from django.utils.translation import gettext
from telegram import Bot, InputFile, InputMediaAudio, InputMediaDocument, InputMediaPhoto, InputMediaVideo
from telegram.constants import ChatAction, FileSizeLimit, ParseMode
from telegram.error import BadRequest, NetworkError

from apps.bots import markup
from apps.bots.adapter import BadContentError, Sent
from apps.bots.content import Button, Content, Location, Media
from apps.bots.telegram.fetching import with_bytes

Json = dict[str, Any]

TYPING_REPEAT_SECONDS = 4
LONGEST_TYPING_SECONDS = 15
CALLBACK_BYTES = 64
FIELDS = {"image": "photo", "video": "video", "audio": "audio", "voice": "voice", "file": "document", "sticker": "sticker"}
ALBUM_ITEMS: dict[str, Any] = {"image": InputMediaPhoto, "video": InputMediaVideo, "audio": InputMediaAudio, "file": InputMediaDocument}
BAD_PICTURE = ("photo_invalid_dimensions", "image_process_failed", "photo_ext_invalid", "photo_save_file_invalid")
NOT_READ = ("failed to get http url content", "wrong type of the web page content", "wrong file identifier/http url")
BAD_TAGS, NO_TEXT, NOT_MODIFIED = ("parse entities",), ("there is no text in the message",), ("message is not modified",)


async def deliver(bot: Bot, chat_id: str, content: Content, *, previews: bool = True) -> Sent:
    """Send what fits into one message. Raises Telegram's own errors, and `BadContentError` for what no messenger could send."""
    if content.typing:
        await _show_typing(bot, chat_id, content.typing)
    options: Json = {"chat_id": chat_id, "reply_markup": keyboard(content, private=not chat_id.startswith("-"))}
    if content.edit:
        return await _edit(bot, content, options, previews=previews)
    if content.silent:
        options["disable_notification"] = True
    if content.media:
        return await _files(bot, content, options)
    if content.location:
        return _sent(await _place(bot, content.location, options))
    if content.contact:
        name = content.contact.name or content.contact.phone
        return _sent(await call(bot, "sendContact", phone_number=content.contact.phone, first_name=name, **options))
    if content.text:
        return _sent(await _formatted(bot, "sendMessage", "text", content, options | _previews(show=previews)))
    if content.typing:
        return Sent(external_ids=())
    raise BadContentError(gettext("The message is empty."))


async def call(bot: Bot, method: str, **parameters: Any) -> Any:
    """The raw result of a method. The library gives it only under a name that is none of its own; Telegram does not mind the case."""
    return await bot.do_api_request(method.lower(), parameters)


def _sent(*messages: Json) -> Sent:
    files = (_file_id(message) for message in messages)
    return Sent(external_ids=tuple(str(message["message_id"]) for message in messages), files=tuple(file for file in files if file))


def _file_id(message: Json) -> str:
    """The id under which the same bot can send the file of a message again; the last photo size is the largest."""
    for field in FIELDS.values():
        shown = message.get(field)
        if shown:
            return str((shown[-1] if isinstance(shown, list) else shown)["file_id"])
    return ""


def _says(error: BadRequest, words: tuple[str, ...]) -> bool:
    return any(word in error.message.lower() for word in words)


def _previews(*, show: bool) -> Json:
    return {} if show else {"link_preview_options": {"is_disabled": True}}


async def _show_typing(bot: Bot, chat_id: str, seconds: float) -> None:
    """Telegram shows it for 5 s, so it is repeated. That it cannot be shown must not keep the message back; a flood limit must."""
    left = min(seconds, LONGEST_TYPING_SECONDS)
    while left > 0:
        with contextlib.suppress(NetworkError):
            await call(bot, "sendChatAction", chat_id=chat_id, action=ChatAction.TYPING)
        await asyncio.sleep(min(left, TYPING_REPEAT_SECONDS))
        left -= TYPING_REPEAT_SECONDS


async def _formatted(bot: Bot, method: str, field: str, content: Content, options: Json) -> Any:
    """Call a method with a text or caption; if Telegram cannot read the tags, the words alone are sent."""
    words = _words(content)
    if not words or content.format == "plain":
        return await call(bot, method, **options, **({field: words} if words else {}))
    try:
        return await call(bot, method, **options, **{field: words, "parse_mode": ParseMode.HTML})
    except BadRequest as error:
        if not _says(error, BAD_TAGS):
            raise
        return await call(bot, method, **options, **{field: markup.plain(words)})


def _words(content: Content) -> str:
    """The text of a message, or the caption of its file (a sticker has none)."""
    if not content.media:
        return content.text
    return "" if content.media[0].kind == "sticker" else content.media[0].caption or content.text


async def _files(bot: Bot, content: Content, options: Json) -> Sent:
    """Telegram reads addresses itself; what it cannot read, we read for it."""
    send = _album if len(content.media) > 1 else _file
    try:
        return await send(bot, content, options)
    except BadRequest as error:
        if not _says(error, NOT_READ) or not any(item.url for item in content.media):
            raise
        return await send(bot, await with_bytes(content), options)


async def _file(bot: Bot, content: Content, options: Json) -> Sent:
    """One file. A picture that Telegram cannot show as one is sent as a document."""
    item = content.media[0]
    field = "document" if item.kind == "image" and _too_big_for_picture(item) else FIELDS[item.kind]
    try:
        message = await _formatted(bot, f"send{field}", "caption", content, options | {field: _source(item)})
    except BadRequest as error:
        if field != "photo" or not _says(error, BAD_PICTURE):
            raise
        message = await _formatted(bot, "sendDocument", "caption", content, options | {"document": _source(item)})
    return _sent(message)


def _too_big_for_picture(item: Media) -> bool:
    return max(item.size or 0, len(item.data or b"")) > FileSizeLimit.PHOTOSIZE_UPLOAD


def _source(item: Media) -> str | InputFile:
    """Where Telegram gets the file from: its own copy, our bytes, or an address that it fetches itself."""
    if item.external:
        return item.external
    if item.data is not None:
        return InputFile(item.data, filename=item.name or item.kind)
    if item.url:
        return item.url
    raise BadContentError(gettext("The file “%(name)s” has neither content nor an address.") % {"name": item.name or item.kind})


async def _album(bot: Bot, content: Content, options: Json) -> Sent:
    """Several files as one group; such a group has no buttons."""
    plain = {key: value for key, value in options.items() if key != "reply_markup"}
    html = content.format == "html"
    try:
        messages = await call(bot, "sendMediaGroup", media=_album_items(content, html=html), **plain)
    except BadRequest as error:
        if not (html and _says(error, BAD_TAGS)):
            raise
        messages = await call(bot, "sendMediaGroup", media=_album_items(content, html=False), **plain)
    return _sent(*messages)


def _album_items(content: Content, *, html: bool) -> list[Any]:
    items = []
    for index, item in enumerate(content.media):
        caption = item.caption or ("" if index else content.text)
        words = caption if html or content.format == "plain" else markup.plain(caption)
        source = _source(item)
        given = InputFile(item.data or b"", filename=source.filename, attach=True) if isinstance(source, InputFile) else source
        items.append(ALBUM_ITEMS[item.kind](given, caption=words or None, parse_mode=ParseMode.HTML if html else None))
    return items


async def _place(bot: Bot, location: Location, options: Json) -> Json:
    """A place; with a title it is a venue, whose address is what follows the first comma, or the coordinates."""
    place: Json = options | {"latitude": location.latitude, "longitude": location.longitude}
    method = "sendLocation"
    if location.title:
        title, _comma, address = (part.strip() for part in location.title.partition(","))
        place |= {"title": title or location.title, "address": address or f"{location.latitude:.5f}, {location.longitude:.5f}"}
        method = "sendVenue"
    message: Json = await call(bot, method, **place)
    return message


async def _edit(bot: Bot, content: Content, options: Json, *, previews: bool) -> Sent:
    """Change text and buttons of an earlier message, or only its buttons. That nothing changed is no error."""
    if not content.edit.isdigit():
        raise BadContentError(gettext("The message to edit has no id of Telegram."))
    options = options | {"message_id": content.edit}
    if "inline_keyboard" not in (options["reply_markup"] or {}):
        options["reply_markup"] = None
    try:
        if content.text:
            await _edit_text(bot, content, options, previews=previews)
        else:
            await call(bot, "editMessageReplyMarkup", **options)
    except BadRequest as error:
        if not _says(error, NOT_MODIFIED):
            raise
    return Sent(external_ids=(content.edit,))


async def _edit_text(bot: Bot, content: Content, options: Json, *, previews: bool) -> None:
    """A message with a file has a caption instead of a text."""
    try:
        await _formatted(bot, "editMessageText", "text", content, options | _previews(show=previews))
    except BadRequest as error:
        if not _says(error, NO_TEXT):
            raise
        await _formatted(bot, "editMessageCaption", "caption", content, options)


def keyboard(content: Content, *, private: bool) -> Json | None:
    """What stands under the message. Only private chats may be asked for a phone or a place."""
    if content.keyboard == "remove":
        return {"remove_keyboard": True}
    if not content.buttons:
        return None
    if content.keyboard == "inline":
        return {"inline_keyboard": [[_inline(button) for button in row] for row in content.buttons]}
    rows = [[_reply(button, private=private) for button in row] for row in content.buttons]
    return {"keyboard": rows, "resize_keyboard": True, "one_time_keyboard": True}


def _inline(button: Button) -> Json:
    if button.kind == "url":
        return {"text": button.label, "url": button.url}
    carried = button.token or button.id
    if not 1 <= len(carried.encode()) <= CALLBACK_BYTES:
        raise BadContentError(gettext("The button “%(label)s” carries more than Telegram's 64 bytes.") % {"label": button.label})
    return {"text": button.label, "callback_data": carried}


def _reply(button: Button, *, private: bool) -> Json:
    asked = {"contact": "request_contact", "location": "request_location"}.get(button.kind) if private else None
    return {"text": button.label} | ({asked: True} if asked else {})
