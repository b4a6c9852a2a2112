"""``mlsim doctor``: look for what usually keeps the functions from working in a spreadsheet, and say the fix.

Each check is a small function that changes nothing and returns a ``Finding``; what it looks at is an argument with a
default, so that each fault can be made on purpose.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import importlib.util
import io
import json
import locale
import os
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from mlsim.errors import CellError

__all__ = ["CHECKS", "Finding", "report", "run"]

OK, WARNING, FAULT, ABSENT = "ok", "warning", "FAULT", "-"
_WINDOWS = sys.platform == "win32"
_SECONDS = 60
_INSTALL = "mlsim install excel"
_REQUEST = {"calls": [["MLSIM_CONVERT", ["1 GiB", "MiB"]]]}
_DISABLED = r"Software\Microsoft\Office\16.0\Excel\Resiliency\DisabledItems"
_SECURITY = r"Software\{}Microsoft\Office\16.0\Excel\Security"


class Finding(NamedTuple):
    """What a check found: its name, ``ok``, ``warning``, ``FAULT`` or ``-`` (not here), a sentence, and the fix."""

    name: str
    state: str
    sentence: str
    fix: str = ""


def run(args: argparse.Namespace) -> int:
    """Print what every check finds; return 1 when there is a fault."""
    findings = []
    for check in CHECKS:
        findings.append(_finding(check))
        if check is registry_file and findings[-1].state == FAULT:
            os.environ.pop("MLSIM_REGISTRY", None)  # said once: the other checks read that file as well
    print(report(findings))
    return 1 if any(finding.state == FAULT for finding in findings) else 0


def report(findings: Sequence[Finding]) -> str:
    """Return findings as an aligned list, each fix below its finding."""
    width = max(len(finding.name) for finding in findings)
    lines = []
    for name, state, sentence, fix in findings:
        lines.append(f"{state:8}{name:{width}}  {sentence}")
        if fix:
            lines.append(f"{'':8}{'':{width}}  -> {fix}")
    return "\n".join(lines)


def _finding(check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except CellError as error:
        return Finding(check.__name__.replace("_", " "), FAULT, error.message)
    except Exception as error:  # a check that cannot look must not hide the others
        return Finding(check.__name__.replace("_", " "), WARNING, f"Could not be looked at: {error}.")


# --- Python ----------------------------------------------------------------------------------------------------------


def python(
    version: Sequence[int] = sys.version_info[:3],
    bits: int = 8 * struct.calcsize("P"),
    places: Sequence[str] = (sys.executable, sys.base_prefix),
    windows: bool = _WINDOWS,
) -> Finding:
    """Whether this Python can serve a spreadsheet."""
    text = f"{'.'.join(map(str, version))}, {bits} bit, {places[0]}"
    if tuple(version) < (3, 11):
        return Finding(
            "Python", FAULT, f"{text}: MLSIM needs 3.11 or newer.", "install a newer Python, and MLSIM in it"
        )
    if windows and "windowsapps" in " ".join(places).lower():
        fix = "install Python from python.org, and MLSIM in it"
        return Finding("Python", FAULT, f"{text}: from the Microsoft Store, whose files Excel does not see.", fix)
    if bits < 64:
        fix = "install a 64-bit Python, and MLSIM in it"
        return Finding("Python", WARNING, f"{text}: NumPy is no longer made for 32 bit.", fix)
    return Finding("Python", OK, text)


def libraries(names: Sequence[str] = ("numpy", "pint", "openpyxl", "ironcalc", "yaml")) -> Finding:
    """Whether what MLSIM is built on can be imported."""
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as error:  # a broken binary raises whatever it likes
            fix = "pip install --force-reinstall mlsim"
            return Finding("libraries", FAULT, f"{name} cannot be imported: {_first_line(error)}", fix)
    return Finding("libraries", OK, f"{', '.join(names)} can be imported.")


def registry_file() -> Finding:
    """Whether the user's own registry file, if there is one, can be read."""
    name, path = "your registry", os.environ.get("MLSIM_REGISTRY", "")
    if not path:
        return Finding(name, ABSENT, "MLSIM_REGISTRY is not set: the functions know the built-in registry.")
    from mlsim.registry import load

    try:
        added = load.use_registry_file(path)
    except CellError as error:
        return Finding(name, FAULT, error.message, f"correct {path}, or take MLSIM_REGISTRY out of the environment")
    return Finding(name, OK, f"{path} adds {', '.join(added) or 'nothing'}.")


def _first_line(error: object) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".") + "."


# --- Excel with xlwings ----------------------------------------------------------------------------------------------


def xlwings_package(find: Callable[[str], str] = importlib.metadata.version) -> Finding:
    """Whether xlwings is installed, and new enough."""
    try:
        version = find("xlwings")
    except importlib.metadata.PackageNotFoundError:
        state = FAULT if _WINDOWS and _placed() else ABSENT
        return Finding("xlwings", state, "Not installed: Excel on Windows needs it.", 'pip install "mlsim[excel]"')
    if tuple(int(part) for part in version.split(".")[:2] if part.isdigit()) < (0, 33):
        return Finding("xlwings", FAULT, f"Version {version} is too old.", "pip install --upgrade xlwings")
    return Finding("xlwings", OK, f"Version {version}.")


def pywin32(windows: bool = _WINDOWS, names: Sequence[str] = ("pythoncom", "win32api", "win32com")) -> Finding:
    """Whether Python can talk to Excel."""
    if not windows:
        return Finding("pywin32", ABSENT, "It is for Windows only.")
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as error:  # its DLLs raise whatever they like
            fix = "pip install --force-reinstall pywin32"
            return Finding("pywin32", FAULT, f"{name} cannot be imported: {_first_line(error)}", fix)
    return Finding("pywin32", OK, "Python can talk to Excel.")


def xlwings_library(windows: bool = _WINDOWS, executable: str = sys.executable) -> Finding:
    """Whether the library through which Excel starts Python lies where xlwings' VBA looks for it."""
    name = "xlwings library"
    if not windows:
        return Finding(name, ABSENT, "It is for Windows only.")
    version = importlib.metadata.version("xlwings")
    folders = [Path(executable).parent, Path(executable).parent.parent]
    missing = [
        f"xlwings{bits}-{version}.dll"
        for bits in (32, 64)
        if not any((folder / f"xlwings{bits}-{version}.dll").is_file() for folder in folders)
    ]
    if missing:
        fix = f"pip install --force-reinstall xlwings=={version}"
        return Finding(name, FAULT, f"{' and '.join(missing)} is neither in {folders[0]} nor in {folders[1]}.", fix)
    return Finding(name, OK, f"It lies beside {executable}.")


def configuration() -> Finding:
    """Whether xlwings' configuration names this Python."""
    from mlsim_addin.excel import install

    name, path = "xlwings.conf", install.config_path()
    if not _placed() and not _configured():
        return Finding(name, ABSENT, "The Excel add-in is not installed.", _INSTALL if _WINDOWS else "")
    if not path.is_file():
        return Finding(name, FAULT, f"{path} is missing: Excel does not know which Python to start.", _INSTALL)
    try:
        found = install.entries(path.read_bytes().decode(locale.getencoding()))
    except UnicodeDecodeError:
        return Finding(name, FAULT, f"{path} is not a text of this machine's encoding.", f"delete it, then {_INSTALL}")
    interpreter = found.get(install.KEY, "")
    if not interpreter:
        return Finding(name, FAULT, f"{path} has no {install.KEY}.", _INSTALL)
    if not Path(os.path.expandvars(interpreter)).is_file():
        return Finding(name, FAULT, f"It names {interpreter}, which is gone: moved or deleted.", _INSTALL)
    if not _same(os.path.expandvars(interpreter), sys.executable):
        fix = f"{_INSTALL}, from the Python that Excel shall use"
        return Finding(name, WARNING, f"It names {interpreter}, not this Python, {sys.executable}.", fix)
    if found.get("DEBUG UDFS", "").lower() == "true":
        return Finding(name, WARNING, "DEBUG UDFS is on: Excel waits for a debugger.", f"set it to False in {path}")
    return Finding(name, OK, f"{path} names this Python.")


def module() -> Finding:
    """Whether the Python that Excel starts finds the functions."""
    from mlsim_addin.excel import install

    name, path = "functions", install.config_path()
    if not _configured():
        return Finding(name, ABSENT, "No Python is configured for Excel.")
    found = install.entries(path.read_bytes().decode(locale.getencoding(), "replace"))
    interpreter = os.path.expandvars(found.get(install.KEY, ""))
    folders = [folder for folder in found.get("PYTHONPATH", "").split(";") if folder]
    code = f"import sys; sys.path[:0] = {folders!r}; import mlsim_addin.excel.udfs"
    problem = _failure([interpreter, "-E", "-c", code])
    if problem:
        return Finding(
            name, FAULT, f"{interpreter} cannot import them: {problem}", f"pip install mlsim, then {_INSTALL}"
        )
    return Finding(name, OK, f"{interpreter} finds them.")


def addin() -> Finding:
    """Whether the add-in lies where Excel opens it, and is what would be written now."""
    from mlsim_addin.excel import addin_file, install

    name, path = "MLSIM.xlam", install.addin_path()
    if not _placed():
        return Finding(name, ABSENT, "The Excel add-in is not installed.", _INSTALL if _WINDOWS else "")
    try:
        placed = _parts(path.read_bytes())
    except (OSError, zipfile.BadZipFile) as error:
        return Finding(name, FAULT, f"{path} cannot be read: {_first_line(error)}", _INSTALL)
    if placed != _parts(addin_file.package()):
        return Finding(name, WARNING, f"{path} is of another version of MLSIM or xlwings.", f"close Excel, {_INSTALL}")
    return Finding(name, OK, f"{path} is current.")


def _placed() -> bool:
    from mlsim_addin.excel import install

    return install.available() and install.addin_path().is_file()


def _configured() -> bool:
    from mlsim_addin.excel import install

    return install.available() and install.config_path().is_file()


def _parts(data: bytes) -> dict[str, bytes]:
    """Return what a package holds: the same content may be packed differently by another Python."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _registry_value(key: str, name: str) -> Any:
    """Read a value of the current user's Windows registry; None when it is not there."""
    winreg: Any = importlib.import_module("winreg")
    try:
        with winreg.OpenKey(winreg.HKEY_CURRENT_USER, key) as handle:
            return winreg.QueryValueEx(handle, name)[0]
    except OSError:
        return None


def macro_security(windows: bool = _WINDOWS, read: Callable[[str, str], Any] = _registry_value) -> Finding:
    """Whether Excel runs macros from its own start folder."""
    name = "macro security"
    if not windows:
        return Finding(name, ABSENT, "It is a setting of Excel on Windows.")
    for source, by in (("Policies\\", " by a policy of your organisation"), ("", "")):
        key = _SECURITY.format(source)
        if read(rf"{key}\Trusted Locations", "AllLocationsDisabled") == 1:
            blocked = read(key, "VBAWarnings") in (3, 4)
            fix = "in Excel: File > Options > Trust Center > Trusted Locations, clear 'Disable all Trusted Locations'"
            if by:
                fix = "ask your administrator to allow trusted locations for Excel"
            what = "macros do not run" if blocked else "each start asks before macros run"
            return Finding(name, FAULT if blocked else WARNING, f"Trusted locations are off{by}: {what}.", fix)
    return Finding(name, OK, "Excel trusts its start folder; access to the VBA project is not needed.")


def _disabled_items() -> list[bytes]:
    """Return what Excel has switched off after it crashed or hung."""
    winreg: Any = importlib.import_module("winreg")
    try:
        with winreg.OpenKey(winreg.HKEY_CURRENT_USER, _DISABLED) as handle:
            return [winreg.EnumValue(handle, i)[1] for i in range(winreg.QueryInfoKey(handle)[1])]
    except OSError:
        return []


def switched_off(windows: bool = _WINDOWS, read: Callable[[], Sequence[bytes]] = _disabled_items) -> Finding:
    """Whether Excel has switched the add-in off after a crash, which it does without saying so."""
    name = "disabled items"
    if not windows:
        return Finding(name, ABSENT, "It is a list of Excel on Windows.")
    if any("mlsim.xlam".encode("utf-16-le") in item.lower() for item in read()):
        fix = "in Excel: File > Options > Add-ins > Manage: Disabled Items > Go, and enable it"
        return Finding(name, FAULT, "Excel has switched MLSIM.xlam off after a crash.", fix)
    return Finding(name, OK, "Excel has not switched MLSIM.xlam off.")


def blocked_file() -> Finding:
    """Whether Windows has marked the add-in as coming from the web, so that Excel refuses its macros."""
    from mlsim_addin.excel import install

    name, path = "blocked file", install.addin_path()
    if not _placed():
        return Finding(name, ABSENT, "The Excel add-in is not installed.")
    try:
        mark = Path(f"{path}:Zone.Identifier").read_bytes()
    except OSError:
        mark = b""
    if any(f"ZoneId={zone}".encode() in mark for zone in (3, 4)):
        fix = f"right-click the file > Properties > Unblock, or {_INSTALL}"
        return Finding(name, FAULT, f"{path} is marked as downloaded: Excel refuses its macros.", fix)
    return Finding(name, OK, "The add-in is not marked as downloaded.")


def synchronised(places: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ) -> Finding:
    """Whether the interpreter or the add-in lies in a folder that OneDrive or SharePoint moves about."""
    name = "OneDrive"
    if places is None:
        places = [sys.executable, *_excel_places()]
    roots = [environment[key] for key in ("OneDrive", "OneDriveCommercial", "OneDriveConsumer") if environment.get(key)]
    for place in places:
        if place.lower().startswith(("https://", "http://")):
            return Finding(
                name, FAULT, f"{place} is an address: Python needs a folder.", "use a folder on this machine"
            )
        parts = place.replace("\\", "/").split("/")
        below = any(_below(place, root) for root in roots)
        if below or any(part.lower().startswith(("onedrive", "sharepoint")) for part in parts[:-1]):
            fix = "install Python and MLSIM outside that folder"
            return Finding(name, WARNING, f"{place} is in a synchronised folder: files may be locked or away.", fix)
    return Finding(name, OK, "Python and the add-in lie outside synchronised folders.")


def _excel_places() -> list[str]:
    from mlsim_addin.excel import install

    if not _configured():
        return []
    found = install.entries(install.config_path().read_bytes().decode(locale.getencoding(), "replace"))
    return [
        p for p in (found.get(install.KEY, ""), *found.get("PYTHONPATH", "").split(";"), str(install.addin_path())) if p
    ]


def _below(place: str, root: str) -> bool:
    folder = root.replace("\\", "/").rstrip("/").lower() + "/"
    return place.replace("\\", "/").lower().startswith(folder)


def _same(one: str, other: str) -> bool:
    """Whether two paths lead to the same interpreter; a link of a virtual environment is not what it links to."""
    return os.path.normcase(os.path.abspath(one)) == os.path.normcase(os.path.abspath(other))


def _failure(command: Sequence[str], text: str | None = None, holds: str = "") -> str:
    """Run a program; return "" when it ends well with ``holds`` in its output, else why not."""
    try:
        done = subprocess.run(
            command, input=text, capture_output=True, text=True, timeout=_SECONDS, cwd=tempfile.gettempdir(),
            check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return _first_line(error)
    if done.returncode == 0 and holds in done.stdout:
        return ""
    return _first_line((done.stderr.strip().splitlines() or ["no answer"])[-1])


# --- LibreOffice -----------------------------------------------------------------------------------------------------


def libreoffice() -> Finding:
    """Whether LibreOffice is here."""
    from mlsim_addin.libreoffice import install

    try:
        return Finding("LibreOffice", OK, str(install.find_office()))
    except CellError as error:
        return Finding("LibreOffice", ABSENT, error.message)


def libreoffice_extension(folder: Callable[[], Path | None] | None = None) -> Finding:
    """Whether the extension is installed, and the Python it calls answers."""
    from mlsim_addin.libreoffice.install import installed

    name, fix = "extension", "mlsim install libreoffice"
    place = (folder or installed)()
    if place is None:
        return Finding(name, ABSENT, "The LibreOffice extension is not installed.", fix)
    try:
        config = json.loads((place / "config.json").read_text("utf-8"))
        interpreter = str(config["python"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        return Finding(name, FAULT, f"{place / 'config.json'} cannot be read: {_first_line(error)}", fix)
    if not Path(interpreter).is_file():
        return Finding(name, FAULT, f"It calls {interpreter}, which is gone: moved or deleted.", fix)
    problem = _failure([interpreter, "-m", "mlsim_addin.worker"], json.dumps(_REQUEST) + "\n", '{"results": [1024')
    if problem:
        return Finding(name, FAULT, f"It calls {interpreter}, which does not answer: {problem}", fix)
    if not _same(interpreter, sys.executable):
        return Finding(name, WARNING, f"It calls {interpreter}, not this Python, {sys.executable}.", fix)
    return Finding(name, OK, f"It calls {interpreter}, which answers.")


# --- Office.js -------------------------------------------------------------------------------------------------------


def web_addin(folder: Path | None = None, now: datetime | None = None) -> Finding:
    """Whether the web add-in's certificate is there, and still valid."""
    name, fix = "web add-in", "mlsim serve"
    if importlib.util.find_spec("cryptography") is None:
        return Finding(
            name, ABSENT, "Excel's web add-in is not set up: cryptography is not installed.", 'pip install "mlsim[web]"'
        )
    from cryptography import x509

    from mlsim_addin.officejs.certificate import configuration_folder

    path = (folder or configuration_folder()) / "localhost.pem"
    if not path.is_file():
        return Finding(name, ABSENT, "Excel's web add-in has no certificate yet.", fix)
    try:
        ends = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    except ValueError:
        return Finding(name, FAULT, f"{path} is no certificate.", f"delete it, then {fix}")
    left = ends - (now or datetime.now(UTC))
    if left < timedelta(0):
        return Finding(name, FAULT, f"{path} expired on {ends:%Y-%m-%d}.", f"{fix}, and trust the new one")
    return Finding(name, OK, f"The certificate is valid until {ends:%Y-%m-%d}.")


CHECKS: tuple[Callable[[], Finding], ...] = (
    python, libraries, registry_file, xlwings_package, pywin32, xlwings_library, configuration, module, addin,
    macro_security, switched_off, blocked_file, synchronised, libreoffice, libreoffice_extension, web_addin,
)  # fmt: skip
"""What is looked at, in this order."""
