"""The rules: turn what was inferred into findings, each with a sentence and a fix."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from mlsim_workbooks.lint import syntax as sx
from mlsim_workbooks.lint.algebra import Value, compare, hard, is_conversion, is_time
from mlsim_workbooks.lint.finding import RULES, Finding
from mlsim_workbooks.lint.infer import Cellwise, Clash, Inference
from mlsim_workbooks.lint.labels import read_label
from mlsim_workbooks.lint.limits import limit_findings
from mlsim_workbooks.lint.naming import ratio_text, rule_of, unit_text
from mlsim_workbooks.lint.registry import registry_findings
from mlsim_workbooks.lint.series import series_findings
from mlsim_workbooks.package import column_name

__all__ = ["check"]

Said = tuple[str, str, str]  # rule, message, suggestion


@dataclass
class Facts:
    """What the whole workbook holds, which some rules need."""

    concepts: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    used: set[tuple[int, int]] = field(default_factory=set)
    pue_users: set[tuple[int, int]] = field(default_factory=set)  # cells that a formula with PUE uses
    precision: str = ""
    formats: dict[tuple[int, int], list[tuple[int, str]]] = field(
        default_factory=dict
    )  # column -> (row, number format)


def check(inference: Inference) -> list[Finding]:
    """Return all findings of a workbook, in the order of its cells."""
    facts = _facts(inference)
    found: list[Finding] = []
    seen: set[tuple[str, str, str]] = set()
    clean: set[tuple[int, ...]] = set()  # what was found right once is right in all cells it was filled to
    for (sheet, _), cell in inference.cells.items():
        key = (sheet, cell.item.col, id(cell.context), id(cell.computed), id(cell.clashes), cell.item.form)
        if key in clean:
            continue
        said = list(_of_cell(inference, facts, sheet, cell))
        if not said:
            clean.add(key)
        for rule, message, suggestion in said:
            _report(inference, found, seen, sheet, cell, rule, message, suggestion)
    for sheet, cell, said in (*registry_findings(inference), *limit_findings(inference)):
        _report(inference, found, seen, sheet, cell, *said)
    flagged = {(f.sheet, f.cell) for f in found}
    for sheet, cell, said in series_findings(inference):
        if (inference.book.grids[sheet].name, f"{column_name(cell.item.col)}{cell.item.row}") not in flagged:
            _report(inference, found, seen, sheet, cell, *said)
    order = {g.name: i for i, g in enumerate(inference.book.grids)}
    return sorted(found, key=lambda f: (order[f.sheet], _row(f.cell), f.cell, f.rule))


def _row(cell: str) -> int:
    return int(re.sub(r"\D", "", cell) or 0)


def _report(
    inference: Inference, found: list[Finding], seen: set[tuple[str, str, str]], sheet: int, cell: Cellwise, rule: str,
    message: str, suggestion: str,
) -> None:  # fmt: skip
    book = inference.book
    address = f"{column_name(cell.item.col)}{cell.item.row}"
    key = book.grids[sheet].name, address, rule
    if key not in seen:
        seen.add(key)
        found.append(Finding(book.path.name, key[0], address, rule, message, suggestion or RULES[rule].fix))


def _facts(inference: Inference) -> Facts:
    facts = Facts()
    precisions: set[str] = set()
    for key, cell in inference.cells.items():
        if cell.context.concept:
            facts.concepts.setdefault(cell.context.concept, []).append(key)
        if cell.computed is not None and "PUE" in cell.computed.parts:
            facts.pue_users |= set(inference.uses(key))
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
    facts.precision = precisions.pop() if len(precisions) == 1 else ""
    return facts


_PRECISION_LABEL = re.compile(
    r"\b(?:precision|dtype|number format|data ?type|compute format|präzision|précision|datentyp)\b", re.I
)


# --- one cell -------------------------------------------------------------------------------------------------------


def _of_cell(inference: Inference, facts: Facts, sheet: int, cell: Cellwise) -> Iterator[Said]:
    text = _writer(inference, cell)
    if cell.context.contradiction is not None:
        yield _contradiction(cell)
    yield from _label_rules(cell)
    if cell.computed is None:
        return
    clashes = 0
    for clash in cell.clashes:
        said = _clash(clash, text)
        if said is not None:
            clashes += 1
            yield said
    tree = inference.tree(cell.item.form)
    if tree is None:
        return
    if not clashes and cell.context.contradiction is None:
        yield from _result(cell, tree)
        yield from _user_sum(inference, facts, sheet, cell, tree)
        yield from _eight(cell)
    yield from _kind_rules(cell, tree, facts, _format_of(facts, sheet, cell))
    yield from _scope_rules(cell, tree, bool(facts.concepts.get("nodes")))
    yield from _copy_rules(inference, sheet, cell, tree)
    yield from _hour_price_rules(inference, sheet, cell)
    yield from _kv_rules(inference, facts, cell, tree)
    yield from _pue_rules(inference, facts, sheet, cell)


def _writer(inference: Inference, cell: Cellwise) -> Callable[[sx.Node | None], str]:
    refs = cell.item.refs

    def write(node: sx.Node | None) -> str:
        match node:
            case sx.Ref():
                return (f"{node.sheet}!" if node.sheet else "") + refs[node.mark].replace("$", "")
            case sx.Area():
                first, last = refs[node.first], refs[node.last]
                return (first if first == last else f"{first}:{last}").replace("$", "")
            case sx.Number():
                return f"{node.value:g}"
            case sx.Name():
                return node.name
            case sx.Binary():
                return f"{write(node.left)}{node.operator}{write(node.right)}"
            case sx.Unary():
                return f"-{write(node.operand)}" if node.operator == "-" else f"{write(node.operand)}%"
            case sx.Call():
                return f"{node.name}({', '.join(write(a) for a in node.args if a is not None)})"
        return "…"

    return lambda node: text if len(text := write(node)) <= 44 else text[:43] + "…"


def _contradiction(cell: Cellwise) -> Said:
    clash = cell.context.contradiction
    assert clash is not None
    return (
        "unit-contradiction",
        f"The label says {clash.first}, the {clash.where} says {clash.second} ({cell.label}).",
        "Correct whichever is wrong.",
    )


def _clash(clash: Clash, text: Callable[[sx.Node | None], str]) -> Said | None:
    a, b = unit_text(clash.left), unit_text(clash.right)
    left, right = text(clash.left_node), text(clash.right_node)
    if clash.how == "bare":
        return (
            "bare-number",
            f"Adds the bare number {clash.left.number:g} to a quantity in {b} ({right}).",
            f"Put {clash.left.number:g} in a cell of its own with its unit, converted to {b}.",
        )
    if clash.note == "scope":
        per = next((n for n, e in clash.left.dims or () if e < 0 and n in ("device", "node")), "device")
        name = {"device": "GPU"}.get(per, per)
        other = next((n for n, e in clash.right.dims or () if e > 0 and n in ("node", "rack")), "GPU")
        return (
            "device-scope",
            f"Multiplies a figure per {name} ({left}) by a number of {other}s ({right}).",
            f"Multiply by the {name}s per {other} too.",
        )
    if clash.note == "PUE":
        return "facility-energy", f"Applies PUE twice: {left} already includes it.", ""
    if clash.note == "token":
        return (
            "token-direction",
            f"Multiplies a figure of {clash.left.kind('token')} tokens ({left}) by one of {clash.right.kind('token')} tokens ({right}).",
            "",
        )
    if clash.note == "percent":
        return "percent", f"Divides {left} by 100, but its format % means that it is a fraction already.", ""
    if clash.note == "scopes":
        return "device-scope", f"Adds figures per GPU and per node ({left} and {right}).", "Multiply the one per GPU by the GPUs per node."
    if clash.note == "hours":
        return "device-hours", f"Adds hours and GPU-hours ({left} and {right}).", ""
    if clash.note == "counts":
        return "mixed-sum", f"Sums different things: {a} and {b}.", ""
    if clash.note:
        return _kind_clash(clash, left, right)
    if clash.mismatch is None:
        return None
    rule = rule_of(clash.mismatch, clash.left, clash.right)
    if not rule:
        return None
    doing = {
        "subtract": "Subtracts",
        "add": "Adds",
        "sum": "Sums",
        "compare": "Compares",
        "branch": "Chooses between",
        "convert": "Converts",
    }[clash.how]
    if clash.how == "sum":
        rule = "mixed-sum"
    shown = _both(a, b, clash.left, clash.right)
    factor = (
        ""
        if clash.mismatch.dims or clash.mismatch.ratio == 1.0
        else f", a factor of {ratio_text(clash.mismatch.ratio)} apart"
    )
    places = "" if "…" in (left, right) else f" ({left})" if left == right else f" ({left} and {right})"
    return rule, f"{doing} {shown}{places}{factor}.", ""


def _both(a: str, b: str, left: Value, right: Value) -> str:
    if a == b:
        p, q = left.kind("period"), right.kind("period")
        if p != q:
            return f"{a} per {p or 'period'} and {b} per {q or 'period'}"
    return f"{a} and {b}"


_KIND_RULE = {
    "statistic": "statistic-mix", "density": "sparse-peak", "direction": "link-direction", "trip": "round-trip",
    "boundary": "facility-energy", "parameters": "active-params", "token": "token-direction", "precision": "peak-precision",
}  # fmt: skip


def _kind_clash(clash: Clash, left: str, right: str) -> Said:
    category = clash.note
    a, b = clash.left.kind(category), clash.right.kind(category)
    return _KIND_RULE[category], f"Combines a figure that is '{a}' ({left}) with one that is '{b}' ({right}).", ""


# --- what labels say by themselves -------------------------------------------------------------------------------------

# concept -> (hard dimension its unit has, rule when a unit of the other dimension stands there)
_TIME = ("time", -1.0)
_DUE: dict[str, tuple[tuple[str, float], ...]] = {
    "bandwidth": (("information", 1.0), _TIME),
    "energy": (("energy", 1.0),),
    "power": (("energy", 1.0), _TIME),
    "memory": (("information", 1.0),),
    "kv cache": (("information", 1.0),),
    "peak": (("operation", 1.0), _TIME),
    "achieved compute": (("operation", 1.0), _TIME),
    "work": (("operation", 1.0),),
    "latency": (("time", 1.0),),
    "round trip": (("time", 1.0),),
    "integer peak": (("integer_operation", 1.0), _TIME),
    "carbon intensity": (("energy", -1.0), ("mass_of_co2e", 1.0)),
    "parameters": (),
    "active parameters": (),
    "MACs": (("operation", 1.0),),
}
_PAIRS: dict[tuple[str, frozenset[tuple[str, float]]], str] = {
    ("energy", frozenset({("energy", 1.0), _TIME})): "power-energy",
    ("power", frozenset({("energy", 1.0)})): "power-energy",
    ("peak", frozenset({("operation", 1.0)})): "flop-rate",
    ("achieved compute", frozenset({("operation", 1.0)})): "flop-rate",
    ("work", frozenset({("operation", 1.0), _TIME})): "flop-rate",
    ("bandwidth", frozenset({("information", 1.0)})): "dimension",
    ("memory", frozenset({("information", 1.0), _TIME})): "dimension",
    ("integer peak", frozenset({("operation", 1.0), _TIME})): "integer-ops",
    ("parameters", frozenset({("information", 1.0)})): "params-bytes",
    ("active parameters", frozenset({("information", 1.0)})): "params-bytes",
    ("carbon intensity", frozenset({("mass_of_co2e", 1.0)})): "carbon-scale",
}  # fmt: skip


def _label_rules(cell: Cellwise) -> Iterator[Said]:
    """A unit that cannot be the unit of the quantity its label names."""
    context = cell.context
    value = context.value
    if not context.explicit or value is None or value.dims is None:
        return
    labels = [read_label(t) for t in context.texts]
    label = next((x for x in labels if x.unit is not None and x.unit.text == value.text), None)
    if label is None:  # the unit stands in a column of its own, or in the number format
        label = next((x for x in labels if x.concept and x.concept == context.concept), None)
        if label is None or any(x.unit is not None for x in labels):
            return
    concept = label.concept
    unit = label.unit or value
    own = frozenset(hard(unit.dims or ()))
    rule = _PAIRS.get((concept, own), "")
    words = label.text
    precise = dict(label.kinds).get("precision", "")
    if (
        concept in ("peak", "achieved compute")
        and own == frozenset({("integer_operation", 1.0), _TIME})
        and precise.startswith(("fp", "bf", "tf"))
    ):
        rule = "integer-ops"
    if concept in ("energy", "power") and unit.kind("period"):
        rule = ""
    if concept == "throughput" and re.search(r"tok", words, re.I) and own == frozenset() and not unit.kind("period"):
        if any(n == "token" for n, _ in unit.dims or ()) and re.search(r"throughput|per second|/s\b", words, re.I):
            rule = "token-rate"
    if concept == "MACs" and own == frozenset({("operation", 1.0)}) and re.search(r"FLOP", unit.text):
        rule = "mac-flop"
    if concept in ("parameters", "active parameters") and any(n == "parameter" for n, _ in unit.dims or ()):
        rule = ""  # "bytes per parameter"
    if concept == "memory" and not re.search(r"memory|hbm|vram|capacity|speicher(?!.*rate)|mémoire", words, re.I):
        rule = ""
    if rule and not re.search(r"utili|share|price|cost|per token|\brate\b|speed", words, re.I):
        yield rule, f"'{words}' names {_article(concept)}, but its unit is {unit.text}.", ""


def _article(concept: str) -> str:
    return {
        "work": "a count of operations",
        "peak": "a rate of operations",
        "achieved compute": "a rate of operations",
    }.get(concept, ("an " if concept[0] in "aeiou" else "a ") + concept)


# --- a formula against its cell ----------------------------------------------------------------------------------------


def _result(cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    stated, computed = cell.context.value, cell.computed
    assert computed is not None
    if cell.context.percent and computed.dims == () and any(abs(n - 100) < 1e-9 for n in computed.numbers):
        yield "percent", f"'{cell.label}' multiplies by 100, and its format % does so once more.", ""
    if stated is None:
        yield from _unlabelled(computed)
        return
    if not cell.context.explicit and not stated.dims and hard(computed.dims or ()):
        return  # a "factor" that turns out to be a quantity: the label was misread
    if computed.kind("typed"):
        return  # a text with its own unit, passed on as it is
    mismatch = compare(computed, stated)
    if mismatch is None:
        return
    if computed.number is not None or isinstance(tree, (sx.Number, sx.Text)):
        return
    rule = rule_of(mismatch, computed, stated)
    if not rule:
        return
    if mismatch.dims and not hard(stated.dims or ()) and not _plain(stated):
        return
    if rule == "integer-ops" and _is_mac(computed):
        if _numbers(computed, 2.0):
            return  # two integer operations in a multiply-accumulate
        rule = "mac-flop"
    if dict(mismatch.dims).get("information") and re.search(
        r"\d ?[kMGT]i?B\b", " ".join((cell.entity, *cell.context.texts))
    ):
        return  # "all-reduce of 1 GB": the size stands in the label and as a number in the formula
    if rule == "dimension" and not hard(computed.dims or ()) and not any(p[0] == "~" for p in computed.parts):
        return  # shapes multiplied: a count of anything
    found, due = unit_text(computed), unit_text(stated)
    if mismatch.periods[0]:
        yield (
            rule,
            f"The formula gives a figure per {mismatch.periods[0]}, the cell is per {mismatch.periods[1]} ({cell.label}).",
            "",
        )
    elif mismatch.dims:
        yield rule, f"The formula gives {found}, but the cell says {due} ({cell.label}).", ""
    else:
        yield (
            rule,
            f"The formula gives a number in {found}, but the cell says {due} ({cell.label}): "
            f"a factor of {ratio_text(mismatch.ratio)}.",
            "",
        )


def _eight(cell: Cellwise) -> Iterator[Said]:
    """A factor of 8 between quantities that are both in bytes already."""
    computed, stated = cell.computed, cell.context.value
    if computed is None or stated is None or not cell.context.explicit or computed.dims is None or "~information" not in computed.parts:
        return
    eights = [n for n in computed.numbers if not is_conversion(n) and not is_time(n)]
    words = " ".join((cell.entity, *cell.context.texts))
    if len(eights) != 1 or eights[0] not in (8.0, 0.125) or re.search(r"\b8\b|gpu|per |bit", words, re.I):
        return
    dims = hard(stated.dims or ())
    due = dims == (("time", 1.0),) and eights[0] == 8.0 and hard(computed.dims) == dims
    due |= dims == (("information", 1.0), ("time", -1.0)) == hard(computed.dims)
    plain = replace(computed, numbers=tuple(n for n in computed.numbers if n != eights[0]))
    if due and compare(plain, stated) is None:
        yield "bits-bytes", f"'{cell.label}' has a factor of 8, but everything it uses is in bytes already.", ""


def _is_mac(value: Value) -> bool:
    """Tell whether a count of operations is in MACs, by its scale of 2 × 10^3n."""
    mantissa = value.factor / 10.0 ** (3 * round(math.log10(value.factor) / 3)) if value.factor > 0 else 0.0
    return abs(mantissa - 2) < 1e-6 or "MAC" in value.text


def _plain(stated: Value) -> bool:
    """Tell whether a unit without a hard dimension is stated surely enough to contradict a formula."""
    return stated.text == "%" or (bool(stated.dims) and stated.text != "")


def _unlabelled(computed: Value) -> Iterator[Said]:
    """A ratio of GB and GiB, whatever cell it stands in."""
    if computed.dims is None or hard(computed.dims) or "~information" not in computed.parts:
        return
    mismatch = compare(computed, Value(dims=()))
    if mismatch is not None and not mismatch.dims and rule_of(mismatch, computed, Value(dims=())) == "binary-prefix":
        yield "binary-prefix", f"Divides quantities in GB and GiB: off by a factor of {ratio_text(mismatch.ratio)}.", ""


# --- kinds --------------------------------------------------------------------------------------------------------------


def _halved(value: Value) -> bool:
    """Tell whether a 2 in a formula may turn sparse into dense or both directions into one: not the one of 2 × parameters."""
    twos = sum(abs(n - 2) < 1e-9 or abs(n - 0.5) < 1e-9 for n in value.numbers)
    return twos > bool(value.parts & {"parameters", "active parameters", "MACs"})


def _numbers(value: Value, *wanted: float) -> bool:
    return any(abs(n / w - 1) < 1e-9 or abs(n * w - 1) < 1e-9 for n in value.numbers if n for w in wanted)


def _format_of(facts: Facts, sheet: int, cell: Cellwise) -> str:
    """Return the number format that the sheet says a cell is computed in: the one above it, or the workbook's only one."""
    above = [kind for row, kind in facts.formats.get((sheet, cell.item.col), []) if row < cell.item.row]
    return above[-1] if above else facts.precision


def _kind_rules(cell: Cellwise, tree: sx.Node, facts: Facts, precision: str) -> Iterator[Said]:
    computed, context = cell.computed, cell.context
    assert computed is not None
    words = " ".join(context.texts)
    stated = dict(context.kinds)
    dims = hard(context.value.dims or ()) if context.value is not None else ()
    label = cell.label
    if "~operation" in computed.parts or any(n == "operation" for n, _ in computed.dims or ()):
        yield from _density(cell, computed, stated, dims, words, precision)
    direction = computed.kind("direction")
    if direction and not _numbers(computed, 2.0):
        due = stated.get("direction", "")
        if due and due != direction:
            yield "link-direction", f"'{label}' is {due}, but the formula uses a figure that is {direction}.", ""
        elif direction == "both directions" and dims == (("time", 1.0),):
            yield (
                "link-direction",
                f"A transfer goes one way, but '{label}' divides by a bandwidth of both directions.",
                "",
            )
    trip, due = {k for c, k in computed.kinds if c == "trip"}, stated.get("trip", "")
    if due and trip and due not in trip and not _numbers(computed, 2.0):
        yield "round-trip", f"'{label}' is {due}, but the formula uses a {trip.pop()} latency.", ""
    elif trip == {"one way"} and not due and not _numbers(computed, 2.0) and _THERE_AND_BACK.search(words):
        yield "round-trip", f"'{label}' takes a way there and back, but the formula uses a one-way latency.", ""
    for category in ("trip", "direction", "density"):
        if (
            stated.get(category)
            and computed.kind(category) == stated[category]
            and _copied(tree)
            and _numbers(computed, 2.0)
            and not re.search(r"\b[2-9] ?(?:×|x|\*)? ?(?:rtt|round)|twice|double", words, re.I)
        ):
            yield (
                _KIND_RULE[category],
                f"'{label}' is {stated[category]} like the figure it takes, but the formula has a factor of 2.",
                "",
            )
    yield from _boundary(computed, stated, label)
    yield from _parameters(cell, computed, dims, words, facts)
    token, due = computed.kind("token"), stated.get("token", "")
    if token and due and token != due and len({k for c, k in computed.kinds if c == "token"}) == 1:
        yield "token-direction", f"'{label}' is about {due} tokens, but the formula uses {token} tokens.", ""
    statistics, due = {k for c, k in computed.kinds if c == "statistic"}, stated.get("statistic", "")
    tails = sorted(k for k in statistics if k.startswith("p9"))
    if due in ("mean", "p50") and tails:
        yield "statistic-mix", f"'{label}' is a {due}, but the formula takes a {tails[0]}.", ""
    elif due and statistics and due not in statistics and _copied(tree):
        yield "statistic-mix", f"'{label}' is a {due}, but the formula takes a {statistics.pop()}.", ""


_THERE_AND_BACK = re.compile(
    r"\back\b|\bbdp\b|(?:bytes|data) in flight|handshake|connect\b|and back|to (?:the )?(?:result|answer|response)\b",
    re.I,
)


def _copied(tree: sx.Node) -> bool:
    """Tell whether a formula only passes a figure on: a reference, or a reference scaled by numbers."""
    if isinstance(tree, sx.Ref):
        return True
    if isinstance(tree, sx.Binary) and tree.operator in "*/":
        return (_copied(tree.left) and isinstance(tree.right, sx.Number)) or (
            _copied(tree.right) and isinstance(tree.left, sx.Number) and tree.operator == "*"
        )
    return (
        isinstance(tree, sx.Call)
        and tree.name in ("ROUND", "ROUNDUP", "IFERROR")
        and bool(tree.args)
        and _copied(tree.args[0] or sx.Other())
    )


def _density(
    cell: Cellwise, computed: Value, stated: dict[str, str], dims: tuple[tuple[str, float], ...], words: str,
    precision: str,
) -> Iterator[Said]:  # fmt: skip
    label = cell.label
    ratio = cell.context.concept in ("MFU", "ratio") or dims == (("time", 1.0),) or cell.context.concept in (
        "achieved compute", "latency", "throughput") or (dims == () and cell.context.percent)  # fmt: skip
    if computed.kind("density") == "sparse" and not _halved(computed) and not re.search("spars", words, re.I):
        if stated.get("density") == "dense" or ratio:
            yield "sparse-peak", f"'{label}' uses a sparse peak, twice what dense matrices can reach.", ""
    elif stated.get("density") == "sparse" and computed.kind("density") == "dense" and not _halved(computed):
        yield "sparse-peak", f"'{label}' is sparse, but the formula takes a dense peak.", ""
    formats = {k for c, k in computed.kinds if c == "precision"}
    due = stated.get("precision", "")
    if re.search(r"speed-?up|ratio|vs\b|versus|faster|gain|\bover\b", words, re.I):
        return
    same = {"fp16": "bf16"}
    formats = {same.get(f, f) for f in formats}
    due = same.get(due, due)
    integers = {f for f in formats | {due} if f.startswith("int")}
    if integers and "~integer_operation" in computed.parts and formats != integers | {due} - {""}:
        yield "integer-ops", f"'{label}' combines floating-point figures with a peak of integer operations.", ""
    elif due and formats and formats != {due}:
        yield (
            "peak-precision",
            f"'{label}' is {due}, but the formula takes a peak in {', '.join(sorted(formats - {due}))}.",
            "",
        )
    elif len(formats) > 1 and ratio:
        yield "peak-precision", f"'{label}' combines figures in {' and '.join(sorted(formats))}.", ""
    elif (
        not due
        and precision
        and formats
        and (ratio or tree_is_pick(cell))
        and formats != {same.get(precision, precision)}
    ):
        yield "peak-precision", f"The sheet computes in {precision}, but '{label}' takes a peak in {formats.pop()}.", ""


def tree_is_pick(cell: Cellwise) -> bool:
    """Tell whether a cell picks the peak to compute with: "peak used", "peak of the format"."""
    return bool(
        re.search(
            r"used|of the format|chosen|selected|verwendet|gewählt|retenu|applied|effective",
            " ".join(cell.context.texts),
            re.I,
        )
    )


def _boundary(computed: Value, stated: dict[str, str], label: str) -> Iterator[Said]:
    due, found = stated.get("boundary", ""), computed.kind("boundary")
    if due == "facility" and "PUE" not in computed.parts and found == "IT" and not any(1 < n < 2.5 for n in computed.numbers):
        yield "facility-energy", f"'{label}' is facility energy, but the formula takes IT energy without PUE.", ""
    elif due == "IT" and (found == "facility" or "PUE" in computed.parts):
        if "1/PUE" not in computed.parts:
            yield "facility-energy", f"'{label}' is IT energy, but the formula includes PUE.", ""


def _parameters(
    cell: Cellwise, computed: Value, dims: tuple[tuple[str, float], ...], words: str, facts: Facts
) -> Iterator[Said]:
    kind = computed.kind("parameters")
    active = bool(facts.concepts.get("active parameters"))
    if not active or not (computed.parts & {"parameters", "active parameters"}):
        return
    label = cell.label
    names = {n for n, _ in dims}
    if (
        ("operation" in names or (names == {"time"} and "~operation" in computed.parts))
        and "active parameters" not in computed.parts
        and "parameters" in computed.parts
    ):
        if not re.search(r"total param|all param", words, re.I):
            yield (
                "active-params",
                f"'{label}' counts operations with all parameters; a mixture of experts computes with the active ones.",
                "",
            )
    elif "information" in names and "time" not in names and "active parameters" in computed.parts:
        if not re.search(r"activ|read|per token|stream|touch|traffic|moved|loaded|aktiv|\\blus?\\b", words, re.I):
            yield (
                "active-params",
                f"'{label}' is memory for the active parameters only; all experts have to be held.",
                "",
            )
    elif kind == "total" and dict(cell.context.kinds).get("parameters") == "active":
        yield "active-params", f"'{label}' is about active parameters, but the formula takes all.", ""


# --- scope ----------------------------------------------------------------------------------------------------------------


def _only_conversions(value: Value) -> bool:
    return all(is_conversion(n) or is_time(n) or n in (100.0, 0.01) for n in value.numbers)


def _scope_rules(cell: Cellwise, tree: sx.Node, nodes: bool) -> Iterator[Said]:
    computed, context = cell.computed, cell.context
    stated = context.value
    if computed is None or stated is None or computed.dims is None or stated.dims is None or not context.explicit:
        return
    if hard(computed.dims) != hard(stated.dims) and compare(computed, stated) is not None:
        return
    if not _only_conversions(computed):
        return
    yield from _user_rules(cell, tree, computed, stated)
    have, due = dict(computed.dims), dict(stated.dims)
    alone = "one" in computed.parts  # the 1 of 1/x may be one GPU
    if (
        not alone
        and hard(computed.dims) == (("time", 1.0),)
        and due.get("device", 0) > 0
        and not have.get("device", 0)
        and not have.get("node")
    ):
        yield (
            "device-hours",
            f"'{cell.label}' is GPU-hours, but the formula gives hours: the number of GPUs is missing.",
            "",
        )
        return
    if not _is_product(tree):
        return
    total = dict(context.kinds).get("total") == "total"
    names = {"device": "GPU", "node": "node", "rack": "rack", "user": "user"}
    label = cell.label
    if (
        due.get("device", 0) > 0
        and due.get("time")
        and not have.get("device", 0)
        and (have.get("time") or any(is_time(n) for n in computed.numbers))
    ):
        rule = "device-scope" if have.get("node") or have.get("rack") else "device-hours"
        yield (
            rule,
            f"'{label}' is GPU-hours, but the formula gives {unit_text(computed)}: the number of GPUs is missing.",
            "",
        )
        return
    if (
        hard(stated.dims) == (("time", 1.0),)
        and have.get("device", 0) > 0
        and not due.get("device")
        and "device hours" in computed.parts
    ):
        yield "device-hours", f"'{label}' is a time, but the formula gives GPU-hours: divide by the number of GPUs.", ""
        return
    for name, shown in names.items():
        rule = "user-total" if name == "user" else "device-scope"
        others = [n for n in names if n != name and have.get(n, 0) < 0]
        if due.get(name, 0) < 0 and not have.get(name) and others and name != "user" and "user" not in others:
            yield rule, f"'{label}' is per {shown}, but the formula gives a figure per {names[others[0]]}.", ""
            return
        if name == "user":
            continue
        if (
            have.get(name, 0) < 0
            and not due.get(name)
            and (total or any(due.get(n, 0) < 0 for n in names if n != name and n != "user"))
        ):
            yield (
                rule,
                f"'{label}' is a total, but the formula gives a figure per {shown}.",
                f"Multiply by the number of {shown}s.",
            )
            return
    if have.get("node", 0) > 0 and not due.get("node") and hard(stated.dims) == (("time", 1.0),) and nodes:
        yield (
            "device-scope",
            f"'{label}' divides by a rate per node: the number of nodes is missing.",
            "Multiply the rate by the number of nodes.",
        )
        return
    money = any(n.startswith("money_in_") for n in have)
    if money and have.get("device", 0) < 0 and not due.get("device") and hard(stated.dims) and not have.get("node"):
        if "~time" in computed.parts and not re.search(
            r"gpu|each|one |single|unit|per |/|pro |par ", " ".join(context.texts), re.I
        ):
            yield (
                "device-hours", f"'{label}' multiplies a price per GPU-hour by hours: the number of GPUs is missing.",
                "Multiply by the number of GPUs, or use GPU-hours.",
            )  # fmt: skip


_MANY_GPUS = re.compile(
    r"replica|node|server|instance|cluster|fleet|installed|rack|\btotal|\ball\b|knoten|instanz|serveur|gesamt", re.I
)


def _copy_rules(inference: Inference, sheet: int, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """A figure passed on under a label that means another number of GPUs or nodes."""
    source = inference.cell_of(sheet, cell.item, tree)
    context = cell.context
    if source is None or context.value is None or context.value.dims is None or source.value.dims is None:
        return
    due, have = dict(context.value.dims), dict(source.value.dims)
    counts = {"devices", "nodes", "racks", "replicas"}
    words, label = " ".join(context.texts), cell.label
    if (
        {context.concept, source.context.concept} <= counts
        and context.concept != source.context.concept
        and context.concept != "replicas"
    ):
        yield (
            "device-scope",
            f"'{label}' takes a number of {source.context.concept}.",
            f"Multiply by the {context.concept} of each.",
        )
    elif have.get("device", 0) < 0 and not due.get("device") and hard(context.value.dims) and _MANY_GPUS.search(words):
        yield "device-scope", f"'{label}' takes a figure per GPU.", "Multiply by the number of GPUs."
    elif due.get("device", 0) < 0 and not have.get("device") and source.context.texts and context.texts:
        if (
            _PER_GPU.sub("", context.texts[0]).strip().casefold()
            == source.context.texts[0].strip().casefold()
            != context.texts[0].casefold()
        ):
            yield (
                "device-scope",
                f"'{label}' is per GPU, but the formula takes the whole ({source.label}).",
                "Divide by the number of GPUs.",
            )


_PER_GPU = re.compile(r",? ?(?:per|/|pro|par|je) ?(?:gpu|device|accelerator|chip|card|karte|carte)\b", re.I)
_ONE_USER = re.compile(
    r"user|nutzer|utilisateur|stream|seat|session|one |each|single|mitarbeiter|employee|student|customer|/req|per request|slot",
    re.I,
)


def _user_rules(cell: Cellwise, tree: sx.Node, computed: Value, stated: Value) -> Iterator[Said]:
    """A figure per user where the total is due, or the other way round."""
    have, due = dict(computed.dims or ()).get("user", 0.0), dict(stated.dims or ()).get("user", 0.0)
    words, label = " ".join(cell.context.texts), cell.label
    total = dict(cell.context.kinds).get("total") == "total"
    copied = _copied(tree) or (isinstance(tree, sx.Call) and tree.name == "SUM" and total)
    if due < 0 and not have and copied:
        yield "user-total", f"'{label}' is per user, but the formula takes a total.", "Divide by the number of users."
    elif (
        have < 0 and not due and ((copied and (total or not _ONE_USER.search(words))) or (total and _is_product(tree)))
    ):
        yield (
            "user-total",
            f"'{label}' is not per user, but the formula takes a figure per user.",
            "Multiply by the number of users.",
        )


def _user_sum(inference: Inference, facts: Facts, sheet: int, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """One summand per user among others that are not, in a sheet that counts users."""
    if not isinstance(tree, sx.Binary) or tree.operator != "+" or not facts.concepts.get("users"):
        return
    if _ONE_USER.search(" ".join(cell.context.texts)):
        return
    summands: list[sx.Node] = []
    stack: list[sx.Node] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, sx.Binary) and node.operator == "+":
            stack += (node.left, node.right)
        else:
            summands.append(node)
    cells = [inference.cell_of(sheet, cell.item, n) for n in summands]
    known = [c for c in cells if c is not None and c.value.known and hard(c.value.dims or ())]
    users = [c for c in known if dict(c.value.dims or ()).get("user", 0.0) < 0]
    if users and len(users) < len(known) and len(known) == len(summands):
        yield (
            "user-total",
            f"'{cell.label}' adds a figure per user ({users[0].label}) to totals.",
            "Multiply it by the number of users.",
        )


_WHOLE = re.compile(
    r"total|bill|charge|yearly|annual|fleet|cluster|electricity|co[uû]ts?\b|costs?\b|kosten|gesamt", re.I
)
_OF_ONE = re.compile(
    r"(?:per|/|one|a|of an?|each|pro|par|je) ?(?:gpu|card|karte|carte|accelerator)|gpu (?:price|cost|preis)|\bunit\b",
    re.I,
)


def _hour_price_rules(inference: Inference, sheet: int, cell: Cellwise) -> Iterator[Said]:
    """A price per GPU-hour worked out from the cost of all GPUs and wall-clock hours."""
    stated, computed = cell.context.value, cell.computed
    if stated is None or computed is None or computed.dims is None or not cell.context.explicit:
        return
    due, have = dict(stated.dims or ()), dict(computed.dims)
    if not (due.get("device", 0) < 0 and due.get("time", 0) < 0 and any(n.startswith("money_in_") for n in due)):
        return
    if (
        have.get("device")
        or have.get("node")
        or not any(n.startswith("money_in_") for n in have)
        or not _only_conversions(computed)
    ):
        return
    used = [
        inference.cells[k]
        for k in inference.uses((sheet, cell.item.row * 16_384 + cell.item.col))
        if k in inference.cells
    ]
    money = [" ".join(c.context.texts) for c in used if any(n.startswith("money_in_") for n, _ in c.value.dims or ())]
    if money and all(_WHOLE.search(w) and not _OF_ONE.search(w) for w in money):
        yield (
            "device-hours", f"'{cell.label}' divides the cost of all GPUs by wall-clock hours.",
            "Divide by GPU-hours: hours times the number of GPUs.",
        )  # fmt: skip


def _is_product(tree: sx.Node) -> bool:
    if isinstance(tree, sx.Ref):
        return True
    if isinstance(tree, sx.Binary):
        return tree.operator in "*/"
    return isinstance(tree, sx.Call) and tree.name in ("ROUND", "ROUNDUP", "ROUNDDOWN", "IFERROR", "CEILING", "PRODUCT") and bool(
        tree.args) and _is_product(tree.args[0] or sx.Other())  # fmt: skip


# --- KV cache, PUE ---------------------------------------------------------------------------------------------------------


def _kv_rules(inference: Inference, facts: Facts, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    computed = cell.computed
    assert computed is not None
    parts = computed.parts
    words = " ".join(cell.context.texts)
    if not {"layers", "head dim"} <= parts or not parts & {"kv heads", "heads"}:
        return
    if (
        "heads" in parts
        and "kv heads" not in parts
        and facts.concepts.get("kv heads")
        and re.search(r"\bkv\b|cache", words, re.I)
    ):
        yield "kv-heads", f"'{cell.label}' multiplies by all attention heads; a KV cache has the KV heads only.", ""
    if "kv pair" in parts or "+" in _operators(tree):
        return
    small = [n for n in computed.numbers if n in (2.0, 4.0, 8.0)]
    if parts & {"bytes each", "bits each"}:
        missing = not small
    else:
        product = 1.0
        for n in small:
            product *= n
        narrow = re.search(r"fp8|int8|8[- ]bit|int4|fp4", words, re.I) or facts.precision in (
            "fp8",
            "int8",
            "fp4",
            "int4",
        )
        missing = product < (2.0 if narrow else 4.0)
        holds = cell.context.value is not None and any(n == "information" for n, _ in cell.context.value.dims or ())
        missing = missing and (holds or not computed.known) and not any(p for p in parts if p in ("memory",))
    if missing:
        yield (
            "kv-factor",
            f"'{cell.label}' multiplies layers, heads and head dimension once; keys and values need it twice.",
            "",
        )


def _operators(tree: sx.Node) -> str:
    if isinstance(tree, sx.Binary):
        return tree.operator + _operators(tree.left) + _operators(tree.right)
    if isinstance(tree, sx.Call):
        return "".join(_operators(a) for a in tree.args if a is not None)
    return _operators(tree.operand) if isinstance(tree, sx.Unary) else ""


def _pue_rules(inference: Inference, facts: Facts, sheet: int, cell: Cellwise) -> Iterator[Said]:
    """Energy that is paid for, or makes emissions, without PUE in a workbook that has one."""
    pues = [inference.cells[key] for key in facts.concepts.get("PUE", [])]
    words = " ".join(cell.context.texts)
    if (
        not pues
        or cell.computed is None
        or re.search("meter|zähler|compteur|charge", words, re.I)
        or any(p.item.form >= 0 and p.computed is not None and "~energy" in p.computed.parts for p in pues)
    ):
        return  # a PUE worked out from meters is a result, not something to apply
    computed, context = cell.computed, cell.context
    if "PUE" in computed.parts or "~energy" not in computed.parts or computed.kind("boundary") == "facility":
        return
    key = sheet, cell.item.row * 16_384 + cell.item.col
    if dict(context.kinds).get("boundary") == "IT" or not _prices_energy(cell, inference, key):
        return
    if key in facts.pue_users:
        return
    used = (inference.cells[k] for k in inference.uses(key) if k in inference.cells)
    if any(re.search(r"meter|zähler|compteur|utility|invoice|facility", " ".join(c.context.texts), re.I) for c in used):
        return
    yield "facility-energy", f"'{cell.label}' prices IT energy; the sheet has a PUE, which is not applied here.", ""


def _prices_energy(cell: Cellwise, inference: Inference, key: tuple[int, int]) -> bool:
    """Tell whether a formula multiplies something per kWh with energy: money or emissions come out."""
    computed = cell.computed
    if computed is None or computed.dims is None or dict(computed.dims).get("energy"):
        return False
    used = (dict(inference.cells[k].value.dims or ()) for k in inference.uses(key) if k in inference.cells)
    return any(
        d.get("energy") == -1.0 and not d.get("time") and any(n.startswith("money_in_") or n == "mass_of_co2e" for n in d)
        for d in used
    )
