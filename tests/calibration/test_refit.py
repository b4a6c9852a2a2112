"""The shipped parameters: what the refit would write, and that what is shipped is sane. The registry is not touched."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest

from mlsim.calibration import refit
from mlsim.calibration.accuracy import Scored, predict_rows
from mlsim.calibration.cases import UNITS, read_case
from mlsim.calibration.fit import fit
from mlsim.calibration.predict import Prediction, predictions, spread_kind
from mlsim.planner.machine import CHIP_PARAMETERS, RUNTIME_PARAMETERS
from mlsim.registry import load
from mlsim.registry.tables import rows, sources

BASE = {"family": "decode", "metric": "tpot", "model": "Llama-3-8B", "hardware": "H100", "software": "vLLM",
        "context_len": "1024", "source": "a"}  # fmt: skip


def synthetic() -> list[dict[str, str]]:
    chosen = [
        {**BASE, "case_id": f"{chip}{b}", "hardware": chip, "batch": str(b), "model": model, "source": source}
        for chip, model, source in (("H100", "Llama-3-8B", "a"), ("A100", "Mistral-7B", "b"), ("H200", "Qwen3-8B", "a"))
        for b in (1, 8, 64)
    ]
    random = np.random.default_rng(0)
    return [
        {**row, "measured": f"{o.prediction.value * np.exp(0.05 * random.standard_normal()):.6g}"}  # type: ignore[union-attr]
        for row, o in zip(chosen, predict_rows(chosen), strict=True)
    ]


# --- what is written -------------------------------------------------------------------------------------------------


def test_informed_parameters_are_written_with_what_they_rest_on() -> None:
    cases = [read_case(row) for row in synthetic()]
    measured = np.array([float(row["measured"]) for row in synthetic()])
    found = fit(cases, measured)
    lines = [dict(zip(refit._COLUMNS, line, strict=True)) for line in refit.fitted_rows(found, cases)]
    assert {line["name"] for line in lines} <= {"nvidia-hopper", "nvidia-ampere", "vLLM"}
    assert ("nvidia-hopper", "memory_efficiency") in {(line["name"], line["attribute"]) for line in lines}
    assert "link_share" not in {line["attribute"] for line in lines}  # nothing was measured on several devices
    assert "launch_overhead" not in {line["attribute"] for line in lines}  # 0 by structure
    for line in lines:
        assert line["level"] == ("chip class" if line["attribute"] in CHIP_PARAMETERS else "runtime")
        assert line["source"] == "mlsim-fit"
        assert "decode" in line["locator"]
        i = (*found.classes, *found.runtimes).index(line["name"])
        figure = load.prior_figure(line["level"], line["name"], line["attribute"])
        scale = figure.si / float(figure.value)
        assert float(line["value"]) * scale == pytest.approx(found.value(i, line["attribute"]), rel=1e-3)


def off(error: float, kind: str = "decode", spread: float = 0.0) -> Scored:
    case = read_case(BASE if kind == "decode" else {**BASE, "family": "prefill", "metric": "ttft", "input_len": "9"})
    total = math.hypot(load.kind_spread(case.kind), math.sqrt(load.parameter_share(case.kind)) * spread)
    factor = math.exp(1.2816 * total)
    return Scored(case, Prediction(math.exp(error), math.exp(error) / factor, math.exp(error) * factor, "compute"), 1.0)


def test_kind_spreads_cover_four_of_five() -> None:
    random = np.random.default_rng(0)
    errors = 0.2 * random.standard_normal(4000)
    found = refit.kind_spreads([off(e) for e in errors])
    spread, share = found["decode"]
    assert spread == pytest.approx(0.2, rel=0.05)
    assert share == 1.0
    covered = np.mean(np.abs(errors) <= 1.2816 * spread)
    assert covered == pytest.approx(0.8, abs=0.01)


def test_kind_spreads_are_what_the_parameters_do_not_explain() -> None:
    errors = 0.2 * np.random.default_rng(0).standard_normal(4000)
    found = refit.kind_spreads([off(e, spread=0.16) for e in errors])
    assert found["decode"] == (pytest.approx(0.12, rel=0.1), 1.0)  # 0.2² = 0.16² + 0.12²
    assert refit.kind_spreads([off(0.0) for _ in range(10)])["decode"][0] == pytest.approx(refit._LEAST)
    assert set(refit.kind_spreads([off(0.1), off(0.1, "prefill")])) == {"decode", "prefill"}
    assert refit.kind_spreads([]) == {}


def test_parameters_that_explain_too_much_count_in_part() -> None:
    errors = 0.2 * np.random.default_rng(0).standard_normal(4000)
    spread, share = refit.kind_spreads([off(e, spread=0.25) for e in errors])["decode"]
    assert spread == refit._LEAST
    assert share == pytest.approx((0.2**2 - spread**2) / 0.25**2, rel=0.1)


def test_a_family_from_one_source_says_nothing_about_transfer() -> None:
    one, two = off(0.1), off(0.1, "prefill")
    assert refit._informative([one, two], lambda case: "the only one") == []
    keys = iter(["a", "b", "c", "d"])
    assert refit._informative([one, one], lambda case: next(keys)) == [one, one]


def test_the_command_prints_transfer_and_writes_two_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path, wrote = tmp_path / "measured.csv", {}
    table = [*synthetic(), {**BASE, "case_id": "lost", "model": "?", "measured": "3"}]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(table[0]))
        writer.writeheader()
        writer.writerows(table)
    monkeypatch.setattr(refit, "_write", lambda name, header, lines: wrote.update({name: (header, list(lines))}))
    assert refit.main([str(path)]) == 0
    out = capsys.readouterr().out
    assert "not supported: lost" in out
    assert all(name in out for name in ("in sample", "chip", "model family", "source", "intervals cover"))
    assert set(wrote) == {"fitted", "kind_spread"}
    header, lines = wrote["kind_spread"]
    assert [line[header.index("kind")] for line in lines] == [row["kind"] for row in rows("kind_spread")]
    assert all(0 < float(line[header.index("value")]) < 2 for line in lines)


# --- what is shipped -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", rows("fitted"), ids=lambda r: f"{r['name']} {r['attribute']}")
def test_shipped_parameters_stay_near_their_priors(row: dict[str, str]) -> None:
    prior = load.prior_figure(row["level"], row["name"], row["attribute"])
    assert row["unit"] == prior.unit
    assert prior.spread > 0  # only what may be fitted is
    assert abs(math.log(float(row["value"]) / float(prior.value))) <= 5 * prior.spread
    assert 0 < float(row["spread"]) <= prior.spread + 5e-4  # measurements add no uncertainty
    known = CHIP_PARAMETERS if row["level"] == "chip class" else RUNTIME_PARAMETERS
    assert row["attribute"] in known
    assert row["source"] in sources()


def test_no_parameter_is_fitted_twice() -> None:
    keys = [(row["level"], row["name"], row["attribute"]) for row in rows("fitted")]
    assert len(keys) == len(set(keys))
    classes = {load.chip(name).chip_class for name in load.chip_names()}
    assert {row["name"] for row in rows("fitted") if row["level"] == "chip class"} <= classes
    assert {row["name"] for row in rows("fitted") if row["level"] == "runtime"} <= set(load.runtime_names())


def test_every_kind_has_a_spread() -> None:
    table = {row["kind"]: float(row["value"]) for row in rows("kind_spread")}
    assert set(table) == {spread_kind(kind) for kind in UNITS}
    assert all(0 < value < 1 for value in table.values())
    timed = [k for k in table if k not in ("weights", "pool", "token")]
    assert all(table[k] >= refit._LEAST for k in timed)


def test_every_runtime_has_every_figure_and_one_unit_per_attribute() -> None:
    units: dict[str, set[str]] = {}
    for name in load.runtime_names():
        figures = load.runtime(name).figures
        assert set(figures) == set(load.runtime("default").figures), name
        for attribute, figure in figures.items():
            units.setdefault(attribute, set()).add(figure.unit)
            assert figure.si >= 0, (name, attribute)
        assert 0 < load.runtime(name).get("memory_fraction") <= 1
        assert 0 <= load.runtime(name).get("pipeline_overlap") <= 1
        assert load.runtime(name).get("layer_kernels") > 1
    assert {a for a, found in units.items() if len(found) > 1} == set()


def test_runtimes_have_one_row_per_attribute() -> None:
    keys = [(row["name"], row["attribute"]) for row in rows("runtimes")]
    assert len(keys) == len(set(keys))


def test_formats_and_versions_name_what_exists() -> None:
    for row in rows("runtime_formats"):
        assert load.runtime(row["runtime"]).name == row["runtime"]
        assert load.precision(row["format"]).bytes_per_element > 0
        if row["kv_format"]:
            load.precision(row["kv_format"])
        if row["profile"]:
            assert load.runtime(row["profile"]).name == row["profile"]
        assert load.runtime_format(row["runtime"], row["written"]) == row
    for row in rows("runtime_versions"):
        assert load.runtime(row["runtime"]).name == row["runtime"]
        assert load.runtime(row["profile"]).name == row["profile"]
        assert load.runtime_at(row["runtime"], "1999").name != row["runtime"]
        assert load.runtime_at(row["runtime"], "2999").name == row["runtime"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("vLLM 0.10 (ROCm docker)", "vLLM"),
        ("TensorRT-LLM (PyTorch backend)", "TensorRT-LLM"),
        ("llama.cpp llama-batched-bench -fa 1 -ub 2048", "llama.cpp"),
        ("Optimum Nvidia", "Optimum-NVIDIA"),
        ("Exllama V2", "exllamav2"),
        ("our own engine", None),
        ("", None),
    ],
)
def test_the_runtime_within_a_text(text: str, name: str | None) -> None:
    assert load.runtime_within(text) == name


def test_shipped_predictions_are_those_of_the_shipped_parameters() -> None:
    case = read_case(BASE)
    assert predictions([case])[0].value == pytest.approx(predict_rows([BASE])[0].prediction.value)  # type: ignore[union-attr]
