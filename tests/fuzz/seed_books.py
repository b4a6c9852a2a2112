"""Small workbooks to start from, written as XML: between them they have most of what a recalculation reads.

Each has a sheet ``Guard`` that depends on nothing else: whatever is spoilt elsewhere, its values must come out right.
"""

from __future__ import annotations

import importlib
import io
import sys
import zipfile
from functools import cache
from pathlib import Path
from xml.sax.saxutils import escape

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
RELS = "http://schemas.openxmlformats.org/package/2006/relationships"
TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
DATE = (2026, 1, 1, 0, 0, 0)

Parts = dict[str, bytes]
GUARD = "xl/worksheets/guard.xml"
GUARDED: dict[str, tuple[str, str]] = {  # cell -> (type, value) that it must get
    "B1": ("n", "6"), "B2": ("b", "1"), "B3": ("str", "A guard"), "B4": ("e", "#DIV/0!"), "B5": ("b", "1"), "B6": ("n", "80"),
    "B7": ("e", "#VALUE!"), "B8": ("n", "86"),
}  # fmt: skip
_GUARD_FORMULAS = {
    "B1": "A1*3", "B2": "A1=2", "B3": 'A2&" guard"', "B4": "1/0", "B5": 'MLSIM_FITS("Llama-3-8B","H100")',
    "B6": 'MLSIM_CONVERT("80 GB","GB")', "B7": 'MLSIM_CONVERT("80 GB","s")', "B8": "SUM(B1,B6)",
}  # fmt: skip


def c(ref: str, formula: str = "", value: str = "", kind: str = "", attrs: str = "", cell: str = "") -> str:
    """Return a cell as XML."""
    f = f"<f{attrs}>{escape(formula)}</f>" if formula or attrs else ""
    v = f"<v>{escape(value)}</v>" if value else ""
    t = f' t="{kind}"' if kind else ""
    return f'<c r="{ref}"{t}{cell}>{f}{v}</c>'


def sheet(rows: list[list[str]], after: str = "", before: str = "") -> str:
    """Return a worksheet from the cells of its rows."""
    body = "".join(f'<row r="{i}">{"".join(cells)}</row>' for i, cells in enumerate(rows, 1))
    return (
        f'{HEAD}<worksheet xmlns="{MAIN}" xmlns:r="{OFFICE}">{before}<sheetData>{body}</sheetData>{after}</worksheet>'
    )


def guard() -> str:
    """Return the sheet that must come out right."""
    rows = []
    for i in range(1, 9):
        first = {1: [c("A1", value="2")], 2: ['<c r="A2" t="inlineStr"><is><t>A</t></is></c>']}.get(i, [])
        rows.append([*first, c(f"B{i}", _GUARD_FORMULAS[f"B{i}"], "0")])
    return sheet(rows)


def book(
    sheets: dict[str, str], names: str = "", extra: Parts | None = None, links: str = "", overrides: str = ""
) -> Parts:
    """Return the parts of a workbook with these sheets, and the guard."""
    every = {**sheets, "Guard": guard()}
    files = {name: (GUARD if name == "Guard" else f"xl/worksheets/sheet{i}.xml") for i, name in enumerate(every, 1)}
    listed = "".join(f'<sheet name="{escape(n)}" sheetId="{i}" r:id="rId{i}"/>' for i, n in enumerate(every, 1))
    rels = "".join(
        f'<Relationship Id="rId{i}" Type="{OFFICE}/worksheet" Target="{file[3:]}"/>'
        for i, file in enumerate(files.values(), 1)
    )
    types = "".join(f'<Override PartName="/{file}" ContentType="{KIND}.worksheet+xml"/>' for file in files.values())
    styles = (
        f'<styleSheet xmlns="{MAIN}"><fonts count="1"><font/></fonts><fills count="1"><fill><patternFill patternType="none"/></fill></fills><borders count="1">'
        '<border><left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf numFmtId="0"/>'
        '<xf numFmtId="10"/></cellXfs></styleSheet>'
    )
    strings = f'<sst xmlns="{MAIN}" count="3"><si><t>H100</t></si><si><t>Llama-3-8B</t></si><si><r><t>80 </t></r><r><t>GB</t></r></si></sst>'
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": f'{HEAD}<Types xmlns="{TYPES}"><Default Extension="rels" ContentType="application/vnd.openxmlformats-'
        f'package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" '
        f'ContentType="{KIND}.sheet.main+xml"/><Override PartName="/xl/styles.xml" ContentType="{KIND}.styles+xml"/><Override '
        f'PartName="/xl/sharedStrings.xml" ContentType="{KIND}.sharedStrings+xml"/>{types}{overrides}</Types>',
        "_rels/.rels": f'{HEAD}<Relationships xmlns="{RELS}"><Relationship Id="rId1" Type="{OFFICE}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'{HEAD}<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{listed}</sheets><definedNames>{names}'
        '</definedNames><calcPr calcId="191029" fullCalcOnLoad="1"/></workbook>',
        "xl/_rels/workbook.xml.rels": f'{HEAD}<Relationships xmlns="{RELS}">{rels}<Relationship Id="rId98" Type="{OFFICE}/styles" '
        f'Target="styles.xml"/><Relationship Id="rId99" Type="{OFFICE}/sharedStrings" Target="sharedStrings.xml"/>{links}'
        "</Relationships>",
        "xl/styles.xml": HEAD + styles,
        "xl/sharedStrings.xml": HEAD + strings,
        **{files[name]: text for name, text in every.items()},
        **(extra or {}),
    }  # fmt: skip
    return {name: text if isinstance(text, bytes) else text.encode() for name, text in parts.items()}


def plain() -> Parts:
    """Return a plan as people write it: inputs with units, MLSIM formulas, sums, truth values, texts and errors."""
    rows = [
        [c("A1", value="0", kind="s"), c("B1", value="1", kind="s"), c("C1", value="2", kind="s"), c("D1", value="8")],
        [c("A2", value="1"), c("B2", "A2+1", "2"), c("C2", "SUM(A2:B2)", "3"), c("D2", "MLSIM_DECODE_LATENCY(B1,A1,D1,2048)")],
        [c("A3", "D2*2", "1"), c("B3", 'IF(D2>5,"slow","fast")', "fast", "str"), c("C3", "AND(A2=1,B2=2)", "1", "b")],
        [c("A4", "MLSIM_FITS(B1,A1,D1)", "1", "b"), c("B4", 'MLSIM_ADD("1 GB",C1)', "x", "str"), c("C4", "NA()", "#N/A", "e")],
        [c("A5", 'IFERROR(C4,MLSIM_SPEC(A1,"memory bandwidth","TB/s"))', "3"), c("B5", "VLOOKUP(1,A2:C4,3,FALSE)", "1")],
        [c("A6", "MLSIM_WEIGHTS(B1,{\"bf16\",\"fp8\"})"), c("B6", "COUNTIF(A2:A5,\">0\")"), c("C6", "ROW()*COLUMN()", "18")],
    ]  # fmt: skip
    return book({"Plan": sheet(rows)})


def shared() -> Parts:
    """Return shared and array formulas, cells without a name, two sheets that refer to each other."""
    one = [[c("A1", value="1"), c("B1", "A1*2", "2", attrs=' t="shared" ref="B1:B6" si="0"')]]
    one += [[c(f"A{i}", value=str(i)), c(f"B{i}", "", "0", attrs=' t="shared" si="0"')] for i in range(2, 7)]
    one[2].append(c("C3", "TRANSPOSE(A1:A3)", "1", attrs=' t="array" ref="C3:E3"'))
    one[2] += [c("D3", value="2"), c("E3", value="3")]
    one[3].append(c("C4", "MLSIM_BUBBLE(A1:A2,B1:B2)", attrs=' t="array" ref="C4:C5"'))
    one[4].append(c("C5", value="7"))
    two = [
        [c("A1", "Data!B6+'It''s'!A2", "12"), c("B1", "SUM(Data!A:A)", "21")],
        [c("A2", value="3"), c("B2", "Data!C3*rate", "1")],
    ]
    names = '<definedName name="rate">Data!$A$4</definedName><definedName name="own" localSheetId="0">Data!$B$1:$B$6</definedName>'
    return book({"Data": sheet(one), "It's": sheet(two)}, names)


def dynamic() -> Parts:
    """Return dynamic arrays with their metadata, a rich value, merged cells and a calculation chain."""
    rows = [
        [c("A1", value="3"), c("B1", "_xlfn.SEQUENCE(A1)", "1", attrs=' t="array" ref="B1:B3"', cell=' cm="1"'), c("D1", "SUM(_xlfn.ANCHORARRAY(B1))", "6")],
        [c("A2", value="1"), c("B2", value="2"), c("D2", "MLSIM_LIST(\"precision\")", "x", "str", ' t="array" ref="D2:E3"', ' cm="1"'), c("E2", value="y", kind="str")],
        [c("A3", value="2"), c("B3", value="3"), c("D3", value="z", kind="str"), c("E3", value="q", kind="str")],
        [c("A4", "_xlfn._xlws.SORT(A1:A3)", "1", attrs=' t="array" ref="A4:A6"', cell=' cm="1"'), c("C4", "1+1", "2", cell=' vm="1"')],
        [c("A5", value="2"), c("C5", "C4+1", "3")],
        [c("A6", value="3"), c("C6", "_xlfn.LET(_xlpm.x,A1,_xlpm.x*2)", "6")],
    ]  # fmt: skip
    metadata = (
        f'{HEAD}<metadata xmlns="{MAIN}" xmlns:xda="http://schemas.microsoft.com/office/spreadsheetml/2017/dynamicarray"><metadataTypes count="1">'
        '<metadataType name="XLDAPR" minSupportedVersion="120000" copy="1" cellMeta="1"/></metadataTypes><futureMetadata name="XLDAPR" count="1">'
        '<bk><extLst><ext uri="{bdbb8cdc-fa1e-496e-a857-3c3f30c029c3}"><xda:dynamicArrayProperties fDynamic="1" fCollapsed="0"/></ext></extLst></bk>'
        '</futureMetadata><cellMetadata count="1"><bk><rc t="1" v="0"/></bk></cellMetadata></metadata>'
    )
    chain = f'{HEAD}<calcChain xmlns="{MAIN}"><c r="B1" i="1"/><c r="D1" i="1"/></calcChain>'
    links = f'<Relationship Id="rId50" Type="{OFFICE}/sheetMetadata" Target="metadata.xml"/><Relationship Id="rId51" Type="{OFFICE}/calcChain" Target="calcChain.xml"/>'
    merged = '<mergeCells count="1"><mergeCell ref="G1:H2"/></mergeCells>'
    overrides = f'<Override PartName="/xl/metadata.xml" ContentType="{KIND}.sheetMetadata+xml"/><Override PartName="/xl/calcChain.xml" ContentType="{KIND}.calcChain+xml"/>'
    extra = {
        "xl/metadata.xml": metadata.encode(),
        "xl/calcChain.xml": chain.encode(),
        "xl/vbaProject.bin": bytes(range(256)),
    }
    return book({"Spill": sheet(rows, merged)}, "", extra, links, overrides)


def prefixed() -> Parts:
    """Return a worksheet whose elements have a prefix, with rows and cells that are not numbered."""
    rows = (
        "<x:row><x:c><x:v>4</x:v></x:c><x:c><x:f>A1+1</x:f><x:v>0</x:v></x:c><x:c t='b'><x:f>B1=5</x:f></x:c></x:row>"
        '<x:row r="3"><x:c r="B3" t="str"><x:f>MLSIM_MUL("2 GB",A1)</x:f></x:c><x:c r="C3"><x:f>SUM(A1:B1)</x:f><x:v/></x:c></x:row>'
        '<x:row r="4"/><x:row r="5" hidden="1"><x:c r="A5"><x:f>SUBTOTAL(109,A1:B3)</x:f></x:c><x:c r="D5" t="inlineStr">'
        "<x:is><x:t>weights (GB)</x:t></x:is></x:c></x:row>"
    )
    text = f'{HEAD}<x:worksheet xmlns:x="{MAIN}"><x:sheetData>{rows}</x:sheetData></x:worksheet>'
    return book({"Prefixed": text})


def tables() -> Parts:
    """Return a table with structured references and a note."""
    rows = [
        ['<c r="A1" t="inlineStr"><is><t>GPUs</t></is></c>', '<c r="B1" t="inlineStr"><is><t>Total (GB)</t></is></c>'],
        [c("A2", value="8"), c("B2", "Fleet[[#This Row],[GPUs]]*80", "640"), c("D2", "SUM(Fleet[GPUs])", "24")],
        [c("A3", value="16"), c("B3", "Fleet[[#This Row],[GPUs]]*80", "1280"), c("D3", "MLSIM_TOKEN_COST(\"2 $/GPU-h\",1000,Fleet[GPUs])")],
        [c("A4", "SUBTOTAL(109,Fleet[GPUs])", "24"), c("D4", "INDEX(Fleet[Total (GB)],2)", "1")],
    ]  # fmt: skip
    table = (
        f'{HEAD}<table xmlns="{MAIN}" id="1" name="Fleet" displayName="Fleet" ref="A1:B4" totalsRowCount="1"><tableColumns count="2">'
        '<tableColumn id="1" name="GPUs"/><tableColumn id="2" name="Total (GB)"/></tableColumns></table>'
    )
    note = (
        f'{HEAD}<comments xmlns="{MAIN}"><authors><author>a</author></authors><commentList><comment ref="B2" authorId="0"><text>'
        "<t>mlsim: ignore</t></text></comment></commentList></comments>"
    )
    rels = (
        f'{HEAD}<Relationships xmlns="{RELS}"><Relationship Id="rId1" Type="{OFFICE}/table" Target="../tables/table1.xml"/>'
        f'<Relationship Id="rId2" Type="{OFFICE}/comments" Target="../comments1.xml"/></Relationships>'
    )
    extra = {
        "xl/tables/table1.xml": table.encode(),
        "xl/comments1.xml": note.encode(),
        "xl/worksheets/_rels/sheet1.xml.rels": rels.encode(),
    }
    overrides = f'<Override PartName="/xl/tables/table1.xml" ContentType="{KIND}.table+xml"/><Override PartName="/xl/comments1.xml" ContentType="{KIND}.comments+xml"/>'
    after = '<tableParts count="1"><tablePart r:id="rId1"/></tableParts>'
    return book({"Fleet": sheet(rows, after)}, "", extra, "", overrides)


SEEDS = {"plain": plain, "shared": shared, "dynamic": dynamic, "prefixed": prefixed, "tables": tables}


TEMPLATES = ("comparison", "training", "calibration")
CORPUS = ("gpu_matrix", "fleet_quarters", "kv_cache", "mlsim_serving", "kapazitaet_de", "racks", "tinyml", "links")


@cache
def seed(name: str) -> Parts:
    """Return the parts of a workbook to start from: one of ours, a template, or one of the unit checker's corpus."""
    if name in SEEDS:
        return SEEDS[name]()
    tests = Path(__file__).parents[1]
    if name in TEMPLATES:
        return _unpacked(tests.parent / "templates" / f"{name}.xlsx")
    sys.path.append(str(tests / "workbooks"))
    workbook = getattr(importlib.import_module("lint_corpus.clean"), name)()
    file = io.BytesIO()
    workbook.save(file)
    parts = _unpacked(file)
    del parts["docProps/core.xml"]  # the time of this run
    return parts


def _unpacked(file: Path | io.BytesIO) -> Parts:
    with zipfile.ZipFile(file) as archive:
        return {member: archive.read(member) for member in archive.namelist()}


def packed(parts: Parts, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return the package of some parts; the same parts give the same bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in parts.items():
            archive.writestr(zipfile.ZipInfo(name, DATE), data, method)
    return file.getvalue()
