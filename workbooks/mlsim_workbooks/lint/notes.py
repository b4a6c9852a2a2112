"""A number or a formula against what is noted beside it: "8 × 80 GB", "170 with sparsity", "40 layers, 8 KV heads"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlsim_workbooks.lint import syntax as sx
from mlsim_workbooks.lint.algebra import hard, has_money
from mlsim_workbooks.lint.finding import Said
from mlsim_workbooks.lint.infer import Cellwise, Inference
from mlsim_workbooks.lint.shapes import written
from mlsim_workbooks.lint.unit_texts import read_unit

__all__ = ["note_rules"]


_MOST = 12  # texts of a row: one with more has no notes


def note_rules(inference: Inference, cell: Cellwise) -> Iterator[Said]:
    """What a cell holds otherwise than the texts of its row say."""
    notes = inference.texts_of(cell.sheet, cell.item.row)[:_MOST]
    if not notes:
        return
    tree = inference.tree(cell.item.form) if cell.item.form >= 0 else None
    if tree is None:
        yield from _other_product(cell, notes)
        yield from _sparse_of_note(cell, notes)
    else:
        yield from _percent_of_note(cell, tree, notes)
        yield from _shape_of_note(cell, tree, notes)
        yield from _not_for_use(inference, cell)


_NOT_USED = re.compile(
    r"(?:^|[(,;] ?)(?:not used|unused|not for us|not ours|nicht (?:verwendet|genutzt)|non utilisée?|pas utilisée?)\b",
    re.I,
)


def _not_for_use(inference: Inference, cell: Cellwise) -> Iterator[Said]:
    """A peak of which its own row says that it is not used."""
    if _NOT_USED.search(cell.words):
        return
    for used in inference.uses(cell).values():
        if used.item.form >= 0 or used.context.concept not in ("peak", "integer peak"):
            continue
        row = inference.book.grids[used.sheet].rows.get(used.item.row, ())
        texts = inference.texts_of(used.sheet, used.item.row) if sum(i.numeric for i in row) == 1 else ()
        if any(map(_NOT_USED.search, (*used.context.texts[:1], *texts))):
            rule = "sparse-peak" if used.value.kind("density") == "sparse" else "peak-precision"
            yield rule, f"'{cell.label}' takes '{used.label}', of which its row says that it is not used.", ""
            return


def _number(text: str) -> float:
    return float(text.replace(",", "."))


_TIMES = re.compile(r"(\d{1,5}) ?[x×] ?(\d{1,5}(?:[.,]\d{1,3})?) ([A-Za-z]{1,6}(?:/s)?)")


def _other_product(cell: Cellwise, notes: tuple[str, ...]) -> Iterator[Said]:
    """A typed number that is not the product noted beside it: 512 GB beside "8 × 80 GB"."""
    number, value = cell.item.value, cell.context.value
    if not isinstance(number, float) or value is None or not cell.context.explicit or number <= 0:
        return
    for note in notes:
        match = _TIMES.fullmatch(note.strip())
        unit = read_unit(match[3]) if match else None
        if (
            match is None
            or unit is None
            or hard(unit.dims or ()) != hard(value.dims or ())
            or not hard(unit.dims or ())
        ):
            continue
        due = int(match[1]) * _number(match[2]) * unit.factor
        if due and abs(number * value.factor / due - 1) > 0.005:
            yield "registry", f"'{cell.label}' is {number:g} {value.text}; beside it stands {note.strip()}.", ""


_SPARSE = re.compile(
    r"(\d{1,6}(?:[.,]\d{1,3})?)\b[^.;]{0,12}\b(?:with|mit|avec) (?:2:4[ -])?spars"
    r"|\b(?:with|mit|avec) (?:2:4[ -])?(?:sparsity|sparsité|sparsität):? ?(\d{1,6}(?:[.,]\d{1,3})?)\b",
    re.I,
)


def _sparse_of_note(cell: Cellwise, notes: tuple[str, ...]) -> Iterator[Said]:
    """A dense peak that is the sparse one noted beside it."""
    if ("density", "dense") not in cell.context.kinds:
        return
    if any(_number(a or b) == cell.item.value for note in notes for a, b in _SPARSE.findall(note)):
        yield "sparse-peak", f"'{cell.label}' is {cell.item.value:g}: with sparsity, as is noted beside it.", ""


_PERCENT = re.compile(r"(?<![\d.,])(\d{1,3}(?:[.,]\d{1,3})?) ?%")


def _percent_of_note(cell: Cellwise, tree: sx.Node, notes: tuple[str, ...]) -> Iterator[Said]:
    """The 19 % of a label or note multiplied in as 19."""
    computed = cell.computed
    if computed is None or not (has_money(cell.value) or has_money(computed)):
        return
    said = {_number(n) for note in notes for n in _PERCENT.findall(note)}
    taken = sorted(n for n in said & set(computed.numbers) if n > 1.0 and n not in (12.0, 24.0, 100.0))
    if taken and isinstance(tree, sx.Binary) and tree.operator in "*/" and 0.01 not in computed.numbers:
        number = taken[0]
        yield "percent", f"'{cell.label}' multiplies by {number:g} for {number:g} %.", f"Multiply by {number / 100:g}."


_SHAPE = (
    ("kv-heads", "KV heads", re.compile(r"(\d{1,4}) (?:KV[- ]heads|KV-Köpfe|têtes KV)", re.I)),
    ("dimension", "layers", re.compile(r"(\d{1,4}) (?:layers|Schichten|couches)", re.I)),
)


def _shape_of_note(cell: Cellwise, tree: sx.Node, notes: tuple[str, ...]) -> Iterator[Said]:
    """A KV cache from numbers alone, with other heads or layers than are noted beside it."""
    computed = cell.computed
    if computed is None or cell.context.concept != "kv cache" or computed.parts or len(computed.numbers) < 3:
        return
    numbers = written(tree)
    for rule, what, pattern in _SHAPE:
        said = {float(n) for note in notes for n in pattern.findall(note)}
        if len(said) == 1 and not said & numbers:
            yield rule, f"'{cell.label}' does not take the {said.pop():g} {what} that are noted beside it.", ""
