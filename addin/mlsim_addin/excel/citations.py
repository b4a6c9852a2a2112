"""Which registry figures the MLSIM formulas of a workbook rest on, and where each comes from.

A formula names its entries in literals or in the cells it refers to, which are read as last calculated. What it gets
from another function, from a table's column or from a defined formula is not looked into.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mlsim.errors import CellError, NameNotFoundError
from mlsim.files import FileError
from mlsim.functions import Arg, Function
from mlsim.registry import load
from mlsim.registry.figures import Entry, entry
from mlsim.registry.records import Figure
from mlsim.registry.tables import sources
from mlsim_workbooks import formulas
from mlsim_workbooks.functions import CATALOGUE

__all__ = ["HEADER", "Citation", "cited", "cited_in", "named", "references"]

HEADER = ("of", "what", "value", "meaning", "source", "place in it", "address", "date", "other sources", "used in")

Read = Callable[[str, str], list[Any]]
"""The values of a reference: its sheet ("" for the formula's own) and the reference, such as ``A1:B3``."""


class Citation(NamedTuple):
    """One figure: whose, which, and the figure itself with what other sources say."""

    of: str
    what: str
    figure: Figure
    others: tuple[Figure, ...]


# --- formulas --------------------------------------------------------------------------------------------------------


def references(argument: str) -> Iterator[tuple[str, str]]:
    """Yield (sheet, reference) of every reference in a piece of a formula; a defined name comes as it is."""
    tokens = [token for token in formulas.tokens(argument) if token.kind != "space"]
    sheet = ""
    i = 0
    while i < len(tokens):
        token = tokens[i]
        if token.kind == "sheet":
            sheet = token.text[:-1].strip("'").replace("''", "'")
        elif token.kind in ("ref", "cols", "rows", "word"):
            end = tokens[i + 2] if i + 2 < len(tokens) and tokens[i + 1].text == ":" else None
            text = token.text
            if end is not None and end.kind == "ref":
                text, i = f"{text}:{end.text}", i + 2
            yield sheet, text.replace("$", "")
            sheet = ""
        i += 1


def _texts(argument: str, read: Read) -> list[str]:
    """Return the texts an argument brings: its literals, and those in the cells it refers to."""
    literals = [t.text[1:-1].replace('""', '"') for t in formulas.tokens(argument) if t.kind == "string"]
    values = [value for reference in references(argument) for value in read(*reference)]
    return [*literals, *(value for value in values if isinstance(value, str))]


def named(formula: str, read: Read) -> Iterator[tuple[Function, list[list[str]]]]:
    """Yield every MLSIM call of a formula, with the texts that each of its arguments brings."""
    for call in formulas.calls(formula):
        function = CATALOGUE.get(call.name)
        if function is not None:
            yield function, [_texts(argument, read) for argument in call.args]


# --- figures ---------------------------------------------------------------------------------------------------------

_LOADERS: Mapping[str, Callable[[str], Any]] = {"precision": load.precision, "runtime": load.runtime}
_STAND_IN = {"fp16": "bf16", "fp6": "fp8"}  # whose peak counts where a chip has none of its own
_ATTRIBUTE = ("MLSIM_SPEC", "MLSIM_SOURCE")  # functions of one figure: name, attribute


def cited(function: Function, texts: Sequence[Sequence[str]]) -> list[Citation]:
    """Return the figures behind one call, given the texts of its arguments.

    Of a chip these are all its figures but the peaks of other number formats than the call's; an argument that was
    left out counts as its default.
    """
    if function.name in _ATTRIBUTE:
        return [*_one_figure(texts)]
    entries: dict[str, Entry] = {}
    formats: set[str] = set()
    for i, arg in enumerate(function.args):
        given = [text for rest in texts[i:] for text in rest] if arg.vararg else texts[i] if i < len(texts) else []
        for found in _entries(arg, given):
            entries[found.name] = found
            if arg.kind == "precision" or "bits per weight" in found.figures:
                compute = load.precision(found.name).compute
                formats |= {compute, _STAND_IN.get(compute, compute)}
    return [
        Citation(e.name, key.replace("_", " "), figure, tuple(e.others.get(key, ())))
        for e in entries.values()
        for key, figure in e.figures.items()
        if not key.startswith("peak_compute ") or key.split()[1] in formats
    ]


def _one_figure(texts: Sequence[Sequence[str]]) -> Iterator[Citation]:
    for name in texts[0] if texts else ():
        for attribute in texts[1] if len(texts) > 1 else ():
            try:
                found = entry(name)
                key = found.find(attribute)
            except NameNotFoundError:
                continue
            yield Citation(found.name, key.replace("_", " "), found.figures[key], tuple(found.others.get(key, ())))


def _entries(arg: Arg, texts: Sequence[str]) -> Iterator[Entry]:
    """Yield the registry entries that texts name, where an argument of this kind may name one."""
    names = [part.strip() for text in texts for part in text.split(",")]
    if arg.kind in _LOADERS:
        default = [arg.default] if isinstance(arg.default, str) and not any(names) else []
        yield from _loaded(_LOADERS[arg.kind], [*names, *default])
    elif arg.kind in ("model", "hardware", "text", "raw"):
        yield from (entry(name) for name in names if load.kind_of(name))
    if arg.kind == "raw":  # the arguments of another function
        for loader in _LOADERS.values():
            yield from _loaded(loader, names)


def _loaded(loader: Callable[[str], Any], names: Sequence[str]) -> Iterator[Entry]:
    for name in names:
        try:
            found = loader(name)
        except CellError:
            continue
        if name:
            yield entry(found.name)


# --- workbooks -------------------------------------------------------------------------------------------------------


def cited_in(path: Path, sheet: str = "", cell: str = "") -> list[tuple[str, ...]]:
    """Return the rows under ``HEADER`` for one cell of a workbook, or for all of its formulas.

    Raises
    ------
    FileError
        For a file that is no workbook.
    """
    from openpyxl import load_workbook

    try:
        book, values = load_workbook(path), load_workbook(path, data_only=True)
    except Exception as error:  # openpyxl raises what its readers raise
        raise FileError(f"{path.name} cannot be read as a workbook (.xlsx, .xlsm): {error}.") from None
    used: dict[tuple[str, str, Figure], list[str]] = {}
    others: dict[tuple[str, str, Figure], tuple[Figure, ...]] = {}
    memory: dict[tuple[str, tuple[tuple[str, ...], ...]], list[Citation]] = {}
    for title, where, formula in _formulas(book, sheet, cell):
        for function, texts in named(formula, _reader(values, title)):
            key = (function.name, tuple(tuple(dict.fromkeys(column)) for column in texts))
            if key not in memory:
                memory[key] = cited(function, key[1])
            for citation in memory[key]:
                places = used.setdefault(citation[:3], [])
                others[citation[:3]] = citation.others
                if where not in places:
                    places.append(where)
    return [_row(*which, others[which], places) for which, places in used.items()]


def _formulas(book: Any, sheet: str, cell: str) -> Iterator[tuple[str, str, str]]:
    """Yield (sheet, place, formula) of the cells that call MLSIM."""
    for worksheet in [book[sheet]] if sheet in book.sheetnames else book.worksheets:
        for row in [[worksheet[cell]]] if cell else worksheet.iter_rows():
            for found in row:
                formula = getattr(found.value, "text", found.value)  # an array formula is an object
                if isinstance(formula, str) and formula.startswith("=") and "MLSIM" in formula.upper():
                    yield worksheet.title, f"{worksheet.title}!{found.coordinate}", formula


def _reader(book: Any, own: str) -> Read:
    """Return what reads the values of a workbook for a formula on the sheet ``own``."""

    def read(sheet: str, reference: str) -> list[Any]:
        if not re.fullmatch(r"[A-Z]+\d+(:[A-Z]+\d+)?|[A-Z]+:[A-Z]+|\d+:\d+", reference, re.I):
            return [value for place in _destinations(book, reference) for value in read(*place)]
        worksheet = next((ws for ws in book.worksheets if ws.title.casefold() == (sheet or own).casefold()), None)
        if worksheet is None:
            return []
        found = worksheet[reference.upper()]
        rows = found if isinstance(found, tuple) else ((found,),)
        return [cell.value for row in rows for cell in (row if isinstance(row, tuple) else (row,))]

    return read


def _destinations(book: Any, name: str) -> Iterator[tuple[str, str]]:
    """Yield the places a defined name stands for."""
    found = next((n for key, n in book.defined_names.items() if key.casefold() == name.casefold()), None)
    yield from references(found.attr_text or "") if found is not None else ()


def _row(of: str, what: str, figure: Figure, others: Sequence[Figure], places: Sequence[str]) -> tuple[str, ...]:
    source = sources().get(figure.source, {})
    shown = ", ".join(places[:5]) + (f" and {len(places) - 5} more" if len(places) > 5 else "")
    differing = dict.fromkeys(other.text for other in others if other.text != figure.text)
    return (
        of, what, figure.text.strip(), figure.meaning, source.get("title", figure.source), figure.locator,
        source.get("address", ""), source.get("date", ""), ", ".join(differing), shown,
    )  # fmt: skip
