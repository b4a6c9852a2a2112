"""The same calls in the core and in every host: the same value, or the same class of error."""

from __future__ import annotations

import importlib
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from fake_win32 import MISSING, FakeExcel, error, excel
from office import Office
from officejs.running import browser, serving
from parity import EMPTY, OMITTED, Call, Error, calls, expected, flat, same

from mlsim_addin import worker
from mlsim_addin.excel.cells import ERROR_MARK
from mlsim_workbooks.functions import CATALOGUE

CALLS = calls()
EXPECTED = [expected(call) for call in CALLS]
BATCH = 150  # calls in one document of LibreOffice


def compare(host_name: str, results: list[Any], due: list[Any] = EXPECTED, asked: list[Call] = CALLS) -> None:
    differ = [(str(c), d, r) for c, d, r in zip(asked, due, results, strict=True) if not same(d, r)]
    lines = "\n".join(
        f"{call[:200]}\n  core {str(core)[:200]}\n  here {str(here)[:200]}" for call, core, here in differ[:12]
    )
    assert not differ, f"{len(differ)} of {len(asked)} calls differ in {host_name}:\n{lines}"


def test_the_calls_are_many_and_of_every_kind() -> None:
    assert len(CALLS) >= 2000
    assert {call.name for call in CALLS} == set(CATALOGUE)
    outcomes = [due.code if isinstance(due, Error) else type(due).__name__ for due in EXPECTED]
    for kind in ("float", "str", "bool", "list", "#VALUE!", "#N/A", "#NUM!", "#DIV/0!", "#REF!", "#NAME?"):
        assert outcomes.count(kind) >= 15, f"{kind}: {outcomes.count(kind)}"
    args = [arg for call in CALLS for arg in call.args]
    for special in (EMPTY, OMITTED, "größer™ 漢字", "1.234,5 GB", True):
        assert sum(arg is special or arg == special for arg in args) >= 15, special
    answered = {call.name for call, due in zip(CALLS, EXPECTED, strict=True) if not isinstance(due, Error)}
    assert set(CATALOGUE) - answered <= {"MLSIM_LINT", "MLSIM_CALIBRATE"}  # they need a file, and many measurements


# --- Excel through xlwings -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def app() -> Iterator[FakeExcel]:
    with excel() as fake:
        yield fake


def test_excel_through_xlwings(app: FakeExcel) -> None:
    def argument(arg: Any) -> Any:
        if arg is OMITTED:
            return MISSING
        if isinstance(arg, list):
            return [[argument(cell) if isinstance(cell, Error) else cell for cell in row] for row in arg]
        return error(arg.code) if isinstance(arg, Error) else arg

    def result(value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return [[result(cell) for cell in row] if isinstance(row, (list, tuple)) else result(row) for row in value]
        if isinstance(value, str) and value.startswith(ERROR_MARK):
            return Error(value.removeprefix(ERROR_MARK).split()[0])
        return value

    def called(call: Call) -> Any:
        value = result(app.call(call.name, *map(argument, call.args)))
        return [value] if isinstance(value, list) and not isinstance(value[0], list) else value  # a row comes flat

    compare("Excel through xlwings", [called(call) for call in CALLS])


# --- Office.js, and the worker ----------------------------------------------------------------------------------------


def as_json(arg: Any) -> Any:
    if isinstance(arg, list):
        return [[as_json(cell) for cell in row] for row in arg]
    return {"error": arg.code} if isinstance(arg, Error) else arg


def from_json(value: Any) -> Any:
    if isinstance(value, list):
        return [[from_json(cell) for cell in row] for row in value]
    return Error(value["error"]) if isinstance(value, dict) else value


def test_the_workers_answers() -> None:
    request = json.dumps({"calls": [[call.name, [as_json(arg) for arg in call.args]] for call in CALLS]})
    answers = io.BytesIO()
    worker.serve(io.BytesIO(request.encode() + b"\n"), answers)
    compare("the worker", [from_json(value) for value in json.loads(answers.getvalue())["results"]])


IN_THE_PAGE = """
const done = arguments[arguments.length - 1];
const shown = (v) => v instanceof CustomFunctions.Error ? {error: v.code} : v;
Promise.allSettled(arguments[0].map(([name, given]) => excel.associated[name](...given, {})))
  .then((all) => done(all.map((r) => r.status === "fulfilled" ? r.value.map((row) => row.map(shown)) : shown(r.reason))));
"""


def as_excel_hands_over(call: Call) -> list[Any]:
    """Return a call's arguments as Excel gives them to the script: matrices, null for one that was left out."""
    given = [None if arg is OMITTED else matrix(arg) for arg in call.args]
    args = CATALOGUE[call.name].args
    if args[-1].vararg:
        fixed = len(args) - 1
        return [*given[:fixed], [[[""]] if rest is None else rest for rest in given[fixed:]]]
    return given + [None] * (len(args) - len(given))


def matrix(arg: Any) -> list[list[Any]]:
    """Return an argument as rows of cells: an empty cell is an empty text, an error an object with its code."""
    rows = arg if isinstance(arg, list) else [[arg]]
    return [["" if c is None else {"code": c.code} if isinstance(c, Error) else c for c in row] for row in rows]


def test_office_js(tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("office")
    found: list[Any] = []
    with serving(home) as served, browser(served, home / "profile") as window:
        window.get(f"{served.origin}/pane.html")
        wait = importlib.import_module("selenium.webdriver.support.ui").WebDriverWait(window, 20, 0.05)
        wait.until(lambda w: w.execute_script("return Object.keys(excel.associated).length"))
        for start in range(0, len(CALLS), 500):
            given = [[c.name.removeprefix("MLSIM_"), as_excel_hands_over(c)] for c in CALLS[start : start + 500]]
            found += window.execute_async_script(IN_THE_PAGE, given)
    compare("Office.js", [from_json(as_numbers(value)) for value in found])


def as_numbers(value: Any) -> Any:
    """Return a result with every number as the float it is in the script, which writes 3.0 as 3."""
    if isinstance(value, list):
        return [[as_numbers(cell) for cell in row] for row in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


# --- LibreOffice -----------------------------------------------------------------------------------------------------


class Sheet:
    """Lays the arguments of formulas out in cells, each below the others."""

    def __init__(self) -> None:
        self.cells: list[Any] = []
        self.row = 0

    def formula(self, call: Call) -> str:
        return f"={call.name}({';'.join(map(self.argument, call.args))})"

    def argument(self, arg: Any) -> str:
        if arg is OMITTED:
            return ""
        if arg is EMPTY:
            return "$Cells.$Z$1"
        if isinstance(arg, str):
            return '"' + arg.replace('"', '""') + '"'
        if isinstance(arg, bool):
            return f"{arg}()".upper()
        if isinstance(arg, float):
            return repr(arg)
        rows = arg if isinstance(arg, list) else [[arg]]
        top, self.row = self.row, self.row + len(rows)
        self.cells += [
            (column, top + i, self.content(cell))
            for i, row in enumerate(rows)
            for column, cell in enumerate(row)
            if cell is not None
        ]
        last = f":{'ABCDEFG'[len(rows[0]) - 1]}{self.row}" if isinstance(arg, list) else ""
        return f"$Cells.A{top + 1}{last}"

    def content(self, cell: Any) -> Any:
        formulas = {
            "#N/A": "=NA()", "#DIV/0!": "=1/0", "#VALUE!": '="a"*1', "#NUM!": "=10^1000", "#REF!": "=INDIRECT(\"nothing\")",
            "#NAME?": "=nosuchname",
        }  # fmt: skip
        return {"formula": formulas[cell.code]} if isinstance(cell, Error) else cell


def as_handed_over(call: Call) -> Call:
    """Return a call as Calc hands it over: a truth value is a number."""
    return Call(call.name, tuple(float(arg) if isinstance(arg, bool) else arg for arg in call.args))


def as_shown(call: Call, due: Any) -> Any:
    """Return a result as Calc shows it: a truth value is a number; a range that holds an error stops the call."""
    if any(isinstance(cell, Error) for arg in call.args if isinstance(arg, list) for cell in flat(arg)):
        return Error("Err:504")
    if isinstance(due, list):
        return [[as_shown(call, cell) for cell in row] for row in due]
    return float(due) if isinstance(due, bool) else due


def in_calc(office: Office, asked: list[Call], due: list[Any]) -> list[Any]:
    office.new()
    sheet = Sheet()
    sizes = [(len(d), len(d[0])) if isinstance(d, list) else (1, 1) for d in due]
    items = [[sheet.formula(call), height, width] for call, (height, width) in zip(asked, sizes, strict=True)]
    office.fill(sheet.cells)
    found = [from_json(rows) for rows in office.formulas(items)]
    return [rows if size != (1, 1) else rows[0][0] for rows, size in zip(found, sizes, strict=True)]


def test_libreoffice(office: Office) -> None:
    asked = [as_handed_over(call) for call in CALLS]
    # Calc hands an empty cell over as 0: a document that has both in equal calls is refused (test_libreoffice.py).
    asked.sort(key=lambda call: EMPTY in call.args)
    border = sum(EMPTY not in call.args for call in asked)
    due = [as_shown(call, expected(call)) for call in asked]
    found: list[Any] = []
    for start, end in [*batches(0, border), *batches(border, len(asked))]:
        found += in_calc(office, asked[start:end], due[start:end])
    compare("LibreOffice", found, due, asked)


def batches(start: int, end: int) -> list[tuple[int, int]]:
    return [(first, min(first + BATCH, end)) for first in range(start, end, BATCH)]
