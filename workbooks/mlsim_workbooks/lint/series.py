"""A formula that breaks the series it stands in, in what its result means.

Filled rows and columns repeat one formula. Where a single cell differs from the neighbours that agree with each
other, its unit must still be theirs: an hour's worth among months, a figure per GPU among figures per node, a missing
"/ 1000". A formula that merely reads differently but means the same is left alone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from mlsim_workbooks.lint.algebra import Value, hard
from mlsim_workbooks.lint.finding import Said
from mlsim_workbooks.lint.infer import Cellwise, Inference
from mlsim_workbooks.lint.kinds import KIND_RULE
from mlsim_workbooks.lint.naming import ratio_rule, ratio_text, unit_text
from mlsim_workbooks.lint.reader import WIDE
from mlsim_workbooks.package import column_number

__all__ = ["series_findings"]

_TOTAL = re.compile(
    r"\b(?:totals?|sums?|average|avg|mean|max|min|annual|yearly|year|overall|fleet|all|check|delta|difference|change|ratio|best"
    r"|gesamt|summe|mittel\w*|jahr|total|somme|moyenne|année|opening|closing|fy\d*|h[12]|q[1-4]|start|end|initial)\b|ø|Σ",
    re.I,
)
Relative = tuple[int, tuple[str, ...]]
_PART = re.compile(r"(\$?)([A-Z]{1,3})(\$?)(\d+)")


def relative(cell: Cellwise) -> Relative:
    """Return a formula with its references relative to its cell: equal for all cells it was filled to."""
    row, col = cell.item.row, cell.item.col

    def one(match: re.Match[str]) -> str:
        column = match[2] if match[1] else f"C{column_number(match[2]) - col}"
        return column + (match[4] if match[3] else f"R{int(match[4]) - row}")

    return cell.item.form, tuple(_PART.sub(one, ref.upper()) for ref in cell.item.refs)


def series_findings(inference: Inference) -> Iterator[tuple[int, Cellwise, Said]]:
    """Yield (sheet, cell, what is said) for formulas that mean something else than their neighbours."""
    for (sheet, place), cell in inference.cells.items():
        if cell.item.form < 0 or cell.computed is None:
            continue
        row, col = divmod(place, WIDE)
        for down, across in ((1, 0), (0, 1)):
            others = _neighbours(inference, sheet, row, col, down, across, cell)
            if others is None:
                continue
            said = _difference(cell, others)
            if said is not None:
                yield sheet, cell, said
                break


def _neighbours(
    inference: Inference, sheet: int, row: int, col: int, down: int, across: int, cell: Cellwise
) -> Cellwise | None:
    """Return the neighbour that stands for a series: two that agree with each other and not with the cell."""

    def at(steps: int) -> Cellwise | None:
        found = inference.at(sheet, row + steps * down, col + steps * across)
        return found if found is not None and found.item.form >= 0 and found.computed is not None else None

    before, after = at(-1), at(1)
    own: Relative | None = None
    for pair, (a, b) in enumerate(((before, after), (after, at(2)), (before, at(-2)))):
        if a is not None and pair > 0 and not _built_alike(inference, a, cell):
            continue  # at an end: the first of a series may start it
        if a is None or b is None or (a.item.form == cell.item.form and a.computed == cell.computed):
            continue
        if a.item.form != b.item.form or a.context.value != b.context.value or not _alike(a, cell):
            continue
        own = own or relative(cell)
        shared = relative(a)
        if shared == relative(b) and shared != own:
            total = pair > 0 and _TOTAL.search(" ".join((cell.entity, *cell.context.texts[:3])))
            return None if total else a
    return None


def _built_alike(inference: Inference, a: Cellwise, b: Cellwise) -> bool:
    """Tell whether two formulas have the same operator or function outermost."""
    first, second = inference.tree(a.item.form), inference.tree(b.item.form)
    return type(first) is type(second) and getattr(first, "operator", "") == getattr(second, "operator", "")


def _alike(a: Cellwise, b: Cellwise) -> bool:
    """Tell whether two cells are meant to hold the same kind of figure."""
    first, second = a.context.value, b.context.value
    if first is None or second is None:
        return first is second and a.context.concept == b.context.concept
    return first.dims == second.dims and first.factor == second.factor


def _difference(cell: Cellwise, other: Cellwise) -> Said | None:
    mine, theirs = cell.computed, other.computed
    assert mine is not None
    assert theirs is not None
    label = cell.label
    if re.search(r"\b(?:qty|quantity|pcs|menge|anzahl|stück|qté|quantité)\b", " ".join(cell.context.texts), re.I):
        return None  # the lines of an offer are not a series
    if mine.known and theirs.known:
        said = _unit_difference(mine, theirs, label)
        if said is not None:
            return said
    for category, rule in KIND_RULE.items():
        a = {k for c, k in mine.kinds if c == category}
        b = {k for c, k in theirs.kinds if c == category}
        if a & {k for c, k in cell.context.kinds if c == category}:
            continue  # the row says itself that it is another kind
        if len(a) == 1 and len(b) == 1 and a != b:
            return rule, f"'{label}' takes a figure that is {a.pop()}, the cells beside it one that is {b.pop()}.", ""
    if not mine.dims and not theirs.dims and mine.parts != theirs.parts and _concepts(mine) == _upside_down(theirs):
        return "above-limit", f"'{label}' is upside down against the cells beside it.", ""
    lost = sorted(p for p in theirs.parts - mine.parts if p.removeprefix("1/") in _COUNTS)
    if lost and mine.parts < theirs.parts and not (mine.known and theirs.known and mine.dims == theirs.dims):
        rule = "user-total" if lost[0].endswith("users") else "device-scope"
        return rule, f"'{label}' leaves out the number of {lost[0].removeprefix('1/')}, unlike the cells beside it.", ""
    if ("PUE" in mine.parts) != ("PUE" in theirs.parts):
        have = "does not include" if "PUE" in theirs.parts else "includes"
        return "facility-energy", f"'{label}' {have} PUE, unlike the cells beside it.", ""
    if "kv heads" in theirs.parts and "heads" in mine.parts and "kv heads" not in mine.parts:
        return "kv-heads", f"'{label}' takes all attention heads, unlike the cells beside it.", ""
    return None


_COUNTS = frozenset(("devices", "nodes", "racks", "users", "gpus per node", "replicas"))


def _concepts(value: Value) -> frozenset[str]:
    return frozenset(p for p in value.parts if p[0] != "~")


def _upside_down(value: Value) -> frozenset[str]:
    return frozenset(p[2:] if p.startswith("1/") else "1/" + p for p in _concepts(value))


def _unit_difference(mine: Value, theirs: Value, label: str) -> Said | None:
    a, b = dict(mine.dims or ()), dict(theirs.dims or ())
    if hard(mine.dims or ()) != hard(theirs.dims or ()):
        return None  # a result against its own label says it better
    for name, rule, shown in (("device", "device-scope", "GPUs"), ("node", "device-scope", "nodes"), ("rack", "device-scope", "racks"),
                              ("user", "user-total", "users")):  # fmt: skip
        if a.get(name, 0) != b.get(name, 0):
            hours = (
                (b.get("device", 0) > 0 and b.get("time", 0) > 0)
                or (any(n.startswith("money") for n in b) and "device hours" in theirs.parts)
                or "device hours" in mine.parts - theirs.parts
            )
            if name == "device" and hours and a.get("node", 0) == b.get("node", 0):
                rule = "device-hours"
            missing = "leaves out the number of" if a.get(name, 0) < b.get(name, 0) else "multiplies by"
            return rule, f"'{label}' {missing} {shown}, unlike the cells beside it.", ""
    if a.get("token", 0) != b.get("token", 0) and any(n.startswith("money") for n in a):
        return "money-rate", f"'{label}' is {unit_text(mine)}, the cells beside it {unit_text(theirs)}.", ""
    ours, other = _scale(mine), _scale(theirs)
    if not ours or not other or abs(ours / other - 1) < 1e-6:
        return None
    seen = {p[1:] for p in mine.parts | theirs.parts if p.startswith("~")}
    names = {n for n, _ in mine.dims or ()}
    rule = ratio_rule(ours / other, names if hard(mine.dims or ()) else names | seen, mine, theirs, seen)
    if not rule:
        return None
    shown = unit_text(mine) if mine.factor != theirs.factor else ""
    unit = f" ({shown} instead of {unit_text(theirs)})" if shown else ""
    return rule, f"'{label}' is scaled by a factor of {ratio_text(ours / other)} against the cells beside it{unit}.", ""


def _scale(value: Value) -> float:
    """Return the unit that a formula's result is in, were all its bare numbers conversions."""
    product = math.prod(n for n in value.numbers if n and math.isfinite(n))
    return value.factor / product if value.factor == value.factor and product else 0.0
