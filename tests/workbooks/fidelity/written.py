"""Workbooks that XlsxWriter writes, part for part as Excel does."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from fidelity.book import STALE, Book, due, fill, put, written
from mlsim_workbooks.functions import call

__all__ = ["BOOKS", "picture", "table_values"]

Make = Callable[[Workbook, Worksheet], None]


def picture(side: int = 8) -> bytes:
    """Return a small PNG."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes(range(side * 3)) for _ in range(side))
    head = struct.pack(">LLBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def charts(book: Workbook, sheet: Worksheet) -> None:
    kinds = [
        {"type": "column"}, {"type": "bar", "subtype": "stacked"}, {"type": "line"}, {"type": "pie"}, {"type": "area"},
        {"type": "doughnut"}, {"type": "radar", "subtype": "filled"}, {"type": "scatter", "subtype": "smooth"},
    ]  # fmt: skip
    for i, kind in enumerate(kinds):
        chart = book.add_chart(kind)
        series = {"name": "=Sheet1!$A$3", "categories": "=Sheet1!$A$6:$A$7", "values": "=Sheet1!$B$6:$B$7"}
        chart.add_series(
            {**series, "data_labels": {"value": True}, "trendline": {"type": "linear"} if i in (0, 7) else None}
        )
        chart.set_title({"name": "=Sheet1!$B$9"})
        sheet.insert_chart(20 + 15 * (i // 2), 8 * (i % 2), chart)


def combined_chart(book: Workbook, sheet: Worksheet) -> None:
    column, line = book.add_chart({"type": "column"}), book.add_chart({"type": "line"})
    column.add_series({"values": "=Sheet1!$B$6:$B$7", "y_error_bars": {"type": "percentage", "value": 5}})
    line.add_series({"values": "=Sheet1!$B$3:$B$4", "y2_axis": True, "marker": {"type": "diamond"}})
    column.combine(line)
    column.set_y_axis({"log_base": 10, "num_format": '0.00" ms"'})
    sheet.insert_chart(
        "D2", column, {"object_position": 3, "description": "latency and share", "url": "https://example.org"}
    )


def chart_sheet(book: Workbook, sheet: Worksheet) -> None:
    alone = book.add_chartsheet("Picture")
    chart = book.add_chart({"type": "bar"})
    chart.add_series({"values": "=Sheet1!$B$6:$B$7"})
    alone.set_chart(chart)
    alone.protect()
    fill(book.add_worksheet("After"))


def stock_chart(book: Workbook, sheet: Worksheet) -> None:
    for i in range(5):
        put(sheet, f"D{i + 1}", f"=$B$6*{i + 2}")
        put(sheet, f"E{i + 1}", f"=$B$6*{i + 1}")
        put(sheet, f"F{i + 1}", f"=$B$6*{i + 1.5}")
    chart = book.add_chart({"type": "stock"})
    for column in "DEF":
        chart.add_series({"values": f"=Sheet1!${column}$1:${column}$5"})
    chart.set_high_low_lines()
    sheet.insert_chart("H2", chart)


def images(book: Workbook, sheet: Worksheet) -> None:
    sheet.insert_image("D2", "pic.png", {"image_data": io.BytesIO(picture()), "x_scale": 4, "description": "a square"})
    sheet.insert_image(
        "D12", "other.png", {"image_data": io.BytesIO(picture(16)), "object_position": 2, "url": "internal:Sheet1!B6"}
    )
    sheet.set_background(io.BytesIO(picture()))


def header_images(book: Workbook, sheet: Worksheet) -> None:
    data = io.BytesIO(picture())
    sheet.set_header('&L&G&C&"Calibri,Bold"&A&R&D', {"image_left": "left.png", "image_data_left": data})
    sheet.set_footer("&C&P of &N")


def pictures_in_cells(book: Workbook, sheet: Worksheet) -> None:
    sheet.embed_image("D2", "in.png", {"image_data": io.BytesIO(picture()), "description": "in a cell"})
    sheet.embed_image("D3", "in2.png", {"image_data": io.BytesIO(picture(12))})
    put(sheet, "E2", "=B6+1")


def shapes(book: Workbook, sheet: Worksheet) -> None:
    sheet.insert_textbox("D2", "Latency", {"width": 200, "font": {"bold": True}})
    sheet.insert_textbox("D8", "", {"textlink": "=$B$9", "fill": {"gradient": {"colors": ["#FFFFFF", "#4472C4"]}}})


def sparklines(book: Workbook, sheet: Worksheet) -> None:
    sheet.add_sparkline("D6", {"range": "Sheet1!B6:B7", "markers": True})
    sheet.add_sparkline("D7", {"location": ["D7", "D8"], "range": ["Sheet1!B6:B7", "Sheet1!B3:B4"], "type": "column"})


def validation(book: Workbook, sheet: Worksheet) -> None:
    sheet.data_validation("B1", {"validate": "list", "source": ["Llama-3-70B", "Llama-3-8B"]})
    sheet.data_validation(
        "B3", {"validate": "custom", "value": '=AND(B3>0,MLSIM_FITS(B1,B2,B3,2048,"fp8",4))', "input_title": "Batch"}
    )
    sheet.data_validation(
        "B4", {"validate": "decimal", "criteria": "between", "minimum": 0, "maximum": "=B3/4", "error_type": "warning"}
    )


def conditional_formats(book: Workbook, sheet: Worksheet) -> None:
    red = book.add_format({"bg_color": "#FFC7CE", "font_color": "#9C0006"})
    sheet.conditional_format("B6:B7", {"type": "data_bar", "data_bar_2010": True, "bar_negative_color_same": True})
    sheet.conditional_format("B6:B7", {"type": "icon_set", "icon_style": "3_traffic_lights", "reverse_icons": True})
    sheet.conditional_format("B3:B7", {"type": "3_color_scale"})
    sheet.conditional_format(
        "B6:B16", {"type": "formula", "criteria": "=ISERROR(B6)", "format": red, "stop_if_true": True}
    )
    sheet.conditional_format("B8", {"type": "cell", "criteria": "==", "value": "FALSE", "format": red})
    sheet.conditional_format("B6:B7", {"type": "top", "value": 1, "format": red})


def tables(book: Workbook, sheet: Worksheet) -> None:
    formula = '=MLSIM_DECODE_LATENCY(Runs[[#This Row],[Model]],"H100",Runs[[#This Row],[Batch]],2048,"fp8",4)'
    data = [["Llama-3-70B", 1, STALE, STALE], ["Llama-3-8B", 8, STALE, STALE], ["Llama-3-70B", 16, STALE, STALE]]
    columns: list[dict[str, Any]] = [
        {"header": "Model", "total_string": "Total"}, {"header": "Batch", "total_function": "sum", "total_value": STALE},
        {"header": "Latency", "formula": formula, "total_function": "max", "total_value": STALE},
        {"header": "Per #1", "formula": "=Runs[[#This Row],[Latency]]/Runs[[#This Row],[Batch]]", "total_function": "average", "total_value": STALE},
    ]  # fmt: skip
    sheet.add_table(
        "D2:G6", {"name": "Runs", "columns": columns, "data": data, "total_row": True, "style": "Table Style Light 9"}
    )
    put(sheet, "I2", "=SUM(Runs[Latency])")
    put(sheet, "I3", "=ROWS(Runs[#All])+COLUMNS(Runs[[Model]:[Latency]])")


def table_values() -> dict[str, Any]:
    rows = [("Llama-3-70B", 1.0), ("Llama-3-8B", 8.0), ("Llama-3-70B", 16.0)]
    times = [call("MLSIM_DECODE_LATENCY", [m, "H100", b, 2048.0, "fp8", 4.0]) for m, b in rows]
    shares = [t / b for t, (_, b) in zip(times, rows, strict=True)]
    found = {f"Sheet1!F{i}": t for i, t in enumerate(times, 3)} | {f"Sheet1!G{i}": s for i, s in enumerate(shares, 3)}
    totals = {"Sheet1!E6": 25.0, "Sheet1!F6": max(times), "Sheet1!G6": sum(shares) / 3}
    return due() | found | totals | {"Sheet1!I2": sum(times), "Sheet1!I3": 8.0}


def notes(book: Workbook, sheet: Worksheet) -> None:
    for cell in ("B6", "B8", "D4"):
        sheet.write_comment(
            cell, f"A note at {cell}\nsecond line", {"author": "A. Person", "visible": cell == "B8", "x_scale": 1.5}
        )
    sheet.show_comments()


def names(book: Workbook, sheet: Worksheet) -> None:
    fill(book.add_worksheet("My 'own' data"))
    book.define_name("Latency", "=Sheet1!$B$6")
    book.define_name("Sheet1!Local", "='My ''own'' data'!$B$7")
    book.define_name("Twice", '=2*MLSIM_CONVERT("1 GiB","MiB")')
    put(sheet, "D1", "=Latency*10")
    put(sheet, "D2", "=Local+1")
    put(sheet, "D3", "=Twice")
    put(sheet, "D4", "='My ''own'' data'!B14*2")
    sheet.print_area("A1:D20")
    sheet.repeat_rows(0, 1)
    sheet.autofilter("A1:B5")


def protected(book: Workbook, sheet: Worksheet) -> None:
    sheet.protect("secret", {"format_cells": True, "sort": True, "autofilter": True})
    sheet.unprotect_range("B1:B4", "Inputs")
    form = book.add_format({"hidden": True, "locked": True, "num_format": "0.00"})
    put(sheet, "D6", "=B6*3", form)


def hidden_sheets(book: Workbook, sheet: Worksheet) -> None:
    for title in ("Hidden", "Very hidden"):
        page = book.add_worksheet(title)
        fill(page)
        page.hide() if title == "Hidden" else page.very_hidden()
    sheet.set_row(5, None, None, {"hidden": True})
    sheet.set_column("E:F", None, None, {"hidden": True})
    put(sheet, "E6", "='Very hidden'!B6+Hidden!B7")


def rich_strings(book: Workbook, sheet: Worksheet) -> None:
    bold, red = book.add_format({"bold": True}), book.add_format({"font_color": "red"})
    sheet.write_rich_string("D1", "Llama", bold, "-3", red, "-70B")
    sheet.write_string("D2", "  spaces  and\nlines\ttabs ")
    sheet.write_string("D3", "x" * 32_767)
    sheet.write_string("D4", "_x000D_ control \x01 & <tag> \u2603 \U0001f600")
    put(sheet, "E1", '=MLSIM_WEIGHTS(D1,"int8")')
    put(sheet, "E2", '=D2&"|"')
    put(sheet, "E3", "=LEN(D3)")
    put(sheet, "E4", "=D4")


def layout(book: Workbook, sheet: Worksheet) -> None:
    form = book.add_format({"align": "center", "border": 1, "rotation": 45})
    sheet.merge_range("D1:F2", "merged", form)
    sheet.merge_range("D4:F4", "", form)
    sheet.write_formula("D4", "=B6+B3", form, STALE)
    sheet.write_url("D6", "https://example.org/?a=1&b=2", None, "a link", "tip")
    sheet.write_url("D7", "internal:Sheet1!B6")
    sheet.freeze_panes(4, 1)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.set_margins(0.5, 0.5, 1, 1)
    sheet.fit_to_pages(1, 0)
    sheet.set_h_pagebreaks([10, 20])
    sheet.set_tab_color("#4472C4")
    sheet.set_zoom(85)
    sheet.ignore_errors({"number_stored_as_text": "D1:D9", "eval_error": "B11"})
    for row in range(6, 9):
        sheet.set_row(row, 20, None, {"level": 1})


def properties(book: Workbook, sheet: Worksheet) -> None:
    book.set_properties({"title": "Plan", "author": "A. Person", "keywords": "latency", "comments": "made by hand"})
    book.set_custom_property("Reviewed", True)
    book.set_custom_property("Version", 1.5)
    book.set_calc_mode("manual")


def filtered(book: Workbook, sheet: Worksheet) -> None:
    sheet.write_row("D1", ["chip", "latency"])
    for i, chip in enumerate(("H100", "MI300X", "H200", "B200")):
        sheet.write(i + 1, 3, chip)
        put(sheet, f"E{i + 2}", f'=MLSIM_DECODE_LATENCY("Llama-3-8B",D{i + 2},1)')
    sheet.autofilter("D1:E5")
    sheet.filter_column("D", "x == H100")
    for row in (2, 3, 4):
        sheet.set_row(row, None, None, {"hidden": True})
    put(sheet, "F1", "=SUBTOTAL(109,E2:E5)+0*SUM(E2:E5)")


def _filtered_values() -> dict[str, Any]:
    chips = ("H100", "MI300X", "H200", "B200")
    times = {f"Sheet1!E{i}": call("MLSIM_DECODE_LATENCY", ["Llama-3-8B", chip, 1.0]) for i, chip in enumerate(chips, 2)}
    return due() | times | {"Sheet1!F1": times["Sheet1!E2"]}


def controls(book: Workbook, sheet: Worksheet) -> None:
    sheet.insert_button("D2", {"macro": "Run", "caption": "Run", "width": 80})
    sheet.insert_checkbox("D5", True)
    sheet.write_comment("E1", "beside a button")
    put(sheet, "E5", "=IF(D5,B6,0)")


def macros(book: Workbook, sheet: Worksheet) -> None:
    book.add_vba_project(io.BytesIO(bytes(range(256)) * 9), is_stream=True)
    book.set_vba_name("ThisWorkbook")
    sheet.set_vba_name("Sheet1")


def arrays(book: Workbook, sheet: Worksheet) -> None:
    sheet.write_array_formula("D1:D3", "{=ROW(D1:D3)*B3}", None, STALE)
    sheet.write_array_formula("F1:G2", '{=MLSIM_CONVERT({"1 GB","2 GB";"3 GB","4 GB"},"MB")}', None, STALE)
    sheet.write_array_formula("I1:I1", "{=SUM((B3:B4>1)*B3:B4)}", None, STALE)
    put(sheet, "I2", "=SUM(D1:D3)+SUM(F1:G2)")
    for cell in ("D2", "D3", "G1", "F2", "G2"):
        sheet.write_number(cell, STALE)


def _array_values() -> dict[str, Any]:
    cells = {
        "D1": 4.0,
        "D2": 8.0,
        "D3": 12.0,
        "F1": 1000.0,
        "G1": 2000.0,
        "F2": 3000.0,
        "G2": 4000.0,
        "I1": 4.0,
        "I2": 10024.0,
    }
    return due() | {f"Sheet1!{cell}": value for cell, value in cells.items()}


def dates_1904(book: Workbook, sheet: Worksheet) -> None:
    form = book.add_format({"num_format": "yyyy-mm-dd"})
    sheet.write_number("D1", 44562, form)
    put(sheet, "D2", "=D1+B3", form)
    put(sheet, "D3", "=YEAR(D1)")
    put(sheet, "D4", "=DATE(2026,1,1)-D1")


def _book(
    make: Make, values: dict[str, Any] | None = None, suffix: str = ".xlsx", left: tuple[str, ...] = (), **options: Any
) -> Book:
    return Book(
        make.__name__, lambda: written(make, **options).zip(), due() if values is None else values, suffix, left
    )


def _more(**cells: Any) -> dict[str, Any]:
    return due() | {f"Sheet1!{cell}": value for cell, value in cells.items()}


_B6: float = due()["Sheet1!B6"]
_HIDDEN = due() | due("Hidden") | due("Very hidden")
_STOCK = {
    f"{column}{i + 1}": _B6 * (i + factor) for i in range(5) for column, factor in zip("DEF", (2, 1, 1.5), strict=True)
}

BOOKS = (
    _book(charts),
    _book(combined_chart),
    _book(chart_sheet, due() | due("After")),
    _book(stock_chart, _more(**_STOCK)),
    _book(images),
    _book(header_images),
    _book(pictures_in_cells, _more(E2=_B6 + 1)),
    _book(shapes),
    _book(sparklines),
    _book(validation),
    _book(conditional_formats),
    _book(tables, table_values()),
    _book(notes),
    _book(names, _more(D1=_B6 * 10, D2=_B6 * 2 + 5, D3=2048.0, D4=18.0) | due("My 'own' data")),
    _book(protected, _more(D6=_B6 * 3)),
    _book(hidden_sheets, _HIDDEN | {"Sheet1!E6": _B6 * 3 + 4}),
    _book(rich_strings, _more(E1=call("MLSIM_WEIGHTS", ["Llama-3-70B", "int8"]), E2="  spaces  and\nlines\ttabs |", E3=32767.0,
                              E4="_x000D_ control \x01 & <tag> \u2603 \U0001f600")),
    _book(layout, _more(D4=_B6 + 4)),
    _book(properties),
    _book(filtered, _filtered_values()),
    _book(controls, _more(E5=_B6)),
    _book(macros, suffix=".xlsm"),
    _book(arrays, _array_values()),
    _book(dates_1904, _more(D2=44566.0), left=("Sheet1!D3", "Sheet1!D4"), date_1904=True),
)  # fmt: skip
