"""``mlsim lint``: check workbooks, print the findings, write them as JSON, SARIF or marks in a copy."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from mlsim.errors import CellError, printable
from mlsim.files import FileError, write_file
from mlsim_workbooks.lint import Checked, check_book
from mlsim_workbooks.lint.annotate import annotate
from mlsim_workbooks.lint.finding import RULES, Finding
from mlsim_workbooks.lint.report import as_json, as_sarif, count_line, lines, rule_table, total_line
from mlsim_workbooks.lint.silence import rule_names
from mlsim_workbooks.package import read_package

__all__ = ["checked", "run"]

_ENDINGS = (".xlsx", ".xlsm")


def run(args: argparse.Namespace) -> int:
    """Check what the command line names; return the exit code."""
    for stream in (sys.stdout, sys.stderr):  # a sheet's name may hold what the terminal cannot show
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    if args.rules:
        print("\n".join(rule_table()))
        return 0
    words = [word for words in args.ignore for word in words.split(",")]
    paths = [word for word in words if word.lower() not in RULES and _is_book(word)]  # "--ignore prefix a.xlsx"
    ignore = rule_names([word for word in words if word not in paths])
    books, failures = _books([*args.books, *paths])
    outputs = [out for out in (args.json, args.sarif, args.annotate) if out not in (None, "-")]
    _refuse_outputs(args, books, outputs)
    for sentence in failures:
        print(sentence, file=sys.stderr)
    findings: list[Finding] = []
    done = 0
    quiet = "-" in (args.json, args.sarif)  # standard output belongs to the report
    with tqdm(books, unit="book", disable=None if len(books) > 1 else True, leave=False) as bar:
        for book in bar:
            result = _one(book, ignore, args.annotate)
            if isinstance(result, str):
                failures.append(result)
                bar.write(result, file=sys.stderr)
                continue
            done += 1
            findings += result.findings
            for note in result.notes:
                bar.write(printable(f"{book}: note: {note}"), file=sys.stderr)
            if not quiet:
                wrote = [f"Wrote {args.annotate}."] if args.annotate else []
                last = count_line(book, result.findings, result.formulas, result.silenced)
                bar.write("\n".join([*lines(result.findings), *wrote, last]), file=sys.stdout)
    if len(books) > 1 and not quiet:
        print(total_line(findings, done, len(failures)))
    _emit(args.json, as_json(findings))
    _emit(args.sarif, as_sarif(findings, failures))
    return 2 if failures else int(any(f.severity == "error" for f in findings))


def checked(book: str, ignore: Collection[str] = (), marked: str | None = None) -> Checked:
    """Check one workbook, and write a copy with its findings marked when that is asked for.

    Raises
    ------
    CellError
        For every failure, with one sentence.
    """
    try:
        package = read_package(book)
        result = check_book(package, ignore)
        if marked:
            write_file(marked, annotate(package, result.findings), like=Path(book))
        return result
    except CellError:
        raise
    except Exception as error:  # a workbook that nobody has thought of must not end in a traceback
        reason = f"{type(error).__name__}: {error}".rstrip(": ")
        raise FileError(f"{Path(book).name} could not be checked: {reason}") from error


def _one(book: str, ignore: Collection[str], marked: str | None) -> Checked | str:
    """Check one workbook; a refusal comes back as its sentence, so that the other workbooks go on."""
    try:
        result = checked(book, ignore, marked)
    except CellError as error:
        return printable(f"{book}: {error.message}")
    return replace(result, findings=[replace(f, file=book) for f in result.findings])


def _books(given: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the workbooks that files and folders name, each once, and a sentence for each folder without one."""
    if not given:
        raise CellError("#VALUE!", "Name a workbook (.xlsx, .xlsm) or a folder to check.")
    books: dict[str, None] = {}
    failures: list[str] = []
    for name in given:
        if not os.path.isdir(name):
            books[name] = None
            continue
        found = sorted(_in_folder(name))
        books |= dict.fromkeys(found)
        if not found:
            failures.append(printable(f"{name}: There is no workbook (.xlsx, .xlsm) in this folder."))
    return list(books), failures


def _in_folder(folder: str) -> Iterator[str]:
    for where, _, names in os.walk(folder):
        for name in names:
            if name.lower().endswith(_ENDINGS) and not name.startswith("~$"):  # Excel's lock files
                yield os.path.join(where, name)


def _is_book(word: str) -> bool:
    return word.lower().endswith(_ENDINGS) or os.path.isdir(word)


def _refuse_outputs(args: argparse.Namespace, books: Sequence[str], outputs: Sequence[str]) -> None:
    """Raise where an output would overwrite a workbook or another output."""
    if args.json == args.sarif == "-":
        raise CellError("#VALUE!", "Only one of --json and --sarif can go to standard output.")
    if args.annotate == "-":
        raise CellError("#VALUE!", "--annotate needs the name of a workbook to write.")
    if args.annotate and len(books) != 1:
        raise CellError("#VALUE!", f"--annotate takes one workbook at a time, got {len(books)}.")
    if args.annotate and Path(args.annotate).suffix.lower() != Path(books[0]).suffix.lower():
        ending = Path(books[0]).suffix
        raise CellError("#VALUE!", f"{args.annotate} is to be a copy of {books[0]}: end its name in {ending} too.")
    places = [os.path.realpath(out) for out in outputs]
    inputs = {os.path.realpath(book) for book in books}
    for out, place in zip(outputs, places, strict=True):
        if place in inputs or any(_same_file(out, book) for book in books):
            raise CellError(
                "#VALUE!", f"{out} is the workbook that is checked, and is not overwritten: choose another name."
            )
        if places.count(place) > 1:
            raise CellError("#VALUE!", f"{out} is named for two outputs.")


def _same_file(one: str, other: str) -> bool:
    """Tell whether two paths lead to one file, by whatever links."""
    try:
        return os.path.samefile(one, other)
    except (OSError, ValueError):
        return False


def _emit(where: str | None, text: str) -> None:
    if where == "-":
        print(text, end="")
    elif where:
        write_file(where, text.encode())
