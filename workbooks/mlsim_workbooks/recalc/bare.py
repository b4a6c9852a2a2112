"""Write the bare copy of a workbook that IronCalc loads, with every MLSIM call taken out to a cell of its own.

The copy holds values and formulas only, plus two sheets: one with a cell for each call's arguments and results, one
with blocks for arguments that are arrays.
"""

from __future__ import annotations

import os
import random
import tempfile
import zipfile
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mlsim_workbooks import formulas as fx
from mlsim_workbooks.package import Cell, RecalcError, column_name, escape, unescape
from mlsim_workbooks.recalc.book import Book, Formula, Place, Rectangle

__all__ = [
    "AREA",
    "BARE",
    "BLOCK",
    "CALL",
    "CELL",
    "CONST",
    "Builder",
    "Instance",
    "Size",
    "run_engine",
    "unsupported",
]

BARE = "bare.xlsx"
"""The copy's name, which CELL("filename") gives in the engine."""


Size = tuple[str, int] | Place
"""What has a size: an array result or argument inside a formula, by number, or the array formula of a cell."""


@dataclass(slots=True)
class Instance:
    """One MLSIM call in one cell."""

    name: str
    depth: int
    formula: int
    args: list[tuple[Any, ...]]
    static: bool = False  # depends on no formula
    direct: bool = False  # needs the results of other calls at most, not of ordinary formulas
    takes_array: bool = False
    dynamic: Place | None = None  # it is all of the dynamic array of this cell
    blocked: bool = False  # ... which cannot spill
    target: tuple[int, int, int, int, int] | None = None  # sheet, top, left, bottom, right
    result: Any = None
    message: str = ""
    done: bool = False
    key: Any = None


# How an argument is fetched: (tag, ...).
CONST, CELL, AREA, CALL, BLOCK = range(5)


def run_engine(action: Callable[[], Any]) -> Any:
    """Run something in the engine; its failures become sentences."""
    try:
        return action()
    except BaseException as error:
        kind = type(error).__name__
        if kind not in ("PanicException", "WorkbookError"):
            raise
        raise RecalcError(f"The embedded engine cannot work out this workbook ({str(error)[:200]}).") from None


def unsupported(names: Collection[str]) -> list[str]:
    """Return the names that the engine does not know: such a call gives #NAME? whatever its arguments."""
    if not names:
        return []
    import ironcalc

    model = ironcalc.create("probe", "en", "UTC")
    ordered = sorted(names)
    for row, name in enumerate(ordered, 1):
        model.set_user_input(0, row, 1, f"={name}()")
    run_engine(model.evaluate)
    return [name for row, name in enumerate(ordered, 1) if model.get_cell_value(0, row, 1) == "#NAME?"]


_NS = (
    'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
)
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELS = "http://schemas.openxmlformats.org/package/2006/relationships"
_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/></Types>'
)
_STYLES = (
    f'<styleSheet {_NS}><fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="1"><fill><patternFill patternType="none"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)


class Builder:
    """Write the bare copy for the engine: values, formulas with the MLSIM calls taken out, helper cells."""

    def __init__(self, book: Book, sizes: Mapping[Size, tuple[int, int]]) -> None:
        self.book, self.sizes = book, sizes
        self.instances: list[Instance] = []
        self.measures: dict[Size, Place] = {}  # cells that hold an array's size
        taken = {name.lower() for name, _ in book.workbook.sheets}
        self.helper_name, self.block_name = (_free(name, taken) for name in ("mlsim_h", "mlsim_b"))
        self.helper, self.block = len(book.names), len(book.names) + 1
        self.rows: dict[int, dict[int, list[tuple[int, str]]]] = {self.helper: {}, self.block: {}}
        self.next_block = 1
        self.plain_checks: dict[tuple[int, Any], tuple[int, int, int, str]] = {}
        self.counter = 0
        self.by_sheet: dict[int, list[int]] = {}
        for number, formula in enumerate(book.formulas):
            self.by_sheet.setdefault(formula.sheet, []).append(number)
        self.strings: dict[str, int] = {}
        self.texts: dict[int, str] = {}

    def build(self) -> Any:
        """Return the engine's model, loaded, not yet evaluated."""
        book = self.book
        bodies = [self.sheet_body(i) for i in range(len(book.sheets))]
        import ironcalc

        try:
            with tempfile.TemporaryDirectory(prefix="mlsim-") as folder:
                path = os.path.join(folder, BARE)
                self.write(path, bodies)
                return run_engine(lambda: ironcalc.load_from_xlsx(path, "en", "UTC", "en"))
        except OSError as error:
            why = f"the temporary folder {tempfile.gettempdir()} cannot be written: {error.strerror or error}"
            raise RecalcError(f"{book.package.path.name} was not worked out: {why}.") from None

    # --- formulas ---

    def formula(self, number: int) -> list[tuple[int, int, str]]:
        """Return (row, column, XML) of the cells of one formula."""
        book = self.book
        formula = book.formulas[number]
        plan = formula.plan
        formula.first = len(self.instances)
        inline = {p.call for p in plan.pieces if isinstance(p, fx.Nested)} if not plan.whole else set()
        for call in plan.calls:
            for arg in call.args:
                if isinstance(arg, fx.Expression):
                    inline.update(p.call for p in arg.pieces if isinstance(p, fx.Nested))
        self.texts = {}
        for k, call in enumerate(plan.calls):
            self.instance(number, k, call, k in inline)
        if plan.whole:
            whole = self.instances[-1]
            whole.target = (formula.sheet, *formula.cells)
            whole.takes_array = False
            if formula.dynamic:
                whole.dynamic, whole.blocked = (formula.sheet, formula.row, formula.col), bool(formula.blocked)
            return self.cached_cells(formula)
        text = self.render(plan.pieces, formula, False)
        if not formula.blocked:
            self.plain_checks.setdefault((id(plan), None), (formula.sheet, formula.row, formula.col, text))
        if formula.area is None:
            one = (formula.row, formula.col, formula.row, formula.col) if plan.mapped else None
            return [(formula.row, formula.col, _formula_xml(formula.row, formula.col, text, one))]
        return self.array_formula(formula, number, text)

    def cached_cells(self, formula: Formula) -> list[tuple[int, int, str]]:
        """Start a call's cells from the cached values, which are mostly right already."""
        top, left, bottom, right = formula.cells
        if (top, left) == (bottom, right):
            cell = self.book.cells[formula.sheet][top, left]
            xml = self.constant(cell)
            return [(top, left, xml)] if xml else []
        found = []
        for row in range(top, bottom + 1):
            for col in range(left, right + 1):
                other = self.book.cells[formula.sheet].get((row, col))
                if other is not None and (xml := self.constant(other)):
                    found.append((row, col, xml))
        return found

    def array_formula(self, formula: Formula, number: int, text: str) -> list[tuple[int, int, str]]:
        """Write an array formula; the engine neither repeats single rows nor pads with #N/A, so do it here."""
        assert formula.area is not None
        top, left, bottom, right = formula.area
        height, width = bottom - top + 1, right - left + 1
        if formula.dynamic:
            self.measure((formula.sheet, top, left), formula, self.render(formula.plan.pieces, formula, True))
            if formula.blocked:
                return [(top, left, f'<c r="{column_name(left)}{top}" t="e"><v>#VALUE!</v></c>')]
            return [(top, left, _formula_xml(top, left, text, formula.area))]
        if height == width == 1:
            return [(top, left, _formula_xml(top, left, text, (top, left, top, left)))]
        key = ("array", number)
        self.measure(key, formula, self.render(formula.plan.pieces, formula, True))
        rows, cols = self.sizes.get(key, (1, 1))
        if (rows, cols) == (1, 1):
            return [(top, left, _formula_xml(top, left, text, formula.area))]
        down = [(r, r) for r in range(top, bottom + 1)] if rows == 1 else [(top, min(bottom, top + rows - 1))]
        across = [(c, c) for c in range(left, right + 1)] if cols == 1 else [(left, min(right, left + cols - 1))]
        found = [(r1, c1, _formula_xml(r1, c1, text, (r1, c1, r2, c2))) for r1, r2 in down for c1, c2 in across]
        for row in range(top, bottom + 1):
            for col in range(left, right + 1):
                if row > down[-1][1] or col > across[-1][1]:
                    ref = f"{column_name(col)}{row}"
                    found.append((row, col, f'<c r="{ref}" t="e"><v>#N/A</v></c>'))
        return found

    def measure(self, key: Size, formula: Formula, text: str) -> None:
        """Put the size of an array expression into two helper cells."""
        row, col = formula.row, self.helper_column(formula.row)
        self.add(self.helper, row, col, _formula_xml(row, col, f"IFERROR(ROWS({text}),1)"))
        self.helper_column(formula.row)
        self.add(self.helper, row, col + 1, _formula_xml(row, col + 1, f"IFERROR(COLUMNS({text}),1)"))
        self.measures[key] = (self.helper, row, col)

    def instance(self, number: int, k: int, call: fx.Call, inline: bool) -> None:
        """Set up one call: where its arguments come from and where its result goes."""
        book = self.book
        formula = book.formulas[number]
        specs: list[tuple[Any, ...]] = []
        static = direct = True
        owner = book.owner
        for arg in call.args:
            kind = arg.__class__
            if kind is fx.Area:
                place = book.spread(arg, formula)  # type: ignore[arg-type]
                sheet, top, left = place[:3]
                if arg.last is None and arg.kind == "ref":  # type: ignore[union-attr]
                    specs.append((CELL, sheet, top, left))
                    source = owner[sheet].get((top, left))
                    if source is not None:
                        static = False
                        direct = direct and book.formulas[source].plan.whole
                else:
                    specs.append((AREA, *place))
                    static, direct = static and not owner[sheet], direct and not owner[sheet]
            elif kind is fx.Constant:
                specs.append((CONST, arg.value))  # type: ignore[union-attr]
            elif kind is fx.Nested:
                specs.append((CALL, formula.first + arg.call))  # type: ignore[union-attr]
                static = False
            else:
                assert isinstance(arg, fx.Expression)
                specs.append(self.expression(arg, formula))
                static = direct = False
        instance = Instance(call.name, call.depth, number, specs, static, direct)
        if inline:
            instance.takes_array = call.takes_array
            own = ("call", len(self.instances))
            rows, cols = self.sizes.get(own, (1, 1)) if call.takes_array else (1, 1)
            top = self.new_block(rows)
            instance.target = (self.block, top, 1, top + rows - 1, cols)
            self.texts[k] = self.block_text(top, rows, cols)
        self.instances.append(instance)

    def expression(self, arg: fx.Expression, formula: Formula) -> tuple[Any, ...]:
        """Put an argument expression into a helper cell, or into a block when it may be an array."""
        text = self.render(arg.pieces, formula, True)
        check = (id(formula.plan), arg)
        if not arg.array:
            row, col = formula.row, self.helper_column(formula.row)
            self.add(self.helper, row, col, _formula_xml(row, col, text))
            self.plain_checks.setdefault(check, (self.helper, row, col, text))
            return (CELL, self.helper, row, col)
        self.counter += 1
        key = ("argument", self.counter)
        self.measure(key, formula, text)
        rows, cols = self.sizes.get(key, (1, 1))
        top = self.new_block(rows)
        self.add(self.block, top, 1, _formula_xml(top, 1, text, (top, 1, top + rows - 1, cols)))
        self.plain_checks.setdefault(check, (self.block, top, 1, text))
        return (BLOCK, self.block, top, 1, top + rows - 1, cols)

    def new_block(self, rows: int) -> int:
        """Take rows of the block sheet; return the first."""
        top = self.next_block
        self.next_block += rows
        if self.next_block > 1_048_000:
            raise RecalcError("The workbook has too many array results inside other formulas.")
        return top

    def block_text(self, top: int, rows: int, cols: int) -> str:
        """Return the reference to a block, as a formula writes it."""
        first = f"'{self.block_name}'!$A${top}"
        return first if rows == cols == 1 else f"{first}:${column_name(cols)}${top + rows - 1}"

    def helper_column(self, row: int) -> int:
        """Return the next free column of a row of the helper sheet."""
        return len(self.rows[self.helper].setdefault(row, [])) + 1

    def add(self, sheet: int, row: int, col: int, xml: str) -> None:
        """Add the XML of a cell."""
        self.rows[sheet].setdefault(row, []).append((col, xml))

    def render(self, pieces: Sequence[fx.Piece], formula: Formula, helper: bool) -> str:
        """Return the text of a formula for the engine; on a helper sheet references get their sheet."""
        book = self.book
        out: list[str] = []
        for piece in pieces:
            if isinstance(piece, str):
                out.append(piece)
            elif isinstance(piece, int):
                out.append(formula.refs[piece])
            elif isinstance(piece, fx.Nested):
                out.append(self.texts[piece.call])
            elif isinstance(piece, fx.Random):
                out.append(f"{random.random():.15f}")
            elif isinstance(piece, fx.Qualifier):
                if helper:
                    out.append(book.prefix[formula.sheet])
            else:
                out.append(f"{book.prefix[formula.sheet]}{column_name(formula.col)}{formula.row}")
        return "".join(out)

    # --- the package ---

    def sheet_body(self, index: int) -> str:
        """Return the rows of one sheet for the engine."""
        book = self.book
        owner = book.owner[index]
        anchors: dict[int, list[tuple[int, str]]] = {}
        hidden = {row.number for row in book.sheets[index].rows if row.hidden}
        for number in self.by_sheet.get(index, ()):
            for row, col, xml in self.formula(number):
                anchors.setdefault(row, []).append((col, xml))
        ghosts = book.ghosts[index]
        for source in book.sheets[index].rows:
            for cell in source.cells:
                place = (cell.row, cell.col)
                if cell.value is not None and place not in owner and place not in ghosts:
                    xml = self.constant(cell)
                    if xml:
                        anchors.setdefault(source.number, []).append((cell.col, xml))
        return _rows_xml(anchors, hidden)

    def constant(self, cell: Cell) -> str:
        """Return the XML of a cell without a formula."""
        if cell.value is None:
            return ""
        ref = f"{column_name(cell.col)}{cell.row}"
        kind, text = cell.type, cell.value
        if kind == "n":
            return f'<c r="{ref}"><v>{text}</v></c>' if text.strip() else ""
        if kind == "s":
            try:
                text = self.book.workbook.strings[int(text)]
            except (ValueError, IndexError):
                where = f"{self.book.package.path.name} is damaged: the cell {ref}"
                raise RecalcError(f"{where} refers to a text that does not exist.") from None
        elif kind == "d":
            return f'<c r="{ref}"><v>{_serial(text, ref)}</v></c>'
        elif kind in ("b", "e"):
            return f'<c r="{ref}" t="{kind}"><v>{escape(text)}</v></c>'
        else:
            text = unescape(text)
        return f'<c r="{ref}" t="s"><v>{self.string(text)}</v></c>'

    def string(self, text: str) -> int:
        """Return the number of a shared string."""
        return self.strings.setdefault(text, len(self.strings))

    def write(self, path: str, bodies: list[str]) -> None:
        """Write the copy as a minimal package."""
        book = self.book
        names = [*book.names, self.helper_name, self.block_name]
        bodies = [*bodies, _rows_xml(self.rows[self.helper], set()), _rows_xml(self.rows[self.block], set())]
        listed = "".join(
            f'<sheet name="{_attribute(name)}" sheetId="{i}" r:id="rId{i}"/>' for i, name in enumerate(names, 1)
        )
        related = "".join(
            f'<Relationship Id="rId{i}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{i}.xml"/>'
            for i in range(1, len(names) + 1)
        )
        related += f'<Relationship Id="rIdA" Type="{_OFFICE}/styles" Target="styles.xml"/>'
        related += f'<Relationship Id="rIdB" Type="{_OFFICE}/sharedStrings" Target="sharedStrings.xml"/>'
        strings = "".join(f'<si><t xml:space="preserve">{escape(s)}</t></si>' for s in self.strings)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            put = archive.writestr
            put("[Content_Types].xml", _TYPES)
            put("_rels/.rels", f'<Relationships xmlns="{_RELS}"><Relationship Id="rId1" '
                f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>')  # fmt: skip
            put("xl/workbook.xml", f"<workbook {_NS}><sheets>{listed}</sheets></workbook>")
            put("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{_RELS}">{related}</Relationships>')
            put("xl/styles.xml", _STYLES)
            put("xl/sharedStrings.xml", f"<sst {_NS}>{strings}</sst>")
            for i, body in enumerate(bodies, 1):
                sheet = f"<worksheet {_NS}><sheetData>{body}</sheetData></worksheet>"
                put(f"xl/worksheets/sheet{i}.xml", sheet)

    def misread(self, model: Any) -> dict[Place, str]:
        """Return the formulas that the engine reads differently from how they were written.

        Its parser drops what it does not understand at the end of a formula, without an error.
        """
        found: dict[Place, str] = {}
        wrong = {}
        for (plan, _), (sheet, row, col, text) in self.plain_checks.items():
            read = model.get_cell_content(sheet, row, col)
            if _signature(read) != _signature(text):
                wrong[plan] = f"holds a formula that the embedded engine misreads (as {read[:120]})"
        for f in self.book.formulas if wrong else ():
            if id(f.plan) in wrong:
                found[f.sheet, f.row, f.col] = wrong[id(f.plan)]
        return found


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name


def _attribute(text: str) -> str:
    return escape(text).replace('"', "&quot;")


def _serial(text: str, ref: str) -> str:
    try:
        moment = datetime.fromisoformat(text.strip().replace("Z", "+00:00")).replace(tzinfo=None)
    except ValueError:
        raise RecalcError(f"The cell {ref} holds a date that cannot be read ({text[:40]}).") from None
    return repr((moment - datetime(1899, 12, 30)).total_seconds() / 86_400)


def _formula_xml(row: int, col: int, text: str, area: Rectangle | None = None) -> str:
    ref = f"{column_name(col)}{row}"
    body = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    kind = ""
    if area is not None:
        kind = f' t="array" ref="{column_name(area[1])}{area[0]}:{column_name(area[3])}{area[2]}"'
    return f'<c r="{ref}"><f{kind}>{body}</f><v>0</v></c>'  # the engine warns on a formula without a value


def _rows_xml(rows: Mapping[int, list[tuple[int, str]]], hidden: set[int]) -> str:
    out = []
    for number in sorted(rows.keys() | hidden):
        cells = sorted(rows.get(number, ()))
        flag = ' hidden="1"' if number in hidden else ""
        out.append(f'<row r="{number}"{flag}>{"".join(xml for _, xml in cells)}</row>')
    return "".join(out)


def _signature(text: str) -> list[str]:
    """Return what must survive the engine's parser: functions, references, texts and names, in order."""
    found = []
    for token in fx.tokens(text):
        if token.kind == "func":
            name = fx.normalise(token.text)
            if name != "SINGLE":
                found.append(name + "(")
        elif token.kind in ("ref", "cols", "rows", "string", "error"):
            found.append(token.text.upper())
        elif token.kind == "word":
            found.append(fx.normalise(token.text))
    return found
