"""Findings that a person has looked at and accepts: by a note on a cell, or by rule.

``mlsim: ok binary-prefix, prefix`` in a note silences those rules for its cell, ``mlsim: ok`` alone every rule;
``mlsim: ignore currency`` in any note silences a rule in the whole workbook.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from mlsim.errors import CellError, shorten
from mlsim_workbooks.lint.finding import RULES, Finding
from mlsim_workbooks.lint.reader import Book
from mlsim_workbooks.package import column_name

__all__ = ["rule_names", "silence"]

_SAID = re.compile(r"\bmlsim:[^\S\n]*(ok|ignore)\b[^\S\n]*(\w[\w-]*(?:[^\S\n]*,[^\S\n]*\w[\w-]*)*)?", re.I)


@dataclass(frozen=True, slots=True)
class _Wish:
    """What one note asks for; no rules means all of them."""

    sheet: str
    cell: str
    whole_book: bool
    rules: tuple[str, ...]


def rule_names(names: Collection[str]) -> frozenset[str]:
    """Return rules as they are spelt; raise a sentence with the closest names for one that does not exist."""
    spelt = [name.strip().lower() for name in names]
    for name in spelt:
        if name not in RULES:
            raise CellError("#VALUE!", f"{_unknown(name)} 'mlsim lint --rules' lists all.")
    return frozenset(spelt)


def silence(
    findings: Sequence[Finding], book: Book, ignore: Collection[str] = ()
) -> tuple[list[Finding], tuple[str, ...]]:
    """Leave out the findings that are silenced.

    Parameters
    ----------
    findings : sequence of Finding
        All findings of the book.
    book : Book
        The workbook with its notes.
    ignore : collection of str
        Rules to leave out everywhere.

    Returns
    -------
    tuple
        The findings that stay, and a sentence for every note that cannot be followed.
    """
    off = set(rule_names(ignore))
    cells: set[tuple[str, str, str]] = set()
    problems: list[str] = []
    for wish in _wishes(book):
        known = [rule for rule in wish.rules if rule in RULES]
        problems += [f"The note on {wish.sheet}!{wish.cell}: {_unknown(r)}" for r in wish.rules if r not in RULES]
        if wish.whole_book:
            off.update(known)
            if not wish.rules:
                problems.append(f"The note on {wish.sheet}!{wish.cell}: 'mlsim: ignore' needs the name of a rule.")
        else:
            cells.update((wish.sheet, wish.cell, rule) for rule in (known if wish.rules else RULES))
    kept = [f for f in findings if f.rule not in off and (f.sheet, f.cell, f.rule) not in cells]
    return kept, tuple(dict.fromkeys(problems))  # a threaded comment says the same twice


def _wishes(book: Book) -> Iterator[_Wish]:
    for grid in book.grids:
        for (row, column), text in grid.notes.items():
            for said in _SAID.finditer(text):
                rules = tuple(name.strip().lower() for name in (said[2] or "").split(",") if name.strip())
                yield _Wish(grid.name, f"{column_name(column)}{row}", said[1].lower() == "ignore", rules)


def _unknown(name: str) -> str:
    close = get_close_matches(name, RULES, n=3, cutoff=0.5)
    hint = f" Did you mean {' or '.join(close)}?" if close else ""
    return f"{shorten(name)} is not a rule of the unit checker.{hint}"
