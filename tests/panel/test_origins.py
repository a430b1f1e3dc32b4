import pytest
from django.test import RequestFactory
from pytest_django.fixtures import Settings

from apps.bots.origins import Origin, Rule
from apps.panel.origins import allowed_origin

ALLOWED = ["shop.example", "*.brand.example", "http://intra.example:8080", "localhost:3000"]


def asked(origin: str, method: str = "POST", **headers: str) -> str | None:
    given = {**({"Origin": origin} if origin else {}), **headers}
    request = RequestFactory().generic(method, "/widget/v1/messages", headers=given)
    return allowed_origin(request, ALLOWED)


@pytest.mark.parametrize(
    "origin",
    [
        "https://shop.example",
        "https://www.brand.example",
        "https://a.b.brand.example",
        "http://intra.example:8080",
        "http://localhost:3000",
        "http://testserver",
    ],
)
def test_pages_of_allowed_hosts_and_our_own_pass(origin: str) -> None:
    assert asked(origin) == origin


@pytest.mark.parametrize(
    "origin",
    [
        "https://shop.example.evil.test",
        "https://evil-shop.example",
        "https://evilshop.example",
        "https://shop.example:8443",
        "http://shop.example",
        "https://sub.shop.example",
        "https://brand.example",
        "https://evilbrand.example",
        "https://brand.example.evil.test",
        "http://intra.example",
        "https://intra.example:8080",
        "http://localhost",
        "http://localhost:3000.evil.test",
        "null",
        "https://",
        "shop.example",
        "https://shop.example/",
        "https://shop.example@evil.test",
        "file://",
        "https://shop.example.",
        "http://testserver.evil.test",
        "http://testserver:81",
        "chrome-extension://shop.example",
    ],
)
def test_look_alikes_are_refused(origin: str) -> None:
    assert asked(origin) is None


def test_a_call_without_origin_passes_only_as_a_get_of_our_own_page() -> None:
    assert asked("", "GET") == ""
    assert asked("", "GET", **{"Sec-Fetch-Site": "same-origin"}) == ""
    assert asked("", "GET", **{"Sec-Fetch-Site": "cross-site"}) is None
    assert asked("", "POST") is None


def test_the_public_address_is_our_own_too(settings: Settings) -> None:
    settings.PUBLIC_URL = "https://chat.example"
    assert asked("https://chat.example") == "https://chat.example"


@pytest.mark.parametrize(
    "text", ["", "*", "*.", "*.example", "a b", "shop.example/path", "ftp://shop.example", "user@shop.example", "shop.example:port", "."]
)
def test_what_names_no_host_allows_nothing(text: str) -> None:
    assert Rule.parse(text) is None


def test_a_host_in_another_script_is_compared_as_browsers_send_it() -> None:
    rule = Rule.parse("магазин.рф")
    origin = Origin.parse("https://xn--80aairftm.xn--p1ai")
    assert rule is not None
    assert origin is not None
    assert rule.allows(origin)


@pytest.mark.parametrize(
    ("text", "sources"),
    [
        ("shop.example", ["https://shop.example"]),
        ("*.shop.example", ["https://*.shop.example"]),
        ("localhost:3000", ["https://localhost:3000", "http://localhost:3000"]),
        ("http://intra.example:8080", ["http://intra.example:8080"]),
        ("[::1]:3000", ["https://[::1]:3000", "http://[::1]:3000"]),
    ],
)
def test_a_rule_as_a_content_security_policy_says_it(text: str, sources: list[str]) -> None:
    rule = Rule.parse(text)
    assert rule is not None
    assert rule.sources() == sources
