"""The reports of the unit checker: SARIF's essential structure, and ranges against a plain count of cells."""

from __future__ import annotations

import json
import os
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsim import __version__
from mlsim_workbooks.lint.finding import RULES, Finding
from mlsim_workbooks.lint.report import as_json, as_sarif, lines
from mlsim_workbooks.package import column_name, position

ODD = os.path.join("plans 2026", "Größe 100% #1 [a].xlsx")
FOUND = [
    Finding("book.xlsx", "Plan", "B3", "bits-bytes", "Gbit/s is added to GB/s.", "Divide Gbit/s by 8."),
    Finding(ODD, "Cost – 2026!", "AA210", "currency", "Adds $ and €.", ""),
]


def check_sarif(log: dict[str, Any]) -> None:
    """Hold a log against what the SARIF 2.1.0 schema requires of the parts that are used."""
    assert set(log) == {"$schema", "version", "runs"}
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-2.1.0.json")
    (run,) = log["runs"]
    assert set(run) <= {"tool", "invocations", "results"}
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("mlsim", __version__)
    ids = [rule["id"] for rule in driver["rules"]]
    assert len(set(ids)) == len(ids)
    for rule in driver["rules"]:
        assert set(rule) == {"id", "shortDescription", "help", "defaultConfiguration"}
        assert rule["shortDescription"]["text"]
        assert rule["help"]["text"]
        assert rule["defaultConfiguration"]["level"] in ("none", "note", "warning", "error")
    for invocation in run["invocations"]:
        assert isinstance(invocation["executionSuccessful"], bool)
        assert all(n["message"]["text"] for n in invocation["toolExecutionNotifications"])
    for result in run["results"]:
        assert set(result) == {"ruleId", "ruleIndex", "level", "message", "locations"}
        assert ids[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in ("none", "note", "warning", "error")
        assert result["message"]["text"]
        (location,) = result["locations"]
        place, (logical,) = location["physicalLocation"], location["logicalLocations"]
        uri = place["artifactLocation"]["uri"]
        assert uri.isascii()
        assert not set(uri) & set(' "<>\\^`{|}')
        assert urlsplit(uri)[:2] == ("", "")
        assert not uri.startswith("/")
        assert urlsplit(uri).query == urlsplit(uri).fragment == ""
        row, column = position(logical["fullyQualifiedName"].rpartition("!")[2])
        assert place["region"] == {"startLine": row, "startColumn": column}
        assert row >= 1
        assert column >= 1
        assert logical["kind"] == "member"


def test_sarif() -> None:
    log = json.loads(as_sarif(FOUND))
    check_sarif(log)
    run = log["runs"][0]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == list(RULES)
    assert run["invocations"] == [{"executionSuccessful": True, "toolExecutionNotifications": []}]
    one, two = run["results"]
    assert one["ruleId"] == "bits-bytes"
    assert one["level"] == "error"
    assert one["message"]["text"] == "Gbit/s is added to GB/s. Divide Gbit/s by 8."
    assert one["locations"][0]["logicalLocations"] == [{"fullyQualifiedName": "Plan!B3", "kind": "member"}]
    assert one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "book.xlsx"
    uri = two["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "plans%202026/Gr%C3%B6%C3%9Fe%20100%25%20%231%20%5Ba%5D.xlsx"
    assert PurePosixPath(unquote(uri)) == PurePosixPath(Path(ODD).as_posix())
    assert two["locations"][0]["physicalLocation"]["region"] == {"startLine": 210, "startColumn": 27}
    assert two["message"]["text"] == "Adds $ and €."


def test_sarif_without_findings_and_with_failures() -> None:
    check_sarif(json.loads(as_sarif([])))
    log = json.loads(as_sarif([], ["bad.xlsx: There is no file bad.xlsx."]))
    check_sarif(log)
    assert log["runs"][0]["invocations"][0]["executionSuccessful"] is False


def test_an_absolute_path_becomes_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    finding = Finding(str(tmp_path / "a" / "b.xlsx"), "Plan", "B3", "prefix", "m", "s")
    log = json.loads(as_sarif([finding]))
    check_sarif(log)
    place = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "a/b.xlsx"


def test_reports_are_ascii_whatever_the_names() -> None:
    finding = Finding("b\udcff.xlsx", "漢字\ud800", "B3", "prefix", "m\n😀", "")
    for text in (as_json([finding]), as_sarif([finding])):
        assert text.isascii()
        assert text.endswith("\n")
    assert json.loads(as_json([finding])) == [finding.as_dict()]
    check_sarif(json.loads(as_sarif([finding])))


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6), st.sampled_from(["a", "b"])), unique=True, max_size=40))
def test_ranges_cover_each_finding_once(cells: list[tuple[int, int, str]]) -> None:
    findings = [
        Finding("b.xlsx", "S", f"{column_name(column)}{row}", "prefix", f"{word} {column_name(column)}{row}.", "")
        for row, column, word in sorted(cells)
    ]
    seen = []
    for line in lines(findings):
        ref, _, rest = line.removeprefix("b.xlsx: S!").partition(": ")
        (row, column), (last_row, last_column) = position(ref.split(":")[0]), position(ref.split(":")[-1])
        assert row == last_row or column == last_column
        word = rest.removeprefix("error: prefix: ")[0]
        seen += [(r, c, word) for r in range(row, last_row + 1) for c in range(column, last_column + 1)]
    assert sorted(seen) == sorted(cells)
