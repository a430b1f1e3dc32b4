"""The formats in which webhooks are sent: the contract, and the registry over `formats/`. A new format is a new file there."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from django.conf import settings

from apps.core.registry import Registry

Json = dict[str, Any]


class Format(ABC):
    """How an event becomes the body of a request. Instances hold no state."""

    kind: ClassVar[str]
    label: ClassVar[Any]
    help: ClassVar[Any] = ""

    @abstractmethod
    def body(self, envelope: Json) -> Any | None:
        """JSON to send for this event; None when this format has nothing to say about it. `envelope`: see `envelopes.envelopes`."""


formats: Registry[Format] = Registry("apps.events.webhooks.formats", Format, extra=lambda: list(settings.EXTRA_KINDS["webhook_formats"]))


def format_choices() -> list[tuple[str, str]]:
    """Choices of a subscription's format; a function, so that a new format needs no migration."""
    return formats.choices()
