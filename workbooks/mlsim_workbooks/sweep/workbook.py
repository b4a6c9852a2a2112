"""A sweep as a workbook: a heat map with a chart, the points as a table for pivots, the axes, and what was swept.

The heat map's formulas are Excel's own, so the workbook lives without MLSIM. A cell finds its point by number, so the
table may be sorted and filtered. Values are written beside the formulas: viewers that do not calculate show them.
"""

from __future__ import annotations

import math
import os
import re
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
from openpyxl import Workbook
from openpyxl.chart import Reference
from openpyxl.chart.data_source import StrData, StrRef, StrVal
from openpyxl.chart.series import SeriesLabel
from openpyxl.chart.text import RichText, Text
from openpyxl.drawing.text import CharacterProperties, Font, Paragraph, ParagraphProperties
from openpyxl.formatting.rule import ColorScaleRule
from openpyxl.styles import Alignment
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.filters import AutoFilter
from openpyxl.worksheet.table import Table, TableColumn, TableStyleInfo
from openpyxl.worksheet.worksheet import Worksheet

from mlsim import __version__
from mlsim.files import FileError, replacing
from mlsim_workbooks import style
from mlsim_workbooks.functions import CATALOGUE
from mlsim_workbooks.reproducible import CREATED, normalise
from mlsim_workbooks.sweep.axes import Axis, Scalar, points_of, shown
from mlsim_workbooks.sweep.block import Column, Values, plain
from mlsim_workbooks.sweep.files import Write
from mlsim_workbooks.sweep.grid import Grid
from mlsim_workbooks.sweep.sweep import Sweep, columns_of

__all__ = ["MOST_ROWS", "workbook_file"]

MOST_ROWS = 1_048_575  # of a sheet, under its header
_ROWS, _COLUMNS = 32, 16  # of the heat map: what fits on a page
_LINES = 6  # of the chart
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # in XML
_NUMBER = "[>=100]#,##0{u};[>=1]0.00{u};0.0000{u}"
_CHOICE_END = "J"  # column: a result has a long name
_MAP, _DATA, _AXES, _ABOUT = "Heat map", "Data", "Axes", "About"


@contextmanager
def workbook_file(path: str | os.PathLike[str], sweep: Sweep) -> Iterator[Write]:
    """Write a workbook; the points are kept until the last has come.

    Raises
    ------
    FileError
        For more points than a sheet has rows.
    """
    if sweep.points > MOST_ROWS:
        raise FileError(
            f"A sheet holds {MOST_ROWS:,} points, and there are {sweep.points:,}: write a .parquet file, or sweep fewer values."
        )
    with replacing(path) as temporary, tempfile.TemporaryDirectory(prefix="mlsim-") as folder:
        kept: list[Sequence[Values]] = []
        yield kept.append
        draft = Path(folder) / "draft.xlsx"
        book = _Book(sweep, kept)
        book.build().save(draft)
        normalise(draft)
        _complete(draft, temporary, book)


@dataclass
class _Book:
    """A sweep with all its results, on the way into a workbook."""

    sweep: Sweep
    chunks: list[Sequence[Values]]
    values: dict[str, Any] = field(default_factory=dict)  # cell of the map -> what its formula gives

    def build(self) -> Workbook:
        """Return the workbook, its table with the first point only."""
        wb = Workbook()
        style.use_font(wb)
        wb.properties.creator, wb.properties.title, wb.properties.created = "MLSIM", "Sweep", CREATED
        wb.active.title = _MAP
        _write_data(wb.create_sheet(_DATA), self)
        _write_axes(wb.create_sheet(_AXES), self)
        _write_map(wb.active, self)
        _write_about(wb.create_sheet(_ABOUT), self)
        for ws in wb.worksheets:  # a text from elsewhere that starts with "=" stays a text
            for cell in (cell for row in ws.iter_rows() for cell in row if cell.data_type in ("f", "e")):
                if ws.title != _MAP or cell.coordinate not in self.values:
                    cell.data_type = "s"
        return wb

    @cached_property
    def columns(self) -> list[tuple[int, Column]]:
        """What stands in the table after the point's number, with its place in a chunk: no error column that is empty."""
        said = [any(len(chunk[i].texts or ()) for chunk in self.chunks) for i in range(len(columns_of(self.sweep)))]
        return [(i, c) for i, c in enumerate(columns_of(self.sweep)) if c.role != "error" or said[i]]

    @cached_property
    def results(self) -> list[tuple[int, Column]]:
        """The results with their places, those that a map shows best first."""
        found = [(i, c) for i, c in self.columns if c.role == "result"]
        return sorted(found, key=lambda pair: ("number", "truth", "text").index(pair[1].kind))

    @property
    def headings(self) -> list[str]:
        """The table's header; a heading of a table is not long."""
        return ["Point", *(column.heading[:250] for _, column in self.columns)]

    @property
    def last(self) -> int:
        """The table's last row."""
        return self.sweep.points + 1

    def column(self, number: int) -> list[Any]:
        """Return a whole column as plain values, None where there is none."""
        return [value for chunk in self.chunks for value in plain(chunk[number])]

    def axis_list(self, axis: Axis) -> str:
        """Return where the values of an axis stand."""
        letter = get_column_letter(self.sweep.axes.index(axis) + 1)
        return f"{_AXES}!${letter}$2:${letter}${len(axis.values) + 1}"

    def stride(self, axis: Axis | None) -> int:
        """Return how many points lie between a value of an axis and the next."""
        if axis is None:
            return 0
        return points_of(self.sweep.axes[self.sweep.axes.index(axis) + 1 :])


def _format(column: Column) -> str:
    unit = f'" {column.unit.replace(chr(34), "")}"' if column.unit else ""
    if column.kind == "whole":
        return "0" if column.role == "axis" else f"#,##0{unit}"
    return _NUMBER.format(u=unit) if column.kind == "number" and column.role == "result" else "General"


def _cell(axis: Axis, value: Scalar) -> Scalar:
    """Return a value as it stands in a sheet: an axis with any text is text."""
    return shown(value) if axis.column.kind == "text" else value


def _write_axes(ws: Worksheet, book: _Book) -> None:
    """Write the values of each axis under its name, and the results' names: the lists of the drop-downs."""
    lists = [[axis.column.heading, *(_cell(axis, v) for v in axis.values)] for axis in book.sweep.axes]
    lists.append(["Results", *(column.heading[:250] for _, column in book.results)])
    style.header(ws, 1, 1, [str(values[0]) for values in lists], 30)
    for column, values in enumerate(lists, 1):
        for row, value in enumerate(values[1:], 2):
            ws.cell(row, column, value).alignment = Alignment(horizontal="left")
    style.widths(ws, [18] * len(book.sweep.axes) + [40])
    style.page(ws, "A2", grid=True, tab="8794A5")


# --- the heat map ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Map:
    """Where the parts of a map are: axes, the places of the values shown, the header's row, the result."""

    down: Axis
    across: Axis | None
    others: tuple[Axis, ...]
    rows: list[int]
    columns: list[int]
    result: Column

    @property
    def top(self) -> int:
        return 9 + len(self.others)

    @property
    def name(self) -> str:
        return f"{_name(self.down)} × {_name(self.across)}" if self.across else _name(self.down)


def _name(axis: Axis) -> str:
    """Return what to call an axis on the map: the label beside its cell is enough."""
    text = axis.label or axis.name
    return text if len(text) <= 40 else f"{text[:39]}…"


def _sampled(count: int, most: int) -> list[int]:
    """Return up to ``most`` places among ``count``, evenly, the first and the last among them."""
    if count <= most:
        return list(range(count))
    return [round(i * (count - 1) / (most - 1)) for i in range(most)]


def _planned(book: _Book) -> _Map:
    """Choose the two longest axes for the map; the others that have a choice get a drop-down."""
    longest = sorted((axis for axis in book.sweep.axes if len(axis.values) > 1), key=lambda axis: -len(axis.values))
    down, across = longest[0] if longest else book.sweep.axes[0], longest[1] if len(longest) > 1 else None
    others = tuple(axis for axis in book.sweep.axes if len(axis.values) > 1 and axis not in (down, across))
    rows, columns = _sampled(len(down.values), _ROWS), _sampled(len(across.values), _COLUMNS) if across else [0]
    return _Map(down, across, others, rows, columns, book.results[0][1])


def _write_map(ws: Worksheet, book: _Book) -> None:
    """Write the map over the two longest axes, the drop-downs for the others, and the chart."""
    plan = _planned(book)
    at, result = book.results[0]
    heading = result.heading[:250]
    fixed = [f"{_name(axis)}: {shown(axis.values[0])}" for axis in book.sweep.axes if len(axis.values) == 1]
    style.title(ws, "B1", f'=C5&" over {plan.name.replace(chr(34), chr(34) * 2)}"', ", ".join(fixed))
    book.values["B1"] = f"{heading} over {plan.name}"
    style.heading(ws, "B4", "Choose")
    style.put(ws, "B5", "Result")
    style.input_cell(ws, "C5", heading, to=f"{_CHOICE_END}5")
    results = get_column_letter(len(book.sweep.axes) + 1)
    style.choice(ws, f"{_AXES}!${results}$2:${results}${len(book.results) + 1}", "C5", strict=True)
    _helper(ws, book, "A5", f"=MATCH($C$5,{_DATA}!$A$1:${get_column_letter(len(book.headings))}$1,0)",
            book.headings.index(heading) + 1)  # fmt: skip
    for row, axis in enumerate(plan.others, 6):
        style.put(ws, f"B{row}", _name(axis))
        style.input_cell(ws, f"C{row}", _cell(axis, axis.values[0]), to=f"{_CHOICE_END}{row}")
        style.choice(ws, book.axis_list(axis), f"C{row}", strict=True)
        _helper(ws, book, f"A{row}", f"=(MATCH($C${row},{book.axis_list(axis)},0)-1)*{book.stride(axis)}", 0)
    style.note(ws, f"B{plan.top - 2}", _explained(plan))
    shown_values = _fill_map(ws, book, plan, book.column(at))
    _map_chart(ws, plan, book.values["B1"], shown_values)
    ws.column_dimensions["A"].hidden = True
    ws.row_dimensions[plan.top - 1].hidden = True
    style.widths(ws, [24, *([10.5] * max(len(plan.columns), 11))], "B")
    style.page(ws, f"C{plan.top + 1}")
    ws.page_setup.fitToHeight = 1


def _helper(ws: Worksheet, book: _Book, ref: str, formula: str, value: Any) -> None:
    """Write a formula, and note what it gives."""
    ws[ref] = formula
    book.values[ref] = value


def _explained(plan: _Map) -> str:
    """Return the line over the map: which values it shows, and what may be changed."""
    some = [
        f"{n} of {len(axis.values):,} values of {_name(axis)}"
        for axis, n in ((plan.down, len(plan.rows)), (plan.across, len(plan.columns)))
        if axis and n < len(axis.values)
    ]
    text = f"Yellow cells are yours to change: any value of the sheet {_AXES}."
    return (f"Shown: {' and '.join(some)}. " if some else "") + text


def _fill_map(ws: Worksheet, book: _Book, plan: _Map, data: Sequence[Any]) -> list[Any]:
    """Write the map; return the values it shows.

    A cell adds up the number of its point, and finds it in the table, wherever it was sorted to.
    """
    top, down, across = plan.top, plan.down, plan.across
    table = f"{_DATA}!$A$2:${get_column_letter(len(book.headings))}${book.last}"
    corner = f"{_name(down)} ↓   {_name(across)} →" if across else _name(down)
    style.header(ws, top, 2, [corner, *[""] * len(plan.columns)], 30)
    for j, place in enumerate(plan.columns):
        letter = get_column_letter(3 + j)
        if across:
            style.input_cell(ws, f"{letter}{top}", _cell(across, across.values[place]))
            formula = f"=(MATCH({letter}${top},{book.axis_list(across)},0)-1)*{book.stride(across)}"
        else:
            _helper(ws, book, f"{letter}{top}", "=$C$5", plan.result.heading[:250])
            formula = "=0"
        _helper(ws, book, f"{letter}{top - 1}", formula, place * book.stride(across))
    found = []
    for r, row_place in enumerate(plan.rows, top + 1):
        style.input_cell(ws, f"B{r}", _cell(down, down.values[row_place]))
        chosen = f"SUM($A$6:$A${top - 2})+" if plan.others else ""
        formula = f"=1+{chosen}(MATCH($B{r},{book.axis_list(down)},0)-1)*{book.stride(down)}"
        _helper(ws, book, f"A{r}", formula, 1 + row_place * book.stride(down))
        for j, place in enumerate(plan.columns):
            ref = f"{get_column_letter(3 + j)}{r}"
            value = data[row_place * book.stride(down) + place * book.stride(across)]
            cell = (
                f"INDEX({table},MATCH($A{r}+{get_column_letter(3 + j)}${top - 1},{_DATA}!$A$2:$A${book.last},0),$A$5)"
            )
            _helper(ws, book, ref, f'=IF({cell}="",NA(),{cell})', "#N/A" if value is None else value)
            style.body(ws, ref, ws[ref].value, _NUMBER.format(u=""), "center")
            found.append(value)
    area = f"C{top + 1}:{get_column_letter(2 + len(plan.columns))}{top + len(plan.rows)}"
    style.mute_errors(ws, area)
    rule = ColorScaleRule(
        start_type="percentile", start_value=5, start_color="FFFFFF", mid_type="percentile", mid_value=50,
        mid_color="BDD7EE", end_type="percentile", end_value=95, end_color="5B9BD5",
    )  # fmt: skip
    ws.conditional_formatting.add(area, rule)
    return found


def _map_chart(ws: Worksheet, plan: _Map, name: str, values: Sequence[Any]) -> None:
    """Draw the result over the longest axis, a line for some values of the other. Its titles follow the cells."""
    top, bottom = plan.top + 1, plan.top + len(plan.rows)
    picked = _sampled(len(plan.columns), _LINES)
    xs = Reference(ws, min_col=2, min_row=top, max_row=bottom)
    ys = [Reference(ws, min_col=3 + j, min_row=top, max_row=bottom) for j in picked]
    if plan.down.numeric:
        numbers = [float(v) for v in plan.down.values]
        lines = [(xs, y, "", style.SERIES[k % 8], "line" if len(plan.rows) > 12 else "both") for k, y in enumerate(ys)]
        chart: Any = style.scatter_chart(
            name, lines, _name(plan.down), "", log_x=_log(numbers), x_range=_room(numbers),
            log_y=_log([v for v in values if isinstance(v, float)]) and 10,
        )  # fmt: skip
        chart.y_axis.number_format = "#,##0.###"
    else:
        chart = style.bar_chart(name, ys, xs, "")
    chart.title.tx = Text(strRef=_from_cell("B", 1, name))
    chart.title.txPr = _title_text()
    for series, j in zip(chart.series, picked, strict=True):
        label = plan.across.values[plan.columns[j]] if plan.across else plan.result.heading
        series.tx = SeriesLabel(strRef=_from_cell(get_column_letter(3 + j), plan.top, shown(label)))
    across = f", one series per {_name(plan.across)}" if plan.across else ""
    style.note(ws, f"B{bottom + 2}", f"Over {_name(plan.down)}{across}:")
    style.place(ws, chart, f"B{bottom + 3}:{get_column_letter(max(10, 2 + len(plan.columns)))}{bottom + 25}")


def _from_cell(letter: str, row: int, text: str) -> StrRef:
    """Return a title that follows a cell, with what the cell holds now."""
    return StrRef(f"'{_MAP}'!${letter}${row}", strCache=StrData(ptCount=1, pt=[StrVal(idx=0, v=text)]))


def _title_text() -> RichText:
    look = CharacterProperties(sz=1100, b=True, solidFill=style.NAVY, latin=Font(typeface=style.FONT))
    return RichText(p=[Paragraph(pPr=ParagraphProperties(defRPr=look), endParaRPr=look)])


def _log(values: Sequence[float]) -> int | None:
    """Return the base of an axis: logarithmic when its numbers span much, of base 2 when they are powers of 2."""
    if not values or min(values) <= 0 or max(values) / min(values) <= 30:
        return None
    return 2 if all(math.frexp(v)[0] == 0.5 for v in (min(values), max(values))) else 10


def _room(values: Sequence[float]) -> tuple[float, float] | None:
    """Return the ends of an axis, a little beyond the last value: a point on the very edge is not drawn everywhere."""
    low, high = min(values), max(values)
    return (low, high + 0.02 * (high - low)) if high > low else None


# --- the table ---------------------------------------------------------------------------------------------------


def _write_data(ws: Worksheet, book: _Book) -> None:
    """Write the header and the first point, whose looks the others take when the file is completed."""
    names = book.headings
    style.header(ws, 1, 1, names)
    style.put(ws, "A2", 1, "0").alignment = Alignment(horizontal="center")
    for i, (_, column) in enumerate(book.columns, 2):
        ref = f"{get_column_letter(i)}2"
        # a value must be there for the cell to be written; the point itself comes with the others
        cell = style.put(ws, ref, 0, _format(column))
        cell.alignment = Alignment(horizontal={"axis": "center", "error": "fill"}.get(column.role))
    area = f"A1:{get_column_letter(len(names))}{book.last}"
    table = Table(displayName="Sweep", ref=area)
    table.tableColumns = [TableColumn(id=i, name=name) for i, name in enumerate(names, 1)]
    table.autoFilter = AutoFilter(ref=area)
    table.tableStyleInfo = TableStyleInfo(name="TableStyleLight9", showRowStripes=True)
    ws.add_table(table)
    sizes = [9, *(44 if c.role == "error" else max(12, min(40, 3 + len(c.heading) * 1.25)) for _, c in book.columns)]
    style.widths(ws, sizes)
    style.page(ws, "B2", grid=True, tab="3A9A6E")
    ws.print_title_rows = "1:1"


def _complete(draft: Path, out: Path, book: _Book) -> None:
    """Copy the workbook, with every point in its table and the values beside the formulas."""
    sheets = {_MAP: "xl/worksheets/sheet1.xml", _DATA: "xl/worksheets/sheet2.xml"}
    with zipfile.ZipFile(draft) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as target:
        for info in source.infolist():
            content = source.read(info)
            if info.filename == sheets[_DATA]:
                with target.open(info, "w", force_zip64=True) as part:
                    for piece in _rows(content.decode(), book):
                        part.write(piece.encode())
                continue
            if info.filename == sheets[_MAP]:
                content = _with_values(content.decode(), book.values).encode()
            target.writestr(info, content)


def _rows(sheet: str, book: _Book) -> Iterator[str]:
    """Yield the sheet with all points in place of the first: each row looks like that one."""
    start, end = sheet.index('<row r="2"'), sheet.index("</sheetData>")
    looks = dict(re.findall(r'<c r="([A-Z]+)2"(?: s="(\d+)")?', sheet[start:end]))
    letters = [get_column_letter(i + 1) for i in range(len(book.headings))]
    marks = [f' s="{looks[c]}"' if looks.get(c) else "" for c in letters]
    head = re.sub(r'<dimension ref="[^"]*"', f'<dimension ref="A1:{letters[-1]}{book.last}"', sheet[:start])
    yield head
    row = 2
    for chunk in book.chunks:
        size = len(chunk[0].data)
        cells = [
            _xml_cells(values, mark)
            for values, mark in zip((chunk[i] for i, _ in book.columns), marks[1:], strict=True)
        ]
        point = [f"{marks[0]}><v>{n}</v></c>" for n in range(row - 1, row - 1 + size)]
        lines = []
        for r, line in enumerate(zip(point, *cells, strict=True), row):
            filled = "".join(f'<c r="{letter}{r}"{cell}' for letter, cell in zip(letters, line, strict=True) if cell)
            lines.append(f'<row r="{r}">{filled}</row>')
        row += size
        yield "".join(lines)
    yield sheet[end:]


def _xml_cells(values: Values, mark: str) -> list[str]:
    """Return what follows the reference of each cell of a column; empty where there is no value."""
    if values.texts is not None:
        texts = [f'{mark} t="inlineStr"><is><t xml:space="preserve">{_xml(t)}</t></is></c>' for t in values.texts]
        texts.append("")  # code -1
        return [texts[code] for code in values.data.tolist()]
    kind = ' t="b"' if values.data.dtype == bool else ""
    found = values.data.astype(int) if kind else values.data
    cells = [f"{mark}{kind}><v>{v!r}</v></c>" for v in found.tolist()]
    if values.missing is not None:
        for i in np.flatnonzero(values.missing).tolist():
            cells[i] = ""
    return cells


def _xml(text: str) -> str:
    return escape(_ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", text[:32_000]))


def _with_values(sheet: str, values: Mapping[str, Any]) -> str:
    """Put the values beside the formulas of a sheet that has none yet."""

    def filled(found: re.Match[str]) -> str:
        value = values.get(found[1])
        if value is None:
            return found[0]
        kind, text = "", repr(value)
        if isinstance(value, bool):
            kind, text = ' t="b"', str(int(value))
        elif isinstance(value, str):
            kind, text = (' t="e"' if value == "#N/A" else ' t="str"'), _xml(value)
        return f'<c r="{found[1]}"{found[2]}{kind}><f>{found[3]}</f><v>{text}</v></c>'

    return re.sub(r'<c r="([A-Z]+\d+)"([^>]*)><f>([^<]*)</f><v ?(?:/>|></v>)</c>', filled, sheet)


# --- what was swept ----------------------------------------------------------------------------------------------


def _write_about(ws: Worksheet, book: _Book) -> None:
    """Write what was swept, what came out, and what was refused."""
    sweep = book.sweep
    what = "functions of MLSIM" if isinstance(sweep, Grid) else f"the workbook {sweep.name}"
    style.title(ws, "A1", "What was swept", f"{sweep.points:,} points of {what}, computed by MLSIM {__version__}.")
    axes = [(axis.column.heading, len(axis.values), _listed(axis)) for axis in sweep.axes]
    results = [(c.heading, sum(v is not None for v in book.column(i)), _meaning(sweep, c)) for i, c in book.results]
    refused = Counter(
        (c.name, text) for i, c in book.columns if c.role == "error" for text in book.column(i) if text is not None
    )
    why = [(name.removesuffix(" error"), count, text) for (name, text), count in refused.most_common(20)]
    row = _block(ws, 4, "Axes", ("Axis", "Values", "Which"), axes)
    row = _block(ws, row, "Results", ("Result", "Points with a value", "What it is"), results)
    row = _block(ws, row, "Refused", ("By", "Points", "Why"), why) if why else row
    style.note(ws, f"A{row}", f"The sheet {_DATA} is the table Sweep: sort it, filter it, insert a pivot table. An empty result is one that was refused; the column beside it says why.")  # fmt: skip
    style.widths(ws, [38, 20, 100])
    style.page(ws, tab="8794A5")


def _block(ws: Worksheet, row: int, name: str, header: Sequence[str], lines: Sequence[tuple[str, int, str]]) -> int:
    """Write a heading and a table of three columns; return the row for what follows."""
    style.heading(ws, f"A{row}", name)
    style.header(ws, row + 1, 1, header, 24)
    for r, (first, count, text) in enumerate(lines, row + 2):
        style.body(ws, f"A{r}", first, wrap=True)
        style.body(ws, f"B{r}", count, "#,##0", "center")
        style.body(ws, f"C{r}", _ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", text), wrap=True)
        ws.row_dimensions[r].height = 15 * max(-(-len(text) // 95), -(-len(first) // 36))
    return row + 3 + len(lines)


def _listed(axis: Axis) -> str:
    texts = [shown(v) for v in axis.values]
    return ", ".join(texts) if len(texts) <= 12 else f"{', '.join(texts[:5])}, … {', '.join(texts[-2:])}"


def _meaning(sweep: Sweep, column: Column) -> str:
    """Return the first sentence of a function's help, or the cell."""
    if isinstance(sweep, Grid):
        return CATALOGUE[column.name.split(" ")[0]].doc.splitlines()[0]
    return f"The cell {column.name} of {sweep.name}."
