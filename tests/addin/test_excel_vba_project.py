"""The VBA project: written from text, read back by other programs; and its code run by LibreOffice's VBA interpreter."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import re
import shutil
import subprocess
import warnings
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsim_addin.excel import addin_file
from mlsim_addin.excel.vba_project import Module, compressed, document, project

HERE = Path(__file__).parent
SMALL = [
    document("ThisWorkbook"),
    document("Sheet1"),
    Module("Code", 'Attribute VB_Name = "Code"\r\nOption Explicit\r\n'),
]


def reader(name: str) -> Any:
    """Return a module that only these tests need; skip loudly where it is not installed."""
    if importlib.util.find_spec(name.split(".")[0]) is None:
        warnings.warn(f"{name} is missing: the VBA project was NOT read back with it", stacklevel=2)
        pytest.skip(f"{name} is missing: the VBA project was NOT read back with it")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the libraries it uses
        return importlib.import_module(name)


def streams(data: bytes) -> Any:
    olefile = reader("olefile")
    return olefile.OleFileIO(io.BytesIO(data), raise_defects=olefile.DEFECT_POTENTIAL)


# --- read back by olefile and olevba ---------------------------------------------------------------------------------


def test_the_compound_file_has_no_defect() -> None:
    ole = streams(project("MLSIM", addin_file.modules()))
    assert ole.parsing_issues == []
    names = sorted("/".join(path) for path in ole.listdir())
    modules = sorted(f"VBA/{module.name}" for module in addin_file.modules())
    assert names == sorted(["PROJECT", "PROJECTwm", "VBA/_VBA_PROJECT", "VBA/dir", *modules])
    assert ole.openstream("VBA/_VBA_PROJECT").read() == bytes.fromhex("cc61ffff000000")


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 8, 60])
def test_small_and_large_streams_are_found_by_name(count: int) -> None:
    texts = {
        f"M{i}": f'Attribute VB_Name = "M{i}"\r\n' + "".join(f"' {i * j}\r\n" for j in range(i * 99))
        for i in range(count)
    }
    ole = streams(project("P", [Module(name, text) for name, text in texts.items()]))
    olevba = reader("oletools.olevba")
    for name, text in texts.items():
        assert ole.exists(f"VBA/{name}")
        assert olevba.decompress_stream(bytearray(ole.openstream(f"VBA/{name}").read())) == text.encode()


def test_every_module_reads_back_exactly(tmp_path: Path) -> None:
    olevba = reader("oletools.olevba")
    path = tmp_path / "MLSIM.xlam"
    path.write_bytes(addin_file.package())
    parser = olevba.VBA_Parser(str(path))
    found = {stream.split("/")[-1]: code for _, stream, _, code in parser.extract_all_macros()}
    parser.close()
    assert found.keys() == {module.name for module in addin_file.modules()}
    ole = streams(zipfile.ZipFile(path).read("xl/vbaProject.bin"))
    for module in addin_file.modules():
        stream = bytearray(ole.openstream(f"VBA/{module.name}").read())
        assert olevba.decompress_stream(stream) == module.text.encode("cp1252")
        assert found[module.name].splitlines() == module.text.splitlines()


def test_the_directory_has_the_records_that_excel_writes() -> None:
    """The same records in the same order as in a project that Excel saved: xlwings' own template."""
    olevba = reader("oletools.olevba")
    template = addin_file.xlwings_folder() / "quickstart_addin_ribbon.xlam"

    def records(data: bytes) -> list[int]:
        raw = bytes(olevba.decompress_stream(bytearray(streams(data).openstream("VBA/dir").read())))
        found, at = [], 0
        while at < len(raw):
            number, size = int.from_bytes(raw[at : at + 2], "little"), int.from_bytes(raw[at + 2 : at + 6], "little")
            found.append(number)
            at += 6 + size + (2 if number == 9 else 0)  # the version's size does not count its minor part
        assert at == len(raw)
        return found

    theirs = records(zipfile.ZipFile(template).read("xl/vbaProject.bin"))
    ours = records(project("MLSIM", addin_file.modules()))
    modules = theirs.index(0x0F)
    assert theirs[modules - 3 : modules] == [0x16, 0x3E, 0x0D]  # the reference to Office
    start = theirs.index(0x16)
    assert ours[: ours.index(0x0F)] == [*theirs[:start], 0x16, 0x3E, 0x0D]
    assert ours[ours.index(0x0F) :][:11] == theirs[modules:][:11]
    assert ours[-1] == theirs[-1] == 0x10


def decrypted(text: str) -> tuple[int, bytes]:
    """Return (key, data) of an encrypted value, read as [MS-OVBA] 2.4.3.3 says."""
    raw = bytes.fromhex(text)
    seed, key = raw[0], raw[0] ^ raw[2]
    assert raw[0] ^ raw[1] == 2
    plain, one, two, out = key, raw[2], raw[1], bytearray()
    for byte in raw[3:]:
        plain = byte ^ ((two + plain) & 0xFF)
        two, one = one, byte
        out.append(plain)
    data = bytes(out[(seed & 6) // 2 :])
    assert int.from_bytes(data[:4], "little") == len(data) - 4
    return key, data[4:]


@pytest.mark.parametrize("ours", [True, False])
def test_the_protection_says_none_as_excel_writes_it(ours: bool) -> None:
    template = addin_file.xlwings_folder() / "quickstart_addin_ribbon.xlam"
    data = project("MLSIM", SMALL) if ours else zipfile.ZipFile(template).read("xl/vbaProject.bin")
    text = streams(data).openstream("PROJECT").read().decode("cp1252")
    values = dict(re.findall(r'^(ID|CMG|DPB|GC)="(.*)"\r$', text, re.MULTILINE))
    keys = [decrypted(values[name])[0] for name in ("CMG", "DPB", "GC")]
    assert [decrypted(values[name])[1] for name in ("CMG", "DPB", "GC")] == [bytes(4), b"\0", b"\xff"]
    assert keys == [sum(values["ID"].encode()) & 0xFF] * 3


# --- compression -----------------------------------------------------------------------------------------------------


@given(
    st.one_of(st.text("ab \r\n", max_size=9000), st.text(st.characters(codec="cp1252"), max_size=9000)).map(
        lambda t: t.encode("cp1252")
    )
)
def test_compression_round_trips(data: bytes) -> None:
    olevba = reader("oletools.olevba")
    if not data:
        assert compressed(data) == b"\x01"
        return
    assert olevba.decompress_stream(bytearray(compressed(data))) == data


@given(st.binary(max_size=9000))
def test_what_does_not_compress_comes_back_with_zeros_at_most(data: bytes) -> None:
    olevba = reader("oletools.olevba")
    if data:
        back = bytes(olevba.decompress_stream(bytearray(compressed(data))))
        assert back[: len(data)] == data
        assert not any(back[len(data) :])


def test_text_becomes_much_shorter() -> None:
    text = addin_file.modules()[2].text.encode()
    assert len(compressed(text)) < len(text) / 2


# --- the rest --------------------------------------------------------------------------------------------------------


def test_the_same_modules_give_the_same_bytes() -> None:
    assert project("P", SMALL) == project("P", SMALL)
    assert addin_file.package() == addin_file.package()


@pytest.mark.parametrize(
    ("modules", "reason"),
    [
        ([Module("1st", "")], "no name"),
        ([*SMALL, Module("code", 'Attribute VB_Name = "code"\r\n')], "there twice"),
        ([Module("Code", "Option Explicit\r\n")], "does not begin with its name"),
    ],
)
def test_a_project_that_excel_would_not_open_is_refused(modules: list[Module], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        project("P", modules)


# --- LibreOffice -----------------------------------------------------------------------------------------------------


def with_uno() -> str:
    """Return a Python that drives LibreOffice; skip loudly where there is none."""
    for candidate in ("/usr/bin/python3", shutil.which("python3")):
        if candidate and shutil.which("soffice") and Path(candidate).exists():
            done = subprocess.run([candidate, "-c", "import uno"], capture_output=True, check=False)
            if done.returncode == 0:
                return candidate
    warnings.warn("soffice or python3-uno is missing: the VBA was NOT run in LibreOffice", stacklevel=2)
    pytest.skip("soffice or python3-uno is missing: the VBA was NOT run in LibreOffice")


def in_libreoffice(folder: Path, modules: list[Module], *calls: str, row: str = "") -> dict[str, Any]:
    """Open the add-in with these modules in LibreOffice; return the modules it sees and what functions return.

    LibreOffice knows no add-in files: the same package goes to it as a workbook with macros.
    """
    python, pipe = with_uno(), f"mlsim-basic-{os.getpid()}-{folder.stat().st_ino}"
    path = folder / "MLSIM.xlsm"
    with (
        zipfile.ZipFile(io.BytesIO(addin_file.package())) as addin,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book,
    ):
        for name in addin.namelist():
            data = addin.read(name).replace(b"ms-excel.addin.macro", b"ms-excel.sheet.macro")
            data = data.replace(b"<sheetData/>", f'<sheetData><row r="1">{row}</row></sheetData>'.encode())
            book.writestr(name, project("MLSIM", modules) if name.endswith(".bin") else data)
    server = subprocess.Popen(
        ["soffice", f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless", "--norestore",
         f"--accept=pipe,name={pipe};urp;"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        command = [python, str(HERE / "basic_in_libreoffice.py"), pipe, path.as_uri(), *calls]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
    finally:
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()


def code_of(text: str) -> str:
    """Return a module's text without what VBA hides and what LibreOffice adds."""
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(x for x in lines if not x.startswith(("Attribute ", "Rem Attribute", "Option VBASupport"))).strip()


def test_libreoffice_sees_every_module(tmp_path: Path) -> None:
    seen = in_libreoffice(tmp_path, addin_file.modules())["modules"]["MLSIM"]
    assert seen.keys() == {module.name for module in addin_file.modules()}
    for module in addin_file.modules():
        assert code_of(seen[module.name]) == code_of(module.text)


SERVER = """\
Attribute VB_Name = "Server"
Attribute VB_Base = "0{FCFB3D2A-A0FA-1068-A738-08002B3371B5}"
Attribute VB_GlobalNameSpace = False
Attribute VB_Creatable = False
Attribute VB_PredeclaredId = False
Attribute VB_Exposed = False
Attribute VB_TemplateDerived = False
Attribute VB_Customizable = False
Public Function CallUDF(moduleName, functionName, given, book, caller)
    Dim table(1, 1)
    If functionName = "MLSIM_LIST" Then
        table(0, 0) = 1: table(0, 1) = "a": table(1, 0) = ChrW(8203) & "#NUM! too big": table(1, 1) = True
        CallUDF = table
    ElseIf functionName = "MLSIM_SPEC" Then
        CallUDF = Array(ChrW(8203) & "#N/A unknown", 2)
    ElseIf functionName = "MLSIM_FITS" Then
        CallUDF = ChrW(8203) & given(0) & " why"
    Else
        CallUDF = moduleName & "|" & functionName & "|" & UBound(given) & "|" & given(UBound(given))
    End If
End Function
"""
BRIDGE = """\
Attribute VB_Name = "xlwings"
Public starts As Integer
Public Function XLPy()
    Dim server As New Server
    starts = starts + 1
    Set XLPy = server
End Function
"""
PROBE = '''\
Attribute VB_Name = "Probe"
Public Function Plain()
    Plain = MLSIM_CONVERT("1 GiB", "MiB")
End Function
Public Function Many()
    Many = MLSIM_ADD("1 GB", "2 GB", "3 GB")
End Function
Public Function Mixed()
    Mixed = MLSIM_WHY("MLSIM_FITS", "a", "b")
End Function
Public Function Errors()
    Dim code
    For Each code In Array("#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "other")
        Errors = Errors & CLng(MLSIM_FITS(code, "b")) & " "
    Next code
End Function
Public Function Table()
    Dim t
    t = MLSIM_LIST("hardware")
    Table = t(0, 0) & "|" & t(0, 1) & "|" & IsError(t(1, 0)) & "|" & t(1, 1)
End Function
Public Function Row()
    Dim t
    t = MLSIM_SPEC("a", "b")
    Row = IsError(t(0)) & "|" & t(1)
End Function
Public Function Starts()
    Dim i
    For i = 1 To 100
        MLSIM_CONVERT "1 GiB", "MiB"
    Next i
    Starts = xlwings.starts
End Function
Public Function Ribbon()
    Dim column(1, 0)
    column(1, 0) = "second"
    Ribbon = MLSIM_Item(Array("only"), 1) & "|" & MLSIM_Item(column, 2) & "|" & MLSIM_IsProblem(ChrW(8203) & "x") & "|" & MLSIM_IsProblem("x")
End Function
'''  # fmt: skip


def own(text: str, kind: str = "module") -> Module:
    name = re.match('Attribute VB_Name = "(.*)"', text)
    assert name
    return Module(name[1], text.replace("\n", "\r\n"), kind)


def for_libreoffice(caller: str = "Application.Caller") -> list[Module]:
    """Return our modules with the test's own Python behind XLPy, and what LibreOffice does not know changed.

    Its Basic takes "output" for a keyword, which VBA does not, and does not know the calling cell.
    """
    modules = []
    for module in addin_file.modules():
        if module.name != "xlwings":
            text = re.sub(r"\boutput\b", "output_", module.text).replace("TypeName(Application.Caller)", caller)
            text = text.replace("Private Function", "Public Function")  # for the probe
            modules.append(Module(module.name, text, module.kind))
    return modules


def test_the_vba_runs_in_libreoffice(tmp_path: Path) -> None:
    """Our modules, compiled and run; only Python, behind XLPy, is played by a class of the test."""
    calls = ("Plain", "Many", "Mixed", "Errors", "Table", "Row", "Starts", "Ribbon")
    modules = [*for_libreoffice('"macro"'), own(SERVER, "class"), own(BRIDGE), own(PROBE)]
    results = in_libreoffice(tmp_path, modules, *(f"MLSIM.Probe.{name}" for name in calls))["results"]
    assert dict(zip(calls, results, strict=True)) == {
        "Plain": "mlsim_addin.excel.udfs|MLSIM_CONVERT|1|MiB",
        "Many": "mlsim_addin.excel.udfs|MLSIM_ADD|2|3 GB",
        "Mixed": "mlsim_addin.excel.udfs|MLSIM_WHY|2|b",
        "Errors": "2000 2007 2015 2023 2029 2036 2042 2015 ",
        "Table": "1|a|True|True",
        "Row": "True|2",
        "Starts": 1,
        "Ribbon": "only|second|True|False",
    }


def formula(place: str, text: str) -> str:
    return f'<c r="{place}"><f>{text.replace(chr(34), "&quot;")}</f></c>'


def test_cells_call_the_vba_in_libreoffice(tmp_path: Path) -> None:
    """From a cell a range arrives as an object, of which Python gets the value; a failure is a real error."""
    row = (
        formula("A1", 'MLSIM_CONVERT("1 GiB","MiB")') + formula("B1", "MLSIM_CONVERT(F1,G1)")
        + formula("C1", 'MLSIM_FITS("#N/A",F1)') + formula("E1", "MLSIM_ADD(F1,G1)")
        + '<c r="F1" t="str"><v>five</v></c><c r="G1"><v>7</v></c>'
    )  # fmt: skip
    modules = [*for_libreoffice('"Range"'), own(SERVER, "class"), own(BRIDGE)]
    results = in_libreoffice(tmp_path, modules, "A1", "B1", "C1", "E1", row=row)["results"]
    assert results[0] == "mlsim_addin.excel.udfs|MLSIM_CONVERT|1|MiB"
    assert results[1] == "mlsim_addin.excel.udfs|MLSIM_CONVERT|1|7"
    assert results[2] == "Error 2042"  # how LibreOffice shows CVErr(xlErrNA)
    assert results[3] == "mlsim_addin.excel.udfs|MLSIM_ADD|1|7"


FAILING = """\
Attribute VB_Name = "xlwings"
Public starts As Integer
Public Function XLPy()
    starts = starts + 1
    Err.Raise 1000, "xlwings", "no Python here"
End Function
"""
DYING = """\
Attribute VB_Name = "xlwings"
Public starts As Integer
Public Function XLPy()
    Dim server As New Server
    starts = starts + 1
    server.dead = (starts = 1)
    Set XLPy = server
End Function
"""
DEAD = """\
Public dead As Boolean
Public Function CallUDF(moduleName, functionName, given, book, caller)
    If dead Then Err.Raise 462, "server", "The remote server machine does not exist"
    CallUDF = "answered"
End Function
"""
COUNT = """\
Attribute VB_Name = "Probe"
Public Function Cells()
    Dim i
    For i = 1 To 50
        Cells = IsError(MLSIM_CONVERT("1 GiB", "MiB"))
    Next i
    Cells = Cells & "|" & MLSIM_WHY("MLSIM_FITS", "a") & "|" & xlwings.starts
End Function
"""


def test_a_python_that_does_not_start_is_tried_once_by_all_cells(tmp_path: Path) -> None:
    modules = [*for_libreoffice('"Range"'), own(FAILING), own(COUNT)]
    (result,) = in_libreoffice(tmp_path, modules, "MLSIM.Probe.Cells")["results"]
    assert result == "True|no Python here|1"


def test_a_python_that_ended_is_started_again(tmp_path: Path) -> None:
    head = SERVER.split("Public Function")[0]
    modules = [*for_libreoffice('"Range"'), own(head + DEAD, "class"), own(DYING), own(COUNT)]
    (result,) = in_libreoffice(tmp_path, modules, "MLSIM.Probe.Cells")["results"]
    assert result == "False|answered|2"
