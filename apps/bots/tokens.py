"""What a button carries through a messenger: only where it stood. The real value stays in our database and cannot be forged in transit."""

import re
import string

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
LARGEST_ID = 2**63 - 1
LARGEST_INDEX = 9_999

_VALUES = {char: value for value, char in enumerate(ALPHABET)}
_TOKEN = re.compile(r"b:([1-9A-Za-z][0-9A-Za-z]{0,10})\.(0|[1-9][0-9]{0,3})")


def encode(message_id: int, index: int) -> str:
    """`b:<base62 message id>.<index>`, at most 18 bytes: fits the smallest field of any messenger (Telegram, 64 bytes)."""
    if not 0 < message_id <= LARGEST_ID or not 0 <= index <= LARGEST_INDEX:
        raise ValueError("A button belongs to a stored message and has a small index.")
    digits, rest = "", message_id
    while rest:
        rest, digit = divmod(rest, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return f"b:{digits}.{index}"


def decode(token: str) -> tuple[int, int] | None:
    """Message id and index among the message's buttons, or None when the token is not one of ours. Whose it is must be checked."""
    found = _TOKEN.fullmatch(token)
    if found is None:
        return None
    message_id = 0
    for char in found.group(1):
        message_id = message_id * len(ALPHABET) + _VALUES[char]
    return (message_id, int(found.group(2))) if message_id <= LARGEST_ID else None
