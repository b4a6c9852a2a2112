"""The ready-made workbooks, each rebuilt by one command and checked in under ``templates/``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from mlsim.errors import NameNotFoundError, shorten
from mlsim_workbooks.calibration_template import build_calibration
from mlsim_workbooks.compare import build_comparison
from mlsim_workbooks.training_template import build_training

__all__ = ["TEMPLATES", "build_template"]


def _comparison(out: Path) -> None:
    build_comparison("Llama-3-70B", ["H100", "MI300X", "Gaudi3"], prompt=2048, output=512, out=out)


def _calibration(out: Path) -> None:
    build_calibration(out)


def _training(out: Path) -> None:
    build_training(out)


TEMPLATES: dict[str, tuple[str, Callable[[Path], None]]] = {
    "comparison": ("compare accelerators for one model: memory, latency, throughput, cost, sources", _comparison),
    "calibration": ("fit a runtime to your own measurements: every prediction before and after", _calibration),
    "training": ("plan a training run: time, memory, the fastest layouts, cost", _training),
}


def build_template(name: str, out: str | Path) -> Path:
    """Write a template workbook; return its path."""
    if name not in TEMPLATES:
        raise NameNotFoundError(f"{shorten(name)} is not a template. There is: {', '.join(TEMPLATES)}.")
    path = Path(out)
    TEMPLATES[name][1](path)
    return path


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "templates")
    for template in TEMPLATES:
        print(build_template(template, folder / f"{template}.xlsx"))
