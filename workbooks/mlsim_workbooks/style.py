"""The look of every workbook: one palette, a few cell styles, charts that keep their axes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.chart import BarChart, LineChart, Reference, ScatterChart, Series
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.chart.text import RichText
from openpyxl.drawing.line import LineProperties
from openpyxl.drawing.spreadsheet_drawing import AnchorMarker, TwoCellAnchor
from openpyxl.drawing.text import CharacterProperties, Paragraph, ParagraphProperties
from openpyxl.drawing.text import Font as TypeFace
from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

__all__ = [
    "SERIES", "banner", "bar_chart", "body", "choice", "flag_cells", "font", "grey_when", "header", "heading", "input_cell",
    "limit_marks", "lists", "locked", "mark_when", "mute_errors", "note", "page", "paragraph", "place", "put", "scatter_chart", "title", "use_font", "widths",
]  # fmt: skip

FONT = "Arial"
NAVY, ACCENT, PALE, LINE, TEXT, MUTED = "1F3A5F", "2E75B6", "EAF1F8", "C9D3DF", "1E2530", "5B6675"
INPUT_FILL, INPUT_TEXT = "FFF8E1", "1F4E9E"
RED, AMBER, GREEN, GREY = ("F6C2BD", "8B1A10"), ("FFE29A", "6B4300"), ("DDEFDD", "24562B"), ("F1F3F5", "7A8594")
SERIES = ("2E75B6", "E08A2E", "3A9A6E", "8E5EA2", "C23B4B", "6B7280", "B59A00", "17869E")

_THIN = Side(style="thin", color=LINE)
_BOX = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)
_UNDER = Border(bottom=_THIN)


def font(size: float = 10, color: str = TEXT, **kw: Any) -> Font:
    """Return the workbook's font in a size and colour."""
    return Font(name=FONT, size=size, color=color, **kw)


def _fill(color: str) -> PatternFill:
    return PatternFill("solid", fgColor=color, bgColor=color)


def use_font(wb: Workbook) -> None:
    """Make the workbook's font the default, which column widths are measured in."""
    wb._named_styles["Normal"].font = font()


def put(ws: Worksheet, ref: str, value: Any, fmt: str | None = None) -> Any:
    """Write a value in the body font; return the cell."""
    cell = ws[ref]
    cell.value, cell.font = value, font()
    cell.alignment = Alignment(vertical="center")
    if fmt:
        cell.number_format = fmt
    return cell


def title(ws: Worksheet, ref: str, text: str, subtitle: str = "") -> None:
    """Write a sheet's title, and a line under it."""
    put(ws, ref, text).font = font(18, NAVY, bold=True)
    ws.row_dimensions[ws[ref].row].height = 28
    if subtitle:
        below = ws.cell(ws[ref].row + 1, ws[ref].column)
        put(ws, below.coordinate, subtitle).font = font(10, MUTED)


def heading(ws: Worksheet, ref: str, text: str) -> None:
    """Write the heading of a block."""
    put(ws, ref, text).font = font(12, NAVY, bold=True)


def note(ws: Worksheet, ref: str, text: str) -> None:
    """Write an explanation in muted text."""
    put(ws, ref, text).font = font(9.5, MUTED)


def paragraph(ws: Worksheet, ref: str, to: str, text: str, size: float = 10) -> None:
    """Write text that wraps over the cells from ``ref`` to ``to``."""
    ws.merge_cells(f"{ref}:{to}")
    cell = put(ws, ref, text)
    cell.font = font(size)
    cell.alignment = Alignment(wrap_text=True, vertical="top")


def header(ws: Worksheet, row: int, column: int, labels: Sequence[str], height: float = 44) -> None:
    """Write a table's header row."""
    for i, label in enumerate(labels):
        cell = ws.cell(row, column + i, label)
        cell.font, cell.fill, cell.border = font(9.5, "FFFFFF", bold=True), _fill(NAVY), _BOX
        cell.alignment = Alignment(wrap_text=True, horizontal="center", vertical="center")
    ws.row_dimensions[row].height = height


def body(ws: Worksheet, ref: str, value: Any, fmt: str | None = None, align: str = "", wrap: bool = False) -> Any:
    """Write a table cell; return it."""
    cell = put(ws, ref, value, fmt)
    cell.border = _BOX
    cell.alignment = Alignment(horizontal=align or None, vertical="center", wrap_text=wrap, indent=int(align == "left"))
    return cell


def input_cell(ws: Worksheet, ref: str, value: Any, fmt: str | None = None, to: str = "") -> Any:
    """Write a cell that the reader may change: blue on pale yellow."""
    if to:
        ws.merge_cells(f"{ref}:{to}")
        for row in ws[f"{ref}:{to}"]:
            for cell in row:
                cell.border = _BOX
    cell = body(ws, ref, value, fmt, "center")
    cell.font, cell.fill = font(10, INPUT_TEXT, bold=True), _fill(INPUT_FILL)
    return cell


def locked(cell: Any) -> Any:
    """Give a cell the grey of what the reader should leave alone; return it."""
    cell.fill = _fill(GREY[0])
    return cell


def flag_cells(ws: Worksheet, area: str, check: str, ok: bool = True) -> None:
    """Fill ``area`` by the first character of the check text in ``check`` (``$F8``, relative to the area's first row)."""
    for mark, (fill, text) in (("✗", RED), ("⚠", AMBER), *((("✓", GREEN),) if ok else ())):
        rule = FormulaRule([f'LEFT({check},1)="{mark}"'], stopIfTrue=True, fill=_fill(fill), font=Font(color=text))
        ws.conditional_formatting.add(area, rule)


def grey_when(ws: Worksheet, area: str, condition: str) -> None:
    """Grey out cells where a condition holds."""
    rule = FormulaRule([condition], stopIfTrue=True, fill=_fill(GREY[0]), font=Font(color=GREY[1], italic=True))
    ws.conditional_formatting.add(area, rule)


def mute_errors(ws: Worksheet, area: str) -> None:
    """Grey the error values of an area: the sentence beside it says what they mean."""
    grey_when(ws, area, f"ISERROR({area.split(':')[0]})")


def lists(ws: Worksheet, columns: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Write the names behind the drop-downs, a list per column of the sheet Lists; return label -> area."""
    areas = {}
    for column, (label, names) in enumerate(columns.items(), 1):
        for row, text in enumerate((label, *names), 1):
            ws.cell(row, column, text)
        letter = get_column_letter(column)
        areas[label] = f"Lists!${letter}$2:${letter}${len(names) + 1}"
    return areas


def choice(ws: Worksheet, area: str, cells: str, strict: bool = False) -> None:
    """Offer the names of a list in cells; unless strict, an alias of a registry name may be typed all the same."""
    rule = DataValidation("list", formula1=f"={area}", showErrorMessage=True, errorTitle="MLSIM")
    rule.errorStyle = "stop" if strict else "warning"
    other = "This name is not in the list. It may be an alias or a name of your own registry; go on?"
    rule.error = "Choose from the list." if strict else other
    ws.add_data_validation(rule)
    for cell in cells.split():
        rule.add(cell)


def mark_when(ws: Worksheet, area: str, condition: str) -> None:
    """Set off cells where a condition holds: the winner's row."""
    rule = FormulaRule([condition], fill=_fill(GREEN[0]), font=Font(color=GREEN[1], bold=True))
    ws.conditional_formatting.add(area, rule)


def banner(ws: Worksheet, area: str, value: str, size: float = 14, height: float = 40) -> None:
    """Write a line of text over a coloured band."""
    first = area.split(":")[0]
    ws.merge_cells(area)
    for cell in ws[area][0]:
        cell.fill = _fill(PALE)
    cell = put(ws, first, value)
    cell.font, cell.fill = font(size, NAVY, bold=True), _fill(PALE)
    cell.alignment = Alignment(wrap_text=True, vertical="center", indent=1)
    ws.row_dimensions[cell.row].height = height


def widths(ws: Worksheet, sizes: Iterable[float], first: str = "A") -> None:
    """Set column widths from a column on."""
    start = ws[f"{first}1"].column
    for i, size in enumerate(sizes):
        ws.column_dimensions[get_column_letter(start + i)].width = size


def page(ws: Worksheet, freeze: str | None = None, grid: bool = False, tab: str = ACCENT) -> None:
    """Set up a sheet: landscape, one page wide, page numbers, no gridlines."""
    ws.sheet_view.showGridLines = grid
    ws.freeze_panes = freeze
    ws.sheet_properties.tabColor = tab
    ws.page_setup.orientation, ws.page_setup.paperSize = "landscape", 9
    ws.page_setup.fitToWidth, ws.page_setup.fitToHeight = 1, 0
    if ws.sheet_properties.pageSetUpPr is not None:
        ws.sheet_properties.pageSetUpPr.fitToPage = True
    ws.page_margins.left = ws.page_margins.right = 0.4
    ws.page_margins.top = ws.page_margins.bottom = 0.5
    ws.print_options.horizontalCentered = True
    footer: Any = ws.oddFooter
    footer.left.text, footer.right.text = "&A", "&P / &N"


# --- charts ------------------------------------------------------------------------------------------------------


def _rich(size: int = 900, bold: bool = False, color: str = MUTED) -> CharacterProperties:
    return CharacterProperties(sz=size, b=bold, solidFill=color, latin=TypeFace(typeface=FONT))


def _axis_text(size: int = 900) -> RichText:
    return RichText(p=[Paragraph(pPr=ParagraphProperties(defRPr=_rich(size)), endParaRPr=_rich(size))])


def _axes(chart: Any, x: str, y: str) -> None:
    """Title both axes and keep them visible (openpyxl hides them otherwise)."""
    for axis, text in ((chart.x_axis, x), (chart.y_axis, y)):
        axis.delete = False
        axis.title = text or None
        axis.txPr = _axis_text()
        if axis.title is not None:
            _shrink(axis.title, 900)
    chart.y_axis.majorGridlines.spPr = GraphicalProperties(ln=LineProperties(solidFill="E3E8EE", w=6350))


def _shrink(text: Any, size: int, bold: bool = False, color: str = MUTED) -> None:
    for paragraph in text.tx.rich.p:
        paragraph.pPr = ParagraphProperties(defRPr=_rich(size, bold, color))
        for run in paragraph.r or ():
            run.rPr = _rich(size, bold, color)
    text.overlay = False


def place(ws: Worksheet, chart: Any, area: str) -> None:
    """Put a chart over a range of cells, whatever their sizes."""
    first, last = (ws[ref] for ref in area.split(":"))
    start = AnchorMarker(col=first.column - 1, row=first.row - 1)
    chart.anchor = TwoCellAnchor(editAs="oneCell", _from=start, to=AnchorMarker(col=last.column, row=last.row))
    ws.add_chart(chart)


def _frame(chart: Any, name: str, legend: str | None) -> None:
    chart.title, chart.style = name, 2
    _shrink(chart.title, 1100, True, NAVY)
    if legend:
        chart.legend.position = legend
        chart.legend.txPr = _axis_text()
    else:
        chart.legend = None
    chart.graphical_properties = GraphicalProperties(ln=LineProperties(solidFill=LINE, w=6350), solidFill="FFFFFF")


def _colour(series: Any, color: str) -> None:
    series.graphicalProperties = GraphicalProperties(solidFill=color, ln=LineProperties(solidFill=color))


def bar_chart(
    name: str, columns: Sequence[Reference], categories: Reference, y: str, *, stacked: bool = False,
    colors: Sequence[str] = SERIES, fmt: str = "General", titles: bool = False,
) -> BarChart:  # fmt: skip
    """Return upright bars: one series per column, the names in ``categories``."""
    chart = BarChart()
    chart.type, chart.gapWidth = "col", 60
    for i, column in enumerate(columns):
        chart.add_data(column, titles_from_data=titles)
        _colour(chart.series[-1], colors[i % len(colors)])
    chart.set_categories(categories)
    if stacked:
        chart.grouping, chart.overlap = "stacked", 100
    _frame(chart, name, "b" if len(columns) > 1 else None)
    _axes(chart, "", y)
    chart.y_axis.scaling.min = 0
    chart.y_axis.number_format = fmt
    return chart


def limit_marks(column: Reference, color: str) -> LineChart:
    """Return dashes without a line, to be added to bars: a limit per category."""
    chart = LineChart()
    chart.add_data(column, titles_from_data=True)
    series = chart.series[-1]
    series.graphicalProperties = GraphicalProperties(ln=LineProperties(noFill=True))
    series.marker.symbol, series.marker.size = "dash", 22
    series.marker.graphicalProperties = GraphicalProperties(solidFill=color, ln=LineProperties(solidFill=color))
    return chart


def scatter_chart(
    name: str, lines: Sequence[tuple[Reference, Reference, str, str, str]], x: str, y: str, *,
    log_x: float | None = None, log_y: float | None = None, x_range: tuple[float, float] | None = None,
    y_range: tuple[float, float] | None = None,
) -> ScatterChart:  # fmt: skip
    """Return an x-y chart. A line is ``(x, y, label, colour, kind)`` with kind ``"line"``, ``"both"`` or ``"points"``."""
    chart = ScatterChart()
    chart.scatterStyle = "lineMarker"
    for xs, ys, label, color, kind in lines:
        series = Series(ys, xs, title=label)
        series.smooth = False
        line = LineProperties(noFill=True) if kind == "points" else LineProperties(solidFill=color, w=22225)
        series.graphicalProperties = GraphicalProperties(ln=line)
        series.marker.symbol = "none" if kind == "line" else "circle" if kind == "both" else "diamond"
        if kind != "line":
            series.marker.size = 5 if kind == "both" else 9
            outline = LineProperties(solidFill="FFFFFF" if kind == "points" else color, w=6350)
            series.marker.graphicalProperties = GraphicalProperties(solidFill=color, ln=outline)
        chart.series.append(series)
    _frame(chart, name, "b" if len(lines) > 1 else None)
    _axes(chart, x, y)
    for axis, base, bounds in ((chart.x_axis, log_x, x_range), (chart.y_axis, log_y, y_range)):
        axis.number_format = "General"
        axis.crosses = "min"
        if base:
            axis.scaling.logBase = base
        if bounds:
            axis.scaling.min, axis.scaling.max = bounds
    chart.x_axis.majorGridlines = None
    return chart
