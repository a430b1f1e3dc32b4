"""python-telegram-bot's own client works with the emulated Bot API: dialogue, every method, updates."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    InputMediaPhoto,
    InputMediaVideo,
    KeyboardButton,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
    Update,
)
from telegram.error import BadRequest, Conflict
from telegram.ext import Application, CallbackQueryHandler, CommandHandler, ContextTypes, MessageHandler, filters

from tests.tools.emulators.conftest import CHAT, TOKEN
from tools.emulators.telegram import Emulator


async def seen(emulator: Emulator, count: int) -> list[dict[str, Any]]:
    """The chat as soon as it holds `count` messages."""
    async with asyncio.timeout(5):
        while len(emulator.messages(TOKEN, CHAT)) < count:  # noqa: ASYNC110 - a chat tells nobody that it grew
            await asyncio.sleep(0.01)
    return emulator.messages(TOKEN, CHAT)


# --- the library's own application ------------------------------------------------------------------------------------


async def start(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
    assert update.message
    buttons = [[InlineKeyboardButton("Yes", callback_data="yes"), InlineKeyboardButton("Site", url="https://x.example/")]]
    await update.message.reply_html("<b>Confirm?</b>", reply_markup=InlineKeyboardMarkup(buttons))


async def pressed(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
    assert update.callback_query
    await update.callback_query.answer("Noted")
    await update.callback_query.edit_message_text(f"You said {update.callback_query.data}")
    assert update.effective_chat
    share = KeyboardButton("Share", request_contact=True)
    await update.effective_chat.send_message("Your phone?", reply_markup=ReplyKeyboardMarkup([[share]], one_time_keyboard=True))


async def shared(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
    assert update.message
    assert update.message.contact
    await update.message.reply_text(f"Thanks, {update.message.contact.phone_number}", reply_markup=ReplyKeyboardRemove())


async def photographed(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
    assert update.message
    file = await update.message.photo[-1].get_file()
    await update.message.reply_document(bytes(await file.download_as_bytearray()), filename="copy.jpg")


@pytest.fixture
async def application(emulator: Emulator) -> AsyncIterator[None]:
    """An ordinary bot, as anybody writes it with the library, polling."""
    app = Application.builder().token(TOKEN).base_url(f"{emulator.url}/bot").base_file_url(f"{emulator.url}/file/bot").build()
    app.add_handlers([CommandHandler("start", start), CallbackQueryHandler(pressed)])
    app.add_handlers([MessageHandler(filters.CONTACT, shared), MessageHandler(filters.PHOTO, photographed)])
    async with app:
        assert app.updater
        await app.start()
        await app.updater.start_polling()
        yield
        await app.updater.stop()
        await app.stop()


@pytest.mark.usefixtures("application")
async def test_a_bot_written_with_the_library_holds_a_dialogue(emulator: Emulator) -> None:
    emulator.act(TOKEN, CHAT, "start")
    question = (await seen(emulator, 2))[1]
    assert (question["text"], question["entities"]) == ("Confirm?", [{"type": "bold", "offset": 0, "length": 8}])

    emulator.act(TOKEN, CHAT, "press", label="Yes")
    await seen(emulator, 3)
    assert [message["text"] for message in emulator.messages(TOKEN, CHAT)] == ["/start", "You said yes", "Your phone?"]
    assert [answer["text"] for answer in emulator.world.bots[TOKEN].answers] == ["Noted"]

    emulator.act(TOKEN, CHAT, "press", label="Share")
    thanks = (await seen(emulator, 5))[4]
    assert thanks["text"] == "Thanks, 380540278913"
    assert emulator.world.bots[TOKEN].chats[CHAT].keyboard is None

    emulator.act(TOKEN, CHAT, "file", kind="photo", data="cGljdHVyZQ==")
    copy = (await seen(emulator, 7))[6]
    assert emulator.world.files[copy["document"]["file_id"]].data == b"picture"


# --- every method through the library ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["photo", "video", "animation", "audio", "voice", "video_note", "sticker", "document"])
async def test_files_are_taken_and_given_back(bot: Bot, kind: str) -> None:
    message = await getattr(bot, f"send_{kind}")(CHAT, b"content")
    shown = message.photo[-1] if kind == "photo" else getattr(message, kind)
    file = await bot.get_file(shown.file_id)

    assert bytes(await file.download_as_bytearray()) == b"content"
    assert (await getattr(bot, f"send_{kind}")(CHAT, shown.file_id)).message_id == 2


async def test_albums(bot: Bot) -> None:
    messages = await bot.send_media_group(CHAT, [InputMediaPhoto(b"1", caption="Front"), InputMediaVideo(b"2")])

    assert [message.caption for message in messages] == ["Front", None]
    with pytest.raises(BadRequest, match="mixed"):
        await bot.send_media_group(CHAT, [InputMediaPhoto(b"1"), InputMediaDocument(b"2")])
    with pytest.raises(BadRequest, match="2-10"):
        await bot.send_media_group(CHAT, [InputMediaPhoto(b"1")])


async def test_places_contacts_and_facts(bot: Bot, emulator: Emulator) -> None:
    place = await bot.send_location(CHAT, 50.45, 30.52)
    venue = await bot.send_venue(CHAT, 50.45, 30.52, "Shop", "Main st. 1")
    contact = await bot.send_contact(CHAT, "+380501112233", "Anna")
    emulator.world.store(data=b"face", name=f"avatar-{CHAT}", mime="image/jpeg")

    assert place.location
    assert venue.venue
    assert contact.contact
    assert (place.location.latitude, venue.venue.title, contact.contact.phone_number) == (50.45, "Shop", "+380501112233")
    assert (await bot.get_chat(CHAT)).id == CHAT
    assert (await bot.get_user_profile_photos(CHAT)).total_count == 1
    assert await bot.delete_message(CHAT, place.message_id)
    assert await bot.send_chat_action(CHAT, "typing")
    assert (await bot.get_webhook_info()).pending_update_count == 0


async def test_edits(bot: Bot, emulator: Emulator) -> None:
    message = await bot.send_message(CHAT, "Confirm?")
    photo = await bot.send_photo(CHAT, b"picture")
    await bot.edit_message_text("Done", CHAT, message.message_id)
    await bot.edit_message_caption(CHAT, photo.message_id, caption="Front")
    emulator.act(TOKEN, CHAT, "text", text="mine")

    assert emulator.messages(TOKEN, CHAT)[0]["text"] == "Done"
    with pytest.raises(BadRequest, match="not modified"):
        await bot.edit_message_text("Done", CHAT, message.message_id)
    with pytest.raises(BadRequest, match="no text"):
        await bot.edit_message_text("Done", CHAT, photo.message_id)
    with pytest.raises(BadRequest, match="not found"):
        await bot.edit_message_text("Done", CHAT, 999)
    with pytest.raises(BadRequest, match="can't be edited"):
        await bot.edit_message_text("Done", CHAT, 3)


# --- updates ----------------------------------------------------------------------------------------------------------


async def test_offsets_confirm(bot: Bot, emulator: Emulator) -> None:
    for index in range(150):
        emulator.act(TOKEN, CHAT, "text", text=str(index))
    first = await bot.get_updates()
    second = await bot.get_updates(offset=first[-1].update_id + 1)
    last = await bot.get_updates(offset=-1)

    assert [len(first), len(second), len(last)] == [100, 50, 1]
    assert (await bot.get_webhook_info()).pending_update_count == 1


async def test_a_second_poller_ends_the_first(bot: Bot, emulator: Emulator) -> None:
    async with Bot(TOKEN, base_url=f"{emulator.url}/bot") as other:
        first = asyncio.create_task(bot.get_updates(timeout=10))
        await asyncio.sleep(0.1)
        emulator.script([{"do": "500"}], token=TOKEN)  # scripts do not touch getUpdates unless they name it
        second = asyncio.create_task(other.get_updates(timeout=1))
        with pytest.raises(Conflict):
            await first
        assert await second == ()


async def test_only_wanted_updates_come(bot: Bot, emulator: Emulator) -> None:
    await bot.get_updates(allowed_updates=["callback_query"])
    emulator.act(TOKEN, CHAT, "text", text="unheard")

    assert await bot.get_updates() == ()


async def test_people_do_what_they_do(bot: Bot, emulator: Emulator) -> None:
    await bot.send_message(
        CHAT,
        "?",
        reply_markup=InlineKeyboardMarkup([[InlineKeyboardButton("A", callback_data="a"), InlineKeyboardButton("B", callback_data="b")]]),
    )
    actions: list[tuple[str, dict[str, Any]]] = [
        ("press", {"data": "b"}), ("forge", {"data": "b:1.1"}), ("contact", {"own": False, "user_id": 7, "phone": "380990000000"}), ("location", {}),
        ("venue", {"title": "Shop", "address": "Main st."}), ("album", {"count": 2, "caption": "two"}), ("edit", {"message_id": 2, "text": "changed"}),
        ("text", {"text": "yes", "reply_to": 1}),
    ]  # fmt: skip
    for action, details in actions:
        emulator.act(TOKEN, CHAT, action, **details)
    updates = await bot.get_updates()

    assert [update.callback_query.data for update in updates if update.callback_query] == ["b", "b:1.1"]
    assert [update.message.contact.user_id for update in updates if update.message and update.message.contact] == [7]
    assert len({update.message.media_group_id for update in updates if update.message and update.message.photo}) == 1
    assert [update.edited_message.text for update in updates if update.edited_message] == ["changed"]
    assert updates[-1].message
    assert updates[-1].message.reply_to_message
    with pytest.raises(Exception, match="no button"):
        emulator.act(TOKEN, CHAT, "press", label="Nobody")
    with pytest.raises(Exception, match="unknown action"):
        emulator.act(TOKEN, CHAT, "fly")
