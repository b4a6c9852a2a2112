"""The checked-in workbooks are what the code writes today."""

from pathlib import Path

import pytest

from mlsim_workbooks.templates import TEMPLATES, build_template

FOLDER = Path(__file__).parents[2] / "templates"


@pytest.mark.parametrize("name", TEMPLATES)
def test_template_is_fresh(name: str, tmp_path: Path) -> None:
    built = build_template(name, tmp_path / f"{name}.xlsx")
    assert built.read_bytes() == (FOLDER / f"{name}.xlsx").read_bytes(), "run `make templates`"


def test_every_checked_in_workbook_is_a_template() -> None:
    assert {path.stem for path in FOLDER.glob("*.xlsx")} == set(TEMPLATES)
