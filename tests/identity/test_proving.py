"""One-time codes: few, short-lived, hashed, sent at most once, and worth a confirmed contact."""

import json
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.events.models import Event
from apps.identity import proving
from apps.identity.models import Lead, ProofCode
from apps.identity.proving import Checked, Checking, Sending
from tests.identity.provider import Provider, provider
from tests.making import make_channel, make_lead

pytestmark = pytest.mark.django_db
PHONE = "+380501112233"


@pytest.fixture
def sms(settings: Settings) -> Iterator[Provider]:
    with provider() as running:
        settings.SMS_PROVIDER = {"url": f"{running.url}/send", "json": {"to": "{phone}", "texts": ["{text}"]}, "headers": {"X-Key": "k"}}
        yield running


def sent_code(sms: Provider) -> str:
    """The code of the latest message that left."""
    proving.deliver_pending()
    found = re.search(r"\d{6}", json.loads(sms.asked[-1][2])["texts"][0])
    assert found
    return found[0]


def test_the_right_code_confirms_the_phone_once(sms: Provider) -> None:
    lead = make_lead()
    assert proving.send_code(lead, way="phone", target="380 50 111 22 33") == Sending.SENT
    code = sent_code(sms)
    assert json.loads(sms.asked[0][2]) == {"to": PHONE, "texts": [f"Your code: {code}. It works for 10 minutes. Tell it to nobody."]}
    assert proving.check_code(lead, way="phone", code=f" {code[:3]} {code[3:]}") == Checked(Checking.CONFIRMED, 4)
    lead.person.refresh_from_db()
    assert (lead.person.phone, lead.person.phone_verified) == (PHONE, True)
    assert proving.check_code(lead, way="phone", code=code).status == Checking.EXPIRED
    assert [event.kind for event in Event.objects.order_by("id")] == ["code.sent", "person.changed"]


def test_a_code_leaves_once_and_is_not_kept(sms: Provider) -> None:
    proving.send_code(make_lead(), way="phone", target=PHONE)
    code = sent_code(sms)
    assert (proving.deliver_pending(), len(sms.asked)) == (0, 1)
    row = ProofCode.objects.get()
    assert (row.code, row.state) == ("", ProofCode.State.SENT)
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(t::text, ' ') FROM identity_proofcode t")
        stored = str(cursor.fetchone()[0])
    assert [secret for secret in (code, "501112233") if secret in stored] == []
    assert code not in str(list(Event.objects.values("details")))


def test_five_wrong_codes_end_it_even_for_the_right_one(sms: Provider) -> None:
    lead = make_lead()
    proving.send_code(lead, way="phone", target=PHONE)
    code = sent_code(sms)
    wrong = "000000" if code != "000000" else "000001"
    answers = [proving.check_code(lead, way="phone", code=wrong) for _attempt in range(5)]
    assert answers == [*[Checked(Checking.WRONG, left) for left in (4, 3, 2, 1)], Checked(Checking.EXPIRED)]
    assert proving.check_code(lead, way="phone", code=code).status == Checking.EXPIRED
    lead.person.refresh_from_db()
    assert not lead.person.phone_verified


def test_a_code_works_for_its_chat_and_way_and_ten_minutes_only(sms: Provider) -> None:
    channel = make_channel()
    lead, other = make_lead(channel), make_lead(channel)
    proving.send_code(lead, way="phone", target=PHONE)
    code = sent_code(sms)
    assert proving.check_code(other, way="phone", code=code).status == Checking.EXPIRED
    assert proving.check_code(lead, way="email", code=code).status == Checking.EXPIRED
    assert ProofCode.objects.get().expires_at <= timezone.now() + timedelta(minutes=10)
    ProofCode.objects.update(expires_at=timezone.now())
    assert proving.check_code(lead, way="phone", code=code).status == Checking.EXPIRED


def test_a_new_code_replaces_the_one_before(sms: Provider) -> None:
    lead = make_lead()
    proving.send_code(lead, way="phone", target=PHONE)
    first = sent_code(sms)
    proving.send_code(lead, way="phone", target="+380501112234")
    second = sent_code(sms)
    if first != second:
        assert proving.check_code(lead, way="phone", code=first).status == Checking.WRONG
    assert proving.check_code(lead, way="phone", code=second).status == Checking.CONFIRMED
    assert lead.person.phone == "+380501112234"


def test_codes_are_few_for_a_chat_and_for_a_phone(sms: Provider) -> None:
    channel = make_channel()
    lead = make_lead(channel)
    assert [proving.send_code(lead, way="phone", target=PHONE) for _time in range(4)] == [*[Sending.SENT] * 3, Sending.TOO_MANY]
    others = [make_lead(channel) for _number in range(3)]
    assert [proving.send_code(other, way="phone", target=PHONE) for other in others] == [Sending.SENT, Sending.SENT, Sending.TOO_MANY]
    assert proving.send_code(others[2], way="phone", target="+380501112299") == Sending.SENT


def test_what_cannot_be_sent_is_said(settings: Settings, sms: Provider) -> None:
    lead = make_lead()
    assert proving.send_code(lead, way="phone", target="hello") == Sending.INVALID
    assert proving.send_code(lead, way="email", target="anna@example.com") == Sending.UNAVAILABLE
    assert proving.send_code(lead, way="phone", target=PHONE, dry_run=True) == Sending.SENT
    settings.SMS_PROVIDER = {}
    assert proving.send_code(lead, way="phone", target=PHONE) == Sending.UNAVAILABLE
    assert ProofCode.objects.count() == 0


def test_a_provider_that_refuses_is_seen_and_not_asked_again(sms: Provider) -> None:
    sms.status = 500
    lead = make_lead()
    proving.send_code(lead, way="phone", target=PHONE)
    assert (proving.deliver_pending(), proving.deliver_pending(), len(sms.asked)) == (1, 0, 1)
    row = ProofCode.objects.get()
    assert (row.state, row.error, row.code) == (ProofCode.State.FAILED, "The provider answered 500.", "")
    event = Event.objects.get(kind="code.failed")
    assert (event.status, event.lead_id, event.details) == ("fail", lead.pk, {"way": "phone", "reason": "The provider answered 500."})


def test_a_provider_by_address_and_form_gets_quoted_values(settings: Settings, sms: Provider) -> None:
    settings.SMS_PROVIDER = json.dumps({"url": f"{sms.url}/?to={{phone}}", "method": "GET"})
    proving.send_code(make_lead(), way="phone", target=PHONE)
    proving.deliver_pending()
    assert sms.asked == [("GET", "/?to=%2B380501112233", "")]


def test_a_code_by_mail_speaks_the_persons_language(settings: Settings) -> None:
    settings.CODES_BY_EMAIL = True
    lead = make_lead()
    assert proving.send_code(lead, way="email", target="Anna@Example.com") == Sending.SENT
    proving.deliver_pending()
    message = mail.outbox[0]
    assert message.to == ["anna@example.com"]
    code = re.search(r"\d{6}", str(message.body))
    assert code
    assert proving.check_code(lead, way="email", code=code[0]).status == Checking.CONFIRMED
    assert (lead.person.email, lead.person.email_verified) == ("anna@example.com", True)


def test_development_shows_codes_in_the_log(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    settings.DEBUG = True
    proving.send_code(make_lead(), way="phone", target=PHONE)
    proving.deliver_pending()
    assert re.search(r"Your code: \d{6}", caplog.text)
    assert "501112233" not in caplog.text


def test_the_messengers_statement_confirms_a_phone() -> None:
    lead = make_lead()
    assert proving.own_contact(lead, phone="380501112233")
    assert (lead.person.phone, lead.person.phone_verified) == (PHONE, True)
    assert not proving.own_contact(lead, phone="none")


def test_what_is_over_is_forgotten(sms: Provider) -> None:
    proving.send_code(make_lead(), way="phone", target=PHONE)
    proving.tidy()
    assert ProofCode.objects.count() == 1
    ProofCode.objects.update(expires_at=timezone.now() - timedelta(days=2))
    proving.tidy()
    assert ProofCode.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_a_thousand_guesses_at_once_are_five(sms: Provider) -> None:
    lead = make_lead()
    proving.send_code(lead, way="phone", target=PHONE)
    code = sent_code(sms)
    wrong = "000000" if code != "000000" else "000001"
    gate = threading.Barrier(12)

    def guess(_number: int) -> Checking:
        gate.wait()
        try:
            return proving.check_code(Lead.objects.select_related("person").get(pk=lead.pk), way="phone", code=wrong).status
        finally:
            connection.close()

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(guess, range(12)))
    assert set(answers) <= {Checking.WRONG, Checking.EXPIRED}
    assert ProofCode.objects.get().attempts == 5
    assert proving.check_code(lead, way="phone", code=code).status == Checking.EXPIRED
