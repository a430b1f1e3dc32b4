"""Methods about the bot itself and about chats."""

import re
from typing import Any
from urllib.parse import urlsplit

from tools.emulators.telegram.calls import Call
from tools.emulators.telegram.posting import reached_chat
from tools.emulators.telegram.refusals import bad_request
from tools.emulators.telegram.state import DEFAULT_UPDATES, Bot, World

SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
PORTS = {443, 80, 88, 8443}
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def get_me(_world: World, bot: Bot, _call: Call) -> Any:
    flags = {
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }
    return bot.json | flags


def set_webhook(_world: World, bot: Bot, call: Call) -> Any:
    """Telegram's rules for addresses, except that a loopback address may be plain http on any port."""
    url = call.text("url")
    if not url:
        return delete_webhook(_world, bot, call)
    check_address(url)
    secret = call.text("secret_token")
    if secret and not SECRET.fullmatch(secret):
        raise bad_request("secret token contains unallowed characters")
    connections = call.integer("max_connections", 40)
    if not 1 <= connections <= 100:  # noqa: PLR2004
        raise bad_request("max_connections must be between 1 and 100")
    allow_updates(bot, call)
    if call.flag("drop_pending_updates"):
        bot.updates.clear()
    bot.webhook.url, bot.webhook.secret, bot.webhook.max_connections = url, secret, connections
    bot.webhook.last_error_date, bot.webhook.last_error_message = 0, ""
    return True


def check_address(url: str) -> None:
    """Refuse what Telegram refuses as the address of a webhook."""
    parts = urlsplit(url)
    if parts.hostname in LOOPBACK and parts.scheme in {"http", "https"}:
        return
    if parts.scheme != "https":
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    if (parts.port or 443) not in PORTS:
        raise bad_request("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")


def allow_updates(bot: Bot, call: Call) -> None:
    """Remember `allowed_updates`; an absent list changes nothing, an empty one means the default."""
    allowed = call.tree("allowed_updates")
    if allowed is not None:
        bot.allowed = frozenset(allowed) or DEFAULT_UPDATES


def delete_webhook(_world: World, bot: Bot, call: Call) -> Any:
    bot.webhook.url = bot.webhook.secret = ""
    if call.flag("drop_pending_updates"):
        bot.updates.clear()
    return True


def get_webhook_info(_world: World, bot: Bot, _call: Call) -> Any:
    hook = bot.webhook
    info: dict[str, Any] = {
        "url": hook.url,
        "has_custom_certificate": False,
        "pending_update_count": len(bot.updates),
        "max_connections": hook.max_connections,
        "allowed_updates": sorted(bot.allowed),
    }
    if hook.last_error_date:
        info |= {"last_error_date": hook.last_error_date, "last_error_message": hook.last_error_message}
    return info


def get_chat(world: World, bot: Bot, call: Call) -> Any:
    """With the fields that clients require."""
    return reached_chat(world, bot, call).json | {
        "accent_color_id": 0,
        "max_reaction_count": 11,
        "accepted_gift_types": {
            "unlimited_gifts": False,
            "limited_gifts": False,
            "unique_gifts": False,
            "premium_subscription": False,
            "gifts_from_channels": False,
        },
    }


def get_user_profile_photos(world: World, _bot: Bot, call: Call) -> Any:
    """The photo that was stored under `avatar-<user id>`, if any."""
    name = f"avatar-{call.integer('user_id')}"
    stored = next((file for file in world.files.values() if file.name == name), None)
    sizes = [[{"file_id": stored.file_id, "file_unique_id": stored.unique_id, "width": 160, "height": 160}]] if stored else []
    return {"total_count": len(sizes), "photos": sizes}


def done(_world: World, _bot: Bot, _call: Call) -> Any:
    """Methods whose effect nobody can see here."""
    return True


METHODS = {
    "getMe": get_me,
    "setWebhook": set_webhook,
    "deleteWebhook": delete_webhook,
    "getWebhookInfo": get_webhook_info,
    "getChat": get_chat,
    "getUserProfilePhotos": get_user_profile_photos,
    "setMyCommands": done,
    "deleteMyCommands": done,
    "logOut": done,
    "close": done,
}
