"""Compare a workbook with itself before a recalculation, part by part; independent of how values are written."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from lxml import etree
from openpyxl.utils.cell import rows_from_range

__all__ = ["differences", "sheet_parts"]

_CELL = re.compile(rb"(?=<(?:\w+:)?c[\s>/])")


def differences(before: bytes, after: bytes, spills: bool = False) -> list[str]:
    """Return what differs beyond the cached values of formulas; with ``spills`` arrays may grow and shrink too."""
    found: list[str] = []
    old, new = zipfile.ZipFile(io.BytesIO(before)), zipfile.ZipFile(io.BytesIO(after))
    if old.namelist() != new.namelist():
        return [f"members: {old.namelist()} became {new.namelist()}"]
    if old.comment != new.comment:
        found.append("the comment of the archive")
    ranks = [sorted(z.namelist(), key=lambda n, z=z: z.getinfo(n).header_offset) for z in (old, new)]  # type: ignore[misc]
    if ranks[0] != ranks[1]:
        found.append("the order of the data")
    sheets = sheet_parts(old)
    for name in old.namelist():
        found += [f"{name}: {what}" for what in _header(old.getinfo(name), new.getinfo(name))]
        if old.read(name) == new.read(name):
            if _raw(before, old, name) != _raw(after, new, name):
                found.append(f"{name}: packed anew without need")
        elif name not in sheets:
            found.append(f"{name}: content")
        else:
            found += [f"{name}: {what}" for what in _sheet(old.read(name), new.read(name), spills)]
    return found


def sheet_parts(archive: zipfile.ZipFile) -> set[str]:
    """Return the worksheet parts, by their content type."""
    types = etree.fromstring(archive.read("[Content_Types].xml"))
    return {
        entry.get("PartName", "").lstrip("/")
        for entry in types
        if entry.get("ContentType", "").endswith("spreadsheetml.worksheet+xml")
    }


def _header(old: zipfile.ZipInfo, new: zipfile.ZipInfo) -> Iterator[str]:
    for name in ("date_time", "extra", "comment", "compress_type", "external_attr", "internal_attr", "create_system",
                 "create_version", "extract_version"):  # fmt: skip
        if getattr(old, name) != getattr(new, name):
            yield f"{name} of the zip entry: {getattr(old, name)!r} became {getattr(new, name)!r}"
    if old.flag_bits & ~8 != new.flag_bits & ~8:
        yield f"flags of the zip entry: {old.flag_bits} became {new.flag_bits}"


def _raw(data: bytes, archive: zipfile.ZipFile, name: str) -> bytes:
    """Return an entry as it lies in the file: header, packed data and what follows up to the next one."""
    starts = [*sorted(info.header_offset for info in archive.infolist()), archive.start_dir]
    start = archive.getinfo(name).header_offset
    return data[start : starts[starts.index(start) + 1]]


# --- worksheets ------------------------------------------------------------------------------------------------------


def _sheet(old: bytes, new: bytes, spills: bool) -> Iterator[str]:
    if not spills:
        yield from _bytes(old, new)
    trees = [etree.fromstring(data) for data in (old, new)]
    areas = [_areas(tree) for tree in trees]
    for tree in trees:
        for cell in list(_cells(tree)):
            _take_values_out(cell, areas[0] | areas[1] if spills else areas[0])
        if spills:
            _take_spills_out(tree)
    one, two = (etree.tostring(tree, method="c14n", with_comments=True) for tree in trees)
    if one != two:
        at = next((i for i, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), min(len(one), len(two)))
        yield f"XML differs: {one[max(0, at - 60) : at + 80]!r} became {two[max(0, at - 60) : at + 80]!r}"


def _bytes(old: bytes, new: bytes) -> Iterator[str]:
    """Compare all bytes but those of cells that hold a formula or stand in an array."""
    pieces = [_CELL.split(data) for data in (old, new)]
    if len(pieces[0]) != len(pieces[1]):
        yield f"{len(pieces[0]) - 1} cells became {len(pieces[1]) - 1}"
        return
    inside = _areas(etree.fromstring(old))
    for one, two in zip(*pieces, strict=True):
        if one == two:
            continue
        place = re.search(rb"""\sr\s*=\s*["']([A-Z]+\d+)""", one)
        if not re.search(rb"<(?:\w+:)?f[\s>/]", one) and not (place and place[1].decode() in inside):
            yield f"a cell without a formula: {one!r} became {two!r}"
        if _after(one) != _after(two):
            yield f"what follows a cell: {one!r} became {two!r}"


def _after(piece: bytes) -> bytes:
    """Return what follows the cell that a piece begins with."""
    return re.sub(rb"^<(?:\w+:)?c(?:\s[^<>]*)?/>|^<.*?</(?:\w+:)?c\s*>", b"", piece, count=1, flags=re.S)


def _cells(tree: Any) -> Iterator[Any]:
    for cell in tree.iter("{*}c"):
        if etree.QName(cell.getparent()).localname == "row":
            yield cell


def _areas(tree: Any) -> set[str]:
    """Return the cells of array formulas."""
    refs = [f.get("ref") for f in tree.iter("{*}f") if f.get("t") == "array" and f.get("ref")]
    return {cell for ref in refs for row in rows_from_range(ref) for cell in row}


def _take_values_out(cell: Any, inside: set[str]) -> None:
    """Take the cached value out of a cell that holds a formula, or stands in an array."""
    if cell.find("{*}f") is None and cell.get("r") not in inside:
        return
    cell.attrib.pop("t", None)
    for child in list(cell):
        if etree.QName(child).localname in ("v", "is"):
            cell.remove(child)
    if len(cell) == 0:
        cell.text = None


def _take_spills_out(tree: Any) -> None:
    """Take out what changes when an array takes another size: its area, bare children, rows made for them."""
    for cell in list(_cells(tree)):
        formula = cell.find("{*}f")
        if cell.get("cm") and formula is not None:
            formula.attrib.pop("ref", None)
        if len(cell) == 0 and set(cell.attrib) <= {"r"}:
            cell.getparent().remove(cell)
    for row in list(tree.iter("{*}row")):
        if len(row) == 0 and set(row.attrib) <= {"r"}:
            row.getparent().remove(row)
