"""A formula that breaks the series it stands in, in what its result means.

Filled rows and columns repeat one formula. Where a single cell differs from the neighbours that agree with each
other, its unit must still be theirs: an hour's worth among months, a figure per GPU among figures per node, a missing
"/ 1000". A formula that merely reads differently but means the same is left alone.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

from mlsim_workbooks.lint import syntax as sx
from mlsim_workbooks.lint.algebra import BUILT, Dims, Value, compare, hard, has_money, is_conversion, is_time
from mlsim_workbooks.lint.edits import Refs, edit, same
from mlsim_workbooks.lint.finding import Said
from mlsim_workbooks.lint.infer import Cellwise, Inference
from mlsim_workbooks.lint.kinds import KIND_RULE
from mlsim_workbooks.lint.labels import read_label
from mlsim_workbooks.lint.naming import ratio_rule, ratio_text, rule_of, thing, unit_text
from mlsim_workbooks.lint.scope import below_machine
from mlsim_workbooks.lint.shapes import names
from mlsim_workbooks.lint.unit_texts import unit_cell
from mlsim_workbooks.lint.vocabulary import MACHINES
from mlsim_workbooks.package import column_number, position

__all__ = ["rule_of_exchange", "rule_of_factor", "series_findings"]

_TOTAL = re.compile(
    r"\b(?:totals?|sums?|average|avg|mean|max|min|annual|yearly|years?|day|overall|fleet|all|check|delta|difference|change|ratio|best"
    r"|gesamt|summe|mittel\w*|jahr|total|somme|moyenne|année|opening|closing|fy\d*|h[12]|q[1-4]|start|end|initial)\b|ø|Σ",
    re.I,
)
_LOG = 1000  # cells that one formula was filled to: nobody retypes one of them
Relative = tuple[int, tuple[str, ...]]
_PART = re.compile(r"(\$?)([A-Z]{1,3})(\$?)(\d+)")


def relative(cell: Cellwise) -> Relative:
    """Return a formula with its references relative to its cell: equal for all cells it was filled to."""
    if cell.relative is not None:
        return cell.relative
    row, col = cell.item.row, cell.item.col

    def one(match: re.Match[str]) -> str:
        column = match[2] if match[1] else f"C{column_number(match[2]) - col}"
        return column + (match[4] if match[3] else f"R{int(match[4]) - row}")

    cell.relative = cell.item.form, tuple(_PART.sub(one, ref.upper()) for ref in cell.item.refs)
    return cell.relative


def series_findings(inference: Inference) -> Iterator[tuple[Cellwise, Said]]:
    """Yield (cell, what is said) for formulas that mean something else than their neighbours."""
    filled = Counter(c.item.form for c in inference.cells.values())
    logs = {form for form, count in filled.items() if count > _LOG}
    for cell in inference.cells.values():
        if cell.item.form < 0 or cell.computed is None:
            continue
        said = _in_another_unit(inference, cell) if cell.item.form not in logs else None
        if said is not None:
            yield cell, said
            continue
        for down, across in ((1, 0), (0, 1)):
            other, where = _neighbours(inference, cell, down, across, cell.item.form in logs)
            if other is None or (across and _is_key(inference, cell)):
                continue
            said = None
            if where == "inside" or _near_to(inference, cell, other):
                said = _difference(cell, other)
            said = said or _slip(inference, cell, other, where)
            if said is not None:
                yield cell, said
                break
        else:
            said = _of_two(inference, cell) if cell.item.form not in logs else None
            if said is not None:
                yield cell, said
    yield from _twins(inference)
    yield from _typed(inference)


def _neighbours(inference: Inference, cell: Cellwise, down: int, across: int, log: bool) -> tuple[Cellwise | None, str]:
    """Return the neighbour that stands for a series, and where the cell stands: "inside", "start" or "end".

    A series is two cells that agree with each other and not with the one between or beside them.
    """

    def at(steps: int) -> Cellwise | None:
        found = inference.near(cell, steps * down, steps * across)
        return found if found is not None and found.item.form >= 0 and found.computed is not None else None

    before, after = at(-1), at(1)
    own: Relative | None = None
    for where, a, b in (("inside", before, after), ("start", after, at(2)), ("end", before, at(-2))):
        if (
            a is not None
            and where != "inside"
            and not _built_alike(inference, a, cell, bool(down))
            and not _copies_factor(inference, cell, a)
            and not _differs_by_number(inference, cell, a)
        ):
            continue  # at an end: the first of a series may start it
        if a is None or b is None:
            continue
        same = a.item.form == cell.item.form and a.computed == cell.computed
        if same and (log or not (_in_own_line(cell, a) or _swapped(cell, a) or _of_another_kind(inference, cell, a))):
            continue
        alike = a.context.value == b.context.value or (
            _alike(a, b) and ((a.context.headed and b.context.headed and _agrees(a)) or (across and _one_row(a, b)))
        )
        if a.item.form != b.item.form or not alike or not _alike(a, cell):
            continue
        own = own or relative(cell)
        shared = relative(a)
        if any((c := at(steps)) is not None and relative(c) == own for steps in (-2, 2)):
            continue  # two formulas by turns: depthwise and pointwise layers
        named = bool(across) and _one_row(a, cell)
        if where != "inside" and not named and not _taken(inference, cell) & _taken(inference, a):
            continue  # nothing in common: another line of a list
        if shared == relative(b) and shared != own:
            total = _closes(cell, a)
            return (None if total else a), where
    return None, ""


def _is_key(inference: Inference, cell: Cellwise) -> bool:
    """Tell whether a cell begins its row with a figure of another table, by which that row is known."""
    first = inference.book.grids[cell.sheet].rows[cell.item.row][0]
    return cell.item is first and isinstance(inference.tree(cell.item.form), sx.Ref)


def _taken(inference: Inference, cell: Cellwise) -> set[str]:
    """Return the names that a formula takes, and its cells relative to its own."""
    return names(inference.tree(cell.item.form)).union(relative(cell)[1])


def _closes(cell: Cellwise, other: Cellwise) -> bool:
    """Tell whether a cell is the total of its line by its own header, unless the ones beside it say the same: Q3, Q4."""

    def said(one: Cellwise, beside: Cellwise) -> set[str]:
        own = [t for t in one.context.texts[:3] if t not in beside.context.texts]  # not the header of all
        return {w.lower().rstrip("0123456789") for t in (one.entity, *own) for w in _TOTAL.findall(t)}

    mine = said(cell, other)
    return bool(mine) and mine != said(other, cell)


def _near_to(inference: Inference, cell: Cellwise, other: Cellwise) -> bool:
    """Tell whether two formulas share most of their cells; at its end, a list may go on with another thing."""
    mine, theirs = _taken(inference, cell), _taken(inference, other)
    common, fewer = len(mine & theirs) * 2, min(len(mine), len(theirs))
    return common > fewer or (common == fewer and cell.item.row == other.item.row and _one_row(cell, other))


def _in_another_unit(inference: Inference, cell: Cellwise) -> Said | None:
    """One cell of a filled line whose format states another unit than those of the cells beside it: GiB among GB."""
    value = cell.context.value
    if value is None or not cell.context.explicit or cell.context.headed or not hard(value.dims or ()):
        return None
    own = relative(cell)
    for down, across in ((1, 0), (0, 1)):
        for steps in ((-1, 1), (1, 2), (-1, -2)):
            beside = [inference.near(cell, s * down, s * across) for s in steps]
            units = {c.context.value for c in beside if c is not None and c.item.form >= 0 and relative(c) == own}
            if len(units) != 1 or any(c is None or relative(c) != own or c.context.headed for c in beside):
                continue
            across_it = (inference.near(cell, s * across, s * down) for s in (-1, 1))
            if any(c is not None and c.context.value == value for c in across_it):
                continue  # all of its line is in this unit
            due = units.pop()
            mismatch = compare(value, due) if due is not None and due.known and value.known else None
            if due is not None and mismatch is not None and not mismatch.dims and not mismatch.periods[0]:
                rule = rule_of(mismatch, value, due) or "unit-contradiction"
                return (
                    rule,
                    f"'{cell.label}' is in {value.text}, the cells beside it, with the same formula, in {due.text}.",
                    "",
                )
    return None


def _of_two(inference: Inference, cell: Cellwise) -> Said | None:
    """Two cases of one quantity side by side, of which one leaves out what the other has from its own column."""
    near = [
        c
        for step in (-3, -2, -1, 1, 2, 3)
        if (c := inference.near(cell, 0, step)) is not None and c.item.form >= 0 and c.computed is not None
    ]
    if len(near) != 1 or not _one_row(near[0], cell) or not _alike(near[0], cell):
        return None
    if cell.computed is not None and cell.computed.dims is None and not (cell.computed.parts or cell.context.value):
        return None  # the texts beside the figures, perhaps
    other = near[0]
    mine, theirs = inference.tree(cell.item.form), inference.tree(other.item.form)
    if mine is None or theirs is None or not isinstance(theirs, sx.Binary) or theirs.operator not in "+-*/":
        return None
    if isinstance(mine, sx.Ref) and below_machine(cell):
        return None  # of the host, as the header of its column says
    if (said := _unlike_its_twin(cell, other)) is not None:
        return said
    found = edit(mine, _own_refs(cell, other), theirs, _own_refs(other, cell))
    if found is None or found.turned or found.gained or len(found.lost) != 1:
        return None
    lost = _operand(inference, other, found.lost[0])
    rule = ""
    if isinstance(lost, Cellwise):
        rule = _rule_of_lost(inference, cell, other, lost)
    elif isinstance(lost, float) and not _in_other_units(inference, cell, other, lost):
        rule = _rule_of_number(cell, other, lost)
    return (rule, f"'{cell.label}' leaves out {_called(lost)}, unlike the cell beside it.", "") if rule else None


def _rule_of_lost(inference: Inference, cell: Cellwise, other: Cellwise, lost: Cellwise) -> str:
    """Return the rule that leaving out a figure of the other case breaks, or one that both cases have; "" for anything else."""
    own_column = lost.sheet == cell.sheet and lost.item.col == other.item.col
    twin = inference.at(cell.sheet, lost.item.row, cell.item.col) if own_column else None
    rule = rule_of_factor(lost)
    if twin is None:
        return rule if rule in _OF_BOTH else ""
    return (rule or "dimension") if _one_row(twin, lost) else ""


_OF_BOTH = frozenset(
    ("facility-energy", "device-scope", "params-bytes")
)  # what leaving out one figure for all cases breaks


def _own_refs(cell: Cellwise, other: Cellwise) -> tuple[str, ...]:
    """Return the references of a formula relative to its cell, those that both formulas have as they are."""
    both = {ref.replace("$", "").upper() for ref in other.item.refs}
    plain = (ref.replace("$", "").upper() for ref in cell.item.refs)
    return tuple(p if p in both else own for p, own in zip(plain, relative(cell)[1], strict=True))


def _unlike_its_twin(cell: Cellwise, other: Cellwise) -> Said | None:
    """One of two cases that gives another unit than its row states, where the other one agrees with it."""
    stated, mine, theirs = cell.context.value, cell.computed, other.computed
    if (
        stated is None
        or mine is None
        or theirs is None
        or not cell.context.explicit
        or relative(cell) == relative(other)
    ):
        return None
    if (
        stated.factor != stated.factor
        or not (mine.known and theirs.known)
        or hard(mine.dims or ()) != hard(theirs.dims or ())
    ):
        return None
    each, due = dict(mine.dims or ()), dict(theirs.dims or ())
    for name in ("device", "node", "user"):
        if each.get(name, 0) < 0 and not due.get(name) and not dict(stated.dims or ()).get(name):
            rule = "user-total" if name == "user" else "device-scope"
            return rule, f"'{cell.label}' is a figure per {thing(name)}, unlike the cell beside it.", ""
    ours, other_scale = _scale(mine), _scale(theirs)
    if not ours or not other_scale or mine.dims != theirs.dims or abs(other_scale / stated.factor - 1) > 1e-6:
        return None
    rule = _rule_of_number(cell, other, ours / other_scale) if abs(ours / other_scale - 1) > 1e-6 else ""
    shown = ratio_text(ours / other_scale)
    return (rule, f"'{cell.label}' is off by a factor of {shown}, unlike the cell beside it.", "") if rule else None


def _one_row(a: Cellwise, b: Cellwise) -> bool:
    """Tell whether two cells of a row are the same quantity of two cases."""
    first, second = _quantity(a), _quantity(b)
    return bool(first) and first == second


def _quantity(cell: Cellwise) -> str:
    """Return the label of a row, where the headers above it name cases only."""
    headed = any(read_label(t).says_something or read_label(t).kinds for t in cell.context.texts)
    return cell.entity if cell.entity and not headed else "".join(cell.context.texts[:1])


def _copies_factor(inference: Inference, cell: Cellwise, other: Cellwise) -> bool:
    """Tell whether a formula passes on what the one beside it multiplies with something of its own row or column."""
    mine, theirs = inference.tree(cell.item.form), inference.tree(other.item.form)
    if not isinstance(mine, sx.Ref) or not isinstance(theirs, sx.Binary) or theirs.operator not in "*/":
        return False
    factors = relative(other)[1]
    axis, line = (1, other.item.col) if cell.item.row == other.item.row else (0, other.item.row)
    own = all(position(ref)[axis] == line for ref in other.item.refs if "$" not in ref and ":" not in ref)
    return own and relative(cell)[1][0] in factors


def _swapped(a: Cellwise, b: Cellwise) -> bool:
    """Tell whether two formulas of one form have the same cells in another order: B2/C2 and C3/B3."""
    first, second = relative(a)[1], relative(b)[1]
    return first != second and sorted(first) == sorted(second)


def _of_another_kind(inference: Inference, a: Cellwise, b: Cellwise) -> bool:
    """Tell whether two formulas of one form differ in one cell, and these are of two kinds: a peak in BF16, one in FP32."""
    if [x for x, y in zip(relative(a)[1], relative(b)[1], strict=True) if x != y] == []:
        return False
    tree = inference.tree(a.item.form)
    found = edit(tree, relative(a)[1], tree, relative(b)[1]) if tree is not None else None
    if found is None or len(found.lost) != 1 or len(found.gained) != 1:
        return False
    pair = inference.cell_of(b, found.lost[0]), inference.cell_of(a, found.gained[0])
    if pair[0] is None or pair[1] is None or "$" not in a.item.refs[getattr(found.gained[0], "mark", 0)]:
        return False
    kinds = [{k for k in c.context.kinds if k[0] in KIND_RULE} for c in pair if c is not None]
    return (
        bool(kinds[0])
        and bool(kinds[1])
        and {c for c, _ in kinds[0]} == {c for c, _ in kinds[1]}
        and kinds[0] != kinds[1]
    )


def _in_own_line(a: Cellwise, b: Cellwise) -> bool:
    """Tell whether two formulas of one form differ only in cells of their own row or column."""
    differ = [
        (x, y) for x, y, p, q in zip(a.item.refs, b.item.refs, relative(a)[1], relative(b)[1], strict=True) if p != q
    ]
    return len(differ) == 1 and "$" not in "".join(differ[0]) and all(
        ":" not in ref and (position(ref)[1] == c.item.col if a.item.row == b.item.row else position(ref)[0] == c.item.row)
        for ref, c in zip(differ[0], (a, b), strict=True)
    )  # fmt: skip


def _built_alike(inference: Inference, a: Cellwise, b: Cellwise, products: bool) -> bool:
    """Tell whether two formulas are built alike: outermost the same operator or function, or both ``products``."""
    first, second = inference.tree(a.item.form), inference.tree(b.item.form)
    if products and isinstance(first, sx.Binary) and isinstance(second, sx.Binary) and first.operator in "*/":
        return second.operator in ("*", "/")
    return type(first) is type(second) and getattr(first, "operator", "") == getattr(second, "operator", "")


def _differs_by_number(inference: Inference, a: Cellwise, b: Cellwise) -> bool:
    """Tell whether two products are the same but for a number."""
    first, second = inference.tree(a.item.form), inference.tree(b.item.form)
    if (
        not all(isinstance(t, sx.Binary) and t.operator in "*/" for t in (first, second))
        or first is None
        or second is None
    ):
        return False
    found = edit(first, relative(a)[1], second, relative(b)[1])
    return found is not None and all(isinstance(n, sx.Number) for n in (*found.lost, *found.gained))


def _agrees(cell: Cellwise) -> bool:
    """Tell whether a formula gives what its cell says."""
    stated, computed = cell.context.value, cell.computed
    if stated is None or computed is None or not computed.known:
        return False
    return hard(computed.dims or ()) == hard(stated.dims or ())


def _right(cell: Cellwise) -> bool:
    """Tell whether a formula of known bytes gives just the unit that its cell states."""
    stated, computed = cell.context.value, cell.computed
    if stated is None or computed is None or not cell.context.explicit or stated.dims != (("information", 1.0),):
        return False
    return computed.known and stated.known and compare(computed, stated) is None


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
        if category == "precision" and _OF_ITS_FORMAT.search(cell.words):
            continue  # each model has its own
        if len(a) == 1 and len(b) == 1 and a != b:
            return rule, f"'{label}' takes a figure that is {a.pop()}, the cells beside it one that is {b.pop()}.", ""
    if (
        not mine.dims
        and not theirs.dims
        and _concepts(mine)
        and _concepts(mine) == _upside_down(theirs) != _concepts(theirs)
    ):
        return "above-limit", f"'{label}' is upside down against the cells beside it.", ""
    lost = sorted(p for p in theirs.parts - mine.parts if p.removeprefix("1/") in MACHINES | {"users"})
    if (
        lost
        and mine.parts
        and mine.parts < theirs.parts
        and not (mine.known and theirs.known and mine.dims == theirs.dims)
    ):
        rule = "user-total" if lost[0].endswith("users") else "device-scope"
        return rule, f"'{label}' leaves out the number of {lost[0].removeprefix('1/')}, unlike the cells beside it.", ""
    if mine.parts and ("PUE" in mine.parts) != ("PUE" in theirs.parts):
        have = "does not include" if "PUE" in theirs.parts else "includes"
        return "facility-energy", f"'{label}' {have} PUE, unlike the cells beside it.", ""
    if "kv heads" in theirs.parts and "heads" in mine.parts and "kv heads" not in mine.parts:
        return "kv-heads", f"'{label}' takes all attention heads, unlike the cells beside it.", ""
    return None


_OF_ITS_FORMAT = re.compile(r"\b(?:in|of|at|for) (?:its|the|that|this|each) (?:\w+ )?(?:format|precision)\b", re.I)


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
        if name == "device" and 8.0 in mine.numbers and 8.0 not in theirs.numbers:
            continue  # the GPUs of a node, as a number
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
    if any(re.search(rf"(?<![\d.,]){100 * n:g} ?%", label) for n in mine.numbers if 0 < n < 1):
        return None  # "Cash discount 2 %", below the 19 % of the tax
    seen = {p[1:] for p in mine.parts | theirs.parts if p.startswith("~")}
    bases = {n for n, _ in mine.dims or ()}
    rule = ratio_rule(ours / other, bases if hard(mine.dims or ()) else bases | seen, mine, theirs, seen)
    if not rule:
        return None
    shown = unit_text(mine) if mine.factor != theirs.factor else ""
    unit = f" ({shown} instead of {unit_text(theirs)})" if shown else ""
    return rule, f"'{label}' is scaled by a factor of {ratio_text(ours / other)} against the cells beside it{unit}.", ""


def _scale(value: Value) -> float:
    """Return the unit that a formula's result is in, were all its bare numbers conversions."""
    product = math.prod(n for n in value.numbers if n and math.isfinite(n))
    return value.factor / product if value.factor == value.factor and product else 0.0


# --- one slip ----------------------------------------------------------------------------------------------------------


def _slip(inference: Inference, cell: Cellwise, other: Cellwise, where: str) -> Said | None:
    """A formula that is its neighbours' but for one factor, or for one cell that means something else."""
    mine, theirs = inference.tree(cell.item.form), inference.tree(other.item.form)
    if mine is None or theirs is None or (isinstance(mine, sx.Ref) and isinstance(theirs, sx.Ref)):
        return None
    found = edit(mine, relative(cell)[1], theirs, relative(other)[1])
    if found is None and where == "inside" and cell.item.form == other.item.form and _swapped(cell, other):
        return _crossed(cell, other, mine, theirs)
    if found is None or (found.of == "+" and where != "inside"):
        return None  # a sum at an end may start or close its line
    if found.of == "+" and not found.lost and isinstance(theirs, sx.Ref):
        return None  # what is added in one month of a series
    lost = [_operand(inference, other, n) for n in found.lost]
    took = [_operand(inference, cell, n) for n in found.gained]
    if found.turned and isinstance(mine, sx.Binary) and mine.operator == "+":
        return "dimension", f"'{cell.label}' adds what the cells beside it multiply.", ""
    if found.turned:
        rule = next((r for o in lost if not isinstance(o, float) and (r := rule_of_factor(o))), "dimension")
        what = " and ".join(_called(o) for o in lost)
        multiplies = "multiplies by" if _divides(theirs, found.lost[0]) else "divides by"
        return rule, f"'{cell.label}' {multiplies} {what}, the other way round than the cells beside it.", ""
    certain = where == "inside" or _many_agree(inference, cell, other)
    if lost and took:
        begins = where == "start" and _begins(cell, other, lost[0], took[0])
        begins = begins and not (certain and _has_its_own(inference, cell, other, lost[0]))
        if begins or (where != "inside" and _of_another_unit(inference, cell, other)):
            return None
        if where == "end" and _of_so_many(inference, cell, other, lost[0], took[0]):
            return None
        return _exchanged(cell, other, lost[0], took[0], where, certain)
    operands = lost or took
    if sum(isinstance(o, float) for o in operands) == len(operands) > 1:
        return None
    if all(isinstance(o, float) for o in operands) and _another_line(inference, cell, other):
        return None
    rule = next((r for o in operands if not isinstance(o, float) and (r := rule_of_factor(o))), "")
    rule = rule or next((r for o in operands if isinstance(o, float) and (r := _rule_of_number(cell, other, o))), "")
    if not rule and certain and len(operands) == 1 and isinstance(operands[0], float):
        rule = _rule_of_count(cell, other, operands[0]) or ("dimension" if where == "inside" else "")
    product = all(not isinstance(t, sx.Binary) or t.operator in "*/" for t in (mine, theirs))
    if (
        not rule
        and product
        and found.of == "*"
        and len(operands) == 1
        and isinstance(operands[0], Cellwise)
        and operands[0].label
    ):
        rule = "dimension"
    if not rule or any(o is None for o in operands):
        return None
    if took and any(isinstance(o, Cellwise) and o.context.concept == "exchange rate" for o in took):
        return None  # the one offer in dollars
    what = " and ".join(_called(o) for o in operands)
    return rule, f"'{cell.label}' {'leaves out' if lost else 'takes in'} {what}, unlike the cells beside it.", ""


def _of_so_many(inference: Inference, cell: Cellwise, other: Cellwise, due: _Operand, took: _Operand) -> bool:
    """Tell whether a cell closes its line with a number for all of them: 36 months behind three years of 12."""
    if not isinstance(due, float) or not isinstance(took, float) or not due:
        return False
    down, across = other.item.row - cell.item.row, other.item.col - cell.item.col
    shared, count = relative(other), 1
    while (one := inference.near(cell, (count + 1) * down, (count + 1) * across)) is not None and (
        one.item.form >= 0 and relative(one) == shared
    ):
        count += 1
    return count > 1 and took == count * due


def _crossed(cell: Cellwise, other: Cellwise, mine: sx.Node, theirs: sx.Node) -> Said | None:
    """The cells of the neighbours' formulas, put together in other pairs: input tokens times the price of output."""
    if same(mine, relative(cell)[1], theirs, relative(other)[1]):
        return None
    tokens = {k for v in (cell.computed, other.computed) if v is not None for c, k in v.kinds if c == "token"}
    rule = "token-direction" if len(tokens) > 1 else "dimension"
    return rule, f"'{cell.label}' takes the same cells as those beside it, in another order.", ""


def _another_line(inference: Inference, cell: Cellwise, other: Cellwise) -> bool:
    """Tell whether two rows of a list have units of their own in a column, or a currency: requests by the thousand."""
    if cell.item.col != other.item.col:
        return False
    rows = inference.book.grids[cell.sheet].rows
    mine, theirs = (
        {i.col: i.value for i in rows.get(c.item.row, ()) if isinstance(i.value, str)} for c in (cell, other)
    )
    return any(
        text != theirs.get(col, text) and (unit_cell(text) is not None or _A_THOUSAND.match(text))
        for col, text in mine.items()
    )


_A_THOUSAND = re.compile(r"1[.,  ]?000 ")


def _many_agree(inference: Inference, cell: Cellwise, other: Cellwise) -> bool:
    """Tell whether three cells in a row, or all of a line, agree with the one beside another."""
    down, across = other.item.row - cell.item.row, other.item.col - cell.item.col
    shared = relative(other)
    second, third = (inference.near(cell, s * down, s * across) for s in (2, 3))
    if second is None or second.item.form < 0 or relative(second) != shared:
        return False
    tree = inference.tree(third.item.form) if third is not None and third.item.form >= 0 else None
    closed = isinstance(tree, sx.Call) and tree.name == "SUM"  # all that there are
    return closed or (third is not None and third.item.form >= 0 and relative(third) == shared)


def _rule_of_count(cell: Cellwise, other: Cellwise, number: float) -> str:
    """Return the rule that leaving out a small whole number breaks: 8 GPUs, 2 bytes, 3 months."""
    words, mine = cell.words, cell.value
    dims = {n for v in (mine, other.computed or mine) for n, _ in v.dims or ()}
    if number in (2.0, 4.0) and "parameter" in dims:
        return "params-bytes"
    if number in (4.0, 8.0, 16.0, 72.0) and ("device" in dims or _GPUS.search(words)):
        return "device-scope"
    if number in (2.0, 3.0, 4.0, 6.0) and (mine.kind("period") or (other.computed and other.computed.kind("period"))):
        return "calendar"
    return ""


_GPUS = re.compile(r"\bgpus?\b|cards|karten|cartes|accelerators", re.I)


def _divides(tree: sx.Node, factor: sx.Node) -> bool:
    """Tell whether a factor of a product stands below the line."""
    match tree:
        case sx.Binary(operator="*", left=left, right=right):
            return _divides(left, factor) or _divides(right, factor)
        case sx.Binary(operator="/", left=left, right=right):
            return _divides(left, factor) or right is factor or not _divides(right, factor)
    return False


_Operand = Cellwise | float | None


def _operand(inference: Inference, cell: Cellwise, node: sx.Node) -> _Operand:
    """Return the number or the cell that a formula uses; for a lookup, the first cell that it may find."""
    while isinstance(node, sx.Call) and node.name in ("INDEX", "XLOOKUP") and node.args:
        at = node.args[0 if node.name == "INDEX" else -1]
        if not isinstance(at, sx.Area) or at.kind != "ref":
            return None
        node = sx.Ref(at.first, at.sheet)
    if isinstance(node, sx.Number):
        return node.value
    return inference.cell_of(cell, node)


def _begins(cell: Cellwise, other: Cellwise, due: _Operand, took: _Operand) -> bool:
    """Tell whether a series starts from elsewhere where the next ones go on from the one before."""
    if not isinstance(due, Cellwise) or not isinstance(took, Cellwise):
        return isinstance(due, Cellwise) or isinstance(took, Cellwise)
    down = other.item.row != cell.item.row
    before = due.item.row == cell.item.row if down else due.item.col == cell.item.col
    return before or not _in_line(cell, took)


def _of_another_unit(inference: Inference, cell: Cellwise, other: Cellwise) -> bool:
    """Tell whether the line above a formula has another unit there than beside it: service units after hours."""
    for (s, _), used in inference.uses(cell).items():
        if s != cell.sheet or used.item.col != cell.item.col or cell.item.row != other.item.row:
            continue
        beside = inference.at(cell.sheet, used.item.row, other.item.col)
        if beside is not None and used.value.dims != beside.value.dims:
            return True
    return False


def _has_its_own(inference: Inference, cell: Cellwise, other: Cellwise, due: _Operand) -> bool:
    """Tell whether a cell has a figure of its own line for what the cells beside it take of theirs."""
    if not isinstance(due, Cellwise) or due.sheet != cell.sheet:
        return False
    if cell.item.row == other.item.row:
        twin = inference.at(cell.sheet, due.item.row, cell.item.col) if due.item.col == other.item.col else None
        return twin is not None and _one_row(twin, due)
    twin = inference.at(cell.sheet, cell.item.row, due.item.col) if due.item.row == other.item.row else None
    return twin is not None and twin.value.dims == due.value.dims


def _in_line(cell: Cellwise, operand: Cellwise) -> bool:
    """Tell whether a cell stands in the row or the column of the one that takes it."""
    return cell.item.row == operand.item.row or cell.item.col == operand.item.col


def _called(operand: _Operand) -> str:
    if isinstance(operand, float):
        return f"{operand:g}"
    return f"'{operand.label}'" if operand is not None else "a cell"


_RULE_OF_CONCEPT = {
    "devices": "device-scope", "nodes": "device-scope", "racks": "device-scope", "replicas": "device-scope",
    "gpus per node": "device-scope", "users": "user-total", "requests": "user-total", "PUE": "facility-energy",
    "exchange rate": "currency", "bytes each": "params-bytes", "bits each": "params-bytes", "kv pair": "kv-factor",
    "active parameters": "active-params", "hours": "calendar", "device hours": "device-hours",
}  # fmt: skip


def rule_of_factor(cell: Cellwise | None) -> str:
    """Return the rule that leaving a factor out breaks, "" where nothing tells what it is."""
    if cell is None:
        return ""
    concept, dims = cell.context.concept, dict(cell.value.dims or ())
    if concept in _RULE_OF_CONCEPT:
        return _RULE_OF_CONCEPT[concept]
    core = dict(hard(cell.value.dims or ()))
    if set(core) == {"time"}:
        return "calendar" if cell.value.factor >= 3600.0 or cell.value.factor != cell.value.factor else "time-scale"
    if has_money(cell.value):
        return "currency" if len(core) == 2 and sum(core.values()) == 0.0 else "money-rate"
    if not core and any(n in ("device", "node", "rack") for n in dims):
        return "device-scope"
    if not core and "user" in dims:
        return "user-total"
    return "dimension" if cell.context.explicit or concept else ""


_FLOP = re.compile(r"\b[kMGTPE]?FLOPs?\b(?!/s)")


def _rule_of_number(cell: Cellwise, other: Cellwise, ratio: float) -> str:
    """Return the rule that a factor too many or too few breaks."""
    if is_time(ratio):
        return "calendar"
    ratio = ratio if ratio >= 1.0 or is_conversion(ratio) else 1.0 / ratio
    if not is_conversion(ratio) and ratio not in (2.0, 8.0, 100.0):
        return ""
    used = {p for v in (cell.computed, other.computed) for p in (v.parts if v is not None else ())}
    if ratio == 8.0 and "~information" in used:
        return "bits-bytes"
    if ratio == 2.0 and ("MACs" in used or _FLOP.search(cell.words)):
        return "mac-flop"
    if ratio == 2.0 and cell.context.concept == "kv cache":
        return "kv-factor"
    if ratio == 2.0 and any(v.kind("trip") for v in (cell.computed, other.computed) if v is not None):
        return "round-trip"
    direction = dict(cell.context.kinds).get("direction")
    if (
        ratio == 2.0
        and "~information" in used
        and direction
        and direction == dict(other.context.kinds).get("direction")
    ):
        return "link-direction"
    mine, theirs = cell.value, other.value
    seen = {p[1:] for v in (cell.computed, other.computed) for p in (v.parts if v else ()) if p.startswith("~")}
    return ratio_rule(ratio, {n for v in (mine, theirs) for n, _ in v.dims or ()}, mine, theirs, seen)


_FORMAT = re.compile(r"\b(?:bf|fp|int|nf|mxfp)\d+", re.I)


def _exchanged(
    cell: Cellwise, other: Cellwise, due: _Operand, took: _Operand, where: str, certain: bool
) -> Said | None:
    """Another cell, or another number, where the neighbours' formulas have theirs."""
    if due is None or took is None:
        return None
    cells = isinstance(due, Cellwise) and isinstance(took, Cellwise)
    if not certain and cells and _agrees(cell) and _core(due) != _core(took):
        return None  # the next line of a bill, of another kind, and right
    rule = ""
    if isinstance(due, float) and isinstance(took, float):
        if due and abs(took / due - 1) < 0.15:
            return None  # the hours of a leap year, the days of February
        if is_conversion(due) and is_conversion(took) and _right(cell):
            return None  # the one row in megabytes
        if {due, took} <= {0.5, 1.0, 2.0, 4.0} and _FORMAT.findall(cell.words) != _FORMAT.findall(other.words):
            return None  # the bytes of another format, as its header says
        times = is_time(due) and (is_time(took) or certain)
        times |= certain and _rule_of_count(cell, other, due) == "calendar"
        rule = "calendar" if times else _rule_of_number(cell, other, due / took) if due and took else ""
        if (
            not rule
            and certain
            and due
            and took / due in (0.25, 0.5, 2.0, 4.0)
            and cell.value.dims == (("information", 1.0),)
        ):
            rule = "params-bytes"
    elif isinstance(due, float):
        return None
    elif isinstance(took, float):
        rule = rule_of_factor(due) or ("" if where != "inside" else "calendar" if is_time(took) else "dimension")
    else:
        if due.context == took.context or _says_so(cell, other, due, took):
            return None
        rule = rule_of_exchange(due, took) or "dimension"
    if not rule:
        return None
    return rule, f"'{cell.label}' takes {_called(took)}, the cells beside it {_called(due)}.", ""


def _core(operand: _Operand) -> Dims:
    return hard(operand.value.dims or ()) if isinstance(operand, Cellwise) else ()


def _says_so(cell: Cellwise, other: Cellwise, due: Cellwise, took: Cellwise) -> bool:
    """Tell whether a cell's own label says why it takes another cell: "fp32" of a peak."""
    own = _words(cell) - _words(other)
    return not _in_line(cell, took) and bool(own & (_words(took) - _words(due)))


def _words(cell: Cellwise) -> set[str]:
    return set(re.findall(r"[^\W_]+", cell.words.casefold()))


def rule_of_exchange(due: Cellwise, took: Cellwise) -> str:
    """Return the rule that taking one cell for another breaks, "" where nothing tells."""
    for category, rule in KIND_RULE.items():
        a, b = ({k for c, k in x.value.kinds | x.context.kinds if c == category} for x in (due, took))
        if a and b and a != b:
            return rule
    pair = {due.context.concept, took.context.concept}
    if pair == {"parameters", "active parameters"}:
        return "active-params"
    if pair == {"heads", "kv heads"}:
        return "kv-heads"
    if due.value.kind("period") != took.value.kind("period"):
        return "calendar"
    wanted, got = dict(due.value.dims or ()), dict(took.value.dims or ())
    if took.value.known and any(wanted.get(n) != got.get(n) for n in BUILT):
        return "device-hours" if wanted.get("time") == got.get("time") == 1.0 else "device-scope"
    if wanted.get("user") != got.get("user") or pair == {"users"}:
        return "user-total"
    if due.value == took.value and due.context.concept == took.context.concept:
        return ""
    mismatch = compare(took.value, due.value)
    if mismatch is not None and (rule := rule_of(mismatch, took.value, due.value)):
        return rule
    return rule_of_factor(due)


# --- one formula under two labels --------------------------------------------------------------------------------------


def _in_other_units(inference: Inference, cell: Cellwise, other: Cellwise, factor: float) -> bool:
    """Tell whether two cases take one quantity in units that are that factor apart: kW of a rack, MW of a hall."""
    mine, theirs = ({c.item.row: c.value for c in inference.uses(x).values()} for x in (cell, other))
    apart = [
        mine[r].factor / theirs[r].factor
        for r in mine.keys() & theirs.keys()
        if hard(mine[r].dims or ()) == hard(theirs[r].dims or ())
    ]
    return any(abs(x / f - 1) < 1e-9 for x in apart for f in (factor, 1 / factor))


def _twins(inference: Inference) -> Iterator[tuple[Cellwise, Said]]:
    """Two cells with the same formula, of which one label says "per user" and the other "replica"."""
    written: dict[tuple[int, int, Refs], Cellwise] = {}
    for (sheet, _), cell in inference.cells.items():
        if cell.item.form < 0 or not cell.context.explicit or not (mine := _scope_of(cell.words)):
            continue
        if not isinstance(inference.tree(cell.item.form), sx.Binary):
            continue
        key = sheet, cell.item.form, tuple(ref.replace("$", "") for ref in cell.item.refs)
        other = written.setdefault(key, cell)
        theirs = _scope_of(other.words)
        if mine != theirs and cell.item.refs and cell.context.texts[:1] != other.context.texts[:1]:
            rule = "user-total" if "user" in (mine, theirs) else "device-scope"
            yield cell, (rule, f"'{cell.label}' and '{other.label}' have the same formula.", "")


_SCOPE = re.compile(r"\b(user|request|gpu|card|node|server|replica|rack|cluster|fleet)\b", re.I)


@lru_cache(maxsize=4096)
def _scope_of(words: str) -> str:
    """Return the one thing that a label says its figure is of: user, GPU, replica."""
    found = {w.lower() for w in _SCOPE.findall(words)}
    return found.pop() if len(found) == 1 else ""


# --- typed numbers -----------------------------------------------------------------------------------------------------


def _typed(inference: Inference) -> Iterator[tuple[Cellwise, Said]]:
    """A typed number in the unit of nobody else: 184 days where all the other lines have 4,416 hours."""
    lines: dict[tuple[int, object], list[Cellwise]] = {}
    for cell in inference.cells.values():
        if cell.item.form >= 0 or not isinstance(cell.item.value, float) or not cell.context.explicit:
            continue
        for line in (("column", cell.item.col), ("row", cell.item.row)):
            lines.setdefault((cell.sheet, (line, cell.context.texts[:1], cell.value)), []).append(cell)
    for cells in lines.values():
        if not 3 <= len(cells) <= _LINE:
            continue
        values = Counter(c.item.value for c in cells)
        (usual, times), *others = values.most_common()
        if times < len(cells) - 1 or not others or not isinstance(usual, float):
            continue
        odd = next(c for c in cells if c.item.value != usual)
        if usual and odd.item.value and (rule := _rule_of_typed(odd, float(odd.item.value or 0.0) / usual)):
            yield odd, (rule, f"'{odd.label}' is {odd.item.value:g}, all the others are {usual:g}: another unit.", "")


_LINE = 60  # cells: what is longer is a log


def _rule_of_typed(cell: Cellwise, ratio: float) -> str:
    """Return the rule that a number in another unit breaks."""
    if not hard(cell.value.dims or ()) and (cell.value.text != "%" or cell.context.percent):
        return ""  # 1 %, formatted so, among 100 %
    big = max(ratio, 1 / ratio)
    if not (is_time(big) or is_conversion(big) or big in (8.0, 100.0)) or big in (7.0, 28.0, 31.0):
        return ""
    return ratio_rule(ratio, {n for n, _ in cell.value.dims or ()}, cell.value, cell.value)
