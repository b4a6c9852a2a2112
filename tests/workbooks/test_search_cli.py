"""`mlsim search`: exit codes, what is printed, the tables it writes, and one sentence for every mistake."""

import csv
from pathlib import Path

import pytest

from mlsim.functions.planning import SERVING_COLUMNS
from mlsim.functions.training import PLAN_COLUMNS
from mlsim.planner.training_search import SPACES
from mlsim_workbooks import cli

TRAIN = ("search", "train", "--model", "Llama-3-8B", "--hardware", "H100", "--devices", "8", "--batch", "16")
SERVE = ("search", "serve", "--model", "Llama-3-70B", "--hardware", "H100,MI300X", "--rate", "20 request/s")


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


# --- training --------------------------------------------------------------------------------------------------------


def test_training_plans_are_printed(run) -> None:  # type: ignore[no-untyped-def]
    code, out, _ = run(*TRAIN, "--top", "3")
    assert code == 0
    lines = out.splitlines()
    assert "plans of Llama-3-8B on 8 H100-SXM-80GB" in lines[0]
    assert "MFU counts model FLOP" in lines[0]
    at = lines.index("The fastest plans:")
    assert lines[at + 1].split()[:4] == ["rank", "tp", "pp", "cp"]
    assert [line.split()[0] for line in lines[at + 2 : at + 5]] == ["1", "2", "3"]
    at = lines.index("The fastest of each split of the devices:")
    splits = [tuple(line.split()[1:6]) for line in lines[at + 2 : at + 5]]
    assert len(set(splits)) == 3
    assert "where its" in out
    assert "Its memory, GiB:" in out
    assert "no other plan is both faster and leaner" in out


def test_training_plans_as_a_table(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "plans.csv"
    code, out, _ = run(*TRAIN, "--top", "4", "-o", str(path))
    assert code == 0
    assert f"Wrote {path}." in out
    rows = table(path)
    assert list(rows[0])[: len(PLAN_COLUMNS)] == list(PLAN_COLUMNS)
    ranked, splits, front = ([r for r in rows if r["table"] == mark] for mark in ("fastest", "split", "pareto"))
    assert [r["rank"] for r in ranked] == ["1", "2", "3", "4"]
    assert splits[0]["step [s]"] == ranked[0]["step [s]"]
    assert len(front) > 1
    seconds = [float(r["step [s]"]) for r in ranked]
    assert seconds == sorted(seconds)
    assert min(float(r["step [s]"]) for r in front) == seconds[0]
    assert all(int(r["tp"]) * int(r["pp"]) * int(r["cp"]) * int(r["dp"]) == 8 for r in rows)
    assert {r["sequence parallel"] for r in rows} <= {"0", "1"}


def test_switches_that_are_not_usual_are_printed(run) -> None:  # type: ignore[no-untyped-def]
    _, out, _ = run(*TRAIN, "--space", "offload", "--top", "3")
    assert "switches" in out
    assert "offload weights" in out
    _, out, _ = run(*TRAIN, "--top", "3")
    assert "switches" not in out


def test_infeasible_regions_are_printed(run) -> None:  # type: ignore[no-untyped-def]
    code, out, _ = run("search", "train", "--model", "Llama-3-70B", "--hardware", "H100", "--devices", "16")
    assert code == 0
    assert "regions hold no feasible plan. The closest:" in out
    reasons = [line for line in out.splitlines() if line.startswith("  tp ")]
    assert reasons
    assert all("GiB" in line for line in reasons)


def test_a_job_that_fits_nowhere_exits_1(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "plans.csv"
    args = ("search", "train", "--model", "Llama-3-70B", "--hardware", "H100", "--devices", "2", "-o", str(path))
    code, out, _ = run(*args)
    assert code == 1
    assert "0 fit 79.6 GiB per device" in out
    assert "No plan fits" in out
    assert "optimizer most of it" in out
    assert table(path) == []


def test_spaces_are_listed(run) -> None:  # type: ignore[no-untyped-def]
    code, out, _ = run(*TRAIN, "--space", "list")
    assert code == 0
    assert len(out.splitlines()) == len(SPACES)
    assert all(line.startswith(name) for line, name in zip(out.splitlines(), SPACES, strict=True))


def test_another_space_has_other_plans(run) -> None:  # type: ignore[no-untyped-def]
    counts = [int(run(*TRAIN, "--space", s)[1].split()[0].replace(",", "")) for s in ("usual", "offload")]
    assert counts[1] > counts[0]


def test_other_formats_and_frameworks(run) -> None:  # type: ignore[no-untyped-def]
    for more in (("--precision", "fp8"), ("--runtime", "FSDP"), ("--sequence", "1024")):
        assert run(*TRAIN, *more)[0] == 0


# --- serving ---------------------------------------------------------------------------------------------------------


def test_serving_plans_are_printed(run) -> None:  # type: ignore[no-untyped-def]
    code, out, _ = run(*SERVE)
    assert code == 0
    lines = out.splitlines()
    assert lines[0].startswith(
        "Llama-3-70B at 20 requests/s of 1024 + 256 tokens: TTFT at most 2000 ms for 90 % of them"
    )
    assert lines[1].split()[:3] == ["rank", "hardware", "tp"]
    assert "H100-SXM-80GB" in out
    assert "MI300X" in out


def test_serving_plans_as_a_table(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "plans.csv"
    code, _, _ = run(*SERVE, "--price", "4 $/GPU-h,2 $/GPU-h", "-o", str(path))
    assert code == 0
    rows = table(path)
    assert list(rows[0]) == list(SERVING_COLUMNS)
    for r in rows:
        assert float(r["TTFT [ms]"]) <= 2000
        assert float(r["TPOT [ms]"]) <= 50
        price = 4 if r["hardware"].startswith("H100") else 2
        assert float(r["cost [$/h]"]) == pytest.approx(price * float(r["devices"]), rel=1e-5)
    costs = [float(r["cost [$/h]"]) for r in rows]
    assert costs == sorted(costs)


def test_as_many_serving_plans_as_asked_for(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "plans.csv"
    assert run(*SERVE, "--top", "2", "-o", str(path))[0] == 0
    assert len(table(path)) == 2


def test_a_bare_rate_is_requests_per_second(run) -> None:  # type: ignore[no-untyped-def]
    assert run(*SERVE[:-1], "20")[1] == run(*SERVE)[1]


def test_targets_that_nothing_meets_exit_1(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "plans.csv"
    code, out, _ = run(*SERVE, "--ttft", "1 ms", "-o", str(path))
    assert code == 1
    assert "not possible: 4 H100-SXM-80GB: TTFT is" in out
    assert table(path) == []


def test_degrees_that_cannot_are_named_beside_those_that_can(run) -> None:  # type: ignore[no-untyped-def]
    code, out, _ = run(*SERVE)
    assert code == 0
    assert "not possible: 1 H100-SXM-80GB: Llama-3-70B in bf16 leaves no room" in out


# --- mistakes --------------------------------------------------------------------------------------------------------


def changed(args: tuple[str, ...], option: str, value: str) -> tuple[str, ...]:
    place = args.index(option) + 1
    return (*args[:place], value, *args[place + 1 :])


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ((*TRAIN, "--space", "nix"), "is not a space. There is: 'usual', 'offload'"),
        (changed(TRAIN, "--model", "Lama"), "not in the model registry"),
        (changed(TRAIN, "--hardware", "H1000"), "Did you mean"), (changed(TRAIN, "--devices", "0"), "--devices"),
        (changed(TRAIN, "--batch", "-4"), "--batch"), ((*TRAIN, "--sequence", "0"), "--sequence"),
        ((*TRAIN, "--top", "0"), "--top"), ((*TRAIN, "--precision", "bf15"), "precision"),
        ((*TRAIN, "--runtime", "Megatron-Cure"), "Did you mean"), ((*TRAIN, "--runtime", "vLLM"), "does not train"),
        (changed(changed(TRAIN, "--hardware", "L40S"), "--devices", "16"), "scaleout bandwidth"),
        ((*TRAIN, "--registry", "missing.yaml"), "does not exist"), (changed(TRAIN, "--model", "ResNet-50"), "ResNet-50"),
        (changed(SERVE, "--model", "Lama"), "not in the model registry"),
        (changed(SERVE, "--hardware", "H100,H1000"), "Did you mean"), (changed(SERVE, "--hardware", ","), "chip"),
        (changed(SERVE, "--rate", "5 GB/s"), "request/s"), (changed(SERVE, "--rate", "0"), "rate must be above 0"),
        (changed(SERVE, "--rate", "many"), "number"), (changed(SERVE, "--rate", "nan"), "rate"),
        (changed(SERVE, "--rate", "inf"), "rate"), ((*SERVE, "--price", "3 $/GPU-h"), "1 prices for 2 chips"),
        ((*SERVE, "--price", "3,4"), "unit"), ((*SERVE, "--price", "3 $/h,4 $/h"), "$/GPU-h"),
        ((*SERVE, "--ttft", "2"), "unit"), ((*SERVE, "--tpot", "2 GB"), "time"), ((*SERVE, "--quantile", "90"), "0.9"),
        ((*SERVE, "--prompt", "0"), "prompt"), ((*SERVE, "--output", "-1"), "output"), ((*SERVE, "--top", "0"), "--top"),
        ((*SERVE, "--top", "-1"), "--top"), ((*SERVE, "--runtime", "vLLLM"), "Did you mean"),
        ((*SERVE, "--kv-precision", "bf15"), "precision"),
    ],
)  # fmt: skip
def test_bad_input_is_one_sentence_and_exit_2(
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...], words: str
) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*args, "-o", "plans.csv")
    assert code == 2
    assert words in err
    assert err.startswith("mlsim: ")
    assert len(err.splitlines()) == 1
    assert out == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("args", [TRAIN, SERVE])
def test_a_folder_that_is_not_there_is_a_sentence(run, args: tuple[str, ...]) -> None:  # type: ignore[no-untyped-def]
    code, _, err = run(*args, "-o", "no/such/folder/plans.csv")
    assert code == 2
    assert err.startswith("mlsim: ")
    assert "folder" in err


@pytest.mark.parametrize("args", [("search",), ("search", "nothing"), ("search", "train"), ("search", "serve")])
def test_missing_arguments_are_a_usage_message(capsys: pytest.CaptureFixture[str], args: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(args)
    assert caught.value.code == 2
    assert "usage: mlsim search" in capsys.readouterr().err
