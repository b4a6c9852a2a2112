"""Drive a LibreOffice that listens on a pipe: one JSON command a line on standard input, one JSON answer on output.

For a Python that has LibreOffice's ``uno``: ``libreoffice_driver.py PIPE``. It runs in the system's Python, not in
the project's.
"""

import json
import os
import sys
import time
from pathlib import Path

import uno  # noqa: F401  (its import makes the next one possible)
from com.sun.star.beans import PropertyValue

sys.path.append(str(Path(__file__).parents[2] / "addin" / "mlsim_addin" / "libreoffice"))

from uno_install import connect

CODES = {521: "#NULL!", 532: "#DIV/0!", 519: "#VALUE!", 524: "#REF!", 525: "#NAME?", 503: "#NUM!", 32767: "#N/A"}


class Driver:
    def __init__(self, pipe):
        self.context = connect(pipe)
        self.desktop = self.service("com.sun.star.frame.Desktop")
        self.document = None

    def service(self, name):
        return self.context.ServiceManager.createInstanceWithContext(name, self.context)

    def open(self, url="private:factory/scalc"):
        self.close()
        self.document = self.desktop.loadComponentFromURL(url, "_blank", 0, ())
        return list(self.document.Sheets.ElementNames)

    def new(self):
        """Open an empty spreadsheet with a sheet "Cells" for arguments and a sheet "Calls" for formulas."""
        self.open()
        self.document.Sheets.getByIndex(0).setName("Cells")
        self.document.Sheets.insertNewByName("Calls", 1)

    def close(self):
        if self.document is not None:
            self.document.close(True)
        self.document = None

    def fill(self, cells, sheet=0):
        """Write texts as texts, numbers as numbers, and {"formula": ...}, by (column, row)."""
        where = self.document.Sheets.getByIndex(sheet)
        for column, row, content in cells:
            cell = where.getCellByPosition(column, row)
            if isinstance(content, dict):
                cell.setFormula(content["formula"])
            elif isinstance(content, str):
                cell.setString(content)
            else:
                cell.setValue(content)

    def formulas(self, items, sheet=1):
        """Write formulas below each other and return what each gives; a height and a width make it an array."""
        where = self.document.Sheets.getByIndex(sheet)
        found, row = [], 0
        for formula, height, width in items:
            area = where.getCellRangeByPosition(0, row, width - 1, row + height - 1)
            if height == width == 1:
                area.getCellByPosition(0, 0).setFormula(formula)
            else:
                area.setArrayFormula(formula)
            found.append(area)
            row += height
        return [self.shown(area) for area in found]

    def shown(self, area):
        columns, rows = area.Columns.Count, area.Rows.Count
        return [[self.cell(area.getCellByPosition(c, r)) for c in range(columns)] for r in range(rows)]

    def cell(self, cell):
        if cell.getError():
            return {"error": CODES.get(cell.getError(), f"Err:{cell.getError()}")}
        kind = cell.FormulaResultType2 if cell.getFormula().startswith(("=", "{")) else None
        text = kind == 2 if kind is not None else cell.Type.value == "TEXT"  # FormulaResult.STRING
        return cell.getString() if text else cell.getValue()

    def sheets(self):
        """Return the formulas and the contents of every sheet."""
        found = {}
        for name in self.document.Sheets.ElementNames:
            sheet = self.document.Sheets.getByName(name)
            cursor = sheet.createCursor()
            cursor.gotoEndOfUsedArea(False)
            end = cursor.RangeAddress
            area = sheet.getCellRangeByPosition(0, 0, end.EndColumn, end.EndRow)
            found[name] = {"formulas": area.getFormulaArray(), "values": self.shown(area)}
        return {"url": self.document.URL, "modified": self.document.isModified(), "sheets": found}

    def timed(self, url, column):
        """Open a document; return the seconds until a column has its numbers, and how many different ones they are."""
        self.close()
        start = time.monotonic()
        self.open(url)
        sheet = self.document.Sheets.getByIndex(0)
        cursor = sheet.createCursor()
        cursor.gotoEndOfUsedArea(False)
        cells = sheet.getCellRangeByPosition(column, 0, column, cursor.RangeAddress.EndRow)
        rows = cells.getDataArray()  # what Calc has not calculated at opening it does now
        return [time.monotonic() - start, len({value for (value,) in rows if isinstance(value, float)})]

    def press(self, command, times=1):
        """Do what a button of the toolbar does."""
        helper = self.service("com.sun.star.frame.DispatchHelper")
        frame = self.document.CurrentController.Frame
        frame.activate()
        for _ in range(times):
            helper.executeDispatch(frame, command, "_self", 0, ())

    def toolbar(self, name):
        """Return whether a toolbar is shown, and whether it is docked."""
        layout = self.document.CurrentController.Frame.LayoutManager
        resource = f"private:resource/toolbar/{name}"
        return [layout.isElementVisible(resource), layout.isElementDocked(resource)]

    def select(self, column, row, sheet=0):
        """Show a sheet with the cursor in a cell, in columns wide enough."""
        where = self.document.Sheets.getByIndex(sheet)
        controller = self.document.CurrentController
        controller.setActiveSheet(where)
        where.Columns.OptimalWidth = True
        controller.select(where.getCellByPosition(column, row))

    def save(self, url):
        wanted = PropertyValue()
        wanted.Name, wanted.Value = "FilterName", "Calc MS Excel 2007 XML"
        self.document.storeToURL(url, (wanted,))

    def descriptions(self):
        """Return what the function wizard shows of our functions."""
        every = self.service("com.sun.star.sheet.FunctionDescriptions")
        found = {}
        for i in range(every.Count):
            texts = {prop.Name: prop.Value for prop in every.getByIndex(i)}
            if texts["Name"].upper().startswith("MLSIM"):
                args = [[a.Name, a.Description] for a in texts["Arguments"]]
                found[texts["Name"]] = {"description": texts["Description"], "args": args}
        return found

    def python(self):
        """Return the version of the Python this runs in, which is LibreOffice's where it has its own."""
        return list(sys.version_info[:2])


def main():
    driver = Driver(sys.argv[1])
    for line in sys.stdin:
        name, arguments = json.loads(line)
        if name == "quit":
            driver.close()
            driver.desktop.terminate()
            break
        try:
            answer = {"result": getattr(driver, name)(*arguments)}
        except Exception as error:
            answer = {"failure": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
    os._exit(0)  # the bridge to a LibreOffice that has ended may crash while Python tidies up
