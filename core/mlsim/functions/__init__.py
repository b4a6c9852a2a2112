"""The catalogue: every ``MLSIM_*`` function, declared once and importable as ``mlsim.functions.MLSIM_X``."""

from __future__ import annotations

import os

from mlsim.functions import catalogue
from mlsim.functions.accuracy import MLSIM_CALIBRATE, MLSIM_INTERVAL
from mlsim.functions.catalogue import CATALOGUE, Arg, Function, call, call_many
from mlsim.functions.inference import (
    MLSIM_BOTTLENECK,
    MLSIM_DECODE_LATENCY,
    MLSIM_FITS,
    MLSIM_KV_CACHE,
    MLSIM_MAX_BATCH,
    MLSIM_MEMORY,
    MLSIM_MIN_DEVICES,
    MLSIM_PREFILL_LATENCY,
    MLSIM_THROUGHPUT,
    MLSIM_TOKEN_COST,
    MLSIM_TPOT,
    MLSIM_TTFT,
    MLSIM_WEIGHTS,
)
from mlsim.functions.lookup import MLSIM_LIST, MLSIM_SOURCE, MLSIM_SPEC, MLSIM_WHY
from mlsim.functions.planning import MLSIM_SERVING_PLAN
from mlsim.functions.serving import (
    MLSIM_DISAGGREGATE,
    MLSIM_OPERATORS,
    MLSIM_PREFIX_LATENCY,
    MLSIM_SERVING_RATE,
    MLSIM_SERVING_TPOT,
    MLSIM_SPECULATIVE_TPOT,
)
from mlsim.functions.training import (
    MLSIM_ALLGATHER,
    MLSIM_ALLREDUCE,
    MLSIM_ALLTOALL,
    MLSIM_BUBBLE,
    MLSIM_MFU,
    MLSIM_PARALLEL_PLAN,
    MLSIM_TRAIN_MEMORY,
    MLSIM_TRAIN_MEMORY_PARTS,
    MLSIM_TRAIN_PARTS,
    MLSIM_TRAIN_STEP,
    MLSIM_TRAIN_TIME,
)
from mlsim.functions.units import MLSIM_ADD, MLSIM_CHECK, MLSIM_CONVERT, MLSIM_DIV, MLSIM_MUL
from mlsim.registry import load

__all__ = [
    "CATALOGUE", "MLSIM_ADD", "MLSIM_ALLGATHER", "MLSIM_ALLREDUCE", "MLSIM_ALLTOALL", "MLSIM_BOTTLENECK",
    "MLSIM_BUBBLE", "MLSIM_CALIBRATE", "MLSIM_CHECK", "MLSIM_CONVERT", "MLSIM_DECODE_LATENCY", "MLSIM_DISAGGREGATE",
    "MLSIM_DIV", "MLSIM_FITS", "MLSIM_INTERVAL", "MLSIM_KV_CACHE", "MLSIM_LIST", "MLSIM_MAX_BATCH", "MLSIM_MEMORY",
    "MLSIM_MFU", "MLSIM_MIN_DEVICES", "MLSIM_MUL", "MLSIM_OPERATORS", "MLSIM_PARALLEL_PLAN", "MLSIM_PREFILL_LATENCY",
    "MLSIM_PREFIX_LATENCY", "MLSIM_SERVING_PLAN", "MLSIM_SERVING_RATE", "MLSIM_SERVING_TPOT", "MLSIM_SOURCE",
    "MLSIM_SPEC", "MLSIM_SPECULATIVE_TPOT", "MLSIM_THROUGHPUT", "MLSIM_TOKEN_COST", "MLSIM_TPOT",
    "MLSIM_TRAIN_MEMORY", "MLSIM_TRAIN_MEMORY_PARTS", "MLSIM_TRAIN_PARTS", "MLSIM_TRAIN_STEP", "MLSIM_TRAIN_TIME", "MLSIM_TTFT", "MLSIM_WEIGHTS", "MLSIM_WHY", "Arg",
    "Function", "call", "call_many", "use_registry_file",
]  # fmt: skip


def use_registry_file(path: str) -> list[str]:
    """Add the chips and models of the user's own YAML file to the catalogue's registry; return their names."""
    added = load.use_registry_file(path)
    catalogue.forget_results()
    return added


# A host that starts without a command line (Excel, LibreOffice) names the user's file in the environment.
if os.environ.get("MLSIM_REGISTRY"):
    use_registry_file(os.environ["MLSIM_REGISTRY"])
