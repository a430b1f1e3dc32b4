"""What every messenger keeps. A new file in `apps/bots/channels/` needs a module of the same name in `tests/bots/cases/`."""

import importlib
import importlib.util
import json
from dataclasses import asdict
from types import ModuleType
from typing import Any

import pytest
from pydantic import ValidationError

from apps.bots.adapter import Account, Credentials, Inbound, Request, VerificationError
from apps.bots.content import Content
from apps.bots.degrading import fit
from apps.bots.registry import adapters
from apps.bots.splitting import units

KINDS = sorted(adapters)
MEDIA_KINDS = {"image", "video", "audio", "voice", "file", "sticker"}
DIGITS_OF_A_PREFIX = 5


def cases(kind: str) -> ModuleType:
    return importlib.import_module(f"tests.bots.cases.{kind}")


def parsed() -> list[Any]:
    known = [kind for kind in KINDS if importlib.util.find_spec(f"tests.bots.cases.{kind}")]
    return [pytest.param(kind, name, id=f"{kind}: {name}") for kind in known for name in cases(kind).PARSED]


@pytest.mark.parametrize("kind", KINDS)
def test_a_messenger_has_cases(kind: str) -> None:
    found = cases(kind)

    assert found.PARSED
    told = {inbound.kind for _payload, inbounds in found.PARSED.values() for inbound in inbounds}
    assert {"message", "button", "start"} <= told


@pytest.mark.parametrize(("kind", "name"), parsed())
def test_what_came_is_understood(kind: str, name: str) -> None:
    payload, expected = cases(kind).PARSED[name]

    assert adapters[kind].parse(payload) == expected
    assert adapters[kind].parse(json.loads(json.dumps(payload))) == expected


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "junk",
    [{}, {"update_id": None}, {"update_id": "x", "message": []}, {"message": 5}, {"type": "text"}, {"type": None, "chat_id": None}, {"status": "x"},
     {"chat_id": {"a": []}}, {"chat_id": 1, "type": "file", "client_message_id": 1, "media": [{"kind": "bomb"}]}, {"chat_id": 1, "attachments": [5]},
     {"update_id": 2**70, "message": {"date": 2**70, "message_id": 1, "chat": {"id": 1, "type": "private"}}},
     {"update_id": 7, "callback_query": {"id": "1"}}, {"update_id": 7, "my_chat_member": {"chat": {}}}],
)  # fmt: skip
def test_what_cannot_be_understood_is_kept_as_unknown(kind: str, junk: dict[str, Any]) -> None:
    found = adapters[kind].parse(junk)

    assert [inbound.kind for inbound in found] == ["unknown"]
    assert found[0].event_key


@pytest.mark.parametrize(("kind", "name"), parsed())
def test_neutral_updates_are_plain_data(kind: str, name: str) -> None:
    for inbound in adapters[kind].parse(cases(kind).PARSED[name][0]):
        assert isinstance(inbound, Inbound)
        assert isinstance(inbound.chat_id, str)
        assert 0 < len(inbound.event_key) <= 200
        json.dumps(asdict(inbound) | {"media": [item.model_dump() for item in inbound.media]}, default=str)


@pytest.mark.parametrize("kind", KINDS)
def test_a_messenger_declares_itself(kind: str) -> None:
    adapter = adapters[kind]
    limits = adapter.capabilities

    assert str(adapter.label)
    assert adapter.icon
    assert adapter.lead_prefix.isascii()
    assert adapter.lead_prefix.isupper()
    assert len(adapter.lead_prefix) <= DIGITS_OF_A_PREFIX
    assert limits.text_chars > 0
    assert limits.media <= MEDIA_KINDS
    assert bool(limits.inline_buttons or limits.reply_buttons) == bool(limits.buttons_per_row)
    assert limits.callback_bytes == 0 or limits.callback_bytes >= 40
    assert limits.album >= 1


def test_lead_prefixes_are_different() -> None:
    assert len({adapter.lead_prefix for adapter in adapters.values()}) == len(adapters)


@pytest.mark.parametrize("kind", KINDS)
def test_settings_make_a_form(kind: str) -> None:
    for form in (adapters[kind].Config, adapters[kind].Secrets):
        for name, field in form.model_fields.items():
            assert field.title, f"{kind}.{name} has no title"
            assert field.description, f"{kind}.{name} has no description"
        json.dumps(form.model_json_schema())
    assert all(field.annotation is str for field in adapters[kind].Secrets.model_fields.values())


@pytest.mark.parametrize("kind", KINDS)
def test_good_settings_are_taken_and_others_refused(kind: str) -> None:
    adapters[kind].Config.model_validate(cases(kind).CONFIG)
    adapters[kind].Secrets.model_validate(cases(kind).SECRETS)
    for form in (adapters[kind].Config, adapters[kind].Secrets):
        with pytest.raises(ValidationError):
            form.model_validate(dict.fromkeys(form.model_fields, object()))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer x"}, {"x-telegram-bot-api-secret-token": ""}])
def test_without_a_secret_no_webhook_is_believed(kind: str, headers: dict[str, str]) -> None:
    """Fail closed (security.md 10)."""
    credentials = Credentials(channel_id=1, config={}, secrets={})
    with pytest.raises(VerificationError):
        adapters[kind].verify(credentials, Request(method="POST", headers=headers, body=b"{}"))


@pytest.mark.parametrize("kind", KINDS)
def test_long_things_are_made_to_fit(kind: str) -> None:
    limits = adapters[kind].capabilities
    buttons = [[{"id": str(index), "label": "A label that goes on and on " * 5} for index in range(30)]]
    for part in fit(Content.model_validate({"text": "A sentence. " * 3_000, "buttons": buttons}), limits):
        assert units(part.text) <= limits.text_chars
        assert len(part.flat_buttons()) <= max(limits.inline_buttons, limits.reply_buttons)


@pytest.mark.parametrize("kind", KINDS)
def test_a_deep_link_never_invents_an_account(kind: str) -> None:
    assert adapters[kind].deep_link(Account(name=""), "c_1") == ""


def test_credentials_do_not_show_themselves() -> None:
    assert (
        repr(Credentials(channel_id=1, config={"a": 1}, secrets={"token": "t0ken"}, webhook_secret="s3cret")) == "Credentials(channel_id=1)"
    )
