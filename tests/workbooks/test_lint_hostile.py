"""Hostile and odd workbooks: each ends in findings or in one clear sentence, never in a traceback or a hang.

Beside the odd sheet every workbook has a plain one with one mistake in it, which must be found all the same.
"""

from __future__ import annotations

import contextlib
import io
import re
import signal
import struct
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.chart import BarChart, Reference

import mlsim
import mlsim_workbooks
from mlsim.files import FileError
from mlsim.units import parse_unit
from mlsim_workbooks.lint import check_book
from mlsim_workbooks.lint.annotate import annotate
from mlsim_workbooks.lint.report import as_json, as_sarif, lines
from mlsim_workbooks.package import column_name, read_package
from mlsim_workbooks.recalc import bare as engine

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
RULES = Path(__file__).parents[2] / "docs" / "rules"
MISTAKE = ("Plan", "D2", "binary-prefix")
LIMIT = 10  # seconds that no workbook here may take
Parts = dict[str, bytes | str]


# --- what watches every test -------------------------------------------------------------------------------------------

_WATCH: dict[int, list[str]] = {}  # thread -> what was done outside the process
_OUTSIDE = ("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.startfile", "urllib.")
_OWN = (
    sys.prefix,
    sys.base_prefix,
    *(str(Path(str(m.__file__)).parent) for m in (mlsim, mlsim_workbooks)),
)  # code, registry


def _hook(event: str, args: tuple[Any, ...]) -> None:
    done = _WATCH.get(threading.get_ident())
    if done is None:
        return
    if event.startswith(_OUTSIDE):
        done.append(f"{event} {args!r}")
        raise PermissionError(f"{event} in a check")
    if event == "open" and not str(args[0]).startswith(_OWN):
        done.append(f"open {args[0]}")


parse_unit("GB")  # what the unit library opens when it is first used is no workbook's doing
sys.addaudithook(_hook)


@contextlib.contextmanager
def watched() -> Iterator[list[str]]:
    """Collect the files that are opened; the network and other programs are out of reach."""
    done = _WATCH[threading.get_ident()] = []
    try:
        yield done
    finally:
        del _WATCH[threading.get_ident()]


@contextlib.contextmanager
def in_time() -> Iterator[None]:
    """Turn a hang into a failure, where the platform has alarms."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def late(*_: object) -> None:
        raise TimeoutError(f"took more than {LIMIT} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(LIMIT)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def clear(error: FileError) -> None:
    """Check that an error is one sentence for a person."""
    said = error.message
    assert said.endswith(".")
    assert "\n" not in said
    assert len(said) < 400
    assert not re.search(
        r"Traceback|\w(?:Error|Exception)\b|invalid literal|could not convert|list index|<\w+ object", said
    )


def ends_well(path: Path, marked: bool = True) -> set[tuple[str, str, str]]:
    """Check a workbook and write every report of it; a refusal is one sentence, and raises."""
    with in_time(), watched() as opened:
        try:
            read = read_package(path)
            result = check_book(read)
            "\n".join(lines(result.findings)).encode(errors="backslashreplace")
            as_json(result.findings).encode()
            as_sarif(result.findings, []).encode()
            if marked:
                annotate(read, result.findings)
        except FileError as error:
            clear(error)
            raise
    assert [o for o in opened if path.name not in o] == []
    return {(f.sheet, f.cell, f.rule) for f in result.findings}


# --- workbooks, written as XML -------------------------------------------------------------------------------------------


def text_cell(ref: str, text: str) -> str:
    return f'<c r="{ref}" t="inlineStr"><is><t>{escape(text)}</t></is></c>'


def formula_cell(ref: str, formula: str, attrs: str = "") -> str:
    return f'<c r="{ref}"><f{attrs}>{escape(formula)}</f><v>1</v></c>'


def cell(ref: str, content: float | str) -> str:
    if isinstance(content, str):
        return formula_cell(ref, content[1:]) if content.startswith("=") else text_cell(ref, content)
    return f'<c r="{ref}"><v>{content}</v></c>'


def rows(cells: Mapping[str, float | str]) -> str:
    """Return the rows of a sheet from its cells, which are given in order."""
    by_row: dict[str, list[str]] = {}
    for ref, content in cells.items():
        by_row.setdefault(re.sub(r"\D", "", ref), []).append(cell(ref, content))
    return "".join(f'<row r="{number}">{"".join(row)}</row>' for number, row in by_row.items())


def sheet(data: str, before: str = "", after: str = "") -> str:
    return f'<worksheet xmlns="{MAIN}" xmlns:r="{OFFICE}">{before}<sheetData>{data}</sheetData>{after}</worksheet>'


PLAN = sheet(
    rows({"A1": "Part", "B1": "Weights (GB)", "C1": "KV cache (GiB)", "D1": "Total (GB)"})
    + rows({"A2": "job 1", "B2": 10.0, "C2": 3.0, "D2": "=B2+C2"})
)


def rels(*targets: tuple[str, str], mode: str = "") -> str:
    found = "".join(
        f'<Relationship Id="rId{i}" Type="{OFFICE}/{kind}" Target="{target}"{mode}/>'
        for i, (kind, target) in enumerate(targets, 1)
    )
    return f'<Relationships xmlns="{PACKAGE}/relationships">{found}</Relationships>'


def parts(
    odd: str = sheet(""),
    names: str = "",
    strings: str | None = None,
    name: str = "Odd",
    state: str = "",
    props: str = "",
) -> Parts:
    """Return the parts of a workbook with the sheets Plan and Odd."""
    targets = [("worksheet", "worksheets/sheet1.xml"), ("worksheet", "worksheets/sheet2.xml")]
    targets += [("sharedStrings", "sharedStrings.xml"), ("styles", "styles.xml")]
    found: Parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{TYPE}.worksheet+xml"/></Types>',
        "_rels/.rels": rels(("officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">{props}<sheets>'
        f'<sheet name="Plan" sheetId="1" r:id="rId1"/><sheet name="{escape(name, {chr(34): "&quot;"})}" sheetId="2" '
        f'{state} r:id="rId2"/></sheets><definedNames>{names}</definedNames></workbook>',
        "xl/_rels/workbook.xml.rels": rels(*targets),
        "xl/worksheets/sheet1.xml": PLAN,
        "xl/worksheets/sheet2.xml": odd,
        "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><fonts count="1"><font/></fonts><fills count="1"><fill/></fills>'
        '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
        '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="10"/></cellXfs></styleSheet>',
    }
    if strings is not None:
        found["xl/sharedStrings.xml"] = strings
    return found


def write(path: Path, content: Parts) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return path


def defined(name: str, definition: str, attrs: str = "") -> str:
    return f'<definedName name="{name}"{attrs}>{escape(definition)}</definedName>'


# --- sheets that are read ------------------------------------------------------------------------------------------------


def formulas(*texts: str) -> Callable[[], Parts]:
    return lambda: parts(sheet(rows({f"A{i}": "=" + text for i, text in enumerate(texts, 1)})))


def ring(size: int) -> Callable[[], Parts]:
    return lambda: parts(sheet(rows({f"A{i}": f"=A{i % size + 1}" for i in range(1, size + 1)})))


def chain(size: int, step: int) -> Callable[[], Parts]:
    """Each cell adds to the one before it (or, against the order of reading, the one after it)."""
    ends = (1, size) if step < 0 else (size, 1)

    def build() -> Parts:
        cells = {f"A{i}": f"=A{i + step}+B{i}" for i in range(1, size + 1) if i != ends[0]}
        return parts(sheet(rows({"A1": 1.0, **cells} if step < 0 else {**cells, f"A{size}": 1.0})))

    return build


def doubling(formula: str) -> Callable[[], Parts]:
    """Each of 90 cells uses the one before it twice."""
    cells = {f"A{i}": "=" + formula.format(i - 1) for i in range(2, 92)}
    return lambda: parts(sheet(rows({"A1": 1.0, **cells})))


def running(size: int) -> Parts:
    cells: dict[str, float | str] = {"A1": "Hours (h)", "B1": "So far (h)"}
    for i in range(2, size + 2):
        cells |= {f"A{i}": 1.0, f"B{i}": f"=SUM($A$2:A{i})"}
    return parts(sheet(rows(cells)))


def label(text: str) -> Callable[[], Parts]:
    """A text as row label, header, unit, note of a table, and inside a formula."""

    def build() -> Parts:
        cells: dict[str, float | str] = {"A1": "Part", "B1": text, "A2": text, "B2": 3.0, "C2": text, "D2": "=B2*2"}
        return parts(sheet(rows(cells)))

    return build


def names(*found: tuple[str, str]) -> Callable[[], Parts]:
    def build() -> Parts:
        cells: dict[str, float | str] = {f"A{i}": f"={name}*2" for i, (name, _) in enumerate(found, 1)}
        return parts(sheet(rows(cells)), "".join(defined(*one) for one in found))

    return build


def raw(data: str, before: str = "", after: str = "") -> Callable[[], Parts]:
    return lambda: parts(sheet(data, before, after))


def without(*gone: str) -> Callable[[], Parts]:
    return lambda: {name: data for name, data in parts().items() if name not in gone}


def external() -> Parts:
    """A link to another workbook, on disk and on the network, which is never opened."""
    texts = ("[1]Sheet1!A1*2", "SUM([1]Sheet1!A1:A9)", "'[1]Other sheet'!B2", "[1]!Name", "'C:\\x\\[other.xlsx]S'!A1+1",
             "'\\\\host\\share\\[a.xlsx]S'!A1", "'https://host.invalid/[a.xlsx]S'!A1", "[2]Sheet1!A1+B1")  # fmt: skip
    content = formulas(*texts)()
    content["xl/externalLinks/externalLink1.xml"] = (
        f'<externalLink xmlns="{MAIN}" xmlns:r="{OFFICE}"><externalBook r:id="rId1"/></externalLink>'
    )
    content["xl/externalLinks/_rels/externalLink1.xml.rels"] = rels(
        ("externalLinkPath", "https://host.invalid/a.xlsx"), mode=' TargetMode="External"'
    )
    return content


def table(*columns: str) -> Callable[[], Parts]:
    """A table with these columns, and formulas that name them as Excel writes them."""

    def build() -> Parts:
        cells: dict[str, float | str] = {f"{column_name(i)}1": text for i, text in enumerate(columns, 1)}
        cells |= {f"{column_name(i)}2": float(i) for i in range(1, len(columns) + 1)}
        for i, text in enumerate(columns):
            quoted = re.sub(r"(['\[\]#@])", r"'\1", text)
            cells[f"J{i + 3}"] = f"=SUM(Jobs[{quoted}])+Jobs[[#Totals],[{quoted}]]"
            cells[f"K{i + 3}"] = f"=Jobs[[#This Row],[{quoted}]]"
        content = parts(sheet(rows(cells), after='<tableParts count="1"><tablePart r:id="rId1"/></tableParts>'))
        content["xl/worksheets/_rels/sheet2.xml.rels"] = rels(("table", "../tables/table1.xml"))
        entity = {'"': "&quot;", "\n": "_x000a_"}
        found = "".join(f'<tableColumn id="{i}" name="{escape(c, entity)}"/>' for i, c in enumerate(columns, 1))
        ref = f"A1:{column_name(len(columns))}2"
        content["xl/tables/table1.xml"] = (
            f'<table xmlns="{MAIN}" id="1" name="Jobs" displayName="Jobs" ref="{ref}"><tableColumns>{found}</tableColumns></table>'
        )
        return content

    return build


def many_notes() -> Parts:
    """Notes that ask for impossible things, stand outside the sheet, or go on for long."""
    said = ["mlsim: ok", "mlsim: ok nothing-like-it", "mlsim: ignore", "mlsim: ok " + "a, " * 9000, "mlsim:" * 9000]
    places = ["A1", "B2", "ZZZ99999999", "1A", "C3"]
    content = parts(sheet(rows({"A1": 1.0})))
    content["xl/worksheets/_rels/sheet2.xml.rels"] = rels(("comments", "../comments1.xml"))
    notes = "".join(
        f'<comment ref="{p}" authorId="0"><text><t>{t}</t></text></comment>' for p, t in zip(places, said, strict=True)
    )
    content["xl/comments1.xml"] = (
        f'<comments xmlns="{MAIN}"><authors><author/></authors><commentList>{notes}</commentList></comments>'
    )
    return content


def chart_sheet() -> Parts:
    book = Workbook()
    plan = book.active
    assert plan is not None
    plan.title = "Plan"
    plan.append(["Part", "Weights (GB)", "KV cache (GiB)", "Total (GB)"])
    plan.append(["job 1", 10, 3, "=B2+C2"])
    chart = BarChart()
    chart.add_data(Reference(plan, range_string="Plan!B2:D2"))
    book.create_chartsheet("Chart").add_chart(chart)
    stream = io.BytesIO()
    book.save(stream)
    with zipfile.ZipFile(stream) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


NUMBERS = (
    "NaN",
    "nan",
    "INF",
    "-inf",
    "1e400",
    "-1E-400",
    "1e308",
    "4.9E-324",
    "0",
    "-0",
    "1" * 300,
    " 7 ",
    "1e-308",
    "1E+100",
)
CONTROL = "a\tb\nc\u2028d\u200be_x0000_f_x001B_[31m_xD800_g_xFFFF_h\u202e\u0085 (GB)"
ODD_WORDS = (
    "نموذج الذكاء (GB)",
    "\u202eGB\u202c (GiB) עלות",
    "🚀 GPU 👩‍👩‍👧 (GB)",
    "ＧＢ（ｋＷ）",
    "ﷺ",
    "\U0010ffff",
    "Größe [GB]",
    "①②½",
)
LONG = {"plain": "a", "words": "GB per second ", "open": "(", "square": "[", "close": ")", "spaces": " x ", "digits": "1", "slashes": "/",
        "per": "per ", "money": "$", "commas": "1,", "dots": ".", "minus": "-", "units": "GB/", "mixed": "1 GB, ",
        "no-break": "\xa0", "quotes": "'", "marks": '"', "powers": "10^", "percent": "% ", "middle": "·", "lines": "\n"}  # fmt: skip
DEEP = 500

READ: dict[str, Callable[[], Parts]] = {
    "two cells in a circle": lambda: parts(sheet(rows({"A1": "=B1", "B1": "=A1"}))),
    "a cell that uses itself": formulas("A1", "A2+1", "SUM(A1:A9)", "A4*A4", "SUM(A:A)", "SUM(5:5)"),
    "a ring of 1,000": ring(1000),
    "a chain of 50,000, downwards": chain(50_000, -1),
    "a chain of 50,000, upwards": chain(50_000, 1),
    "a product of the cell above with itself": doubling("A{0}*A{0}*1.5"),
    "a quotient of sums of the cell above": doubling("(2*A{0}+1)*7/(3*A{0}*1.1)"),
    "a power of the cell above": doubling("(A{0}*3)^2*SUM(A{0},A{0}*2)"),
    "5,000 running sums": lambda: running(5000),
    "whole columns and rows": formulas("SUM(A:A)", "SUM(A:XFD)*2", "SUM($1:$1048576)", "Plan!B:B+Plan!2:2", "SUM(B:A)", "SUM(9:1)",
                                       "INDEX(Plan!A:XFD,2,2)", "VLOOKUP(1,Plan!B:D,3,0)+VLOOKUP(1,Plan!B:D,99999,0)"),
    "500 calls inside each other": formulas("ROUND(" * DEEP + "A2" + ",2)" * DEEP, "-" * DEEP + "A2", "(" * DEEP + "A2" + ")" * DEEP,
                                            "IF(A2>1," * DEEP + "1" + ",2)" * DEEP, "{" * DEEP, "A2" + "%" * DEEP),
    "unbalanced formulas": formulas("(((", ")))", "SUM(", "IF(A1", "A1+", "*", "", '"', '"a""', "'", "'a'!", "{1,2", "A1:", ":A1", "[", "[[",
                                    "Jobs[", "a b c", "1 2", "\x7f", "@", "A1#", "#REF!", "#REF!+1", "Plan!#REF!", "SUM(,)", ",", "A1,,B2", "Gone!A1"),
    "a formula of 8,000 characters": formulas("A2" + "+A2" * 2600),
    "8,000 characters, a product": formulas("A2" + "*2" * 4000),
    "8,000 characters, texts": formulas('"a"' + '&"a"' * 2000),
    "8,000 percent signs": formulas("A2" + "%" * 8000),
    "8,000 signs": formulas("-" * 8000 + "1"),
    "8,000 quotes": formulas("'" * 8001, '"' * 8001, "[" * 8001, "a" * 8001, "A1:" * 2700, "$" * 8001, "'a" * 4000, "(" * 8001),
    "a formula of a million characters": formulas("A2" + "+A2" * 333_333, "'" * 1_000_001, "[" * 1_000_001),
    "links to other workbooks": external,
    "DDE": formulas("cmd|'/c calc'!A0", "cmd|' /C calc'!'A1'", "DDE(\"cmd\",\"/c calc\",\"x\")", "MSEXCEL|'\\..\\..\\calc.exe'!A1"),
    "functions that fetch": formulas('WEBSERVICE("http://host.invalid/")', 'HYPERLINK("http://host.invalid/","x")', 'IMAGE("http://host.invalid")',
                                     'RTD("a","","b")', 'CALL("k32","Beep","JJ")', 'REGISTER.ID("a","b")', 'FILTERXML("<a/>","//a")', 'EXEC("calc")',
                                     'INDIRECT("[other.xlsx]S!A1")', 'STOCKHISTORY("X",1)', 'PY("import os")', "NOW()", "RAND()"),
    "the last cell of a sheet": raw('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>', '<dimension ref="A1:XFD1048576"/>'),
    "formats of whole columns and rows": raw('<row r="1" s="1" customFormat="1"/><row r="9" s="1"><c r="A9" s="1"><v>1</v></c></row>',
                                             '<cols><col min="1" max="16384" width="9" style="1"/></cols>'),
    "styles that do not exist": raw('<row r="1"><c r="A1" s="999999"><v>1</v></c><c r="B1" s="x"><v>1</v></c><c r="C1" s="-1"><v>1</v></c></row>'),
    "one cell twice": raw('<row r="1"><c r="A1"><v>1</v></c><c r="A1"><v>2</v></c><c r="A1"><f>B1</f></c></row><row r="1"><c r="A1"><v>3</v></c></row>'),
    "rows and cells out of order": raw('<row r="9"><c r="C9"><v>1</v></c><c r="A9"><f>C9+A2</f></c></row><row r="2"><c r="B2"><v>1</v></c><c r="A2"><v>2</v></c></row>'),
    "rows and cells without numbers": raw("<row><c><v>1</v></c><c><f>A1</f></c></row><row/><row><c><v>2</v></c></row>"),
    "shared formulas without a master": raw('<row r="1"><c r="A1"><f t="shared" si="7"/><v>1</v></c><c r="B1"><f t="shared"/></c><c r="C1"><f t="shared" si=""/></c></row>'),
    "shared formulas that fall off": raw('<row r="5"><c r="E5"><f t="shared" ref="A1:E5" si="0">A1</f></c></row><row r="6"><c r="A6"><f t="shared" si="0"/></c>'
                                         '<c r="B6"><f t="shared" si="0"/></c><c r="G6"><f t="shared" si="0"/></c></row>'),
    "arrays": raw('<row r="1"><c r="A1" cm="1"><f t="array" ref="A1:A3">_xlfn._xlws.SORT(B1:B3)</f><v>1</v></c><c r="C1"><f t="array" ref="C1:XFD1048576">B1:B9*2</f></c>'
                  '<c r="D1" cm="9" vm="9"><f t="array" aca="1" ref="x">A1#</f></c><c r="E1"><f t="array">{1,2;3,4}*A1:B2</f></c></row>'),
    "data tables": raw('<row r="1"><c r="A1"><f t="dataTable" ref="A1:B9" dt2D="1" dtr="1" r1="C1" r2="D1"/><v>1</v></c><c r="B1"><f t="dataTable" ref="?"/></c></row>'),
    "kinds of cell": raw('<row r="1"><c r="A1" t="e"><v>#REF!</v></c><c r="B1" t="d"><v>2020-01-01T00:00:00</v></c><c r="C1" t="b"><v>x</v></c><c r="D1" t="str"><v>GB</v></c>'
                         '<c r="E1" t="z"><v>1</v></c><c r="F1"/><c r="G1"><v/></c><c r="H1" t="inlineStr"/><c r="I1" t="inlineStr"><is/></c><c r="J1" t="s"><v/></c></row>'),
    "huge and strange numbers": lambda: parts(sheet("".join(
        f'<row r="{i}"><c r="A{i}"><v>{n}</v></c><c r="B{i}"><f>A{i}*1E+300*A{i}^64</f></c></row>' for i, n in enumerate(NUMBERS, 1)))),
    "huge numbers in formulas": formulas("1E400*A2", "1E-400+A2", "10^1000", "A2^1E300", "0^-1", "(-1)^0.5", "A2/0", "A2*0", "9" * 4000 + "*A2", "1E" + "9" * 400,
                                         "A2^" * 100 + "2", "2^" * 300 + "2", "A2*1E300*1E300*1E300", "VLOOKUP(1,A:B,1E400)", "INDEX(A:B,1,-1E300)", "2^63.5+A2"),
    "control characters": label(CONTROL),
    "a broken name": names(("Broken", "#REF!"), ("Lost", "Gone!$A$1"), ("Half", "Plan!#REF!"), ("Nothing", ""), ("Area", "Plan!#REF!:$B$2"), ("Odd", "(((")),
    "names in a circle": names(("Me", "Me"), ("One", "Two+1"), ("Two", "One"), ("Here", "Odd!$A$4")),
    "names that hold constants": names(("Rate", "0.4"), ("Minus", "-3"), ("Word", '"GB"'), ("Table", "{1,2;3,4}"), ("Calc", "Plan!$B$2*2"), ("Share", "7%"),
                                       ("Far", "Plan!$XFD$1048576"), ("Column", "Plan!$A:$XFD"), ("Row", "Plan!$1:$1048576"), ("Relative", "A1"),
                                       ("Union", "Plan!$A$1,Plan!$B$2"), ("Link", "[1]S!$A$1"), ("Moved", "OFFSET(Plan!$A$1,1,1)"), ("Lam", "LAMBDA(x,x+1)"),
                                       ("Deep", "(" * 900 + "1" + ")" * 900), ("Sum", "SUM(Plan!$B$2:$C$2)"), ("ZIP1", "3"), ("Long", "1+" * 4000 + "1")),
    "names of sheets that are not there": lambda: parts(names=defined("A_", "1", ' localSheetId="99"') + defined("B_", "1", ' localSheetId="x"') + defined("", "")),
    "special characters in a table": table("GPU's [h]", "Cost ($)", "a#b", "@x", "a\nb", "[", "]", "'", '"', "(GB)", "ÄÖ 🚀", "x,y", " "),
    "a table of nothing": lambda: {**table("a")(), "xl/tables/table1.xml": f'<table xmlns="{MAIN}" name="" ref="A1"/>'},
    "notes": many_notes,
    "a sheet without cells": lambda: parts(f'<worksheet xmlns="{MAIN}"/>'),
    "an empty sheet of empty rows": raw("".join(f'<row r="{i}"/>' for i in range(1, 5000))),
    "a hidden sheet": lambda: parts(PLAN, state='state="hidden"'),
    "a very hidden sheet": lambda: parts(PLAN, state='state="veryHidden"'),
    "a name with an apostrophe": lambda: parts(sheet(rows({"A1": "='It''s \"x\"'!B2+Plan!B2", "B2": 2.0})), name="It's \"x\""),
    "a name with signs": lambda: parts(PLAN, name="<&>\u202e🚀[1]!:"),
    "two sheets of one name": lambda: parts(PLAN, name="Plan"),
    "the dates of 1904": lambda: parts(sheet(rows({"A1": 1.0})), props='<workbookPr date1904="1"/>'),
    "a chart sheet": chart_sheet,
    "no styles part": without("xl/styles.xml"),
    "no shared strings": raw('<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>999999999999</v></c><c r="C1" t="s"><v>-1</v></c></row>'),
    "a string that is not there": lambda: parts(sheet('<row r="1"><c r="A1" t="s"><v>1</v></c><c r="B1" t="s"><v>0</v></c></row>'), strings=f'<sst xmlns="{MAIN}"><si><t>GB</t></si></sst>'),
    "a missing sheet": without("xl/worksheets/sheet2.xml"),
    "merged cells": raw(rows({"A1": "Memory (GB)", "A2": 3.0}), after='<mergeCells><mergeCell ref="A1:XFD1048576"/><mergeCell ref="A1:B1"/><mergeCell ref="B1:A1"/><mergeCell ref=\'C1:D1\'/></mergeCells>'),
    "merged cells in a comment": raw("", after="<!-- " + "<mergeCell " * 100_000 + " -->"),
    "a wide sheet": lambda: parts(sheet(rows({"A1": "Hours (h)"} | {f"{column_name(c)}1": 1.0 for c in range(2, 5001)}
                                             | {"A2": "Days"} | {f"{column_name(c)}2": f"={column_name(c)}1/24" for c in range(2, 1000)}))),
    "elements 100,000 deep": raw("", after="<a>" * 100_000 + "</a>" * 100_000),
    "figures of a known chip that are next to nothing": lambda: parts(
        sheet('<row r="1">' + text_cell("A1", "Peak of the H100, int8, dense (TOP/s)") + '<c r="B1"><v>5E-324</v></c></row>')
    ),
    "a sum of 400 cells, one by one": lambda: parts(sheet(rows({"A1": "Hours (h)", "B1": 2.0, "C1": "=B1" + "+B1" * 400}))),
    "a number format without end": lambda: parts() | {"xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><numFmts><numFmt numFmtId="200" formatCode="{"[$" * 20_000}"/>'
        f'<numFmt numFmtId="201" formatCode="{"&quot;" * 20_001}"/><numFmt numFmtId="²" formatCode="0"/></numFmts><cellXfs><xf numFmtId="200"/><xf numFmtId="201"/><xf numFmtId="²"/></cellXfs></styleSheet>',
        "xl/worksheets/sheet2.xml": sheet('<row r="1"><c r="A1" s="0"><v>1</v></c><c r="B1" s="1"><v>1</v></c><c r="C1" s="2"><v>1</v></c></row>')},
    **{f"the label {word!a}": label(word) for word in ODD_WORDS},
    **{f"30,000 characters: {name}": label((piece * 30_000)[:30_000]) for name, piece in LONG.items()},
}  # fmt: skip


@pytest.mark.parametrize("build", READ.values(), ids=READ.keys())
def test_what_is_odd_is_checked(tmp_path: Path, build: Callable[[], Parts]) -> None:
    assert MISTAKE in ends_well(write(tmp_path / "book.xlsx", build()))


# --- files that are refused ------------------------------------------------------------------------------------------------


def zip_of(path: Path, content: Parts) -> bytes:
    return write(path, content).read_bytes()


def odd_zip(change: Callable[[bytearray], None]) -> Callable[[Path], bytes]:
    def build(path: Path) -> bytes:
        data = bytearray(zip_of(path, parts()))
        change(data)
        return bytes(data)

    return build


def wrong_crc(data: bytearray) -> None:
    at = data.rindex(b"PK\x01\x02", 0, data.rindex(b"xl/worksheets/sheet1.xml"))
    struct.pack_into("<L", data, at + 16, 1)


def wrong_size(data: bytearray) -> None:
    at = data.rindex(b"PK\x01\x02", 0, data.rindex(b"xl/worksheets/sheet1.xml"))
    struct.pack_into("<L", data, at + 24, 5)


def bomb(path: Path) -> bytes:
    """A sheet that unpacks to 64 MiB of nothing."""
    return zip_of(path, parts(sheet(" " * (64 << 20))))


def lying_bomb(path: Path) -> bytes:
    """The same, with a size of 100 bytes in the directory."""
    data = bytearray(bomb(path))
    at = data.rindex(b"PK\x01\x02", 0, data.rindex(b"xl/worksheets/sheet2.xml"))
    struct.pack_into("<L", data, at + 24, 100)
    return bytes(data)


def entities(path: Path) -> bytes:
    inside = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 12))
    text = f'<!DOCTYPE x [<!ENTITY e0 "ha">{inside}]>' + sheet('<row r="1"><c r="A1" t="str"><v>&e11;</v></c></row>')
    return zip_of(path, parts(text))


def outside_entity(path: Path) -> bytes:
    text = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + sheet(
        '<row r="1"><c r="A1" t="str"><v>&e;</v></c></row>'
    )
    return zip_of(path, parts(text))


def ole(*names: str) -> bytes:
    return bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504) + b"".join(n.encode("utf-16-le") for n in names) + bytes(900)


def open_document(path: Path) -> bytes:
    return zip_of(path, {"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": "<x/>"})


def odd(data: str, before: str = "", after: str = "") -> Callable[[Path], bytes]:
    return lambda path: zip_of(path, parts(sheet(data, before, after)))


def one_cell(inside: str) -> Callable[[Path], bytes]:
    return odd(f'<row r="1">{inside}</row>')


def replaced(**changed: bytes | str) -> Callable[[Path], bytes]:
    """The plain workbook with parts replaced; the name of a part ends in the keyword."""

    def build(path: Path) -> bytes:
        content = parts()
        for word, data in changed.items():
            content[next(n for n in content if word in n)] = data
        return zip_of(path, content)

    return build


def bad_table(attrs: str, inside: str = "") -> Callable[[Path], bytes]:
    return lambda path: zip_of(
        path, {**table("a")(), "xl/tables/table1.xml": f'<table xmlns="{MAIN}" name="T" {attrs}>{inside}</table>'}
    )


REFUSED: dict[str, tuple[Callable[[Path], bytes], str]] = {
    "nothing": (lambda _: b"", "is empty"),
    "a text": (lambda _: b"a,b\n1,2\n", "not an Excel workbook"),
    "an old workbook": (lambda _: ole("Workbook"), "old Excel format (.xls)"),
    "an encrypted workbook": (lambda _: ole("EncryptionInfo", "EncryptedPackage"), "password-protected workbook"),
    "an OpenDocument file": (open_document, "OpenDocument"),
    "a cut zip": (lambda path: zip_of(path, parts())[:-90], "is damaged"),
    "a cut in the middle": (lambda path: zip_of(path, parts())[:700], "is damaged"),
    "a zip without parts": (lambda path: zip_of(path, {"x": "x"}), "no workbook.xml"),
    "an empty zip": (lambda _: b"PK\x05\x06" + bytes(18), "not an Excel workbook"),
    "a wrong checksum": (odd_zip(wrong_crc), "fails its checksum"),
    "a wrong size": (odd_zip(wrong_size), "fails its checksum"),
    "a zip bomb": (bomb, "zip bomb"),
    "a zip bomb that lies": (lying_bomb, "fails its checksum"),
    "entities in entities": (entities, "DOCTYPE"),
    "an entity outside": (outside_entity, "DOCTYPE"),
    "a DOCTYPE in the workbook part": (replaced(**{"xl/workbook": "<!DOCTYPE x><workbook/>"}), "DOCTYPE"),
    "UTF-16": (replaced(sheet2=sheet("").encode("utf-16")), "UTF-16"),
    "UTF-16 by its declaration": (replaced(sheet2='<?xml version="1.0" encoding="UTF-16"?>' + sheet("")), "UTF-16"),
    "Latin 1": (replaced(sheet2='<?xml version="1.0" encoding="ISO-8859-1"?>' + sheet("")), "ISO-8859-1"),
    "an unknown encoding": (replaced(sheet2='<?xml version="1.0" encoding="none"?>' + sheet("")), "none"),
    "bytes that are not UTF-8": (replaced(sheet2=sheet('<row r="1"/>').encode() + b"\xff\xfe"), "not well-formed"),
    "a sheet that ends early": (replaced(sheet2=sheet("<row>")[:-30]), "not well-formed"),
    "an empty sheet part": (replaced(sheet2=b""), "not well-formed"),
    "an empty workbook part": (replaced(**{"xl/workbook": b""}), "not well-formed"),
    "a row that has no number": (odd('<row r="#"><c r="A1"><v>1</v></c></row>'), '"#"'),
    "a row 0": (odd('<row r="0"/>'), '"0"'),
    "a row below the last": (odd('<row r="1048577"/>'), '"1048577"'),
    "a row with a huge number": (odd(f'<row r="{"9" * 5000}"/>'), "number of rows"),
    "a negative row": (odd('<row r="-4"/>'), '"-4"'),
    "a row without a number below the last": (odd('<row r="1048576"/><row/>'), '"1048577"'),
    "a column beyond the last": (one_cell('<c r="XFE1"><v>1</v></c>'), "beyond the last column"),
    "a cell in another row": (one_cell('<c r="A2"><v>1</v></c>'), "A2 stands in row 1"),
    "a cell without a place": (one_cell('<c r="?"><v>1</v></c>'), "not a cell reference"),
    "a number that is a text": (one_cell('<c r="A1"><v>#</v></c>'), 'Odd!A1 holds "#" where a number is due'),
    "a number with a comma": (one_cell('<c r="A1"><v>1,5</v></c>'), '"1,5"'),
    "a long text for a number": (one_cell(f'<c r="A1"><v>{"x" * 9999}</v></c>'), "where a number is due"),
    "a text index that is a text": (one_cell('<c r="B1" t="s"><v>x</v></c>'), "Odd!B1"),
    "a text index of 5,000 digits": (one_cell(f'<c r="B1" t="s"><v>{"9" * 5000}</v></c>'), "Odd!B1"),
    "merged cells nowhere": (odd("", after='<mergeCells><mergeCell ref="A:1"/></mergeCells>'), "not a cell reference"),
    "a table that lies nowhere": (bad_table('ref="#"'), "not a cell reference"),
    "a table whose header is a text": (bad_table('ref="A1:B2" headerRowCount="x"'), "is damaged"),
}  # fmt: skip


@pytest.mark.parametrize(("build", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_damaged_is_one_sentence(tmp_path: Path, build: Callable[[Path], bytes], words: str) -> None:
    path = tmp_path / "book.xlsx"
    path.write_bytes(build(path))
    with pytest.raises(FileError) as caught:
        ends_well(path)
    assert words in caught.value.message


def test_the_command_says_it_too(tmp_path: Path, run: Callable[..., tuple[int, str, str]]) -> None:
    """One damaged workbook among good ones: its sentence, the others' findings, no traceback."""
    bad, good = tmp_path / "bad.xlsx", write(tmp_path / "good.xlsx", parts())
    bad.write_bytes(REFUSED["a row that has no number"][0](bad))
    code, out, err = run("lint", str(bad), str(good))
    assert code == 2
    assert "Plan!D2: error: binary-prefix" in out
    assert [line for line in err.splitlines() if "bad.xlsx" in line] == err.splitlines()
    assert "Error" not in err


def test_what_cannot_be_read_alone_is_a_note(tmp_path: Path) -> None:
    path = write(tmp_path / "book.xlsx", READ["a formula of a million characters"]())
    notes = check_book(read_package(path)).notes
    assert [note.startswith(f"The formula in Odd!A{i} has ") for i, note in enumerate(notes, 1)] == [True] * 3


def test_too_many_cells_are_refused_while_they_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlsim_workbooks.lint.reader.MAX_CELLS", 100)
    empty = "<c/>" * 16_000  # formats alone are no cells
    path = write(tmp_path / "a.xlsx", parts(sheet(f"<row>{empty}</row>" * 3 + "<row/>" * 1000)))
    assert MISTAKE in ends_well(path)
    path = write(tmp_path / "b.xlsx", parts(sheet("<row><c><v>1</v></c></row>" * 101)))
    with pytest.raises(FileError, match="more than 100 cells"):
        ends_well(path)


def test_too_many_references_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One long formula shared by many cells is small in the file and large in memory."""
    monkeypatch.setattr("mlsim_workbooks.lint.reader.MAX_REFERENCES", 100_000)
    master = formula_cell("A1", "SUM(B1" + ",B1" * 2000 + ")", ' t="shared" ref="A1:A99" si="0"')
    others = "".join(f'<row r="{i}"><c r="A{i}"><f t="shared" si="0"/></c></row>' for i in range(2, 100))
    path = write(tmp_path / "book.xlsx", parts(sheet(f'<row r="1">{master}</row>{others}')))
    with pytest.raises(FileError, match="more than 100,000 references"):
        ends_well(path)


def test_the_order_in_the_file_does_not_matter(tmp_path: Path) -> None:
    """Rows and cells in any order, and a cell twice, are what they are in order."""
    found = re.findall(r"<row.*?</row>", PLAN)
    turned = [re.sub(r"(<c .*</c>)", lambda m: "".join(re.findall(r"<c .*?</c>", m[1])[::-1]), row) for row in found]
    twice = found[1].replace("</row>", cell("B2", 10.0) + "</row>")
    for content in (found[::-1], turned, turned[::-1], [found[0], twice], [*found, found[1]]):
        assert ends_well(write(tmp_path / "book.xlsx", parts(sheet("".join(content))))) == {
            MISTAKE,
            ("Odd", *MISTAKE[1:]),
        }


# --- macros, the engine ----------------------------------------------------------------------------------------------------


def test_macros_are_neither_run_nor_changed(tmp_path: Path, run: Callable[..., tuple[int, str, str]]) -> None:
    macro = ole("VBA") + bytes(range(256)) * 40
    content = parts() | {"xl/vbaProject.bin": macro}
    content["[Content_Types].xml"] = str(content["[Content_Types].xml"]).replace(
        f"{TYPE}.sheet.main+xml", "application/vnd.ms-excel.sheet.macroEnabled.main+xml"
    ).replace("<Override", '<Default Extension="bin" ContentType="application/vnd.ms-office.vbaProject"/><Override', 1)  # fmt: skip
    path, out = write(tmp_path / "book.xlsm", content), tmp_path / "marked.xlsm"
    before = path.read_bytes()
    assert ends_well(path) == {MISTAKE}
    assert run("lint", str(path), "--annotate", str(out))[0] == 1
    old, new = read_package(path), read_package(out)
    kept = [p.data[m.start : m.start + m.packed] for p in (old, new) for m in [p.members["xl/vbaProject.bin"]]]
    assert kept[0] == kept[1]
    assert new.read("xl/vbaProject.bin") == macro
    assert path.read_bytes() == before


def test_formulas_are_never_executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a formula was executed")

    ironcalc = pytest.importorskip("ironcalc")
    for owner, word in (
        (engine, "run_engine"),
        (ironcalc, "load_from_xlsx"),
        (ironcalc, "load_from_bytes"),
        (ironcalc, "create"),
    ):
        if hasattr(owner, word):
            monkeypatch.setattr(owner, word, refuse)
    monkeypatch.setattr("mlsim.functions.call", refuse, raising=False)
    monkeypatch.setattr("mlsim.functions.call_many", refuse, raising=False)
    content = formulas('MLSIM_DECODE_LATENCY("Llama-3-70B","H100",1,4096)+MLSIM_CONVERT(1,"GB","GiB")', "A1*2")()
    assert MISTAKE in ends_well(write(tmp_path / "book.xlsx", content))


def test_an_empty_workbook(tmp_path: Path) -> None:
    content = parts()
    content["xl/workbook.xml"] = f'<workbook xmlns="{MAIN}"/>'
    assert ends_well(write(tmp_path / "a.xlsx", content), marked=False) == set()
    with pytest.raises(FileError, match="no element sheets"):
        ends_well(tmp_path / "a.xlsx")
    assert ends_well(write(tmp_path / "b.xlsx", parts() | {"xl/worksheets/sheet1.xml": sheet("")})) == set()


def test_without_content_types_the_copy_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "book.xlsx", without("[Content_Types].xml")())
    assert ends_well(path, marked=False) == {MISTAKE}
    with pytest.raises(FileError, match="no content types"):
        ends_well(path)


# --- bytes changed at random -------------------------------------------------------------------------------------------------


@cache
def good_books() -> list[dict[str, bytes]]:
    """Return the parts of the workbooks that are changed: one with everything in it, and the examples of the rules."""
    stream = io.BytesIO()
    everything = many_notes() | table("Hours (h)", "Cost ($)")()
    everything["xl/workbook.xml"] = str(everything["xl/workbook.xml"]).replace(
        "<definedNames/>", "<definedNames></definedNames>"
    ).replace("<definedNames>", "<definedNames>" + defined("Rate", "Plan!$B$2"))  # fmt: skip
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in everything.items():
            archive.writestr(name, data)
    found = []
    for file in (stream, *(io.BytesIO(path.read_bytes()) for path in sorted(RULES.glob("*.xlsx")))):
        with zipfile.ZipFile(file) as archive:
            found.append({n: archive.read(n) for n in archive.namelist() if n.endswith((".xml", ".rels"))})
    return found


PIECES = (b"", b'"', b"<", b">", b"&", b"'", b"#", b"0", b"-1", b"9" * 30, b"NaN", b"1E999", b"A1", b"$", b":", b"!", b"(", b")", b"\x00", b"\xff", b"\xc3\xa4",
          b"/", b"<c/>", b"<row/>", b"<v>", b"</v>", b"<f>A1</f>", b'r="', b"%", b"&#x110000;", b"&amp;", b"s", b"[", b"]", b"<!--", b"<![CDATA[")  # fmt: skip
EDITS = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 12), st.sampled_from(PIECES) | st.binary(max_size=4)),
    min_size=1,
    max_size=6,
)
VALUE = re.compile(rb'(?<==")[^"]*(?=")|(?<=>)[^<>]+(?=<)')


def edited(data: bytes, edits: list[tuple[float, int, bytes]], whole: bool) -> bytes:
    """Replace some bytes; ``whole``: attribute values and texts, so that the part stays well-formed more often."""
    for where, length, piece in edits:
        spans = [m.span() for m in VALUE.finditer(data)] if whole else []
        start, end = spans[int(where * len(spans))] if spans else (int(where * len(data)),) * 2
        data = data[:start] + piece + data[end if spans else end + length :]
    return data


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(book=st.integers(0, 10**6), part=st.integers(0, 10**6), edits=EDITS, whole=st.booleans())
def test_no_change_of_bytes_gives_a_traceback(tmp_path: Path, book: int, part: int, edits: Any, whole: bool) -> None:
    books = good_books()
    chosen = books[book % len(books) if book % 2 else 0]
    name = sorted(chosen)[part % len(chosen)]
    content: Parts = {**chosen, name: edited(chosen[name], edits, whole)}
    with contextlib.suppress(FileError):
        ends_well(write(tmp_path / "book.xlsx", content))
