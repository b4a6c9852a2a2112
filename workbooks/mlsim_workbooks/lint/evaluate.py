"""Work out the unit of one formula from the units of what it uses, and note where units do not go together."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from mlsim.errors import CellError
from mlsim.units import parse_unit
from mlsim_workbooks.lint import syntax as sx
from mlsim_workbooks.lint.algebra import (
    BUILT,
    UNKNOWN,
    Mismatch,
    Value,
    compare,
    hard,
    has_money,
    is_open,
    literal,
    multiply,
    only_conversions,
    power,
)
from mlsim_workbooks.lint.unit_texts import read_quantity

__all__ = ["KEEPERS", "Clash", "Evaluation", "constant_of", "wrong_count"]


@dataclass(frozen=True, slots=True)
class Clash:
    """Two parts of a formula, or a formula and its cell, that do not go together."""

    how: str  # "add", "compare", "branch", "sum", "result", "multiply", "divide"
    left: Value
    right: Value
    left_node: sx.Node | None = None
    right_node: sx.Node | None = None
    mismatch: Mismatch | None = None
    note: str = ""


_OF_A_NUMBER = {"LN": math.log, "LOG10": math.log10, "EXP": math.exp, "SQRT": math.sqrt}


@lru_cache(maxsize=65536)
def constant_of(node: sx.Node) -> float | None:
    """Return the number that an expression of numbers alone gives."""
    if isinstance(node, sx.Number):
        return node.value
    if isinstance(node, sx.Unary):
        inner = constant_of(node.operand)
        return None if inner is None else (-inner if node.operator == "-" else inner / 100)
    if isinstance(node, sx.Call) and node.name == "POWER" and len(node.args) == 2 and node.args[0] and node.args[1]:
        return constant_of(sx.Binary("^", node.args[0], node.args[1]))
    if isinstance(node, sx.Call) and node.name in _OF_A_NUMBER and len(node.args) == 1 and node.args[0] is not None:
        inner = constant_of(node.args[0])
        return _OF_A_NUMBER[node.name](inner) if inner is not None and 0 < inner < 700 else None
    if isinstance(node, sx.Binary):
        a, b = constant_of(node.left), constant_of(node.right)
        if a is None or b is None:
            return None
        try:
            match node.operator:
                case "+":
                    return a + b
                case "-":
                    return a - b
                case "^" if abs(b) < 64 and abs(a) < 1e6:
                    return float(a**b)
        except (OverflowError, ZeroDivisionError, TypeError):
            return None
    return None


_TESTS = frozenset(("<", ">", "<=", ">=", "=", "<>"))
KEEPERS = frozenset(
    ("ROUND", "ROUNDUP", "ROUNDDOWN", "CEILING", "FLOOR", "CEILING_MATH", "CEILING.MATH", "FLOOR.MATH", "INT", "TRUNC",
     "ABS", "EVEN", "ODD", "MROUND", "N", "VALUE", "SINGLE", "NUMBERVALUE")
)  # fmt: skip


_ALIKE = frozenset(("MIN", "MAX", "AVERAGE", "MEDIAN", "AVERAGEA", "GEOMEAN", "MINA", "MAXA", "TRIMMEAN", "MODE"))


_FIRST = frozenset(("LARGE", "SMALL", "PERCENTILE", "PERCENTILE.INC", "PERCENTILE.EXC", "QUARTILE", "QUARTILE.INC", "STDEV",
                    "STDEV.S", "STDEV.P", "SORT", "UNIQUE", "FILTER", "TRANSPOSE", "OFFSET", "TAKE", "DROP"))  # fmt: skip


_COUNTERS = frozenset(("COUNT", "COUNTA", "COUNTIF", "COUNTIFS", "ROW", "COLUMN", "ROWS", "COLUMNS", "MATCH", "XMATCH", "LN",
                      "LOG", "LOG10", "EXP", "LEN", "PI", "RAND", "SIGN", "CORREL", "YEAR", "MONTH", "RRI", "NPER"))  # fmt: skip


_SUMMERS = frozenset(("SUM", "SUBTOTAL", "SUMIF", "SUMIFS", "AGGREGATE"))


_EXCEL_UNITS = {"hr": "h", "sec": "s", "mn": "min", "min": "min", "day": "day", "yr": "year", "byte": "byte", "bit": "bit",
                "J": "J", "Wh": "Wh", "W": "W", "kW": "kW", "kWh": "kWh"}  # fmt: skip


@dataclass
class Evaluation:
    """One formula over the values of its places."""

    inputs: dict[sx.Node, object]
    clashes: list[Clash] = field(default_factory=list)
    bound: dict[str, Value] = field(default_factory=dict)
    said: Mapping[float, Value] = field(default_factory=dict)  # numbers that a label gives with their unit

    def value(self, node: sx.Node | None) -> Value:
        """Return the value of a part of the formula."""
        if node is None:
            return UNKNOWN
        number = constant_of(node)
        if number is not None:
            return self.said.get(number) or literal(number)
        if isinstance(node, sx.Text):
            found = read_quantity(node.value)
            return found[1] if found else UNKNOWN
        if isinstance(node, sx.Name):
            if node.name in self.bound:
                return self.bound[node.name]
            return self.only(self.inputs.get(node, UNKNOWN))
        if isinstance(node, (sx.Ref, sx.Area)):
            return self.only(self.inputs.get(node, UNKNOWN))
        if isinstance(node, sx.Unary):
            inner = self.value(node.operand)
            return replace(inner, number=None) if node.operator == "-" else multiply(inner, literal(100.0), -1)
        if isinstance(node, sx.Binary):
            return self.binary(node)
        if isinstance(node, sx.Call):
            return self.call(node)
        return UNKNOWN

    def only(self, found: object) -> Value:
        """Return the value of a place; a range has one when all its cells do."""
        if isinstance(found, Value):
            return found
        assert isinstance(found, tuple)
        distinct = {v for column in found for v in column}
        return distinct.pop() if len(distinct) == 1 else _common(distinct)

    def many(self, node: sx.Node | None) -> list[Value]:
        """Return the distinct values of an argument, one by one."""
        if isinstance(node, (sx.Area, sx.Name)):
            found = self.inputs.get(node, UNKNOWN)
            if isinstance(found, tuple):
                return list(dict.fromkeys(v for column in found for v in column))
        return [self.value(node)]

    # --- operators ---

    def binary(self, node: sx.Binary) -> Value:
        """Return the value of two operands and what stands between them."""
        before = len(self.clashes)
        left, right = self.value(node.left), self.value(node.right)
        if node.operator in _TESTS:  # what is kept free in a test is no quantity of the sheet
            self.clashes[before:] = [c for c in self.clashes[before:] if c.how != "bare"]
        match node.operator:
            case "*":
                return self.product(node, left, right, 1)
            case "/":
                return self.product(node, left, right, -1)
            case "+" | "-":
                return self.sum(node, left, right)
            case "^":
                exponent = constant_of(node.right)
                if left.dims == () and not left.numbers:
                    return Value((), kinds=left.kinds, parts=left.parts)
                return power(left, exponent) if exponent is not None and abs(exponent) <= 6 else UNKNOWN
            case "&":
                return UNKNOWN
        self.agree("compare", left, right, node.left, node.right)
        return UNKNOWN

    def product(self, node: sx.Binary, left: Value, right: Value, sign: int) -> Value:
        """Return a product or quotient, noting what is wrong about it whatever its result."""
        self.clashes += _product_clashes(node, left, right, sign)
        return multiply(left, right, sign)

    def sum(self, node: sx.Binary, left: Value, right: Value) -> Value:
        """Return a sum or difference, noting operands that do not go together."""
        bare = self.bare(node, left, right)
        if bare is not None:
            return bare
        self.agree("add" if node.operator == "+" else "subtract", left, right, node.left, node.right)
        self.clashes += (Clash("multiply", v, v, n, n, note="scope") for v, n in ((left, node.left), (right, node.right))
                         if wrong_count(v))  # fmt: skip
        return _joined(left, right, node.operator)

    def bare(self, node: sx.Binary, left: Value, right: Value) -> Value | None:
        """Return the result when one side is a number written in the formula; report it when a quantity is due."""
        for number, quantity, number_node, other in (
            (left, right, node.left, node.right), (right, left, node.right, node.left),
        ):  # fmt: skip
            if number.number is None:
                continue
            if any(is_open(n) for n in quantity.numbers):
                return replace(quantity, dims=None, number=None)  # kW over a capacity of 80: racks, perhaps
            if number.number == 1.0 and quantity.known and isinstance(other, sx.Binary) and other.operator == "/":
                return Value((), parts=quantity.parts)  # 1 - a / b
            if isinstance(other, sx.Call) and other.name.startswith(("ROUNDUP", "CEILING")):
                return replace(quantity, dims=None, number=None)  # so many, and one to spare
            if number.number and quantity.known and hard(quantity.dims or ()) and quantity.number is None:
                self.clashes.append(Clash("bare", number, quantity, number_node, other))
            if not quantity.known or hard(quantity.dims or ()):
                return replace(quantity, number=None)
            # 1 - x, 1 + growth: a fraction; a percentage counted in hundredths stays one
            if number.number == 1.0 and quantity.text == "%" and quantity.factor == 0.01 and not quantity.numbers:
                self.clashes.append(Clash("bare", number, quantity, number_node, other, note="percent"))
            rest = number.number == 1.0 and node.operator == "-"  # 1 less the share in int8 is not in int8
            return Value(
                quantity.dims,
                quantity.factor,
                frozenset(k for k in quantity.kinds if not (rest and k[0] == "precision")),
                quantity.numbers if not quantity.dims else (),
                quantity.parts,
            )
        return None

    def agree(self, how: str, left: Value, right: Value, a: sx.Node | None, b: sx.Node | None) -> None:
        """Note it when two values that stand side by side do not go together."""
        if left.number is not None or right.number is not None or left.kind("typed") or right.kind("typed"):
            return
        note = _kinds_differ(left, right)
        if how == "subtract" and note == "boundary":
            note = ""  # facility less IT: cooling and losses
        if note and (how != "compare" or note == "statistic"):
            self.clashes.append(Clash(how, left, right, a, b, note=note))
        if not left.known or not right.known:
            return
        mismatch = compare(left, right)
        if mismatch is not None and how in ("add", "subtract") and _plain_fraction(left) != _plain_fraction(right):
            one, other = (left, right) if _plain_fraction(left) else (right, left)
            if hard(other.dims or ()) == (("time", -1.0),):
                return  # 1 / 5 years + 8 % a year
            if hard(other.dims or ()):
                self.clashes.append(Clash("bare", one, other, a, b, note="fraction"))
                return
        if how == "sum" and any(not v.text and not hard(v.dims or ()) for v in (left, right)):
            return  # a name that only sounds like a count
        if (
            mismatch is not None
            and mismatch.dims
            and _bare_side(left, right)
            and how != "sum"
            and not _parameters_and_bytes(left, right)
        ):
            mismatch = None
        if mismatch is not None:
            self.clashes.append(Clash(how, left, right, a, b, mismatch))
        elif how == "add" and _tokens_and_requests(left, right):
            self.clashes.append(Clash(how, left, right, a, b, note="counts"))
        elif (
            how != "compare"
            and _scopes(left) | _scopes(right) >= {"device", "node"}
            and _scopes(left) != _scopes(right)
        ):
            self.clashes.append(Clash(how, left, right, a, b, note="scopes"))
        elif how != "compare" and _hours_and_device_hours(left, right):
            self.clashes.append(Clash(how, left, right, a, b, note="hours"))
        elif how in ("add", "subtract") and hard(left.dims or ()):
            self.clashes += (Clash(how, one, whole, p, q, note=note)
                             for one, whole, p, q in ((left, right, a, b), (right, left, b, a))
                             if (note := _one_and_all(one, whole)))  # fmt: skip

    # --- functions ---

    def call(self, node: sx.Call) -> Value:
        """Return the value of a function call."""
        name, args = node.name, node.args
        first = args[0] if args else None
        if name in KEEPERS:
            for extra in args[1:]:
                self.value(extra)
            return replace(self.value(first), number=None)
        if name in _SUMMERS:
            return self.summed(node)
        if name in _ALIKE:
            found = self.alike([v for a in args for v in self.many(a)])
            return _with_statistic(found, "mean") if name == "AVERAGE" else found
        if name in _FIRST:
            return _with_statistic(self.value(first), _percentile(node))
        if name in _COUNTERS:
            for arg in args:
                self.value(arg)
            return Value(dims=())
        handler = _HANDLERS.get(name)
        if handler is not None:
            return handler(self, node)
        if name.startswith("MLSIM_"):
            return self.mlsim(node)
        for arg in args:
            self.value(arg)
        return UNKNOWN

    def summed(self, node: sx.Call) -> Value:
        """SUM and its kin: all that is summed has one unit."""
        args = list(node.args)
        if node.name in ("SUBTOTAL", "AGGREGATE"):
            args = args[1 if node.name == "SUBTOTAL" else 2 :]
        elif node.name in ("SUMIF", "SUMIFS"):  # the condition may choose the cells of one unit
            place = 2 if node.name == "SUMIF" and len(args) > 2 else 0
            return self.value(args[place]) if len(args) > place else UNKNOWN
        pairs = [(v, a) for a in args for v in self.many(a)]  # once: nested sums would double the work at each level
        values, nodes = [v for v, _ in pairs], [a for _, a in pairs]
        typed = next((v for v in values if v.number), None)
        measured = next((v for v in values if v.number is None and v.known and hard(v.dims or ())), None)
        if typed is not None and measured is not None:
            self.clashes.append(
                Clash("bare", typed, measured, nodes[values.index(typed)], nodes[values.index(measured)])
            )
        rate = next((v for v in values if v.parts == {"exchange rate"} and not has_money(v)), None)
        amount = next((v for v in values if has_money(v)), None)
        if rate is not None and amount is not None:
            self.clashes.append(Clash("sum", amount, rate, None, None, note="rate"))
        fraction = next((v for v in values if _plain_fraction(v)), None)
        if fraction is not None and measured is not None:
            self.clashes.append(Clash("sum", measured, fraction, None, None, note="ratio"))
        return self.series("sum", values, nodes)

    def alike(self, values: list[Value]) -> Value:
        """MIN, MAX, AVERAGE: arguments of one unit; a bare number is a bound."""
        kept = [v for v in values if v.number is None]
        return self.series("branch", kept, [None] * len(kept))

    def series(self, how: str, values: list[Value], nodes: Sequence[sx.Node | None]) -> Value:
        """Return the common value of a series, noting the first that does not fit."""
        result = UNKNOWN
        first_node: sx.Node | None = None
        for value, node in zip(values, nodes, strict=True):
            if value.kind("typed") and len(values) > 1:
                continue
            if not value.known or value.number is not None:
                if how == "sum" and value.kinds and result.kinds:
                    self.agree(how, result, value, first_node, node)
                continue
            if not result.known:
                result, first_node = value, node
                continue
            before = len(self.clashes)
            self.agree(how, result, value, first_node, node)
            if len(self.clashes) == before and how == "sum" and _counted_differently(result, value):
                self.clashes.append(Clash(how, result, value, first_node, node, note="counts"))
            result = _joined(result, value, "+") if len(self.clashes) == before else result
            if len(self.clashes) > before:
                break
        if how == "sum":
            result = result.with_kind("period", "") if len(values) == 1 else result
            if result.kind("trip") == "one way":  # how many of the ways are in the range, nobody knows
                result = result.with_kind("trip", "")
        if how == "branch" and any(not v.known and v.number is None for v in values):
            result = replace(result, kinds=frozenset())  # the other choice may be of another kind
        return replace(result, number=None)

    def mlsim(self, node: sx.Call) -> Value:
        """Return the unit of an MLSIM function: the one asked for, or its usual one."""
        for arg in node.args:
            self.value(arg)
        unit = _mlsim_unit(node)
        return Value(None) if unit is None else unit


def _percentile(node: sx.Call) -> str:
    """Return which percentile a function takes, as labels say it: "p99"."""
    share = constant_of(node.args[1]) if len(node.args) > 1 and node.args[1] is not None else None
    if not node.name.startswith("PERCENTILE") or share is None:
        return ""
    return {0.5: "p50", 0.9: "p90", 0.95: "p95", 0.99: "p99"}.get(share, "")


def _with_statistic(value: Value, statistic: str) -> Value:
    """Return a time with what is taken of many of them, unless its label says so already."""
    timed = hard(value.dims or ()) == (("time", 1.0),)
    return value.with_kind("statistic", statistic) if statistic and timed and not value.kind("statistic") else value


def _hours_and_device_hours(left: Value, right: Value) -> bool:
    """Tell whether one of two times is GPU-hours, by its label, and the other is not."""
    a, b = left.dims or (), right.dims or ()
    if not any(v.text or "device hours" in v.parts for v in (left, right) if dict(v.dims or ()).get("device", 0.0) > 0):
        return False
    return hard(a) == hard(b) == (("time", 1.0),) and (dict(a).get("device", 0.0) > 0) != (
        dict(b).get("device", 0.0) > 0
    )


def _plain_fraction(value: Value) -> bool:
    """Tell whether a value is certainly a percentage, a PUE or an MFU: nothing to be added to a quantity."""
    return value.dims == () and (value.text == "%" or bool(value.parts & {"PUE", "MFU"} and len(value.parts) == 1))


def _one_and_all(one: Value, whole: Value) -> str:
    """Return what is wrong about adding a figure per GPU to that of all GPUs, or one per user to one that is not."""
    mine, theirs = dict(one.dims or ()), dict(whole.dims or ())
    counts = {"devices", "nodes", "racks"}
    plain = not one.numbers and not one.parts & counts  # an 8 may be the GPUs of a node
    if (
        mine.get("device", 0.0) < 0
        and not theirs.get("device")
        and (whole.kind("total") or (plain and whole.parts & counts))
    ):
        return "whole"
    return "users" if mine.get("user", 0.0) < 0 and not theirs.get("user") and not whole.numbers else ""


def _scopes(value: Value) -> set[str]:
    """Return what a figure is per: GPU, node."""
    if dict(value.dims or ()).get("count"):
        return set()  # "pcs" of something: perhaps of these
    return {n for n, e in value.dims or () if e < 0 and n in ("device", "node")}


def _bare_side(left: Value, right: Value) -> bool:
    """Tell whether one side is a bare number or a count, which labels often leave without its unit."""
    return not hard(left.dims or ()) or not hard(right.dims or ())


def _tokens_and_requests(a: Value, b: Value) -> bool:
    """Tell whether tokens stand beside requests, or tokens per request beside requests per user."""
    if a.numbers or b.numbers:
        return False
    counted = [{n for n, e in v.dims or () if e > 0} for v in (a, b)]
    return counted in ([{"token"}, {"request"}], [{"request"}, {"token"}])


def _parameters_and_bytes(a: Value, b: Value) -> bool:
    """Tell whether a number of parameters stands beside bytes."""
    first, second = dict(a.dims or ()), dict(b.dims or ())
    for one, other in ((first, second), (second, first)):
        if set(one) == {"parameter"} and other.get("information") == 1.0 and not other.get("time"):
            return True
    return False


def _counted_differently(a: Value, b: Value) -> bool:
    """Tell whether two values count different things: GPUs and nodes."""
    if a.numbers or b.numbers:
        return False  # the 2 of a product may be the bytes of each
    if hard(a.dims or ()) or hard(b.dims or ()):
        if hard(a.dims or ()) == (("time", 1.0),):
            return False  # all wait as long as one
        if not a.text or not b.text:
            return False  # a share of one GPU, worked out
        per = {n for v in (a, b) for n, e in v.dims or () if e < 0 and n in ("user", "device", "node", "rack")}
        return bool(per) and any(dict(a.dims or ()).get(n) != dict(b.dims or ()).get(n) for n in per)
    if not a.dims or not b.dims:
        return False
    names = {n for n, _ in a.dims}, {n for n, _ in b.dims}
    pieces = {a.text, b.text} & {"pcs", "pc", "Stk", "Stück", "ea", "qty"}
    return names[0] != names[1] and not pieces and not (a.text == b.text == "")


def _common(values: Iterable[Value]) -> Value:
    """Return what distinct values have in common: UNKNOWN unless they agree but for kinds."""
    known = list(values)
    if not known or any(not v.known for v in known):
        return UNKNOWN
    first = known[0]
    if all(v.dims == first.dims and v.factor == first.factor for v in known):
        kinds = frozenset.intersection(*(v.kinds for v in known))
        return Value(
            first.dims, first.factor, kinds, parts=frozenset.intersection(*(v.parts for v in known)), text=first.text
        )
    return UNKNOWN


_OF_A_PART = ("token", "precision", "density", "parameters")  # what a sum of it and something unknown is not


def _joined(left: Value, right: Value, operator: str) -> Value:
    """Return the value of a sum or difference: the known side's unit, and the kinds both have."""
    base = left if left.known else right
    if not left.known or not right.known:
        kinds = frozenset(k for k in base.kinds if k[0] not in _OF_A_PART)
        if not base.known:
            back = left.kind("trip") == right.kind("trip")  # there and back
            kinds = (left.kinds | right.kinds) - ({("trip", "one way")} if back else set())
        return replace(base, number=None, kinds=kinds)
    if not hard(left.dims or ()) and hard(right.dims or ()):
        base = right
    numbers = base.numbers
    soft = hard(base.dims or ()) if left.dims and right.dims and left.dims != right.dims else left.dims or right.dims
    if base is right and left.numbers:
        soft = base.dims  # 256 GPUs × 168, less the GPU-hours lost
    kinds = (left.kinds & right.kinds) | {k for k in left.kinds | right.kinds if k[0] in ("statistic", "trip")}
    if left.kind("trip") == right.kind("trip") == "one way":  # there and back, or two legs of one way
        kinds -= {("trip", "one way")}
    whole = {"devices"} & (left.parts | right.parts)  # of all GPUs, less another such figure
    return Value(soft, base.factor, kinds, numbers, (left.parts & right.parts) | whole, text=base.text)


_CLASHING = ("statistic", "density", "direction", "trip", "boundary")


def _kinds_differ(a: Value, b: Value) -> str:
    """Return the category in which two summands contradict each other, or ""."""
    for category in _CLASHING:
        first, second = a.kind(category), b.kind(category)
        if category == "density" and not any("operation" in n for v in (a, b) for n in (*v.parts, *dict(v.dims or ()))):
            continue  # dense and sparse features
        if category == "boundary" and any(v.kind(category) == "IT" and "PUE" in v.parts for v in (a, b)):
            continue  # IT power times PUE is facility power
        if first and second and first != second:
            return category
    return ""


def _product_clashes(node: sx.Binary, left: Value, right: Value, sign: int) -> list[Clash]:
    """Return what is wrong about a product whatever its result: a count of one thing times a figure per another."""
    found: list[Clash] = []
    if _other_tokens(left, right) and (_cancels if sign > 0 else _rates)(left, right, "token"):
        found.append(Clash("multiply", left, right, node.left, node.right, note="token"))
    elif _other_tokens(left, right) and sign > 0:
        price, count = (left, right) if has_money(left) else (right, left)
        if (
            has_money(price)
            and dict(price.dims or ()).get("token", 0.0) < 0
            and count.dims is None
            and "tokens" in count.parts
        ):
            found.append(Clash("multiply", left, right, node.left, node.right, note="token"))
    if right.number == 100.0 and sign < 0 and left.text == "%" and left.factor == 1.0 and left.dims == ():
        found.append(Clash("multiply", left, right, node.left, node.right, note="percent"))
    way, back = left.kind("trip"), right.kind("trip")
    if way and back and way != back and sign > 0 and 2.0 not in left.numbers + right.numbers:
        found.append(Clash("multiply", left, right, node.left, node.right, note="trip"))
    if sign > 0 and all("PUE" in v.parts and "1/PUE" not in v.parts for v in (left, right)):
        found.append(Clash("multiply", left, right, node.left, node.right, note="PUE"))
    elif sign > 0 and {"PUE"} & (left.parts ^ right.parts):
        other, pue = (right, left) if "PUE" in left.parts else (left, right)
        if (
            pue.parts == {"PUE"}
            and other.kind("boundary") == "facility"
            and dict(other.dims or ()).get("energy", 1.0) > 0
        ):
            found.append(Clash("multiply", left, right, node.left, node.right, note="PUE"))
    return found


_PER_AND_COUNTED = tuple((a, b) for a in BUILT for b in BUILT if a != b)


def wrong_count(value: Value) -> tuple[str, str] | None:
    """Return (per what, number of what) of a product that multiplies a figure per one thing by the number of another."""
    left_over = dict(value.dims or ())
    if not hard(value.dims or ()) or not only_conversions(value) or left_over.get("count"):
        return None
    for per, counted in _PER_AND_COUNTED:
        if "~" + " each ".join(sorted((per, counted))) in value.parts:
            continue  # GPUs per node are GPUs and per node themselves
        if left_over.get(per, 0) < 0 and left_over.get(counted, 0) > 0:
            return per, counted
    return None


def _other_tokens(a: Value, b: Value) -> bool:
    """Tell whether one value is about input tokens and the other about output tokens."""
    return "" not in (kinds := {a.kind("token"), b.kind("token")}) and len(kinds) == 2


def _rates(left: Value, right: Value, name: str) -> bool:
    """Tell whether a count is divided by a rate of the same thing."""
    a, b = dict(left.dims or ()), dict(right.dims or ())
    return a.get(name, 0.0) > 0 and b.get(name, 0.0) > 0 and bool(hard(left.dims or ()) or hard(right.dims or ()))


def _cancels(left: Value, right: Value, name: str) -> bool:
    a, b = dict(left.dims or ()).get(name, 0.0), dict(right.dims or ()).get(name, 0.0)
    return a * b < 0


def _if(run: Evaluation, node: sx.Call) -> Value:
    args = node.args
    run.value(args[0] if args else None)
    branches = [a for a in args[1:3] if a is not None and not isinstance(a, (sx.Text, sx.Other))]
    values = [run.value(a) for a in branches]
    pairs = [(v, a) for v, a in zip(values, branches, strict=True) if v.number is None]
    return run.series("branch", [v for v, _ in pairs], [a for _, a in pairs]) if pairs else UNKNOWN


def _ifs(run: Evaluation, node: sx.Call) -> Value:
    for test in node.args[::2]:
        run.value(test)
    values = [run.value(a) for a in node.args[1::2]]
    values = [v for v in values if v.number is None]
    return run.series("branch", values, [None] * len(values))


def _choose(run: Evaluation, node: sx.Call) -> Value:
    values = [run.value(a) for a in node.args[1:]]
    return run.series("branch", [v for v in values if v.number is None], [None] * sum(v.number is None for v in values))


def _iferror(run: Evaluation, node: sx.Call) -> Value:
    values = [run.value(a) for a in node.args]
    return replace(values[0], number=None) if values else UNKNOWN


def _let(run: Evaluation, node: sx.Call) -> Value:
    args = node.args
    for name, value in zip(args[:-1:2], args[1::2], strict=False):
        if isinstance(name, sx.Name):
            run.bound[name.name] = run.value(value)
    return run.value(args[-1]) if args else UNKNOWN


def _sumproduct(run: Evaluation, node: sx.Call) -> Value:
    result: Value | None = None
    for arg in node.args:
        value = run.value(arg)
        if arg is not None and isinstance(arg, sx.Area) and not value.known:
            value = run.series("sum", run.many(arg), [arg] * len(run.many(arg)))
        if result is not None and _other_tokens(result, value) and _cancels(result, value, "token"):
            run.clashes.append(Clash("multiply", result, value, node.args[0], arg, note="token"))
        result = value if result is None else multiply(result, value)
    if result is None:
        return UNKNOWN
    return replace(result.with_kind("period", result.kind("period")), number=None)


def _product(run: Evaluation, node: sx.Call) -> Value:
    result: Value | None = None
    for arg in node.args:
        if isinstance(arg, sx.Area):
            return UNKNOWN
        value = run.value(arg)
        result = value if result is None else multiply(result, value)
    return result or UNKNOWN


def _sqrt(run: Evaluation, node: sx.Call) -> Value:
    return power(run.value(node.args[0] if node.args else None), 0.5)


def _power(run: Evaluation, node: sx.Call) -> Value:
    if len(node.args) != 2 or node.args[0] is None or node.args[1] is None:
        return UNKNOWN
    return run.binary(sx.Binary("^", node.args[0], node.args[1]))


def _mod(run: Evaluation, node: sx.Call) -> Value:
    return run.value(node.args[0] if node.args else None)


def _index(run: Evaluation, node: sx.Call) -> Value:
    for arg in node.args[1:]:
        run.value(arg)
    first = node.args[0] if node.args else None
    column = constant_of(node.args[2]) if len(node.args) > 2 and node.args[2] is not None else None
    return _column_of(run, first, int(column) if column and abs(column) < 1e6 else 0)


def _vlookup(run: Evaluation, node: sx.Call) -> Value:
    column = constant_of(node.args[2]) if len(node.args) > 2 and node.args[2] is not None else None
    return _column_of(
        run, node.args[1] if len(node.args) > 1 else None, int(column) if column and abs(column) < 1e6 else 0
    )


def _xlookup(run: Evaluation, node: sx.Call) -> Value:
    for arg in node.args[:2]:
        run.value(arg)
    return run.value(node.args[2]) if len(node.args) > 2 else UNKNOWN


def _lookup(run: Evaluation, node: sx.Call) -> Value:
    return run.value(node.args[-1]) if node.args else UNKNOWN


def _column_of(run: Evaluation, node: sx.Node | None, column: int) -> Value:
    """Return the value of one column of a range, or of the whole range when it is uniform."""
    found = run.inputs.get(node, UNKNOWN) if node is not None else UNKNOWN
    if isinstance(found, tuple) and 0 < column <= len(found):
        distinct = set(found[column - 1])
        return distinct.pop() if len(distinct) == 1 else _common(distinct)
    return run.value(node)


def _averageif(run: Evaluation, node: sx.Call) -> Value:
    if node.name in ("AVERAGEIFS", "MAXIFS", "MINIFS"):
        return run.value(node.args[0] if node.args else None)
    return run.value(node.args[2] if len(node.args) > 2 else node.args[0] if node.args else None)


def _convert(run: Evaluation, node: sx.Call) -> Value:
    """Excel's CONVERT(x, from, to): x is in `from`, the result in `to`."""
    if len(node.args) != 3 or not isinstance(node.args[1], sx.Text) or not isinstance(node.args[2], sx.Text):
        return UNKNOWN
    value = run.value(node.args[0])
    source, target = _excel_unit(node.args[1].value), _excel_unit(node.args[2].value)
    if source is not None and value.known and value.number is None:
        mismatch = compare(value, source)
        if mismatch is not None:
            run.clashes.append(Clash("convert", value, source, node.args[0], node.args[1], mismatch))
    return target or UNKNOWN


def _excel_unit(text: str) -> Value | None:
    prefix = ""
    name = text
    if text not in _EXCEL_UNITS:
        for candidate in ("Ki", "Mi", "Gi", "Ti", "k", "M", "G", "T", "P", "m", "u"):
            if text.startswith(candidate) and text[len(candidate) :] in _EXCEL_UNITS:
                prefix, name = candidate, text[len(candidate) :]
                break
    if name not in _EXCEL_UNITS:
        return None
    symbol = {"byte": "B", "bit": "bit"}.get(_EXCEL_UNITS[name], _EXCEL_UNITS[name])
    try:
        unit = parse_unit(prefix + symbol if prefix else _EXCEL_UNITS[name])
    except CellError:
        return None
    return Value(unit.dimension, unit.factor, text=text)


@lru_cache(maxsize=1024)
def _mlsim_unit(node: sx.Call) -> Value | None:
    """Return the unit of an MLSIM call's result from the catalogue."""
    from mlsim.functions import CATALOGUE

    if node.name.endswith(("_PARTS", "_PLAN", "_OPERATORS", "_LINT", "_CALIBRATE")):
        return None  # tables: each column has a unit of its own
    function = CATALOGUE.get(node.name)
    names = [a.name for a in function.args] if function else []
    position_of = {"MLSIM_CONVERT": 1, "MLSIM_SPEC": 2}.get(node.name, names.index("unit") if "unit" in names else -1)
    text = ""
    if function is not None and 0 <= position_of < len(names) and node.name not in ("MLSIM_CONVERT", "MLSIM_SPEC"):
        default = function.args[position_of].default
        text = default if isinstance(default, str) else ""
    if 0 <= position_of < len(node.args):
        given = node.args[position_of]
        text = given.value if isinstance(given, sx.Text) else "" if given is not None else text
    if not text:
        return None
    try:
        unit = parse_unit(text)
    except CellError:
        return None
    return Value(unit.dimension, unit.factor, frozenset(unit.kinds.items()), text=text)


_Handler = Callable[[Evaluation, sx.Call], Value]


_HANDLERS: dict[str, _Handler] = {
    "IF": _if, "IFS": _ifs, "SWITCH": lambda run, node: UNKNOWN, "CHOOSE": _choose, "IFERROR": _iferror, "IFNA": _iferror,
    "LET": _let, "SUMPRODUCT": _sumproduct, "PRODUCT": _product, "SQRT": _sqrt, "POWER": _power, "MOD": _mod,
    "INDEX": _index, "VLOOKUP": _vlookup, "HLOOKUP": lambda run, node: UNKNOWN, "XLOOKUP": _xlookup, "LOOKUP": _lookup,
    "AVERAGEIF": _averageif, "AVERAGEIFS": _averageif, "MAXIFS": _averageif, "MINIFS": _averageif, "CONVERT": _convert,
}  # fmt: skip
