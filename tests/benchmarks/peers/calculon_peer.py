"""How Calculon is asked, in a checkout: one execution compiled and run, its log off."""

from __future__ import annotations

import json
import logging
import random
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

import calculon
from calculon.llm import Llm
from calculon.system import System
from way import Case, NotOffered, Way, dense, known

HOME = Path(calculon.__file__).parents[1]
SYSTEMS = {"A100-SXM4-80GB": "a100_80g", "H100-SXM-80GB": "h100_80g_nvl8"}
LOG = logging.Logger("peer", logging.CRITICAL)


@lru_cache
def file(path: str) -> dict[str, Any]:
    if not (HOME / path).exists():
        raise NotOffered(f"no {path}")
    return json.loads((HOME / path).read_text())


def run(application: dict[str, Any], execution: dict[str, Any], machine: System) -> float:
    model = Llm(Llm.Application(application), LOG)
    model.compile(machine, Llm.Execution.from_json(execution))
    model.run(machine)
    return float(model.get_total_time())


def train(case: Case) -> float:
    model = dense(case)
    if case["cp"] > 1 or case["zero"] > 1 or case["precision"] not in ("bf16", "fp16"):
        raise NotOffered("no context parallelism, no ZeRO beyond 1, 16 bits only")
    if model["kv_heads"] != model["heads"] or model["ffn_matrices"] != 2:
        raise NotOffered("no grouped queries, no gated feed-forward")
    tp, pp, dp, full = case["tp"], case["pp"], case["dp"], case["recompute"] == "full"
    split = case["sequence_parallel"] and tp > 1
    execution = {
        "num_procs": case["devices"], "tensor_par": tp, "pipeline_par": pp, "data_par": dp, "tensor_par_net": 0,
        "pipeline_par_net": 0 if case["devices"] <= 8 else 1, "data_par_net": 0 if case["devices"] <= 8 else 1,
        "batch_size": case["batch"], "microbatch_size": case["micro"], "datatype": "float16", "fused_activation": True,
        "attention_type": "multihead", "pipeline_interleaving": case["chunks"], "optimizer_sharding": case["zero"] == 1,
        "activation_recompute": {"full": "full", "selective": "attn_only", "none": "none"}[case["recompute"]],
        "tensor_par_comm_type": "rs_ag" if split else "ar", "tensor_par_overlap": "none",
        "seq_par_ag_redo": split and not full, "data_par_overlap": False, "weight_offload": False,
        "activations_offload": False, "optimizer_offload": False, "training": True,
    }  # fmt: skip
    application = {
        "hidden": model["hidden"], "feedforward": model["ffn"], "seq_size": case["sequence"], "attn_heads": model["heads"],
        "attn_size": model["hidden"] // model["heads"], "num_blocks": model["layers"],
    }  # fmt: skip
    return run(application, execution, System(file(f"systems/{known(SYSTEMS, case['chip'])}.json")))


def ways(_: Path) -> Iterator[Way]:
    yield Way(
        "Calculon",
        "its own system files; one execution compiled and run; tensor parallelism within a node",
        train=train,
    )


def space(application: Llm.Application, devices: int, batch: int, networks: int) -> Iterator[dict[str, Any]]:
    """Yield the executions with micro-batches of 1 that its search tries, overlaps and offloading among them."""
    yes_no = (True, False)

    def either(condition: bool, values: tuple[Any, ...], otherwise: Any = False) -> tuple[Any, ...]:
        return values if condition else (otherwise,)

    for tp in Llm.get_all_tensor_parallelisms(devices, application.hidden, application.attn_heads):
        for pp in Llm.get_all_pipeline_parallelisms(devices, tp, application.num_blocks):
            dp = Llm.get_data_parallelism(devices, tp, pp)
            outer = product(
                Llm.get_valid_pipeline_interleavings(application.num_blocks, pp), ("full", "attn_only", "none"),
                either(dp > 1, yes_no), ("ar", "p2p_rs_ag", "rs_ag"),
            )  # fmt: skip
            for chunks, recompute, sharded, sends in outer:
                inner = product(
                    either(Llm.can_redo_ag(sends, recompute), yes_no), either(dp > 1, yes_no),
                    either(tp > 1, ("none", "ring", "pipe"), "none"), yes_no, either(recompute != "full", yes_no), yes_no,
                    *(either(n > 1, tuple(range(networks)), 0) for n in (tp, pp, dp)),
                )  # fmt: skip
                for redo, hidden, overlap, weights, activations, optimizer, tn, pn, dn in inner:
                    yield {
                        "num_procs": devices, "tensor_par": tp, "pipeline_par": pp, "data_par": dp, "tensor_par_net": tn,
                        "pipeline_par_net": pn, "data_par_net": dn, "batch_size": batch // dp * dp, "microbatch_size": 1,
                        "datatype": "float16", "fused_activation": True, "attention_type": "multihead",
                        "activation_recompute": recompute, "pipeline_interleaving": chunks,
                        "optimizer_sharding": sharded, "tensor_par_comm_type": sends, "tensor_par_overlap": overlap,
                        "seq_par_ag_redo": redo, "data_par_overlap": hidden, "weight_offload": weights,
                        "activations_offload": activations, "optimizer_offload": optimizer, "training": True,
                    }  # fmt: skip


def search(sample: int) -> dict[str, Any]:
    """Return how many executions its search has, and the seconds that five random samples of so many of them take."""
    machine, told = System(file("systems/a100_80g.json")), file("models/gpt3-175B.json")
    executions = list(space(Llm.Application(told), 64, 64, machine.num_networks))
    taken = []
    for seed in range(5):
        chosen = random.Random(seed).sample(executions, sample)
        start = time.perf_counter()
        for execution in chosen:
            evaluate(lambda execution=execution: run(told, execution, machine))
        taken.append(time.perf_counter() - start)
    return {"executions": len(executions), "seconds": taken}


def evaluate(work: Callable[[], object]) -> None:
    with suppress(Llm.Error):  # does not fit: found out early, which is part of a search's speed
        work()
