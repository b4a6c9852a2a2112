"""Planning workbooks: memory fit, training, ownership cost, fleet, carbon, network, storage, chips, data."""

from __future__ import annotations

from datetime import date, timedelta

from openpyxl import Workbook

from .book import Book
from .making import bold, define, down, first, fmt, refmt, rows, seed, sheet, table

__all__ = ["BOOKS"]


def hbm_fit() -> Workbook:
    """Label, value, unit lists: does a dense model with its KV cache fit, and on how many GPUs."""
    wb, ws = first("Inputs")
    rows(ws, "A1", [["HBM sizing – Llama-3-70B on H100 SXM"], ["Capacity team, 2025-03-14"]])
    rows(ws, "A4", [
        ["Item", "Value", "Unit", "Note"],
        ["Parameters", 70.6, "billion", "model card"],
        ["Bytes per parameter", 2, "bytes", "bf16; fp8 would halve the weights"],
        ["Layers", 80],
        ["Attention heads", 64],
        ["KV heads", 8, None, "grouped-query attention"],
        ["Head dimension", 128],
        ["Bytes per KV element", 2, "bytes"],
        ["Context length", 8192, "tokens", "per user, worst case"],
        ["Concurrent users", 32, "users"],
        ["HBM per GPU", 80, "GB", "as on the data sheet"],
        ["Memory bandwidth (H100 SXM)", 3.35, "TB/s"],
        ["GPU memory utilisation", 0.9, None, "vLLM default; the rest of the HBM stays free"],
        ["Runtime reserve per GPU", 6, "GB"],
        ["Bytes per GiB", "=1024^3", "bytes"],
    ])  # fmt: skip
    fmt(ws, "B16", "0%")
    bold(ws, "A1 A4:D4")
    ws = sheet(wb, "Sizing")
    rows(ws, "A1", [
        ["Quantity", "Value", "Unit"],
        ["Weights", "=Inputs!B5*Inputs!B6", "GB"],
        ["KV cache per token", "=2*Inputs!B7*Inputs!B9*Inputs!B10*Inputs!B11", "bytes"],
        ["KV cache per user", "=B3*Inputs!B12/1e9", "GB"],
        ["KV cache, all users", "=B4*Inputs!B13", "GB"],
        ["KV cache, all users", "=B3*Inputs!B12*Inputs!B13/Inputs!B18", "GiB"],
        ["Activations and graphs", 4, "GB"],
        ["Memory needed", "=B2+B5+B7", "GB"],
        ["Usable per GPU", "=Inputs!B14*Inputs!B16-Inputs!B17", "GB"],
        ["GPUs needed", "=ROUNDUP(B8/B9,0)", "GPUs"],
        ["GPUs bought (power of two)", "=IF(B10<=1,1,IF(B10<=2,2,IF(B10<=4,4,8)))", "GPUs"],
        ["Memory per GPU", "=B8/B11", "GB"],
        ["Share of HBM used", "=B12/Inputs!B14"],
        ["Decode step, bandwidth floor", "=(B2+B5)/(B11*Inputs!B15*1000)*1000", "ms"],
        ["Share of weights", "=B2/B8"],
        ["Share of KV cache", "=B5/B8"],
        ["Share of the rest", "=B7/B8"],
        ["All shares (check)", "=SUM(B15:B17)"],
    ])  # fmt: skip
    fmt(ws, "B13 B15:B18", "0.0%")
    fmt(ws, "B2 B4:B9 B12 B14", "0.0")
    ws = sheet(wb, "Sweep")
    rows(
        ws,
        "A1",
        [["Context (tokens)", "Users", "KV cache (GB)", "KV cache (GiB)", "Memory (GB)", "GPUs", "Fits a node"]],
    )
    down(ws, "A2", 7, lambda i: 2048 * 2**i, lambda i: 32, "=Sizing!$B$3*A{r}*B{r}/1e9", "=C{r}*1e9/1024^3",
         "=Sizing!$B$2+C{r}+Sizing!$B$7", "=ROUNDUP(E{r}/Sizing!$B$9,0)", '=IF(F{r}<=8,"yes","no")')  # fmt: skip
    return wb


HBM_FIT = (
    seed("binary-prefix", "Sizing!B8", "=B2+B6+B7", "B6"),
    seed("binary-prefix", "Sweep!E4", "=Sizing!$B$2+D4+Sizing!$B$7"),
    seed("binary-prefix", "Sizing!C5", "GiB", "B5", "B8", "B14"),
    seed("binary-prefix", "Sweep!D6", "=C6"),
    seed("params-bytes", "Sizing!B2", "=Inputs!B5", "Sizing!B8", "B14"),
    seed("params-bytes", "Sizing!B8", "=Inputs!B5+B5+B7"),
    seed("kv-factor", "Sizing!B3", "=Inputs!B7*Inputs!B9*Inputs!B10*Inputs!B11"),
    seed("kv-heads", "Sizing!B3", "=2*Inputs!B7*Inputs!B8*Inputs!B10*Inputs!B11"),
    seed("user-total", "Sizing!B8", "=B2+B4+B7", "B4"),
    seed("percent", "Inputs!B16", 90, "Sizing!B9"),
    seed("bare-number", "Sizing!B8", "=B2+B5+B7+10"),
    seed("mixed-sum", "Sizing!B8", "=SUM(B2:B7)"),
    seed("registry", "Inputs!B15", 2.5),
    seed("unit-contradiction", "Inputs!A14", "HBM per GPU (MB)", "B14", "C14"),
    seed("time-scale", "Sizing!B14", "=(B2+B5)/(B11*Inputs!B15*1000)"),
    seed("above-limit", "Inputs!B16", 1.25, "Sizing!B9"),
)


def tco_finance() -> Workbook:
    """A bill of materials as an Excel table, assumptions and the yearly cost of ownership."""
    wb, ws = first("Assumptions")
    rows(ws, "A1", [
        ["TCO of 32 DGX H100 nodes, assumptions"],
        ["GPUs per node", 8, "GPUs/node"],
        ["Nodes", 32, "nodes"],
        ["GPUs", "=B2*B3", "GPUs"],
        ["Depreciation period", 5, "years"],
        ["Hours per year", 8760, "h"],
        ["PUE", 1.3],
        ["Electricity price", 0.09, "$/kWh"],
        ["Average load of IT power", 0.75],
        ["Utilisation (share of GPU-hours sold)", 0.65],
        ["Maintenance, share of capex a year", 0.08],
        ["Staff", 900000, "$/year"],
        ["Exchange rate of 2025-06-30", 0.853, "EUR/USD"],
        ["Grid carbon intensity", 380, "g CO₂e/kWh"],
        ["Colocation", 145, "$/kW/month"],
        ["Months per year", 12],
    ])  # fmt: skip
    fmt(ws, "B9:B11", "0%")
    fmt(ws, "B12", "#,##0")
    ws = sheet(wb, "BoM")
    rows(ws, "A1", [
        ["Item", "Qty", "Price USD", "Cost USD", "Unit power kW", "Power kW"],
        *([n, q, p, "=BoM[[#This Row],[Qty]]*BoM[[#This Row],[Price USD]]", k,
           "=BoM[[#This Row],[Qty]]*BoM[[#This Row],[Unit power kW]]"] for n, q, p, k in [
            ("DGX H100 node", 32, 285000, 10.2), ("Leaf switch", 16, 24000, 0.9), ("Spine switch", 8, 52000, 1.6),
            ("Storage server", 6, 61000, 1.1), ("Management node", 4, 9500, 0.5), ("Cables and racks", 1, 180000, 0)]),
    ])  # fmt: skip
    table(ws, "BoM", "A1:F7")
    rows(ws, "A9", [["Total", None, None, "=SUM(BoM[Cost USD])", None, "=SUM(BoM[Power kW])"]])
    fmt(ws, "C2:D9", "$#,##0")
    fmt(ws, "E2:F9", "0.0")
    ws = sheet(wb, "TCO")
    rows(ws, "A1", [
        ["Line", "Amount", "Unit"],
        ["Capex", "=BoM!D9", "$"],
        ["Depreciation", "=B2/Assumptions!B5", "$/year"],
        ["Maintenance", "=B2*Assumptions!B11", "$/year"],
        ["IT power, average", "=BoM!F9*Assumptions!B9", "kW"],
        ["IT energy", "=B5*Assumptions!B6", "kWh/year"],
        ["Facility energy", "=B6*Assumptions!B7", "kWh/year"],
        ["Electricity", "=B7*Assumptions!B8", "$/year"],
        ["Colocation", "=BoM!F9*Assumptions!B15*Assumptions!B16", "$/year"],
        ["Staff", "=Assumptions!B12", "$/year"],
        ["Total cost", "=B3+B4+B8+B9+B10", "$/year"],
        ["Total cost", "=B11/Assumptions!B16", "$/month"],
        ["GPU-hours available", "=Assumptions!B4*Assumptions!B6", "GPU-h/year"],
        ["GPU-hours sold", "=B13*Assumptions!B10", "GPU-h/year"],
        ["Cost per GPU-hour sold", "=B11/B14", "$/GPU-h"],
        ["Cost per node-hour sold", "=B15*Assumptions!B2", "$/node-h"],
        ["Total cost", "=B11*Assumptions!B13", "EUR/year"],
        ["Emissions", "=B7*Assumptions!B14/1e6", "t CO₂e/year"],
        ["Total over the depreciation period", "=B11*Assumptions!B5", "$"],
        ["Share of depreciation", "=B3/B11"],
        ["Share of electricity", "=B8/B11"],
        ["Share of colocation", "=B9/B11"],
    ])  # fmt: skip
    fmt(ws, "B2:B14 B17:B19", "#,##0")
    fmt(ws, "B15:B16", "#,##0.00")
    fmt(ws, "B20:B22", "0.0%")
    return wb


TCO_FINANCE = (
    seed("money-rate", "TCO!B11", "=B2+B4+B8+B9+B10"),
    seed("money-rate", "TCO!B11", "=B3+B4+Assumptions!B8+B9+B10"),
    seed("power-energy", "TCO!B8", "=B5*Assumptions!B7*Assumptions!B8"),
    seed("power-energy", "TCO!C6", "kW", "B6", "B7", "B8"),
    seed("facility-energy", "TCO!B8", "=B6*Assumptions!B8"),
    seed("facility-energy", "TCO!B8", "=B7*Assumptions!B7*Assumptions!B8"),
    seed("calendar", "TCO!B6", "=B5*730"),
    seed("calendar", "TCO!B9", "=BoM!F9*Assumptions!B15", "B11"),
    seed("calendar", "TCO!B12", "=B11/365"),
    seed("device-scope", "TCO!B13", "=Assumptions!B3*Assumptions!B6"),
    seed("device-scope", "TCO!B16", "=B15"),
    seed("device-hours", "TCO!B15", "=B11/Assumptions!B6"),
    seed("currency", "Assumptions!C12", "€/year", "B12", "TCO!B10", "TCO!B11"),
    seed("currency", "TCO!B12", "=B17/Assumptions!B16"),
    seed("carbon-scale", "TCO!B18", "=B7*Assumptions!B14/1e3"),
    seed("carbon-scale", "Assumptions!C14", "kg CO₂e/kWh", "B14", "TCO!B18"),
    seed("percent", "Assumptions!B11", 8, "TCO!B4"),
    seed("mixed-sum", "TCO!B11", "=SUM(B3:B10)"),
)


def training_mfu() -> Workbook:
    """Scenario columns of a bf16 pretraining run, and a daily log of the dense 70B run."""
    wb, ws = first("Run")
    rows(ws, "A1", [["Pretraining in bf16 on H100 SXM: time, cost, carbon"]])
    plan = [
        ("Parameters, total", "billion", 8.03, 70.6, 46.7),
        ("Parameters, active per token", "billion", 8.03, 70.6, 12.9),
        ("Training tokens", "billion tokens", 1500, 2000, 1000),
        ("Training compute", "FLOP", "=6*{c}5*1e9*{c}6*1e9"),
        ("GPU", None, "H100 SXM", "H100 SXM", "H100 SXM"),
        ("GPUs", "GPUs", 1024, 2048, 512),
        ("Peak bf16 dense", "TFLOP/s per GPU", 989, 989, 989),
        ("Peak bf16 sparse", "TFLOP/s per GPU", 1979, 1979, 1979),
        ("Peak fp8 dense", "TFLOP/s per GPU", 1979, 1979, 1979),
        ("MFU (bf16)", None, 0.41, 0.41, 0.33),
        ("Achieved", "TFLOP/s per GPU", "={c}10*{c}13"),
        ("Achieved, cluster", "PFLOP/s", "={c}14*{c}9/1000"),
        ("Time", "s", "={c}7/({c}15*1e15)"),
        ("Time", "days", "={c}16/86400"),
        ("GPU-hours", "GPU-h", "={c}16/3600*{c}9"),
        ("Price", "$/GPU-h", 2.49, 2.49, 2.49),
        ("Compute cost", "$", "={c}18*{c}19"),
        ("Throughput", "tokens/s", "={c}6*1e9/{c}16"),
        ("Throughput per GPU", "tokens/s per GPU", "={c}21/{c}9"),
        ("GPU power, average", "W per GPU", 620, 620, 580),
        ("PUE", None, 1.2, 1.2, 1.2),
        ("Energy at the meter", "MWh", "={c}23*{c}9*{c}16/3600*{c}24/1e6"),
        ("Grid intensity", "g CO2e/kWh", 350, 350, 350),
        ("Emissions", "t CO2e", "={c}25*1000*{c}26/1e6"),
        ("Restart overhead", None, 0.05, 0.08, 0.05),
        ("Time with restarts", "days", "={c}17*(1+{c}28)"),
        ("Tokens per step", "tokens", 4194304, 8388608, 4194304),
        ("Step time", "s", "={c}30/{c}21"),
    ]  # fmt: skip
    rows(ws, "A3", [["Quantity", "Unit", "8B dense", "70B dense", "Mixtral 8x7B"]])
    for i, (label, unit, *values) in enumerate(plan):
        line = [values[0].format(c=c) for c in "CDE"] if len(values) == 1 else values
        rows(ws, f"A{4 + i}", [[label, unit, *line]])
    fmt(ws, "C13:E13 C28:E28", "0%")
    fmt(ws, "C7:E7", "0.00E+00")
    fmt(ws, "C14:E22", "#,##0.00")
    ws = sheet(wb, "Log")
    rows(ws, "A1", [["70B dense, day", "Tokens (billion)", "Wall-clock (h)", "GPUs", "GPU-hours", "Tokens/s",
                     "Achieved (TFLOP/s per GPU)", "MFU", "Cost ($)"]])  # fmt: skip
    down(ws, "A2", 12, lambda i: date(2025, 4, 1) + timedelta(i), lambda i: 160 + 3 * (i % 4), lambda i: 23.2 - 0.1 * (i % 3),
         lambda i: 2048, "=C{r}*D{r}", "=B{r}*1e9/(C{r}*3600)", "=6*Run!$D$5*1e9*F{r}/D{r}/1e12", "=G{r}/Run!$D$10",
         "=E{r}*Run!$D$19")  # fmt: skip
    rows(ws, "A14", [["Total", "=SUM(B2:B13)", "=SUM(C2:C13)", None, "=SUM(E2:E13)", "=B14*1e9/(C14*3600)",
                      "=6*Run!$D$5*1e9*B14*1e9/(E14*3600)/1e12", "=G14/Run!$D$10", "=SUM(I2:I13)"]])  # fmt: skip
    fmt(ws, "H2:H14", "0.0%")
    fmt(ws, "I2:I14", "$#,##0")
    return wb


TRAINING_MFU = (
    seed("flop-rate", "Run!B7", "FLOP/s", "C7:E7", "C16:E16"),
    seed("flop-rate", "Run!D15", "=D7/1e15"),
    seed("flop-rate", "Run!B14", "TFLOP per GPU", "C14:E14", "C15:E15"),
    seed("sparse-peak", "Run!D14", "=D11*D13"),
    seed("sparse-peak", "Log!H5", "=G5/Run!$D$11"),
    seed("peak-precision", "Run!E14", "=E12*E13"),
    seed("peak-precision", "Log!H7", "=G7/Run!$D$12"),
    seed("active-params", "Run!E7", "=6*E4*1e9*E6*1e9"),
    seed("device-hours", "Run!C18", "=C16/3600", "C20"),
    seed("device-hours", "Log!I4", "=C4*Run!$D$19"),
    seed("device-scope", "Run!D15", "=D14/1000"),
    seed("device-scope", "Run!C22", "=C21"),
    seed("calendar", "Run!D17", "=D16/3600", "D29"),
    seed("calendar", "Run!C18", "=C17*C9"),
    seed("facility-energy", "Run!D25", "=D23*D9*D16/3600/1e6", "D27"),
    seed("carbon-scale", "Run!E27", "=E25*1000*E26/1e3"),
    seed("above-limit", "Run!C13", 1.12, "C14"),
    seed("above-limit", "Log!B6", 1650, "F6", "G6", "H6"),
    seed("token-rate", "Log!F3", "=B3*1e9", "G3"),
    seed("token-rate", "Run!C31", "=C30/(C6*1e9)"),
    seed("percent", "Run!C28", 5, "C29"),
    seed("registry", "Run!D10", 689),
    seed("bare-number", "Run!D29", "=D17*(1+D28)+3"),
    seed("percent-sum", "Log!H14", "=SUM(H2:H13)"),
)


def fleet_months() -> Workbook:
    """A monthly series across the columns: nodes, GPU-hours, power, cost, demand, carbon."""
    wb, ws = first("Fleet")
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    hours = [744, 672, 744, 720, 744, 720, 744, 744, 720, 744, 720, 744]
    rows(ws, "A1", [["H100 fleet plan 2026 (8-GPU nodes)"], ["All $ before tax"],
                    ["Line", "Unit", *(f"{m} 2026" for m in months), "Year 2026"]])  # fmt: skip
    lines = [
        ("Nodes", "nodes", None, "=AVERAGE(C4:N4)"),
        ("Nodes added", "nodes", lambda i: 0 if i == 0 else 2, "=SUM(C5:N5)"),
        ("GPUs per node", "GPUs/node", lambda i: 8, None),
        ("GPUs in service", "GPUs", "={c}4*{c}6", "=AVERAGE(C7:N7)"),
        ("Hours in month", "h", lambda i: hours[i], "=SUM(C8:N8)"),
        ("Availability", None, lambda i: 0.97, "=AVERAGE(C9:N9)"),
        ("GPU-hours available", "GPU-h", "={c}7*{c}8*{c}9", "=SUM(C10:N10)"),
        ("Utilisation", None, lambda i: 0.58 + 0.01 * (i % 5), "=O12/O10"),
        ("GPU-hours used", "GPU-h", "={c}10*{c}11", "=SUM(C12:N12)"),
        ("Price per node", "$/node/month", lambda i: 11500, None),
        ("Node cost", "$", "={c}4*{c}13", "=SUM(C14:N14)"),
        ("Average power per node", "kW/node", lambda i: 7.8, None),
        ("IT power", "kW", "={c}4*{c}15", "=AVERAGE(C16:N16)"),
        ("IT energy", "kWh", "={c}16*{c}8", "=SUM(C17:N17)"),
        ("PUE", None, lambda i: 1.25, None),
        ("Facility energy", "kWh", "={c}17*{c}18", "=SUM(C19:N19)"),
        ("Electricity price", "$/kWh", lambda i: 0.11, None),
        ("Electricity cost", "$", "={c}19*{c}20", "=SUM(C21:N21)"),
        ("Total cost", "$", "={c}14+{c}21", "=SUM(C22:N22)"),
        ("Cost per GPU-hour used", "$/GPU-h", "={c}22/{c}12", "=O22/O12"),
        ("Demand", "GPU-h", None, "=SUM(C24:N24)"),
        ("Headroom", "GPU-h", "={c}10-{c}24", "=SUM(C25:N25)"),
        ("Carbon", "t CO2e", "={c}19*$C$30/1000", "=SUM(C26:N26)"),
    ]  # fmt: skip
    columns = "CDEFGHIJKLMN"
    for k, (label, unit, make, total) in enumerate(lines):
        r = 4 + k
        rows(ws, f"A{r}", [[label, unit]])
        for i, c in enumerate(columns):
            before = columns[i - 1]
            if label == "Nodes":
                ws[f"{c}{r}"] = 20 if i == 0 else f"={before}4+{c}5"
            elif label == "Demand":
                ws[f"{c}{r}"] = 70000 if i == 0 else f"={before}24*(1+$C$29)"
            elif isinstance(make, str):
                ws[f"{c}{r}"] = make.format(c=c)
            elif make is not None:
                ws[f"{c}{r}"] = make(i)
        if total:
            ws[f"O{r}"] = total
    rows(
        ws,
        "A28",
        [["Assumptions"], ["Growth of demand per month", None, 0.06], ["Grid intensity", "kg CO2e/kWh", 0.38]],
    )
    fmt(ws, "C9:O9 C11:O11 C29", "0%")
    fmt(ws, "C10:O10 C12:O12 C24:O25 C17:O17 C19:O19", "#,##0")
    fmt(ws, "C14:O14 C21:O22", "$#,##0")
    fmt(ws, "C23:O23", "$0.00")
    ws.freeze_panes = "C4"
    return wb


FLEET_MONTHS = (
    seed("device-scope", "Fleet!E10", "=E4*E8*E9"),
    seed("device-scope", "Fleet!C14", "=C7*C13"),
    seed("power-energy", "Fleet!F21", "=F16*F20"),
    seed("power-energy", "Fleet!H17", "=H16", "H19"),
    seed("facility-energy", "Fleet!J21", "=J17*J20"),
    seed("facility-energy", "Fleet!K21", "=K19*K18*K20"),
    seed("calendar", "Fleet!D8", 28, "D10", "D17", "O8"),
    seed("calendar", "Fleet!L10", "=L7*8760*L9"),
    seed("device-hours", "Fleet!G12", "=G8*G11"),
    seed("device-hours", "Fleet!M23", "=M22/M8"),
    seed("money-rate", "Fleet!I22", "=I14+I20"),
    seed("percent", "Fleet!F11", 61, "F12"),
    seed("percent-sum", "Fleet!O11", "=SUM(C11:N11)"),
    seed("percent-sum", "Fleet!O9", "=SUM(C9:N9)"),
    seed("mixed-sum", "Fleet!C22", "=SUM(C14:C21)"),
    seed("mixed-sum", "Fleet!O14", "=SUM(C14:N15)"),
    seed("bare-number", "Fleet!H25", "=H10-H24-5000"),
    seed("carbon-scale", "Fleet!B26", "kg CO2e", "C26:O26"),
    seed("carbon-scale", "Fleet!K26", "=K19*$C$30"),
    seed("unit-contradiction", "Fleet!A17", "IT energy (MWh)", "B17", "C17:O17"),
)


def bilan_carbone() -> Workbook:
    """A French carbon balance: sites as rows with units in the headers, then embodied carbon and cost."""
    wb, ws = first("Sites")
    rows(ws, "A1", [["Bilan carbone des centres de calcul, exercice 2025"], ["Périmètre : GPU H100 (700 W)"]])
    rows(ws, "A4", [["Site", "Nombre de GPU", "Puissance par GPU (W)", "Charge moyenne", "Puissance IT (kW)",
                     "Heures (h/an)", "Énergie IT (MWh)", "PUE", "Énergie du site (MWh)",
                     "Intensité carbone (gCO2e/kWh)", "Émissions (tCO2e)", "Prix de l'électricité (€/MWh)",
                     "Coût électrique (€)"]])  # fmt: skip
    sites = [("Paris", 256, 0.72, 1.2, 32, 95), ("Lyon", 128, 0.68, 1.25, 32, 92), ("Francfort", 192, 0.7, 1.3, 344, 132),
             ("Dublin", 96, 0.61, 1.18, 282, 148), ("Varsovie", 96, 0.66, 1.35, 615, 118)]  # fmt: skip
    for i, (site, gpus, load, pue, grid, price) in enumerate(sites):
        r = 5 + i
        rows(ws, f"A{r}", [[site, gpus, 700, load, f"=B{r}*C{r}*D{r}/1000", 8760, f"=E{r}*F{r}/1000", pue, f"=G{r}*H{r}",
                            grid, f"=I{r}*1000*J{r}/1000000", price, f"=I{r}*L{r}"]])  # fmt: skip
    rows(ws, "A10", [["Total", "=SUM(B5:B9)", None, "=SUMPRODUCT(B5:B9,D5:D9)/B10", "=SUM(E5:E9)", None, "=SUM(G5:G9)",
                      "=I10/G10", "=SUM(I5:I9)", "=K10*1000000/(I10*1000)", "=SUM(K5:K9)", "=M10/I10", "=SUM(M5:M9)"]])  # fmt: skip
    fmt(ws, "D5:D10", "0%")
    fmt(ws, "G5:G10 I5:I10 K5:K10", "#,##0")
    fmt(ws, "M5:M10", "#,##0 €")
    ws = sheet(wb, "Amortissement")
    rows(ws, "A1", [
        ["Poste", "Valeur", "Unité", "Remarque"],
        ["Serveurs", 96, "serveurs"],
        ["GPU par serveur", 8, "GPU/serveur"],
        ["GPU", "=B2*B3", "GPU", "doit être égal au total des sites"],
        ["Carbone incorporé par serveur", 5600, "kgCO2e/serveur", "ACV du constructeur, en kg et non en t"],
        ["Carbone incorporé", "=B2*B5/1000", "tCO2e"],
        ["Durée d'amortissement", 5, "ans"],
        ["Carbone incorporé annuel", "=B6/B7", "tCO2e/an"],
        ["Émissions d'exploitation", "=Sites!K10", "tCO2e/an"],
        ["Émissions totales", "=B8+B9", "tCO2e/an"],
        ["GPU-heures utilisées", "=B4*8760*B12", "GPU-h/an"],
        ["Taux d'utilisation", 0.7],
        ["Carbone par GPU-heure", "=B10*1000000/B11", "gCO2e/GPU-h"],
        ["Prix d'un serveur", 265000, "€/serveur"],
        ["Achat", "=B2*B14", "€"],
        ["Amortissement", "=B15/B7", "€/an"],
        ["Électricité", "=Sites!M10", "€/an"],
        ["Coût total", "=B16+B17", "€/an"],
        ["Taux de change au 30/06/2025", 1.17, "USD/EUR"],
        ["Coût total", "=B18*B19", "USD/an"],
        ["Coût par GPU-heure", "=B18/B11", "€/GPU-h"],
        ["Prix du carbone", 72, "€/tCO2e"],
        ["Coût du carbone", "=B9*B22", "€/an"],
    ])  # fmt: skip
    fmt(ws, "B12", "0%")
    fmt(ws, "B14:B18 B20", "#,##0")
    return wb


BILAN_CARBONE = (
    seed("carbon-scale", "Sites!K6", "=I6*J6", "K10"),
    seed("carbon-scale", "Amortissement!B6", "=B2*B5", "B8"),
    seed("carbon-scale", "Amortissement!C5", "tCO2e/serveur", "B5", "B6"),
    seed("carbon-scale", "Amortissement!B13", "=B10*1000/B11"),
    seed("power-energy", "Sites!G7", "=E7/1000", "I7", "G10"),
    seed("power-energy", "Sites!E4", "Puissance IT (kWh)", "E5:E10", "G5:G9"),
    seed("power-energy", "Sites!M8", "=E8*L8/1000"),
    seed("facility-energy", "Sites!M5", "=G5*L5"),
    seed("facility-energy", "Sites!M9", "=I9*H9*L9"),
    seed("facility-energy", "Sites!I8", "=G8"),
    seed("calendar", "Sites!F7", 730, "G7"),
    seed("calendar", "Amortissement!B16", "=B15/(B7*12)", "B18"),
    seed("device-hours", "Amortissement!B21", "=B18/8760"),
    seed("device-scope", "Amortissement!B11", "=B2*8760*B12"),
    seed("currency", "Amortissement!C17", "USD/an", "B17", "B18"),
    seed("currency", "Amortissement!B21", "=B20/B11"),
    seed("percent", "Sites!D6", 68, "E6"),
    seed("percent-sum", "Sites!D10", "=SUM(D5:D9)"),
    seed("mixed-sum", "Amortissement!B10", "=SUM(B5:B9)"),
    seed("money-rate", "Amortissement!B18", "=B15+B17"),
    seed("bare-number", "Amortissement!B18", "=B16+B17+40000"),
    refmt("unit-contradiction", "Sites!I5", '#,##0" kWh"', "I4"),
)


def cloud_vergleich() -> Workbook:
    """A German comparison of cloud offers in three currencies, with a lookup of exchange rates."""
    wb, ws = first("Angebote")
    rows(ws, "A1", [["Angebotsvergleich GPU-Cloud"], ["Stand: 30.06.2025, Preise ohne MwSt."]])
    rows(ws, "A4", [["Anbieter", "Instanz", "GPU", "GPUs je Instanz", "Preis (Landeswährung/h je Instanz)", "Währung",
                     "Kurs (EUR je Einheit)", "Preis (EUR/h je Instanz)", "Preis (EUR/GPU-h)", "Speicher je GPU (GB)",
                     "Speicherbandbreite (TB/s)"]])  # fmt: skip
    offers = [("Nordwolke", "n8", "H100 SXM", 8, 19.9, "EUR", 80, 3.35), ("Nordwolke", "n1", "L40S", 1, 1.05, "EUR", 48, 0.864),
              ("Bigcloud", "p5", "H100 SXM", 8, 31.5, "USD", 80, 3.35), ("Bigcloud", "p4", "A100 80GB", 8, 17.9, "USD", 80, 2.039),
              ("Albion", "a8", "H200", 8, 24.4, "GBP", 141, 4.8), ("Albion", "a4", "H100 SXM", 4, 9.1, "GBP", 80, 3.35),
              ("Prairie", "m8", "MI300X", 8, 23.9, "USD", 192, 5.3), ("Prairie", "g8", "H200", 8, 28.8, "USD", 141, 4.8)]  # fmt: skip
    for i, (provider, kind, gpu, count, price, money, memory, speed) in enumerate(offers):
        r = 5 + i
        rows(ws, f"A{r}", [[provider, kind, gpu, count, price, money, f"=VLOOKUP(F{r},Kurse!$A$4:$B$6,2,FALSE)", f"=E{r}*G{r}",
                            f"=H{r}/D{r}", memory, speed]])  # fmt: skip
    fmt(ws, "H5:I12", "#,##0.00 €")
    ws = sheet(wb, "Kurse")
    rows(
        ws,
        "A1",
        [
            ["Wechselkurse vom 30.06.2025"],
            [],
            ["Währung", "EUR je Einheit"],
            ["EUR", 1],
            ["USD", 0.853],
            ["GBP", 1.167],
        ],
    )
    ws = sheet(wb, "Bedarf")
    rows(ws, "A1", [
        ["Bedarf und Kosten des Projekts", "Wert", "Einheit"],
        ["Benötigte GPUs", 64, "GPUs"],
        ["Laufzeit", 90, "Tage"],
        ["Stunden je Tag", 24, "h/Tag"],
        ["GPU-Stunden", "=B2*B3*B4", "GPU-h"],
        ["Auslastung", 0.7],
        ["Günstigster H100-Preis", "=MIN(Angebote!I5,Angebote!I7,Angebote!I10)", "EUR/GPU-h"],
        ["Anbieter", "=INDEX(Angebote!A5:A12,MATCH(B7,Angebote!I5:I12,0))"],
        ["Rechenkosten", "=B5*B7", "EUR"],
        ["Datenausgang", 120, "TB"],
        ["Preis des Datenausgangs", 0.05, "EUR/GB"],
        ["Kosten des Datenausgangs", "=B10*1000*B11", "EUR"],
        ["Supportanteil", 0.04, None, "auf die Rechenkosten"],
        ["Supportkosten", "=B9*B13", "EUR"],
        ["Gesamtkosten", "=B9+B12+B14", "EUR"],
        ["Gesamtkosten", "=B15/B3*365/12", "EUR/Monat"],
        ["Kosten je genutzter GPU-Stunde", "=B15/(B5*B6)", "EUR/GPU-h"],
        ["Dollarkurs", "=Kurse!B5", "EUR/USD"],
        ["Gesamtkosten", "=B15/B18", "USD"],
        ["MwSt.", 0.19],
        ["Gesamtkosten brutto", "=B15*(1+B20)", "EUR"],
        ["Eigenbetrieb: Leistung je GPU", 0.7, "kW"],
        ["IT-Leistung", "=B2*B22", "kW"],
        ["PUE", 1.35],
        ["Energie des Rechenzentrums", "=B23*B3*B4*B24", "kWh"],
        ["Strompreis", 0.22, "EUR/kWh"],
        ["Stromkosten", "=B25*B26", "EUR"],
        ["API statt GPU: Preis", 0.6, "EUR/Mio. Token"],
        ["Token je Monat", 90000, "Mio. Token/Monat"],
        ["API-Kosten", "=B28*B29", "EUR/Monat"],
        ["Szenario (1 vorsichtig, 2 Basis, 3 voll)", 2],
        ["Auslastung im Szenario", "=CHOOSE(B31,0.5,0.7,0.85)"],
        ["Kosten je genutzter GPU-Stunde im Szenario", "=B15/(B5*B32)", "EUR/GPU-h"],
    ])  # fmt: skip
    fmt(ws, "B6 B13 B20 B32", "0%")
    fmt(ws, "B9 B12 B14:B16 B19 B21 B27 B30", "#,##0")
    return wb


CLOUD_VERGLEICH = (
    seed("currency", "Angebote!I7", "=E7/D7"),
    seed("currency", "Bedarf!B21", "=B19*(1+B20)"),
    seed("currency", "Bedarf!C12", "USD", "B12", "B15"),
    seed("device-scope", "Angebote!I8", "=H8"),
    seed("device-scope", "Bedarf!B9", "=B5*Angebote!H10"),
    seed("money-rate", "Bedarf!B15", "=B7+B12+B14"),
    seed("money-rate", "Bedarf!B15", "=B9+B11+B14"),
    seed("device-hours", "Bedarf!B5", "=B3*B4", "B9"),
    seed("device-hours", "Bedarf!B9", "=B3*B4*B7"),
    seed("calendar", "Bedarf!B5", "=B2*B3", "B9"),
    seed("calendar", "Bedarf!B16", "=B15/B3"),
    seed("facility-energy", "Bedarf!B25", "=B23*B3*B4", "B27"),
    seed("facility-energy", "Bedarf!B27", "=B25*B24*B26"),
    seed("power-energy", "Bedarf!B27", "=B23*B24*B26"),
    seed("percent", "Bedarf!B13", 4, "B14"),
    seed("mixed-sum", "Bedarf!B15", "=SUM(B9:B14)"),
    seed("bare-number", "Bedarf!B15", "=B9+B12+B14+2500"),
    seed("registry", "Angebote!K5", 4.8),
    seed("token-price-scale", "Bedarf!C28", "EUR/Tsd. Token", "B28", "B30"),
    refmt("unit-contradiction", "Angebote!J5", '0" TB"', "J4"),
)


def moe_sizing() -> Workbook:
    """Models as columns, units in square brackets, percentages as 90, and a few model functions."""
    wb, ws = first("MoE")
    rows(ws, "A1", [["Mixture-of-experts sizing: memory takes all experts, compute the routed ones"]])
    plan = [
        ("Total parameters [10^9]", 46.7, 671, 72.7),
        ("Active parameters [10^9]", 12.9, 37, 72.7),
        ("Bytes per parameter [B]", 2, 1, 2),
        ("Weights [GB]", "={c}4*{c}6"),
        ("Weights, calculated [GB]", '=MLSIM_WEIGHTS("Mixtral-8x7B")', '=MLSIM_WEIGHTS("DeepSeek-V3","fp8")',
         '=MLSIM_WEIGHTS("Qwen2.5-72B")'),
        ("Weights [GiB]", "={c}7*1e9/1024^3"),
        ("Weights read per token at batch 1 [GB]", "={c}5*{c}6"),
        ("Compute per token [GFLOP]", "=2*{c}5"),
        ("GPU", "H100 SXM", "H200", "H100 SXM"),
        ("HBM per GPU [GB]", 80, 141, 80),
        ("Memory bandwidth [TB/s]", 3.35, 4.8, 3.35),
        ("Number format", "bf16", "fp8", "bf16"),
        ("Peak bf16 dense [TFLOP/s]", 989, 989, 989),
        ("Peak fp8 dense [TFLOP/s]", 1979, 1979, 1979),
        ("Peak bf16 2:4 sparse [TFLOP/s]", 1979, 1979, 1979),
        ("Peak of the format, dense [TFLOP/s]", '=IF({c}15="fp8",{c}17,{c}16)'),
        ("Usable HBM [%]", 90, 90, 90),
        ("GPUs for the weights alone", "=ROUNDUP({c}7/({c}13*{c}20/100),0)"),
        ("GPUs used", 8, 8, 8),
        ("Decode floor at batch 1 [ms]", "={c}10/({c}14*1000*{c}22)*1000"),
        ("Prefill of 4096 tokens [ms]", "=4096*{c}11*1e9/({c}19*1e12*{c}22*{c}25)*1000"),
        ("MFU in prefill", 0.45, 0.35, 0.5),
        ("Rate at the floor [tokens/s]", "=1000/{c}23"),
        ("Layers", 32, 61, 80),
        ("Attention heads", 32, 128, 64),
        ("KV heads", 8, "MLA", 8),
        ("Head dimension", 128, "512 + 64", 128),
        ("KV cache per token [bytes]", "=2*B27*B29*B30*2", "=C27*(512+64)*2", "=2*D27*D29*D30*2"),
        ("KV cache, 64 users with 8192 tokens [GB]", "={c}31*8192*64/1e9"),
        ("KV cache, calculated [GiB]", '=MLSIM_KV_CACHE("Mixtral-8x7B",8192,64)', '=MLSIM_KV_CACHE("DeepSeek-V3",8192,64)',
         '=MLSIM_KV_CACHE("Qwen2.5-72B",8192,64)'),
        ("Memory needed [GB]", "={c}7+{c}32"),
        ("Memory per GPU [GB]", "={c}34/{c}22"),
        ("Fits", '=IF({c}35<={c}13*{c}20/100,"yes","no")'),
        ("TPOT, calculated [ms]", '=MLSIM_DECODE_LATENCY("Mixtral-8x7B","H100",1,4096,"bf16",8)',
         '=MLSIM_DECODE_LATENCY("DeepSeek-V3","H200",1,4096,"fp8",8)', '=MLSIM_DECODE_LATENCY("Qwen2.5-72B","H100",1,4096,"bf16",8)'),
        ("Overhead over the floor [ms]", "={c}37-{c}23"),
        ("Memory bandwidth, registry [TB/s]", '=MLSIM_SPEC("H100","memory bandwidth","TB/s")',
         '=MLSIM_SPEC("H200","memory bandwidth","TB/s")', '=MLSIM_SPEC("H100","memory bandwidth","TB/s")'),
    ]  # fmt: skip
    rows(ws, "A3", [["Specification", "Mixtral-8x7B", "DeepSeek-V3", "Qwen2.5-72B"]])
    for i, (label, *values) in enumerate(plan):
        line = [values[0].format(c=c) for c in "BCD"] if len(values) == 1 else values
        rows(ws, f"A{4 + i}", [[label, *line]])
    rows(ws, "E4", [["model cards"], ["per token, shared experts included"]])
    rows(ws, "E31", [["MLA stores one latent vector instead of K and V"]])
    fmt(ws, "B13:D13", '0" GB"')
    fmt(ws, "B25:D25", "0%")
    fmt(ws, "B7:D10 B32:D35", "#,##0.0")
    fmt(ws, "B23:D24", "0.00")
    return wb


MOE_SIZING = (
    seed("active-params", "MoE!B7", "=B5*B6", "B34"),
    seed("active-params", "MoE!C11", "=2*C4", "C24"),
    seed("active-params", "MoE!C10", "=C4*C6", "C23"),
    seed("active-params", "MoE!B34", "=B10+B32"),
    seed("params-bytes", "MoE!D34", "=D4+D32"),
    seed("params-bytes", "MoE!D7", "=D4", "D34", "D9"),
    seed("binary-prefix", "MoE!B34", "=B9+B32"),
    seed("binary-prefix", "MoE!C34", "=C7+C33"),
    seed("binary-prefix", "MoE!D9", "=D7"),
    seed("flop-rate", "MoE!A11", "Compute per token [GFLOP/s]", "B11:D11", "B24:D24"),
    seed("flop-rate", "MoE!A19", "Peak of the format, dense [TFLOP]", "B19:D19", "B24:D24"),
    seed("sparse-peak", "MoE!B19", '=IF(B15="fp8",B17,B18)'),
    seed("peak-precision", "MoE!D19", "=D17"),
    seed("kv-factor", "MoE!B31", "=B27*B29*B30*2"),
    seed("kv-heads", "MoE!D31", "=2*D27*D28*D30*2"),
    seed("percent", "MoE!B36", '=IF(B35<=B13*B20,"yes","no")'),
    seed("percent", "MoE!C20", 0.9, "C21", "C36"),
    seed("registry", "MoE!C14", 3.9),
    seed("registry", "MoE!C13", 192),
    seed("time-scale", "MoE!D23", "=D10/(D14*1000*D22)", "D26", "D38"),
    refmt("unit-contradiction", "MoE!B13", '0" MB"', "A13"),
    seed("mixed-sum", "MoE!D34", "=SUM(D7,D31:D32)"),
)


def finetune_homework() -> Workbook:
    """A student's homework: given figures with sources, then answers a) to z) with units."""
    wb, ws = first("Homework 3")
    rows(ws, "A1", [["Homework 3: fine-tuning Llama-3-8B with LoRA"], ["A. Muster, due 2025-05-09"]])
    rows(ws, "A4", [
        ["Given", "Value", "Unit", "Source"],
        ["Parameters", 8.03e9, "parameters", "model card"],
        ["Trainable share (LoRA, rank 16)", 0.0052, None, "of all parameters"],
        ["Trainable parameters", "=B5*B6", "parameters"],
        ["Bytes per weight (bf16)", 2, "bytes/parameter"],
        ["Bytes per trainable parameter", 16, "bytes/parameter", "fp32 copy, gradient, two Adam moments"],
        ["Layers", 32],
        ["Attention heads", 32],
        ["KV heads", 8],
        ["Head dimension", 128],
        ["A100 peak, bf16 dense", 312, "TFLOP/s", "data sheet"],
        ["A100 peak, bf16 sparse", 624, "TFLOP/s", "data sheet, footnote: with sparsity"],
        ["A100 peak, TF32 dense", 156, "TFLOP/s", "data sheet"],
        ["A100 memory", 80, "GB"],
        ["GPUs", 4],
        ["MFU in bf16", 38, "%", "profiled"],
        ["Examples", 52000, "examples"],
        ["Tokens per example", 620, "tokens/example"],
        ["Epochs", 3],
        ["Rent", 1.89, "$/GPU-h"],
        ["Power of a GPU", 400, "W"],
        ["PUE", 1.4],
        ["Grid intensity", 0.42, "kg CO2e/kWh"],
        ["Electricity price", 0.12, "$/kWh"],
    ])  # fmt: skip
    rows(ws, "A29", [
        ["Question", "Answer", "Unit"],
        ["a) Weights in memory", "=B5*B8/1e9", "GB"],
        ["b) LoRA optimiser state and gradients", "=B7*B9/1e9", "GB"],
        ["c) Memory without activations", "=B30+B31", "GB"],
        ["d) the same in GiB", "=B32*1e9/1024^3", "GiB"],
        ["e) Does it fit one GPU?", '=IF(B32<B17,"yes","no")'],
        ["f) Training tokens", "=B20*B21*B22", "tokens"],
        ["g) Compute per token (forward 2N, activation gradients 2N)", "=4*B5", "FLOP/token"],
        ["h) the same in multiply-accumulates", "=B36/2", "MAC/token"],
        ["i) Compute of the training", "=B36*B35", "FLOP"],
        ["j) Sustained rate of all GPUs", "=B14*1e12*B19/100*B18", "FLOP/s"],
        ["k) Time", "=B38/B39", "s"],
        ["l) Time", "=B40/3600", "h"],
        ["m) GPU-hours", "=B41*B18", "GPU-h"],
        ["n) Rent", "=B42*B23", "$"],
        ["o) IT energy", "=B24*B18*B41/1000", "kWh"],
        ["p) Energy at the meter", "=B44*B25", "kWh"],
        ["q) Electricity in the data centre", "=B45*B27", "$"],
        ["r) Emissions", "=B45*B26", "kg CO2e"],
        ["s) Emissions", "=B47*1000", "g CO2e"],
        ["t) Training throughput", "=B35/B40", "tokens/s"],
        ["u) KV cache per token when serving (bf16)", "=2*B10*B12*B13*2", "bytes/token"],
        ["v) KV cache of 16 users with 4096 tokens", "=B50*4096*16/1e9", "GB"],
        ["w) Memory for serving", "=B30+B51", "GB"],
        ["x) Cloud storage", 12, "$"],
        ["y) Total cost in the cloud", "=B43+B53", "$"],
    ])  # fmt: skip
    fmt(ws, "B5 B7 B36:B39", "0.00E+00")
    fmt(ws, "B6", "0.00%")
    fmt(ws, "B30:B33 B40:B49 B51:B52", "#,##0.00")
    bold(ws, "A1 A4:D4 A29:C29")
    ws.column_dimensions["A"].width = 52
    return wb


FINETUNE_HOMEWORK = (
    seed("mac-flop", "Homework 3!B38", "=B37*B35"),
    seed("mac-flop", "Homework 3!C36", "MAC/token", "B36", "B37", "B38"),
    seed("mac-flop", "Homework 3!B37", "=B36"),
    seed("flop-rate", "Homework 3!C39", "FLOP", "B39", "B40"),
    seed("flop-rate", "Homework 3!C38", "FLOP/s", "B38", "B40"),
    seed("sparse-peak", "Homework 3!B39", "=B15*1e12*B19/100*B18"),
    seed("peak-precision", "Homework 3!B39", "=B16*1e12*B19/100*B18"),
    seed("device-hours", "Homework 3!B43", "=B41*B23"),
    seed("device-hours", "Homework 3!B42", "=B41"),
    seed("money-rate", "Homework 3!B54", "=B23+B53"),
    seed("facility-energy", "Homework 3!B46", "=B44*B27"),
    seed("facility-energy", "Homework 3!B47", "=B45*B25*B26"),
    seed("power-energy", "Homework 3!B44", "=B24*B18/1000", "B45"),
    seed("power-energy", "Homework 3!C24", "Wh", "B24", "B44"),
    seed("carbon-scale", "Homework 3!C26", "g CO2e/kWh", "B26", "B47"),
    seed("carbon-scale", "Homework 3!B48", "=B47"),
    seed("params-bytes", "Homework 3!B30", "=B5/1e9", "B32"),
    seed("params-bytes", "Homework 3!B31", "=B7/1e9", "B32"),
    seed("kv-factor", "Homework 3!B50", "=B10*B12*B13*2"),
    seed("kv-heads", "Homework 3!B50", "=2*B10*B11*B13*2"),
    seed("percent", "Homework 3!B39", "=B14*1e12*B19*B18"),
    seed("binary-prefix", "Homework 3!B52", "=B33+B51"),
    seed("binary-prefix", "Homework 3!B34", '=IF(B33<B17,"yes","no")'),
    seed("above-limit", "Homework 3!B19", 138, "B39"),
    seed("calendar", "Homework 3!B41", "=B40/86400", "B42", "B44"),
)


def network_allreduce() -> Workbook:
    """Links with rates in bits and bytes, all-reduce by message size, and a step's communication budget."""
    wb, ws = first("Links")
    rows(ws, "A1", [
        ["Link", "Per direction (GB/s)", "Both directions (GB/s)", "Line rate per direction (Gb/s)", "Hop latency (µs)"],
        ["NVLink 4 (H100)", 450, "=B2*2", "=B2*8", 2.5],
        ["NVLink 3 (A100)", 300, "=B3*2", "=B3*8", 3],
        ["InfiniBand NDR", "=D4/8", "=B4*2", 400, 5],
        ["InfiniBand HDR", "=D5/8", "=B5*2", 200, 5],
        ["Ethernet 100G", "=D6/8", "=B6*2", 100, 12],
        ["PCIe 5.0 x16", 63, "=B7*2", "=B7*8", 1],
    ])  # fmt: skip
    ws = sheet(wb, "AllReduce")
    rows(ws, "A1", [
        ["Ring all-reduce on H100 nodes, NDR between nodes"],
        ["GPUs per node", 8],
        ["Nodes", 16],
        ["GPUs", "=gpus_per_node*nodes"],
        ["Link efficiency", 0.8],
        ["Round trip between nodes (µs)", 10],
        ["One-way latency between nodes (µs)", "=B6/2"],
        ["NICs per node", 8],
    ])  # fmt: skip
    define(wb, "gpus_per_node", "AllReduce!$B$2")
    define(wb, "nodes", "AllReduce!$B$3")
    rows(ws, "A10", [["Message (MiB)", "Message (GB)", "NVLink transfer (ms)", "NVLink latency (ms)", "NVLink total (ms)",
                      "IB transfer (ms)", "IB latency (ms)", "IB total (ms)", "Bus bandwidth (GB/s)", "Share of NVLink"]])  # fmt: skip
    down(ws, "A11", 12, lambda i: 2**i, "=A{r}*1024^2/1e9",
         "=2*(gpus_per_node-1)/gpus_per_node*B{r}/(Links!$B$2*$B$5)*1000", "=2*(gpus_per_node-1)*Links!$E$2/1000", "=C{r}+D{r}",
         "=2*(nodes-1)/nodes*B{r}/(Links!$B$4*$B$8*$B$5)*1000", "=2*(nodes-1)*$B$7/1000", "=F{r}+G{r}",
         "=2*(gpus_per_node-1)/gpus_per_node*B{r}/(E{r}/1000)", "=I{r}/Links!$B$2")  # fmt: skip
    rows(ws, "A23", [["Average", None, None, None, None, None, None, None, None, "=AVERAGE(J11:J22)"]])
    fmt(ws, "B5 J11:J23", "0%")
    fmt(ws, "C11:H22", "0.000")
    ws = sheet(wb, "Budget")
    rows(ws, "A1", [
        ["Training step and service calls", "Value", "Unit"],
        ["Parameters", 70.6, "billion"],
        ["Bytes per gradient", 2, "bytes"],
        ["Gradients", "=B2*B3", "GB"],
        ["Gradients per GPU (tensor parallel in the node)", "=B4/gpus_per_node", "GB"],
        ["All-reduce over InfiniBand", "=2*(nodes-1)/nodes*B5/(Links!B4*AllReduce!B5)*1000", "ms"],
        ["Compute of a step", 6.8, "s"],
        ["Step without overlap", "=B7+B6/1000", "s"],
        ["Share of communication", "=B6/1000/B8"],
        ["Steps per day", "=86400/B8", "steps/day"],
        ["WAN latency, one way", 38, "ms"],
        ["WAN round trip", "=2*B11", "ms"],
        ["Service time", 120, "ms"],
        ["Response time at the client", "=B12+B13", "ms"],
        ["Checkpoint (14 bytes per parameter)", "=B2*14", "GB"],
        ["Uplink", 100, "Gb/s"],
        ["Upload time", "=B15*8/B16", "s"],
    ])  # fmt: skip
    fmt(ws, "B9", "0.0%")
    return wb


NETWORK_ALLREDUCE = (
    seed("link-direction", "AllReduce!C14", "=2*(gpus_per_node-1)/gpus_per_node*B14/(Links!$C$2*$B$5)*1000"),
    seed("link-direction", "AllReduce!F12", "=2*(nodes-1)/nodes*B12/(Links!$C$4*$B$8*$B$5)*1000"),
    seed("link-direction", "AllReduce!J15", "=I15/Links!$C$2"),
    seed("link-direction", "Budget!B6", "=2*(nodes-1)/nodes*B5/(Links!C4*AllReduce!B5)*1000"),
    seed("link-direction", "Links!B2", 900, "C2", "D2"),
    seed("bits-bytes", "Links!B4", "=D4"),
    seed("bits-bytes", "Links!D2", "=B2"),
    seed("bits-bytes", "AllReduce!F13", "=2*(nodes-1)/nodes*B13/(Links!$D$4*$B$8*$B$5)*1000"),
    seed("bits-bytes", "Budget!B17", "=B15/B16"),
    seed("time-scale", "AllReduce!D16", "=2*(gpus_per_node-1)*Links!$E$2", "E16"),
    seed("time-scale", "AllReduce!C17", "=2*(gpus_per_node-1)/gpus_per_node*B17/(Links!$B$2*$B$5)", "E17"),
    seed("time-scale", "Budget!B8", "=B7+B6"),
    seed("time-scale", "Links!E1", "Hop latency (ms)", "E2", "AllReduce!D11:D22"),
    seed("round-trip", "AllReduce!G12", "=2*(nodes-1)*$B$6/1000"),
    seed("round-trip", "Budget!B14", "=B11+B13"),
    seed("round-trip", "AllReduce!B7", "=B6"),
    seed("binary-prefix", "AllReduce!B13", "=A13/1000"),
    seed("params-bytes", "Budget!B4", "=B2", "B5"),
    seed("percent", "AllReduce!B5", 80, "C11:C22", "F11:F22"),
    seed("percent-sum", "AllReduce!J23", "=SUM(J11:J22)"),
    seed("above-limit", "AllReduce!B5", 1.6, "J11:J22", "C11:C22", "F11:F22"),
    seed("registry", "Links!B3", 250),
    seed("bare-number", "Budget!B8", "=B7+B6/1000+0.4"),
    seed("calendar", "Budget!B10", "=3600/B8"),
)


def storage_checkpoint() -> Workbook:
    """Checkpoints with a unit row under the header, then the array that has to hold them."""
    wb, ws = first("Checkpoints")
    rows(ws, "A1", [
        ["Checkpoint storage and write time"],
        [],
        ["Model", "Parameters", "State per parameter", "Checkpoint", "Checkpoint", "Interval", "Kept", "Storage",
         "Write bandwidth", "Write time", "Stall", "Uplink", "Copy off site"],
        [None, "10^9", "bytes", "GB", "TiB", "min", "copies", "TB", "GB/s", "s", "% of time", "Gbps", "s"],
    ])  # fmt: skip
    models = [("Llama-3-8B", 8.03, 30, 20), ("Mixtral-8x7B", 46.7, 30, 20), ("Llama-3-70B", 70.6, 60, 20),
              ("Qwen2.5-72B", 72.7, 60, 20), ("DeepSeek-V3", 671, 120, 12)]  # fmt: skip
    for i, (model, params, interval, kept) in enumerate(models):
        r = 5 + i
        rows(ws, f"A{r}", [[model, params, 14, f"=B{r}*C{r}", f"=D{r}*1e9/1024^4", interval, kept, f"=D{r}*G{r}/1000", 40,
                            f"=D{r}/I{r}", f"=J{r}/(F{r}*60)", 100, f"=D{r}*8/L{r}"]])  # fmt: skip
    rows(ws, "A10", [["All models", None, None, None, None, None, None, "=SUM(H5:H9)", None, None, "=MAX(K5:K9)"]])
    fmt(ws, "K5:K10", "0.0%")
    fmt(ws, "D5:E9 H5:H10 J5:J9 M5:M9", "#,##0.00")
    ws = sheet(wb, "Array")
    rows(ws, "A1", [
        ["Flash array", "Value", "Unit", "Note"],
        ["Drives per server", 24, "drives/server"],
        ["Servers", 12, "servers"],
        ["Drive capacity", 15.36, "TB", "decimal, as printed on the drive"],
        ["Raw capacity", "=B2*B3*B4", "TB"],
        ["Erasure coding 8+2", 0.8],
        ["Usable capacity", "=B5*B6", "TB"],
        ["Usable capacity", "=B7*1e12/1024^4", "TiB", "what df shows"],
        ["Fill limit", 0.85],
        ["Available", "=B7*B9", "TB"],
        ["Checkpoints", "=Checkpoints!H10", "TB"],
        ["Data sets", 310, "TB"],
        ["Home quota per user", 0.5, "TB/user"],
        ["Users", 120, "users"],
        ["Homes", "=B13*B14", "TB"],
        ["Needed", "=B11+B12+B15", "TB"],
        ["Free", "=B10-B16", "TB"],
        ["Read rate per drive", 6.8, "GB/s"],
        ["Read rate of all drives", "=B2*B3*B18", "GB/s"],
        ["NICs per server", 2],
        ["NIC speed", 200, "Gbps"],
        ["Read rate of all NICs", "=B3*B20*B21/8", "GB/s"],
        ["Read rate of the array", "=MIN(B19,B22)", "GB/s"],
        ["Reading the data sets once", "=B12*1000/B23", "s"],
        ["Reading the data sets once", "=B24/3600", "h"],
        ["Round trip to the object store", 18, "ms"],
        ["One-way latency to the object store", "=B26/2", "ms"],
        ["Mean GET latency", 22, "ms"],
        ["p99 GET latency", 95, "ms"],
        ["GETs per shard, one after another", 40],
        ["Mean time per shard", "=B28*B30", "ms"],
        ["Object storage price", 0.021, "$/GB/month"],
        ["Off-site copy of the needed data", "=B16*1000*B32", "$/month"],
        ["Off-site copy of the needed data", "=B33*12", "$/year"],
    ])  # fmt: skip
    fmt(ws, "B6 B9", "0%")
    return wb


STORAGE_CHECKPOINT = (
    seed("binary-prefix", "Array!B10", "=B8*B9"),
    seed("binary-prefix", "Checkpoints!E6", "=D6/1000"),
    seed("binary-prefix", "Array!B17", "=B8*B9-B16"),
    seed("bits-bytes", "Array!B22", "=B3*B20*B21"),
    seed("bits-bytes", "Checkpoints!M7", "=D7/L7"),
    seed("bits-bytes", "Array!C21", "GB/s", "B21", "B22"),
    seed("params-bytes", "Checkpoints!D8", "=B8"),
    seed("params-bytes", "Checkpoints!H6", "=B6*G6/1000"),
    seed("user-total", "Array!B16", "=B11+B12+B13"),
    seed("device-scope", "Array!B5", "=B3*B4"),
    seed("device-scope", "Array!B19", "=B2*B18"),
    seed("calendar", "Array!B34", "=B33*8760"),
    seed("calendar", "Checkpoints!K7", "=J7/F7"),
    seed("round-trip", "Array!B27", "=B26"),
    seed("statistic-mix", "Array!B31", "=B29*B30"),
    seed("percent", "Array!B6", 80, "B7"),
    seed("mixed-sum", "Checkpoints!H10", "=SUM(H5:I9)"),
    seed("mixed-sum", "Array!B16", "=SUM(B11:B15)"),
    seed("percent-sum", "Checkpoints!K10", "=SUM(K5:K9)"),
    seed("bare-number", "Array!B17", "=B10-B16-50"),
    seed("above-limit", "Array!B9", 1.3, "B10"),
    seed("unit-contradiction", "Array!A4", "Drive capacity (GB)", "B4", "C4"),
    seed("money-rate", "Array!B33", "=B32", "B34"),
)


def chip_matrix() -> Workbook:
    """Specifications as rows and chips as columns, and a sheet that looks the picked chip up."""
    wb, ws = first("Chips")
    rows(ws, "A1", [["Accelerator comparison"], ["Data-sheet figures, SXM/OAM parts; peaks are per GPU"]])
    plan = [
        ("Memory", "GB", 80, 80, 141, 192, 48),
        ("Memory bandwidth", "TB/s", 2.039, 3.35, 4.8, 5.3, 0.864),
        ("bf16 peak, dense", "TFLOP/s", 312, 989, 989, 1307, 362),
        ("bf16 peak, sparse", "TFLOP/s", 624, 1979, 1979, 2615, 733),
        ("fp8 peak, dense", "TFLOP/s", "n/a", 1979, 1979, 2615, 733),
        ("INT8 peak, dense", "TOP/s", 624, 1979, 1979, 2615, 733),
        ("Link, per direction", "GB/s", 300, 450, 450, 448, 32),
        ("Link, both directions", "GB/s", "={c}10*2"),
        ("TDP", "W", 400, 700, 700, 750, 350),
        ("GPUs per node", "GPUs/node", 8, 8, 8, 8, 8),
        ("Price", "$/GPU-h", 1.79, 2.49, 3.19, 2.99, 1.05),
        ("Price of a node", "$/node-h", "={c}14*{c}13"),
        ("Machine balance, bf16 dense", "FLOP/B", "={c}6/{c}5"),
        ("Memory of a node", "GB", "={c}4*{c}13"),
        ("bf16 dense efficiency", "GFLOP/s per W", "={c}6*1000/{c}12"),
        ("Power of a node's GPUs", "kW", "={c}12*{c}13/1000"),
        ("HBM bandwidth of a node", "TB/s", "={c}5*{c}13"),
        ("Work for a dollar, bf16 dense", "EFLOP/$", "={c}6*3600/1e6/{c}14"),
    ]  # fmt: skip
    rows(ws, "A3", [["Specification", "Unit", "A100 80GB", "H100 SXM", "H200", "MI300X", "L40S"]])
    for i, (label, unit, *values) in enumerate(plan):
        line = [values[0].format(c=c) for c in "CDEFG"] if len(values) == 1 else values
        rows(ws, f"A{4 + i}", [[label, unit, *line]])
    fmt(ws, "C14:G15", "$0.00")
    ws = sheet(wb, "Pick")

    def spec(row: int) -> str:
        return f"=INDEX(Chips!$C${row}:$G${row},MATCH($B$3,Chips!$C$3:$G$3,0))"

    rows(ws, "A1", [
        ["Llama-3-70B in bf16 on the picked chip"],
        [],
        ["Chip", "H100 SXM"],
        ["Parameters", 70.6, "billion"],
        ["Bytes per parameter", 2, "bytes"],
        ["Weights", "=B4*B5", "GB"],
        ["Memory of the chip", spec(4), "GB"],
        ["Memory bandwidth", spec(5), "TB/s"],
        ["bf16 peak, dense", spec(6), "TFLOP/s"],
        ["Link bandwidth, per direction", spec(10), "GB/s"],
        ["Layers", 80],
        ["Attention heads", 64],
        ["KV heads", 8],
        ["Head dimension", 128],
        ["KV cache per token", "=2*B11*B13*B14*2", "bytes"],
        ["Batch", 16, "sequences"],
        ["Context", 4096, "tokens"],
        ["KV cache", "=B15*B16*B17/1e9", "GB"],
        ["Memory needed", "=B6+B18", "GB"],
        ["GPUs needed at 90 % fill", "=ROUNDUP(B19/(B7*0.9),0)", "GPUs"],
        ["Tensor parallel", "=IF(B20<=2,2,IF(B20<=4,4,8))", "GPUs"],
        ["Decode step", "=B19/(B8*1000*B21)*1000", "ms"],
        ["Prompt", 2048, "tokens"],
        ["Prefill compute", "=2*B4*1e9*B23", "FLOP"],
        ["MFU of prefill", 0.55],
        ["Prefill time", "=B24/(B9*1e12*B21*B25)*1000", "ms"],
        ["Arithmetic intensity of decode", "=2*B4*B16/B19", "FLOP/B"],
        ["Machine balance", spec(16), "FLOP/B"],
        ["Bound by", '=IF(B27<B28,"memory","compute")'],
        ["Rate achieved in decode", "=2*B4*B16/B22", "TFLOP/s", "all GPUs together"],
        ["Share of the peak", "=B30/(B9*B21)"],
        ["Vision tower per image", 191, "GMAC", "ViT-L/14 at 336 px"],
        ["Vision tower per image", "=2*B32", "GFLOP"],
        ["Vision tower rate per GPU", "=B9*1000*B25/B33", "images/s"],
        ["Prefill all-reduce traffic per GPU", "=2*B11*2*(B21-1)/B21*B23*8192*2/1e9", "GB", "two a layer, hidden size 8192"],
        ["Prefill all-reduce time", "=B35/B10*1000", "ms"],
    ])  # fmt: skip
    fmt(ws, "B25 B31", "0%")
    fmt(ws, "B18:B19 B22 B26:B28 B30 B33:B36", "#,##0.0")
    return wb


CHIP_MATRIX = (
    seed("registry", "Chips!D5", 2.2),
    seed("registry", "Chips!E4", 96),
    seed("registry", "Chips!G4", 84),
    seed("sparse-peak", "Pick!B9", "=INDEX(Chips!$C$7:$G$7,MATCH($B$3,Chips!$C$3:$G$3,0))"),
    seed("sparse-peak", "Chips!E6", 1979, "E16", "E18", "E21"),
    seed("sparse-peak", "Chips!C16", "=C7/C5"),
    seed("peak-precision", "Pick!B9", "=INDEX(Chips!$C$8:$G$8,MATCH($B$3,Chips!$C$3:$G$3,0))"),
    seed("peak-precision", "Chips!D21", "=D8*3600/1e6/D14"),
    seed("integer-ops", "Pick!B9", "=INDEX(Chips!$C$9:$G$9,MATCH($B$3,Chips!$C$3:$G$3,0))"),
    seed("integer-ops", "Chips!B9", "TFLOP/s", "C9:G9"),
    seed("integer-ops", "Chips!G18", "=G9*1000/G12"),
    seed("link-direction", "Pick!B10", "=INDEX(Chips!$C$11:$G$11,MATCH($B$3,Chips!$C$3:$G$3,0))"),
    seed("link-direction", "Chips!D10", 900, "D11"),
    seed("flop-rate", "Chips!B6", "TFLOP", "C6:G6", "C16:G16", "C18:G18", "C21:G21", "Pick!B9"),
    seed("flop-rate", "Pick!C24", "FLOP/s", "B24", "B26"),
    seed("mac-flop", "Pick!B33", "=B32", "B34"),
    seed("mac-flop", "Pick!B34", "=B9*1000*B25/B32"),
    seed("mac-flop", "Pick!C32", "GFLOP", "B32", "B33"),
    seed("device-scope", "Chips!D19", "=D12/1000"),
    seed("kv-heads", "Pick!B15", "=2*B11*B12*B14*2"),
    seed("kv-factor", "Pick!B15", "=B11*B13*B14*2"),
    seed("params-bytes", "Pick!B19", "=B4+B18"),
    seed("time-scale", "Pick!B26", "=B24/(B9*1e12*B21*B25)"),
    seed("above-limit", "Pick!B25", 1.55, "B26", "B34"),
    seed("unit-contradiction", "Chips!A12", "TDP (kW)", "B12", "C12:G12"),
)


def data_ingest() -> Workbook:
    """Some 200 shards filled down, a summary by source with SUMIF, and the plan to the token target."""
    wb, ws = first("Shards")
    rows(ws, "A1", [["Date", "Source", "Raw (GB)", "Expansion", "Text (GB)", "Bytes per token", "Tokens (billion)",
                     "Ingest time (min)", "Ingest rate (MB/s)", "Link (Gb/s)", "Link load"]])  # fmt: skip
    sources = ["Web", "Code", "Books", "Papers", "Dialogue"]
    down(ws, "A2", 210, lambda i: date(2025, 1, 2) + timedelta(i), lambda i: sources[(i * i + i) % 5 if i % 3 else i % 5],
         lambda i: 18 + (i * 7) % 9, lambda i: 3.2, "=C{r}*D{r}", lambda i: 4.1, "=E{r}/F{r}", lambda i: 2.5 + (i * 5 % 7) / 4,
         "=C{r}*1000/(H{r}*60)", lambda i: 10, "=I{r}*8/1000/J{r}")  # fmt: skip
    fmt(ws, "A2:A211", "yyyy-mm-dd")
    fmt(ws, "E2:E211 G2:I211", "0.0")
    fmt(ws, "K2:K211", "0%")
    for column in "DF":
        ws.column_dimensions[column].hidden = True
    ws = sheet(wb, "Summary")
    rows(ws, "A1", [["Source", "Raw (TB)", "Tokens (billion)", "Share of tokens"]])
    for i, source in enumerate(sources):
        r = 2 + i
        rows(ws, f"A{r}", [[source, f"=SUMIF(Shards!$B$2:$B$211,A{r},Shards!$C$2:$C$211)/1000",
                            f"=SUMIF(Shards!$B$2:$B$211,A{r},Shards!$G$2:$G$211)", f"=IFERROR(C{r}/C$7,0)"]])  # fmt: skip
    rows(ws, "A7", [["All", "=SUM(B2:B6)", "=SUM(C2:C6)", "=SUM(D2:D6)"]])
    rows(ws, "A9", [
        ["Target", 5000, "billion tokens"],
        ["Days so far", "=MAX(Shards!A2:A211)-MIN(Shards!A2:A211)+1", "days"],
        ["Ingested a day", "=C7/B10", "billion tokens/day"],
        ["Days to the target", "=(B9-C7)/B11", "days"],
        ["Tokeniser speed per node", 2.5, "million tokens/s"],
        ["Tokeniser nodes", 4, "nodes"],
        ["Tokenising everything", "=C7*1e9/(B13*1e6*B14)/3600", "h"],
        ["Object storage price", 0.023, "$/GB/month"],
        ["Raw storage", "=B7*1000*B16", "$/month"],
        ["Raw storage", "=B17*12", "$/year"],
        ["Mean link load", "=AVERAGE(Shards!K2:K211)"],
        ["Mean ingest rate", "=AVERAGE(Shards!I2:I211)", "MB/s"],
        ["p99 ingest time", "=PERCENTILE(Shards!H2:H211,0.99)", "min"],
        ["Mean ingest time", "=AVERAGE(Shards!H2:H211)", "min"],
        ["Total ingest time", "=B22*COUNT(Shards!H2:H211)/60", "h"],
        ["Embedding price", 0.02, "$/Mtok"],
        ["Embedding everything", "=C7*1000*B24", "$"],
    ])  # fmt: skip
    fmt(ws, "D2:D7 B19", "0.0%")
    return wb


DATA_INGEST = (
    seed("bits-bytes", "Shards!K20", "=I20/1000/J20"),
    seed("bits-bytes", "Shards!J1", "Link (GB/s)", "J2", "K2:K211"),
    seed("token-rate", "Summary!C13", "million tokens", "B13", "B15"),
    seed("token-rate", "Summary!B12", "=(B9-B11)/B11"),
    seed("calendar", "Summary!B18", "=B17*365"),
    seed("calendar", "Summary!B15", "=C7*1e9/(B13*1e6*B14)/60"),
    seed("calendar", "Shards!I30", "=C30*1000/H30", "K30"),
    seed("statistic-mix", "Summary!B23", "=B21*COUNT(Shards!H2:H211)/60"),
    seed("statistic-mix", "Summary!B22", "=PERCENTILE(Shards!H2:H211,0.99)", "B23"),
    seed("mixed-sum", "Summary!C7", "=SUM(B2:C6)"),
    seed("percent-sum", "Summary!B19", "=SUM(Shards!K2:K211)"),
    seed("percent", "Shards!K100", "=I100*8/1000/J100*100"),
    seed("bare-number", "Summary!B12", "=(B9-C7)/B11+14"),
    seed("token-price-scale", "Summary!B25", "=C7*1e6*B24"),
    seed("token-price-scale", "Summary!C24", "$/ktok", "B24", "B25"),
    seed("device-scope", "Summary!B15", "=C7*1e9/(B13*1e6)/3600"),
    refmt("unit-contradiction", "Shards!C10", '0.0" TB"', "C1"),
    seed("binary-prefix", "Summary!B2", "=SUMIF(Shards!$B$2:$B$211,A2,Shards!$C$2:$C$211)/1024"),
    seed("binary-prefix", "Summary!B1", "Raw (TiB)", "B2:B7", "B17"),
    seed("above-limit", "Shards!H60", 0.05, "I60", "K60"),
)


BOOKS: tuple[Book, ...] = (
    Book("hbm_fit", hbm_fit, HBM_FIT),
    Book("tco_finance", tco_finance, TCO_FINANCE),
    Book("training_mfu", training_mfu, TRAINING_MFU),
    Book("fleet_months", fleet_months, FLEET_MONTHS),
    Book("bilan_carbone", bilan_carbone, BILAN_CARBONE),
    Book("cloud_vergleich", cloud_vergleich, CLOUD_VERGLEICH),
    Book("moe_sizing", moe_sizing, MOE_SIZING),
    Book("finetune_homework", finetune_homework, FINETUNE_HOMEWORK),
    Book("network_allreduce", network_allreduce, NETWORK_ALLREDUCE),
    Book("storage_checkpoint", storage_checkpoint, STORAGE_CHECKPOINT),
    Book("chip_matrix", chip_matrix, CHIP_MATRIX),
    Book("data_ingest", data_ingest, DATA_INGEST),
)
