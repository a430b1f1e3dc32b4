"""`manage.py load_demo`: what a newcomer finds, and that loading again keeps what people have changed."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from pytest_django.fixtures import Settings

from apps.accounts.models import User
from apps.bots.models import Bot, Channel
from apps.conversations.models import Message
from apps.core.models import AllowedAddress, InstanceSetting
from apps.gateway.models import ApiToken, Endpoint
from apps.identity.models import Lead
from apps.scenarios.models import Scenario

pytestmark = pytest.mark.django_db


def load(*more: str, crm_url: str = "http://127.0.0.1:8002", password: str = "first-password") -> dict[str, Any]:
    said = StringIO()
    addresses = ("--base-url", "http://127.0.0.1:8000", "--crm-url", crm_url)
    call_command("load_demo", *addresses, "--admin-user", "admin", "--admin-password", password, "--json", *more, stdout=said)
    return dict(json.loads(said.getvalue()))


def test_the_demo_answers_an_event_at_once(client: Client) -> None:
    demo = load()
    assert demo["user_id"] == 125
    assert demo["demo_url"] == "http://127.0.0.1:8000/demo/"
    answer = client.post(
        f"/bots/{demo['bot_id']}/call/order/thank-you",
        {"order_id": 9821, "user_id": demo["user_id"], "amount": 3500, "status": "paid"},
        content_type="application/json",
        headers={"Authorization": f"Bearer {demo['token']}"},
    )
    assert answer.status_code == 200, answer.content
    assert answer.json()["message"] == "Communication sent"
    assert Message.objects.get().text == "Thank you for your order, Anna! Amount 3,500"


def test_everything_that_the_demo_names_is_there() -> None:
    demo = load()
    assert User.objects.get(username="admin").is_superuser
    assert Scenario.objects.filter(bot_id=demo["bot_id"], published=None).count() == 0
    assert {"order/thank-you", "order/status", "order/delivered", "users/connect-bot"} <= set(
        Endpoint.objects.values_list("alias", flat=True)
    )
    assert InstanceSetting.objects.get(key="crm_url").value == "http://127.0.0.1:8002"
    assert AllowedAddress.objects.filter(target="127.0.0.1", port=8002).exists()
    channel = Channel.objects.get(pk=demo["channel_id"])
    assert (channel.kind, channel.health) == ("widget", "ok")
    assert len(channel.secrets["identity_secret"]) > 30


def test_loading_again_makes_nothing_twice_and_keeps_changes(tmp_path: Path) -> None:
    first = load("--token-file", str(tmp_path / "token"))
    Bot.objects.update(name="My shop")
    Scenario.objects.filter(key="order-thank-you").update(name="Mine")
    counts = [model.objects.count() for model in (Bot, Channel, Scenario, Endpoint, Lead, User, ApiToken, AllowedAddress)]
    second = load("--token-file", str(tmp_path / "token"), crm_url="http://127.0.0.1:9002", password="second-password")
    assert second == first
    assert [model.objects.count() for model in (Bot, Channel, Scenario, Endpoint, Lead, User, ApiToken, AllowedAddress)] == counts
    assert Bot.objects.get().name == "My shop"
    assert Scenario.objects.filter(name="Mine").exists()
    assert User.objects.get().check_password("second-password")
    assert InstanceSetting.objects.get(key="crm_url").value == "http://127.0.0.1:9002"
    assert [(row.target, row.port) for row in AllowedAddress.objects.all()] == [("127.0.0.1", 9002)]


def test_the_key_lies_in_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    file = tmp_path / "token"
    demo = load("--token-file", str(file))
    assert file.read_text() == demo["token"]
    assert file.stat().st_mode & 0o777 == 0o600


def test_without_the_file_a_new_key_replaces_the_earlier_one() -> None:
    first, second = load(), load()
    assert first["token"] != second["token"]
    assert ApiToken.objects.filter(is_active=True).count() == 1


def test_asked_to_the_scenarios_come_back_as_delivered() -> None:
    load()
    Scenario.objects.filter(key="order-thank-you").update(name="Mine")
    load("--anew")
    assert Scenario.objects.get(key="order-thank-you").name == "Order: thank you"


def test_the_demo_page_shows_the_chat_of_a_signed_customer(client: Client, settings: Settings) -> None:
    load()
    settings.DEMO = True
    answer = client.get("/demo/")
    html = answer.content.decode()
    channel = Channel.objects.get()
    assert f'data-key="wk_{channel.public_id.hex}"' in html
    assert 'data-user-id="125"' in html
    assert 'src="http://127.0.0.1:8002/"' in html
    assert channel.secrets["identity_secret"] not in html
    policy = answer.headers["Content-Security-Policy"]
    assert "frame-src 'self' http://127.0.0.1:8002;" in policy
    assert "unsafe" not in policy
    settings.DEMO = False
    assert client.get("/demo/").status_code == 404
