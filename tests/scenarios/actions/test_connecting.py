"""Connecting a chat from a scenario: what counts as proof there."""

from typing import Any

import pytest
from pytest_django.fixtures import Settings

from apps.conversations.models import Conversation, Lane
from apps.identity import attributes, linking, proving
from apps.identity.models import ExternalId, Lead, ProofCode
from apps.scenarios.action import ActionResult
from apps.scenarios.actions.registered_users__check_code import CheckCode, CheckCodeParams
from apps.scenarios.actions.registered_users__connect import Connect, ConnectParams
from apps.scenarios.actions.registered_users__send_code import SendCode, SendCodeParams
from apps.scenarios.models import Scenario, ScenarioVersion, Session
from tests.making import make_channel, make_lead
from tests.scenarios.actions.contexts import context_of

pytestmark = pytest.mark.django_db
PHONE = "+380501112233"


def connect(lead: Lead, *, session: Session | None = None, dry_run: bool = False, **fields: Any) -> ActionResult:
    context = context_of(lead, session_id=session.pk if session else None, dry_run=dry_run)
    return Connect().run(context, ConnectParams.model_validate(fields))


def started(lead: Lead, params: dict[str, Any], **start: Any) -> Session:
    """A session that an endpoint call (or what `start` says) began."""
    bot = lead.channel.bot
    lane = Lane.objects.create(key=f"{lead.channel_id}:{lead.chat_id}")
    conversation = Conversation.objects.create(bot=bot, lead=lead, person=lead.person, lane=lane)
    scenario = Scenario.objects.create(bot=bot, key="connect", name="Connect")
    version = ScenarioVersion.objects.create(scenario=scenario, number=1, definition={}, logic_hash="")
    return Session.objects.create(
        conversation=conversation,
        lead=lead,
        person=lead.person,
        scenario=scenario,
        version=version,
        start={"params": params, **start},
        trace_id="t",
    )


def test_the_own_contact_connects_when_it_is_the_systems_phone() -> None:
    lead = make_lead()
    assert connect(lead, user_id=125, phone="380501112233").exit == "no_proof"
    proving.own_contact(lead, phone=PHONE)
    assert connect(lead, user_id=125, phone="+380501112299").exit == "no_proof"
    assert connect(lead, user_id=125, phone=380501112233, dry_run=True).exit == "connected"
    assert ExternalId.objects.count() == 0
    assert connect(lead, user_id=125, phone=380501112233) == ActionResult("connected", values={"connect_reason": "", "user_id": 125})
    assert ExternalId.objects.get().value == "125"
    assert connect(lead, user_id=126, phone=PHONE) == ActionResult(
        "already_linked", values={"connect_reason": "This chat is linked to another user of the system."}
    )


def test_a_confirmed_mailbox_connects_and_a_typed_one_does_not() -> None:
    lead = make_lead()
    attributes.set_values(lead.person, {"email": "anna@example.com"}, source="typed")
    assert connect(lead, user_id=125, email="anna@example.com").exit == "no_proof"
    attributes.set_values(lead.person, {}, source="code", verified=["email"])
    assert connect(lead, user_id=125, email="anna@example.com", system="erp").exit == "connected"
    assert ExternalId.objects.get().system == "erp"


def test_nothing_is_connected_without_a_user_or_a_chat() -> None:
    lead = make_lead()
    proving.own_contact(lead, phone=PHONE)
    for nobody in (None, "", " "):
        assert connect(lead, user_id=nobody, phone=PHONE).exit == "no_proof"
    assert Connect().run(context_of(None), ConnectParams(user_id=125, phone=PHONE)).exit == "no_proof"


def test_a_connect_link_connects_the_chat_that_opened_it() -> None:
    channel = make_channel()
    lead = make_lead(channel)
    made = linking.make_link(channel.bot, channel, system="crm", external_id=125)
    assert connect(lead, token=made.token, dry_run=True).exit == "connected"
    assert connect(lead, token=made.token) == ActionResult("connected", values={"connect_reason": "", "user_id": 125})
    assert connect(make_lead(channel), token=made.token).exit == "no_proof"


def test_the_systems_call_for_this_chat_connects_when_the_person_confirms() -> None:
    lead = make_lead(chat_id="540278913")
    session = started(lead, {"userId": 125, "chatId": 540278913})
    assert connect(lead, session=session, user_id=125).exit == "no_proof"
    assert connect(lead, session=session, user_id=126, confirmed=True).exit == "no_proof"
    assert connect(lead, user_id=125, confirmed=True).exit == "no_proof"
    assert connect(lead, session=session, user_id=125, confirmed=True).exit == "connected"


@pytest.mark.parametrize(
    ("params", "start"),
    [
        ({"userId": 125}, {}),
        ({"userId": 125, "chatId": "other"}, {}),
        ({"userId": 125, "chatId": "540278913", "event": "order.made"}, {}),
        ({"userId": 125, "chatId": "540278913", "deep_link": "x"}, {}),
        ({"userId": 125, "chatId": "540278913"}, {"user_input": "hello"}),
        ({}, {}),
    ],
)
def test_what_is_not_the_systems_word_for_this_chat_proves_nothing(params: dict[str, Any], start: dict[str, Any]) -> None:
    lead = make_lead(chat_id="540278913")
    session = started(lead, params, **start)
    assert connect(lead, session=session, user_id=125, confirmed=True).exit == "no_proof"


def test_another_chats_session_proves_nothing() -> None:
    channel = make_channel()
    lead, other = make_lead(channel, "1"), make_lead(channel, "2")
    session = started(other, {"userId": 125, "leadId": lead.code})
    assert connect(lead, session=session, user_id=125, confirmed=True).exit == "no_proof"


def test_a_code_confirms_the_phone_and_then_connects(settings: Settings) -> None:
    settings.DEBUG = True
    lead = make_lead()

    def check(code: str, *, dry_run: bool = False) -> ActionResult:
        return CheckCode().run(context_of(lead, dry_run=dry_run), CheckCodeParams(code=code))

    def send(target: Any, *, dry_run: bool = False) -> str:
        return SendCode().run(context_of(lead, dry_run=dry_run), SendCodeParams(target=target)).exit

    assert send(PHONE, dry_run=True) == "sent"
    assert ProofCode.objects.count() == 0
    assert [send(target) for target in (None, "hello", PHONE)] == ["invalid", "invalid", "sent"]
    code = ProofCode.objects.get().code
    assert check("000000" if code != "000000" else "1", dry_run=True).exit == "confirmed"
    assert check("12") == ActionResult("wrong", values={"attempts_left": 4})
    assert check(code) == ActionResult("confirmed", values={"attempts_left": 3})
    assert check(code).exit == "expired"
    assert connect(lead, user_id=125, phone=PHONE).exit == "connected"
    assert [send(PHONE) for _time in range(3)] == ["sent", "sent", "too_many"]
    settings.DEBUG = False
    assert send(PHONE) == "unavailable"
