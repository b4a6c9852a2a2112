"""Installing into Excel's folders, made here in temporary ones: the add-in file and xlwings' configuration."""

from __future__ import annotations

import importlib.util
import locale
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest

from mlsim.files import FileError
from mlsim_addin.excel import addin_file, install
from mlsim_workbooks import cli


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("APPDATA", str(tmp_path / "Roaming"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "me"))
    return tmp_path


def mlsim(*words: str) -> int:
    return cli.main(["install", "excel", *words])


def write_config(text: str) -> Path:
    path = install.config_path()
    path.parent.mkdir(parents=True)
    path.write_bytes(text.encode())
    return path


OURS = f'"INTERPRETER_WIN","{sys.executable}"\r\n'


# --- the two steps ---------------------------------------------------------------------------------------------------


def test_installing_places_the_addin_and_configures_xlwings(home: Path, capsys: Any) -> None:
    assert mlsim() == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 6
    addin = home / "Roaming/Microsoft/Excel/XLSTART/MLSIM.xlam"
    assert str(addin) in lines[0]
    assert addin.read_bytes() == addin_file.package()
    assert (home / "me/.xlwings/xlwings.conf").read_bytes().decode() == OURS
    assert "mlsim doctor" in lines[-1]


def test_installing_twice_changes_nothing(home: Path) -> None:
    write_config('"PYTHONPATH","C:\\mine"\r\n')
    mlsim()
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    assert len(before) == 3
    mlsim()
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before


def test_removing_leaves_nothing_behind(home: Path, capsys: Any) -> None:
    mlsim()
    assert mlsim("--remove") == 0
    assert [path for path in home.rglob("*") if path.is_file()] == []
    assert "Took out" in capsys.readouterr().out
    assert mlsim("--remove") == 0
    assert capsys.readouterr().out == "MLSIM was not in Excel.\n"


def test_the_users_own_entries_keep_their_place_and_come_back(home: Path) -> None:
    old = '"PYTHONPATH","C:\\mine"\r\n"INTERPRETER_WIN","C:\\other\\python.exe"\r\n"SHOW CONSOLE","True"\r\n'
    path = write_config(old)
    mlsim()
    assert path.read_bytes().decode() == old.replace('"INTERPRETER_WIN","C:\\other\\python.exe"\r\n', OURS)
    assert install.backup_path().read_bytes().decode() == old
    with path.open("a", newline="") as file:
        file.write('"DEBUG UDFS","False"\r\n')  # changed in between
    mlsim("--remove")
    assert path.read_bytes().decode() == old + '"DEBUG UDFS","False"\r\n'
    assert not install.backup_path().exists()


def test_a_python_chosen_since_then_stays(home: Path) -> None:
    mlsim()
    chosen = '"INTERPRETER_WIN","C:\\newer\\python.exe"\r\n'
    install.config_path().write_bytes(chosen.encode())
    mlsim("--remove")
    assert install.config_path().read_bytes().decode() == chosen
    assert not install.addin_path().exists()


def test_a_configuration_that_named_this_python_before_stays(home: Path) -> None:
    path = write_config(OURS)
    mlsim()
    assert not install.backup_path().exists()
    mlsim("--remove")
    assert path.read_bytes().decode() == OURS


def test_paths_are_written_where_python_would_not_find_mlsim(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run: Callable[..., Any] = lambda *_, **__: SimpleNamespace(returncode=1)  # noqa: E731
    path = write_config('"PYTHONPATH","C:\\mine"\r\n')
    with monkeypatch.context() as patch:
        patch.setattr(subprocess, "run", run)
        mlsim()
    folders = install.entries(path.read_bytes().decode())["PYTHONPATH"].split(";")
    assert folders[-1] == "C:\\mine"
    code = f"import sys; import importlib.util as u; sys.path[:] = {folders[:-1]!r}; print(u.find_spec('mlsim_addin'))"
    assert "ModuleSpec" in subprocess.run([sys.executable, "-SE", "-c", code], capture_output=True, text=True).stdout
    mlsim("--remove")
    assert path.read_bytes().decode() == '"PYTHONPATH","C:\\mine"\r\n'


# --- what keeps it from working --------------------------------------------------------------------------------------


def test_elsewhere_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.delenv("APPDATA", raising=False)
    monkeypatch.delenv("USERPROFILE", raising=False)
    assert mlsim() == 2
    assert "need Excel on Windows: use mlsim serve" in capsys.readouterr().err


def test_without_xlwings_nothing_is_written(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert mlsim() == 2
    assert "pip install mlsim[excel]" in capsys.readouterr().err
    assert list(home.iterdir()) == []


def test_an_xlwings_without_its_vba_is_refused(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "xlwings"
    folder.mkdir()
    spec = SimpleNamespace(origin=str(folder / "__init__.py"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    with pytest.raises(FileError, match=r"has no xlwings\.bas"):
        addin_file.package()
    (folder / "xlwings.bas").write_text('Attribute VB_Name = "other"')
    with pytest.raises(FileError, match="not known"):
        addin_file.package()


def test_the_store_python_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr(sys, "base_prefix", r"C:\Program Files\WindowsApps\PythonSoftwareFoundation.Python.3.12")
    assert mlsim() == 2
    assert "python.org" in capsys.readouterr().err
    assert list(home.iterdir()) == []


def test_a_path_that_vba_cannot_read_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr(locale, "getencoding", lambda: "cp1252")
    monkeypatch.setattr(sys, "executable", r"C:\漢字\python.exe")
    monkeypatch.setattr(install, "import_paths", list)
    assert mlsim() == 2
    assert "characters that VBA cannot read" in capsys.readouterr().err
    assert not install.addin_path().exists()


def test_a_folder_in_the_way_is_a_sentence(home: Path, capsys: Any) -> None:
    install.addin_path().mkdir(parents=True)
    assert mlsim() == 2
    assert "is a folder" in capsys.readouterr().err


# --- the configuration -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", '"A","1"\r\n'),
        ('"B","2"\n"A","0"\n', '"B","2"\r\n"A","1"\r\n'),
        ('"a" , "x"\r\n', '"A","1"\r\n'),
        ("A,0\r\n", '"A","1"\r\n'),
        ('"A","0"\r\n"A","2"\r\n', '"A","1"\r\n'),
        ("# a note\r\n", '# a note\r\n"A","1"\r\n'),
    ],
)
def test_an_entry_is_changed_in_its_place(text: str, expected: str) -> None:
    assert install.with_entries(text, {"A": "1"}) == expected
    assert install.entries(expected)["A"] == "1"


def test_an_entry_is_taken_out() -> None:
    assert install.with_entries('"A","1"\r\n"B","2"\r\n', {"A": None, "C": None}) == '"B","2"\r\n'


# --- the file --------------------------------------------------------------------------------------------------------


def test_the_package_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "MLSIM.xlam"
    path.write_bytes(addin_file.package())
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert names[0] == "[Content_Types].xml"
        parts = {name: ElementTree.fromstring(archive.read(name)) for name in names if not name.endswith(".bin")}
    types = parts["[Content_Types].xml"]
    overrides = {e.get("PartName"): e.get("ContentType") for e in types if e.tag.endswith("Override")}
    assert {part.lstrip("/") for part in overrides if part} <= set(names)
    assert overrides["/xl/workbook.xml"] == "application/vnd.ms-excel.addin.macroEnabled.main+xml"
    for name, base in (("_rels/.rels", ""), ("xl/_rels/workbook.xml.rels", "xl/")):
        for relation in parts[name]:
            assert base + str(relation.get("Target")) in names
    main = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    code_names = [
        parts["xl/workbook.xml"].find(f"{main}workbookPr"),
        parts["xl/worksheets/sheet1.xml"].find(f"{main}sheetPr"),
    ]
    documents = [module.name for module in addin_file.modules() if module.kind == "document"]
    assert [e.get("codeName") for e in code_names if e is not None] == documents


def test_the_bridge_is_the_users_own_xlwings_with_its_licence() -> None:
    bridge = addin_file.modules()[-1].text
    original = (addin_file.xlwings_folder() / "xlwings.bas").read_bytes().decode("cp1252")
    first, rest = original.split("\r\n", 1)
    assert bridge == f"{first}\r\nOption Private Module\r\n{rest}"
    assert "BSD 3-clause license" in bridge


def test_nothing_of_the_paid_part_is_named() -> None:
    folder = Path(addin_file.__file__).parents[1]
    for path in folder.rglob("*"):
        if path.suffix in (".py", ".bas", ".xml"):
            text = path.read_text("utf-8")
            for name in ("xlwings.pro", "xlwings.server", "xlwings.reports", "LICENSE_KEY"):
                assert name not in text, path
