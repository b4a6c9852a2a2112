"""What fuzzing has found, each as a test of its own."""

from __future__ import annotations

import gc
import pickle
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from seed_books import MAIN, book, c, packed, sheet
from watch import in_time

from mlsim.errors import CellError, shorten
from mlsim.files import FileError
from mlsim.registry.names import _closest
from mlsim_addin import host
from mlsim_workbooks.lint.command import checked
from mlsim_workbooks.recalc import RecalcError, recalculate

HUGE = 10**400  # a whole number beyond every float, as JSON may hold
OWN = [["layers", 16.0], ["hidden", 2048.0], ["heads", 32.0], ["kv heads", 8.0], ["ffn", 8192.0], ["vocab", 1e5]]


def error(name: str, *args: Any) -> CellError:
    """Return the error that a call gives, the last one of a range, after a look at its sentence."""
    found = host.call(name, args)
    found = found[-1][-1] if isinstance(found, list) else found
    assert isinstance(found, CellError), found
    assert "defect" not in found.message
    assert found.message.isprintable()
    return found


# --- calls -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cells", [[["hardware"], ["hardware"]], [["hardware", 4.0], [4.0, "hardware"]]])
def test_a_table_asked_for_by_equal_cells_of_a_range(cells: Any) -> None:
    assert error("MLSIM_LIST", cells).message.startswith("MLSIM_LIST fills a table")


@pytest.mark.parametrize("name", ["MLSIM_TPOT", "MLSIM_KV_CACHE", "MLSIM_CONVERT", "MLSIM_TRAIN_PARTS", "MLSIM_MUL"])
def test_a_whole_number_beyond_every_float(name: str) -> None:
    for args in ((HUGE,), ("Llama-3-8B", HUGE), ("Llama-3-8B", "H100", HUGE), ([*OWN, ["experts", HUGE]], "H100")):
        assert len(error(name, *args).message) < 400


def test_an_overflow_is_outside_the_domain() -> None:
    assert error("MLSIM_DIV", "140 GB", 5e-324, 5e-324).code == "#NUM!"


def test_nothing_is_compared_with_the_unit_it_may_have_meant() -> None:
    assert host.call("MLSIM_CHECK", ["0 GB", "GB"]) == "ok: 0 GB."


@pytest.mark.parametrize("text", ["\x1b[31mred", "a\x07b", "a\x00b", "\ud800", "\u202etxt"])
def test_no_control_character_reaches_a_message(text: str) -> None:
    for name, args in (
        ("MLSIM_TPOT", (text, "H100")), ("MLSIM_TPOT", ("Llama-3-8B", "H100", text)), ("MLSIM_LINT", (text,)),
        ("MLSIM_TPOT", ("Llama-3-8B", "H100", 1, 1, "bf16", 1, "vLLM", text)), ("MLSIM_SPEC", ("H100", text)),
    ):  # fmt: skip
        error(name, *args)


def test_a_range_in_a_message_is_told_by_its_size() -> None:
    assert shorten([["memory", "80 GB"], ["name", "x"]]) == "a range of 2×2 cells"
    assert "['" not in error("MLSIM_CALIBRATE", [["Llama-3-8B", 1.0]]).message


@pytest.mark.parametrize(
    ("devices", "batch", "layers"), [(1e18, 64, 16), (64, 1e15, 16), (64, 64, 1e17), (1e308, 1, 1)]
)
def test_a_plan_for_more_than_there_is(devices: float, batch: float, layers: float) -> None:
    with in_time(5):
        found = error("MLSIM_PARALLEL_PLAN", [["layers", layers], *OWN[1:]], "H100", devices, batch)
    assert found.code == "#NUM!"
    assert "plans are searched up to" in found.message


def test_a_range_of_plans_is_refused_before_they_are_searched() -> None:
    with in_time(2):
        found = error("MLSIM_PARALLEL_PLAN", "Llama-3-70B", "H100", [[64.0 + 64 * i] for i in range(1000)])
    assert "fills a table" in found.message


def test_too_many_arguments_are_refused_before_they_are_read() -> None:
    with in_time(2):
        found = error("MLSIM_SPECULATIVE_TPOT", *[[[f"no such name {i} {j}"] for j in range(6)] for i in range(300)])
    assert "takes at most" in found.message


def test_an_error_that_is_remembered_keeps_no_memory() -> None:
    host.call("MLSIM_TPOT", ["nothing", "H100"])
    gc.collect()
    tracemalloc.start()
    for _ in range(3000):
        host.call("MLSIM_TPOT", ["nothing", "H100"])
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert grown < 100_000  # each raise of one object added a link to its traceback: 1.3 kB a call


def test_the_nearest_name_is_looked_for_once() -> None:
    _closest.cache_clear()
    for batch in range(1, 200):
        host.call("MLSIM_TPOT", ["Lama-3-8B", "H100", batch])
    assert _closest.cache_info().misses <= 3


def test_a_refusal_can_be_sent_to_another_process() -> None:
    for refusal in (FileError("It is gone."), RecalcError("It is gone.")):
        found = pickle.loads(pickle.dumps(refusal))
        assert (type(found), str(found)) == (type(refusal), "It is gone.")


# --- workbooks -------------------------------------------------------------------------------------------------------


def written(folder: Path, *cells: str) -> Path:
    """Write a workbook whose first sheet has one row of these cells."""
    path = folder / "book.xlsx"
    path.write_bytes(packed(book({"S": sheet([list(cells)])})))
    return path


def first_sheet(path: Path) -> str:
    return zipfile.ZipFile(path).read("xl/worksheets/sheet1.xml").decode()


@pytest.mark.parametrize(
    ("left", "right"),
    [("SUM(", ")"), ("1+(", ")"), ("IF(TRUE,", ",0)"), ("{", "}"), ("-", ""), ("1^", ""), ("1+", ""), ("(", ")")],
)
@pytest.mark.parametrize("depth", [2_500, 20_000])
def test_deep_nesting_does_not_end_the_process(tmp_path: Path, left: str, right: str, depth: int) -> None:
    path = written(tmp_path, c("A1", left * depth + "1" + right * depth, "42"), c("B1", "A1+1", "43"), c("C1", "1+1"))
    with in_time(20):
        report = recalculate(path)
    assert "<v>2</v>" in first_sheet(path)
    assert {cell for _, cell, _ in report.left} >= {"A1", "B1"} or "<v>42</v>" not in first_sheet(path)


@pytest.mark.parametrize(
    "formula",
    [
        "_xlfn.LET(_xlpm.f,_xlfn.LAMBDA(_xlpm.n,_xlpm.f(_xlpm.n)),_xlpm.f(1))", "FACT(1E9)", "FACT(D1)", "COMBIN(D1,D1/2)",
        "COUNT(A:XFD)", "COUNT(1:1048576)", "SUMPRODUCT(ROW(1:1048576))", "_xlfn.SEQUENCE(1E6,1E3)", 'REPT("x",1E9)',
    ],
)  # fmt: skip
def test_work_without_end_is_left_alone(tmp_path: Path, formula: str) -> None:
    last = '<c r="XFD1"><v>1</v></c>'
    path = written(tmp_path, c("A1", formula, "42"), c("B1", "A1+1", "43"), c("C1", "1+1"), c("D1", value="1E9"), last)
    with in_time(20):
        recalculate(path)
    assert '<c r="C1"><f>1+1</f><v>2</v></c>' in first_sheet(path)


def test_a_text_longer_than_a_cell(tmp_path: Path) -> None:
    path = written(tmp_path, c("A1", 'SUBSTITUTE(REPT("a",32767),"a","bbbb")', "42"))
    recalculate(path)
    assert '<c r="A1" t="e"' in first_sheet(path)
    assert "<v>#VALUE!</v>" in first_sheet(path)


@pytest.mark.parametrize(
    "cells",
    [
        '<c r="A1"><f>1+1</f><v>0<v>7</v></v></c>', '<c r="A1"><f>1+1</f><is><v>0</v></is></c>', '<c r="A1"><f>1+1</f><v>0</v><v>7</v></c>',
        '<c r="A1"><f>1+1</f><v>0</v></c><c r="A1"><f>1+2</f><v>0</v></c>', '<c r="A1"><f>1+1</f><f>1+2</f><v>0</v></c>',
        '<c r="A1"><f>1+1<v>0</v></f></c>', '<c r="A1"><f>1+1</f><v>0</v><c r="B1"><f>3</f></c></c>',
    ],
)  # fmt: skip
def test_a_cell_that_is_not_put_together_as_cells_are(tmp_path: Path, cells: str) -> None:
    path = written(tmp_path, cells)
    before = path.read_bytes()
    try:
        recalculate(path)
    except RecalcError as refusal:
        said = str(refusal)
    else:  # otherwise it is XML, and one value is in each cell
        root = ElementTree.fromstring(first_sheet(path))
        assert all(len(cell.findall(f"{{{MAIN}}}v")) <= 1 for cell in root.iter(f"{{{MAIN}}}c"))
        assert recalculate(path).changed == []
        return
    assert "damaged" in said
    assert path.read_bytes() == before


def test_a_recalculation_reads_no_other_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret.xlsx"
    secret.write_bytes(packed(book({"S": sheet([['<c r="A1" t="inlineStr"><is><t>Salary (GB)</t></is></c>']])})))
    path = written(tmp_path, c("A1", f'MLSIM_LINT("{secret}")', "42"), c("B1", 'MLSIM_LINT("/etc/passwd")', "42"))
    report = recalculate(path)
    assert [(cell, code) for sheet_name, cell, code, _ in report.errors if sheet_name == "S"] == [
        ("A1", "#VALUE!"),
        ("B1", "#VALUE!"),
    ]


def test_nested_sums_are_checked_in_no_time(tmp_path: Path) -> None:
    path = written(tmp_path, c("A1", "SUM(" * 60 + "1" + ")" * 60, "42"))
    with in_time(10):
        assert checked(str(path)).findings == []
