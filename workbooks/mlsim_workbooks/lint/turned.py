"""An operator the wrong way round: a formula multiplies where it should divide, or divides where it should multiply.

Such a result is off by the square of one operand: kWh² for a ratio of two energies, 1/$ for hours times a price. A
label that was misread is never wrong like this, so little else is asked of the sheet.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from mlsim_workbooks.lint import syntax as sx
from mlsim_workbooks.lint.algebra import COUNTABLE, PERIODS, Dims, Value, add_dims, compare, hard, has_money
from mlsim_workbooks.lint.doubt import lacks_denominator
from mlsim_workbooks.lint.evaluate import KEEPERS
from mlsim_workbooks.lint.infer import Cellwise, Inference

__all__ = ["Turned", "turned_operand"]


@dataclass(frozen=True, slots=True)
class Turned:
    """The operand on the wrong side of its operator."""

    value: Value
    label: str  # "" where it is no single cell
    multiplied: bool  # and should divide

    @property
    def said(self) -> str:
        """What is wrong, as a sentence goes on after the name of the cell."""
        if not self.label:
            return "multiplies where it should divide" if self.multiplied else "divides where it should multiply"
        if self.multiplied:
            return f"multiplies by '{self.label}' instead of dividing"
        return f"divides by '{self.label}' instead of multiplying"


def turned_operand(
    inference: Inference, cell: Cellwise, tree: sx.Node, computed: Value, stated: Value
) -> Turned | None:
    """Return the one operand that, turned, makes a formula give what its cell says."""
    if computed.dims is None or stated.dims is None or _other_currency(computed, stated):
        return None
    used = inference.uses(cell).values()
    if any(map(lacks_denominator, (cell, *used))) or stated.kind("period") == "hour":
        return None
    periodic = any(c.context.value is not None and c.value.kind("period") for c in used)
    due, off = add_dims(hard(computed.dims), hard(stated.dims), -1.0), add_dims(computed.dims, stated.dims, -1.0)
    if dict(due).get("time") == -1.0 and any(abs(e) >= 2 for _, e in due):
        due = tuple((n, e) for n, e in due if n != "time") if periodic else due  # so much a month of it
    spread = bool(stated.kind("period")) and due == (("time", 1.0),)  # over the years of its life: so much a year
    if spread:
        due = off = (("time", 2.0),)
    if not any(abs(e) >= 2 for _, e in off):
        return None
    evaluation = inference.evaluation(cell)
    if evaluation is None:
        return None
    found: list[Turned] = []
    for changed, operand, multiplied in _flips(tree):
        value = evaluation.value(operand)
        dims, core = value.dims or (), hard(value.dims or ())
        of_time = core == (("time", 1.0),)
        spent = dict(stated.dims).get("time", 0.0) > 0 and not multiplied  # GPU-hours of a year
        if (periodic and of_time and not spent) or (spread and not (of_time and value.factor >= PERIODS["month"])):
            continue  # the hours of a year, times the years
        if core and due == _twice(core, multiplied):
            fits = compare(evaluation.value(changed), stated) is None
        else:
            machines = (
                bool(dims) and hard(stated.dims) != (("time", 1.0),) and {n for n, _ in dims} <= COUNTABLE
            )  # of tokens and requests, labels say too little
            fits = machines and off == _twice(dims, multiplied) and not _FAILURES.search(cell.words)
        if fits:
            other = inference.cell_of(cell, operand)
            found.append(Turned(value, other.label if other is not None else "", multiplied))
    return found[0] if len(found) == 1 else None


# the more machines, the less time between them
_FAILURES = re.compile(r"mtbf|mttf|fail|interrupt|fault|ausf[aä]ll|störung|panne|défaillance", re.I)


def _flips(node: sx.Node | None) -> Iterator[tuple[sx.Node, sx.Node, bool]]:
    """Yield a formula with one operator turned, what stands behind it, and whether it was a product."""
    match node:
        case sx.Binary(operator="*" | "/" as operator, left=left, right=right):
            yield replace(node, operator="/" if operator == "*" else "*"), right, operator == "*"
            for changed, operand, multiplied in _flips(left):
                yield replace(node, left=changed), operand, multiplied
            for changed, operand, multiplied in _flips(right):
                yield replace(node, right=changed), operand, multiplied != (operator == "/")
        case sx.Call(name=name, args=(first, *rest)) if name in KEEPERS or name == "IFERROR":
            for changed, operand, multiplied in _flips(first):
                yield replace(node, args=(changed, *rest)), operand, multiplied


def _twice(dims: Dims, multiplied: bool) -> Dims:
    """Return by what a formula is off that has an operand of some dimensions on the wrong side."""
    return tuple((n, 2 * e if multiplied else -2 * e) for n, e in dims)


def _other_currency(computed: Value, stated: Value) -> bool:
    """Tell whether two currencies are in play: which one a rate is for, labels seldom say."""
    money = {n for v in (computed, stated) for n, _ in v.dims or () if n.startswith("money_in_")}
    return has_money(computed) and len(money) > 1
