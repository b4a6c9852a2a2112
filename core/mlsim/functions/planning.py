"""Serving plans: the cheapest way to serve a request rate within latency targets."""

from __future__ import annotations

import math
from typing import Any

from mlsim.errors import DomainError, UnitError
from mlsim.functions.catalogue import Arg, declare
from mlsim.functions.inference import KV_PRECISION, MODEL, PRECISION, RUNTIME, named
from mlsim.planner.serving_search import Demand, Served, check_demand, search_serving
from mlsim.registry import load
from mlsim.registry.records import Chip, Precision, Runtime
from mlsim.units import Quantity, parse_unit

CHIPS = Arg("hardware", "text", "Chips to choose from, separated by commas, such as 'H100,MI300X'.")
RATE = Arg("rate", "factor", "Requests per second that arrive, such as '50 request/s'.")
TTFT = Arg("ttft", "quantity", "Longest time to first token at the quantile, such as '2 s'.", "2 s")
TPOT = Arg("tpot", "quantity", "Longest time per output token, such as '30 ms'.", "30 ms")
QUANTILE = Arg("quantile", "one", "Share of the requests that must meet the TTFT.", 0.9)
COUNT = Arg("count", "one whole", "Plans to list.", 5.0)
ONE_PROMPT = Arg("prompt", "one", "Prompt tokens of each request.", 1024.0)
ONE_OUTPUT = Arg("output", "one", "Tokens generated per request.", 256.0)
PRICES = Arg(
    "price",
    "text",
    "Prices of a device hour in the order of the chips, such as '2.50 $/GPU-h,1.80 $/GPU-h'; the registry's where empty.",
    "",
)

SERVING_COLUMNS = (
    "rank", "hardware", "tp", "replicas", "devices", "batch", "TTFT [ms]", "TPOT [ms]", "waiting", "busy", "cost [$/h]",
    "$/Mtoken",
)  # fmt: skip


def price_of(chip: Chip, text: str = "") -> float:
    """Return the price of a device per second, typed or from the registry; nan where neither gives one.

    Raises
    ------
    UnitError
        When a typed price is not money per device and time.
    """
    if text.strip():
        quantity: Quantity = _parsed(text)
        if quantity.unit.dimension != parse_unit("$/GPU-h").dimension:
            raise UnitError(f"price: expected a price such as '2.50 $/GPU-h', got {quantity}.")
        if quantity.si <= 0:
            raise DomainError(f"price must be above 0, got {quantity}.")
        return quantity.si
    for row in load.prices(chip.name):
        if row["unit"] == "USD/GPU-h":
            return float(row["price_per_chip"]) / 3600.0
    return math.nan


def _parsed(text: str) -> Quantity:
    from mlsim.units import parse

    return parse(text.strip())


def demanded(rate: Quantity, prompt: Any, output: Any, ttft: Quantity, tpot: Quantity, quantile: Any) -> Demand:
    """Return a demand from quantities; a bare rate is requests per second."""
    arrivals = rate.si if not rate.unit.dimension else rate.to("request/s").si
    demand = Demand(arrivals, float(prompt), float(output), ttft.to("s").si, tpot.to("s").si, float(quantile))
    check_demand(demand)
    return demand


@declare(
    "Planning", MODEL, CHIPS, RATE, ONE_PROMPT, ONE_OUTPUT, TTFT, TPOT, PRECISION, KV_PRECISION, RUNTIME, PRICES, QUANTILE,
    COUNT, example='=MLSIM_SERVING_PLAN("Llama-3-70B","H100,MI300X","50 request/s",1024,256,"2 s","30 ms")',
)  # fmt: skip
def MLSIM_SERVING_PLAN(
    model: Any, hardware: str, rate: Quantity, prompt: Any, output: Any, ttft: Quantity, tpot: Quantity,
    precision: Precision, kv_precision: Precision, runtime: Runtime, price: str, quantile: Any, count: Any,
) -> Any:  # fmt: skip
    """The cheapest replicas that serve a request rate within TTFT and TPOT targets, as a table that spills.

    Poisson arrivals wait for one of the slots of all replicas (Erlang C); without a price fewest devices come first.
    """
    chips = [load.chip(name.strip()) for name in hardware.split(",") if name.strip()]
    if not chips:
        raise UnitError("hardware: name at least one chip.")
    named(model, chips[0], "A serving plan")
    typed = [text for text in price.split(",") if text.strip()] if price else []
    if typed and len(typed) != len(chips):
        raise UnitError(f"price: {len(typed)} prices for {len(chips)} chips: give one per chip, in their order.")
    prices = [price_of(chip, typed[i] if typed else "") for i, chip in enumerate(chips)]
    demand = demanded(rate, prompt, output, ttft, tpot, quantile)
    found = search_serving(model, chips, demand, precision, kv_precision, runtime, prices)
    good = [s for s in found if not s.reason]
    if not good:
        furthest = {s.chip: s for s in found}.values()  # the most devices per replica
        raise DomainError("Nothing meets the targets. " + " ".join(f"{s.tp} {s.chip}: {s.reason}" for s in furthest))
    return [list(SERVING_COLUMNS), *(serving_row(i, s, demand) for i, s in enumerate(good[: int(count)], 1))]


def serving_row(rank: int, s: Served, demand: Demand) -> list[Any]:
    """Return a row of a serving plan."""
    hourly = s.cost * 3600.0
    tokens = demand.rate * demand.output * 3600.0
    money: list[Any] = [hourly, hourly / tokens * 1e6] if math.isfinite(hourly) else ["no price", "no price"]
    return [
        float(rank), s.chip, float(s.tp), float(s.replicas), float(s.devices), float(s.batch), s.ttft * 1e3, s.tpot * 1e3,
        s.waits, s.busy, *money,
    ]  # fmt: skip
