"""The formulas of a workbook as a graph: where they stand, what they read, and which of them are left alone.

A formula is left alone when it must not be worked out (it would reach outside the workbook), when an engine cannot
work it out, or when it depends on such a one: its cached value then stays, so that nothing is ever half right.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from mlsim_workbooks import formulas as fx
from mlsim_workbooks.package import (
    LAST_COLUMN,
    LAST_ROW,
    Cell,
    Package,
    RecalcError,
    Sheet,
    Value,
    Workbook,
    column_name,
    column_number,
    position,
    read_workbook,
    scan_sheet,
)
from mlsim_workbooks.recalc import conversions

__all__ = ["Book", "Formula", "Place", "Rectangle", "cells_of", "rectangle", "written"]

MAX_AREA = 4_000_000  # cells of one array
MAX_EDGES = 3_000_000  # of the graph, when it is searched for circles
MAX_LOOKS = 6_000_000  # at ranges, when what depends on a formula is sought
_FEW = 16  # cells of a range that are kept one by one

Place = tuple[int, int, int]
"""A cell: sheet (from 0), row and column (from 1)."""
Rectangle = tuple[int, int, int, int]
"""Top, left, bottom, right."""


def cells_of(area: Rectangle) -> Iterator[tuple[int, int]]:
    """Yield the row and column of every cell of a rectangle."""
    top, left, bottom, right = area
    return ((row, col) for row in range(top, bottom + 1) for col in range(left, right + 1))


def rectangle(name: str) -> Rectangle | None:
    """Return the rectangle of ``B3`` or ``B3:C5``; None when it is neither."""
    first, _, last = name.partition(":")
    try:
        (top, left), (bottom, right) = position(first), position(last or first)
    except RecalcError:
        return None
    return min(top, bottom), min(left, right), max(top, bottom), max(left, right)


def written(area: Rectangle) -> str:
    """Return a rectangle as a file writes it: ``B3``, or ``B3:C5``."""
    top, left, bottom, right = area
    first, last = f"{column_name(left)}{top}", f"{column_name(right)}{bottom}"
    return first if first == last else f"{first}:{last}"


@dataclass(slots=True)
class Formula:
    """A formula cell, or the top-left cell of an array formula."""

    sheet: int
    row: int
    col: int
    plan: fx.Plan
    refs: list[str]
    text: str  # for a shared formula that of its first cell
    area: Rectangle | None  # of an array formula
    dynamic: bool = False  # a dynamic array: its result decides on the area
    blocked: str = ""  # the cell that keeps a dynamic array from spilling
    first: int = 0  # index of its first MLSIM call

    @property
    def cells(self) -> Rectangle:
        """The cells that show its result."""
        return self.area or (self.row, self.col, self.row, self.col)


@dataclass(slots=True)
class _Raw:
    """A formula as the file has it."""

    sheet: int
    cell: Cell
    text: str
    origin: tuple[int, int] | None  # of a shared formula
    stored: Rectangle | None  # the area of an array formula in the file
    dynamic: bool


class Book:
    """A workbook's formulas, compiled, with what they depend on."""

    def __init__(self, package: Package) -> None:
        self.package = package
        self.workbook: Workbook = read_workbook(package)
        parts = [(name, part) for name, part in self.workbook.sheets if part]
        self.names = [name for name, _ in parts]
        self.index = {name.lower(): i for i, name in enumerate(self.names)}
        self.sheets: list[Sheet] = [scan_sheet(package.read(part), part) for _, part in parts]
        self.prefix = ["'" + name.replace("'", "''") + "'!" for name in self.names]
        self.cells: list[dict[tuple[int, int], Cell]] = []
        self.left: dict[Place, str] = {}
        """Formulas left alone, and why: the sentence goes on from the cell's name."""
        self._followers: set[Place] = set()  # those that only depend on others
        self.spilled: dict[Place, tuple[int, int]] = {}  # sizes of dynamic arrays that differ from the file's
        self.constant: set[Place] = set()  # formula cells that stand for an input
        self.ghosts: list[set[tuple[int, int]]] = [set() for _ in parts]  # children of dynamic arrays in the file
        self._rich: list[Place] = []  # cells whose value the file does not spell out
        self._used: list[tuple[int, int]] = []
        self._merged: list[list[Rectangle]] | None = None
        self._clock = _clock()
        self._compiled: dict[tuple[str, int, bool], fx.Plan] = {}
        self._raw = self._read_formulas()
        self.collect()

    def where(self, sheet: int, row: int, col: int) -> str:
        """Return the name of a cell, with its sheet."""
        return f"{self.names[sheet]}!{column_name(col)}{row}"

    # --- reading ---

    def _read_formulas(self) -> list[_Raw]:
        """Read the formula cells of all sheets."""
        found: list[_Raw] = []
        for index, sheet in enumerate(self.sheets):
            shared: dict[str, tuple[str, tuple[int, int]]] = {}
            bottom = right = 0
            cells: dict[tuple[int, int], Cell] = {}
            for row in sheet.rows:
                for cell in row.cells:
                    cells[cell.row, cell.col] = cell
                    attrs = cell.attrs
                    if attrs is None and cell.value is None:
                        continue
                    bottom, right = max(bottom, cell.row), max(right, cell.col)
                    if attrs is None:
                        if cell.vm and cell.type == "e":
                            self._rich.append((index, cell.row, cell.col))
                        continue
                    place = (index, cell.row, cell.col)
                    kind, text, origin = attrs.get("t", "normal"), cell.formula or "", None
                    stored: Rectangle | None = None
                    if cell.vm:
                        self.left[place] = "holds a rich value"
                        continue
                    if kind == "dataTable":
                        self.left[place] = "belongs to a what-if data table, which is not supported"
                        continue
                    if kind == "shared":
                        if text:
                            shared[attrs.get("si", "")] = (text, (cell.row, cell.col))
                        elif attrs.get("si", "") in shared:
                            text, origin = shared[attrs.get("si", "")]
                        else:
                            self.left[place] = "shares a formula that does not exist in the file"
                            continue
                    if not text:
                        continue
                    if kind == "array":
                        stored = self._stored_area(index, cell, attrs.get("ref", ""))
                    dynamic = stored is not None and cell.cm in self.workbook.dynamic
                    if dynamic and stored is not None:
                        self.ghosts[index] |= {*cells_of(stored)} - {(cell.row, cell.col)}
                    found.append(_Raw(index, cell, text, origin, stored, dynamic))
            if len(cells) != sum(len(row.cells) for row in sheet.rows):
                raise RecalcError(f"The part {sheet.part} is damaged: a cell occurs twice in it.")
            self.cells.append(cells)
            self._used.append((bottom, right))
        return found

    def _stored_area(self, sheet: int, cell: Cell, ref: str) -> Rectangle:
        area = rectangle(ref or f"{column_name(cell.col)}{cell.row}")
        if area is None:
            raise RecalcError(f"{self.where(sheet, cell.row, cell.col)} is damaged: it fills the area {ref!r}.")
        if (area[2] - area[0] + 1) * (area[3] - area[1] + 1) > MAX_AREA:
            raise RecalcError(f"{self.where(sheet, cell.row, cell.col)} fills too large an array ({ref}).")
        return area

    # --- compiling ---

    def collect(self) -> None:
        """Compile every formula that is not left alone."""
        for place in self._followers:
            self.left.pop(place, None)
        self._followers = set()
        self.formulas: list[Formula] = []
        self.owner: list[dict[tuple[int, int], int]] = [{} for _ in self.names]  # cell -> formula
        self.used = list(self._used)
        raws = [raw for raw in self._raw if self._place(raw) not in self.left and self._place(raw) not in self.constant]
        areas, blocked = self._areas(raws)
        self.anchors = {
            place: f"${column_name(area[1])}${area[0]}:${column_name(area[3])}${area[2]}"
            for place, area in areas.items()
        }
        rows_used = max([1, *(rows for rows, _ in self.used), *(area[2] for area in areas.values())])
        names = frozenset(name.lower() for name, _ in self.workbook.sheets)
        words = "|".join(re.escape(name) for name in self.workbook.tables)
        tables = re.compile(rf"\[|\b(?:{words})\b" if words else r"\[", re.I)
        for raw in raws:
            place = self._place(raw)
            sheet, cell, text, origin = raw.sheet, raw.cell, raw.text, raw.origin
            try:
                text = self._with_anchors(text, sheet)
                ordinary = text
                if tables.search(text):
                    ordinary = fx.resolve_tables(text, self.workbook.tables, self.names[sheet], cell.row, cell.col)
                form, refs = fx.shape(conversions.shortened(ordinary, rows_used))
                if origin is not None:
                    rows, cols = cell.row - origin[0], cell.col - origin[1]
                    refs = [fx.shift(ref, rows, cols) for ref in refs]
                key = (form, sheet, raw.stored is not None)
                plan = self._compiled.get(key)
                if plan is None:
                    form, loose = conversions.rewritten(form, raw.stored is not None)
                    low = self.names[sheet].lower()
                    plan = fx.compile_shape(form, self.workbook.names, low, names, self._clock, raw.stored is not None)
                    plan.loose = loose
                    self._compiled[key] = plan
                if missing := next((a.sheet for a in plan.areas if a.sheet and a.sheet not in self.index), None):
                    raise fx.FormulaError(f"refers to the sheet {missing!r}, which is not a worksheet")
                if self.workbook.date1904 and not plan.limit and not _DATES.isdisjoint(plan.functions):
                    plan.limit = "works with dates, which this workbook counts from 1904; the embedded engine does not"
            except fx.FormulaError as error:
                self.left[place] = str(error)
                continue
            area = areas.get(place)
            self._own(Formula(sheet, cell.row, cell.col, plan, refs, text, area, raw.dynamic, blocked.get(place, "")))
        self._leave_dependents()

    @staticmethod
    def _place(raw: _Raw) -> Place:
        return raw.sheet, raw.cell.row, raw.cell.col

    def _own(self, formula: Formula) -> None:
        number = len(self.formulas)
        self.formulas.append(formula)
        owner = self.owner[formula.sheet]
        if formula.area is None:
            owner[formula.row, formula.col] = number
            return
        owner |= dict.fromkeys(cells_of(formula.area), number)
        _, _, bottom, right = formula.area
        last_row, last_col = self.used[formula.sheet]
        self.used[formula.sheet] = max(last_row, bottom), max(last_col, right)

    def _with_anchors(self, text: str, sheet: int) -> str:
        """Return a formula with the ranges that ``A1#`` stands for."""
        if "ANCHORARRAY" not in text.upper():
            return text
        return re.sub(r"(?:_xlfn\.)?ANCHORARRAY\(([^()]*)\)", lambda m: self._anchor(m[1], sheet), text, flags=re.I)

    def _anchor(self, ref: str, sheet: int) -> str:
        """Return the range that ``A1#`` stands for."""
        name, _, cell = ref.rpartition("!")
        at = self.index.get(name.strip("'").replace("''", "'").lower(), -1) if name else sheet
        try:
            place = (at, *position(cell))
        except RecalcError:
            place = (-1, 0, 0)
        if place in self.left:
            raise fx.FormulaError(f"depends on {self.where(*place)}, which is left alone")
        if place not in self.anchors:
            raise fx.FormulaError(f"refers to the spilled range {ref}#, but no array formula stands there")
        return f"{name}!{self.anchors[place]}" if name else self.anchors[place]

    # --- dynamic arrays ---

    def _areas(self, raws: list[_Raw]) -> tuple[dict[Place, Rectangle], dict[Place, str]]:
        """Return the area of each array formula, and what is in the way of a dynamic array that cannot spill."""
        areas: dict[Place, Rectangle] = {}
        blocked: dict[Place, str] = {}
        taken: list[set[tuple[int, int]]] = [set() for _ in self.names]
        for raw in raws:
            place = self._place(raw)
            if raw.stored is None:
                taken[raw.sheet].add(place[1:])
                continue
            area, obstacle = raw.stored, ""
            if raw.dynamic and place in self.spilled:
                rows, cols = self.spilled[place]
                _, top, left = place
                area = (top, left, top + rows - 1, left + cols - 1)
                obstacle = self._obstacle(place, area)
                if obstacle:
                    blocked[place] = obstacle
                    area = (top, left, top, left)
            areas[place] = area
        for place, area in areas.items():  # two arrays that meet: the later one gives way
            if place in self.spilled and place not in blocked:
                cells = {*cells_of(area)}
                if hit := min(cells & taken[place[0]] - {place[1:]}, default=None):
                    blocked[place] = self.where(place[0], *hit)
                    areas[place] = (place[1], place[2], place[1], place[2])
                    continue
                taken[place[0]] |= cells
        return areas, blocked

    def _obstacle(self, place: Place, area: Rectangle) -> str:
        """Return the name of what a dynamic array would spill over."""
        sheet, top, left = place
        if area[2] > LAST_ROW or area[3] > LAST_COLUMN:
            return "the edge of the sheet"
        if (area[2] - area[0] + 1) * (area[3] - area[1] + 1) > MAX_AREA:
            return "the limit on the size of an array"
        cells, ghosts = self.cells[sheet], self.ghosts[sheet]
        for at in cells_of(area):
            cell = cells.get(at)
            full = cell is not None and (cell.value is not None or cell.attrs is not None)
            if full and at != (top, left) and at not in ghosts:
                return self.where(sheet, *at)
        if self._merged is None:
            self._merged = [_merged(sheet.data[sheet.data_end :]) for sheet in self.sheets]
        for m in self._merged[sheet]:
            if m[0] <= area[2] and area[0] <= m[2] and m[1] <= area[3] and area[1] <= m[3]:
                return self.where(sheet, m[0], m[1])
        return ""

    def respill(self, sizes: Mapping[Place, tuple[int, int]]) -> bool:
        """Give dynamic arrays the sizes of their results; return whether any changed, and with it the formulas."""
        changed = False
        for formula in self.formulas:
            place = (formula.sheet, formula.row, formula.col)
            if not formula.dynamic or place not in sizes:
                continue
            top, left, bottom, right = formula.cells
            known = self.spilled.get(place, (bottom - top + 1, right - left + 1))
            if sizes[place] != known:
                self.spilled[place] = sizes[place]
                changed = True
        if changed:
            self.collect()
        return changed

    def stored_area(self, formula: Formula) -> str:
        """Return the area of an array formula as the file has it."""
        attrs = self.cells[formula.sheet][formula.row, formula.col].attrs or {}
        return attrs.get("ref", "")

    # --- left alone ---

    def leave(self, reasons: Mapping[Place, str]) -> None:
        """Leave formulas alone, with all that depend on them."""
        if reasons:
            self.left |= reasons
            self.collect()

    def _leave_dependents(self) -> None:
        """Leave alone what depends on a formula that is left alone."""
        roots = [*self.left, *self._rich]
        if not roots or not self.formulas:
            return
        found = self.dependents(roots)
        if not found:
            return
        for number, cause in found.items():
            f = self.formulas[number]
            self._followers.add((f.sheet, f.row, f.col))
            self.left[f.sheet, f.row, f.col] = f"depends on {cause}, which is left alone"
        kept = [f for i, f in enumerate(self.formulas) if i not in found]
        self.formulas, self.owner = [], [{} for _ in self.names]
        for f in kept:
            self._own(f)

    def dependents(self, roots: Iterable[Place]) -> dict[int, str]:
        """Return the formulas that depend on some cells, each with the cell it was reached from."""
        singles: dict[Place, list[int]] = {}
        blocks: dict[tuple[int, int, int, int, int], list[int]] = {}
        loose: list[int] = []  # their references do not tell what they read
        for number, formula in enumerate(self.formulas):
            if formula.plan.dynamic:
                loose.append(number)
            for area in formula.plan.areas:
                try:
                    sheet, top, left, bottom, right = self.spread(area, formula)
                except RecalcError:
                    continue
                if (bottom - top + 1) * (right - left + 1) <= _FEW:
                    for row in range(top, bottom + 1):
                        for col in range(left, right + 1):
                            singles.setdefault((sheet, row, col), []).append(number)
                else:
                    blocks.setdefault((sheet, top, left, bottom, right), []).append(number)
        found: dict[int, str] = {}
        reached: list[dict[int, list[int]]] = [{} for _ in self.names]  # per sheet: column -> rows
        pending = [cell for place in roots for cell in self._shown_by(place)]
        if pending:
            for number in loose:
                found[number] = self.where(*pending[0])
                pending += self._cells_of(number)
        budget = MAX_LOOKS
        while pending:
            budget -= len(blocks)
            if budget < 0:  # rather too many left alone than one half right
                return dict.fromkeys(range(len(self.formulas)), self.where(*pending[0]))
            fresh: list[set[int]] = [set() for _ in self.names]
            while pending:
                sheet, row, col = place = pending.pop()
                rows = reached[sheet].setdefault(col, [])
                at = bisect_left(rows, row)
                if at < len(rows) and rows[at] == row:
                    continue
                rows.insert(at, row)
                fresh[sheet].add(col)
                for number in singles.get(place, ()):
                    if number not in found:
                        found[number] = self.where(*place)
                        pending += self._cells_of(number)
            for block in list(blocks):
                sheet, top, left, bottom, right = block
                hit = next(
                    (
                        (rows[i], col)
                        for col in fresh[sheet]
                        if left <= col <= right
                        for rows in (reached[sheet][col],)
                        for i in (bisect_left(rows, top),)
                        if i < len(rows) and rows[i] <= bottom
                    ),
                    None,
                )
                if hit is not None:
                    for number in blocks.pop(block):
                        if number not in found:
                            found[number] = self.where(sheet, *hit)
                            pending += self._cells_of(number)
        return found

    def _shown_by(self, place: Place) -> list[Place]:
        """Return the cells that show the result of a formula that is left alone."""
        sheet, row, col = place
        cell = self.cells[sheet].get((row, col))
        attrs = cell.attrs if cell is not None else None
        if not attrs or attrs.get("t") not in ("array", "dataTable") or "ref" not in attrs:
            return [place]
        return [(sheet, r, c) for r, c in cells_of(rectangle(attrs["ref"]) or (row, col, row, col))]

    def _cells_of(self, number: int) -> list[Place]:
        f = self.formulas[number]
        return [(f.sheet, r, c) for r, c in cells_of(f.cells)]

    # --- what formulas read ---

    def spread(self, area: fx.Area, formula: Formula) -> tuple[int, int, int, int, int]:
        """Return (sheet, top, left, bottom, right) of a reference, whole columns cut to the used rows."""
        sheet = formula.sheet if area.sheet is None else self.index.get(area.sheet, -1)
        if sheet < 0:
            where = self.where(formula.sheet, formula.row, formula.col)
            raise RecalcError(f"{where} refers to the sheet {area.sheet!r}, which is not a worksheet.")
        refs = formula.refs
        first = refs[area.first] if isinstance(area.first, int) else area.first
        if area.kind == "ref":
            top, left = position(first)
            if area.last is None:
                return sheet, top, left, top, left
            bottom, right = position(refs[area.last] if isinstance(area.last, int) else area.last)
            return sheet, min(top, bottom), min(left, right), max(top, bottom), max(left, right)
        one, two = first.replace("$", "").split(":")
        rows, cols = self.used[sheet]
        if area.kind == "cols":
            left, right = sorted((column_number(one), column_number(two)))
            return sheet, 1, left, max(rows, 1), right
        top, bottom = sorted((int(one), int(two)))
        return sheet, top, 1, bottom, max(cols, 1)

    def columns(self) -> list[dict[int, list[int]]]:
        """Return, per sheet, the rows of each column that hold formulas."""
        found: list[dict[int, list[int]]] = []
        for owner in self.owner:
            columns: dict[int, list[int]] = {}
            for row, col in sorted(owner):
                columns.setdefault(col, []).append(row)
            found.append(columns)
        return found

    def precedents(self, formula: Formula, columns: list[dict[int, list[int]]]) -> Iterator[int]:
        """Yield the formulas that a formula refers to; ``columns`` comes from `columns`."""
        for area in formula.plan.areas:
            sheet, top, left, bottom, right = self.spread(area, formula)
            owner = self.owner[sheet]
            if top == bottom and left == right:
                number = owner.get((top, left))
                if number is not None:
                    yield number
                continue
            filled = columns[sheet]
            for col in filled.keys() & set(range(left, right + 1)) if right - left < len(filled) else filled:
                if left <= col <= right:
                    rows = filled[col]
                    for row in rows[bisect_left(rows, top) : bisect_right(rows, bottom)]:
                        yield owner[row, col]

    def components(self, roots: Collection[int], columns: list[dict[int, list[int]]]) -> Iterator[list[int]]:
        """Yield the formulas that some formulas depend on, precedents first; a circle comes as one list.

        This is Tarjan's algorithm without recursion. A formula that reads its own cell is yielded twice.

        Raises
        ------
        OverflowError
            When the graph is too large to search.
        """
        index: dict[int, int] = {}
        low: dict[int, int] = {}
        stack: list[int] = []
        on_stack: set[int] = set()
        itself: set[int] = set()
        edges = 0
        for root in roots:
            if root in index:
                continue
            work = [(root, self.precedents(self.formulas[root], columns))]
            index[root] = low[root] = len(index)
            stack.append(root)
            on_stack.add(root)
            while work:
                node, following = work[-1]
                for other in following:
                    edges += 1
                    if edges > MAX_EDGES:
                        raise OverflowError
                    if other == node:
                        itself.add(node)
                    if other not in index:
                        index[other] = low[other] = len(index)
                        stack.append(other)
                        on_stack.add(other)
                        work.append((other, self.precedents(self.formulas[other], columns)))
                        break
                    if other in on_stack:
                        low[node] = min(low[node], index[other])
                else:
                    work.pop()
                    if work:
                        low[work[-1][0]] = min(low[work[-1][0]], low[node])
                    if low[node] == index[node]:
                        circle = []
                        while True:
                            member = stack.pop()
                            on_stack.discard(member)
                            circle.append(member)
                            if member == node:
                                break
                        yield circle * 2 if len(circle) == 1 and node in itself else circle

    # --- what the file holds ---

    def cached(self, cell: Cell | None) -> Value:
        """Return the value that the file holds for a cell."""
        if cell is None or cell.value is None:
            return None
        return self.workbook.value(cell)


_DATES = frozenset(
    {
        "DATE", "DATEDIF", "DATEVALUE", "DAY", "DAYS", "DAYS360", "EDATE", "EOMONTH", "ISOWEEKNUM", "MONTH", "NETWORKDAYS",
        "NETWORKDAYS.INTL", "NOW", "TEXT", "TODAY", "WEEKDAY", "WEEKNUM", "WORKDAY", "WORKDAY.INTL", "YEAR", "YEARFRAC",
    }
)  # fmt: skip
_MERGED = re.compile(rb"""<(?:\w+:)?mergeCell\b[^>]*?\bref=["']([^"']+)["']""")


def _merged(tail: bytes) -> list[Rectangle]:
    """Return the merged areas that stand behind the cells of a sheet."""
    found = (rectangle(text.decode("utf-8", "replace")) for text in _MERGED.findall(tail))
    return [area for area in found if area is not None]


def _clock() -> tuple[str, str]:
    """Return what NOW() and TODAY() give, as formulas write numbers."""
    now = datetime.now()
    day = (now.date() - date(1899, 12, 30)).days
    return repr(day + (now.hour * 3600 + now.minute * 60 + now.second) / 86_400), str(day)
