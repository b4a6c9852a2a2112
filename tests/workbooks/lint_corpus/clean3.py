"""Ten more workbooks without a mistake: terse, with side notes, helper columns and numbers typed in formulas."""

from __future__ import annotations

from typing import Any

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from .book import Book
from .making import fmt, rows

__all__ = ["BOOKS"]


def put(ws: Worksheet, r: int, *vals: Any, c: int = 1) -> None:
    """Write values from a column on; None leaves a cell alone."""
    rows(ws, ws.cell(r, c).coordinate, [vals])


def roofline_homework() -> Workbook:
    wb = Workbook()
    ws = wb.active
    ws.title = "HW3"
    put(ws, 1, "HW 3 - Roofline (due Fri)", None, None, "name: K. Osei")
    put(ws, 3, "Machine: A100 SXM 80GB")
    put(ws, 4, "Peak FP16 (dense)", 312, "TFLOP/s")
    put(ws, 5, "Peak FP32", 19.5, "TFLOP/s")
    put(ws, 6, "HBM bw", 2039, "GB/s")
    put(ws, 7, "Ridge pt, FP16", "=B4*1000/B6", "FLOP/byte")
    put(ws, 8, "Ridge pt, FP32", "=B5*1000/B6", "FLOP/byte")
    put(ws, 10, "Q1. Fill in the table")
    put(
        ws,
        11,
        "Kernel",
        "dtype",
        "Work (GFLOP)",
        "Traffic (MB)",
        "AI (FLOP/B)",
        "Attainable (TFLOP/s)",
        "Bound by",
        "Time (us)",
        "% of peak",
    )
    k = [
        ("saxpy, n=2^24", "fp32", "=2*2^24/1e9", "=3*4*2^24/1e6"),
        ("gemv, n=8192", "fp16", "=2*8192^2/1e9", "=2*(8192^2+2*8192)/1e6"),
        ("gemm, n=4096", "fp16", "=2*4096^3/1e9", "=3*2*4096^2/1e6"),
        ("gemm, n=256", "fp16", "=2*256^3/1e9", "=3*2*256^2/1e6"),
    ]
    for i, (n, d, w, t) in enumerate(k):
        r = 12 + i
        pk = "$B$5" if d == "fp32" else "$B$4"
        rg = "$B$8" if d == "fp32" else "$B$7"
        put(
            ws,
            r,
            n,
            d,
            w,
            t,
            f"=C{r}*1000/D{r}",
            f"=MIN({pk},E{r}*$B$6/1000)",
            f'=IF(E{r}<{rg},"memory","compute")',
            f"=C{r}/F{r}*1000",
            f"=F{r}/{pk}",
        )
        fmt(ws, f"I{r}", "0.0%")
    put(ws, 17, "Q2. Back-to-back, no overlap")
    put(ws, 18, "Sum of times", "=SUM(H12:H15)", "us")
    put(ws, 19, "Total work", "=SUM(C12:C15)", "GFLOP")
    put(ws, 20, "Overall rate", "=B19/B18*1000", "TFLOP/s", "GFLOP / us = 1000 TFLOP/s")
    return wb


def startup_spend_margin() -> Workbook:
    wb = Workbook()
    u = wb.active
    u.title = "Usage"
    put(u, 1, "LLM usage, March (from billing export)")
    put(
        u,
        3,
        "Model",
        "Req/mo (k)",
        "In tok/req",
        "Out tok/req",
        "In tok (M)",
        "Out tok (M)",
        "$/M in",
        "$/M out",
        "Cost ($)",
    )
    for r, row in zip(
        (4, 5, 6),
        (("large", 210, 3200, 450, 3, 15), ("mini", 1900, 1100, 220, 0.15, 0.6), ("embed", 2600, 380, 0, 0.02, 0)),
        strict=True,
    ):
        n, q, i, o, pi, po = row
        put(u, r, n, q, i, o, f"=B{r}*C{r}/1000", f"=B{r}*D{r}/1000", pi, po, f"=E{r}*G{r}+F{r}*H{r}")
    put(u, 7, "Total", "=SUM(B4:B6)", None, None, "=SUM(E4:E6)", "=SUM(F4:F6)", None, None, "=SUM(I4:I6)")
    put(u, 8, "avg per req", None, "=E7*1000/B7", "=F7*1000/B7")
    put(u, 10, "check: sumproduct", "=SUMPRODUCT(E4:E6,G4:G6)+SUMPRODUCT(F4:F6,H4:H6)", "$")
    p = wb.create_sheet("P&L")
    put(p, 1, "P&L - March")
    put(p, 3, "Paying seats", 1850)
    put(p, 4, "ARPU", 29, "$/seat/mo")
    put(p, 5, "Revenue", "=B3*B4", "$/mo")
    put(p, 7, "COGS")
    put(p, 8, "API", "=Usage!I7", "$/mo")
    put(p, 9, "GPU reserved (8x)", "=8*2.49*730", "$/mo", "$2.49 per GPU-h, 730 h/mo")
    put(p, 10, "Vector DB", 640, "$/mo")
    put(p, 11, "Card fees", "=B5*2.9%+B3*0.3", "$/mo", "2.9% + 30c, one charge per seat")
    put(p, 12, "Total COGS", "=SUM(B8:B11)", "$/mo")
    put(p, 14, "Gross profit", "=B5-B12", "$/mo")
    put(p, 15, "Gross margin", "=B14/B5", "of revenue")
    fmt(p, "B15", "0.0%")
    put(p, 16, "AI cost per seat", "=(B8+B9)/B3", "$/seat/mo")
    put(p, 17, "Blended API price", "=B8/(Usage!E7+Usage!F7)", "$/M tok")
    put(p, 18, "COGS run rate", "=B12*12/1000", "k$/yr")
    put(p, 19, "Status", '=IF(B15>=0.3,"ok","below 30% target")')
    return wb


def research_quota_chargeback() -> Workbook:
    wb = Workbook()
    ws = wb.active
    ws.title = "June"
    put(ws, 1, "GPU quota + chargeback - June")
    put(ws, 2, "nodes", 12, None, "GPUs/node", 8)
    put(ws, 3, "days", 30, None, "availability", 0.95)
    fmt(ws, "E3", "0%")
    put(ws, 4, "capacity (GPU-h)", "=B2*E2*B3*24*E3")
    put(
        ws,
        6,
        "Group",
        "Share (%)",
        "Quota (GPU-h)",
        "Used (GPU-h)",
        "Used/quota (%)",
        "Over (GPU-h)",
        "Base ($)",
        "Overage ($)",
        "Bill ($)",
    )
    for i, (g, s, used) in enumerate(
        (("vision", 30, 21840), ("nlp", 40, 23110), ("robotics", 20, 9075), ("bio", 10, 6930))
    ):
        r = 7 + i
        put(
            ws,
            r,
            g,
            s,
            f"=$B$4*B{r}/100",
            used,
            f"=100*D{r}/C{r}",
            f"=MAX(0,D{r}-C{r})",
            f"=(D{r}-F{r})*$L$7",
            f"=F{r}*$L$8",
            f"=G{r}+H{r}",
        )
    put(
        ws,
        11,
        "Total",
        "=SUM(B7:B10)",
        "=SUM(C7:C10)",
        "=SUM(D7:D10)",
        "=100*D11/C11",
        "=SUM(F7:F10)",
        None,
        None,
        "=SUM(I7:I10)",
    )
    put(ws, 6, "Rates", "$/GPU-h", c=11)
    put(ws, 7, "base", 0.62, c=11)
    put(ws, 8, "overage", 1.10, c=11)
    put(ws, 13, "Avg GPUs busy", "=D11/(B3*24)")
    put(ws, 14, "Avg rate billed", "=I11/D11", "$/GPU-h")
    return wb


def fabric_allreduce() -> Workbook:
    wb = Workbook()
    ws = wb.active
    ws.title = "Fabric"
    put(ws, 1, "Leaf/spine, 256 GPU pod")
    put(ws, 3, "Nodes", 32)
    put(ws, 4, "GPUs per node", 8)
    put(ws, 5, "GPUs", "=B3*B4")
    put(ws, 6, "NICs per node", 8, None, "1 per GPU")
    put(ws, 7, "NIC / port speed", 400, "Gb/s")
    put(ws, 8, "Node injection bw", "=B6*B7/8", "GB/s")
    put(ws, 10, "LEAF (64 x 400G)")
    put(ws, 11, "Down ports", 40)
    put(ws, 12, "Up ports", "=64-B11")
    put(ws, 13, "Down bw per leaf", "=B11*B7/1000", "Tb/s")
    put(ws, 14, "Up bw per leaf", "=B12*B7/1000", "Tb/s")
    put(ws, 15, "Oversub (down:up)", "=B13/B14", ": 1")
    put(ws, 16, "Leaves", "=ROUNDUP(B3*B6/B11,0)")
    put(ws, 17, "Spines (64 port)", "=ROUNDUP(B16*B12/64,0)")
    put(ws, 18, "Optics", "=2*B16*B12+2*B3*B6", "pcs", "one each end of every link")
    put(ws, 20, "RING ALL-REDUCE, 13B grads in bf16")
    put(ws, 21, "Params", 13, "B")
    put(ws, 22, "Grad size", "=B21*2", "GB")
    put(ws, 23, "Link efficiency", 0.8)
    put(ws, 24, "Bus bw per GPU", "=B7/8*B23/MAX(1,B15)", "GB/s", "worst case: all traffic crosses spine")
    put(ws, 25, "Hop latency", 5, "us")
    put(ws, 27, "GPUs in ring", "2(N-1)/N", "GB sent per GPU", "bw time (ms)", "latency (ms)", "total (ms)")
    for r, n in zip((28, 29, 30), (32, 64, "=B5"), strict=True):
        put(
            ws, r, n, f"=2*(A{r}-1)/A{r}", f"=B{r}*$B$22", f"=C{r}/$B$24*1000", f"=2*(A{r}-1)*$B$25/1000", f"=D{r}+E{r}"
        )
    put(ws, 32, "Step compute", 2.4, "s")
    put(ws, 33, "Comm share, no overlap", "=F30/1000/(F30/1000+B32)")
    fmt(ws, "B33", "0%")
    return wb


def carbon_report() -> Workbook:
    wb = Workbook()
    f = wb.active
    f.title = "Factors"
    put(f, 1, "Scope 2 factors used")
    put(f, 3, "Site", "Location (gCO2e/kWh)", "Market (gCO2e/kWh)", "PUE")
    put(f, 4, "IAD", 380, 210, 1.21)
    put(f, 5, "DUB", 290, 0, 1.17)
    put(f, 6, "ARN", 20, 5, 1.12)
    put(f, 8, "DUB covered by wind PPA + GOs, 100% matched")
    w = wb.create_sheet("Q1")
    put(w, 1, "Scope 2, Q1 (Jan-Mar 2025)")
    put(w, 2, "Hours", "=90*24", "h")
    put(w, 4, "Site", "GPUs", "Avg W/GPU (incl. host)", "IT (MWh)", "Facility (MWh)", "LB (tCO2e)", "MB (tCO2e)")
    for r, row in zip((5, 6, 7), (("IAD", 512, 780), ("DUB", 256, 720), ("ARN", 128, 810)), strict=True):
        put(
            w,
            r,
            *row,
            f"=B{r}*C{r}*$B$2/1e6",
            f"=D{r}*VLOOKUP(A{r},Factors!$A$4:$D$6,4,FALSE)",
            f"=E{r}*VLOOKUP(A{r},Factors!$A$4:$D$6,2,FALSE)/1000",
            f"=E{r}*VLOOKUP(A{r},Factors!$A$4:$D$6,3,FALSE)/1000",
        )
    put(
        w,
        8,
        "Total",
        "=SUM(B5:B7)",
        "=SUMPRODUCT(B5:B7,C5:C7)/B8",
        "=SUM(D5:D7)",
        "=SUM(E5:E7)",
        "=SUM(F5:F7)",
        "=SUM(G5:G7)",
    )
    put(w, 10, "Fleet PUE", "=E8/D8")
    put(w, 11, "Avg grid intensity (LB)", "=F8*1000/E8", "gCO2e/kWh", "t/MWh x 1000")
    put(w, 12, "Tokens served", 412, "bn")
    put(w, 13, "LB per 1k tok", "=F8*1e6/(B12*1e9/1000)", "gCO2e")
    put(w, 14, "Energy per 1k tok", "=E8*1e6/(B12*1e9/1000)", "Wh")
    put(w, 15, "MB reduction vs LB", "=1-G8/F8")
    fmt(w, "B15", "0.0%")
    put(w, 16, "Offsets for MB @ $45/t", "=ROUNDUP(G8,0)*45", "$")
    return wb


def spec_decoding() -> Workbook:
    wb = Workbook()
    ws = wb.active
    ws.title = "specdec"
    put(ws, 1, "Spec decoding, bs=1, 70B target / 1B draft")
    put(ws, 3, "Target fwd", 28, "ms")
    put(ws, 4, "Draft fwd", 3.1, "ms")
    put(ws, 5, "Verify overhead", 0.6, "ms/cycle")
    put(ws, 6, "Accept rate a", "=AVERAGE(I4:I7)", None, "mean of evals ->")
    put(ws, 7, "Cost ratio c", "=B4/B3")
    put(ws, 8, "Baseline", "=1000/B3", "tok/s")
    put(ws, 3, "eval", "accept", c=8)
    for r, (n, a) in zip((4, 5, 6, 7), (("code", 0.86), ("chat", 0.74), ("summ", 0.79), ("math", 0.77)), strict=True):
        put(ws, r, n, a, c=8)
    put(ws, 10, "Draft len", "E[tok/cycle]", "Cycle (ms)", "TPOT (ms)", "tok/s", "Speed-up (x)")
    for i, g in enumerate((2, 3, 4, 5, 7)):
        r = 11 + i
        put(
            ws,
            r,
            g,
            f"=(1-$B$6^(A{r}+1))/(1-$B$6)",
            f"=A{r}*$B$4+$B$3+$B$5",
            f"=C{r}/B{r}",
            f"=1000/D{r}",
            f"=$B$3/D{r}",
        )
    put(ws, 17, "Best speed-up", "=MAX(F11:F15)", "x")
    put(ws, 18, "at draft len", "=INDEX(A11:A15,MATCH(B17,F11:F15,0))", "tokens")
    put(ws, 20, "Node price", 7.8, "$/h", "2x H100")
    put(ws, 21, "Cost, baseline", "=B20/3600/B8*1e6", "$/M tok")
    put(ws, 22, "Cost, best", "=B20/3600/MAX(E11:E15)*1e6", "$/M tok")
    put(ws, 23, "Time for 500 tok reply", "=500*MIN(D11:D15)/1000", "s", "decode only")
    return wb


def video_generation() -> Workbook:
    wb = Workbook()
    ws = wb.active
    ws.title = "Video"
    put(ws, 1, "Text-to-video: unit cost + fleet")
    put(ws, 3, "Clip length", 6, "s")
    put(ws, 4, "Frame rate", 24, "fps")
    put(ws, 5, "Frames per clip", "=B3*B4", "frames")
    put(ws, 6, "Denoise steps", 40)
    put(ws, 7, "Time per step", 1.35, "s", "1 GPU, whole clip")
    put(ws, 8, "VAE decode + mux", 7.5, "s")
    put(ws, 9, "GPU time per clip", "=B6*B7+B8", "GPU-s")
    put(ws, 10, "GPU time per s of video", "=B9/B3", "GPU-s")
    put(ws, 12, "Tier", "Users", "Clips/user/mo", "Clips/mo", "Price ($/mo)", "Rev ($/mo)")
    for r, row in zip(
        (13, 14, 15), (("Free", 42000, 3, 0), ("Creator", 3100, 60, 24), ("Studio", 180, 600, 240)), strict=True
    ):
        n, us, c, p = row
        put(ws, r, n, us, c, f"=B{r}*C{r}", p, f"=B{r}*E{r}")
    put(ws, 16, "Total", "=SUM(B13:B15)", None, "=SUM(D13:D15)", None, "=SUM(F13:F15)")
    put(ws, 18, "Fleet (30-day month)")
    put(ws, 19, "Clips per day", "=D16/30")
    put(ws, 20, "Busy hour", 0.08, "of day's clips")
    fmt(ws, "B20", "0%")
    put(ws, 21, "Peak clips/h", "=B19*B20")
    put(ws, 22, "Clips/h per GPU", "=3600/B9*85%", None, "85% target util")
    put(ws, 23, "GPUs", "=ROUNDUP(B21/B22,0)")
    put(ws, 24, "GPU bill", "=B23*2.8*24*30", "$/mo", "$2.80/GPU-h, always on")
    put(ws, 18, "Storage / CDN", c=8)
    put(ws, 19, "Bitrate", 12, "Mb/s", c=8)
    put(ws, 20, "Clip size", "=I19*B3/8", "MB", c=8)
    put(ws, 21, "New data", "=D16*I20/1e6", "TB/mo", c=8)
    put(ws, 22, "Kept (3 mo retention)", "=I21*3", "TB", c=8)
    put(ws, 23, "Storage bill", "=I22*1000*0.021", "$/mo", c=8)
    put(ws, 24, "Egress bill", "=I21*1000*4*0.05", "$/mo", "4 views/clip, $0.05/GB", c=8)
    put(ws, 26, "Total cost", "=B24+I23+I24", "$/mo")
    put(ws, 27, "Cost per clip", "=B26/D16*100", "cents")
    put(ws, 28, "Margin", "=(F16-B26)/F16")
    fmt(ws, "B28", "0.0%")
    put(ws, 29, "Mean GPU util", "=D16*B9/3600/(B23*24*30)")
    fmt(ws, "B29", "0%")
    return wb


def lora_jobs() -> Workbook:
    wb = Workbook()
    m = wb.active
    m.title = "Mem"
    put(m, 1, "LoRA memory, 8B base, q_proj + o_proj only")
    put(m, 3, "Base params", 8.03, "B")
    put(m, 4, "Layers", 32)
    put(m, 5, "d_model", 4096)
    put(m, 6, "Seq len", 2048, "tok")
    put(m, 7, "Micro-batch", 4, "seqs")
    put(m, 8, "Vocab", 128256)
    put(m, 10, "Base weights bf16", "=B3*1e9*2/1024^3", "GiB")
    put(m, 11, "Ckpt'd activations", "=B4*B6*B7*B5*2/1024^3", "GiB", "layer inputs, bf16")
    put(m, 12, "Logits fp32", "=B6*B7*B8*4/1024^3", "GiB")
    put(m, 13, "CUDA ctx + misc", 1.5, "GiB")
    put(m, 14, "Fixed", "=SUM(B10:B13)", "GiB")
    put(
        m,
        16,
        "Rank",
        "Trainable (M)",
        "% of base",
        "Adapter bf16 (MB)",
        "W+grad+Adam fp32 (GiB)",
        "Total (GiB)",
        "Fits 24 GiB?",
    )
    for i, k in enumerate((8, 16, 64)):
        r = 17 + i
        put(
            m,
            r,
            k,
            f"=$B$4*2*2*$B$5*A{r}/1e6",
            f"=B{r}/($B$3*1000)",
            f"=B{r}*2",
            f"=B{r}*1e6*16/1024^3",
            f"=$B$14+E{r}",
            f'=IF(F{r}<=24,"y","n")',
        )
        fmt(m, f"C{r}", "0.00%")
    j = wb.create_sheet("Jobs")
    put(j, 1, "Throughput (1x H100)", 5200, "tok/s")
    put(j, 2, "Price", 2.49, "$/h")
    put(j, 4, "Job", "Rank", "Examples (k)", "Tok/ex", "Epochs", "Tok (M)", "Hours", "Cost ($)", "Adapter (MB)")
    for r, row in zip(
        (5, 6, 7), (("support-bot", 16, 45, 620, 3), ("sql", 64, 120, 410, 2), ("tone", 8, 8, 350, 4)), strict=True
    ):
        put(
            j,
            r,
            *row,
            f"=C{r}*D{r}*E{r}/1000",
            f"=F{r}*1e6/$B$1/3600",
            f"=G{r}*$B$2",
            f"=VLOOKUP(B{r},Mem!$A$17:$D$19,4,FALSE)",
        )
    put(j, 8, "Total", None, "=SUM(C5:C7)", None, None, "=SUM(F5:F7)", "=SUM(G5:G7)", "=SUM(H5:H7)", "=SUM(I5:I7)")
    return wb


def reliability_ckpt() -> Workbook:
    wb = Workbook()
    ws = wb.active
    ws.title = "Reliability"
    put(ws, 1, "70B pretrain, failures + checkpointing")
    put(ws, 3, "Nodes in job", 128)
    put(ws, 4, "GPUs", "=B3*8")
    put(ws, 5, "MTBF per GPU", 60000, "h")
    put(ws, 6, "MTBF per node, non-GPU", 40000, "h", "NIC, PSU, host mem...")
    put(ws, 7, "Job failure rate", "=B4/B5+B3/B6", "per h")
    put(ws, 8, "Job MTBF", "=1/B7", "h")
    put(ws, 9, "Failures per week", "=B7*24*7")
    put(ws, 11, "Checkpoint")
    put(ws, 12, "Params", 70, "B")
    put(ws, 13, "State", "=B12*(2+12)", "GB", "bf16 wts + fp32 master, m, v")
    put(ws, 14, "FS write bw", 40, "GB/s")
    put(ws, 15, "Write time (blocking)", "=B13/B14", "s")
    put(ws, 16, "Opt interval (Young)", "=SQRT(2*B15*B8*3600)/60", "min")
    put(ws, 17, "Use", "=ROUNDDOWN(B16/5,0)*5", "min", "rounded down to 5 min")
    put(ws, 18, "Ckpts per day", "=24*60/B17")
    put(ws, 19, "Keep last 5", "=5*B13/1000", "TB")
    put(ws, 21, "Lost time", "frac", None, "h per week")
    put(ws, 22, "Writing", "=B15/(B17*60)", None, "=B22*168")
    put(ws, 23, "Rework (half interval)", "=B17/2/60/B8", None, "=B23*168")
    put(ws, 24, "Restart, 12 min", "=12/60/B8", None, "=B24*168")
    put(ws, 25, "Total", "=SUM(B22:B24)", None, "=SUM(D22:D24)")
    put(ws, 26, "Goodput", "=1-B25")
    fmt(ws, "B22 B23 B24 B25 B26", "0.00%")
    put(ws, 28, "Spares")
    put(ws, 29, "Repair turnaround", 3, "days")
    put(ws, 30, "Mean nodes out", "=B7*B29*24", "nodes")
    put(ws, 31, "Spares (mean + 2 sd)", "=ROUNDUP(B30+2*SQRT(B30),0)", "nodes", "Poisson")
    put(ws, 32, "Buy", "=B3+B31", "nodes")
    return wb


def quarterly_plan() -> Workbook:
    wb = Workbook()
    ws = wb.active
    ws.title = "FY26"
    put(ws, 1, "Inference capacity FY26")
    put(ws, 2, "QoQ growth", 0.25)
    fmt(ws, "B2", "0%")
    put(ws, 3, "Req/user/day", 6, None, "Tok/req", 900)
    put(ws, 4, "Peak:avg", 2.5, None, "tok/s per GPU", 1450)
    put(ws, 5, "Headroom", 0.15, None, "k$ per GPU", 31)
    fmt(ws, "B5", "0%")
    put(ws, 7, None, "unit", "Q1", "Q2", "Q3", "Q4", "FY")
    lab = [
        (8, "DAU", "k"),
        (9, "Tokens", "bn/day"),
        (10, "Peak", "k tok/s"),
        (11, "GPUs needed", "GPUs"),
        (12, "On hand, start", "GPUs"),
        (13, "Buy (8s)", "GPUs"),
        (14, "Capex", "$M"),
        (15, "Power @1.3 kW/GPU", "kW"),
    ]
    for r, a, b in lab:
        put(ws, r, a, b)
    prev = None
    for c in "CDEF":
        ws[f"{c}8"] = 400 if prev is None else f"={prev}8*(1+$B$2)"
        ws[f"{c}9"] = f"={c}8*1000*$B$3*$E$3/1e9"
        ws[f"{c}10"] = f"={c}9*1e9/86400*$B$4/1000"
        ws[f"{c}11"] = f"=ROUNDUP({c}10*1000/$E$4*(1+$B$5),0)"
        ws[f"{c}12"] = 48 if prev is None else f"={prev}12+{prev}13"
        ws[f"{c}13"] = f"=ROUNDUP(MAX(0,{c}11-{c}12)/8,0)*8"
        ws[f"{c}14"] = f"={c}13*$E$5/1000"
        ws[f"{c}15"] = f"=({c}12+{c}13)*1.3"
        prev = c
    ws["G8"] = "=AVERAGE(C8:F8)"
    ws["H8"] = "avg"
    ws["G13"] = "=SUM(C13:F13)"
    ws["G14"] = "=SUM(C14:F14)"
    ws["G15"] = "=MAX(C15:F15)"
    ws["H15"] = "max"
    put(ws, 17, "Year-end fleet", "=F12+F13", "GPUs")
    put(ws, 18, "Racks (32 GPUs each)", "=ROUNDUP(B17/32,0)")
    return wb


BOOKS = (
    Book("clean3_roofline_homework", roofline_homework, ()),
    Book("clean3_startup_spend_margin", startup_spend_margin, ()),
    Book("clean3_research_quota_chargeback", research_quota_chargeback, ()),
    Book("clean3_fabric_allreduce", fabric_allreduce, ()),
    Book("clean3_carbon_report", carbon_report, ()),
    Book("clean3_spec_decoding", spec_decoding, ()),
    Book("clean3_video_generation", video_generation, ()),
    Book("clean3_lora_jobs", lora_jobs, ()),
    Book("clean3_reliability_ckpt", reliability_ckpt, ()),
    Book("clean3_quarterly_plan", quarterly_plan, ()),
)
