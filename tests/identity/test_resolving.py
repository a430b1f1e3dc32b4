"""A chat is one lead and one person, in few queries and whoever asks at the same time."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from apps.identity import resolving
from apps.identity.models import Lead, Person
from tests.making import make_channel, make_lead

pytestmark = pytest.mark.django_db


def test_an_unknown_chat_gets_a_lead_and_a_person_from_what_the_messenger_tells() -> None:
    channel = make_channel()
    profile = {"first_name": "Anna", "last_name": "K", "username": "anna_k", "language": "uk", "phone": "+380501112233"}
    lead = resolving.leads_of({7: (channel, "540278913")}, profiles={7: profile})[7]
    assert lead.code == f"TG-{lead.pk}"
    assert (lead.chat_id, lead.display_name, lead.username, lead.is_active) == ("540278913", "Anna K", "anna_k", True)
    assert lead.profile == {
        "first_name": "Anna",
        "last_name": "K",
        "username": "anna_k",
        "language": "uk",
        "claimed_phone": "+380*******33",
    }
    assert (lead.person.name, lead.person.language, lead.person.phone, lead.person.bot_id) == ("Anna K", "uk", "", channel.bot_id)


def test_a_group_is_known_as_one() -> None:
    assert resolving.leads_of({1: (make_channel(), "-100")}, profiles={1: {"name": "Family", "group": True}})[1].is_group


def test_codes_carry_the_prefix_of_the_messenger() -> None:
    channel = make_channel(kind="widget")
    lead = resolving.leads_of({1: (channel, "w_1")})[1]
    assert lead.code == f"WEB-{lead.pk}"


def test_known_chats_cost_one_query_however_many(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    channel = make_channel()
    wanted = {number: (channel, f"{number}") for number in range(100)}
    made = resolving.leads_of(wanted)
    with django_assert_num_queries(1):
        found = resolving.leads_of(wanted)
        assert {number: (lead.pk, lead.person.bot_id, lead.channel.bot.name) for number, lead in found.items()} == {
            number: (lead.pk, channel.bot_id, channel.bot.name) for number, lead in made.items()
        }


def test_unknown_chats_are_made_together(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    channel = make_channel()
    with django_assert_num_queries(9):  # look, 2 × ids, savepoint, leads, which are ours, people, release, look again
        resolving.leads_of({number: (channel, f"{number}") for number in range(50)})
    assert (Lead.objects.count(), Person.objects.count()) == (50, 50)


def test_one_chat_in_two_channels_is_two_leads() -> None:
    one, other = make_channel(), make_channel()
    leads = resolving.leads_of({1: (one, "5"), 2: (other, "5"), 3: (one, "5")})
    assert leads[1].pk == leads[3].pk != leads[2].pk
    assert Lead.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_eight_at_once_make_one_lead_and_leave_nobody_behind() -> None:
    channel = make_channel()
    gate = threading.Barrier(8)

    def resolve(number: int) -> int:
        gate.wait()
        try:
            with transaction.atomic():
                chats = [f"{chat}" for chat in (range(5) if number % 2 else reversed(range(5)))]
                leads = resolving.leads_of({place: (channel, chat) for place, chat in enumerate(chats)})
                return next(lead.pk for lead in leads.values() if lead.chat_id == "3")
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(resolve, range(8)))
    assert len(ids) == 1
    assert (Lead.objects.count(), Person.objects.count()) == (5, 5)
    assert set(Lead.objects.values_list("person_id", flat=True)) == set(Person.objects.values_list("pk", flat=True))


def hear(lead: Lead, profile: dict[str, Any], *, at: datetime | None = None) -> None:
    resolving.heard_from([resolving.Heard(lead, at or timezone.now(), profile)])


def test_two_chats_of_one_person_who_write_in_one_batch() -> None:
    """The second one has a copy of the person that knows nothing of what the first one changed."""
    first, second = make_lead(), make_lead()
    Lead.objects.filter(pk=second.pk).update(person=first.person)
    second = Lead.objects.select_related("person").get(pk=second.pk)
    now = timezone.now()
    resolving.heard_from(
        [resolving.Heard(first, now, {"language": "de"}), resolving.Heard(second, now, {"name": "Anna"}), resolving.Heard(first, now, {})]
    )
    person = Person.objects.get(pk=first.person_id)
    assert (person.name, person.language) == ("Anna", "de")
    assert set(Lead.objects.values_list("display_name", "last_inbound_at")) == {("", now), ("Anna", now)}


def test_hearing_from_a_known_chat_costs_nothing_within_a_minute(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    lead, now = make_lead(), timezone.now()
    profile = {"name": "Anna", "language": "en"}
    hear(lead, profile, at=now)
    with django_assert_num_queries(0):
        hear(lead, profile, at=now + timedelta(seconds=59))
    with django_assert_num_queries(1):
        hear(lead, profile, at=now + timedelta(seconds=60))
    lead.refresh_from_db()
    assert lead.last_inbound_at == now + timedelta(seconds=60)


def test_a_blocked_chat_is_active_again_when_the_person_writes() -> None:
    lead = make_lead()
    resolving.deactivate(lead, reason="The client blocked the bot.")
    lead.refresh_from_db()
    assert (lead.is_active, lead.inactive_reason) == (False, "The client blocked the bot.")
    hear(lead, {})
    lead.refresh_from_db()
    assert (lead.is_active, lead.inactive_reason) == (True, "")


def test_names_follow_the_messenger_until_somebody_gave_another() -> None:
    lead = make_lead()
    hear(lead, {"name": "Anna", "language": "en_US"})
    assert (lead.person.name, lead.display_name, lead.person.language) == ("Anna", "Anna", "en-US")
    hear(lead, {"name": "Anna K", "language": "de"})
    assert (lead.person.name, lead.display_name, lead.person.language) == ("Anna K", "Anna K", "en-US")
    Person.objects.filter(pk=lead.person_id).update(name="Anna from the CRM")
    lead.person.refresh_from_db()
    hear(lead, {"name": "Anna L"})
    lead.refresh_from_db()
    assert (lead.person.name, lead.display_name) == ("Anna from the CRM", "Anna L")


def test_a_chat_that_got_a_new_id_stays_the_same_lead() -> None:
    lead = make_lead(chat_id="-500")
    assert resolving.migrate(lead, chat_id="-100500").pk == lead.pk
    lead.refresh_from_db()
    assert lead.chat_id == "-100500"


def test_a_chat_that_has_written_from_its_new_id_already_goes_on_there() -> None:
    channel = make_channel()
    old, new = make_lead(channel, "-500"), make_lead(channel, "-100500")
    assert resolving.migrate(old, chat_id="-100500").pk == new.pk
    old.refresh_from_db()
    assert (old.is_active, old.inactive_reason) == (False, f"The chat has moved to {new.code}.")
