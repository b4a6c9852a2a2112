"""How mlsysim is asked."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from mlsysim import Hardware, Models, Systems
from mlsysim.core.units import Q_
from mlsysim.models.types import TransformerWorkload
from mlsysim.solvers import DecodeBoundModel, DistributedModel, ServingModel
from way import Case, NotOffered, Way, dense, known, width

CHIPS = {
    "A100-SXM4-80GB": Hardware.Cloud.A100, "A100-SXM4-40GB": Hardware.Cloud.A100_40GB, "H100-SXM-80GB": Hardware.Cloud.H100,
    "H100-PCIe-80GB": Hardware.Cloud.H100_PCIe, "GB10": Hardware.Workstation.DGX_Spark,
    "M3-Max-40c": Hardware.Workstation.MacBookM3Max, "Jetson-AGX-Orin-64GB": Hardware.Edge.JetsonAGXOrin,
}  # fmt: skip
CLUSTERS = {
    "A100-SXM4-80GB": Systems.Clusters.Training_1K_A100, "H100-SXM-80GB": Systems.Clusters.Training_1K,
    "B200-SXM-180GB": Systems.Clusters.Training_1K_B200,
}  # fmt: skip
MODELS = {
    "Llama-2-7B": Models.Language.Llama2_7B, "Llama-2-13B": Models.Language.Llama2_13B,
    "Llama-2-70B": Models.Language.Llama2_70B, "Llama-3-8B": Models.Language.Llama3_8B,
    "Llama-3-70B": Models.Language.Llama3_70B, "BERT-Large": Models.Language.BERT_Large,
}  # fmt: skip
BITS = {32: "fp32", 16: "fp16", 8: "int8", 4: "int4"}


@lru_cache
def workload(name: str, parameters: float, layers: int, hidden: int, heads: int, kv_heads: int) -> TransformerWorkload:
    return TransformerWorkload(
        name=name, architecture="Transformer", parameters=Q_(parameters, "param"), layers=layers, hidden_dim=hidden,
        heads=heads, kv_heads=kv_heads,
    )  # fmt: skip


def model_of(case: Case) -> TransformerWorkload:
    model = dense(case)
    if model["name"] in MODELS:
        return MODELS[model["name"]]
    return workload(*(model[k] for k in ("name", "params", "layers", "hidden", "heads", "kv_heads")))


@lru_cache
def node(chip: str, n: int) -> Any:
    """Return the chips of a case as one node with their summed memory."""
    one = known(CHIPS, chip)
    memory = {"bandwidth": one.memory.bandwidth * n, "capacity": one.memory.capacity * n}
    return one.model_copy(update={"memory": one.memory.model_copy(update=memory)})


def pooled(case: Case) -> float:
    if case["pp"] > 1:
        raise NotOffered("no pipeline in serving")
    chip, model, bits = node(case["chip"], case["tp"]), model_of(case), width(case, BITS)
    found = ServingModel().solve(model, chip, int(case["context"]), batch_size=case["batch"], precision=bits)
    return float(found.itl.m_as("ms"))


def bound(case: Case) -> float:
    if case["tp"] == 1:
        return pooled(case)
    if case["pp"] > 1:
        raise NotOffered("no pipeline in serving")
    found = DecodeBoundModel().solve(
        model_of(case), known(CHIPS, case["chip"]), width(case, BITS), batch_size=case["batch"], tp_size=case["tp"]
    )
    return float(max(found.memory_time.m_as("ms"), found.compute_time.m_as("ms")))


@lru_cache
def fleet(chip: str, devices: int) -> Any:
    base = known(CLUSTERS, chip)
    within = min(devices, base.node.accelerators_per_node)
    if devices % within:
        raise NotOffered(f"{devices} devices are no whole nodes")
    node = base.node.model_copy(update={"accelerators_per_node": within})
    return base.model_copy(update={"node": node, "count": devices // within})


def train(case: Case) -> float:
    if case["cp"] > 1 or case["ep"] > 1:
        raise NotOffered("no context or expert parallelism")
    found = DistributedModel().solve(
        model_of(case), fleet(case["chip"], case["devices"]), batch_size=case["batch"], tp_size=case["tp"],
        pp_size=case["pp"], v_stages=case["chunks"], microbatch_count=case["passes"], zero_stage=case["zero"],
        precision=known({"bf16": "fp16", "fp16": "fp16", "fp8": "fp8", "tf32": "tf32"}, case["precision"], "format"),
        activation_recomputation=case["recompute"] == "full", seq_len=case["sequence"],
    )  # fmt: skip
    return float(found.step_latency_total.m_as("s"))


def ways(_: Path) -> Iterator[Way]:
    yield Way(
        "mlsysim, tp_size",
        "its own models and chips; decode: ServingModel on one chip, DecodeBoundModel, which alone takes tp_size, beyond; "
        "training: "
        "DistributedModel on its own clusters at its default efficiency 0.5, full recomputation or none",
        bound,
        train,
    )
    yield Way("mlsysim, one node", "ServingModel, the chips of a case as one node with their summed memory", pooled)


def mistakes(expressions: list[str]) -> list[str]:
    """Return what each expression gives; an empty text where it is refused."""
    return [outcome(expression) for expression in expressions]


def outcome(expression: str) -> str:
    import numpy

    try:
        return f"{eval(expression, {'Q_': Q_, 'numpy': numpy})}"
    except Exception:
        return ""
