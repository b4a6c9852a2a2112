"""Findings as text, JSON and SARIF 2.1.0."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from mlsim import __version__
from mlsim.errors import printable
from mlsim_workbooks.lint.finding import RULES, Finding
from mlsim_workbooks.package import column_name, position

__all__ = ["as_json", "as_sarif", "count_line", "lines", "printable", "rule_table", "total_line"]

# --- text ------------------------------------------------------------------------------------------------------------

# What may differ between the cells of a filled range: addresses, and the labels that name a cell ("Cost · 2026").
_ADDRESS = re.compile(r"(?<![\w.])(\$?)([A-Z]{1,3})(\$?)([1-9]\d{0,6})(?!\w|\.\w)")
_LABEL = re.compile(r"\((?:[^()]|\([^()]*\))* · (?:[^()]|\([^()]*\))*\)|'[^']* · [^']*'")


@dataclass(slots=True)
class _Run:
    """Findings of one kind in consecutive cells: where they begin, where they end so far, and their wording."""

    finding: Finding
    first: tuple[int, int]
    last: tuple[int, int]
    wording: tuple[str, str, str, str]
    addresses: list[tuple[int, int]]  # those in the last cell's message

    def takes(self, other: _Run, rows: int, columns: int) -> bool:
        """Tell whether a finding one cell on, below (1, 0) or to the right (0, 1), is the same along a filled range.

        Each address in its message has then moved along or stayed ("H100" and "H200" have not). A run is a row or a
        column, not a block.
        """
        along = self.first[1] == self.last[1] if rows else self.first[0] == self.last[0]
        steps = ((b[0] - a[0], b[1] - a[1]) for a, b in zip(self.addresses, other.addresses, strict=True))
        return along and other.first == other.last and all(step in ((0, 0), (rows, columns)) for step in steps)


def lines(findings: Sequence[Finding]) -> list[str]:
    """Return a line for each finding, and one for all of a kind along a filled row or column."""
    runs = _joined(_joined([_run(f) for f in findings], 1, 0), 0, 1)
    return [_line(run) for run in runs]


def _run(finding: Finding) -> _Run:
    text = _LABEL.sub("", f"{finding.message}\n{finding.suggestion}")
    addresses = [position(m[2] + m[4]) for m in _ADDRESS.finditer(text)]
    wording = (finding.file, finding.sheet, finding.rule, _ADDRESS.sub("\0", text))
    at = position(finding.cell)
    return _Run(finding, at, at, wording, addresses)


def _joined(runs: Sequence[_Run], rows: int, columns: int) -> list[_Run]:
    """Join runs that go on below or to the right; a joined run stands where its first cell stood."""
    kept: list[_Run] = []
    open_at: dict[tuple[Any, ...], _Run] = {}  # by wording and the cell that would go on
    for run in sorted(runs, key=lambda r: (r.first[1], r.first[0]) if rows else r.first):
        before = open_at.pop((run.wording, run.first), None)
        if before is not None and before.takes(run, rows, columns):
            before.last, before.addresses = run.last, run.addresses
            run = before
        else:
            kept.append(run)
        open_at[run.wording, (run.last[0] + rows, run.last[1] + columns)] = run
    order = {id(run): i for i, run in enumerate(runs)}
    return sorted(kept, key=lambda run: order[id(run)])


def _line(run: _Run) -> str:
    f = run.finding
    end = "" if run.first == run.last else f":{column_name(run.last[1])}{run.last[0]}"
    suggestion = f" ({f.suggestion})" if f.suggestion else ""
    return printable(f"{f.file}: {f.sheet}!{f.cell}{end}: {f.severity}: {f.rule}: {f.message}{suggestion}")


def count_line(book: str, findings: Sequence[Finding], formulas: int, silenced: int = 0) -> str:
    """Return the last line about a workbook: how many findings in how many cells, or that there are none."""
    quiet = f", {_number(silenced, 'finding')} silenced" if silenced else ""
    if not findings:
        return printable(f"No unit mistakes found in {book}: {_number(formulas, 'formula')} checked{quiet}.")
    cells = len({(f.sheet, f.cell) for f in findings})
    return printable(f"{_counts(findings)} in {_number(cells, 'cell')} of {book}{quiet}")


def total_line(findings: Sequence[Finding], books: int, refused: int = 0) -> str:
    """Return the last line about several workbooks, of which some could not be checked."""
    hit, rest = len({f.file for f in findings}), f", {refused:,} could not be checked" if refused else ""
    found = f"{_counts(findings)} in {hit:,} of" if hit else "No unit mistakes in"
    return f"{found} {_number(books, 'book')}{rest}"


def _counts(findings: Sequence[Finding]) -> str:
    counts = [(sum(f.severity == s for f in findings), s) for s in ("error", "warning")]
    return " and ".join(_number(n, severity) for n, severity in counts if n)


def _number(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def rule_table() -> list[str]:
    """Return a line for each rule: its name, severity and title."""
    wide = max(map(len, RULES))
    return [f"{rule.name:{wide}}  {rule.severity:7}  {rule.title}" for rule in RULES.values()]


# --- for programs ----------------------------------------------------------------------------------------------------


def as_json(findings: Sequence[Finding]) -> str:
    """Return findings as a JSON list of objects, in ASCII: it passes through any terminal or pipe."""
    return json.dumps([f.as_dict() for f in findings], indent=2) + "\n"


def as_sarif(findings: Sequence[Finding], failures: Sequence[str] = ()) -> str:
    """Return findings as a SARIF 2.1.0 log, in ASCII.

    Parameters
    ----------
    findings : sequence of Finding
        The results; a cell stands as a logical location, and as a region whose lines and columns are the sheet's.
    failures : sequence of str
        Sentences about inputs that could not be checked.
    """
    run = {
        "tool": {"driver": {"name": "mlsim", "version": __version__, "rules": [_sarif_rule(name) for name in RULES]}},
        "invocations": [
            {
                "executionSuccessful": not failures,
                "toolExecutionNotifications": [{"level": "error", "message": {"text": said}} for said in failures],
            }
        ],
        "results": [_sarif_result(f) for f in findings],
    }
    log = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2) + "\n"


def _sarif_rule(name: str) -> dict[str, Any]:
    rule = RULES[name]
    return {
        "id": rule.name,
        "shortDescription": {"text": rule.title},
        "help": {"text": rule.fix},
        "defaultConfiguration": {"level": rule.severity},
    }


def _sarif_result(finding: Finding) -> dict[str, Any]:
    row, column = position(finding.cell)
    return {
        "ruleId": finding.rule,
        "ruleIndex": list(RULES).index(finding.rule),
        "level": finding.severity,
        "message": {"text": f"{finding.message} {finding.suggestion}".strip()},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(finding.file)},
                    "region": {"startLine": row, "startColumn": column},
                },
                "logicalLocations": [{"fullyQualifiedName": f"{finding.sheet}!{finding.cell}", "kind": "member"}],
            }
        ],
    }


def _uri(file: str) -> str:
    """Return a path as a URI reference that is relative to the working directory."""
    try:
        path = os.path.relpath(file)
    except ValueError:  # another drive of Windows
        path = os.path.abspath(file)
    return quote(os.fsencode(path.replace(os.sep, "/")))
