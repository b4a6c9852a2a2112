"""A hundred thousand random calls over the catalogue: each gives a cell or a sentence, and twice the same.

``MLSIM_FUZZ=10`` makes ten times as many, ``MLSIM_FUZZ_SEED=text`` others. A failure prints a line for Python.
"""

from __future__ import annotations

import math
import os
import re
import unicodedata
import warnings
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from typing import Any

import pytest
from mutate_calls import generated, pasteable, sound
from watch import Late, in_time, nothing_outside

from mlsim.errors import CellError
from mlsim.functions.catalogue import forget_results
from mlsim_addin import host
from mlsim_workbooks.functions import CATALOGUE
from mlsim_workbooks.functions import call as core_call

SEED = os.environ.get("MLSIM_FUZZ_SEED", "1")
TIMES = float(os.environ.get("MLSIM_FUZZ", "1"))
PER_FUNCTION, SLOW = 2500, {"MLSIM_PARALLEL_PLAN": 200, "MLSIM_SERVING_PLAN": 600, "MLSIM_LINT": 600}
LONGEST = 1000  # characters of a message
SECONDS = 5.0  # of the processor, that no call may take

_INTERNAL = re.compile(
    r"Traceback|defect of MLSIM|\b\w+(?:Error|Exception)\b|<[\w. ]+(?: object| at 0x)|NoneType|invalid literal|could not "
    r"convert|out of range|unhashable|unsupported operand|np\.\w+\(|array\(|Quantity\(|\[\['|\(\('|', None"
)


def count(name: str) -> int:
    """Return how many calls of a function are made."""
    return int(SLOW.get(name, PER_FUNCTION) * TIMES)


def test_there_are_a_hundred_thousand_calls() -> None:
    assert sum(map(count, CATALOGUE)) >= 100_000 * TIMES


# --- what a result may be --------------------------------------------------------------------------------------------


def kinds(result: Any) -> set[str]:
    """Return the kinds of value in a result; an error is none."""
    cells = [cell for row in result for cell in row] if isinstance(result, list) else [result]
    return {type(cell).__name__ for cell in cells if not isinstance(cell, CellError)}


def faults(result: Any) -> Iterator[str]:
    """Yield what is wrong with a result of the host."""
    if isinstance(result, list):
        if not result or not all(isinstance(row, list) for row in result):
            yield "is not rows of cells"
            return
        if len({len(row) for row in result}) != 1 or not result[0]:
            yield "is not a rectangle"
        for row in result:
            for cell in row:
                if isinstance(cell, list):
                    yield "holds a range in a cell"
                else:
                    yield from faults(cell)
    elif isinstance(result, CellError):
        yield from message_faults(result)
    elif type(result) is float:
        if not math.isfinite(result):
            yield "is not finite"
    elif type(result) is str:
        if len(result) > host.LONGEST_TEXT:
            yield "is longer than a cell"
    elif type(result) is not bool:
        yield f"is a {type(result).__name__}"


def message_faults(error: CellError) -> Iterator[str]:
    """Yield what is wrong with the message of an error."""
    code, message = error.code, error.message
    if code not in host.CODES:
        yield f"has the code {code!r}"
    if not isinstance(message, str) or not message.strip():
        yield "has no message"
        return
    if len(message) > LONGEST:
        yield f"has a message of {len(message)} characters"
    if found := _INTERNAL.search(message):
        yield f"speaks of the inside: {found[0]!r}"
    if not message.rstrip().endswith((".", "?", "!")):
        yield "has a message that does not end as a sentence"
    if odd := [c for c in message if unicodedata.category(c) in ("Cc", "Cs")]:
        yield f"has a message with the control character {odd[0]!r}"


def same(one: Any, other: Any, near: float = 0.0) -> bool:
    """Tell whether two results are equal, numbers to so many parts of themselves."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(lambda a, b: same(a, b, near), one, other))
    if isinstance(one, CellError) and isinstance(other, CellError):
        return one.code == other.code and same(one.message, other.message)
    if isinstance(one, str) and isinstance(other, str):
        return one.replace("-0", "0") == other.replace("-0", "0")  # the two zeros are one key of what is remembered
    if type(one) is float and type(other) is float and near:
        return math.isclose(one, other, rel_tol=near)
    return type(one) is type(other) and one == other


# --- the calls -------------------------------------------------------------------------------------------------------


class Failures:
    """Collects failed calls as lines that can be pasted into Python."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: list[str] = []

    def add(self, args: Sequence[Any], why: str) -> None:
        self.lines.append(f"# {self.name} {why}\n{pasteable(self.name, list(args))}")

    def check(self) -> None:
        shown = "\n".join(self.lines[:6])
        assert not self.lines, f"{len(self.lines)} calls (MLSIM_FUZZ_SEED={SEED}):\n{shown}"


@pytest.fixture(autouse=True)
def loud() -> Iterator[None]:
    """Turn a warning into an error: none may be printed from a spreadsheet's function."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.mark.parametrize("name", CATALOGUE)
def test_calls(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    function = CATALOGUE[name]
    failures = Failures(name)
    with nothing_outside() as outside:
        usual = set().union(*(kinds(host.call(name, args)) for args in sound(function, 100, SEED)))
        calls = generated(function, count(name), SEED)
        sample: list[tuple[list[Any], Any]] = []
        while batch := list(islice(calls, 400)):
            results = check(name, batch, usual, failures)
            sample += list(zip(batch, results, strict=True))[::20]
        forget_results()
        for args, result in sample:
            if not same(result, again := host.call(name, args)):
                failures.add(args, f"gives {result!r}, then {again!r}"[:900])
    assert not outside
    assert capfd.readouterr() == ("", "")
    failures.check()


def check(name: str, calls: list[list[Any]], usual: set[str], failures: Failures) -> list[Any]:
    """Make calls one by one, and all together; return the results."""
    results = [timed(name, args, failures) for args in calls]
    for args, result in zip(calls, results, strict=True):
        for fault in faults(result):
            failures.add(args, f"{fault}: {str(result)[:300]!r}")
        if odd := kinds(result) - usual:
            failures.add(args, f"gives {odd}, sound calls give {usual}")
    try:
        with in_time(60.0, 600.0):
            together = host.call_many([(name, args) for args in calls])
    except Late as error:
        failures.add(calls[-1], f"and {len(calls) - 1} others together {error}")
        return results
    for args, alone, result in zip(calls, results, together, strict=True):
        if not same(alone, result, 1e-12):
            failures.add(args, f"gives {alone!r} alone and {result!r} among others"[:900])
    return results


def timed(name: str, args: list[Any], failures: Failures) -> Any:
    """Make one call; nothing may be raised, and it may not take long."""
    try:
        with in_time(SECONDS):
            return host.call(name, args)
    except Late as error:
        failures.add(args, str(error))
    except Exception as error:
        failures.add(args, f"raises {type(error).__name__}: {error}"[:300])
    return CellError("#VALUE!", "It raised.")


@pytest.mark.parametrize("name", [f.name for f in CATALOGUE.values() if not any(a.kind in ("raw",) for a in f.args)])
def test_a_cell_and_its_range(name: str) -> None:
    """A call gives what the same call gives within a range, where the function takes ranges at all."""
    function = CATALOGUE[name]
    failures = Failures(name)
    scalar = [args for args in generated(function, count(name) // 4, f"{SEED} range") if plain(function, args)]
    for one, two in pairwise(scalar):
        places = [i for i, arg in enumerate(function.args) if i < len(one) and i < len(two) and not arg.vararg]
        if not places:
            continue
        i = places[len(failures.lines) % len(places)]
        column = [one[i], two[i], one[i]]
        asked = [[*one[:i], value, *one[i + 1 :]] for value in column]
        alone = [host.call(name, args) for args in asked]
        together = host.call(name, [*one[:i], [[value] for value in column], *one[i + 1 :]])
        if isinstance(together, CellError):
            continue
        for args, a, b in zip(asked, alone, together, strict=True):
            if not same(a, b[0], 1e-12):
                failures.add(args, f"gives {a!r}, and {b[0]!r} within the range {column!r}"[:900])
    failures.check()


def plain(function: Any, args: list[Any]) -> bool:
    """Tell whether no argument is a range, and none an error."""
    return len(args) <= len(function.args) and not any(isinstance(arg, (list, CellError)) for arg in args)


def test_every_door_says_the_same() -> None:
    """What ``mlsim.functions.call`` raises or gives is what the host shows."""
    failures = Failures("")
    for function in CATALOGUE.values():
        failures.name = function.name
        for args in generated(function, count(function.name) // 40, f"{SEED} doors"):
            shown = host.call(function.name, args)
            try:
                found: Any = core_call(function.name, args)
            except CellError as error:
                found = error
            except Exception as error:
                if not _odd(args):
                    failures.add(args, f"raises {type(error).__name__}: {error}"[:300])
                continue
            if isinstance(found, CellError) and not _odd(args) and not same(found, shown):
                failures.add(args, f"raises {found}, the host shows {shown!r}"[:600])
    failures.check()


def _odd(args: Sequence[Any]) -> bool:
    """Tell whether the host changes these arguments before the call: errors, ranges, and empty cells at the end."""
    return any(isinstance(arg, (list, CellError)) for arg in args) or (bool(args) and args[-1] in (None, ""))
