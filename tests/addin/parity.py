"""Generated calls over the whole catalogue, and what the core says to each: every host must say the same.

A call is a function's name and its arguments: text, number or truth value, ``Error`` for a cell in error, ``OMITTED``,
``EMPTY`` for an empty cell, or a list of rows for a range. The same seed makes the same calls.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import Any

from mlsim.errors import CellError
from mlsim.functions import Function
from mlsim_workbooks import functions
from mlsim_workbooks.functions import CATALOGUE

OMITTED = None
EMPTY = [[None]]
PER_FUNCTION, SLOW = 52, {"MLSIM_SERVING_PLAN": 14, "MLSIM_PARALLEL_PLAN": 14, "MLSIM_LINT": 14, "MLSIM_CALIBRATE": 14}


@dataclass(frozen=True)
class Error:
    """A cell that shows an error."""

    code: str


@dataclass(frozen=True)
class Call:
    """A function's name and its arguments."""

    name: str
    args: tuple[Any, ...]

    def __str__(self) -> str:
        return f"{self.name}{self.args}"


OWN_CHIP = [["memory bandwidth", "3.35 TB/s"], ["memory", "80 GB"], ["bf16 peak", "989 TFLOP/s"], [None, None]]
OWN_MODEL = [
    ["layers", 16.0],
    ["hidden", 2048.0],
    ["heads", 32.0],
    ["kv heads", 8.0],
    ["ffn", 8192.0],
    ["vocab", 128256.0],
]
MEASURED = [
    ["model", "hardware", "batch", "context", "measured", "unit"],
    ["Llama-3-8B", "H100", 1.0, 2048.0, 7.1, "ms"],
]

GOOD: dict[str, list[Any]] = {
    "model": ["Llama-3-8B", "Llama-3-70B", "Mixtral-8x7B", "70 Gparam", "140 GB", OWN_MODEL, [["Llama-3-8B"], ["Llama-3-70B"]]],
    "hardware": ["H100", "MI300X", "A100-SXM4-80GB", OWN_CHIP, "3.35 TB/s", [["H100", "MI300X"]]],
    "count": [1.0, 8.0, 64.0, "16", "4096 tokens", [[1.0], [8.0], [64.0]], [[2.0, 4.0]]],
    "whole": [1.0, 2.0, 8.0, "4", [[1.0], [2.0]], [[1.0, 8.0]]],
    "amount": [0.5, 0.0, 1.0, "0.25", [[0.5], [1.0]]],
    "one": [1.0, 16.0, "32"],
    "one whole": [8.0, 16.0],
    "precision": ["bf16", "fp8", "int4", "FP8", [["bf16"], ["fp8"]]],
    "runtime": ["vLLM", "TensorRT-LLM", "Megatron-Core"],
    "unit": ["ms", "s", "GiB", "GB", "token/s", "$/Mtoken", [["ms", "s"]]],
    "quantity": ["80 GiB", "256 MiB", "3.35 TB/s", "2 s", "2.50 $/GPU-h", [["1 GB"], ["2 GB"]]],
    "factor": ["2 GB", 3.0, "0.5", [["1 GB", 2.0]]],
    "text": ["hardware", "H100", "memory bandwidth", "models"],
    "any": ["80 GB", 3.0],
    "raw": [MEASURED, "H100", 4.0, OWN_CHIP],
}  # fmt: skip
BAD: list[Any] = [
    "", "80 furlong", "3 s", "989 TFLOPs", "80 gb", "H1000", "größer™ 漢字", "1.234,5 GB", "3,35 TB/s", "ß", " ", "=1+1",
    -1.0, 1.5, 1e308, 0.0, True, False, "x" * 300, '"quoted"', [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [["nothing"], [None]],
    Error("#N/A"), Error("#DIV/0!"), Error("#VALUE!"), Error("#NUM!"), Error("#REF!"), Error("#NAME?"), [["80 GB", Error("#N/A")]],
    EMPTY, OMITTED,
]  # fmt: skip


def calls(seed: int = 7) -> list[Call]:
    """Return at least 2,000 different calls, those of every function among them."""
    chance = random.Random(seed)
    found: dict[str, Call] = {}
    for function in CATALOGUE.values():
        wanted = len(found) + SLOW.get(function.name, PER_FUNCTION)
        for attempt in range(1000):
            call = Call(function.name, tuple(_arguments(function, chance, attempt)))
            found.setdefault(str(call), call)
            if len(found) >= wanted:
                break
    return list(found.values())


def _arguments(function: Function, chance: random.Random, attempt: int) -> list[Any]:
    """Start from the function's own example; vary some arguments, spoil one in two calls, leave some out."""
    args = _example(function)
    for i, arg in enumerate(function.args):
        if i >= len(args) and chance.random() < 0.35 and not arg.vararg:
            args += [OMITTED] * (i - len(args)) + [chance.choice(GOOD[arg.kind])]
        elif i < len(args) and attempt and chance.random() < 0.4:
            args[i] = chance.choice(GOOD[arg.kind])
    if attempt and attempt % 2 and args:
        args[chance.randrange(len(args))] = chance.choice(BAD)
    if attempt % 7 == 6 and _variadic(function):
        args.append(chance.choice(GOOD[function.args[-1].kind]))
    return args if _few_ranges(function, args) else _example(function)


def _few_ranges(function: Function, args: list[Any]) -> bool:
    """Keep results small: at most two ranges that broadcast."""
    return sum(isinstance(arg, list) and arg is not EMPTY for arg in args) <= 2


def _variadic(function: Function) -> bool:
    return bool(function.args) and function.args[-1].vararg


def _example(function: Function) -> list[Any]:
    inside = re.fullmatch(r"=\w+\((.*)\)", function.example)
    assert inside, function.example
    if function.name == "MLSIM_CALIBRATE":
        return [MEASURED]
    if function.name == "MLSIM_LINT":
        return ["no such book.xlsx"]
    found = []
    for text, number in re.findall(r'"([^"]*)"|([\d.]+)', inside[1]):
        found.append(float(number) if number else text)
    return found


# --- what the core says ----------------------------------------------------------------------------------------------


def expected(call: Call) -> Any:
    """Return the value, the rows of a range, or the ``Error`` that the core gives."""
    for arg in call.args:
        for cell in flat(arg):
            if isinstance(cell, Error):
                return cell
    args = [None if arg is EMPTY else arg for arg in call.args]
    while args and args[-1] is None:
        args.pop()
    try:
        return told(functions.call(call.name, args))
    except CellError as error:
        return Error(error.code)


def told(value: Any) -> Any:
    """Return a result of the core in the terms of this module; nothing within a range is an empty text."""
    if isinstance(value, (list, tuple)):
        rows = [row if isinstance(row, (list, tuple)) else [row] for row in value]
        width = max(map(len, rows))
        return [[told("" if cell is None else cell) for cell in row] + [""] * (width - len(row)) for row in rows]
    if isinstance(value, CellError):
        return Error(value.code)
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def flat(arg: Any) -> list[Any]:
    """Return the cells of an argument."""
    return [cell for row in arg for cell in row] if isinstance(arg, list) else [arg]


def same(one: Any, other: Any) -> bool:
    """Tell whether two results are the same: numbers to 12 digits, errors by their class, one cell as its range."""
    if isinstance(one, list) or isinstance(other, list):
        left, right = _rows(one), _rows(other)
        return [len(row) for row in left] == [len(row) for row in right] and all(
            same(a, b) for x, y in zip(left, right, strict=True) for a, b in zip(x, y, strict=True)
        )
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, float) and isinstance(other, float):
        return one == other or abs(one - other) <= 1e-12 * max(abs(one), abs(other))
    return type(one) is type(other) and one == other


def _rows(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [[value]]
