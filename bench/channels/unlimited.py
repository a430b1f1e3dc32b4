"""Telegram without its published rates: the loopback messenger has none, and what is measured is us."""

from apps.bots.adapter import Rate
from apps.bots.channels.telegram import Telegram


class Unlimited(Telegram):
    kind = "unlimited"
    lead_prefix = "UN"
    rate = Rate()
    polls = False
