"""Work out the unit of every formula from the units of what it uses, and note where units do not go together.

A formula's result depends only on the units of its operands, so one evaluation serves all cells that a formula was
filled down to. Units also flow backwards: a cell without a label that is added to gigabytes holds gigabytes.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from types import MappingProxyType

from mlsim_workbooks import formulas as fx
from mlsim_workbooks.lint import syntax as sx
from mlsim_workbooks.lint.algebra import (
    UNKNOWN,
    Value,
    compare,
    counts_something,
    either_way,
    hard,
    has_money,
    is_conversion,
    is_time,
    literal,
)
from mlsim_workbooks.lint.evaluate import KEEPERS, Evaluation
from mlsim_workbooks.lint.layout import contexts
from mlsim_workbooks.lint.naming import is_thousands
from mlsim_workbooks.lint.pairs import Clash
from mlsim_workbooks.lint.reader import WIDE, Book, Grid, Item
from mlsim_workbooks.lint.shapes import constant_of, doubles, written
from mlsim_workbooks.lint.statements import EMPTY, Context
from mlsim_workbooks.lint.unit_texts import quantities_in
from mlsim_workbooks.package import LAST_ROW, RecalcError, column_number, position

__all__ = ["Cellwise", "Inference", "Key", "infer", "key_of", "sheet_of"]

_SMALL_AREA = 400
_MAX_DISTINCT = 12

Key = tuple[int, int]  # number of the sheet, Item.key


@dataclass(slots=True)
class Cellwise:
    """What is known of one cell."""

    key: Key
    item: Item
    context: Context
    entity: str = ""  # the row's name, where it says nothing of the number: "H100", "job 12"
    value: Value = UNKNOWN  # of the number in it
    computed: Value | None = None  # of its formula
    clashes: tuple[Clash, ...] = ()
    done: bool = False
    relative: tuple[int, tuple[str, ...]] | None = None  # its formula as ``series`` compares it, once worked out

    @property
    def sheet(self) -> int:
        """The number of its sheet."""
        return self.key[0]

    @property
    def label(self) -> str:
        """What a person would call the cell."""
        return " · ".join(dict.fromkeys(t for t in (self.entity, self.context.label) if t))

    @property
    def words(self) -> str:
        """Everything that is written beside and above the cell."""
        return " ".join((self.entity, *self.context.texts)) if self.entity else " ".join(self.context.texts)


@dataclass
class Inference:
    """The units of a whole workbook."""

    book: Book
    cells: dict[Key, Cellwise]
    sheets: dict[str, int]

    run: _Run | None = None
    _used: tuple[Key, Mapping[Key, Cellwise]] = ((-1, -1), MappingProxyType({}))
    _texts: dict[Key, tuple[str, ...]] = field(default_factory=dict)
    _mentions: dict[re.Pattern[str], bool] = field(default_factory=dict)

    def tree(self, form: int) -> sx.Node | None:
        """Return the tree of a formula's form."""
        return self.run.tree(form) if self.run is not None else None

    def uses(self, cell: Cellwise) -> Mapping[Key, Cellwise]:
        """Return the cells with numbers that a formula refers to, by their keys; none for a typed number."""
        if self._used[0] != cell.key:  # the rules ask for those of one cell many times in turn
            needed = self.run.needs(cell.sheet, cell.item) if self.run is not None and cell.item.form >= 0 else ()
            self._used = cell.key, {k: self.cells[k] for k in needed if k in self.cells}
        return self._used[1]

    def guesses(self, cell: Cellwise) -> bool:
        """Tell whether a formula uses a number that nothing is written about: what seems missing may be in it."""
        return any(
            not (c.context.explicit or c.context.concept or (c.context.label and not c.entity and c.item.form >= 0))
            for c in self.uses(cell).values()
        )

    def texts_of(self, sheet: int, row: int) -> tuple[str, ...]:
        """Return the texts that are written in a row."""
        found = self._texts.get((sheet, row))
        if found is None:
            items = self.book.grids[sheet].rows.get(row, ())
            found = self._texts[sheet, row] = tuple(i.value for i in items if isinstance(i.value, str) and i.form < 0)
        return found

    def mentions(self, pattern: re.Pattern[str]) -> bool:
        """Tell whether any text of the workbook has a pattern."""
        if pattern not in self._mentions:
            self._mentions[pattern] = any(pattern.search(text) for text in self.book.texts)
        return self._mentions[pattern]

    @cached_property
    def _titles(self) -> tuple[list[tuple[int, str]], ...]:
        """The rows of each sheet with one text alone."""
        alone = (((row, items[0]) for row, items in grid.rows.items() if len(items) == 1) for grid in self.book.grids)
        return tuple([(row, i.value) for row, i in rows if isinstance(i.value, str) and i.form < 0] for rows in alone)

    def title(self, sheet: int, row: int) -> str:
        """Return the title of the part of a sheet that a row stands in: the last row above with one text alone."""
        titles = self._titles[sheet]
        before = bisect_left(titles, (row, ""))
        return titles[before - 1][1] if before and len(titles[before - 1][1]) <= 80 else ""

    @cached_property
    def quantities(self) -> Mapping[float, Collection[Value]]:
        """The units that stand behind each number in any text of the workbook: {60.0: {W}}."""
        found: dict[float, set[Value]] = {}
        for text in self.book.texts:
            for number, unit in quantities_in(text):
                found.setdefault(number, set()).add(unit)
        return found

    def standing(self, cell: Cellwise) -> str:
        """Return whether the formula of a cell gives what its label says: "good", "bad", or "unknown"."""
        stated = cell.context.value
        if cell.item.form < 0:
            return "good"
        if cell.computed is None or not cell.computed.known or stated is None:
            return "unknown"
        if "share of the day" in cell.computed.parts:
            return "unknown"  # of the requests of a day, so many in an hour
        mismatch = compare(cell.computed, stated)
        if (
            mismatch is not None
            and not mismatch.dims
            and hard(stated.dims or ()) != ()
            and is_thousands(mismatch.ratio)
        ):
            counted = any(n in ("token", "parameter", "sample", "request") for n, _ in cell.computed.dims or ())
            if counted:
                return "unknown"  # of billions that do not say so
        operations = mismatch is not None and {n for n, _ in mismatch.dims} == {"operation", "integer_operation"}
        return "good" if mismatch is None or operations else "bad"

    def were_counts(self, cell: Cellwise) -> Value | None:
        """Return what a formula gives were its numbers without a unit plain counts; None where one may be more."""
        tree = self.tree(cell.item.form)
        if tree is None or self.run is None:
            return None
        given: dict[sx.Node, object] = {}
        for node in _places(tree):
            value = self.run.place_value(node, cell.sheet, cell.item)
            if isinstance(value, Value) and not value.known:
                other = self.cell_of(cell, node)
                if other is None or not _may_be_count(other):
                    return None
                dims = _COUNTED.get(other.context.concept, ())
                value = replace(value, dims=dims, factor=math.nan if dims else 1.0)
            given[node] = value if isinstance(value, Value) else value[0]
        return Evaluation(given).value(tree)

    def as_said(self, cell: Cellwise) -> Value | None:
        """Return what a formula gives with the numbers that its label, or a note, gives a unit: "1.2 kB per request"."""
        tree = self.tree(cell.item.form)
        label = " ".join(cell.context.texts[:1]) or cell.entity
        notes = (t for t in self.texts_of(cell.sheet, cell.item.row) if t != label)
        noted = ((n, u) for text in notes for n, u in quantities_in(text) if u.dims != (("time", 1.0),))
        said = {n: replace(u, text="") for n, u in (*noted, *quantities_in(label))}
        if tree is None or not any(n in said for n in written(tree)):
            return None
        evaluation = self.evaluation(cell, said)
        return None if evaluation is None else evaluation.value(tree)

    def evaluation(
        self,
        cell: Cellwise,
        said: Mapping[float, Value] = MappingProxyType({}),
        instead: Mapping[Key, Value] = MappingProxyType({}),
    ) -> Evaluation | None:
        """Return what works out any part of a cell's formula; ``said``: numbers in it that have a unit, ``instead``: cells."""
        tree = self.tree(cell.item.form)
        if tree is None or self.run is None:
            return None
        given: dict[sx.Node, object] = {}
        for node in _places(tree):
            value = self.run.place_value(node, cell.sheet, cell.item)
            other = instead.get(place) if instead and (place := self.place_of(cell, node)) else None
            given[node] = other or (value if isinstance(value, Value) else value[0])
        return Evaluation(given, said=said)

    def nameless(self, cell: Cellwise) -> bool:
        """Tell whether a formula uses a number beside which at most a unit is written."""
        return any(_nameless(c) for c in self.uses(cell).values())

    @cached_property
    def users(self) -> dict[Key, list[Cellwise]]:
        """The formulas that use each cell."""
        found: dict[Key, list[Cellwise]] = {}
        for cell in self.cells.values():
            for used in self.uses(cell):
                found.setdefault(used, []).append(cell)
        return found

    def passed_by(self, cell: Cellwise, used: Cellwise) -> Iterator[Cellwise]:
        """Yield the other formulas of what a cell uses that are worked out and used by none."""
        return (c for c in self.users.get(used.key, ()) if c is not cell and not self.users.get(c.key))

    @cached_property
    def references(self) -> tuple[set[Key], set[tuple[int, int, int, int]]]:
        """The cells that formulas refer to, and the wide ranges: (sheet, column, first row, last row)."""
        return self.run.references() if self.run is not None else (set(), set())

    def place_of(self, cell: Cellwise, node: sx.Node) -> Key | None:
        """Return the key of the cell that a reference or a name in a formula means."""
        if isinstance(node, sx.Name) and self.run is not None:
            named = self.run.name(node.name, cell.sheet)
            if named is None or not isinstance(named[0], sx.Ref):
                return None
            return key_of(self.sheets, cell.sheet, named[0], named[1])
        return key_of(self.sheets, cell.sheet, node, cell.item.refs) if isinstance(node, sx.Ref) else None

    def cell_of(self, cell: Cellwise, node: sx.Node) -> Cellwise | None:
        """Return the cell that a reference or a name in a formula means."""
        place = self.place_of(cell, node)
        return self.cells.get(place) if place is not None else None

    def at(self, sheet: int, row: int, col: int) -> Cellwise | None:
        """Return a cell, or None when nothing stands there."""
        return self.cells.get((sheet, row * WIDE + col))

    def near(self, cell: Cellwise, down: int = 0, across: int = 0) -> Cellwise | None:
        """Return the cell so many rows below another and so many columns right of it."""
        return self.at(cell.sheet, cell.item.row + down, cell.item.col + across)


def infer(book: Book) -> Inference:
    """Give every numeric cell of a workbook a unit, as far as anything tells it."""
    return _Run(book).run()


Area = tuple[tuple[Value, ...], ...]  # the distinct values of each column of a range


@lru_cache(maxsize=1 << 18)
def _place(ref: str) -> tuple[int, int]:
    return position(ref)


def sheet_of(sheets: Mapping[str, int], own: int, node: sx.Ref | sx.Area) -> int:
    """Return the number of the sheet that a reference in a formula on sheet ``own`` leads to; -1 where there is none."""
    return sheets.get(node.sheet, -1) if node.sheet else own


def key_of(sheets: Mapping[str, int], own: int, node: sx.Ref, refs: Sequence[str]) -> Key:
    """Return the key of the cell that a reference leads to."""
    row, col = _place(refs[node.mark])
    return sheet_of(sheets, own, node), row * WIDE + col


@dataclass
class _Run:
    book: Book
    cells: dict[Key, Cellwise] = field(default_factory=dict)
    trees: dict[int, sx.Node | None] = field(default_factory=dict)
    memo: dict[object, tuple[Value, tuple[Clash, ...], dict[sx.Node, object]]] = field(default_factory=dict)
    segments: dict[tuple[int, int], list[int]] = field(default_factory=dict)  # where the context changes
    backward: dict[Key, Value] = field(default_factory=dict)
    known: dict[Value, Value] = field(default_factory=dict)
    merged: dict[object, Value] = field(default_factory=dict)
    name_trees: dict[str, tuple[sx.Node, tuple[str, ...]] | None] = field(default_factory=dict)

    def run(self) -> Inference:
        self.sheets = {g.name.lower(): i for i, g in enumerate(self.book.grids)}
        self.columns: dict[tuple[int, int], list[int]] = {}
        for index, grid in enumerate(self.book.grids):
            self.declare(index, grid)
        for key in self.cells:
            self.settle(key)
        if self.backward:
            self.again()
        return Inference(self.book, self.cells, self.sheets, self)

    def declare(self, index: int, grid: Grid) -> None:
        """Take what labels say."""
        constants: dict[int, Value] = {}
        for item, context, entity in contexts(self.book, grid):
            key = index, item.key
            cell = self.cells[key] = Cellwise(key, item, context, entity)
            self.columns.setdefault((index, item.col), []).append(item.row)
            if context.date:
                cell.value = _DATE
            elif context.value is not None:
                cell.value = self.one(_of_one(context, entity, item.value) if item.form < 0 else context.value)
            else:
                value = constants.get(id(context))
                if value is None:
                    kinds = frozenset(k for k in context.kinds if k[0] != "period")
                    parts = frozenset({context.concept} if context.concept else ())
                    value = constants[id(context)] = Value(None, kinds=kinds, parts=parts)
                cell.value = self.one(value)
                if item.form < 0 and isinstance(item.value, float) and _is_constant(item.value, cell):
                    cell.value = self.one(replace(literal(item.value), number=None))
            if item.form < 0 and item.value in _IN_ONE and _SMALLER_IN.fullmatch("".join(context.texts[:1]).strip()):
                cell.value = self.one(replace(literal(item.value), number=None))  # "Seconds in an hour", in s
            if item.form < 0 and item.value == 1.0 and context.concept == "exchange rate":
                cell.value = self.one(literal(1.0))  # of the currency itself
            if item.form < 0 and item.value == 0.0 and not hard(cell.value.dims or ()):
                cell.value = UNKNOWN  # none of anything
            cell.done = item.form < 0
        for found, column in self.columns.items():
            if found[0] == index:
                column.sort()

    def again(self) -> None:
        """Give cells without a label the unit that formulas need of them, and work out once more what uses them."""
        changed = False
        for key, value in self.backward.items():
            cell = self.cells.get(key)
            if cell is not None and cell.item.form < 0 and not cell.value.known:
                cell.value = self.one(replace(value, parts=cell.value.parts))
                changed = True
        if not changed:
            return
        self.memo.clear()
        self.merged.clear()
        for cell in self.cells.values():
            cell.done = cell.item.form < 0
            if not cell.done and cell.context.value is None:
                cell.value = self.one(Value(None, kinds=cell.value.kinds, parts=cell.value.parts))
        for key in self.cells:
            self.settle(key)

    # --- evaluation order ---

    def settle(self, key: Key) -> None:
        """Work out one cell and, first, all it depends on; a stack instead of recursion, for chains of any length."""
        cell = self.cells[key]
        if cell.done:
            return
        stack = [key]
        entered = set()
        while stack:
            at = stack[-1]
            cell = self.cells[at]
            if cell.done:
                stack.pop()
                continue
            if at in entered:
                self.work_out(at, cell)
                cell.done = True
                stack.pop()
                continue
            entered.add(at)
            for needed in self.needs(at[0], cell.item):
                other = self.cells.get(needed)
                if other is not None and not other.done and needed not in entered:
                    stack.append(needed)

    def tree(self, form: int) -> sx.Node | None:
        if form not in self.trees:
            try:
                self.trees[form] = sx.parse_formula(self.book.forms[form])
            except (fx.FormulaError, RecursionError):
                self.trees[form] = None
        return self.trees[form]

    def needs(self, sheet: int, item: Item) -> Iterable[Key]:
        """Return the cells a formula refers to: single ones and those of small ranges."""
        tree = self.tree(item.form)
        if tree is None:
            return
        for node in _places(tree):
            if isinstance(node, sx.Name):
                named = self.name(node.name, sheet)
                if named is not None and isinstance(named[0], sx.Ref):
                    index = self.sheets.get(named[0].sheet, -1)
                    row, col = _place(named[1][0])
                    yield index, row * WIDE + col
                continue
            if isinstance(node, sx.Ref):
                yield key_of(self.sheets, sheet, node, item.refs)
            elif node.kind == "ref":
                index = sheet_of(self.sheets, sheet, node)
                (top, left), (bottom, right) = _place(item.refs[node.first]), _place(item.refs[node.last])
                if (bottom - top + 1) * (right - left + 1) <= _SMALL_AREA:
                    for row in range(top, bottom + 1):
                        for col in range(left, right + 1):
                            yield index, row * WIDE + col

    def references(self) -> tuple[set[Key], set[tuple[int, int, int, int]]]:
        """Return the cells that any formula refers to, and the columns of the ranges that are too wide to list."""
        near: set[Key] = set()
        wide: set[tuple[int, int, int, int]] = set()
        for (sheet, _), cell in self.cells.items():
            tree = self.tree(cell.item.form) if cell.item.form >= 0 else None
            if tree is None:
                continue
            near.update(self.needs(sheet, cell.item))
            for node in _places(tree):
                named = self.name(node.name, sheet) if isinstance(node, sx.Name) else None
                area, refs = named or (node, cell.item.refs)
                if isinstance(area, sx.Area):
                    wide.update((sheet_of(self.sheets, sheet, area), *span) for span in self.spans(area, refs))
        return near, wide

    def name(self, name: str, sheet: int) -> tuple[sx.Node, tuple[str, ...]] | None:
        """Return the tree of a defined name."""
        if name not in self.name_trees:
            definition = self.book.names.get(
                (self.book.grids[sheet].name.lower(), name), self.book.names.get(("", name))
            )
            found = None
            if definition is not None:
                try:
                    shape, refs = fx.shape(definition)
                    found = sx.parse_formula(shape), tuple(refs)
                except (fx.FormulaError, RecursionError):
                    found = None
            self.name_trees[name] = found
        return self.name_trees[name]

    # --- one formula ---

    def work_out(self, key: Key, cell: Cellwise) -> None:
        """Evaluate a cell's formula and settle what its number is."""
        item = cell.item
        tree = self.tree(item.form)
        if tree is None or cell.context.date:
            return
        places = _places(tree)
        values = [self.place_value(node, key[0], item) for node in places]
        memo_key = (item.form, *(id(v) if isinstance(v, Value) else v[1] for v in values))
        found = self.memo.get(memo_key)
        if found is None:
            given: dict[sx.Node, object] = {
                n: v if isinstance(v, Value) else v[0] for n, v in zip(places, values, strict=True)
            }
            evaluation = Evaluation(given)
            value = self.one(evaluation.value(tree))
            found = self.memo[memo_key] = value, tuple(evaluation.clashes), given
        cell.computed, cell.clashes, inputs = found
        if cell.context.headed and _added_over_time(tree):
            cell.context = replace(cell.context, value=None, explicit=False)
        stated = cell.context.value
        merged_key = (id(cell.computed), id(cell.context), item.form)
        merged = self.merged.get(merged_key)
        if merged is None:
            merged = self.merged[merged_key] = self.one(_merge(cell, cell.computed, stated, doubles(tree)))
        cell.value = merged
        if stated is not None and any(isinstance(v, Value) and not v.known for v in values):
            self.push_back(tree, stated, inputs, key[0], item)

    def one(self, value: Value) -> Value:
        """Return the one object that stands for a value: evaluations are remembered by the identity of their inputs."""
        return self.known.setdefault(value, value)

    def place_value(self, node: sx.Node, sheet: int, item: Item) -> Value | tuple[Area, tuple[int, ...]]:
        """Return the value of a cell, or the distinct values of a range with what they are remembered by."""
        if isinstance(node, sx.Name):
            return self.named_value(node.name, sheet)
        assert isinstance(node, (sx.Ref, sx.Area))
        return self.referred(node, sheet, item.refs)

    def referred(self, node: sx.Ref | sx.Area, sheet: int, refs: Sequence[str]) -> Value | tuple[Area, tuple[int, ...]]:
        if isinstance(node, sx.Ref):
            cell = self.cells.get(key_of(self.sheets, sheet, node, refs))
            return cell.value if cell is not None else UNKNOWN
        return self.area(sheet_of(self.sheets, sheet, node), node, refs)

    def named_value(self, name: str, sheet: int) -> Value | tuple[Area, tuple[int, ...]]:
        named = self.name(name, sheet)
        if named is None:
            return UNKNOWN
        node, refs = named
        if isinstance(node, (sx.Number, sx.Unary)):
            number = constant_of(node)
            return UNKNOWN if number is None else self.one(literal(number))
        return self.referred(node, sheet, refs) if isinstance(node, (sx.Ref, sx.Area)) else UNKNOWN

    def area(self, sheet: int, node: sx.Area, refs: Sequence[str]) -> tuple[Area, tuple[int, ...]]:
        """Return, for each column of a range, its distinct values; and their identities."""
        columns: list[tuple[Value, ...]] = []
        for col, top, bottom in self.spans(node, refs):
            rows = self.columns.get((sheet, col), [])
            low, high = bisect_left(rows, top), bisect_right(rows, bottom)
            chosen: Iterable[int] = rows[low:high]
            if high - low > _SMALL_AREA:
                chosen = self.changes(sheet, col, low, high)
            distinct: dict[Value, None] = {}
            for row in chosen:
                distinct.setdefault(self.cells[sheet, row * WIDE + col].value)
                if len(distinct) >= _MAX_DISTINCT:
                    break
            columns.append(tuple(distinct))
        return tuple(columns), tuple(x for column in columns for x in (*map(id, column), 0))

    def spans(self, node: sx.Area, refs: Sequence[str]) -> list[tuple[int, int, int]]:
        """Return (column, first row, last row) of each column of a range."""
        if node.kind == "cols":
            first, _, last = refs[node.first].replace("$", "").partition(":")
            a, b = sorted((column_number(first), column_number(last)))
            return [(c, 1, LAST_ROW) for c in range(a, min(b, a + 60) + 1)]
        if node.kind == "rows":
            first, _, last = refs[node.first].replace("$", "").partition(":")
            top, bottom = sorted((int(first), int(last)))
            return [(c, top, bottom) for c in range(1, 61)]
        try:
            (r1, c1), (r2, c2) = _place(refs[node.first]), _place(refs[node.last])
        except RecalcError:
            return []
        left, right = sorted((c1, c2))
        return [(c, min(r1, r2), max(r1, r2)) for c in range(left, min(right, left + 60) + 1)]

    def changes(self, sheet: int, col: int, low: int, high: int) -> Iterable[int]:
        """Return the rows of a long column where the labels' unit changes, and the first of the range."""
        starts = self.segments.get((sheet, col))
        rows = self.columns[sheet, col]
        if starts is None:
            starts = self.segments[sheet, col] = []
            before: object = None
            for i, row in enumerate(rows):
                context = self.cells[sheet, row * WIDE + col].context
                if context is not before:
                    starts.append(i)
                    before = context
        yield rows[low]
        for i in starts[bisect_right(starts, low) : bisect_left(starts, high)]:
            yield rows[i]

    # --- backwards ---

    def push_back(self, node: sx.Node, due: Value, inputs: dict[sx.Node, object], sheet: int, item: Item) -> None:
        """Give an unlabelled operand the unit that makes a formula agree with its cell."""
        if not due.known or not hard(due.dims or ()) or due.factor != due.factor:
            return
        if isinstance(node, sx.Ref):
            self.suggest(node, due, inputs, sheet, item)
        elif isinstance(node, sx.Unary):
            self.push_back(node.operand, due, inputs, sheet, item)
        elif isinstance(node, sx.Binary) and node.operator in "+-":
            self.push_back(node.left, due, inputs, sheet, item)
            self.push_back(node.right, due, inputs, sheet, item)
        elif isinstance(node, sx.Call) and node.name in KEEPERS and node.args and node.args[0] is not None:
            self.push_back(node.args[0], due, inputs, sheet, item)

    def suggest(self, node: sx.Ref, due: Value, inputs: dict[sx.Node, object], sheet: int, item: Item) -> None:
        if inputs.get(node) == UNKNOWN:
            key = key_of(self.sheets, sheet, node, item.refs)
            cell = self.cells.get(key)
            if cell is not None and cell.context == EMPTY:
                plain = Value(due.dims, due.factor, text=due.text)
                known = self.backward.get(key)
                if known is None or compare(known, plain) is None:
                    self.backward.setdefault(key, plain)


_COUNTED = {"parameters": (("parameter", 1.0),), "active parameters": (("parameter", 1.0),)}  # ... or millions of them


_DATE = Value(kinds=frozenset({("date", "date")}))


def _may_be_count(cell: Cellwise) -> bool:
    """Tell whether a typed number has a label that says neither a unit nor a quantity."""
    context = cell.context
    typed = cell.item.form < 0 and isinstance(cell.item.value, float)
    if typed and context.concept in ("ratio", "share") and 0.0 < float(cell.item.value or 0.0) <= 1.0:
        return True
    if re.search(r"\((?:k|M|Mio\.?|B|bn)\)", cell.words):
        return False  # so many millions
    return typed and bool(context.label) and not context.explicit and context.concept in ("", "count", *_COUNTED)


def _nameless(cell: Cellwise) -> bool:
    """Tell whether only a unit is written beside a number, not what it is."""
    hours = isinstance(cell.item.value, float) and is_time(cell.item.value)  # "Hours per year" is a unit, too
    return not (cell.context.texts or cell.entity or counts_something(cell.value) or hours)


_ONE = re.compile(
    r"(?:(?P<device>gpu|accelerator|card|chip)|(?P<node>node|server|host|knoten)|(?P<rack>rack)|(?P<drive>drive|disk|ssd)"
    r"|(?P<switch>switch)|(?P<optic>optic|transceiver)|(?P<camera>camera))"
    r"[ _](?:\w+[ _])?(?:power|draw|tdp|price|cost|capacity|memory|size|bandwidth|leistung|preis|rate)\b",
    re.I,
)


_WORTH = {
    "money_in_usd": 1.0,
    "money_in_eur": 1.12,
    "money_in_gbp": 1.3,
    "money_in_chf": 1.1,
}  # only which is worth more


def _as_banks_write(value: Value, number: float) -> Value:
    """Return dollars per euro for an "EUR/USD" of 1.08, euros per dollar for one of 0.92."""
    turned = tuple(sorted((n, -e) for n, e in value.dims or ()))
    if not either_way(replace(value, dims=turned), value) or number <= 0:
        return value
    worth = [_WORTH.get(n, 0.0) ** e for n, e in value.dims or () if n in _WORTH]
    if len(worth) != 2:
        return value
    literal_rate = 1.0 / math.prod(worth)  # euros per dollar, where the text says so
    return (
        replace(value, dims=turned)
        if abs(math.log(number * literal_rate)) < abs(math.log(number / literal_rate))
        else value
    )


def _of_one(context: Context, entity: str, number: object = None) -> Value:
    """Return the unit of a typed number: "Node power" and "Server price" are those of one, unless the label says more."""
    value = context.value
    assert value is not None
    if isinstance(number, float) and has_money(value):
        value = _as_banks_write(value, number)
    match = _ONE.match(entity or " ".join(context.texts[:1]))
    if match is None or not hard(value.dims or ()) or ("total", "total") in context.kinds:
        return value
    if any(n in ("device", "node", "rack") for n, _ in value.dims or ()):
        return value
    return replace(value, dims=tuple(sorted((*(value.dims or ()), (match.lastgroup or "", -1.0)))))


def _is_in_ones(stated: Value) -> bool:
    """Tell whether a unit is a hard one, or a number of machines, which nobody counts in millions."""
    return bool(hard(stated.dims or ())) or all(n in ("device", "node", "rack") for n, _ in stated.dims or ())


def _merge(cell: Cellwise, computed: Value, stated: Value | None, doubles: bool) -> Value:
    """Return what a formula cell holds: the unit it states, else what its formula gives; and the kinds of both.

    A formula that ``doubles`` makes of one way there and back, of one direction both.
    """
    if stated is not None and either_way(computed, stated):
        return _merge(cell, computed, None, doubles)
    named = stated is not None and not hard(stated.dims or ()) and cell.context.texts[:1] == (stated.text,)
    if named and (has_money(computed) or "money" in computed.parts):
        return _merge(cell, computed, None, doubles)  # "Servers", in dollars
    there_and_back = {"trip", "direction"} if doubles or {2.0, 0.5} & set(computed.numbers) else set()
    if stated is None:
        own = {c for c, _ in cell.value.kinds | cell.context.kinds}
        own |= there_and_back
        kinds = cell.value.kinds | {k for k in computed.kinds if k[0] not in own or k in cell.context.kinds}
        return replace(computed, number=None, parts=computed.parts | cell.value.parts, kinds=frozenset(kinds))
    if not cell.context.explicit and computed.known and hard(computed.dims or ()) == hard(stated.dims or ()):
        # The name alone says what is counted, the formula in what scale: tokens, or millions of them.
        ratio = cell.context.concept in ("ratio", "share", "growth")  # the 2 of a factor is no number of bytes
        numbers = tuple(n for n in computed.numbers if n not in (2.0, 0.5) or not ratio)
        stated = replace(stated, factor=computed.factor, numbers=numbers)
    elif not cell.context.explicit and {n for n, _ in hard(computed.dims or ())} - {"time"}:
        return _merge(cell, computed, None, doubles)  # a name that only sounds like a count
    elif not cell.context.explicit and not computed.known and stated.dims and not _is_in_ones(stated):
        stated = replace(stated, factor=math.nan)  # tokens, or millions of them
    own = {c for c, _ in stated.kinds}
    passed = {k for k in computed.kinds if k[0] in ("boundary", "density", "direction", "trip") and k[0] not in own}
    passed = {k for k in passed if k[0] not in there_and_back}
    work = {n for n, _ in stated.dims or ()} & {"information", "operation", "parameter"}
    kept = ("PUE", *(("active parameters",) if work else ()), *(("devices",) if hard(stated.dims or ()) else ()))
    extra = frozenset(p for p in kept if p in computed.parts and f"1/{p}" not in computed.parts)
    return (
        replace(stated, kinds=frozenset(stated.kinds | passed), parts=stated.parts | extra)
        if passed or extra
        else stated
    )


def _added_over_time(tree: sx.Node) -> bool:
    """Tell whether a column of rates is added up into an amount: the requests of a day, below those per second."""
    match tree:
        case sx.Binary("*", sx.Call(name="SUM", args=(sx.Area(),)), sx.Number(number)):
            return is_time(number)
    return False


def _is_constant(number: float, cell: Cellwise) -> bool:
    """Tell whether an unlabelled number is a conversion: 1024, 1e9, 3600 in a cell of its own."""
    if is_conversion(number) or number in (3600.0, 8760.0, 730.0, 86400.0):
        thousands = number in _EIGHTS and bool(cell.words) and not _CONVERTS.search(cell.words)
        thousands |= cell.context.concept == "tokens" and number < 1e6
        return not cell.context.explicit and not thousands and not _SHAPE.search(cell.words)
    return False


_IN_ONE = frozenset((60.0, 1440.0, 3600.0, 86400.0))
_SMALLER_IN = re.compile(
    r"(?:seconds|minutes|sekunden|minuten|secondes) (?:in|per|of|je|pro|par|einer?|dans) ?(?:an? |one |einer |une? )?(?:minute|hour|day|stunde|tag|heure|jour)",
    re.I,
)
_EIGHTS = (8e3, 8e6, 8e9, 8760.0, 86400.0)  # which may be 8,000 tokens, unless the label converts
_CONVERTS = re.compile(r"bit|byte|octet|/|\bper\b|=", re.I)
_SHAPE = re.compile(r"dimension|size|length|vector|hidden|batch|window|width|chunk|länge|größe|taille|longueur", re.I)


@lru_cache(maxsize=65536)
def _places(tree: sx.Node) -> tuple[sx.Ref | sx.Area | sx.Name, ...]:
    """Return the references, ranges and names of a tree, each once."""
    found: dict[sx.Ref | sx.Area | sx.Name, None] = {}
    stack: list[sx.Node | None] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, (sx.Ref, sx.Area, sx.Name)):
            found.setdefault(node)
        elif isinstance(node, sx.Unary):
            stack.append(node.operand)
        elif isinstance(node, sx.Binary):
            stack += (node.left, node.right)
        elif isinstance(node, sx.Call):
            stack += node.args
    return tuple(found)
