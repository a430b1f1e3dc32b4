"""How a channel's health looks."""

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.bots.models import Channel
from apps.bots.registry import adapters
from apps.events.showing import Tone, badge

TONES: dict[str, Tone] = {
    Channel.Health.OK: "ok",
    Channel.Health.FAILING: "bad",
    Channel.Health.PAUSED: "warn",
    Channel.Health.UNKNOWN: "plain",
}


def health_badge(channel: Channel, *, text: str = "") -> SafeString:
    """The state in colour and words; an inactive channel is grey whatever was found when it last worked."""
    if not channel.is_active:
        return badge(text or _("paused"), "plain", icon=icon_of(channel) if text else "", title=_("This channel is switched off."))
    state = channel.get_health_display()
    return badge(
        text or state, TONES.get(channel.health, "plain"), icon=icon_of(channel) if text else "", title=channel.health_text or state
    )


def kind_label(channel: Channel) -> str:
    """The messenger's name; the code itself when its adapter is not installed any more."""
    return str(adapters[channel.kind].label) if channel.kind in adapters else channel.kind


def icon_of(channel: Channel) -> str:
    return adapters[channel.kind].icon if channel.kind in adapters else "help"
