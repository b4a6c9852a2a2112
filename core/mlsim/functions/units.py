"""Unit-safe arithmetic and checks."""

from __future__ import annotations

from typing import Any

from mlsim.errors import CellError, UnitError, as_typed
from mlsim.functions.catalogue import Arg, declare
from mlsim.registry import load
from mlsim.units import Quantity, Unit, parse, parse_unit

QUANTITY = Arg("quantity", "quantity", "A number with its unit, such as '80 GiB'.")
QUANTITIES = Arg("quantities", "quantity", "Quantities with units.", vararg=True)
FACTORS = Arg("quantities", "factor", "Quantities with units, or bare factors.", vararg=True)


@declare("Units", QUANTITY, Arg("unit", "unit", "The unit wanted."), example='=MLSIM_CONVERT("80 GB","GiB")')
def MLSIM_CONVERT(quantity: Quantity, unit: Unit) -> float:
    """Convert a quantity to another unit of the same dimension and kind; the result is a plain number."""
    return quantity.to(unit).value


@declare("Units", QUANTITIES, example='=MLSIM_ADD("14 GB","26 GiB")')
def MLSIM_ADD(*quantities: Quantity) -> str:
    """Add quantities of one dimension; the result keeps the first one's unit, as text."""
    total = quantities[0]
    for other in quantities[1:]:
        total = total + other
    return str(total)


@declare("Units", FACTORS, example='=MLSIM_MUL("3.35 TB/s","10 ms")')
def MLSIM_MUL(*quantities: Quantity) -> str:
    """Multiply quantities and bare factors; units multiply too."""
    product = quantities[0]
    for other in quantities[1:]:
        product = product * other
    return str(product)


@declare("Units", FACTORS, example='=MLSIM_DIV("140 GB","3.35 TB/s")')
def MLSIM_DIV(*quantities: Quantity) -> str:
    """Divide the first quantity by the others; units divide too."""
    result = quantities[0]
    for other in quantities[1:]:
        result = result / other
    return str(result)


# A prefix read as binary where decimal was meant (or the reverse), and what it costs.
_BINARY_TWIN = {"kB": "KiB", "MB": "MiB", "GB": "GiB", "TB": "TiB", "PB": "PiB"}
_BINARY_TWIN |= {binary: decimal for decimal, binary in list(_BINARY_TWIN.items())}


def _twin_note(quantity: Quantity) -> str:
    """Say what reading GB as GiB (or the reverse) would change."""
    head, _, tail = quantity.unit.text.partition("/")
    twin = _BINARY_TWIN.get(head)
    if not twin or not quantity.si:
        return ""
    other = Quantity(quantity.value, parse_unit(twin + ("/" + tail if tail else "")))
    change = other.si / quantity.si - 1.0
    gap = abs(other.si - quantity.si) / quantity.unit.factor
    return (
        f" If {other} was meant, that is {abs(change) * 100:.1f} % {'more' if change > 0 else 'less'} "
        f"({gap:.3g} {quantity.unit.text})."
    )


@declare(
    "Units",
    Arg("quantity", "any", "What the cell holds, such as '80 GB'."),
    Arg("expected", "text", "The unit that is due, such as 'TB/s', or a chip's name to check its memory against."),
    example='=MLSIM_CHECK("80 TFLOP","TFLOP/s")',
)
def MLSIM_CHECK(quantity: Any, expected: str) -> str:
    """Say whether a quantity has the unit that is due: "ok ...", or the sentence that explains the mistake.

    It never fails: a text that cannot be read gives the reason. With a chip's name the quantity is compared with the
    memory that chip really has.
    """
    try:
        if not isinstance(quantity, str):
            raise UnitError(
                f"{as_typed(quantity)} is a bare number: write its unit, such as '{as_typed(quantity)} {expected}'."
            )
        given = parse(quantity)
        try:
            due = parse_unit(expected)
        except UnitError:
            return _check_chip(given, expected)
        converted = given.to(due)
    except CellError as error:
        return f"error: {error.message}"
    if converted.unit.text == given.unit.text:
        return f"ok: {given}.{_twin_note(given)}"
    return f"ok: {given} is {converted.value:.6g} {due.text}.{_twin_note(given)}"


def _check_chip(given: Quantity, name: str) -> str:
    chip = load.chip(name)
    if given.unit.dimension_name != "information":
        return f"error: {given.hint(parse_unit('GiB'))}"
    real = chip.memory
    gib, gap = real / 2**30, (given.si - real) / 2**30
    figure = chip.figures.get("memory_capacity") or chip.figures["memory_capacity_label"]
    fact = f"{chip.name} has {gib:.2f} GiB = {real / 1e9:.2f} GB ({figure.text}, {figure.meaning})"
    if abs(gap) < 0.005 * gib:
        return f"ok: {given} agrees: {fact}."
    return f"warning: {given} is {abs(gap):.2f} GiB {'more' if gap > 0 else 'less'} ({abs(gap) / gib:.1%}): {fact}."
