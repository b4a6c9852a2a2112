"""What a formula does with its figures, told from its tree alone: passes one on, doubles it, adds up some."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache

from mlsim_workbooks.lint import syntax as sx
from mlsim_workbooks.lint.algebra import is_conversion

__all__ = [
    "chained",
    "constant_of",
    "copied",
    "copies_twice",
    "divisors",
    "doubles",
    "has_factor_two",
    "has_ring_factor",
    "is_copied",
    "is_product",
    "is_quotient",
    "leaves",
    "links",
    "multipliers",
    "multiplies_one",
    "names",
    "picks_one",
    "raises",
    "scale_of",
    "summands",
    "summed_areas",
    "unscaled",
    "written",
]


def summed_areas(node: sx.Node) -> list[sx.Area]:
    """Return the ranges that the sums of a formula add up."""
    match node:
        case sx.Call(name="SUM"):
            return [a for a in node.args if isinstance(a, sx.Area)]
        case sx.Binary(operator="+" | "-"):
            return [*summed_areas(node.left), *summed_areas(node.right)]
    return []


def leaves(node: sx.Node | None) -> Iterator[sx.Node]:
    """Yield the references, names, numbers and texts that a formula is built of."""
    match node:
        case sx.Unary(operand=operand):
            yield from leaves(operand)
        case sx.Binary(left=left, right=right):
            yield from leaves(left)
            yield from leaves(right)
        case sx.Call(args=args):
            for arg in args:
                yield from leaves(arg)
        case None:
            return
        case _:
            yield node


def written(node: sx.Node | None) -> set[float]:
    """Return the numbers that are written in a formula."""
    return {n.value for n in leaves(node) if isinstance(n, sx.Number)}


def names(node: sx.Node | None) -> set[str]:
    """Return the names that a formula uses."""
    return {n.name.casefold() for n in leaves(node) if isinstance(n, sx.Name)}


def summands(node: sx.Node, operators: str = "+") -> list[sx.Node]:
    """Return what a sum adds up; with "+-" also what it takes off."""
    if isinstance(node, sx.Binary) and node.operator in operators:
        return [*summands(node.left, operators), *summands(node.right, operators)]
    return [node]


def multipliers(node: sx.Node) -> list[float]:
    """Return the numbers that a product is multiplied by, not those that it is divided by: 6 and 1e9 of 6*A1*10^9/8."""
    number = constant_of(node)
    if number is not None:
        return [number]
    match node:
        case sx.Binary("*", left, right):
            return [*multipliers(left), *multipliers(right)]
        case sx.Binary("/", left, _):
            return multipliers(left)
        case sx.Call(args=(sx.Binary() as first, *_)):
            return multipliers(first)
    return []


def divisors(node: sx.Node) -> list[float]:
    """Return the numbers that a product is divided by: 2 and 1e9 of A1/(2*B1*10^9)."""
    match node:
        case sx.Binary("*", left, right):
            return [*divisors(left), *divisors(right)]
        case sx.Binary("/", left, right):
            return [*divisors(left), *multipliers(right)]
        case sx.Call(args=(sx.Binary() as first, *_)):
            return divisors(first)
    return []


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


def copied(tree: sx.Node) -> sx.Ref | sx.Name | None:
    """Return the cell that a formula only passes on: a reference, or a reference scaled by numbers."""
    match tree:
        case sx.Ref() | sx.Name():
            return tree
        case sx.Binary(operator="*" | "/", left=inner, right=number) if constant_of(number) is not None:
            return copied(inner)
        case sx.Binary(operator="*", left=number, right=inner) if constant_of(number) is not None:
            return copied(inner)
        case sx.Call(name="ROUND" | "ROUNDUP" | "IFERROR", args=(inner, *_)) if inner is not None:
            return copied(inner)
    return None


def is_copied(tree: sx.Node) -> bool:
    """Tell whether a formula only passes a figure on."""
    return copied(tree) is not None


_CHAINS = {"*": "*", "/": "*", "+": "+", "-": "+"}


def chained(node: sx.Node) -> str:
    """Return "*" for a product or quotient, "+" for a sum or difference, "" for anything else."""
    return _CHAINS.get(node.operator, "") if isinstance(node, sx.Binary) else ""


def links(node: sx.Node, operator: str, sign: int = 1) -> Iterator[tuple[int, sx.Node]]:
    """Yield (1 or -1, factor) of a product, (1 or -1, term) of a sum; anything else is a chain of one."""
    if isinstance(node, sx.Binary) and _CHAINS.get(node.operator) == operator:
        yield from links(node.left, operator, sign)
        yield from links(node.right, operator, -sign if node.operator in "/-" else sign)
    else:
        yield sign, node


def scale_of(tree: sx.Node) -> float:
    """Return the number by which a formula multiplies the figure that it passes on, 0 where it does anything else."""
    scale, figures = 1.0, 0
    for side, node in links(tree, "*"):
        number = constant_of(node)
        if number:
            scale *= number if side > 0 else 1.0 / number
        elif side > 0 and isinstance(node, (sx.Ref, sx.Name)):
            figures += 1
        else:
            return 0.0
    return scale if figures == 1 else 0.0


def has_ring_factor(tree: sx.Node) -> bool:
    """Tell whether a product has the factor 2 (n - 1) / n of a ring all-reduce."""
    found = list(links(tree, "*"))
    above, below = ([n for s, n in found if s == side] for side in (1, -1))
    less = [n.left for n in above if isinstance(n, sx.Binary) and n.operator == "-" and n.right == sx.Number(1.0)]
    typed = [sx.Number(n.value + 1.0) for n in above if isinstance(n, sx.Number) and n.value > 2.0]
    return sx.Number(2.0) in above and any(n in below for n in (*less, *typed))


def is_product(tree: sx.Node) -> bool:
    """Tell whether a formula multiplies and divides, and does nothing else."""
    if isinstance(tree, (sx.Ref, sx.Name)):
        return True
    if isinstance(tree, sx.Binary):
        return tree.operator in "*/"
    return isinstance(tree, sx.Call) and tree.name in ("ROUND", "ROUNDUP", "ROUNDDOWN", "IFERROR", "CEILING", "PRODUCT") and bool(
        tree.args) and is_product(tree.args[0] or sx.Other())  # fmt: skip


def is_quotient(tree: sx.Node | None) -> bool:
    """Tell whether a formula divides one thing by another."""
    return isinstance(tree, sx.Binary) and tree.operator == "/"


def doubles(node: sx.Node) -> bool:
    """Tell whether a formula, or a term of its sum, takes something twice."""
    match node:
        case sx.Binary(operator="*", left=sx.Number(value=2.0)) | sx.Binary(operator="*", right=sx.Number(value=2.0)):
            return True
        case sx.Binary(operator="+" | "-", left=left, right=right):
            return doubles(left) or doubles(right)
        case sx.Binary(operator="*" | "/", left=left, right=sx.Number()):
            return doubles(left)
    return False


def has_factor_two(tree: sx.Node) -> bool:
    """Tell whether a product has the plain factor 2."""
    match tree:
        case sx.Binary(operator="*", left=left, right=right):
            return sx.Number(2.0) in (left, right) or has_factor_two(left) or has_factor_two(right)
        case sx.Binary(operator="/", left=left):
            return has_factor_two(left)
    return False


def copies_twice(tree: sx.Node) -> bool:
    """Tell whether a formula passes a figure on with a factor of 2 of its own."""
    match tree:
        case (
            sx.Binary(operator="*" | "/", left=inner, right=sx.Number(number))
            | sx.Binary(operator="*", left=sx.Number(number), right=inner)
        ):
            return is_copied(inner) and (number in (2.0, 0.5) or copies_twice(inner))
    return False


def multiplies_one(tree: sx.Node) -> bool:
    """Tell whether a formula takes so many times one figure: three tokens in for each one out."""
    match tree:
        case sx.Binary("*", sx.Number(number), figure) | sx.Binary("*", figure, sx.Number(number)):
            return is_copied(figure) and not is_conversion(number)
    return False


def raises(tree: sx.Node) -> bool:
    """Tell whether a product has a factor of 1 and some more: cooling as a share of what is cooled."""
    match tree:
        case sx.Binary("+", sx.Number(1.0), _) | sx.Binary("+", _, sx.Number(1.0)):
            return True
        case sx.Binary("*" | "/", left, right):
            return raises(left) or raises(right)
    return False


def unscaled(node: sx.Node) -> sx.Node:
    """Return what a formula divides by 1,000, or the node itself."""
    while isinstance(node, sx.Binary) and isinstance(node.right, sx.Number) and node.operator in "*/":
        if not is_conversion(node.right.value):
            break
        node = node.left
    return node


def picks_one(tree: sx.Node) -> bool:
    """Tell whether a formula picks one of a series: the greatest, the least, or the one it looks up."""
    if isinstance(tree, sx.Binary) and tree.operator in "*/" and isinstance(tree.right, sx.Number):
        tree = tree.left  # in another unit
    return isinstance(tree, sx.Call) and tree.name in ("MAX", "MIN", "INDEX", "VLOOKUP", "XLOOKUP")
