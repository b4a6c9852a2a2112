"""The doctor: every fault made for real in temporary folders, or through the reader a check is given."""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mlsim.registry import load
from mlsim_addin import doctor
from mlsim_addin.doctor import ABSENT, FAULT, OK, WARNING, Finding
from mlsim_addin.excel import install
from mlsim_workbooks import cli


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Excel's and LibreOffice's folders, empty."""
    for name, folder in (("APPDATA", "Roaming"), ("USERPROFILE", "me"), ("XDG_CONFIG_HOME", "config"), ("HOME", "me")):
        monkeypatch.setenv(name, str(tmp_path / folder))
    monkeypatch.delenv("MLSIM_REGISTRY", raising=False)
    return tmp_path


@pytest.fixture
def installed(home: Path, capsys: Any) -> Path:
    assert cli.main(["install", "excel"]) == 0
    capsys.readouterr()
    return home


def configured(text: str) -> None:
    install.config_path().write_bytes(text.encode())


def expect(finding: Finding, state: str, *words: str) -> None:
    assert finding.state == state, finding
    for word in words:
        assert word in finding.sentence + " " + finding.fix, finding
    assert (finding.fix != "") if state in (FAULT, WARNING) else True
    assert "\n" not in finding.sentence + finding.fix
    assert "Traceback" not in finding.sentence


# --- the command -----------------------------------------------------------------------------------------------------


def test_all_is_well_after_installing(installed: Path, capsys: Any) -> None:
    assert cli.main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    states = {line[8:].split("  ")[0]: line[:8].strip() for line in lines if line[0] != " "}
    assert [states[n] for n in ("Python", "libraries", "xlwings", "xlwings.conf", "functions", "MLSIM.xlam")] == [
        OK
    ] * 6
    assert FAULT not in states.values()


def test_nothing_installed_is_no_fault(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.delenv("APPDATA")
    monkeypatch.delenv("USERPROFILE")
    assert cli.main(["doctor"]) == 0
    assert "MLSIM.xlam" in capsys.readouterr().out


def test_a_wrong_registry_file_is_said_once_and_hides_nothing(home: Path) -> None:
    environment = {**os.environ, "MLSIM_REGISTRY": str(home / "mine.yaml")}
    command = [sys.executable, "-m", "mlsim_workbooks.cli", "doctor"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 1, done.stderr
    assert done.stdout.count("mine.yaml does not exist") == 1
    assert done.stdout.count(FAULT) == 1
    assert "MLSIM.xlam" in done.stdout


def test_a_check_that_fails_does_not_end_the_others(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    def broken_check() -> Finding:
        raise OSError("disk on fire")

    monkeypatch.setattr(doctor, "CHECKS", (broken_check, doctor.python))
    assert cli.main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "warning broken check  Could not be looked at: disk on fire." in out
    assert "ok      Python        " in out


def test_the_list_is_aligned() -> None:
    text = doctor.report([Finding("a", OK, "Fine."), Finding("longer", FAULT, "Bad.", "mend it")])
    assert text == "ok      a       Fine.\nFAULT   longer  Bad.\n                -> mend it"


# --- Python ----------------------------------------------------------------------------------------------------------


def test_python() -> None:
    expect(doctor.python((3, 10, 1)), FAULT, "3.11 or newer")
    expect(doctor.python((3, 12, 1), 32), WARNING, "64-bit")
    store = [r"C:\Users\me\AppData\Local\Microsoft\WindowsApps\python.exe", "x"]
    expect(doctor.python((3, 12, 1), 64, store, windows=True), FAULT, "Microsoft Store", "python.org")
    expect(doctor.python((3, 12, 1), 64, ["/usr/bin/python3"]), OK)


def test_libraries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expect(doctor.libraries(), OK, "numpy")
    expect(doctor.libraries(["numpy", "not_there_at_all"]), FAULT, "not_there_at_all cannot be imported", "pip install")
    (tmp_path / "broken_binary.py").write_text("raise RuntimeError('DLL load failed\\nline two')")
    monkeypatch.syspath_prepend(tmp_path)
    expect(doctor.libraries(["broken_binary"]), FAULT, "DLL load failed.")


def test_registry_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "mine.yaml"
    monkeypatch.setenv("MLSIM_REGISTRY", str(file))
    try:
        expect(doctor.registry_file(), FAULT, "does not exist", "MLSIM_REGISTRY")
        file.write_text("hardware: {Mine: {memory: 80 GB}}")
        expect(doctor.registry_file(), FAULT, "needs a 'source'")
        file.write_text("hardware: {Mine: {memory: 80 GB, source: me}}")
        expect(doctor.registry_file(), OK, "adds Mine")
    finally:
        load.forget()
    monkeypatch.setenv("MLSIM_REGISTRY", "")
    expect(doctor.registry_file(), ABSENT)


# --- Excel -----------------------------------------------------------------------------------------------------------


def test_xlwings(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    expect(doctor.xlwings_package(missing), ABSENT, "pip install")
    expect(doctor.xlwings_package(lambda _: "0.30.1"), FAULT, "0.30.1 is too old", "--upgrade")
    expect(doctor.xlwings_package(), OK)
    monkeypatch.setattr(doctor, "_WINDOWS", True)
    monkeypatch.setattr(doctor, "_placed", lambda: True)
    expect(doctor.xlwings_package(missing), FAULT, "pip install")


def test_pywin32() -> None:
    expect(doctor.pywin32(windows=False), ABSENT)
    expect(doctor.pywin32(windows=True, names=["not_pythoncom"]), FAULT, "not_pythoncom", "pywin32")
    expect(doctor.pywin32(windows=True, names=["json"]), OK)


def test_xlwings_library(tmp_path: Path) -> None:
    version = importlib.metadata.version("xlwings")
    executable = tmp_path / "env" / "Scripts" / "python.exe"
    executable.parent.mkdir(parents=True)
    (tmp_path / "env" / f"xlwings32-{version}.dll").touch()
    expect(doctor.xlwings_library(False), ABSENT)
    found = doctor.xlwings_library(True, str(executable))
    expect(found, FAULT, f"xlwings64-{version}.dll", f"pip install --force-reinstall xlwings=={version}")
    assert "xlwings32" not in found.sentence
    (executable.parent / f"xlwings64-{version}.dll").touch()
    expect(doctor.xlwings_library(True, str(executable)), OK)


def test_a_missing_configuration(installed: Path) -> None:
    expect(doctor.configuration(), OK)
    install.config_path().unlink()
    expect(doctor.configuration(), FAULT, "missing", "mlsim install excel")
    expect(doctor.module(), ABSENT)


def test_a_configuration_without_an_interpreter(installed: Path) -> None:
    configured('"PYTHONPATH","C:\\x"\r\n')
    expect(doctor.configuration(), FAULT, "has no INTERPRETER_WIN", "mlsim install excel")


def test_a_configuration_that_is_no_text(installed: Path) -> None:
    install.config_path().write_bytes(b'"INTERPRETER_WIN","C:\\J\xfcrgen"\r\n')
    expect(doctor.configuration(), FAULT, "encoding", "delete it")


def test_a_virtual_environment_that_was_moved(installed: Path) -> None:
    old = installed / "old-env"
    venv.create(old, symlinks=True)
    python = old / "bin" / "python"
    configured(f'"INTERPRETER_WIN","{python}"\r\n')
    expect(doctor.configuration(), WARNING, "not this Python", str(python))
    expect(doctor.module(), FAULT, "No module named 'mlsim_addin'", "pip install mlsim")
    old.rename(installed / "new-env")
    expect(doctor.configuration(), FAULT, str(python), "moved or deleted", "mlsim install excel")
    expect(doctor.module(), FAULT, str(python))


def test_the_path_of_the_configuration_is_used(installed: Path) -> None:
    python = installed / "env" / "bin" / "python"
    venv.create(installed / "env", symlinks=True)
    site = [path for path in sys.path if path.endswith("site-packages")]
    folders = ";".join([*install._own_folders(), *site])
    configured(f'"INTERPRETER_WIN","{python}"\r\n"PYTHONPATH","{folders}"\r\n')
    expect(doctor.module(), OK, str(python))


def test_a_debugger(installed: Path) -> None:
    configured(f'"INTERPRETER_WIN","{sys.executable}"\r\n"DEBUG UDFS","True"\r\n')
    expect(doctor.configuration(), WARNING, "DEBUG UDFS")


def test_an_addin_of_another_version(installed: Path) -> None:
    expect(doctor.addin(), OK, "current")
    path = install.addin_path()
    data = path.read_bytes()
    path.write_bytes(data[:-100])
    expect(doctor.addin(), FAULT, "cannot be read", "mlsim install excel")
    other = doctor._parts(data)
    with zipfile.ZipFile(path, "w") as archive:  # packed otherwise, the same content
        for name, part in other.items():
            archive.writestr(name, part)
    expect(doctor.addin(), OK)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("more.xml", "<x/>")
    expect(doctor.addin(), WARNING, "another version")


def test_macro_security() -> None:
    def settings(values: dict[tuple[str, str], int]) -> Callable[[str, str], Any]:
        return lambda key, name: values.get((key, name))

    security = r"Software\Microsoft\Office\16.0\Excel\Security"
    off = (rf"{security}\Trusted Locations", "AllLocationsDisabled")
    expect(doctor.macro_security(False), ABSENT)
    expect(doctor.macro_security(True, settings({})), OK)
    expect(doctor.macro_security(True, settings({(security, "VBAWarnings"): 4, (security, "AccessVBOM"): 0})), OK)
    expect(doctor.macro_security(True, settings({off: 1})), WARNING, "asks", "Trust Center")
    expect(doctor.macro_security(True, settings({off: 1, (security, "VBAWarnings"): 4})), FAULT, "do not run")
    policy = security.replace("Software", r"Software\Policies")
    blocked = settings({(rf"{policy}\Trusted Locations", "AllLocationsDisabled"): 1, (policy, "VBAWarnings"): 3})
    expect(doctor.macro_security(True, blocked), FAULT, "policy", "administrator")


def test_an_addin_that_excel_switched_off() -> None:
    item = b"\x01\x00\x00\x00\x2e\x00\x00\x00" + r"C:\me\Excel\XLSTART\MLSIM.XLAM".encode("utf-16-le") + b"\0\0"
    expect(doctor.switched_off(False), ABSENT)
    expect(doctor.switched_off(True, lambda: [item]), FAULT, "after a crash", "Disabled Items")
    expect(doctor.switched_off(True, lambda: [item.replace(b"M", b"N")]), OK)


def test_a_file_that_windows_marked_as_downloaded(installed: Path) -> None:
    expect(doctor.blocked_file(), OK)
    mark = Path(f"{install.addin_path()}:Zone.Identifier")  # a stream of the file on Windows, a file beside it here
    mark.write_bytes(b"[ZoneTransfer]\r\nZoneId=3\r\n")
    expect(doctor.blocked_file(), FAULT, "marked as downloaded", "Unblock")
    mark.write_bytes(b"[ZoneTransfer]\r\nZoneId=0\r\n")
    expect(doctor.blocked_file(), OK)


@pytest.mark.parametrize(
    ("place", "state"),
    [
        (r"C:\Users\me\OneDrive - Firm\env\Scripts\python.exe", WARNING),
        (r"D:\sync\env\python.exe", WARNING),
        (r"D:\synchronous\env\python.exe", OK),
        ("https://firm.sharepoint.com/sites/plan/book.xlsx", FAULT),
        (r"C:\Python312\python.exe", OK),
    ],
)
def test_synchronised_folders(place: str, state: str) -> None:
    expect(doctor.synchronised([place], {"OneDriveCommercial": "D:\\sync"}), state)


def test_synchronised_folders_of_the_configuration(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expect(doctor.synchronised(), OK)
    monkeypatch.setenv("OneDrive", str(installed / "Roaming"))
    expect(doctor.synchronised(), WARNING, "MLSIM.xlam")


# --- LibreOffice -----------------------------------------------------------------------------------------------------


def extension(folder: Path, config: Any) -> Callable[[], Path]:
    (folder / "config.json").write_text(config if isinstance(config, str) else json.dumps(config))
    return lambda: folder


def test_libreoffice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    expect(doctor.libreoffice(), ABSENT, "not found")
    program = tmp_path / "soffice"
    program.touch()
    program.chmod(0o755)
    expect(doctor.libreoffice(), OK, str(program))


def test_the_extension(home: Path, tmp_path: Path) -> None:
    expect(doctor.libreoffice_extension(), ABSENT, "mlsim install libreoffice")
    expect(doctor.libreoffice_extension(extension(tmp_path, {"python": sys.executable, "paths": []})), OK, "answers")
    expect(doctor.libreoffice_extension(extension(tmp_path, "{")), FAULT, "cannot be read")
    expect(doctor.libreoffice_extension(extension(tmp_path, {"paths": []})), FAULT, "cannot be read")
    gone = {"python": str(tmp_path / "env" / "python"), "paths": []}
    expect(doctor.libreoffice_extension(extension(tmp_path, gone)), FAULT, "moved or deleted", "install libreoffice")
    venv.create(tmp_path / "env", symlinks=True)
    bare = {"python": str(tmp_path / "env" / "bin" / "python"), "paths": []}
    expect(doctor.libreoffice_extension(extension(tmp_path, bare)), FAULT, "does not answer", "No module named")
    false = shutil.which("true") or "true"
    expect(doctor.libreoffice_extension(extension(tmp_path, {"python": false})), FAULT, "no answer")


# --- Office.js -------------------------------------------------------------------------------------------------------


def test_the_certificate_of_the_web_addin(tmp_path: Path) -> None:
    pytest.importorskip("cryptography")
    from mlsim_addin.officejs.certificate import ready

    expect(doctor.web_addin(tmp_path), ABSENT, "no certificate yet", "mlsim serve")
    ready(tmp_path)
    expect(doctor.web_addin(tmp_path), OK, "valid until")
    expect(doctor.web_addin(tmp_path, datetime.now(UTC) + timedelta(days=2000)), FAULT, "expired", "mlsim serve")
    (tmp_path / "localhost.pem").write_text("nothing")
    expect(doctor.web_addin(tmp_path), FAULT, "is no certificate", "delete it")


def test_without_cryptography_there_is_no_web_addin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    expect(doctor.web_addin(), ABSENT, "mlsim[web]")
