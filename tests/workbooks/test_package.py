from __future__ import annotations

import contextlib
import errno
import io
import os
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from mlsim.files import write_file
from mlsim_workbooks import package as pk
from mlsim_workbooks.package import Err, FileError
from mlsim_workbooks.recalc import recalculate

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
RELS = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'

SHEET = f"""<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<x:worksheet xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="{OFFICE}">
 <x:dimension ref="A1:H9"/><!-- kept: <x:v>9</x:v> -->
 <x:sheetData>
  <x:row r="1" spans="1:8"><x:c r="A1"><x:v>2</x:v></x:c><x:c r="B1" s="0" t="str"><x:f>MLSIM_DOUBLE(A1)</x:f><x:v>old &amp; text</x:v></x:c
  ><x:c r='C1' t='n'><x:f t="shared" ref="C1:C3" si="0">MLSIM_DOUBLE($A1)+A$1</x:f><x:v>0</x:v></x:c><x:c t="inlineStr" r="D1"><x:is><x:r><x:t>rich </x:t></x:r><x:r><x:t>text</x:t></x:r></x:is></x:c></x:row>
  <x:row r="2"><x:c r="A2"><x:v>3</x:v></x:c><x:c r="C2"><x:f t="shared" si="0"/></x:c><x:c r="E2" cm="1"><x:f t="array" ref="E2:F4">_xldudf_MLSIM_GRID(A1,3,2)</x:f><x:v>0</x:v></x:c><x:c r="H2" s="0"/></x:row>
  <x:row r="3"><x:c r="A3"><x:v>4</x:v></x:c><x:c r="C3"><x:f t="shared" si="0"/><x:v/></x:c><x:c r="F3" s="0"/></x:row>
  <x:row r="6" />
  <x:row r="7"><x:c r="A7" t="str"><x:f>D1&amp;" &lt;"&amp;A1</x:f></x:c><x:c r="B7" vm="1" t="e"><x:f>MLSIM_DOUBLE(A1)</x:f><x:v>#VALUE!</x:v></x:c><x:c r="C7" t="b"><x:f>A1=2</x:f><x:v>0</x:v></x:c><x:c r="D7"><x:f>1/0</x:f><x:v>1</x:v></x:c><x:c r="E7" t="s"><x:v>0</x:v></x:c><x:c r="F7"><x:f>SUM(E2:F4)</x:f><x:v>15</x:v></x:c></x:row>
 </x:sheetData>
 <x:drawing r:id="rId1"/><x:legacyDrawing r:id="rId2"/><x:tableParts count="1"><x:tablePart r:id="rId3"/></x:tableParts>
</x:worksheet>"""

PARTS = {
    "xl/media/pic.bin": os.urandom(300),
    "xl/worksheets/sheet1.xml": SHEET.encode(),
    "[Content_Types].xml": b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
    "_rels/.rels": f'<Relationships {RELS}><Relationship Id="r" Type="{OFFICE}/officeDocument" Target="/xl/workbook.xml"/></Relationships>'.encode(),
    "xl/workbook.xml": f'<workbook {MAIN} xmlns:r="{OFFICE}"><sheets><sheet name="S" sheetId="3" r:id="rId9"/></sheets><calcPr fullCalcOnLoad="1"/></workbook>'.encode(),
    "xl/_rels/workbook.xml.rels": f'<Relationships {RELS}><Relationship Id="rId9" Type="{OFFICE}/worksheet" Target="/xl/worksheets/sheet1.xml"/><Relationship Id="s" Type="{OFFICE}/sharedStrings" Target="sharedStrings.xml"/></Relationships>'.encode(),
    "xl/sharedStrings.xml": f"<sst {MAIN}><si><t>one</t><rPh><t>no</t></rPh></si></sst>".encode(),
    "xl/worksheets/_rels/sheet1.xml.rels": f'<Relationships {RELS}><Relationship Id="rId1" Type="{OFFICE}/drawing" Target="/xl/drawings/drawing1.xml"/><Relationship Id="rId2" Type="{OFFICE}/comments" Target="/xl/comments/comment1.xml"/><Relationship Id="rId3" Type="{OFFICE}/table" Target="/xl/tables/table1.xml"/></Relationships>'.encode(),
    "xl/tables/table1.xml": f'<table {MAIN} name="T" displayName="T" ref="A1:A3"><tableColumns><tableColumn name="2"/></tableColumns></table>'.encode(),
    "xl/comments/comment1.xml": b"<comments/>",
    "xl/drawings/drawing1.xml": b"<wsDr/>",
    "xl/charts/chart1.xml": b"<chartSpace/>",
    "xl/metadata.xml": b"<metadata/>",
}


def call(name: str, args: list[Any]) -> Any:
    if name == "MLSIM_DOUBLE":
        return args[0] * 2
    return [[float(r * 2 + c) for c in range(2)] for r in range(3)]


KNOWN = {"MLSIM_DOUBLE", "MLSIM_GRID"}


def odd_zip(path: Path, parts: dict[str, bytes] = PARTS) -> Path:
    """Write a package with mixed compression, odd dates, extra fields, comments and data descriptors."""
    stream = io.BytesIO()
    stream.seekable = lambda: False  # type: ignore[method-assign]  # makes zipfile write data descriptors
    with zipfile.ZipFile(stream, "w") as archive:
        for i, (name, data) in enumerate(parts.items()):
            info = zipfile.ZipInfo(name, (1999, 12, 1 + i, 3, 4, 6))
            info.compress_type = zipfile.ZIP_STORED if i % 3 == 0 else zipfile.ZIP_DEFLATED
            info.extra = struct.pack("<HH4s", 0x7777, 4, b"mine")
            info.comment = b"c%d" % i
            info.external_attr = 0o600 << 16
            archive.writestr(info, data)
        archive.comment = b"a comment of the archive"
    path.write_bytes(stream.getvalue())
    return path


def members(path: Path) -> dict[str, tuple[zipfile.ZipInfo, bytes]]:
    data = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        infos = archive.infolist()
    starts = [*sorted(i.header_offset for i in infos), data.rindex(b"PK\x01\x02")]
    return {i.filename: (i, data[i.header_offset : starts[starts.index(i.header_offset) + 1]]) for i in infos[:-1]}


def test_only_the_cached_values_change(tmp_path: Path) -> None:
    path = odd_zip(tmp_path / "in.xlsm")
    report = recalculate(path, call=call, known=KNOWN, out=tmp_path / "out.xlsm")
    old, new = members(path), members(report.output)
    assert list(old) == list(new)
    for name in old:
        a, b = old[name][0], new[name][0]
        assert (a.date_time, a.extra, a.comment, a.compress_type, a.external_attr) == (
            b.date_time, b.extra, b.comment, b.compress_type, b.external_attr,
        )  # fmt: skip
        if name != "xl/worksheets/sheet1.xml":
            assert old[name][1] == new[name][1], name
    with zipfile.ZipFile(report.output) as archive:
        assert archive.comment == b"a comment of the archive"
        for name, data in PARTS.items():
            if name != "xl/worksheets/sheet1.xml":
                assert archive.read(name) == data
        text = archive.read("xl/worksheets/sheet1.xml").decode()
    expected = SHEET
    for before, after in [
        ('<x:c r="B1" s="0" t="str"><x:f>MLSIM_DOUBLE(A1)</x:f><x:v>old &amp; text</x:v>',
         '<x:c r="B1" s="0"><x:f>MLSIM_DOUBLE(A1)</x:f><x:v>4</x:v>'),
        ("+A$1</x:f><x:v>0</x:v>", "+A$1</x:f><x:v>6</x:v>"),
        ('<x:c r="C2"><x:f t="shared" si="0"/></x:c>', '<x:c r="C2"><x:f t="shared" si="0"/><x:v>8</x:v></x:c>'),
        ('<x:f t="shared" si="0"/><x:v/>', '<x:f t="shared" si="0"/><x:v>10</x:v>'),
        ('<x:c r="H2" s="0"/>', '<x:c r="F2"><x:v>1</x:v></x:c><x:c r="H2" s="0"/>'),
        ('<x:c r="F3" s="0"/>', '<x:c r="E3"><x:v>2</x:v></x:c><x:c r="F3" s="0"><x:v>3</x:v></x:c>'),
        ('<x:row r="6" />', '<x:row r="4"><x:c r="E4"><x:v>4</x:v></x:c><x:c r="F4"><x:v>5</x:v></x:c></x:row><x:row r="6" />'),
        ('&amp;A1</x:f></x:c>', '&amp;A1</x:f><x:v>rich text &lt;2</x:v></x:c>'),
        ("<x:f>A1=2</x:f><x:v>0</x:v>", "<x:f>A1=2</x:f><x:v>1</x:v>"),
        ('<x:c r="D7"><x:f>1/0</x:f><x:v>1</x:v>', '<x:c r="D7" t="e"><x:f>1/0</x:f><x:v>#DIV/0!</x:v>'),
    ]:  # fmt: skip
        assert before in expected, before
        expected = expected.replace(before, after)
    assert text == expected
    assert report.left == [("S", "B7", "holds a rich value")]
    assert "(S!C7, S!D7)" in report.notes[0]
    assert ("S", "F7") not in report.changed


def test_nothing_to_change_gives_the_same_bytes(tmp_path: Path) -> None:
    path = odd_zip(tmp_path / "in.xlsm")
    recalculate(path, call=call, known=KNOWN)
    before, stamp = path.read_bytes(), path.stat().st_mtime_ns
    report = recalculate(path, call=call, known=KNOWN)
    assert report.changed == []
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (before, stamp)
    assert recalculate(path, call=call, known=KNOWN, out=tmp_path / "o.xlsm").output.read_bytes() == before


def test_openpyxl_reads_the_result(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active["A1"] = 2
    book.active["B1"] = "=MLSIM_DOUBLE(A1)"
    book.active["B1"].comment = openpyxl.comments.Comment("kept", "me")
    chart = openpyxl.chart.BarChart()
    chart.add_data(openpyxl.chart.Reference(book.active, range_string="Sheet!A1:B1"))
    book.active.add_chart(chart, "D4")
    path = tmp_path / "a.xlsx"
    book.save(path)
    names = zipfile.ZipFile(path).namelist()
    recalculate(path, call=call, known=KNOWN)
    assert zipfile.ZipFile(path).namelist() == names
    again = openpyxl.load_workbook(path, data_only=True).active
    assert again["B1"].value == 4
    assert again["B1"].comment.text == "kept"


def refused(path: Path, words: str) -> None:
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(FileError, match=r"\.$") as caught:
        recalculate(path, call=call, known=KNOWN)
    assert words in str(caught.value)
    assert (path.read_bytes() if path.is_file() else None) == before


def test_refused_files(tmp_path: Path) -> None:
    path = tmp_path / "f.xlsx"
    refused(path, "There is no file")
    refused(tmp_path, "is a folder")
    ole = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600)
    good = odd_zip(tmp_path / "good.xlsx").read_bytes()
    without = {k: v for k, v in PARTS.items() if k != "xl/workbook.xml"}
    for data, words in [
        (b"", "is empty"),
        (b"hello", "not an Excel workbook"),
        (ole, "old Excel format"),
        (ole + "EncryptedPackage".encode("utf-16-le"), "password-protected workbook"),
        (good[:-200], "is damaged"),
        (good[:1000], "is damaged"),
        (odd_zip(tmp_path / "w.xlsx", without).read_bytes(), "has no workbook.xml"),
    ]:
        path.write_bytes(data)
        refused(path, words)


def test_damaged_bytes_are_found(tmp_path: Path) -> None:
    data = bytearray(odd_zip(tmp_path / "f.xlsx").read_bytes())
    at = data.index(b"xl/worksheets/sheet1.xml") + 100
    data[at] ^= 0xFF
    (tmp_path / "f.xlsx").write_bytes(data)
    refused(tmp_path / "f.xlsx", "is damaged: the part xl/worksheets/sheet1.xml")


@pytest.mark.parametrize("step", [1, 7])
def test_no_cut_or_flip_gives_a_traceback(tmp_path: Path, step: int) -> None:
    good = odd_zip(tmp_path / "g.xlsx").read_bytes()
    path = tmp_path / "f.xlsx"
    for at in range(step, len(good), 97):
        flipped = bytearray(good)
        flipped[at] ^= 0x55
        for data in (good[:at], bytes(flipped)):
            path.write_bytes(data)
            with contextlib.suppress(FileError):
                recalculate(path, call=call, known=KNOWN, out=tmp_path / "o.xlsx")


def test_doctype_and_encoding(tmp_path: Path) -> None:
    evil = b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + SHEET.split("?>", 1)[1].encode().lstrip()
    refused(odd_zip(tmp_path / "d.xlsx", PARTS | {"xl/worksheets/sheet1.xml": evil}), "has a DOCTYPE")
    wide = SHEET.replace("UTF-8", "UTF-16").encode("utf-16")
    refused(odd_zip(tmp_path / "e.xlsx", PARTS | {"xl/worksheets/sheet1.xml": wide}), "only UTF-8 is read")


def test_zip_bombs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/big.xml", bytes(20 << 20))
    refused(path, "packed more than 1:300")
    monkeypatch.setattr(pk, "MAX_TOTAL", 1 << 20)
    refused(path, "1 MiB in all")


def test_a_lying_size_does_not_unpack_more(tmp_path: Path) -> None:
    path = tmp_path / "lie.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in PARTS.items():
            archive.writestr(name, data if not name.endswith("sheet1.xml") else bytes(5 << 20))
    data = bytearray(path.read_bytes())
    at = data.index(struct.pack("<L", 5 << 20), data.rindex(b"PK\x05\x06") - 2000)
    data[at : at + 4] = struct.pack("<L", 10)
    path.write_bytes(data)
    refused(path, "fails its checksum")


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = odd_zip(tmp_path / "f.xlsx")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    refused(path, "the disk is full. Nothing was changed")
    assert os.listdir(tmp_path) == ["f.xlsx"]


def test_a_locked_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = odd_zip(tmp_path / "f.xlsx")

    def locked(*_: object) -> None:
        raise PermissionError(errno.EACCES, "in use")

    monkeypatch.setattr(os, "replace", locked)
    refused(path, "cannot be written: permission denied")
    assert os.listdir(tmp_path) == ["f.xlsx"]


def test_a_symbolic_link_is_followed(tmp_path: Path) -> None:
    path = odd_zip(tmp_path / "f.xlsx")
    link = tmp_path / "link.xlsx"
    link.symlink_to(path)
    recalculate(link, call=call, known=KNOWN)
    assert link.is_symlink()
    assert b"<x:v>4</x:v>" in zipfile.ZipFile(path).read("xl/worksheets/sheet1.xml")


@pytest.mark.parametrize(
    ("value", "rendered"),
    [
        (1.0, ("", "1")), (0.1 + 0.2, ("", "0.30000000000000004")), (1e300, ("", "1E+300")), (1e-7, ("", "1E-07")),
        (True, ("b", "1")), (Err("#N/A"), ("e", "#N/A")), ("#N/A", ("str", "#N/A")), ("a<&", ("str", "a&lt;&amp;")),
        ("a\x01_x0041_", ("str", "a_x0001__x005F_x0041_")), (float("inf"), ("e", "#NUM!")), ("", ("str", "")),
    ],
)  # fmt: skip
def test_rendering(value: Any, rendered: tuple[str, str]) -> None:
    assert pk.render(value) == rendered
    if rendered[0] == "str" and "<" not in value:
        assert pk.unescape(rendered[1]) == value


def test_crc_of_the_changed_part(tmp_path: Path) -> None:
    package = pk.read_package(odd_zip(tmp_path / "f.xlsx"))
    data = pk.write_package(package, {"xl/metadata.xml": b"<new/>" * 50})
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert zlib.crc32(b"<new/>" * 50) == archive.getinfo("xl/metadata.xml").CRC
    assert pk.write_package(package, {}) is package.data


def test_new_files_are_readable_as_usual(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_file(tmp_path / "new.xlsx", b"x")
    finally:
        os.umask(before)
    assert (tmp_path / "new.xlsx").stat().st_mode & 0o777 == 0o640
