"""Workbooks of the corpus that are kept as data: one JSON file per set, one line per row of a sheet."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, time
from functools import partial
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.workbook.defined_name import DefinedName

from .book import Book, Seed
from .making import define, fmt, table

__all__ = ["is_written", "written"]

_DATA = Path(__file__).parent / "data"


def _value(value: Any) -> Any:
    """Return a cell's content; a date is kept as {"date": "2025-05-12"}, a time of day as {"time": "22:00"}."""
    if isinstance(value, dict):
        return datetime.fromisoformat(value["date"]) if "date" in value else time.fromisoformat(value["time"])
    return value


def _build(book: Mapping[str, Any]) -> Workbook:
    """Return the workbook that a description gives."""
    wb = Workbook()
    wb.remove(wb.worksheets[0])
    for described in book["sheets"]:
        ws = wb.create_sheet(described["title"])
        for row, values in described["rows"].items():
            for column, value in enumerate(values, start=1):
                if value is not None:
                    ws.cell(int(row), column, _value(value))
        for code, cells in described.get("formats", {}).items():
            fmt(ws, cells, code)
        for area in described.get("merged", ()):
            ws.merge_cells(area)
        for name, area in described.get("tables", {}).items():
            table(ws, name, area)
        for name, text in described.get("names", {}).items():
            ws.defined_names[name] = DefinedName(name, attr_text=text)
    for name, text in book.get("names", {}).items():
        define(wb, name, text)
    return wb


def _seed(rule: str, edits: Mapping[str, Any], at: list[str]) -> Seed:
    formats = {
        cell: new["number_format"] for cell, new in edits.items() if isinstance(new, dict) and "number_format" in new
    }
    return Seed(rule, {c: _value(v) for c, v in edits.items() if c not in formats}, tuple(at), formats)


def is_written(name: str) -> bool:
    """Tell whether a set is kept as data."""
    return (_DATA / f"{name}.json").exists()


def written(name: str) -> tuple[Book, ...]:
    """Return the workbooks of one set, with the mistakes to seed into them."""
    books = json.loads((_DATA / f"{name}.json").read_text(encoding="utf-8"))
    return tuple(
        Book(book["name"], partial(_build, book), tuple(_seed(*seed) for seed in book.get("seeds", ())))
        for book in books
    )
