"""The messengers that this installation knows, by their code."""

from django.conf import settings

from apps.bots.adapter import Adapter
from apps.core.registry import Registry


def _extra() -> list[str]:
    return list(settings.EXTRA_KINDS["channels"])


adapters: Registry[Adapter] = Registry("apps.bots.channels", Adapter, extra=_extra)


def channel_kinds() -> list[tuple[str, str]]:
    """Choices of a channel's type; a function, so that a new messenger needs no migration."""
    return adapters.choices()
