"""How MLSIM is asked for a row of measurements: as ``mlsim predict`` does, defaults only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from way import Case, Way

from mlsim.calibration.accuracy import predict_rows
from mlsim.calibration.cases import read_case
from mlsim.calibration.fit import prior
from mlsim.calibration.predict import predictions


def shipped(case: Case) -> float:
    (outcome,) = predict_rows([case["row"]])
    if outcome.prediction is None:
        raise ValueError(outcome.message)
    return outcome.prediction.value


def unfitted(case: Case) -> float:
    read = [read_case(case["row"])]
    (found,) = predictions(read, prior(read).at(read))
    return found.value


def ways(_: Path) -> Iterator[Way]:
    yield Way("MLSIM", "as shipped", shipped, shipped)
    yield Way(
        "MLSIM, no fit",
        "the same law before any fit to whole runs: kernel timings and values set by hand",
        unfitted,
        unfitted,
    )
