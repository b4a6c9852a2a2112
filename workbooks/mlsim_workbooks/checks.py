"""Dimensional checks in native formulas: they work in a workbook whose reader has no add-in.

A hidden ``Units`` sheet holds the symbols, made from :mod:`mlsim.units`, so the facts have one home. A ``Checks`` sheet
takes each input apart (number, unit, dimension) and ends in one sentence that begins with ✗ (wrong), ⚠ (doubtful) or
✓. The cells beside the inputs repeat that sentence, and colours depend on its first character only.

Formulas stay with functions that Excel, LibreOffice 7.4 and the embedded engine share. MATCH ignores case ("gb", "GB"
and "Gb" would be one unit), so a symbol is looked up with FIND, which does not, in one text of all symbols.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from openpyxl import Workbook
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.worksheet import Worksheet

from mlsim.units import parse_unit
from mlsim.units.quantity import Quantity
from mlsim.units.spelling import AMBIGUOUS
from mlsim_workbooks import style

__all__ = ["DUE", "FIRST_ROW", "Field", "add_checks_sheet", "add_units_sheet"]

_PREFIXED = {
    "byte": [f"{p}B" for p in ("k", "M", "G", "T", "P", "Ki", "Mi", "Gi", "Ti")],
    "byte rate": [f"{p}B/s" for p in ("M", "G", "T", "P", "Gi", "Ti")],
    "bit": ["Mb", "Gb", "Tb", "Mbit", "Gbit", "Tbit"],
    "bit rate": ["Mb/s", "Gb/s", "Tb/s", "Gbit/s", "Tbit/s", "Mbps", "Gbps", "Tbps"],
    "count of operations": ["GFLOP", "TFLOP", "PFLOP", "TOP", "TMAC"],
    "rate of operations": ["GFLOP/s", "TFLOP/s", "PFLOP/s", "GFLOPS", "TFLOPS", "PFLOPS", "TOP/s", "TOPS", "POP/s"],
    "price": ["$/GPU-h", "USD/GPU-h", "$/GPU-hour", "$/device-h", "$/GPU/h", "$/h", "$/hr", "$/hour", "USD/h", "$/node-h", "$/GPU-month",
              "$/month", "$", "$/Mtoken", "EUR/GPU-h", "GBP/GPU-h", "EUR/h"],
    "other": ["ms", "s", "us", "h", "GPU-h", "W", "kW", "kWh", "token", "token/s", "GHz", "GPU", "Gparam", "%"],
}  # fmt: skip
_WIDTH = 16  # of a symbol in the text of all symbols
_DOUBTFUL = ("GFLOPs", "TFLOPs", "PFLOPs", "TFlops", "TOPs", "B", "b", "G", "T", "M", "K")

# What each kind of input is due in, and an example to type.
DUE = {
    "bandwidth": ("TB/s", "3.35 TB/s"),
    "memory": ("GiB", "80 GiB"),
    "peak": ("TFLOP/s", "989 TFLOP/s"),
    "integer peak": ("TOP/s", "1979 TOP/s"),
    "link": ("GB/s", "450 GB/s"),
    "price": ("$/GPU-h", "2.50 $/GPU-h"),
}


@dataclass(frozen=True, slots=True)
class Field:
    """One checked input: what it is, where it stands, and the registry's figure in the unit due (None: none)."""

    kind: str
    chip: str
    label: str
    cell: str
    registry: float | None
    registry_text: str
    label_only: bool = False  # memory: the registry has the vendor's label, not what the driver reports
    price_row: int = 0  # memory: the row of the chip's price on the Checks sheet


def _symbols() -> list[str]:
    return list(dict.fromkeys(symbol for group in _PREFIXED.values() for symbol in group))


def _dimension(symbol: str) -> str:
    return parse_unit(symbol).dimension_name.replace("*", "·")


def add_units_sheet(wb: Workbook) -> Worksheet:
    """Add the hidden sheet of unit symbols and of the sentences for wrong dimensions; define its names."""
    ws = wb.create_sheet("Units")
    style.header(ws, 1, 1, ["No.", "Symbol", "Dimension", "Factor to base", "Bits?", "Note"], 20)
    ambiguous = [s for s in _DOUBTFUL if s in AMBIGUOUS]
    units = _symbols()
    bits = set(_PREFIXED["bit"]) | set(_PREFIXED["bit rate"])
    for i, symbol in enumerate(units, 1):
        ws.append([i, symbol, _dimension(symbol), parse_unit(symbol).factor, int(symbol in bits), ""])
    for i, symbol in enumerate(ambiguous, len(units) + 1):
        ws.append([i, symbol, "ambiguous", 1, 0, " or ".join(AMBIGUOUS[symbol])[:240]])
    last = len(units) + len(ambiguous) + 1
    for name, column in (("dimension", "C"), ("factor", "D"), ("bits", "E"), ("note", "F")):  # fmt: skip
        wb.defined_names[f"u_{name}"] = DefinedName(f"u_{name}", attr_text=f"Units!${column}$2:${column}${last}")
    ws["K1"], ws["K2"] = "All symbols", "".join(f"|{s}".ljust(_WIDTH) for s in (*units, *ambiguous)) + "|"
    wb.defined_names["u_all"] = DefinedName("u_all", attr_text="Units!$K$2")
    style.header(ws, 1, 8, ["Came, and is due", "Sentence"], 20)
    sentences = _sentences(units)
    for row, (key, text) in enumerate(sentences.items(), 2):
        ws.cell(row, 8, key)
        ws.cell(row, 9, text)
    for name, column in (("key", "H"), ("sentence", "I")):
        area = f"Units!${column}$2:${column}${len(sentences) + 1}"
        wb.defined_names[f"u_{name}"] = DefinedName(f"u_{name}", attr_text=area)
    style.widths(ws, [6, 14, 34, 16, 8, 60, 4, 60, 90])
    ws.sheet_state = "hidden"
    return ws


def _sentences(units: Sequence[str]) -> dict[str, str]:
    """Return "dimension that came|unit that is due" -> the sentence of :mod:`mlsim.units.messages`."""
    found: dict[str, str] = {}
    for due in dict.fromkeys(unit for unit, _ in DUE.values()):
        for symbol in units:
            key = f"{_dimension(symbol)}|{due}"
            if _dimension(symbol) != _dimension(due) and key not in found:
                came = Quantity(1.0, parse_unit(symbol))
                sentence = came.hint(parse_unit(due)).removeprefix(f"{came} ")
                found[key] = sentence
    return found


# --- the formulas ------------------------------------------------------------------------------------------------


def _text(value: str) -> str:
    """Return a formula's text literal."""
    return '"' + value.replace('"', '""') + '"'


_RATIO = "ABS(N{r}-1)*100"
_MORE = 'IF(N{r}>1,"more","less")'


def _agrees(field: Field, tolerance: float = 0.02) -> str:
    """Return the end of a check: within the tolerance of the registry, or how far from it."""
    known = _text(f"✓ Agrees with the registry: {field.registry_text}.")
    return (
        f'IF(ABS(N{{r}}-1)<={tolerance},{known},"⚠ "&C{{r}}&" is "&FIXED({_RATIO},1)&" % "&{_MORE}&'
        f"{_text(f' than the registry says: {field.registry_text}.')})"
    )


def _double(field: Field, word: str, looks: str, mend: str) -> str:
    """Return the check for a figure about twice the registry's: a sparse peak, both directions of a link."""
    return (
        f'IF(OR(AND(N{{r}}>1.5,N{{r}}<2.6),ISNUMBER(SEARCH("{word}",F{{r}}))),"⚠ "&C{{r}}&" is "&FIXED(N{{r}},2)&" times the '
        f"registry's {field.registry_text}: it looks like {looks}. {mend}, {field.registry_text}, is due.\","
        f"{_agrees(field)})"
    )


def _memory(field: Field) -> str:
    """Return the check of a memory size: GB against GiB, and what the difference costs."""
    really = "has, by the vendor's label," if field.label_only else "really has"
    small = (
        f'"✓ "&C{{r}}&" is "&FIXED(ABS(I{{r}}-M{{r}}),2)&" GiB "&{_MORE}&" than {field.chip} {really} "&FIXED(M{{r}},2)'
        f'&" GiB ("&FIXED({_RATIO},1)&" %)."'
    )
    cost = (
        f'IF(ISNUMBER(I{field.price_row}),", worth "&FIXED(I{field.price_row}*ABS(M{{r}}-I{{r}})/M{{r}},2)&" $ of every GPU-hour","")'
        if field.price_row
        else '""'
    )
    hint = (
        'IF(AND(EXACT(E{r},"GB"),ABS(D{r}/M{r}-1)<0.02)," Write GiB, not GB.",'
        'IF(AND(EXACT(E{r},"GiB"),ABS(D{r}/1.073741824/M{r}-1)<0.02)," Write GB, not GiB.",""))'
    )
    far = (
        f'"⚠ "&C{{r}}&" typed; {field.chip} {really} "&FIXED(M{{r}},2)&" GiB = "&FIXED(M{{r}}*1.073741824,2)&" GB; the '
        f'difference is "&FIXED(ABS(I{{r}}-M{{r}})*1.073741824,1)&" GB = "&FIXED(ABS(I{{r}}-M{{r}}),2)&" GiB ("'
        f'&FIXED(ABS(M{{r}}/I{{r}}-1)*100,1)&" %)"&{cost}&"."&{hint}'
    )
    agrees = _text(f"✓ Agrees with the registry: {field.registry_text}.")
    return f"IF(ABS(N{{r}}-1)<=0.001,{agrees},IF(ABS(N{{r}}-1)<=0.02,{small},{far}))"


def _price(field: Field) -> str:
    """Return the check of a price: any price may be right, but a factor of three is asked about."""
    own = _text(f"✓ Your own price; the registry has {field.registry_text}.")
    same = _text(f"✓ {field.registry_text}.")
    far = (
        f'"⚠ "&FIXED(N{{r}},1)&" times the registry\'s {field.registry_text}. A price per node is 8 times one per GPU; '
        'a spot price may be a third."'
    )
    return f"IF(OR(N{{r}}>3,N{{r}}<1/3),{far},IF(ABS(N{{r}}-1)<=0.005,{same},{own}))"


def _specific(field: Field) -> str:
    """Return the check that runs once unit and dimension are right."""
    if field.registry is None:
        return _text("✓ Unit and dimension are right; the registry has no figure to compare with.")
    if field.kind == "memory":
        return _memory(field)
    if field.kind == "price":
        return _price(field)
    if field.kind in ("peak", "integer peak"):
        return _double(field, "spars", "a 2:4-sparse peak, twice the dense one", "The dense peak")
    if field.kind == "link":
        return _double(field, "bi", "both directions of the link together", "One direction")
    return _agrees(field)


def _message(field: Field) -> str:
    """Return the formula of the check's sentence."""
    due, sample = DUE[field.kind]
    known = f"; the registry's {field.registry_text} is used" if field.registry is not None else ""
    empty = f"⚠ No figure{known}: type one, such as {sample}."
    if field.kind == "price":
        empty = f"⚠ price? None is sourced for {field.chip}: type one, such as {sample}."
    what = _text(empty)
    steps = (
        ('OR(C{r}="–",C{r}="price?")', what),
        ("ISNUMBER(C{r})", f'"✗ "&C{{r}}&" is a bare number and may mean anything: write its unit, such as {sample}."'),
        ("NOT(ISNUMBER(D{r}))", _text(f"✗ Cannot read this: write a number, a space and a unit, such as {sample}.")),
        ("G{r}=0", f'"✗ \'"&E{{r}}&"\' is not a unit MLSIM knows (case matters: GB is bytes, Gb is bits). {due} is due."'),
        ('H{r}="ambiguous"', '"✗ "&E{r}&" is ambiguous: "&INDEX(u_note,G{r})&"."'),
        ("H{r}<>K{r}", f'"✗ "&E{{r}}&" "&IFERROR(INDEX(u_sentence,MATCH(H{{r}}&"|"&J{{r}},u_key,0)),"is not what is due here: {due}.")'),
        ("INDEX(u_bits,G{r})=1", f'"✗ "&E{{r}}&" counts bits, and bytes are due: "&C{{r}}&" is "&FIXED(I{{r}},3)&" {due}."'),
        ("D{r}<=0", _text("✗ Must be above 0.")),
    )  # fmt: skip
    formula = _specific(field)
    for condition, text in reversed(steps):
        formula = f"IF({condition},{text},{formula})"
    return "=" + formula


_COLUMNS = ("Chip", "Figure", "Typed", "Number", "Unit", "Qualifier", "Unit no.", "Dimension", "Value in unit due",
            "Unit due", "Dimension due", "Factor due", "Registry", "Typed / registry", "Check")  # fmt: skip
FIRST_ROW = 7


def add_checks_sheet(ws: Worksheet, fields: Sequence[Field]) -> dict[tuple[str, str], int]:
    """Write the checks; return (chip, kind) -> row. Column O has the sentence, I the value in the unit due."""
    style.title(ws, "A1", "Checks of the inputs", "Each input taken apart: number, unit, dimension, registry figure. Native formulas; no add-in needed.")  # fmt: skip
    last = FIRST_ROW + len(fields) - 1
    area = f"$O${FIRST_ROW}:$O${last}"
    for label, cell, mark in (("A4", "B4", "✗"), ("C4", "D4", "⚠")):
        style.put(ws, label, "Wrong (red)" if mark == "✗" else "Doubtful (amber)")
        style.body(ws, cell, f'=COUNTIF({area},"{mark}*")', "0", "center")
    style.header(ws, FIRST_ROW - 1, 1, _COLUMNS, 34)
    rows = {(field.chip, field.kind): FIRST_ROW + i for i, field in enumerate(fields)}
    for r, field in zip(rows.values(), fields, strict=True):
        _write(ws, r, field)
    style.flag_cells(ws, f"O{FIRST_ROW}:O{last}", f"$O{FIRST_ROW}")
    style.flag_cells(ws, f"C{FIRST_ROW}:C{last}", f"$O{FIRST_ROW}", ok=False)
    style.widths(ws, [17, 19, 17, 10, 10, 12, 8, 26, 12, 10, 26, 12, 12, 10, 100])
    style.page(ws, f"D{FIRST_ROW}", tab="8E5EA2")
    return rows


def _write(ws: Worksheet, r: int, field: Field) -> None:
    """Write one check."""
    due, _ = DUE[field.kind]
    rest = f'MID(TRIM(C{r}),FIND(" ",TRIM(C{r}))+1,99)'
    cells = (
        (field.chip, None), (field.label, None),
        (f'=IF({field.cell}="","–",{field.cell})', None),
        (f'=IFERROR(_xlfn.NUMBERVALUE(LEFT(TRIM(C{r}),FIND(" ",TRIM(C{r}))-1),".",","),"–")', "0.######"),
        (f'=IFERROR(LEFT({rest},FIND(" ",{rest}&" ")-1),"–")', None),
        (f'=IFERROR(IF(LEN({rest})>LEN(E{r}),MID({rest},LEN(E{r})+2,99),"–"),"–")', None),
        (f'=IF(E{r}="–",0,IFERROR((FIND("|"&E{r}&" ",u_all)-1)/{_WIDTH}+1,0))', "0"),
        (f'=IF(G{r}=0,"–",INDEX(u_dimension,G{r}))', None),
        (f'=IF(ISNUMBER(D{r}),IF(AND(H{r}=K{r},D{r}>0),D{r}*INDEX(u_factor,G{r})/L{r},"–"),"–")', "0.####"),
        (due, None), (_dimension(due), None), (parse_unit(due).factor, "0.####E+00"),
        (field.registry if field.registry is not None else "", "0.####"),
        (f'=IF(AND(ISNUMBER(I{r}),ISNUMBER(M{r})),I{r}/M{r},"–")', "0.000"),
        (_message(field).replace("{r}", str(r)), None),
    )  # fmt: skip
    for column, (value, fmt) in enumerate(cells, 1):
        style.body(
            ws,
            ws.cell(r, column).coordinate,
            value,
            fmt,
            "center" if 2 < column < len(cells) else "",
            column == len(cells),
        )
    ws.row_dimensions[r].height = 28
