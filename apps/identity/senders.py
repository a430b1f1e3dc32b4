"""How a one-time code reaches a phone or a mailbox. What the owner configures decides; nothing configured means: no codes (fail closed)."""

import json
from abc import ABC, abstractmethod
from typing import Any
from urllib.parse import quote

import structlog
from django.conf import settings
from django.core.mail import send_mail
from django.utils.translation import gettext as _

from apps.core.http import OutgoingError, OutgoingRequest, fetch_sync
from apps.core.masking import mask_email, mask_phone
from apps.identity.models import ProofCode

logger = structlog.get_logger(__name__)


class SendingFailedError(Exception):
    """The code did not leave, as far as is known; the text is for staff and holds neither the code nor the target."""


class CodeSender(ABC):
    """One way to bring a code to a person."""

    @abstractmethod
    def send(self, *, target: str, code: str, text: str) -> None:
        """Hand `text` (which holds `code`) over for `target`; raises `SendingFailedError`."""


class ConsoleSender(CodeSender):
    """Development: the code stands in the log of the worker."""

    def send(self, *, target: str, code: str, text: str) -> None:  # noqa: ARG002
        shown = mask_email(target) if "@" in target else mask_phone(target)
        logger.warning("development: a one-time code", to=shown, text=text)


class EmailSender(CodeSender):
    """Through Django's mail settings."""

    def send(self, *, target: str, code: str, text: str) -> None:  # noqa: ARG002
        try:
            send_mail(_("Your code"), text, settings.DEFAULT_FROM_EMAIL, [target], fail_silently=False)
        except OSError as error:  # smtplib's errors are OSErrors
            raise SendingFailedError(f"The mail server refused the message ({type(error).__name__}).") from error


class HttpSender(CodeSender):
    """Any SMS provider with an HTTP API. `config`: {"url", "method" (POST), "headers", "json" or "body"}; `{phone}`, `{code}` and `{text}`
    are replaced in its texts, inside JSON and URL in the form that belongs there.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config

    def send(self, *, target: str, code: str, text: str) -> None:
        values = {"{phone}": target, "{code}": code, "{text}": text}
        quoted = {name: quote(value, safe="") for name, value in values.items()}
        request = OutgoingRequest(
            method=str(self.config.get("method", "POST")),
            url=_filled(str(self.config["url"]), quoted),
            headers={name: str(value) for name, value in self.config.get("headers", {}).items()},
            json=_filled_json(self.config["json"], values) if "json" in self.config else None,
            body=_filled(str(self.config["body"]), quoted).encode() if "body" in self.config else None,
        )
        try:
            reply = fetch_sync(request)
        except OutgoingError as error:
            raise SendingFailedError(str(error)) from error
        if not reply.ok:
            raise SendingFailedError(f"The provider answered {reply.status}.")


def sender_of(way: str) -> CodeSender | None:
    """Who sends codes this way in this installation; None when nobody does."""
    provider: Any = getattr(settings, "SMS_PROVIDER", None)
    if way == ProofCode.Way.PHONE and provider:
        return HttpSender(json.loads(provider) if isinstance(provider, str) else provider)
    if way == ProofCode.Way.EMAIL and getattr(settings, "CODES_BY_EMAIL", False):
        return EmailSender()
    return ConsoleSender() if settings.DEBUG else None


def _filled(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(name, value)
    return text


def _filled_json(data: Any, values: dict[str, str]) -> Any:
    if isinstance(data, dict):
        return {key: _filled_json(value, values) for key, value in data.items()}
    if isinstance(data, list):
        return [_filled_json(value, values) for value in data]
    return _filled(data, values) if isinstance(data, str) else data
