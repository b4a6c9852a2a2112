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
    formulas = [inference.cells[key] for key in flagged]
    inputs = {place for user in formulas for place, cell in inference.uses(user).items() if _typed(cell)}
    for place in sorted(inputs):
        users, cell = inference.users.get(place, []), inference.cells[place]
        wrong = [user for user in users if user.key in flagged]
        if len(users) > _MOST or len({user.item.form for user in wrong}) < 2:
            continue
        for unit in _other_units(cell, wrong[0]):
            if (
                not unit_text(unit)[:1].isdigit()
                and all(_right(inference, user, place, unit) for user in wrong)
                and not any(_wrong(inference, user, place, unit) for user in users)
            ):
                cells = [user.item.address for user in wrong[:3]]
                mismatch = compare(cell.value, unit)
                yield (
                    place,
                    (
                        (rule_of(mismatch, cell.value, unit) if mismatch is not None else "") or "unit-contradiction",
                        f"'{cell.label}' is in {cell.value.text}, but what takes it ({', '.join(cells)}) is right only if it is in"
                        f" {unit_text(unit)}.",
                        f"Is it in {unit_text(unit)}?",
                    ),
                    {user.key for user in wrong},
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


def _other_units(cell: Cellwise, user: Cellwise) -> Iterator[Value]:
    """Yield the units in which a figure may be due, as one formula that takes it has it."""
    if user.computed is None or user.context.value is None:
        return
    mismatch = compare(user.computed, user.context.value)
    if mismatch is None or mismatch.periods[0]:
        return
    for sign in (1.0, -1.0):
        dims = add_dims(cell.value.dims or (), mismatch.dims, -sign)
        factors = (cell.value.factor, *_FACTORS) if mismatch.dims else (cell.value.factor / mismatch.ratio**sign,)
        for factor in factors:
            yield replace(cell.value, dims=dims, factor=factor, text="")


_FACTORS = (1.0, 1e3, 1e6, 1e9, 1e12, 3600.0, 86_400.0, 3.6e6)


def _computed(inference: Inference, user: Cellwise, place: Key, unit: Value) -> Value | None:
    """Return what a formula gives were one figure that it takes in another unit."""
    tree = inference.tree(user.item.form)
    evaluation = inference.evaluation(user, instead={place: unit})
    return evaluation.value(tree) if tree is not None and evaluation is not None else None


def _right(inference: Inference, user: Cellwise, place: Key, unit: Value) -> bool:
    computed, stated = _computed(inference, user, place, unit), user.context.value
    return computed is not None and computed.known and stated is not None and compare(computed, stated) is None


def _wrong(inference: Inference, user: Cellwise, place: Key, unit: Value) -> bool:
    computed, stated = _computed(inference, user, place, unit), user.context.value
    return computed is not None and stated is not None and compare(computed, stated) is not None
