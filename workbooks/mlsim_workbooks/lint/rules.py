"""The rules: turn what was inferred into findings, each with a sentence and a fix."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from mlsim_workbooks.lint import syntax as sx
from mlsim_workbooks.lint.algebra import (
    PERIODS,
    Mismatch,
    Value,
    compare,
    counts_something,
    either_way,
    hard,
    has_money,
    has_number,
    is_conversion,
    is_time,
    mantissa,
    only_conversions,
    only_money,
)
from mlsim_workbooks.lint.blame import blamed
from mlsim_workbooks.lint.clashes import clash_rules, count_rule, squared_pue
from mlsim_workbooks.lint.copies import copy_rules
from mlsim_workbooks.lint.domain import (
    batch_rules,
    flop_rules,
    gemm_rules,
    kv_constants,
    kv_rules,
    mac_rules,
    pue_rules,
    site_rules,
    time_of_work_rules,
)
from mlsim_workbooks.lint.doubt import Difference, all_written, another_quantity, certain, doubtful, lines_added
from mlsim_workbooks.lint.facts import Facts, format_of, gather
from mlsim_workbooks.lint.finding import RULES, Finding, Said
from mlsim_workbooks.lint.infer import Cellwise, Inference
from mlsim_workbooks.lint.kinds import kind_rules, missing_pue
from mlsim_workbooks.lint.label_units import label_unit_rules
from mlsim_workbooks.lint.limits import limit_findings
from mlsim_workbooks.lint.naming import is_clock, ratio_text, rule_of, unit_text
from mlsim_workbooks.lint.notes import note_rules
from mlsim_workbooks.lint.one_for_many import one_for_many_rules
from mlsim_workbooks.lint.pairs import wrong_count
from mlsim_workbooks.lint.periods import period_rules
from mlsim_workbooks.lint.ratios import ratio_rules
from mlsim_workbooks.lint.reader import WIDE
from mlsim_workbooks.lint.registry import Names, names_dense_model, registry_findings
from mlsim_workbooks.lint.restated import restated_rules
from mlsim_workbooks.lint.scope import (
    GPU_TIME,
    host_power_rules,
    hour_price_rules,
    left_of_one_rules,
    scope_rules,
)
from mlsim_workbooks.lint.series import series_findings
from mlsim_workbooks.lint.shapes import is_copied, summands
from mlsim_workbooks.lint.statistic import statistic_rules
from mlsim_workbooks.lint.sums import sum_rules
from mlsim_workbooks.lint.turned import turned_operand
from mlsim_workbooks.lint.unit_texts import CURRENCIES
from mlsim_workbooks.lint.unused import unused_findings
from mlsim_workbooks.lint.users import each_user_rules
from mlsim_workbooks.lint.vocabulary import MODEL_SIZES
from mlsim_workbooks.lint.ways import way_rules
from mlsim_workbooks.lint.wording import wording_rules
from mlsim_workbooks.package import position

__all__ = ["check"]


def check(inference: Inference) -> list[Finding]:
    """Return all findings of a workbook, in the order of its cells."""
    facts, names = gather(inference), Names(inference)
    found: list[Finding] = []
    seen: set[tuple[str, str, str]] = set()
    clean: set[tuple[int | str, ...]] = set()  # what was found right once is right in all cells it was filled to
    for cell in inference.cells.values():
        context = id(cell.context), _without_numbers(cell.entity)
        key = (cell.sheet, cell.item.col, *context, id(cell.computed), id(cell.clashes), cell.item.form)
        if key in clean:
            continue
        said = [x for x in _of_cell(inference, facts, cell) if x[0] != "binary-prefix" or not facts.binary]
        if not said:
            clean.add(key)
        for rule, message, suggestion in said:
            _report(inference, found, seen, cell, rule, message, suggestion)
    for cell, (rule, message, suggestion) in (
        *registry_findings(inference, names),
        *limit_findings(inference, names),
    ):
        _report(inference, found, seen, cell, rule, message, suggestion)
    flagged = {(f.sheet, f.cell) for f in found}
    for cell, (rule, message, suggestion) in series_findings(inference):
        if (inference.book.grids[cell.sheet].name, cell.item.address) not in flagged:
            _report(inference, found, seen, cell, rule, message, suggestion)
    for cell, (rule, message, suggestion) in unused_findings(inference, {(f.sheet, f.cell) for f in found}):
        _report(inference, found, seen, cell, rule, message, suggestion)
    found = _with_inputs_blamed(inference, found, seen)
    order = {g.name: i for i, g in enumerate(inference.book.grids)}
    return sorted(found, key=lambda f: (order[f.sheet], position(f.cell), f.rule))


def _with_inputs_blamed(inference: Inference, found: list[Finding], seen: set[tuple[str, str, str]]) -> list[Finding]:
    """Return the findings, those of several formulas replaced by that of the one typed figure whose unit explains them."""
    sheets = {grid.name: i for i, grid in enumerate(inference.book.grids)}
    places = {(sheets[f.sheet], _key_of(f.cell)) for f in found if f.rule in _OF_UNITS}
    for key, (rule, message, suggestion), explained in list(blamed(inference, places & inference.cells.keys())):
        found = [f for f in found if f.rule not in _OF_UNITS or (sheets[f.sheet], _key_of(f.cell)) not in explained]
        _report(inference, found, seen, inference.cells[key], rule, message, suggestion)
    return found


# What is said of a result in another unit than its cell states.
_OF_UNITS = frozenset(
    ("dimension", "prefix", "time-scale", "calendar", "money-rate", "token-rate", "flop-rate", "power-energy", "bits-bytes",
     "binary-prefix", "mixed-sum")
)  # fmt: skip


def _key_of(address: str) -> int:
    row, col = position(address)
    return row * WIDE + col


@lru_cache(maxsize=1 << 16)
def _without_numbers(entity: str) -> str:
    """Return what rows named "job 12" and "job 13" have in common."""
    return re.sub(r"\d+", "#", entity)


def _report(
    inference: Inference, found: list[Finding], seen: set[tuple[str, str, str]], cell: Cellwise, rule: str,
    message: str, suggestion: str,
) -> None:  # fmt: skip
    book = inference.book
    key = book.grids[cell.sheet].name, cell.item.address, rule
    if key not in seen:
        seen.add(key)
        found.append(Finding(book.path.name, *key, message, suggestion or RULES[rule].fix))


# --- one cell -------------------------------------------------------------------------------------------------------


def _of_cell(inference: Inference, facts: Facts, cell: Cellwise) -> Iterator[Said]:
    if cell.context.contradiction is not None:
        yield _contradiction(cell)
    yield from label_unit_rules(cell)
    yield from flop_rules(cell)
    yield from note_rules(inference, cell)
    if cell.context.date and cell.item.form >= 0:
        yield from _hours_after_a_date(inference, cell)
    if cell.computed is None:
        return
    clashes = list(clash_rules(inference, facts, cell))
    yield from clashes
    tree = inference.tree(cell.item.form)
    if tree is None:
        return
    guesses = inference.guesses(cell)
    counts = [] if clashes or guesses else list(count_rule(cell, tree))
    if counts and wrong_count(cell.computed) == ("device", "replica") and not _many_per_replica(inference, facts):
        counts = []  # a replica may be one GPU
    yield from counts
    if not clashes and not counts and cell.context.contradiction is None:
        against = list(_result(inference, facts, cell, tree))
        yield from against or restated_rules(inference, cell, tree)
        yield from _binary_or_decimal(inference, cell)
        yield from _other_currency(inference, cell)
        yield from wording_rules(cell, tree)
    kinds = kind_rules(cell, tree, _of_a_mixture(inference, facts, cell), format_of(facts, cell))
    yield from (x for x in kinds if x[0] != "peak-precision" or not _names_the_peak(inference, cell))
    yield from way_rules(inference, cell, tree)
    yield from statistic_rules(inference, cell, tree)
    if not guesses and not inference.nameless(cell):
        yield from _of_what_is_missing(inference, facts, cell, tree)
    if not clashes:
        yield from sum_rules(inference, cell, tree)
    yield from squared_pue(inference, cell, tree)
    yield from copy_rules(inference, cell, tree)
    yield from hour_price_rules(inference, cell)
    yield from mac_rules(inference, cell)
    yield from gemm_rules(inference, cell, tree)
    yield from time_of_work_rules(inference, cell, tree)
    yield from kv_constants(inference, cell, tree)
    yield from one_for_many_rules(inference, cell, tree)
    yield from period_rules(inference, cell, tree)
    yield from ratio_rules(inference, cell, tree)
    yield from _days_of_all_gpus(cell, tree)
    yield from _runs_of_one_gpu(cell)


def _days_of_all_gpus(cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """Days on the wall, from GPU-hours that are only converted."""
    computed = cell.computed
    if computed is None or computed.dims != (("device", 1.0), ("time", 1.0)) or not is_copied(tree):
        return
    if _DAYS_OF_IT.match(cell.words) and not re.search(r"\d|\bone\b", cell.label):  # "Days, one GPU"
        said = f"'{cell.label}' is the time on the wall, but the formula gives that of all GPUs."
        yield "device-hours", said, "Divide by the number of GPUs."


def _runs_of_one_gpu(cell: Cellwise) -> Iterator[Said]:
    """A number of jobs from GPU-hours over the hours of one: its GPUs are left over."""
    computed = cell.computed
    if computed is None or computed.dims != (("device", 1.0),) or "device hours" not in computed.parts:
        return
    if _RUNS.search(cell.words) and not _GPU_WORDS.search(cell.words):
        said = f"'{cell.label}' divides GPU-hours by hours, which leaves a number of GPUs."
        yield "device-hours", said, "Divide by the GPU-hours of one."


_DAYS_OF_IT = re.compile(
    r"(?:wall[- ]?(?:clock[- ]?)?(?:time|days|hours)|days|hours|tage|jours|laufzeit|durée)\b(?!.*\b(?:gpu|card|node)[- ](?:hours|days))",
    re.I,
)
_RUNS = re.compile(r"\b(?:runs|jobs|experiments|trials|sweeps|läufe|experimente|essais|expériences)\b", re.I)
_GPU_WORDS = re.compile(r"gpu|card|device|accelerator|karte|carte|\b[AHBL]\d{1,3}\b", re.I)


def _hours_after_a_date(inference: Inference, cell: Cellwise) -> Iterator[Said]:
    """A date and a number of hours: a date counts days."""
    tree = inference.tree(cell.item.form)
    terms = [inference.cell_of(cell, n) for n in summands(tree)] if tree is not None else []
    if len(terms) != 2 or not any(c is not None and c.context.date for c in terms):
        return
    for term in terms:
        if term is None or term.context.date or not term.context.explicit:
            continue
        if term.value.dims == (("time", 1.0),) and term.value.factor in (1.0, 60.0, 3600.0):
            yield (
                "time-scale",
                f"Adds '{term.label}' to a date, which counts days.",
                f"Divide by {86400.0 / term.value.factor:g}.",
            )


def _of_a_mixture(inference: Inference, facts: Facts, cell: Cellwise) -> bool:
    """Tell whether the parameters that a formula uses stand beside active ones: those of a mixture of experts."""
    active = facts.concepts.get("active parameters", ())
    if not active:
        return False
    counts = {k: c for k, c in inference.uses(cell).items() if "parameters" in c.context.concept}
    used = [k for k, c in counts.items() if not (names_dense_model(c.words) or _DENSE.search(c.context.label))]
    if counts and not used:
        return False
    near = {(k[0], k[1] // WIDE) for k in used}
    return any(not near or any(s == a[0] and abs(r - a[1] // WIDE) < 10 for s, r in near) for a in active)


_DENSE = re.compile(r"\bdense\b|\bdicht", re.I)


def _names_the_peak(inference: Inference, cell: Cellwise) -> bool:
    """Tell whether what a formula takes says which peak is due: "MFU against dense BF16", work in integer operations."""
    used = inference.uses(cell).values()
    peaks = [c for c in used if {n for n, _ in c.value.dims or ()} & {"operation", "integer_operation"}]
    shares = [c.context.label for c in used if not hard(c.value.dims or ())]
    if any("integer_operation" in dict(c.value.dims or ()) and not dict(c.value.dims or ()).get("time") for c in used):
        return True  # work in integers
    formats = {c.value.kind("precision") for c in peaks}
    return bool(formats) and all(f and any(re.search(rf"\b{f}\b", x, re.I) for x in shares) for f in formats)


def _of_what_is_missing(inference: Inference, facts: Facts, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """A count, a PUE or a factor that a formula lacks: said only where all it uses is known."""
    yield from _eight(cell, cell.computed)
    yield from missing_pue(cell, tree)
    context = cell.context
    counted = counts_something(context.value or cell.value)
    if context.concept or context.kinds or counted or (context.label and not cell.entity):
        used = inference.uses(cell).values()
        gpu_time = any(map(_of_gpus, used))
        paid = [c for c in used if has_money(c.value)]
        gpu_time |= any(map(_of_gpus, (c for price in paid for c in inference.uses(price).values())))
        places = {(c.sheet, c.item.row) for c in (cell, *used)}
        gpu_time |= any(_ON_ONE_CHIP.search(inference.title(*place)) for place in places)
        worked = cell.computed.parts if cell.computed is not None else frozenset()
        gpu_time |= "replicas" in worked and not _many_per_replica(inference, facts)
        gpus = bool({"devices", "gpus per node", "device hours"} & facts.concepts.keys())
        title = inference.title(cell.sheet, cell.item.row)
        nodes = bool(facts.concepts.get("nodes")) and not _ONE_NODE.fullmatch(
            inference.book.grids[cell.sheet].name.strip()
        )
        nodes = nodes and not _OF_A_NODE.search(title)
        nodes = nodes and not any(_ON_ONE_NODE.search(c.words) or _ORDERED.match(c.words) for c in used)
        for said in scope_rules(cell, tree, nodes, gpus, bool(facts.concepts.get("users")), gpu_time):
            if said[0] == "user-total" and _is_of_one_customer(inference, cell, title):
                continue
            if said[0] != "device-hours" or not any(lines_added(inference, c) == 24 for c in used):
                yield said  # else GPUs, added up over the hours of a day
    yield from kv_rules(inference, facts, cell, tree)
    yield from batch_rules(inference, cell)
    yield from host_power_rules(inference, cell)
    yield from left_of_one_rules(inference, cell, tree)
    yield from each_user_rules(inference, cell, tree, bool(facts.concepts.get("users")))
    yield from pue_rules(inference, facts, cell)
    yield from site_rules(inference, facts, cell, tree)


def _of_gpus(cell: Cellwise) -> bool:
    """Tell whether a time is one of GPUs, as its label says: "GPU time", "GPU-hours rented"."""
    if _ONE_CHIP.search(cell.words) or (GPU_TIME.search(cell.words) and not _PRICE_OF_ONE.search(cell.words)):
        return True
    timed = hard(cell.value.dims or ()) == (("time", 1.0),)
    counted = cell.computed is not None and "devices" in cell.computed.parts  # "GPU rented (h)", from GPUs and hours
    return timed and (counted or cell.context.concept == "device hours" or bool(_SERVICE.search(cell.words)))


def _is_of_one_customer(inference: Inference, cell: Cellwise, title: str) -> bool:
    """Tell whether a sheet or a part of it is about one customer: then what is of each is what is due."""
    return bool(_OF_ONE_CUSTOMER.search(title) or _OF_ONE_CUSTOMER.match(inference.book.grids[cell.sheet].name))


_OF_ONE_CUSTOMER = re.compile(r"(?:customer|client|kunde): |quote\b|offer for\b|angebot für\b|devis\b", re.I)
_ON_ONE_CHIP = re.compile(
    r"\b(?:on|with|of) (?:one|a single|1) (?:gpu|card|(?:nvidia |amd )?[abhl]\d{1,3}s?|mi\d{3}x?|gaudi ?\d)\b|\bsingle[- ]gpu\b"
    r"|auf einer (?:gpu|karte)|sur (?:une seule carte|un (?:seul )?gpu)",
    re.I,
)
_PRICE_OF_ONE = re.compile(r"(?:price|cost|rate|preis|prix).* (?:gpu|card)[- ]hour", re.I)
_ONE_CHIP = re.compile(r"\b(?:one|an?) [A-Z]{1,4}\d{2,4}\b")  # "rent one A100"


_SERVICE = re.compile(r"(?:per|je|par|pro|/) ?(?:image|img|clip|frame|page|document|bild|seite|inference)\b", re.I)


_ONE_NODE = re.compile(
    r"(?:the |one |edge )?(?:box|node|server|host|workstation|instance|knoten|serveur)", re.I
)  # a sheet about one
_ON_ONE_NODE = re.compile(
    r"\b(?:on|auf|sur) (?:an?|one|eine[mr]|une?) (?:node|server|knoten|nœud|noeud|serveur)\b", re.I
)
_ORDERED = re.compile(r"quantity|qty\b|menge|stückzahl|quantité", re.I)  # as many servers
_OF_A_NODE = re.compile(
    r"\b(?:per|one|each|a|of the|je|pro|par|ein|un) (?:server|node|box|host|machine|system|knoten|serveur|nœud|noeud|instance)\b",
    re.I,
)  # "Per server", the title of a part
_PER_REPLICA = re.compile(
    r"(?:gpus?|cards?|devices|karten|cartes) (?:per|of a|of each|je|pro|par) (?:\w+ )?(?:replica|instance|replik|réplica|copy)|\btp\b|tensor",
    re.I,
)


def _many_per_replica(inference: Inference, facts: Facts) -> bool:
    """Tell whether a workbook says how many GPUs a replica has; where it does not, one may be enough."""
    keys = (
        *facts.concepts.get("devices", ()),
        *facts.concepts.get("parallel", ()),
        *facts.concepts.get("replicas", ()),
    )
    return any(_PER_REPLICA.search(inference.cells[key].words) for key in keys)


def _contradiction(cell: Cellwise) -> Said:
    clash = cell.context.contradiction
    assert clash is not None
    value = cell.context.value
    priced = value is not None and has_money(value) and "token" in dict(value.dims or ())
    return (
        "token-price-scale" if priced else "unit-contradiction",
        f"The label says {clash.first}, the {clash.where} says {clash.second} ({cell.label}).",
        "Correct whichever is wrong.",
    )


# --- a formula against its cell ----------------------------------------------------------------------------------------


def _result(inference: Inference, facts: Facts, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """Compare what a formula gives with what its cell says it is."""
    computed = cell.computed
    assert computed is not None
    yield from _percent_of_percent(inference, cell, tree, computed)
    stated = cell.context.value
    if stated is None or not (cell.context.explicit or hard(stated.dims or ())):
        yield from _unlabelled(computed)
    stated = stated or _money_of_period(cell)
    if stated is None or computed.kind("typed") or either_way(computed, stated):
        return  # a text with its own unit, passed on as it is; a pair of currencies
    rate = stated.kind("period") and hard(computed.dims or ()) == (("time", -1.0),)  # "Cycles per day"
    explicit = cell.context.explicit or cell.context.value is None or bool(rate)
    if "integer_operation" in dict(stated.dims or ()):
        stated = _whichever_operations(stated, computed)
    counts = inference.were_counts(cell) if computed.dims is None and cell.context.explicit else None
    computed = counts or computed
    said = inference.as_said(cell) if cell.context.explicit else None
    if said is not None and _bytes_but_time(said) == _bytes_but_time(stated) != _bytes_but_time(computed):
        computed = said  # the number of the label is no bare one
        yield from _eight(cell, said, written=True)
    if upside_down := list(_upside_down(cell, computed, stated)):
        yield from upside_down
    elif turned := turned_operand(inference, cell, tree, computed, stated):
        swapped = "currency" if _exchanges(turned.value) else "dimension"
        yield swapped, f"'{cell.label}' {turned.said}: the formula gives {unit_text(computed)}.", ""
        return
    if not explicit and not stated.dims and hard(computed.dims or ()):
        return  # a "factor" that turns out to be a quantity: the label was misread
    if said_twice := _binary_for_nothing(inference, cell, computed, stated):
        yield "binary-prefix", said_twice, ""
        return
    if isinstance(tree, sx.Number) and _hours_alone(cell, tree.value, stated):
        hours = f"'{cell.label}' is GPU-hours, but {tree.value:g} are the hours of one."
        yield "device-hours", hours, "Multiply by the number of GPUs."
    mismatch = compare(_without_ring(cell, computed), stated)
    if mismatch is None or computed.number is not None or isinstance(tree, (sx.Number, sx.Text)):
        return
    if _eight_hours(inference, cell, computed, stated):
        yield "calendar", f"'{cell.label}' is in days, but the formula divides hours by 8.", "A day has 24 hours."
        return
    another = mismatch.dims or mismatch.periods[0]
    if another and _unit_priced(inference, cell, tree):
        return
    if not another and not explicit:
        return  # a count without its unit may be in millions
    rule = _rule_broken(mismatch, computed, stated)
    if rule is None or (counts is not None and _may_be_no_count(mismatch, rule)):
        return
    difference = Difference(
        inference, facts, cell, tree, computed, stated, mismatch, rule or "dimension", computed is said
    )
    sure = not doubtful(difference) if rule else certain(difference) and not has_money(computed)
    if sure or another_quantity(difference) or all_written(difference):
        yield _told(difference)


def _percent_of_percent(inference: Inference, cell: Cellwise, tree: sx.Node, computed: Value) -> Iterator[Said]:
    """A hundred in a formula beside a format % that means it already."""
    hundred = isinstance(tree, sx.Binary) and tree.operator == "*" and sx.Number(100.0) in (tree.left, tree.right)
    hundred |= computed.dims == () and any(abs(n - 100) < 1e-9 for n in computed.numbers)
    if cell.context.percent and hundred:
        yield "percent", f"'{cell.label}' multiplies by 100, and its format % does so once more.", ""
    if _divides_a_fraction(inference, cell, computed):
        said = f"'{cell.label}' divides by 100, but the format % of what it takes means a fraction already."
        yield "percent", said, ""


def _rule_broken(mismatch: Mismatch, computed: Value, stated: Value) -> str | None:
    """Return the rule that a difference breaks, "" where none is known, None where it breaks none."""
    rule = rule_of(mismatch, computed, stated)
    if rule == "integer-ops" and _is_mac(computed) and "time" in dict(mismatch.dims):
        return "flop-rate"
    if rule == "integer-ops" and _is_mac(computed):
        return None if has_number(computed, 2.0) else "mac-flop"  # two integer operations in a multiply-accumulate
    return rule or _converts_time(computed, stated) or _beside_eight(mismatch, computed, stated)


def _may_be_no_count(mismatch: Mismatch, rule: str) -> bool:
    """Tell whether what has no unit may be more than a count: hours, or millions that do not say so."""
    if rule == "time-scale" and mismatch.ratio in (1e6, 1e-6, 1e9, 1e-9):
        return True
    return rule != "params-bytes" and bool(mismatch.dims or mismatch.periods[0] or rule == "calendar")


def _told(d: Difference) -> Said:
    """Say how a formula's result differs from what its cell says."""
    mismatch, label = d.mismatch, d.cell.label
    found, due = unit_text(_comparable(d.computed, d.stated)), unit_text(d.stated)
    rule = "time-scale" if d.rule == "calendar" and not mismatch.dims and is_clock(mismatch.ratio) else d.rule
    if mismatch.periods[0]:
        first, second = mismatch.periods
        return rule, f"The formula gives a figure per {first}, the cell is per {second} ({label}).", ""
    if mismatch.dims:
        return rule, f"The formula gives {found}, but the cell says {due} ({label}).", ""
    factor = ratio_text(mismatch.ratio)
    return rule, f"The formula gives a number in {found}, but the cell says {due} ({label}): a factor of {factor}.", ""


def _bytes_but_time(value: Value) -> tuple[tuple[str, float], ...]:
    """Return the dimensions that must agree, for bytes without time: "per day" may be a period."""
    dims = hard(value.dims or ())
    return tuple(x for x in dims if x[0] != "time") if ("information", 1.0) in dims else dims


def _exchanges(value: Value) -> bool:
    """Tell whether a figure is so much of one currency for another."""
    return sum(n.startswith("money_in_") for n, _ in value.dims or ()) == 2


def _divides_a_fraction(inference: Inference, cell: Cellwise, computed: Value) -> bool:
    """Tell whether a product has a percentage that is stored as a fraction, and a division by 100 for it."""
    shares = [
        c
        for c in inference.uses(cell).values()
        if c.context.percent or (c.item.form < 0 and re.search(r"\bas a fraction\b", c.words, re.I))
    ]
    below = bool(computed.parts & {"1/share", "1/ratio", "1/MFU"})
    plain = [n for n in computed.numbers if n != (100.0 if below else 0.01)]
    stored = all(isinstance(c.item.value, float) and abs(c.item.value) <= 1.0 for c in shares)
    stated = cell.context.value
    cents = has_money(computed) and (
        "energy" in computed.parts or (stated is not None and has_money(stated) and stated.text[:1] in "¢c")
    )
    rounded = "1/share" in computed.parts and computed.numbers == (100.0,)  # servers, of so much of each
    rate = (
        bool(hard(computed.dims or ()))
        and not has_money(computed)
        and (computed.numbers.count(0.01) == 1 or (below and computed.numbers.count(100.0) == 1))
        and all(is_conversion(n) or is_time(n) or n in (0.5, 2.0) for n in plain)
    )
    return (
        len(shares) == 1
        and stored
        and not cents
        and (rounded or rate or (not plain and len(computed.numbers) == 1 and has_money(computed)))
    )


def _upside_down(cell: Cellwise, computed: Value, stated: Value) -> Iterator[Said]:
    """Requests per token where tokens per request are due, dollars times tokens where dollars per token are."""
    due, have = dict(stated.dims or ()), dict(computed.dims or ())
    if not cell.context.explicit or set(due) != set(have) or len(due) < 2 or not only_conversions(computed):
        return
    turned = {n for n, e in due.items() if have[n] == -e}
    if turned == set(due) and min(due.values()) < 0:
        rule = "currency" if _exchanges(stated) else "dimension"
        yield rule, f"'{cell.label}' is upside down: the formula gives {unit_text(computed)}.", ""
    elif turned == {"user"} and due["user"] < 0 and has_money(stated):
        yield "user-total", f"'{cell.label}' is a figure per user, but the formula multiplies by users.", ""
    elif turned == {"token"} and due["token"] < 0 and has_money(stated):
        yield "money-rate", f"'{cell.label}' is a price per token, but the formula multiplies by tokens.", ""


def _other_currency(inference: Inference, cell: Cellwise) -> Iterator[Said]:
    """A figure in euros from dollars alone, where nothing else in the formula may be an exchange rate."""
    computed, stated = cell.computed, cell.context.value
    if computed is None or computed.dims is not None or stated is None or not cell.context.explicit:
        return
    due = {n for n, e in stated.dims or () if n.startswith("money_in_") and e > 0}
    have = {p[1:] for p in computed.parts if p.startswith("~money_in_")}
    used = inference.uses(cell).values()
    if any("per unit of" in c.words for c in used):
        return  # "GBP per unit of that currency"
    unread = [c for c in used if not c.value.known]
    if len(due) != 1 or len(have) != 1 or due == have or any("exchange rate" in p for p in computed.parts):
        return
    if all(c.words and not _MAY_EXCHANGE.search(c.words) for c in unread):
        yield "currency", f"'{cell.label}' is in another currency than what the formula takes.", ""


_MAY_EXCHANGE = re.compile(rf"\b(?:{'|'.join(CURRENCIES)}|FX)\b|[€$£¥]|rate|kurs|taux|cours|change", re.I)


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
    same = hard(computed.dims or ()) == hard(stated.dims or ()) and (
        stated.dims == (("time", 1.0),) or bool(stated.kind("period"))
    )
    return "calendar" if same and len(times) == 1 and is_time(times[0]) else ""


def _whichever_operations(stated: Value, computed: Value) -> Value:
    """Return a unit of integer operations as one of operations, where the formula has neither: those by a clock."""
    worked = {p.removeprefix("~") for p in computed.parts} | {n for n, _ in computed.dims or ()}
    if worked & {"operation", "integer_operation"}:
        return stated
    dims = tuple(sorted(("operation" if n == "integer_operation" else n, e) for n, e in stated.dims or ()))
    return replace(stated, dims=dims) if dims != stated.dims else stated


def _hours_alone(cell: Cellwise, hours: float, stated: Value) -> bool:
    """Tell whether GPU-hours are nothing but the hours of a month, a year."""
    whole = stated.dims == (("device", 1.0), ("time", 1.0)) and stated.factor == 3600.0 and cell.context.explicit
    return whole and is_time(hours) and hours > 100.0 and not _OF_ONE_GPU.search(cell.words)


_OF_ONE_GPU = re.compile(
    r"\b(?:per|je|pro|par|of (?:a|one|each)|one) (?:gpu|card|karte|carte)\b(?![ -](?:h|stunde))", re.I
)


def _eight_hours(inference: Inference, cell: Cellwise, computed: Value, stated: Value) -> bool:
    """Tell whether hours become days by 8 of them, where nobody works."""
    used = list(inference.uses(cell).values())
    if computed.numbers != (0.125,) or len(used) != 1 or not cell.context.explicit or not used[0].context.explicit:
        return False
    days = hard(stated.dims or ()) == (("time", 1.0),) == hard(computed.dims or ()) and stated.factor == 86_400.0
    hours = used[0].value.factor == 3600.0
    return days and hours and not _WORKED.search(f"{cell.words} {used[0].words}")


_WORKED = re.compile(
    r"\bwork(?:ing|days?)|person|\bfte\b|arbeit|mitarbeit|labou?r|shift|schicht|staff|ouvr|travail|effort|gpu", re.I
)


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


def _without_ring(cell: Cellwise, computed: Value) -> Value:
    """Return a product without the 2 of a ring all-reduce, 2 (n - 1) / n, which is no number of bytes."""
    ring = any({name, f"1/{name}"} <= computed.parts for name in ("devices", "replicas", "nodes", "parallel"))
    if not ring or 2.0 not in computed.numbers or re.search(r"all-?gather|[bf]p?16\b", cell.words, re.I):
        return computed
    kept = list(computed.numbers)
    kept.remove(2.0)
    return replace(computed, numbers=tuple(kept))


def _eight(cell: Cellwise, computed: Value | None, *, written: bool = False) -> Iterator[Said]:
    """A factor of 8 between quantities that are both in bytes already; ``written``: the bytes stand in a note."""
    stated = cell.context.value
    if (
        computed is None
        or stated is None
        or not cell.context.explicit
        or computed.dims is None
        or "~information" not in computed.parts
    ):
        return
    of_one = dict(computed.dims).get("device", 0.0) < 0 and dict(stated.dims or ()).get("device", 0.0) < 0
    if dict(computed.dims).get("device", 0.0) < 0 and not of_one:
        return  # of the 8 GPUs of a node
    eights = [n for n in computed.numbers if not is_conversion(n) and not is_time(n)]
    words = cell.words
    if len(eights) != 1 or eights[0] not in (8.0, 0.125) or re.search(r"\b8\b|bit", words, re.I):
        return
    if not of_one and re.search(r"gpu|per ", words, re.I):
        return
    dims = hard(stated.dims or ())
    due = dims == (("time", 1.0),) and eights[0] == 8.0 and hard(computed.dims) == dims
    due |= dims == (("information", 1.0), ("time", -1.0)) == hard(computed.dims)
    due |= stated.text == "%" and not dims and not hard(computed.dims)  # a share of a link
    parameters = bool({"parameters", "active parameters"} & computed.parts)
    due |= dims == (("information", 1.0),) and parameters and (eights[0] == 8.0 or "bytes each" in computed.parts)
    due |= written and dims == hard(computed.dims)
    due |= only_money(stated) and dims == hard(computed.dims)  # bytes, at a price for each
    plain = replace(computed, numbers=tuple(n for n in computed.numbers if n != eights[0]))
    if due and compare(plain, stated) is None:
        yield "bits-bytes", f"'{cell.label}' has a factor of 8, but everything it uses is in bytes already.", ""


def _binary_for_nothing(inference: Inference, cell: Cellwise, computed: Value, stated: Value) -> str:
    """Return what is said of a formula that turns GB into GiB, where it takes and gives the same unit."""
    numbers = set(computed.numbers)
    turns = any(
        {a, 1 / b} == numbers for k in (1, 2, 3, 4) for a, b in ((1000.0**k, 1024.0**k), (1024.0**k, 1000.0**k))
    )
    if not turns or stated.dims != (("information", 1.0),) or not cell.context.explicit:
        return ""
    used = [c.value for c in inference.uses(cell).values()]
    if len(used) != 1 or used[0].dims != stated.dims or used[0].factor != stated.factor:
        return ""
    return f"'{cell.label}' turns decimal into binary units or back, but what it takes is in {stated.text} too."


def _binary_or_decimal(inference: Inference, cell: Cellwise) -> Iterator[Said]:
    """A division by 1e9 under GiB, or by 1024^3 under GB, where the rest of the formula is not known."""
    stated, computed = cell.context.value, cell.computed
    if stated is None or computed is None or stated.dims != (("information", 1.0),) or not cell.context.explicit:
        return
    plain = computed.dims == () and not any(p[0] == "~" for p in computed.parts) and _closes(computed, 3, 4)
    alone = computed.dims == () and not inference.uses(cell)  # 224 x 224 x 3 / 1024
    alone |= plain and bool(computed.parts & MODEL_SIZES)
    whole = computed.dims is None and _binary_unit(stated) and not any(p[0] == "~" for p in computed.parts)  # of pixels
    if not (alone or whole) and (
        computed.dims is not None or ("~information" not in computed.parts and not _BYTES_EACH & computed.parts)
    ):
        return
    used = inference.uses(cell).values()
    scales = [c.value.factor for c in used if c.value.dims == (("information", 1.0),)]
    for k in (1, 2, 3, 4):
        for found, due in ((1000.0**k, 1024.0**k), (1024.0**k, 1000.0**k)):
            if (alone or whole) and not plain and not _binary(due):
                continue  # "KB" is often said of 1,024
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


def _closes(computed: Value, *powers: int) -> bool:
    """Tell whether a formula divides by such a power of 1,000 or of 1,024."""
    return any(_close(n * b**k, 1.0) for n in computed.numbers if n for b in (1000.0, 1024.0) for k in powers)


_BYTES_EACH = frozenset(("bytes each", "bits each", "kv cache", "memory"))


def _close(a: float, b: float) -> bool:
    return abs(a / b - 1) < 1e-9


def _binary_unit(value: Value) -> bool:
    """Tell whether a unit is KiB, MiB, GiB or TiB."""
    return any(_close(value.factor, 1024.0**k) for k in (1, 2, 3, 4))


def _binary(number: float) -> bool:
    """Tell whether a number converts between decimal and binary prefixes."""
    big = abs(number) if abs(number) >= 1 else 1 / abs(number)
    return any(_close(big, b**k) for b in (1024.0, 1.024) for k in (1, 2, 3, 4))


def _unit_priced(inference: Inference, cell: Cellwise, tree: sx.Node) -> bool:
    """Tell whether a formula is quantity times unit price, whatever the unit of that line of an offer."""
    if not (isinstance(tree, sx.Binary) and tree.operator == "*"):
        return False
    factors = [inference.cell_of(cell, n) for n in (tree.left, tree.right)]
    return any(c is not None and _UNIT_PRICE.search(c.words) for c in factors)


_UNIT_PRICE = re.compile(
    r"unit price|(?:price|EUR|USD|[$€]) (?:each|per unit)|einzelpreis|stückpreis|prix unitaire|\bp\.? ?u\b", re.I
)


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
        if mismatch.ratio in (1e6, 1e-6, 1e9, 1e-9):
            return  # millions of windows
        yield rule, f"Divides a time by one in another unit: off by a factor of {ratio_text(mismatch.ratio)}.", ""


def _only_time(computed: Value) -> bool:
    """Tell whether times have cancelled, nothing else, and a number of the formula converts some of it."""
    worked = {p for p in computed.parts if p[0] == "~"} - {"~ms"}
    return worked == {"~time"} and any(is_time(n) for n in computed.numbers)
