"""What a file is, by its first bytes: a workbook or text, its encoding, separator, decimal sign and order of dates.

Nothing is taken from the file's name. Everything found is a suggestion that a person may change before the load.
"""

import codecs
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from charset_normalizer import from_bytes
from django.utils.translation import gettext as _

from apps.customdata.importing.limits import FileError

HEAD = 1 << 18
SEPARATORS = (",", ";", "\t", "|")
ENCODINGS = {"utf-8": "UTF-8", "cp1251": "Windows-1251", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16 BE", "cp1252": "Windows-1252"}
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_UTF32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"
_ZIP = b"PK\x03\x04"
_MANY_NULS = 0.3
_QUOTED = re.compile(r'"[^"]*+(?:""[^"]*+)*+"?')
_DECIMAL_DOT = re.compile(r"-?(?:\d+|\d{1,3}(?:,\d{3})+)\.(?:\d{1,2}|\d{4,})")
_DECIMAL_COMMA = re.compile(r"-?(?:\d+|\d{1,3}(?:\.\d{3})+),(?:\d{1,2}|\d{4,})")
_SLASHED = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-]\d{4}\b")
_TWELVE = 12


@dataclass(frozen=True)
class Form:
    """How a file is to be read. `decimal` is "." or ","; `dates` is "dmy" or "mdy", for dates such as 05/06/2026."""

    kind: str = "csv"
    encoding: str = "utf-8"
    separator: str = ","
    decimal: str = "."
    dates: str = "dmy"

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def sniff(head: bytes) -> Form:
    """The form of a file that begins with `head` (as much as `HEAD` bytes of it); raises `FileError` for what is no table."""
    if head.startswith(_ZIP):
        return Form(kind="xlsx")
    if head.startswith(_OLD_EXCEL):
        raise FileError(_("This is a workbook of Excel 97–2003. Save it as .xlsx or .csv."))
    if head.startswith((b"%PDF", b"{\\rtf")):
        raise FileError(_("This is a document, not a table. Save the table as .csv or .xlsx."))
    if not head.strip():
        raise FileError(_("The file is empty."))
    encoding = encoding_of(head)
    return Form(encoding=encoding, separator=separator_of(head.decode(encoding, errors="replace").lstrip("\ufeff")))


def encoding_of(head: bytes) -> str:
    """The encoding by its mark, by its zeros, or by trying."""
    if head.startswith(_UTF32):
        raise FileError(_("The file is UTF-32, which is not read. Save it as UTF-8."))
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding
    zeros = head.count(0)
    if zeros > len(head) * _MANY_NULS:
        return "utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be"
    return "utf-8" if _is_utf8(head) else _eight_bit(head)


def _is_utf8(head: bytes) -> bool:
    """Whether nearly all of it is UTF-8: a single broken line must not turn the other Cyrillic ones into garbage. The cut at the end may be
    in the middle of a character.
    """
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        lines = [line for line in head.split(b"\n") if not line.isascii()]
        good = sum(_decodes(line) for line in lines)
        return good > len(lines) / 2
    return True


def _decodes(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _eight_bit(head: bytes) -> str:
    """Cyrillic or western, by which of the two reads like language; Cyrillic when it cannot be told."""
    lines = b"\n".join(line for line in head.split(b"\n") if not line.isascii())[:20_000]
    found = from_bytes(lines, cp_isolation=["cp1251", "cp1252"]).best()
    return found.encoding if found is not None and found.encoding in ENCODINGS else "cp1251"


def separator_of(text: str) -> str:
    """The sign that divides the lines into the same number of cells, more than one, most consistently; a comma for a single column."""
    lines = [line for line in _QUOTED.sub("", text).splitlines()[:200] if line.strip()]
    lines = lines[:-1] if len(lines) > 1 and not text.endswith(("\n", "\r")) else lines  # the last one may be cut
    return max(SEPARATORS, key=lambda sign: _consistency(lines, sign))


def _consistency(lines: Sequence[str], sign: str) -> tuple[float, int]:
    counts = Counter(line.count(sign) for line in lines)
    if not counts:
        return 0, 0
    usual, times = max(counts.items(), key=lambda pair: (pair[1], pair[0]))
    return (times / len(lines), usual) if usual else (0, 0)


def decimal_of(cells: Iterable[str], *, separator: str) -> str:
    """The decimal sign that the numbers among `cells` show; a comma goes with semicolons when no number tells."""
    dots = commas = 0
    for cell in cells:
        text = cell.strip().replace("\u00a0", "").replace(" ", "")
        dots += bool(_DECIMAL_DOT.fullmatch(text))
        commas += bool(_DECIMAL_COMMA.fullmatch(text))
    if dots == commas:
        return "," if separator == ";" and not dots else "."
    return "," if commas > dots else "."


def dates_of(cells: Iterable[str]) -> str:
    """The order "mdy" when a second number is over twelve and no first one is, else "dmy"."""
    first = second = 0
    for cell in cells:
        if match := _SLASHED.match(cell.strip()):
            first += int(match[1]) > _TWELVE
            second += int(match[2]) > _TWELVE
    return "mdy" if second and not first else "dmy"
