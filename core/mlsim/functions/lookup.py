"""Registry figures, their sources, and the reason behind a result."""

from __future__ import annotations

from typing import Any

from mlsim.errors import CellError, NameNotFoundError, shorten
from mlsim.functions import catalogue
from mlsim.functions.catalogue import CATALOGUE, Arg, declare
from mlsim.functions.training import (
    NO_LAYOUT,
    collective_links,
    convention,
    memory_of,
    planned,
    recompute_text,
    sharding_text,
    step_of,
)
from mlsim.planner import inference
from mlsim.planner.flop_conventions import CONVENTIONS
from mlsim.planner.training import PARTS
from mlsim.planner.training_memory import TERMS as MEMORY_TERMS
from mlsim.registry import load
from mlsim.registry.figures import entry
from mlsim.registry.names import normalise
from mlsim.registry.records import Chip, Figure, Model
from mlsim.registry.tables import rows, sources
from mlsim.units import Quantity, Unit, parse, parse_unit

NAME = Arg("name", "text", "A chip, model, precision, runtime, interconnect or grid region.")
ATTRIBUTE = Arg("attribute", "text", "What is wanted: 'memory bandwidth', 'memory', 'bf16 peak', 'power', 'layers' ...")


@declare("Registry", NAME, ATTRIBUTE, Arg("unit", "unit", "Unit of the result; without it the figure comes as text.", None),
         example='=MLSIM_SPEC("H100","memory bandwidth","TB/s")')  # fmt: skip
def MLSIM_SPEC(name: str, attribute: str, unit: Unit | None) -> Any:
    """One figure of the registry: as text with its unit, or as a number in the unit given. Counts are numbers anyway."""
    found = entry(name)
    figure = found.figures[found.find(attribute)]
    if figure.unit in ("ratio", "count"):
        return figure.si if unit is None else Quantity(figure.si, parse_unit("1")).to(unit).value
    return figure.text if unit is None else parse(figure.text).to(unit).value


@declare("Registry", NAME, ATTRIBUTE, example='=MLSIM_SOURCE("H100","memory bandwidth")')
def MLSIM_SOURCE(name: str, attribute: str) -> str:
    """Where a figure comes from: value, meaning, title, place, address, date; and what other sources say."""
    found = entry(name)
    key = found.find(attribute)
    figure = found.figures[key]
    disagree = [f.text for f in found.others.get(key, ()) if f.text != figure.text]
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
    "conventions": lambda: list(CONVENTIONS),
    "interconnects": lambda: [row["name"] for row in rows("interconnects")],
    "grids": lambda: [row["region"] for row in rows("grids")],
    "prices": lambda: sorted({row["chip"] for row in rows("prices")}),
}


@declare("Registry", Arg("registry", "text", f"One of {', '.join(_LISTS)}."), example='=MLSIM_LIST("hardware")')
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
    args = catalogue.single_cells(args)
    try:
        result = target(*args)
    except CellError as error:
        return f"{error.code} {error.message}"
    if isinstance(result, list):
        return f"{target.name} gives a range of {len(result)}×{len(result[0])}; ask about one cell."
    return _explain(target, args, result)


def _explain(target: catalogue.Function, args: tuple[Any, ...], result: Any) -> str:
    bound = target.bound(args)
    if target.category == "Communication" and "message" in bound:
        return _explain_collective(target, bound, result)
    model, chip = bound.get("model"), bound.get("hardware")
    if not isinstance(model, Model) or not isinstance(chip, Chip):
        return f"{target.name} gives {result}: {target.doc.splitlines()[0]}"
    if target.category == "Serving":
        return _explain_serving(target, bound, result)
    if target.category == "Training":
        return _explain_training(target, bound, result)
    if "precision" not in bound:
        return f"{target.name} gives {result}: {target.doc.splitlines()[0]}"
    precision, runtime, tp = bound["precision"], bound.get("runtime") or load.runtime(), bound.get("tp", 1.0)
    kv = bound.get("kv_precision") or load.precision("bf16")
    batch = bound.get("batch", 1.0)
    if target.category == "Memory":
        if target.name == "MLSIM_MIN_DEVICES":
            tp = result
        if target.name == "MLSIM_MAX_BATCH":
            batch = max(result, 1.0)
        need = inference.need(model, batch, bound["context"], precision, kv, runtime, tp)
        usable, share = inference.usable_memory(chip, runtime), runtime.get("memory_fraction")
        gib = 2.0**30
        place = "on" if tp == 1 else f"on each of {tp:g}"
        return (
            f"{model.name} in {precision.name} with batch {batch:g} at {bound['context']:g} tokens needs "
            f"{float(need.total) / gib:.1f} GiB {place} {chip.name}: weights {float(need.weights) / gib:.1f}, "
            f"KV cache {float(need.kv_cache) / gib:.1f}, activations {float(need.activations) / gib:.1f}, logits "
            f"{float(need.logits) / gib:.1f}, framework {float(need.framework + need.collectives) / gib:.1f}. "
            f"{runtime.name} may use {usable / gib:.1f} of its {chip.memory / gib:.1f} GiB ({share:.0%}): "
            f"{'it fits' if float(need.total) <= usable else 'it does not fit'}."
        )
    if "prompt" in bound:
        step, what = inference.prefill(model, chip, batch, bound["prompt"], precision, kv, runtime, tp), "Prefill"
    else:
        step, what = (
            inference.decode(model, chip, batch, bound["context"], precision, kv, runtime, tp),
            "One decode step",
        )
    read = chip.get("memory_efficiency") * runtime.get("memory_share")
    return (
        f"{what} of {model.name} in {precision.name} on {tp:g} {chip.name} takes {float(step.total) * 1e3:.2f} ms: memory traffic "
        f"{float(step.memory) * 1e3:.2f}, compute {float(step.compute) * 1e3:.2f}, communication "
        f"{float(step.communication) * 1e3:.2f}, launches and host {float(step.overhead) * 1e3:.2f}. A device reads "
        f"{float(step.bytes_moved) / 1e9:.1f} GB at {read:.0%} of "
        f"{chip.get('memory_bandwidth') / 1e12:.2f} TB/s and does {float(step.flops) / 1e12:.2f} TFLOP. "
        f"Bottleneck: {step.bottleneck}."
    )


def _explain_serving(target: catalogue.Function, bound: dict[str, Any], result: Any) -> str:
    """Explain a serving result by the pass it rests on."""
    said = f"{target.name} gives {result:.4g}: {target.doc.splitlines()[0]}"
    if target.name not in ("MLSIM_SERVING_RATE", "MLSIM_SERVING_TPOT"):
        return said
    model, chip, runtime, tp = (bound[name] for name in ("model", "hardware", "runtime", "tp"))
    load_ = (bound["prompt"], bound["output"], bound["precision"], bound["kv_precision"], runtime, tp)
    batch = bound.get("concurrency") or float(inference.in_flight(model, chip, *load_))
    step = inference.interleaved(model, chip, batch, *load_)
    return (
        f"{said} {batch:,.0f} requests are in flight; a pass of all of them, with the prompts of those that join, takes "
        f"{float(step.total) * 1e3:.2f} ms: memory traffic {float(step.memory) * 1e3:.2f}, compute "
        f"{float(step.compute) * 1e3:.2f}, communication {float(step.communication) * 1e3:.2f}, launches and host "
        f"{float(step.overhead) * 1e3:.2f}. Bottleneck: {step.bottleneck}."
    )


def _explain_collective(target: catalogue.Function, bound: dict[str, Any], result: Any) -> str:
    """Explain a collective by the links it runs over and the bandwidth it reaches."""
    chip, ranks, message, unit = (bound[name] for name in ("hardware", "devices", "message", "unit"))
    links = collective_links(
        chip, ranks, bound["domain"], bound["network"], bound["oversubscription"], bound.get("rails", 0.0)
    )
    local = min(float(ranks), float(links.domain))
    both_ways = 2.0 if target.name == "MLSIM_ALLREDUCE" else 1.0
    seconds = Quantity(result, unit).si
    reached = both_ways * (ranks - 1.0) / ranks * message.to("byte").si / seconds if seconds else 0.0
    between = f" and {links.network / 1e9:g} GB/s between domains" if ranks > local else ""
    return (
        f"{target.name} gives {result:.4g} {unit.text} for {message} on each of {ranks:g} {chip.name}, {local:g} in a domain, "
        f"with {links.link / 1e9:g} GB/s per device and direction inside{between}: a bus bandwidth of "
        f"{reached / 1e9:.1f} GB/s. {target.doc.splitlines()[0]}"
    )


def _explain_training(target: catalogue.Function, bound: dict[str, Any], result: Any) -> str:
    """Explain a training result by the terms of its step or of its memory, and by what it counts."""
    rule = convention(bound["convention"]) if "convention" in bound else None
    layout = [value for name, value in bound.items() if name not in NO_LAYOUT]
    on, plan = planned(*layout)
    chip: Chip = bound["hardware"]
    where = (
        f"{bound['model'].name} on {float(plan.devices):g} {chip.name} (tp {plan.tp:g}, pp {plan.pp:g}, cp {plan.cp:g}, "
        f"ep {plan.ep:g}, dp {float(plan.dp):g}, {float(plan.chunks):g} chunk(s), micro-batch {float(plan.micro_batch):g}, "
        f"sharding {sharding_text(plan)}, recomputing {recompute_text(plan)})"
    )
    memory, gib = memory_of(on, plan), 2.0**30
    total = float(memory.total)
    terms = ", ".join(f"{name} {float(getattr(memory, name)) / gib:.1f}" for name in MEMORY_TERMS)
    if target.name == "MLSIM_TRAIN_MEMORY":
        verdict = "it fits" if total <= on.capacity else "it does not fit"
        return (
            f"{where} needs {total / gib:.1f} GiB on its fullest device: {terms}. {chip.name} has "
            f"{on.capacity / gib:.1f} GiB: {verdict}."
        )
    step = step_of(on, plan)
    if target.name == "MLSIM_TRAIN_TIME":
        steps = bound["tokens"].si / (float(plan.global_batch) * float(plan.sequence))
        where = f"{result:.4g} {bound['unit'].text}: {steps:,.0f} steps, {bound['goodput']:.0%} of the time. {where}"
    shown = ", ".join(
        f"{name} {float(getattr(step, name)) * 1e3:.1f}"
        for name in PARTS
        if float(getattr(step, name)) > 1e-6 * step.total
    )
    fits = (
        "" if total <= on.capacity else f" It needs {total / gib:.1f} GiB of {on.capacity / gib:.1f}: it does not fit."
    )
    said = f"{where} takes {float(step.total):.3f} s per step, in ms: {shown}. Bottleneck: {step.bottleneck}.{fits}"
    if rule is None:
        return said
    return f"{target.name} gives {result:.4g} of {on.device.peak / 1e12:g} TFLOP/s, counting {rule.text} ({rule.source}). {said}"
