from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks
from django.db import connection, models
from django.test.utils import isolate_apps
from pytest_django import Settings

from apps.core import checks
from apps.core.fields import EncryptedTextField


def ids(found: list[CheckMessage]) -> list[str]:
    return sorted(str(message.id) for message in found if str(message.id).startswith("core."))


def test_the_tests_own_settings_are_right() -> None:
    assert ids(run_checks()) == []


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("FIELD_KEYS", [], "core.E001"),
        ("FIELD_KEYS", [("k1", b"short")], "core.E001"),
        ("BLIND_INDEX_KEY", "", "core.E002"),
        ("REDIS_URL", "", "core.E004"),
        ("REDIS_URL", "amqp://x", "core.E004"),
        ("PUBLIC_URL", "bus.example.com", "core.E005"),
        ("PUBLIC_URL", "https://", "core.E005"),
        ("PUBLIC_URL", "https://bus.example.com?x=1", "core.E005"),
        ("PUBLIC_URL", "http://bus.example.com", "core.E006"),
        ("OUTGOING_ALLOW", ["crm:port"], "core.E007"),
        ("OUTGOING_ALLOW", ["10.0.0.1", "::/0"], "core.E008"),
        ("PROXY_COUNT", -1, "core.E009"),
    ],
)
def test_a_wrong_value_is_explained(settings: Settings, name: str, value: Any, expected: str) -> None:
    setattr(settings, name, value)
    found = run_checks()
    assert ids(found) == [expected]
    assert all(message.hint for message in found)


@pytest.mark.parametrize("url", ["", "https://bus.example.com", "http://127.0.0.1:8000", "http://localhost:8000"])
def test_right_public_addresses(settings: Settings, url: str) -> None:
    settings.PUBLIC_URL = url
    assert ids(run_checks()) == []


def test_another_database_is_refused(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", "django.db.backends.sqlite3")
    assert [message.id for message in checks.database_url()] == ["core.E003"]


def test_development_secrets_are_refused_in_production(settings: Settings) -> None:
    settings.SECRET_KEY = "insecure-change-me"
    settings.FIELD_KEYS = [("dev", b"insecure-development-key-only-32")]
    settings.PUBLIC_URL = ""
    assert ids(checks.production_secrets()) == ["core.E011", "core.E012", "core.W001"]
    settings.DEBUG = True
    assert checks.production_secrets() == []
    settings.DEBUG, settings.SECRET_KEY, settings.FIELD_KEYS = False, "s" * 50, [("k1", b"1" * 32)]
    settings.PUBLIC_URL = "https://bus.example.com"
    assert checks.production_secrets() == []


@isolate_apps("tests.core", attr_name="apps")
def test_a_history_that_would_keep_a_secret_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Safe(models.Model):  # noqa: DJ008
        secret = EncryptedTextField()

        class Meta:
            app_label = "core"

    history = type(
        "HistoricalSafe",
        (models.Model,),
        {
            "__module__": __name__,
            "instance_type": Safe,
            "secret": EncryptedTextField(),
            "Meta": type("Meta", (), {"app_label": "core"}),
        },
    )
    monkeypatch.setattr("apps.core.checks.apps.get_models", lambda: [Safe, history])
    [error] = checks.history_without_secrets()
    assert (error.id, error.msg) == ("core.E010", "The history of core.Safe would keep the secret 'secret'.")


@pytest.mark.django_db
def test_an_old_or_silent_database_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.database_version(databases=["default"]) == []
    assert checks.database_version(databases=None) == []
    monkeypatch.setattr(checks, "MIN_POSTGRESQL", 990000)
    assert ids(checks.database_version(databases=["default"])) == ["core.E014"]
    silent = connection.copy()
    silent.settings_dict |= {"HOST": "127.0.0.1", "PORT": "1"}
    monkeypatch.setattr(checks, "connections", {"default": silent})
    assert ids(checks.database_version(databases=["default"])) == ["core.E013"]
