"""What keeps the checker silent: each sheet is right as it stands, and one change makes it a mistake that is reported."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_lint_rules import right_then_wrong

# the list that is right, "label | content | unit"; the cells that make it wrong; what is then reported
CASES: dict[str, tuple[str, dict[str, object], str]] = {
    "the hourly wage is a number in the formula": (
        "Annotation | 320 | h; Cost of it | =B1*28 | $", {"B2": "=B1*24"}, "money-rate B2",
    ),
    "the 2 may be the bytes of each": (
        "Parameters | 7 | billion; Each | 2; Gradients | =B1*B2 | GB", {"B3": "=B1"}, "params-bytes B3",
    ),
    "a battery over what a day takes": (
        "Battery | 60 | kWh; Use | 12 | kWh; Lasts for | =B1/B2 | days", {"C2": "kW"}, "calendar B3",
    ),
    "a count that may be in millions": (
        "Samples | 400; Size of one | 95 | kB; Size | =B1*B2/1000 | TB", {"B3": "=B1*B2/1024", "C3": "MB"}, "binary-prefix B3",
    ),
    "the PUE has lost its label": (
        "IT power | 40 | kW; x | 1.3; Facility power | =B1*B2 | kW", {"B3": "=B1"}, "facility-energy B3",
    ),
    "a quota of hours is one of GPU-hours": (
        "Quota (h) | 4000; GPU-hours used | 3000 | GPU-h; Left (h) | =B1-B2",
        {"A1": "Wall clock (h)", "A3": "Difference (h)"}, "device-hours B3",
    ),
    "what is kept free in a test": (
        "Kept | 14 | GB; Cache | 12 | GB; Fits | =IF(B2<=B1-1,1,0)", {"B3": "=B1-1", "C3": "GB"}, "bare-number B3",
    ),
    "a number that stands in the question": (
        "Would 156 kW be enough? | =156-B2; Committed | 150 | kW", {"A1": "Left over"}, "bare-number B1",
    ),
    "M in a column of units": (
        "Work | 312 | TFLOP; Rate | 900 | tok/s; Tokens | =B4/10^6 | M; Tokens read | 5000000 | tokens;"
        " Run | =B3*10^6/B2/3600 | h", {"B5": "=B3*10^6/B2"}, "time-scale B5",
    ),
    "a price whose label says what it is per": (
        "Spent | 100 | $; Used | 50 | GPU-h; Cost per GPU-hour | =B1/B2 | $", {"A3": "Cost of it all"}, "money-rate B3",
    ),
    "shares whose line is called a mean": (
        "Kind | Share (%); short | 70; long | 30; Mean | =SUM(B2:B3)", {"B3": 60}, "percent-sum B4",
    ),
    "the heading of another table": (
        "Model | Images | Users; A | 4 | 5; B | 6 | 7;; Cache | 12 | GB; Cache, binary | =B5/1.073741824 | GiB",
        {"B6": "=B5*1.073741824"}, "binary-prefix B6",
    ),
    "a service whose name is a unit": (
        "Service | Owner | Size (GB) | Copy (GB); search | Mo | 40 | =C2; chat | Mo | 20 | =C3", {"D1": "Copy (GiB)"}, "binary-prefix D2",
    ),
    "what chips were measured to reach": (
        "Chip | GEMM bf16 (TFLOP/s); A100 SXM | 268; H100 SXM | 742; L40S | 268", {"B1": "Dense bf16 (TFLOP/s)", "B2": 312}, "registry B3",
    ),
    "a price in plain dollars": (
        "Used | 500 | GPU-h; Price | 2.35 | $; Bill | =B1*B2 | $", {"A2": "Spent before"}, "money-rate B3",
    ),
    "the rest of a day": (
        "Daytime | 16 | h/day; Night | =24-B1 | h/day", {"B2": "=25-B1"}, "bare-number B2",
    ),
    "words in a minute": (
        "Clip | 24 | min; Words in a spoken minute | 150; Tokens per word | 1.35 | tokens; Clip in tokens | =B1*B2*B3 | tokens",
        {"A2": "Clips in the archive"}, "token-rate B4",
    ),
    "users that the label counts": (
        "Users | 64; Rate at 64 users | 1200 | tok/s; Rate of one user at 64 users | =B2/64 | tok/s per user",
        {"B3": "=B2"}, "user-total B3",
    ),
    "the rest of a day in seconds": (
        "Wake-ups | 400 | 1/day; Time awake | 900 | ms; Asleep | =86400-B1*B2/1000 | s/day", {"B3": "=86000-B1*B2/1000"}, "bare-number B3",
    ),
    "the cache of weights in four bits": (
        "Model | Weights B/param | KV bytes/elem; Llama 8B int4 | 0.5 | 2; Llama 8B bf16 | 2 | 2", {"B2": 2}, "params-bytes B2",
    ),
    "a fallback in another number format": (
        "Detector | 28.6 | GOP; Peak FP16, dense | 10 | TFLOP/s; Frame in FP16 | =B1/B2 | ms", {"A3": "Frame"}, "integer-ops B3",
    ),
    "the line below the months": (
        "Month | Days | IT energy (MWh); January | 31 | 230; February | 28 | 215; Year | =SUM(B2:B3) | =SUM(C2:C3)",
        {"C4": "=SUM(B2:C3)"}, "mixed-sum C4",
    ),
    "terabytes that are binary, as a note says": (
        "Storage | 184320 | GB; Storage in TB | =B1/1024 | TB; 1 TB = 1024 GB", {"A3": "as billed"}, "binary-prefix B2",
    ),
    "a byte for each parameter, as a note says": (
        "Parameters | 671 | billion; Weights | =B1 | GB | one byte each", {"D2": "as loaded"}, "params-bytes B2",
    ),
    "a unit column for each of two columns": (
        " | one GPU | cluster | unit one GPU | unit cluster; GPUs |  | 128; Peak, dense bf16 | 989 | =B3*$C$2/1000 | TFLOP/s | PFLOP/s",
        {"E3": "EFLOP/s"}, "prefix C3",
    ),
    "a peak of 8 bits is twice that of 16": (
        "Dense bf16 peak | 989 | TFLOP/s; Dense fp8 peak | =2*B1 | TFLOP/s; Work | 140 | TFLOP; Time in fp8 | =B3/B2 | s",
        {"B2": "=B1"}, "peak-precision B2",
    ),
    "a pair of currencies, as banks write it": (
        "Exchange rate EUR/USD | 1.08; Offer | 9000 | $; Offer in euros | =B2/B1 | €", {"A1": "Euros per dollar"}, "currency B3",
    ),
    "heads below a header that says KV": (
        "Model | heads | heads; name | query | KV; Llama 3.1 8B | 32 | 8", {"C3": 16}, "registry C3",
    ),
    "the title of a part": (
        "Nodes | 16; GPUs | =B1*B5; Data sheet; Memory per GPU | 80 | GB; GPUs per node | 8; Per server; Memory | =B4*B5 | GB",
        {"A6": "Cluster"}, "device-scope B7",
    ),
    "an offer whose lines are priced by what they count": (
        "Item | Qty | Unit | Unit price ($) | Amount ($); Storage | 1500 | TB | 248 | =B2*D2; Support | 5 | years | 9000 | =B3*D3",
        {"D1": "Amount ($)"}, "money-rate E2",
    ),
    "the rate of exchange that a label gives": (
        "Total | 1450 | k€; Same in US dollars (1 € = 1.10 $) | =B1*1.1 | k$; Energy | 90 | k€; Energy in dollars | 99 | k$",
        {"A2": "Same in US dollars"}, "currency B2",
    ),
    "as many cameras as one box has": (
        "Cameras per box | 4; Operations per frame | 8.7 | GOP; Inferences per camera | 15 | 1/s; Required rate | =B2*B1*B3/1000 | TOPS",
        {"B4": "=B2*B1*B3"}, "prefix B4",
    ),
    "cooling as a share of what it cools": (
        "IT load | 640 | kW; Cooling and losses | 0.32; PUE | 1.3; Facility load | =B1*(1+B2) | kW", {"B4": "=B1"}, "facility-energy B4",
    ),
    "the vector units of FP64": ("H100 SXM; Peak FP64, dense | 34 | TFLOP/s", {"B2": 44}, "registry B2"),
    "a bus and the rate of its pins": (
        "Bus width | 384 | bit; Data rate per pin | 21 | Gbit/s; Bandwidth | =B1*B2/8 | GB/s", {"A1": "Width", "A2": "Data rate"}, "dimension B3",
    ),
    "so many times the tokens of an answer": (
        "Output tokens | 400 | tokens/s; Input tokens | =3*B1 | tokens/s", {"B2": "=B1"}, "token-direction B2",
    ),
    "the peak that the share is of": (
        "Model in FP8; Peak, dense BF16 | 989 | TFLOP/s; MFU against dense BF16 | 40 | %; Prefill in FP8, reached | =B2*B3/100 | TFLOP/s",
        {"A3": "MFU"}, "peak-precision B4",
    ),
    "the units of another column": (
        "Dataset | Samples | Avg. size | Size unit | TB; Text | 3200 | 4.1 | kB | 1; Video | 18 | 14.5 | MB | 1; Sum | =SUM(B2:B3) | | | =SUM(E2:E3)",
        {"C1": "Notes", "D1": "Unit"}, "mixed-sum B4",
    ),
    "a plan that does not fit, and says so": (
        "Memory | 80 | GB; Weights | 16 | GB; KV cache | 90 | GB; Share of the memory | =(B2+B3)/B1*100 | %; At this batch it does not fit",
        {"A5": "At this batch"}, "above-limit B4",
    ),
    "days of eight hours, at work": (
        "Effort | 240 | h; Working days | =B1/8 | days", {"A1": "Run time", "A2": "Run time, wall clock"}, "calendar B2",
    ),
    "half a link for one direction": (
        "Weights | 14 | GB; NVLink, both directions | 900 | GB/s; Copy, one direction | =B1/(B2/2) | s", {"B3": "=B1/B2"}, "link-direction B3",
    ),
    "hours of GPUs below a column of money": (
        "Position | Ist (T€); Strom | 66; Abschreibung | 300; Summe | =SUM(B2:B3); Genutzte GPU-Stunden (Tsd.) | 198; € je GPU-Stunde | =B4/B5",
        {"A5": "Miete", "A6": "€ je GPU-Stunde (T€)"}, "money-rate B6",
    ),
    "no PUE at home": (
        "PUE of the hall | 1.3; Energy of all gateways | 40 | MWh; Price | 0.24 | EUR/kWh; Electricity of the gateways | =B2*1000*B3 | EUR",
        {"A2": "Energy of all servers", "A4": "Electricity of the servers"}, "facility-energy B4",
    ),
    "the way back, one line above": (
        "Network, one way | 20 | ms; First token at the server | 350 | ms; First token at the client | =B2+2*B1 | ms; Answer | 300 | tokens;"
        " Rate | 50 | tokens/s; Mean response time | =B3/1000+B4/B5 | s",
        {"B3": "=B2+B1"}, "round-trip B3",
    ),
    "the busiest of some means": (
        "Load on Monday | 40 | kW; Load on Tuesday | 52 | kW; Busiest day, mean load | =MAX(B1:B2) | kW", {"A3": "Mean load"}, "statistic-mix B3",
    ),
    "the rest of an hour": (
        "Active per hour | 40 | s; Asleep per hour | =3600-B1 | s", {"B2": "=B1+3600"}, "bare-number B2",
    ),
    "a figure in the label of a cost": (
        "GPU-hours lost | 300 | GPU-h/month; GPU price | 2.2 | USD/GPU-h; Lost at 2.20 USD per GPU-hour | =B1*B2 | USD/month",
        {"C2": "EUR/GPU-h"}, "currency B3",
    ),
    "symbols that look like units": (
        "Symbol | Meaning | Value | Unit; m_s | utilisation of the peak | 0.4 | 1; t_s | time per step | 20 | ms", {"D3": "GB"}, "unit-contradiction C3",
    ),
    "half of a round trip": (
        "Round trip to the edge | 52 | ms; Handover, one way | 4 | ms; One-way budget | =B1/2+B2 | ms", {"B3": "=B1+B2"}, "round-trip B3",
    ),
    "a network that is counted twice": (
        "Prefill | 80 | ms; Network, one way, twice | 42 | ms; Time to first token | =B1+B2 | ms", {"A2": "Network, one way"}, "round-trip B3",
    ),
    "how often a copy is made": (
        "Copy | every | kept | Size (TB); weights | 6 h | 4 | 0.5; all of the state | 1 day | 7 | 2.1", {"B1": "memory"}, "dimension B2",
    ),
    "the GPU time of one image": (
        "Power per GPU | 610 | W; GPU time per image | 2 | s; IT energy | =B1*B2/3600 | Wh; GPUs | 8; GPU-hours | =B4*730 | GPU-h",
        {"A2": "Run time of the job", "A3": "IT energy of the job"}, "device-scope B3",
    ),
    "daily users": (
        "Cost | 100 | $/month; Daily users | 40 | users; Cost per daily user and month | =B1/B2 | $/user/month", {"C3": "$/user/year"}, "calendar B3",
    ),
    "a percentile that is worked out": (
        "Mean time in the system (s) | 12; 95th percentile of time in the system (s) | =-LN(0.05)*B1", {"B2": "=B1"}, "statistic-mix B2",
    ),
    "what an optimizer keeps": (
        "Rows in bf16 (M) | 420; Optimizer state (GB), rows in bf16 | =B1*10^6*4/10^9", {"A2": "Vectors (GB), rows in bf16"}, "params-bytes B2",
    ),
    "the run of one card": (
        "Run time | 6 | h; GPU power, mean | 0.36 | kW; Energy of the run | =B1*B2 | kWh", {"C3": "kW"}, "power-energy B3",
    ),
    "a batch plan among tokens": (
        "Customer | Plan | Input tokens (M) | Requests; A | standard | 820 | 12; B | batch | 4100 | 15; All | | =SUM(C2:C3) | =SUM(D2:D3)",
        {"C4": "=SUM(C2:D3)"}, "mixed-sum C4",
    ),
    "hours of GPUs in hours": (
        "Images | 900 | images/month; Images per GPU and hour | 45 | images/h; GPU-hours paid | =B1/B2 | h/month; GPUs | 4", {"C3": "kWh/month"}, "dimension B3",
    ),
    "the size of a model": ("Parameter des Modells | 48000 | Parameter; Bytes je Parameter | 1 | Byte/Parameter; Modellgröße | =B1*B2/1024 | KiB", {"C3": "GiB"}, "prefix B3"),
    "seconds in an hour, with their unit": (
        "Tokens sold | 42000 | Mtok/month; Rate per replica | 900 | tok/s; Seconds in an hour | 3600 | s; Hours in a month | 730 | h;"
        " Decode time | =B1*10^6/B2/B3 | replica-h/month; Replicas running | =ROUNDUP(B5/B4,0) | replicas",
        {"B6": "=ROUNDUP(B5/B2,0)"}, "token-rate B6",
    ),
    "at least so many GPUs": ("Memory needed | 900 | GB; Memory per GPU | 80 | GB; min GPUs | =ROUNDUP(B1/B2,0) | GPUs", {"C1": "GB/s"}, "dimension B3"),
    "three years of months": (
        "Line | Unit | 2026 | 2027 | Three years; Users | | 40 | 40 | 40; Cost | EUR | 4800 | 5200 | =SUM(C3:D3); Cost per user and month | EUR/user-month"
        " | =C3/C2/12 | =D3/D2/12 | =E3/E2/24",
        {"E4": "=E3/E2/52"}, "money-rate E4",
    ),
    "what a token sends and gets, over one direction": (
        "Both directions of a token | 21 | kB; Tokens | 64 | tokens; Bandwidth, each direction | 40 | GB/s; Time | =B1*B2/(B3*1000) | ms",
        {"A3": "Bandwidth, both directions"}, "link-direction B4",
    ),
    "cubic metres are no chip": ("GPU | H200 SXM; Water used | 40 | m3; Memory per GPU | 141 | GB", {"B3": 80}, "registry B3"),
    "what a row is billed per": (
        "Meter | Billed per | Metered | Price | Expected (USD); H100 | GPU-hour | 900 | 2.1 | =C2*D2; Storage | GB-month | 400 | 0.02 | =C3*D3; All | | | | =SUM(E2:E3)",
        {"E4": "=SUM(D2:E3)"}, "mixed-sum E4",
    ),
    "a product called Tag-S": (
        "Parameter | Unit | Tag-S | Cam-L; Power while active | mW | 24 | 95; Active | s/day | 400 | 900; Energy per day | J | =C2*C3/1000 | =D2*D3/1000",
        {"B4": "Wh"}, "time-scale C4",
    ),
    "runway": (
        "Cash | 900000 | $; Net burn | 75000 | $; Runway at this burn | =B1/B2 | months; Power | 3 | kW; Energy | =B4*730 | kWh", {"B5": "=B4"}, "power-energy B5",
    ),
    "there and back, in ms one way": (
        "Step | Basis | Unit | Mean (ms); Network, there and back | 11 | ms one way | =2*B2; Embedding | 4 | ms | =B3; Sum | | | =SUM(D2:D3)",
        {"D4": "=D2+D3+5"}, "bare-number D4",
    ),
    "switches and losses, in kW": (
        "Nodes per rack | 3 | nodes; Power of a node | 10 | kW; Switches and losses per rack | 1.4 | kW; Rack power | =B1*B2+B3 | kW", {"C2": "W"}, "prefix B4",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_silent_where_it_is_right_and_not_where_it_is_wrong(tmp_path: Path, name: str) -> None:
    right_then_wrong(tmp_path / "book.xlsx", CASES[name])
