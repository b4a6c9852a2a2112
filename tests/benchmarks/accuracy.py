"""Every tool against published measurements: the nine and the eight that all can be asked, and the whole tables."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean, median
from typing import Any, NamedTuple

from cases import Question, comparable
from table import markdown


class Column(NamedTuple):
    """What one way of one tool says to some questions: relative errors; None where it has no answer."""

    name: str
    settings: str
    errors: list[float | None]
    reasons: list[str]


def column(way: dict[str, Any], answers: Sequence[float | str], questions: Sequence[Question], ours: bool) -> Column:
    """Compare answers with measurements."""
    errors: list[float | None] = []
    reasons = []
    for question, answer in zip(questions, answers, strict=True):
        if isinstance(answer, str):
            errors.append(None)
            reasons.append(answer)
        else:
            errors.append(comparable(question, answer, ours) / question.measured - 1)
    return Column(way["name"], way["settings"], errors, reasons)


def quantile(values: Sequence[float], share: float) -> float:
    """Return a quantile, interpolated."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def case_table(columns: Sequence[Column], questions: Sequence[Question], value: float) -> str:
    """Return a table of each case: predictions, their errors, and mean and largest at the end. ``value`` / time = rate."""
    head = ["tool", *[short(question) for question in questions], "median", "mean", "largest"]
    measured = ["measured", *[f"{shown(q.measured, value):.4g}" for q in questions], "", "", ""]
    lines = [head, measured]
    for found in columns:
        cells = [
            "" if error is None else cell(question, error, value)
            for question, error in zip(questions, found.errors, strict=True)
        ]
        size = [abs(signed(error, value)) for error in found.errors if error is not None]
        few = "" if len(size) == len(questions) else f" of {len(size)}"
        ends = [f"{x:.1%}{few}" for x in (median(size), mean(size), max(size))] if size else ["", "", ""]
        lines.append([found.name, *cells, *ends])
    return markdown(lines)


def short(question: Question) -> str:
    """Name a case in a head."""
    if question.case["id"].startswith("gpt-fast"):
        return str(question.case["id"]).removeprefix("gpt-fast ")
    return f"{question.case['row']['model']} {question.case['recompute']}"


def shown(time: float, value: float) -> float:
    """Return a time, or the rate that it is."""
    return value / time if value else time


def signed(error: float, value: float) -> float:
    """Return the relative error of the rate where a rate is shown."""
    return 1 / (1 + error) - 1 if value else error


def cell(question: Question, error: float, value: float) -> str:
    """Write a prediction and its error."""
    return f"{shown(question.measured * (1 + error), value):.4g} ({signed(error, value):+.0%})"


def summary_table(columns: Sequence[Column], ours: Column, total: int) -> str:
    """Return each tool's errors on the rows that it answers, and ours on the same rows."""
    lines = [["tool", f"rows it answers, of {total}", "median", "p90", "MLSIM on the same rows: median", "p90"]]
    for found in columns:
        pairs = [(e, o) for e, o in zip(found.errors, ours.errors, strict=True) if e is not None and o is not None]
        if not pairs:
            lines.append([found.name, "0", *[""] * 4])
            continue
        theirs, same = zip(*pairs, strict=True)
        own = ["", ""] if found is ours else figures(same)
        lines.append([found.name, str(len(pairs)), *figures(theirs), *own])
    return markdown(lines)


def figures(errors: Sequence[float]) -> list[str]:
    """Return median and 90 % quantile of the absolute errors."""
    size = [abs(error) for error in errors]
    return [f"{median(size):.1%}", f"{quantile(size, 0.9):.0%}"]
