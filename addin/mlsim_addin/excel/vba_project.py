"""Write a VBA project (``vbaProject.bin``) from the source text of its modules, with no compiled code.

The layouts are those of the published specifications [MS-OVBA] (the project and its compression) and [MS-CFB] (the
compound file around it). The version 0xFFFF says that no compiled code is there, so that Excel compiles the text
itself. The same modules always give the same bytes.
"""

from __future__ import annotations

import re
import struct
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["Module", "compressed", "document", "project"]

_CODEPAGE = "cp1252"
_WORKBOOK_CLASS, _SHEET_CLASS = "00020819", "00020820"
# The path after the second # is a hint only: VBA finds a library by its identifier and version.
_OFFICE = (
    "Office",
    r"*\G{2DF8D04C-5BFA-101B-BDE5-00AA0044DE52}#2.0#0#C:\Program Files\Common Files\Microsoft Shared\OFFICE16\MSO.DLL"
    "#Microsoft Office 16.0 Object Library",
)


@dataclass(frozen=True)
class Module:
    """A module: its name, its text with attributes as the VBA editor exports it, and its kind.

    ``kind`` is ``"module"``, ``"class"`` or ``"document"`` (of the workbook, or of a sheet).
    """

    name: str
    text: str
    kind: str = "module"


def document(name: str, code: str = "") -> Module:
    """Return the module that belongs to the workbook (``ThisWorkbook``) or to the sheet of that code name."""
    base = _WORKBOOK_CLASS if name == "ThisWorkbook" else _SHEET_CLASS
    lines = [
        f'Attribute VB_Name = "{name}"',
        f'Attribute VB_Base = "0{{{base}-0000-0000-C000-000000000046}}"',
        "Attribute VB_GlobalNameSpace = False",
        "Attribute VB_Creatable = False",
        "Attribute VB_PredeclaredId = True",
        "Attribute VB_Exposed = True",
        "Attribute VB_TemplateDerived = False",
        "Attribute VB_Customizable = True",
        *code.splitlines(),
    ]
    return Module(name, "\r\n".join(lines) + "\r\n", "document")


def project(name: str, modules: Sequence[Module]) -> bytes:
    """Return the bytes of ``vbaProject.bin``."""
    names = [module.name.lower() for module in modules]
    for module in modules:
        if not re.fullmatch(r"[A-Za-z]\w{0,30}", module.name, re.ASCII) or names.count(module.name.lower()) > 1:
            raise ValueError(f"{module.name} is no name for a module, or is there twice.")
        if not module.text.startswith(f'Attribute VB_Name = "{module.name}"\r\n'):
            raise ValueError(f"The text of {module.name} does not begin with its name.")
    storage: dict[str, bytes] = {module.name: compressed(module.text.encode(_CODEPAGE)) for module in modules}
    storage["_VBA_PROJECT"] = struct.pack("<HHBH", 0x61CC, 0xFFFF, 0, 0)
    storage["dir"] = compressed(_directory(name, modules))
    return _compound_file({"VBA": storage, "PROJECT": _project_text(name, modules), "PROJECTwm": _names(modules)})


# --- the project -----------------------------------------------------------------------------------------------------


def _directory(name: str, modules: Sequence[Module]) -> bytes:
    """Return the stream ``dir``, not yet compressed ([MS-OVBA] 2.3.4.2)."""
    parts = [
        _record(0x01, _u32(1)),  # 32-bit Windows; 64-bit Excel takes it as well
        _record(0x02, _u32(0x409)),
        _record(0x14, _u32(0x409)),
        _record(0x03, _u16(1252)),
        _record(0x04, name.encode(_CODEPAGE)),
        _text(0x05, "", 0x40),  # description
        _text(0x06, "", 0x3D),  # help file
        _record(0x07, _u32(0)),
        _record(0x08, _u32(0)),
        _u16(0x09) + _u32(4) + _u32(1) + _u16(0),  # version
        _text(0x0C, "", 0x3C),  # constants
        _text(0x16, _OFFICE[0], 0x3E),
        _record(0x0D, _sized(_OFFICE[1].encode(_CODEPAGE)) + _u32(0) + _u16(0)),
        _record(0x0F, _u16(len(modules))),
        _record(0x13, _u16(0xFFFF)),
    ]
    for module in modules:
        parts += [
            _record(0x19, module.name.encode(_CODEPAGE)),
            _record(0x47, module.name.encode("utf-16-le")),
            _text(0x1A, module.name, 0x32),  # its stream
            _text(0x1C, "", 0x48),  # description
            _record(0x31, _u32(0)),  # the text begins at once: there is no compiled code before it
            _record(0x1E, _u32(0)),
            _record(0x2C, _u16(0xFFFF)),
            _record(0x21 if module.kind == "module" else 0x22, b""),
            _record(0x2B, b""),
        ]
    return b"".join([*parts, _record(0x10, b"")])


def _u16(number: int) -> bytes:
    return struct.pack("<H", number)


def _u32(number: int) -> bytes:
    return struct.pack("<I", number)


def _sized(data: bytes) -> bytes:
    return _u32(len(data)) + data


def _record(number: int, data: bytes) -> bytes:
    return _u16(number) + _sized(data)


def _text(number: int, text: str, unicode_number: int) -> bytes:
    return _record(number, text.encode(_CODEPAGE)) + _record(unicode_number, text.encode("utf-16-le"))


def _project_text(name: str, modules: Sequence[Module]) -> bytes:
    """Return the stream ``PROJECT`` ([MS-OVBA] 2.3.1): not protected, and visible."""
    identifier = "{" + str(uuid.uuid5(uuid.NAMESPACE_OID, name)).upper() + "}"
    words = {"module": "Module={}", "class": "Class={}", "document": "Document={}/&H00000000"}
    lines = [
        f'ID="{identifier}"',
        *(words[module.kind].format(module.name) for module in modules),
        f'Name="{name}"',
        'HelpContextID="0"',
        'VersionCompatible32="393222000"',
        f'CMG="{_encrypted(bytes(4), identifier)}"',
        f'DPB="{_encrypted(bytes(1), identifier)}"',
        f'GC="{_encrypted(bytes([0xFF]), identifier)}"',
        "",
        "[Host Extender Info]",
        "&H00000001={3832D640-CF90-11CF-8E43-00A0C911005A};VBE;&H00000000",
        "",
        "[Workspace]",
        *(f"{module.name}=0, 0, 0, 0, C" for module in modules),
    ]
    return ("\r\n".join(lines) + "\r\n").encode(_CODEPAGE)


def _encrypted(data: bytes, identifier: str) -> str:
    """Return data as the project's text keeps it ([MS-OVBA] 2.4.3.2), with the seed 0."""
    key = sum(identifier.encode()) & 0xFF
    out = [0, 2, key]  # seed, version, key: each under the seed
    plain, last, before = key, key, 2
    for byte in _u32(len(data)) + data:
        cipher = byte ^ ((before + plain) & 0xFF)
        out.append(cipher)
        before, last, plain = last, cipher, byte
    return "".join(f"{byte:02X}" for byte in out)


def _names(modules: Sequence[Module]) -> bytes:
    """Return the stream ``PROJECTwm``: each name in the code page and in Unicode."""
    pairs = [m.name.encode(_CODEPAGE) + b"\0" + m.name.encode("utf-16-le") + b"\0\0" for m in modules]
    return b"".join(pairs) + b"\0\0"


# --- compression -----------------------------------------------------------------------------------------------------

_CHUNK = 4096


def compressed(data: bytes) -> bytes:
    """Return data as a compressed container ([MS-OVBA] 2.4.1)."""
    return b"\x01" + b"".join(_chunk(data[i : i + _CHUNK]) for i in range(0, len(data), _CHUNK))


def _chunk(data: bytes) -> bytes:
    tokens = _tokens(data)
    if len(tokens) > _CHUNK:  # nothing repeats: the chunk stays as it is, and must then be a whole one
        return _u16(0x3FFF) + data.ljust(_CHUNK, b"\0")
    return _u16(0xB000 | (len(tokens) - 1)) + tokens


def _tokens(data: bytes) -> bytes:
    """Return one chunk as groups of a flag byte and eight tokens, each a byte or a copy of what came before."""
    out = bytearray()
    seen: dict[bytes, list[int]] = {}
    at = noted = 0
    while at < len(data):
        flags, group = 0, bytearray()
        for bit in range(8):
            if at >= len(data):
                break
            bits = max((at - 1).bit_length(), 4)  # of the token's 16, those that say how far back
            length, back = _longest(data, at, seen, (0xFFFF >> bits) + 3)
            if length:
                flags |= 1 << bit
                group += _u16((back - 1) << (16 - bits) | (length - 3))
            else:
                group.append(data[at])
            at += length or 1
            for i in range(noted, at):
                seen.setdefault(data[i : i + 3], []).append(i)
            noted = at
        out.append(flags)
        out += group
    return bytes(out)


def _longest(data: bytes, at: int, seen: Mapping[bytes, list[int]], most: int) -> tuple[int, int]:
    """Return length and distance of the longest earlier text that the next bytes repeat; 0 when under three bytes."""
    best = back = 0
    most = min(most, len(data) - at)
    if most < 3:
        return 0, 0
    for start in reversed(seen.get(data[at : at + 3], ())):
        length = 3
        while length < most and data[start + length] == data[at + length]:
            length += 1
        if length > best:
            best, back = length, at - start
            if best == most:
                break
    return best, back


# --- the compound file -----------------------------------------------------------------------------------------------

_SECTOR, _MINI, _CUTOFF = 512, 64, 4096
_END, _FREE, _FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
_NONE = 0xFFFFFFFF

_Tree = Mapping[str, "bytes | _Tree"]


@dataclass
class _Entry:
    """An entry of the compound file's directory: the root, a storage or a stream."""

    name: str
    kind: int  # 5 root, 1 storage, 2 stream
    data: bytes = b""
    child: int = _NONE
    left: int = _NONE
    right: int = _NONE
    start: int = 0
    size: int = 0


def _compound_file(content: _Tree) -> bytes:
    """Return a compound file, version 3 ([MS-CFB]): small streams lie together in the root's own stream."""
    entries = [_Entry("Root Entry", 5)]
    _add(entries, 0, content)
    big: list[int] = []  # the table of the sectors: for each, the next of its stream
    small: list[int] = []
    sectors, mini = bytearray(), bytearray()
    for entry in entries:
        if entry.kind == 2:
            entry.size = len(entry.data)
            if entry.size >= _CUTOFF:
                entry.start = _append(sectors, big, entry.data, _SECTOR)
            else:
                entry.start = _append(mini, small, entry.data, _MINI)
    entries[0].start, entries[0].size = _append(sectors, big, bytes(mini), _SECTOR), len(mini)
    table = struct.pack(f"<{len(small)}I", *small)
    mini_start = _append(sectors, big, table, _SECTOR, b"\xff")
    mini_count = -(-len(table) // _SECTOR)
    directory = b"".join(map(_directory_entry, entries))
    empty = _directory_entry(_Entry("", 0)) * (-len(entries) % 4)
    directory_start = _append(sectors, big, directory + empty, _SECTOR)
    count = 1
    while count * _SECTOR // 4 < len(big) + count:  # the table lists its own sectors as well
        count += 1
    if count > 109:
        raise ValueError("The project is larger than 6 MB.")
    first = len(big)
    big += [_FAT] * count
    big += [_FREE] * (count * _SECTOR // 4 - len(big))
    header = struct.pack(
        "<8s16sHHHHH6xIIIIIIIII",
        bytes.fromhex("D0CF11E0A1B11AE1"), bytes(16), 0x3E, 3, 0xFFFE, 9, 6, 0, count, directory_start, 0, _CUTOFF,
        mini_start, mini_count, _END, 0,
    )  # fmt: skip
    header += struct.pack("<109I", *range(first, first + count), *[_FREE] * (109 - count))
    return header + bytes(sectors) + struct.pack(f"<{len(big)}I", *big)


def _append(sectors: bytearray, table: list[int], data: bytes, size: int, filler: bytes = b"\0") -> int:
    """Add a stream and its chain of sectors; return the number of its first, or the end mark when it is empty."""
    count = -(-len(data) // size)
    if not count:
        return _END
    start = len(table)
    table += [*range(start + 1, start + count), _END]
    sectors += data.ljust(count * size, filler)
    return start


def _add(entries: list[_Entry], parent: int, content: _Tree) -> None:
    """Add what a storage holds, as a balanced tree of names."""
    numbers: dict[str, int] = {}
    for name, value in content.items():
        numbers[name] = len(entries)
        if isinstance(value, bytes):
            entries.append(_Entry(name, 2, value))
        else:
            entries.append(_Entry(name, 1))
            _add(entries, numbers[name], value)
    ordered = sorted(numbers, key=lambda name: (len(name), name.upper()))
    entries[parent].child = _tree(entries, [numbers[name] for name in ordered])


def _tree(entries: list[_Entry], numbers: Sequence[int]) -> int:
    if not numbers:
        return _NONE
    middle = len(numbers) // 2
    entry = entries[numbers[middle]]
    entry.left = _tree(entries, numbers[:middle])
    entry.right = _tree(entries, numbers[middle + 1 :])
    return numbers[middle]


def _directory_entry(entry: _Entry) -> bytes:
    name = entry.name.encode("utf-16-le") + b"\0\0" if entry.name else b""
    return struct.pack(
        "<64sHBBIII16sIQQIQ", name, len(name), entry.kind, 1, entry.left, entry.right, entry.child, bytes(16), 0, 0, 0,
        entry.start, entry.size,
    )  # fmt: skip
