"""Find a person by whatever one has at hand. Each way goes through an index, so that a million people cost no more than ten."""

import re
from collections.abc import Iterable

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models import QuerySet

from apps.bots.models import Channel
from apps.identity import contacts
from apps.identity.models import ExternalId, Lead, Person

FOUND = 500
_WORD = re.compile(r"[^\W_]+")


def people(rows: QuerySet[Person], text: str) -> QuerySet[Person]:
    """Those of `rows` whose lead code, chat id, user id, phone or e-mail is exactly `text`, or whose name has words that begin so."""
    text = text.strip()
    if not text:
        return rows
    exact = {*_by_contact(text), *leads(Lead.objects.all(), text).values_list("person_id", flat=True)[:FOUND]}
    named = by_name(rows, text).order_by("-pk").values_list("pk", flat=True)[:FOUND]
    return rows.filter(pk__in=exact | set(named))


def leads(rows: QuerySet[Lead], text: str) -> QuerySet[Lead]:
    """Those of `rows` whose code or chat id is exactly `text`, or whose person has it as a user id."""
    text = text.strip()
    if not text:
        return rows
    # All channels are named, because the index on chat ids begins with the channel.
    by_chat = Lead.objects.filter(channel_id__in=list(Channel.objects.values_list("pk", flat=True)), chat_id=text).values_list(
        "pk", flat=True
    )
    by_code = Lead.objects.filter(code=text.upper()).values_list("pk", flat=True)
    by_user = Lead.objects.filter(person_id__in=list(ExternalId.objects.filter(value=text).values_list("person_id", flat=True)[:FOUND]))
    return rows.filter(pk__in={*by_chat[:FOUND], *by_code, *by_user.values_list("pk", flat=True)[:FOUND]})


def by_name(rows: QuerySet[Person], text: str) -> QuerySet[Person]:
    """Every word of `text` begins a word of the name: “an petr” finds Anna Petrenko."""
    words = _WORD.findall(text.lower())[:6]
    if not words:
        return rows.none()
    asked = SearchQuery(" & ".join(f"{word}:*" for word in words), search_type="raw", config="simple")
    return rows.annotate(name_words=SearchVector("name", config="simple")).filter(name_words=asked)


def _by_contact(text: str) -> Iterable[int]:
    phone, email = contacts.normal_phone(text), contacts.normal_email(text)
    if phone:
        yield from Person.objects.filter(phone_index=contacts.phone_index(phone)).values_list("pk", flat=True)[:FOUND]
    if email:
        yield from Person.objects.filter(email_index=contacts.email_index(email)).values_list("pk", flat=True)[:FOUND]
