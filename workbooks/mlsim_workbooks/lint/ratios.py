"""Rules about ratios: a share or a gain of two figures that cannot be compared."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlsim_workbooks.lint import syntax as sx
from mlsim_workbooks.lint.algebra import Value, compare, hard
from mlsim_workbooks.lint.finding import Said
from mlsim_workbooks.lint.infer import Cellwise, Inference
from mlsim_workbooks.lint.naming import rule_of, unit_text

__all__ = ["ratio_rules"]


def ratio_rules(inference: Inference, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """Yield what is said of a percentage that divides one figure by another: tokens a second by tokens, less 1."""
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
