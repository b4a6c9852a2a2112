"""The one slip that makes a formula out of its neighbour's: a factor left out or added, another cell, another number.

Filled rows and columns repeat one formula. A formula that is its neighbours' but for one factor, and that factor means
something, was retyped wrongly; one that is built in another way was meant to differ.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass

from mlsim_workbooks.lint import syntax as sx
from mlsim_workbooks.lint.shapes import chained, constant_of, links

__all__ = ["Edit", "Refs", "edit", "same"]

Refs = tuple[str, ...]  # a formula's references by their marks, relative to its cell


@dataclass(frozen=True, slots=True)
class Edit:
    """What a formula lacks that its neighbours have, and what it has instead: factors of a product or terms of a sum."""

    lost: tuple[sx.Node, ...]
    gained: tuple[sx.Node, ...]
    turned: bool = False  # the same factors on the other side of the fraction
    of: str = "*"  # "*" of a product, "+" of a sum


def same(mine: sx.Node, my_refs: Refs, theirs: sx.Node, their_refs: Refs) -> bool:
    """Tell whether two formulas say the same of the cells around them."""
    return _key(mine, my_refs) == _key(theirs, their_refs)


def edit(mine: sx.Node, my_refs: Refs, theirs: sx.Node, their_refs: Refs) -> Edit | None:
    """Return the one slip between two formulas, None where there is none or more than one."""
    return _edit((mine, my_refs), (theirs, their_refs))


_Written = tuple[sx.Node, Refs]


def _edit(mine: _Written, theirs: _Written) -> Edit | None:
    a, b = mine[0], theirs[0]
    operators = {chained(a), chained(b)} - {""}
    if isinstance(a, sx.Binary) and isinstance(b, sx.Binary) and (a.operator, b.operator) in (("+", "*"), ("*", "+")):
        sides = [(_key(n.left, refs), _key(n.right, refs)) for n, refs in ((a, mine[1]), (b, theirs[1]))]
        if sides[0] == sides[1]:
            return Edit((b.right,), (a.right,), turned=True, of=a.operator)
    if operators:
        return _of_chains(mine, theirs, "+" if "+" in operators else "*")
    first, second = _arguments(a), _arguments(b)
    if first and second and first[0] == second[0] and len(first) == len(second):
        pairs = [(x, y) for x, y in zip(first[1:], second[1:], strict=True)
                 if isinstance(x, sx.Node) and isinstance(y, sx.Node) and _key(x, mine[1]) != _key(y, theirs[1])]  # fmt: skip
        return _edit((pairs[0][0], mine[1]), (pairs[0][1], theirs[1])) if len(pairs) == 1 else None
    if isinstance(a, (sx.Ref, sx.Number)) and isinstance(b, (sx.Ref, sx.Number)):
        return Edit((b,), (a,))
    return None


def _arguments(node: sx.Node) -> tuple[str | sx.Node | None, ...]:
    """Return the name and the arguments of a function, or the operator and the sides of a comparison."""
    match node:
        case sx.Call(name=name, args=args):
            return name, *args
        case sx.Binary(operator=operator, left=left, right=right):
            return operator, left, right
    return ()


def _of_chains(mine: _Written, theirs: _Written, operator: str) -> Edit | None:
    """Compare two products, or two sums, link by link."""
    lost, gained = _missing(theirs, mine, operator), _missing(mine, theirs, operator)
    if len(lost) + len(gained) == 1:
        return Edit(tuple(lost), tuple(gained), of=operator)
    if len(lost) == 2 and not gained and any(isinstance(n, sx.Number) for n in lost):
        return Edit(tuple(lost), ())  # "* months", and its conversion
    if operator == "*" and len(lost) == len(gained) > 0 and _flipped(mine, theirs):
        return Edit(tuple(lost), tuple(gained), turned=True)
    if len(lost) == len(gained) == 1:
        numbers = constant_of(lost[0]), constant_of(gained[0])
        if numbers[0] is not None and numbers[1] is not None:
            return Edit((sx.Number(numbers[0]),), (sx.Number(numbers[1]),), of=operator)
        if chained(lost[0]) == operator or chained(gained[0]) == operator:
            return None
        return _edit((gained[0], mine[1]), (lost[0], theirs[1]))
    return None


def _missing(here: _Written, there: _Written, operator: str) -> list[sx.Node]:
    """Return the links of one chain that another does not have."""
    left = Counter((sign, _key(n, there[1])) for sign, n in links(there[0], operator))
    found = []
    for sign, node in links(here[0], operator):
        link = sign, _key(node, here[1])
        left[link] -= 1
        if left[link] < 0:
            found.append(node)
    return found


def _flipped(mine: _Written, theirs: _Written) -> bool:
    """Tell whether two products have the same factors, some of them on the other side of the fraction."""
    a, b = (Counter(_key(n, refs) for _, n in links(tree, "*")) for tree, refs in (mine, theirs))
    return a == b


def _key(node: sx.Node | None, refs: Refs) -> Hashable:
    """Return what two formulas have in common where they say the same of the cells around them."""
    match node:
        case sx.Ref():
            return "ref", node.sheet, refs[node.mark]
        case sx.Area():
            return "area", node.sheet, refs[node.first], refs[node.last]
        case sx.Binary():
            chain = chained(node)
            if chain:
                counted = Counter((sign, _key(n, refs)) for sign, n in links(node, chain))
                return chain, frozenset(counted.items())
            return node.operator, _key(node.left, refs), _key(node.right, refs)
        case sx.Unary():
            return node.operator, _key(node.operand, refs)
        case sx.Call():
            return node.name, *(_key(a, refs) for a in node.args)
    return node
