"""Every kind of content, as the person sees it in Telegram."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from apps.bots.adapter import BadContentError, Sent
from apps.bots.content import Content, Media
from apps.bots.degrading import fit
from tests.bots.conftest import CHAT, Telegram, telegram_credentials

PNG = b"\x89PNG\r\n\x1a\n picture"


def shown(message: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: message[name] for name in names if name in message}


async def test_plain_text_is_sent_as_it_is(telegram: Telegram) -> None:
    assert await telegram.send(text="1 < 2 & <b>so</b>") == Sent(external_ids=("1",))
    assert shown(telegram.sees()[0], "text", "entities", "reply_markup") == {"text": "1 < 2 & <b>so</b>"}


async def test_markup_is_shown(telegram: Telegram) -> None:
    await telegram.send(text='<b>Hi</b> 😀 <a href="https://x.example/">you</a>', format="html")

    assert shown(telegram.sees()[0], "text", "entities") == {
        "text": "Hi 😀 you",
        "entities": [
            {"type": "bold", "offset": 0, "length": 2},
            {"type": "text_link", "offset": 6, "length": 3, "url": "https://x.example/"},
        ],
    }


async def test_markup_that_telegram_cannot_read_is_sent_as_words(telegram: Telegram) -> None:
    await telegram.send(text="<p>Hi <b>you", format="html")

    assert shown(telegram.sees()[0], "text", "entities") == {"text": "Hi you"}


async def test_inline_buttons_carry_our_tokens(telegram: Telegram) -> None:
    site = {"id": "u", "kind": "url", "label": "Site", "url": "https://x.example/"}
    await telegram.send(text="Confirm?", buttons=[[{"id": "y", "label": "Yes", "token": "b:4Kd9.0"}, {"id": "n", "label": "No"}], [site]])

    assert telegram.sees()[0]["reply_markup"] == {
        "inline_keyboard": [
            [{"text": "Yes", "callback_data": "b:4Kd9.0"}, {"text": "No", "callback_data": "n"}],
            [{"text": "Site", "url": "https://x.example/"}],
        ],
    }


async def test_a_button_that_carries_too_much_is_refused_before_it_is_sent(telegram: Telegram) -> None:
    with pytest.raises(BadContentError, match="64 bytes"):
        await telegram.send(text="Confirm?", buttons=[[{"id": "é" * 33, "label": "Yes"}]])

    assert telegram.sees() == []


async def test_a_reply_keyboard_asks_for_phone_and_place(telegram: Telegram) -> None:
    buttons = [
        [{"id": "p", "kind": "contact", "label": "Phone"}, {"id": "l", "kind": "location", "label": "Place"}],
        [{"id": "s", "label": "Skip"}],
    ]
    await telegram.send(text="Who and where?", keyboard="reply", buttons=buttons)

    assert telegram.emulator.world.bots[telegram.credentials.secrets["token"]].chats[CHAT].keyboard == {
        "keyboard": [[{"text": "Phone", "request_contact": True}, {"text": "Place", "request_location": True}], [{"text": "Skip"}]],
        "resize_keyboard": True,
        "one_time_keyboard": True,
    }


async def test_a_group_is_not_asked_for_what_only_private_chats_may_give(telegram: Telegram) -> None:
    await telegram.send(-77, text="Who?", keyboard="reply", buttons=[[{"id": "p", "kind": "contact", "label": "Phone"}]])

    keyboard = telegram.emulator.world.bots[telegram.credentials.secrets["token"]].chats[-77].keyboard
    assert keyboard is not None
    assert keyboard["keyboard"] == [[{"text": "Phone"}]]


async def test_the_keyboard_is_taken_away(telegram: Telegram) -> None:
    await telegram.send(text="Pick", keyboard="reply", buttons=[[{"id": "a", "label": "A"}]])
    await telegram.send(text="Thanks", keyboard="remove")

    assert telegram.emulator.world.bots[telegram.credentials.secrets["token"]].chats[CHAT].keyboard is None


@pytest.mark.parametrize(
    ("kind", "field"),
    [("image", "photo"), ("video", "video"), ("audio", "audio"), ("voice", "voice"), ("file", "document"), ("sticker", "sticker")],
)
async def test_each_kind_of_file_is_sent_from_bytes_and_again_by_its_id(telegram: Telegram, kind: str, field: str) -> None:
    caption = "" if kind == "sticker" else "Act 5"
    sent = await telegram.send(media=[Media(kind=kind, data=PNG, name="act 5.bin", caption=caption)])
    again = await telegram.send(media=[{"kind": kind, "external": sent.files[0]}])

    first, second = telegram.sees()
    assert field in first
    assert first.get("caption", "") == caption
    assert again.files == sent.files
    assert telegram.emulator.world.files[sent.files[0]].data == PNG
    assert field in second


async def test_a_file_is_sent_by_address(telegram: Telegram) -> None:
    await telegram.send(media=[{"kind": "file", "url": "https://x.example/act.pdf"}])

    assert telegram.sees()[0]["document"]["file_name"] == "act.pdf"


@pytest.fixture
async def shelf() -> AsyncIterator[str]:
    """A web server with files: `/act.pdf` is there."""

    async def give(request: web.Request) -> web.Response:
        return web.Response(body=b"%PDF") if request.path == "/act.pdf" else web.Response(status=404)

    runner = web.ServerRunner(web.Server(give))  # type: ignore[arg-type]
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_a_file_that_telegram_cannot_read_is_read_by_us(telegram: Telegram, shelf: str) -> None:
    telegram.answers({"do": "400", "description": "Bad Request: failed to get HTTP URL content"}, method="sendDocument")
    telegram.answers({"do": "400", "description": "Bad Request: wrong type of the web page content"}, method="sendMediaGroup")
    file = {"kind": "file", "url": f"{shelf}/act.pdf"}
    sent = await telegram.send(media=[file])
    album = await telegram.send(media=[file, file])

    assert [telegram.emulator.world.files[file_id].data for file_id in (*sent.files, *album.files)] == [b"%PDF"] * 3
    assert telegram.sees()[0]["document"]["file_name"] == "act.pdf"


@pytest.mark.parametrize(("path", "kind"), [("/nothing.pdf", BadContentError), (":9/x", BadContentError), (" /x", BadContentError)])
async def test_a_file_that_nobody_can_read_is_refused(telegram: Telegram, shelf: str, path: str, kind: type[Exception]) -> None:
    with pytest.raises(kind, match="cannot be read"):
        await telegram.send(media=[{"kind": "file", "url": f"{shelf}{path}"}])


async def test_a_file_with_buttons_has_them_below(telegram: Telegram) -> None:
    await telegram.send(
        media=[Media(kind="image", data=PNG, caption="<i>Yours</i>")], format="html", buttons=[[{"id": "y", "label": "Yes"}]]
    )

    assert shown(telegram.sees()[0], "caption", "caption_entities", "reply_markup") == {
        "caption": "Yours",
        "caption_entities": [{"type": "italic", "offset": 0, "length": 5}],
        "reply_markup": {"inline_keyboard": [[{"text": "Yes", "callback_data": "y"}]]},
    }


async def test_a_picture_over_ten_megabytes_is_sent_as_a_document(telegram: Telegram) -> None:
    await telegram.send(media=[Media(kind="image", data=b"x" * (10 * 1024 * 1024 + 1), name="big.png")])

    assert telegram.sees()[0]["document"]["file_name"] == "big.png"


async def test_a_picture_that_telegram_cannot_show_is_sent_as_a_document(telegram: Telegram) -> None:
    telegram.answers({"do": "400", "description": "Bad Request: PHOTO_INVALID_DIMENSIONS"}, method="sendPhoto")

    await telegram.send(media=[Media(kind="image", data=PNG, name="long.png")])

    assert telegram.sees()[0]["document"]["file_name"] == "long.png"


async def test_a_file_that_is_nowhere_is_refused(telegram: Telegram) -> None:
    with pytest.raises(BadContentError, match=r"act\.pdf"):
        await telegram.send(media=[{"kind": "file", "name": "act.pdf"}])


async def test_several_files_are_one_album(telegram: Telegram) -> None:
    media = [
        Media(kind="image", data=PNG, caption="Front"),
        Media(kind="video", data=b"film", name="a.mp4"),
        {"kind": "image", "url": "https://x.example/2.jpg"},
    ]
    sent = await telegram.send(media=media, format="html")

    messages = telegram.sees()
    assert sent.external_ids == tuple(str(message["message_id"]) for message in messages)
    assert len(sent.files) == 3
    assert len({message["media_group_id"] for message in messages}) == 1
    assert [message.get("caption") for message in messages] == ["Front", None, None]
    assert telegram.emulator.world.files[sent.files[1]].data == b"film"


async def test_an_album_with_unreadable_markup_is_sent_with_words(telegram: Telegram) -> None:
    await telegram.send(media=[Media(kind="image", data=PNG, caption="<p>Front"), Media(kind="image", data=PNG)], format="html")

    assert telegram.sees()[0]["caption"] == "Front"


async def test_a_place(telegram: Telegram) -> None:
    await telegram.send(location={"latitude": 50.45, "longitude": 30.52})
    await telegram.send(location={"latitude": 50.45, "longitude": 30.52, "title": "Our shop, Main st. 1"})
    await telegram.send(location={"latitude": 50.45, "longitude": 30.52, "title": "Our shop"})

    place = {"latitude": 50.45, "longitude": 30.52}
    assert [shown(message, "location", "venue") for message in telegram.sees()] == [
        {"location": place},
        {"location": place, "venue": {"location": place, "title": "Our shop", "address": "Main st. 1"}},
        {"location": place, "venue": {"location": place, "title": "Our shop", "address": "50.45000, 30.52000"}},
    ]


async def test_a_contact(telegram: Telegram) -> None:
    await telegram.send(contact={"phone": "+380501112233", "name": "Anna"})
    await telegram.send(contact={"phone": "+380501112233"})

    assert [message["contact"] for message in telegram.sees()] == [
        {"phone_number": "+380501112233", "first_name": "Anna"},
        {"phone_number": "+380501112233", "first_name": "+380501112233"},
    ]


async def test_typing_is_shown_before_the_message(telegram: Telegram) -> None:
    started = time.monotonic()
    await telegram.send(text="Hi", typing=0.2)

    assert 0.2 <= time.monotonic() - started < 2
    assert [entry["method"] for entry in telegram.emulator.ledger.entries] == ["sendChatAction", "sendMessage"]


async def test_typing_alone_sends_no_message(telegram: Telegram) -> None:
    assert await telegram.send(typing=0.01) == Sent(external_ids=())
    assert telegram.emulator.ledger.counts == {"sendChatAction": 1}


async def test_typing_that_fails_does_not_keep_the_message_back(telegram: Telegram) -> None:
    telegram.answers({"do": "500"}, method="sendChatAction")

    assert (await telegram.send(text="Hi", typing=0.01)).external_ids == ("1",)


async def test_a_message_may_be_silent(telegram: Telegram) -> None:
    await telegram.send(text="Psst", silent=True)
    await telegram.send(text="Hello")

    assert [entry["params"].get("disable_notification") for entry in telegram.emulator.ledger.entries] == ["true", None]


async def test_previews_of_links_can_be_off(telegram: Telegram) -> None:
    quiet = telegram_credentials(previews=False)
    await telegram.adapter.send(quiet, str(CHAT), Content(text="https://x.example"))

    assert telegram.emulator.ledger.entries[0]["params"]["link_preview_options"] == '{"is_disabled": true}'


async def test_an_empty_message_is_refused(telegram: Telegram) -> None:
    with pytest.raises(BadContentError):
        await telegram.send()


async def test_a_text_with_its_buttons_is_changed(telegram: Telegram) -> None:
    sent = await telegram.send(text="Confirm?", buttons=[[{"id": "y", "label": "Yes"}]])

    assert await telegram.send(edit=sent.external_ids[0], text="<b>Done</b>", format="html") == sent
    assert shown(telegram.sees()[0], "text", "entities", "reply_markup") == {
        "text": "Done",
        "entities": [{"type": "bold", "offset": 0, "length": 4}],
    }


async def test_only_the_buttons_are_changed_or_taken_away(telegram: Telegram) -> None:
    sent = await telegram.send(text="Confirm?", buttons=[[{"id": "y", "label": "Yes"}]])

    await telegram.send(edit=sent.external_ids[0], buttons=[[{"id": "n", "label": "No"}]])
    assert telegram.sees()[0]["reply_markup"] == {"inline_keyboard": [[{"text": "No", "callback_data": "n"}]]}

    await telegram.send(edit=sent.external_ids[0])
    assert shown(telegram.sees()[0], "text", "reply_markup") == {"text": "Confirm?"}


async def test_the_words_below_a_file_are_changed(telegram: Telegram) -> None:
    sent = await telegram.send(media=[Media(kind="image", data=PNG, caption="Yours?")])
    await telegram.send(edit=sent.external_ids[0], text="Yours.")

    assert telegram.sees()[0]["caption"] == "Yours."


async def test_changing_nothing_is_no_error(telegram: Telegram) -> None:
    sent = await telegram.send(text="Same")

    assert await telegram.send(edit=sent.external_ids[0], text="Same") == sent


async def test_a_message_of_nobody_is_not_changed(telegram: Telegram) -> None:
    with pytest.raises(BadContentError, match="Message to edit not found"):
        await telegram.send(edit="999", text="New")
    with pytest.raises(BadContentError, match="no id of Telegram"):
        await telegram.send(edit="m_1", text="New")


async def test_whatever_fits_our_limits_fits_telegrams(telegram: Telegram) -> None:
    content = Content.model_validate({
        "text": "<b>" + "Слово 😀 &amp; word. " * 400 + "</b>",
        "format": "html",
        "media": [{"kind": "image", "url": "https://x.example/1.jpg", "caption": "Подпись 😀 " * 120}],
        "buttons": [[{"id": str(index), "label": "Очень длинная надпись на кнопке " * 4} for index in range(90)]],
    })  # fmt: skip

    for part in fit(content, telegram.adapter.capabilities):
        await telegram.adapter.send(telegram.credentials, str(CHAT), part)

    assert [sorted(shown(message, "text", "photo", "caption", "reply_markup")) for message in telegram.sees()] == [
        ["photo"], ["text"], ["text"], ["reply_markup", "text"],
    ]  # fmt: skip


async def test_two_hundred_messages_are_in_flight_at_once(telegram: Telegram) -> None:
    telegram.emulator.options.delay = 0.3
    started = time.monotonic()
    await asyncio.gather(*(telegram.send(chat_id, text=f"Hi {chat_id}") for chat_id in range(1, 201)))

    assert time.monotonic() - started < 3  # one after the other: 60 s
    assert [telegram.sees(chat_id)[0]["text"] for chat_id in range(1, 201)] == [f"Hi {chat_id}" for chat_id in range(1, 201)]


async def test_two_bots_at_once_keep_their_chats_apart(telegram: Telegram) -> None:
    other = telegram_credentials("654321:token-of-another-shop")
    await asyncio.gather(
        *(telegram.send(text=f"shop {index}") for index in range(20)),
        *(telegram.adapter.send(other, str(CHAT), Content(text=f"other {index}")) for index in range(20)),
    )

    assert sorted(message["text"] for message in telegram.sees()) == sorted(f"shop {index}" for index in range(20))
    assert {entry["bot"] for entry in telegram.emulator.ledger.entries if entry["params"]["text"].startswith("other")} == {654321}
