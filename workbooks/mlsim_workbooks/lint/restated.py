"""A figure stated once more in another unit, by another factor than lies between the two: hours over 30 as days."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlsim_workbooks.lint import syntax as sx
from mlsim_workbooks.lint.algebra import hard, has_money, is_conversion, is_time
from mlsim_workbooks.lint.finding import Said
from mlsim_workbooks.lint.infer import Cellwise, Inference
from mlsim_workbooks.lint.labels import read_label
from mlsim_workbooks.lint.naming import ratio_rule, ratio_text
from mlsim_workbooks.lint.shapes import copied, scale_of, written
from mlsim_workbooks.lint.unit_texts import read_unit

__all__ = ["restated_rules"]

_CLOSE = 0.06  # a month of 30 days, or of 730 hours


def restated_rules(inference: Inference, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """A cell that converts the figure of another one, under the same label, into a unit that this does not give."""
    place = copied(tree)
    source = inference.cell_of(cell, place) if place is not None else None
    if source is None or not _same_thing(cell, source):
        return
    stated, had = cell.context.value, source.context.value
    assert stated is not None
    assert had is not None
    only_time = hard(stated.dims or ()) == (("time", 1.0),)
    if not all(is_conversion(n) or n == 8.0 or (only_time and is_time(n)) for n in written(tree)):
        return
    factor = scale_of(tree)
    ratio = factor * stated.factor / had.factor
    if factor in (0.0, 1.0) or abs(ratio - 1.0) < _CLOSE:
        return
    names = {n for n, _ in stated.dims or ()}
    whole_days = only_time and (stated.factor >= 86_400.0 or had.factor >= 86_400.0)
    rule = "calendar" if whole_days else ratio_rule(ratio, names, had, stated) or "unit-contradiction"
    said = f"'{cell.label}' is '{source.label}' in {stated.text} instead of {had.text}: off by a factor of {ratio_text(ratio)}."
    yield rule, said, ""


def _same_thing(cell: Cellwise, source: Cellwise) -> bool:
    """Tell whether two cells have units of one kind, and labels that are the same but for these."""
    stated, had = cell.context.value, source.context.value
    if stated is None or had is None or not cell.context.explicit or not source.context.explicit:
        return False
    if cell.context.headed or any(read_label(t).unit for c in (cell, source) for t in c.context.texts[1:]):
        return False  # "Days", in a column of hours
    if hard(stated.dims or ()) != hard(had.dims or ()) or not hard(stated.dims or ()) or has_money(stated):
        return False
    if not stated.text or not had.text or not stated.factor > 0 or not had.factor > 0:
        return False
    mine, theirs = (_without_unit("".join(c.context.texts[:1]) or c.entity) for c in (cell, source))
    alike = len(mine) > 2 and mine == theirs and stated.dims == had.dims and stated.kinds == had.kinds
    return alike or bool(_SAME.match(mine))


def _without_unit(label: str) -> str:
    """Return a label without the unit that it ends in, or that stands in brackets."""
    if read_label(label).unit is None:
        return label.strip().casefold()
    text = re.sub(r"\s*[\[(][^\[\]()]*[\])]", "", label).strip()
    head, comma, tail = text.rpartition(",")
    return (head if comma and read_unit(tail.strip()) else text).strip().casefold()


_SAME = re.compile(r"(?:the )?(?:same|idem|ditto|dito|dasselbe|la même|le même)\b", re.I)
