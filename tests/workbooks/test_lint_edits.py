"""The one slip that makes a formula out of its neighbour's."""

from __future__ import annotations

import pytest

from mlsim_workbooks import formulas as fx
from mlsim_workbooks.lint import syntax as sx
from mlsim_workbooks.lint.edits import Edit, edit


def between(mine: str, theirs: str) -> Edit | None:
    """Return the slip between two formulas of one cell."""
    sides = []
    for formula in (mine, theirs):
        shape, refs = fx.shape(formula)
        sides += [sx.parse_formula(shape), tuple(refs)]
    return edit(*sides)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("mine", "theirs", "lost", "gained"),
    [
        ("=A1/1000", "=A1*B1/1000", [sx.Ref], []),
        ("=B1*C1*8/1000", "=C1*B1/1000", [], [sx.Number]),
        ("=A1/C1", "=A1/B1", [sx.Ref], [sx.Ref]),
        ("=A1*8760", "=A1*730", [sx.Number], [sx.Number]),
        ("=A1+B1", "=A1*C1+B1", [sx.Ref], []),
        ("=A1-B1", "=A1-B1+C1", [sx.Ref], []),
        ("=A1*B1/1000", "=A1*B1*C1/30.4/1000", [sx.Ref, sx.Number], []),
        ("=ROUNDUP(A1/C1,0)", "=ROUNDUP(A1/B1,0)", [sx.Ref], [sx.Ref]),
        ("=A1*(B1-C1)", "=A1*(B1-C1-D1)", [sx.Ref], []),
    ],
)
def test_one_slip(mine: str, theirs: str, lost: list[type], gained: list[type]) -> None:
    found = between(mine, theirs)
    assert found is not None
    assert [type(n) for n in found.lost] == lost
    assert [type(n) for n in found.gained] == gained


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        ("=A1*B1", "=B1*A1"),  # the same
        ("=A1+B1+C1", "=SUM(A1:C1)"),
        ("=A1*B1", "=C1*D1"),  # two slips
        ("=MIN(A1,B1)", "=MAX(A1,B1)"),
    ],
)
def test_no_slip_or_more_than_one(mine: str, theirs: str) -> None:
    assert between(mine, theirs) is None


@pytest.mark.parametrize(("mine", "theirs"), [("=A1/B1", "=B1/A1"), ("=A1*B1*C1", "=A1/(B1*C1)"), ("=A1+B1", "=A1*B1")])
def test_turned(mine: str, theirs: str) -> None:
    found = between(mine, theirs)
    assert found is not None
    assert found.turned


def test_numbers_that_differ_are_one_slip() -> None:
    found = between("=A1*10^6/10^9", "=A1*10^6/10^12")
    assert found is not None
    assert (found.lost, found.gained) == ((sx.Number(1e12),), (sx.Number(1e9),))
