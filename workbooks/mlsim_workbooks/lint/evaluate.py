"""Work out the unit of one formula from the units of what it uses, and note where units do not go together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from mlsim_workbooks.lint import syntax as sx
from mlsim_workbooks.lint.algebra import UNKNOWN, Value, compare, hard, has_money, is_open, literal, multiply, power
from mlsim_workbooks.lint.functions import HANDLERS, mlsim_unit
from mlsim_workbooks.lint.pairs import (
    Clash,
    bare_side,
    both_written,
    common,
    counted_differently,
    hours_and_device_hours,
    joined,
    kinds_differ,
    number_of_things,
    one_and_all,
    parameters_and_bytes,
    plain_fraction,
    prices_of_other_tokens,
    product_clashes,
    scopes,
    servers_and_users,
    things_and_each,
    tokens_and_requests,
    wrong_count,
)
from mlsim_workbooks.lint.shapes import constant_of
from mlsim_workbooks.lint.unit_texts import read_quantity

__all__ = ["KEEPERS", "Evaluation"]


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
        return distinct.pop() if len(distinct) == 1 else common(distinct)

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
        if node.operator in _TESTS or node.operator == "^":  # what a test keeps free, the years that an exponent counts
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
        self.clashes += product_clashes(node, left, right, sign)
        return multiply(left, right, sign)

    def sum(self, node: sx.Binary, left: Value, right: Value) -> Value:
        """Return a sum or difference, noting operands that do not go together."""
        if node.operator == "-" and left.kind("date") and right.kind("date"):
            return Value((("time", 1.0),), 86400.0, parts=frozenset({"days between"}))
        bare = self.bare(node, left, right)
        if bare is not None:
            return bare
        self.agree("add" if node.operator == "+" else "subtract", left, right, node.left, node.right)
        self.clashes += (Clash("multiply", v, v, n, n, note="scope") for v, n in ((left, node.left), (right, node.right))
                         if wrong_count(v))  # fmt: skip
        return joined(left, right, node.operator)

    def bare(self, node: sx.Binary, left: Value, right: Value) -> Value | None:
        """Return the result when one side is a number written in the formula; report it when a quantity is due."""
        for number, quantity, number_node, other in (
            (left, right, node.left, node.right), (right, left, node.right, node.left),
        ):  # fmt: skip
            if number.number is None:
                continue
            if any(is_open(n) for n in quantity.numbers):
                return replace(quantity, dims=None, number=None)  # kW over a capacity of 80: racks, perhaps
            if number.number == 1.0 and quantity.parts == {"days between"}:
                return quantity  # the first and the last day, both
            if number.number == 1.0 and quantity.dims == (("time", 1.0),) and quantity.factor >= 86_400.0:
                return quantity  # the first week and the last, both
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
            if number.number == 100.0 and quantity.text == "%" and quantity.factor == 1.0 and not quantity.numbers:
                self.clashes.append(Clash("bare", number, quantity, number_node, other, note="hundred"))
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
        note = kinds_differ(left, right)
        if note == "boundary" and (how == "subtract" or has_money(left)):
            note = ""  # facility less IT: cooling and losses; what the servers cost, and their energy
        if note and (how != "compare" or note == "statistic"):
            self.clashes.append(Clash(how, left, right, a, b, note=note))
        if how == "subtract" and prices_of_other_tokens(left, right):
            self.clashes.append(Clash(how, left, right, a, b, note="prices"))
        if not left.known or not right.known:
            return
        mismatch = compare(left, right)
        if how in ("add", "subtract") and parameters_and_bytes(left, right):  # 0.92 of them is a share
            mismatch = compare(
                *(replace(v, numbers=tuple(n for n in v.numbers if not 0.5 < n < 1)) for v in (left, right))
            )
        if mismatch is not None and how in ("add", "subtract") and plain_fraction(left) != plain_fraction(right):
            one, other = (left, right) if plain_fraction(left) else (right, left)
            if hard(other.dims or ()) == (("time", -1.0),) and other.factor < 1e-6:
                return  # 1 / 5 years + 8 % a year
            if hard(other.dims or ()):
                self.clashes.append(Clash("bare", one, other, a, b, note="fraction"))
                return
        if how == "sum" and any(not v.text and not hard(v.dims or ()) for v in (left, right)):
            return  # a name that only sounds like a count
        if (
            mismatch is not None
            and mismatch.dims
            and bare_side(left, right)
            and not both_written(left, right)
            and how != "sum"
            and not parameters_and_bytes(left, right)
        ):
            mismatch = None
        if how == "add" and isinstance(a, sx.Ref) and isinstance(b, sx.Ref) and number_of_things(left, right):
            self.clashes.append(Clash(how, left, right, a, b, note="number"))
            return
        if mismatch is not None:
            self.clashes.append(Clash(how, left, right, a, b, mismatch))
        elif how == "add" and things_and_each(left, right):
            self.clashes.append(Clash(how, left, right, a, b, note="counts"))
        elif how == "add" and servers_and_users(left, right):
            self.clashes.append(Clash(how, left, right, a, b, note="load"))
        elif how == "add" and tokens_and_requests(left, right):
            self.clashes.append(Clash(how, left, right, a, b, note="counts"))
        elif how != "compare" and scopes(left) | scopes(right) >= {"device", "node"} and scopes(left) != scopes(right):
            self.clashes.append(Clash(how, left, right, a, b, note="scopes"))
        elif how != "compare" and hours_and_device_hours(left, right):
            self.clashes.append(Clash(how, left, right, a, b, note="hours"))
        elif how in ("add", "subtract") and hard(left.dims or ()):
            self.clashes += (Clash(how, one, whole, p, q, note=note)
                             for one, whole, p, q in ((left, right, a, b), (right, left, b, a))
                             if (note := one_and_all(one, whole)))  # fmt: skip

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
        handler = HANDLERS.get(name)
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
        fraction = next((v for v in values if plain_fraction(v)), None)
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
            if len(self.clashes) == before and how == "sum" and counted_differently(result, value):
                self.clashes.append(Clash(how, result, value, first_node, node, note="counts"))
            result = joined(result, value, "+") if len(self.clashes) == before else result
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
        unit = mlsim_unit(node)
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
