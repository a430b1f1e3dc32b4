import base64

import pytest
import time_machine
from pytest_django import Settings

from apps.core import crypto

KEY_1, KEY_2 = b"1" * 32, b"2" * 32


@pytest.fixture(autouse=True)
def _keys(settings: Settings) -> None:
    settings.FIELD_KEYS = [("k1", KEY_1)]


def test_what_is_encrypted_comes_back_and_never_looks_the_same_twice() -> None:
    first, second = crypto.encrypt("Привет".encode()), crypto.encrypt("Привет".encode())
    assert first.startswith("enc1.k1.")
    assert first != second
    assert crypto.decrypt(first).decode() == crypto.decrypt(second).decode() == "Привет"


def test_the_first_key_encrypts_and_every_key_decrypts(settings: Settings) -> None:
    old = crypto.encrypt(b"value")
    settings.FIELD_KEYS = [("k2", KEY_2), ("k1", KEY_1)]
    assert crypto.encrypt(b"x").startswith("enc1.k2.")
    assert crypto.decrypt(old) == b"value"


def test_a_missing_key_is_named(settings: Settings) -> None:
    old = crypto.encrypt(b"value")
    settings.FIELD_KEYS = [("k2", KEY_2)]
    with pytest.raises(crypto.DecryptionError, match="encrypted with key 'k1', which is not in FIELD_KEYS"):
        crypto.decrypt(old)


def test_another_key_under_the_same_id_is_recognised(settings: Settings) -> None:
    old = crypto.encrypt(b"value")
    settings.FIELD_KEYS = [("k1", KEY_2)]
    with pytest.raises(crypto.DecryptionError, match="the key was replaced under the same id"):
        crypto.decrypt(old)


@pytest.mark.parametrize("place", [0, 5, -1])
def test_a_changed_value_is_recognised(place: int) -> None:
    sealed = bytearray(base64.urlsafe_b64decode(crypto.encrypt(b"value").split(".")[2]))
    sealed[place] ^= 1
    with pytest.raises(crypto.DecryptionError, match="cannot be read"):
        crypto.decrypt("enc1.k1." + base64.urlsafe_b64encode(sealed).decode())


@pytest.mark.parametrize(
    "text", ["", "plain", "enc1", "enc1.", "enc1.k1", "enc1.k1.", "enc2.k1.AAAA", "enc1.k1.!!!", "enc1.k1.AA", "enc1.k1.é"]
)
def test_what_was_not_encrypted_here_is_refused(text: str) -> None:
    with pytest.raises(crypto.DecryptionError):
        crypto.decrypt(text)


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ([], "empty or malformed"),
        ([("k1", b"short")], "has 5 bytes; it must have 32"),
        ([("", KEY_1)], "A key id"),
        ([("a.b", KEY_1)], "A key id"),
        ([("k1", KEY_1), ("k1", KEY_2)], "the same key id twice"),
    ],
)
def test_a_wrong_key_ring_says_what_to_do(settings: Settings, keys: list[tuple[str, bytes]], reason: str) -> None:
    settings.FIELD_KEYS = keys
    with pytest.raises(crypto.KeyRingError, match=reason):
        crypto.encrypt(b"x")


def test_a_blind_index_depends_on_value_purpose_and_key(settings: Settings) -> None:
    settings.BLIND_INDEX_KEY = "one"
    index = crypto.blind_index("+380501112233", purpose="phone")
    assert len(index) == 64
    assert index == crypto.blind_index("+380501112233", purpose="phone")
    assert index != crypto.blind_index("+380501112234", purpose="phone")
    assert index != crypto.blind_index("+380501112233", purpose="email")
    settings.BLIND_INDEX_KEY = "two"
    assert index != crypto.blind_index("+380501112233", purpose="phone")


def test_a_token_digest_is_plain_sha256() -> None:
    assert crypto.token_digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_signed_data_comes_back_until_it_expires() -> None:
    with time_machine.travel("2026-01-01T00:00:00Z", tick=False) as clock:
        text = crypto.sign({"lead": 5, "name": "Анна"}, purpose="share", ttl=600)
        clock.shift(599)
        assert crypto.unsign(text, purpose="share") == {"lead": 5, "name": "Анна"}
        clock.shift(2)
        assert crypto.unsign(text, purpose="share") is None


def test_signed_data_is_bound_to_its_purpose_and_its_letters() -> None:
    text = crypto.sign(5, purpose="share", ttl=600)
    assert crypto.unsign(text, purpose="share") == 5
    assert crypto.unsign(text, purpose="connect") is None
    for wrong in ("", "x", text + "x", text[:-2], "~", text.replace("~", ""), "a" + text, "\x00", "é~é"):
        assert crypto.unsign(wrong, purpose="share") is None


def test_signed_data_fits_into_an_address() -> None:
    assert set(crypto.sign({"a": "?&/+ "}, purpose="p", ttl=1)) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_~.")
