"""A formula against the numbers, formats and periods that its own label gives: 16 bits, FP8, 19 %, per month."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlsim_workbooks.lint import syntax as sx
from mlsim_workbooks.lint.algebra import hard, has_money, is_conversion
from mlsim_workbooks.lint.finding import Said
from mlsim_workbooks.lint.infer import Cellwise
from mlsim_workbooks.lint.shapes import multipliers, written

__all__ = ["wording_rules"]


def wording_rules(cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """What a formula does otherwise than its label says."""
    yield from _other_period(cell)
    yield from _bits_of_label(cell, tree)
    yield from _bytes_of_format(cell, tree)
    yield from _days_of_label(cell, tree)
    yield from _days_for_hours(cell, tree)
    yield from _months_of_years(cell, tree)


def _days_for_hours(cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """GPU-hours of a year from GPUs and 365, where nothing in the formula makes hours of the days."""
    computed, stated = cell.computed, cell.context.value
    if computed is None or computed.dims is None or stated is None or not cell.context.explicit:
        return
    if hard(stated.dims or ()) != (("time", 1.0),) or stated.factor != 3600.0 or hard(computed.dims):
        return
    numbers = [n for n in computed.numbers if n >= 1.0 and not is_conversion(n)]
    if (
        len(numbers) == 1
        and numbers[0] in (*_DAYS, 90.0, 91.0, 92.0, 181.0, 182.0, 184.0)
        and "~time" not in computed.parts
        and computed.dims
    ):
        yield "calendar", f"'{cell.label}' is in hours, but the formula takes {numbers[0]:g} days.", "Multiply by 24."


_YEARS_SAID = re.compile(
    r"\b(two|three|four|five|zwei|drei|vier|fünf|deux|trois|quatre|cinq|[2-9]) (?:years|Jahren?|ans)\b", re.I
)
_NUMBERS = {
    word: float(n)
    for n, words in enumerate(("two zwei deux", "three drei trois", "four vier quatre", "five fünf cinq"), start=2)
    for word in words.split()
}


def _months_of_years(cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """Three years of a monthly amount, times 3."""
    computed = cell.computed
    said = {_NUMBERS.get(n.lower()) or float(n) for n in _YEARS_SAID.findall(cell.words)}
    if computed is None or len(said) != 1 or computed.kind("period") != "month" or not has_money(computed):
        return
    if said <= set(multipliers(tree)) and 12.0 not in written(tree):
        yield "calendar", f"'{cell.label}' takes {said.pop():g} months of a monthly amount.", "Multiply by 12."


_DAYS_SAID = re.compile(
    r"\b(?:of|at|with|mit|zu|à|de) (\d{2,3}) (?:working |work)?(?:days|tagen?|arbeitstagen?|jours)\b", re.I
)
_DAYS = frozenset((20.0, 21.0, 22.0, 28.0, 29.0, 30.0, 31.0, 250.0, 252.0, 260.0, 360.0, 365.0, 366.0))


def _days_of_label(cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """A month of 30 days, as its label says, worked out with 365."""
    said = {float(n) for text in cell.context.texts[:1] for n in _DAYS_SAID.findall(text)}
    taken = written(tree) & _DAYS
    if len(said) == 1 and said <= _DAYS and len(taken) == 1 and not said & taken:
        yield "calendar", f"'{cell.label}' takes {taken.pop():g} days, its label says {said.pop():g}.", ""


_BITS_SAID = re.compile(r"(?<!\d)(\d{1,4}) ?-?bits?\b", re.I)


_BYTES_SAID = re.compile(r"(?<!\d)(\d{1,4}) bytes\b", re.I)


_FORMATS = re.compile(r"\b(?:(?:bf|tf|fp|u?int|float)(\d+)|bfloat(16)|e[45]m[32](?:fn)?)\b", re.I)


_KEPT_WIDE = re.compile(r"optimi[sz]er|\badam|adagrad|momentum|accumulat", re.I)  # in FP32, whatever the weights are in
_SEVERAL = re.compile(r"\b(?:and|und|et|plus|pair|both|double|in \+ out)\b|[&+;]", re.I)


def _bytes_of_format(cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """Bytes of weights in FP8 with two bytes each, vectors of float32 with one."""
    computed, stated = cell.computed, cell.context.value
    if computed is None or stated is None or stated.dims != (("information", 1.0),) or not cell.context.explicit:
        return
    said = {a or b or "8" for a, b in _FORMATS.findall(cell.words)}
    factors = [n for n in computed.numbers if not is_conversion(n)]
    if (
        len(said) != 1
        or len(factors) > 1
        or _SEVERAL.search(cell.words)
        or _KEPT_WIDE.search(cell.words)
        or "~information" in computed.parts
        or "information" in dict(computed.dims or ())
    ):
        return
    due, have = float(said.pop()) / 8.0, factors[0] if factors else 1.0
    if factors and {due} & written(tree) and have not in written(tree):
        return  # the bytes that are due are written, the other number came along
    named = computed.parts & {
        "bytes each",
        "bits each",
        "memory",
        "kv cache",
        "layers",
        "heads",
        "kv heads",
        "head dim",
    }
    counts = factors or computed.parts & {"parameters", "active parameters"}
    if have in (0.5, 1.0, 2.0, 4.0, 8.0) and have != due and due > 0.25 and not named and counts:
        yield "params-bytes", f"'{cell.label}' takes {have:g} bytes each; its format has {due:g}.", ""


def _bits_of_label(cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """Bytes from the bits that a label gives, or bits from its bytes, without the factor of 8: "16 kHz, 16 bit"."""
    computed, stated = cell.computed, cell.context.value
    if computed is None or stated is None or "information" not in dict(stated.dims or ()) or not cell.context.explicit:
        return
    if hard(computed.dims or ()) and "information" in dict(computed.dims or ()):
        return
    bits = "bit" in stated.text
    said = {float(n) for n in (_BYTES_SAID if bits else _BITS_SAID).findall(cell.words)}
    numbers = written(tree)
    said &= numbers
    if said and not {8.0, 0.125} & numbers:
        yield (
            "bits-bytes",
            f"'{cell.label}' takes {said.pop():g} {'bytes' if bits else 'bits'} as {stated.text}.",
            "Convert by 8.",
        )


def _other_period(cell: Cellwise) -> Iterator[Said]:
    """Costs per person and month from those of a year, where the cell states no unit."""
    computed, due = cell.computed, dict(cell.context.kinds).get("period", "")
    if computed is None or cell.context.value is not None or cell.context.concept != "money" or not has_money(computed):
        return
    have = computed.kind("period")
    if (
        {due, have} in ({"month", "year"}, {"day", "month"}, {"day", "year"})
        and not computed.numbers
        and "~time" not in computed.parts
    ):
        yield "calendar", f"'{cell.label}' is per {due}, but the formula gives a figure per {have}.", ""
