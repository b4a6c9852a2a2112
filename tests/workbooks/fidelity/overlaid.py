"""Workbooks with parts that XlsxWriter does not write, put into one of its workbooks by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from fidelity.book import STALE, Book, due, put, written
from fidelity.parts import MAIN, OFFICE, Parts
from fidelity.written import (
    chart_sheet,
    charts,
    conditional_formats,
    notes,
    picture,
    shapes,
    sparklines,
    table_values,
    tables,
    validation,
)

__all__ = ["BOOKS"]

SHEET, BOOK = "xl/worksheets/sheet1.xml", "xl/workbook.xml"
ML = "application/vnd.openxmlformats-officedocument.spreadsheetml"
MS = "http://schemas.microsoft.com/office"
X14 = f'xmlns:x14="{MS}/spreadsheetml/2009/9/main"'
DRAWING = (
    'xmlns:xdr="http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
)
COMPATIBLE = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'


def nothing(book: Workbook, sheet: Worksheet) -> None:
    """Leave the common cells alone."""


def at_end(parts: Parts, xml: str, part: str = SHEET, element: str = "worksheet") -> None:
    """Put elements at the end of a part."""
    parts.replace(part, f"</{element}>", f"{xml}</{element}>")


def extension(uri: str, inside: str) -> str:
    """Return a list of extensions with one in it."""
    return f'<extLst><ext {X14} uri="{uri}">{inside}</ext></extLst>'


# --- pivot tables, slicers, timelines --------------------------------------------------------------------------------


def with_pivot(parts: Parts) -> None:
    """Add a pivot table with its cache on the first sheet."""
    fields = (
        '<cacheField name="Model" numFmtId="0"><sharedItems count="1"><s v="Llama-3-70B"/></sharedItems></cacheField>'
    )
    fields += '<cacheField name="Batch" numFmtId="0"><sharedItems containsSemiMixedTypes="0" containsString="0" containsNumber="1" containsInteger="1" minValue="1" maxValue="16"/></cacheField>'
    parts.add(
        "xl/pivotCache/pivotCacheDefinition1.xml",
        f'<pivotCacheDefinition xmlns="{MAIN}" xmlns:r="{OFFICE}" r:id="rId1" refreshedBy="A. Person" refreshedDate="45000.5" '
        'createdVersion="8" refreshedVersion="8" minRefreshableVersion="3" recordCount="1"><cacheSource type="worksheet">'
        f'<worksheetSource ref="D1:E2" sheet="Sheet1"/></cacheSource><cacheFields count="2">{fields}</cacheFields>'
        "</pivotCacheDefinition>",
        f"{ML}.pivotCacheDefinition+xml",
    )
    parts.add(
        "xl/pivotCache/pivotCacheRecords1.xml",
        f'<pivotCacheRecords xmlns="{MAIN}" count="1"><r><x v="0"/><n v="4"/></r></pivotCacheRecords>',
        f"{ML}.pivotCacheRecords+xml",
    )
    parts.add(
        "xl/pivotTables/pivotTable1.xml",
        f'<pivotTableDefinition xmlns="{MAIN}" name="PivotTable1" cacheId="7" applyNumberFormats="0" dataCaption="Values" '
        'updatedVersion="8" createdVersion="8" indent="0" outline="1"><location ref="H20:I22" firstHeaderRow="1" '
        'firstDataRow="1" firstDataCol="1"/><pivotFields count="2"><pivotField axis="axisRow" showAll="0"><items count="2">'
        '<item x="0"/><item t="default"/></items></pivotField><pivotField dataField="1" showAll="0"/></pivotFields>'
        '<rowFields count="1"><field x="0"/></rowFields><rowItems count="2"><i><x/></i><i t="grand"><x/></i></rowItems>'
        '<colItems count="1"><i/></colItems><dataFields count="1"><dataField name="Sum of Batch" fld="1" baseField="0" '
        'baseItem="0"/></dataFields><pivotTableStyleInfo name="PivotStyleLight16" showRowHeaders="1" showColHeaders="1"/>'
        "</pivotTableDefinition>",
        f"{ML}.pivotTable+xml",
    )
    cache = parts.relate(BOOK, "pivotCacheDefinition", "pivotCache/pivotCacheDefinition1.xml")
    parts.replace(
        BOOK, "</workbook>", f'<pivotCaches><pivotCache cacheId="7" r:id="{cache}"/></pivotCaches></workbook>'
    )
    parts.relate("xl/pivotCache/pivotCacheDefinition1.xml", "pivotCacheRecords", "pivotCacheRecords1.xml")
    parts.relate("xl/pivotTables/pivotTable1.xml", "pivotCacheDefinition", "../pivotCache/pivotCacheDefinition1.xml")
    parts.relate(SHEET, "pivotTable", "../pivotTables/pivotTable1.xml")


def pivot_source(book: Workbook, sheet: Worksheet) -> None:
    """Write what the pivot table counts, and a formula that reads the pivot table's cells."""
    sheet.write_row("D1", ["Model", "Batch"])
    sheet.write_row("D2", ["Llama-3-70B", 4])
    sheet.write_row("H20", ["Row Labels", "Sum of Batch"])
    sheet.write_row("H21", ["Llama-3-70B", 4])
    sheet.write_row("H22", ["Grand Total", 4])
    put(sheet, "K20", "=I22*B6")


def pivot() -> Parts:
    parts = written(pivot_source)
    with_pivot(parts)
    return parts


def slicers() -> Parts:
    parts = written(pivot_source)
    with_pivot(parts)
    parts.add(
        "xl/slicerCaches/slicerCache1.xml",
        f'<slicerCacheDefinition xmlns="{MS}/spreadsheetml/2009/9/main" xmlns:x="{MAIN}" name="Slicer_Model" '
        'sourceName="Model"><pivotTables><pivotTable tabId="1" name="PivotTable1"/></pivotTables><data><tabular '
        'pivotCacheId="7"><items count="1"><i x="0" s="1"/></items></tabular></data></slicerCacheDefinition>',
        "application/vnd.ms-excel.slicerCache+xml",
    )
    parts.add(
        "xl/slicers/slicer1.xml",
        f'<slicers xmlns="{MS}/spreadsheetml/2009/9/main"><slicer name="Model" cache="Slicer_Model" caption="Model" '
        'rowHeight="241300"/></slicers>',
        "application/vnd.ms-excel.slicer+xml",
    )
    parts.add(
        "xl/timelineCaches/timelineCache1.xml",
        f'<timelineCacheDefinition xmlns="{MS}/spreadsheetml/2010/11/main" name="NativeTimeline_Day" sourceName="Day">'
        '<pivotTables><pivotTable tabId="1" name="PivotTable1"/></pivotTables><state minimalRefreshVersion="6" '
        'lastRefreshVersion="6" pivotCacheId="7" filterType="unknown"><bounds startDate="2026-01-01T00:00:00" '
        'endDate="2027-01-01T00:00:00"/></state></timelineCacheDefinition>',
        "application/vnd.ms-excel.timelineCache+xml",
    )
    parts.add(
        "xl/timelines/timeline1.xml",
        f'<timelines xmlns="{MS}/spreadsheetml/2010/11/main"><timeline name="Day" cache="NativeTimeline_Day" '
        'caption="Day" level="2" selectionLevel="2"/></timelines>',
        "application/vnd.ms-excel.timeline+xml",
    )
    cache = parts.relate(BOOK, f"{MS}/2007/relationships/slicerCache", "slicerCaches/slicerCache1.xml")
    times = parts.relate(BOOK, f"{MS}/2011/relationships/timelineCache", "timelineCaches/timelineCache1.xml")
    one = parts.relate(SHEET, f"{MS}/2007/relationships/slicer", "../slicers/slicer1.xml")
    two = parts.relate(SHEET, f"{MS}/2011/relationships/timeline", "../timelines/timeline1.xml")
    x15 = f'xmlns:x15="{MS}/spreadsheetml/2010/11/main"'
    at_end(
        parts,
        f'<extLst><ext {X14} uri="{{BBE1A952-AA13-448e-AADC-164F8A28A991}}"><x14:slicerCaches><x14:slicerCache r:id="{cache}"/>'
        f'</x14:slicerCaches></ext><ext {x15} uri="{{D0CA8CA8-9F24-4464-BF8E-62219DCF47F9}}"><x15:timelineCacheRefs>'
        f'<x15:timelineCacheRef r:id="{times}"/></x15:timelineCacheRefs></ext></extLst>',
        BOOK, "workbook",
    )  # fmt: skip
    at_end(
        parts,
        f'<extLst><ext {X14} uri="{{A8765BA9-456A-4dab-B4F3-ACF838C121DE}}"><x14:slicerList><x14:slicer r:id="{one}"/>'
        f'</x14:slicerList></ext><ext {x15} uri="{{7E03D99C-DC04-49d9-9315-930204A7B6E9}}"><x15:timelineRefs>'
        f'<x15:timelineRef r:id="{two}"/></x15:timelineRefs></ext></extLst>',
    )
    return parts


# --- comments, drawings, controls ------------------------------------------------------------------------------------


def threaded_comments() -> Parts:
    parts = written(notes)
    with_threads(parts)
    return parts


def with_threads(parts: Parts) -> None:
    """Add a thread of comments on B6."""
    person, one = "{11111111-2222-3333-4444-555555555555}", "{AAAAAAAA-0000-0000-0000-000000000001}"
    space = f'xmlns="{MS}/spreadsheetml/2018/threadedcomments"'
    parts.add(
        "xl/threadedComments/threadedComment1.xml",
        f'<ThreadedComments {space}><threadedComment ref="B6" dT="2026-01-02T03:04:05.06" personId="{person}" id="{one}">'
        f'<text>Is this fast enough?</text></threadedComment><threadedComment ref="B6" dT="2026-01-02T04:04:05.06" '
        f'personId="{person}" id="{one[:-2]}2}}" parentId="{one}"><text>Yes &amp; no</text></threadedComment></ThreadedComments>',
        "application/vnd.ms-excel.threadedcomments+xml",
    )
    parts.add(
        "xl/persons/person.xml",
        f'<personList {space}><person displayName="A. Person" id="{person}" userId="a@example.org" providerId="None"/></personList>',
        "application/vnd.ms-excel.person+xml",
    )
    parts.relate(SHEET, f"{MS}/2017/10/relationships/threadedComment", "../threadedComments/threadedComment1.xml")
    parts.relate(BOOK, f"{MS}/2017/10/relationships/person", "persons/person.xml")


def grouped_shapes() -> Parts:
    parts = written(shapes)
    with_group(parts)
    return parts


def with_group(parts: Parts) -> None:
    """Add a group of shapes to the drawing."""
    shape = (
        '<xdr:sp macro="" textlink=""><xdr:nvSpPr><xdr:cNvPr id="{0}" name="Shape {0}"/><xdr:cNvSpPr/></xdr:nvSpPr><xdr:spPr>'
        '<a:xfrm><a:off x="0" y="0"/><a:ext cx="300000" cy="300000"/></a:xfrm><a:prstGeom prst="{1}"><a:avLst/></a:prstGeom>'
        "</xdr:spPr></xdr:sp>"
    )
    group = (
        "<xdr:twoCellAnchor><xdr:from><xdr:col>10</xdr:col><xdr:colOff>0</xdr:colOff><xdr:row>1</xdr:row><xdr:rowOff>0</xdr:rowOff>"
        "</xdr:from><xdr:to><xdr:col>12</xdr:col><xdr:colOff>0</xdr:colOff><xdr:row>6</xdr:row><xdr:rowOff>0</xdr:rowOff></xdr:to>"
        '<xdr:grpSp><xdr:nvGrpSpPr><xdr:cNvPr id="20" name="Group"/><xdr:cNvGrpSpPr/></xdr:nvGrpSpPr><xdr:grpSpPr><a:xfrm>'
        '<a:off x="0" y="0"/><a:ext cx="600000" cy="600000"/><a:chOff x="0" y="0"/><a:chExt cx="600000" cy="600000"/></a:xfrm>'
        f"</xdr:grpSpPr>{shape.format(21, 'ellipse')}{shape.format(22, 'rightArrow')}</xdr:grpSp><xdr:clientData/></xdr:twoCellAnchor>"
    )
    parts.replace("xl/drawings/drawing1.xml", "</xdr:wsDr>", f"{group}</xdr:wsDr>")


def ink_and_svg() -> Parts:
    parts = written(nothing)
    parts.default("png", "image/png")
    parts.default("svg", "image/svg+xml")
    parts.content["xl/media/image1.png"] = picture()
    parts.content["xl/media/image2.svg"] = (
        b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><circle r="4"/></svg>'
    )
    parts.add("xl/ink/ink1.xml", '<inkml:ink xmlns:inkml="http://www.w3.org/2003/InkML"><inkml:trace>1 2, 3 4</inkml:trace></inkml:ink>',
              "application/inkml+xml")  # fmt: skip
    drawing = "xl/drawings/drawing1.xml"
    parts.add(drawing, "<placeholder/>", "application/vnd.openxmlformats-officedocument.drawing+xml")
    png, svg = (
        parts.relate(drawing, "image", "../media/image1.png"),
        parts.relate(drawing, "image", "../media/image2.svg"),
    )
    ink = parts.relate(drawing, "customXml", "../ink/ink1.xml")
    anchor = "<xdr:from><xdr:col>4</xdr:col><xdr:colOff>0</xdr:colOff><xdr:row>{0}</xdr:row><xdr:rowOff>0</xdr:rowOff></xdr:from>"
    end = '<xdr:ext cx="400000" cy="400000"/>'
    parts.replace(
        drawing, "<placeholder/>",
        f'<xdr:wsDr {DRAWING} {COMPATIBLE} xmlns:r="{OFFICE}"><xdr:oneCellAnchor>{anchor.format(1)}{end}<xdr:pic><xdr:nvPicPr>'
        '<xdr:cNvPr id="2" name="Graphic 1"/><xdr:cNvPicPr/></xdr:nvPicPr><xdr:blipFill>'
        f'<a:blip r:embed="{png}"><a:extLst><a:ext uri="{{96DAC541-7B7A-43D3-8B79-37D633B846F1}}"><asvg:svgBlip '
        f'xmlns:asvg="{MS}/drawing/2016/SVG/main" r:embed="{svg}"/></a:ext></a:extLst></a:blip><a:stretch><a:fillRect/></a:stretch>'
        '</xdr:blipFill><xdr:spPr><a:prstGeom prst="rect"><a:avLst/></a:prstGeom></xdr:spPr></xdr:pic><xdr:clientData/>'
        f'</xdr:oneCellAnchor><mc:AlternateContent><mc:Choice xmlns:xdr14="{MS}/excel/2010/spreadsheetDrawing" Requires="xdr14">'
        f'<xdr:oneCellAnchor>{anchor.format(8)}{end}<xdr14:contentPart r:id="{ink}" bwMode="auto"/><xdr:clientData/>'
        "</xdr:oneCellAnchor></mc:Choice><mc:Fallback/></mc:AlternateContent></xdr:wsDr>",
    )  # fmt: skip
    at_end(parts, f'<drawing r:id="{parts.relate(SHEET, "drawing", "../drawings/drawing1.xml")}"/>')
    return parts


def embedded_objects() -> Parts:
    parts = written(nothing)
    parts.default("bin", f"{ML}.printerSettings")
    parts.default("vml", "application/vnd.openxmlformats-officedocument.vmlDrawing")
    parts.default("emf", "image/x-emf")
    parts.add(
        "xl/embeddings/oleObject1.bin",
        b"\xd0\xcf\x11\xe0" + bytes(500),
        "application/vnd.openxmlformats-officedocument.oleObject",
    )
    parts.add(
        "xl/embeddings/Document1.docx",
        b"PK\x03\x04 not opened",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    )
    parts.content["xl/media/image1.emf"] = bytes(range(200))
    parts.add("xl/activeX/activeX1.xml", f'<ax:ocx xmlns:ax="{MS}/2006/activeX" xmlns:r="{OFFICE}" ax:classid="{{8BD21D40-EC42-11CE-9E0D-00AA006002F3}}" ax:persistence="persistStreamInit" r:id="rId1"/>',
              "application/vnd.ms-office.activeX+xml")  # fmt: skip
    parts.add("xl/activeX/activeX1.bin", bytes(range(256)), "application/vnd.ms-office.activeX")
    parts.relate("xl/activeX/activeX1.xml", f"{MS}/2006/relationships/activeXControlBinary", "activeX1.bin")
    parts.add("xl/ctrlProps/ctrlProp1.xml", f'<formControlPr xmlns="{MS}/spreadsheetml/2009/9/main" objectType="Spin" dx="22" fmlaLink="$B$3" max="100" page="10" val="4"/>',
              "application/vnd.ms-excel.controlproperties+xml")  # fmt: skip
    parts.add("xl/printerSettings/printerSettings1.bin", bytes(220))
    parts.content["xl/drawings/vmlDrawing1.vml"] = (
        b'<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" '
        b'xmlns:x="urn:schemas-microsoft-com:office:excel"><v:shape id="_x0000_s1025" style="position:absolute"/></xml>'
    )
    ole, doc = (
        parts.relate(SHEET, "oleObject", "../embeddings/oleObject1.bin"),
        parts.relate(SHEET, "package", "../embeddings/Document1.docx"),
    )
    control, spin = (
        parts.relate(SHEET, "control", "../activeX/activeX1.xml"),
        parts.relate(SHEET, "ctrlProp", "../ctrlProps/ctrlProp1.xml"),
    )
    vml, printer = (
        parts.relate(SHEET, "vmlDrawing", "../drawings/vmlDrawing1.vml"),
        parts.relate(SHEET, "printerSettings", "../printerSettings/printerSettings1.bin"),
    )
    at_end(
        parts,
        f'<pageSetup paperSize="9" orientation="portrait" r:id="{printer}"/><legacyDrawing r:id="{vml}"/><oleObjects><oleObject '
        f'progId="Equation.3" shapeId="1025" r:id="{ole}"/><oleObject progId="Word.Document.12" shapeId="1026" r:id="{doc}"/>'
        f'</oleObjects><controls><control shapeId="1027" r:id="{control}" name="Button1"/><control shapeId="1028" r:id="{spin}" '
        'name="Spinner 1"/></controls>',
    )
    return parts


# --- outside the sheet -----------------------------------------------------------------------------------------------


def external_links() -> Parts:
    parts = written(lambda book, sheet: put(sheet, "D2", "=B6+1"))
    parts.add(
        "xl/externalLinks/externalLink1.xml",
        f'<externalLink xmlns="{MAIN}" xmlns:r="{OFFICE}"><externalBook r:id="rId1"><sheetNames><sheetName val="Prices"/>'
        '</sheetNames><definedNames><definedName name="rate" refersTo="=\'Prices\'!$A$1"/></definedNames><sheetDataSet>'
        '<sheetData sheetId="0"><row r="1"><cell r="A1"><v>2.5</v></cell><cell r="B1" t="str"><v>USD</v></cell></row>'
        "</sheetData></sheetDataSet></externalBook></externalLink>",
        f"{ML}.externalLink+xml",
    )
    parts.relate(
        "xl/externalLinks/externalLink1.xml", "externalLinkPath", "file:///C:/prices/Prices.xlsx", external=True
    )
    link = parts.relate(BOOK, "externalLink", "externalLinks/externalLink1.xml")
    parts.replace(
        BOOK, "<calcPr", f'<externalReferences><externalReference r:id="{link}"/></externalReferences><calcPr'
    )
    row = f'<row r="20"><c r="A20"><f>[1]Prices!$A$1*2</f><v>5</v></c><c r="B20"><f>A20+B3</f><v>9</v></c><c r="C20"><f>B3+1</f><v>{STALE}</v></c></row>'
    parts.replace(SHEET, "</sheetData>", f"{row}</sheetData>")
    return parts


def connections() -> Parts:
    parts = written(tables)
    parts.add(
        "xl/connections.xml",
        f'<connections xmlns="{MAIN}"><connection id="1" name="Query - Runs" type="5" refreshedVersion="8" background="1">'
        '<dbPr connection="Provider=Microsoft.Mashup.OleDb.1;Data Source=$Workbook$;Location=Runs" command="SELECT * FROM [Runs]"/>'
        "</connection></connections>",
        f"{ML}.connections+xml",
    )
    parts.add(
        "xl/queryTables/queryTable1.xml",
        f'<queryTable xmlns="{MAIN}" name="ExternalData_1" connectionId="1" autoFormatId="16" applyNumberFormats="0"/>',
        f"{ML}.queryTable+xml",
    )
    parts.relate(BOOK, "connections", "connections.xml")
    parts.relate("xl/tables/table1.xml", "queryTable", "../queryTables/queryTable1.xml")
    parts.add("customXml/item1.xml", '<DataMashup xmlns="http://schemas.microsoft.com/DataMashup">AAAA</DataMashup>')
    return parts


def around_the_workbook() -> Parts:
    """Custom XML, web extension, digital signature, custom views, thumbnail, calculation chain, protected structure."""
    parts = written(validation)
    parts.add("customXml/item1.xml", '<plan xmlns="urn:example:plan"><chip>H100</chip></plan>')
    parts.add("customXml/itemProps1.xml", '<ds:datastoreItem xmlns:ds="http://schemas.openxmlformats.org/officeDocument/2006/customXml" ds:itemID="{0F0F0F0F-0000-0000-0000-000000000001}"/>',
              "application/vnd.openxmlformats-officedocument.customXmlProperties+xml")  # fmt: skip
    parts.relate("customXml/item1.xml", "customXmlProps", "itemProps1.xml")
    parts.relate(BOOK, "customXml", "../customXml/item1.xml")
    parts.add("xl/webextensions/webextension1.xml", f'<we:webextension xmlns:we="{MS}/webextensions/webextension/2010/11" id="{{1}}"><we:reference id="wa1" version="1.0" store="en-US" storeType="OMEX"/><we:properties/><we:bindings/></we:webextension>',
              "application/vnd.ms-office.webextension+xml")  # fmt: skip
    parts.add("xl/webextensions/taskpanes.xml", f'<wetp:taskpanes xmlns:wetp="{MS}/webextensions/taskpanes/2010/11"><wetp:taskpane dockstate="right" visibility="0" width="350" row="4"/></wetp:taskpanes>',
              "application/vnd.ms-office.webextensiontaskpanes+xml")  # fmt: skip
    parts.content["_rels/.rels"] = parts.content["_rels/.rels"].replace(
        b"</Relationships>",
        f'<Relationship Id="rId90" Type="{MS}/2011/relationships/webextensiontaskpanes" Target="xl/webextensions/taskpanes.xml"/>'
        '<Relationship Id="rId91" Type="http://schemas.openxmlformats.org/package/2006/relationships/digital-signature/origin" '
        'Target="_xmlsignatures/origin.sigs"/><Relationship Id="rId92" Type="http://schemas.openxmlformats.org/package/2006/'
        'relationships/metadata/thumbnail" Target="docProps/thumbnail.png"/></Relationships>'.encode(),
    )
    parts.content["docProps/thumbnail.png"] = picture()
    parts.default("png", "image/png")
    parts.default("sigs", "application/vnd.openxmlformats-package.digital-signature-origin")
    parts.content["_xmlsignatures/origin.sigs"] = b""
    parts.add("_xmlsignatures/sig1.xml", '<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignatureValue>AA==</SignatureValue></Signature>',
              "application/vnd.openxmlformats-package.digital-signature-xmlsignature+xml")  # fmt: skip
    parts.add("xl/calcChain.xml", f'<calcChain xmlns="{MAIN}"><c r="B7" i="1" l="1"/><c r="B6"/><c r="B8"/><c r="B9" s="1"/></calcChain>',
              f"{ML}.calcChain+xml")  # fmt: skip
    parts.relate(BOOK, "calcChain", "calcChain.xml")
    guid = "{00000000-1111-2222-3333-444444444444}"
    parts.replace(BOOK, "<bookViews>", '<workbookProtection workbookPassword="CC1A" lockStructure="1"/><bookViews>')
    at_end(
        parts,
        f'<customWorkbookViews><customWorkbookView name="Mine" guid="{guid}" windowWidth="100" windowHeight="100" activeSheetId="1"/></customWorkbookViews>',
        BOOK,
        "workbook",
    )
    parts.replace(
        SHEET,
        "<pageMargins",
        f'<customSheetViews><customSheetView guid="{guid}" scale="80"><pageMargins left="0.7" right="0.7" top="0.75" bottom="0.75" header="0.3" footer="0.3"/></customSheetView></customSheetViews><pageMargins',
    )
    parts.content[SHEET] = _before(parts.content[SHEET], b"<customSheetViews", b"<dataValidations")
    return parts


def _before(data: bytes, element: bytes, other: bytes) -> bytes:
    """Move an element before another one: the schema orders them."""
    start = data.index(element)
    end = data.index(b"</customSheetViews>") + len(b"</customSheetViews>")
    piece, rest = data[start:end], data[:start] + data[end:]
    at = rest.index(other)
    return rest[:at] + piece + rest[at:]


# --- within the sheet ------------------------------------------------------------------------------------------------


def attributes() -> Parts:
    """Excel's own attributes of today: revision ids, x14ac, mc:Ignorable."""
    parts = written(charts)
    parts.replace(
        SHEET, "<worksheet ",
        f'<worksheet {COMPATIBLE} mc:Ignorable="x14ac xr xr2 xr3" xmlns:x14ac="{MS}/spreadsheetml/2009/9/ac" '
        f'xmlns:xr="{MS}/spreadsheetml/2014/revision" xmlns:xr2="{MS}/spreadsheetml/2015/revision2" '
        f'xmlns:xr3="{MS}/spreadsheetml/2016/revision3" xr:uid="{{00000000-0001-0000-0000-000000000000}}" ',
    )  # fmt: skip
    parts.replace(
        SHEET, '<sheetFormatPr defaultRowHeight="15"/>', '<sheetFormatPr defaultRowHeight="15" x14ac:dyDescent="0.25"/>'
    )
    for row in (6, 7):
        parts.replace(SHEET, f'<row r="{row}" ', f'<row x14ac:dyDescent="0.25" r="{row}" ht="18.75" customHeight="1" ')
    return parts


def extensions() -> Parts:
    """Validation and conditional formats of the newer kind, which look at other sheets."""

    def make(book: Workbook, sheet: Worksheet) -> None:
        book.add_worksheet("Lists").write_column("A1", ["H100", "MI300X"])

    parts = written(make)
    xm = 'xmlns:xm="http://schemas.microsoft.com/office/excel/2006/main"'
    inside = (
        f'<x14:dataValidations {xm} count="1"><x14:dataValidation type="list" allowBlank="1"><x14:formula1><xm:f>Lists!$A$1:$A$2</xm:f>'
        "</x14:formula1><xm:sqref>B2</xm:sqref></x14:dataValidation></x14:dataValidations>"
    )
    formats = (
        f'<x14:conditionalFormattings><x14:conditionalFormatting {xm}><x14:cfRule type="iconSet" priority="1" '
        'id="{0F0F0F0F-0000-4000-8000-000000000001}"><x14:iconSet iconSet="3Stars"><x14:cfvo type="percent"><xm:f>0</xm:f></x14:cfvo>'
        '<x14:cfvo type="num"><xm:f>MLSIM_CONVERT("1 GB","MB")</xm:f></x14:cfvo><x14:cfvo type="percent"><xm:f>67</xm:f></x14:cfvo>'
        "</x14:iconSet></x14:cfRule><xm:sqref>B6:B7</xm:sqref></x14:conditionalFormatting></x14:conditionalFormattings>"
    )
    uri = "{CCE6A557-97BC-4b89-ADB6-D9C93CAAB3DF}", "{78C0D931-6437-407d-A8EE-F0AAD7539E65}"
    at_end(parts, f'<extLst><ext {X14} uri="{uri[1]}">{formats}</ext><ext {X14} uri="{uri[0]}">{inside}</ext></extLst>')
    return parts


def rich_values() -> Parts:
    """A cell with a data type, beside formulas: Excel keeps what it knows of the company in richData."""
    parts = written(nothing)
    rich = f"{MS}/spreadsheetml/2017/richdata"
    parts.add("xl/metadata.xml", f'<metadata xmlns="{MAIN}" xmlns:xlrd="{rich}"><metadataTypes count="1"><metadataType name="XLRICHVALUE" minSupportedVersion="120000" copy="1" pasteAll="1" pasteValues="1" merge="1" splitFirst="1" rowColShift="1" clearFormats="1" clearComments="1" assign="1" coerce="1"/></metadataTypes><futureMetadata name="XLRICHVALUE" count="1"><bk><extLst><ext uri="{{3e2802c4-a4d2-4d8b-9148-e3be6c30e623}}"><xlrd:rvb i="0"/></ext></extLst></bk></futureMetadata><valueMetadata count="1"><bk><rc t="1" v="0"/></bk></valueMetadata></metadata>',
              f"{ML}.sheetMetadata+xml")  # fmt: skip
    parts.add(
        "xl/richData/rdrichvalue.xml",
        f'<rvData xmlns="{rich}" count="1"><rv s="0"><v>Example Ltd</v></rv></rvData>',
        "application/vnd.ms-excel.rdrichvalue+xml",
    )
    parts.add(
        "xl/richData/rdrichvaluestructure.xml",
        f'<rvStructures xmlns="{rich}" count="1"><s t="_linkedentitycore"><k n="_Display" t="s"/></s></rvStructures>',
        "application/vnd.ms-excel.rdrichvaluestructure+xml",
    )
    parts.relate(BOOK, "sheetMetadata", "metadata.xml")
    parts.relate(BOOK, f"{MS}/2017/06/relationships/rdRichValue", "richData/rdrichvalue.xml")
    parts.relate(BOOK, f"{MS}/2017/06/relationships/rdRichValueStructure", "richData/rdrichvaluestructure.xml")
    row = f'<row r="20"><c r="A20" t="e" vm="1"><v>#VALUE!</v></c><c r="B20"><f>B3*2</f><v>{STALE}</v></c></row>'
    parts.replace(SHEET, "</sheetData>", f"{row}</sheetData>")
    return parts


def phonetic() -> Parts:
    """A shared string with phonetic runs, a rich one, an empty one; cells in order of their strings do not matter."""
    parts = written(lambda book, sheet: sheet.write_string("D1", "PLACEHOLDER"))
    parts.replace(
        "xl/sharedStrings.xml", "<si><t>PLACEHOLDER</t></si>",
        '<si><t>\u6771\u4eac</t><rPh sb="0" eb="2"><t>\u30c8\u30a6\u30ad\u30e7\u30a6</t></rPh><phoneticPr fontId="1"/></si>',
    )  # fmt: skip
    row = f'<row r="20"><c r="A20" t="str"><f>D1&amp;"!"</f><v>{STALE}</v></c></row>'
    parts.replace(SHEET, "</sheetData>", f"{row}</sheetData>")
    return parts


def empty_caches() -> Parts:
    """Formulas without a cached value, with an empty one, and with one of another type."""
    parts = written(nothing)
    data = parts.content[SHEET]
    for i, cell in enumerate((b"B6", b"B7", b"B8", b"B9")):
        start = data.index(b'<c r="' + cell)
        end = data.index(b"</c>", start)
        old = data[start:end]
        value = old[old.index(b"<v>") :]
        new = old.replace(value, (b"", b"<v/>", b"<v></v>", b'<v xml:space="preserve"> </v>')[i])
        data = data[:start] + new + data[end:]
    parts.content[SHEET] = data
    return parts


def everything() -> Parts:
    """Much of it in one workbook, as people have them."""

    def make(book: Workbook, sheet: Worksheet) -> None:
        for part in (pivot_source, validation, conditional_formats, sparklines, charts, notes, shapes, chart_sheet):
            part(book, sheet)
        sheet.freeze_panes(5, 1)
        sheet.protect("", {"format_cells": True})
        book.define_name("Latency", "=Sheet1!$B$6")
        put(book.get_worksheet_by_name("After"), "D1", "=Latency*Sheet1!K20")

    parts = written(make)
    with_pivot(parts)
    with_threads(parts)
    with_group(parts)
    parts.add("customXml/item1.xml", '<plan xmlns="urn:example:plan"/>')
    parts.relate(BOOK, "customXml", "../customXml/item1.xml")
    return parts


def _overlaid(make: Callable[[], Parts], values: dict[str, Any] | None = None, left: tuple[str, ...] = ()) -> Book:
    return Book(make.__name__, lambda: make().zip(), due() if values is None else values, left=left)


def _more(base: dict[str, Any] | None = None, **cells: Any) -> dict[str, Any]:
    return (base or due()) | {f"Sheet1!{cell}": value for cell, value in cells.items()}


_B6: float = due()["Sheet1!B6"]
_PIVOT = _more(K20=4 * _B6)

BOOKS = (
    _overlaid(pivot, _PIVOT),
    _overlaid(slicers, _PIVOT),
    _overlaid(threaded_comments),
    _overlaid(grouped_shapes),
    _overlaid(ink_and_svg),
    _overlaid(embedded_objects),
    _overlaid(external_links, _more(D2=_B6 + 1, C20=5.0, A20=5.0, B20=9.0), left=("Sheet1!A20", "Sheet1!B20")),
    _overlaid(connections, table_values()),
    _overlaid(around_the_workbook),
    _overlaid(attributes),
    _overlaid(extensions),
    _overlaid(rich_values, _more(B20=8.0)),
    _overlaid(phonetic, _more(A20="\u6771\u4eac!")),
    _overlaid(empty_caches),
    _overlaid(everything, _PIVOT | due("After") | {"After!D1": 4 * _B6**2}),
)
