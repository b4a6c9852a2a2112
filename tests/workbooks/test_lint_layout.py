"""What a number's place in a sheet says of it: labels, headers, unit cells, number formats, names, tables."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.table import Table
from openpyxl.worksheet.worksheet import Worksheet

from mlsim.units import parse_unit
from mlsim_workbooks.lint.layout import contexts
from mlsim_workbooks.lint.reader import read_book
from mlsim_workbooks.lint.statements import Context
from mlsim_workbooks.package import column_name

Found = dict[str, tuple[Context, str]]


def fill(sheet: Worksheet, text: str) -> None:
    """Fill a sheet from lines of cells; ``80 @ 0" GB"`` is a number with its format."""
    for row, line in enumerate(text.strip("\n").split("\n"), 1):
        for col, piece in enumerate(line.split("|"), 1):
            content, _, code = (p.strip() for p in piece.partition("@"))
            if content:
                number = content.replace(".", "", 1).replace("-", "", 1).replace("e", "").isdigit()
                cell = sheet.cell(row, col, float(content) if number else content)
                cell.number_format = code or "General"


def read(tmp_path: Path, book: Workbook) -> Found:
    """Return what surrounds each number of the first sheet, and the name of its row."""
    path = tmp_path / "sheet.xlsx"
    book.save(path)
    got = read_book(path)
    found = contexts(got, got.grids[0])
    return {f"{column_name(item.col)}{item.row}": (context, entity) for item, context, entity in found}


def check(found: Found, expected: str) -> None:
    """Compare with ``"B2 GB, C2 $;month"``; ``-`` where nothing is known, ``1`` for a bare number."""
    for piece in expected.split(", "):
        place, unit = piece.split(" ")
        unit, _, period = unit.partition(";")
        value = found[place][0].value
        if unit == "-":
            assert value is None, (place, value)
            continue
        assert value is not None, (place, found[place][0].texts)
        due = parse_unit(unit) if unit != "1" else None
        assert value.dims == (tuple(due.dimension) if due else ()), (place, value)
        assert value.factor == pytest.approx(due.factor if due else 1.0), place
        assert value.kind("period") == period, place


LAYOUTS = {
    "line numbers before unit, value and label": (
        """
        Nr. | Einheit | Wert | Bezeichnung
        1   | TFLOP/s | 312  | Spitze BF16
        2   | GB      | 80   | Speicher
        3   | GB/s    | 2039 | Bandbreite
        4   | kW      | 4.6  | Leistung je Knoten
        5   | h       | 30   | Laufzeit
        """,
        "C2 TFLOP/s, C3 GB, C4 GB/s, C5 kW/node, C6 h",
    ),
    "keys with their meaning far right": (
        """
        sym | value | from  | what it is
        P   | 989   | sheet | peak of one H100 [TFLOP/s]
        M   | 80    | sheet | memory of one H100 [GB]
        t   | 12    | log   | run time [h]
        """,
        "B2 TFLOP/s/GPU, B3 GB/GPU, B4 h",
    ),
    "a block that has its labels behind the values": (
        """
        Item   | Unit | Value |  | Value | Unit | Item
        Memory | GB   | 80    |  | 700   | W    | Power
        """,
        "C2 GB, E2 W",
    ),
    "units of headings over the lines below": (
        """
        A sheet
        Anything | 1
        4  Memory, in GB
        One card | 80
        A node   | 640
        5  Peaks in TFLOP/s (dense)
        BF16     | 989
        Nodes    | 4
        """,
        "B4 GB, B5 GB, B7 TFLOP/s, B8 nodes",
    ),
    "what prices are per, in a column of its own": (
        """
        Item | Qty | Price | per
        H100 | 10  | 2.9 @ $0.00 | GPU-h
        Disk | 20  | 0.1 @ $0.00 | GB
        """,
        "C2 $/GPU-h, C3 $/GB",
    ),
    "a line of units below the names": (
        """
        Model | Params | Weights | TTFT
              | B      | GB      | ms
        7B    | 7      | 14      | 90
        """,
        "B3 Bparam, C3 GB, D3 ms",
    ),
    "a unit column beyond cells that are empty": (
        "Poste | janv. | févr. | S1 | Unité\nPuissance d'un serveur | 6 | 6 | | kW\nÉnergie | 4 | 5 | 9 | MWh", "B2 kW/node, C2 kW/node, B3 MWh"),
    "units of any noun": ("Images | 95 | kB/image\nPer night | 3 | GB/night\nState | 0.4 | Anteil", "B1 kB/sample, B3 1"),
    "a second list beside the first, its unit its only label": (
        """
        Batch | 5 | | tok/s | 1450
        """,
        "B1 request, E1 tok/s",
    ),
    "a table behind columns that stay empty": (
        """
        Occupancy   | 0.5 | | | | n
        Memory (GB) | 80  | | | | 7
        """,
        "B2 GB, F2 -",
    ),
    "list, unit column right": (
        "Item|Value|Unit\nMemory|80|GB\nBandwidth|3.35|TB/s\nTTFT|200|ms", "B2 GB, B3 TB/s, B4 ms"),
    "list without headers": ("Memory|80|GB\nBandwidth|3.35|TB/s\nTTFT|200|ms", "B1 GB, B2 TB/s, B3 ms"),
    "list, unit column left": ("Item|Unit|Value\nMemory|GB|80\nBandwidth|TB/s|3.35", "C2 GB, C3 TB/s"),
    "unit column left of several": (
        "Item|Unit|Low|High\nMemory|GB|80|141\nPower|W|700|1000", "C2 GB, D2 GB, C3 W, D3 W"),
    "unit column right of several": (
        "Item|Low|High|Unit\nMemory|80|141|GB\nPower|700|1000|W", "B2 GB, C2 GB, B3 W, C3 W"),
    "two lists side by side": (
        "Item|Value|Unit||Item|Value|Unit\nMemory|80|GB||Power|700|W\nTTFT|3|ms||Cost|9|$/h",
        "B2 GB, F2 W, B3 ms, F3 $/h"),
    "German unit column": ("Größe|Wert|Einheit\nSpeicher|80|Go\nKosten|9|€/Monat", "B2 GB, B3 EUR;month"),
    "French unit column": ("Poste|Valeur|Unité\nMémoire|80|Go\nCoût|9|€/an", "B2 GB, B3 EUR;year"),
    "units in row labels": ("Memory (GB)|80\nBandwidth (TB/s)|3.35\nTTFT (ms)|200", "B1 GB, B2 TB/s, B3 ms"),
    "units in headers": (
        "GPU|Memory (GB)|Bandwidth (TB/s)\nH100|80|3.35\nH200|141|4.8", "B2 GB, C2 TB/s, B3 GB, C3 TB/s"),
    "unit row": ("GPU|Memory|Bandwidth\n|GB|TB/s\nH100|80|3.35\nH200|141|4.8", "B3 GB, C3 TB/s, B4 GB, C4 TB/s"),
    "transposed": ("|H100|H200\nMemory (GB)|80|141\nPower (W)|700|700", "B2 GB, C2 GB, B3 W, C3 W"),
    "transposed, unit column": ("|Unit|H100|H200\nMemory|GB|80|141\nPower|W|700|700", "C2 GB, D2 GB, C3 W, D3 W"),
    "label over two columns": ("Memory|HBM|80|GB\nMemory|host|2|TB", "C1 GB, C2 TB"),
    "title over the headers": ("Plan 2026|\n|\nGPU|Memory (GB)\nH100|80", "B4 GB"),
    "headers, then an empty row": ("GPU|Memory (GB)\n|\nH100|80", "B3 GB"),
    "an empty row ends a table": ("GPU|Memory (GB)\nH100|80\n|\nWidget|5", "B2 GB, B4 -"),
    "a second table below": (
        "GPU|Memory (GB)\nH100|80\n|\nJob|Duration (h)\njob 1|5\njob 2|6", "B2 GB, B5 h, B6 h"),
    "headers again without an empty row": (
        "GPU|Memory (GB)|Power (W)\nH100|80|700\nJob|Duration (h)|Energy (kWh)\njob 1|5|6",
        "B2 GB, C2 W, B4 h, C4 kWh"),
    "notes column": (
        "Item|Value|Unit|Notes\nMemory|80|GB|SXM variant, 3.35 TB/s\nPower|700|W|10 kW per node", "B2 GB, B3 W"),
    "notes without a header": ("Memory (GB)|80|see the data sheet\nPower (W)|700|of the SXM variant", "B1 GB, B2 W"),
    "notes before the next number": ("Item|Memory (GB)|Notes|Power (W)\nH100|80|to be confirmed|700", "B2 GB, D2 W"),
    "placeholder in a table": (
        "GPU|Peak FP8 (TFLOPS)|Memory (GB)\nA100|n/a|80\nH100|1979|80\nV100|-|32", "C2 GB, B3 TFLOP/s, C3 GB, C4 GB"),
    "placeholder in a transposed table": (
        "|A100|H100\nPeak FP8 (TFLOPS)|n/a|1979\nMemory (GB)|tbd|80", "C2 TFLOP/s, C3 GB"),
    "currency codes are no unit": (
        "GPU|Currency|Memory (GB)|Hours\nH100|USD|80|12\nH200|EUR|141|12", "C2 GB, D2 h, C3 GB, D3 h"),
    "currency as the unit": ("Item|Value|Unit\nCost|80|USD\nPrice|9|EUR", "B2 $, B3 EUR"),
    "names of chips give no unit": ("GPU|Count\nH100 80 GB|8\nA100 SXM 40 GB|4", "B2 1, B3 1"),
    "counts by their names": ("MFU|0.4\nLayers|80\nNumber of GPUs|8\nPUE|1.2", "B1 1, B2 1, B3 GPU, B4 1"),
    "an unknown unit says nothing": ("Item|Value|Unit\nMemory|80|furlong\nPower|700|W", "B2 -, B3 W"),
    "percent column": ("GPU|MFU (%)|Utilisation (%)\nH100|45|80", "B2 %, C2 %"),
    "periods": ("|Cost per month ($)|Cost per year (k$)\nteam A|5|60", "B2 $;month, C2 k$;year"),
    "unit column with periods": ("Item|Value|Unit\nCost|5|$/month\nCost|60|k€/year", "B2 $;month, B3 kEUR;year"),
    "magnitudes": ("Item|Value|Unit\nParameters|70|B\nActive parameters|12|bn", "B2 Gparam, B3 Gparam"),
    "magnitudes behind labels with units": (
        "Mixtral 8x7B, total params|46.7|B\nMemory|80|GB", "B1 Gparam, B2 GB"),
    "magnitudes between columns": ("Card|L40S|A100\nParamètres|8.03|milliards\nMémoire (Go)|48|80", "B2 Gparam, B3 GB, C3 GB"),
    "symbols with their meaning": ("Symbol|Meaning|Value|Unit\nm_s|memory of the weights|14|GB\nt_s|step time|20|ms", "C2 GB, C3 ms"),
    "magnitudes in a period": ("Jetons par jour|12|millions/jour\nRequests|3|million/month", "B1 Mtok;day, B2 Mreq;month"),
    "typed quantities": ("Memory|80 GiB\nBandwidth|3.35 TB/s", "B1 GiB, B2 TB/s"),
    "typed quantities under headers": ("GPU|Memory|Power\nH100|80 GB|700", "B2 GB"),
    "formats": ('TTFT|200 @ 0.00" ms"\nMemory|80 @ #,##0" GB"\nPower|7 @ 0.0\\ "kW"', "B1 ms, B2 GB, B3 kW"),
    "formats with colours and padding": (
        'TTFT|5 @ [Red]0.0" ms"\nBudget|5 @ _-* #,##0.00\\ "€"_-\nCost|5 @ _("$"* #,##0_)', "B1 ms, B2 EUR, B3 $"),
    "formats of money": (
        'Budget|3 @ [$€-407] #,##0.00\nBudget|3 @ "$"#,##0.00\nBudget|3 @ #,##0.00 "€"\nBudget|3 @ #,##0 [$£-809]',
        "B1 EUR, B2 $, B3 EUR, B4 GBP"),
    "formats of money and scale": ('Budget|3 @ $#,##0" k"\nBudget|3000 @ $#,##0,"k"', "B1 k$, B2 $"),
    "formats of prices": ('Price per hour|3 @ $#,##0.00\nPrice|3 @ $0.00"/kWh"', "B1 $/h, B2 $/kWh"),
    "percent format": ("Utilisation|0.45 @ 0.0%\nShare (%)|0.4 @ 0%\nanything|0.4 @ 0.0%", "B1 1, B2 1, B3 1"),
    "dates say nothing": ("Start (s)|45000 @ yyyy-mm-dd\nEnd|45000 @ d-mmm-yy", "B1 -, B2 -"),
    "plain formats": ("Memory (GB)|80 @ #,##0.00\nTTFT (ms)|3 @ 0.0E+00", "B1 GB, B2 ms"),
    "formula cells have a context": ("GPU|Memory (GB)\nH100|80\nTotal|=SUM(B2:B2)", "B2 GB, B3 GB"),
    "the top of a matrix": (
        """
        Params (B) | Gradients (GB) | 2 | 4 | 8
        3          | =A2*2          | =B2/C$1 | =B2/D$1 | =B2/E$1
        7          | =A3*2          | =B3/C$1 | =B3/D$1 | =B3/E$1
        """,
        "B2 GB, B3 GB, C1 -, D1 -",
    ),
    "the corner of a matrix": (
        """
        power (kW) \\ time (h) | 2       | 4
        40                     | =A2*B$1 | =A2*C$1
        60                     | =A3*B$1 | =A3*C$1
        """,
        "A2 kW, A3 kW, B1 h, C1 h",
    ),
    "a table that ends in a list": (
        """
        tier | share | fetch (ms)
        HBM  | 0.4   | 0
        NVMe | 0.1   | 31
        rate | 5000  | tokens/s
        need | 2     | GB
        """,
        "C2 ms, C3 ms, B4 tokens/s, B5 GB",
    ),
    "a table beside the lines of a list": (
        """
        params (B)   | 2.7 |  | nodes | inter (ms) | comm (ms)
        buffer (GB)  | 5.4 |  | 2     | 40         | 60
        GPUs/node    | 8   |  | 4     | 60         | 80
        """,
        "B2 GB, D2 node, E2 ms, F3 ms",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), LAYOUTS.values(), ids=LAYOUTS)
def test_layout(tmp_path: Path, text: str, expected: str) -> None:
    book = Workbook()
    fill(book.active, text)
    found = read(tmp_path, book)
    check(found, expected)
    assert all(context.contradiction is None for context, _ in found.values())


def test_layout_away_from_the_corner(tmp_path: Path) -> None:
    book = Workbook()
    fill(book.active, "||\n||\n||Item|Value|Unit\n||Memory|80|GB\n||TTFT|3|ms")
    check(read(tmp_path, book), "D4 GB, D5 ms")


def test_merged_headers_stand_over_all_their_columns(tmp_path: Path) -> None:
    book = Workbook()
    fill(book.active, "|Latency (ms)||Memory (GB)|\nrun|p50|p99|used|free\nrun 1|120|300|60|20\nrun 2|110|280|61|19")
    book.active.merge_cells("B1:C1")
    book.active.merge_cells("D1:E1")
    found = read(tmp_path, book)
    check(found, "B3 ms, C3 ms, D3 GB, E3 GB, B4 ms, E4 GB")
    assert [dict(found[c][0].kinds).get("statistic") for c in ("B3", "C3")] == ["p50", "p99"]


def test_merged_row_labels_stand_beside_all_their_rows(tmp_path: Path) -> None:
    book = Workbook()
    fill(book.active, "Memory (GB)|H100|80\n|H200|141\nPower (W)|H100|700\n|H200|700")
    book.active.merge_cells("A1:A2")
    book.active.merge_cells("A3:A4")
    check(read(tmp_path, book), "C1 GB, C2 GB, C3 W, C4 W")


def test_names_of_cells(tmp_path: Path) -> None:
    book = Workbook()
    fill(book.active, "one|80\ntwo|200\nthree|5\nMemory (GB)|80")
    for name, place in (("hbm_gb", "$B$1"), ("ttft_ms", "$B$2"), ("x1", "$B$3"), ("other_ms", "$B$4")):
        book.defined_names[name] = DefinedName(name, attr_text=f"Sheet!{place}")
    check(read(tmp_path, book), "B1 GB, B2 ms, B3 -, B4 GB")


def test_tables(tmp_path: Path) -> None:
    book = Workbook()
    fill(book.active, "Job|Duration (h)|Energy (kWh)\njob 1|5|60\njob 2|6|70")
    book.active.add_table(Table(displayName="Jobs", ref="A1:C3"))
    found = read(tmp_path, book)
    check(found, "B2 h, C2 kWh, B3 h, C3 kWh")
    assert found["B2"][1] == "job 1"


def test_labels_concepts_and_kinds(tmp_path: Path) -> None:
    book = Workbook()
    fill(
        book.active, "GPU|Peak TFLOPS (bf16, dense)|NVLink, both directions (GB/s)|Power per GPU (W)\nH100|989|900|700"
    )
    found = read(tmp_path, book)
    peak, link, power = (found[c][0] for c in ("B2", "C2", "D2"))
    assert [(c.concept, c.explicit) for c in (peak, link, power)] == [
        ("peak", True),
        ("bandwidth", True),
        ("power", True),
    ]
    assert {("density", "dense"), ("precision", "bf16")} <= peak.kinds
    assert ("direction", "both directions") in link.kinds
    assert power.value is not None
    assert dict(power.value.dims or ())["device"] == -1.0
    assert peak.label == "Peak TFLOPS (bf16, dense)"
    assert found["B2"][1] == "H100"


@pytest.mark.parametrize(
    ("text", "clash"),
    [
        ("Memory (GB)|80|GiB", True),
        ("Memory (GB)|80|GB", False),
        ("Memory|80|GiB", False),
        ('TTFT (ms)|80 @ 0" s"', True),
        ('TTFT (ms)|80 @ 0" ms"', False),
        ("Cost ($)|80 @ #,##0 [$€-407]", True),
        ("Cost (€)|80 @ #,##0 [$€-407]", False),
        ("Power per GPU (kW)|80|kW", False),
    ],
)
def test_two_statements_that_contradict_each_other(tmp_path: Path, text: str, clash: bool) -> None:
    book = Workbook()
    fill(book.active, text)
    assert (read(tmp_path, book)["B1"][0].contradiction is not None) is clash


def test_comments_and_empty_sheets_disturb_nothing(tmp_path: Path) -> None:
    book = Workbook()
    assert read(tmp_path, book) == {}
    fill(book.active, "Memory (GB)|80\nTitle alone")
    book.active["B1"].comment = Comment("in GiB?", "somebody")
    check(read(tmp_path, book), "B1 GB")
