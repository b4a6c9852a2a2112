"""Run the macro ``check_units`` in a LibreOffice that listens on a pipe; print what is on the sheets as JSON.

For a Python that has LibreOffice's ``uno``: ``run_in_libreoffice.py PIPE DOCUMENT-URL TIMES``.
"""

import json
import sys
import time

import uno

pipe, url, times = sys.argv[1], sys.argv[2], int(sys.argv[3])
local = uno.getComponentContext()
resolver = local.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", local)
deadline = time.monotonic() + 60
while True:
    try:
        context = resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
        break
    except Exception:
        if time.monotonic() > deadline:
            raise
        time.sleep(0.2)


def service(name):
    return context.ServiceManager.createInstanceWithContext(name, context)


desktop = service("com.sun.star.frame.Desktop")
try:
    document = desktop.loadComponentFromURL(url, "_blank", 0, ())
    scripts = service("com.sun.star.script.provider.MasterScriptProviderFactory").createScriptProvider("")
    macro = scripts.getScript("vnd.sun.star.script:check_units.py$check_units?language=Python&location=user")
    for _ in range(times):
        macro.invoke((), (), ())
    shown = {}
    for name in document.Sheets.ElementNames:
        sheet = document.Sheets.getByName(name)
        cursor = sheet.createCursor()
        cursor.gotoEndOfUsedArea(False)
        end = cursor.RangeAddress
        shown[name] = sheet.getCellRangeByPosition(0, 0, end.EndColumn, end.EndRow).getDataArray()
    print(json.dumps({"url": document.URL, "sheets": shown}))
    document.close(True)
finally:
    desktop.terminate()
