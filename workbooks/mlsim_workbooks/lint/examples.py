"""One example workbook for each rule of the unit checker, and the page that explains the rules.

A workbook has a sheet "Wrong" with exactly one mistake and a sheet "Right", the same sheet mended. Both come from one
:class:`Example`, and so does the rule's section of the page: formulas and numbers there are those of the workbook.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.styles import Alignment, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from mlsim_workbooks import style
from mlsim_workbooks.lint.finding import RULES, Rule
from mlsim_workbooks.reproducible import save_template

__all__ = ["EXAMPLES", "Example", "build_example", "rules_page", "write_all"]

TOP = 5  # the first row of the table; its header is above
LIST = ("Quantity", "Value", "Unit")
SHEETS = ("Wrong", "Right")
_PERCENT, _MONEY, _CENTS, _WHOLE, _TENTHS = "0%", "#,##0", "#,##0.00", "#,##0", "#,##0.0"

Cell = str | int | float | None


@dataclass(frozen=True)
class Example:
    """A small sheet with one mistake, and what the page says about the rule that finds it.

    Attributes
    ----------
    rule : str
        Name of the rule.
    title : str
        What the sheet is for.
    rows : tuple
        The rows of the sheet Right, from row 5 on.
    cell : str
        The cell that is mistaken on the sheet Wrong.
    wrong : str, int or float
        What stands in it there.
    why, mended : str
        One sentence beside the cell on each sheet.
    looks, matters : str
        For the page: what the rule looks for, and what the mistake costs.
    formats : mapping
        Number formats of cells.
    headers : tuple of str
        Column headers, when the sheet is not a list of values with units.
    found : str
        The cell that the checker names, when it is another than ``cell``.
    """

    rule: str
    title: str
    rows: tuple[tuple[Cell, ...], ...]
    cell: str
    wrong: str | int | float
    why: str
    mended: str
    looks: str
    matters: str
    formats: Mapping[str, str] = field(default_factory=dict)
    headers: tuple[str, ...] = LIST
    found: str = ""

    @property
    def at(self) -> str:
        """The cell that the checker names."""
        return self.found or self.cell

    def content(self, sheet: str) -> dict[str, Cell]:
        """Return the cells of the table on one of the two sheets, by reference."""
        cells: dict[str, Cell] = {
            f"{get_column_letter(column)}{row}": value
            for row, values in enumerate(self.rows, TOP)
            for column, value in enumerate(values, 1)
            if value is not None
        }
        return {**cells, self.cell: self.wrong} if sheet == "Wrong" else cells


_EXAMPLES = (
    Example(
        "binary-prefix", "Does the model fit one H100?",
        (("Weights, 8 bits each", 70.6, "GB"), ("KV cache, from the server's log", 9, "GiB"),
         ("Memory needed", "=B5+B6*1.073741824", "GB"), ("Memory of the H100", 80, "GB"), ("Left free", "=B8-B7", "GB")),
        "B7", "=B5+B6",
        why="The weights are in GB and the KV cache is in GiB, so the sum is neither: 9 GiB are 9.66 GB.",
        mended="The KV cache is converted to GB first, and then the model no longer fits.",
        looks="Decimal units (kB, MB, GB, TB) added to, compared with or put in place of binary ones (KiB, MiB, GiB, TiB).",
        matters="80 GB are 74.5 GiB: a plan that fits 80 GiB misses 5.5 GiB on every GPU.",
        formats={"B7": "0.00", "B9": "0.00"},
    ),
    Example(
        "bits-bytes", "How long does a checkpoint take?",
        (("Checkpoint of a 70B model in training", 988, "GB"), ("Network link", 100, "Gbit/s"),
         ("Time of a copy", "=B5*8/B6", "s"), ("Copies a day", 48), ("Time spent copying, each day", "=B7*B8/60", "min")),
        "B7", "=B5/B6",
        why="Gigabytes are divided by gigabits per second, so the copy looks eight times as fast as it is.",
        mended="The size is turned into bits: a byte has eight of them.",
        looks="Sizes in bytes and links in bits per second that meet without a factor of 8.",
        matters="A copy of 988 GB over 100 Gbit/s takes 79 s, not 9.9 s: at 48 copies a day, 63 minutes instead of 8.",
        formats={"B7": _TENTHS, "B9": _TENTHS},
    ),
    Example(
        "flop-rate", "How fast does the training run compute?",
        (("FLOP per step", 1_776_000, "TFLOP"), ("Step time", 4.4, "s"), ("GPUs", 1024),
         ("Achieved compute, all GPUs", "=B5/B6", "TFLOP/s"), ("Achieved compute per GPU", "=B8/B7", "TFLOP/s")),
        "B8", "=B5",
        why="The work of a step is taken for a rate: FLOP are a count, FLOP/s are a count over a time.",
        mended="The work of a step is divided by the time that the step takes.",
        looks="A count of operations where a rate is due, or a rate where a count is due.",
        matters="The sheet shows 1,734 TFLOP/s per GPU instead of 394: a run of 30 days is announced for 7.",
        formats={"B8": _WHOLE, "B9": _WHOLE},
    ),
    Example(
        "mac-flop", "Compute of an image service",
        (("Work per image", 4.1, "GMAC"), ("Images per second", 60_000, "images/s"),
         ("Compute required", "=B5*2*B6/1000", "TFLOP/s"), ("Achieved per GPU", 160, "TFLOP/s"),
         ("GPUs needed", "=ROUNDUP(B7/B8,0)", "GPUs")),
        "B7", "=B5*B6/1000",
        why="The work is counted in multiply-accumulates, and each of them is two floating-point operations.",
        mended="Each MAC counts as two FLOP: a multiplication and an addition.",
        looks="Work in MACs that meets work or peaks in FLOP without a factor of 2.",
        matters="60,000 images/s of 4.1 GMAC need 492 TFLOP/s, not 246: four GPUs instead of two.",
        formats={"B7": _WHOLE, "B9": _WHOLE},
    ),
    Example(
        "sparse-peak", "How well is the H100 used?",
        (("Achieved compute per GPU", 400, "TFLOP/s"), ("Peak of the H100, bf16, with sparsity", 1979, "TFLOP/s"),
         ("Peak of the H100, bf16, dense", 989, "TFLOP/s"), ("MFU", "=B5/B7", "%")),
        "B8", "=B5/B6",
        why="The peak with 2:4 sparsity is twice what the dense matrices of a model can reach.",
        mended="The run is held against the dense peak.",
        looks="Peaks with 2:4 sparsity that a utilisation or a time of dense matrices is worked out from.",
        matters="A plan at 40 % of 1,979 TFLOP/s expects 792 TFLOP/s of an H100 that does 396: 100,000 GPU-hours become 200,000, $250,000 more at $2.50 each.",
        formats={"B8": "0.0%"},
    ),
    Example(
        "peak-precision", "How well is the H100 used?",
        (("Achieved compute per GPU, bf16", 400, "TFLOP/s"), ("Peak of the H100, bf16, dense", 989, "TFLOP/s"),
         ("Peak of the H100, fp8, dense", 1979, "TFLOP/s"), ("MFU, bf16", "=B5/B6", "%")),
        "B8", "=B5/B7",
        why="The run computes in bf16, but the peak is that of fp8, which is twice as high.",
        mended="The peak is that of the number format the run computes in.",
        looks="The peak of one number format used for work in another.",
        matters="A step that takes 4.4 s at 40 % of the bf16 peak is promised in 2.2 s when the fp8 peak is put in.",
        formats={"B8": "0.0%"},
    ),
    Example(
        "integer-ops", "Prefill of a prompt",
        (("Compute required, bf16", 565, "TFLOP"), ("Peak of the H100, bf16, dense", 989, "TFLOP/s"),
         ("Peak of the H100, int8, dense", 1979, "TOP/s"), ("Time at peak", "=B5/B6", "s")),
        "B8", "=B5/B7",
        why="Floating-point work is divided by a peak of integer operations, which bf16 cannot use.",
        mended="Floating-point work is divided by the floating-point peak.",
        looks="TOP/s of integers and TFLOP/s of floating-point numbers in one calculation.",
        matters="A prefill of 565 TFLOP takes 0.57 s of an H100 at best; 1,979 TOP/s make it look like 0.29 s.",
        formats={"B8": "0.00"},
    ),
    Example(
        "link-direction", "Passing activations to the next stage",
        (("NVLink of the H100, both directions", 900, "GB/s"), ("NVLink of the H100, per direction", 450, "GB/s"),
         ("Activations to send", 1.8, "GB"), ("Time of the transfer", "=B7/B6*1000", "ms")),
        "B8", "=B7/B5*1000",
        why="The transfer goes one way, but 900 GB/s are both directions together.",
        mended="One direction of the link carries the transfer.",
        looks="Bandwidths of both directions together where one direction is due, and the other way round.",
        matters="1.8 GB take 4 ms over an NVLink of 900 GB/s, not 2 ms: with 64 transfers, a step is 128 ms longer than planned.",
        formats={"B8": _TENTHS},
    ),
    Example(
        "device-scope", "Power of a cluster",
        (("Nodes", 16), ("GPUs per node", 8), ("Power per GPU", 0.7, "kW"), ("Power of all GPUs", "=B5*B6*B7", "kW")),
        "B8", "=B5*B7",
        why="A figure per GPU is multiplied by the number of nodes, and the eight GPUs of a node are lost.",
        mended="Nodes times GPUs per node gives the number of GPUs.",
        looks="Figures per GPU, per node and per rack multiplied by counts of something else.",
        matters="16 nodes of 8 GPUs draw 90 kW, not 11 kW: the room is rented with one eighth of the power.",
        formats={"B8": _TENTHS},
    ),
    Example(
        "power-energy", "Electricity of a year",
        (("Average power", 850, "kW"), ("Hours per year", 8760, "h"), ("Energy per year", "=B5*B6", "kWh"),
         ("Electricity price", 0.09, "$/kWh"), ("Electricity cost per year", "=B7*B8", "$")),
        "B7", "=B5",
        why="A power in kW stands where an energy in kWh is due: the hours are missing.",
        mended="Power times hours gives the energy.",
        looks="kW where kWh are due, kWh where kW are due, and the two added or compared.",
        matters="850 kW cost $670,140 a year at $0.09 per kWh; without the 8,760 hours the sheet shows $77.",
        formats={"B9": _MONEY},
    ),
    Example(
        "facility-energy", "Electricity bill of a data centre",
        (("IT energy per year", 7_446_000, "kWh"), ("PUE", 1.3), ("Facility energy per year", "=B5*B6", "kWh"),
         ("Electricity price", 0.09, "$/kWh"), ("Electricity cost per year", "=B7*B8", "$")),
        "B9", "=B7*B6*B8",
        why="The facility energy includes PUE already, and here it is applied once more.",
        mended="The facility energy is priced as it is.",
        looks="PUE applied twice, IT energy called facility energy, and IT energy priced on a sheet that has a PUE.",
        matters="A PUE of 1.3 applied twice makes a bill of $871,182 one of $1,132,537.",
        formats={"B7": _WHOLE, "B9": _MONEY},
    ),
    Example(
        "time-scale", "How long does a user wait?",
        (("Time to first token", 380, "ms"), ("Time per output token", 25, "ms"), ("Output tokens", 400),
         ("Time of the answer", "=(B5+B6*B7)/1000", "s")),
        "B8", "=B5+B6*B7/1000",
        why="Only the second part is converted to seconds, so 380 ms are counted as 380 s.",
        mended="Both parts are divided by 1,000.",
        looks="Seconds, milliseconds and microseconds added, compared or put in place of each other.",
        matters="An answer after 10.4 s is listed with 390 s, and a service that meets its limit of 15 s is rejected.",
        formats={"B8": _TENTHS},
    ),
    Example(
        "calendar", "Rent of a cluster",
        (("GPUs", 64), ("Price of a GPU-hour", 2.5, "$/GPU-h"), ("Cost per hour", "=B5*B6", "$/h"),
         ("Hours per month", 730, "h"), ("Cost per month", "=B7*B8", "$/month")),
        "B9", "=B7*24",
        why="The price of an hour times 24 is the cost of a day, not of a month.",
        mended="A month has 730 hours on average.",
        looks="Costs and energies per hour, day, month and year that lack the factor between the periods.",
        matters="64 GPUs at $2.50 an hour cost $116,800 a month; counted with 24 hours, the budget holds $3,840.",
        formats={"B6": _CENTS, "B7": _MONEY, "B9": _MONEY},
    ),
    Example(
        "device-hours", "Cost of a training run",
        (("GPUs", 64), ("Run time", 72, "h"), ("GPU-hours", "=B5*B6", "GPU-h"), ("Price of a GPU-hour", 2.5, "$/GPU-h"),
         ("Cost of the run", "=B7*B8", "$")),
        "B7", "=B6",
        why="Hours on the clock are taken for GPU-hours: the number of GPUs is missing.",
        mended="Each of the 64 GPUs is paid for 72 hours.",
        looks="Hours on the clock where GPU-hours are due, and the other way round.",
        matters="72 hours on 64 GPUs cost $11,520, not $180.",
        formats={"B7": _WHOLE, "B8": _CENTS, "B9": _MONEY},
    ),
    Example(
        "round-trip", "Response time across an ocean",
        (("Network latency, one way", 75, "ms"), ("Network latency, round trip", "=2*B5", "ms"),
         ("Time on the server", 180, "ms"), ("Response time", "=B6+B7", "ms")),
        "B6", "=B5",
        why="A round trip goes there and back, but the latency is that of one way.",
        mended="A round trip takes the latency of one way twice.",
        looks="Latencies of one way where a round trip is due, and round trips where one way is due.",
        matters="75 ms one way make a response of 330 ms, not 255 ms: a limit of 300 ms is missed on every request.",
        formats={"B6": _WHOLE, "B8": _WHOLE},
    ),
    Example(
        "statistic-mix", "Response time of a chat service",
        (("Time to first token, mean", 310, "ms"), ("Time to first token, p99", 900, "ms"),
         ("Decode time, mean", 6000, "ms"), ("Response time, mean", "=B5+B7", "ms")),
        "B8", "=B6+B7",
        why="A 99th percentile is added to a mean, and the sum is neither.",
        mended="The mean of the whole is the sum of the means of its parts.",
        looks="Means, medians and percentiles added, and one of them copied to a cell that names another.",
        matters="The sheet shows 6,900 ms for a mean of 6,310 ms: a service that holds its limit of 6,500 ms looks as if it broke it.",
        formats={"B8": _WHOLE},
    ),
    Example(
        "token-rate", "Throughput of a server",
        (("Output tokens of the test", 1_500_000, "tokens"), ("Length of the test", 600, "s"),
         ("Throughput", "=B5/B6", "tokens/s"), ("Demand", 60_000, "tokens/s"), ("Servers needed", "=ROUNDUP(B8/B7,0)")),
        "B7", "=B5",
        why="The tokens of the whole test are taken for a throughput: they have to be divided by its seconds.",
        mended="Tokens over seconds are a throughput.",
        looks="Counts of tokens where tokens per second are due, and the other way round.",
        matters="A server that makes 1,500,000 tokens in 600 s does 2,500 tokens/s: 24 servers are needed, not one.",
        formats={"B7": _WHOLE, "B9": _WHOLE},
    ),
    Example(
        "token-direction", "API bill of a month",
        (("Input tokens", 9000, "Mtok"), ("Output tokens", 1200, "Mtok"), ("Price of input tokens", 0.6, "$/Mtok"),
         ("Price of output tokens", 2.4, "$/Mtok"), ("Cost of input tokens", "=B5*B7", "$"),
         ("Cost of output tokens", "=B6*B8", "$"), ("Total cost", "=B9+B10", "$")),
        "B10", "=B6*B7",
        why="Output tokens are priced like input tokens, which cost a quarter.",
        mended="Output tokens are multiplied by the price of output tokens.",
        looks="Counts, prices and rates of input tokens combined with those of output tokens.",
        matters="1,200 million output tokens cost $2,880 at $2.40, not $720: $2,160 a month too little.",
        formats={"B7": _CENTS, "B8": _CENTS, "B9": _MONEY, "B10": _MONEY, "B11": _MONEY},
    ),
    Example(
        "user-total", "Memory of a chat server",
        (("Weights", 70.6, "GB"), ("KV cache per user", 2.7, "GB"), ("Users at a time", 24),
         ("KV cache, all users", "=B6*B7", "GB"), ("Memory needed", "=B5+B8", "GB")),
        "B8", "=B6",
        why="The cache of one user stands where that of all users is due.",
        mended="The figure per user is multiplied by the number of users.",
        looks="Figures per user where totals are due, totals where figures per user are due, and sums of both.",
        matters="24 users of 2.7 GB need 64.8 GB: the server takes 135 GB and two GPUs of 80 GB, not 73 GB and one.",
        formats={"B8": _TENTHS, "B9": _TENTHS},
    ),
    Example(
        "money-rate", "Budget of a fine-tuning project",
        (("Price of a GPU-hour", 2.5, "$/GPU-h"), ("GPU-hours", 4608, "GPU-h"), ("Data labelling", 18_000, "$"),
         ("Compute cost", "=B5*B6", "$"), ("Total cost", "=B8+B7", "$")),
        "B9", "=B5+B7",
        why="A price per GPU-hour is added to an amount, as if the project took one GPU-hour.",
        mended="The amount for compute, price times GPU-hours, is added.",
        looks="Prices per hour, per GPU-hour or per token added to amounts or put in their place.",
        matters="4,608 GPU-hours at $2.50 are $11,520, and the budget holds $2.50 for them.",
        formats={"B5": _CENTS, "B8": _MONEY, "B9": _MONEY},
    ),
    Example(
        "token-price-scale", "Which API is cheaper?",
        (("Price of provider A", 0.0008, "$/ktok"), ("Price of provider B", 0.6, "$/Mtok"),
         ("B saves", "=B5*1000-B6", "$/Mtok"), ("Tokens per month", 9000, "Mtok"), ("B saves per month", "=B7*B8", "$")),
        "B7", "=B5-B6",
        why="One price is per 1,000 tokens and the other per million, so A looks 750 times as cheap.",
        mended="The first price is turned into one per million tokens.",
        looks="Prices per 1,000 tokens and per million tokens added, compared or put in place of each other.",
        matters="$0.0008 per 1,000 tokens are $0.80 per million: B saves $1,800 a month, where the sheet shows a loss of $5,393.",
        formats={"B5": "0.0000", "B6": _CENTS, "B7": "0.00", "B9": _MONEY},
    ),
    Example(
        "currency", "A cluster in a European data centre",
        (("Servers", 2_240_000, "$"), ("Installation", 180_000, "€"), ("Exchange rate of 2025-06-30", 1.172, "$/€"),
         ("Total cost", "=B5+B6*B7", "$")),
        "B8", "=B5+B6",
        why="Euros are added to dollars one to one.",
        mended="The euros are turned into dollars with the rate of a stated day.",
        looks="Amounts in different currencies added, compared or put in place of each other.",
        matters="€180,000 are $210,960 at 1.172 $/€: the sum is $30,960 short.",
        formats={"B8": _MONEY},
    ),
    Example(
        "carbon-scale", "Emissions of a training run",
        (("Energy of the run", 640, "MWh"), ("Grid carbon intensity", 380, "gCO2e/kWh"),
         ("Emissions", "=B5*B6/1000", "tCO2e"), ("Price of certificates", 70, "€/tCO2e"), ("Cost of certificates", "=B7*B8", "€")),
        "B7", "=B5*B6",
        why="MWh times g/kWh gives kilograms, but the cell is in tonnes.",
        mended="A tonne is 1,000 kg.",
        looks="Grams, kilograms and tonnes of CO2e, and intensities per kWh and per MWh, without the factor between them.",
        matters="640 MWh at 380 g/kWh emit 243 t, not 243,200 t: certificates cost €17,024, not €17,024,000.",
        formats={"B7": _TENTHS, "B9": _MONEY},
    ),
    Example(
        "params-bytes", "Memory of a 70B model",
        (("Parameters", 70.6, "billion"), ("Bytes per parameter", 2, "bytes"), ("Weights", "=B5*B6", "GB"),
         ("KV cache", 21, "GB"), ("Memory needed", "=B7+B8", "GB")),
        "B7", "=B5",
        why="Billions of parameters are taken for gigabytes, but each bf16 parameter takes two bytes.",
        mended="Parameters times bytes per parameter gives the size of the weights.",
        looks="Numbers of parameters where bytes are due, or added to bytes.",
        matters="70.6 billion parameters take 141 GB in bf16, not 70.6 GB: with the KV cache, three GPUs of 80 GB instead of two.",
        formats={"B7": _TENTHS, "B9": _TENTHS},
    ),
    Example(
        "active-params", "GPUs for a mixture of experts",
        (("Total parameters", 671, "billion"), ("Active parameters", 37, "billion"), ("Bytes per parameter", 1, "bytes"),
         ("Memory for the weights", "=B5*B7", "GB"), ("Memory of a GPU", 141, "GB"), ("GPUs for the weights", "=ROUNDUP(B8/B9,0)")),
        "B8", "=B6*B7", headers=("Quantity", "Number", "Unit"),
        why="All experts have to be held in memory, not only those that a token goes through.",
        mended="The weights are those of all parameters.",
        looks="Memory of the active parameters only, and compute of all parameters, where a model has both figures.",
        matters="671 billion parameters of one byte take 671 GB and five GPUs of 141 GB, not 37 GB and one.",
        formats={"B8": _WHOLE, "B10": _WHOLE},
    ),
    Example(
        "kv-factor", "KV cache of Llama-3-70B",
        (("Layers", 80), ("KV heads", 8), ("Head dimension", 128), ("Bytes per KV element", 2, "bytes"),
         ("KV cache per token", "=2*B5*B6*B7*B8", "bytes"), ("Context", 8192, "tokens"), ("KV cache of a sequence", "=B9*B10/1E9", "GB")),
        "B9", "=B5*B6*B7*B8",
        why="The cache holds a key and a value for every head, so the product is needed twice.",
        mended="The factor 2 stands for keys and values.",
        looks="Products of layers, heads and head dimension without the factor 2 for keys and values.",
        matters="A sequence of 8,192 tokens takes 2.7 GB, not 1.3 GB: a GPU with 20 GB left serves 7 users, not 14.",
        formats={"B9": _WHOLE, "B11": "0.00"},
    ),
    Example(
        "kv-heads", "KV cache of Llama-3-70B",
        (("Layers", 80), ("Attention heads", 64), ("KV heads", 8), ("Head dimension", 128),
         ("Bytes per KV element", 2, "bytes"), ("KV cache per token", "=2*B5*B7*B8*B9", "bytes")),
        "B10", "=2*B5*B6*B8*B9",
        why="With grouped queries, 64 attention heads share 8 KV heads, and only these are kept.",
        mended="The cache is that of the KV heads.",
        looks="KV caches worked out with the number of attention heads on a sheet that has KV heads, and models listed with the wrong one.",
        matters="A token takes 0.33 MB, not 2.6 MB: with all 64 heads, eight times the memory is bought.",
        formats={"B10": _WHOLE},
    ),
    Example(
        "percent", "GPU-hours that earn money",
        (("GPU-hours per month", 46_720, "GPU-h"), ("Utilisation", 65, "%"), ("GPU-hours sold", "=B5*B6/100", "GPU-h"),
         ("Price of a GPU-hour", 2.5, "$/GPU-h"), ("Revenue per month", "=B7*B8", "$")),
        "B7", "=B5*B6",
        why="65 is a percentage, and multiplying by it counts every GPU-hour 65 times.",
        mended="A percentage is divided by 100 before it multiplies anything.",
        looks="Percentages used as fractions, fractions used as percentages, and 65 typed into a cell that shows 6500 %.",
        matters="46,720 GPU-hours sold at 65 % earn $75,920 a month; without the division, $7,592,000.",
        formats={"B7": _WHOLE, "B8": _CENTS, "B9": _MONEY},
    ),
    Example(
        "bare-number", "Memory of a GPU",
        (("Weights", 70.6, "GB"), ("KV cache", 5.4, "GB"), ("Runtime reserve", 0.512, "GB"),
         ("Memory needed", "=B5+B6+B7", "GB"), ("Memory of the H100", 80, "GB"), ("Left free", "=B9-B8", "GB")),
        "B8", "=B5+B6+512",
        why="512 was meant in MB, but a number in a formula has no unit, and here it counts as GB.",
        mended="The reserve has a cell of its own, with its unit.",
        looks="Numbers without a unit that a formula adds to or subtracts from a quantity.",
        matters="The sheet asks for 588 GB and eight GPUs of 80 GB where 76.5 GB and one GPU do.",
        formats={"B8": _TENTHS, "B10": _TENTHS},
    ),
    Example(
        "mixed-sum", "Price of a cluster",
        (("Servers", 2_240_000, "$"), ("Network", 310_000, "$"), ("Power", 112_000, "W"), ("Total price", "=SUM(B5:B6)", "$"),
         ("Price per watt", "=B8/B7", "$/W")),
        "B8", "=SUM(B5:B7)",
        why="The range is one row too long, and 112,000 W are added to dollars.",
        mended="The range ends with the last amount of money.",
        looks="SUM and its kin over cells of different units, which nobody sees in the formula.",
        matters="The power of 112,000 W adds $112,000 to a price of $2,550,000, and nothing in =SUM(B5:B7) looks wrong.",
        formats={"B8": _MONEY, "B9": _CENTS},
    ),
    Example(
        "percent-sum", "Utilisation of three sites",
        (("Dublin", 128, 0.25), ("Frankfurt", 512, 0.35), ("Oregon", 1024, 0.2),
         ("All sites", "=SUM(B5:B7)", "=SUMPRODUCT(B5:B7,C5:C7)/B8")),
        "C8", "=SUM(C5:C7)",
        why="Utilisations of different sites are not parts of one whole, and their sum is not a utilisation.",
        mended="Each site counts with its number of GPUs.",
        looks="Sums of utilisations, hit rates and other percentages that are not parts of one whole.",
        matters="The three sites are used to 25 %, not to 80 %: new GPUs are ordered while 1,248 of 1,664 are idle.",
        formats={f"C{row}": _PERCENT for row in range(5, 9)} | {"B8": _WHOLE},
        headers=("Site", "GPUs", "Utilisation"),
    ),
    Example(
        "above-limit", "How well is the H100 used?",
        (("Peak of the H100, bf16, dense", 989, "TFLOP/s"), ("Achieved compute per GPU", 400, "TFLOP/s"), ("MFU", "=B6/B5", "%"),
         ("GPUs", 1024), ("Work done, in GPUs at their peak", "=B7*B8")),
        "B7", "=B5/B6",
        why="The ratio is upside down: a GPU cannot reach 247 % of its peak.",
        mended="What is reached is divided by the peak.",
        looks="Utilisations above 100 %, a PUE below 1, and rates or sizes above what the hardware named beside them has.",
        matters="1,024 GPUs at 40 % do the work of 414 at their peak; the sheet promises that of 2,532.",
        formats={"B7": "0.0%", "B9": _WHOLE},
    ),
    Example(
        "registry", "Fastest decode step of an H100",
        (("Weights", 70.6, "GB"), ("Memory bandwidth of the H100", 3.35, "TB/s"), ("Time to read the weights", "=B5/B6", "ms"),
         ("Output tokens per second", "=1000/B7", "tokens/s")),
        "B6", 2.04,
        why="2.04 TB/s is the bandwidth of an A100; an H100 SXM has 3.35 TB/s.",
        mended="The figure of the H100's data sheet.",
        looks="Typed figures of chips and models (memory, bandwidth, peaks, power, links, layers, heads) that their data sheets contradict.",
        matters="A step takes 21 ms, not 35 ms: planned with the other chip's figure, a service gets 64 % more GPUs than it needs.",
        formats={"B7": _TENTHS, "B8": _TENTHS},
    ),
    Example(
        "unit-contradiction", "What a chat service has to hold",
        (("Time to first token (ms)", 500, "ms"), ("Throughput per user (tokens/s)", 20, "tokens/s"), ("Users at a time", 300),
         ("Throughput of all users (tokens/s)", "=B6*B7", "tokens/s")),
        "C5", "s",
        why="The label says milliseconds and the unit beside the number says seconds.",
        mended="Label and unit agree.",
        looks="Two statements about one number that cannot both be true: label and unit column, label and number format.",
        matters="A limit of 500 ms that is passed on as 500 s is met by every offer, also by one that answers after 8 minutes.",
        formats={"B8": _WHOLE},
        found="B5",
    ),
    Example(
        "prefix", "Investment in a cluster",
        (("Servers", 2.24, "M$"), ("Network", 310, "k$"), ("Installation", 85, "k$"), ("Total cost", "=B5+(B6+B7)/1000", "M$")),
        "B8", "=B5+B6+B7",
        why="Thousands of dollars are added to millions as if they were the same.",
        mended="Thousands are divided by 1,000 to give millions.",
        looks="k, M, G and T added, compared or put in place of each other.",
        matters="A cluster of 2.6 M$ is submitted for 397 M$.",
        formats={"B8": "#,##0.000"},
    ),
    Example(
        "dimension", "Fastest decode step of an H100",
        (("Weights", 70.6, "GB"), ("Memory", 80, "GB"), ("Memory bandwidth", 3.35, "TB/s"),
         ("Time to read the weights", "=B5/B7", "ms")),
        "B8", "=B5/B6",
        why="Gigabytes over gigabytes are a share, not a time: the memory was picked instead of its bandwidth.",
        mended="A size over a bandwidth is a time.",
        looks="Quantities of different dimensions added or compared, and results that are not what their cell says.",
        matters="The sheet shows a step of 0.9 ms instead of 21 ms: 24 times the tokens per second that an H100 can make.",
        formats={"B8": _TENTHS},
    ),
)  # fmt: skip

EXAMPLES: dict[str, Example] = {example.rule: example for example in _EXAMPLES}


# --- workbooks -----------------------------------------------------------------------------------------------------


def build_example(rule: str, out: str | Path) -> Path:
    """Write the example workbook of a rule; return its path.

    Parameters
    ----------
    rule : str
        Name of the rule.
    out : path
        The file to write. Equal code gives equal bytes.
    """
    example = EXAMPLES[rule]
    wb = Workbook()
    style.use_font(wb)
    del wb[wb.sheetnames[0]]
    for name in SHEETS:
        _write_sheet(wb.create_sheet(name), example, name)
    return save_template(wb, f"{RULES[rule].title} ({rule})", out)


def _write_sheet(ws: Worksheet, example: Example, sheet: str) -> None:
    """Write the table, the formulas and the note beside it, and the explanation below it."""
    wrong = sheet == "Wrong"
    columns = len(example.headers)
    formulas, notes = get_column_letter(columns + 2), get_column_letter(columns + 3)  # behind an empty column
    style.widths(ws, [38, *([14] * (columns - 1)), 3, 34, 70])
    said = "One cell of this sheet is mistaken." if wrong else "The same sheet, mended."
    style.title(ws, "A1", example.title, said)
    style.header(ws, TOP - 1, 1, example.headers, 24)
    style.header(ws, TOP - 1, columns + 2, ("Formula", "What is wrong" if wrong else "What was mended"), 24)
    content = example.content(sheet)
    for row in range(TOP, TOP + len(example.rows)):
        ws.row_dimensions[row].height = 20
        refs = [f"{get_column_letter(column)}{row}" for column in range(1, columns + 1)]
        for ref in refs:
            _write_cell(ws, ref, content.get(ref), example.formats.get(ref))
        shown = [v for v in map(content.get, refs) if _is_formula(v)]
        _as_text(style.body(ws, f"{formulas}{row}", None, align="left"), str(shown[-1]) if shown else None)
        style.body(ws, f"{notes}{row}", None)
    _mark(ws, example, wrong, notes)
    _explain(ws, example, TOP + len(example.rows) + 1, notes)
    style.page(ws, f"A{TOP}", tab=(style.RED if wrong else style.GREEN)[1])


def _write_cell(ws: Worksheet, ref: str, value: Cell, fmt: str | None) -> None:
    """Write a cell of the table: typed numbers look like inputs, all else like results."""
    if isinstance(value, int | float):
        style.input_cell(ws, ref, value, fmt or (_WHOLE if isinstance(value, int) else None))
    else:
        formula = _is_formula(value)
        style.body(ws, ref, value, fmt or (_TENTHS if formula else None), "center" if formula else "left")


def _is_formula(value: Cell) -> bool:
    return isinstance(value, str) and value.startswith("=")


def _as_text(cell: Any, formula: str | None) -> None:
    """Show a formula as a text that nothing calculates."""
    if formula is not None:
        cell.value, cell.data_type = formula, "s"
        cell.quotePrefix = True
        cell.font = style.font(9.5, style.MUTED)


def _mark(ws: Worksheet, example: Example, wrong: bool, notes: str) -> None:
    """Fill the cell that is mistaken or mended, and write the sentence about it."""
    fill, ink = style.RED if wrong else style.GREEN
    cell = ws[example.cell]
    note = style.body(ws, f"{notes}{cell.row}", example.why if wrong else example.mended, align="left", wrap=True)
    for marked, bold in ((cell, True), (note, False)):
        marked.fill = PatternFill("solid", fgColor=fill, bgColor=fill)
        marked.font = style.font(10, ink, bold=bold)
    ws.row_dimensions[cell.row].height = 32


def _explain(ws: Worksheet, example: Example, row: int, last: str) -> None:
    """Write what the rule is about, below an empty row."""
    rule = RULES[example.rule]
    texts = (
        ("The rule", f"{rule.title} ({rule.severity} {example.rule}). {example.looks}"),
        ("Why it matters", example.matters),
        ("How to silence it", _silence(example.rule, "“{}”")),
    )
    for i, (heading, text) in enumerate(texts):
        at = row + i
        style.put(ws, f"A{at}", heading).font = style.font(10, style.NAVY, bold=True)
        ws[f"A{at}"].alignment = Alignment(vertical="top")
        style.paragraph(ws, f"B{at}", f"{last}{at}", text)
        ws.row_dimensions[at].height = 15 * math.ceil(len(text) / 138) + 4


def _silence(rule: str, code: str) -> str:
    """Return how to silence a rule; ``code`` is the pattern of what is typed."""
    one, book, command = (
        code.format(t) for t in (f"mlsim: ok {rule}", f"mlsim: ignore {rule}", f"mlsim lint --ignore {rule}")
    )
    return f"For one cell, a note {one} on it; for the whole workbook, a note {book} on any cell, or {command}."


# --- the page ------------------------------------------------------------------------------------------------------


def rules_page(folder: str | Path) -> str:
    """Return the page that explains all rules, from the example workbooks in a folder."""
    where = Path(folder)
    lines = [
        "# Rules of the unit checker",
        "",
        f"`mlsim lint` reads a workbook and reports mistakes of units. It knows {len(EXAMPLES)} rules. Each has an example"
        f" workbook in [`{where.name}/`]({where.name}/): the sheet *Wrong* has one mistake, the sheet *Right* is the same"
        " sheet mended.",
        "",
        "The checker compares what a formula gives with what its cell says. Where nothing on the sheet says what a number"
        " is, it says nothing.",
        "",
        "This page is generated by `make generated`.",
        "",
        "| Rule | Finds | Severity |",
        "|---|---|---|",
        *(f"| [`{rule.name}`](#{rule.name}) | {rule.title} | {rule.severity} |" for rule in _rules()),
        "",
    ]
    for rule in _rules():
        lines += _section(EXAMPLES[rule.name], where)
    return "\n".join(lines)


def _rules() -> list[Rule]:
    """Return the rules in the order of the examples."""
    return [RULES[name] for name in EXAMPLES]


def _section(example: Example, folder: Path) -> list[str]:
    """Return the lines about one rule."""
    rule = RULES[example.rule]
    book = load_workbook(folder / f"{rule.name}.xlsx", data_only=True)
    wrong, right = (_outcome(example, sheet, book[sheet]) for sheet in SHEETS)
    return [
        f"## {rule.name}",
        "",
        f"**{rule.title}** ({rule.severity}).",
        _prose(example.looks),
        "",
        f"*Why it matters:* {_prose(example.matters)}",
        "",
        *_table(example),
        "",
        f"- Wrong: {wrong} {_prose(example.why)}",
        f"- Right: {right} {_prose(example.mended)}",
        f"- How to mend it: {_prose(rule.fix)}",
        f"- How to silence it: {_silence(rule.name, '`{}`')}",
        f"- Example: [{rule.name}.xlsx]({folder.name}/{rule.name}.xlsx)",
        "",
    ]


def _table(example: Example) -> list[str]:
    """Return the sheet Wrong as a table with the mistaken cell in bold."""
    content = example.content("Wrong")
    letters = [get_column_letter(i) for i in range(1, len(example.headers) + 1)]
    lines = [_row("", *(f"{letter}: {text}" for letter, text in zip(letters, example.headers, strict=True)))]
    lines.append(_row(*["---"] * (len(letters) + 1)))
    for row in range(TOP, TOP + len(example.rows)):
        refs = [f"{letter}{row}" for letter in letters]
        texts = [_typed(content.get(ref), example.formats.get(ref, "")) for ref in refs]
        lines.append(
            _row(str(row), *(f"**{t}**" if r == example.cell else t for r, t in zip(refs, texts, strict=True)))
        )
    return lines


def _prose(text: str) -> str:
    """Return a text in which a dollar sign begins no mathematics."""
    return text.replace("$", r"\$")


def _row(*texts: str) -> str:
    return f"| {' | '.join(texts)} |"


def _typed(value: Cell, fmt: str) -> str:
    """Return what stands in a cell, for the page."""
    if value is None:
        return ""
    if isinstance(value, str):
        return f"`{value}`" if _is_formula(value) else _prose(value)
    return _number(value, fmt)


def _number(value: float, fmt: str) -> str:
    """Return a number as the sheet shows it, or nearly so."""
    if "%" in fmt:
        return f"{value:.{len(fmt.partition('.')[2].rstrip('%'))}%}".replace("%", " %")
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def _outcome(example: Example, sheet: str, values: Worksheet) -> str:
    """Return what stands in the cell, and what comes of it when it is a formula."""
    content, ref = example.content(sheet), example.cell
    stands, shown = content[ref], values[ref].value
    if isinstance(shown, str):
        return f"`{ref}` is `{shown}`."
    number = _number(shown, example.formats.get(ref, ""))
    unit = "" if "%" in number else _unit(example, content, ref)
    formula = f"`{stands}`, which gives " if _is_formula(stands) else ""
    return f"`{ref}` is {formula}{number}{unit}."


def _unit(example: Example, content: Mapping[str, Cell], ref: str) -> str:
    """Return the unit that the sheet gives a cell, after a space."""
    unit = content.get(f"C{re.sub(r'[A-Z]', '', ref)}") if example.headers[-1] == "Unit" else None
    return f" {_prose(str(unit))}" if unit else ""


# --- all of them ---------------------------------------------------------------------------------------------------


def write_all(folder: str | Path) -> list[Path]:
    """Write all example workbooks into a folder, and the page beside it; return the paths.

    Parameters
    ----------
    folder : path
        Where the workbooks go. The page gets the folder's name: ``docs/rules`` gives ``docs/rules.md``.
    """
    where = Path(folder)
    where.mkdir(parents=True, exist_ok=True)
    paths = [build_example(rule, where / f"{rule}.xlsx") for rule in EXAMPLES]
    page = where.with_name(f"{where.name}.md")
    page.write_text(rules_page(where), encoding="utf-8")
    return [*paths, page]


def main(args: Sequence[str]) -> None:
    """Write the examples into the folder named first, ``docs/rules`` unless another is."""
    for path in write_all(args[0] if args else "docs/rules"):
        print(path)


if __name__ == "__main__":
    main(sys.argv[1:])
