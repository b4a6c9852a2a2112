"""A runtime profile of one's own: the parameters of a runtime fitted to a handful of measurements."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mlsim.calibration.accuracy import Scored, score, timed_rows
from mlsim.calibration.cases import AnyCase
from mlsim.calibration.fit import Fit, fit, prior
from mlsim.calibration.predict import predictions, reads, stacked
from mlsim.errors import DomainError
from mlsim.planner.machine import CHIP_PARAMETERS, PARAMETERS, RUNTIME_PARAMETERS
from mlsim.registry.records import Chip, Runtime

__all__ = ["Parameter", "Profile", "calibrate"]

# A parameter counts as determined when the measurements took this share of its variance away.
DETERMINED = 0.5
_NOTHING = "There is no measurement yet: fill in a row with a model, hardware and a TPOT or TTFT."
OWN_NOISE = 0.04  # log error of one's own measurements: one machine, one version


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a profile: what it was, what it is, and how much the measurements say about it."""

    name: str
    before: float
    after: float
    unit: str
    meaning: str
    spread: float
    determined: float  # share of the variance that the measurements took away

    @property
    def text(self) -> str:
        """The value with its unit, as a registry file or a cell holds it."""
        return f"{self.after:.4g}" if self.unit in ("ratio", "count") else f"{self.after:.4g} {self.unit}"


@dataclass(frozen=True, slots=True)
class Profile:
    """A fitted runtime."""

    name: str
    based_on: str
    parameters: tuple[Parameter, ...]
    rows: int
    error_before: float  # median absolute relative error
    error_after: float
    skipped: tuple[str, ...] = ()  # why other rows could not be used

    def yaml(self, source: str) -> str:
        """Return the profile as a registry file, to be used with ``--registry``."""
        lines = [
            f"# {self.rows} measurements: median error {self.error_before:.1%} before, {self.error_after:.1%} after.",
            "# determined: share of a parameter's variance that the measurements took away; the rest is as it was.",
            "runtimes:",
            f"  {_quoted(self.name)}:",
            f"    source: {_quoted(source)}",
            f"    based on: {_quoted(self.based_on)}",
        ]
        for p in self.parameters:
            label = p.name.replace("_", " ")
            lines.append(
                f"    {label}: {p.text}  # {p.meaning}; was {p.before:.4g}, spread {p.spread:.2f}, "
                f"determined {p.determined:.0%}"
            )
        return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """Return a YAML string: JSON's double-quoted form is one."""
    return json.dumps(text, ensure_ascii=False)


def calibrate(rows: Sequence[Mapping[str, str]], name: str = "") -> Profile:
    """Fit the runtime of some measurements, starting from the registry's.

    Parameters
    ----------
    rows : sequence of mapping
        Measured cases of one runtime, in the columns of :func:`mlsim.calibration.cases.read_case` plus ``measured``.
    name : str
        Name of the profile; "<runtime> (calibrated)" by default.

    Raises
    ------
    DomainError
        When no row can be used, or the rows are of several runtimes.
    """
    scored, unsupported = score(rows)
    timed = timed_rows(scored)
    skipped = tuple(f"{o.case_id}: {o.message}".removeprefix(": ") for o in unsupported)
    if not timed:
        why = f" {skipped[0]}" if skipped else ""
        raise DomainError(f"None of {len(rows)} measurements can be used for a fit.{why}" if rows else _NOTHING)
    runtimes = {s.case.runtime.name: s.case.runtime for s in timed}
    if len(runtimes) > 1:
        raise DomainError(f"The measurements are of {len(runtimes)} runtimes ({', '.join(sorted(runtimes))}): fit one.")
    cases, measured = [s.case for s in timed], np.array([s.measured for s in timed])
    start = _known(prior(cases), cases)
    found = fit(cases, measured, start=start, base=start, noise=OWN_NOISE)
    after = [Scored(c, p, m) for c, p, m in zip(cases, predictions(cases, found.at(cases)), measured, strict=True)]
    (based_on, runtime), row = runtimes.popitem(), len(found.classes)
    read = {name for s in stacked(cases) for name in reads(s)}
    figures = runtime.figures
    parameters = []
    for attribute in RUNTIME_PARAMETERS:
        j = PARAMETERS.index(attribute)
        if found.fixed[row, j] or attribute not in read:
            continue
        figure = figures[attribute]
        scale = figure.si / float(figure.value)
        parameters.append(Parameter(
            attribute, float(figure.value), found.values[row, j] / scale, figure.unit, figure.meaning,
            float(found.spread[row, j]), float(found.informed[row, j]),
        ))  # fmt: skip
    return Profile(
        name or f"{based_on} (calibrated)", based_on, tuple(parameters), len(timed),
        float(np.median([abs(s.error) for s in timed])), float(np.median([abs(s.error) for s in after])), skipped,
    )  # fmt: skip


def _known(base: Fit, cases: Sequence[AnyCase]) -> Fit:
    """Return the parameters in use as a prior: chip classes stay, a runtime may differ as runtimes do."""
    log, fixed = base.log.copy(), base.fixed.copy()
    chips, runtimes = {c.chip.chip_class: c.chip for c in cases}, {c.runtime.name: c.runtime for c in cases}
    for i, group in enumerate((*base.classes, *base.runtimes)):
        holder: Chip | Runtime = chips[group] if i < len(base.classes) else runtimes[group]
        for j, name in enumerate(PARAMETERS):
            if (name in CHIP_PARAMETERS) == (i < len(base.classes)):
                with np.errstate(divide="ignore"):
                    log[i, j] = np.log(holder.get(name))
                fixed[i, j] |= np.isneginf(log[i, j])
    fixed[: len(base.classes)] = True
    return replace(base, log=log, fixed=fixed)
