"""The shipped parameters against the published measurements in measurements.csv, with stated bounds per family.

In sample: the bounds say how well one set of parameters per chip class and runtime can describe 1,570 rows. How the model
transfers to chips that no fit has seen is checked for two chips; the whole table takes longer (`mlsim validate`).
"""

import csv
from pathlib import Path

import numpy as np
import pytest

from mlsim.calibration.accuracy import Scored, score, summarise, timed_rows
from mlsim.calibration.cases import UNITS
from mlsim.calibration.fit import fit
from mlsim.calibration.predict import predictions

TABLE = Path(__file__).with_name("measurements.csv")
BOUNDS = {  # median and 90 % quantile of the absolute relative error
    "decode": (0.08, 0.28), "prefill": (0.13, 0.40), "serving_offline": (0.11, 0.48), "serving_online": (0.12, 0.32),
    "end_to_end": (0.12, 0.30), "memory": (0.01, 0.10),
}  # fmt: skip


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with TABLE.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def scored(rows: list[dict[str, str]]) -> list[Scored]:
    return score(rows)[0]


def test_nearly_every_row_is_supported_and_the_others_say_why(rows: list[dict[str, str]]) -> None:
    found, unsupported = score(rows)
    assert len(found) >= 0.97 * len(rows) > 1500
    assert len(found) + len(unsupported) == len(rows)
    assert all(outcome.message for outcome in unsupported)


def test_the_table_is_in_the_units_of_the_model(rows: list[dict[str, str]], scored: list[Scored]) -> None:
    units = {row["case_id"]: row["unit"] for row in rows}
    assert all(units[s.case.case_id] == UNITS[s.case.kind] for s in scored)
    assert {s.case.family for s in scored} == set(BOUNDS)


@pytest.mark.parametrize("family", BOUNDS)
def test_errors_in_sample(family: str, scored: list[Scored]) -> None:
    found = summarise(scored, lambda s: s.case.family)[family]
    print(f"{family}: {found.rows} rows, median {found.median:.1%}, p90 {found.p90:.1%}, bias {found.bias:+.1%}")
    median, p90 = BOUNDS[family]
    assert found.median <= median
    assert found.p90 <= p90
    assert abs(found.bias) <= median


def test_intervals_cover_about_what_they_say(scored: list[Scored]) -> None:
    covered = float(np.mean([s.covered for s in scored]))
    print(f"80 % intervals cover {covered:.1%}")
    assert 0.70 <= covered <= 0.97


@pytest.mark.parametrize("chip", ["RTX-4090", "H200-SXM-141GB"])
def test_a_chip_that_the_fit_has_not_seen(chip: str, scored: list[Scored]) -> None:
    timed = timed_rows(scored)
    cases, measured = [s.case for s in timed], np.array([s.measured for s in timed])
    held = np.array([case.chip.name == chip for case in cases])
    assert held.sum() >= 50
    part = fit(cases, measured, use=~held)
    unseen = [case for case, out in zip(cases, held, strict=True) if out]
    found = [
        Scored(case, p, m)
        for case, p, m in zip(unseen, predictions(unseen, part.at(unseen)), measured[held], strict=True)
    ]
    errors = np.abs([s.error for s in found])
    print(
        f"{chip}: {len(found)} rows, median {np.median(errors):.1%}, covered {np.mean([s.covered for s in found]):.0%}"
    )
    assert np.median(errors) <= 0.20
