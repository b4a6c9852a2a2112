"""Measure the unit checker on the corpus: what it says of the clean workbooks, and which seeded mistakes it finds.

``python -m lint_corpus.score README.md`` (from tests/workbooks) rewrites the table of the README.
"""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from openpyxl.utils.cell import coordinate_to_tuple, get_column_letter

from lint_corpus.book import Book, Seed
from lint_corpus.mutate import OPERATORS, mutated
from lint_corpus.written import is_written, written
from mlsim.files import replace_section
from mlsim_workbooks.lint import RULES, lint

__all__ = ["CORPUS", "HELD_OUT", "Outcome", "books", "measure", "table"]

CORPUS = ("planning", "serving", "finance", "research")  # seen while the rules were written
HELD_OUT = (
    "heldout",
    "heldout2",
    "heldout3",
    "heldout4",
    "clean",
    "clean2",
    "clean3",
    "clean4",
    "clean5",
    "clean6",
    "clean7",
    "clean8",
    "clean9",
    "clean10",
    "clean11",
    "clean12",
    "clean13",
    "clean14",
    "heldout5",
    "heldout6",
    "heldout7",
    "heldout8",
    "heldout9",
    "heldout10",
    "heldout11",
    "heldout12",
    "heldout13",
    "heldout14",
    "heldout15",
    "heldout16",
    "heldout17",
    "heldout18",
    "heldout19",
    "clean15",
    "heldout20",
    "clean16",
    "heldout21",
    "heldout22",
    "clean17",
    "clean18",
    "heldout23",
    "heldout24",
    "clean19",
    "heldout25",
    "clean20",
    "heldout26",
    "clean21",
    "heldout27",
    "heldout28",
    "heldout29",
    "clean22",
    "clean23",
    "clean24",
)  # written by people who never saw the checker


@dataclass(frozen=True)
class Outcome:
    """What was found in one workbook: clean (no seed), or with one mistake."""

    book: str
    rule: str  # the mistake that was seeded; "" for the clean workbook
    found: tuple[tuple[str, str, str], ...]  # sheet, cell, rule: what the clean workbook does not have
    hits: tuple[str, ...] = ()  # rules reported at the mistake
    error: str = ""


def books(modules: Iterable[str]) -> list[Book]:
    """Return the workbooks of some modules of the corpus."""
    return [book for module in modules for book in _set(module)]


@cache
def _set(name: str) -> tuple[Book, ...]:
    """Return the workbooks of one set: built by code, or kept as data."""
    if is_written(name):
        return written(name)
    return tuple(importlib.import_module(f"lint_corpus.{name}").BOOKS)


def _cell(reference: str) -> tuple[str, str]:
    sheet, _, cell = reference.rpartition("!")
    return sheet.strip("'"), cell


def _places(seed: Seed) -> set[tuple[str, str]]:
    """Return the cells where a finding is right; a changed unit or label may be reported at the number beside it."""
    places = {_cell(r) for r in (*seed.edits, *seed.formats, *seed.at)}
    for reference, new in seed.edits.items():
        if isinstance(new, str) and not new.startswith("="):
            sheet, cell = _cell(reference)
            row, col = coordinate_to_tuple(cell)
            places |= {(sheet, f"{get_column_letter(c)}{row}") for c in (col - 1, col + 1) if c}
    return places


def _findings(book: Book, seed: Seed | None, folder: Path) -> tuple[tuple[str, str, str], ...]:
    workbook = book.build()
    if seed is not None:
        for reference, new in seed.edits.items():
            sheet, cell = _cell(reference)
            workbook[sheet][cell].value = new
        for reference, code in seed.formats.items():
            sheet, cell = _cell(reference)
            workbook[sheet][cell].number_format = code
    path = folder / f"{os.getpid()}.xlsx"
    workbook.save(path)
    return tuple((f.sheet, f.cell, f.rule) for f in lint(path))


def _one_book(job: tuple[str, int, bool, int]) -> list[Outcome]:
    """Check one workbook clean and with every n-th of its mistakes, those of people or those of the machine."""
    book = books([job[0]])[job[1]]
    if job[2]:
        book = mutated(book)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clean = _findings(book, None, folder)
        outcomes = [Outcome(book.name, "", clean)]
        for seed in book.seeds[job[1] % job[3] :: job[3]]:
            found = tuple(f for f in _findings(book, seed, folder) if f not in clean)
            places = _places(seed)
            hits = tuple(rule for sheet, cell, rule in found if (sheet, cell) in places)
            outcomes.append(Outcome(book.name, seed.rule, found, hits))
    return outcomes


def measure(modules: Sequence[str], *, by_machine: bool = False, every: int = 1, seeds: int = 1) -> list[Outcome]:
    """Check every n-th workbook of some modules, clean and with every n-th mistake in it; two at a time."""
    jobs = [(m, i, by_machine, seeds) for m in modules for i in range(len(books([m])))][::every]
    with ProcessPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        return [outcome for outcomes in pool.map(_one_book, jobs) for outcome in outcomes]


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else "–"


def _row(title: str, outcomes: list[Outcome], confused: bool = True) -> str:
    found = [o for o in outcomes if o.hits]
    named = [o for o in found if o.rule in o.hits]
    others = Counter(o.hits[0] for o in found if o.rule not in o.hits)
    names = ", ".join(f"{rule} {n}" for rule, n in others.most_common(3)) if confused else ""
    return f"| {title} | {len(outcomes)} | {_share(len(found), len(outcomes))} | {_share(len(named), len(outcomes))} | {names} |"


def table(parts: dict[str, list[Outcome]]) -> str:
    """Return the Markdown table: for each corpus its totals, and for all rules how often they are found and named."""
    lines = ["| | mistakes | found | rule named | reported as another rule |", "|---|---|---|---|---|"]
    for name, outcomes in parts.items():
        lines.append(_row(f"**{name}**", [o for o in outcomes if o.rule], confused=False))
    every = [o for outcomes in parts.values() for o in outcomes if o.rule]
    for rule in RULES:
        mine = [o for o in every if o.rule == rule]
        if mine:
            lines.append(_row(f"`{rule}`", mine))
    notes = []
    for name, outcomes in parts.items():
        clean = [o for o in outcomes if not o.rule]
        seeded = [o for o in outcomes if o.rule]
        elsewhere = sum(bool(o.found) and not o.hits for o in seeded)
        hit = sum(bool(o.hits) for o in seeded)
        notes.append(
            f"{name}: {len(clean)} clean workbooks, {sum(len(o.found) for o in clean)} findings in them; of the "
            f"workbooks with a mistake, {hit:,} are reported at it and {elsewhere} only elsewhere "
            f"({hit / (hit + elsewhere):.1%} precise)."
        )
    return "\n".join([*lines, "", "\n\n".join(notes), ""])


def machine_table(outcomes: list[Outcome]) -> str:
    """Return the Markdown table of the mistakes that a machine made: how many are noticed, wherever it is."""
    lines = ["| mistakes made by machine | workbooks | noticed |", "|---|---|---|"]
    for operator in OPERATORS:
        mine = [o for o in outcomes if o.rule == operator]
        lines.append(f"| {operator} | {len(mine)} | {_share(sum(bool(o.found) for o in mine), len(mine))} |")
    return "\n".join([*lines, ""])


def main(arguments: Sequence[str]) -> int:
    """Print the table, or write it into the README named."""
    parts = {"seen while writing the rules": measure(CORPUS), "held out": measure(HELD_OUT)}
    text = f"{table(parts)}\n{machine_table(measure((*CORPUS, *HELD_OUT), by_machine=True))}"
    print(text)
    for path in arguments:
        replace_section(path, "lint", text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
