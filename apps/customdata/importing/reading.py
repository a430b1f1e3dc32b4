"""One way to the rows of any file that was uploaded: where it lies, what it is, its header and its first rows."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import IO, Any

from django.core.files.storage import default_storage
from django.utils.translation import gettext as _

from apps.customdata.importing import sniffing
from apps.customdata.importing.csvrows import Row, rows
from apps.customdata.importing.limits import MAX_COLUMNS, MAX_FILE, FileError
from apps.customdata.importing.sniffing import HEAD, Form
from apps.customdata.importing.xlsxrows import xlsx_rows

SAMPLE = 1_000
_SPACES = " \t\u00a0\u200b\ufeff"


@dataclass(frozen=True)
class Sample:
    """What is seen of a file before it is loaded: its form, the names of its columns, its first rows."""

    form: Form
    columns: list[str]
    rows: list[Row]

    def column(self, number: int) -> list[str]:
        return [row.cells[number] for row in self.rows if not row.problem and number < len(row.cells)]


def sample(path: Path, form: Form | None = None) -> Sample:
    """The beginning of a file, read as `form` or as it seems to be; raises `FileError`."""
    if path.stat().st_size > MAX_FILE:
        raise FileError(_("The file is larger than %(limit)s MB. Divide it.") % {"limit": MAX_FILE // 1_000_000})
    with path.open("rb") as stream:
        found = form or sniffing.sniff(stream.read(HEAD))
    with opened(path, found) as given:
        first = list(islice(given, SAMPLE + 1))
    columns = _header(first)
    cells = [cell for row in first[1:] if not row.problem for cell in row.cells]
    if form is None:
        found = replace(found, decimal=sniffing.decimal_of(cells, separator=found.separator), dates=sniffing.dates_of(cells))
    return Sample(found, columns, first[1:])


@contextmanager
def opened(path: Path, form: Form) -> Iterator[Iterator[Row]]:
    """All rows of the file, the header first."""
    if form.kind == "xlsx":
        with closing(xlsx_rows(path)) as given:  # ends the child
            yield given
        return
    with path.open("rb") as stream:
        yield rows(stream, form)


def _header(first: list[Row]) -> list[str]:
    """Names of the columns, each once; a column without a name is called by its number."""
    if not first:
        raise FileError(_("The file is empty."))
    if first[0].problem:
        raise FileError(_("The first row cannot be read. It must hold the names of the columns; check the encoding and the quotes."))
    if len(first[0].cells) > MAX_COLUMNS:
        raise FileError(_("The file has more than %(limit)s columns.") % {"limit": MAX_COLUMNS})
    names: list[str] = []
    for number, cell in enumerate(first[0].cells, start=1):
        name = " ".join(cell.strip(_SPACES).split())[:200] or _("Column %(number)s") % {"number": number}
        names.append(name if name not in names else f"{name} ({number})")
    return names


@contextmanager
def local(name: str) -> Iterator[Path]:
    """The file of the storage as a file of this machine; a copy when the storage is elsewhere."""
    path = _path(name)
    if path is not None:
        yield path
        return
    with tempfile.NamedTemporaryFile(prefix="import-") as copy:
        with default_storage.open(name, "rb") as source:
            _copy(source, copy)
        yield Path(copy.name)


def _path(name: str) -> Path | None:
    try:
        return Path(default_storage.path(name))
    except NotImplementedError:
        return None


def _copy(source: IO[Any], target: IO[bytes]) -> None:
    shutil.copyfileobj(source, target, 1 << 20)
    target.flush()
