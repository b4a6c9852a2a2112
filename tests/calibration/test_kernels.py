"""Kernel timings made from known parameters give these parameters back; bad tables give a sentence."""

import csv
import itertools

import numpy as np
import pytest

from mlsim.calibration import kernels
from mlsim.errors import DomainError, NameNotFoundError, UnitError
from mlsim.physics.attention import attended_pairs, attention_flops
from mlsim.physics.collectives import all_reduce_time
from mlsim.planner import fabric
from mlsim.planner.machine import CHIP_PARAMETERS, PARAMETERS, Efficiency
from mlsim.registry import load
from mlsim.registry.tables import rows

SYSTEM = "rtx_pro_6000_server"  # a class without rows in efficiency_measured.csv
TRUE = {
    "compute_efficiency": 0.8, "narrow_efficiency": 0.9, "memory_efficiency": 0.85, "attention_efficiency": 0.45,
    "attention_half_length": 260.0, "kernel_overhead": 3.0, "attention_overhead": 8.0, "allreduce_latency": 6.0,
    "link_efficiency": 0.6, "collective_latency": 7.0, "hop_latency": 1.0, "bulk_latency": 25.0, "bus_efficiency": 0.75,
    "prompt_share": 0.4, "copy_share": 0.3, "sharing_exponent": 0.6,
}  # fmt: skip
RUN = (SYSTEM, "trtllm", "1.0")
HEAD = ("system", "fw", "fw_version")
SHAPE = ("batch_size", "num_heads", "num_key_value_heads", "head_dim", "kv_cache_dtype")


def write(path, header, lines):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([(*HEAD, *header, "latency_ms"), *((*RUN, *line) for line in lines)])


def gemm_lines(chip, noise):
    form = {"bfloat16": (chip.peak("bf16"), 2, 3e-6, 0.8, 0), "fp8": (chip.peak("fp8"), 1, 11e-6, 0.8 * 0.9, 4)}
    for (name, (peak, size, overhead, share, quantise)), m, n, k in itertools.product(
        form.items(), (1, 16, 256, 1024, 4096), (512, 2048, 8192, 65536), (512, 2048, 8192)
    ):
        compute = 2.0 * m * n * k / (peak * share)
        memory = ((n * k + m * k) * size + 2 * m * n) / (chip.get("memory_bandwidth") * 0.85)
        inputs = quantise * m * k / (chip.get("memory_bandwidth") * 0.85)
        time = overhead + max(compute, memory) + 0.2 * min(compute, memory) + inputs
        yield name, m, n, k, time * noise() * 1e3


@pytest.fixture
def folder(tmp_path):
    """Five small tables with 2 % noise and one outlier."""
    random, chip = np.random.default_rng(1), load.chip(kernels.SYSTEMS[SYSTEM].chip)
    stream, peak = chip.get("memory_bandwidth") * 0.85, chip.peak("bf16") * 0.45

    def noise():
        return np.exp(0.02 * random.standard_normal())

    write(tmp_path / "gemm.csv", ("gemm_dtype", "m", "n", "k"), gemm_lines(chip, noise))
    prefill = [
        (b, h, 8, 128, "bfloat16", n, "bfloat16", 0,
         (5e-6 + (1 + 260 / (n / 2)) * b * attention_flops(attended_pairs(n, 0.0), h, 128, 128) / peak) * noise() * 1e3)
        for b, h, n in itertools.product((1, 4), (16, 32), (128, 512, 2048, 8192))
    ]  # fmt: skip
    prefill[3] = (*prefill[3][:-1], prefill[3][-1] * 5)
    write(tmp_path / "context_attention.csv", (*SHAPE, "isl", "attn_dtype", "window_size"), prefill)
    write(
        tmp_path / "generation_attention.csv", (*SHAPE, "kv_len"),
        [
            (b, 32, kv, 128, "bfloat16", n, (11e-6 + b * kv * 512.0 * n / stream) * noise() * 1e3)
            for b, kv, n in itertools.product((1, 2, 64, 256), (1, 2, 8), (256, 512, 4096, 16384))
        ],
    )  # fmt: skip
    link = chip.get("scaleup_bandwidth") * 0.6
    write(
        tmp_path / "custom_allreduce.csv", ("kernel_source", "num_gpus", "message_size"),
        [
            (source, n, size, float(all_reduce_time(2.0 * size, n, link, 6e-6)) * times * noise() * 1e3)
            for (source, times), n, size in itertools.product(
                (("graph", 1.0), ("other_graph", 1.5), ("eager", 0.5)), (2, 4, 8), 2.0 ** np.arange(7, 29, 2)
            )
        ],
    )  # fmt: skip
    write_collectives(tmp_path / "nccl_collectives.csv", chip, noise)
    return tmp_path


def write_collectives(path, chip, noise):
    """Write timings of a library's collectives that TRUE makes."""
    true = {name: TRUE[name] * (1e-6 if name.endswith("latency") else 1.0) for name in kernels._COLLECTIVE}
    values = {**dict.fromkeys(PARAMETERS, 0.0), **true, "link_share": 1.0, "sharing_exponent": TRUE["sharing_exponent"]}
    eff, node = Efficiency(**values), fabric.Fabric(8.0, chip.get("scaleup_bandwidth"), np.nan, bus=1.0)
    head = ("system", "lib", "lib_version", "op_name", "nccl_dtype", "num_gpus", "message_size", "latency_ms")
    lines = [
        (SYSTEM, "nccl", "2.29", op, "half", n, size, float(law(2.0 * size, n, n, node, eff)) * noise() * 1e3)
        for (op, law), n, size in itertools.product(kernels._OPERATIONS.items(), (2, 4, 8), 2.0 ** np.arange(8, 29, 2))
    ]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([head, *lines])


def test_the_command_recovers_the_parameters(folder, capsys):
    out = folder / "efficiency.csv"
    assert kernels.main([str(folder), "--output", str(out)]) == 0
    with out.open(newline="") as file:
        table = list(csv.DictReader(file))
    assert tuple(table[0]) == kernels.COLUMNS
    found = {r["attribute"]: r for r in table if r["chip_class"] == "nvidia-blackwell-consumer"}
    for name, true in TRUE.items():
        loose = ("attention_overhead", "attention_half_length", "hop_latency", "bulk_latency", "copy_share")
        tolerance = 0.1 if name in loose else 0.04
        assert float(found[name]["value"]) == pytest.approx(true, rel=tolerance), name
        assert float(found[name]["spread"]) >= 0.05
        assert SYSTEM in found[name]["locator"]
        assert "rows" in found[name]["locator"]
    default = {r["attribute"]: r for r in table if r["chip_class"] == "default"}
    assert set(default) == set(CHIP_PARAMETERS)
    assert all(float(r["spread"]) >= 0.07 for r in default.values() if float(r["value"]))
    kept = {(r["chip_class"], r["attribute"]): r["value"] for r in table}
    assert kept["amd-cdna3", "compute_efficiency"] == "0.514"
    assert "nvidia-blackwell-consumer" in capsys.readouterr().out


def test_a_missing_table_is_named(folder, capsys):
    (folder / "custom_allreduce.csv").unlink()
    with pytest.raises(NameNotFoundError, match=r"custom_allreduce\.csv cannot be read: No such file"):
        kernels.estimates(folder)
    assert kernels.main([str(folder), "--output", str(folder / "out.csv")]) == 1
    assert "custom_allreduce.csv" in capsys.readouterr().err
    assert not (folder / "out.csv").exists()


@pytest.mark.parametrize(
    ("old", "new", "error", "sentence"),
    [
        ("gemm_dtype", "dtype", NameNotFoundError, "lacks the column gemm_dtype"),
        (",512,512,", ",512,abc,", UnitError, "column k must hold numbers"),
        (",512,512,", ",512,-1,", DomainError, "numbers above 0"),
        (SYSTEM, "abacus", DomainError, "no row of a system"),
    ],
)
def test_a_bad_table_ends_in_a_sentence(folder, old, new, error, sentence):
    for path in folder.glob("*.csv") if old == SYSTEM else [folder / "gemm.csv"]:
        path.write_text(path.read_text().replace(old, new))
    with pytest.raises(error, match=sentence):
        kernels.estimates(folder)


def test_a_parameter_that_the_rows_do_not_determine_stays_at_its_start():
    x = np.array([1.0, 2.0, 4.0])
    slope, unused = kernels.robust_fit(lambda p: p[0] * x + 0.0 * p[1], (1.0, 7.0), 3.0 * x)
    assert slope == pytest.approx(3.0, rel=1e-2)
    assert unused == pytest.approx(7.0, rel=1e-6)


def test_the_shipped_defaults_are_complete():
    table = [row for row in rows("efficiency") if row["chip_class"] == "default"]
    assert sorted(row["attribute"] for row in table) == sorted(CHIP_PARAMETERS)
    structural = ("switch_efficiency",)  # 0 unless a class has it
    assert all(
        float(row["value"]) > 0 and float(row["spread"]) > 0 for row in table if row["attribute"] not in structural
    )
    assert all(float(row["value"]) == 0 for row in table if row["attribute"] in structural)
