"""The chat's page, its embed script and what protects them."""

import json
import re
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.utils import translation
from pytest_django.fixtures import Settings

from apps.bots.models import Channel
from apps.panel.widget_api import key_of
from apps.panel.widget_pages import ink_on, texts
from tests.panel.visiting import OWN, SHOP, make_widget

pytestmark = pytest.mark.django_db


def page_data(html: str) -> dict[str, object]:
    found = re.search(r'<script id="page" type="application/json">(.*?)</script>', html, re.DOTALL)
    assert found
    return dict(json.loads(found[1]))


def test_only_allowed_pages_may_frame_the_chat(client: Client) -> None:
    channel = make_widget(config={"allowed_hosts": ["shop.example", "*.brand.example", "bad host", "localhost:3000"]})
    answer = client.get(f"/widget/{key_of(channel)}")
    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert policy.endswith(
        "frame-ancestors 'self' https://shop.example https://*.brand.example https://localhost:3000 http://localhost:3000"
    )
    assert "X-Frame-Options" not in answer.headers
    assert "unsafe" not in policy


def test_without_allowed_hosts_only_we_may_frame_it(client: Client) -> None:
    answer = client.get(f"/widget/{key_of(make_widget(config={}))}")
    assert answer.headers["Content-Security-Policy"].endswith("frame-ancestors 'self'")


def test_the_live_feeds_address_may_be_listened_to(client: Client, settings: Settings) -> None:
    settings.LIVE_URL = "http://127.0.0.1:8001"
    answer = client.get(f"/widget/{key_of(make_widget())}")
    assert "connect-src 'self' http://127.0.0.1:8001;" in answer.headers["Content-Security-Policy"]


def test_what_the_owner_wrote_cannot_break_out_of_the_page(client: Client) -> None:
    nasty = "</script><script>alert(1)</script>"
    answer = client.get(f"/widget/{key_of(make_widget(config={'title': nasty, 'greeting': nasty, 'color': 'red;}'}))}")
    html = answer.content.decode()
    assert "<script>alert" not in html
    assert page_data(html)["title"] == nasty
    assert page_data(html)["color"] == "#2563eb"


def test_the_page_speaks_the_language_asked_for(client: Client) -> None:
    channel = make_widget()
    for query, header, expected in (("", "ru", "ru"), ("?lang=ru", "en", "ru"), ("?lang=xx", "en", "en")):
        answer = client.get(f"/widget/{key_of(channel)}{query}", headers={"Accept-Language": header})
        assert page_data(answer.content.decode())["language"] == expected
        assert answer.headers["Content-Language"] == expected


def test_every_text_of_the_chat_is_translated() -> None:
    with translation.override("en"):
        english = texts()
    with translation.override("ru"):
        russian = texts()
    assert [key for key in english if english[key] == russian[key]] == []


@pytest.mark.parametrize("key", ["wk_0", "x", "wk_00000000000000000000000000000000"])
def test_an_unknown_chat_is_not_found(client: Client, key: str) -> None:
    assert client.get(f"/widget/{key}").status_code == 404


def test_the_loader_is_small_public_and_cached(client: Client) -> None:
    answer = client.get("/widget/v1/widget.js")
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert len(answer.content) < 10_000


def test_an_allowed_page_learns_title_and_colour_before_the_chat_is_opened(widget: Channel, client: Client) -> None:
    answer = client.get(f"/widget/v1/config?key={key_of(widget)}", headers={"Origin": SHOP})
    assert answer.json() == {"title": "Shop", "color": "#2563eb", "ink": "#ffffff"}
    assert answer.headers["Access-Control-Allow-Origin"] == SHOP
    for origin in ("https://shop.example.evil.test", "null"):
        assert client.get(f"/widget/v1/config?key={key_of(widget)}", headers={"Origin": origin}).status_code == 403


@pytest.mark.parametrize(
    ("color", "ink"),
    [("#2563eb", "#ffffff"), ("#ffffff", "#111827"), ("#facc15", "#111827"), ("#000000", "#ffffff"), ("#dc2626", "#ffffff")],
)
def test_text_stays_readable_on_any_colour(color: str, ink: str) -> None:
    assert ink_on(color) == ink


def test_the_pages_hold_no_inline_script_or_style() -> None:
    for template in (
        *Path(django_settings.BASE_DIR, "templates/panel").glob("*.html"),
        *Path(django_settings.BASE_DIR, "templates/demo").glob("*.html"),
    ):
        html = template.read_text()
        assert not re.search(r"\son\w+=|\sstyle=|<style|<script(?![^>]*\bsrc=)", html), template.name


def test_outside_a_demo_there_is_no_demo_page(client: Client) -> None:
    assert client.get("/demo/").status_code == 404


def test_nothing_of_the_chat_sets_a_cookie(widget: Channel, client: Client) -> None:
    for path in (f"/widget/{key_of(widget)}", "/widget/v1/widget.js", f"/widget/v1/config?key={key_of(widget)}"):
        assert client.get(path, headers={"Origin": OWN}).cookies == {}
