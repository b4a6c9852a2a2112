"""Workbooks written by hand: how other programs, and older ones, write worksheets, and how they pack files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fidelity.book import FORMULAS, INPUTS, STALE, Book, due, written
from fidelity.overlaid import around_the_workbook, nothing
from fidelity.parts import HEAD, MAIN, OFFICE, Parts
from fidelity.written import charts, images

__all__ = ["BOOKS"]

ML = "application/vnd.openxmlformats-officedocument.spreadsheetml"
SHEET = "xl/worksheets/sheet1.xml"


def escaped(text: str) -> str:
    """Return text as XML has it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def constant(ref: str, value: Any) -> str:
    """Return a cell with an inline string or a number."""
    if isinstance(value, str):
        return f'<c r="{ref}" t="inlineStr"><is><t>{escaped(value)}</t></is></c>'
    return f'<c r="{ref}"><v>{value}</v></c>'


def rows() -> dict[int, str]:
    """Return the common cells, row by row."""
    found = {i: constant(f"A{i}", name) + constant(f"B{i}", value) for i, (name, value) in enumerate(INPUTS, 1)}
    for cell, formula in FORMULAS.items():
        found[int(cell[1:])] = f'<c r="{cell}"><f>{escaped(formula[1:])}</f><v>{STALE}</v></c>'
    return found


def worksheet(cells: dict[int, str], after: str = "") -> str:
    """Return a worksheet with these rows."""
    data = "".join(f'<row r="{number}">{xml}</row>' for number, xml in sorted(cells.items()))
    return f'<worksheet xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheetData>{data}</sheetData>{after}</worksheet>'


def package(sheet: str | bytes, workbook: str = "", **others: str) -> Parts:
    """Return the smallest package with a sheet "Sheet1", and others by name."""
    titles = ["Sheet1", *others]
    listed = "".join(f'<sheet name="{name}" sheetId="{i}" r:id="rId{i}"/>' for i, name in enumerate(titles, 1))
    parts = Parts()
    parts.add("[Content_Types].xml", '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/></Types>')  # fmt: skip
    parts.relate("", "officeDocument", "xl/workbook.xml")
    parts.add("xl/workbook.xml", f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">{workbook}<sheets>{listed}</sheets></workbook>',
              f"{ML}.sheet.main+xml")  # fmt: skip
    for i, content in enumerate((sheet, *others.values()), 1):
        parts.relate("xl/workbook.xml", "worksheet", f"worksheets/sheet{i}.xml")
        parts.add(f"xl/worksheets/sheet{i}.xml", content, f"{ML}.worksheet+xml")
    return parts


# --- worksheets ------------------------------------------------------------------------------------------------------


def inline_strings() -> bytes:
    cells = rows()
    cells[9] = f'<c r="B9" t="inlineStr"><f>{escaped(FORMULAS["B9"][1:])}</f><is><t>old</t></is></c>'
    cells[20] = (
        '<c r="A20" t="inlineStr"><is><r><t>rich </t></r><r><rPr><b/></rPr><t xml:space="preserve"> text </t></r></is></c>'
    )
    cells[20] += f'<c r="B20"><f>A20&amp;"."</f><v>{STALE}</v></c>'
    return package(worksheet(cells)).zip()


def prefixed() -> bytes:
    """Elements of the worksheet, and those of the workbook, with a prefix."""
    sheet = (
        worksheet(rows()).replace("<", "<x:").replace("<x:/", "</x:").replace(f'xmlns="{MAIN}"', f'xmlns:x="{MAIN}"')
    )
    parts = package(sheet)
    parts.content["xl/workbook.xml"] = (
        f'{HEAD}<ss:workbook xmlns:ss="{MAIN}" xmlns:rel="{OFFICE}"><ss:sheets><ss:sheet name="Sheet1" sheetId="1" rel:id="rId1"/>'
        "</ss:sheets></ss:workbook>"
    ).encode()
    return parts.zip()


def without_references() -> bytes:
    """Cells and rows that do not say where they are."""
    cells = rows()
    cells |= {i: "" for i in range(1, 17) if i not in cells}
    for number in cells:
        cells[number] = cells[number].replace(f' r="A{number}"', "")
        if number <= 4:
            cells[number] = cells[number].replace(f' r="B{number}"', "")
    sheet = worksheet(cells)
    for number in cells:
        sheet = sheet.replace(f'<row r="{number}">', "<row>")
    return package(sheet).zip()


def with_byte_order_mark() -> bytes:
    text = '<?xml version="1.0" encoding="utf-8"?>\r\n' + worksheet(rows()).replace("</row>", "</row>\r\n\t")
    return package(b"\xef\xbb\xbf" + text.encode()).zip()


def odd_xml() -> bytes:
    """Single quotes, spaces in tags, comments, processing instructions, CDATA, character references."""
    sheet = worksheet(rows()).replace('<c r="B6">', "<!-- <c r=\"B6\"><v>1</v></c> --><c  r = 'B6'  s='0'\n t='n' >")
    sheet = sheet.replace('<c r="B7">', "<?keep this?><c\tr='B7' s='0'>")
    sheet = sheet.replace(f"<f>{escaped(FORMULAS['B9'][1:])}</f>", '<f ><![CDATA[B1&" on "]]>&#38;B2</f >')
    sheet = sheet.replace("</sheetData>", "<row r='30' spans='1:2'/><row r='31' ></row ></sheetData ><!-- end -->")
    return package(sheet).zip()


def shared_formulas() -> bytes:
    cells = rows()
    for i in range(20, 24):
        cells[i] = constant(f"A{i}", i - 19)
        text = ' ref="B20:B23">$B$6*A20+B$3' if i == 20 else ">"
        cells[i] += f'<c r="B{i}"><f t="shared" si="0"{text}</f><v>{STALE}</v></c>'
        text = ' ref="C20:C23">MLSIM_DECODE_LATENCY($B$1,$B$2,A20)' if i == 20 else ">"
        cells[i] += f'<c r="C{i}"><f t="shared" si="1"{text}</f><v>{STALE}</v></c>'
    cells[23] = cells[23].replace(
        f'<c r="B23"><f t="shared" si="0"></f><v>{STALE}</v></c>', '<c r="B23"><f t="shared" si="0"/></c>'
    )
    return package(worksheet(cells)).zip()


def array_formulas() -> bytes:
    """Old array formulas: children with a style, without a cell of their own, and in a row that is not there."""
    cells = rows()
    cells[20] = (
        f'<c r="A20"><f t="array" ref="A20:B22">ROW(A1:A3)*B3+{{0,1}}</f><v>{STALE}</v></c><c r="B20" s="0"><v>{STALE}</v></c>'
    )
    cells[21] = f'<c r="A21"><v>{STALE}</v></c><c r="B21" t="str"><v>old</v></c><c r="D21"><v>1</v></c>'
    cells[22] = f'<c r="A22"><v>{STALE}</v></c><c r="B22" s="0"/>'
    cells[24] = f'<c r="A24"><f t="array" ref="A24">SUM(A20:B22*2)</f><v>{STALE}</v></c>'
    return package(worksheet(cells)).zip()


def long_strings() -> bytes:
    cells = rows()
    cells[20] = (
        constant("A20", "y" * 32_000)
        + f'<c r="B20" t="str"><f>A20&amp;"z"</f><v xml:space="preserve">{"w" * 30_000} </v></c>'
    )
    cells[21] = f'<c r="A21" t="str"><f>"  "&amp;B2&amp;CHAR(10)&amp;"_x000D_"</f><v>{STALE}</v></c>'
    return package(worksheet(cells)).zip()


def every_type() -> bytes:
    """Constants of every type, a date as text, and formulas that carry attributes."""
    cells = rows()
    cells[20] = (
        '<c r="A20" t="b"><v>1</v></c><c r="B20" t="e"><v>#N/A</v></c><c r="C20" t="d"><v>2026-01-02T00:00:00</v></c>'
    )
    cells[20] += '<c r="D20" t="n"><v>1.5E3</v></c><c r="E20" t="n"/><c r="F20" t="str"><v>text</v></c>'
    cells[21] = '<c r="A21" t="b"><f>NOT(A20)</f><v>1</v></c><c r="B21" t="e"><f ca="1">B20</f><v>#REF!</v></c>'
    cells[21] += '<c r="C21" t="b"><f>C20+1</f><v>1</v></c><c r="D21" t="str"><f aca="0">D20*2</f><v>old</v></c>'
    cells[21] += f'<c r="E21" t="e"><f>E20</f><v>#N/A</v></c><c r="F21"><f>F20</f><v>{STALE}</v></c>'
    return package(worksheet(cells)).zip()


def sheets_in_another_order() -> bytes:
    """Sheets whose parts are numbered otherwise, with names that need quotes, and formulas that look ahead."""
    other = {20: f'<c r="A20"><f>\'A &amp; "B"\'!A1*2</f><v>{STALE}</v></c>'}
    parts = package(
        worksheet(rows() | other),
        **{"A &amp; &quot;B&quot;": worksheet({1: f'<c r="A1"><f>Sheet1!B3+1</f><v>{STALE}</v></c>'})},
    )
    one, two = parts.content["xl/worksheets/sheet1.xml"], parts.content["xl/worksheets/sheet2.xml"]
    parts.content["xl/worksheets/sheet1.xml"], parts.content["xl/worksheets/sheet2.xml"] = two, one
    rels = parts.content["xl/_rels/workbook.xml.rels"]
    parts.content["xl/_rels/workbook.xml.rels"] = (
        rels.replace(b"sheet1.xml", b"sheetX.xml")
        .replace(b"sheet2.xml", b"sheet1.xml")
        .replace(b"sheetX.xml", b"sheet2.xml")
    )
    return parts.zip()


def absolute_targets() -> bytes:
    parts = written(charts)
    for name in list(parts.content):
        if name.endswith(".rels"):
            parts.content[name] = (
                parts.content[name]
                .replace(b'Target="../', b'Target="/xl/')
                .replace(b'Target="worksheets/', b'Target="/xl/worksheets/')
            )
    return parts.zip()


def strict() -> bytes:
    """The strict variant of the format, which Excel offers when it saves."""
    parts = package(worksheet(rows()))
    for name, content in parts.content.items():
        new = content.replace(MAIN.encode(), b"http://purl.oclc.org/ooxml/spreadsheetml/main")
        parts.content[name] = new.replace(OFFICE.encode(), b"http://purl.oclc.org/ooxml/officeDocument/relationships")
    parts.replace("xl/workbook.xml", "<workbook ", '<workbook conformance="strict" ')
    return parts.zip()


# --- zip files -------------------------------------------------------------------------------------------------------


def stored_and_described() -> bytes:
    return written(images).odd_zip(descriptors=True, comment=b"packed by another program")


def in_another_order() -> bytes:
    order = ["xl/styles.xml", "xl/worksheets/sheet1.xml", "xl/workbook.xml", "docProps/app.xml"]
    return around_the_workbook().odd_zip(order)


def names_in_utf8() -> bytes:
    parts = written(nothing)
    parts.add("customXml/\u00e4\u4eac.xml", "<plan/>")
    return parts.odd_zip(descriptors=True)


_B6: float = due()["Sheet1!B6"]


def _raw(build: Callable[[], bytes], openpyxl: bool = True, **cells: Any) -> Book:
    values = due() | {f"Sheet1!{cell}": value for cell, value in cells.items()}
    return Book(build.__name__, build, values, openpyxl=openpyxl)


def _shared() -> dict[str, Any]:
    from mlsim_workbooks.functions import call

    values = {f"B{i}": _B6 * (i - 19) + 4 for i in range(20, 24)}
    return values | {f"C{i}": call("MLSIM_DECODE_LATENCY", ["Llama-3-70B", "H100", i - 19.0]) for i in range(20, 24)}


_ARRAY = {f"{column}{i}": (i - 19) * 4.0 + step for i in range(20, 23) for step, column in enumerate("AB")}

BOOKS = (
    _raw(inline_strings, B20="rich  text ."),
    _raw(prefixed),
    _raw(without_references),
    _raw(with_byte_order_mark),
    _raw(odd_xml),
    _raw(shared_formulas, **_shared()),
    _raw(array_formulas, **_ARRAY, A24=2 * sum(_ARRAY.values())),
    _raw(long_strings, B20="y" * 32_000 + "z", A21="  H100\n_x000D_"),
    _raw(every_type, A21=False, B21="#N/A", C21=46025.0, D21=3000.0, E21=0.0, F21="text"),
    Book("sheets_in_another_order", sheets_in_another_order,
         due() | {"Sheet1!A20": 10.0, 'A & "B"!A1': 5.0}),
    _raw(absolute_targets),
    _raw(strict, openpyxl=False),
    _raw(stored_and_described),
    _raw(in_another_order),
    _raw(names_in_utf8),
)  # fmt: skip
