"""How GenZ is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from GenZ import decode_moddeling
from GenZ.Models.default_models import ModelConfig
from Systems.system_configs import system_configs
from way import Case, NotOffered, Way, dense, known, width

CHIPS = {"A100-SXM4-80GB": "A100_80GB_GPU", "A100-SXM4-40GB": "A100_40GB_GPU", "H100-SXM-80GB": "H100_GPU"}
BITS = {16: "bf16", 8: "int8", 4: "int4"}


@lru_cache
def model_of(
    name: str, layers: int, hidden: int, heads: int, kv_heads: int, ffn: int, matrices: int, vocab: int
) -> Any:
    return ModelConfig(
        model=name, vocab_size=vocab, hidden_size=hidden, intermediate_size=ffn, num_ffi=matrices - 1,
        num_decoder_layers=layers, num_attention_heads=heads, num_key_value_heads=kv_heads,
    )  # fmt: skip


def asking(more: dict[str, float]) -> Callable[[Case], float]:
    def decode(case: Case) -> float:
        if case["pp"] > 1:
            raise NotOffered("not asked with a pipeline")
        shape = [
            dense(case)[k] for k in ("name", "layers", "hidden", "heads", "kv_heads", "ffn", "ffn_matrices", "vocab")
        ]
        found = decode_moddeling(
            model=model_of(*shape), bits=width(case, BITS), tensor_parallel=case["tp"],
            system_name=system_configs[known(CHIPS, case["chip"])] | more, Bb=1, batch_size=case["batch"],
            input_tokens=int(case["prompt"]), output_tokens=int(case["output"]),
        )  # fmt: skip
        return float(found["Latency"])

    return decode


def ways(_: Path) -> Iterator[Way]:
    yield Way(
        "GenZ, own systems",
        "its own A100 and H100 with their links, efficiency 1 (its default), one beam; its 8 and 4 bits hold the cache too",
        asking({}),
    )
    yield Way(
        "GenZ, NVLink", "the same with links of 300 GB/s per direction and 3 µs", asking({"ICN": 300, "ICN_LL": 3})
    )
