"""The resolved inputs of a comparison, its results, and where they stand on the sheets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mlsim.errors import CellError, DomainError, NameNotFoundError, UnitError, shorten
from mlsim.functions import call
from mlsim.registry import load
from mlsim.registry.records import Chip, Model, Precision, Runtime
from mlsim.units import parse

MAX_CHIPS = 12
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
MAX_TPOT_MS = 50.0  # slower than this nobody waits for a token; the reader may change it

# Where the inputs stand on the sheet "Decision".
TOP = 7
MODEL, PRECISION, BATCH, PROMPT, OUTPUT, TARGET = (f"$D${TOP + i}" for i in range(6))
FULL, MEAN = "{p}$D$10+{p}$D$11", "{p}$D$10+{p}$D$11/2"  # context at the end, and the mean over the output
DECISION = "Decision!"
SHARE = "Memory!$O$5"  # the share of the memory that the runtime may use
CHECK_INPUTS = "check Inputs"  # what a model cell says when a typed figure cannot be used


@dataclass(frozen=True, slots=True)
class Row:
    """One chip's result; None where the model has no answer (``problem`` says why).

    ``best_...`` is at the batch that costs least among those that fit and serve a token within ``MAX_TPOT_MS``.
    """

    chip: str
    devices: int | None
    ttft_ms: float | None
    tpot_ms: float | None
    tokens_per_second: float | None
    price: float | None
    dollars_per_million_tokens: float | None
    problem: str = ""
    best_batch: int | None = None
    best_tpot_ms: float | None = None
    best_dollars: float | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was built: a row per chip, best first, the file, and what its reader should know."""

    rows: tuple[Row, ...]
    path: Path
    warnings: tuple[str, ...]


@dataclass(slots=True)
class Plan:
    """The resolved inputs."""

    model: Model
    precision: Precision
    runtime: Runtime
    batch: int
    prompt: int
    output: int
    prices: Mapping[str, str]
    rows: list[Row] = field(default_factory=list)
    checks: dict[tuple[str, str], int] = field(default_factory=dict)

    @property
    def chips(self) -> list[Chip]:
        """The compared chips, best first."""
        return [load.chip(row.chip) for row in self.rows]

    @property
    def peak(self) -> str:
        """Kind of the peak: of floating point, or of integers."""
        return "integer peak" if self.precision.compute.startswith("int") else "peak"

    @property
    def kinds(self) -> tuple[tuple[str, str], ...]:
        """(kind, label) of a chip's lines on the sheet Inputs; those between the first and the last are figures."""
        return (
            ("base", "Based on"), ("bandwidth", "Memory bandwidth"), ("memory", "Memory"),
            (self.peak, f"{self.precision.compute} peak, dense"), ("link", "Scale-up link, one direction"),
            ("price", "Price"),
        )  # fmt: skip

    @property
    def table(self) -> int:
        """First row of the ranked table on the sheet Decision."""
        return TOP + max(6, len(self.rows)) + 2

    def row_of(self, chip: str) -> int:
        """Return a chip's row in the ranked table."""
        return self.table + next(i for i, row in enumerate(self.rows) if row.chip == chip)

    def figures(self, chip: str) -> str:
        """The two-column range on the sheet Inputs that the models take as this chip."""
        first, last = input_row(self, chip, "base"), input_row(self, chip, "price") - 1
        return f"Inputs!$D${first}:$E${last}"

    def price_cell(self, chip: str) -> str:
        """Return the cell of a chip's price on the sheet Decision."""
        return f"$J${TOP + next(i for i, row in enumerate(self.rows) if row.chip == chip)}"


def input_row(plan: Plan, chip: str, kind: str) -> int:
    """Return the row of a chip's figure on the sheet Inputs."""
    i = next(i for i, row in enumerate(plan.rows) if row.chip == chip)
    return 6 + i * len(plan.kinds) + next(k for k, (name, _) in enumerate(plan.kinds) if name == kind)


def quoted(text: str) -> str:
    """Return a formula's text literal."""
    return f'"{text}"'


def _count(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise UnitError(f"{name}: expected a whole number, got {shorten(value)}.")
    if value <= 0:
        raise DomainError(f"{name} must be above 0, got {value}.")
    return value


def resolve(
    model: str, hardware: Sequence[str], prompt: int, output: int, batch: int, precision: str, prices: Mapping[str, str]
) -> Plan:  # fmt: skip
    """Read and check the inputs, and work out every chip, best first."""
    if isinstance(hardware, str):
        raise UnitError("hardware: expected a list of chips, got one text.")
    if not hardware:
        raise UnitError("No hardware to compare: name at least one chip, such as H100,MI300X.")
    chips = [load.chip(name) for name in hardware]
    names = [chip.name for chip in chips]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        asked = [given for given, name in zip(hardware, names, strict=True) if name == twice]
        raise UnitError(f"{' and '.join(asked)} are the same chip, {twice}: name it once.")
    if len(chips) > MAX_CHIPS:
        raise DomainError(f"{len(chips)} chips are too many for one sheet: compare at most {MAX_CHIPS}.")
    plan = Plan(
        load.model(model), load.precision(precision), load.runtime(), _count("batch", batch), _count("prompt", prompt),
        _count("output", output), _own_prices(prices, names),
    )  # fmt: skip
    call("MLSIM_KV_CACHE", [plan.model.name, prompt + output, batch])  # refuses what is not a language model
    plan.rows = sorted((_row(plan, chip) for chip in chips), key=_order)
    return plan


def _own_prices(prices: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    found = {}
    for given, text in prices.items():
        name = load.chip(given).name
        if name not in names:
            raise UnitError(f"A price is given for {name}, which is not compared: add it to the hardware.")
        quantity = parse(text).to("$/GPU-h")
        if quantity.si <= 0:
            raise DomainError(f"The price of {name} must be above 0, got {text}.")
        found[name] = price_text(quantity.value)
    return found


def price_text(value: float) -> str:
    """Write a price as the workbook shows it."""
    return f"{value:.2f} $/GPU-h" if abs(round(value, 2) - value) < 1e-9 else f"{value:.6g} $/GPU-h"


def registry_price(chip: str) -> Mapping[str, str] | None:
    """Return the best sourced price of a chip; None when there is none."""
    try:
        return load.price(chip)
    except NameNotFoundError:
        return None


def price_of(plan: Plan, chip: str) -> str:
    """Return the price as text; empty when nobody gave one."""
    sourced = registry_price(chip)
    return plan.prices.get(chip) or (price_text(float(sourced["price_per_chip"])) if sourced else "")


def _row(plan: Plan, chip: Chip) -> Row:
    """Work out one chip, so that rows can be ordered and charts know what to draw."""
    m, p, full, mean = plan.model.name, plan.precision.name, plan.prompt + plan.output, plan.prompt + plan.output / 2
    text = price_of(plan, chip.name)
    price = parse(text).to("$/GPU-h").value if text else None
    tp: int | None = None
    try:
        tp = int(call("MLSIM_MIN_DEVICES", [m, chip.name, plan.batch, full, p]))
        ttft = float(call("MLSIM_PREFILL_LATENCY", [m, chip.name, 1, plan.prompt, p, tp]))
        tpot = float(call("MLSIM_DECODE_LATENCY", [m, chip.name, plan.batch, mean, p, tp]))
        rate = float(call("MLSIM_THROUGHPUT", [m, chip.name, plan.batch, plan.prompt, plan.output, p, tp]))
    except CellError as error:
        return Row(chip.name, tp, None, None, None, price, None, error.message)
    cost = None if price is None else price * tp / rate / 3600 * 1e6
    best = _best_batch(plan, chip, tp)
    if best is None:
        return Row(chip.name, tp, ttft, tpot, rate, price, cost)
    hours, size, slow = best
    return Row(chip.name, tp, ttft, tpot, rate, price, cost, "", size, slow, None if price is None else price * hours)


def _best_batch(plan: Plan, chip: Chip, tp: int) -> tuple[float, int, float] | None:
    """Return (device-hours per million tokens, batch, TPOT in ms) of the cheapest batch that is fast enough."""
    m, p, full, mean = plan.model.name, plan.precision.name, plan.prompt + plan.output, plan.prompt + plan.output / 2
    found = []
    largest = int(call("MLSIM_MAX_BATCH", [m, chip.name, full, p, tp]))
    for batch in dict.fromkeys(min(batch, largest) for batch in BATCHES if largest > 0):
        tpot = float(call("MLSIM_DECODE_LATENCY", [m, chip.name, batch, mean, p, tp]))
        rate = float(call("MLSIM_THROUGHPUT", [m, chip.name, batch, plan.prompt, plan.output, p, tp]))
        if tpot <= MAX_TPOT_MS:
            found.append((tp / rate / 3600 * 1e6, batch, tpot))
    return min(found, default=None)


def _order(row: Row) -> tuple[int, float, str]:
    """Cheapest at its best batch first, then the others by throughput per device, then those without an answer."""
    if row.best_dollars is not None:
        return 0, row.best_dollars, row.chip
    if row.tokens_per_second is not None:
        return 1, -row.tokens_per_second / (row.devices or 1), row.chip
    return 2, 0.0, row.chip


def warnings_of(plan: Plan) -> Iterator[str]:
    """Yield what the reader of the workbook should know."""
    for row in plan.rows:
        if row.problem:
            yield f"{row.chip}: {row.problem}"
        if row.price is None:
            yield f"{row.chip}: the registry has no sourced rental price; type one into the sheet Decision."
