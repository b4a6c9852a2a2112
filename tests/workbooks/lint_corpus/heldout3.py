"""A third set of workbooks that no rule was written against, measured before anything was mended: ten themes, ten styles."""

from __future__ import annotations

from datetime import date

from openpyxl import Workbook
from openpyxl.styles import Alignment
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.table import Table

from .book import Seeds, books_of
from .making import bold_rows, fmt, lines

__all__ = ["BOOKS"]


def third_roofline_exercise() -> Workbook:
    wb = Workbook()
    ch = wb.worksheets[0]
    ch.title = "Chips"
    lines(
        ch,
        {
            1: ["Lecture 7 - data sheet values (dense, no sparsity)"],
            3: [
                "Chip",
                "Memory (GB)",
                "Bandwidth (TB/s)",
                "Dense BF16 (TFLOP/s)",
                "Dense FP8 (TFLOP/s)",
                "Dense INT8 (TOP/s)",
                "TDP (W)",
                "Ridge point BF16 (FLOP/byte)",
            ],
            4: ["A100 SXM 80GB", 80, 2.039, 312, "-", 624, 400, "=D4/C4"],
            5: ["H100 SXM", 80, 3.35, 989, 1979, 1979, 700, "=D5/C5"],
            6: ["H200", 141, 4.8, 989, 1979, 1979, 700, "=D6/C6"],
            7: ["L40S", 48, 0.864, 362, 733, 733, 350, "=D7/C7"],
            8: ["MI300X", 192, 5.3, 1307, 2615, 2615, 750, "=D8/C8"],
            10: ["Values as published by the vendors, rounded."],
        },
    )
    bold_rows(ch, 1, 3)
    fmt(ch, "H4:H8", "0")
    ex = wb.create_sheet("Exercises")
    lines(
        ex,
        {
            1: ["Exercise sheet 7 - roofline model (use the H100 unless told otherwise)"],
            2: ["Question", "Answer", "Unit", "Hint"],
            3: ["Given"],
            4: ["Rows of A (M)", 4096],
            5: ["Columns of B (N)", 4096],
            6: ["Inner dimension (K)", 4096],
            7: ["Size of one element (bf16)", 2, "byte"],
            8: ["Peak compute, dense bf16", "=Chips!D5", "TFLOP/s"],
            9: ["Memory bandwidth", "=Chips!C5", "TB/s"],
            11: ["Exercise 1: GEMM"],
            12: ["a) How many MACs does C = A*B need?", "=B4*B5*B6", "MAC"],
            13: ["b) How many FLOPs is that?", "=2*B12", "FLOP", "a multiply and an add"],
            14: ["c) How many bytes move if each matrix is touched once?", "=(B4*B6+B6*B5+B4*B5)*B7", "byte"],
            15: ["d) Arithmetic intensity?", "=B13/B14", "FLOP/byte"],
            16: ["e) Where is the ridge point?", "=B8/B9", "FLOP/byte"],
            17: ["f) What bounds it?", '=IF(B15>=B16,"compute bound","memory bound")'],
            18: ["g) Attainable rate?", "=MIN(B8,B15*B9)", "TFLOP/s"],
            19: ["h) Shortest run time?", "=B13/(B18*1E12)*1E6", "µs"],
            20: ["Measured run time", 185, "µs", "cuBLAS, median of 100"],
            21: ["i) Measured rate?", "=B13/(B20*1E-6)/1E12", "TFLOP/s"],
            22: ["j) Which part of the peak is that?", "=B21/B8"],
            24: ["Exercise 2: GEMV (one decode step)"],
            25: ["a) Weights of the N x K layer?", "=B5*B6", "parameters"],
            26: ["b) Bytes read?", "=B25*B7", "byte"],
            27: ["c) FLOPs?", "=2*B25", "FLOP"],
            28: ["d) Arithmetic intensity?", "=B27/B26", "FLOP/byte"],
            29: ["e) Attainable rate?", "=MIN(B8,B28*B9)", "TFLOP/s"],
            30: ["f) Time on the H100?", "=B26/(B9*1E12)*1E6", "µs"],
            31: ["g) Time on the A100?", "=B26/(Chips!C4*1E12)*1E6", "µs"],
            33: ["Exercise 3: sending C to the neighbour GPU"],
            34: ["NVLink 4, both directions together", 900, "GB/s"],
            35: ["a) One direction?", "=B34/2", "GB/s"],
            36: ["b) Bytes of C?", "=B4*B5*B7", "byte"],
            37: ["c) Time to send it (one way)?", "=B36/(B35*1E9)*1E6", "µs"],
            39: ["Exercise 4: energy"],
            40: ["Draw during the GEMM", 650, "W"],
            41: ["a) Energy of one GEMM?", "=B40*B20*1E-6*1E3", "mJ"],
            42: ["b) Efficiency?", "=B21*1E3/B40", "GFLOP/s per W"],
            44: ["Exercise 5: KV cache of Llama-3-8B in bf16"],
            45: ["Layers", 32],
            46: ["Attention heads", 32],
            47: ["KV heads", 8],
            48: ["Head dimension", 128],
            49: ["a) Cache per token?", "=2*B45*B47*B48*B7", "byte", "K and V"],
            50: ["Context", 8192, "tokens"],
            51: ["b) Cache of one context?", "=B49*B50/2^30", "GiB"],
            52: ["Parameters", 8.03, "10^9"],
            53: ["c) Weights?", "=B52*B7", "GB"],
            54: ["d) How many contexts fit next to them?", "=ROUNDDOWN((Chips!B5-B53)/(B51*2^30/1E9),0)"],
            56: ["Exercise 6: Mixtral-8x7B, batch 1, on the MI300X"],
            57: ["Total parameters", 46.7, "10^9"],
            58: ["Active parameters per token", 12.9, "10^9"],
            59: ["a) Size of the model in bf16?", "=B57*B7", "GB"],
            60: ["b) Weights read per token?", "=B58*B7", "GB"],
            61: ["c) Upper bound of the decode rate?", "=Chips!C8*1000/B60", "tokens/s"],
            62: ["d) Time per token?", "=1000/B61", "ms"],
        },
    )
    bold_rows(ex, 1, 2, 3, 11, 24, 33, 39, 44, 56)
    fmt(ex, "B22", "0%")
    fmt(ex, "B12:B14 B25:B27 B36", "0.00E+00")
    return wb


def third_tinyml_energy() -> Workbook:
    wb = Workbook()
    m = wb.worksheets[0]
    m.title = "Model"
    rows = {
        1: ["Keyword spotting, DS-CNN small, int8 weights, Cortex-M4F"],
        3: ["Layer", "Weights", "MACs", "Flash", "Activations"],
        4: [None, "count", "kMAC", "KiB", "KiB"],
        5: ["conv1 10x4", 2560, "=B5*25*5/1000", "=B5/1024", "=(49*10+25*5*64)/1024", "one byte per weight"],
    }
    for i in range(4):
        r = 6 + i
        rows[r] = [f"ds_conv{i + 1}", 4672, f"=B{r}*25*5/1000", f"=B{r}/1024", "=2*25*5*64/1024"]
    rows.update(
        {
            10: ["fc", 768, "=B10/1000", "=B10/1024", "=(64+12)/1024"],
            11: ["Total / peak", "=SUM(B5:B10)", "=SUM(C5:C10)", "=SUM(D5:D10)", "=MAX(E5:E10)"],
            13: ["MACs per clock cycle", 0.55, "MAC/cycle", "CMSIS-NN, measured"],
            14: ["Core clock", 80, "MHz"],
            15: ["Inference time", "=C11*1E3/(B13*B14*1E6)*1E3", "ms"],
            16: ["Operations per inference", "=2*C11/1E3", "MOP", "1 MAC = 2 OP"],
            17: ["Rate reached (int8)", "=B16/(B15/1E3)", "MOP/s"],
            18: ["Peak with SMLAD", "=2*2*B14", "MOP/s", "2 MAC per cycle"],
            19: ["Share of the peak", "=B17/B18"],
            20: ["Measured on the board, mean", 61.2, "ms"],
            21: ["Measured on the board, p99", 74, "ms"],
            22: ["Deadline for the p99", 90, "ms"],
            23: ["p99 in time?", '=IF(B21<=B22,"ok","late")'],
            25: ["Flash: weights", "=D11", "KiB"],
            26: ["Flash: code", 186, "KiB"],
            27: ["Flash of the MCU", 1024, "KiB"],
            28: ["Flash left", "=B27-B25-B26", "KiB"],
            29: ["SRAM of the MCU", 128, "KiB"],
            30: ["Stack and audio buffer", 22, "KiB"],
            31: ["SRAM left", "=B29-B30-E11", "KiB"],
        }
    )
    lines(m, rows)
    bold_rows(m, 1, 3, 11)
    fmt(m, "B19", "0.0%")
    fmt(m, "C5:E11 B15:B17", "0.0")
    b = wb.create_sheet("Budget")
    lines(
        b,
        {
            1: ["Battery life, one inference per second"],
            3: [
                "State",
                "Current [mA]",
                "Voltage [V]",
                "Power [mW]",
                "Time per cycle [ms]",
                "Energy per cycle [mJ]",
                "Notes",
            ],
            4: ["Sleep", 0.0045, 3.0, "=B4*C4", "=B11-SUM(E5:E7)", "=D4*E4/1000", "stop mode, RTC on"],
            5: ["Microphone + MFCC", 2.1, 3.0, "=B5*C5", 32, "=D5*E5/1000"],
            6: ["Inference", 9.6, 3.0, "=B6*C6", "=Model!B15", "=D6*E6/1000"],
            7: ["BLE send", 7.5, 3.0, "=B7*C7", "=B29+B30", "=D7*E7/1000", "0 dBm"],
            8: ["Cycle", None, None, "=F8/(E8/1000)", "=SUM(E4:E7)", "=SUM(F4:F7)", "power = mean over the cycle"],
            11: ["Cycle length", 1000, "ms"],
            12: ["Cycles per day", "=24*3600*1000/B11", "1/day"],
            13: ["Energy per day", "=B12*F8/1000", "J"],
            14: ["same", "=B13/3.6", "mWh"],
            15: ["Battery (2 x AA)", 2600, "mAh"],
            16: ["Battery voltage", 3.0, "V"],
            17: ["Battery energy", "=B15*B16", "mWh"],
            18: ["Usable share", 0.85],
            19: ["Run time", "=B17*B18/D8", "h"],
            20: ["Run time", "=B19/24", "days"],
            21: ["Goal", 120, "days"],
            22: ["Goal met?", '=IF(B20>=B21,"ok","too short")'],
            24: ["BLE packet with header", 44, "byte"],
            25: ["Bits on air", "=B24*8", "bit"],
            26: ["Radio rate", 1, "Mbit/s"],
            27: ["Air time of a packet", "=B25/B26", "µs"],
            28: ["Packets per cycle", 4],
            29: ["Air time per cycle", "=B27*B28/1000", "ms"],
            30: ["Crystal start, ramp", 1.6, "ms"],
        },
    )
    bold_rows(b, 1, 3, 8)
    fmt(b, "B18", "0%")
    return wb


def third_radiology_fleet() -> Workbook:
    wb = Workbook()
    s = wb.worksheets[0]
    s.title = "Sites"
    data = [
        ("City clinic", 420, 280, 0.14, 1000),
        ("Children's hospital", 130, 190, 0.15, 500),
        ("North campus", 360, 310, 0.13, 1000),
        ("Harbour", 240, 260, 0.12, 500),
        ("Outpatient MRI", 95, 340, 0.18, 200),
    ]
    rows = {
        1: ["CT/MR studies sent to the inference service"],
        3: [
            "Site",
            "Studies per day",
            "Images per study",
            "Study size (MB)",
            "Busy hour share",
            "Studies in busy hour",
            "WAN (Mbit/s)",
            "Upload (s)",
        ],
    }
    for i, (n, st, im, sh, wan) in enumerate(data):
        r = 4 + i
        rows[r] = [n, st, im, f"=C{r}*512*512*2/1E6", sh, f"=B{r}*E{r}", wan, f"=D{r}*8/G{r}"]
    rows.update(
        {
            9: ["All sites", "=SUM(B4:B8)", None, None, "=F9/B9", "=SUM(F4:F8)"],
            11: ["New data per day", "=SUMPRODUCT(B4:B8,D4:D8)/1000"],
            12: ["Kept for", 10],
            13: ["Archive when full", "=B11*365*B12/1000"],
            15: ["512 x 512 pixels of 16 bit, not compressed"],
        }
    )
    lines(s, rows)
    s.add_table(Table(displayName="tblSites", ref="A3:H8"))
    bold_rows(s, 1, 9)
    fmt(s, "E4:E8", "0%")
    fmt(s, "E9", "0.0%")
    fmt(s, "D4:D8 F4:F9 H4:H8", "0.0")
    fmt(s, "B11", '0.0" GB"')
    fmt(s, "B12", '0" years"')
    fmt(s, "B13", '0" TB"')

    c = wb.create_sheet("Capacity")
    lines(
        c,
        {
            1: ["GPU count for the busy hour"],
            4: ["GPU", "L40S"],
            5: ["Memory", 48],
            6: ["Peak FP16, dense", 362],
            7: ["Reached share of the peak", 0.32, "profiled on 3 protocols"],
            8: ["Models in the ensemble", 5],
            9: ["Parameters per model (billions)", 0.31],
            10: ["Weights in fp16", "=B8*B9*2", "2 bytes each"],
            11: ["Activations per image in flight", 1.9],
            12: ["Images in flight", 16],
            13: ["Memory used", "=B10+B11*B12"],
            14: ["Fits?", '=IF(B13<=B5,"ok","too big")'],
            15: ["Compute per image and model", 1.8],
            16: ["Compute per image", "=B15*B8"],
            17: ["One GPU", "=B6*B7/B16"],
            18: ["Images in the busy hour", "=SUMPRODUCT(Sites!F4:F8,Sites!C4:C8)"],
            19: ["Needed in the busy hour", "=B18/3600"],
            20: ["Target load", 0.6],
            21: ["GPUs for the load", "=ROUNDUP(B19/(B17*B20),0)"],
            22: ["Spare GPUs", 1],
            23: ["GPUs installed", "=B21+B22"],
            24: ["GPUs per server", 2],
            25: ["Servers", "=ROUNDUP(gpus_installed/B24,0)"],
            27: ["Turnaround, mean", 96],
            28: ["Turnaround, p95", 148],
            29: ["Agreed with radiology: p95", 180],
            30: ["Agreement kept?", '=IF(B28<=B29,"yes","no")'],
            31: ["One-way delay to the data centre", 9],
            32: ["Round trips per study (DICOM, auth)", 12],
            33: ["Waiting for the network per study", "=B32*2*B31/1000"],
        },
    )
    bold_rows(c, 1)
    for code, refs in {
        '0" GB"': ["B5"],
        '0" TFLOP/s"': ["B6"],
        "0%": ["B7", "B20"],
        '0.0" GB"': ["B10", "B11", "B13"],
        '0.0" TFLOP"': ["B15", "B16"],
        '0.0" images/s"': ["B17", "B19"],
        '0" s"': ["B27:B29"],
        '0" ms"': ["B31"],
        '0.00" s"': ["B33"],
        "#,##0": ["B18"],
    }.items():
        fmt(c, " ".join(refs), code)
    wb.defined_names["gpus_installed"] = DefinedName("gpus_installed", attr_text="Capacity!$B$23")

    e = wb.create_sheet("Energy")
    wb.defined_names["pue"] = DefinedName("pue", attr_text="Energy!$B$7")
    lines(
        e,
        {
            1: ["Running cost"],
            3: ["Item", "Value", "Unit"],
            4: ["Power of one GPU", 350, "W"],
            5: ["Rest of a server", 600, "W"],
            6: ["IT load", "=(gpus_installed*B4+Capacity!B25*B5)/1000", "kW"],
            7: ["PUE", 1.4],
            8: ["Facility load", "=B6*pue", "kW"],
            9: ["Energy per year (facility)", "=B8*8760/1000", "MWh"],
            10: ["Electricity price", 0.28, "€/kWh"],
            11: ["Electricity per year", "=B9*1000*B10", "€"],
            12: ["Grid", 380, "g CO2e/kWh"],
            13: ["Emissions per year", "=B9*1000*B12/1E6", "t CO2e"],
            14: ["Studies per year", "=Sites!B9*365"],
            15: ["Price of a server", 31000, "€"],
            16: ["Written off over", 5, "years"],
            17: ["Hardware per year", "=Capacity!B25*B15/B16", "€"],
            18: ["Hardware and electricity per year", "=B11+B17", "€"],
            19: ["Per study", "=B18/B14", "€"],
        },
    )
    bold_rows(e, 1, 3)
    return wb


def third_diffusion_service() -> Workbook:
    wb = Workbook()
    w = wb.worksheets[0]
    w.title = "Scenarios"
    cols = "CDE"

    def line(label: str, unit: str, what: str) -> list[str | None]:
        if isinstance(what, str):
            return [label, unit] + [what.replace("#", k) for k in cols]
        if isinstance(what, (list, tuple)):
            return [label, unit, *list(what)]
        return [label, unit] + [what] * 3

    lines(
        w,
        {
            1: ["Image generation service - sizing, three models side by side"],
            3: [None, "Unit", "SDXL 1024", "SDXL 4-step", "Large DiT"],
            4: line("Denoiser parameters", "10^9", [2.57, 2.57, 8.1]),
            5: line("Text encoders and VAE", "10^9", [0.9, 0.9, 5.7]),
            6: line("Bytes per parameter", "byte", 2),
            7: line("Weights", "GB", "=(#4+#5)*#6"),
            8: line("Activations per image in the batch", "GB", [4.5, 4.5, 6]),
            9: line("Batch", "images", [8, 8, 4]),
            10: line("Memory used", "GB", "=#7+#8*#9"),
            11: line("Memory of one H100", "GB", 80),
            12: line("Fits?", None, '=IF(#10<=#11,"ok","too big")'),
            14: line("Steps", "-", [30, 4, 28]),
            15: line("Passes per step", "-", [2, 1, 2]),
            16: line("MACs per pass", "TMAC", [2.98, 2.98, 12.4]),
            17: line("Compute per pass", "TFLOP", "=2*#16"),
            18: line("All denoising passes", "TFLOP", "=#17*#14*#15"),
            19: line("VAE decode", "TFLOP", 5),
            20: line("One image", "TFLOP", "=#18+#19"),
            21: line("H100 peak, bf16 dense", "TFLOP/s", 989),
            22: line("MFU", None, [0.42, 0.38, 0.45]),
            23: line("GPU time per image", "s", "=#20/(#21*#22)"),
            24: line("One GPU makes", "images/min", "=60/#23"),
            25: line("Demand at peak", "images/min", [900, 2400, 150]),
            26: line("Target load", None, 0.7),
            27: line("GPUs", "GPUs", "=ROUNDUP(#25/(#24*#26),0)"),
            28: line("Nodes of 8 (if we rent whole nodes)", "nodes", "=ROUNDUP(#27/8,0)"),
            30: line("GPU price", "$/GPU-h", 2.6),
            31: line("GPU cost", "$/month", "=#27*#30*730"),
            32: line("Images", "million/month", [14, 40, 2.2]),
            33: line("GPU cost per 1000 images", "$", "=#31/(#32*1E6)*1000"),
            34: line("Image file", "MB", [1.6, 1.6, 1.9]),
            35: line("Egress", "TB/month", "=#32*#34"),
            36: line("Egress price", "$/GB", 0.05),
            37: line("Egress cost", "$/month", "=#35*1000*#36"),
            38: line("Egress at peak", "Gbit/s", "=#25/60*#34*8/1000"),
            39: line("Draw of one GPU", "W", [620, 600, 640]),
            40: line("Energy per image", "Wh", "=#23*#39/3600"),
            41: line("Users", "thousand", [350, 900, 40]),
            42: line("Cost per user", "$/month", "=(#31+#37)/(#41*1000)"),
            44: ["GPUs are billed one by one, 730 hours in a month."],
        },
    )
    w["F15"] = "2 with guidance"
    w["F16"] = "fvcore count"
    w.merge_cells("C2:E2")
    w["C2"] = "Model"
    w["C2"].alignment = Alignment(horizontal="center")
    bold_rows(w, 1, 2, 3)
    fmt(w, "C22:E22 C26:E26", "0%")
    fmt(w, "C23:E23 C33:E33 C40:E40 C38:E38", "0.00")
    fmt(w, "C31:E31 C37:E37", "#,##0")
    return wb


def third_chatbot_mitarbeiter() -> Workbook:
    wb = Workbook()
    a = wb.worksheets[0]
    a.title = "Annahmen"
    lines(
        a,
        {
            1: ["Interner Chatbot - Annahmen"],
            3: ["Größe", "Wert", "Einheit", "Bemerkung"],
            4: ["Mitarbeitende", "=Standorte!B8", "Personen"],
            5: ["Anteil aktiver Nutzer", 0.45, None, "Pilot: 41 %"],
            6: ["Aktive Nutzer", "=B4*B5", "Personen"],
            7: ["Anfragen je Nutzer und Arbeitstag", 7],
            8: ["Arbeitstage je Monat", 21, "Tage"],
            9: ["Eingabe je Anfrage", 1800, "Token", "mit Verlauf und Dokumenten"],
            10: ["Ausgabe je Anfrage", 350, "Token"],
            11: ["Preis Eingabe", 2.5, "$/Mio. Token"],
            12: ["Preis Ausgabe", 10, "$/Mio. Token"],
            13: ["Wechselkurs", 0.92, "€/$"],
        },
    )
    fmt(a, "B5", "0%")
    k = wb.create_sheet("API-Kosten")
    lines(
        k,
        {
            1: ["Kosten bei Bezug über die API"],
            3: ["Posten", "Wert", "Einheit"],
            4: ["Anfragen im Monat", "=Annahmen!B6*Annahmen!B7*Annahmen!B8"],
            5: ["Eingabe im Monat", "=B4*Annahmen!B9/1E6", "Mio. Token"],
            6: ["Ausgabe im Monat", "=B4*Annahmen!B10/1E6", "Mio. Token"],
            7: ["Kosten Eingabe", "=B5*Annahmen!B11", "$/Monat"],
            8: ["Kosten Ausgabe", "=B6*Annahmen!B12", "$/Monat"],
            9: ["Summe", "=B7+B8", "$/Monat"],
            10: ["Summe", "=B9*Annahmen!B13", "€/Monat"],
            11: ["je aktivem Nutzer", "=B10/Annahmen!B6", "€/Monat"],
            12: ["je Mitarbeitendem", "=B10/Annahmen!B4", "€/Monat"],
            13: ["im Jahr", "=B10*12", "€/Jahr"],
        },
    )
    fmt(k, "B7:B13", "#,##0.00")
    e = wb.create_sheet("Eigenbetrieb")
    lines(
        e,
        {
            1: ["Alternative: eigenes Modell auf gemieteten GPUs"],
            3: ["Größe", "Wert", "Einheit", "Bemerkung"],
            4: ["Modell", "Llama-3-70B, FP8"],
            5: ["Parameter", 70.6, "Mrd."],
            6: ["Bytes je Parameter", 1, "Byte"],
            7: ["Gewichte", "=B5*B6", "GB"],
            8: ["Schichten", 80],
            9: ["Attention-Köpfe", 64],
            10: ["KV-Köpfe", 8],
            11: ["Kopfdimension", 128],
            12: ["Bytes je KV-Wert", 2, "Byte"],
            13: ["KV-Cache je Token", "=2*B8*B10*B11*B12", "Byte", "K und V"],
            14: ["Gleichzeitige Anfragen", 60],
            15: ["Kontext je Anfrage", "=Annahmen!B9+Annahmen!B10", "Token"],
            16: ["KV-Cache gesamt", "=B13*B14*B15/1E9", "GB"],
            17: ["Speicherbedarf", "=B7+B16", "GB"],
            18: ["GPUs (H100 SXM)", 2],
            19: ["Speicher je GPU", 80, "GB"],
            20: ["davon nutzbar", 0.9],
            21: ["Speicher nutzbar", "=B18*B19*B20", "GB"],
            22: ["Passt?", '=IF(B17<=B21,"ja","nein")'],
            23: ["Anteil der Spitzenstunde am Tag", 0.16],
            24: ["Ausgabe in der Spitzenstunde", "=Annahmen!B6*Annahmen!B7*B23*Annahmen!B10/3600", "Token/s"],
            25: ["Durchsatz gemessen (Ausgabe)", 1100, "Token/s", "vLLM, 60 parallel"],
            26: ["Reicht?", '=IF(B24<=B25,"ja","nein")'],
            27: ["Rechenspitze je GPU, FP8 dicht", 1979, "TFLOP/s"],
            28: ["davon erreicht", 0.5],
            29: ["Prefill einer Anfrage", "=2*B5*1E9*Annahmen!B9/(B18*B27*1E12*B28)*1E3", "ms"],
            30: ["Laufzeit im Netz, einfacher Weg", 12, "ms"],
            31: ["Netz hin und zurück", "=2*B30", "ms"],
            32: ["NVLink je GPU, beide Richtungen", 900, "GB/s"],
            33: ["NVLink je Richtung", "=B32/2", "GB/s"],
            34: [
                "Gesendet je GPU im Prefill",
                "=2*B8*Annahmen!B9*8192*2/1E9",
                "GB",
                "2 All-Reduce je Schicht, Breite 8192, bf16",
            ],
            35: ["Zeit für das Senden", "=B34/B33*1E3", "ms"],
            36: ["Zeit bis zum ersten Token", "=B29+B31+B35", "ms"],
            37: ["GPU-Preis", 2.8, "€/GPU-h"],
            38: ["Stunden im Monat", 730, "h"],
            39: ["GPU-Kosten", "=B18*B37*B38", "€/Monat"],
            40: ["je aktivem Nutzer", "=B39/Annahmen!B6", "€/Monat"],
            41: ["Mehrkosten gegenüber API", "=B39-'API-Kosten'!B10", "€/Monat"],
        },
    )
    fmt(e, "B20 B23 B28", "0%")
    fmt(e, "B39:B41", "#,##0.00")
    s = wb.create_sheet("Standorte")
    lines(
        s,
        {
            1: ["Verteilung auf die Standorte"],
            3: ["Standort", "Mitarbeitende", "Anteil", "API-Kosten (€/Monat)"],
            4: ["Hamburg", 1250, "=B4/B$8", "=C4*'API-Kosten'!$B$10"],
            5: ["Leipzig", 840, "=B5/B$8", "=C5*'API-Kosten'!$B$10"],
            6: ["Ulm", 690, "=B6/B$8", "=C6*'API-Kosten'!$B$10"],
            7: ["Graz", 420, "=B7/B$8", "=C7*'API-Kosten'!$B$10"],
            8: ["Summe", "=SUM(B4:B7)", None, "=SUM(D4:D7)"],
        },
    )
    fmt(s, "C4:C7", "0%")
    for ws in wb:
        bold_rows(ws, 1, 3)
    return wb


def third_bilan_carbone() -> Workbook:
    wb = Workbook()
    d = wb.worksheets[0]
    d.title = "Données"
    lines(
        d,
        {
            1: ["Entraînement du modèle Garance-13B : données d'entrée"],
            3: ["Libellé", "Valeur", "Unité", "Source"],
            4: ["Paramètres", 13, "milliards"],
            5: ["Tokens d'entraînement", 2000, "milliards"],
            6: ["Calcul total (6·N·D)", "=6*B4*1E9*B5*1E9", "FLOP"],
            7: ["GPU", "A100 SXM 80 Go"],
            8: ["Crête BF16 dense", 312, "TFLOP/s", "fiche NVIDIA"],
            9: ["MFU", 0.42, None, "journal d'entraînement"],
            10: ["Heures GPU", "=B6/(B8*1E12*B9)/3600", "GPU·h"],
            11: ["Nombre de GPU", 512, "GPU"],
            12: ["Durée", "=B10/B11", "h"],
            13: ["Durée", "=B12/24", "jours"],
            14: ["GPU par nœud", 8],
            15: ["Nœuds", "=B11/B14", "nœuds"],
            16: ["Puissance moyenne d'un GPU", 370, "W", "nvidia-smi"],
            17: ["Reste d'un nœud (CPU, réseau, ventilation)", 1200, "W", "PDU"],
            18: ["PUE", 1.2, None, "hébergeur"],
        },
    )
    fmt(d, "B9", "0%")
    fmt(d, "B6", "0.00E+00")
    fmt(d, "B10 B12", "#,##0")
    b = wb.create_sheet("Bilan")
    lines(
        b,
        {
            1: ["Bilan carbone de l'entraînement"],
            2: ["Poste", "Valeur", "Unité", "Remarque"],
            3: ["Région retenue", "France"],
            4: ["Énergie des GPU", "=Données!B10*Données!B16/1E6", "MWh"],
            5: ["Énergie du reste des nœuds", "=Données!B15*Données!B17*Données!B12/1E6", "MWh"],
            6: ["Énergie informatique", "=B4+B5", "MWh"],
            7: ["Énergie du site", "=B6*Données!B18", "MWh", "PUE compris"],
            8: ["Intensité du réseau", "=INDEX(Régions!B4:B7,MATCH(B3,Régions!A4:A7,0))", "g CO2e/kWh"],
            9: ["Émissions liées à l'électricité", "=B7*B8/1000", "t CO2e"],
            10: ["Fabrication d'un nœud", 5700, "kg CO2e", "estimation constructeur"],
            11: ["Durée de vie d'un nœud", 4, "ans"],
            12: ["Fabrication imputée", "=Données!B15*B10*Données!B12/(B11*8760)/1000", "t CO2e"],
            13: ["Total", "=B9+B12", "t CO2e"],
            14: ["par milliard de tokens", "=B13*1000/Données!B5", "kg CO2e"],
            15: ["Coût de l'électricité", "=B7*INDEX(Régions!C4:C7,MATCH(B3,Régions!A4:A7,0))", "€"],
            16: ["Prix de la compensation", 90, "€/t CO2e"],
            17: ["Coût de la compensation", "=B13*B16", "€"],
            18: ["Coût énergie et compensation", "=B15+B17", "€"],
            19: ["Puissance moyenne du site", "=B7*1000/Données!B12", "kW"],
        },
    )
    fmt(b, "B4:B7", '0.0" MWh"')
    fmt(b, "B9 B12:B14", "0.0")
    fmt(b, "B15 B17:B19", "#,##0")
    r = wb.create_sheet("Régions")
    rows = {
        1: ["Et ailleurs ?"],
        3: ["Région", "Intensité (g CO2e/kWh)", "Prix (€/MWh)", "Émissions (t CO2e)", "Électricité (€)"],
    }
    for i, (n, g, p) in enumerate(
        [("France", 52, 95), ("Allemagne", 350, 120), ("Pologne", 640, 115), ("Suède", 25, 60)]
    ):
        q = 4 + i
        rows[q] = [n, g, p, f"=Bilan!$B$7*B{q}/1000", f"=Bilan!$B$7*C{q}"]
    rows[9] = ["Écart entre la pire et la meilleure", None, None, "=MAX(D4:D7)-MIN(D4:D7)", "=MAX(E4:E7)-MIN(E4:E7)"]
    lines(r, rows)
    fmt(r, "D4:D9", "0.0")
    fmt(r, "E4:E9", "#,##0")
    bold_rows(d, 1, 3)
    bold_rows(b, 1, 2, 13)
    bold_rows(r, 1, 3)
    return wb


def third_spot_vs_reserved() -> Workbook:
    wb = Workbook()
    o = wb.worksheets[0]
    o.title = "Offers"
    rows = {
        1: ["Quotes, collected in December"],
        3: [
            "Offer",
            "GPU",
            "Memory per GPU (GB)",
            "GPUs per node",
            "Price ($/node-h)",
            "Price ($/GPU-h)",
            "Term (months)",
            "Work lost to interruptions",
        ],
    }
    for i, (n, g, mem, p, t, loss) in enumerate(
        [
            ("Spot H100", "H100 SXM", 80, 18.4, 0, 0.08),
            ("On demand H100", "H100 SXM", 80, 31.2, 0, 0),
            ("Reserved H100 1y", "H100 SXM", 80, 21.6, 12, 0),
            ("Reserved H100 3y", "H100 SXM", 80, 16, 36, 0),
            ("Spot A100", "A100 SXM 80GB", 80, 9.6, 0, 0.05),
        ]
    ):
        r = 4 + i
        rows[r] = [n, g, mem, 8, p, f"=E{r}/D{r}", t, loss]
    lines(o, rows)
    fmt(o, "H4:H8", "0%")
    fmt(o, "E4:F8", "0.00")
    p = wb.create_sheet("Plan")
    cols = "CDEFG"

    def line(label: str, unit: str, what: str, total: str) -> list[str]:
        vals = [what.replace("#", k) for k in cols] if isinstance(what, str) else list(what)
        return [label, unit, *vals, total]

    def tot(r: int) -> str:
        return f"=SUM(C{r}:G{r})"

    lines(
        p,
        {
            1: ["Plan until the end of May"],
            3: [None, "Unit"] + [date(2026, m, 1) for m in range(1, 6)] + ["Jan-May"],
            4: line("Days", "d", [31, 28, 31, 30, 31], tot(4)),
            5: line("Hours", "h", "=#4*24", tot(5)),
            6: line("Demand", "GPU-h", [27000, 31500, 41000, 46500, 52000], tot(6)),
            7: line("Reserved nodes", "nodes", [5] * 5, None),
            8: line("Reserved capacity", "GPU-h", "=#7*Offers!$D$6*#5", tot(8)),
            9: line("used of it", "GPU-h", "=MIN(#6,#8)", tot(9)),
            10: line("Overflow", "GPU-h", "=#6-#9", tot(10)),
            11: line("Overflow that can run on spot", None, [0.8, 0.8, 0.75, 0.7, 0.7], "=H12/H10"),
            12: line("Spot, useful", "GPU-h", "=#10*#11", tot(12)),
            13: line("Spot, billed", "GPU-h", "=#12/(1-Offers!$H$4)", tot(13)),
            14: line("On demand", "GPU-h", "=#10-#12", tot(14)),
            16: line("Reserved", "$", "=#7*Offers!$E$6*#5", tot(16)),
            17: line("Spot", "$", "=#13*Offers!$F$4", tot(17)),
            18: line("On demand", "$", "=#14*Offers!$F$5", tot(18)),
            19: line("Total", "$", "=SUM(#16:#18)", "=SUM(H16:H18)"),
            20: line("Blended price of useful work", "$/GPU-h", "=#19/#6", "=H19/H6"),
            21: line("Use of the reservation", None, "=#9/#8", "=H9/H8"),
        },
    )
    fmt(p, "C3:G3", "mmm yy")
    fmt(p, "C11:H11 C21:H21", "0%")
    fmt(p, "C6:H10 C12:H14 C16:H19", "#,##0")
    fmt(p, "C20:H20", '0.00" $/GPU-h"')
    q = wb.create_sheet("Decision")
    lines(
        q,
        {
            1: ["What do we sign?"],
            3: ["Offer", "Reserved H100 1y"],
            4: ["Price", "=_xlfn.XLOOKUP(B3,Offers!A4:A8,Offers!F4:F8)", "$/GPU-h"],
            5: ["Term", "=_xlfn.XLOOKUP(B3,Offers!A4:A8,Offers!G4:G8)", "months"],
            6: ["GPUs", "=Plan!C7*Offers!D6"],
            7: ["We commit to", "=B4*B6*730*B5", "$", "730 h in a month"],
            8: ["Above which use is it cheaper than on demand?", "=B4/Offers!F5"],
            9: ["Real use in the plan", "=Plan!H21"],
            10: ["Sign?", '=IF(B9>=B8,"yes","no")'],
            12: ["Spot price of useful work", "=Offers!F4/(1-Offers!H4)", "$/GPU-h"],
            13: ["Checkpoint", 988, "GB", "70.6 B parameters, 14 bytes each"],
            14: ["Storage writes at", 20, "GB/s"],
            15: ["Write time", "=B13/B14", "s"],
            16: ["A checkpoint every", 30, "min"],
            17: ["Time lost to checkpoints", "=B15/(B16*60)"],
        },
    )
    fmt(q, "B8 B9", "0%")
    fmt(q, "B17", "0.0%")
    fmt(q, "B7", "#,##0")
    for ws in wb:
        bold_rows(ws, 1, 3)
    bold_rows(p, 19)
    return wb


def third_finetune_pricelist() -> Workbook:
    wb = Workbook()
    m = wb.worksheets[0]
    m.title = "Models"
    rows = {
        1: ["Full fine-tuning - price list, H100 SXM"],
        2: [None, "Model", None, "Job", None, None, None, None, None, "Money"],
        3: [
            "Model",
            "Total params (B)",
            "Active params (B)",
            "GPUs per job",
            "State (GB)",
            "State per GPU (GB)",
            "GFLOP/token",
            "MFU",
            "Tokens/s per job",
            "GPU-h per Mtok",
            "Cost ($/Mtok)",
            "List price ($/Mtok)",
            "Margin",
        ],
        9: ["Peak bf16, dense", 989, "TFLOP/s"],
        10: ["GPU price", 2.6, "$/GPU-h"],
        11: ["GPU memory", 80, "GB"],
        12: ["Weights, gradients, Adam", 16, "bytes/param"],
        13: ["State fits everywhere?", '=IF(MAX(F4:F6)<=B11,"ok","too big")'],
    }
    for i, (n, t, a, g, mfu, lp) in enumerate(
        [
            ("Llama-3-8B", 8.03, 8.03, 8, 0.4, 0.48),
            ("Llama-3-70B", 70.6, 70.6, 32, 0.38, 2.9),
            ("Mixtral-8x7B", 46.7, 12.9, 16, 0.25, 1.2),
        ]
    ):
        r = 4 + i
        rows[r] = [
            n,
            t,
            a,
            g,
            f"=B{r}*$B$12",
            f"=E{r}/D{r}",
            f"=6*C{r}",
            mfu,
            f"=D{r}*$B$9*1000*H{r}/G{r}",
            f"=1E6/I{r}/3600*D{r}",
            f"=J{r}*$B$10",
            lp,
            f"=1-K{r}/L{r}",
        ]
    lines(m, rows)
    m.merge_cells("B2:C2")
    m.merge_cells("D2:I2")
    m.merge_cells("J2:M2")
    bold_rows(m, 1, 2, 3)
    fmt(m, "H4:H6 M4:M6", "0%")
    fmt(m, "E4:G6", "0.0")
    fmt(m, "I4:I6", "#,##0")
    fmt(m, "J4:K6", "0.000")
    q = wb.create_sheet("Quote")
    lines(
        q,
        {
            1: ["Offer 2026-031"],
            3: ["Customer", "Nordlicht Verlag"],
            4: ["Which model?", "Llama-3-70B"],
            5: ["How many examples?", 52000],
            6: ["Tokens per example", 820, "tokens"],
            7: ["Epochs", 3],
            8: ["Tokens trained", "=B5*B6*B7/1E6", "Mtok"],
            9: ["List price", "=VLOOKUP(B4,Models!A4:L6,12,FALSE)", "$/Mtok"],
            10: ["Training fee", "=B8*B9", "$"],
            11: ["Discount", 0.1],
            12: ["Fee after discount", "=B10*(1-B11)", "$"],
            13: ["Exchange rate", 0.92, "€/$"],
            14: ["Fee after discount", "=B12*B13", "€"],
            16: ["How long does it run?", "=B8*1E6/INDEX(Models!I4:I6,MATCH(B4,Models!A4:A6,0))/3600", "h"],
            17: ["On how many GPUs?", "=INDEX(Models!D4:D6,MATCH(B4,Models!A4:A6,0))", "GPUs"],
            18: ["GPU-hours", "=B16*B17", "GPU-h"],
            19: ["What does it cost us?", "=B18*Models!B10", "$"],
            20: ["Margin after discount", "=1-B19/B12"],
        },
    )
    bold_rows(q, 1)
    fmt(q, "B11 B20", "0%")
    fmt(q, "B10 B12 B14 B19", "#,##0.00")
    h = wb.create_sheet("Hosting")
    lines(
        h,
        {
            1: ["Hosting the tuned Llama-3-70B (FP8) for the customer"],
            3: ["Users", 250],
            4: ["Requests per user", 600, "1/month"],
            5: ["Requests", "=B3*B4", "1/month"],
            6: ["Input per request", 1400, "tokens"],
            7: ["Output per request", 260, "tokens"],
            8: ["Input", "=B5*B6/1E6", "Mtok/month"],
            9: ["Output", "=B5*B7/1E6", "Mtok/month"],
            10: ["Input price", 0.9, "$/Mtok"],
            11: ["Output price", 2.7, "$/Mtok"],
            12: ["Charge for input", "=B8*B10", "$/month"],
            13: ["Charge for output", "=B9*B11", "$/month"],
            14: ["Bill", "=B12+B13", "$/month"],
            15: ["Bill per user", "=B14/B3", "$/month"],
            17: ["Layers", 80],
            18: ["Attention heads", 64],
            19: ["KV heads", 8],
            20: ["Head dimension", 128],
            21: ["Bytes per cache entry", 2, "byte"],
            22: ["KV cache per token", "=2*B17*B19*B20*B21/1000", "kB"],
            23: ["Requests in flight", 24],
            24: ["Context", 4096, "tokens"],
            25: ["KV cache", "=B22*B24*B23/1E6", "GB"],
            26: ["Weights, 1 byte per parameter", "=Models!B5", "GB"],
            27: ["Memory needed", "=B25+B26", "GB"],
            28: ["Memory of 2 GPUs", "=2*Models!B11", "GB"],
            29: ["Fits?", '=IF(B27<=B28,"ok","too big")'],
            30: ["Busy hours in a month", 176, "h"],
            31: ["Mean output rate in busy hours", "=B9*1E6/(B30*3600)", "tokens/s"],
        },
    )
    bold_rows(h, 1)
    return wb


def third_embedding_tables() -> Workbook:
    wb = Workbook()
    t = wb.worksheets[0]
    t.title = "Tables"
    rows = {
        1: ["Embedding tables of the ads ranker"],
        3: [
            "Table",
            "Rows (M)",
            "Dim",
            "Bytes per value",
            "Size (GiB)",
            "Lookups per sample",
            "Read per sample (bytes)",
            "Pooling",
        ],
    }
    for i, (n, m, dim, lk, sh) in enumerate(
        [
            ("user_id", 310, 128, 1, "sum"),
            ("item_id", 95, 128, 120, "sum"),
            ("ad_id", 42, 64, 20, "mean"),
            ("query_hash", 500, 64, 30, "sum"),
            ("geo", 0.9, 32, 2, "mean"),
            ("page_id", 180, 64, 50, "sum"),
        ]
    ):
        r = 4 + i
        rows[r] = [n, m, dim, 2, f"=B{r}*1E6*C{r}*D{r}/2^30", lk, f"=F{r}*C{r}*D{r}", sh]
    rows.update(
        {
            10: ["Total", "=SUM(B4:B9)", None, None, "=SUM(E4:E9)", "=SUM(F4:F9)", "=SUM(G4:G9)"],
            12: ["Row-wise Adagrad, 4 bytes per row", None, None, None, "=B10*1E6*4/2^30"],
            13: ["Largest table", None, None, None, "=MAX(E4:E9)"],
        }
    )
    lines(t, rows)
    fmt(t, "E4:E13", "0.0")
    bold_rows(t, 1, 3, 10)
    s = wb.create_sheet("Serving")
    lines(
        s,
        {
            1: ["One replica of the ranker"],
            3: ["Quantity", "Value", "Unit", "Comment"],
            4: ["Tables", "=Tables!E10", "GiB"],
            5: ["Optimizer state", "=Tables!E12", "GiB", "trained online"],
            6: ["Dense part", 0.9, "10^9 params"],
            7: ["Dense weights", "=B6*1E9*2/2^30", "GiB", "bf16, a copy on each GPU"],
            8: ["GPU", "H200"],
            9: ["Memory of a GPU", 141, "GB"],
            10: ["same", "=B9*1E9/2^30", "GiB"],
            11: ["Usable", 0.85],
            12: ["GPUs needed for memory", "=ROUNDUP((B4+B5)/(B10*B11-B7),0)", "GPUs"],
            13: ["GPUs in the replica", 8, "GPUs"],
            14: ["Used per GPU", "=(B4+B5)/B13+B7", "GiB", "tables split evenly by columns"],
            15: ["Filled", "=B14/B10"],
            16: ["Fits?", '=IF(B14<=B10*B11,"ok","too big")'],
            18: ["Load of the replica", 8000000, "samples/s"],
            19: ["HBM reads, whole replica", "=B18*Tables!G10/1E9", "GB/s"],
            20: ["HBM reads per GPU", "=B19/B13", "GB/s"],
            21: ["HBM bandwidth of a GPU", 4.8, "TB/s"],
            22: ["Reached with random rows", 0.35],
            23: ["HBM load", "=B20/(B21*1000*B22)"],
            24: ["Pooled vectors per sample", "=SUMPRODUCT(Tables!C4:C9,Tables!D4:D9)", "bytes"],
            25: ["All-to-all, sent by a GPU", "=B18/B13*B24*(B13-1)/B13/1E9", "GB/s"],
            26: ["NVLink of a GPU, both directions", 900, "GB/s"],
            27: ["NVLink, one direction", "=B26/2", "GB/s"],
            28: ["NVLink load (send)", "=B25/B27"],
            29: ["NIC of the node", 400, "Gbit/s"],
            30: ["same", "=B29/8", "GB/s"],
            31: ["Features per sample", 620, "bytes"],
            32: ["Feature traffic", "=B18*B31/1E9", "GB/s"],
            33: ["NIC load", "=B32/B30"],
            34: ["Loading the tables over the NIC", "=B4*2^30/(B30*1E9)", "s"],
            36: ["Network, one way", 0.18, "ms"],
            37: ["Network, there and back", "=2*B36", "ms"],
            38: ["Feature store", 3.2, "ms"],
            39: ["Embedding kernel, measured", 410, "µs"],
            40: ["Dense forward", 1.9, "ms"],
            41: ["Sum of the mean times", "=B37+B38+B39/1000+B40", "ms"],
            42: ["Measured end to end, mean", 6.1, "ms"],
            43: ["Measured end to end, p99", 14.8, "ms"],
            44: ["Target for the p99", 20, "ms"],
            45: ["Target met?", '=IF(B43<=B44,"ok","too slow")'],
        },
    )
    bold_rows(s, 1, 3)
    fmt(s, "B11 B15 B22", "0%")
    fmt(s, "B23 B28 B33", "0.0%")
    fmt(s, "B4:B5 B7 B10 B14", '0.0" GiB"')
    fmt(s, "B18", "#,##0")
    return wb


def third_fleet_export() -> Workbook:
    wb = Workbook()
    e = wb.worksheets[0]
    e.title = "export"
    rows = {
        1: [
            "month",
            "cluster",
            "gpu_model",
            "gpus",
            "hours",
            "gpu_h_avail",
            "gpu_h_alloc",
            "alloc_frac",
            "gpu_w_avg",
            "gpu_kwh",
            "peak_tflops_bf16",
            "mean_tflops",
            "mfu",
            "hbm_gb",
            "hbm_used_gb_p95",
            "lat_ms_mean",
            "lat_ms_p99",
            "tok_in_m",
            "tok_out_m",
            "tok_out_per_s",
            "usd_per_gpu_h",
            "cost_usd",
        ]
    }
    data = [
        ("2025-06", "ams1", "H100 SXM", 512, 720, 301500, 540, 989, 371, 80, 71.2, 118, 402, 410000, 96000, 2.4),
        ("2025-06", "fra2", "A100 SXM 80GB", 256, 720, 131900, 330, 312, 128, 80, 66.4, 190, 588, 120000, 31000, 1.5),
        ("2025-06", "sto1", "H200", 128, 720, 81200, 570, 989, 402, 141, 118.5, 96, 310, 150000, 38500, 2.9),
        ("2025-07", "ams1", "H100 SXM", 512, 744, 325800, 552, 989, 379, 80, 72.0, 121, 415, 436000, 103000, 2.4),
        ("2025-07", "fra2", "A100 SXM 80GB", 256, 744, 129400, 318, 312, 121, 80, 65.1, 187, 571, 117000, 29500, 1.5),
        ("2025-07", "sto1", "H200", 128, 744, 88700, 583, 989, 410, 141, 121.3, 99, 322, 168000, 43200, 2.9),
    ]
    for i, (mo, cl, gm, n, h, al, w, pk, mt, hb, hu, lm, lp, ti, to, us) in enumerate(data):
        r = 2 + i
        rows[r] = [
            mo,
            cl,
            gm,
            n,
            h,
            f"=D{r}*E{r}",
            al,
            f"=G{r}/F{r}",
            w,
            f"=F{r}*I{r}/1000",
            pk,
            mt,
            f"=L{r}/K{r}",
            hb,
            hu,
            lm,
            lp,
            ti,
            to,
            f"=S{r}*1E6/(E{r}*3600)",
            us,
            f"=F{r}*U{r}",
        ]
    lines(e, rows)
    fmt(e, "H2:H7 M2:M7", "0.000")
    s = wb.create_sheet("summary")
    lines(
        s,
        {
            1: ["kpi", "value", "unit"],
            2: ["gpu_h_avail", "=SUM(export!F2:F7)", "gpu_h"],
            3: ["gpu_h_alloc", "=SUM(export!G2:G7)", "gpu_h"],
            4: ["alloc_frac", "=B3/B2"],
            5: ["gpu_h_idle", "=B2-B3", "gpu_h"],
            6: ["cost", "=SUM(export!V2:V7)", "usd"],
            7: ["usd_per_alloc_gpu_h", "=B6/B3", "usd/gpu_h"],
            8: ["tok_out", "=SUM(export!S2:S7)", "mtok"],
            9: ["usd_per_mtok_out", "=B6/B8", "usd/mtok"],
            10: ["worst_lat_p99", "=MAX(export!Q2:Q7)", "ms"],
            11: ["slo_lat_p99", 650, "ms"],
            12: ["slo_ok", '=IF(B10<=B11,"ok","breach")'],
            14: ["cluster", "gpu_kwh", "pue", "site_kwh", "g_co2e_per_kwh", "t_co2e", "eur_per_kwh", "power_eur"],
            15: [
                "ams1",
                "=SUMIFS(export!J$2:J$7,export!B$2:B$7,A15)",
                1.25,
                "=B15*C15",
                270,
                "=D15*E15/1E6",
                0.14,
                "=D15*G15",
            ],
            16: [
                "fra2",
                "=SUMIFS(export!J$2:J$7,export!B$2:B$7,A16)",
                1.4,
                "=B16*C16",
                350,
                "=D16*E16/1E6",
                0.17,
                "=D16*G16",
            ],
            17: [
                "sto1",
                "=SUMIFS(export!J$2:J$7,export!B$2:B$7,A17)",
                1.1,
                "=B17*C17",
                25,
                "=D17*E17/1E6",
                0.06,
                "=D17*G17",
            ],
            18: ["total", "=SUM(B15:B17)", None, "=SUM(D15:D17)", None, "=SUM(F15:F17)", None, "=SUM(H15:H17)"],
            20: ["gpu energy only, hosts are metered elsewhere; gpu_w_avg is over all hours, idle included"],
        },
    )
    fmt(s, "B7 B9", "0.00")
    fmt(s, "B4", "0.000")
    fmt(s, "F15:F18", "0.0")
    return wb


_BUILDERS = (
    third_roofline_exercise,
    third_tinyml_energy,
    third_radiology_fleet,
    third_diffusion_service,
    third_chatbot_mitarbeiter,
    third_bilan_carbone,
    third_spot_vs_reserved,
    third_finetune_pricelist,
    third_embedding_tables,
    third_fleet_export,
)


def _c(sheet: str, *refs: str) -> list[str]:
    return [f"{sheet}!{r}" for r in refs]


_SEEDS: Seeds = {
    "third_roofline_exercise": [
        ("mac-flop", {"Exercises!B13": "=B12"}, _c("Exercises", "B15", "B18", "B19", "B21")),
        ("flop-rate", {"Exercises!C13": "FLOP/s"}, _c("Exercises", "B13", "B15", "B19", "B21")),
        ("sparse-peak", {"Chips!D4": 624}, _c("Chips", "D3", "H4")),
        ("peak-precision", {"Exercises!B8": "=Chips!E5"}, _c("Exercises", "A8", "B16", "B18", "B22", "B29")),
        ("integer-ops", {"Chips!F3": "Dense INT8 (TFLOP/s)"}, _c("Chips", "F4", "F5", "F6", "F7", "F8")),
        ("binary-prefix", {"Exercises!B51": "=B49*B50/1E9"}, _c("Exercises", "C51", "B54")),
        ("above-limit", {"Exercises!B20": 95}, _c("Exercises", "B19", "B21", "B22")),
        ("link-direction", {"Exercises!B37": "=B36/(B34*1E9)*1E6"}, _c("Exercises", "B34")),
        ("kv-heads", {"Exercises!B49": "=2*B45*B46*B48*B7"}, _c("Exercises", "B46", "B51", "B54")),
        ("kv-factor", {"Exercises!B49": "=B45*B47*B48*B7"}, _c("Exercises", "B51", "B54")),
        ("active-params", {"Exercises!B60": "=B57*B7"}, _c("Exercises", "B61", "B62")),
        ("registry", {"Chips!C5": 3.9}, _c("Chips", "H5") + _c("Exercises", "B9")),
    ],
    "third_tinyml_energy": [
        ("time-scale", {"Budget!F6": "=D6*E6"}, _c("Budget", "F8")),
        (
            "power-energy",
            {"Budget!F3": "Energy per cycle [mW]"},
            _c("Budget", "F4", "F5", "F6", "F7", "F8", "D8", "B13"),
        ),
        ("calendar", {"Budget!B12": "=3600*1000/B11"}, _c("Budget", "C12", "B13")),
        ("bits-bytes", {"Budget!B27": "=B24/B26"}, _c("Budget", "B29")),
        ("mac-flop", {"Model!B16": "=C11/1E3"}, _c("Model", "B17", "B19")),
        ("binary-prefix", {"Model!D6": "=B6/1000"}, _c("Model", "D4", "D11")),
        ("integer-ops", {"Model!C17": "MFLOP/s"}, _c("Model", "A17", "B17", "B19")),
        ("above-limit", {"Model!B13": 2.6}, _c("Model", "B15", "B17", "B19")),
        ("statistic-mix", {"Model!B23": '=IF(B20<=B22,"ok","late")'}, _c("Model", "B20", "B22")),
        ("mixed-sum", {"Budget!F8": "=SUM(E4:F7)"}, _c("Budget", "D8", "B13")),
        ("percent", {"Budget!B18": 85}, _c("Budget", "B19")),
        ("params-bytes", {"Model!D8": "=B8"}, _c("Model", "D11", "B25")),
    ],
    "third_radiology_fleet": [
        ("bits-bytes", {"Sites!H5": "=D5/G5"}, []),
        ("percent-sum", {"Sites!E9": "=SUM(E4:E8)"}, []),
        ("calendar", {"Sites!B13": "=B11*30*B12/1000"}, []),
        ("params-bytes", {"Capacity!B10": "=B8*B9"}, _c("Capacity", "B13")),
        ("flop-rate", {"Capacity!B16": "=B6*B8"}, _c("Capacity", "B17")),
        ("device-scope", {"Energy!B6": "=(B4+Capacity!B25*B5)/1000"}, _c("Energy", "B8")),
        ("facility-energy", {"Energy!B11": "=B9*1000*pue*B10"}, _c("Energy", "B18")),
        ("statistic-mix", {"Capacity!B30": '=IF(B27<=B29,"yes","no")'}, _c("Capacity", "B27", "B29")),
        ("round-trip", {"Capacity!B33": "=B32*B31/1000"}, []),
        ("carbon-scale", {"Energy!B13": "=B9*B12/1E6"}, []),
        ("peak-precision", {"Capacity!B6": 733}, _c("Capacity", "A6", "B17")),
        ("percent", {"Capacity!B20": 60}, _c("Capacity", "B21")),
    ],
    "third_diffusion_service": [
        ("mac-flop", {"Scenarios!D17": "=D16"}, _c("Scenarios", "D18")),
        ("sparse-peak", {"Scenarios!C21": 1979}, _c("Scenarios", "C23", "A21")),
        ("params-bytes", {"Scenarios!E7": "=E4+E5"}, _c("Scenarios", "E10")),
        ("bits-bytes", {"Scenarios!C38": "=C25/60*C34/1000"}, []),
        (
            "time-scale",
            {"Scenarios!B23": "ms"},
            _c("Scenarios", "C23", "D23", "E23", "C24", "D24", "E24", "C40", "D40", "E40"),
        ),
        ("money-rate", {"Scenarios!E31": "=E27*E30"}, _c("Scenarios", "E33", "E42")),
        ("device-scope", {"Scenarios!C31": "=C28*C30*730"}, _c("Scenarios", "C28", "C33")),
        ("above-limit", {"Scenarios!E22": 1.45}, _c("Scenarios", "E23")),
        ("flop-rate", {"Scenarios!B20": "TFLOP/s"}, _c("Scenarios", "C20", "D20", "E20", "C23", "D23", "E23")),
        ("power-energy", {"Scenarios!B40": "W"}, _c("Scenarios", "C40", "D40", "E40")),
        ("bare-number", {"Scenarios!E20": "=E18+E19+40"}, _c("Scenarios", "E23")),
        ("user-total", {"Scenarios!D42": "=D31+D37"}, []),
    ],
    "third_chatbot_mitarbeiter": [
        ("user-total", {"Eigenbetrieb!B16": "=B13*B15/1E9"}, _c("Eigenbetrieb", "B17")),
        ("user-total", {"API-Kosten!B11": "=B10"}, []),
        ("token-direction", {"API-Kosten!B8": "=B5*Annahmen!B12"}, _c("API-Kosten", "B9")),
        ("token-price-scale", {"API-Kosten!B7": "=B5*1000*Annahmen!B11"}, _c("API-Kosten", "B9")),
        ("currency", {"API-Kosten!B10": "=B9"}, _c("API-Kosten", "C10", "C9", "B11", "B12", "B13")),
        ("kv-factor", {"Eigenbetrieb!B13": "=B8*B10*B11*B12"}, _c("Eigenbetrieb", "B16")),
        ("kv-heads", {"Eigenbetrieb!B13": "=2*B8*B9*B11*B12"}, _c("Eigenbetrieb", "B9", "B16")),
        ("token-rate", {"Eigenbetrieb!C25": "Token"}, _c("Eigenbetrieb", "B25", "B26", "A25")),
        ("money-rate", {"Eigenbetrieb!B39": "=B18*B37"}, _c("Eigenbetrieb", "B40", "B41")),
        ("link-direction", {"Eigenbetrieb!B35": "=B34/B32*1E3"}, _c("Eigenbetrieb", "B32", "B36")),
        ("round-trip", {"Eigenbetrieb!B31": "=B30"}, _c("Eigenbetrieb", "B36")),
        ("mixed-sum", {"Eigenbetrieb!B17": "=B7+SUM(B13:B16)"}, _c("Eigenbetrieb", "B22")),
    ],
    "third_bilan_carbone": [
        ("facility-energy", {"Bilan!B9": "=B7*Données!B18*B8/1000"}, _c("Bilan", "B13")),
        ("carbon-scale", {"Bilan!B9": "=B7*B8"}, _c("Bilan", "B13")),
        (
            "power-energy",
            {"Bilan!C7": "MW"},
            [*_c("Bilan", "B7", "B9", "B15", "B19", "A7"), "Régions!D4", "Régions!E4"],
        ),
        ("device-hours", {"Bilan!B4": "=Données!B12*Données!B16/1E6"}, _c("Bilan", "B6")),
        ("device-scope", {"Bilan!B5": "=Données!B11*Données!B17*Données!B12/1E6"}, _c("Bilan", "B6")),
        ("calendar", {"Bilan!B12": "=Données!B15*B10*Données!B12/(B11*365)/1000"}, _c("Bilan", "B13")),
        ("percent", {"Données!B9": 42}, _c("Données", "B10")),
        ("peak-precision", {"Données!B8": 19.5}, _c("Données", "A8", "B10")),
        ("flop-rate", {"Données!C6": "FLOP/s"}, _c("Données", "B6", "B10", "A6")),
        ("currency", {"Bilan!C15": "$"}, _c("Bilan", "B15", "B18")),
        ("bare-number", {"Bilan!B13": "=B9+B12+2"}, []),
        ("unit-contradiction", {"Bilan!C6": "kWh"}, _c("Bilan", "B6", "B7", "B4", "B5")),
    ],
    "third_spot_vs_reserved": [
        ("money-rate", {"Plan!C16": "=C7*Offers!$F$6*C5"}, _c("Plan", "C19", "H16")),
        ("device-hours", {"Plan!D8": "=D7*D5"}, _c("Plan", "D9", "D21", "H8")),
        ("calendar", {"Plan!F5": "=F4"}, _c("Plan", "F8", "F16", "H5")),
        ("device-scope", {"Offers!F7": "=E7"}, []),
        ("percent-sum", {"Plan!H21": "=SUM(C21:G21)"}, _c("Decision", "B9")),
        ("mixed-sum", {"Plan!G19": "=SUM(G12:G18)"}, _c("Plan", "G20")),
        ("bare-number", {"Plan!E19": "=SUM(E16:E18)+1500"}, _c("Plan", "E20")),
        ("percent", {"Offers!H4": 8}, [*_c("Plan", "C13", "D13", "E13", "F13", "G13", "H13"), "Decision!B12"]),
        (
            "currency",
            {"Plan!B18": "€"},
            _c("Plan", "C18", "D18", "E18", "F18", "G18", "H18", "C19", "D19", "E19", "F19", "G19", "H19"),
        ),
        ("registry", {"Offers!C8": 48}, _c("Offers", "B8")),
        ("time-scale", {"Decision!B17": "=B15/B16"}, []),
        ("unit-contradiction", {"Plan!B20": "$/month"}, _c("Plan", "A20", "C20", "D20", "E20", "F20", "G20", "H20")),
    ],
    "third_finetune_pricelist": [
        ("active-params", {"Models!G6": "=6*B6"}, _c("Models", "I6")),
        ("active-params", {"Models!E6": "=C6*$B$12"}, _c("Models", "F6")),
        ("token-price-scale", {"Quote!B10": "=B8*1000*B9"}, _c("Quote", "B12")),
        ("token-direction", {"Hosting!B13": "=B8*B11"}, _c("Hosting", "B14")),
        ("device-hours", {"Quote!B19": "=B16*Models!B10"}, _c("Quote", "B20")),
        ("kv-heads", {"Hosting!B22": "=2*B17*B18*B20*B21/1000"}, _c("Hosting", "B18", "B25")),
        ("kv-factor", {"Hosting!B22": "=B17*B19*B20*B21/1000"}, _c("Hosting", "B25")),
        ("above-limit", {"Models!H5": 1.38}, _c("Models", "I5")),
        ("sparse-peak", {"Models!B9": 1979}, _c("Models", "A9", "I4", "I5", "I6")),
        ("token-rate", {"Hosting!C31": "tokens"}, _c("Hosting", "B31", "A31")),
        ("user-total", {"Hosting!B15": "=B14"}, []),
        ("registry", {"Models!B5": 80.6}, [*_c("Models", "C5", "E5"), "Hosting!B26"]),
    ],
    "third_embedding_tables": [
        ("binary-prefix", {"Tables!E4": "=B4*1E6*C4*D4/1E9"}, _c("Tables", "E3", "E10")),
        ("params-bytes", {"Tables!E7": "=B7*1E6*C7/2^30"}, _c("Tables", "E10")),
        ("registry", {"Serving!B21": 5.4}, _c("Serving", "B8", "B23")),
        ("bits-bytes", {"Serving!B30": "=B29"}, _c("Serving", "B33", "B34")),
        ("link-direction", {"Serving!B28": "=B25/B26"}, _c("Serving", "B26")),
        ("round-trip", {"Serving!B37": "=B36"}, _c("Serving", "B41")),
        ("time-scale", {"Serving!B41": "=B37+B38+B39+B40"}, _c("Serving", "B39")),
        ("statistic-mix", {"Serving!B45": '=IF(B42<=B44,"ok","too slow")'}, _c("Serving", "B42", "B44")),
        ("device-scope", {"Serving!B23": "=B19/(B21*1000*B22)"}, _c("Serving", "B19")),
        ("mixed-sum", {"Tables!E10": "=SUM(E4:F9)"}, _c("Serving", "B4")),
        ("above-limit", {"Serving!B13": 1}, _c("Serving", "B12", "B14", "B15", "B16")),
        ("unit-contradiction", {"Serving!C14": "GB"}, _c("Serving", "B14", "B15", "B16")),
    ],
    "third_fleet_export": [
        ("above-limit", {"export!L2": 1371}, _c("export", "K2", "M2")),
        ("registry", {"export!N4": 128}, _c("export", "C4", "O4")),
        ("token-price-scale", {"summary!B9": "=B6/(B8*1000)"}, _c("summary", "C9", "A9")),
        (
            "power-energy",
            {"export!J1": "gpu_kw"},
            _c("export", "J2", "J3", "J4", "J5", "J6", "J7") + _c("summary", "B15", "B16", "B17"),
        ),
        ("device-hours", {"export!F3": "=E3"}, _c("export", "H3", "J3", "V3")),
        ("percent-sum", {"summary!B4": "=SUM(export!H2:H7)"}, []),
        ("statistic-mix", {"summary!B10": "=MAX(export!P2:P7)"}, _c("summary", "B12")),
        ("token-rate", {"export!T3": "=S3*1E6"}, []),
        ("token-direction", {"export!T2": "=R2*1E6/(E2*3600)"}, []),
        ("facility-energy", {"summary!F15": "=D15*C15*E15/1E6"}, _c("summary", "F18")),
        ("carbon-scale", {"summary!F16": "=D16*E16/1E3"}, _c("summary", "F18", "F14")),
        (
            "integer-ops",
            {"export!K1": "peak_tops_int8"},
            _c("export", "M2", "M3", "M4", "M5", "M6", "M7", "K2", "K3", "K4", "K5", "K6", "K7"),
        ),
    ],
}

BOOKS = books_of(_BUILDERS, _SEEDS)
