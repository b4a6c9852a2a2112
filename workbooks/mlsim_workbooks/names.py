"""Let a workbook travel: give the functions in its formulas the names that another host knows.

Excel with the classic add-in stores ``MLSIM_X``, Excel with the web add-in ``_xldudf_MLSIM_X``, LibreOffice ``MLSIM.X``.
Only the names change, cached values stay, and the request to calculate everything at opening is taken out: a reader
without the add-in sees the numbers instead of ``#NAME?``.
"""

from __future__ import annotations

import html
import os
import re
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from mlsim.files import write_file
from mlsim_workbooks import formulas as fx
from mlsim_workbooks.functions import CATALOGUE
from mlsim_workbooks.package import read_package, read_workbook, write_package
from mlsim_workbooks.recalc.batch import targets

__all__ = ["HOSTS", "rename", "rename_all", "rename_formula", "renamed"]

HOSTS = {"excel": "MLSIM_", "officejs": "_xldudf_MLSIM_", "libreoffice": "MLSIM."}
"""What stands before a function's own name in the files of each host."""

# Every element of a workbook's parts whose text is a formula: cells, names, tables, validation, conditional formats.
_FORMULA = re.compile(
    rb"(<(?:\w+:)?(?:f|formula[12]?|definedName|calculatedColumnFormula|totalsRowFormula)(?:\s[^<>]*)?>)([^<]*)(?=</)"
)
_FULL_CALC = re.compile(rb'(<(?:\w+:)?calcPr\b[^>]*?)\s+fullCalcOnLoad="(?:1|true)"')


def rename_formula(formula: str, host: str) -> str:
    """Return a formula with every MLSIM function under the name a host knows; texts in it stay as they are."""
    toks = fx.tokens(formula)
    out: list[str] = []
    for i, token in enumerate(toks):
        name = fx.normalise(token.text) if token.kind == "func" else ""
        if name not in CATALOGUE:
            out.append(token.text)
            continue
        if i and toks[i - 1].kind == "sheet":  # [1]! or 'C:\...\MLSIM.xlam'!: the function of an add-in's file
            out.pop()
        out.append(f"{HOSTS[host]}{name.removeprefix('MLSIM_')}(")
    return "".join(out)


def rename(book: str | os.PathLike[str], host: str, out: str | os.PathLike[str] | None = None) -> int:
    """Rename in one workbook, in place unless ``out`` is given; return the number of formulas changed.

    Raises
    ------
    RecalcError
        When the file is no workbook, or damaged.
    """
    package = read_package(book)
    workbook = read_workbook(package).part
    changed: dict[str, bytes] = {}
    count = 0
    for name in package.members:
        if not name.endswith(".xml"):
            continue
        data = package.read(name)
        new, found = renamed(data, host) if b"MLSIM" in data.upper() else (data, 0)
        count += found
        if name == workbook:
            new = _FULL_CALC.sub(rb"\1", new)
        if new != data:
            changed[name] = new
    if changed or out is not None:
        write_file(out or book, write_package(package, changed), like=Path(book))
    return count


def renamed(data: bytes, host: str) -> tuple[bytes, int]:
    """Return a part with its formulas renamed, and how many changed."""
    count = 0

    def replaced(found: re.Match[bytes]) -> bytes:
        nonlocal count
        if b"MLSIM" not in found[2].upper():
            return found[0]
        formula = html.unescape(found[2].decode())
        new = rename_formula(formula, host)
        if new == formula:
            return found[0]
        count += 1
        return found[1] + escape(new, {"\r": "&#13;"}).encode()

    return _FORMULA.sub(replaced, data), count


def rename_all(books: Sequence[str], host: str, output_dir: str | None) -> int:
    """Rename in workbooks, in place or into a folder; print a line for each."""
    for book, out in targets(books, output_dir):
        count = rename(book, host, out)
        print(f"{out or book}: {count:,} formula{'' if count == 1 else 's'} renamed for {host}.")
    return 0
