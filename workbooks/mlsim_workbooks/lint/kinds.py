"""Rules about kinds: dense and sparse, number formats, IT and facility, all and active parameters, input and output tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlsim_workbooks.lint import syntax as sx
from mlsim_workbooks.lint.algebra import Dims, Value, hard, has_number
from mlsim_workbooks.lint.finding import Said
from mlsim_workbooks.lint.infer import Cellwise
from mlsim_workbooks.lint.shapes import multiplies_one, raises

__all__ = ["KIND_RULE", "kind_rules", "missing_pue"]

KIND_RULE = {
    "density": "sparse-peak", "direction": "link-direction", "trip": "round-trip", "boundary": "facility-energy",
    "parameters": "active-params", "token": "token-direction", "precision": "peak-precision", "statistic": "statistic-mix",
}  # fmt: skip


def kind_rules(cell: Cellwise, tree: sx.Node, mixture: bool, precision: str) -> Iterator[Said]:
    """Compare the kinds of what a formula uses with the kinds that its cell states.

    ``mixture`` tells that it is about a mixture of experts, with active parameters of its own.
    """
    computed, context = cell.computed, cell.context
    assert computed is not None
    stated = dict(context.kinds)
    dims = hard(context.value.dims or ()) if context.value is not None else ()
    if {"~operation", "~integer_operation"} & computed.parts or any(
        n.endswith("operation") for n, _ in computed.dims or ()
    ):
        yield from _density(cell, computed, stated, dims)
        yield from _precision(cell, computed, stated.get("precision", ""), dims, precision)
    yield from _boundary(computed, stated, cell.label)
    if mixture:
        yield from _parameters(cell, computed, dims, cell.words, isinstance(tree, sx.Ref))
    yield from _token(cell, computed, tree, stated.get("token", ""))


_A_MACHINE = re.compile(r"\b(?:to|from|on) the (?:decode|prefill)\b", re.I)  # that the machines of one kind take over


def _token(cell: Cellwise, computed: Value, tree: sx.Node, due: str) -> Iterator[Said]:
    """Tokens of the input where those of the output are due."""
    tokens = {k for c, k in computed.kinds if c == "token"}
    if not due or len(tokens) != 1 or due in tokens or _A_MACHINE.search(cell.words) or multiplies_one(tree):
        return
    stated = cell.context.value.dims or () if cell.context.value is not None else ()
    priced = any(n.startswith("money") for n, _ in stated) and ("token", -1.0) in stated
    refs = isinstance(tree, sx.Binary) and isinstance(tree.left, sx.Ref) and isinstance(tree.right, sx.Ref)
    if priced and refs and not computed.numbers:
        return  # so many times the price of input
    yield "token-direction", f"'{cell.label}' is about {due} tokens, but the formula uses {tokens.pop()} tokens.", ""


def _is_ratio(cell: Cellwise, dims: Dims) -> bool:
    """Tell whether a cell divides by a peak: a utilisation, a time, a rate, a cost."""
    return (
        cell.context.concept in ("MFU", "ratio", "achieved compute", "latency", "throughput")
        or dims in ((("time", 1.0),), (("time", -1.0),))
        or (dims == () and cell.context.percent)
        or any(n.startswith("money_in_") for n, _ in dims)
    )


def _density(cell: Cellwise, computed: Value, stated: dict[str, str], dims: Dims) -> Iterator[Said]:
    """A sparse peak where a dense one is due, or the other way round."""
    label, due, found = cell.label, stated.get("density"), computed.kind("density")
    if found == "sparse" and not _halved(computed) and not re.search("spars", cell.words, re.I):
        if due == "dense" or _is_ratio(cell, dims):
            yield "sparse-peak", f"'{label}' uses a sparse peak, twice what dense matrices can reach.", ""
    elif due == "sparse" and found == "dense" and not _halved(computed):
        yield "sparse-peak", f"'{label}' is sparse, but the formula takes a dense peak.", ""
    elif {("density", "dense"), ("density", "sparse")} <= computed.kinds and computed.parts & {"share", "ratio", "MFU"}:
        yield "sparse-peak", f"'{label}' multiplies a share of the dense peak by a sparse one.", ""


def _halved(value: Value) -> bool:
    """Tell whether a 2 in a formula may turn sparse into dense or both directions into one: not the one of 2 × parameters."""
    twos = sum(abs(n - 2) < 1e-9 or abs(n - 0.5) < 1e-9 for n in value.numbers)
    return twos > bool(value.parts & {"parameters", "active parameters", "MACs"})


def _precision(cell: Cellwise, computed: Value, due: str, dims: Dims, of_sheet: str) -> Iterator[Said]:
    """A peak in another number format than the one that a cell states, or that its sheet computes in."""
    label, formats = cell.label, {_wide(k) for c, k in computed.kinds if c == "precision"}
    due = _wide(due)
    if not formats or _COMPARES_FORMATS.search(cell.words):
        return
    integers = {f for f in formats | {due} if f.startswith("int")}
    doubled = has_number(computed, 2.0)
    halved = doubled and due in _SIXTEEN  # the peak of 16 bits is half that of 8
    shared = integers and formats != integers | {due} - {""}
    follows = doubled and ("operation", 1.0) in dims and _half_or_twice(due, formats)
    at_peak = _is_ratio(cell, dims) or "MFU" in computed.parts
    if shared and "~integer_operation" in computed.parts and not halved:
        yield "integer-ops", f"'{label}' combines floating-point figures with a peak of integer operations.", ""
    elif due and formats != {due} and not follows:
        others = ", ".join(sorted(formats - {due}))
        yield "peak-precision", f"'{label}' is {due}, but the formula takes a peak in {others}.", ""
    elif len(formats) > 1 and at_peak:
        yield "peak-precision", f"'{label}' combines figures in {' and '.join(sorted(formats))}.", ""
    elif not due and of_sheet and (at_peak or _PICKS_THE_PEAK.search(cell.words)) and formats != {_wide(of_sheet)}:
        said = f"The sheet computes in {of_sheet}, but '{label}' takes a peak in {formats.pop()}."
        yield "peak-precision", said, ""


def _wide(number_format: str) -> str:
    """Return a number format, and bf16 for either one of 16 bits: their peaks are the same."""
    return "bf16" if number_format == "fp16" else number_format


_COMPARES_FORMATS = re.compile(  # or computes in another one than it stores: "W4A16"
    r"\bw\d+a\d+\b|speed-?up|\bratio|vs\b|versus|faster|gain|\bover\b|int\d ?[:/] ?(?:bf|fp)\d|\d ?[:/] ?int\d", re.I
)
_PICKS_THE_PEAK = re.compile(  # to compute with
    r"used|of the format|chosen|selected|verwendet|gewählt|retenu|applied|effective", re.I
)
_SIXTEEN = frozenset(("fp16", "bf16"))


def _half_or_twice(due: str, formats: set[str]) -> bool:
    """Tell whether a peak follows from that of another width: 8 bits have twice the peak of 16, and half that of 4."""
    return (
        (due == "fp8" and formats <= {*_SIXTEEN, "fp4"})
        or (due == "fp4" and formats <= {"fp8"})
        or (due in _SIXTEEN and formats <= {"int8", "fp8"})
    )


def missing_pue(cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """Facility energy taken from IT energy without PUE."""
    due, computed = dict(cell.context.kinds).get("boundary", ""), cell.computed
    assert computed is not None
    found = computed.kind("boundary")
    if (
        due == "facility"
        and "PUE" not in computed.parts
        and found == "IT"
        and not (isinstance(tree, sx.Binary) and tree.operator == "+")  # the load, and the cooling beside it
        and not any(1 < n < 2.5 for n in computed.numbers)
        and not raises(tree)
    ):
        yield "facility-energy", f"'{cell.label}' is facility energy, but the formula takes IT energy without PUE.", ""


def _boundary(computed: Value, stated: dict[str, str], label: str) -> Iterator[Said]:
    """IT energy taken from facility energy."""
    due, found = stated.get("boundary", ""), computed.kind("boundary")
    if (
        due == "IT"
        and not re.search(r"\b(?:per|par|je|pro) (?:unit of )?IT\b", label)
        and (computed.dims is None or dict(computed.dims).get("energy", 0) > 0)
        and (found == "facility" or "PUE" in computed.parts)
        and "1/PUE" not in computed.parts
    ):
        yield "facility-energy", f"'{label}' is IT energy, but the formula includes PUE.", ""


_READ_PER_TOKEN = re.compile(
    r"(?:read|moved|touched|streamed|gelesen|lus?)\b.*(?:per|je|par|pro) (?:token|jeton)", re.I
)
_DENSE = re.compile(r"\b(?:dense|dicht)\b", re.I)  # all of whose parameters are active


def _parameters(cell: Cellwise, computed: Value, dims: Dims, words: str, copied: bool) -> Iterator[Said]:
    kind = computed.kind("parameters")
    if not (computed.parts & {"parameters", "active parameters"}):
        return
    label = cell.label
    names = {n for n, _ in dims}
    if (
        ("operation" in names or (names == {"time"} and "~operation" in computed.parts))
        and "active parameters" not in computed.parts
        and "parameters" in computed.parts
    ):
        if not re.search(r"total param|all param|\bdense\b", words, re.I):
            yield (
                "active-params",
                f"'{label}' counts operations with all parameters; a mixture of experts computes with the active ones.",
                "",
            )
    elif ("information", 1.0) in dims and "time" not in names and "active parameters" in computed.parts:
        if not re.search(r"activ|read|per token|stream|touch|traffic|moved|loaded|aktiv|\blus?\b", words, re.I):
            yield (
                "active-params",
                f"'{label}' is memory for the active parameters only; all experts have to be held.",
                "",
            )
    elif "information" in names and "active parameters" not in computed.parts and _READ_PER_TOKEN.search(words):
        yield "active-params", f"'{label}' is read for each token: the active parameters only.", ""
    elif (
        kind == "total"
        and dict(cell.context.kinds).get("parameters") == "active"
        and not _DENSE.search(words)
        and not copied  # of a dense model, all are active
    ):
        yield "active-params", f"'{label}' is about active parameters, but the formula takes all.", ""
