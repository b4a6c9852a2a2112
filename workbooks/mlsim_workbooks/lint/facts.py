"""What the whole workbook holds, which some rules need."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from mlsim_workbooks.lint.algebra import hard
from mlsim_workbooks.lint.infer import Cellwise, Inference, Key
from mlsim_workbooks.lint.labels import read_label

__all__ = ["Facts", "byte_each", "format_of", "gather"]


@dataclass
class Facts:
    """What the whole workbook holds, which some rules need."""

    concepts: dict[str, list[Key]] = field(default_factory=dict)
    pue_users: set[Key] = field(default_factory=set)  # cells that a formula with PUE uses
    precision: str = ""
    binary: bool = False  # a note says that its GB and TB are binary
    formats: dict[tuple[int, int], list[tuple[int, str]]] = field(
        default_factory=dict
    )  # column -> (row, number format)


def gather(inference: Inference) -> Facts:
    """Collect what the workbook holds: quantities, where PUE is applied, the number formats it names."""
    facts = Facts()
    precisions: set[str] = set()
    for key, cell in inference.cells.items():
        if cell.value.dims == (("user", 1.0),) and cell.context.concept != "users":
            facts.concepts.setdefault("users", []).append(key)
        if cell.context.concept:
            facts.concepts.setdefault(cell.context.concept, []).append(key)
        if cell.computed is not None and "PUE" in cell.computed.parts:
            facts.pue_users.update(inference.uses(cell))
    for index, grid in enumerate(inference.book.grids):
        for items in grid.rows.values():
            first = items[0]
            if not isinstance(first.value, str) or not _PRECISION_LABEL.search(first.value):
                continue
            for item in items[1:]:
                kind = dict(read_label(item.value).kinds).get("precision") if isinstance(item.value, str) else None
                if kind and isinstance(item.value, str) and len(item.value) < 12:
                    precisions.add(kind)
                    facts.formats.setdefault((index, item.col), []).append((item.row, kind))
    facts.binary = inference.mentions(_BINARY)
    if not precisions and _only_in_sixteen_bits(inference):
        precisions.add("bf16")
    facts.precision = precisions.pop() if len(precisions) == 1 else ""
    return facts


def _only_in_sixteen_bits(inference: Inference) -> bool:
    """Tell whether a workbook names 16-bit numbers, and narrower ones as peaks of a chip only."""
    labels: set[str] = set()
    formats: dict[int, set[str]] = {}
    for (sheet, _), cell in inference.cells.items():
        if hard(cell.value.dims or ()) in _PEAKS:
            labels.update(t for t in cell.context.texts if _PEAK.search(t))
            formats.setdefault(sheet, set()).update(k for c, k in cell.context.kinds if c == "precision")
    named = inference.mentions(_SIXTEEN_EACH)  # "Bytes per weight (BF16)", and the peak in FP8 alone
    due = {"bf16", "fp16", *(("fp8",) if named else ())}
    if not all(due & found for found in formats.values() if found):
        return False  # a chip that has integers only
    others = [text for text in inference.book.texts if text not in labels]
    return any(map(_SIXTEEN.search, others)) and not any(map(_NARROWER.search, others))


_PEAKS = ((("operation", 1.0), ("time", -1.0)), (("integer_operation", 1.0), ("time", -1.0)))
_PEAK = re.compile(
    r"peak|flop|\btops?\b|dense|sparse|dicht|dünn|crête|\bpic\b|spitze|rechenleistung|performance|^\W*\w+\W*$", re.I
)
_SIXTEEN = re.compile(r"\b(?:bf16|bfloat16|fp16|float16|half precision)\b", re.I)
_SIXTEEN_EACH = re.compile(
    r"(?:byte|octet).*(?:weight|param|gradient|gewicht|poids).*\b(?:bf16|fp16)\b|\b(?:bf16|fp16)\b.*(?:byte|octet).*(?:weight|param)",
    re.I,
)
_NARROWER = re.compile(
    r"\b(?:(?:mx|nv)?fp[468]|int[48]|e4m3|e5m2|w\d+a\d+|awq|gptq|q\d(?:_\w+)?|[48][- ]?bits?|quanti[sz]\w+|quant)\b|\b(?:1|one|a) byte",
    re.I,
)


_BYTE_EACH = re.compile(
    r"\b(?:1|one|a single) byte (?:each|per|a)\b|\b(?:fp8|int8),? (?:at |is |= ?)?1 B\b|\b(?:all|every)(?:thing|where)?(?: \w+)? (?:in )?(?:int8|fp8)\b|\b(?:int8|fp8) (?:everywhere|throughout)\b|\bein Byte (?:je|pro)|\bun octet par",
    re.I,
)


def byte_each(inference: Inference, facts: Facts) -> bool:
    """Tell whether a workbook says only in words that its parameters are a byte each: their number is that of bytes."""
    return inference.mentions(_BYTE_EACH) and not {"bytes each", "bits each"} & facts.concepts.keys()


_BINARY = re.compile(r"\b1 ?[kMGT][Bo] ?= ?(?:1[.,  ]?024|2\^\d0) ?[kMG]?[Bo]\b|(?<!in )\bbinary units\b", re.I)
_PRECISION_LABEL = re.compile(
    r"\b(?:precision|dtype|number format|data ?type|compute format|präzision|précision|datentyp)\b", re.I
)


def format_of(facts: Facts, cell: Cellwise) -> str:
    """Return the number format that the sheet says a cell is computed in: the one above it, or the workbook's only one."""
    above = [kind for row, kind in facts.formats.get((cell.sheet, cell.item.col), []) if row < cell.item.row]
    return above[-1] if above else facts.precision
