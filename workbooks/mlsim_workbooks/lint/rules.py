"""The rules: turn what was inferred into findings, each with a sentence and a fix."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache

from mlsim_workbooks.lint import syntax as sx
from mlsim_workbooks.lint.algebra import (
    PERIODS,
    Mismatch,
    Value,
    compare,
    counts_something,
    hard,
    has_money,
    is_conversion,
    is_time,
    mantissa,
    only_conversions,
)
from mlsim_workbooks.lint.domain import batch_rules, flop_rules, kv_rules, mac_rules, pue_rules
from mlsim_workbooks.lint.doubt import Difference, doubtful
from mlsim_workbooks.lint.evaluate import Clash, wrong_count
from mlsim_workbooks.lint.facts import Facts, format_of, gather
from mlsim_workbooks.lint.finding import RULES, Finding, Said
from mlsim_workbooks.lint.infer import Cellwise, Inference, Key, key_of
from mlsim_workbooks.lint.kinds import KIND_RULE, has_number, kind_rules, mean_rules, missing_pue, trip_rules
from mlsim_workbooks.lint.labels import read_label
from mlsim_workbooks.lint.limits import limit_findings
from mlsim_workbooks.lint.naming import one_slip, ratio_text, rule_of, thing, unit_text
from mlsim_workbooks.lint.reader import WIDE
from mlsim_workbooks.lint.registry import Names, registry_findings
from mlsim_workbooks.lint.scope import GPU_TIME, ONE_USER, copy_rules, hour_price_rules, scope_rules
from mlsim_workbooks.lint.series import series_findings
from mlsim_workbooks.lint.unit_texts import unit_cell
from mlsim_workbooks.lint.unused import unused_findings
from mlsim_workbooks.lint.vocabulary import PERIOD_RE
from mlsim_workbooks.package import position

__all__ = ["check"]


def check(inference: Inference) -> list[Finding]:
    """Return all findings of a workbook, in the order of its cells."""
    facts, names = gather(inference), Names(inference)
    found: list[Finding] = []
    seen: set[tuple[str, str, str]] = set()
    clean: set[tuple[int | str, ...]] = set()  # what was found right once is right in all cells it was filled to
    for (sheet, _), cell in inference.cells.items():
        context = id(cell.context), _without_numbers(cell.entity)
        key = (sheet, cell.item.col, *context, id(cell.computed), id(cell.clashes), cell.item.form)
        if key in clean:
            continue
        said = list(_of_cell(inference, facts, sheet, cell))
        if not said:
            clean.add(key)
        for rule, message, suggestion in said:
            _report(inference, found, seen, sheet, cell, rule, message, suggestion)
    for sheet, cell, (rule, message, suggestion) in (
        *registry_findings(inference, names),
        *limit_findings(inference, names),
    ):
        _report(inference, found, seen, sheet, cell, rule, message, suggestion)
    flagged = {(f.sheet, f.cell) for f in found}
    for sheet, cell, (rule, message, suggestion) in series_findings(inference):
        if (inference.book.grids[sheet].name, cell.item.address) not in flagged:
            _report(inference, found, seen, sheet, cell, rule, message, suggestion)
    for sheet, cell, (rule, message, suggestion) in unused_findings(inference, {(f.sheet, f.cell) for f in found}):
        _report(inference, found, seen, sheet, cell, rule, message, suggestion)
    order = {g.name: i for i, g in enumerate(inference.book.grids)}
    return sorted(found, key=lambda f: (order[f.sheet], position(f.cell), f.rule))


@lru_cache(maxsize=1 << 16)
def _without_numbers(entity: str) -> str:
    """Return what rows named "job 12" and "job 13" have in common."""
    return re.sub(r"\d+", "#", entity)


def _report(
    inference: Inference, found: list[Finding], seen: set[tuple[str, str, str]], sheet: int, cell: Cellwise, rule: str,
    message: str, suggestion: str,
) -> None:  # fmt: skip
    book = inference.book
    key = book.grids[sheet].name, cell.item.address, rule
    if key not in seen:
        seen.add(key)
        found.append(Finding(book.path.name, *key, message, suggestion or RULES[rule].fix))


# --- one cell -------------------------------------------------------------------------------------------------------


def _of_cell(inference: Inference, facts: Facts, sheet: int, cell: Cellwise) -> Iterator[Said]:
    text = _writer(inference, cell)
    if cell.context.contradiction is not None:
        yield _contradiction(cell)
    yield from _label_rules(cell)
    yield from _quantity_rules(cell)
    yield from flop_rules(cell)
    if cell.computed is None:
        return
    clashes = 0
    key = sheet, cell.item.key
    guesses = inference.guesses(key)
    for clash in cell.clashes:
        if guesses and clash.note in ("trip", "scope", "scopes"):
            continue
        if clash.how == "bare" and _hours_of_a_day(clash):
            continue
        if clash.how == "bare" and clash.left.number and _explained(inference, sheet, cell, clash.left):
            continue
        if clash.note == "users" and (not facts.concepts.get("users") or ONE_USER.search(cell.words)):
            continue
        if clash.note == "hours" and any(_GRANTED.search(w) for w in _words_of(inference, sheet, cell, clash)):
            continue
        said = _clash(clash, text)
        if said is not None:
            clashes += 1
            yield said
    tree = inference.tree(cell.item.form)
    if tree is None:
        return
    if not clashes and wrong_count(cell.computed) and not guesses:
        yield _wrong_count(cell.computed, text(tree))
    elif not clashes and cell.context.contradiction is None:
        yield from _result(inference, sheet, cell, tree)
        yield from _binary_or_decimal(inference, sheet, cell)
    yield from kind_rules(cell, tree, _of_a_mixture(inference, facts, key), format_of(facts, sheet, cell))
    if not guesses and not inference.nameless(key):
        yield from _of_what_is_missing(inference, facts, sheet, cell, tree)
    if not clashes:
        yield from _count_added(inference, sheet, cell, tree)
        yield from _block_sum(inference, sheet, cell, tree)
        yield from _one_without_period(inference, sheet, cell, tree)
        yield from _sum_of_another_column(inference, sheet, cell, tree)
        yield from _across_headers(inference, sheet, cell, tree)
    yield from trip_rules(inference, sheet, cell, tree)
    yield from mean_rules(inference, sheet, cell)
    yield from copy_rules(inference, sheet, cell, tree)
    yield from hour_price_rules(inference, sheet, cell)
    yield from mac_rules(inference, sheet, cell)


def _of_a_mixture(inference: Inference, facts: Facts, key: Key) -> bool:
    """Tell whether the parameters that a formula uses stand beside active ones: those of a mixture of experts."""
    active = facts.concepts.get("active parameters", ())
    if not active:
        return False
    used = [k for k, c in inference.uses(key).items() if "parameters" in c.context.concept]
    near = {(k[0], k[1] // WIDE) for k in used}
    return any(not near or any(s == a[0] and abs(r - a[1] // WIDE) < 10 for s, r in near) for a in active)


def _of_what_is_missing(
    inference: Inference, facts: Facts, sheet: int, cell: Cellwise, tree: sx.Node
) -> Iterator[Said]:
    """A count, a PUE or a factor that a formula lacks: said only where all it uses is known."""
    yield from _eight(cell)
    yield from missing_pue(cell, tree)
    context = cell.context
    counted = counts_something(context.value or cell.value)
    if context.concept or context.kinds or counted or (context.label and not cell.entity):
        gpu_time = any(GPU_TIME.search(c.words) for c in inference.uses((sheet, cell.item.key)).values())
        yield from scope_rules(
            cell, tree, bool(facts.concepts.get("nodes")), bool(facts.concepts.get("users")), gpu_time
        )
    yield from kv_rules(inference, facts, (sheet, cell.item.key), cell, tree)
    yield from batch_rules(inference, (sheet, cell.item.key), cell)
    yield from pue_rules(inference, facts, sheet, cell)


def _explained(inference: Inference, sheet: int, cell: Cellwise, number: Value) -> bool:
    """Tell whether a bare number stands with its unit in the row: "Would 156 kW be cheaper?", or a note "4 GB runtime"."""
    texts = (i.value for i in inference.book.grids[sheet].rows.get(cell.item.row, ()) if isinstance(i.value, str))
    used = (c.words for c in inference.uses((sheet, cell.item.key)).values())
    said = re.findall(
        rf"(?<![\d.,]){re.escape(f'{number.number:g}')}\s?([A-Za-z€$/]+)", " ".join((cell.words, *texts, *used))
    )
    units = (unit_cell(word) for word in said)
    return any(unit is not None and hard(unit.dims or ()) for unit in units)


def _hours_of_a_day(clash: Clash) -> bool:
    """Tell whether a bare number is all there are: 24 less the hours of the day, 365 less the days off."""
    number = clash.left.number
    return number is not None and is_time(number) and hard(clash.right.dims or ()) == (("time", 1.0),)


_GRANTED = re.compile(
    r"quota|budget|granted|grant\b|allocat|allowance|contingent|kontingent|booked|reserved|remaining|\bleft\b|reste|rest\b"
    r"|accord|alloué|bewilligt|gebucht|übrig",
    re.I,
)  # hours of a quota are GPU-hours, whatever they are called


def _words_of(inference: Inference, sheet: int, cell: Cellwise, clash: Clash) -> list[str]:
    """Return what is written beside a cell and the two that its formula combines."""
    nodes = [n for n in (clash.left_node, clash.right_node) if n is not None]
    found = [inference.cell_of(sheet, cell.item, n) for n in nodes]
    return [cell.words, *(c.words for c in found if c is not None)]


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


def _count_added(inference: Inference, sheet: int, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """A count without a unit added to a quantity: the 5 checkpoints kept, which other formulas multiply by."""
    terms = _terms(tree)
    if len(terms) < 2 or not any(e > 0 for _, e in hard(cell.value.dims or ())):
        return
    for term in terms:
        count = inference.cell_of(sheet, cell.item, term)
        if count is None or not isinstance(count.item.value, float) or count.item.form >= 0:
            continue
        stated = count.context.value
        plain = not count.context.explicit and not (stated and hard(stated.dims or ())) and not count.context.percent
        plain = (
            plain
            and bool(count.label)
            and count.context.concept not in ("hours", "latency", "money", "energy", "power")
        )
        if (
            plain
            and 0 < count.item.value < 1
            and count.context.concept in ("ratio", "share", "growth")
            and not _LOADS.search(count.label)
        ):
            yield (
                "bare-number",
                f"'{cell.label}' adds the fraction '{count.label}' to a quantity.",
                "Multiply by 1 plus it.",
            )
        if plain and count.item.value >= 1 and _multiplies(inference, sheet, cell, term):
            yield (
                "bare-number",
                f"'{cell.label}' adds '{count.label}', a plain {count.item.value:g}, to a quantity in {unit_text(cell.value)}.",
                "Multiply by it, or add the quantity that it counts.",
            )


_LOADS = re.compile(r"overhead|aufschlag|surcoût", re.I)  # in the unit of what they are added to, as often


def _terms(tree: sx.Node) -> list[sx.Node]:
    """Return what a formula adds up and takes off."""
    if isinstance(tree, sx.Binary) and tree.operator in "+-":
        return [*_terms(tree.left), *_terms(tree.right)]
    return [tree]


def _multiplies(inference: Inference, sheet: int, cell: Cellwise, term: sx.Node) -> bool:
    """Tell whether another formula has a cell as a factor."""
    if not isinstance(term, sx.Ref):
        return False
    key = key_of(inference.sheets, sheet, term, cell.item.refs)
    users = inference.users.get(key, ())
    return any(_has_factor(inference, user[0][0], user[1], inference.tree(user[1].item.form), key) for user in users)


def _has_factor(inference: Inference, sheet: int, cell: Cellwise, tree: sx.Node | None, key: Key) -> bool:
    match tree:
        case sx.Binary(operator=operator, left=left, right=right):
            sides = [n for n in (left, right) if isinstance(n, sx.Ref)]
            if operator in "*/" and any(key_of(inference.sheets, sheet, n, cell.item.refs) == key for n in sides):
                return True
            return any(_has_factor(inference, sheet, cell, n, key) for n in (left, right))
        case sx.Call(args=args):
            return any(_has_factor(inference, sheet, cell, n, key) for n in args)
    return False


def _block_sum(inference: Inference, sheet: int, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """A sum over several rows and columns that hold different quantities."""
    areas = [n for n in sx.areas(tree) if n.kind == "ref"]
    if len(areas) != 1:
        return
    (top, left), (bottom, right) = (position(cell.item.refs[m]) for m in (areas[0].first, areas[0].last))
    used = [
        c
        for c in inference.uses((sheet, cell.item.key)).values()
        if top <= c.item.row <= bottom and left <= c.item.col <= right
    ]
    if len({c.item.row for c in used}) < 2 or len({c.item.col for c in used}) < 2:
        return
    prices = {c.item.col: bool(_EACH_PRICE.search(c.words.replace("_", " "))) for c in used}
    below = cell.item.row in (bottom + 1, bottom + 2) and cell.item.col in (left, right)
    if below and right - left == 1 and set(prices.values()) == {True, False}:
        yield "mixed-sum", f"'{cell.label}' sums prices of one and amounts.", "Sum one column."
        return
    kinds = {(hard(c.value.dims) if c.value.dims is not None else None, c.context.concept) for c in used}
    units = {dims for dims, _ in kinds}
    if len(units) == 1 and any(units):
        return  # rent and electricity, all in dollars
    concepts = {concept for _, concept in kinds}
    if len(concepts) > 1 and (len(units) > 1 or "" not in concepts):
        names = " and ".join(sorted(c or "something else" for c in concepts)[:2])
        yield (
            "mixed-sum",
            f"'{cell.label}' sums a block that holds different things: {names}.",
            "Sum one row or column.",
        )


_EACH_PRICE = re.compile(r"unit price|price (?:each|per)|einzelpreis|stückpreis|prix unitaire|\brate\b", re.I)


def _sum_of_another_column(inference: Inference, sheet: int, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """A total below one column that adds up another, which has a total of its own."""
    found = _summed(tree, cell)
    if found is None or found[0] == cell.item.col:
        return
    column, top, bottom = found
    own = [inference.at(sheet, row, cell.item.col) for row in range(top, bottom + 1)]
    beside = inference.at(sheet, cell.item.row, column)
    twin = inference.tree(beside.item.form) if beside is not None and beside.item.form >= 0 else None
    if beside is None or twin is None or not all(own) or _summed(twin, beside) != (column, top, bottom):
        return
    money = any(has_money(c.value) for c in (cell, beside))
    yield (
        "money-rate" if money else "mixed-sum",
        f"'{cell.label}' adds up another column, that of '{beside.label}'.",
        "Add up the cells above.",
    )


def _across_headers(inference: Inference, sheet: int, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """A total that reaches over the header of its table into the one above."""
    found = _summed(tree, cell)
    if found is None or found[0] != cell.item.col or found[2] - found[1] > _TABLE:
        return
    grid = inference.book.grids[sheet]
    for row in range(found[1] + 1, found[2]):
        item = grid.at(row, cell.item.col)
        text = item.value if item is not None and isinstance(item.value, str) and item.form < 0 else ""
        label = read_label(text)
        if label.unit is not None and hard(label.unit.dims or ()) and len(text) > 4:
            yield (
                "mixed-sum",
                f"'{cell.label}' adds up two tables: '{text}' stands between them.",
                "Sum the cells below it.",
            )
            return


_TABLE = 200  # rows


def _summed(tree: sx.Node, cell: Cellwise) -> tuple[int, int, int] | None:
    """Return (column, first row, last row) of the one column above it that a formula sums."""
    match tree:
        case sx.Call(name="SUM", args=(sx.Area(kind="ref", sheet="") as area,)):
            (top, left), (bottom, right) = (position(cell.item.refs[m]) for m in (area.first, area.last))
            return (left, top, bottom) if left == right and top < bottom < cell.item.row else None
    return None


def _one_without_period(inference: Inference, sheet: int, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """A purchase price among yearly costs: amounts per year, and one whose unit says no period."""
    due = dict(cell.context.kinds).get("period", "")
    if not due:
        return
    terms = [inference.cell_of(sheet, cell.item, n) for n in sx.summands(tree)]
    cells = [c for c in terms if c is not None and c.context.value is not None and has_money(c.context.value)]
    if len(cells) < max(2, len(terms)):
        return
    others = [c for c in cells if c.context.value and c.context.value.kind("period") != due]
    if len(others) != 1:
        return
    other = others[0]
    if other.value.kind("period") or not other.context.explicit or other.context.headed:
        return
    if _noted_as_per(inference, sheet, other, due):
        return
    if other.computed is not None and ("~time" in other.computed.parts or any(map(is_time, other.computed.numbers))):
        return  # worked out for the period, and its unit leaves that out
    yield (
        "money-rate",
        f"'{cell.label}' is per {due}, but '{other.label}', which it adds, is not.",
        "Divide it by its lifetime.",
    )


def _noted_as_per(inference: Inference, sheet: int, cell: Cellwise, period: str) -> bool:
    """Tell whether a note in the row of a figure, or of those it is worked out from, says that it is per year."""
    pattern = dict(PERIOD_RE)[period]
    used = inference.uses((sheet, cell.item.key))
    rows = {(sheet, cell.item.row), *((s, place // WIDE) for s, place in used)}
    grids = inference.book.grids
    texts = (i.value for s, row in rows for i in grids[s].rows.get(row, ()) if isinstance(i.value, str))
    return any(pattern.search(text) for text in texts)


def _clash(clash: Clash, text: Callable[[sx.Node | None], str]) -> Said | None:
    a, b = unit_text(clash.left), unit_text(clash.right)
    left, right = text(clash.left_node), text(clash.right_node)
    if clash.how == "bare" and clash.note == "percent":
        return "percent", f"Takes {right}, which is in %, for a fraction: 1 and 30 % are not 31.", "Divide it by 100."
    if clash.note == "fraction":
        return (
            "bare-number",
            f"Adds a plain fraction ({left} or {right}) to a quantity in {b}.",
            "Multiply by it, or by 1 plus it.",
        )
    if clash.how == "bare":
        return (
            "bare-number",
            f"Adds the bare number {clash.left.number:g} to a quantity in {b} ({right}).",
            f"Put {clash.left.number:g} in a cell of its own with its unit, converted to {b}.",
        )
    if clash.note == "rate":
        return "mixed-sum", f"Sums amounts in {a} and an exchange rate.", ""
    if clash.note == "scope":
        return _wrong_count(clash.left, left)
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
        return (
            "device-scope",
            f"Adds figures per GPU and per node ({left} and {right}).",
            "Multiply the one per GPU by the GPUs per node.",
        )
    if clash.note == "whole":
        return "device-scope", f"Adds a figure per GPU ({left}) to one of all GPUs ({right}).", ""
    if clash.note == "users":
        return "user-total", f"Adds a figure per user ({left}) to one that is not ({right}).", ""
    if clash.note == "hours":
        return "device-hours", f"Adds hours and GPU-hours ({left} and {right}).", ""
    if clash.note == "counts":
        if a == b:
            return None
        return "mixed-sum", f"Sums different things: {a} and {b}.", ""
    if clash.note:
        return _kind_clash(clash, left, right)
    if clash.mismatch is None:
        return None
    rule = rule_of(clash.mismatch, clash.left, clash.right)
    if clash.how == "sum":
        rule = "mixed-sum"
    if rule == "prefix" and any(not v.text and v.numbers for v in (clash.left, clash.right)):
        return None  # a count in millions that does not say so
    if (
        rule == "dimension"
        and clash.how in ("add", "subtract")
        and any(n is not None and not isinstance(n, sx.Ref) for n in (clash.left_node, clash.right_node))
    ):
        return None  # a product: more likely the label of one of its factors was misread
    if not rule or (clash.how != "sum" and not one_slip(clash.mismatch.dims)):
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


def _wrong_count(value: Value, where: str) -> Said:
    per, counted = wrong_count(value) or ("device", "node")
    one, many = thing(per), thing(counted)
    return (
        "device-scope",
        f"Multiplies a figure per {one} by a number of {many}s ({where}).",
        f"Multiply by the {one}s per {many} too."
        if counted != "device"
        else "Multiply by the number of nodes instead.",
    )


def _both(a: str, b: str, left: Value, right: Value) -> str:
    if a == b:
        p, q = left.kind("period"), right.kind("period")
        if p != q:
            return f"{a} per {p or 'period'} and {b} per {q or 'period'}"
    return f"{a} and {b}"


def _kind_clash(clash: Clash, left: str, right: str) -> Said:
    category = clash.note
    a, b = clash.left.kind(category), clash.right.kind(category)
    return KIND_RULE[category], f"Combines a figure that is '{a}' ({left}) with one that is '{b}' ({right}).", ""


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
    "MACs": (("operation", 1.0),),
}
_PAIRS: dict[tuple[str, frozenset[tuple[str, float]]], str] = {
    ("energy", frozenset({("energy", 1.0), _TIME})): "power-energy",
    ("power", frozenset({("energy", 1.0)})): "power-energy",
    ("peak", frozenset({("operation", 1.0)})): "flop-rate",
    ("achieved compute", frozenset({("operation", 1.0)})): "flop-rate",
    ("work", frozenset({("operation", 1.0), _TIME})): "flop-rate",
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
    if label is not None and not hard(label.unit.dims or () if label.unit else ()):
        label = None
    if label is None:  # the unit stands in a column of its own, or in the number format
        label = next((x for x in labels if x.concept and x.concept == context.concept), None)
        label = label or next((x for x in labels if dict(x.kinds).get("precision", "").startswith("int")), None)
        if label is None or any(x.unit is not None and hard(x.unit.dims or ()) for x in labels):
            return
    concept = label.concept
    unit = label.unit if label.unit is not None and hard(label.unit.dims or ()) else value
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
    if ("operation", 1.0) in own and len(own) == 2 and precise.startswith("int") and concept != "work":
        rule = "integer-ops"
    if concept in ("energy", "power") and unit.kind("period"):
        rule = ""
    counted = own == frozenset() and not unit.kind("period") and any(n == "token" for n, _ in unit.dims or ())
    if (
        concept == "throughput"
        and counted
        and re.search(r"tok.*(?:throughput|per second|/s\b)|throughput.*tok", words, re.I)
    ):
        rule = "token-rate"
    rate = re.search(r"\b(?:rate|speed)\b(?! limit)|durchsatz|débit", words, re.I) and not re.search(
        "accept|hit|error", words, re.I
    )
    if rate and unit.dims == (("token", 1.0),) and not unit.kind("period"):
        rule, concept = "token-rate", "throughput"
    if concept == "MACs" and own == frozenset({("operation", 1.0)}) and re.search(r"FLOP", unit.text):
        rule = "mac-flop"
    if concept in ("parameters", "active parameters") and any(n == "parameter" for n, _ in unit.dims or ()):
        rule = ""  # "bytes per parameter"
    if concept == "memory" and not re.search(r"memory|hbm|vram|capacity|speicher(?!.*rate)|mémoire", words, re.I):
        rule = ""
    if rule == "token-rate" or (
        rule
        and not re.search(
            r"utili|share|price|cost|per token|(?:per|/|pro|par|je) ?(?:gpu[- ]?)?(?:h\b|hour|stunde|heure)|\brate\b|speed|traffic|\breads?\b|writes?|moved|transfer",
            words,
            re.I,
        )
    ):
        yield rule, f"'{words}' names {_article(concept or 'integer peak')}, but its unit is {unit.text}.", ""


def _quantity_rules(cell: Cellwise) -> Iterator[Said]:
    """A quantity typed as text that is not of the kind its label names: "3.35 TFLOP/s" for a memory bandwidth."""
    value, concept = cell.context.value, cell.context.concept
    if cell.item.form >= 0 or not isinstance(cell.item.value, str) or value is None or concept not in _DUE:
        return
    due = Value(dims=tuple(sorted(_DUE[concept])), text=_article(concept))
    found = Value(hard(value.dims or ()), value.factor, text=value.text)
    if found.dims and found.dims != due.dims:
        mismatch = compare(found, due)
        rule = rule_of(mismatch, found, due) if mismatch is not None else ""
        yield rule or "dimension", f"{cell.item.value} stands for {_article(concept)} ({cell.label}).", ""
    elif "bit" in value.text and re.search(r"memory|hbm|vram|speicher|mémoire", cell.words, re.I):
        yield "bits-bytes", f"{cell.item.value} counts bits; memory is in bytes ({cell.label}).", ""


def _article(concept: str) -> str:
    return {
        "work": "a count of operations",
        "peak": "a rate of operations",
        "achieved compute": "a rate of operations",
    }.get(concept, ("an " if concept[0] in "aeiou" else "a ") + concept)


# --- a formula against its cell ----------------------------------------------------------------------------------------


def _result(inference: Inference, sheet: int, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    stated, computed = cell.context.value, cell.computed
    assert computed is not None
    hundred = isinstance(tree, sx.Binary) and tree.operator == "*" and sx.Number(100.0) in (tree.left, tree.right)
    if cell.context.percent and (
        hundred or (computed.dims == () and any(abs(n - 100) < 1e-9 for n in computed.numbers))
    ):
        yield "percent", f"'{cell.label}' multiplies by 100, and its format % does so once more.", ""
    if stated is None or not (cell.context.explicit or hard(stated.dims or ())):
        yield from _unlabelled(computed)
    if stated is None:
        stated = _money_of_period(cell)
        if stated is None:
            return
    rate = stated.kind("period") and hard(computed.dims or ()) == (("time", -1.0),)  # "Cycles per day"
    explicit = cell.context.explicit or cell.context.value is None or bool(rate)
    if not explicit and not stated.dims and hard(computed.dims or ()):
        return  # a "factor" that turns out to be a quantity: the label was misread
    if computed.kind("typed"):
        return  # a text with its own unit, passed on as it is
    if "integer_operation" in dict(stated.dims or ()):
        stated = _whichever_operations(stated, computed)
    mismatch = compare(_without_ring(computed), stated)
    if mismatch is None or computed.number is not None or isinstance(tree, (sx.Number, sx.Text)):
        return
    if not explicit and not mismatch.dims and not mismatch.periods[0]:
        return  # a count without its unit may be in millions
    if (mismatch.dims or mismatch.periods[0]) and _unit_priced(inference, sheet, cell, tree):
        return
    rule = rule_of(mismatch, computed, stated)
    if rule == "integer-ops" and _is_mac(computed):
        if has_number(computed, 2.0):
            return  # two integer operations in a multiply-accumulate
        rule = "mac-flop"
    rule = rule or _converts_time(computed, stated) or _beside_eight(mismatch, computed, stated)
    if not rule or doubtful(Difference(inference, sheet, cell, tree, computed, stated, mismatch, rule)):
        return
    found, due = unit_text(_comparable(computed, stated)), unit_text(stated)
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


def _beside_eight(mismatch: Mismatch, computed: Value, stated: Value) -> str:
    """Return the rule of another wrong factor, where a factor of 8 between bits and bytes was taken for a plain one."""
    if mismatch.dims or mismatch.periods[0] or "~information" not in computed.parts or 8.0 not in computed.numbers:
        return ""
    ratios = (mismatch.ratio * 8.0, mismatch.ratio / 8.0)
    rules = (rule_of(replace(mismatch, ratio=r), computed, stated) for r in ratios)
    return next((r for r in rules if r in ("calendar", "time-scale")), "")


def _converts_time(computed: Value, stated: Value) -> str:
    """Return "calendar" for a time, or an amount in a period, that is converted by the wrong number: days / 24 for months."""
    times = [n for n in computed.numbers if not is_conversion(n)]
    same = computed.dims == stated.dims and (stated.dims == (("time", 1.0),) or bool(stated.kind("period")))
    return "calendar" if same and len(times) == 1 and is_time(times[0]) else ""


def _whichever_operations(stated: Value, computed: Value) -> Value:
    """Return a unit of integer operations as one of operations, where the formula has neither: those by a clock."""
    worked = {p.removeprefix("~") for p in computed.parts} | {n for n, _ in computed.dims or ()}
    if worked & {"operation", "integer_operation"}:
        return stated
    dims = tuple(sorted(("operation" if n == "integer_operation" else n, e) for n, e in stated.dims or ()))
    return replace(stated, dims=dims) if dims != stated.dims else stated


def _money_of_period(cell: Cellwise) -> Value | None:
    """Return the unit of "GPU bill of the month" where its currency is only known from the formula."""
    computed, period = cell.computed, dict(cell.context.kinds).get("period", "")
    if cell.context.concept != "money" or period not in PERIODS or computed is None or computed.dims is None:
        return None
    money = tuple((n, e) for n, e in computed.dims if n.startswith("money_in_"))
    if not money or hard(computed.dims) not in (money, (*money, ("time", -1.0))) or not computed.numbers:
        return None
    if not only_conversions(computed):
        return None
    return Value(money, kinds=frozenset({("period", period)}), text=f"an amount per {period}")


def _without_ring(computed: Value) -> Value:
    """Return a product without the 2 of a ring all-reduce, 2 (n - 1) / n, which is no number of bytes."""
    if not {"devices", "1/devices"} <= computed.parts or 2.0 not in computed.numbers:
        return computed
    kept = list(computed.numbers)
    kept.remove(2.0)
    return replace(computed, numbers=tuple(kept))


def _eight(cell: Cellwise) -> Iterator[Said]:
    """A factor of 8 between quantities that are both in bytes already."""
    computed, stated = cell.computed, cell.context.value
    if (
        computed is None
        or stated is None
        or not cell.context.explicit
        or computed.dims is None
        or "~information" not in computed.parts
    ):
        return
    eights = [n for n in computed.numbers if not is_conversion(n) and not is_time(n)]
    words = cell.words
    if len(eights) != 1 or eights[0] not in (8.0, 0.125) or re.search(r"\b8\b|gpu|per |bit", words, re.I):
        return
    dims = hard(stated.dims or ())
    due = dims == (("time", 1.0),) and eights[0] == 8.0 and hard(computed.dims) == dims
    due |= dims == (("information", 1.0), ("time", -1.0)) == hard(computed.dims)
    due |= stated.text == "%" and not dims and not hard(computed.dims)  # a share of a link
    plain = replace(computed, numbers=tuple(n for n in computed.numbers if n != eights[0]))
    if due and compare(plain, stated) is None:
        yield "bits-bytes", f"'{cell.label}' has a factor of 8, but everything it uses is in bytes already.", ""


def _binary_or_decimal(inference: Inference, sheet: int, cell: Cellwise) -> Iterator[Said]:
    """A division by 1e9 under GiB, or by 1024^3 under GB, where the rest of the formula is not known."""
    stated, computed = cell.context.value, cell.computed
    if stated is None or computed is None or computed.dims is not None or stated.dims != (("information", 1.0),):
        return
    if not cell.context.explicit or ("~information" not in computed.parts and not _BYTES_EACH & computed.parts):
        return
    used = inference.uses((sheet, cell.item.key)).values()
    scales = [c.value.factor for c in used if c.value.dims == (("information", 1.0),)]
    for k in (1, 2, 3, 4):
        for found, due in ((1000.0**k, 1024.0**k), (1024.0**k, 1000.0**k)):
            others = [n for n in computed.numbers if n and not _close(n, 1 / found)]
            start = stated.factor / due  # of what is divided: bytes, or the megabytes of each file
            if (
                (_close(start, 1.0) or (scales and all(_close(s, start) for s in scales)))
                and len(others) < len(computed.numbers)
                and not any(_binary(n) for n in others)
            ):
                yield (
                    "binary-prefix",
                    f"'{cell.label}' divides by {found:g}; its unit {stated.text} takes {due:g}.",
                    "",
                )
                return


_BYTES_EACH = frozenset(("bytes each", "bits each", "kv cache", "memory"))


def _close(a: float, b: float) -> bool:
    return abs(a / b - 1) < 1e-9


def _binary(number: float) -> bool:
    """Tell whether a number converts between decimal and binary prefixes."""
    big = abs(number) if abs(number) >= 1 else 1 / abs(number)
    return any(_close(big, b**k) for b in (1024.0, 1.024) for k in (1, 2, 3, 4))


def _unit_priced(inference: Inference, sheet: int, cell: Cellwise, tree: sx.Node) -> bool:
    """Tell whether a formula is quantity times unit price, whatever the unit of that line of an offer."""
    if not (isinstance(tree, sx.Binary) and tree.operator == "*"):
        return False
    factors = [inference.cell_of(sheet, cell.item, n) for n in (tree.left, tree.right)]
    return any(c is not None and _UNIT_PRICE.search(c.words) for c in factors)


_UNIT_PRICE = re.compile(r"unit price|price (?:each|per unit)|einzelpreis|stückpreis|prix unitaire|\bp\.? ?u\b", re.I)


def _comparable(computed: Value, stated: Value) -> Value:
    """Return a formula's unit for a message, without what it counts where the cell does not say that either."""
    counted = {n for n, _ in stated.dims or ()}
    kept = tuple((n, e) for n, e in computed.dims or () if (n, e) in hard(computed.dims or ()) or n in counted)
    return replace(computed, dims=kept) if hard(computed.dims or ()) else computed


def _is_mac(value: Value) -> bool:
    """Tell whether a count of operations is in MACs, by its scale of 2 × 10^3n."""
    return any(abs(mantissa(value.factor) / m - 1) < 1e-6 for m in (2, 0.5)) or "MAC" in value.text


def _unlabelled(computed: Value) -> Iterator[Said]:
    """A ratio of GB and GiB, or of days and minutes, whatever cell it stands in."""
    if computed.dims is None or hard(computed.dims) or not {"~information", "~time"} & computed.parts:
        return
    mismatch = compare(computed, Value(dims=()))
    if mismatch is None or mismatch.dims or mismatch.periods[0]:
        return
    rule = rule_of(mismatch, computed, Value(dims=()))
    if rule == "binary-prefix":
        yield rule, f"Divides quantities in GB and GiB: off by a factor of {ratio_text(mismatch.ratio)}.", ""
    elif computed.dims == () and _only_time(computed) and rule in ("calendar", "time-scale"):
        yield rule, f"Divides a time by one in another unit: off by a factor of {ratio_text(mismatch.ratio)}.", ""


def _only_time(computed: Value) -> bool:
    """Tell whether times have cancelled, nothing else, and a number of the formula converts some of it."""
    worked = {p for p in computed.parts if p[0] == "~"} - {"~ms"}
    return worked == {"~time"} and any(is_time(n) for n in computed.numbers)
