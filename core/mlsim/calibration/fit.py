r"""Fitting the efficiency parameters of chip classes and runtimes to measurements, and how well they are known.

The parameters are the fields of :class:`mlsim.planner.machine.Efficiency`. Each belongs to a chip class or to a runtime,
never to a model, a benchmark or a row. The estimate is the mode of a posterior: log errors of the predictions under
Huber's loss, and a normal prior on the logarithm of each parameter around its measured or assumed value,

.. math:: \sum_i \rho\left(\frac{\ln p_i(\theta) - \ln m_i}{s}\right)
          + \frac{1}{2}\sum_j \left(\frac{\theta_j - \mu_j}{\sigma_j}\right)^2 .

Where the measurements say nothing about a parameter its prior stays, with its spread. Gauss-Newton steps with Huber's
weights find the mode (P. Huber, "Robust Statistics", 1981, sec. 7.8); the inverse of the Hessian there gives the spread.
Parameters of different chip classes act on different rows, so one evaluation yields the derivatives of all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlsim.arrays import Floats
from mlsim.calibration.cases import AnyCase
from mlsim.calibration.predict import AnyStack, Prediction, evaluate, predictions, reads, stacked
from mlsim.planner.machine import CHIP_PARAMETERS, PARAMETERS, Efficiency
from mlsim.registry import load

__all__ = ["Fit", "fit", "left_out"]

# The measurements inform a parameter when they took this share of its prior variance away.
INFORMED = 0.02
NOISE = 0.15  # of published measurements: different machines, versions and definitions
_STEADY = {
    "training": 0.07,
    "collective": 0.10,
}  # families whose runs last long, or repeat one kernel: they scatter less
_ROUNDS = 60
_SETTLED = 0.03  # of its prior's spread: a parameter that moves less has settled
_STEP = 1e-4
_LONGEST = 1.0  # longest step of a log parameter in one round


@dataclass(frozen=True, slots=True)
class Fit:
    """Log parameters and their spreads: rows are chip classes, then runtimes; columns are :data:`PARAMETERS`."""

    classes: tuple[str, ...]
    runtimes: tuple[str, ...]
    log: Floats
    spread: Floats
    fixed: NDArray[np.bool_]  # 0 by structure, or not fitted
    informed: Floats  # share of the prior's uncertainty that the measurements removed
    cost: float = np.inf  # what the fit made small: misfit of the rows used, and distance from the prior

    def value(self, row: int, name: str) -> float:
        """Return a parameter."""
        return float(self.values[row, PARAMETERS.index(name)])

    @property
    def values(self) -> Floats:
        """Parameters in SI."""
        return np.exp(self.log)

    def at(self, cases: Sequence[AnyCase]) -> tuple[Efficiency, Efficiency]:
        """Return the parameters of each case and their spreads, stacked."""
        unseen = self.informed.max(axis=1, initial=0.0) < INFORMED
        unseen[len(self.classes) :] = False
        spread = self.spread * np.where(unseen, load.UNSEEN_CLASS, 1.0)[:, None]
        return Efficiency(*_per_case(self, self.values, cases)), Efficiency(*_per_case(self, spread, cases))


def _per_case(fit: Fit, table: Floats, cases: Sequence[AnyCase]) -> Floats:
    """Return one row per parameter with a value per case."""
    return _gathered(table, *_rows_of(fit, cases))


def _rows_of(fit: Fit, cases: Sequence[AnyCase]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows of the parameter table that each case reads: of its chip class, and of its runtime."""
    chip = [fit.classes.index(c.chip.chip_class) for c in cases]
    runtime = [len(fit.classes) + fit.runtimes.index(c.runtime.name) for c in cases]
    return np.array(chip), np.array(runtime)


def _gathered(table: Floats, chip: NDArray[np.intp], runtime: NDArray[np.intp]) -> Floats:
    n = len(CHIP_PARAMETERS)
    return np.concatenate([table[chip][:, :n], table[runtime][:, n:]], axis=1).T


def prior(cases: Sequence[AnyCase]) -> Fit:
    """Return the prior of the chip classes and runtimes of some cases."""
    classes = tuple(sorted({c.chip.chip_class for c in cases}))
    runtimes = tuple(sorted({c.runtime.name for c in cases}))
    based_on = {c.runtime.name: c.runtime.based_on for c in cases}
    value = np.ones((len(classes) + len(runtimes), len(PARAMETERS)))
    spread = np.zeros_like(value)
    for i, (level, group) in enumerate([("chip class", k) for k in classes] + [("runtime", k) for k in runtimes]):
        for j, name in enumerate(PARAMETERS):
            if (name in CHIP_PARAMETERS) == (level == "chip class"):
                figure = load.prior_figure(level, based_on.get(group, group), name)
                value[i, j], spread[i, j] = figure.si, figure.spread
    with np.errstate(divide="ignore"):
        log = np.log(value)
    fixed = (spread == 0) | np.isneginf(log)
    return Fit(classes, runtimes, log, np.where(fixed, 0.0, spread), fixed, np.zeros_like(value))


class _Problem:
    """The cases stacked once, and the rows of the parameter table that each case reads."""

    def __init__(self, cases: Sequence[AnyCase], start: Fit) -> None:
        self.stacks: list[AnyStack] = stacked(cases)
        self.chip, self.runtime = _rows_of(start, cases)
        self.size = len(cases)

    def log_predictions(self, log: Floats) -> Floats:
        """Return the log of every prediction for a table of log parameters."""
        return self._predicted(log, np.empty(self.size), self.stacks)

    def _predicted(self, log: Floats, out: Floats, stacks: Sequence[AnyStack]) -> Floats:
        values = np.exp(log)
        for s in stacks:
            parameters = Efficiency(*_gathered(values, self.chip[s.index], self.runtime[s.index]))
            out[s.index] = np.log(evaluate(s, parameters).value)
        return out

    def derivatives(self, log: Floats, at: Floats) -> Floats:
        """Return d ln(prediction) / d ln(parameter): a row per case, a column per parameter of its own two groups."""
        out = np.zeros((self.size, len(PARAMETERS)))
        for j, name in enumerate(PARAMETERS):
            readers = [s for s in self.stacks if name in reads(s)]
            if readers:
                moved = log.copy()
                moved[:, j] += _STEP
                out[:, j] = (self._predicted(moved, at.copy(), readers) - at) / _STEP
        return out

    def columns(self) -> NDArray[np.intp]:
        """Return the position in the flat table of each derivative."""
        j = np.arange(len(PARAMETERS))
        group = np.where(j < len(CHIP_PARAMETERS), self.chip[:, None], self.runtime[:, None])
        return group * len(PARAMETERS) + j

    def normal_matrix(self, slope: Floats, weight: Floats, size: int) -> Floats:
        """Return the weighted sum of outer products of the rows of ``slope``, spread over the flat table.

        Cases of one chip class and runtime read the same parameters: each such pair adds a small dense block.
        """
        out, columns = np.zeros((size, size)), self.columns()
        pairs = self.chip * (self.runtime.max(initial=0) + 1) + self.runtime
        for pair in np.unique(pairs):
            rows = np.flatnonzero(pairs == pair)
            part = slope[rows]
            at = columns[rows[0]]
            out[np.ix_(at, at)] += (part * weight[rows, None]).T @ part
        return out


def fit(
    cases: Sequence[AnyCase], measured: Floats, start: Fit | None = None, use: NDArray[np.bool_] | None = None,
    base: Fit | None = None, noise: float | None = None,
) -> Fit:  # fmt: skip
    """Fit the parameters of the chip classes and runtimes of the cases to their measurements.

    Parameters
    ----------
    cases : sequence of Case
    measured : ndarray
        What was measured for each, in the unit of its kind.
    start : Fit, optional
        Where to start; the prior by default.
    use : ndarray of bool, optional
        Rows to fit; all by default. Parameters that only other rows read keep their prior.
    base : Fit, optional
        The prior; by default what the registry holds before any fit.
    noise : float
        Log error beyond which a row counts as an outlier and pulls with constant force; by default what the rows of its
        family scatter.
    """
    base = base or prior(cases)
    problem, target = _Problem(cases, base), np.log(measured)
    used = np.ones(len(cases)) if use is None else use.astype(float)
    scatter = np.array([_STEADY.get(c.family, NOISE) if noise is None else noise for c in cases])
    start_log = (start or base).log.ravel()
    columns, size = problem.columns(), base.log.size
    first = problem.derivatives(
        start_log.reshape(base.log.shape), problem.log_predictions(start_log.reshape(base.log.shape))
    )
    moved = np.bincount(columns.ravel(), (np.abs(first) * used[:, None]).ravel(), size) > 0
    # what no row reads keeps its prior
    free = np.flatnonzero(~base.fixed.ravel() & moved)
    if not len(free):
        return base
    centre, width = base.log.ravel()[free], base.spread.ravel()[free]
    flat = base.log.copy().ravel()
    flat[free] = start_log[free]
    log: Floats = flat.reshape(base.log.shape)

    def residual(table: Floats) -> Floats:
        return problem.log_predictions(table) - target

    def cost(error: Floats, table: Floats) -> float:
        size = np.abs(error) / scatter
        misfit = (np.where(size < 1.0, size**2 / 2.0, size - 0.5) * used).sum()
        return float(misfit + (((table.ravel()[free] - centre) / width) ** 2).sum() / 2.0)

    error = residual(log)
    best, damping = cost(error, log), 1e-3
    hessian = np.diag(1.0 / width**2)
    for _ in range(_ROUNDS):
        slope = problem.derivatives(log, error + target)
        weight = used * np.minimum(1.0, scatter / np.maximum(np.abs(error), 1e-12)) / scatter**2
        hessian = problem.normal_matrix(slope, weight, size)[np.ix_(free, free)] + np.diag(1.0 / width**2)
        pull = np.bincount(columns.ravel(), (slope * (weight * error)[:, None]).ravel(), size)[free]
        gradient = pull + (log.ravel()[free] - centre) / width**2
        before, gained = log.ravel()[free], 0.0
        for _ in range(15):  # shorter steps until one lowers the cost
            move = np.linalg.solve(hessian + damping * np.diag(np.diag(hessian)), -gradient)
            trial = log.copy().ravel()
            trial[free] += move * min(1.0, _LONGEST / max(np.abs(move).max(), _STEP))
            table = trial.reshape(log.shape)
            found = residual(table)
            if (now := cost(found, table)) < best:
                gained, best, log, error = best - now, now, table, found
                damping = max(damping / 5.0, 1e-6)
                break
            damping *= 5.0
        if not gained or np.abs((log.ravel()[free] - before) / width).max() < _SETTLED:
            break
    spread, informed = base.spread.copy().ravel(), np.zeros(size)
    spread[free] = np.sqrt(np.diag(np.linalg.inv(hessian)))
    informed[free] = 1.0 - (spread[free] / width) ** 2
    return Fit(
        base.classes, base.runtimes, log, spread.reshape(log.shape), base.fixed, informed.reshape(log.shape), best
    )  # fmt: skip


def left_out(
    cases: Sequence[AnyCase], measured: Floats, keys: Sequence[str], start: Fit, done: Callable[[int], object] = int
) -> list[Prediction]:
    """Predict each case by a fit that has not seen the cases with its key (its chip, its model, its source).

    Each fit is the better, for the rows it sees, of one that starts at ``start`` and one that starts at the prior: from
    ``start`` alone, which has seen all rows, it could settle in a minimum that the rows left out had chosen. ``done`` is
    told how many cases each finished fit has answered.
    """
    found: dict[int, Prediction] = {}
    names = np.array(keys)
    for key in dict.fromkeys(keys):
        held = names == key
        part = min((fit(cases, measured, where, ~held) for where in (start, None)), key=lambda f: f.cost)
        chosen = [case for case, out in zip(cases, held, strict=True) if out]
        for position, prediction in zip(np.flatnonzero(held), predictions(chosen, part.at(chosen)), strict=True):
            found[int(position)] = prediction
        done(len(chosen))
    return [found[i] for i in range(len(cases))]
