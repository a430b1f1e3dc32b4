"""Whom a call means: one lead a person, exact values only, nobody silently left out."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from apps.bots import known as cached
from apps.identity import attributes, recipients
from apps.identity.models import ExternalId, Lead, Person
from apps.identity.recipients import Asked
from tests.making import make_bot, make_channel, make_lead

pytestmark = pytest.mark.django_db


def known(lead: Lead, user_id: str, *, system: str = "crm") -> Lead:
    ExternalId.objects.create(bot=lead.channel.bot, person=lead.person, system=system, value=user_id)
    return lead


def test_a_user_is_found_by_the_id_of_the_asking_system_alone() -> None:
    channel = make_channel()
    anna, other = known(make_lead(channel), "125"), known(make_lead(channel), "125", system="erp")
    found = recipients.find(channel.bot, system="crm", user_ids=[125, "126"])
    assert (found.leads, found.missing, found.inactive) == ([anna], [Asked("userId", "126")], [])
    assert recipients.find(channel.bot, system="erp", user_ids=["125"]).leads == [other]
    assert recipients.find(make_bot(), system="crm", user_ids=["125"]).missing == [Asked("userId", "125")]


def test_one_person_gets_one_message_in_the_chat_of_last_activity() -> None:
    telegram = make_channel()
    widget = make_channel(telegram.bot, kind="widget")
    first = known(make_lead(telegram), "125")
    second = make_lead(widget)
    Lead.objects.filter(pk=second.pk).update(person=first.person, last_inbound_at=timezone.now())
    Lead.objects.filter(pk=first.pk).update(last_inbound_at=timezone.now() - timedelta(days=1))
    find = recipients.find
    assert find(telegram.bot, system="crm", user_ids=["125"]).leads == [second]
    assert find(telegram.bot, system="crm", user_ids=["125"], channel_kind="telegram").leads == [first]
    assert find(telegram.bot, system="crm", user_ids=["125", "125"], lead_ids=[first.code]).leads == [second]
    Lead.objects.filter(pk=second.pk).update(is_active=False)
    assert find(telegram.bot, system="crm", user_ids=["125"]).leads == [first]


def test_a_chat_or_lead_id_means_that_very_chat() -> None:
    channel = make_channel()
    lead = make_lead(channel, "540278913")
    find = recipients.find
    assert find(channel.bot, system="crm", lead_ids=[lead.code.lower()]).leads == [lead]
    assert find(channel.bot, system="crm", chat_ids=[540278913]).leads == [lead]
    assert find(make_bot(), system="crm", lead_ids=[lead.code], chat_ids=["540278913"]).leads == []


def test_who_blocked_the_bot_or_sits_in_a_closed_channel_is_told_apart_from_who_is_unknown() -> None:
    channel = make_channel()
    blocked = known(make_lead(channel), "1")
    Lead.objects.filter(pk=blocked.pk).update(is_active=False)
    closed = known(make_lead(make_channel(channel.bot, is_active=False)), "2")
    found = recipients.find(channel.bot, system="crm", user_ids=["1", "2", "3"])
    assert (found.leads, found.inactive, found.missing) == ([], [blocked, closed], [Asked("userId", "3")])


def test_a_phone_counts_only_when_it_is_confirmed() -> None:
    channel = make_channel()
    claims, owns = make_lead(channel), make_lead(channel)
    attributes.set_values(claims.person, {"phone": "+380501112233", "email": "anna@example.com"}, source="typed")
    found = recipients.find(channel.bot, system="crm", phones=["+380501112233"], emails=["anna@example.com"])
    assert (found.leads, found.missing) == ([], [Asked("phone", "+380501112233"), Asked("email", "anna@example.com")])
    attributes.set_values(owns.person, {"phone": "+380501112233", "email": "anna@example.com"}, source="code", verified=["phone", "email"])
    found = recipients.find(channel.bot, system="crm", phones=["380 50 111 22 33"], emails=[" Anna@example.com"])
    assert (found.leads, found.missing) == ([owns], [])
    assert recipients.find(channel.bot, system="crm", phones=["", "x"]).missing == [Asked("phone", ""), Asked("phone", "x")]


def test_a_group_is_reached_by_its_own_id_only() -> None:
    channel = make_channel()
    group = known(make_lead(channel, "-100"), "125")
    Lead.objects.filter(pk=group.pk).update(is_group=True)
    assert recipients.find(channel.bot, system="crm", user_ids=["125"]).missing == [Asked("userId", "125")]
    assert recipients.find(channel.bot, system="crm", chat_ids=[-100]).leads == [group]


def test_a_thousand_recipients_cost_as_many_queries_as_one(django_assert_num_queries: DjangoAssertNumQueries, settings: Settings) -> None:
    channel = make_channel()
    people = Person.objects.bulk_create(Person(bot=channel.bot) for _number in range(1000))
    ExternalId.objects.bulk_create(ExternalId(bot=channel.bot, person=person, value=str(number)) for number, person in enumerate(people))
    Lead.objects.bulk_create(
        Lead(channel=channel, person=person, chat_id=str(number), code=f"TG-x{number}") for number, person in enumerate(people)
    )
    cached.channels()
    settings.CACHE_CHECK_SECONDS = 60  # what was just read is kept
    with django_assert_num_queries(1):
        found = recipients.find(channel.bot, system="crm", user_ids=[str(number) for number in reversed(range(1000))])
    assert [lead.chat_id for lead in found.leads] == [str(number) for number in reversed(range(1000))]
