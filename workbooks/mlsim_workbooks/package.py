"""Read an Excel package (.xlsx, .xlsm) safely and write it back losslessly.

A package is a zip file of XML parts. Members that do not change are copied as the compressed bytes they are, with
their own headers, order and time stamps; a changed member is deflated again in its old place. Within a changed
worksheet only the cached value of a cell is replaced, at byte offsets, so the rest of the part stays as it was.
"""

from __future__ import annotations

import itertools
import math
import os
import re
import stat
import struct
import zlib
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any
from xml.parsers import expat

from mlsim.errors import shorten
from mlsim.files import FileError

__all__ = [
    "LAST_COLUMN",
    "LAST_ROW",
    "LONGEST_TEXT",
    "Cell",
    "Err",
    "Member",
    "Package",
    "RecalcError",
    "Row",
    "Sheet",
    "Table",
    "Value",
    "Workbook",
    "column_name",
    "column_number",
    "open_package",
    "parse_xml",
    "patch_formulas",
    "patch_sheet",
    "position",
    "read_file",
    "read_package",
    "read_workbook",
    "relations",
    "scan_sheet",
    "write_package",
]

MIB = 1 << 20
MAX_FILE = 512 * MIB  # compressed, on disk
MAX_PART = 512 * MIB  # one part, unpacked
MAX_TOTAL = 1024 * MIB  # all parts, unpacked
MAX_RATIO = 300  # a repetitive sheet packs about 1:50; deflate ends at 1:1032
RATIO_FLOOR = 16 * MIB  # small parts cannot do harm, whatever their ratio
LAST_ROW, LAST_COLUMN = 1_048_576, 16_384
LONGEST_TEXT = 32_767  # characters in a cell

_EOCD = struct.Struct("<4s4H2LH")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")


class RecalcError(FileError):
    """A workbook that cannot be read or recalculated; the message is a full sentence."""


class Err(str):
    """A spreadsheet error code such as ``#N/A``, told apart from a text that reads the same."""

    __slots__ = ()


Value = float | bool | str | None


# --- the zip container -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Member:
    """One entry of the zip file: where its bytes lie and how they are packed."""

    name: str
    central: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    start: int
    end: int  # of local header, data and data descriptor, up to the next entry


@dataclass(frozen=True)
class Package:
    """The bytes of a package and the entries in them."""

    path: Path
    data: bytes
    members: dict[str, Member]
    tail: int  # offset of the central directory
    comment: bytes

    def read(self, name: str) -> bytes:
        """Return the unpacked bytes of one part."""
        member = self.members[name]
        packed = self.data[member.start : member.start + member.packed]
        if member.method == 0:
            raw = packed
        else:
            unpack = zlib.decompressobj(-15)
            try:
                raw = unpack.decompress(packed, member.size + 1)
            except zlib.error:
                raise _corrupt(self.path, f"the part {name} cannot be unpacked") from None
        if len(raw) != member.size or zlib.crc32(raw) != member.crc:
            raise _corrupt(self.path, f"the part {name} fails its checksum")
        return raw


def _corrupt(path: Path, why: str) -> RecalcError:
    return RecalcError(f"{path.name} is damaged: {why}.")


def read_package(path: str | os.PathLike[str]) -> Package:
    """Read a package from disk, refusing whatever is not a plain, sane .xlsx or .xlsm file.

    Parameters
    ----------
    path : str or path-like
        The workbook.

    Raises
    ------
    RecalcError
        With one sentence that says what is wrong with the file.
    """
    where = Path(path)
    return open_package(where, read_file(where))


def open_package(where: Path, data: bytes) -> Package:
    """Open a package that is in memory, as `read_package` does; ``where`` names it."""
    if len(data) > MAX_FILE:
        raise RecalcError(f"{where.name} is {len(data) // MIB} MiB; the limit is {MAX_FILE // MIB} MiB.")
    if data[:8] == _OLE:
        raise RecalcError(_ole_sentence(where, data))
    if data[:4] != b"PK\x03\x04":
        what = "empty" if not data else "not an Excel workbook (.xlsx or .xlsm)"
        raise RecalcError(f"{where.name} is {what}.")
    package = _parse_zip(where, data)
    _check_limits(package)
    return package


def read_file(path: Path) -> bytes:
    """Return the content of a file; one that is none, or too large, is a sentence."""
    try:
        info = path.stat()
        if stat.S_ISDIR(info.st_mode):
            raise RecalcError(f"{path} is a folder, not a workbook.")
        if not stat.S_ISREG(info.st_mode):
            raise RecalcError(f"{path} is not a regular file.")
        if info.st_size > MAX_FILE:
            raise RecalcError(f"{path.name} is {info.st_size // MIB} MiB; the limit is {MAX_FILE // MIB} MiB on disk.")
        return path.read_bytes()
    except FileNotFoundError:
        raise RecalcError(f"There is no file {path}.") from None
    except PermissionError:
        raise RecalcError(f"{path.name} cannot be read: permission denied (is it open in another program?).") from None
    except (OSError, ValueError) as error:
        raise RecalcError(f"{path} cannot be read: {_reason(error)}.") from None


def _ole_sentence(path: Path, data: bytes) -> str:
    if "EncryptedPackage".encode("utf-16-le") in data:
        return f"{path.name} is a password-protected workbook; save it without a password first."
    return f"{path.name} is in the old Excel format (.xls); save it as .xlsx or .xlsm first."


def _parse_zip(path: Path, data: bytes) -> Package:
    at = data.rfind(b"PK\x05\x06", max(0, len(data) - 65_557))
    if at < 0 or at + _EOCD.size > len(data):
        raise _corrupt(path, "the zip directory is missing (the file may be cut short)")
    _, disk, disk2, here, count, size, tail, comment_size = _EOCD.unpack_from(data, at)
    if 0xFFFF in (here, count) or 0xFFFFFFFF in (size, tail):
        raise RecalcError(f"{path.name} is a zip64 package, which is not supported.")
    if disk or disk2 or here != count or tail + size != at:
        raise _corrupt(path, "the zip directory is inconsistent")
    raw = list(_central_records(path, data, tail, at, count))
    ends = sorted({record[1] for record in raw} | {tail})
    following = dict(itertools.pairwise(ends))
    members: dict[str, Member] = {}
    seen: set[str] = set()
    for central, offset in raw:
        member = _member(path, data, central, offset, following[offset])
        if member.name.lower() in seen:
            raise _corrupt(path, f"the part {member.name} occurs twice")
        seen.add(member.name.lower())
        members[member.name] = member
    comment = data[at + _EOCD.size : at + _EOCD.size + comment_size]
    return Package(path, data, members, tail, comment)


def _central_records(path: Path, data: bytes, start: int, end: int, count: int) -> Iterable[tuple[bytes, int]]:
    at = start
    for _ in range(count):
        if at + _CENTRAL.size > end or data[at : at + 4] != b"PK\x01\x02":
            raise _corrupt(path, "the zip directory is inconsistent")
        fields = _CENTRAL.unpack_from(data, at)
        size = _CENTRAL.size + fields[10] + fields[11] + fields[12]
        offset = fields[16]
        if at + size > end or offset >= start:
            raise _corrupt(path, "the zip directory is inconsistent")
        yield data[at : at + size], offset
        at += size


def _member(path: Path, data: bytes, central: bytes, offset: int, end: int) -> Member:
    fields = _CENTRAL.unpack_from(central)
    flags, method, crc, packed, size, name_size = (*fields[3:5], *fields[7:11])
    encoded = central[_CENTRAL.size : _CENTRAL.size + name_size]
    name = encoded.decode("utf-8" if flags & 0x800 else "cp437", "replace")
    if offset + _LOCAL.size > len(data) or data[offset : offset + 4] != b"PK\x03\x04":
        raise _corrupt(path, f"the entry of {name} is misplaced")
    local = _LOCAL.unpack_from(data, offset)
    start = offset + _LOCAL.size + local[9] + local[10]
    if start + packed > end:
        raise _corrupt(path, f"the part {name} overlaps another one")
    if flags & 1:
        raise RecalcError(f"{path.name} holds encrypted parts (a password-protected workbook or zip).")
    if method not in (0, 8):
        raise RecalcError(f"{path.name} packs {name} with zip method {method}; only stored and deflated are read.")
    return Member(name, central, flags, method, crc, packed, size, offset, start, end)


def _check_limits(package: Package) -> None:
    total = 0
    for member in package.members.values():
        total += member.size
        if member.size > MAX_PART or total > MAX_TOTAL:
            raise RecalcError(
                f"{package.path.name} unpacks to more than {MAX_PART // MIB} MiB in one part or "
                f"{MAX_TOTAL // MIB} MiB in all, so it is refused as a possible zip bomb ({member.name})."
            )
        if member.size > RATIO_FLOOR and member.size > MAX_RATIO * max(member.packed, 1):
            raise RecalcError(
                f"{package.path.name} holds a part packed more than 1:{MAX_RATIO} ({member.name}), "
                "so it is refused as a possible zip bomb."
            )


def write_package(package: Package, changed: Mapping[str, bytes]) -> bytes:
    """Return the bytes of the package with some parts replaced, new ones added last, and every other byte kept."""
    if not changed:
        return package.data
    order = sorted(package.members.values(), key=lambda m: m.offset)
    first = order[0].offset if order else package.tail
    out = bytearray(package.data[:first])
    central: dict[str, bytes] = {}
    for member in order:
        offset = len(out)
        fields = list(_CENTRAL.unpack_from(member.central))
        if member.name in changed:
            header, body, new = _repack(package.data, member, changed[member.name])
            out += header + body
            fields[3], fields[7], fields[8], fields[9] = new
        else:
            out += package.data[member.offset : member.end]
        fields[16] = offset
        central[member.name] = _CENTRAL.pack(*fields) + member.central[_CENTRAL.size :]
    new_names = [name for name in changed if name not in package.members]
    for name in new_names:
        entry, central[name] = _new_entry(name, changed[name], len(out))
        out += entry
    tail = len(out)
    names = [*package.members, *new_names]  # the directory keeps its own order
    for name in names:
        out += central[name]
    count = len(names)
    out += _EOCD.pack(b"PK\x05\x06", 0, 0, count, count, len(out) - tail, tail, len(package.comment))
    return bytes(out + package.comment)


def _repack(data: bytes, member: Member, raw: bytes) -> tuple[bytes, bytes, tuple[int, int, int, int]]:
    """Return local header, packed data and the new (flags, crc, packed size, size)."""
    body = _deflate(raw) if member.method == 8 else raw
    flags = member.flags & ~0x8  # the sizes stand in the header, not in a descriptor behind the data
    new = (flags, zlib.crc32(raw), len(body), len(raw))
    fields = list(_LOCAL.unpack_from(data, member.offset))
    fields[2], fields[6], fields[7], fields[8] = new
    return _LOCAL.pack(*fields) + data[member.offset + _LOCAL.size : member.start], body, new


def _new_entry(name: str, raw: bytes, offset: int) -> tuple[bytes, bytes]:
    """Return the entry of a new part and its record in the directory; the date is fixed, so the bytes are too."""
    body, encoded = _deflate(raw), name.encode()
    flags = 0 if name.isascii() else 0x800
    fields = (20, flags, 8, 0, 0x21, zlib.crc32(raw), len(body), len(raw), len(encoded), 0)  # 0x21: 1980-01-01
    local = _LOCAL.pack(b"PK\x03\x04", *fields)
    central = _CENTRAL.pack(b"PK\x01\x02", 20, *fields, 0, 0, 0, 0, offset)
    return local + encoded + body, central + encoded


def _deflate(raw: bytes) -> bytes:
    deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
    return deflate.compress(raw) + deflate.flush()


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).rstrip(".")


# --- XML parts -------------------------------------------------------------------------------------------------


def parse_xml(
    data: bytes,
    where: str,
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
    parser: Any = None,
) -> None:
    """Parse one part with expat, refusing a DOCTYPE (entity tricks) and encodings with shifted offsets."""
    parser = parser or expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text

    def doctype(*_: object) -> None:
        raise RecalcError(f"The part {where} has a DOCTYPE, which a workbook never needs, so it is refused.")

    def declaration(_version: str, encoding: str | None, _standalone: int) -> None:
        if encoding and encoding.lower() not in ("utf-8", "us-ascii", "ascii"):
            raise RecalcError(f"The part {where} is encoded as {encoding}; only UTF-8 is read.")

    parser.StartDoctypeDeclHandler = doctype
    parser.XmlDeclHandler = declaration
    try:
        if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            declaration("", "UTF-16", 0)
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise RecalcError(f"The part {where} is not well-formed XML ({error}).") from None


def _local(name: str) -> str:
    return name.rpartition(":")[2]


_COLUMNS: dict[str, int] = {}


def column_number(name: str) -> int:
    """Return 1 for ``A``, 27 for ``AA``."""
    number = _COLUMNS.get(name)
    if number is None:
        number = 0
        for letter in name.upper():
            number = number * 26 + ord(letter) - 64
        _COLUMNS[name] = number
    return number


_NAMES: dict[int, str] = {}


def column_name(number: int) -> str:
    """Return ``A`` for 1, ``AA`` for 27."""
    name = _NAMES.get(number)
    if name is None:
        name, rest = "", number
        while rest:
            rest, digit = divmod(rest - 1, 26)
            name = chr(65 + digit) + name
        _NAMES[number] = name
    return name


_POSITION = re.compile(r"\$?([A-Za-z]{1,3})\$?(\d{1,7})\Z")


def position(ref: str) -> tuple[int, int]:
    """Return (row, column), from 1, of a reference such as ``$B$3``."""
    match = _POSITION.match(ref)
    if match is None:
        raise RecalcError(f"{ref!r} is not a cell reference.")
    return int(match[2]), column_number(match[1])


_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0d\x0e-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")


def unescape(text: str) -> str:
    """Undo the ``_x000D_`` notation for characters that XML cannot hold."""
    return _ESCAPE.sub(lambda m: chr(int(m[1], 16)), text) if "_x" in text else text


def escape(text: str) -> str:
    """Return ``text`` as XML character data in the notation of spreadsheets."""
    text = _CONTROL.sub(lambda m: f"_x{ord(m[0]):04X}_", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


# --- the workbook part -----------------------------------------------------------------------------------------


@dataclass
class Table:
    """A table (list object): its name, its sheet and where it lies."""

    name: str
    sheet: str
    top: int
    left: int
    bottom: int
    right: int
    header: int
    totals: int
    columns: list[str]


@dataclass
class Workbook:
    """What the workbook part says: sheets in order, defined names, tables, shared strings."""

    part: str
    sheets: list[tuple[str, str]]  # (name, part); part "" for a chart sheet
    names: dict[tuple[str, str], str]  # (sheet in lower case or "", name in lower case) -> definition
    tables: dict[str, Table]
    strings: list[str]
    date1904: bool = False
    as_displayed: bool = False
    dynamic: frozenset[int] = frozenset()  # values of a cell's "cm" that make its array formula a dynamic one
    rels: dict[str, tuple[str, str]] = field(default_factory=dict)

    def value(self, cell: Cell) -> Value:
        """Return the value that the file holds for a cell."""
        kind, text = cell.type, cell.value
        if text is None:
            return None
        try:
            if kind == "n":
                return float(text)
            if kind == "s":
                return self.strings[int(text)]
        except (ValueError, IndexError):
            return None
        if kind == "b":
            return text.strip() in ("1", "true")
        return Err(text) if kind == "e" else unescape(text)


def _target(part: str, target: str) -> str:
    """Resolve a relationship target, relative or absolute, to a part name."""
    path = PurePosixPath("/" + target) if target.startswith("/") else PurePosixPath("/", part).parent / target
    parts: list[str] = []
    for piece in path.parts[1:]:
        if piece == "..":
            parts = parts[:-1]
        elif piece not in (".", "/"):
            parts.append(piece)
    return "/".join(parts)


def relations(package: Package, part: str) -> dict[str, tuple[str, str]]:
    """Return id -> (last word of the type, target part) of the internal relationships of a part."""
    path = PurePosixPath(part)
    name = str(path.parent / "_rels" / f"{path.name}.rels") if part else "_rels/.rels"
    found: dict[str, tuple[str, str]] = {}

    def start(tag: str, attrs: dict[str, str]) -> None:
        if _local(tag) == "Relationship" and attrs.get("TargetMode") != "External":
            kind = attrs.get("Type", "").rpartition("/")[2]
            found[attrs.get("Id", "")] = (kind, _target(part, attrs.get("Target", "")))

    if name in package.members:
        parse_xml(package.read(name), name, start)
    return found


def _workbook_part(package: Package) -> str:
    for kind, target in relations(package, "").values():
        if kind == "officeDocument" and target in package.members:
            if target.endswith(".bin"):
                raise RecalcError(f"{package.path.name} is a binary workbook (.xlsb); save it as .xlsx or .xlsm.")
            if "xl/" in target or target.endswith("workbook.xml"):
                return target
    if "mimetype" in package.members:
        raise RecalcError(f"{package.path.name} is an OpenDocument file; save it as .xlsx first.")
    raise RecalcError(f"{package.path.name} is not an Excel workbook: it has no workbook.xml part.")


def read_workbook(package: Package) -> Workbook:
    """Read the workbook part with its sheets, names, tables and shared strings."""
    part = _workbook_part(package)
    rels = relations(package, part)
    book = Workbook(part, [], {}, {}, [], rels=rels)
    scoped: list[tuple[str | None, str, str]] = []
    buffer: list[str] = []
    current: list[dict[str, str]] = []

    def start(tag: str, attrs: dict[str, str]) -> None:
        name = _local(tag)
        if name == "sheet":
            rid = next((v for k, v in attrs.items() if k.endswith(":id")), "")
            kind, target = rels.get(rid, ("", ""))
            usable = kind == "worksheet" and target in package.members
            book.sheets.append((attrs.get("name", ""), target if usable else ""))
        elif name == "workbookPr":
            book.date1904 = attrs.get("date1904", "0") in ("1", "true")
        elif name == "calcPr":
            book.as_displayed = attrs.get("fullPrecision", "1") in ("0", "false")
        elif name == "definedName":
            current[:] = [attrs]
            buffer.clear()

    def end(tag: str) -> None:
        if _local(tag) == "definedName":
            attrs = current[0]
            scoped.append((attrs.get("localSheetId"), attrs.get("name", ""), "".join(buffer)))

    parse_xml(package.read(part), part, start, end, buffer.append)
    for scope, name, definition in scoped:
        if name.lower().startswith("_xlnm."):
            continue
        sheet = ""
        if scope is not None and scope.isdigit() and int(scope) < len(book.sheets):
            sheet = book.sheets[int(scope)][0].lower()
        book.names[sheet, name.lower()] = definition
    for name, target in book.sheets:
        for kind, table in relations(package, target).values() if target else ():
            if kind == "table" and table in package.members:
                _read_table(package.read(table), table, name, book)
    for kind, target in rels.values():
        if kind == "sharedStrings" and target in package.members:
            book.strings = _read_strings(package.read(target), target)
        elif kind == "sheetMetadata" and target in package.members:
            book.dynamic = _dynamic_arrays(package.read(target), target)
    return book


def _dynamic_arrays(data: bytes, where: str) -> frozenset[int]:
    """Return which cell metadata, counted from 1, mark the formula of a dynamic array."""
    types: list[str] = []
    off: list[bool] = []  # per block of XLDAPR: is it switched off?
    blocks: list[tuple[int, int]] = []  # of cell metadata: type (from 1), block of that type (from 0)
    path: list[str] = []

    def start(tag: str, attrs: dict[str, str]) -> None:
        name = _local(tag)
        if name == "metadataType":
            types.append(attrs.get("name", ""))
        elif name == "bk" and path[-1:] == ["XLDAPR"]:
            off.append(False)
        elif name == "dynamicArrayProperties" and off:
            off[-1] = attrs.get("fDynamic", "0") in ("0", "false")
        elif name == "rc" and path[-2:] == ["cellMetadata", "bk"]:
            blocks.append((_whole(attrs.get("t", "0"), where), _whole(attrs.get("v", "0"), where)))
        path.append(attrs.get("name", "") if name == "futureMetadata" else name)

    def end(_: str) -> None:
        path.pop()

    parse_xml(data, where, start, end)
    return frozenset(
        cm for cm, (kind, block) in enumerate(blocks, 1)
        if 1 <= kind <= len(types) and types[kind - 1] == "XLDAPR" and not (block < len(off) and off[block])
    )  # fmt: skip


def _read_table(data: bytes, where: str, sheet: str, book: Workbook) -> None:
    tables: list[Table] = []

    def start(tag: str, attrs: dict[str, str]) -> None:
        name = _local(tag)
        if name == "table":
            first, _, last = attrs.get("ref", "A1").partition(":")
            (top, left), (bottom, right) = position(first), position(last or first)
            header, totals = (
                _whole(attrs.get(k, d), where) for k, d in (("headerRowCount", "1"), ("totalsRowCount", "0"))
            )
            label = attrs.get("displayName") or attrs.get("name", "")
            tables.append(Table(label, sheet, top, left, bottom, right, header, totals, []))
        elif name == "tableColumn" and tables:
            tables[0].columns.append(unescape(attrs.get("name", "")))

    parse_xml(data, where, start)
    for table in tables:
        book.tables[table.name.lower()] = table


def _read_strings(data: bytes, where: str) -> list[str]:
    strings: list[str] = []
    buffer: list[str] = []
    state = [False, 0]  # inside a shown <t>; depth of phonetic runs

    def start(tag: str, _: dict[str, str]) -> None:
        name = _local(tag)
        if name == "si":
            buffer.clear()
        elif name == "rPh":
            state[1] += 1
        elif name == "t":
            state[0] = not state[1]

    def end(tag: str) -> None:
        name = _local(tag)
        if name == "si":
            strings.append(unescape("".join(buffer)))
        elif name == "rPh":
            state[1] -= 1
        elif name == "t":
            state[0] = False

    def text(chunk: str) -> None:
        if state[0]:
            buffer.append(chunk)

    parse_xml(data, where, start, end, text)
    return strings


# --- worksheets ------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Cell:
    """One ``<c>`` element: its content and the byte offsets of its parts (-1: absent)."""

    row: int
    col: int
    type: str
    vm: bool
    at: int
    end: int = -1
    value: str | None = None
    formula: str | None = None
    attrs: dict[str, str] | None = None
    f_at: int = -1
    f_end: int = -1
    v_at: int = -1
    v_end: int = -1
    is_at: int = -1
    is_end: int = -1
    style: int = 0
    cm: int = 0


@dataclass(slots=True)
class Row:
    """One ``<row>`` element."""

    number: int
    at: int
    hidden: bool
    end: int = -1
    cells: list[Cell] = field(default_factory=list)


@dataclass
class Sheet:
    """A worksheet part: its bytes, its rows and the prefix of its elements."""

    part: str
    data: bytes
    rows: list[Row]
    prefix: str = ""
    data_end: int = -1


def _whole(text: str, where: str, least: int = 0) -> int:
    """Return a count or a row number that a part states; a damaged one is a sentence."""
    if not (text.isdecimal() and len(text) < 8 and least <= int(text) <= LAST_ROW):
        raise RecalcError(f"The part {where} is damaged: it holds {shorten(text)} where a number of rows is due.")
    return int(text)


def scan_sheet(data: bytes, part: str, most: int = 0) -> Sheet:
    """Find every cell of a worksheet part with its content and byte offsets.

    With ``most``, empty cells and rows are left out, and more cells than that are refused.
    """
    sheet = Sheet(part, data, [])
    count = 0
    parser = expat.ParserCreate()
    rows = sheet.rows
    buffer: list[str] = []
    add = buffer.append
    cell: Cell | None = None
    row: Row | None = None
    number = column = 0
    digits = ""
    phonetic = keep = inside = inline = False
    c_tag, v_tag, f_tag, row_tag, is_tag, t_tag, rph_tag, data_tag = (
        "c", "v", "f", "row", "is", "t", "rPh", "sheetData",
    )  # fmt: skip

    def once(good: bool, what: str) -> None:
        if not good and cell:
            raise RecalcError(
                f"The part {part} is damaged: the cell {column_name(cell.col)}{cell.row} holds two {what}, or one in another."
            )

    def root(tag: str, _: dict[str, str]) -> None:
        nonlocal c_tag, v_tag, f_tag, row_tag, is_tag, t_tag, rph_tag, data_tag
        prefix = sheet.prefix = tag[: tag.rfind(":") + 1]
        c_tag, v_tag, f_tag, row_tag, is_tag, t_tag, rph_tag, data_tag = (
            prefix + name for name in ("c", "v", "f", "row", "is", "t", "rPh", "sheetData")
        )
        parser.StartElementHandler = start

    def start(tag: str, attrs: dict[str, str]) -> None:
        nonlocal cell, row, number, column, digits, phonetic, keep, inside, inline
        if not inside:
            if tag == data_tag:
                if sheet.data_end >= 0:
                    raise RecalcError(f"The part {part} is damaged: it holds its cells in two places.")
                inside = True
            return
        if tag == c_tag:
            ref = attrs.get("r")
            if not ref:
                column += 1
            elif ref.endswith(digits) and (known := _COLUMNS.get(ref[: -len(digits)])):
                column = known  # nearly always
            else:
                at_row, column = position(ref)
                if at_row != number:
                    raise RecalcError(f"The part {part} is damaged: the cell {ref} stands in row {number}.")
            if column > LAST_COLUMN:
                raise RecalcError(f"The part {part} is damaged: row {number} has a cell beyond the last column, XFD.")
            cell = Cell(number, column, attrs.get("t", "n"), "vm" in attrs, parser.CurrentByteIndex)
            style = attrs.get("s", "0")
            cell.style = int(style) if style.isdecimal() else 0
            if "cm" in attrs:
                cell.cm = int(attrs["cm"]) if attrs["cm"].isdecimal() else 0
        elif tag == v_tag:
            buffer.clear()
            if cell:
                once(cell.v_at < 0 and not keep and not inline, "values")
                cell.v_at = parser.CurrentByteIndex
            keep = True
        elif tag == f_tag:
            buffer.clear()
            if cell:
                once(cell.f_at < 0 and not keep and not inline, "formulas")
            keep = True
            if cell:
                cell.attrs = attrs
                cell.f_at = parser.CurrentByteIndex
        elif tag == row_tag:
            number = _whole(attrs.get("r") or str(number + 1), part, 1)
            column, digits = 0, str(number)
            row = Row(number, parser.CurrentByteIndex, attrs.get("hidden", "0") in ("1", "true"))
            if not most:
                rows.append(row)
        elif tag == is_tag:
            buffer.clear()
            if cell:
                once(cell.is_at < 0 and not keep, "texts")
                cell.is_at = parser.CurrentByteIndex
            inline = True
        elif tag == data_tag:
            raise RecalcError(f"The part {part} is damaged: it holds its cells in two places.")
        elif tag == rph_tag:
            phonetic = True
        elif tag == t_tag:
            keep = not phonetic

    def end(tag: str) -> None:
        nonlocal cell, phonetic, keep, inside, inline, count
        if not inside:
            return
        if tag == c_tag:
            if cell and row and not (most and cell.value is None and cell.attrs is None):
                cell.end = parser.CurrentByteIndex
                row.cells.append(cell)
                count += 1
                if most and count > most:
                    raise RecalcError(f"The part {part} has more than {most:,} cells, which is the limit.")
            cell = None
        elif tag == v_tag:
            keep = False
            if cell:
                cell.value = "".join(buffer)
                cell.v_end = parser.CurrentByteIndex
        elif tag == f_tag:
            keep = False
            if cell:
                cell.formula = "".join(buffer)
                cell.f_end = parser.CurrentByteIndex
        elif tag == row_tag:
            if row:
                row.end = parser.CurrentByteIndex
                if most and row.cells:
                    rows.append(row)
        elif tag == is_tag:
            inline = False
            if cell:
                cell.value = "".join(buffer)
                cell.is_end = parser.CurrentByteIndex
        elif tag == rph_tag:
            phonetic = False
        elif tag == t_tag:
            keep = False
        elif tag == data_tag:
            inside = False
            sheet.data_end = parser.CurrentByteIndex

    def text(chunk: str) -> None:
        if keep:
            add(chunk)

    parse_xml(data, part, root, end, text, parser)
    return sheet


_TAG = re.compile(rb"""<[^<>"']*(?:"[^"]*"[^<>"']*|'[^']*'[^<>"']*)*>""")
_TYPE = re.compile(rb"""(\s+)t\s*=\s*("[^"]*"|'[^']*')""")
_REF = re.compile(rb"""(\sref\s*=\s*)("[^"]*"|'[^']*')""")


def _span(data: bytes, at: int, end: int) -> tuple[int, int, bool]:
    """Return (end of the start tag, end of the element, is it an empty-element tag)."""
    match = _TAG.match(data, at)
    if match is None:
        raise RecalcError("A worksheet part holds a tag that cannot be located.")
    if match[0].endswith(b"/>"):
        return match.end(), match.end(), True
    return match.end(), data.index(b">", end) + 1, False


def render(value: Value) -> tuple[str, str]:
    """Return (type attribute, text) of a cached value; type "" stands for a number."""
    if isinstance(value, bool):
        return "b", "1" if value else "0"
    if isinstance(value, Err):
        return "e", value
    if isinstance(value, str):
        return "str", escape(value)
    if value is None:
        return "", ""
    if not math.isfinite(value):
        return "e", "#NUM!"
    if value == int(value) and abs(value) < 1e15:
        return "", str(int(value))
    return "", repr(float(value)).upper()


def patch_sheet(
    sheet: Sheet, updates: Mapping[tuple[int, int], Value], areas: Mapping[tuple[int, int], str] | None = None
) -> bytes:
    """Return the part with new cached values; every byte outside the touched values stays.

    Cells that do not exist yet (children of an array formula) are inserted in column order; the value None empties
    a cell. ``areas`` are the new areas of dynamic arrays, by the cell of the formula.
    """
    edits: list[tuple[int, int, bytes]] = []  # (start, end, replacement)
    left = dict(updates)
    areas = areas or {}
    for row in sheet.rows:
        for cell in row.cells:
            key = (cell.row, cell.col)
            if key in areas and (tag := _TAG.match(sheet.data, cell.f_at)):
                edits.append((tag.start(), tag.end(), _REF.sub(rf'\1"{areas[key]}"'.encode(), tag[0], count=1)))
            if key in left:
                _edit_cell(sheet, cell, left.pop(key), edits)
    new_cells = {key: _new_cell(sheet, *key, value) for key, value in left.items() if value is not None}
    _insert_cells(sheet, new_cells, edits)
    return _edited(sheet.data, edits)


def patch_formulas(
    sheet: Sheet,
    texts: Mapping[tuple[int, int], str],
    areas: Mapping[tuple[int, int], str],
    new: Mapping[tuple[int, int], str],
) -> bytes:
    """Return the part with other formulas: ``texts`` take the place of formulas, ``areas`` of the areas of arrays, and
    ``new`` ones, as arrays of one cell, are added in cells that do not exist."""
    edits: list[tuple[int, int, bytes]] = []
    prefix = sheet.prefix
    for row in sheet.rows:
        for cell in row.cells:
            key = (cell.row, cell.col)
            if cell.f_at < 0 or not (key in texts or key in areas):
                continue
            text, area = texts.get(key, cell.formula or ""), areas.get(key, (cell.attrs or {}).get("ref", ""))
            kind = f' t="array" ref="{area}"' if (cell.attrs or {}).get("t") == "array" else ""
            _, end, _ = _span(sheet.data, cell.f_at, cell.f_end)
            edits.append((cell.f_at, end, f"<{prefix}f{kind}>{escape(text)}</{prefix}f>".encode()))
    added: dict[tuple[int, int], bytes] = {}
    for (number, col), text in new.items():
        ref = f"{column_name(col)}{number}"
        formula = f'<{prefix}f t="array" ref="{ref}">{escape(text)}</{prefix}f>'
        added[number, col] = f'<{prefix}c r="{ref}">{formula}</{prefix}c>'.encode()
    _insert_cells(sheet, added, edits)
    return _edited(sheet.data, edits)


def _edited(data: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    """Return the bytes with some stretches replaced."""
    pieces: list[bytes] = []
    at = 0
    for start, end, new in sorted(edits, key=lambda e: (e[0], e[1])):
        pieces += (data[at:start], new)
        at = end
    return b"".join([*pieces, data[at:]])


def _edit_cell(sheet: Sheet, cell: Cell, value: Value, edits: list[tuple[int, int, bytes]]) -> None:
    data, prefix = sheet.data, sheet.prefix.encode()
    kind, text = render(value)
    body = _value_element(prefix, text) if value is not None else b""
    start_end, _, empty = _span(data, cell.at, cell.end)
    tag = data[cell.at : start_end]
    if kind != (cell.type if cell.type != "n" else ""):
        tag = _retype(tag, kind)
    if empty:  # <c r="B2"/> can only be a child of an array formula
        edits.append((cell.at, start_end, tag[:-2].rstrip() + b">" + body + b"</" + prefix + b"c>"))
        return
    if tag != data[cell.at : start_end]:
        edits.append((cell.at, start_end, tag))
    if cell.is_at >= 0:
        edits.append((cell.is_at, _span(data, cell.is_at, cell.is_end)[1], b""))
    if cell.v_at >= 0:
        edits.append((cell.v_at, _span(data, cell.v_at, cell.v_end)[1], body))
    else:
        after = _span(data, cell.f_at, cell.f_end)[1] if cell.f_at >= 0 else start_end
        edits.append((after, after, body))


def _value_element(prefix: bytes, text: str) -> bytes:
    space = b' xml:space="preserve"' if text != text.strip() else b""
    return b"<" + prefix + b"v" + space + b">" + text.encode() + b"</" + prefix + b"v>"


def _retype(tag: bytes, kind: str) -> bytes:
    new = f't="{kind}"'.encode() if kind else b""
    if _TYPE.search(tag):
        return _TYPE.sub(lambda m: m[1] + new if new else b"", tag, count=1)
    close = 2 if tag.endswith(b"/>") else 1
    return tag[:-close].rstrip() + (b" " + new if new else b"") + tag[-close:]


def _new_cell(sheet: Sheet, number: int, col: int, value: Value) -> bytes:
    """Return a cell with a value and no style."""
    prefix = sheet.prefix.encode()
    kind, text = render(value)
    kind_bytes = f' t="{kind}"'.encode() if kind else b""
    head = b"<" + prefix + b'c r="' + f"{column_name(col)}{number}".encode() + b'"' + kind_bytes + b">"
    return head + _value_element(prefix, text) + b"</" + prefix + b"c>"


def _insert_cells(sheet: Sheet, new: Mapping[tuple[int, int], bytes], edits: list[tuple[int, int, bytes]]) -> None:
    """Add cells that do not exist yet, in the order of rows and columns."""
    prefix = sheet.prefix.encode()
    by_row: dict[int, list[tuple[int, bytes]]] = {}
    for (number, col), xml in sorted(new.items()):
        by_row.setdefault(number, []).append((col, xml))
    known = {row.number: row for row in sheet.rows}
    ordered = sorted(sheet.rows, key=lambda row: row.number)
    numbers = [row.number for row in ordered]
    for number, cells in by_row.items():
        row = known.get(number)
        if row is None:
            later = bisect_right(numbers, number)
            at = ordered[later].at if later < len(ordered) else sheet.data_end
            body = b"".join(new for _, new in cells)
            tag = b"<" + prefix + f'row r="{number}">'.encode()
            edits.append((at, at, tag + body + b"</" + prefix + b"row>"))
            continue
        _insert_into_row(sheet, row, cells, edits)


def _insert_into_row(
    sheet: Sheet, row: Row, cells: list[tuple[int, bytes]], edits: list[tuple[int, int, bytes]]
) -> None:
    start_end, _, empty = _span(sheet.data, row.at, row.end)
    if empty:
        tag = sheet.data[row.at : start_end - 2].rstrip() + b">"
        body = b"".join(new for _, new in cells)
        edits.append((row.at, start_end, tag + body + b"</" + sheet.prefix.encode() + b"row>"))
        return
    groups: dict[int, bytes] = {}
    for col, new in cells:
        at = next((c.at for c in row.cells if c.col > col), row.end)
        groups[at] = groups.get(at, b"") + new
    edits.extend((at, at, new) for at, new in groups.items())
