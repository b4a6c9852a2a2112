"""A typed figure in the wrong unit makes every formula wrong that takes it: that one figure is named, not all of them.

It is to blame where two different formulas at least are wrong, all of them come out right were it in one other unit,
and no formula that takes it is right as it stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mlsim_workbooks.lint.algebra import Value, add_dims, compare, hard
from mlsim_workbooks.lint.finding import Said
from mlsim_workbooks.lint.infer import Cellwise, Inference, Key
from mlsim_workbooks.lint.naming import rule_of, unit_text

__all__ = ["blamed"]

_MOST = 12  # formulas: what more take is a constant of the sheet


def blamed(inference: Inference, flagged: set[Key]) -> Iterator[tuple[Key, Said, set[Key]]]:
    """Yield (typed cell, what is said, the formulas whose findings it explains); ``flagged``: those that have one."""
    inputs = {place for key in flagged for place, cell in inference.uses(key).items() if _typed(cell)}
    for place in sorted(inputs):
        users = [key for key, _ in inference.users.get(place, ())]
        wrong = [key for key in users if key in flagged]
        if len(users) > _MOST or len({inference.cells[key].item.form for key in wrong}) < 2:
            continue
        for unit in _other_units(inference, place, wrong[0]):
            if (
                not unit_text(unit)[:1].isdigit()
                and all(_right(inference, key, place, unit) for key in wrong)
                and not any(_wrong(inference, key, place, unit) for key in users)
            ):
                cell, cells = inference.cells[place], [inference.cells[key].item.address for key in wrong[:3]]
                mismatch = compare(cell.value, unit)
                yield (
                    place,
                    (
                        (rule_of(mismatch, cell.value, unit) if mismatch is not None else "") or "unit-contradiction",
                        f"'{cell.label}' is in {cell.value.text}, but what takes it ({', '.join(cells)}) is right only if it is in"
                        f" {unit_text(unit)}.",
                        f"Is it in {unit_text(unit)}?",
                    ),
                    set(wrong),
                )
                break


def _typed(cell: Cellwise) -> bool:
    """Tell whether a cell holds a typed number with a written unit of a quantity."""
    return (
        cell.item.form < 0
        and isinstance(cell.item.value, float)
        and cell.context.explicit
        and bool(hard(cell.value.dims or ()))
    )


def _other_units(inference: Inference, place: Key, user: Key) -> Iterator[Value]:
    """Yield the units in which a figure may be due, as one formula that takes it has it."""
    found, cell = inference.cells[user], inference.cells[place]
    if found.computed is None or found.context.value is None:
        return
    mismatch = compare(found.computed, found.context.value)
    if mismatch is None or mismatch.periods[0]:
        return
    for sign in (1.0, -1.0):
        dims = add_dims(cell.value.dims or (), mismatch.dims, -sign)
        factors = (cell.value.factor, *_FACTORS) if mismatch.dims else (cell.value.factor / mismatch.ratio**sign,)
        for factor in factors:
            yield replace(cell.value, dims=dims, factor=factor, text="")


_FACTORS = (1.0, 1e3, 1e6, 1e9, 1e12, 3600.0, 86_400.0, 3.6e6)


def _computed(inference: Inference, key: Key, place: Key, unit: Value) -> Value | None:
    """Return what a formula gives were one figure that it takes in another unit."""
    tree = inference.tree(inference.cells[key].item.form)
    evaluation = inference.evaluation(key, instead={place: unit})
    return evaluation.value(tree) if tree is not None and evaluation is not None else None


def _right(inference: Inference, key: Key, place: Key, unit: Value) -> bool:
    computed, stated = _computed(inference, key, place, unit), inference.cells[key].context.value
    return computed is not None and computed.known and stated is not None and compare(computed, stated) is None


def _wrong(inference: Inference, key: Key, place: Key, unit: Value) -> bool:
    computed, stated = _computed(inference, key, place, unit), inference.cells[key].context.value
    return computed is not None and stated is not None and compare(computed, stated) is not None
