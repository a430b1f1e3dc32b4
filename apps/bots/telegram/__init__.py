"""What the Telegram channel is made of; the channel itself is `apps/bots/channels/telegram.py`."""
