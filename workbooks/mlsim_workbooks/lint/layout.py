"""Find out what each number of a sheet is: from its row label, column header, unit column, number format and name.

Sheets are laid out in every way: lists with a unit column, tables with a unit row, transposed tables, merged headers.
One pass over the rows keeps, for every column, the header texts above; and for every row, the label texts to the left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache

from mlsim_workbooks.lint.algebra import Dims, Value, hard
from mlsim_workbooks.lint.labels import NOTHING, Label, number_of, read_label, read_quantity, read_unit, unit_cell
from mlsim_workbooks.lint.reader import Book, Grid, Item

__all__ = ["Context", "Contradiction", "contexts", "format_unit"]


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two statements about one cell that cannot both be true."""

    first: str
    second: str
    first_unit: Value
    second_unit: Value
    where: str  # "unit column" or "number format"


@dataclass(frozen=True, slots=True)
class Context:
    """What the surroundings of a cell say about its number."""

    value: Value | None = None
    explicit: bool = False  # a unit is written; else only the quantity's name is known
    concept: str = ""
    kinds: frozenset[tuple[str, str]] = frozenset()
    label: str = ""  # what a person would call the cell
    texts: tuple[str, ...] = ()  # every label, the nearest first
    percent: bool = False
    contradiction: Contradiction | None = None


EMPTY = Context()


@dataclass(slots=True)
class _Column:
    """The headers above the place the pass has reached."""

    stack: tuple[str, ...] = ()
    seen: bool = False  # numbers since the headers
    row: int = 0


# --- number formats ------------------------------------------------------------------------------------------------

_QUOTED = re.compile(r'"([^"]*)"|\\(.)')
_CURRENCY = re.compile(r"\[\$([^\]\-]*)(?:-[^\]]*)?\]")
_SIGNS = {"$": "money_in_usd", "€": "money_in_eur", "£": "money_in_gbp", "US$": "money_in_usd", "USD": "money_in_usd",
          "EUR": "money_in_eur", "GBP": "money_in_gbp", "CHF": "money_in_chf"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Format:
    """What a number format says: a unit, a currency, a percentage, a date."""

    quoted: str = ""  # what it shows beside the number
    shown_in: float = 1.0  # the number is shown in thousands of its unit
    money: Value | None = None
    currency: str = ""
    percent: bool = False
    date: bool = False


@lru_cache(maxsize=4096)
def format_unit(code: str) -> Format:
    """Read the unit in a number format such as ``0.00" ms"`` or ``[$€-407] #,##0.00``."""
    section = code.split(";")[0]
    currency = ""
    match = _CURRENCY.search(section)
    if match and match[1].strip():
        currency = _SIGNS.get(match[1].strip(), "")
        section = section.replace(match[0], "")
    quoted = " ".join(a or b for a, b in _QUOTED.findall(section)).strip()
    bare = re.sub(r"\[[^\]]*\]", "", _QUOTED.sub("", section))
    percent = "%" in bare
    scaling = re.search(r"[0#?](,+)(?=[^0#?,.]|$)", bare)
    shown_in = 1000.0 ** len(scaling[1]) if scaling else 1.0  # "#,##0,": thousands are shown, the number is whole
    if not currency:
        sign = next((s for s in ("US$", "$", "€", "£") if s in bare), "")
        sign = sign or next((s for s in ("$", "€", "£") if quoted == s), "")
        currency = _SIGNS.get(sign, "")
        quoted = "" if quoted in _SIGNS else quoted
    if currency and quoted:
        symbol = {"money_in_usd": "$", "money_in_eur": "€", "money_in_gbp": "£", "money_in_chf": "CHF"}[currency]
        unit = read_unit(f"{symbol}{quoted}") or read_unit(f"{quoted[:1]}{symbol}{quoted[1:]}")
        if unit is not None:
            return Format(money=replace(unit, factor=unit.factor / shown_in), currency=currency, percent=percent)
    bare = re.sub(r"[$€£%]", "", bare)
    date = bool(re.search(r"[ymdhsYMDHS]", bare.replace("General", ""))) and "0" not in bare.split(".")[0]
    return Format("" if percent else quoted, shown_in, None, currency, percent, date)


def _format_value(form: Format, concept: str) -> Value | None:
    """Return the unit a number format shows, for a number of this concept."""
    unit = form.money or (read_unit(form.quoted, concept) if form.quoted else None)
    return replace(unit, factor=unit.factor / form.shown_in) if unit is not None and not form.money else unit


# --- one pass over a sheet ------------------------------------------------------------------------------------------


def contexts(book: Book, grid: Grid) -> Iterator[tuple[Item, Context, str]]:
    """Yield every numeric cell of a sheet, and every text that is a quantity, with its context and its row's name."""
    return _Pass(book, grid).run()


@dataclass
class _Pass:
    book: Book
    grid: Grid
    columns: dict[int, _Column] = field(default_factory=dict)
    memo: dict[object, Context] = field(default_factory=dict)
    merged: dict[tuple[int, int], str] = field(default_factory=dict)
    named: dict[tuple[int, int], str] = field(default_factory=dict)

    def run(self) -> Iterator[tuple[Item, Context, str]]:
        self.fill_merged()
        self.find_names()
        last = 0
        for number, items in self.grid.rows.items():
            if number - last > 1:
                self.gap()
            last = number
            texts = self.texts(number, items)
            numbers = [i for i in items if i.numeric and i.col not in texts]
            blanks = {c for c, t in texts.items() if numbers and _PLACEHOLDER.fullmatch(t.strip())}
            texts = {c: t for c, t in texts.items() if c not in blanks}
            quantities = any(read_quantity(t) for t in texts.values())
            if not numbers and not quantities:
                self.headers(number, texts)
                continue
            yield from self.row(number, items, texts, numbers, blanks)

    def texts(self, number: int, items: list[Item]) -> dict[int, str]:
        """Return the texts of a row by column; merged cells repeat theirs."""
        texts = {i.col: i.value for i in items if isinstance(i.value, str) and i.form < 0 and i.value.strip()}
        if self.merged:
            for item_col in list(self.merged_row.get(number, ())):
                texts.setdefault(item_col, self.merged[number, item_col])
        return texts

    def fill_merged(self) -> None:
        self.merged_row: dict[int, list[int]] = {}
        for top, left, bottom, right in self.grid.merged:
            anchor = self.grid.at(top, left)
            if anchor is None or not isinstance(anchor.value, str) or (bottom - top + 1) * (right - left + 1) > 400:
                continue
            for row in range(top, bottom + 1):
                for col in range(left, right + 1):
                    if (row, col) != (top, left) and self.grid.at(row, col) is None:
                        self.merged[row, col] = anchor.value
                        self.merged_row.setdefault(row, []).append(col)

    def find_names(self) -> None:
        """Collect the names that stand for single cells of this sheet."""
        for (_, name), definition in self.book.names.items():
            match = re.fullmatch(r"=?(?:'((?:[^']|'')+)'|([^'!]+))!\$?([A-Z]{1,3})\$?(\d+)", definition)
            if match and (match[1] or match[2]).replace("''", "'").lower() == self.grid.name.lower():
                from mlsim_workbooks.package import column_number

                self.named[int(match[4]), column_number(match[3])] = name

    def gap(self) -> None:
        """Forget headers across an empty row, once numbers have stood under them."""
        for column in self.columns.values():
            if column.seen:
                column.stack, column.seen = (), False

    def headers(self, number: int, texts: dict[int, str]) -> None:
        """Take a row of texts as headers, unless it is a row of a list whose value happens to be a text."""
        speaking = sum(read_label(t).says_something or unit_cell(t) is not None for t in texts.values())
        begun = any(self.columns[c].seen for c in texts if c in self.columns)
        if begun and (len(texts) < 2 or speaking < (2 if len(texts) < 3 else 1)):
            return
        for col, text in texts.items():
            column = self.columns.setdefault(col, _Column())
            if column.seen or number - column.row > 1:
                column.stack, column.seen = (), False
            column.stack = (*column.stack[-3:], text)
            column.row = number

    # --- rows with numbers ---

    def row(
        self, number: int, items: list[Item], texts: dict[int, str], numbers: list[Item], blanks: set[int]
    ) -> Iterator[tuple[Item, Context, str]]:
        said = {i.col: i.value for i in numbers if isinstance(i.value, str) and len(i.value) <= 60 and read_label(i.value).unit}
        texts = texts | said  # a formula that gives a text is a label too
        numeric = ({i.col for i in numbers} | blanks) - set(said)
        units = {c: t for c, t in texts.items() if self.is_unit(c, t, numeric)}
        for item in numbers:
            column = self.columns.get(item.col)
            if column is not None:
                column.seen = True
            group, entity = self.group(item.col, texts, units, numeric)
            unit, apart = self.unit_beside(item.col, texts, units, numeric)
            stack = column.stack if column else ()
            name = self.named.get((number, item.col), "")
            code = self.book.formats[item.style] if item.style < len(self.book.formats) else ""
            share = isinstance(item.value, float) and 0 < abs(item.value) <= 1 and item.form < 0
            key = (group, stack, unit, apart, name, code, share)
            context = self.memo.get(key)
            if context is None:
                context = self.memo[key] = combine(group, stack, unit, name, code, share)
            yield item, context, entity
        for item in items:
            if isinstance(item.value, str) and item.form < 0 and item.col not in units:
                found = read_quantity(item.value)
                if found is not None:
                    column = self.columns.setdefault(item.col, _Column())
                    column.seen = True
                    group, entity = self.group(item.col, texts, units, numeric)
                    stated = combine(group, column.stack, "", "", "", False)
                    value = found[1]
                    kinds = {("typed", "text")} | value.kinds | {k for k in stated.kinds if not value.kind(k[0])}
                    yield item, replace(stated, value=replace(value, kinds=value.kinds | {("typed", "text")}), explicit=True, kinds=frozenset(kinds)), entity

    def is_unit(self, col: int, text: str, numeric: set[int]) -> bool:
        """Tell whether a text of a row with numbers is the unit of one."""
        if len(text) > 30:
            return False
        column = self.columns.get(col)
        if column is not None and column.stack and _UNIT_HEADER.fullmatch(column.stack[-1].strip()):
            return True
        if _MAGNITUDE.fullmatch(text.strip()) and col - 1 in numeric and text.strip() not in ("T", "M", "B"):
            return True
        if len(text) > 14 and col - 1 not in numeric:
            return False  # a label that is its own unit: "Tokens per second"
        unit = unit_cell(text)
        return (
            unit is not None and unit.dims is not None and bool(hard(unit.dims) or unit.text in ("%",) or "/" in text)
        )

    def group(
        self, col: int, texts: dict[int, str], units: dict[int, str], numeric: set[int]
    ) -> tuple[tuple[str, ...], str]:
        """Return the label texts to the left of a number, the nearest first, and the name of the row.

        Texts that say nothing of the number ("job 123") are left out: a million rows then share their contexts.
        """
        found: list[str] = []
        at = col - 1
        while at > 0 and (at in numeric or at not in texts or at in units):
            at -= 1
        while at > 0 and at in texts:
            if at not in units:
                found.append(texts[at])
            at -= 1
        found = found[:4]
        return tuple(t for t in found if _speaks(t)), next((t for t in found if not _speaks(t)), "")

    def unit_beside(
        self, col: int, texts: dict[int, str], units: dict[int, str], numeric: set[int]
    ) -> tuple[str, bool]:
        """Return the unit text that belongs to a number: right of it, or left of it, or at the row's end."""
        if not units:
            return "", False
        if col + 1 in units and not (col - 1 in units and col + 2 in numeric and col - 2 not in numeric):
            return units[col + 1], True
        left = col - 1
        while left > 0 and left in numeric:
            left -= 1
        if left in units and units[left].strip() in _CURRENCIES and not self.headed(left):
            return "", False
        if left in units and (left - 1 in texts or left == 1 or self.headed(left)) and left + 1 in numeric:
            return units[left], True
        right = col + 1
        while right in numeric:
            right += 1
        return (units[right], True) if right in units else ("", False)

    def headed(self, col: int) -> bool:
        """Tell whether a column is headed "Unit"."""
        column = self.columns.get(col)
        return bool(column and column.stack and _UNIT_HEADER.fullmatch(column.stack[-1].strip()))


_PLACEHOLDER = re.compile(r"n/?a|[-–—?.…]+|tbd|tba|none|k\.\s?a\.?|s\.o\.|nd", re.I)
_MAGNITUDE = re.compile(
    r"[x×]?\s?10\^?\d{1,2}|10[⁰¹²³⁴-⁹]+|1[eE]\d{1,2}|bn|billions?|millions?|Mio\.?|Mrd\.?|trillions?|[BMT]"
)
_CURRENCIES = frozenset(("USD", "EUR", "GBP", "CHF", "JPY", "CNY", "INR"))
_UNIT_HEADER = re.compile(r"units?|uom|einheit|unités?|\[?unit\]?|measure|dim\.?", re.I)


# --- putting the statements together --------------------------------------------------------------------------------


def combine(group: tuple[str, ...], stack: tuple[str, ...], unit: str, name: str, code: str, share: bool) -> Context:
    """Return what row labels, column headers, the unit cell, the number format and the name say together."""
    row = _best([read_label(t) for t in group])
    column = _best([_header(t) for t in reversed(stack)])
    joined = read_label(" ".join(stack)) if len(stack) > 1 else column
    if not column.says_something and joined.says_something:
        column = joined
    elif len(stack) > 1:
        kinds = {c: k for c, k in joined.kinds} | {c: k for c, k in column.kinds}
        column = replace(column, kinds=frozenset(kinds.items()), concept=column.concept or joined.concept,
                         dims=column.dims or joined.dims)  # fmt: skip
    named = read_label(name) if name else NOTHING
    form = format_unit(code)
    texts = tuple(t for t in (*group, *reversed(stack), name) if t)
    label = _called(row, column, group, stack, name)
    if form.date:
        return Context(label=label, texts=texts)
    owner, other = _owner(row, column, named, bool(unit))
    concept = owner.concept or other.concept
    kinds = _join_kinds(owner, other)
    value, explicit, clash = _unit(owner, other, unit, form, concept, share)
    if value is not None and value.dims is not None:
        value = _scoped(value, owner, other)
        own = {c for c, _ in value.kinds}
        if any(n == "time" and e < 0 for n, e in value.dims):
            own.add("period")  # "price per hour" in $/h says it once
        kinds = frozenset({k for k in kinds if k[0] not in own} | set(value.kinds))
        if hard(value.dims) == (("time", 1.0),):  # "ms both ways": of a latency, that is a round trip
            trips = {"both directions": "round trip", "per direction": "one way"}
            kinds = frozenset(("trip", trips[k]) if c == "direction" else (c, k) for c, k in kinds)
        value = replace(value, kinds=kinds, parts=frozenset({concept} if concept else ()))
    return Context(value, explicit, concept, kinds, label, texts, form.percent, clash)


@lru_cache(maxsize=65536)
def _speaks(text: str) -> bool:
    """Tell whether a text says anything about a number beside it."""
    label = read_label(text)
    return label.says_something or bool(label.kinds or label.dims)


def _header(text: str) -> Label:
    """Read a header; a row of units under the headers states them apart."""
    unit = unit_cell(text) if len(text) <= 14 else None
    if unit is not None and unit.dims is not None and (hard(unit.dims) or unit.text == "%"):
        return Label(text, unit, strong=True)
    return read_label(text)


def _best(labels: list[Label]) -> Label:
    """Return the first label with a unit, else the first with a concept, else the first."""
    for wanted in (lambda x: x.unit is not None, lambda x: bool(x.concept)):
        for label in labels:
            if wanted(label):
                return label
    return labels[0] if labels else NOTHING


_GENERIC = re.compile(
    r"values?|werte?|valeurs?|amounts?|betrag|montant|figures?|numbers?|zahl|typed|quantity|input|result", re.I
)


def _called(row: Label, column: Label, group: tuple[str, ...], stack: tuple[str, ...], name: str) -> str:
    pieces = [
        p for p in (group[0] if group else "", column.text if stack else "") if p and not _GENERIC.fullmatch(p.strip())
    ]
    return " · ".join(dict.fromkeys(pieces)) or name or row.text


def _owner(row: Label, column: Label, named: Label, has_unit: bool) -> tuple[Label, Label]:
    """Return the label that says what the number is, and the other one."""
    if column.unit is not None and row.unit is not None:
        a, b = column.unit.dims or (), row.unit.dims or ()
        first, second = (
            (row, column) if hard(b) and not hard(a) and column.concept not in ("ratio",) and a else (column, row)
        )
        if not has_unit and _UNIT_HEADER.fullmatch(column.text or ""):
            first, second = row, column
        return first, second
    if column.unit is not None:
        return column, row
    if row.unit is not None:
        return (column, row) if column.concept in ("ratio", "devices", "nodes", "replicas") and row.concept not in (
            "ratio",) and not row.text else (row, column)  # fmt: skip
    if named.unit is not None:
        return named, row if row.concept else column
    if column.concept and (not row.concept or row.concept in ("memory", "parameters", "peak")):
        return column, row
    if row.concept:
        return row, column
    return (named, row) if named.concept else (row, column)


def _join_kinds(owner: Label, other: Label) -> frozenset[tuple[str, str]]:
    """Return the owner's kinds and those of the other label's that do not contradict them."""
    mine, theirs = dict(owner.kinds), dict(other.kinds)
    kept = {(c, k) for c, k in owner.kinds if c not in _DOUBTFUL or theirs.get(c, k) == k}
    extra = {
        k
        for k in other.kinds
        if k[0] not in mine and (other.says_something or k[0] not in ("total", "token", "parameters"))
    }
    if owner.unit is not None:
        extra = {k for k in extra if k[0] != "period" or owner.unit.dims}
    return frozenset(kept | extra)


# Where a row label and a column header contradict each other, neither is believed.
_DOUBTFUL = frozenset(("trip", "statistic", "direction"))


def _scoped(value: Value, owner: Label, other: Label) -> Value:
    """Add "per GPU", "per node" from the label's words to the dimension."""
    assert value.dims is not None
    have = dict(value.dims)
    for name, exponent in owner.dims or other.dims:
        have.setdefault(name, exponent)
    return replace(value, dims=tuple(sorted((n, e) for n, e in have.items() if e)))


def _unit(
    owner: Label, other: Label, unit: str, form: Format, concept: str, share: bool
) -> tuple[Value | None, bool, Contradiction | None]:
    """Return (unit of the number, is it written, contradiction)."""
    stated = owner.unit
    beside = (read_unit(unit, concept) or unit_cell(unit)) if unit else None
    clash: Contradiction | None = None
    if beside is not None and beside.dims == (("count", 1.0),):
        beside = number_of(concept) or beside
    if beside is not None and unit.strip() in _CURRENCIES and concept not in ("money", ""):
        beside = None  # the currency of another column
    if (
        beside is not None
        and stated is not None
        and column_strong(owner)
        and hard(beside.dims or ()) != hard(stated.dims or ())
    ):
        beside = None  # a column's own header outdoes a unit that belongs to something else in the row
    value = beside or stated
    if beside is not None and stated is not None and _conversion(stated):
        value = beside = stated  # "Bytes per GiB | bytes"
    if beside is not None and stated is not None and owner.strong and _differ(beside, stated):
        clash = Contradiction(stated.text, beside.text, stated, beside, "unit column")
    shown = _format_value(form, concept)
    if shown is not None:
        if value is None:
            value = shown
        elif _differ(shown, value) and not clash and (beside is not None or owner.strong):
            clash = Contradiction(value.text, shown.text, value, shown, "number format")
        elif not owner.strong and beside is None and not _agrees(shown, value):
            value = shown
    if value is not None:
        if form.currency and value.dims:
            clash = clash or _currency_clash(value, form.currency)
        if not value.dims and abs(value.factor - 0.01) < 1e-9:
            if form.percent:
                value = replace(value, factor=1.0)
            elif share and concept in ("ratio", "MFU", "growth"):
                value = replace(value, factor=float("nan"))
        elif form.percent and hard(value.dims or ()):
            return None, False, clash
        return value, True, clash
    if form.percent:
        return Value(dims=(), text="%"), True, None
    if form.currency:
        return _money(owner, other, form.currency), True, None
    if unit:
        return None, False, None  # a unit nobody can read: say nothing
    bare = number_of(concept)
    return bare, False, None


def column_strong(owner: Label) -> bool:
    """Tell whether a label states its unit apart from its words."""
    return owner.strong and owner.unit is not None and bool(hard(owner.unit.dims or ()))


def _conversion(unit: Value) -> bool:
    """Tell whether a label's unit converts one unit into another of its dimension."""
    return unit.dims == () and unit.factor not in (1.0, 0.01) and unit.factor == unit.factor


def _agrees(a: Value, b: Value) -> bool:
    return (
        a.dims is not None
        and b.dims is not None
        and hard(a.dims) == hard(b.dims)
        and abs(a.factor / b.factor - 1) < 1e-6
    )


def _differ(a: Value, b: Value) -> bool:
    """Tell whether two written units contradict each other."""
    if a.dims is None or b.dims is None:
        return False
    if hard(a.dims) != hard(b.dims):
        return (bool(hard(a.dims)) and bool(hard(b.dims))) or {a.text, b.text} >= {"%"}
    return a.dims == b.dims and bool(hard(a.dims)) and abs(a.factor / b.factor - 1) > 1e-6


def _currency_clash(value: Value, currency: str) -> Contradiction | None:
    money = [n for n, _ in value.dims or () if n.startswith("money_in_")]
    if not money or currency in money:
        return None
    shown = currency.removeprefix("money_in_").upper()
    return Contradiction(value.text, shown, value, Value(dims=((currency, 1.0),), text=shown), "number format")


_PER_WHAT = re.compile(r"(?:\bper\b|/|\bpro\b|\bpar\b|\bje\b)\s*(.+)$", re.I)


def _money(owner: Label, other: Label, currency: str) -> Value | None:
    """Return the unit of an amount whose currency only its number format says: the label tells what it is per."""
    symbol = {"money_in_usd": "$", "money_in_eur": "EUR", "money_in_gbp": "GBP", "money_in_chf": "CHF"}[currency]
    text = owner.text
    match = _PER_WHAT.search(text)
    if match:
        unit = read_unit(f"{symbol} per {match[1]}") or read_unit(
            f"{symbol} per {match[1].split(',')[0].split('(')[0].strip()}"
        )
        if unit is not None:
            return replace(unit, text=f"{symbol}/{match[1]}")
        return None
    if re.search(r"hourly|stündlich|\brate\b|tariff|tarif|\bfee\b|price|preis|prix", text, re.I):
        return None
    dims: Dims = ((currency, 1.0),)
    return Value(dims=dims, text=symbol)
