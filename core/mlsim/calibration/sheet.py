"""Measurements as people write them in a sheet: a header row of their own words becomes rows of cases."""

from __future__ import annotations

import re
from typing import Any

from mlsim.calibration.cases import KINDS, UNITS
from mlsim.errors import UnitError, shorten
from mlsim.registry import load
from mlsim.units import parse, parse_unit

__all__ = ["measured_rows"]

_COLUMNS = {
    "model": "model", "hardware": "hardware", "chip": "hardware", "gpu": "hardware", "runtime": "software",
    "software": "software", "engine": "software", "batch": "batch", "batch size": "batch", "concurrency": "batch",
    "prompt": "input_len", "prompt tokens": "input_len", "input": "input_len", "input len": "input_len",
    "output": "output_len", "output tokens": "output_len", "output len": "output_len", "context": "context_len",
    "context len": "context_len", "precision": "weight_precision", "weights": "weight_precision",
    "weight precision": "weight_precision", "kv precision": "kv_precision", "tp": "tp", "devices": "num_devices",
}  # fmt: skip
# what a header calls the measurement -> (family, metric)
_METRICS = {
    "tpot": ("decode", "tpot"), "itl": ("decode", "tpot"), "decode latency": ("decode", "tpot"),
    "ttft": ("prefill", "ttft"), "prefill latency": ("prefill", "ttft"), "latency": ("end_to_end", "latency"),
    "serving tpot": ("serving_online", "tpot"),
    "throughput": ("serving_offline", "output_tokens_per_s_per_device"),
    "token/s per device": ("serving_offline", "output_tokens_per_s_per_device"),
}  # fmt: skip


def measured_rows(table: Any) -> list[dict[str, str]]:
    """Return rows of cases from a header row and the rows below it; empty rows and empty measurements are skipped.

    Raises
    ------
    UnitError
        For a header that is not understood, or that states no measurement or no unit.
    """
    lines = [list(line) if isinstance(line, (list, tuple)) else [line] for line in table] if _is_range(table) else []
    if len(lines) < 2:
        raise UnitError(f"measurements: expected a range with a header row and measurements, got {shorten(table)}.")
    header = [" ".join(str(cell or "").replace("_", " ").casefold().split()) for cell in lines[0]]
    columns: dict[int, str] = {}
    metrics: dict[int, tuple[str, str, str]] = {}
    for i, text in enumerate(header):
        name = re.sub(r"\s*[\[(].*?[\])]\s*", "", text).strip()
        if name in _COLUMNS:
            columns[i] = _COLUMNS[name]
        elif name in _METRICS:
            unit = re.search(r"[\[(](.*?)[\])]", str(lines[0][i]))
            metrics[i] = (*_METRICS[name], unit.group(1) if unit else "token/s" if name.startswith("token/s") else "")
        elif text:
            raise UnitError(
                f"The header {shorten(lines[0][i])} is not understood. Columns: {', '.join(list(_COLUMNS)[:12])}; "
                "measurements: TPOT [ms], TTFT [ms], serving TPOT [ms], throughput [token/s]."
            )
    if not metrics:
        raise UnitError("No column holds a measurement: head one 'TPOT [ms]', 'TTFT [ms]' or 'throughput [token/s]'.")
    found = []
    for r, line in enumerate(lines[1:], 2):
        row = {columns[i]: _text(cell) for i, cell in enumerate(line) if i in columns}
        if row.get("software"):
            load.runtime(row["software"])  # here an unknown runtime is a mistake, not one of another's table
        for i, (family, metric, written) in metrics.items():
            if i < len(line) and line[i] not in (None, ""):
                measured = _measured(line[i], written, UNITS[KINDS[family, metric]], f"row {r}")
                found.append({**row, "case_id": f"row {r}", "family": family, "metric": metric, "measured": measured})
    return found


def _is_range(table: Any) -> bool:
    return isinstance(table, (list, tuple)) and all(isinstance(line, (list, tuple)) for line in table)


def _text(cell: Any) -> str:
    return "" if cell is None else f"{cell:.17g}" if isinstance(cell, (int, float)) else str(cell)


def _measured(cell: Any, unit: str, due: str, where: str) -> str:
    """Return a measurement in the unit of its kind; a bare number takes the unit of its header."""
    if isinstance(cell, str):
        return f"{parse(cell).to(due).value:.9g}"
    if isinstance(cell, bool) or not isinstance(cell, (int, float)):
        raise UnitError(f"{where}: expected a measurement, got {shorten(cell)}.")
    if not unit:
        raise UnitError(f"{where}: {cell} has no unit: write it in the header, such as 'TPOT [{due}]'.")
    wanted, have = parse_unit(due), parse_unit(unit)
    if wanted.dimension != have.dimension:
        raise UnitError(f"{where}: the header's unit {unit} is not one of {due}.")
    return f"{float(cell) * have.factor / wanted.factor:.9g}"
