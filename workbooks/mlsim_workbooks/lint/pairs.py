"""What two values of a formula are to one another: what they have in common, and why they may not stand together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from mlsim_workbooks.lint import syntax as sx
from mlsim_workbooks.lint.algebra import (
    BUILT,
    PERIODS,
    UNKNOWN,
    Mismatch,
    Value,
    hard,
    has_money,
    is_time,
    only_conversions,
)

__all__ = [
    "Clash",
    "bare_side",
    "both_written",
    "cancels",
    "common",
    "counted_differently",
    "hours_and_device_hours",
    "joined",
    "kinds_differ",
    "one_and_all",
    "other_tokens",
    "parameters_and_bytes",
    "plain_fraction",
    "prices_of_other_tokens",
    "product_clashes",
    "scopes",
    "servers_and_users",
    "things_and_each",
    "tokens_and_requests",
    "wrong_count",
]


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


def hours_and_device_hours(left: Value, right: Value) -> bool:
    """Tell whether one of two times is GPU-hours, by its label, and the other is not."""
    a, b = left.dims or (), right.dims or ()
    if not any(v.text or "device hours" in v.parts for v in (left, right) if dict(v.dims or ()).get("device", 0.0) > 0):
        return False
    plain = [v for v in (left, right) if not dict(v.dims or ()).get("device", 0.0) > 0]
    if any("device hours" in v.parts or {2.0, 4.0, 8.0, 16.0} & set(v.numbers) for v in plain):
        return False  # "GPU-hours", in h; times the 8 of each node
    return hard(a) == hard(b) == (("time", 1.0),) and (dict(a).get("device", 0.0) > 0) != (
        dict(b).get("device", 0.0) > 0
    )


def plain_fraction(value: Value) -> bool:
    """Tell whether a value is certainly a percentage, a PUE or an MFU: nothing to be added to a quantity."""
    return value.dims == () and (
        value.text in ("%", "fraction") or bool(value.parts & {"PUE", "MFU"} and len(value.parts) == 1)
    )


def one_and_all(one: Value, whole: Value) -> str:
    """Return what is wrong about adding a figure per GPU to that of all GPUs, or one per user to one that is not."""
    mine, theirs = dict(one.dims or ()), dict(whole.dims or ())
    counts = {"devices", "nodes", "racks"}
    plain = not one.numbers and not one.parts & counts  # an 8 may be the GPUs of a node
    if (
        mine.get("device", 0.0) < 0
        and not theirs.get("device")
        and "parameters" not in whole.parts
        and (whole.kind("total") or (plain and whole.parts & counts))
    ):
        return "whole"
    return "users" if mine.get("user", 0.0) < 0 and not theirs.get("user") and not whole.numbers else ""


def scopes(value: Value) -> set[str]:
    """Return what a figure is per: GPU, node."""
    if dict(value.dims or ()).get("count"):
        return set()  # "pcs" of something: perhaps of these
    return {n for n, e in value.dims or () if e < 0 and n in ("device", "node")}


def number_of_things(left: Value, right: Value) -> bool:
    """Tell whether a number of replicas, nodes or GPUs stands beside a quantity with a written unit: 40 GB, 3 copies."""
    for one, other in ((left, right), (right, left)):
        things = one.dims == (("count", 1.0),) and one.text  # "messages per day"
        counted = (things or one.parts in _NUMBERS) and not hard(one.dims or ()) and not one.numbers
        if counted and other.text and hard(other.dims or ()) and "time" not in dict(other.dims or ()):
            return True
    return False


_NUMBERS = tuple(frozenset({n}) for n in ("replicas", "nodes", "devices", "racks", "users", "layers"))


def bare_side(left: Value, right: Value) -> bool:
    """Tell whether one side is a bare number or a count, which labels often leave without its unit."""
    return not hard(left.dims or ()) or not hard(right.dims or ())


def both_written(left: Value, right: Value) -> bool:
    """Tell whether two summands both stand there with their units, and no numbers in them: 40 GB, 1000 steps."""
    return all(v.text and v.dims and not v.numbers for v in (left, right))


def tokens_and_requests(a: Value, b: Value) -> bool:
    """Tell whether tokens stand beside requests, or tokens per request beside requests per user."""
    if a.numbers or b.numbers:
        return False
    counted = [{n for n, e in v.dims or () if e > 0} for v in (a, b)]
    return counted in ([{"token"}, {"request"}], [{"request"}, {"token"}])


def parameters_and_bytes(a: Value, b: Value) -> bool:
    """Tell whether a number of parameters stands beside bytes."""
    first, second = dict(a.dims or ()), dict(b.dims or ())
    for one, other in ((first, second), (second, first)):
        if set(one) == {"parameter"} and other.get("information") == 1.0 and not other.get("time"):
            return True
    return False


def counted_differently(a: Value, b: Value) -> bool:
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


def common(values: Iterable[Value]) -> Value:
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


def joined(left: Value, right: Value, operator: str) -> Value:
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
    if operator == "-" and not right.kind("boundary"):
        kinds |= {k for k in left.kinds if k[0] == "boundary"}  # of the site, less what its roof gives
    if left.kind("trip") == right.kind("trip") == "one way":  # there and back, or two legs of one way
        kinds -= {("trip", "one way")}
    whole = {"devices"} & (left.parts | right.parts)  # of all GPUs, less another such figure
    whole |= {"PUE"} & left.parts if operator == "-" else set()  # bought of what a site takes
    return Value(soft, base.factor, kinds, numbers, (left.parts & right.parts) | whole, text=base.text)


_CLASHING = ("statistic", "density", "direction", "trip", "boundary")


def kinds_differ(a: Value, b: Value) -> str:
    """Return the category in which two summands contradict each other, or ""."""
    for category in _CLASHING:
        first, second = a.kind(category), b.kind(category)
        if category == "density" and not any("operation" in n for v in (a, b) for n in (*v.parts, *dict(v.dims or ()))):
            continue  # dense and sparse features
        if category == "boundary" and any(v.kind(category) == "IT" and "PUE" in v.parts for v in (a, b)):
            continue  # IT power times PUE is facility power
        if category == "trip" and {2.0, 0.5} & {*a.numbers, *b.numbers}:
            continue  # half of a round trip is one way
        if first and second and first != second and {first, second} != {"mean", "p50"}:
            return category
    return ""


def prices_of_other_tokens(left: Value, right: Value) -> bool:
    """Tell whether a price of input tokens and one of output tokens stand there, both with their units."""
    priced = all(v.text and has_money(v) and dict(v.dims or ()).get("token", 0.0) == -1.0 for v in (left, right))
    return priced and other_tokens(left, right)


def product_clashes(node: sx.Binary, left: Value, right: Value, sign: int) -> list[Clash]:
    """Return what is wrong about a product whatever its result: a count of one thing times a figure per another."""
    found: list[Clash] = []
    if other_tokens(left, right) and (cancels if sign > 0 else _rates)(left, right, "token"):
        found.append(Clash("multiply", left, right, node.left, node.right, note="token"))
    elif other_tokens(left, right) and sign > 0:
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
    if sign < 0 and has_money(left) and left.dims == right.dims and _other_periods(left, right):
        found.append(Clash("divide", left, right, node.left, node.right, note="periods"))
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


def _other_periods(left: Value, right: Value) -> bool:
    """Tell whether one of two amounts is of a month and the other of a year, and no number makes up for it."""
    periods = {v.kind("period") for v in (left, right)}
    return len(periods) == 2 and periods <= PERIODS.keys() and not any(map(is_time, (*left.numbers, *right.numbers)))


_THEIR_NUMBERS = {"node": "nodes", "rack": "racks"}  # else a rate of them has divided


def wrong_count(value: Value) -> tuple[str, str] | None:
    """Return (per what, number of what) of a product that multiplies a figure per one thing by the number of another."""
    built = [(n, e) for n, e in value.dims or () if n in BUILT]
    if (
        len(built) < 2
        or not hard(value.dims or ())
        or {n for n, _ in value.dims or ()} <= {"time", *BUILT}  # replicas for GPU-hours
        or not only_conversions(value)
        or "count" in dict(value.dims or ())
    ):
        return None
    for per, counted in ((a, b) for a, x in built if x < 0 for b, y in built if y > 0):
        if "~" + " each ".join(sorted((per, counted))) in value.parts:
            continue  # GPUs per node are GPUs and per node themselves
        return (per, counted) if counted not in _THEIR_NUMBERS or _THEIR_NUMBERS[counted] in value.parts else None
    return None


def servers_and_users(a: Value, b: Value) -> bool:
    """Tell whether one load over the rate of a server is added to one over the rate of a user."""
    if not all({"~token", "~time"} <= v.parts for v in (a, b)):
        return False
    names = {v.dims[0][0] for v in (a, b) if v.dims is not None and len(v.dims) == 1 and v.dims[0][1] == 1.0}
    return len(names) == 2 and "user" in names and bool(names & {"device", "node", "replica"})


def things_and_each(a: Value, b: Value) -> bool:
    """Tell whether a number of servers is added to the GPUs in each."""
    sides = [v.dims or () for v in (a, b)]
    plain = [d[0][0] for d in sides if len(d) == 1 and d[0][0] in BUILT and d[0][1] == 1.0]
    each = [dict(d) for d in sides if len(d) == 2 and {n for n, _ in d} <= set(BUILT)]
    return len(plain) == len(each) == 1 and each[0].get(plain[0]) == -1.0


def other_tokens(a: Value, b: Value) -> bool:
    """Tell whether one value is about input tokens and the other about output tokens."""
    kinds = {a.kind("token"), b.kind("token")}
    return len(kinds) == 2 and not kinds & {"", "one per other"}


def _rates(left: Value, right: Value, name: str) -> bool:
    """Tell whether a count is divided by a rate of the same thing, or by how many of it each request has."""
    a, b = dict(left.dims or ()), dict(right.dims or ())
    each = any(b.get(n, 0.0) < 0 <= a.get(n, 0.0) for n in ("request", "sample", "user"))
    hard_one = bool(hard(left.dims or ()) or hard(right.dims or ()))
    return a.get(name, 0.0) > 0 and b.get(name, 0.0) > 0 and (hard_one or each)


def cancels(left: Value, right: Value, name: str) -> bool:
    """Tell whether a count of something meets a figure per one of it."""
    a, b = dict(left.dims or ()).get(name, 0.0), dict(right.dims or ()).get(name, 0.0)
    return a * b < 0
