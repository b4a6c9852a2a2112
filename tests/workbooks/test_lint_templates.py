"""The templates pass the checker, and their own inline checks agree with it on mistakes typed into them."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import load_workbook

from mlsim_workbooks.lint import lint
from mlsim_workbooks.recalc import recalculate

TEMPLATES = Path(__file__).parents[2] / "templates"
# (cell of Inputs, what is typed, is it a mistake). H100: 3.35 TB/s, 79.65 GiB, 989 TFLOP/s dense, 450 GB/s one way.
TYPED = [
    ("E13", "3.35 TB/s", False), ("E13", "3350 GB/s", False), ("E13", "3.35 TFLOP/s", True), ("E13", "3.35 TB", True),
    ("E13", "3.9 TB/s", True), ("E13", "26.8 Tbit/s", True), ("E14", "80 GiB", False), ("E14", "85.5 GB", False),
    ("E14", "80 TB/s", True), ("E14", "96 GiB", True), ("E14", "80 TFLOP/s", True), ("E15", "989 TFLOP/s", False),
    ("E15", "0.989 PFLOP/s", False), ("E15", "989 TFLOP", True), ("E15", "1979 TFLOP/s", True), ("E15", "989 TOP/s", True),
    ("E15", "989 GB/s", True), ("E16", "450 GB/s", False), ("E16", "900 GB/s", True), ("E16", "450 GB", True),
    ("E7", "5.3 TB/s", False), ("E7", "5.3 TFLOP/s", True), ("E8", "192 GiB", False), ("E9", "1300 TFLOP", True),
]  # fmt: skip


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.xlsx")), ids=lambda p: p.name)
def test_a_template_passes(path: Path) -> None:
    assert lint(path) == []


@pytest.mark.parametrize(("cell", "text", "wrong"), TYPED)
def test_the_inline_check_and_the_checker_agree(tmp_path: Path, cell: str, text: str, wrong: bool) -> None:
    book = load_workbook(TEMPLATES / "comparison.xlsx")
    book["Inputs"][cell].value = text
    path = tmp_path / "typed.xlsx"
    book.save(path)
    recalculate(path)
    inline = load_workbook(path, data_only=True)["Inputs"][cell.replace("E", "F")].value
    assert inline.startswith(("✗", "⚠")) is wrong, inline
    found = [f for f in lint(path) if f.sheet == "Inputs" and f.cell == cell]
    assert bool(found) is wrong, [f.message for f in found]
