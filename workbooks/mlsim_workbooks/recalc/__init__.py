"""Recalculate a workbook with MLSIM functions without Excel, and without rewriting anything but cached values.

An engine works out the formulas of a copy; the results are then put into the original package: only the cached
values of formula cells differ (and where a dynamic array spills), and every other byte of the file stays.

Formulas that would reach outside the workbook are never worked out. They, what the engine cannot work out, and what
depends on either, are left alone and listed. NOW(), TODAY() and RAND() are worked out anew, so files with them change
on every run.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlsim.files import write_file
from mlsim_workbooks.package import (
    Err,
    Package,
    RecalcError,
    Value,
    column_name,
    open_package,
    patch_sheet,
    read_package,
    write_package,
)
from mlsim_workbooks.recalc.book import Book, Place, cells_of, rectangle, written
from mlsim_workbooks.recalc.embedded import CallMany, Embedded, one_by_one, some
from mlsim_workbooks.recalc.worked import Engine, Worked

__all__ = ["RecalcError", "Report", "embedded", "recalculate", "recalculate_bytes"]

_MAX_STEPS = 300_000  # of the search for values that changed without MLSIM


@dataclass
class Report:
    """What a recalculation did."""

    path: Path
    output: Path
    engine: str = "embedded"
    formulas: int = 0
    mlsim_calls: int = 0
    changed: list[tuple[str, str]] = field(default_factory=list)
    errors: list[tuple[str, str, str, str]] = field(default_factory=list)
    """Cells in error: sheet, cell, error, sentence."""
    left: list[tuple[str, str, str]] = field(default_factory=list)
    """Formulas left alone: sheet, cell, why."""
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0


def recalculate(
    path: str | os.PathLike[str],
    *,
    call: Callable[[str, list[Any]], Any] | None = None,
    known: Collection[str] | None = None,
    call_many: CallMany | None = None,
    engine: Engine | None = None,
    out: str | os.PathLike[str] | None = None,
) -> Report:
    """Recalculate a workbook and write it back, in place or to another file.

    Parameters
    ----------
    path : str or path-like
        An .xlsx or .xlsm file.
    call : callable, optional
        ``call(name, args)`` evaluates one MLSIM function; the catalogue's own by default. An argument is a number,
        text, boolean, None (empty or omitted) or a list of rows; an exception with ``code`` and ``message`` becomes
        a cell error.
    known : collection of str, optional
        The canonical names ``call`` knows.
    call_many : callable, optional
        ``call_many(name, list_of_args)`` gives a list of results or exceptions, in place of ``call``.
    engine : Engine, optional
        What works out the formulas; the embedded engine by default, which alone takes the three arguments above.
    out : str or path-like, optional
        Where to write; in place by default. Nothing is written in place when no value changed.

    Raises
    ------
    RecalcError
        With one sentence; the file is then untouched.
    """
    begin = time.perf_counter()
    source = Path(path)
    package = read_package(source)
    report, new = _recalculated(package, engine or embedded(call, known, call_many))
    report.output = source if out is None else Path(out)
    if new is not None or out is not None:
        write_file(report.output, package.data if new is None else new, like=source)
    report.seconds = time.perf_counter() - begin
    return report


def recalculate_bytes(data: bytes, name: str, engine: Engine | None = None) -> tuple[Report, bytes | None]:
    """Recalculate a workbook that is in memory, on this machine or another; return None when no value changed.

    Raises
    ------
    RecalcError
        With one sentence.
    """
    begin = time.perf_counter()
    report, new = _recalculated(open_package(Path(name), data), engine or embedded())
    report.seconds = time.perf_counter() - begin
    return report, new


def embedded(
    call: Callable[[str, list[Any]], Any] | None = None,
    known: Collection[str] | None = None,
    call_many: CallMany | None = None,
) -> Embedded:
    """Return the embedded engine with the catalogue's functions, or with others."""
    if known is None or (call is None and call_many is None):
        from mlsim_workbooks import functions  # late: only needed without a caller's own functions

        known = functions.CATALOGUE if known is None else known
        call_many = functions.call_many if call is None and call_many is None else call_many
    if call_many is None:
        assert call is not None
        call_many = one_by_one(call)
    return Embedded(known, call_many)


@contextmanager
def _without_collector() -> Iterator[None]:
    """Hold back the garbage collector, which would look through the cells of a workbook again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@_without_collector()
def _recalculated(package: Package, engine: Engine) -> tuple[Report, bytes | None]:
    """Return the report, and the new file when a value changed."""
    book = Book(package)
    report = Report(package.path, package.path, engine.name, formulas=len(book.formulas) + len(book.left))
    worked = engine.calculate(book)
    report.mlsim_calls = sum(f.plan.mlsim for f in book.formulas)
    report.left = [(book.names[s], f"{column_name(c)}{r}", why) for (s, r, c), why in sorted(book.left.items())]
    report.notes += worked.notes
    changed = _patches(book, worked, report)
    return report, write_package(package, changed) if changed else None


# --- results -------------------------------------------------------------------------------------------------------


def _patches(book: Book, worked: Worked, report: Report) -> dict[str, bytes]:
    """Return the changed parts, and fill in the report."""
    updates: list[dict[tuple[int, int], Value]] = [{} for _ in book.names]
    areas: list[dict[tuple[int, int], str]] = [{} for _ in book.names]
    doubtful: list[int] = []
    for number, f in enumerate(book.formulas):
        values, cells = worked.values[f.sheet], book.cells[f.sheet]
        for row, col in cells_of(f.cells):
            value = values[row, col]
            old = book.cached(cells.get((row, col)))
            if isinstance(value, Err):
                message = worked.messages.get((f.sheet, f.row, f.col), "")
                report.errors.append((book.names[f.sheet], f"{column_name(col)}{row}", value, message))
            if old.__class__ is not value.__class__ or old != value:
                updates[f.sheet][row, col] = value
                if not f.plan.mlsim and old is not None and not _close(old, value):
                    doubtful.append(number)
                report.changed.append((book.names[f.sheet], f"{column_name(col)}{row}"))
        if f.dynamic and (area := written(f.cells)) != book.stored_area(f):
            areas[f.sheet][f.row, f.col] = area
    _empty_ghosts(book, updates, report)
    _note_doubts(book, doubtful, report)
    if report.changed and any(name.startswith("_xmlsignatures/") for name in book.package.members):
        report.notes.append("The workbook is digitally signed; the new values end that signature.")
    return {
        sheet.part: patch_sheet(sheet, new, ref)
        for sheet, new, ref in zip(book.sheets, updates, areas, strict=True)
        if new or ref
    }


def _empty_ghosts(book: Book, updates: list[dict[tuple[int, int], Value]], report: Report) -> None:
    """Empty the cells that a dynamic array filled when the file was saved and does not reach any more."""
    kept: set[Place] = set()
    for sheet, row, col in book.left:  # the children of an array that is left alone keep their values
        area = rectangle((book.cells[sheet][row, col].attrs or {}).get("ref", ""))
        if area is not None:
            kept |= {(sheet, r, c) for r, c in cells_of(area)}
    for sheet, ghosts in enumerate(book.ghosts):
        for row, col in sorted(ghosts - book.owner[sheet].keys()):
            cell = book.cells[sheet].get((row, col))
            if cell is not None and cell.value is not None and cell.attrs is None and (sheet, row, col) not in kept:
                updates[sheet][row, col] = None
                report.changed.append((book.names[sheet], f"{column_name(col)}{row}"))


def _note_doubts(book: Book, numbers: list[int], report: Report) -> None:
    """Report changed values that have nothing to do with MLSIM: edited inputs, or an engine that differs."""
    if not numbers:
        return
    columns = book.columns()
    tied: dict[int, bool] = {}  # formula -> does it wait for an MLSIM call, or change by itself?
    budget = _MAX_STEPS
    found: list[str] = []
    for number in numbers:
        seen, stack, free = {number}, [number], True
        while stack and free and budget > 0:
            formula = book.formulas[stack.pop()]
            free = not formula.plan.mlsim and not formula.plan.volatile
            for other in book.precedents(formula, columns) if free else ():
                budget -= 1
                if tied.get(other):
                    free = False
                    break
                if other not in seen:
                    seen.add(other)
                    stack.append(other)
        tied[number] = not free
        if free and budget > 0:
            formula = book.formulas[number]
            found.append(book.where(formula.sheet, formula.row, formula.col))
    if found:
        report.notes.append(
            f"Values that do not depend on MLSIM changed as well ({some(found)}): either their inputs were edited "
            f"without a recalculation, or the {report.engine} engine differs from the program that saved the file."
        )


def _close(old: Value, new: Value) -> bool:
    if isinstance(old, float) and isinstance(new, float):
        return abs(old - new) <= 1e-9 * max(abs(old), abs(new))
    return old == new
