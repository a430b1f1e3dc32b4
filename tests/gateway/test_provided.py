"""The endpoints that every bot has: users/connect-link and users/connect-bot."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.bots.models import Channel
from apps.gateway import tokens
from apps.gateway.models import Endpoint
from apps.identity import linking
from apps.identity.models import ConnectLink
from tests.gateway.asserting import refused, sent
from tests.gateway.making import Shop, end, endpoint_of, message
from tests.making import make_lead

pytestmark = pytest.mark.django_db


@pytest.fixture
def known_shop(shop: Shop) -> Shop:
    Channel.objects.filter(pk=shop.channel.pk).update(account={"name": "Shop", "username": "shop_bot"})
    return shop


def link(shop: Shop, body: dict[str, Any], **options: Any) -> Any:
    return shop.call(body, alias="users/connect-link", **options)


@pytest.mark.parametrize("body", [{"userId": 777, "channel": "telegram", "ttl": 300}, {"user_id": "777", "ttl": 300}])
def test_a_link_connects_the_chat_in_which_it_is_opened(known_shop: Shop, body: dict[str, Any]) -> None:
    answer = link(known_shop, body)
    data = answer.json()["data"]
    assert (answer.status_code, answer.json()["success"], answer.json()["message"]) == (200, True, "Link made")
    assert data["url"] == f"https://t.me/shop_bot?start={data['token']}"
    assert data["app_url"] == f"tg://resolve?domain=shop_bot&start={data['token']}"
    assert data["channel"] == "telegram"
    assert abs(datetime.fromisoformat(data["expires_at"]) - timezone.now() - timedelta(seconds=300)) < timedelta(seconds=10)
    stranger = make_lead(known_shop.channel)
    assert linking.redeem(data["token"], stranger).linked
    known = known_shop.call({"userId": 777}, alias="users/connect-bot").json()
    assert known["data"]["leadId"] == stranger.code


def test_a_dry_run_makes_no_link(known_shop: Shop) -> None:
    answer = link(known_shop, {"userId": 777}, query="?dry_run=1")
    assert answer.json()["would"] == {"link": {"channel": "telegram", "userId": 777}}
    assert ConnectLink.objects.count() == 0


@pytest.mark.parametrize("body", [{}, {"userId": None}, {"userId": []}, {"userId": [1, 2]}])
def test_a_link_is_for_one_user(known_shop: Shop, body: dict[str, Any]) -> None:
    answer = link(known_shop, body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "userId")


@pytest.mark.parametrize(("name", "value"), [("ttl", 0), ("ttl", "soon"), ("channel", 5), ("userId", True)])
def test_parameters_that_do_not_fit(known_shop: Shop, name: str, value: object) -> None:
    answer = link(known_shop, {"userId": 777, name: value})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, name)


def test_a_channel_that_the_bot_does_not_have(known_shop: Shop) -> None:
    errors = [{"field": "channel", "message": "The bot has no active channel of the type 'viber'."}]
    refused(link(known_shop, {"userId": 777, "channel": "viber"}), 400, "bad_request", "The request is not valid", errors=errors)
    Channel.objects.update(is_active=False)
    errors = [{"field": "channel", "message": "The bot has no active channel whose messenger has links."}]
    refused(link(known_shop, {"userId": 777}), 400, "bad_request", "The request is not valid", errors=errors)


def test_scope_and_method_are_checked(known_shop: Shop) -> None:
    _row, clear = tokens.issue(name="orders", bots=[known_shop.bot], aliases=["order/*"])
    refused(link(known_shop, {"userId": 777}, token=clear), 403, "not_allowed", "This token may not call this endpoint")
    _row, clear = tokens.issue(name="users", bots=[known_shop.bot], aliases=["users/*"])
    assert link(known_shop, {"userId": 777}, token=clear).status_code == 200


def test_connect_bot_tells_whether_a_user_is_connected(shop: Shop) -> None:
    answer = shop.call({"userId": 125}, alias="users/connect-bot")
    assert (answer.status_code, answer.json()["message"]) == (200, "Connected")
    assert (answer.json()["data"]["userId"], answer.json()["data"]["leadId"]) == (125, shop.lead.code)
    advice = (
        f"no chat is connected to this user. Make a link with POST /bots/{shop.bot.pk}/call/users/connect-link and give it to the person."
    )
    errors = [{"field": "userId", "value": "7", "message": advice}]
    answer = shop.call({"userId": 7}, alias="users/connect-bot")
    refused(answer, 400, "recipient_not_found", "Recipient not found", missing=[{"userId": "7"}], errors=errors)


def test_an_endpoint_of_the_bots_own_goes_before(shop: Shop) -> None:
    endpoint_of(shop, message("Welcome, {{ user_name }}!"), end(), alias="users/connect-bot")
    sent(shop.call({"userId": 125}, alias="users/connect-bot"))
    Endpoint.objects.filter(alias="users/connect-bot").update(is_active=False)
    refused(shop.call({"userId": 125}, alias="users/connect-bot"), 404, "endpoint_not_found", "Endpoint not found")
