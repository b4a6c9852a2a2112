"""Workbooks without a mistake, each laid out differently: whatever a checker says about one is a false alarm."""

from __future__ import annotations

from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.worksheet.table import Table
from openpyxl.worksheet.worksheet import Worksheet

from . import making
from .book import Book
from .making import define, first, fmt

__all__ = ["BOOKS"]


def rows(ws: Worksheet, start: int, lines: list[tuple[Any, ...]], col: int = 1) -> None:
    """Write lines downwards from a row; None leaves a cell alone."""
    making.rows(ws, ws.cell(start, col).coordinate, lines)


def across(template: str, cols: str) -> tuple[str, ...]:
    """One formula per column letter, "@" standing for the letter and "~" for the letter before it."""
    return tuple(template.replace("@", c).replace("~", chr(ord(c) - 1)) for c in cols)


def gpu_matrix() -> Workbook:
    """Datasheet table with a unit row, dense and sparse peaks side by side."""
    wb, ws = first("Accelerators")
    ws["A1"] = "Accelerator comparison - vendor datasheet values, one device"
    ws["A1"].font = Font(bold=True)
    rows(
        ws,
        3,
        [
            (
                "Device",
                "Memory",
                "Mem BW",
                "BF16 dense",
                "BF16 w/ sparsity",
                "FP8 dense",
                "TBP",
                "Ridge point",
                "Efficiency",
                "Full memory sweep",
                "Capacity",
            ),
            (None, "GB", "TB/s", "TFLOP/s", "TFLOP/s", "TFLOP/s", "W", "FLOP/B", "GFLOP/J", "ms", "GiB"),
            ("H100 SXM 80GB", 80, 3.35, 989, "=D5*2", 1979, 700),
            ("A100 SXM 80GB", 80, 2.039, 312, "=D6*2", "n/a", 400),
            ("H200 141GB", 141, 4.8, 989, "=D7*2", 1979, 700),
            ("MI300X 192GB", 192, 5.3, 1307, "=D8*2", 2615, 750),
            ("L40S 48GB", 48, 0.864, 362, "=D9*2", 733, 350),
            ("L4 24GB", 24, 0.3, 121, "=D10*2", 242, 72),
        ],
    )
    for r in range(5, 11):
        rows(ws, r, [(f"=D{r}/C{r}", f"=D{r}*1000/G{r}", f"=B{r}/C{r}", f"=B{r}*1e9/1024^3")], col=8)
    rows(
        ws,
        12,
        [
            (
                "Best",
                "=MAX(B5:B10)",
                "=MAX(C5:C10)",
                "=MAX(D5:D10)",
                None,
                "=MAX(F5:F10)",
                "=MIN(G5:G10)",
                None,
                "=MAX(I5:I10)",
                "=MIN(J5:J10)",
            ),
            (
                "who",
                "=INDEX($A5:$A10,MATCH(B12,B5:B10,0))",
                "=INDEX($A5:$A10,MATCH(C12,C5:C10,0))",
                "=INDEX($A5:$A10,MATCH(D12,D5:D10,0))",
                None,
                "=INDEX($A5:$A10,MATCH(F12,F5:F10,0))",
                "=INDEX($A5:$A10,MATCH(G12,G5:G10,0))",
                None,
                "=INDEX($A5:$A10,MATCH(I12,I5:I10,0))",
            ),
            (),
            (
                "Sparsity = 2:4 structured, quoted for reference only. TBP in W includes HBM; TB/s is peak, not achieved.",
            ),
        ],
    )
    fmt(ws, "H5:K10", "#,##0.0")
    return wb


def fleet_quarters() -> Workbook:
    """Serving fleet with quarters across and no unit column at all."""
    wb, ws = first("Fleet FY26")
    c = "CDEF"
    rows(
        ws,
        1,
        [
            ("Chat assistant, 70B in FP8 on 8x H100 80GB nodes",),
            (),
            (None, None, "Q1 FY26", "Q2 FY26", "Q3 FY26", "Q4 FY26", "FY26"),
            ("Daily active users (k)", None, 420, 505, 610, 700, "=AVERAGE(C4:F4)"),
            ("growth QoQ", None, None, *across("=@4/~4-1", "DEF")),
            ("Requests per user per day", None, 5.5, 5.8, 6, 6.2, "=AVERAGE(C6:F6)"),
            ("Output tokens per request", None, 310, 310, 330, 345, "=AVERAGE(C7:F7)"),
            ("Output tokens per day (M)", None, *across("=@4*1000*@6*@7/1e6", c), "=AVERAGE(C8:F8)"),
            ("Peak-to-mean", None, 2.6, 2.6, 2.5, 2.5),
            ("Peak tok/s", None, *across("=@8*1e6/86400*@9", c), "=MAX(C10:F10)"),
            ("tok/s per node", 2900),
            ("Nodes (75 % target load, +1 spare)", None, *across("=ROUNDUP(@10/$B$11/0.75,0)+1", c), "=MAX(C12:F12)"),
            ("GPUs", None, *across("=@12*8", c), "=MAX(C13:F13)"),
            ("GPU-hours in quarter", None, *across("=@13*8760/4", c), "=SUM(C14:F14)"),
            ("$ per GPU-h", 2.35),
            ("Spend ($k)", None, *across("=@14*$B$15/1000", c), "=SUM(C16:F16)"),
            ("$ per M output tokens", None, *across("=@16*1000/(@8*365/4)", c), "=G16*1000/(G8*365)"),
        ],
    )
    fmt(ws, "C5:G5", "0.0%")
    fmt(ws, "C16:G16", '"$"#,##0"k"')
    return wb


def training_runs() -> Workbook:
    """Compute budget of several runs, unit in its own column, models with sizes as headers."""
    wb, ws = first("Runs")
    c = "CDEF"
    rows(
        ws,
        1,
        [
            ("Pre-training budget", "Unit", "Llama-3-8B", "Llama-3-70B", "Mixtral 8x7B", "Ablation 1.3B"),
            ("Parameters, total", "B", 8.03, 70.6, 46.7, 1.3),
            ("Parameters, active", "B", 8.03, 70.6, 12.9, 1.3),
            ("Tokens", "T", 15, 15, 8, 0.1),
            ("Compute", "FLOP", *across("=6*@3*1e9*@4*1e12", c)),
            ("Compute", "ZFLOP", *across("=@5/1E+21", c)),
            ("GPUs (H100 SXM)", "-", 2048, 8192, 2048, 64),
            ("Peak, BF16 dense", "TFLOP/s", 989, 989, 989, 989),
            ("MFU", "%", 0.4, 0.38, 0.33, 0.42),
            ("Sustained, cluster", "PFLOP/s", *across("=@7*@8*@9/1000", c)),
            ("Ideal run time", "s", *across("=@5/(@10*1e15)", c)),
            ("Ideal run time", "d", *across("=@11/3600/24", c)),
            ("Goodput", "%", 0.94, 0.9, 0.93, 0.99),
            ("Wall time", "d", *across("=@12/@13", c)),
            ("GPU time", "GPU-h", *across("=@14*24*@7", c)),
            ("Contract rate", "$/GPU-h", 2.1, 2.1, 2.1, 2.6),
            ("Run cost", "M$", *across("=@15*@16/1e6", c)),
            (),
            ("All runs", "M$", "=SUM(C17:F17)"),
            ("incl. 25 % for restarts, evals, failed starts", "M$", "=C19*1.25"),
            ("Longest run", "d", "=MAX(C14:F14)"),
            ("Tokens per parameter, 70B", "-", "=D4*1000/D2"),
        ],
    )
    fmt(ws, "C9:F9", "0%")
    fmt(ws, "C13:F13", "0%")
    fmt(ws, "C5:F5", "0.00E+00")
    return wb


def kv_cache() -> Workbook:
    """Cache sizing with units in brackets and decimal next to binary sizes."""
    wb, ws = first("KV cache")
    c = "BCD"
    rows(
        ws,
        2,
        [
            ("Model", "Llama-3-8B", "Llama-3-70B", "Mixtral-8x7B", "Comment"),
            ("Layers", 32, 80, 32),
            ("KV heads", 8, 8, 8, "GQA; query heads are 32 / 64 / 32"),
            ("Head dim", 128, 128, 128),
            ("Bytes per element", 2, 2, 2, "FP16; FP8 would be 1 byte"),
            ("KV per token (B)", *across("=2*@3*@4*@5*@6", c), "2 = K and V"),
            ("KV per token (KiB)", *across("=@7/1024", c)),
            ("Context length (tokens)", 8192, 8192, 32768),
            ("KV per sequence (GiB)", *across("=@7*@9/1024^3", c)),
            ("KV per sequence (GB)", *across("=@7*@9/10^9", c)),
            (),
            ("Params (B)", 8.03, 70.6, 46.7),
            ("Weights, 16 bit (GB)", *across("=@13*2", c), "2 bytes per parameter"),
            ("TP degree", 1, 4, 2, "H100 80GB"),
            ("HBM in the group (GB)", *across("=80*@15", c)),
            ("Runtime reserve (GB)", *across("=0.08*@16", c), "8 % for CUDA graphs, activations"),
            ("Left for KV (GB)", *across("=MAX(0,@16-@14-@17)", c)),
            ("Concurrent sequences", *across("=INT(@18/@11)", c)),
            ("Tokens in cache (k)", *across("=@19*@9/1000", c)),
            ("Fits one sequence?", *across('=IF(@19>=1,"yes","no")', c)),
        ],
    )
    return wb


def tco_buy_rent() -> Workbook:
    """Three sheets with defined names: assumptions, yearly costs, comparison."""
    wb, a = first("Assumptions")
    rows(
        a,
        1,
        [
            ("Assumption", "Value", "Unit", "Source / note"),
            ("Server price (8x H100 SXM 80 GB)", 268000, "USD", "quote of March, excl. VAT"),
            ("Number of servers", 12, "", ""),
            ("Network and storage", 0.22, "of server capex", ""),
            ("Depreciation", 5, "years", "straight line to zero"),
            ("Power per server", 8.4, "kW", "at 80 % load; 10.2 kW is nameplate"),
            ("PUE", 1.32, "", "colo, annual mean"),
            ("Electricity", 0.11, "USD/kWh", ""),
            ("Rack fee", 175, "USD per kW and month", "on nameplate kW"),
            ("Nameplate", 10.2, "kW/server", ""),
            ("Staff", 1.5, "FTE", ""),
            ("Cost per FTE", 190000, "USD/yr", "fully loaded"),
            ("Support contract", 0.06, "of server capex per year", ""),
            ("Cloud, on-demand", 55.04, "USD/h", "8-GPU instance"),
            ("Cloud, 3-year reserved", 0.46, "discount", ""),
            ("Utilisation", 0.82, "", ""),
        ],
    )
    for label, row in (
        ("ServerPrice", 2),
        ("Servers", 3),
        ("NetShare", 4),
        ("DeprYears", 5),
        ("ServerPower", 6),
        ("PUE", 7),
        ("PowerPrice", 8),
        ("RackFee", 9),
        ("Nameplate", 10),
        ("FTE", 11),
        ("FTECost", 12),
        ("Support", 13),
        ("CloudHour", 14),
        ("Discount", 15),
        ("Util", 16),
    ):
        define(wb, label, f"Assumptions!$B${row}")
    y = wb.create_sheet("Own")
    c = "BCDEF"
    rows(
        y,
        1,
        [
            ("USD", "Year 1", "Year 2", "Year 3", "Year 4", "Year 5", "Total"),
            ("Capex", "=ServerPrice*Servers*(1+NetShare)", 0, 0, 0, 0, "=SUM(B2:F2)"),
            ("Depreciation (info)", *across("=$B$2/DeprYears", c), "=SUM(B3:F3)"),
            ("Book value, year end (info)", "=B2-B3", *across("=~4-@3", "CDEF")),
            ("Electricity", *across("=Servers*ServerPower*PUE*8760*PowerPrice", c), "=SUM(B5:F5)"),
            ("Colocation", *across("=Servers*Nameplate*RackFee*12", c), "=SUM(B6:F6)"),
            ("Staff", "=FTE*FTECost", *across("=~7*1.03", "CDEF"), "=SUM(B7:F7)"),
            ("Support", *across("=ServerPrice*Servers*Support", c), "=SUM(B8:F8)"),
            ("Cash out", *across("=@2+SUM(@5:@8)", c), "=SUM(B9:F9)"),
            ("Cumulative", "=B9", *across("=~10+@9", "CDEF")),
        ],
    )
    s = wb.create_sheet("Compare")
    rows(
        s,
        1,
        [
            ("Own vs rent over 5 years", "USD"),
            ("Own, total", "=Own!G9"),
            ("Own, per used GPU-hour", "=B2/(Servers*8*8760*5*Util)"),
            ("Reserved, per GPU-hour", "=CloudHour*(1-Discount)/8"),
            ("Reserved, total for 5 yrs", "=Servers*CloudHour*(1-Discount)*8760*5"),
            ("On-demand for used hours only", "=Servers*CloudHour*8760*5*Util"),
            ("Saving vs reserved", "=B5-B2"),
            ("Saving vs reserved, %", "=B7/B5"),
        ],
    )
    fmt(y, "B2:G10", "#,##0")
    fmt(s, "B8", "0.0%")
    return wb


def currency_quotes() -> Workbook:
    """Quotes in four currencies brought to euro with a side table of rates."""
    wb, ws = first("Quotes")
    rows(
        ws,
        1,
        [
            ("Offers for 16 nodes, 8 GPUs each", None, None, None, None, None, None, "FX (units per EUR)"),
            ("Bidder", "Ccy", "Node price", "Price in EUR", "Lead time [wk]", "Total, 16 nodes [kEUR]", None, "EUR", 1),
            (
                "North",
                "EUR",
                251000,
                "=C3/INDEX($I$2:$I$5,MATCH(B3,$H$2:$H$5,0))",
                10,
                "=D3*16/1000",
                None,
                "USD",
                1.08,
            ),
            (
                "Pacific",
                "USD",
                262500,
                "=C4/INDEX($I$2:$I$5,MATCH(B4,$H$2:$H$5,0))",
                8,
                "=D4*16/1000",
                None,
                "GBP",
                0.85,
            ),
            (
                "Thames",
                "GBP",
                219900,
                "=C5/INDEX($I$2:$I$5,MATCH(B5,$H$2:$H$5,0))",
                14,
                "=D5*16/1000",
                None,
                "JPY",
                162,
            ),
            ("Edo", "JPY", 39800000, "=C6/INDEX($I$2:$I$5,MATCH(B6,$H$2:$H$5,0))", 16, "=D6*16/1000"),
            (),
            ("Cheapest", None, None, "=MIN(D3:D6)", "=INDEX(E3:E6,MATCH(D8,D3:D6,0))", "=MIN(F3:F6)"),
            ("Bidder", None, None, "=INDEX(A3:A6,MATCH(D8,D3:D6,0))"),
            ("Mean", None, None, "=AVERAGE(D3:D6)", "=AVERAGE(E3:E6)", "=AVERAGE(F3:F6)"),
            ("Spread", None, None, "=MAX(D3:D6)/MIN(D3:D6)-1"),
            (),
            ("Per GPU", None, "€", "=D8/8"),
            (None, None, "$", "=D13*I3"),
            (None, None, "£", "=D13*I4"),
            (None, None, "¥", "=D13*I5"),
            (),
            ("The ¥ offer includes 3 years of support; USD and GBP rates are bank means of the week.",),
        ],
    )
    fmt(ws, "C3", '#,##0 "€"')
    fmt(ws, "C4", '"$"#,##0')
    fmt(ws, "C5", '"£"#,##0')
    fmt(ws, "C6", '"¥"#,##0')
    fmt(ws, "D3:D6", '#,##0 "€"')
    fmt(ws, "D11", "0%")
    return wb


def power_months() -> Workbook:
    """IT and facility energy over months with days per month as a row."""
    wb, ws = first("Energy")
    ws.merge_cells("B1:G1")
    ws["B1"] = "First half, hall B"
    c = "BCDEFG"
    rows(
        ws,
        2,
        [
            ("", "Month 1", "Month 2", "Month 3", "Month 4", "Month 5", "Month 6", "H1"),
            ("Days", 31, 28, 31, 30, 31, 30, "=SUM(B3:G3)"),
            ("Racks in service", 18, 18, 22, 24, 24, 28, "=MAX(B4:G4)"),
            ("Mean IT load per rack, kW", 31.5, 32, 30.4, 33.1, 33.8, 34.2),
            ("IT load, kW", *across("=@4*@5", c), "=H7*1000/(H3*24)"),
            ("IT energy, MWh", *across("=@6*24*@3/1000", c), "=SUM(B7:G7)"),
            ("PUE", 1.21, 1.2, 1.23, 1.26, 1.31, 1.36, "=H9/H7"),
            ("Facility energy, MWh", *across("=@7*@8", c), "=SUM(B9:G9)"),
            ("of which cooling & losses, MWh", *across("=@9-@7", c), "=SUM(B10:G10)"),
            ("Tariff, ct/kWh", 11.2, 11.2, 10.8, 9.9, 9.7, 9.9, "=H12*1000*100/(H9*1000)"),
            ("Energy bill, k€", *across("=@9*1000*@11/100/1000", c), "=SUM(B12:G12)"),
            ("Demand charge, k€", *across("=@6*@8*9.4/1000", c), "=SUM(B13:G13)"),
            ("Bill, k€", *across("=@12+@13", c), "=SUM(B14:G14)"),
            ("All-in, €/MWh IT", *across("=@14*1000/@7", c), "=H14*1000/H7"),
            (),
            ("Demand charge is 9.40 € per kW and month on the facility load; ct = euro cent.",),
        ],
    )
    fmt(ws, "B6:H7", "#,##0.0")
    fmt(ws, "B9:H15", "#,##0.0")
    return wb


def water_carbon() -> Workbook:
    """Footprint of three sites, units in a row below the headers."""
    wb, ws = first("Footprint")
    rows(
        ws,
        1,
        [
            (
                "Site",
                "IT load",
                "PUE",
                "Grid intensity",
                "WUE",
                "Renewable",
                "IT energy",
                "Site energy",
                "CO2e location",
                "CO2e market",
                "Water",
                "Water per IT MW",
            ),
            ("", "MW", "", "g/kWh", "L/kWh", "share", "GWh/yr", "GWh/yr", "t/yr", "t/yr", "m³/yr", "m³/yr/MW"),
            ("Oregon", 6.2, 1.14, 145, 0.35, 0.9),
            ("Dublin", 3.8, 1.19, 296, 0.02, 0.75),
            ("Singapore", 2.5, 1.42, 412, 1.62, 0.1),
        ],
    )
    for r in (3, 4, 5):
        rows(
            ws,
            r,
            [
                (
                    f"=B{r}*8760/1000",
                    f"=G{r}*C{r}",
                    f"=H{r}*1e6*D{r}/1e6",
                    f"=I{r}*(1-F{r})",
                    f"=G{r}*1e6*E{r}/1000",
                    f"=K{r}/B{r}",
                )
            ],
            col=7,
        )
    rows(
        ws,
        6,
        [
            (
                "Total",
                "=SUM(B3:B5)",
                "=H6/G6",
                "=I6*1e6/(H6*1e6)",
                "=K6*1000/(G6*1e6)",
                "=1-J6/I6",
                "=SUM(G3:G5)",
                "=SUM(H3:H5)",
                "=SUM(I3:I5)",
                "=SUM(J3:J5)",
                "=SUM(K3:K5)",
                "=K6/B6",
            ),
            (),
            ("Carbon price", 70, "€/t"),
            ("Carbon cost, market based", "=J6*B8/1000", "k€/yr"),
            ("Water tariff", 2.4, "€/m³"),
            ("Water cost", "=K6*B10/1000", "k€/yr"),
            ("Embodied, per 8-GPU server", 2.9, "t CO2e"),
            ("Servers", 1150),
            ("Service life", 5, "yr"),
            ("Embodied, amortised", "=B12*B13/B14", "t/yr"),
            ("Scope 2+3", "=J6+B15", "t/yr"),
            ("per IT kWh", "=B16*1e6/(G6*1e6)", "g/kWh"),
        ],
    )
    fmt(ws, "F3:F6", "0%")
    return wb


def links() -> Workbook:
    """Link rates in bits and bytes, one and two directions, transfer times."""
    wb, ws = first("Interconnect")
    rows(
        ws,
        1,
        [
            (
                "Link",
                "Rate, Gbit/s per direction",
                "GB/s per direction",
                "GB/s both ways",
                "Efficiency",
                "Effective GB/s one way",
                "Time per GB (ms)",
                "70B weights BF16 (s)",
            ),
            ("NVLink 4 (18 links)", "=D2/2*8", "=D2/2", 900, 0.82, "=C2*E2", "=1000/F2", "=$B$11/F2"),
            ("PCIe 5.0 x16", "=C3*8", 63, "=C3*2", 0.85, "=C3*E3", "=1000/F3", "=$B$11/F3"),
            ("NDR InfiniBand 400G", 400, "=B4/8", "=C4*2", 0.92, "=C4*E4", "=1000/F4", "=$B$11/F4"),
            ("HDR InfiniBand 200G", 200, "=B5/8", "=C5*2", 0.92, "=C5*E5", "=1000/F5", "=$B$11/F5"),
            ("100 GbE", 100, "=B6/8", "=C6*2", 0.9, "=C6*E6", "=1000/F6", "=$B$11/F6"),
            ("10 GbE", 10, "=B7/8", "=C7*2", 0.94, "=C7*E7", "=1000/F7", "=$B$11/F7"),
            (),
            (),
            ("Parameters (B)", 70.6),
            ("Weights (GB)", "=B10*2"),
            ("Weights (Gbit)", "=B11*8"),
            ("Gradient all-reduce, 8 GPUs", "", "ring: 2(n-1)/n of the buffer leaves every GPU"),
            ("Sent per GPU (GB)", "=2*(8-1)/8*B11"),
            ("over NVLink (s)", "=B14/F2"),
            ("over NDR, one NIC per GPU (s)", "=B14/F4"),
            ("Ratio", "=B16/B15"),
            ("WAN, 10 Gb/s line, 2 TB data set (h)", "=2000*8/(10*0.94)/3600"),
        ],
    )
    fmt(ws, "E2:E7", "0%")
    fmt(ws, "G2:H7", "0.00")
    return wb


def checkpoints() -> Workbook:
    """Reliability: fleet MTBF, Young's interval, checkpoint storage."""
    wb, ws = first("Ckpt")
    rows(
        ws,
        1,
        [
            ("Failure and checkpoint model", None, None, None, "Remarks"),
            ("Node MTBF", 38000, "h", None, "all causes, 8-GPU node, last 12 months"),
            ("Nodes", 512, None, None, "4096 GPUs"),
            ("Job MTBF", "=B2/B3", "h"),
            (None, "=B4*60", "min"),
            ("Failures per day", "=24/B4"),
            (),
            ("Parameters", 70.6, "B"),
            ("State per parameter", 14, "bytes", None, "2 weights + 4 master + 8 Adam moments"),
            ("Checkpoint size", "=B8*B9", "GB", None, "1e9 params x bytes = GB"),
            (None, "=B10*1e9/1024^4", "TiB"),
            ("File system write", 180, "GB/s"),
            ("Write time", "=B10/B12", "s"),
            ("Barrier and serialisation", 22, "s"),
            ("Stall per checkpoint", "=B13+B14", "s"),
            ("Optimal interval (Young)", "=SQRT(2*B15*B4*3600)", "s"),
            (None, "=B16/60", "min"),
            ("Interval chosen", "=CEILING(B17,5)", "min"),
            ("Restart", 9, "min"),
            (),
            ("Overhead: writing", "=B15/(B18*60)", None, None, "stall over interval"),
            ("Overhead: lost work", "=B18/2/B5", None, None, "half an interval per failure"),
            ("Overhead: restart", "=B19/B5"),
            ("Goodput", "=1-SUM(B21:B23)"),
            (),
            ("Checkpoints kept", 12),
            ("Space for checkpoints", "=B26*B10/1000", "TB"),
            ("with 8+2 parity and 15 % free", "=B27*10/8/0.85", "TB raw", None, "10 drives hold 8 drives of data"),
            ("Checkpoints per day", "=24*60/B18"),
            ("Written per day", "=B29*B10/1000", "TB/d"),
        ],
    )
    fmt(ws, "B21:B24", "0.0%")
    return wb


def erlang_calls() -> Workbook:
    """Voice agents as servers: Erlang B by recursion in hidden helper columns."""
    wb, ws = first("Erlang")
    rows(
        ws,
        1,
        [
            ("Busy-hour calls", 160, "calls/h", None, None, None, "n", "B(n)"),
            ("Mean call length", 3.5, "min"),
            ("Arrival rate", "=B1/3600", "1/s"),
            ("Offered load", "=B1*B2/60", "Erl"),
            ("Blocking target", 0.01),
            ("Sessions needed", "=INDEX(G2:G26,MATCH(TRUE,INDEX(H2:H26<=B5,0),0))"),
            ("Blocking at that", "=INDEX(H2:H26,B6+1)"),
            ("Mean busy sessions", "=B4*(1-B7)"),
            ("Occupancy", "=B8/B6"),
            ("Sessions per GPU (L40S 48GB)", 6),
            ("GPUs", "=ROUNDUP(B6/B10,0)"),
            ("GPUs in 4-GPU servers", "=CEILING(B11,4)"),
            ("Rent per server-month", 3100, "€"),
            ("Cost per month", "=B12/4*B13", "€"),
            ("Calls per month (22 days, 6 busy-hour equivalents)", "=B1*6*22"),
            ("Cost per call", "=B14/B15", "€"),
            ("Cost per call minute", "=B16/B2*100", "ct"),
            ("Without agents: M/M/1 check of the gateway",),
            ("Gateway service time", 2.4, "s"),
            ("Utilisation", "=B3*B19"),
            ("Mean wait", "=B20*B19/(1-B20)", "s"),
        ],
    )
    ws["G2"], ws["H2"] = 0, 1
    for n in range(1, 25):
        rows(ws, n + 2, [(n, f"=$B$4*H{n + 1}/(G{n + 2}+$B$4*H{n + 1})")], col=7)
    ws.column_dimensions["G"].hidden = True
    ws.column_dimensions["H"].hidden = True
    fmt(ws, "B7", "0.00%")
    fmt(ws, "B9", "0%")
    fmt(ws, "B16", "0.000")
    return wb


def hiring_gpus() -> Workbook:
    """Head count and accelerators in one monthly plan."""
    wb, ws = first("Plan")
    c = "BCD"
    rows(
        ws,
        1,
        [
            ("People and compute plan", "Jan 26", "Feb 26", "Mar 26", "Q1 26"),
            ("PEOPLE",),
            ("Researchers (FTE)", 8, 9, 12, "=AVERAGE(B3:D3)"),
            ("Engineers (FTE)", 15, 17, 21, "=AVERAGE(B4:D4)"),
            ("Ops (FTE)", 3, 4, 5, "=AVERAGE(B5:D5)"),
            ("Head count", *across("=SUM(@3:@5)", c), "=AVERAGE(B6:D6)"),
            ("New hires", None, *across("=@6-~6", "CD"), "=SUM(C7:D7)"),
            ("Payroll ($k)", *across("=(@3*285+@4*230+@5*180)/12", c), "=SUM(B8:D8)"),
            ("Hiring cost ($k)", 0, *across("=@7*32", "CD"), "=SUM(B9:D9)"),
            (),
            ("COMPUTE",),
            ("A100 80GB (count)", 64, 64, 32, "=AVERAGE(B12:D12)"),
            ("H100 80GB (count)", 64, 128, 192, "=AVERAGE(B13:D13)"),
            ("GPU total", *across("=@12+@13", c), "=AVERAGE(B14:D14)"),
            ("A100 rent ($k)", *across("=@12*1.29*730/1000", c), "=SUM(B15:D15)"),
            ("H100 rent ($k)", *across("=@13*2.25*730/1000", c), "=SUM(B16:D16)"),
            ("H100 equivalents", *across("=@13+@12*312/989", c), "=AVERAGE(B17:D17)"),
            (),
            ("GPUs per researcher", *across("=@14/@3", c), "=E14/E3"),
            ("Compute share of spend", *across("=(@15+@16)/@21", c), "=(E15+E16)/E21"),
            ("Spend ($k)", *across("=@8+@9+@15+@16", c), "=SUM(B21:D21)"),
            ("Check, 4 GPUs a head", *across('=IF(@14>=4*@6,"ok","too few")', c)),
            (),
            ("Salaries are $k per year: 285 researcher, 230 engineer, 180 ops; rents $ per GPU-h, 730 h a month.",),
        ],
    )
    fmt(ws, "B20:E20", "0%")
    fmt(ws, "B8:E9", "#,##0.0")
    return wb


def bench_log() -> Workbook:
    """Benchmark log as a table with structured references and a summary by GPU."""
    wb, ws = first("log")
    head = (
        "Run",
        "GPU",
        "Batch",
        "In tok",
        "Out tok",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "mean ms",
        "tok/s",
        "ms/tok",
        "Tail",
    )
    data = [
        ("r01", "H100 80GB", 1, 512, 128, 905, 960, 1010, 912),
        ("r02", "H100 80GB", 8, 512, 128, 1120, 1240, 1395, 1138),
        ("r03", "H100 80GB", 32, 512, 128, 1790, 2105, 2480, 1834),
        ("r04", "A100 80GB", 1, 512, 128, 1490, 1570, 1655, 1502),
        ("r05", "A100 80GB", 8, 512, 128, 1855, 2050, 2290, 1880),
        ("r06", "A100 80GB", 32, 512, 128, 3120, 3610, 4240, 3190),
        ("r07", "H200 141GB", 8, 512, 128, 840, 925, 1030, 852),
        ("r08", "H200 141GB", 32, 512, 128, 1395, 1610, 1890, 1428),
    ]
    rows(ws, 1, [head, *data])
    for r in range(2, 10):
        ws[f"J{r}"] = "=RunLog[[#This Row],[Batch]]*RunLog[[#This Row],[Out tok]]/(RunLog[[#This Row],[mean ms]]/1000)"
        ws[f"K{r}"] = "=RunLog[[#This Row],[mean ms]]/RunLog[[#This Row],[Out tok]]"
        ws[f"L{r}"] = "=RunLog[[#This Row],[p99 ms]]/RunLog[[#This Row],[p50 ms]]"
    ws.add_table(Table(displayName="RunLog", ref="A1:L9"))
    s = wb.create_sheet("summary")
    rows(s, 1, [("GPU", "runs", "best tok/s", "mean of p95 (ms)", "worst p99 (s)", "tok/s at batch 8", "vs A100")])
    for r, gpu in ((2, "A100 80GB"), (3, "H100 80GB"), (4, "H200 141GB")):
        rows(
            s,
            r,
            [
                (
                    gpu,
                    f"=COUNTIF(RunLog[GPU],A{r})",
                    f"=SUMPRODUCT(MAX((RunLog[GPU]=A{r})*RunLog[tok/s]))",
                    f"=AVERAGEIFS(RunLog[p95 ms],RunLog[GPU],A{r})",
                    f"=SUMPRODUCT(MAX((RunLog[GPU]=A{r})*RunLog[p99 ms]))/1000",
                    f"=SUMIFS(RunLog[tok/s],RunLog[GPU],A{r},RunLog[Batch],8)",
                    f"=F{r}/F$2",
                )
            ],
        )
    rows(s, 6, [("all", "=SUM(B2:B4)", "=MAX(C2:C4)", "=AVERAGE(RunLog[p95 ms])", "=MAX(E2:E4)")])
    return wb


def token_prices() -> Workbook:
    """API price list with input and output prices per million tokens and monthly budgets."""
    wb, ws = first("API")
    rows(
        ws,
        1,
        [
            (
                "Hosted model",
                "Input, $/1M tok",
                "Output, $/1M tok",
                "Cached input, $/1M tok",
                "Cost per request ($)",
                "Cost per 1k requests ($)",
                "Monthly bill ($)",
                "Share of max",
            ),
            ("Small 8B", 0.06, 0.09, 0.03),
            ("Mid 8x7B", 0.24, 0.24, 0.12),
            ("Large 70B", 0.59, 0.79, 0.3),
            ("Frontier", 2.5, 10, 1.25),
        ],
    )
    for r in range(2, 6):
        e = f"=($B$9*(1-$B$10)*B{r}+$B$9*$B$10*D{r}+$B$11*C{r})/1e6"
        rows(ws, r, [(e, f"=E{r}*1000", f"=E{r}*$B$12*30.4", f"=G{r}/MAX(G$2:G$5)")], col=5)
    rows(
        ws,
        8,
        [
            ("Traffic",),
            ("Prompt tokens per request", 2400),
            ("Prefix cache hit rate", 0.45),
            ("Completion tokens per request", 380),
            ("Requests per day", 90000),
            ("Tokens per month, in (B)", "=B9*B12*30.4/1e9"),
            ("Tokens per month, out (B)", "=B11*B12*30.4/1e9"),
            ("Blended price, 70B ($ per 1M tokens)", "=G4/((B13+B14)*1000)"),
            (),
            ("Self-hosting 70B",),
            ("Nodes (8x H100)", 2),
            ("Rent per node-hour ($)", 19.2),
            ("Rent per month ($)", "=B18*B19*730"),
            ("Break-even requests per day", "=B20/(E4*30.4)"),
            ("Cheaper?", '=IF(B20<G4,"self-host","API")'),
        ],
    )
    fmt(ws, "E2:E5", '"$"0.0000')
    fmt(ws, "G2:G5", '"$"#,##0')
    fmt(ws, "H2:H5", "0%")
    fmt(ws, "B10", "0%")
    return wb


def diffusion() -> Workbook:
    """Image service: steps, MACs doubled to FLOP, cost per thousand images."""
    wb, ws = first("Images")
    rows(
        ws,
        1,
        [
            ("Text-to-image, 1024x1024", "Draft", "Standard", "Pro"),
            ("Denoising steps", 8, 28, 50),
            ("TMACs per U-Net pass", 2.99, 2.99, 2.99),
            ("CFG passes per step", 1, 2, 2),
            ("TFLOPs per image, U-Net", *across("=@2*@3*@4*2", "BCD")),
            ("TFLOPs per image, VAE + text", 5, 5, 5),
            ("TFLOPs per image", *across("=@5+@6", "BCD")),
            ("L40S dense peak (TFLOP/s)", 362, 362, 362),
            ("Efficiency", 0.31, 0.35, 0.36),
            ("Seconds per image", *across("=@7/(@8*@9)", "BCD")),
            ("Images per GPU-hour", *across("=3600/@10", "BCD")),
            ("Mix of demand", 0.5, 0.35, 0.15),
            ("Images/day", *across("=@12*$B$20", "BCD")),
            ("GPU-hours/day", *across("=@13/@11", "BCD")),
            ("Cost per 1000 images ($)", *across("=1000/@11*$B$21", "BCD")),
            (),
            ("Mix adds up", "=SUM(B12:D12)", '=IF(ABS(B17-1)<0.001,"OK","CHECK")'),
            ("GPU-hours/day, all", "=SUM(B14:D14)"),
            ("GPUs, peak hour 9 % of day, 80 % busy", "=ROUNDUP(B18*0.09/0.8,0)"),
            ("Images/day, all", 600000),
            ("L40S price, $ per GPU-hour", 0.86),
            ("Mean cost per image (ct)", "=SUMPRODUCT(B12:D12,B15:D15)/1000*100"),
            ("Storage at 1.6 MB per PNG (TB per month)", "=B20*1.6*30/1e6"),
        ],
    )
    fmt(ws, "B9:D9", "0%")
    fmt(ws, "B12:D12", "0%")
    return wb


def speech() -> Workbook:
    """Transcription with real-time factors, audio hours and GPU hours; units only in trailing words."""
    wb, ws = first("ASR")
    rows(
        ws,
        1,
        [
            ("Call-centre transcription",),
            ("Audio per day", 21000, "hours"),
            ("share in office hours (10 h)", 0.85),
            ("Peak audio in flight", "=B2*B3/10*1.4", "streams", "40 % above the office-hour mean"),
            ("Whisper-large RTF on L4", 0.025, None, "batched; seconds of GPU per second of audio"),
            ("Streams per L4, batch mode", "=1/B5", "streams"),
            ("L4 at 65 % load", "=ROUNDUP(B4/(B6*0.65),0)", "GPUs"),
            ("GPU time per day", "=B2*B5", "GPU-hours"),
            ("Mean fleet use", "=B8/(B7*24)"),
            ("L4 price", 0.71, "$/h"),
            ("Reserved fleet per day", "=B7*B10*24", "$"),
            ("Per audio hour", "=B11/B2*100", "cents"),
            ("Vendor API", 0.0043, "$ per audio minute"),
            ("Vendor per day", "=B2*60*B13", "$"),
            ("Saving per year", "=(B14-B11)*365/1e6", "M$"),
            (),
            ("Audio", "16 kHz, 16 bit, mono"),
            ("Bit rate", "=16*16", "kbit/s"),
            ("Byte rate", "=B18/8", "kB/s"),
            ("Audio hour", "=B19*3600/1000", "MB"),
            ("Archive 90 days, Opus 1:10", "=B2*90*B20/10/1e6", "TB"),
            ("Ingress at peak", "=B4*B18/1000", "Mbit/s"),
            ("Power, fleet", "=B7*72/1000", "kW", "72 W TDP each, host not counted"),
        ],
    )
    fmt(ws, "B3", "0%")
    fmt(ws, "B9", "0%")
    return wb


def recommender() -> Workbook:
    """Embedding tables summed per table, lookup traffic and shards."""
    wb, ws = first("Embeddings")
    rows(
        ws,
        1,
        [
            ("Table", "Rows (M)", "Dim", "Bytes/elem", "Size (GB)", "Lookups per sample", "Read per sample (kB)"),
            ("user_id", 320, 128, 2, "=B2*C2*D2/1000", 1, "=C2*D2*F2/1000"),
            ("item_id", 95, 128, 2, "=B3*C3*D3/1000", 60, "=C3*D3*F3/1000"),
            ("category", 0.04, 64, 4, "=B4*C4*D4/1000", 8, "=C4*D4*F4/1000"),
            ("query", 40, 96, 2, "=B5*C5*D5/1000", 12, "=C5*D5*F5/1000"),
            ("geo", 2.1, 32, 4, "=B6*C6*D6/1000", 2, "=C6*D6*F6/1000"),
            ("Total", "=SUM(B2:B6)", None, None, "=SUM(E2:E6)", "=SUM(F2:F6)", "=SUM(G2:G6)"),
            (),
            ("Size in GiB", None, None, None, "=E7*1e9/2^30"),
            ("Candidates ranked per request", None, None, None, 400),
            ("Requests per second, peak", None, None, None, 18000),
            ("Samples/s (M)", None, None, None, "=E10*E11/1e6"),
            ("Embedding reads (GB/s)", None, None, None, "=E12*G7*1000/1000"),
            ("HBM per A100 SXM 80 GB, usable 85 %", None, None, None, "=80*0.85"),
            ("Effective gather rate, 30 % of 2039 GB/s", None, None, None, "=0.3*2039"),
            ("GPUs for capacity", None, None, None, "=ROUNDUP(E7/E14,0)"),
            ("GPUs for bandwidth", None, None, None, "=ROUNDUP(E13/E15,0)"),
            ("GPUs", None, None, None, "=MAX(E16,E17)"),
            ("MLP MMACs per sample", None, None, None, 14),
            ("MLP TFLOP/s at peak", None, None, None, "=E19*2*E12"),
            ("of BF16 peak of those GPUs", None, None, None, "=E20/(E18*312)"),
        ],
    )
    fmt(ws, "E21", "0%")
    return wb


def tinyml() -> Workbook:
    """Battery life of a sensor node: µJ, mW, mAh, KB of flash."""
    wb, ws = first("Keyword spotter")
    rows(
        ws,
        1,
        [
            ("Parameter", "Sym", "Cortex-M4", "Cortex-M55+NPU", "[unit]"),
            ("Model weights (int8)", "P", 52, 52, "k params"),
            ("Flash for weights", "", "=C2*1000/1024", "=D2*1000/1024", "KiB"),
            ("Tensor arena", "", 28, 36, "KiB"),
            ("MACs per inference", "M", 2.8, 2.8, "M"),
            ("Ops per inference", "", "=2*C5", "=2*D5", "MOP"),
            ("Clock", "f", 80, 160, "MHz"),
            ("MACs per cycle", "", 0.42, 24, ""),
            ("Inference time", "t", "=C5/(C7*C8)*1000", "=D5/(D7*D8)*1000", "ms"),
            ("Active power", "Pa", 21, 34, "mW"),
            ("Energy per inference", "E", "=C10*C9", "=D10*D9", "µJ"),
            ("Inferences per second", "r", 4, 4, "1/s"),
            ("Mean inference power", "", "=C11*C12/1000", "=D11*D12/1000", "mW"),
            ("Duty cycle", "", "=C9/1000*C12", "=D9/1000*D12", "-"),
            ("Sleep power", "Ps", 9, 14, "µW"),
            ("Mic and codec", "", 0.6, 0.6, "mW"),
            ("Mean power", "", "=C13+C15/1000*(1-C14)+C16", "=D13+D15/1000*(1-D14)+D16", "mW"),
            ("Battery", "", 1200, 1200, "mAh"),
            ("Cell voltage", "", 3, 3, "V"),
            ("Usable", "", 0.85, 0.85, "-"),
            ("Battery energy", "", "=C18*C19*C20/1000", "=D18*D19*D20/1000", "Wh"),
            ("Life", "", "=C21*1000/C17/24", "=D21*1000/D17/24", "d"),
            ("Life", "", "=C22/30.4", "=D22/30.4", "mo"),
            (
                "Fits 1 MB flash, 256 KB RAM?",
                "",
                '=IF(AND(C3<1024*0.8,C4<256),"y","n")',
                '=IF(AND(D3<1024*0.8,D4<256),"y","n")',
            ),
        ],
    )
    return wb


def kapazitaet_de() -> Workbook:
    """German sheet: GPU demand of a language service by year."""
    wb, ws = first("Kapazität")
    c = "CDE"
    rows(
        ws,
        1,
        [
            ("Kapazitätsplanung Sprachdienst", "Einheit", "Jahr 1", "Jahr 2", "Jahr 3"),
            ("Nutzer", "Tsd.", 35, 60, 85),
            ("Wachstum ggü. Vorjahr", "%", None, "=(D2/C2-1)*100", "=(E2/D2-1)*100"),
            ("Anfragen je Nutzer und Arbeitstag", "", 14, 16, 18),
            ("Anfragen je Arbeitstag", "Mio.", *across("=@2*1000*@4/1000000", c)),
            ("Ausgabe-Token je Anfrage", "", 260, 280, 280),
            ("Anteil der Spitzenstunde", "%", 14, 14, 13),
            ("Spitzenlast", "Token/s", *across("=@5*1000000*@6*@7/100/3600", c)),
            ("Durchsatz je GPU (H200 141 GB)", "Token/s", 850, 850, 1000),
            ("Auslastung", "%", 70, 70, 75),
            ("Benötigte GPUs", "Stk.", *across("=ROUNDUP(@8/(@9*@10/100),0)", c)),
            ("Server zu 8 GPUs", "Stk.", *across("=ROUNDUP(@11/8,0)", c)),
            ("Installierte GPUs", "Stk.", *across("=@12*8", c)),
            ("HBM gesamt", "TB", *across("=@13*141/1000", c)),
            ("Mietpreis je Server und Monat", "EUR", 16500, 15900, 15200),
            ("Kosten pro Jahr", "T€", *across("=@12*@15*12/1000", c)),
            ("Arbeitstage", "d/a", 250, 250, 250),
            ("Kosten je 1000 Anfragen", "€", *across("=@16*1000/(@5*1000000*@17)*1000", c)),
            (),
            ("Summe über drei Jahre", "T€", "=SUM(C16:E16)"),
            ("Mittlere Kosten pro Jahr", "T€", "=AVERAGE(C16:E16)"),
            ("Hinweis: Preise ohne USt.; Spitzenstunde werktags 10 bis 11 Uhr, 1 Token entspricht rund 4 Zeichen.",),
        ],
    )
    return wb


def strom_de() -> Workbook:
    """German sheet: electricity of a computer room by load case."""
    wb, ws = first("Strom")
    rows(
        ws,
        1,
        [
            (
                "Verbraucher",
                "Anzahl",
                "Leistung je Gerät [W]",
                "Auslastung",
                "Leistung [kW]",
                "Energie [MWh/a]",
                "Kosten [€/a]",
            ),
            ("GPU H100 SXM 80 GB", 128, 700, 0.78),
            ("GPU L40S", 48, 350, 0.55),
            ("Server-Grundlast", 28, 1900, 0.9),
            ("Netzwerk-Switche", 14, 950, 1),
            ("Speicher", 6, 1400, 1),
        ],
    )
    for r in range(2, 7):
        rows(ws, r, [(f"=B{r}*C{r}*D{r}/1000", f"=E{r}*8760/1000", f"=F{r}*1000*$J$2/100")], col=5)
    rows(
        ws,
        7,
        [
            ("Summe IT", None, None, None, "=SUM(E2:E6)", "=SUM(F2:F6)", "=SUM(G2:G6)"),
            ("Kühlung und Verluste", None, None, None, "=E7*($J$3-1)", "=F7*($J$3-1)", "=G7*($J$3-1)"),
            ("Summe Rechenzentrum", None, None, None, "=E7+E8", "=F7+F8", "=G7+G8"),
            (),
            ("je Monat", None, None, None, None, "=F9/12", "=G9/12"),
            ("Kontrolle", None, None, None, '=IF(ABS(E9/E7-J3)<0.001,"i.O.","Fehler")'),
            ("CO2 (t/a)", None, None, None, None, "=F9*1000*J4/1000/1000"),
            ("Abwärme nutzbar (MWh/a)", None, None, None, None, "=F7*0.6"),
            ("Anschlusswert mit 20 % Reserve (kVA)", None, None, None, "=E9*1.2/0.95"),
            ("Stromkosten je GPU und Monat (€)", None, None, None, None, None, "=G9/12/SUM(B2:B3)"),
        ],
    )
    rows(
        ws,
        1,
        [
            ("Annahmen", "", ""),
            ("Strompreis", 19.8, "ct/kWh"),
            ("PUE", 1.28, ""),
            ("Emissionsfaktor", 380, "g/kWh"),
        ],
        col=9,
    )
    fmt(ws, "D2:D6", "0%")
    fmt(ws, "E2:F9", "#,##0.0")
    fmt(ws, "G2:G9", '#,##0 "€"')
    return wb


def cout_fr() -> Workbook:
    """French sheet: purchase against rent with depreciation."""
    wb, ws = first("Coûts")
    c = "CDEF"
    rows(
        ws,
        1,
        [
            ("Coût de possession - 4 serveurs 8x H100 80 Go",),
            ("Hypothèses", "Valeur", "Unité"),
            ("Prix d'un serveur", 248, "k€"),
            ("Nombre de serveurs", 4, ""),
            ("Durée d'amortissement", 4, "ans"),
            ("Puissance par serveur", 7.8, "kW"),
            ("PUE", 1.25, ""),
            ("Électricité", 0.145, "€/kWh"),
            ("Maintenance annuelle", 0.08, "du prix d'achat"),
            ("Location, par GPU et par heure", 2.4, "€"),
            ("Taux d'utilisation", 0.7, ""),
            (),
            ("en k€", None, "Année 1", "Année 2", "Année 3", "Année 4", "Total"),
            ("Amortissement", None, *across("=$B$3*$B$4/$B$5", c), "=SUM(C14:F14)"),
            ("Valeur nette comptable", "=B3*B4", *across("=~15-@14", c)),
            ("Énergie", None, *across("=$B$4*$B$6*$B$7*8760*$B$8/1000", c), "=SUM(C16:F16)"),
            ("Maintenance", None, *across("=$B$3*$B$4*$B$9", c), "=SUM(C17:F17)"),
            ("Coût annuel", None, *across("=@14+@16+@17", c), "=SUM(C18:F18)"),
            ("Location équivalente", None, *across("=$B$4*8*8760*$B$11*$B$10/1000", c), "=SUM(C19:F19)"),
            ("Économie", None, *across("=@19-@18", c), "=SUM(C20:F20)"),
            ("Coût par heure-GPU utilisée (€)", None, *across("=@18*1000/($B$4*8*8760*$B$11)", c), "=AVERAGE(C21:F21)"),
            ("Mémoire totale (To)", "=B4*8*80/1000"),
            ("Remarque : les loyers cloud baissent d'environ 10 % par an, effet non compté ici.",),
        ],
    )
    fmt(ws, "B11", "0%")
    fmt(ws, "B9", "0%")
    return wb


def reseau_fr() -> Workbook:
    """French sheet: storage and network of a training cluster, octets and bits."""
    wb, ws = first("Données")
    rows(
        ws,
        1,
        [
            (
                "Jeu de données",
                "Volume (To)",
                "Nb de fichiers (millions)",
                "Taille moyenne (Mo)",
                "Époques",
                "Lu au total (To)",
                "Part",
            ),
            ("Texte web", 42, 0.9, "=B2*1e6/(C2*1e6)", 1, "=B2*E2", "=F2/F$6"),
            ("Code source", 6.5, 0.35, "=B3*1e6/(C3*1e6)", 2, "=B3*E3", "=F3/F$6"),
            ("Images", 118, 610, "=B4*1e6/(C4*1e6)", 3, "=B4*E4", "=F4/F$6"),
            ("Parole", 27, 14, "=B5*1e6/(C5*1e6)", 4, "=B5*E5", "=F5/F$6"),
            ("Total", "=SUM(B2:B5)", "=SUM(C2:C5)", "=B6*1e6/(C6*1e6)", None, "=SUM(F2:F5)", "=SUM(G2:G5)"),
            (),
            ("Durée de l'entraînement", 21, "jours"),
            ("Débit moyen de lecture", "=F6*1000/(B8*24*3600)", "Go/s"),
            ("soit", "=B9*8", "Gbit/s"),
            ("Débit de pointe (x6)", "=B10*6", "Gbit/s"),
            ("Liens 25 Gbit/s à 80 %", "=ROUNDUP(B11/(25*0.8),0)", "liens"),
            ("Copie initiale sur 10 Gbit/s (90 %)", "=B6*1000*8/(10*0.9)/3600", "heures"),
            ("Réplication", 3, "copies"),
            ("Capacité brute, 80 % de remplissage", "=B6*B14/0.8", "To"),
            ("Capacité brute", "=B15*1e12/1024^4", "Tio"),
            ("Disques NVMe 15,36 To", "=ROUNDUP(B15/15.36,0)", "disques"),
            ("Prix par To brut", 95, "€"),
            ("Budget disques", "=B17*15.36*B18/1000", "k€"),
        ],
    )
    fmt(ws, "G2:G6", "0.0%")
    return wb


def mlsim_serving() -> Workbook:
    """Latency from library functions, milliseconds turned into rates and nodes."""
    wb, ws = first("Serving")
    rows(
        ws,
        1,
        [
            ("Serving estimate by batch", "", "", ""),
            ("Model", "Llama-3-70B"),
            ("GPU", "H100"),
            ("Context (tokens)", 4096),
            (),
            (
                "Batch",
                "Decode step (ms)",
                "tok/s per replica",
                "tok/s per user",
                "Time for 300 tokens (s)",
                "Within 15 s?",
            ),
        ],
    )
    for r, batch in enumerate((1, 4, 16, 32), 7):
        rows(
            ws,
            r,
            [
                (
                    batch,
                    f"=MLSIM_DECODE_LATENCY($B$2,$B$3,A{r},$B$4)",
                    f"=A{r}*1000/B{r}",
                    f"=1000/B{r}",
                    f"=300*B{r}/1000",
                    f'=IF(E{r}<=15,"yes","no")',
                )
            ],
        )
    rows(
        ws,
        12,
        [
            ("Weights (GB)", "=MLSIM_WEIGHTS(B2)"),
            ("Weights (GiB)", "=B12*1e9/1024^3"),
            ("GPUs to hold weights + 30 %", "=ROUNDUP(B12*1.3/80,0)"),
            ("Demand (tok/s)", 5200),
            ("Replicas at batch 16", '=IFERROR(ROUNDUP(B15/C9,0),"n/a")'),
            ("Load from disk at 6 GB/s (s)", "=B12/6"),
            ("8B on L4, batch 1 (ms)", '=MLSIM_DECODE_LATENCY("Llama-3-8B","L4",1,2048)'),
            ("70B vs 8B weights", '=B12/MLSIM_WEIGHTS("Llama-3-8B")'),
        ],
    )
    return wb


def edge_cameras() -> Workbook:
    """Video analytics at shops: bit rates, frames, retention, boxes and uplink."""
    wb, ws = first("Stores")
    rows(
        ws,
        1,
        [
            ("(one store each)", "Small store", "Medium store", "Flagship", "", "All stores"),
            ("Stores", 140, 60, 8, None, "=SUM(B2:D2)"),
            ("Cameras", 6, 14, 40, None, "=SUMPRODUCT(B2:D2,B3:D3)"),
            ("Stream, Mb/s", 4, 4, 6),
            ("LAN ingest, Mb/s", *across("=@3*@4", "BCD"), None, "=SUMPRODUCT(B2:D2,B5:D5)"),
            ("Per camera and day, GB", *across("=@4/8*86400/1000", "BCD")),
            ("Retention, days", 14, 14, 30),
            ("Disk, TB", *across("=@3*@6*@7/1000", "BCD"), None, "=SUMPRODUCT(B2:D2,B8:D8)"),
            ("Analysed fps per camera", 5, 5, 10),
            ("Frames/s", *across("=@3*@9", "BCD"), None, "=SUMPRODUCT(B2:D2,B10:D10)"),
            ("GMACs per frame (detector)", 14.3, 14.3, 14.3),
            ("TOPS needed, 25 % efficiency", *across("=@10*@11*2/1000/0.25", "BCD")),
            ("Box rating, TOPS int8 dense", 40, 40, 40),
            ("Boxes", *across("=ROUNDUP(@12/@13,0)", "BCD"), None, "=SUMPRODUCT(B2:D2,B14:D14)"),
            ("Box power, W", 25, 25, 25),
            ("Energy per year, kWh", *across("=@14*@15*8760/1000", "BCD"), None, "=SUMPRODUCT(B2:D2,B16:D16)"),
            ("Box price, $", 690, 690, 690),
            ("Capex, all stores of the type, k$", *across("=@2*@14*@17/1000", "BCD"), None, "=SUM(B18:D18)"),
            ("Events uploaded per hour", 90, 240, 1100, None, "=SUMPRODUCT(B2:D2,B19:D19)"),
            ("Clip size, MB", 1.8, 1.8, 1.8),
            ("Mean uplink, kb/s", *across("=@19*@20*1000*8/3600", "BCD"), None, "=SUMPRODUCT(B2:D2,B21:D21)"),
        ],
    )
    fmt(ws, "B16:F16", "#,##0")
    return wb


def chargeback() -> Workbook:
    """Usage by team with SUMIFS, shares and a fixed cost split."""
    wb, u = first("Usage")
    rows(
        u,
        1,
        [
            ("Team", "Partition", "Jobs", "GPU-h", "Avg GPUs", "Wall h"),
            ("Search", "h100-80g", 310, 18400, 8),
            ("Search", "a100-80g", 120, 5200, 4),
            ("Ads", "h100-80g", 95, 26100, 32),
            ("Vision", "h100-80g", 60, 9900, 16),
            ("Vision", "l40s-48g", 840, 7300, 1),
            ("Speech", "a100-80g", 205, 11050, 8),
        ],
    )
    for r in range(2, 8):
        u[f"F{r}"] = f"=D{r}/E{r}"
    rows(u, 8, [("Sum", None, "=SUM(C2:C7)", "=SUM(D2:D7)", "=D8/F8", "=SUM(F2:F7)")])
    p = wb.create_sheet("Rates")
    rows(
        p,
        1,
        [
            ("Partition", "USD/GPU-h", "GPUs", "Sold, GPU-h", "Available, GPU-h", "Utilisation"),
            ("h100-80g", 2.2, 96),
            ("a100-80g", 1.15, 32),
            ("l40s-48g", 0.7, 16),
        ],
    )
    for r in range(2, 5):
        rows(p, r, [(f"=SUMIFS(Usage!D$2:D$7,Usage!B$2:B$7,A{r})", f"=C{r}*730", f"=D{r}/E{r}")], col=4)
    rows(p, 5, [("Total", "=SUMPRODUCT(B2:B4,D2:D4)/D5", "=SUM(C2:C4)", "=SUM(D2:D4)", "=SUM(E2:E4)", "=D5/E5")])
    b = wb.create_sheet("Bill")
    rows(b, 1, [("Team", "GPU-h", "Usage, $", "Share", "Fixed, $", "Invoice, $", "$ per GPU-h")])
    for r, team in enumerate(("Search", "Ads", "Vision", "Speech"), 2):
        one = f"SUMPRODUCT((Usage!A$2:A$7=A{r})*Usage!D$2:D$7*SUMIF(Rates!A$2:A$4,Usage!B$2:B$7,Rates!B$2:B$4))"
        rows(
            b,
            r,
            [
                (
                    team,
                    f"=SUMIFS(Usage!D$2:D$7,Usage!A$2:A$7,A{r})",
                    f"={one}",
                    f"=C{r}/C$6",
                    f"=D{r}*$B$8",
                    f"=C{r}+E{r}",
                    f"=F{r}/B{r}",
                )
            ],
        )
    rows(
        b,
        6,
        [
            ("Total", "=SUM(B2:B5)", "=SUM(C2:C5)", "=SUM(D2:D5)", "=SUM(E2:E5)", "=SUM(F2:F5)", "=F6/B6"),
            (),
            ("Fixed cost of the month", 21000, "network, storage, 1.2 FTE"),
            ("Check", '=IF(ABS(E6-B8)<1,"balanced","off")'),
            ("Hours match", "=B6-Usage!D8"),
        ],
    )
    fmt(p, "F2:F5", "0.0%")
    fmt(b, "D2:D6", "0.0%")
    return wb


def racks() -> Workbook:
    """Rack layout: devices per node, nodes per rack, power limits; scenarios with numbers in their names."""
    wb, ws = first("Racks")
    ws.merge_cells("C2:E2")
    ws["C2"] = "Scenario"
    c = "CDE"
    rows(
        ws,
        3,
        [
            ("", "", "S1: 1000 GPUs", "S2: 2000 GPUs", "S3: 4000 GPUs"),
            ("GPUs wanted", "", 1000, 2000, 4000),
            ("GPUs per node", "", 8, 8, 8),
            ("Nodes", "", *across("=CEILING(@4/@5,1)", c)),
            ("GPU power", "W", 700, 700, 700),
            ("Rest of node", "W", 3600, 3600, 3600),
            ("Node power", "kW", *across("=(@7*@5+@8)/1000", c)),
            ("Rack budget", "kW", 40, 40, 60),
            ("Derating (80 % rule)", "", 0.8, 0.8, 0.8),
            ("Nodes per rack", "", *across("=ROUNDDOWN(@10*@11/@9,0)", c)),
            ("Racks", "", *across("=ROUNDUP(@6/@12,0)", c)),
            ("Node height", "U", 8, 8, 8),
            ("Height used per rack", "U", *across("=@12*@14+4", c)),
            ("fits 48U?", "", *across('=IF(@15<=48,"fits","too tall")', c)),
            ("IT load", "MW", *across("=@6*@9/1000", c)),
            ("Leaf switches (64 ports x 400G, half down)", "", *across("=ROUNDUP(@6*8/32,0)", c)),
            ("Spine switches", "", *across("=ROUNDUP(@18*32/64,0)", c)),
            ("Optics (2 per cable, node-leaf and leaf-spine)", "", *across("=(@6*8+@18*32)*2", c)),
            ("Optics power at 12 W", "kW", *across("=@20*12/1000", c)),
            ("Switch power at 1.7 kW", "kW", *across("=(@18+@19)*1.7", c)),
            ("IT load with fabric", "MW", *across("=@17+(@21+@22)/1000", c)),
            ("BF16 dense peak", "EFLOP/s", *across("=@6*@5*989/1e6", c)),
            ("HBM", "TB", *across("=@6*@5*80/1000", c)),
            ("Bisection, per direction", "TB/s", *across("=@6*8*400/8/2/1000", c)),
        ],
    )
    return wb


BOOKS: tuple[Book, ...] = tuple(
    Book(name=f"clean_{label}", build=build, seeds=())
    for label, build in (
        ("gpu_matrix", gpu_matrix),
        ("fleet_quarters", fleet_quarters),
        ("training_runs", training_runs),
        ("kv_cache", kv_cache),
        ("tco_buy_rent", tco_buy_rent),
        ("currency_quotes", currency_quotes),
        ("power_months", power_months),
        ("water_carbon", water_carbon),
        ("links", links),
        ("checkpoints", checkpoints),
        ("erlang_calls", erlang_calls),
        ("hiring_gpus", hiring_gpus),
        ("bench_log", bench_log),
        ("token_prices", token_prices),
        ("diffusion", diffusion),
        ("speech", speech),
        ("recommender", recommender),
        ("tinyml", tinyml),
        ("kapazitaet_de", kapazitaet_de),
        ("strom_de", strom_de),
        ("cout_fr", cout_fr),
        ("reseau_fr", reseau_fr),
        ("mlsim_serving", mlsim_serving),
        ("edge_cameras", edge_cameras),
        ("chargeback", chargeback),
        ("racks", racks),
    )
)
