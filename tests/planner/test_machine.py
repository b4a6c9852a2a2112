"""The two records that the laws of time read: what a chip offers, and how much of it is had."""

import math

import pytest

from mlsim.errors import NameNotFoundError
from mlsim.planner.machine import (
    CHIP_PARAMETERS,
    PARAMETERS,
    RUNTIME_PARAMETERS,
    computed_in,
    efficiency,
    machine,
    spread,
)
from mlsim.registry import load


def test_figures_of_the_data_sheet() -> None:
    found = machine(load.chip("H100"), "bf16")
    assert (found.peak, found.peak16) == (989e12, 989e12)
    assert (found.bandwidth, found.link) == (3.35e12, 450e9)
    assert found.core_clock == pytest.approx(132 * 1.83e9)
    assert found.power_share == 1.0
    assert machine(load.chip("H100"), "fp8").peak == 1979e12
    assert machine(load.chip("H100"), "fp8").peak16 == 989e12  # attention is not computed narrower


def test_half_sums_double_the_rate_of_geforce_cards_only() -> None:
    geforce, server = load.chip("RTX-4090"), load.chip("H100")
    assert machine(geforce, "bf16", True).peak == pytest.approx(2 * machine(geforce, "bf16").peak, rel=0.01)
    assert machine(server, "bf16", True) == machine(server, "bf16")


def test_a_chip_without_bf16_multiplies_in_fp16() -> None:
    chip = load.chip("V100")
    assert not chip.has("peak_compute bf16")
    assert machine(chip, "bf16").peak == chip.peak("fp16")


@pytest.mark.parametrize(("name", "words"), [("K80", "no sourced fp16 peak"), ("Snapdragon-8-Gen-3", "no sourced")])
def test_a_missing_figure_is_named(name: str, words: str) -> None:
    with pytest.raises(NameNotFoundError, match=words):
        machine(load.chip(name), "bf16")


def test_what_is_not_known_does_not_limit() -> None:
    chip = next(
        c
        for c in map(load.chip, load.chip_names())
        if c.has("peak_compute bf16") and c.has("memory_bandwidth") and not c.has("clock")
    )
    assert machine(chip, "bf16").core_clock == math.inf
    own = load.chip_from_pairs([("memory bandwidth", "1 TB/s"), ("bf16 peak", "100 TFLOP/s")])
    assert math.isnan(machine(own, "bf16").link)


@pytest.mark.parametrize(
    ("chip", "weights", "activations", "expected"),
    [
        ("H100", "bf16", None, "bf16"),
        ("H100", "fp8", None, "fp8"),
        ("H100", "fp8", "bf16", "bf16"),  # weight-only
        ("H100", "fp8", "fp8", "fp8"),
        ("A100", "fp8", None, "bf16"),  # no fp8 units: the weights are unpacked
        ("A100", "int8", None, "int8"),
        ("H100", "nvfp4", None, "bf16"),
        ("B200", "nvfp4", None, "fp4"),
        ("B200", "nvfp4", "fp8", "fp8"),
        ("H100", "int4-g128", None, "bf16"),
    ],
)
def test_computed_in(chip: str, weights: str, activations: str | None, expected: str) -> None:
    wide = load.precision(activations) if activations else None
    assert computed_in(load.chip(chip), load.precision(weights), wide) == expected


def test_every_parameter_belongs_to_a_chip_class_or_a_runtime() -> None:
    assert (*CHIP_PARAMETERS, *RUNTIME_PARAMETERS) == PARAMETERS
    chip, runtime = load.chip("H100"), load.runtime()
    assert all(name in chip.efficiency for name in CHIP_PARAMETERS)
    assert all(name in runtime.figures for name in RUNTIME_PARAMETERS)


def test_parameters_come_from_their_owner() -> None:
    chip, runtime = load.chip("H100"), load.runtime("llama.cpp")
    found, width = efficiency(chip, runtime), spread(chip, runtime)
    assert found.kernel_overhead == pytest.approx(float(chip.efficiency["kernel_overhead"].value) * 1e-6)
    assert found.micro_batch == 512
    assert width.micro_batch == 0
    assert width.memory_share == runtime.figures["memory_share"].spread > 0


def test_shipped_parameters_are_finite_and_never_negative() -> None:
    for name in load.runtime_names():
        for chip in ("H100", "A100", "RTX-4090", "MI300X", "M2-Ultra", "B200", "TPU-v4", "T4"):
            found, width = efficiency(load.chip(chip), load.runtime(name)), spread(load.chip(chip), load.runtime(name))
            for parameter in PARAMETERS:
                value = float(getattr(found, parameter))
                assert math.isfinite(value), (name, chip, parameter)
                assert value >= 0, (name, chip, parameter)
                assert 0 <= float(getattr(width, parameter)) <= load.UNSEEN_CLASS, (name, chip, parameter)


def test_records_are_shared() -> None:
    chip, runtime = load.chip("H100"), load.runtime()
    assert machine(chip, "bf16") is machine(chip, "bf16")
    assert efficiency(chip, runtime) is efficiency(chip, runtime)
