"""The sheet Sources: every constant with its source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from openpyxl.worksheet.worksheet import Worksheet

from mlsim.registry import load
from mlsim.registry.records import Chip, Figure, Model
from mlsim.registry.tables import sources
from mlsim_workbooks import style
from mlsim_workbooks.compare.inputs import peak_key
from mlsim_workbooks.compare.plan import Plan, registry_price

_USED = ("memory_bandwidth", "memory_capacity", "memory_capacity_label", "scaleup_bandwidth")
_SOURCE_WIDTHS = (18, 24, 15, 11, 40, 9, 42, 38, 52, 16, 42)
_SOURCE_HEADINGS = (
    "Of",
    "What",
    "Value",
    "Unit",
    "Meaning",
    "Used",
    "Source",
    "Place in it",
    "Address",
    "Date",
    "Note",
)


def write_sources(ws: Worksheet, plan: Plan) -> None:
    """Write the sheet Sources."""
    style.title(ws, "A1", "Sources", "Every constant behind this workbook as it was made, and the sources that disagree. Other models and formats of the drop-downs: MLSIM_SOURCE, or mlsim audit.")  # fmt: skip
    style.header(ws, 4, 1, _SOURCE_HEADINGS, 24)
    r = 4
    for r, entry in enumerate(_constants(plan), 5):
        values = _source_row(*entry)
        lines = max(len(str(v)) / w for v, w in zip(values, _SOURCE_WIDTHS, strict=True))
        ws.row_dimensions[r].height = 13 * (1 + int(lines * 0.95))
        for column, value in enumerate(values, 1):
            align = "center" if column in (3, 4, 6) else ""
            cell = style.body(ws, ws.cell(r, column).coordinate, value, "General", align, wrap=True)
            cell.font = style.font(9, style.TEXT if entry[3] == "yes" else style.MUTED)
            if column == 9 and str(value).startswith("http"):
                cell.hyperlink = value
                cell.font = style.font(9, style.ACCENT, underline="single")
    ws.auto_filter.ref = f"A4:K{r}"
    style.widths(ws, _SOURCE_WIDTHS)
    style.page(ws, "C5", tab="6B7280")
    ws.print_title_rows = "4:4"


def _source_row(owner: str, what: str, figure: Figure, used: str) -> tuple[Any, ...]:
    source = sources().get(figure.source, {})
    try:
        value: Any = float(figure.value)
        value = int(value) if value.is_integer() else value
    except ValueError:
        value = figure.value
    return (
        owner, what, value, figure.unit, figure.meaning, used, source.get("title", figure.source), figure.locator,
        source.get("address", ""), source.get("date", ""), figure.note,
    )  # fmt: skip


def _constants(plan: Plan) -> Iterator[tuple[str, str, Figure, str]]:
    """Yield (whose, what, figure, used) of every constant the workbook rests on."""
    for model in dict.fromkeys((plan.model.name, "Llama-3-8B")):
        yield from _model_constants(load.model(model))
    for name in dict.fromkeys((plan.precision.name, "bf16")):
        yield name, "bits per weight or cache element", load.precision(name).figure, "yes"
    for attribute, figure in plan.runtime.figures.items():
        yield plan.runtime.name, attribute.replace("_", " "), figure, "yes"
    for chip in plan.chips:
        yield from _chip_constants(plan, chip)


def _model_constants(model: Model) -> Iterator[tuple[str, str, Figure, str]]:
    if model.figure is None:
        return
    for key in load.MODEL_NUMBERS:
        text = str(model.row.get(key) or "") or (f"{getattr(model, key):.0f}" if getattr(model, key) else "")
        if text:
            unit = "param" if key.endswith("params") else "token" if key in ("vocab", "context", "window") else "count"
            meaning = model.figure.meaning if key.endswith("params") else "published dimension"
            yield (
                model.name,
                key.replace("_", " "),
                replace(model.figure, value=text, unit=unit, meaning=meaning),
                "yes",
            )


def _chip_constants(plan: Plan, chip: Chip) -> Iterator[tuple[str, str, Figure, str]]:
    peaks = {
        f"peak_compute {plan.precision.compute}",
        peak_key(plan, chip),
        "peak_compute bf16",
        f"peak_compute {plan.precision.name}",
    }
    for key, figure in chip.figures.items():
        if key in _USED or key in peaks:
            yield chip.name, key.replace("_", " "), figure, "yes"
            for other in chip.others.get(key, ()):
                yield chip.name, key.replace("_", " "), other, "other source"
    for key, figure in chip.efficiency.items():
        yield chip.name, key.replace("_", " "), figure, "yes"
    best = registry_price(chip.name)
    if chip.name in plan.prices:
        value, _, unit = plan.prices[chip.name].partition(" ")
        yield (
            chip.name,
            "rental price",
            Figure(value, unit, "the user's own price", "user", "given when the workbook was made"),
            "yes",
        )
    for row in load.prices(chip.name):
        meaning = (
            f"{row['provider']}, {row['instance']}, {row['region']}, {row['terms']}, {row['date']}: {row['meaning']}"
        )
        used = "yes" if row is best and chip.name not in plan.prices else "other source"
        yield (
            chip.name,
            "price",
            Figure(row["price_per_chip"], row["unit"], meaning, row["source"], row["locator"], row["note"]),
            used,
        )
