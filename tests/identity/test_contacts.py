"""One form for phones and addresses, however they were written."""

import pytest
from pytest_django.fixtures import Settings

from apps.identity import contacts


@pytest.mark.parametrize(
    ("written", "region", "normal"),
    [
        ("+380 50 111-22-33", "", "+380501112233"),
        ("380501112233", "", "+380501112233"),
        ("00380501112233", "", "+380501112233"),
        ("79187777777", "", "+79187777777"),
        ("050 111 22 33", "UA", "+380501112233"),
        ("380501112233", "UA", "+380501112233"),
        ("8 (918) 777-77-77", "RU", "+79187777777"),
        ("0501112233", "", ""),
        ("hello", "UA", ""),
        ("", "UA", ""),
        ("1" * 50, "", ""),
    ],
)
def test_a_phone_has_one_form(settings: Settings, written: str, region: str, normal: str) -> None:
    settings.PHONE_REGION = region
    assert contacts.normal_phone(written) == normal


@pytest.mark.parametrize(("written", "normal"), [(" Anna@Example.COM ", "anna@example.com"), ("anna@", ""), ("anna", ""), ("", "")])
def test_an_address_has_one_form(written: str, normal: str) -> None:
    assert contacts.normal_email(written) == normal


def test_the_same_number_is_recognised_and_two_empty_ones_are_not_the_same() -> None:
    assert contacts.same_phone("380501112233", "+380 50 111 22 33")
    assert not contacts.same_phone("+380501112233", "+380501112234")
    assert not contacts.same_phone("", "")
    assert not contacts.same_email("nobody", "nobody")


def test_indexes_of_a_phone_and_of_an_address_never_meet() -> None:
    assert contacts.phone_index("x") != contacts.email_index("x")
    assert contacts.phone_index("") == contacts.email_index("") == ""
