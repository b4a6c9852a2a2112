"""Reading training and collective rows: what a row says, and what is assumed where it says nothing."""

import math

import pytest

from mlsim.calibration.accuracy import predict_rows
from mlsim.calibration.cases import CollectiveCase, TrainCase, labels, read_case
from mlsim.errors import CellError, DomainError, NameNotFoundError, UnitError

ROW = {
    "case_id": "a", "family": "training", "metric": "step_time", "model": "Llama-3-8B", "hardware": "H100-SXM-80GB",
    "num_devices": "64", "devices_per_node": "8", "tp": "2", "pp": "2", "micro_batch": "1", "global_batch": "128",
    "seq_len": "8192", "weight_precision": "bf16", "software": "NeMo (Megatron-Core)", "source_date": "2025-06",
}  # fmt: skip


def case(**changes: str) -> TrainCase:
    found = read_case({**ROW, **changes})
    assert isinstance(found, TrainCase)
    return found


def test_a_row_becomes_a_plan():
    plan = case().plan
    assert (plan.tp, plan.pp, plan.dp, plan.micro_batch, plan.global_batch) == (2, 2, 16, 1, 128)
    assert (plan.shard_optimizer, plan.shard_weights, plan.sequence_parallel) == (1, 0, 1)
    assert labels(case()).tp == 2


@pytest.mark.parametrize(
    ("sharding", "stage", "shards", "twice"),
    [("none", 0, 0, 1), ("zero1", 1, 0, 1), ("zero1-group8", 1, 8, 1), ("zero2", 2, 0, 1), ("fsdp-full", 3, 0, 1),
     ("fsdp-grad-op", 3, 0, 0), ("", 1, 0, 1)],
)  # fmt: skip
def test_sharding(sharding, stage, shards, twice):
    plan = case(sharding=sharding).plan
    assert plan.shard_optimizer + plan.shard_gradients + plan.shard_weights == stage
    assert (plan.shards, plan.gather_twice) == (shards, twice)


@pytest.mark.parametrize(
    ("note", "name"),
    [
        ("TFLOPs COUNT recompute (factor 4x forward, hardware FLOPs)", "hardware"),
        ("Hardware FLOPs convention as narayanan2021", "hardware"),
        ("Model TFLOP excludes recompute; causal attention counted at half", "model, causal"),
        ("model TFLOPs, causal-half attention convention", "model, causal"),
        ("FULL non-causal attention, no recompute", "model"),
        ("counts FULL attention, vs Megatron-Bridge which halves attention", "model"),
    ],
)
def test_the_note_names_the_convention(note, name):
    assert case(metric="model_or_hardware_tflops_per_device", unit="TFLOP/s", note=note).convention.name == name


def test_recomputation_stated_in_parts():
    assert case(recompute="full").plan.recompute_layer == 1
    assert case(recompute="selective").plan.recompute_attention == 1
    parts = case(recompute="selective", note="recompute modules: mlp+core_attn").plan
    assert (parts.recompute_mlp, parts.recompute_attention, parts.recompute_layer) == (1, 1, 0)
    assert case(recompute="selective", note="recompute_modules=layernorm,moe_act").plan.recompute_pointwise == 1


def test_recomputation_not_stated_is_the_least_that_fits():
    assert case(micro_batch="1").plan.recompute_layer == 0
    large = case(tp="1", pp="1", micro_batch="8", global_batch="512").plan
    assert 0 < large.recompute_layer <= 1


def test_a_layout_not_stated_is_the_least_model_parallelism_that_fits():
    small = case(tp="", pp="", num_devices="8").plan
    large = case(model="Llama-3-70B", tp="", pp="").plan
    assert small.tp * small.pp < large.tp * large.pp
    assert large.tp <= 8
    named = case(model="Llama-3-70B", tp="", pp="", note="only total model-parallel size 16 given (TP*PP)").plan
    assert named.tp * named.pp == 16


def test_links_are_those_the_row_names():
    assert case(inter_node_link="RoCE 4x100 Gb").fabric.network == pytest.approx(400e9 / 8 / 8)
    assert case(inter_node_link="RoCE 1600 Gbps per node").fabric.network == pytest.approx(1600e9 / 8 / 8)
    assert case().fabric.network == pytest.approx(50e9)
    assert case(hardware="GB200", devices_per_node="4").fabric.domain == 72


def test_a_device_batch_is_one_pass_where_the_framework_says_so():
    plan = case(software="MaxText", hardware="TPU-v5p", tp="4", pp="", micro_batch="6", global_batch="768", num_devices="128",
                sharding="fsdp-full").plan  # fmt: skip
    assert plan.micro_batch * plan.dp == plan.global_batch


def test_models_by_dimensions_by_proxy_and_by_size():
    own = case(model="BLOOM-proto-205B", params="205000000000", hidden="14400", ffn="57600", vocab="250880").model
    assert own.layers == 81  # (205e9 - 250,880 · 14,400) / (12 · 14,400²) = 80.9
    assert own.heads == 112
    proxy = case(model="Grok-1-314B-proxy-16L").model
    assert (proxy.layers, proxy.experts) == (16, 8)
    size = case(model="Unheard-13B").model
    assert size.total_params == pytest.approx(13e9, rel=0.15)
    with pytest.raises(NameNotFoundError, match="not in the model registry"):
        case(model="Unheard")


def test_adapters_train_little():
    assert case(model="Llama-2-70B (LoRA)").plan.trainable < 0.01
    assert case(model="Llama-2-70B (SFT)").plan.trainable == 1


def test_mixed_precision_pure_reduces_in_16_bits():
    assert case(software="PyTorch FSDP", note="FSDP mixed_precision=PURE").formats.reduced == 2
    assert case(software="PyTorch FSDP").formats.reduced == 4
    assert case(weight_precision="tf32").formats.activation == 4


def test_frameworks_by_date_and_a_usual_one_for_the_unknown():
    assert case(software="Megatron-LM", source_date="2021-01-11").runtime.name == "Megatron-2020"
    assert case(software="Megatron-LM", source_date="2022-05 (paper)").runtime.name == "Megatron-2022"
    assert case(software="SomethingNew 1.0").runtime.name == "Megatron-Core"
    assert case(software="MaxText").runtime.name == "MaxText training"


def test_empty_cells_are_assumed_and_impossible_ones_refused():
    bare = read_case(
        {"family": "training", "metric": "tokens_per_s_per_device", "model": "Llama-3-8B", "hardware": "H100"}
    )
    assert isinstance(bare, TrainCase)
    assert (bare.plan.devices, bare.plan.sequence) == (8, 2048)
    with pytest.raises(DomainError, match=r"tp · pp · cp = 128 is more than the 64 devices"):
        case(tp="8", pp="16")
    with pytest.raises(UnitError, match="tp: expected a number"):
        case(tp="two")


def test_a_collective():
    row = {
        "family": "collective", "metric": "time", "operation": "all_reduce", "hardware": "NVIDIA H100 80GB HBM3",
        "message_bytes": "67108864", "num_devices": "8", "devices_per_node": "8",
    }  # fmt: skip
    found = read_case(row)
    assert isinstance(found, CollectiveCase)
    assert (found.operation, found.ranks, found.runtime.name) == ("all_reduce", 8, "NCCL")
    assert read_case({**row, "operation": "alltoall"}).operation == "all_to_all"
    for change, sentence in (
        ({"operation": "gossip"}, "is not one of all_reduce"), ({"message_bytes": ""}, "message_bytes is empty"),
    ):  # fmt: skip
        with pytest.raises(CellError, match=sentence):
            read_case({**row, **change})


def test_predictions_come_in_the_units_of_their_metrics():
    rows = [
        {**ROW, "metric": m} for m in ("step_time", "tokens_per_s_per_device", "model_or_hardware_tflops_per_device")
    ]
    step, tokens, flops = (o.prediction.value for o in predict_rows(rows))
    assert tokens == pytest.approx(128 * 8192 / step / 64)
    assert 200 < flops < 989
    assert all(math.isfinite(o.prediction.low) and o.prediction.low < o.prediction.high for o in predict_rows(rows))


def test_a_run_beyond_a_node_without_a_known_network_is_refused():
    (found,) = predict_rows([{**ROW, "hardware": "L40S"}])
    assert found.prediction is None
    assert "scaleout bandwidth" in found.message
