"""Registry figures, their sources, and the reason behind a result."""

from __future__ import annotations

from typing import Any

from mlsim.errors import CellError, NameNotFoundError, shorten
from mlsim.functions import catalogue
from mlsim.functions.catalogue import CATALOGUE, Arg, declare
from mlsim.planner import inference
from mlsim.registry import load
from mlsim.registry.names import normalise
from mlsim.registry.records import Chip, Figure, Model
from mlsim.registry.tables import rows, sources
from mlsim.units import Quantity, Unit, parse, parse_unit

NAME = Arg("name", "text", "A chip or a model.")
ATTRIBUTE = Arg("attribute", "text", "What is wanted: 'memory bandwidth', 'memory', 'bf16 peak', 'power', 'layers' ...")


def _entry(name: str) -> Chip | Model:
    try:
        return load.chip(name)
    except NameNotFoundError as no_chip:
        try:
            return load.model(name)
        except NameNotFoundError:
            raise NameNotFoundError(
                no_chip.message.replace("in the hardware registry", "in the hardware or the model registry")
            ) from None


def _chip_key(chip: Chip, attribute: str) -> str:
    """Return the key of a chip's figure: labels as in a sheet ("HBM bandwidth"), or the registry's own name."""
    text = " ".join(attribute.replace("_", " ").casefold().split())
    plain = {key.replace("_", " "): key for key in (*chip.figures, *chip.efficiency)}
    if text in plain:
        return plain[text]
    key = load._attribute(attribute)
    if key == "memory_capacity" and key not in chip.figures:
        key = "memory_capacity_label"
    if key not in chip.figures:
        raise NameNotFoundError(
            f"The registry has no sourced {attribute} for {chip.name}. It has {', '.join(sorted(plain))}."
        )
    return key


@declare("Registry", NAME, ATTRIBUTE, Arg("unit", "unit", "Unit of the result; without it the figure comes as text.", None),
         example='=MLSIM_SPEC("H100","memory bandwidth","TB/s")')  # fmt: skip
def MLSIM_SPEC(name: str, attribute: str, unit: Unit | None) -> Any:
    """One figure of the registry: as text with its unit, or as a number in the unit given."""
    entry = _entry(name)
    if isinstance(entry, Model):
        value = _dimension(entry, attribute)
        if unit is None or not isinstance(value, float):
            return value
        scale = parse_unit("param") if "param" in attribute else parse_unit("1")
        return Quantity(value, scale).to(unit).value
    figure = {**entry.figures, **entry.efficiency}[_chip_key(entry, attribute)]
    if unit is None:
        return figure.text
    return (
        (Quantity(figure.si, parse_unit("1")) if figure.unit in ("ratio", "count") else parse(figure.text))
        .to(unit)
        .value
    )


def _dimension(model: Model, attribute: str) -> Any:
    text = " ".join(attribute.replace("_", " ").casefold().split())
    key = load._MODEL_LABELS.get(text, text.replace(" ", "_"))
    if key in ("attention", "kind"):
        return getattr(model, key)
    if key in load._MODEL_NUMBERS or key == "window":
        value = float(getattr(model, key))
        if not value or value == float("inf"):
            raise NameNotFoundError(
                f"{model.name} has no {attribute} in the registry: it does not apply, or no source gives it."
            )
        return value
    raise NameNotFoundError(
        f"{shorten(attribute)} is not a model dimension. Use layers, hidden, heads, kv heads, total params ..."
    )


@declare("Registry", NAME, ATTRIBUTE, example='=MLSIM_SOURCE("H100","memory bandwidth")')
def MLSIM_SOURCE(name: str, attribute: str) -> str:
    """Where a figure comes from: value, meaning, title, place, address, date."""
    entry = _entry(name)
    if isinstance(entry, Model):
        _dimension(entry, attribute)
        assert entry.figure is not None
        return _cite(entry.figure, f"{entry.name} {attribute}")
    key = _chip_key(entry, attribute)
    figure = {**entry.figures, **entry.efficiency}[key]
    disagree = [f.text for f in entry.others.get(key, ()) if f.text != figure.text]
    also = f" Other sources: {', '.join(dict.fromkeys(disagree))}." if disagree else ""
    return _cite(figure, f"{figure.text} ({figure.meaning})") + also


def _cite(figure: Figure, what: str) -> str:
    source = sources().get(figure.source)
    if source is None:
        return f"{what}: {figure.source}, {figure.locator}."
    return f"{what}: {source['title']}, {figure.locator}. {source['address']} ({source['date']})."


_LISTS: dict[str, Any] = {
    "hardware": load.chip_names,
    "models": load.model_names,
    "precisions": load.precision_names,
    "runtimes": load.runtime_names,
    "functions": lambda: list(CATALOGUE),
    "interconnects": lambda: [row["name"] for row in rows("interconnects")],
    "grids": lambda: [row["region"] for row in rows("grids")],
    "prices": lambda: sorted({row["chip"] for row in rows("prices")}),
}


@declare(
    "Registry", Arg("registry", "text", f"One of {', '.join(_LISTS)}."), example='=MLSIM_LIST("hardware")', spills=True
)
def MLSIM_LIST(registry: str) -> list[list[str]]:
    """All names of one registry, as a column that spills."""
    key = normalise(registry)
    for name, names in _LISTS.items():
        if key in (name, name.removesuffix("s")) or (name == "hardware" and key in ("chip", "chips")):
            return [[n] for n in names()]
    raise NameNotFoundError(f"{shorten(registry)} is not a registry. Use one of {', '.join(_LISTS)}.")


@declare(
    "Units", Arg("function", "text", "The function's name, such as 'MLSIM_DECODE_LATENCY'."),
    Arg("args", "raw", "The same arguments as in its cell.", vararg=True),
    example='=MLSIM_WHY("MLSIM_FITS","140 GB","80 TFLOP/s")',
)  # fmt: skip
def MLSIM_WHY(function: str, *args: Any) -> str:
    """Explain a result, or the error in its place, in a sentence: what was expected, what came, the likely fix."""
    target = catalogue.find(function)
    args = tuple(a[0][0] if isinstance(a, list) and len(a) == 1 and a[0] and len(a[0]) == 1 else a for a in args)
    try:
        result = target(*args)
    except CellError as error:
        return f"{error.code} {error.message}"
    if isinstance(result, list):
        return f"{target.name} gives a range of {len(result)}×{len(result[0])}; ask about one cell."
    return _explain(target, args, result)


def _explain(target: catalogue.Function, args: tuple[Any, ...], result: Any) -> str:
    bound: dict[str, Any] = dict(zip((a.name for a in target.args), target._bind(args), strict=False))
    model, chip = bound.get("model"), bound.get("hardware")
    if not isinstance(model, Model) or not isinstance(chip, Chip):
        return f"{target.name} gives {result}: {target.doc.splitlines()[0]}"
    precision, runtime, tp = bound["precision"], bound.get("runtime") or load.runtime(), bound.get("tp", 1.0)
    kv = bound.get("kv_precision") or load.precision("bf16")
    batch = bound.get("batch", 1.0)
    if target.category == "Memory":
        if target.name == "MLSIM_MIN_DEVICES":
            tp = result
        if target.name == "MLSIM_MAX_BATCH":
            batch = max(result, 1.0)
        need = inference.memory(model, batch, bound["context"], precision, kv, runtime, tp)
        usable = inference.usable_memory(chip, runtime)
        gib = 2.0**30
        place = "on" if tp == 1 else f"on each of {tp:g}"
        return (
            f"{model.name} in {precision.name} with batch {batch:g} at {bound['context']:g} tokens needs "
            f"{float(need.total) / gib:.1f} GiB {place} {chip.name}: weights {float(need.weights) / gib:.1f}, "
            f"KV cache {float(need.kv_cache) / gib:.1f}, activations {float(need.activations) / gib:.1f}, logits "
            f"{float(need.logits) / gib:.1f}, framework {float(need.framework + need.collectives) / gib:.1f}. "
            f"{runtime.name} may use {usable / gib:.1f} of its {chip.memory / gib:.1f} GiB ({runtime.memory_fraction:.0%}): "
            f"{'it fits' if float(need.total) <= usable else 'it does not fit'}."
        )
    if "prompt" in bound:
        step, what = inference.prefill(model, chip, batch, bound["prompt"], precision, kv, runtime, tp), "Prefill"
    else:
        step, what = (
            inference.decode(model, chip, batch, bound["context"], precision, kv, runtime, tp),
            "One decode step",
        )
    return (
        f"{what} of {model.name} in {precision.name} on {tp:g} {chip.name} takes {float(step.total) * 1e3:.2f} ms: memory traffic "
        f"{float(step.memory) * 1e3:.2f}, compute {float(step.compute) * 1e3:.2f}, communication "
        f"{float(step.communication) * 1e3:.2f}, kernel launches {float(step.overhead) * 1e3:.2f}. A device reads "
        f"{float(step.bytes_moved) / 1e9:.1f} GB at {chip.get('memory_efficiency'):.0%} of "
        f"{chip.get('memory_bandwidth') / 1e12:.2f} TB/s and does {float(step.flops) / 1e12:.2f} TFLOP. "
        f"Bottleneck: {step.bottleneck}."
    )
