"""Recalculates and checks spoilt workbooks, one after another, in a process that may crash: ``child.py START FIRST LAST FOLDER``.

It prints ``> number`` before each workbook and ``! number fault`` for what is wrong; the last line is ``done``.
"""

from __future__ import annotations

import contextlib
import io
import math
import os
import re
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from mutate_books import Mutant, mutant
from seed_books import GUARD, GUARDED

import mlsim
import mlsim_workbooks

MEMORY = 4 << 30
SECONDS = 20.0  # of the processor, that no workbook may take
_INTERNAL = re.compile(
    r"Traceback|\b\w+(?:Error|Exception)\b|<[\w. ]+(?: object| at 0x)|NoneType|invalid literal|could not convert|list index|unpack_from|codec can't"
)
_OUTSIDE = ("socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "urllib.")
_FOLDERS = (
    tempfile.gettempdir() + os.sep + "mlsim-fuzz",
    os.path.dirname(mlsim.__file__),
    os.path.dirname(mlsim_workbooks.__file__),
)
_done: list[str] = []
_watched = [False]


def main(start: str, first: int, last: int, folder: Path) -> None:
    """Check the spoilt workbooks of these numbers."""
    import mlsim_workbooks.functions  # noqa: F401  all that is imported late, before files are watched
    from mlsim_workbooks.lint.command import checked
    from mlsim_workbooks.recalc import recalculate

    warm(folder, recalculate, checked)
    limit_memory()
    sys.addaudithook(hook)
    for number in range(first, last):
        print(f"> {number}", flush=True)
        spoilt = mutant(number, start)
        begin = time.process_time()
        found = list(faults(spoilt, folder, recalculate, checked))
        if (seconds := time.process_time() - begin) > SECONDS:
            found.append(f"takes {seconds:.0f} s of the processor")
        for fault in found:
            print(f"! {number} {fault} [{spoilt.what}]".replace("\n", "\\n"), flush=True)
    print("done", flush=True)


def warm(folder: Path, recalculate: Any, checked: Any) -> None:
    """Import everything that a recalculation and a check need."""
    tempfile.tempdir = str(folder / "tmp")
    Path(tempfile.tempdir).mkdir()
    path = folder / "warm.xlsx"
    from seed_books import packed, seed

    for name in ("plain", "dynamic"):
        path.write_bytes(packed(seed(name)))
        recalculate(path)
        checked(str(path))
    opens(path.read_bytes())
    path.unlink()


def limit_memory() -> None:
    """Let a hunger for memory end this process, where the platform can, and not the machine."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def hook(event: str, args: tuple[Any, ...]) -> None:
    """Note what reaches outside the folder."""
    if not _watched[0]:
        return
    if event.startswith(_OUTSIDE):
        _done.append(f"{event} {args!r}"[:200])
        raise PermissionError(event)
    if event == "open" and isinstance(args[0], (str, bytes)):
        path = os.path.abspath(os.fsdecode(args[0]))
        if not path.startswith(_FOLDERS) and not path.endswith((".py", ".pyc")):
            _done.append(f"open {args[0]!r} {args[1]!r}"[:200])


def faults(spoilt: Mutant, folder: Path, recalculate: Any, checked: Any) -> Iterator[str]:
    """Yield what is wrong with the recalculation and the check of a spoilt workbook."""
    path = folder / "book.xlsx"
    path.write_bytes(spoilt.data)
    _done.clear()
    _watched[0] = True
    output = io.StringIO()
    try:
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output), warnings.catch_warnings():
            warnings.simplefilter("error")
            report, said = attempt(recalculate, path)
            new = path.read_bytes()
            again, _ = attempt(recalculate, path) if report and not spoilt.volatile else (None, "")
            _, found = attempt(checked, str(path))
    finally:
        _watched[0] = False
    yield from (f"outside: {done}" for done in _done)
    yield from (f"recalculation: {fault}" for fault in clear(said))
    yield from (f"check: {fault}" for fault in clear(found))
    if output.getvalue():
        yield f"prints {output.getvalue()[-700:]!r}"
    if left := [p.name for p in [*folder.iterdir(), *(folder / "tmp").iterdir()] if p.name not in ("book.xlsx", "tmp")]:
        yield f"leaves {left}"
    if report is None:
        if new != spoilt.data:
            yield "is refused, but changed"
        return
    if again is not None and (again.changed or path.read_bytes() != new):
        yield f"changes again: {again.changed[:5]}"
    if new == spoilt.data:
        return
    yield from differences(spoilt.data, new, report)
    if opens(spoilt.data) and not opens(new):
        yield "openpyxl opened it before and does not now"
    if spoilt.guarded:
        yield from guard(new, report)


def attempt(action: Any, path: Any) -> tuple[Any, str]:
    """Return the result, and the sentence of a refusal or the traceback of a defect."""
    from mlsim.errors import CellError

    try:
        return action(path), ""
    except CellError as error:
        return None, error.message
    except BaseException as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        return (
            None,
            f"Traceback {type(error).__name__}: {str(error)[:200]} at {Path(where.filename).name}:{where.lineno} in {where.name}",
        )


def clear(said: str) -> Iterator[str]:
    """Yield what keeps a refusal from being one sentence for a person."""
    if not said:
        return
    if _INTERNAL.search(said):
        yield said[:400]
    elif len(said) > 600 or "\n" in said or not said.endswith((".", "?")):
        yield f"not a sentence: {said[:300]!r}"


# --- what may differ -------------------------------------------------------------------------------------------------


def differences(before: bytes, after: bytes, report: Any) -> Iterator[str]:
    """Yield what differs between two packages beside the values of formula cells."""
    try:
        old, new = zipfile.ZipFile(io.BytesIO(before)), zipfile.ZipFile(io.BytesIO(after))
        names = old.namelist()
        if names != new.namelist():
            yield f"has the members {new.namelist()}"
            return
        pairs = [(name, old.read(name), new.read(name)) for name in names]
    except Exception as error:
        if readable(before):
            yield f"is not a zip file for Python any more: {error}"
        return
    for name, one, other in pairs:
        if one != other:
            yield from sheet_differences(name, one, other)


def readable(data: bytes) -> bool:
    """Tell whether Python reads every member."""
    try:
        return zipfile.ZipFile(io.BytesIO(data)).testzip() is None
    except Exception:
        return False


def sheet_differences(name: str, before: bytes, after: bytes) -> Iterator[str]:
    """Yield what differs between two worksheets beside the values of formula cells."""
    try:
        old = ElementTree.fromstring(before)
    except ElementTree.ParseError:
        return  # of a prefix that is not declared, which does no harm
    try:
        new = ElementTree.fromstring(after)
    except ElementTree.ParseError as error:
        yield f"{name} is not XML any more: {error}"
        return
    if local(old) != "worksheet":
        yield f"{name} is no worksheet, and changed"
        return
    areas = [parse_area(f.get("ref", "")) for root in (old, new) for f in root.iter() if f.get("t") == "array"]
    one, other = bare(old, areas), bare(new, areas)
    if one != other:
        at = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
        yield f"{name} differs: {one[at : at + 2]} became {other[at : at + 2]}"[:400]
    known = {element.get("r"): shown(element) for element in old.iter() if local(element) == "c"}
    for element in new.iter():
        ref = element.get("r")
        if local(element) == "c" and ref and shown(element) != known.get(ref):
            yield from value_faults(name, element)


def shown(cell: ElementTree.Element) -> tuple[Any, ...]:
    """Return the type and the values of a cell."""
    return cell.get("t"), *((child.tag, child.text) for child in cell)


def local(element: ElementTree.Element) -> str:
    """Return a tag without its namespace."""
    return element.tag.rpartition("}")[2]


def bare(root: ElementTree.Element, areas: list[Any]) -> list[Any]:
    """Return a worksheet in document order without what a recalculation may change: values, and what an array fills."""
    found: list[Any] = []
    stack = [root]
    while stack:
        element = stack.pop()
        tag, attributes, children = local(element), dict(element.attrib), list(element)
        if tag == "f" and attributes.get("t") == "array":
            attributes.pop("ref", None)
        elif tag == "row":
            children = [child for child in children if not filled(child, areas)]
            if not children and attributes.keys() <= {"r"}:
                continue
        elif tag == "c":
            attributes.pop("t", None)
            if any(local(child) == "f" for child in children):
                children = [child for child in children if local(child) not in ("v", "is")]
        found.append((tag, attributes, (element.text or "").strip() if tag not in ("c", "row") else ""))
        stack += reversed(children)
    return found


def filled(element: ElementTree.Element, areas: list[Any]) -> bool:
    """Tell whether an array may have filled a cell, or emptied it."""
    if local(element) != "c" or any(local(child) == "f" for child in element):
        return False
    place = parse_place(element.get("r", ""))
    if place is None:  # a cell without a name, which may be anywhere
        return bool(areas)
    return not len(element) or any(area and inside(place, area) for area in areas)


def parse_place(ref: str) -> tuple[int, int] | None:
    """Return row and column of a cell's name."""
    match = re.fullmatch(r"([A-Za-z]{1,3})(\d{1,7})", ref)
    if match is None:
        return None
    column = 0
    for letter in match[1].upper():
        column = column * 26 + ord(letter) - 64
    return int(match[2]), column


def parse_area(ref: str) -> tuple[int, int, int, int] | None:
    """Return top, left, bottom and right of a range."""
    first, _, last = ref.replace("$", "").partition(":")
    one, two = parse_place(first), parse_place(last or first)
    return (*one, *two) if one and two else None


def inside(place: tuple[int, int], area: tuple[int, int, int, int]) -> bool:
    """Tell whether a cell lies in an area."""
    return area[0] <= place[0] <= area[2] and area[1] <= place[1] <= area[3]


def value_faults(name: str, cell: ElementTree.Element) -> Iterator[str]:
    """Yield what is wrong with the new value of a cell, given its type."""
    values = [child.text or "" for child in cell if child.tag == cell.tag[:-1] + "v"]
    where, kind = f"{name} {cell.get('r')}", cell.get("t", "n")
    if len(values) > 1 or any(local(child) == "is" for child in cell):
        yield f"{where} has {len(values)} values"
    value = values[0] if values else ""
    if kind == "b" and value not in ("0", "1"):
        yield f"{where} is a truth value with {value!r}"
    elif kind == "e" and not re.fullmatch(r"#(?:NULL!|DIV/0!|VALUE!|REF!|NAME\?|NUM!|N/A)", value):
        yield f"{where} is an error with {value!r}"
    elif kind == "n" and values:
        try:
            if value and not math.isfinite(float(value)):
                yield f"{where} is the number {value!r}"
        except ValueError:
            yield f"{where} is a number with {value!r}"
    elif kind not in ("b", "e", "n", "str"):
        yield f"{where} has got the type {kind!r}"
    elif kind == "str" and len(value) > 40_000:
        yield f"{where} has a text of {len(value)} characters"


def guard(data: bytes, report: Any) -> Iterator[str]:
    """Yield the cells of the guard that did not come out right, unless they were left alone."""
    left = {cell for sheet, cell, _ in report.left if sheet == "Guard"}
    root = ElementTree.fromstring(zipfile.ZipFile(io.BytesIO(data)).read(GUARD))
    for element in root.iter():
        ref = element.get("r", "")
        if local(element) == "c" and ref in GUARDED:
            value = next((child.text or "" for child in element if local(child) == "v"), "")
            if (element.get("t", "n"), value) != GUARDED[ref]:
                yield f"the guard's {ref} is {element.get('t', 'n')} {value!r}, not {GUARDED[ref]}" + (
                    " and left alone" if ref in left else ""
                )


def opens(data: bytes) -> bool:
    """Tell whether openpyxl opens a workbook."""
    import openpyxl

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            openpyxl.load_workbook(io.BytesIO(data))
        return True
    except Exception:
        return False


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
