"""The embedded engine: IronCalc on a bare copy, and MLSIM for the calls taken out of it, in rounds until nothing changes.

Normal distributions are right to about ten digits. What IronCalc is known to get wrong, or reads differently from how
it was written, is left alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mlsim.errors import CellError
from mlsim_workbooks.package import LONGEST_TEXT, Err, RecalcError, Value
from mlsim_workbooks.recalc.bare import AREA, BARE, CALL, CELL, CONST, Builder, Instance, Size, run_engine, unsupported
from mlsim_workbooks.recalc.book import Book, Formula, Place, cells_of
from mlsim_workbooks.recalc.conversions import FUNCTIONS, Unsure, is_too_long
from mlsim_workbooks.recalc.doubts import Doubts
from mlsim_workbooks.recalc.worked import Worked

__all__ = ["CallMany", "Embedded"]

MAX_ROUNDS = 20_000
MAX_REBUILDS = 40
MAX_REMEMBERED = 200_000  # results
MAX_AREA = 4_000_000  # cells in one range argument
MAX_READ = 20_000_000  # cells that one reference of a formula reads
_ERRORS = {"#VALUE!", "#N/A", "#NUM!", "#DIV/0!", "#REF!", "#NAME?", "#NULL!"}

CallMany = Callable[[str, list[list[Any]]], Sequence[Any]]


class _Grid(list[list[Any]]):
    """A range argument that remembers its key: thousands of calls may share one range."""

    key: Any = None


class _Failed(Exception):
    """An argument is an error value."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Embedded:
    """The engine for one workbook at a time.

    Parameters
    ----------
    known : collection of str
        The MLSIM functions there are, by canonical name.
    batch : callable
        ``batch(name, list_of_args)`` gives a list of results or exceptions.
    """

    name = "embedded"

    def __init__(self, known: Collection[str], batch: CallMany) -> None:
        self.known, self.batch = frozenset(known), batch
        self.memo: dict[Any, Any] = {}

    def calculate(self, book: Book) -> Worked:
        """Work out every formula that can be, and leave the others of the book alone."""
        return Calculation(self, book).run()


class Calculation:
    """One workbook in the engine, from its formulas to their values."""

    def __init__(self, engine: Embedded, book: Book) -> None:
        self.engine = engine
        self.batch, self.known, self.memo = engine.batch, engine.known, engine.memo
        self.book = book
        self.notes: list[str] = []
        self.sizes: dict[Size, tuple[int, int]] = {}
        self.instances: list[Instance] = []
        self.measures: dict[Size, Place] = {}  # where the engine holds an array's size
        self.inputs: dict[Place, Value] = {}  # cells that hold something else than in the file
        self.last: dict[Place, Value] = {}
        self.areas: dict[Any, Any] = {}
        self.model: Any = None
        self.placed = False  # has the engine got other values since it last evaluated?
        self.unread = False  # ... among them an error, which cannot be read back before that
        self.levels: dict[int, int] = {}  # formula -> number of calls in a row that it waits for
        self.supported: set[str] = set()
        self.unsure: dict[Any, str] = {}  # conversions by their key, and why they are doubtful

    def run(self) -> Worked:
        """Return the values of all formulas that are not left alone."""
        book = self.book
        if book.workbook.as_displayed and book.formulas:
            raise RecalcError(
                f"{book.package.path.name} calculates with the precision as displayed, which is not supported."
            )
        self.leave_limits()
        self.settle()
        return self.worked()

    def leave_limits(self) -> None:
        """Leave alone what the engine cannot work out, as far as the formulas' texts tell."""
        book = self.book
        used = {name for formula in book.formulas for name in formula.plan.functions} - self.supported
        unknown = set(unsupported(used))
        self.supported |= used - unknown
        reasons: dict[Place, str] = {}
        for f in book.formulas:
            plan = f.plan
            why = plan.limit
            if not why and unknown and not unknown.isdisjoint(plan.functions):
                name = next(name for name in plan.functions if name in unknown)
                why = f"uses {name}(), which neither MLSIM nor the embedded engine knows"
            if not why and plan.calls:
                name = next((c.name for c in plan.calls if c.name not in self.known and c.name not in FUNCTIONS), "")
                why = f"uses {name}(), which this version of MLSIM does not have" if name else ""
            if not why and any(area.last or area.kind != "ref" for area in plan.areas):
                why = self.too_wide(f)
            if why:
                reasons[f.sheet, f.row, f.col] = why
        book.leave(reasons)

    def too_wide(self, f: Formula) -> str:
        """Say when a formula reads so many cells that the engine would not come back."""
        for area in f.plan.areas:
            _, top, left, bottom, right = self.book.spread(area, f)
            count = (bottom - top + 1) * (right - left + 1)
            if count > MAX_READ:
                return f"reads a range of {count:,} cells, too many for the engine"
        return ""

    # --- rounds ---

    def settle(self) -> None:
        """Build the engine's model and answer calls until nothing changes."""
        book = self.book
        if not book.formulas:
            return
        for _ in range(MAX_REBUILDS):
            builder = Builder(book, self.sizes)
            self.model, self.instances, self.measures = builder.build(), builder.instances, builder.measures
            self.last = {}
            self.put_inputs()
            reasons = builder.misread(self.model) or self.circles() or self.rounds() or self.failures()
            if not reasons and not self.resized():
                reasons = self.doubts()
                if not reasons:
                    return
            if reasons:
                book.leave(reasons)
                self.sizes.clear()
                if not book.formulas:
                    self.instances = []
                    return
        raise RecalcError("The arrays of this workbook keep changing size, so it does not settle.")

    def rounds(self) -> dict[Place, str]:
        """Answer the calls until nothing changes; return formulas that never come to rest."""
        if len(self.memo) > MAX_REMEMBERED:
            self.memo.clear()
        self.evaluate()
        groups: dict[tuple[int, int], list[Instance]] = {}
        for instance in self.instances:
            level = 0 if instance.static else self.levels.get(instance.formula, 0)
            groups.setdefault((level, instance.depth), []).append(instance)
        ordered = [groups[key] for key in sorted(groups)]
        moved: list[Instance] = []
        for _ in range(min(MAX_ROUNDS, len(self.instances) + 2)):
            self.areas = {}
            self.placed, moved = False, []
            for group in ordered:
                if self.unread or (self.placed and not all(i.direct for i in group)):
                    self.evaluate()
                moved += self.answer(group)
            if self.placed:
                self.evaluate()
            if not moved or all(i.static for i in self.instances):
                return self.doubtful()
        found = (self.book.formulas[i.formula] for i in moved if not i.static)
        return {(f.sheet, f.row, f.col): "does not settle; it seems to have a circular reference" for f in found}

    def doubtful(self) -> dict[Place, str]:
        """Return the formulas with a number whose text is not known for certain."""
        found = ((self.book.formulas[i.formula], i.key) for i in self.instances if i.key in self.unsure)
        return {(f.sheet, f.row, f.col): self.unsure[key] for f, key in found}

    def put_inputs(self) -> None:
        """Put the inputs into their cells."""
        for place, value in self.inputs.items():
            if value is None:
                if self.last.get(place, "") is not None:
                    self.model.clear_cell_contents(*place)
                    self.last[place] = None
            else:
                self.put(*place, float(value) if isinstance(value, int) and not isinstance(value, bool) else value)

    def again(self) -> dict[Place, str]:
        """Work out everything anew with other inputs; return the formulas that cannot be."""
        self.put_inputs()
        for instance in self.instances:
            instance.done = False
        reasons = self.rounds() or self.failures()
        if not reasons and self.resized():
            self.settle()
        return reasons

    def evaluate(self) -> None:
        """Let the engine work out its formulas."""
        run_engine(self.model.evaluate)
        self.areas = {}
        self.placed = self.unread = False

    def answer(self, instances: list[Instance]) -> list[Instance]:
        """Fetch the arguments of these calls, evaluate the new ones together, place the results; return what moved."""
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
            results = self.answers(name, list(jobs.values()))
            for key, result in zip(jobs, results, strict=True):
                memo[key] = _result(result)
        for instance in moved:
            key = instance.key
            if isinstance(key, str):
                instance.result, instance.message = Err(key), f"an argument of {instance.name} is {key}"
            else:
                instance.result, instance.message = memo[key]
            if instance.target and self.place(instance):
                self.placed = True
                self.areas = {}
        return moved

    def answers(self, name: str, jobs: list[list[Any]]) -> Sequence[Any]:
        """Evaluate calls of one function."""
        if name in FUNCTIONS:
            return self.converted(name, jobs)
        if name == "MLSIM_LINT":
            return [self.own_findings(args) for args in jobs]
        return self.batch(name, jobs)

    def own_findings(self, args: list[Any]) -> Any:
        """Let a workbook ask for its own unit mistakes; it must not read other files of this machine."""
        from mlsim_workbooks.functions import saved_file  # late: it loads the whole catalogue

        path = self.book.package.path.absolute()
        try:
            if len(args) == 1 and isinstance(args[0], str) and Path(saved_file(args[0])).absolute() == path:
                with TemporaryDirectory(prefix="mlsim-") as folder:  # it may have come from another machine
                    copy = Path(folder, path.name)
                    copy.write_bytes(self.book.package.data)
                    return self.batch("MLSIM_LINT", [[str(copy)]])[0]
        except CellError as error:
            return error
        return CellError("#VALUE!", f'path: {path.name} may look at itself only, with CELL("filename").')

    def converted(self, name: str, jobs: list[list[Any]]) -> list[Any]:
        """Answer calls that stand for conversions of numbers into text."""
        results: list[Any] = []
        for args in jobs:
            try:
                results.append(FUNCTIONS[name](*args))
            except Unsure as unsure:
                self.unsure[name, _frozen(args)] = str(unsure)
                results.append(unsure)
        return results

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
            path = self.book.package.path.absolute()
            return f"{path.parent}{os.sep}[{path.name}]{value[len(BARE) + 2 :]}"
        return value

    def fetch_area(self, place: tuple[Any, ...]) -> list[list[Any]]:
        """Return the values of a range; an error in it fails the call."""
        found = self.areas.get(place)
        if found is None:
            sheet, top, left, bottom, right = place
            if (bottom - top + 1) * (right - left + 1) > MAX_AREA:
                raise RecalcError(f"A range argument of MLSIM has more than {MAX_AREA:,} cells.")
            get = self.model.get_cell_value
            used = self.book.used[sheet][0] if sheet < len(self.book.used) else bottom
            found = _Grid([get(sheet, r, c) for c in range(left, right + 1)] for r in range(top, min(bottom, used) + 1))
            found += [[None] * (right - left + 1) for _ in range(max(top, used + 1), bottom + 1)]
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
        """Tell an error value from a text that reads the same."""
        return str(self.model.get_cell_type(sheet, row, col)) == "CellType.ErrorValue"

    def place(self, instance: Instance) -> bool:
        """Put a result into its cells of the engine; return whether any differs."""
        assert instance.target is not None
        sheet, top, left, bottom, right = instance.target
        result, changed = instance.result, False
        if instance.blocked:
            return self.put(sheet, top, left, Err("#VALUE!"))
        if top == bottom and left == right:
            value = result[0][0] if isinstance(result, list) else result
            return self.put(sheet, top, left, value)
        for row in range(top, bottom + 1):
            for col in range(left, right + 1):
                changed |= self.put(sheet, row, col, _element(result, row - top, col - left))
        return changed

    def put(self, sheet: int, row: int, col: int, value: Value) -> bool:
        """Put a value into a cell of the engine; return whether it differs from the last one put there."""
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
        """Give arrays that differ in size from the space they have that space; return whether there are any."""
        found: dict[Size, tuple[int, int]] = {}
        for number, instance in enumerate(self.instances):
            if instance.target is not None and (instance.takes_array or instance.dynamic):
                result = instance.result
                size = (len(result), len(result[0])) if isinstance(result, list) else (1, 1)
                found[(instance.dynamic or ("call", number))] = size
        for key, (sheet, row, col) in self.measures.items():
            get = self.model.get_cell_value
            rows, cols = get(sheet, row, col), get(sheet, row, col + 1)
            found[key] = (int(rows), int(cols)) if isinstance(rows, float) and isinstance(cols, float) else (1, 1)
        spilled = {key: found.pop(key) for key in list(found) if len(key) == 3}
        changed = any(self.sizes.get(key, (1, 1)) != size for key, size in found.items())
        self.sizes |= found
        return self.book.respill(spilled) or changed

    # --- circular references ---

    def circles(self) -> dict[Place, str]:
        """Return the formulas of circles that run through an MLSIM call; the engine finds the other ones."""
        formulas = self.book.formulas
        self.levels = {}
        roots = {i.formula: None for i in self.instances if not i.static}
        found: dict[Place, str] = {}
        if not roots:
            return found
        columns = self.book.columns()
        try:
            for circle in self.book.components(roots, columns):
                number = circle[0]
                if len(circle) == 1:
                    before = self.book.precedents(formulas[number], columns)
                    waits = (self.levels.get(p, 0) + bool(formulas[p].plan.calls) for p in before)
                    self.levels[number] = max(waits, default=0)
                elif any(formulas[n].plan.calls for n in circle):
                    found |= self.in_circle(circle)
        except OverflowError:
            self.notes.append("The workbook is too large to search it for circular references.")
        return found

    # --- results ---

    def failures(self) -> dict[Place, str]:
        """Return formulas that the engine turns out not to be able to work out; what depends on them follows."""
        formulas = self.book.formulas
        found: dict[Place, str] = {}
        circular: list[int] = []
        broken: list[int] = []
        for number, f in enumerate(formulas):
            if f.plan.loose and self.is_long(f):
                found[f.sheet, f.row, f.col] = "turns a number into text with more digits than Excel writes"
            errors = self.errors(f)
            if not errors:
                continue
            if "#CIRC!" in errors:
                circular.append(number)
            elif not errors.isdisjoint(("#ERROR!", "#N/IMPL!")):
                broken.append(number)
            elif "#REF!" in errors and "INDIRECT" in f.plan.functions:
                cell = self.book.cells[f.sheet].get((f.row, f.col))
                if self.book.cached(cell) != "#REF!":
                    found[f.sheet, f.row, f.col] = (
                        "uses INDIRECT() on something that the embedded engine cannot find (it knows cell addresses, "
                        "not names)"
                    )
        if circular or broken:
            columns = self.book.columns()
            affected = set(broken)
            for number in broken:  # the error itself spreads: name where it comes from
                f = formulas[number]
                if affected.isdisjoint(self.book.precedents(f, columns)):
                    found[f.sheet, f.row, f.col] = "holds a formula that the embedded engine cannot work out"
            try:
                circles = [c for c in self.book.components(circular, columns) if len(c) > 1] or [circular]
            except OverflowError:
                circles = [circular]
            for circle in circles:
                found |= self.in_circle(circle)
        return found

    def doubts(self) -> dict[Place, str]:
        """Return formulas whose values Excel may work out in another way."""
        doubts = Doubts(self.book, self.value)
        found = {(f.sheet, f.row, f.col): doubts.about(f) for f in self.book.formulas}
        return {place: why for place, why in found.items() if why}

    def in_circle(self, numbers: Sequence[int]) -> dict[Place, str]:
        """Say of each formula of a circle that it belongs to it."""
        members = [self.book.formulas[n] for n in sorted(set(numbers))]
        cells = some([self.book.where(f.sheet, f.row, f.col) for f in members])
        return {(f.sheet, f.row, f.col): f"has a circular reference: {cells}" for f in members}

    def errors(self, f: Formula) -> set[str]:
        """Return the errors that a formula's cells show."""
        get = self.model.get_cell_value
        shown = ((get(f.sheet, *at), at) for at in cells_of(f.cells))
        return {v for v, at in shown if v.__class__ is str and v[:1] == "#" and self.is_error(f.sheet, *at)}

    def is_long(self, f: Formula) -> bool:
        """Tell whether a formula's cells show a number of more digits than Excel would write."""
        shown = (self.model.get_cell_value(f.sheet, *at) for at in cells_of(f.cells))
        return any(isinstance(value, str) and is_too_long(value) for value in shown)

    def worked(self) -> Worked:
        """Return the values of all formulas."""
        worked = Worked([{} for _ in self.book.names], notes=self.notes)
        for f in self.book.formulas:
            worked.values[f.sheet] |= {at: self.value(f.sheet, *at) for at in cells_of(f.cells)}
            if f.blocked:
                worked.messages[f.sheet, f.row, f.col] = f"#SPILL!: {f.blocked} is in the way of the result"
        for i in self.instances:
            if i.message:
                f = self.book.formulas[i.formula]
                worked.messages.setdefault((f.sheet, f.row, f.col), i.message)
        return worked

    def value(self, sheet: int, row: int, col: int) -> Value:
        """Return the value of a cell as a file stores it."""
        value = self.model.get_cell_value(sheet, row, col)
        if value.__class__ is str and value[:1] == "#" and self.is_error(sheet, row, col):
            return Err(value if value in _ERRORS else "#VALUE!")  # Excel, too, stores #CALC! and #SPILL! so
        result: Value = self.own_name(value)
        return Err("#VALUE!") if isinstance(result, str) and len(result) > LONGEST_TEXT else result


def some(cells: Sequence[str]) -> str:
    """Name a few cells."""
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
    return text if len(text) <= LONGEST_TEXT else Err("#VALUE!")


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


def one_by_one(call: Callable[[str, list[Any]], Any]) -> CallMany:
    """Return a batch of a function that evaluates one call."""

    def loop(name: str, many: list[list[Any]]) -> list[Any]:
        results: list[Any] = []
        for args in many:
            try:
                results.append(call(name, args))
            except Exception as error:
                results.append(error)
        return results

    return loop
