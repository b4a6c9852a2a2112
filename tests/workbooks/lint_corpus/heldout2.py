"""A second set of workbooks that no rule was written against: twelve authors, each with a layout of their own."""

from __future__ import annotations

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.table import Table
from openpyxl.worksheet.worksheet import Worksheet

from .book import Book, Seed

__all__ = ["BOOKS"]


def _value(text: str) -> int | float | str:
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() and "E" not in text.upper() else number


def _grid(sheet: Worksheet, text: str) -> None:
    """Fill a sheet from lines "row: A | B | C"; an empty field leaves its cell empty."""
    for line in text.strip().splitlines():
        row, _, cells = line.strip().partition(":")
        for column, cell in enumerate(cells.split("|"), start=1):
            if cell.strip():
                sheet.cell(int(row), column, _value(cell.strip()))


def _sheet(title: str, text: str) -> Workbook:
    book = Workbook()
    book.active.title = title
    _grid(book.active, text)
    return book


def _more(book: Workbook, title: str, text: str) -> Worksheet:
    sheet = book.create_sheet(title)
    _grid(sheet, text)
    return sheet


def _formats(sheet: Worksheet, formats: dict[str, str]) -> None:
    """Set number formats: "B3" or "B3:E3" to a format."""
    for where, number_format in formats.items():
        cells = sheet[where]
        for row in cells if isinstance(cells, tuple) else ((cells,),):
            for cell in row:
                cell.number_format = number_format


# 1. A bottling plant: camera inspection on edge cards. A unit column.


def _belt_cameras() -> Workbook:
    book = _sheet(
        "Line 3",
        """
        1: Bottle line 3, camera inspection - sizing by R. Okonkwo, maintenance office
        3: Quantity | Figure | Unit | Remark
        4: Cameras | 24 | pcs | 3 per station
        5: Frame rate per camera | 30 | frames/s
        6: Stream bitrate per camera | 12 | Mbit/s | H.265
        7: Multiply-accumulates of the network | 38.5 | GMAC/frame | from the exporter
        8: Compute of the network | =2*B7 | GFLOP/frame | 1 MAC = 2 FLOP
        9: Compute for all cameras | =B4*B5*B8/1000 | TFLOP/s
        10: L4 peak, FP16 dense | 121 | TFLOP/s | data sheet
        11: L4 peak, INT8 dense | 242 | TOP/s | data sheet, for the quantised variant
        12: Achievable share of peak | 0.3 | | from last year's pilot
        13: L4 cards for FP16 | =ROUNDUP(B9/(B10*B12),0) | cards
        14: Spare | 1 | cards
        15: Cards installed | =B13+B14 | cards
        16: Board power per L4 | 72 | W
        17: Power of all cards | =B15*B16/1000 | kW
        18: Hours per working day | 16 | h/day | two shifts
        19: Working days per year | 250 | days/year
        20: Energy of the cards | =B17*B18*B19 | kWh/year
        21: Video from all cameras | =B4*B6/8 | MB/s
        22: Keep recordings for | 14 | days
        23: Recordings on disk | =B21*3600*B18*B22/1E6 | TB
        24: Same, as the array shows it | =B23/1.099511627776 | TiB
        26: Capture and decode | 9 | ms
        27: Network pass | =B8/(B10*B12) | ms | GFLOP over TFLOP/s gives ms
        28: Reject valve | 25 | ms
        29: Reaction time | =SUM(B26:B28) | ms
        30: Bottle travels to the valve in | 0.08 | s
        31: Margin | =B30-B29/1000 | s
        32: Time between frames | =1000/B5 | ms
        33: Verdict | =IF(B31>0,"fits","too slow")
        34: INT8 operations for all cameras | =B4*B5*B8/1000 | TOP/s | same count, integer arithmetic
        35: L4 cards for INT8 | =ROUNDUP(B34/(B11*B12),0) | cards
        """,
    )
    _formats(book.active, {"B12": "0%", "B24": "0.0", "B27": "0.00", "B31": "0.000", "B32": "0.0"})
    return book


_BELT_CAMERAS = Book(
    "second_belt_cameras",
    _belt_cameras,
    (
        Seed("mac-flop", {"Line 3!B8": "=B7"}, ("Line 3!B9",)),
        Seed("mac-flop", {"Line 3!B9": "=B4*B5*B7/1000"}),
        Seed("mac-flop", {"Line 3!B27": "=B7/(B10*B12)"}),
        Seed("integer-ops", {"Line 3!B13": "=ROUNDUP(B9/(B11*B12),0)"}),
        Seed("integer-ops", {"Line 3!B27": "=B8/(B11*B12)"}),
        Seed("integer-ops", {"Line 3!C11": "TFLOP/s"}, ("Line 3!B11", "Line 3!B35")),
        Seed("sparse-peak", {"Line 3!B10": 242}, ("Line 3!B13", "Line 3!B27")),
        Seed("bits-bytes", {"Line 3!B21": "=B4*B6"}, ("Line 3!B23",)),
        Seed("bits-bytes", {"Line 3!C6": "MB/s"}, ("Line 3!B6", "Line 3!B21")),
        Seed("binary-prefix", {"Line 3!B24": "=B23"}),
        Seed("binary-prefix", {"Line 3!B24": "=B23*1.099511627776"}),
        Seed("time-scale", {"Line 3!B31": "=B30-B29"}),
        Seed("time-scale", {"Line 3!B32": "=1/B5"}),
        Seed("time-scale", {"Line 3!C28": "s"}, ("Line 3!B28", "Line 3!B29")),
        Seed("power-energy", {"Line 3!C17": "kWh"}, ("Line 3!B17", "Line 3!B20")),
        Seed("power-energy", {"Line 3!B20": "=B17"}),
        Seed("device-scope", {"Line 3!B17": "=B16/1000"}),
        Seed("percent", {"Line 3!B13": "=ROUNDUP(B9/(B10*B12/100),0)"}, ("Line 3!B12",)),
        Seed("above-limit", {"Line 3!B12": 1.3}, ("Line 3!B13", "Line 3!B27", "Line 3!B35")),
        Seed("registry", {"Line 3!B16": 27}, ("Line 3!B17",)),
    ),
)


# 2. A pretraining proposal: units in square brackets, three scenario columns.


def _pretraining() -> Workbook:
    rows = [
        ("Pretraining proposal, language group (T. Vesterholm)",),
        ("", "Pilot", "Base", "Stretch"),
        ("Parameters [billion]", 1.3, 8.03, 70.6),
        ("Training tokens [trillion]", 0.3, 2, 4),
        ("Training compute [FLOP]", "=6*{c}3*1E9*{c}4*1E12"),
        ("GPUs (H100 SXM)", 64, 512, 2048),
        ("GPUs per node", 8, 8, 8),
        ("Nodes", "={c}6/{c}7"),
        ("Peak per GPU, bf16 dense [TFLOP/s]", 989, 989, 989),
        ("MFU on bf16 [%]", 41, 42, 38),
        ("Achieved per GPU, bf16 [TFLOP/s]", "={c}9*{c}10/100"),
        ("Achieved, whole job, bf16 [TFLOP/s]", "={c}11*{c}6"),
        ("Wall-clock, undisturbed [h]", "={c}5/({c}12*1E12)/3600"),
        ("Allowance for restarts [%]", 5, 8, 12),
        ("Wall-clock, with restarts [h]", "={c}13*(1+{c}14/100)"),
        ("Wall-clock, with restarts [days]", "={c}15/24"),
        ("GPU-hours [GPU-h]", "={c}15*{c}6"),
        ("Rate [$/GPU-h]", 2.35, 2.35, 2.1),
        ("Compute bill [k$]", "={c}17*{c}18/1000"),
        ("State per parameter [bytes]", 14, 14, 14),
        ("Checkpoint [GB]", "={c}3*{c}20"),
        ("Power per node [kW]", 10.2, 10.2, 10.2),
        ("IT energy [MWh]", "={c}8*{c}22*{c}15/1000"),
        ("PUE", 1.25, 1.25, 1.25),
        ("Facility energy [MWh]", "={c}23*{c}24"),
        ("Grid intensity [g CO2e/kWh]", 280, 280, 280),
        ("Emissions [t CO2e]", "={c}25*{c}26/1000"),
        ("For later: peak per GPU, fp8 dense [TFLOP/s]", 1979, 1979, 1979),
    ]
    book = Workbook()
    sheet = book.active
    sheet.title = "Run plan"
    for row, cells in enumerate(rows, start=1):
        label, *values = cells
        if label:
            sheet.cell(row, 1, label)
        if len(values) == 1:
            values = [values[0].format(c=column) for column in "BCD"]
        for column, value in enumerate(values, start=2):
            sheet.cell(row, column, value)
    _formats(sheet, {"B5:D5": "0.00E+00", "B12:D13": "#,##0", "B17:D17": "#,##0", "B27:D27": "0.0"})
    return book


_PRETRAINING = Book(
    "second_pretraining",
    _pretraining,
    (
        Seed("flop-rate", {"Run plan!A5": "Training compute [FLOP/s]"}, ("Run plan!B5", "Run plan!B13")),
        Seed("flop-rate", {"Run plan!C11": "=C5/C6/1E12"}, ("Run plan!C12",)),
        Seed("flop-rate", {"Run plan!A9": "Peak per GPU, bf16 dense [TFLOP]"}, ("Run plan!B9", "Run plan!B11")),
        Seed("sparse-peak", {"Run plan!D9": 1979}, ("Run plan!D11",)),
        Seed("peak-precision", {"Run plan!B11": "=B28*B10/100"}),
        Seed("peak-precision", {"Run plan!C9": 67}, ("Run plan!C11",)),
        Seed("percent", {"Run plan!B11": "=B9*B10"}, ("Run plan!B12",)),
        Seed("percent", {"Run plan!D15": "=D13*(1+D14)"}),
        Seed("calendar", {"Run plan!C16": "=C15*24"}),
        Seed("calendar", {"Run plan!D13": "=D5/(D12*1E12)"}, ("Run plan!D15",)),
        Seed("device-hours", {"Run plan!B17": "=B15"}, ("Run plan!B19",)),
        Seed("device-hours", {"Run plan!C16": "=C17/24"}),
        Seed("device-hours", {"Run plan!D23": "=D8*D22*D17/1000"}),
        Seed("facility-energy", {"Run plan!C27": "=C25*C24*C26/1000"}),
        Seed("facility-energy", {"Run plan!D25": "=D23"}, ("Run plan!D27",)),
        Seed("carbon-scale", {"Run plan!B27": "=B25*B26"}),
        Seed("carbon-scale", {"Run plan!A26": "Grid intensity [kg CO2e/kWh]"}, ("Run plan!B26", "Run plan!B27")),
        Seed("above-limit", {"Run plan!C10": 142}, ("Run plan!C11",)),
        Seed("device-scope", {"Run plan!C23": "=C6*C22*C15/1000"}),
        Seed("params-bytes", {"Run plan!D21": "=D3"}),
    ),
)


# 3. A voice agent: a latency ladder, and a second sheet with a unit row below the headers.


def _voice_agent() -> Workbook:
    book = _sheet(
        "Hops",
        """
        1: Voice agent - where the time goes (K. Abara-Lindqvist)
        3: Stage | Mean [ms] | p99 [ms] | Comment
        4: Microphone to edge, one way | 9 | 22 | wifi
        5: Edge to region, one way | 18 | 41
        6: Speech recognition | 120 | 260 | streaming
        7: Prompt processing | =Decode!K4 | 210
        8: First sentence | =Decode!H4 | 180
        9: Speech synthesis | 85 | 150
        10: Region to edge, one way | 18 | 41
        11: Edge to loudspeaker, one way | 9 | 22
        12: End to end, mean | =SUM(B4:B11)
        13: Worst stage, p99 | | =MAX(C4:C11)
        14: Network round trip, mean | =2*(B4+B5)
        15: Network part of the mean | =B14/B12
        17: Target for the mean end to end, in seconds | 1.2
        18: Slack of the mean, in seconds | =B17-B12/1000
        """,
    )
    _formats(book["Hops"], {"B15": "0%", "B7:B8": "0.0", "B12": "0", "B18": "0.00"})
    book["Hops"]["A1"].font = Font(bold=True, size=14)
    sheet = _more(
        book,
        "Decode",
        """
        1: Decoding on one H100 SXM, batch of one, weights read once per token
        2: Model | Parameters | Weight width | Weights | HBM bandwidth | Step | Sentence | Sentence time | Prompt | Prefill speed | Prefill time | Speed per stream | Streams | Total speed
        3: | billion | bytes/param | GB | TB/s | ms/tok | tok | ms | tok | tok/s | ms | tok/s | count | tok/s
        4: Llama-3-8B bf16 | 8.03 | 2 | =B4*C4 | 3.35 | =D4/E4 | 14 | =F4*G4 | 600 | 12000 | =I4/J4*1000 | =1000/F4 | 16 | =L4*M4
        5: Llama-3-8B fp8 | 8.03 | 1 | =B5*C5 | 3.35 | =D5/E5 | 14 | =F5*G5 | 600 | 19000 | =I5/J5*1000 | =1000/F5 | 16 | =L5*M5
        6: Llama-3-70B fp8 | 70.6 | 1 | =B6*C6 | 3.35 | =D6/E6 | 14 | =F6*G6 | 600 | 2300 | =I6/J6*1000 | =1000/F6 | 4 | =L6*M6
        """,
    )
    _formats(sheet, {"F4:F6": "0.00", "H4:H6": "0.0", "K4:L6": "0.0", "N4:N6": "#,##0"})
    return book


_VOICE_AGENT = Book(
    "second_voice_agent",
    _voice_agent,
    (
        Seed("statistic-mix", {"Hops!B12": "=SUM(B4:B10)+C11"}),
        Seed("statistic-mix", {"Hops!B14": "=2*(B4+C5)"}, ("Hops!B15",)),
        Seed("statistic-mix", {"Hops!B12": "=SUM(C4:C11)"}),
        Seed("statistic-mix", {"Hops!B18": "=B17-C13/1000"}),
        Seed("round-trip", {"Hops!B14": "=B4+B5"}, ("Hops!B15",)),
        Seed("round-trip", {"Hops!A5": "Edge to region, round trip"}, ("Hops!B5", "Hops!B12", "Hops!B14")),
        Seed("time-scale", {"Hops!B18": "=B17-B12"}),
        Seed("time-scale", {"Decode!K5": "=I5/J5"}),
        Seed("time-scale", {"Decode!F3": "s/tok"}, ("Decode!F4", "Decode!H4", "Decode!L4")),
        Seed("token-rate", {"Decode!N3": "tok"}, ("Decode!N4",)),
        Seed("token-rate", {"Decode!H6": "=F6*J6"}),
        Seed("token-rate", {"Decode!I3": "tok/s"}, ("Decode!I4", "Decode!K4")),
        Seed("user-total", {"Decode!N5": "=L5"}),
        Seed("params-bytes", {"Decode!F4": "=B4/E4"}),
        Seed("params-bytes", {"Decode!D6": "=B6"}, ("Decode!F6",)),
        Seed("registry", {"Decode!E5": 5.33}, ("Decode!F5",)),
        Seed("bare-number", {"Hops!B12": "=SUM(B4:B11)+15"}),
        Seed("percent", {"Hops!B15": "=B14/B12*100"}),
    ),
)


# 4. Memory for long contexts: models across, merged headers, a unit column beside the labels.


def _long_context() -> Workbook:
    rows = [
        (3, "Total parameters", "billion", 8.03, 70.6, 46.7),
        (4, "Active parameters per token", "billion", 8.03, 70.6, 12.9),
        (5, "Width of a weight", "bytes/param", 2, 2, 2),
        (6, "Weights", "GB", "={c}3*{c}5"),
        (7, "Layers", "#", 32, 80, 32),
        (8, "Attention heads", "#", 32, 64, 32),
        (9, "KV heads", "#", 8, 8, 8),
        (10, "Head dimension", "#", 128, 128, 128),
        (11, "Width of a cache element", "bytes", 2, 2, 2),
        (12, "KV cache per token", "bytes/token", "=2*{c}7*{c}9*{c}10*{c}11"),
        (13, "Context per session", "tokens", 32768, 32768, 32768),
        (14, "KV cache per session", "GiB", "={c}12*{c}13/2^30"),
        (15, "Sessions at once", "#", 40, 24, 60),
        (16, "KV cache, all sessions", "GiB", "={c}14*{c}15"),
        (17, "KV cache, all sessions", "GB", "={c}16*1.073741824"),
        (18, "Memory needed", "GB", "={c}6+{c}17"),
        (19, "Memory per H100 SXM", "GB", 80, 80, 80),
        (20, "Usable of it", "%", 90, 90, 90),
        (21, "GPUs to hold it", "GPUs", "=ROUNDUP({c}18/({c}19*{c}20/100),0)"),
        (22, "Memory used on each GPU", "GB", "={c}18/{c}21"),
        (23, "Fill of each GPU", "%", "={c}22/{c}19*100"),
        (24, "Compute per generated token", "GFLOP", "=2*{c}4"),
    ]
    book = Workbook()
    sheet = book.active
    sheet.title = "Fit"
    sheet["A1"] = "Does a 32k context fit? (group of Priya Natarajan)"
    sheet.merge_cells("A1:E1")
    for column, text in enumerate(("", "Unit", "Llama-3-8B", "Llama-3-70B", "Mixtral-8x7B"), start=1):
        if text:
            sheet.cell(2, column, text)
    for row, label, unit, *values in rows:
        sheet.cell(row, 1, label)
        sheet.cell(row, 2, unit)
        if len(values) == 1:
            values = [values[0].format(c=column) for column in "CDE"]
        for column, value in enumerate(values, start=3):
            sheet.cell(row, column, value)
    _formats(sheet, {"C6:E6": "0.0", "C12:E13": "#,##0", "C16:E18": "0.0", "C22:E23": "0.0"})
    return book


_LONG_CONTEXT = Book(
    "second_long_context",
    _long_context,
    (
        Seed("kv-factor", {"Fit!C12": "=C7*C9*C10*C11"}, ("Fit!C14",)),
        Seed("kv-factor", {"Fit!D14": "=D7*D9*D10*D11*D13/2^30"}, ("Fit!D16",)),
        Seed("kv-heads", {"Fit!D12": "=2*D7*D8*D10*D11"}, ("Fit!D14",)),
        Seed("kv-heads", {"Fit!E9": 32}, ("Fit!E12",)),
        Seed("active-params", {"Fit!E6": "=E4*E5"}, ("Fit!E18",)),
        Seed("active-params", {"Fit!E24": "=2*E3"}),
        Seed("active-params", {"Fit!E4": 46.7}, ("Fit!E24",)),
        Seed("binary-prefix", {"Fit!C18": "=C6+C16"}),
        Seed("binary-prefix", {"Fit!D17": "=D16/1.073741824"}),
        Seed("binary-prefix", {"Fit!D14": "=D12*D13/1E9"}, ("Fit!D16",)),
        Seed("binary-prefix", {"Fit!B14": "GB"}, ("Fit!C14", "Fit!C16")),
        Seed("user-total", {"Fit!D18": "=D6+D14*1.073741824"}),
        Seed("user-total", {"Fit!C16": "=C14"}, ("Fit!C17",)),
        Seed("params-bytes", {"Fit!C18": "=C3+C17"}),
        Seed("percent", {"Fit!D21": "=ROUNDUP(D18/(D19*D20),0)"}, ("Fit!D22",)),
        Seed("percent", {"Fit!C23": "=C22/C19"}),
        Seed("above-limit", {"Fit!D21": 3}, ("Fit!D22", "Fit!D23")),
        Seed("registry", {"Fit!E19": 64}, ("Fit!E21", "Fit!E23")),
        Seed("device-scope", {"Fit!C23": "=C18/C19*100"}),
    ),
)


# 5. A support bot's bill: monthly columns, units in round brackets, prices on a sheet of their own.


def _bot_bill() -> Workbook:
    book = _sheet(
        "Prices",
        """
        1: Vendor price sheet, as of 3 Feb (Odile M.)
        2: Model | Input ($/Mtok) | Output ($/Mtok)
        3: Large | 3 | 15
        4: Small | 0.25 | 1.25
        6: Embedding price ($/ktok) | 0.0001
        7: Euro per dollar (€/$), 3 Feb | 0.93
        """,
    )
    rows = [
        (3, "Active users", 1200, 1400, 1650, 1900),
        (4, "Conversations per user", 9, 9.5, 9.5, 10),
        (5, "Conversations", "={c}3*{c}4"),
        (6, "Input tokens per conversation", 2600, 2600, 2900, 2900),
        (7, "Output tokens per conversation", 450, 450, 470, 470),
        (8, "Input volume (Mtok)", "={c}5*{c}6/1E6"),
        (9, "Output volume (Mtok)", "={c}5*{c}7/1E6"),
        (10, "Routed to Large", 0.35, 0.35, 0.3, 0.25),
        (11, "Large, input ($)", "={c}8*{c}10*Prices!$B$3"),
        (12, "Large, output ($)", "={c}9*{c}10*Prices!$C$3"),
        (13, "Small, input ($)", "={c}8*(1-{c}10)*Prices!$B$4"),
        (14, "Small, output ($)", "={c}9*(1-{c}10)*Prices!$C$4"),
        (15, "Embedding volume (ktok)", 180000, 210000, 240000, 280000),
        (16, "Embeddings ($)", "={c}15*Prices!$B$6"),
        (17, "Bill ($)", "=SUM({c}11:{c}14,{c}16)"),
        (18, "Bill (€)", "={c}17*Prices!$B$7"),
        (19, "Bill per user ($)", "={c}17/{c}3"),
    ]
    sheet = _more(book, "Bill", "1: Support bot, what the tokens cost us\n2: | Jan | Feb | Mar | Apr | Jan-Apr")
    for row, label, *values in rows:
        sheet.cell(row, 1, label)
        if len(values) == 1:
            values = [values[0].format(c=column) for column in "BCDE"]
        for column, value in enumerate(values, start=2):
            sheet.cell(row, column, value)
    for row in (5, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18):
        sheet.cell(row, 6, f"=SUM(B{row}:E{row})")
    sheet["F10"] = "=SUMPRODUCT(B10:E10,B8:E8)/F8"
    _formats(sheet, {"B10:F10": "0%", "B8:F9": "0.0", "B11:F14": "#,##0.00", "B16:F19": "#,##0.00"})
    return book


_BOT_BILL = Book(
    "second_bot_bill",
    _bot_bill,
    (
        Seed("token-price-scale", {"Prices!A6": "Embedding price ($/Mtok)"}, ("Prices!B6", "Bill!B16")),
        Seed("token-price-scale", {"Bill!C16": "=C15/1000*Prices!$B$6"}),
        Seed("token-price-scale", {"Prices!C2": "Output ($/ktok)"}, ("Prices!C3", "Bill!B12", "Bill!B14")),
        Seed("token-direction", {"Bill!C12": "=C8*C10*Prices!$C$3"}),
        Seed("token-direction", {"Bill!D11": "=D8*D10*Prices!$C$3"}),
        Seed("token-direction", {"Bill!B9": "=B5*B6/1E6"}),
        Seed("currency", {"Bill!D18": "=D17"}),
        Seed("currency", {"Bill!F17": "=SUM(B17:D17)+E18"}),
        Seed("currency", {"Bill!A18": "Bill (£)"}, ("Bill!B18",)),
        Seed("money-rate", {"Bill!B12": "=B10*Prices!$C$3"}, ("Bill!B17",)),
        Seed("money-rate", {"Bill!C17": "=SUM(C11:C14)+Prices!$B$6"}),
        Seed("user-total", {"Bill!D19": "=D17"}),
        Seed("user-total", {"Bill!C8": "=C4*C6/1E6"}),
        Seed("percent-sum", {"Bill!F10": "=SUM(B10:E10)"}),
        Seed("mixed-sum", {"Bill!B17": "=SUM(B11:B16)"}),
        Seed("mixed-sum", {"Bill!E17": "=SUM(E9,E11:E14,E16)"}),
        Seed("percent", {"Bill!E10": 25}, ("Bill!E11", "Bill!E12", "Bill!E13", "Bill!E14")),
        Seed("bare-number", {"Bill!E17": "=SUM(E11:E14,E16)+25"}),
    ),
)


# 6. In German: electricity and climate of a GPU room.


def _gpu_raum() -> Workbook:
    book = _sheet(
        "Bilanz",
        """
        1: Strom- und Klimabilanz GPU-Raum, Stand März (H. Brandstetter)
        3: Größe | Wert | Einheit | Quelle
        4: Anzahl Knoten | 12 | Stück | Inventar
        5: GPUs je Knoten | 8 | Stück
        6: GPUs gesamt | =B4*B5 | Stück
        7: Leistung je GPU (H100 SXM) | 700 | W | Datenblatt
        8: Übrige Leistung je Knoten | 4.2 | kW | CPU, Lüfter, Netz
        9: Leistung je Knoten | =B5*B7/1000+B8 | kW
        10: IT-Leistung gesamt | =B4*B9 | kW
        11: Mittlere Auslastung | 70 | % | Messung Q4
        12: Betriebsstunden je Jahr | 8760 | h
        13: IT-Energie je Jahr | =B10*B11/100*B12/1000 | MWh
        14: PUE | 1.32 | - | Betreiber
        15: Gesamtenergie je Jahr inkl. Kühlung | =B13*B14 | MWh
        16: Strompreis | 0.215 | €/kWh | Vertrag
        17: Stromkosten je Jahr | =B15*1000*B16 | €
        18: Stromkosten je Monat | =B17/12 | €
        19: Emissionsfaktor | 363 | g CO2e/kWh | UBA
        20: Emissionen je Jahr | =B15*B19/1000 | t CO2e
        21: Emissionen je GPU und Jahr | =B20*1000/B6 | kg CO2e
        22: GPU-Stunden je Jahr | =B6*B12*B11/100 | GPU-h
        23: Emissionen je GPU-Stunde | =B20*1000000/B22 | g CO2e/GPU-h
        24: Wartungsvertrag je Jahr | 48000 | USD | Angebot
        25: Wechselkurs vom 15.03. | 0.92 | €/USD
        26: Wartung je Jahr | =B24*B25 | €
        27: Betriebskosten je Jahr | =B17+B26 | €
        28: Energie je Tag | =B15*1000/365 | kWh/Tag
        29: Kosten je GPU-Stunde | =B27/B22 | €/GPU-h
        """,
    )
    _formats(book.active, {"B13": "0.0", "B15": "0.0", "B17:B18": "#,##0", "B22": "#,##0", "B26:B28": "#,##0"})
    return book


_GPU_RAUM = Book(
    "second_gpu_raum",
    _gpu_raum,
    (
        Seed("power-energy", {"Bilanz!B13": "=B10*B11/100/1000"}, ("Bilanz!B15",)),
        Seed("power-energy", {"Bilanz!C10": "kWh"}, ("Bilanz!B10", "Bilanz!B13")),
        Seed("facility-energy", {"Bilanz!B17": "=B13*1000*B16"}),
        Seed("facility-energy", {"Bilanz!B20": "=B15*B14*B19/1000"}),
        Seed("carbon-scale", {"Bilanz!B20": "=B15*B19"}, ("Bilanz!B21",)),
        Seed("carbon-scale", {"Bilanz!C19": "kg CO2e/kWh"}, ("Bilanz!B19", "Bilanz!B20")),
        Seed("carbon-scale", {"Bilanz!C20": "kg CO2e"}, ("Bilanz!B20", "Bilanz!B21", "Bilanz!B23")),
        Seed("calendar", {"Bilanz!B18": "=B17/365"}),
        Seed("calendar", {"Bilanz!B12": 730}, ("Bilanz!B13", "Bilanz!B22")),
        Seed("calendar", {"Bilanz!B28": "=B15*1000/12"}),
        Seed("device-scope", {"Bilanz!B10": "=B6*B9"}, ("Bilanz!B13",)),
        Seed("device-scope", {"Bilanz!B9": "=B7/1000+B8"}, ("Bilanz!B10",)),
        Seed("currency", {"Bilanz!B27": "=B17+B24"}),
        Seed("currency", {"Bilanz!C26": "USD"}, ("Bilanz!B26", "Bilanz!B27")),
        Seed("percent", {"Bilanz!B13": "=B10*B11*B12/1000"}, ("Bilanz!B15",)),
        Seed("device-hours", {"Bilanz!B22": "=B12*B11/100"}, ("Bilanz!B23", "Bilanz!B29")),
        Seed("unit-contradiction", {"Bilanz!A24": "Wartungsvertrag je Jahr (EUR)"}, ("Bilanz!B24", "Bilanz!C24")),
        Seed("unit-contradiction", {"Bilanz!A13": "IT-Energie je Jahr (kWh)"}, ("Bilanz!B13", "Bilanz!C13")),
        Seed("money-rate", {"Bilanz!B27": "=B16+B26"}),
        Seed("registry", {"Bilanz!B7": 450}, ("Bilanz!B9",)),
    ),
)


# 7. In French: the purchase of a cluster. Number formats are the only units; two defined names.


def _achat() -> Workbook:
    book = _sheet(
        "Chiffrage",
        """
        1: Chiffrage du cluster d'entraînement - M. Quéméner, service achats
        3: Poste | Valeur
        4: Nombre de serveurs | 16
        5: GPU par serveur | 8
        6: GPU au total | =B4*B5
        7: Prix d'un serveur | 285000
        8: Cours du dollar au 2 mai | 0.92
        9: Serveurs | =B4*B7*Cours_dollar
        10: Réseau et câblage | 410000
        11: Stockage | 260000
        12: Investissement hors taxes | =B9+B10+B11
        13: Taux de TVA | 0.2
        14: Investissement TTC | =B12*(1+Taux_TVA)
        15: Durée d'amortissement | 4
        16: Amortissement annuel | =B12/B15
        17: Puissance d'un serveur | 10.2
        18: PUE du site | 1.25
        19: Heures par an | 8760
        20: Énergie du site | =B4*B17*B18*B19/1000
        21: Prix de l'électricité | 0.17
        22: Électricité | =B20*1000*B21
        23: Personnel | 95000
        24: Coût annuel | =SUM(B16,B22,B23)
        25: Taux d'occupation | 0.65
        26: Heures GPU vendues | =B6*B19*B25
        27: Coût de l'heure GPU | =B24/B26
        28: Tarif du cloud | 3.9
        29: Tarif du cloud en euros | =B28*Cours_dollar
        30: Économie annuelle | =(B29-B27)*B26
        31: Mémoire par GPU (H100 SXM) | 80
        32: Mémoire du cluster | =B6*B31/1000
        33: Facteur d'émission | 52
        34: Émissions du site | =B20*B33/1000
        35: Retour sur investissement | =B12/(B29*B26-B22-B23)
        """,
    )
    euros, annual = '#,##0 "€"', '#,##0 "€/an"'
    formats = {"B7": '#,##0 "$"', "B8": '0.00 "€/$"', "B9:B12": euros, "B13": "0%", "B14": euros, "B15": '0 "ans"'}
    formats |= {"B16": annual, "B17": '0.0 "kW"', "B18": "0.00", "B19": '#,##0 "h/an"', "B20": '#,##0 "MWh/an"'}
    formats |= {"B21": '0.00 "€/kWh"', "B22:B24": annual, "B25": "0%", "B26": '#,##0 "GPU-h/an"'}
    formats |= {"B27": '0.00 "€/GPU-h"', "B28": '0.00 "$/GPU-h"', "B29": '0.00 "€/GPU-h"', "B30": annual}
    formats |= {
        "B31": '0 "Go"',
        "B32": '0.0 "To"',
        "B33": '0 "g CO2e/kWh"',
        "B34": '0.0 "t CO2e/an"',
        "B35": '0.0 "ans"',
    }
    _formats(book.active, formats)
    for name, cell in (("Cours_dollar", "$B$8"), ("Taux_TVA", "$B$13")):
        book.defined_names[name] = DefinedName(name, attr_text=f"Chiffrage!{cell}")
    return book


_ACHAT = Book(
    "second_achat",
    _achat,
    (
        Seed("currency", {"Chiffrage!B9": "=B4*B7"}, ("Chiffrage!B12",)),
        Seed("currency", {"Chiffrage!B30": "=(B28-B27)*B26"}),
        Seed("currency", {"Chiffrage!B29": "=B28/Cours_dollar"}),
        Seed("money-rate", {"Chiffrage!B24": "=SUM(B16,B21,B23)"}),
        Seed("money-rate", {"Chiffrage!B30": "=B29-B27"}),
        Seed("calendar", {"Chiffrage!B16": "=B12/(B15*12)"}, ("Chiffrage!B24",)),
        Seed("calendar", {"Chiffrage!B19": 730}, ("Chiffrage!B20", "Chiffrage!B26")),
        Seed("device-hours", {"Chiffrage!B26": "=B19*B25"}, ("Chiffrage!B27",)),
        Seed("device-hours", {}, ("Chiffrage!B26", "Chiffrage!B27"), {"Chiffrage!B26": '#,##0 "h/an"'}),
        Seed("device-scope", {"Chiffrage!B32": "=B4*B31/1000"}),
        Seed("device-scope", {"Chiffrage!B20": "=B6*B17*B18*B19/1000"}, ("Chiffrage!B22",)),
        Seed("percent", {"Chiffrage!B14": "=B12*(1+Taux_TVA/100)"}, ("Chiffrage!B13",)),
        Seed("percent", {"Chiffrage!B25": 65}, ("Chiffrage!B26",)),
        Seed("facility-energy", {"Chiffrage!B22": "=B20*1000*B18*B21"}),
        Seed("facility-energy", {"Chiffrage!B20": "=B4*B17*B19/1000"}, ("Chiffrage!B22",)),
        Seed("power-energy", {"Chiffrage!B20": "=B4*B17*B18/1000"}, ("Chiffrage!B22",)),
        Seed("mixed-sum", {"Chiffrage!B12": "=SUM(B7:B11)"}),
        Seed("bare-number", {"Chiffrage!B24": "=SUM(B16,B22,B23)+12000"}),
        Seed("carbon-scale", {"Chiffrage!B34": "=B20*B33/1000000"}),
        Seed("registry", {"Chiffrage!B31": 100}, ("Chiffrage!B32",)),
    ),
)


# 8. A case sheet that looks its card and its model up in two catalogue sheets.


def _case_sheet() -> Workbook:
    def model(column: str) -> str:
        return f"INDEX(Models!${column}$2:${column}$3,MATCH($B$3,Models!$A$2:$A$3,0))"

    book = _sheet(
        "Case",
        f"""
        1: Serving case, to be filled in for every customer (D. Wierzbicki)
        2: Card | H200
        3: Model | Mixtral-8x7B
        4: Cards in the server | 4 | cards
        5: Weight width | 2 | bytes/param
        6: Prompt length | 2048 | input tokens
        7: Answer length | 400 | output tokens
        8: Batch | 64 | requests
        9: Memory per card | =VLOOKUP($B$2,Cards!$A$2:$H$5,2,FALSE) | GB
        10: Bandwidth per card | =VLOOKUP($B$2,Cards!$A$2:$H$5,3,FALSE) | TB/s
        11: Peak per card, bf16 dense | =VLOOKUP($B$2,Cards!$A$2:$H$5,4,FALSE) | TFLOP/s
        12: Weights in memory | ={model("B")}*B5 | GB
        13: Parameters active per token | ={model("C")} | billion
        14: KV cache per token, 16 bit | =2*{model("D")}*{model("F")}*{model("G")}*2/1E6 | MB/token
        15: KV cache of the batch | =B14*(B6+B7)*B8/1000 | GB
        16: Memory in use | =B12+B15 | GB
        17: Memory of the server | =B9*B4 | GB
        18: Fill | =B16/B17
        19: Prefill work of the batch | =2*B13*B6*B8/1000 | TFLOP
        20: Prefill efficiency | 0.5
        21: Prefill time | =B19/(B11*B4*B20) | s
        22: Decode step (memory bound) | =B16/(B10*B4) | ms
        23: Output rate of the server | =B8/(B22/1000) | tokens/s
        24: Output rate per request | =B23/B8 | tokens/s
        25: Decode time of an answer | =B7*B22/1000 | s
        26: Response time | =B21+B25 | s
        27: Power of the cards in the server | =VLOOKUP($B$2,Cards!$A$2:$H$5,8,FALSE)*B4/1000 | kW
        28: Energy for the batch | =B27*1000*B26/3600 | Wh
        """,
    )
    cards = _more(
        book,
        "Cards",
        """
        1: Card | Memory (GB) | Bandwidth (TB/s) | bf16 dense (TFLOP/s) | bf16 sparse (TFLOP/s) | fp8 dense (TFLOP/s) | INT8 dense (TOP/s) | Board power (W)
        2: H100 SXM | 80 | 3.35 | 989 | 1979 | 1979 | 1979 | 700
        3: H200 | 141 | 4.8 | 989 | 1979 | 1979 | 1979 | 700
        4: MI300X | 192 | 5.3 | 1307 | 2615 | 2615 | 2615 | 750
        5: L40S | 48 | 0.864 | 362 | 733 | 733 | 733 | 350
        """,
    )
    cards.add_table(Table(displayName="CardList", ref="A1:H5"))
    models = _more(
        book,
        "Models",
        """
        1: Model | Total parameters (billion) | Active parameters (billion) | Layers | Attention heads | KV heads | Head dimension
        2: Mixtral-8x7B | 46.7 | 12.9 | 32 | 32 | 8 | 128
        3: Llama-3-70B | 70.6 | 70.6 | 80 | 64 | 8 | 128
        """,
    )
    models.add_table(Table(displayName="ModelList", ref="A1:G3"))
    _formats(book["Case"], {"B14": "0.000", "B15:B16": "0.0", "B18": "0%", "B20": "0%", "B21:B22": "0.00"})
    return book


_MATCHED = "MATCH($B$3,Models!$A$2:$A$3,0)"
_CARD = "VLOOKUP($B$2,Cards!$A$2:$H$5,"
_CASE_SHEET = Book(
    "second_case_sheet",
    _case_sheet,
    (
        Seed("sparse-peak", {"Case!B11": f"={_CARD}5,FALSE)"}, ("Case!B21",)),
        Seed("peak-precision", {"Case!B11": f"={_CARD}6,FALSE)"}, ("Case!B21",)),
        Seed(
            "peak-precision",
            {"Cards!D1": "fp8 dense (TFLOP/s)", "Cards!F1": "bf16 dense (TFLOP/s)"},
            (
                "Cards!D2",
                "Cards!D3",
                "Cards!D4",
                "Cards!D5",
                "Cards!F2",
                "Cards!F3",
                "Cards!F4",
                "Cards!F5",
                "Case!B11",
            ),
        ),
        Seed("integer-ops", {"Case!B11": f"={_CARD}7,FALSE)"}, ("Case!B21",)),
        Seed("active-params", {"Case!B13": f"=INDEX(Models!$B$2:$B$3,{_MATCHED})"}, ("Case!B19",)),
        Seed("active-params", {"Case!B12": f"=INDEX(Models!$C$2:$C$3,{_MATCHED})*B5"}, ("Case!B16",)),
        Seed(
            "kv-factor",
            {
                "Case!B14": f"=INDEX(Models!$D$2:$D$3,{_MATCHED})*INDEX(Models!$F$2:$F$3,{_MATCHED})"
                f"*INDEX(Models!$G$2:$G$3,{_MATCHED})*2/1E6"
            },
            ("Case!B15",),
        ),
        Seed(
            "kv-heads",
            {
                "Case!B14": f"=2*INDEX(Models!$D$2:$D$3,{_MATCHED})*INDEX(Models!$E$2:$E$3,{_MATCHED})"
                f"*INDEX(Models!$G$2:$G$3,{_MATCHED})*2/1E6"
            },
            ("Case!B15",),
        ),
        Seed("flop-rate", {"Case!C19": "TFLOP/s"}, ("Case!B19", "Case!B21")),
        Seed("token-rate", {"Case!B25": "=B23*B22/1000"}),
        Seed("token-rate", {"Case!C23": "tokens"}, ("Case!B23", "Case!B24")),
        Seed("token-direction", {"Case!B19": "=2*B13*B7*B8/1000"}),
        Seed("token-direction", {"Case!B25": "=B6*B22/1000"}),
        Seed("device-scope", {"Case!B18": "=B16/B9"}),
        Seed("device-scope", {"Case!B27": f"={_CARD}8,FALSE)/1000"}),
        Seed("time-scale", {"Case!B23": "=B8/B22"}),
        Seed("time-scale", {"Case!B26": "=B21*1000+B25"}),
        Seed("user-total", {"Case!B24": "=B23"}),
        Seed("power-energy", {"Case!B28": "=B27*1000"}),
        Seed("above-limit", {"Case!B20": 1.5}, ("Case!B21",)),
    ),
)


# 9. A fabric study: one row per link, the units in the headers.


def _fabric() -> Workbook:
    book = _sheet(
        "Links",
        """
        1: Fabric study for "Heron" - J. Tukiainen, network team
        2: Link | Line rate per port, one direction (Gbit/s) | Per port, one direction (GB/s) | Ports per GPU | Per GPU, one direction (GB/s) | Per GPU, both directions (GB/s) | Efficiency (%) | Usable per GPU, one direction (GB/s)
        3: InfiniBand NDR | 400 | =B3/8 | 1 | =C3*D3 | =2*E3 | 90 | =E3*G3/100
        4: NVLink of the H100 SXM | 200 | =B4/8 | 18 | =C4*D4 | =2*E4 | 85 | =E4*G4/100
        5: Ethernet, storage side | 200 | =B5/8 | 0.25 | =C5*D5 | =2*E5 | 80 | =E5*G5/100
        6: Efficiency, weighted by rate | | | | | | =SUMPRODUCT(G3:G5,E3:E5)/SUM(E3:E5)
        """,
    )
    sheet = _more(
        book,
        "Gradient exchange",
        """
        1: Item | Value | Unit
        2: Parameters | 8.03 | billion
        3: Gradient width | 2 | bytes/param
        4: Gradients | =B2*B3 | GB
        5: GPUs in the ring | 64 | GPUs
        6: GPUs per node | 8 | GPUs/node
        7: Nodes | =B5/B6 | nodes
        8: Ring factor | =2*(B5-1)/B5
        9: Sent by each GPU | =B8*B4 | GB
        10: Usable InfiniBand per GPU, one direction | =Links!H3 | GB/s
        11: All-reduce | =B9/B10*1000 | ms
        12: Computing | 1900 | ms
        13: Overlap | 0.6
        14: Exposed communication | =B11*(1-B13) | ms
        15: Step | =B12+B14 | ms
        16: Steps | 120000 | steps
        17: Run time | =B15*B16/1000/3600 | h
        18: Run time | =B17/24 | days
        19: Injection per node, one direction | =Links!E3*B6 | GB/s
        20: Uplinks per node (400 Gbit/s each, one direction) | =ROUNDUP(B19*8/400,0) | links
        21: Cable and leaf, one way | 0.85 | µs
        22: Spine, one way | 0.6 | µs
        23: Smallest message, round trip | =2*(B21+B22) | µs
        24: Barrier (6 round trips) | =6*B23/1000 | ms
        25: Checkpoint of a node | 14 | GB
        26: Checkpoint over the storage side | =B25/(Links!H5*B6) | s
        27: Node buffer for staging | =B25/1.073741824 | GiB
        """,
    )
    _formats(sheet, {"B8": "0.000", "B9": "0.0", "B11": "0", "B13": "0%", "B14:B15": "0", "B17:B18": "0.0"})
    return book


_GX = "Gradient exchange!"
_FABRIC = Book(
    "second_fabric",
    _fabric,
    (
        Seed("link-direction", {"Links!H4": "=F4*G4/100"}),
        Seed("link-direction", {"Links!F3": "=E3"}),
        Seed("link-direction", {f"{_GX}B19": "=Links!F3*B6"}, (f"{_GX}B20",)),
        Seed("link-direction", {f"{_GX}B10": "=Links!F3*Links!G3/100"}, (f"{_GX}B11",)),
        Seed("link-direction", {"Links!B4": 400}, ("Links!C4", "Links!E4", "Links!F4", "Links!H4")),
        Seed("bits-bytes", {"Links!C3": "=B3"}, ("Links!E3",)),
        Seed("bits-bytes", {f"{_GX}B20": "=ROUNDUP(B19/400,0)"}),
        Seed("bits-bytes", {f"{_GX}B10": "=Links!B3*Links!G3/100"}, (f"{_GX}B11",)),
        Seed("time-scale", {f"{_GX}B11": "=B9/B10"}, (f"{_GX}B14",)),
        Seed("time-scale", {f"{_GX}C12": "µs"}, (f"{_GX}B12", f"{_GX}B15")),
        Seed("round-trip", {f"{_GX}B23": "=B21+B22"}, (f"{_GX}B24",)),
        Seed("device-scope", {f"{_GX}B19": "=Links!E3"}, (f"{_GX}B20",)),
        Seed("percent", {"Links!H3": "=E3*G3"}),
        Seed("percent-sum", {"Links!G6": "=SUM(G3:G5)"}),
        Seed("calendar", {f"{_GX}B18": "=B17*24"}),
        Seed("above-limit", {"Links!G3": 120}, ("Links!H3",)),
        Seed("unit-contradiction", {f"{_GX}A17": "Run time (s)"}, (f"{_GX}B17", f"{_GX}C17")),
        Seed("bare-number", {f"{_GX}B15": "=B12+B14+50"}),
        Seed("binary-prefix", {f"{_GX}B27": "=B25"}),
        Seed("params-bytes", {f"{_GX}B9": "=B8*B2"}),
    ),
)


# 10. An advertisement ranker: the units stand in the number formats alone.


def _ad_ranker() -> Workbook:
    book = _sheet(
        "Ranker",
        """
        1: Ads ranker refresh, sizing notes - Zeynep D.
        3: Embedding rows | 900000000
        4: Embedding width | 64
        5: Embedding parameters | =B3*B4/1E9
        6: Bytes per parameter | 2
        7: Embedding tables | =B5*B6
        8: Embedding tables, as the monitor counts | =B7/1.073741824
        9: Dense tower per item | 62
        10: Dense tower compute per item | =2*B9
        11: Items per request | 400
        12: Peak load | 14000
        13: Compute at peak load | =B10*B11*B12/1E6
        14: L4, INT8 dense peak | 242
        15: L4, fp16 dense peak | 121
        16: Efficiency reached | 0.25
        17: L4 cards for the compute (fp16) | =ROUNDUP(B13/(B15*B16),0)
        18: Memory per L4 | 24
        19: L4 cards for the tables | =ROUNDUP(B7/B18,0)
        20: L4 cards | =MAX(B17,B19)
        21: Features per request | 48
        22: Feature traffic at peak load | =B21*B12*8/1E6
        24: Feature lookup, mean | 3.1
        25: Ranking, mean | 7.4
        26: Response, mean | =B24+B25
        27: Feature lookup, p99 | 11
        28: Ranking, p99 | 19
        29: Slower part, p99 | =MAX(B27:B28)
        30: Limit for either part, p99 | 0.05
        31: Left of the limit, p99 | =B30-B29/1000
        33: Daily users | 31000000
        34: Requests per user and day | 14
        35: Requests per day | =B33*B34
        36: Log record | 1.2
        37: Logs per day | =B35*B36/1E6
        38: Logs per month of 30 days | =B37*30/1000
        39: Mean load | =B35/86400
        40: Peak over mean | =B12/B39
        """,
    )
    formats = {"B3": '#,##0 "rows"', "B4": '0 "params/row"', "B5": '0.0 "B params"', "B6": '0 "bytes/param"'}
    formats |= {"B7": '0.0 "GB"', "B8": '0.0 "GiB"', "B9": '0 "MMAC"', "B10": '0 "MFLOP"', "B11": '0 "items/request"'}
    formats |= {"B12": '#,##0 "requests/s"', "B13": '0 "TFLOP/s"', "B14": '0 "TOP/s"', "B15": '0 "TFLOP/s"'}
    formats |= {"B16": "0%", "B17": '0 "cards"', "B18": '0 "GB"', "B19:B20": '0 "cards"', "B21": '0 "kB/request"'}
    formats |= {"B22": '0.00 "Gbit/s"', "B24:B29": '0.0 "ms"', "B30:B31": '0.000 "s"', "B33": '#,##0 "users"'}
    formats |= {"B34": '0 "requests/user/day"', "B35": '#,##0 "requests/day"', "B36": '0.0 "kB/request"'}
    formats |= {"B37": '0.0 "GB/day"', "B38": '0.0 "TB/month"', "B39": '#,##0 "requests/s"', "B40": '0.0 "x"'}
    _formats(book.active, formats)
    return book


_AD_RANKER = Book(
    "second_ad_ranker",
    _ad_ranker,
    (
        Seed("mac-flop", {"Ranker!B10": "=B9"}, ("Ranker!B13",)),
        Seed("mac-flop", {"Ranker!B13": "=B9*B11*B12/1E6"}),
        Seed("mac-flop", {}, ("Ranker!B10", "Ranker!B13"), {"Ranker!B10": '0 "MMAC"'}),
        Seed("integer-ops", {"Ranker!B17": "=ROUNDUP(B13/(B14*B16),0)"}),
        Seed("integer-ops", {}, ("Ranker!B14", "Ranker!A14"), {"Ranker!B14": '0 "TFLOP/s"'}),
        Seed("sparse-peak", {"Ranker!B15": 242}, ("Ranker!B17",)),
        Seed("peak-precision", {"Ranker!B15": 30.3}, ("Ranker!B17",)),
        Seed("params-bytes", {"Ranker!B19": "=ROUNDUP(B5/B18,0)"}),
        Seed("binary-prefix", {"Ranker!B19": "=ROUNDUP(B8/B18,0)"}),
        Seed("binary-prefix", {"Ranker!B8": "=B7"}),
        Seed("bits-bytes", {"Ranker!B22": "=B21*B12/1E6"}),
        Seed("bits-bytes", {}, ("Ranker!B22",), {"Ranker!B22": '0.00 "GB/s"'}),
        Seed("statistic-mix", {"Ranker!B26": "=B24+B28"}),
        Seed("statistic-mix", {"Ranker!B29": "=MAX(B25,B27)"}),
        Seed("time-scale", {"Ranker!B31": "=B30-B29"}),
        Seed("user-total", {"Ranker!B37": "=B34*B36/1E6"}),
        Seed("calendar", {"Ranker!B39": "=B35/3600"}, ("Ranker!B40",)),
        Seed("flop-rate", {}, ("Ranker!B13", "Ranker!B17"), {"Ranker!B13": '0 "TFLOP"'}),
        Seed("bare-number", {"Ranker!B26": "=B24+B25+2"}),
        Seed("registry", {"Ranker!B18": 42}, ("Ranker!B19",)),
    ),
)


# 11. A tuning desk for several tenants: a table of jobs, and the adapters' serving sheet.


def _tuning_desk() -> Workbook:
    tenants = [
        ("Harbour", 12, 120, 3, 24000, 8, 0.82),
        ("Clinic", 30, 45, 4, 11000, 4, 0.74),
        ("Court", 6, 310, 2, 46000, 16, 0.88),
        ("Museum", 4, 8, 5, 5500, 2, 0.61),
        ("Transit", 18, 77, 3, 23000, 8, 0.79),
    ]
    header = ["Tenant", "Seats", "Data set (Mtok)", "Epochs", "Trained on (Mtok)", "Job speed (tok/s)", "GPUs"]
    header += ["Wall-clock (h)", "GPU time (GPU-h)", "Price ($/GPU-h)", "Charge ($)", "GPU utilisation"]
    header += ["Charge per seat ($/seat)"]
    book = Workbook()
    jobs = book.active
    jobs.title = "Jobs"
    jobs.append(header)
    for row, (tenant, seats, data, epochs, speed, gpus, utilisation) in enumerate(tenants, start=2):
        jobs.append(
            (
                tenant,
                seats,
                data,
                epochs,
                f"=C{row}*D{row}",
                speed,
                gpus,
                f"=E{row}*1000000/F{row}/3600",
                f"=H{row}*G{row}",
            )
        )
        for column, value in zip("JKLM", (3.2, f"=I{row}*J{row}", utilisation, f"=K{row}/B{row}"), strict=True):
            jobs[f"{column}{row}"] = value
    jobs.add_table(Table(displayName="JobList", ref="A1:M6"))
    _grid(
        jobs,
        """
        8: October | =SUM(B2:B6) | | | =SUM(E2:E6) | | | | =SUM(I2:I6) | | =SUM(K2:K6) | =SUMPRODUCT(L2:L6,I2:I6)/I8 | =K8/B8
        """,
    )
    _formats(jobs, {"H2:I8": "0.0", "K2:K8": "#,##0.00", "L2:L8": "0%", "M2:M8": "0.00"})
    _more(
        book,
        "Adapters",
        """
        1: Serving the adapters on Llama-3-8B (I. Fonoti)
        2: Base parameters (billion) | 8.03
        3: Weight width (bytes/param) | 2
        4: Base weights (GB) | =B2*B3
        5: Parameters of one adapter (million) | 42
        6: One adapter (MB) | =B5*B3
        7: Adapters resident | 200
        8: All adapters (GB) | =B6*B7/1000
        9: Memory of the H100 SXM (GB) | 80
        10: Free for the cache (GB) | =B9-B4-B8
        11: Layers | 32
        12: Attention heads | 32
        13: KV heads | 8
        14: Head dimension | 128
        15: KV cache per token, 16 bit (kB/token) | =2*B11*B13*B14*2/1000
        16: Tokens cached per user | 4000
        17: KV cache per user (GB) | =B15*B16/1000000
        18: Users at once | =ROUNDDOWN(B10/B17,0)
        20: Subscribed users | 600
        21: Output tokens per user and month | 2500000
        22: Input tokens per user and month | 9000000
        23: Output volume (Mtok/month) | =B20*B21/1000000
        24: Input volume (ktok/month) | =B20*B22/1000
        25: Output price ($/Mtok) | 1.8
        26: Input price ($/ktok) | 0.0003
        27: Output revenue ($/month) | =B23*B25
        28: Input revenue ($/month) | =B24*B26
        29: Revenue ($/month) | =B27+B28
        30: GPUs rented | 2
        31: Hours per month | 730
        32: Rent ($/GPU-h) | 2.2
        33: Rent ($/month) | =B30*B31*B32
        34: Margin ($/month) | =B29-B33
        """,
    )
    return book


_TUNING_DESK = Book(
    "second_tuning_desk",
    _tuning_desk,
    (
        Seed("device-hours", {"Jobs!I3": "=H3"}, ("Jobs!K3",)),
        Seed("device-hours", {"Jobs!K4": "=H4*J4"}),
        Seed("money-rate", {"Adapters!B34": "=B29-B32"}),
        Seed("money-rate", {"Jobs!K8": "=SUM(J2:J6)"}),
        Seed("token-price-scale", {"Adapters!A26": "Input price ($/Mtok)"}, ("Adapters!B26", "Adapters!B28")),
        Seed("token-price-scale", {"Adapters!B27": "=B23*1000*B25"}),
        Seed("token-direction", {"Adapters!B28": "=B23*1000*B26"}),
        Seed("token-direction", {"Adapters!B23": "=B20*B22/1000000"}),
        Seed("user-total", {"Adapters!B23": "=B21/1000000"}, ("Adapters!B27",)),
        Seed("user-total", {"Jobs!M8": "=K8"}),
        Seed("percent-sum", {"Jobs!L8": "=SUM(L2:L6)"}),
        Seed("mixed-sum", {"Jobs!I8": "=SUM(H2:I6)"}),
        Seed("mixed-sum", {"Adapters!B29": "=SUM(B26:B28)"}),
        Seed("bare-number", {"Jobs!K3": "=I3*J3+20"}),
        Seed("token-rate", {"Jobs!F1": "Job speed (tok)"}, ("Jobs!F2", "Jobs!H2")),
        Seed("token-rate", {"Jobs!E8": "=SUM(F2:F6)"}),
        Seed("kv-factor", {"Adapters!B15": "=B11*B13*B14*2/1000"}, ("Adapters!B17",)),
        Seed("kv-heads", {"Adapters!B15": "=2*B11*B12*B14*2/1000"}, ("Adapters!B17",)),
        Seed("params-bytes", {"Adapters!B10": "=B9-B2-B8"}),
        Seed("calendar", {"Jobs!H5": "=E5*1000000/F5/60"}, ("Jobs!I5",)),
    ),
)


# 12. A standby site: an inventory with a sum row, then the replication arithmetic in dollars and pounds.


def _standby() -> Workbook:
    book = _sheet(
        "Inventory",
        """
        1: Data set | On the array [TiB] | On the array [TB] | Changes [GB/day] | Saved by compression [%] | Stored [TB] | Price [$/TB/month] | Fee [$/month]
        2: Checkpoints | 420 | =B2*1.099511627776 | 19000 | 10 | =C2*(1-E2/100) | 11 | =F2*G2
        3: Training shards | 310 | =B3*1.099511627776 | 2400 | 35 | =C3*(1-E3/100) | 6 | =F3*G3
        4: Feature store | 75 | =B4*1.099511627776 | 5200 | 25 | =C4*(1-E4/100) | 11 | =F4*G4
        5: Model registry | 18 | =B5*1.099511627776 | 150 | 5 | =C5*(1-E5/100) | 21 | =F5*G5
        7: All | =SUM(B2:B5) | =SUM(C2:C5) | =SUM(D2:D5) | =SUMPRODUCT(E2:E5,C2:C5)/C7 | =SUM(F2:F5) | | =SUM(H2:H5)
        """,
    )
    _formats(book["Inventory"], {"C2:C7": "0.0", "E7": "0.0", "F2:F7": "0.0", "H2:H7": "#,##0"})
    sheet = _more(
        book,
        "Replication",
        """
        1: Standby site Leeds - Gethin Prosser, continuity planning
        3: Changed data per day | =Inventory!D7 | GB/day
        4: Line to Leeds | 10 | Gbit/s
        5: Usable of the line | 75 | %
        6: Usable rate | =B4*B5/100/8 | GB/s
        7: Shipping a day's changes | =B3/B6/3600 | h
        8: Full resynchronisation | =Inventory!F7*1000/B6/86400 | days
        9: Fibre distance | 640 | km
        10: Signal speed in fibre | 200000 | km/s
        11: Delay, one way | =B9/B10*1000 | ms
        12: Delay, round trip | =2*B11 | ms
        13: Window for a full line (rate × round trip) | =B6*B12 | MB
        14: Journal commits that wait for Leeds, per job | 5000 | round trips
        15: Waiting per job | =B14*B12/1000 | s
        17: Standby nodes | 4 | nodes
        18: GPUs per node | 8 | GPUs/node
        19: Power per node | 10.2 | kW
        20: Drill per month | 12 | h/month
        21: GPU time of the drills | =B17*B18*B20 | GPU-h/month
        22: Power of the standby nodes | =B17*B19 | kW
        23: IT energy of the drills | =B22*B20 | kWh/month
        24: PUE at Leeds | 1.4
        25: Facility energy of the drills | =B23*B24 | kWh/month
        26: Electricity price | 0.24 | £/kWh
        27: Electricity for the drills | =B25*B26 | £/month
        28: Line rental | 3400 | £/month
        29: Pounds per dollar, 1 June | 0.79 | £/$
        30: Storage | =Inventory!H7*FX | £/month
        31: Standby site | =B27+B28+B30 | £/month
        32: Standby site | =B31*12 | £/year
        """,
    )
    book.defined_names["FX"] = DefinedName("FX", attr_text="Replication!$B$29")
    _formats(sheet, {"B6": "0.000", "B7:B8": "0.0", "B27": "#,##0", "B30:B32": "#,##0"})
    return book


_STANDBY = Book(
    "second_standby",
    _standby,
    (
        Seed("binary-prefix", {"Inventory!C3": "=B3"}, ("Inventory!F3",)),
        Seed("binary-prefix", {"Inventory!F2": "=B2*(1-E2/100)"}),
        Seed("binary-prefix", {"Inventory!B1": "On the array [TB]"}, ("Inventory!B2", "Inventory!C2")),
        Seed("bits-bytes", {"Replication!B6": "=B4*B5/100"}, ("Replication!B7", "Replication!B8")),
        Seed("bits-bytes", {"Replication!B7": "=B3/B4/3600"}),
        Seed("round-trip", {"Replication!B12": "=B11"}, ("Replication!B13", "Replication!B15")),
        Seed("round-trip", {"Replication!B15": "=B14*B11/1000"}),
        Seed("round-trip", {"Replication!B13": "=B6*B11"}),
        Seed("calendar", {"Replication!B8": "=Inventory!F7*1000/B6/3600"}),
        Seed("calendar", {"Replication!B32": "=B31*365"}),
        Seed("mixed-sum", {"Inventory!C7": "=SUM(B2:C5)"}),
        Seed("mixed-sum", {"Replication!B31": "=SUM(B26:B28,B30)"}),
        Seed("percent-sum", {"Inventory!E7": "=SUM(E2:E5)"}),
        Seed("currency", {"Replication!B31": "=B27+B28+Inventory!H7"}),
        Seed("power-energy", {"Replication!B23": "=B22"}, ("Replication!B25",)),
        Seed("facility-energy", {"Replication!B27": "=B23*B26"}),
        Seed("device-hours", {"Replication!B21": "=B20"}),
        Seed("unit-contradiction", {"Replication!A11": "Delay, one way (s)"}, ("Replication!B11", "Replication!C11")),
        Seed("unit-contradiction", {"Replication!A6": "Usable rate, Gbit/s"}, ("Replication!B6", "Replication!C6")),
        Seed("money-rate", {"Replication!B30": "=Inventory!G2*FX"}),
    ),
)


BOOKS: tuple[Book, ...] = (
    _BELT_CAMERAS,
    _PRETRAINING,
    _VOICE_AGENT,
    _LONG_CONTEXT,
    _BOT_BILL,
    _GPU_RAUM,
    _ACHAT,
    _CASE_SHEET,
    _FABRIC,
    _AD_RANKER,
    _TUNING_DESK,
    _STANDBY,
)
