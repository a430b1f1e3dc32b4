"""CSV that spreadsheets open without running anything in it."""

import csv
import io
import re

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.scenarios.languages.exchange import MAX_BYTES, Format, FormatError, Loaded, Sheet, table, untable

# What a spreadsheet could take for a formula, and the mark itself: so that taking one mark away is always right.
FORMULA = re.compile(r"['=+\-@\t\r\n]")


class CsvTable(Format):
    kind = "csv"
    label = gettext_lazy("CSV")
    content_type = "text/csv"

    def dump(self, sheet: Sheet) -> bytes:
        out = io.StringIO(newline="")
        writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
        writer.writerows([guarded(cell) for cell in row] for row in table(sheet))
        return out.getvalue().encode("utf-8-sig")

    def load(self, body: bytes) -> Loaded:
        try:
            text = body[:MAX_BYTES].decode("utf-8-sig")
            csv.field_size_limit(MAX_BYTES)
            rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=True))
        except UnicodeDecodeError as error:
            raise FormatError(_("The file is not UTF-8. Save it as “CSV UTF-8”.")) from error
        except csv.Error as error:
            raise FormatError(_("The file is no CSV: %(why)s.") % {"why": error}) from error
        return untable([[unguarded(cell) for cell in row] for row in rows])


def guarded(cell: str) -> str:
    return f"'{cell}" if FORMULA.match(cell) else cell


def unguarded(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell[1:]) else cell


def _separator(text: str) -> str:
    """Spreadsheets of some countries write semicolons."""
    first = text.split("\n", 1)[0]
    return max((",", ";", "\t"), key=first.count)
