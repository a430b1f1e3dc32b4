"""Rows of a text file as a stream: any size in flat memory; what is broken costs its own row, not the file."""

import codecs
import csv
from collections import deque
from collections.abc import Iterator
from itertools import count
from typing import IO, NamedTuple

from django.utils.translation import gettext as _

from apps.customdata.importing.limits import MAX_BROKEN_QUOTES, MAX_CELL, MAX_COLUMNS, MAX_ROW, FileError
from apps.customdata.importing.sniffing import Form

BLOCK = 1 << 20


class Row(NamedTuple):
    """`number` is the row's as a spreadsheet shows it, from 1. `problem` names what keeps it from being read; its cells are then a sample."""

    number: int
    cells: list[str]
    problem: str = ""


def rows(stream: IO[bytes], form: Form) -> Iterator[Row]:
    """All rows that are not blank, the header included. Raises `FileError` for what no row can be blamed for."""
    lines = _Lines(_texts(stream, form.encoding))
    for number in count(1):
        row = _next(lines, form.separator, number)
        if row is None:
            return
        if row.problem or any(row.cells):
            yield row


def _next(lines: "_Lines", separator: str, number: int) -> Row | None:
    """One row; a quote that is never closed costs its first line, and reading goes on at the second."""
    lines.begin()
    reader = csv.reader(lines, delimiter=separator, strict=True)
    csv.field_size_limit(MAX_CELL)
    try:
        cells = next(reader)
    except StopIteration:
        return None
    except (csv.Error, _RowTooLongError) as error:
        return _broken(lines, number, error)
    if len(cells) > MAX_COLUMNS:
        raise FileError(_("Row %(row)s has more than %(limit)s columns.") % {"row": number, "limit": MAX_COLUMNS})
    return Row(number, cells, _problem(lines) if lines.dirty else "")


def _problem(lines: "_Lines") -> str:
    text = "".join(lines.taken)
    if "\x00" in text:
        return "nul"
    return "encoding" if "\ufffd" in text or not _is_clean(text) else ""


def _is_clean(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _broken(lines: "_Lines", number: int, error: Exception) -> Row:
    first = lines.taken[0].rstrip("\r\n") if lines.taken else ""
    if len(first) > MAX_CELL or (isinstance(error, _RowTooLongError) and len(lines.taken) == 1):
        raise FileError(
            _("Row %(row)s holds more than %(limit)s characters. Is this a table, and is the separator right?")
            % {"row": number, "limit": MAX_CELL}
        ) from error
    lines.give_back(number)
    return Row(number, [first.encode(errors="replace").decode().replace("\x00", "�")[:200]], "quotes")


class _RowTooLongError(Exception):
    pass


class _Lines:
    """Physical lines for the reader of one row after the other; remembers those of the present row, so that they can be read anew."""

    def __init__(self, texts: "Iterator[tuple[str, bool]]") -> None:
        self._texts = texts
        self._waiting: deque[tuple[str, bool]] = deque()
        self._given_back = 0
        self.taken: list[str] = []
        self.dirty = False
        self._size = 0

    def begin(self) -> None:
        self.taken, self.dirty, self._size = [], False, 0

    def give_back(self, number: int) -> None:
        """All lines of the present row but its first are still to be read."""
        if len(self.taken) > 1:
            self._given_back += 1
            if self._given_back > MAX_BROKEN_QUOTES:
                raise FileError(_("Too many quotes are opened and not closed, last in row %(row)s.") % {"row": number})
        self._waiting.extendleft((text, self.dirty) for text in reversed(self.taken[1:]))

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        text, dirty = self._waiting.popleft() if self._waiting else next(self._texts)
        self.taken.append(text)
        self.dirty = self.dirty or dirty
        self._size += len(text)
        if self._size > MAX_ROW:
            raise _RowTooLongError
        return text


def _texts(stream: IO[bytes], encoding: str) -> Iterator[tuple[str, bool]]:
    """Lines with their ends, each with whether it may hold what cannot be stored. Bytes of another encoding become lone surrogates."""
    decoder = codecs.getincrementaldecoder(encoding)(errors="strict")
    rest, first, dirty = "", True, False
    for block in iter(lambda: stream.read(BLOCK), b""):
        text, dirty = _decoded(decoder, block, encoding)
        if first:
            text, first = text.removeprefix("\ufeff"), False
        *lines, rest = _split(rest + text)
        if len(rest) > MAX_ROW:
            raise FileError(_("A line holds more than %(limit)s characters. Is this a table?") % {"limit": MAX_ROW})
        for line in lines:
            yield line, dirty
    if rest:
        yield rest, dirty


def _decoded(decoder: codecs.IncrementalDecoder, block: bytes, encoding: str) -> tuple[str, bool]:
    state = decoder.getstate()
    try:
        text = decoder.decode(block)
    except UnicodeDecodeError:
        decoder.setstate(state)
        pending = state[0]
        lenient = codecs.getincrementaldecoder(encoding)(errors=_LENIENT.get(encoding, "surrogateescape"))
        text = lenient.decode(pending + block)
        left = lenient.getstate()[0]
        decoder.setstate((left, 0))
        return text, True
    return text, "\x00" in text


# In UTF-16 a broken byte has no place of its own among the surrogates; the sign for "unreadable" must do.
_LENIENT = {"utf-16-le": "replace", "utf-16-be": "replace"}


def _split(text: str) -> list[str]:
    """Lines with their ends, ended by LF, CRLF or a lone CR; the last one is what follows the last end, possibly empty."""
    if "\r" in text and "\n" not in text:
        cut = text.endswith("\r")  # its LF may come with the next block
        parts = [f"{line}\n" for line in text.split("\r")]
        parts[-1] = parts[-1][:-1]
        return [*parts[:-2], parts[-2][:-1] + "\r"] if cut else parts
    parts = text.split("\n")
    return [*(f"{part}\n" for part in parts[:-1]), parts[-1]]
