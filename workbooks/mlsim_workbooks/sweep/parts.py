"""A folder of Parquet files, one for each stretch of points: what is there is finished, and a sweep can go on from it."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from mlsim import __version__
from mlsim.files import FileError, write_file
from mlsim_workbooks.sweep.block import Values
from mlsim_workbooks.sweep.files import arrow, parquet_file
from mlsim_workbooks.sweep.sweep import Sweep, chunks, digest, rows, summary

__all__ = ["MANIFEST", "errors_of", "missing", "open_folder", "write_part"]

MANIFEST = "_manifest.json"  # readers of Parquet folders pass over names that start with _ or .
_ERRORS = "mlsim.errors"


def open_folder(path: Path, sweep: Sweep) -> None:
    """Make the folder with its manifest, or check that it is of the same sweep.

    Raises
    ------
    FileError
        When the folder holds another sweep, or other files, or cannot be made.
    """
    due = {"sweep": digest(sweep), "parts": chunks(sweep), "points": sweep.points, "mlsim": __version__}
    manifest = path / MANIFEST
    try:
        path.mkdir(parents=True, exist_ok=True)
        found = json.loads(manifest.read_text(encoding="utf-8")) if manifest.exists() else None
        strangers = [] if found else sorted(p.name for p in path.iterdir() if not p.name.startswith(".mlsim-"))
        for left in path.glob(".mlsim-*.tmp"):  # of a run that was killed while it wrote a part
            with suppress(OSError):
                left.unlink()
    except FileExistsError:
        raise FileError(f"{path} is a file, but a folder of parts is due: remove it, or choose another name.") from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "its manifest is damaged"
        raise FileError(f"The folder {path} cannot be used: {why}.") from None
    if strangers:
        raise FileError(f"The folder {path} holds {strangers[0]} and no sweep: choose a new or an empty folder.")
    if found and found.get("mlsim") != __version__:
        raise FileError(
            f"{path} was begun with MLSIM {found.get('mlsim')}, this is {__version__}: choose another folder."
        )
    if found and found.get("sweep") != due["sweep"]:
        raise FileError(
            f"{path} holds parts of another sweep (other values, functions, workbook or own registry): choose another "
            "folder, or repeat that sweep to go on with it."
        )
    if not found:
        text = json.dumps(due | {"spec": json.loads(summary(sweep))}, indent=1)
        write_file(manifest, text.encode())


def part(path: Path, number: int) -> Path:
    """Return the file of a stretch."""
    return path / f"part-{number:06}.parquet"


def missing(path: Path, sweep: Sweep) -> list[int]:
    """Return the stretches that have no file yet."""
    there = {file.name for file in path.glob("part-*.parquet")}
    return [i for i in range(chunks(sweep)) if part(path, i).name not in there]


def write_part(path: Path, sweep: Sweep, number: int, results: list[Values], errors: int) -> None:
    """Write the file of a stretch, with the number of its points in error."""
    with parquet_file(part(path, number), sweep, {_ERRORS: str(errors)}) as write:
        write(rows(sweep, number, results))


def errors_of(path: Path, number: int) -> int:
    """Return the points in error of a stretch that is on disk."""
    _, parquet = arrow()
    about = parquet.read_schema(part(path, number)).metadata or {}
    return int(about.get(_ERRORS.encode(), b"0"))
