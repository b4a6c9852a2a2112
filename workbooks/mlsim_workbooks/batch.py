"""Recalculates many workbooks and says, one line each, what happened."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from mlsim.files import FileError
from mlsim_workbooks.package import RecalcError
from mlsim_workbooks.recalc import Report, recalculate

__all__ = ["recalculate_all", "targets"]

Task = tuple[str, str | None]


def _one(task: Task) -> Report | str:
    """Recalculate one workbook; a refusal comes back as its sentence, so that the other workbooks go on."""
    book, out = task
    try:
        return recalculate(book, out=out)
    except FileError as error:
        return str(error)


def _results(tasks: Sequence[Task], jobs: int) -> Iterator[Report | str]:
    if jobs <= 1 or len(tasks) == 1:
        yield from map(_one, tasks)
        return
    with ProcessPoolExecutor(max_workers=min(jobs, len(tasks))) as pool:
        yield from pool.map(_one, tasks)


def targets(books: Sequence[str], output_dir: str | None) -> list[Task]:
    """Return each workbook with the file to write: itself (None), or one of its name in a folder, which is made."""
    if output_dir is None:
        return [(book, None) for book in books]
    folder = Path(output_dir)
    names = [Path(book).name for book in books]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise RecalcError(f"Two workbooks are called {twice[0]}: they would overwrite each other in {folder}.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecalcError(f"The folder {folder} cannot be made: {error.strerror}.") from None
    return [(book, str(folder / name)) for book, name in zip(books, names, strict=True)]


def recalculate_all(books: Sequence[str], output_dir: str | None = None, jobs: int = 1) -> int:
    """Recalculate workbooks in place, or into a folder; print a line for each.

    Parameters
    ----------
    books : sequence of str
        Paths of .xlsx or .xlsm files.
    output_dir : str, optional
        Where to write; made when it does not exist.
    jobs : int
        Workbooks at a time.

    Returns
    -------
    int
        0 when every workbook was recalculated without an error cell, 1 when a cell is in error, 2 when a workbook
        was refused.
    """
    code = 0
    tasks = targets(books, output_dir)
    for (book, _), result in zip(tasks, _results(tasks, jobs), strict=True):
        if isinstance(result, str):
            print(f"{book}: {result}", file=sys.stderr, flush=True)
            code = 2
            continue
        summary = (
            f"{result.formulas:,} formulas, {result.mlsim_calls:,} MLSIM calls, {len(result.changed):,} values changed"
        )
        print(f"{result.output}: {summary}, {result.seconds:.2f} s.", flush=True)
        for note in result.notes:
            print(f"  note: {note}", file=sys.stderr)
        for sheet, cell, error, message in result.errors:
            print(f"  {sheet}!{cell}: {error} {message}".rstrip(), file=sys.stderr)
        if result.errors:
            code = max(code, 1)
    return code
