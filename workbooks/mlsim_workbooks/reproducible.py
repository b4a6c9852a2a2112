"""Workbooks without the time of writing: equal inputs give equal files."""

from __future__ import annotations

import re
import zipfile
from datetime import datetime
from pathlib import Path

__all__ = ["CREATED", "normalise"]

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
