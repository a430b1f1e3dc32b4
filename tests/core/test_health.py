import datetime as dt
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from apps.core import health
from apps.core.heart import beat_heart
from apps.core.models import Heartbeat


def beat_all() -> None:
    for name in health.PROCESSES:
        beat_heart(name, details={"pid": 1})


@pytest.mark.django_db
def test_health_is_200_when_every_part_works(client: Client) -> None:
    beat_all()
    response = client.get("/health/")
    body = response.json()
    assert (response.status_code, body["status"]) == (200, "ok")
    assert list(body["parts"]) == ["database", "redis", "migrations", "worker", "sender", "beat"]
    assert all(part["ok"] for part in body["parts"].values())
    assert "no-store" in response.headers["Cache-Control"]


@pytest.mark.django_db
def test_health_names_a_process_that_is_silent(client: Client) -> None:
    beat_all()
    Heartbeat.objects.filter(name="sender").update(at=timezone.now() - dt.timedelta(seconds=31))
    response = client.get("/health/")
    parts = response.json()["parts"]
    assert response.status_code == 503
    assert [name for name, part in parts.items() if not part["ok"]] == ["sender"]
    assert parts["sender"]["text"].startswith("No sender process has shown a sign of life for 30 s.")


@pytest.mark.django_db
def test_one_living_process_of_a_name_is_enough() -> None:
    beat_heart("worker", instance="a:1")
    beat_heart("worker", instance="b:2")
    beat_heart("worker", instance="b:2")
    Heartbeat.objects.filter(instance="a:1").update(at=timezone.now() - dt.timedelta(minutes=5))
    part = health.process("worker")
    assert (part.ok, part.details["alive"]) == (True, 1)
    assert Heartbeat.objects.count() == 2


@pytest.mark.django_db
def test_processes_that_are_long_gone_are_forgotten() -> None:
    beat_all()
    Heartbeat.objects.filter(name="beat").update(at=timezone.now() - dt.timedelta(days=2))
    assert health.forget_dead() == 1
    assert set(Heartbeat.objects.values_list("name", flat=True)) == {"worker", "sender"}


@pytest.mark.django_db
def test_a_database_that_lacks_a_migration_is_named(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_migrated_until", [0])
    beat_all()
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM django_migrations WHERE app = 'insights' OR (app = 'accounts' AND name = '0003_modules_of_data_and_actions')"
        )
    response = client.get("/health/")
    part = response.json()["parts"]["migrations"]
    assert response.status_code == 503
    assert "accounts.0003_modules_of_data_and_actions" in part["details"]["missing"]
    assert part["text"].endswith("Run: manage.py migrate")


@pytest.mark.django_db
def test_health_without_redis_is_503_and_says_what_to_do(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    beat_all()
    response = client.get("/health/")
    assert response.status_code == 503
    assert response.json()["parts"]["redis"] == {
        "ok": False,
        "text": "Redis does not answer. Check that it runs and REDIS_URL is right. Messages are kept and go out later.",
    }


def test_health_without_a_database_is_503_and_never_500(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_args: Any, **_kwargs: Any) -> None:
        raise OperationalError("connection refused, password=s3cret")

    monkeypatch.setattr(health, "_migrated_until", [0])
    monkeypatch.setattr("django.db.backends.base.base.BaseDatabaseWrapper.ensure_connection", away)
    monkeypatch.setattr("django.db.backends.postgresql.base.DatabaseWrapper._cursor", away)
    response = client.get("/health/")
    assert response.status_code == 503
    assert {name for name, part in response.json()["parts"].items() if not part["ok"]} == {
        "database",
        "migrations",
        "worker",
        "sender",
        "beat",
    }
    assert b"s3cret" not in response.content


def test_live_asks_for_nothing(client: Client) -> None:
    response = client.get("/health/live")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("path", ["/health/", "/health/live"])
def test_health_is_only_read(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405
