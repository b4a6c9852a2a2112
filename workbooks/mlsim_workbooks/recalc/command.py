"""The command ``mlsim recalc``: a line for each workbook, a table at the end, and a report for programs."""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass, field
from typing import Any

from mlsim import __version__
from mlsim.errors import CellError, printable
from mlsim.files import remove_strays, write_file
from mlsim_workbooks.recalc.batch import Outcome, recalculate_many

__all__ = ["run"]

SHOWN = 10  # cells in error, and left alone, of one workbook


@dataclass
class _Tally:
    """Sums over workbooks."""

    books: int = 0
    formulas: int = 0
    calls: int = 0
    changed: int = 0
    errors: int = 0
    left: int = 0


@dataclass
class _Summary:
    code: int = 0
    tallies: dict[str, _Tally] = field(default_factory=dict)
    entries: list[dict[str, Any]] = field(default_factory=list)


def run(args: argparse.Namespace) -> int:
    """Recalculate; return 1 when a cell is in error or a formula was left alone, 2 when a workbook was refused."""
    from tqdm import tqdm

    if args.jobs < 1:
        raise CellError("#VALUE!", f"--jobs must be 1 or more, got {args.jobs}.")
    if not args.time_limit > 0:
        raise CellError("#VALUE!", f"--time-limit must be above 0, got {args.time_limit:g}.")
    start = time.perf_counter()
    remove_strays(args.output_dir, args.books)
    summary = _Summary()
    quiet = args.json == "-"
    outcomes = recalculate_many(
        args.books, args.output_dir, engine=args.engine, jobs=args.jobs, scheduler=args.scheduler, backup=args.backup,
        seconds=args.time_limit,
    )  # fmt: skip
    many = len(args.books) > 1
    with tqdm(total=len(args.books), unit="workbook", desc="recalculated", disable=None if many else True) as bar:
        for outcome in outcomes:
            with bar.external_write_mode(file=sys.stderr):
                _print(outcome, quiet)
            _count(summary, outcome, bool(args.json))
            bar.update()
    seconds = time.perf_counter() - start
    if many and not quiet:
        print(_table(summary, seconds))
    if args.json:
        _write_json(args.json, summary, args.engine, seconds)
    return summary.code


def _status(outcome: Outcome) -> str:
    if outcome.report is None:
        return "refused"
    return "recalculated" if outcome.report.changed else "unchanged"


def _count(summary: _Summary, outcome: Outcome, keep: bool) -> None:
    tally = summary.tallies.setdefault(_status(outcome), _Tally())
    tally.books += 1
    if report := outcome.report:
        tally.formulas += report.formulas
        tally.calls += report.mlsim_calls
        tally.changed += len(report.changed)
        tally.errors += len(report.errors)
        tally.left += len(report.left)
        summary.code = max(summary.code, 1 if report.errors or report.left else 0)
    else:
        summary.code = 2
    if keep:
        summary.entries.append(_entry(outcome))


def _print(outcome: Outcome, quiet: bool) -> None:
    """Print the line of a workbook, and below it what is wrong with it."""
    report = outcome.report
    if report is None:
        print(printable(f"{outcome.book}: {outcome.refusal}"), file=sys.stderr, flush=True)
        return
    if not quiet:
        print(
            f"{printable(str(report.output))}: {report.formulas:,} formulas, {report.mlsim_calls:,} MLSIM calls, "
            f"{len(report.changed):,} values changed, {report.seconds:.2f} s.",
            flush=True,
        )
    lines = [f"note: {note}" for note in report.notes]
    lines += _some([f"{s}!{c}: {error} {message}".rstrip() for s, c, error, message in report.errors], "cells in error")
    causes = [f"{s}!{c} {why}; it was left alone." for s, c, why in report.left if not why.startswith("depends on ")]
    lines += _some(causes, "formulas left alone")
    if len(causes) < len(report.left):
        lines.append(f"{len(report.left) - len(causes):,} more formulas depend on these and were left alone, too.")
    for line in lines:
        print(f"  {printable(line)}", file=sys.stderr)


def _some(lines: list[str], what: str) -> list[str]:
    more = len(lines) - SHOWN
    return lines if more <= 1 else [*lines[:SHOWN], f"... and {more:,} more {what} (--json lists them all)."]


def _table(summary: _Summary, seconds: float) -> str:
    """Return the sums as a table."""
    heads = ("", "workbooks", "formulas", "MLSIM calls", "values changed", "in error", "left alone")
    rows = [
        (name, *(f"{n:,}" for n in (t.books, t.formulas, t.calls, t.changed, t.errors, t.left)))
        for name, t in sorted(summary.tallies.items())
    ]
    widths = [max(len(row[i]) for row in (heads, *rows)) for i in range(len(heads))]
    lines = [
        "  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True)))
        for row in (heads, *rows)
    ]
    books = sum(t.books for t in summary.tallies.values())
    return "\n".join(["", *lines, f"{books:,} workbooks in {seconds:.1f} s."])


def _entry(outcome: Outcome) -> dict[str, Any]:
    entry: dict[str, Any] = {"file": outcome.book, "status": _status(outcome)}
    report = outcome.report
    if report is None:
        return {**entry, "message": outcome.refusal}
    return {
        **entry,
        "output": str(report.output),
        "written": outcome.written,
        "backup": outcome.backup or None,
        "engine": report.engine,
        "formulas": report.formulas,
        "mlsim_calls": report.mlsim_calls,
        "changed": len(report.changed),
        "errors": [{"sheet": s, "cell": c, "error": e, "message": m} for s, c, e, m in report.errors],
        "left": [{"sheet": s, "cell": c, "reason": why} for s, c, why in report.left],
        "notes": report.notes,
        "seconds": round(report.seconds, 4),
    }


def _write_json(file: str, summary: _Summary, engine: str, seconds: float) -> None:
    report = {
        "version": __version__,
        "engine": engine,
        "seconds": round(seconds, 3),
        "exit_code": summary.code,
        "summary": {name: vars(tally) for name, tally in sorted(summary.tallies.items())},
        "workbooks": summary.entries,
    }
    text = json.dumps(report, indent=1, ensure_ascii=False) + "\n"
    if file == "-":
        print(text, end="")
    else:
        write_file(file, text.encode())
