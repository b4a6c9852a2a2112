"""Mark findings in a copy of a workbook: filled cells, notes, and a sheet that lists them.

The copy is made at byte offsets. A part that takes no mark stays as the compressed bytes it is; in a part that does,
only the inserted and changed bytes differ. So whatever this module does not know (charts, slicers, macros, rich
values) survives.
"""

from __future__ import annotations

import itertools
import math
import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from xml.parsers import expat

from mlsim_workbooks.lint.finding import Finding
from mlsim_workbooks.package import (
    LAST_COLUMN,
    LAST_ROW,
    Package,
    RecalcError,
    Sheet,
    column_name,
    escape,
    parse_xml,
    position,
    read_workbook,
    relations,
    scan_sheet,
    write_package,
)

__all__ = ["annotate"]

_Place = tuple[int, int]  # row, column, from 1
_Edit = tuple[int, int, bytes]  # start, end, replacement

_HEAD = b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_STRICT_MAIN = "http://purl.oclc.org/ooxml/spreadsheetml/main"
_STRICT_OFFICE = "http://purl.oclc.org/ooxml/officeDocument/relationships"
_TYPES = {
    "worksheet": "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml",
    "comments": "application/vnd.openxmlformats-officedocument.spreadsheetml.comments+xml",
    "styles": "application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml",
    "vmlDrawing": "application/vnd.openxmlformats-officedocument.vmlDrawing",
}
_LINKS = 65_530  # Excel drops the hyperlinks of a sheet that has more
_TEXT = 16_000  # a cell holds 32,767 UTF-16 units, a character takes at most two
_AUTHOR = "mlsim"


def annotate(package: Package, findings: Sequence[Finding]) -> bytes:
    """Return a copy of a workbook in which the cells with findings are marked.

    Parameters
    ----------
    package : Package
        The workbook; it is not changed.
    findings : sequence of Finding
        What to mark. A finding whose cell is not on a worksheet of the book is listed only.

    Returns
    -------
    bytes
        The new package: a fill and a note on each cell, and a last sheet "Findings". The same input gives the same
        bytes.
    """
    book = read_workbook(package)
    strict = _STRICT_MAIN in _tree(package.read(book.part), book.part, 1).attrs.values()
    draft = _Draft(package, book.part, strict)
    styles = next((t for kind, t in book.rels.values() if kind == "styles" and t in package.members), "")
    if not styles:
        styles = draft.add(book.part, "styles", "styles{}.xml", _new_part("styleSheet", draft.main))[0]
    formats = _Formats(max(1, len(_children(_tree(draft.read(styles), styles, 3), "cellXfs"))))

    names = {name.lower(): (name, part) for name, part in reversed(book.sheets)}
    marks: dict[str, dict[_Place, list[Finding]]] = {}
    links: list[str] = []  # where each finding points; "" for nowhere
    for finding in findings:
        name, part = names.get(finding.sheet.lower(), ("", ""))
        place = _place(finding.cell)
        links.append("'" + name.replace("'", "''") + "'!" + finding.cell if part and place else "")
        if part and place:
            marks.setdefault(part, {}).setdefault(place, []).append(finding)
    for part, cells in marks.items():
        _mark_sheet(draft, part, cells, formats)

    _add_sheet(draft, [name for name, _ in book.sheets], _findings_sheet(findings, links, formats, draft.main))
    draft.parts[styles] = _with_formats(draft.read(styles), styles, formats)
    return write_package(package, draft.parts)


def _place(ref: str) -> _Place | None:
    """Return (row, column) of a reference to one cell of a worksheet, or None."""
    try:
        row, column = position(ref)
    except RecalcError:
        return None
    return (row, column) if 1 <= row <= LAST_ROW and column <= LAST_COLUMN else None


# --- editing XML at byte offsets -------------------------------------------------------------------------------

_TAG = re.compile(rb"""<[^<>"']*(?:"[^"]*"[^<>"']*|'[^']*'[^<>"']*)*>""")
_ATTR = re.compile(rb"""(\s[^\s=<>"'/]+\s*=\s*)("[^"]*"|'[^']*')""")


@dataclass(slots=True)
class _Node:
    """One element: its name, attributes and children, and where its tags lie."""

    prefix: str
    tag: str
    attrs: dict[str, str]
    at: int
    head: int  # end of the start tag
    close: int = -1  # start of the end tag; equals ``end`` in an empty-element tag
    end: int = -1
    children: list[_Node] = field(default_factory=list)


def _tree(data: bytes, part: str, depth: int, skip: str | None = None) -> _Node:
    """Return the root element with what is below it, ``depth`` levels in all, nothing inside ``skip``."""
    parser = expat.ParserCreate()
    stack = [_Node("", "", {}, 0, 0)]
    level = 0

    def start(name: str, attrs: dict[str, str]) -> None:
        nonlocal level
        level += 1
        parent = stack[-1]
        if level == len(stack) and level <= depth and parent.tag != skip:
            prefix, colon, tag = name.rpartition(":")
            at = parser.CurrentByteIndex
            node = _Node(prefix + colon, tag, attrs, at, _tag_end(data, at))
            parent.children.append(node)
            stack.append(node)

    def end(_: str) -> None:
        nonlocal level
        if level == len(stack) - 1:
            node = stack.pop()
            empty = data[node.head - 2 : node.head] == b"/>"
            node.close = node.head if empty else parser.CurrentByteIndex
            node.end = node.head if empty else data.index(b">", node.close) + 1
        level -= 1

    parse_xml(data, part, start, end, parser=parser)
    return stack[0].children[0]


def _tag_end(data: bytes, at: int) -> int:
    match = _TAG.match(data, at)
    if match is None:
        raise RecalcError("A part holds a tag that cannot be located.")
    return match.end()


def _find(node: _Node, tag: str) -> _Node | None:
    return next((child for child in node.children if child.tag == tag), None)


def _need(node: _Node, tag: str, part: str) -> _Node:
    found = _find(node, tag)
    if found is None:
        raise RecalcError(f"The part {part} is damaged: it has no element {tag}.")
    return found


def _children(node: _Node, tag: str) -> list[_Node]:
    found = _find(node, tag)
    return found.children if found else []


def _number(attrs: Mapping[str, str], name: str) -> int:
    """Return a whole number, 0 where there is none."""
    text = attrs.get(name, "")
    return int(text) if text.isdecimal() else 0


def _splice(data: bytes, edits: Iterable[_Edit]) -> bytes:
    pieces: list[bytes] = []
    at = 0
    for start, end, new in sorted(edits, key=lambda e: e[:2]):  # stable: insertions at one place keep their order
        pieces += (data[at:start], new)
        at = end
    return b"".join([*pieces, data[at:]])


def _set(tag: bytes, name: str, value: int) -> bytes:
    """Return a start tag with one attribute replaced or added; the others keep their bytes."""
    for match in _ATTR.finditer(tag):
        if match[1].strip(b" \t\r\n=") == name.encode():
            return tag[: match.start(2)] + f'"{value}"'.encode() + tag[match.end(2) :]
    close = len(tag.rstrip(b"/> \t\r\n"))
    return tag[:close] + f' {name}="{value}"'.encode() + tag[close:]


def _append(data: bytes, node: _Node, new: bytes, added: int = 0) -> list[_Edit]:
    """Return the edits that put ``new``, ``added`` elements, last into an element and keep its count right."""
    tag = data[node.at : node.head]
    if "count" in node.attrs:
        tag = _set(tag, "count", len(node.children) + added)
    if node.close == node.end:
        return [(node.at, node.end, tag[:-2] + b">" + new + f"</{node.prefix}{node.tag}>".encode())]
    return [(node.at, node.head, tag), (node.close, node.close, new)]


def _xml(text: str, prefix: str = "") -> bytes:
    """Return markup as bytes, its elements with the prefix that the part uses."""
    return (re.sub(r"<(/?)(?=\w)", rf"<\1{prefix}", text) if prefix else text).encode()


def _new_part(root: str, namespace: str, body: bytes = b"") -> bytes:
    return _HEAD + f'<{root} xmlns="{namespace}">'.encode() + body + f"</{root}>".encode()


def _attribute(text: str) -> str:
    return escape(text).replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;")


def _content(text: str) -> str:
    """Return a text element; what looks like a formula stays a text in it."""
    cut = text if len(text) <= _TEXT else text[: _TEXT - 1] + "…"
    return f'<t xml:space="preserve">{escape(cut)}</t>'


# --- the package -----------------------------------------------------------------------------------------------


@dataclass
class _Draft:
    """The parts that are new or changed so far."""

    package: Package
    book: str
    strict: bool
    parts: dict[str, bytes] = field(default_factory=dict)

    @property
    def main(self) -> str:
        """Namespace of spreadsheet elements."""
        return _STRICT_MAIN if self.strict else _MAIN

    @property
    def office(self) -> str:
        """Namespace of relationship ids."""
        return _STRICT_OFFICE if self.strict else _OFFICE

    def read(self, name: str) -> bytes:
        """Return the present bytes of a part."""
        return self.parts[name] if name in self.parts else self.package.read(name)

    def names(self) -> list[str]:
        """Return the names of all parts."""
        return [*self.package.members, *(name for name in self.parts if name not in self.package.members)]

    def add(self, source: str, kind: str, pattern: str, data: bytes) -> tuple[str, str]:
        """Add a part that ``source`` refers to; return its name and the id of the relationship."""
        taken = {name.lower() for name in self.names()}
        folder = posixpath.dirname(self.book)
        numbers = itertools.count(0 if kind == "styles" else 1)  # some readers look for styles.xml by name
        tries = (posixpath.join(folder, pattern.format(n or "")) for n in numbers)
        name = next(name for name in tries if name.lower() not in taken)
        self.parts[name] = data
        self._declare(name, kind)
        return name, self._relate(source, kind, name)

    def _relate(self, source: str, kind: str, target: str) -> str:
        path = PurePosixPath(source)
        name = str(path.parent / "_rels" / f"{path.name}.rels")
        namespace = "http://schemas.openxmlformats.org/package/2006/relationships"
        data = self.read(name) if name in self.names() else _new_part("Relationships", namespace)
        root = _tree(data, name, 2)
        used = {child.attrs.get("Id") for child in root.children}
        rid = next(f"rId{n}" for n in itertools.count(1) if f"rId{n}" not in used)
        where = _attribute(posixpath.relpath("/" + target, "/" + posixpath.dirname(source)))
        new = _xml(f'<Relationship Id="{rid}" Type="{self.office}/{kind}" Target="{where}"/>', root.prefix)
        self.parts[name] = _splice(data, _append(data, root, new))
        return rid

    def _declare(self, name: str, kind: str) -> None:
        types = next((n for n in self.names() if n.lower() == "[content_types].xml"), None)
        if types is None:
            raise RecalcError(f"{self.package.path.name} is damaged: it has no content types.")
        data = self.read(types)
        root = _tree(data, types, 2)
        if kind == "vmlDrawing":
            if any(child.attrs.get("Extension", "").lower() == "vml" for child in root.children):
                return
            new = f'<Default Extension="vml" ContentType="{_TYPES[kind]}"/>'
        else:
            new = f'<Override PartName="/{_attribute(name)}" ContentType="{_TYPES[kind]}"/>'
        self.parts[types] = _splice(data, _append(data, root, _xml(new, root.prefix)))


def _reference(root: _Node, office: str, rid: str) -> str:
    """Return the attribute that holds a relationship id, with the prefix that the part declares."""
    spaces = (key[6:] for key, value in root.attrs.items() if key.startswith("xmlns:") and value == office)
    prefix = next(spaces, None)
    return f'{prefix}:id="{rid}"' if prefix else f'xmlns:r="{office}" r:id="{rid}"'


def _add_sheet(draft: _Draft, names: Sequence[str], data: bytes) -> None:
    """Put the list of findings last, so that the sheet numbers in defined names stay right."""
    _, rid = draft.add(draft.book, "worksheet", "worksheets/sheet{}.xml", data)
    taken = {name.lower() for name in names}
    tries = ("Findings" + (f" {n}" if n > 1 else "") for n in itertools.count(1))
    name = next(name for name in tries if name.lower() not in taken)
    book = draft.read(draft.book)
    root = _tree(book, draft.book, 3)
    sheets = _need(root, "sheets", draft.book)
    ids = [_number(sheet.attrs, "sheetId") for sheet in sheets.children]
    new = f'<sheet name="{name}" sheetId="{max(ids, default=0) + 1}" {_reference(root, draft.office, rid)}/>'
    draft.parts[draft.book] = _splice(book, _append(book, sheets, _xml(new, sheets.prefix)))


# --- formats ---------------------------------------------------------------------------------------------------

_FILLS = {"error": "FFFFC7CE", "warning": "FFFFEB9C", "header": "FFD9E1F2"}
_FILL = '<fill><patternFill patternType="solid"><fgColor rgb="{}"/><bgColor indexed="64"/></patternFill></fill>'
_FONTS = {  # of the list; Excel wants b, u, sz, color, name in this order
    "header": '<b/><sz val="11"/>',
    "link": '<u/><sz val="11"/><color rgb="FF0563C1"/>',
    **dict.fromkeys(("text", "error", "warning"), '<sz val="11"/>'),
}
_SECTIONS = [
    "numFmts", "fonts", "fills", "borders", "cellStyleXfs", "cellXfs", "cellStyles", "dxfs", "tableStyles", "colors",
    "extLst",
]  # fmt: skip
_CALIBRI = '<sz val="11"/><name val="Calibri"/><family val="2"/>'
_FIRST = {  # what a section must begin with: Excel takes fills 0 and 1 for these two, whatever the part says
    "fonts": [f"<font>{_CALIBRI}</font>"],
    "fills": ['<fill><patternFill patternType="none"/></fill>', '<fill><patternFill patternType="gray125"/></fill>'],
    "borders": ["<border><left/><right/><top/><bottom/><diagonal/></border>"],
    "cellXfs": ['<xf numFmtId="0" fontId="0" fillId="0" borderId="0"/>'],
}


@dataclass
class _Formats:
    """The cell formats asked for: (format to start from or -1, look) -> index, after those that exist."""

    count: int
    wanted: dict[tuple[int, str], int] = field(default_factory=dict)

    def index(self, look: str, base: int = -1) -> int:
        """Return the index of a format with a look."""
        base = base if base < self.count else 0
        return self.wanted.setdefault((base, look), self.count + len(self.wanted))


def _with_formats(data: bytes, part: str, formats: _Formats) -> bytes:
    """Return the styles part with the formats asked for at its end; no existing index moves."""
    root = _tree(data, part, 3)
    if root.close == root.end:  # <styleSheet/>
        return _with_formats(_splice(data, _append(data, root, b"")), part, formats)
    looks = {look for _, look in formats.wanted}
    fonts = {look: n for n, look in enumerate(sorted(looks & set(_FONTS)))}
    fills = {look: n for n, look in enumerate(sorted(looks & set(_FILLS)))}
    old_xfs = [data[xf.at : xf.end] for xf in _children(root, "cellXfs")] or [_xml(_FIRST["cellXfs"][0], root.prefix)]
    old_fonts = _children(root, "fonts")
    own = data[old_fonts[0].at : old_fonts[0].end] if old_fonts else b""  # the list looks like the rest of the book
    edits: list[_Edit] = []
    first_font = _grow(data, root, "fonts", [_xml(_font(own, look), root.prefix) for look in fonts], edits)
    first_fill = _grow(data, root, "fills", [_xml(_FILL.format(_FILLS[look]), root.prefix) for look in fills], edits)
    _grow(data, root, "borders", [], edits)
    xfs: list[bytes] = []
    for base, look in formats.wanted:
        fill = first_fill + fills[look] if look in fills else 0
        if base >= 0:
            xfs.append(_filled(old_xfs[base], fill))
            continue
        font = first_font + fonts[look] if look in fonts else 0
        parent = ' xfId="0"' if _children(root, "cellStyleXfs") else ""
        xf = (
            f'<xf numFmtId="0" fontId="{font}" fillId="{fill}" borderId="0"{parent} applyFont="1" applyFill="1" '
            'applyAlignment="1"><alignment vertical="top" wrapText="1"/></xf>'
        )
        xfs.append(_xml(xf, root.prefix))
    _grow(data, root, "cellXfs", xfs, edits)
    return _splice(data, edits)


def _font(own: bytes, look: str) -> str:
    """Return the font of a look, in the typeface of the book's first font."""
    found = re.search(rb"<(?:\w+:)?(name\s[^<>]*/>)", own)
    name = found[1].decode() if found else 'name val="Calibri"/>'
    return f"<font>{_FONTS[look]}<{name}</font>"


def _filled(xf: bytes, fill: int) -> bytes:
    """Return a copy of a cell format with another fill."""
    head = _tag_end(xf, 0)
    return _set(_set(xf[:head], "fillId", fill), "applyFill", 1) + xf[head:]


def _grow(data: bytes, root: _Node, name: str, new: Sequence[bytes], edits: list[_Edit]) -> int:
    """Put elements at the end of a section of the styles part; return the index of the first."""
    section = _find(root, name)
    old = len(section.children) if section else 0
    first = [_xml(element, root.prefix) for element in _FIRST[name][old:]]
    body, added = b"".join([*first, *new]), len(first) + len(new)
    if section:
        edits += _append(data, section, body, added) if added else []
    elif added:
        earlier = [n.end for n in root.children if n.tag in _SECTIONS[: _SECTIONS.index(name)]]
        at = max(earlier, default=root.head)
        edits.append((at, at, _xml(f'<{name} count="{added}">', root.prefix) + body + _xml(f"</{name}>", root.prefix)))
    return old + len(first)


# --- a worksheet with marks ------------------------------------------------------------------------------------

# what stands behind <legacyDrawing> in a worksheet
_BEHIND = (
    "legacyDrawingHF", "drawingHF", "picture", "oleObjects", "controls", "webPublishItems", "tableParts", "extLst",
)  # fmt: skip
_BEHIND_INSIDE = re.compile(rb"<(?:\w+:)?(?:" + "|".join(_BEHIND).encode() + rb")\b")


def _mark_sheet(draft: _Draft, part: str, marks: Mapping[_Place, Sequence[Finding]], formats: _Formats) -> None:
    """Fill the cells of a worksheet and give them notes."""
    data = draft.read(part)
    root = _tree(data, part, 3, skip="sheetData")
    worst = {
        place: "error" if any(f.severity == "error" for f in found) else "warning" for place, found in marks.items()
    }
    edits = _fill_cells(scan_sheet(data, part), root, worst, formats)
    rels = relations(draft.package, part)
    threaded = _threaded(draft, [t for kind, t in rels.values() if kind == "threadedComment"])
    notes = {place: _note(found) for place, found in sorted(marks.items()) if place not in threaded}
    comments = next((t for kind, t in rels.values() if kind == "comments" and t in draft.package.members), "")
    if comments:
        notes = _add_notes(draft, comments, notes)
    elif notes:
        empty = _new_part("comments", draft.main, b"<authors></authors><commentList></commentList>")
        _add_notes(draft, draft.add(part, "comments", "comments{}.xml", empty)[0], notes)
    if notes:
        edits += _add_boxes(draft, part, root, rels, notes)
    draft.parts[part] = _splice(data, edits)


def _fill_cells(sheet: Sheet, root: _Node, worst: Mapping[_Place, str], formats: _Formats) -> list[_Edit]:
    """Return the edits that give cells a format with a fill; a cell that has no element yet gets one."""
    data, edits = sheet.data, list[_Edit]()
    left = dict(sorted(worst.items()))
    for cell in itertools.chain.from_iterable(row.cells for row in sheet.rows):
        look = left.pop((cell.row, cell.col), "")
        if look:
            head = _tag_end(data, cell.at)
            edits.append((cell.at, head, _set(data[cell.at : head], "s", formats.index(look, cell.style))))
    rows = {row.number: row for row in reversed(sheet.rows)}
    missing = list[tuple[int, bytes]]()  # rows that have no element yet
    for number, places in itertools.groupby(left, key=lambda place: place[0]):
        row = rows.get(number)
        head = _tag_end(data, row.at) if row else 0
        own = _row_style(data[row.at : head]) if row else None
        cells: list[tuple[int, bytes]] = []
        for _, column in places:
            style = formats.index(left[number, column], _column_style(root, column) if own is None else own)
            cells.append((column, _xml(f'<c r="{column_name(column)}{number}" s="{style}"/>', sheet.prefix)))
        body = b"".join(new for _, new in cells)
        if row is None:
            tags = _xml(f'<row r="{number}">', sheet.prefix), _xml("</row>", sheet.prefix)
            missing.append((number, tags[0] + body + tags[1]))
        elif data[head - 2 : head] == b"/>":
            edits += _append(data, _Node(sheet.prefix, "row", {}, row.at, head, head, head), body)
        else:
            places_in_row = ((next((c.at for c in row.cells if c.col > col), row.end), new) for col, new in cells)
            edits += [(at, at, new) for at, new in places_in_row]
    return edits + _insert_rows(sheet, _need(root, "sheetData", sheet.part), missing)


def _insert_rows(sheet: Sheet, parent: _Node, rows: Sequence[tuple[int, bytes]]) -> list[_Edit]:
    if parent.close == parent.end:  # <sheetData/>
        return _append(sheet.data, parent, b"".join(new for _, new in rows)) if rows else []
    places = [min((r.at for r in sheet.rows if r.number > number), default=parent.close) for number, _ in rows]
    return [(at, at, new) for at, (_, new) in zip(places, rows, strict=True)]


def _row_style(tag: bytes) -> int | None:
    """Return the format of a whole row, or None."""
    attrs = {m[1].decode().strip(" \t\r\n="): m[2][1:-1].decode() for m in _ATTR.finditer(tag)}
    return _number(attrs, "s") if attrs.get("customFormat") in ("1", "true") else None


def _column_style(root: _Node, column: int) -> int:
    """Return the format that empty cells of a column have."""
    return _number(_column(root, column), "style")


def _column(worksheet: _Node, column: int) -> dict[str, str]:
    """Return what a worksheet says of a column, nothing where it says nothing."""
    for col in _children(worksheet, "cols"):
        if _number(col.attrs, "min") <= column <= _number(col.attrs, "max"):
            return col.attrs
    return {}


# --- notes -----------------------------------------------------------------------------------------------------


def _note(findings: Sequence[Finding]) -> str:
    """Return the text of the note on one cell."""
    texts = [f"{f.rule}: {f.message}" + (f"\nFix: {f.suggestion}" if f.suggestion else "") for f in findings]
    return "\n\n".join(texts)


def _threaded(draft: _Draft, parts: Iterable[str]) -> set[_Place | None]:
    """Return the cells with threaded comments; Excel owns their legacy entries and would undo a change."""
    names = [part for part in parts if part in draft.package.members]
    threads = [node for part in names for node in _tree(draft.read(part), part, 2).children]
    return {_place(node.attrs.get("ref", "")) for node in threads}


def _run(text: str) -> str:
    look = '<sz val="9"/><color indexed="81"/><rFont val="Tahoma"/><family val="2"/>'
    return f"<r><rPr>{look}</rPr>{_content(text)}</r>"


def _add_notes(draft: _Draft, part: str, notes: Mapping[_Place, str]) -> dict[_Place, str]:
    """Add notes to a comments part; return those that were added, without the ones on threaded comments."""
    data = draft.read(part)
    root = _tree(data, part, 5)
    authors, entries = _need(root, "authors", part), _need(root, "commentList", part)
    known = [data[node.head : node.close].decode() for node in authors.children]
    old = {_place(node.attrs.get("ref", "")): node for node in reversed(entries.children)}
    edits: list[_Edit] = []
    new: list[str] = []
    added: dict[_Place, str] = {}
    author = known.index(_AUTHOR) if _AUTHOR in known else len(known)
    for place, text in notes.items():
        entry = old.get(place)
        if entry is None:
            ref = f"{column_name(place[1])}{place[0]}"
            new.append(f'<comment ref="{ref}" authorId="{author}" shapeId="0"><text>{_run(text)}</text></comment>')
        elif _is_threaded(data, entry, known):
            continue
        else:
            edits += _extend_note(data, _need(entry, "text", part), text)
        added[place] = text
    if new and author == len(known):
        edits += _append(data, authors, _xml(f"<author>{_AUTHOR}</author>", root.prefix))
    edits += _append(data, entries, _xml("".join(new), root.prefix)) if new else []
    draft.parts[part] = _splice(data, edits)
    return added


def _is_threaded(data: bytes, entry: _Node, authors: Sequence[str]) -> bool:
    number = entry.attrs.get("authorId", "")
    author = authors[int(number)] if number.isdecimal() and int(number) < len(authors) else ""
    return author.startswith("tc=") or b"[Threaded comment]" in data[entry.head : entry.close]


def _extend_note(data: bytes, text: _Node, more: str) -> list[_Edit]:
    """Return the edits that put a run behind the runs of a note; a plain text becomes a run first."""
    shown = [node for node in text.children if node.tag in ("t", "r")]
    new = _xml(_run(("\n\n" if shown else "") + more), text.prefix)
    if not shown:
        return _append(data, text, new) if text.close == text.end else [(text.head, text.head, new)]
    edits = [(shown[-1].end, shown[-1].end, new)]
    for node in shown:
        if node.tag == "t":
            opening, closing = _xml("<r>", text.prefix), _xml("</r>", text.prefix)
            edits = [(node.at, node.at, opening), (node.end, node.end, closing), *edits]
    return edits


# --- the boxes of notes ----------------------------------------------------------------------------------------

_SPACES = {
    "v": "urn:schemas-microsoft-com:vml",
    "o": "urn:schemas-microsoft-com:office:office",
    "x": "urn:schemas-microsoft-com:office:excel",
}
_SHAPE_TYPE = (
    '<v:shapetype{} id="_x0000_t202" coordsize="21600,21600" o:spt="202" path="m,l,21600r21600,l21600,xe">'
    '<v:stroke joinstyle="miter"/><v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>'
)
_SHAPE = (
    '<v:shape{} id="_x0000_s{}" type="#_x0000_t202" style="position:absolute;z-index:1;visibility:hidden" '
    'fillcolor="#ffffe1" o:insetmode="auto"><v:fill color2="#ffffe1"/><v:shadow on="t" color="black" obscured="t"/>'
    '<v:path o:connecttype="none"/><v:textbox style="mso-direction-alt:auto"><div style="text-align:left"></div>'
    '</v:textbox><x:ClientData ObjectType="Note"><x:MoveWithCells/><x:SizeWithCells/><x:Anchor>{}</x:Anchor>'
    "<x:AutoFill>False</x:AutoFill><x:Row>{}</x:Row><x:Column>{}</x:Column></x:ClientData></v:shape>"
)
_CLIENT = re.compile(rb"""<(\w+:)?ClientData\s[^>]*ObjectType\s*=\s*["']Note["'][^>]*>.*?</\1?ClientData\s*>""", re.S)
_HAS_SHAPE_TYPE = re.compile(rb"""shapetype\s(?:[^>]*\s)?id\s*=\s*["']_x0000_t202["']""")
_FIELD = re.compile(rb"<(?:\w+:)?(Row|Column|Anchor)\s*>([^<]*)<")
_BOX, _WIDE = 270, 42  # width of a new box in pixels, and in characters, about


def _add_boxes(
    draft: _Draft, part: str, root: _Node, rels: Mapping[str, tuple[str, str]], notes: Mapping[_Place, str]
) -> list[_Edit]:
    """Give notes their hidden boxes, without which Excel does not show them; return the edits of the worksheet."""
    drawing = _find(root, "legacyDrawing")
    rid = next((v for k, v in drawing.attrs.items() if k.endswith(":id")), "") if drawing else ""
    target = rels.get(rid, ("", ""))[1]
    if target in draft.package.members:
        draft.parts[target] = _with_boxes(draft.read(target), notes, root)
        return []
    blocks = [block for name in draft.names() if name.lower().endswith(".vml") for block in _blocks(draft.read(name))]
    first = max(blocks, default=0) + 1
    spaces = "".join(f' xmlns:{prefix}="{space}"' for prefix, space in _SPACES.items())
    ids = ",".join(str(first + n) for n in range(1 + len(notes) // 1024))
    layout = f'<o:shapelayout v:ext="edit"><o:idmap v:ext="edit" data="{ids}"/></o:shapelayout>'
    new = _with_boxes(f"<xml{spaces}>{layout}</xml>".encode(), notes, root)
    _, rid = draft.add(part, "vmlDrawing", "drawings/vmlDrawing{}.vml", new)
    element = _xml(f"<legacyDrawing {_reference(root, draft.office, rid)}/>", root.prefix)
    data = draft.read(part)
    if drawing:  # it points nowhere
        return [(drawing.at, drawing.end, element)]
    behind = (n.at for n in root.children if n.tag in _BEHIND or _holds_behind(data, n))
    at = min(behind, default=root.close)
    return [(at, at, element)]


def _holds_behind(data: bytes, node: _Node) -> bool:
    """Tell whether an alternate-content block stands for an element behind <legacyDrawing>."""
    return node.tag == "AlternateContent" and _BEHIND_INSIDE.search(data, node.head, node.close) is not None


def _blocks(data: bytes) -> list[int]:
    """Return the blocks of 1024 shape ids that a drawing claims; two sheets must not share one."""
    found = re.findall(rb"""idmap\s[^>]*data\s*=\s*["']([\d,\s]*)""", data)
    return [int(number) for text in found for number in re.findall(rb"\d+", text)]


def _with_boxes(data: bytes, notes: Mapping[_Place, str], worksheet: _Node) -> bytes:
    """Return a VML drawing with a box for each note; a box that is there grows with its text.

    Excel's own VML need not be well-formed XML (``<br>``), so it is searched, not parsed.
    """
    edits: list[_Edit] = []
    boxed: set[_Place] = set()
    for client in _CLIENT.finditer(data):
        fields = {m[1]: m for m in _FIELD.finditer(data, client.start(), client.end())}
        row, column = (fields[tag][2].strip() if tag in fields else b"" for tag in (b"Row", b"Column"))
        if row.isdigit() and column.isdigit():
            place = int(row) + 1, int(column) + 1
            if place in notes and place not in boxed and b"Anchor" in fields:
                edits += _taller(fields[b"Anchor"], notes[place])
            boxed.add(place)
    top = re.search(rb"<\w[^>]*>", data)
    declared = top[0] if top else b""
    spaces = "".join(
        f' xmlns:{p}="{space}"' for p, space in _SPACES.items() if f'{p}="{space}"'.encode() not in declared
    )
    used = [int(n) for n in re.findall(rb"_x0000_s(\d+)", data)]
    number = max([1024 * min(_blocks(data), default=1), *used])
    shapes = [
        _SHAPE.format(spaces, number + n, _anchor(place, text, worksheet), place[0] - 1, place[1] - 1)
        for n, (place, text) in enumerate(((p, t) for p, t in notes.items() if p not in boxed), start=1)
    ]
    if shapes:
        kind = "" if _HAS_SHAPE_TYPE.search(data) else _SHAPE_TYPE.format(spaces)
        end = data.rfind(b"</")  # of the root element
        if end < 0:
            raise RecalcError("A drawing of notes is damaged: it has no end.")
        edits.append((end, end, (kind + "".join(shapes)).encode()))
    return _splice(data, edits)


def _lines(text: str, wide: int) -> int:
    """Return how many lines a text takes, about."""
    return sum(max(1, math.ceil(len(line) / wide)) for line in text.split("\n"))


def _height(text: str, wide: int) -> int:
    """Return how many rows of a sheet a note takes."""
    return min(40, math.ceil(0.75 * _lines(text, wide)) + 1)


def _anchor(place: _Place, text: str, worksheet: _Node) -> str:
    """Return where a box lies: column, offset, row, offset of two corners; to the right of the cell where it can."""
    left = min(place[1], LAST_COLUMN - 6)
    top = max(0, min(place[0] - 2, LAST_ROW - 50))
    right, rest = left, 15 + _BOX
    for right in range(left, min(left + 40, LAST_COLUMN)):  # narrow and hidden columns take more of them
        width = _pixels(worksheet, right + 1)
        if rest <= width:
            break
        rest -= width
    return f"{left}, 15, {top}, 10, {right}, {rest}, {top + _height(text, _WIDE)}, 4"


def _pixels(worksheet: _Node, column: int) -> int:
    """Return the width of a column on the screen, about."""
    attrs = _column(worksheet, column)
    if not attrs:
        return 64
    width = re.match(r"\d+", attrs.get("width", "8"))
    return 0 if attrs.get("hidden") in ("1", "true") else 7 * int(width[0] if width else 8) + 5


def _taller(anchor: re.Match[bytes], more: str) -> list[_Edit]:
    numbers = anchor[2].split(b",")
    if len(numbers) != 8 or not numbers[6].strip().isdigit():
        return []
    bottom = min(int(numbers[6]) + _height("\n" + more, _WIDE // 2), LAST_ROW - 1)  # Excel's own boxes are narrow
    return [(*anchor.span(2), b",".join([*numbers[:6], b" %d" % bottom, numbers[7]]))]


# --- the list of findings --------------------------------------------------------------------------------------

_WIDTHS = {"Severity": 10, "Rule": 19, "Sheet": 20, "Cell": 9, "Message": 70, "Suggestion": 50}


def _findings_sheet(findings: Sequence[Finding], links: Sequence[str], formats: _Formats, main: str) -> bytes:
    """Return the worksheet that lists all findings, each with a link to its cell."""

    def row(number: int, cells: Sequence[tuple[str, str]]) -> str:
        parts = [
            f'<c r="{column_name(column)}{number}" s="{formats.index(look)}" t="inlineStr"><is>{_content(text)}</is></c>'
            for column, (text, look) in enumerate(cells, start=1)
        ]
        fits = zip((text for text, _ in cells), _WIDTHS.values(), strict=False)
        lines = max(_lines(text, width - 2) for text, width in fits)
        height = min(15 * lines, 400)  # LibreOffice does not fit rows by itself; Excel takes 409 points
        return f'<row r="{number}" ht="{height}" customHeight="1">{"".join(parts)}</row>'

    rows = [row(1, [(title, "header") for title in _WIDTHS])]
    for number, (f, link) in enumerate(zip(findings, links, strict=True), start=2):
        texts = [(f.severity, f.severity), (f.rule, "text"), (f.sheet, "text"), (f.cell, "link" if link else "text")]
        rows.append(row(number, [*texts, (f.message, "text"), (f.suggestion, "text")]))
    last, pane, filters = len(rows), "", ""
    if findings:
        pane = (
            '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
            '<selection pane="bottomLeft" activeCell="A2" sqref="A2"/>'
        )
        filters = f'<autoFilter ref="A1:F{last}"/>'
    else:
        rows, last = [row(1, [("No findings.", "text")])], 1
    targets = [
        f'<hyperlink ref="D{number}" location="{_attribute(link)}" display="{_attribute(f.cell)}"/>'
        for number, (f, link) in enumerate(zip(findings, links, strict=True), start=2)
        if link
    ][:_LINKS]
    widths = _WIDTHS.values() if findings else [20]
    columns = [f'<col min="{n}" max="{n}" width="{width}" customWidth="1"/>' for n, width in enumerate(widths, 1)]
    body = (
        '<sheetPr><pageSetUpPr fitToPage="1"/></sheetPr>'
        f'<dimension ref="A1{f":F{last}" if findings else ""}"/>'
        f'<sheetViews><sheetView showGridLines="0" workbookViewId="0">{pane}</sheetView></sheetViews>'
        f'<sheetFormatPr defaultRowHeight="15"/><cols>{"".join(columns)}</cols>'
        f"<sheetData>{''.join(rows)}</sheetData>{filters}"
        + (f"<hyperlinks>{''.join(targets)}</hyperlinks>" if targets else "")
        + '<pageMargins left="0.5" right="0.5" top="0.5" bottom="0.5" header="0.3" footer="0.3"/>'
        '<pageSetup orientation="landscape" fitToHeight="0"/>'
    )
    return _new_part("worksheet", main, body.encode())
