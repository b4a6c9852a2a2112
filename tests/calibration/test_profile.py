"""A runtime profile of one's own: fitted, written as YAML, read back, and used like any other runtime."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from mlsim.calibration.accuracy import predict_rows
from mlsim.calibration.cases import read_case
from mlsim.calibration.profile import DETERMINED, Profile, calibrate
from mlsim.errors import CellError, DomainError
from mlsim.functions import call, use_registry_file
from mlsim.planner.machine import RUNTIME_PARAMETERS
from mlsim.registry import load

BASE = {"family": "decode", "metric": "tpot", "model": "Llama-3-8B", "hardware": "H100", "software": "vLLM"}


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    yield
    load.forget()


def value(**changes: str) -> float:
    outcome = predict_rows([{**BASE, **changes}])[0]
    assert outcome.prediction, outcome.message
    return outcome.prediction.value


def measured(factor: float = 1.0, more: float = 0.0, **changes: str) -> list[dict[str, str]]:
    """Decode and prefill rows whose measurements are the model's own times a factor, plus some milliseconds."""
    decode = [{"batch": str(b), "context_len": str(c)} for b in (1, 8, 64) for c in (256, 4096)]
    prefill = [{"family": "prefill", "metric": "ttft", "input_len": str(n)} for n in (256, 1024, 4096)]
    rows = [{**BASE, **changes, **cells} for cells in decode + prefill]
    return [{**row, "measured": f"{value(**row) * factor + more:.9g}"} for row in rows]


def registered(tmp_path: Path, profile: Profile, source: str = "fit of mine.csv") -> list[str]:
    path = tmp_path / "profile.yaml"
    path.write_text(profile.yaml(source), encoding="utf-8")
    return use_registry_file(str(path))


def named(profile: Profile) -> dict[str, float]:
    return {p.name: p.after for p in profile.parameters}


# --- fits ------------------------------------------------------------------------------------------------------------


def test_measurements_as_predicted_change_nothing() -> None:
    profile = calibrate(measured())
    assert (profile.name, profile.based_on, profile.rows) == ("vLLM (calibrated)", "vLLM", 9)
    assert profile.error_before < 1e-6
    assert profile.error_after < 1e-3
    for p in profile.parameters:
        assert p.name in RUNTIME_PARAMETERS
        assert p.after == pytest.approx(p.before, rel=1e-2), p.name
        assert 0 <= p.determined <= 1


def test_a_slower_machine_is_fitted() -> None:
    profile = calibrate(measured(more=5.0), "slow host")
    assert profile.name == "slow host"
    assert profile.error_before > 0.1
    assert profile.error_after < 0.05 < profile.error_before
    step = next(p for p in profile.parameters if p.name == "step_overhead")
    assert step.before < 1
    assert step.after == pytest.approx(5.0, rel=0.3)
    assert step.determined > DETERMINED
    assert step.text.endswith(" ms")
    link = next(p for p in profile.parameters if p.name == "link_share")  # one device says nothing about links
    assert link.after == pytest.approx(link.before)
    assert link.determined < 0.05


def test_a_slow_host_is_found_from_decode_alone() -> None:
    """5 ms per step on two chips: only host time explains all batches, however small the shipped value is."""
    rows = [
        {**BASE, "hardware": chip, "batch": str(b), "context_len": "1024"}
        for chip in ("H100", "A100")
        for b in (1, 4, 16)
    ]
    profile = calibrate([{**row, "measured": f"{value(**row) + 5:.9g}"} for row in rows])
    assert profile.error_after < 0.06
    assert named(profile)["step_overhead"] > 2


def test_the_chip_keeps_its_parameters() -> None:
    assert not set(named(calibrate(measured(1.3)))) & set(load.chip("H100").efficiency)


def test_a_fit_of_all_times_slower_lowers_the_error() -> None:
    profile = calibrate(measured(1.3))
    assert profile.error_before == pytest.approx(0.3 / 1.3, rel=1e-3)
    assert profile.error_after < 0.1


def test_rows_that_cannot_be_used_are_left_aside() -> None:
    rows = [*measured(), {**BASE, "model": "?", "measured": "3"}, {**BASE, "measured": ""}]
    memory = {**BASE, "family": "memory", "metric": "kv_pool_tokens", "measured": "4e5"}
    assert calibrate([*rows, memory]).rows == 9


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "no measurement"),
        ([{**BASE, "model": "Lama-3-8B", "measured": "3"}], "Did you mean"),
        ([{**BASE, "measured": "3"}, {**BASE, "software": "SGLang", "measured": "3"}], "2 runtimes (SGLang, vLLM)"),
        ([{**BASE, "family": "memory", "metric": "kv_pool_tokens", "measured": "4e5"}], "can be used for a fit"),
    ],
)
def test_what_cannot_be_fitted_is_a_sentence(rows: list[dict[str, str]], words: str) -> None:
    with pytest.raises(DomainError) as caught:
        calibrate(rows)
    assert words in caught.value.message


def test_an_unmeasured_table_says_what_is_missing() -> None:
    with pytest.raises(DomainError, match="expected a number"):
        calibrate([{**BASE, "measured": ""}])


# --- the file --------------------------------------------------------------------------------------------------------


def test_the_profile_is_used_by_its_name(tmp_path: Path) -> None:
    rows = measured(more=5.0)
    profile = calibrate(rows, "round trip host")
    assert registered(tmp_path, profile) == ["round trip host"]
    runtime = load.runtime("Round Trip Host")
    for name, after in named(profile).items():
        figure = runtime.figures[name]
        assert float(figure.value) == pytest.approx(after, rel=1e-3), name
        assert figure.source == "fit of mine.csv"
    assert runtime.get("memory_fraction") == load.runtime("vLLM").get("memory_fraction")  # the rest as it was
    for row in rows:
        row["software"] = "round trip host"
    assert read_case(rows[0]).runtime.name == "round trip host"
    tpot = call("MLSIM_TPOT", ["Llama-3-8B", "H100", 8, 4096, "bf16", 1, "round trip host"])
    assert tpot == pytest.approx(value(batch="8", context_len="4096") + 5, rel=0.05)
    error = sorted(abs(value(**r) / float(r["measured"]) - 1) for r in rows)
    assert error[len(error) // 2] == pytest.approx(profile.error_after, abs=2e-3)


def test_the_file_says_what_was_measured_and_what_was_determined(tmp_path: Path) -> None:
    text = calibrate(measured(more=5.0), "x").yaml("fit of mine.csv")
    assert text.startswith("# 9 measurements: median error ")
    entry = yaml.safe_load(text)["runtimes"]["x"]
    assert entry["source"] == "fit of mine.csv"
    assert entry["based on"] == "vLLM"
    assert "determined" in text


@pytest.mark.parametrize("name", ["it's", 'say "x"', "a'b\"c", "x: y", "# 1", "ünïcode", "123", "yes"])
def test_any_name_survives_the_file(tmp_path: Path, name: str) -> None:
    profile = calibrate(measured()[:2], name)
    assert registered(tmp_path, profile) == [name]
    assert load.runtime(name).name == name


def test_any_file_name_survives_the_file(tmp_path: Path) -> None:
    source = 'fit of it\'s "mine".csv'
    registered(tmp_path, calibrate(measured()[:2], "quoted"), source)
    assert load.runtime("quoted").figures["step_overhead"].source == source


def test_a_profile_keeps_the_meaning_of_formats_of_its_runtime(tmp_path: Path) -> None:
    """A profile of llama.cpp means q4_0 by int4, as llama.cpp does."""
    cells = {"software": "llama.cpp", "hardware": "RTX-4090", "weight_precision": "int4"}
    registered(tmp_path, calibrate(measured(**cells), "our llama"))
    mine, base = ({**BASE, **cells, "software": s, "context_len": "256"} for s in ("our llama", "llama.cpp"))
    assert read_case(mine).runtime.name == "our llama"
    assert read_case(mine).precision.name == read_case(base).precision.name == "q4_0"
    assert value(**mine) == pytest.approx(value(**base), rel=0.01)


def test_a_profile_can_be_fitted_again(tmp_path: Path) -> None:
    """What a fit starts from is the runtime named, also when it is the user's own."""
    path = tmp_path / "own.yaml"
    path.write_text("runtimes:\n  own slow:\n    source: s\n    based on: vLLM\n    step overhead: 20 ms\n")
    use_registry_file(str(path))
    profile = calibrate(measured(software="own slow"))
    assert profile.error_before < 1e-6
    step = next(p for p in profile.parameters if p.name == "step_overhead")
    assert (step.before, step.after) == (20.0, pytest.approx(20.0, rel=1e-2))
    assert profile.error_after < 1e-3


def test_names_read_before_a_registry_file_are_not_remembered(tmp_path: Path) -> None:
    row = {**BASE, "software": "late profile"}
    assert read_case(row).runtime.name == "default"
    path = tmp_path / "late.yaml"
    path.write_text("runtimes:\n  late profile:\n    source: s\n    based on: vLLM\n")
    use_registry_file(str(path))
    assert read_case(row).runtime.name == "late profile"
    load.forget()
    assert read_case(row).runtime.name == "default"


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("{source: s, based on: vLLM, wings: 2}", "is not a figure of a runtime"),
        ("{source: s, based on: nothing}", "not in the runtime registry"),
        ("{source: s, step overhead: 3}", "write the unit, such as '3 ms'"),
        ("{source: s, step overhead: 3 GB}", "step overhead|time"),
        ("{source: s, memory share: fast}", "expected a plain number"),
        ("{source: s, memory share: -1}", "0 or more"),
        ("{based on: vLLM}", "needs a 'source'"),
    ],
)
def test_a_bad_profile_is_one_sentence(tmp_path: Path, entry: str, words: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(f"runtimes:\n  bad: {entry}\n")
    with pytest.raises(CellError, match=words):
        use_registry_file(str(path))
