"""Telegram through python-telegram-bot: parsing, sending, errors, and the transport on aiohttp."""

import os

# The library's own switch for `RetryAfter.retry_after` as a timedelta, which it will be; it is read when the library is imported.
os.environ.setdefault("PTB_TIMEDELTA", "1")
