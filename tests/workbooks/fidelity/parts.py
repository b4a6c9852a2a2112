"""The parts of a package, to add to them and change them by hand, and zip files as different programs write them."""

from __future__ import annotations

import io
import posixpath
import struct
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["MAIN", "OFFICE", "Parts"]

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


@dataclass
class Parts:
    """Part name -> content, in the order of the file."""

    content: dict[str, bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, data: bytes) -> Parts:
        """Return the parts of a file."""
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return cls({name: archive.read(name) for name in archive.namelist()})

    def replace(self, part: str, old: str, new: str) -> None:
        """Replace a piece of a part that occurs in it."""
        data = self.content[part]
        assert old.encode() in data, (part, old)
        self.content[part] = data.replace(old.encode(), new.encode(), 1)

    def add(self, part: str, content: str | bytes, content_type: str = "") -> None:
        """Add a part; its content type is stated unless the extension's default is enough."""
        self.content[part] = (HEAD + content).encode() if isinstance(content, str) else content
        if content_type:
            override = f'<Override PartName="/{part}" ContentType="{content_type}"/></Types>'
            self.replace("[Content_Types].xml", "</Types>", override)

    def default(self, extension: str, content_type: str) -> None:
        """State the content type of an extension, unless it is known."""
        types = self.content["[Content_Types].xml"]
        if f'Extension="{extension}"'.encode() not in types:
            start = types.index(b"<Default") if b"<Default" in types else types.index(b"<Override")
            entry = f'<Default Extension="{extension}" ContentType="{content_type}"/>'.encode()
            self.content["[Content_Types].xml"] = types[:start] + entry + types[start:]

    def relate(self, part: str, kind: str, target: str, external: bool = False) -> str:
        """Relate a part to another one; return the relationship's id. A kind without "/" is one of Office's first."""
        folder, name = posixpath.split(part)
        rels = posixpath.join(folder, "_rels", f"{name}.rels")
        if rels not in self.content:
            self.content[rels] = f'{HEAD}<Relationships xmlns="{RELATIONS}"></Relationships>'.encode()
        number = self.content[rels].count(b"<Relationship ") + 1
        mode = ' TargetMode="External"' if external else ""
        kind = kind if "/" in kind else f"{OFFICE}/{kind}"
        entry = f'<Relationship Id="rId{number}" Type="{kind}" Target="{target}"{mode}/></Relationships>'
        self.replace(rels, "</Relationships>", entry)
        return f"rId{number}"

    def zip(self) -> bytes:
        """Return the file as Excel packs it: everything deflated, dated 1980."""
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in self.content.items():
                archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
        return file.getvalue()

    def odd_zip(self, order: Sequence[str] = (), descriptors: bool = False, comment: bytes = b"") -> bytes:
        """Return the file as other programs pack it.

        Members are stored and deflated by turns, with extra fields, dates and comments; with ``descriptors`` the sizes
        stand behind the data.
        """
        stream = io.BytesIO()
        if descriptors:
            stream.seekable = lambda: False  # type: ignore[method-assign]
        names = [*order, *(name for name in self.content if name not in order)]
        with zipfile.ZipFile(stream, "w") as archive:
            for i, name in enumerate(names):
                info = zipfile.ZipInfo(name, (2019, 1 + i % 12, 1 + i % 28, 10, i % 60, 30))
                info.compress_type = zipfile.ZIP_STORED if i % 2 else zipfile.ZIP_DEFLATED
                info.extra = struct.pack("<HHBL", 0x5455, 5, 1, 1_500_000_000 + i)
                info.comment = f"member {i}".encode()
                info.external_attr, info.create_system = 0o644 << 16, 3
                archive.writestr(info, self.content[name])
            archive.comment = comment
        return stream.getvalue()
