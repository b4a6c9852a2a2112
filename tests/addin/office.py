"""A real LibreOffice with our extension in a profile of its own, for the tests that need one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mlsim.files import FileError
from mlsim_addin.libreoffice.install import find_office, find_python, install

HERE = Path(__file__).parent


class Office:
    """A running LibreOffice: every method of ``libreoffice_driver.Driver`` can be called on it."""

    def __init__(self, driver: subprocess.Popen[str], profile: Path) -> None:
        self.driver = driver
        self.profile = profile

    def __getattr__(self, name: str) -> Any:
        def ask(*arguments: Any) -> Any:
            assert self.driver.stdin
            assert self.driver.stdout
            self.driver.stdin.write(json.dumps([name, arguments]) + "\n")
            self.driver.stdin.flush()
            answer = json.loads(self.driver.stdout.readline())
            assert "failure" not in answer, answer["failure"]
            return answer["result"]

        return ask


def needed() -> tuple[Path, str]:
    """Return soffice and a Python that drives it; skip the test, loudly, where one is missing."""
    try:
        soffice = find_office()
        python = find_python(soffice)
        if not (soffice.parent / "pythonloader.py").exists() and not list(soffice.parent.glob("*python*")):
            raise FileError("LibreOffice's Python support is missing.")
    except FileError as error:
        warnings.warn(f"{error} The extension was NOT run in LibreOffice.", stacklevel=2)
        pytest.skip(f"{error} The extension was NOT run in LibreOffice.")
    return soffice, python


@contextmanager
def running(folder: Path, **environment: str) -> Iterator[Office]:
    """Install the extension into a new profile and start LibreOffice with it."""
    soffice, python = needed()
    profile = folder / "profile"
    install(profile.as_uri())
    with started(soffice, python, profile, **environment) as office:
        yield office


@contextmanager
def started(soffice: Path, python: str, profile: Path, *options: str, **environment: str) -> Iterator[Office]:
    """Start LibreOffice with a profile."""
    pipe = f"mlsim-{os.getpid()}-{folder_number(profile)}"
    server = subprocess.Popen(
        [str(soffice), f"-env:UserInstallation={profile.as_uri()}", *(options or ("--headless",)), "--norestore",
         f"--accept=pipe,name={pipe};urp;"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **environment},
    )  # fmt: skip
    driver = subprocess.Popen(
        [python, str(HERE / "libreoffice_driver.py"), pipe], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield Office(driver, profile)
    finally:
        try:
            driver.communicate(json.dumps(["quit", []]) + "\n", timeout=30)
            server.wait(30)
        except (subprocess.TimeoutExpired, ValueError, OSError):
            pass
        for process in (driver, server):
            if process.poll() is None:
                process.kill()


def folder_number(path: Path) -> int:
    """Return a number for a folder, so that two LibreOffices of one test run have pipes of their own."""
    return path.stat().st_ino if path.exists() else 0


def has(program: str) -> bool:
    """Tell whether a program is on the PATH."""
    return shutil.which(program) is not None
