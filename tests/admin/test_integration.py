"""Endpoints with their try-it, and access tokens whose clear text is shown once."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.bots.models import Bot
from apps.conversations.models import Message, Update
from apps.core.models import AuditEntry
from apps.events.models import Event
from apps.gateway import tokens
from apps.gateway.models import ApiToken, Endpoint
from tests.admin.conftest import act, change, listing, told
from tests.admin.world import World
from tests.making import make_bot
from tests.scenarios.definitions import thank_you
from tests.scenarios.making import make_scenario

pytestmark = pytest.mark.django_db
ADD = "/admin/gateway/endpoint/add/"
NEW_TOKEN = "/admin/gateway/apitoken/add/"


@pytest.fixture
def bot(db: None) -> Bot:
    return make_bot(name="Shop")


def form(bot: Bot, **fields: Any) -> dict[str, Any]:
    return {
        "bot": bot.pk, "alias": "order/thank-you", "name": "Order", "purpose": "", "owner": "", "direction": "inbound", "method": "POST", "url": "",
        "scenario": "", "entry": "", "request_schema": "", "request_example": "", "response_schema": "", "needs_recipient": "on", "is_active": "on",
        "signing_secret": "", **fields,
    }  # fmt: skip


def errors(response: Any) -> dict[str, list[str]]:
    return {name: [*found] for name, found in response.context["adminform"].form.errors.items()}


def test_an_endpoint_is_stored_as_it_was_typed(page: Client, bot: Bot) -> None:
    scenario = make_scenario(bot, thank_you())
    schema = {"type": "object", "required": ["amount"], "properties": {"amount": {"type": "number"}}}
    fields = {
        "scenario": scenario.pk,
        "alias": "/order/thank-you/",
        "request_schema": json.dumps(schema),
        "request_example": '{"userId": 125}',
    }
    assert page.post(ADD, form(bot, **fields)).status_code == 302
    endpoint = Endpoint.objects.get()
    assert (endpoint.alias, endpoint.scenario, endpoint.request_schema, endpoint.request_example) == (
        "order/thank-you",
        scenario,
        schema,
        {"userId": 125},
    )
    assert (endpoint.response_schema, endpoint.signing_secret) == ({}, "")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"alias": "заказ"}, "alias"),
        ({"alias": "a//b"}, "alias"),
        ({"alias": "a b"}, "alias"),
        ({"alias": "../x"}, None),
        ({"request_schema": '{"type": "nonsense"}'}, "request_schema"),
        ({"request_schema": '{"patternProperties": {}}'}, "request_schema"),
        ({"request_schema": "{"}, "request_schema"),
        ({"request_schema": "[]"}, None),
        ({"signing_secret": "short"}, "signing_secret"),
        ({"direction": "outbound", "method": "GET"}, "url"),
        ({"method": "GET"}, "method"),
    ],
)
def test_what_could_not_work_is_refused_at_its_field(page: Client, bot: Bot, fields: dict[str, str], field: str | None) -> None:
    response = page.post(ADD, form(bot, **fields))
    if field:
        assert list(errors(response)) == [field]
        assert Endpoint.objects.count() == 0
    else:
        assert response.status_code in (200, 302)


def test_a_scenario_of_another_bot_cannot_be_chosen(page: Client, bot: Bot) -> None:
    foreign = make_scenario(make_bot(), thank_you())
    assert errors(page.post(ADD, form(bot, scenario=foreign.pk))) == {"scenario": ["This scenario belongs to another bot."]}


def test_a_signing_secret_is_never_shown_and_kept_when_left_empty(page: Client, bot: Bot) -> None:
    page.post(ADD, form(bot, signing_secret="a very long secret"))
    endpoint = Endpoint.objects.get()
    assert "a very long secret" not in page.get(change(endpoint)).content.decode()
    page.post(change(endpoint), form(bot, name="Renamed"))
    endpoint.refresh_from_db()
    assert (endpoint.name, endpoint.signing_secret) == ("Renamed", "a very long secret")


def test_the_page_says_how_to_call_it(page: Client, shop: World) -> None:
    endpoint = shop.rows["gateway.Endpoint"]
    text = page.get(change(endpoint)).content.decode()
    assert f"http://testserver/bots/{shop.bot.pk}/call/order/thank-you" in text
    assert "Authorization: Bearer dbt_…" in text
    assert f"/docs/{shop.bot.pk}" in text


# --- try it -----------------------------------------------------------------------------------------------------------------


def try_it(page: Client, endpoint: Any, params: Any) -> Any:
    text = params if isinstance(params, str) else json.dumps(params)
    return page.post(f"/admin/gateway/endpoint/{endpoint.pk}/try/", {"params": text})


def test_a_dry_run_shows_what_would_be_said_and_changes_nothing(page: Client, shop: World) -> None:
    before = (Message.objects.count(), Update.objects.count(), Event.objects.count())
    response = try_it(page, shop.rows["gateway.Endpoint"], {"userId": 125, "amount": 3500})
    assert response.context["found"]["status"] == 200
    assert "Thank you, Anna of Shop! Amount 3500" in response.content.decode()
    assert (Message.objects.count(), Update.objects.count(), Event.objects.count()) == before


@pytest.mark.parametrize(("params", "status"), [({"amount": 1}, 400), ({"userId": 999}, 400), ({"userId": {}}, 400)])
def test_a_dry_run_answers_as_the_call_would(page: Client, shop: World, params: Any, status: int) -> None:
    found = try_it(page, shop.rows["gateway.Endpoint"], params).context["found"]
    assert (found["status"], found["good"]) == (status, False)


def test_parameters_that_cannot_be_read_stay_in_the_form(page: Client, shop: World) -> None:
    response = try_it(page, shop.rows["gateway.Endpoint"], '{"userId": ')
    assert response.context["found"] is None
    assert response.context["form"]["params"].value() == '{"userId": '


def test_trying_wants_the_right_to_edit(signed_in: Callable[..., Client], shop: World, bank: World) -> None:
    endpoint = shop.rows["gateway.Endpoint"]
    assert try_it(signed_in("communications_manager"), endpoint, {}).status_code == 403
    assert try_it(signed_in("integrator", bots=[bank.bot]), endpoint, {}).status_code == 404


# --- tokens -----------------------------------------------------------------------------------------------------------------


def token_form(**fields: Any) -> dict[str, Any]:
    return {
        "name": "CRM",
        "source_system": "crm",
        "all_bots": "on",
        "all_aliases": "on",
        "aliases": "",
        "calls_per_minute": "",
        "is_active": "on",
        **fields,
    }


def test_a_token_is_shown_once_and_works(page: Client, bot: Bot) -> None:
    response = page.post(NEW_TOKEN, token_form())
    clear, token = response.context["clear"], ApiToken.objects.get()
    assert clear in response.content.decode()
    assert "no-store" in response["Cache-Control"]
    assert tokens.recognise(clear, at=timezone.now()) is not None
    assert (str(token.created_by), token.all_bots, token.all_aliases) == ("owner", True, True)
    pages = [
        page.get(address).content.decode()
        for address in (change(token), listing("gateway.ApiToken"), f"/admin/gateway/apitoken/{token.pk}/history/")
    ]
    assert not any(clear in text or token.digest in text for text in pages)


def test_a_token_holds_the_rights_that_were_typed(page: Client, bot: Bot) -> None:
    page.post(
        NEW_TOKEN,
        token_form(
            all_bots="", bots=[bot.pk], all_aliases="", aliases="order/*\n/users/connect-bot", dry_run_only="on", calls_per_minute="60"
        ),
    )
    token = ApiToken.objects.get()
    assert ([*token.bots.all()], token.aliases, token.dry_run_only, token.calls_per_minute) == (
        [bot],
        ["order/*", "users/connect-bot"],
        True,
        60,
    )


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"all_bots": ""}, "bots"),
        ({"all_aliases": ""}, "aliases"),
        ({"aliases": "a b"}, "aliases"),
        ({"expires_at_0": "2020-01-01", "expires_at_1": "10:00"}, "expires_at"),
    ],
)
def test_a_token_without_sense_is_not_issued(page: Client, fields: dict[str, str], field: str) -> None:
    response = page.post(NEW_TOKEN, token_form(**fields))
    assert list(response.context["form"].errors) == [field]
    assert ApiToken.objects.count() == 0


def test_a_token_is_rotated_and_revoked(page: Client) -> None:
    token, old = tokens.issue(name="CRM")
    response = page.post(act(token, "rotate"))
    new = response.context["clear"]
    assert all(tokens.recognise(clear, at=timezone.now()) for clear in (old, new))
    assert told(page.post(act(token, "rotate"), follow=True))[-1].startswith("This token has been replaced already")
    page.post(act(token, "revoke"))
    assert not ApiToken.objects.get(pk=token.pk).is_active
    actions = AuditEntry.objects.filter(action__startswith="gateway.").order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["gateway.apitoken.rotate", "gateway.apitoken.revoke"]


def test_a_token_is_issued_by_those_alone_who_may_change_the_whole_installation(signed_in: Callable[..., Client], bot: Bot) -> None:
    assert signed_in("integrator", bots=[bot]).post(NEW_TOKEN, token_form()).status_code == 403
    assert signed_in("communications_manager").post(NEW_TOKEN, token_form()).status_code == 403
    assert signed_in("integrator").post(NEW_TOKEN, token_form()).status_code == 200
    assert ApiToken.objects.count() == 1


def test_a_changed_token_keeps_its_secret(page: Client, bot: Bot) -> None:
    token, clear = tokens.issue(name="CRM")
    page.post(change(token), token_form(name="CRM of the shop", expires_at_0="", expires_at_1=""))
    assert ApiToken.objects.get().name == "CRM of the shop"
    assert tokens.recognise(clear, at=timezone.now()) is not None


def test_where_there_is_one_bot_it_is_chosen(page: Client, signed_in: Callable[..., Client], shop: World) -> None:
    def chosen(browser: Client) -> object:
        return browser.get("/admin/gateway/endpoint/add/").context["adminform"].form["bot"].value()

    assert chosen(page) == shop.bot.pk
    Bot.objects.create(name="Second")
    assert chosen(page) is None
    assert chosen(signed_in("integrator", bots=[shop.bot])) == shop.bot.pk
