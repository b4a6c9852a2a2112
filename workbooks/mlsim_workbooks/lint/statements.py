"""Put together what row label, column header, unit cell, number format and name say of one number."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from mlsim_workbooks.lint.algebra import BUILT, Value, hard, has_money
from mlsim_workbooks.lint.formats import format_unit
from mlsim_workbooks.lint.labels import NOTHING, Label, read_label
from mlsim_workbooks.lint.stated import IN_MONEY, PER_PRICE, Contradiction, Size, no_money, unit_of
from mlsim_workbooks.lint.unit_texts import CURRENCIES, plain_unit, read_unit, unit_cell
from mlsim_workbooks.lint.vocabulary import CALENDAR, MAGNITUDE

__all__ = ["A_COUNT", "DATED", "EMPTY", "UNIT_HEADER", "Context", "combine"]


@dataclass(frozen=True, slots=True)
class Context:
    """What the surroundings of a cell say about its number."""

    value: Value | None = None
    explicit: bool = False  # a unit is written; else only the quantity's name is known
    concept: str = ""
    kinds: frozenset[tuple[str, str]] = frozenset()
    label: str = ""  # what a person would call the cell
    texts: tuple[str, ...] = ()  # every label, the nearest first
    percent: bool = False
    contradiction: Contradiction | None = None
    headed: bool = False  # the unit is the column header's; the row says nothing of it
    date: bool = False  # a date, not a quantity


EMPTY = Context()
DATED = Context(date=True)


_HOW_OFTEN = re.compile(
    r"(?:the )?(?:year|month|quarter|week|day|jahr|monat|quartal|woche|tag|année|mois|semaine|jour)|hourly|daily|weekly|monthly|yearly|täglich|wöchentlich|monatlich|jährlich|quotidien|mensuel",
    re.I,
)
_EVERY = re.compile(
    r"\w, (?:hourly|daily|weekly|monthly|yearly|täglich|wöchentlich|monatlich|jährlich)$|\w (?:quotidien|hebdomadaire|mensuel|annuel)(?:le)?s?$",
    re.I,
)
A_COUNT = re.compile(
    r"(?:count|qty\.?|quantity|number|anzahl|menge|stück|nombre|quantité|#)(?: (?:je|per|pro|par) \S+)?", re.I
)
UNIT_HEADER = re.compile(
    r"(?:units?|uom|u/m|me|einh\.?|(?:mengen)?einheit|unités?|\[?unit\]?|measure|dim\.?)(?: ?/.*)?", re.I
)


def combine(
    group: tuple[str, ...],
    stack: tuple[str, ...],
    unit: str,
    name: str,
    code: str,
    size: Size,
    table: bool = False,
    alone: bool = False,
    dash: bool = False,
) -> Context:
    """Return what row labels, column headers, the unit cell, the number format and the name say together.

    ``size`` tells how large a typed number is; ``table`` that the headers name the quantities, and the row label only
    whose they are; ``alone`` that it is the only text of its row; ``dash`` that "-" stands where its unit would.
    """
    texts = tuple(t for t in (*group, *reversed(stack), name) if t)
    if any(_EITHER.fullmatch(t.strip()) for t in group):
        return Context(label=group[0], texts=texts)  # each column has its own
    if any(_PER_CURRENCY.search(t) for t in group):
        return Context(concept="exchange rate", label=group[0], texts=texts)
    column = _column(stack)
    row = _row(group, stack, column, unit, table)
    named = read_label(name) if len(name) > 2 else NOTHING  # "h" is the width of a model
    form = format_unit(code)
    label = _called(row, column, group, stack, name)
    if form.date:
        return Context(label=label, texts=texts, date=True)
    if column.unit is not None and has_money(column.unit) and not form.percent and _OF_WHAT.search(row.text):
        return Context(label=label, texts=texts)  # "Import, % of net", below the euros of an offer
    is_unit = alone and row.unit is not None and row.unit.text == row.text  # "kWh" below columns of kW
    owner, other = _owner(row, column, named, bool(unit), table, is_unit)
    concept = _concept(owner, other, unit)
    kinds = _join_kinds(owner, other, other is column)
    per = next((t for t in (unit, *group) if PER_PRICE.match(t)), "")
    value, explicit, clash = unit_of(owner, owner is column, other, unit, per, form, concept, size)
    if value is None:
        value = _bare(concept, size, dash)
    if concept in ("", "parameters") and value is not None and value.dims == (("parameter", 1.0),):
        concept = "active parameters" if ("parameters", "active") in kinds else "parameters"  # "Qwen3, activated"
    if value is not None and value.dims is not None:
        value = _by_the_minute(_scoped(value, owner, other), owner)
        if concept == "device hours" and value.dims == (("time", 1.0),):
            value = replace(value, dims=(("device", 1.0), ("time", 1.0)))  # "GPU-hours", in h
        kinds = _kinds_of(value, concept, kinds)
        value = replace(value, kinds=kinds, parts=frozenset({concept} if concept else ()))
    headed = owner is column and column.unit is not None and not unit
    if headed and row.concept == "money" and row.unit is None and value is not None and no_money(value):
        value, explicit = None, False  # "Price of a GPU-hour" below a column of kilograms
    if owner is named:
        clash = None  # a name is abbreviated
    return Context(value, explicit, concept, kinds, label, texts, form.percent, clash, headed)


def _row(group: tuple[str, ...], stack: tuple[str, ...], column: Label, unit: str, table: bool) -> Label:
    """Read the labels of a row, below a column that may say what their numbers are."""
    row = _best([read_label(t) for t in group])
    if table and row.unit is None and _EVERY.search(row.text):
        row = replace(
            row, kinds=frozenset(k for k in row.kinds if k[0] != "period")
        )  # "Snapshots, daily": a line's name
    if stack and A_COUNT.fullmatch(stack[-1].strip()) and row.unit is not None and not unit:
        row = Label(row.text)  # "Installation (days)" under "Qty": so many of them
    if table and row.unit is None and not column.says_something:
        row = replace(row, concept="", dims=())  # the name of a line, below no header
    of_period = _HOW_OFTEN.fullmatch(row.text.strip()) and (table or column.unit is not None)
    if stack and (row.text.strip() in CURRENCIES or of_period):
        row = Label(row.text)  # the currency of another column; "daily": a name, where headers name the quantities
    return row


def _column(stack: tuple[str, ...]) -> Label:
    """Read the headers above a cell, the nearest last, as one label."""
    column = _best([_header(t) for t in reversed(stack)])
    if len(stack) > 1:
        column = _joined(stack, column)
    if column.unit is None and column.concept in ("carbon", "carbon intensity"):  # "CO2e" over "t/month"
        mass = next((u for t in reversed(stack) if len(t) < 14 and (u := read_unit(t, column.concept))), None)
        column = replace(column, unit=mass, strong=mass is not None)
    if column.text == "bn" and column.unit is not None and "parameters" not in read_label(" ".join(stack)).concept:
        column = replace(column, unit=replace(column.unit, dims=(("count", 1.0),)))  # billions of steps
    return column


def _joined(stack: tuple[str, ...], column: Label) -> Label:
    """Add to the header that says most what those above and below it say."""
    joined = read_label(" ".join(stack))
    if many := _in_many(stack[-2], stack[-1]) or _in_many(stack[-1], stack[-2]):
        column = joined = many  # "Params" over "B"
    if not column.says_something and joined.says_something:
        column = joined
    else:
        apart = {k for t in stack for k in _header(t).kinds}  # not "Site" over "Power"
        both = {c: k for c, k in joined.kinds if (c, k) in apart} | dict(column.kinds)
        column = replace(column, kinds=frozenset(both.items()), concept=column.concept or joined.concept,
                         dims=column.dims or joined.dims)  # fmt: skip
    if column.concept in _NARROWER:  # "heads" over "KV", "params" over "active"
        turned = read_label(" ".join(reversed(stack))).concept
        column = replace(column, concept=turned) if turned == _NARROWER[column.concept] else column
    return column


def _concept(owner: Label, other: Label, unit: str) -> str:
    """Return what quantity a number is, by its labels and its unit cell."""
    concept = owner.concept or other.concept
    if concept in ("", "memory") and _BYTE.fullmatch(unit.strip()) and any(c == "precision" for c, _ in owner.kinds):
        concept = "bytes each"  # "Precision BF16 | bytes"
    if unit.strip() == "B" and _SIZE.match(owner.text) and not _EACH_VALUE.match(owner.text):
        concept = "memory"  # "Bytes of one image | B"
    if not concept and owner.unit is not None and owner.unit.dims == (("parameter", 1.0),):
        concept = "parameters"  # "Mixtral 8x7B, total params"
    return concept


def _bare(concept: str, size: Size, dash: bool) -> Value | None:
    """Return what a number without any unit is all the same."""
    if size == "million" and concept in ("parameters", "active parameters"):
        return Value(dims=(("parameter", 1.0),))  # 8,030,000,000, none of their billions
    return Value(dims=()) if dash and size == "part" else None  # "spare capacity | - | 0.2"


def _kinds_of(value: Value, concept: str, kinds: frozenset[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    """Return the kinds that the labels of a number say, as far as its unit lets them, and those of the unit."""
    dims = value.dims or ()
    own = {c for c, _ in value.kinds}
    if any(n == "time" and e < 0 for n, e in dims):
        own.add("period")  # "price per hour" in $/h says it once
    kinds = frozenset({k for k in kinds if k[0] not in own} | set(value.kinds))
    if not dims or (len(dims) == 1 and dims[0][0] in ("device", "node", "rack", "replica", "count", "user")):
        kinds -= {("period", "hour")}  # a ratio, or so many replicas, within the busy hour
    if hard(dims) == (("information", 1.0), ("time", -1.0)):  # "900 GB/s, one way": of a link
        ways = {
            ("trip", "one way"): ("direction", "per direction"),
            ("trip", "round trip"): ("direction", "both directions"),
        }
        kinds = frozenset(ways.get(kind, kind) for kind in kinds)
    if hard(dims) == (("time", 1.0),):  # "ms both ways": of a latency, that is a round trip
        trips = {("direction", "both directions"): ("trip", "round trip")}
        if concept == "latency":
            trips["direction", "per direction"] = "trip", "one way"
        if {("direction", "per direction"), ("trip", "round trip")} <= kinds:
            return frozenset(k for k in kinds if k[0] not in ("direction", "trip"))  # "there and back", in "ms one way"
        kinds = frozenset(trips.get(kind, kind) for kind in kinds)
    return kinds


_PER_CURRENCY = re.compile(r"\bper unit of (?:\w+ )*currency", re.I)  # of each column another
_EACH_VALUE = re.compile(r"(?:bytes?|octets?) (?:per|je|par|pro) (?:param|weight|value|element|poids|gewicht)", re.I)
_OF_WHAT = re.compile(r", % (?:of|vom|von|der|du|de) ", re.I)
_NARROWER = {"heads": "kv heads", "parameters": "active parameters"}
_EITHER = re.compile(r"(?:in|en) \S+ (?:or|oder|ou|and|und|et) \S+", re.I)


def _in_many(name: str, unit: str) -> Label | None:
    """Read "Params" and the "B" in the line above or below as one header."""
    label = read_label(f"{name} ({unit.strip()})") if MAGNITUDE.fullmatch(unit.strip()) else None
    counted = label is not None and label.concept in ("parameters", "active parameters", "tokens")
    return label if label is not None and counted and label.unit is not None else None


def _header(text: str) -> Label:
    """Read a header; a row of units under the headers states them apart."""
    cycles = re.sub(r"^cycles \(?([kMG])\)?$", r"\1cycles", text.strip())
    unit = unit_cell(cycles) if text == "bn" or cycles.endswith("cycles") else plain_unit(text)
    if CALENDAR.fullmatch(text.strip()):
        return Label(text)  # the column of the year, behind those of its quarters
    if text.strip() in CURRENCIES:
        return Label(text, Value(((f"money_in_{text.strip().lower()}", 1.0),), text=text.strip()))
    if unit is not None:
        return Label(text, unit, strong=True)
    label = read_label(text)
    if label.concept == "device hours" and re.match(r"(?:partition|queue|warteschlange|pool)\b", text, re.I):
        return Label(text)  # "Partition gpu-h": its name
    if label.unit is None and label.concept in ("parallel", "replicas") and _SCENARIO.search(text):
        return replace(label, concept="", dims=())  # "8B, DP only": a case, not a quantity
    return label


_SCENARIO = re.compile(r"^\d+B\b|[,+]")


def _best(labels: list[Label]) -> Label:
    """Return the first label with a unit, else the first with a concept, else the first."""
    stated = next((x for x in labels if x.unit is not None), None)
    named = next((x for x in labels if x.concept), None)
    return stated or named or (labels[0] if labels else NOTHING)


_SIZE = re.compile(r"(?:number of )?(?:bytes|octets)\b|(?:token(?: id)?|id|page|block|word|record|vector) size\b", re.I)
_BYTE = re.compile(r"bytes?|octets?|b", re.I)
_GENERIC = re.compile(
    r"values?|werte?|valeurs?|amounts?|betrag|montant|figures?|numbers?|zahl|typed|quantity|input|result", re.I
)


def _called(row: Label, column: Label, group: tuple[str, ...], stack: tuple[str, ...], name: str) -> str:
    head = column.text if stack else ""
    names = [t for t in stack if not plain_unit(t)]
    if names and head in stack and plain_unit(head):
        head = f"{names[-1]} ({head})"  # a line of units below or above the names
    pieces = [p for p in (group[0] if group else "", head) if p and not _GENERIC.fullmatch(p.strip())]
    return " · ".join(dict.fromkeys(pieces)) or name or row.text


_IN_UNIT = re.compile(r"(?:in|as|en) \S+", re.I)
_SAME_IN = re.compile(r"(?:the )?(?:same|idem|dito|ditto|or|that is|dasselbe|soit),? (?:in|en) ", re.I)
_COUNT_ROW = re.compile(
    r"(?:[a-zäöüéè-]+ ){0,2}(?:tokens|requests|users|gpus|nodes|layers|replicas|batch size|hops)"
    r"|tokens (?:in|of|per) .*",
    re.I,
)


_THING_HOURS = re.compile(r"[a-zäöüé]+-(?:hours|stunden)", re.I)
_USED_HOURS = re.compile(r"\bgpu[- ](?:hours|stunden)\b|heures[- ]gpu", re.I)
_PAID = re.compile(r"cost|kosten|co[uû]t|price|preis|prix|rent|miete|[€$£]|\b(?:eur|usd|chf|gbp)\b", re.I)
_OVER = re.compile(r"p\d\d (?:over|/|to) |times (?:the )?[a-z]+ |(?-i:ERF)$", re.I)


def _owner(row: Label, column: Label, named: Label, has_unit: bool, table: bool, is_unit: bool) -> tuple[Label, Label]:
    """Return the label that says what the number is, and the other one."""
    if (
        column.unit is not None
        and not has_money(column.unit)
        and not (table and plain_unit(column.text))
        and not ("energy" in dict(column.unit.dims or ()) and row.concept in ("devices", "nodes"))  # "GPUs", in kW
        and (_COUNT_ROW.fullmatch(row.text.strip()) or (row.unit and _IN_UNIT.fullmatch(row.text)))
    ):
        return row, column  # "Tokens", "In seconds" among rows of milliseconds
    if column.unit is not None and row.unit is not None and row.strong and _SAME_IN.match(row.text):
        return row, column  # "Same in node hours", below GPU-hours
    if (
        column.unit is not None
        and has_money(column.unit)
        and _USED_HOURS.search(row.text)
        and not _PAID.search(row.text)
    ):
        return row, column  # "GPU-hours used", below a column of k€
    if column.concept == "money" and row.unit is None:
        return column, row  # the prices of an offer, whatever its lines are
    if (
        column.unit is not None
        and row.unit is None
        and (
            row.concept in ("PUE", "MFU", "exchange rate")
            or _OVER.match(row.text)
            or _THING_HOURS.fullmatch(row.text.strip())
        )
    ):
        return row, column  # "PUE" below columns of kWh
    if column.concept in ("share", "growth") and column.unit is None and table:
        return column, row  # "GPU nodes" in a column of shares
    in_money = IN_MONEY.search(row.text) or (row.strong and row.unit is not None and has_money(row.unit))
    if column.unit is not None and row.unit is not None and has_money(column.unit) and in_money:
        return row, column  # "Total in €", "Total (EUR)" below dollars
    if column.unit is not None and row.unit is not None:
        a, b = column.unit.dims or (), row.unit.dims or ()
        first, second = (
            (row, column) if hard(b) and not hard(a) and column.concept not in ("ratio",) and a else (column, row)
        )
        if not has_unit and UNIT_HEADER.fullmatch(column.text or ""):
            first, second = row, column
        same = hard(b) == hard(a)
        whole = row.text.strip() == row.unit.text and row.unit.dims == column.unit.dims != (("time", 1.0),)  # "MMAC"
        if is_unit and row.unit.kind("period") and not has_money(column.unit):
            first, second = row, column  # "req/day" below columns of req/s
        if ((row.strong or whole) and same and row.unit.factor != column.unit.factor) or (
            not same and hard(a) and hard(b) and not has_money(column.unit) and (row.strong or is_unit)
        ):
            first, second = row, column  # "Answer (s)" among rows of milliseconds
        return first, second
    if column.unit is not None:
        return column, row
    if row.unit is not None:
        return (column, row) if column.concept in ("ratio", "devices", "nodes", "replicas") and row.concept not in (
            "ratio",) and not row.text else (row, column)  # fmt: skip
    if named.unit is not None:
        return named, row if row.concept or row.kinds else column
    if column.concept and (table or not row.concept or row.concept in ("memory", "parameters", "peak")):
        return column, row
    if row.concept:
        return row, column
    return (named, row) if named.concept else (row, column)


def _join_kinds(owner: Label, other: Label, headed: bool) -> frozenset[tuple[str, str]]:
    """Return the owner's kinds and those of the other label's that do not contradict them."""
    mine, theirs = dict(owner.kinds), dict(other.kinds)
    kept = {(c, k) for c, k in owner.kinds if c not in _DOUBTFUL or theirs.get(c, k) == k}
    extra = {
        k
        for k in other.kinds
        if k[0] not in mine and (other.says_something or headed or k[0] not in ("total", "token", "parameters"))
    }
    if owner.unit is not None:
        extra = {k for k in extra if k[0] != "period" or owner.unit.dims}
    return frozenset(kept | extra)


# Where a row label and a column header contradict each other, neither is believed.
_DOUBTFUL = frozenset(("trip", "statistic", "direction", "token"))


def _scoped(value: Value, owner: Label, other: Label) -> Value:
    """Add "per GPU", "per node" from the label's words to the dimension."""
    assert value.dims is not None
    have = dict(value.dims)
    if value.text == "%" or have.get("count", 0.0) < 0:
        return value  # "Idle power of a node, share of full"; tokens/session says what it is per
    for name, exponent in owner.dims or other.dims:
        if exponent > 0 and ("energy" in have or any(n in BUILT and e > 0 for n, e in have.items())):
            continue  # the power of switches; node-hours of the GPU partition
        if value.dims != (("time", 1.0),) or name not in BUILT:  # "seconds kept, per camera"
            have.setdefault(name, exponent)
    return replace(value, dims=tuple(sorted((n, e) for n, e in have.items() if e)))


def _by_the_minute(value: Value, owner: Label) -> Value:
    """Return bytes, energy or operations as a rate where the label says "per minute"."""
    if hard(value.dims or ()) and {n for n, _ in hard(value.dims or ())} <= _IN_A_MINUTE and _MINUTE.search(owner.text):
        rate = dict(value.dims or ()) | {"time": -1.0}
        return replace(value, dims=tuple(sorted(rate.items())), factor=value.factor / 60.0)
    return value


_IN_A_MINUTE = frozenset(("information", "energy", "operation"))
_MINUTE = re.compile(r"\b(?:per|je|pro|par) minute\b(?! of)", re.I)
