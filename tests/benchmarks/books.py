"""Workbooks and sweeps to measure with. Those of the unit checker are written as XML: half of their cells are formulas."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

from openpyxl import Workbook

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
HEADERS = (
    "Job",
    "GPUs",
    "Hours (h)",
    "Price ($/GPU-h)",
    "Cost ($)",
    "Power (kW)",
    "Energy (kWh)",
    "CO2 (kg)",
    "Tokens (M)",
    "$/Mtok",
)
QUANTITIES = ("Weights (GB)", "KV cache (GiB)", "Bandwidth (GB/s)", "Energy (MWh)", "Power draw (kW)", "Latency (ms)", "Price ($/GPU-h)",
              "Peak, dense (TFLOP/s)", "Emissions (t CO2e)", "Throughput (tokens/s)", "Load time (s)", "Link (Gbit/s)")  # fmt: skip
PLACES = "Frankfurt", "Oslo", "Dublin", "Iowa", "Oregon", "Osaka", "São Paulo", "Mumbai", "Sydney", "Paris"

Cells = tuple[str | float, ...]


def formulas(path: Path, rows: int, first: int = 1024) -> Path:
    """Write a sheet of different decode latencies without cached values."""
    book = Workbook()
    for i in range(rows):
        latency = f'=MLSIM_DECODE_LATENCY("Llama-3-70B","H100",{1 + i % 64},A{i + 1})'
        book.worksheets[0].append([first + i, latency])
    book.save(path)
    return path


def different(folder: Path, number: int, rows: int) -> list[Path]:
    """Write so many workbooks; no formula is in two of them with the same arguments."""
    folder.mkdir()
    return [formulas(folder / f"book-{i:04}.xlsx", rows, 1024 + i * rows) for i in range(number)]


def ten_million(folder: Path) -> list[str]:
    """Return the command of a sweep over 2 chips, 4 degrees of tensor parallelism, 1,250 batches and 1,000 contexts."""
    axes = "model=Llama-3-70B", "hardware=H100,MI300X", "tp=1,2,4,8", "batch=1:1250", "context=128:128000:128"
    chosen = chain.from_iterable(("--set", axis) for axis in axes)
    return ["sweep", "--grid", "MLSIM_DECODE_LATENCY", *chosen, "-o", str(folder / "points.parquet")]


def job_table(path: Path, cells: int) -> Path:
    """Write one sheet, filled down: a row of ten cells for each job."""
    extra: Cells = (*HEADERS, "", "Carbon intensity (kg/kWh)")
    return _write(path, [lambda: chain((extra,), (_job(row) for row in range(2, cells // 10 + 1)))])


def many_labels(path: Path, cells: int, sheets: int = 20) -> Path:
    """Write lists in which no label is like another: label, value, a tenth more, both."""
    rows = cells // (4 * sheets)
    return _write(
        path, [lambda sheet=sheet: (_entry(sheet, row) for row in range(1, rows + 1)) for sheet in range(sheets)]
    )


def _job(row: int) -> Cells:
    job = (f"job {row}", 8 * (1 + row % 16), 1 + row % 72, 2.5, f"=B{row}*C{row}*D{row}", f"=B{row}*0.7", f"=F{row}*C{row}",
           f"=G{row}*$L$2", 100 + row % 900, f"=E{row}/I{row}")  # fmt: skip
    return (*job, "", 0.4) if row == 2 else job


def _entry(sheet: int, row: int) -> Cells:
    quantity = QUANTITIES[(row + sheet) % len(QUANTITIES)]
    return (f"{PLACES[row % 10]} hall {sheet}-{row}, {quantity}", 1 + row % 50, f"=B{row}*1.1", f"=B{row}+C{row}")


def _row(number: int, cells: Cells) -> str:
    found = "".join(_cell(f"{chr(65 + i)}{number}", content) for i, content in enumerate(cells) if content != "")
    return f'<row r="{number}">{found}</row>'


def _cell(ref: str, content: str | float) -> str:
    if not isinstance(content, str):
        return f'<c r="{ref}"><v>{content}</v></c>'
    if content.startswith("="):
        return f'<c r="{ref}"><f>{content[1:]}</f><v>1</v></c>'
    return f'<c r="{ref}" t="inlineStr"><is><t>{content}</t></is></c>'


def _write(path: Path, sheets: list[Callable[[], Iterator[Cells]]]) -> Path:
    numbers = range(1, len(sheets) + 1)
    named = "".join(f'<sheet name="Plan {i}" sheetId="{i}" r:id="r{i}"/>' for i in numbers)
    links = "".join(
        f'<Relationship Id="r{i}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{i}.xml"/>' for i in numbers
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("[Content_Types].xml", _content_types(numbers))
        archive.writestr(
            "_rels/.rels", _relations(f'<Relationship Id="r" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/>')
        )
        archive.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{named}</sheets></workbook>'
        )
        archive.writestr("xl/_rels/workbook.xml.rels", _relations(links))
        for number, rows in zip(numbers, sheets, strict=True):
            with archive.open(f"xl/worksheets/sheet{number}.xml", "w", force_zip64=False) as part:
                part.write(f'<worksheet xmlns="{MAIN}"><sheetData>'.encode())
                for at, cells in enumerate(rows(), 1):
                    part.write(_row(at, cells).encode())
                part.write(b"</sheetData></worksheet>")
    return path


def _relations(links: str) -> str:
    return f'<Relationships xmlns="{PACKAGE}/relationships">{links}</Relationships>'


def _content_types(numbers: range) -> str:
    parts = "".join(
        f'<Override PartName="/xl/worksheets/sheet{i}.xml" ContentType="{TYPE}.worksheet+xml"/>' for i in numbers
    )
    return (
        f'<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{TYPE}.sheet.main+xml"/>{parts}</Types>'
    )
