"""A system's page showed Telegram's login, and the system tells us which of its users that was (product row ID-5)."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from apps.bots.models import Bot, Channel
from apps.gateway import reaching
from apps.gateway.answers import Answer, Json, RefusedError, success
from apps.gateway.noting import Attempt
from apps.identity import linking, proofs, resolving, telegram_login
from apps.identity.models import Lead
from apps.identity.telegram_login import LoginRefusedError, TelegramUser

KIND = "telegram"


def connect(attempt: Attempt, bot: Bot, params: Json, *, user_id: str) -> Answer:
    """Link the chat with the account that logged in to the user. The statement is Telegram's, fresh, and works once."""
    attempt.params = {
        name: value for name, value in params.items() if name not in {"login", "init_data"}
    }  # a statement still unused is no one's to read
    channel, user, told = _verified(bot, params)
    if attempt.dry_run:
        return success("Dry run", dry_run=True, would={"link": {"channel": KIND, "chatId": user.id, "userId": user_id}})
    with transaction.atomic():
        if not telegram_login.use_once(told):
            raise _wrong("This login has been used already. Sign in again.")
        lead = resolving.leads_of({0: (channel, user.id)}, profiles={0: {"name": user.name, "username": user.username}})[0]
        attempt.leads = [lead]
        _link(attempt, lead, user_id=user_id)
    return success("Connected", data=linking.mapping_row(lead, system=reaching.system_of(attempt)))


def _link(attempt: Attempt, lead: Lead, *, user_id: str) -> None:
    system = reaching.system_of(attempt)
    proof = proofs.by_telegram_login(lead, telegram_id=lead.chat_id, system=system, external_id=user_id)
    result = linking.link(lead, system=system, external_id=user_id, proof=proof)
    if not result.linked:
        raise RefusedError("already_linked", result.reason)


def _verified(bot: Bot, params: Json) -> tuple[Channel, TelegramUser, Mapping[str, Any]]:
    """The channel whose bot the person logged in with, who that is, and the fields that were signed."""
    login, init_data = params.get("login"), params.get("init_data")
    if not (login or init_data):
        raise _wrong("Send the fields of the Login Widget as login, or a Mini App's initData as init_data.")
    refusal = LoginRefusedError("The bot has no active Telegram channel.")
    for channel in Channel.objects.select_related("bot").filter(bot=bot, kind=KIND, is_active=True).order_by("pk"):
        token = str(channel.secrets.get("token", ""))
        try:
            user = (
                telegram_login.verify(login, bot_token=token) if login else telegram_login.verify_mini_app(str(init_data), bot_token=token)
            )
        except LoginRefusedError as error:
            refusal = error
        else:
            return channel, user, login or telegram_login.fields_of(str(init_data))
    raise _wrong(str(refusal))


def _wrong(message: str) -> RefusedError:
    return RefusedError("bad_request", errors=[{"field": "login", "message": message}])
