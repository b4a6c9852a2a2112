"""What Excel's functions and MLSIM's do to units: IF, LET, SUMPRODUCT, INDEX, XLOOKUP, CONVERT, MLSIM_X."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from mlsim.errors import CellError
from mlsim.units import parse_unit
from mlsim_workbooks.lint import syntax as sx
from mlsim_workbooks.lint.algebra import UNKNOWN, Value, compare, multiply, power
from mlsim_workbooks.lint.pairs import Clash, cancels, common, other_tokens
from mlsim_workbooks.lint.shapes import constant_of

if TYPE_CHECKING:
    from mlsim_workbooks.lint.evaluate import Evaluation

__all__ = ["HANDLERS", "mlsim_unit"]


_EXCEL_UNITS = {"hr": "h", "sec": "s", "mn": "min", "min": "min", "day": "day", "yr": "year", "byte": "byte", "bit": "bit",
                "J": "J", "Wh": "Wh", "W": "W", "kW": "kW", "kWh": "kWh"}  # fmt: skip


def _if(run: Evaluation, node: sx.Call) -> Value:
    args = node.args
    run.value(args[0] if args else None)
    branches = [a for a in args[1:3] if a is not None and not isinstance(a, (sx.Text, sx.Other))]
    values = [run.value(a) for a in branches]
    pairs = [(v, a) for v, a in zip(values, branches, strict=True) if v.number is None]
    return run.series("branch", [v for v, _ in pairs], [a for _, a in pairs]) if pairs else UNKNOWN


def _ifs(run: Evaluation, node: sx.Call) -> Value:
    for test in node.args[::2]:
        run.value(test)
    values = [run.value(a) for a in node.args[1::2]]
    values = [v for v in values if v.number is None]
    return run.series("branch", values, [None] * len(values))


def _choose(run: Evaluation, node: sx.Call) -> Value:
    values = [run.value(a) for a in node.args[1:]]
    return run.series("branch", [v for v in values if v.number is None], [None] * sum(v.number is None for v in values))


def _iferror(run: Evaluation, node: sx.Call) -> Value:
    values = [run.value(a) for a in node.args]
    return replace(values[0], number=None) if values else UNKNOWN


def _let(run: Evaluation, node: sx.Call) -> Value:
    args = node.args
    for name, value in zip(args[:-1:2], args[1::2], strict=False):
        if isinstance(name, sx.Name):
            run.bound[name.name] = run.value(value)
    return run.value(args[-1]) if args else UNKNOWN


def _sumproduct(run: Evaluation, node: sx.Call) -> Value:
    result: Value | None = None
    for arg in node.args:
        value = run.value(arg)
        if arg is not None and isinstance(arg, sx.Area) and not value.known:
            value = run.series("sum", run.many(arg), [arg] * len(run.many(arg)))
        if result is not None and other_tokens(result, value) and cancels(result, value, "token"):
            run.clashes.append(Clash("multiply", result, value, node.args[0], arg, note="token"))
        result = value if result is None else multiply(result, value)
    if result is None:
        return UNKNOWN
    return replace(result.with_kind("period", result.kind("period")), number=None)


def _product(run: Evaluation, node: sx.Call) -> Value:
    result: Value | None = None
    for arg in node.args:
        if isinstance(arg, sx.Area):
            return UNKNOWN
        value = run.value(arg)
        result = value if result is None else multiply(result, value)
    return result or UNKNOWN


def _sqrt(run: Evaluation, node: sx.Call) -> Value:
    root = power(run.value(node.args[0] if node.args else None), 0.5)
    return replace(root, numbers=tuple(n for n in root.numbers if abs(n * n - 2.0) > 1e-9))  # Young, Daly: sqrt(2 t T)


def _power(run: Evaluation, node: sx.Call) -> Value:
    if len(node.args) != 2 or node.args[0] is None or node.args[1] is None:
        return UNKNOWN
    return run.binary(sx.Binary("^", node.args[0], node.args[1]))


def _mod(run: Evaluation, node: sx.Call) -> Value:
    return run.value(node.args[0] if node.args else None)


def _index(run: Evaluation, node: sx.Call) -> Value:
    for arg in node.args[1:]:
        run.value(arg)
    first = node.args[0] if node.args else None
    column = constant_of(node.args[2]) if len(node.args) > 2 and node.args[2] is not None else None
    return _column_of(run, first, int(column) if column and abs(column) < 1e6 else 0)


def _vlookup(run: Evaluation, node: sx.Call) -> Value:
    column = constant_of(node.args[2]) if len(node.args) > 2 and node.args[2] is not None else None
    return _column_of(
        run, node.args[1] if len(node.args) > 1 else None, int(column) if column and abs(column) < 1e6 else 0
    )


def _xlookup(run: Evaluation, node: sx.Call) -> Value:
    for arg in node.args[:2]:
        run.value(arg)
    return run.value(node.args[2]) if len(node.args) > 2 else UNKNOWN


def _lookup(run: Evaluation, node: sx.Call) -> Value:
    return run.value(node.args[-1]) if node.args else UNKNOWN


def _column_of(run: Evaluation, node: sx.Node | None, column: int) -> Value:
    """Return the value of one column of a range, or of the whole range when it is uniform."""
    found = run.inputs.get(node, UNKNOWN) if node is not None else UNKNOWN
    if isinstance(found, tuple) and 0 < column <= len(found):
        distinct = set(found[column - 1])
        return distinct.pop() if len(distinct) == 1 else common(distinct)
    return run.value(node)


def _averageif(run: Evaluation, node: sx.Call) -> Value:
    if node.name in ("AVERAGEIFS", "MAXIFS", "MINIFS"):
        return run.value(node.args[0] if node.args else None)
    return run.value(node.args[2] if len(node.args) > 2 else node.args[0] if node.args else None)


def _convert(run: Evaluation, node: sx.Call) -> Value:
    """Excel's CONVERT(x, from, to): x is in `from`, the result in `to`."""
    if len(node.args) != 3 or not isinstance(node.args[1], sx.Text) or not isinstance(node.args[2], sx.Text):
        return UNKNOWN
    value = run.value(node.args[0])
    source, target = _excel_unit(node.args[1].value), _excel_unit(node.args[2].value)
    if source is not None and value.known and value.number is None:
        mismatch = compare(value, source)
        if mismatch is not None:
            run.clashes.append(Clash("convert", value, source, node.args[0], node.args[1], mismatch))
    return target or UNKNOWN


def _excel_unit(text: str) -> Value | None:
    prefix = ""
    name = text
    if text not in _EXCEL_UNITS:
        for candidate in ("Ki", "Mi", "Gi", "Ti", "k", "M", "G", "T", "P", "m", "u"):
            if text.startswith(candidate) and text[len(candidate) :] in _EXCEL_UNITS:
                prefix, name = candidate, text[len(candidate) :]
                break
    if name not in _EXCEL_UNITS:
        return None
    symbol = {"byte": "B", "bit": "bit"}.get(_EXCEL_UNITS[name], _EXCEL_UNITS[name])
    try:
        unit = parse_unit(prefix + symbol if prefix else _EXCEL_UNITS[name])
    except CellError:
        return None
    return Value(unit.dimension, unit.factor, text=text)


@lru_cache(maxsize=1024)
def mlsim_unit(node: sx.Call) -> Value | None:
    """Return the unit of an MLSIM call's result from the catalogue."""
    from mlsim.functions import CATALOGUE

    if node.name.endswith(("_PARTS", "_PLAN", "_OPERATORS", "_LINT", "_CALIBRATE")):
        return None  # tables: each column has a unit of its own
    function = CATALOGUE.get(node.name)
    names = [a.name for a in function.args] if function else []
    position_of = {"MLSIM_CONVERT": 1, "MLSIM_SPEC": 2}.get(node.name, names.index("unit") if "unit" in names else -1)
    text = ""
    if function is not None and 0 <= position_of < len(names) and node.name not in ("MLSIM_CONVERT", "MLSIM_SPEC"):
        default = function.args[position_of].default
        text = default if isinstance(default, str) else ""
    if 0 <= position_of < len(node.args):
        given = node.args[position_of]
        text = given.value if isinstance(given, sx.Text) else "" if given is not None else text
    if not text:
        return None
    try:
        unit = parse_unit(text)
    except CellError:
        return None
    return Value(unit.dimension, unit.factor, frozenset(unit.kinds.items()), text=text)


_Handler = Callable[["Evaluation", sx.Call], Value]


HANDLERS: dict[str, _Handler] = {
    "IF": _if, "IFS": _ifs, "SWITCH": lambda run, node: UNKNOWN, "CHOOSE": _choose, "IFERROR": _iferror, "IFNA": _iferror,
    "LET": _let, "SUMPRODUCT": _sumproduct, "PRODUCT": _product, "SQRT": _sqrt, "POWER": _power, "MOD": _mod,
    "INDEX": _index, "VLOOKUP": _vlookup, "HLOOKUP": lambda run, node: UNKNOWN, "XLOOKUP": _xlookup, "LOOKUP": _lookup,
    "AVERAGEIF": _averageif, "AVERAGEIFS": _averageif, "MAXIFS": _averageif, "MINIFS": _averageif, "CONVERT": _convert,
}  # fmt: skip
