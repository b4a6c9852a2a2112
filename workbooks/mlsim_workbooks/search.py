"""The command ``mlsim search``: plans as a table on the terminal, and as CSV."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from typing import Any

from mlsim.calibration.tables import write_table
from mlsim.errors import CellError, NameNotFoundError, shorten
from mlsim.functions.planning import SERVING_COLUMNS, demanded, price_of, serving_row
from mlsim.functions.training import PLAN_COLUMNS, plan_row
from mlsim.planner.flop_conventions import CONVENTIONS
from mlsim.planner.serving_search import search_serving
from mlsim.planner.training import Plan
from mlsim.planner.training_search import SPACES, Found, Job, Ranked, regions_without, search_training
from mlsim.planner.training_setup import checked_links, setting
from mlsim.registry import load
from mlsim.units import Quantity, parse, parse_unit

__all__ = ["serve", "train"]

_GIB = 2.0**30
_REASONS = 8  # infeasible regions to print
_WORTH = 0.99  # time over that of the plan above, to be printed; a file has the whole front
_EXTRA = (
    "sequence parallel", "split sends", "gather again", "tensor overlap", "data overlap", "offload weights", "offload activations",
    "offload optimizer", "table",
)  # fmt: skip


def train(args: argparse.Namespace) -> int:
    """Run ``mlsim search train``; return the exit code: 1 when nothing fits."""
    if args.space == "list":
        for space in SPACES.values():
            print(f"{space.name:26} recompute {'/'.join(space.recompute)}; ZeRO {'/'.join(map(str, space.sharding))}"
                  f"{'; offload' if space.offload else ''}{'; every network assignment' if space.levels else ''}")  # fmt: skip
        return 0
    if args.space not in SPACES:
        raise NameNotFoundError(f"{shorten(args.space)} is not a space. There is: {', '.join(map(repr, SPACES))}.")
    _above(args.top, "top")
    chip, model = load.chip(args.hardware), load.model(args.model)
    job = Job(
        setting(model, chip, load.precision(args.precision), load.runtime(args.runtime)), _above(args.devices, "devices"),
        _above(args.batch if args.batch is not None else max(64, 2 * args.devices), "batch"),
        _above(args.sequence, "sequence"),
    )  # fmt: skip
    checked_links(chip, job.on.fabric, job.devices)
    start = time.perf_counter()
    found = _with_progress(job, args)
    seconds = time.perf_counter() - start
    print(
        f"{found.plans:,} plans of {model.name} on {args.devices:,} {chip.name} in {seconds:.2f} s "
        f"({found.plans / seconds:,.0f} per second), {found.feasible:,} fit {job.on.capacity / _GIB:.1f} GiB per device. "
        f"MFU counts {CONVENTIONS['model'].text}."
    )
    if found.ranked:
        print("\nThe fastest plans:")
        _plans(found.ranked, job, args.space)
        best = found.ranked[0]
        print(f"\nFastest: where its {best.seconds:.3f} s go: {_parts(best)}.")
        print(f"Its memory, GiB: {_terms(best)}.")
        print("\nThe fastest of each split of the devices:")
        _plans(found.splits, job, args.space)
        print(
            "\nTime against memory: no other plan is both faster and leaner, and each is at least 1 % faster than the one above."
        )
        _plans(_apart(found.pareto), job, args.space)
    closed = regions_without(found)
    if closed:
        print(f"\n{len(closed)} of {len(found.regions)} regions hold no feasible plan. The closest:")
        for region in closed[:_REASONS]:
            print(f"  {region.reason(job.on.capacity)}")
    if args.output_file:
        _write(args.output_file, found, job)
    if not found.ranked:
        print("No plan fits: use more devices, a narrower format, or --space offload.")
    return 0 if found.ranked else 1


def _plans(plans: Sequence[Ranked], job: Job, space: str) -> None:
    """Print plans; where a space has switches beyond the usual ones, those too."""
    more = SPACES[space].offload
    rows = [
        plan_row(i, r, job) + ([_switched(r.plan, SPACES[space].levels)] if more else [])
        for i, r in enumerate(plans, 1)
    ]
    _table((*PLAN_COLUMNS, "switches") if more else PLAN_COLUMNS, rows)


def _switched(p: Plan, all_switches: bool) -> str:
    """Return what a plan offloads, and its other switches, in a word each."""
    named = {"weights": p.offload_weights, "activations": p.offload_activations, "optimizer": p.offload_optimizer}
    words = ["offload " + "+".join(name for name, on in named.items() if on)] if any(named.values()) else []
    if all_switches:
        words += ["sequence parallel"] if p.sequence_parallel else ["split sends"] if p.scatter_sends else []
        words += ["gather again"] if p.sequence_parallel and p.gather_again else []
        words += [f"overlap tensor {float(p.tensor_overlap):g} data {float(p.data_overlap):g}"]
    return ", ".join(words) or "-"


def _apart(front: Sequence[Ranked]) -> list[Ranked]:
    """Return the plans of a front, leanest first, that are enough faster than the one before to be worth a line."""
    kept: list[Ranked] = []
    for r in front:
        if not kept or r.seconds <= _WORTH * kept[-1].seconds:
            kept.append(r)
    return kept


def _with_progress(job: Job, args: argparse.Namespace) -> Found:
    """Search with a progress bar on a terminal."""
    from tqdm import tqdm

    with tqdm(unit="plan", unit_scale=True, desc="plans", disable=None) as bar:
        return search_training(job, SPACES[args.space], args.top, bar.update)


def _above(value: int, what: str) -> int:
    if value < 1:
        raise CellError("#NUM!", f"--{what} must be at least 1, got {value}.")
    return value


def _parts(r: Ranked) -> str:
    from mlsim.planner.training import PARTS

    shares = {name: float(getattr(r.step, name)) / r.seconds for name in PARTS}
    return ", ".join(
        f"{name} {share:.1%}" for name, share in sorted(shares.items(), key=lambda x: -x[1]) if share > 0.001
    )


def _terms(r: Ranked) -> str:
    from mlsim.planner.training_memory import TERMS

    return ", ".join(f"{name} {float(getattr(r.terms, name)) / _GIB:.1f}" for name in TERMS)


def _write(path: str, found: Found, job: Job) -> None:
    """Write the fastest plans, those of each split and the Pareto front as CSV, with every switch."""
    lines = []
    for mark, plans in (("fastest", found.ranked), ("split", found.splits), ("pareto", found.pareto)):
        for i, r in enumerate(plans, 1):
            p = r.plan
            switches = (
                p.sequence_parallel, p.scatter_sends, p.gather_again, p.tensor_overlap, p.data_overlap, p.offload_weights,
                p.offload_activations, p.offload_optimizer,
            )  # fmt: skip
            lines.append([_plain(v) for v in (*plan_row(i, r, job), *switches)] + [mark])
    write_table(path, (*PLAN_COLUMNS, *_EXTRA), lines)
    print(f"Wrote {path}.")


def serve(args: argparse.Namespace) -> int:
    """Run ``mlsim search serve``; return the exit code: 1 when nothing meets the targets."""
    _above(args.top, "top")
    chips = [load.chip(name.strip()) for name in args.hardware.split(",") if name.strip()]
    if not chips:
        raise CellError("#VALUE!", "--hardware names no chip: give one or more, such as H100,MI300X.")
    typed = [text for text in args.price.split(",") if text.strip()]
    if typed and len(typed) != len(chips):
        raise CellError(
            "#VALUE!", f"--price gives {len(typed)} prices for {len(chips)} chips: one per chip, in their order."
        )
    prices = [price_of(chip, typed[i] if typed else "") for i, chip in enumerate(chips)]
    demand = demanded(_rate(args.rate), args.prompt, args.output, parse(args.ttft), parse(args.tpot), args.quantile)
    found = search_serving(
        load.model(args.model), chips, demand, load.precision(args.precision), load.precision(args.kv_precision),
        load.runtime(args.runtime), prices,
    )  # fmt: skip
    good = [s for s in found if not s.reason]
    rows = [serving_row(i, s, demand) for i, s in enumerate(good[: args.top], 1)]
    print(
        f"{args.model} at {demand.rate:g} requests/s of {args.prompt} + {args.output} tokens: TTFT at most "
        f"{demand.ttft * 1e3:g} ms for {demand.quantile * 100:g} % of them, TPOT at most {demand.tpot * 1e3:g} ms."
    )
    if rows:
        _table(SERVING_COLUMNS, rows)
    for s in found:
        if s.reason:
            print(f"not possible: {s.tp} {s.chip}: {s.reason}")
    if args.output_file:
        write_table(args.output_file, SERVING_COLUMNS, [[_plain(v) for v in row] for row in rows])
        print(f"Wrote {args.output_file}.")
    return 0 if rows else 1


def _rate(text: str) -> Quantity:
    """Read a request rate; a bare number is requests per second."""
    try:
        return Quantity(float(text), parse_unit("1"))
    except ValueError:
        return parse(text)


def _plain(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print a table with aligned columns."""
    cells = [list(header), *([_plain(v) if not isinstance(v, float) else f"{v:.4g}" for v in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    for row in cells:
        print("  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True)))
