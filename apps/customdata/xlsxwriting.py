"""A workbook as a stream: any number of rows in flat memory, nothing on disk. Texts are typed as texts, so that no cell is run as a formula."""

import datetime as dt
import math
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import chain, islice
from typing import Any
from xml.sax.saxutils import escape, quoteattr

MAX_ROWS = 1_048_576
MAX_CELL = 32_767
_LOT = 500
_EXACT_DIGITS = 15  # a spreadsheet keeps no more; a longer number is written as text
_EPOCH = dt.datetime(1899, 12, 30)  # noqa: DTZ001  spreadsheets know no zones
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
CONTENT_TYPE = f"{_TYPES}.sheet"
_DATE, _MOMENT, _BOLD = 1, 2, 3
_STYLES = (
    f'{_HEAD}<styleSheet xmlns="{_MAIN}"><numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="1"><fill><patternFill patternType="none"/></fill></fills><borders count="1"><border/></borders>'
    '<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="4"><xf/><xf numFmtId="14" applyNumberFormat="1"/>'
    '<xf numFmtId="164" applyNumberFormat="1"/><xf fontId="1" applyFont="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)


class _Pipe:
    """A file that can only be written; what was written is taken out again in pieces."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing waits anywhere."""

    def taken(self) -> bytes:
        data, self._pieces = b"".join(self._pieces), []
        return data


def pieces(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """The workbook's bytes. A sheet that is full is followed by another with the same header."""
    pipe = _Pipe()
    source, sheets = iter(rows), 0
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED, compresslevel=5) as archive:  # type: ignore[call-overload]
        first = next(source, None)
        while sheets == 0 or first is not None:
            sheets += 1
            lot = islice(source, MAX_ROWS - 2)
            yield from _sheet(archive, pipe, sheets, columns, chain([] if first is None else [first], lot))
            first = next(source, None)
        for name, text in _parts(title, sheets).items():
            archive.writestr(name, text)
    yield pipe.taken()


def _sheet(archive: zipfile.ZipFile, pipe: _Pipe, number: int, columns: Sequence[str], rows: Iterator[Sequence[Any]]) -> Iterator[bytes]:
    with archive.open(f"xl/worksheets/sheet{number}.xml", "w", force_zip64=True) as part:
        part.write(f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetData>'.encode())
        part.write(("<row>" + "".join(_string(name, style=_BOLD) for name in columns) + "</row>").encode())
        while lot := list(islice(rows, _LOT)):
            part.write("".join(f"<row>{''.join(map(_cell, row))}</row>" for row in lot).encode())
            yield pipe.taken()
        part.write(b"</sheetData></worksheet>")


def _cell(value: Any) -> str:
    if value is None or value == "":
        return "<c/>"
    if isinstance(value, bool):
        return f'<c t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | Decimal | float):
        return _number(value)
    if isinstance(value, dt.datetime):
        return f'<c s="{_MOMENT}"><v>{_days(value.replace(tzinfo=None))!r}</v></c>' if value.year >= 1900 else _string(value.isoformat())  # noqa: PLR2004  the first year of spreadsheets
    if isinstance(value, dt.date):
        moment = dt.datetime(value.year, value.month, value.day)  # noqa: DTZ001
        return f'<c s="{_DATE}"><v>{int(_days(moment))}</v></c>' if value.year >= 1900 else _string(value.isoformat())  # noqa: PLR2004
    return _string(str(value))


def _days(moment: dt.datetime) -> float:
    return round((moment - _EPOCH) / dt.timedelta(days=1), 10)


def _number(value: float | Decimal) -> str:
    text = format(value, "f") if isinstance(value, Decimal) else repr(value)
    if not math.isfinite(value) or len(text.strip("-0.").replace(".", "")) > _EXACT_DIGITS:
        return _string(text)
    return f"<c><v>{text}</v></c>"


def _string(text: str, *, style: int = 0) -> str:
    shown = escape(_UNWRITABLE.sub("\ufffd", text[:MAX_CELL]))
    return f'<c t="inlineStr"{f" s={quoteattr(str(style))}" if style else ""}><is><t xml:space="preserve">{shown}</t></is></c>'


def _parts(title: str, sheets: int) -> dict[str, str]:
    name = re.sub(r"[\[\]:*?/\\]", " ", title).strip("' ")[:25] or "Records"
    numbers = range(1, sheets + 1)
    overrides = "".join(f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_TYPES}.worksheet+xml"/>' for n in numbers)
    listed = "".join(f'<sheet name={quoteattr(name if n == 1 else f"{name} {n}")} sheetId="{n}" r:id="s{n}"/>' for n in numbers)
    links = "".join(f'<Relationship Id="s{n}" Type="{_LINKS}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in numbers)
    return {
        "[Content_Types].xml": f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-'
        f'package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPES}.styles+xml"/>{overrides}</Types>',
        "_rels/.rels": f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="b" Type="{_LINKS}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_LINKS}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{links}<Relationship Id="y" '
        f'Type="{_LINKS}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": _STYLES,
    }
