"""Events reach who subscribed to them: signed, in order, again when they fail, and nobody else."""

import time
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone
from pytest_django.fixtures import Settings
from standardwebhooks.webhooks import Webhook

from apps.accounts.models import User
from apps.core import claimants
from apps.core.standard_webhooks import new_secret
from apps.events import bus, recording
from apps.events.models import BusCursor, Delivery, DeliveryAttempt, Event, Subscription, SubscriptionFilter
from apps.events.tracing import chain
from apps.events.webhooks import deliveries, posting
from tests.events.webhooks.receiving import Receiver, pushing, subscribe, until

pytestmark = pytest.mark.django_db
live = pytest.mark.django_db(transaction=True)  # with a pusher, which has a connection of its own


def tell(kind: str, **about: object) -> Event:
    recording.record(kind, **{"trace_id": "trace-1", **about})  # type: ignore[arg-type]
    return Event.objects.latest("pk")


def owed() -> list[tuple[str, str]]:
    """(kind, state) of all deliveries, in the order in which they were made."""
    bus.pump()
    return list(Delivery.objects.order_by("id").values_list("kind", "state"))


@live
def test_a_receiver_is_told_and_can_check_the_signature_with_the_reference_library(receiver: Receiver) -> None:
    row = subscribe(receiver.url, "message.sent", bot_id=7)
    event = tell("message.sent", bot_id=7, person_id=5, conversation_id=3, details={"message": 12})
    with pushing():
        until(lambda: receiver.got)
        until(lambda: Delivery.objects.filter(state="done").exists())
    [request] = receiver.got
    assert Webhook(row.secret).verify(request.body, request.headers) == {
        "id": f"evt_{event.pk}", "type": "message.sent", "timestamp": event.timestamp.isoformat(), "status": "success", "trace_id": "trace-1",
        "source_system": None, "endpoint": None, "latency_ms": None, "bot": {"id": 7}, "channel": None, "person": {"id": 5, "user_ids": {}},
        "lead": None, "conversation": {"id": 3}, "session": None, "userId": None, "leadId": None, "data": {"message": 12},
    }  # fmt: skip
    assert request.headers["webhook-id"] == f"msg_{row.pk}_{event.pk}"
    delivery, attempt = Delivery.objects.get(), DeliveryAttempt.objects.get()
    assert (delivery.attempts, delivery.status_code, delivery.trace_id) == (1, 204, "trace-1")
    assert (attempt.status_code, "webhook-signature" in attempt.request_headers) == (204, False)


@live
def test_during_a_rotation_both_secrets_verify(receiver: Receiver) -> None:
    former = new_secret()
    row = subscribe(receiver.url, old_secret=former, old_secret_until=timezone.now() + timedelta(hours=1))
    tell("message.sent")
    with pushing():
        until(lambda: receiver.got)
    for secret in (row.secret, former):
        assert Webhook(secret).verify(receiver.got[0].body, receiver.got[0].headers)
    row.old_secret_until = timezone.now()
    assert row.live_secrets == [row.secret]


def test_a_subscription_sees_its_kinds_its_bot_and_what_its_conditions_let_through(receiver: Receiver) -> None:
    row = subscribe(receiver.url, "message.sent", "record.*", bot_id=7)
    SubscriptionFilter.objects.create(subscription=row, field="data.total", operator="greater", value="99,5")
    row.save()
    for kind, bot_id, total in (
        ("message.sent", 7, 100), ("message.sent", 8, 100), ("message.sent", None, 100), ("message.failed", 7, 100), ("record.changed", 7, "1000"),
        ("record.changed", 7, 99), ("webhook.disabled", 7, 100),
    ):  # fmt: skip
        tell(kind, bot_id=bot_id, details={"total": total})
    assert owed() == [("message.sent", "pending"), ("record.changed", "pending")]


def test_what_happened_before_the_subscription_is_not_told(receiver: Receiver) -> None:
    tell("message.sent")
    subscribe(receiver.url)
    tell("message.failed")
    assert owed() == [("message.failed", "pending")]


def test_an_unconfirmed_subscription_is_told_nothing(receiver: Receiver) -> None:
    Subscription.objects.create(name="New", url=receiver.url, kinds=["*"])
    tell("message.sent")
    assert bus.pump() == 0
    assert not Delivery.objects.exists()


def test_an_event_that_is_committed_late_is_told_all_the_same(receiver: Receiver) -> None:
    subscribe(receiver.url)
    first, second, third = tell("message.sent"), tell("message.read"), tell("message.failed")
    late = Event.objects.filter(pk=second.pk).values().get()
    Event.objects.filter(pk=second.pk).delete()  # as if its transaction had not ended yet
    assert owed() == [("message.sent", "pending"), ("message.failed", "pending")]
    assert [gap[0] for gap in BusCursor.objects.get().gaps][-1] == second.pk
    Event.objects.create(**late)
    assert owed()[-1] == ("message.read", "pending")
    assert bus.pump() == 0
    assert Delivery.objects.filter(event_id__in=[first.pk, second.pk, third.pk]).count() == 3


def test_a_gap_that_nobody_fills_is_forgotten_once_no_transaction_can_fill_it(receiver: Receiver) -> None:
    subscribe(receiver.url)
    tell("message.sent")
    gone = tell("message.read")
    gone.delete()
    tell("message.failed")
    bus.pump()
    cursor = BusCursor.objects.get()
    cursor.gaps = [[pk, 1, 0.0] for pk, _horizon, _seen in cursor.gaps]  # as if a long time had passed
    cursor.save()
    assert bus.pump() == 0
    assert BusCursor.objects.get().gaps == []


@live
def test_conversations_are_told_in_order_and_do_not_wait_for_each_other(receiver: Receiver) -> None:
    subscribe(receiver.url)
    receiver.refuses = ["message.received"]
    for kind, conversation in (("message.received", 1), ("message.sent", 1), ("message.read", 1), ("session.ended", 2)):
        tell(kind, conversation_id=conversation)
    with pushing():
        until(lambda: len(receiver.got) >= 2)
        time.sleep(0.6)
        assert sorted(receiver.kinds()) == ["message.received", "session.ended"]
        Delivery.objects.update(due_at=timezone.now())
        until(lambda: len(receiver.got) == 5)
    assert [kind for kind in receiver.kinds() if kind != "session.ended"] == [
        "message.received",
        "message.received",
        "message.sent",
        "message.read",
    ]
    assert len({request.headers["webhook-id"] for request in receiver.got}) == 4


def test_ten_attempts_over_three_days(receiver: Receiver) -> None:
    assert len(posting.PAUSES) == deliveries.MAX_ATTEMPTS - 1
    assert sum(posting.PAUSES) / 3600 == pytest.approx(75.6, abs=0.1)
    for attempts, pause in enumerate(posting.PAUSES, start=1):
        found = posting._again_in(attempts, {})
        assert found is not None
        assert 0.9 * pause <= found <= 1.1 * pause
    assert posting._again_in(10, {}) is None


def test_retry_after_goes_before_our_own_pause() -> None:
    assert posting._again_in(1, {"Retry-After": "90"}) == 90
    with time_machine.travel("2026-11-21T10:00:00Z", tick=False):
        assert posting._again_in(1, {"Retry-After": "Sat, 21 Nov 2026 10:02:00 GMT"}) == 120
    assert posting._again_in(1, {"Retry-After": "999999999"}) == 24 * 3600


@live
def test_what_fails_ten_times_is_given_up_and_disables_the_subscription_after_days(receiver: Receiver, settings: Settings) -> None:
    row = subscribe(receiver.url)
    receiver.always = (500, {}, b'{"why": "down", "token": "abcdef"}')
    tell("message.sent")
    bus.pump()
    Delivery.objects.update(attempts=9)
    with pushing():
        until(lambda: Delivery.objects.filter(state="failed").exists())
    row.refresh_from_db()
    assert (row.state, row.failing_since is not None) == ("active", True)
    Subscription.objects.update(failing_since=timezone.now() - timedelta(hours=73))
    tell("message.read")
    tell("message.failed")
    bus.pump()
    Delivery.objects.filter(kind="message.read").update(attempts=9)
    Delivery.objects.filter(kind="message.failed").update(due_at=timezone.now() + timedelta(hours=1))
    with pushing():
        until(lambda: Subscription.objects.get().state == "disabled")
    row.refresh_from_db()
    assert row.state_text == "No delivery succeeded for 72 hours. The receiver answered 500."
    assert row.history.first().state == "disabled"
    assert Event.objects.get(kind="webhook.disabled").details["name"] == "CRM"
    assert owed() == [("message.sent", "failed"), ("message.read", "failed"), ("message.failed", "held")]
    assert "abcdef" not in DeliveryAttempt.objects.latest("id").response_body
    deliveries.set_state(row, "active")
    assert Delivery.objects.get(kind="message.failed").state == "pending"


@live
def test_a_receiver_that_is_gone_is_told_nothing_more(receiver: Receiver) -> None:
    subscribe(receiver.url)
    receiver.always = (410, {}, b"")
    tell("message.sent")
    with pushing():
        until(lambda: Subscription.objects.get().state == "disabled")
    assert Subscription.objects.get().state_text.startswith("The receiver answered 410")
    assert len(receiver.got) == 1


@live
def test_an_inner_address_is_never_called() -> None:
    subscribe("http://10.1.2.3/hook")
    tell("message.sent")
    with pushing():
        until(DeliveryAttempt.objects.exists)
    assert DeliveryAttempt.objects.get().status_code is None
    assert Delivery.objects.get().state == "pending"


@live
def test_what_a_dead_process_had_in_hand_is_sent_again_with_the_same_id(receiver: Receiver) -> None:
    subscribe(receiver.url)
    tell("message.sent")
    bus.pump()
    [claimed] = deliveries.claim(12345, limit=5, share=5)  # a process that holds no lock: it is dead
    assert deliveries.claim(54321, limit=5, share=5) == []
    with pushing():
        until(lambda: receiver.got)
        until(lambda: Delivery.objects.get().state == "done")
    assert receiver.got[0].headers["webhook-id"] == claimed.message_id
    assert (Delivery.objects.get().deaths, Delivery.objects.get().attempts) == (1, 2)


@live
def test_a_host_that_keeps_failing_is_left_alone_without_costing_attempts(receiver: Receiver) -> None:
    subscribe(receiver.url)
    receiver.always = (503, {}, b"")
    for number in range(9):
        tell("message.sent", conversation_id=number + 1)
    with pushing():
        until(
            lambda: (
                Delivery.objects.filter(attempts__gte=1, claimed_by=None).count()
                + Delivery.objects.filter(error__contains="left alone").count()
                >= 9
            )
        )
    assert len(receiver.got) >= 5
    assert all(row.attempts == 0 for row in Delivery.objects.filter(error__contains="left alone"))


def test_a_slow_receiver_takes_no_more_than_its_share() -> None:
    one, other = subscribe("http://127.0.0.1:9/a"), subscribe("http://127.0.0.1:9/b", name="Other")
    for _number in range(5):
        tell("message.sent")
    bus.pump()
    claimed = deliveries.claim(claimants.enter(), limit=100, share=2)
    assert sorted(row.subscription_id for row in claimed) == [one.pk, one.pk, other.pk, other.pk]
    assert deliveries.claim(1, limit=100, share=2, busy=[one.pk, other.pk]) == []


@live
def test_a_delivery_can_be_replayed_alone_and_as_a_range(receiver: Receiver) -> None:
    began = timezone.now()
    early = tell("message.sent")  # before there was a subscription
    row = subscribe(receiver.url, "message.sent")
    tell("message.sent")
    tell("message.read")
    with pushing():
        until(lambda: Delivery.objects.filter(state="done").count() == 1)
        assert deliveries.replay(Delivery.objects.all()) == 1
        until(lambda: len(receiver.got) == 2)
        until(lambda: Delivery.objects.filter(state="done").count() == 1)
        assert deliveries.replay_range(row, since=began, until=timezone.now(), only_failed=False) == 2
        until(lambda: len(receiver.got) == 4)
        until(lambda: Delivery.objects.filter(state="done").count() == 2)
    ids = [request.json["id"] for request in receiver.got]
    assert ids.count(f"evt_{early.pk}") == 1
    assert len(set(ids)) == 2
    assert Delivery.objects.exclude(event_id=early.pk).get().replays == 2
    assert deliveries.replay_range(row, since=began, until=timezone.now(), only_failed=True) == 0


@live
def test_a_test_event_goes_the_same_way(receiver: Receiver) -> None:
    row = subscribe(receiver.url, bot_id=7)
    deliveries.send_test(row)
    with pushing():
        until(lambda: receiver.got)
    told = Webhook(row.secret).verify(receiver.got[0].body, receiver.got[0].headers)
    assert (told["type"], told["data"]["test"], told["bot"]) == ("webhook.test", True, {"id": 7})


def test_old_deliveries_are_forgotten_and_waiting_ones_stay(receiver: Receiver) -> None:
    subscribe(receiver.url)
    for _number in range(3):
        tell("message.sent")
    bus.pump()
    old = timezone.now() - timedelta(days=31)
    done, waiting, _recent = Delivery.objects.order_by("id")
    Delivery.objects.filter(pk=done.pk).update(created_at=old, state="done")
    Delivery.objects.filter(pk=waiting.pk).update(created_at=old)
    DeliveryAttempt.objects.create(delivery=done, url=receiver.url)
    deliveries.forget_old()
    assert sorted(Delivery.objects.values_list("state", flat=True)) == ["pending", "pending"]


@live
def test_an_address_proves_that_it_wants_our_events(receiver: Receiver) -> None:
    assert posting.challenge(Subscription(name="CRM", url=receiver.url)) == ""
    receiver.echoes = False
    assert posting.challenge(Subscription(name="CRM", url=receiver.url)) == (
        'The address answered without the challenge. It must give back the text, alone or as JSON {"challenge": …}.'
    )


@live
def test_a_private_address_fails_the_challenge() -> None:
    assert "10.1.2.3" in posting.challenge(Subscription(name="CRM", url="http://10.1.2.3/hook"))


def test_a_trace_shows_who_was_told(receiver: Receiver) -> None:
    subscribe(receiver.url, bot_id=7)
    tell("message.sent", bot_id=7)
    bus.pump()
    viewer = User.objects.create_superuser("owner", password="a long passphrase")
    titles = [line.title for part in chain("trace-1", viewer=viewer).parts for line in part.lines]
    assert "CRM was told of message.sent" in titles
