"""Many regular expressions on one text: only those are tried whose words the text has at all.

Every label of a sheet is held against some two hundred patterns. A pattern can only match where one of the words that
it needs stands, and to look for a word is a hundred times faster than to try the pattern.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from re import _constants as ops  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, Generic, TypeVar

__all__ = ["Patterns", "needed_words"]


Name = TypeVar("Name")


@dataclass(frozen=True)
class Patterns(Generic[Name]):
    """Named patterns in the order of their rank, whatever the case of letters."""

    entries: tuple[tuple[Name, re.Pattern[str]], ...]

    @classmethod
    def of(cls, pairs: Iterable[tuple[Name, str]]) -> Patterns[Name]:
        """Compile (name, pattern) pairs."""
        return cls(tuple((name, re.compile(pattern, re.I)) for name, pattern in pairs))

    @cached_property
    def _words(self) -> tuple[tuple[tuple[str, int], ...], int]:
        """Each word with the patterns that need it, one bit each; and the patterns that need none."""
        bits: dict[str, int] = {}
        free = 0
        for number, (_, pattern) in enumerate(self.entries):
            words = needed_words(pattern.pattern)
            free |= 0 if words else 1 << number
            for word in words:
                bits[word] = bits.get(word, 0) | 1 << number
        return tuple(bits.items()), free

    def likely(self, text: str) -> list[tuple[Name, re.Pattern[str]]]:
        """Return the patterns that may match a text or a part of it; all others certainly do not."""
        words, found = self._words
        low = text.lower()
        for word, bits in words:
            if word in low:
                found |= bits
        return [entry for number, entry in enumerate(self.entries) if found >> number & 1] if found else []


def needed_words(pattern: str) -> frozenset[str]:
    """Return words in small letters of which every match of a pattern has at least one; none where nothing is certain."""
    return _needed(parser.parse(pattern, re.I))


def _needed(items: Iterable[tuple[Any, Any]]) -> frozenset[str]:
    best: frozenset[str] = frozenset()
    run = ""
    for op, argument in (*items, (None, None)):
        if op is ops.LITERAL:
            run += chr(argument).lower()
            continue
        if op in (ops.AT, ops.ASSERT, ops.ASSERT_NOT):
            continue  # they take up no room: the letters before and after stand side by side
        inside: frozenset[str] = frozenset()
        if op is ops.SUBPATTERN:
            inside = _needed(argument[3])
        elif op is ops.BRANCH:
            branches = [_needed(branch) for branch in argument[1]]
            inside = frozenset().union(*branches) if all(branches) else inside
        elif op in (ops.MAX_REPEAT, ops.MIN_REPEAT) and argument[0] > 0:
            inside = _needed(argument[2])
        best = max(best, frozenset({run} - {""}), inside, key=_weight)
        run = ""
    return best


def _weight(words: frozenset[str]) -> tuple[int, int]:
    """Rank sets of words: the longer their shortest one the better, and few of them."""
    return min(map(len, words), default=0), -len(words)
