"""What Calc's functions do: read their arguments, evaluate what was not asked before, show the result."""

from __future__ import annotations

import gc
import struct
import time
from collections.abc import Callable
from typing import Any

from mlsim_libreoffice.sheet_calls import DocumentCalls, read, trimmed

# Calc's own numbers of its errors; a not-a-number that carries one is that error, also within a matrix.
_ERRORS = {"#NULL!": 521, "#DIV/0!": 532, "#VALUE!": 519, "#REF!": 524, "#NAME?": 525, "#NUM!": 503, "#N/A": 32767}
_MANY = 8  # new calls after which it pays to evaluate all of the document's at once
_FRESH = 0.2  # seconds that a reading of the document's formulas is taken for current
_MOST = 200_000  # results kept


class Calculator:
    """Evaluates the functions of the catalogue for the documents of one LibreOffice.

    ``connect`` returns what evaluates a list of calls; ``volatile`` are functions whose results are not kept.
    """

    def __init__(self, connect: Callable[[], Callable[[list[Any]], list[Any]]], volatile: list[str]) -> None:
        self._connect = connect
        self._volatile = volatile
        self._answer: Callable[[list[Any]], list[Any]] | None = None
        self._results: dict[Any, tuple[tuple[Any, ...], ...]] = {}
        self._new = 0
        self._document: Any = None
        self._calls = DocumentCalls(())
        self._read_at = self._gathered_at = self._took = float("-inf")

    def call(self, name: str, document: Any, args: tuple[Any, ...]) -> tuple[tuple[Any, ...], ...]:
        """Evaluate one call and return its matrix, of one cell for a single value."""
        known = self._results.get((name, *args)) if 0.0 not in args else None
        if known is not None:  # most calls of a large sheet end here
            return known
        readings = self._readings(name, document, trimmed([_plain(arg) for arg in args]))
        if len(readings) > 1:  # which cell asks cannot be told: an answer only when it is the same for all
            results = self._evaluate([[name, cells] for cells in readings])
            return shown(results[0] if all(result == results[0] for result in results) else _AMBIGUOUS)
        cells = readings[0]
        key = _key(name, cells)
        if key is None or name in self._volatile:
            return shown(self._evaluate([[name, cells]])[0])
        if key not in self._results:
            self._new += 1
            if self._new >= _MANY:
                self._gather(document)
        if key not in self._results:
            self._keep({key: [name, cells]})
        return self._results[key]

    # --- evaluating ---

    def prepare(self) -> None:
        """Load MLSIM, or start its process: it will be asked for soon.

        No thread of ours may do it beside: LibreOffice's objects that it happened to release would wait for the main one.
        """
        if self._answer is None:
            self._answer = self._connect()

    def _evaluate(self, calls: list[Any]) -> list[Any]:
        self.prepare()
        assert self._answer
        return self._answer(calls)

    def _keep(self, calls: dict[Any, Any]) -> None:
        if len(self._results) > _MOST:
            self._results.clear()
        for key, result in zip(calls, self._evaluate(list(calls.values()))):
            self._results[key] = shown(result)

    def _gather(self, document: Any) -> None:
        """Evaluate all calls of the document that can be known by now; at most a tenth of the time goes into it."""
        now = time.monotonic()
        if now < self._gathered_at + max(1.0, 10 * self._took):
            return
        gc.disable()  # what is made here by the ten thousands stays
        try:
            self._read(document)
            wanted: dict[Any, Any] = {}
            for same in self._calls.known.values():
                for call in same:
                    cells = call.values()
                    key = _key(call.name, cells)
                    if key not in self._results and call.name not in self._volatile:
                        wanted[key] = [call.name, cells]
            self._keep(wanted)
        finally:
            gc.enable()
        self._new, self._gathered_at = 0, time.monotonic()
        self._took = self._gathered_at - now

    # --- arguments ---

    def _readings(self, name: str, document: Any, cells: list[Any]) -> list[list[Any]]:
        """Return what the arguments can mean: with None for a 0 that is an empty cell by the document's formulas."""
        zeros = [i for i, cell in enumerate(cells) if isinstance(cell, float) and cell == 0]
        if not zeros or document is None:
            return [cells]
        if document is not self._document or time.monotonic() > self._read_at + _FRESH:
            self._read(document)
        found = []
        for empties in sorted(self._calls.empties(name, tuple(cells), zeros)):
            empty = {i for i, is_empty in zip(zeros, empties) if is_empty}
            found.append(trimmed([None if i in empty else cell for i, cell in enumerate(cells)]))
        return found or [cells]

    def _read(self, document: Any) -> None:
        self._document, self._calls = document, DocumentCalls(read(document))
        self._read_at = time.monotonic()


_AMBIGUOUS = {
    "error": "#VALUE!",
    "message": "LibreOffice hands an empty cell over as 0, and formulas of this document differ only in that: write the "
    "number into the cell, or leave the argument out.",
}


def _plain(arg: Any) -> Any:
    """Return an argument as JSON has it; an empty text in a range is an empty cell."""
    if isinstance(arg, (tuple, list)):
        return [_plain(cell) for cell in arg]
    return None if arg == "" else arg


def _key(name: str, cells: list[Any]) -> Any:
    """Return what a result is kept under; None for a call with a range."""
    return None if any(isinstance(cell, list) for cell in cells) else (name, *cells)


# --- results ---------------------------------------------------------------------------------------------------------


def shown(result: Any) -> tuple[tuple[Any, ...], ...]:
    """Return a result as a matrix of what Calc's cells take: texts, numbers, errors."""
    rows = result if isinstance(result, list) else [[result]]
    return tuple(tuple(map(_cell, row)) for row in rows)


def _cell(value: Any) -> Any:
    if isinstance(value, dict):
        return _error(value["error"])
    return float(value) if isinstance(value, bool) else value  # Calc would read a truth value as 0


def _error(code: str) -> float:
    bits = 0x7FF8000000000000 | _ERRORS.get(code, _ERRORS["#VALUE!"])
    return float(struct.unpack("<d", struct.pack("<Q", bits))[0])
