"""A client field was declared personal, or not any more: the values that people already have move to where they belong."""

from django.db import connection, transaction

from apps.identity.attributes import index_private
from apps.identity.models import ClientField, Person, PrivateIndex

BATCH = 500


def reclassify(field: ClientField) -> int:
    """Move existing values between clear and encrypted, the history's clear copies included; how many people were changed.

    Safe to run again. To be called after a field is made or its “personal data” mark changes.
    """
    moved = _encrypt(field.key) if field.is_private else _decrypt(field.key)
    if field.is_private:
        _forget_in_history(field.key)
    return moved


def _encrypt(key: str) -> int:
    moved = 0
    while ids := list(Person.objects.filter(attributes__has_key=key).values_list("pk", flat=True)[:BATCH]):
        moved += _move(ids, key, origin="attributes", target="private")
    return moved


def _decrypt(key: str) -> int:
    moved = 0
    while ids := list(PrivateIndex.objects.filter(key=key).values_list("person_id", flat=True)[:BATCH]):
        moved += _move(ids, key, origin="private", target="attributes")
    return moved


def _move(ids: list[int], key: str, *, origin: str, target: str) -> int:
    with transaction.atomic():
        people = list(Person.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk"))
        for person in people:
            if key in getattr(person, origin):
                getattr(person, target)[key] = getattr(person, origin).pop(key)
            Person.objects.filter(pk=person.pk).update(attributes=person.attributes, private=person.private)
            index_private(person, written=[key], removed=() if target == "private" else [key])
    return len(people)


def _forget_in_history(key: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE identity_historicalperson SET attributes = attributes - %s WHERE attributes ? %s", [key, key])
