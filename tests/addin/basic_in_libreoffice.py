"""Open a document in a LibreOffice that listens on a pipe; print its Basic modules, and what functions of it return.

For a Python that has LibreOffice's ``uno``: ``basic_in_libreoffice.py PIPE DOCUMENT-URL [WHAT ...]``. WHAT is a
function, such as ``MLSIM.Probe.Plain``, or a cell of the first sheet, such as ``A1``, which is then calculated.
"""

import json
import os
import sys
from pathlib import Path

import uno  # noqa: F401  (its import makes the next one possible)
from com.sun.star.beans import PropertyValue

sys.path.append(str(Path(__file__).parents[2] / "addin" / "mlsim_addin" / "libreoffice"))

from uno_install import connect

pipe, url, calls = sys.argv[1], sys.argv[2], sys.argv[3:]
context = connect(pipe)
desktop = context.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", context)
try:
    always = PropertyValue(Name="MacroExecutionMode", Value=4)  # without asking
    document = desktop.loadComponentFromURL(url, "_blank", 0, (PropertyValue(Name="Hidden", Value=True), always))
    libraries = document.BasicLibraries
    modules = {}
    for library in libraries.ElementNames:
        libraries.loadLibrary(library)
        found = libraries.getByName(library)
        modules[library] = {name: found.getByName(name) for name in found.ElementNames}
    results = []
    sheet = document.Sheets.getByIndex(0)
    for call in calls:
        if "." not in call:
            cell = sheet.getCellRangeByName(call)
            cell.setFormula(cell.Formula)  # entered anew: calculated now, after those before it
            results.append(cell.String)
            continue
        address = f"vnd.sun.star.script:{call}?language=Basic&location=document"
        try:
            results.append(document.getScriptProvider().getScript(address).invoke((), (), ())[0])
        except Exception as error:
            results.append(f"failed: {error}")
    print(json.dumps({"modules": modules, "results": results}), flush=True)
    document.close(True)
finally:
    desktop.terminate()
os._exit(0)  # the bridge to a LibreOffice that has ended may crash while Python tidies up
