"""Held-out workbooks: fourteen people's own sheets, each clean, each with mistakes seeded one at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.table import Table, TableStyleInfo
from openpyxl.worksheet.worksheet import Worksheet

from .book import Book, Seed

__all__ = ["BOOKS"]

BOLD = Font(bold=True)


def _start(sheet: str, heading: str) -> tuple[Workbook, Worksheet]:
    """Return a new workbook and its first sheet, with a heading in A1."""
    book = Workbook()
    page = book.active
    page.title = sheet
    page["A1"] = heading
    page["A1"].font = Font(bold=True, size=14)
    return book, page


def _sheet(book: Workbook, sheet: str, heading: str) -> Worksheet:
    """Return a further sheet with a heading in A1."""
    page = book.create_sheet(sheet)
    page["A1"] = heading
    page["A1"].font = Font(bold=True, size=14)
    return page


def _fill(page: Worksheet, top: int, rows: Iterable[Sequence[Any]], left: int = 1) -> None:
    """Write rows below each other; ``{r}`` in a text formula is the row's number."""
    for number, row in enumerate(rows, start=top):
        for column, content in enumerate(row, start=left):
            if isinstance(content, str) and content.startswith("="):
                content = content.replace("{r}", str(number))
            if content is not None:
                page.cell(number, column, content)


def _across(page: Worksheet, top: int, columns: str, rows: Iterable[Sequence[Any]], labels: int = 2) -> None:
    """Write rows of labels followed by a value per column, or by one formula with ``{c}`` for its column."""
    for number, row in enumerate(rows, start=top):
        for column, content in enumerate(row[:labels], start=1):
            if content is not None:
                page.cell(number, column, content)
        values = row[labels:]
        for index, column in enumerate(columns):
            if not values:
                break
            content = values[index] if len(values) > 1 else values[0]
            page[f"{column}{number}"] = content.replace("{c}", column) if isinstance(content, str) else content


def _bold(page: Worksheet, *rows: int) -> None:
    for row in rows:
        for cell in page[row]:
            cell.font = BOLD


def _formats(page: Worksheet, formats: dict[str, str]) -> None:
    """Set number formats; a key is a cell, a range or several of them with spaces between."""
    for places, number_format in formats.items():
        for place in places.split():
            cells = page[place]
            for row in cells if isinstance(cells, tuple) else ((cells,),):
                for cell in row if isinstance(row, tuple) else (row,):
                    cell.number_format = number_format


def _table(page: Worksheet, name: str, reference: str) -> None:
    table = Table(displayName=name, ref=reference)
    table.tableStyleInfo = TableStyleInfo(name="TableStyleLight9", showRowStripes=True)
    page.add_table(table)


def _name(book: Workbook, name: str, place: str) -> None:
    book.defined_names[name] = DefinedName(name, attr_text=place)


# ---------------------------------------------------------------- a CTO compares three accelerators


def _cto() -> Workbook:
    book, page = _start("Compare", "Which accelerator for our assistant? Cards as columns")
    _fill(page, 3, [("Figure", "Unit", "NVIDIA H100 SXM", "AMD MI300X", "Intel Gaudi 3")])
    _across(page, 4, "CDE", [
        ("Memory capacity", "GB", 80, 192, 128),
        ("Memory bandwidth", "TB/s", 3.35, 5.3, 3.7),
        ("Peak BF16, dense", "TFLOP/s", 989, 1307, 1835),
        ("Peak BF16, 2:4 sparse", "TFLOP/s", 1979, 2615, "n/a"),
        ("Peak FP8, dense", "TFLOP/s", 1979, 2615, 1835),
        ("Peak INT8, dense", "TOP/s", 1979, 2615, "n/a"),
        ("Board power", "W", 700, 750, 900),
        ("Scale-up link, one direction", "GB/s", 450, 448, 525),
        ("Scale-up link, both directions together", "GB/s", "=2*{c}11"),
        ("List price per card", "USD", 30000, 18000, 15650),
        ("List price per card", "EUR", "={c}13*$C$46"),
    ])  # fmt: skip
    page["A16"] = "Llama-3-70B in BF16, one replica"
    _across(page, 17, "CDE", [
        ("Parameters", "billion", 70.6, "=C17", "=C17"),
        ("Bytes per parameter", "byte", 2, "=C18", "=C18"),
        ("Weights", "GB", "={c}17*{c}18"),
        ("Layers", None, 80, "=C20", "=C20"),
        ("Attention heads", None, 64, "=C21", "=C21"),
        ("KV heads", None, 8, "=C22", "=C22"),
        ("Head dimension", None, 128, "=C23", "=C23"),
        ("Context per sequence", "tokens", 8192, 8192, 8192),
        ("Sequences in flight", "sequences", 16, 16, 16),
        ("KV cache", "GB", "=2*{c}20*{c}22*{c}23*{c}18*{c}24*{c}25/10^9"),
        ("Memory needed", "GB", "={c}19+{c}26"),
        ("Cards for one replica", "cards", "=ROUNDUP({c}27/(0.9*{c}4),0)"),
        ("Memory of the replica", "GiB", "={c}28*{c}4*10^9/2^30"),
        ("Decode step, memory bound", "ms", "={c}27/({c}28*{c}5*1000)*1000"),
        ("Output rate of the replica", "tokens/s", "={c}25/({c}30/1000)"),
        ("Prefill work of one prompt", "TFLOP", "=2*{c}17*{c}24/1000"),
        ("Time to first token, BF16 at half the dense peak", "ms", "={c}32/(0.5*{c}6*{c}28)*1000"),
        ("Copying the weights in over the link, one direction", "ms", "={c}19/{c}11*1000"),
        ("Price of the replica", "USD", "={c}28*{c}13"),
        ("Price per output rate", "USD per token/s", "={c}35/{c}31"),
        ("Power of the replica", "kW", "={c}28*{c}10/1000"),
        ("Energy of the replica in a year", "kWh", "={c}37*8760"),
        ("Energy per million output tokens", "kWh", "={c}37/({c}31*3600)*10^6"),
    ])  # fmt: skip
    page["A41"] = "Our bench, one card"
    _across(page, 42, "CDE", [
        ("Measured copy bandwidth", "TB/s", 2.92, 4.01, 2.96),
        ("Share of peak bandwidth", "%", "={c}42/{c}5"),
        ("Measured BF16 GEMM", "TFLOP/s", 712, 640, 1290),
        ("Share of the BF16 dense peak", "%", "={c}44/{c}6"),
    ])  # fmt: skip
    _fill(page, 46, [
        ("Exchange rate of 15 January 2025", "EUR per USD", 0.97),
        ("Cheapest replica", None, "=INDEX(C3:E3,MATCH(MIN(C35:E35),C35:E35,0))"),
    ])  # fmt: skip
    _formats(page, {"C43:E43 C45:E45": "0%", "C13:E14 C35:E35": "#,##0", "C19:E39": "#,##0.00"})
    _bold(page, 3, 16, 41)
    return book


_CTO = (
    Seed("binary-prefix", {"Compare!D29": "=D28*D4"}),
    Seed("sparse-peak", {"Compare!D33": "=D32/(0.5*D7*D28)*1000"}),
    Seed("sparse-peak", {"Compare!C45": "=C44/C7"}),
    Seed("peak-precision", {"Compare!C33": "=C32/(0.5*C8*C28)*1000"}),
    Seed("peak-precision", {"Compare!D45": "=D44/D8"}),
    Seed("integer-ops", {"Compare!D33": "=D32/(0.5*D9*D28)*1000"}),
    Seed("integer-ops", {"Compare!B6": "TOP/s"}, ("Compare!C33", "Compare!D33", "Compare!E33", "Compare!C45",
         "Compare!D45", "Compare!E45", "Compare!C6", "Compare!D6", "Compare!E6", "Compare!A6")),
    Seed("params-bytes", {"Compare!C27": "=C17+C26"}),
    Seed("registry", {"Compare!D4": 256}),
    Seed("registry", {"Compare!E5": 2.45}),
    Seed("link-direction", {"Compare!C34": "=C19/C12*1000"}),
    Seed("link-direction", {"Compare!D12": "=D11"}),
    Seed("kv-heads", {"Compare!D26": "=2*D20*D21*D23*D18*D24*D25/10^9"}),
    Seed("kv-factor", {"Compare!C26": "=C20*C22*C23*C18*C24*C25/10^9"}),
    Seed("time-scale", {"Compare!E30": "=E27/(E28*E5*1000)"}),
    Seed("time-scale", {"Compare!D31": "=D25/D30"}),
    Seed("device-scope", {"Compare!C37": "=C10/1000"}),
    Seed("power-energy", {"Compare!D38": "=D37"}),
    Seed("above-limit", {"Compare!C42": 3.92}, ("Compare!C43",)),
    Seed("currency", {"Compare!E14": "=E13"}),
)  # fmt: skip


# ---------------------------------------------------------------- a purchase of two million dollars


def _purchase() -> Workbook:
    book, bom = _start("BOM", "Cluster purchase: bill of materials")
    quantity = "tblBom[[#This Row],[Qty]]"
    _fill(bom, 3, [
        ("Item", "Qty", "Unit price (USD)", "Line total (USD)", "Power each (W)", "Power total (kW)"),
        ("GPU server, 8x H100 SXM", 5, 285000, f"={quantity}*tblBom[[#This Row],[Unit price (USD)]]", 10200,
         f"={quantity}*tblBom[[#This Row],[Power each (W)]]/1000"),
        ("Leaf switch, 64x 400G", 2, 48000, f"={quantity}*tblBom[[#This Row],[Unit price (USD)]]", 1500,
         f"={quantity}*tblBom[[#This Row],[Power each (W)]]/1000"),
        ("Storage server, 500 TB", 2, 65000, f"={quantity}*tblBom[[#This Row],[Unit price (USD)]]", 1200,
         f"={quantity}*tblBom[[#This Row],[Power each (W)]]/1000"),
        ("Management node", 2, 12000, f"={quantity}*tblBom[[#This Row],[Unit price (USD)]]", 600,
         f"={quantity}*tblBom[[#This Row],[Power each (W)]]/1000"),
        ("Optics and cable", 80, 900, f"={quantity}*tblBom[[#This Row],[Unit price (USD)]]", 15,
         f"={quantity}*tblBom[[#This Row],[Power each (W)]]/1000"),
    ])  # fmt: skip
    _table(bom, "tblBom", "A3:F8")
    _fill(bom, 10, [
        ("Hardware", None, None, "=SUM(D4:D8)", None, "=SUM(F4:F8)"),
        ("Freight and installation", None, 0.04, "=D10*C11"),
        ("Racks and cabling, local supplier", None, None, "=Sizing!B20"),
        ("Purchase", None, None, "=SUM(D10:D12)"),
        ("Approved by the board", None, None, 2000000),
        ("Left over", None, None, "=D14-D13"),
        ("Share of the approval used", None, None, "=D13/D14"),
    ])  # fmt: skip
    _formats(bom, {"C4:D8 D10:D15": '"$"#,##0', "C11 D16": "0%", "F4:F10": "0.0"})
    sizing = _sheet(book, "Sizing", "What we get for it")
    _fill(sizing, 3, [
        ("Servers", '=INDEX(BOM!B4:B8,MATCH("GPU server, 8x H100 SXM",BOM!A4:A8,0))'),
        ("GPUs per server", 8),
        ("GPUs in the fleet", "=B3*B4"),
        ("Memory per H100 SXM (GB)", 80),
        ("Memory of the fleet (TB)", "=B5*B6/1000"),
        ("BF16 dense peak per H100 SXM (TFLOP/s)", 989),
        ("BF16 dense peak of the fleet (PFLOP/s)", "=B5*B8/1000"),
        ("Network port per GPU (Gbit/s)", 400),
        ("Injection rate per server (GB/s)", "=B4*B10/8"),
        ("Power per server (kW)", '=INDEX(BOM!E4:E8,MATCH("GPU server, 8x H100 SXM",BOM!A4:A8,0))/1000'),
        ("Servers per rack", 3),
        ("Racks", "=ROUNDUP(B3/B13,0)"),
        ("Power per full rack (kW)", "=B12*B13"),
        ("Limit per rack (kW)", 35),
        ("Cooling", '=IF(B15<=B16,"ok","too hot")'),
        ("Quote for racks and cabling (EUR)", 38000),
        ("Exchange rate, 3 March 2025 (USD/EUR)", 1.05),
        ("Quote for racks and cabling (USD)", "=B18*B19"),
        ("Parameters of the model we tune (billion)", 70.6),
        ("Checkpoint per parameter (byte)", 14),
        ("Checkpoint (GB)", "=B21*B22"),
        ("Storage write rate (GB/s)", 25),
        ("Time to write a checkpoint (s)", "=B23/B24"),
    ])  # fmt: skip
    tco = _sheet(book, "TCO 3y", "Three years of ownership")
    _fill(tco, 3, [("Item", "2026", "2027", "2028", "All years")])
    _across(tco, 4, "BCD", [
        ("IT load (kW)", "=BOM!$F$10"),
        ("Mean load factor", 0.7, 0.75, 0.8),
        ("IT energy (MWh)", "={c}4*{c}5*8760/1000"),
        ("PUE", 1.3, 1.3, 1.25),
        ("Facility energy (MWh)", "={c}6*{c}7"),
        ("Electricity price (USD/MWh)", 110, "=B9*1.03", "=C9*1.03"),
        ("Electricity (USD)", "={c}8*{c}9"),
        ("Colocation fee (USD/month)", 9500, 9500, 9800),
        ("Colocation (USD)", "={c}11*12"),
        ("Support, share of hardware", 0.06, 0.06, 0.07),
        ("Support (USD)", "=BOM!$D$10*{c}13"),
        ("Operation (USD)", "={c}10+{c}12+{c}14"),
    ], labels=1)  # fmt: skip
    for row in (6, 8, 10, 12, 14, 15):
        tco[f"E{row}"] = f"=SUM(B{row}:D{row})"
    tco["E5"] = "=AVERAGE(B5:D5)"
    _fill(tco, 17, [
        ("Purchase (USD)", "=BOM!D13"),
        ("Cost of ownership (USD)", "=B17+E15"),
        ("GPU-hours used in three years (GPU-h)", "=Sizing!B5*3*8760*E5"),
        ("Cost per GPU-hour used (USD/GPU-h)", "=B18/B19"),
        ("Cloud price (USD/GPU-h)", 3.9),
        ("Saved against the cloud (USD)", "=B19*B21-B18"),
    ])  # fmt: skip
    _formats(tco, {"B5:E5 B13:D13": "0%", "B10:E12 B14:E15 B17:B19 B22": "#,##0", "B20:B21": "0.00"})
    _bold(tco, 3)
    return book


_PURCHASE = (
    Seed("device-scope", {"Sizing!B7": "=B3*B6/1000"}),
    Seed("device-scope", {"Sizing!B9": "=B8/1000"}),
    Seed("device-scope", {"Sizing!B17": '=IF(BOM!F10<=B16,"ok","too hot")'}),
    Seed("power-energy", {"TCO 3y!C10": "=C4*C9"}),
    Seed("power-energy", {"TCO 3y!A6": "IT energy (MW)"}, ("TCO 3y!B6", "TCO 3y!C6", "TCO 3y!D6", "TCO 3y!E6",
         "TCO 3y!B8", "TCO 3y!C8", "TCO 3y!D8", "TCO 3y!E8")),
    Seed("facility-energy", {"TCO 3y!C10": "=C6*C9"}),
    Seed("facility-energy", {"TCO 3y!D10": "=D8*D7*D9"}),
    Seed("money-rate", {"TCO 3y!B15": "=B10+B11+B14"}),
    Seed("money-rate", {"TCO 3y!B22": "=B21-B18"}),
    Seed("calendar", {"TCO 3y!C6": "=C4*C5*730/1000"}, ("TCO 3y!E6",)),
    Seed("calendar", {"TCO 3y!B19": "=Sizing!B5*3*365*E5"}),
    Seed("device-hours", {"TCO 3y!B19": "=3*8760*E5"}, ("TCO 3y!B20",)),
    Seed("currency", {"BOM!D12": "=Sizing!B18"}, ("BOM!D13",)),
    Seed("currency", {"Sizing!B20": "=B18"}),
    Seed("percent", {"TCO 3y!C5": 75}, ("TCO 3y!C6", "TCO 3y!E5")),
    Seed("bare-number", {"BOM!D13": "=SUM(D10:D12)+25000"}),
    Seed("mixed-sum", {"BOM!D10": "=SUM(D4:E8)"}),
    Seed("percent-sum", {"TCO 3y!E5": "=SUM(B5:D5)"}),
    Seed("registry", {"Sizing!B8": 756}),
    Seed("bits-bytes", {"Sizing!B11": "=B4*B10"}),
    Seed("params-bytes", {"Sizing!B25": "=B21/B24"}),
    Seed("unit-contradiction", {}, formats={"Sizing!B23": '#,##0 "s"'}),
)  # fmt: skip


# ---------------------------------------------------------------- a PhD student out of memory at batch 48


def _phd() -> Workbook:
    book, page = _start("oom", "why does batch 48 die??")
    page["A2"] = "Llama-3-8B on one A100 SXM 80 GB"
    _fill(page, 3, [
        ("params", 8.03),
        ("bytes per weight and per kv value, bf16", 2),
        ("weights", "=B3*B4"),
        ("weights again", "=B5*1E9/1024^3"),
        ("layers", 32),
        ("attention heads", 32),
        ("kv heads", 8),
        ("head dim", 128),
        ("kv cache per token", "=2*B7*B9*B10*B4"),
        ("context (tokens)", 8192),
        ("batch", 48, "the one that dies"),
        ("kv cache", "=B11*B12*B13/1024^3"),
        ("activations + logits", 3.1, "torch.cuda.max_memory_allocated, batch 8 -> 48"),
        ("cuda context, nccl, fragments", 0.8),
        ("need", "=B6+SUM(B14:B16)"),
        ("card", 80, "label on the box"),
        ("card, same thing", "=B18*1E9/1024^3"),
        ("gpu memory utilization (%)", 85),
        ("usable", "=B19*B20/100"),
        ("missing", "=MAX(0,B17-B21)"),
        ("largest batch", "=INT((B21-B6-B15-B16)/(B14/B13))"),
        ("need / card", "=B17/B19"),
    ])  # fmt: skip
    page["A25"] = "and how long would it take"
    _fill(page, 26, [
        ("bandwidth", 2.039),
        ("peak bf16, dense", 312),
        ("read per step", "=(B6+B14)*1024^3/1E9"),
        ("step, bandwidth bound", "=B28/(B26*1000)*1000"),
        ("work per token", "=2*B3"),
        ("step, compute bound (bf16)", "=B30*B13/(B27*1000)*1000"),
        ("step", "=MAX(B29,B31)"),
        ("throughput, one card", "=B13/(B32/1000)"),
        ("tokens to generate", 250),
        ("wall clock, one card", "=B34*1E6/B33/3600"),
        ("cards I may take", 4),
        ("wall clock, all cards", "=B35/B36"),
        ("charged to my quota", "=B37*B36"),
        ("quota left", 120),
        ("quota after that", "=B39-B38"),
        ("measured throughput, one card", 1210),
        ("measured / bound", "=B41/B33"),
        ("peak int8 (not used)", 624),
        ("peak bf16 with 2:4 sparsity (not used)", 624),
    ])  # fmt: skip
    _formats(page, {
        "B3": '0.00 "billion params"', "B4": '0 "bytes"', "B5 B28": '0.00 "GB"', "B6": '0.00 "GiB"',
        "B11": '#,##0 "bytes/token"', "B12": '#,##0 "tokens"', "B13 B23": '0 "sequences"',
        "B14 B15 B16 B17 B19 B21 B22": '0.0 "GiB"', "B18": '0 "GB"', "B24 B42": "0%", "B26": '0.000 "TB/s"',
        "B27 B44": '0 "TFLOP/s"', "B29 B31 B32": '0.00 "ms"', "B30": '0.00 "GFLOP"', "B33 B41": '#,##0 "tokens/s"',
        "B34": '0 "million tokens"', "B35 B37": '0.0 "h"', "B36": '0 "GPUs"', "B38 B39 B40": '0 "GPU-h"',
        "B43": '0 "TOP/s"',
    })  # fmt: skip
    return book


_PHD = (
    Seed("binary-prefix", {"oom!B17": "=B5+SUM(B14:B16)"}),
    Seed("binary-prefix", {"oom!B21": "=B18*B20/100"}, ("oom!B22", "oom!B23")),
    Seed("binary-prefix", {"oom!B28": "=B6+B14"}),
    Seed("kv-factor", {"oom!B11": "=B7*B9*B10*B4"}),
    Seed("kv-heads", {"oom!B11": "=2*B7*B8*B10*B4"}),
    Seed("params-bytes", {"oom!B6": "=B3*1E9/1024^3"}, ("oom!B17",)),
    Seed("flop-rate", {}, ("oom!B31",), formats={"oom!B27": '0 "TFLOP"'}),
    Seed("flop-rate", {}, ("oom!B31",), formats={"oom!B30": '0.00 "GFLOP/s"'}),
    Seed("mac-flop", {}, ("oom!B31",), formats={"oom!B30": '0.00 "GMAC"'}),
    Seed("sparse-peak", {"oom!B31": "=B30*B13/(B44*1000)*1000"}),
    Seed("integer-ops", {"oom!B31": "=B30*B13/(B43*1000)*1000"}),
    Seed("percent", {"oom!B21": "=B19*B20"}, ("oom!B22", "oom!B23")),
    Seed("percent", {"oom!B20": 0.85}, ("oom!B21",)),
    Seed("above-limit", {"oom!B41": 1740}, ("oom!B42",)),
    Seed("registry", {"oom!B26": 1.2}),
    Seed("registry", {"oom!B7": 40}),
    Seed("device-hours", {"oom!B40": "=B39-B37"}),
    Seed("device-hours", {"oom!B38": "=B37"}),
    Seed("calendar", {"oom!B35": "=B34*1E6/B33/86400"}),
    Seed("time-scale", {"oom!B33": "=B13/B32"}),
    Seed("bare-number", {"oom!B17": "=B6+SUM(B14:B16)+2"}),
    Seed("token-rate", {}, ("oom!B35", "oom!B42"), formats={"oom!B33": '#,##0 "tokens"'}),
    Seed("mixed-sum", {"oom!B17": "=B6+SUM(B13:B16)"}),
    Seed("unit-contradiction", {}, ("oom!B11", "oom!B14"), formats={"oom!B12": '#,##0 "GiB"'}),
)  # fmt: skip


# ---------------------------------------------------------------- a professor's exercise with solutions


def _professor() -> Workbook:
    book, page = _start("GEMM", "Computer architecture, exercise 6: roofline (solutions)")
    _fill(page, 3, [
        ("Accelerator", "A100 SXM 80 GB"),
        ("Peak BF16, dense", 312, "TFLOP/s"),
        ("Peak BF16, 2:4 sparse", 624, "TFLOP/s"),
        ("Peak TF32, dense", 156, "TFLOP/s"),
        ("Peak INT8, dense", 624, "TOP/s"),
        ("Memory bandwidth", 2.039, "TB/s"),
        ("BF16 element", 2, "byte"),
        ("Ridge point, BF16 dense", "=B4/B8", "FLOP/byte"),
    ])  # fmt: skip
    _fill(page, 11, [
        ("BF16 GEMM", "M", "N", "K", "Multiply-accumulates", "Operations", "Data moved", "Intensity",
         "Time by compute", "Time by memory", "Roofline time", "Bound by"),
        (None, "rows", "columns", "inner", "GMAC", "GFLOP", "MB", "FLOP/byte", "µs", "µs", "µs", None),
    ])  # fmt: skip
    shapes = (("Square", 4096, 4096, 4096), ("Large square", 8192, 8192, 8192),
              ("One token", 1, 14336, 4096), ("64 tokens", 64, 14336, 4096))  # fmt: skip
    _fill(page, 13, [
        (*shape, "=B{r}*C{r}*D{r}/10^9", "=2*E{r}", "=(B{r}*D{r}+D{r}*C{r}+B{r}*C{r})*$B$9/10^6", "=F{r}*1000/G{r}",
         "=F{r}/($B$4*1000)*10^6", "=G{r}/($B$8*10^6)*10^6", "=MAX(I{r},J{r})", '=IF(I{r}>J{r},"compute","memory")')
        for shape in shapes
    ])  # fmt: skip
    _fill(page, 17, [
        ("All four in a row", None, None, None, "=SUM(E13:E16)", "=SUM(F13:F16)", "=SUM(G13:G16)", None, None, None,
         "=SUM(K13:K16)"),
        ("A student measured the large square", 4180, "µs"),
        ("That is", "=F14/B18*1000", "TFLOP/s"),
        ("Share of the BF16 dense peak", "=B19/B4", None),
    ])  # fmt: skip
    _formats(page, {"B20": "0.0%", "E13:K17": "#,##0.00", "B10": "0.0"})
    _bold(page, 11, 12)
    moe = _sheet(book, "MoE", "Question 4: Mixtral-8x7B on the same A100s")
    _fill(moe, 3, [
        ("Total parameters", 46.7, "billion"),
        ("Active parameters per token", 12.9, "billion"),
        ("Bytes per parameter", 2, "byte"),
        ("Weights to hold", "=B3*B5", "GB"),
        ("Memory per A100", 80, "GB"),
        ("A100s needed", "=ROUNDUP(B6/B7,0)", "GPUs"),
        ("Work per token", "=2*B4", "GFLOP"),
        ("Prompt", 2048, "tokens"),
        ("Work of the prompt", "=B9*B10/1000", "TFLOP"),
        ("Share of BF16 dense peak reached", 40, "%"),
        ("Time of the prompt", "=B11/(GEMM!B4*B8*B12/100)*1000", "ms"),
        ("Layers", 32),
        ("Attention heads", 32),
        ("KV heads", 8),
        ("Head dimension", 128),
        ("KV cache per token", "=2*B14*B16*B17*B5/1024", "KiB"),
        ("KV cache of 64 such prompts", "=64*B10*B18/1024^2", "GiB"),
        ("Memory left beside the weights", "=B8*B7-B6", "GB"),
        ("KV cache of 64 such prompts", "=B19*1024^3/10^9", "GB"),
        ("Does it fit?", '=IF(B21<=B20,"yes","no")'),
        ("PCIe Gen4 x16, line rate", 256, "Gbit/s"),
        ("PCIe Gen4 x16, line rate", "=B23/8", "GB/s"),
        ("Loading the weights over one such link", "=B6/B24", "s"),
    ])  # fmt: skip
    return book


_PROFESSOR = (
    Seed("mac-flop", {"GEMM!F14": "=E14"}, ("GEMM!I14", "GEMM!B19")),
    Seed("mac-flop", {"GEMM!I15": "=E15/($B$4*1000)*10^6"}),
    Seed("mac-flop", {"MoE!B9": "=B4"}, ("MoE!B11",)),
    Seed("mac-flop", {"GEMM!F12": "GMAC"}, (*(f"GEMM!{c}{r}" for c in "FHI" for r in (13, 14, 15, 16)), "GEMM!F17",
         "GEMM!B19")),
    Seed("flop-rate", {"GEMM!C4": "TFLOP"}, ("GEMM!B4", "GEMM!B10", "GEMM!I13", "GEMM!I14", "GEMM!I15", "GEMM!I16",
         "GEMM!B20", "MoE!B13")),
    Seed("flop-rate", {"MoE!C11": "TFLOP/s"}, ("MoE!B11", "MoE!B13")),
    Seed("flop-rate", {"GEMM!B20": "=F14/B4"}),
    Seed("sparse-peak", {"GEMM!I14": "=F14/($B$5*1000)*10^6"}),
    Seed("sparse-peak", {"GEMM!B4": 624}, ("GEMM!B10", "GEMM!I13", "GEMM!I14", "GEMM!I15", "GEMM!I16", "GEMM!B20",
         "MoE!B13")),
    Seed("peak-precision", {"MoE!B13": "=B11/(GEMM!B6*B8*B12/100)*1000"}),
    Seed("peak-precision", {"GEMM!I13": "=F13/($B$6*1000)*10^6"}),
    Seed("integer-ops", {"GEMM!I16": "=F16/($B$7*1000)*10^6"}),
    Seed("kv-factor", {"MoE!B18": "=B14*B16*B17*B5/1024"}),
    Seed("kv-heads", {"MoE!B18": "=2*B14*B15*B17*B5/1024"}),
    Seed("params-bytes", {"MoE!B8": "=ROUNDUP(B3/B7,0)"}),
    Seed("active-params", {"MoE!B6": "=B4*B5"}, ("MoE!B8", "MoE!B20", "MoE!B25")),
    Seed("active-params", {"MoE!B9": "=2*B3"}, ("MoE!B11",)),
    Seed("above-limit", {"GEMM!B18": 2900}, ("GEMM!B19", "GEMM!B20")),
    Seed("bits-bytes", {"MoE!B25": "=B6/B23"}),
    Seed("time-scale", {"GEMM!J12": "ms"}, tuple(f"GEMM!{c}{r}" for c in "JKL" for r in (13, 14, 15, 16))),
    Seed("binary-prefix", {"MoE!B22": '=IF(B19<=B20,"yes","no")'}),
    Seed("percent", {"MoE!B13": "=B11/(GEMM!B4*B8*B12)*1000"}),
    Seed("mixed-sum", {"GEMM!F17": "=SUM(F13:G16)"}),
    Seed("unit-contradiction", {}, ("MoE!B8", "MoE!B20"), formats={"MoE!B6": '0.0 "ms"'}),
)  # fmt: skip


# ---------------------------------------------------------------- an SRE's latency budget


def _sre() -> Workbook:
    book, page = _start("Budget", "Assistant API: time to first token, last 7 days")
    _fill(page, 3, [("Stage", "Measured (ms)", None, None), (None, "mean", "p95", "p99")])
    page.merge_cells("A3:A4")
    page.merge_cells("B3:D3")
    page["B3"].alignment = Alignment(horizontal="center")
    _fill(page, 5, [
        ("Client to edge, one way", 18, 41, 77),
        ("Edge to gateway, one way", 2, 4, 9),
        ("Gateway: auth and limits", 3, 6, 11),
        ("Queue for a slot", 45, 190, 420),
        ("Prefill", 160, 240, 310),
        ("First decode step", 22, 28, 35),
        ("Gateway to client, one way", 20, 45, 84),
        ("Sum of the stage means", "=SUM(B5:B11)"),
        ("Traced end to end", 268, 470, 760),
    ])  # fmt: skip
    _fill(page, 15, [
        ("Objective and streaming", "Value", "Unit"),
        ("Objective for TTFT, p99", 900, "ms"),
        ("Margin at p99", "=B16-D13", "ms"),
        ("Status", '=IF(D13<=B16,"ok","breach")'),
        ("Not explained by the stages, mean", "=B13-B12", "ms"),
        ("Client to edge and back, round trip, mean", "=2*B5", "ms"),
        ("Round trips to open a connection", 2),
        ("Opening a connection, mean", "=B21*B20", "ms"),
        ("Output tokens per answer", 350, "tokens"),
        ("Time per output token, mean", 24, "ms"),
        ("Whole answer, mean", "=B13+(B23-1)*B24", "ms"),
        ("Whole answer, mean", "=B25/1000", "s"),
        ("Output rate of one stream", "=1000/B24", "tokens/s"),
    ])  # fmt: skip
    _bold(page, 3, 4, 15)
    load = _sheet(book, "Load", "Load by region")
    _fill(load, 3, [("Figure", "Unit", "EU", "US", "Both")])
    _across(load, 4, "CD", [
        ("Daily users", "users", 42000, 65000),
        ("Requests per user", "requests/user/day", 6, 5),
        ("Requests", "requests/day", "={c}4*{c}5"),
        ("Share of the day in its busiest hour", "%", 0.12, 0.1),
        ("Peak rate", "requests/s", "={c}6*{c}7/3600"),
        ("Input tokens per request", "tokens", 1800, 1650),
        ("Output tokens per request", "tokens", 350, 350),
        ("Input rate at the peak", "tokens/s", "={c}8*{c}9"),
        ("Output rate at the peak", "tokens/s", "={c}8*{c}10"),
        ("Output capacity of a replica", "tokens/s", 1450, 1450),
        ("Headroom", "%", 30, 30),
        ("Replicas", "replicas", "=ROUNDUP({c}12*(1+{c}14/100)/{c}13,0)"),
        ("Requests in flight, by the mean answer time", "requests", "={c}8*Budget!$B$26"),
        ("Log per request", "kB", 14, 14),
        ("Log stream at the peak", "Mbit/s", "={c}8*{c}17*8/1000"),
        ("Availability objective", "%", 0.999, 0.9995),
        ("Allowed downtime in 30 days", "min", "=(1-{c}19)*30*24*60"),
    ])  # fmt: skip
    for row in (4, 6, 8, 11, 12, 15, 16, 18):
        load[f"E{row}"] = f"=SUM(C{row}:D{row})"
    load["E7"] = "=E8*3600/E6"
    _formats(load, {"C7:E7": "0.0%", "C19:D19": "0.00%", "C8:E8 C16:E16 C18:E18 C20:D20": "0.0"})
    _bold(load, 3)
    return book


_SRE = (
    Seed("round-trip", {"Budget!B20": "=B5"}, ("Budget!B22",)),
    Seed("round-trip", {"Budget!B22": "=B21*B5"}),
    Seed("round-trip", {"Budget!A5": "Client to edge, round trip"}, ("Budget!B5", "Budget!B12", "Budget!B20")),
    Seed("statistic-mix", {"Budget!B17": "=B16-B13"}),
    Seed("statistic-mix", {"Budget!B18": '=IF(B13<=B16,"ok","breach")'}),
    Seed("statistic-mix", {"Budget!B12": "=SUM(D5:D11)"}, ("Budget!B19",)),
    Seed("statistic-mix", {"Budget!B19": "=D13-B12"}),
    Seed("statistic-mix", {"Budget!B12": "=SUM(B5:B7)+D8+SUM(B9:B11)"}),
    Seed("time-scale", {"Budget!B26": "=B25"}),
    Seed("time-scale", {"Load!C16": "=C8*Budget!$B$25"}),
    Seed("token-rate", {"Load!C15": "=ROUNDUP(C10*(1+C14/100)/C13,0)"}),
    Seed("token-rate", {"Load!B13": "tokens"}, ("Load!C13", "Load!D13", "Load!C15", "Load!D15")),
    Seed("token-direction", {"Load!C12": "=C8*C9"}, ("Load!C15",)),
    Seed("token-direction", {"Load!D15": "=ROUNDUP(D11*(1+D14/100)/D13,0)"}),
    Seed("user-total", {"Load!D8": "=D5*D7/3600"}),
    Seed("user-total", {"Load!C6": "=C5"}),
    Seed("percent", {"Load!C15": "=ROUNDUP(C12*(1+C14)/C13,0)"}),
    Seed("percent", {"Load!D19": 99.95}, ("Load!D20",)),
    Seed("bare-number", {"Budget!B12": "=SUM(B5:B11)+15"}),
    Seed("mixed-sum", {"Load!E12": "=SUM(C10:D12)"}),
    Seed("bits-bytes", {"Load!D18": "=D8*D17/1000"}),
    Seed("percent-sum", {"Load!E7": "=SUM(C7:D7)"}),
    Seed("calendar", {"Load!C20": "=(1-C19)*30*24"}),
    Seed("unit-contradiction", {}, ("Budget!B25", "Budget!B27"), formats={"Budget!B24": '0 "tokens/s"'}),
)  # fmt: skip


# ---------------------------------------------------------------- a FinOps analyst's monthly bill


def _finops() -> Workbook:
    book, prices = _start("Prices", "Price list, as of January 2025")
    _fill(prices, 3, [
        ("Token service", "Input (USD/Mtok)", "Output (USD/Mtok)"),
        ("chat-large", 2.5, 10),
        ("chat-small", 0.15, 0.6),
    ])  # fmt: skip
    _fill(prices, 9, [
        ("Instance", "Price (USD/GPU-h)", "GPUs per instance"),
        ("8x H100 SXM", 4.1, 8),
        ("1x L40S", 1.86, 1),
    ])  # fmt: skip
    _fill(prices, 13, [
        ("Other", "Price", "Unit"),
        ("Object storage", 0.023, "USD/GB-month"),
        ("Egress", 0.09, "USD/GB"),
    ])  # fmt: skip
    _bold(prices, 3, 9, 13)
    usage = _sheet(book, "Usage", "Token usage by team (export)")
    _fill(usage, 3, [("Month", "Team", "Service", "Input tokens (Mtok)", "Output tokens (Mtok)")])
    numbers = ((820, 190, 2400, 510), (760, 175, 2650, 560), (905, 221, 2980, 640))
    other = ((310, 44, 900, 120), (335, 47, 880, 118), (360, 52, 1010, 131))
    rows: list[Sequence[Any]] = []
    for month, product, support in zip(("Jan", "Feb", "Mar"), numbers, other, strict=True):
        for team, figures in (("Product", product), ("Support", support)):
            rows.append((month, team, "chat-large", *figures[:2]))
            rows.append((month, team, "chat-small", *figures[2:]))
    _fill(usage, 4, rows)
    _bold(usage, 3)
    bill = _sheet(book, "Bill", "Cloud bill, first quarter")
    _fill(bill, 2, [("Days", None, 31, 28, 31), ("Line", "Unit", "Jan", "Feb", "Mar", "Q1")])
    tokens = '=SUMIFS(Usage!${}$4:${}$15,Usage!$A$4:$A$15,{{c}}$3,Usage!$C$4:$C$15,"{}")'
    _across(bill, 4, "CDE", [
        ("Chat-large, input", "Mtok", tokens.format("D", "D", "chat-large")),
        ("Chat-large, output", "Mtok", tokens.format("E", "E", "chat-large")),
        ("Chat-small, input", "Mtok", tokens.format("D", "D", "chat-small")),
        ("Chat-small, output", "Mtok", tokens.format("E", "E", "chat-small")),
        ("Chat-large", "USD", "={c}4*Prices!$B$4+{c}5*Prices!$C$4"),
        ("Chat-small", "USD", "={c}6*Prices!$B$5+{c}7*Prices!$C$5"),
        ("H100 instance, hours up", "h", 620, 560, 700),
        ("H100, GPU-hours", "GPU-h", "={c}10*Prices!$C$10"),
        ("H100", "USD", "={c}11*Prices!$B$10"),
        ("L40S instance, always up", "h", "={c}$2*24"),
        ("L40S", "USD", "={c}13*Prices!$C$11*Prices!$B$11"),
        ("Object storage, mean volume", "TB", 42, 45, 47),
        ("Object storage", "USD", "={c}15*1000*Prices!$B$14"),
        ("Egress, volume", "GB", 3100, 2900, 3600),
        ("Egress", "USD", "={c}17*Prices!$B$15"),
        ("Bill before discount", "USD", "={c}8+{c}9+{c}12+{c}14+{c}16+{c}18"),
        ("Commitment discount", "%", 0.07, 0.07, 0.09),
        ("Bill", "USD", "={c}19*(1-{c}20)"),
        ("Exchange rate, monthly mean", "EUR/USD", 0.966, 0.96, 0.926),
        ("Bill", "EUR", "={c}21*{c}22"),
        ("Budget", "EUR", 25000, 24500, 27000),
        ("Over budget", "EUR", "=MAX(0,{c}23-{c}24)"),
        ("Active users", "users", 1800, 1950, 2100),
        ("Cost per active user", "EUR/user", "=IFERROR({c}23/{c}26,0)"),
        ("Blended token price", "USD/Mtok", "=({c}8+{c}9)/SUM({c}4:{c}7)"),
        ("Blended token price", "USD/ktok", "={c}28/1000"),
    ])  # fmt: skip
    for row in (4, 5, 6, 7, 8, 9, 11, 12, 14, 16, 18, 19, 21, 23, 24, 25):
        bill[f"F{row}"] = f"=SUM(C{row}:E{row})"
    bill["F20"] = "=1-F21/F19"
    bill["F28"] = "=(F8+F9)/SUM(F4:F7)"
    _formats(bill, {"C20:F20": "0.0%", "C8:F9 C11:F12 C14:F14 C16:F19 C21:F21 C23:F25": "#,##0",
                    "C29:E29": "0.00000"})  # fmt: skip
    _bold(bill, 3)
    return book


_FINOPS = (
    Seed("token-price-scale", {"Prices!B3": "Input (USD/ktok)"}, ("Prices!B4", "Prices!B5", *(f"Bill!{c}{r}"
         for c in "CDE" for r in (8, 9)))),
    Seed("token-price-scale", {"Bill!D29": "=D28"}),
    Seed("token-price-scale", {"Bill!C8": "=C4*1000*Prices!$B$4+C5*1000*Prices!$C$4"}),
    Seed("token-direction", {"Bill!C8": "=C4*Prices!$C$4+C5*Prices!$B$4"}),
    Seed("token-direction", {"Bill!D9": "=D6*Prices!$B$5+D7*Prices!$B$5"}),
    Seed("token-direction", {"Bill!E5":
         '=SUMIFS(Usage!$D$4:$D$15,Usage!$A$4:$A$15,E$3,Usage!$C$4:$C$15,"chat-large")'}, ("Bill!E8",)),
    Seed("money-rate", {"Bill!C19": "=C8+C9+Prices!$B$10+C14+C16+C18"}),
    Seed("money-rate", {"Bill!E18": "=Prices!$B$15"}),
    Seed("currency", {"Bill!C25": "=MAX(0,C21-C24)"}),
    Seed("currency", {"Bill!D23": "=D21"}),
    Seed("currency", {"Bill!B24": "USD"}, ("Bill!C24", "Bill!C25", "Bill!D25", "Bill!E25")),
    Seed("calendar", {"Bill!D13": "=D$2"}, ("Bill!D14",)),
    Seed("user-total", {"Bill!C25": "=MAX(0,C27-C24)"}),
    Seed("percent-sum", {"Bill!F20": "=SUM(C20:E20)"}),
    Seed("mixed-sum", {"Bill!C19": "=SUM(C8:C18)"}),
    Seed("bare-number", {"Bill!D19": "=D8+D9+D12+D14+D16+D18+450"}),
    Seed("percent", {"Bill!C20": 7}, ("Bill!C21",)),
    Seed("percent", {"Bill!E21": "=E19*(1-E20/100)"}),
    Seed("device-hours", {"Bill!C12": "=C10*Prices!$B$10"}),
    Seed("binary-prefix", {"Prices!C14": "USD/GiB-month"}, ("Prices!B14", "Bill!C16", "Bill!D16", "Bill!E16")),
    Seed("unit-contradiction", {}, ("Bill!C16",), formats={"Bill!C15": '#,##0 "USD"'}),
)  # fmt: skip


# ---------------------------------------------------------------- a sustainability report


def _sustainability() -> Workbook:
    book, page = _start("FY2025", "Data centres: energy and emissions, financial year 2025")
    _fill(page, 3, [
        ("Site", "Equipment", None, None, "Energy", None, None, None, "Emissions", None, None, None, "Water"),
        (None, "Servers", "Power per server", "IT power", "Mean load", "IT energy", "PUE", "Facility energy",
         "Grid intensity", "Location-based", "Renewable share", "Market-based", "Use"),
        (None, "pieces", "kW", "kW", "%", "MWh", None, "MWh", "gCO2e/kWh", "tCO2e", "%", "tCO2e", "m³"),
    ])  # fmt: skip
    for group in ("B3:D3", "E3:H3", "I3:L3"):
        page.merge_cells(group)
    sites = (("Oslo", 90, 10.2, 0.72, 1.12, 28, 0.95), ("Dublin", 120, 10.2, 0.66, 1.18, 280, 0.6),
             ("Frankfurt", 60, 9.8, 0.58, 1.31, 340, 0.45), ("Ohio", 150, 10.2, 0.7, 1.24, 430, 0.35))  # fmt: skip
    _fill(page, 6, [
        (site, servers, power, "=B{r}*C{r}", load, "=D{r}*E{r}*8760/1000", pue, "=F{r}*G{r}", grid,
         "=H{r}*I{r}/1000", renewable, "=J{r}*(1-K{r})", "=F{r}*1.1")
        for site, servers, power, load, pue, grid, renewable in sites
    ])  # fmt: skip
    _fill(page, 10, [
        ("All sites", "=SUM(B6:B9)", None, "=SUM(D6:D9)", "=F10*1000/(D10*8760)", "=SUM(F6:F9)", "=H10/F10",
         "=SUM(H6:H9)", "=J10*1000/H10", "=SUM(J6:J9)", "=1-L10/J10", "=SUM(L6:L9)", "=SUM(M6:M9)"),
        ("Water use effectiveness: 1.1 litres per kWh of IT energy at all sites",),
    ])  # fmt: skip
    _formats(page, {"E6:E10 K6:K10": "0%", "F6:F10 H6:H10 J6:J10 L6:M10": "#,##0", "G10": "0.00", "I10": "0"})
    _bold(page, 3, 4, 10)
    job = _sheet(book, "Training", "Disclosure for one training job (Dublin)")
    _fill(job, 3, [
        ("GPUs", 512, "GPUs"),
        ("Wall-clock time", 21, "days"),
        ("GPU-hours", "=B3*B4*24", "GPU-h"),
        ("Power per GPU, with its share of the server", 1.27, "kW"),
        ("IT energy", "=B5*B6/1000", "MWh"),
        ("PUE", "=INDEX('FY2025'!G6:G9,MATCH(\"Dublin\",'FY2025'!A6:A9,0))"),
        ("Facility energy", "=B7*B8", "MWh"),
        ("Grid intensity", "=INDEX('FY2025'!I6:I9,MATCH(\"Dublin\",'FY2025'!A6:A9,0))", "gCO2e/kWh"),
        ("Operational emissions", "=B9*B10/1000", "tCO2e"),
        ("Embodied emissions per GPU", 164, "kgCO2e"),
        ("Service life", 5, "years"),
        ("Embodied emissions, this job's share", "=B3*B12*B4/(B13*365)/1000", "tCO2e"),
        ("Emissions of the job", "=B11+B14", "tCO2e"),
        ("Offset price", 65, "EUR/tCO2e"),
        ("Offset cost", "=B15*B16", "EUR"),
        ("Tokens trained on", 300, "billion"),
        ("Emissions per million tokens", "=B15*10^6/(B18*1000)", "gCO2e"),
        ("IT power of the job", "=B3*B6", "kW"),
        ("Share of the site's IT power", "=B20/'FY2025'!D7"),
        ("Share of the site's emissions in the year", "=B11/'FY2025'!J7"),
    ])  # fmt: skip
    _formats(job, {"B21:B22": "0.0%", "B5 B7 B9": "#,##0", "B11 B14:B15 B17 B19": "#,##0.0"})
    return book


_SUSTAINABILITY = (
    Seed("carbon-scale", {"FY2025!J6": "=H6*I6"}, ("FY2025!J10", "FY2025!L6")),
    Seed("carbon-scale", {"FY2025!I5": "kgCO2e/kWh"}, tuple(f"FY2025!{c}{r}" for c in "IJ" for r in range(6, 11))),
    Seed("carbon-scale", {"Training!B14": "=B3*B12*B4/(B13*365)"}, ("Training!B15",)),
    Seed("carbon-scale", {"Training!C11": "kgCO2e"}, ("Training!B11", "Training!B15", "Training!B22")),
    Seed("power-energy", {"FY2025!F7": "=D7*E7/1000"}, ("FY2025!F10",)),
    Seed("power-energy", {"Training!B9": "=B20*B8"}),
    Seed("power-energy", {"FY2025!C5": "kWh"}, tuple(f"FY2025!{c}{r}" for c in "CDF" for r in range(6, 10))),
    Seed("facility-energy", {"FY2025!J8": "=F8*I8/1000"}),
    Seed("facility-energy", {"FY2025!H9": "=F9"}),
    Seed("facility-energy", {"Training!B11": "=B9*B8*B10/1000"}),
    Seed("calendar", {"FY2025!F6": "=D6*E6*730/1000"}),
    Seed("calendar", {"Training!B5": "=B3*B4"}),
    Seed("device-hours", {"Training!B7": "=B4*24*B6/1000"}),
    Seed("device-hours", {"Training!B5": "=B4*24"}),
    Seed("percent", {"FY2025!E6": 72}, ("FY2025!F6",)),
    Seed("percent", {"FY2025!L8": "=J8*(1-K8/100)"}),
    Seed("percent-sum", {"FY2025!E10": "=SUM(E6:E9)"}),
    Seed("mixed-sum", {"FY2025!J10": "=SUM(I6:J9)"}),
    Seed("bare-number", {"FY2025!L10": "=SUM(L6:L9)-400"}),
    Seed("device-scope", {"FY2025!D8": "=C8"}),
    Seed("device-scope", {"Training!B20": "=B6"}, ("Training!B21",)),
    Seed("unit-contradiction", {}, ("Training!B11",), formats={"Training!B10": '0 "MWh"'}),
)  # fmt: skip


# ---------------------------------------------------------------- a network engineer's all-reduce estimates


def _network() -> Workbook:
    book, links = _start("Links", "Links we have")
    _fill(links, 3, [
        ("Link", "One direction (GB/s)", "Both directions (GB/s)", "Signalling, one direction (Gbit/s)",
         "Latency, one way (µs)", "Latency, round trip (µs)"),
        ("NVLink 4 (H100 SXM)", 450, "=2*B4", "=B4*8", 0.9, "=2*E4"),
        ("NVLink 3 (A100 SXM)", 300, "=2*B5", "=B5*8", 1.1, "=2*E5"),
        ("PCIe Gen5 x16", 63, "=2*B6", "=B6*8", 0.8, "=2*E6"),
        ("InfiniBand NDR", "=D7/8", "=2*B7", 400, 1.3, "=2*E7"),
        ("InfiniBand HDR", "=D8/8", "=2*B8", 200, 1.4, "=2*E8"),
        ("Ethernet 100G", "=D9/8", "=2*B9", 100, 5, "=2*E9"),
    ])  # fmt: skip
    _bold(links, 3)
    ring = _sheet(book, "AllReduce", "Ring all-reduce of the gradients")
    _across(ring, 3, "BCD", [
        ("Case", "8B, one node", "8B, rail", "70B, rail"),
        ("Parameters (billion)", 8.03, 8.03, 70.6),
        ("Bytes per gradient (byte)", 2, 2, 2),
        ("Message (GB)", "={c}4*{c}5"),
        ("GPUs in the ring", 8, 64, 256),
        ("Link", "NVLink 4 (H100 SXM)", "InfiniBand NDR", "InfiniBand NDR"),
        ("Rate of the link, one direction (GB/s)", "=VLOOKUP({c}8,Links!$A$4:$F$9,2,FALSE)"),
        ("Efficiency of the link (%)", 80, 85, 85),
        ("Latency per hop, one way (µs)", "=VLOOKUP({c}8,Links!$A$4:$F$9,5,FALSE)"),
        ("Bandwidth term (ms)", "=2*({c}7-1)/{c}7*{c}6/({c}9*{c}10/100)*1000"),
        ("Latency term (ms)", "=2*({c}7-1)*{c}11/1000"),
        ("All-reduce (ms)", "={c}12+{c}13"),
        ("Algorithm bandwidth (GB/s)", "={c}6/({c}14/1000)"),
        ("Bus bandwidth (GB/s)", "={c}15*2*({c}7-1)/{c}7"),
        ("Bus bandwidth, share of the link", "={c}16/{c}9"),
        ("Measured bus bandwidth (GB/s)", 342, 38, 36),
        ("Measured, share of the link", "={c}18/{c}9"),
        ("Backward pass (ms)", 180, 180, 1900),
        ("Overlap with the backward pass (%)", 70, 70, 70),
        ("Communication left exposed (ms)", "=MAX(0,{c}14-{c}20*{c}21/100)"),
        ("Work of the backward pass per GPU (TFLOP)", 72, 72, 760),
        ("Rate in the backward pass per GPU (TFLOP/s)", "={c}23/(({c}20+{c}22)/1000)"),
    ], labels=1)  # fmt: skip
    _formats(ring, {"B17:D17 B19:D19": "0%", "B12:D16 B22:D22": "0.0", "B24:D24": "0"})
    _bold(ring, 3)
    fabric = _sheet(book, "Fabric", "Fabric of the H100 cluster")
    _fill(fabric, 3, [
        ("Nodes", 32),
        ("GPUs per node", 8),
        ("NICs per node", 8),
        ("Rate per NIC", 400, "Gbit/s"),
        ("Injection per node", "=B5*B6", "Gbit/s"),
        ("Injection per node", "=B7/8", "GB/s"),
        ("Bisection of the cluster", "=B3*B7/2/1000", "Tbit/s"),
        ("GPUs in the cluster", "=B3*B4"),
        ("Injection per GPU", "=B8/B4", "GB/s"),
        ("Gradient bucket", 25, "MiB"),
        ("Gradient bucket", "=B12*1024^2/10^6", "MB"),
        ("Bucket at the injection rate of a GPU", "=B13/(B11*1000)*10^6", "µs"),
        ("Checkpoint", 1.13, "TB"),
        ("Storage uplink per node", 200, "Gbit/s"),
        ("One node reads the checkpoint", "=B15*1000/(B16/8)", "s"),
        ("Ping between racks, round trip, mean", 11, "µs"),
        ("Ping between racks, one way, mean", "=B18/2", "µs"),
        ("Ping between racks, round trip, p99", 46, "µs"),
        ("Limit for the round trip, p99", 60, "µs"),
        ("Margin to the limit, p99", "=B21-B20", "µs"),
        ("Power per optical module", 12, "W"),
        ("Power of all optics at the nodes", "=B3*B5*B23/1000", "kW"),
    ])  # fmt: skip
    return book


_NETWORK = (
    Seed("bits-bytes", {"Links!B7": "=D7"}, ("AllReduce!C9", "AllReduce!D9")),
    Seed("bits-bytes", {"Fabric!B8": "=B7"}, ("Fabric!B11",)),
    Seed("bits-bytes", {"Fabric!B17": "=B15*1000/B16"}),
    Seed("bits-bytes", {"Fabric!C6": "GB/s"}, ("Fabric!B6", "Fabric!B7", "Fabric!B8")),
    Seed("link-direction", {"AllReduce!B9": "=VLOOKUP(B8,Links!$A$4:$F$9,3,FALSE)"}, ("AllReduce!B12",)),
    Seed("link-direction", {"Links!B4": 900}, ("Links!C4", "AllReduce!B9", "AllReduce!B12")),
    Seed("link-direction", {"Links!C5": "=B5"}),
    Seed("round-trip", {"Fabric!B19": "=B18"}),
    Seed("round-trip", {"AllReduce!C11": "=VLOOKUP(C8,Links!$A$4:$F$9,6,FALSE)"}, ("AllReduce!C13",)),
    Seed("round-trip", {"Links!F8": "=E8"}),
    Seed("time-scale", {"AllReduce!B13": "=2*(B7-1)*B11"}, ("AllReduce!B14",)),
    Seed("time-scale", {"AllReduce!C15": "=C6/C14"}),
    Seed("statistic-mix", {"Fabric!B22": "=B21-B18"}),
    Seed("binary-prefix", {"Fabric!B14": "=B12/(B11*1000)*10^6"}),
    Seed("device-scope", {"Fabric!B11": "=B8"}, ("Fabric!B14",)),
    Seed("device-scope", {"Fabric!B24": "=B23/1000"}),
    Seed("registry", {"Links!B5": 400}),
    Seed("above-limit", {"AllReduce!B18": 520}, ("AllReduce!B19",)),
    Seed("above-limit", {"AllReduce!D18": 63}, ("AllReduce!D19",)),
    Seed("params-bytes", {"AllReduce!C12": "=2*(C7-1)/C7*C4/(C9*C10/100)*1000"}),
    Seed("percent", {"AllReduce!D22": "=MAX(0,D14-D20*D21)"}),
    Seed("mixed-sum", {"AllReduce!D14": "=SUM(D10:D13)"}),
    Seed("flop-rate", {"AllReduce!A24": "Rate in the backward pass per GPU (TFLOP)"},
         ("AllReduce!B24", "AllReduce!C24", "AllReduce!D24")),
    Seed("unit-contradiction", {"Fabric!A15": "Checkpoint (s)"}, ("Fabric!B15", "Fabric!C15",
         "Fabric!B17")),
)  # fmt: skip


# ---------------------------------------------------------------- a data engineer's corpus and pipeline


def _data() -> Workbook:
    book, page = _start("Sources", "Corpus v3: sources")
    row = "tblSrc[[#This Row],[{}]]"
    raw = f"={row.format('Documents (million)')}*{row.format('Mean size (kB)')}/1000"
    binary = f"={row.format('Raw (TB)')}*10^12/1024^4"
    tokens = f"={row.format('Documents (million)')}*{row.format('Tokens per document')}/1000"
    header = ("Source", "Documents (million)", "Mean size (kB)", "Raw (TB)", "Raw (TiB)", "Tokens per document",
              "Tokens (billion)")  # fmt: skip
    sources = (("Web", 2400, 48, 1100), ("Code", 310, 9, 2400), ("Papers", 24, 95, 9800),
               ("Books", 1.9, 620, 130000), ("Tickets", 85, 3, 420))  # fmt: skip
    _fill(page, 3, [header, *((name, documents, size, raw, binary, count, tokens)
                              for name, documents, size, count in sources)])  # fmt: skip
    _table(page, "tblSrc", "A3:G8")
    _fill(page, 9, [
        ("All", "=SUM(B4:B8)", None, "=SUM(D4:D8)", "=SUM(E4:E8)", "=G9*1000/B9", "=SUM(G4:G8)"),
    ])  # fmt: skip
    _formats(page, {"D4:E9 G4:G9": "#,##0.00", "F9": "#,##0"})
    pipe = _sheet(book, "Pipeline", "One pass through the pipeline")
    _fill(pipe, 3, [
        ("Raw input", "TB", "=Sources!D9"),
        ("Compression ratio", None, 3.2),
        ("Stored", "TB", "=C3/C4"),
        ("Stored", "TiB", "=C5*10^12/1024^4"),
        ("Quota", "TiB", 48),
        ("Free below the quota", "TiB", "=C7-C6"),
        ("Download link", "Gbit/s", 40),
        ("Efficiency of the link", "%", 75),
        ("Download of the stored files", "h", "=C5*10^12*8/(C9*10^9*C10/100)/3600"),
        ("Worker nodes", "nodes", 24),
        ("Tokeniser, per node", "million tokens/s", 3.1),
        ("Tokeniser, all nodes", "million tokens/s", "=C12*C13"),
        ("Tokens", "billion tokens", "=Sources!G9"),
        ("Tokenising", "h", "=C15*1000/C14/3600"),
        ("Deduplication", "min", 540),
        ("Pass", "h", "=C11+C16+C17/60"),
        ("Pass", "days", "=C18/24"),
        ("Node price", "USD/node-h", 3.4),
        ("Compute cost", "USD", "=C12*C18*C20"),
        ("Object storage price", "USD/TB-month", 21),
        ("Months kept", "months", 14),
        ("Storage cost", "USD", "=C5*C22*C23"),
        ("Cost of the corpus", "USD", "=C21+C24"),
        ("Fetch of a document, mean", "ms", 38),
        ("Fetch of a document, p99", "ms", 410),
        ("Limit for the p99", "ms", 500),
        ("Within the limit", None, '=IF(C27<=C28,"yes","no")'),
        ("Fetches in flight per node", None, 400),
        ("Fetch rate per node", "documents/s", "=C30/(C26/1000)"),
    ])  # fmt: skip
    months = _sheet(book, "Embedding", "Search index, third quarter")
    _fill(months, 3, [("Line", "Unit", "Jul", "Aug", "Sep", "Quarter")])
    _across(months, 4, "CDE", [
        ("Users", "users", 5200, 6100, 7000),
        ("Documents per user", "documents/user", 40, 42, 45),
        ("Documents", "documents", "={c}4*{c}5"),
        ("Input tokens per document", "tokens", 900, 900, 920),
        ("Input tokens", "million tokens", "={c}6*{c}7/10^6"),
        ("Embedding price", "USD/million tokens", 0.13, 0.13, 0.13),
        ("Embedding", "USD", "={c}8*{c}9"),
        ("Vector dimension", None, 1024, 1024, 1024),
        ("Bytes per element", "byte", 4, 4, 4),
        ("Chunks per document", None, 3, 3, 3),
        ("Index", "GB", "={c}6*{c}13*{c}11*{c}12/10^9"),
        ("Index", "GiB", "={c}14*10^9/1024^3"),
        ("Output tokens of a summary", "tokens", 120, 120, 140),
        ("Output tokens", "million tokens", "={c}6*{c}16/10^6"),
        ("Summary price, input", "USD/million tokens", 0.5, 0.5, 0.5),
        ("Summary price, output", "USD/million tokens", 1.5, 1.5, 1.5),
        ("Summaries", "USD", "={c}8*{c}18+{c}17*{c}19"),
        ("Cost", "USD", "={c}10+{c}20"),
        ("Exchange rate", "EUR/USD", 0.86, 0.86, 0.85),
        ("Cost", "EUR", "={c}21*{c}22"),
        ("Cost per user", "EUR/user", "={c}23/{c}4"),
        ("Cache hits", "%", 0.31, 0.34, 0.36),
    ])  # fmt: skip
    for number in (6, 8, 10, 17, 20, 21, 23):
        months[f"F{number}"] = f"=SUM(C{number}:E{number})"
    months["F25"] = "=SUMPRODUCT(C25:E25,C6:E6)/F6"
    _formats(months, {"C25:F25": "0%", "C24:E24": "0.0000"})
    _bold(months, 3)
    return book


_DATA = (
    Seed("binary-prefix", {"Pipeline!C8": "=C7-C5"}),
    Seed("binary-prefix", {"Sources!E5": "=tblSrc[[#This Row],[Raw (TB)]]"}),
    Seed("binary-prefix", {"Embedding!D15": "=D14"}),
    Seed("bits-bytes", {"Pipeline!C11": "=C5*10^12/(C9*10^9*C10/100)/3600"}),
    Seed("bits-bytes", {"Pipeline!B9": "GB/s"}, ("Pipeline!C9", "Pipeline!C11")),
    Seed("token-rate", {"Pipeline!B14": "million tokens"}, ("Pipeline!C14", "Pipeline!C16")),
    Seed("token-rate", {"Pipeline!C16": "=C15*1000/3600"}),
    Seed("device-scope", {"Pipeline!C16": "=C15*1000/C13/3600"}),
    Seed("calendar", {"Pipeline!C19": "=C18"}),
    Seed("calendar", {"Pipeline!C18": "=C11+C16+C17"}),
    Seed("time-scale", {"Pipeline!C31": "=C30/C26"}),
    Seed("statistic-mix", {"Pipeline!C29": '=IF(C26<=C28,"yes","no")'}),
    Seed("money-rate", {"Pipeline!C24": "=C5*C22"}, ("Pipeline!C25",)),
    Seed("money-rate", {"Pipeline!C25": "=C20+C24"}),
    Seed("user-total", {"Embedding!C14": "=C5*C13*C11*C12/10^9"}),
    Seed("user-total", {"Embedding!B24": "EUR"}, ("Embedding!C24", "Embedding!D24", "Embedding!E24")),
    Seed("token-price-scale", {"Embedding!B9": "USD/1,000 tokens"}, ("Embedding!C9", "Embedding!D9", "Embedding!E9",
         "Embedding!C10", "Embedding!D10", "Embedding!E10")),
    Seed("token-price-scale", {"Embedding!D10": "=D8*1000*D9"}),
    Seed("token-direction", {"Embedding!E20": "=E8*E19+E17*E18"}),
    Seed("token-direction", {"Embedding!C17": "=C6*C7/10^6"}),
    Seed("currency", {"Embedding!D24": "=D21/D4"}),
    Seed("percent", {"Pipeline!C11": "=C5*10^12*8/(C9*10^9*C10)/3600"}),
    Seed("mixed-sum", {"Sources!B9": "=SUM(B4:C8)"}),
    Seed("percent-sum", {"Embedding!F25": "=SUM(C25:E25)"}),
)  # fmt: skip


# ---------------------------------------------------------------- an embedded engineer's robot


def _embedded() -> Workbook:
    book, page = _start("Targets", "Inference on the harvester: module on board or box at the field's edge")
    _fill(page, 3, [
        ("Figure", "Jetson AGX Orin 64 GB, GPU only", "L40S box"),
        ("Memory (GB)", 64, 48),
        ("Memory bandwidth (GB/s)", 204.8, 864),
        ("FP16 tensor, dense (TFLOP/s)", 42.5, 362),
        ("FP16 tensor, 2:4 sparse (TFLOP/s)", 85, 733),
        ("FP32, no tensor cores (TFLOP/s)", 5.3, 91.6),
        ("INT8 tensor, dense (TOP/s)", 85, 733),
        ("INT8 tensor, 2:4 sparse (TOP/s)", 170, 1466),
        ("Power limit (W)", 60, 350),
    ])  # fmt: skip
    _bold(page, 3)
    nets = _sheet(book, "Networks", "What has to run")
    _fill(nets, 3, [
        ("Network", "Multiply-accumulates", "Operations (FP16)", "Parameters", "Weights", "Frame rate", "INT8 load",
         "FP16 load"),
        (None, "GMAC/frame", "GFLOP/frame", "million", "MB", "frames/s", "TOP/s", "TFLOP/s"),
    ])  # fmt: skip
    for number, figures in enumerate(
        (("YOLOv8-m", 39.5, 25.9, 30), ("ResNet-50", 4.1, 25.6, 60), ("MobileNetV2", 0.3, 3.5, 120),
         ("SegFormer-B2", 31.2, 27.5, 15)), start=5,
    ):  # fmt: skip
        name, macs, parameters, frames = figures
        _fill(nets, number, [(name, macs, "=2*B{r}", parameters, "=D{r}*$B$12", frames, "=2*B{r}*F{r}/1000",
                              "=C{r}*F{r}/1000")])  # fmt: skip
    _fill(nets, 9, [("All", None, None, "=SUM(D5:D8)", "=SUM(E5:E8)", None, "=SUM(G5:G8)", "=SUM(H5:H8)")])
    _fill(nets, 12, [("Bytes per weight, INT8", 1, "byte")])
    _bold(nets, 3, 4, 9)
    page = _sheet(book, "Budget", "Budget on the module")
    _fill(page, 3, [
        ("INT8 load", "=Networks!G9", "TOP/s"),
        ("INT8 dense peak", "=Targets!B9", "TOP/s"),
        ("Share of the INT8 dense peak", "=B3/B4", "%"),
        ("Share one can reach in practice", 35, "%"),
        ("INT8 rate in reserve", "=B4*B6/100-B3", "TOP/s"),
        ("Pixels per frame", 8.29, "million"),
        ("Bits per pixel", 12, "bit"),
        ("Frame rate of a camera", 30, "frames/s"),
        ("Cameras", 4),
        ("Camera stream", "=B8*B9*B10*B11/1000", "Gbit/s"),
        ("Camera stream", "=B12/8", "GB/s"),
        ("CSI lanes, all", 40, "Gbit/s"),
        ("Share of the CSI lanes", "=B12/B14", "%"),
        ("Exposure", 8, "ms"),
        ("Image signal processor", 4200, "µs"),
        ("Detector, measured", 14.5, "ms"),
        ("Message on the CAN bus", 500, "µs"),
        ("Photon to brake", "=B16+B17/1000+B18+B19/1000", "ms"),
        ("Way driven meanwhile at 2.5 m/s", "=2.5*B20", "mm"),
        ("Mean power of the module", 41, "W"),
        ("Battery", 480, "Wh"),
        ("Running time on battery", "=B23/B22", "h"),
        ("Shift", 10, "h"),
        ("Energy per shift", "=B22*B25/1000", "kWh"),
        ("Measured memory traffic", 171, "GB/s"),
        ("Share of memory bandwidth", "=B27/Targets!B5", "%"),
        ("Buffers", 620, "MB"),
        ("Weights and buffers", "=Networks!E9+B29", "MB"),
        ("Radio to the box, round trip", 24, "ms"),
        ("Radio to the box, one way", "=B31/2", "ms"),
        ("FP16 on the box, share of the dense peak", "=Networks!H9/Targets!C6", "%"),
        ("FP16 work of one detector frame on the box", "=Networks!C5/(Targets!C6*1000)*10^6", "µs"),
    ])  # fmt: skip
    _formats(page, {"B5 B15 B28 B33": "0.0%", "B12:B13 B20 B24 B26": "0.00"})
    return book


_EMBEDDED = (
    Seed("integer-ops", {"Budget!B5": "=B3/Targets!B6"}),
    Seed("integer-ops", {"Budget!B4": "=Targets!B6"}, ("Budget!B5", "Budget!B7")),
    Seed("integer-ops", {"Budget!B33": "=Networks!H9/Targets!C9"}),
    Seed("mac-flop", {"Networks!C5": "=B5"}, ("Networks!H5", "Budget!B34")),
    Seed("mac-flop", {"Networks!G6": "=B6*F6/1000"}),
    Seed("mac-flop", {"Networks!H7": "=B7*F7/1000"}),
    Seed("sparse-peak", {"Budget!B4": "=Targets!B10"}, ("Budget!B5", "Budget!B7")),
    Seed("sparse-peak", {"Targets!C6": 733}, ("Budget!B33", "Budget!B34")),
    Seed("peak-precision", {"Budget!B33": "=Networks!H9/Targets!C8"}),
    Seed("peak-precision", {"Budget!B34": "=Networks!C5/(Targets!C8*1000)*10^6"}),
    Seed("bits-bytes", {"Budget!B13": "=B12"}),
    Seed("bits-bytes", {"Budget!B15": "=B13/B14"}),
    Seed("power-energy", {"Budget!C23": "W"}, ("Budget!B23", "Budget!B24")),
    Seed("power-energy", {"Budget!B26": "=B22/1000"}),
    Seed("time-scale", {"Budget!B20": "=B16+B17+B18+B19/1000"}),
    Seed("time-scale", {"Budget!C34": "ms"}, ("Budget!B34",)),
    Seed("percent", {"Budget!B7": "=B4*B6-B3"}),
    Seed("above-limit", {"Budget!B27": 236}, ("Budget!B28",)),
    Seed("registry", {"Targets!C5": 600}),
    Seed("params-bytes", {"Budget!B30": "=Networks!D9+B29"}),
    Seed("round-trip", {"Budget!B32": "=B31"}),
    Seed("flop-rate", {"Networks!H4": "TFLOP"}, ("Networks!H5", "Networks!H6", "Networks!H7", "Networks!H8",
         "Networks!H9", "Budget!B33")),
    Seed("bare-number", {"Budget!B20": "=B16+B17/1000+B18+B19/1000+3"}),
    Seed("mixed-sum", {"Networks!G9": "=SUM(F5:G8)"}),
)  # fmt: skip


# ---------------------------------------------------------------- a German IT lead


def _german() -> Workbook:
    book, page = _start("Annahmen", "GPU-Beschaffung 2025: Annahmen")
    _fill(page, 3, [
        ("Server", 6, "Stück"),
        ("GPUs je Server (H200)", 8, "Stück"),
        ("Speicher je H200", 141, "GB"),
        ("Speicherbandbreite je H200", 4.8, "TB/s"),
        ("Leistungsaufnahme je Server", 10.4, "kW"),
        ("Mittlere Auslastung", 65, "%"),
        ("PUE des Rechenzentrums", 1.35),
        ("Strompreis", 0.24, "€/kWh"),
        ("CO2-Faktor", 380, "g/kWh"),
        ("Preis je Server", 310000, "USD"),
        ("Wechselkurs vom 03.02.2025", 0.97, "€/USD"),
        ("Nutzungsdauer", 4, "Jahre"),
        ("Wartung, Anteil am Kaufpreis im Jahr", 8, "%"),
        ("Spitzenleistung BF16 dicht, je H200", 989, "TFLOP/s"),
        ("Netzanschluss je Server", 3200, "Gbit/s"),
    ])  # fmt: skip
    costs = _sheet(book, "Kosten", "Kosten")
    _fill(costs, 3, [
        ("GPUs gesamt", "=Annahmen!B3*Annahmen!B4", "Stück"),
        ("Speicher gesamt", "=B3*Annahmen!B5/1000", "TB"),
        ("Kaufpreis", "=Annahmen!B3*Annahmen!B12*Annahmen!B13", "€"),
        ("Abschreibung", "=B5/Annahmen!B14", "€/Jahr"),
        ("Wartung", "=B5*Annahmen!B15/100", "€/Jahr"),
        ("IT-Leistung", "=Annahmen!B3*Annahmen!B7", "kW"),
        ("IT-Energie im Jahr", "=B8*Annahmen!B8/100*8760", "kWh"),
        ("Energie im Jahr mit PUE", "=B9*Annahmen!B9", "kWh"),
        ("Stromkosten", "=B10*Annahmen!B10", "€/Jahr"),
        ("Summe", "=B6+B7+B11", "€/Jahr"),
        ("Kosten je Monat", "=B12/12", "€/Monat"),
        ("GPU-Stunden im Jahr", "=B3*8760", "GPU-h"),
        ("Kosten je GPU-Stunde", "=B12/B14", "€/GPU-h"),
        ("CO2 im Jahr", "=B10*Annahmen!B11/10^6", "t"),
        ("Netzanschluss je Server", "=Annahmen!B17/8", "GB/s"),
        ("Cloudpreis", 3.2, "USD/GPU-h"),
        ("Cloudkosten bei gleicher Auslastung", "=B14*Annahmen!B8/100*B18*Annahmen!B13", "€/Jahr"),
        ("Ersparnis gegenüber der Cloud", "=B19-B12", "€/Jahr"),
    ])  # fmt: skip
    _formats(costs, {"B5": '#,##0 "€"', "B6:B7 B9:B14 B19:B20": "#,##0", "B15": "0.00", "B16": "0.0"})
    llm = _sheet(book, "LLM", "Sprachmodelle für die Fachbereiche (FP8-Gewichte, BF16-KV-Cache)")
    _across(llm, 3, "BC", [
        ("Größe", "Llama-3-70B", "Mixtral-8x7B"),
        ("Parameter gesamt (Mrd.)", 70.6, 46.7),
        ("Parameter aktiv je Token (Mrd.)", 70.6, 12.9),
        ("Bytes je Parameter (Byte)", 1, 1),
        ("Gewichte (GB)", "={c}4*{c}6"),
        ("Schichten", 80, 32),
        ("Attention-Köpfe", 64, 32),
        ("KV-Köpfe", 8, 8),
        ("Kopfdimension", 128, 128),
        ("Kontext je Nutzer (Token)", 16384, 16384),
        ("Gleichzeitige Nutzer", 40, 120),
        ("KV-Cache je Nutzer (GB)", "=2*{c}8*{c}10*{c}11*2*{c}12/10^9"),
        ("KV-Cache gesamt (GB)", "={c}14*{c}13"),
        ("Speicherbedarf (GB)", "={c}7+{c}15"),
        ("GPUs je Replik", "=ROUNDUP({c}16/(0.9*Annahmen!$B$5),0)"),
        ("Rechenaufwand je Token (GFLOP)", "=2*{c}5"),
        ("Ausgaberate je Nutzer (Token/s)", 25, 25),
        ("Ausgaberate gesamt (Token/s)", "={c}19*{c}13"),
        ("Rechenbedarf (TFLOP/s)", "={c}18*{c}20/1000"),
        ("Anteil an der Spitzenleistung", "={c}21/({c}17*Annahmen!$B$16)"),
        ("Zeit je Schritt, Speicherbandbreite (ms)", "={c}16/({c}17*Annahmen!$B$6*1000)*1000"),
        ("Netzlatenz, eine Richtung (ms)", 9, 9),
        ("Netzlatenz, hin und zurück (ms)", "=2*{c}24"),
        ("Erstes Zeichen ohne Warten: Schritt und Netz (ms)", "={c}23+{c}25"),
    ], labels=1)  # fmt: skip
    _formats(llm, {"B22:C22": "0.0%", "B14:C16 B23:C23 B26:C26": "0.0"})
    _bold(llm, 3)
    return book


_GERMAN = (
    Seed("device-scope", {"Kosten!B4": "=Annahmen!B3*Annahmen!B5/1000"}),
    Seed("device-scope", {"Kosten!B8": "=Annahmen!B7"}),
    Seed("facility-energy", {"Kosten!B11": "=B9*Annahmen!B10"}),
    Seed("facility-energy", {"Kosten!B16": "=B10*Annahmen!B9*Annahmen!B11/10^6"}),
    Seed("power-energy", {"Kosten!B10": "=B8*Annahmen!B9"}),
    Seed("power-energy", {"Annahmen!C7": "kWh"}, ("Annahmen!B7", "Kosten!B8", "Kosten!B9")),
    Seed("currency", {"Kosten!B5": "=Annahmen!B3*Annahmen!B12"}),
    Seed("currency", {"Kosten!B19": "=B14*Annahmen!B8/100*B18"}, ("Kosten!B20",)),
    Seed("calendar", {"Kosten!B13": "=B12"}),
    Seed("calendar", {"Kosten!B9": "=B8*Annahmen!B8/100*365"}),
    Seed("percent", {"Kosten!B7": "=B5*Annahmen!B15"}),
    Seed("carbon-scale", {"Kosten!B16": "=B10*Annahmen!B11/1000"}),
    Seed("bits-bytes", {"Kosten!B17": "=Annahmen!B17"}),
    Seed("active-params", {"LLM!C7": "=C5*C6"}, ("LLM!C16",)),
    Seed("active-params", {"LLM!C18": "=2*C4"}),
    Seed("kv-factor", {"LLM!B14": "=B8*B10*B11*2*B12/10^9"}),
    Seed("kv-heads", {"LLM!C14": "=2*C8*C9*C11*2*C12/10^9"}),
    Seed("user-total", {"LLM!B16": "=B7+B14"}),
    Seed("user-total", {"LLM!C21": "=C18*C19/1000"}),
    Seed("params-bytes", {"LLM!B16": "=B4+B15"}),
    Seed("round-trip", {"LLM!B25": "=B24"}),
    Seed("money-rate", {"Kosten!B20": "=B19-B15"}),
    Seed("mixed-sum", {"Kosten!B12": "=SUM(B6:B11)"}),
    Seed("registry", {"Annahmen!B6": 3.9}),
)  # fmt: skip


# ---------------------------------------------------------------- a French computing centre


def _french() -> Workbook:
    book, park = _start("Parc", "Parc de calcul : partitions GPU")
    _fill(park, 3, [
        ("Partition", "Nœuds", "GPU par nœud", "GPU", "Mémoire par GPU (Go)", "Mémoire totale (To)",
         "Puissance par nœud (kW)", "Puissance (kW)", "Lien par GPU, un sens (Go/s)",
         "Lien par GPU, deux sens (Go/s)", "Réseau par nœud (Gbit/s)", "Réseau par nœud (Go/s)",
         "Mémoire par GPU (Gio)"),
    ])  # fmt: skip
    partitions = (("H100 SXM", 40, 4, 80, 3.6, 450, 1600), ("A100 SXM 80 Go", 52, 8, 80, 6.5, 300, 800),
                  ("MI300X", 6, 8, 192, 8.4, 448, 3200))  # fmt: skip
    _fill(park, 4, [
        (name, nodes, gpus, "=B{r}*C{r}", memory, "=D{r}*E{r}/1000", power, "=B{r}*G{r}", link, "=2*I{r}", network,
         "=K{r}/8", "=E{r}*10^9/1024^3")
        for name, nodes, gpus, memory, power, link, network in partitions
    ])  # fmt: skip
    _fill(park, 7, [("Total", "=SUM(B4:B6)", None, "=SUM(D4:D6)", None, "=SUM(F4:F6)", None, "=SUM(H4:H6)")])
    _formats(park, {"F4:F7 H4:H7 M4:M6": "0.0"})
    _bold(park, 3, 7)
    jobs = _sheet(book, "Projets", "Consommation de mars par projet")
    _fill(jobs, 3, [
        ("Projet", "Partition", "GPU", "Durée murale (h)", "Heures GPU (h GPU)", "Énergie IT (kWh)", "Tarif (€/h GPU)",
         "Facture (€)", "Prise en charge (%)", "Reste à charge (€)"),
    ])  # fmt: skip
    rows = (("climat-7", "H100 SXM", 64, 310, 1.9, 80), ("protéines", "H100 SXM", 32, 540, 1.9, 80),
            ("langues", "H100 SXM", 48, 420, 1.9, 60), ("plasma", "A100 SXM 80 Go", 128, 390, 0.9, 80),
            ("vision", "A100 SXM 80 Go", 96, 280, 0.9, 50), ("génome", "A100 SXM 80 Go", 64, 610, 0.9, 80),
            ("matériaux", "MI300X", 16, 350, 2.1, 80), ("océan", "MI300X", 24, 480, 2.1, 60))  # fmt: skip
    per_gpu = "INDEX(Parc!$G$4:$G$6,MATCH(B{r},Parc!$A$4:$A$6,0))/INDEX(Parc!$C$4:$C$6,MATCH(B{r},Parc!$A$4:$A$6,0))"
    _fill(jobs, 4, [
        (name, partition, gpus, hours, "=C{r}*D{r}", "=E{r}*" + per_gpu, tariff, "=E{r}*G{r}", share,
         "=H{r}*(1-I{r}/100)")
        for name, partition, gpus, hours, tariff, share in rows
    ])  # fmt: skip
    _fill(jobs, 12, [("Total", None, None, None, "=SUM(E4:E11)", "=SUM(F4:F11)", None, "=SUM(H4:H11)", None,
                      "=SUM(J4:J11)")])  # fmt: skip
    _formats(jobs, {"E4:F12 H4:H12 J4:J12": "#,##0"})
    _bold(jobs, 3, 12)
    balance = _sheet(book, "Bilan", "Bilan du mois")
    _fill(balance, 3, [("Grandeur", "Unité", "H100 SXM", "A100 SXM 80 Go", "MI300X", "Total")])
    total = "=SUMIFS(Projets!${0}$4:${0}$11,Projets!$B$4:$B$11,{{c}}$3)"
    _across(balance, 4, "CDE", [
        ("Heures GPU consommées", "h GPU", total.format("E")),
        ("GPU installés", "GPU", "=INDEX(Parc!$D$4:$D$6,MATCH({c}$3,Parc!$A$4:$A$6,0))"),
        ("Heures GPU offertes", "h GPU", "={c}5*730"),
        ("Taux d'occupation", "%", "={c}4/{c}6"),
        ("Énergie IT", "MWh", total.format("F") + "/1000"),
        ("PUE", None, 1.15, 1.22, 1.15),
        ("Énergie du site", "MWh", "={c}8*{c}9"),
        ("Intensité carbone", "gCO2e/kWh", 52, 52, 52),
        ("Émissions", "tCO2e", "={c}10*{c}11/1000"),
        ("Prix de l'électricité", "€/MWh", 135, 135, 135),
        ("Électricité", "€", "={c}10*{c}13"),
        ("Facturé aux projets", "€", total.format("H")),
        ("Solde", "€", "={c}15-{c}14-{c}19"),
        ("Émissions par heure GPU", "gCO2e/h GPU", "={c}12*10^6/{c}4"),
        ("Licences", "USD/an", 24000, 18000, 6000),
        ("Licences, part du mois", "€", "={c}18*$C$22/12"),
    ])  # fmt: skip
    for row in (4, 5, 6, 8, 10, 12, 14, 15, 16, 19):
        balance[f"F{row}"] = f"=SUM(C{row}:E{row})"
    balance["F7"] = "=F4/F6"
    balance["F9"] = "=F10/F8"
    _fill(balance, 22, [("Taux de change du 1er avril", "€/USD", 0.93)])
    _formats(balance, {"C7:F7": "0%", "C4:F6": "#,##0", "C14:F16 C19:F19": '#,##0 "€"', "F9": "0.00"})
    _bold(balance, 3)
    return book


_FRENCH = (
    Seed("device-hours", {"Projets!E5": "=D5"}),
    Seed("device-hours", {"Bilan!C6": "=730"}, ("Bilan!C7", "Bilan!F6")),
    Seed("device-hours", {"Projets!H6": "=D6*G6"}),
    Seed("power-energy", {"Projets!F7": "=C7*INDEX(Parc!$G$4:$G$6,MATCH(B7,Parc!$A$4:$A$6,0))/INDEX(Parc!$C$4:$C$6,"
                                        "MATCH(B7,Parc!$A$4:$A$6,0))"}),
    Seed("facility-energy", {"Bilan!D14": "=D8*D13"}),
    Seed("facility-energy", {"Bilan!E12": "=E10*E9*E11/1000"}),
    Seed("carbon-scale", {"Bilan!C12": "=C10*C11"}, ("Bilan!C17", "Bilan!F12")),
    Seed("carbon-scale", {"Bilan!D17": "=D12/D4"}),
    Seed("link-direction", {"Parc!I5": 600}, ("Parc!J5",)),
    Seed("link-direction", {"Parc!J4": "=I4"}),
    Seed("bits-bytes", {"Parc!L4": "=K4"}),
    Seed("device-scope", {"Parc!F5": "=E5/1000"}, ("Parc!F7",)),
    Seed("device-scope", {"Parc!H4": "=G4"}, ("Parc!H7",)),
    Seed("calendar", {"Bilan!D6": "=D5*8760"}, ("Bilan!D7", "Bilan!F6")),
    Seed("calendar", {"Bilan!C19": "=C18*$C$22"}),
    Seed("currency", {"Bilan!E19": "=E18/12"}),
    Seed("percent", {"Projets!J5": "=H5*(1-I5)"}),
    Seed("percent-sum", {"Bilan!F7": "=SUM(C7:E7)"}),
    Seed("mixed-sum", {"Bilan!F10": "=SUM(C8:E10)"}),
    Seed("binary-prefix", {"Parc!M5": "=E5"}),
    Seed("registry", {"Parc!E6": 128}),
    Seed("money-rate", {"Bilan!C16": "=C15-C13-C19"}),
    Seed("money-rate", {"Projets!H8": "=G8"}),
    Seed("unit-contradiction", {}, ("Bilan!D17",), formats={"Bilan!D12": '0.0 "€"'}),
)  # fmt: skip


# ---------------------------------------------------------------- a start-up's unit economics


def _startup() -> Workbook:
    book, page = _start("Economics", "Unit economics of the chat app, per month")
    _fill(page, 3, [("Driver", "Unit", "Bear", "Base", "Bull", "Expected")])
    _across(page, 4, "CDE", [
        ("Paying users", "users", 2000, 5000, 12000),
        ("Probability of the scenario", "%", 0.25, 0.5, 0.25),
        ("Chats per paying user", "chats/user", 60, 80, 90),
        ("Input tokens per chat", "tokens", 2200, 2200, 2400),
        ("Output tokens per chat", "tokens", 450, 450, 480),
        ("Input tokens per paying user", "million tokens/user", "={c}6*{c}7/10^6"),
        ("Output tokens per paying user", "million tokens/user", "={c}6*{c}8/10^6"),
        ("Input price", "USD/million tokens", 2.5, 2.5, 2.2),
        ("Output price", "USD/million tokens", 10, 10, 9),
        ("Token cost per paying user", "USD/user", "={c}9*{c}11+{c}10*{c}12"),
        ("Subscription", "EUR/user", 14, 16, 16),
        ("Exchange rate, budget 2025", "USD/EUR", 1.08, 1.08, 1.08),
        ("Revenue per paying user", "USD/user", "={c}14*{c}15"),
        ("Payment fees", "%", 2.9, 2.9, 2.9),
        ("Contribution per paying user", "USD/user", "={c}16*(1-{c}17/100)-{c}13"),
        ("Contribution margin", "%", "={c}18/{c}16"),
        ("Token cost, all users", "USD", "={c}4*{c}13"),
        ("Revenue, all users", "USD", "={c}4*{c}16"),
        ("Fixed cost", "USD", 42000, 48000, 70000),
        ("Result of the month", "USD", "={c}4*{c}18-{c}22"),
        ("Result of a year like that", "USD", "={c}23*12"),
        ("Users to break even", "users", "=ROUNDUP({c}22/{c}18,0)"),
        ("Output price", "USD/1,000 tokens", "={c}12/1000"),
        ("Churn per month", "%", 0.06, 0.045, 0.035),
        ("Lifetime", "months", "=1/{c}27"),
        ("Lifetime contribution per user", "USD/user", "={c}18*{c}28"),
        ("Acquisition cost per user", "USD/user", 70, 60, 55),
        ("Lifetime contribution per acquisition cost", None, "={c}29/{c}30"),
    ])  # fmt: skip
    page["F5"] = "=SUM(C5:E5)"
    for row in (4, 20, 21, 23):
        page[f"F{row}"] = f"=SUMPRODUCT($C$5:$E$5,C{row}:E{row})"
    page["F19"] = "=SUMPRODUCT(C5:E5,C4:E4,C18:E18)/F21"
    _formats(page, {"C5:F5 C19:F19": "0%", "C27:E27": "0.0%", "C20:F21 C23:F24": "#,##0", "C13:E13": "0.00"})
    _bold(page, 3)
    own = _sheet(book, "OwnGPUs", "Base case on rented H100s with Mixtral-8x7B, FP8 weights")
    _fill(own, 3, [
        ("Rent", 2.4, "USD/GPU-h"),
        ("Total parameters", 46.7, "billion"),
        ("Active parameters", 12.9, "billion"),
        ("Bytes per parameter", 1, "byte"),
        ("Weights", "=B4*B6", "GB"),
        ("Layers", 32),
        ("Attention heads", 32),
        ("KV heads", 8),
        ("Head dimension", 128),
        ("Bytes per value in the KV cache", 2, "byte"),
        ("KV cache per token", "=2*B8*B10*B11*B12/1000", "kB"),
        ("Tokens in context per chat", 4096, "tokens"),
        ("Chats at once", 48),
        ("KV cache", "=B13*B14*B15/10^6", "GB"),
        ("Memory per H100 SXM", 80, "GB"),
        ("GPUs per replica", "=ROUNDUP((B7+B16)/(0.9*B17),0)", "GPUs"),
        ("Work per token", "=2*B5", "GFLOP"),
        ("Output rate per chat", 30, "tokens/s"),
        ("Output rate of a replica", "=B15*B20", "tokens/s"),
        ("Rent of a replica", "=B18*GpuRent", "USD/h"),
        ("Cost of output at full load", "=B22/(B21*3600)*10^6", "USD/million tokens"),
        ("Output tokens in a month", "=Economics!D4*Economics!D10", "million tokens"),
        ("Mean output rate", "=B24*10^6/(730*3600)", "tokens/s"),
        ("Peak over mean", 4),
        ("Replicas", "=ROUNDUP(B25*B26/B21,0)", "replicas"),
        ("GPU bill of the month", "=B27*B22*730", "USD"),
        ("GPU-hours of the month", "=B27*B18*730", "GPU-h"),
        ("Cost of output as used", "=B28/B24", "USD/million tokens"),
        ("Compute used at the peak rate", "=B19*B25*B26/1000", "TFLOP/s"),
    ])  # fmt: skip
    _name(book, "GpuRent", "OwnGPUs!$B$3")
    _formats(own, {"B24 B28:B29": "#,##0", "B22:B23 B30:B31": "0.00", "B25": "0"})
    return book


_STARTUP = (
    Seed("user-total", {"Economics!C20": "=C13"}),
    Seed("user-total", {"Economics!D23": "=D18-D22"}),
    Seed("user-total", {"Economics!E21": "=E16"}),
    Seed("token-price-scale", {"Economics!C26": "=C12"}),
    Seed("token-price-scale", {"Economics!B11": "USD/1,000 tokens"}, ("Economics!C11", "Economics!D11",
         "Economics!E11", "Economics!C13", "Economics!D13", "Economics!E13")),
    Seed("token-price-scale", {"OwnGPUs!B23": "=B22/(B21*3600)*10^3"}),
    Seed("token-direction", {"Economics!D13": "=D9*D12+D10*D11"}),
    Seed("token-direction", {"Economics!E10": "=E6*E7/10^6"}),
    Seed("currency", {"Economics!D16": "=D14"}, ("Economics!D18",)),
    Seed("percent", {"Economics!C18": "=C16*(1-C17)-C13"}),
    Seed("percent", {"Economics!D27": 4.5}, ("Economics!D28",)),
    Seed("calendar", {"OwnGPUs!B28": "=B27*B22*24"}),
    Seed("calendar", {"OwnGPUs!B25": "=B24*10^6/730"}),
    Seed("money-rate", {"OwnGPUs!B28": "=B27*B22"}, ("OwnGPUs!B30",)),
    Seed("token-rate", {"OwnGPUs!B27": "=ROUNDUP(B24*10^6*B26/B21,0)"}),
    Seed("active-params", {"OwnGPUs!B7": "=B5*B6"}, ("OwnGPUs!B18",)),
    Seed("active-params", {"OwnGPUs!B19": "=2*B4"}),
    Seed("kv-factor", {"OwnGPUs!B13": "=B8*B10*B11*B12/1000"}),
    Seed("kv-heads", {"OwnGPUs!B13": "=2*B8*B9*B11*B12/1000"}),
    Seed("percent-sum", {"Economics!F19": "=SUM(C19:E19)"}),
    Seed("bare-number", {"Economics!D23": "=D4*D18-D22-3500"}),
    Seed("device-hours", {"OwnGPUs!B29": "=B27*730"}),
    Seed("mac-flop", {"OwnGPUs!B19": "=B5"}, ("OwnGPUs!B31",)),
    Seed("unit-contradiction", {}, ("OwnGPUs!B18",), formats={"OwnGPUs!B16": '0.0 "tokens"'}),
)  # fmt: skip


# ---------------------------------------------------------------- a training-run planner


def _training() -> Workbook:
    book, chips = _start("HW", "Data sheets")
    _fill(chips, 2, [
        ("Chip", "Memory (GB)", "Bandwidth (TB/s)", "BF16 dense (TFLOP/s)", "BF16 sparse (TFLOP/s)",
         "FP8 dense (TFLOP/s)", "INT8 dense (TOP/s)", "TDP (W)", "Link, one direction (GB/s)",
         "Link, both directions (GB/s)"),
        ("A100 SXM 80GB", 80, 2.039, 312, 624, None, 624, 400, 300, "=2*I{r}"),
        ("H100 SXM", 80, 3.35, 989, 1979, 1979, 1979, 700, 450, "=2*I{r}"),
        ("H200 SXM", 141, 4.8, 989, 1979, 1979, 1979, 700, 450, "=2*I{r}"),
        ("MI300X", 192, 5.3, 1307, 2615, 2615, 2615, 750, 448, "=2*I{r}"),
    ])  # fmt: skip
    _bold(chips, 2)
    run = _sheet(book, "Run", "Two runs we could do next quarter (both in BF16)")
    _fill(run, 3, [("Item", "Run A", "Run B", "Unit")])
    _across(run, 4, "BC", [
        ("Model", "Llama-3-8B", "DeepSeek-V3"),
        ("Chip", "H100 SXM", "H200 SXM"),
        ("Total parameters", 8.03, 671),
        ("Parameters active per token", 8.03, 37),
        ("Training tokens", 2, 14.8),
        ("Training work", "=6*{c}7*10^9*{c}8*10^12"),
        ("GPUs", 512, 2048),
        ("BF16 dense peak per GPU", "=INDEX(HW!$D$3:$D$6,MATCH({c}5,HW!$A$3:$A$6,0))"),
        ("MFU", 0.42, 0.35),
        ("Sustained rate of the run", "={c}10*{c}11*{c}12/1000"),
        ("Time, wall clock", "={c}9/({c}13*10^15)/86400"),
        ("GPU-hours", "={c}10*{c}14*24"),
        ("Price", 2.6, 3.1),
        ("Cost", "={c}15*{c}16/10^6"),
        ("Checkpoint per parameter", 14, 14),
        ("Checkpoint", "={c}6*{c}18"),
        ("Storage write rate", 40, 160),
        ("Writing a checkpoint", "={c}19/{c}20"),
        ("Checkpoints per day", 12, 24),
        ("Time lost to checkpoints", "={c}21*{c}22*{c}14/3600"),
        ("State per parameter, sharded over all GPUs", 18, 18),
        ("State per GPU", "={c}6*{c}24/{c}10"),
        ("Memory per GPU", "=INDEX(HW!$B$3:$B$6,MATCH({c}5,HW!$A$3:$A$6,0))"),
        ("State, share of the memory", "={c}25/{c}26"),
        ("TDP per GPU", "=_xlfn.XLOOKUP({c}5,HW!$A$3:$A$6,HW!$H$3:$H$6)"),
        ("IT power of the run, servers add 45 %", "={c}10*{c}28*1.45/1000"),
        ("IT energy", "={c}29*{c}14*24/1000"),
        ("PUE", 1.2, 1.2),
        ("Facility energy", "={c}30*{c}31"),
        ("Grid intensity", 120, 120),
        ("Emissions", "={c}32*{c}33/1000"),
        ("Batch per step", 4, 15.4),
        ("Step time", "=6*{c}7*10^9*{c}35*10^6/({c}13*10^15)*1000"),
        ("Training rate", "={c}35*10^6/({c}36/1000)"),
        ("Time, from the training rate", "={c}8*10^12/{c}37/86400"),
        ("Gradients, share of one GPU in a node of 8", "={c}6*2/8"),
        ("Link per GPU, one direction", "=INDEX(HW!$I$3:$I$6,MATCH({c}5,HW!$A$3:$A$6,0))"),
        ("Sending that share over the link, one direction", "={c}39/{c}40*1000"),
        ("Measured rate per GPU in the pilot", 415, 352),
        ("Share of the BF16 dense peak", "={c}42/{c}11"),
        ("BF16 weights by the model function", '=MLSIM_WEIGHTS({c}4,"bf16","GB")'),
        ("BF16 weights of our own count", "={c}6*2"),
    ], labels=1)  # fmt: skip
    units = (None, None, "billion", "billion", "trillion tokens", "FLOP", "GPUs", "TFLOP/s", "%", "PFLOP/s", "days",
             "GPU-h", "USD/GPU-h", "million USD", "byte", "GB", "GB/s", "s", "1/day", "h", "byte", "GB", "GB", "%",
             "W", "kW", "MWh", None, "MWh", "gCO2e/kWh", "tCO2e", "million tokens", "ms", "tokens/s", "days", "GB",
             "GB/s", "ms", "TFLOP/s", "%", "GB", "GB")  # fmt: skip
    _fill(run, 4, [(unit,) for unit in units], left=4)
    _formats(run, {"B12:C12 B27:C27 B43:C43": "0%", "B9:C9": "0.00E+00", "B15:C15 B37:C37": "#,##0",
                   "B13:C14 B17:C17 B21:C21 B36:C36 B38:C38": "0.0"})  # fmt: skip
    _bold(run, 3)
    test = _sheet(book, "Eval", "Evaluation of Run A between checkpoints, one H100")
    _fill(test, 3, [
        ("Layers", 32),
        ("Attention heads", 32),
        ("KV heads", 8),
        ("Head dimension", 128),
        ("Bytes per value", 2, "byte"),
        ("Tokens per sample", 4096, "tokens"),
        ("Samples at once", 32),
        ("KV cache", "=2*B3*B5*B6*B7*B8*B9/10^9", "GB"),
        ("KV cache by the model function", '=MLSIM_KV_CACHE("Llama-3-8B",B8,B9,"bf16","GB")', "GB"),
        ("Weights and KV cache", "=Run!B45+B10", "GB"),
        ("Decode step, memory bound", "=B12/(HW!C4*1000)*1000", "ms"),
        ("Decode step by the model function", '=MLSIM_TPOT("Llama-3-8B","H100",B9,B8)', "ms"),
        ("Output rate", "=B9/(B13/1000)", "tokens/s"),
    ])  # fmt: skip
    return book


_TRAINING = (
    Seed("flop-rate", {"Run!B13": "=B9/10^15"}, ("Run!B14",)),
    Seed("flop-rate", {"Run!D13": "PFLOP"}, ("Run!B13", "Run!C13", "Run!B14", "Run!C14", "Run!B36", "Run!C36")),
    Seed("active-params", {"Run!C9": "=6*C6*10^9*C8*10^12"}, ("Run!C14",)),
    Seed("active-params", {"Run!C19": "=C7*C18"}, ("Run!C21",)),
    Seed("device-hours", {"Run!B15": "=B14*24"}),
    Seed("device-hours", {"Run!C17": "=C14*24*C16/10^6"}),
    Seed("sparse-peak", {"Run!C11": "=INDEX(HW!$E$3:$E$6,MATCH(C5,HW!$A$3:$A$6,0))"}, ("Run!C13", "Run!C43")),
    Seed("peak-precision", {"Run!B11": "=INDEX(HW!$F$3:$F$6,MATCH(B5,HW!$A$3:$A$6,0))"}, ("Run!B13", "Run!B43")),
    Seed("integer-ops", {"Run!C43": "=C42/HW!G5"}),
    Seed("time-scale", {"Run!B37": "=B35*10^6/B36"}),
    Seed("time-scale", {"Run!C36": "=6*C7*10^9*C35*10^6/(C13*10^15)"}),
    Seed("calendar", {"Run!B14": "=B9/(B13*10^15)/3600"}),
    Seed("params-bytes", {"Eval!B12": "=Run!B6+B10"}),
    Seed("link-direction", {"Run!B40": "=INDEX(HW!$J$3:$J$6,MATCH(B5,HW!$A$3:$A$6,0))"}, ("Run!B41",)),
    Seed("carbon-scale", {"Run!C34": "=C32*C33"}),
    Seed("above-limit", {"Run!B42": 1120}, ("Run!B43",)),
    Seed("above-limit", {"Run!C12": 1.35}, ("Run!C13",)),
    Seed("registry", {"HW!C4": 2.4}),
    Seed("token-rate", {"Run!B38": "=B8*10^12/(B35*10^6)/86400"}),
    Seed("kv-factor", {"Eval!B10": "=B3*B5*B6*B7*B8*B9/10^9"}),
    Seed("kv-heads", {"Eval!B10": "=2*B3*B4*B6*B7*B8*B9/10^9"}),
    Seed("money-rate", {"Run!B17": "=B16"}),
    Seed("facility-energy", {"Run!B34": "=B30*B33/1000"}),
    Seed("power-energy", {"Run!C32": "=C29*C31"}),
)  # fmt: skip


BOOKS: tuple[Book, ...] = (
    Book("heldout_cto_accelerators", _cto, _CTO),
    Book("heldout_purchase", _purchase, _PURCHASE),
    Book("heldout_phd_out_of_memory", _phd, _PHD),
    Book("heldout_exercise_roofline", _professor, _PROFESSOR),
    Book("heldout_sre_latency", _sre, _SRE),
    Book("heldout_finops_bill", _finops, _FINOPS),
    Book("heldout_sustainability", _sustainability, _SUSTAINABILITY),
    Book("heldout_network_allreduce", _network, _NETWORK),
    Book("heldout_data_engineer", _data, _DATA),
    Book("heldout_embedded_robot", _embedded, _EMBEDDED),
    Book("heldout_german_it", _german, _GERMAN),
    Book("heldout_french_centre", _french, _FRENCH),
    Book("heldout_startup_economics", _startup, _STARTUP),
    Book("heldout_training_run", _training, _TRAINING),
)
