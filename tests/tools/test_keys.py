import base64
from pathlib import Path

from tools import keys


def test_secrets_are_made_once_and_kept(tmp_path: Path) -> None:
    first = keys.keep_secrets(tmp_path / "secrets.env")
    again = keys.keep_secrets(tmp_path / "secrets.env")

    assert again == first
    assert set(first) == {"SECRET_KEY", "BLIND_INDEX_KEY", "FIELD_KEYS", "ADMIN_PASSWORD", "VALKEY_PASSWORD"}
    assert len(set(first.values())) == 5


def test_only_the_owner_can_read_them(tmp_path: Path) -> None:
    keys.keep_secrets(tmp_path / "secrets.env")

    assert (tmp_path / "secrets.env").stat().st_mode & 0o777 == 0o600


def test_a_missing_secret_is_added_and_the_others_stay(tmp_path: Path) -> None:
    file = tmp_path / "secrets.env"
    file.write_text("SECRET_KEY=mine\nOWN=kept\n")

    secrets = keys.keep_secrets(file)

    assert secrets["SECRET_KEY"] == "mine"
    assert keys.read_secrets(file) == secrets
    assert secrets["OWN"] == "kept"


def test_a_field_key_is_what_settings_read() -> None:
    key_id, _, value = keys.field_key().partition(":")

    assert key_id == "k1"
    assert len(base64.b64decode(value, validate=True)) == 32
