"""Idempotency-Key and signed requests: one effect, the same answer, whatever happens in between."""

import json
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from apps.conversations import inbox
from apps.conversations.models import Message, Update
from apps.events.models import Event
from apps.gateway import repeating, signing, tokens
from apps.gateway.models import ApiToken, Endpoint, KeptAnswer
from apps.gateway.tasks import tidy
from apps.identity.models import Lead
from tests.gateway.asserting import refused, sent
from tests.gateway.making import Shop, end, endpoint_of, make_shop, message, respond

pytestmark = pytest.mark.django_db

REUSED = "This Idempotency-Key was used with another request. Use a new key for a new request."


def keyed(shop: Shop, body: Any = None, key: str = "order-9821", **options: Any) -> Any:
    return shop.call(body, headers={"Idempotency-Key": key, **options.pop("headers", {})}, **options)


def test_the_same_call_again_gets_the_same_answer_and_has_no_second_effect(shop: Shop) -> None:
    endpoint_of(shop, respond({"total": "{{ amount }}"}), message("Hi"), end(), alias="check")
    first = keyed(shop, alias="check")
    sent(first, data={"total": 3500})
    again = keyed(shop, alias="check")
    assert (again.status_code, again.json()) == (200, first.json())
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert (Update.objects.count(), Message.objects.count()) == (1, 1)
    events = Event.objects.filter(kind="endpoint.called").order_by("pk")
    assert [event.details.get("repeated", False) for event in events] == [False, True]
    assert {event.trace_id for event in events} == {first.json()["trace_id"]}


def test_spacing_and_order_of_keys_do_not_make_another_request(shop: Shop) -> None:
    first = keyed(shop, b'{"user_id":125,"amount":1}')
    again = keyed(shop, b'{ "amount": 1,\n "user_id": 125 }')
    assert again.json() == first.json()


@pytest.mark.parametrize("body", [{"user_id": 125, "amount": 2}, {"user_id": "125", "amount": 1}, {}])
def test_another_body_with_the_same_key_is_refused(shop: Shop, body: dict[str, Any]) -> None:
    sent(keyed(shop, {"user_id": 125, "amount": 1}))
    refused(keyed(shop, body), 409, "key_reused", REUSED)
    assert Message.objects.count() == 1


def test_another_endpoint_with_the_same_key_is_refused(shop: Shop) -> None:
    endpoint_of(shop, message("Hi"), end(), alias="other")
    sent(keyed(shop))
    refused(keyed(shop, alias="other"), 409, "key_reused", REUSED)


def test_another_key_is_another_call_and_so_is_the_same_key_of_another_token(shop: Shop) -> None:
    _row, other = tokens.issue(name="other", bots=[shop.bot])
    for answer in (keyed(shop), keyed(shop, key="order-9822"), keyed(shop, token=other)):
        sent(answer)
    assert Message.objects.count() == 3


def test_a_key_holds_across_a_change_of_tokens(shop: Shop) -> None:
    first = keyed(shop)
    _row, new = tokens.rotate(ApiToken.objects.get())
    assert keyed(shop, token=new).json() == first.json()
    assert Message.objects.count() == 1


def test_a_refused_call_leaves_its_key_free(shop: Shop) -> None:
    assert keyed(shop, {"user_id": 7}).status_code == 400
    sent(keyed(shop))
    assert KeptAnswer.objects.count() == 1


def test_a_script_error_is_repeated_too(shop: Shop) -> None:
    endpoint_of(shop, message("{{ amount | divided_by: 0 }}"), end(), alias="broken")
    first, again = keyed(shop, alias="broken"), keyed(shop, alias="broken")
    assert (first.status_code, again.status_code) == (500, 500)
    assert again.json() == first.json()
    assert Update.objects.count() == 1


def test_the_answer_stays_when_the_recipient_has_left_meanwhile(shop: Shop) -> None:
    first = keyed(shop)
    Lead.objects.update(is_active=False)
    Endpoint.objects.update(request_schema={"required": ["more"]})
    assert keyed(shop).json() == first.json()


def test_after_24_hours_the_key_is_free_again(shop: Shop) -> None:
    sent(keyed(shop))
    KeptAnswer.objects.update(created_at=timezone.now() - timedelta(hours=24, seconds=1))
    sent(keyed(shop, {"user_id": 125, "amount": 7}))
    assert Message.objects.count() == 2
    assert repeating.forget_old() == 0
    KeptAnswer.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert repeating.forget_old() == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "ключ", "a\tb"])
def test_a_key_that_cannot_be_used(shop: Shop, key: str) -> None:
    refused(keyed(shop, key=key), 400, "bad_request", "Idempotency-Key must be 1 to 255 printable characters.")


def test_long_keys_are_told_apart(shop: Shop) -> None:
    for key in ("x" * 255, "x" * 254 + "y"):
        sent(keyed(shop, key=key))
    assert Message.objects.count() == 2


def test_what_is_kept_is_encrypted(shop: Shop) -> None:
    endpoint_of(shop, respond({"name": "{{ user_name }}"}), message("Hi"), end(), alias="check")
    keyed(shop, alias="check")
    with connection.cursor() as cursor:
        cursor.execute("SELECT answer FROM gateway_keptanswer")
        assert cursor.fetchone()[0].startswith("enc1.")


def test_a_dry_run_neither_takes_nor_uses_a_key(shop: Shop) -> None:
    assert keyed(shop, query="?dry_run=true").json()["dry_run"] is True
    sent(keyed(shop))
    assert keyed(shop, query="?dry_run=true").json()["dry_run"] is True


def test_an_asynchronous_call_is_repeated_as_it_was(shop: Shop) -> None:
    first, again = keyed(shop, query="?async=1"), keyed(shop, query="?async=1")
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json() == first.json()
    assert Update.objects.count() == 1


def test_a_list_is_repeated_with_everything_that_was_told(shop: Shop) -> None:
    first, again = keyed(shop, {"userIds": [125, 7]}), keyed(shop, {"userIds": [125, 7]})
    assert again.json() == first.json()
    assert len(first.json()["results"]) == 2


@pytest.mark.django_db(transaction=True)
def test_two_at_the_same_time_have_one_effect_and_one_answer() -> None:
    shop, answers, together = make_shop(), list[Any](), threading.Barrier(5)

    def call() -> None:
        together.wait()
        try:
            answers.append(keyed(shop))
        finally:
            connection.close()

    threads = [threading.Thread(target=call) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [200] * 5
    assert len({json.dumps(answer.json()) for answer in answers}) == 1
    assert (Update.objects.count(), Message.objects.count(), KeptAnswer.objects.count()) == (1, 1, 1)


def test_a_call_whose_process_died_after_the_commit_is_finished_by_the_repeated_one(shop: Shop) -> None:
    """What such a death leaves: the key with its inbox items, no answer, nothing done yet."""
    first = keyed(shop, query="?async=1")
    KeptAnswer.objects.update(status=None, answer=json.loads(json.dumps(left(shop))))
    again = keyed(shop, query="?async=1")
    assert (again.status_code, again.json()) == (
        200,
        {"success": True, "message": "Communication sent", "trace_id": first.json()["trace_id"]},
    )
    assert (Update.objects.count(), Message.objects.count()) == (1, 1)
    assert keyed(shop, query="?async=1").json() == again.json()


def left(shop: Shop) -> dict[str, Any]:
    return {"updates": [Update.objects.get().pk], "leads": [shop.lead.code], "unreached": [], "several": False}


@pytest.mark.django_db(transaction=True)
def test_a_call_that_dies_before_the_commit_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    shop, original = make_shop(), inbox.post

    def dies(postings: Any) -> Any:
        original(postings)
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(inbox, "post", dies)
        assert keyed(shop).json()["code"] == "internal_error"
    assert (KeptAnswer.objects.count(), Update.objects.count()) == (0, 0)
    sent(keyed(shop))


# --- signatures ------------------------------------------------------------------------------------------------------


def signed(shop: Shop, body: bytes, *, message_id: str = "msg_1", secret: str = "sesame", **headers: str) -> Any:
    timestamp = str(int(time.time()))
    signature = signing.sign(secret, message_id=message_id, timestamp=timestamp, body=body)
    given = {"webhook-id": message_id, "webhook-timestamp": timestamp, "webhook-signature": signature, **headers}
    return shop.call(body, headers=given)


BODY = b'{"user_id":  125}'


@pytest.fixture
def signing_shop(shop: Shop) -> Shop:
    shop.endpoint.signing_secret = "sesame"
    shop.endpoint.save()
    return shop


def test_a_signed_call(signing_shop: Shop) -> None:
    sent(signed(signing_shop, BODY))


def test_an_unsigned_or_wrongly_signed_call(signing_shop: Shop) -> None:
    missing = "Invalid signature: webhook-id is missing or malformed"
    refused(signing_shop.call(BODY), 401, "invalid_signature", missing)
    refused(signed(signing_shop, BODY, secret="other"), 401, "invalid_signature", "Invalid signature")
    old = {"webhook-timestamp": str(int(time.time()) - 301)}
    message = "Invalid signature: webhook-timestamp is missing or more than five minutes away"
    refused(signed(signing_shop, BODY, **old), 401, "invalid_signature", message)
    assert Update.objects.count() == 0


def test_a_copied_request_is_refused(signing_shop: Shop) -> None:
    sent(signed(signing_shop, BODY))
    refused(signed(signing_shop, BODY), 409, "replayed", "A request with this webhook-id was already accepted")
    assert Message.objects.count() == 1
    sent(signed(signing_shop, BODY, message_id="msg_2"))


def test_an_id_is_used_up_only_by_an_accepted_call(signing_shop: Shop) -> None:
    assert signed(signing_shop, b'{"user_id": 7}').json()["code"] == "recipient_not_found"
    sent(signed(signing_shop, BODY))


def test_a_repeated_signed_call_with_its_key_gets_the_same_answer(signing_shop: Shop) -> None:
    first = signed(signing_shop, BODY, **{"Idempotency-Key": "k"})
    assert signed(signing_shop, BODY, **{"Idempotency-Key": "k"}).json() == first.json()


def test_a_dry_run_uses_no_id_up(signing_shop: Shop) -> None:
    assert signed(signing_shop, BODY, **{"X-Dry-Run": "true"}).json()["dry_run"] is True
    sent(signed(signing_shop, BODY))


def test_the_tidy_task_forgets_old_answers_only(shop: Shop) -> None:
    sent(keyed(shop, key="old"))
    KeptAnswer.objects.update(created_at=timezone.now() - timedelta(hours=25))
    sent(keyed(shop, key="new"))
    assert tidy() == 1
    assert [row.key for row in KeptAnswer.objects.all()] == ["key:new"]
