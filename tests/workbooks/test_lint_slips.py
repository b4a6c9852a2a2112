"""Slips that the shape of a sheet tells: an input nobody uses, a case that lacks what the other has, a count among bytes.

Each sheet is right as it stands, and one change makes it a mistake that is reported.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from test_lint_rules import right_then_wrong

# the list that is right, "label | content | unit"; the cells that make it wrong; what is then reported
CASES: dict[str, tuple[str, dict[str, object], str]] = {
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
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_sheet_is_right_and_one_slip_is_reported(tmp_path: Path, name: str) -> None:
    right_then_wrong(tmp_path / "book.xlsx", CASES[name])
