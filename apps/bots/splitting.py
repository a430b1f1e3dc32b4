"""Where a long text may be cut: between paragraphs, lines, sentences, words; only then anywhere that is not inside one visible character."""

import re
import unicodedata

Span = tuple[int, int]

LONGEST_CLUSTER = 32
SMALLEST_SHARE = 3
"""A paragraph or sentence end in the first third of the room is passed over, else parts get needlessly small."""

_PARAGRAPH = re.compile(r"\n\s*\n")
_LINE = re.compile(r"\n")
_SENTENCE = re.compile(r"(?:(?<=[.!?…])|(?<=[.!?…][\"'»”)]))\s|(?<=[。！？])")
_WORD = re.compile(r"\s")
_BREAKS = (_PARAGRAPH, _LINE, _SENTENCE, _WORD)
_JOINER = "\u200d"
_ASTRAL = re.compile(r"[\U00010000-\U0010ffff]")


def units(text: str) -> int:
    """Length in UTF-16 code units: what Telegram counts, and never less than any other count of characters."""
    return len(text) if text.isascii() else len(text) + len(_ASTRAL.findall(text))


def spans(text: str, limit: int) -> list[Span]:
    """Start and end of each part, at most `limit` units long; only white space is left out between parts. Empty for blank text."""
    parts: list[Span] = []
    start, stop = _past_space(text, 0), len(text.rstrip())
    while start < stop:
        end = _room(text, start, limit)
        end = _best_cut(text, start, end) if end < stop else stop
        parts.append((start, start + len(text[start:end].rstrip())))
        start = _past_space(text, end)
    return parts


def shortened(text: str, limit: int) -> str:
    """At most `limit` units, cut with "…" when it does not fit; 0 = no limit."""
    if not limit or units(text) <= limit:
        return text
    return text[: _whole_cluster(text, 0, _room(text, 0, limit - 1))].rstrip() + "…"


def _past_space(text: str, start: int) -> int:
    while start < len(text) and text[start].isspace():
        start += 1
    return start


def _room(text: str, start: int, limit: int) -> int:
    """The end of the longest piece from `start` that is at most `limit` units long."""
    end = min(len(text), start + limit)
    over = units(text[start:end]) - limit
    while over > 0:
        over -= units(text[end - 1])
        end -= 1
    return end


def _best_cut(text: str, start: int, end: int) -> int:
    """The best break in text[start:end], which is full; one character more is looked at, as it may be the space that ends a word."""
    earliest = start + (end - start) // SMALLEST_SHARE
    for pattern in _BREAKS:
        found = [match.start() for match in pattern.finditer(text, start, end + 1) if match.start() <= end]
        if found and found[-1] > (start if pattern is _WORD else earliest):
            return found[-1]
    return _whole_cluster(text, start, end)


def _whole_cluster(text: str, start: int, end: int) -> int:
    """A cut at or a little before `end` that leaves accents, emoji sequences and flags whole."""
    cut = end
    while start < cut < len(text) and end - cut < LONGEST_CLUSTER and _inside_cluster(text, start, cut):
        cut -= 1
    return cut if cut > start and not (cut < len(text) and _inside_cluster(text, start, cut)) else end


def _inside_cluster(text: str, start: int, cut: int) -> bool:
    before, after = text[cut - 1], text[cut]
    if _JOINER in {before, after} or _extends(after):
        return True
    if not (_is_flag_letter(before) and _is_flag_letter(after)):
        return False
    letters = 0
    while cut - letters > start and _is_flag_letter(text[cut - letters - 1]):
        letters += 1
    return letters % 2 == 1


def _extends(char: str) -> bool:
    """Combining marks, variation selectors, skin tones and keycaps belong to the character before them."""
    return bool(unicodedata.combining(char)) or unicodedata.category(char) in {"Mn", "Me", "Mc"} or "\U0001f3fb" <= char <= "\U0001f3ff"


def _is_flag_letter(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"
