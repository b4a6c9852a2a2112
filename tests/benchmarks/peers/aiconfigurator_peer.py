"""How aiconfigurator is asked: its SDK with the tables of measured kernels loaded, which is its fastest way."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

from aiconfigurator.sdk import common, config, inference_session, perf_database
from aiconfigurator.sdk.backends.factory import get_backend
from aiconfigurator.sdk.models import get_model
from way import Case, NotOffered, Way, dense, known, width

logging.disable(logging.CRITICAL)
SYSTEMS = {
    "A100-SXM4-80GB": "a100_sxm", "A100-PCIe-80GB": "a100_pcie", "H100-SXM-80GB": "h100_sxm",
    "H100-PCIe-80GB": "h100_pcie", "L40S": "l40s",
}  # fmt: skip
BITS = {16: "bfloat16", 8: "int8_wo", 4: "int4_wo"}


SHAPE = ("name", "hidden", "layers", "heads", "kv_heads", "ffn", "vocab")
KEYS = (
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "intermediate_size",
    "vocab_size",
)


@lru_cache
def config_folder(cache: Path, name: str, *shape: int) -> str:
    """Write a config.json: it reads any Llama from one, whether or not it knows the model."""
    folder = cache / "models" / name
    folder.mkdir(parents=True, exist_ok=True)
    told = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_act": "silu",
        "torch_dtype": "bfloat16",
    }
    told |= dict(zip(KEYS, shape, strict=True)) | {"max_position_embeddings": 131072, "tie_word_embeddings": False}
    (folder / "config.json").write_text(json.dumps(told))
    return str(folder)


def asking(backend: str, cache: Path) -> Callable[[Case], float]:
    @lru_cache
    def database(system: str) -> perf_database.PerfDatabase:
        version = perf_database.get_latest_database_version(system, backend)
        if not version:
            raise NotOffered(f"no {backend} tables of {system}")
        return perf_database.get_database(system, backend, version)

    @lru_cache
    def session(model: str, system: str, bits: str, tp: int) -> inference_session.InferenceSession:
        wide = {f"{part}_quant_mode": getattr(common, kind).bfloat16 for part, kind in (
            ("kvcache", "KVCacheQuantMode"), ("fmha", "FMHAQuantMode"), ("moe", "MoEQuantMode"))}  # fmt: skip
        chosen = config.ModelConfig(tp_size=tp, pp_size=1, gemm_quant_mode=common.GEMMQuantMode[bits], **wide)
        made = get_model(model, chosen, backend)
        return inference_session.InferenceSession(made, database(system), get_backend(backend))

    def decode(case: Case) -> float:
        if case["pp"] > 1:
            raise NotOffered("not asked with a pipeline")
        model = dense(case)
        where = config_folder(cache, *(model[k] for k in SHAPE))
        asked = session(where, known(SYSTEMS, case["chip"]), width(case, BITS), case["tp"])
        load = config.RuntimeConfig(
            batch_size=case["batch"], beam_width=1, isl=int(case["prompt"]), osl=int(case["output"])
        )
        return float(asked.run_static(load, "static_gen").get_result_dict()["tpot"])

    return decode


def ways(cache: Path) -> Iterator[Way]:
    for backend in ("trtllm", "vllm"):
        yield Way(
            f"aiconfigurator, {backend}",
            f"measured kernels of {backend}, its newest version for each chip; SDK with the tables loaded, decode only "
            "(static_gen), TPOT; no power limit",
            asking(backend, cache),
        )
