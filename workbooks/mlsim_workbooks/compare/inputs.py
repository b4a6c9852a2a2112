"""The sheet Inputs: the figures of each chip, which the models take as a two-column range."""

from __future__ import annotations

from collections.abc import Sequence

from openpyxl.worksheet.worksheet import Worksheet

from mlsim.registry.records import Chip, Figure
from mlsim.registry.tables import sources
from mlsim.units import parse
from mlsim_workbooks import style
from mlsim_workbooks.checks import DUE, FIRST_ROW, Field
from mlsim_workbooks.compare.plan import Plan, input_row, price_text, quoted, registry_price


def peak_key(plan: Plan, chip: Chip) -> str:
    """Return the key of the dense peak in the workbook's compute precision, with the stand-ins of :meth:`Chip.peak`."""
    compute = plan.precision.compute
    keys = [f"peak_compute {p}" for p in (compute, {"fp16": "bf16", "fp6": "fp8"}.get(compute, compute))]
    return next((key for key in keys if chip.has(key)), "")


def _known(plan: Plan, chip: Chip, kind: str) -> tuple[float | None, str, Figure | None]:
    """Return the registry's figure of a kind: in the unit due, as text, and as its source prints it."""
    if kind == "memory":
        real = chip.has("memory_capacity")
        key = "memory_capacity" if real else "memory_capacity_label"
        if not chip.has(key):
            return None, "", None
        value, figure = chip.get(key) / 2**30, chip.figures[key]
        return value, f"{value:.2f} GiB" if real else figure.text, figure
    key = {"bandwidth": "memory_bandwidth", "link": "scaleup_bandwidth"}.get(kind) or peak_key(plan, chip)
    if not key or not chip.has(key):
        return None, "", None
    figure = chip.figures[key]
    return parse(figure.text).to(DUE[kind][0]).value, figure.text, figure


def fields_of(plan: Plan) -> list[Field]:
    """Return the checked inputs, chip by chip."""
    fields = []
    checked = [(kind, label) for kind, label in plan.kinds if kind != "base"]
    for i, chip in enumerate(plan.chips):
        price_row = FIRST_ROW + (i + 1) * len(checked) - 1
        for kind, label in checked:
            if kind == "price":
                row = registry_price(chip.name)
                text = price_text(float(row["price_per_chip"])) if row else ""
                said = f"{text} ({row['provider']}, {row['date']})" if row else ""
                cell = f"Decision!{plan.price_cell(chip.name)}"
                value = parse(text).to("$/GPU-h").value if text else None
                fields.append(Field(kind, chip.name, label, cell, value, said))
                continue
            value, text, _ = _known(plan, chip, kind)
            only_label = kind == "memory" and not chip.has("memory_capacity")
            cell = f"Inputs!$E${input_row(plan, chip.name, kind)}"
            fields.append(Field(kind, chip.name, label, cell, value, text, only_label, price_row))
    return fields


_INPUT_HEADINGS = ("Accelerator", "Figure", "Registry", "Given to the models as", "Yours", "Check", "Where the registry has it from")  # fmt: skip


def write_inputs(ws: Worksheet, plan: Plan, fields: Sequence[Field]) -> None:
    """Write the figures that the models take, each with its check beside it."""
    style.title(ws, "A1", "The accelerators' figures", "Type under Yours what a vendor or a colleague claims, as number and unit: every result follows. An empty cell falls back to the registry.")  # fmt: skip
    style.note(ws, "A3", f"The check beside it needs no add-in. Peaks other than {plan.precision.compute} and measured efficiencies stay those of the registry.")  # fmt: skip
    style.header(ws, 5, 1, _INPUT_HEADINGS, 28)
    for chip in plan.chips:
        for kind, label in plan.kinds:
            _input_line(ws, plan, chip, kind, label, fields)
    last = 5 + len(plan.kinds) * len(plan.rows)
    style.flag_cells(ws, f"E6:F{last}", "$F6")
    style.widths(ws, [18, 27, 16, 18, 20, 70, 60])
    style.page(ws, "A6", tab="E08A2E")


def _input_line(ws: Worksheet, plan: Plan, chip: Chip, kind: str, label: str, fields: Sequence[Field]) -> None:
    """Write one figure. Columns D and E of a chip, without its price, are the range that the models take."""
    r = input_row(plan, chip.name, kind)
    ws.row_dimensions[r].height = 27
    if kind == "base":
        cells = (
            chip.name,
            label,
            "",
            label,
            chip.name,
            "",
            "Efficiencies and figures that are not listed here: see Sources",
        )
        for column, text in zip("ABCDEFG", cells, strict=True):
            cell = style.locked(style.body(ws, f"{column}{r}", text, align="center" if column in "CDE" else ""))
            cell.font = style.font(8.5 if column == "G" else 10, style.MUTED if column in "DEG" else style.TEXT, bold=column == "A")  # fmt: skip
        return
    entry = next(f for f in fields if f.chip == chip.name and f.kind == kind)
    figure = None if kind == "price" else _known(plan, chip, kind)[2]
    style.body(ws, f"A{r}", chip.name)
    style.body(ws, f"B{r}", label)
    style.body(ws, f"C{r}", entry.registry_text.split(" (")[0] or "none", align="center")
    if kind == "price":
        style.body(ws, f"D{r}", "(its own cell)", align="center").font = style.font(9, style.MUTED)
        style.body(ws, f"E{r}", f"=Decision!{plan.price_cell(chip.name)}", align="center")
    else:
        name = {"bandwidth": "Memory bandwidth", "memory": "Memory", "link": "Link bandwidth"}.get(kind)
        name = name or f"{plan.precision.compute} peak"
        # A label without a figure would be an error of the functions, so the label goes when the figure goes.
        style.body(ws, f"D{r}", f'=IF(E{r}="","",{quoted(name)})', align="center").font = style.font(9, style.MUTED)
        style.input_cell(ws, f"E{r}", figure.text if figure else None)
    style.body(ws, f"F{r}", f"=Checks!$O${plan.checks[chip.name, kind]}", wrap=True)
    source = _cite(figure) if figure else _price_source(chip.name) if kind == "price" else ""
    style.body(ws, f"G{r}", source, wrap=True).font = style.font(8.5, style.MUTED)


def _price_source(chip: str) -> str:
    row = registry_price(chip)
    if row is None:
        return "no sourced rental price"
    return f"{row['provider']}, {row['terms']}, {row['date']}: {sources().get(row['source'], {}).get('title', '')}"


def _cite(figure: Figure) -> str:
    source = sources().get(figure.source, {})
    return f"{figure.text}, {figure.meaning}: {source.get('title', figure.source)} ({source.get('date', '')})"
