"""Workbooks. Every cell is typed as text, so that none is run as a formula; read by a child process with limits of its own."""

import io
import re
from pathlib import Path
from tempfile import NamedTemporaryFile

from django.utils.translation import gettext_lazy
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font

from apps.customdata.importing.limits import FileError
from apps.customdata.importing.xlsxrows import xlsx_rows
from apps.scenarios.languages.exchange import Format, FormatError, Loaded, Sheet, table, untable

# What XML or the reading library would lose or change, the mark itself, and half of the library's own escape.
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ufffe\uffff⟦]|^[ \t\n]|[ \t\n]$|x(?=005F_)|_(?=x[0-9A-Fa-f]{4}_)")
SAFE = re.compile("⟦([0-9A-F]{4})⟧")
WIDTHS = {1: 28, 2: 36}
WIDTH = 60


class Xlsx(Format):
    kind = "xlsx"
    label = gettext_lazy("Excel workbook")
    content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

    def dump(self, sheet: Sheet) -> bytes:
        book = Workbook(write_only=True)
        page = book.create_sheet("Texts")
        rows = table(sheet)
        for place in range(1, len(rows[0]) + 1):
            page.column_dimensions[chr(64 + place) if place < 27 else "AA"].width = WIDTHS.get(place, WIDTH)  # noqa: PLR2004
        page.freeze_panes = "C2"
        for number, row in enumerate(rows):
            cells = [WriteOnlyCell(page, value=safe(text)) for text in row]
            for cell in cells:
                cell.data_type = "s"
                cell.alignment = Alignment(wrap_text=True, vertical="top")
                cell.font = Font(bold=number == 0)
            page.append(cells)
        out = io.BytesIO()
        book.save(out)
        return out.getvalue()

    def load(self, body: bytes) -> Loaded:
        with NamedTemporaryFile(suffix=".xlsx") as file:
            Path(file.name).write_bytes(body)
            try:
                rows = [row.cells for row in xlsx_rows(Path(file.name))]
            except FileError as error:
                raise FormatError(str(error)) from error
        return untable([[unsafe(cell) for cell in row] for row in rows])


def safe(text: str) -> str:
    return UNSAFE.sub(lambda found: f"⟦{ord(found[0]):04X}⟧", text)


def unsafe(text: str) -> str:
    return SAFE.sub(lambda found: chr(int(found[1], 16)), text)
