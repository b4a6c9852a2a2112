"""The shipped parameters: ``python -m mlsim.calibration.refit FILE...`` fits them to tables of measurements.

The tables are those of ``mlsim validate``. The command rewrites two files of the registry:
``fitted.csv`` (every parameter the measurements inform, with its spread and the rows it rests on) and
``kind_spread.csv`` (the log error that no parameter explains, per kind, such that the 80 % intervals of predictions
whose chip, model family, source or runtime was left out cover 80 %). It prints how the predictions transfer.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from importlib import resources

import numpy as np

from mlsim.arrays import Floats
from mlsim.calibration.accuracy import SPLITS, Scored, score, summarise, timed_rows, transfer
from mlsim.calibration.cases import AnyCase
from mlsim.calibration.fit import INFORMED, Fit, fit
from mlsim.calibration.predict import QUANTILE, spread_kind
from mlsim.calibration.tables import read_table, write_table
from mlsim.planner.machine import CHIP_PARAMETERS, PARAMETERS
from mlsim.registry import load
from mlsim.registry.tables import rows

__all__ = ["main"]

SOURCE = "mlsim-fit"
COVERAGE = 0.8
_FEW = 50  # fewer rows say little about a spread: it is at least the median of the other kinds'
_LEAST = 0.03  # measurements themselves repeat no better
_LEAST_SHARE = 0.25  # of the parameters' variance: what they do not share stays
_COLUMNS = ("level", "name", "attribute", "value", "unit", "spread", "meaning", "source", "locator", "note")


def fitted_rows(found: Fit, cases: Sequence[AnyCase]) -> list[tuple[str, ...]]:
    """Return the rows of ``fitted.csv``."""
    used = {
        "chip class": _families(cases, [c.chip.chip_class for c in cases]),
        "runtime": _families(cases, [c.runtime.name for c in cases]),
    }
    lines: list[tuple[str, ...]] = []
    for i, group in enumerate((*found.classes, *found.runtimes)):
        level = "chip class" if i < len(found.classes) else "runtime"
        for j, name in enumerate(PARAMETERS):
            if (
                found.fixed[i, j]
                or found.informed[i, j] < INFORMED
                or (name in CHIP_PARAMETERS) != (i < len(found.classes))
            ):
                continue
            figure = load.prior_figure(level, group, name)
            value = found.values[i, j] / (figure.si / float(figure.value))
            lines.append((
                level, group, name, f"{value:.4g}", figure.unit, f"{found.spread[i, j]:.3f}", figure.meaning, SOURCE,
                used[level][group], f"prior {figure.value} with spread {figure.spread:g}; the rows took "
                f"{found.informed[i, j]:.0%} of its variance away",
            ))  # fmt: skip
    return lines


def _families(cases: Sequence[AnyCase], groups: Sequence[str]) -> dict[str, str]:
    """Return group -> how many rows of which family it rests on."""
    counts = Counter(zip(groups, (c.family for c in cases), strict=True))
    return {
        group: ", ".join(f"{family} {n} rows" for (g, family), n in sorted(counts.items()) if g == group)
        for group in set(groups)
    }


def kind_spreads(left_out: Sequence[Scored]) -> dict[str, tuple[float, float]]:
    """Return per kind what makes the intervals of left-out predictions cover 80 %.

    That is the spread that no parameter explains; where the parameters' spreads alone cover more, the least spread and
    the share of their summed variance that is enough.
    """
    found: dict[str, tuple[float, float]] = {}
    few: list[str] = []
    for kind in dict.fromkeys(spread_kind(s.case.kind) for s in left_out):
        group = [s for s in left_out if spread_kind(s.case.kind) == kind]
        error = np.abs(np.log([s.prediction.value / s.measured for s in group]))
        total = np.log([s.prediction.high / s.prediction.value for s in group]) / QUANTILE
        parameters = np.maximum(total**2 - load.kind_spread(kind) ** 2, 0.0) / load.parameter_share(kind)

        def coverage(unexplained: float, share: float, error: Floats = error, parameters: Floats = parameters) -> float:
            return float(np.mean(error <= QUANTILE * np.sqrt(share * parameters + unexplained**2)))

        if coverage(_LEAST, 1.0) < COVERAGE:
            found[kind] = _least(lambda spread: coverage(spread, 1.0), _LEAST, 2.0), 1.0
        else:
            found[kind] = _LEAST, _least(lambda share: coverage(_LEAST, share), _LEAST_SHARE, 1.0)
        few += [kind] if len(group) < _FEW else []
    usual = float(np.median([found[k][0] for k in found if k not in few] or [0.0]))
    return {
        kind: (max(spread, usual), 1.0) if kind in few else (spread, share) for kind, (spread, share) in found.items()
    }


def _least(coverage: Callable[[float], float], low: float, high: float) -> float:
    """Return the least number that covers enough, by bisection: coverage grows with it."""
    for _ in range(40):
        middle = (low + high) / 2.0
        low, high = (middle, high) if coverage(middle) < COVERAGE else (low, middle)
    return high


def _with_spread(row: Mapping[str, str], found: tuple[float, float] | None) -> dict[str, str]:
    return {**row, "value": f"{found[0]:.3f}", "parameter_share": f"{found[1]:.2f}"} if found else dict(row)


def _informative(column: Sequence[Scored], key: Callable[[AnyCase], str]) -> list[Scored]:
    """Return the rows whose family was still seen by the fit that left them out: others say nothing about the spread."""
    keys: dict[str, set[str]] = {}
    for s in column:
        keys.setdefault(s.case.family, set()).add(key(s.case))
    return [s for s in column if len(keys[s.case.family]) > 1]


def _write(name: str, header: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    write_table(str(resources.files("mlsim.registry").joinpath("data", f"{name}.csv")), header, lines)


def _print(title: str, scored: Sequence[Scored]) -> None:
    for family, s in summarise(scored, lambda x: x.case.family).items():
        print(
            f"{title:18} {family:16} {s.rows:5} rows  median {s.median:6.1%}  p90 {s.p90:6.1%}  bias {s.bias:+6.1%}  "
            f"intervals cover {s.coverage:4.0%}"
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the fit; return the exit code."""
    table = [row for path in argv or sys.argv[1:] for row in read_table(path)]
    scored, unsupported = score(table)
    for outcome in unsupported:
        print(f"not supported: {outcome.case_id}: {outcome.message}")
    timed = timed_rows(scored)
    cases, measured = [s.case for s in timed], np.array([s.measured for s in timed])
    _write("fitted", _COLUMNS, fitted_rows(fit(cases, measured), cases))
    splits = transfer(scored)
    judged = {name: key for name, key in SPLITS.items() if name != "chip class"}  # which has a factor of its own
    spreads = kind_spreads([s for name, key in judged.items() for s in _informative(splits[name], key)])
    old = {row["kind"]: row for row in rows("kind_spread")}
    _write(
        "kind_spread",
        tuple(next(iter(old.values()))),
        [tuple(_with_spread(row, spreads.get(kind)).values()) for kind, row in old.items()],
    )
    for name, column in splits.items():
        _print(name, column)
    return 0


if __name__ == "__main__":
    sys.exit(main())
