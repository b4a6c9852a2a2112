"""The add-in ``MLSIM.xlam``, built from the catalogue and from the VBA of the user's own xlwings package.

XLPy, with which VBA reaches Python, stands in a module inside our project: the file ``xlwings.bas`` of the installed
package (BSD-3-Clause, its licence at its head), so that it always fits the library beside that Python. The other way,
a reference to ``xlwings.xlam``, would break with each move or update of that file, and would ask for a second add-in.
"""

from __future__ import annotations

import importlib.util
import io
import zipfile
from pathlib import Path

from mlsim.files import FileError
from mlsim_addin.excel.generate import vba_source
from mlsim_addin.excel.vba_project import Module, document, project

__all__ = ["modules", "package", "xlwings_folder"]

_FOLDER = Path(__file__).parent
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_WHEN = (1980, 1, 1, 0, 0, 0)  # the same content gives the same file

_AT_OPEN = """\
' Excel must have started before it takes descriptions of functions.
Private Sub Workbook_Open()
    Application.OnTime Now, "'" & ThisWorkbook.Name & "'!MLSIM_AtStart"
End Sub
"""


def xlwings_folder() -> Path:
    """Return the folder of the installed xlwings package.

    Raises
    ------
    FileError
        When it is not installed, or lacks its VBA module.
    """
    found = importlib.util.find_spec("xlwings")
    if found is None or found.origin is None:
        raise FileError('xlwings is not installed in this Python: run "pip install mlsim[excel]" first.')
    folder = Path(found.origin).parent
    if not (folder / "xlwings.bas").is_file():
        raise FileError(f'{folder} has no xlwings.bas: run "pip install --force-reinstall xlwings".')
    return folder


def modules() -> list[Module]:
    """Return the modules of the add-in's VBA project."""
    return [
        document("ThisWorkbook", _AT_OPEN),
        document("Sheet1"),
        Module("MLSIM_Functions", vba_source()),
        Module("MLSIM_Ribbon", (_FOLDER / "ribbon.bas").read_bytes().decode("ascii")),
        Module("xlwings", _bridge()),
    ]


def _bridge() -> str:
    """Return xlwings' own module, its functions hidden from the list of worksheet functions."""
    text = (xlwings_folder() / "xlwings.bas").read_bytes().decode("cp1252")
    lines = text.replace("\r\n", "\n").split("\n")
    if lines[0] != 'Attribute VB_Name = "xlwings"' or "Function XLPy()" not in text:
        raise FileError('The VBA module of this xlwings is not known: run "pip install --upgrade xlwings".')
    return "\r\n".join([lines[0], "Option Private Module", *lines[1:]])


def package() -> bytes:
    """Return the bytes of ``MLSIM.xlam``."""
    parts = {
        "[Content_Types].xml": _content_types(),
        "_rels/.rels": _relations(
            ("rId1", f"{_OFFICE}/officeDocument", "xl/workbook.xml"),
            ("rId2", "http://schemas.microsoft.com/office/2007/relationships/ui/extensibility", "customUI/customUI14.xml"),
        ),
        "xl/workbook.xml": f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><workbookPr codeName="ThisWorkbook"/>'
        '<sheets><sheet name="MLSIM" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": _relations(
            ("rId1", f"{_OFFICE}/worksheet", "worksheets/sheet1.xml"),
            ("rId2", f"{_OFFICE}/styles", "styles.xml"),
            ("rId3", "http://schemas.microsoft.com/office/2006/relationships/vbaProject", "vbaProject.bin"),
        ),
        "xl/worksheets/sheet1.xml": f'{_XML}<worksheet xmlns="{_MAIN}"><sheetPr codeName="Sheet1"/><sheetData/></worksheet>',
        "xl/styles.xml": _styles(),
        "customUI/customUI14.xml": (_FOLDER / "customUI14.xml").read_text(encoding="utf-8"),
    }  # fmt: skip
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            _add(archive, name, text.encode())
        _add(archive, "xl/vbaProject.bin", project("MLSIM", modules()))
    return out.getvalue()


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(name, _WHEN)
    entry.create_system = 0  # the same file wherever it is made
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, data)


def _content_types() -> str:
    overrides = {
        "/xl/workbook.xml": "application/vnd.ms-excel.addin.macroEnabled.main+xml",
        "/xl/worksheets/sheet1.xml": f"{_TYPES}.worksheet+xml",
        "/xl/styles.xml": f"{_TYPES}.styles+xml",
        "/xl/vbaProject.bin": "application/vnd.ms-office.vbaProject",
    }
    items = "".join(f'<Override PartName="{part}" ContentType="{kind}"/>' for part, kind in overrides.items())
    return (
        f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
        f'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{items}</Types>'
    )


def _relations(*items: tuple[str, str, str]) -> str:
    body = "".join(f'<Relationship Id="{i}" Type="{kind}" Target="{target}"/>' for i, kind, target in items)
    return f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{body}</Relationships>'


def _styles() -> str:
    return (
        f'{_XML}<styleSheet xmlns="{_MAIN}"><fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
        '</fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
        '<cellXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/></cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
    )
