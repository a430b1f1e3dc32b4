"""A chat becomes a user of another system: only with proof, never silently over an active link, once per token."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.events.models import Event
from apps.identity import attributes, linking, proofs
from apps.identity.linking import LinkResult, Status
from apps.identity.models import ConnectLink, ExternalId, Lead, Person, PersonMerge
from apps.identity.proofs import Proof, Way
from tests.making import make_bot, make_channel, make_lead

pytestmark = pytest.mark.django_db


def proof(lead: Lead, external_id: str = "125", *, system: str = "crm") -> Proof:
    found = proofs.by_system(lead, system=system, external_id=external_id, named=True, confirmed=True)
    assert found
    return found


def link(lead: Lead, external_id: str = "125", *, system: str = "crm") -> LinkResult:
    return linking.link(lead, system=system, external_id=external_id, proof=proof(lead, external_id, system=system))


def test_a_proven_user_is_noted_with_the_time() -> None:
    lead = make_lead()
    result = linking.link(lead, system="crm", external_id="125", proof=proof(lead))
    assert (result.status, result.changed, result.external_id) == (Status.CONNECTED, True, "125")
    lead.refresh_from_db()
    assert lead.connected_at is not None
    assert list(lead.person.external_ids.values_list("system", "value")) == [("crm", "125")]
    event = Event.objects.get(kind="lead.connected")
    assert (event.lead_id, event.details) == (lead.pk, {"system": "crm", "external_id": "125", "way": "system_call"})
    assert linking.link(lead, system="crm", external_id="125", proof=proof(lead)).changed is False
    assert Event.objects.filter(kind="lead.connected").count() == 1


def test_nothing_is_linked_without_proof_for_this_very_chat_user_and_system() -> None:
    channel = make_channel()
    lead, other = make_lead(channel), make_lead(channel)
    for wrong in (None, proof(other), proof(lead, "126"), proof(lead, system="erp")):
        assert linking.link(lead, system="crm", external_id="125", proof=wrong).status == Status.NO_PROOF
    assert linking.link(lead, system="crm", external_id=" ", proof=proof(lead, "")).status == Status.NO_PROOF
    lead.is_group = True
    assert link(lead).status == Status.NO_PROOF
    assert ExternalId.objects.count() == 0
    refused = Event.objects.filter(kind="lead.not_connected", status="fail")
    assert (refused.count(), Event.objects.filter(kind="lead.connected").count()) == (6, 0)


def test_a_typed_phone_proves_nothing_and_a_confirmed_one_that_equals_the_systems_does() -> None:
    lead = make_lead()
    attributes.set_values(lead.person, {"phone": "+380501112233", "email": "anna@example.com"}, source="typed")
    assert proofs.by_contact(lead, system="crm", external_id="125", phone="380501112233", email="anna@example.com") is None
    attributes.set_values(lead.person, {"phone": "+380501112233"}, source="own contact", verified=["phone"])
    found = proofs.by_contact(lead, system="crm", external_id="125", phone="380501112233")
    assert found == Proof(Way.OWN_CONTACT, lead.pk, "crm", "125")
    for foreign in ("+380501112234", "", "no number"):
        assert proofs.by_contact(lead, system="crm", external_id="125", phone=foreign, email="anna@example.com") is None
    attributes.set_values(lead.person, {}, source="code", verified=["email"])
    assert proofs.by_contact(lead, system="crm", external_id="125", email="ANNA@example.com") is not None


def test_the_systems_word_needs_the_chat_named_and_the_person_to_agree() -> None:
    lead = make_lead()
    for named, confirmed in ((False, True), (True, False), (False, False)):
        assert proofs.by_system(lead, system="crm", external_id="125", named=named, confirmed=confirmed) is None


def test_a_telegram_login_proves_the_chat_of_the_same_account_only() -> None:
    lead = make_lead(chat_id="11")
    assert proofs.by_telegram_login(lead, telegram_id="11", system="crm", external_id="125") is not None
    assert proofs.by_telegram_login(lead, telegram_id="12", system="crm", external_id="125") is None
    assert proofs.by_telegram_login(make_lead(chat_id=""), telegram_id="", system="crm", external_id="125") is None


def test_a_second_user_of_the_same_system_is_refused_and_another_system_is_welcome() -> None:
    lead = make_lead()
    assert link(lead).linked
    assert link(lead, "126").status == Status.ALREADY_LINKED
    assert link(lead, "A-77", system="erp").linked
    assert sorted(lead.person.external_ids.values_list("system", "value")) == [("crm", "125"), ("erp", "A-77")]


def test_a_known_user_in_another_channel_becomes_one_person() -> None:
    telegram = make_channel()
    widget = make_channel(telegram.bot, kind="widget")
    first = make_lead(telegram, name="Anna", attributes={"city": "Kyiv"})
    link(first)
    second = make_lead(widget, name="visitor", language="uk", attributes={"city": "Lviv", "page": "/p/1"})
    absorbed = second.person_id
    assert link(second).linked
    assert second.person_id == first.person_id
    assert Person.objects.count() == 1
    person = Person.objects.get()
    assert (person.name, person.language, person.attributes) == ("Anna", "uk", {"city": "Kyiv", "page": "/p/1"})
    assert PersonMerge.objects.get().absorbed_id == absorbed
    assert Event.objects.get(kind="person.merged").person_id == first.person_id
    assert set(Lead.objects.filter(connected_at__isnull=False)) == {first, second}


def test_an_active_chat_of_the_user_in_the_same_channel_is_never_displaced_silently() -> None:
    channel = make_channel()
    old, new = make_lead(channel), make_lead(channel)
    link(old)
    assert link(new).status == Status.ALREADY_LINKED
    assert new.person_id != old.person_id
    new.refresh_from_db()
    assert new.connected_at is None
    Lead.objects.filter(pk=old.pk).update(is_active=False)
    assert link(new).linked


def test_a_move_needs_the_agreement_of_the_other_chat_and_leaves_it_nobody() -> None:
    channel = make_channel()
    old, new = make_lead(channel, name="Anna", attributes={"city": "Kyiv"}), make_lead(channel)
    link(old)
    move = linking.move
    assert move(new, system="crm", external_id="125", proof=proof(new), consent=None).status == Status.NO_PROOF
    stranger = make_lead(channel)
    assert move(new, system="crm", external_id="125", proof=proof(new), consent=proof(stranger)).status == Status.ALREADY_LINKED
    assert move(new, system="crm", external_id="125", proof=None, consent=proof(old)).status == Status.NO_PROOF
    old.refresh_from_db()
    assert old.connected_at is not None
    assert move(new, system="crm", external_id="125", proof=proof(new), consent=proof(old)).linked
    left = Lead.objects.get(pk=old.pk)
    new.refresh_from_db()
    assert left.connected_at is None
    assert (left.person.attributes, left.person.external_ids.count()) == ({}, 0)
    assert (new.person.name, new.person.attributes) == ("Anna", {"city": "Kyiv"})


def test_a_conflict_in_a_further_system_is_refused_and_changes_nothing() -> None:
    telegram = make_channel()
    first, second = make_lead(telegram), make_lead(make_channel(telegram.bot, kind="widget"))
    link(first)
    link(first, "A-1", system="erp")
    link(second, "A-2", system="erp")
    assert link(second).status == Status.ALREADY_LINKED
    assert Person.objects.count() == 2


def test_a_link_opened_in_the_chat_connects_it_once() -> None:
    channel = make_channel(account={"username": "shop_bot"})
    lead, other = make_lead(channel), make_lead(channel)
    made = linking.make_link(channel.bot, channel, system="crm", external_id=125)
    assert linking.is_token(made.token)
    assert made.url == f"https://t.me/shop_bot?start={made.token}"
    assert made.token not in str(list(ConnectLink.objects.values()))
    assert linking.redeem(made.token, lead).linked
    assert linking.redeem(made.token, other).status == Status.NO_PROOF
    again = linking.redeem(made.token, lead)
    assert (again.linked, again.changed) == (True, False)
    assert list(lead.person.external_ids.values_list("value", flat=True)) == ["125"]
    assert [event.details for event in Event.objects.filter(kind="connect_link.refused")] == [
        {"reason": "This link has been used already. Ask for a new one."},
    ]


def test_a_link_works_only_in_its_bot_and_channel_and_time() -> None:
    channel = make_channel()
    made = linking.make_link(channel.bot, channel, system="crm", external_id="125")
    elsewhere = [make_lead(make_channel(channel.bot)), make_lead(make_channel(make_bot()))]
    assert [linking.redeem(made.token, lead).status for lead in elsewhere] == [Status.NO_PROOF] * 2
    ConnectLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    result = linking.redeem(made.token, make_lead(channel))
    assert (result.status, result.reason) == (Status.NO_PROOF, "This link has expired. Ask for a new one.")
    assert linking.redeem("c_" + "0" * 22, make_lead(channel)).status == Status.NO_PROOF


def test_a_links_life_is_limited_by_the_installation(settings: Settings) -> None:
    channel = make_channel()
    settings.CONNECT_LINK_MAX_SECONDS = 600
    assert linking.make_link(channel.bot, channel, system="crm", external_id="1", ttl=86_400).expires_at <= timezone.now() + timedelta(
        seconds=600
    )
    settings.CONNECT_LINK_MAX_SECONDS = 86_400
    assert linking.make_link(channel.bot, channel, system="crm", external_id="1", ttl=86_400).expires_at > timezone.now() + timedelta(
        hours=23
    )


@pytest.mark.parametrize(
    ("text", "is_token"), [("c_7Zk2Qp", False), ("c_" + "aZ0" * 7 + "b", True), ("c_" + "-" * 22, False), ("promo", False)]
)
def test_tokens_are_told_from_other_payloads(text: str, is_token: bool) -> None:  # noqa: FBT001
    assert linking.is_token(text) is is_token


@pytest.mark.django_db(transaction=True)
def test_of_many_chats_that_open_one_link_at_once_one_wins() -> None:
    channel = make_channel()
    leads = [make_lead(channel) for _number in range(6)]
    token = linking.make_link(channel.bot, channel, system="crm", external_id="125").token
    gate = threading.Barrier(len(leads))

    def redeem(lead: Lead) -> Status:
        gate.wait()
        try:
            return linking.redeem(token, lead).status
        finally:
            connection.close()

    with ThreadPoolExecutor(len(leads)) as pool:
        results = sorted(pool.map(redeem, leads))
    assert results == [Status.CONNECTED, *[Status.NO_PROOF] * 5]
    assert ExternalId.objects.count() == 1
    assert Lead.objects.filter(connected_at__isnull=False).count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_channels_that_prove_one_user_at_once_both_become_one_person() -> None:
    telegram = make_channel()
    leads = [make_lead(telegram), make_lead(make_channel(telegram.bot, kind="widget"))]
    gate = threading.Barrier(2)

    def connect(lead: Lead) -> bool:
        gate.wait()
        try:
            return link(lead).linked
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(connect, leads)) == [True, True]
    assert len(set(Lead.objects.values_list("person_id", flat=True))) == 1
    assert Person.objects.count() == 1
