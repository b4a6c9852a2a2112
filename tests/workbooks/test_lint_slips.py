"""Slips that the shape of a sheet tells: an input nobody uses, a case that lacks what the other has, a count among bytes.

Each sheet is right as it stands, and one change makes it a mistake that is reported.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import Workbook
from test_lint_rules import right_then_wrong

from mlsim_workbooks.lint import lint

# the list that is right, "label | content | unit"; the cells that make it wrong; what is then reported
CASES: dict[str, tuple[str, dict[str, object], str]] = {
    "a comparison that takes another line": (
        " | chat | doc QA | agent; KV per session (GiB) | 2 | 4 | 8; Host memory for KV (GiB) | 200 | 400 | 800;"
        " Host memory (GiB) | 1536 | 1536 | 1536; Fits? | =IF(B3<=B4,1,0) | =IF(C3<=C4,1,0) | =IF(D3<=D4,1,0)",
        {"B5": "=IF(B2<=B4,1,0)"}, "device-scope B5",
    ),
    "a factor on the wrong side of the fraction": (
        "Source | Kept (TB) | Bytes per token | Tokens (B); Web | 40 | 4 | =B2*1000/C2; Code | 12 | 3.4 | =B3*1000/C3;"
        " Books | 3 | 4.2 | =B4*1000/C4", {"D3": "=B3*1000*C3"}, "dimension D3",
    ),
    "a PUE that multiplies": (
        "Month | IT (MWh) | Hall (MWh) | PUE; May | 341 | 384 | =C2/B2; June | 350 | 391 | =C3/B3",
        {"D2": "=C2*B2", "D3": "=C3*B3"}, "dimension D2",
    ),
    "racks that multiply": (
        "Servers | 12 | servers; Servers per rack | 3 | servers/rack; Racks | =ROUNDUP(B1/B2,0) | racks",
        {"B3": "=ROUNDUP(B1*B2,0)"}, "dimension B3",
    ),
    "a power in a long product": (
        "Servers | 6; Power of a server | 3.4 | kW; PUE | 1.3; Days | 31 | days; Energy | =B1*B2*B3*24*B4 | kWh",
        {"B5": "=B1*B2*B3*24/B4"}, "dimension B5",
    ),
    "kilowatt-hours that are megawatt-hours": (
        "IT energy | 340 | MWh; PUE | 1.2; Facility energy | =B1*B2 | MWh", {"C3": "kWh"}, "prefix B3",
    ),
    "weights a thousand times too small": (
        "Parameters (B) | 70.6; Weights (GB) | =B1*2", {"A2": "Weights (MB)"}, "prefix B2",
    ),
    "a share a thousand times too large": (
        "Energy of the hall | 5200 | MWh; Energy of the racks | 310 | MWh; Their share | =B2/B1*100 | %",
        {"B3": "=B2/B1*100*1000"}, "prefix B3",
    ),
    "nodes a thousand times too many": (
        "GPUs | 512 | GPUs; GPUs per node | 8 | GPUs/node; Nodes | =B1/B2 | nodes", {"B3": "=B1/B2*1000"}, "prefix B3",
    ),
    "a rate in gigabytes": (
        "Port | 400 | Gbit/s; Ports per server | 8; Injection of a server | =B1*B2/8 | GB/s", {"C3": "GB"}, "dimension B3",
    ),
    "days of GPUs in hours": (
        "GPUs | 64 | GPUs; Time | 12 | h; GPU-hours | =B1*B2 | GPU-h", {"A3": "GPU-days"}, "unit-contradiction B3",
    ),
    "a margin that is the profit": (
        "Revenue | 900 | k€; Profit | 120 | k€; Margin (%) | =B2/B1*100", {"B3": "=B2"}, "dimension B3",
    ),
    "a cost that is a number of tokens": (
        "Input | 420 | Mtok/month; Price, input | 0.6 | $/Mtok; Cost of the input | =B1*B2 | $/month",
        {"B3": "=B1"}, "dimension B3",
    ),
    "hours that are a size": (
        "Data | 12 | TB; Link | 40 | GB/s; Copy | =ROUND(B1*1000/B2,0) | s", {"B3": "=ROUND(B1,0)"}, "dimension B3",
    ),
    "jours of a French sheet": (
        "Puissance | 12 | kW; Jours | 30 | j; Énergie | =B1*24*B2 | kWh", {"B3": "=B1*B2"}, "calendar B3",
    ),
    "parameters in gigabytes, beside a count": (
        "Parameters | 70.6 | billion; Bytes per parameter | 2 | bytes; Copies kept | 6; Flash | =B1*B2*B3/1000 | TB",
        {"B4": "=B1*B3/1000"}, "params-bytes B4",
    ),
    "dollars in euros, beside a count": (
        "Servers | 4; Price | 268000 | $; Spare parts kept | 5; Rate | 0.92 | €/$; Together | =B1*B2*B3*B4/1000 | k€",
        {"B5": "=B1*B2*B3/1000"}, "currency B5",
    ),
    "a PUE in a sum": (
        "IT energy | 800 | MWh; PUE | 1.2; Cooling | 160 | MWh; Site energy | =B1*B2 | MWh",
        {"B4": "=SUM(B1:B2)"}, "mixed-sum B4",
    ),
    "the energy of a site without PUE": (
        "IT energy | 800 | MWh; PUE | 1.2; Energy of the site | =B1*B2 | MWh; Its loss | =B3-B1 | MWh",
        {"B3": "=B1"}, "facility-energy B3",
    ),
    "a revenue per user that is a total": (
        "Revenue | 9000 | $; Users | 300; Revenue per user | =B1/6/B2 | $/user", {"B3": "=B1/6"}, "user-total B3",
    ),
    "chunks added to tokens": (
        "System prompt | 600 | tokens; Retrieved chunks | 6; Tokens per chunk | 350 | tokens; Input | =B1+B2*B3 | tokens",
        {"B4": "=B1+B2"}, "bare-number B4",
    ),
    "months whose unit says days": ("Run time in months | 4 | months", {"C1": "days"}, "unit-contradiction B1"),
    "input tokens twice": (
        "Prompt tokens | 900 | tokens; Output tokens | 250 | tokens; FLOP per token | 140 | GFLOP; Work | =(B1+B2)*B3/1000 | TFLOP",
        {"B4": "=(B1+B1)*B3/1000"}, "token-direction B4",
    ),
    "a logarithm added to seconds": (
        "Service time | 0.4 | s; Wait | 0.1 | s; p99 | =B2+LN(100)*B1 | s", {"B3": "=B2+LN(100)+B1"}, "bare-number B3",
    ),
    "requests per token": (
        "Requests | 2000 | requests; Output tokens | 500000 | tokens; Output per request | =B2/B1 | tokens/request",
        {"B3": "=B1/B2"}, "dimension B3",
    ),
    "the greatest of a range for its mean": (
        "A | 3 | h; B | 5 | h; C | 9 | h; Mean time down | =AVERAGE(B1:B3) | h", {"B4": "=MAX(B1:B3)"}, "statistic-mix B4",
    ),
    "a sparse peak of no named chip": ("Peak, BF16 dense | 989 | TFLOP/s", {"B1": 1979}, "sparse-peak B1"),
    "bits that a label gives": (
        "Ring buffer, 1 s at 16 kHz, 16 bit | =16000*16/8/1024 | KiB", {"B1": "=16000*16/1024"}, "bits-bytes B1",
    ),
    "bytes of a number format": (
        "Parameters | 70.6 | billion; Weights in FP8 | =B1*1 | GB; Weights in BF16 | =B1*2 | GB", {"B2": "=B1*2"}, "params-bytes B2",
    ),
    "a cache from numbers alone": (
        "KV cache per token (80 layers, 8 KV heads, head dimension 128) | =2*80*8*128*1 | B", {"B1": "=80*8*128*1"}, "kv-factor B1",
    ),
    "percent of a label": ("Net | 1000 | €; VAT, 19 % | =B1*0.19 | €", {"B2": "=B1*19"}, "percent B2"),
    "January with 30 days": ("Month | Days; January | 31; February | 28; March | 31", {"B2": 30}, "calendar B2"),
    "grams that are kilograms": ("Grid intensity | 363 | g CO2e/kWh", {"B1": 0.363}, "carbon-scale B1"),
    "a quotient upside down": (
        "Month | IT (kWh) | Meter (kWh) | PUE; Jan | 800 | 960 | =C2/B2; Feb | 790 | 950 | =C3/B3; Mar | 810 | 970 | =C4/B4",
        {"D3": "=B3/C3"}, "dimension D3",
    ),
    "charges per user added up": (
        "Team | Cost (€) | Users | Per user (€/user); A | 900 | 30 | =B2/C2; B | 800 | 20 | =B3/C3; All | =SUM(B2:B3) | =SUM(C2:C3) | =B4/C4",
        {"D4": "=SUM(D2:D3)"}, "user-total D4",
    ),
    "a size that a label gives": (
        "Requests | 3000000 | requests; Log volume: 1.2 kB per request | =B1*1.2/10^6 | GB", {"B2": "=B1*1.2/10^3"}, "prefix B2",
    ),
    "generated tokens for nothing": (
        "Input price | 3 | $/M tokens; Output price | 15 | $/M tokens", {"B2": 0.015}, "token-price-scale B2",
    ),
    "a clock in milliseconds": ("Clock of the core | 64 | MHz", {"C1": "ms"}, "unit-contradiction B1"),
    "an exchange rate that nothing uses": (
        "GPU-hours | 500 | GPU-h; Price | 2.35 | $/GPU-h; Bill | =B1*B2 | $; Exchange rate | 0.92; Bill, ours | =B3*B4",
        {"B5": "=B3"}, "currency B5",
    ),
    "bytes per gradient that nothing uses": (
        "Layers | 80; Hidden | 8192; Gradients | 70.6 | billion; Bytes per gradient (BF16) | 2; Sent | =B3*B4; Rounds | =B1*B2",
        {"B5": "=B3"}, "params-bytes B5",
    ),
    "KV heads that nothing uses": (
        "Layers | 80; Attention heads | 64; KV heads | 8; Head size | 128; Per token | =2*B1*B3*B4*2 | bytes;"
        " Width | =B2*B4", {"B5": "=2*B1*B2*B4*2"}, "kv-heads B5",
    ),
    "months that nothing uses": (
        "Stored | 40 | TB; Storage price | 23 | $/TB-month; Kept for | 6 | months; Storage cost | =B1*B2*B3 | $;"
        " Copies | 2; Copied | =B1*B5 | TB", {"B4": "=B1*B2"}, "money-rate B4",
    ),
    "checkpoints added to terabytes": (
        "Kept | 5; One | 0.9 | TB; Full ones | =B1*B2 | TB; Weights | 2 | TB; Together | =B3+B4 | TB",
        {"B5": "=B3+B4+B1"}, "bare-number B5",
    ),
    "two cases with their unit between them": (
        " | small |  | large; Parameters | 8 | billion | 70; Bytes per parameter | 2 | bytes | 2; Parts | 1 |  | 8;"
        " Gradients | =B2*B3/B4 | GB | =D2*D3/D4", {"D5": "=D2/D4"}, "params-bytes D5",
    ),
    "a typed number in the unit of nobody else": (
        "Cluster | Hours (h); A | 4416; B | 4416; C | 4416; D | 4416", {"B4": 184}, "calendar B4",
    ),
    "the total of another column": (
        "Bucket | Month ($) | Term ($); A | 10 | =B2*6; B | 20 | =B3*3; Total | =SUM(B2:B3) | =SUM(C2:C3)",
        {"C4": "=SUM(B2:B3)"}, "money-rate C4",
    ),
    "a row that takes another line in one column": (
        "Step | Unit | A | B | C; Network, one way | ms | 9 | 14 | 38; Network, RTT | ms | 18 | 28 | 76;"
        " Connection | ms | =2*C3 | =2*D3 | =2*E3", {"E4": "=2*E2"}, "round-trip E4",
    ),
    "bits where bytes are asked for": ("Bytes per weight | 2 | bf16", {"B1": 16}, "bits-bytes B1"),
    "more in use than there is": (
        "Tensor arena | 148 | KiB; Buffers | 92 | KiB; RAM | 786 | KiB; RAM used | =(B1+B2)/B3", {"B1": 812}, "above-limit B4",
    ),
    "measured, as the title says": (
        "Data sheet; HBM bandwidth, H100 SXM | 3.35 | TB/s; Measured; HBM copy, H100 SXM | 2.9 | TB/s", {"B4": 3.9}, "above-limit B4",
    ),
    "a price that nobody pays": ("Rent | 2.8 | $/GPU-h", {"C1": "$/GPU-month"}, "money-rate B1"),
    "a sparse peak behind a rate": (
        "Work | 140 | GFLOP per token; Dense peak | 989 | TFLOP/s; Sparse peak | 1979 | TFLOP/s; MFU | 0.4;"
        " Speed | =B2*1000*B4/B1 | tokens/s", {"B5": "=B3*1000*B4/B1"}, "sparse-peak B5",
    ),
    "one direction doubled": (
        "NIC, each direction | 400 | Gb/s; NIC send rate | =B1/8 | GB/s", {"B2": "=2*B1/8"}, "link-direction B2",
    ),
    "a p99 of means": (
        "Gateway p99 | 310 | ms; Gateway mean | 120 | ms; Network | 40 | ms; p99 at the client | =B1+B3 | ms",
        {"B4": "=B2+B3"}, "statistic-mix B4",
    ),
    "an exchange rate in a sum": (
        "Site | Rate | Power (EUR) | Rent (EUR) | All (EUR); A | 1.05 | 10 | 20 | =C2+D2",
        {"A1": "Site", "B1": "Exchange rate", "E2": "=SUM(B2:D2)"}, "mixed-sum E2",
    ),
    "three operations per parameter": (
        "FLOPs per parameter and token | 6; Parameters | 70 | billion; Work per token | =B1*B2 | GFLOP", {"B1": 3}, "mac-flop B1",
    ),
    "the cache of one chat for all": (
        "Context | 8192 | tokens; Batch | 48; Per token | 128 | KiB; KV cache, whole batch | =B1*B2*B3/1024^2 | GiB",
        {"B4": "=B1*B3/1024^2"}, "user-total B4",
    ),
    "all queries are those of one user": (
        "Users | 3000; Queries per user | 12; All queries | =B1*B2", {"B3": "=B2"}, "user-total B3",
    ),
    "days over minutes": (
        "Run | 30 | days; Interval | 45 | min; Checkpoints written | =ROUNDUP(B1*24*60/B2,0)", {"B3": "=ROUNDUP(B1*24/B2,0)"},
        "calendar B3",
    ),
    "days converted by 24": ("Lasts, days | 90 | days; Lasts, months | =B1/30.4 | months", {"B2": "=B1/24"}, "calendar B2"),
    "a rent per year in a unit per month": (
        "Rent per month | 100 | €/month; Per year | =B1*12 | €/year", {"C2": "€/month"}, "unit-contradiction B2",
    ),
    "a product that is noted beside its number": (
        "GPU memory of a server | 640 | GB | 8 × 80 GB; Kept free | 40 | GB; Left | =B1-B2 | GB", {"B1": 512}, "registry B1",
    ),
    "a dense peak that is the sparse one of its note": (
        "INT8 dense peak | 85 | TOPS | 170 with sparsity", {"B1": 170}, "sparse-peak B1",
    ),
    "per cent that are noted": (
        "Purchase | 480000 | €; Maintenance | =B1*6%/12 | €/month | 6 % of the purchase a year", {"B2": "=B1*6/12"}, "percent B2",
    ),
    "KV heads that are noted": (
        "KV cache per token | =2*40*8*128*2/10^6 | MB | 40 layers, 8 KV heads of 128", {"B1": "=2*40*32*128*2/10^6"}, "kv-heads B1",
    ),
    "a factor on the other side": (
        "Rate | 10 | Gbit/s; Round trip | 30 | ms; Bandwidth-delay product | =B1*1000*B2/1000/8 | MB",
        {"B3": "=B1*1000/(B2/1000)/8"}, "dimension B3",
    ),
    "both directions twice": (
        "NVLink, both directions | 900 | GB/s; NVLink, one direction | =B1/2 | GB/s", {"B2": "=B1*2"}, "link-direction B2",
    ),
    "the peak of one chip times nodes": (
        "Nodes | 64; GPUs per node | 8; H100 peak, dense bf16 | 989 | TFLOP/s; GPUs | =B1*B2; Cluster peak | =B4*B3/1000 | PFLOP/s",
        {"B5": "=B1*B3/1000"}, "device-scope B5",
    ),
    "one of two cases without its GPUs": (
        "GPU | A | B; GPUs per replica | 1 | 4; Memory per GPU (GB) | 48 | 80; Memory of a replica (GB) | =B2*B3 | =C2*C3;"
        " Usable share | 0.9 | 0.9; Usable memory (GB) | =B4*B5 | =C4*C5", {"C6": "=C3*C5"}, "device-scope C6",
    ),
    "eight GPUs left out in the middle of a line": (
        "Month | A | B | C | D; Servers (8 GPUs each) | 120 | 120 | 128 | 128; Days | 31 | 28 | 31 | 30;"
        " GPU-hours used | =B2*8*B3*24 | =C2*8*C3*24 | =D2*8*D3*24 | =E2*8*E3*24", {"D4": "=D2*D3*24"}, "device-scope D4",
    ),
    "three months left out in a line": (
        "Quarter | Growth | Cost (USD/quarter); Q1 | 1 | =3*$B$7*B2; Q2 | 1.3 | =3*$B$7*B3; Q3 | 1.8 | =3*$B$7*B4;"
        " Q4 | 2 | =3*$B$7*B5;; Rent | 900 | USD/month", {"C4": "=$B$7*B4"}, "calendar C4",
    ),
    "a site that takes less than its computers": (
        "Month | IT energy (MWh) | Site energy (MWh); a | 1840 | 2155; b | 1731 | 2025", {"C2": 1155}, "above-limit C2",
    ),
    "a cost per user multiplied by users": (
        "Cost | 9000 | €/month; Users | 640 | users; Cost per user | =B1/B2 | €/user/month", {"B3": "=B1*B2"}, "user-total B3",
    ),
    "three operations for each parameter and token of a training": (
        "Parameters | 7 | billion; Tokens | 300 | billion; Training work | =6*B1*10^9*B2*10^9 | FLOP",
        {"B3": "=3*B1*10^9*B2*10^9"}, "mac-flop B3",
    ),
    "terabytes a thousand times too small": (
        "Checkpoint | 840 | GB; Checkpoints kept | 60; Storage for them | =B1*B2/1000 | TB", {"B3": "=B1*B2/10^6"}, "prefix B3",
    ),
    "input tokens at the price of output, in a line of months": (
        "Month | Input (M tokens) | Output (M tokens) | Bill ($); A | 30 | 6 | =B2*$B$6+C2*$B$7; B | 31 | 7 | =B3*$B$6+C3*$B$7;"
        " C | 28 | 6 | =B4*$B$6+C4*$B$7;; Input price | 2.5 | $/M tokens; Output price | 10 | $/M tokens",
        {"D3": "=C3*$B$6+B3*$B$7"}, "token-direction D3",
    ),
    "copies added to gigabytes": (
        "Index | 40 | GB; Replicas | 3; All copies | =B1*B2 | GB", {"B3": "=B1+B2"}, "bare-number B3",
    ),
    "the figure of one for all": (
        "Stream of a camera | 12 | Mbit/s; Cameras | 48; All cameras | =B1*B2/1000 | Gbit/s", {"B3": "=B1/1000"}, "device-scope B3",
    ),
    "decimal and binary units for nothing": (
        "Weights | 140 | GB; The same | =B1*10^9/2^30 | GiB", {"C2": "GB"}, "binary-prefix B2",
    ),
    "a buffer of pixels": ("Frame of 1920 x 1080 x 3 bytes | =1920*1080*3/1024^2 | MiB", {"B1": "=1920*1080*3/1E6"}, "binary-prefix B1"),
    "the days that a label gives": (
        "Cost per day | 40 | $; Cost per month of 30 days | =B1*30 | $", {"B2": "=B1*365"}, "calendar B2",
    ),
    "the bytes of another format": ("Bytes per parameter (FP8) | 1", {"B1": 2}, "params-bytes B1"),
    "a unit column beyond empty cells": (
        " | Unit | Rent | Own; Purchase | $ |  | 315000; Written off over | years |  | 4; Cost of it | $/month |  | =D2/(D3*12)",
        {"D4": "=D2/D3"}, "money-rate D4",
    ),
    "a chip with more multiprocessors than it has": ("NVIDIA A100-SXM4-80GB; SMs | 108", {"B2": 128}, "registry B2"),
    "a microcontroller with more memory than it has": ("RAM of the nRF52840 (KB) | 256", {"B1": 512}, "registry B1"),
    "another factor inside a filled line": (
        "Path | A | B | C | D; Fibre (km) | 7100 | 650 | 1200 | 300; Round trip (ms) | =2*B2/200 | =2*C2/200 | =2*D2/200 | =2*E2/200",
        {"D3": "=D2/200"}, "dimension D3",
    ),
    "days typed into a filled line of months": (
        " | Jan | Feb | Mar | Apr; Days in month | 31 | 28 | 31 | 30; GPUs | 64 | 64 | 64 | 64;"
        " GPU-hours | =B3*24*B2 | =C3*24*C2 | =D3*24*D2 | =E3*24*E2", {"C4": "=C3*24*365"}, "calendar C4",
    ),
    "the last quarter of a line of quarters": (
        " | Q1 | Q2 | Q3 | Q4; Energy (MWh) | 910 | 940 | 990 | 970; Grid (t/MWh) | 0.03; Emissions (t CO2e) | =B2*$B$3 | =C2*$B$3 | =D2*$B$3 | =E2*$B$3",
        {"E4": "=E2*$B$3/1000"}, "carbon-scale E4",
    ),
    "a conversion to binary units upside down": (
        "NVMe per node | 30.72 | TB; As the system shows it | =B1*10^12/1024^4 | TiB", {"B2": "=B1*1024^4/10^12"}, "binary-prefix B2",
    ),
    "the way to the user once": (
        "Network, one way | 20 | ms; Queue wait, mean | 60 | ms; Prefill, mean | 140 | ms; Mean time to first token | =2*B1+B2+B3 | ms",
        {"B4": "=B1+B2+B3"}, "round-trip B4",
    ),
    "a round trip twice": (
        "Network round trip, mean | 60 | ms; Queue wait, mean | 40 | ms; Prefill, mean | 140 | ms; Mean time to first token | =B1+B2+B3 | ms",
        {"B4": "=2*B1+B2+B3"}, "round-trip B4",
    ),
    "a cell that the sum has already": (
        "Weights | 140 | GB; Activations | 21 | GB; Cache | 60 | GB; Memory used | =SUM(B1:B3) | GB", {"B4": "=SUM(B1:B3)+B2"}, "mixed-sum B4",
    ),
    "a site without its cooling": (
        "Node power | 8.5 | kW; Nodes | 32; Wall time | 20 | days; PUE | 1.3; Facility energy | =B1*B2*B3*24*B4/1000 | MWh",
        {"B5": "=B1*B2*B3*24/1000"}, "facility-energy B5",
    ),
    "a share of the year multiplied by the life": (
        "Nodes | 210; Embodied carbon of a node | 3200 | kg CO2e; Service life | 5 | years; Scope 3, spread over the life | =B1*B2/1000/B3 | t CO2e/year",
        {"B4": "=B1*B2/1000*B3"}, "dimension B4",
    ),
    "parameters taken from bytes": (
        "GPUs | 4; Memory per GPU | 80 | GB; Parameters | 72.7 | billion; Bytes per parameter | 2; Weights | =B3*B4 | GB; Left for the cache | =B1*B2*0.92-B5 | GB",
        {"B6": "=B1*B2*0.92-B3"}, "params-bytes B6",
    ),
    "emissions per user from those of all": (
        "Active users | 1800000; Energy per year | 740 | MWh; Grid intensity | 310 | g CO2/kWh; Emissions per user | =B2*B3/B1 | kg CO2/user",
        {"B4": "=B2*B3"}, "user-total B4",
    ),
    "emissions per user, by requests": (
        "Users | 1800; Requests | 420000; Emissions | 96 | t CO2e; Emissions per user | =B3*1000/B1 | kg CO2e/user", {"B4": "=B3*1000/B2"}, "user-total B4",
    ),
    "the narrower peak in a workbook that names 16 bits": (
        "Training in BF16; GPUs | 64; Peak BF16, dense | 989 | TFLOP/s; Peak FP8, dense | 1979 | TFLOP/s; MFU | 0.4;"
        " Sustained compute | =B2*B3*B5/1000 | PFLOP/s", {"B6": "=B2*B4*B5/1000"}, "peak-precision B6",
    ),
    "an accelerator that draws 700 kW": ("GPU | A | B; TDP | 700 | 1000 | W", {"D2": "kW"}, "above-limit B2"),
    "a matrix product without its additions": (
        "GEMM | M | N | K | Work (GFLOP); QKV | 8192 | 6144 | 4096 | =2*B2*C2*D2/10^9", {"E2": "=B2*C2*D2/10^9"}, "mac-flop E2",
    ),
    "a prefill of one operation for each parameter and token": (
        "Parameters | 405 | billion; Prompt | 2000 | tokens; Peak, dense | 1979 | TFLOP/s; Prefill | =2*B1*B2/B3 | ms", {"B4": "=B1*B2/B3"}, "mac-flop B4",
    ),
    "the memory of one GPU times nodes": (
        "Nodes | 12; GPUs per node | 8; HBM | 141 | GB; GPUs | =B1*B2; GPU memory, all | =B4*B3/1000 | TB", {"B5": "=B1*B3/1000"}, "device-scope B5",
    ),
    "gigabytes and kilowatts added": (
        "Weights | 17.5 | GB; Activations | 21 | GB; Node power | 2.4 | kW; Memory used | =B1+B2 | GB", {"B4": "=B1+B2+B3"}, "mixed-sum B4",
    ),
    "steps added to gigabytes": (
        "Data set | 18 | GB; Checkpoints | 7.2 | GB; Every | 1000 | steps; Disk needed | =B1+B2 | GB", {"B4": "=B1+B2+B3"}, "mixed-sum B4",
    ),
    "a share of the dense peak times the sparse one": (
        "INT8 dense | 50 | TOPS; INT8 sparse | 100 | TOPS; Achievable share of the dense peak | 0.2 | fraction; Available | =B1*B3 | TOPS",
        {"B4": "=B2*B3"}, "sparse-peak B4",
    ),
    "the sparse peak of a chip whose registry has both": ("B200; BF16 dense | 2250 | TFLOP/s", {"B2": 4500}, "sparse-peak B2"),
    "a total of another column": (
        "Part | Count | Unit price (EUR) | Sum (EUR); Node | 4 | 245000 | =B2*C2; Switch | 2 | 31000 | =B3*C3; Cable | 40 | 120 | =B4*C4; Net |  |  | =SUM(D2:D4)",
        {"D5": "=SUM(C2:C4)"}, "money-rate D5",
    ),
    "an energy for a power": (
        "Energy per day | 16 | Wh; Mean power | 670 | mW; Battery | 100 | Wh; Runtime | =B3/B1 | d", {"B4": "=B3/B2"}, "dimension B4",
    ),
    "both directions in a ring": (
        "NVLink, one direction | 450 | GB/s; NVLink, both directions | 900 | GB/s; GPUs | 8; Gradients | 16 | GB;"
        " All-reduce | =2*(B3-1)/B3*B4/B1 | s", {"B5": "=2*(B3-1)/B3*B4/B2"}, "link-direction B5",
    ),
    "a month over a year": (
        "Bill | 2400 | EUR/month; Budget | 42000 | EUR/year; Budget used | =B1*12/B2 | %", {"B3": "=B1/B2"}, "calendar B3",
    ),
    "days for hours": ("GPUs | 128; Hours | 8760; GPU-hours | =B1*365*24 | GPU-h/year", {"B3": "=B1*365"}, "calendar B3"),
    "three months for three years": (
        "Saving | 9000 | $/month; Saving in three years | =B1*36/1000 | k$", {"B2": "=B1*3/1000"}, "calendar B2",
    ),
    "weights of a scoring": (
        "Criterion | Weight; Price | 0.5; Memory | 0.2; Delivery | 0.3; Sum | =SUM(B2:B4)", {"B3": 0.3}, "percent-sum B5",
    ),
    "a fraction of 65": ("Average load | 0.65 | fraction; Nodes | 4", {"B1": 65}, "percent B1"),
    "a leap year of days": ("Energy | 4200 | MWh; Mean power of 2024 | =B1*1000/8784 | kW", {"B2": "=B1*1000/366"}, "calendar B2"),
    "a latency in dollars": ("Latency to the first token, p95 (ms) | 620", {"A1": "Latency to the first token, p95 (USD)"}, "unit-contradiction B1"),
    "electricity at so many euros": ("Electricity price | 0.19 | €/kWh", {"C1": "€"}, "money-rate B1"),
    "bytes in bits": ("Bytes per component (FP16) | 2 | bytes", {"C1": "bits"}, "unit-contradiction B1"),
    "a figure of the one chip that the title names": (
        "Fine-tuning on the A100 SXM 80 GB; Memory per GPU | 80 | GB; Peak BF16, dense | 312 | TFLOP/s; HBM bandwidth | 2039 | GB/s",
        {"B4": 3350}, "registry B4",
    ),
    "heads of the one model that the title names": (
        "Serving Llama 3.1 70B; KV heads | 8; Head dimension | 128; Layers | 80", {"B2": 64}, "kv-heads B2",
    ),
    "the difference of two prices of tokens": (
        "API, input tokens | 0.35 | $/M tokens; API, output tokens | 1.4 | $/M tokens; Own cost of output tokens | 0.9 | $/M tokens; Saved per million output tokens | =B2-B3 | $/M tokens",
        {"B4": "=B1-B3"}, "token-direction B4",
    ),
    "keys without values, the layers in a note": (
        "KV cache per token | =2*40*8*128*2/1024 | KiB/token | K and V, 40 layers, 8 KV heads of 128, 2 bytes", {"B1": "=40*8*128*2/1024"}, "kv-factor B1",
    ),
    "all GPUs for those of a node": (
        "Nodes | 16; GPUs per node | 8; GPUs, total | =B1*B2; Bandwidth per GPU | 4.8 | TB/s; Memory bandwidth per node | =B2*B4 | TB/s",
        {"B5": "=B3*B4"}, "device-scope B5",
    ),
    "the peak of one GPU for each node": (
        "Nodes | 64; GPUs per node | 8; GPUs | =B1*B2; Work per step | 5 | EFLOP; H100 peak, dense bf16 | 989 | TFLOP/s; Compute time | =B4*10^6/(B3*B5) | s",
        {"B6": "=B4*10^6/(B1*B5)"}, "device-scope B6",
    ),
    "the hardware of the fleet from that of one box": (
        "Boxes | 500; Hardware per box | 310 | EUR; Hardware of the fleet | =B1*B2/1000 | k€", {"B3": "=B2/1000"}, "device-scope B3",
    ),
    "what is left of a node from the memory of one GPU": (
        "GPUs per node | 8; Memory per GPU | 80 | GB; Weights | 141 | GB; Memory of a node | =B1*B2 | GB; Left for the cache per node | =B4*0.9-B3 | GB",
        {"B5": "=B2*0.9-B3"}, "device-scope B5",
    ),
    "binary terabytes of a year from gigabytes a day": (
        "Written per day | 207 | GB/day; Days | 365 | days; Written in a year | =B1*B2/1000 | TB/year", {"C3": "TiB/year"}, "binary-prefix B3",
    ),
    "a prefill of one operation for each parameter, as a rate": (
        "Parameters | 70.6 | billion; Peak, dense | 1979 | TFLOP/s; Highest rate | =B2*1000/(2*B1) | tokens/s", {"B3": "=B2*1000/B1"}, "mac-flop B3",
    ),
    "a unit in a list that has its labels behind the numbers": (
        "3.35 | TB/s | Memory bandwidth; 140 | GB | Weights; 80 | GB | Memory per GPU; 8 | | GPUs; =A2/(A1*1000) | s | Weights read once",
        {"B5": "ms"}, "time-scale A5",
    ),
    "shares that are more than the whole": (
        "Share, app | 70 | %; Share, web | 20 | %; Share, tablet | 10 | %; Sum | =B1+B2+B3 | %", {"B2": 30}, "percent-sum B4",
    ),
    "a power in gigabytes": ("TDP per GPU | 700 | W; GPUs | 8", {"C1": "GB"}, "unit-contradiction B1"),
    "a number of GPUs in gigabytes per second": ("GPUs per node | 8 | GPU; Nodes | 4", {"C1": "GB/s"}, "unit-contradiction B1"),
    "requests of one employee": (
        "Employees | 900; Requests per employee and day | 4 | 1/day; Requests per day | =B1*B2 | 1/day", {"B3": "=B2"}, "user-total B3",
    ),
    "what goes one way by the bandwidth of both": (
        "Traffic per GPU and direction | 10.2 | GB; NVLink per GPU, both directions together | 900 | GB/s; Time of an exchange | =B1/(B2/2)*1000 | ms",
        {"B3": "=B1/B2*1000"}, "link-direction B3",
    ),
    "bytes of another format than the note's": ("Bytes per weight | 1 | byte | FP8; Layers | 80", {"B1": 2}, "params-bytes B1"),
    "a fraction in hundredths": ("Mean load of the nodes | 0.55 | fraction; Nodes | 8", {"B1": 55}, "percent B1"),
    "a typed figure whose unit makes two formulas wrong": (
        "Peak, dense BF16 | 989 | TFLOP/s; Work of a step | 5 | EFLOP; Shortest time | =B2*10^6/B1 | s; Reached at 40 % | =B1*0.4 | TFLOP/s",
        {"C1": "TFLOP"}, "flop-rate B1",
    ),
    "a price that is not written off": (
        "Investment | 900 | k€; Life | 4 | years; Depreciation | =B1/B2 | k€/year; Support over the life | =B2*30 | k€",
        {"B3": "=B1"}, "money-rate B3",
    ),
    "bytes of a note as bits": (
        "Conversations per day | 50000 | 1/day; Log upload | =B1*6*8/10^6 | Gbit/day | 6 kB per conversation", {"B2": "=B1*6/10^6"}, "bits-bytes B2",
    ),
    "prompts for answers in the peak hour": (
        "Requests per second | 5 | requests/s; Prompt tokens per request | 900 | tokens; Answer tokens per request | 250 | tokens;"
        " Answer tokens in the peak hour | =B1*B3 | tokens/s", {"B4": "=B1*B2"}, "token-direction B4",
    ),
    "a sum a thousand times too small": (
        "Tokens, spring | 12 | billion tokens; Tokens, summer | 9 | billion tokens; Tokens of the year | =B1+B2 | billion tokens",
        {"B3": "=(B1+B2)/1000"}, "prefix B3",
    ),
    "a binary prefix too few": (
        "KV cache per token | 320 | KiB; Context | 8192 | tokens; KV cache of a session | =B1*B2/1024^2 | GiB", {"B3": "=B1*B2/1024"}, "prefix B3",
    ),
    "a price per thousand under a label per million": (
        "Cost of a day | 300 | $/day; Tokens | 120 | M tokens/day; Cost per million tokens | =B1/B2 | $/M tokens", {"C3": "$/k tokens"}, "token-price-scale B3",
    ),
    "work of a mixture from all its parameters": (
        "Parameters, MoE total [10^9] | 141; Parameters, MoE active per token [10^9] | 39; Training tokens [10^9] | 600; Training compute, MoE [ZFLOP] | =6*B2*B3/1000",
        {"B4": "=6*B1*B3/1000"}, "active-params B4",
    ),
    "a copy of what a host sends both ways": (
        "PCIe 4.0 x16, both directions | 64 | GB/s; PCIe 4.0 x16, host to GPU | =B1/2 | GB/s", {"B2": "=B1"}, "link-direction B2",
    ),
    "the servers of a load by the rate of one user": (
        "Input | 9000 | tokens/s; Output | 1200 | tokens/s; Prefill rate per server | 20000 | tokens/s; Decode rate per server | 3000 | tokens/s;"
        " Rate of one user | 30 | tokens/s; Servers for the load | =ROUNDUP(B1/B3+B2/B4,0) | servers",
        {"B6": "=ROUNDUP(B1/B3+B2/B5,0)"}, "user-total B6",
    ),
    "servers and the GPUs in each": (
        "Servers for the load | 6 | servers; Spare | 1 | servers; GPUs per server | 8 | GPU; Servers in all | =B1+B2 | servers",
        {"B4": "=B1+B3"}, "mixed-sum B4",
    ),
    "a round trip twice in a sum of milliseconds": (
        "Round trip to the site | 30 | ms; Queue | 40 | ms; First token | 220 | ms; Until the answer starts | =(B1+B2+B3)/1000 | s",
        {"B4": "=(2*B1+B2+B3)/1000"}, "round-trip B4",
    ),
    "the square of a PUE": (
        "IT power | 40 | kW; PUE | 1.3; Hours | 8760 | h; Energy at the meter | =B1*B2*B3/1000 | MWh", {"B4": "=B1*B2^2*B3/1000"}, "facility-energy B4",
    ),
    "the rent of one server in a total": (
        "Servers | 6; Rent per server | 1500 | EUR/month; Rent of all | =B1*B2 | EUR/month; Support | 700 | EUR/month; Total | =B3+B4 | EUR/month",
        {"B5": "=B2+B4"}, "device-scope B5",
    ),
    "days of eight hours": (
        "Run time, wall clock | 240 | h; Run time, wall clock | =B1/24 | days", {"B2": "=B1/8"}, "calendar B2",
    ),
    "the hours of one GPU for all": (
        "GPUs | 64; GPU-hours per month | =B1*730 | GPU-h", {"B2": "=730"}, "device-hours B2",
    ),
    "half the operations for each parameter": (
        "Parameters | 8 | billion; Training compute | 6 | FLOP per parameter and token", {"B2": 3}, "mac-flop B2",
    ),
    "a mean below a percentile": (
        "Network, one way | 8 | ms; Queue, p95 | 180 | ms; Queue, mean | 30 | ms; First token, p95 | =2*B1+B2 | ms",
        {"B4": "=2*B1+B3"}, "statistic-mix B4",
    ),
    "GPUs added to a time": (
        "Network | 8 | ms; Queue | 180 | ms; GPUs | 4 | GPU; First token | =B1+B2 | ms", {"B4": "=B1+B2+B3"}, "mixed-sum B4",
    ),
    "more memory than there is": (
        "Memory | 80 | GB; Weights | 16 | GB; Sequences | 48; KV cache of one | 0.5 | GB; KV cache | =B3*B4 | GB; Share of the memory | =(B2+B5)/B1*100 | %",
        {"B3": 180}, "above-limit B6",
    ),
    "a mix that differs from the case beside it": (
        " | Base | Plan; Share text | 0.3 | 0.3; Share code | 0.5 | 0.5; Share images | 0.2 | 0.2",
        {"C3": 0.65}, "percent-sum C3",
    ),
    "one conversion too many": (
        "Rent | 42000 | USD/year; Rent | =B1/1000 | k USD/year", {"B2": "=B1/10^6"}, "prefix B2",
    ),
    "a latency in gigabytes": ("TTFT p99 | 110 | ms", {"C1": "GB"}, "unit-contradiction B1"),
    "a rate of tokens that is a number": (
        "Tokens | 500 | million; Mean rate of the day | =B1*10^6/86400 | tokens/s", {"C2": "tokens"}, "token-rate B2",
    ),
    "users for requests": (
        "Users active in the peak hour | 12000; Requests per user in the peak hour | 6; Peak requests per second | =B1*B2/3600 | 1/s",
        {"B3": "=B1/3600"}, "user-total B3",
    ),
    "gigabytes and kilobytes": (
        "Weights | 14 | GB; KV cache | 5 | GB; KV cache per token | 128 | KiB; Weights and KV cache | =B1+B2 | GB",
        {"B4": "=B1+B3"}, "mixed-sum B4",
    ),
    "a year's cost from the hours of one card": (
        "Cards | 16; Hours | 5000 | h; Card-hours | =B1*B2 | GPU-h; Cloud alternative | 3.4 | CHF/GPU-h; Cloud cost per year | =B3*B4 | CHF",
        {"B5": "=B2*B4"}, "device-hours B5",
    ),
    "a bandwidth where the peak is due": (
        "Work | 250 | TFLOP; Peak, dense | 989 | TFLOP/s; Bandwidth | 3.35 | TB/s; Prefill | =B1/B2*1000 | ms",
        {"B4": "=B1/B3*1000"}, "dimension B4",
    ),
    "bytes over bytes for a time": (
        "Checkpoint | 140 | GB; Memory per GPU | 80 | GB; Write bandwidth | 60 | GB/s; Time to write it | =B1/B3 | s",
        {"B4": "=B1/B2"}, "dimension B4",
    ),
    "a price of tokens from a rent and a rate": (
        "Rent | 15 | $/h; Rate | 900 | tokens/s; Output | =B2*3600/10^6 | Mtok/h; Cost of output | =B1/B3 | $/Mtok",
        {"B4": "=B1/B2"}, "dimension B4",
    ),
    "seconds a million million times too few": (
        "Work | 3000000000000000000000000 | FLOP; Peak of all | 250000 | TFLOP/s; Training time | =B1/(B2*10^12) | s", {"B3": "=B1/B2"}, "time-scale B3",
    ),
    "milliampere-hours times a power": (
        "Battery | 2600 | mAh; Voltage | 3.6 | V; Power | 3 | mW; Battery energy | =B1*B2 | mWh", {"B4": "=B1*B3"}, "dimension B4",
    ),
    "a battery over the energy of a frame": (
        "Battery | 9000 | mWh; Mean power | 3 | mW; Energy per frame | 210 | µJ; Battery life | =B1/B2 | h", {"B4": "=B1/B3"}, "power-energy B4",
    ),
    "70.6 parameters": ("Parameters | 70.6E9 | parameters; Layers | 80", {"B1": 70.6}, "unit-contradiction B1"),
    "a total over the GPUs of one node": (
        "GPUs | 256 | GPUs; GPUs per node | 8 | GPUs; Training speed, cluster | 980000 | tokens/s; Training speed per GPU | =B3/B1 | tokens/s",
        {"B4": "=B3/B2"}, "device-scope B4",
    ),
    "a lease without the number of GPUs": (
        "GPUs | 16; Days | 30 | days; GPU price | 1.65 | $/GPU-h; GPU lease | =B1*B2*24*B3 | $", {"B4": "=B2*24*B3"}, "device-hours B4",
    ),
    "a purchase in a sum of yearly costs": (
        "Anschaffung | 900000 | €; Strom | 60000 | €/a; Wartung | 36000 | €/a; Personal | 138000 | €/a; Summe | =SUM(B2:B4) | €/a",
        {"B5": "=SUM(B1:B4)"}, "money-rate B5",
    ),
    "PUE in one of two columns": (
        " | 8B | 70B | Unit; GPUs per replica | 1 | 4 | GPUs; Power | =B2*B5/1000 | =C2*B5/1000 | kW; Power at the meter | =B3*B6 | =C3*B6 | kW;"
        " GPU power | 700 | | W; PUE | 1.3",
        {"C4": "=C3"}, "facility-energy C4",
    ),
    "arenas larger than the SRAM": (
        "SRAM | 512 | KiB; Tensor arena | 180 | KiB; SRAM left | =B1-B2 | KiB", {"B1": 128}, "above-limit B3",
    ),
    "a typed throughput in tokens": ("Decode throughput per replica | 2400 | tokens/s", {"C1": "tokens"}, "token-rate B1"),
    "two years of growth added up": (
        "Traffic growth, year 1 | 25 | %; Traffic growth, year 2 | 20 | %; Traffic growth over both years | =((1+B1/100)*(1+B2/100)-1)*100 | %",
        {"B3": "=B1+B2"}, "percent-sum B3",
    ),
    "once, at a price per month": (
        "Data | 60 | TB; Egress price | 50 | $/TB; Storage price | 21 | $/TB-month; Egress of the data, once | =B1*B2 | $",
        {"B4": "=B1*B3"}, "money-rate B4",
    ),
    "the rate of a cluster per GPU": ("Training speed, cluster | 980000 | tokens/s", {"C1": "tokens/s/GPU"}, "device-scope B1"),
    "a fleet of one": (
        "Devices | 40; Power | 2.5 | W; Energy per year | 22 | kWh; Price | 170 | EUR; Power, fleet | =B1*B2/1000 | kW;"
        " Energy per year, fleet | =B1*B3 | kWh; Purchase, fleet | =B1*B4 | EUR",
        {"B5": "=B2/1000"}, "device-scope B5",
    ),
    "the only peak, in FP8": (
        "Bytes per weight (BF16) | 2 | bytes; Parameters | 13 | billion; Weights | =B1*B2 | GB; Peak, BF16 dense | 989 | TFLOP/s;"
        " Compute per token | =2*B2 | GFLOP; Compute time | =B5/B4 | ms",
        {"A4": "Peak, FP8 dense", "B4": 1979}, "peak-precision B6",
    ),
    "water in dollars": (
        "Water | 400 | m3; Water price | 2.1 | EUR/m3; Cost of water | =B1*B2 | EUR", {"C2": "USD/m3"}, "currency B3",
    ),
    "US-$ as euros": (
        "Anschaffungspreis je Server | 310000 | US-$; Server | 12; Wechselkurs | 1.08 | US-$/€; Anschaffung | =B2*B1/B3 | €",
        {"B4": "=B2*B1"}, "currency B4",
    ),
    "energy over data for a power": (
        "Energy | 5200 | kWh; Hours | 730 | h; Image | 1.6 | MB; Mean power | =B1/B2 | kW", {"B4": "=B1/B3"}, "dimension B4",
    ),
    "the hours of a day for a month": ("Hours per month | 730 | h", {"B1": 24}, "calendar B1"),
    "hours over 30 as days": ("wall time, h | 240; wall time, days | =B1/24", {"B2": "=B1/30"}, "calendar B2"),
    "the same figure in its old unit": (
        "Link per GPU, one direction | 400 | Gbit/s; same in GB/s | =B1/8 | GB/s", {"C1": "GB/s"}, "bits-bytes B2",
    ),
    "an interval in seconds that was converted": (
        "Young interval | 2400 | s; Young interval | =B1/60 | min", {"C2": "s"}, "time-scale B2",
    ),
    "the days of a year for a month": ("Days per month | 30 | days", {"B1": 365}, "calendar B1"),
    "hours in days": ("Hours per month | 730 | h", {"C1": "days"}, "unit-contradiction B1"),
    "a life in months": ("Durée d'amortissement | 5 | ans", {"B1": 60}, "calendar B1"),
    "the whole price for a year of it": (
        "Serveurs | 12 | serveurs; Prix d'achat d'un serveur | 285000 | €; Durée | 5 | ans; Amortissement | =B1*B2/B3 | €/an",
        {"B4": "=B1*B2"}, "money-rate B4",
    ),
    "servers times years for euros": (
        "Serveurs | 12 | serveurs; Prix d'un serveur | 285000 | €; Durée d'amortissement | 5 | ans; Taux de maintenance | 0.08 | fraction; Maintenance | =B1*B2*B4 | €/an",
        {"B5": "=B1*B3*B4"}, "money-rate B5",
    ),
    "dollars times watts for energy": (
        "Mean power | 6.5 | kW; Run time | 9 | h; Cost of a run | 90 | $; Energy, all runs | =B1*B2 | kWh", {"B4": "=B1*B3"}, "money-rate B4",
    ),
    "an hour of a GPU by the year": (
        "Coût total | 400000 | €/an; Heures-GPU | 840000 | GPU-h/an; Coût d'une heure-GPU | =B1/B2 | €/GPU-h", {"C3": "€/an"}, "money-rate B3",
    ),
    "euros per million, and per thousand": (
        "Poste | Valeur | Unité; Coût total | 400000 | €/an; Jetons de sortie | 1500 | milliards/an; Coût du million de jetons de sortie | =B2/(B3*1000) | €/million",
        {"C4": "€/millier"}, "token-price-scale B4",
    ),
    "requests of input tokens": (
        "Output tokens | 900 | Mtok/month; Input tokens per request | 1500 | tokens; Output tokens per request | 400 | tokens;"
        " Requests | =B1/B3 | M requests/month",
        {"B4": "=B1/B2"}, "token-direction B4",
    ),
    "a ring over both directions": (
        "Gradients, GB | 5; NVLink per GPU, GB/s, both directions | 600; NVLink per GPU, GB/s, one direction | =B2/2; one node only, ms | =2*7/8*B1/B3*1000",
        {"B4": "=2*7/8*B1/B2*1000"}, "link-direction B4",
    ),
    "steps of a ring there and back": (
        "GPUs | 32; ping between nodes, µs round trip | 3.2; one way, µs | =B2/2; latency part of the all-reduce, ms | =2*(B1-1)*B3/1000",
        {"B4": "=2*(B1-1)*B2/1000"}, "round-trip B4",
    ),
    "parameters in a ring": (
        "Replicas | 16 | replicas; Parameters per GPU | 2.2 | billion; Bytes per gradient element | 2 | bytes; Gradients per GPU | =B2*B3 | GB;"
        " Ring all-reduce, sent per GPU | =2*(B1-1)/B1*B4 | GB",
        {"B5": "=2*(B1-1)/B1*B2"}, "params-bytes B5",
    ),
    "3 operations for each parameter and token": (
        "Training work per parameter and token | 6 | FLOP", {"B1": 3}, "mac-flop B1",
    ),
    "a mean in seconds": (
        "Attente en file, moyenne | 60 | ms; Attente en file, 95e centile | 240 | ms", {"B1": 0.06}, "time-scale B1",
    ),
    "8 times bytes at a price": (
        "Output tokens | 9000 | Mtok/month; Data per token | 180 | B/token; Egress price | 0.08 | $/GB; Egress | =B1*10^6*B2/10^9*B3 | $/month",
        {"B4": "=B1*10^6*B2*8/10^9*B3"}, "bits-bytes B4",
    ),
    "jobs of one GPU": (
        "GPU-hours granted | 5000 | GPU-h; Wall time | 24 | h; GPUs | 32; GPU-hours of a run | =B2*B3 | GPU-h; runs I can afford | =ROUNDDOWN(B1/B4,0)",
        {"B5": "=ROUNDDOWN(B1/B2,0)"}, "device-hours B5",
    ),
    "days of all GPUs": (
        "GPU-hours | 52000 | GPU-h; GPUs | 64; Wall hours | =B1/B2 | h; Days on the reserved cards | =B3/24", {"B4": "=B1/24"}, "device-hours B4",
    ),
    "a percentage as a fraction, under a long label": (
        "Share of input tokens served from the prompt cache | 0.3 | fraction", {"B1": 30}, "percent B1",
    ),
    "the making of a GPU in grams": ("Embodied carbon per GPU | 164 | kg CO2e", {"C1": "g CO2e"}, "carbon-scale B1"),
    "thousands of dollars": (
        "GPU-hours | 52000 | GPU-h; Price | 2.1 | EUR/GPU-h; Cost | =B1*B2/1000 | TEUR", {"C3": "TUSD"}, "currency B3",
    ),
    "PUE left out in the last line of a table": (
        "Pool | GPU-hours | Power (W) | Facility energy (kWh); PUE | 1.3; chat | 5000 | 700 | =B3*C3/1000*$B$2; code | 6000 | 650 | =B4*C4/1000*$B$2;"
        " review | 800 | 400 | =B5*C5/1000*$B$2",
        {"D5": "=B5*C5/1000"}, "facility-energy D5",
    ),
    "thousands of tokens for millions": (
        "Requests | 9000 | requests/month; Output tokens | 310 | tokens/request; Output tokens, all | =B1*B2/1000000 | M tokens/month",
        {"C3": "k tokens/month"}, "prefix B3",
    ),
    "a PUE between the factor and the energy": (
        "Power | 40 | kW; Hours per year | 8760 | h; PUE | 1.3; Energy per year | =B1*B2*B3/1000 | MWh", {"B4": "=B1*B2/1000"}, "facility-energy B4",
    ),
    "the peak in FP8 for a training": (
        "Work of the training | 900 | EFLOP; Peak per GPU, BF16 dense | 989 | TFLOP/s; Peak per GPU, FP8 dense | 1979 | TFLOP/s; MFU | 0.4;"
        " GPU-hours of the training | =B1*1000000/(B2*B4)/3600 | GPU-h; Prefill rate in FP8 | =B3*0.5 | TFLOP/s",
        {"B5": "=B1*1000000/(B3*B4)/3600"}, "peak-precision B5",
    ),
    "the power of the only GPU of the list": (
        "GPU | H100 SXM; TDP per GPU | 700 | W; GPUs | 8; GPUs together | =B2*B3/1000 | kW", {"B2": 350}, "registry B2",
    ),
    "the memory of one GPU, where all are alike": (
        "GPU | H100 SXM; Memory per GPU | 80 | GB; GPUs | 8; Memory | =B2*B3 | GB", {"B2": 141}, "registry B2",
    ),
    "the cache of one session for that of all": (
        "Weights | 16 | GB; KV cache per session | 0.5 | GB; Sessions | 40; KV cache of all sessions | =B2*B3 | GB; Memory needed | =B1+B4 | GB",
        {"B5": "=B1+B2"}, "user-total B5",
    ),
    "watts among kilowatts": (
        "GPUs per server | 8; Power per GPU | 700 | W; Rest of the server | 3 | kW; Power per server | =B1*B2/1000+B3 | kW", {"C3": "W"}, "prefix B4",
    ),
    "watts among kilowatts, in brackets": (
        "Servers | 4; Power per GPU | 700 | W; Rest of the server | 3 | kW; IT power | =B1*(8*B2/1000+B3) | kW", {"C3": "W"}, "prefix B4",
    ),
    "a bill by the month over queries by the day": (
        "Bill | 4200 | $/month; Queries per day | 90000 | queries/day; Cost per 1000 queries | =B1/(B2*365/12)*1000 | $/1000 queries",
        {"B3": "=B1/B2*1000"}, "calendar B3",
    ),
    "the requests of all users": (
        "Users | 900; Requests per user and hour | 6; Requests per second, all users | =B1*B2/3600", {"B3": "=B2/3600"}, "user-total B3",
    ),
    "the way there for the way there and back": (
        "Network delay | 24 | ms; Network round trip | =2*B1 | ms; Prefill | 80 | ms; Time to first token | =B2+B3 | ms", {"B4": "=B1+B3"}, "round-trip B4",
    ),
    "node-hours at the price of GPU-hours": (
        "Nodes | 4; Hours | 30 | h; Node-hours | =B1*B2 | node-h; GPUs per node | 8; Price | 2 | EUR/GPU-h; Cost | =B3*B4*B5 | EUR",
        {"B6": "=B3*B5"}, "device-hours B6",
    ),
    "a monthly cost over the term": (
        "Write-down | 90000 | EUR; Running cost | 1200 | EUR/month; Term | 36 | months; Cost over the term | =B1+B2*B3 | EUR", {"B4": "=B1+B2"}, "money-rate B4",
    ),
    "a discount on the reduced price": (
        "List price | 90000 | EUR; Volume discount | 0.1; Prepayment discount, on the reduced price | 0.03; Price | =B1*(1-B2)*(1-B3) | EUR",
        {"B4": "=B1*(1-(B2+B3))"}, "percent-sum B4",
    ),
    "the board of one GPU for a hall": (
        "GPUs | 64; Board power | 700 | W; PUE | 1.25; Facility power | =B1*B2*B3/1000 | kW", {"B4": "=B2*B3/1000"}, "device-scope B4",
    ),
    "one box for boxes": (
        "Edge boxes | 40; Box power draw | 165 | W; Hours per year | 8760 | h; Energy of edge boxes | =B1*B2*B3/1000 | kWh", {"B4": "=B2*B3/1000"}, "device-scope B4",
    ),
    "two columns below one": (
        "Rack | Peak (kW) | Apparent (kVA) | Load (kW); A | 8 | 9 | 4; B | 9 | 10 | 5; C | 7 | 8 | 4; Hall | =SUM(B2:B4) | =SUM(C2:C4) | =SUM(D2:D4)",
        {"B5": "=SUM(B2:C4)"}, "mixed-sum B5",
    ),
    "the head dimension among gigabytes": (
        "Model | Head dim | Weights (GB) | Gradients (GB) | Adam (GB) | States (GB); A | 128 | 16 | 16 | 96 | =SUM(C2:E2); B | 128 | 14 | 14 | 84 | =SUM(C3:E3)",
        {"F2": "=SUM(B2:E2)"}, "mixed-sum F2",
    ),
    "BF16 in TOPS": ("BF16 peak per GPU, dense | 312 | TFLOP/s", {"C1": "TOPS"}, "integer-ops B1"),
    "so many days of runs per vessel": (
        "Vessels | 64 | vessels; Runs | 6 | runs/vessel/day; GPU time per run | 14 | GPU-min/run; Days | 30 | days/month; Work | =B1*B2*B3*B4/60 | GPU-h/month",
        {"B5": "=B1*B2*B3*B4/3600"}, "time-scale B5",
    ),
    "micro- for milliseconds of fibre": (
        "Route | 1480 | km; Delay of fibre | 5 | µs/km; Delay, one way | =B1*B2/1000 | ms", {"B3": "=B1*B2"}, "time-scale B3",
    ),
    "16 bytes of one value": ("Bytes per KV element | 2 | bytes", {"B1": 16}, "bits-bytes B1"),
    "a first token after minutes": ("Time to first token, mean | 0.4 | s", {"B1": 400}, "above-limit B1"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_sheet_is_right_and_one_slip_is_reported(tmp_path: Path, name: str) -> None:
    right_then_wrong(tmp_path / "book.xlsx", CASES[name])


def test_a_purchase_on_another_sheet_in_a_sum_of_yearly_costs(tmp_path: Path) -> None:
    book = Workbook()
    costs, assets = book.active, book.create_sheet("Assets")
    assert costs is not None
    for row in (("Strom", 60000, "€/a"), ("Wartung", 36000, "€/a"), ("Summe", "=B1+B2+Assets!B9", "€/a")):
        costs.append(row)
    assets["A9"], assets["B9"], assets["C9"] = "Anschaffung der Server", 900000, "€"
    book.save(tmp_path / "book.xlsx")
    assert [(f.rule, f.cell) for f in lint(tmp_path / "book.xlsx")] == [("money-rate", "B3")]
