"""``mlsim install excel``: put the add-in where Excel opens it by itself, and tell xlwings which Python to start.

Excel trusts and opens every file in the user's folder XLSTART, so that nothing has to be ticked, imported or trusted.
"""

from __future__ import annotations

import argparse
import importlib.util
import locale
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from mlsim.files import FileError, write_file
from mlsim_addin.excel import addin_file

__all__ = [
    "KEY",
    "addin_path",
    "available",
    "backup_path",
    "config_path",
    "entries",
    "import_paths",
    "run",
    "with_entries",
]

KEY = "INTERPRETER_WIN"  # xlwings' name for the Python to start
_PATHS = "PYTHONPATH"
_LINE = re.compile(r'\s*"?([^",]*)"?\s*,\s*"?(.*?)"?\s*')


def run(args: argparse.Namespace) -> int:
    """Install, or remove with ``args.remove``, and say what to do next."""
    if not available():
        raise FileError(
            "Functions through classic xlwings need Excel on Windows: use mlsim serve (Excel on the Mac or in the "
            "browser), or mlsim install libreoffice."
        )
    if args.remove:
        _remove()
    else:
        _install()
    return 0


def available() -> bool:
    """Return whether this machine has the folders in which Excel and xlwings on Windows look."""
    return bool(os.environ.get("APPDATA") and os.environ.get("USERPROFILE"))


def addin_path() -> Path:
    """Return where Excel opens the add-in by itself."""
    return Path(os.environ.get("APPDATA", "")) / "Microsoft" / "Excel" / "XLSTART" / "MLSIM.xlam"


def config_path() -> Path:
    """Return xlwings' configuration of the user."""
    return Path(os.environ.get("USERPROFILE", "")) / ".xlwings" / "xlwings.conf"


def backup_path() -> Path:
    """Return where the configuration is kept as it was before MLSIM."""
    return config_path().with_name("xlwings.conf.before-mlsim")


# --- the configuration -----------------------------------------------------------------------------------------------


def entries(text: str) -> dict[str, str]:
    """Return what a configuration says: ``"KEY","value"`` on each line, the first line of a key counts."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        if match := _LINE.fullmatch(line):
            found.setdefault(match[1].upper(), match[2])
    return found


def with_entries(text: str, changes: dict[str, str | None]) -> str:
    """Return a configuration with some entries changed in their places, added at the end, or taken out (None)."""
    left = dict(changes)
    lines = []
    for line in text.splitlines():
        match = _LINE.fullmatch(line)
        key = match[1].upper() if match else ""
        if key not in changes:
            lines.append(line)
        elif (value := left.pop(key, None)) is not None:
            lines.append(f'"{key}","{value}"')
    lines += [f'"{key}","{value}"' for key, value in left.items() if value is not None]
    return "".join(f"{line}\r\n" for line in lines)


def import_paths() -> list[str]:
    """Return the folders that the interpreter needs on its path to find MLSIM; none when it is installed there."""
    command = [sys.executable, "-E", "-c", "import mlsim_addin.excel.udfs"]
    done = subprocess.run(command, cwd=Path(sys.executable).parent, capture_output=True, check=False)
    return _own_folders() if done.returncode else []


def _own_folders() -> list[str]:
    specs = [importlib.util.find_spec(name) for name in ("mlsim", "mlsim_addin", "mlsim_workbooks")]
    return list(dict.fromkeys(str(Path(spec.origin).parents[1]) for spec in specs if spec and spec.origin))


def _without(value: str, folders: Sequence[str]) -> list[str]:
    return [part for part in value.split(";") if part and part not in folders]


def _read(path: Path) -> str:
    """Read a file in the encoding in which VBA reads it: the machine's own."""
    try:
        return path.read_bytes().decode(locale.getencoding())
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError:
        raise FileError(f"{path} is not a text of this machine's encoding: correct or delete it.") from None


def _write(path: Path, text: str) -> None:
    try:
        data = text.encode(locale.getencoding())
    except UnicodeEncodeError:
        raise FileError(
            f"The path {sys.executable} has characters that VBA cannot read: install Python and MLSIM in another folder."
        ) from None
    write_file(path, data)


# --- install and remove ----------------------------------------------------------------------------------------------


def _install() -> None:
    if "windowsapps" in f"{sys.executable} {sys.base_prefix}".lower():
        raise FileError(
            "This Python is from the Microsoft Store, and Excel does not see the files it writes: install Python from "
            "python.org, and MLSIM in it."
        )
    data = addin_file.package()  # first, since it may fail
    path, config, backup = addin_path(), config_path(), backup_path()
    old = _read(config)
    paths = import_paths()
    changes: dict[str, str | None] = {KEY: sys.executable}
    if paths:
        changes[_PATHS] = ";".join([*paths, *_without(entries(old).get(_PATHS, ""), paths)])
    for folder in (path.parent, config.parent):
        folder.mkdir(parents=True, exist_ok=True)
    new = with_entries(old, changes)
    if entries(new) != entries(old):
        if not backup.exists():  # else it was made by an earlier installation, and is the one to keep
            write_file(backup, config.read_bytes() if config.exists() else b"")
        _write(config, new)
    kept = f" (as it was before: {backup.name})" if backup.exists() and backup.stat().st_size else ""
    write_file(path, data)
    print(
        f"Wrote {path}, which Excel opens by itself, and {config}{kept}.\n"
        "Close Excel and open it again. In any workbook:\n"
        '  - type =MLSIM_DECODE_LATENCY("Llama-3-70B","H100") into a cell;\n'
        "  - click fx beside the formula bar, category MLSIM ..., to see all functions with their help;\n"
        "  - click the tab MLSIM for comparisons, the unit check and sources.\n"
        "If something does not work: mlsim doctor. After moving or updating MLSIM or Python: run this again."
    )


def _remove() -> None:
    """Take out the add-in and our entries; what the configuration said before comes back."""
    path, config, backup = addin_path(), config_path(), backup_path()
    there = path.exists()
    try:
        path.unlink(missing_ok=True)
    except OSError:
        raise FileError(f"{path} cannot be deleted: close Excel and try again.") from None
    current = entries(_read(config))
    if backup.exists() and current.get(KEY) == sys.executable:  # else someone has chosen another Python since
        paths = ";".join(_without(current.get(_PATHS, ""), _own_folders()))
        new = with_entries(_read(config), {KEY: entries(_read(backup)).get(KEY), _PATHS: paths or None})
        if new:
            _write(config, new)
        else:
            config.unlink()
        backup.unlink()
    print(f"Took out {path}: Excel starts without MLSIM next time." if there else "MLSIM was not in Excel.")
