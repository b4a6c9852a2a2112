"""The comparison workbook: cached values, native checks, sources, errors."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from mlsim.errors import CellError
from mlsim.functions import call
from mlsim.registry import load
from mlsim_workbooks.compare import BATCHES, Comparison, build_comparison

CHIPS = ["H100", "MI300X", "Gaudi3"]
ERRORS = ("#VALUE!", "#N/A", "#NUM!", "#NAME?", "#REF!", "#DIV/0!", "#NULL!")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    return build_comparison("Llama-3-70B", CHIPS, out=tmp_path_factory.mktemp("compare") / "book.xlsx")


@pytest.fixture(scope="module")
def values(built: Comparison) -> Any:
    return openpyxl.load_workbook(built.path, data_only=True)


@pytest.fixture(scope="module")
def formulas(built: Comparison) -> Any:
    return openpyxl.load_workbook(built.path)


def formula_cells(book: Any) -> Iterator[tuple[str, str, str]]:
    for ws in book:
        for row in ws.iter_rows():
            for cell in row:
                if isinstance(cell.value, str) and cell.value.startswith("="):
                    yield ws.title, cell.coordinate, cell.value


# --- cached values -----------------------------------------------------------------------------------------------


def test_every_formula_has_a_cached_value_and_none_is_an_error(formulas: Any, values: Any) -> None:
    cells = list(formula_cells(formulas))
    assert len(cells) > 300
    for sheet, ref, formula in cells:
        value = values[sheet][ref].value
        assert value is not None, (sheet, ref, formula)
        assert not str(value).startswith(ERRORS), (sheet, ref, value)


def split(arguments: str) -> list[str]:
    parts, depth, quoted = [""], 0, False
    for char in arguments:
        quoted ^= char == '"'
        depth += 0 if quoted else (char == "(") - (char == ")")
        if char == "," and not depth and not quoted:
            parts.append("")
        else:
            parts[-1] += char
    return parts


def argument(book: Any, sheet: str, text: str) -> Any:
    """Work out an argument of our own formulas: a reference, a literal, a sum, MIN or a text joined to another."""

    def look_up(match: re.Match[str]) -> str:
        where = (match[1] or sheet + "!").rstrip("!").strip("'")
        return repr(book[where][match[2].replace("$", "")].value)

    area = re.fullmatch(r"Inputs!(\$D\$\d+:\$E\$\d+)", text)
    if area:
        return [[cell.value for cell in row] for row in book["Inputs"][area[1].replace("$", "")]]
    pieces = re.split(r'("[^"]*")', text)
    for i in range(0, len(pieces), 2):
        pieces[i] = re.sub(r"((?:\w+|'[^']+')!)?(\$?[A-Z]{1,2}\$?\d+)", look_up, pieces[i]).replace("&", "+")
    return eval("".join(pieces), {"__builtins__": {}}, {"MIN": min}) if text else None


def model_calls(formula: str) -> Iterator[tuple[str, str, bool]]:
    """Yield (function, arguments, whether the cell's value is the call's own)."""
    for match in re.finditer(r"(MLSIM_\w+)\(", formula):
        depth, at = 1, match.end()
        while depth:
            depth += (formula[at] == "(") - (formula[at] == ")")
            at += 1
        before, after = formula[: match.start()], formula[at:]
        alone = before == "=" and not after
        guarded = re.fullmatch(r"=(IF\([^,]+,)?IFERROR\(", before) and re.fullmatch(
            r',0\),0\)|,(Decision!)?\$T\$?\d+\)(,IF\([^,]+="check Inputs",[^,]+,"–"\)\))?', after
        )
        yield match[1], formula[match.end() : at - 1], bool(alone or guarded)


def test_model_cells_hold_what_the_catalogue_says(formulas: Any, values: Any) -> None:
    compared: set[str] = set()
    for sheet, ref, formula in formula_cells(formulas):
        for name, arguments, whole in model_calls(formula):
            if not whole:
                continue
            args = [argument(values, sheet, text) for text in split(arguments)]
            expected, cached = call(name, args), values[sheet][ref].value
            if isinstance(expected, float):
                assert cached == pytest.approx(expected, rel=1e-12), (sheet, ref, formula)
            else:
                assert cached == expected, (sheet, ref, formula)
            compared.add(name)
    assert {"MLSIM_DECODE_LATENCY", "MLSIM_PREFILL_LATENCY", "MLSIM_THROUGHPUT", "MLSIM_MEMORY", "MLSIM_MAX_BATCH",
            "MLSIM_BOTTLENECK", "MLSIM_WHY", "MLSIM_KV_CACHE", "MLSIM_WEIGHTS"} <= compared  # fmt: skip


def test_the_first_screen_answers(built: Comparison, values: Any) -> None:
    best = built.rows[0]
    answer = values["Decision"]["B3"].value
    told = f"{best.chip}: {best.best_dollars:.2f} $ per million output tokens at batch {best.best_batch}, TPOT {best.best_tpot_ms:.1f} ms"
    assert answer.startswith(told)
    for row in built.rows:
        if row.price is None:
            assert f"{row.chip} has no usable price" in values["Decision"]["B4"].value
            assert any(row.chip in warning for warning in built.warnings)
    first = next(r for r in range(1, 30) if values["Decision"].cell(r, 2).value == "Rank") + 1
    for i, row in enumerate(built.rows):
        cells = [values["Decision"].cell(first + i, c).value for c in (3, 5, 8, 9, 10)]
        assert cells == [row.chip, row.devices, *map(pytest.approx, (row.ttft_ms, row.tpot_ms, row.tokens_per_second))]


def test_memory_terms_sum_to_the_planner(values: Any) -> None:
    for row in values["Memory"].iter_rows(min_row=5, max_row=7, values_only=True):
        assert row[7] == pytest.approx(row[10], rel=1e-9)


def test_the_batch_48_question(values: Any) -> None:
    numbers = {r[0]: r[5] for r in values["Memory"].iter_rows(values_only=True) if isinstance(r[0], str) and r[5]}
    assert numbers["KV bytes per token: 2 · layers · KV heads · head dim · 2"] == 131072
    assert numbers["KV cache: × 4,096 tokens × 48"] == pytest.approx(numbers["MLSIM_KV_CACHE agrees"])
    assert numbers["Weights and cache"] == pytest.approx(41.83, abs=0.01)


def test_excel_does_not_recalculate_on_load(formulas: Any) -> None:
    assert not formulas.calculation.fullCalcOnLoad


def test_the_same_inputs_give_the_same_bytes(built: Comparison, tmp_path: Path) -> None:
    again = build_comparison("Llama-3-70B", CHIPS, out=tmp_path / "again.xlsx")
    assert again.path.read_bytes() == built.path.read_bytes()


# --- sources -----------------------------------------------------------------------------------------------------


def test_every_constant_is_in_the_sources(values: Any, built: Comparison) -> None:
    rows = list(values["Sources"].iter_rows(min_row=5, values_only=True))
    for row in rows:
        assert all(row[c] not in (None, "") for c in (0, 1, 2, 3, 4, 6, 7, 8, 9)), row
    have = {(row[0], row[1]) for row in rows if row[5] == "yes"}
    for result in built.rows:
        chip = load.chip(result.chip)
        memory = "memory capacity" if chip.has("memory_capacity") else "memory capacity label"
        wanted = {"memory bandwidth", memory, "peak compute bf16", "scaleup bandwidth", *(k.replace("_", " ") for k in chip.efficiency)}  # fmt: skip
        assert wanted <= {what for owner, what in have if owner == chip.name}
        assert (result.price is None) or (chip.name, "price") in have
    assert {("vLLM", a.replace("_", " ")) for a in load.runtime().figures} <= have
    for model in ("Llama-3-70B", "Llama-3-8B"):
        dimensions = {"layers", "hidden", "heads", "kv heads", "head dim", "ffn", "vocab", "total params"}
        assert {(model, d) for d in dimensions} <= have
    assert ("bf16", "bits per weight or cache element") in have


# --- the best batch ----------------------------------------------------------------------------------------------


def with_cells(built: Comparison, path: Path, cells: dict[str, Any]) -> Any:
    """Type into the sheet Decision, recalculate, and return the values."""
    from mlsim_workbooks.recalc import recalculate

    book = openpyxl.load_workbook(built.path)
    for ref, value in cells.items():
        book["Decision"][ref] = value
    book.save(path)
    recalculate(path)
    return openpyxl.load_workbook(path, data_only=True)


def test_the_best_batch_is_the_cheapest_that_fits_and_is_in_time(built: Comparison, values: Any) -> None:
    for row in built.rows:
        cells = line(values, "Decision", row.chip, 3)
        assert cells["Its best batch"] == row.best_batch
        assert cells["Cost at its best batch, $ per Mtoken"] == (
            "price?" if row.price is None else pytest.approx(row.best_dollars)
        )
        assert row.devices is not None
        assert row.best_batch is not None
        options = {}
        largest = call("MLSIM_MAX_BATCH", ["Llama-3-70B", row.chip, 2560, "bf16", row.devices])
        for batch in {min(batch, largest) for batch in BATCHES}:
            tpot = call("MLSIM_DECODE_LATENCY", ["Llama-3-70B", row.chip, batch, 2304, "bf16", row.devices])
            rate = call("MLSIM_THROUGHPUT", ["Llama-3-70B", row.chip, batch, 2048, 512, "bf16", row.devices])
            options[batch] = (tpot, row.devices / rate)
        in_time = {batch: cost for batch, (tpot, cost) in options.items() if tpot <= 50}
        assert row.best_batch == min(in_time, key=lambda b: in_time[b])
        assert row.best_tpot_ms == pytest.approx(options[row.best_batch][0])
    priced = [line(values, "Decision", r.chip, 3) for r in built.rows if r.price is not None]
    assert [p["Rank"] for p in priced] == list(range(1, len(priced) + 1))
    assert priced == sorted(priced, key=lambda p: p["Cost at its best batch, $ per Mtoken"])


def test_a_faster_target_changes_the_best_batch(built: Comparison, tmp_path: Path) -> None:
    slow = {row.chip: row.best_batch for row in built.rows}
    book = with_cells(built, tmp_path / "b.xlsx", {"D12": 25})
    for chip, batch in slow.items():
        cells = line(book, "Decision", chip, 3)
        assert cells["Its best batch"] == "none" or cells["Its best batch"] <= batch
        if cells["Its best batch"] == "none":
            assert f"{chip} takes longer than 25 ms per token at every batch" in book["Decision"]["B4"].value
    assert line(book, "Decision", "MI300X", 3)["Its best batch"] == "none"
    book = with_cells(built, tmp_path / "c.xlsx", {"D12": 1})
    assert book["Decision"]["B3"].value.startswith("None of them serves a token within 1 ms")


def test_the_price_below_which_a_chip_is_cheapest_makes_it_so(built: Comparison, values: Any, tmp_path: Path) -> None:
    i, chip = next((i, row.chip) for i, row in enumerate(built.rows) if row.price is None)
    limit = line(values, "Decision", chip, 3)["Cheapest below this price"]
    for factor, rank in ((0.99, 1), (1.01, 2)):
        book = with_cells(built, tmp_path / f"{rank}.xlsx", {f"J{7 + i}": f"{limit * factor:.6f} $/GPU-h"})
        assert line(book, "Decision", chip, 3)["Rank"] == rank


# --- typed figures -----------------------------------------------------------------------------------------------


def retyped(built: Comparison, path: Path, chip: str, label: str, text: str | None) -> Any:
    """Type one figure into the sheet Inputs, recalculate, and return the values."""
    from mlsim_workbooks.recalc import recalculate

    seeded(built, path, {(chip, label, text): None}, price="2 $/GPU-h")
    recalculate(path)
    return openpyxl.load_workbook(path, data_only=True)


def line(book: Any, sheet: str, chip: str, column: int) -> dict[str, Any]:
    """Return heading -> value of a chip's line on a sheet."""
    rows = list(book[sheet].iter_rows(values_only=True))
    at = next(i for i, row in enumerate(rows) if row[column - 1] == "Accelerator")
    found = next(row for row in rows[at + 1 :] if row[column - 1] == chip)
    return dict(zip(rows[at], found, strict=True))


def said(book: Any, chip: str, label: str) -> str:
    return next(str(r[5]) for r in book["Inputs"].iter_rows(values_only=True) if r[:2] == (chip, label))


def test_a_typed_figure_drives_the_models(built: Comparison, values: Any, tmp_path: Path) -> None:
    book = retyped(built, tmp_path / "b.xlsx", "MI300X", "Memory bandwidth", "4 TB/s")
    before, after = (line(b, "Decision", "MI300X", 3) for b in (values, book))
    own = [["Based on", "MI300X"], ["Memory bandwidth", "4 TB/s"]]
    tpot = call("MLSIM_DECODE_LATENCY", ["Llama-3-70B", own, 16, 2048 + 256, "bf16", before["Devices per replica"]])
    assert after["TPOT (time per token)"] == pytest.approx(tpot, rel=1e-12)
    assert before["TPOT (time per token)"] * 1.2 < tpot < before["TPOT (time per token)"] * 5.3 / 4
    assert said(book, "MI300X", "Memory bandwidth").startswith("⚠ 4 TB/s is 24.5 % less than the registry says: 5.3")
    rival = [line(b, "Decision", "H100-SXM-80GB", 3)["TPOT (time per token)"] for b in (values, book)]
    assert rival[0] == rival[1]


def test_typed_memory_changes_the_number_of_devices(built: Comparison, tmp_path: Path) -> None:
    book = retyped(built, tmp_path / "b.xlsx", "MI300X", "Memory", "96 GiB")
    after = line(book, "Decision", "MI300X", 3)
    assert after["Devices per replica"] == 2
    assert after["Usable memory"] == pytest.approx(96 * load.runtime().get("memory_fraction"))
    assert line(book, "Memory", "MI300X", 1)["Devices"] == 2


def test_a_wrong_unit_is_told_where_the_results_stand(built: Comparison, tmp_path: Path) -> None:
    book = retyped(built, tmp_path / "b.xlsx", "MI300X", "Memory bandwidth", "4 TFLOP")
    after = line(book, "Decision", "MI300X", 3)
    assert after["TPOT (time per token)"] == after["Devices per replica"] == "check Inputs"
    assert said(book, "MI300X", "Memory bandwidth").startswith("✗")
    assert "MI300X: a figure typed on the sheet Inputs cannot be used" in book["Decision"]["B4"].value
    cells = [str(c.value) for row in book["Decision"].iter_rows() for c in row]
    assert any("a data rate (TB/s) is due" in text for text in cells)
    assert not [(ws.title, c.coordinate) for ws in book for row in ws.iter_rows() for c in row if c.value in ERRORS]


def test_an_empty_figure_falls_back_to_the_registry(built: Comparison, values: Any, tmp_path: Path) -> None:
    book = retyped(built, tmp_path / "b.xlsx", "MI300X", "Memory bandwidth", None)
    before, after = (line(b, "Decision", "MI300X", 3)["TPOT (time per token)"] for b in (values, book))
    assert before == after
    assert "the registry's 5.3 TB/s is used" in said(book, "MI300X", "Memory bandwidth")


@pytest.mark.parametrize("precision", ["fp8", "int8", "fp16", "mxfp4-w4a4", "tf32"])
def test_the_peak_is_that_of_the_compute_precision(precision: str, tmp_path: Path) -> None:
    result = build_comparison("Llama-3-8B", ["H100", "T4", "TPUv5e"], precision=precision, out=tmp_path / "b.xlsx")
    book = openpyxl.load_workbook(result.path, data_only=True)
    for row in result.rows:
        cells = line(book, "Decision", row.chip, 3)
        if row.tpot_ms is not None:
            assert cells["TPOT (time per token)"] == pytest.approx(row.tpot_ms, rel=1e-12)
        else:
            assert cells["TPOT (time per token)"] in ("no data", "–")
        label = f"{load.precision(precision).compute} peak, dense"
        assert not said(book, row.chip, label).startswith("✗")


# --- native checks, worked out by another program ----------------------------------------------------------------


def libreoffice(folder: Path, to: str, *books: Path) -> Path:
    soffice = shutil.which("soffice")
    if soffice is None:
        pytest.skip("NOT TESTED: LibreOffice (soffice) is not installed, so native checks were not recalculated")
    out = folder / "converted"
    command = [soffice, f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless", "--convert-to", to]
    subprocess.run([*command, "--outdir", str(out), *map(str, books)], check=True, capture_output=True, timeout=180)
    return out


MISTAKES = {
    ("H100-SXM-80GB", "Memory bandwidth", "80 TFLOP"): ("✗", "count of floating-point operations"),
    ("H100-SXM-80GB", "Memory", "80 GB"): ("⚠", "really has 79.65 GiB = 85.52 GB; the difference is 5.5 GB"),
    ("H100-SXM-80GB", "bf16 peak, dense", "1979 TFLOP/s"): ("⚠", "sparse"),
    ("H100-SXM-80GB", "Scale-up link, one direction", "900 GB/s"): ("⚠", "both directions"),
    ("MI300X", "Memory bandwidth", "5.3 XB/s"): ("✗", "not a unit"),
    ("MI300X", "Memory", "192 gb"): ("✗", "case matters"),
    ("MI300X", "bf16 peak, dense", "1300 TFLOPs"): ("✗", "ambiguous"),
    ("MI300X", "Scale-up link, one direction", "448 Gb/s"): ("✗", "bits"),
    ("Gaudi3", "Memory bandwidth", 3.7): ("✗", "bare number"),
    ("Gaudi3", "Memory", "128 GiB"): ("⚠", "Write GB, not GiB"),
    ("Gaudi3", "bf16 peak, dense", "1677 TFLOP/s"): ("⚠", "8.6 % less"),
    ("Gaudi3", "Scale-up link, one direction", "600GB/s"): ("✗", "a space"),
}
FINE = {
    ("H100-SXM-80GB", "Memory", "80 GiB"): ("✓", "0.35 GiB more"),
    ("H100-SXM-80GB", "bf16 peak, dense", "0.989 PFLOPS"): ("✓", "Agrees"),
    ("H100-SXM-80GB", "Memory bandwidth", "3,350 GB/s"): ("✓", "Agrees"),
    ("MI300X", "Memory", None): ("⚠", "No figure"),
}


def seeded(built: Comparison, path: Path, wrong: dict[Any, Any], price: str = "20 $/h") -> None:
    book = openpyxl.load_workbook(built.path)
    ws = book["Inputs"]
    for (chip, label, text), _ in wrong.items():
        row = next(r for r in range(6, 40) if (ws.cell(r, 1).value, ws.cell(r, 2).value) == (chip, label))
        ws.cell(row, 5).value = text
    book["Decision"]["J7"] = price
    book.save(path)  # openpyxl drops the cached values, so the other program has to work everything out


def test_seeded_mistakes_are_told_by_native_formulas(built: Comparison, tmp_path: Path) -> None:
    books = [(tmp_path / "wrong.xlsx", MISTAKES), (tmp_path / "fine.xlsx", FINE)]
    for path, cells in books:
        seeded(built, path, cells)
    out = libreoffice(tmp_path, "xlsx", *(path for path, _ in books))
    for path, cells in books:
        ws = openpyxl.load_workbook(out / path.name, data_only=True)["Inputs"]
        said = {(r[0], r[1]): r[5] for r in ws.iter_rows(min_row=6, values_only=True)}
        for (chip, label, _), (mark, words) in cells.items():
            assert said[chip, label].startswith(mark), (chip, label, said[chip, label])
            assert words in said[chip, label], (chip, label, said[chip, label])
        price = openpyxl.load_workbook(out / path.name, data_only=True)["Decision"]["L7"].value
        assert price.startswith("✗")
        assert "what the hour is of" in price


def test_the_embedded_engine_and_libreoffice_agree_on_checks(built: Comparison, tmp_path: Path) -> None:
    from mlsim_workbooks.recalc import recalculate

    book = tmp_path / "wrong.xlsx"
    seeded(built, book, MISTAKES)
    theirs = openpyxl.load_workbook(libreoffice(tmp_path, "xlsx", book) / book.name, data_only=True)["Checks"]
    recalculate(book)
    ours = openpyxl.load_workbook(book, data_only=True)["Checks"]
    for row in range(7, 7 + 5 * len(CHIPS)):
        assert ours.cell(row, 15).value == theirs.cell(row, 15).value


def test_libreoffice_shows_cached_values_without_the_add_in(built: Comparison, values: Any, tmp_path: Path) -> None:
    text = (libreoffice(tmp_path, "csv:Text - txt - csv (StarCalc):44,34,76", built.path) / "book.csv").read_text(
        encoding="utf-8"
    )
    assert "#NAME?" not in text
    assert values["Decision"]["B3"].value in text
    assert f"{built.rows[0].tpot_ms:.1f} ms" in text


def test_colours_follow_the_check_text(formulas: Any) -> None:
    rules = {
        rule.formula[0]: rule.dxf.fill.bgColor.rgb[-6:]
        for area in formulas["Inputs"].conditional_formatting
        for rule in area.rules
    }
    assert rules == {'LEFT($F6,1)="✗"': "F6C2BD", 'LEFT($F6,1)="⚠"': "FFE29A", 'LEFT($F6,1)="✓"': "DDEFDD"}


# --- what cannot be compared -------------------------------------------------------------------------------------


def test_a_chip_that_cannot_hold_the_model_leaves_the_sheet_readable(tmp_path: Path) -> None:
    result = build_comparison("DeepSeek-V3", ["H100", "T4"], precision="fp8", batch=64, out=tmp_path / "b.xlsx")
    book = openpyxl.load_workbook(result.path, data_only=True)
    assert result.rows[-1].chip == "T4"
    assert result.rows[-1].devices is None
    cells = [c.value for row in book["Decision"].iter_rows() for c in row]
    assert "no fit" in cells
    assert not [v for v in cells if v in ERRORS]


def test_an_own_price_replaces_the_registry(tmp_path: Path) -> None:
    prices = {"Gaudi 3": "1.2 $/GPU-h"}
    result = build_comparison("Llama-3-8B", ["H100", "Gaudi3"], prices=prices, out=tmp_path / "b.xlsx")
    row = next(r for r in result.rows if r.chip == "Gaudi3")
    assert row.price == pytest.approx(1.2)
    sources = openpyxl.load_workbook(result.path)["Sources"]
    assert ("Gaudi3", "rental price", 1.2) in [r[:3] for r in sources.iter_rows(values_only=True)]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ({"model": "Lama-9"}, "#N/A", "Lama-9"),
        ({"model": "ResNet-50"}, "#NUM!", "language model"),
        ({"hardware": ["H1OO-XXL"]}, "#N/A", "H1OO-XXL"),
        ({"hardware": []}, "#VALUE!", "No hardware"),
        ({"hardware": ["H100", "h100 sxm"]}, "#VALUE!", "same chip"),
        ({"precision": "bf17"}, "#N/A", "bf17"),
        ({"batch": 0}, "#NUM!", "batch"),
        ({"prompt": 1.5}, "#VALUE!", "prompt"),
        ({"prices": {"H100": "2.50 $/h"}}, "#VALUE!", "what the hour is of"),
        ({"prices": {"H100": "2.50 EUR/GPU-h"}}, "#VALUE!", "exchange rate"),
        ({"prices": {"A100": "2.50 $/GPU-h"}}, "#VALUE!", "not compared"),
    ],
)
def test_wrong_arguments_get_a_sentence(arguments: dict[str, Any], code: str, words: str, tmp_path: Path) -> None:
    target = tmp_path / "b.xlsx"
    with pytest.raises(CellError) as caught:
        build_comparison(**{"model": "Llama-3-8B", "hardware": ["H100"], "out": target, **arguments})
    assert caught.value.code == code
    assert words in caught.value.message
    assert not target.exists()


def test_a_place_that_cannot_be_written_gets_a_sentence(tmp_path: Path) -> None:
    for target in (tmp_path / "missing" / "b.xlsx", tmp_path):
        with pytest.raises(CellError):
            build_comparison("Llama-3-8B", ["H100"], out=target)
