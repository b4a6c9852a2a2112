"""The unit checker: find unit mistakes in any capacity spreadsheet.

``read`` the workbook, find what each number's surroundings say (``layout``, ``labels``), work out every formula's
unit (``infer``, on the ``algebra`` of units), and hold the two against each other (``rules``). What a person has
accepted is left out (``silence``).
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass

from mlsim_workbooks.lint.finding import RULES, Finding, Rule
from mlsim_workbooks.lint.infer import infer
from mlsim_workbooks.lint.reader import read_book
from mlsim_workbooks.lint.rules import check
from mlsim_workbooks.lint.silence import silence
from mlsim_workbooks.package import Package, read_package

__all__ = ["RULES", "Checked", "Finding", "Rule", "check_book", "lint"]


@dataclass(frozen=True, slots=True)
class Checked:
    """What checking one workbook gave: the findings that stay, and what a person should know about them."""

    findings: list[Finding]
    formulas: int
    silenced: int
    notes: tuple[str, ...]  # what could not be read or followed, as sentences


def lint(path: str | os.PathLike[str], *, ignore: Collection[str] = ()) -> list[Finding]:
    """Return the unit mistakes of a workbook, without the rules in ``ignore`` and without what its notes accept.

    Raises
    ------
    mlsim.files.FileError
        When the file cannot be read; the message is one sentence.
    mlsim.errors.CellError
        When ``ignore`` names a rule that does not exist.
    """
    return check_book(read_package(path), ignore).findings


def check_book(package: Package, ignore: Collection[str] = ()) -> Checked:
    """Check a workbook that has been read; raises as ``lint`` does."""
    book = read_book(package)
    found = check(infer(book))
    kept, notes = silence(found, book, ignore)
    formulas = sum(item.form >= 0 for grid in book.grids for item in grid.cells.values())
    return Checked(kept, formulas, len(found) - len(kept), (*book.problems, *notes))
