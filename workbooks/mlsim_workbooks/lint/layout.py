"""Find out what each number of a sheet is: from its row label, column header, unit column, number format and name.

Sheets are laid out in every way: lists with a unit column, tables with a unit row, transposed tables, merged headers.
One pass over the rows keeps, for every column, the header texts above; and for every row, the label texts to the left.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache

from mlsim_workbooks.lint.algebra import Value, hard, has_money
from mlsim_workbooks.lint.columns import Columns, columns_of
from mlsim_workbooks.lint.formats import format_unit
from mlsim_workbooks.lint.labels import read_label, speaks
from mlsim_workbooks.lint.reader import Book, Grid, Item
from mlsim_workbooks.lint.stated import Size
from mlsim_workbooks.lint.statements import A_COUNT, DATED, EMPTY, UNIT_HEADER, Context, combine
from mlsim_workbooks.lint.unit_texts import CURRENCIES, plain_unit, read_quantity, read_unit, unit_cell
from mlsim_workbooks.lint.vocabulary import CALENDAR, COUNTED_WORDS, COUNTS, MAGNITUDE
from mlsim_workbooks.package import column_number

__all__ = ["contexts"]


@dataclass(slots=True)
class _Heads:
    """The headers above the place the pass has reached."""

    stack: tuple[str, ...] = ()
    seen: bool = False  # numbers since the headers
    row: int = 0
    title: bool = False  # the only text of its row, over a table


@dataclass(frozen=True, slots=True)
class _Row:
    """A row with numbers, by column."""

    number: int
    texts: dict[int, str]  # labels and units
    units: dict[int, str]
    numeric: set[int]
    blanks: set[int]  # where "-" or "n/a" stands for a number or a unit
    labels: list[int]
    runs: dict[int, tuple[int, int]]  # of numbers side by side
    is_table: bool  # the headers name the quantities


# --- one pass over a sheet ------------------------------------------------------------------------------------------


def contexts(book: Book, grid: Grid) -> Iterator[tuple[Item, Context, str]]:
    """Yield every numeric cell of a sheet, and every text that is a quantity, with its context and its row's name."""
    return _Pass(book, grid).run()


@dataclass
class _Pass:
    book: Book
    grid: Grid
    heads: dict[int, _Heads] = field(default_factory=dict)
    memo: dict[object, Context] = field(default_factory=dict)
    merged: dict[tuple[int, int], str] = field(default_factory=dict)
    named: dict[tuple[int, int], str] = field(default_factory=dict)
    label_of: dict[int, int] = field(default_factory=dict)  # columns whose labels stand right of them, with that column
    beside: dict[int, int] = field(default_factory=dict)  # columns of a table right of a list, with its first one
    uses: Columns = field(init=False)  # what the columns are for
    section: tuple[str, str] = ("", "")  # a heading over some rows, and its unit: "Memory, in GB"

    def run(self) -> Iterator[tuple[Item, Context, str]]:
        self.fill_merged()
        self.find_names()
        self.uses = columns_of(self.grid, {c for _, c in self.merged}, self.named)
        last, ended = 0, False  # ended: the row before added up the table above an empty row
        for number, items in self.grid.rows.items():
            if ended or number - last > 1:
                ended = not ended and _totals(items)
                if not ended:
                    self.gap()
            last = number
            texts = self.texts(number, items)
            yield from ((i, EMPTY, "") for i in items if i.numeric and i.col in self.uses.serials)
            numbers = [i for i in items if i.numeric and i.col not in texts and i.col not in self.uses.serials]
            blanks = {c for c, t in texts.items() if numbers and _PLACEHOLDER.fullmatch(t.strip())}
            texts = {c: t for c, t in texts.items() if c not in blanks}
            below = self.grid.rows.get(number + 1, [])
            heads = _left_headers(texts, numbers, below)
            if not heads and (heads := _right_headers(texts, numbers, below)):
                self.beside.update(dict.fromkeys(heads, min(heads)))
            if heads:
                self.headers(number, heads)
                texts = {c: t for c, t in texts.items() if c not in heads}
            tops, columns = self.matrix_top(number, texts, numbers)
            if tops:
                yield from self.top_of_matrix(number, tops, columns)
                texts = {c: t for c, t in texts.items() if c not in tops}
                numbers = [i for i in numbers if i not in columns]
                if not texts and not numbers:
                    continue
            quantities = any(read_quantity(t) for t in texts.values())
            if (not numbers and not quantities) or self.is_axis(numbers, texts):
                if len(texts) == 1 and not numbers and number > 2:
                    self.section = _section(next(iter(texts.values())))
                self.headers(number, texts)
                yield from ((item, DATED if self.is_date(item) else EMPTY, "") for item in numbers)
                continue
            yield from self.row(number, items, texts, numbers, blanks)

    def is_axis(self, numbers: list[Item], texts: dict[int, str]) -> bool:
        """Tell whether the numbers of a row name columns: the months of a plan, the years behind "Unit"."""
        if len(numbers) > 1 and any(UNIT_HEADER.fullmatch(t.strip()) for t in texts.values()):
            return True
        return len(numbers) > 1 and all(map(self.is_date, numbers))

    def matrix_top(self, number: int, texts: dict[int, str], numbers: list[Item]) -> tuple[dict[int, str], list[Item]]:
        """Return the headers and numbers of a row that name rows and columns of a matrix: "Params | Gradients | 2 | 4 | 8"."""
        corners = [c for c, t in texts.items() if _CORNER.fullmatch(t)]
        if corners:
            run = [i for n, i in enumerate(i for i in numbers if i.col > corners[0]) if i.col == corners[0] + 1 + n]
            heads, least = {corners[0]: texts[corners[0]]}, 2
        else:
            run, heads, least = [i for i in numbers if i.form < 0], texts, 3
            if len(texts) < 2 or len(run) < max(len(numbers), least) or max(texts) > run[0].col:
                return {}, []
        over = {*heads, *(i.col for i in run)}
        return (heads, run) if len(run) >= least and _numeric(self.grid.rows.get(number + 1, ())) >= over else ({}, [])

    def top_of_matrix(
        self, number: int, texts: dict[int, str], numbers: list[Item]
    ) -> Iterator[tuple[Item, Context, str]]:
        """Read the numbers of the columns under the heading over them, which says nothing of what stands below."""
        columns, named = {i.col for i in numbers}, dict[int, str]()
        for col, text in list(texts.items()):
            if corner := _CORNER.fullmatch(text):  # "batch \\ context": of the rows, and of the columns
                texts, named = {col: corner[1]}, {col: corner[2]}
                self.heads.pop(col, None)
        alone = _Row(number, named, {}, columns, set(), list(named), {}, False)
        yield from ((i, *self.number(i, alone)) for i in numbers)
        for col in columns & self.heads.keys():
            self.heads[col].stack = ()
        self.heads |= {col: _Heads((text,), row=number) for col, text in texts.items()}

    def code(self, item: Item) -> str:
        """Return the number format of a cell."""
        return self.book.formats[item.style] if item.style < len(self.book.formats) else ""

    def is_date(self, item: Item) -> bool:
        """Tell whether a number is shown as a date."""
        return format_unit(self.code(item)).date

    def texts(self, number: int, items: list[Item]) -> dict[int, str]:
        """Return the texts of a row by column; merged cells repeat theirs."""
        texts = {i.col: i.value for i in items if isinstance(i.value, str) and i.form < 0 and i.value.strip()}
        first = min(texts, default=0)  # a section "PER UNIT" over labels is no header of theirs
        texts = {c: f"per {t}" if c > first and self.prices(c) else t for c, t in texts.items()}
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
            if left == 1 and right > 2 and top == bottom:
                continue  # a title over labels and numbers, no header of them
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
                self.named[int(match[4]), column_number(match[3])] = name

    def gap(self) -> None:
        """Forget headers across an empty row, once numbers have stood under them."""
        self.beside.clear()
        if any(column.seen for column in self.heads.values()):
            for column in self.heads.values():
                kept = any(UNIT_HEADER.fullmatch(h.strip()) or _REMARKS.fullmatch(h.strip()) for h in column.stack[-1:])
                if column.seen or not kept:
                    column.stack, column.seen = (), False

    def headers(self, number: int, texts: dict[int, str]) -> None:
        """Take a row of texts as headers, unless it is a row of a list whose value happens to be a text."""
        if any(_EXTREMES.fullmatch(t.strip()) for t in texts.values()):
            texts = {c: "minimum" if t.strip().lower() == "min" else t for c, t in texts.items()}  # no minutes
        speaking = sum(map(_heads_a_column, texts.values()))
        if len(texts) == 1 and 0 < min(texts) < self.uses.labels_behind:
            return  # a heading over some lines of a list that has its labels behind
        if len(texts) == 1 and self.over_keys(number, min(texts)):
            return  # "All layers, in ms", over the numbers of the rows of a matrix
        begun = any(self.heads[c].seen for c in texts if c in self.heads)
        self.find_labels_right(texts)
        if begun and (UNIT_HEADER.fullmatch(texts[min(texts)].strip()) or _QUOTED.match(texts[min(texts)])):
            return  # the units of the line above
        if begun and (len(texts) < 2 or speaking < (2 if len(texts) < 3 else 1)):
            return
        if begun and _CURRENCY.fullmatch(texts[min(texts)].strip()):
            return  # what each offer is in, not what stands below
        for col, text in texts.items():
            column = self.heads.setdefault(col, _Heads())
            if column.stack and _PLACEHOLDER.fullmatch(text.strip()):
                continue  # "Unit", and "-" below it, in the line of the models
            above = column.title and len(texts) > 2
            if column.seen or number - column.row > 1 or above:
                column.stack, column.seen = (), False
            column.stack = (*column.stack[-3:], text)
            column.row, column.title = number, len(texts) == 1

    def over_keys(self, number: int, col: int) -> bool:
        """Tell whether below a text stand two rows that begin with a number, and have more of them."""
        below = [self.grid.rows.get(number + n, []) for n in (1, 2)]
        return all(len(_numeric(row)) > 2 and row[0].numeric and row[0].col == col for row in below)

    def find_labels_right(self, heads: dict[int, str]) -> None:
        """Note the columns of a block "Value | Unit | Item", whose labels stand behind its numbers."""
        for first, last in set(_runs(set(heads)).values()):
            named = [c for c in range(first, last + 1) if _LABELS.fullmatch(heads[c].strip())]
            before = [heads[c].strip() for c in range(first, named[0])] if len(named) == 1 else []
            if any(map(_VALUES.fullmatch, before)) and all(
                _VALUES.fullmatch(t) or UNIT_HEADER.fullmatch(t) for t in before
            ):
                self.label_of.update(dict.fromkeys(range(first, named[0]), named[0]))
            else:
                for col in range(first, last + 1):
                    self.label_of.pop(col, None)

    # --- rows with numbers ---

    def row(
        self, number: int, items: list[Item], texts: dict[int, str], numbers: list[Item], blanks: set[int]
    ) -> Iterator[tuple[Item, Context, str]]:
        self.end_table(texts, {i.col for i in numbers})
        row = self.row_of(number, texts, numbers, blanks)
        for item in numbers:
            if (column := self.heads.get(item.col)) is not None:
                column.seen = True
            yield item, *self.number(item, row)
        values = {i.col for i in numbers}
        for item in items:
            beside = item.col - 1 in values and not self.head(item.col)  # "1.2 | 30 days"
            note = beside or _REMARKS.fullmatch(self.head(item.col))
            if (
                isinstance(item.value, str)
                and item.form < 0
                and not note
                and item.col not in row.units.keys() | self.uses.units
            ):
                found = read_quantity(item.value)
                if found is not None:
                    yield item, *self.quantity(item, found[1], row)

    def end_table(self, texts: dict[int, str], numeric: set[int]) -> None:
        """Forget the headers of a table where a column of its numbers goes on with the units of a list."""
        units = [c for c, text in texts.items() if c - 1 in numeric and plain_unit(text)]
        over = [h for c in units if (h := self.heads.get(c)) is not None and h.seen and h.stack]
        ended = {h.row for h in over if not UNIT_HEADER.fullmatch(h.stack[-1].strip())}
        for head in self.heads.values() if ended else ():
            if head.row in ended:
                head.stack = ()

    def row_of(self, number: int, texts: dict[int, str], numbers: list[Item], blanks: set[int]) -> _Row:
        """Tell labels, units and numbers of a row apart."""
        said = {
            i.col: i.value
            for i in numbers
            if isinstance(i.value, str) and len(i.value) <= 60 and read_label(i.value).unit
        }
        texts = texts | said  # a formula that gives a text is a label too
        texts = {c: t for c, t in texts.items() if not self.is_symbol(c, texts)}
        typed = {c for c, t in texts.items() if read_quantity(t)}  # "80 GiB" is a number, not a label
        numeric = ({i.col for i in numbers} | blanks | typed) - set(said)
        texts = {c: t for c, t in texts.items() if c not in typed}
        first = min(texts, default=0)
        if self.counts(texts, first):
            texts |= {c: m[1] for c, t in texts.items() if c - 1 in numeric and (m := _MANY_AND.match(t))}
        units = {c: t for c, t in texts.items() if self.is_unit(c, texts, numeric, first)}
        labels = sorted(c for c in texts if c not in numeric and c not in units)
        return _Row(
            number, texts, units, numeric, blanks, labels, _runs(numeric) if units else {}, self.is_table(numeric)
        )

    def is_symbol(self, col: int, texts: dict[int, str]) -> bool:
        """Tell whether a text is a symbol whose meaning stands beside it; "PUE", beside "machine hall", says more."""
        meaning = texts.get(self.uses.explained.get(col, 0), "")
        speaking = re.fullmatch(r"pue|mfu", texts[col].strip(), re.I) and not speaks(meaning)
        return bool(meaning) and not speaking

    def number(self, item: Item, row: _Row) -> tuple[Context, str]:
        """Return the context of a number, and the name of its row."""
        group, entity = self.group(item.col, row)
        unit, apart = self.unit_beside(item.col, row)
        behind = row.units.get(item.col + 1) == unit
        code = self.code(item)
        if unit and not behind and format_unit(code).currency and _no_money(unit):
            unit = ""  # "185 | kW | $142.50": the unit is that of the quantity
        if unit.strip() in CURRENCIES and (group or entity):
            labels = [read_label(t) for t in group]
            own = any(x.strong and x.unit is not None and not has_money(x.unit) for x in labels)
            if behind and own:
                entity, group = entity or "".join(group[:1]), ()  # "egress, TB", in euros
            elif (
                not behind
                and not (apart and self.units_of_all(row.units, unit))
                and (own or any(x.concept not in ("", "money") for x in labels))
            ):
                unit = ""  # the currency of another column
        stack = self.stack(item.col)
        if len(stack) > 1 and _VALUES.fullmatch(stack[-1].strip()):
            stack = tuple(t for t in stack if not _TOPICS.match(t))  # "C. Money and energy", over "Value"
        if not unit and self.section[1] and self.is_of_section(group, entity, stack, code):
            stack, unit = (self.section[0],), self.section[1]
        if group and stack and _CASE.fullmatch(stack[-1].strip()):
            stack = stack[:-1]  # "Growth": a case of the plan
        if stack and unit and row.units.get(item.col + 1) == unit and _its_own(unit) and plain_unit(stack[-1]):
            stack = ()  # another quantity below a table, with its own unit behind it
        name = self.named.get((row.number, item.col), "")
        table = row.is_table and not (item.col - 1 in row.labels and speaks(row.texts[item.col - 1]))
        dash = bool({item.col - 1, item.col + 1} & row.blanks)
        key = (group, stack, unit, name, code, _size(item), table, len(row.texts) == 1, dash)
        context = self.memo.get(key)
        if context is None:
            context = self.memo[key] = combine(*key)
        return context, entity

    def quantity(self, item: Item, value: Value, row: _Row) -> tuple[Context, str]:
        """Return the context of a text that is a number with its unit, and the name of its row."""
        column = self.heads.setdefault(item.col, _Heads())
        column.seen = True
        group, entity = self.group(item.col, row)
        stated = combine(group, column.stack, "", "", "", "")
        typed = value.kinds | {("typed", "text")}
        kinds = typed | {k for k in stated.kinds if not value.kind(k[0])}
        return replace(stated, value=replace(value, kinds=typed), explicit=True, kinds=kinds), entity

    def is_table(self, numeric: set[int]) -> bool:
        """Tell whether the headers above a row name the quantities, so that its label is but a name."""
        heads = [stack[-1] for col in numeric if (stack := self.stack(col))]
        speaking = {h for h in heads if read_label(h).says_something}
        labels = [read_label(h) for h in speaking]
        if len({x.concept for x in labels}) == 1 and not any(x.unit for x in labels) and len(speaking) > 1:
            return False  # "INT8 weights", "INT4 weights": cases of the rows' quantities
        return len(speaking) > 1 and len(speaking) * 2 > len(numeric)

    def is_unit(self, col: int, texts: dict[int, str], numeric: set[int], first: int) -> bool:
        """Tell whether a text of a row with numbers is the unit of one."""
        text = texts[col]
        if text.rstrip().endswith(":") and len(text.strip()) > 1:
            return False  # "Time [h]:", the label of the next number
        long = 40 if self.headed(col) and _PER_WHAT.match(text) else 30
        if len(text) > long or (len(text.strip()) == 1 and text.isalpha() and not self.behind(col, numeric)):
            return False  # "d": the name of a number in a calculation
        column = self.heads.get(col)
        apart = col - 1 not in numeric and col + 1 in numeric and any(c < col - 1 for c in numeric)
        if apart and col not in self.uses.units and not self.headed(col) and "/" in text:
            return False  # "requests/s" of a second list beside the first
        if CALENDAR.fullmatch(text.strip()) and col == first:
            return False  # "Jahr", the line of the year
        if _REMARKS.fullmatch(self.head(col).strip()) and any(self.headed(c) for c in texts):
            return False  # "Tausend EUR", as a remark beside the unit
        if (
            self.headed(col)
            or (self.prices(col) and col > first)
            or (_PER_WHAT.match(text) and "(" not in text and col > first)
        ):
            return True
        if CALENDAR.fullmatch(text.strip()) and column is not None and column.stack and col - 1 not in numeric:
            return False  # "Year", the line below the months
        if (
            MAGNITUDE.fullmatch(text.strip())
            and col - 1 in numeric
            and (len(text.strip()) > 1 or self.counts(texts, first))
        ):
            return True
        sure = "/" in text or text.strip() in _SURE or (col - 1 in numeric and _physical(text))
        if column is not None and self.names_something_else(col) and not sure:
            return False
        if (
            col in self.uses.units
            and len(text) <= 14
            and (col - 1 in numeric or text.strip() in ("T", "M", "B", "k") or MAGNITUDE.fullmatch(text.strip()))
        ):
            return True
        if len(text) > 14 and col - 1 not in numeric:
            return False  # a label that is its own unit: "Tokens per second"
        if col - 1 in numeric and _SHORT_UNIT.fullmatch(text.strip()):
            return True
        unit = unit_cell(text)
        if unit is None or unit.dims is None:
            return False
        counted = col - 1 in numeric and bool(unit.dims) and (text in _COUNTED or unit.factor != 1.0)  # no label
        tokens = unit.dims == (("token", 1.0),) and unit.factor != 1.0  # "Mtok" is no label
        counted |= text.strip() in ("pcs", "pc", "Stk", "Stk.", "Stück") and col > first
        times = unit.text == "x" and text != "x"  # "x rate of the lost hours"
        counted |= unit.text == "fraction" and col - 1 in numeric
        return bool(hard(unit.dims) or unit.text in ("%",) or "/" in text) or counted or tokens or times

    def counts(self, texts: dict[int, str], first: int) -> bool:
        """Tell whether the label of a row is one of parameters or tokens, of which there are M, B and T."""
        return read_label(texts.get(first, "")).concept in ("parameters", "active parameters", "tokens")

    def behind(self, col: int, numeric: set[int]) -> bool:
        """Tell whether a text stands behind a number of its row, or in a column of units."""
        return any(c < col for c in numeric) or col in self.uses.units or self.headed(col)

    def names_something_else(self, col: int) -> bool:
        """Tell whether a column has a header of its own that is not "Unit": its texts are no units of other columns."""
        stack, before = self.stack(col), self.stack(col - 1)
        return bool(stack) and stack != before and not unit_cell(stack[-1]) and len(stack[-1]) < 30

    def group(self, col: int, row: _Row) -> tuple[tuple[str, ...], str]:
        """Return the label texts to the left of a number, the nearest first, and the name of the row.

        Texts that say nothing of the number ("job 123") are left out: a million rows then share their contexts.
        """
        texts, units, found = row.texts, row.units, list[str]()
        before = bisect_left(row.labels, col)
        at = row.labels[before - 1] if before else 0
        if self.uses.labels_behind and texts.get(at, "") in self.uses.symbols:
            if re.fullmatch(r"pue|mfu", texts[at], re.I):
                return (texts[at],), ""
            at = 0
        if col in self.label_of:
            label = "" if self.label_of[col] in units else texts.get(self.label_of[col], "")
            return ((label,), "") if label and speaks(label) else ((), label)
        if at < self.beside.get(col, 0) or (self.uses.gaps and self.beyond_gap(at, col, row.numeric)):
            return (), ""
        behind = texts.get(self.uses.labels_behind, "") if not at and col < self.uses.labels_behind else ""
        if behind:
            return ((behind,), "") if speaks(behind) else ((), behind)
        if not at:  # "GPU-hours | 200 | GPU-h": a label that is a unit itself
            own = min(((c, t) for c, t in units.items() if c < col), default=(0, ""))[1]
            two = len(texts) == len(units) == 2 and (max(units) > col or re.fullmatch("gpu[- ]hours", own, re.I))
            return ((own,), "") if own and (len(texts) == 1 or two) else ((), own)
        while at > 0 and at in texts and len(found) < 4:
            if at not in units and not (at in self.heads and _is_no_label(self.head(at), texts[at])):
                found.append(texts[at])
            at -= 1
        found = found[:4]
        return tuple(t for t in found if speaks(t)), next((t for t in found if not speaks(t)), "")

    def is_of_section(self, group: tuple[str, ...], entity: str, stack: tuple[str, ...], code: str) -> bool:
        """Tell whether a number without a unit of its own has that of the heading over its rows."""
        form = format_unit(code)
        if form.percent or form.currency or form.date or form.quoted or not (group or entity):
            return False
        if _IN.match(entity) or any(
            t.strip() in CURRENCIES or plain_unit(t) or _IN.match(t) for t in (*group, *stack[-1:])
        ):
            return False
        labels = [read_label(t) for t in (*group, *stack[-1:])]
        many = plain_unit(self.section[1]) is None  # "in billions": of whatever its rows are
        return not any(
            x.unit is not None or x.concept in _PURE or (not many and _COUNTED_THINGS.match(x.text)) for x in labels
        )

    def units_of_all(self, units: dict[int, str], unit: str) -> bool:
        """Tell whether a unit stands in a column of other units too, not in one of currencies."""
        cols = [c for c, t in units.items() if t == unit and (c in self.uses.units or self.headed(c))]
        return any(self.uses.beside.get(c, frozenset()) - CURRENCIES for c in cols)

    def beyond_gap(self, label: int, col: int, numeric: set[int]) -> bool:
        """Tell whether a label belongs to a number before the empty columns, not to one behind them."""
        return any(label < g < col and any(label < n < g for n in numeric) for g in self.uses.gaps)

    def unit_beside(self, col: int, row: _Row) -> tuple[str, bool]:
        """Return the unit text that belongs to a number: right of it, or left of it, or at the row's end."""
        texts, units, numeric = row.texts, row.units, row.numeric
        if not units:
            return "", False
        head = self.head(col)
        of = {c: self.unit_head(c) for c in units}
        own = next((u for c, u in units.items() if head and of[c] and of[c] in (head.casefold(), _last_word(head))), "")
        if own:
            return own, True
        units = {c: u for c, u in units.items() if not of[c] and (not self.prices(c) or self.money(col, c))}
        if col + 1 in units and not (col - 1 in units and col + 2 in numeric and col - 2 not in numeric):
            return units[col + 1], True
        if _PER_WHAT.match(units.get(col + 2, "")) and col + 1 not in texts and col + 1 not in numeric:
            return units[col + 2], True
        first, last = row.runs.get(col, (col, col))
        left, right = first - 1, last + 1
        if left in units and units[left].strip() in CURRENCIES and not self.headed(left):
            return "", False
        if self.headed(right) and col < last and A_COUNT.fullmatch(self.head(col)):
            return "", False  # "Count | Size each | Unit": of the size
        before = left - 1 in numeric
        before = before and not (col == left + 1 and right not in units and self.scenarios(left - 1, col))
        if left in units and not before and left + 1 in numeric:
            return units[left], True
        if right in units and not (units[right].strip() in CURRENCIES and right > col + 1):
            return units[right], True
        only = next(iter(units)) if len(units) == 1 else 0
        apart = any(only < r < c < first for r in row.runs for c in row.labels)  # the label of a list beside it
        if only and only < first and self.headed(only) and not apart and not any(c < only for c in row.runs):
            return units[only], True  # beyond cells of the row that are empty
        between = (*row.runs, *row.labels)
        if only > last and self.headed(only) and not any(last < c < only for c in between):
            return units[only], True
        return "", False

    def prices(self, col: int) -> bool:
        """Tell whether a column, headed "per", holds what the prices before it are per."""
        return bool(_PER_HEADER.fullmatch(self.head(col)))

    def money(self, first: int, last: int) -> bool:
        """Tell whether a column stands right before another, or only columns of money stand between them."""
        units = (read_label(self.head(c)).unit for c in range(first, last))
        return first + 1 == last or (first < last and all(u is not None and has_money(u) for u in units))

    def scenarios(self, *cols: int) -> bool:
        """Tell whether columns are headed by names alone: two cases of the same quantities, their unit between them."""
        stacks = [self.stack(col) for col in cols]
        heads = [h for s in stacks for h in s[-1:]]
        counts = any(read_label(h).concept == "replicas" and h.isalpha() for h in heads)  # "copies" are no case
        return len({bool(s) for s in stacks}) == 1 and all(map(_names_case, heads)) and not counts

    def stack(self, col: int) -> tuple[str, ...]:
        """Return the headers of a column, the lowest last."""
        column = self.heads.get(col)
        return column.stack if column is not None else ()

    def head(self, col: int) -> str:
        """Return the lowest header of a column, "" where it has none."""
        stack = self.stack(col)
        return stack[-1].strip() if stack else ""

    def headed(self, col: int) -> bool:
        """Tell whether a column is headed "Unit"."""
        return bool(UNIT_HEADER.fullmatch(self.head(col))) or bool(self.unit_head(col))

    def unit_head(self, col: int) -> str:
        """Return the column whose units a column headed "unit cluster" holds: "cluster"."""
        match = _UNIT_OF.fullmatch(self.head(col))
        if match is None:
            return ""
        of, heads = (match[1] or match[2]).casefold(), [self.head(c) for c in self.heads if c != col]
        return of if of in {h.casefold() for h in heads} or (match[2] and of in map(_last_word, heads)) else ""


_CURRENCY = re.compile(r"(?:[a-zäé]+ )?(?:currency|ccy|währung|devise|monnaie)", re.I)


@lru_cache(maxsize=65536)
def _is_no_label(head: str, text: str) -> bool:
    """Tell whether a text below a header is none that says what a number is: the plan "Growth", what is "billed per"."""
    return bool(head and _CASE.fullmatch(text.strip())) or bool(_QUOTED.match(head.strip()))


def _last_word(header: str) -> str:
    """Return what a header is about: "size" of "Avg. size", whose units a column "size unit" has."""
    return header.casefold().rpartition(" ")[2]


def _size(item: Item) -> Size:
    """Return how large a typed number is; formulas of one shape share what is said of them."""
    if not isinstance(item.value, float) or item.form >= 0:
        return ""
    return "part" if 0 < abs(item.value) <= 1 else "million" if item.value >= 1e6 else ""


def _no_money(text: str) -> bool:
    """Tell whether a unit is of anything but money, and no "per kWh" either."""
    unit = unit_cell(text)
    return unit is not None and not has_money(unit) and not _PER_WHAT.match(text)


def _its_own(unit: str) -> bool:
    """Tell whether a text behind a number is a unit, or "x rate of ...", whatever the header of its column says."""
    return plain_unit(unit) is not None or unit.startswith("x ")


def _left_headers(texts: dict[int, str], numbers: list[Item], below: list[Item]) -> dict[int, str]:
    """Return the headers of a table that another, behind an empty column, stands beside: "Item | Qty | Price |  | VAT | 0.19"."""
    if not numbers or not texts:
        return {}
    first = last = min(texts)
    while last + 1 in texts:
        last += 1
    alone = all(n.col > last + 1 for n in numbers)
    found = {c: t for c, t in texts.items() if first <= c <= last}
    if not alone or len(found) < 3:
        return {}
    labelled = any(isinstance(i.value, str) and i.form < 0 and i.col < first for i in below)
    cases = labelled and found.keys() <= _numeric(below)  # each a case of the rows below
    return found if cases or sum(map(speaks, found.values())) >= 2 else {}


def _right_headers(texts: dict[int, str], numbers: list[Item], below: list[Item]) -> dict[int, str]:
    """Return the headers of a table that stands behind an empty column right of a line of a list."""
    last = max((n.col for n in numbers), default=0)
    behind = sorted(c for c in texts if c > last + 1)
    run = [c for n, c in enumerate(reversed(behind)) if c == behind[-1] - n]
    apart = last and len(run) >= 3 and run[-1] - 1 not in texts
    return {c: texts[c] for c in run} if apart and _numeric(below) >= set(run) else {}


def _numeric(items: Iterable[Item]) -> set[int]:
    """Return the columns of a row that hold numbers."""
    return {i.col for i in items if i.numeric}


def _totals(items: list[Item]) -> bool:
    """Tell whether a row adds up the columns above it: an empty row before it does not end their table."""
    formulas = [i for i in items if i.form >= 0]
    if len(formulas) == 1 and len(formulas[0].refs) > 2:
        return False  # a product of columns: a figure of its own
    return sum(_adds_up(i) for i in formulas) * 2 > len(formulas)


def _adds_up(item: Item) -> bool:
    """Tell whether a formula takes a range of its own column, above it."""
    places = [re.fullmatch(r"\$?([A-Z]{1,3})\$?(\d+)", ref) for ref in item.refs[:2]]
    return len(places) == 2 and all(
        p is not None and column_number(p[1]) == item.col and int(p[2]) < item.row for p in places
    )


_UNIT_OF = re.compile(r"(?:unit|einheit|unité),? (.+)|(.+) unit", re.I)
_SHORT_UNIT = re.compile(
    r"(?:k?g|t) ?/ ?\w+|(?:per|pro|par|je) (?:day|month|year|week|query|request|user|tag|monat|jahr|jour|mois|an)"
)
_PER_HEADER = re.compile(r"(?:price |rate )?(?:per|je|par|pro)(?: unit)?", re.I)
_PER_WHAT = re.compile(r"(?:per|pro|par|je) [a-zA-Z]", re.I)
_SURE = frozenset(("ms", "µs", "GB", "TB", "GiB", "TiB", "kW", "kWh", "MWh", "TFLOP", "GFLOP"))
_COUNTED = frozenset((*COUNTED_WORDS, "tokens", "tok", "requests", "users", "images", "GPUs", "parameters", "sessions"))


def _runs(numeric: set[int]) -> dict[int, tuple[int, int]]:
    """Return, for each column with a number, the first and last of the run of numbers it stands in."""
    runs: dict[int, tuple[int, int]] = {}
    for col in sorted(numeric):
        if col not in runs:
            last = col
            while last + 1 in numeric:
                last += 1
            runs.update(dict.fromkeys(range(col, last + 1), (col, last)))
    return runs


_PLACEHOLDER = re.compile(r"n/?a|1|[-–—?.…]+|tbd|tba|none|k\.\s?a\.?|s\.o\.|nd", re.I)


def _physical(text: str) -> bool:
    """Tell whether a text is nothing but a unit of information, energy or operations."""
    unit = plain_unit(text) if text not in ("Mo", "To", "Po", "Ko") else None  # months, to
    return unit is not None and any(n in ("information", "energy", "operation") for n, _ in unit.dims or ())


def _names_case(header: str) -> bool:
    """Tell whether a header is the name of a case: "8B, DP only"."""
    label = read_label(header)
    if _PRICE.fullmatch(header.strip()):
        return False
    plain = label.unit is None and label.concept in ("", "parallel", "replicas", "parameters")
    return plain and not UNIT_HEADER.fullmatch(header.strip()) and not _NOTES.match(header)


def _section(text: str) -> tuple[str, str]:
    """Return a heading without its unit, and the unit that it gives the rows below it: "4  Memory, in GB"."""
    for pattern in _SECTIONS:
        match = pattern.match(text) if len(text) < 70 else None
        if match is None:
            continue
        rest = f"{match[1]} {match['more'] or ''}".strip()
        unit = read_unit(match[2], read_label(rest).concept) or unit_cell(match[2])
        if unit is not None and (hard(unit.dims or ()) or (unit.dims and unit.factor != 1.0)):
            return rest, match[2]
    return "", ""


_IN = re.compile(r"(?:in|as|en) \S+$", re.I)
_SECTIONS = (
    re.compile(r"(.*\S) ?[\[(](?:(?:all )?in |en |alle in )?([^\[\]() ][^\[\]()]{0,29})[\])](?P<more>)$", re.I),
    re.compile(r"(.*\S)[,:]? (?:all )?(?:in|en) ([^\[\]() ][^\[\]()]{0,29}?)(?: (?P<more>\([^()]*\)))?$", re.I),
)
_PURE = COUNTS | {"users", "parallel", "growth", "exchange rate", "images", "device hours", "bytes each"}
_EXTREMES = re.compile(r"max\.?|maximum|typ\.?|typical|mean|avg\.?|median", re.I)  # beside "min"
_MANY_AND = re.compile(r"([MBTk]|bn|millions?|billions?), [a-z]")  # "M, cacheable"
_COUNTED_THINGS = re.compile(r"(?:[\w-]+ )?(?:tokens|param(?:eter|s|ètre)\w*)\b", re.I)
_LABELS = re.compile(
    r"items?|parameter|description|what(?: it is)?|quantity|metric|label|bezeichnung|beschreibung|größe|kennzahl|posten|désignation"
    r"|libellé|poste|grandeur|meaning|bedeutung",
    re.I,
)
_TOPICS = re.compile(r"(?:[A-Z]|\d{1,2})[.)] .*\b(?:and|und|et)\b")


def _heads_a_column(text: str) -> bool:
    """Tell whether a text says what stands below it."""
    known = _VALUES.fullmatch(text.strip()) or UNIT_HEADER.fullmatch(text.strip())
    return bool(known) or read_label(text).says_something or unit_cell(text) is not None


_QUOTED = re.compile(r"(?:price )?(?:quoted|priced|billed|charged|sold|abgerechnet|facturé)\b", re.I)  # "Quoted per"
_CORNER = re.compile(r"(.*\S) *\\ *(\S.*)")
_VALUES = re.compile(r"values?|werte?|valeurs?|amount|figure|betrag|montant", re.I)
_PRICE = re.compile(r"(?:unit )?(?:rate|price|tariff|cost)|(?:einzel)?preis|tarif|satz|prix|coût", re.I)
_CASE = re.compile(r"(?:base|growth|peak|stress|launch|peak year|growth case|wachstum|croissance)", re.I)
_REMARKS = re.compile(
    r"(?:comment|note|remark|source|hint)s?|bemerkung(?:en)?|kommentar|hinweise?|quelle|anmerkung|remarques?|commentaires?",
    re.I,
)
_NOTES = re.compile(r"note|remark|comment|source|bemerkung|quelle|remarque|how|what|year|date", re.I)
