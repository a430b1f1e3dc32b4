"""Rows of a workbook as a stream. Unpacked and read by a child process with limits of its own (security.md 13), which writes plain CSV."""

import subprocess
import sys
import zipfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from django.utils.translation import gettext as _

from apps.customdata.importing.csvrows import Row, rows
from apps.customdata.importing.limits import MAX_PARTS, MAX_RATIO, MAX_UNPACKED, FileError
from apps.customdata.importing.sniffing import Form

_CHILD = Path(__file__).with_name("xlsxchild.py")
_SMALL = 1_000_000
_SAID = 500


def check(path: Path) -> None:
    """Raises `FileError` when the parts of a workbook would unpack to more than they may. Nothing is unpacked for that, and no part can later
    give more than it has announced: the reader stops there.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise FileError(_("The workbook is damaged. Open it in a spreadsheet and save it again.")) from error
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise FileError(_("The workbook would unpack to more than %(limit)s MB. Save it as CSV.") % {"limit": MAX_UNPACKED // 1_000_000})
    if any(part.file_size > _SMALL and part.file_size > MAX_RATIO * max(1, part.compress_size) for part in parts):
        raise FileError(_("The workbook unpacks to far more than it should. It is refused as harmful; save the table as CSV."))
    if "xl/workbook.xml" not in {part.filename for part in parts}:
        raise FileError(_("This archive is no workbook. Upload .xlsx or .csv."))


def xlsx_rows(path: Path) -> Generator[Row, None, None]:
    """The rows of the first sheet, header included."""
    check(path)
    with _child(path) as stream:
        yield from rows(stream, Form())


@contextmanager
def _child(path: Path) -> Iterator[IO[bytes]]:
    process = subprocess.Popen(  # noqa: S603  our own program, no shell
        [sys.executable, "-I", str(_CHILD), str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={"PYTHONUTF8": "1"}
    )
    try:
        if process.stdout is None or process.stderr is None:
            raise FileError(_("The workbook could not be opened."))
        yield process.stdout
        process.stdout.close()
        said = process.stderr.read(_SAID).decode(errors="replace")
        if process.wait(timeout=30):
            raise FileError(_said(said))
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def _said(said: str) -> str:
    if "MemoryError" in said:
        return _("The workbook is too big to be read. Save it as CSV and upload that.")
    return _("The workbook could not be read. Open it in a spreadsheet and save it again, or save it as CSV.")
