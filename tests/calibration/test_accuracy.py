"""Errors, coverage and summaries by hand; rows that cannot be scored are kept apart; nothing is fitted to what it judges."""

import numpy as np
import pytest

from mlsim.calibration.accuracy import SPLITS, Scored, predict_rows, score, summarise, transfer
from mlsim.calibration.cases import read_case
from mlsim.calibration.predict import Prediction

BASE = {"case_id": "a", "family": "decode", "metric": "tpot", "model": "Llama-3-8B", "hardware": "H100",
        "context_len": "1024", "software": "vLLM", "source": "a table"}  # fmt: skip
CASE = read_case(BASE)


def scored(value: float, measured: float, width: float = 1.2, **changes: str) -> Scored:
    case = read_case({**BASE, **changes})
    return Scored(case, Prediction(value, value / width, value * width, "compute"), measured)


def synthetic(factor: float = 1.0) -> list[dict[str, str]]:
    """Rows whose measurements are the model's own predictions times a factor."""
    rows = [
        {**BASE, "case_id": f"{chip} {batch}", "hardware": chip, "batch": str(batch), "source": source, "model": model}
        for chip, source, model in (
            ("H100", "one", "Llama-3-8B"), ("A100", "two", "Mistral-7B"), ("H200", "two", "Llama-3-8B"),
        )
        for batch in (1, 4, 16, 64)
    ]  # fmt: skip
    found = predict_rows(rows)
    return [{**row, "measured": f"{o.prediction.value * factor:.12g}"} for row, o in zip(rows, found, strict=True)]  # type: ignore[union-attr]


def test_error_and_coverage_by_hand() -> None:
    over = scored(11.0, 10.0)
    assert over.error == pytest.approx(0.1)
    assert over.covered
    assert scored(5.0, 10.0).error == pytest.approx(-0.5)
    assert not scored(5.0, 10.0).covered
    assert scored(10.0, 12.0).covered  # the edge counts
    assert not scored(10.0, 12.01).covered
    assert not scored(10.0, 8.3).covered


def test_a_summary_by_hand() -> None:
    rows = [scored(10.0 * (1 + e), 10.0) for e in (-0.3, -0.1, 0.0, 0.1, 0.2)]
    found = summarise(rows, lambda s: "all")["all"]
    assert found.rows == 5
    assert found.median == pytest.approx(0.1)
    assert found.bias == pytest.approx(0.0)
    assert found.p90 == pytest.approx(np.quantile([0.3, 0.1, 0.0, 0.1, 0.2], 0.9))
    assert found.coverage == pytest.approx(4 / 5)  # 7 with 20 % does not reach 10


def test_groups_keep_the_order_of_the_table() -> None:
    rows = [scored(1.0, 1.0, source=s) for s in ("z", "a", "z", "m")]
    found = summarise(rows, lambda s: s.case.source)
    assert list(found) == ["z", "a", "m"]
    assert [s.rows for s in found.values()] == [2, 1, 1]
    assert summarise([], lambda s: "x") == {}


def test_score_keeps_apart_what_has_no_error() -> None:
    rows = [
        {**BASE, "case_id": "good", "measured": "8"},
        {**BASE, "case_id": "unmeasured"},
        {**BASE, "case_id": "zero", "measured": "0"},
        {**BASE, "case_id": "negative", "measured": "-3"},
        {**BASE, "case_id": "unknown", "model": "?", "measured": "8"},
    ]
    found, unsupported = score(rows)
    assert [s.case.case_id for s in found] == ["good"]
    assert [o.case_id for o in unsupported] == ["unmeasured", "zero", "negative", "unknown"]
    assert unsupported[3].message
    assert found[0].measured == 8


@pytest.mark.parametrize("measured", ["n/a", "8 ms", "8,5", "inf", "nan", "-"])
def test_a_measurement_that_is_no_number_spoils_no_other_row(measured: str) -> None:
    found, unsupported = score([{**BASE, "measured": measured}, {**BASE, "case_id": "b", "measured": "8"}])
    assert [s.case.case_id for s in found] == ["b"]
    assert [o.case_id for o in unsupported] == ["a"]


def test_perfect_predictions_have_no_error_and_full_coverage() -> None:
    found, unsupported = score(synthetic())
    assert not unsupported
    summary = summarise(found, lambda s: s.case.family)["decode"]
    assert summary.median < 1e-9
    assert summary.coverage == 1


def test_a_biased_table_is_seen_as_biased() -> None:
    found, _ = score(synthetic(2.0))
    summary = summarise(found, lambda s: s.case.family)["decode"]
    assert summary.bias == pytest.approx(-0.5)
    assert summary.coverage == 0


def test_transfer_answers_each_timed_row_once_per_split() -> None:
    memory = {**BASE, "family": "memory", "metric": "kv_pool_tokens", "measured": "4e5"}
    found, _ = score([*synthetic(1.3), memory])
    done: list[int] = []
    splits = transfer(found, done.append)
    assert list(splits) == ["in sample", *SPLITS]
    for column in splits.values():
        assert [s.case.case_id for s in column] == [s.case.case_id for s in found[:-1]]
        assert [s.measured for s in column] == [s.measured for s in found[:-1]]
    assert sum(done) == len(SPLITS) * 12
    inside, outside = (np.median([abs(s.error) for s in splits[name]]) for name in ("in sample", "chip"))
    assert inside < 0.15 < 0.3  # the fit follows a common factor
    assert inside <= outside


@pytest.mark.parametrize(("name", "key"), [("chip", "H100-SXM-80GB"), ("model family", "Llama"), ("source", "a table")])
def test_what_a_split_leaves_out(name: str, key: str) -> None:
    assert key.casefold() in SPLITS[name](CASE).casefold()
