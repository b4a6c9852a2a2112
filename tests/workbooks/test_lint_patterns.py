"""Patterns are tried only where one of their words stands: nothing that matches may be passed over."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsim_workbooks.lint import vocabulary
from mlsim_workbooks.lint.patterns import Patterns, needed_words

TABLES: dict[str, Patterns[object]] = {
    name: getattr(vocabulary, name) for name in ("CONCEPTS", "COUNTED", "KINDS", "PER", "PERIOD_WORDS")
}
LABELS = Path(__file__).parent / "lint_corpus" / "data"


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        (r"\bgpus?\b|hbm (?:cap|size)", {"gpu", "hbm "}),
        (r"(?:per|/) ?day", {"day"}),
        (r"(?:Total )?cost(?! of)", {"cost"}),
        (r"(?<!no )power(?:ed)+", {"power"}),
        (r"[ab]x?", set()),
        (r"x*|price", set()),
    ],
)
def test_words_that_every_match_has(pattern: str, words: set[str]) -> None:
    assert needed_words(pattern) == words


def test_every_pattern_of_the_vocabulary_needs_a_word() -> None:
    for name, table in TABLES.items():
        assert [p.pattern for _, p in table.entries if not needed_words(p.pattern)] == [], name


@cache
def texts() -> tuple[str, ...]:
    """Return the labels of the corpus."""
    found: set[str] = set()
    for path in sorted(LABELS.glob("*.json")):
        found.update(t for t in _strings(json.loads(path.read_text())) if len(t) < 90 and not t.startswith("="))
    assert len(found) > 5000
    return tuple(sorted(found))


def _strings(node: object) -> list[str]:
    match node:
        case str():
            return [node]
        case list():
            return [s for x in node for s in _strings(x)]
        case dict():
            return [s for x in node.values() for s in _strings(x)]
    return []


@pytest.mark.parametrize("name", TABLES)
def test_nothing_that_matches_is_passed_over(name: str) -> None:
    table = TABLES[name]
    for text in texts():
        likely = [key for key, _ in table.likely(text)]
        missed = [key for key, pattern in table.entries if key not in likely and pattern.search(text)]
        assert not missed, (text, missed)


WORDS = (
    "per",
    "GPU",
    "Monat",
    "cost",
    "KV",
    "bits",
    "of a",
    "/",
    "p99",
    "TTFT",
    "je",
    "heads",
    "(",
    ")",
    "-",
    "é",
    "8",
    "Kosten",
    "peak",
    "both ways",
)


@given(st.lists(st.sampled_from(WORDS), max_size=6), st.sampled_from(sorted(TABLES)))
def test_nor_of_any_words_put_together(words: list[str], name: str) -> None:
    text = " ".join(words)
    likely = [key for key, _ in TABLES[name].likely(text)]
    assert [key for key, pattern in TABLES[name].entries if pattern.search(text) and key not in likely] == []
    assert all(isinstance(pattern, re.Pattern) for _, pattern in TABLES[name].likely(text))
