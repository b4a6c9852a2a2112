"""Reading a row: what each column means, what an empty cell means, and a sentence for everything else."""

import math

import pytest

from mlsim.calibration.accuracy import predict_rows
from mlsim.calibration.cases import KINDS, UNITS, Case, read_case
from mlsim.errors import CellError
from mlsim.registry import load

ROWS = {
    "decode": {"family": "decode", "metric": "tpot"},
    "prefill": {"family": "prefill", "metric": "ttft", "input_len": "512"},
    "request": {"family": "end_to_end", "metric": "latency", "input_len": "512", "output_len": "64"},
    "offline": {
        "family": "serving_offline", "metric": "output_tokens_per_s_per_device", "input_len": "512", "output_len": "64",
    },
    "online": {"family": "serving_online", "metric": "tpot", "input_len": "512", "output_len": "64", "batch": "8"},
    "weights": {"family": "memory", "metric": "weight_bytes_per_device"},
    "pool": {"family": "memory", "metric": "kv_pool_tokens"},
    "token": {"family": "memory", "metric": "kv_bytes_per_token_per_device"},
}  # fmt: skip


def row(kind: str = "decode", **changes: str) -> dict[str, str]:
    return {"case_id": "c", "model": "Llama-3-8B", "hardware": "H100", "software": "vLLM", **ROWS[kind], **changes}


def case(kind: str = "decode", **changes: str) -> Case:
    return read_case(row(kind, **changes))


def sentence(kind: str = "decode", **changes: str) -> str:
    with pytest.raises(CellError) as caught:
        case(kind, **changes)
    assert len(caught.value.message) < 400
    return caught.value.message


# --- kinds -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("decode", "decode"), ("prefill", "prefill"), ("request", "request"), ("offline", "saturated"),
        ("online", "interleaved"), ("weights", "weights"), ("pool", "pool"), ("token", "token"),
    ],
)  # fmt: skip
def test_family_and_metric_say_what_is_computed(name: str, kind: str) -> None:
    assert case(name).kind == kind
    assert kind in UNITS


def test_an_offline_batch_that_is_stated_is_a_static_one() -> None:
    assert case("offline", batch="32").kind == "static"
    assert math.isnan(case("offline").batch)  # the engine chooses


def test_every_kind_has_a_unit() -> None:
    assert set(KINDS.values()) | {"static"} == set(UNITS)


# --- defaults --------------------------------------------------------------------------------------------------------


def test_empty_cells_take_the_documented_defaults() -> None:
    read = case(software="")
    assert read.batch == 1
    assert read.prompt == 0
    assert read.output == 256
    assert read.context == read.prompt + read.output / 2
    assert read.precision.name == "bf16"
    assert read.runtime.name == "vLLM"
    assert read.kv_precision.name == "bf16"
    assert (read.tp, read.pp, read.ep, read.dp) == (1, 1, 1, 1)
    assert read.power_share == 1
    assert read.memory_fraction == read.runtime.get("memory_fraction")


def test_context_is_the_mean_over_the_run() -> None:
    assert case(input_len="1000", output_len="200").context == 1100
    assert case(input_len="1000").context == 1128
    assert case(input_len="1000", output_len="200", context_len="4096").context == 4096
    assert case(context_len="0").context == 0


def test_missing_and_none_columns_are_empty_ones() -> None:
    bare = {"family": "decode", "metric": "tpot", "model": "Llama-3-8B", "hardware": "H100"}
    full = {**bare, "batch": "", "note": " ", "tp": " ", "software": ""}
    assert read_case(bare).batch == read_case(full).batch == 1
    assert read_case(bare).context == read_case(full).context


def test_cells_are_stripped() -> None:
    read = case(model=" Llama-3-8B ", hardware=" H100\t", batch=" 4 ", family=" decode ", weight_precision=" fp8 ")
    assert (read.model.name, read.batch, read.precision.name) == ("Llama-3-8B", 4, "fp8")


# --- hardware --------------------------------------------------------------------------------------------------------


def test_a_power_limit_is_a_share_of_the_board_power() -> None:
    assert case(hardware="A100-SXM4-80GB (330W)").power_share == pytest.approx(330 / 400)
    assert case(hardware="H100-SXM5-80GB (power capped)").power_share == 0.5
    assert case(hardware="H100-80GB (HBM3)").power_share == 1


@pytest.mark.parametrize("text", ["H100 (350W)", "H100-SXM5-80GB (350 W)", "A100 (power limited)"])
def test_any_chip_may_have_a_power_limit(text: str) -> None:
    assert case(hardware=text).power_share < 1


def test_a_limit_above_the_rating_is_none() -> None:
    assert case(hardware="A100 80GB 400W").power_share == 1


def test_a_power_limit_slows_prompts() -> None:
    free, limited = (
        predict_rows([row("prefill", hardware=h)])[0].prediction for h in ("A100-SXM4-80GB", "A100-SXM4-80GB (330W)")
    )
    assert free
    assert limited
    assert limited.value > free.value


# --- layout ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("software", "cells", "tp", "pp"),
    [
        ("vLLM", {}, 1, 1),
        ("vLLM", {"num_devices": "4"}, 4, 1),
        ("llama.cpp", {"num_devices": "4"}, 1, 4),  # layers are split unless tensor parallel is asked for
        ("exllamav2", {"num_devices": "2"}, 1, 2),
        ("llama.cpp", {"num_devices": "4", "tp": "4"}, 4, 1),
        ("vLLM", {"num_devices": "4", "pp": "2"}, 2, 2),
        ("vLLM", {"num_devices": "8", "tp": "4"}, 4, 2),
        ("vLLM", {"tp": "2"}, 2, 1),
        ("vLLM", {"pp": "2"}, 1, 2),
        ("vLLM", {"tp": "2", "pp": "3"}, 2, 3),
        ("vLLM", {"num_devices": "8", "tp": "1", "dp": "8"}, 1, 1),
        ("vLLM", {"num_devices": "8", "tp": "4", "dp": "2"}, 4, 1),
    ],
)
def test_devices_are_laid_out(software: str, cells: dict[str, str], tp: int, pp: int) -> None:
    read = case(software=software, **cells)
    assert (read.tp, read.pp) == (tp, pp)


@pytest.mark.parametrize(("dp", "tp"), [("2", 4), ("8", 1)])
def test_data_parallel_replicas_share_the_devices(dp: str, tp: int) -> None:
    read = case(num_devices="8", dp=dp)
    assert (read.tp, read.tp * read.pp * read.dp) == (tp, 8)


def test_more_devices_than_heads_is_a_sentence() -> None:
    assert "attention heads" in sentence(tp="64")


def test_devices_without_a_link_are_a_sentence() -> None:
    name = next(
        n
        for n in load.chip_names()
        if load.chip(n).has("memory_bandwidth")
        and load.chip(n).has("peak_compute bf16")
        and not load.chip(n).has("scaleup_bandwidth")
    )
    outcome = predict_rows([row(hardware=name, tp="2")])[0]
    assert outcome.prediction is None
    assert "link bandwidth" in outcome.message or "scaleup bandwidth" in outcome.message
    assert predict_rows([row(hardware=name)])[0].prediction


# --- software and formats --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("software", "date", "name"),
    [
        ("vLLM", "", "vLLM"),
        ("vLLM (ROCm 6.4.1 docker)", "", "vLLM"),
        ("vLLM", "2023-11", "vLLM-2023"),
        ("vLLM", "2024-05-01", "vLLM"),
        ("TensorRT-LLM", "2024-04-30", "TensorRT-LLM-static"),
        ("TensorRT-LLM", "2024-05", "TensorRT-LLM-2024"),
        ("TensorRT-LLM", "2025-07-01", "TensorRT-LLM"),
        ("TensorRT-LLM", "", "TensorRT-LLM"),
        ("llama.cpp llama-bench", "2023-12", "llama.cpp-2023"),
        ("llama.cpp llama-bench", "2024-06", "llama.cpp-2024"),
        ("llama.cpp llama-bench", "2025-06", "llama.cpp"),
        ("transformers (pytorch)", "2024", "eager"),
        ("some engine of our own", "", "default"),
    ],
)
def test_the_runtime_of_its_date(software: str, date: str, name: str) -> None:
    assert case(software=software, source_date=date).runtime.name == name


@pytest.mark.parametrize(
    ("software", "written", "format_", "runtime"),
    [
        ("vLLM", "int4", "int4-g128", "vLLM"),
        ("llama.cpp", "int4", "q4_0", "llama.cpp"),
        ("llama.cpp", "int8", "q8_0", "llama.cpp"),
        ("exllama", "int4", "int4-g128-zp", "exllama"),
        ("exllamav2", "int4", "exl2-4.0-bpw", "exllamav2"),
        ("MLC-LLM", "int4", "int4-g32", "MLC-LLM"),
        ("transformers (pytorch)", "int8", "int8-weight-only", "bitsandbytes"),
        ("transformers (pytorch)", "int4", "nf4", "bitsandbytes"),
        ("transformers (pytorch)", "bf16", "bf16", "eager"),
        ("TensorRT-LLM", "int8", "int8-weight-only", "TensorRT-LLM"),
    ],
)
def test_a_runtime_has_its_own_meaning_of_a_format(software: str, written: str, format_: str, runtime: str) -> None:
    read = case(software=software, weight_precision=written)
    assert (read.precision.name, read.runtime.name) == (format_, runtime)


@pytest.mark.parametrize(
    ("software", "weights", "cell", "kv"),
    [
        ("vLLM", "bf16", "", "bf16"),
        ("vLLM", "bf16", "fp8", "fp8"),
        ("vLLM", "fp8", "", "bf16"),
        ("vLLM", "fp8", "fp16", "fp16"),
        ("vLLM", "bf16", "auto", "bf16"),
        ("vLLM", "fp8", "auto (fp8-KV checkpoint; latency cmd has no --kv-cache-dtype)", "fp8"),
        ("TensorRT-LLM", "fp8", "", "fp8"),  # its checkpoints keep the cache in fp8
        ("TensorRT-LLM", "nvfp4", "", "fp8"),
        ("TensorRT-LLM", "fp8", "bf16", "bf16"),
        ("TensorRT-LLM", "bf16", "", "bf16"),
    ],
)
def test_format_of_the_cache(software: str, weights: str, cell: str, kv: str) -> None:
    assert case(software=software, weight_precision=weights, kv_precision=cell).kv_precision.name == kv


@pytest.mark.parametrize(
    ("chip", "weights", "activations", "compute"),
    [
        ("H100", "fp8", "", "fp8"),
        ("H100", "fp8", "bf16", "bf16"),
        ("H100", "fp8", "fp8", "fp8"),
        ("H100", "int8", "fp16", "fp16"),
        ("H100", "bf16", "fp8", "bf16"),
        ("B200", "nvfp4", "nvfp4", "fp4"),
        ("B200", "nvfp4", "fp8", "fp8"),
        ("A100", "fp8", "fp8", "bf16"),
        ("Trainium1 NeuronCore-v2", "int8", "FP16/Matmult-BF16", "fp16"),
    ],
)
def test_activations_say_what_is_multiplied(chip: str, weights: str, activations: str, compute: str) -> None:
    assert case(hardware=chip, weight_precision=weights, activation_precision=activations).compute == compute


# --- notes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("note", "cached"),
    [
        ("", 0),
        ("at depth 4096", 4096),
        ("at depth 0", 0),
        ("1920 cached tokens", 1920),
        ("pp512 at depth 16384", 16384),
    ],
)
def test_a_cached_prefix_is_in_the_note(note: str, cached: int) -> None:
    assert case("prefill", note=note).context == cached
    assert case("request", note=note).context == cached


def test_a_cached_prefix_makes_a_prompt_dearer_and_its_cache_cheaper() -> None:
    found = [
        predict_rows([row("prefill", **cells)])[0].prediction
        for cells in ({"input_len": "512"}, {"input_len": "512", "note": "at depth 7680"}, {"input_len": "8192"})
    ]
    values = [p.value for p in found if p]
    assert values == sorted(values)
    assert len(set(values)) == 3


def test_settings_of_a_memory_run_are_in_the_note() -> None:
    note = "max_model_len=8192 gpu_memory_utilization=0.95 dtype=auto quantization=fp8 kv=fp8"
    read = case("pool", note=note, weight_precision="bf16")
    assert read.memory_fraction == 0.95
    assert read.precision.name == "fp8"
    assert read.kv_precision.name == "fp8"
    assert case("decode", note="gpu_memory_utilization=0.5").memory_fraction == 0.9  # of memory runs only


@pytest.mark.parametrize(
    "note",
    [
        "max_model_len=auto", "max_model_len=0", "gpu_memory_utilization=high", "gpu_memory_utilization=95",
        "gpu_memory_utilization=nan", "quantization=nonsense", "kv=nonsense",
    ],
)  # fmt: skip
def test_a_setting_that_cannot_be_read_is_a_sentence_or_without_effect(note: str) -> None:
    bad, good = predict_rows([row("pool", note=note), row("pool")])
    assert good.prediction
    assert bad.message or bad.prediction == good.prediction


# --- errors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "changes", "words"),
    [
        ("decode", {"model": "Lama-3-8B"}, "Did you mean"),
        ("decode", {"hardware": "H10000"}, "not in the hardware registry"),
        ("decode", {"model": ""}, "model is empty"),
        ("decode", {"hardware": " "}, "hardware is empty"),
        ("decode", {"weight_precision": "bf17"}, "precision registry"),
        ("decode", {"kv_precision": "bf17"}, "precision registry"),
        ("decode", {"weight_precision": "fp8", "activation_precision": "bf17"}, "precision registry"),
        ("decode", {"family": "training"}, 'family "training" with metric "tpot". Families: collective, decode'),
        ("decode", {"metric": "ttft"}, 'metric "ttft"'),
        ("decode", {"family": "", "metric": ""}, "No model for family"),
        ("decode", {"batch": "many"}, 'batch: expected a number, got "many"'),
        ("decode", {"batch": "-1"}, "batch: expected a number of 1 or more"),
        ("decode", {"batch": "0"}, "batch: expected a number of 1 or more"),
        ("decode", {"batch": "nan"}, "batch: expected a number of 1 or more"),
        ("decode", {"batch": "1e999"}, "batch: expected a number of 1 or more"),
        ("decode", {"context_len": "-1"}, "context_len: expected a number of 0 or more"),
        ("decode", {"context_len": "4k"}, "context_len: expected a number"),
        ("decode", {"tp": "0"}, "tp: expected a number of 1 or more"),
        ("decode", {"num_devices": "0"}, "num_devices: expected a number of 1 or more"),
        ("decode", {"pp": "two"}, "pp: expected a number"),
        ("decode", {"ep": "x"}, "ep: expected a number"),
        ("decode", {"dp": "-2"}, "dp: expected a number"),
        ("decode", {"batch": "x" * 10_000}, "batch: expected a number"),
        ("prefill", {"input_len": ""}, "input_len is empty: a prefill case needs it"),
        ("request", {"output_len": ""}, "output_len is empty: a end_to_end case needs it"),
        ("offline", {"input_len": ""}, "input_len is empty"),
        ("online", {"output_len": ""}, "output_len is empty"),
    ],
)
def test_a_bad_cell_is_one_sentence(kind: str, changes: dict[str, str], words: str) -> None:
    assert words in sentence(kind, **changes)


def test_names_of_what_is_computed_in_have_to_exist() -> None:
    assert "precision registry" in sentence(weight_precision="bf16", activation_precision="bf17")


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("prefill", {"input_len": "0"}), ("request", {"input_len": "0"}), ("offline", {"input_len": "0"}),
        ("offline", {"output_len": "0"}), ("online", {"output_len": "0"}), ("decode", {"batch": "1e300"}),
    ],
)  # fmt: skip
def test_no_prediction_is_not_a_number(kind: str, changes: dict[str, str]) -> None:
    outcome = predict_rows([row(kind, **changes)])[0]
    assert outcome.message if outcome.prediction is None else math.isfinite(outcome.prediction.value)


@pytest.mark.parametrize("kind", ROWS)
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": "ResNet-50"}, "cannot be laid out"),
        ({"hardware": "K80"}, "no sourced fp16 peak"),
        ({"hardware": "WSE-3"}, "no sourced"),
    ],
)
def test_what_no_model_covers_says_why(kind: str, changes: dict[str, str], words: str) -> None:
    outcome = predict_rows([row(kind, **changes)])[0]
    assert outcome.prediction is None
    assert words in outcome.message


def test_speculative_runs_are_not_predicted_as_plain_ones() -> None:
    assert "speculative" in sentence("offline", note="with EAGLE speculative decoding").casefold()
    assert case("offline", note="speculative decoding off").kind == "saturated"
