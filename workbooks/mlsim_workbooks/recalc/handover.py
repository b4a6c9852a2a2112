"""The copy of a workbook that another program works out: no cached values, the functions under that program's names.

Cells with formulas lose their number format as well: it hides which results are truth values and which are dates.
"""

from __future__ import annotations

import re
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from mlsim_workbooks import formulas as fx
from mlsim_workbooks import names
from mlsim_workbooks.package import (
    Cell,
    Sheet,
    Value,
    column_name,
    position,
    read_package,
    read_workbook,
    scan_sheet,
    write_package,
)

__all__ = ["Values", "Wanted", "prepare"]

Values = dict[str, dict[tuple[int, int], Value]]
"""By sheet, and row and column from 1."""

Wanted = dict[tuple[int, int], bool | None]
"""The cells of a sheet whose values are asked for. A cell of an array formula is True when its formula shows that it
gives truth values, else False; other cells are None."""

# Functions whose results are truth values: LibreOffice forgets that of the elements of an array formula.
_TRUTHS = frozenset(
    {
        "AND", "OR", "XOR", "NOT", "TRUE", "FALSE", "EXACT", "ISBLANK", "ISERR", "ISERROR", "ISEVEN", "ISFORMULA",
        "ISLOGICAL", "ISNA", "ISNONTEXT", "ISNUMBER", "ISODD", "ISREF", "ISTEXT",
    }
)  # fmt: skip
_MLSIM_TRUTHS = frozenset({"MLSIM_FITS"})
_COMPARISONS = frozenset({"=", "<", ">", "<=", ">=", "<>"})
_FORMAT = re.compile(
    rb'(<(?:\w+:)?cell(?:Style)?Xfs\b[^>]*>\s*<(?:\w+:)?xf\b[^>]*?\bnumFmtId=")\d+'
)  # of cells without a style
_CALC = re.compile(rb"<(?:\w+:)?calcPr\b[^>]*?/>")


def prepare(file: Path, host: str) -> dict[str, Wanted]:
    """Rewrite a workbook for another program; return the cells of its formulas, sheet by sheet.

    Parameters
    ----------
    file : Path
        A workbook with MLSIM's functions under their own names.
    host : str
        One of ``mlsim_workbooks.names.HOSTS``.
    """
    package = read_package(file)
    workbook = read_workbook(package)
    sheets = {part: name for name, part in workbook.sheets if part}
    styles = [part for kind, part in workbook.rels.values() if kind == "styles"]
    changed: dict[str, bytes] = {}
    wanted: dict[str, Wanted] = {}
    for member in package.members:
        if not member.endswith(".xml"):
            continue
        data = package.read(member)
        new = names.renamed(data, host)[0] if b"MLSIM" in data.upper() else data
        if member == workbook.part:
            new = _CALC.sub(b"", new)  # calculate automatically, whatever the file says
        elif member in styles:
            new = _FORMAT.sub(rb"\g<1>0", new)
        elif member in sheets:
            sheet = scan_sheet(new, member)
            wanted[sheets[member]] = _cells(sheet)
            new = _bare(sheet, host)
        if new != data:
            changed[member] = new
    file.write_bytes(write_package(package, changed))
    return {name: wanted[name] for name in sheets.values()}


def _cells(sheet: Sheet) -> Wanted:
    found: Wanted = {}
    for row in sheet.rows:
        for cell in row.cells:
            if cell.attrs is None:
                continue
            found.setdefault((cell.row, cell.col), None)
            if cell.attrs.get("t") == "array":
                is_truth = _gives_truth(cell.formula or "")
                first, _, last = cell.attrs.get("ref", f"{column_name(cell.col)}{cell.row}").partition(":")
                (top, left), (bottom, right) = position(first), position(last or first)
                for r in range(top, bottom + 1):
                    found.update({(r, c): is_truth for c in range(left, right + 1)})
    return found


def _bare(sheet: Sheet, host: str) -> bytes:
    """Return a worksheet without cached values, and without the number formats that hide truth values."""
    pieces, at = [], 0
    for row in sheet.rows:
        for cell in row.cells:
            new = _bare_cell(cell, sheet.prefix, host)
            if new:
                end = sheet.data.index(b">", cell.end) + 1
                pieces += [sheet.data[at : cell.at], new.encode()]
                at = end
    return b"".join([*pieces, sheet.data[at:]])


def _bare_cell(cell: Cell, prefix: str, host: str) -> str:
    head = f'<{prefix}c r="{column_name(cell.col)}{cell.row}"'
    if cell.attrs is None:
        is_truth = cell.type == "b" and cell.style and cell.value is not None
        return f'{head} t="b"><{prefix}v>{escape(cell.value or "")}</{prefix}v></{prefix}c>' if is_truth else ""
    if cell.cm and host != "libreoffice":
        head += f' cm="{cell.cm}"'
    attributes = "".join(f" {name}={quoteattr(value)}" for name, value in cell.attrs.items())
    text = cell.formula or ""
    text = escape(_truthful(text) if host == "libreoffice" else text)
    return f"{head}><{prefix}f{attributes}>{text}</{prefix}f></{prefix}c>"


def _truthful(formula: str) -> str:
    """Return a formula with "<>0" behind functions that give truth values: from an add-in Calc takes only numbers."""
    edits = []
    for call in fx.calls(formula) if "MLSIM" in formula else ():
        if call.name in _MLSIM_TRUTHS:
            edits += [(call.start, "("), (call.end, "<>0)")]
    for at, text in sorted(edits, reverse=True):
        formula = formula[:at] + text + formula[at:]
    return formula


def _gives_truth(formula: str) -> bool:
    """Tell whether a formula, by its text, gives truth values: a comparison, or a function that does."""
    tokens = [token for token in fx.tokens(formula) if token.kind != "space"]
    depth, closed = 0, 0
    for i, token in enumerate(tokens):
        if token.kind == "func" or token.text in ("(", "{"):
            depth += 1
        elif token.text in (")", "}"):
            depth -= 1
            closed = closed or (i if depth == 0 else 0)
        elif depth == 0 and token.kind == "op" and token.text in _COMPARISONS:
            return True
    if not tokens or closed != len(tokens) - 1:
        return False
    if tokens[0].text == "(":
        return _gives_truth(formula.strip()[1:-1])
    return tokens[0].kind == "func" and fx.normalise(tokens[0].text) in _TRUTHS | _MLSIM_TRUTHS
