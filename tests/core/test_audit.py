import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory
from simple_history.models import HistoricalRecords

from apps.accounts.models import User
from apps.core import audit
from apps.core.models import AuditEntry, Constant, InstanceSetting
from apps.core.trace import trace

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> User:
    return User.objects.create_user("anna")


def test_an_act_is_noted_with_who_what_and_the_chain_and_without_secrets(anna: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HistoricalRecords.context, "request", RequestFactory(REMOTE_ADDR="10.1.2.3").get("/"), raising=False)
    constant = Constant.objects.create(key="city", value="Kyiv")
    with trace("crm-chain-1"):
        audit.record(anna, "events.exported", constant, rows=5, token="s3cret", phone="+380501112233")
    entry = AuditEntry.objects.get()
    assert (entry.user, entry.username, entry.action, entry.trace_id, entry.ip_address) == (
        anna,
        "anna",
        "events.exported",
        "crm-chain-1",
        "10.1.2.3",
    )
    assert (entry.object_type, entry.object_id, entry.object_text) == ("core.Constant", str(constant.pk), "city")
    assert entry.changes == {"rows": 5, "token": "***", "phone": "+380*******33"}


@pytest.mark.parametrize("user", [None, AnonymousUser()])
def test_an_act_of_nobody_is_noted_too(user: AnonymousUser | None) -> None:
    entry = audit.record(user, "system.cleaned")
    assert (entry.user_id, entry.username, entry.object_type, entry.object_id) == (None, "", "", "")


def test_the_trail_outlives_the_user(anna: User) -> None:
    audit.record(anna, "accounts.signed_in", anna)
    anna.delete()
    entry = AuditEntry.objects.get()
    assert (entry.user, entry.username) == (None, "anna")


def test_a_bulk_update_leaves_a_row_of_history_for_each_object(anna: User) -> None:
    Constant.objects.bulk_create([Constant(key="a", value=1), Constant(key="b", value=2), Constant(key="c", value=3)])
    assert audit.update(Constant.objects.filter(key__in=["a", "b"]), user=anna, reason="moved", value=9) == 2
    assert dict(Constant.objects.values_list("key", "value")) == {"a": 9, "b": 9, "c": 3}
    rows = Constant.history.values_list("key", "value", "history_user", "history_change_reason", "history_type")
    assert sorted(rows) == [("a", 9, anna.pk, "moved", "~"), ("b", 9, anna.pk, "moved", "~")]


def test_bulk_updates_of_nothing_are_nothing(anna: User) -> None:
    assert audit.update(Constant.objects.none(), user=anna, value=1) == 0
    assert audit.bulk_update([], ["value"], user=anna) == 0


def test_a_changed_secret_leaves_a_note_and_no_value(anna: User) -> None:
    row = InstanceSetting.objects.create(key="crm", value="old")
    row.value = "new-s3cret"
    audit.note_secret_changes(row, ["value", "description"])
    row.save()
    assert row.history.first().history_change_reason == "changed: value"
    assert anna.pk is not None
