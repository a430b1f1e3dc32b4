"""Files as they come: encodings, separators, broken quotes, bombs."""

import io
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from apps.customdata.importing import reading, sniffing
from apps.customdata.importing.csvrows import Row, rows
from apps.customdata.importing.limits import FileError
from apps.customdata.importing.sniffing import Form
from apps.customdata.importing.suggesting import Suggestion, kind_of

TEXT = "Имя;Сумма;Дата\nАнна;12,50;21.11.2026\nБорис;1 250,00;05.12.2026\n"


def file_of(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "upload"
    path.write_bytes(content)
    return path


def rows_of(content: str | bytes, **form: Any) -> list[Row]:
    return list(rows(io.BytesIO(content.encode() if isinstance(content, str) else content), Form(**form)))


@pytest.mark.parametrize(
    ("encoding", "known_as"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("cp1251", "cp1251"),
        ("utf-16", "utf-16-le"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
    ],
)
def test_encodings_separators_and_decimal_signs_are_found(tmp_path: Path, encoding: str, known_as: str) -> None:
    seen = reading.sample(file_of(tmp_path, TEXT.encode(encoding)))
    assert seen.form == Form(encoding=known_as, separator=";", decimal=",")
    assert seen.columns == ["Имя", "Сумма", "Дата"]
    assert [row.cells for row in seen.rows] == [["Анна", "12,50", "21.11.2026"], ["Борис", "1 250,00", "05.12.2026"]]


@pytest.mark.parametrize(
    ("text", "separator"),
    [("a,b\n1,2\n", ","), ("a;b\n1,5;2,5\n1,5;3,5\n", ";"), ("a\tb\n1;2\t3\n", "\t"), ('a|b\n"x,y,z"|1\n', "|"), ("alone\n1\n", ",")],
)
def test_the_separator_divides_all_lines_alike(text: str, separator: str) -> None:
    assert sniffing.separator_of(text) == separator


def test_months_come_first_when_a_second_number_is_over_twelve() -> None:
    assert [sniffing.dates_of(cells) for cells in (["05/13/2026", "1/2/2026"], ["13/05/2026"], ["05/06/2026"], [])] == [
        "mdy",
        "dmy",
        "dmy",
        "dmy",
    ]


def test_cells_may_hold_separators_quotes_and_line_ends() -> None:
    assert rows_of('a,b\n"x, ""y""\nz",2\n\n3,4\n') == [Row(1, ["a", "b"]), Row(2, ['x, "y"\nz', "2"]), Row(4, ["3", "4"])]


def test_line_ends_of_every_system_are_read() -> None:
    assert rows_of("a,b\r1,2\r3,4\r") == rows_of("a,b\r\n1,2\r\n3,4") == [Row(1, ["a", "b"]), Row(2, ["1", "2"]), Row(3, ["3", "4"])]


def test_a_quote_that_is_not_closed_costs_its_own_row() -> None:
    assert rows_of('a,b\n"x,1\ny,2\nz,3\n') == [Row(1, ["a", "b"]), Row(2, ['"x,1'], "quotes"), Row(3, ["y", "2"]), Row(4, ["z", "3"])]


def test_many_broken_quotes_end_the_reading() -> None:
    with pytest.raises(FileError, match="Too many quotes"):
        rows_of("a,b\n" + '"x,1\n' * 400 + "y,2\n" * 10)


def test_rows_of_another_encoding_and_with_nul_are_named() -> None:
    found = rows_of(b"a,b\n" + "Анна,1\n".encode() + "Борис,2\n".encode("cp1251") + b"x\x00y,3\n" + "Ева,4\n".encode())
    assert [(row.number, row.problem) for row in found] == [(1, ""), (2, ""), (3, "encoding"), (4, "nul"), (5, "")]
    assert found[4].cells == ["Ева", "4"]


def test_a_cell_of_a_hundred_megabytes_is_refused_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "big"
    with path.open("wb") as stream:
        stream.write(b"a,b\n1,")
        stream.truncate(100_000_000)
    with path.open("rb") as stream, pytest.raises(FileError, match="more than"):
        list(rows(stream, Form()))


def test_five_thousand_columns_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"more than 1000 columns"):
        reading.sample(file_of(tmp_path, ",".join(f"c{n}" for n in range(5000)).encode()))


@pytest.mark.parametrize("content", [b"", b"   \n", b"%PDF-1.7 ...", b"\xd0\xcf\x11\xe0old excel", b"\xff\xfe\x00\x00u\x00\x00\x00"])
def test_what_is_no_table_is_refused_with_advice(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(FileError):
        reading.sample(file_of(tmp_path, content))


def test_columns_get_names_each_once(tmp_path: Path) -> None:
    seen = reading.sample(file_of(tmp_path, b"name,, name ,name\n1,2,3,4\n"))
    assert seen.columns == ["name", "Column 2", "name (3)", "name (4)"]


def test_a_workbook_is_read_as_people_see_it(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet: Any = book.active
    sheet.append(["Имя", "Сумма", "Когда", "Да"])
    sheet.append(["Анна\nПетрова", 0.1, "2026-11-21", True])
    sheet.append([])
    sheet.append(["=1+1", 79991234567, None, None])
    path = tmp_path / "book"
    book.save(path)
    seen = reading.sample(path)
    assert (seen.form.kind, seen.columns) == ("xlsx", ["Имя", "Сумма", "Когда", "Да"])
    assert seen.rows == [Row(2, ["Анна\nПетрова", "0.1", "2026-11-21", "true"]), Row(4, ["", "79991234567"])]


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        with archive.open("xl/worksheets/sheet1.xml", "w") as part:
            for _ in range(30):
                part.write(b"0" * 1_000_000)
    with pytest.raises(FileError, match="harmful"):
        reading.sample(path)


def test_archives_that_are_no_workbooks_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(FileError, match="no workbook"):
        reading.sample(path)
    with pytest.raises(FileError, match="damaged"):
        reading.sample(file_of(tmp_path, b"PK\x03\x04 and nothing more"))


def test_entities_of_a_workbook_are_not_resolved(tmp_path: Path) -> None:
    path = tmp_path / "entities"
    book = openpyxl.Workbook()
    book.save(path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    bad = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>'
    parts["xl/workbook.xml"] = parts["xl/workbook.xml"].replace(b"<workbook", bad + b"<workbook", 1)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    with pytest.raises(FileError):
        reading.sample(path)


def test_memory_stays_flat(tmp_path: Path) -> None:
    """A file of 25 MB is read in a process that may have little more than its own code."""
    path = tmp_path / "long"
    with path.open("w") as stream:
        stream.write("a,b,c\n")
        for _ in range(25):
            stream.write(("x" * 48 + ",y,z\n") * 20_000)
    program = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from apps.customdata.importing.csvrows import rows\n"
        "from apps.customdata.importing.sniffing import Form\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "count = sum(1 for _ in rows(Path(sys.argv[1]).open('rb'), Form()))\n"
        "print(count, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    count, grown = map(int, done.stdout.split())
    assert count == 500_001
    assert grown < 16


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "250", "3 000"], "number"),
        (["0012", "0450"], "text"),
        (["2026-11-21", "5.12.2026"], "date"),
        (["2026-11-21 10:00", "2026-11-21T10:00:05Z"], "datetime"),
        (["да", "нет", ""], "boolean"),
        (["a@example.com", "b@example.org"], "email"),
        (["+380501112233", "+44 20 7946 0958"], "phone"),
        (["new", "done"] * 20, "choice"),
        (["word", "x" * 300], "long_text"),
        (["", ""], "text"),
    ],
)
def test_a_kind_is_suggested_that_all_cells_fit(cells: list[str], kind: str) -> None:
    assert kind_of(cells, Form()).kind == kind


def test_decimals_are_counted() -> None:
    assert kind_of(["1,5", "2,125"], Form(decimal=",")) == Suggestion("number", {"decimals": 3})
