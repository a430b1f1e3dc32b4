"""What Telegram accepts under a message."""

from typing import Any
from urllib.parse import urlsplit

from tools.emulators.telegram.refusals import bad_request

CALLBACK_BYTES = 64
INLINE_BUTTONS = 100
ROW_BUTTONS = 8
INLINE_ACTIONS = (
    "callback_data",
    "url",
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "copy_text",
    "pay",
)


def check_markup(markup: Any, *, private: bool) -> None:
    """Refuse a `reply_markup` that the real server refuses."""
    if markup is None:
        return
    if not isinstance(markup, dict):
        raise bad_request("object expected as reply markup")
    if "inline_keyboard" in markup:
        check_inline(markup["inline_keyboard"])
    elif "keyboard" in markup:
        check_reply(markup["keyboard"], private=private)
    elif not markup.get("remove_keyboard") and not markup.get("force_reply"):
        raise bad_request("unsupported reply markup")


def check_inline(rows: list[list[dict[str, Any]]]) -> None:
    """Rules of inline keyboards; the counts are observed, not documented."""
    if sum(len(row) for row in rows) > INLINE_BUTTONS:
        raise bad_request("reply markup is too long")
    for row in rows:
        if len(row) > ROW_BUTTONS:
            raise bad_request("reply markup has too long row")
        for button in row:
            check_inline_button(button)


def check_inline_button(button: dict[str, Any]) -> None:
    """Exactly one action, a text, callback data of 1-64 bytes and a usable address."""
    actions = [name for name in INLINE_ACTIONS if name in button]
    if not button.get("text"):
        raise bad_request("can't parse inline keyboard button: text must be non-empty")
    if len(actions) != 1:
        raise bad_request("can't parse inline keyboard button: exactly one action is needed")
    if "callback_data" in button and not 1 <= len(str(button["callback_data"]).encode()) <= CALLBACK_BYTES:
        raise bad_request("BUTTON_DATA_INVALID")
    if "url" in button and not usable_url(button["url"]):
        raise bad_request(f"inline keyboard button URL '{button['url']}' is invalid: wrong HTTP URL")


def usable_url(url: str) -> bool:
    """Telegram takes http(s) with a host that has a dot, and its own scheme."""
    parts = urlsplit(url)
    return parts.scheme == "tg" or (parts.scheme in {"http", "https"} and "." in (parts.hostname or ""))


def check_reply(rows: list[list[Any]], *, private: bool) -> None:
    """Rules of reply keyboards."""
    for row in rows:
        for button in row:
            shape = {"text": button} if isinstance(button, str) else button
            if not shape.get("text"):
                raise bad_request("can't parse keyboard button: text must be non-empty")
            if shape.get("request_contact") and not private:
                raise bad_request("phone number can be requested in private chats only")
            if shape.get("request_location") and not private:
                raise bad_request("location can be requested in private chats only")
