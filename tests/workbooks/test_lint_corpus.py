"""The checker on realistic workbooks: silent on clean ones, and which seeded mistakes it finds.

Every third mistake is seeded here, `make lint-table` seeds them all and prints the figures in the README. The bounds
are what is measured today, less a little. A rule that finds less than its bound has got worse.
"""

from __future__ import annotations

import shutil
import subprocess
import warnings
from collections import Counter
from pathlib import Path

import pytest
from lint_corpus.score import CORPUS, HELD_OUT, Outcome, books, measure

from mlsim_workbooks.lint import lint


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    return measure((*CORPUS, *HELD_OUT), seeds=3)


def test_the_corpus_is_as_large_as_stated() -> None:
    every = books((*CORPUS, *HELD_OUT))
    assert len(every) >= 1_500
    assert len({book.name for book in every}) == len(every)
    assert sum(len(book.seeds) for book in every) >= 14_400


def test_nothing_is_reported_on_clean_workbooks_of_the_corpus(outcomes: list[Outcome]) -> None:
    assert [o for o in outcomes if not o.rule and o.found] == []


def test_nothing_is_reported_once_libreoffice_has_saved_them_with_values(tmp_path: Path) -> None:
    soffice = shutil.which("soffice")
    if soffice is None:
        warnings.warn("soffice is missing: the corpus was NOT checked with values", stacklevel=1)
        pytest.skip("soffice is missing: the corpus was NOT checked with values")
    for book in books((*CORPUS, *HELD_OUT))[::2]:
        book.build().save(tmp_path / f"{book.name}.xlsx")
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    files = [str(p) for p in sorted(tmp_path.glob("*.xlsx"))]
    command = [
        soffice,
        profile,
        "--headless",
        "--convert-to",
        "xlsx:Calc MS Excel 2007 XML",
        "--outdir",
        str(tmp_path / "out"),
    ]
    for first in range(0, len(files), 100):  # it opens no more than some 250 in one run
        subprocess.run([*command, *files[first : first + 100]], check=True, capture_output=True, timeout=240)
    computed = sorted((tmp_path / "out").glob("*.xlsx"))
    assert len(computed) == len(files)
    assert [(p.name, f.cell, f.message) for p in computed for f in lint(p)] == []


def test_findings_stand_at_the_mistake(outcomes: list[Outcome]) -> None:
    hit = sum(bool(o.hits) for o in outcomes if o.rule)
    elsewhere = sum(bool(o.found) and not o.hits for o in outcomes if o.rule)
    assert hit / (hit + elsewhere) >= 0.99


def test_most_mistakes_are_found(outcomes: list[Outcome]) -> None:
    seeded = [o for o in outcomes if o.rule]
    assert sum(bool(o.hits) for o in seeded) / len(seeded) >= 0.90
    assert sum(o.rule in o.hits for o in seeded) / len(seeded) >= 0.83


def test_every_rule_finds_its_mistakes(outcomes: list[Outcome]) -> None:
    seeded = Counter(o.rule for o in outcomes if o.rule)
    found = Counter(o.rule for o in outcomes if o.hits)
    bounds = {"dimension": 0.5}  # whatever no other rule names
    low = {rule: f"{found[rule]} of {n}" for rule, n in seeded.items() if found[rule] / n < bounds.get(rule, 0.75)}
    assert low == {}


def test_mistakes_made_by_machine_are_noticed() -> None:
    outcomes = [o for o in measure((*CORPUS, *HELD_OUT), by_machine=True, every=8) if o.rule]
    noticed = sum(bool(o.found) for o in outcomes)
    print(f"mistakes made by machine: {len(outcomes)}, noticed: {noticed}")
    assert len(outcomes) > 400
    assert noticed / len(outcomes) >= 0.75
