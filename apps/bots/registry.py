"""The messengers: every file of `apps/bots/channels/` and of the packages that an installation adds."""

from django.conf import settings

from apps.bots.adapter import Adapter
from apps.core.registry import Registry

adapters: Registry[Adapter] = Registry("apps.bots.channels", Adapter, extra=lambda: settings.EXTRA_KINDS["channels"])


def channel_kinds() -> list[tuple[str, str]]:
    """Choices of a channel's type; a function, so that a new messenger needs no migration."""
    return adapters.choices()
