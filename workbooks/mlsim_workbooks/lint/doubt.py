"""Reasons to say nothing of a formula whose result is not what its cell says.

A person's slip leaves out one factor, takes one too many, or takes the neighbouring cell. Whatever differs in another
way was more likely misread here: a label that says little, a count in millions that does not say so, a price that the
formula has as a number. One function is one such reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from mlsim_workbooks.lint import syntax as sx
from mlsim_workbooks.lint.algebra import (
    BUILT,
    COUNTABLE,
    Dims,
    Mismatch,
    Value,
    hard,
    has_money,
    is_conversion,
    is_open,
    is_time,
    mantissa,
    only_conversions,
    only_money,
)
from mlsim_workbooks.lint.evaluate import KEEPERS
from mlsim_workbooks.lint.facts import Facts, byte_each
from mlsim_workbooks.lint.infer import Cellwise, Inference
from mlsim_workbooks.lint.naming import SYMBOLS, is_usual, one_slip, unit_text
from mlsim_workbooks.lint.shapes import copied, multipliers, summed_areas, written
from mlsim_workbooks.lint.vocabulary import COUNTS, MACHINES, PER_MANY
from mlsim_workbooks.package import position

__all__ = ["Difference", "all_written", "another_quantity", "certain", "doubtful", "lacks_denominator", "lines_added"]


@dataclass(frozen=True, slots=True)
class Difference:
    """A formula's result, what its cell says it is, and the rule that the difference would break."""

    inference: Inference
    facts: Facts
    cell: Cellwise
    tree: sx.Node
    computed: Value
    stated: Value
    mismatch: Mismatch
    rule: str
    said: bool = False  # its label gives a number of the formula a unit

    @property
    def used(self) -> tuple[Cellwise, ...]:
        """The cells that the formula refers to."""
        return tuple(self.inference.uses(self.cell).values())

    @property
    def guesses(self) -> bool:
        """Whether the formula uses a number that nothing is written about."""
        return self.inference.guesses(self.cell)


def doubtful(d: Difference) -> bool:
    """Tell whether anything speaks against calling a difference a mistake."""
    return not certain(d) and any(reason(d) for reason in _REASONS)


def _unlikely(dims: Dims) -> bool:
    """Tell whether bytes times bytes, or the like, show that something was misread."""
    return any(abs(e) > 1 for n, e in dims if n != "time")


def certain(d: Difference) -> bool:
    """Tell whether all that a formula takes is written or a plain count, and its result is a quantity of another kind."""
    found, written = hard(d.computed.dims or ()), d.cell.context.explicit and not d.cell.context.headed
    quantity = bool(hard(d.stated.dims or ())) or (_rounded_count(d) and not found <= (("time", 1.0),))
    if not written or not quantity or not (d.rule == "dimension" or _money_for_quantity(d)):
        return False
    only_time = {n for n, _ in found} <= {"token", "time"} and not (found and has_money(d.stated))
    if {n for n, _ in d.mismatch.dims} <= {"time"} or only_time:
        return False  # a rate that does not say so; what each is of
    if _number_in_label(d) or not only_conversions(d.computed, 2.0, 0.5, 8.0, 0.125, 100.0, 0.01, 3**0.5, 3**-0.5):
        return False
    if _unlikely(found) and "current" not in dict(found):
        return False
    if any(_PER_OPERATION.search(c.words) and not any(e < 0 for _, e in c.value.dims or ()) for c in d.used):
        return False  # "Cycles per MAC", in cycles
    counts = (COUNTS | {"tokens"}) - {"count"}  # which may be MACs per cycle
    return bool(d.used) and all(
        c.context.concept in counts or (_good(d, c) and c.value.factor == c.value.factor) for c in d.used
    )


_PER_OPERATION = re.compile(r"\b(?:per|je|par|pro) (?:mac|flop|op|operation|param\w*|weight|token|element)s?\b", re.I)


def _money_for_quantity(d: Difference) -> bool:
    """Tell whether a result has money in it under a label that says nothing of any: dollars times watts for energy."""
    return has_money(d.computed) and not has_money(d.stated) and not _A_PRICE.search(d.cell.words)


def all_written(d: Difference) -> bool:
    """Tell whether only quantities with written units, all of them right, give a factor that nobody forgets: mW for W in hours."""
    if d.mismatch.dims or d.mismatch.periods[0] or not d.cell.context.explicit or _per_pin(d):
        return False
    if d.rule != "dimension" and (d.computed.numbers or d.rule != "time-scale"):
        return False
    if d.rule == "dimension" and has_money(d.computed) and has_money(d.stated) and not d.computed.numbers:
        return _all_good(d) and 1e-9 < d.mismatch.ratio < 1e9  # $/h over tokens/s
    if not all(is_time(n) or n in (8.0, 0.125) for n in d.computed.numbers) or not hard(d.computed.dims or ()):
        return False
    if not {"~energy", "~information", "~operation", "~mass_of_co2e"} & d.computed.parts:
        return False  # requests a day, of which labels say too little
    return _all_good(d) and 1e-13 < d.mismatch.ratio < 1e13


def _all_good(d: Difference) -> bool:
    """Tell whether all that a formula takes has a written unit, and what that says is what it is."""
    return all(_good(d, c) for c in d.used)


def _good(d: Difference, cell: Cellwise) -> bool:
    """Tell whether a figure has a written unit, and is what that says."""
    return cell.context.explicit and cell.value.known and d.inference.standing(cell) == "good"


def another_quantity(d: Difference) -> bool:
    """Tell whether the formula only takes another cell, and that one holds something else, as both are written."""
    taken = d.used[0] if len(d.used) == 1 else None
    if (
        taken is None
        or not d.mismatch.dims
        or not isinstance(_kept(d.tree), sx.Ref | sx.Name)
        or taken.value.dims is None
    ):
        return False
    due, have = hard(d.stated.dims or ()), hard(taken.value.dims)
    if not d.cell.context.explicit or (has_money(d.stated) and has_money(taken.value)):
        return False  # what an hour costs, as the price of a line
    if "parameter" in dict(taken.value.dims) or d.inference.standing(taken) == "bad":
        return False  # a byte each
    share = d.stated.text == "%" or d.cell.context.percent
    hours = due == (("time", 1.0),) and not have  # so many GPUs are as many GPU-hours, in an hour
    return bool(due and have) or (taken.context.explicit and bool(due or share) and not hours)


def _kept(node: sx.Node) -> sx.Node:
    """Return what a formula rounds, if it does nothing else."""
    while isinstance(node, sx.Call) and node.name in KEEPERS and node.args and node.args[0] is not None:
        node = node.args[0]
    return node


# --- what it takes may be misread --------------------------------------------------------------------------------------


def _misread(d: Difference) -> bool:
    """A formula that it takes gives something else than its own label says, too: that label was misread here."""
    money = [c for c in d.used if has_money(c.value)] if d.rule == "currency" else ()  # whatever its other factors are
    standing = {d.inference.standing(c) for c in money or d.used}
    if d.rule in ("integer-ops", "mac-flop"):
        return False
    if d.rule in ("binary-prefix", "prefix") and d.computed.text and not d.computed.numbers:
        return False  # adds up figures in one unit, wherever they come from
    vague = d.rule in ("dimension", "money-rate", "params-bytes")
    return "bad" in standing or (vague and bool(d.mismatch.dims) and "unknown" in standing)


# --- what the cell says may not be about it -------------------------------------------------------------------------


def _of_its_row(d: Difference) -> bool:
    """The cell adds up its row, below a header that is about the rows above."""
    match d.tree:
        case sx.Call(name="SUM" | "AVERAGE" | "MAX" | "MIN", args=(sx.Area(kind="ref") as area,)):
            rows = {position(d.cell.item.refs[mark])[0] for mark in (area.first, area.last)}
            return d.cell.context.headed and rows == {d.cell.item.row}
    return False


def _rate_in_label(d: Difference) -> bool:
    """Another currency, at the rate that the label gives: "Same in dollars (1 € = 1.10 $)"."""
    said = {float(n) for n in re.findall(r"\d+\.\d+", d.cell.words)}
    return d.rule == "currency" and any(n in said or 1 / n in said for n in d.computed.numbers if n)


def _mean_load(d: Difference) -> bool:
    """A mean power in a line below a header of energies."""
    energy = ("energy", 1.0) in hard(d.stated.dims or ())
    return (
        energy
        and d.cell.context.headed
        and bool(re.search(r"\b(?:average|mean) (?:load|power|draw)\b", d.cell.words, re.I))
    )


def _share_of_column(d: Difference) -> bool:
    """The cell is a share of the column it stands below, whose header states another unit."""
    if not d.cell.context.headed or d.computed.numbers or hard(d.computed.dims or ()):
        return False
    match d.tree:
        case sx.Binary(operator="/", left=part, right=whole):
            columns = [_column(d, node) for node in (part, whole)]
            return columns == [d.cell.item.col] * 2
    return False


def _column(d: Difference, node: sx.Node) -> int:
    """Return the column of a reference, or of the one range that a function takes; 0 for anything else."""
    match node:
        case sx.Ref(sheet=""):
            return position(d.cell.item.refs[node.mark])[1]
        case sx.Call(args=(sx.Area(kind="ref", sheet="") as area,)):
            columns = {position(d.cell.item.refs[mark])[1] for mark in (area.first, area.last)}
            return columns.pop() if len(columns) == 1 else 0
    return 0


def _restated(d: Difference) -> bool:
    """The figure above it once more, by the thousand: its own unit is not that of the header."""
    if _THE_SAME.match(d.cell.label) and all(c.item.form >= 0 or c.context.percent for c in d.used):
        return True  # "Same if used half of the time"
    place = copied(d.tree)
    if not isinstance(place, sx.Ref) or isinstance(d.tree, sx.Ref) or len(d.cell.context.texts) < 2:
        return False
    row, col = position(d.cell.item.refs[place.mark])
    labels = [d.inference.texts_of(d.cell.sheet, r) for r in (row, d.cell.item.row)]
    alike = labels[0] == labels[1] and len(labels[1]) == 1  # "sum", and "sum" again
    return (
        alike and (row, col) == (d.cell.item.row - 1, d.cell.item.col) and all(map(is_conversion, d.computed.numbers))
    )


_THE_SAME = re.compile(r"(?:the )?same if\b", re.I)


def _share_of_sum(d: Difference) -> bool:
    """A part over the sum that takes it in: a share, whatever they are read as."""
    match d.tree:
        case sx.Binary(operator="/", left=sx.Ref() as part, right=sx.Ref() as whole):
            one, total = d.inference.cell_of(d.cell, part), d.inference.cell_of(d.cell, whole)
            tree = d.inference.tree(total.item.form) if total is not None and total.item.form >= 0 else None
            summed = isinstance(tree, sx.Call) and tree.name == "SUM"
            return summed and one is not None and total is not None and one.key in d.inference.uses(total)
    return False


def _nameless_price(d: Difference) -> bool:
    """Money or hours, and nothing written of what they are for."""
    if d.cell.context.texts or (d.cell.entity and d.stated.kind("period")):
        return False  # "Rent", and a format of $/month
    if (
        d.cell.entity
        and not has_money(d.computed)
        and not d.computed.numbers
        and d.used
        and all(c.context.explicit and c.context.texts for c in d.used)
    ):
        return False  # GPU-hours, in dollars
    return d.rule == "money-rate" or (d.rule == "calendar" and bool(d.computed.dims) and not hard(d.stated.dims or ()))


def _by_the_hour(d: Difference) -> bool:
    """A line of a table by the hour: what an hour costs is a price per hour, too."""
    if d.mismatch.dims not in ((("time", -1.0),), (("time", 1.0),)):
        return False
    first = d.inference.book.grids[d.cell.sheet].rows[d.cell.item.row][0]
    axis = d.inference.cells.get((d.cell.sheet, first.key))
    hours = (
        axis is not None
        and axis.item is not d.cell.item
        and any(_HOURS_OF_DAY.fullmatch(t) for t in axis.context.texts)
    )
    return hours or bool(_HOUR.match(d.cell.entity) and d.mismatch.dims[0][1] < 0)


_HOURS_OF_DAY = re.compile(r"(?:hour|h|time|stunde|uhrzeit|zeit|heure)(?: of (?:the )?day| \(.*\))?", re.I)
_HOUR = re.compile(r"\d{1,2}[:h.]\d\d|\d{1,2} ?[hH]\b|hour|stunde|heure", re.I)


def _lasts_as_long(d: Difference) -> bool:
    """ "Runway, months": money over money, of which one is what a month takes, though its unit does not say so."""
    money = [c for c in d.used if has_money(c.value)]
    timed = hard(d.stated.dims or ()) == (("time", 1.0),) and d.computed.dims == ()
    return timed and len(money) == len(d.used) == 2 and all(_plain_money(c.context.value) for c in money)


def _ratio_in_label(d: Difference) -> bool:
    """ "Energy in all / energy of IT", below a column of megawatt-hours."""
    return (
        d.cell.context.headed
        and d.computed.dims == ()
        and " / " in (d.cell.entity or "".join(d.cell.context.texts[:1]))
    )


def _time_of_one(d: Difference) -> bool:
    """ "GPU time per s of video", "Rent per audio hour": a time over a time."""
    return bool(d.mismatch.dims and _HOUR_OF.search(d.cell.label)) and d.rule != "currency"


def _in_a_minute(d: Difference) -> bool:
    """ "Turns per session and minute", 60 of which make a second's."""
    return d.rule in ("time-scale", "calendar") and any(_MINUTELY.search(c.words) for c in d.used)


_MINUTELY = re.compile(r"\b(?:and|und|et|per|je|pro|par) (?:par )?minute\b", re.I)
_HOUR_OF = re.compile(
    r"\bper (?:s|sec|second|min|minute|h|hour) of\b|\b(?:audio|video|speech)[ -](?:hour|minute|second)|heure d.audio|(?:audio|video)(?:stunde|minute)",
    re.I,
)


def _count_of_anything(d: Difference) -> bool:
    """The cell counts something, as its name says; only a share, tokens over time, and GPUs to buy say it surely."""
    if not d.mismatch.dims or hard(d.stated.dims or ()) or d.stated.text == "%":
        return False
    if d.rule == "params-bytes" and d.cell.context.explicit:
        return False  # bytes under "M params"
    of_tokens = "token" in dict(d.stated.dims or ()) or (bool(d.stated.dims) and "~token" in d.computed.parts)
    only_time = set(d.mismatch.dims) <= {("time", 1.0), ("time", -1.0)}
    counted = {n for n, e in d.stated.dims or () if e > 0 and n in ("request", "sample")}
    if only_time and d.stated.text and d.cell.context.explicit and counted & dict(d.computed.dims or ()).keys():
        return False  # "requests per month", from those per day and the hours of a month
    return not (only_time and of_tokens) and not _rounded_count(d)


def _rounded_count(d: Difference) -> bool:
    """Tell whether a cell is a number of GPUs, nodes, replicas or users, rounded: that has no unit left over."""
    up = isinstance(d.tree, sx.Call) and d.tree.name in ("ROUNDUP", "CEILING", "CEILING.MATH")
    down = isinstance(d.tree, sx.Call) and d.tree.name in ("ROUNDDOWN", "INT", "FLOOR", "FLOOR.MATH")
    fit = down and d.cell.context.explicit and bool(_FIT.search(d.cell.words)) and bool(hard(d.computed.dims or ()))
    plain = not any(is_open(n) for n in d.computed.numbers)
    counts = any(d.stated.dims == ((n, 1.0),) for n in BUILT)
    counts |= fit or d.cell.context.concept in ("devices", "nodes", "replicas", "racks")
    return (up or fit) and plain and counts


_FIT = re.compile(r"\bfit|\bhold|at once|concurrent|simultan|gleichzeitig|passen|tiennent", re.I)


# --- what the formula has may be more than its labels say -----------------------------------------------------------


def _typed_quantity(d: Difference) -> bool:
    """Power, money or CO2 is a count times a quantity that the formula has as a number: optics at 12 W."""
    missing = {_kind_of(n) for n, _ in d.stated.dims or ()} & {"money", "energy", "mass_of_co2e", "water"}
    if missing & {_kind_of(n.removeprefix("~")) for n in (*d.computed.parts, *dict(d.computed.dims or ()))}:
        return False
    timed = "~time" in d.computed.parts or "time" in dict(d.computed.dims or ())
    return bool(missing) and any(not is_conversion(n) and not (timed and n in _HOURS) for n in d.computed.numbers)


_HOURS = frozenset((3600.0, 24.0, 30.0, 365.0, 720.0, 730.0, 8760.0, 8766.0, 12.0))


def _kind_of(dimension: str) -> str:
    """Return "money" for every currency."""
    return "money" if dimension.startswith("money_in_") else dimension


def _number_in_label(d: Difference) -> bool:
    """A number of the formula stands in the label with its unit: "Optics at 12 W", "Copy at 10 Gbit/s"."""
    if d.rule == "flop-rate":
        return False  # "6 N per token" gives no time
    unit = "[kMGT]i?B" if d.rule == "binary-prefix" else "[A-Za-z€$]"
    words = re.sub(r"(?<=\d)[ \u202f\u00a0](?=\d{3}\b)", "", d.cell.words)
    words = _DURATION.sub(" ", words)  # "in 30 days": the formula has these days to count
    for number in filter(None, d.computed.numbers):
        many = is_conversion(number) and mantissa(number) in (1.0, 1000.0)  # "per 1,000 tokens" converts
        of_what = "(?:tok|jeton)" if is_conversion(number) else unit  # "of 8 000 tokens", not 8,000 bits
        written = {f"{n:g}" for n in (number, 1 / number)} - {"1"} if not many else ()
        if any(re.search(rf"(?<![\d.,]){re.escape(n)}\s?{of_what}", words) for n in written):
            return True
    return False


_DURATION = re.compile(r"\b\d+ ?(?:days?|weeks?|months?|years?|tage|jours|mois)\b", re.I)


def _converts_binary(d: Difference) -> bool:
    """Gigabytes that are binary ones, turned into terabytes: the formula has 2^30 and 10^12."""
    times, over = {n for n in d.computed.numbers if n > 1}, {1 / n for n in d.computed.numbers if 0 < n < 1}
    binary = {1024.0**2, 1024.0**3, 1024.0**4} & times
    into_binary = d.stated.factor in (1024.0**2, 1024.0**3, 1024.0**4)  # says GiB: the other way round
    return d.rule == "binary-prefix" and bool(binary) and bool({1e6, 1e9, 1e12} & over) and not into_binary


def _size_in_label(d: Difference) -> bool:
    """ "All-reduce of 1 GB": the size stands in the label and as a number in the formula."""
    return bool(
        dict(d.mismatch.dims).get("information")
        and re.search(r"\d ?(?:[kMGT]i?(?:B|bit)|GbE|G)\b", " ".join((d.cell.entity, *d.cell.context.texts[:1])))
    )


def _per_pin(d: Difference) -> bool:
    """The width of a bus in bits, times the rate of each of its pins."""
    return any(_BUS.search(c.words) for c in d.used)


_BUS = re.compile(r"\bbus (?:width|breite)|\bbusbreite|\bper pin\b|\bpins?\b|largeur (?:de|du) bus", re.I)


def _bare(d: Difference) -> bool:
    """No part of the formula has a unit: its labels say too little."""
    says_nothing = not d.computed.dims and not any(p[0] == "~" for p in d.computed.parts)
    return d.rule in ("power-energy", "money-rate", "token-rate") and says_nothing


def _no_tokens(d: Difference) -> bool:
    """A price of tokens from a formula without tokens, or tokens times what is no price of them: a unit is not written."""
    due, have = dict(d.stated.dims or ()).get("token", 0.0), dict(d.computed.dims or ()).get("token", 0.0)
    if d.rule == "token-price-scale" and d.stated.text == "%" and have:
        return True  # "sell at $0.60": of a million, unsaid
    if d.rule == "token-price-scale":
        return have > 0 and not due
    return d.rule == "money-rate" and bool(due) and not have and "~token" not in d.computed.parts


def _unread_price(d: Difference) -> bool:
    """A price in plain dollars: per what, its label says in words that nobody read."""
    if d.rule != "money-rate" or not d.mismatch.dims:
        return False
    money = [c for c in (d.cell, *d.used) if _plain_money(c.context.value)]
    return any(_A_PRICE.search(_FOR_ALL_OF_IT.sub(" ", c.words)) for c in money)


_FOR_ALL_OF_IT = re.compile(
    r"\b(?:per|pro|par|je) (?:term|semester|semestre|course|run|campaign|project|lauf|projekt|kurs)\b", re.I
)


def _plain_money(value: Value | None) -> bool:
    return value is not None and only_money(value) and not value.kind("period")


_A_PRICE = re.compile(
    r"price|\brate\b|tarif|preis|\bprix\b|\bper\b|\bje\b|\bpar\b|\bpro\b|\b(?:of|does|for) an? ", re.I
)


def _unread_denominator(d: Difference) -> bool:
    """A label says per what its figure is, and that is not in the unit that was read."""
    if not d.mismatch.dims:
        return False
    if _PER_RATE.search(d.cell.label) and ("operation", -1.0) in d.mismatch.dims:
        return True  # "Price per PFLOP/s (EUR/h)"
    return any(map(lacks_denominator, (d.cell, *d.used)))


_PER_RATE = re.compile(r"\b(?:per|je|pro|par) (?:[TPGE]?FLOP(?:/s|S)|[TP]OPS)\b", re.I)


def lacks_denominator(cell: Cellwise) -> bool:
    """Tell whether a label says per what its figure is, and the unit that was read does not."""
    return bool(_PER.search(cell.words.replace("_", " "))) and _no_denominator(cell)


_PER = re.compile(
    r"\b(?:per|je|par|pro|in an?|one|of an?) (?:[\w-]+[ -])?(?:min|minute|hours?|h|stunde|heure|[kM]Wh|[kGT]B|[GT]o|s|second|sekunde|seconde|day|tag|jour|month|monat|mois|year|jahr|an|[TPE]FLOP(?:/s|S)?)\b|\b(?:per|je|par|pro) \w+ (?:and|und|et) (?:s|sec|second|sekunde|seconde)\b",
    re.I,
)


def _no_denominator(cell: Cellwise) -> bool:
    value = cell.context.value
    if value is None or value.kind("period") or any(e < 0 for _, e in value.dims or ()):
        return False
    return bool(hard(value.dims or ())) or cell.context.concept == "count"


def _guessed_period(d: Difference) -> bool:
    """A figure per day or per hour, and a number in it that nothing is written about: how many hours, perhaps."""
    return d.guesses and bool(d.mismatch.periods[0] or (d.rule == "token-rate" and not d.mismatch.dims))


def _time_of_a_period(d: Difference) -> bool:
    """Seconds of an hour, from others whose label says no hour."""
    return set(d.mismatch.periods) == {"nothing", "hour"} and hard(d.stated.dims or ()) == (("time", 1.0),)


def _rate_unsaid(d: Difference) -> bool:
    """ "Queries on average", times the seconds of a month: by the second, then, though nothing says so."""
    if d.rule != "calendar" or d.mismatch.dims or not {86400.0, 3600.0} & set(d.computed.numbers):
        return False
    return any(c.item.form < 0 and not c.context.explicit and c.value.dims and not hard(c.value.dims) for c in d.used)


def _carried_conversion(d: Difference) -> bool:
    """A 12 that came along from a cell without a written unit: whether that is per month or per year, nobody says."""
    return d.rule == "calendar" and any(is_time(n) for c in d.used for n in c.value.numbers)


def _times_of_a_day(d: Difference) -> bool:
    """ "24 * 60 / interval * pause": the minutes of a day, of which nothing is written."""
    twice = hard(d.computed.dims or ()) == (("time", 2.0),)
    return d.rule == "calendar" and twice and bool({24.0, 60.0, 1440.0, 86400.0} & written(d.tree))


def _share_of_a_day(d: Difference) -> bool:
    """Work over a rate, as a share of all the time, and the hours of a day for it."""
    return d.rule == "calendar" and {"parameter", "operation"} <= dict(d.computed.dims or ()).keys()


def _days_of_a_period(d: Difference) -> bool:
    """So many documents a day, times the days of the year: the unit of the first does not say "per day"."""
    period = d.stated.kind("period")
    days = [c for c in d.used if hard(c.value.dims or ()) == (("time", 1.0),) and c.value.factor == 86400.0]
    if any(c.context.explicit and ("time", -1.0) in (c.value.dims or ()) for c in d.used):
        return False  # so many a second
    counted = hard(d.stated.dims or ()) != (("time", 1.0),)  # "Hours per year" are none of documents
    return (
        counted
        and d.rule in ("token-rate", "calendar")
        and bool(period)
        and any(c.value.kind("period") == period for c in days)
    )


def _hours_added_up(d: Difference) -> bool:
    """The hours of a day, added up, are a figure per day."""
    tree = d.tree
    while isinstance(tree, sx.Binary) and tree.operator in "*/":
        tree = tree.left
    return d.mismatch.periods == ("hour", "day") and bool(summed_areas(tree))


def _off_by_the_hours_of_a_day(d: Difference) -> bool:
    rules = ("calendar", "power-energy")
    return d.rule in rules and any(abs(d.mismatch.ratio / x - 1) < 1e-6 for x in (24.0, 1 / 24.0))


def _sum_of_the_hours(d: Difference) -> bool:
    """GPUs added up over the 24 lines of a day are GPU-hours."""
    column = isinstance(d.tree, sx.Call) and d.tree.name == "SUM" and len(d.used) == 24  # of a table
    if column and abs(d.mismatch.ratio / 24.0 - 1) < 1e-6:
        return True
    if not _off_by_the_hours_of_a_day(d) and "hour" not in d.mismatch.periods:
        return False
    return any(lines_added(d.inference, c) == 24 for c in (d.cell, *d.used))


def lines_added(inference: Inference, cell: Cellwise) -> int:
    """Return how many cells of a column a formula adds up."""
    tree = inference.tree(cell.item.form) if cell.item.form >= 0 else None
    while isinstance(tree, sx.Binary) and tree.operator in "*/":
        tree = tree.left
    match tree:
        case sx.Call(name="SUM", args=(sx.Area(kind="ref") as area,)):
            first, last = (position(cell.item.refs[mark]) for mark in (area.first, area.last))
            return last[0] - first[0] + 1 if first[1] == last[1] else 0
    return 0


def _in_the_busy_hour(d: Difference) -> bool:
    """What comes in a day, times the share that comes in its busiest hour: a figure per hour."""
    if set(d.mismatch.periods) == {"nothing", "hour"} and len(d.stated.dims or ()) > 1:
        return bool(_BUSY_HOUR.search(d.cell.words))  # what a token costs then, how many come in a second
    return _off_by_the_hours_of_a_day(d) and "share of the day" in d.computed.parts


_BUSY_HOUR = re.compile(r"\b(?:busy|busiest|peak|rush) hour|spitzenstunde|heure (?:de pointe|pleine)", re.I)


def _store_over_a_day(d: Difference) -> bool:
    """A store of energy over what a day takes of it: days."""
    worked = {p for p in d.computed.parts if p[0] == "~"}
    timed = d.stated.factor == 86_400.0 or any(_PER_TIME.search(c.words) for c in d.used)
    return timed and d.computed.dims == () and d.stated.dims == (("time", 1.0),) and worked == {"~energy"}


_PER_TIME = re.compile(
    r"\b(?:per|a|each|je|pro|par|in an?) (?:day|hour|tag|stunde|jour|heure)|daily|hourly|täglich|stündlich", re.I
)


def _bits_over_bits(d: Difference) -> bool:
    """Samples of 12 bits stored in 16: the 16 is a number of bits, too."""
    if d.rule != "bits-bytes":
        return False
    width = {4.0, 8.0, 16.0, 32.0, 64.0} & set(d.computed.numbers)
    if 8.0 in width and "bit" in d.stated.text and "~information" not in d.computed.parts:
        return True  # three colours of 8 bits
    return bool(width) and any(c.value.factor == 0.125 and c.item.form < 0 for c in d.used)


def _bytes_unsaid(d: Difference) -> bool:
    """Parameters may be a byte each, or the number beside them their bytes."""
    if d.rule != "params-bytes":
        return False
    if any(c.value.dims == (("information", 1.0), ("parameter", -1.0)) and c.context.explicit for c in d.used):
        return False
    if any(_may_be_bytes(c) for c in d.used) or 1.0 in multipliers(d.tree) or byte_each(d.inference, d.facts):
        return True
    words = " ".join((d.cell.words, *(k for _, k in d.computed.kinds)))
    small = d.computed.factor != d.computed.factor and d.stated.factor in (1e3, 1024.0)  # a network of kilobytes
    return small or bool(re.search(r"int8|fp8|8[- ]bit|(?:1|one) byte", words, re.I))


def _may_be_bytes(cell: Cellwise) -> bool:
    """Tell whether a number may be the bytes of each parameter, though nothing says so."""
    unsaid = not cell.context.explicit and not cell.context.concept and not cell.value.dims
    return unsaid and cell.item.value in (0.5, 1.0, 2.0, 4.0, 8.0, 12.0, 16.0)


def _operations_of_a_network(d: Difference) -> bool:
    """What a network needs is called FLOP, whatever runs it; and its peak may be of the format it has."""
    if d.rule != "integer-ops":
        return False
    floating = bool({"parameters", "active parameters"} & d.computed.parts) or any(
        _FLOATING.search(f"{c.words} {c.context.value.text if c.context.value else ''}") for c in (d.cell, *d.used)
    )
    needed = any(_NEEDED.search(c.words) for c in d.used) or re.search(r"\bNPU\b", d.cell.words)
    chosen = any("integer_operation" in dict(c.value.dims or ()) and _FORMAT.search(c.words) for c in d.used)
    peaks = d.computed.parts & _PEAKS or d.cell.context.concept in ("peak", "integer peak")
    # "Frame in FP16" divides by the FP16 peak on purpose
    used = d.computed.kind("precision")
    on_purpose = bool(_FLOATING.match(used) or used.startswith("int")) and ("precision", used) in d.cell.context.kinds
    return bool(needed) or chosen or on_purpose or not peaks or not floating


_FLOATING = re.compile(r"FLOP|\b(?:bf|fp|tf)\d+", re.I)
_NEEDED = re.compile(
    r"\bneed|required|demand|workload|\bwork\b|per (?:frame|image|inference)|nötig|bedarf|besoin|requis", re.I
)
_FORMAT = re.compile(r"format|precision|chosen|selected|gewählt|retenu", re.I)
_PEAKS = frozenset(("peak", "1/peak", "integer peak", "1/integer peak", "achieved compute"))


# --- nobody is wrong like this --------------------------------------------------------------------------------------


def _no_slip(d: Difference) -> bool:
    """More than one factor too many, or nobody is wrong by as much: a count without its scale."""
    dims = d.mismatch.dims
    if d.rule == "currency" and only_money(d.stated) and ("time", -1.0) in dims:
        dims = tuple(x for x in dims if x != ("time", -1.0))  # of a year, which "EUR" leaves out
    return not one_slip(dims) or (not d.mismatch.dims and not 1e-8 < d.mismatch.ratio < 1e8)


def _thousands_unsaid(d: Difference) -> bool:
    """A factor of a million is that of a count without its scale: "Samples" of 400, "Parameters" of 8."""
    ratio = d.mismatch.ratio
    if d.rule == "prefix" and any(re.search(r"\b(?:thousand|million|tausend|milliers)\b", c.words) for c in d.used):
        return True
    if d.rule not in ("time-scale", "prefix", "token-rate") or not any(
        abs(max(ratio, 1 / ratio) / 1000.0**k - 1) < 1e-6 for k in (2, 3, 4)
    ):
        return False
    return any(
        (c.value.factor == 1.0 or c.value.factor != c.value.factor)
        and any(n in ("token", "parameter", "sample", "request", "count") and e > 0 for n, e in c.value.dims or ())
        and isinstance(c.item.value, float)
        and c.item.value < 1e5
        for c in d.used
    )


def _per_many_of_label(d: Difference) -> bool:
    """ "Cost per M chunks": the unit that was read does not say of how many."""
    ratio = d.mismatch.ratio
    thousands = not d.mismatch.dims and any(abs(max(ratio, 1 / ratio) / 1000.0**k - 1) < 1e-6 for k in (1, 2))
    return thousands and bool(PER_MANY.search(d.cell.words)) and not any(e < 0 for _, e in d.stated.dims or ())


def _no_usual_slip(d: Difference) -> bool:
    """A difference that no rule names is one only where every unit is written, and the result is a usual one."""
    if d.rule not in ("dimension", "prefix"):
        return False
    if d.rule == "prefix" and not d.mismatch.dims and (d.said or _counts_else(d)):
        return False
    if _plain_prefix(d) if d.rule == "prefix" else _plain_difference(d):
        return False
    written = all(
        c.context.explicit and c.context.value and (c.context.value.dims or c.context.value.text == "%")
        for c in (d.cell, *d.used)
    )
    if _other_ceiling(d):
        return False
    over = bool(d.mismatch.dims) and not hard(d.computed.dims or ()) and bool(_QUANTITIES & d.computed.parts)
    numbers = () if over and not d.computed.dims and only_conversions(d.computed) else d.computed.numbers
    ratio = (over or not d.computed.dims) and not numbers
    shapes = not hard(d.computed.dims or ()) and not any(p[0] == "~" and p != "~token" for p in d.computed.parts)
    usual = unit_text(replace(d.computed, text="")) in SYMBOLS or ratio
    bytes_of_all = {"bytes each", "parameters"} <= d.computed.parts and hard(d.computed.dims or ()) == (
        ("information", 1.0),
    )
    usual = usual or bytes_of_all
    usual = usual or (d.rule == "prefix" and d.stated.dims == (("operation", 1.0),))
    usual = usual or (d.rule == "prefix" and not d.computed.numbers and not d.cell.context.headed)
    return not written or not usual or (d.rule == "dimension" and shapes)


_QUANTITIES = frozenset(("~energy", "~information", "~operation", "~mass_of_co2e", "~time"))
_CEILINGS = (
    (("information", -1.0), ("operation", 1.0)),
    (("information", 1.0), ("operation", -1.0)),
    (("current", 1.0),),
)


def _other_ceiling(d: Difference) -> bool:
    """Tell whether operations are divided by a bandwidth, bytes by a peak, or milliampere-hours multiplied by no voltage."""
    return d.cell.context.explicit and d.mismatch.dims in _CEILINGS


def _plain_prefix(d: Difference) -> bool:
    """Tell whether a formula of known quantities and counts converts by one prefix too many or too few."""
    ratio = max(d.mismatch.ratio, 1 / d.mismatch.ratio) if d.mismatch.ratio else 0.0
    prefixes = _DECIMAL + _BINARY * bool(hard(d.computed.dims or ()))  # 1,024 alone may count bytes
    if d.mismatch.dims or d.mismatch.periods[0] or not any(abs(ratio / x - 1) < 1e-6 for x in prefixes):
        return False
    if _all_in_its_unit(d) or _one_converted(d):
        return True
    if any(is_open(n) for n in d.computed.numbers) or not (_all_known(d) or _a_share(d)):
        return False
    return not any(map(_many_unread, (d.cell, *d.used))) and not any(map(_scale_unread, d.used))


_DECIMAL = (1e3, 1e6)
_BINARY = (1024.0, 1024.0**2)


def _one_converted(d: Difference) -> bool:
    """Tell whether a formula only converts one cell, whose unit is written as is its own."""
    written = len(d.used) == 1 and d.used[0].context.explicit and d.cell.context.explicit
    plain = written and d.computed.dims == d.stated.dims and all(map(is_conversion, d.computed.numbers))
    return plain and bool(d.computed.numbers) and bool(hard(d.stated.dims or ()))


def _all_in_its_unit(d: Difference) -> bool:
    """Tell whether a formula adds up figures that are all written in the very unit of its cell."""
    due = d.stated.dims, d.stated.factor
    same = [c.context.explicit and (c.value.dims, c.value.factor) == due for c in d.used]
    return len(same) > 1 and all(same) and d.cell.context.explicit and d.computed.dims == d.stated.dims


def _plain_difference(d: Difference) -> bool:
    """Tell whether a formula of known quantities and counts gives a usual unit, and the cell has another one."""
    dims = d.mismatch.dims
    if not dims or dims == (("time", 1.0),) or d.cell.context.headed:  # hours of audio in an hour
        return False
    if not _all_known(d) or not only_conversions(d.computed, 2.0, 0.5, 8.0, 0.125):
        return False
    return is_usual(hard(d.computed.dims or ())) and any(hard(c.value.dims or ()) for c in d.used)


def _all_known(d: Difference) -> bool:
    """Tell whether a cell, and all that its formula takes, has a written unit or is a plain count."""
    machines = bool(d.stated.dims) and all(n in COUNTABLE for n, _ in d.stated.dims or ())
    if not d.cell.context.explicit or (d.cell.context.headed and (has_money(d.stated) or machines)):
        return False
    tokens = d.stated.dims == (("token", 1.0),) and d.stated.factor != 1.0 and all(c.context.explicit for c in d.used)
    if not hard(d.stated.dims or ()) and not machines and not tokens:
        return False
    return all(
        (c.context.explicit and c.value.known and c.value.factor == c.value.factor)
        or c.context.concept in COUNTS | {"tokens"}
        for c in d.used
    )


def _a_share(d: Difference) -> bool:
    """Tell whether a cell is a percentage, and all that its formula takes has a written unit."""
    share = d.stated.text == "%" and d.cell.context.explicit and not d.cell.context.headed
    return share and all(c.context.explicit and c.value.known and hard(c.value.dims or ()) for c in d.used)


def _many_unread(cell: Cellwise) -> bool:
    """Tell whether a label says of how many its figure is, and the unit that was read does not."""
    return bool(PER_MANY.search(cell.words)) and not any(e < 0 for _, e in cell.value.dims or ())


def _scale_unread(cell: Cellwise) -> bool:
    """Tell whether a number may be in thousands or millions, as its label says but not the unit that was read."""
    return cell.value.factor == 1.0 and bool(_SCALE.search(cell.words))


_SCALE = re.compile(r"million|thousand|tausend|millier|\b[kMB]\b|\bbn\b", re.I)


def _counts_else(d: Difference) -> bool:
    """Tell whether all that a formula multiplies is written with its unit, or a count; and no number converts."""
    if any(n not in (0.5, 2.0) for n in d.computed.numbers) or not d.cell.context.explicit or d.cell.context.headed:
        return False
    counts = MACHINES | {"", "count"}
    return any(c.context.explicit and hard(c.value.dims or ()) for c in d.used) and all(
        c.context.explicit or (not hard(c.value.dims or ()) and c.context.concept in counts and c.context.label)
        for c in d.used
    )


_REASONS: tuple[Callable[[Difference], bool], ...] = (
    _no_slip, _lasts_as_long, _ratio_in_label, _misread, _of_its_row, _rate_in_label, _mean_load, _share_of_column, _restated, _share_of_sum, _nameless_price, _by_the_hour, _in_a_minute, _time_of_one, _count_of_anything,
    _typed_quantity, _number_in_label, _converts_binary, _size_in_label, _per_pin, _bare, _no_tokens, _unread_price, _unread_denominator, _guessed_period, _time_of_a_period, _rate_unsaid, _carried_conversion, _hours_added_up, _sum_of_the_hours, _in_the_busy_hour, _days_of_a_period, _times_of_a_day, _share_of_a_day,
    _store_over_a_day, _bits_over_bits, _bytes_unsaid, _operations_of_a_network, _thousands_unsaid, _per_many_of_label, _no_usual_slip,
)  # fmt: skip
