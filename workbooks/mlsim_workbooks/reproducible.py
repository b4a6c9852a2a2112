"""Workbooks without the time of writing: equal inputs give equal files."""

from __future__ import annotations

import re
import tempfile
import zipfile
from datetime import datetime
from pathlib import Path

from openpyxl import Workbook
from openpyxl.workbook.properties import CalcProperties

from mlsim_workbooks.recalc import recalculate

__all__ = ["CREATED", "normalise", "save_template"]

CREATED = datetime(2026, 1, 1)
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date a zip archive can hold


def normalise(path: Path) -> None:
    """Rewrite the archive without the time of writing, so that equal inputs give equal bytes."""
    with zipfile.ZipFile(path) as archive:
        parts = [(info.filename, archive.read(info)) for info in archive.infolist()]
    stamp = CREATED.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts:
            if name == "docProps/core.xml":
                data = re.sub(rb"(<dcterms:(?:modified|created)[^>]*>)[^<]*", rb"\g<1>" + stamp, data)
            if name == "docProps/app.xml":  # LibreOffice trusts the cached values of files that Excel 2010+ wrote
                data = re.sub(rb"<AppVersion>[^<]*", b"<AppVersion>16.0300", data)
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_DEFLATED)


def save_template(wb: Workbook, title: str, out: str | Path) -> Path:
    """Write a workbook with the values of all its cells; return its path."""
    # Recalculation on load would blank the model cells of a reader without the add-in.
    wb.calculation = CalcProperties(calcId=191029, fullCalcOnLoad=False)
    wb.properties.creator, wb.properties.title = "MLSIM", title
    wb.properties.created = CREATED
    with tempfile.TemporaryDirectory(prefix="mlsim-") as folder:
        draft = Path(folder) / "draft.xlsx"
        wb.save(draft)
        normalise(draft)
        recalculate(draft, out=out)
    return Path(out)
