"""Single laws of the rules, each on a list that breaks it in one cell, and the same list put right."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import Workbook

from mlsim_workbooks.lint import lint
from mlsim_workbooks.lint.estimate import Estimate
from mlsim_workbooks.lint.infer import infer
from mlsim_workbooks.lint.reader import WIDE, read_book

# what is wrong: rule and cell; the list "label | content | unit"; what the cell should hold
CASES = {
    "drives of each server left out": (
        "device-scope B4", "Drives per server | 24 | drives; Servers | 12 | servers; Drive capacity | 15.36 | TB; Raw capacity | =B2*B3 | TB",
        "=B1*B2*B3",
    ),
    "a price of a GPU for a replica": (
        "device-scope B3", "Price per GPU-hour | 2.5 | $/GPU-h; GPUs per replica | 4 | GPUs; Rent of a replica | =B1 | $/h", "=B1*B2",
    ),
    "the power of one GPU for a job": (
        "device-scope B4",
        "GPUs | 64 | GPUs; Hours | 200 | h; Power per GPU | 0.7 | kW; Energy of the training run | =B2*B3 | kWh", "=B1*B2*B3",
    ),
    "IT power over racks, not GPUs": (
        "device-scope B4", "IT power | 400 | kW; Racks | 24 | racks; GPUs | 384 | GPUs; IT power per GPU | =B1/B2 | kW", "=B1/B3",
    ),
    "one user's tokens among totals": (
        "user-total B4", "Users | 50 | users; Memory of the weights | 140 | GB; Memory per user | 2 | GB; Memory needed | =B2+B3 | GB",
        "=B2+B1*B3",
    ),
    "a round trip of two legs": (
        "round-trip B3", "Client to edge, one way | 9 | ms; Edge to region, one way | 18 | ms; Round trip | =B1+B2 | ms", "=2*(B1+B2)",
    ),
    "an answer that waits for one way": (
        "round-trip B3", "Network, one way | 38 | ms; Service time | 120 | ms; Response time at the client | =B1+B2 | ms", "=2*B1+B2",
    ),
    "operations counted twice": (
        "mac-flop B2", "Work of a layer | 3 | GFLOP; Work of a block | =2*B1 | GFLOP", "=B1",
    ),
    "parameters over a bandwidth": (
        "params-bytes B4",
        "Parameters | 8.03 | billion; Bytes per parameter | 2 | byte; Bandwidth | 3.35 | TB/s; Step | =B1/B3 | ms", "=B1*B2/B3",
    ),
    "tokens over a rate are no replicas": (
        "token-rate B3", "Tokens per request | 320 | tokens; Output rate of a replica | 950 | tokens/s; Replicas | =ROUNDUP(B1/B2,0) | replicas",
        "=ROUNDUP(2*950/B2,0)",
    ),
    "the 30 % of a percentage for a fraction": (
        "percent B3", "Output rate | 900 | tokens/s; Headroom | 30 | %; Rate to plan for | =B1*(1+B2) | tokens/s", "=B1*(1+B2/100)",
    ),
    "hit rates summed": (
        "percent-sum B3", "Hit rate in June | 31 | %; Hit rate in July | 34 | %; Average hit rate | =SUM(B1:B2) | %", "=AVERAGE(B1:B2)",
    ),
    "a PUE added": (
        "bare-number B3", "IT load | 400 | kW; PUE | 1.3 | ; Facility load | =B1+B2 | kW", "=B1*B2",
    ),
    "converted the wrong way": (
        "binary-prefix B2", "KV cache | 40 | GiB; KV cache, decimal | =B1/1.073741824 | GB", "=B1*1.073741824",
    ),
    "a month of 30 hours": (
        "calendar B1", "Hours in a month | 30 | h; Hourly rent | 2 | $/h; Rent | =B1*B2 | $", 730,
    ),
    "a block of different things": (
        "mixed-sum D3", "Model | A | B | All; GPUs per replica | 4 | 8 | ; GPUs | 16 | 32 | =SUM(B2:C3)", "=SUM(B3:C3)",
    ),
    "a factor left out of a series": (
        "params-bytes E3",
        "Table | Rows (M) | Dim | Bytes per value | Size (GiB); user_id | 200 | 64 | 4 | =B2*1E6*C2*D2/2^30; item_id | 50 | 64 | 4 | =B3*1E6*C3/2^30;"
        " query_hash | 500 | 64 | 4 | =B4*1E6*C4*D4/2^30", "=B3*1E6*C3*D3/2^30",
    ),
    "365 among twelves": (
        "calendar C3", "Line | Month ($) | Year ($); Rent | 100 | =B2*12; Power | 40 | =B3*365; Staff | 70 | =B4*12", "=B3*12",
    ),
    "one formula for a user and a replica": (
        "user-total B3",
        "Time per token | 20 | ms; Output speed per user | =1000/B1 | tokens/s; Output speed, replica | =1000/B1 | tokens/s", "=16*1000/B1",
    ),
    "a purchase among yearly costs": (
        "money-rate B4", "Servers | 300000 | $; Power | 20000 | $/year; Staff | 80000 | $/year; Cost | =B1+B2+B3 | $/year", "=B2+B3",
    ),
    "a mean power from a peak": (
        "statistic-mix B3", "Nodes | 8 | nodes; Peak power per node | 10 | kW; Mean power | =B1*B2 | kW", "=B1*B2*0.7",
    ),
    "both directions of a link for one": (
        "link-direction B1", "NVLink 4 per GPU, one direction | 900 | GB/s", 450,
    ),
    "half a round trip for the client": (
        "round-trip B3", "RTT to the client | 24 | ms; Service time | 90 | ms; Answer as the client sees it | =B2+B1/2 | ms", "=B2+B1",
    ),
    "measured beyond what the sheet states": (
        "above-limit B2", "File system write, spec | 120 | GB/s; Write, measured | 145 | GB/s; Nodes | 8", 96,
    ),
    "profiled beyond the bandwidth of the list": (
        "above-limit B3", "Bandwidth per GPU (TB/s) | 0.9; GPUs | 4; Profiler: read bandwidth per GPU (TB/s) | 1.12", 0.56,
    ),
    "more of a link measured than it has": (
        "above-limit B3", "Node, one direction | 400 | GB/s; Measured per node | 470 | GB/s; Share of the possible | =B2/B1", "=B2/B1*0.7",
    ),
    "one camera for all": (
        "device-scope B3", "Frames per second, one camera | 8; Cameras | 300; Frames per second, all cameras | =B1", "=B1*B2",
    ),
}  # fmt: skip


def write(path: Path, lines: str, edits: dict[str, object]) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    for row, line in enumerate(lines.split(";"), 1):
        for col, piece in enumerate(line.split("|"), 1):
            text = piece.strip()
            if text:
                sheet.cell(row, col, float(text) if text.replace(".", "", 1).isdigit() else text)
    for cell, content in edits.items():
        sheet[cell] = content
    book.save(path)


def right_then_wrong(path: Path, case: tuple[str, dict[str, object], str]) -> None:
    """A list is right as it stands, and one change makes it a mistake that is reported."""
    lines, edits, expected = case
    write(path, lines, {})
    assert [f.message for f in lint(path)] == []
    write(path, lines, edits)
    assert expected in [f"{f.rule} {f.cell}" for f in lint(path)]


@pytest.mark.parametrize("name", CASES)
def test_a_law_is_broken_in_one_cell_and_nowhere_once_put_right(tmp_path: Path, name: str) -> None:
    expected, lines, right = CASES[name]
    rule, cell = expected.split()
    path = tmp_path / "book.xlsx"
    write(path, lines, {})
    assert [(f.rule, f.cell) for f in lint(path)] == [(rule, cell)]
    write(path, lines, {cell: right})
    assert [f.message for f in lint(path)] == []


@pytest.mark.parametrize(
    ("formula", "number"),
    [
        ("=VLOOKUP(\"h100\",A1:C3,3,FALSE)", 989.0), ("=INDEX(B1:C3,MATCH(\"H200\",A1:A3,0),2)", 990.0),
        ("=_xlfn.XLOOKUP(\"A\"&\"100\",A1:A3,B1:B3)", 312.0), ("=SUM(B1:B3)/2+10%", 159.1), ("=INDEX(B1:B3,9)", None),
        ("=VLOOKUP(\"B200\",A1:C3,2,FALSE)", None), ("=INDIRECT(\"B1\")", None), ("=1/0", None), ("=D1", None),
    ],
)  # fmt: skip
def test_an_estimate_takes_arithmetic_and_lookups_only(tmp_path: Path, formula: str, number: float | None) -> None:
    path = tmp_path / "book.xlsx"
    write(path, "A100 | 312 | 624; H100 | 3 | 989; H200 | 3 | 990", {"D1": formula})
    assert Estimate(infer(read_book(path))).of((0, WIDE + 4)) == number
