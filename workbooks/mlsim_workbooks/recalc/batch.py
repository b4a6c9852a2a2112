"""Recalculates many workbooks: on the cores of this machine or on a cluster, and says what happened to each.

This process alone reads and writes the files; workers get the bytes of a workbook and give back the new ones. A few
workbooks are in memory at a time, however many there are.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing.util import Finalize
from pathlib import Path

from mlsim.errors import CellError
from mlsim.files import FileError, write_file
from mlsim_workbooks import tasks
from mlsim_workbooks.package import RecalcError, read_file
from mlsim_workbooks.recalc import Report, embedded, recalculate_bytes
from mlsim_workbooks.recalc.worked import Engine

__all__ = ["ENGINES", "Outcome", "recalculate_many", "targets"]

SECONDS = 300.0  # for one workbook
ENGINES = ("auto", "embedded", "libreoffice", "excel")


@dataclass
class Outcome:
    """What happened to one workbook: a report, or the sentence of a refusal."""

    book: str
    report: Report | None = None
    refusal: str = ""
    written: bool = False
    backup: str = ""


def targets(books: Sequence[str], output_dir: str | None) -> list[tuple[str, str | None]]:
    """Return each workbook with the file to write: itself (None), or one of its name in a folder, which is made."""
    if output_dir is None:
        return [(book, None) for book in books]
    folder = Path(output_dir)
    names = [Path(book).name for book in books]
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise RecalcError(f"Two workbooks are called {name}: they would overwrite each other in {folder}.")
        seen.add(name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecalcError(f"The folder {folder} cannot be made: {error.strerror}.") from None
    return [(book, str(folder / name)) for book, name in zip(books, names, strict=True)]


def recalculate_many(
    books: Sequence[str],
    output_dir: str | None = None,
    *,
    engine: str = "auto",
    jobs: int = 1,
    scheduler: str | None = None,
    backup: bool = False,
    seconds: float = SECONDS,
) -> Iterator[Outcome]:
    """Recalculate workbooks in place, or into a folder; yield the outcomes in the order of the workbooks.

    Parameters
    ----------
    books : sequence of str
        Paths of .xlsx or .xlsm files.
    output_dir : str, optional
        Where to write; made when it does not exist.
    engine : str
        One of `ENGINES`; ``"auto"`` is the embedded one.
    jobs : int
        Workbooks at a time.
    scheduler : str, optional
        The address of a Dask scheduler whose workers recalculate instead.
    seconds : float
        How long the embedded engine may take for one workbook on this machine; it is then refused.
    backup : bool
        Keep what a workbook held before as ``NAME.bak``, or ``NAME.bak1`` and so on.

    Raises
    ------
    CellError
        When nothing can be done at all: an unknown engine, two workbooks of one name, no cluster.
    """
    if engine not in ENGINES:
        raise CellError("#VALUE!", f"There is no engine {engine!r}: it is one of {', '.join(ENGINES)}.")
    pairs = targets(books, output_dir)
    chosen = "embedded" if engine == "auto" else engine
    if not scheduler:
        _require(chosen)  # a program that is missing is one sentence, not one a workbook
    stamps: dict[str, tuple[int, int] | None] = {}

    def work() -> Iterator[tuple[str, bytes, str, str]]:
        for book, out in pairs:
            stamps[book] = stamp(Path(book))
            yield *_read(book, in_place=out is None), chosen

    done = tasks.run(
        _recalculated, work(), jobs=min(jobs, len(books)), scheduler=scheduler, lost=_lost,
        seconds=seconds if chosen == "embedded" else None,  # the other engines look at the clock themselves
    )  # fmt: skip
    with closing(done):
        for i, (report, refusal, data) in tasks.in_order(done):
            book, out = pairs[i]
            outcome = Outcome(book, report, refusal)
            before = stamps.pop(book, None)
            if report is not None:
                try:
                    if out is None and data is not None and stamp(Path(book)) != before:
                        raise RecalcError(
                            f"{Path(book).name} was saved by another program meanwhile, so it was left as it is: run again."
                        )
                    _write(outcome, report, data, out, backup)
                except FileError as error:
                    outcome.report, outcome.refusal = None, str(error)
            yield outcome


def stamp(path: Path) -> tuple[int, int] | None:
    """Return what changes when a file is saved; None when there is no file."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return status.st_mtime_ns, status.st_size


def _require(engine: str) -> None:
    """Say at once when the program of an engine is not there."""
    if engine == "libreoffice":
        from mlsim_addin.libreoffice.install import find_office, find_python

        find_python(find_office())
    elif engine == "excel":
        from mlsim_workbooks.recalc.excel import require

        require()


def _lost(why: str, book: str, *_: object) -> tuple[None, str, None]:
    """Return the refusal of a workbook that ended its process, or took too long."""
    return None, f"{Path(book).name} {why}, so it was left as it is.", None


def _read(book: str, in_place: bool) -> tuple[str, bytes, str]:
    """Return path, content and the reason why it cannot be recalculated."""
    try:
        if in_place and (program := _open_in(Path(book))):
            raise RecalcError(f"{Path(book).name} is open in {program}: close it there, or write elsewhere with -o.")
        return book, read_file(Path(book)), ""
    except FileError as error:
        return book, b"", str(error)


def _recalculated(book: str, data: bytes, refusal: str, engine: str) -> tuple[Report | None, str, bytes | None]:
    """Recalculate in a worker; a refusal comes back as its sentence, so that the other workbooks go on."""
    if refusal:
        return None, refusal, None
    try:
        report, new = recalculate_bytes(data, os.path.abspath(book), engine_named(engine))
    except FileError as error:
        return None, str(error), None
    return report, "", new


@lru_cache(maxsize=1)
def engine_named(name: str) -> Engine:
    """Return an engine, which stays for the life of this process."""
    if name == "embedded":
        return embedded()
    from mlsim_workbooks.recalc.excel import Excel
    from mlsim_workbooks.recalc.external import External
    from mlsim_workbooks.recalc.libreoffice import LibreOffice

    title, program = ("LibreOffice", LibreOffice()) if name == "libreoffice" else ("Excel", Excel())
    program.__enter__()
    Finalize(program, program.close, exitpriority=10)  # in a worker, too, where atexit does nothing
    return External(name, title, program)


def _write(outcome: Outcome, report: Report, data: bytes | None, out: str | None, backup: bool) -> None:
    """Write a recalculated workbook; one in place that has not changed is not touched."""
    source = Path(outcome.book)
    report.path, report.output = source, Path(out or outcome.book)
    if data is None and out is None:
        return
    old = read_file(source) if data is None or backup else b""
    if backup and report.output.exists():
        outcome.backup = str(_backup(report.output, old if out is None else read_file(report.output)))
    write_file(report.output, old if data is None else data, like=source)
    outcome.written = True


def _backup(path: Path, data: bytes) -> Path:
    """Keep the content of a file beside it, under a name that is free."""
    for number in range(10_000):
        kept = path.with_name(f"{path.name}.bak{number or ''}")
        if not kept.exists():
            write_file(kept, data, like=path)
            return kept
    raise FileError(f"{path} has 10,000 backups already: delete some.")


def _open_in(path: Path) -> str:
    """Return the program that has a workbook open, as its lock file tells; empty when none has."""
    for program, name in (("LibreOffice", f".~lock.{path.name}#"), ("Excel", f"~${path.name}")):
        try:
            lock = path.with_name(name)
            if lock.exists():
                return f"{program}{_user(lock)} (or it was left behind: delete {name})"
        except (OSError, ValueError):  # no name, or one too long for a lock beside it
            continue
    return ""


def _user(lock: Path) -> str:
    """Return " by NAME" where a lock file names somebody."""
    try:
        data = lock.read_bytes()[:512]
    except OSError:
        return ""
    if lock.name.startswith("~$"):  # the length of the name, then the name
        name = data[1 : 1 + data[0]].decode("latin-1").strip() if data else ""
    else:
        name = (data.decode("utf-8", "replace") + ",,").split(",")[1]
    name = "".join(c for c in name if c.isprintable())[:60]
    return f" by {name}" if name else ""
