"""The number in a cell: typed, kept in the file, or worked out where plain arithmetic and exact lookups give it.

Rules about what cannot be (an MFU of 130 %) need a number. Nothing is executed: a formula with anything but
arithmetic, sums, and lookups in small tables simply has no estimate.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from mlsim_workbooks.lint import syntax as sx
from mlsim_workbooks.lint.infer import Cellwise, Inference, Key, key_of, sheet_of
from mlsim_workbooks.lint.reader import WIDE
from mlsim_workbooks.package import position

__all__ = ["Estimate"]

Content = float | str | None
_MAX_DEPTH = 40
_MAX_CELLS = 400


@dataclass
class Estimate:
    """The numbers of a workbook, each worked out once."""

    inference: Inference
    known: dict[Key, float | None] = field(default_factory=dict)
    depth: int = 0

    def of(self, key: Key) -> float | None:
        """Return a cell's number, None when nothing plain gives it."""
        if key in self.known:
            return self.known[key]
        cell = self.inference.cells.get(key)
        if cell is None:
            return None
        if isinstance(cell.item.value, float):
            return cell.item.value
        self.known[key] = None  # for circles
        tree = self.inference.tree(cell.item.form) if cell.item.form >= 0 else None
        if tree is not None and self.depth < _MAX_DEPTH:
            self.depth += 1
            number = self.number(tree, cell)
            self.depth -= 1
            self.known[key] = number if number is not None and math.isfinite(number) else None
        return self.known[key]

    def number(self, node: sx.Node | None, cell: Cellwise) -> float | None:
        """Return the number that a part of a cell's formula gives."""
        found = self.content(node, cell)
        return found if isinstance(found, float) else None

    def content(self, node: sx.Node | None, cell: Cellwise) -> Content:
        """Return the number or the text that a part of a cell's formula gives."""
        match node:
            case sx.Number() | sx.Text():
                return node.value
            case sx.Ref():
                return self.at(key_of(self.inference.sheets, cell.sheet, node, cell.item.refs))
            case sx.Name():
                place = self.inference.place_of(cell, node)
                return None if place is None else self.at(place)
            case sx.Unary():
                inner = self.number(node.operand, cell)
                return None if inner is None else -inner if node.operator == "-" else inner / 100
            case sx.Binary():
                return _apply(node.operator, self.content(node.left, cell), self.content(node.right, cell))
            case sx.Call() if node.args:
                work = _CALLS.get(node.name)
                return work(self, node, cell) if work else None
        return None

    def at(self, key: Key) -> Content:
        """Return what stands in a cell."""
        number = self.of(key)
        if number is not None or not 0 <= key[0] < len(self.inference.book.grids):
            return number
        item = self.inference.book.grids[key[0]].at(*divmod(key[1], WIDE))
        return item.value if item is not None and isinstance(item.value, str) else None

    def block(self, node: sx.Node | None, cell: Cellwise) -> list[list[Key]]:
        """Return the keys of a small range, row by row; none for anything else."""
        if not isinstance(node, sx.Area) or node.kind != "ref":
            return []
        index = sheet_of(self.inference.sheets, cell.sheet, node)
        (top, left), (bottom, right) = position(cell.item.refs[node.first]), position(cell.item.refs[node.last])
        if (bottom - top + 1) * (right - left + 1) > _MAX_CELLS:
            return []
        return [[(index, r * WIDE + c) for c in range(left, right + 1)] for r in range(top, bottom + 1)]


def _apply(operator: str, a: Content, b: Content) -> Content:
    if operator == "&" and a is not None and b is not None:
        return "".join(x if isinstance(x, str) else f"{x:g}" for x in (a, b))
    if not isinstance(a, float) or not isinstance(b, float):
        return None
    try:
        match operator:
            case "+":
                return a + b
            case "-":
                return a - b
            case "*":
                return a * b
            case "/":
                return a / b
            case "^" if abs(b) < 64 and a > 0:
                return float(a**b)
    except (ZeroDivisionError, OverflowError, ValueError):
        pass
    return None


def _first(run: Estimate, node: sx.Call, cell: Cellwise) -> Content:
    """ROUND, IFERROR: the argument, near enough."""
    return run.number(node.args[0], cell)


def _series(run: Estimate, node: sx.Call, cell: Cellwise) -> Content:
    """Return the sum, greatest, least or mean of a small range."""
    if len(node.args) != 1:
        return None
    block = run.block(node.args[0], cell)
    if not block:
        return None if isinstance(node.args[0], sx.Area) else run.number(node.args[0], cell)
    numbers = [run.of(k) for row in block for k in row if k in run.inference.cells]
    known = [n for n in numbers if n is not None]
    if not known or len(known) < len(numbers):
        return None
    return {"SUM": sum(known), "MAX": max(known), "MIN": min(known), "AVERAGE": sum(known) / len(known)}[node.name]


def _place(run: Estimate, wanted: Content, keys: list[Key]) -> int:
    """Return where a value stands among cells, -1 where it does not."""
    want = wanted.casefold() if isinstance(wanted, str) else wanted
    for i, key in enumerate(keys if want is not None else ()):
        found = run.at(key)
        if (found.casefold() if isinstance(found, str) else found) == want:
            return i
    return -1


def _line(block: list[list[Key]]) -> list[Key]:
    """Return the cells of a single row or column."""
    return [key for row in block for key in row] if len(block) == 1 or all(len(row) == 1 for row in block) else []


def _match(run: Estimate, node: sx.Call, cell: Cellwise) -> Content:
    if len(node.args) < 2:
        return None
    place = _place(run, run.content(node.args[0], cell), _line(run.block(node.args[1], cell)))
    return place + 1.0 if place >= 0 else None


def _index(run: Estimate, node: sx.Call, cell: Cellwise) -> Content:
    block = run.block(node.args[0], cell)
    steps = [run.number(a, cell) for a in node.args[1:]]
    if not block or not 1 <= len(steps) <= 2 or any(s is None for s in steps):
        return None
    whole = [int(s or 0) for s in steps]
    row, col = whole if len(whole) == 2 else (1, whole[0]) if len(block) == 1 else (whole[0], 1)
    inside = 0 < row <= len(block) and 0 < col <= len(block[0])
    return run.at(block[row - 1][col - 1]) if inside else None


def _vlookup(run: Estimate, node: sx.Call, cell: Cellwise) -> Content:
    if len(node.args) < 3:
        return None
    block, col = run.block(node.args[1], cell), run.number(node.args[2], cell)
    place = _place(run, run.content(node.args[0], cell), [row[0] for row in block])
    return run.at(block[place][int(col) - 1]) if col and place >= 0 and 0 < col <= len(block[0]) else None


def _xlookup(run: Estimate, node: sx.Call, cell: Cellwise) -> Content:
    if len(node.args) < 3:
        return None
    keys, results = (_line(run.block(a, cell)) for a in node.args[1:3])
    place = _place(run, run.content(node.args[0], cell), keys)
    return run.at(results[place]) if 0 <= place < len(results) else None


_Work = Callable[[Estimate, sx.Call, Cellwise], Content]
_CALLS: dict[str, _Work] = {
    **dict.fromkeys(("ROUND", "ROUNDUP", "ROUNDDOWN", "IFERROR"), _first),
    **dict.fromkeys(("SUM", "MAX", "MIN", "AVERAGE"), _series),
    "MATCH": _match, "INDEX": _index, "VLOOKUP": _vlookup, "XLOOKUP": _xlookup,
}  # fmt: skip
