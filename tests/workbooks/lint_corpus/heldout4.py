"""A fourth set of workbooks that no rule was written against, measured before anything was mended: ten more themes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from openpyxl import Workbook
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.table import Table, TableStyleInfo
from openpyxl.worksheet.worksheet import Worksheet

from .book import Seeds, books_of
from .making import bold, first, fmt, rows

__all__ = ["BOOKS"]


def _book(*names: str) -> Workbook:
    wb, _ = first(names[0])
    for name in names[1:]:
        wb.create_sheet(name)
    return wb


def _put(ws: Worksheet, start: int, content: Sequence[Sequence[Any] | None]) -> None:
    """Write rows from a row number on; ``None`` leaves a row or a cell empty."""
    rows(ws, f"A{start}", [line or [] for line in content])


def fourth_bank_inference() -> Workbook:
    wb = _book("Inputs", "Sizing")
    ws = wb["Inputs"]
    _put(
        ws,
        1,
        [
            ["LLM assistant for branches and contact centre - inputs"],
            ["Capacity team, rev 3", None, None, date(2025, 3, 14)],
            None,
            ["Parameter", "Value", "Unit", "Notes"],
            ["Demand"],
            ["Named users", 18000, "users", "HR head count, both business lines"],
            ["Share active in the busy hour", 0.22, None, "pilot, weeks 5-8"],
            ["Requests per active user", 6, "req/h", "busy hour"],
            ["Prompt length, mean", 1800, "tokens", "incl. retrieved passages"],
            ["Answer length, mean", 350, "tokens"],
            ["Answer length, p99", 1100, "tokens"],
            ["Peak to mean within the busy hour", 1.8, "x"],
            ["Model"],
            ["Model", "Llama-3-70B", None, "on-prem only, see risk memo"],
            ["Parameters", 70.6, "B"],
            ["Bytes per weight (FP8)", 1, "byte"],
            ["Layers", 80],
            ["Attention heads", 64],
            ["KV heads", 8, None, "GQA"],
            ["Head dim", 128],
            ["KV cache element (FP16)", 2, "byte"],
            ["Hardware"],
            ["GPU", "H100 SXM"],
            ["HBM per GPU", 80, "GB"],
            ["HBM bandwidth per GPU", 3.35, "TB/s", "data sheet"],
            ["BF16 dense peak", 989, "TFLOP/s"],
            ["FP8 dense peak", 1979, "TFLOP/s"],
            ["GPUs per replica (TP)", 4],
            ["GPUs per node", 8],
            ["Prefill MFU", 0.40],
            ["Share of HBM bandwidth reached in decode", 0.60],
            ["Usable share of HBM", 0.90, None, "rest: activations, CUDA graphs"],
        ],
    )
    fmt(ws, "B7 B30 B31 B32", "0%")
    bold(ws, "A1 A4 B4 C4 D4 A5 A13 A22")
    ws.column_dimensions["A"].width = 42
    s = wb["Sizing"]
    _put(
        s,
        1,
        [
            ["Sizing"],
            None,
            ["Load"],
            ["Active users in the busy hour", "=Inputs!B6*Inputs!B7", "users"],
            ["Mean request rate", "=B4*Inputs!B8/3600", "req/s"],
            ["Peak request rate", "=B5*Inputs!B12", "req/s"],
            ["Prompt tokens at peak", "=B6*Inputs!B9", "tok/s"],
            ["Answer tokens at peak", "=B6*Inputs!B10", "tok/s"],
            None,
            ["Memory"],
            ["Weights", "=Inputs!B15*Inputs!B16", "GB"],
            ["KV cache per token", "=2*Inputs!B17*Inputs!B19*Inputs!B20*Inputs!B21", "bytes"],
            ["Tokens held per request (mean)", "=Inputs!B9+Inputs!B10", "tokens"],
            ["KV cache per request", "=B12*B13/10^9", "GB"],
            ["HBM per replica", "=Inputs!B24*Inputs!B28", "GB"],
            ["Usable HBM per replica", "=B15*Inputs!B32", "GB"],
            ["Left for KV cache", "=B16-B11", "GB"],
            ["Requests that fit in a replica", "=ROUNDDOWN(B17/B14,0)", "requests"],
            None,
            ["Prefill"],
            ["FLOPs per prompt token", "=2*Inputs!B15", "GFLOP"],
            ["Prefill rate of a replica (FP8)", "=Inputs!B27*1000*Inputs!B28*Inputs!B30/B21", "tok/s"],
            ["Replicas for prefill", "=B7/B22"],
            None,
            ["Decode"],
            ["Planned batch per replica", 64, "requests"],
            ["Read per decode step", "=B11+B26*B14", "GB"],
            ["Step time", "=B27/(Inputs!B25*1000*Inputs!B28*Inputs!B31)*1000", "ms"],
            ["Decode rate one user sees", "=1000/B28", "tok/s"],
            ["Decode rate of a replica", "=B26*B29", "tok/s"],
            ["Replicas for decode", "=B8/B30"],
            None,
            ["Fleet"],
            ["Replicas, prefill plus decode", "=B23+B31"],
            ["Replicas per site incl. N+1", "=ROUNDUP(B34,0)+1"],
            ["Sites (active/passive)", 2],
            ["GPUs per site", "=B35*Inputs!B28", "GPUs"],
            ["Nodes per site", "=ROUNDUP(B37/Inputs!B29,0)", "nodes"],
            ["Nodes, both sites", "=B38*B36", "nodes"],
            ["GPUs to buy", "=B39*Inputs!B29", "GPUs"],
            None,
            ["Checks"],
            ["Batch fits?", '=IF(B26<=B18,"ok","too big")'],
            ["Requests in flight at peak", "=B6*Inputs!B10/B29", "requests"],
            ["Slots per site", "=B35*B26", "requests"],
            ["Enough slots?", '=IF(B44<=B45,"ok","too few")'],
        ],
    )
    for r in (1, 3, 10, 20, 25, 33, 42):
        bold(s, f"A{r}")
    fmt(s, "B4 B7 B8 B12 B22 B30", "#,##0")
    fmt(s, "B5 B6 B14 B23 B31 B34", "0.00")
    fmt(s, "B11 B27 B28 B29 B44", "0.0")
    s.column_dimensions["A"].width = 36
    return wb


def fourth_training_cost() -> Workbook:
    wb = _book("Plan")
    ws = wb["Plan"]

    def f(t: str) -> str:
        return [t.replace("#", c) for c in "CDE"]

    _put(
        ws,
        1,
        [
            ["Pre-training budget FY26"],
            ["draft for the steering group", None, None, None, date(2025, 9, 2)],
            ["Item", "Unit", "8B refresh", "70B base", "70B FP8 pilot", "Remarks"],
            ["Model parameters", "B", 8.03, 70.6, 70.6],
            ["Training tokens", "T", 2.0, 1.4, 1.4, "after dedup"],
            ["FLOP per parameter and token (fwd+bwd)", "FLOP", 6, 6, 6],
            ["Training compute", "ZFLOP", *f("=#6*#4*#5")],
            ["GPU", None, "H100 SXM", "H100 SXM", "H100 SXM"],
            ["Number format", None, "BF16", "BF16", "FP8"],
            ["Peak per GPU, dense", "TFLOP/s", 989, 989, 1979],
            ["MFU", "%", 0.42, 0.40, 0.31, "FP8 pilot: guess"],
            ["GPUs", None, 256, 1024, 1024],
            ["Sustained compute, all GPUs", "PFLOP/s", *f("=#10*#11*#12/1000")],
            ["Net compute time", "h", *f("=#7*10^6/#13/3600")],
            ["Overhead (restarts, evals)", "%", 0.08, 0.12, 0.15],
            ["Wall time", "h", *f("=#14*(1+#15)")],
            ["Wall time", "days", *f("=#16/24")],
            ["GPU time", "GPU-h", *f("=#16*#12")],
            None,
            ["Cost"],
            ["GPU price", "USD/GPU-h", 2.35, 2.10, 2.10, "reserved, quote of 22 Aug"],
            ["GPU cost", "kUSD", *f("=#18*#21/1000")],
            ["Storage", "TB", 400, 900, 900],
            ["Storage price", "USD/TB/month", 22, 22, 22],
            ["Storage cost", "kUSD", *f("=#23*#24*#17/30.4/1000")],
            ["Operations staff", "kUSD/month", 45, 90, 90],
            ["Staff cost", "kUSD", *f("=#26*#17/30.4")],
            ["Data licences", "kEUR", 250, 600, 0, "pilot re-uses the base corpus"],
            ["Exchange rate", "USD/EUR", 1.09, 1.09, 1.09],
            ["Data licences", "kUSD", *f("=#28*#29")],
            ["Total", "kUSD", *f("=#22+#25+#27+#30")],
            ["Contingency", "%", 0.10, 0.15, 0.15],
            ["Total incl. contingency", "kUSD", *f("=#31*(1+#32)")],
            ["Cost per billion tokens", "USD", *f("=#33*1000/(#5*1000)")],
            None,
            ["Energy (ESG report)"],
            ["IT power per GPU incl. host share", "kW", 1.28, 1.28, 1.28],
            ["IT energy", "MWh", *f("=#18*#37/1000")],
            ["PUE", None, 1.18, 1.18, 1.18],
            ["Facility energy", "MWh", *f("=#38*#39")],
            ["Grid intensity", "g CO2e/kWh", 310, 310, 310, "location based"],
            ["Emissions", "t CO2e", *f("=#40*#41/1000")],
            None,
            ["Within the 90 day window?", None, *f('=IF(#17<=90,"ok","too long")')],
        ],
    )
    bold(ws, "A1 A3 B3 C3 D3 E3 F3 A20 A31 A33 A36")
    fmt(ws, "C11:E11 C15:E15 C32:E32", "0%")
    fmt(ws, "C7:E7 C13:E14 C16:E17 C22:E22 C25:E25 C27:E27 C30:E31 C33:E33 C38:E38 C40:E40 C42:E42", "#,##0.0")
    fmt(ws, "C18:E18 C34:E34", "#,##0")
    ws.column_dimensions["A"].width = 40
    ws.freeze_panes = "C4"
    return wb


def fourth_cloud_quotes() -> Workbook:
    wb = _book("Quotes", "FX", "Compare")
    q = wb["Quotes"]
    _put(
        q,
        1,
        [
            ["GPU cloud quotes, round 2"],
            ["All prices list, before discount, ex VAT. Received 3-11 June."],
            [
                "Vendor",
                "GPU",
                "GPUs/node",
                "HBM per GPU (GB)",
                "BW [TB/s]",
                "BF16 dense (TFLOP/s)",
                "INT8 dense (TOP/s)",
                "Price per GPU-hour",
                "Currency",
                "Min. term (months)",
                "Discount",
                "Egress (USD/TB)",
                "Setup (USD)",
            ],
            ["Nordwolke", "H100 SXM", 8, 80, 3.35, 989, 1979, 2.45, "EUR", 12, 0.10, 0, 0],
            ["CumulusOne", "H100 SXM", 8, 80, 3.35, 989, 1979, 2.99, "USD", 12, 0.15, 50, 5000],
            ["CumulusOne", "H200 SXM", 8, 141, 4.8, 989, 1979, 3.79, "USD", 12, 0.15, 50, 5000],
            ["Basalt GPU", "MI300X", 8, 192, 5.3, 1307, 2615, 2.60, "USD", 6, 0.05, 20, 2500],
            ["Basalt GPU", "A100 80GB SXM", 8, 80, 2.039, 312, 624, 1.35, "USD", 6, 0.05, 20, 2500],
            ["Helvetic AI", "L40S", 4, 48, 0.864, 362, 733, 0.85, "CHF", 3, 0, 30, 0],
        ],
    )
    t = Table(displayName="tblQuotes", ref="A3:M9")
    t.tableStyleInfo = TableStyleInfo(name="TableStyleMedium2", showRowStripes=True)
    q.add_table(t)
    fmt(q, "K4:K9", "0%")
    fmt(q, "H4:H9", "0.00")
    fx = wb["FX"]
    _put(
        fx,
        1,
        [
            ["Rates, treasury fixing", None, date(2025, 6, 11)],
            ["Currency", "USD per unit"],
            ["USD", 1],
            ["EUR", 1.08],
            ["CHF", 1.12],
        ],
    )
    c = wb["Compare"]
    rows = []
    for r in range(4, 10):
        rows.append(
            [
                f"=Quotes!A{r}",
                f"=Quotes!B{r}",
                f"=Quotes!H{r}*(1-Quotes!K{r})*INDEX(FX!$B$3:$B$5,MATCH(Quotes!I{r},FX!$A$3:$A$5,0))",
                f"=C{r}*Quotes!C{r}*$B$14",
                f"=Quotes!C{r}*Quotes!D{r}",
                f"=D{r}/E{r}",
                f"=C{r}/(Quotes!F{r}/1000)",
                f"=ROUNDUP($B$13/E{r},0)",
                f"=H{r}*D{r}+$B$16*Quotes!L{r}",
                f"=(I{r}*$B$15+Quotes!M{r})/1000",
                f"=I{r}/MIN(I$4:I$9)",
            ]
        )
    _put(
        c,
        1,
        [
            ["Comparison on our memory requirement"],
            None,
            [
                "Vendor",
                "GPU",
                "Net price (USD/GPU-h)",
                "USD per node and month",
                "HBM per node (GB)",
                "USD per GB HBM and month",
                "USD/h per PFLOP/s BF16",
                "Nodes needed",
                "Monthly bill (USD)",
                "Contract (kUSD)",
                "vs cheapest",
            ],
            *rows,
            None,
            None,
            ["What we need"],
            ["HBM", 3600, "GB", "70B in BF16 x several tenants, see sizing file"],
            ["Hours per month", 730, "h"],
            ["Run time", 12, "months"],
            ["Egress per month", 40, "TB"],
            None,
            ["Shortlist"],
            ["GPU", "H200 SXM"],
            ["Monthly bill", "=INDEX(I4:I9,MATCH(B19,B4:B9,0))", "USD/month"],
            ["GPUs", "=INDEX(H4:H9,MATCH(B19,B4:B9,0))*INDEX(Quotes!C4:C9,MATCH(B19,Quotes!B4:B9,0))"],
            ["GPU-hours in the contract", "=B21*B14*B15", "GPU-h"],
            ["Effective rate incl. egress", "=B20*B15/B22", "USD/GPU-h"],
            None,
            ["API tokens per month", 90000, "Mtok", "in + out, blended"],
            ["API price", 0.90, "USD/Mtok"],
            ["API bill", "=B25*B26", "USD/month"],
            ["Own hosting / API", "=B20/B27"],
            None,
            None,
            ["Budget request, shortlist"],
            ["GPU hours", "=B22", "GPU-h"],
            ["GPU rental", "=B21*INDEX(C4:C9,MATCH(B19,B4:B9,0))*B14*B15", "USD"],
            ["Egress", "=B16*INDEX(Quotes!L4:L9,MATCH(B19,Quotes!B4:B9,0))*B15", "USD"],
            ["Setup", "=INDEX(Quotes!M4:M9,MATCH(B19,Quotes!B4:B9,0))", "USD"],
            ["Total", "=SUM(B33:B35)", "USD"],
            ["Contingency", 0.10],
            ["Request", "=B36*(1+B37)", "USD"],
        ],
    )
    fmt(c, "C4:C9 F4:G9 B23", "0.00")
    fmt(c, "D4:D9 I4:I9 B20 B22 B25 B27 B32:B36 B38", "#,##0")
    fmt(c, "K4:K9 B28 B37", "0%")
    bold(c, "A1 A12 A18 A31 A36 A38")
    return wb


def fourth_kv_table() -> Workbook:
    wb = _book("models", "kv", "fit")
    m = wb["models"]
    data = [
        ("Llama-3-8B", 8.03, 8.03, 32, 32, 8, 128, 2, 16),
        ("Llama-3-70B", 70.6, 70.6, 80, 64, 8, 128, 2, 16),
        ("Mixtral-8x7B", 46.7, 12.9, 32, 32, 8, 128, 2, 16),
        ("Mistral-7B", 7.24, 7.24, 32, 32, 8, 128, 2, 16),
        ("Llama-2-13B", 13.0, 13.0, 40, 40, 40, 128, 2, 16),
    ]
    _put(
        m,
        1,
        [
            [
                "model",
                "params_b",
                "active_b",
                "n_layers",
                "n_heads",
                "n_kv_heads",
                "head_dim",
                "kv_elem_bytes",
                "weight_bits",
                "kv_bytes_per_token",
                "weights_gib",
            ]
        ],
    )
    for i, d in enumerate(data):
        r = i + 2
        _put(m, r, [[*d, f"=2*D{r}*F{r}*G{r}*H{r}", f"=B{r}*10^9*I{r}/8/2^30"]])
    m["A9"] = "Llama-2-13B has no GQA: kv heads = heads"
    fmt(m, "K2:K6", "0.0")
    k = wb["kv"]
    cols = "BCDEF"
    _put(
        k,
        1,
        [
            ["KV cache sizes"],
            ["Per sequence, GiB"],
            None,
            ["Context (tokens)", "Llama-3-8B", "Llama-3-70B", "Mixtral-8x7B", "Mistral-7B", "Llama-2-13B"],
        ],
    )
    for i, ctx in enumerate((2048, 4096, 8192, 16384)):
        r = 5 + i
        _put(k, r, [[ctx, *[f"=$A{r}*INDEX(models!$J$2:$J$6,MATCH({x}$4,models!$A$2:$A$6,0))/2^30" for x in cols]]])
    _put(k, 11, [["Whole batch, Llama-3-70B (GiB)"], ["Context \\ batch", 1, 4, 16]])
    for i, ctx in enumerate((2048, 4096, 8192)):
        r = 13 + i
        _put(k, r, [[ctx, *[f"={x}$12*$A{r}*models!$J$3/2^30" for x in "BCD"]]])
    k["A18"] = "Llama-2-13B was trained with 4k context; longer rows only for comparison"
    fmt(k, "B5:F8", '0.00" GiB"')
    fmt(k, "B13:D15", "0.00")
    f = wb["fit"]
    gp = [
        ("H100 SXM", 4, 80, 0.92, "Llama-3-70B", 8192, 3.35),
        ("H200 SXM", 2, 141, 0.92, "Llama-3-70B", 16384, 4.8),
        ("A100 80GB SXM", 2, 80, 0.92, "Mixtral-8x7B", 32768, 2.039),
        ("L40S", 1, 48, 0.92, "Llama-3-8B", 8192, 0.864),
    ]
    _put(
        f,
        1,
        [
            ["How many sequences fit?"],
            ["vendor GB taken as 10^9 bytes (conservative)"],
            [
                "GPU",
                "GPUs",
                "HBM per GPU [GB]",
                "HBM total [GiB]",
                "Usable",
                "Model",
                "Weights [GiB]",
                "Free [GiB]",
                "Context",
                "Per seq [GiB]",
                "Seqs",
                "Used [GiB]",
                "Check",
                "HBM BW per GPU [TB/s]",
                "Weights read per step, batch 1 [GB]",
                "Upper bound, batch 1 [tok/s]",
            ],
        ],
    )
    for i, (g, n, hb, us, mod, ctx, bw) in enumerate(gp):
        r = 4 + i
        _put(
            f,
            r,
            [
                [
                    g,
                    n,
                    hb,
                    f"=B{r}*C{r}*10^9/2^30",
                    us,
                    mod,
                    f"=VLOOKUP(F{r},models!$A$2:$K$6,11,FALSE)",
                    f"=D{r}*E{r}-G{r}",
                    ctx,
                    f"=I{r}*VLOOKUP(F{r},models!$A$2:$K$6,10,FALSE)/2^30",
                    f"=ROUNDDOWN(H{r}/J{r},0)",
                    f"=G{r}+K{r}*J{r}",
                    f'=IF(L{r}<=D{r},"ok","over")',
                    bw,
                    f"=VLOOKUP(F{r},models!$A$2:$K$6,3,FALSE)*VLOOKUP(F{r},models!$A$2:$K$6,9,FALSE)/8",
                    f"=B{r}*N{r}*1000/O{r}",
                ]
            ],
        )
    fmt(f, "E4:E7 B14", "0%")
    fmt(f, "D4:D7 G4:H7 L4:L7 O4:P7", "0.0")
    fmt(f, "J4:J7", "0.00")
    _put(
        f,
        11,
        [
            ["Dev box (H100 SXM), run of 11 March"],
            ["Peak bandwidth", 3.35, "TB/s"],
            ["Measured in decode", 2.71, "TB/s"],
            ["Ratio", "=B13/B12"],
        ],
    )
    return wb


def fourth_dc_energie() -> Workbook:
    wb = _book("Eingaben", "Strommix", "Bilanz")
    e = wb["Eingaben"]
    _put(
        e,
        1,
        [
            ["Rechenzentrum Halle 3 - Leistung, Energie, CO2"],
            ["Stand", date(2025, 5, 30)],
            ["Bezeichnung", "Wert", "Einheit", "Bemerkung"],
            ["Racks", 24],
            ["Server je Rack", 4],
            ["GPUs je Server", 8],
            ["GPU", "H100 SXM"],
            ["Leistung je GPU (TDP)", 700, "W", "Datenblatt"],
            ["Sonstige Leistung je Server", 4600, "W", "CPU, NIC, Lüfter"],
            ["Mittlere Auslastung der Leistung", 0.78, None, "Messung Q1"],
            ["PUE", 1.25, None, "Jahresmittel"],
            ["Betriebsstunden pro Jahr", 8760, "h/a"],
            ["Strompreis", 0.186, "EUR/kWh", "Arbeitspreis inkl. Umlagen"],
            ["Netzanschluss", 1400, "kW", "vertraglich"],
            ["Leistungspreis", 95, "EUR/kW/a"],
            ["Anteil nutzbarer Abwärme", 0.30],
            ["Herstellung je Server", 3200, "kg CO2e", "Herstellerangabe"],
            ["Nutzungsdauer", 5, "Jahre"],
            ["Wechselkurs", 1.08, "USD/EUR"],
            ["Wartungsvertrag", 310000, "USD/a"],
        ],
    )
    fmt(e, "B10 B16", "0%")
    fmt(e, "B13", '0.000" EUR/kWh"')
    bold(e, "A1 A3 B3 C3 D3")
    s = wb["Strommix"]
    _put(
        s,
        1,
        [
            ["Strommix des Versorgers"],
            None,
            ["Quelle", "Anteil", "Emissionsfaktor (g CO2e/kWh)"],
            ["Wind", 0.42, 11],
            ["Photovoltaik", 0.18, 35],
            ["Erdgas", 0.25, 430],
            ["Steinkohle", 0.15, 900],
            ["Summe / gewichtetes Mittel", "=SUM(B4:B7)", "=SUMPRODUCT(B4:B7,C4:C7)"],
        ],
    )
    fmt(s, "B4:B8", "0%")
    b = wb["Bilanz"]
    _put(
        b,
        1,
        [
            ["Bilanz"],
            None,
            ["Größe", "Wert", "Einheit"],
            ["Server", "=Eingaben!B4*Eingaben!B5", "Stück"],
            ["GPUs", "=B4*Eingaben!B6", "Stück"],
            ["Leistung je Server", "=(Eingaben!B6*Eingaben!B8+Eingaben!B9)/1000", "kW"],
            ["Leistung je Rack", "=B6*Eingaben!B5", "kW"],
            ["IT-Nennleistung", "=B4*B6", "kW"],
            ["IT-Leistung im Mittel", "=B8*Eingaben!B10", "kW"],
            ["Gebäudeleistung, Spitze", "=B8*Eingaben!B11", "kW"],
            ["Netzanschluss ausreichend?", '=IF(B10<=Eingaben!B14,"ja","nein")'],
            None,
            ["IT-Energie", "=B9*Eingaben!B12/1000", "MWh/a"],
            ["Gesamtenergie", "=B13*Eingaben!B11", "MWh/a"],
            ["davon Kühlung und Verluste", "=B14-B13", "MWh/a"],
            ["Nutzbare Abwärme", "=B13*Eingaben!B16", "MWh/a"],
            None,
            ["Arbeitskosten", "=B14*1000*Eingaben!B13", "EUR/a"],
            ["Leistungskosten", "=B10*Eingaben!B15", "EUR/a"],
            ["Wartung", "=Eingaben!B20/Eingaben!B19", "EUR/a"],
            ["Summe", "=SUM(B18:B20)", "EUR/a"],
            ["je GPU und Stunde", "=B21/B5/Eingaben!B12", "EUR/GPU-h"],
            None,
            ["CO2 Betrieb", "=B14*Strommix!C8/1000", "t CO2e/a"],
            ["CO2 Herstellung", "=B4*Eingaben!B17/1000/Eingaben!B18", "t CO2e/a"],
            ["CO2 gesamt", "=B24+B25", "t CO2e/a"],
            ["je GPU-Stunde", "=B26*10^6/(B5*Eingaben!B12)", "g CO2e/GPU-h"],
            None,
            ["Hallenvergleich", "Auslastung", "IT-Leistung (kW)"],
            ["Halle 1", 0.62, 410],
            ["Halle 2", 0.71, 655],
            ["Halle 3", "=Eingaben!B10", "=B9"],
            ["Mittel bzw. Summe", "=AVERAGE(B30:B32)", "=SUM(C30:C32)"],
        ],
    )
    fmt(b, "B30:B33", "0%")
    fmt(b, "B6:B10 B13:B16 B24:B27 C30:C33", "#,##0.0")
    fmt(b, "B18:B21", "#,##0")
    fmt(b, "B22", "0.000")
    bold(b, "A1 A3 B3 C3 A21 A26 A29 B29 C29")
    return wb


def fourth_slo_budget() -> Workbook:
    wb = _book("budget", "calc", "network")
    b = wb["budget"]
    _put(
        b,
        1,
        [
            ["TTFT budget, chat product"],
            ["Sum of p99s is an upper bound - stages are not independent. Keep-alive connections assumed."],
            ["stage", "where", "lat_ms_mean", "lat_ms_p99", "note"],
            ["Gateway", "edge", 4, 12],
            ["Network to region, one way", "wan", "=network!B7", 14],
            ["Auth + policy", "app", 3, 9],
            ["Queue wait", "sched", 15, 120, "continuous batching, 6 replicas"],
            ["Retrieval", "app", 22, 65, "vector DB, top-8"],
            ["Prefill", "gpu", "=calc!B8", "=calc!B9"],
            ["Network back, one way", "wan", "=C5", "=D5"],
            ["TTFT", None, "=SUM(C4:C10)", "=SUM(D4:D10)"],
            ["SLO", None, 250, 500, "product, v2"],
            ["Headroom", None, "=C12-C11", "=D12-D11"],
            ["Met?", None, '=IF(C11<=C12,"yes","no")', '=IF(D11<=D12,"yes","no")'],
        ],
    )
    fmt(b, "C4:D13", '0.0" ms"')
    bold(b, "A3 B3 C3 D3 E3 A11")
    c = wb["calc"]
    _put(
        c,
        1,
        [
            ["Serving arithmetic (Llama-3-70B FP8, TP4 per replica)"],
            None,
            ["How long is a typical prompt?", 1500, "tokens"],
            ["... and a long one (p99)?", 6000, "tokens"],
            ["How long is a typical answer?", 400, "tokens"],
            ["... and a long one (p99)?", 1200, "tokens"],
            ["Prefill speed of one replica", 28000, "tok/s"],
            ["Prefill, typical prompt", "=B3/B7*1000", "ms"],
            ["Prefill, long prompt", "=B4/B7*1000", "ms"],
            ["Time per output token, mean", 22, "ms"],
            ["Time per output token, p99", 35, "ms"],
            ["How long does a typical answer stream?", "=B5*B10/1000", "s"],
            ["What speed does one user see?", "=1000/B10", "tok/s"],
            ["Concurrent streams per replica", 48],
            ["Decode throughput of a replica", "=B13*B14", "tok/s"],
            ["How many replicas?", 6],
            ["Decode throughput of the fleet", "=B15*B16", "tok/s"],
            ["Requests the fleet can sustain", "=B17/B5", "req/s"],
            ["How long does a typical request take end to end?", "=budget!C11/1000+B12", "s"],
            ["Peak arrivals", 24, "req/s"],
            ["Requests in flight at peak", "=B20*B19"],
            ["Streams available", "=B14*B16"],
            ["Enough?", '=IF(B21<=B22,"yes","no")'],
            ["Slot utilisation", "=B21/B22"],
        ],
    )
    fmt(c, "B8 B9 B12 B13 B18 B19", "0.0")
    fmt(c, "B15 B17 B21", "#,##0")
    fmt(c, "B24", "0%")
    c.column_dimensions["A"].width = 48
    n = wb["network"]
    _put(
        n,
        1,
        [
            ["Network facts"],
            None,
            ["Distance to the region", 900, "km"],
            ["Light in fibre", 200, "km/ms"],
            ["Propagation, one way", "=B3/B4", "ms"],
            ["Switching and queueing, one way", 4.5, "ms"],
            ["One way, total", "=B5+B6", "ms"],
            ["RTT", "=2*B7", "ms"],
            ["TCP + TLS 1.3 handshake, round trips", 2],
            ["Handshake", "=B9*B8", "ms", "new connections only"],
            ["TTFT on a cold connection, mean", "=budget!C11+B10", "ms"],
            None,
            ["Uplink of a branch", 50, "Mbit/s"],
            ["Prompt on the wire", 6, "kB"],
            ["Upload of a prompt", "=B14*8/B13", "ms"],
            ["Attached document", 4, "MB"],
            ["Upload of a document", "=B16*8/B13", "s"],
            None,
            ["Prefill/decode split, same node (H100)"],
            ["NVLink per GPU, both directions", 900, "GB/s"],
            ["NVLink per GPU, per direction", "=B20/2", "GB/s"],
            ["KV cache per token", 327680, "bytes", "80 layers x 8 KV heads x 128 x 2 x 2 bytes"],
            ["KV cache of a typical prompt", "=calc!B3*B22/10^9", "GB"],
            ["GPU pairs (TP4 to TP4)", 4],
            ["Handover prefill -> decode", "=B23/B24/B21*1000", "ms", "flows one way"],
        ],
    )
    fmt(n, "B5 B7 B8 B10 B11", "0.0")
    fmt(n, "B15 B17 B23 B25", "0.00")
    n.column_dimensions["A"].width = 36
    return wb


def fourth_stockage() -> Workbook:
    wb = _book("Hypotheses", "Calcul", "Mesures")
    h = wb["Hypotheses"]
    _put(
        h,
        1,
        [
            ["Stockage et points de reprise - entraînement 70B"],
            None,
            ["Paramètre", "Valeur", "Unité", "Remarque"],
            ["Modèle", "Llama-3-70B"],
            ["Paramètres", 70.6, "milliards"],
            ["Octets par paramètre, poids BF16", 2, "octets"],
            ["Octets par paramètre, optimiseur", 12, "octets", "copie FP32 + deux moments Adam"],
            ["Nœuds", 64],
            ["GPU par nœud", 8],
            ["Lien stockage par nœud", 200, "Gbit/s", "par sens"],
            ["Rendement du lien", 0.85],
            ["Débit d'écriture du système de fichiers", 180, "Go/s"],
            ["Débit de lecture du système de fichiers", 260, "Go/s"],
            ["Intervalle entre points de reprise", 30, "min"],
            ["Points de reprise conservés", 12],
            ["Durée de l'entraînement", 25, "jours"],
            ["Pause maximale admise", 60, "s"],
            ["Jetons du corpus", 1400, "milliards"],
            ["Octets par jeton", 4, "octets", "uint32"],
            ["Prix du stockage", 85, "EUR/To/mois"],
            ["Quota alloué", 40, "Tio", "affichage de la console"],
            ["Marge", 0.15],
        ],
    )
    fmt(h, "B11 B22", "0%")
    bold(h, "A1 A3 B3 C3 D3")
    c = wb["Calcul"]
    _put(
        c,
        1,
        [
            ["Calcul"],
            None,
            ["Taille"],
            ["Poids", "=Hypotheses!B5*Hypotheses!B6", "Go"],
            ["États de l'optimiseur", "=Hypotheses!B5*Hypotheses!B7", "Go"],
            ["Point de reprise complet", "=B4+B5", "Go"],
            ["Part par GPU", "=B6/(Hypotheses!B8*Hypotheses!B9)", "Go"],
            ["Débit"],
            ["Réseau, par nœud", "=Hypotheses!B10/8*Hypotheses!B11", "Go/s"],
            ["Réseau, tous les nœuds", "=B9*Hypotheses!B8", "Go/s"],
            ["Écriture effective", "=MIN(B10,Hypotheses!B12)", "Go/s"],
            ["Durée d'écriture", "=B6/B11", "s"],
            ["Part du temps perdue", "=B12/(Hypotheses!B14*60)"],
            ["Relecture au redémarrage", "=B6/MIN(B10,Hypotheses!B13)", "s"],
            ["Écriture synchrone acceptable ?", '=IF(B12<=Hypotheses!B17,"oui","non")'],
            ["Volumes"],
            ["Points de reprise écrits", "=Hypotheses!B16*24*60/Hypotheses!B14"],
            ["Volume écrit au total", "=B17*B6/1000", "To"],
            ["Volume conservé", "=Hypotheses!B15*B6/1000", "To"],
            ["Corpus", "=Hypotheses!B18*Hypotheses!B19/1000", "To"],
            ["Journaux", 1.5, "To"],
            ["À stocker", "=SUM(B19:B21)", "To"],
            ["À stocker, avec marge", "=B22*(1+Hypotheses!B22)", "To"],
            ["Quota", "=Hypotheses!B21*2^40/10^12", "To"],
            ["Taux de remplissage", "=B23/B24"],
            ["Coût mensuel du quota", "=B24*Hypotheses!B20", "EUR/mois"],
            ["Coût sur la durée du projet", "=B26*Hypotheses!B16/30.4", "EUR"],
            ["Débit d'écriture moyen", "=B18*1000/(Hypotheses!B16*86400)", "Go/s"],
        ],
    )
    fmt(c, "B13 B25", "0.0%")
    fmt(c, "B4:B6 B9:B12 B14 B18:B24", "#,##0.0")
    fmt(c, "B7 B28", "0.00")
    fmt(c, "B17 B26 B27", "#,##0")
    bold(c, "A1 A3 A8 A16 A22")
    c.column_dimensions["A"].width = 34
    m = wb["Mesures"]
    _put(
        m,
        1,
        [
            ["Essais fio / IOR", None, date(2025, 4, 8)],
            None,
            ["Essai", "Nœuds", "Écriture mesurée (Go/s)", "Plafond théorique (Go/s)", "Rendement"],
        ],
    )
    for i, (nn, meas) in enumerate(((1, 18.9), (4, 71.0), (16, 142.0), (64, 158.0))):
        r = 4 + i
        _put(m, r, [[f"E{i + 1}", nn, meas, f"=MIN(B{r}*Hypotheses!$B$10/8,Hypotheses!$B$12)", f"=C{r}/D{r}"]])
    _put(
        m,
        8,
        [
            ["Moyenne", None, None, None, "=AVERAGE(E4:E7)"],
            None,
            ["Copie GPU vers hôte"],
            ["PCIe 5.0 x16, les deux sens", 128, "Go/s"],
            ["PCIe 5.0 x16, un sens", "=B11/2", "Go/s"],
            ["Copie de la part d'un GPU", "=Calcul!B7/B12*1000", "ms"],
            ["Métadonnées"],
            ["Trajet aller simple", 0.15, "ms"],
            ["Aller-retour", "=2*B15", "ms"],
            ["Ouvertures par point de reprise", 40],
            ["Temps d'ouverture", "=B17*B16", "ms", "un aller-retour par ouverture"],
        ],
    )
    fmt(m, "E4:E8", "0.0%")
    fmt(m, "B13", "0.0")
    return wb


def fourth_token_revenue() -> Workbook:
    wb = _book("Pricing", "Volume", "PnL")
    p = wb["Pricing"]
    _put(
        p,
        1,
        [
            ["List prices from 1 October"],
            None,
            ["tier", "in_usd_per_mtok", "out_usd_per_mtok", "comment"],
            ["Small", 0.15, 0.60, "8B class"],
            ["Medium", 0.80, 3.20],
            ["Large", 3.00, 12.00, "70B class, long context"],
            None,
            ["days_per_month", 30.4],
            ["peak_p99 over mean", 2.6, None, "5-min bins, August"],
        ],
    )
    wb.defined_names["days_per_month"] = DefinedName("days_per_month", attr_text="Pricing!$B$8")
    wb.defined_names["peak_p99"] = DefinedName("peak_p99", attr_text="Pricing!$B$9")
    fmt(p, "B4:C6", "0.00")
    v = wb["Volume"]
    v["A1"] = "Demand forecast, month 6"
    v["B2"], v["D2"], v["F2"], v["H2"] = "Demand", "Tokens per request", "Mtok/month", "Output rate (tok/s)"
    for rng in ("B2:C2", "D2:E2", "F2:G2", "H2:I2"):
        v.merge_cells(rng)
    _put(
        v,
        3,
        [
            [
                "Tier",
                "Customers",
                "Requests per customer and day",
                "Input",
                "Output",
                "Input",
                "Output",
                "Mean",
                "p99 peak",
            ]
        ],
    )
    for i, d in enumerate(
        (("Small", 1200, 900, 1100, 220), ("Medium", 420, 600, 1900, 380), ("Large", 85, 400, 3500, 700))
    ):
        r = 4 + i
        _put(
            v,
            r,
            [
                [
                    *d,
                    f"=B{r}*C{r}*days_per_month*D{r}/10^6",
                    f"=B{r}*C{r}*days_per_month*E{r}/10^6",
                    f"=G{r}*10^6/(days_per_month*86400)",
                    f"=H{r}*peak_p99",
                ]
            ],
        )
    _put(v, 7, [["Total", "=SUM(B4:B6)", None, None, None, "=SUM(F4:F6)", "=SUM(G4:G6)", "=SUM(H4:H6)", "=SUM(I4:I6)"]])
    fmt(v, "B4:I7", "#,##0")
    n = wb["PnL"]
    _put(
        n,
        1,
        [
            ["P&L, month 6"],
            None,
            ["Revenue"],
            ["Input tokens", "=SUMPRODUCT(Volume!F4:F6,Pricing!B4:B6)", "USD/month"],
            ["Output tokens", "=SUMPRODUCT(Volume!G4:G6,Pricing!C4:C6)", "USD/month"],
            ["Usage", "=B4+B5", "USD/month"],
            ["Platform fee per customer", 12, "USD/month"],
            ["Platform fees, all customers", "=Volume!B7*B7", "USD/month"],
            ["Revenue", "=B6+B8", "USD/month"],
            None,
            ["Cost"],
            ["Output rate at the p99 peak", "=Volume!I7", "tok/s"],
            ["Output rate of one replica", 3000, "tok/s"],
            ["Replicas", "=ROUNDUP(B12/B13,0)"],
            ["GPUs per replica", 4],
            ["GPUs", "=B14*B15"],
            ["Hours per month", 730, "h/month"],
            ["GPU-hours", "=B16*B17", "GPU-h/month"],
            ["GPU rent", 2.20, "USD/GPU-h"],
            ["GPU cost", "=B18*B19", "USD/month"],
            ["Support desk (Dublin)", 9500, "EUR/month"],
            ["Rate", 1.08, "USD/EUR"],
            ["Support desk", "=B21*B22", "USD/month"],
            ["Card fees, share of revenue", 0.029],
            ["Card fees", "=B9*B24", "USD/month"],
            ["Cost", "=B20+B23+B25", "USD/month"],
            None,
            ["Margin", "=B9-B26", "USD/month"],
            ["Gross margin", "=IFERROR(B28/B9,0)"],
            ["Cost per million output tokens", "=B26/Volume!G7", "USD/Mtok"],
            ["Margin, annualised", "=B28*12", "USD/year"],
            ["Revenue per customer", "=B9/Volume!B7", "USD/month"],
            None,
            ["For information: energy in the rent"],
            ["IT power per GPU", 1.3, "kW", "host share included"],
            ["PUE", 1.35],
            ["IT energy", "=B16*B35*B17", "kWh/month"],
            ["Facility energy", "=B37*B36", "kWh/month"],
            ["Tariff", 0.14, "USD/kWh"],
            ["Energy", "=B38*B39", "USD/month"],
        ],
    )
    fmt(n, "B4:B6 B8:B9 B12 B18 B20 B23 B25:B26 B28 B31 B37:B38 B40", "#,##0")
    fmt(n, "B24 B29", "0.0%")
    fmt(n, "B30 B32", "0.00")
    bold(n, "A1 A3 A9 A11 A26 A28 A34")
    return wb


def fourth_moe() -> Workbook:
    wb = _book("Spec", "MoE")
    s = wb["Spec"]
    _put(
        s,
        1,
        [
            ["Data sheet figures, no 2:4 sparsity"],
            ["GPU", "Memory", "Bandwidth", "BF16 dense", "FP8 dense", "INT8 dense", "TDP"],
            [None, "GB", "TB/s", "TFLOP/s", "TFLOP/s", "TOP/s", "W"],
            ["A100 80GB SXM", 80, 2.039, 312, "-", 624, 400],
            ["H100 SXM", 80, 3.35, 989, 1979, 1979, 700],
            ["L40S", 48, 0.864, 362, 733, 733, 350],
            ["MI300X", 192, 5.3, 1307, 2615, 2615, 750],
        ],
    )
    m = wb["MoE"]

    def f(t: str) -> str:
        return [t.replace("#", c) for c in "CDE"]

    def look(col: str) -> str:
        return f(f"=_xlfn.XLOOKUP(#15,Spec!$A$4:$A$7,Spec!${col}$4:${col}$7)")

    _put(
        m,
        1,
        [
            ["Mixtral deployment options"],
            None,
            [None, "Unit", "A100 / BF16", "H100 / FP8", "A100 / W8A8"],
            ["Model", None, "Mixtral-8x7B", "Mixtral-8x7B", "Mixtral-8x7B"],
            ["Total parameters", "B", 46.7, 46.7, 46.7],
            ["Active parameters per token", "B", 12.9, 12.9, 12.9, "2 of 8 experts + shared"],
            ["Weight format", None, "BF16", "FP8", "INT8"],
            ["Bytes per weight", "byte", 2, 1, 1],
            ["Layers", None, 32, 32, 32],
            ["Attention heads", None, 32, 32, 32],
            ["KV heads", None, 8, 8, 8],
            ["Head dim", None, 128, 128, 128],
            ["KV cache element", "byte", 2, 2, 2],
            None,
            ["GPU", None, "A100 80GB SXM", "H100 SXM", "A100 80GB SXM"],
            ["GPUs per replica", None, 2, 1, 1],
            ["HBM per GPU", "GB", *look("B")],
            ["HBM bandwidth per GPU", "TB/s", *look("C")],
            ["BF16 peak", "TFLOP/s", *look("D")],
            ["FP8 peak", "TFLOP/s", *look("E")],
            ["INT8 peak", "TOP/s", *look("F")],
            ["Peak in the weight format", "TFLOP/s (INT8: TOP/s)", "=C19", "=D20", "=E21"],
            None,
            ["Weights in memory", "GB", *f("=#5*#8")],
            ["KV cache per token", "kB", *f("=2*#9*#11*#12*#13/1000")],
            ["Context per sequence", "tokens", 4096, 4096, 4096],
            ["Usable HBM", "%", 0.9, 0.9, 0.9],
            ["Free for KV cache", "GB", *f("=#16*#17*#27-#24")],
            ["KV cache per sequence", "GB", *f("=#25*#26/10^6")],
            ["Sequences that fit", None, *f("=ROUNDDOWN(#28/#29,0)")],
            ["MACs per token", "GMAC", *f("=#6")],
            ["FLOPs per token", "GFLOP", *f("=2*#31")],
            ["Prefill MFU", "%", 0.45, 0.38, 0.40],
            ["Prefill throughput, replica", "tok/s", *f("=#22*#16*#33*1000/#32")],
            ["Weights read per step, batch 1", "GB", *f("=#6*#8")],
            ["Weights read per step, large batch", "GB", *f("=#24"), "all experts hit"],
            ["Decode batch", "sequences", 64, 32, 32],
            ["KV cache read per step", "GB", *f("=#37*#29")],
            ["Bandwidth efficiency", "%", 0.6, 0.6, 0.6],
            ["Step time", "ms", *f("=(#36+#38)/(#16*#18*1000*#39)*1000")],
            ["Decode throughput, replica", "tok/s", *f("=#37/#40*1000")],
            ["Output per replica and day", "Mtok", *f("=#41*86400/10^6")],
            ["Single stream, upper bound", "tok/s", *f("=#16*#18*1000/#35")],
            ["Batch fits?", None, *f('=IF(#37<=#30,"ok","too big")')],
            ["Price", "USD/GPU-h", 1.4, 2.5, 1.4],
            ["Cost of a replica", "USD/h", *f("=#45*#16")],
            ["Cost of output tokens", "USD/Mtok", *f("=#46/(#41*3600/10^6)")],
        ],
    )
    fmt(m, "C27:E27 C33:E33 C39:E39", "0%")
    fmt(m, "C34:E34 C41:E41 C43:E43", "#,##0")
    fmt(m, "C24:E25 C28:E28 C36:E36 C38:E38 C40:E40 C42:E42", "0.0")
    fmt(m, "C29:E29 C47:E47", "0.00")
    bold(m, "A1 C3 D3 E3")
    m.column_dimensions["A"].width = 34
    return wb


def fourth_fabric() -> Workbook:
    wb = _book("Topology", "Latency", "Allreduce", "BOM")
    t = wb["Topology"]
    _put(
        t,
        1,
        [
            ["Two-tier fabric, 1024 GPUs"],
            None,
            ["Nodes", 128],
            ["GPUs per node", 8],
            ["GPUs", "=B3*B4"],
            ["NICs per node", 8],
            ["NIC line rate, per direction", 400, "NDR"],
            ["Same in bytes", "=B7/8"],
            ["Injection bandwidth per node", "=B6*B8"],
            ["Injection bandwidth, all nodes", "=B9*B3/1000"],
            ["NVLink per GPU, both directions", 900, "H100 data sheet"],
            ["NVLink per GPU, one direction", "=B11/2"],
            ["Ports per switch", 64],
            ["Leaf ports facing down", "=B13/2"],
            ["Leaf switches", "=ROUNDUP(B3*B6/B14,0)"],
            ["Spine switches", "=ROUNDUP(B15*(B13-B14)/B13,0)"],
            ["Switches", "=B15+B16"],
            ["Oversubscription at the leaf", "=B14/(B13-B14)", "non-blocking"],
            ["Bisection bandwidth, one direction", "=B3*B6/2*B8/1000"],
            ["Power per switch", 1.7, "typical, with optics"],
            ["Switch power", "=B17*B20"],
            ["Hours per year", 8760],
            ["Energy per year", "=B21*B22/1000"],
            ["Tariff", 120],
            ["Energy cost per year", "=B23*B24"],
        ],
    )
    for ref, fm in {
        "B5": '#,##0" GPUs"',
        "B7": '0" Gb/s"',
        "B8": '0" GB/s"',
        "B9": '0" GB/s"',
        "B10": '0.0" TB/s"',
        "B11": '0" GB/s"',
        "B12": '0" GB/s"',
        "B18": '0.0":1"',
        "B19": '0.0" TB/s"',
        "B20": '0.0" kW"',
        "B21": '0.0" kW"',
        "B22": '#,##0" h"',
        "B23": '#,##0" MWh"',
        "B24": '0" USD/MWh"',
        "B25": '#,##0" USD"',
    }.items():
        t[ref].number_format = fm
    t.column_dimensions["A"].width = 36
    la = wb["Latency"]
    _put(
        la,
        1,
        [
            ["Latency across the spine"],
            None,
            ["One way (µs)", "mean", "p99"],
            ["NIC, send", 0.6, 0.9],
            ["Leaf", 0.35, 1.1],
            ["Spine", 0.35, 1.4],
            ["Leaf", 0.35, 1.1],
            ["Cables", "=B14*B15/1000", "=B14*B15/1000"],
            ["NIC, receive", 0.6, 0.9],
            ["Sum, one way", "=SUM(B4:B9)", "=SUM(C4:C9)"],
            ["Round trip (µs)", "=2*B10", "=2*C10"],
            None,
            ["Assumptions"],
            ["Cable length, end to end", 60, "m"],
            ["Delay of fibre", 5, "ns/m"],
            ["Tree depth for a barrier", "=ROUNDUP(LOG(Topology!B5,2),0)", "levels"],
            ["Barrier, mean", "=B16*B11", "µs", "one round trip per level"],
        ],
    )
    fmt(la, "B4:C11", "0.00")
    a = wb["Allreduce"]
    _put(
        a,
        1,
        [
            ["Gradient all-reduce, 8B model, pure data parallel"],
            None,
            ["Parameters", 8.03, "B"],
            ["Bytes per gradient (BF16)", 2, "byte"],
            ["Gradients", "=B3*B4", "GB"],
            ["Ring across nodes", 128, "nodes"],
            ["Shard per NIC", "=B5/Topology!B6", "GB", "after reduce-scatter inside the node"],
            ["Sent per NIC", "=2*(B6-1)/B6*B7", "GB"],
            ["Link efficiency", 0.82],
            ["Inter-node time", "=B8/(Topology!B8*B9)*1000", "ms"],
            ["Sent per GPU inside the node", "=2*(Topology!B4-1)/Topology!B4*B5", "GB"],
            ["NVLink time", "=B11/(Topology!B12*B9)*1000", "ms", "sending direction only"],
            ["Communication", "=B10+B12", "ms"],
            ["Forward", 320, "ms"],
            ["Backward", 640, "ms"],
            ["Share hidden behind backward", 0.85],
            ["Exposed communication", "=B13*(1-B16)", "ms"],
            ["Step", "=B14+B15+B17", "ms"],
            ["Lost to the network", "=B17/B18"],
            None,
            ["ib_write_bw, one direction", None, None, date(2025, 6, 2)],
            ["Node", "Measured (GB/s)", "Line rate (GB/s)", "Utilisation"],
            ["n012", 47.9, "=Topology!$B$8", "=B23/C23"],
            ["n047", 48.3, "=Topology!$B$8", "=B24/C24"],
            ["n090", 46.1, "=Topology!$B$8", "=B25/C25"],
            ["n111", 48.0, "=Topology!$B$8", "=B26/C26"],
            ["Mean", "=AVERAGE(B23:B26)", None, "=AVERAGE(D23:D26)"],
        ],
    )
    fmt(a, "B9 B16", "0%")
    fmt(a, "B19 D23:D27", "0.0%")
    fmt(a, "B10 B12:B13 B17:B18 B27", "0.0")
    fmt(a, "B5 B7:B8 B11", "0.00")
    b = wb["BOM"]
    _put(
        b,
        1,
        [
            ["Bill of material"],
            None,
            ["Item", "Qty", "Unit price (USD)", "Total (USD)", "Group"],
            ["Switch, 64 ports", "=Topology!B17", 32000, "=B4*C4", "active"],
            ["NIC 400G", "=Topology!B3*Topology!B6", 1500, "=B5*C5", "active"],
            ["Transceiver 400G", "=2*B7", 480, "=B6*C6", "cabling"],
            ["Fibre", "=2*Topology!B3*Topology!B6", 60, "=B7*C7", "cabling"],
            ["Total", None, None, "=SUM(D4:D7)"],
            ["Spares", None, None, "=D8*E9", 0.03],
            ["Total with spares", None, None, "=D8+D9"],
            ["of which cabling, before spares", None, None, '=SUMIFS(D4:D7,E4:E7,"cabling")'],
            ["Per GPU", None, None, "=D10/Topology!B5"],
        ],
    )
    fmt(b, "B4:D8 D9:D12", "#,##0")
    fmt(b, "E9", "0%")
    return wb


_BUILDERS = (
    fourth_bank_inference,
    fourth_training_cost,
    fourth_cloud_quotes,
    fourth_kv_table,
    fourth_dc_energie,
    fourth_slo_budget,
    fourth_stockage,
    fourth_token_revenue,
    fourth_moe,
    fourth_fabric,
)

_SEEDS: Seeds = {
    "fourth_bank_inference": [
        ("binary-prefix", {"Sizing!B14": "=B12*B13/2^30"}, ["Sizing!B17", "Sizing!B18", "Sizing!B27"]),
        ("kv-factor", {"Sizing!B12": "=Inputs!B17*Inputs!B19*Inputs!B20*Inputs!B21"}, ["Sizing!B14"]),
        ("kv-heads", {"Sizing!B12": "=2*Inputs!B17*Inputs!B18*Inputs!B20*Inputs!B21"}, ["Sizing!B14"]),
        ("flop-rate", {"Sizing!C21": "GFLOP/s"}, ["Sizing!B21", "Sizing!A21", "Sizing!B22"]),
        ("mac-flop", {"Sizing!B21": "=Inputs!B15"}, ["Sizing!B22"]),
        ("peak-precision", {"Sizing!B22": "=Inputs!B26*1000*Inputs!B28*Inputs!B30/B21"}, ["Sizing!B23"]),
        ("device-scope", {"Sizing!B28": "=B27/(Inputs!B25*1000*Inputs!B31)*1000"}, ["Sizing!B29", "Sizing!B30"]),
        ("time-scale", {"Sizing!B28": "=B27/(Inputs!B25*1000*Inputs!B28*Inputs!B31)"}, ["Sizing!B29", "Sizing!C28"]),
        ("user-total", {"Sizing!B31": "=B8/B29"}, ["Sizing!B34"]),
        ("token-direction", {"Sizing!B8": "=B6*Inputs!B9"}, ["Sizing!B31"]),
        ("statistic-mix", {"Sizing!B13": "=Inputs!B9+Inputs!B11"}, ["Sizing!B14"]),
        ("registry", {"Inputs!B25": 3.9}, ["Sizing!B28"]),
    ],
    "fourth_training_cost": [
        (
            "flop-rate",
            {"Plan!B7": "ZFLOP/s"},
            ["Plan!A7", "Plan!C7", "Plan!D7", "Plan!E7", "Plan!C14", "Plan!D14", "Plan!E14"],
        ),
        ("mac-flop", {"Plan!D6": 3}, ["Plan!D7"]),
        ("sparse-peak", {"Plan!D10": 1979}, ["Plan!D13"]),
        ("peak-precision", {"Plan!E10": 989}, ["Plan!E13", "Plan!E9"]),
        ("device-hours", {"Plan!D22": "=D16*D21/1000"}, ["Plan!D31"]),
        ("money-rate", {"Plan!D25": "=D23*D24/1000"}, ["Plan!D31"]),
        ("currency", {"Plan!D31": "=D22+D25+D27+D28"}, ["Plan!D33"]),
        ("power-energy", {"Plan!C38": "=C12*C37/1000"}, ["Plan!C40"]),
        ("facility-energy", {"Plan!D42": "=D40*D39*D41/1000"}, []),
        (
            "carbon-scale",
            {"Plan!B41": "kg CO2e/kWh"},
            ["Plan!A41", "Plan!C41", "Plan!D41", "Plan!E41", "Plan!C42", "Plan!D42", "Plan!E42"],
        ),
        ("above-limit", {"Plan!C11": 1.42}, ["Plan!C13"]),
        ("calendar", {"Plan!E27": "=E26*E16/30.4"}, ["Plan!E31"]),
    ],
    "fourth_cloud_quotes": [
        ("currency", {"Compare!C4": "=Quotes!H4*(1-Quotes!K4)"}, ["Compare!D4", "Compare!G4"]),
        ("device-scope", {"Compare!D5": "=C5*$B$14"}, ["Compare!F5", "Compare!I5"]),
        ("device-hours", {"Compare!B22": "=B14*B15"}, ["Compare!B23", "Compare!B32"]),
        (
            "calendar",
            {"Compare!B14": 8760},
            [
                "Compare!D4",
                "Compare!D5",
                "Compare!D6",
                "Compare!D7",
                "Compare!D8",
                "Compare!D9",
                "Compare!B22",
                "Compare!B33",
            ],
        ),
        ("percent", {"Quotes!K5": 15}, ["Compare!C5"]),
        ("mixed-sum", {"Compare!B36": "=SUM(B32:B35)"}, ["Compare!B38"]),
        ("bare-number", {"Compare!B38": "=B36+B37"}, []),
        ("token-price-scale", {"Compare!C26": "USD/ktok"}, ["Compare!B26", "Compare!B27", "Compare!C27"]),
        ("integer-ops", {"Compare!G5": "=C5/(Quotes!G5/1000)"}, []),
        ("sparse-peak", {"Quotes!F5": 1979}, ["Compare!G5"]),
        ("registry", {"Quotes!D7": 128}, ["Compare!E7"]),
        ("money-rate", {"Compare!B23": "=B20/B22"}, []),
    ],
    "fourth_kv_table": [
        ("binary-prefix", {"kv!C7": "=$A7*INDEX(models!$J$2:$J$6,MATCH(C$4,models!$A$2:$A$6,0))/10^9"}, []),
        ("kv-factor", {"models!J3": "=D3*F3*G3*H3"}, ["kv!C5", "kv!C6", "kv!C7", "kv!C8", "fit!J4", "fit!J5"]),
        ("kv-heads", {"models!J4": "=2*D4*E4*G4*H4"}, ["kv!D5", "kv!D6", "kv!D7", "kv!D8", "fit!J6"]),
        ("params-bytes", {"models!K5": "=B5*10^9/2^30"}, []),
        ("bits-bytes", {"models!K2": "=B2*10^9*I2/2^30"}, ["fit!G7"]),
        ("registry", {"models!D3": 64}, ["models!J3"]),
        ("active-params", {"models!K4": "=C4*10^9*I4/8/2^30"}, ["fit!G6", "fit!H6"]),
        ("user-total", {"kv!D14": "=$A14*models!$J$3/2^30"}, []),
        ("device-scope", {"fit!D4": "=C4*10^9/2^30"}, ["fit!H4"]),
        ("above-limit", {"fit!B13": 3.71}, ["fit!B14", "fit!B12"]),
        ("unit-contradiction", {"kv!A2": "Per sequence, MiB"}, [f"kv!{c}{r}" for c in "BCDEF" for r in range(5, 9)]),
        ("percent", {"fit!E5": 92}, ["fit!H5"]),
    ],
    "fourth_dc_energie": [
        ("power-energy", {"Bilanz!B13": "=B9/1000"}, ["Bilanz!B14"]),
        ("facility-energy", {"Bilanz!B24": "=B14*Eingaben!B11*Strommix!C8/1000"}, ["Bilanz!B26"]),
        ("carbon-scale", {"Bilanz!B24": "=B14*Strommix!C8"}, ["Bilanz!B26", "Bilanz!C24"]),
        ("carbon-scale", {"Bilanz!B25": "=B4*Eingaben!B17/Eingaben!B18"}, ["Bilanz!B26", "Bilanz!C25"]),
        ("calendar", {"Eingaben!B12": 730}, ["Bilanz!B13", "Bilanz!B22", "Bilanz!B27", "Eingaben!A12"]),
        ("percent-sum", {"Bilanz!B33": "=SUM(B30:B32)"}, []),
        ("device-scope", {"Bilanz!B8": "=B4*B7"}, ["Bilanz!B9", "Bilanz!B10"]),
        ("mixed-sum", {"Bilanz!B21": "=SUM(B16:B20)"}, ["Bilanz!B22"]),
        ("unit-contradiction", {"Eingaben!C13": "EUR/MWh"}, ["Eingaben!B13", "Bilanz!B18"]),
        ("money-rate", {"Bilanz!B22": "=B21/B5"}, ["Bilanz!C22"]),
        ("currency", {"Bilanz!B20": "=Eingaben!B20"}, ["Bilanz!B21", "Bilanz!C20"]),
        ("bare-number", {"Bilanz!B14": "=B13+Eingaben!B11"}, ["Bilanz!B15"]),
    ],
    "fourth_slo_budget": [
        ("time-scale", {"calc!B19": "=budget!C11+B12"}, ["calc!B21"]),
        ("round-trip", {"network!B10": "=B9*B7"}, ["network!B11"]),
        ("round-trip", {"budget!C5": "=network!B8"}, ["budget!C10", "budget!C11"]),
        ("statistic-mix", {"budget!D9": "=calc!B8"}, ["budget!D11"]),
        ("token-rate", {"calc!C7": "tokens"}, ["calc!B7", "calc!A7", "calc!B8", "calc!B9"]),
        ("user-total", {"calc!B17": "=B13*B16"}, ["calc!B18"]),
        ("bits-bytes", {"network!B17": "=B16/B13"}, []),
        ("link-direction", {"network!B25": "=B23/B24/B20*1000"}, []),
        ("token-direction", {"calc!B12": "=B3*B10/1000"}, ["calc!B19"]),
        ("percent", {"calc!B24": "=B21/B22*100"}, []),
        ("unit-contradiction", {"budget!D3": "lat_s_p99"}, [f"budget!D{r}" for r in range(4, 14)]),
    ],
    "fourth_stockage": [
        ("bits-bytes", {"Calcul!B9": "=Hypotheses!B10*Hypotheses!B11"}, ["Calcul!B10"]),
        ("binary-prefix", {"Calcul!B24": "=Hypotheses!B21"}, ["Calcul!C24", "Calcul!B25", "Calcul!B26"]),
        ("params-bytes", {"Calcul!B4": "=Hypotheses!B5"}, ["Calcul!B6", "Calcul!C4"]),
        ("time-scale", {"Calcul!B13": "=B12/Hypotheses!B14"}, []),
        ("link-direction", {"Mesures!B13": "=Calcul!B7/B11*1000"}, []),
        ("device-scope", {"Calcul!B7": "=B6/Hypotheses!B8"}, ["Mesures!B13"]),
        ("percent-sum", {"Mesures!E8": "=SUM(E4:E7)"}, []),
        ("above-limit", {"Mesures!C6": 214}, ["Mesures!E6", "Mesures!D6"]),
        ("mixed-sum", {"Calcul!B22": "=SUM(B17:B21)"}, ["Calcul!B23"]),
        ("bare-number", {"Calcul!B23": "=B22+Hypotheses!B22"}, ["Calcul!B25"]),
        ("round-trip", {"Mesures!B16": "=B15"}, ["Mesures!B18"]),
        ("calendar", {"Calcul!B27": "=B26*Hypotheses!B16"}, []),
    ],
    "fourth_token_revenue": [
        ("token-price-scale", {"Pricing!B3": "in_usd_per_ktok"}, ["Pricing!B4", "Pricing!B5", "Pricing!B6", "PnL!B4"]),
        ("token-price-scale", {"Pricing!C6": 0.012}, ["PnL!B5"]),
        ("token-direction", {"PnL!B5": "=SUMPRODUCT(Volume!F4:F6,Pricing!C4:C6)"}, ["PnL!B6"]),
        ("token-rate", {"PnL!B12": "=Volume!G7"}, ["PnL!B14", "PnL!C12"]),
        ("money-rate", {"PnL!B20": "=B16*B19"}, ["PnL!B26", "PnL!C20"]),
        ("currency", {"PnL!B26": "=B20+B21+B25"}, ["PnL!B28"]),
        ("user-total", {"PnL!B9": "=B6+B7"}, ["PnL!B28"]),
        ("device-hours", {"PnL!B18": "=B17"}, ["PnL!B20", "PnL!C18"]),
        ("percent", {"PnL!B24": 2.9}, ["PnL!B25"]),
        ("calendar", {"PnL!B31": "=B28*365"}, []),
        ("statistic-mix", {"PnL!B12": "=Volume!H7"}, ["PnL!B14"]),
        ("facility-energy", {"PnL!B40": "=B38*B36*B39"}, []),
    ],
    "fourth_moe": [
        ("active-params", {"MoE!C24": "=C6*C8"}, ["MoE!C28", "MoE!C36"]),
        ("active-params", {"MoE!D31": "=D5"}, ["MoE!D32", "MoE!D34"]),
        ("params-bytes", {"MoE!C36": "=C5"}, ["MoE!C40"]),
        ("integer-ops", {"MoE!C22": "=C21"}, ["MoE!C34"]),
        (
            "integer-ops",
            {"Spec!F3": "TFLOP/s"},
            ["Spec!F2", "Spec!F4", "Spec!F5", "Spec!F6", "Spec!F7", "MoE!C21", "MoE!D21", "MoE!E21", "MoE!E22"],
        ),
        ("sparse-peak", {"Spec!E5": 3958}, ["MoE!D20", "MoE!D22", "MoE!D34"]),
        ("peak-precision", {"MoE!D22": "=D19"}, ["MoE!D34"]),
        ("mac-flop", {"MoE!C32": "=C31"}, ["MoE!C34"]),
        ("kv-heads", {"MoE!C25": "=2*C9*C10*C12*C13/1000"}, ["MoE!C29"]),
        ("kv-factor", {"MoE!D25": "=D9*D11*D12*D13/1000"}, ["MoE!D29"]),
        (
            "flop-rate",
            {"MoE!B32": "GFLOP/s"},
            ["MoE!A32", "MoE!C32", "MoE!D32", "MoE!E32", "MoE!C34", "MoE!D34", "MoE!E34"],
        ),
        ("token-rate", {"MoE!C42": "=C41/10^6"}, ["MoE!B42"]),
    ],
    "fourth_fabric": [
        ("link-direction", {"Allreduce!B12": "=B11/(Topology!B11*B9)*1000"}, ["Allreduce!B13"]),
        ("bits-bytes", {"Allreduce!B10": "=B8/(Topology!B7*B9)*1000"}, ["Allreduce!B13"]),
        ("round-trip", {"Latency!C11": "=C10"}, []),
        ("time-scale", {"Latency!B8": "=B14*B15"}, ["Latency!B10"]),
        ("device-scope", {"Topology!B10": "=B8*B3/1000"}, []),
        ("statistic-mix", {"Latency!B17": "=B16*C11"}, []),
        ("percent-sum", {"Allreduce!D27": "=SUM(D23:D26)"}, []),
        ("above-limit", {"Allreduce!B25": 61.2}, ["Allreduce!D25", "Allreduce!C25"]),
        ("mixed-sum", {"BOM!D8": "=SUM(B4:D7)"}, ["BOM!D10"]),
        ("bare-number", {"BOM!D10": "=D8+E9"}, ["BOM!D12"]),
        ("power-energy", {"Topology!B23": "=B21/1000"}, ["Topology!B25"]),
        ("params-bytes", {"Allreduce!B5": "=B3"}, ["Allreduce!B7", "Allreduce!B11", "Allreduce!C5"]),
    ],
}

BOOKS = books_of(_BUILDERS, _SEEDS)
