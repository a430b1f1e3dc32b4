"""Bots and channels in the admin."""

from apps.bots.admin.bots import BotAdmin
from apps.bots.admin.channels import ChannelAdmin

__all__ = ["BotAdmin", "ChannelAdmin"]
