"""Rules about what is paid or done once, and what is so in each day, month and year."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlsim_workbooks.lint import syntax as sx
from mlsim_workbooks.lint.algebra import hard, has_money, is_time, only_money
from mlsim_workbooks.lint.finding import Said
from mlsim_workbooks.lint.infer import Cellwise, Inference
from mlsim_workbooks.lint.naming import unit_text
from mlsim_workbooks.lint.shapes import is_product
from mlsim_workbooks.lint.vocabulary import MACHINES, ONCE, WRITTEN_OFF

__all__ = ["period_rules"]


def period_rules(inference: Inference, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """Yield what is said of a formula's periods."""
    yield from _once_by_the_month(cell)
    yield from _whole_price_by_the_year(inference, cell)
    yield from _ratio_of_periods(inference, cell, tree)
    yield from _year_below_a_quarter(inference, cell)


def _once_by_the_month(cell: Cellwise) -> Iterator[Said]:
    """A cost that is paid once, from a price per month."""
    stated, computed = cell.context.value, cell.computed
    if stated is None or computed is None or not only_money(stated) or not cell.context.explicit:
        return
    rate = hard(computed.dims or ()) == (*hard(stated.dims or ()), ("time", -1.0))
    if (computed.kind("period") in ("month", "year") or rate) and not stated.kind("period") and ONCE.search(cell.words):
        yield "money-rate", f"'{cell.label}' is paid once, but the formula gives {unit_text(computed)}.", ""


def _whole_price_by_the_year(inference: Inference, cell: Cellwise) -> Iterator[Said]:
    """What is written off in a year, from the price alone or from it and the number of things."""
    stated, computed = cell.context.value, cell.computed
    if stated is None or computed is None or stated.kind("period") != "year" or not WRITTEN_OFF.search(cell.words):
        return
    if not only_money(stated) or not only_money(computed) or computed.kind("period") or computed.numbers:
        return
    used = inference.uses(cell).values()
    prices = [c for c in used if has_money(c.value)]
    counted = all(c in prices or c.context.concept in MACHINES for c in used)
    if counted and len(prices) == 1 and not WRITTEN_OFF.search(prices[0].words):
        yield "money-rate", f"'{cell.label}' takes the whole price ('{prices[0].label}').", "Divide it by its lifetime."


def _ratio_of_periods(inference: Inference, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """A bill per month over queries per day, as the cost of a query."""
    stated, computed = cell.context.value, cell.computed
    if stated is None or computed is None or not cell.context.explicit or not hard(stated.dims or ()):
        return
    if stated.kind("period") or stated.dims != computed.dims or any(map(is_time, computed.numbers)):
        return
    used = list(inference.uses(cell).values())
    if len(used) != 2 or not is_product(tree) or not all(c.context.explicit and c.value.dims for c in used):
        return
    over, under = sorted(used, key=lambda c: not has_money(c.value))
    periods = [c.value.kind("period") for c in (over, under)]
    if has_money(over.value) and not has_money(under.value) and all(periods) and len(set(periods)) == 2:
        said = f"'{cell.label}' divides '{over.label}', per {periods[0]}, by '{under.label}', per {periods[1]}."
        yield "calendar", said, "Take both for the same time."


def _year_below_a_quarter(inference: Inference, cell: Cellwise) -> Iterator[Said]:
    """What is paid in a year as what is paid in a month or a quarter, as the header or the sheet's name says."""
    stated, computed = cell.context.value, cell.computed
    if stated is None or computed is None or not only_money(stated) or not cell.context.explicit or computed.numbers:
        return
    by_year = computed.kind("period") == "year" and only_money(computed)
    lasting = hard(computed.dims or ()) == (*hard(stated.dims or ()), ("time", -1.0))
    over_years = [c for c in inference.uses(cell).values() if c.value.text in _YEARS]
    texts = cell.context.texts
    title = inference.book.grids[cell.sheet].name
    span = next((n for n, pattern in _SPANS if any(map(pattern.fullmatch, texts)) or pattern.fullmatch(title)), "")
    named = re.search(r"\b(?:year|annual\w*|jahr\w*|an|année|annuel\w*)\b", cell.words, re.I)
    if span and not named and not stated.kind("period") and (by_year or (lasting and over_years)):
        said = f"'{cell.label}' is of a {span}, but the formula gives that of a year."
        yield "calendar", said, f"Divide by {_IN_A_YEAR[span]}."


_YEARS = frozenset(("years", "year", "yr", "a", "Jahre", "ans", "années"))
_IN_A_YEAR = {"month": 12, "quarter": 4}
_SPANS = (
    ("quarter", re.compile(r"(?:Q[1-4]|[1-4]Q|[1-4]\. ?Quartal|T[1-4])(?: ?(?:FY)?\d\d(?:\d\d)?)?")),
    (
        "month",
        re.compile(
            r"(?:costs?|cost model|kosten|coûts?)[ _-](?:per|pro|par|je)[ _-](?:month|monat|mois)|monthly costs?|monatskosten"
            r"|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?(?: \d\d(?:\d\d)?)?|m\d\d?",
            re.I,
        ),
    ),
)
