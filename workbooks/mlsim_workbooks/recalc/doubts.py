"""Values that the embedded engine gives and Excel may not: which, only the values tell, not the formulas.

Such a formula is left alone. As long as the engine agrees with Excel on everything else, rather too many are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import pairwise

from mlsim_workbooks import formulas as fx
from mlsim_workbooks.package import Err, Value
from mlsim_workbooks.recalc.book import Book, Formula, cells_of

__all__ = ["Doubts"]

Get = Callable[[int, int, int], Value]
"""The value of a cell in the engine, by sheet, row and column."""

_ALL = frozenset({"#NUM!", "#VALUE!"})
_NUM, _VALUE = frozenset({"#NUM!"}), frozenset({"#VALUE!"})

# Errors that functions give for what Excel takes: dates before March 1900 and empty cells as dates, dates and numbers
# written in other ways, the ends of a range of probabilities.
_ERRORS: dict[str, frozenset[str]] = {
    **dict.fromkeys(
        [
            "BIN2DEC", "BIN2HEX", "BIN2OCT", "DATEDIF", "DATEVALUE", "DAY", "DAYS", "DAYS360", "DECIMAL", "EDATE", "EOMONTH", "HEX2BIN",
            "HEX2DEC", "HEX2OCT", "HOUR", "ISOWEEKNUM", "MINUTE", "MONTH", "NETWORKDAYS", "NETWORKDAYS.INTL", "OCT2BIN", "OCT2DEC",
            "OCT2HEX", "TIMEVALUE", "WEEKDAY", "WEEKNUM", "WORKDAY", "WORKDAY.INTL", "YEAR", "YEARFRAC",
        ],
        _ALL,
    ),
    **dict.fromkeys(["BETA.INV", "BETAINV", "BINOM.INV", "CRITBINOM", "GAMMA", "XNPV"], _NUM),
    **dict.fromkeys(["CORREL", "FIXED", "NUMBERVALUE", "OFFSET", "PEARSON", "TEXT", "VALUE", "XLOOKUP"], _VALUE),
    "POWER": frozenset({"#DIV/0!"}),
}  # fmt: skip
_LIKE_A_NUMBER = re.compile(
    r"(?=.*\d)(?:[\d\s.,:/$%()+-]|[eE](?=[+-]?\d)|AM|PM|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)+",
    re.IGNORECASE,
)

# The tails of distributions: right to about ten decimals, not to ten digits.
_TAILS = frozenset(
    {
        "CHIDIST", "CHISQ.DIST.RT", "CHISQ.TEST", "CHITEST", "ERFC", "ERFC.PRECISE", "F.DIST.RT", "F.TEST", "FDIST", "FTEST", "NORM.DIST",
        "NORM.S.DIST", "NORMDIST", "NORMSDIST", "T.DIST", "T.DIST.2T", "T.DIST.RT", "T.TEST", "TDIST", "TTEST", "Z.TEST", "ZTEST",
    }
)  # fmt: skip
_ONE_SIZE = frozenset({"AVERAGEIFS", "COUNTIFS", "MAXIFS", "MINIFS", "SUMIFS"})
_TAIL = 1e-4
_SMALLEST = 2.2250738585072014e-308  # below, Excel has only 0
_DATES = (["DATE"], ["EDATE"], ["EOMONTH"])
_MARCH = 61  # 1900-03-01: what comes before it, Excel counts with a 29th of February
_EQUAL = 2.3e-16  # what differs by less the engine takes for equal
_LEFT_OVER = 1e-14  # of the operands: where Excel takes a difference for 0
_FAR_BELOW = 1e-3  # a difference above is no left-over of numbers below 1e11


class Doubts:
    """The doubts about the values that an engine gives for the formulas of a book."""

    def __init__(self, book: Book, get: Get) -> None:
        self.book, self.get = book, get
        self.kinds: dict[tuple[int, ...], type | None] = {}  # by the place of the keys
        self.texts: dict[tuple[int, ...], bool] = {}

    def about(self, f: Formula) -> str:
        """Return why the value of a formula is not trusted; the sentence goes on from the cell's name."""
        if f.plan.whole:
            return ""
        value = self.get(f.sheet, f.row, f.col)
        return self.about_error(f, value) if isinstance(value, Err) else self.about_value(f, value)

    def about_error(self, f: Formula, value: Err) -> str:
        """Return why an error may be a value in Excel."""
        name = next((name for name in f.plan.functions if value in _ERRORS.get(name, ())), "")
        if not name and f.plan.powers and value == "#DIV/0!":
            name = "POWER"
        if not name and value != "#VALUE!":
            return ""
        cells = list(self.singles(f))
        if any(isinstance(cell, Err) and cell == value for cell in cells):
            return ""
        if name:
            return f"gives {value} with {name}(), where Excel may give a value or another error"
        named = (p[1:-1] for p in f.plan.pieces if isinstance(p, str) and p[:1] == '"')
        text = self.number_like(f) or next((text for text in named if _LIKE_A_NUMBER.fullmatch(text)), "")
        return f"gives {value} for the text {text[:40]!r}, which Excel may read as a number" if text else ""

    def about_value(self, f: Formula, value: Value) -> str:
        """Return why a value may be another one in Excel."""
        plan = f.plan
        if plan.lookups and (why := self.about_lookups(f)):
            return why
        if len(plan.functions) == 1 and plan.functions[0] in _ONE_SIZE and len(self.sizes(f)) > 1:
            return f"uses {plan.functions[0]}() with ranges of different sizes, which is an error in Excel"
        if plan.texts and not all(self.all_text(f, area) for area in plan.texts):
            return "uses a criterion that excludes a text on cells that are not all texts, which the engine gets wrong"
        if isinstance(value, str):
            return self.about_text(f, value)
        if not plan.last_step and plan.functions[:1] in _DATES and isinstance(value, float) and value < _MARCH:
            return "gives a date before March 1900"
        if isinstance(value, float) and abs(value) < _FAR_BELOW:
            if 0 < abs(value) < _SMALLEST:
                return f"gives {value:.3g}, which is 0 in Excel"
            if abs(value) < _TAIL and (name := next((n for n in plan.functions if n in _TAILS), "")):
                return f"gives {value:.3g} with {name}(), of which the engine gets too few digits right"
            if value and plan.last_step in ("+", "-") and abs(value) < _LEFT_OVER * self.largest(f):
                return f"gives {value:.3g} as the rest of a rounding, which is 0 in Excel"
        if plan.compares and self.has_tiny and any(_is_tiny(cell) for cell in self.singles(f)):
            return "compares a number that is so small that the engine takes it for 0"
        return ""

    @cached_property
    def has_tiny(self) -> bool:
        """Tell whether any cell of the book holds such a small number."""
        book = self.book
        typed = (c for cells in book.cells for c in cells.values() if c.attrs is None and c.type == "n" and c.value)
        return any(_is_tiny(book.cached(cell)) for cell in typed) or any(
            _is_tiny(self.get(f.sheet, *at)) for f in book.formulas for at in cells_of(f.cells)
        )

    def about_text(self, f: Formula, value: str) -> str:
        """Return why a text may be another one in Excel."""
        if "FIXED" in f.plan.functions and re.fullmatch(r"-0(?:\.0*)?", value):
            return f"gives {value} with FIXED(), which Excel may write without the sign"
        if "TEXT" in f.plan.functions and (text := self.number_like(f)):
            return f"formats the text {text[:40]!r}, which Excel may read as a number"
        return ""

    def number_like(self, f: Formula) -> str:
        """Return a text that a formula reads from a single cell and Excel may read as a number; "" for none."""
        cells = (cell for cell in self.singles(f) if isinstance(cell, str) and not isinstance(cell, Err))
        return next((text for text in cells if _LIKE_A_NUMBER.fullmatch(text)), "")

    def about_lookups(self, f: Formula) -> str:
        """Return why a look-up may find something else in Excel: by order, only strictly ascending keys are sure."""
        for lookup in f.plan.lookups:
            key = next(self.singles(f, [lookup.key]), None) if lookup.key is not None else None
            if lookup.exact:
                if not key and key != "" and None in self.keys(f, lookup):
                    return "looks up 0 or an empty cell among empty cells, which the engine takes for 0"
                continue
            kind = self.kind(f, lookup)
            if kind is None:
                return "looks up by order in cells that are not strictly ascending numbers or words"
            if key is not None and not isinstance(key, kind):
                return f"looks up a {'text' if isinstance(key, str) else 'value'} by order among values of another kind"
        return ""

    def place(self, f: Formula, lookup: fx.LookUp) -> tuple[int, int, int, int, int]:
        """Return the sheet, top, left, bottom and right of the cells among which a look-up looks."""
        sheet, top, left, bottom, right = self.book.spread(lookup.vector, f)
        across = lookup.direction == "across" or (lookup.direction == "either" and right - left > bottom - top)
        place = (sheet, top, left, top if across else bottom, right if across else left)
        return place

    def kind(self, f: Formula, lookup: fx.LookUp) -> type | None:
        """Return the type of the keys of a look-up, None where they are not in order."""
        place = self.place(f, lookup)
        if place not in self.kinds:
            self.kinds[place] = _ascending(self.keys(f, lookup))
        return self.kinds[place]

    def keys(self, f: Formula, lookup: fx.LookUp) -> list[Value]:
        """Return the values among which a look-up looks."""
        sheet, *area = self.place(f, lookup)
        return [self.get(sheet, *at) for at in cells_of((area[0], area[1], area[2], area[3]))]

    def all_text(self, f: Formula, area: fx.Area) -> bool:
        """Tell whether a range holds texts alone; a whole column does not."""
        sheet, top, left, bottom, right = self.book.spread(area, f)
        place = (sheet, top, left, bottom, right)
        if place not in self.texts:
            cells = (self.get(sheet, r, c) for r in range(top, bottom + 1) for c in range(left, right + 1))
            self.texts[place] = area.kind == "ref" and all(type(cell) is str for cell in cells)
        return self.texts[place]

    def sizes(self, f: Formula) -> set[tuple[int, int]]:
        """Return the sizes of the ranges that a formula reads."""
        areas = [self.book.spread(a, f) for a in f.plan.areas if a.last is not None or a.kind != "ref"]
        return {(bottom - top, right - left) for _, top, left, bottom, right in areas}

    def singles(self, f: Formula, areas: Sequence[fx.Area] | None = None) -> Iterator[Value]:
        """Yield the values of the single cells that a formula reads."""
        for area in f.plan.areas if areas is None else areas:
            if area.last is None and area.kind == "ref":
                yield self.get(*self.book.spread(area, f)[:3])

    def largest(self, f: Formula) -> float:
        """Return the largest number that a formula names or reads from a single cell."""
        named = (abs(float(p)) for p in f.plan.pieces if isinstance(p, str) and p[:1].isdigit())
        return max([0.0, *named, *(abs(c) for c in self.singles(f) if isinstance(c, float))])


def _is_tiny(value: Value) -> bool:
    return isinstance(value, float) and 0 < abs(value) < _EQUAL


def _ascending(values: list[Value]) -> type | None:
    """Return the type of values that are strictly ascending numbers or plain words, None for others."""
    while values and values[-1] is None:
        values.pop()
    if all(type(value) is float for value in values):
        return float if all(a < b for a, b in pairwise(values)) else None  # type: ignore[operator]
    words = [
        value.casefold() if type(value) is str and re.fullmatch(r"[A-Za-z0-9]+", value) else "" for value in values
    ]
    return str if "" not in words and all(a < b for a, b in pairwise(words)) else None
