from __future__ import annotations

import contextlib
import io
import re
import shutil
import subprocess
import tempfile
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from openpyxl.formatting.rule import CellIsRule
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.table import Table

from mlsim_workbooks.lint.annotate import annotate
from mlsim_workbooks.lint.finding import RULES, Finding, Rule
from mlsim_workbooks.package import RecalcError, read_package, scan_sheet

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml"
BOOK_TYPE = "application/vnd.ms-excel.sheet.macroEnabled.main+xml"
RED, AMBER = "FFFFC7CE", "FFFFEB9C"


@pytest.fixture(autouse=True, scope="module")
def soft_rule() -> Iterator[None]:
    """No rule is a warning today, so the tests bring one."""
    RULES["soft"] = Rule("soft", "warning", "A mild one", "Look.")
    yield
    del RULES["soft"]


def found(
    cell: str, sheet: str = "Plan", rule: str = "bits-bytes", message: str = "Gbit/s is added to GB/s."
) -> Finding:
    return Finding("book.xlsx", sheet, cell, rule, message, "Divide Gbit/s by 8.")


TEXT = "bits-bytes: Gbit/s is added to GB/s.\nFix: Divide Gbit/s by 8."


def zipped(path: Path, parts: dict[str, bytes | str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return path


def unzipped(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def marked(path: Path, findings: Sequence[Finding]) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Return the parts before and after, having checked what holds for every book."""
    package = read_package(path)
    data = annotate(package, findings)
    assert annotate(read_package(path), findings) == data
    assert package.data == path.read_bytes()
    old, new = unzipped(package.data), unzipped(data)
    assert list(new)[: len(old)] == list(old)  # new parts come last
    for name, part in new.items():
        if name.endswith((".xml", ".rels", ".vml")) and part:
            etree.fromstring(part)  # well-formed
    consistent(new)
    out = path.with_name("out" + path.suffix)
    out.write_bytes(data)
    again, before = read_package(out), package
    for name in old:
        if old[name] == new[name]:  # the packed bytes too
            a, b = before.members[name], again.members[name]
            assert before.data[a.offset : a.end] == again.data[b.offset : b.end]
    return old, new


def consistent(parts: dict[str, bytes]) -> None:
    """Check that each part has one content type and each internal relationship a target and an id of its own."""
    types = etree.fromstring(parts["[Content_Types].xml"])
    defaults = [e.get("Extension").lower() for e in types if e.tag.endswith("Default")]
    overrides = [e.get("PartName") for e in types if e.tag.endswith("Override")]
    assert len(set(defaults)) == len(defaults)
    assert len(set(overrides)) == len(overrides)
    for name in parts:
        assert "/" + name in overrides or name.rpartition(".")[2] in defaults or name == "[Content_Types].xml", name
    for name in parts:
        if name.endswith(".rels"):
            ids = [e.get("Id") for e in etree.fromstring(parts[name])]
            assert len(set(ids)) == len(ids)
            folder = Path("/" + name).parent.parent
            for e in etree.fromstring(parts[name]):
                if e.get("TargetMode") != "External":
                    target = Path(folder / e.get("Target")).as_posix()
                    while "/../" in target:
                        target = re.sub(r"/[^/]+/\.\./", "/", target, count=1)
                    assert target[1:] in parts, (name, target)


def only_inserted(old: bytes, new: bytes) -> None:
    """Check that the old bytes are all there, in order, but for the counts and style ids of start tags."""
    pieces = re.split(rb"""(\s(?:s|count)="\d*"|(?<=Anchor>)[^<]*|/?>)""", old)[::2]
    at = 0
    for piece in pieces:
        at = new.index(piece, at) + len(piece)


def changed(old: dict[str, bytes], new: dict[str, bytes]) -> set[str]:
    for name in old:
        if old[name] != new[name]:
            only_inserted(old[name], new[name])
    return {name for name in old if old[name] != new[name]}


# --- a book of openpyxl ----------------------------------------------------------------------------------------


def rich_book(path: Path) -> Path:
    book = openpyxl.Workbook()
    plan = book.active
    plan.title = "Plan"
    for row in ([1, 2, 3], [4, "=A1*2", "text"], [7, 8, "=SUM(A1:B3)"]):
        plan.append(row)
    cell = plan["B2"]
    cell.number_format, cell.font = '0.00" GB/s"', Font(name="Arial", size=14, bold=True, color="FF00FF00")
    cell.border = Border(left=Side("thick"), top=Side("thin"))
    cell.alignment = Alignment(horizontal="center", wrap_text=True)
    cell.protection = Protection(locked=False)
    plan["C3"].fill = PatternFill("solid", fgColor="FF0000FF")
    plan["C3"].number_format = "0.0%"
    plan["A1"].comment = Comment("from the data sheet", "me", width=200, height=40)
    plan["A3"].comment = Comment("untouched", "you")
    plan.column_dimensions["H"].number_format = "0.000"
    plan.conditional_formatting.add("A1:B3", CellIsRule("greaterThan", ["5"], fill=PatternFill(bgColor="FFFFFF00")))
    validation = DataValidation(type="whole", formula1="1", formula2="9")
    validation.add("A1")
    plan.add_data_validation(validation)
    plan["F1"].hyperlink = "https://example.org/"
    plan.protection.sheet = True
    plan.freeze_panes = "B2"
    other = book.create_sheet('It\'s & "so"')
    for row in (["x", "y"], [1, 2], [3, 4]):
        other.append(row)
    other.add_table(Table(displayName="T", ref="A1:B3"))
    other.sheet_properties.tabColor = "FF0000"
    book.create_sheet("Findings")
    book.create_sheet("findings 2").sheet_state = "hidden"
    book.defined_names["Peak"] = DefinedName("Peak", attr_text="Plan!$B$2")
    other.defined_names["Mine"] = DefinedName("Mine", attr_text="'It''s & \"so\"'!$A$2")
    for sheet in (plan, book.create_chartsheet("Chart")):
        chart = BarChart()
        chart.add_data(Reference(plan, range_string="Plan!A1:A3"))
        sheet.add_chart(chart, "J4") if sheet is plan else sheet.add_chart(chart)
    book.active = 1
    book.save(path)
    return path


OTHER = 'It\'s & "so"'
RICH = [
    found("A1"), found("B2"), found("B2", rule="soft", message="<b>&amp;\"' =1+1"), found("C3", rule="soft"),
    found("E2"), found("H7"), found("B5"), found("A2", OTHER), found("C9", OTHER), found("A1", "Chart"),
    found("A1", "Nowhere"), found("A1:B2"), found("plan total"), found("$C$1"),
]  # fmt: skip


def test_a_rich_book(tmp_path: Path) -> None:
    old, new = marked(rich_book(tmp_path / "book.xlsx"), RICH)
    assert changed(old, new) == {
        "xl/worksheets/sheet1.xml", "xl/worksheets/sheet2.xml", "xl/worksheets/_rels/sheet2.xml.rels",
        "xl/comments/comment1.xml", "xl/drawings/commentsDrawing1.vml", "xl/styles.xml", "xl/workbook.xml",
        "xl/_rels/workbook.xml.rels", "[Content_Types].xml",
    }  # fmt: skip
    assert set(new) - set(old) == {"xl/comments1.xml", "xl/drawings/vmlDrawing1.vml", "xl/worksheets/sheet5.xml"}
    assert re.findall(rb'<definedName[^>]*localSheetId="(\d+)"', new["xl/workbook.xml"]) == [b"1"]
    assert b'activeTab="1"' in new["xl/workbook.xml"]

    before, after = openpyxl.load_workbook(tmp_path / "book.xlsx"), openpyxl.load_workbook(tmp_path / "out.xlsx")
    assert after.sheetnames == [*before.sheetnames, "Findings 3"]
    plan, was = after["Plan"], before["Plan"]
    fills = {ref: plan[ref].fill.fgColor.rgb for ref in ("A1", "B2", "C3", "E2", "H7", "B5", "C1", "C2")}
    assert fills == dict.fromkeys(("A1", "B2", "E2", "H7", "B5", "C1"), RED) | {"C3": AMBER, "C2": "00000000"}
    for row in was.iter_rows():
        for cell in row:
            now = plan[cell.coordinate]
            for field in ("value", "number_format", "font", "border", "alignment", "protection", "data_type"):
                assert repr(getattr(now, field)) == repr(getattr(cell, field)), (cell.coordinate, field)
    assert plan["H7"].number_format == "0.000"  # of its column
    assert plan["A1"].comment.text == f"from the data sheet\n\n{TEXT}"
    assert plan["A1"].comment.author == "me"
    assert plan["A3"].comment.text == "untouched"
    assert plan["B2"].comment.text == f"{TEXT}\n\nsoft: <b>&amp;\"' =1+1\nFix: Divide Gbit/s by 8."
    assert plan["B2"].comment.author == "mlsim"
    assert plan.protection.sheet
    assert plan["F1"].hyperlink.target == "https://example.org/"
    assert after[OTHER]["C9"].comment.text == TEXT
    assert after[OTHER].tables.keys() == {"T"}

    listing = after["Findings 3"]
    rows = list(listing.values)
    assert rows[0] == ("Severity", "Rule", "Sheet", "Cell", "Message", "Suggestion")
    assert rows[1:] == [(f.severity, f.rule, f.sheet, f.cell, f.message, f.suggestion) for f in RICH]
    assert {cell.data_type for row in listing.iter_rows() for cell in row} == {"s"}
    links = [listing.cell(n, 4).hyperlink for n in range(2, len(RICH) + 2)]
    assert [link and link.location for link in links] == [
        "'Plan'!A1", "'Plan'!B2", "'Plan'!B2", "'Plan'!C3", "'Plan'!E2", "'Plan'!H7", "'Plan'!B5",
        "'It''s & \"so\"'!A2", "'It''s & \"so\"'!C9", None, None, None, None, "'Plan'!$C$1",
    ]  # fmt: skip
    assert listing.freeze_panes == "A2"
    assert listing.auto_filter.ref == f"A1:F{len(RICH) + 1}"
    assert listing["E3"].alignment.wrap_text
    assert (listing["A2"].fill.fgColor.rgb, listing["A4"].fill.fgColor.rgb) == (RED, AMBER)


def test_no_findings(tmp_path: Path) -> None:
    old, new = marked(rich_book(tmp_path / "book.xlsx"), [])
    assert changed(old, new) == {
        "xl/styles.xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "[Content_Types].xml",
    }  # fmt: skip
    assert list(openpyxl.load_workbook(tmp_path / "out.xlsx")["Findings 3"].values) == [("No findings.",)]


def test_annotating_twice_adds_to_the_notes(tmp_path: Path) -> None:
    marked(rich_book(tmp_path / "book.xlsx"), [found("B2")])
    first = (tmp_path / "out.xlsx").rename(tmp_path / "again.xlsx")
    marked(first, [found("B2"), found("E2")])
    book = openpyxl.load_workbook(tmp_path / "out.xlsx")
    assert book["Plan"]["B2"].comment.text == f"{TEXT}\n\n{TEXT}"
    assert book.sheetnames[-2:] == ["Findings 3", "Findings 4"]
    assert unzipped((tmp_path / "out.xlsx").read_bytes())["xl/comments/comment1.xml"].count(b"<author>mlsim") == 1


# --- packages by hand ------------------------------------------------------------------------------------------


def rels(*entries: tuple[str, str, str]) -> str:
    body = "".join(f'<Relationship Id="{i}" Type="{kind}" Target="{target}"/>' for i, kind, target in entries)
    return f'<Relationships xmlns="{PACKAGE}/relationships">{body}</Relationships>'


STYLES = f"""<x:styleSheet xmlns:x="{MAIN}"><x:fonts count='1'><x:font><x:sz val="10"/><x:name val="Arial"/></x:font></x:fonts>
<x:fills count="1"><x:fill><x:patternFill patternType="none"/></x:fill></x:fills>
<x:cellXfs count="2"><x:xf numFmtId="0" fontId="0" fillId="0" borderId="0"/><x:xf
 numFmtId="9" fontId="0" fillId='0' borderId="0" applyFill="0"><x:alignment horizontal="right"/></x:xf></x:cellXfs>
<x:dxfs count="1"><x:dxf><x:fill><x:patternFill><x:bgColor rgb="FFFF0000"/></x:patternFill></x:fill></x:dxf></x:dxfs></x:styleSheet>"""

SHEET = f"""<x:worksheet xmlns:x="{MAIN}" xmlns:rel="{OFFICE}"><!-- <x:sheetData/> --><x:cols><x:col min="5" max="6" width="2" style="1"/></x:cols><x:sheetData>
<x:row r="1" spans="1:3"><x:c r="A1" s='1' cm="1" vm="2" t="e"><x:f t="array" ref="A1">B1&gt;1</x:f><x:v>#VALUE!</x:v></x:c><x:c r = "B1"
 ><x:v>3</x:v></x:c><x:c r="D1" s="1" /></x:row><x:row r="2" s="1" customFormat="1"/><x:row><x:c><x:v>1</x:v></x:c><x:c><x:v>2</x:v></x:c></x:row>
<x:row r="9"><x:c r="A9"><x:v>5</x:v></x:c></x:row></x:sheetData><x:sheetProtection sheet="1"/><x:hyperlinks><x:hyperlink ref="A9" location="A1"/></x:hyperlinks>
<mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"><mc:Choice Requires="x14"><x:controls/></mc:Choice></mc:AlternateContent>
<x:tableParts count="0"/><x:extLst/></x:worksheet>"""


def hand_made(
    sheet: str = SHEET, sheet_rels: str = "", more: dict[str, bytes | str] | None = None
) -> dict[str, bytes | str]:
    """Return the parts of a macro book with a prefixed namespace and parts that nobody here knows."""
    more = more or {}
    parts: dict[str, bytes | str] = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="xml" ContentType="application/xml"/>'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="bin" ContentType="application/vnd.ms-office.vbaProject"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{BOOK_TYPE}"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{SPREADSHEET}.worksheet+xml"/></Types>',
        "_rels/.rels": rels(("r", f"{OFFICE}/officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": f'<x:workbook xmlns:x="{MAIN}"><x:sheets><x:sheet name="Plan" sheetId="7" q:id="rId2" xmlns:q="{OFFICE}"/></x:sheets>'
        '<x:definedNames><x:definedName name="P" localSheetId="0">Plan!$A$1</x:definedName></x:definedNames></x:workbook>',
        "xl/_rels/workbook.xml.rels": rels(
            ("rId2", f"{OFFICE}/worksheet", "worksheets/sheet1.xml"), ("rId1", f"{OFFICE}/styles", "/xl/styles.xml"),
            ("rId9", f"{OFFICE}/sheetMetadata", "metadata.xml"), ("v", "x/vbaProject", "vbaProject.bin"),
        ),
        "xl/worksheets/sheet1.xml": sheet,
        "xl/styles.xml": STYLES,
        "xl/vbaProject.bin": bytes(range(256)),
        "xl/metadata.xml": "<metadata/>",
        "xl/calcChain.xml": "<calcChain/>",
        "xl/slicers/slicer1.xml": "<slicers/>",
        "xl/pivotCache/pivotCacheDefinition1.xml": "<pivot/>",
        "customXml/item1.xml": "<a/>",
    }  # fmt: skip
    if sheet_rels:
        parts["xl/worksheets/_rels/sheet1.xml.rels"] = sheet_rels
    return parts | more


UNKNOWN = {
    "xl/vbaProject.bin", "xl/metadata.xml", "xl/calcChain.xml", "xl/slicers/slicer1.xml", "_rels/.rels",
    "xl/pivotCache/pivotCacheDefinition1.xml", "customXml/item1.xml",
}  # fmt: skip


def test_a_prefixed_macro_book(tmp_path: Path) -> None:
    cells = ["A1", "B1", "C1", "D1", "B2", "B3", "C3", "E3", "E5", "F12"]
    old, new = marked(zipped(tmp_path / "book.xlsm", hand_made()), [found(c) for c in cells])
    assert {name for name in old if old[name] == new[name]} >= UNKNOWN
    expected = SHEET
    for before, after in [
        ("""r="A1" s='1' cm""", """r="A1" s="2" cm"""),
        ('r = "B1"\n >', 'r = "B1" s="3"\n >'),
        ('<x:c r="D1" s="1" />', '<x:c r="C1" s="3"/><x:c r="D1" s="2" />'),
        ('<x:row r="2" s="1" customFormat="1"/>', '<x:row r="2" s="1" customFormat="1"><x:c r="B2" s="2"/></x:row>'),
        ("<x:c><x:v>2</x:v></x:c></x:row>", '<x:c s="3"><x:v>2</x:v></x:c><x:c r="C3" s="3"/><x:c r="E3" s="2"/></x:row>'),
        ('<x:row r="9">', '<x:row r="5"><x:c r="E5" s="2"/></x:row><x:row r="9">'),
        ("</x:row></x:sheetData>", '</x:row><x:row r="12"><x:c r="F12" s="2"/></x:row></x:sheetData>'),
        ("<mc:Alt", '<x:legacyDrawing rel:id="rId2"/><mc:Alt'),
    ]:  # fmt: skip
        assert expected.count(before) == 1, before
        expected = expected.replace(before, after)
    assert new["xl/worksheets/sheet1.xml"].decode() == expected
    styles = new["xl/styles.xml"].decode()
    assert '<x:fills count="4">' in styles
    assert '<x:patternFill patternType="gray125"/>' in styles  # Excel owns the first two
    assert (
        """numFmtId="9" fontId="0" fillId="2" borderId="0" applyFill="1"><x:alignment horizontal="right"/>""" in styles
    )
    assert STYLES[STYLES.index("<x:dxfs") :] in styles
    assert '<x:name val="Arial"/></x:font></x:fonts>' in styles
    assert (
        f'<x:sheet name="Findings" sheetId="8" xmlns:r="{OFFICE}" r:id="rId3"/></x:sheets>'
        in new["xl/workbook.xml"].decode()
    )


def test_styles_that_are_missing_or_empty(tmp_path: Path) -> None:
    parts = hand_made()
    del parts["xl/styles.xml"]
    parts["xl/_rels/workbook.xml.rels"] = rels(("rId2", f"{OFFICE}/worksheet", "worksheets/sheet1.xml"))
    for name, case in [("a", parts), ("b", hand_made(more={"xl/styles.xml": f'<styleSheet xmlns="{MAIN}"/>'}))]:
        _, new = marked(zipped(tmp_path / f"{name}.xlsx", case), [found("B1"), found("A1")])
        styles = next(part for key, part in new.items() if "styles" in key)
        assert [e.tag.rpartition("}")[2] for e in etree.fromstring(styles)] == ["fonts", "fills", "borders", "cellXfs"]
        assert openpyxl.load_workbook(tmp_path / "out.xlsx")["Plan"]["B1"].fill.fgColor.rgb == RED


@pytest.mark.parametrize(
    "body", ["<sheetData/>", "<sheetData />", "<sheetData></sheetData>", '<sheetData><row r="4"/></sheetData>']
)
def test_empty_sheets_and_strict_books(tmp_path: Path, body: str) -> None:
    strict = "http://purl.oclc.org/ooxml"
    parts = {
        name: data.replace(MAIN, f"{strict}/spreadsheetml/main").replace(
            OFFICE, f"{strict}/officeDocument/relationships"
        )
        for name, data in hand_made(f'<worksheet xmlns="{MAIN}">{body}</worksheet>').items()
        if isinstance(data, str)
    }
    parts["xl/_rels/workbook.xml.rels"] = parts["xl/_rels/workbook.xml.rels"].replace("vbaProject.bin", "metadata.xml")
    _, new = marked(zipped(tmp_path / "book.xlsx", dict(parts)), [found("B4"), found("A7"), found("C4")])
    sheet = new["xl/worksheets/sheet1.xml"].decode()
    assert (
        re.sub(r' s="\d"', "", sheet)
        .replace("Data >", "Data>")
        .startswith(
            f'<worksheet xmlns="{strict}/spreadsheetml/main"><sheetData><row r="4"><c r="B4"/><c r="C4"/></row>'
            '<row r="7"><c r="A7"/></row></sheetData><legacyDrawing '
        )
    )
    assert all(b"schemas.openxmlformats.org/spreadsheetml" not in part for part in new.values())
    assert b"purl.oclc.org/ooxml/officeDocument/relationships/comments" in new["xl/worksheets/_rels/sheet1.xml.rels"]
    assert f"{strict}/spreadsheetml/main".encode() in new["xl/comments1.xml"]


VML = """<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" xmlns:x="urn:schemas-microsoft-com:office:excel">
 <o:shapelayout v:ext="edit"><o:idmap v:ext="edit" data="3"/></o:shapelayout><v:shapetype id="_x0000_t202" coordsize="21600,21600"/>
 <v:shape id="_x0000_s3075" type="#_x0000_t202"><x:ClientData ObjectType="Note"><x:Anchor>
    1, 15, 0, 2, 3, 31, 4, 1</x:Anchor><x:Row>0</x:Row><x:Column>0</x:Column></x:ClientData></v:shape>
 <v:shape id="_x0000_s3080"><x:ClientData ObjectType="Checkbox"><x:Anchor>1, 2, 3, 4, 5, 6, 7, 8</x:Anchor></x:ClientData></v:shape>
</xml>"""  # fmt: skip
COMMENTS = f"""<x:comments xmlns:x="{MAIN}"><x:authors><x:author>Ann</x:author><x:author>tc={{1-2}}</x:author></x:authors><x:commentList>
<x:comment ref="A1" authorId="0"><x:text><x:t>plain</x:t></x:text></x:comment><x:comment ref="B1" authorId="1"><x:text><x:t>[Threaded comment]
Your version ...</x:t></x:text></x:comment><x:comment ref="A9" authorId="0"><x:text/></x:comment><x:comment ref="C1" authorId="1"><x:text><x:t>[Kommentarthread]</x:t></x:text></x:comment></x:commentList></x:comments>"""
WITH_NOTES = SHEET.replace("<mc:Alt", '<x:legacyDrawing rel:id="d"/><x:legacyDrawingHF rel:id="h"/><mc:Alt')


def test_notes_threads_and_boxes_that_are_there(tmp_path: Path) -> None:
    thread = "http://schemas.microsoft.com/office/2017/10/relationships/threadedComment"
    entries = (
        ("c", f"{OFFICE}/comments", "/xl/comments/comment1.xml"), ("d", f"{OFFICE}/vmlDrawing", "../drawings/vmlDrawing1.vml"),
        ("h", f"{OFFICE}/vmlDrawing", "../drawings/vmlDrawing2.vml"), ("t", thread, "../threadedComments/threadedComment1.xml"),
    )  # fmt: skip
    more: dict[str, bytes | str] = {
        "xl/comments/comment1.xml": COMMENTS, "xl/drawings/vmlDrawing1.vml": VML, "xl/drawings/vmlDrawing2.vml": VML,
        "xl/threadedComments/threadedComment1.xml": '<ThreadedComments><threadedComment ref="B1" id="{1-2}"/><threadedComment ref="D1"/></ThreadedComments>',
    }  # fmt: skip
    parts = hand_made(WITH_NOTES, rels(*entries), more)
    parts["[Content_Types].xml"] = str(parts["[Content_Types].xml"]).replace('"bin"', '"VML"', 1).replace(
        "</Types>", '<Default Extension="bin" ContentType="x/y"/></Types>'
    )  # fmt: skip
    cells = ["A1", "B1", "C1", "D1", "B2", "A9"]
    with pytest.MonkeyPatch.context() as patch:  # the extension is spelled in capitals here
        patch.setattr(f"{__name__}.consistent", lambda _: None)
        old, new = marked(zipped(tmp_path / "book.xlsm", parts), [found(c) for c in cells])
    same = {name for name in old if old[name] == new[name]}
    assert UNKNOWN | {"xl/worksheets/_rels/sheet1.xml.rels", "xl/drawings/vmlDrawing2.vml"} <= same
    assert "xl/threadedComments/threadedComment1.xml" in same
    run = (
        '<x:r><x:rPr><x:sz val="9"/><x:color indexed="81"/><x:rFont val="Tahoma"/><x:family val="2"/></x:rPr>'
        f'<x:t xml:space="preserve">{{}}{TEXT}</x:t></x:r>'
    )
    assert new["xl/comments/comment1.xml"].decode() == COMMENTS.replace(
        "<x:t>plain</x:t>", f"<x:r><x:t>plain</x:t></x:r>{run.format(chr(10) * 2)}"
    ).replace("<x:text/>", f"<x:text>{run.format('')}</x:text>").replace(
        "</x:authors>", "<x:author>mlsim</x:author></x:authors>"
    ).replace(
        "</x:commentList>",
        f'<x:comment ref="B2" authorId="2" shapeId="0"><x:text>{run.format("")}</x:text></x:comment></x:commentList>',
    )
    vml = new["xl/drawings/vmlDrawing1.vml"].decode()
    assert "1, 15, 0, 2, 3, 31, 9, 1</x:Anchor>" in vml  # the box grew
    assert "1, 2, 3, 4, 5, 6, 7, 8" in vml
    assert re.findall(r"_x0000_s(\d+)", vml) == ["3075", "3080", "3081", "3082"]
    assert vml.count("shapetype id") == 1
    places = re.findall(r"<x:Row>(\d+)</x:Row><x:Column>(\d+)", vml)
    assert places == [("0", "0"), ("1", "1"), ("8", "0")]  # none for threads
    rows = scan_sheet(new["xl/worksheets/sheet1.xml"], "s").rows
    styles = {(c.row, c.col): c.style for row in rows for c in row.cells}
    assert all(styles[1, n] >= 2 for n in (1, 2, 3, 4))  # threads are filled all the same
    assert 'legacyDrawingHF rel:id="h"/><mc' in new["xl/worksheets/sheet1.xml"].decode()
    assert len(list(openpyxl.load_workbook(tmp_path / "out.xlsm")["Findings"].values)) == 7


def test_new_drawings_claim_other_blocks_of_shape_ids(tmp_path: Path) -> None:
    old, new = marked(zipped(tmp_path / "book.xlsx", hand_made(more={"xl/drawings/old.VML": VML}) | {
        "[Content_Types].xml": str(hand_made()["[Content_Types].xml"]).replace("</Types>", '<Override PartName="/xl/drawings/old.VML" ContentType="x/y"/></Types>'),
    }), [found("A1")])  # fmt: skip
    vml = new["xl/drawings/vmlDrawing1.vml"].decode()
    assert 'data="4"' in vml
    assert 'id="_x0000_s4097"' in vml
    assert old["xl/drawings/old.VML"] == new["xl/drawings/old.VML"]


def test_hostile_text(tmp_path: Path) -> None:
    texts = [
        '=HYPERLINK("http://x")',
        "@SUM(1)",
        "]]></t><f>1</f>",
        "a\x00\x0b\r\n_x0041_\ud7ff\U0001f600",
        "&lt;",
        "x" * 40_000,
    ]
    findings = [Finding("b", "Plan", "A1", "soft", text, text) for text in texts]
    _, new = marked(zipped(tmp_path / "book.xlsx", hand_made()), findings)
    listing = etree.fromstring(new["xl/worksheets/sheet2.xml"])
    assert not listing.findall(f".//{{{MAIN}}}f")
    assert {c.get("t") for c in listing.iter(f"{{{MAIN}}}c")} == {"inlineStr"}
    cells = [row[4] for row in openpyxl.load_workbook(tmp_path / "out.xlsx")["Findings"].values][1:]
    assert cells[0] == texts[0]
    assert cells[2] == texts[2]
    assert len(cells[-1]) == 16_000
    old = zipped(tmp_path / "b.xlsx", hand_made())
    evil = 'A1" onclick="x'
    _, new = marked(old, [Finding("b", '"><f>', evil, "soft", "m", ""), found("A1")])
    assert b"onclick" not in new["xl/worksheets/sheet1.xml"]


def test_damaged_books_get_a_sentence(tmp_path: Path) -> None:
    without = {k: v for k, v in hand_made().items() if k != "[Content_Types].xml"}
    cases = [
        (without, "no content types"),
        (hand_made(more={"xl/workbook.xml": f'<workbook xmlns="{MAIN}"/>'}), "no element sheets"),
        (hand_made(more={"xl/styles.xml": '<!DOCTYPE a [<!ENTITY b "c">]><styleSheet/>'}), "DOCTYPE"),
    ]
    for parts, words in cases:
        with pytest.raises(RecalcError, match=words):
            annotate(read_package(zipped(tmp_path / "book.xlsx", parts)), [found("A1")])


@pytest.mark.parametrize(
    "name", ["xl/workbook.xml", "xl/styles.xml", "xl/worksheets/sheet1.xml", "xl/comments.xml", "xl/v.vml"]
)
def test_no_flip_gives_a_traceback(tmp_path: Path, name: str) -> None:
    entries = ("c", f"{OFFICE}/comments", "/xl/comments.xml"), ("d", f"{OFFICE}/vmlDrawing", "../v.vml")
    parts = hand_made(WITH_NOTES, rels(*entries), {"xl/comments.xml": COMMENTS, "xl/v.vml": VML})
    good = str(parts[name]).encode()
    for at in range(0, len(good), 7):
        damaged = good[:at] + bytes([good[at] ^ 0x11]) + good[at + 1 :]
        package = read_package(zipped(tmp_path / "book.xlsm", parts | {name: damaged}))
        try:
            scan_sheet(package.read("xl/worksheets/sheet1.xml"), "sheet1")
        except (RecalcError, ValueError):
            continue  # the reader gives up first
        with contextlib.suppress(RecalcError):
            annotate(package, [found("A1"), found("B2"), found("E5")])


# --- properties ------------------------------------------------------------------------------------------------

REFS = st.builds(lambda c, r: f"{'ABCDEFGH'[c]}{r}", st.integers(0, 7), st.integers(1, 9))
VALUES = st.one_of(
    st.integers(-9, 9), st.booleans(), st.sampled_from(["=A1+1", "=SUM(A1:B2)", "text <&>", "=1/0", " a "]),
    st.floats(allow_nan=False, allow_infinity=False),
)  # fmt: skip
FINDINGS = st.builds(
    Finding, st.just("b"), st.sampled_from(["Sheet", "Other", "Gone"]), REFS, st.sampled_from(["percent", "soft"]), st.text(max_size=20), st.text(max_size=9),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    cells=st.dictionaries(REFS, VALUES, max_size=12),
    notes=st.sets(REFS, max_size=3),
    findings=st.lists(FINDINGS, max_size=8),
)
def test_values_and_formulas_stay(cells: dict[str, Any], notes: set[str], findings: list[Finding]) -> None:
    book = openpyxl.Workbook()
    book.active.title = "Sheet"
    book.create_sheet("Other")
    for ref, value in cells.items():
        book["Sheet"][ref] = value
    for ref in notes:
        book["Sheet"][ref].comment = Comment("n", "a")
    with tempfile.TemporaryDirectory() as folder:
        book.save(path := Path(folder) / "h.xlsx")
        before, data = openpyxl.load_workbook(path), annotate(read_package(path), findings)
    again = openpyxl.load_workbook(io.BytesIO(data))
    for sheet in before:
        values = {c.coordinate: c.value for row in sheet.iter_rows() for c in row if c.value is not None}
        assert {
            c.coordinate: c.value for row in again[sheet.title].iter_rows() for c in row if c.value is not None
        } == values
    for f in findings:
        if f.sheet != "Gone":
            assert again[f.sheet][f.cell].fill.fgColor.rgb in (RED, AMBER)
            assert f.rule in again[f.sheet][f.cell].comment.text


# --- LibreOffice -----------------------------------------------------------------------------------------------


def test_libreoffice_opens_the_copy(tmp_path: Path) -> None:
    soffice = shutil.which("soffice")
    if soffice is None:
        warnings.warn("soffice is missing: annotated books were NOT opened with LibreOffice", stacklevel=1)
        pytest.skip("soffice is missing: annotated books were NOT opened with LibreOffice")
    for name, book in [("rich", rich_book(tmp_path / "a.xlsx")), ("hand", zipped(tmp_path / "b.xlsm", hand_made()))]:
        copy = tmp_path / f"{name}.xlsx"
        copy.write_bytes(annotate(read_package(book), RICH))
        profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
        for to in ("pdf", "xlsx:Calc MS Excel 2007 XML"):
            command = [soffice, profile, "--headless", "--convert-to", to, "--outdir", str(tmp_path / "out"), str(copy)]
            subprocess.run(command, check=True, capture_output=True, timeout=180)
        assert (tmp_path / "out" / f"{name}.pdf").stat().st_size > 1000
        back = openpyxl.load_workbook(tmp_path / "out" / f"{name}.xlsx")
        plan, listing = back["Plan"], back[back.sheetnames[-1]]
        assert plan["A1"].fill.fgColor.rgb == RED
        assert TEXT in plan["B5"].comment.text
        assert listing["E2"].value == RICH[0].message
        assert listing["D2"].hyperlink.location.replace("'", "").replace("#", "") in ("Plan!A1", "Plan.A1")
