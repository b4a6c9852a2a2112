"""Prints MLSIM beside Calculon on Table 5 of Korthikanti et al. (2022), and the rates of both. Figures, not assertions.

Calculon is not on a package index: ``--calculon FOLDER`` names a checkout (with ``systems/a100_80g.json``). Without it only
our columns are printed. All eight rows are in our fit, as they are behind that tool's system file.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import mean

ROWS = Path(__file__).parents[1] / "validation" / "training.csv"

# Runs inside the checkout: reads models, executions and a system; prints seconds per step and evaluations per second.
PEER = """
import json, logging, sys, time
import calculon
from calculon import *
from calculon.llm import *
cases, folder = json.load(sys.stdin), sys.argv[1]
system = json.load(open(folder + "/systems/a100_80g.json"))
log = logging.Logger("peer", logging.CRITICAL)
def run(app, exe):
    machine = System(system)
    model = Llm(Llm.Application(app), log)
    model.compile(machine, Llm.Execution.from_json(exe))
    model.run(machine)
    return model.get_total_time()
out = [run(*case) for case in cases]
start, n = time.perf_counter(), 0
while time.perf_counter() - start < 5:
    run(*cases[n % len(cases)])
    n += 1
print(json.dumps([out, n / (time.perf_counter() - start)]))
"""


def peer_case(row: dict[str, str]) -> list[dict[str, object]]:
    """Return the application and execution of a row as Calculon reads them."""
    hidden, heads, full = int(row["hidden"]), int(row["heads"]), row["recompute"] == "full"
    app = {
        "hidden": hidden, "feedforward": 4 * hidden, "seq_size": 2048, "attn_heads": heads, "attn_size": hidden // heads,
        "num_blocks": int(row["layers"]),
    }  # fmt: skip
    exe = {
        "num_procs": int(row["num_devices"]), "tensor_par": int(row["tp"]), "pipeline_par": int(row["pp"]), "data_par": 1,
        "tensor_par_net": 0, "pipeline_par_net": 1, "data_par_net": 1, "batch_size": int(row["global_batch"]),
        "microbatch_size": int(row["micro_batch"]), "datatype": "float16", "fused_activation": True,
        "attention_type": "multihead", "activation_recompute": "full" if full else "attn_only",
        "pipeline_interleaving": int(row["virtual_pp"]), "optimizer_sharding": False,
        "tensor_par_comm_type": "ar" if full else "rs_ag", "tensor_par_overlap": "none", "seq_par_ag_redo": not full,
        "data_par_overlap": False, "weight_offload": False, "activations_offload": False, "optimizer_offload": False,
        "training": True,
    }  # fmt: skip
    return [app, exe]


def ask_peer(folder: Path, rows: list[dict[str, str]]) -> tuple[list[float], float]:
    """Return Calculon's seconds and evaluations per second."""
    done = subprocess.run(
        [sys.executable, "-c", PEER, str(folder)], input=json.dumps([peer_case(r) for r in rows]), text=True,
        capture_output=True, env={**os.environ, "PYTHONPATH": str(folder)}, timeout=120, check=True,
    )  # fmt: skip
    seconds, rate = json.loads(done.stdout.splitlines()[-1])
    return seconds, rate


def our_rate() -> tuple[int, float]:
    """Return the plans of the search space and our evaluations of them per second, memory included, one core."""
    from mlsim.planner.training_search import SPACES, Job, search_training
    from mlsim.planner.training_setup import setting
    from mlsim.registry import load

    on = setting(
        load.model("GPT-3-175B"), load.chip("A100-SXM4-80GB"), load.precision("fp16"), load.runtime("Megatron-Core")
    )
    start = time.process_time()
    found = search_training(Job(on, 64, 64, 2048), SPACES["calculon"])
    return found.plans, found.plans / (time.process_time() - start)


def main() -> None:
    """Print the tables."""
    from mlsim.calibration.accuracy import score

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--calculon", type=Path, metavar="FOLDER", help="a checkout of Calculon")
    options = parser.parse_args()
    with ROWS.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["case_id"].startswith("korthikanti-")]
    ours = [s.prediction.value for s in score(rows)[0]]
    peer, rate = ask_peer(options.calculon, rows) if options.calculon else ([], 0.0)
    print("| run | recompute | measured [s] | MLSIM | Calculon |\n|---|---|---|---|---|")
    for i, row in enumerate(rows):
        true = float(row["measured"])
        theirs = f"{peer[i]:.2f} ({peer[i] / true - 1:+.1%})" if peer else "-"
        print(
            f"| {row['model']} | {row['recompute']} | {true} | {ours[i]:.2f} ({ours[i] / true - 1:+.1%}) | {theirs} |"
        )
    errors = [
        [abs(p / float(r["measured"]) - 1) for p, r in zip(column, rows, strict=True)]
        for column in (ours, peer)
        if column
    ]
    cells = [f"{mean(e):.2%}, largest {max(e):.1%}" for e in errors]
    print(f"| mean absolute error | | | {' | '.join(cells)} |")
    plans, speed = our_rate()
    theirs = f", Calculon {rate:,.0f}/s one by one: {speed / rate:,.0f} times" if rate else ""
    print(
        f"\n{plans:,} plans of GPT-3 175B on 64 devices in {plans / speed:.2f} s: {speed:,.0f} evaluations/s{theirs}."
    )


if __name__ == "__main__":
    main()
