"""From an address to the integration point behind it, and whether this caller may use it."""

from apps.bots.models import Bot
from apps.gateway import provided
from apps.gateway.answers import RefusedError
from apps.gateway.models import Endpoint
from apps.gateway.remembering import Remembered
from apps.gateway.tokens import Caller

MAX_ALIAS = 200
_MAX_ID = 2**63 - 1
_endpoints: Remembered[tuple[int, str], Endpoint] = Remembered()
_bots: Remembered[int, Bot] = Remembered()


def find(bot_id: str, alias: str, caller: Caller) -> Endpoint:
    """The active inbound endpoint of an active bot that this token knows; else the same `RefusedError` for whatever is missing, so that a
    foreign bot cannot be told from one that does not exist. One of the product's own (`provided`) when the bot has none of this alias.
    """
    bot = find_bot(bot_id, caller)
    alias = alias.strip("/")
    if not bot.is_active or not alias or len(alias) > MAX_ALIAS or "\x00" in alias:
        raise RefusedError("endpoint_not_found")
    endpoint = _endpoints.get((bot.pk, alias), lambda: _load(bot.pk, alias)) or provided.endpoint(bot, alias)
    if endpoint is None or not endpoint.is_active or endpoint.direction == Endpoint.Direction.OUTBOUND:
        raise RefusedError("endpoint_not_found")
    return endpoint


def find_bot(bot_id: str, caller: Caller, *, code: str = "endpoint_not_found") -> Bot:
    """The bot with this id if the token may use it; raises `RefusedError` with `code`."""
    number = int(bot_id) if bot_id.isascii() and bot_id.isdecimal() and len(bot_id) < 20 else 0  # noqa: PLR2004  digits of 2**63
    bot = _bots.get(number, lambda: Bot.objects.filter(pk=number).first()) if 0 < number <= _MAX_ID and caller.may_use(number) else None
    if bot is None:
        raise RefusedError(code)
    return bot


def internal(bot: Bot, scope: str) -> Endpoint:
    """Stands for a service of ours that has no alias of its own, so that tokens are restricted by the same rules: `scope` is what a restricted
    token must name.
    """
    return Endpoint(bot=bot, alias=scope)


def check_scope(endpoint: Endpoint, caller: Caller, *, dry_run: bool) -> None:
    """Raises `RefusedError` when the endpoint exists but is not for this token."""
    if not caller.may_call(endpoint.alias, isolated=endpoint.own_key):
        raise RefusedError("not_allowed")
    if caller.dry_run_only and not dry_run:
        raise RefusedError("dry_run_only")


def check_published(endpoint: Endpoint) -> None:
    """Raises `RefusedError` unless a call could start something."""
    scenario = endpoint.scenario
    if scenario is None:
        raise RefusedError("not_published", "The endpoint has no published scenario. Choose a scenario for it in the admin.")
    if scenario.published_id is None:
        raise RefusedError("not_published", "The endpoint has no published scenario. Publish its scenario in the admin.")
    if not scenario.is_active:
        raise RefusedError("not_published", "The endpoint's scenario is switched off. Switch it on in the admin.")


def _load(bot_id: int, alias: str) -> Endpoint | None:
    return Endpoint.objects.select_related("bot", "scenario").filter(bot_id=bot_id, alias=alias).first()
