"""What is known about a person: read for placeholders, written with the declared types, personal fields encrypted."""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from apps.bots.models import Bot
from apps.core import hot
from apps.core.cached import CachedTable
from apps.core.crypto import blind_index
from apps.core.models import validate_timezone
from apps.events import recording
from apps.identity import contacts, fieldtypes
from apps.identity.mapping import plain_id
from apps.identity.models import ClientField, Person, PrivateIndex

COLUMNS = ("name", "language", "timezone", "segment", "phone", "email")
RESERVED = frozenset({"constants", "instance_settings", "bot", "lead", "channel", "now", "user_input", "user_id", "user_ids", "ai_answer"})
MAX_BYTES = 64 * 1024
_KEY = re.compile(r"[^\W\d]\w{0,59}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,6})?")
_declared: CachedTable[dict[str, ClientField]] = CachedTable(
    lambda: ClientField,
    lambda: {field.key: field for field in ClientField.objects.all()},
)


_private: dict[str, tuple[dict[str, ClientField], frozenset[str]]] = {}  # of the fields as last read


class InvalidValuesError(Exception):
    """Nothing was written; `errors` says for each refused key why, for people."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("; ".join(f"{key}: {why}" for key, why in errors.items()))
        self.errors = errors


def client_fields() -> dict[str, ClientField]:
    """The declared fields by key; right within half a second after a change anywhere."""
    return _declared.get()


def private_keys() -> frozenset[str]:
    """Names under which personal data may stand in variables, for masking."""
    fields = client_fields()
    known = _private.get("keys")
    if known is None or known[0] is not fields:
        keys = frozenset({key for key, declared in fields.items() if declared.is_private} | {"user_phone", "user_email"})
        known = _private["keys"] = (fields, keys)
    return known[1]


@dataclass(frozen=True)
class UserIds:
    """The ids by which other systems know a person: `main` in the bot's main system, and all of them by system."""

    main: int | str | None = None
    by_system: Mapping[str, int | str] = field(default_factory=dict)


def user_ids_of(people: Iterable[int]) -> dict[int, UserIds]:
    """The ids of all these people (by primary key) in one query; everybody has an entry."""
    found: dict[int, dict[str, int | str]] = {pk: {} for pk in people}
    main: dict[int, int | str] = {}
    rows = hot.run(
        """
        SELECT known.person_id, known.system, known.value, bot.source_system FROM unnest(%s::bigint[]) AS person(id),
            LATERAL (SELECT * FROM identity_externalid WHERE person_id = person.id OFFSET 0) AS known JOIN bots_bot AS bot ON bot.id = known.bot_id
        """,
        [hot.numbers(found)],
    )
    for person_id, system, value, main_system in rows:
        found[person_id][system] = plain_id(value)
        if system == main_system:
            main[person_id] = plain_id(value)
    return {pk: UserIds(main.get(pk), by_system) for pk, by_system in found.items()}


def facts(person: Person, *, private: bool = True, ids: UserIds | None = None) -> dict[str, Any]:
    """Everything that placeholders may know of the person: attributes and client fields by key; `user_name`, `user_phone`, `user_email`,
    `user_phone_verified`, `user_email_verified`, `user_language`, `user_timezone`, `user_segment`; `user_id` (of the bot's main system)
    and `user_ids` by system. `ids` when they are known already; `private=False` leaves personal data out.
    """
    known = ids or user_ids_of([person.pk])[person.pk]
    return {
        **person.attributes,
        **(person.private if private else {}),
        **{f"user_{column}": getattr(person, column) or None for column in COLUMNS if private or column not in {"phone", "email"}},
        "user_phone_verified": person.phone_verified,
        "user_email_verified": person.email_verified,
        "user_id": known.main,
        "user_ids": dict(known.by_system),
    }


def facts_of(people: Iterable[Person], *, private: bool = True) -> dict[int, dict[str, Any]]:
    """`facts` of many people in one query."""
    rows = {person.pk: person for person in people}
    ids = user_ids_of(rows)
    return {pk: facts(person, private=private, ids=ids[pk]) for pk, person in rows.items()}


def set_values(person: Person, values: Mapping[str, Any], *, source: str, verified: Collection[str] = ()) -> list[str]:
    """Write values by key; returns the keys that changed. Raises `InvalidValuesError` and writes nothing when one is refused.

    `name`, `language`, `timezone`, `segment`, `phone`, `email` (also as `user_…`) are the person's own; a declared client field is
    brought to its type; anything else becomes an attribute. `None` or "" removes. `verified` names contacts that are proven to be the
    person's; a contact that changes without proof is not confirmed any more. `source` says who wrote, for the log.
    """
    cleaned = _clean(values)
    with transaction.atomic():
        current = Person.objects.select_for_update(no_key=True).get(pk=person.pk)
        before, held = _snapshot(current), set(current.private)
        _apply(current, cleaned, verified)
        _check_size(current)
        after = _snapshot(current)
        changed = sorted(key for key in cleaned.keys | set(verified) if after.get(key) != before.get(key))
        if changed:
            current.save(update_fields=[*_STORED, "updated_at"])
            index_private(current, written=cleaned.private, removed=held - set(current.private))
            recording.record("person.changed", details={"keys": changed, "source": source}, person_id=current.pk, bot_id=current.bot_id)
    for name in _STORED:
        setattr(person, name, getattr(current, name))
    return changed


def check_values(values: Mapping[str, Any]) -> None:
    """Raises `InvalidValuesError` as `set_values` would; writes nothing."""
    _clean(values)


def find(bot: Bot, *, key: str, value: Any) -> QuerySet[Person]:
    """People of the bot by exact value: a contact or a personal field through its blind index, anything else by comparison."""
    people = Person.objects.filter(bot=bot)
    key = _column(key)
    if key == "phone":
        return _by_index(people, phone_index=contacts.phone_index(contacts.normal_phone(str(value))))
    if key == "email":
        return _by_index(people, email_index=contacts.email_index(contacts.normal_email(str(value))))
    if key in {"name", "language", "timezone", "segment"}:
        return people.filter(**{key: str(value)})
    declared = client_fields().get(key)
    try:
        wanted = fieldtypes.clean(declared, value) if declared else value
    except ValueError:
        return people.none()
    if declared and declared.is_private:
        holders = PrivateIndex.objects.filter(key=key, digest=private_digest(key, wanted)).values("person_id")
        return people.filter(pk__in=holders)
    return people.filter(attributes__contains={key: wanted})


def private_digest(key: str, value: Any) -> str:
    """The blind index of a personal field's value; texts are compared without case and outer spaces."""
    text = value.strip().casefold() if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return blind_index(text, purpose=f"field:{key}")


def index_private(person: Person, *, written: Collection[str], removed: Collection[str] = ()) -> None:
    """Bring the blind indexes of these personal fields in line with `person.private`."""
    kept = [
        PrivateIndex(person=person, key=key, digest=private_digest(key, person.private[key])) for key in written if key in person.private
    ]
    if removed:
        PrivateIndex.objects.filter(person=person, key__in=removed).delete()
    if kept:
        PrivateIndex.objects.bulk_create(kept, update_conflicts=True, unique_fields=["person", "key"], update_fields=["digest"])


# --- writing -------------------------------------------------------------------------------------------------------------------------

_STORED = (
    *COLUMNS,
    "phone_index",
    "phone_verified",
    "email_index",
    "email_verified",
    "attributes",
    "private",
)


@dataclass
class _Cleaned:
    columns: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    private: dict[str, Any] = field(default_factory=dict)

    @property
    def keys(self) -> set[str]:
        return {*self.columns, *self.attributes, *self.private}


def _clean(values: Mapping[str, Any]) -> _Cleaned:
    cleaned, errors = _Cleaned(), {}
    for given, value in values.items():
        key = _column(given)
        declared = client_fields().get(key)
        try:
            if key in COLUMNS:
                cleaned.columns[key] = _clean_column(key, value)
            else:
                target = cleaned.private if declared and declared.is_private else cleaned.attributes
                target[key] = _clean_value(key, declared, value)
        except ValueError as error:
            errors[given] = str(error)
    if errors:
        raise InvalidValuesError(errors)
    return cleaned


def _column(key: str) -> str:
    bare = key.removeprefix("user_")
    return bare if bare in COLUMNS else key


def _clean_column(key: str, value: Any) -> str:
    text = "" if value is None else str(value).strip()
    _check_text(text)
    if not text:
        return ""
    if key == "phone":
        return _or_refuse(contacts.normal_phone(text), _("This is no phone number. Use the international form, e.g. +380501112233."))
    if key == "email":
        return _or_refuse(contacts.normal_email(text), _("This is no e-mail address."))
    if key == "language":
        return _or_refuse(text.replace("_", "-") if _LANGUAGE.fullmatch(text) else "", _("A language code is expected, e.g. en or ru."))
    if key == "timezone":
        return _timezone(text)
    limit = 200 if key == "name" else 100
    return _or_refuse(text if len(text) <= limit else "", _("The text is longer than %(limit)s characters.") % {"limit": limit})


def _timezone(name: str) -> str:
    try:
        validate_timezone(name)
    except ValidationError as error:
        raise ValueError(error.messages[0]) from error
    return name


def _or_refuse(text: str, why: str) -> str:
    if not text:
        raise ValueError(why)
    return text


def _clean_value(key: str, declared: ClientField | None, value: Any) -> Any:
    if key in RESERVED or not _KEY.fullmatch(key):
        raise ValueError(_("This name cannot be used. Use letters, digits and “_”, beginning with a letter."))
    if value is None or value == "":
        return None
    _check_json(value)
    return fieldtypes.clean(declared, value) if declared else value


def _check_json(value: Any) -> None:
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(_("The value is not plain JSON.")) from error
    _check_text(text.replace("\\u0000", "\x00"))


def _check_text(text: str) -> None:
    """Refuses what PostgreSQL cannot store."""
    if "\x00" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise ValueError(_("The text contains characters that cannot be stored."))


def _apply(person: Person, cleaned: _Cleaned, verified: Collection[str]) -> None:
    for column, text in cleaned.columns.items():
        if column in {"phone", "email"} and text != getattr(person, column):
            setattr(person, f"{column}_verified", False)
        setattr(person, column, text)
    for column in verified:
        setattr(person, f"{column}_verified", bool(getattr(person, column)))
    person.phone_index, person.email_index = contacts.phone_index(person.phone), contacts.email_index(person.email)
    person.attributes = _merged(person.attributes, cleaned.attributes, without=cleaned.private)
    person.private = _merged(person.private, cleaned.private, without=cleaned.attributes)


def _merged(old: dict[str, Any], new: dict[str, Any], *, without: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in {**old, **new}.items() if value is not None and key not in without}


def _check_size(person: Person) -> None:
    if len(json.dumps([person.attributes, person.private], ensure_ascii=False).encode()) > MAX_BYTES:
        raise InvalidValuesError({"": _("All values of one person together may have %(limit)s kB.") % {"limit": MAX_BYTES // 1024}})


def _snapshot(person: Person) -> dict[str, Any]:
    columns = {column: (getattr(person, column), getattr(person, f"{column}_verified", None)) for column in COLUMNS}
    return {**person.attributes, **person.private, **columns}


def _by_index(people: QuerySet[Person], **index: str) -> QuerySet[Person]:
    return people.filter(**index) if all(index.values()) else people.none()
