"""Tokens: their form, what they open, how they are changed, and what is known of them."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.core.crypto import token_digest
from apps.gateway import tokens
from apps.gateway.answers import RefusedError
from apps.gateway.models import ApiToken
from tests.making import make_bot

pytestmark = pytest.mark.django_db


def refused(header: str) -> bool:
    with pytest.raises(RefusedError) as caught:
        tokens.authenticate(header, at=timezone.now())
    return (str(caught.value), caught.value.code) == ("Invalid token", "invalid_token")


def test_a_token_has_prefix_random_part_and_checksum_and_is_stored_as_a_digest() -> None:
    row, clear = tokens.issue(name="CRM")
    assert clear.startswith("dbt_")
    assert len(clear) == 40
    assert tokens.well_formed(clear)
    assert (row.prefix, row.last_four) == (clear[:8], clear[-4:])
    assert row.digest == token_digest(clear)
    stored = str(ApiToken.objects.filter(pk=row.pk).values().get()) + str(row.history.values().get())
    assert clear not in stored


def test_two_tokens_are_never_equal() -> None:
    assert tokens.issue(name="A")[1] != tokens.issue(name="A")[1]


def test_the_caller_knows_what_the_token_may() -> None:
    bot = make_bot()
    row, clear = tokens.issue(name="ERP", source_system="erp", bots=[bot], aliases=["order/*", "users/connect-link"], dry_run_only=True)
    caller = tokens.authenticate(f"Bearer {clear}", at=timezone.now())
    assert (caller.token_id, caller.source_system, caller.dry_run_only) == (row.pk, "erp", True)
    assert caller.may_use(bot.pk)
    assert not caller.may_use(bot.pk + 1)
    assert caller.may_call("order/thank-you")
    assert caller.may_call("users/connect-link")
    assert not caller.may_call("orders")
    assert not caller.may_call("order")
    assert not caller.may_call("users/connect-bot")


def test_an_isolated_endpoint_wants_its_alias_named_in_full() -> None:
    everything = tokens.authenticate(f"Bearer {tokens.issue(name='all')[1]}", at=timezone.now())
    pattern = tokens.authenticate(f"Bearer {tokens.issue(name='pattern', aliases=['pay/*'])[1]}", at=timezone.now())
    named = tokens.authenticate(f"Bearer {tokens.issue(name='named', aliases=['pay/card'])[1]}", at=timezone.now())
    assert not everything.may_call("pay/card", isolated=True)
    assert not pattern.may_call("pay/card", isolated=True)
    assert named.may_call("pay/card", isolated=True)


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic dbt_x", "Token x", "Bearer dbt_short", "Bearer x y", "Bearer dbt_" + "é" * 36]
)
def test_a_missing_or_malformed_header_is_refused_without_asking_the_database(header: str) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert refused(header)
    assert len(queries) == 0


def test_a_wrong_checksum_is_refused_without_asking_the_database() -> None:
    _row, clear = tokens.issue(name="CRM")
    wrong = clear[:-1] + ("A" if clear[-1] != "A" else "B")
    with CaptureQueriesContext(connection) as queries:
        assert refused(f"Bearer {wrong}")
    assert len(queries) == 0


def test_unknown_expired_and_inactive_tokens_are_refused_alike() -> None:
    row, clear = tokens.issue(name="CRM")
    expired = tokens.issue(name="old", expires_at=timezone.now() - timedelta(seconds=1))[1]
    assert refused(f"Bearer {expired}")
    ApiToken.objects.filter(pk=row.pk).update(is_active=False)
    assert refused(f"Bearer {clear}")
    ApiToken.objects.filter(pk=row.pk).delete()
    assert refused(f"Bearer {clear}")


def test_a_token_expires_while_it_is_remembered(settings: Settings) -> None:
    settings.CACHE_CHECK_SECONDS = 60
    _row, clear = tokens.issue(name="CRM", expires_at=timezone.now() + timedelta(hours=1))
    assert tokens.recognise(clear, at=timezone.now())
    assert tokens.recognise(clear, at=timezone.now() + timedelta(hours=2)) is None


def test_a_known_token_costs_no_query_and_a_revoked_one_is_refused_after_the_check_time(settings: Settings) -> None:
    settings.CACHE_CHECK_SECONDS = 60
    row, clear = tokens.issue(name="CRM")
    assert tokens.recognise(clear, at=timezone.now())
    with CaptureQueriesContext(connection) as queries:
        assert tokens.recognise(clear, at=timezone.now())
    assert len(queries) == 0
    ApiToken.objects.filter(pk=row.pk).update(is_active=False)
    assert tokens.recognise(clear, at=timezone.now())
    settings.CACHE_CHECK_SECONDS = 0
    assert tokens.recognise(clear, at=timezone.now()) is None


def test_last_use_is_noted_at_most_once_a_minute() -> None:
    row, clear = tokens.issue(name="CRM")
    first = timezone.now()
    assert tokens.recognise(clear, at=first)
    assert tokens.recognise(clear, at=first + timedelta(seconds=30))
    row.refresh_from_db()
    assert row.last_used_at == first


def test_rotation_leaves_two_live_tokens_with_the_same_rights_and_refuses_a_third() -> None:
    bot = make_bot()
    old, old_clear = tokens.issue(name="CRM", bots=[bot], aliases=["order/*"], calls_per_minute=60)
    new, new_clear = tokens.rotate(old)
    now = timezone.now()
    before, after = tokens.authenticate(f"Bearer {old_clear}", at=now), tokens.authenticate(f"Bearer {new_clear}", at=now)
    assert (after.bots, after.aliases, after.calls_per_minute) == (before.bots, before.aliases, before.calls_per_minute)
    assert (new.replaces, after.family, before.family) == (old, old.pk, old.pk)
    old.refresh_from_db()
    assert old.expires_at is not None
    assert abs((old.expires_at - now) - tokens.OVERLAP) < timedelta(seconds=10)
    with pytest.raises(tokens.RotationError):
        tokens.rotate(old)
    ApiToken.objects.filter(pk=new.pk).update(is_active=False)
    tokens.rotate(old)


def test_a_rotated_token_lives_as_long_as_the_old_one_did() -> None:
    old, _clear = tokens.issue(name="CRM", expires_at=timezone.now() + timedelta(days=90))
    new, _clear = tokens.rotate(old, overlap=None)
    assert new.expires_at is not None
    assert abs(new.expires_at - timezone.now() - timedelta(days=90)) < timedelta(minutes=1)
