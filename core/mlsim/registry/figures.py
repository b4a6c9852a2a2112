"""Any figure of the registry by the name of its entry: chips, models, precisions, runtimes, links, grids, PUE, prices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from mlsim.errors import NameNotFoundError, shorten
from mlsim.registry import load
from mlsim.registry.audit import MODEL_DIMENSIONS
from mlsim.registry.names import alias_index, normalise, unknown
from mlsim.registry.records import Chip, Figure, Model
from mlsim.registry.tables import Row, grouped, rows

__all__ = ["Entry", "entry"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A registry entry as a set of figures; ``others`` are what further sources say."""

    name: str
    figures: Mapping[str, Figure]
    others: Mapping[str, tuple[Figure, ...]] = field(default_factory=dict)

    def find(self, attribute: str) -> str:
        """Return the key of a figure by what a person calls it: "HBM bandwidth", "bf16 peak", "layers" ..."""
        text = " ".join(attribute.replace("_", " ").casefold().split())
        for key in self.figures:
            if key.replace("_", " ").casefold() == text:
                return key
        try:
            key = load.attribute_key(text)
        except NameNotFoundError:
            key = ""
        if key == "memory_capacity" and key not in self.figures:
            key = "memory_capacity_label"
        if key not in self.figures:
            known = ", ".join(sorted(k.replace("_", " ") for k in self.figures)[:12])
            raise NameNotFoundError(
                f"The registry has no sourced {shorten(attribute)} for {self.name}. It has {known}."
            )
        return key


def _chip(chip: Chip) -> Entry:
    figures = {**chip.figures, **chip.efficiency}
    found = [
        Figure(
            row["price_per_chip"], row["unit"], f"{row['provider']} {row['region']}, {row['terms']}: {row['meaning']}",
            row["source"], row["locator"], row["note"],
        )
        for row in load.prices(chip.name)
    ]  # fmt: skip
    if found:
        figures["price"] = found[0]
    return Entry(chip.name, figures, {**chip.others, "price": tuple(found[1:])})


def _model(model: Model) -> Entry:
    source = model.figure or Figure("", "", "", "", "")
    figures = {}
    for dimension, unit in MODEL_DIMENSIONS.items():
        value = getattr(model, dimension, None) or float(model.row.get(dimension) or 0)
        if value and value != float("inf"):
            figures[dimension] = Figure(
                f"{value:.17g}", unit, source.meaning, source.source, source.locator, source.note
            )
    return Entry(model.name, figures)


# table -> (column of the name, column of the value, attribute, unit when the table has no column for it)
_SIMPLE = {
    "interconnects": ("name", "bandwidth", "bandwidth", ""),
    "grids": ("region", "carbon_intensity", "carbon intensity", ""),
    "pue": ("name", "value", "PUE", ""),
    "precisions": ("name", "bits_per_weight", "bits per weight", "bit"),
}


def _row_figure(row: Row, value: str, unit: str) -> Figure:
    meaning = row.get("meaning") or f"{row['direction']}, {row['scope']}"
    year = f", {row['year']}" if row.get("year") else ""
    return Figure(
        row[value], row.get("unit") or unit, meaning + year, row["source"], row["locator"], row.get("note", "")
    )


@cache
def _others() -> dict[str, Entry]:
    """Return normalised name -> entry of the tables that are neither chips nor models; the first table wins."""
    index: dict[str, Entry] = {}
    for table, (name, value, attribute, unit) in _SIMPLE.items():
        entries = {row[name]: Entry(row[name], {attribute: _row_figure(row, value, unit)}) for row in rows(table)}
        aliases = alias_index((row[name], load.aliases(row)) for row in rows(table))
        for alias, target in aliases.items():
            index.setdefault(alias, entries[target])
    for name, group in grouped("runtimes", "name"):
        runtime = Entry(name, load.runtime(name).figures)
        for alias in alias_index([(name, [a for row in group for a in load.aliases(row)])]):
            index.setdefault(alias, runtime)
    return index


def entry(name: object) -> Entry:
    """Return a registry entry by name or alias, chips and models first.

    Raises
    ------
    NameNotFoundError
        When no registry has it; with the closest names of all of them.
    """
    try:
        return _chip(load.chip(name))
    except NameNotFoundError:
        pass
    try:
        return _model(load.model(name))
    except NameNotFoundError:
        pass
    found = _others().get(normalise(str(name)))
    if found is None:
        raise unknown(str(name), {**{alias: e.name for alias, e in _others().items()}, **load.name_index()}, "")
    return found
