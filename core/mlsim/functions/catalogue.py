"""How a function is declared once and called from anywhere.

A declaration is a Python function plus its arguments' kinds. From it come the call with scalars or ranges, the
broadcasting, the error sentences, the Excel module, the reference table and the tests.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlsim.arrays import Floats
from mlsim.errors import CellError, DomainError, NameNotFoundError, UnitError, as_typed, shorten
from mlsim.registry import load
from mlsim.registry.names import normalise
from mlsim.units import Quantity, parse, parse_unit

__all__ = ["CATALOGUE", "Arg", "Function", "alias", "call", "call_many", "declare"]

CATALOGUE: dict[str, Function] = {}
_MISSING = object()
_NOT_FINITE = "The result is not a finite number: the inputs are outside the model's domain."


@dataclass(frozen=True, slots=True, eq=False)  # without eq its hash is quick: it is a key in every call
class Arg:
    """One argument: its name, what it accepts, its default and the help text hosts show."""

    name: str
    kind: str
    doc: str
    default: Any = _MISSING
    vararg: bool = False

    @property
    def optional(self) -> bool:
        """Whether the argument may be left out."""
        return self.default is not _MISSING or self.vararg


_NUMERIC = re.compile(r"\s*[+-]?\s*[$€£.]?\d")  # a text that starts as a number is read as a quantity

# --- reading arguments -----------------------------------------------------------------------------------------------


def _pairs(value: Any) -> tuple[tuple[Any, ...], ...]:
    return tuple((str(row[0]), *row[1:]) for row in value if row[0] not in (None, ""))


def _model(arg: Arg, value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return load.model_from_pairs(_pairs(value))
    if isinstance(value, (int, float)):
        raise UnitError(
            f"{arg.name}: {as_typed(value)} is a bare number; give a model's name, or a size such as '70 Gparam' or '140 GB'."
        )
    text = str(value)
    if not _NUMERIC.match(text) or _is_name(text, load.model):
        return load.model(text)
    size = parse(text)
    if size.unit.dimension_name not in ("information", "parameter"):
        raise UnitError(
            f"{arg.name}: expected a model: a name, parameters ('70 Gparam') or bytes of weights ('140 GB'), got {size}."
        )
    return _positive(arg, size)


def _hardware(arg: Arg, value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return load.chip_from_pairs(_pairs(value))
    if isinstance(value, (int, float)):
        raise UnitError(
            f"{arg.name}: {as_typed(value)} is a bare number; give a chip's name, or a figure such as '3.35 TB/s' or '80 GiB'."
        )
    text = str(value)
    if not _NUMERIC.match(text) or _is_name(text, load.chip):
        return load.chip(text)
    figure = parse(text)
    if figure.kinds.get("density") == "sparse":
        raise UnitError(f"{arg.name}: {figure} is a sparse peak; give the dense one (half of a 2:4-sparse peak).")
    return _positive(arg, figure)


def _positive(arg: Arg, quantity: Quantity) -> Quantity:
    if quantity.si <= 0:
        raise DomainError(f"{arg.name} must be above 0, got {quantity}.")
    return quantity


def _is_name(text: str, lookup: Callable[[object], Any]) -> bool:
    """Tell whether text that starts with a digit is a registry name all the same ("01-ai/Yi-34B")."""
    try:
        lookup(text)
    except CellError:
        return False
    return True


_COUNTED = ("number", "request", "token", "device", "sample", "count", "user", "step")


def _count(arg: Arg, value: Any) -> float:
    """Read a count: a number above 0, or one with a counting unit ("4096 tokens", "8 GPUs")."""
    if isinstance(value, bool):
        raise UnitError(f"{arg.name}: expected a number, got {value}.")
    if isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            quantity = parse(value)
            if quantity.unit.dimension_name not in _COUNTED:
                raise UnitError(f"{arg.name}: expected a count, got {quantity}.") from None
            number = quantity.si
    elif isinstance(value, (int, float)):
        number = float(value)
    else:
        raise UnitError(f"{arg.name}: expected a number, got {shorten(value)}.")
    if math.isnan(number) or math.isinf(number):
        raise DomainError(f"{arg.name}: expected a finite number, got {number}.")
    if number <= 0:
        raise DomainError(f"{arg.name} must be above 0, got {number:g}.")
    return number


def _amount(arg: Arg, value: Any) -> float:
    """Read a number of 0 or more."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value == 0:
        return 0.0
    if isinstance(value, str) and value.strip() in ("0", "0.0"):
        return 0.0
    return _count(arg, value)


def _whole(arg: Arg, value: Any) -> float:
    number = _count(arg, value)
    if number != int(number):
        raise DomainError(f"{arg.name} must be a whole number, got {number:g}.")
    return number


def _quantity(arg: Arg, value: Any) -> Quantity:
    if isinstance(value, bool):
        raise UnitError(f"{arg.name}: expected a quantity such as '80 GiB', got {value}.")
    if isinstance(value, (int, float)):
        raise UnitError(
            f"{arg.name}: {as_typed(value)} is a bare number; write its unit, such as '{as_typed(value)} GB'."
        )
    return parse(value)


def _quantity_or_number(arg: Arg, value: Any) -> Quantity:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if not math.isfinite(value):
            raise DomainError(f"{arg.name}: expected a finite number, got {value}.")
        return Quantity(float(value), parse_unit("1"))
    if isinstance(value, str):
        try:
            return Quantity(float(value), parse_unit("1"))
        except ValueError:
            pass
    return _quantity(arg, value)


def _text(arg: Arg, value: Any) -> str:
    if not isinstance(value, str):
        raise UnitError(f"{arg.name}: expected text, got {shorten(value)}.")
    return value.strip()


def _runtime(arg: Arg, value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return load.runtime_from_pairs(_pairs(value))
    return load.runtime(_text(arg, value))


_READERS: dict[str, Callable[[Arg, Any], Any]] = {
    "model": _model,
    "hardware": _hardware,
    "count": _count,
    "amount": _amount,
    "whole": _whole,
    "one": _count,  # as count and whole, but one at a time: for functions that fill a table
    "one whole": _whole,
    "precision": lambda arg, value: load.precision(_text(arg, value)),
    "runtime": _runtime,
    "unit": lambda arg, value: parse_unit(_text(arg, value)),
    "quantity": _quantity,
    "factor": _quantity_or_number,
    "text": _text,
    "any": lambda arg, value: value,
    "raw": lambda arg, value: value,  # as it comes, ranges too: the function passes it on
}
_SPECIFIED = {"model": load.model, "hardware": load.chip, "runtime": load.runtime}  # may be a range of figures
_FEW = 16  # calls of a refused array that are tried one by one
_VECTOR = ("count", "amount", "whole")  # kinds that a declaration receives as arrays


def _read(arg: Arg, value: Any) -> Any:
    """Read one argument; an empty one takes its default."""
    if (value is None or value == "") and not arg.vararg:
        if arg.default is _MISSING:
            raise UnitError(f"{arg.name} is empty: {arg.doc}")
        if arg.default is None:
            return None
        value = arg.default
    try:
        return _READERS[arg.kind](arg, value)
    except OverflowError:  # a whole number beyond every float
        raise DomainError(f"{arg.name}: expected a finite number, got {shorten(value)}.") from None
    except CellError as error:
        if error.message.startswith(arg.name):
            raise
        error.message = f"{arg.name}: {error.message}"
        raise


def _column(arg: Arg, values: NDArray[Any], errors: dict[int, CellError]) -> Floats:
    """Read an array of counts; note the error of each number that is none, unless its call has one already."""
    if arg.kind not in _VECTOR:
        raise UnitError(f"{arg.name} takes one value at a time, not an array.")
    numbers = np.asarray(values, float)
    good = np.isfinite(numbers) & ((numbers >= 0) if arg.kind == "amount" else (numbers > 0))
    if arg.kind == "whole":
        good &= numbers == np.floor(numbers)
    for i in np.flatnonzero(~good).tolist():
        try:
            _read(arg, numbers[i].item())
        except CellError as error:
            errors.setdefault(i, error)
    return numbers


_read_cached = lru_cache(maxsize=65536, typed=True)(_read)


def _bound(arg: Arg, value: Any) -> Any:
    """Read an argument, or remember it; a range and a not-a-number are no keys."""
    try:
        return _read_cached(arg, value) if value == value else _read(arg, value)
    except TypeError:
        return _read(arg, value)


# --- calling ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Function:
    """One function of the catalogue. Call it with scalars or nested lists (ranges)."""

    name: str
    category: str
    args: tuple[Arg, ...]
    doc: str
    example: str
    impl: Callable[..., Any]
    remember: bool = True  # False where the same arguments may give another result, such as a file's content
    _cache: dict[tuple[Any, ...], Any] = field(default_factory=dict, repr=False, compare=False)

    def __call__(self, *values: Any) -> Any:
        """Evaluate; scalars give a scalar, ranges broadcast to nested lists.

        Raises
        ------
        CellError
            For a scalar call. In a range the error itself stands in its cell.
        """
        key = (*values, *map(type, values))  # TRUE, 1 and 1.0 are equal keys but not equal arguments
        try:
            found = self._cache.get(key, _MISSING)
        except TypeError:  # a range is not hashable
            return self._ranges(values)
        if found is _MISSING:
            found = self.evaluate([values])[0]
            if len(self._cache) > 100_000:
                self._cache.clear()
            if self.remember and not any(isinstance(v, str) and len(v) > 200 for v in values):  # no pasted document
                self._cache[key] = found
        return _raised(found)

    @property
    def signature(self) -> str:
        """The call as help texts show it: ``MLSIM_X(model, [batch=1])``."""

        def show(arg: Arg) -> str:
            if arg.vararg:
                return f"{arg.name}..."
            if not arg.optional:
                return arg.name
            default = f'"{arg.default}"' if isinstance(arg.default, str) else f"{arg.default or 0:g}"
            return f"[{arg.name}]" if arg.default is None else f"[{arg.name}={default}]"

        return f"{self.name}({', '.join(map(show, self.args))})"

    def _arg(self, i: int) -> Arg:
        return self.args[min(i, len(self.args) - 1)]

    def _check_count(self, values: Sequence[Any]) -> None:
        if len(values) > len(self.args) and not (self.args and self.args[-1].vararg):
            raise UnitError(
                f"{self.name} takes at most {len(self.args)} arguments, got {len(values)}: {self.signature}."
            )

    def _bind(self, values: Sequence[Any]) -> list[Any]:
        self._check_count(values)
        if not (self.args and self.args[-1].vararg):
            padded = [*values, *[None] * (len(self.args) - len(values))]
            return [_bound(arg, value) for arg, value in zip(self.args, padded, strict=True)]
        bound = []
        for i, value in enumerate(values):
            arg = self._arg(i)
            if arg.vararg and arg.kind != "raw" and (value is None or value == ""):
                continue  # an empty cell among quantities; arguments that are passed on keep their places
            bound.append(_bound(arg, value))
        if len(bound) < len(self.args):
            raise UnitError(f"{self.name} needs at least {len(self.args)} argument(s): {self.signature}.")
        return bound

    def bound(self, values: Sequence[Any]) -> dict[str, Any]:
        """Return the arguments by name, read and with their defaults."""
        return dict(zip((arg.name for arg in self.args), self._bind(values), strict=False))

    def evaluate(self, calls: Sequence[Sequence[Any]]) -> list[Any]:
        """Evaluate many scalar calls at once; an error takes the place of its result.

        Calls that differ in counts only (batch, context, tensor parallel) run as one array call.
        """
        results: list[Any] = [None] * len(calls)
        groups: dict[tuple[Any, ...], list[int]] = {}
        bound: list[list[Any]] = []
        vector = [i for i, arg in enumerate(self.args) if arg.kind in _VECTOR]
        for i, values in enumerate(calls):
            try:
                row = self._bind(values)
            except CellError as error:
                results[i] = _kept(error)
                bound.append([])
                continue
            bound.append(row)
            fixed = [None if j in vector and row[j] is not None else id(value) for j, value in enumerate(row)]
            groups.setdefault(tuple(fixed), []).append(i)
        for members in groups.values():
            self._run(bound, members, vector, results)
        return results

    def _run(self, bound: list[list[Any]], members: list[int], vector: list[int], results: list[Any]) -> None:
        row = list(bound[members[0]])
        if len(members) > 1:
            for j in vector:
                if row[j] is not None:
                    row[j] = np.array([bound[i][j] for i in members])
        try:
            with np.errstate(all="ignore"):  # an overflow becomes #NUM! in _plain, not a warning on the console
                value = self.impl(*row)
        except (CellError, OverflowError) as error:
            if len(members) == 1:
                results[members[0]] = _kept(error) if isinstance(error, CellError) else DomainError(_NOT_FINITE)
            else:  # one bad member must not spoil the others
                for i in members:
                    self._run(bound, [i], vector, results)
            return
        if len(members) == 1 or isinstance(value, list):  # a table has no counted arguments: these calls are equal
            for i in members:
                results[i] = _plain(value)
        else:
            for i, element in zip(members, np.broadcast_to(np.asarray(value), len(members)).tolist(), strict=True):
                results[i] = _plain(element)

    def arrays(self, values: Sequence[Any], size: int) -> tuple[NDArray[Any], dict[int, CellError]]:
        """Evaluate ``size`` calls given by columns: the fast way through a million points.

        Parameters
        ----------
        values : sequence
            The arguments. A count may be an array of ``size`` numbers; every other argument is the same in all calls.
        size : int
            The number of calls.

        Returns
        -------
        results : ndarray
            One result per call.
        errors : dict
            What was refused, by the position of the call; the result there means nothing.
        """
        row: list[Any] = []
        errors: dict[int, CellError] = {}
        for arg, value in zip(self.args, [*values, *[None] * (len(self.args) - len(values))], strict=True):
            try:
                row.append(_column(arg, value, errors) if isinstance(value, np.ndarray) else _bound(arg, value))
            except CellError as error:
                return np.zeros(size), {i: errors.get(i, error) for i in range(size)}
        every = np.arange(size)
        where = np.delete(every, list(errors)) if errors else every
        pieces: list[tuple[NDArray[np.intp], NDArray[Any]]] = []
        if len(where):
            self._halve(row, where, pieces, errors)
        if len(pieces) == 1 and len(pieces[0][0]) == size:
            return pieces[0][1], errors
        results = np.zeros(size, np.result_type(*(found for _, found in pieces)) if pieces else float)
        for where, found in pieces:
            results[where] = found
        return results, errors

    def _halve(self, row: list[Any], where: NDArray[np.intp], pieces: list[Any], errors: dict[int, CellError]) -> None:
        """Evaluate the calls at ``where``; when they are refused, each half for itself, down to the one to blame."""
        alone = len(where) == 1
        part = [(v[where[0]].item() if alone else v[where]) if isinstance(v, np.ndarray) else v for v in row]
        value, refusal = self._tried(part)
        if refusal is not None:
            halves = _halves([v for v in part if isinstance(v, np.ndarray)], where)
            for half in halves:
                self._halve(row, half, pieces, errors)
            if not halves:  # one call, or many that are equal
                errors.update(dict.fromkeys(where.tolist(), refusal))
            return
        if isinstance(value, list):
            raise UnitError(f"{self.name} fills a table, not one cell per call.")
        found = np.broadcast_to(np.asarray(value), len(where))
        if found.dtype.kind == "f" and not np.isfinite(found).all():
            errors.update(dict.fromkeys(where[~np.isfinite(found)].tolist(), DomainError(_NOT_FINITE)))
        pieces.append((where, found))

    def _tried(self, row: list[Any]) -> tuple[Any, CellError | None]:
        """Return the result of one call, or its refusal without the traceback, which would keep every array alive."""
        try:
            with np.errstate(all="ignore"):
                return self.impl(*row), None
        except CellError as error:
            return None, error.with_traceback(None)
        except OverflowError:
            return None, DomainError(_NOT_FINITE)

    def _ranges(self, values: Sequence[Any]) -> Any:
        """Broadcast ranges against each other, a two-column specification standing as one argument."""
        if any(arg.kind == "raw" for arg in self.args):
            return _raised(self.evaluate([values])[0])
        self._check_count(values)
        blocks = []
        for i, value in enumerate(values):
            kind = self._arg(i).kind
            if not isinstance(value, (list, tuple)):
                blocks.append([[value]])
            elif kind in _SPECIFIED and _is_specification(value, kind):
                blocks.append([[_pairs(value)]])
            else:
                blocks.append(_two_dimensional(value))
        if self.args and self.args[-1].vararg and self.args[-1].kind in ("quantity", "factor"):
            flat = [cell for block in blocks for row in block for cell in row]
            return self(*flat)
        height, width = max(len(b) for b in blocks), max(len(b[0]) for b in blocks)
        for i, block in enumerate(blocks):
            if len(block) not in (1, height) or len(block[0]) not in (1, width):
                raise UnitError(
                    f"{self.name}: the range for {self._arg(i).name} is {len(block)}×{len(block[0])}, which does not fit "
                    f"the {height}×{width} of the others."
                )
        calls = [
            tuple(b[r if len(b) > 1 else 0][c if len(b[0]) > 1 else 0] for b in blocks)
            for r in range(height)
            for c in range(width)
        ]
        slow = any(arg.kind.startswith("one") for arg in self.args)  # fills a table: the first one is refused already
        results: list[Any] = []
        for part in ([call] for call in calls) if slow else (calls,):
            results += self.evaluate(part)
            if len(calls) > 1 and any(isinstance(value, list) for value in results):
                raise UnitError(
                    f"{self.name} fills a table: give it one set of arguments, not a range of {len(calls)} cells."
                )
        if height == width == 1:
            return _raised(results[0])
        return [results[r * width : (r + 1) * width] for r in range(height)]


def _halves(columns: list[Floats], where: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """Part calls by the argument that has the fewest values, at the middle one: what is refused often depends on one."""
    splits = [(len(values), values, column) for column in columns if len(values := np.unique(column)) > 1]
    if not splits:
        return []
    if len(where) <= _FEW:
        return np.split(where, len(where))
    count, values, column = min(splits, key=lambda split: split[0])
    low = column < values[count // 2]
    return [where[low], where[~low]]


def single_cells(args: Sequence[Any]) -> tuple[Any, ...]:
    """Return arguments that are passed on, a range of one cell as that cell."""
    return tuple(a[0][0] if isinstance(a, list) and len(a) == 1 and a[0] and len(a[0]) == 1 else a for a in args)


def _raised(result: Any) -> Any:
    """Return a result, or raise it when it is an error: a copy, since each raise lengthens an error's traceback."""
    if isinstance(result, CellError):
        raise copy(result)
    return result


def _kept(error: CellError) -> CellError:
    """Return an error without the frames that it was raised in, which it would keep in memory."""
    error.__traceback__ = error.__context__ = error.__cause__ = None
    return error


def _two_dimensional(value: Any) -> list[list[Any]]:
    rows = [list(row) if isinstance(row, (list, tuple)) else [row] for row in value]
    if value and not isinstance(value[0], (list, tuple)):
        rows = [list(value)]  # a flat list is a row
    if not rows or not rows[0] or len({len(row) for row in rows}) != 1:
        raise UnitError("A range must be a rectangle with at least one cell.")
    return rows


def _is_specification(value: Any, kind: str) -> bool:
    """Tell a two-column range of labels and figures from a range of names."""
    rows = [row for row in value if isinstance(row, (list, tuple))]
    widths = (2, 3) if kind == "runtime" else (2,)  # a fitted profile says in its third column what was determined
    if len(rows) != len(value) or not rows or any(len(row) not in widths for row in rows):
        return False
    return all(
        isinstance(row[0], str) and not _is_name(row[0], _SPECIFIED[kind]) for row in rows if row[0] not in (None, "")
    )


def _plain(value: Any) -> Any:
    """Return a plain Python scalar or nested list; refuse what is not a number."""
    if isinstance(value, np.ndarray):
        value = value.item() if value.size == 1 else value.tolist()
    elif isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return DomainError(_NOT_FINITE)
    return value


def declare(
    category: str, *args: Arg, example: str = "", remember: bool = True
) -> Callable[[Callable[..., Any]], Function]:
    """Add a function to the catalogue; its docstring is the help text."""

    def add(impl: Callable[..., Any]) -> Function:
        name = impl.__name__
        doc = inspect.cleandoc(impl.__doc__ or "")
        CATALOGUE[name] = function = Function(name, category, args, doc, example, impl, remember)
        return function

    return add


def alias(name: str, of: Function) -> Function:
    """Add another name of a function to the catalogue."""
    doc = f"{of.doc.splitlines()[0]} Another name of {of.name}."
    CATALOGUE[name] = function = Function(name, of.category, of.args, doc, of.example.replace(of.name, name), of.impl)
    return function


def find(name: object) -> Function:
    """Return a function by name, with or without the ``MLSIM_`` prefix and in any case."""
    text = str(name).strip().upper().replace("MLSIM.", "MLSIM_")
    function = CATALOGUE.get(text) or CATALOGUE.get(f"MLSIM_{text}")
    if function is None:
        from difflib import get_close_matches

        close = get_close_matches(normalise(text), [normalise(n) for n in CATALOGUE], n=1, cutoff=0.6)
        hint = next((n for n in CATALOGUE if close and normalise(n) == close[0]), "MLSIM_LIST")
        raise NameNotFoundError(f"{shorten(name)} is not an MLSIM function. Did you mean {hint}?")
    return function


def call(name: str, args: Sequence[Any]) -> Any:
    """Evaluate one function: the door every host uses."""
    return find(name)(*args)


def call_many(name: str, calls: Sequence[Sequence[Any]]) -> list[Any]:
    """Evaluate many calls of one function; an error object takes the place of its result."""
    function = find(name)
    results: list[Any] = [None] * len(calls)
    scalars = [i for i, args in enumerate(calls) if not any(isinstance(a, (list, tuple)) for a in args)]
    for i, value in zip(scalars, function.evaluate([calls[i] for i in scalars]), strict=True):
        results[i] = value
    for i in set(range(len(calls))) - set(scalars):
        try:
            results[i] = function(*calls[i])
        except CellError as error:
            results[i] = error
    return results


def forget_results() -> None:
    """Drop remembered results and names: call it when the registry has changed."""
    _read_cached.cache_clear()
    for function in CATALOGUE.values():
        function._cache.clear()
