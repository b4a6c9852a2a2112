"""Predicted against measured: errors, interval coverage, and how well predictions hold on what no fit has seen."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mlsim.calibration.cases import UNITS, AnyCase, Case, CollectiveCase, TrainCase, read_case
from mlsim.calibration.fit import fit, left_out
from mlsim.calibration.predict import Prediction, predictions
from mlsim.errors import CellError, DomainError, UnitError, shorten
from mlsim.planner.machine import machine
from mlsim.planner.network import network
from mlsim.planner.training_setup import checked_links
from mlsim.planner.transformer import transformer
from mlsim.units import parse_unit

__all__ = [
    "SPLITS",
    "Outcome",
    "Scored",
    "Summary",
    "in_own_unit",
    "predict_rows",
    "score",
    "summarise",
    "timed_rows",
    "transfer",
]


def _model_family(case: AnyCase) -> str:
    """Return the family of a case's model; a collective has its operation instead."""
    if isinstance(case, CollectiveCase):
        return case.operation
    return case.model.row.get("family") or case.model.name


SPLITS: dict[str, Callable[[AnyCase], str]] = {
    "chip": lambda case: case.chip.name,
    "chip class": lambda case: case.chip.chip_class,
    "model family": _model_family,
    "source": lambda case: case.source,
    "runtime": lambda case: case.runtime.name,
}
"""What is left out at a time to judge transfer."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One row of cases: its prediction, or why there is none."""

    case_id: str
    case: AnyCase | None
    prediction: Prediction | None
    message: str = ""

    @property
    def unit(self) -> str:
        """Unit of the prediction."""
        return UNITS[self.case.kind] if self.case else ""


@dataclass(frozen=True, slots=True)
class Scored:
    """A prediction beside its measurement, both in the unit of the kind."""

    case: AnyCase
    prediction: Prediction
    measured: float

    @property
    def error(self) -> float:
        """Signed relative error: predicted / measured - 1."""
        return self.prediction.value / self.measured - 1.0

    @property
    def covered(self) -> bool:
        """Whether the 80 % interval holds the measurement."""
        return self.prediction.low <= self.measured <= self.prediction.high


@dataclass(frozen=True, slots=True)
class Summary:
    """Errors of a group of predictions."""

    rows: int
    median: float  # of the absolute relative error
    p90: float
    bias: float  # median of the signed error
    coverage: float  # share of the 80 % intervals that hold the measurement


def predict_rows(rows: Sequence[Mapping[str, str]]) -> list[Outcome]:
    """Predict rows of a table of cases, one outcome per row in the same order; ``measured`` is not read."""
    read: list[tuple[AnyCase | None, str]] = []
    for row in rows:
        try:
            read.append((_checked(read_case(row)), ""))
        except CellError as error:
            read.append((None, error.message))
    found = iter(predictions([case for case, _ in read if case]))
    outcomes = []
    for row, (case, message) in zip(rows, read, strict=True):
        prediction = next(found) if case else None
        if case and prediction and not math.isfinite(prediction.high):
            prediction, message = None, _no_answer(case)
        outcomes.append(Outcome(row.get("case_id") or "", case, prediction, message))
    return outcomes


def _no_answer(case: AnyCase) -> str:
    """Say why a prediction is not a number."""
    if isinstance(case, Case) and case.kind == "saturated":
        return (
            f"{case.model.name} in {case.precision.name} leaves no room for one request on {case.tp * case.pp:g} "
            f"{case.chip.name} with {case.runtime.name}."
        )
    return "The result is not a finite number: the inputs are outside the model's domain."


def _checked(case: AnyCase) -> AnyCase:
    """Raise for a case whose chip or model lacks a figure that its law needs."""
    if isinstance(case, CollectiveCase):
        case.chip.get("scaleup_bandwidth")
        return case
    if isinstance(case, TrainCase):
        return _checked_training(case)
    network(case.model, case.precision, case.kv_precision, case.compute)
    machine(case.chip, case.compute, bool(case.runtime.get("half_sums")), case.power_share)
    if case.tp > 1 or case.ep > 1:
        case.chip.get("scaleup_bandwidth")
    return case


def _checked_training(case: TrainCase) -> TrainCase:
    """Raise for a training case whose chip or model lacks a figure that its law needs."""
    transformer(case.model)
    machine(case.chip, case.compute, False, case.power_share)
    checked_links(case.chip, case.fabric, case.plan.devices)
    return case


def in_own_unit(value: float, unit: str, own: str) -> float:
    """Return a value given in ``unit`` in the model's own unit; an empty unit is the model's own.

    Raises
    ------
    UnitError
        When the unit is unknown or of another dimension.
    """
    if not unit or unit == own:
        return value
    given, due = parse_unit(unit), parse_unit(own)
    if given.dimension != due.dimension:
        raise UnitError(f"unit: {shorten(unit)} is not a unit of this metric; expected one like {own}.")
    return value * given.factor / due.factor


def score(rows: Sequence[Mapping[str, str]]) -> tuple[list[Scored], list[Outcome]]:
    """Return the predictions of measured rows beside their measurements, and the rows without one of the two."""
    scored, unsupported = [], []
    for row, outcome in zip(rows, predict_rows(rows), strict=True):
        if outcome.case and outcome.prediction:
            try:
                scored.append(Scored(outcome.case, outcome.prediction, _measured(row, outcome.unit)))
                continue
            except CellError as error:
                outcome = replace(outcome, message=error.message)
        unsupported.append(outcome)
    return scored, unsupported


def _measured(row: Mapping[str, str], own: str) -> float:
    """Return the measurement of a row in the model's own unit."""
    text = (row.get("measured") or "").strip()
    try:
        value = float(text)
    except ValueError:
        raise UnitError(
            f"measured: expected a number in the column unit, got {shorten(text) if text else 'nothing'}."
        ) from None
    if not math.isfinite(value) or value <= 0:
        raise DomainError(f"measured: expected a finite number above 0, got {shorten(text)}.")
    return in_own_unit(value, (row.get("unit") or "").strip(), own)


def timed_rows(scored: Sequence[Scored]) -> list[Scored]:
    """Return the rows whose predictions rest on fitted parameters: all but those of memory."""
    return [s for s in scored if s.prediction.bottleneck != "capacity"]


def transfer(scored: Sequence[Scored], done: Callable[[int], object] = int) -> dict[str, list[Scored]]:
    """Return the rows predicted in sample and by fits that left out their chip, chip class, model family, source or runtime.

    Predictions of memory have no fitted parameters and are in none of them. ``done`` is told how many rows each
    finished fit has answered; each row is answered once per split.
    """
    timed = timed_rows(scored)
    cases, measured = [s.case for s in timed], np.array([s.measured for s in timed])
    whole = fit(cases, measured)
    found = {"in sample": predictions(cases, whole.at(cases))}
    for name, key in SPLITS.items():
        found[name] = left_out(cases, measured, [key(case) for case in cases], whole, done)
    return {
        name: [Scored(s.case, p, s.measured) for s, p in zip(timed, column, strict=True)]
        for name, column in found.items()
    }


def summarise(scored: Iterable[Scored], by: Callable[[Scored], str]) -> dict[str, Summary]:
    """Return errors by group, in the order in which the groups first appear."""
    groups: dict[str, list[Scored]] = {}
    for s in scored:
        groups.setdefault(by(s), []).append(s)
    found = {}
    for name, group in groups.items():
        error = np.array([s.error for s in group])
        found[name] = Summary(
            len(group), float(np.median(np.abs(error))), float(np.quantile(np.abs(error), 0.9)),
            float(np.median(error)), float(np.mean([s.covered for s in group])),
        )  # fmt: skip
    return found
