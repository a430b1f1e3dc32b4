from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.bots import markup
from apps.bots.adapter import Capabilities
from apps.bots.content import Button, Content, Location, Media
from apps.bots.degrading import fit, map_link, match_typed
from apps.bots.registry import adapters
from apps.bots.splitting import units

BARE = Capabilities(text_chars=200)
THREE = Capabilities(
    text_chars=200, caption_chars=40, inline_buttons=3, buttons_per_row=2, label_chars=10, url_buttons=True, media=frozenset({"image", "file"}),
    media_bytes=1000, album=3,
)  # fmt: skip
TELEGRAM = adapters["telegram"].capabilities


def said(content: dict[str, Any], capabilities: Capabilities) -> list[dict[str, object]]:
    return [part.dump() for part in fit(Content.model_validate(content), capabilities)]


def callback(*labels: str) -> list[dict[str, str]]:
    return [{"id": label, "label": label} for label in labels]


def test_a_short_text_is_sent_as_it_is() -> None:
    content = Content(text=" Hi ")

    assert fit(content, BARE)[0] is content


@pytest.mark.parametrize("content", [{}, {"text": " \n"}, {"keyboard": "remove"}, {"media": []}])
def test_nothing_to_say_is_no_message(content: dict[str, Any]) -> None:
    assert said(content, TELEGRAM) == []


def test_buttons_without_buttons_become_numbered_text() -> None:
    content = {"text": "Confirm?", "buttons": [callback("Yes", "No"), callback("Later")]}

    assert said(content, BARE) == [{"text": "Confirm?\n\n1. Yes\n2. No\n3. Later"}]


def test_more_buttons_than_allowed_become_numbered_text_all_of_them() -> None:
    content = {"text": "Confirm?", "buttons": [callback("A", "B"), callback("C", "D")]}

    assert said(content, THREE) == [{"text": "Confirm?\n\n1. A\n2. B\n3. C\n4. D"}]


def test_links_make_room_for_choices() -> None:
    link = {"id": "u", "kind": "url", "label": "Site", "url": "https://x.example/"}
    content = {"text": "Confirm?", "buttons": [callback("A", "B"), [*callback("C"), link]]}

    assert said(content, THREE) == [{"text": "Confirm?\n\nSite: https://x.example/", "buttons": [callback("A", "B"), callback("C")]}]


def test_rows_are_broken_and_labels_cut() -> None:
    content = {"text": "Confirm?", "buttons": [callback("A", "B", "A longer label")]}

    assert said(content, THREE) == [
        {"text": "Confirm?", "buttons": [callback("A", "B"), [{"id": "A longer label", "label": "A longer…"}]]},
    ]


@pytest.mark.parametrize("url", ["", "x.example", "ftp://x.example", "https://localhost", "https://", "https://a b.example", "http://[::1"])
def test_a_link_that_messengers_refuse_is_no_button(url: str) -> None:
    content = {"text": "Look", "buttons": [[{"id": "u", "kind": "url", "label": "Site", "url": url}]]}

    assert said(content, TELEGRAM) == [{"text": f"Look\n\nSite: {url}".removesuffix(": ")}]


def test_asking_for_the_phone_uses_the_reply_keyboard() -> None:
    content = {"text": "Your phone?", "buttons": [[{"id": "p", "kind": "contact", "label": "Share"}], callback("Skip")]}

    assert said(content, TELEGRAM) == [content | {"keyboard": "reply"}]


def test_asking_for_the_phone_becomes_a_request_to_type_it() -> None:
    content = {
        "text": "Where and who?",
        "buttons": [[{"id": "p", "kind": "contact", "label": "Share"}, {"id": "l", "kind": "location", "label": "Here"}]],
    }

    assert said(content, THREE) == [{"text": "Where and who?\n\nPlease type your phone number.\nPlease type the address."}]


def test_a_reply_keyboard_shows_links_as_text() -> None:
    link = {"id": "u", "kind": "url", "label": "Site", "url": "https://x.example/"}
    content = {"text": "Look", "keyboard": "reply", "buttons": [[*callback("OK"), link]]}

    assert said(content, TELEGRAM) == [{"text": "Look\n\nSite: https://x.example/", "keyboard": "reply", "buttons": [callback("OK")]}]


def test_buttons_alone_get_a_text() -> None:
    assert said({"buttons": [callback("A")]}, TELEGRAM) == [{"text": "Choose an option:", "buttons": [callback("A")]}]


def test_a_long_text_is_split_and_the_buttons_are_on_the_last_part() -> None:
    content = {"text": "First. " * 40, "buttons": [callback("A")], "silent": True, "typing": 2}

    parts = said(content, Capabilities(text_chars=200, inline_buttons=3, buttons_per_row=2, typing_seconds=5))

    assert parts == [
        {"text": ("First. " * 28).strip(), "silent": True, "typing": 2},
        {"text": ("First. " * 12).strip(), "silent": True, "buttons": [callback("A")]},
    ]


def test_a_text_stands_beside_its_only_picture() -> None:
    picture = {"kind": "image", "url": "https://x.example/1.jpg"}

    assert said({"text": "Your order", "media": [picture], "buttons": [callback("OK")]}, THREE) == [
        {"media": [picture | {"caption": "Your order"}], "buttons": [callback("OK")]},
    ]


def test_a_text_without_room_beside_the_picture_follows_it() -> None:
    picture, text = {"kind": "image", "url": "https://x.example/1.jpg"}, "A text that is longer than forty characters."

    assert said({"text": text, "media": [picture]}, THREE) == [{"media": [picture]}, {"text": text}]


def test_a_caption_without_room_becomes_a_text() -> None:
    picture, caption = {"kind": "image", "url": "https://x.example/1.jpg"}, "A caption that is longer than forty characters."

    assert said({"text": "Order", "media": [picture | {"caption": caption}]}, THREE) == [
        {"media": [picture]},
        {"text": caption},
        {"text": "Order"},
    ]


def test_pictures_go_together_and_other_kinds_apart() -> None:
    pictures = [{"kind": "image", "url": f"https://x.example/{index}.jpg"} for index in range(4)]
    file = {"kind": "file", "url": "https://x.example/act.pdf"}

    assert said({"media": [*pictures, file, file]}, THREE) == [{"media": pictures[:3]}, {"media": pictures[3:]}, {"media": [file, file]}]


def test_an_album_with_buttons_gives_them_to_its_last_file() -> None:
    pictures = [{"kind": "image", "url": f"https://x.example/{index}.jpg"} for index in range(3)]

    assert said({"media": pictures, "buttons": [callback("OK")]}, THREE) == [
        {"media": pictures[:2]},
        {"media": pictures[2:], "buttons": [callback("OK")]},
    ]


def test_an_album_with_buttons_and_text_gives_them_to_the_text() -> None:
    pictures = [{"kind": "image", "url": f"https://x.example/{index}.jpg"} for index in range(2)]

    assert said({"text": "Which?", "media": pictures, "buttons": [callback("OK")]}, THREE) == [
        {"media": pictures}, {"text": "Which?", "buttons": [callback("OK")]},
    ]  # fmt: skip


@pytest.mark.parametrize(("kind", "becomes"), [("sticker", "image"), ("video", "file"), ("audio", "file"), ("voice", "file")])
def test_unsupported_files_are_sent_as_what_the_messenger_has(kind: str, becomes: str) -> None:
    url = "https://x.example/thing"

    assert said({"media": [{"kind": kind, "url": url}]}, THREE) == [{"media": [{"kind": becomes, "url": url}]}]


def test_files_become_links_where_there_are_none() -> None:
    media = [
        {"kind": "image", "url": "https://x.example/1.jpg", "caption": "Front", "name": "front.jpg"},
        {"kind": "file", "url": "https://x.example/a.pdf"},
    ]

    assert said({"text": "See:", "media": media}, BARE) == [
        {"text": "See:\n\nFront\nfront.jpg: https://x.example/1.jpg\nhttps://x.example/a.pdf"}
    ]


def test_a_file_that_is_too_big_becomes_a_link() -> None:
    media = [{"kind": "file", "url": "https://x.example/big.zip", "name": "big.zip", "size": 1001}]

    assert said({"media": media}, THREE) == [{"text": "big.zip: https://x.example/big.zip"}]


def test_a_place_becomes_a_link_to_a_map() -> None:
    place = {"latitude": 50.45, "longitude": 30.52, "title": "Our shop"}
    link = "https://www.openstreetmap.org/?mlat=50.450000&mlon=30.520000#map=17/50.450000/30.520000"

    assert map_link(Location(latitude=50.45, longitude=30.52)) == link
    assert said({"location": place}, BARE) == [{"text": f"Our shop\n{link}"}]
    assert said({"location": place}, TELEGRAM) == [{"location": place}]


def test_a_contact_becomes_text() -> None:
    contact = {"phone": "+380501112233", "name": "Anna"}

    assert said({"text": "Call", "contact": contact}, BARE) == [{"text": "Call\n\nAnna: +380501112233"}]
    assert said({"text": "Call", "contact": contact}, TELEGRAM) == [{"contact": contact}, {"text": "Call"}]


def test_markup_becomes_plain_text_where_there_is_none() -> None:
    content = {"text": '<b>Hi</b> &amp; <a href="https://x.example">look</a>', "format": "html"}

    assert said(content, BARE) == [{"text": "Hi & look (https://x.example)"}]


def test_lines_added_to_markup_are_escaped() -> None:
    content = {"text": "<b>Choose</b>", "format": "html", "buttons": [callback("a < b")]}
    html = Capabilities(text_chars=200, html=True)

    assert said(content, html) == [{"text": "<b>Choose</b>\n\n1. a &lt; b", "format": "html"}]


def test_an_edit_changes_the_first_part() -> None:
    assert said({"text": "New", "edit": "7", "buttons": [callback("A")]}, TELEGRAM) == [
        {"text": "New", "edit": "7", "buttons": [callback("A")]}
    ]
    assert said({"edit": "7"}, TELEGRAM) == [{"edit": "7"}]
    assert said({"edit": "7", "buttons": [callback("A")]}, TELEGRAM) == [{"edit": "7", "buttons": [callback("A")]}]


def test_where_nothing_can_be_edited_a_new_text_is_sent_and_new_buttons_are_not() -> None:
    assert said({"text": "New", "edit": "7"}, BARE) == [{"text": "New"}]
    assert said({"edit": "7", "buttons": [callback("A")]}, THREE) == []


def test_typing_alone_is_shown_where_it_can_be() -> None:
    assert said({"typing": 3}, TELEGRAM) == [{"typing": 3.0}]
    assert said({"typing": 3}, BARE) == []


def test_removing_the_keyboard_rides_on_the_last_part() -> None:
    pictures = [{"kind": "image", "url": f"https://x.example/{index}.jpg"} for index in range(2)]

    assert said({"text": "Bye", "keyboard": "remove"}, TELEGRAM) == [{"text": "Bye", "keyboard": "remove"}]
    assert said({"media": pictures, "keyboard": "remove"}, TELEGRAM) == [
        {"media": pictures[:1]},
        {"media": pictures[1:], "keyboard": "remove"},
    ]


def test_what_is_filled_in_at_sending_time_reaches_every_part() -> None:
    content = Content(text="x " * 150, context={"message_id": 5}, media=[Media(kind="image", attachment=4, data=b"bytes")])

    parts = fit(content, THREE)

    assert [part.context for part in parts] == [{"message_id": 5}] * 3
    assert parts[0].media[0].data == b"bytes"


# --- nothing is lost, everything fits ---------------------------------------------------------------------------------

words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30)
texts = st.lists(words, max_size=25).map(" ".join)
buttons = st.builds(
    Button, id=st.just("id"), label=words, kind=st.sampled_from(["callback", "url", "contact", "location"]),
    url=st.sampled_from(["", "https://x.example/", "bad"]), token=st.just("b:1.0"),
)  # fmt: skip
files = st.builds(
    Media, kind=st.sampled_from(["image", "video", "audio", "voice", "file", "sticker"]), url=st.just("https://x.example/f"), caption=texts,
    name=st.just("f"), size=st.sampled_from([None, 5, 5_000]),
)  # fmt: skip
contents = st.builds(
    Content, text=texts, buttons=st.lists(st.lists(buttons, max_size=4), max_size=3), keyboard=st.sampled_from(["inline", "reply", "remove"]),
    media=st.lists(files, max_size=4), location=st.none() | st.just(Location(latitude=1, longitude=2, title="Here")), silent=st.booleans(),
)  # fmt: skip
limits = st.builds(
    Capabilities, text_chars=st.integers(20, 200), html=st.just(value=True), caption_chars=st.integers(0, 60), inline_buttons=st.integers(0, 4),
    reply_buttons=st.integers(0, 4), buttons_per_row=st.integers(1, 3), label_chars=st.integers(5, 20), url_buttons=st.booleans(),
    media=st.sets(st.sampled_from(["image", "video", "audio", "voice", "file", "sticker"])).map(frozenset), media_bytes=st.just(1_000),
    album=st.integers(1, 3), location=st.booleans(), phone_request=st.booleans(), location_request=st.booleans(),
)  # fmt: skip


def squeezed(text: str) -> str:
    return "".join(text.split())


def visible(part: Content) -> str:
    shown = [*(item.caption for item in part.media), part.text]
    return "".join(markup.text_of(markup.read(text)) if part.format == "html" else text for text in shown)


@given(contents, limits)
def test_every_part_is_within_the_limits(content: Content, capabilities: Capabilities) -> None:
    parts = fit(content, capabilities)

    for part in parts:
        labels = [button.label for button in part.flat_buttons()]
        room = capabilities.inline_buttons if part.keyboard == "inline" else capabilities.reply_buttons
        assert units(part.text) <= capabilities.text_chars
        assert all(units(item.caption) <= capabilities.caption_chars for item in part.media)
        assert {item.kind for item in part.media} <= capabilities.media
        assert len(part.media) <= capabilities.album
        assert len(labels) <= room
        assert all(len(row) <= capabilities.buttons_per_row for row in part.buttons)
        assert all(units(label) <= capabilities.label_chars for label in labels)
        assert part.silent == content.silent
        assert part.text or part.media or part.location or part.buttons
    assert all(not part.buttons for part in parts[:-1])
    assert not any(len(part.media) > 1 and part.buttons for part in parts)


@given(contents, limits)
def test_no_words_are_lost(content: Content, capabilities: Capabilities) -> None:
    parts = fit(content, capabilities)
    shown = squeezed("".join(visible(part) for part in parts))
    kept = [button.label for part in parts for button in part.flat_buttons()]

    assert squeezed(content.text) in shown
    assert all(squeezed(item.caption) in shown for item in content.media)
    for button in content.flat_buttons():
        typed_instead = button.kind in {"contact", "location"}
        assert squeezed(button.label) in shown or typed_instead or any(button.label.startswith(label.rstrip("…")) for label in kept)


@given(texts, limits)
def test_markup_is_split_like_text(text: str, capabilities: Capabilities) -> None:
    source = f"<b>{text.replace('&', '&amp;').replace('<', '&lt;')}</b>"
    parts = fit(Content(text=source, format="html"), capabilities)

    assert squeezed("".join(visible(part) for part in parts)) == squeezed(text)
    assert all(units(visible(part)) <= capabilities.text_chars for part in parts)


# --- typed answers ----------------------------------------------------------------------------------------------------


def typed(text: str, *labels: str) -> str | None:
    found = match_typed(text, [Button(id=label, label=label) for label in labels])
    return found.label if found else None


@pytest.mark.parametrize("text", ["Yes, please", "yes, please", " YES,   please ", "1", "1.", "1)", " 1 . "])
def test_a_typed_label_or_number_is_the_button(text: str) -> None:
    assert typed(text, "Yes, please", "No") == "Yes, please"


@pytest.mark.parametrize("text", ["", "yes", "0", "3", "-1", "1,5", "1 2", "12345", "no no"])
def test_anything_else_is_not(text: str) -> None:
    assert typed(text, "Yes, please", "No") is None


def test_a_label_that_is_a_number_wins_over_a_position() -> None:
    assert typed("1", "5", "4", "3", "2", "1") == "1"
    assert typed("2", "10", "20") is None


def test_a_label_that_we_had_cut_is_recognised() -> None:
    assert typed("Confirm the de…", "Confirm the delivery", "Cancel") == "Confirm the delivery"
    assert typed("…", "Confirm the delivery") is None


def test_numbers_count_only_what_was_numbered() -> None:
    answers = [Button(id="u", kind="url", label="Site", url="https://x.example/"), Button(id="y", label="Yes"), Button(id="n", label="No")]
    shown = fit(Content(text="?", buttons=[answers]), BARE)[0].text

    assert shown == "?\n\nSite: https://x.example/\n1. Yes\n2. No"
    assert match_typed("2", answers) == answers[2]


def test_letters_that_look_alike_in_unicode_are_alike() -> None:
    assert typed("strasse", "STRASSE") == "STRASSE"
    assert typed("ДА", "Да", "Нет") == "Да"
    assert typed("\uff11", "Yes", "No") == "Yes"
