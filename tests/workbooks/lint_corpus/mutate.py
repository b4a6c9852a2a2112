"""Mistakes made by machine: in each clean workbook a few cells are changed, chosen by chance, whatever they mean.

The seeded mistakes of the corpus were chosen by people, who choose what they think of. These are chosen by nobody, so
many cannot be decided from the sheet: a number of layers taken for one of heads, a unit in a note. What they show is
how much of a sheet the checker understands at all, and whether a change of it makes that less.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import replace

from openpyxl import Workbook

from lint_corpus.book import Book, Seed

__all__ = ["OPERATORS", "mutated"]

Cells = list[tuple[str, str, str]]  # sheet, cell, content

_REFERENCE = r"(?:(?:'[^']+'|\w+)!)?\$?[A-Z]{1,2}\$?\d+(?![\w:(])"
_CONVERSION = re.compile(
    r"(?<![\w.$])(?:8|12|24|60|100|365|730|1000|3600|8760|1000000|1000000000|1e\d+|10\^\d+|1024(?:\^\d)?)(?![\w.^%:])",
    re.I,
)
_NO_ARITHMETIC = re.compile(r"IF\(|\"|&|RANK|INDEX|LOOKUP|MATCH|[<>]|\[")
_UNITS = {
    "GB": "GiB", "GiB": "GB", "TB": "GB", "MB": "GB", "GB/s": "Gb/s", "Gb/s": "GB/s", "Gbit/s": "GB/s", "TB/s": "GB/s",
    "ms": "s", "µs": "ms", "h": "min", "kW": "kWh", "kWh": "MWh", "MWh": "kWh", "W": "kW", "kg": "t", "TFLOP/s": "TFLOP",
    "TFLOPS": "GFLOPS", "tokens/s": "tokens", "tok/s": "tok", "EUR": "USD", "$": "€", "€": "$", "GPU-h": "GPU-d",
}  # fmt: skip
_UNIT = re.compile(rf"(?<![\w/$€])(?:{'|'.join(map(re.escape, sorted(_UNITS, key=len, reverse=True)))})(?![\w/])")


Change = Callable[[re.Match[str]], str]

_OF_FORMULAS: dict[str, tuple[re.Pattern[str], Change]] = {
    "a formula times 1,000": (re.compile(r"^=(.*)", re.S), lambda m: f"=({m[1]})*1000"),
    "* for /, / for *": (re.compile(rf"(?<=[\w)])[*/](?={_REFERENCE})"), lambda m: "/" if m[0] == "*" else "*"),
    "an operand left out": (re.compile(rf"(?<=[\w)])[*/]{_REFERENCE}"), lambda m: ""),
    "a conversion left out (8, 60, 1000, 1024^3, 3600, ...)": (_CONVERSION, lambda m: "1"),
}
_OF_LABELS: dict[str, tuple[re.Pattern[str], Change]] = {"another unit in a label": (_UNIT, lambda m: _UNITS[m[0]])}
OPERATORS = (*_OF_FORMULAS, *_OF_LABELS)


def _contents(workbook: Workbook) -> tuple[Cells, Cells]:
    """Return the products of a workbook, and its labels: short texts in rows or below them that hold more."""
    formulas: Cells = []
    labels: Cells = []
    for sheet in workbook.worksheets:
        for row in sheet.iter_rows():
            filled = [c for c in row if c.value is not None]
            for cell in filled:
                if not isinstance(cell.value, str):
                    continue
                place = sheet.title, cell.coordinate, cell.value
                if not cell.value.startswith("="):
                    labels += [place] if len(filled) > 1 and len(cell.value) <= 40 and not sheet.tables else []
                elif re.search(rf"[*/]{_REFERENCE}|{_REFERENCE}[*/]", cell.value) and not _NO_ARITHMETIC.search(
                    cell.value
                ):
                    formulas.append(place)
    return formulas, labels


def mutated(book: Book) -> Book:
    """Return a clean workbook with one mistake of each operator, where it applies; the same ones every time."""
    chance = random.Random(book.name)
    formulas, labels = _contents(book.build())
    seeds = []
    for cells, operators in ((formulas, _OF_FORMULAS), (labels, _OF_LABELS)):
        for name, (pattern, change) in operators.items():
            choices = [(sheet, cell, m) for sheet, cell, content in cells for m in pattern.finditer(content)]
            if choices:
                sheet, cell, m = chance.choice(choices)
                content = m.string[: m.start()] + change(m) + m.string[m.end() :]
                seeds.append(Seed(name, {f"{sheet}!{cell}": content}))
    return replace(book, seeds=tuple(seeds))
