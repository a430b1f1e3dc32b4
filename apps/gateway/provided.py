"""Endpoints that every bot has: how a system connects its users (channels.md 13). A bot's own endpoint of the same alias goes before."""

from collections.abc import Mapping
from datetime import UTC

from apps.bots.models import Bot, Channel
from apps.gateway import reaching, telegram_login
from apps.gateway.addressing import Wanted
from apps.gateway.addressing import wanted as wanted_in
from apps.gateway.answers import Answer, Json, RefusedError, success
from apps.gateway.models import Endpoint
from apps.gateway.noting import Attempt
from apps.identity import linking

CONNECT_LINK = "users/connect-link"
CONNECT_BOT = "users/connect-bot"
TELEGRAM_LOGIN = "users/telegram-login"
_USER = {"type": ["integer", "string"], "description": "The user's id in the calling system."}
_SCHEMAS: Mapping[str, tuple[str, Json, Json]] = {
    CONNECT_LINK: (
        "Make a one-time link that connects a chat to a user",
        {
            "type": "object",
            "properties": {
                "userId": _USER,
                "channel": {"type": "string", "description": "Type of the channel, e.g. telegram; the first one with links when absent."},
                "ttl": {
                    "type": "number",
                    "exclusiveMinimum": 0,
                    "description": "Seconds for which the link works; the installation limits it.",
                },
            },
        },
        {"userId": 125, "channel": "telegram", "ttl": 600},
    ),
    CONNECT_BOT: (
        "Ask whether a chat is connected to a user",
        {"type": "object", "properties": {"userId": _USER}},
        {"userId": 125},
    ),
    TELEGRAM_LOGIN: (
        "Connect the Telegram account that a user has logged in with",
        {
            "type": "object",
            "properties": {
                "userId": _USER,
                "login": {"type": "object", "description": "The fields of Telegram's Login Widget as they came, hash included."},
                "init_data": {"type": "string", "description": "Instead of login: a Mini App's initData."},
            },
        },
        {"userId": 125, "login": {"id": 540278913, "first_name": "Anna", "auth_date": 1767225600, "hash": "…"}},
    ),
}


def endpoint(bot: Bot, alias: str) -> Endpoint | None:
    """The product's own endpoint with this alias, as a record that is in no table."""
    known = _SCHEMAS.get(alias)
    if known is None:
        return None
    purpose, schema, example = known
    return Endpoint(bot=bot, alias=alias, name=purpose, purpose=purpose, request_schema=schema, request_example=example)


def endpoints(bot: Bot) -> list[Endpoint]:
    return [made for alias in _SCHEMAS if (made := endpoint(bot, alias))]


def has(endpoint: Endpoint) -> bool:
    """Whether this endpoint is one of the product's own."""
    return not endpoint.pk


def answer(attempt: Attempt, endpoint: Endpoint, params: Json) -> Answer:
    """Do what the endpoint is for; the recipient is one user id."""
    wanted = wanted_in({name: params.get(name) for name in ("userId", "user_id")})
    if wanted is None or len(wanted.values) != 1:
        raise RefusedError("bad_request", errors=[{"field": "userId", "message": "must be one user id"}])
    if endpoint.alias == CONNECT_LINK:
        return _connect_link(attempt, endpoint.bot, params, wanted)
    if endpoint.alias == TELEGRAM_LOGIN:
        return telegram_login.connect(attempt, endpoint.bot, params, user_id=wanted.values[0])
    return _connected(attempt, endpoint.bot, wanted)


def _connect_link(attempt: Attempt, bot: Bot, params: Json, wanted: Wanted) -> Answer:
    channel = _channel(bot, str(params.get("channel") or ""))
    if attempt.dry_run:
        return success(
            "Dry run", dry_run=True, would={"link": {"channel": channel.kind, "userId": params.get("userId", params.get("user_id"))}}
        )
    ttl = {"ttl": float(params["ttl"])} if params.get("ttl") else {}
    made = linking.make_link(bot, channel, system=reaching.system_of(attempt), external_id=wanted.values[0], **ttl)
    expires = made.expires_at.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
    return success(
        "Link made", data={"url": made.url, "app_url": made.app_url, "token": made.token, "channel": channel.kind, "expires_at": expires}
    )


def _connected(attempt: Attempt, bot: Bot, wanted: Wanted) -> Answer:
    reached = reaching.reach(attempt, bot, wanted)
    row = linking.mapping_row(reached.leads[0], system=reaching.system_of(attempt))
    rehearsed: Json = {"dry_run": True, "would": {}} if attempt.dry_run else {}
    return success("Connected", data=row, **rehearsed)


def _channel(bot: Bot, kind: str) -> Channel:
    """The channel to connect in: the first active one of this type, or of any type whose messenger has links."""
    rows = Channel.objects.select_related("bot").filter(bot=bot, is_active=True).order_by("pk")
    usable = [row for row in rows if (row.kind == kind if kind else row.adapter.deep_link(row.connected_account, "x"))]
    if not usable:
        message = (
            f"The bot has no active channel of the type {kind!r}." if kind else "The bot has no active channel whose messenger has links."
        )
        raise RefusedError("bad_request", errors=[{"field": "channel", "message": message[:200]}])
    return usable[0]
