"""Find out what the columns of a sheet are for, before its rows are read: units, line numbers, labels behind the numbers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from mlsim_workbooks.lint.labels import speaks
from mlsim_workbooks.lint.reader import Grid, Item
from mlsim_workbooks.lint.unit_texts import plain_unit

__all__ = ["Columns", "columns_of"]


@dataclass(frozen=True, slots=True)
class Columns:
    """What the columns of a sheet are for."""

    gaps: tuple[int, ...]  # empty, as is the next: what stands beyond is a table of its own
    units: frozenset[int]  # mostly units, beside numbers: whatever else stands there is one too
    beside: Mapping[int, frozenset[str]]  # the texts beside numbers
    serials: frozenset[int]  # line numbers
    labels_behind: int = 0  # the labels of a list that has its numbers first
    symbols: frozenset[str] = frozenset()  # what stands before those numbers and only names them: "n_kv"
    explained: Mapping[int, int] = field(default_factory=dict)  # columns of symbols, with those that say what they mean


def columns_of(grid: Grid, merged: Collection[int], names: Mapping[tuple[int, int], str]) -> Columns:
    """Look through a sheet once for what its columns are for.

    Parameters
    ----------
    merged : collection of int
        The columns that merged cells cover.
    names : mapping
        The names that stand for single cells, by row and column.
    """
    beside, units = _texts_beside_numbers(grid)
    serials = _serials(grid)
    symbols, behind = _described(grid) or _behind(grid, units, serials, names)
    return Columns(_gaps(grid, merged), units, beside, serials, behind, symbols, _explained(grid))


def _gaps(grid: Grid, merged: Collection[int]) -> tuple[int, ...]:
    used = {i.col for items in grid.rows.values() for i in items} | set(merged)
    last = min(max(used, default=0), 400)
    return tuple(c for c in range(min(used, default=1), last) if c not in used and c + 1 not in used)


def _texts_beside_numbers(grid: Grid) -> tuple[Mapping[int, frozenset[str]], frozenset[int]]:
    """Return the texts of each column beside numbers, and the columns where most of them are units."""
    texts: dict[int, set[str]] = {}
    units, all_of = Counter[int](), Counter[int]()
    for items in grid.rows.values():
        numeric = {i.col for i in items if i.numeric}
        for item in items:
            if item.form < 0 and isinstance(item.value, str) and numeric & {item.col - 1, item.col + 1}:
                all_of[item.col] += 1
                units[item.col] += plain_unit(item.value) is not None or bool(_MANY_PER.fullmatch(item.value))
                texts.setdefault(item.col, set()).add(item.value.strip())
    mostly = frozenset(c for c, n in units.items() if n > 1 and n * 2 > all_of[c])
    return {c: frozenset(found) for c, found in texts.items()}, mostly


_MANY_PER = re.compile(r"[kKMB]|[kMB]/\w+")


def _serials(grid: Grid) -> frozenset[int]:
    """Return the columns, headed "No.", that only number the lines."""
    heads = {
        i.col: i.row
        for items in grid.rows.values()
        for i in items[:3]
        if isinstance(i.value, str) and _SERIAL.fullmatch(i.value.strip())
    }
    return frozenset(col for col, top in heads.items() if _counts_up(_below(grid, top, col)))


_SERIAL = re.compile(r"#|n[ro°º]\.?|nr\.|num(?:ber|mer|éro)?|pos\.?|lfd\.? ?nr\.?|line|zeile|ligne", re.I)


def _below(grid: Grid, top: int, col: int) -> list[Item]:
    """Return the cells of a column below a row."""
    cells = (grid.at(row, col) for row in grid.rows if row > top)
    return [c for c in cells if c is not None]


def _counts_up(cells: list[Item]) -> bool:
    """Tell whether the typed numbers of some cells are 1, 2, 3, ..., some of them left out."""
    typed = [c.value for c in cells if isinstance(c.value, float) and c.form < 0]
    return len(typed) > 2 and typed == sorted(set(typed)) and all(v == int(v) for v in typed)


def _described(grid: Grid) -> tuple[frozenset[str], int] | None:
    """Return keys and labels of a list "key | value | unit | what it is", whose keys are only names."""
    for items in grid.rows.values():
        if sum(isinstance(i.value, str) for i in items) < 3:
            continue
        heads = {i.col: i.value.strip() for i in items if isinstance(i.value, str) and i.form < 0}
        keys = [c for c, t in heads.items() if _KEYS.fullmatch(t)]
        labels = [c for c, t in heads.items() if _DESCRIPTIONS.fullmatch(t)]
        if len(keys) == len(labels) == 1 and any(keys[0] < c < labels[0] for c in heads):
            below = _below(grid, items[0].row, keys[0])
            return frozenset(c.value for c in below if isinstance(c.value, str)), labels[0]
    return None


def _explained(grid: Grid) -> dict[int, int]:
    """Return the columns of symbols, each with the column beside it that says what they mean: "m_s", no milliseconds."""
    for items in grid.rows.values():
        heads = {i.col: i.value.strip() for i in items if isinstance(i.value, str) and i.form < 0}
        found = {
            c: c + 1 for c, t in heads.items() if _SYMBOLS.fullmatch(t) and _MEANINGS.fullmatch(heads.get(c + 1, ""))
        }
        if found:
            return found
    return {}


_SYMBOLS = re.compile(r"sym(?:bole?|\.)?|var(?:iable|\.)?|notation|kürzel|zeichen|formelzeichen", re.I)
_MEANINGS = re.compile(
    r"what(?: it (?:is|means))?|description|meaning|explanation|definition|quantity|name|beschreibung|bedeutung|bezeichnung|größe|désignation"
    r"|signification|libellé|grandeur",
    re.I,
)
_KEYS = re.compile(r"sym(?:bole?|\.)?|key|var(?:iable|\.)?|short|kürzel|zeichen|nom|id|formelzeichen|code", re.I)
_DESCRIPTIONS = re.compile(
    r"what(?: it (?:is|means))?|description|meaning|explanation|beschreibung|bedeutung|bezeichnung|erläuterung|désignation|signification|libellé",
    re.I,
)


def _behind(
    grid: Grid, units: Collection[int], serials: Collection[int], names: Mapping[tuple[int, int], str]
) -> tuple[frozenset[str], int]:
    """Return symbols and labels of a list that has its numbers first: "989 | TFLOP/s | BF16 dense".

    A list that has its labels behind mere names of cells is one too: "peak_bf16 | 989 | TFLOP/s | BF16 dense".
    """
    lists, speaking, rows = Counter[int](), Counter[int](), 0
    symbols: set[str] = set()
    for items in grid.rows.values():
        items = [i for i in items if i.col not in serials]
        numeric = [i.col for i in items if i.numeric]
        rows += bool(numeric)
        if len(numeric) != 1:
            continue
        texts = {i.col: i.value for i in items if isinstance(i.value, str) and i.form < 0}
        before = [t for c, t in texts.items() if c < numeric[0] and c not in units]
        symbol = len(before) == 1 and (
            before[0] == names.get((items[0].row, numeric[0])) or bool(_SYMBOL.fullmatch(before[0].strip()))
        )
        if not before or symbol:
            labels = [c for c, t in texts.items() if c > numeric[0] and plain_unit(t) is None and c not in units]
            lists.update(labels if symbol else labels[:1])
            speaking.update(c for c in labels if speaks(texts[c]))
            symbols.update(before)
    column, found = max(lists.items(), key=lambda one: (speaking[one[0]], one[1]), default=(0, 0))
    many = found >= 5 and found >= 0.8 * rows
    if symbols:
        many = many and speaking[column] > 0.6 * found
    elif many:
        many = not _heads_speak(grid, min((items[0].col for items in grid.rows.values() if items), default=0))
    return frozenset(symbols), column if many else 0


_SYMBOL = re.compile(r"[A-Za-zα-ωΑ-Ω]{1,2}\d?|[A-Za-z]{1,4}_\w{1,5}")


def _heads_speak(grid: Grid, col: int) -> bool:
    """Tell whether a column has a text that says what its numbers are."""
    rows = (items for items in grid.rows.values() if len(items) > 1)  # a text alone is a heading
    cells = (i for items in rows for i in items if i.col == col)
    return any(isinstance(c.value, str) and c.form < 0 and speaks(c.value) for c in cells)
