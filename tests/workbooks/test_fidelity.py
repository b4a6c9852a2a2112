"""Recalculation changes cached values and nothing else, whatever a workbook holds."""

from __future__ import annotations

import warnings
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from fidelity import overlaid, raw, spilled, written
from fidelity.book import STALE, Book
from fidelity.compare import differences
from fidelity.office import running

from mlsim_workbooks.package import Err, Value, open_package, read_workbook, scan_sheet
from mlsim_workbooks.recalc import Report, recalculate_bytes

BOOKS = (*written.BOOKS, *overlaid.BOOKS, *raw.BOOKS, *spilled.BOOKS)

every_book = pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.name)


@cache
def before(book: Book) -> bytes:
    return book.build()


@cache
def recalculated(book: Book) -> tuple[Report, bytes]:
    report, data = recalculate_bytes(before(book), f"book{book.suffix}")
    assert data is not None
    return report, data


def values(data: bytes, suffix: str = ".xlsx") -> dict[str, Value]:
    """Return the cached values of a file by "Sheet!cell"."""
    package = open_package(Path(f"book{suffix}"), data)
    workbook = read_workbook(package)
    found: dict[str, Value] = {}
    for name, part in workbook.sheets:
        for row in scan_sheet(package.read(part), part).rows if part else ():
            for cell in row.cells:
                found[f"{name}!{openpyxl.utils.get_column_letter(cell.col)}{cell.row}"] = workbook.value(cell)
    return found


def same(value: Value, due: Any) -> bool:
    if isinstance(value, Err) or isinstance(due, bool):
        return value == due and (type(value) is type(due) or isinstance(value, Err))
    return value == (pytest.approx(due, rel=1e-12) if isinstance(due, float) else due)


def test_the_corpus_is_large_and_its_names_are_its_own() -> None:
    assert len({book.name for book in BOOKS}) == len(BOOKS) >= 36


@every_book
def test_only_values_of_formulas_change(book: Book) -> None:
    _, after = recalculated(book)
    assert after != before(book)
    assert differences(before(book), after, book.spills) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('<c r="B3"><v>4</v>', '<c r="B3"><v>5</v>'),  # a constant
        ('<sheetFormatPr defaultRowHeight="15"/>', '<sheetFormatPr defaultRowHeight="16"/>'),
        ("<f>B6*2+B3</f>", "<f>B6*2+B4</f>"),
        ('<c r="B13"', '<c s="0" r="B13"'),
        ("</sheetData>", "</sheetData><!-- -->"),
        ('<row r="6"', '<row  r="6"'),
    ],
)
@pytest.mark.parametrize("spills", [False, True])
def test_the_comparison_sees_what_else_changes(old: str, new: str, spills: bool) -> None:
    parts = written.written(lambda *_: None)
    data = parts.zip()
    assert differences(data, data, spills) == []
    parts.replace("xl/worksheets/sheet1.xml", old, new)
    found = differences(data, parts.zip(), spills)
    assert len(found) >= 1 or (spills and old.startswith("<row"))  # a blank within a tag is no XML


def test_the_comparison_sees_changed_parts_and_headers() -> None:
    parts = written.written(lambda *_: None)
    data = parts.zip()
    assert differences(data, parts.odd_zip()) != []
    parts.replace("xl/styles.xml", "Calibri", "Arial")
    assert differences(data, parts.zip()) == ["xl/styles.xml: content"]
    parts.content["xl/new.xml"] = b"<new/>"
    assert differences(data, parts.zip())[0].startswith("members")


@every_book
def test_the_values_are_right(book: Book) -> None:
    report, after = recalculated(book)
    found = values(after, book.suffix)
    wrong = {cell: (found.get(cell), due) for cell, due in book.values.items() if not same(found.get(cell), due)}
    assert wrong == {}
    assert {cell for cell, value in found.items() if value == STALE} <= set(book.left)
    assert [f"{sheet}!{cell}" for sheet, cell, _ in report.left] == list(book.left)


@every_book
def test_a_second_time_nothing_changes(book: Book) -> None:
    report, data = recalculate_bytes(recalculated(book)[1], f"book{book.suffix}")
    assert (data, report.changed) == (None, [])


@pytest.mark.parametrize("book", [book for book in BOOKS if book.openpyxl], ids=lambda book: book.name)
def test_openpyxl_opens_it(book: Book, tmp_path: Path) -> None:
    path = tmp_path / f"book{book.suffix}"
    path.write_bytes(recalculated(book)[1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what openpyxl does not keep
        opened = openpyxl.load_workbook(path, data_only=True)
    assert opened["Sheet1"]["B6"].value == pytest.approx(book.values["Sheet1!B6"])


def test_libreoffice_opens_them(tmp_path: Path) -> None:
    with running() as office:
        for book in BOOKS:
            path = tmp_path / f"book{book.suffix}"
            path.write_bytes(recalculated(book)[1])
            assert "Sheet1" in office.blocks(path), book.name
