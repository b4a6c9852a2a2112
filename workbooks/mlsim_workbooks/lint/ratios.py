"""Rules about ratios: a share or a gain of two figures that cannot be compared, and discounts added up."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlsim_workbooks.lint import syntax as sx
from mlsim_workbooks.lint.algebra import Value, compare, hard
from mlsim_workbooks.lint.finding import Said
from mlsim_workbooks.lint.infer import Cellwise, Inference
from mlsim_workbooks.lint.naming import rule_of, unit_text
from mlsim_workbooks.lint.shapes import links
from mlsim_workbooks.package import position

__all__ = ["ratio_rules"]


def ratio_rules(inference: Inference, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """Yield what is said of a formula's ratios."""
    yield from _of_others(inference, cell, tree)
    yield from _discounts_added(inference, cell, tree)
    yield from _shares_added(inference, cell, tree)


def _of_others(inference: Inference, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """A percentage that divides one figure by another: tokens a second by tokens, less 1."""
    value = cell.context.value
    if not cell.context.percent and not (value is not None and value.text == "%" and cell.context.explicit):
        return
    match tree:
        case sx.Binary("-", sx.Binary("/", over, under), sx.Number(1.0)):
            pass
        case sx.Binary("-", sx.Number(1.0), sx.Binary("/", over, under)) | sx.Binary("/", over, under):
            pass
        case _:
            return
    one, other = inference.cell_of(cell, over), inference.cell_of(cell, under)
    if one is None or other is None or not all(map(_is_written, (one, other))):
        return
    mismatch = compare(one.value, other.value)
    if mismatch is None or not mismatch.dims:
        return
    rule = rule_of(mismatch, one.value, other.value) or "dimension"
    if rule == "integer-ops":
        return  # work that is counted in FLOP, on an integer unit
    shown = f"{unit_text(one.value)} by {unit_text(other.value)}"
    yield rule, f"'{cell.label}' compares '{one.label}' with '{other.label}': it divides {shown}.", ""


def _is_written(cell: Cellwise) -> bool:
    """Tell whether a figure's whole unit is written: no label says a time that its unit leaves out."""
    value: Value | None = cell.context.value
    if value is None or not cell.context.explicit or not hard(value.dims or ()):
        return value is not None and cell.context.explicit and bool(value.dims)
    return "/" in value.text or not _TIMED.search(cell.words)


_TIMED = re.compile(
    r"(?:per|/|pro|par|je) ?(?:\w+ (?:and|und|et) )?(?:\d+-?)?(?:s|sec\w*|min\w*|h|hour|day|month|year|window|step|frame|cycle|sekunde|minute|stunde|tag"
    r"|monat|jahr|fenster|schritt|bild|heure|jour|mois|an|pas)\b",
    re.I,
)


def _discounts_added(inference: Inference, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """Two discounts added up, of which the second is on the reduced price."""
    match tree:
        case sx.Binary("*", _, sx.Binary("-", sx.Number(1.0), sx.Binary("+", a, b))):
            pass
        case _:
            return
    both = [c for n in (a, b) if (c := inference.cell_of(cell, n)) is not None and _DISCOUNT.search(c.words)]
    notes = " ".join(f"{c.words} {' '.join(inference.texts_of(c.sheet, c.item.row))}" for c in both)
    if len(both) == 2 and _ON_THE_REST.search(notes):
        said = f"'{cell.label}' adds up two discounts, of which one is on the reduced price."
        yield "percent-sum", said, "Multiply: (1 - a) * (1 - b)."


def _shares_added(inference: Inference, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """Something times the margins of six months, added up."""
    for _, factor in links(tree, "*"):
        match factor:
            case sx.Call(name="SUM", args=(sx.Area(kind="ref", sheet=_) as area,)):
                pass
            case _:
                continue
        row, rows = {position(cell.item.refs[m])[0] for m in (area.first, area.last)}, inference.uses(cell).values()
        summed = [c for c in rows if c.item.row in row and c.context.percent and c.item.form >= 0]
        alike = {" ".join(c.context.texts[:1]) if not c.entity else c.entity for c in summed}
        if (
            len(row) == 1
            and len(summed) > 2
            and len(alike) == 1
            and not re.search("share|anteil|part|mix|load|busy|last|charge", alike.pop(), re.I)
        ):
            yield "percent-sum", f"'{cell.label}' multiplies by a sum of percentages ('{summed[0].label}', ...).", ""
            return


_DISCOUNT = re.compile(r"discount|rebate|rabatt|skonto|remise", re.I)
_ON_THE_REST = re.compile(
    r"\bon (?:the|an) (?:already )?(?:reduced|discounted|remaining|net)|after (?:the )?(?:first|volume|other)|auf den (?:reduzierten|rabattierten)"
    r"|sur le (?:prix|montant) (?:déjà )?(?:réduit|remisé)",
    re.I,
)
