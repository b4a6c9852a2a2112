"""Rules about statistics: means, percentiles and maxima that stand for one another."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlsim_workbooks.lint import syntax as sx
from mlsim_workbooks.lint.algebra import Value, counts_something, hard, only_conversions
from mlsim_workbooks.lint.finding import Said
from mlsim_workbooks.lint.infer import Cellwise, Inference
from mlsim_workbooks.lint.shapes import is_copied, is_quotient, picks_one, summands
from mlsim_workbooks.lint.vocabulary import KINDS
from mlsim_workbooks.package import position

__all__ = ["statistic_rules"]


def statistic_rules(inference: Inference, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """Compare the statistics of what a formula takes with the one that its cell states."""
    yield from _another_statistic(cell, tree)
    yield from _mean_of_peak(inference, cell)


def _another_statistic(cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """A mean from a percentile, a percentile from means, the greatest of a range as its mean."""
    computed, context = cell.computed, cell.context
    assert computed is not None
    label, words = cell.label, cell.words
    statistics, due = {k for c, k in computed.kinds if c == "statistic"}, dict(context.kinds).get("statistic", "")
    if re.search(r"\bp\d\d (?:over|to|/|vs\.?) ", words, re.I) and statistics <= _statistics(words):
        return  # "p99 over median"
    dims = hard(context.value.dims or ()) if context.value is not None else ()
    tails = sorted(k for k in statistics if k.startswith("p9"))
    headed = len(context.texts) > 1  # "reserve", below "mean": what a limit leaves
    said = ""
    if due in ("mean", "p50") and tails and not (headed and isinstance(tree, sx.Binary) and tree.operator == "-"):
        said = f"'{label}' is a {due}, but the formula takes a {tails[0]}."
    elif due in _TAILS and statistics == {"mean"} and _adds_legs(tree, computed) and not _MEAN.search(words):
        said = f"'{label}' is a {due}, but the formula adds up means."
    elif due in _TAILS and "mean" in statistics and not dims and not _MEAN.search(words) and not _distributed(tree):
        said = f"'{label}' is a {due}, but the formula takes a mean too."
    elif not due and len(statistics) == 2 and len(named := _statistics(words)) == 2 and named != statistics:
        said = f"'{label}' compares {' and '.join(sorted(named))}, the formula {' and '.join(sorted(statistics))}."
    elif due == "mean" and (taken := _taken(tree)) not in ("", "mean") and not _of_means(cell, tree):
        said = f"'{label}' is a {due}, but the formula takes the {taken} of a range."
    elif (
        due and statistics and due not in statistics and not _distributed(tree) and (is_copied(tree) or picks_one(tree))
    ):
        said = f"'{label}' is a {due}, but the formula takes a {statistics.pop()}."
    if said:
        yield "statistic-mix", said, ""


def _adds_legs(tree: sx.Node, computed: Value) -> bool:
    """Tell whether a formula adds up cells, some of them twice, and does nothing else."""
    sum_of_some = isinstance(tree, sx.Binary) and tree.operator == "+"
    return sum_of_some and set(computed.numbers) <= {2.0} and all(map(_is_leg, summands(tree)))


def _of_means(cell: Cellwise, tree: sx.Node) -> bool:
    """Tell whether the greatest or the least of a range may be what a label of a mean is about: the busiest line."""
    words = cell.words
    if cell.context.headed or _OR_MEAN.search(words) or _HIGHEST.search(words):
        return True
    return _of_its_column(cell, tree) and not _statistics(_row_label(cell))


def _distributed(node: sx.Node | None) -> bool:
    """Tell whether a formula works a percentile out of a mean: -LN(0.05) times the mean of an exponential time."""
    match node:
        case sx.Call(name=name, args=args):
            return (
                name in ("LN", "LOG", "EXP", "SQRT") or name.endswith(("INV", "DIST")) or any(map(_distributed, args))
            )
        case sx.Binary(left=left, right=right):
            return _distributed(left) or _distributed(right)
        case sx.Unary(operand=operand):
            return _distributed(operand)
    return False


def _is_leg(node: sx.Node) -> bool:
    """Tell whether a term of a sum is a cell, or twice a cell."""
    match node:
        case sx.Ref() | sx.Name() | sx.Binary("*", sx.Number(2.0), sx.Ref() | sx.Name()):
            return True
    return False


_OR_MEAN = re.compile(r"(?:total|sum|summe|max) ?/ ?(?:avg|average|mean|mittel|moy)", re.I)
_HIGHEST = re.compile(
    r"\b(?:highest|greatest|busiest|largest|worst|höchste\w*|größte\w*|le plus|la plus)\b", re.I
)  # of means
_FUNCTIONS = {"AVERAGE": "mean", "MEDIAN": "p50", "MAX": "maximum", "MIN": "minimum"}
_TAILS = ("p90", "p95", "p99")
_MEAN = re.compile(r"mean|average|avg|mittel|moyen", re.I)


def _taken(tree: sx.Node) -> str:
    """Return what a formula takes of a range, "" where it does anything else."""
    match tree:
        case sx.Call(name=name, args=(sx.Area(),)):
            return _FUNCTIONS.get(name, "")
    return ""


def _row_label(cell: Cellwise) -> str:
    """Return what stands left of a cell, not above it."""
    return cell.entity or (cell.context.texts[0] if len(cell.context.texts) > 1 else cell.words)


def _of_its_column(cell: Cellwise, tree: sx.Node) -> bool:
    """Tell whether the range that a formula takes stands above or below it: the busiest of the lines of a table."""
    match tree:
        case sx.Call(args=(sx.Area(kind="ref") as area,)):
            return position(cell.item.refs[area.first])[1] == cell.item.col
    return False


def _statistics(words: str) -> set[str]:
    """Return every statistic that a label names."""
    named = {kind for kind, pattern in KINDS.likely(words) if kind[0] == "statistic" and pattern.search(words)}
    return {kind for _, kind in named}


def _mean_of_peak(inference: Inference, cell: Cellwise) -> Iterator[Said]:
    """A mean power worked out from a peak power and a count, without a load."""
    context, computed = cell.context, cell.computed
    if dict(context.kinds).get("statistic") != "mean" or context.value is None or computed is None:
        return
    if hard(context.value.dims or ()) != (("energy", 1.0), ("time", -1.0)) or not only_conversions(computed):
        return
    used = list(inference.uses(cell).values())
    powers = [c for c in used if c.value.dims is not None and hard(c.value.dims)]
    counts = [c for c in used if c not in powers]
    if (
        len(powers) != 1
        or any(not counts_something(c.value) for c in counts)
        or is_quotient(inference.tree(cell.item.form))
    ):
        return  # something that may be the load; the mean of several
    if _PEAK_LOAD.search(powers[0].words) and not _MEAN.search(powers[0].words):
        yield "statistic-mix", f"'{cell.label}' is a mean, but the formula takes a peak ('{powers[0].label}').", ""


_PEAK_LOAD = re.compile(r"\bpeak|\bmax|spitze|cr[êe]te|nameplate|\btdp\b", re.I)
