"""OpenAPI of a bot and of the platform: who may see it, what it says, and that a generated client works against the server."""

import importlib
import json
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import Client
from jsonschema import Draft202012Validator
from pytest_django.live_server_helper import LiveServer

from apps.accounts.models import Role, RoleAssignment, User
from apps.accounts.rights import DELIVERED
from apps.gateway import openapi, tokens
from apps.gateway.models import Endpoint
from tests.gateway.asserting import refused
from tests.gateway.making import Shop, end, endpoint_of, make_shop, message, question, respond

ORDER_SCHEMA = {
    "type": "object",
    "required": ["userId", "order"],
    "properties": {"userId": {"type": "integer"}, "order": {"$ref": "#/$defs/order"}},
    "$defs": {"order": {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}, "amount": {"type": "number"}}}},
}

PEOPLE = ("connect-link", "connect-bot", "telegram-login")  # the calls about people that every bot has


def staff(role: str = "integrator", **assignment: Any) -> Client:
    known, _made = Role.objects.get_or_create(key=role, defaults=DELIVERED[role])
    user = User.objects.create_user("irina", password="x")
    RoleAssignment.objects.create(user=user, role=known, **{"all_bots": True, **assignment})
    client = Client()
    client.force_login(user)
    return client


# --- who may see it --------------------------------------------------------------------------------------------------


def test_a_stranger_is_asked_to_sign_in_and_a_program_is_refused(shop: Shop) -> None:
    page = Client().get(f"/docs/{shop.bot.pk}")
    assert (page.status_code, page.headers["Location"]) == (302, f"/admin/login/?next=/docs/{shop.bot.pk}")
    refused(Client().get(f"/docs/{shop.bot.pk}/openapi.json"), 401, "invalid_token", "Invalid token")
    assert Client().get("/api/docs/").status_code == 302
    assert Client().get("/api/schema/").status_code == 403


def test_staff_see_the_bots_of_their_role(shop: Shop) -> None:
    other = make_shop()
    client = staff(all_bots=False, bot_ids=[shop.bot.pk])
    assert client.get(f"/docs/{shop.bot.pk}").status_code == 200
    assert client.get(f"/docs/{shop.bot.pk}/openapi.json").status_code == 200
    assert client.get(f"/docs/{other.bot.pk}").status_code == 404
    assert client.get("/docs/999999").status_code == 404


def test_staff_without_the_right_see_nothing(shop: Shop) -> None:
    client = staff("operator")
    assert client.get(f"/docs/{shop.bot.pk}").status_code == 404
    refused(client.get(f"/docs/{shop.bot.pk}/openapi.json"), 404, "not_found", "Not found")


def test_a_token_sees_its_bot_and_the_endpoints_that_it_may_call(shop: Shop) -> None:
    endpoint_of(shop, message("x"), end(), alias="payment/done")
    _row, clear = tokens.issue(name="orders", bots=[shop.bot], aliases=["order/*"])
    given = {"Authorization": f"Bearer {clear}"}
    assert list(Client().get(f"/docs/{shop.bot.pk}/openapi.json", headers=given).json()["paths"]) == [
        f"/bots/{shop.bot.pk}/call/order/thank-you"
    ]
    page = Client().get(f"/docs/{shop.bot.pk}?token={clear}")
    assert page.status_code == 200
    assert f'data-url="/docs/{shop.bot.pk}/openapi.json" data-token="{clear}"' in page.content.decode()
    other = make_shop()
    assert Client().get(f"/docs/{other.bot.pk}/openapi.json", headers=given).status_code == 404


# --- the page --------------------------------------------------------------------------------------------------------


def test_the_page_needs_no_inline_script_and_nothing_from_outside(shop: Shop) -> None:
    page = staff().get(f"/docs/{shop.bot.pk}/").content.decode()
    assert not re.findall(r"<script(?![^>]*\bsrc=)", page)
    assert not re.findall(r"\bon\w+=", page)
    assert not re.findall(r"(?:src|href)=\"(?:https?:)?//", page)
    for address in re.findall(r"/static/([^\"]+)", page):
        assert finders.find(address), address


def test_the_policy_of_the_page_allows_only_our_own_scripts(shop: Shop) -> None:
    policy = staff().get(f"/docs/{shop.bot.pk}").headers["Content-Security-Policy"]
    scripts = next(part for part in policy.split(";") if part.strip().startswith("script-src"))
    assert "'self'" in scripts
    assert "'unsafe-inline'" not in scripts


# --- what it says ----------------------------------------------------------------------------------------------------


def test_every_endpoint_is_described_with_its_schemas(shop: Shop) -> None:
    shop.endpoint.request_schema, shop.endpoint.request_example = ORDER_SCHEMA, {"userId": 125, "order": {"id": 9821}}
    shop.endpoint.response_schema = {"type": "object", "properties": {"total": {"type": "number"}}}
    shop.endpoint.purpose, shop.endpoint.owner = "Thank for an order.", "ecommerce-team"
    shop.endpoint.save()
    document = openapi.document(shop.bot, origin="http://127.0.0.1:8000")
    path = f"/bots/{shop.bot.pk}/call/order/thank-you"
    assert list(document["paths"]) == [path, *(f"/bots/{shop.bot.pk}/call/users/{what}" for what in PEOPLE)]
    operation = document["paths"][path]["post"]
    assert operation["operationId"] == "order_thank_you"
    assert operation["description"] == "Thank for an order.\n\nOwner: ecommerce-team"
    assert operation["requestBody"]["content"]["application/json"]["example"] == {"userId": 125, "order": {"id": 9821}}
    assert sorted(operation["responses"]) == ["200", "202", "400", "401", "403", "404", "405", "409", "413", "415", "429", "500", "503"]
    schemas = document["components"]["schemas"]
    assert schemas["OrderThankYouRequest"]["properties"]["order"] == {"$ref": "#/components/schemas/OrderThankYouRequestOrder"}
    assert schemas["OrderThankYouRequestOrder"]["required"] == ["id"]
    assert schemas["OrderThankYouAnswer"]["properties"]["data"] == {"type": "object", "properties": {"total": {"type": "number"}}}
    assert [parameter["name"] for parameter in document["components"]["parameters"].values()] == ["X-Dry-Run", "Idempotency-Key", "Prefer"]


def test_outbound_points_signatures_and_odd_aliases(shop: Shop) -> None:
    endpoint_of(shop, message("x"), end(), alias="order.thank_you", signing_secret="sesame", own_key=True)
    endpoint_of(shop, message("x"), end(), alias="заказ/{новый}")
    Endpoint.objects.create(
        bot=shop.bot, alias="crm/order-update", direction="outbound", method="PUT", url="https://crm.example.com/api/order"
    )
    Endpoint.objects.create(bot=shop.bot, alias="off", is_active=False)
    document = openapi.document(shop.bot, origin="http://127.0.0.1:8000")
    names = [operation["post"]["operationId"] for operation in document["paths"].values()]
    assert len(set(names)) == len(names) == 3 + len(PEOPLE)
    assert "%7B" in next(path for path in document["paths"] if "%D0" in path)
    signed = document["paths"][f"/bots/{shop.bot.pk}/call/order.thank_you"]["post"]
    assert [parameter.get("name") for parameter in signed["parameters"]][3:] == ["webhook-id", "webhook-timestamp", "webhook-signature"]
    assert "isolated" in signed["description"]
    assert document["webhooks"]["crm/order-update"]["put"]["description"] == "Scenarios call PUT https://crm.example.com/api/order"
    assert "off" not in json.dumps(document["paths"])


def test_every_reference_of_the_document_leads_somewhere_and_every_schema_is_one(shop: Shop) -> None:
    shop.endpoint.request_schema = ORDER_SCHEMA
    shop.endpoint.save()
    document = openapi.document(shop.bot, origin="http://127.0.0.1:8000")
    references = set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document)))
    assert references
    for reference in references:
        place: Any = document
        for part in reference.split("/"):
            place = place[part]
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_the_answers_of_the_server_fit_the_description(shop: Shop) -> None:
    document = openapi.document(shop.bot, origin="http://127.0.0.1:8000")
    schemas = document["components"]["schemas"]
    for answer in (shop.call(), shop.call({"userIds": [125, 9]}), shop.call(query="?dry_run=1")):
        Draft202012Validator(schemas["OrderThankYouAnswer"]).validate(answer.json())
    for answer in (shop.call(token="x"), shop.call({}), shop.call({"user_id": 9}), shop.call(b"x")):
        Draft202012Validator(schemas["Error"]).validate(answer.json())


def test_the_platforms_own_description_is_valid_and_without_warnings(shop: Shop) -> None:
    out = StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", "--format", "openapi-json", stdout=out)
    paths = json.loads(out.getvalue())["paths"]
    assert {
        "/bots/{bot_id}/call/{alias}", "/webhooks/{kind}/{public_id}", "/api/1.1/wf/send_message_external", "/api/v1/channels/{task_id}/statuses",
        "/api/v1/bots/{bot_id}/mapping", "/api/v1/bots/{bot_id}/mapping/{user_id}",
    } <= set(paths)  # fmt: skip
    client = staff()
    assert client.get("/api/schema/?format=json").json()["paths"].keys() == paths.keys()
    assert client.get("/api/docs/").status_code == 200


# --- a generated client ----------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_client_that_a_generator_makes_calls_the_server(live_server: LiveServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = make_shop(request_schema=ORDER_SCHEMA)
    scenario = endpoint_of(
        shop, respond({"order": "{{ order.id }}"}), message("Order {{ order.id }}"), question(), end(), alias="order/status"
    )
    Endpoint.objects.filter(pk=scenario.pk).update(request_schema=ORDER_SCHEMA)
    described = Client().get(f"{live_server.url}/docs/{shop.bot.pk}/openapi.json", headers={"Authorization": f"Bearer {shop.token}"})
    (tmp_path / "openapi.json").write_bytes(described.content)
    (tmp_path / "config.yml").write_text("package_name_override: shop_client\npost_hooks: []\n")
    command = [str(Path(sys.executable).parent / "openapi-python-client"), "generate", "--path", "openapi.json", "--meta", "none",
               "--output-path", "shop_client", "--config", "config.yml", "--fail-on-warning"]  # fmt: skip
    made = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    monkeypatch.syspath_prepend(str(tmp_path))
    client_module, models = importlib.import_module("shop_client"), importlib.import_module("shop_client.models")
    order_status = importlib.import_module("shop_client.api.order.order_status")
    client = client_module.AuthenticatedClient(base_url=live_server.url, token=shop.token)
    body = models.OrderStatusRequest.from_dict({"userId": 125, "order": {"id": 9821, "amount": 3500}})
    stranger = client_module.AuthenticatedClient(base_url=live_server.url, token="none")
    with client as opened, stranger as refused_one:
        answer = order_status.sync(client=opened, body=body)
        dry = order_status.sync(client=opened, body=body, x_dry_run=True)
        wrong = order_status.sync_detailed(client=refused_one, body=body)
    assert (answer.success, answer.message, answer.data) == (True, "Communication sent", {"order": 9821})
    assert (dry.success, dry.dry_run) == (True, True)
    assert (wrong.status_code, wrong.parsed.message) == (401, "Invalid token")
