"""Held-out workbooks of people who plan money, power and service: budgets, bills, quotes, chargeback, footprints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

from openpyxl import Workbook
from openpyxl.formula.translate import Translator
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter, range_boundaries
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.table import Table, TableStyleInfo

from .book import Book, Seed

__all__ = ["BOOKS"]


def _book(*names: str) -> tuple[Any, ...]:
    """Return a new workbook and its sheets of the given names."""
    wb = Workbook()
    wb.active.title = names[0]
    return (wb, wb.active, *(wb.create_sheet(name) for name in names[1:]))


def _fill(ws: Any, start: str, rows: Sequence[Sequence[Any]]) -> None:
    """Write rows from a cell on; a pair is a value and its number format, None leaves a cell empty."""
    col, row, *_ = range_boundaries(start)
    for i, line in enumerate(rows):
        for j, value in enumerate(line):
            if value is None:
                continue
            cell = ws.cell(row + i, col + j)
            if isinstance(value, tuple):
                value, cell.number_format = value
            cell.value = value


def _spread(ws: Any, area: str, formula: str, fmt: str | None = None) -> None:
    """Fill a formula over an area as dragging it would."""
    c1, r1, c2, r2 = range_boundaries(area)
    origin = f"{get_column_letter(c1)}{r1}"
    for row in range(r1, r2 + 1):
        for col in range(c1, c2 + 1):
            cell = ws.cell(row, col)
            cell.value = Translator(formula, origin).translate_formula(cell.coordinate)
            if fmt:
                cell.number_format = fmt


def _format(ws: Any, fmt: str, *areas: str) -> None:
    for area in areas:
        c1, r1, c2, r2 = range_boundaries(area)
        for row in range(r1, r2 + 1):
            for col in range(c1, c2 + 1):
                ws.cell(row, col).number_format = fmt


def _table(ws: Any, name: str, ref: str) -> None:
    table = Table(displayName=name, ref=ref)
    table.tableStyleInfo = TableStyleInfo(name="TableStyleMedium2", showRowStripes=True)
    ws.add_table(table)


def _names(wb: Any, **names: str) -> None:
    for name, target in names.items():
        wb.defined_names[name] = DefinedName(name, attr_text=target)


def _on(sheet: str) -> Callable[..., Seed]:
    """Return a maker of seeds whose cells are of this sheet unless they say otherwise."""

    def full(cell: str) -> str:
        return cell if "!" in cell else f"{sheet}!{cell}"

    def seed(rule: str, cell: str | None, new: Any, *at: str, fmt: dict[str, str] | None = None) -> Seed:
        edits = {} if cell is None else {full(cell): new}
        return Seed(rule, edits, tuple(map(full, at)), {full(key): value for key, value in (fmt or {}).items()})

    return seed


# 1. A CFO's analyst: an input sheet with a unit column and a sheet of twelve months.


def _cfo_budget() -> Workbook:
    wb, i, m = _book("Inputs", "Monthly")
    _fill(
        i,
        "A1",
        [
            ["GPU budget FY2026 - inputs"],
            [],
            ["Item", "Value", "Unit", "Source"],
            ["GPUs contracted by year end", 64, "GPUs", "Quote 4711"],
            ["GPUs per node", 8, "GPUs/node", "HGX baseboard"],
            ["Lease rate", (2.35, "0.00"), "$/GPU-h", "Quote 4711"],
            ["Hours per month", 730, "h/month", "8760 / 12"],
            ["Billed share of the month", (0.95, "0%"), "%", "5 % maintenance is not billed"],
            ["Board power, H100 SXM", 700, "W/GPU", "Data sheet"],
            ["Server power beyond the GPUs", 3.2, "kW/node", "CPU, fans, NICs"],
            ["PUE", 1.3, "-", "Colocation contract"],
            ["Electricity price", (0.12, "0.000"), "$/kWh", "Colocation contract"],
            ["Support contract", (18000, "#,##0"), "$/node per year", "Quote 4712"],
            ["Exchange rate", (0.92, "0.00"), "EUR/USD", "ECB, 2 January 2026"],
            ["Operations team", (24000, "#,##0"), "EUR/month", "HR"],
        ],
    )
    _fill(m, "A1", [["Monthly view"], [], ["Line", "Unit"]])
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    _fill(m, "C3", [[*months, "FY 2026"], [], [16, 16, 16, 32, 32, 32, 48, 48, 48, 64, 64, 64]])
    lines = [
        ("Nodes in service", "nodes", "=ROUNDUP(C5/Inputs!$B$5,0)", "0"),
        ("GPUs in service", "GPUs", None, "0"),
        ("GPU-hours billed", "GPU-h", "=C5*Inputs!$B$7*Inputs!$B$8", "#,##0"),
        ("Lease", "$", "=C6*Inputs!$B$6", "#,##0"),
        ("IT power", "kW", "=C5*Inputs!$B$9/1000+C4*Inputs!$B$10", "#,##0.0"),
        ("Facility energy", "kWh", "=C8*Inputs!$B$11*Inputs!$B$7", "#,##0"),
        ("Electricity", "$", "=C9*Inputs!$B$12", "#,##0"),
        ("Support", "$", "=C4*Inputs!$B$13/12", "#,##0"),
        ("Operations team", "EUR", "=Inputs!$B$15", "#,##0"),
        ("Operations team", "$", "=C12/Inputs!$B$14", "#,##0"),
        ("Total", "$", "=C7+C10+C11+C13", "#,##0"),
        ("Total", "EUR", "=C14*Inputs!$B$14", "#,##0"),
        ("Share of electricity", "%", "=C10/C14", "0.0%"),
    ]
    for row, (label, unit, formula, fmt) in enumerate(lines, 4):
        _fill(m, f"A{row}", [[label, unit]])
        if formula:
            _spread(m, f"C{row}:N{row}", formula, fmt)
        if row in (6, 7, 9, 10, 11, 12, 13, 14, 15):
            m[f"O{row}"] = f"=SUM(C{row}:N{row})"
            m[f"O{row}"].number_format = fmt
    m["O8"] = "=MAX(C8:N8)"
    m["O16"] = "=O10/O14"
    m["O16"].number_format = "0.0%"
    return wb


_i, _m = _on("Inputs"), _on("Monthly")
CFO_BUDGET = Book(
    "cfo_budget",
    _cfo_budget,
    (
        _m("currency", "E13", "=E12", "E14", "O13"),
        _m("currency", "F14", "=F7+F10+F11+F12"),
        _m("mixed-sum", "O7", "=SUM(C6:N7)"),
        _m("percent-sum", "O16", "=SUM(C16:N16)"),
        _m("facility-energy", "G9", "=G8*Inputs!$B$7", "G10"),
        _m("facility-energy", "G10", "=G9*Inputs!$B$11*Inputs!$B$12"),
        _m("power-energy", "H10", "=H8*Inputs!$B$11*Inputs!$B$12"),
        _m("device-scope", "F11", "=F5*Inputs!$B$13/12"),
        _m("calendar", "I11", "=I4*Inputs!$B$13", "O11"),
        _m("device-hours", "J7", "=Inputs!$B$7*Inputs!$B$8*Inputs!$B$6", "Inputs!B6"),
        _m("money-rate", "K14", "=K7+K10+K11+K13+Inputs!$B$6"),
        _m("bare-number", "L14", "=L7+L10+L11+L13+5000"),
        _i("percent", "B8", 95, "Monthly!C6", fmt={"B8": "General"}),
        _i("registry", "B9", 350, "Monthly!C8"),
        _m("unit-contradiction", None, None, fmt={"D9": '#,##0" kW"'}),
        _i("calendar", "C15", "EUR/year", "Monthly!C12"),
    ),
)


# 2. The IT lead of a German company: unit column before the values, German wording.


def _mittelstand() -> Workbook:
    wb, a, k, p = _book("Annahmen", "Kosten", "Mehrjahresplan")
    _fill(
        a,
        "A1",
        [
            ["KI-Server im Haus: Annahmen"],
            [],
            ["Bezeichnung", "Einheit", "Wert", "Bemerkung"],
            ["Anzahl Server", "Stück", 3],
            ["GPUs je Server", "Stück", 4],
            ["GPU-Typ", None, "NVIDIA L4"],
            ["Speicher je GPU (L4)", "GB", 24, "Datenblatt"],
            ["Speicherbandbreite je GPU (L4)", "GB/s", 300, "Datenblatt"],
            ["Leistungsaufnahme je GPU (L4)", "W", 72, "Datenblatt"],
            ["Grundlast je Server", "W", 450, "gemessen"],
            ["PUE Serverraum", None, 1.5, "geschätzt"],
            ["Strompreis", "€/kWh", (0.27, "0.00"), "Vertrag Stadtwerke"],
            ["Kaufpreis je Server", "€", (21500, "#,##0.00"), "Angebot"],
            ["Wartung je Server", "€/Jahr", (1200, "#,##0.00"), "Angebot"],
            ["Nutzungsdauer", "Jahre", 4, "AfA"],
            ["Wechselkurs", "€/$", (0.92, "0.00"), "Stand 02.01.2026"],
            ["Lizenz je GPU", "$/Jahr", (950, "#,##0.00"), "Preisliste"],
            ["Strommix", "g CO2/kWh", 363, "Umweltbundesamt"],
            ["Betriebsstunden", "h/Jahr", (8760, "#,##0")],
            ["Mittlere Last", "%", (0.55, "0%"), "Anteil der Spitzenleistung"],
            ["Mitarbeiter mit Zugang", "Personen", 240],
            ["Anfragen je Mitarbeiter und Tag", "Anfragen/Tag", 12],
            ["Antwortlänge", "Token", 350],
            ["Arbeitstage", "Tage/Monat", 21],
            ["Parameter Llama-3-8B", "Mrd.", 8.03],
            ["Bytes je Parameter (bf16)", "Byte", 2],
        ],
    )
    lines = [
        ("IT-Leistung", "=(A!C4*A!C5*A!C9+A!C4*A!C10)/1000", "kW", "0.00"),
        ("IT-Energie je Jahr", "=B4*A!C19*A!C20", "kWh", "#,##0"),
        ("Gesamtenergie je Jahr inkl. Kühlung", "=B5*A!C11", "kWh", "#,##0"),
        ("Stromkosten je Jahr", "=B6*A!C12", "€", "#,##0.00"),
        ("Abschreibung je Jahr", "=A!C4*A!C13/A!C15", "€", "#,##0.00"),
        ("Wartung je Jahr", "=A!C4*A!C14", "€", "#,##0.00"),
        ("Lizenzen je Jahr", "=A!C4*A!C5*A!C17*A!C16", "€", "#,##0.00"),
        ("Summe je Jahr", "=SUM(B7:B10)", "€", "#,##0.00"),
        ("Kosten je Monat", "=B11/12", "€", "#,##0.00"),
        ("Kosten je Mitarbeiter und Monat", "=B12/A!C21", "€", "#,##0.00"),
        ("CO2 je Jahr", "=B6*A!C18/1000000", "t CO2", "0.00"),
        ("CO2 je Mitarbeiter und Jahr", "=B14*1000/A!C21", "kg CO2", "0.0"),
        ("Anfragen je Monat, alle Mitarbeiter", "=A!C21*A!C22*A!C24", "Anfragen", "#,##0"),
        ("Antwort-Token je Monat, alle Mitarbeiter", "=B16*A!C23", "Token", "#,##0"),
        ("Kosten je Million Antwort-Token", "=B12/B17*1000000", "€", "#,##0.00"),
        ("Anteil der Stromkosten", "=B7/B11", "%", "0.0%"),
        ("GPU-Speicher gesamt", "=A!C4*A!C5*A!C7", "GB", "0"),
        ("GPU-Speicher gesamt", "=B20/1.073741824", "GiB", "0.0"),
        ("Gewichte Llama-3-8B", "=A!C25*A!C26", "GB", "0.0"),
        ("Frei für KV-Cache je GPU", "=A!C7-B22", "GB", "0.0"),
        ("Zeit je Token, Untergrenze", "=B22/A!C8*1000", "ms", "0.0"),
        ("Token je Sekunde und Strom, Obergrenze", "=1000/B24", "Token/s", "0.0"),
    ]
    _fill(k, "A1", [["Kostenrechnung"], [], ["Position", "Wert", "Einheit"]])
    for row, (label, formula, unit, fmt) in enumerate(lines, 4):
        _fill(k, f"A{row}", [[label, (formula.replace("A!", "Annahmen!"), fmt), unit]])
    _fill(
        p,
        "A1",
        [
            ["Stromkosten über die Nutzungsdauer (Preissteigerung 3 % je Jahr)"],
            [],
            ["Jahr", 2026, 2027, 2028, 2029, "Summe"],
            ["Strompreis in €/kWh", "=Annahmen!$C$12"],
            ["Gesamtenergie in kWh"],
            ["Stromkosten in €"],
            ["Abschreibung in €"],
            ["Gesamt in €"],
            [],
            ["Preissteigerung je Jahr", (0.03, "0.0%")],
        ],
    )
    _spread(p, "C4:E4", "=B4*(1+$B$10)", "0.000")
    _spread(p, "B5:E5", "=Kosten!$B$6", "#,##0")
    _spread(p, "B6:E6", "=B4*B5", "#,##0.00")
    _spread(p, "B7:E7", "=Kosten!$B$8", "#,##0.00")
    _spread(p, "B8:E8", "=B6+B7", "#,##0.00")
    _spread(p, "F5:F8", "=SUM(B5:E5)", "#,##0.00")
    return wb


_a, _k, _p = _on("Annahmen"), _on("Kosten"), _on("Mehrjahresplan")
MITTELSTAND = Book(
    "mittelstand",
    _mittelstand,
    (
        _k("currency", "B10", "=Annahmen!C4*Annahmen!C5*Annahmen!C17", "B11"),
        _a("currency", "B17", "€/Jahr", "Kosten!B10"),
        _k("facility-energy", "B6", "=B5", "B7"),
        _k("facility-energy", "B7", "=B6*Annahmen!C11*Annahmen!C12"),
        _k("power-energy", "B5", "=B4*Annahmen!C20", "B6"),
        _k("carbon-scale", "B14", "=B6*Annahmen!C18/1000", "B15"),
        _k("carbon-scale", "B15", "=B14/Annahmen!C21"),
        _k("binary-prefix", "B21", "=B20"),
        _k("device-scope", "B10", "=Annahmen!C4*Annahmen!C17*Annahmen!C16"),
        _k("user-total", "B13", "=B12"),
        _k("time-scale", "B24", "=B22/Annahmen!C8", "B25"),
        _k("time-scale", "B25", "=1/B24"),
        _k("params-bytes", "B23", "=Annahmen!C7-Annahmen!C25"),
        _k("mixed-sum", "B11", "=SUM(B6:B10)"),
        _p("mixed-sum", "B8", "=SUM(B5:B7)", "F8"),
        _k("calendar", "B12", "=B11", "B13", "B18"),
        _a("registry", "C8", 600, "Kosten!B24"),
        _k("unit-contradiction", None, None, "C5", fmt={"B5": '#,##0" MWh"'}),
        _a("percent", "C20", 55, "Kosten!B5", fmt={"C20": "0"}),
        _p("bare-number", "D8", "=D6+D7+1500", "F8"),
    ),
)


# 3. A cloud reseller: Excel tables with structured references, bought in dollars and sold in euro.


def _reseller() -> Workbook:
    wb, c, q, s = _book("Catalogue", "Quotes", "Summary")
    _fill(
        c,
        "A1",
        [
            ["SKU", "GPU", "GPUs per node", "Buy $/GPU-h", "Memory per GPU (GB)", "Memory per node (GB)", "Node $/h"],
            ["n-h100-8", "H100 SXM", 8, 2.10, 80],
            ["n-h200-8", "H200", 8, 2.65, 141],
            ["n-mi300x-8", "MI300X", 8, 1.95, 192],
            ["n-l4-4", "L4", 4, 0.42, 24],
            ["n-a100-8", "A100 80GB SXM", 8, 1.25, 80],
        ],
    )
    for row in range(2, 7):
        c[f"F{row}"] = "=tblSku[[#This Row],[GPUs per node]]*tblSku[[#This Row],[Memory per GPU (GB)]]"
        c[f"G{row}"] = "=tblSku[[#This Row],[GPUs per node]]*tblSku[[#This Row],[Buy $/GPU-h]]"
        c[f"G{row}"].number_format = c[f"D{row}"].number_format = "0.00"
    _table(c, "tblSku", "A1:G6")
    _fill(c, "A9", [["EUR per USD", (0.92, "0.0000"), "ECB reference rate, 2 January 2026"]])
    _fill(c, "A10", [["Hours per month", 730], ["VAT", (0.19, "0%")]])
    _names(wb, EurPerUsd="Catalogue!$B$9", HoursPerMonth="Catalogue!$B$10")
    heads = ["Quote", "Customer", "SKU", "Nodes", "Months", "GPUs", "GPU-h", "Buy price $/GPU-h"]
    heads += ["Cost $", "Cost €", "Mark-up", "Sell €", "Sell €/GPU-h", "Gross €", "Sell €/month"]
    _fill(q, "A1", [heads])
    quotes = [
        ("Nordwind", "n-h100-8", 2, 12, 0.22), ("Aix Labs", "n-l4-4", 1, 6, 0.35), ("Hexa", "n-mi300x-8", 4, 12, 0.18),
        ("Prisma", "n-h200-8", 1, 3, 0.25), ("Ostwind", "n-a100-8", 3, 24, 0.2), ("Klar GmbH", "n-h100-8", 8, 12, 0.15),
        ("Delta", "n-l4-4", 2, 12, 0.3), ("Moss", "n-h200-8", 2, 6, 0.22), ("Tern", "n-mi300x-8", 1, 1, 0.3),
        ("Vela", "n-h100-8", 1, 2, 0.28),
    ]  # fmt: skip
    for row, (customer, sku, nodes, months, markup) in enumerate(quotes, 2):
        t = "tblQuote[[#This Row],[{}]]".format
        _fill(
            q,
            f"A{row}",
            [
                [
                    f"Q-{row + 99}",
                    customer,
                    sku,
                    nodes,
                    months,
                    f"={t('Nodes')}*VLOOKUP({t('SKU')},Catalogue!$A$2:$G$6,3,FALSE)",
                    (f"={t('GPUs')}*{t('Months')}*HoursPerMonth", "#,##0"),
                    (f"=VLOOKUP({t('SKU')},Catalogue!$A$2:$G$6,4,FALSE)", "0.00"),
                    (f"={t('GPU-h')}*{t('Buy price $/GPU-h')}", "#,##0"),
                    (f"={t('Cost $')}*EurPerUsd", "#,##0"),
                    (markup, "0%"),
                    (f"={t('Cost €')}*(1+{t('Mark-up')})", "#,##0"),
                    (f"={t('Sell €')}/{t('GPU-h')}", "0.00"),
                    (f"={t('Sell €')}*(1+Catalogue!$B$11)", "#,##0"),
                    (f"={t('Sell €')}/{t('Months')}", "#,##0"),
                ]
            ],
        )
    _table(q, "tblQuote", "A1:O11")
    _fill(
        s,
        "B2",
        [
            ["Quarter in a nutshell"],
            ["Revenue net (€)", ("=SUM(tblQuote[Sell €])", "#,##0")],
            ["Cost (€)", ("=SUM(tblQuote[Cost €])", "#,##0")],
            ["Gross profit (€)", ("=C3-C4", "#,##0")],
            ["Gross margin (%)", ("=C5/C3", "0.0%")],
            ["GPU-hours sold (GPU-h)", ("=SUM(tblQuote[GPU-h])", "#,##0")],
            ["Average selling price (€/GPU-h)", ("=C3/C7", "0.00")],
            ["GPUs under contract", ("=SUM(tblQuote[GPUs])", "0")],
            ["Memory of the largest node (GB)", ("=MAX(tblSku[Memory per node (GB)])", "#,##0")],
            ["Memory of the largest node (GiB)", ("=C10*1E9/1024^3", "#,##0")],
        ],
    )
    return wb


_c, _q, _s = _on("Catalogue"), _on("Quotes"), _on("Summary")
_t = "tblQuote[[#This Row],[{}]]".format
RESELLER = Book(
    "reseller",
    _reseller,
    (
        _q("currency", "J5", f"={_t('Cost $')}", "L5"),
        _q("currency", "L7", f"={_t('Cost $')}*(1+{_t('Mark-up')})", "M7", "N7"),
        _s("currency", "C4", "=SUM(tblQuote[Cost $])", "C5"),
        _q("device-hours", "G3", f"={_t('Months')}*HoursPerMonth", "I3", "M3"),
        _q("device-scope", "H4", f"=VLOOKUP({_t('SKU')},Catalogue!$A$2:$G$6,7,FALSE)", "I4"),
        _q("calendar", "G8", f"={_t('GPUs')}*{_t('Months')}", "I8"),
        _q("calendar", "O6", f"={_t('Sell €')}", "E6"),
        _c("registry", "E3", 80, "F3"),
        _c("registry", "E4", 128, "F4"),
        _s("binary-prefix", "C11", "=C10"),
        _s("binary-prefix", "B10", "Memory of the largest node (GiB)", "C10", "C11", "B11"),
        _s("money-rate", "C3", "=SUM(tblQuote[Sell €/GPU-h])", "C5", "C6"),
        _s("money-rate", "C5", "=C3-C8"),
        _q("percent", "K9", 20, "L9", fmt={"K9": "General"}),
        _s("mixed-sum", "C7", "=SUM(tblQuote[[GPUs]:[GPU-h]])", "C8"),
        _q("unit-contradiction", None, None, "I1", fmt={"I6": "#,##0 [$€-407]"}),
        _s("unit-contradiction", None, None, "B11", fmt={"C11": '#,##0" GB"'}),
    ),
)


# 4. A founder: long questions, three scenario columns.


def _founder() -> Workbook:
    wb, w = _book("Unit economics")
    rows: list[tuple[str, Any, str]] = [
        ("How many paying users do we have?", (4200, 25000, 180000), "#,##0"),
        ("How many chats does one user start per day?", (6, 7, 8), "0"),
        ("How many tokens does one chat send to the model?", (1800, 2200, 2600), "#,##0"),
        ("How many tokens does the model answer per chat?", (420, 450, 500), "#,##0"),
        ("How many days does a month have?", (30.4, 30.4, 30.4), "0.0"),
        ("What does the API charge per million input tokens? ($)", (0.6, 0.55, 0.5), "0.00"),
        ("What does the API charge per million output tokens? ($)", (2.4, 2.2, 2.0), "0.00"),
        ("What does one user pay us per month? ($)", (19, 19, 17), "0.00"),
        ("How many input tokens does one user send per month?", "=B5*B6*B8", "#,##0"),
        ("How many output tokens does one user receive per month?", "=B5*B7*B8", "#,##0"),
        ("What do one user's input tokens cost us per month? ($)", "=B12/1000000*B9", "0.000"),
        ("What do one user's output tokens cost us per month? ($)", "=B13/1000000*B10", "0.000"),
        ("What does one user cost us per month? ($)", "=B14+B15", "0.000"),
        ("What do all users together cost us per month? ($)", "=B16*B4", "#,##0"),
        ("What do all users together pay us per month? ($)", "=B11*B4", "#,##0"),
        ("What is our gross margin? (%)", "=(B18-B17)/B18", "0.0%"),
        ("What do all users together cost us per year? ($)", "=B17*12", "#,##0"),
        ("What share of the users is active in the peak hour? (%)", (0.04, 0.05, 0.05), "0%"),
        ("How many users are active in the peak hour?", "=B4*B21", "#,##0"),
        ("How many tokens per second must one active user see?", (15, 15, 20), "0"),
        ("How many tokens per second do all active users need?", "=B22*B23", "#,##0"),
        ("How many tokens per second does one H100 generate with our model?", (2400, 2400, 2600), "#,##0"),
        ("How many H100s would we have to rent?", "=ROUNDUP(B24/B25,0)", "0"),
        ("What does one H100 cost per hour? ($/GPU-h)", (2.2, 2.0, 1.8), "0.00"),
        ("How many hours does a month have?", (730, 730, 730), "0"),
        ("What would renting cost us per month? ($)", "=B26*B27*B28", "#,##0"),
        ("What would a million tokens of our own cost at full load? ($)", "=B27/(B25*3600)*1000000", "0.00"),
        ("How long does a user wait for a whole answer? (s)", "=B7/B23", "0.0"),
        ("What should we do?", '=IF(B29<B17,"rent GPUs","stay with the API")', "General"),
        ("What does the API quote say per 1,000 output tokens? ($)", "=B10/1000", "0.00000"),
    ]
    _fill(w, "A1", [["Does the assistant make money?"], [], [None, "Today", "Series A", "Dream"]])
    w["A1"].font = Font(bold=True, size=14)
    for row, (question, content, fmt) in enumerate(rows, 4):
        w[f"A{row}"] = question
        if isinstance(content, str):
            _spread(w, f"B{row}:D{row}", content, fmt)
        else:
            _fill(w, f"B{row}", [[(value, fmt) for value in content]])
    return wb


_u = _on("Unit economics")
FOUNDER = Book(
    "founder",
    _founder,
    (
        _u("token-direction", "C14", "=C12/1000000*C10"),
        _u("token-direction", "B15", "=B12/1000000*B10"),
        _u("token-direction", "D15", "=D13/1000000*D9"),
        _u("token-direction", "D13", "=D5*D6*D8", "D15"),
        _u("token-price-scale", "C14", "=C12/1000*C9", "C16"),
        _u("token-price-scale", "D33", "=D10"),
        _u("token-price-scale", "A10", "What does the API charge per thousand output tokens? ($)", "B15", "B33"),
        _u("user-total", "B17", "=B16", "B19"),
        _u("user-total", "C24", "=C23", "C26"),
        _u("user-total", "B19", "=(B18-B16)/B18"),
        _u("calendar", "C20", "=C17"),
        _u("calendar", "D12", "=D5*D6", "D14"),
        _u("money-rate", "B29", "=B26*B27", "B28"),
        _u("money-rate", "C29", "=C26*C27*C28+C27"),
        _u("token-rate", "D26", "=ROUNDUP(D13/D25,0)", "D29"),
        _u("token-rate", "B31", "=B7*B23"),
        _u("percent", "B21", 4, "B22", fmt={"B21": "0"}),
        _u("calendar", "D30", "=D27/D25*1000000"),
        _u("unit-contradiction", None, None, "A31", fmt={"C31": '0.0" ms"'}),
    ),
)


# 5. A sustainability officer: sites with a row of units, services, embodied carbon.


def _footprint() -> Workbook:
    wb, e, v, b = _book("Sites", "Services", "Embodied")
    heads = ["Site", "IT load", "Hours", "IT energy", "PUE", "Facility energy", "Grid intensity", "Emissions"]
    heads += ["Renewable share", "Residual emissions", "WUE", "Water", "Energy price", "Energy cost"]
    units = [None, "kW", "h/year", "MWh/year", "-", "MWh/year", "g CO2e/kWh", "t CO2e/year", "%", "t CO2e/year"]
    units += ["L/kWh", "m³/year", "€/MWh", "€/year"]
    _fill(e, "A2", [["Scope 2 by site, 2025"], [], heads, units])
    sites = [
        ("Dublin", 820, 1.22, 290, 0.6, 0.4, 142), ("Frankfurt", 1250, 1.31, 363, 0.55, 0.9, 151),
        ("Stockholm", 640, 1.12, 22, 0.97, 0.2, 61), ("Paris", 910, 1.24, 53, 0.8, 0.5, 98),
        ("Warsaw", 300, 1.38, 640, 0.25, 1.1, 128), ("Ashburn", 2100, 1.25, 370, 0.5, 0.7, 72),
        ("Phoenix", 1500, 1.2, 390, 0.45, 1.8, 78), ("Singapore", 700, 1.45, 470, 0.1, 1.6, 165),
        ("Tokyo", 560, 1.36, 460, 0.2, 1.0, 172), ("Montreal", 480, 1.15, 6, 0.99, 0.3, 44),
    ]  # fmt: skip
    for row, (site, load, pue, grid, share, wue, price) in enumerate(sites, 6):
        _fill(e, f"A{row}", [[site, load, 8760, None, pue, None, grid, None, (share, "0%"), None, wue, None, price]])
    _spread(e, "D6:D15", "=B6*C6/1000", "#,##0")
    _spread(e, "F6:F15", "=D6*E6", "#,##0")
    _spread(e, "H6:H15", "=F6*1000*G6/1000000", "#,##0.0")
    _spread(e, "J6:J15", "=H6*(1-I6)", "#,##0.0")
    _spread(e, "L6:L15", "=D6*1000*K6/1000", "#,##0")
    _spread(e, "N6:N15", "=F6*M6", "#,##0")
    e["A16"] = "All sites"
    for col in "BDFHJLN":
        e[f"{col}16"] = f"=SUM({col}6:{col}15)"
        e[f"{col}16"].number_format = "#,##0"
    _fill(e, "E16", [[("=F16/D16", "0.00")]])
    _fill(e, "I16", [[("=SUMPRODUCT(F6:F15,I6:I15)/F16", "0%")]])
    _fill(v, "A1", [["Service", "Site", "Requests per month", "IT energy per request (Wh)", "IT energy (kWh/month)"]])
    _fill(v, "F1", [["PUE", "Facility energy (kWh/month)", "Grid (g/kWh)", "CO2e (kg/month)", "CO2e per request (g)"]])
    services = [
        ("Search", "Dublin", 48e6, 0.04), ("Chat", "Frankfurt", 22e6, 0.3), ("Code", "Ashburn", 9e6, 0.9),
        ("Images", "Phoenix", 3e6, 2.9), ("Speech", "Paris", 14e6, 0.15), ("Translate", "Tokyo", 31e6, 0.05),
    ]  # fmt: skip
    for row, (name, site, requests, energy) in enumerate(services, 2):
        _fill(v, f"A{row}", [[name, site, (requests, "#,##0"), energy]])
    _spread(v, "E2:E7", "=C2*D2/1000", "#,##0")
    _spread(v, "F2:F7", "=INDEX(Sites!$E$6:$E$15,MATCH($B2,Sites!$A$6:$A$15,0))", "0.00")
    _spread(v, "G2:G7", "=E2*F2", "#,##0")
    _spread(v, "H2:H7", "=INDEX(Sites!$G$6:$G$15,MATCH($B2,Sites!$A$6:$A$15,0))", "0")
    _spread(v, "I2:I7", "=G2*H2/1000", "#,##0")
    _spread(v, "J2:J7", "=I2*1000/C2", "0.000")
    _fill(
        b,
        "A1",
        [
            ["Embodied carbon of the fleet"],
            ["Server", "Count", "kg CO2e per server", "Lifetime (years)", "t CO2e in all", "t CO2e per year"],
            ["8x H100 node", 210, 2900, 5],
            ["8x A100 node", 160, 2600, 6],
            ["CPU node", 900, 1300, 6],
            ["Storage node", 240, 1900, 7],
            ["Total"],
        ],
    )
    _spread(b, "E3:E6", "=B3*C3/1000", "#,##0")
    _spread(b, "F3:F6", "=E3/D3", "#,##0")
    _spread(b, "E7:F7", "=SUM(E3:E6)", "#,##0")
    return wb


_e, _v, _b = _on("Sites"), _on("Services"), _on("Embodied")
FOOTPRINT = Book(
    "footprint",
    _footprint,
    (
        _e("carbon-scale", "H7", "=F7*1000*G7/1000"),
        _e("carbon-scale", "H12", "=F12*G12"),
        _e("carbon-scale", "G5", "kg CO2e/kWh", "H6"),
        _v("carbon-scale", "I3", "=G3*H3"),
        _b("carbon-scale", "E4", "=B4*C4", "F4"),
        _v("carbon-scale", "J1", "CO2e per request (kg)", "J2"),
        _b("carbon-scale", "C2", "t CO2e per server", "E3", "C3"),
        _e("facility-energy", "F8", "=D8"),
        _v("facility-energy", "G5", "=E5"),
        _e("facility-energy", "N9", "=F9*E9*M9"),
        _v("facility-energy", "I6", "=G6*F6*H6/1000"),
        _e("power-energy", "F10", "=B10*E10"),
        _e("power-energy", "N11", "=B11*E11/1000*M11"),
        _e("power-energy", "D5", "MW", "D6", "F6"),
        _e("percent-sum", "I16", "=SUM(I6:I15)"),
        _e("percent", "I13", 10, "J13", fmt={"I13": "0"}),
        _e("mixed-sum", "F16", "=SUM(D6:F15)", "E16"),
        _e("mixed-sum", "H16", "=SUM(G6:H15)"),
        _v("unit-contradiction", None, None, "E1", fmt={"E4": '#,##0" kW"'}),
    ),
)


# 6. A hyperscale planner: scenarios side by side, labels and units in front.


def _hyperscale() -> Workbook:
    wb, h = _book("Campus plan")
    rows: list[tuple[str, str, Any, str]] = [
        ("Racks", "racks", (50, 100, 150, 250, 400, 600), "0"),
        ("Nodes per rack", "nodes/rack", (4, 4, 4, 4, 4, 4), "0"),
        ("GPUs per node", "GPUs/node", (8, 8, 8, 8, 8, 8), "0"),
        ("GPUs", "GPUs", "=C5*C6*C7", "#,##0"),
        ("GPU board power, B200", "W/GPU", (1000,) * 6, "#,##0"),
        ("Node power beyond GPUs", "kW/node", (6.3,) * 6, "0.0"),
        ("Node power", "kW/node", "=C7*C9/1000+C10", "0.0"),
        ("Rack power", "kW/rack", "=C11*C6", "0.0"),
        ("IT power", "MW", "=C12*C5/1000", "0.00"),
        ("PUE", "-", (1.2, 1.2, 1.18, 1.15, 1.15, 1.12), "0.00"),
        ("Facility power", "MW", "=C13*C14", "0.00"),
        ("Load factor", "%", (0.8, 0.8, 0.8, 0.85, 0.85, 0.85), "0%"),
        ("Facility energy", "MWh/yr", "=C15*C16*8760", "#,##0"),
        ("Power price", "$/MWh", (62, 62, 60, 55, 52, 49), "0.00"),
        ("Power cost", "M$/yr", "=C17*C18/1E6", "#,##0.00"),
        ("GPU price", "$/GPU", (38000, 37000, 36500, 35500, 34500, 33500), "#,##0"),
        ("Node chassis price", "$/node", (65000,) * 6, "#,##0"),
        ("Network price", "$/rack", (210000,) * 6, "#,##0"),
        ("Node price", "$/node", "=C20*C7+C21", "#,##0"),
        ("Rack price", "$/rack", "=C23*C6+C22", "#,##0"),
        ("Capex", "M$", "=C24*C5/1E6", "#,##0.0"),
        ("Depreciation period", "yr", (5, 5, 5, 5, 4, 4), "0"),
        ("Depreciation", "M$/yr", "=C25/C26", "#,##0.0"),
        ("Yearly cost", "M$/yr", "=C27+C19", "#,##0.0"),
        ("Utilisation", "%", (0.6, 0.6, 0.65, 0.65, 0.7, 0.7), "0%"),
        ("GPU-hours sold", "GPU-h/yr", "=C8*8760*C29", "#,##0"),
        ("Cost of a sold GPU-hour", "$/GPU-h", "=C28*1E6/C30", "0.00"),
        ("Serving rate", "tok/s/GPU", (3200,) * 6, "#,##0"),
        ("Tokens served", "tok/yr", "=C30*3600*C32", "0.00E+00"),
        ("Cost of tokens", "$/Mtok", "=C28*1E6/(C33/1E6)", "0.000"),
        ("HBM per GPU, B200", "GB/GPU", (180,) * 6, "0"),
        ("HBM of the campus", "TB", "=C35*C8/1000", "#,##0.0"),
        ("HBM of the campus", "TiB", "=C36*1E12/1024^4", "#,##0.0"),
        ("Dense bf16 peak, B200", "TFLOP/s/GPU", (2250,) * 6, "#,##0"),
        ("Campus peak, dense bf16", "EFLOP/s", "=C38*C8/1E6", "0.0"),
        ("Grid intensity", "g CO2e/kWh", (370, 370, 290, 290, 120, 45), "0"),
        ("Emissions", "t CO2e/yr", "=C17*C40/1000", "#,##0"),
        ("Capex per MW of IT", "M$/MW", "=C25/C13", "0.0"),
        ("Uplink per node", "Gb/s", (400,) * 6, "0"),
        ("Uplink of a rack", "GB/s", "=C43*C6/8", "0"),
    ]
    _fill(h, "A2", [["Campus build-out, B200 generation"], [], ["Line", "Unit", "S1", "S2", "S3", "S4", "S5", "S6"]])
    for row, (label, unit, content, fmt) in enumerate(rows, 5):
        _fill(h, f"A{row}", [[label, unit]])
        if isinstance(content, str):
            _spread(h, f"C{row}:H{row}", content, fmt)
        else:
            _fill(h, f"C{row}", [[(value, fmt) for value in content]])
    return wb


_h = _on("Campus plan")
HYPERSCALE = Book(
    "hyperscale",
    _hyperscale,
    (
        _h("device-scope", "D12", "=D11", "D13"),
        _h("device-scope", "E8", "=E5*E6", "E30"),
        _h("device-scope", "F23", "=F20+F21", "F24"),
        _h("device-scope", "C25", "=C23*C5/1E6"),
        _h("device-scope", "G36", "=G35*G5/1000", "G37"),
        _h("power-energy", "D17", "=D15*D16", "D19", "D41"),
        _h("power-energy", "B18", "$/MW", "C19"),
        _h("power-energy", "E19", "=E15*E18/1E6"),
        _h("facility-energy", "G15", "=G13", "G17"),
        _h("facility-energy", "C17", "=C15*C14*C16*8760"),
        _h("calendar", "H17", "=H15*H16*730", "H19"),
        _h("device-hours", "C30", "=8760*C29", "C31"),
        _h("device-hours", "D31", "=D28*1E6/(8760*D29)"),
        _h("money-rate", "F28", "=F27+F31"),
        _h("binary-prefix", "E37", "=E36"),
        _h("binary-prefix", "B37", "TB", "C37"),
        _h("token-rate", "G34", "=G28*1E6/(G32/1E6)"),
        _h("sparse-peak", "D38", 4500, "D39"),
        _h("bits-bytes", "F44", "=F43*F6", "B44"),
        _h("carbon-scale", "H41", "=H17*H40"),
        _h("percent", "F29", 65, "F30", fmt={"F29": "0"}),
        _h("unit-contradiction", None, None, "B15", fmt={"E15": '0.00" MWh"'}),
    ),
)


# 7. A data engineer's log of API calls: 240 filled rows, prices looked up, summed by team.


def _api_log() -> Workbook:
    wb, p, g, t = _book("Prices", "Log", "Teams")
    heads = ["model", "in $/Mtok", "out $/Mtok", "quoted in $/1k tok", "quoted out $/1k tok"]
    _fill(
        p,
        "A1",
        [
            ["Price list (quotes are per 1,000 tokens, converted here)"],
            [],
            heads,
            ["small", None, None, 0.00015, 0.0006],
            ["medium", None, None, 0.0008, 0.0032],
            ["large", None, None, 0.0025, 0.01],
            ["reasoning", None, None, 0.003, 0.012],
            [],
            ["EUR per USD (2 Jan 2026)", 0.92],
        ],
    )
    _spread(p, "B4:C7", "=D4*1000", "0.00")
    heads = ["day", "team", "model", "requests", "input_tokens", "output_tokens", "in_usd_per_mtok", "out_usd_per_mtok"]
    heads += ["input_cost_usd", "output_cost_usd", "cost_usd", "usd_per_request", "output_tokens_per_request"]
    heads += ["cost_eur"]
    _fill(g, "A1", [heads])
    teams, models = ("search", "support", "growth", "legal"), ("small", "medium", "large", "reasoning")
    for n in range(240):
        requests = 900 + 37 * (n % 29)
        sent, got = requests * (600 + 25 * (n % 17)), requests * (150 + 11 * (n % 13))
        day = str(date(2026, 1, 1) + timedelta(days=n // 4))
        _fill(g, f"A{n + 2}", [[day, teams[n % 4], models[(n * 7 + n // 9) % 4], requests, sent, got]])
    _spread(g, "G2:G241", "=INDEX(Prices!$B$4:$B$7,MATCH($C2,Prices!$A$4:$A$7,0))", "0.00")
    _spread(g, "H2:H241", "=INDEX(Prices!$C$4:$C$7,MATCH($C2,Prices!$A$4:$A$7,0))", "0.00")
    _spread(g, "I2:I241", "=E2/1000000*G2", "0.00")
    _spread(g, "J2:J241", "=F2/1000000*H2", "0.00")
    _spread(g, "K2:K241", "=I2+J2", "0.00")
    _spread(g, "L2:L241", "=K2/D2", "0.00000")
    _spread(g, "M2:M241", "=F2/D2", "0")
    _spread(g, "N2:N241", "=K2*Prices!$B$9", "0.00")
    heads = ["Team", "Users", "Requests", "Input (Mtok)", "Output (Mtok)", "Cost ($)", "$ per request", "$ per user"]
    heads += ["Blended $/Mtok", "Share of cost (%)", "Budget ($)", "Budget used (%)", "Cost (€)", "Requests per user"]
    _fill(t, "A1", [["First 60 days of 2026"], [], heads])
    for row, (team, users, budget) in enumerate(zip(teams, (120, 45, 30, 12), (900, 700, 500, 800), strict=True), 4):
        _fill(t, f"A{row}", [[team, users]])
        t[f"K{row}"] = budget
    _spread(t, "C4:C7", "=SUMIFS(Log!$D$2:$D$241,Log!$B$2:$B$241,$A4)", "#,##0")
    _spread(t, "D4:D7", "=SUMIFS(Log!$E$2:$E$241,Log!$B$2:$B$241,$A4)/1E6", "0.0")
    _spread(t, "E4:E7", "=SUMIFS(Log!$F$2:$F$241,Log!$B$2:$B$241,$A4)/1E6", "0.0")
    _spread(t, "F4:F7", "=SUMIFS(Log!$K$2:$K$241,Log!$B$2:$B$241,$A4)", "0.00")
    t["A8"] = "All"
    for col in "BCDEFKM":
        t[f"{col}8"] = f"=SUM({col}4:{col}7)"
    _spread(t, "G4:G8", "=F4/C4", "0.00000")
    _spread(t, "H4:H8", "=F4/B4", "0.00")
    _spread(t, "I4:I8", "=F4/(D4+E4)", "0.00")
    _spread(t, "J4:J8", "=F4/$F$8", "0%")
    _spread(t, "L4:L8", "=F4/K4", "0%")
    _spread(t, "M4:M7", "=F4*Prices!$B$9", "0.00")
    _spread(t, "N4:N8", "=C4/B4", "#,##0")
    return wb


_p, _g, _t4 = _on("Prices"), _on("Log"), _on("Teams")
API_LOG = Book(
    "api_log",
    _api_log,
    (
        _p("token-price-scale", "B6", "=D6"),
        _p("token-price-scale", "C5", "=E5"),
        _p("token-price-scale", "D3", "quoted in $/Mtok", "B4"),
        _p("token-price-scale", "D6", 2.5, "B6"),
        _g("token-price-scale", "I57", "=E57/1000*G57", "K57"),
        _g("token-price-scale", "J130", "=F130/1000*H130", "K130"),
        _g("token-price-scale", "H1", "out_usd_per_ktok", "H2", "J2"),
        _g("token-direction", "J88", "=E88/1000000*H88", "K88"),
        _g("token-direction", "I101", "=E101/1000000*H101", "K101"),
        _g("token-direction", "M33", "=E33/D33"),
        _g("token-direction", "H144", "=INDEX(Prices!$B$4:$B$7,MATCH($C144,Prices!$A$4:$A$7,0))", "J144"),
        _t4("token-direction", "E6", "=SUMIFS(Log!$E$2:$E$241,Log!$B$2:$B$241,$A6)/1E6", "I6"),
        _g("currency", "N200", "=K200"),
        _g("currency", "K1", "cost_eur", "K2", "N2"),
        _t4("user-total", "H5", "=F5"),
        _t4("user-total", "N6", "=C6"),
        _g("money-rate", "K77", "=G77+H77"),
        _t4("percent-sum", "L8", "=SUM(L4:L7)"),
        _t4("mixed-sum", "F8", "=SUM(E4:F7)", "G8"),
        _g("mixed-sum", "K160", "=SUM(G160:J160)"),
        _t4("bare-number", "F7", "=SUMIFS(Log!$K$2:$K$241,Log!$B$2:$B$241,$A7)+250"),
        _t4("unit-contradiction", None, None, "M3", fmt={"M5": '#,##0.00" $"'}),
    ),
)


# 8. A French national computing centre: units in number formats, projects in rows.


def _centre_calcul() -> Workbook:
    wb, h, p, s = _book("Hypothèses", "Projets", "Synthèse")
    _fill(
        h,
        "A1",
        [
            ["Hypothèses de l'exercice 2026"],
            [],
            ["Puissance d'un GPU (H100 SXM)", (700, '0" W"')],
            ["Puissance d'un nœud hors GPU", (3000, '#,##0" W"')],
            ["GPU par nœud", (4, "0")],
            ["PUE", (1.25, "0.00")],
            ["Prix de l'électricité", (0.145, '0.000" €/kWh"')],
            ["Intensité carbone du réseau", (53, '0" g CO2e/kWh"')],
            ["Heures par jour", (24, '0" h"')],
            ["Mémoire d'un GPU (H100 SXM)", (80, '0" Go"')],
            ["Tarif de l'heure GPU", (1.1, '0.00" €/h GPU"')],
            ["Débit du stockage parallèle", (200, '0" Go/s"')],
            ["Réseau par nœud", (400, '0" Gbit/s"')],
        ],
    )
    heads = ["Projet", "Nœuds", "GPU", "Durée (h)", "Heures GPU", "Puissance IT (kW)", "Énergie IT (kWh)"]
    heads += ["Énergie totale (kWh)", "Électricité (€)", "CO2e (kg)", "Données (To)", "Données (Tio)"]
    heads += ["Lecture des données (min)", "Facturé (€)", "Durée (jours)"]
    _fill(p, "A1", [["Attribution par projet"], [], heads])
    names = (
        "Climat Fusion Galaxie Protéine Langue Océan Batterie Séisme Vision Virus Trafic Sol Cristal Plasma Forêt Son"
    )
    for n, name in enumerate(names.split()):
        _fill(p, f"A{n + 4}", [[name, 2 + n * 5 % 14, None, 48 + 36 * (n * 3 % 11)]])
        p[f"K{n + 4}"] = 12 + 17 * (n * 5 % 9)
    _spread(p, "C4:C19", "=B4*Hypothèses!$B$5", "0")
    _spread(p, "E4:E19", "=C4*D4", "#,##0")
    _spread(p, "F4:F19", "=(C4*Hypothèses!$B$3+B4*Hypothèses!$B$4)/1000", "0.0")
    _spread(p, "G4:G19", "=F4*D4", "#,##0")
    _spread(p, "H4:H19", "=G4*Hypothèses!$B$6", "#,##0")
    _spread(p, "I4:I19", "=H4*Hypothèses!$B$7", "#,##0.00")
    _spread(p, "J4:J19", "=H4*Hypothèses!$B$8/1000", "#,##0.0")
    _spread(p, "L4:L19", "=K4*1E12/1024^4", "0.0")
    _spread(p, "M4:M19", "=K4*1000/Hypothèses!$B$12/60", "0.0")
    _spread(p, "N4:N19", "=E4*Hypothèses!$B$11", "#,##0.00")
    _spread(p, "O4:O19", "=D4/Hypothèses!$B$9", "0.0")
    p["A20"] = "Total"
    for col in "EGHIJKLN":
        p[f"{col}20"] = f"=SUM({col}4:{col}19)"
        p[f"{col}20"].number_format = "#,##0"
    _fill(
        s,
        "B2",
        [
            ["Synthèse"],
            ["Recettes", ("=Projets!N20", '#,##0.00" €"')],
            ["Dépense d'électricité", ("=Projets!I20", '#,##0.00" €"')],
            ["Solde", ("=C3-C4", '#,##0.00" €"')],
            ["Part de l'électricité dans les recettes", ("=C4/C3", "0.0%")],
            ["Émissions", ("=Projets!J20/1000", '0.00" t CO2e"')],
            ["Énergie totale", ("=Projets!H20/1000", '#,##0.0" MWh"')],
            ["Énergie par heure GPU", ("=Projets!H20/Projets!E20", '0.00" kWh"')],
            ["Coût d'électricité d'une heure GPU", ("=C4/Projets!E20", '0.000" €/h GPU"')],
            ["Mémoire GPU d'un nœud", ("=Hypothèses!B5*Hypothèses!B10", '0" Go"')],
            ["Mémoire GPU d'un nœud", ("=C11*1E9/1024^3", '0.0" Gio"')],
            ["Débit réseau d'un nœud", ("=Hypothèses!B13/8", '0" Go/s"')],
            ["Chargement de la mémoire d'un nœud par le réseau", ("=C11/C13", '0.0" s"')],
            ["Projet le plus long", ("=MAX(Projets!O4:O19)", '0.0" jours"')],
        ],
    )
    return wb


_h8, _p8, _s8 = _on("Hypothèses"), _on("Projets"), _on("Synthèse")
CENTRE_CALCUL = Book(
    "centre_calcul",
    _centre_calcul,
    (
        _p8("device-hours", "E7", "=B7*D7", "N7"),
        _p8("device-hours", "N9", "=D9*Hypothèses!$B$11"),
        _p8("device-hours", "G11", "=F11*E11", "H11"),
        _p8("device-hours", "O14", "=E14/Hypothèses!$B$9"),
        _s8("device-hours", "C10", "=C4/SUM(Projets!D4:D19)"),
        _p8("power-energy", "I6", "=F6*Hypothèses!$B$6*Hypothèses!$B$7"),
        _p8("power-energy", "G15", "=F15", "H15"),
        _h8("power-energy", None, None, "Projets!I4", fmt={"B7": '0.000" €/kW"'}),
        _p8("facility-energy", "H13", "=G13", "I13"),
        _p8("facility-energy", "J8", "=H8*Hypothèses!$B$6*Hypothèses!$B$8/1000"),
        _p8("carbon-scale", "J10", "=H10*Hypothèses!$B$8"),
        _s8("carbon-scale", "C7", "=Projets!J20"),
        _h8("carbon-scale", None, None, "Projets!J4", fmt={"B8": '0" kg CO2e/kWh"'}),
        _p8("binary-prefix", "L12", "=K12"),
        _s8("binary-prefix", None, None, "C11", fmt={"C12": '0.0" Go"'}),
        _s8("bits-bytes", "C13", "=Hypothèses!B13", "C14"),
        _s8("bits-bytes", "C14", "=C11/Hypothèses!B13"),
        _p8("time-scale", "M16", "=K16*1000/Hypothèses!$B$12"),
        _p8("calendar", "O17", "=D17"),
        _p8("mixed-sum", "G20", "=SUM(F4:G19)", "H20"),
        _h8("registry", "B3", 400, "Projets!F4"),
        _s8("money-rate", "C5", "=C3-C10"),
        _p8("device-scope", "C18", "=B18", "E18"),
        _p8("unit-contradiction", None, None, "G3", fmt={"G6": '#,##0" MWh"'}),
    ),
)


# 9. An SRE: means and percentiles, round trips, an error budget.


def _sre() -> Workbook:
    wb, a, n, b = _book("Latency", "Network", "Error budget")
    _fill(
        a,
        "A1",
        [
            ["Chat path, last 28 days"],
            [],
            ["Hop", "Mean (ms)", "p50 (ms)", "p99 (ms)", "Calls per request", "Mean per request (ms)"],
            ["Edge proxy", 3.1, 2.6, 14, 1],
            ["Auth", 4.4, 3.9, 22, 1],
            ["Session store", 1.8, 1.5, 9, 3],
            ["Retrieval", 38, 31, 160, 2],
            ["Prompt guard", 21, 18, 75, 1],
            ["Queue", 12, 2, 240, 1],
            ["Sum of means"],
            ["Measured end to end up to the first token", 210, 170, 1150],
            ["Model's share (ms)"],
            [],
            ["SLO: first token, p99 (s)", 1.5],
            ["First token, p99 (s)", "=D11/1000"],
            ["Headroom at p99 (s)", "=B14-B15"],
            ["p99 used of SLO (%)", ("=B15/B14", "0%")],
            ["Time per output token, mean (ms)", 24],
            ["Output tokens, mean", 320],
            ["Generation, mean (s)", "=B18*B19/1000"],
            ["Whole answer, mean (s)", "=B11/1000+B20"],
            ["Tail factor of the first token (p99 / p50)", ("=D11/C11", "0.0")],
            ["Speed one user sees (tokens/s)", ("=1000/B18", "0.0")],
        ],
    )
    _spread(a, "F4:F9", "=B4*E4", "0.0")
    _fill(a, "F10", [[("=SUM(F4:F9)", "0.0")]])
    _fill(a, "B12", [[("=B11-F10", "0.0")]])
    heads = [
        "Region",
        "One-way delay (ms)",
        "RTT (ms)",
        "TCP + TLS 1.3, 2 RTT (ms)",
        "Request and first byte, 1 RTT (ms)",
    ]
    heads += ["Network share of first token (ms)", "Network share (s)", "One-way delay (µs)"]
    _fill(n, "A1", [heads])
    regions = (("eu-central", 6), ("eu-north", 14), ("us-east", 44), ("us-west", 72), ("ap-south", 61), ("sa-east", 98))
    for row, (region, delay) in enumerate(regions, 2):
        _fill(n, f"A{row}", [[region, delay]])
    _spread(n, "C2:C7", "=2*B2", "0")
    _spread(n, "D2:D7", "=2*C2", "0")
    _spread(n, "E2:E7", "=C2", "0")
    _spread(n, "F2:F7", "=D2+E2", "0")
    _spread(n, "G2:G7", "=F2/1000", "0.000")
    _spread(n, "H2:H7", "=B2*1000", "#,##0")
    _fill(n, "A8", [["Mean over regions", ("=AVERAGE(B2:B7)", "0.0"), ("=AVERAGE(C2:C7)", "0.0")]])
    _fill(n, "A9", [["Cable RTT by ping, eu-central (ms)", 11.8], ["One way from ping, eu-central (ms)", "=B9/2"]])
    _fill(
        b,
        "A1",
        [
            ["Availability SLO (%)", (0.999, "0.0%")],
            ["Hours per month", 730],
            ["Minutes per month", "=B2*60"],
            ["Error budget (min/month)", "=(1-B1)*B3"],
            ["Requests per second, mean", 85],
            ["Requests per month", "=B5*B2*3600"],
            ["Failed requests allowed per month", "=B6*(1-B1)"],
            [],
            ["Incident", "Duration (min)", "Share of traffic hit (%)", "Budget spent (min)"],
            ["Bad rollout", 9, (0.6, "0%")],
            ["GPU node lost", 22, (0.125, "0.0%")],
            ["Cert expired", 12, (1, "0%")],
            ["DNS", 6, (0.3, "0%")],
            ["All", "=SUM(B10:B13)", None, "=SUM(D10:D13)"],
            ["Budget left (min)", "=B4-D14"],
            ["Budget left (s)", "=B15*60"],
            ["Budget spent (%)", ("=D14/B4", "0%")],
        ],
    )
    _spread(b, "D10:D13", "=B10*C10", "0.0")
    return wb


_a9, _n9, _b9 = _on("Latency"), _on("Network"), _on("Error budget")
SRE = Book(
    "sre",
    _sre,
    (
        _a9("statistic-mix", "B12", "=D11-F10"),
        _a9("statistic-mix", "B15", "=B11/1000", "B16"),
        _a9("statistic-mix", "F7", "=D7*E7", "F10"),
        _a9("statistic-mix", "B21", "=D11/1000+B20"),
        _a9("statistic-mix", "B17", "=B11/1000/B14"),
        _a9("statistic-mix", "B22", "=B11/C11"),
        _a9("statistic-mix", "F10", "=SUM(D4:D9)", "B12"),
        _n9("round-trip", "C4", "=B4", "D4"),
        _n9("round-trip", "D5", "=2*B5", "F5"),
        _n9("round-trip", "E6", "=B6", "F6"),
        _n9("round-trip", "B10", "=B9"),
        _n9("round-trip", "B1", "RTT (ms)", "C2", "H2"),
        _n9("round-trip", "A9", "One-way delay by ping, eu-central (ms)", "B10"),
        _n9("round-trip", "C8", "=AVERAGE(B2:B7)"),
        _a9("time-scale", "B15", "=D11", "B16"),
        _a9("time-scale", "B21", "=B11+B20"),
        _a9("time-scale", "B20", "=B18*B19", "B21"),
        _n9("time-scale", "G7", "=F7"),
        _n9("time-scale", "H3", "=B3"),
        _a9("time-scale", "A14", "SLO: first token, p99 (ms)", "B16", "B17"),
        _b9("calendar", "B6", "=B5*B2", "B7"),
        _b9("calendar", "B4", "=(1-B1)*B2", "B15"),
        _b9("percent", "C12", 100, "D12", fmt={"C12": "0"}),
        _b9("percent", "B1", 99.9, "B4", "B7", fmt={"B1": "0.0"}),
    ),
)


# 10. Buying against leasing: a two-row merged header, parameters below the table.


def _buy_or_lease() -> Workbook:
    wb, w = _book("Buy or lease")
    w["A1"] = "Own servers against a reserved cloud"
    groups = (("A", "A", "Option"), ("B", "E", "Price"), ("F", "G", "Fleet"), ("H", "K", "Purchase"))
    groups += (("L", "O", "Energy"), ("P", "Q", "Service"), ("R", "T", "Owning"), ("U", "X", "Leasing"), ("Y", "Y", ""))
    for first, last, text in groups:
        w[f"{first}4"] = text or "Verdict"
        if first != last:
            w.merge_cells(f"{first}4:{last}4")
    heads = ["per GPU ($)", "rest of node ($)", "GPUs per node", "per node ($)", "nodes", "GPUs", "total ($)"]
    heads += ["total (€)", "life (years)", "€/year", "kW per node", "IT load (kW)", "facility energy (MWh/year)"]
    heads += ["electricity (€/year)", "€/month per node", "€/year", "total (€/year)", "used GPU-h/year", "€/GPU-h"]
    heads += ["$/GPU-h", "€/GPU-h", "total (€/year)", "saving by owning (€/year)"]
    _fill(w, "B5", [heads])
    options = [
        ("H100 SXM", 27000, 62000, 8, 4, 5, 10.2, 900, 2.4), ("H200", 32000, 62000, 8, 4, 5, 10.2, 950, 2.9),
        ("B200", 38000, 68000, 8, 2, 5, 14.3, 1200, 4.1), ("MI300X", 19000, 60000, 8, 4, 5, 10.8, 900, 2.2),
        ("L4", 2600, 9000, 4, 6, 4, 0.9, 150, 0.6), ("Gaudi 3", 15500, 58000, 8, 4, 4, 11.5, 850, 1.9),
    ]  # fmt: skip
    for row, (name, gpu, rest, per_node, nodes, life, power, service, lease) in enumerate(options, 6):
        _fill(w, f"A{row}", [[name, gpu, rest, per_node, None, nodes, None, None, None, life, None, power]])
        _fill(w, f"P{row}", [[service, None, None, None, None, (lease, "0.00")]])
    filled = {
        "E": ("=B6*D6+C6", "#,##0"),
        "G": ("=F6*D6", "0"),
        "H": ("=E6*F6", "#,##0"),
        "I": ("=H6*$B$15", "#,##0"),
        "K": ("=I6/J6", "#,##0"),
        "M": ("=L6*F6", "0.0"),
        "N": ("=M6*$B$16*$B$17/1000", "#,##0.0"),
        "O": ("=N6*1000*$B$18", "#,##0"),
        "Q": ("=P6*F6*12", "#,##0"),
        "R": ("=K6+O6+Q6", "#,##0"),
        "S": ("=G6*$B$17*$B$19", "#,##0"),
        "T": ("=R6/S6", "0.00"),
        "V": ("=U6*$B$15", "0.00"),
        "W": ("=V6*S6", "#,##0"),
        "X": ("=W6-R6", "#,##0"),
        "Y": ('=IF(X6>0,"own","lease")', "General"),
    }
    for col, (formula, fmt) in filled.items():
        _spread(w, f"{col}6:{col}11", formula, fmt)
    _fill(
        w,
        "A14",
        [
            ["Parameters"],
            ["EUR per USD (2 Jan 2026)", 0.92],
            ["PUE", 1.35],
            ["Hours per year", 8760],
            ["Electricity (€/kWh)", 0.19],
            ["Utilisation (%)", (0.7, "0%")],
            ["Cheapest to own (€/GPU-h)", ("=MIN(T6:T11)", "0.00")],
            ["Purchase of both NVIDIA Hopper options (€)", ("=SUM(I6:I7)", "#,##0")],
        ],
    )
    return wb


_w = _on("Buy or lease")
BUY_OR_LEASE = Book(
    "buy_or_lease",
    _buy_or_lease,
    (
        _w("device-scope", "E6", "=B6+C6", "H6"),
        _w("device-scope", "H7", "=B7*F7"),
        _w("device-scope", "M8", "=L8*G8", "N8"),
        _w("device-scope", "B5", "per node ($)", "E6"),
        _w("currency", "I9", "=H9", "K9"),
        _w("currency", "K10", "=H10/J10"),
        _w("currency", "W6", "=U6*S6"),
        _w("currency", "B21", "=SUM(H6:H7)"),
        _w("calendar", "Q7", "=P7*F7", "R7"),
        _w("calendar", "R8", "=I8+O8+Q8", "X8"),
        _w("calendar", "N10", "=M10*$B$16*730/1000"),
        _w("device-hours", "S9", "=$B$17*$B$19", "T9", "W9"),
        _w("device-hours", "T11", "=R11/($B$17*$B$19)"),
        _w("money-rate", "X6", "=V6-R6"),
        _w("money-rate", "W8", "=V8*G8"),
        _w("money-rate", "R11", "=K11+O11+Q11+V11"),
        _w("power-energy", "O9", "=M9*$B$16*$B$18"),
        _w("facility-energy", "N7", "=M7*$B$17/1000"),
        _w("facility-energy", "O10", "=N10*1000*$B$16*$B$18"),
        _w("percent", "B19", 70, "S6", fmt={"B19": "0"}),
        _w("mixed-sum", "B21", "=SUM(H6:I7)"),
        _w("unit-contradiction", None, None, "O5", fmt={"O8": "[$$-409]#,##0"}),
        _w("unit-contradiction", None, None, "T5", fmt={"T9": '0.00" €/month"'}),
    ),
)


# 11. A university's chargeback: snake_case columns, 220 jobs, lookups and sums by project.


def _chargeback() -> Workbook:
    wb, q, j, p = _book("partitions", "jobs", "projects")
    _fill(
        q,
        "A1",
        [
            [
                "partition",
                "gpu_model",
                "gpus_per_node",
                "mem_gb_per_gpu",
                "usd_per_gpu_hour",
                "gpu_watts",
                "tdp_kw_node",
            ],
            ["ampere", "A100 80GB SXM", 4, 80, 0.9, 400, 2.6],
            ["hopper", "H100 SXM", 8, 80, 1.8, 700, 10.2],
            ["cdna", "MI300X", 8, 192, 1.5, 750, 10.6],
            ["ada", "L4", 4, 24, 0.25, 72, 0.8],
        ],
    )
    heads = ["job_id", "user", "project", "partition", "nodes", "gpus", "wall_hours", "gpu_hours", "usd_per_gpu_hour"]
    heads += ["cost_usd", "gpu_energy_kwh", "mem_gb_per_gpu", "peak_mem_gib", "peak_mem_gb", "mem_used_frac"]
    heads += ["queue_minutes", "queue_hours", "turnaround_hours"]
    _fill(j, "A1", [heads])
    names, caps = ("ampere", "hopper", "cdna", "ada"), (70, 70, 165, 20)
    for n in range(220):
        k = (n * 5 + n // 7) % 4
        peak = round(caps[k] * (0.35 + 0.6 * (n * 13 % 20) / 20), 1)
        line = [f"{81000 + n}", f"u{n * 11 % 37:02d}", ("astro", "bio", "nlp", "geo", "chem")[n * 3 % 5], names[k]]
        _fill(j, f"A{n + 2}", [[*line, 1 + n % 4, None, round(0.5 + n * 7 % 41 * 0.75, 2)]])
        j[f"M{n + 2}"] = peak
        j[f"P{n + 2}"] = n * 17 % 240
    _spread(j, "F2:F221", "=E2*INDEX(partitions!$C$2:$C$5,MATCH($D2,partitions!$A$2:$A$5,0))", "0")
    _spread(j, "H2:H221", "=F2*G2", "0.0")
    _spread(j, "I2:I221", "=INDEX(partitions!$E$2:$E$5,MATCH($D2,partitions!$A$2:$A$5,0))", "0.00")
    _spread(j, "J2:J221", "=H2*I2", "0.00")
    _spread(j, "K2:K221", "=H2*INDEX(partitions!$F$2:$F$5,MATCH($D2,partitions!$A$2:$A$5,0))/1000", "0.0")
    _spread(j, "L2:L221", "=INDEX(partitions!$D$2:$D$5,MATCH($D2,partitions!$A$2:$A$5,0))", "0")
    _spread(j, "N2:N221", "=M2*1.073741824", "0.0")
    _spread(j, "O2:O221", "=N2/L2", "0.0%")
    _spread(j, "Q2:Q221", "=P2/60", "0.00")
    _spread(j, "R2:R221", "=G2+Q2", "0.00")
    heads = [
        "project",
        "users",
        "gpu_hours",
        "cost_usd",
        "share_of_cost",
        "grant_usd",
        "remaining_usd",
        "grant_used_pct",
    ]
    heads += ["gpu_hours_per_user", "usd_per_user", "mean_mem_used_frac", "energy_mwh", "usd_per_gpu_hour"]
    _fill(p, "A1", [heads])
    for row, (name, users, grant) in enumerate(
        (("astro", 9, 18000), ("bio", 14, 20000), ("nlp", 22, 24000), ("geo", 6, 16000), ("chem", 11, 21000)), 2
    ):
        _fill(p, f"A{row}", [[name, users]])
        p[f"F{row}"] = grant
    _spread(p, "C2:C6", "=SUMIFS(jobs!$H$2:$H$221,jobs!$C$2:$C$221,$A2)", "#,##0")
    _spread(p, "D2:D6", "=SUMIFS(jobs!$J$2:$J$221,jobs!$C$2:$C$221,$A2)", "#,##0")
    _spread(p, "L2:L6", "=SUMIFS(jobs!$K$2:$K$221,jobs!$C$2:$C$221,$A2)/1000", "0.00")
    _spread(p, "K2:K6", "=AVERAGEIFS(jobs!$O$2:$O$221,jobs!$C$2:$C$221,$A2)", "0.0%")
    p["A7"], p["K7"] = "all", "=AVERAGE(jobs!O2:O221)"
    for col in "BCDFL":
        p[f"{col}7"] = f"=SUM({col}2:{col}6)"
    _spread(p, "E2:E7", "=D2/$D$7", "0.0%")
    _spread(p, "G2:G7", "=F2-D2", "#,##0")
    _spread(p, "H2:H7", "=D2/F2*100", "0.0")
    _spread(p, "I2:I7", "=C2/B2", "0.0")
    _spread(p, "J2:J7", "=D2/B2", "0.00")
    _spread(p, "M2:M7", "=D2/C2", "0.00")
    p["K7"].number_format = "0.0%"
    return wb


_q11, _j, _p11 = _on("partitions"), _on("jobs"), _on("projects")
CHARGEBACK = Book(
    "chargeback",
    _chargeback,
    (
        _j("device-hours", "H40", "=G40", "J40"),
        _j("device-hours", "J77", "=G77*I77"),
        _j("device-hours", "R90", "=H90+Q90"),
        _p11("device-hours", "C4", "=SUMIFS(jobs!$G$2:$G$221,jobs!$C$2:$C$221,$A4)", "M4"),
        _j("device-scope", "F60", "=E60", "H60"),
        _j("binary-prefix", "N25", "=M25", "O25"),
        _j("binary-prefix", "O140", "=M140/L140"),
        _j("binary-prefix", "M1", "peak_mem_gb", "N2"),
        _j("calendar", "Q33", "=P33", "R33"),
        _j("calendar", "R101", "=G101+P101"),
        _p11("percent", "H3", "=D3/F3"),
        _p11("percent-sum", "K7", "=SUM(K2:K6)"),
        _p11("percent-sum", "H7", "=SUM(H2:H6)"),
        _p11("user-total", "J5", "=D5"),
        _p11("user-total", "I3", "=C3"),
        _p11("money-rate", "G6", "=F6-M6"),
        _p11("money-rate", "D7", "=SUM(jobs!I2:I221)", "G7"),
        _j("money-rate", "J165", "=I165"),
        _p11("mixed-sum", "C7", "=SUM(B2:C6)", "I7"),
        _p11("bare-number", "G4", "=F4-D4-300"),
        _q11("registry", "D4", 80, "jobs!L2"),
        _q11("registry", "F3", 350, "jobs!K2"),
        _j("above-limit", "M85", 230, "O85", "N85"),
        _p11("unit-contradiction", None, None, "L1", fmt={"L4": '0.00" kWh"'}),
    ),
)


# 12. A facility manager's bill: units only in the number formats, a check beside it.


def _colo_bill() -> Workbook:
    wb, b, c = _book("Bill", "Contract")
    _fill(
        c,
        "A1",
        [
            ["Energy price", (0.118, '0.000" $/kWh"')],
            ["Demand price", (14.5, '0.00" $/kW"')],
            ["PUE by design", (1.32, "0.00")],
            ["Grid intensity", (370, '0" g/kWh"')],
            ["Racks", (24, '0" racks"')],
            ["Contracted IT power of a rack", (17, '0.0" kW"')],
            ["Contracted IT power", ("=B5*B6", '0" kW"')],
            ["GPUs in the cage", (384, '0" GPUs"')],
            ["GPUs per rack", ("=B8/B5", '0" GPUs"')],
            ["IT power per GPU at full load", ("=B7*1000/B8", '#,##0" W"')],
            ["Euro per dollar, 2 January 2026", (0.92, '0.00" €/$"')],
        ],
    )
    heads = ["Month", "Hours", "Meter", "Mean load", "Peak load", "Load factor", "IT energy", "Energy charge"]
    heads += ["Demand charge", "Total", "All-in price", "CO2", "Energy per GPU", "Total in euro"]
    _fill(b, "A1", [["Cage 7, utility bill 2025 (the meter stands before the cooling)"], [], heads])
    hours = (744, 672, 744, 720, 744, 720, 744, 744, 720, 744, 720, 744)
    loads = (402, 410, 418, 425, 441, 452, 468, 466, 449, 433, 425, 420)
    names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    for row, (month, time, load) in enumerate(zip(names, hours, loads, strict=True), 4):
        _fill(b, f"A{row}", [[month, (time, '0" h"'), (time * load, '#,##0" kWh"')]])
        _fill(b, f"E{row}", [[(load + 41, '0" kW"')]])
    _spread(b, "D4:D15", "=C4/B4", '0" kW"')
    _spread(b, "F4:F15", "=D4/E4", "0.0%")
    _spread(b, "G4:G15", "=C4/Contract!$B$3", '#,##0" kWh"')
    _spread(b, "H4:H15", "=C4*Contract!$B$1", '#,##0.00" $"')
    _spread(b, "I4:I15", "=E4*Contract!$B$2", '#,##0.00" $"')
    _spread(b, "J4:J15", "=H4+I4", '#,##0.00" $"')
    _spread(b, "K4:K15", "=J4/C4", '0.0000" $/kWh"')
    _spread(b, "L4:L15", "=C4*Contract!$B$4/1000", '#,##0" kg"')
    _spread(b, "M4:M15", "=C4/Contract!$B$8", '0.0" kWh"')
    _spread(b, "N4:N15", "=J4*Contract!$B$11", "#,##0.00 [$€-407]")
    b["A16"] = "Year"
    for col, fmt in zip(
        "BCGHIJLMN", ['#,##0" h"', *['#,##0" kWh"'] * 2, *['#,##0" $"'] * 3, '#,##0" kg"'], strict=False
    ):
        b[f"{col}16"] = f"=SUM({col}4:{col}15)"
        b[f"{col}16"].number_format = fmt
    b["M16"], b["N16"] = "=SUM(M4:M15)", "=SUM(N4:N15)"
    _format(b, '#,##0" kWh"', "M16:M16")
    _format(b, "#,##0 [$€-407]", "N16:N16")
    _fill(b, "D16", [[("=C16/B16", '0" kW"'), ("=MAX(E4:E15)", '0" kW"'), ("=D16/E16", "0.0%")]])
    _fill(b, "K16", [[("=J16/C16", '0.0000" $/kWh"')]])
    _fill(
        b,
        "P3",
        [
            ["Check"],
            ["CO2 of the year", ("=L16/1000", '0.0" t"')],
            ["Energy of the year", ("=C16/1000", '#,##0" MWh"')],
            ["Mean bill", ("=J16/12", '#,##0.00" $"')],
            ["IT power at peak, as metered", ("=E16/Contract!B3", '0" kW"')],
            ["Contract used at peak", ("=Q7/Contract!B7", "0%")],
            ["Energy of one GPU in an hour", ("=M16/B16*1000", '0" Wh"')],
            ["Carbon intensity", ("=L16*1000/C16", '0" g/kWh"')],
            ["Energy cost of a GPU-hour", ("=H16/(Contract!B8*B16)", '0.000" $/GPU-h"')],
        ],
    )
    return wb


_b12, _c12 = _on("Bill"), _on("Contract")
COLO_BILL = Book(
    "colo_bill",
    _colo_bill,
    (
        _b12("power-energy", "H6", "=D6*Contract!$B$1", "J6"),
        _b12("power-energy", "I7", "=C7*Contract!$B$2", "J7"),
        _b12("power-energy", "L8", "=D8*Contract!$B$4/1000"),
        _b12("power-energy", None, None, "D9", fmt={"C9": '#,##0" kW"'}),
        _b12("facility-energy", "G10", "=C10"),
        _b12("facility-energy", "H11", "=C11*Contract!$B$3*Contract!$B$1", "J11"),
        _b12("facility-energy", "Q7", "=E16", "Q8"),
        _b12("carbon-scale", "L12", "=C12*Contract!$B$4"),
        _b12("carbon-scale", "Q4", "=L16"),
        _b12("carbon-scale", "Q10", "=L16/C16"),
        _b12("mixed-sum", "J13", "=SUM(G13:I13)", "K13"),
        _b12("mixed-sum", "H16", "=SUM(G4:H15)"),
        _b12("percent-sum", "F16", "=SUM(F4:F15)"),
        _b12("currency", "N14", "=J14"),
        _b12("currency", None, None, "N15", fmt={"J15": "#,##0.00 [$€-407]"}),
        _b12("money-rate", "J5", "=H5+Contract!$B$2", "Contract!B2"),
        _b12("money-rate", "K16", "=J16"),
        _b12("bare-number", "J9", "=H9+I9+95"),
        _c12("device-scope", "B7", "=B8*B6", "B10"),
        _c12("device-scope", "B10", "=B7*1000/B5"),
        _b12("device-hours", "Q11", "=H16/B16"),
        _b12("calendar", "Q6", "=J16"),
        _b12("power-energy", None, None, "C8", fmt={"K8": '0.0000" $/kW"'}),
        _b12("power-energy", None, None, "C12", "F12", fmt={"D12": '0" kWh"'}),
    ),
)

BOOKS: tuple[Book, ...] = (
    CFO_BUDGET,
    MITTELSTAND,
    RESELLER,
    FOUNDER,
    FOOTPRINT,
    HYPERSCALE,
    API_LOG,
    CENTRE_CALCUL,
    SRE,
    BUY_OR_LEASE,
    CHARGEBACK,
    COLO_BILL,
)
