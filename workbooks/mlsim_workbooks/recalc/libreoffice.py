"""LibreOffice as the engine of a recalculation: one program without a window, which works out many workbooks.

It runs with a profile of its own that holds the MLSIM extension of this Python. A workbook is given to it as a copy
without cached values, with MLSIM's functions under the names that LibreOffice knows; only values come back.

What LibreOffice does differently from Excel: truth values are numbers to it (they count in ``SUM(A1:A9)``, and are 1 in
``TRUE&""``), the elements of an array formula are truth values only where its formula shows that they are, an empty
cell given to MLSIM is told from a 0 by the text of the formula, and many a ``#VALUE!`` or ``#REF!`` of a wrong argument
is a ``#NUM!``.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from mlsim.files import FileError
from mlsim.registry.load import user_files
from mlsim_workbooks.package import Err, Value
from mlsim_workbooks.recalc.external import CIRCULAR
from mlsim_workbooks.recalc.handover import Values, Wanted, prepare

__all__ = ["LibreOffice"]

START = 120  # seconds
SECONDS = 300  # for one workbook

# Errors that only Calc shows, as the nearest of Excel's; the others say that it cannot read or do something.
_ERRORS = {
    "Err:502": "#NUM!", "Err:504": "#VALUE!", "Err:513": "#VALUE!", "Err:522": CIRCULAR, "Err:523": "#NUM!",
}  # fmt: skip
_EXCELS = frozenset({"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A"})

_SETTINGS = {
    "/org.openoffice.Office.Common/Security/Scripting": {"DisableActiveContent": "true", "DisableMacrosExecution": "true"},
    "/org.openoffice.Inet/Settings": {
        "ooInetProxyType": "2", "ooInetHTTPProxyName": "127.0.0.1", "ooInetHTTPProxyPort": "9",
        "ooInetHTTPSProxyName": "127.0.0.1", "ooInetHTTPSProxyPort": "9",
    },
    "/org.openoffice.Setup/L10N": {"ooLocale": "en-US", "ooSetupSystemLocale": "en-US"},
}  # fmt: skip
"""Of the profile: nothing active, a proxy that does not exist, so that nothing is fetched, and TRUE shown as TRUE."""


class _Ended(FileError):
    """LibreOffice has ended by itself."""


class LibreOffice:
    """A LibreOffice that calculates workbooks; a context manager.

    Parameters
    ----------
    seconds : float
        How long one workbook may take; the program is then ended, and started again for the next one.

    Raises
    ------
    FileError
        On entering, when LibreOffice or its Python is not there.
    """

    def __init__(self, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self._folder = ""
        self._count = 0
        self._office: subprocess.Popen[bytes] | None = None
        self._driver: subprocess.Popen[str] | None = None
        self._answers: queue.Queue[str] = queue.Queue()

    def __enter__(self) -> LibreOffice:
        from mlsim_addin.libreoffice.install import find_office, find_python, install  # late: hosts build on workbooks

        self._soffice = find_office()
        self._python = find_python(self._soffice)
        self._folder = tempfile.mkdtemp(prefix="mlsim-")
        try:
            self._profile = Path(self._folder, "profile")
            settings = self._profile / "user" / "registrymodifications.xcu"
            settings.parent.mkdir(parents=True)
            settings.write_text(_configuration(), encoding="utf-8")
            install(self._profile.as_uri())
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End LibreOffice and remove its profile."""
        if self._driver is not None and self._office is not None:
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                self._driver.communicate(timeout=10)  # its input ends: it ends LibreOffice
                self._office.wait(10)
        self._kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def calculate(self, data: bytes, suffix: str) -> Values:
        """Return the values of all cells with a formula, of array formulas every cell, by sheet, row and column.

        A cell of a circular reference is in error ``#CIRC!``, and what LibreOffice cannot read has an error of its own, such as ``Err:508``.

        Parameters
        ----------
        data : bytes
            A workbook with MLSIM's functions under their own names.
        suffix : str
            ``".xlsx"`` or ``".xlsm"``.

        Raises
        ------
        FileError
            When LibreOffice cannot open the workbook, takes too long, or ends twice; the next workbook finds a new one.
        """
        self._count += 1
        file = Path(self._folder, f"{self._count}", f"book{suffix}")
        file.parent.mkdir()
        try:
            file.write_bytes(data)
            sheets = prepare(file, "libreoffice")
            found = self.blocks(file) if any(sheets.values()) else {}
        finally:
            shutil.rmtree(file.parent, ignore_errors=True)
        return {name: _values(arrays, found.get(name, [])) for name, arrays in sheets.items()}

    # --- the two processes: LibreOffice, and its Python that asks it ---

    def _start(self) -> None:
        import mlsim_addin.libreoffice
        from mlsim_addin.libreoffice.install import environment

        (self._profile / ".lock").unlink(missing_ok=True)  # of one that was killed
        pipe = f"{Path(self._folder).name}-{self._count}"
        self._office = subprocess.Popen(
            [str(self._soffice), f"-env:UserInstallation={self._profile.as_uri()}", "--headless", "--norestore",
             "--nodefault", f"--accept=pipe,name={pipe};urp;"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**environment(), "MLSIM_PYTHON": "", **self._registry()}, start_new_session=True,
        )  # fmt: skip
        script = Path(mlsim_addin.libreoffice.__path__[0], "uno_calculate.py")
        self._driver = subprocess.Popen(
            [self._python, str(script), pipe], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, env=environment(), encoding="utf-8", start_new_session=True,
        )  # fmt: skip
        self._answers = queue.Queue()
        threading.Thread(target=_listen, args=(self._driver.stdout, self._answers), daemon=True).start()
        answer = self._answer(START, "LibreOffice did not start: try whether it opens a workbook by hand.")
        if answer["ready"] != 1024:
            self._kill()
            raise FileError("MLSIM's functions do not work in LibreOffice: run mlsim doctor to find out why.")

    def _registry(self) -> dict[str, str]:
        """Return the environment that makes the functions know the user's own registry files, as this process does."""
        files = user_files()
        if not files:
            return {}
        import yaml

        merged: dict[str, dict[str, Any]] = {}
        for name in files:
            for section, entries in yaml.safe_load(Path(name).read_text(encoding="utf-8")).items():
                merged.setdefault(section, {}).update(entries or {})
        path = Path(self._folder, "registry.yaml")
        path.write_text(yaml.safe_dump(merged, allow_unicode=True), encoding="utf-8")
        return {"MLSIM_REGISTRY": str(path)}

    def blocks(self, file: Path) -> dict[str, Any]:
        """Open a file as it is; return the blocks of its formulas by sheet, as ``uno_calculate.py`` gives them."""
        try:
            answer = self._ask(file)
        except _Ended:  # on a busy machine it may start once more on its own: a new one is asked, once
            answer = self._ask(file)
        if "failure" in answer:
            self._kill()  # who knows whether it still works
            raise FileError(f"LibreOffice could not calculate the workbook: {answer['failure'].rstrip('.')}.")
        sheets: dict[str, Any] = answer["sheets"]
        return sheets

    def _ask(self, file: Path) -> dict[str, Any]:
        if self._driver is None:
            self._start()
        assert self._driver is not None
        assert self._driver.stdin is not None
        with contextlib.suppress(OSError):  # it has ended: there is no answer either
            self._driver.stdin.write(json.dumps(file.as_uri()) + "\n")
            self._driver.stdin.flush()
        return self._answer(self.seconds, "LibreOffice ended while it calculated the workbook.")

    def _answer(self, seconds: float, ended: str) -> dict[str, Any]:
        """Return the next answer; when there is none, both processes are ended."""
        try:
            line = self._answers.get(timeout=seconds)
        except queue.Empty:
            self._kill()
            raise FileError(f"LibreOffice did not answer within {seconds:g} s.") from None
        if not line:
            self._kill()
            raise _Ended(ended)
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _kill(self) -> None:
        for process in (self._driver, self._office):
            if process is not None and process.poll() is None:
                _kill_tree(process.pid)
                process.wait()
        self._driver = self._office = None


def _configuration() -> str:
    """Return the settings as LibreOffice keeps them in a profile."""
    items = "".join(
        f'<item oor:path="{path}"><prop oor:name="{name}" oor:op="fuse"><value>{value}</value></prop></item>\n'
        for path, values in _SETTINGS.items()
        for name, value in values.items()
    )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<oor:items xmlns:oor="http://openoffice.org/2001/registry">\n{items}</oor:items>\n'


def _listen(stream: IO[str], answers: queue.Queue[str]) -> None:
    """Pass on the lines of a process, and at last an empty one."""
    for line in stream:
        answers.put(line)
    answers.put("")


def _kill_tree(pid: int) -> None:
    """End a process with those it started: ``soffice`` is a script around the program itself."""
    if sys.platform == "win32":
        subprocess.run(["taskkill", "/F", "/T", "/PID", str(pid)], capture_output=True, check=False)
    else:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


# --- its answer --------------------------------------------------------------------------------------------------------


def _values(wanted: Wanted, blocks: Sequence[Any]) -> dict[tuple[int, int], Value]:
    """Return the values of the formula cells of a sheet out of the blocks that were read."""
    found: dict[tuple[int, int], Value] = {}
    for block in blocks:
        for row, values in enumerate(block["rows"], block["row"] + 1):
            for col, value in enumerate(values, block["column"] + 1):
                if (row, col) in wanted:
                    found[row, col] = _value(value, wanted[row, col])
    return found


def _value(value: Any, is_truth: bool | None) -> Value:
    if isinstance(value, dict):
        text = value["error"]
        return Err(text if text in _EXCELS else _ERRORS.get(text, text))
    if isinstance(value, float):
        return bool(value) if is_truth and value in (0.0, 1.0) else value + 0.0  # -0.0 is 0 in a workbook
    found: Value = value
    return found
