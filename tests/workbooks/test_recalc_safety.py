"""Batch recalculation under bad luck and bad intent, with the real command in a process of its own.

Whatever happens, a workbook is as it was or as it should be; nothing else is touched, run or asked for.
"""

from __future__ import annotations

import contextlib
import http.server
import io
import os
import random
import re
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from mlsim_workbooks import cli
from mlsim_workbooks.recalc import recalculate

KILLS = 60
POSIX = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX system")
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"

# A child that does something to itself before it runs the command: everything is imported first.
CHILD = """
import os, signal, sys, tempfile
import multiprocessing.connection, multiprocessing.popen_fork
import mlsim_workbooks.functions
from mlsim_workbooks import cli
from mlsim_workbooks.recalc import batch, command, recalculate
recalculate(sys.argv[1], out=os.path.join(tempfile.mkdtemp(), "warm.xlsx"))
{act}
sys.exit(cli.main(["recalc", *sys.argv[2:]]))
"""


# --- workbooks -------------------------------------------------------------------------------------------------------


def make(path: Path, cells: dict[str, Any], **others: dict[str, Any]) -> Path:
    """Write a workbook with the sheet ``Sheet1`` and others."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, content in {"Sheet1": cells, **others}.items():
        page = book.create_sheet(title)
        for ref, value in content.items():
            page[ref] = value
    book.save(path)
    return path


def small(path: Path) -> Path:
    return make(path, {"A1": 3, "B1": '=MLSIM_CONVERT("80 GB","GB")+A1', "C1": "=A1*2"})


def formulas(path: Path, count: int) -> Path:
    cells: dict[str, Any] = {f"A{i}": i for i in range(1, count + 1)}
    cells |= {f"B{i}": f'=MLSIM_WEIGHTS("70 Gparam","fp8")+A{i}' for i in range(1, count + 1)}
    return make(path, cells)


def values(path: Path, sheet: str = "Sheet1") -> Any:
    return openpyxl.load_workbook(path, data_only=True)[sheet]


def rewrite(path: Path, part: str, old: str, new: str) -> Path:
    """Replace a text in a part of a workbook; an empty ``old`` replaces the whole part, or adds it."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    text = parts.get(part, b"").decode()
    assert old in text, old
    parts[part] = (text.replace(old, new, 1) if old else new).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return path


def cached(path: Path, cell: str, formula: str, value: str = "<v>42</v>", kind: str = "") -> Path:
    """Give a cell a formula and a cached value, as XML."""
    with zipfile.ZipFile(path) as archive:
        text = archive.read("xl/worksheets/sheet1.xml").decode()
    found = re.search(rf'<c r="{cell}"[^<>]*?(?:/>|>.*?</c>)', text)
    assert found, cell
    return rewrite(path, "xl/worksheets/sheet1.xml", found[0], f'<c r="{cell}"{kind}><f>{formula}</f>{value}</c>')


# --- the command -----------------------------------------------------------------------------------------------------


def run(
    *args: str | Path, act: str | None = None, book: Path | None = None, seconds: float = 120, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run ``mlsim recalc`` in a process of its own, which may do something to itself before."""
    code = ["-c", CHILD.format(act=act), str(book)] if act is not None else ["-m", "mlsim_workbooks.cli", "recalc"]
    done = subprocess.run(
        [sys.executable, *code, *map(str, args)], capture_output=True, text=True, errors="replace", timeout=seconds,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)} | env, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr[-2000:]
    return done


def refused(done: subprocess.CompletedProcess[str], words: str = "") -> str:
    """Check that a workbook was refused with one sentence; return it."""
    assert done.returncode == 2, (done.returncode, done.stdout, done.stderr)
    said = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(said) == 1, said
    assert said[0].endswith(".")
    assert words in said[0]
    return said[0]


def unharmed(done: subprocess.CompletedProcess[str], path: Path, cell: str = "B1", value: Any = 42) -> str:
    """Check that a cell kept its value: the workbook was refused, or the cell left alone; return what was said."""
    assert done.returncode in (1, 2), (done.returncode, done.stdout, done.stderr)
    assert f"Sheet1!{cell}" in done.stderr
    assert values(path)[cell].value == value
    return done.stderr


def strays(folder: Path) -> list[Path]:
    return sorted(folder.glob(".mlsim-*.tmp"))


# --- killed ----------------------------------------------------------------------------------------------------------


@POSIX
def test_killed_at_any_time(tmp_path: Path) -> None:
    folder, scratch = tmp_path / "books", tmp_path / "scratch"
    folder.mkdir()
    scratch.mkdir()
    book = formulas(folder / "book.xlsx", 1500)
    before = book.read_bytes()
    begin = time.perf_counter()
    assert run(book).returncode == 0
    whole = time.perf_counter() - begin
    after = book.read_bytes()
    assert after != before
    chance = random.Random(7)
    ends = {"before": 0, "after": 0}
    command = [sys.executable, "-m", "mlsim_workbooks.cli", "recalc", str(book)]
    for i in range(KILLS):
        book.write_bytes(before)
        child = subprocess.Popen(
            command, env=os.environ | {"TMPDIR": str(scratch)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(whole * (chance.uniform(0.0, 1.0) if i % 2 else chance.uniform(0.7, 1.1)))
        child.send_signal(signal.SIGKILL)
        child.wait()
        now = book.read_bytes()
        assert now in (before, after), f"after a kill the file has {len(now)} bytes"
        ends["before" if now == before else "after"] += 1
        assert len(strays(folder)) <= 1
        for stray in strays(folder):
            stray.unlink()
    print(f"{KILLS} kills: {ends}")
    assert ends["before"]
    for _ in range(200):  # the processes that worked for it end as well
        if not working_in(scratch):
            break
        time.sleep(0.1)
    assert working_in(scratch) == []
    assert all(place.name.startswith("mlsim-") for place in scratch.iterdir())


def working_in(scratch: Path) -> list[str]:
    """Return the processes with this folder for temporary files, where the system tells."""
    found = []
    for file in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if b"TMPDIR=" + os.fsencode(scratch) + b"\0" in file.read_bytes():
                found.append(file.parent.name)
    return found


@POSIX
@pytest.mark.parametrize("stage", ["tempfile.mkstemp", "os.fsync", "shutil.copymode", "os.replace"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_while_writing(tmp_path: Path, stage: str, when: str) -> None:
    book = small(tmp_path / "book.xlsx")
    before = book.read_bytes()
    module, _, name = stage.partition(".")
    kill = "os.kill(os.getpid(), signal.SIGKILL)"
    inside = f"{kill}" if when == "before" else f"old(*args, **kw); {kill}"
    act = f"import {module}\nold = {stage}\ndef new(*args, **kw):\n    {inside}\n{module}.{name} = new"
    done = run(book, act=act, book=book)
    assert done.returncode == -signal.SIGKILL
    replaced = (stage, when) == ("os.replace", "after")
    assert (book.read_bytes() != before) == replaced
    assert len(strays(tmp_path)) == (0 if replaced or (stage, when) == ("tempfile.mkstemp", "before") else 1)
    for stray in strays(tmp_path):  # what an old run left is removed by the next one, what a new one has is not
        assert run(book).returncode == 0
        assert stray.exists()
        os.utime(stray, (1e9, 1e9))
        assert run(book).returncode == 0
        assert not stray.exists()
    assert run(book).returncode == 0
    assert values(book)["C1"].value == 6


@POSIX
def test_interrupted_from_the_keyboard(tmp_path: Path) -> None:
    book = small(tmp_path / "book.xlsx")
    before = book.read_bytes()
    act = (
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # ignored in what a shell runs in the background
        "def new(*args, **kw): os.kill(os.getpid(), signal.SIGINT)\nos.fsync = new"
    )
    done = run(book, act=act, book=book)
    assert done.returncode in (2, 130)
    assert book.read_bytes() == before
    assert strays(tmp_path) == []


# --- no room, no permission ------------------------------------------------------------------------------------------


@POSIX
def test_a_file_that_may_not_grow(tmp_path: Path) -> None:
    book = formulas(tmp_path / "book.xlsx", 1500)
    before = book.read_bytes()
    act = "import resource\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\nresource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))"
    refused(run(book, act=act, book=book), "book.xlsx")
    assert book.read_bytes() == before
    assert os.listdir(tmp_path) == ["book.xlsx"]


@pytest.fixture
def little(tmp_path: Path) -> Iterator[Path]:
    """Return a folder with room for a hundred kilobytes."""
    folder = tmp_path / "little"
    folder.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if not mounted or mounted.returncode:
        warnings.warn("no small disk can be mounted here: a full one is not tried", stacklevel=1)
        pytest.skip("needs the right to mount")
    yield folder
    subprocess.run(["umount", str(folder)], check=False)


def test_a_full_disk(tmp_path: Path, little: Path) -> None:
    book = Path(shutil.copy(formulas(tmp_path / "book.xlsx", 1500), little / "book.xlsx"))
    before = book.read_bytes()
    (little / "filler").write_bytes(bytes(96_000 - len(before)))
    refused(run(book), "the disk is full. Nothing was changed")
    assert book.read_bytes() == before
    assert sorted(os.listdir(little)) == ["book.xlsx", "filler"]
    (little / "filler").unlink()


NOBODY = (
    "os.setgroups([]); os.setgid(65534); os.setuid(65534)" if hasattr(os, "getuid") and os.getuid() == 0 else "pass"
)


@POSIX
def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    folder = tmp_path / "fixed"
    folder.mkdir()
    book = small(folder / "book.xlsx")
    before = book.read_bytes()
    opened_to_all(folder)
    folder.chmod(0o555)
    try:
        refused(run(book, act=NOBODY, book=book), "permission denied")
    finally:
        folder.chmod(0o755)
    assert book.read_bytes() == before
    assert os.listdir(folder) == ["book.xlsx"]


@POSIX
def test_a_file_that_may_not_be_written_or_read(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    book, other = small(folder / "book.xlsx"), small(tmp_path / "other.xlsx")
    before = book.read_bytes()
    opened_to_all(folder)
    folder.chmod(0o777)
    book.chmod(0o444)
    refused(run(book, act=NOBODY, book=other), "read-only")
    book.chmod(0)
    refused(run(book, act=NOBODY, book=other), "permission denied")
    book.chmod(0o644)
    assert book.read_bytes() == before
    assert os.listdir(folder) == ["book.xlsx"]


def opened_to_all(folder: Path) -> None:
    """Let everybody look into the folders that pytest keeps for this user alone."""
    for place in [folder, *folder.parents]:
        if place.owner() == folder.owner() and place != Path(place.anchor) and "pytest" in str(place):
            place.chmod(place.stat().st_mode | 0o055)


def test_a_file_that_another_program_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    book = small(tmp_path / "book.xlsx")
    before = book.read_bytes()

    def shared(*_: object) -> None:
        raise PermissionError(13, "The process cannot access the file because it is being used by another process")

    monkeypatch.setattr(os, "replace", shared)
    assert cli.main(["recalc", str(book)]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert "open in another program" in said[0]
    assert book.read_bytes() == before
    assert os.listdir(tmp_path) == ["book.xlsx"]


LOCKS = {
    ".~lock.book.xlsx#": (b",Ada Lovelace,engine,26.11.2026 10:00,file:///home/ada;", "LibreOffice", "Ada Lovelace"),
    "~$book.xlsx": (
        b"\x0cAda Lovelace".ljust(55) + "\x0cAda Lovelace".ljust(55).encode("utf-16-le"),
        "Excel",
        "Ada Lovelace",
    ),
}


@pytest.mark.parametrize("name", LOCKS)
def test_a_workbook_that_is_open(tmp_path: Path, name: str) -> None:
    book = small(tmp_path / "book.xlsx")
    before = book.read_bytes()
    content, program, user = LOCKS[name]
    (tmp_path / name).write_bytes(content)
    said = refused(run(book), program)
    assert user in said
    assert book.read_bytes() == before
    done = run(book, "-o", tmp_path / "out")
    assert done.returncode == 0
    assert values(tmp_path / "out" / "book.xlsx")["C1"].value == 6
    assert book.read_bytes() == before
    (tmp_path / name).write_bytes(b"")  # whatever stands in it
    refused(run(book), program)


# --- odd paths -------------------------------------------------------------------------------------------------------


@POSIX
def test_links(tmp_path: Path) -> None:
    book = small(tmp_path / "book.xlsx")
    before = book.read_bytes()
    link, hard = tmp_path / "link.xlsx", tmp_path / "hard.xlsx"
    link.symlink_to("book.xlsx")
    os.link(book, hard)
    assert run(link).returncode == 0
    assert link.is_symlink()
    assert values(book)["C1"].value == 6
    assert hard.read_bytes() in (before, book.read_bytes())  # whole, old or new
    (tmp_path / "loop.xlsx").symlink_to("loop.xlsx")
    refused(run(tmp_path / "loop.xlsx"))
    (tmp_path / "dead.xlsx").symlink_to("nothing.xlsx")
    refused(run(tmp_path / "dead.xlsx"), "There is no file")


@pytest.mark.parametrize(
    "name",
    [
        "with space.xlsx",
        "größer 漢字 🚀.xlsx",
        "new\nline.xlsx",
        "a'b\"c.xlsx",
        "-o.xlsx",
        "%s{x}.xlsx",
        "tab\t.xlsx",
        "\x1b[31m.xlsx",
    ],
)
def test_names(tmp_path: Path, name: str) -> None:
    if os.name != "posix" and re.search(r'[\x00-\x1f"]', name):
        pytest.skip("no such name here")
    book = small(tmp_path / name)
    done = run(book)
    assert done.returncode == 0, done.stderr
    assert values(book)["C1"].value == 6


@POSIX
@pytest.mark.parametrize("place", ["folder", "fifo", "/dev/zero", "/dev/null", "nothing", "", "x" * 5000, "socket"])
def test_what_is_no_file(tmp_path: Path, place: str) -> None:
    import socket

    path: str | Path = tmp_path / place if place in ("folder", "fifo", "nothing", "socket") else place
    if place == "folder":
        Path(path).mkdir()
    if place == "fifo":
        os.mkfifo(path)
    if place == "socket":
        with socket.socket(socket.AF_UNIX) as one:
            os.chdir(tmp_path)
            one.bind("socket")
    done = run(str(path), seconds=30)
    refused(done)


def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("file names are text here")
    path = os.fsencode(tmp_path / "bad") + b"\xff.xlsx"
    shutil.copy(small(tmp_path / "good.xlsx"), path)
    done = run(os.fsdecode(path))
    assert done.returncode == 0


def test_backups(tmp_path: Path) -> None:
    book = small(tmp_path / "book.xlsx")
    versions = []
    for i, name in enumerate(["book.xlsx.bak", "book.xlsx.bak1", "book.xlsx.bak2"]):
        if i:
            make(book, {"A1": 3, "C1": f"=A1*{i + 2}"})
        versions.append(book.read_bytes())
        assert run("--backup", book).returncode == 0
        assert (tmp_path / name).read_bytes() == versions[-1]
    assert [(tmp_path / n).read_bytes() for n in ("book.xlsx.bak", "book.xlsx.bak1", "book.xlsx.bak2")] == versions
    kept = sorted(os.listdir(tmp_path))
    assert run("--backup", book).returncode == 0  # nothing changes, nothing is kept
    assert sorted(os.listdir(tmp_path)) == kept


def test_a_name_that_cannot_be_shown(tmp_path: Path) -> None:
    book = make(tmp_path / "book.xlsx", {"A1": 1}, **{"漢字 größer": {"A1": "=1/0", "A2": '=MLSIM_SPEC("H1000","漢")'}})
    done = run(book, PYTHONIOENCODING="ascii")
    assert done.returncode == 1


# --- always the same -------------------------------------------------------------------------------------------------


def test_the_same_bytes_in_every_process(tmp_path: Path) -> None:
    cells: dict[str, Any] = {f"A{i}": i for i in range(1, 50)}
    calls = {f"B{i}": f'=MLSIM_TPOT("Llama-3-8B","H100",A{i})' for i in range(1, 50)}
    texts = {f"C{i}": f'=MLSIM_WHY("MLSIM_FITS","140 GB","{i} TFLOP/s")' for i in range(1, 50)}
    template = Path(__file__).parents[2] / "templates" / "comparison.xlsx"
    books = [make(tmp_path / "one.xlsx", cells | calls | texts), shutil.copy(template, tmp_path / "two.xlsx")]
    found = []
    for number, (seed, jobs) in enumerate([("0", "1"), ("1", "1"), ("12345", "2"), ("random", "2")]):
        out = tmp_path / f"out{number}"
        assert run(*books, "-o", out, "--jobs", jobs, PYTHONHASHSEED=seed).returncode in (0, 1)
        found.append([(out / Path(book).name).read_bytes() for book in books])
    assert all(one == found[0] for one in found)
    assert values(tmp_path / "out0" / "one.xlsx")["B7"].value > 0


# --- what is never worked out ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, list[str]]]:
    """Return the address of a web server on this machine, and what it was asked for."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<a>1</a>")

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as found:
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{found.server_port}", asked
        found.shutdown()


@pytest.mark.parametrize(
    "formula",
    [
        "cmd|'/C calc'!A0", "+cmd|'/C calc'!A0", "-cmd|'/C calc'!A0", "@SUM(cmd|'/C calc'!A0)", "1+cmd|' /C touch {marker}'!A0",
        'DDE(&quot;cmd&quot;,&quot;/C touch {marker}&quot;,&quot;x&quot;)', 'DDEINITIALIZE(&quot;cmd&quot;,&quot;/C calc&quot;)',
        "WEBSERVICE(&quot;{address}/web&quot;)", "_xlfn.WEBSERVICE(&quot;{address}/web&quot;)", "IF(FALSE,WEBSERVICE(&quot;{address}/if&quot;),1)",
        "_xlfn.FILTERXML(WEBSERVICE(&quot;{address}/xml&quot;),&quot;//a&quot;)", "_xlfn.IMAGE(&quot;{address}/image&quot;)",
        'RTD(&quot;server&quot;,,&quot;topic&quot;)', 'CALL(&quot;libc&quot;,&quot;system&quot;,&quot;touch {marker}&quot;)', 'EXEC(&quot;touch {marker}&quot;)',
        'FOPEN(&quot;{marker}&quot;,3)', 'REGISTER.ID(&quot;libc&quot;,&quot;system&quot;)', "'[1]Sheet1'!A1+1", "[1]Sheet1!A1", "'{folder}/[other.xlsx]Sheet1'!A1",
        'INDIRECT(&quot;[1]Sheet1!A1&quot;)', 'INDIRECT(&quot;cmd|x!A0&quot;)', '_xlfn.STOCKHISTORY(&quot;MSFT&quot;,1)', 'SQL.REQUEST(&quot;x&quot;)',
        'CUBEVALUE(&quot;c&quot;,&quot;m&quot;)', '_xlfn._xlws.PY(0,1)', 'EVALUATE(&quot;1+1&quot;)',
    ],
)  # fmt: skip
def test_never_worked_out(tmp_path: Path, server: tuple[str, list[str]], formula: str) -> None:
    address, asked = server
    asked.clear()
    marker = tmp_path / "marker"
    text = formula.format(marker=marker, address=address, folder=tmp_path)
    make(tmp_path / "other.xlsx", {"A1": 7})
    book = make(tmp_path / "book.xlsx", {"A1": 3, "B1": 1, "C1": "=B1+1", "D1": "=A1*2"})
    cached(book, "B1", text)
    cached(book, "C1", "B1+1", "<v>43</v>")
    rewrite(
        book,
        "xl/_rels/workbook.xml.rels",
        "</Relationships>",
        f'<Relationship Id="rId77" Type="{RELATIONS}/externalLink" Target="externalLinks/externalLink1.xml"/></Relationships>',
    )
    rewrite(
        book,
        "xl/externalLinks/externalLink1.xml",
        "",
        f'<externalLink xmlns="{MAIN}" xmlns:r="{RELATIONS}"><externalBook r:id="rId1"><sheetNames><sheetName val="Sheet1"/></sheetNames><sheetDataSet><sheetData sheetId="0"><row r="1"><cell r="A1"><v>42</v></cell></row></sheetData></sheetDataSet></externalBook></externalLink>',
    )
    rewrite(
        book,
        "xl/externalLinks/_rels/externalLink1.xml.rels",
        "",
        f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="{RELATIONS}/externalLinkPath" Target="other.xlsx" TargetMode="External"/></Relationships>',
    )
    done = run(book)
    unharmed(done, book)
    page = values(book)
    assert page["C1"].value == 43  # what depends on it is kept as well
    assert page["D1"].value in (None, 6)
    assert asked == []
    assert not marker.exists()
    assert sorted(os.listdir(tmp_path)) == ["book.xlsx", "other.xlsx"]


def test_a_hyperlink_is_not_followed(tmp_path: Path, server: tuple[str, list[str]]) -> None:
    address, asked = server
    asked.clear()
    book = make(tmp_path / "book.xlsx", {"A1": 3, "B1": f'=HYPERLINK("{address}/link","shown")', "C1": "=A1*2"})
    done = run(book)
    assert done.returncode in (0, 1)
    assert values(book)["B1"].value in ("shown", None)
    assert asked == []


# --- too much --------------------------------------------------------------------------------------------------------


def bomb(depth: int = 9) -> str:
    lines = ['<!ENTITY e0 "boom">', *(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, depth))]
    return f"<!DOCTYPE x [{''.join(lines)}]>"


@pytest.mark.parametrize(
    "part", ["xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/sharedStrings.xml"]
)
def test_entities(tmp_path: Path, part: str) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret")
    for number, head in enumerate(
        [bomb(), f'<!DOCTYPE x [<!ENTITY e SYSTEM "{secret.as_uri()}">]>', f'<!DOCTYPE x SYSTEM "{secret.as_uri()}">']
    ):
        cells = '<row r="1"><c r="A1" t="inlineStr"><is><t>text</t></is></c><c r="C1"><f>A1</f></c></row>'
        book = with_strings(tmp_path / f"{number}.xlsx", "<si><t>text</t></si>", cells)
        with zipfile.ZipFile(book) as archive:
            text = archive.read(part).decode()
        at = text.index("?>") + 2 if text.startswith("<?xml") else 0
        rewrite(book, part, text, text[:at] + head + text[at:].replace("text", "&e8;" if not number else "&e;"))
        before = book.read_bytes()
        said = refused(run(book, seconds=60), "DOCTYPE")
        assert "secret" not in said.replace(str(tmp_path), "")
        assert book.read_bytes() == before


def test_zip_bombs(tmp_path: Path) -> None:
    flat = make(tmp_path / "flat.xlsx", {"A1": 1, "B1": "=A1"})
    with (
        zipfile.ZipFile(flat, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/media/zero.bin", "w", force_zip64=True) as member,
    ):
        for _ in range(700):
            member.write(bytes(1 << 20))
    refused(run(flat, seconds=60))
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zero", bytes(50 << 20))
    nest = make(tmp_path / "nest.xlsx", {"A1": 1, "B1": "=A1+1"})
    with zipfile.ZipFile(nest, "a") as archive:
        archive.writestr("xl/embeddings/inner.zip", inner.getvalue())  # a part nobody unpacks
    assert run(nest).returncode == 0
    assert values(nest)["B1"].value == 2
    quine = make(tmp_path / "same.xlsx", {"A1": 1, "B1": "=A1+1"})
    overlap(quine)
    before = quine.read_bytes()
    assert run(quine).returncode in (0, 2)  # no formula is left in it, or it is refused
    assert quine.read_bytes() == before


def overlap(path: Path) -> None:
    """Let every worksheet of the directory lead to the bytes of the workbook part, as in a zip that unpacks to itself."""
    data = bytearray(path.read_bytes())
    directory = data.index(b"PK\x01\x02")
    places = {name: data.index(name, directory) - 46 for name in (b"xl/workbook.xml", b"xl/worksheets/sheet1.xml")}
    source, target = places[b"xl/workbook.xml"], places[b"xl/worksheets/sheet1.xml"]
    data[target + 16 : target + 28] = data[source + 16 : source + 28]
    data[target + 42 : target + 46] = data[source + 42 : source + 46]
    path.write_bytes(data)


def test_a_sheet_that_is_used_to_its_last_row(tmp_path: Path) -> None:
    book = make(
        tmp_path / "book.xlsx",
        {
            "A1": 1,
            "B1": "=SUM(A:A)",
            "C1": "=COUNT(1:1048576)-COUNT(1:1048576)",
            "A1048576": 2,
            "XFD1048576": 3,
            "D1048576": "=A1048576*2",
            "B2": '=MLSIM_CONVERT("1 GB","GB")',
        },
    )
    done = run(book, seconds=60)
    assert done.returncode in (0, 1, 2)
    if done.returncode == 0:
        assert (values(book)["B1"].value, values(book)["D1048576"].value) == (3, 4)


def test_thousands_of_sheets(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for i in range(1, 3001):
        book.create_sheet(f"S{i}")["A1"] = f"={'Sheet' if i == 1 else f'S{i - 1}'}!A1+1"
    book["Sheet"]["A1"] = 1
    book.save(tmp_path / "book.xlsx")
    done = run(tmp_path / "book.xlsx", seconds=110)
    assert done.returncode in (0, 2)
    if done.returncode == 0:
        assert (
            openpyxl.load_workbook(tmp_path / "book.xlsx", data_only=True, read_only=True)["S3000"]["A1"].value == 3001
        )


def with_strings(path: Path, strings: str, cells: str) -> Path:
    """Write a workbook with shared strings, and cells as XML."""
    make(path, {"A1": 1})
    with zipfile.ZipFile(path) as archive:
        text = archive.read("xl/worksheets/sheet1.xml").decode()
    data = re.search(r"<sheetData>.*</sheetData>", text, re.S)
    assert data
    rewrite(path, "xl/worksheets/sheet1.xml", data[0], f"<sheetData>{cells}</sheetData>")
    relation = f'<Relationship Id="rId77" Type="{RELATIONS}/sharedStrings" Target="sharedStrings.xml"/></Relationships>'
    rewrite(path, "xl/_rels/workbook.xml.rels", "</Relationships>", relation)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    override = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}"/></Types>'
    rewrite(path, "[Content_Types].xml", "</Types>", override)
    return rewrite(path, "xl/sharedStrings.xml", "", f'<sst xmlns="{MAIN}">{strings}</sst>')


def test_a_hundred_thousand_shared_strings(tmp_path: Path) -> None:
    count = 100_000
    strings = "".join(f"<si><t>text {i}</t></si>" for i in range(1, count + 1))
    rows = "".join(f'<row r="{i}"><c r="A{i}" t="s"><v>{i - 1}</v></c></row>' for i in range(3, count + 1))
    first = f'<row r="1"><c r="B1"><f>A{count}</f></c></row><row r="2"><c r="B2"><f>COUNTA(A:A)</f></c></row>'
    book = with_strings(tmp_path / "book.xlsx", strings, first + rows)
    assert run(book, seconds=60).returncode == 0
    assert (values(book)["B1"].value, values(book)["B2"].value) == (f"text {count}", count - 2)


@pytest.mark.parametrize("depth", [60, 20_000])
@pytest.mark.parametrize(
    ("left", "right"), [("(", ")"), ("IF(TRUE,", ",0)"), ("1+(", ")"), ("-", ""), ("{", "}"), ("MLSIM_ADD(", ")")]
)
def test_nested_parentheses(tmp_path: Path, left: str, right: str, depth: int) -> None:
    book = make(tmp_path / "book.xlsx", {"A1": 3, "B1": 1, "C1": "=A1*2"})
    cached(book, "B1", left * depth + "1" + right * depth)
    done = run(book, seconds=60)
    assert done.returncode in ((0, 1, 2) if depth == 60 else (1, 2)), (done.returncode, done.stderr[-300:])
    if depth == 60 and left in ("(", "IF(TRUE,", "1+(", "-"):
        assert values(book)["B1"].value == {"1+(": 61}.get(left, 1)
    elif done.returncode:
        assert values(book)["B1"].value in (42, "#VALUE!")


def test_one_bad_workbook_does_not_harm_the_others(tmp_path: Path) -> None:
    good, other = small(tmp_path / "good.xlsx"), small(tmp_path / "other.xlsx")
    bad = make(tmp_path / "bad.xlsx", {"A1": 3, "B1": 1})
    cached(bad, "B1", "(" * 20_000 + "1" + ")" * 20_000)
    (tmp_path / "torn.xlsx").write_bytes(good.read_bytes()[:3000])
    for jobs in ("1", "2"):
        done = run(good, bad, tmp_path / "torn.xlsx", other, "-o", tmp_path / jobs, "--jobs", jobs)
        assert done.returncode == 2
        for book in (good, other):
            assert values(tmp_path / jobs / book.name)["C1"].value == 6
        assert recalculate(tmp_path / jobs / "good.xlsx").changed == []
    assert stat.S_IMODE((tmp_path / "1" / "good.xlsx").stat().st_mode) == stat.S_IMODE(good.stat().st_mode)
