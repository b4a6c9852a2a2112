"""Every constant with its value, unit, meaning and source; and what lacks any of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from mlsim.errors import CellError
from mlsim.registry.tables import Row, rows, sources
from mlsim.units import parse

__all__ = ["MODEL_DIMENSIONS", "Constant", "constants", "problems"]

# table -> (entry column, value column, fixed attribute, fixed unit, fixed meaning); None: the row has its own column
_SIMPLE: dict[str, tuple[str, str, str | None, str | None, str | None]] = {
    "hardware_figures": ("chip", "value", None, None, None),
    "efficiency": ("chip_class", "value", None, None, None),
    "efficiency_measured": ("chip_class", "value", None, None, None),
    "runtimes": ("name", "value", None, None, None),
    "fitted": ("name", "value", None, None, None),
    "kind_spread": ("kind", "value", "unexplained spread", None, None),
    "precisions": ("name", "bits_per_weight", "bits per weight", "bit", None),
    "interconnects": ("name", "bandwidth", "bandwidth", None, "direction"),
    "grids": ("region", "carbon_intensity", "carbon intensity", None, None),
    "pue": ("name", "value", "power usage effectiveness", None, None),
    "prices": ("chip", "price_per_chip", "price", None, None),
}
_STATEMENTS = ("runtime_formats", "runtime_versions")  # facts without a number: each needs a source all the same
MODEL_DIMENSIONS = {
    "total_params": "param", "active_params": "param", "layers": "count", "hidden": "count", "heads": "count",
    "kv_heads": "count", "head_dim": "count", "ffn": "count", "ffn_matrices": "count", "moe_ffn": "count",
    "experts": "count", "experts_per_token": "count", "shared_experts": "count", "dense_layers": "count",
    "vocab": "count", "context": "token", "window": "token", "window_layers": "count", "linear_layers": "count",
    "q_lora_rank": "count", "kv_lora_rank": "count", "qk_nope_dim": "count", "qk_rope_dim": "count",
    "v_head_dim": "count", "macs_per_inference": "MAC",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Constant:
    """One figure of the registry."""

    table: str
    entry: str
    attribute: str
    value: str
    unit: str
    meaning: str
    rank: str
    source: str
    locator: str
    note: str

    @property
    def citation(self) -> Row:
        """Title, address, date and kind of the source; empty when the key is unknown."""
        return sources().get(self.source, {})


def _attribute(row: Row) -> str:
    return " ".join(filter(None, (row.get("attribute", ""), row.get("precision", ""))))


def constants() -> Iterator[Constant]:
    """Yield every constant of the registry."""
    for table, (entry, value, attribute, unit, meaning) in _SIMPLE.items():
        for row in rows(table):
            yield Constant(
                table, row[entry], attribute or _attribute(row), row[value], unit or row["unit"],
                f"{row['direction']}, {row['scope']}" if meaning else row["meaning"], row.get("rank") or "best",
                row["source"], row["locator"], row.get("note", ""),
            )  # fmt: skip
    for row in rows("models"):
        for dimension, unit_name in MODEL_DIMENSIONS.items():
            if row[dimension]:
                basis = row["params_basis"] if dimension.endswith("params") else "published dimension"
                yield Constant(
                    "models", row["name"], dimension, row[dimension], unit_name, basis, "best", row["source"],
                    row["locator"], row["note"],
                )  # fmt: skip


def _unit_is_known(constant: Constant) -> bool:
    if constant.unit in ("count", "ratio"):
        return True
    if constant.unit == "date":
        return constant.value[:4].isdigit()
    try:
        parse(f"1 {constant.unit}")
    except CellError:
        return False
    return True


def _is_number(constant: Constant) -> bool:
    if constant.unit == "date":
        return True
    try:
        return math.isfinite(float(constant.value)) and float(constant.value) >= 0
    except ValueError:
        return False


def problems() -> list[str]:
    """Return a sentence for each constant without value, unit, meaning or source, and each source without address or date."""
    found = []
    seen: set[tuple[str, str, str]] = set()
    for c in constants():
        where = f"{c.table}: {c.entry} {c.attribute}"
        if not _is_number(c):
            found.append(f"{where}: the value {c.value!r} is not a number.")
        if not _unit_is_known(c):
            found.append(f"{where}: the unit {c.unit!r} is not one MLSIM reads.")
        if not c.meaning.strip():
            found.append(f"{where}: no meaning (dense or sparse, per direction or both, ...).")
        if not c.locator.strip():
            found.append(f"{where}: no place within its source.")
        if not c.citation:
            found.append(f"{where}: the source {c.source!r} is not in sources.csv.")
        key = (c.table, c.entry, c.attribute)
        if c.table == "hardware_figures" and c.rank == "best":
            if key in seen:
                found.append(f"{where}: two figures are ranked best.")
            seen.add(key)
    for table in _STATEMENTS:
        for row in rows(table):
            if row["source"] not in sources() or not row["locator"].strip():
                found.append(f"{table}: {row['runtime']}: no source, or no place within it.")
    for name, source in sources().items():
        found += [
            f"sources: {name}: no {part}." for part in ("title", "address", "date", "kind") if not source[part].strip()
        ]
    return found
