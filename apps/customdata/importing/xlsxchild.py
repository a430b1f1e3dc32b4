"""The child that reads a workbook: rows of the first sheet as CSV (UTF-8) on standard output. Stands alone; imports nothing of the product."""

import csv
import datetime as dt
import io
import os
import resource
import sys
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from openpyxl import load_workbook

MEMORY = 1_500_000_000  # bytes of address space
SECONDS = 1_200
BLANK_ROWS = 1_000  # so many in a row end the table: sheets are often formatted down to row 1,048,576


def main(path: str) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    stream = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="")
    with open(path, "rb") as file:  # noqa: PTH123  by its name it would be judged by its ending
        sheet = load_workbook(file, read_only=True, data_only=True).worksheets[0]
        sheet.reset_dimensions()  # what the file says of its size may be wrong
        write(sheet.iter_rows(values_only=True), csv.writer(stream))
    stream.flush()


def write(rows: Iterable[Iterable[Any]], out: Any) -> None:
    """Rows as they are, blank ones included as long as others follow them."""
    blank = 0
    for row in rows:
        cells = [text(value) for value in row]
        if any(cells):
            out.writerows([[""]] * blank)
            blank = 0
            out.writerow(trimmed(cells))
        else:
            blank += 1
            if blank > BLANK_ROWS:
                break


def trimmed(cells: list[str]) -> list[str]:
    while cells and not cells[-1]:
        cells.pop()
    return cells


def text(value: Any) -> str:
    """The cell as a person would write it: numbers without noise, moments in ISO form."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return number(value)
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(sep=" ")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return str(value).replace("\x00", "").encode("utf-8", errors="replace").decode()


def number(value: float) -> str:
    if value.is_integer() and abs(value) < 10**15:
        return str(int(value))
    return format(Decimal(repr(value)), "f") if value == value and abs(value) != float("inf") else ""  # noqa: PLR0124  not a number


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except BrokenPipeError:
        os._exit(0)  # the reader has seen enough
