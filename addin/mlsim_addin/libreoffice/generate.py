"""The LibreOffice extension (.oxt): interface, texts, toolbar and code, from the catalogue.

The interface is the text of an IDL file, which LibreOffice reads as it is. Each function's first parameter is the
document, which Calc fills in; the others are ``any``, so that each may be left out and may be a range.
"""

from __future__ import annotations

import io
import json
import sys
import sysconfig
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from mlsim import __version__
from mlsim.functions import Function
from mlsim_addin.texts import description, help_text
from mlsim_workbooks.functions import CATALOGUE

__all__ = ["IDENTIFIER", "configuration", "functions", "idl", "oxt"]

IDENTIFIER = "org.mlsim.calc"
_CODE = Path(__file__).parent / "extension"
_DATE = (2026, 1, 1, 0, 0, 0)  # the same content makes the same file
_COMMANDS = "service:org.mlsim.calc.Commands"
_OOR = 'xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema"'


def method(function: Function) -> str:
    """Return a function's name in the service: Calc calls it MLSIM.X."""
    return function.name.removeprefix("MLSIM_")


def oxt(config: dict[str, Any]) -> bytes:
    """Return the extension, with what ``configuration`` says of this Python."""
    parts = {
        "META-INF/manifest.xml": _manifest(),
        "description.xml": _description(),
        "MLSIM.idl": idl(),
        "CalcAddIns.xcu": _texts(),
        "Addons.xcu": _toolbar(),
        "CalcWindowState.xcu": _window(),
        "Jobs.xcu": _jobs(),
        "functions.json": json.dumps(functions(), ensure_ascii=False, indent=1),
        "config.json": json.dumps(config, indent=1),
        **{str(path.relative_to(_CODE).as_posix()): path.read_text("utf-8") for path in sorted(_CODE.rglob("*.py"))},
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(zipfile.ZipInfo(name, _DATE), text.encode(), zipfile.ZIP_DEFLATED)
    return file.getvalue()


def configuration() -> dict[str, Any]:
    """Return where MLSIM is: the interpreter, and what LibreOffice's own Python needs to import it in process."""
    return {
        "python": sys.executable,
        "version": list(sys.version_info[:2]),
        "platform": sysconfig.get_platform(),
        "paths": [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")],
    }


def functions() -> list[dict[str, Any]]:
    """Return what the code in LibreOffice knows of each function."""
    return [
        {
            "method": method(f),
            "description": description(f),
            "args": [{"name": arg.name, "help": help_text(arg)} for arg in f.args],
            "vararg": any(arg.vararg for arg in f.args),
            "remember": f.remember,
        }
        for f in CATALOGUE.values()
    ]


def idl() -> str:
    """Return the interface of the functions."""
    lines = [_signature(function) for function in CATALOGUE.values()]
    return "module org { module mlsim { module calc {\ninterface XFunctions {\n" + "".join(lines) + "};\n}; }; };\n"


def _signature(function: Function) -> str:
    kinds = ["sequence< any >" if arg.vararg else "any" for arg in function.args]
    given = "".join(f", [in] {kind} a{i}" for i, kind in enumerate(kinds))
    document = "[in] com::sun::star::beans::XPropertySet document"
    return f"  sequence< sequence< any > > {method(function)}({document}{given});\n"


# --- configuration of LibreOffice ------------------------------------------------------------------------------------


def _texts() -> str:
    """Return the texts of the function wizard, and the name each function has in Excel."""
    nodes = "".join(map(_function_node, CATALOGUE.values()))
    body = (
        f'<node oor:name="AddInInfo"><node oor:name="org.mlsim.calc.Functions" oor:op="replace">{nodes}</node></node>'
    )
    body = body.replace('<node oor:name="AddInInfo"><node', '<node oor:name="AddInInfo"><node', 1)
    return _component("CalcAddIns", "org.openoffice.Office", body)


def _function_node(function: Function) -> str:
    arguments = "".join(
        f'<node oor:name={quoteattr(arg.name)} oor:op="replace">'
        f"{_localised('DisplayName', arg.name)}{_localised('Description', help_text(arg))}</node>"
        for arg in function.args
    )
    return (
        f'<node oor:name="{method(function)}" oor:op="replace">{_localised("DisplayName", function.name)}'
        f"{_localised('Description', description(function))}{_property('Category', 'Add-In')}"
        f"{_localised('CompatibilityName', function.name)}"
        f'<node oor:name="Parameters">{arguments}</node></node>'
    )


def _toolbar() -> str:
    """Return a toolbar and a menu for spreadsheets."""
    entry = (
        _property("URL", f"{_COMMANDS}?check_units")
        + _localised("Title", "Check units")
        + _property("Target", "_self")
        + _property("Context", "com.sun.star.sheet.SpreadsheetDocument")
    )
    item = f'<node oor:name="check_units" oor:op="replace">{entry}</node>'
    menu = (
        '<node oor:name="OfficeMenuBar"><node oor:name="org.mlsim.calc.menu" oor:op="replace">'
        f"{_localised('Title', 'MLSIM')}{_property('Target', '_self')}"
        f"{_property('Context', 'com.sun.star.sheet.SpreadsheetDocument')}"
        f'<node oor:name="Submenu">{item}</node></node></node>'
    )
    bar = f'<node oor:name="OfficeToolBar"><node oor:name="org.mlsim.calc.bar" oor:op="replace">{item}</node></node>'
    return _component("Addons", "org.openoffice.Office", f'<node oor:name="AddonUI">{menu}{bar}</node>')


def _window() -> str:
    """Return where the toolbar stands until a person moves it: above the sheet, under its name."""
    places = '<prop oor:name="DockingArea" oor:type="xs:int"><value>0</value></prop>' + _property("DockPos", "0,2")
    flags = "".join(
        f'<prop oor:name="{name}" oor:type="xs:boolean"><value>true</value></prop>' for name in ("Docked", "Visible")
    )
    bar = f'<node oor:name="private:resource/toolbar/addon_org.mlsim.calc.bar" oor:op="replace">{_localised("UIName", "MLSIM")}'
    body = f'<node oor:name="UIElements"><node oor:name="States">{bar}{places}{flags}</node></node></node>'
    return _component("CalcWindowState", "org.openoffice.Office.UI", body)


def _jobs() -> str:
    """Return the job that runs when a document was read, with a view or without: functions get the names they have here."""
    job = f'<node oor:name="MLSIM" oor:op="replace">{_property("Service", "org.mlsim.calc.Commands")}</node>'
    event = (
        '<node oor:name="OnLoadFinished" oor:op="fuse"><node oor:name="JobList">'
        '<node oor:name="MLSIM" oor:op="replace"/></node></node>'
    )
    body = f'<node oor:name="Jobs">{job}</node><node oor:name="Events">{event}</node>'
    return _component("Jobs", "org.openoffice.Office", body)


def _component(name: str, package: str, body: str) -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<oor:component-data {_OOR} oor:name="{name}" oor:package="{package}">'
        f"{body}</oor:component-data>\n"
    )


def _property(name: str, text: str) -> str:
    return f'<prop oor:name="{name}" oor:type="xs:string"><value>{escape(text)}</value></prop>'


def _localised(name: str, text: str) -> str:
    return f'<prop oor:name="{name}"><value xml:lang="en">{escape(text)}</value></prop>'


# --- package ---------------------------------------------------------------------------------------------------------

_TYPES = {
    "MLSIM.idl": "application/vnd.sun.star.uno-typelibrary;type=RDB",
    "mlsim_calc.py": "application/vnd.sun.star.uno-component;type=Python",
    "CalcAddIns.xcu": "application/vnd.sun.star.configuration-data",
    "Addons.xcu": "application/vnd.sun.star.configuration-data",
    "CalcWindowState.xcu": "application/vnd.sun.star.configuration-data",
    "Jobs.xcu": "application/vnd.sun.star.configuration-data",
}


def _manifest() -> str:
    space = 'xmlns:manifest="http://openoffice.org/2001/manifest"'
    entries: Iterable[str] = (
        f'<manifest:file-entry manifest:media-type="{kind}" manifest:full-path="{name}"/>'
        for name, kind in _TYPES.items()
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<manifest:manifest {space}>{"".join(entries)}</manifest:manifest>\n'
    )


def _description() -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<description xmlns="http://openoffice.org/extensions/description/2006">'
        f'<identifier value="{IDENTIFIER}"/><version value="{__version__}"/>'
        '<display-name><name lang="en">MLSIM: capacity planning for machine-learning systems</name></display-name>'
        '<dependencies><OpenOffice.org-minimal-version value="4.0" xmlns="http://openoffice.org/extensions/description/2006"/>'
        "</dependencies></description>\n"
    )
