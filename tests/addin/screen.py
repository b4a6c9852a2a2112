"""A virtual screen, and pictures of it: Xvfb keeps what it shows in a file, which is read here."""

from __future__ import annotations

import os
import struct
import subprocess
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Screen:
    """A display and the file of its picture."""

    display: str
    file: Path

    def png(self) -> bytes:
        """Return what the screen shows."""
        data = self.file.read_bytes()
        header = struct.unpack(">25I", data[:100])  # of X's window dumps
        size, width, height, line, colours = header[0], header[4], header[5], header[12], header[19]
        first = size + colours * 12
        rows = bytearray()
        for top in range(first, first + height * line, line):
            blue_green_red = data[top : top + width * 4]
            row = bytearray(width * 3)
            row[0::3], row[1::3], row[2::3] = blue_green_red[2::4], blue_green_red[1::4], blue_green_red[0::4]
            rows += b"\0" + row
        parts = [
            (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
            (b"IDAT", zlib.compress(rows, 9)),
            (b"IEND", b""),
        ]
        return b"\x89PNG\r\n\x1a\n" + b"".join(
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
            for kind, body in parts
        )

    def drawn(self, least: int) -> bytes:
        """Return the picture once it shows something, whole and at rest: two equal ones of at least some bytes."""
        deadline = time.monotonic() + 30
        before = b""
        while (picture := self.png()) != before or len(picture) < least:
            assert time.monotonic() < deadline, f"the screen stays empty: {len(picture)} bytes"
            before = picture
            time.sleep(0.5)
        return picture


@contextmanager
def virtual(folder: Path, size: str = "1280x560") -> Iterator[Screen]:
    """Start a virtual screen of a size."""
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{size}x24", "-fbdir", str(folder), "-nocursor"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, pass_fds=[writing],
    )  # fmt: skip
    os.close(writing)
    try:
        with os.fdopen(reading) as answer:
            display = answer.readline().strip()
        assert display, "Xvfb did not start"
        yield Screen(f":{display}", folder / "Xvfb_screen0")
    finally:
        server.terminate()
        server.wait(10)
