"""An input that no formula uses, where a formula beside it lacks just that.

Sheets keep data that nothing uses, but seldom a PUE, an exchange rate, or the number of users: when the formula that
takes the cells around such an input leaves it out, or takes its twin, it was retyped wrongly.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mlsim_workbooks.lint.algebra import Value, compare, hard, has_money, multiply
from mlsim_workbooks.lint.finding import Said
from mlsim_workbooks.lint.infer import Cellwise, Inference, Key
from mlsim_workbooks.lint.reader import WIDE
from mlsim_workbooks.lint.series import rule_of_factor
from mlsim_workbooks.lint.shapes import is_copied, raises

__all__ = ["unused_findings"]

_FACTORS = frozenset(
    ("exchange rate", "bytes each", "bits each", "hours", "PUE", "gpus per node", "nodes", "devices", "racks", "replicas",
     "users", "requests", "images", "tokens", "carbon intensity")
)  # fmt: skip
# ... which are typed for a formula, and for nothing else
_REACH = 3  # cells
_ANYWHERE = re.compile(r"\b(?:INDIRECT|OFFSET)\(", re.I)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A formula that may lack an unused input, and how near to it are the cells that it uses, and it itself."""

    cell: Cellwise
    taken: dict[int, Cellwise]  # the cells beside the input that it uses, by how far below or right of it they stand
    stands: int  # how far below or right of the input the formula itself stands; 0: elsewhere


def unused_findings(inference: Inference, flagged: set[tuple[str, str]]) -> Iterator[tuple[Cellwise, Said]]:
    """Yield (cell, what is said) for formulas that lack an input beside those they use.

    ``flagged`` are the cells with a finding, as (sheet, address): it may be the reason why an input is not used.
    """
    if any(_ANYWHERE.search(form) for form in inference.book.forms):
        return  # what a formula refers to, nobody can tell
    sheets = [grid.name for grid in inference.book.grids]
    for key, unused in _unused(inference):
        candidates = [c for c in _candidates(inference, key, unused) if not _another_case(inference, key, c)]
        if any((sheets[c.cell.sheet], c.cell.item.address) in flagged for c in candidates):
            continue
        ranked = [(rank, i) for i, c in enumerate(candidates) if (rank := _rank(inference, c, unused))]
        if ranked:
            best = candidates[min(ranked)[1]]
            yield best.cell, _said(best, unused, inference.uses(best.cell).values())


# --- the inputs --------------------------------------------------------------------------------------------------------


def _unused(inference: Inference) -> list[tuple[Key, Cellwise]]:
    """Return the typed numbers that no formula refers to, among others that some do."""
    used, wide = inference.references
    ranges: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for sheet, column, top, bottom in wide:
        ranges.setdefault((sheet, column), []).append((top, bottom))
    found: list[tuple[Key, Cellwise]] = []
    alike: Counter[tuple[object, ...]] = Counter()
    for key, cell in inference.cells.items():
        if cell.item.form >= 0 or not isinstance(cell.item.value, float) or key in used:
            continue
        if not (cell.context.texts or cell.entity):
            continue
        row, col = divmod(key[1], WIDE)
        if any(top <= row <= bottom for top, bottom in ranges.get((key[0], col), ())):
            continue
        found.append((key, cell))
        alike.update(_lines(key, cell))
    return [(k, c) for k, c in found if all(alike[x] == 1 for x in _lines(k, c)) and _among_used(inference, used, k)]


def _lines(key: Key, cell: Cellwise) -> tuple[tuple[object, ...], ...]:
    """Return the row and the column of a cell, each with what the cell is: a whole column without use is data."""
    row, col = divmod(key[1], WIDE)
    return (key[0], row, 0, cell.context.concept, cell.value), (key[0], 0, col, cell.context.concept, cell.value)


def _among_used(inference: Inference, used: set[Key], key: Key) -> bool:
    """Tell whether an unused input stands among used ones."""
    return sum(k in used for k, _ in _around(key, 4) if k in inference.cells) >= 2


# --- the formulas ------------------------------------------------------------------------------------------------------


def _around(key: Key, reach: int) -> Iterator[tuple[Key, int]]:
    """Yield the places above, below and beside a cell, the nearest first, each with its distance: negative before it."""
    sheet, place = key
    for step in range(1, reach + 1):
        for move in (WIDE, 1):
            yield (sheet, place - step * move), -step
            yield (sheet, place + step * move), step


def _candidates(inference: Inference, key: Key, unused: Cellwise) -> list[_Candidate]:
    """Return the formulas that use the cells around an input, or stand there; not those of the same figure of another line."""
    found: dict[Key, _Candidate] = {}
    stands: dict[Key, int] = {}
    for near, distance in _around(key, _REACH):
        cell = inference.cells.get(near)
        if cell is None or (cell.context.texts[:1], cell.entity) == (unused.context.texts[:1], unused.entity):
            continue
        if cell.item.form >= 0:
            stands.setdefault(near, distance)
            found.setdefault(near, _Candidate(cell, {}, distance))
        for user in inference.users.get(near, ()):
            at = found.setdefault(user.key, _Candidate(user, {}, 0))
            at.taken.setdefault(distance, cell)
    return [_Candidate(c.cell, c.taken, stands.get(k, 0)) for k, c in found.items() if c.cell.computed is not None]


def _another_case(inference: Inference, key: Key, candidate: _Candidate) -> bool:
    """Tell whether a formula is not the one that takes such an input in the columns beside it, or is another one there.

    What is rented has its hours paid, what is bought its life: the input is there for the other cases.
    """
    sheet, place = key
    row, col = divmod(place, WIDE)
    told = inference.cells[key].context.texts[:1]
    near = ((sheet, row * WIDE + col + step) for step in (-2, -1, 1, 2) if col + step > 0)
    beside = [k for k in near if k in inference.cells and inference.cells[k].context.texts[:1] == told]
    above = [(k, u) for k in beside for u in inference.users.get(k, ())]
    users = [u for k, u in above if u.sheet == sheet and u.item.col == k[1] % WIDE]
    if not users or candidate.cell.sheet != sheet or candidate.cell.item.col != col:
        return False
    same = [u for u in users if u.item.row == candidate.cell.item.row]
    own = _rows_above(inference, candidate.cell)
    taken = {r for u in same for r in _rows_above(inference, u)}
    idle = {r for r in taken if not inference.users.get((sheet, r * WIDE + col))}
    return not any(_rows_above(inference, u) <= own | idle | {row} for u in same)


def _rows_above(inference: Inference, cell: Cellwise) -> set[int]:
    """Return the rows of the cells of its own column that a formula uses."""
    used = inference.uses(cell).values()
    return {c.item.row for c in used if c.sheet == cell.sheet and c.item.col == cell.item.col}


def _rank(inference: Inference, candidate: _Candidate, unused: Cellwise) -> tuple[int, ...]:
    """Return how certainly a formula lacks an input, the lowest most; () where nothing speaks for it."""
    cell = candidate.cell
    nearest = min(map(abs, candidate.taken), default=9)
    worked = cell.computed.parts if cell.computed is not None else frozenset()
    if unused.context.concept == "nodes" and worked & {"devices", "1/devices"}:
        return ()  # all GPUs are counted already
    timed = hard(cell.value.dims or ()) == (("time", 1.0),)
    if unused.context.concept == "devices" and (cell.context.percent or timed):
        return ()  # a share of one GPU, and the number of them; all wait as long as one
    if unused.value.kind("statistic").startswith("p9"):
        return ()  # measured, and only shown
    used = inference.uses(cell).values()
    if any(_instead(cell, taken, unused, used) for taken in candidate.taken.values()):
        return 1, nearest, cell.item.key
    if not used:
        return ()  # numbers alone
    tree = inference.tree(cell.item.form)
    copied = tree is not None and is_copied(tree)
    taken = candidate.taken.get(-1)
    if unused.context.concept == "PUE":
        if tree is None or raises(tree):
            return ()  # by the share of cooling and losses
        if ("boundary", "facility") in cell.context.kinds and "~energy" in worked:
            return 1, nearest, cell.item.key  # "incl. cooling"
    if _has_its_unit(cell) and not (unused.value.dims == () and unused.context.concept in _FACTORS):
        return ()
    factor = _rule(cell, unused) != "dimension"
    if candidate.stands == 1 and taken is not None and copied and factor and not _same_kind(taken, unused):
        return 0, nearest, cell.item.key  # =B3 in B5, and B4 is a factor
    twin = any(_same_kind(t, unused) for t in candidate.taken.values())
    if not twin and _lacks(cell, unused):
        return 2 - copied, nearest, cell.item.key
    if candidate.stands in (1, 2) and copied and not candidate.taken and _names(cell, unused):
        return 2, candidate.stands, cell.item.key
    steps_over = candidate.stands == 1 and (copied or -1 in candidate.taken)  # =B21*B27 in B29, and B28 is a PUE
    between = {-1, 1} <= candidate.taken.keys() or (steps_over and candidate.taken)
    has_one = unused.context.concept == "tokens" and "tokens" in worked  # of the answer; these are of the prompt
    return (3, nearest, cell.item.key) if between and unused.context.concept in _FACTORS and not has_one else ()


_NARROW, _WIDE = frozenset(("fp8", "int8", "fp4")), frozenset(("bf16", "fp16"))
_TRAINING = re.compile(r"train|fine-?tun|\bmfu\b|\blora\b|entra[iî]nement|backward", re.I)


def _is_training(cell: Cellwise, used: Iterable[Cellwise]) -> bool:
    """Tell whether a formula is of training, which is done in 16 bits unless its words say otherwise."""
    words = " ".join(c.words for c in (cell, *used) if c.context.concept != "peak")
    return bool(_TRAINING.search(words)) and not re.search(
        r"\b(?:fp|int)[84]\b|prefill|prompt|einlesen|vorbefüllung", words, re.I
    )


def _instead(cell: Cellwise, taken: Cellwise, unused: Cellwise, used: Iterable[Cellwise]) -> str:
    """Return the rule that taking one cell instead of its twin breaks."""
    if hard(taken.value.dims or ()) != hard(unused.value.dims or ()):
        return ""
    pair = taken.context.concept, unused.context.concept
    assert cell.computed is not None
    if pair == ("peak", "peak"):
        sparse = taken.value.kind("density") == "sparse" and unused.value.kind("density") == "dense"
        if sparse and taken.value.kind("precision") == unused.value.kind("precision"):
            return "" if re.search(r"spars", cell.words, re.I) else "sparse-peak"
        narrow = taken.value.kind("precision") in _NARROW and unused.value.kind("precision") in _WIDE
        alike = taken.value.kind("density") == unused.value.kind("density")
        return "peak-precision" if narrow and alike and _is_training(cell, used) else ""
    if pair == ("heads", "kv heads"):
        return "kv-heads" if cell.computed.parts & {"layers", "head dim"} else ""
    if pair in (("parameters", "active parameters"), ("active parameters", "parameters")):
        dims = dict(hard(cell.value.dims or ()))
        if not dims:
            return ""  # tokens per parameter
        works = "operation" in dims or "time" in dims
        return "active-params" if works == (pair[1] == "active parameters") else ""
    return ""


def _same_kind(a: Cellwise, b: Cellwise) -> bool:
    """Tell whether two cells hold the same kind of quantity: a mean latency and a p99."""
    return bool(a.value.dims) and a.value.dims == b.value.dims


def _names(cell: Cellwise, unused: Cellwise) -> bool:
    """Tell whether a formula's label says what a count counts: "Output per user" above or below "Active users"."""
    if unused.context.concept not in _FACTORS:
        return False
    counted = {w.rstrip("s") for w in re.findall(r"[a-zà-ÿ]{4,}", unused.words.lower())} & _COUNTED
    return any(re.search(rf"\b(?:per|je|pro|par|each|all|alle) (?:\w+ )?{w}", cell.words, re.I) for w in counted)


_COUNTED = frozenset(
    [
        "user",
        "node",
        "server",
        "replica",
        "rack",
        "request",
        "nutzer",
        "utilisateur",
        "card",
        "stream",
        "session",
        "image",
    ]
)


def _lacks(cell: Cellwise, unused: Cellwise) -> bool:
    """Tell whether a formula has the unit its cell states with an input, and has not without it."""
    stated, computed = cell.context.value, cell.computed
    assert computed is not None
    if stated is None or not cell.context.explicit or not unused.value.dims or _fits(computed, stated):
        return False
    rate = ("time", -1.0) in (computed.dims or ())  # in the busy hour
    if unused.value.dims == (("time", 1.0),) and computed.kind("period") and not stated.kind("period") and not rate:
        return hard(computed.dims or ()) == hard(stated.dims or ())  # so much a month, and nobody says for how many
    if {n for n, _ in unused.value.dims} <= {"token", "request", "sample"} and compare(computed, stated) is None:
        return False  # of tokens, labels say too little
    return any(_fits(multiply(computed, unused.value, sign), stated) for sign in (1, -1))


def _has_its_unit(cell: Cellwise) -> bool:
    """Tell whether a formula gives the unit that its cell states without the input: only a factor of none can be due."""
    stated, computed = cell.context.value, cell.computed
    return stated is not None and cell.context.explicit and computed is not None and _fits(computed, stated)


def _fits(computed: Value, stated: Value) -> bool:
    if computed.dims is None or stated.dims is None:
        return False
    return compare(computed, stated) is None and computed.dims == stated.dims


# --- what is said ------------------------------------------------------------------------------------------------------


def _said(candidate: _Candidate, unused: Cellwise, used: Iterable[Cellwise]) -> Said:
    cell = candidate.cell
    for taken in candidate.taken.values():
        if rule := _instead(cell, taken, unused, used):
            return rule, f"'{cell.label}' takes '{taken.label}'; '{unused.label}' is used by no formula.", ""
    return _rule(cell, unused), f"'{cell.label}' leaves out '{unused.label}', which no formula uses.", ""


_BYTES = re.compile(r"\b(?:bytes?|octets?) (?:per|a|each|je|pro|par)\b|precision|präzision|précision|dtype", re.I)
_GPU_HOURS = re.compile(
    r"(?:gpu|card|accelerator|karten|cartes?)[-_ ]?(?:h\b|hours?|time|std|stunden)|heures? gpu", re.I
)


def _rule(cell: Cellwise, unused: Cellwise) -> str:
    rule, computed = rule_of_factor(unused), cell.computed
    dims = dict(cell.value.dims or ())
    assert computed is not None
    if _BYTES.search(unused.words) or "parameter" in dict(unused.value.dims or ()):
        return "params-bytes"
    if unused.context.concept in ("devices", "gpus per node") and (
        _GPU_HOURS.search(cell.words) or (dims.get("device", 0) > 0 and "time" in dims)
    ):
        return "device-hours"
    if rule == "calendar":
        names = dict(computed.dims or ())
        return "money-rate" if has_money(computed) else "power-energy" if "energy" in names else rule
    return rule or "dimension"
