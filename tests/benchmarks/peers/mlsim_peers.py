"""What the peers are asked, each in an environment of its own: prints predictions and speed as JSON.

Usage: ``python mlsim_peers.py TOOL CACHE_FOLDER``, started by ``../peers.py``. Only the standard library is imported at
the top, because each of these environments holds one tool and nothing else.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from statistics import median
from typing import NamedTuple

PROMPT, OUTPUT = 5, 200


class Case(NamedTuple):
    """One row of the benchmark tables of meta-pytorch/gpt-fast, README (read 2025-08-22): A100-SXM4-80GB at 330 W."""

    model: str  # Llama-2
    weights: str
    tp: int
    measured: float  # tokens per second of one sequence
    fitted: bool  # whether it is among the rows that MLSIM's gpt-fast profile is fitted to


CASES = [
    Case("7B", "bf16", 1, 104.9, False), Case("7B", "bf16", 2, 168.84, False), Case("7B", "bf16", 4, 254.02, True),
    Case("7B", "bf16", 8, 328.43, True), Case("7B", "int8", 1, 155.58, True), Case("7B", "int4-g32", 1, 196.8, True),
    Case("70B", "bf16", 2, 21.32, True), Case("70B", "bf16", 4, 38.01, True), Case("70B", "bf16", 8, 62.5, False),
]  # fmt: skip


@dataclass
class Way:
    """One way to ask a tool."""

    name: str
    settings: str
    one: Callable[[Case, int], float]  # tokens/s of a case after a prompt of so many tokens
    many: Callable[[Case, range], object] | None = None  # the same for many prompts in one call


def run_mlsim(_: Path) -> Iterator[Way]:
    from mlsim.calibration.accuracy import predict_rows
    from mlsim.calibration.predict import Prediction

    def row(case: Case, prompt: int) -> dict[str, str]:
        return {
            "case_id": "peers", "family": "decode", "metric": "tpot", "model": f"Llama-2-{case.model}",
            "hardware": "A100-SXM4-80GB (330W)", "num_devices": str(case.tp), "tp": str(case.tp), "pp": "1",
            "weight_precision": case.weights, "activation_precision": "bf16", "kv_precision": "bf16", "batch": "1",
            "input_len": str(prompt), "output_len": str(OUTPUT), "software": "gpt-fast (torch.compile)",
            "source_date": "2025-08-22",
        }  # fmt: skip

    def shipped(case: Case, prompt: int) -> float:
        (outcome,) = predict_rows([row(case, prompt)])
        if outcome.prediction is None:
            raise ValueError(outcome.message)
        return 1e3 / outcome.prediction.value

    def unfitted(case: Case, prompt: int) -> float:
        from mlsim.calibration.cases import read_case
        from mlsim.calibration.fit import prior
        from mlsim.calibration.predict import predictions

        read = [read_case(row(case, prompt))]
        (found,) = predictions(read, prior(read).at(read))
        return 1e3 / found.value

    def inside(case: Case, found: Prediction | None) -> bool:
        return found is not None and 1e3 / found.high <= case.measured <= 1e3 / found.low

    found = [outcome.prediction for outcome in predict_rows([row(case, PROMPT) for case in CASES])]
    covered = sum(inside(case, prediction) for case, prediction in zip(CASES, found, strict=True))
    yield Way(
        "MLSIM, as shipped",
        f"predict_rows, software gpt-fast, chip limited to 330 W; {covered} of {len(CASES)} measurements lie inside "
        "the 80 % intervals; its gpt-fast profile is fitted to the cases marked †",
        shipped,
        lambda case, prompts: predict_rows([row(case, prompt) for prompt in prompts]),
    )
    yield Way(
        "MLSIM, priors only",
        "the same law before any fit to whole runs: kernel timings and values set by hand",
        unfitted,
    )


def run_aiconfigurator(cache: Path) -> Iterator[Way]:
    from aiconfigurator.sdk import common, config, inference_session, perf_database
    from aiconfigurator.sdk.backends.factory import get_backend
    from aiconfigurator.sdk.models import get_model

    shapes = {"7B": (4096, 32, 32, 32, 11008), "70B": (8192, 80, 64, 8, 28672)}
    keys = ("hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "intermediate_size")
    for name, shape in shapes.items():  # not among its bundled models; it reads any Llama from a config.json
        folder = cache / "models" / f"Llama-2-{name}"
        folder.mkdir(parents=True, exist_ok=True)
        rest = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 32000, "hidden_act": "silu"}
        rest |= {"max_position_embeddings": 4096, "torch_dtype": "bfloat16", "tie_word_embeddings": False}
        (folder / "config.json").write_text(json.dumps(dict(zip(keys, shape, strict=True)) | rest))
    formats = {"bf16": "bfloat16", "int8": "int8_wo", "int4-g32": "int4_wo"}

    def way(backend: str) -> Way:
        version = perf_database.get_latest_database_version("a100_sxm", backend)
        database = perf_database.get_database("a100_sxm", backend, version)

        @lru_cache
        def session(case: Case) -> inference_session.InferenceSession:
            wide = {f"{part}_quant_mode": getattr(common, kind).bfloat16 for part, kind in (
                ("kvcache", "KVCacheQuantMode"), ("fmha", "FMHAQuantMode"), ("moe", "MoEQuantMode"))}  # fmt: skip
            gemm = common.GEMMQuantMode[formats[case.weights]]
            chosen = config.ModelConfig(tp_size=case.tp, pp_size=1, gemm_quant_mode=gemm, **wide)
            model = get_model(str(cache / "models" / f"Llama-2-{case.model}"), chosen, backend)
            return inference_session.InferenceSession(model, database, get_backend(backend))

        def one(case: Case, prompt: int) -> float:
            load = config.RuntimeConfig(batch_size=1, beam_width=1, isl=prompt, osl=OUTPUT)
            return 1e3 / session(case).run_static(load, "static").get_result_dict()["tpot"]

        told = f"measured kernels of {backend} {version} on a100_sxm, static mode, SDK with the database loaded, TPOT"
        return Way(f"aiconfigurator, {backend}", told + "; no power limit, and another engine than gpt-fast", one)

    yield way("trtllm")
    yield way("vllm")


def run_llm_analysis(_: Path) -> Iterator[Way]:
    from llm_analysis.analysis import infer

    models = {"7B": "NousResearch_Llama-2-7b-hf", "70B": "upstage_Llama-2-70b-instruct-v2"}
    formats = {"bf16": "w16a16e16", "int8": "w8a16e16", "int4-g32": "w4a16e16"}

    def way(memory: float, flops: float, why: str) -> Way:
        def one(case: Case, prompt: int) -> float:
            found = infer(
                models[case.model], "a100-sxm-80gb", formats[case.weights], log_level="CRITICAL", tp_size=case.tp,
                seq_len=prompt, num_tokens_to_generate=OUTPUT, hbm_memory_efficiency=memory, flops_efficiency=flops,
            )  # fmt: skip
            return 1.0 / found["decode_latency"]

        return Way(
            f"llm-analysis, memory {memory:g}",
            f"a100-sxm-80gb, flops efficiency {flops:g}, int4 without scales: {why}",
            one,
        )

    yield way(1.0, 1.0, "its default, which it calls a lower bound of latency")
    yield way(0.65, 0.7, "the middle of the 0.6 to 0.7 its own warning names, and its advice for inference")


def run_genz(_: Path) -> Iterator[Way]:
    from GenZ import decode_moddeling
    from Systems.system_configs import system_configs

    def way(name: str, system: dict[str, float], what: str) -> Way:
        def one(case: Case, prompt: int) -> float:
            found = decode_moddeling(
                model=f"llama2_{case.model.lower()}", bits=case.weights.split("-")[0], tensor_parallel=case.tp,
                system_name=system, Bb=1, batch_size=1, input_tokens=prompt, output_tokens=OUTPUT,
            )  # fmt: skip
            return float(found["Throughput"])

        return Way(
            f"GenZ, {name}", f"{what}, efficiency 1 (its default), one beam; its int8 and int4 hold the cache too", one
        )

    own = system_configs["A100_80GB_GPU"]
    yield way("own A100", own, "its own A100_80GB_GPU with links of 150 GB/s")
    yield way("NVLink", own | {"ICN": 300, "ICN_LL": 3}, "the same with NVLink's 300 GB/s per direction and 3 µs")


def run_mlsysim(_: Path) -> Iterator[Way]:
    from mlsysim import Hardware, Models
    from mlsysim.solvers import DecodeBoundModel, ServingModel

    models = {"7B": Models.Language.Llama2_7B, "70B": Models.Language.Llama2_70B}
    formats = {"bf16": "fp16", "int8": "int8", "int4-g32": "int4"}  # 16 bits are one width to it
    chip = Hardware.Cloud.A100

    @lru_cache
    def node(n: int) -> object:
        memory = {"bandwidth": chip.memory.bandwidth * n, "capacity": chip.memory.capacity * n}
        return chip.model_copy(update={"memory": chip.memory.model_copy(update=memory)})

    def pooled(case: Case, prompt: int) -> float:
        context = prompt + OUTPUT // 2
        found = ServingModel().solve(models[case.model], node(case.tp), context, precision=formats[case.weights])
        return 1.0 / found.itl.m_as("s")

    def bound(case: Case, prompt: int) -> float:
        if case.tp == 1:
            return pooled(case, prompt)
        found = DecodeBoundModel().solve(models[case.model], chip, formats[case.weights], tp_size=case.tp)
        return 1.0 / max(found.memory_time.m_as("s"), found.compute_time.m_as("s"))

    yield Way(
        "mlsysim, tp_size", "ServingModel on one chip, DecodeBoundModel, which alone takes tp_size, beyond", bound
    )
    yield Way("mlsysim, one node", "ServingModel, the chips of a case as one node with their summed memory", pooled)


TOOLS: dict[str, tuple[str, str, Callable[[Path], Iterator[Way]]]] = {  # requirement, imported module, ways
    "mlsim": ("", "mlsim.calibration.accuracy", run_mlsim),
    "aiconfigurator": ("aiconfigurator==0.12.0", "aiconfigurator.sdk.inference_session", run_aiconfigurator),
    "llm-analysis": ("llm-analysis==0.2.2", "llm_analysis.analysis", run_llm_analysis),
    "genz": ("genz-llm==0.0.16", "GenZ", run_genz),
    "mlsysim": ("mlsysim==0.3.0", "mlsysim.solvers", run_mlsysim),
}


def rate(work: Callable[[range], object], chunk: int) -> float:
    """Median evaluations per second of three goes of half a second or 1,200 evaluations, no two of them the same."""
    rates = []
    for first in (PROMPT + 1, PROMPT + 1201, PROMPT + 2401):
        done, start = 0, time.perf_counter()
        while done < 1200 and time.perf_counter() - start < 0.5:
            work(range(first + done, first + done + chunk))
            done += chunk
        rates.append(done / (time.perf_counter() - start))
    return median(rates)


def child(tool: str, cache: Path) -> None:
    """Print as JSON what a tool predicts, in the environment that holds it."""
    rows = []
    with contextlib.redirect_stdout(sys.stderr):
        for way in TOOLS[tool][2](cache):
            values: list[float | str] = []
            for case in CASES:
                try:
                    values.append(way.one(case, PROMPT))
                except Exception as error:  # whatever a peer raises is its answer for the case
                    values.append(f"{type(error).__name__}: {error}")
            single = rate(lambda prompts, way=way: [way.one(CASES[0], prompt) for prompt in prompts], 1)
            many = rate(lambda prompts, way=way: way.many(CASES[0], prompts), 1200) if way.many else None
            rows.append({"name": way.name, "settings": way.settings, "values": values, "rate": single, "many": many})
    print(json.dumps(rows))


if __name__ == "__main__":
    child(sys.argv[1], Path(sys.argv[2]))
