"""The whole catalogue: the functions of ``mlsim.functions``, and those that look at workbooks.

Hosts take the catalogue from here, since the core does not know workbooks.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from mlsim.errors import UnitError, shorten
from mlsim.functions import CATALOGUE, call, call_many
from mlsim.functions.catalogue import Arg, declare

if TYPE_CHECKING:
    from mlsim_workbooks.lint.finding import Finding

__all__ = ["CATALOGUE", "HEADER", "MLSIM_LINT", "call", "call_many", "saved_file", "table_row"]

HEADER = ("sheet", "cell", "severity", "rule", "message", "suggestion")

_EXCEL = re.compile(r"(.*[\\/])?\[([^\[\]\\/]+\.xl\w+)\][^\\/\[\]]*", re.I | re.S)
_LIBREOFFICE = re.compile(r"'(.*)'#\$.+", re.S)
_LONGEST = 4096
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]+:[\\/]|https?:", re.I)  # two letters at least: one is a drive


@declare(
    "Units", Arg("path", "text", "The saved workbook: its full path, or CELL('filename')."),
    example='=MLSIM_LINT(CELL("filename",A1))', remember=False,
)  # fmt: skip
def MLSIM_LINT(path: str) -> str | list[list[str]]:
    """Unit mistakes of a saved workbook, as a table that spills: sheet, cell, severity, rule, message, suggestion.

    It reads the file as last saved; nothing is fetched from a network. "no unit mistakes" when there are none.
    """
    from mlsim_workbooks.lint.command import checked  # late: the checker is not needed for any other function

    found = checked(saved_file(path)).findings
    return [list(HEADER), *map(table_row, found)] if found else "no unit mistakes"


def table_row(finding: Finding) -> list[str]:
    """Return a finding as the cells under ``HEADER``."""
    f = finding
    return [f.sheet, f.cell, f.severity, f.rule, f.message, f.suggestion]


def saved_file(path: str) -> str:
    r"""Return the file that a path, or what CELL("filename") gives, leads to.

    Excel gives ``C:\dir\[book.xlsx]Sheet1``, LibreOffice ``'file:///dir/book.xlsx'#$Sheet1``.

    Raises
    ------
    UnitError
        For a place on a network, from which nothing is fetched, and for a document that has no file yet.
    """
    text = path.strip()
    if found := _EXCEL.fullmatch(text):
        text = (found[1] or "") + found[2]
    elif found := _LIBREOFFICE.fullmatch(text):
        text = found[1].replace("''", "'")
    if text.lower().startswith("file:"):
        parts = urlsplit(text)
        host = "" if parts.netloc == "localhost" else parts.netloc
        text = (f"//{host}" if host else "") + unquote(parts.path, errors="surrogateescape")
        text = re.sub(r"^/(?=[A-Za-z]:)", "", text)  # file:///C:/dir
    if len(text) > _LONGEST:
        raise UnitError(f"path: {shorten(text)} is longer than any path.")
    if not text:
        raise UnitError("path names no file: save the workbook first.")
    if not text.isprintable():
        raise UnitError(f"path: {shorten(text)} holds a character that no file's name should have.")
    if _SCHEME.match(text) or text.startswith(("\\\\", "//", "\\/", "/\\")):
        raise UnitError(f"path: {shorten(text)} is on a network, and nothing is fetched: save a copy on this machine.")
    return text
