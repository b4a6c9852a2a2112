"""The command ``mlsim lint``: lines, counts, exit codes, silencing, and a sentence for every file that is not a workbook."""

from __future__ import annotations

import json
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.comments import Comment

from mlsim.errors import CellError
from mlsim.files import FileError
from mlsim_workbooks import functions, lint
from mlsim_workbooks.functions import MLSIM_LINT, saved_file
from mlsim_workbooks.lint.finding import RULES, Finding, Rule
from mlsim_workbooks.recalc import recalculate

Run = Callable[..., tuple[int, str, str]]
KEYS = ["file", "sheet", "cell", "rule", "severity", "message", "suggestion"]


def book(path: Path, rows: int = 3, notes: dict[str, str] | None = None) -> Path:
    """Write a book in which every row adds GB and GiB."""
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.title = "Plan"
    sheet.append(["Part", "Weights (GB)", "KV cache (GiB)", "Total (GB)"])
    for row in range(2, rows + 2):
        sheet.append([f"part {row}", 10 * row, 3 * row, f"=B{row}+C{row}"])
    for cell, text in (notes or {}).items():
        sheet[cell].comment = Comment(text, "Reviewer")
    workbook.save(path)
    return path


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def finds(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let the checker find what a test wants."""
    monkeypatch.setitem(RULES, "soft", Rule("soft", "warning", "A mild one", "Look."))

    def use(*found: tuple[str, str, str]) -> None:
        findings = [Finding("x", "Plan", cell, rule, message, "Fix it.") for cell, rule, message in found]
        monkeypatch.setattr(lint, "check", lambda _: findings)

    return use


# --- what is printed -------------------------------------------------------------------------------------------------


def test_a_filled_column_is_one_line_and_errors_exit_1(run: Run, here: Path) -> None:
    book(here / "book.xlsx", rows=20)
    code, out, err = run("lint", "book.xlsx")
    first, last = out.splitlines()
    assert code == 1
    assert first.startswith("book.xlsx: Plan!D2:D21: error: binary-prefix: ")
    assert first.endswith(")")
    assert last == "20 errors in 20 cells of book.xlsx"
    assert err == ""


def test_a_clean_book_says_how_much_was_checked(run: Run, here: Path, finds: Any) -> None:
    finds()
    book(here / "book.xlsx", rows=2)
    assert run("lint", "book.xlsx") == (0, "No unit mistakes found in book.xlsx: 2 formulas checked.\n", "")


def test_warnings_alone_exit_0(run: Run, here: Path, finds: Any) -> None:
    finds(("D2", "soft", "Hm."))
    book(here / "book.xlsx")
    code, out, _ = run("lint", "book.xlsx")
    assert code == 0
    assert out == "book.xlsx: Plan!D2: warning: soft: Hm. (Fix it.)\n1 warning in 1 cell of book.xlsx\n"


def test_cells_are_counted_once(run: Run, here: Path, finds: Any) -> None:
    finds(("D2", "prefix", "a"), ("D2", "bits-bytes", "b"), ("D3", "prefix", "c"), ("D3", "soft", "d"))
    book(here / "book.xlsx")
    assert run("lint", "book.xlsx")[1].splitlines()[-1] == "3 errors and 1 warning in 2 cells of book.xlsx"


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        ([("D2", "prefix", "Adds B2 and C2."), ("D3", "prefix", "Adds B3 and C3.")], ["D2:D3"]),
        ([("D2", "prefix", "Adds $B$1 and C2:C9."), ("D3", "prefix", "Adds $B$1 and C3:C9.")], ["D2:D3"]),
        ([("D2", "prefix", "Adds B2."), ("E2", "prefix", "Adds C2."), ("F2", "prefix", "Adds D2.")], ["D2:F2"]),
        ([("D2", "prefix", "Adds B2."), ("D4", "prefix", "Adds B4.")], ["D2", "D4"]),
        ([("D2", "prefix", "Adds B2."), ("D3", "soft", "Adds B3.")], ["D2", "D3"]),
        ([("D2", "prefix", "Adds B2."), ("D3", "prefix", "Sums B3.")], ["D2", "D3"]),
        ([("D2", "prefix", "H100 has 80."), ("D3", "prefix", "H200 has 80.")], ["D2", "D3"]),
        ([("D2", "prefix", "80 (a · Cost (€))."), ("D3", "prefix", "80 (b · Cost (€)).")], ["D2:D3"]),
        (
            [(f"{c}{r}", "prefix", f"Adds {c}{r}.") for r in (2, 3) for c in "DEF"] + [("G2", "prefix", "Adds G2.")],
            ["D2:D3", "E2:E3", "F2:F3", "G2"],
        ),
        ([("D2", "prefix", "a"), ("D2", "bits-bytes", "a"), ("D3", "prefix", "a")], ["D2:D3", "D2"]),
    ],
)
def test_what_is_one_line(run: Run, here: Path, finds: Any, found: Any, shown: list[str]) -> None:
    finds(*found)
    book(here / "book.xlsx")
    code, out, _ = run("lint", "book.xlsx")
    assert [line.split("!")[1].split(": ")[0] for line in out.splitlines()[:-1]] == shown
    assert code == 1


def test_a_text_of_the_file_stays_on_its_line(run: Run, here: Path, finds: Any) -> None:
    finds(("D2", "prefix", "two\nlines \x1b[31m\u2028 and \ud800 Größe"))
    book(here / "book.xlsx")
    code, out, _ = run("lint", "book.xlsx", "--json", "out.json")
    assert code == 1
    assert out.splitlines()[0].startswith("book.xlsx: Plan!D2: error: prefix: two lines [31m and ")
    assert len(out.splitlines()) == 2
    assert json.loads((here / "out.json").read_bytes())[0]["message"].startswith("two\nlines")


# --- reports ---------------------------------------------------------------------------------------------------------


def test_json_keeps_every_finding_and_the_path_as_given(run: Run, here: Path) -> None:
    (here / "a folder").mkdir()
    book(here / "a folder" / "größe.xlsx", rows=4)
    given = os.path.join("a folder", "größe.xlsx")
    code, out, err = run("lint", given, "--json", "-")
    findings = json.loads(out)
    assert (code, err) == (1, "")
    assert [list(f) for f in findings] == [KEYS] * 4
    assert {f["file"] for f in findings} == {given}
    assert [f["cell"] for f in findings] == ["D2", "D3", "D4", "D5"]
    assert {f["rule"] for f in findings} == {"binary-prefix"}
    assert {f["severity"] for f in findings} == {"error"}
    assert run("lint", "--json", "out.json", given)[1].splitlines()[-1].startswith("4 errors")
    assert json.loads((here / "out.json").read_text(encoding="utf-8")) == findings
    assert [f.as_dict() | {"file": given} for f in lint.lint(given)] == findings


def test_annotate_writes_a_marked_copy(run: Run, here: Path) -> None:
    source = book(here / "book.xlsx")
    before = source.read_bytes()
    code, out, _ = run("lint", "book.xlsx", "--annotate", "marked.xlsx")
    assert code == 1
    assert "Wrote marked.xlsx." in out
    assert "binary-prefix" in load_workbook(here / "marked.xlsx")["Plan"]["D2"].comment.text
    assert source.read_bytes() == before
    assert run("lint", "marked.xlsx")[1].splitlines()[-1] == "3 errors in 3 cells of marked.xlsx"


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ((), "Name a workbook"),
        (("book.xlsx", "--annotate", "book.xlsx"), "not overwritten"),
        (("book.xlsx", "--annotate", "./sub/../book.xlsx"), "not overwritten"),
        (("book.xlsx", "--annotate", "link.xlsx"), "not overwritten"),
        (("book.xlsx", "--json", "book.xlsx"), "not overwritten"),
        (("book.xlsx", "--annotate", "-"), "name of a workbook"),
        (("book.xlsx", "--annotate", "copy.xlsm"), ".xlsx"),
        (("book.xlsx", "other.xlsx", "--annotate", "copy.xlsx"), "one workbook"),
        (("book.xlsx", "--json", "-", "--sarif", "-"), "standard output"),
        (("book.xlsx", "--json", "a", "--sarif", "./a"), "two outputs"),
        (("book.xlsx", "--json", "no/such/folder.json"), "folder"),
        (("book.xlsx", "--ignore", "binary-prefixes"), "Did you mean binary-prefix"),
        (("book.xlsx", "--ignore", "zzzz"), "mlsim lint --rules"),
    ],
)
def test_a_wrong_option_is_one_sentence(run: Run, here: Path, args: tuple[str, ...], words: str) -> None:
    (here / "sub").mkdir()
    source = book(here / "book.xlsx")
    (here / "link.xlsx").hardlink_to(source)
    before = source.read_bytes(), sorted(here.iterdir())
    code, _, err = run("lint", *args)
    assert code == 2
    assert err.startswith("mlsim: ")
    assert words in err
    assert len(err.splitlines()) == 1
    assert (source.read_bytes(), sorted(here.iterdir())) == before


def test_annotate_into_no_folder_names_the_folder(run: Run, here: Path) -> None:
    book(here / "book.xlsx")
    code, _, err = run("lint", "book.xlsx", "--annotate", "no/marked.xlsx")
    assert code == 2
    assert "There is no folder" in err


def test_the_rules_are_listed(run: Run) -> None:
    code, out, _ = run("lint", "--rules")
    assert code == 0
    assert len(out.splitlines()) == len(RULES)
    assert all(name in out for name in RULES)


# --- books and folders -----------------------------------------------------------------------------------------------


def test_folders_are_searched_and_lock_files_left_out(run: Run, here: Path) -> None:
    (here / "plans" / "deep").mkdir(parents=True)
    book(here / "plans" / "b.xlsx")
    book(here / "plans" / "deep" / "a.XLSX")
    (here / "plans" / "~$b.xlsx").write_bytes(b"lock")
    (here / "plans" / "notes.txt").write_text("no workbook")
    code, out, err = run("lint", "plans", "--json", "out.json")
    assert (code, err) == (1, "")
    found = json.loads((here / "out.json").read_bytes())
    assert list(dict.fromkeys(f["file"] for f in found)) == [
        os.path.join("plans", "b.xlsx"),
        os.path.join("plans", "deep", "a.XLSX"),
    ]
    assert out.splitlines()[-1] == "6 errors in 2 of 2 books"
    (here / "empty").mkdir()
    code, _, err = run("lint", "empty")
    assert code == 2
    assert err == "empty: There is no workbook (.xlsx, .xlsm) in this folder.\n"


def test_books_may_stand_on_both_sides_of_an_option(run: Run, here: Path) -> None:
    for name in ("a.xlsx", "b.xlsx", "c.xlsx"):
        book(here / name)
    assert run("lint", "a.xlsx", "--json", "o.json", "b.xlsx")[1].splitlines()[-1] == "6 errors in 2 of 2 books"
    for options in (
        ["--ignore", "binary-prefix", "a.xlsx", "b.xlsx"],
        ["a.xlsx", "--ignore", "binary-prefix", "b.xlsx"],
    ):
        assert run("lint", *options)[:2] == (
            0,
            "No unit mistakes found in a.xlsx: 3 formulas checked, 3 findings silenced.\n"
            "No unit mistakes found in b.xlsx: 3 formulas checked, 3 findings silenced.\n"
            "No unit mistakes in 2 books\n",
        )
    with pytest.raises(SystemExit, match="2"):
        run("lint", "a.xlsx", "--frobnicate")


# --- bad files -------------------------------------------------------------------------------------------------------

OLE = bytes.fromhex("d0cf11e0a1b11ae1")


def rewritten(path: Path, change: Callable[[str, bytes], bytes]) -> None:
    with zipfile.ZipFile(path) as archive:
        parts = {name: change(name, archive.read(name)) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)


def old_excel(path: Path) -> None:
    path.write_bytes(OLE + bytes(2000))


def encrypted(path: Path) -> None:
    path.write_bytes(OLE + bytes(500) + "EncryptedPackage".encode("utf-16-le") + bytes(500))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo("xl/worksheets/sheet1.xml")
    name, extra = struct.unpack_from("<2H", data, info.header_offset + 26)
    data[info.header_offset + 30 + name + extra + 20] ^= 0xFF
    path.write_bytes(data)


def bomb(path: Path) -> None:
    rewritten(path, lambda name, data: bytes(40 << 20) if name.endswith("sheet1.xml") else data)


def doctype(path: Path) -> None:
    rewritten(
        path,
        lambda name, data: b'<!DOCTYPE x [<!ENTITY a "b">]>' + data if name.endswith("sheet1.xml") else data,
    )


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (Path.unlink, "There is no file"),
    "text": (lambda p: p.write_text("a,b\n1,2\n"), "not an Excel workbook"),
    "empty": (lambda p: p.write_bytes(b""), "is empty"),
    "old": (old_excel, "old Excel format"),
    "encrypted": (encrypted, "password"),
    "cut": (cut, "damaged"),
    "flipped": (flipped, "damaged"),
    "bomb": (bomb, "zip bomb"),
    "doctype": (doctype, "DOCTYPE"),
    "garbled": (lambda p: rewritten(p, lambda n, d: d[:-30] if n.endswith("sheet1.xml") else d), "sheet1.xml"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_is_one_sentence_and_the_others_go_on(run: Run, here: Path, kind: str) -> None:
    spoil, words = BAD[kind]
    spoil(book(here / "bad.xlsx"))
    book(here / "good.xlsx")
    code, out, err = run("lint", "bad.xlsx", "good.xlsx", "--json", "out.json", "--sarif", "out.sarif")
    assert code == 2
    assert err.startswith("bad.xlsx: ")
    assert words in err
    assert len(err.splitlines()) == 1
    assert "3 errors in 3 cells of good.xlsx\n3 errors in 1 of 1 book, 1 could not be checked\n" in out
    assert len(json.loads((here / "out.json").read_bytes())) == 3
    invocation = json.loads((here / "out.sarif").read_bytes())["runs"][0]["invocations"][0]
    assert invocation["executionSuccessful"] is False
    assert words in invocation["toolExecutionNotifications"][0]["message"]["text"]
    assert run("lint", "bad.xlsx")[0] == 2
    with pytest.raises(FileError):
        lint.lint(here / "bad.xlsx")
    assert MLSIM_LINT.evaluate([("bad.xlsx",)])[0].code == "#VALUE!"


def test_a_defect_is_a_sentence_too(run: Run, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise RecursionError("too deep")

    monkeypatch.setattr(lint, "infer", fail)
    book(here / "book.xlsx")
    code, _, err = run("lint", "book.xlsx")
    assert code == 2
    assert err == "book.xlsx: book.xlsx could not be checked: RecursionError: too deep\n"
    with pytest.raises(CellError, match="could not be checked: RecursionError"):
        MLSIM_LINT(str(here / "book.xlsx"))


# --- silencing -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("notes", "left", "said"),
    [
        ({"D2": "mlsim: ok binary-prefix"}, ["D3", "D4"], ""),
        ({"D2": "Reviewer:\nAgreed in May.\nMLSIM: OK Binary-Prefix, prefix - see the minutes"}, ["D3", "D4"], ""),
        ({"D2": "mlsim: ok", "D4": "mlsim: ok."}, ["D3"], ""),
        ({"D2": "mlsim: ok currency"}, ["D2", "D3", "D4"], ""),
        ({"B2": "mlsim: ok"}, ["D2", "D3", "D4"], ""),
        ({"A1": "mlsim: ignore binary-prefix"}, [], ""),
        ({"A1": "mlsim: ignore currency, binary-prefix"}, [], ""),
        ({"A1": "mlsim: ignore"}, ["D2", "D3", "D4"], "Plan!A1: 'mlsim: ignore' needs the name of a rule."),
        ({"D2": "mlsim: ok binary-prefx"}, ["D2", "D3", "D4"], "Plan!D2: \"binary-prefx\" is not a rule of the unit checker. Did you mean binary-prefix"),
        ({"D2": "mlsim: ok frob, binary-prefix"}, ["D3", "D4"], '"frob" is not a rule'),
        ({"D2": "This is not ok."}, ["D2", "D3", "D4"], ""),
    ],
)  # fmt: skip
def test_notes_silence(run: Run, here: Path, notes: dict[str, str], left: list[str], said: str) -> None:
    path = book(here / "book.xlsx", notes=notes)
    assert [f.cell for f in lint.lint(path)] == left
    code, out, err = run("lint", "book.xlsx")
    assert code == (1 if left else 0)
    assert ("silenced" in out) == (len(left) < 3)
    assert said in err
    assert err == "" or err.startswith("book.xlsx: note: ")


def test_rules_can_be_ignored_from_python(here: Path) -> None:
    path = book(here / "book.xlsx")
    assert lint.lint(path, ignore=["Binary-Prefix"]) == []
    assert lint.lint(path, ignore={"currency"}) == lint.lint(path)
    with pytest.raises(CellError, match="Did you mean"):
        lint.lint(path, ignore=["binaryprefix"])


# --- in the sheet ----------------------------------------------------------------------------------------------------


def test_the_function_gives_the_same_findings_as_a_table(here: Path) -> None:
    path = book(here / "book.xlsx")
    header, *rows = functions.call("MLSIM_LINT", [str(path)])
    assert header == ["sheet", "cell", "severity", "rule", "message", "suggestion"]
    assert rows == [[f.sheet, f.cell, f.severity, f.rule, f.message, f.suggestion] for f in lint.lint(path)]
    book(path, notes={"A1": "mlsim: ignore binary-prefix"})  # saved again: nothing may be remembered
    assert functions.call("MLSIM_LINT", [str(path)]) == "no unit mistakes"
    assert functions.call("MLSIM_LINT", [f"'{path.as_uri()}'#$Plan"]) == "no unit mistakes"
    assert functions.call("MLSIM_LINT", [f"{path.parent}{os.sep}[{path.name}]Plan"]) == "no unit mistakes"


def test_recalc_knows_the_function(here: Path) -> None:
    path = book(here / "book.xlsx")
    workbook = load_workbook(path)
    report = workbook.create_sheet("Report")
    report["A1"] = f'=INDEX(MLSIM_LINT("{path}"),2,2)'
    report["A2"] = '=INDEX(MLSIM_LINT(CELL("filename",A1)),3,2)'
    report["A3"] = '=CELL("filename",A1)'
    workbook.save(path)
    assert recalculate(path).errors == []
    shown = [row[0].value for row in load_workbook(path, data_only=True)["Report"]["A1:A3"]]
    assert shown == ["D2", "D3", f"{here}{os.sep}[book.xlsx]Report"]


@pytest.mark.parametrize(
    ("given", "file"),
    [
        ("plan.xlsx", "plan.xlsx"),
        (r"C:\dir\[book.xlsx]Sheet1", r"C:\dir\book.xlsx"),
        (r"C:\my [old] dir\[book.xlsm]My Sheet", r"C:\my [old] dir\book.xlsm"),
        (r"C:\dir\[old] book.xlsx", r"C:\dir\[old] book.xlsx"),
        ("/Users/me/[book.xlsx]Sheet 1", "/Users/me/book.xlsx"),
        ("'file:///dir/book.xlsx'#$Sheet1", "/dir/book.xlsx"),
        ("'file:///dir/my%20b%C3%BCch''er.xlsx'#$'My Sheet'", "/dir/my büch'er.xlsx"),
        ("'file:///C:/dir/book.xlsx'#$Sheet1", "C:/dir/book.xlsx"),
        ("file://localhost/dir/book.xlsx", "/dir/book.xlsx"),
    ],
)
def test_what_a_path_means(given: str, file: str) -> None:
    assert saved_file(given) == file


@pytest.mark.parametrize(
    "given",
    [
        "http://host/book.xlsx", "HTTPS://d.docs.live.net/1/[book.xlsx]Sheet1", "http:book.xlsx", r"\\host\share\[b.xlsx]S",
        "//host/share/b.xlsx", "\\/host/b.xlsx", "'file://host/share/b.xlsx'#$S", "'file:////host/b.xlsx'#$S",
        "'https://host/b.xlsx'#$S", "smb://host/b.xlsx", r"\\?\UNC\host\b.xlsx", "'file:///%5C%5Chost/b.xlsx'#$S",
    ],
)  # fmt: skip
def test_nothing_is_fetched(given: str) -> None:
    with pytest.raises(CellError, match="on a network") as caught:
        MLSIM_LINT(given)
    assert caught.value.code == "#VALUE!"


@pytest.mark.parametrize("given", ["", "   ", "''#$Sheet1", "nothing.xlsx", "\0", "x" * 100_000, 7.0, None])
def test_a_wrong_path_is_an_error_of_its_cell(given: Any) -> None:
    with pytest.raises(CellError) as caught:
        functions.call("MLSIM_LINT", [given])
    assert caught.value.code == "#VALUE!"
    assert len(caught.value.message) < 500
