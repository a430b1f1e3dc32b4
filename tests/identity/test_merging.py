"""Merging takes everything along, wherever it lies, and can be taken back."""

import pytest

from apps.conversations.models import Conversation, Lane
from apps.identity import attributes, linking, merging, proofs
from apps.identity.merging import MergeConflictError
from apps.identity.models import ClientField, ExternalId, Lead, Person
from tests.making import make_channel, make_lead

pytestmark = pytest.mark.django_db


def conversation(lead: Lead) -> Conversation:
    lane = Lane.objects.create(key=f"{lead.channel_id}:{lead.chat_id}")
    return Conversation.objects.create(bot=lead.channel.bot, lead=lead, person=lead.person, lane=lane)


def test_everything_moves_and_nothing_is_overwritten() -> None:
    ClientField.objects.create(key="passport", label="Passport", is_private=True)
    channel = make_channel()
    kept, absorbed = (
        make_lead(channel, attributes={"city": "Kyiv"}),
        make_lead(channel, name="Anna", attributes={"city": "Lviv", "plan": "gold"}),
    )
    attributes.set_values(absorbed.person, {"passport": "AA1", "phone": "+380501112233"}, source="test", verified=["phone"])
    ExternalId.objects.create(bot=channel.bot, person=absorbed.person, system="erp", value="A-77")
    talk = conversation(absorbed)
    merging.merge(kept=kept.person, absorbed=absorbed.person, reason="test")
    talk.refresh_from_db()
    absorbed.refresh_from_db()
    assert talk.person_id == absorbed.person_id == kept.person_id
    person = Person.objects.get()
    assert (person.name, person.attributes, person.private) == ("Anna", {"city": "Kyiv", "plan": "gold"}, {"passport": "AA1"})
    assert (person.phone, person.phone_verified) == ("+380501112233", True)
    assert list(person.external_ids.values_list("system", flat=True)) == ["erp"]
    assert list(attributes.find(channel.bot, key="passport", value="AA1")) == [person]


def test_a_merge_can_be_taken_back_once() -> None:
    channel = make_channel()
    kept, absorbed = make_lead(channel, attributes={"city": "Kyiv"}), make_lead(channel, name="Anna", private={"passport": "AA1"})
    before = Person.objects.filter(pk=absorbed.person_id).values().get()
    talk, other_talk = conversation(absorbed), conversation(kept)
    record = merging.merge(kept=kept.person, absorbed=absorbed.person, reason="test")
    attributes.set_values(kept.person, {"since": "then"}, source="test")
    restored = merging.unmerge(record)
    after = Person.objects.filter(pk=restored.pk).values().get()
    assert {**after, "updated_at": 0} == {**before, "updated_at": 0}
    for row in (talk, other_talk, kept, absorbed):
        row.refresh_from_db()
    assert (talk.person_id, other_talk.person_id) == (absorbed.person_id, kept.person_id) == (restored.pk, record.kept_id)
    assert (kept.person.name, kept.person.attributes, kept.person.private) == ("", {"city": "Kyiv", "since": "then"}, {})
    record.refresh_from_db()
    with pytest.raises(MergeConflictError):
        merging.unmerge(record)


def test_two_users_of_one_system_are_not_one_person() -> None:
    channel = make_channel()
    leads = [make_lead(channel), make_lead(channel)]
    for number, lead in enumerate(leads):
        ExternalId.objects.create(bot=channel.bot, person=lead.person, system="crm", value=str(number))
    with pytest.raises(MergeConflictError):
        merging.merge(kept=leads[0].person, absorbed=leads[1].person, reason="test")
    with pytest.raises(MergeConflictError):
        merging.merge(kept=leads[0].person, absorbed=make_lead().person, reason="another bot")
    assert Person.objects.count() == 3


def test_a_disconnected_chat_takes_its_conversation_along_and_leaves_the_user_behind() -> None:
    channel = make_channel()
    lead = make_lead(channel, name="Anna")
    old = lead.person_id
    proof = proofs.by_system(lead, system="crm", external_id="125", named=True, confirmed=True)
    linking.link(lead, system="crm", external_id="125", proof=proof)
    talk = conversation(lead)
    person = linking.disconnect(lead, reason="asked by the client")
    talk.refresh_from_db()
    lead.refresh_from_db()
    assert talk.person_id == lead.person_id == person.pk != old
    assert (lead.connected_at, person.external_ids.count()) == (None, 0)
    assert ExternalId.objects.get().person_id == old
