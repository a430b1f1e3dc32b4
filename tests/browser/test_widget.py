"""The web chat on other people's pages and on a phone."""

import json
import re
import struct
import zlib

import pytest
from playwright.sync_api import FilePayload, FrameLocator, Page, Route, expect

from tests.browser.conftest import LOOK_ALIKE, SHOP, Open
from tests.browser.pages import Served
from tests.browser.stage import Stage

pytestmark = pytest.mark.timeout(240)


def _png() -> bytes:
    """A grey picture of 16 by 16 points."""
    rows = zlib.compress((b"\x00" + b"\x80" * 16) * 16)
    parts = ((b"IHDR", struct.pack(">IIBBBBB", 16, 16, 8, 0, 0, 0, 0)), (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )


PNG = _png()


@pytest.fixture(scope="module")
def key(product: Stage) -> str:
    """The demo's chat, allowed on the shop's pages."""
    return str(
        product.shell(
            "import json\nfrom apps.bots.models import Channel\n"
            f"channel = Channel.objects.get(pk={product.demo['channel_id']})\n"
            f"channel.config = {{**channel.config, 'allowed_hosts': ['http://{SHOP}']}}\nchannel.save()\n"
            "print(json.dumps('wk_' + channel.public_id.hex))",
        )
    )


@pytest.fixture
def shop(product: Stage, shop_pages: Served, key: str) -> Served:
    shop_pages.embed(product.base_url, key)
    return shop_pages


def frame(page: Page) -> FrameLocator:
    return page.frame_locator("iframe")


def write(page: Page, text: str) -> None:
    box = frame(page).get_by_role("textbox", name="Write a message…")
    box.fill(text)
    box.press("Enter")


def tell(product: Stage, text: str, **content: object) -> None:
    """The bot says this to whoever wrote last."""
    said = json.dumps({"text": text, **content})
    product.shell(
        "import json\nfrom apps.conversations import inbox\nfrom apps.bots.content import Content\nfrom apps.identity.models import Lead\n"
        "from apps.conversations.models import Conversation, FeedItem, Message, Outbox\nfrom apps.conversations import waking\n"
        "from django.db import transaction\n"
        f"content = Content.model_validate(json.loads({said!r}))\n"
        "lead = Lead.objects.exclude(last_inbound_at=None).order_by('-last_inbound_at')[0]\n"
        "with transaction.atomic():\n"
        "    conversation = Conversation.objects.select_for_update().get(lead=lead, status='open')\n"
        "    conversation.last_seq += 1\n    conversation.version += 1\n    conversation.save()\n"
        "    message = Message.objects.create(conversation=conversation, channel=lead.channel, seq=conversation.last_seq, direction='out',\n"
        "        author='bot', content=content.dump(), text=content.text, state='queued', trace_id='t' * 32)\n"
        "    Outbox.objects.create(lane=conversation.lane, channel=lead.channel, message=message, chat_id=lead.chat_id)\n"
        "    FeedItem.objects.create(bot_id=conversation.bot_id, conversation_id=conversation.pk, lead_id=lead.pk, kind='message.created',\n"
        "        version=conversation.version, data={'message': message.pk, 'seq': message.seq})\n"
        "    waking.feed()\n    waking.senders()\n",
    )


def open_chat(page: Page, host: str = SHOP) -> None:
    page.goto(f"http://{host}/")
    page.get_by_role("button", name="Shop").click()
    expect(frame(page).get_by_role("textbox", name="Write a message…")).to_be_focused()


def test_one_tag_puts_the_chat_on_a_strict_page(shop: Served, new_page: Open) -> None:
    page = new_page()
    open_chat(page)
    write(page, "menu")
    expect(frame(page).locator(".mine", has_text="menu")).to_be_visible()
    expect(frame(page).locator(".theirs").first).to_be_visible()
    frame(page).get_by_role("button", name="Close the chat").click()
    expect(page.locator("iframe")).to_be_hidden()
    expect(page.get_by_role("button", name="Shop")).to_be_focused()


def test_nothing_is_loaded_and_nobody_is_known_before_the_chat_is_opened(shop: Served, product: Stage, new_page: Open) -> None:
    count = "import json\nfrom apps.panel.models import WidgetVisitor\nprint(json.dumps(WidgetVisitor.objects.count()))"
    before = product.shell(count)
    page = new_page()
    page.goto(f"http://{SHOP}/")
    expect(page.get_by_role("button", name="Shop")).to_be_visible()
    assert page.locator("iframe").count() == 0
    assert product.shell(count) == before


def test_a_look_alike_page_gets_no_chat(shop: Served, product: Stage, key: str, new_page: Open, complaints: list[str]) -> None:
    page = new_page()
    page.goto(f"http://{LOOK_ALIKE}/")
    page.wait_for_timeout(700)
    assert page.get_by_role("button").count() == 0
    page.evaluate(
        "address => { const frame = document.createElement('iframe'); frame.src = address; document.body.append(frame); }",
        f"{product.base_url}/widget/{key}",
    )
    page.wait_for_timeout(700)
    assert frame(page).locator("#chat").count() == 0
    assert any("frame-ancestors" in text for text in complaints)
    assert any("CORS" in text for text in complaints)
    complaints.clear()


def test_a_reload_keeps_the_history(shop: Served, new_page: Open) -> None:
    page = new_page()
    open_chat(page)
    write(page, "first words")
    expect(frame(page).locator(".mine").get_by_text("Received")).to_be_attached()
    page.reload()
    page.get_by_role("button", name="Shop").click()
    expect(frame(page).locator(".mine", has_text="first words")).to_be_visible()


def test_on_a_phone_the_chat_fills_the_screen(shop: Served, new_page: Open) -> None:
    page = new_page(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    page.goto(f"http://{SHOP}/")
    page.get_by_role("button", name="Shop").tap()
    box = page.locator("iframe").bounding_box()
    assert box == {"x": 0, "y": 0, "width": 390, "height": 844}
    frame(page).get_by_role("textbox", name="Write a message…").fill("menu")
    frame(page).get_by_role("button", name="Send").tap()
    expect(frame(page).locator(".theirs").first).to_be_visible()
    assert frame(page).locator("#chat").evaluate("chat => chat.scrollWidth <= 390") is True
    sizes = frame(page).locator("button:visible").evaluate_all("buttons => buttons.map((button) => button.getBoundingClientRect().height)")
    assert min(sizes) >= 40


def test_files_are_sent_and_refused_ones_say_why(shop: Served, new_page: Open, complaints: list[str]) -> None:
    page = new_page()
    open_chat(page)
    files: list[FilePayload] = [
        {"name": "photo.png", "mimeType": "image/png", "buffer": PNG},
        {"name": "note.txt", "mimeType": "text/plain", "buffer": b"hello"},
        {"name": "setup.exe", "mimeType": "application/octet-stream", "buffer": b"MZ\x90\x00"},
    ]
    frame(page).locator("#file").set_input_files(files)
    picture = frame(page).locator(".mine .of-image img")
    expect(picture).to_have_attribute("src", re.compile("/widget/v1/files/"))
    picture.scroll_into_view_if_needed()
    expect(picture).to_have_js_property("naturalWidth", 16)
    expect(frame(page).locator(".mine .document", has_text="note.txt")).to_have_attribute("href", re.compile("/widget/v1/files/"))
    expect(frame(page).locator(".mine.failed", has_text="setup.exe")).to_contain_text("Files of this type are not accepted")
    assert len(complaints) == 1
    assert "415" in complaints.pop()


def test_what_a_message_says_is_never_run(shop: Served, product: Stage, new_page: Open) -> None:
    page = new_page()
    open_chat(page)
    write(page, "<img src=x onerror=alert(1)>")
    expect(frame(page).locator(".mine .text")).to_have_text("<img src=x onerror=alert(1)>")
    expect(frame(page).locator(".theirs").first).to_be_visible()
    tell(
        product,
        '<b>Bold</b> <a href="javascript:alert(1)">bad</a> <a href="https://shop.example/">good</a><script>alert(1)</script>'
        '<img src=x onerror=alert(1)><i onclick="alert(1)">soft</i>',
        format="html",
    )
    text = frame(page).locator(".theirs .text", has_text="Bold")
    expect(text).to_have_text("Bold bad goodsoft")
    assert text.evaluate("node => node.innerHTML") == (
        '<b>Bold</b> bad <a href="https://shop.example/" target="_blank" rel="noopener noreferrer nofollow">good</a><i>soft</i>'
    )


def test_a_reply_keyboard_and_unread_messages(shop: Served, product: Stage, new_page: Open) -> None:
    page = new_page()
    open_chat(page)
    write(page, "hello")
    expect(frame(page).locator(".theirs").first).to_be_visible()
    tell(
        product,
        "Where?",
        keyboard="reply",
        buttons=[
            [{"id": "a", "label": "Riga"}, {"id": "b", "label": "Tallinn"}],
            [{"id": "c", "kind": "contact", "label": "Send my number"}],
        ],
    )
    keyboard = frame(page).locator("#keyboard")
    expect(keyboard.get_by_role("button", name="Riga")).to_be_visible()
    frame(page).get_by_role("button", name="Close the chat").click()
    tell(product, "Are you there?")
    expect(page.get_by_role("button", name="Shop (1)")).to_be_visible()
    page.get_by_role("button", name="Shop (1)").click()
    expect(frame(page).get_by_text("Are you there?")).to_be_visible()
    expect(page.get_by_role("button", name="Shop", exact=True)).to_be_visible()
    keyboard.get_by_role("textbox", name="Your phone number").fill("+12025550125")
    keyboard.get_by_role("button", name="Send my number").click()
    expect(frame(page).locator(".mine .contact")).to_have_text("☎ +12025550125")
    expect(keyboard).to_be_hidden()


def test_without_the_live_feed_the_chat_goes_on_by_asking(shop: Served, product: Stage, new_page: Open, complaints: list[str]) -> None:
    page = new_page()
    open_chat(page)
    write(page, "before")
    expect(frame(page).locator(".theirs").first).to_be_visible()
    tell(product, "by the stream")
    expect(frame(page).get_by_text("by the stream")).to_be_visible()
    live = product.stack.processes["live"]
    live.kill()
    try:
        tell(product, "by asking")
        expect(frame(page).get_by_text("by asking")).to_be_visible()
        write(page, "still here")
        expect(frame(page).locator(".mine", has_text="still here").get_by_text("Received")).to_be_attached()
    finally:
        live.start()
    with page.expect_response(lambda answer: "/live/widget" in answer.url and answer.ok, timeout=90_000):
        pass
    tell(product, "by the stream again")
    expect(frame(page).get_by_text("by the stream again")).to_be_visible()
    assert all("ERR_" in text for text in complaints)
    complaints.clear()


def test_what_was_written_without_a_connection_is_sent_when_it_is_back(shop: Served, new_page: Open, complaints: list[str]) -> None:
    page = new_page()
    open_chat(page)
    page.context.set_offline(True)
    write(page, "from the tunnel")
    expect(frame(page).locator(".mine", has_text="from the tunnel").get_by_text("Sending")).to_be_attached()
    expect(frame(page).locator("#note")).to_have_text("No connection. Trying again…")
    page.context.set_offline(False)
    expect(frame(page).locator(".mine", has_text="from the tunnel").get_by_text("Received")).to_be_attached()
    assert frame(page).locator(".mine", has_text="from the tunnel").count() == 1
    assert all("ERR_INTERNET_DISCONNECTED" in text for text in complaints)
    complaints.clear()


def test_a_page_can_speak_to_the_chat(shop: Served, product: Stage, new_page: Open) -> None:
    page = new_page()
    page.add_init_script(
        "window.said = []; window.DialogBus = Object.assign((...call) => DialogBus.q.push(call), {q: []});"
        "DialogBus('on', 'open', () => said.push('open')); DialogBus('on', 'unread', (count) => said.push(count));",
    )
    page.goto(f"http://{SHOP}/")
    expect(page.get_by_role("button", name="Shop")).to_be_visible()
    identity = product.shell(
        "import json\nfrom apps.bots.models import Channel\nfrom apps.panel import demo_page\n"
        f"print(json.dumps(demo_page.signed_identity(Channel.objects.get(pk={product.demo['channel_id']}))))",
    )
    page.evaluate("identity => DialogBus('identify', identity)", identity)
    page.evaluate("DialogBus('open')")
    write(page, "I am Anna")
    expect(frame(page).locator(".mine", has_text="I am Anna").last.get_by_text("Received")).to_be_attached()
    assert page.evaluate("said").count("open") == 1
    page.evaluate("DialogBus('signOut')")
    expect(frame(page).locator(".message")).to_have_count(0)
    page.evaluate("DialogBus('close')")
    expect(page.locator("iframe")).to_be_hidden()


def test_who_becomes_known_while_the_chat_opens_is_known_in_it(shop: Served, product: Stage, new_page: Open) -> None:
    page = new_page()
    asked: list[object] = []

    def slow(route: Route) -> None:
        asked.append(json.loads(route.request.post_data or "")["identity"])
        if len(asked) == 1:
            page.evaluate("identity => DialogBus('identify', identity)", {"user_id": "late", "exp": 0, "hash": "wrong"})
        route.continue_()

    page.route("**/widget/v1/sessions", slow)
    open_chat(page)
    write(page, "menu")
    expect(frame(page).locator(".mine", has_text="menu").get_by_text("Received")).to_be_attached()
    assert asked == [None, {"user_id": "late", "exp": 0, "hash": "wrong"}]


def test_the_chat_can_fill_a_place_on_the_page(product: Stage, shop_pages: Served, key: str, new_page: Open) -> None:
    shop_pages.embed(product.base_url, key, target="#box", lang="ru")
    page = new_page()
    page.goto(f"http://{SHOP}/")
    expect(page.locator("#box iframe")).to_be_visible()
    expect(frame(page).get_by_role("textbox", name="Напишите сообщение…")).to_be_visible()
    expect(frame(page).get_by_role("button", name="Закрыть чат")).to_be_hidden()
    assert page.get_by_role("button").count() == 0


def test_the_page_speaks_russian(product: Stage, key: str, new_page: Open) -> None:
    page = new_page(locale="ru-RU")
    page.goto(f"{product.base_url}/widget/{key}")
    expect(page.get_by_role("textbox", name="Напишите сообщение…")).to_be_visible()


def test_the_chat_is_usable_by_keyboard_alone(product: Stage, key: str, new_page: Open) -> None:
    page = new_page()
    page.goto(f"{product.base_url}/widget/{key}")
    box = page.get_by_role("textbox", name="Write a message…")
    expect(page.locator("#note")).to_have_text("")
    box.focus()
    page.keyboard.type("menu")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("please")
    page.keyboard.press("Enter")
    expect(page.locator(".mine .text")).to_have_text("menu\nplease")
    expect(page.get_by_role("log")).to_contain_text("menu")
    assert page.evaluate("document.activeElement.id") == "text"


def test_a_message_is_shown_before_the_server_has_it(product: Stage, key: str, new_page: Open) -> None:
    page = new_page()
    page.goto(f"{product.base_url}/widget/{key}")
    expect(page.locator("#note")).to_have_text("")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/widget/v1/messages", hold)
    page.get_by_role("textbox", name="Write a message…").fill("quick")
    page.keyboard.press("Enter")
    page.get_by_role("textbox", name="Write a message…").press("Enter")
    expect(page.locator(".mine", has_text="quick").get_by_text("Sending")).to_be_attached()
    held[0].continue_()
    page.unroute("**/widget/v1/messages")
    expect(page.locator(".mine", has_text="quick").get_by_text("Received")).to_be_attached()
