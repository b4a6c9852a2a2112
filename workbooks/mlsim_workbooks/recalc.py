"""Recalculate a workbook with MLSIM functions without Excel, and without rewriting anything but cached values.

The formulas are worked out by the embedded engine (IronCalc) on a bare copy in which every MLSIM call is taken out
to a cell of its own; MLSIM answers those calls, in rounds, until nothing changes. The results are then put into the
original package: only the cached values of formula cells differ, and every other byte of the file stays.

Limits: NOW(), TODAY() and RAND() are worked out anew, so such files change on every run; a dynamic array keeps the
size stored in the file; normal distributions are right to about ten digits. What the engine is known to get wrong,
or reads differently from how it was written, is refused by the name of the cell.
"""

from __future__ import annotations

import os
import re
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from mlsim.files import write_file
from mlsim_workbooks import formulas as fx
from mlsim_workbooks.engine import AREA, BARE, CALL, CELL, CONST, Builder, Formula, Instance, run_engine, unsupported
from mlsim_workbooks.package import (
    Cell,
    Err,
    Package,
    RecalcError,
    Sheet,
    Value,
    Workbook,
    column_name,
    column_number,
    patch_sheet,
    position,
    read_package,
    read_workbook,
    scan_sheet,
    unescape,
    write_package,
)

__all__ = ["RecalcError", "Report", "recalculate"]

MAX_ROUNDS = 20_000
MAX_REBUILDS = 25
MAX_AREA = 4_000_000  # cells in one range argument
MAX_EDGES = 3_000_000  # of the dependency graph that is searched for circles
_ERRORS = {"#VALUE!", "#N/A", "#NUM!", "#DIV/0!", "#REF!", "#NAME?", "#NULL!"}

Call = Callable[[str, list[Any]], Any]
CallMany = Callable[[str, list[list[Any]]], Sequence[Any]]


@dataclass
class Report:
    """What a recalculation did."""

    path: Path
    output: Path
    formulas: int = 0
    mlsim_calls: int = 0
    changed: list[tuple[str, str]] = field(default_factory=list)
    errors: list[tuple[str, str, str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0


def recalculate(
    path: str | os.PathLike[str],
    *,
    call: Call | None = None,
    known: Collection[str] | None = None,
    call_many: CallMany | None = None,
    out: str | os.PathLike[str] | None = None,
) -> Report:
    """Recalculate a workbook and write it back, in place or to another file.

    Parameters
    ----------
    path : str or path-like
        An .xlsx or .xlsm file.
    call : callable, optional
        ``call(name, args)`` evaluates one MLSIM function; the catalogue's own by default. An argument is a number,
        text, boolean, None (empty or omitted) or a list of rows; an exception with ``code`` and ``message`` becomes
        a cell error.
    known : collection of str, optional
        The canonical names ``call`` knows.
    call_many : callable, optional
        ``call_many(name, list_of_args)`` gives a list of results or exceptions, in place of ``call``.
    out : str or path-like, optional
        Where to write; in place by default. Nothing is written in place when no value changed.

    Raises
    ------
    RecalcError
        With one sentence; the file is then untouched.
    """
    begin = time.perf_counter()
    source = Path(path)
    package = read_package(source)
    if known is None or (call is None and call_many is None):
        known, call, call_many = _catalogue(known, call, call_many)
    job = _Job(package, frozenset(known), _batch(call, call_many))
    report = job.run()
    report.output = source if out is None else Path(out)
    changed = job.patches(report)
    if changed or out is not None:
        write_file(report.output, write_package(package, changed), like=source)
    report.seconds = time.perf_counter() - begin
    return report


def _catalogue(
    known: Collection[str] | None, call: Call | None, call_many: CallMany | None
) -> tuple[Collection[str], Call | None, CallMany | None]:
    from mlsim_workbooks import functions  # late: only needed without a caller's own functions

    if call is None and call_many is None:
        call, call_many = functions.call, functions.call_many
    return (functions.CATALOGUE if known is None else known), call, call_many


def _batch(call: Call | None, call_many: CallMany | None) -> CallMany:
    if call_many is not None:
        return call_many
    one = call
    assert one is not None

    def loop(name: str, many: list[list[Any]]) -> list[Any]:
        results: list[Any] = []
        for args in many:
            try:
                results.append(one(name, args))
            except Exception as error:
                results.append(error)
        return results

    return loop


# --- formulas of a file ----------------------------------------------------------------------------------------


class _Grid(list[list[Any]]):
    """A range argument that remembers its key: thousands of calls may share one range."""

    key: Any = None


class _Failed(Exception):
    """An argument is an error value."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class _Job:
    """One recalculation, from the parsed package to the new values."""

    def __init__(self, package: Package, known: frozenset[str], batch: CallMany) -> None:
        self.package, self.known, self.batch = package, known, batch
        self.book: Workbook = read_workbook(package)
        parts = [(name, part) for name, part in self.book.sheets if part]
        self.names = [name for name, _ in parts]
        self.index = {name.lower(): i for i, name in enumerate(self.names)}
        self.sheets: list[Sheet] = [scan_sheet(package.read(part), part) for _, part in parts]
        self.prefix = ["'" + name.replace("'", "''") + "'!" for name in self.names]
        self.cells: list[dict[tuple[int, int], Cell]] = []
        self.used: list[tuple[int, int]] = []
        self.notes: list[str] = []
        self.formulas: list[Formula] = []
        self.owner: list[dict[tuple[int, int], int]] = [{} for _ in parts]  # cell -> formula
        self.anchors: dict[tuple[int, int, int], str] = {}
        self.sizes: dict[tuple[int, int], tuple[int, int]] = {}
        self.memo: dict[Any, Any] = {}
        self.instances: list[Instance] = []
        self.columns: list[dict[int, list[int]]] = []
        self.measures: dict[tuple[int, int], tuple[int, int, int]] = {}  # cells that hold an array's size
        self.last: dict[tuple[int, int, int], Value] = {}
        self.areas: dict[Any, Any] = {}
        self.model: Any = None
        self.moved = 0  # calls with other arguments than before, in this round
        self.placed = False  # has the engine got other values since it last evaluated?
        self.unread = False  # ... among them an error, which cannot be read back before that
        self.itself: set[int] = set()  # formulas that refer to themselves
        self.levels: dict[int, int] = {}  # formula -> number of calls in a row that it waits for

    def where(self, sheet: int, row: int, col: int) -> str:
        return f"{self.names[sheet]}!{column_name(col)}{row}"

    def run(self) -> Report:
        self.collect()
        report = Report(self.package.path, self.package.path, formulas=len(self.formulas), notes=self.notes)
        report.mlsim_calls = sum(len(f.plan.calls) for f in self.formulas)
        if self.formulas:
            if self.book.date1904:
                raise RecalcError(
                    f"{self.package.path.name} counts dates from 1904, which the embedded engine does not; "
                    "switch that option off first."
                )
            if self.book.as_displayed:
                raise RecalcError(
                    f"{self.package.path.name} calculates with the precision as displayed, which is not supported."
                )
            self.check_functions()
            self.settle()
        return report

    # --- reading ---

    def collect(self) -> None:
        """Gather and compile every formula."""
        now = datetime.now()
        day = (now.date() - date(1899, 12, 30)).days
        clock = (repr(day + (now.hour * 3600 + now.minute * 60 + now.second) / 86_400), str(day))
        compiled: dict[tuple[str, int, bool], fx.Plan] = {}
        names = frozenset(name.lower() for name, _ in self.book.sheets)
        words = "|".join(re.escape(name) for name in self.book.tables)
        tables = re.compile(rf"\[|\b(?:{words})\b" if words else r"\[", re.I)
        pending = self.formula_cells()
        for sheet, cell, text, area, origin in pending:
            try:
                if origin is None:
                    text = self.prepare(text, tables, sheet, cell)
                    form, refs = fx.shape(text)
                else:
                    form, refs = fx.shape(self.prepare(text, tables, sheet, cell))
                    rows, cols = cell.row - origin[0], cell.col - origin[1]
                    refs = [fx.shift(ref, rows, cols) for ref in refs]
                key = (form, sheet, area is not None)
                plan = compiled.get(key)
                if plan is None:
                    low = self.names[sheet].lower()
                    plan = fx.compile_shape(form, self.book.names, low, names, clock, area is not None)
                    compiled[key] = plan
            except fx.FormulaError as error:
                raise RecalcError(f"{self.where(sheet, cell.row, cell.col)} {error}.") from None
            formula = Formula(sheet, cell.row, cell.col, plan, refs, area)
            self.own(formula)

    def prepare(self, text: str, tables: re.Pattern[str], sheet: int, cell: Cell) -> str:
        if "ANCHORARRAY" in text.upper():
            text = re.sub(r"(?:_xlfn\.)?ANCHORARRAY\(([^()]*)\)", lambda m: self.anchor(m[1], sheet), text, flags=re.I)
        if tables.search(text):
            name = self.names[sheet]
            text = fx.resolve_tables(text, self.book.tables, name, cell.row, cell.col)
        return text

    def anchor(self, ref: str, sheet: int) -> str:
        """Return the range that ``A1#`` stands for."""
        name, _, cell = ref.rpartition("!")
        place = self.index.get(name.strip("'").replace("''", "'").lower(), -1) if name else sheet
        try:
            found = self.anchors.get((place, *position(cell)))
        except RecalcError:
            found = None
        if found is None:
            raise fx.FormulaError(f"refers to the spilled range {ref}#, but no array formula stands there")
        return f"{name}!{found}" if name else found

    def formula_cells(
        self,
    ) -> list[tuple[int, Cell, str, tuple[int, int, int, int] | None, tuple[int, int] | None]]:
        """Return (sheet, cell, formula text, array area, origin of a shared formula) of all formula cells."""
        found = []
        for index, sheet in enumerate(self.sheets):
            shared: dict[str, tuple[str, tuple[int, int]]] = {}
            bottom = right = 0
            cells: dict[tuple[int, int], Cell] = {}
            for row in sheet.rows:
                for cell in row.cells:
                    cells[cell.row, cell.col] = cell
                    attrs = cell.attrs
                    if attrs is None:
                        if cell.value is not None:
                            bottom, right = max(bottom, cell.row), max(right, cell.col)
                        continue
                    bottom, right = max(bottom, cell.row), max(right, cell.col)
                    kind, text, origin, area = attrs.get("t", "normal"), cell.formula or "", None, None
                    if kind == "dataTable":
                        where = self.where(index, cell.row, cell.col)
                        raise RecalcError(f"{where} belongs to a what-if data table, which is not supported.")
                    if cell.vm:
                        where = self.where(index, cell.row, cell.col)
                        self.notes.append(f"{where} holds a rich value and was left as it was.")
                        continue
                    if kind == "shared":
                        if text:
                            shared[attrs.get("si", "")] = (text, (cell.row, cell.col))
                        elif attrs.get("si", "") in shared:
                            text, origin = shared[attrs.get("si", "")]
                        else:
                            where = self.where(index, cell.row, cell.col)
                            raise RecalcError(f"{where} shares a formula that does not exist in the file.")
                    if not text:
                        continue
                    if kind == "array":
                        area = self.array_area(index, cell, attrs.get("ref", ""))
                        bottom, right = max(bottom, area[2]), max(right, area[3])
                    found.append((index, cell, text, area, origin))
            self.cells.append(cells)
            self.used.append((bottom, right))
        return found

    def array_area(self, sheet: int, cell: Cell, ref: str) -> tuple[int, int, int, int]:
        first, _, last = (ref or f"{column_name(cell.col)}{cell.row}").partition(":")
        area = (*position(first), *position(last or first))
        if (area[2] - area[0] + 1) * (area[3] - area[1] + 1) > MAX_AREA:
            raise RecalcError(f"{self.where(sheet, cell.row, cell.col)} fills too large an array ({ref}).")
        self.anchors[sheet, area[0], area[1]] = f"${column_name(area[1])}${area[0]}:${column_name(area[3])}${area[2]}"
        return area

    def own(self, formula: Formula) -> None:
        number = len(self.formulas)
        self.formulas.append(formula)
        owner = self.owner[formula.sheet]
        if formula.area is None:
            owner[formula.row, formula.col] = number
            return
        top, left, bottom, right = formula.area
        for row in range(top, bottom + 1):
            for col in range(left, right + 1):
                owner[row, col] = number

    def check_functions(self) -> None:
        """Refuse functions that nobody can work out."""
        used: dict[str, Formula] = {}
        for formula in self.formulas:
            for name in formula.plan.functions:
                used.setdefault(name, formula)
            for call in formula.plan.calls:
                if call.name not in self.known:
                    where = self.where(formula.sheet, formula.row, formula.col)
                    raise RecalcError(f"{where} uses {call.name}(), which this version of MLSIM does not have.")
        for name in unsupported(used):
            formula = used[name]
            where = self.where(formula.sheet, formula.row, formula.col)
            raise RecalcError(
                f"{where} uses {name}(), which neither MLSIM nor the embedded engine knows; the file was not changed."
            )

    # --- rounds ---

    def settle(self) -> None:
        """Build the engine's model and answer calls until nothing changes."""
        checked = False
        for _ in range(MAX_REBUILDS):
            self.model = Builder(self).build()
            if not checked:
                self.check_circles()
                checked = True
            self.rounds()
            if not self.resized():
                return
        raise RecalcError("The arrays of this workbook keep changing size, so it does not settle.")

    def rounds(self) -> None:
        self.last = {}
        self.evaluate()
        groups: dict[tuple[int, int], list[Instance]] = {}
        for instance in self.instances:
            level = 0 if instance.static else self.levels.get(instance.formula, 0)
            groups.setdefault((level, instance.depth), []).append(instance)
        ordered = [groups[key] for key in sorted(groups)]
        for _ in range(min(MAX_ROUNDS, len(self.instances) + 2)):
            self.areas = {}
            self.moved, self.placed = 0, False
            for group in ordered:
                if self.unread or (self.placed and not all(i.direct for i in group)):
                    self.evaluate()
                self.answer(group)
            if self.placed:
                self.evaluate()
            if not self.moved or all(i.static for i in self.instances):
                return
        cells = sorted({self.cell_of(i) for i in self.instances if not i.static})
        raise RecalcError(f"The workbook does not settle; it seems to have a circular reference: {_some(cells)}.")

    def evaluate(self) -> None:
        run_engine(self.model.evaluate)
        self.areas = {}
        self.placed = self.unread = False

    def cell_of(self, instance: Instance) -> str:
        formula = self.formulas[instance.formula]
        return self.where(formula.sheet, formula.row, formula.col)

    def answer(self, instances: list[Instance]) -> None:
        """Fetch the arguments of these calls, evaluate the new ones together, and place the results."""
        moved: list[Instance] = []
        new: dict[str, dict[Any, list[Any]]] = {}
        memo = self.memo
        for instance in instances:
            if instance.static and instance.done:
                continue
            try:
                args = [self.fetch(spec) for spec in instance.args]
            except _Failed as failure:
                key: Any = failure.code
            else:
                key = (instance.name, _frozen(args))
                if key not in memo:
                    new.setdefault(instance.name, {}).setdefault(key, args)
            if key != instance.key or not instance.done:
                instance.key, instance.done = key, True
                moved.append(instance)
        for name, jobs in new.items():
            results = self.batch(name, list(jobs.values()))
            for key, result in zip(jobs, results, strict=True):
                memo[key] = _result(result)
        for instance in moved:
            key = instance.key
            if isinstance(key, str):
                instance.result, instance.message = Err(key), f"an argument of {instance.name} is {key}"
            else:
                instance.result, instance.message = memo[key]
            self.moved += 1
            if instance.target and self.place(instance):
                self.placed = True
                self.areas = {}

    def fetch(self, spec: tuple[Any, ...]) -> Any:
        """Return the value of one argument."""
        tag = spec[0]
        if tag == CELL:
            value = self.model.get_cell_value(spec[1], spec[2], spec[3])
            if value.__class__ is str and value[:1] == "#" and self.is_error(spec[1], spec[2], spec[3]):
                raise _Failed(value)
            return self.own_name(value)
        if tag == CONST:
            return spec[1]
        if tag == AREA:
            return self.fetch_area(spec[1:])
        if tag == CALL:
            result = self.instances[spec[1]].result
            if isinstance(result, Err):
                raise _Failed(result)
            if isinstance(result, list):
                for row in result:
                    for value in row:
                        if isinstance(value, Err):
                            raise _Failed(value)
            return result
        return self.fetch_area(spec[1:]) if spec[2:4] != spec[4:6] else self.fetch((CELL, *spec[1:4]))

    def own_name(self, value: Any) -> Any:
        """Return a value, the name of the engine's copy as Excel's ``CELL("filename")`` names the workbook itself."""
        if value.__class__ is str and value.startswith(f"[{BARE}]"):
            path = self.package.path.absolute()
            return f"{path.parent}{os.sep}[{path.name}]{value[len(BARE) + 2 :]}"
        return value

    def fetch_area(self, place: tuple[Any, ...]) -> list[list[Any]]:
        found = self.areas.get(place)
        if found is None:
            sheet, top, left, bottom, right = place
            if (bottom - top + 1) * (right - left + 1) > MAX_AREA:
                raise RecalcError(f"A range argument of MLSIM has more than {MAX_AREA:,} cells.")
            get = self.model.get_cell_value
            found = _Grid([get(sheet, r, c) for c in range(left, right + 1)] for r in range(top, bottom + 1))
            for r, row in enumerate(found, top):
                for c, value in enumerate(row, left):
                    if value.__class__ is str and value[:1] == "#" and self.is_error(sheet, r, c):
                        self.areas[place] = Err(value)
                        raise _Failed(value)
            self.areas[place] = found
        if isinstance(found, Err):
            raise _Failed(found)
        grid: list[list[Any]] = found
        return grid

    def is_error(self, sheet: int, row: int, col: int) -> bool:
        return str(self.model.get_cell_type(sheet, row, col)) == "CellType.ErrorValue"

    def place(self, instance: Instance) -> bool:
        """Put a result into its cells of the engine; return whether any differs."""
        assert instance.target is not None
        sheet, top, left, bottom, right = instance.target
        result, changed = instance.result, False
        if top == bottom and left == right:
            value = result[0][0] if isinstance(result, list) else result
            return self.put(sheet, top, left, value)
        for row in range(top, bottom + 1):
            for col in range(left, right + 1):
                changed |= self.put(sheet, row, col, _element(result, row - top, col - left))
        return changed

    def put(self, sheet: int, row: int, col: int, value: Value) -> bool:
        key = (sheet, row, col)
        old = self.last.get(key, self)
        if old.__class__ is value.__class__ and old == value:
            return False
        self.last[key] = value
        model = self.model
        if value.__class__ is float:
            model.update_cell_with_number(sheet, row, col, value)
        elif isinstance(value, bool):
            model.update_cell_with_bool(sheet, row, col, value)
        elif isinstance(value, Err):
            model.update_cell_with_formula(sheet, row, col, f"={value}")
            self.unread = True
        else:
            model.update_cell_with_text(sheet, row, col, value or "")
        return True

    def resized(self) -> bool:
        """Note arrays whose size differs from the space they have; return whether there are any."""
        changed = False
        for number, instance in enumerate(self.instances):
            if instance.takes_array and instance.target is not None:
                result = instance.result
                size = (len(result), len(result[0])) if isinstance(result, list) else (1, 1)
                key = (0, number)
                if self.sizes.get(key, (1, 1)) != size:
                    self.sizes[key] = size
                    changed = True
        for key, (sheet, row, col) in self.measures.items():
            get = self.model.get_cell_value
            rows, cols = get(sheet, row, col), get(sheet, row, col + 1)
            size = (int(rows), int(cols)) if isinstance(rows, float) and isinstance(cols, float) else (1, 1)
            if self.sizes.get(key, (1, 1)) != size:
                self.sizes[key] = size
                changed = True
        return changed

    # --- circular references ---

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

    def precedents(self, formula: Formula) -> Iterator[int]:
        """Yield the formulas that a formula refers to."""
        for area in formula.plan.areas:
            sheet, top, left, bottom, right = self.spread(area, formula)
            owner = self.owner[sheet]
            if top == bottom and left == right:
                number = owner.get((top, left))
                if number is not None:
                    yield number
                continue
            columns = self.columns[sheet]
            for col in columns.keys() & set(range(left, right + 1)) if right - left < len(columns) else columns:
                if left <= col <= right:
                    rows = columns[col]
                    for row in rows[bisect_left(rows, top) : bisect_right(rows, bottom)]:
                        yield owner[row, col]

    def check_circles(self) -> None:
        """Refuse a circle that runs through an MLSIM call; the engine finds the other ones."""
        for owner in self.owner:
            columns: dict[int, list[int]] = {}
            for row, col in sorted(owner):
                columns.setdefault(col, []).append(row)
            self.columns.append(columns)
        if all(instance.static for instance in self.instances):
            return
        for circle in self.circles():
            number = circle[0]
            if len(circle) == 1 and number not in self.itself:
                before = self.precedents(self.formulas[number])
                waits = (self.levels.get(p, 0) + bool(self.formulas[p].plan.calls) for p in before)
                self.levels[number] = max(waits, default=0)
                continue
            if any(self.formulas[n].plan.calls for n in circle):
                cells = [self.where(f.sheet, f.row, f.col) for f in (self.formulas[n] for n in sorted(circle))]
                raise RecalcError(f"The workbook has a circular reference: {_some(cells)}.")

    def circles(self) -> Iterator[list[int]]:
        """Yield the formulas that dynamic calls depend on, precedents first; a circle comes as one list.

        This is Tarjan's algorithm without recursion.
        """
        index: dict[int, int] = {}
        low: dict[int, int] = {}
        stack: list[int] = []
        on_stack: set[int] = set()
        edges = 0
        for root in {i.formula: None for i in self.instances if not i.static}:
            if root in index:
                continue
            work = [(root, self.precedents(self.formulas[root]))]
            index[root] = low[root] = len(index)
            stack.append(root)
            on_stack.add(root)
            while work:
                node, following = work[-1]
                for other in following:
                    edges += 1
                    if edges > MAX_EDGES:
                        self.notes.append("The workbook is too large to search it for circular references.")
                        return
                    if other == node:
                        self.itself.add(node)
                    if other not in index:
                        index[other] = low[other] = len(index)
                        stack.append(other)
                        on_stack.add(other)
                        work.append((other, self.precedents(self.formulas[other])))
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
                        yield circle

    # --- results ---

    def patches(self, report: Report) -> dict[str, bytes]:
        """Return the changed parts, and fill in the report."""
        updates: list[dict[tuple[int, int], Value]] = [{} for _ in self.sheets]
        circular: list[str] = []
        doubtful: list[int] = []
        messages = {i.formula: i.message for i in self.instances if i.message}
        for number, formula in enumerate(self.formulas):
            sheet = formula.sheet
            top, left, bottom, right = formula.area or (formula.row, formula.col, formula.row, formula.col)
            for row in range(top, bottom + 1):
                for col in range(left, right + 1):
                    value = self.final(sheet, row, col, circular)
                    cell = self.cells[sheet].get((row, col))
                    if cell is not None and cell.vm:
                        continue
                    old = self.cached(cell)
                    if value == "#REF!" != old and "INDIRECT" in formula.plan.functions:
                        raise RecalcError(
                            f"{self.where(sheet, row, col)} uses INDIRECT() on something that the embedded engine "
                            "cannot find (it knows cell addresses, not names); the file was not changed."
                        )
                    if isinstance(value, Err):
                        name = f"{column_name(col)}{row}"
                        report.errors.append((self.names[sheet], name, value, messages.get(number, "")))
                    if old.__class__ is not value.__class__ or old != value:
                        updates[sheet][row, col] = value
                        if not formula.plan.calls and old is not None and not _close(old, value):
                            doubtful.append(number)
                        report.changed.append((self.names[sheet], f"{column_name(col)}{row}"))
        if circular:
            raise RecalcError(f"The workbook has a circular reference: {_some(circular)}.")
        self.note_doubts(doubtful)
        if report.changed and any(name.startswith("_xmlsignatures/") for name in self.package.members):
            report.notes.append("The workbook is digitally signed; the new values end that signature.")
        changed = {}
        for sheet_part, new in zip(self.sheets, updates, strict=True):
            if new:
                changed[sheet_part.part] = patch_sheet(sheet_part, new)
        return changed

    def note_doubts(self, numbers: list[int]) -> None:
        """Report changed values that have nothing to do with MLSIM: edited inputs, or an engine that differs."""
        tied: dict[int, bool] = {}  # formula -> does it wait for an MLSIM call, or change by itself?
        budget = MAX_EDGES // 10
        found: list[str] = []
        for number in numbers:
            seen, stack, free = {number}, [number], True
            while stack and free and budget > 0:
                formula = self.formulas[stack.pop()]
                free = not formula.plan.calls and not formula.plan.volatile
                for other in self.precedents(formula) if free else ():
                    budget -= 1
                    if tied.get(other):
                        free = False
                        break
                    if other not in seen:
                        seen.add(other)
                        stack.append(other)
            tied[number] = not free
            if free and budget > 0:
                formula = self.formulas[number]
                found.append(self.where(formula.sheet, formula.row, formula.col))
        if found:
            self.notes.append(
                f"Values that do not depend on MLSIM changed as well ({_some(found)}): either their inputs were "
                "edited without a recalculation, or the embedded engine differs from the program that saved the file."
            )

    def final(self, sheet: int, row: int, col: int, circular: list[str]) -> Value:
        value = self.model.get_cell_value(sheet, row, col)
        if value.__class__ is str and value[:1] == "#" and self.is_error(sheet, row, col):
            if value == "#CIRC!":
                circular.append(self.where(sheet, row, col))
            elif value in ("#ERROR!", "#N/IMPL!"):
                raise RecalcError(
                    f"{self.where(sheet, row, col)} holds a formula that the embedded engine cannot work out; "
                    "the file was not changed."
                )
            return Err(value if value in _ERRORS else "#VALUE!")  # Excel, too, stores #CALC! and #SPILL! so
        result: Value = self.own_name(value)
        return result

    def cached(self, cell: Cell | None) -> Value:
        """Return the value that the file holds for a cell."""
        if cell is None or cell.value is None:
            return None
        kind, text = cell.type, cell.value
        try:
            if kind == "n":
                return float(text)
            if kind == "s":
                return self.book.strings[int(text)]
        except (ValueError, IndexError):
            return None
        if kind == "b":
            return text.strip() in ("1", "true")
        return Err(text) if kind == "e" else unescape(text)


def _close(old: Value, new: Value) -> bool:
    if isinstance(old, float) and isinstance(new, float):
        return abs(old - new) <= 1e-9 * max(abs(old), abs(new))
    return old == new


def _some(cells: Sequence[str]) -> str:
    shown = ", ".join(cells[:6])
    return shown if len(cells) <= 6 else f"{shown} and {len(cells) - 6} more"


def _rows_key(rows: list[list[Any]]) -> tuple[Any, ...]:
    return tuple(tuple((bool, v) if v.__class__ is bool else v for v in row) for row in rows)


def _frozen(args: list[Any]) -> tuple[Any, ...]:
    """Return a key for arguments that tells TRUE from 1."""
    key: list[Any] = []
    for arg in args:
        if isinstance(arg, _Grid):
            if arg.key is None:
                arg.key = _rows_key(arg)
            key.append(arg.key)
        elif isinstance(arg, list):
            key.append(_rows_key(arg))
        else:
            key.append((bool, arg) if arg.__class__ is bool else arg)
    return tuple(key)


def _result(result: Any) -> tuple[Any, str]:
    """Return (cell value or rows of cell values, message) of what a function gave."""
    if isinstance(result, BaseException):
        code = getattr(result, "code", "#VALUE!")
        message = getattr(result, "message", None) or f"{type(result).__name__}: {result}"
        return Err(code if code in _ERRORS else "#VALUE!"), str(message)
    if hasattr(result, "tolist"):  # NumPy
        result = result.tolist()
    if isinstance(result, (list, tuple)):
        rows = [list(row) if isinstance(row, (list, tuple)) else [row] for row in result]
        width = max((len(row) for row in rows), default=0)
        if not width:
            return Err("#VALUE!"), "the function gave an empty array"
        grid = [[_scalar(v) for v in row] + [Err("#N/A")] * (width - len(row)) for row in rows]
        return grid, ""
    value = _scalar(result)
    return value, ("the result is not a finite number" if isinstance(value, Err) else "")


def _scalar(value: Any) -> Value:
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, BaseException):
        code = getattr(value, "code", "#VALUE!")
        return Err(code if code in _ERRORS else "#VALUE!")
    if isinstance(value, (bool, Err)):
        return value
    if isinstance(value, (int, float)):
        number = float(value)
        return number if abs(number) < float("inf") else Err("#NUM!")
    if value is None:
        return ""
    text = str(value)
    return text if len(text) <= 32_767 else Err("#VALUE!")


def _element(result: Any, row: int, col: int) -> Value:
    """Return what an array formula shows at an offset: scalars, single rows and columns repeat."""
    if not isinstance(result, list):
        single: Value = result
        return single
    row = 0 if len(result) == 1 else row
    col = 0 if len(result[0]) == 1 else col
    if row >= len(result) or col >= len(result[0]):
        return Err("#N/A")
    value: Value = result[row][col]
    return value
