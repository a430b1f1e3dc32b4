"""Subscriptions in the admin: made and confirmed, tested, paused, rotated, replayed; failing hosts called again."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.core import breaker
from apps.core.models import AuditEntry, HeldHost
from apps.events import bus, recording
from apps.events.models import Delivery, Subscription, SubscriptionFilter
from apps.insights import startpage
from tests.admin.conftest import act, change, listing, told
from tests.admin.world import World, make_staff
from tests.events.webhooks.receiving import Receiver, receiving, subscribe

pytestmark = pytest.mark.django_db
ADD = "/admin/events/subscription/add/"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as known:
        yield known


def form(address: str, **fields: Any) -> dict[str, Any]:
    return {
        "name": "CRM", "bot_id": "", "url": address, "format": "native", "kinds": ["message.sent"], "other_kinds": "", "filters-TOTAL_FORMS": "1",
        "filters-INITIAL_FORMS": "0", "filters-0-field": "", "filters-0-operator": "equals", "filters-0-value": "", **fields,
    }  # fmt: skip


def test_a_new_subscription_is_challenged_and_shows_its_secret_once(page: Client, receiver: Receiver) -> None:
    filled = {"filters-0-field": "status", "filters-0-value": "success", "other_kinds": "person.*, crm.synced"}
    shown = page.post(ADD, form(receiver.url, **filled))
    row = Subscription.objects.get()
    assert (shown.status_code, row.secret in shown.content.decode(), "no-store" in shown["Cache-Control"]) == (200, True, True)
    assert (row.state, row.kinds) == ("active", ["message.sent", "person.*", "crm.synced"])
    assert SubscriptionFilter.objects.values_list("field", "operator", "value").get() == ("status", "equals", "success")
    again = page.get(change(row)).content.decode()
    assert row.secret not in again
    assert "person.*, crm.synced" in again
    assert page.get(reverse("admin:events_subscription_history", args=[row.pk])).status_code == 200


def test_an_address_that_does_not_answer_the_challenge_is_told_nothing_until_it_does(page: Client, receiver: Receiver) -> None:
    receiver.echoes = False
    page.post(ADD, form(receiver.url))
    row = Subscription.objects.get()
    assert (row.state, row.state_text.startswith("The address answered without the challenge")) == ("new", True)
    assert "Nothing is sent yet" in page.get(change(row)).content.decode()
    assert told(page.post(act(row, "confirm"), follow=True))[0].startswith("The address answered without")
    receiver.echoes = True
    assert told(page.post(act(row, "confirm"), follow=True)) == ["The address has answered the challenge. Events are told from now on."]
    assert Subscription.objects.get().state == "active"


def test_another_address_has_to_prove_itself_anew(page: Client, receiver: Receiver) -> None:
    row = subscribe(receiver.url)
    receiver.echoes = False
    page.post(change(row), form(f"{receiver.url}/new"))
    assert Subscription.objects.get().state == "new"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"url": "ftp://data.example/"}, {"url": ["The address must begin with http:// or https://."]}),
        (
            {"url": "https://me:secret@data.example/"},
            {"url": ["The address holds a user name or password. Send them in the header Authorization instead."]},
        ),
        ({"kinds": []}, {"kinds": ["Choose at least one event."]}),
        (
            {"other_kinds": "what ever!"},
            {"other_kinds": ["“what ever!” is no name of an event. Names look like person.changed or person.*."]},
        ),
    ],
)
def test_what_cannot_work_is_refused_with_what_to_do(page: Client, fields: dict[str, Any], expected: dict[str, list[str]]) -> None:
    answer = page.post(ADD, form("https://data.example/hook", **fields))
    assert {name: [*found] for name, found in answer.context["adminform"].form.errors.items()} == expected


def test_a_test_event_is_seen_among_the_deliveries_and_sent_once_more(page: Client, receiver: Receiver) -> None:
    row = subscribe(receiver.url)
    page.post(act(row, "test"))
    delivery = Delivery.objects.get()
    assert delivery.kind == "webhook.test"
    assert change(delivery) in page.get(change(row)).content.decode()
    Delivery.objects.update(state="done")
    page.post(act(delivery, "replay"))
    assert Delivery.objects.values_list("state", "replays").get() == ("pending", 1)
    Delivery.objects.update(state="failed")
    page.post(listing("events.Delivery"), {"action": "replay_all", "_selected_action": [delivery.pk]})
    assert Delivery.objects.values_list("state", "replays").get() == ("pending", 2)


def test_pausing_holds_back_and_resuming_sends(page: Client, receiver: Receiver) -> None:
    row = subscribe(receiver.url)
    page.post(act(row, "test"))
    page.post(act(row, "pause"))
    assert (Subscription.objects.get().state, Delivery.objects.get().state) == ("paused", "held")
    page.post(act(row, "resume"))
    assert (Subscription.objects.get().state, Delivery.objects.get().state) == ("active", "pending")
    assert list(AuditEntry.objects.filter(action__startswith="events.sub").order_by("id").values_list("action", flat=True)) == [
        "events.subscription.test", "events.subscription.pause", "events.subscription.resume",
    ]  # fmt: skip


def test_a_new_secret_is_shown_once_and_the_former_one_stays_for_a_day(page: Client, receiver: Receiver) -> None:
    row = subscribe(receiver.url)
    former = row.secret
    shown = page.post(act(row, "rotate")).content.decode()
    row = Subscription.objects.get()
    assert (row.secret in shown, former in shown, row.live_secrets) == (True, False, [row.secret, former])


def test_a_span_of_time_is_replayed_from_the_page(page: Client, receiver: Receiver) -> None:
    row = subscribe(receiver.url, "message.sent")
    recording.record("message.sent", trace_id="t1")
    bus.pump()
    Delivery.objects.update(state="failed")
    now = timezone.localtime()
    span = {"since": f"{now:%Y-%m-%dT00:00}", "until": f"{now:%Y-%m-%dT23:59}"}
    answer = page.post(reverse("admin:events_subscription_replay", args=[row.pk]), {**span, "only_failed": "on"}, follow=True)
    assert told(answer) == ["1 event is sent again."]
    assert Delivery.objects.get().state == "pending"


def test_whoever_has_one_bot_subscribes_to_its_events_only(
    signed_in: Callable[..., Client], shop: World, bank: World, receiver: Receiver
) -> None:
    mine = signed_in("integrator", bots=[shop.bot])
    for bot_id in ("", str(bank.bot.pk)):
        assert "bot_id" in mine.post(ADD, form(receiver.url, bot_id=bot_id)).context["adminform"].form.errors
    assert mine.post(ADD, form(receiver.url, bot_id=str(shop.bot.pk))).status_code == 200
    assert Subscription.objects.get(name="CRM").bot_id == shop.bot.pk
    foreign = bank.rows["events.Subscription"]
    assert mine.post(act(foreign, "rotate")).status_code == 404
    assert mine.post(reverse("admin:events_subscription_replay", args=[foreign.pk]), {}).status_code == 404


def test_a_disabled_subscription_needs_attention_on_the_start_page(shop: World, bank: World) -> None:
    Subscription.objects.update(state="disabled", state_text="No delivery succeeded for 72 hours.")
    matters = startpage._disabled_subscriptions(make_staff("integrator", bots=[shop.bot]))
    assert [matter.title for matter in matters] == ["Subscription disabled: Data store"]


def test_a_failing_host_is_listed_and_called_again_at_once(page: Client) -> None:
    for _time in range(5):
        breaker.note("crm.example:443", good=False, reason="answered 500")
    assert "crm.example:443" in page.get(listing("core.HeldHost")).content.decode()
    assert "held back for" in page.get(change(HeldHost.objects.get())).content.decode()
    page.post(act(HeldHost.objects.get(), "reset"))
    assert not breaker.is_open("crm.example:443")
    assert AuditEntry.objects.filter(action="core.heldhost.reset").exists()
