"""The report "predicted against measured": a workbook of values, and the accuracy table of the README.

It holds no formula, so every reader shows the same. Colours of met and missed targets are native conditional formats.
"""

from __future__ import annotations

import math
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.chart import Reference
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.drawing.line import LineProperties
from openpyxl.styles import Alignment
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.pagebreak import Break
from openpyxl.worksheet.table import Table, TableStyleInfo
from openpyxl.worksheet.worksheet import Worksheet

from mlsim import __version__
from mlsim.calibration.accuracy import Outcome, Scored, Summary, summarise
from mlsim.calibration.cases import UNITS, labels
from mlsim.files import write_file
from mlsim.planner.machine import CHIP_PARAMETERS, RUNTIME_PARAMETERS
from mlsim.registry.records import Figure
from mlsim.registry.tables import rows as registry_rows
from mlsim.registry.tables import sources
from mlsim_workbooks import style
from mlsim_workbooks.reproducible import CREATED, normalise

__all__ = ["COVERAGE", "TARGETS", "markdown", "why", "write"]

TARGETS: dict[str, tuple[float, float]] = {
    "decode": (0.10, 0.30), "prefill": (0.15, 0.40), "serving_offline": (0.20, 0.50), "serving_online": (0.20, 0.50),
    "end_to_end": (0.20, 0.50), "training": (0.10, 0.30), "collective": (0.15, 0.40), "memory": (0.02, 0.05),
}  # fmt: skip
"""Family -> largest median and 90th percentile of the absolute error."""
COVERAGE = (0.70, 0.90)
"""Share of measurements that the 80 % intervals should hold."""

_SHIPPED, _IN_SAMPLE, _UNKNOWN = "shipped parameters", "in sample", "not known"
_WORST = 20  # rows of that sheet
_SERIES = 8  # of a scatter chart at most
_FEW = 10  # rows of a runtime or chip class: fewer are worth a word
_PEERS, _AGREE = 3, 0.20  # rows that tell something, and the median error up to which they agree
_A3 = 8
_BODY = style.font()
_NUMBER, _PERCENT, _SIGNED = "[>=1000]#,##0;[>=10]0.0;0.00", "0.0%", "+0.0%;-0.0%;0.0%"
_BAND = 0.25  # the lines beside y = x
_TITLES = {
    "decode": "Decode: time per output token", "prefill": "Prefill: time to first token",
    "request": "End to end: latency of a request", "static": "Offline serving: output rate of a device",
    "saturated": "Offline serving: output rate of a device", "interleaved": "Online serving: time per output token",
    "step": "Training: time of a step", "tokens": "Training: token rate of a device",
    "flops": "Training: FLOP rate by each source's convention", "collective": "Collectives",
    "weights": "Memory: weights of a device", "pool": "Memory: KV pool", "token": "Memory: KV cache of a token",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Report:
    scored: Sequence[Scored]
    unsupported: Sequence[Outcome]
    splits: Mapping[str, Sequence[Scored]]
    families: Mapping[str, str] = field(default_factory=dict)
    date: str = ""

    @property
    def timed(self) -> list[Scored]:
        """Predictions that rest on fitted parameters: all but those of memory."""
        return [s for s in self.scored if s.prediction.bottleneck != "capacity"]

    @property
    def versions(self) -> dict[str, Sequence[Scored]]:
        """Label of the parameters -> rows predicted with them."""
        return {_SHIPPED: self.scored, **{_label(name): rows for name, rows in self.splits.items()}}

    def family_of(self, outcome: Outcome) -> str:
        """Return the family of a row without a prediction, where it is known."""
        return outcome.case.family if outcome.case else self.families.get(outcome.case_id, _UNKNOWN)


def write(
    path: str | Path, scored: Sequence[Scored], unsupported: Sequence[Outcome], splits: Mapping[str, Sequence[Scored]],
    *, families: Mapping[str, str] | None = None, date: str = "",
) -> None:  # fmt: skip
    """Write the workbook; equal arguments give equal bytes.

    Parameters
    ----------
    path : path
        The file; replaced in one step, or left as it was.
    scored, unsupported : sequence
        What :func:`mlsim.calibration.accuracy.score` returns.
    splits : mapping
        What :func:`mlsim.calibration.accuracy.transfer` returns; empty when it was not computed.
    families : mapping of str to str, optional
        Case id -> family of the rows that could not be read: an outcome does not hold it.
    date : str, optional
        The date of the measurements or of the report, as it should be printed.

    Raises
    ------
    CellError
        When the place cannot be written.
    """
    book = _workbook(_Report(scored, unsupported, splits, families or {}, date))
    with tempfile.TemporaryDirectory(prefix="mlsim-") as folder:
        draft = Path(folder) / "draft.xlsx"
        book.save(draft)
        normalise(draft)
        write_file(path, draft.read_bytes(), like=draft)


def markdown(scored: Sequence[Scored], splits: Mapping[str, Sequence[Scored]]) -> str:
    """Return the accuracy as a Markdown table: a row per family, median and 90th percentile of the absolute error.

    Memory has no fitted parameters: its errors with the shipped figures stand in the first column, and no fit that
    left something out applies.
    """
    found = {_label(name): _by_family(rows) for name, rows in splits.items()} or {_SHIPPED: _by_family(scored)}
    shipped, first = _by_family(scored), next(iter(found))
    short = " / ".join(name.removesuffix(" left out") for name in found)
    lines = [
        "| family | rows | " + " | ".join(f"{name}, median / p90" for name in found) + f" | 80 % interval holds: {short} |",
        "|---" * (3 + len(found)) + "|",
    ]  # fmt: skip
    for family in _ordered(shipped):
        cells = [found[name].get(family) or (shipped[family] if name == first else None) for name in found]
        errors = [f"{_percent(c.median)} / {_percent(c.p90)} %" if c else "–" for c in cells]
        holds = " / ".join(f"{100 * c.coverage:.0f}" for c in cells if c) + " %"
        lines.append(f"| {_words(family)} | {shipped[family].rows:,} | " + " | ".join([*errors, holds]) + " |")
    return "\n".join(lines) + "\n"


# --- words and numbers -----------------------------------------------------------------------------------------------


def _label(split: str) -> str:
    return split if split == _IN_SAMPLE else f"{split} left out"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _percent(share: float) -> str:
    return f"{100 * share:.1f}" if abs(share) < 0.0995 else f"{100 * share:.0f}"


def _signed(share: float | None) -> float | None:
    """Round to what is shown, so that no minus stands before a zero."""
    return None if share is None else round(share, 3) + 0.0


def _figures(value: float) -> str:
    """Return three figures, thousands in full."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _finite(value: float) -> float | None:
    """Return a number for a cell, none where it is not finite."""
    return float(value) if math.isfinite(value) else None


def _clean(text: str) -> str:
    return ILLEGAL_CHARACTERS_RE.sub("", text)


def _short(text: str, size: int = 48) -> str:
    """Cut the middle of a long name: both ends tell sources apart."""
    return text if len(text) <= size else f"{text[: size * 2 // 3]} … {text[-(size // 3 - 3) :]}"


def _family(row: Scored) -> str:
    return row.case.family


def _load(row: Scored, name: str) -> float | None:
    """Return a number of the load, none where the law does not read it: the case then holds a default."""
    unread = {"memory": ("batch", "prompt", "output"), "serving_offline": ("context",), "serving_online": ("context",)}
    held = getattr(row.case, name, None)  # cases of training and of collectives have a load of another kind
    return None if held is None or name in unread.get(row.case.family, ()) else _finite(held)


def _by_family(rows: Iterable[Scored]) -> dict[str, Summary]:
    return summarise(rows, _family)


def _ordered(families: Iterable[str]) -> list[str]:
    """Return families in the order of the targets, then the others."""
    order = list(TARGETS)
    return sorted(dict.fromkeys(families), key=lambda f: order.index(f) if f in order else len(order))


# --- cells -----------------------------------------------------------------------------------------------------------


def _plain(cell: Any) -> Any:
    """Keep text text: names come from outside and may look like a formula or an error."""
    if isinstance(cell.value, str):
        cell.data_type = "s"
        cell.quotePrefix = cell.value[:1] in ("=", "+", "-", "@")
    return cell


def _value(value: Any) -> Any:
    return _clean(value) if isinstance(value, str) else _finite(value) if isinstance(value, float) else value


def _cell(ws: Worksheet, row: int, column: int, value: Any, fmt: str | None = None, align: str = "") -> Any:
    """Write a table cell."""
    wrap = isinstance(value, str)
    return _plain(style.body(ws, ws.cell(row, column).coordinate, _value(value), fmt, align, wrap))


def _bare(ws: Worksheet, row: int, column: int, value: Any, fmt: str | None = None, align: str = "") -> None:
    """Write a cell of a long table, whose look the table gives."""
    cell = ws.cell(row, column, _value(value))
    cell.font = _BODY
    if fmt:
        cell.number_format = fmt
    if align:
        cell.alignment = Alignment(horizontal=align)
    _plain(cell)


def _height(ws: Worksheet, row: int, texts: Iterable[tuple[Any, float]], least: float = 16) -> None:
    """Make a row as high as its longest wrapped text, given with the width of its column."""
    lines = max((1 + int(0.95 * len(str(text)) / width) for text, width in texts), default=1)
    ws.row_dimensions[row].height = max(least, 13.0 * lines + 3)


class _Data:
    """The sheet behind the charts: columns side by side, each under its name."""

    def __init__(self, ws: Worksheet) -> None:
        self.ws, self.used = ws, 0
        style.title(ws, "A1", "Chart data", "Copies of figures of the other sheets: the charts keep when those are sorted or filtered.")  # fmt: skip

    def add(self, name: str, values: Sequence[Any], named: bool = False) -> Reference:
        """Write a column; return its cells, from its name on when ``named``."""
        self.used += 1
        style.header(self.ws, 4, self.used, [_clean(name)], 58)
        _plain(self.ws.cell(4, self.used))
        for row, value in enumerate(values, 5):
            _bare(self.ws, row, self.used, value)
        return Reference(self.ws, min_col=self.used, min_row=5 - named, max_row=4 + max(1, len(values)))

    def finish(self) -> None:
        """Set up the sheet."""
        style.widths(self.ws, [14] * self.used)
        style.page(self.ws, "A5", tab="6B7280")


def _workbook(report: _Report) -> Workbook:
    wb = Workbook()
    style.use_font(wb)
    names = ("Summary", "Scatter", *_GROUPS, "Worst twenty", "Unsupported", "Parameters", "Rows", "Chart data")
    sheets = {name: wb.create_sheet(name) for name in names}
    del wb[wb.sheetnames[0]]
    data = _Data(sheets["Chart data"])
    _write_summary(sheets["Summary"], report, data)
    _write_scatter(sheets["Scatter"], report, data)
    for name in _GROUPS:
        _write_group(sheets[name], report, name, data)
    _write_worst(sheets["Worst twenty"], report)
    _write_unsupported(sheets["Unsupported"], report)
    _write_parameters(sheets["Parameters"], report)
    _write_rows(sheets["Rows"], report)
    data.finish()
    wb.properties.creator, wb.properties.title = "MLSIM", "Predicted against measured"
    wb.properties.created = CREATED
    return wb


# --- summary ---------------------------------------------------------------------------------------------------------

_SUMMARY = (
    "Family", "Parameters", "Rows measured", "Rows predicted", "Median absolute error", "target, at most",
    "90th percentile", "target, at most", "Bias (median error)", "80 % interval holds", "target",
)  # fmt: skip


_LEGEND = (
    "Green: the target is met. Amber: it is missed. In sample: fitted to all of these rows. Left out: each row predicted "
    "by a fit that has not seen its chip, its model family or its source. Memory has no fitted parameters. An interval "
    "that holds more than 90 % is too wide."
)


def _write_summary(ws: Worksheet, report: _Report, data: _Data) -> None:
    """Write the sheet Summary."""
    when = f" Date: {report.date}." if report.date else ""
    style.widths(ws, [2, 18, 25, 10, 10, 11, 10, 12, 10, 12, 12, 11, 2])
    style.title(ws, "B1", "Predicted against measured", _clean(f"MLSIM {__version__}.{when} {_compared(report)}"))
    style.banner(ws, "B4:L4", _headline(report), 12, 44)
    style.paragraph(ws, "B5", "L5", _verdict(report), 10)
    ws.row_dimensions[5].height = 18 + 13.5 * (len(_verdict(report)) // 125)
    style.header(ws, 7, 2, _SUMMARY, 44)
    last = _summary_table(ws, report)
    for value, target in (("F", "G"), ("H", "I")):
        check = f'IF(COUNT(${value}8,${target}8)<2,"",IF(${value}8<=${target}8,"✓","⚠"))'
        style.flag_cells(ws, f"{value}8:{value}{last}", check)
    low, high = COVERAGE
    style.flag_cells(ws, f"K8:K{last}", f'IF(NOT(ISNUMBER($K8)),"",IF(AND($K8>={low},$K8<={high}),"✓","⚠"))')
    style.paragraph(ws, f"B{last + 1}", f"L{last + 2}", _LEGEND, 9)
    _summary_chart(ws, report, data, last + 4)
    style.page(ws, "A8", tab="1F3A5F")
    ws.page_setup.orientation, ws.page_setup.fitToHeight = "portrait", 1
    ws.print_area = f"A1:M{last + 24}"


def _summary_table(ws: Worksheet, report: _Report) -> int:
    """Write a block per family; return the last row."""
    tables = {name: _by_family(rows) for name, rows in report.versions.items()}
    without = Counter(report.family_of(outcome) for outcome in report.unsupported)
    r = 7
    for family in _ordered([*tables[_SHIPPED], *without]):
        for version, table in tables.items():
            found = table.get(family)
            if found is None and version != _SHIPPED:
                continue
            r += 1
            measured = (found.rows if found else 0) + without[family] if version == _SHIPPED else None
            _summary_row(ws, r, family, version, measured, found)
    return max(r, 8)


def _summary_row(ws: Worksheet, r: int, family: str, version: str, measured: int | None, found: Summary | None) -> None:
    first = version == _SHIPPED
    median, p90 = TARGETS.get(family, (None, None))
    held = f"{100 * COVERAGE[0]:.0f}–{100 * COVERAGE[1]:.0f} %" if found else None
    values = (found.median, found.p90, found.bias, found.coverage) if found else (None,) * 4
    cells = (
        (_words(family) if first else None, None), (version, None), (measured, "#,##0"),
        (found.rows if found else 0, "#,##0"), (values[0], _PERCENT), (median, "0%"), (values[1], _PERCENT), (p90, "0%"),
        (_signed(values[2]), _SIGNED), (values[3], _PERCENT), (held, None),
    )  # fmt: skip
    for column, (value, fmt) in enumerate(cells, 2):
        cell = _cell(ws, r, column, value, fmt, "left" if column < 4 else "center")
        if column in (7, 9, 12):
            cell.font = style.font(9.5, style.MUTED)
    ws.cell(r, 2).font = style.font(10, style.NAVY, bold=True)
    ws.row_dimensions[r].height = 16


def _summary_chart(ws: Worksheet, report: _Report, data: _Data, row: int) -> None:
    """Draw the median error of each family by what the fit has seen, with the targets."""
    tables = {name: _by_family(rows) for name, rows in report.versions.items()}
    families = _ordered(tables[_SHIPPED])
    if not families:
        return
    names = data.add("Family", [_words(f) for f in families])
    columns = [
        data.add(version, [100 * table[f].median if f in table else None for f in families], named=True)
        for version, table in tables.items()
    ]
    chart = style.bar_chart("Median absolute error (dash: target)", columns, names, "%", fmt="0", titles=True)
    limits = [100 * TARGETS[f][0] if f in TARGETS else None for f in families]
    chart += style.limit_marks(data.add("target", limits, named=True), "1E2530")
    style.place(ws, chart, f"B{row}:L{row + 18}")


def _compared(report: _Report) -> str:
    """Say what was compared."""
    kinds = len({s.case.source for s in report.scored}), len({s.case.chip.name for s in report.scored})
    models = len({labels(s.case).model for s in report.scored})
    return f"Published measurements from {kinds[0]} source(s): {kinds[1]} chip(s), {models} model(s)."


def _headline(report: _Report) -> str:
    """Say how far a planner can trust a number."""
    done, rows = len(report.scored), len(report.scored) + len(report.unsupported)
    share = f"{done:,} of {rows:,} measurements ({100 * done / rows:.1f} %) can be predicted." if rows else "No rows."
    for name, what in ((_label("chip"), "On a chip that the fit has never seen"), (_SHIPPED, "As shipped")):
        seen = report.versions.get(name, ()) if name != _SHIPPED else report.timed
        if found := summarise(seen, lambda _: "").get(""):
            return f"{share} {what}, half of the predictions are within {_percent(found.median)} % and nine in ten within {_percent(found.p90)} %."
    return share


def _verdict(report: _Report) -> str:
    """Name the targets that are met and missed with the shipped parameters, and what the intervals are worth."""
    table = _by_family(report.scored)
    held = sum(s.covered for s in report.scored)
    missed = []
    for family in _ordered(f for f in table if f in TARGETS):
        found = table[family]
        pairs = (("median", found.median, TARGETS[family][0]), ("90th percentile", found.p90, TARGETS[family][1]))
        missed += [
            f"{_words(family)} {name} {_percent(v)} % (target {100 * t:.0f} %)" for name, v, t in pairs if not v <= t
        ]
        if not COVERAGE[0] <= found.coverage <= COVERAGE[1]:
            missed.append(f"{_words(family)} intervals hold {100 * found.coverage:.0f} %")
    if not table:
        return "There is nothing to compare."
    stated = f"The 80 % intervals of the shipped parameters hold {100 * held / len(report.scored):.0f} % of the measurements: plan with the interval, not with the point."
    if not any(f in TARGETS for f in table):
        return stated
    return f"{stated} {'Targets missed: ' + '; '.join(missed) + '.' if missed else 'Every target is met.'}"


# --- scatter ---------------------------------------------------------------------------------------------------------


_PITCH = 30  # rows from chart to chart


def _write_scatter(ws: Worksheet, report: _Report, data: _Data) -> None:
    """Write the sheet Scatter: a chart per family and unit."""
    style.title(ws, "A1", "Predicted against measured, with the shipped parameters", "One point per published measurement, logarithmic axes. Solid: prediction equals measurement. Dashed: 25 % above and below.")  # fmt: skip
    panels: dict[tuple[str, str], list[Scored]] = {}
    for family in _ordered(s.case.family for s in report.scored):
        for s in report.scored:
            if (
                s.case.family == family
                and s.measured > 0
                and math.isfinite(s.prediction.value)
                and s.prediction.value > 0
            ):
                panels.setdefault((family, UNITS.get(s.case.kind, "")), []).append(s)
    for i, ((family, unit), rows) in enumerate(panels.items()):
        left, right = ("A", "H") if i % 2 == 0 else ("J", "Q")
        top = 4 + _PITCH * (i // 2)
        style.place(ws, _panel(data, family, unit, rows), f"{left}{top}:{right}{top + _PITCH - 3}")
    if not panels:
        style.note(ws, "A4", "There are no rows.")
    style.widths(ws, [*([12.5] * 8), 2, *([12.5] * 8)])
    style.page(ws, tab="C23B4B")
    ws.sheet_properties.pageSetUpPr.fitToPage, ws.page_setup.scale = False, 66  # two charts on a page
    for i in range(1, (len(panels) + 1) // 2):
        ws.row_breaks.append(Break(id=2 + _PITCH * i))


def _panel(data: _Data, family: str, unit: str, rows: list[Scored]) -> Any:
    """Return the chart of one family: reference lines first, so that the points lie over them."""
    low, high = _bounds([x for s in rows for x in (s.measured, s.prediction.value)])
    ends = {"y = x": 1.0, f"+{_percent(_BAND)} %": 1 + _BAND, f"−{_percent(_BAND)} %": 1 - _BAND}
    lines = []
    for name, slope in ends.items():  # both ends of each line lie on the frame
        xs = [max(low, low / slope), min(high, high / slope)]
        area = data.add(f"{_words(family)}, {unit}: x of {name}", xs), data.add(name, [slope * x for x in xs])
        lines.append((*area, name, style.TEXT if slope == 1 else style.GREY[1], "line"))
    for i, (name, group) in enumerate(_series(rows).items()):
        xs, ys = [s.measured for s in group], [s.prediction.value for s in group]
        area = data.add(f"{_words(family)}, {unit}: {name}, measured", xs), data.add("predicted", ys)
        lines.append((*area, _clean(f"{_short(name)} ({len(group)})"), style.SERIES[i % len(style.SERIES)], "points"))
    near = sum(abs(s.error) <= _BAND for s in rows) / len(rows)
    title = f"{_TITLES.get(rows[0].case.kind, _words(family))}, {100 * near:.0f} % of {len(rows)} within ±{_percent(_BAND)} %"
    chart = style.scatter_chart(
        title, lines, f"measured, {unit}", f"predicted, {unit}", log_x=10, log_y=10, x_range=(low, high),
        y_range=(low, high),
    )  # fmt: skip
    _draw(chart)
    return chart


def _draw(chart: Any) -> None:
    """Thin the lines, shrink the points, put the legend beside the plot and a grid on both axes."""
    for i, series in enumerate(chart.series):
        if i < 3:
            color = style.TEXT if i == 0 else style.GREY[1]
            line = LineProperties(solidFill=color, w=12700, prstDash="solid" if i == 0 else "dash")
            series.graphicalProperties = GraphicalProperties(ln=line)
        else:
            series.marker.symbol, series.marker.size = "circle", 5
    chart.legend.position = "r"
    chart.x_axis.majorGridlines = chart.y_axis.majorGridlines
    for axis in (chart.x_axis, chart.y_axis):
        axis.number_format = "#,##0.##########" if axis.scaling.min < 1 else "#,##0"


def _bounds(values: Sequence[float]) -> tuple[float, float]:
    """Return the limits of a logarithmic axis: a power of ten below, 1, 2 or 5 times one above."""
    low = 10.0 ** math.floor(math.log10(min(values)))
    decade = 10.0 ** math.floor(math.log10(max(values)))
    high = next(decade * m for m in (1, 2, 5, 10) if decade * m >= max(values))
    return low, high if high > low else 10 * low


def _series(rows: Sequence[Scored]) -> dict[str, list[Scored]]:
    """Group rows by runtime, or by chip class where there is one runtime; what is rare becomes "other"."""
    one = len({s.case.runtime.name for s in rows}) == 1
    groups: dict[str, list[Scored]] = {}
    for s in rows:
        groups.setdefault(s.case.chip.chip_class if one else s.case.runtime.name, []).append(s)
    ranked = sorted(groups.items(), key=lambda g: -len(g[1]))
    if len(ranked) <= _SERIES:
        return dict(ranked)
    rest = [s for _, group in ranked[_SERIES - 1 :] for s in group]
    return {**dict(ranked[: _SERIES - 1]), f"{len(ranked) - _SERIES + 1} others": rest}


# --- groups ----------------------------------------------------------------------------------------------------------

_GROUPS: dict[str, tuple[str, Callable[[Scored], str], str, float]] = {
    "By chip": ("Chip", lambda s: s.case.chip.name, "chip", 38),
    "By runtime": ("Runtime", lambda s: s.case.runtime.name, "", 28),
    "By model": ("Model", lambda s: labels(s.case).model, "model family", 32),
    "By source": ("Source", lambda s: s.case.source or "not stated", "source", 70),
}  # sheet -> heading, key, the split that leaves it out, width


def _write_group(ws: Worksheet, report: _Report, sheet: str, data: _Data) -> None:
    """Write one of the sheets By ...: a row per group, the largest first."""
    heading, key, split, width = _GROUPS[sheet]
    style.title(ws, "B1", sheet, "Predictions of time and rate with the shipped parameters; memory, which has none, would flatter the errors and is not in it.")  # fmt: skip
    table = sorted(summarise(report.timed, key).items(), key=lambda item: -item[1].rows)
    unseen = summarise(report.splits.get(split, ()), key)
    labels = [heading, "Rows", "Median absolute error", "90th percentile", "Bias (median error)", "80 % interval holds"]
    labels += [f"Median error, {_label(split)}"] if unseen else []
    style.header(ws, 4, 2, labels, 44)
    for r, (name, found) in enumerate(table, 5):
        cells: list[tuple[Any, str | None]] = [
            (name, None), (found.rows, "#,##0"), (found.median, _PERCENT), (found.p90, _PERCENT), (_signed(found.bias), _SIGNED),
            (found.coverage, _PERCENT),
        ]  # fmt: skip
        cells += [(unseen[name].median if name in unseen else None, _PERCENT)] if unseen else []
        for column, (value, fmt) in enumerate(cells, 2):
            _cell(ws, r, column, value, fmt, "left" if column == 2 else "center")
        _height(ws, r, [(name, width)], 18)
    style.widths(ws, [2, width, *([11.5] * (len(labels) - 1)), 2, *([11] * 8), 2])
    if table:
        _group_chart(ws, sheet, table, data, len(labels) + 3)
        ws.auto_filter.ref = f"B4:{get_column_letter(1 + len(labels))}{4 + len(table)}"
    style.page(ws, "C5", tab="3A9A6E")
    ws.print_title_rows = "4:4"
    ws.print_area = f"A1:{get_column_letter(len(labels) + 11)}{6 + max(15, len(table))}"
    ws.page_setup.fitToHeight = int(len(table) <= 60)


def _group_chart(ws: Worksheet, sheet: str, table: list[tuple[str, Summary]], data: _Data, column: int) -> None:
    """Draw lying bars in the order of the table beside it."""
    names = data.add(f"{sheet}: name (rows)", [f"{_short(name, 36)} ({found.rows})" for name, found in table])
    values = data.add(f"{sheet}: median absolute error, %", [100 * found.median for _, found in table])
    chart = style.bar_chart("Median absolute error, %, largest group first (rows)", [values], names, "", fmt="0")
    chart.type, chart.gapWidth = "bar", 40
    chart.x_axis.scaling.orientation = "maxMin"
    chart.x_axis.tickLblSkip = 1
    chart.y_axis.crosses = "max"  # at the foot: the names run downwards
    start, end = get_column_letter(column), get_column_letter(column + 7)
    style.place(ws, chart, f"{start}4:{end}{4 + max(14, round(0.95 * len(table)))}")


# --- worst -----------------------------------------------------------------------------------------------------------

_WORST_COLUMNS = (
    ("No.", 5), ("Case", 19), ("Family", 13), ("Chip", 20), ("Runtime", 17), ("Model", 19), ("Weights", 10),
    ("Batch", 8), ("Prompt", 8), ("Output", 8), ("TP × PP", 8), ("Measured", 11), ("Predicted", 11), ("Unit", 9),
    ("Predicted / measured", 11), ("Inside interval", 9), ("Bottleneck", 15), ("Why", 95),
)  # fmt: skip


def _off(row: Scored) -> float:
    """Return the absolute log error; infinite where there is none."""
    ratio = row.prediction.value / row.measured
    return abs(math.log(ratio)) if ratio > 0 and math.isfinite(ratio) else math.inf


def _write_worst(ws: Worksheet, report: _Report) -> None:
    """Write the sheet Worst twenty."""
    style.title(ws, "A1", "Worst twenty", "The largest ratios of predicted and measured, either way. Why: what the other rows say, not a proof. An empty batch was chosen by the engine.")  # fmt: skip
    style.header(ws, 4, 1, [name for name, _ in _WORST_COLUMNS], 32)
    for i, s in enumerate(sorted(report.scored, key=_off, reverse=True)[:_WORST], 1):
        c, p, reason = s.case, s.prediction, why(s, report.scored)
        values = (
            (i, None), (c.case_id, None), (_words(c.family), None), (c.chip.name, None), (c.runtime.name, None),
            (labels(c).model, None), (labels(c).format, None), (_load(s, "batch"), "#,##0"), (_load(s, "prompt"), "#,##0"),
            (_load(s, "output"), "#,##0"), (f"{labels(c).tp:g} × {labels(c).pp:g}", None), (s.measured, _NUMBER), (p.value, _NUMBER),
            (UNITS.get(c.kind, ""), None), (p.value / s.measured, '0.00"×"'), ("yes" if s.covered else "no", None),
            (p.bottleneck, None), (reason, None),
        )  # fmt: skip
        for column, (value, fmt) in enumerate(values, 1):
            align = "left" if column in (2, 3, 4, 5, 6, 18) else "center"
            _cell(ws, 4 + i, column, value, fmt, align).font = style.font(9)
        _height(
            ws, 4 + i, [(v, w) for (v, _), (_, w) in zip(values, _WORST_COLUMNS, strict=True) if isinstance(v, str)]
        )
    style.widths(ws, [width for _, width in _WORST_COLUMNS])
    style.page(ws, "C5", tab="C23B4B")
    ws.page_setup.paperSize = _A3
    ws.print_title_rows = "4:4"


def why(row: Scored, scored: Sequence[Scored]) -> str:
    """Say what the other rows tell about the error of one: data, not a diagnosis.

    Parameters
    ----------
    row : Scored
    scored : sequence of Scored
        All rows, ``row`` among them.
    """
    case, sides = row.case, "above" if row.error > 0 else "below"
    peers = [s for s in scored if s is not row and _setting(s) == _setting(row)]
    limit = "" if row.prediction.bottleneck == "capacity" else f", limited by {row.prediction.bottleneck},"
    words = [f"The prediction{limit} lies {sides} the measurement.", _peers(row, peers)]
    for what, count in (
        (f"runtime {case.runtime.name}", sum(s.case.runtime is case.runtime for s in scored)),
        (f"chip class {case.chip.chip_class}", sum(s.case.chip.chip_class == case.chip.chip_class for s in scored)),
    ):
        if count < _FEW:
            words.append(f"Only {count} row(s) of {what} in all.")
    p, unit = row.prediction, UNITS.get(case.kind, "")
    if row.covered:
        words.append("The 80 % interval covers it.")
    else:
        words.append(f"The 80 % interval, {_figures(p.low)} to {_figures(p.high)} {unit}, does not cover it.")
    return " ".join(words)


def _setting(row: Scored) -> tuple[str, str, str]:
    return row.case.kind, row.case.chip.name, row.case.runtime.name


def _peers(row: Scored, peers: Sequence[Scored]) -> str:
    """Compare a row with the others of its kind, chip and runtime; first with those of its model and format."""
    case = row.case
    alike = [
        s for s in peers if (labels(s.case).model, labels(s.case).format) == (labels(case).model, labels(case).format)
    ]
    for group, what, rest in (
        (alike, "this model, format, chip and runtime", "the measurement or an unstated setting"),
        (peers, "this chip and runtime", "this model or format, the measurement or an unstated setting"),
    ):
        if len(group) < _PEERS:
            continue
        found = summarise(group, lambda _: "")[""]
        count = f"The other {len(group)} rows of {what}"
        if found.median <= _AGREE:
            return f"{count} agree within {_percent(found.median)} % in the median: {rest} stands out."
        if sum((s.error > 0) == (row.error > 0) for s in group) >= 0.8 * len(group):
            return f"{count} err to the same side ({100 * found.bias:+.0f} % in the median): the law or the parameters are off here."
        return f"{count} scatter too ({_percent(found.median)} % in the median): no cause stands out."
    return f"Only {len(peers)} other row(s) of this kind on this chip and runtime: too few to tell."


# --- unsupported, parameters, rows -----------------------------------------------------------------------------------


def _write_unsupported(ws: Worksheet, report: _Report) -> None:
    """Write the sheet Unsupported."""
    style.title(ws, "A1", "Unsupported", f"{len(report.unsupported):,} row(s) without a prediction, and why.")
    style.header(ws, 4, 1, ["Case", "Family", "Reason"], 24)
    for r, outcome in enumerate(report.unsupported, 5):
        reason = outcome.message or "The measured value is missing or not above 0."
        for column, value in enumerate((outcome.case_id, _words(report.family_of(outcome)), reason), 1):
            _cell(ws, r, column, value, None, "left")
        _height(ws, r, [(outcome.case_id, 26), (reason, 120)], 18)
    if not report.unsupported:
        style.note(ws, "A5", "Every row has a prediction.")
    style.widths(ws, [28, 18, 120])
    style.page(ws, "A5", tab="6B7280")
    ws.print_title_rows = "4:4"


_PARAMETER_COLUMNS = (
    ("Level", 13), ("Name", 25), ("Rows that use it", 9), ("Parameter", 24), ("Value", 11), ("Unit", 8),
    ("Spread (of its logarithm)", 12), ("Meaning", 58), ("Source", 42), ("Place in it", 34), ("Note", 34),
)  # fmt: skip


def _parameters(report: _Report) -> Iterator[tuple[str, str, int, str, Figure]]:
    """Yield level, name, rows, parameter and figure of all that the predictions rest on."""
    classes = Counter(s.case.chip.chip_class for s in report.timed)
    runtimes = Counter(s.case.runtime.name for s in report.timed)
    kinds = Counter(s.case.kind for s in report.scored)
    chips = {s.case.chip.chip_class: s.case.chip for s in report.timed}
    frames = {s.case.runtime.name: s.case.runtime for s in report.timed}
    for name in sorted(classes):
        for parameter in CHIP_PARAMETERS:
            yield "chip class", name, classes[name], parameter, chips[name].efficiency[parameter]
    for name in sorted(runtimes):
        for parameter in RUNTIME_PARAMETERS:
            yield "runtime", name, runtimes[name], parameter, frames[name].figures[parameter]
    for row in registry_rows("kind_spread"):
        if row["kind"] in kinds:
            meaning = "spread of the logarithm that no parameter explains"
            figure = Figure(row["value"], "ln", meaning, row["source"], row["locator"], row.get("note") or "")
            yield "kind", row["kind"], kinds[row["kind"]], "unexplained spread", figure


def _write_parameters(ws: Worksheet, report: _Report) -> None:
    """Write the sheet Parameters."""
    style.title(ws, "A1", "Parameters", "What the predictions take from chip classes and runtimes, as shipped: value, how well it is known, meaning and source. A spread of 0.1 means about ±10 %; 0 means not fitted.")  # fmt: skip
    style.header(ws, 4, 1, [name for name, _ in _PARAMETER_COLUMNS], 32)
    r, before = 4, ""
    for r, (level, name, rows, parameter, figure) in enumerate(_parameters(report), 5):
        source = sources().get(figure.source, {}).get("title") or figure.source
        values = (
            level, name, rows, _words(parameter), _as_number(figure.value), figure.unit, None if level == "kind" else figure.spread, figure.meaning,
            source, figure.locator, figure.note,
        )  # fmt: skip
        for column, value in enumerate(values, 1):
            fmt = "General" if column == 5 else "0.00" if column == 7 else None
            _cell(ws, r, column, value, fmt, "left" if column in (2, 4, 8) else "center" if column < 8 else "")
            ws.cell(r, column).font = style.font(9, style.NAVY if name != before and column == 2 else style.TEXT, bold=column == 2 and name != before)  # fmt: skip
        _height(ws, r, [(v, w) for v, (_, w) in zip(values, _PARAMETER_COLUMNS, strict=True) if isinstance(v, str)])
        before = name
    if r > 4:
        ws.auto_filter.ref = f"A4:{get_column_letter(len(_PARAMETER_COLUMNS))}{r}"
    style.widths(ws, [width for _, width in _PARAMETER_COLUMNS])
    style.page(ws, "E5", tab="6B7280")
    ws.page_setup.paperSize = _A3
    ws.print_title_rows = "4:4"


def _as_number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


_ROW_COLUMNS: tuple[tuple[str, float, str | None, Callable[[Scored], Any]], ...] = (
    ("Case", 18, None, lambda s: s.case.case_id), ("Family", 15, None, lambda s: s.case.family),
    ("Kind", 12, None, lambda s: s.case.kind), ("Source", 40, None, lambda s: s.case.source),
    ("Chip", 26, None, lambda s: s.case.chip.name), ("Chip class", 23, None, lambda s: s.case.chip.chip_class),
    ("Runtime", 19, None, lambda s: s.case.runtime.name), ("Model", 24, None, lambda s: labels(s.case).model),
    ("Weight format", 16, None, lambda s: labels(s.case).format), ("Batch", 10, "#,##0", lambda s: _load(s, "batch")),
    ("Prompt", 10, "#,##0", lambda s: _load(s, "prompt")), ("Output", 10, "#,##0", lambda s: _load(s, "output")),
    ("Context", 10, "#,##0", lambda s: _load(s, "context")), ("TP", 7, "0", lambda s: labels(s.case).tp),
    ("PP", 7, "0", lambda s: labels(s.case).pp), ("Measured", 12, _NUMBER, lambda s: s.measured),
    ("Predicted", 12, _NUMBER, lambda s: s.prediction.value), ("Low", 12, _NUMBER, lambda s: s.prediction.low),
    ("High", 12, _NUMBER, lambda s: s.prediction.high), ("Unit", 10, None, lambda s: UNITS.get(s.case.kind, "")),
    ("Error", 10, _SIGNED, lambda s: s.error), ("Inside interval", 10, None, lambda s: "yes" if s.covered else "no"),
    ("Bottleneck", 18, None, lambda s: s.prediction.bottleneck),
)  # fmt: skip


def _write_rows(ws: Worksheet, report: _Report) -> None:
    """Write the sheet Rows: every compared row, as a table."""
    style.title(ws, "A1", "Rows", "Every compared row. Low and High: the 80 % interval. Error: predicted / measured - 1. An empty batch was chosen by the engine.")  # fmt: skip
    found = {name: {s.case: s.prediction.value for s in rows} for name, rows in report.splits.items()}
    labels = [name for name, *_ in _ROW_COLUMNS] + [f"Error, {_label(name)}" for name in found]
    style.header(ws, 4, 1, [_clean(label) for label in labels], 32)
    for r, s in enumerate(report.scored, 5):
        for column, (label, _, fmt, value) in enumerate(_ROW_COLUMNS, 1):
            _bare(ws, r, column, value(s), fmt, "center" if label in ("Unit", "Inside interval") else "")
        for column, table in enumerate(found.values(), 1 + len(_ROW_COLUMNS)):
            if s.case in table:
                _bare(ws, r, column, table[s.case] / s.measured - 1.0, _SIGNED)
    style.widths(ws, [*(width for _, width, *_ in _ROW_COLUMNS), *([12] * len(found))])
    if report.scored:
        area = f"A4:{get_column_letter(len(labels))}{4 + len(report.scored)}"
        table = Table(displayName="Predictions", ref=area)
        table.tableStyleInfo = TableStyleInfo(name="TableStyleLight1", showRowStripes=True)
        ws.add_table(table)
    style.page(ws, "B5", tab="2E75B6")
    ws.page_setup.paperSize = _A3
    ws.print_title_rows = "4:4"
