"""Look-up: a name, a file or a range of the user's own becomes a chip, a model, a precision or a runtime."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from mlsim.errors import DomainError, NameNotFoundError, UnitError, shorten
from mlsim.registry.names import alias_index, find, normalise
from mlsim.registry.records import Chip, Figure, Model, Precision, Runtime
from mlsim.registry.tables import Row, grouped, rows
from mlsim.units import parse

__all__ = [
    "chip", "chip_from_pairs", "chip_names", "forget", "generation", "model", "model_from_pairs", "model_names", "precision",
    "precision_names", "price", "prices", "runtime", "runtime_at", "runtime_format", "runtime_from_pairs", "runtime_names", "runtime_within", "training_runtimes", "use_registry_file",
    "user_files", "with_layers",
]  # fmt: skip

DEFAULT_RUNTIME = "vLLM"


def _figure(row: Mapping[str, str]) -> Figure:
    return Figure(
        row["value"], row["unit"], row["meaning"], row["source"], row["locator"], row.get("note", ""),
        float(row.get("spread") or 0.0),
    )  # fmt: skip


def aliases(row: Mapping[str, str]) -> list[str]:
    """Return the aliases of a registry row."""
    return [a.strip() for a in (row.get("aliases") or "").split(";") if a.strip()]


@cache
def _by_name(table: str) -> dict[str, Row]:
    """Return name -> row of a table whose entries have one row each."""
    return {row["name"]: row for row in rows(table)}


@cache
def _index(table: str) -> dict[str, str]:
    """Return normalised name or alias -> name of such a table."""
    return alias_index((name, aliases(row)) for name, row in _by_name(table).items())


# --- the user's own entries ------------------------------------------------------------------------------------------

_user_chips: dict[str, Chip] = {}
_user_models: dict[str, Model] = {}
_user_runtimes: dict[str, Runtime] = {}
_user_files: list[str] = []
_changes = [0]
_user_aliases: dict[str, dict[str, str]] = {"hardware": {}, "model": {}, "runtime": {}}

ATTRIBUTES = {
    "memory_bandwidth": ("memory bandwidth", "hbm bandwidth", "bandwidth", "bw"),
    "memory_capacity": ("memory capacity", "memory", "hbm", "capacity", "vram"),
    "board_power": ("board power", "power", "tdp"),
    "scaleup_bandwidth": ("scaleup bandwidth", "link bandwidth", "link", "nvlink", "interconnect"),
    "scaleup_domain": ("scaleup domain", "domain", "devices per domain"),
    "scaleout_bandwidth": ("scaleout bandwidth", "network bandwidth", "network"),
    "host_bandwidth": ("host bandwidth", "pcie"),
    "torus_dimensions": ("torus dimensions",),
}
_ATTRIBUTE_UNITS = {
    "memory_bandwidth": "TB/s",
    "memory_capacity": "GiB",
    "board_power": "W",
    "scaleup_bandwidth": "GB/s",
    "scaleout_bandwidth": "GB/s",
    "host_bandwidth": "GB/s",
    "peak_compute": "TFLOP/s",
}


def attribute_key(label: str) -> str:
    """Return the attribute that a label such as "HBM bandwidth" or "bf16 peak" means."""
    text = " ".join(label.replace("_", " ").casefold().split())
    for attribute, spellings in ATTRIBUTES.items():
        if text in spellings:
            return attribute
    for word in text.split():
        if word in _index("precisions"):
            return f"peak_compute {precision(word).compute}"
    raise NameNotFoundError(
        f"{shorten(label)} is not a hardware attribute. Use memory bandwidth, memory, power, link bandwidth, "
        "scaleup domain, network bandwidth, host bandwidth, or a peak such as 'bf16 peak'."
    )


_COUNTS = ("scaleup_domain", "torus_dimensions")


def _own_count(attribute: str, value: object, source: str) -> Figure:
    label = attribute.replace("_", " ")
    try:
        count = float(str(value))
    except ValueError:
        raise UnitError(f"{label} is a plain number, such as 8, not {shorten(value)}.") from None
    if not (count >= 1 and count.is_integer()):
        raise DomainError(f"{label} must be a whole number from 1, got {count:g}.")
    return Figure(f"{count:g}", "count", "the user's own figure", source, "given by the user")


def _own_figure(attribute: str, value: object, source: str) -> Figure:
    if attribute in _COUNTS:
        return _own_count(attribute, value, source)
    unit = _ATTRIBUTE_UNITS[attribute.split()[0]]
    if not isinstance(value, str):
        raise UnitError(
            f"{attribute.replace('_', ' ')}: write the unit, such as '{value} {unit}', not {shorten(value)}."
        )
    quantity = parse(value)
    quantity.to(unit if quantity.unit.dimension_name != "integer_operation/time" else "TOP/s")
    if quantity.kinds.get("density") == "sparse":
        raise UnitError(
            f"{shorten(value)} is a sparse peak; the models need the dense one (half of a 2:4-sparse peak)."
        )
    if quantity.kinds.get("direction") == "both directions":
        quantity = quantity * 0.5
    if quantity.si <= 0:
        raise DomainError(f"{attribute.replace('_', ' ')} must be above 0, got {value}.")
    return Figure(f"{quantity.value:.12g}", quantity.unit.text, "the user's own figure", source, "given by the user")


def chip_from_pairs(pairs: Sequence[tuple[str, object]], name: str = "own hardware", source: str = "user") -> Chip:
    """Return a chip from ``(label, value with unit)`` pairs, as in a two-column range of a sheet.

    A pair ``("based on", "H100")`` starts from that chip of the registry, and the other pairs replace its figures.

    Raises
    ------
    UnitError, NameNotFoundError
        For a value without a unit, with the wrong one, or an unknown label.
    """
    figures: dict[str, Figure] = {}
    base: Chip | None = None
    for label, value in pairs:
        text = " ".join(str(label).casefold().split())
        if text == "name":
            name = str(value)
        elif text == "based on":
            base = chip(value)
        else:
            attribute = attribute_key(str(label))
            figures[attribute] = _own_figure(attribute, value, source)
    if base is None:
        return Chip(name, "", "own", "default", figures, parameters("chip class", "default"))
    if name == "own hardware":
        name = base.name
    return Chip(
        name, base.vendor, base.kind, base.chip_class, {**base.figures, **figures}, base.efficiency, base.others
    )


_MODEL_LABELS = {
    "layers": "layers", "hidden": "hidden", "hidden size": "hidden", "heads": "heads", "attention heads": "heads",
    "kv heads": "kv_heads", "head dim": "head_dim", "ffn": "ffn", "intermediate size": "ffn", "vocab": "vocab",
    "vocabulary": "vocab", "experts": "experts", "experts per token": "experts_per_token", "moe ffn": "moe_ffn",
    "shared experts": "shared_experts", "dense layers": "dense_layers", "window": "window",
    "window layers": "window_layers", "ffn matrices": "ffn_matrices", "parameters": "total_params",
    "params": "total_params", "total params": "total_params", "kv lora rank": "kv_lora_rank",
    "q lora rank": "q_lora_rank", "qk nope dim": "qk_nope_dim", "qk rope dim": "qk_rope_dim", "v head dim": "v_head_dim",
    "tied embeddings": "tied_embeddings", "name": "name", "context": "context",
}  # fmt: skip


def model_from_pairs(pairs: Sequence[tuple[str, object]], name: str = "own model", source: str = "user") -> Model:
    """Return a model from ``(label, value)`` pairs: layers, hidden, heads, kv heads, head dim, ffn, vocab, params ..."""
    values: dict[str, Any] = {}
    for label, value in pairs:
        text = " ".join(str(label).replace("_", " ").casefold().split())
        key = _MODEL_LABELS.get(text)
        if key is None:
            raise NameNotFoundError(
                f"{shorten(label)} is not a model dimension. Use {', '.join(list(_MODEL_LABELS)[:12])} ..."
            )
        if key == "name":
            name = str(value)
        elif key == "total_params" and isinstance(value, str):
            values[key] = parse(value).to("param").si
        elif isinstance(value, (int, float)) and math.isfinite(value) and value >= 0:
            values[key] = float(value)
        else:
            raise UnitError(f"{label}: expected a number of 0 or more, got {shorten(value)}.")
    missing = [k for k in ("layers", "hidden", "heads", "vocab") if not values.get(k)]
    if missing or not (values.get("ffn") or values.get("moe_ffn")):
        raise UnitError(f"The model's own dimensions lack {', '.join(missing or ['ffn'])}.")
    values.setdefault("kv_heads", values["heads"])
    values.setdefault("head_dim", values["hidden"] / values["heads"])
    values.setdefault("ffn_matrices", 3.0)
    values.setdefault("ffn", 0.0)
    figure = Figure(name, "", "the user's own dimensions", source, "given by the user")
    return _model(name, "llm", values, figure, {})


def _model(name: str, kind: str, v: dict[str, Any], figure: Figure, row: Mapping[str, Any]) -> Model:
    """Build a model, deriving the parameter counts that are not given."""
    total, active = v.pop("total_params", 0.0), v.pop("active_params", 0.0)
    attention = v.pop("attention", "")
    tied = bool(v.pop("tied_embeddings", False))
    built = Model(name, kind, attention, total, active, tied_embeddings=tied, figure=figure, row=row, **v)
    if (total and active) or not built.layers:
        return built
    dense = built.attention_params_per_layer * built.layers + built.ffn_matrices * built.hidden * built.ffn * (
        built.layers - built.moe_layers
    )
    moe = built.moe_layers * (built.hidden * built.experts + built.shared_experts * built.expert_params)
    tables = built.head_count * built.embedding_params
    routed = built.moe_layers * built.expert_params
    return replace(
        built,
        total_params=total or dense + moe + tables + routed * built.experts,
        active_params=active or dense + moe + tables + routed * built.experts_per_token,
    )


def use_registry_file(path: str | os.PathLike[str]) -> list[str]:
    """Add the chips, models and runtimes of a YAML file; return their names.

    The file has ``hardware:``, ``models:`` and ``runtimes:``; each entry needs a ``source``::

        hardware:
          MyChip: {source: "vendor quote 2026-10", memory: 96 GiB, memory bandwidth: 4.1 TB/s, bf16 peak: 900 TFLOP/s}
    """
    import yaml

    file = Path(path)
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NameNotFoundError(f"The registry file {file} does not exist.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise NameNotFoundError(f"The registry file {file} cannot be read: {error}.") from None
    except yaml.YAMLError as error:
        raise UnitError(f"The registry file {file} is not valid YAML: {str(error).splitlines()[0]}.") from None
    if not isinstance(content, dict) or not content.keys() <= {"hardware", "models", "runtimes"}:
        raise UnitError(
            f"The registry file {file} may have the keys 'hardware', 'models' and 'runtimes', and no others."
        )
    _changes[0] += 1
    added: list[str] = []
    sections: tuple[tuple[str, Callable[..., Any], dict[str, Any], str], ...] = (
        ("hardware", chip_from_pairs, _user_chips, "hardware"),
        ("models", model_from_pairs, _user_models, "model"),
        ("runtimes", runtime_from_pairs, _user_runtimes, "runtime"),
    )
    for section, build, store, kind in sections:
        for name, entry in (content.get(section) or {}).items():
            if not isinstance(entry, dict) or not entry.get("source"):
                raise UnitError(f"{file}: {section}: {name} needs a 'source': every constant has one.")
            entry = dict(entry)
            source, aliases = str(entry.pop("source")), entry.pop("aliases", [])
            store[name] = build(list(entry.items()), name, source)
            for alias in (name, *aliases):
                _user_aliases[kind][normalise(str(alias))] = name
            added.append(str(name))
    _user_files.append(str(file.absolute()))
    return added


def user_files() -> list[str]:
    """Return the files whose entries are in use, for a process that shall know them too."""
    return list(dict.fromkeys(_user_files))


def generation() -> int:
    """Return a number that changes whenever the user's own entries do: for caches of what names mean."""
    return _changes[0]


def forget() -> None:
    """Drop the user's own entries."""
    _changes[0] += 1
    _user_chips.clear()
    _user_models.clear()
    _user_runtimes.clear()
    _user_files.clear()
    for table in _user_aliases.values():
        table.clear()


# --- hardware --------------------------------------------------------------------------------------------------------


@cache
def _priors(level: str) -> dict[str, dict[str, Figure]]:
    """Return group -> measured or assumed figures of a level ("chip class" or "runtime")."""
    table, column = ("efficiency", "chip_class") if level == "chip class" else ("runtimes", "name")
    return {name: {row["attribute"]: _figure(row) for row in group} for name, group in grouped(table, column)}


@cache
def _fitted(level: str) -> dict[str, dict[str, Figure]]:
    """Return group -> figures fitted to measurements."""
    groups: dict[str, dict[str, Figure]] = {}
    for row in rows("fitted"):
        if row["level"] == level:
            groups.setdefault(row["name"], {})[row["attribute"]] = _figure(row)
    return groups


# A chip class that no whole run informed lies about twice as far from its prior as the kernels' spread says: with this
# factor intervals of predictions whose chip class was left out hold about 80 % (decode 86, prefill 71, serving 80 to 93).
UNSEEN_CLASS = 2.0


def parameters(level: str, group: str) -> dict[str, Figure]:
    """Return the figures of a chip class or runtime: fitted, else its own, else those of ``default``."""
    priors, fitted = _priors(level), _fitted(level).get(group, {})
    found = {**priors["default"], **priors.get(group, {}), **fitted}
    if level == "chip class" and not fitted:
        return {name: replace(figure, spread=figure.spread * UNSEEN_CLASS) for name, figure in found.items()}
    return found


def prior_figure(level: str, group: str, name: str) -> Figure:
    """Return an efficiency parameter before any fit to whole runs; a spread of 0 means that it is not fitted."""
    priors = _priors(level)
    return priors.get(group, {}).get(name) or priors["default"][name]


@cache
def kind_spread(kind: str) -> float:
    """Return the standard deviation of log errors that no parameter explains, by kind of prediction."""
    return float(_by_kind(kind)["value"])


@cache
def parameter_share(kind: str) -> float:
    """Return the share of the parameters' summed variance that predictions of what no fit has seen bear out.

    Parameters of one fit err together: where one is too high another is too low, and a sum over them says too much.
    """
    return float(_by_kind(kind)["parameter_share"])


def _by_kind(kind: str) -> Row:
    return {row["kind"]: row for row in rows("kind_spread")}[kind]


@cache
def _figure_rows() -> dict[str, list[Row]]:
    return dict(grouped("hardware_figures", "chip"))


@lru_cache(maxsize=1024)
def _registry_chip(name: str) -> Chip:
    row = _by_name("hardware")[name]
    best: dict[str, Figure] = {}
    others: dict[str, list[Figure]] = {}
    for figure_row in _figure_rows().get(name, []):
        key = " ".join(filter(None, (figure_row["attribute"], figure_row["precision"])))
        if figure_row["rank"] == "best":
            best[key] = _figure(figure_row)
        else:
            others.setdefault(key, []).append(_figure(figure_row))
    return Chip(
        name, row["vendor"], row["kind"], row["chip_class"], best, parameters("chip class", row["chip_class"]),
        {key: tuple(figures) for key, figures in others.items()},
    )  # fmt: skip


def chip(name: object) -> Chip:
    """Return a chip by name or alias: ``chip("h100")``."""
    own = _user_aliases["hardware"].get(normalise(name)) if isinstance(name, str) and _user_chips else None
    return _user_chips[own] if own else _registry_chip(find(name, _index("hardware"), "hardware"))


def chip_names() -> list[str]:
    """Return the names of all chips, the user's own first."""
    return [*_user_chips, *_by_name("hardware")]


# --- models ----------------------------------------------------------------------------------------------------------

MODEL_NUMBERS = (
    "total_params", "active_params", "layers", "hidden", "heads", "kv_heads", "head_dim", "ffn", "ffn_matrices", "vocab",
    "moe_ffn", "experts", "experts_per_token", "shared_experts", "dense_layers", "window_layers", "linear_layers",
    "q_lora_rank", "kv_lora_rank", "qk_nope_dim", "qk_rope_dim", "v_head_dim", "context",
)  # fmt: skip


@lru_cache(maxsize=1024)
def _registry_model(name: str) -> Model:
    row = _by_name("models")[name]
    values: dict[str, Any] = {key: float(row[key] or 0) for key in MODEL_NUMBERS}
    values["window"] = float(row["window"]) if row["window"] else math.inf
    values["attention"] = row["attention"]
    values["tied_embeddings"] = row["tied_embeddings"].strip().casefold() == "true"
    figure = Figure(name, "", row["params_basis"] or "dimensions", row["source"], row["locator"], row["note"])
    return _model(name, row["kind"], values, figure, row)


def model(name: object) -> Model:
    """Return a model by name or alias: ``model("llama 3 70b")``."""
    own = _user_aliases["model"].get(normalise(name)) if isinstance(name, str) and _user_models else None
    return _user_models[own] if own else _registry_model(find(name, _index("models"), "model"))


def with_layers(base: Model, layers: float) -> Model:
    """Return a model cut or stretched to a number of layers, as proxies of large models are."""
    each = replace(
        base, layers=layers, total_params=0.0, active_params=0.0, dense_layers=min(base.dense_layers, layers - 1.0)
    )
    share = layers / base.layers
    values = {k: getattr(each, k) for k in MODEL_NUMBERS} | {
        "window": base.window, "attention": base.attention, "tied_embeddings": base.tied_embeddings,
        "window_layers": base.window_layers * share, "linear_layers": base.linear_layers * share,
    }  # fmt: skip
    figure = base.figure or Figure(base.name, "", "dimensions", "", "")
    return _model(f"{base.name} with {layers:g} layers", base.kind, values, figure, base.row)


def model_names() -> list[str]:
    """Return the names of all models, the user's own first."""
    return [*_user_models, *_by_name("models")]


# --- precisions and runtimes -----------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def precision(name: object) -> Precision:
    """Return a number format by name: ``precision("int4-g128")``."""
    row = _by_name("precisions")[find(name, _index("precisions"), "precision")]
    figure = Figure(row["bits_per_weight"], "bit", row["meaning"], row["source"], row["locator"], row["note"])
    whole = row.get("scope") == "whole model"
    return Precision(row["name"], float(row["bits_per_weight"]) / 8.0, row["compute_precision"], whole, figure)


def precision_names() -> list[str]:
    """Return the names of all number formats."""
    return list(_by_name("precisions"))


@cache
def _runtime_groups() -> dict[str, list[Row]]:
    return dict(grouped("runtimes", "name"))


@cache
def _runtime_index() -> dict[str, str]:
    return alias_index((n, [a for row in group for a in aliases(row)]) for n, group in _runtime_groups().items())


@lru_cache(maxsize=256)
def _registry_runtime(name: str) -> Runtime:
    return Runtime(name, parameters("runtime", name), name)


def runtime(name: object = DEFAULT_RUNTIME) -> Runtime:
    """Return a serving framework by name."""
    own = _user_aliases["runtime"].get(normalise(name)) if isinstance(name, str) and _user_runtimes else None
    return _user_runtimes[own] if own else _registry_runtime(find(name, _runtime_index(), "runtime"))


def runtime_from_pairs(pairs: Sequence[tuple[Any, ...]], name: str = "own runtime", source: str = "user") -> Runtime:
    """Return a runtime from ``(label, value)`` pairs, as a fitted profile or a range of a sheet gives them.

    ``("based on", "vLLM")`` names the runtime whose figures hold where the pairs give none; ``default`` otherwise. A
    third element is the share of the figure's variance that measurements took away: it narrows intervals.

    Raises
    ------
    UnitError, NameNotFoundError
        For an unknown label, or a value that is no number with the label's unit.
    """
    rows_ = {" ".join(str(row[0]).replace("_", " ").casefold().split()): row[1:] for row in pairs}
    name = str(rows_.pop("name", (name,))[0])
    base = runtime(rows_.pop("based on", ("default",))[0])
    figures = dict(base.figures)
    for label, (value, *rest) in rows_.items():
        known = figures.get(label.replace(" ", "_"))
        if known is None:
            some = ", ".join(a.replace("_", " ") for a in list(figures)[:8])
            raise NameNotFoundError(f"{shorten(label)} is not a figure of a runtime. Use {some} ...")
        share = rest[0] if rest and isinstance(rest[0], (int, float)) else 0.0
        figures[label.replace(" ", "_")] = replace(
            known, value=f"{_runtime_number(label, value, known.unit):.12g}", source=source, locator="given by the user",
            spread=known.spread * math.sqrt(max(0.0, 1.0 - share)),
        )  # fmt: skip
    return Runtime(name, figures, base.based_on)


def _runtime_number(label: str, value: object, unit: str) -> float:
    """Return a figure of a runtime in its unit."""
    if unit in ("ratio", "count"):
        try:
            number = float(str(value))
        except ValueError:
            raise UnitError(f"{label}: expected a plain number, got {shorten(value)}.") from None
    elif isinstance(value, str):
        number = parse(value).to(unit).value
    else:
        raise UnitError(f"{label}: write the unit, such as '{value} {unit}'.")
    if not math.isfinite(number) or number < 0:
        raise DomainError(f"{label}: expected a number of 0 or more, got {shorten(value)}.")
    return number


@cache
def _formats() -> dict[tuple[str, str], Row]:
    return {(row["runtime"], normalise(row["written"])): row for row in rows("runtime_formats")}


def runtime_format(runtime_name: str, written: str) -> Row | None:
    """Return what a runtime means by the name of a number format, where that differs from the common meaning."""
    return _formats().get((runtime_name, normalise(written)))


def runtime_within(text: str) -> str | None:
    """Return the runtime whose longest alias occurs in a text; None when none does."""
    key = normalise(text)
    found = [alias for alias in _runtime_index() if len(alias) > 2 and alias in key]
    return _runtime_index()[max(found, key=len)] if found else None


@cache
def _version_rows() -> dict[str, list[Row]]:
    return {name: sorted(group, key=lambda r: r["before"]) for name, group in grouped("runtime_versions", "runtime")}


def runtime_at(name: str, date: str) -> Runtime:
    """Return a framework as it was at a date (``2024-05``); the present one without a date."""
    present = runtime(name)
    for row in _version_rows().get(present.name, ()) if date else ():
        if date < row["before"][: len(date)]:
            return runtime(row["profile"])
    return present


def training_runtimes() -> list[str]:
    """Return the names of the frameworks that train: those with a figure of their own for an optimiser step."""
    own = [name for name, r in _user_runtimes.items() if r.based_on in _trainers()]
    return [*own, *_trainers()]


@cache
def _trainers() -> tuple[str, ...]:
    return tuple(
        name for name, group in _runtime_groups().items()
        if name != "default" and any(row["attribute"] == "update_overhead" for row in group)
    )  # fmt: skip


def runtime_names() -> list[str]:
    """Return the names of all runtimes, the user's own first."""
    return [*_user_runtimes, *_runtime_groups()]


# --- prices ----------------------------------------------------------------------------------------------------------


def name_index() -> dict[str, str]:
    """Return normalised name or alias -> name of every chip and model, for suggestions."""
    return {**_index("hardware"), **_index("models")}


def kind_of(name: str) -> str:
    """Return "hardware" or "model" when a text is exactly the name of one, "" otherwise: a quick look, without suggestions."""
    key = normalise(name)
    for kind, table in (("hardware", "hardware"), ("model", "models")):
        if key in _index(table) or key in _user_aliases[kind]:
            return kind
    return ""


def prices(chip_name: str) -> list[Row]:
    """Return the sourced prices of a chip, best first."""
    found = [row for row in rows("prices") if row["chip"] == chip_name]
    return sorted(found, key=lambda row: row["rank"] != "best")


def price(chip_name: str) -> Row:
    """Return the best sourced rental price of a chip; raise when there is none."""
    for row in prices(chip_name):
        if row["rank"] == "best" and row["unit"] == "USD/GPU-h":
            return row
    raise NameNotFoundError(
        f"The registry has no sourced rental price for {chip_name}: type yours, such as '2.50 $/GPU-h'."
    )
