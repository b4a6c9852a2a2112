"""Random calls over the whole catalogue: valid ones, and mutations of them that no person would think of.

The same seed gives the same calls. An argument is what ``mlsim_addin.host`` takes: None, text, number, truth value, a
``CellError``, or rows of those.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Iterator
from typing import Any

from mlsim.errors import CellError
from mlsim.functions import Function

ERROR = CellError("#N/A", "An argument is this error itself.")

OWN_CHIP = [["memory bandwidth", "3.35 TB/s"], ["memory", "80 GB"], ["bf16 peak", "989 TFLOP/s"], [None, None]]
OWN_MODEL = [["layers", 16.0], ["hidden", 2048.0], ["heads", 32.0], ["kv heads", 8.0], ["ffn", 8192.0], ["vocab", 1e5]]
OWN_RUNTIME = [["name", "mine"], ["launch", "4 us"]]
MEASURED = [
    ["model", "hardware", "batch", "context", "measured", "unit"],
    *(["Llama-3-8B", "H100", b, 2048.0, 7.1 + b / 50, "ms"] for b in (1.0, 4.0, 16.0, 64.0)),
]

GOOD: dict[str, list[Any]] = {
    "model": ["Llama-3-8B", "llama 3 70b", "Mixtral-8x7B", "70 Gparam", "140 GB", "01-ai/Yi-34B", OWN_MODEL],
    "hardware": ["H100", "MI300X", "A100-SXM4-80GB", "3.35 TB/s", "80 GiB", "TPU v5e", OWN_CHIP],
    "count": [1.0, 8.0, 64, "16", "4096 tokens", 1000.5, None],
    "whole": [1.0, 2, 8.0, "4", 64.0, None],
    "amount": [0.5, 0.0, 1.0, "0.25", 0, None],
    "one": [1.0, 16.0, "32", 4096.0, None],
    "one whole": [8.0, 16, 64.0, None],
    "precision": ["bf16", "fp8", "int4", "FP8", None],
    "runtime": ["vLLM", "TensorRT-LLM", "Megatron-Core", None, OWN_RUNTIME],
    "unit": ["ms", "s", "GiB", "GB", "token/s", "$/Mtoken", "us", "day", None],
    "quantity": ["80 GiB", "256 MiB", "3.35 TB/s", "2 s", "2.50 $/GPU-h", "100 GB/s"],
    "factor": ["2 GB", 3.0, "0.5", "15 Ttoken", "50 request/s"],
    "text": ["hardware", "H100", "memory bandwidth", "models", "H100,MI300X", "none", "full", "ZeRO-1", "TFLOP/s"],
    "any": ["80 GB", 3.0, "80 TFLOP", True],
    "raw": [MEASURED, "H100", 4.0, OWN_CHIP, OWN_MODEL, "Llama-3-8B", "140 GB"],
}  # fmt: skip

TEXTS = [
    "", " ", "\t", "0", "-0", "1e309", "-1e309", "nan", "inf", "-inf", "1_000", "0x10", "1e5", "١٢٣", "½", "1,5", "1.234,5 GB",
    "=1+1", "=cmd|' /C calc'!A0", "+cmd|' /C calc'!A0", "@SUM(1)", '=WEBSERVICE("http://127.0.0.1:9/x")', "-2+3+cmd|'x'!A0",
    '=HYPERLINK("http://x","y")', "../../etc/passwd", "/etc/passwd", "/dev/zero", "file:///etc/passwd", "\\\\host\\share\\b.xlsx",
    "http://127.0.0.1:9/b.xlsx", "C:\\windows\\win.ini", "~root", "nul", "%s%s%s%n", "{0.__class__}", "{arg.name}", "%(x)s", "$(id)",
    "`id`", "'; DROP TABLE x; --", "<script>alert(1)</script>", "&amp;", "]]>", "a\x00b", "\x1b[31mred", "a\nb", "a\r\nb", "\u202etxt",
    "\ufeffH100", "\ud800", "H\u0301100", "Ｈ１００", "größer™ 漢字", "ß", "İ", "🚀" * 20, "x" * 300, "9" * 400, "(" * 500, "m/" * 200,
    "1 " + "m*" * 400 + "m", "GB^" * 60 + "2", "x" * 32_767, "80 furlong", "80 GB GB", "GB", "80GB", "80 gb", "80 Gb", "80 GB/s",
    "989 TFLOPs", "989 TFLOPS", "989 TFLOP/s", "1979 sparse TFLOP/s", "1 kg", "3 s", "-3 s", "0 s", "1e400 GB", "1e-400 GB", "1e308 GB",
    "5 %", "1 $", "2.5 €/h", "1 GPU-h", "8 GPUs", "1 request", "4096 tokens", "0 tokens", "-1 tokens", "1.5 tokens", "7 parameters",
    "1 GB + 1 GB", "GB/0", "1/0 GB", "1 GB^0.5", "1 GB**1000000", "1 GB^1e9", "2**2**2**99", "9**9**9**9 GB", "1 µs", "1 μs", "1 °C",
    "1 K", "H1000", "H-100", "h100 sxm", "A100", "llama", "Lama-3-8B", "gpt-5", "None", "True", "TRUE", "FALSE", "bf 16", "fp3", "vllm",
    "ms ", "MS", "Ms", "mss", "token", "token/ms", "MLSIM_TPOT", "TPOT", "mlsim.tpot", "MLSIM_WHY", "MLSIM_LINT", "MLSIM_NONE", "SUM",
    "__class__", "eval", "__import__('os')", "lambda: 0", "batch", "context", "H100,MI300X", "H100,,", ",", ";", "H100;MI300X", "all",
]  # fmt: skip
NUMBERS = [
    0, 1, -1, 0.0, -0.0, 0.5, 1.5, 2, 3, 7, 1e-9, 1e-300, 5e-324, 1e3, 4096, 32_768.5, 1e6, 2**31, 2**53 + 1, 1e12, 1e15, 1e18, 1e100,
    1e154, 1e200, 1.7976931348623157e308, -1e308, 10**400, float("nan"), float("inf"), float("-inf"),
]  # fmt: skip
OTHERS: list[Any] = [
    None,
    True,
    False,
    ERROR,
    CellError("#DIV/0!", "An error."),
    OWN_CHIP,
    OWN_MODEL,
    OWN_RUNTIME,
    MEASURED,
]
RANGES: list[Any] = [
    [], [[]], [[], []], [[None]], [[None, None], [None, None]], [[""]], [[1.0]], [["H100"]], [[1.0, 2.0], [3.0]], [1.0, 2.0, 4.0],
    ["H100", "MI300X"], [[1.0], [2.0], [4.0]], [[1.0, 2.0, 4.0]], [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [["80 GB", ERROR]],
    [["H100"], ["nothing"], [None]], [["memory", "80 GB"]], [["memory", 80.0]], [["memory", None]], [["memory"], ["80 GB"]],
    [["layers", -1.0], ["hidden", 1e308]], [["layers", True]], [["layers", "x"]], [["layers", 16.0], ["layers", 17.0]],
    [["memory", "80 GB"], ["memory", "90 GB"]], [[1.0, "memory"]], [[True, False]], [["name", "x"], ["name", "y"]],
    [["a", "b", "c"], ["d", "e", "f"]], [[float("nan")]], [[None, 1.0], ["layers", 2.0]], [["x" * 300, "y" * 300]] * 3,
    [["model", "hardware", "measured"], ["Llama-3-8B", "H100", -1.0]], [["model"], ["Llama-3-8B"]], [["measured"]],
]  # fmt: skip


def valid(function: Function, chance: random.Random) -> list[Any]:
    """Return the arguments of a call that mostly has a result: the function's example, some arguments changed."""
    args = example(function)
    for i, arg in enumerate(function.args):
        if i < len(args) and chance.random() < 0.4:
            args[i] = chance.choice(GOOD[arg.kind])
        elif i >= len(args) and not arg.vararg and chance.random() < 0.3:
            args += [None] * (i - len(args)) + [chance.choice(GOOD[arg.kind])]
    if function.args[-1].vararg and chance.random() < 0.3:
        args.append(chance.choice(GOOD[function.args[-1].kind]))
    return args


def example(function: Function) -> list[Any]:
    """Return the arguments of the function's own example."""
    if function.name == "MLSIM_CALIBRATE":
        return [MEASURED]
    if function.name == "MLSIM_LINT":
        return ["no such book.xlsx"]
    inside = function.example.partition("(")[2].rpartition(")")[0]
    return [float(number) if number else text for text, number in re.findall(r'"([^"]*)"|([\d.]+)', inside)]


def mutated(function: Function, chance: random.Random) -> list[Any]:
    """Return the arguments of a valid call, spoilt once or more often."""
    args = valid(function, chance)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        if args and chance.random() < 0.85:
            i = chance.randrange(len(args))
            args[i] = chance.choice(_ARGUMENT)(args[i], chance)
        else:
            args = chance.choice(_LIST)(args, chance)
    return args


# --- what is done to one argument ------------------------------------------------------------------------------------


def _other_kind(_: Any, chance: random.Random) -> Any:
    return chance.choice(GOOD[chance.choice(list(GOOD))])


def _text(_: Any, chance: random.Random) -> Any:
    return chance.choice(TEXTS)


def _number(_: Any, chance: random.Random) -> Any:
    return chance.choice(NUMBERS)


def _other(_: Any, chance: random.Random) -> Any:
    return chance.choice(OTHERS)


def _range(_: Any, chance: random.Random) -> Any:
    return chance.choice(RANGES)


def _as_text(value: Any, chance: random.Random) -> Any:
    number = value if isinstance(value, (int, float)) else chance.choice(NUMBERS)
    return f"{number}{chance.choice(('', ' ', ' GB', ' tokens', ' s', '%', ' GiB/s'))}"


def _misspelt(value: Any, chance: random.Random) -> Any:
    text = value if isinstance(value, str) and value else chance.choice(("H100", "80 GB", "Llama-3-8B"))
    i = chance.choice((0, len(text) // 2, len(text) - 1))  # few places: the search for the nearest name is remembered
    return chance.choice((
        text[:i] + text[i + 1 :], text[:i] + text[i] + text[i:], text[:i] + chance.choice("xß漢 \x07^/(-'\"") + text[i:],
        text[i:] + text[:i], text.upper(), text.lower(), text * 2, text[::-1], f" {text} ", f"'{text}'", text + "\u200b",
    ))  # fmt: skip


def _scaled(value: Any, chance: random.Random) -> Any:
    factor = chance.choice((-1, 0, 1e-12, 1e3, 1e12, 1e300, 0.1, math.pi))
    if isinstance(value, (int, float)):
        return value * factor if abs(value) < 1e308 else -value
    if isinstance(value, str):
        return re.sub(r"\d+(?:\.\d+)?", lambda m: f"{float(m[0]) * factor:g}", value, count=1)
    return value


def _spread(value: Any, chance: random.Random) -> Any:
    """Make it a range: the value itself, and others beside or below it."""
    if isinstance(value, list):
        return value * 2 if chance.random() < 0.5 else [row[:1] if isinstance(row, list) else row for row in value]
    cells = [
        value,
        *(chance.choice((value, None, chance.choice(TEXTS), chance.choice(NUMBERS), 4.0)) for _ in range(3)),
    ]
    return chance.choice(([[c] for c in cells], [cells], [cells[:2], cells[2:]], [[value]], cells))


def _spoilt(value: Any, chance: random.Random) -> Any:
    """Change one cell of a range."""
    if not isinstance(value, list) or not value or not isinstance(value[0], list):
        value = chance.choice((OWN_CHIP, OWN_MODEL, MEASURED, OWN_RUNTIME))
    rows = [list(row) for row in value if isinstance(row, list)]
    row = chance.choice(rows)
    if row:
        i = chance.randrange(len(row))
        row[i] = chance.choice((_text, _number, _misspelt, _scaled, _as_text))(row[i], chance)
    return rows


_ARGUMENT: list[Callable[[Any, random.Random], Any]] = [
    _other_kind, _text, _text, _number, _number, _other, _range, _as_text, _misspelt, _misspelt, _scaled, _scaled, _spread, _spoilt,
]  # fmt: skip

# --- what is done to the list of arguments ---------------------------------------------------------------------------


def _dropped(args: list[Any], chance: random.Random) -> list[Any]:
    i = chance.randrange(len(args) + 1)
    return args[:i] + args[i + 1 :]


def _inserted(args: list[Any], chance: random.Random) -> list[Any]:
    i = chance.randrange(len(args) + 1)
    return [*args[:i], chance.choice((None, *TEXTS, *NUMBERS)), *args[i:]]


def _swapped(args: list[Any], chance: random.Random) -> list[Any]:
    return chance.sample(args, len(args))


def _many(args: list[Any], chance: random.Random) -> list[Any]:
    return ((args or [1.0]) * chance.choice((2, 5, 40)))[:300]


def _none(_: list[Any], chance: random.Random) -> list[Any]:
    return [None] * chance.choice((0, 1, 2, 30))


_LIST: list[Callable[[list[Any], random.Random], list[Any]]] = [_dropped, _inserted, _swapped, _many, _none]

# --- calls -----------------------------------------------------------------------------------------------------------


def generated(function: Function, count: int, seed: str) -> Iterator[list[Any]]:
    """Yield the arguments of so many calls; one in six is valid."""
    chance = random.Random(f"{seed}:{function.name}")
    for i in range(count):
        yield valid(function, chance) if i % 6 == 0 else mutated(function, chance)


def sound(function: Function, count: int, seed: str) -> Iterator[list[Any]]:
    """Yield the arguments of so many valid calls."""
    chance = random.Random(f"{seed}:{function.name}:sound")
    return (valid(function, chance) for _ in range(count))


def pasteable(name: str, args: list[Any]) -> str:
    """Return a call as a line that can be pasted into Python."""
    return f"from math import inf, nan; from mlsim.errors import CellError; from mlsim_addin import host; print(repr(host.call({name!r}, {args!r})))"
