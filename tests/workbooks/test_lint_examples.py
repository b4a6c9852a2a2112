"""Each rule has an example that the checker finds on one sheet and lets pass on the other; docs/rules is up to date."""

from pathlib import Path

import pytest
from openpyxl import load_workbook

from mlsim_workbooks.lint import RULES, lint
from mlsim_workbooks.lint.examples import EXAMPLES, SHEETS, build_example, rules_page

FOLDER = Path(__file__).parents[2] / "docs" / "rules"
STALE = "run `make generated`"


def test_every_rule_has_an_example_and_a_workbook() -> None:
    assert list(EXAMPLES) == list(RULES)
    assert {path.stem for path in FOLDER.iterdir()} == set(EXAMPLES)


@pytest.mark.parametrize("rule", EXAMPLES)
def test_the_checker_finds_the_mistake_and_nothing_else(rule: str) -> None:
    found = [(f.sheet, f.cell, f.rule) for f in lint(FOLDER / f"{rule}.xlsx")]
    assert found == [("Wrong", EXAMPLES[rule].at, rule)]


@pytest.mark.parametrize("rule", EXAMPLES)
def test_the_sheets_differ_in_one_cell(rule: str) -> None:
    example = EXAMPLES[rule]
    wrong, right = (example.content(sheet) for sheet in SHEETS)
    assert {ref for ref in wrong.keys() | right.keys() if wrong.get(ref) != right.get(ref)} == {example.cell}
    assert 3 <= len(example.rows) <= 8
    assert {len(row) for row in example.rows} <= {len(example.headers) - 1, len(example.headers)}
    assert example.formats.keys() <= right.keys()


@pytest.mark.parametrize("rule", EXAMPLES)
def test_every_formula_has_a_number(rule: str) -> None:
    book = load_workbook(FOLDER / f"{rule}.xlsx", data_only=True)
    for sheet in SHEETS:
        for ref, value in EXAMPLES[rule].content(sheet).items():
            if str(value).startswith("="):
                assert isinstance(book[sheet][ref].value, int | float), (sheet, ref)


@pytest.mark.parametrize("rule", EXAMPLES)
def test_example_is_fresh(rule: str, tmp_path: Path) -> None:
    built = build_example(rule, tmp_path / f"{rule}.xlsx")
    assert built.read_bytes() == (FOLDER / f"{rule}.xlsx").read_bytes(), STALE
    assert len(built.read_bytes()) < 16_384


def test_page_is_fresh() -> None:
    assert rules_page(FOLDER) == FOLDER.with_suffix(".md").read_text(encoding="utf-8"), STALE


def test_links_and_anchors_of_the_page() -> None:
    page = FOLDER.with_suffix(".md").read_text(encoding="utf-8")
    for rule in RULES.values():
        assert f"[`{rule.name}`](#{rule.name}) | {rule.title} | {rule.severity} |" in page
        assert f"\n## {rule.name}\n" in page
        assert f"]({FOLDER.name}/{rule.name}.xlsx)" in page
