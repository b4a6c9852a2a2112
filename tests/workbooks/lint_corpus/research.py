"""Held-out workbooks of people who measure and build: roofs, memory, links, training runs, latency, small devices."""

from __future__ import annotations

from typing import Any

from openpyxl import Workbook

from .book import Book
from .finance import _book, _fill, _names, _on, _spread, _table

__all__ = ["BOOKS"]


# 1. A PhD student whose fine-tuning runs out of memory: a list, a side calculation, a sheet of runs.


def _oom() -> Workbook:
    wb, c, r = _book("Crash", "Runs")
    _fill(
        c,
        "A1",
        [
            ["Why does my fine-tuning run out of memory?"],
            [],
            ["What", "How much", "Unit"],
            ["Parameters, Llama-3-8B", 8.03, "billion"],
            ["Weights, bf16", 2, "bytes/param"],
            ["Gradients, bf16", 2, "bytes/param"],
            ["Optimiser, fp32 master and two moments", 12, "bytes/param"],
            ["GPUs, sharded over all (FSDP)", 4, "GPUs"],
            ["Memory of one GPU (H100 SXM)", 80, "GB"],
            ["Weights", "=B4*B5", "GB"],
            ["Gradients", "=B4*B6", "GB"],
            ["Optimiser", "=B4*B7", "GB"],
            ["Model states of the whole model", "=SUM(B10:B12)", "GB"],
            ["Model states per GPU", "=B13/B8", "GB"],
            ["Model states per GPU", "=B14*1E9/1024^3", "GiB"],
            ["Layers, Llama-3-8B", 32, "layers"],
            ["Hidden size", 4096, "values"],
            ["Sequence", 8192, "tokens"],
            ["Micro-batch per GPU", 1, "sequences"],
            ["Saved activations per token, layer and hidden value", 34, "bytes"],
            ["Activations per GPU", "=B16*B17*B18*B19*B20/1024^3", "GiB"],
            ["Vocabulary", 128256, "tokens"],
            ["Logits per GPU, fp32", "=B18*B19*B22*4/1024^3", "GiB"],
            ["CUDA context and fragmentation per GPU", 3.5, "GiB"],
            ["Sum per GPU", "=B15+B21+B23+B24", "GiB"],
            ["Memory of one GPU", "=B9*1E9/1024^3", "GiB"],
            ["Headroom per GPU", "=B26-B25", "GiB"],
            ["Used", ("=B25/B26", "0%"), "%"],
            ["Peak reported by the allocator, per GPU", 70.9, "GiB"],
            ["Reported against computed", ("=B29/B25", "0%"), "%"],
        ],
    )
    _fill(
        c,
        "F4",
        [
            ["Evaluation on one GPU"],
            ["Attention heads, Llama-3-8B", 32, "heads"],
            ["KV heads, Llama-3-8B", 8, "heads"],
            ["Head dimension", 128, "values"],
            ["Context", 8192, "tokens"],
            ["Batch", 16, "sequences"],
            ["Bytes per value", 2, "bytes"],
            ["KV cache per token", "=2*B16*G6*G7*G10/1024", "KiB"],
            ["KV cache", "=G11*1024*G8*G9/1024^3", "GiB"],
            ["Weights", "=B10*1E9/1024^3", "GiB"],
            ["Both", "=G12+G13", "GiB"],
            ["Free", "=B26-G14", "GiB"],
            ["LoRA parameters", 41.9, "million"],
            ["LoRA states", "=G16*(B5+B6+B7)/1000", "GB"],
            ["Frozen weights and LoRA states", "=B10+G17", "GB"],
            ["Frozen weights and LoRA states", "=G18/1.073741824", "GiB"],
        ],
    )
    heads = ["Run", "Sequence (tokens)", "Micro-batch", "Saved bytes per token, layer, value", "Activations (GiB)"]
    heads += ["Logits (GiB)", "Total per GPU (GiB)", "Share of one H100 (%)", "Verdict"]
    _fill(r, "A1", [heads])
    for row in range(2, 14):
        _fill(r, f"A{row}", [[f"run {row - 1}", 2048 * 2 ** (row % 4), 1 + row % 3 // 2, (34, 2, 10)[row % 3]]])
    _spread(r, "E2:E13", "=Crash!$B$16*Crash!$B$17*B2*C2*D2/1024^3", "0.0")
    _spread(r, "F2:F13", "=B2*C2*Crash!$B$22*4/1024^3", "0.0")
    _spread(r, "G2:G13", "=Crash!$B$15+E2+F2+Crash!$B$24", "0.0")
    _spread(r, "H2:H13", "=G2/Crash!$B$26", "0%")
    _spread(r, "I2:I13", '=IF(G2<=Crash!$B$26,"fits","OOM")')
    return wb


_c, _r = _on("Crash"), _on("Runs")
OOM = Book(
    "oom",
    _oom,
    (
        _c("params-bytes", "B13", "=B4+B11+B12", "B14"),
        _c("params-bytes", "G13", "=B4", "G14"),
        _c("params-bytes", "G18", "=B4+G17", "G19"),
        _c("params-bytes", "B10", "=B4", "B13", "G13"),
        _c("binary-prefix", "B25", "=B14+B21+B23+B24", "B27"),
        _c("binary-prefix", "B26", "=B9", "B27", "B28", "G15"),
        _c("binary-prefix", "G15", "=B9-G14"),
        _c("binary-prefix", "C29", "GB", "B30"),
        _c("kv-factor", "G11", "=B16*G6*G7*G10/1024", "G12"),
        _c("kv-heads", "G11", "=2*B16*G5*G7*G10/1024", "G12"),
        _c("kv-heads", "G6", 32, "G11", "F6"),
        _c("device-scope", "B25", "=B13*1E9/1024^3+B21+B23+B24", "B27"),
        _r("device-scope", "G5", "=Crash!$B$13/1.073741824+E5+F5+Crash!$B$24"),
        _c("bare-number", "B27", "=B26-B25-2"),
        _r("bare-number", "G8", "=Crash!$B$15+E8+F8+5"),
        _c("above-limit", "B29", 86.4, "B30"),
        _c("registry", "B16", 80, "B21", "G11"),
        _r("mixed-sum", "G11", "=SUM(D11:F11)+Crash!$B$15+Crash!$B$24"),
        _c("unit-contradiction", None, None, "C21", fmt={"B21": '0.0" GB"'}),
    ),
)


# 2. A professor's problem set: a roofline with matrix products in rows.


def _homework() -> Workbook:
    wb, w = _book("Problem set 3")
    _fill(
        w,
        "A1",
        [
            ["Problem set 3: where does the roof bend? All products in bf16 on one H100 SXM."],
            [],
            ["Given"],
            ["Peak, bf16 dense (TFLOP/s)", 989],
            ["Peak, fp8 dense (TFLOP/s)", 1979],
            ["Peak, bf16 with 2:4 sparsity (TFLOP/s)", 1979],
            ["Memory bandwidth (TB/s)", 3.35],
            ["Element size (bit)", 16],
            ["Element size (byte)", "=B8/8"],
            ["Ridge point (FLOP/byte)", ("=B4*1E12/(B7*1E12)", "0")],
            [],
        ],
    )
    heads = [
        "M",
        "N",
        "K",
        "GMAC",
        "GFLOP",
        "MB moved",
        "Intensity (FLOP/byte)",
        "Compute time (µs)",
        "Memory time (µs)",
    ]
    heads += ["Time (µs)", "Roof (TFLOP/s)", "Share of peak (%)", "Bound by", "Measured (µs)", "Measured (TFLOP/s)"]
    heads += ["Efficiency (%)", "Time in ms"]
    _fill(w, "A12", [heads])
    shapes = [
        (1, 4096, 4096), (16, 4096, 4096), (64, 8192, 8192), (128, 8192, 8192), (256, 8192, 8192), (512, 8192, 8192),
        (1024, 8192, 8192), (2048, 8192, 8192), (4096, 4096, 4096), (8192, 8192, 8192), (8192, 8192, 1024),
        (8192, 1024, 8192), (16384, 8192, 8192), (300, 28672, 8192),
    ]  # fmt: skip
    for row, (m, n, k) in enumerate(shapes, 13):
        best = max(2 * m * n * k / 989e6, 2 * (m * k + k * n + m * n) / 3.35e6)
        _fill(w, f"A{row}", [[m, n, k]])
        w[f"N{row}"] = round(best * 1.35 + 2, 1)
    filled = {
        "D": ("=A13*B13*C13/1E9", "#,##0.000"),
        "E": ("=2*D13", "#,##0.000"),
        "F": ("=(A13*C13+C13*B13+A13*B13)*$B$9/1E6", "#,##0.0"),
        "G": ("=E13*1E9/(F13*1E6)", "0.0"),
        "H": ("=E13*1E9/($B$4*1E12)*1E6", "0.0"),
        "I": ("=F13*1E6/($B$7*1E12)*1E6", "0.0"),
        "J": ("=MAX(H13,I13)", "0.0"),
        "K": ("=E13*1E9/(J13*1E-6)/1E12", "0"),
        "L": ("=K13/$B$4", "0%"),
        "M": ('=IF(G13<$B$10,"memory","compute")', "General"),
        "O": ("=E13*1E9/(N13*1E-6)/1E12", "0"),
        "P": ("=O13/$B$4", "0%"),
        "Q": ("=N13/1000", "0.000"),
    }
    for col, (formula, fmt) in filled.items():
        _spread(w, f"{col}13:{col}26", formula, fmt)
    _fill(w, "D27", [[("=SUM(D13:D26)", "#,##0"), ("=SUM(E13:E26)", "#,##0")]])
    _fill(w, "N27", [[("=SUM(N13:N26)", "#,##0"), ("=E27*1E9/(N27*1E-6)/1E12", "0"), ("=O27/B4", "0%")]])
    w["A27"] = "All"
    return wb


_w = _on("Problem set 3")
HOMEWORK = Book(
    "homework",
    _homework,
    (
        _w("mac-flop", "E15", "=D15", "G15", "H15", "O15"),
        _w("mac-flop", "D17", "=2*A17*B17*C17/1E9", "E17"),
        _w("mac-flop", "O18", "=D18*1E9/(N18*1E-6)/1E12", "P18"),
        _w("mac-flop", "D12", "GFLOP", "E13", "D13"),
        _w("mac-flop", "H20", "=D20*1E9/($B$4*1E12)*1E6", "J20"),
        _w("mac-flop", "E27", "=SUM(D13:D26)", "O27"),
        _w("flop-rate", "K14", "=E14*1E9/1E12", "L14"),
        _w("flop-rate", "E12", "GFLOP/s", "E13", "G13", "H13", "O13"),
        _w("flop-rate", "P19", "=E19/1000/$B$4"),
        _w("flop-rate", "O21", "=E21/1000", "P21"),
        _w("flop-rate", "A4", "Peak, bf16 dense (TFLOP)", "B10", "H13", "L13", "P13"),
        _w("peak-precision", "P22", "=O22/$B$5"),
        _w("peak-precision", "H23", "=E23*1E9/($B$5*1E12)*1E6", "J23"),
        _w("sparse-peak", "P24", "=O24/$B$6"),
        _w("sparse-peak", "B4", 1979, "B10"),
        _w("bits-bytes", "B9", "=B8", "F13"),
        _w("bits-bytes", "F16", "=(A16*C16+C16*B16+A16*B16)*$B$8/1E6", "G16"),
        _w("above-limit", "N22", 480, "O22", "P22"),
        _w("time-scale", "Q25", "=N25"),
        _w("time-scale", "I26", "=F26*1E6/($B$7*1E12)*1E3", "J26"),
    ),
)


# 3. An MLPerf engineer: a sheet of peaks, runs that look them up, an int8 vision sheet.


_PEAKS = [
    ("A100 80GB SXM", 312, "n/a", 624, "n/a", 624, 1248, 80, 2.039, 400),
    ("H100 SXM", 989, 1979, 1979, 3958, 1979, 3958, 80, 3.35, 700),
    ("H200", 989, 1979, 1979, 3958, 1979, 3958, 141, 4.8, 700),
    ("L4", 121, 242, 242, 485, 242, 485, 24, 0.3, 72),
    ("MI300X", 1307, 2615, 2615, 5230, 2615, 5230, 192, 5.3, 750),
]


def _mlperf() -> Workbook:
    wb, p, r, v = _book("Peaks", "LLM runs", "Vision int8")
    heads = ["Accelerator", "bf16 dense (TFLOP/s)", "fp8 dense (TFLOP/s)", "bf16 2:4 sparse (TFLOP/s)"]
    heads += ["fp8 2:4 sparse (TFLOP/s)", "int8 dense (TOP/s)", "int8 2:4 sparse (TOP/s)", "Memory (GB)"]
    heads += ["Bandwidth (TB/s)", "Board power (W)"]
    _fill(p, "A1", [["Data-sheet peaks"], [], heads, *_PEAKS])
    heads = ["Run", "Accelerator", "Format", "GPUs", "Tokens/s", "Parameters (billion)", "GFLOP per token"]
    heads += ["Achieved (TFLOP/s)", "Achieved per GPU (TFLOP/s)", "Dense peak per GPU (TFLOP/s)", "MFU (%)"]
    heads += ["Tokens/s per GPU", "Board power (W)", "Energy per token (J)", "Time per million tokens (s)"]
    _fill(r, "A1", [["Offline scenario, dense models"], [], heads])
    for n in range(20):
        k = (n * 3 + 1) % 5
        fmt = "bf16" if k == 0 or n % 2 else "fp8"
        size = 8.03 if k == 3 or n % 3 else 70.6
        gpus = 1 if k == 3 else (8, 4, 16)[n % 3]
        peak = _PEAKS[k][1 if fmt == "bf16" else 2]
        rate = round((0.28 + n * 7 % 20 / 100) * float(peak) * gpus * 1e3 / (2 * size), -1)
        _fill(r, f"A{n + 4}", [[f"r{n + 1:02d}", _PEAKS[k][0], fmt, gpus, rate, size]])
    _spread(r, "G4:G23", "=2*F4", "0.0")
    _spread(r, "H4:H23", "=E4*G4/1000", "#,##0")
    _spread(r, "I4:I23", "=H4/D4", "0")
    peak = '=INDEX(Peaks!$B$4:$C$8,MATCH($B4,Peaks!$A$4:$A$8,0),MATCH($C4&" dense (TFLOP/s)",Peaks!$B$3:$C$3,0))'
    _spread(r, "J4:J23", peak, "#,##0")
    _spread(r, "K4:K23", "=I4/J4", "0.0%")
    _spread(r, "L4:L23", "=E4/D4", "#,##0")
    _spread(r, "M4:M23", "=INDEX(Peaks!$J$4:$J$8,MATCH($B4,Peaks!$A$4:$A$8,0))", "0")
    _spread(r, "N4:N23", "=M4/L4", "0.000")
    _spread(r, "O4:O23", "=1E6/E4", "0.0")
    _fill(r, "A24", [["Mean"]])
    _fill(r, "K24", [[("=AVERAGE(K4:K23)", "0.0%")]])
    heads = [
        "Accelerator",
        "Images/s",
        "GMAC per image",
        "GOP per image",
        "Achieved (TOP/s)",
        "int8 dense peak (TOP/s)",
    ]
    heads += ["Utilisation (%)", "bf16 dense peak (TFLOP/s)", "int8 over bf16", "Images per joule"]
    _fill(v, "A1", [["ResNet-50, offline, int8"], [], heads])
    rates = (38000, 81000, 83000, 12600, 90000)
    for row, rate in enumerate(rates, 4):
        _fill(v, f"A{row}", [[_PEAKS[row - 4][0], rate, 4.09]])
    _spread(v, "D4:D8", "=2*C4", "0.00")
    _spread(v, "E4:E8", "=B4*D4/1000", "0")
    _spread(v, "F4:F8", "=INDEX(Peaks!$F$4:$F$8,MATCH($A4,Peaks!$A$4:$A$8,0))", "#,##0")
    _spread(v, "G4:G8", "=E4/F4", "0.0%")
    _spread(v, "H4:H8", "=INDEX(Peaks!$B$4:$B$8,MATCH($A4,Peaks!$A$4:$A$8,0))", "#,##0")
    _spread(v, "I4:I8", "=F4/H4", "0.0")
    _spread(v, "J4:J8", "=B4/INDEX(Peaks!$J$4:$J$8,MATCH($A4,Peaks!$A$4:$A$8,0))", "0.0")
    return wb


_p, _l, _v = _on("Peaks"), _on("LLM runs"), _on("Vision int8")
MLPERF = Book(
    "mlperf",
    _mlperf,
    (
        _l("sparse-peak", "J5", "=INDEX(Peaks!$D$4:$D$8,MATCH($B5,Peaks!$A$4:$A$8,0))", "K5"),
        _p("sparse-peak", "B5", 1979, "LLM runs!J9", "LLM runs!J19"),
        _v("sparse-peak", "F7", "=INDEX(Peaks!$G$4:$G$8,MATCH($A7,Peaks!$A$4:$A$8,0))", "G7"),
        _p("sparse-peak", "B8", 2615, "LLM runs!J5", "LLM runs!J15"),
        _p("peak-precision", "C6", 989, "LLM runs!J6", "LLM runs!J16"),
        _l("peak-precision", "J19", "=INDEX(Peaks!$C$4:$C$8,MATCH($B19,Peaks!$A$4:$A$8,0))", "K19"),
        _l("peak-precision", "J9", "=INDEX(Peaks!$C$4:$C$8,MATCH($B9,Peaks!$A$4:$A$8,0))", "K9"),
        _l("peak-precision", "J11", "=INDEX(Peaks!$C$4:$C$8,MATCH($B11,Peaks!$A$4:$A$8,0))", "K11"),
        _v("integer-ops", "G5", "=E5/H5"),
        _v("integer-ops", "F6", "=INDEX(Peaks!$B$4:$B$8,MATCH($A6,Peaks!$A$4:$A$8,0))", "G6"),
        _v("integer-ops", "F3", "int8 dense peak (TFLOP/s)", "G4"),
        _l("integer-ops", "J15", "=INDEX(Peaks!$F$4:$F$8,MATCH($B15,Peaks!$A$4:$A$8,0))", "K15"),
        _p("integer-ops", "F3", "int8 dense (TFLOP/s)", "Vision int8!F4"),
        _v("mac-flop", "D4", "=C4", "E4"),
        _v("mac-flop", "E8", "=B8*C8/1000", "G8"),
        _v("mac-flop", "C3", "GOP per image", "D4"),
        _l("flop-rate", "K14", "=G14/J14"),
        _l("flop-rate", "H18", "=G18/1000", "I18"),
        _l("device-scope", "K16", "=H16/J16"),
        _l("above-limit", "E13", 900000, "I13", "K13"),
        _l("percent-sum", "K24", "=SUM(K4:K23)"),
        _p("registry", "I6", 3.35),
        _l("token-rate", "O20", "=1E6*E20"),
    ),
)


# 4. A network architect: links with both ways of stating them, collectives, fabric, long haul.


def _network() -> Workbook:
    wb, k, c, f, n = _book("Links", "All-reduce", "Fabric", "Long haul")
    _fill(
        k,
        "A1",
        [
            ["Link", "GB/s per direction", "GB/s both directions", "Gb/s per direction", "Found in"],
            ["NVLink 3 per GPU", 300, None, None, "A100 80GB SXM"],
            ["NVLink 4 per GPU", 450, None, None, "H100 SXM"],
            ["NVLink 5 per GPU", 900, None, None, "B200"],
            ["PCIe Gen5 x16", 63, None, None, "host"],
            ["InfiniBand HDR port", 25, None, None, "200 Gb/s"],
            ["InfiniBand NDR port", 50, None, None, "400 Gb/s"],
        ],
    )
    _spread(k, "C2:C7", "=2*B2", "0")
    _spread(k, "D2:D7", "=8*B2", "#,##0")
    _fill(
        c,
        "A1",
        [
            ["Ring all-reduce, H100 nodes"],
            ["GPUs per node", 8],
            ["Nodes", 16],
            ["NVLink per GPU, one direction (GB/s)", "=Links!B3"],
            ["NDR port per GPU, one direction (GB/s)", "=Links!B7"],
            [],
        ],
    )
    heads = ["Message (MiB)", "Message (MB)", "In the node (µs)", "Between nodes (µs)", "Total (µs)", "Total (ms)"]
    heads += ["Algorithm BW (GB/s)", "Measured (µs)", "Of the model (%)", "Intranode share (%)"]
    _fill(c, "A7", [heads])
    for row in range(8, 22):
        size = 2 ** (row - 6)
        best = size * 1.048576 * (2 * 7 / 8 / 450 + 2 * 15 / 16 / 8 / 50) * 1000
        _fill(c, f"A{row}", [[size]])
        c[f"H{row}"] = round(best * 1.2 + 25, 1)
    _spread(c, "B8:B21", "=A8*1024^2/1E6", "#,##0.0")
    _spread(c, "C8:C21", "=2*($B$2-1)/$B$2*B8*1E6/($B$4*1E9)*1E6", "#,##0.0")
    _spread(c, "D8:D21", "=2*($B$3-1)/$B$3*(B8/$B$2)*1E6/($B$5*1E9)*1E6", "#,##0.0")
    _spread(c, "E8:E21", "=C8+D8", "#,##0.0")
    _spread(c, "F8:F21", "=E8/1000", "0.000")
    _spread(c, "G8:G21", "=B8*1E6/(E8*1E-6)/1E9", "0.0")
    _spread(c, "I8:I21", "=E8/H8", "0%")
    _spread(c, "J8:J21", "=C8/E8", "0%")
    _fill(
        f,
        "A1",
        [
            ["Item", "Unit", "Pod A", "Pod B", "Pod C"],
            ["Nodes", "nodes", 16, 32, 64],
            ["GPUs per node", "GPUs/node", 8, 8, 8],
            ["NIC speed per GPU", "Gb/s", 400, 400, 200],
            ["Uplink of a node", "Gb/s"],
            ["Uplink of a node", "GB/s"],
            ["Uplink of the pod", "Tb/s"],
            ["Leaf-to-spine links", "links", 128, 128, 256],
            ["Speed of a link", "Gb/s", 400, 800, 400],
            ["Leaf-to-spine capacity", "Tb/s"],
            ["Oversubscription", "ratio"],
            ["Memory of a node's GPUs, 8 x 80 GB", "GB", 640, 640, 640],
            ["Copying a node's GPU memory out", "s"],
        ],
    )
    for row, (formula, fmt) in {
        5: ("=C3*C4", "#,##0"),
        6: ("=C5/8", "0"),
        7: ("=C5*C2/1000", "0.0"),
        10: ("=C8*C9/1000", "0.0"),
        11: ("=C7/C10", "0.00"),
        13: ("=C12/C6", "0.00"),
    }.items():
        _spread(f, f"C{row}:E{row}", formula, fmt)
    heads = ["Path", "Fibre (km)", "One way (ms)", "RTT (ms)", "Circuit (Gb/s)", "Circuit (GB/s)"]
    heads += ["Bytes in flight, BDP (MB)", "Checkpoint (GB)", "Transfer (s)", "Transfer and ACK (s)"]
    _fill(n, "A1", [heads])
    paths = (
        ("FRA-AMS", 450, 100, 490),
        ("FRA-DUB", 1400, 100, 490),
        ("FRA-IAD", 7000, 40, 141),
        ("IAD-PDX", 4600, 100, 490),
    )
    for row, (path, km, speed, size) in enumerate(paths, 2):
        _fill(n, f"A{row}", [[path, km, None, None, speed, None, None, size]])
    _spread(n, "C2:C5", "=B2/200", "0.0")
    _spread(n, "D2:D5", "=2*C2", "0.0")
    _spread(n, "F2:F5", "=E2/8", "0.0")
    _spread(n, "G2:G5", "=F2*D2", "#,##0")
    _spread(n, "I2:I5", "=H2/F2", "0.0")
    _spread(n, "J2:J5", "=I2+D2/1000", "0.00")
    return wb


_k, _a, _f, _n = _on("Links"), _on("All-reduce"), _on("Fabric"), _on("Long haul")
NETWORK = Book(
    "network",
    _network,
    (
        _a("link-direction", "B4", "=Links!C3", "C8"),
        _k("link-direction", "B3", 900, "All-reduce!B4", "C3"),
        _k("link-direction", "C4", "=B4"),
        _k("link-direction", "D6", "=8*C6"),
        _a("link-direction", "B5", "=Links!C7", "D8"),
        _a("link-direction", "C12", "=2*($B$2-1)/$B$2*B12*1E6/(Links!$C$3*1E9)*1E6"),
        _k("link-direction", "B2", 600, "C2"),
        _k("link-direction", "B1", "GB/s both directions", "C2", "All-reduce!B4"),
        _k("bits-bytes", "D5", "=B5"),
        _a("bits-bytes", "B5", "=Links!D7", "D8"),
        _f("bits-bytes", "D6", "=D5", "D13"),
        _f("bits-bytes", "E13", "=E12/E5"),
        _n("bits-bytes", "F3", "=E3", "G3", "I3"),
        _n("bits-bytes", "I4", "=H4/E4", "J4"),
        _n("bits-bytes", "G5", "=E5*D5"),
        _f("bits-bytes", "B6", "Gb/s", "C6", "C13"),
        _n("round-trip", "G2", "=F2*C2"),
        _n("round-trip", "D4", "=C4", "J4"),
        _n("round-trip", "J3", "=I3+C3/1000"),
        _f("device-scope", "C7", "=C4*C2/1000", "C11"),
        _a("time-scale", "F15", "=E15"),
        _a("time-scale", "I17", "=F17/H17"),
        _n("time-scale", "J5", "=I5+D5"),
        _a("binary-prefix", "B11", "=A11", "C11"),
    ),
)


# 5. An embedded engineer: MACs per layer, an NPU in TOP/s, a battery.


def _embedded() -> Workbook:
    wb, d, n = _book("device", "net")
    _fill(
        d,
        "A1",
        [
            ["MAC units of the NPU, int8", (256, '0" MAC/cycle"')],
            ["Clock", (800, '0" MHz"')],
            ["NPU rate", ("=B1*B2/1000", '0.0" GMAC/s"')],
            ["NPU peak, int8", ("=2*B3/1000", '0.000" TOP/s"')],
            ["CPU, fp32", (8, '0" FLOP/cycle"')],
            ["CPU peak, fp32", ("=B5*B2/1E6", '0.0000" TFLOP/s"')],
            ["Flash interface", (400, '0" Mbit/s"')],
            ["Flash interface", ("=B7/8", '0" MB/s"')],
            ["SRAM", (2, '0" MiB"')],
            ["SRAM", ("=B9*1024", '#,##0" KiB"')],
            ["Active power", (120, '0" mW"')],
            ["Idle power", (4, '0" mW"')],
            ["Battery", (3.7, '0.0" Wh"')],
            ["Frames per second wanted", (15, '0" 1/s"')],
            ["Camera frame", (150528, '#,##0" B"')],
        ],
    )
    heads = ["layer", "out H", "out W", "C in", "C out", "kernel", "MMAC", "MOP", "parameters", "weights (KiB)"]
    heads += ["NPU time (µs)", "weight load (µs)", "layer time (µs)", "reached (TOP/s)", "of peak (%)"]
    _fill(n, "A1", [heads])
    layers = [
        ("stem", 112, 3, 16, 3), ("b1a", 56, 16, 32, 3), ("b1b", 56, 32, 32, 3), ("b2a", 28, 32, 64, 3),
        ("b2b", 28, 64, 64, 3), ("b3a", 14, 64, 128, 3), ("b3b", 14, 128, 128, 3), ("b4a", 7, 128, 256, 3),
        ("b4b", 7, 256, 256, 3), ("proj", 7, 256, 128, 1), ("head", 7, 128, 64, 1),
    ]  # fmt: skip
    for row, (name, side, cin, cout, kernel) in enumerate(layers, 2):
        _fill(n, f"A{row}", [[name, side, side, cin, cout, kernel]])
    _spread(n, "G2:G12", "=B2*C2*D2*E2*F2^2/1E6", "0.00")
    _spread(n, "H2:H12", "=2*G2", "0.00")
    _spread(n, "I2:I12", "=D2*E2*F2^2", "#,##0")
    _spread(n, "J2:J12", "=I2*1/1024", "0.0")
    _spread(n, "K2:K12", "=G2/device!$B$3*1000", "0.0")
    _spread(n, "L2:L12", "=J2*1024/device!$B$8", "0.0")
    _spread(n, "M2:M12", "=MAX(K2,L2)", "0.0")
    _spread(n, "N2:N12", "=H2*1E6/(M2*1E-6)/1E12", "0.000")
    _spread(n, "O2:O12", "=N2/device!$B$4", "0%")
    n["A13"] = "sum"
    for col in "GHIJKLM":
        n[f"{col}13"] = f"=SUM({col}2:{col}12)"
        n[f"{col}13"].number_format = "#,##0.0"
    _fill(n, "N13", [[("=H13/M13", "0.000"), ("=N13/device!B4", "0%")]])
    _fill(
        n,
        "A16",
        [
            ["float post-processing, per frame (MFLOP)", None, None, None, None, None, 1.8],
            ["post-processing time (µs)", None, None, None, None, None, "=G16*1E6/(device!B6*1E12)*1E6"],
            ["frame time (ms)", None, None, None, None, None, "=(M13+G17)/1000"],
            ["frames per second possible (1/s)", None, None, None, None, None, "=1000/G18"],
            ["busy share at the wanted rate (%)", None, None, None, None, None, ("=device!B14*G18/1000", "0%")],
            ["energy per frame, active (mJ)", None, None, None, None, None, "=device!B11*G18/1000"],
            ["mean power (mW)", None, None, None, None, None, "=G20*device!B11+(1-G20)*device!B12"],
            ["battery life (h)", None, None, None, None, None, "=device!B13*1000/G22"],
            ["weights fit in SRAM?", None, None, None, None, None, '=IF(J13<=device!B10,"yes","no")'],
            ["camera stream (Mbit/s)", None, None, None, None, None, "=device!B15*8*device!B14/1E6"],
        ],
    )
    return wb


_d, _e = _on("device"), _on("net")
EMBEDDED = Book(
    "embedded",
    _embedded,
    (
        _e("mac-flop", "H4", "=G4", "N4"),
        _e("mac-flop", "K5", "=H5/device!$B$3*1000", "M5"),
        _d("mac-flop", "B4", "=B3/1000", "net!O2"),
        _e("mac-flop", "N6", "=G6*1E6/(M6*1E-6)/1E12", "O6"),
        _e("mac-flop", "G1", "MOP", "H2", "K2"),
        _d("mac-flop", None, None, "B4", "net!K2", fmt={"B3": '0.0" GOP/s"'}),
        _e("integer-ops", "O7", "=N7/device!$B$6"),
        _e("integer-ops", "G17", "=G16*1E6/(device!B4*1E12)*1E6"),
        _d("integer-ops", None, None, "net!O2", fmt={"B4": '0.000" TFLOP/s"'}),
        _e("integer-ops", "N1", "reached (TFLOP/s)", "N2", "O2"),
        _d("integer-ops", None, None, "A6", "net!G17", fmt={"B6": '0.0000" TOP/s"'}),
        _e("bits-bytes", "L8", "=J8*1024/device!$B$7", "M8"),
        _d("bits-bytes", "B8", "=B7", "net!L2"),
        _e("bits-bytes", "G25", "=device!B15*device!B14/1E6"),
        _e("time-scale", "G18", "=M13+G17", "G19"),
        _e("time-scale", "G19", "=1/G18"),
        _e("power-energy", "G22", "=G20*device!B11+(1-G20)*G21", "G23"),
        _d("power-energy", None, None, "net!G23", fmt={"B13": '0.0" W"'}),
        _e("above-limit", "O9", "=device!$B$4/N9"),
        _e("percent-sum", "O13", "=SUM(O2:O12)"),
        _e("mixed-sum", "M13", "=SUM(J2:M12)", "G18"),
        _e("params-bytes", "G24", '=IF(I13<=device!B10,"yes","no")'),
    ),
)


# 6. A start-up's serving engineer: mixtures of experts, looked up and named.


def _moe() -> Workbook:
    wb, m, s = _book("models", "serve")
    _fill(
        m,
        "A1",
        [
            ["model", "params_total_bn", "params_active_bn", "layers", "heads", "kv_heads", "head_dim"],
            ["Llama-3-70B", 70.6, 70.6, 80, 64, 8, 128],
            ["Llama-3-8B", 8.03, 8.03, 32, 32, 8, 128],
            ["Mixtral-8x7B", 46.7, 12.9, 32, 32, 8, 128],
            ["Mixtral-8x22B", 141, 39, 56, 48, 8, 128],
            [],
            ["gpu", "mem_gb", "bw_tb_s", "bf16_dense_tflops"],
            ["H100 SXM", 80, 3.35, 989],
            ["H200", 141, 4.8, 989],
            ["MI300X", 192, 5.3, 1307],
            [],
            ["bytes per parameter, bf16", 2],
            ["bytes per KV value, bf16", 2],
            ["share of bandwidth reached", (0.7, "0%")],
            ["share of peak reached in prefill", (0.4, "0%")],
        ],
    )
    _names(wb, bytes_per_param="models!$B$12", bytes_per_kv="models!$B$13")
    _names(wb, bw_eff="models!$B$14", mfu="models!$B$15")
    heads = ["model", "gpu", "gpus", "batch", "context", "params_total_bn", "params_active_bn", "weights_gb"]
    heads += ["kv_kib_per_token", "kv_gib", "need_gb", "have_gb", "fits", "gflop_per_token", "prefill_tok_s"]
    heads += ["read_per_step_gb", "step_ms", "tok_s", "tok_s_per_user", "prompt_2k_ms", "kv_heads_check"]
    _fill(s, "A1", [heads])
    combos = [
        ("Llama-3-70B", "H100 SXM", 4), ("Llama-3-70B", "H200", 2), ("Llama-3-70B", "MI300X", 1),
        ("Llama-3-8B", "H100 SXM", 1), ("Mixtral-8x7B", "H100 SXM", 2), ("Mixtral-8x7B", "H200", 1),
        ("Mixtral-8x7B", "MI300X", 1), ("Mixtral-8x22B", "H100 SXM", 8), ("Mixtral-8x22B", "H200", 4),
        ("Mixtral-8x22B", "MI300X", 2), ("Llama-3-8B", "H200", 1), ("Mixtral-8x7B", "H100 SXM", 4),
    ]  # fmt: skip
    for row, (model, gpu, gpus) in enumerate(combos, 2):
        _fill(s, f"A{row}", [[model, gpu, gpus, 16 if row % 2 else 32, 4096]])
    filled = {
        "F": "=INDEX(models!$B$2:$B$5,MATCH($A2,models!$A$2:$A$5,0))",
        "G": "=INDEX(models!$C$2:$C$5,MATCH($A2,models!$A$2:$A$5,0))",
        "H": "=F2*bytes_per_param",
        "I": "=2*VLOOKUP($A2,models!$A$2:$G$5,4,FALSE)*VLOOKUP($A2,models!$A$2:$G$5,6,FALSE)"
        "*VLOOKUP($A2,models!$A$2:$G$5,7,FALSE)*bytes_per_kv/1024",
        "J": "=I2*D2*E2/1024^2",
        "K": "=H2+J2*1024^3/1E9",
        "L": "=C2*INDEX(models!$B$8:$B$10,MATCH($B2,models!$A$8:$A$10,0))",
        "M": '=IF(K2<=0.9*L2,"yes","no")',
        "N": "=2*G2",
        "O": "=C2*INDEX(models!$D$8:$D$10,MATCH($B2,models!$A$8:$A$10,0))*1E12*mfu/(N2*1E9)",
        "P": "=H2+J2*1024^3/1E9",
        "Q": "=P2/(C2*INDEX(models!$C$8:$C$10,MATCH($B2,models!$A$8:$A$10,0))*1000*bw_eff)*1000",
        "R": "=D2/(Q2/1000)",
        "S": "=1000/Q2",
        "T": "=_xlfn.LET(_xlpm.t,2048,_xlpm.r,O2,_xlpm.t/_xlpm.r*1000)",
        "U": "=_xlfn.XLOOKUP($A2,models!$A$2:$A$5,models!$F$2:$F$5)",
    }
    for col, formula in filled.items():
        _spread(s, f"{col}2:{col}13", formula, "#,##0.0" if col not in "MU" else "General")
    return wb


_m, _s = _on("models"), _on("serve")
_KV = "=2*VLOOKUP($A{0},models!$A$2:$G$5,4,FALSE)*VLOOKUP($A{0},models!$A$2:$G$5,{1},FALSE)"
_KV += "*VLOOKUP($A{0},models!$A$2:$G$5,7,FALSE)*bytes_per_kv/1024"
MOE = Book(
    "moe",
    _moe,
    (
        _s("active-params", "H6", "=G6*bytes_per_param", "K6", "P6"),
        _s("active-params", "N7", "=2*F7", "O7"),
        _s("active-params", "F8", "=INDEX(models!$C$2:$C$5,MATCH($A8,models!$A$2:$A$5,0))", "H8"),
        _s("active-params", "G9", "=INDEX(models!$B$2:$B$5,MATCH($A9,models!$A$2:$A$5,0))", "N9"),
        _m("active-params", "C4", 46.7, "serve!G6"),
        _m("active-params", "B5", 39, "serve!F9"),
        _m("active-params", "B1", "params_active_bn", "serve!F2", "serve!H2"),
        _s("params-bytes", "K10", "=F10+J10*1024^3/1E9"),
        _s("params-bytes", "P11", "=G11+J11*1024^3/1E9", "Q11"),
        _s("kv-heads", "I5", _KV.format(5, 5), "J5"),
        _s("kv-heads", "I8", _KV.format(8, 5), "J8"),
        _m("kv-heads", "F2", 64, "serve!I2"),
        _s("kv-factor", "I6", _KV.format(6, 6).replace("=2*", "="), "J6"),
        _s("kv-factor", "I12", _KV.format(12, 6).replace("=2*", "="), "J12"),
        _s("binary-prefix", "K3", "=H3+J3"),
        _s("binary-prefix", "P4", "=H4+J4", "Q4"),
        _s("user-total", "S13", "=R13"),
        _s("time-scale", "R5", "=D5/Q5"),
        _s("device-scope", "L2", "=INDEX(models!$B$8:$B$10,MATCH($B2,models!$A$8:$A$10,0))", "M2"),
        _m("registry", "C9", 3.35, "serve!Q3"),
        _m("above-limit", "B14", 1.3, "serve!Q2"),
        _m("sparse-peak", "D8", 1979, "serve!O2"),
        _s("token-rate", "T7", "=_xlfn.LET(_xlpm.t,2048,_xlpm.r,O7,_xlpm.r*_xlpm.t*1000)"),
        _s("unit-contradiction", None, None, "J1", fmt={"J9": '0.0" GB"'}),
    ),
)


# 7. A capacity engineer's matrix of KV caches: four models, nine batches, six contexts in 216 rows.


def _kv_matrix() -> Workbook:
    wb, a, g = _book("Architectures", "Grid")
    _fill(
        a,
        "A1",
        [
            [
                "Model",
                "Params (bn)",
                "Layers",
                "Attn heads",
                "KV heads",
                "Head dim",
                "Weights bf16 (GB)",
                "KV/token (kB)",
            ],
            ["Llama-3-8B", 8.03, 32, 32, 8, 128],
            ["Llama-3-70B", 70.6, 80, 64, 8, 128],
            ["Mistral-7B", 7.24, 32, 32, 8, 128],
            ["GPT-3", 175, 96, 96, 96, 128],
        ],
    )
    _spread(a, "G2:G5", "=B2*2", "0.0")
    _spread(a, "H2:H5", "=2*C2*E2*F2*2/1000", "0.0")
    _fill(
        a,
        "A8",
        [["H100 memory (GB)", 80], ["usable share (%)", (0.9, "0%")], ["usable (GiB)", ("=B8*B9*1E9/1024^3", "0.0")]],
    )
    heads = [
        "Model",
        "ctx (tok)",
        "batch",
        "layers",
        "kv heads",
        "head dim",
        "bits/value",
        "KiB/token",
        "KV cache (GiB)",
    ]
    heads += ["weights (GiB)", "sum (GiB)", "KV share (%)", "H100s", "GiB per H100", "tokens held"]
    _fill(g, "A1", [heads])
    models, row = ("Llama-3-8B", "Llama-3-70B", "Mistral-7B", "GPT-3"), 2
    for model in models:
        for context in (2048, 4096, 8192, 16384, 32768, 65536):
            for batch in (1, 2, 4, 8, 16, 32, 48, 64, 128):
                _fill(g, f"A{row}", [[model, context, batch, None, None, None, 16 if batch < 48 else 8]])
                row += 1
    for col, source in {"D": "C", "E": "E", "F": "F"}.items():
        _spread(
            g,
            f"{col}2:{col}217",
            f"=INDEX(Architectures!${source}$2:${source}$5,MATCH($A2,Architectures!$A$2:$A$5,0))",
        )
    _spread(g, "H2:H217", "=2*D2*E2*F2*G2/8/1024", "0")
    _spread(g, "I2:I217", "=H2*B2*C2/1024^2", "0.00")
    _spread(g, "J2:J217", "=INDEX(Architectures!$G$2:$G$5,MATCH($A2,Architectures!$A$2:$A$5,0))*1E9/1024^3", "0.0")
    _spread(g, "K2:K217", "=I2+J2", "0.0")
    _spread(g, "L2:L217", "=I2/K2", "0%")
    _spread(g, "M2:M217", "=ROUNDUP(K2/Architectures!$B$10,0)", "0")
    _spread(g, "N2:N217", "=K2/M2", "0.0")
    _spread(g, "O2:O217", "=B2*C2", "#,##0")
    return wb


_ar, _gr = _on("Architectures"), _on("Grid")
_HEADS = "=INDEX(Architectures!$D$2:$D$5,MATCH($A{0},Architectures!$A$2:$A$5,0))"
KV_MATRIX = Book(
    "kv_matrix",
    _kv_matrix,
    (
        _gr("kv-factor", "H20", "=D20*E20*F20*G20/8/1024", "I20"),
        _gr("kv-factor", "H99", "=D99*E99*F99*G99/8/1024", "I99"),
        _gr("kv-factor", "I150", "=D150*E150*F150*G150/8*B150*C150/1024^3", "K150"),
        _ar("kv-factor", "H3", "=C3*E3*F3*2/1000"),
        _ar("kv-factor", "H5", "=C5*E5*F5*2/1000"),
        _gr("kv-heads", "E61", _HEADS.format(61), "H61"),
        _gr("kv-heads", "E133", _HEADS.format(133), "H133"),
        _ar("kv-heads", "H2", "=2*C2*D2*F2*2/1000"),
        _ar("kv-heads", "H4", "=2*C4*D4*F4*2/1000"),
        _ar("kv-heads", "E3", 64, "H3", "Grid!H56"),
        _gr("bits-bytes", "H30", "=2*D30*E30*F30*G30/1024", "I30"),
        _gr("bits-bytes", "G1", "bytes/value", "H2", "G2"),
        _gr("binary-prefix", "J44", "=INDEX(Architectures!$G$2:$G$5,MATCH($A44,Architectures!$A$2:$A$5,0))", "K44"),
        _gr("binary-prefix", "M71", "=ROUNDUP(K71/(Architectures!$B$8*Architectures!$B$9),0)"),
        _ar("binary-prefix", "B10", "=B8*B9", "Grid!M2"),
        _gr("params-bytes", "K82", "=I82+INDEX(Architectures!$B$2:$B$5,MATCH($A82,Architectures!$A$2:$A$5,0))"),
        _ar("params-bytes", "G4", "=B4", "Grid!J110"),
        _gr("bare-number", "K121", "=I121+J121+4"),
        _gr("mixed-sum", "K160", "=SUM(H160:J160)"),
        _ar("registry", "C3", 96, "H3", "Grid!D56"),
        _ar("percent", "B9", 90, "B10", fmt={"B9": "0"}),
        _gr("unit-contradiction", None, None, "I1", fmt={"I60": '0.00" GB"'}),
    ),
)


# 8. A training lead's plan: runs side by side, German wording.


def _training() -> Workbook:
    wb, w = _book("Trainingsplan")
    rows: list[tuple[str, str, Any, str]] = [
        ("Parameter gesamt", "Mrd.", (8.03, 70.6, 46.7, 141, 8.03, 175), "0.00"),
        ("Parameter aktiv", "Mrd.", (8.03, 70.6, 12.9, 39, 8.03, 175), "0.00"),
        ("Trainings-Token", "Mrd.", (1000, 1500, 2000, 2000, 5000, 300), "#,##0"),
        ("Rechenaufwand je Token (6 x aktive Parameter)", "GFLOP", "=6*C6", "0.0"),
        ("Rechenaufwand", "FLOP", "=C8*1E9*C7*1E9", "0.00E+00"),
        ("GPUs (H100 SXM)", "Stück", (256, 2048, 1024, 2048, 512, 1024), "#,##0"),
        ("Zahlenformat", "", ("bf16", "bf16", "bf16", "bf16", "fp8", "bf16"), "General"),
        ("Spitze H100, bf16 dicht", "TFLOP/s", (989,) * 6, "#,##0"),
        ("Spitze H100, fp8 dicht", "TFLOP/s", (1979,) * 6, "#,##0"),
        ("Spitze im Format des Laufs", "TFLOP/s", '=IF(C11="fp8",C13,C12)', "#,##0"),
        ("MFU", "%", (0.42, 0.4, 0.33, 0.3, 0.31, 0.38), "0%"),
        ("Rechenleistung genutzt", "PFLOP/s", "=C14*C10*C15/1000", "#,##0"),
        ("Laufzeit", "s", "=C9/(C16*1E15)", "#,##0"),
        ("Laufzeit", "h", "=C17/3600", "#,##0"),
        ("Laufzeit", "Tage", "=C18/24", "0.0"),
        ("GPU-Stunden", "GPU-h", "=C18*C10", "#,##0"),
        ("Preis", "€/GPU-h", (1.9,) * 6, "0.00"),
        ("Kosten", "T€", "=C20*C21/1000", "#,##0"),
        ("Durchsatz", "Token/s", "=C7*1E9/C17", "#,##0"),
        ("Durchsatz je GPU", "Token/s", "=C23/C10", "#,##0"),
        ("Batch", "Mio. Token", (4, 8, 8, 8, 4, 3.2), "0.0"),
        ("Schritte", "Anzahl", "=C7*1000/C25", "#,##0"),
        ("Zeit je Schritt", "s", "=C17/C26", "0.0"),
        ("Checkpoint (Gewichte bf16, Optimierer fp32: 14 Byte je Parameter)", "GB", "=C5*14", "#,##0"),
        ("Gewichte, bf16", "GB", "=C5*2", "#,##0"),
        ("Speicherdurchsatz", "GB/s", (40, 100, 100, 100, 40, 100), "0"),
        ("Schreibzeit eines Checkpoints", "s", "=C28/C30", "0.0"),
        ("Checkpoints", "Anzahl", (200, 400, 300, 300, 500, 200), "0"),
        ("Platz für alle Checkpoints", "TB", "=C28*C32/1000", "#,##0"),
        ("Anteil der Schreibzeit", "%", "=C31*C32/C17", "0.00%"),
        ("Knotenleistung je GPU (Anteil)", "kW", (1.3,) * 6, "0.0"),
        ("IT-Energie", "MWh", "=C35*C10*C18/1000", "#,##0"),
        ("Gesamtenergie (PUE 1,2)", "MWh", "=C36*1.2", "#,##0"),
        ("Trainingszustand, 16 Byte je Parameter", "GB", "=C5*16", "#,##0"),
        ("Trainingszustand je GPU, voll verteilt", "GB", "=C38/C10", "0.00"),
    ]
    heads = [
        "Größe",
        "Einheit",
        "Llama-3-8B",
        "Llama-3-70B",
        "Mixtral-8x7B",
        "Mixtral-8x22B",
        "Llama-3-8B fp8",
        "GPT-3",
    ]
    _fill(w, "A2", [["Trainingsplan 2026/27"], [], heads])
    for row, (label, unit, content, fmt) in enumerate(rows, 5):
        _fill(w, f"A{row}", [[label, unit or None]])
        if isinstance(content, str):
            _spread(w, f"C{row}:H{row}", content, fmt)
        else:
            _fill(w, f"C{row}", [[(value, fmt) for value in content]])
    _fill(
        w,
        "A42",
        [["Summe Kosten", "T€", ("=SUM(C22:H22)", "#,##0")], ["Mittlere MFU", "%", ("=AVERAGE(C15:H15)", "0%")]],
    )
    return wb


_tr = _on("Trainingsplan")
TRAINING = Book(
    "training",
    _training,
    (
        _tr("active-params", "E8", "=6*E5", "E9"),
        _tr("active-params", "F28", "=F6*14", "F31"),
        _tr("active-params", "E29", "=E6*2"),
        _tr("active-params", "E6", 46.7, "E8"),
        _tr("active-params", "F39", "=F6*16/F10"),
        _tr("params-bytes", "D33", "=D5*D32/1000"),
        _tr("params-bytes", "D31", "=D5/D30", "D34"),
        _tr("params-bytes", "H29", "=H5"),
        _tr("flop-rate", "C17", "=C9/1E15", "C18"),
        _tr("flop-rate", "D16", "=D9/1E15", "D17"),
        _tr("flop-rate", "B16", "PFLOP", "C16", "C17"),
        _tr("flop-rate", "B12", "TFLOP", "C14", "C16"),
        _tr("peak-precision", "D14", "=D13", "D16"),
        _tr("peak-precision", "G14", "=G12", "G16"),
        _tr("peak-precision", "C16", "=C13*C10*C15/1000", "C17"),
        _tr("sparse-peak", "F12", 1979, "F14"),
        _tr("sparse-peak", "G13", 3958, "G14"),
        _tr("above-limit", "H15", 1.15, "H16"),
        _tr("token-rate", "E23", "=E7*1E9", "E24"),
        _tr("token-rate", "B23", "Token", "C23", "C24"),
        _tr("device-hours", "D22", "=D18*D21/1000"),
        _tr("calendar", "H19", "=H18"),
        _tr("facility-energy", "F37", "=F36"),
        _tr("percent-sum", "C43", "=SUM(C15:H15)"),
        _tr("unit-contradiction", None, None, "B28", fmt={"E28": '#,##0" GiB"'}),
    ),
)


# 9. A data engineer's pipeline: sources in an Excel table, network and disks, a sheet of shares.


def _pipeline() -> Workbook:
    wb, s, p = _book("sources", "pipeline")
    heads = ["source", "raw TB", "kept", "text TB", "bytes/token", "tokens (bn)", "share of tokens", "epochs"]
    heads += ["seen tokens (bn)", "text TiB"]
    _fill(s, "A1", [heads])
    names = (("web", 182, 0.11), ("code", 34, 0.22), ("papers", 12.5, 0.41), ("books", 4.2, 0.72), ("wiki", 0.9, 0.8))
    t = "tblSrc[[#This Row],[{}]]".format
    for row, (name, raw, kept) in enumerate(names, 2):
        _fill(
            s,
            f"A{row}",
            [
                [
                    name,
                    raw,
                    (kept, "0%"),
                    (f"={t('raw TB')}*{t('kept')}", "0.00"),
                    3.1 if name == "code" else 4.2,
                    (f"={t('text TB')}*1E12/{t('bytes/token')}/1E9", "#,##0"),
                    (f"={t('tokens (bn)')}/SUM(tblSrc[tokens (bn)])", "0.0%"),
                    1 + row % 3,
                    (f"={t('tokens (bn)')}*{t('epochs')}", "#,##0"),
                    (f"={t('text TB')}*1E12/1024^4", "0.00"),
                ]
            ],
        )
    _table(s, "tblSrc", "A1:J6")
    _fill(
        s,
        "A9",
        [
            ["All text (TB)", None, None, ("=SUM(D2:D6)", "0.0")],
            ["All tokens (bn)", None, None, ("=SUM(F2:F6)", "#,##0")],
            ["Bytes per token, all", None, None, ("=D9*1E12/(D10*1E9)", "0.00")],
            ["Kept of raw, all (%)", None, None, ("=D9/SUM(B2:B6)", "0.0%")],
        ],
    )
    _fill(
        p,
        "B2",
        [
            ["step", "figure", "unit", "note"],
            ["workers downloading", 24, "workers"],
            ["line per worker", 10, "Gbit/s", "NIC"],
            ["line, all workers", "=C3*C4", "Gbit/s"],
            ["line, all workers", "=C5/8", "GB/s"],
            ["line reached", (0.55, "0%"), "%", "measured"],
            ["raw to fetch", "=SUM(sources!B2:B6)", "TB"],
            ["fetch", "=C8*1000/(C6*C7)", "s"],
            ["fetch", "=C9/3600", "h"],
            ["tokenizer speed per core", 1.4, "M tokens/s"],
            ["cores", 1536, "cores"],
            ["tokenizer speed, all cores", "=C11*C12", "M tokens/s"],
            ["tokenize", "=sources!D10*1000/C13", "s"],
            ["bytes per stored token id", 4, "bytes"],
            ["token files", "=sources!D10*C15", "GB"],
            ["token files", "=C16/1.073741824", "GiB"],
            ["NVMe per training node", 61.44, "TB"],
            ["share of one node's NVMe", ("=C16/1000/C18", "0%"), "%"],
            ["trainer speed", 1.9, "M tokens/s", "whole cluster"],
            ["read rate of the trainer", "=C20*C15", "MB/s"],
            ["read rate of the trainer", "=C21*8/1000", "Gbit/s"],
            ["storage read rate", 40, "GB/s", "data sheet"],
            ["storage left for checkpoints", "=C23-C21/1000", "GB/s"],
            ["one epoch over all tokens", "=sources!D10*1000/C20", "s"],
            ["one epoch over all tokens", "=C25/86400", "days"],
            ["copies kept", 3, "copies"],
            ["object store, text", "=sources!D9*C27", "TB"],
            ["store price", 19, "$/TB-month"],
            ["store", "=C28*C29", "$/month"],
            ["store per year", "=C30*12", "$/year"],
            ["shuffle latency, mean", 850, "µs"],
            ["shuffle latency, mean", "=C32/1000", "ms"],
        ],
    )
    return wb


_so, _pi = _on("sources"), _on("pipeline")
_src = "tblSrc[[#This Row],[{}]]".format
PIPELINE = Book(
    "pipeline",
    _pipeline,
    (
        _pi("bits-bytes", "C6", "=C5", "C9"),
        _pi("bits-bytes", "C9", "=C8*1000/(C5*C7)", "C10"),
        _pi("bits-bytes", "C22", "=C21/1000"),
        _pi("bits-bytes", "C24", "=C23-C22"),
        _pi("bits-bytes", "D4", "GB/s", "C5"),
        _pi("bits-bytes", "D23", "Gbit/s", "C24"),
        _pi("binary-prefix", "C17", "=C16"),
        _so("binary-prefix", "J4", f"={_src('text TB')}"),
        _pi("token-rate", "C14", "=C13/(sources!D10*1000)"),
        _pi("token-rate", "D13", "M tokens", "C13", "C14"),
        _pi("token-rate", "C25", "=sources!D10*1000*C20", "C26"),
        _pi("token-rate", "C16", "=C20*C15", "C17"),
        _pi("token-rate", "C21", "=sources!D10*C15", "C22"),
        _so("percent", "C3", 22, "D3", fmt={"C3": "0"}),
        _so("percent-sum", "D12", "=SUM(C2:C6)"),
        _so("mixed-sum", "D10", "=SUM(E2:F6)", "D11"),
        _pi("bare-number", "C9", "=C8*1000/(C6*C7)+1800", "C10"),
        _pi("bare-number", "C28", "=sources!D9*C27+5"),
        _pi("calendar", "C26", "=C25/3600"),
        _pi("calendar", "C10", "=C9/60"),
        _pi("calendar", "C31", "=C30"),
        _pi("time-scale", "C33", "=C32"),
        _pi("unit-contradiction", None, None, "D16", fmt={"C16": '#,##0" MB"'}),
    ),
)


# 10. A latency lab: model functions beside measurements, percentiles, users, prices.


def _latency_lab() -> Workbook:
    wb, m, u = _book("measured", "users")
    heads = ["model", "gpu", "ctx", "predicted TPOT (ms)", "mean TPOT (ms)", "p95 TPOT (ms)", "error of mean (%)"]
    heads += [
        "weights (GB)",
        "read rate (GB/s)",
        "peak (GB/s)",
        "bandwidth used (%)",
        "tokens/s",
        "320-token answer (s)",
    ]
    heads += ["mean TTFT (ms)", "p95 TTFT (ms)", "mean answer (s)", "KV cache (GiB)", "TPOT from roof (ms)"]
    _fill(m, "A1", [["Batch 1, bf16"], [], heads])
    lines = [
        ("Llama-3-8B", "H100 SXM", 2048, 6.6, 7.4, 33, 48, 16.06, 3350), ("Llama-3-8B", "H100 SXM", 8192, 6.9, 7.9, 110, 150, 16.06, 3350),
        ("Mistral-7B", "H100 SXM", 2048, 6.1, 6.8, 30, 44, 14.48, 3350), ("Llama-3-8B", "A100 80GB SXM", 2048, 10.3, 11.4, 95, 131, 16.06, 2039),
        ("Mistral-7B", "A100 80GB SXM", 4096, 9.6, 10.8, 170, 215, 14.48, 2039), ("Llama-3-8B", "H200", 2048, 4.7, 5.3, 32, 46, 16.06, 4800),
        ("Llama-3-70B", "MI300X", 4096, 39.5, 43, 610, 790, 141.2, 5300), ("Llama-3-8B", "L4", 1024, 68, 74, 160, 220, 16.06, 300),
        ("Llama-3-8B", "MI300X", 8192, 5.2, 5.9, 105, 140, 16.06, 5300), ("Mistral-7B", "L4", 1024, 61, 66, 140, 190, 14.48, 300),
    ]  # fmt: skip
    for row, (model, gpu, context, mean, tail, first, first95, weights, peak) in enumerate(lines, 4):
        _fill(m, f"A{row}", [[model, gpu, context, None, mean, tail, None, weights, None, peak]])
        _fill(m, f"N{row}", [[first, first95]])
    _spread(m, "D4:D13", "=MLSIM_DECODE_LATENCY(A4,B4,1,C4)", "0.0")
    _spread(m, "G4:G13", "=D4/E4-1", "0%")
    _spread(m, "I4:I13", "=H4/(E4/1000)", "#,##0")
    _spread(m, "K4:K13", "=I4/J4", "0%")
    _spread(m, "L4:L13", "=1000/E4", "0.0")
    _spread(m, "M4:M13", "=320*E4/1000", "0.00")
    _spread(m, "P4:P13", "=N4/1000+M4", "0.00")
    _spread(m, "Q4:Q13", "=MLSIM_KV_CACHE(A4,C4,1)", "0.00")
    _spread(m, "R4:R13", "=H4/J4*1000", "0.0")
    _fill(m, "A14", [["mean of all", None, None, None, ("=AVERAGE(E4:E13)", "0.0")]])
    _fill(m, "G14", [[("=AVERAGE(G4:G13)", "0%")]])
    rows: list[tuple[str, Any, str]] = [
        ("Users online", 1800, "#,##0"),
        ("Requests per user and hour", 9, "0"),
        ("Requests per hour, all users", "=B1*B2", "#,##0"),
        ("Requests per second, all users", "=B3/3600", "0.00"),
        ("Prompt tokens per request", 1400, "#,##0"),
        ("Answer tokens per request", 320, "0"),
        ("Prompt tokens per second, all users", "=B4*B5", "#,##0"),
        ("Answer tokens per second, all users", "=B4*B6", "#,##0"),
        ("Answer tokens per second of one replica", 950, "0"),
        ("Replicas", "=ROUNDUP(B8/B9,0)", "0"),
        ("Mean answer, H100, Llama-3-8B (s)", "=measured!P4", "0.00"),
        ("Requests in flight, all users", "=B4*B11", "0.0"),
        ("One-way network delay (ms)", 21, "0"),
        ("Round trip (ms)", "=2*B13", "0"),
        ("Round trips before the first token", 3, "0"),
        ("First token at the user, mean (s)", "=(B14*B15+measured!N4)/1000", "0.000"),
        ("First token at the server, p95 (s)", "=measured!O4/1000", "0.000"),
        ("Limit for the first token at the server, p95 (s)", 0.2, "0.0"),
        ("Margin at p95 (s)", "=B18-B17", "0.000"),
        ("Price of prompt tokens ($/Mtok)", 0.15, "0.00"),
        ("Price of answer tokens ($/Mtok)", 0.6, "0.00"),
        ("Prompt cost of one request ($)", "=B5*B20/1E6", "0.000000"),
        ("Answer cost of one request ($)", "=B6*B21/1E6", "0.000000"),
        ("Cost of one request ($)", "=B22+B23", "0.000000"),
        ("Cost per hour, all users ($/h)", "=B24*B3", "0.00"),
        ("Cost per user and hour ($/h)", "=B25/B1", "0.0000"),
    ]
    _fill(u, "A1", [[label, (content, fmt)] for label, content, fmt in rows])
    return wb


_me, _us = _on("measured"), _on("users")
LATENCY_LAB = Book(
    "latency_lab",
    _latency_lab,
    (
        _me("statistic-mix", "P5", "=O5/1000+M5"),
        _me("statistic-mix", "E14", "=AVERAGE(E4:F13)"),
        _us("statistic-mix", "B19", "=B18-measured!N4/1000"),
        _us("statistic-mix", "B17", "=measured!N4/1000", "B19"),
        _us("statistic-mix", "B16", "=(B14*B15+measured!O4)/1000"),
        _us("round-trip", "B14", "=B13", "B16"),
        _us("round-trip", "B16", "=(B13*B15+measured!N4)/1000"),
        _us("token-direction", "B22", "=B6*B20/1E6", "B24"),
        _us("token-direction", "B23", "=B6*B20/1E6", "B24"),
        _us("token-direction", "B8", "=B4*B5", "B10"),
        _us("user-total", "B3", "=B2", "B4", "B25"),
        _us("user-total", "B26", "=B25"),
        _us("user-total", "B10", "=ROUNDUP(B8/B1/B9,0)"),
        _us("token-rate", "B10", "=ROUNDUP(B6/B9,0)"),
        _us("token-price-scale", "B23", "=B6*B21/1000", "B24"),
        _me("time-scale", "I7", "=H7/E7", "K7"),
        _me("time-scale", "M8", "=320*E8", "P8"),
        _me("time-scale", "D6", '=MLSIM_DECODE_LATENCY(A6,B6,1,C6,"bf16",1,"vLLM","s")', "G6"),
        _me("time-scale", "P9", "=N9+M9"),
        _me("above-limit", "E9", 2.9, "I9", "K9"),
        _me("above-limit", "K11", "=J11/I11"),
        _me("registry", "J10", 8000, "K10"),
        _me("params-bytes", "H12", 8.03, "I12"),
        _us("calendar", "B4", "=B3", "B7", "B8"),
        _me("unit-contradiction", None, None, "Q3", fmt={"Q6": '0.00" GB"'}),
    ),
)


# 11. A consultant's comparison: accelerators in columns, registry functions below.


def _compare() -> Workbook:
    wb, w = _book("Comparison")
    heads = ["Figure", "A100 80GB SXM", "H100 SXM", "H200", "MI300X", "Gaudi 3", "Unit"]
    rows: list[tuple[str, Any, str, str]] = [
        ("Memory", (80, 80, 141, 192, 128), "GB", "0"),
        ("Memory BW", (2.039, 3.35, 4.8, 5.3, 3.7), "TB/s", "0.000"),
        ("Peak bf16, dense", (312, 989, 989, 1307, 1835), "TFLOP/s", "#,##0"),
        ("Peak int8, dense", (624, 1979, 1979, 2615, "n/a"), "TOP/s", "#,##0"),
        ("Scale-up link, one direction", (300, 450, 450, 448, 525), "GB/s", "0"),
        ("Scale-up link, both directions", "=2*B8", "GB/s", "#,##0"),
        ("Board power", (400, 700, 700, 750, 900), "W", "0"),
        ("Ridge point", "=B6/B5", "FLOP/B", "0"),
        ("Read the whole memory once", "=B4/B5", "ms", "0.0"),
        ("Dense bf16 per watt", "=B6/B10", "TFLOP/s/W", "0.00"),
        ("Memory per scale-up domain of 8", "=8*B4", "GB", "#,##0"),
        ("Memory per scale-up domain of 8", "=B14*1E9/1024^3", "GiB", "#,##0"),
        ("Llama-3-70B weights, bf16", (141.2,) * 5, "GB", "0.0"),
        ("Cards to hold them, 10 % left free", "=ROUNDUP(B16/(0.9*B4),0)", "cards", "0"),
        ("Fastest TPOT on these cards", "=B16/(B17*B5)", "ms", "0.0"),
        ("Speed of one user, at best", "=1000/B18", "tokens/s", "0.0"),
        ("Prefill of 4,096 tokens on these cards, at peak", "=2*70.6*4096/1000/(B17*B6)*1000", "ms", "0.0"),
        ("Achieved in our GEMM test, bf16", (255, 690, 705, 720, 1310), "TFLOP/s", "#,##0"),
        ("Of the dense peak", "=B21/B6", "%", "0%"),
        ("Achieved in our stream test", (1.78, 2.95, 4.2, 4.25, 3.05), "TB/s", "0.00"),
        ("Of the memory BW", "=B23/B5", "%", "0%"),
        ("All-gather of 1 GB over the link, 8 cards", "=7/8*1/B8*1000", "ms", "0.00"),
        ("Achieved in our int8 test", (440, 1320, 1340, 1500, "n/a"), "TOP/s", "#,##0"),
        ("Of the int8 peak", '=IFERROR(B26/B7,"n/a")', "%", "0%"),
        ("Peak fp8, dense", ("n/a", 1979, 1979, 2615, 1835), "TFLOP/s", "#,##0"),
    ]
    _fill(w, "A1", [["Accelerators side by side"], [], heads])
    for row, (label, content, unit, fmt) in enumerate(rows, 4):
        _fill(w, f"A{row}", [[label]])
        w[f"G{row}"] = unit
        if isinstance(content, str):
            _spread(w, f"B{row}:F{row}", content, fmt)
        else:
            _fill(w, f"B{row}", [[(value, fmt) for value in content]])
    _fill(
        w,
        "A30",
        [
            ["From the registry", None, None, None, None, None, None],
            ["Memory BW, H100 SXM", '=MLSIM_SPEC("H100","memory bandwidth","TB/s")', None, None, None, None, "TB/s"],
            ["Llama-3-70B weights", '=MLSIM_WEIGHTS("Llama-3-70B")', None, None, None, None, "GB"],
            ["Llama-3-8B KV cache, 8,192 tokens, batch 4", '=MLSIM_KV_CACHE("Llama-3-8B",8192,4)', *[None] * 4, "GiB"],
            ["Both models' figures in one card, sum", "=B32/1.073741824+B33", None, None, None, None, "GiB"],
            ["TPOT, Llama-3-70B, MI300X", '=MLSIM_DECODE_LATENCY("Llama-3-70B","MI300X",1,4096)', *[None] * 4, "ms"],
            ["Against the roof", "=B35/E18", None, None, None, None, "ratio"],
        ],
    )
    return wb


_co = _on("Comparison")
COMPARE = Book(
    "compare",
    _compare,
    (
        _co("sparse-peak", "C6", 1979, "C11"),
        _co("sparse-peak", "B6", 624, "B11"),
        _co("sparse-peak", "E6", 2615, "E11"),
        _co("sparse-peak", "C7", 3958, "C27"),
        _co("integer-ops", "D22", "=D21/D7"),
        _co("peak-precision", "C22", "=C21/C28"),
        _co("peak-precision", "D13", "=D28/D10"),
        _co("peak-precision", "A21", "Achieved in our GEMM test, fp8", "C22"),
        _co("integer-ops", "C22", "=C26/C6"),
        _co("integer-ops", "D20", "=2*70.6*4096/1000/(D17*D7)*1000"),
        _co("integer-ops", "G7", "TFLOP/s", "B27"),
        _co("integer-ops", "B27", '=IFERROR(B26/B6,"n/a")'),
        _co("link-direction", "C8", 900, "C9"),
        _co("link-direction", "B9", "=B8"),
        _co("link-direction", "D25", "=7/8*1/D9*1000"),
        _co("link-direction", "A8", "Scale-up link, both directions", "B9"),
        _co("registry", "D4", 80, "D12"),
        _co("registry", "C5", 2.0, "C11"),
        _co("registry", "E10", 350, "E13"),
        _co("above-limit", "C23", 3.95, "C24"),
        _co("above-limit", "E24", "=E5/E23"),
        _co("above-limit", "B21", 355, "B22"),
        _co("binary-prefix", "E15", "=E14"),
        _co("binary-prefix", "B34", "=B32+B33"),
        _co("time-scale", "F12", "=F4/(F5*1000)"),
        _co("unit-contradiction", None, None, "G12", fmt={"E12": '0.0" s"'}),
    ),
)


# 12. A quantisation study: formats in rows, bits in a column, peaks chosen by format.


def _quantise() -> Workbook:
    wb, q, s = _book("formats", "quality")
    _fill(
        q,
        "A1",
        [
            ["Llama-3-70B on one H100 SXM node: what do smaller numbers buy?"],
            ["Parameters (billion)", 70.6],
            ["Layers", 80],
            ["KV heads", 8],
            ["Attention heads", 64],
            ["Head dim", 128],
            ["H100 SXM memory (GB)", 80],
            ["H100 SXM bandwidth (TB/s)", 3.35],
            ["H100 SXM bf16 dense (TFLOP/s)", 989],
            ["H100 SXM fp8 dense (TFLOP/s)", 1979],
            ["H100 SXM int8 dense (TOP/s)", 1979],
            ["Context (tokens)", 8192],
            ["Batch", 8],
            [],
        ],
    )
    heads = ["Scheme", "weight bits", "KV bits", "compute in", "bytes/param", "weights (GB)", "KV (KiB/token)"]
    heads += ["KV cache (GiB)", "KV cache (GB)", "total (GB)", "GPUs", "share of memory (%)", "step, memory-bound (ms)"]
    heads += ["prefill 1k, fp peak (ms)", "saved vs bf16 (%)"]
    _fill(q, "A15", [heads])
    schemes = (("bf16", 16, 16, "bf16"), ("fp8 weights", 8, 16, "bf16"), ("fp8 all", 8, 8, "fp8"))
    schemes += (("int4 weights", 4, 16, "bf16"), ("int4 + fp8 KV", 4, 8, "bf16"))
    for row, scheme in enumerate(schemes, 16):
        _fill(q, f"A{row}", [scheme])
    filled = {
        "E": ("=B16/8", "0.0"),
        "F": ("=$B$2*E16", "0.0"),
        "G": ("=2*$B$3*$B$4*$B$6*C16/8/1024", "0"),
        "H": ("=G16*$B$12*$B$13/1024^2", "0.0"),
        "I": ("=H16*1024^3/1E9", "0.0"),
        "J": ("=F16+I16", "0.0"),
        "K": ("=ROUNDUP(J16/(0.9*$B$7),0)", "0"),
        "L": ("=J16/(K16*$B$7)", "0%"),
        "M": ("=J16/(K16*$B$8*1000)*1000", "0.0"),
        "N": ('=2*$B$2*1024/1000/(K16*IF(D16="fp8",$B$10,$B$9))*1000', "0.0"),
        "O": ("=1-J16/$J$16", "0%"),
    }
    for col, (formula, fmt) in filled.items():
        _spread(q, f"{col}16:{col}20", formula, fmt)
    heads = [
        "Task",
        "questions",
        "bf16 right (%)",
        "fp8 right (%)",
        "int4 right (%)",
        "bf16 right",
        "fp8 right",
        "int4 right",
    ]
    heads += ["fp8 loss (points)", "int4 loss (points)"]
    _fill(s, "A1", [heads])
    tasks = (("facts", 1200, 0.82, 0.815, 0.79), ("maths", 500, 0.56, 0.555, 0.51), ("code", 164, 0.61, 0.6, 0.57))
    tasks += (("legal", 300, 0.7, 0.7, 0.68), ("science", 448, 0.48, 0.475, 0.45))
    for row, task in enumerate(tasks, 2):
        _fill(s, f"A{row}", [[*task[:2], *((x, "0.0%") for x in task[2:])]])
    _spread(s, "F2:H6", "=$B2*C2", "0")
    _spread(s, "I2:J7", "=($C2-D2)*100", "0.0")
    s["A7"] = "All"
    s["B7"] = "=SUM(B2:B6)"
    _spread(s, "C7:E7", "=SUM(F2:F6)/$B$7", "0.0%")
    _spread(s, "F7:H7", "=SUM(F2:F6)", "0")
    return wb


_qu, _ql = _on("formats"), _on("quality")
QUANTISE = Book(
    "quantise",
    _quantise,
    (
        _qu("bits-bytes", "E17", "=B17", "F17"),
        _qu("bits-bytes", "G18", "=2*$B$3*$B$4*$B$6*C18/1024", "H18"),
        _qu("bits-bytes", "F19", "=$B$2*B19", "J19"),
        _qu("bits-bytes", "B15", "weight bytes", "E16"),
        _qu("params-bytes", "J18", "=$B$2+I18"),
        _qu("params-bytes", "F16", "=$B$2", "J16"),
        _qu("params-bytes", "K20", "=ROUNDUP($B$2/(0.9*$B$7),0)"),
        _qu("kv-factor", "G16", "=$B$3*$B$4*$B$6*C16/8/1024", "H16"),
        _qu("kv-factor", "G20", "=$B$3*$B$4*$B$6*C20/8/1024", "H20"),
        _qu("kv-heads", "G17", "=2*$B$3*$B$5*$B$6*C17/8/1024", "H17"),
        _qu("kv-heads", "G19", "=2*$B$3*$B$5*$B$6*C19/8/1024", "H19"),
        _qu("peak-precision", "N16", "=2*$B$2*1024/1000/(K16*$B$10)*1000"),
        _qu("peak-precision", "N18", "=2*$B$2*1024/1000/(K18*$B$9)*1000"),
        _qu("integer-ops", "N19", "=2*$B$2*1024/1000/(K19*$B$11)*1000"),
        _qu("mac-flop", "N17", '=$B$2*1024/1000/(K17*IF(D17="fp8",$B$10,$B$9))*1000'),
        _qu("sparse-peak", "B10", 3958, "N18"),
        _qu("binary-prefix", "J17", "=F17+H17"),
        _ql("percent-sum", "C7", "=SUM(C2:C6)", "I7"),
        _ql("percent-sum", "E7", "=SUM(E2:E6)", "J7"),
        _ql("percent", "D4", 60, "G4", fmt={"D4": "0"}),
        _qu("bare-number", "J16", "=F16+I16+6"),
        _qu("device-scope", "L17", "=J17/$B$7"),
        _qu("time-scale", "M20", "=J20/(K20*$B$8*1000)"),
        _qu("registry", "B7", 94, "K16"),
        _qu("unit-contradiction", None, None, "H15", fmt={"H19": '0.0" GB"'}),
    ),
)

BOOKS: tuple[Book, ...] = (
    OOM,
    HOMEWORK,
    MLPERF,
    NETWORK,
    EMBEDDED,
    MOE,
    KV_MATRIX,
    TRAINING,
    PIPELINE,
    LATENCY_LAB,
    COMPARE,
    QUANTISE,
)
