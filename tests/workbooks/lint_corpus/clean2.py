"""Ten more workbooks without a mistake: planners, buyers and engineers, lists and tables."""

from __future__ import annotations

from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.worksheet.worksheet import Worksheet

from .book import Book

__all__ = ["BOOKS"]


def put(ws: Worksheet, rows: dict[int, list[Any]]) -> None:
    """Fill rows by number; a lone text is a heading, a row with "%" holds fractions."""
    for r, vals in rows.items():
        vals = list(vals)
        for c, v in enumerate(vals, 1):
            if v is not None:
                ws.cell(r, c, v)
        if len(vals) == 1:
            ws.cell(r, 1).font = Font(bold=True)
        if "%" in vals:
            for c, v in enumerate(vals, 1):
                if isinstance(v, float) or (isinstance(v, str) and v.startswith("=")):
                    ws.cell(r, c).number_format = "0.0%"
    ws.column_dimensions["A"].width = 44


def serving() -> Workbook:
    wb = Workbook()
    ws = wb.active
    ws.title = "Serving"
    put(
        ws,
        {
            1: ["Chat assistant - 70B dense model, FP8, H100 SXM"],
            3: ["Item", "Value", "Unit", "Note"],
            4: ["Model parameters", 70, "B params"],
            5: ["Weight bytes per parameter", 1, "bytes/param", "FP8"],
            6: ["Layers", 80, "layers"],
            7: ["KV heads", 8, "heads", "GQA"],
            8: ["Head dimension", 128, "elements"],
            9: ["KV cache element size", 2, "bytes", "BF16 KV"],
            10: ["GPUs per replica", 4, "GPUs", "TP4"],
            11: ["HBM per GPU", 80, "GB"],
            12: ["HBM bandwidth per GPU", 3.35, "TB/s"],
            13: ["Peak FP8 dense compute per GPU", 1979, "TFLOP/s"],
            14: ["Prefill MFU", 0.45, "%"],
            15: ["Decode bandwidth efficiency", 0.65, "%"],
            16: ["Usable share of HBM", 0.90, "%"],
            17: ["Mean prompt length", 1500, "tokens/request"],
            18: ["Mean output length", 350, "tokens/request"],
            19: ["Peak request rate", 40, "requests/s"],
            20: ["TTFT target", 0.5, "s"],
            21: ["TPOT target", 40, "ms"],
            22: ["Scheduler batch limit", 128, "requests"],
            23: ["Memory"],
            24: ["Weights per replica", "=B4*B5", "GB"],
            25: ["KV cache per token", "=2*B6*B7*B8*B9", "bytes/token", "K and V"],
            26: ["KV cache per token", "=B25/1024", "KiB/token"],
            27: ["KV budget per replica", "=B10*B11*B16-B24", "GB"],
            28: ["KV capacity per replica", "=B27*10^9/B25", "tokens"],
            29: ["Mean resident context", "=B17+B18/2", "tokens/request", "half of the output on average"],
            30: ["Max concurrency by memory", "=ROUNDDOWN(B28/B29,0)", "requests"],
            32: ["Latency"],
            33: ["Prefill compute per request", "=2*B4*B17/1000", "TFLOP/request", "2 FLOP per param per token"],
            34: ["TTFT without queueing", "=B33/(B10*B13*B14)", "s"],
            35: ["TTFT without queueing", "=B34*1000", "ms"],
            36: ["TTFT check", '=IF(B34<=B20,"OK","too slow")'],
            37: ["Decode batch", "=MIN(B30,B22)", "requests"],
            38: ["HBM read per decode step", "=B24+B37*B29*B25/10^9", "GB/step"],
            39: ["TPOT", "=B38/(B10*B12*1000*B15)*1000", "ms"],
            40: ["TPOT check", '=IF(B39<=B21,"OK","too slow")'],
            41: ["Decode throughput per replica", "=B37/(B39/1000)", "tokens/s"],
            42: ["End-to-end latency", "=B34+(B18-1)*B39/1000", "s"],
            44: ["Sizing"],
            45: ["Peak output token rate", "=B19*B18", "tokens/s"],
            46: ["Decode load", "=B45/B41", "replicas"],
            47: ["Prefill load", "=B19*B34", "replicas"],
            48: ["Target utilisation at peak", 0.7, "%"],
            49: ["Replicas needed", "=ROUNDUP((B46+B47)/B48,0)", "replicas"],
            50: ["GPUs needed", "=B49*B10", "GPUs"],
            51: ["GPU price", 2.5, "$/GPU-hour"],
            52: ["Hours per month", 730, "hours/month"],
            53: ["Mean-to-peak load ratio", 0.4, "%"],
            54: ["Monthly GPU cost", "=B50*B51*B52", "$/month"],
            55: ["Output tokens per month", "=B45*B53*3600*B52/10^6", "Mtok/month"],
            56: ["Cost per million output tokens", "=B54/B55", "$/Mtok"],
        },
    )
    return wb


def training() -> Workbook:
    wb = Workbook()
    ws = wb.active
    ws.title = "Budget"
    put(
        ws,
        {
            1: ["Pretraining budget - three model sizes"],
            2: ["Quantity", "Unit", "7B", "13B", "70B"],
            3: ["Parameters", "10^9", 7, 13, 70],
            4: ["Training tokens", "10^12", 2, 2, 4],
            5: ["GPUs", "GPUs", 256, 512, 2048],
            6: ["Peak BF16 dense per GPU", "TFLOP/s", 989, 989, 989],
            7: ["MFU", "%", 0.42, 0.41, 0.38],
            8: ["Goodput (share of wall time training)", "%", 0.96, 0.95, 0.90],
            9: ["GPU rate", "USD/GPU-h", 2.2, 2.2, 2.0],
            10: ["Checkpoint bytes per parameter", "B/param", 14, 14, 14],
            11: ["Checkpoint interval", "h", 2, 2, 1],
            12: ["Checkpoints retained", "count", 20, 20, 30],
            13: ["Checkpoint write bandwidth", "GB/s", 20, 20, 60],
        },
    )
    f = {
        15: ("Training compute (6ND)", "ZFLOP", "=6*{c}3*{c}4"),
        16: ("Sustained cluster compute", "PFLOP/s", "={c}5*{c}6*{c}7/1000"),
        17: ("Pure compute time", "h", "={c}15*10^6/{c}16/3600"),
        18: ("Wall time", "days", "={c}17/{c}8/24"),
        19: ("GPU-hours", "GPU-h", "={c}18*24*{c}5"),
        20: ("Compute cost", "kUSD", "={c}19*{c}9/1000"),
        21: ("Checkpoint size", "GB", "={c}3*{c}10"),
        22: ("Checkpoint write time", "s", "={c}21/{c}13"),
        23: ("Write share of interval (synchronous)", "%", "={c}22/({c}11*3600)"),
        24: ("Checkpoints written over the run", "count", "=ROUNDDOWN({c}18*24/{c}11,0)"),
        25: ("Retained checkpoint storage", "TB", "={c}21*{c}12/1000"),
    }
    put(ws, {r: [a, u] + [t.format(c=c) for c in "CDE"] for r, (a, u, t) in f.items()})
    put(
        ws,
        {
            14: ["Results"],
            27: ["Total compute cost", "kUSD", "=SUM(C20:E20)"],
            28: ["Contingency", "%", 0.15],
            29: ["Budget request", "MUSD", "=C27*(1+C28)/1000"],
            30: ["Total GPU-hours", "million GPU-h", "=SUM(C19:E19)/10^6"],
            31: ["Checkpoint storage for all three", "TB", "=SUM(C25:E25)"],
            32: ["14 B/param: 2 BF16 weights + 4 FP32 master + 4 + 4 Adam moments"],
        },
    )
    return wb


def buy_vs_cloud() -> Workbook:
    wb = Workbook()
    a = wb.active
    a.title = "Assumptions"
    put(
        a,
        {
            1: ["GPU purchase vs cloud - assumptions"],
            2: ["Input", "Value", "Unit"],
            3: ["Servers", 8, "servers"],
            4: ["GPUs per server", 8, "GPUs/server"],
            5: ["Server price", 290000, "USD/server"],
            6: ["Networking and racks, share of server price", 0.15, "%"],
            7: ["Contracted power per server", 10.2, "kW/server"],
            8: ["Average draw relative to contracted power", 0.72, "%"],
            9: ["PUE", 1.3, "-"],
            10: ["Electricity price, year 1", 0.11, "USD/kWh"],
            11: ["Electricity price escalation", 0.03, "%/year"],
            12: ["Colo space fee excl. energy", 120, "USD/kW/month"],
            13: ["Support contract, share of server capex per year", 0.04, "%/year"],
            14: ["Operations staff", 160000, "USD/year"],
            15: ["Useful GPU utilisation", 0.65, "%"],
            16: ["Cloud on-demand price, year 1", 2.85, "USD/GPU-hour"],
            17: ["Cloud price decline", 0.10, "%/year"],
            18: ["Hours per year", 8760, "h/year"],
            20: ["Server capex", "=B3*B5", "USD"],
            21: ["Total capex", "=B20*(1+B6)", "USD"],
            22: ["GPUs owned", "=B3*B4", "GPUs"],
        },
    )
    for r in (11, 13, 17):
        a.cell(r, 2).number_format = "0.0%"
    t = wb.create_sheet("TCO")
    A = "Assumptions!$B$"
    put(t, {1: ["3-year cost comparison, nominal USD"], 3: ["Year", 1, 2, 3]})
    f = {
        4: ("Facility energy (MWh)", f"={A}3*{A}7*{A}8*{A}9*{A}18/1000"),
        5: ("Electricity cost (USD)", f"={{c}}4*1000*{A}10*(1+{A}11)^({{c}}3-1)"),
        6: ("Colo fee (USD)", f"={A}3*{A}7*{A}12*12"),
        7: ("Support (USD)", f"={A}20*{A}13"),
        8: ("Staff (USD)", f"={A}14"),
        9: ("Own opex (USD)", "=SUM({c}5:{c}8)"),
        10: ("Own cumulative incl. capex (USD)", None),
        12: ("Cloud usage for same work (GPU-hours)", f"={A}22*{A}18*{A}15"),
        13: ("Cloud price (USD/GPU-hour)", f"={A}16*(1-{A}17)^({{c}}3-1)"),
        14: ("Cloud cost (USD)", "={c}12*{c}13"),
        15: ("Cloud cumulative (USD)", "=SUM($B14:{c}14)"),
    }
    for r, (lab, tpl) in f.items():
        if r == 10:
            put(t, {10: [lab, f"={A}21+B9", "=B10+C9", "=C10+D9"]})
        else:
            put(t, {r: [lab] + [tpl.format(c=c) for c in "BCD"]})
    put(
        t,
        {
            17: ["3-year saving from owning (USD)", "=D15-D10"],
            18: ["Cheaper option over 3 years", '=IF(B17>0,"Buy","Cloud")'],
            19: ["Own cost per useful GPU-hour (USD/GPU-hour)", "=D10/SUM(B12:D12)"],
        },
    )
    return wb


def kv_paging() -> Workbook:
    wb = Workbook()
    ws = wb.active
    ws.title = "PagedKV"
    put(
        ws,
        {
            1: ["Paged KV cache, 8B model on one 80 GB GPU"],
            3: ["layers", 32],
            4: ["kv heads", 8],
            5: ["head dim", 128],
            6: ["bytes per KV element (bf16)", 2],
            7: ["block size (tokens)", 16],
            8: ["GPU memory reported by driver (GiB)", 79.6],
            9: ["gpu_memory_utilization", 0.9],
            10: ["parameters (billion)", 8.03],
            11: ["bytes per parameter (bf16)", 2],
            12: ["peak activations (GiB)", 2.5],
            13: ["CUDA graphs and misc (GiB)", 1],
            14: ["max model length (tokens)", 8192],
            15: ["PCIe effective bandwidth (GB/s)", 25],
            17: ["KV per token (KiB)", "=2*B3*B4*B5*B6/1024"],
            18: ["KV per block (MiB)", "=B17*B7/1024"],
            19: ["weights (GB)", "=B10*B11"],
            20: ["weights (GiB)", "=B19*10^9/2^30"],
            21: ["KV pool (GiB)", "=B8*B9-B20-B12-B13"],
            22: ["KV pool (blocks)", "=ROUNDDOWN(B21*1024/B18,0)"],
            23: ["KV pool (tokens)", "=B22*B7"],
            25: [
                "class",
                "share of requests",
                "prompt (tokens)",
                "output (tokens)",
                "blocks at end",
                "unused slots in last block (tokens)",
            ],
        },
    )
    for r, (n, s, p, o) in enumerate(
        [("chat", 0.6, 700, 250), ("summarise", 0.3, 3500, 300), ("code", 0.1, 1800, 600)], 26
    ):
        put(ws, {r: [n, s, p, o, f"=ROUNDUP((C{r}+D{r})/$B$7,0)", f"=E{r}*$B$7-C{r}-D{r}"]})
        ws.cell(r, 2).number_format = "0%"
    put(
        ws,
        {
            29: ["total share", "=SUM(B26:B28)"],
            31: ["mean blocks per finished request", "=SUMPRODUCT(B26:B28,E26:E28)"],
            32: ["concurrent requests, paged (worst case: all at final length)", "=ROUNDDOWN(B22/B31,0)"],
            33: ["blocks per request if reserved at max length", "=ROUNDUP(B14/B7,0)"],
            34: ["concurrent requests, max-length reservation", "=ROUNDDOWN(B22/B33,0)"],
            35: ["gain from paging (x)", "=B32/B34"],
            36: ["internal fragmentation (%)", "=SUMPRODUCT(B26:B28,F26:F28)/(B31*B7)"],
            37: ["swap-out of a mean request (ms)", "=B31*B18*2^20/(B15*10^9)*1000"],
            38: ["largest request class (blocks)", "=MAX(E26:E28)"],
            39: ["which class", "=INDEX(A26:A28,MATCH(B38,E26:E28,0))"],
        },
    )
    ws["B36"].number_format = "0.00%"
    ws["B29"].number_format = "0%"
    ws["B9"].number_format = "0%"
    return wb


def rag() -> Workbook:
    wb = Workbook()
    c = wb.active
    c.title = "Calculator"
    a = wb.create_sheet("Assumptions")
    put(
        a,
        {
            1: ["Parameter", "Value", "Unit", "Source"],
            2: ["Documents", 12, "million", "CMS export"],
            3: ["Mean document length", 3200, "tokens/document"],
            4: ["Chunk length", 512, "tokens"],
            5: ["Chunk overlap", 64, "tokens"],
            6: ["Embedding dimension", 1024, "dims"],
            7: ["Bytes per dimension", 4, "bytes", "float32"],
            8: ["HNSW M", 16, "links"],
            9: ["Bytes per link", 4, "bytes"],
            10: ["Metadata per chunk", 400, "bytes/chunk", "ids, ACL"],
            11: ["Node RAM", 256, "GiB/node"],
            12: ["Usable share of node RAM", 0.8, "%"],
            13: ["Copies of each shard", 2, "copies"],
            14: ["Node price", 1.6, "USD/h"],
            15: ["Embedding throughput per GPU", 60000, "tokens/s"],
            16: ["Embedding GPUs", 8, "GPUs"],
            17: ["GPU price", 1.9, "USD/GPU-h"],
            18: ["Embedding API price", 0.02, "USD/Mtok"],
            19: ["Queries per day", 400000, "queries/day"],
            20: ["Retrieved chunks per query", 8, "chunks/query"],
            21: ["Question and system prompt", 450, "tokens/query"],
            22: ["Answer length", 300, "tokens/query"],
            23: ["LLM input price", 0.5, "USD/Mtok"],
            24: ["LLM output price", 1.5, "USD/Mtok"],
            25: ["Peak-to-mean query ratio", 3, "x"],
            26: ["Hours per month", 730, "h/month"],
            27: ["Days per month", "=B26/24", "days/month"],
        },
    )
    s = "Assumptions!B"
    put(
        c,
        {
            1: ["RAG platform sizing"],
            3: ["Indexing"],
            4: ["Chunks per document", "chunks/document", f"=ROUNDUP(({s}3-{s}5)/({s}4-{s}5),0)"],
            5: ["Total chunks", "million", f"={s}2*C4"],
            6: ["Tokens to embed", "Gtok", f"={s}2*({s}3+(C4-1)*{s}5)/1000"],
            7: ["Embedding work", "GPU-h", f"=C6*10^9/{s}15/3600"],
            8: ["Embedding wall time", "h", f"=C7/{s}16"],
            9: ["Cost, own GPUs", "USD", f"=C7*{s}17"],
            10: ["Cost, embedding API", "USD", f"=C6*1000*{s}18"],
            11: ["Cheaper route", None, '=IF(C9<C10,"own GPUs","API")'],
            13: ["Vector index"],
            14: ["Vector", "bytes/chunk", f"={s}6*{s}7"],
            15: ["Graph links (layer 0, 2M)", "bytes/chunk", f"=2*{s}8*{s}9"],
            16: ["Index per chunk", "bytes/chunk", f"=C14+C15+{s}10"],
            17: ["Index, one copy", "GB", "=C5*10^6*C16/10^9"],
            18: ["Index, one copy", "GiB", "=C17*10^9/1024^3"],
            19: ["Shards", "nodes/copy", f"=ROUNDUP(C18/({s}11*{s}12),0)"],
            20: ["Nodes", "nodes", f"=C19*{s}13"],
            21: ["Node cost", "USD/month", f"=C20*{s}14*{s}26"],
            23: ["Queries"],
            24: ["Mean query rate", "queries/s", f"={s}19/86400"],
            25: ["Peak query rate", "queries/s", f"=C24*{s}25"],
            26: ["Input tokens per query", "tokens/query", f"={s}20*{s}4+{s}21"],
            27: ["LLM cost per 1000 queries", "USD", f"=1000*(C26*{s}23+{s}22*{s}24)/10^6"],
            28: ["LLM cost", "USD/month", f"=C27/1000*{s}19*{s}27"],
            29: ["Index and LLM cost", "USD/month", "=C21+C28"],
        },
    )
    return wb


def moe() -> Workbook:
    wb = Workbook()
    ws = wb.active
    ws.title = "EP all-to-all"
    put(
        ws,
        {
            1: ["Expert-parallel decode: dispatch/combine traffic per GPU"],
            3: ["Hidden size", 7168, "elements"],
            4: ["Expert FFN size", 2048, "elements"],
            5: ["Routed experts per layer", 256, "experts"],
            6: ["Experts per token (top-k)", 8, "experts/token"],
            7: ["MoE layers", 58, "layers"],
            8: ["Dispatch element size (FP8)", 1, "byte"],
            9: ["Combine element size (BF16)", 2, "bytes"],
            10: ["Tokens per GPU per step", 128, "tokens"],
            11: ["GPUs per node", 8, "GPUs"],
            12: ["NIC per GPU", 400, "Gbit/s"],
            13: ["NIC efficiency", 0.8, "%"],
            14: ["Expert weight size (FP8)", 1, "byte/param"],
            15: ["Parameters per expert", "=3*B3*B4/10^6", "million"],
            16: ["Usable NIC bandwidth", "=B12/8*B13", "GB/s"],
            18: ["", "EP16", "EP32", "EP64"],
            19: ["EP size (GPUs)", 16, 32, 64],
            29: [
                "Upper bound: no node-level dedup of tokens, uniform routing, no overlap with compute; NVLink traffic not counted."
            ],
        },
    )
    f = {
        20: ("Experts per GPU per layer", "=$B$5/{c}19"),
        21: ("Routed expert weights per GPU (GB)", "={c}20*$B$7*$B$15*$B$14/1000"),
        22: ("Share of traffic leaving the node (%)", "=({c}19-$B$11)/{c}19"),
        23: ("Dispatch per GPU per layer (MB)", "=$B$10*$B$6*$B$3*$B$8*{c}22/10^6"),
        24: ("Combine per GPU per layer (MB)", "=$B$10*$B$6*$B$3*$B$9*{c}22/10^6"),
        25: ("All-to-all time per layer (µs)", "=({c}23+{c}24)/$B$16*1000"),
        26: ("All-to-all time per step (ms)", "={c}25*$B$7/1000"),
        27: ("Comm-bound throughput per GPU (tokens/s)", "=$B$10/({c}26/1000)"),
        28: ("Comm-bound throughput, whole group (ktok/s)", "={c}27*{c}19/1000"),
    }
    for r, (lab, t) in f.items():
        put(ws, {r: [lab] + [t.format(c=c) for c in "BCD"]})
    for c in "BCD":
        ws[f"{c}22"].number_format = "0.0%"
    put(
        ws,
        {
            31: ["Weight budget per GPU (GB)", 45],
            32: ["Smallest EP size that fits (GPUs)", '=IF(B21<=B31,B19,IF(C21<=B31,C19,IF(D21<=B31,D19,"none")))'],
        },
    )
    return wb


def storage() -> Workbook:
    wb = Workbook()
    ws = wb.active
    ws.title = "Data loading"
    put(
        ws,
        {
            1: ["Dataset storage and loader sizing"],
            3: [
                "Dataset",
                "Samples (M)",
                "Mean sample (kB)",
                "Size (TB)",
                "Samples/s per GPU",
                "GPUs",
                "Read rate (GB/s)",
                "Network (Gbit/s)",
                "Epoch (h)",
            ],
        },
    )
    for r, (n, m, k, s, g) in enumerate(
        [
            ("Web images", 400, 95, 450, 64),
            ("Video clips", 12, 2400, 18, 32),
            ("Audio", 60, 320, 120, 16),
            ("Text shards", 900, 6, 900, 32),
        ],
        4,
    ):
        put(
            ws,
            {
                r: [
                    n,
                    m,
                    k,
                    f"=B{r}*C{r}/1000",
                    s,
                    g,
                    f"=E{r}*F{r}*C{r}/10^6",
                    f"=G{r}*8",
                    f"=B{r}*10^6/(E{r}*F{r})/3600",
                ]
            },
        )
    put(
        ws,
        {
            8: ["Total", "=SUM(B4:B7)", None, "=SUM(D4:D7)", None, "=SUM(F4:F7)", "=SUM(G4:G7)", "=SUM(H4:H7)"],
            10: ["Read throughput per storage node (GB/s)", 2.5],
            11: ["NIC per storage node (Gbit/s)", 25],
            12: ["Usable capacity per storage node (TB)", 60],
            13: ["Headroom on throughput", 0.3],
            14: ["Effective node throughput (GB/s)", "=MIN(B10,B11/8)"],
            15: ["Nodes for throughput", "=ROUNDUP(G8*(1+B13)/B14,0)"],
            16: ["Nodes for capacity", "=ROUNDUP(D8/B12,0)"],
            17: ["Nodes to buy", "=MAX(B15,B16)"],
            18: ["Total size (TiB)", "=D8*10^12/2^40"],
            19: ["Object store backup price ($/TB-month)", 21],
            20: ["Backup cost ($/month)", "=D8*B19"],
            21: ["Backup cost ($/year)", "=B20*12"],
            22: ["Restore link (Gbit/s)", 100],
            23: ["Link efficiency", 0.7],
            24: ["Full restore (h)", "=D8*8*1000/(B22*B23)/3600"],
            25: ["Most demanding dataset", "=INDEX(A4:A7,MATCH(MAX(G4:G7),G4:G7,0))"],
        },
    )
    ws["B13"].number_format = ws["B23"].number_format = "0%"
    return wb


def hall() -> Workbook:
    wb = Workbook()
    ws = wb.active
    ws.title = "Hall 2"
    put(
        ws,
        {
            1: ["Hall 2 power and cooling"],
            3: [
                "Rack type",
                "Racks",
                "kW/rack",
                "IT load (kW)",
                "Liquid-cooled share",
                "Heat to liquid (kW)",
                "Heat to air (kW)",
            ],
        },
    )
    for r, (n, q, k, load) in enumerate(
        [
            ("GPU (4 servers)", 24, 41, 0.75),
            ("Storage", 6, 12, 0.0),
            ("CPU / services", 8, 15, 0.0),
            ("Network", 4, 9, 0.0),
        ],
        4,
    ):
        put(ws, {r: [n, q, k, f"=B{r}*C{r}", load, f"=D{r}*E{r}", f"=D{r}-F{r}"]})
        ws.cell(r, 5).number_format = "0%"
    put(
        ws,
        {
            8: ["Total", "=SUM(B4:B7)", None, "=SUM(D4:D7)", None, "=SUM(F4:F7)", "=SUM(G4:G7)"],
            10: ["Parameter", "Value", "Unit"],
            11: ["PUE", 1.25, "-"],
            12: ["Average load / peak load", 0.8, "%"],
            13: ["Electricity tariff", 95, "$/MWh"],
            14: ["Grid carbon intensity", 0.28, "kg CO2/kWh"],
            15: ["Coolant supply-return difference", 10, "K"],
            16: ["Specific heat of water", 4.186, "kJ/(kg·K)"],
            17: ["UPS autonomy", 5, "min"],
            18: ["CRAH capacity", 90, "kW/unit"],
            19: ["Line voltage (3-phase)", 400, "V"],
            20: ["Power factor", 0.95, "-"],
            21: ["Hours per year", 8760, "h/year"],
            23: ["Facility peak power", "=D8*B11/1000", "MW"],
            24: ["Apparent power at the IT bus", "=D8/B20", "kVA"],
            25: ["Current per GPU rack", "=C4*1000/(SQRT(3)*B19*B20)", "A"],
            26: ["Facility energy", "=D8*B12*B11*B21/1000", "MWh/year"],
            27: ["IT energy", "=B26/B11", "MWh/year"],
            28: ["Electricity cost", "=B26*B13/1000", "k$/year"],
            29: ["Electricity cost", "=B28/12", "k$/month"],
            30: ["Emissions", "=B26*1000*B14/1000", "t CO2/year"],
            31: ["Coolant flow", "=F8/(B16*B15)", "kg/s"],
            32: ["Coolant flow (1 kg per litre)", "=B31*60", "L/min"],
            33: ["Air-side cooling", "=G8/3.517", "tons of refrigeration"],
            34: ["CRAH units, N+1", "=ROUNDUP(G8/B18,0)+1", "units"],
            35: ["UPS usable energy", "=D8*B17/60", "kWh"],
        },
    )
    ws["B26"].number_format = "#,##0"
    return wb


def angebot() -> Workbook:
    wb = Workbook()
    ws = wb.active
    ws.title = "Angebot"
    put(
        ws,
        {
            1: ["Angebot Nr. 2025-0147 – GPU-Cluster für KI-Inferenz"],
            2: ["Alle Preise in EUR, netto, sofern nicht anders angegeben"],
            4: ["Pos.", "Bezeichnung", "Menge", "Einheit", "Einzelpreis (EUR)", "Gesamtpreis (EUR)"],
            5: [1, "GPU-Server 8× H100 SXM", 4, "Stück", 265000, "=C5*E5"],
            6: [2, "Switch 400 Gbit/s", 2, "Stück", 38500, "=C6*E6"],
            7: [3, "NVMe-Speicher, nutzbar", 200, "TB", 210, "=C7*E7"],
            8: [4, "Rack inkl. PDU", 2, "Stück", 4800, "=C8*E8"],
            9: [5, "Installation und Inbetriebnahme", 12, "Personentage", 1150, "=C9*E9"],
            10: [6, "Wartung vor Ort", 36, "Monate", 3900, "=C10*E10"],
            11: [None, "Zwischensumme", None, None, None, "=SUM(F5:F10)"],
            12: [None, "Rabatt auf Pos. 1–4", 0.06, "%", None, "=-C12*SUM(F5:F8)"],
            13: [None, "Nettosumme", None, None, None, "=F11+F12"],
            14: [None, "MwSt.", 0.19, "%", None, "=F13*C14"],
            15: [None, "Bruttosumme", None, None, None, "=F13+F14"],
            16: [None, "Skonto bei Zahlung binnen 14 Tagen", 0.02, "%", None, "=-C16*F15"],
            17: [None, "Zahlbetrag mit Skonto (brutto)", None, None, None, "=F15+F16"],
        },
    )
    for r in range(5, 18):
        ws.cell(r, 6).number_format = '#,##0.00 "€"'
    b = wb.create_sheet("Betrieb")
    put(
        b,
        {
            1: ["Größe", "Wert", "Einheit"],
            2: ["Nennleistung je Server", 10.2, "kW"],
            3: ["Mittlere Last im Verhältnis zur Nennleistung", 0.75, "%"],
            4: ["PUE", 1.35, "-"],
            5: ["Strompreis", 0.21, "EUR/kWh"],
            6: ["Stunden pro Jahr", 8760, "h/Jahr"],
            7: ["Nutzungsdauer", 4, "Jahre"],
            8: ["GPUs je Server", 8, "GPUs"],
            9: ["Auslastung (genutzte GPU-Stunden)", 0.7, "%"],
            10: ["Cloud-Vergleichspreis", 2.4, "EUR/GPU-h"],
            12: ["Energieverbrauch inkl. Kühlung", "=Angebot!C5*B2*B3*B4*B6/1000", "MWh/Jahr"],
            13: ["Stromkosten", "=B12*1000*B5", "EUR/Jahr"],
            14: ["Stromkosten", "=B13/12", "EUR/Monat"],
            15: ["Abschreibung (netto, ohne Wartung)", "=(Angebot!F13-Angebot!F10)/B7", "EUR/Jahr"],
            16: ["Wartung", "=Angebot!E10*12", "EUR/Jahr"],
            17: ["Gesamtkosten", "=B13+B15+B16", "EUR/Jahr"],
            18: ["Genutzte GPU-Stunden", "=Angebot!C5*B8*B6*B9", "GPU-h/Jahr"],
            19: ["Kosten je genutzter GPU-Stunde", "=B17/B18", "EUR/GPU-h"],
            20: ["Ersparnis gegenüber Cloud", "=(B10-B19)*B18", "EUR/Jahr"],
            21: ["Empfehlung", '=IF(B20>0,"Kauf","Cloud")'],
            22: ["Speicher (binär)", "=Angebot!C7*10^12/2^40", "TiB"],
        },
    )
    return wb


def edge() -> Workbook:
    wb = Workbook()
    ws = wb.active
    ws.title = "MCU"
    put(
        ws,
        {
            1: ["TinyML on Cortex-M33, int8 models"],
            2: ["MCU / board", "Unit", "Value"],
            3: ["Core clock", "MHz", 160],
            4: ["Effective int8 MACs per cycle", "MAC/cycle", 0.6],
            5: ["Flash", "KiB", 2048],
            6: ["SRAM", "KiB", 768],
            7: ["Supply voltage", "V", 3.3],
            8: ["Active current (board)", "mA", 10],
            9: ["Sleep current (board)", "µA", 6],
            10: ["Battery capacity", "mAh", 1200],
            11: ["Usable battery share", "%", 0.85],
            12: ["Firmware code", "KiB", 140],
            13: ["Stack and buffers", "KiB", 48],
            15: ["Model", "Unit", "Keyword spotting", "Person detection", "Vibration anomaly"],
            16: ["MACs per inference", "million", 2.7, 7.2, 0.26],
            17: ["Parameters (int8)", "thousand", 23, 220, 265],
            18: ["Tensor arena", "KiB", 22, 110, 4],
            19: ["Inference rate", "1/s", 4, 0.5, 0.1],
        },
    )
    f = {
        20: ("Weights", "KiB", "={c}17*1000/1024"),
        21: ("Flash used", "KiB", "={c}20+$C$12"),
        22: ("SRAM used", "KiB", "={c}18+$C$13"),
        23: ("Fits?", None, '=IF(AND({c}21<=$C$5,{c}22<=$C$6),"yes","no")'),
        24: ("Latency", "ms", "={c}16/($C$3*$C$4)*1000"),
        25: ("Energy per inference", "mJ", "=$C$7*$C$8*{c}24/1000"),
        26: ("Duty cycle", "%", "={c}24/1000*{c}19"),
        27: ("Average current", "mA", "={c}26*$C$8+(1-{c}26)*$C$9/1000"),
        28: ("Average power", "mW", "={c}27*$C$7"),
        29: ("Battery life", "days", "=$C$10*$C$11/{c}27/24"),
    }
    put(ws, {r: [a, u] + [t.format(c=c) for c in "CDE"] for r, (a, u, t) in f.items()})
    put(
        ws,
        {
            31: ["Longest latency", "ms", "=MAX(C24:E24)"],
            32: ["Shortest battery life", "days", "=MIN(C29:E29)"],
            33: ["Limiting model", None, "=INDEX(C15:E15,MATCH(C32,C29:E29,0))"],
        },
    )
    return wb


BOOKS = (
    Book("clean2_llm_serving_ttft_tpot", serving, ()),
    Book("clean2_training_budget_mfu", training, ()),
    Book("clean2_gpu_buy_vs_cloud", buy_vs_cloud, ()),
    Book("clean2_kv_cache_paging", kv_paging, ()),
    Book("clean2_rag_vector_index", rag, ()),
    Book("clean2_moe_all_to_all", moe, ()),
    Book("clean2_storage_data_loading", storage, ()),
    Book("clean2_hall_power_cooling", hall, ()),
    Book("clean2_angebot_eur", angebot, ()),
    Book("clean2_edge_mcu", edge, ()),
)
