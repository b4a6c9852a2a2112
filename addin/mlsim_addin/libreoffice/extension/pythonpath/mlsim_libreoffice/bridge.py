"""The way from LibreOffice's Python to MLSIM: in this process when it can be imported here, else in one of its own.

LibreOffice often has a Python of its own, of another version than the one MLSIM was installed into. The process is
started by the first call and speaks over its standard input and output: no port is opened.
"""

from __future__ import annotations

import contextlib
import json
import os
import site
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Callable
from typing import Any

HINT = 'Run "mlsim install libreoffice" again, or set MLSIM_PYTHON to a Python that has MLSIM.'
_FOREIGN = ("PYTHONHOME", "PYTHONPATH", "LD_LIBRARY_PATH")  # what LibreOffice sets for its own Python


def connect(config: dict[str, Any]) -> Callable[[list[Any]], list[Any]]:
    """Return what evaluates a list of calls; ``config`` is what the installation wrote down."""
    if not os.environ.get("MLSIM_PYTHON") and same_python(config):
        answer = in_process(config)
        if answer is not None:
            return answer
    worker = Worker(python(config))
    with contextlib.suppress(OSError):  # the first call says what is wrong
        worker.start()
    return worker.answer


def python(config: dict[str, Any]) -> str:
    """Return the interpreter that has MLSIM: the one the environment names, else the one it was installed from."""
    return str(os.environ.get("MLSIM_PYTHON") or config["python"])


def same_python(config: dict[str, Any]) -> bool:
    """Tell whether compiled modules of the installation's Python can be loaded into this one."""
    return [list(sys.version_info[:2]), sysconfig.get_platform()] == [config["version"], config["platform"]]


def in_process(config: dict[str, Any]) -> Callable[[list[Any]], list[Any]] | None:
    """Import MLSIM here; None when that is not possible."""
    before = list(sys.path)
    try:
        for path in config["paths"]:
            site.addsitedir(path)  # follows the .pth files of an editable installation too
        from mlsim_addin import host
    except Exception:
        sys.path[:] = before
        return None

    def answer(calls: list[Any]) -> list[Any]:
        return host.answer({"calls": calls})["results"]

    return answer


def environment() -> dict[str, str]:
    """Return the environment without what LibreOffice sets for its own Python, which would mislead another one."""
    return {**{k: v for k, v in os.environ.items() if k not in _FOREIGN}, "PYTHONIOENCODING": "utf-8"}


class Worker:
    """A Python process that evaluates calls; it ends with LibreOffice."""

    def __init__(self, interpreter: str) -> None:
        self.interpreter = interpreter
        self.process: subprocess.Popen[bytes] | None = None
        self.lock = threading.Lock()

    def answer(self, calls: list[Any]) -> list[Any]:
        """Evaluate calls; when the process cannot be had, every result is the same error."""
        line = json.dumps({"calls": calls}).encode() + b"\n"
        with self.lock:
            for _ in range(2):  # a process that has died is started anew, once
                try:
                    reply = self._exchange(line)
                except OSError as error:
                    return [self._failed(str(error.strerror or error))] * len(calls)
                if reply:
                    return self._results(reply, len(calls))
                self._forget()
        return [self._failed("it ended without an answer")] * len(calls)

    def start(self) -> None:
        """Start the process, which loads MLSIM meanwhile."""
        self.process = subprocess.Popen(
            [self.interpreter, "-m", "mlsim_addin.worker"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment(),
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )  # fmt: skip

    def _exchange(self, line: bytes) -> bytes:
        if self.process is None:
            self.start()
        assert self.process
        assert self.process.stdin
        assert self.process.stdout
        try:
            self.process.stdin.write(line)
            self.process.stdin.flush()
        except BrokenPipeError:
            return b""
        return self.process.stdout.readline()

    def _results(self, reply: bytes, count: int) -> list[Any]:
        found = json.loads(reply)
        return found["results"] if "results" in found else [found] * count

    def _forget(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        self.process = None

    def _failed(self, why: str) -> dict[str, str]:
        return {"error": "#VALUE!", "message": f"{self.interpreter} cannot run MLSIM: {why}. {HINT}"}
