"""Phones and e-mail addresses in one form, and the blind indexes by which they are found without being stored in clear."""

import phonenumbers
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from apps.core.crypto import blind_index

MAX_LENGTH = 40


def normal_phone(text: str) -> str:
    """The number in E.164 form (`+380501112233`), or "" when the text holds none.

    A number without “+” is read as one of `PHONE_REGION` first and else as an international one: messengers leave the “+” out.
    """
    text = text.strip()
    if not text or len(text) > MAX_LENGTH:
        return ""
    found = [number for number in map(_parsed, _readings(text)) if number is not None]
    valid = [number for number in found if phonenumbers.is_valid_number(number)] or [
        number for number in found if phonenumbers.is_possible_number(number)
    ]
    return phonenumbers.format_number(valid[0], phonenumbers.PhoneNumberFormat.E164) if valid else ""


def normal_email(text: str) -> str:
    """The address in lower case, or "" when the text is none."""
    address = text.strip().lower()
    try:
        validate_email(address)
    except ValidationError:
        return ""
    return address


def phone_index(phone: str) -> str:
    """The blind index of a number in normal form; "" of none."""
    return blind_index(phone, purpose="phone") if phone else ""


def email_index(email: str) -> str:
    """The blind index of an address in normal form; "" of none."""
    return blind_index(email, purpose="email") if email else ""


def same_phone(one: str, other: str) -> bool:
    """Whether both texts are the same number; never true for what is no number."""
    number = normal_phone(one)
    return number != "" and number == normal_phone(other)


def same_email(one: str, other: str) -> bool:
    """Whether both texts are the same address; never true for what is no address."""
    address = normal_email(one)
    return address != "" and address == normal_email(other)


def _readings(text: str) -> list[tuple[str, str | None]]:
    international = "+" + text.removeprefix("00").lstrip("+")
    if text.startswith(("+", "00")):
        return [(international, None)]
    return [(text, settings.PHONE_REGION), (international, None)] if settings.PHONE_REGION else [(international, None)]


def _parsed(reading: tuple[str, str | None]) -> phonenumbers.PhoneNumber | None:
    text, region = reading
    try:
        return phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
