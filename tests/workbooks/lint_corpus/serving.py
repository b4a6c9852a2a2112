"""Serving workbooks: rooflines, latency budgets, cost per token, sweeps, edge, vision, capacity, logs, bills."""

from __future__ import annotations

from datetime import datetime, timedelta

from openpyxl import Workbook

from .book import Book
from .making import bold, define, down, first, fmt, refmt, rows, seed, sheet, table

__all__ = ["BOOKS"]


def decode_roofline() -> Workbook:
    """No headers and no unit column: the number formats carry the units."""
    wb, ws = first("Roofline")
    rows(ws, "A1", [
        ["Mixtral-8x7B in bf16 on one H200"],
        ["Parameters, total", 46.7],
        ["Parameters, active per token", 12.9],
        ["Bytes per parameter", 2],
        ["Weights", "=B2*B4"],
        ["HBM of an H200", 141],
        ["Memory bandwidth of an H200", 4.8],
        ["Peak bf16, dense", 989],
        ["Peak bf16, with sparsity", 1979],
        ["Peak fp8, dense", 1979],
        ["Peak INT8, dense", 1979],
        ["Layers", 32],
        ["Attention heads", 32],
        ["KV heads", 8],
        ["Head dimension", 128],
        ["KV cache per token", "=2*B12*B14*B15*2"],
        ["Context", 4096],
        ["KV cache per sequence", "=B16*B17/1e9"],
        ["Free for the KV cache", "=B6*0.9-B5"],
        ["Sequences that fit", "=ROUNDDOWN(B19/B18,0)"],
        ["Share of the bandwidth achieved", 0.8],
        ["Share of the peak achieved", 0.6],
        ["Ridge point in bf16", "=B8/B7"],
        ["Weights read at batch 1", "=B3*B4"],
        ["Decode step at batch 1", "=(B24+B18)/(B7*1000*B21)*1000"],
        ["Prefill of 2,048 tokens in bf16", "=2*B3*1e9*2048/(B8*1e12*B22)*1000"],
        ["Token rate at batch 1", "=1000/B25"],
    ])  # fmt: skip
    units = {2: '0.0" billion"', 3: '0.0" billion"', 4: '0" bytes"', 5: '0.0" GB"', 6: '0" GB"', 7: '0.00" TB/s"',
             8: '#,##0" TFLOP/s"', 9: '#,##0" TFLOP/s"', 10: '#,##0" TFLOP/s"', 11: '#,##0" TOP/s"', 16: '#,##0" bytes"',
             17: '#,##0" tokens"', 18: '0.000" GB"', 19: '0.0" GB"', 21: "0%", 22: "0%", 23: '0" FLOP/B"', 24: '0.0" GB"',
             25: '0.00" ms"', 26: '0.0" ms"', 27: '0.0" tokens/s"'}  # fmt: skip
    for row, number_format in units.items():
        fmt(ws, f"B{row}", number_format)
    grid = [
        ("Batch (all experts are read)", None, "0"), ("KV cache", "={c}30*$B$18", '0.0" GB"'),
        ("Step, memory side", "=($B$5+{c}31)/($B$7*1000*$B$21)*1000", '0.0" ms"'),
        ("Step, compute side", "=2*$B$3*{c}30/($B$8*1000*$B$22)*1000", '0.0" ms"'),
        ("Step", "=MAX({c}32,{c}33)", '0.0" ms"'),
        ("Rate, all users", "={c}30/{c}34*1000", '#,##0" tokens/s"'),
        ("Rate, one user", "={c}35/{c}30", '0.0" tokens/s"'),
        ("Bandwidth used", "=($B$5+{c}31)/({c}34/1000)/($B$7*1000)", "0%"),
        ("MFU", "=2*$B$3*{c}30/({c}34/1000)/($B$8*1000)", "0.0%"),
    ]  # fmt: skip
    for k, (label, formula, number_format) in enumerate(grid):
        ws[f"A{30 + k}"] = label
        for c, batch in zip("BCDEFG", (4, 8, 16, 32, 48, 60), strict=True):
            ws[f"{c}{30 + k}"] = formula.format(c=c) if formula else batch
            fmt(ws, f"{c}{30 + k}", number_format)
    return wb


DECODE_ROOFLINE = (
    refmt("binary-prefix", "Roofline!B5", '0.0" GiB"', "B19", "B32:G32"),
    seed("sparse-peak", "Roofline!B26", "=2*B3*1e9*2048/(B9*1e12*B22)*1000"),
    seed("sparse-peak", "Roofline!G38", "=2*$B$3*G30/(G34/1000)/($B$9*1000)"),
    seed("peak-precision", "Roofline!B26", "=2*B3*1e9*2048/(B10*1e12*B22)*1000"),
    seed("peak-precision", "Roofline!B23", "=B10/B7"),
    seed("integer-ops", "Roofline!E38", "=2*$B$3*E30/(E34/1000)/($B$11*1000)"),
    seed("integer-ops", "Roofline!B23", "=B11/B7"),
    seed("active-params", "Roofline!B26", "=2*B2*1e9*2048/(B8*1e12*B22)*1000"),
    seed("active-params", "Roofline!F33", "=2*$B$2*F30/($B$8*1000*$B$22)*1000"),
    seed("active-params", "Roofline!B5", "=B3*B4", "B19"),
    seed("active-params", "Roofline!D38", "=2*$B$2*D30/(D34/1000)/($B$8*1000)"),
    seed("kv-factor", "Roofline!B16", "=B12*B14*B15*2"),
    seed("kv-heads", "Roofline!B16", "=2*B12*B13*B15*2"),
    seed("time-scale", "Roofline!B25", "=(B24+B18)/(B7*1000*B21)", "B27"),
    refmt("time-scale", "Roofline!B25", '0.00" s"', "B27"),
    seed("user-total", "Roofline!E36", "=E35"),
    seed("token-rate", "Roofline!D35", "=D30", "D36"),
    seed("registry", "Roofline!B7", 4.0),
    seed("above-limit", "Roofline!B21", 1.4, "B25", "B32:G32", "B37:G37"),
    seed("percent", "Roofline!B22", 60, "B26", "B33:G33"),
    refmt("flop-rate", "Roofline!B8", '#,##0" TFLOP"', "B23", "B26"),
    seed("bare-number", "Roofline!D34", "=MAX(D32,D33)+2"),
    seed("params-bytes", "Roofline!B5", "=B2", "B19", "B32:G32"),
)


def latency_budget() -> Workbook:
    """Stages of a request with mean, median and 99th percentile; only means are added."""
    wb, ws = first("Budget")
    rows(ws, "A1", [
        ["Latency budget of the chat service"],
        [],
        ["Stage", "Mean (ms)", "p50 (ms)", "p99 (ms)", "Note"],
        ["Network, client to edge (one way)", 18, 16, 42],
        ["Gateway", 3, 2, 9],
        ["Queue", 65, 30, 480, "grows fast above 80 % load"],
        ["Tokeniser", 2, 2, 5],
        ["Prefill", 180, 165, 420],
        ["Decode of all tokens", 5632, 5500, 7900],
        ["Network, edge to client (one way)", 18, 16, 42],
        ["Sum of the mean stages", "=SUM(B4:B10)", None, None, "percentiles do not add"],
        ["End to end, measured", 5960, 5790, 8620],
        ["Unexplained mean", "=B12-B11"],
        [],
        ["Derived", "Value", "Unit"],
        ["Mean round trip, client and edge", "=B4+B10", "ms"],
        ["Output tokens, mean", 256, "tokens"],
        ["Mean time per output token", "=B9/B17", "ms/token"],
        ["Mean time to first token", "=B4+B5+B6+B7+B8+B10", "ms"],
        ["Arrival rate", 12, "requests/s"],
        ["Requests in flight, mean (Little)", "=B20*B11/1000", "requests"],
        ["Replicas", 6, "replicas"],
        ["Slots per replica", 16, "requests/replica"],
        ["Occupancy of all slots", "=B21/(B22*B23)"],
        ["Mean tokens per second of one user", "=1000/B18", "tokens/s"],
        ["SLO for p99", 10000, "ms"],
        ["Distance of the measured p99 to the SLO", "=B26-D12", "ms"],
        ["p99 within the SLO?", '=IF(D12<=B26,"yes","no")'],
        ["Stream bytes per token", 180, "bytes", None, "SSE frame around each token"],
        ["Egress", "=B20*B17*B29*8/1e6", "Mb/s"],
        ["Client timeout", 30, "s"],
        ["Client timeout", "=B31*1000", "ms"],
        ["Round trips to connect (TCP, TLS 1.3)", 2],
        ["Mean time to connect", "=B33*B16", "ms"],
        ["Mean first token on a new connection", "=B34+B19", "ms"],
        ["Share of decode in the mean", "=B9/B11"],
        ["Share of the network in the mean", "=B16/B11"],
    ])  # fmt: skip
    fmt(ws, "B24 B36:B37", "0%")
    fmt(ws, "B4:D13", "#,##0")
    bold(ws, "A1 A3:E3 A15:C15")
    return wb


LATENCY_BUDGET = (
    seed("round-trip", "Budget!B34", "=B33*B4"),
    seed("round-trip", "Budget!B16", "=B4", "B34"),
    seed("round-trip", "Budget!A4", "Network, client to edge (round trip)", "B4", "B11", "B16"),
    seed("statistic-mix", "Budget!B11", "=SUM(B4:B9)+D10"),
    seed("statistic-mix", "Budget!B19", "=B4+B5+D6+B7+B8+B10"),
    seed("statistic-mix", "Budget!B21", "=B20*D12/1000"),
    seed("statistic-mix", "Budget!B27", "=B26-B12"),
    seed("statistic-mix", "Budget!B18", "=D9/B17"),
    seed("statistic-mix", "Budget!B28", '=IF(B12<=B26,"yes","no")'),
    seed("statistic-mix", "Budget!B11", "=SUM(B4:D10)"),
    seed("time-scale", "Budget!B21", "=B20*B11"),
    seed("time-scale", "Budget!B32", "=B31"),
    seed("time-scale", "Budget!C26", "s", "B26", "B27", "B28"),
    seed("time-scale", "Budget!B25", "=1/B18"),
    seed("bits-bytes", "Budget!B30", "=B20*B17*B29/1e6"),
    seed("percent", "Budget!B24", "=B21/(B22*B23)*100"),
    seed("bare-number", "Budget!B19", "=B4+B5+B6+B7+B8+B10+50"),
    refmt("unit-contradiction", "Budget!B8", '0" s"', "B3"),
    seed("device-scope", "Budget!B24", "=B21/B23"),
    seed("mixed-sum", "Budget!B35", "=SUM(B33:B34)+B19"),
)


def cost_per_mtok() -> Workbook:
    """Defined names for the inputs; own cost per million tokens against an API, and a sensitivity grid."""
    wb, ws = first("Inputs")
    lines = [
        ("GPU rent", 2.49, "$/GPU-h", "price_per_gpu_hour"),
        ("GPUs per replica", 4, "GPUs/replica", "gpus_per_replica"),
        ("Output rate of a replica", 7000, "tokens/s", "output_rate"),
        ("Input rate of a replica", 24000, "tokens/s", "input_rate"),
        ("Utilisation", 0.55, None, "utilisation"),
        ("Input per request", 1800, "tokens/request", "input_tokens"),
        ("Output per request", 350, "tokens/request", "output_tokens"),
        ("Requests", 45000000, "requests/month", "requests"),
        ("Seconds per hour", 3600, "s/h", "seconds_per_hour"),
        ("API price, input", 0.6, "$/1M tokens", "api_input"),
        ("API price, output", 0.9, "$/1M tokens", "api_output"),
        ("Embedding price", 0.00002, "$/1K tokens", None),
        ("Exchange rate of 2025-06-30", 1.17, "USD/EUR", None),
        ("Power per GPU at the rack", 0.65, "kW/GPU", None),
        ("PUE", 1.25, None, None),
        ("Electricity price", 0.1, "$/kWh", None),
        ("Grid intensity", 0.35, "kg CO2e/kWh", None),
    ]  # fmt: skip
    rows(ws, "A1", [["Input", "Value", "Unit"], *(line[:3] for line in lines)])
    for i, line in enumerate(lines):
        if line[3]:
            define(wb, line[3], f"Inputs!$B${2 + i}")
    fmt(ws, "B6", "0%")
    fmt(ws, "B13", "0.00000")
    ws = sheet(wb, "Cost")
    rows(ws, "A1", [
        ["Line", "Value", "Unit"],
        ["Rent of a replica", "=price_per_gpu_hour*gpus_per_replica", "$/h"],
        ["Output of a replica", "=output_rate*seconds_per_hour*utilisation", "tokens/h"],
        ["Input of a replica", "=input_rate*seconds_per_hour*utilisation", "tokens/h"],
        ["Own cost of output tokens", "=B2/B3*1e6", "$/1M tokens"],
        ["Own cost of input tokens", "=B2/B4*1e6", "$/1M tokens"],
        ["Own cost of input tokens", "=B6/1000", "$/1K tokens"],
        ["Input tokens", "=requests*input_tokens/1e6", "Mtok/month"],
        ["Output tokens", "=requests*output_tokens/1e6", "Mtok/month"],
        ["Own cost, input", "=B8*B6", "$/month"],
        ["Own cost, output", "=B9*B5", "$/month"],
        ["Own cost", "=B10+B11", "$/month"],
        ["API cost, input", "=B8*api_input", "$/month"],
        ["API cost, output", "=B9*api_output", "$/month"],
        ["API cost", "=B13+B14", "$/month"],
        ["Embedding all inputs", "=B8*1000*Inputs!B13", "$/month"],
        ["Saving against the API", "=B15-B12", "$/month"],
        ["Saving, share of the API cost", "=B17/B15"],
        ["Own cost per request", "=B12/requests", "$/request"],
        ["Own cost", "=B12/Inputs!B14", "EUR/month"],
        ["Rented time", "=(B8*1e6/B4+B9*1e6/B3)*gpus_per_replica", "GPU-h/month"],
        ["Energy at the meter", "=B21*Inputs!B15*Inputs!B16", "kWh/month"],
        ["Electricity (paid by the provider)", "=B22*Inputs!B17", "$/month"],
        ["Emissions", "=B22*Inputs!B18/1000", "t CO2e/month"],
    ])  # fmt: skip
    fmt(ws, "B2 B5:B6 B10:B17 B19 B23", "$#,##0.00")
    fmt(ws, "B7", "$0.000000")
    fmt(ws, "B18", "0.0%")
    ws = sheet(wb, "Sensitivity")
    rows(ws, "A1", [["Own cost of output tokens in $/1M tokens, by rent in $/GPU-h (rows) and utilisation (columns)"],
                    ["Rent ($/GPU-h)", 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]])  # fmt: skip
    for i, price in enumerate((1.5, 2, 2.5, 3, 3.5, 4)):
        r = 3 + i
        rows(ws, f"A{r}", [[price, *(f"=$A{r}*gpus_per_replica/(output_rate*3600*{c}$2)*1e6" for c in "BCDEFG")]])
    fmt(ws, "B2:G2", "0%")
    fmt(ws, "B3:G8", "$0.00")
    return wb


COST_PER_MTOK = (
    seed("token-direction", "Cost!B10", "=B8*B5"),
    seed("token-direction", "Cost!B14", "=B9*api_input"),
    seed("token-direction", "Cost!B9", "=requests*input_tokens/1e6", "B11", "B14"),
    seed("token-direction", "Cost!B5", "=B2/B4*1e6"),
    seed("token-price-scale", "Cost!B7", "=B6"),
    seed("token-price-scale", "Cost!B16", "=B8*Inputs!B13"),
    seed("token-price-scale", "Cost!B10", "=B8*B7"),
    seed("token-price-scale", "Inputs!C13", "$/1M tokens", "B13", "Cost!B16"),
    seed("token-rate", "Inputs!C4", "tokens", "B4", "Cost!B3"),
    seed("token-rate", "Cost!C3", "tokens", "B3", "B5"),
    seed("device-scope", "Cost!B2", "=price_per_gpu_hour"),
    seed("device-scope", "Sensitivity!D5", "=$A5/(output_rate*3600*D$2)*1e6"),
    seed("calendar", "Cost!B3", "=output_rate*60*utilisation", "B5"),
    seed("device-hours", "Cost!B21", "=B8*1e6/B4+B9*1e6/B3", "B22"),
    seed("currency", "Cost!B17", "=B15-B20"),
    seed("currency", "Inputs!C12", "EUR/1M tokens", "B12", "Cost!B14", "Cost!B15"),
    seed("money-rate", "Cost!B12", "=B10+B5"),
    seed("money-rate", "Cost!B15", "=B13+Inputs!B12"),
    seed("percent", "Inputs!B6", 55, "Cost!B3", "Cost!B4"),
    seed("facility-energy", "Cost!B23", "=B22*Inputs!B16*Inputs!B17"),
    seed("carbon-scale", "Cost!B24", "=B22*Inputs!B18"),
    seed("mixed-sum", "Cost!B12", "=SUM(B8:B11)"),
    seed("bare-number", "Cost!B12", "=B10+B11+1500"),
)


def batch_sweep() -> Workbook:
    """A sweep of batch and context over more than 200 rows, with MAXIFS, XLOOKUP and LET on top."""
    wb, ws = first("Sweep")
    rows(ws, "A1", [
        ["Parameters (billion)", 70.6],
        ["Bytes per parameter (bf16)", 2],
        ["H100 SXM memory bandwidth (TB/s)", 3.35],
        ["GPUs", 8],
        ["Layers", 80],
        ["KV heads", 8],
        ["Attention heads", 64],
        ["Head dimension", 128],
        ["Peak bf16 dense (TFLOP/s per GPU)", 989],
        ["Peak bf16 sparse (TFLOP/s per GPU)", 1979],
        ["Peak INT8 dense (TOP/s per GPU)", 1979],
        ["HBM per GPU (GB)", 80],
        ["Peak fp8 dense (TFLOP/s per GPU)", 1979],
        ["NVLink per direction (GB/s)", 450, "NVLink both directions (GB/s)", "=2*B14"],
    ])  # fmt: skip
    rows(ws, "A16", [["Batch", "Context (tokens)", "KV cache (GB)", "KV cache (GiB)", "Memory per GPU (GB)", "Fits",
                      "Memory time (ms)", "bf16 compute time (ms)", "Step (ms)", "Throughput (tok/s)",
                      "Per user (tok/s)", "All-reduce (ms)", "Calculated step (ms)"]])  # fmt: skip
    down(ws, "A17", 216, lambda i: 2 ** (i % 9), lambda i: 1024 + 1024 * (i // 9),
         "=2*$B$5*$B$6*$B$8*2*A{r}*B{r}/1e9", "=C{r}*1e9/1024^3", "=($B$1*$B$2+C{r})/$B$4", '=IF(E{r}<=$B$12*0.9,"yes","no")',
         "=($B$1*$B$2+C{r})/($B$3*1000*$B$4)*1000", "=2*$B$1*A{r}/($B$9*1000*$B$4)*1000", "=MAX(G{r},H{r})+L{r}",
         "=A{r}/I{r}*1000", "=J{r}/A{r}", "=2*$B$5*2*($B$4-1)/$B$4*A{r}*8192*2/1e9/$B$14*1000")  # fmt: skip
    down(ws, "M17", 18, '=MLSIM_DECODE_LATENCY("Llama-3-70B","H100",A{r},B{r},"bf16",$B$4)')
    fmt(ws, "C17:E232 G17:M232", "0.00")
    ws.freeze_panes = "C17"
    ws = sheet(wb, "Best")
    area = "Sweep!${c}$17:${c}$232"
    a, b, f, i, j = (area.format(c=c) for c in "ABFIJ")
    rows(ws, "A1", [
        ["Question", "Answer", "Unit"],
        ["Context", 8192, "tokens"],
        ["Best throughput that fits", f'=_xlfn.MAXIFS({j},{b},B2,{f},"yes")', "tok/s"],
        ["at batch", f"=_xlfn.XLOOKUP(B3,{j},{a})", "sequences"],
        ["Step at that batch", "=_xlfn.LET(_xlpm.batch,B4,_xlpm.rate,B3,_xlpm.batch/_xlpm.rate*1000)", "ms"],
        ["Rent of the node", 19.92, "$/h"],
        ["Cost", "=B6/(B3*3600)*1e6", "$/Mtok"],
        ["Cost", "=B7/1000", "$/ktok"],
        ["Weights", "=Sweep!B1*Sweep!B2", "GB"],
        ["KV cache at that batch", '=MLSIM_KV_CACHE("Llama-3-70B",B2,B4)', "GiB"],
        ["KV cache at that batch", "=B10*1024^3/1e9", "GB"],
        ["Memory of the node in use", "=B9+B11", "GB"],
        ["Mean step of the rows that fit", f'=AVERAGEIFS({i},{f},"yes")', "ms"],
        ["Rows that fit", f'=COUNTIF({f},"yes")'],
        ["Throughput per GPU", "=B3/Sweep!B4", "tok/s per GPU"],
        ["Weights, for the function", "141.2 GB"],
        ["Memory bandwidth of the node, for the function", "26.8 TB/s"],
        ["Decode floor of one request", "=MLSIM_DECODE_LATENCY(B16,B17)", "ms"],
        ["Prefill of 8 prompts", '=MLSIM_PREFILL_LATENCY("Llama-3-70B","H100",8,2048,"bf16",8)', "ms"],
        ["Throughput, calculated", '=MLSIM_THROUGHPUT("Llama-3-70B","H100",64,2048,512,"bf16",8)', "tok/s"],
    ])  # fmt: skip
    return wb


BATCH_SWEEP = (
    seed("kv-factor", "Sweep!C20", "=$B$5*$B$6*$B$8*2*A20*B20/1e9"),
    seed("kv-heads", "Sweep!C21", "=2*$B$5*$B$7*$B$8*2*A21*B21/1e9"),
    seed("binary-prefix", "Sweep!E22", "=($B$1*$B$2+D22)/$B$4"),
    seed("binary-prefix", "Sweep!D23", "=C23"),
    seed("binary-prefix", "Best!B12", "=B9+B10"),
    seed("binary-prefix", "Best!B16", "141.2 GiB", "B18"),
    seed("bits-bytes", "Best!B17", "26.8 Tb/s", "B18"),
    seed("sparse-peak", "Sweep!H24", "=2*$B$1*A24/($B$10*1000*$B$4)*1000"),
    seed("peak-precision", "Sweep!H25", "=2*$B$1*A25/($B$13*1000*$B$4)*1000"),
    seed("integer-ops", "Sweep!H26", "=2*$B$1*A26/($B$11*1000*$B$4)*1000"),
    seed("link-direction", "Sweep!L28", "=2*$B$5*2*($B$4-1)/$B$4*A28*8192*2/1e9/$D$14*1000"),
    seed("link-direction", "Sweep!B14", 900, "D14"),
    seed("time-scale", "Sweep!G27", "=($B$1*$B$2+C27)/($B$3*1000*$B$4)", "I27"),
    seed("time-scale", "Sweep!J28", "=A28/I28", "K28"),
    seed("device-scope", "Sweep!H29", "=2*$B$1*A29/($B$9*1000)*1000"),
    seed("device-scope", "Best!B15", "=B3"),
    seed("user-total", "Sweep!K30", "=J30"),
    seed("token-rate", "Sweep!J31", "=A31", "K31"),
    seed("token-price-scale", "Best!B8", "=B7"),
    seed("params-bytes", "Sweep!E32", "=($B$1+C32)/$B$4"),
    seed("registry", "Sweep!B3", 2.6),
    seed("calendar", "Best!B7", "=B6/B3*1e6"),
    seed("flop-rate", "Sweep!A9", "Peak bf16 dense (TFLOP per GPU)", "B9", "H17:H232"),
    refmt("unit-contradiction", "Sweep!I40", '0.00" s"', "I16"),
    seed("bare-number", "Sweep!I33", "=MAX(G33,H33)+L33+5"),
)


def edge_tinyml() -> Workbook:
    """A small convolution net layer by layer, and an edge device with INT8 and fp16 peaks, battery and uplink."""
    wb, ws = first("Layers")
    rows(ws, "A1", [["Layer", "Out height", "Out width", "Channels in", "Channels out", "Kernel", "Parameters", "MMAC",
                     "MFLOP", "INT8 weights (kB)", "INT8 activations (kB)"]])  # fmt: skip
    sizes = [(80, 3, 24, 3), (80, 24, 32, 3), (40, 32, 64, 3), (40, 64, 64, 3), (20, 64, 128, 3), (20, 128, 128, 3),
             (10, 128, 256, 3), (10, 256, 256, 3), (5, 256, 512, 3), (5, 512, 512, 1)]  # fmt: skip
    for i, (side, cin, cout, kernel) in enumerate(sizes):
        r = 2 + i
        rows(ws, f"A{r}", [[f"conv{i + 1}", side, side, cin, cout, kernel, f"=D{r}*E{r}*F{r}^2", f"=B{r}*C{r}*G{r}/1e6",
                            f"=2*H{r}", f"=G{r}*1/1000", f"=B{r}*C{r}*E{r}*1/1000"]])  # fmt: skip
    rows(ws, "A12", [["Net", None, None, None, None, None, "=SUM(G2:G11)", "=SUM(H2:H11)", "=SUM(I2:I11)", "=SUM(J2:J11)",
                      "=MAX(K2:K11)"]])  # fmt: skip
    fmt(ws, "G2:K12", "#,##0.0")
    ws = sheet(wb, "Device")
    rows(ws, "A1", [
        ["Edge module", "Value", "Unit"],
        ["INT8 peak, dense", 4, "TOPS"],
        ["INT8 peak, sparse", 8, "TOPS"],
        ["fp16 peak, dense", 1, "TFLOPS"],
        ["Share of the peak achieved", 0.35],
        ["Net", "=Layers!H12", "MMAC"],
        ["Net, operations in INT8", "=2*B6", "MOP"],
        ["Compute time in INT8", "=B7*1e6/(B2*1e12*B5)*1000", "ms"],
        ["Net in fp16", "=Layers!I12", "MFLOP"],
        ["Compute time in fp16", "=B9*1e6/(B4*1e12*B5)*1000", "ms"],
        ["DRAM bandwidth", 8.5, "GB/s"],
        ["INT8 weights", "=Layers!J12/1000", "MB"],
        ["Weight reading time", "=B12/1000/B11*1000", "ms"],
        ["Inference time in INT8", "=MAX(B8,B13)+B15", "ms"],
        ["Resizing and box decoding", 1.8, "ms"],
        ["Frame rate limit", "=1000/B14", "frames/s"],
        ["Camera link", 1.5, "Gb/s"],
        ["Frame", 0.6, "MB"],
        ["Frame transfer", "=B18/1000*8/B17*1000", "ms"],
        ["Camera to result", "=B14+B19", "ms"],
        ["Round trip to the cloud", 60, "ms"],
        ["One way to the cloud", "=B21/2", "ms"],
        ["Inference in the cloud", 12, "ms"],
        ["Camera to result through the cloud", "=B19+B21+B23", "ms"],
        ["Camera to alert at the operator (one way)", "=B20+B22", "ms"],
        ["Power when active", 5, "W"],
        ["Energy per inference", "=B26*B14", "mJ"],
        ["Battery", 20, "Wh"],
        ["Inferences", 10, "1/s"],
        ["Duty cycle", "=B29*B14/1000"],
        ["Power when idle", 0.4, "W"],
        ["Average power", "=B30*B26+(1-B30)*B31", "W"],
        ["Battery life", "=B28/B32", "h"],
        ["Camera to result, measured mean", 5.9, "ms"],
        ["Camera to result, measured p99", 9.8, "ms"],
        ["Calculated over measured mean", "=B20/B34"],
    ])  # fmt: skip
    fmt(ws, "B5 B30 B36", "0%")
    fmt(ws, "B6:B10 B12:B14 B16 B19:B20 B24:B25 B27 B32:B33", "0.00")
    return wb


EDGE_TINYML = (
    seed("mac-flop", "Device!B7", "=B6", "B8"),
    seed("mac-flop", "Layers!I5", "=H5"),
    seed("mac-flop", "Device!B9", "=Layers!H12", "B10"),
    seed("mac-flop", "Layers!H1", "MFLOP", "H2:H12", "I2:I11", "Device!B6"),
    seed("mac-flop", "Device!B10", "=B6*1e6/(B4*1e12*B5)*1000"),
    seed("integer-ops", "Device!B8", "=B7*1e6/(B4*1e12*B5)*1000"),
    seed("integer-ops", "Device!B10", "=B9*1e6/(B2*1e12*B5)*1000"),
    seed("integer-ops", "Device!C2", "TFLOPS", "B2", "B8"),
    seed("integer-ops", "Device!C4", "TOPS", "B4", "B10"),
    seed("sparse-peak", "Device!B8", "=B7*1e6/(B3*1e12*B5)*1000"),
    seed("time-scale", "Device!B8", "=B7*1e6/(B2*1e12*B5)", "B14"),
    seed("time-scale", "Device!B16", "=1/B14"),
    seed("time-scale", "Device!B30", "=B29*B14", "B32"),
    seed("bits-bytes", "Device!B19", "=B18/1000/B17*1000"),
    seed("bits-bytes", "Device!C17", "GB/s", "B17", "B19"),
    seed("round-trip", "Device!B24", "=B19+B22+B23"),
    seed("round-trip", "Device!B25", "=B20+B21"),
    seed("power-energy", "Device!C28", "W", "B28", "B33"),
    seed("statistic-mix", "Device!B36", "=B20/B35"),
    seed("percent", "Device!B5", 35, "B8", "B10"),
    seed("unit-contradiction", "Device!A11", "DRAM bandwidth (Gb/s)", "B11", "C11"),
    seed("above-limit", "Device!B5", 1.35, "B8", "B10"),
    seed("bare-number", "Device!B14", "=MAX(B8,B13)+B15+3"),
    seed("mixed-sum", "Layers!H12", "=SUM(G2:H11)", "Device!B6"),
    seed("flop-rate", "Device!C9", "MFLOP/s", "B9", "B10"),
)


def vision_throughput() -> Workbook:
    """Merged group headers over a table of vision nets, and a camera fleet that they serve."""
    wb, ws = first("Vision")
    rows(ws, "A1", [
        ["Vision nets at 224 px"],
        [],
        ["Chip", "H100 SXM", "L40S"],
        ["bf16 dense (TFLOP/s)", 989, 362],
        ["bf16 sparse (TFLOP/s)", 1979, 733],
        ["fp8 dense (TFLOP/s)", 1979, 733],
        ["INT8 dense (TOP/s)", 1979, 733],
        ["Share of the peak achieved", 0.35, 0.3],
        ["Rent ($/GPU-h)", 2.49, 1.05],
        ["TDP (W)", 700, 350],
        [],
        ["Net", "Network", None, None, None, "H100 SXM in bf16", None, None, "L40S in INT8"],
        [None, "GMAC/image", "GFLOP/image", "Parameters (million)", "bf16 weights (MB)", "images/s", "Batch of 32 (ms)",
         "$ per million images", "GOP/image", "images/s", "$ per million images", "J/image"],
    ])  # fmt: skip
    for group in ("B12:E12", "F12:H12", "I12:L12"):
        ws.merge_cells(group)
    nets = [("ResNet-50", 4.1, 25.6), ("ViT-B/16", 17.6, 86.6), ("ViT-L/16", 61.6, 304), ("EfficientNet-B4", 4.2, 19.3),
            ("ConvNeXt-B", 15.4, 88.6), ("Swin-B", 15.4, 87.8), ("RegNetY-16GF", 15.9, 83.6), ("ViT-H/14", 167, 632)]  # fmt: skip
    for i, (net, gmac, params) in enumerate(nets):
        r = 14 + i
        rows(ws, f"A{r}", [[net, gmac, f"=2*B{r}", params, f"=D{r}*2", f"=$B$4*1000*$B$8/C{r}", f"=32/F{r}*1000",
                            f"=$B$9/(F{r}*3600)*1e6", f"=2*B{r}", f"=$C$7*1000*$C$8/I{r}", f"=$C$9/(J{r}*3600)*1e6",
                            f"=$C$10/J{r}"]])  # fmt: skip
    fmt(ws, "B8:C8", "0%")
    fmt(ws, "C14:E21 G14:I21 K14:L21", "0.00")
    fmt(ws, "F14:F21 J14:J21", "#,##0")
    ws = sheet(wb, "Cameras")
    rows(ws, "A1", [
        ["Quantity", "Value", "Unit"],
        ["Cameras", 4000, "cameras"],
        ["Images per camera", 5, "images/s"],
        ["Images", "=B2*B3", "images/s"],
        ["Image size", 0.9, "MB"],
        ["Ingest", "=B4*B5", "MB/s"],
        ["Ingest", "=B6*8/1000", "Gbit/s"],
        ["Link", 200, "Gbit/s"],
        ["Link load", "=B7/B8"],
        ["Share of images kept", 0.02],
        ["Stored", "=B6*86400*B10/1e6", "TB/day"],
        ["Retention", 90, "days"],
        ["Storage", "=B11*B12", "TB"],
        ["Storage", "=B13*1e12/1024^4", "TiB"],
        ["ViT-B/16 on an L40S", "=Vision!J15", "images/s"],
        ["Load limit", 0.7],
        ["GPUs", "=ROUNDUP(B4/(B15*B16),0)", "GPUs"],
        ["Rent", "=B17*Vision!C9*730", "$/month"],
        ["Load of GPU 1, measured", 0.62],
        ["Load of GPU 2, measured", 0.66],
        ["Load of GPU 3, measured", 0.59],
        ["Load of GPU 4, measured", 0.64],
        ["Average load, measured", "=AVERAGE(B19:B22)"],
        ["Array", 3600, "TB"],
        ["Array fill", "=B13/B24"],
    ])  # fmt: skip
    fmt(ws, "B9:B10 B16 B19:B23 B25", "0%")
    return wb


VISION_THROUGHPUT = (
    seed("mac-flop", "Vision!C14", "=B14", "F14"),
    seed("mac-flop", "Vision!F15", "=$B$4*1000*$B$8/B15"),
    seed("mac-flop", "Vision!I16", "=B16", "J16"),
    seed("mac-flop", "Vision!B13", "GFLOP/image", "B14:B21", "C14:C21", "I14:I21"),
    seed("integer-ops", "Vision!J15", "=$C$4*1000*$C$8/I15"),
    seed("integer-ops", "Vision!F16", "=$B$7*1000*$B$8/C16"),
    seed("integer-ops", "Vision!A7", "INT8 dense (TFLOP/s)", "B7", "C7", "J14:J21"),
    seed("sparse-peak", "Vision!F17", "=$B$5*1000*$B$8/C17"),
    seed("sparse-peak", "Vision!B4", 1979, "F14:F21"),
    seed("peak-precision", "Vision!F18", "=$B$6*1000*$B$8/C18"),
    seed("peak-precision", "Vision!F20", "=$B$6*1000*$B$8/C20"),
    seed("flop-rate", "Vision!A4", "bf16 dense (TFLOP)", "B4", "C4", "F14:F21"),
    seed("time-scale", "Vision!G17", "=32/F17"),
    seed("params-bytes", "Vision!E14", "=D14"),
    seed("bits-bytes", "Cameras!B7", "=B6/1000", "B9"),
    seed("bits-bytes", "Cameras!B9", "=B6/1000/B8"),
    seed("binary-prefix", "Cameras!B25", "=B14/B24"),
    seed("binary-prefix", "Cameras!B14", "=B13"),
    seed("calendar", "Cameras!B11", "=B6*3600*B10/1e6"),
    seed("calendar", "Cameras!B18", "=B17*Vision!C9*8760"),
    seed("percent-sum", "Cameras!B23", "=SUM(B19:B22)"),
    seed("percent", "Cameras!B10", 2, "B11"),
    seed("above-limit", "Cameras!B8", 100, "B9"),
    seed("registry", "Vision!C4", 181),
    refmt("unit-contradiction", "Vision!G14", '0.00" s"', "G13"),
)


def spot_reserved() -> Workbook:
    """Jobs as an Excel table with structured references, a price list, and the monthly bill."""
    wb, ws = first("Jobs")
    jobs = [("pretrain-a", 64, 410, "reserved"), ("pretrain-b", 48, 250, "reserved"), ("eval-nightly", 8, 180, "spot"),
            ("sft-chat", 16, 96, "on demand"), ("rlhf", 32, 120, "on demand"), ("distil", 24, 200, "spot"),
            ("ablation-1", 16, 140, "spot"), ("ablation-2", 16, 150, "spot"), ("ocr", 8, 300, "spot"),
            ("serving-eu", 8, 730, "on demand"), ("serving-us", 8, 730, "on demand"), ("notebooks", 4, 500, "spot")]  # fmt: skip
    here = "Jobs[[#This Row],[{}]]".format
    rows(ws, "A1", [["Job", "GPUs", "Wall-clock hours", "Plan", "GPU hours", "Price per GPU hour", "Rework", "Cost"]])
    for i, (job, gpus, hours, plan) in enumerate(jobs):
        rows(ws, f"A{2 + i}", [[job, gpus, hours, plan, f"={here('GPUs')}*{here('Wall-clock hours')}",
                                f"=INDEX(Prices!$B$2:$B$4,MATCH({here('Plan')},Prices!$A$2:$A$4,0))",
                                f"=INDEX(Prices!$C$2:$C$4,MATCH({here('Plan')},Prices!$A$2:$A$4,0))",
                                f"={here('GPU hours')}*{here('Price per GPU hour')}*(1+{here('Rework')})"]])  # fmt: skip
    table(ws, "Jobs", "A1:H13")
    fmt(ws, "F2:F13", "$0.00")
    fmt(ws, "G2:G13", "0%")
    fmt(ws, "H2:H13", "$#,##0")
    ws = sheet(wb, "Prices")
    rows(ws, "A1", [["Plan", "Price ($/GPU-h)", "Rework after interruption", "Discount"], ["on demand", 3.9, 0, "=1-B2/B$2"],
                    ["reserved", 2.35, 0, "=1-B3/B$2"], ["spot", 1.45, 0.12, "=1-B4/B$2"],
                    ["Average discount of the two plans", None, None, "=AVERAGE(D3:D4)"]])  # fmt: skip
    fmt(ws, "C2:D5", "0%")
    fmt(ws, "B2:B4", "$0.00")
    ws = sheet(wb, "Bill")
    rows(ws, "A1", [
        ["Item", "Value", "Unit"],
        ["GPU time of the jobs", "=SUM(Jobs[GPU hours])", "GPU-h/month"],
        ["Cost of the jobs", "=SUM(Jobs[Cost])", "$/month"],
        ["Average price", "=B3/B2", "$/GPU-h"],
        ["Hours per month", 730, "h/month"],
        ["GPUs reserved", 64, "GPUs"],
        ["Reserved capacity", "=B6*B5", "GPU-h/month"],
        ["Cost of the reservation", "=B7*Prices!B3", "$/month"],
        ["Break-even utilisation", "=Prices!B3/Prices!B2"],
        ["Utilisation of the reservation", '=SUMIF(Jobs!D2:D13,"reserved",Jobs!E2:E13)/B7'],
        ["Cost of the jobs", "=B3*12", "$/year"],
        ["Cost of the jobs over three years", "=B11*3", "$"],
        ["Storage", 300, "TB"],
        ["Storage price", 23, "$/TB/month"],
        ["Storage", "=B13*B14", "$/month"],
        ["Support", 5000, "$/month"],
        ["Bill before tax", "=B3+B15+B16", "$/month"],
        ["Sales tax", 0.08],
        ["Bill with tax", "=B17*(1+B18)", "$/month"],
        ["Exchange rate of 2025-06-30", 0.731, "GBP/USD"],
        ["Bill with tax", "=B19*B20", "GBP/month"],
        ["On-demand price of an 8-GPU node", "=Prices!B2*8", "$/node-h"],
        ["Power per GPU", 0.62, "kW/GPU"],
        ["IT energy", "=B2*B23", "kWh/month"],
        ["PUE", 1.3],
        ["Facility energy", "=B24*B25", "kWh/month"],
        ["Grid intensity", 0.37, "kg CO2e/kWh"],
        ["Emissions", "=B26*B27/1000", "t CO2e/month"],
        ["Tokens served", 42000, "Mtok/month"],
        ["Serving cost", "=SUM(Jobs!H11:H12)", "$/month"],
        ["Serving cost per token", "=B30/B29", "$/Mtok"],
        ["Serving cost per token", "=B31/1000", "$/ktok"],
    ])  # fmt: skip
    fmt(ws, "B9:B10 B18", "0%")
    fmt(ws, "B3 B8 B11:B12 B15:B17 B19 B30", "$#,##0")
    fmt(ws, "B21", "£#,##0")
    return wb


SPOT_RESERVED = (
    seed("money-rate", "Bill!B17", "=B3+B14+B16"),
    seed("money-rate", "Bill!B17", "=B4+B15+B16"),
    seed("money-rate", "Bill!B8", "=Prices!B3"),
    seed("device-hours", "Bill!B2", "=SUM(Jobs[Wall-clock hours])", "B4", "B24"),
    seed(
        "device-hours",
        "Jobs!H5",
        "=Jobs[[#This Row],[Wall-clock hours]]*Jobs[[#This Row],[Price per GPU hour]]*(1+Jobs[[#This Row],[Rework]])",
    ),
    seed("device-hours", "Bill!B7", "=B5", "B8", "B10"),
    seed("calendar", "Bill!B11", "=B3*365"),
    seed("calendar", "Bill!B7", "=B6*8760", "B8"),
    seed("device-scope", "Bill!B22", "=Prices!B2"),
    seed("currency", "Bill!B21", "=B19"),
    seed("currency", "Bill!C16", "GBP/month", "B16", "B17"),
    refmt("currency", "Prices!B3", '0.00" €"', "B1", "Bill!B8"),
    seed("percent", "Bill!B18", 8, "B19"),
    seed("percent", "Bill!B19", "=B17*(1+B18/100)"),
    seed("percent-sum", "Prices!D5", "=SUM(D3:D4)"),
    seed("mixed-sum", "Bill!B17", "=B3+SUM(B13:B16)"),
    seed("bare-number", "Bill!B17", "=B3+B15+B16+1200"),
    seed("facility-energy", "Bill!B26", "=B24", "B28"),
    seed("power-energy", "Bill!B24", "=B6*B23", "B26"),
    seed("carbon-scale", "Bill!B28", "=B26*B27"),
    seed("token-price-scale", "Bill!B32", "=B31"),
    seed("token-rate", "Bill!C29", "tokens/s", "B29", "B31"),
)


def sla_capacity() -> Workbook:
    """Regions as columns: users, requests, replicas, latency, memory, links, cost."""
    wb, ws = first("Capacity")
    rows(ws, "A1", [["Peak-hour capacity for Llama-3-70B (bf16, tensor parallel on H100 SXM)"], [],
                    ["Quantity", "Unit", "EU", "US", "APAC", "All"]])  # fmt: skip
    plan = [
        ("Active users", "users", (9000, 14000, 6000), "=SUM(C4:E4)"),
        ("Requests per user", "requests/user/h", (6, 5, 7), None),
        ("Request rate", "requests/s", "={c}4*{c}5/3600", "=SUM(C6:E6)"),
        ("Input per request", "tokens/request", (1500, 1500, 1800), None),
        ("Output per request", "tokens/request", (400, 420, 380), None),
        ("Input load", "tokens/s", "={c}6*{c}7", "=SUM(C9:E9)"),
        ("Output load", "tokens/s", "={c}6*{c}8", "=SUM(C10:E10)"),
        ("Output rate of a replica", "tokens/s", (2400, 2400, 2400), None),
        ("Input rate of a replica", "tokens/s", (14000, 14000, 14000), None),
        ("Replicas busy with input", "replicas", "={c}9/{c}12", "=SUM(C13:E13)"),
        ("Replicas busy with output", "replicas", "={c}10/{c}11", "=SUM(C14:E14)"),
        ("Load limit", None, (0.7, 0.7, 0.7), None),
        ("Replicas", "replicas", "=ROUNDUP(({c}13+{c}14)/{c}15,0)", "=SUM(C16:E16)"),
        ("GPUs per replica", "GPUs/replica", (4, 4, 4), None),
        ("GPUs", "GPUs", "={c}16*{c}17", "=SUM(C18:E18)"),
        ("GPUs per node", "GPUs/node", (8, 8, 8), None),
        ("Nodes", "nodes", "=ROUNDUP({c}18/{c}19,0)", "=SUM(C20:E20)"),
        ("Mean time to first token", "ms", (320, 330, 340), None),
        ("p99 time to first token", "ms", (900, 940, 980), None),
        ("Mean time per output token", "ms", (22, 22, 23), None),
        ("Mean network round trip", "ms", (28, 40, 95), None),
        ("Mean response time", "s", "=({c}21+{c}24+({c}8-1)*{c}23)/1000", None),
        ("Requests in flight", "requests", "={c}6*{c}25", "=SUM(C26:E26)"),
        ("Requests in flight per replica", "requests/replica", "={c}26/{c}16", None),
        ("Layers", None, (80, 80, 80), None),
        ("Attention heads", None, (64, 64, 64), None),
        ("KV heads", None, (8, 8, 8), None),
        ("Head dimension", None, (128, 128, 128), None),
        ("KV cache per token", "bytes", "=2*{c}28*{c}30*{c}31*2", None),
        ("KV cache per request", "GB", "={c}32*({c}7+{c}8)/1e9", None),
        ("KV cache per replica", "GB", "={c}33*{c}27", None),
        ("Weights", "GB", (141.2, 141.2, 141.2), None),
        ("HBM per GPU", "GB", (80, 80, 80), None),
        ("HBM usable per replica", "GB", "={c}17*{c}36*0.9", None),
        ("HBM needed per replica", "GB", "={c}34+{c}35", None),
        ("Fits", None, '=IF({c}38<={c}37,"yes","no")', None),
        ("NVLink per direction", "GB/s", (450, 450, 450), None),
        ("NVLink both directions", "GB/s", "=2*{c}40", None),
        ("All-reduce traffic per decode step", "GB", "=2*{c}28*2*({c}17-1)/{c}17*{c}27*8192*2/1e9", None),
        ("All-reduce time per decode step", "ms", "={c}42/{c}40*1000", None),
        ("Egress (6 bytes per token)", "Mb/s", "={c}10*6*8/1e6", "=SUM(C44:E44)"),
        ("Rent", "$/GPU-h", (2.49, 2.35, 2.79), None),
        ("Rent", "$/month", "={c}18*{c}45*730", "=SUM(C46:E46)"),
        ("Rent per user", "$/user/month", "={c}46/{c}4", "=F46/F4"),
        ("SLO for the p99 time to first token", "ms", (1200, 1200, 1200), None),
        ("Distance of the p99 to the SLO", "ms", "={c}48-{c}22", "=MIN(C49:E49)"),
        ("Load reached", None, "=({c}13+{c}14)/{c}16", "=(F13+F14)/F16"),
    ]  # fmt: skip
    for i, (label, unit, values, total) in enumerate(plan):
        line = [values.format(c=c) for c in "CDE"] if isinstance(values, str) else list(values)
        rows(ws, f"A{4 + i}", [[label, unit, *line, total]])
    fmt(ws, "C15:E15 C50:F50", "0%")
    fmt(ws, "C6:F6 C13:F14 C25:F27 C33:E34 C38:E38 C42:F44", "0.00")
    fmt(ws, "C46:F46", "$#,##0")
    fmt(ws, "C45:E45 C47:F47", "$0.00")
    return wb


SLA_CAPACITY = (
    seed("user-total", "Capacity!C6", "=C5/3600", "C9", "C10"),
    seed("user-total", "Capacity!D47", "=D46"),
    seed("user-total", "Capacity!E34", "=E33", "E38"),
    seed("token-direction", "Capacity!C9", "=C6*C8"),
    seed("token-direction", "Capacity!D10", "=D6*D7"),
    seed("token-direction", "Capacity!E14", "=E10/E12"),
    seed("token-direction", "Capacity!C13", "=C9/C11"),
    seed("token-rate", "Capacity!D14", "=D8/D11"),
    seed("token-rate", "Capacity!B10", "tokens", "C10:F10", "C14:E14"),
    seed("statistic-mix", "Capacity!C25", "=(C22+C24+(C8-1)*C23)/1000"),
    seed("statistic-mix", "Capacity!D49", "=D48-D21"),
    seed("time-scale", "Capacity!D25", "=D21+D24+(D8-1)*D23", "D26"),
    seed("calendar", "Capacity!C6", "=C4*C5/60"),
    seed("device-scope", "Capacity!D20", "=ROUNDUP(D16/D19,0)"),
    seed("device-scope", "Capacity!E18", "=E16", "E46"),
    seed("kv-factor", "Capacity!C32", "=C28*C30*C31*2"),
    seed("kv-heads", "Capacity!D32", "=2*D28*D29*D31*2"),
    seed("kv-heads", "Capacity!E32", "=2*E28*E29*E31*2"),
    seed("link-direction", "Capacity!C43", "=C42/C41*1000"),
    seed("link-direction", "Capacity!D40", 900, "D41", "D43"),
    seed("bits-bytes", "Capacity!C44", "=C10*6/1e6"),
    seed("percent", "Capacity!C15", 70, "C16"),
    seed("percent-sum", "Capacity!F50", "=SUM(C50:E50)"),
    seed("mixed-sum", "Capacity!F18", "=SUM(C17:E18)"),
)


def inferenz_kapazitaet() -> Workbook:
    """German labels, a data-sheet text with a decimal comma, euro and dollar prices per thousand and million."""
    wb, ws = first("Inferenz")
    rows(ws, "A1", [
        ["Kapazitätsplanung Mixtral-8x7B in fp8 auf H100 SXM"],
        ["Lehrstuhl, Stand 30.06.2025"],
        ["Größe", "Wert", "Einheit", "Quelle"],
        ["Parameter, gesamt", 46.7, "Mrd.", "Modellkarte"],
        ["Parameter, aktiv je Token", 12.9, "Mrd.", "Modellkarte"],
        ["Byte je Parameter (fp8)", 1, "Byte"],
        ["Gewichte", "=B4*B6", "GB"],
        ["Schichten", 32],
        ["Attention-Köpfe", 32],
        ["KV-Köpfe", 8],
        ["Kopfdimension", 128],
        ["KV-Cache je Token (bf16)", "=2*B8*B10*B11*2", "Byte"],
        ["Kontext", 8000, "Token"],
        ["Gleichzeitige Nutzer", 48, "Nutzer"],
        ["KV-Cache je Nutzer", "=B12*B13/1e9", "GB"],
        ["KV-Cache aller Nutzer", "=B15*B14", "GB"],
        ["Speicherbedarf", "=B7+B16", "GB"],
        ["Speicher je GPU", 80, "GB", "Datenblatt H100 SXM"],
        ["GPUs", "=ROUNDUP(B17/(B18*0.9),0)", "GPUs"],
        ["Speicherbandbreite der H100 SXM", 3.35, "TB/s", "Datenblatt"],
        ["Speicherbandbreite laut Datenblatt", "3,35 TB/s"],
        ["Spitzenleistung fp8, dicht", 1979, "TFLOP/s"],
        ["Spitzenleistung bf16, dicht", 989, "TFLOP/s"],
        ["Spitzenleistung fp8, sparse", 3958, "TFLOP/s"],
        ["Spitzenleistung INT8, dicht", 1979, "TOP/s"],
        ["Decode-Schritt", "=B17/(B20*1000*B19)*1000", "ms"],
        ["Decode-Schritt, berechnet", '=MLSIM_DECODE_LATENCY("Mixtral-8x7B","H100",B14,B13,"fp8",B19)', "ms"],
        ["Ausgabedurchsatz", "=B14/B26*1000", "Token/s"],
        ["Ausgabedurchsatz je Nutzer", "=B28/B14", "Token/s je Nutzer"],
        ["Prompt", 1500, "Token"],
        ["Ausnutzung der Rechenwerke", 0.5],
        ["Prefill-Zeit in fp8", "=2*B5*1e9*B30/(B22*1e12*B19*B31)*1000", "ms"],
        ["Netz, Umlaufzeit (RTT)", 24, "ms"],
        ["Netz, einfache Strecke", "=B33/2", "ms"],
        ["Antwortlänge", 300, "Token"],
        ["Antwortzeit beim Nutzer", "=(B33+B32+(B35-1)*B26)/1000", "s"],
        ["Mietpreis", 2.3, "EUR/GPU-h"],
        ["Miete", "=B37*B19", "EUR/h"],
        ["Auslastung", 0.4],
        ["Kosten der Ausgabetoken", "=B38/(B28*3600*B39)*1e6", "EUR/Mio. Token"],
        ["Kosten der Ausgabetoken", "=B40/1000", "EUR/Tsd. Token"],
        ["API-Preis der Ausgabetoken", 0.7, "USD/Mio. Token"],
        ["Wechselkurs vom 30.06.2025", 0.853, "EUR/USD"],
        ["API-Preis der Ausgabetoken", "=B42*B43", "EUR/Mio. Token"],
        ["Mehrkosten gegenüber der API", "=B40-B44", "EUR/Mio. Token"],
        ["Ausgabetoken", 1200, "Mio. Token/Monat"],
        ["Eingabetoken", 5200, "Mio. Token/Monat"],
        ["Kosten der Ausgabe", "=B46*B40", "EUR/Monat"],
        ["Leistungsaufnahme je GPU", 700, "W"],
        ["IT-Leistung", "=B49*B19/1000", "kW"],
        ["PUE", 1.3],
        ["Energie des Rechenzentrums", "=B50*730*B51", "kWh/Monat"],
        ["Anteil der Gewichte am Speicher", "=B7/B17"],
        ["Anteil des KV-Cache am Speicher", "=B16/B17"],
    ])  # fmt: skip
    fmt(ws, "B31 B39 B53:B54", "0%")
    fmt(ws, "B7 B15:B17 B26:B29 B32 B36 B40 B44:B45", "#,##0.00")
    return wb


INFERENZ_KAPAZITAET = (
    seed("active-params", "Inferenz!B7", "=B5*B6", "B17"),
    seed("active-params", "Inferenz!B32", "=2*B4*1e9*B30/(B22*1e12*B19*B31)*1000"),
    seed("kv-factor", "Inferenz!B12", "=B8*B10*B11*2"),
    seed("kv-heads", "Inferenz!B12", "=2*B8*B9*B11*2"),
    seed("user-total", "Inferenz!B17", "=B7+B15"),
    seed("user-total", "Inferenz!B29", "=B28"),
    seed("currency", "Inferenz!B45", "=B40-B42"),
    seed("currency", "Inferenz!C37", "USD/GPU-h", "B37", "B38"),
    seed("token-price-scale", "Inferenz!B41", "=B40"),
    seed("token-price-scale", "Inferenz!B48", "=B46*B41"),
    seed("token-price-scale", "Inferenz!C42", "USD/Tsd. Token", "B42", "B44"),
    seed("token-direction", "Inferenz!B48", "=B47*B40"),
    seed("peak-precision", "Inferenz!B32", "=2*B5*1e9*B30/(B23*1e12*B19*B31)*1000"),
    seed("sparse-peak", "Inferenz!B32", "=2*B5*1e9*B30/(B24*1e12*B19*B31)*1000"),
    seed("integer-ops", "Inferenz!B32", "=2*B5*1e9*B30/(B25*1e12*B19*B31)*1000"),
    seed("round-trip", "Inferenz!B36", "=(B34+B32+(B35-1)*B26)/1000"),
    seed("round-trip", "Inferenz!B34", "=B33"),
    seed("time-scale", "Inferenz!B36", "=B33+B32+(B35-1)*B26"),
    seed("device-scope", "Inferenz!B38", "=B37"),
    seed("calendar", "Inferenz!B52", "=B50*8760*B51"),
    seed("percent", "Inferenz!B31", 50, "B32"),
    seed("above-limit", "Inferenz!B31", 1.5, "B32"),
    seed("registry", "Inferenz!B20", 3.0, "B21"),
    seed("unit-contradiction", "Inferenz!B21", "3,35 GB/s", "B20"),
    seed("bare-number", "Inferenz!B36", "=(B33+B32+(B35-1)*B26)/1000+0.5"),
)


def kv_cache_tenants() -> Workbook:
    """Defined names for the model; tenants as rows with their KV cache, output and revenue."""
    wb, ws = first("Model")
    lines = [
        ("Parameters (billion)", 8.03, "params"), ("Bytes per parameter", 2, "weight_bytes"), ("Layers", 32, "layers"),
        ("Attention heads", 32, "attention_heads"), ("KV heads", 8, "kv_heads"), ("Head dimension", 128, "head_dim"),
        ("Bytes per KV element", 2, "kv_bytes"), ("HBM of an H100 SXM (GB)", 80, "hbm_gb"),
        ("Usable share of the HBM", 0.9, "usable"), ("Price ($/Mtok of output)", 1.6, "price_per_mtok"),
        ("Rent ($/GPU-h)", 2.49, "price_per_gpu_hour"), ("Hours per month", 730, "hours_per_month"),
    ]  # fmt: skip
    rows(ws, "A1", [["Llama-3-8B, shared by tenants"], [], *([label, value] for label, value, _ in lines)])
    for i, (_, _, name) in enumerate(lines):
        define(wb, name, f"Model!$B${3 + i}")
    fmt(ws, "B11", "0%")
    ws = sheet(wb, "Tenants")
    rows(ws, "A1", [["Tenant", "Users", "Context (tokens)", "KV cache per user (GB)", "KV cache of the tenant (GB)",
                     "KV cache of the tenant (GiB)", "Share of the KV cache", "Output per user (tokens/s)",
                     "Output of the tenant (tokens/s)", "Busy hours per month", "Output per month (Mtok)",
                     "Revenue ($/month)"]])  # fmt: skip
    tenants = ["Aster", "Birch", "Cedar", "Dahlia", "Elm", "Fern", "Gorse", "Hazel", "Iris", "Juniper", "Kale", "Lotus"]
    for i, tenant in enumerate(tenants):
        r = 2 + i
        rows(ws, f"A{r}", [[tenant, 6 + (i * 5) % 11, 4096 * (1 + i % 4), f"=2*layers*kv_heads*head_dim*kv_bytes*C{r}/1e9",
                            f"=D{r}*B{r}", f"=E{r}*1e9/1024^3", f"=E{r}/E$14", 22 + i % 5, f"=H{r}*B{r}", 300 + 20 * (i % 6),
                            f"=I{r}*J{r}*3600/1e6", f"=K{r}*price_per_mtok"]])  # fmt: skip
    rows(ws, "A14", [["All", "=SUM(B2:B13)", None, None, "=SUM(E2:E13)", "=SUM(F2:F13)", "=SUM(G2:G13)", None, "=SUM(I2:I13)",
                      None, "=SUM(K2:K13)", "=SUM(L2:L13)"]])  # fmt: skip
    fmt(ws, "G2:G14", "0.0%")
    fmt(ws, "D2:F14 K2:K14", "0.00")
    fmt(ws, "L2:L14", "$#,##0")
    ws = sheet(wb, "Fleet")
    rows(ws, "A1", [
        ["Item", "Value", "Unit"],
        ["Weights", "=params*weight_bytes", "GB"],
        ["KV cache of all tenants", "=Tenants!E14", "GB"],
        ["Usable HBM per GPU", "=hbm_gb*usable", "GB"],
        ["Room for KV cache per GPU", "=B4-B2", "GB"],
        ["GPUs (a copy of the weights on each)", "=ROUNDUP(B3/B5,0)", "GPUs"],
        ["HBM in use", "=B6*B2+B3", "GB"],
        ["HBM installed", "=B6*hbm_gb", "GB"],
        ["Share in use", "=B7/B8"],
        ["Rent", "=B6*price_per_gpu_hour*hours_per_month", "$/month"],
        ["Revenue", "=Tenants!L14", "$/month"],
        ["Margin", "=B11-B10", "$/month"],
        ["Revenue per user", "=B11/Tenants!B14", "$/user/month"],
        ["Average output", "=Tenants!K14*1e6/(hours_per_month*3600)", "tokens/s"],
        ["Busiest tenant", "=INDEX(Tenants!A2:A13,MATCH(MAX(Tenants!E2:E13),Tenants!E2:E13,0))"],
    ])  # fmt: skip
    fmt(ws, "B9", "0%")
    fmt(ws, "B10:B12", "$#,##0")
    return wb


KV_CACHE_TENANTS = (
    seed("kv-factor", "Tenants!D3", "=layers*kv_heads*head_dim*kv_bytes*C3/1e9"),
    seed("kv-factor", "Tenants!D9", "=layers*kv_heads*head_dim*kv_bytes*C9/1e9"),
    seed("kv-heads", "Tenants!D4", "=2*layers*attention_heads*head_dim*kv_bytes*C4/1e9"),
    seed("kv-heads", "Tenants!D10", "=2*layers*attention_heads*head_dim*kv_bytes*C10/1e9"),
    seed("user-total", "Tenants!E5", "=D5"),
    seed("user-total", "Tenants!I6", "=H6"),
    seed("user-total", "Fleet!B3", "=SUM(Tenants!D2:D13)", "B6", "B7"),
    seed("user-total", "Fleet!B13", "=B11"),
    seed("binary-prefix", "Fleet!B3", "=Tenants!F14", "B6", "B7"),
    seed("binary-prefix", "Tenants!F7", "=E7"),
    seed("mixed-sum", "Tenants!E14", "=SUM(D2:E13)"),
    seed("mixed-sum", "Tenants!K14", "=SUM(J2:K13)"),
    seed("token-rate", "Tenants!K8", "=I8/1e6"),
    seed("token-rate", "Fleet!B14", "=Tenants!K14*1e6"),
    seed("token-price-scale", "Model!A12", "Price ($/ktok of output)", "B12", "Tenants!L2:L13"),
    seed("calendar", "Tenants!K11", "=I11*J11*60/1e6"),
    seed("calendar", "Fleet!B10", "=B6*price_per_gpu_hour*24"),
    seed("params-bytes", "Fleet!B2", "=params", "B5", "B7"),
    seed("device-scope", "Fleet!B8", "=hbm_gb", "B9"),
    seed("percent", "Model!B11", 90, "Fleet!B4"),
    seed("above-limit", "Model!B11", 1.2, "Fleet!B4"),
    seed("money-rate", "Fleet!B12", "=B11-price_per_gpu_hour"),
    seed("registry", "Model!B10", 94),
)


def request_log() -> Workbook:
    """A log of 300 requests with prices looked up, and its statistics."""
    wb, ws = first("Log")
    rows(ws, "A1", [["Time", "Model", "Input tokens", "Output tokens", "Queue (ms)", "TTFT ms", "TPOT ms", "Total (s)",
                     "Output rate (tokens/s)", "Input cost ($)", "Output cost ($)", "Cost ($)"]])  # fmt: skip
    models = ["small", "large", "small", "medium"]
    down(ws, "A2", 300, lambda i: datetime(2025, 6, 3, 14) + timedelta(seconds=3 * i), lambda i: models[(i * 7 + i // 9) % 4],
         lambda i: 400 + (i * 137) % 2600, lambda i: 60 + (i * 53) % 540, lambda i: 12 + (i * i) % 90,
         lambda i: 140 + (i * i) % 90 + (i * 31) % 260, lambda i: 14 + (i * 3) % 19, "=(F{r}+(D{r}-1)*G{r})/1000", "=D{r}/H{r}",
         "=C{r}/1e6*VLOOKUP(B{r},Prices!$A$2:$C$4,2,FALSE)", "=D{r}/1e6*VLOOKUP(B{r},Prices!$A$2:$C$4,3,FALSE)",
         "=J{r}+K{r}")  # fmt: skip
    fmt(ws, "A2:A301", "hh:mm:ss")
    fmt(ws, "J2:L301", "$0.00000")
    fmt(ws, "H2:I301", "0.00")
    ws = sheet(wb, "Prices")
    rows(
        ws,
        "A1",
        [
            ["Model", "Input ($ per 1M tokens)", "Output ($ per 1M tokens)"],
            ["small", 0.15, 0.6],
            ["medium", 0.8, 3.2],
            ["large", 2.5, 10],
        ],
    )
    ws = sheet(wb, "Summary")

    def col(letter: str) -> str:
        return f"Log!{letter}2:{letter}301"

    rows(ws, "A1", [
        ["Statistic", "Value", "Unit"],
        ["Requests", f"=COUNT({col('C')})"],
        ["Input tokens", f"=SUM({col('C')})", "tokens"],
        ["Output tokens", f"=SUM({col('D')})", "tokens"],
        ["Mean TTFT", f"=AVERAGE({col('F')})", "ms"],
        ["p99 TTFT", f"=PERCENTILE({col('F')},0.99)", "ms"],
        ["Mean queue", f"=AVERAGE({col('E')})", "ms"],
        ["p99 queue", f"=PERCENTILE({col('E')},0.99)", "ms"],
        ["Mean prefill (TTFT less queue)", "=B5-B7", "ms"],
        ["Mean TPOT", f"=AVERAGE({col('G')})", "ms"],
        ["p99 TPOT", f"=PERCENTILE({col('G')},0.99)", "ms"],
        ["Mean total", f"=AVERAGE({col('H')})", "s"],
        ["Mean output", f"=AVERAGE({col('D')})", "tokens"],
        ["Total of an average request", "=(B5+(B13-1)*B10)/1000", "s"],
        ["Mean network round trip", 34, "ms"],
        ["Mean total at the client", "=B12+B15/1000", "s"],
        ["Mean network latency, one way", "=B15/2", "ms"],
        ["Mean TTFT at the client", "=B5+B15", "ms"],
        ["Cost of the log", f"=SUM({col('L')})", "$"],
        ["Cost per request", "=B19/B2", "$/request"],
        ["Cost per output token", "=B19/B4*1e6", "$/Mtok"],
        ["Length of the log", 900, "s"],
        ["Request rate", "=B2/B22", "requests/s"],
        ["Output token rate", "=B4/B22", "tokens/s"],
        ["SLO for the p99 TTFT", 600, "ms"],
        ["Distance of the p99 TTFT to the SLO", "=B25-B6", "ms"],
        ["Share of requests within 400 ms", f'=COUNTIF({col("F")},"<=400")/B2'],
        ["Cost at this rate", "=B19/B22*3600*730", "$/month"],
        ["Users", 250, "users"],
        ["Cost per user", "=B28/B29", "$/user/month"],
        ["Exchange rate of 2025-06-03", 0.879, "EUR/USD"],
        ["Cost at this rate", "=B28*B31", "EUR/month"],
        ["Cost of the large model", f'=SUMIF({col("B")},"large",{col("L")})', "$"],
        ["Share of the large model in the cost", "=B33/B19"],
        ["TPOT weighted by output", f"=SUMPRODUCT({col('D')},{col('G')})/B4", "ms"],
    ])  # fmt: skip
    fmt(ws, "B27 B34", "0.0%")
    fmt(ws, "B19:B21 B28 B30 B33", "$#,##0.0000")
    return wb


REQUEST_LOG = (
    seed("token-direction", "Log!J5", "=D5/1e6*VLOOKUP(B5,Prices!$A$2:$C$4,2,FALSE)"),
    seed("token-direction", "Log!K6", "=D6/1e6*VLOOKUP(B6,Prices!$A$2:$C$4,2,FALSE)"),
    seed("token-direction", "Summary!B24", "=B3/B22"),
    seed("token-direction", "Summary!B21", "=B19/B3*1e6"),
    seed("token-price-scale", "Log!J7", "=C7/1000*VLOOKUP(B7,Prices!$A$2:$C$4,2,FALSE)", "L7"),
    seed("token-price-scale", "Log!K8", "=D8/1000*VLOOKUP(B8,Prices!$A$2:$C$4,3,FALSE)", "L8"),
    seed("token-price-scale", "Summary!B21", "=B19/B4*1000"),
    seed("statistic-mix", "Summary!B9", "=B6-B7"),
    seed("statistic-mix", "Summary!B14", "=(B5+(B13-1)*B11)/1000"),
    seed("statistic-mix", "Summary!B26", "=B25-B5"),
    seed("round-trip", "Summary!B18", "=B5+B17"),
    seed("round-trip", "Summary!B17", "=B15"),
    seed("time-scale", "Log!H10", "=F10+(D10-1)*G10", "I10"),
    seed("time-scale", "Summary!B16", "=B12+B15"),
    seed("token-rate", "Summary!B24", "=B4"),
    seed("token-rate", "Log!I12", "=D12"),
    seed("calendar", "Summary!B28", "=B19/B22*730"),
    seed("user-total", "Summary!B30", "=B28"),
    seed("currency", "Summary!B32", "=B28"),
    refmt("unit-contradiction", "Log!F5", '0" s"', "F1"),
    seed("mixed-sum", "Log!L13", "=SUM(I13:K13)"),
    seed("bare-number", "Log!L14", "=J14+K14+0.01"),
    seed("money-rate", "Summary!B28", "=B20"),
    seed("percent", "Summary!B27", '=COUNTIF(Log!F2:F301,"<=400")/B2*100'),
)


def api_bill() -> Workbook:
    """Teams with input and output tokens, dollar prices and euro budgets; a forecast by month."""
    wb, ws = first("Usage")
    rows(ws, "A1", [["API bill by team, June 2025"], ["Prices from the price list"]])
    rows(ws, "A4", [["Team", "Users", "Input (Mtok)", "Output (Mtok)", "Input price ($/Mtok)", "Output price ($/Mtok)",
                     "Input cost ($)", "Output cost ($)", "Cost ($)", "Cost (€)", "Budget (€)", "Budget used",
                     "Cost per user (€)"]])  # fmt: skip
    teams = ["Search", "Support", "Legal", "Sales", "Research", "Docs", "Finance", "HR", "Product", "Security"]
    for i, team in enumerate(teams):
        r = 5 + i
        rows(ws, f"A{r}", [[team, 12 + 7 * (i % 4), 900 + 350 * ((i * 3) % 7), 150 + 60 * ((i * 2) % 5), "='Price list'!$B$4",
                            "='Price list'!$B$6", f"=C{r}*E{r}", f"=D{r}*F{r}", f"=G{r}+H{r}", f"=I{r}*'Price list'!$B$2",
                            6000 + 1000 * (i % 5), f"=J{r}/K{r}", f"=J{r}/B{r}"]])  # fmt: skip
    rows(ws, "A15", [["All", "=SUM(B5:B14)", "=SUM(C5:C14)", "=SUM(D5:D14)", None, None, "=SUM(G5:G14)", "=SUM(H5:H14)",
                      "=SUM(I5:I14)", "=SUM(J5:J14)", "=SUM(K5:K14)", "=J15/K15", "=J15/B15"]])  # fmt: skip
    fmt(ws, "E5:I15", "$#,##0.00")
    fmt(ws, "J5:K15 M5:M15", "#,##0.00 €")
    fmt(ws, "L5:L15", "0%")
    ws = sheet(wb, "Price list")
    rows(ws, "A1", [
        ["Rate", "Value", "Unit"],
        ["Exchange rate of 2025-06-30", 0.853, "EUR/USD"],
        ["Input price, list", 0.0025, "$/ktok"],
        ["Input price", "=B3*1000", "$/Mtok"],
        ["Output price, list", 0.01, "$/ktok"],
        ["Output price", "=B5*1000", "$/Mtok"],
        ["Growth per month", 0.07],
        ["Seconds per month", "=730*3600", "s"],
    ])  # fmt: skip
    fmt(ws, "B7", "0%")
    fmt(ws, "B3 B5", "$0.0000")
    ws = sheet(wb, "Forecast")
    rows(ws, "A1", [["Line", "Unit", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Half year"]])
    labels = [("Input", "Mtok"), ("Output", "Mtok"), ("Input cost", "$"), ("Output cost", "$"), ("Cost", "$"), ("Cost", "€"),
              ("Budget", "€"), ("Budget used", None), ("Output rate, average", "tokens/s"), ("Cost per user", "€")]  # fmt: skip
    for k, line in enumerate(labels):
        rows(ws, f"A{2 + k}", [line])
    for i, c in enumerate("CDEFGH"):
        before = "BCDEFGH"[i]
        rows(ws, f"{c}2", [
            ["=Usage!C15*(1+'Price list'!$B$7)" if i == 0 else f"={before}2*(1+'Price list'!$B$7)"],
            ["=Usage!D15*(1+'Price list'!$B$7)" if i == 0 else f"={before}3*(1+'Price list'!$B$7)"],
            [f"={c}2*'Price list'!$B$4"], [f"={c}3*'Price list'!$B$6"], [f"={c}4+{c}5"], [f"={c}6*'Price list'!$B$2"], [82000], [f"={c}7/{c}8"],
            [f"={c}3*1e6/'Price list'!$B$8"], [f"={c}7/Usage!$B$15"],
        ])  # fmt: skip
    rows(ws, "I2", [["=SUM(C2:H2)"], ["=SUM(C3:H3)"], ["=SUM(C4:H4)"], ["=SUM(C5:H5)"], ["=SUM(C6:H6)"], ["=SUM(C7:H7)"],
                    ["=SUM(C8:H8)"], ["=I7/I8"], ["=AVERAGE(C10:H10)"], ["=SUM(C11:H11)"]])  # fmt: skip
    fmt(ws, "C9:I9", "0%")
    fmt(ws, "C4:I6", "$#,##0")
    fmt(ws, "C7:I8 C11:I11", "#,##0 €")
    fmt(ws, "C2:I3 C10:I10", "#,##0")
    return wb


API_BILL = (
    seed("token-direction", "Usage!G6", "=C6*F6"),
    seed("token-direction", "Usage!H7", "=D7*E7"),
    seed("token-direction", "Forecast!D5", "=D2*'Price list'!$B$6"),
    seed("token-direction", "Forecast!E4", "=E2*'Price list'!$B$6"),
    seed("token-direction", "Usage!F8", "='Price list'!$B$4", "H8"),
    seed("token-price-scale", "Usage!E8", "='Price list'!$B$3", "G8"),
    seed("token-price-scale", "Price list!B4", "=B3", "Usage!G5:G14"),
    seed("token-price-scale", "Price list!C5", "$/Mtok", "B5", "B6"),
    seed("token-price-scale", "Forecast!F5", "=F3*'Price list'!$B$5"),
    seed("currency", "Usage!L9", "=I9/K9"),
    seed("currency", "Usage!J10", "=I10"),
    seed("currency", "Usage!J15", "=SUM(I5:I14)"),
    refmt("currency", "Usage!H5", "#,##0.00 €", "H4", "I5"),
    seed("user-total", "Usage!M11", "=J11"),
    seed("user-total", "Forecast!G11", "=G7"),
    seed("percent-sum", "Usage!L15", "=SUM(L5:L14)"),
    seed("percent-sum", "Forecast!I9", "=SUM(C9:H9)"),
    seed("money-rate", "Usage!I12", "=G12+F12"),
    seed("money-rate", "Forecast!H6", "=H4+'Price list'!$B$6"),
    seed("mixed-sum", "Usage!I13", "=SUM(C13:H13)"),
    seed("bare-number", "Usage!I14", "=G14+H14+100"),
    seed("token-rate", "Forecast!F10", "=F3*1e6"),
    seed("percent", "Price list!B7", 7, "Forecast!C2", "Forecast!C3"),
    seed("calendar", "Price list!B8", "=24*3600", "Forecast!C10:H10"),
    seed("unit-contradiction", "Forecast!A10", "Output rate, average (requests/s)", "B10", "C10:I10"),
)


BOOKS: tuple[Book, ...] = (
    Book("decode_roofline", decode_roofline, DECODE_ROOFLINE),
    Book("latency_budget", latency_budget, LATENCY_BUDGET),
    Book("cost_per_mtok", cost_per_mtok, COST_PER_MTOK),
    Book("batch_sweep", batch_sweep, BATCH_SWEEP),
    Book("edge_tinyml", edge_tinyml, EDGE_TINYML),
    Book("vision_throughput", vision_throughput, VISION_THROUGHPUT),
    Book("spot_reserved", spot_reserved, SPOT_RESERVED),
    Book("sla_capacity", sla_capacity, SLA_CAPACITY),
    Book("inferenz_kapazitaet", inferenz_kapazitaet, INFERENZ_KAPAZITAET),
    Book("kv_cache_tenants", kv_cache_tenants, KV_CACHE_TENANTS),
    Book("request_log", request_log, REQUEST_LOG),
    Book("api_bill", api_bill, API_BILL),
)
