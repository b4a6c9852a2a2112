"""What a formula adds, compares or multiplies and may not: each clash of two values as a sentence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from mlsim_workbooks.lint import syntax as sx
from mlsim_workbooks.lint.algebra import Value, hard, has_money, is_time
from mlsim_workbooks.lint.facts import Facts, byte_each
from mlsim_workbooks.lint.finding import Said
from mlsim_workbooks.lint.infer import Cellwise, Inference
from mlsim_workbooks.lint.kinds import KIND_RULE
from mlsim_workbooks.lint.naming import one_slip, ratio_text, rule_of, thing, unit_text
from mlsim_workbooks.lint.pairs import Clash, both_written, parameters_and_bytes, wrong_count
from mlsim_workbooks.lint.shapes import summands
from mlsim_workbooks.lint.unit_texts import quantities_in
from mlsim_workbooks.lint.users import ONE_USER

__all__ = ["clash_rules", "count_rule", "squared_pue"]


def clash_rules(inference: Inference, facts: Facts, cell: Cellwise) -> Iterator[Said]:
    """What two values of a formula cannot be to one another: GB and GiB added, a mean and a percentile."""
    if not cell.clashes:
        return
    text = _writer(cell)
    guesses = inference.guesses(cell)
    used = inference.uses(cell).values()
    for clash in cell.clashes:
        if guesses and clash.note in ("trip", "scope", "scopes"):
            continue
        if clash.how == "bare" and (
            _hours_of_a_day(clash) or _rest_of(inference, cell, clash) or _one_a_day(clash, cell)
        ):
            continue
        if clash.how == "bare" and clash.left.number in (2.0, 4.0, 8.0, 12.0) and _bytes_each(clash.right):
            continue  # 2 bytes and so many for the optimizer
        if clash.how == "bare" and clash.left.number and _written_twice(inference, cell, clash.left.number):
            continue  # 4096 x / (4096 - 2 x)
        if clash.how == "bare" and clash.left.number and _explained(inference, cell, clash.left, clash.right):
            continue
        if clash.mismatch is not None and parameters_and_bytes(clash.left, clash.right) and byte_each(inference, facts):
            continue
        if clash.note == "users" and (not facts.concepts.get("users") or ONE_USER.search(cell.words)):
            continue
        if clash.note == "users" and any(_OF_ONE_REQUEST.search(t) for t in _titles(inference, cell.sheet)):
            continue
        if clash.how == "compare" and any(abs(e) > 1 for v in (clash.left, clash.right) for _, e in hard(v.dims or ())):
            continue  # bytes times bytes: something was misread
        if clash.how == "compare" and any(inference.standing(c) == "bad" for c in used):
            continue
        if clash.note == "users" and any(_PERSONS.search(c.words) for c in used):
            continue  # times that many
        if clash.note == "whole" and clash.left.parts == {"memory"} and _taken_from(inference, cell, clash.left_node):
            continue  # what is left of one GPU's memory
        if clash.note in ("whole", "scopes") and _EACH_GPU.search(inference.book.grids[cell.sheet].name):
            continue
        if clash.note == "hours" and any(_GRANTED.search(w) for w in _words_of(inference, cell, clash)):
            continue
        said = _clash(clash, text)
        if said is not None:
            yield said


def squared_pue(inference: Inference, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """Energy times the square of a PUE."""
    match tree:
        case sx.Binary("^", sx.Ref() | sx.Name() as base, sx.Number(2.0)):
            pue = inference.cell_of(cell, base)
            if pue is not None and pue.context.concept == "PUE":
                yield "facility-energy", f"'{cell.label}' applies '{pue.label}' twice.", "Once."
        case sx.Binary(left=left, right=right):
            yield from squared_pue(inference, cell, left)
            yield from squared_pue(inference, cell, right)


def count_rule(cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """A figure per GPU times a number of nodes."""
    if cell.computed is not None and wrong_count(cell.computed):
        yield _wrong_count(cell.computed, _writer(cell)(tree))


def _written_twice(inference: Inference, cell: Cellwise, number: float) -> bool:
    """Tell whether a formula has a number more than once: a quantity of its own."""
    return number >= 100.0 and inference.book.forms[cell.item.form].count(f"{number:g}") > 1


def _explained(inference: Inference, cell: Cellwise, number: Value, other: Value) -> bool:
    """Tell whether a bare number stands with its unit in the row: "Would 156 kW be cheaper?", or a note "4 GB runtime"."""
    used = (c.words for c in inference.uses(cell).values())
    beside = (cell.words, *inference.texts_of(cell.sheet, cell.item.row), *used)
    if any(n == number.number for text in beside for n, _ in quantities_in(text)):
        return True
    return any(_agree(unit, other) for unit in inference.quantities.get(number.number or 0.0, ()))


def _taken_from(inference: Inference, cell: Cellwise, node: sx.Node | None) -> bool:
    """Tell whether a formula takes something away from a cell, and that is all it does."""
    tree = inference.tree(cell.item.form)
    return isinstance(tree, sx.Binary) and tree.operator == "-" and tree.left == node


def _bytes_each(value: Value) -> bool:
    each = value.dims == (("information", 1.0), ("parameter", -1.0))
    return each or ("bytes each" in value.parts and "parameters" not in value.parts)


def _agree(unit: Value, other: Value) -> bool:
    """Tell whether a unit is the very one of a quantity."""
    return hard(unit.dims or ()) == hard(other.dims or ()) != () and unit.factor == other.factor


def _hours_of_a_day(clash: Clash) -> bool:
    """Tell whether a bare number is all there are: 24 less the hours of the day, 365 less the days off."""
    number = clash.left.number
    hours = hard(clash.right.dims or ()) == (("time", 1.0),) and clash.right.factor >= 3600.0
    return number is not None and is_time(number) and (hours or number == 86_400.0)


def _rest_of(inference: Inference, cell: Cellwise, clash: Clash) -> bool:
    """Tell whether a time is taken from the seconds of an hour or a day, or the minutes: 3600 less those at work."""
    all_of = {1.0: (3600.0, 86_400.0), 60.0: (60.0, 1440.0)}.get(clash.right.factor, ())
    time = hard(clash.right.dims or ()) == (("time", 1.0),) and clash.left.number in all_of
    return time and _takes_from(inference.tree(cell.item.form), clash.left.number or 0.0)


def _takes_from(node: sx.Node | None, number: float) -> bool:
    """Tell whether a formula takes something from a number."""
    match node:
        case sx.Binary(operator="-", left=sx.Number(value=value)) if value == number:
            return True
        case sx.Binary(left=left, right=right):
            return _takes_from(left, number) or _takes_from(right, number)
        case sx.Call(args=args):
            return any(_takes_from(a, number) for a in args)
    return False


def _one_a_day(clash: Clash, cell: Cellwise) -> bool:
    """Tell whether a quantity in days is as many copies, one a day, and some more are added."""
    days = hard(clash.right.dims or ()) == (("time", 1.0),) and clash.right.factor == 86_400.0
    return days and ("period", "day") in cell.context.kinds


def _titles(inference: Inference, sheet: int) -> list[str]:
    """Return what stands in the first line of a sheet."""
    rows = inference.book.grids[sheet].rows
    return [i.value for i in rows[min(rows)] if isinstance(i.value, str)] if rows else []


_OF_ONE_REQUEST = re.compile(
    r"\b(?:of|for) (?:an?|one|a single) (?:[a-z]+ )?(?:request|user|stream|session|answer|prompt|query)\b|\bbatch(?: size)? (?:of )?(?:1|one)\b",
    re.I,
)
_PERSONS = re.compile(r"^(?:number of )?(?:persons|people|faces|personen|personnes)\b", re.I)
_EACH_GPU = re.compile(r"(?:per|je|pro|par|/) ?(?:gpu|card|device|karte|carte)", re.I)
_GRANTED = re.compile(
    r"quota|budget|granted|grant\b|allocat|allowance|contingent|kontingent|booked|reserved|remaining|\bleft\b|reste|rest\b"
    r"|accord|alloué|bewilligt|gebucht|übrig",
    re.I,
)  # hours of a quota are GPU-hours, whatever they are called


def _words_of(inference: Inference, cell: Cellwise, clash: Clash) -> list[str]:
    """Return what is written beside a cell and the two that its formula combines."""
    nodes = [n for n in (clash.left_node, clash.right_node) if n is not None]
    found = [inference.cell_of(cell, n) for n in nodes]
    return [cell.words, *(c.words for c in found if c is not None)]


def _writer(cell: Cellwise) -> Callable[[sx.Node | None], str]:
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


_SENTENCES = {  # of a clash's note: the rule, what is said, the fix
    "fraction": (
        "bare-number",
        "Adds a plain fraction ({left} or {right}) to a quantity in {b}.",
        "Multiply by it, or by 1 plus it.",
    ),
    "rate": ("mixed-sum", "Sums amounts in {a} and an exchange rate.", ""),
    "ratio": ("mixed-sum", "Sums quantities in {a} and a plain ratio.", ""),
    "number": ("bare-number", "Adds a number of things and a quantity ({left} and {right}).", "Multiply them."),
    "counts": ("mixed-sum", "Sums different things: {a} and {b}.", ""),
    "PUE": ("facility-energy", "Applies PUE twice: {left} already includes it.", ""),
    "token": (
        "token-direction",
        "Multiplies a figure of {first} tokens ({left}) by one of {second} tokens ({right}).",
        "",
    ),
    "prices": (
        "token-direction",
        "Subtracts a price of {second} tokens ({right}) from one of {first} tokens ({left}).",
        "",
    ),
    "percent": ("percent", "Divides {left} by 100, but its format % means that it is a fraction already.", ""),
    "periods": ("calendar", "Divides an amount per {one} ({left}) by one per {other} ({right}).", ""),
    "scopes": (
        "device-scope",
        "Adds figures per GPU and per node ({left} and {right}).",
        "Multiply the one per GPU by the GPUs per node.",
    ),
    "whole": ("device-scope", "Adds a figure per GPU ({left}) to one of all GPUs ({right}).", ""),
    "users": ("user-total", "Adds a figure per user ({left}) to one that is not ({right}).", ""),
    "load": (
        "user-total",
        "Adds a load over the rate of a whole machine to one over the rate of one user ({left} and {right}).",
        "Divide both by the rate of the machine.",
    ),
    "hours": ("device-hours", "Adds hours and GPU-hours ({left} and {right}).", ""),
}


def _clash(clash: Clash, text: Callable[[sx.Node | None], str]) -> Said | None:
    a, b = unit_text(clash.left), unit_text(clash.right)
    left, right = text(clash.left_node), text(clash.right_node)
    if clash.how == "bare" and clash.note == "percent":
        return "percent", f"Takes {right}, which is in %, for a fraction: 1 and 30 % are not 31.", "Divide it by 100."
    if clash.how == "bare" and clash.note == "hundred":
        return "percent", f"Takes {right}, which is a fraction shown as %, from 100.", "Take it from 1."
    if clash.how == "bare" and clash.note != "fraction":
        return (
            "bare-number",
            f"Adds the bare number {clash.left.number:g} to a quantity in {b} ({right}).",
            f"Put {clash.left.number:g} in a cell of its own with its unit, converted to {b}.",
        )
    if clash.note == "scope":
        return _wrong_count(clash.left, left)
    if clash.note == "counts" and a == b:
        return None
    if clash.note in _SENTENCES:
        rule, sentence, fix = _SENTENCES[clash.note]
        first, second = clash.left.kind("token"), clash.right.kind("token")
        one, other = clash.left.kind("period"), clash.right.kind("period")
        return (
            rule,
            sentence.format(left=left, right=right, a=a, b=b, first=first, second=second, one=one, other=other),
            fix,
        )
    if clash.note:
        return _kind_clash(clash, left, right)
    return _unit_clash(clash, left, right)


_DOING = {
    "subtract": "Subtracts",
    "add": "Adds",
    "sum": "Sums",
    "compare": "Compares",
    "branch": "Chooses between",
    "convert": "Converts",
}


def _unit_clash(clash: Clash, left: str, right: str) -> Said | None:
    mismatch = clash.mismatch
    if mismatch is None:
        return None
    if clash.how == "sum" and any(
        {0.25, 3.0, 4.0} & set(v.numbers) and has_money(v) for v in (clash.left, clash.right)
    ):
        return None  # of a quarter
    rule = "mixed-sum" if clash.how == "sum" else rule_of(mismatch, clash.left, clash.right)
    if rule == "prefix" and any(not v.text and v.numbers for v in (clash.left, clash.right)):
        return None  # a count in millions that does not say so
    if rule == "token-price-scale" and any(dict(v.dims or ()).get("token", 0.0) > 0 for v in (clash.left, clash.right)):
        return None  # a price of so many tokens that does not say so
    nodes = [n for n in (clash.left_node, clash.right_node) if n is not None]
    products = any(not _single(term) for n in nodes for term in summands(n))
    if rule == "dimension" and clash.how in ("add", "subtract") and products:
        return None  # more likely the label of a factor was misread
    written = not products and both_written(clash.left, clash.right)
    written = written and not (has_money(clash.left) and has_money(clash.right))
    if written and clash.how in ("add", "subtract"):
        rule = "mixed-sum" if rule in ("", "dimension") else rule  # GB and kW, both of them written
    elif not rule or (clash.how != "sum" and not one_slip(mismatch.dims)):
        return None
    elif written and clash.how == "add" and rule == "prefix":
        rule = "mixed-sum"  # W and kW
    shown = _both(unit_text(clash.left), unit_text(clash.right), clash.left, clash.right)
    apart = "" if mismatch.dims or mismatch.ratio == 1.0 else f", a factor of {ratio_text(mismatch.ratio)} apart"
    places = "" if "…" in (left, right) else f" ({left})" if left == right else f" ({left} and {right})"
    return rule, f"{_DOING[clash.how]} {shown}{places}{apart}.", ""


def _single(term: sx.Node) -> bool:
    """Tell whether a term is a cell, a number of times a cell, or the sum of some."""
    match term:
        case sx.Binary("*", sx.Number(), sx.Ref()) | sx.Binary("*", sx.Ref(), sx.Number()) | sx.Ref():
            return True
        case sx.Call(name="SUM", args=(sx.Area(),)):
            return True
    return False


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
