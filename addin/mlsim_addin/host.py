"""Between a spreadsheet's cells and the catalogue: the one door through which every host calls a function.

A cell is None (empty or left out), text, a number, a truth value, or a ``CellError``; a range is a list of rows of
such cells. Results are the same. Each host only translates its own cells to and from these.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from typing import Any

from mlsim.errors import CellError, shorten
from mlsim_workbooks import functions

__all__ = ["CODES", "LONGEST_TEXT", "answer", "argument_error", "call", "call_many"]

CODES = ("#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A")
"""The errors every spreadsheet has; newer ones, such as #SPILL!, become ``#VALUE!``."""

LONGEST_TEXT = 32767  # characters in a cell
_LOG = logging.getLogger(__name__)


def call(name: str, cells: Sequence[Any]) -> Any:
    """Evaluate one function: a value, a rectangle of them, or a ``CellError``; nothing is raised.

    An argument that is an error itself, or a range that holds one, gives that same error.
    """
    try:
        return _shown(functions.call(name, _arguments(cells)))
    except CellError as error:
        return error
    except Exception as error:
        return _defect(name, error)


def call_many(calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
    """Evaluate many calls, each as ``call`` does: equal ones once, those of one function together."""
    results: list[Any] = [None] * len(calls)
    places: dict[Any, list[int]] = {}
    pending: dict[str, list[tuple[list[Any], list[int]]]] = {}
    for i, (name, cells) in enumerate(calls):
        try:
            args = _arguments(cells)
        except CellError as error:
            results[i] = error
            continue
        key = (name, repr(args))  # 1, 1.0 and TRUE differ in it, as they do for the functions
        if key in places:
            places[key].append(i)
        else:
            places[key] = [i]
            pending.setdefault(name, []).append((args, places[key]))
    for name, group in pending.items():
        for (_, where), result in zip(group, _evaluated(name, [args for args, _ in group]), strict=True):
            for i in where:
                results[i] = result
    return results


def _evaluated(name: str, calls: list[list[Any]]) -> list[Any]:
    try:
        return [_checked(result) for result in functions.call_many(name, calls)]
    except CellError as error:  # no such function
        return [error] * len(calls)
    except Exception:  # one of them shows a defect: the others get their results all the same
        return [call(name, args) for args in calls]


def _checked(result: Any) -> Any:
    if type(result) is float and math.isfinite(result):
        return result  # nearly always
    try:
        return _shown(result)
    except CellError as error:
        return error


def _defect(name: str, error: Exception) -> CellError:
    _LOG.debug("%s failed", name, exc_info=True)
    reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return CellError("#VALUE!", f"{name} failed, which is a defect of MLSIM, please report it: {reason}")


def argument_error(code: str) -> CellError:
    """Return the error of a call one of whose arguments is an error."""
    return CellError(code if code in CODES else "#VALUE!", "An argument is this error itself.")


# --- arguments -------------------------------------------------------------------------------------------------------


def _arguments(cells: Sequence[Any]) -> list[Any]:
    values = [_argument(cell) for cell in cells]
    while values and values[-1] is None:  # left out
        values.pop()
    return values


_PLAIN = frozenset((str, float, int, bool))


def _argument(value: Any) -> Any:
    if type(value) in _PLAIN and value != "":
        return value  # nearly always
    if not isinstance(value, (list, tuple)):
        return _cell(value)
    block = [[_cell(cell) for cell in row] if isinstance(row, (list, tuple)) else [_cell(row)] for row in value]
    if value and not isinstance(value[0], (list, tuple)):
        block = [[row[0] for row in block]]  # a flat list is a row
    return block[0][0] if len(block) == 1 and len(block[0]) == 1 else block


def _cell(value: Any) -> Any:
    if value is None or value == "":
        return None
    if isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, CellError):
        raise value
    raise CellError("#VALUE!", f"A cell holds {shorten(value)}, which is neither text nor a number.")


# --- results ---------------------------------------------------------------------------------------------------------


def _shown(result: Any) -> Any:
    if not isinstance(result, (list, tuple)):
        return _value(result)
    rows = [list(row) if isinstance(row, (list, tuple)) else [row] for row in result]
    if result and not isinstance(result[0], (list, tuple)):
        rows = [[row[0] for row in rows]]
    width = max((len(row) for row in rows), default=0)
    if not width:
        raise CellError("#N/A", "The result is empty.")
    return [[_element(cell) for cell in row] + [""] * (width - len(row)) for row in rows]


def _element(value: Any) -> Any:
    """Show one cell of a range: an error stands in its own cell, None is an empty text (never 0)."""
    if value is None:
        return ""
    try:
        return _value(value)
    except CellError as error:
        return error


def _value(value: Any) -> Any:
    if isinstance(value, CellError):
        raise value
    if value is None:
        raise CellError("#N/A", "There is no result.")
    if isinstance(value, str):
        return value[:LONGEST_TEXT]
    if isinstance(value, bool):
        return value
    number = float(value)  # an int beyond 32 bits would not reach a cell
    if not math.isfinite(number):
        raise CellError("#NUM!", "The result is not a finite number.")
    return number


# --- calls from another process --------------------------------------------------------------------------------------


def answer(request: Any) -> dict[str, Any]:
    """Answer ``{"calls": [[name, [cell, ...]], ...]}`` with ``{"results": [cell, ...]}``, both as JSON has them.

    An error is ``{"error": "#N/A", "message": "..."}``, as an argument, as a result, and in a range of either.

    Raises
    ------
    CellError
        For a request that is not of this form.
    """
    calls = request.get("calls") if isinstance(request, dict) else None
    if not isinstance(calls, list) or not all(map(_is_call, calls)):
        raise CellError("#VALUE!", 'Expected {"calls": [[name, [argument, ...]], ...]}.')
    results = call_many([(name, [_decoded(cell) for cell in cells]) for name, cells in calls])
    return {"results": [_encoded(result) for result in results]}


def _is_call(item: Any) -> bool:
    return isinstance(item, list) and len(item) == 2 and isinstance(item[0], str) and isinstance(item[1], list)


def _decoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_decoded(cell) for cell in value]
    if isinstance(value, dict):
        return argument_error(str(value.get("error")))
    return value


def _encoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_encoded(cell) for cell in value]
    if isinstance(value, CellError):
        return {"error": value.code, "message": value.message}
    return value
