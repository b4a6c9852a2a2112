"""Fits: known parameters come back, silence keeps the prior, an outlier moves little, and left out means not seen."""

from dataclasses import replace

import numpy as np
import pytest

from mlsim.calibration.cases import Case, read_case
from mlsim.calibration.fit import Fit, fit, left_out, prior
from mlsim.calibration.predict import predictions
from mlsim.planner.machine import CHIP_PARAMETERS, PARAMETERS
from mlsim.registry import load


def grid(chip: str = "H100", software: str = "vLLM", model: str = "Llama-3-8B", source: str = "") -> list[Case]:
    base = {"model": model, "hardware": chip, "software": software, "source": source}
    decode = [
        read_case({**base, "family": "decode", "metric": "tpot", "batch": str(b), "context_len": str(c)})
        for b in (1, 8, 32, 128)
        for c in (128, 2048, 8192)
    ]
    prefill = [
        read_case({**base, "family": "prefill", "metric": "ttft", "batch": str(b), "input_len": str(n)})
        for b in (1, 4)
        for n in (128, 1024, 8192)
    ]
    return decode + prefill


def moved(start: Fit, changes: dict[tuple[str, str], float]) -> Fit:
    """Return a table of parameters with some multiplied: (group, parameter) -> factor."""
    log, groups = start.log.copy(), (*start.classes, *start.runtimes)
    for (group, name), factor in changes.items():
        log[groups.index(group), PARAMETERS.index(name)] += np.log(factor)
    return replace(start, log=log)


def made(cases: list[Case], truth: Fit) -> np.ndarray:
    return np.array([p.value for p in predictions(cases, truth.at(cases))])


def errors(cases: list[Case], found: Fit, measured: np.ndarray) -> np.ndarray:
    return np.abs(made(cases, found) / measured - 1)


HOPPER, VLLM = "nvidia-hopper", "vLLM"
CASES = grid()


def test_the_prior_is_the_registrys() -> None:
    start = prior(CASES)
    assert (start.classes, start.runtimes) == ((HOPPER,), (VLLM,))
    assert start.value(0, "memory_efficiency") == load.prior_figure("chip class", HOPPER, "memory_efficiency").si
    assert start.value(1, "step_overhead") == pytest.approx(0.3e-3)
    assert start.value(1, "launch_overhead") == 0  # 0 by structure
    fixed = {name for j, name in enumerate(PARAMETERS) if start.fixed[1, j]} - set(CHIP_PARAMETERS)
    assert {"launch_overhead", "score_bytes", "dequantise_bytes", "micro_batch"} <= fixed
    assert "step_overhead" not in fixed


def test_measurements_of_the_prior_change_nothing() -> None:
    start = prior(CASES)
    found = fit(CASES, made(CASES, start))
    assert np.allclose(found.values, start.values, rtol=1e-3)
    assert np.all(errors(CASES, found, made(CASES, start)) < 1e-3)


def test_known_parameters_come_back() -> None:
    start = prior(CASES)
    truth = moved(
        start, {(VLLM, "step_overhead"): 8.0, (HOPPER, "memory_efficiency"): 0.9, (VLLM, "compute_share"): 0.8}
    )
    measured = made(CASES, truth)
    assert np.median(errors(CASES, start, measured)) > 0.1
    found = fit(CASES, measured)
    assert np.median(errors(CASES, found, measured)) < 0.03  # the prior pulls a little
    assert found.value(1, "step_overhead") == pytest.approx(2.4e-3, rel=0.3)

    def together(table: Fit, kind: str) -> float:  # only the product of the class's and the runtime's acts
        return table.value(0, f"{kind}_efficiency") * table.value(1, f"{kind}_share")

    assert together(found, "memory") == pytest.approx(together(truth, "memory"), rel=0.03)
    assert together(found, "compute") == pytest.approx(together(truth, "compute"), rel=0.05)


def test_two_classes_and_two_runtimes_are_told_apart() -> None:
    cases = [c for chip in ("H100", "A100") for runtime in ("vLLM", "SGLang") for c in grid(chip, runtime)]
    start = prior(cases)
    truth = moved(start, {("SGLang", "step_overhead"): 10.0, ("nvidia-ampere", "compute_efficiency"): 0.75})
    found = fit(cases, made(cases, truth))
    rows = (*found.classes, *found.runtimes)
    assert found.value(rows.index("SGLang"), "step_overhead") > 4 * found.value(rows.index("vLLM"), "step_overhead")
    ratio = found.values / start.values.clip(1e-30)
    j = PARAMETERS.index("compute_efficiency")
    assert ratio[rows.index("nvidia-ampere"), j] < 0.9 < ratio[rows.index(HOPPER), j]


def test_where_data_say_nothing_the_prior_stays() -> None:
    start = prior(CASES)
    truth = moved(start, {(VLLM, "memory_share"): 0.8})
    found = fit(CASES, made(CASES, truth))
    for name in ("link_share", "collective_overhead", "unpack_share", "pipeline_overlap"):  # one device, 16 bits
        j = PARAMETERS.index(name)
        assert found.values[1, j] == pytest.approx(start.values[1, j], rel=1e-6), name
        assert found.spread[1, j] == pytest.approx(start.spread[1, j], rel=1e-3)
        assert found.informed[1, j] == pytest.approx(0, abs=1e-3)
    j = PARAMETERS.index("allreduce_latency")
    assert found.values[0, j] == pytest.approx(start.values[0, j], rel=1e-6)


def test_measurements_take_uncertainty_away_and_never_add_any() -> None:
    start, found = prior(CASES), fit(CASES, made(CASES, prior(CASES)))
    assert np.all(found.spread <= start.spread * (1 + 1e-9))
    assert np.all((found.informed >= -1e-9) & (found.informed <= 1))
    j = PARAMETERS.index("memory_efficiency")
    assert found.informed[0, j] > 0.1
    more = CASES * 4
    assert np.all(fit(more, made(more, start)).spread <= found.spread + 1e-12)


def test_what_is_zero_by_structure_stays_zero() -> None:
    found = fit(CASES, made(CASES, prior(CASES)) * 2)
    assert np.array_equal(found.values[found.fixed], prior(CASES).values[found.fixed])


def test_an_outlier_moves_little() -> None:
    start = prior(CASES)
    truth = moved(start, {(VLLM, "memory_share"): 0.8})
    measured = made(CASES, truth)
    poisoned = measured.copy()
    poisoned[4] *= 30
    clean, found = fit(CASES, measured), fit(CASES, poisoned)
    rest = np.arange(len(CASES)) != 4
    assert np.median(errors(CASES, found, measured)[rest]) < 0.05
    assert np.all(np.abs(made(CASES, found) / made(CASES, clean) - 1) < 0.15)


def test_rows_not_used_do_not_count() -> None:
    start = prior(CASES)
    measured = made(CASES, moved(start, {(VLLM, "memory_share"): 0.8}))
    use = np.arange(len(CASES)) % 2 == 0
    wild = np.where(use, measured, measured * 100)
    assert np.array_equal(fit(CASES, wild, start, use).log, fit(CASES, measured, start, use).log)


def test_the_order_of_the_rows_does_not_matter() -> None:
    measured = made(CASES, moved(prior(CASES), {(VLLM, "memory_share"): 0.8}))
    back = fit(CASES[::-1], measured[::-1])
    assert np.allclose(back.values, fit(CASES, measured).values, rtol=1e-6)


def test_fits_start_anywhere() -> None:
    start = prior(CASES)
    measured = made(CASES, moved(start, {(VLLM, "memory_share"): 0.8}))
    elsewhere = fit(CASES, measured, moved(start, {(VLLM, "memory_share"): 0.6, (HOPPER, "compute_efficiency"): 1.2}))
    assert np.allclose(made(CASES, elsewhere), made(CASES, fit(CASES, measured)), rtol=0.02)


def test_a_large_overhead_is_found_from_a_small_prior() -> None:
    """5 ms of host time per step, where the prior says 0.3 ms: no other parameter explains all batches."""
    cases = [c for chip in ("H100", "A100") for c in grid(chip)[:9]]
    start = prior(cases)
    measured = made(cases, start) + 5.0
    found = fit(cases, measured)
    near = fit(cases, measured, moved(start, {(VLLM, "step_overhead"): 5 / 0.3}))
    assert np.median(errors(cases, found, measured)) <= np.median(errors(cases, near, measured)) + 0.01


# --- left out --------------------------------------------------------------------------------------------------------

SPLIT = [*grid(source="a"), *grid("A100", source="b"), *grid("H100", "SGLang", source="c")]
KEYS = [case.chip.name for case in SPLIT]


def test_left_out_predictions_do_not_see_what_is_held() -> None:
    start = prior(SPLIT)
    measured = made(SPLIT, moved(start, {(VLLM, "step_overhead"): 4.0}))
    held = np.array(KEYS) == "A100-SXM4-80GB"
    poisoned = np.where(held, measured * 7, measured)
    clean, dirty = left_out(SPLIT, measured, KEYS, start), left_out(SPLIT, poisoned, KEYS, start)
    assert all(a == b for a, b, out in zip(clean, dirty, held, strict=True) if out)
    assert any(a != b for a, b, out in zip(clean, dirty, held, strict=True) if not out)


def test_left_out_hardly_depends_on_where_it_starts() -> None:
    """The whole fit, which has seen the held rows, is only a place to start from."""
    measured = made(SPLIT, moved(prior(SPLIT), {(VLLM, "step_overhead"): 4.0}))
    held = np.array(KEYS) == "A100-SXM4-80GB"
    poisoned = np.where(held, measured * 1.5, measured)
    clean, dirty = (left_out(SPLIT, m, KEYS, fit(SPLIT, m)) for m in (measured, poisoned))
    values = np.array([[a.value, b.value] for a, b, out in zip(clean, dirty, held, strict=True) if out])
    assert np.all(np.abs(values[:, 0] / values[:, 1] - 1) < 0.03)


def test_a_left_out_class_is_predicted_from_its_prior() -> None:
    start = prior(SPLIT)
    measured = made(SPLIT, start)
    found = left_out(SPLIT, measured, KEYS, start)
    assert [p.value for p in found] == pytest.approx(measured.tolist(), rel=0.02)
    seen = predictions(SPLIT, fit(SPLIT, measured).at(SPLIT))
    wider = [a.high / a.low >= b.high / b.low * (1 - 1e-9) for a, b in zip(found, seen, strict=True)]
    assert all(wider)


def test_one_key_per_row_is_one_fit_per_row() -> None:
    cases = SPLIT[:4]
    measured = made(cases, prior(cases))
    found = left_out(cases, measured, ["a", "b", "a", "c"], prior(cases))
    assert [p.value for p in found] == pytest.approx(measured.tolist(), rel=0.01)
