"""What ``mlsim sweep`` does: from the command line to the file."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Generator, Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from mlsim.errors import CellError, NameNotFoundError, UnitError, shorten
from mlsim.files import FileError
from mlsim_workbooks import tasks
from mlsim_workbooks.sweep import parts
from mlsim_workbooks.sweep.axes import Scalar, parse_setting, parse_values
from mlsim_workbooks.sweep.block import Values
from mlsim_workbooks.sweep.book import book_sweep
from mlsim_workbooks.sweep.files import arrow, csv_file, parquet_file
from mlsim_workbooks.sweep.grid import grid
from mlsim_workbooks.sweep.sweep import Sweep, chunks, compute, rows

__all__ = ["run"]

_SENTENCES = 3  # different errors to print; the file has all


def run(args: argparse.Namespace) -> int:
    """Run ``mlsim sweep``; return the exit code: 1 when points are in error."""
    sweep, notes = _sweep(args)
    for text in notes:
        print(f"note: {text}", file=sys.stderr)
    jobs = args.jobs if args.jobs is not None else os.cpu_count() or 1
    if jobs < 1:
        raise CellError("#NUM!", f"--jobs must be at least 1, got {jobs}.")
    out = Path(args.output_file)
    begun = time.perf_counter()
    tally = _Tally()
    if out.suffix == ".parquet" and (args.partitioned or args.scheduler):
        done = _partitioned(sweep, out, jobs, args.scheduler, tally)
    else:
        if args.partitioned:
            raise UnitError(f"--partitioned writes a folder of Parquet files: name it *.parquet, not {out.name}.")
        done = _single(sweep, out, jobs, args.scheduler, tally)
    seconds = time.perf_counter() - begun
    before = f" ({sweep.points - done:,} were there)" if done < sweep.points else ""
    rate = f"{done:,} points in {seconds:.2f} s, {done / seconds:,.0f} points/s"
    print(f"Wrote {out}: {rate}{before}; {tally.points:,} points in error.")
    for text, count in tally.sentences.most_common(_SENTENCES):
        print(f"  {count:,} × {text}", file=sys.stderr)
    return 1 if tally.points else 0


class _Tally:
    """Counts the points in error, and the sentences."""

    def __init__(self) -> None:
        self.points = 0
        self.sentences: Counter[str] = Counter()

    def add(self, sweep: Sweep, results: Iterable[Values]) -> int:
        """Count a stretch; return its points in error."""
        wrong: Any = False
        for column, values in zip(sweep.results, results, strict=True):
            if column.role == "error" and values.texts:
                wrong = wrong | (values.data >= 0)
                counts = np.bincount(values.data[values.data >= 0], minlength=len(values.texts))
                if len(self.sentences) < 10_000:  # sentences with a number in them may all differ
                    self.sentences.update(dict(zip(values.texts, counts.tolist(), strict=True)))
        count = int(np.count_nonzero(wrong))
        self.points += count
        return count


# --- what is swept ---------------------------------------------------------------------------------------------------


def _sweep(args: argparse.Namespace) -> tuple[Sweep, list[str]]:
    """Return the sweep that the command line and the specification describe, and notes about it."""
    spec: dict[str, Any] = {}
    book, asked = args.source, args.grid
    if book and Path(book).suffix.lower() in (".yaml", ".yml"):
        spec = _specification(Path(book))
        book = str(Path(book).parent / spec["book"]) if "book" in spec else None
        asked = asked or spec.get("grid")
    settings = {name: _listed(name, values) for name, values in spec.get("set", {}).items()}
    given: set[str] = set()
    for text in args.set:
        name, values = parse_setting(text)
        if name in given:
            raise UnitError(f"--set {name} is given twice: write all its values in one, such as {name}=1,2,4.")
        given.add(name)
        settings[name] = values
    if bool(book) == bool(asked):
        raise UnitError("Give either --grid with functions, or a workbook (.xlsx, .xlsm), or a specification (.yaml).")
    if asked:
        if args.get:
            raise UnitError("--get reads cells of a workbook; a grid gives the results of its functions.")
        return grid(asked, settings), []
    return book_sweep(book, settings, args.get or _texts("get", spec.get("get", [])))


def _specification(path: Path) -> dict[str, Any]:
    """Read a specification; every scalar is text, since YAML reads 1:30 as 90 and NO as false."""
    import yaml

    try:
        found = yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader)
    except FileNotFoundError:
        raise FileError(f"There is no specification {path}.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"{path} cannot be read: {error}.") from None
    except yaml.YAMLError as error:
        raise FileError(f"{path} is not valid YAML: {str(error).splitlines()[0]}.") from None
    known = ("grid", "book", "set", "get")
    if not isinstance(found, dict) or not found.keys() <= set(known):
        other = next((k for k in found if k not in known), "") if isinstance(found, dict) else ""
        raise NameNotFoundError(
            f"{path} may have the keys {', '.join(known)}" + (f", not {shorten(other)}." if other else ".")
        )
    if not isinstance(found.get("set", {}), dict) or not isinstance(found.get("book", ""), str):
        raise UnitError(f"{path}: 'set' is a table of names and their values, 'book' the name of a file.")
    if "grid" in found:
        found["grid"] = _texts("grid", found["grid"])
    return found


def _texts(key: str, value: Any) -> list[str]:
    """Return a text, or a list of texts, as a list."""
    values = value.split(",") if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(v, str) for v in values):
        raise UnitError(f"{key}: expected a text or a list of texts.")
    return values


def _listed(name: str, values: Any) -> tuple[Scalar, ...]:
    """Read an axis of a specification: as on the command line, or a list, whose commas are no separators."""
    if isinstance(values, str):
        return parse_values(name, values)
    if not isinstance(values, list) or not all(isinstance(v, str) for v in values) or not values:
        raise UnitError(f"{name}: expected values, such as 1:1024 or [H100, MI300X].")
    found = [v for text in values for v in parse_values(name, '"' + text.replace('"', '""') + '"')]
    return tuple(v for _, v in dict.fromkeys((type(v), v) for v in found))


# --- computing and writing -------------------------------------------------------------------------------------------


def _single(sweep: Sweep, out: Path, jobs: int, scheduler: str | None, tally: _Tally) -> int:
    """Write one file, its rows in the order of the points; return the number of points."""
    writers: Mapping[str, Any] = {".parquet": parquet_file, ".csv": csv_file, ".xlsx": _workbook}
    if out.suffix not in writers:
        raise UnitError(f"{out.name}: write a .parquet, .csv or .xlsx file.")
    with (
        writers[out.suffix](out, sweep) as write,
        closing(_computed(sweep, range(chunks(sweep)), jobs, scheduler)) as found,
    ):
        for number, results in tasks.in_order(found):
            tally.add(sweep, results)
            write(rows(sweep, number, results))
    return sweep.points


def _workbook(out: Path, sweep: Sweep) -> Any:
    from mlsim_workbooks.sweep.workbook import workbook_file

    return workbook_file(out, sweep)


def _partitioned(sweep: Sweep, out: Path, jobs: int, scheduler: str | None, tally: _Tally) -> int:
    """Write the parts that are not there; return the number of their points."""
    arrow()
    parts.open_folder(out, sweep)
    due = parts.missing(out, sweep)
    tally.points += sum(parts.errors_of(out, i) for i in sorted(set(range(chunks(sweep))) - set(due)))
    done = 0
    with closing(_computed(sweep, due, jobs, scheduler)) as found:
        for number, results in found:
            parts.write_part(out, sweep, due[number], results, tally.add(sweep, results))
            done += len(results[0].data)
    return done


def _computed(
    sweep: Sweep, numbers: range | list[int], jobs: int, scheduler: str | None
) -> Generator[tuple[int, list[Values]]]:
    """Yield the results of stretches as they come, with a progress bar on a terminal."""
    from tqdm import tqdm

    if not numbers:
        return
    found = tasks.run(
        compute, ((sweep, number) for number in numbers), jobs=min(jobs, len(numbers)), scheduler=scheduler
    )
    with closing(found), tqdm(total=sweep.points, unit="point", unit_scale=True, disable=None) as bar:
        bar.update(max(0, sweep.points - len(numbers) * sweep.chunk))
        for number, results in found:
            bar.update(len(results[0].data))
            yield number, results
