"""``mlsim install libreoffice``: build the extension for this Python and put it into the user's LibreOffice."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from mlsim.files import FileError
from mlsim_addin.libreoffice.generate import IDENTIFIER, configuration, oxt

__all__ = ["environment", "find_office", "find_python", "install", "installed", "profile_folder", "run"]

_SCRIPT = Path(__file__).with_name("uno_install.py")
_SECONDS = 180


def run(args: argparse.Namespace) -> int:
    """Install, or remove with ``args.remove``, and say what to do next."""
    install(remove=args.remove)
    if args.remove:
        print("Took the MLSIM extension out of LibreOffice. Restart LibreOffice.")
    else:
        print(
            "Put the MLSIM extension into LibreOffice. Restart it, then:\n"
            '  - type =MLSIM_DECODE_LATENCY("Llama-3-70B";"H100") into a cell;\n'
            "  - find the functions in Insert > Function, category Add-in;\n"
            '  - press "Check units" in the toolbar MLSIM, or take it from the menu MLSIM.\n'
            f"It calls {sys.executable}: run this again after moving or updating MLSIM."
        )
    return 0


def install(profile: str = "", remove: bool = False) -> None:
    """Put the extension into a profile (a file address; empty: the user's own), or take it out.

    Raises
    ------
    FileError
        When LibreOffice, or its Python, is not there, or when it refuses.
    """
    soffice = find_office()
    python = find_python(soffice)
    with tempfile.TemporaryDirectory(prefix="mlsim-") as folder:
        file = Path(folder) / "mlsim.oxt"
        file.write_bytes(oxt(configuration()))
        command = [python, str(_SCRIPT), str(soffice), profile, IDENTIFIER, *([] if remove else [file.as_uri()])]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=_SECONDS, env=environment(), check=False
            )
        except subprocess.TimeoutExpired:
            raise FileError(f"LibreOffice did not answer within {_SECONDS} s: close it and try again.") from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it gave no reason"])[-1]
        raise FileError(f"LibreOffice did not take the extension: {last}")


def find_office() -> Path:
    """Return the program ``soffice``."""
    for candidate in _office_candidates():
        if candidate.is_file():
            return candidate.resolve()
    raise FileError("LibreOffice was not found: install LibreOffice Calc, or put soffice on the PATH.")


def _office_candidates() -> Iterator[Path]:
    for name in ("soffice", "libreoffice"):
        if found := shutil.which(name):
            yield Path(found)
    yield Path("/Applications/LibreOffice.app/Contents/MacOS/soffice")
    for variable in ("PROGRAMFILES", "PROGRAMFILES(X86)"):
        if folder := os.environ.get(variable):
            yield Path(folder) / "LibreOffice" / "program" / "soffice.exe"


def find_python(soffice: Path) -> str:
    """Return a Python that speaks with LibreOffice: the one it brings, else the system's."""
    own = [soffice.parent / "python.exe", soffice.parent / "python", soffice.parent.parent / "Resources" / "python"]
    for candidate in [*own, Path("/usr/bin/python3")]:
        if candidate.is_file() and _has_uno(str(candidate)):
            return str(candidate)
    raise FileError("LibreOffice has no Python here: install its Python support (python3-uno on Debian and Ubuntu).")


def _has_uno(python: str) -> bool:
    try:
        done = subprocess.run([python, "-c", "import uno"], capture_output=True, env=environment(), check=False)
    except OSError:
        return False
    return done.returncode == 0


def environment() -> dict[str, str]:
    """Return the environment without what belongs to the Python that runs this."""
    return {
        name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV")
    }


def profile_folder() -> Path:
    """Return where LibreOffice keeps the user's own profile."""
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA", "")) / "LibreOffice" / "4"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "LibreOffice" / "4"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "libreoffice" / "4"


def installed(profile: Path | None = None) -> Path | None:
    """Return the folder of the extension in a profile, None when it is not installed."""
    cache = (profile or profile_folder()) / "user" / "uno_packages" / "cache"
    index = cache / "uno_packages.pmap"  # LibreOffice's list: the folder of an extension taken out stays a while
    listed = index.read_bytes() if index.exists() else b""
    for config in sorted((cache / "uno_packages").glob("*/mlsim.oxt/config.json")):
        if config.parent.parent.name.rstrip("_").encode() in listed:
            return config.parent
    return None
