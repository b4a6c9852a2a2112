"""What Excel on the web, Mac and Windows is given: manifest, metadata, certificate, and what `mlsim serve` says."""

from __future__ import annotations

import json
import re
import shutil
import ssl
import stat
import subprocess
import sys
import uuid
from argparse import Namespace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from mlsim import __version__
from mlsim.errors import CellError
from mlsim_addin.officejs import certificate, command, generate
from mlsim_workbooks import cli
from mlsim_workbooks.functions import CATALOGUE

OFFICE = "{http://schemas.microsoft.com/office/appforoffice/1.1}"
OVERRIDES = "{http://schemas.microsoft.com/office/taskpaneappversionoverrides}"
TYPES = "{http://schemas.microsoft.com/office/officeappbasictypes/1.0}"


# --- metadata --------------------------------------------------------------------------------------------------------


def test_every_function_is_there_within_excels_limits() -> None:
    functions = generate.functions_json()["functions"]
    assert [f"MLSIM_{f['id']}" for f in functions] == list(CATALOGUE)
    for f in functions:
        assert re.fullmatch(r"[A-Z][A-Z0-9_]{2,}", f["id"])
        assert f["name"] == f["id"]
        assert not re.fullmatch(r"[A-Z]{1,3}[0-9]{1,7}", f["name"])  # would be a cell
        assert 0 < len(f["description"]) <= 255
        assert f["result"] == {"type": "any", "dimensionality": "matrix"}
        parameters = f["parameters"]
        assert len({p["name"] for p in parameters}) == len(parameters) <= 128
        for p in parameters:
            assert re.fullmatch(r"[a-z][a-z0-9_]*", p["name"])
            assert 0 < len(p["description"]) <= 255
            assert (p["type"], p["dimensionality"]) == ("any", "matrix")
        required = [not p.get("optional") and not p.get("repeating") for p in parameters]
        assert required == sorted(required, reverse=True)  # none after one that may be left out
        assert all(not p.get("repeating") for p in parameters[:-1])


def test_optional_and_repeating_arguments_are_the_catalogues() -> None:
    for f in generate.functions_json()["functions"]:
        args = CATALOGUE[f"MLSIM_{f['id']}"].args
        assert [bool(p.get("repeating")) for p in f["parameters"]] == [arg.vararg for arg in args]
        assert [bool(p.get("optional")) for p in f["parameters"]] == [arg.optional and not arg.vararg for arg in args]


def test_the_script_has_the_whole_catalogue_and_no_token() -> None:
    first, rest = generate.functions_js().split("\n", 1)
    table = json.loads(first.removeprefix("const MLSIM_FUNCTIONS = ").rstrip(";"))
    assert table["DECODE_LATENCY"] == [8, False]
    assert table["ADD"] == [1, True]
    assert table["WHY"] == [2, True]
    assert len(table) == len(CATALOGUE)
    assert "CustomFunctions.associate" in rest


def test_the_pane_gets_names_defaults_and_runnable_examples() -> None:
    names = generate.names()
    json.dumps(names, allow_nan=False)
    assert [f["id"] for f in names["functions"] if f["common"]] == [n.removeprefix("MLSIM_") for n in generate.COMMON]
    assert names["functions"][0]["id"] == "DECODE_LATENCY"
    assert "H100-SXM-80GB" in names["hardware"]
    assert "Llama-3-70B" in names["model"]
    examples = {f["id"]: f["example"] for f in names["functions"]}
    assert examples["SERVING_PLAN"][:3] == ["Llama-3-70B", "H100,MI300X", "50 request/s"]
    assert examples["CALIBRATE"] == ["=A4:I9"]
    assert examples["LINT"] == []  # another function in it


def test_sources_are_the_registrys() -> None:
    first, second = generate.sources(["H100", "no such thing", "Llama-3-8B", "H100"])
    assert (first["name"], second["name"]) == ("H100-SXM-80GB", "Llama-3-8B")
    bandwidth = next(f for f in first["figures"] if f["attribute"] == "memory bandwidth")
    assert bandwidth["value"] == "3.35 TB/s"
    assert bandwidth["address"].startswith("https://")
    assert CATALOGUE["MLSIM_SOURCE"]("H100", "memory bandwidth").startswith(
        f"{bandwidth['value']} ({bandwidth['meaning']}): {bandwidth['title']}, {bandwidth['place']}."
    )


# --- manifest --------------------------------------------------------------------------------------------------------


def test_the_manifest_holds_together() -> None:
    root = ElementTree.fromstring(generate.manifest(8443))
    assert str(uuid.UUID(root.findtext(f"{OFFICE}Id"))) == "6d0a7b5e-54c3-4f0c-9a53-2c1d8a0f7e41"
    version = root.findtext(f"{OFFICE}Version")
    assert version.split(".")[:3] == __version__.split(".")[:3]
    assert len(version.split(".")) == 4
    resources = root.find(f".//{OVERRIDES}Resources")
    defined = {element.get("id"): element.get("DefaultValue") for element in resources.iter() if element.get("id")}
    used = {element.get("resid") for element in root.iter() if element.get("resid")}
    assert used - set(defined) == set()
    assert set(defined) - used - {"Icon.64"} == set()
    assert all(len(defined[e.get("id")]) <= 125 for e in resources.find(f"{TYPES}ShortStrings"))
    assert all(len(defined[e.get("id")]) <= 250 for e in resources.find(f"{TYPES}LongStrings"))
    page = root.find(f".//{OVERRIDES}Page/{OVERRIDES}SourceLocation").get("resid")
    runtime = root.find(f".//{OVERRIDES}Runtime").get("resid")
    action = root.find(f".//{OVERRIDES}Action/{OVERRIDES}SourceLocation").get("resid")
    assert page == runtime == action  # one shared runtime
    namespace = root.find(f".//{OVERRIDES}Namespace").get("resid")
    assert defined[namespace] == "MLSIM"


def test_the_manifest_is_read_by_microsofts_own_reader(tmp_path: Path) -> None:
    from officejs import running

    place = running.npm_folder()
    (tmp_path / "manifest.xml").write_text(generate.manifest(8443))
    script = (
        "require('office-addin-manifest').OfficeAddinManifest.readManifestFile(process.argv[1])"
        ".then((m) => console.log(JSON.stringify(m)))"
    )
    node = shutil.which("node")
    assert node
    done = subprocess.run(
        [node, "-e", script, str(tmp_path / "manifest.xml")], cwd=place, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    read = json.loads(done.stdout)
    assert read["id"] == generate.GUID
    assert read["displayName"] == "MLSIM"
    assert read["hosts"] == ["Workbook"]
    assert read["officeAppType"] == "TaskPaneApp"


# --- certificate -----------------------------------------------------------------------------------------------------


def test_the_authority_can_vouch_for_this_machine_only(tmp_path: Path) -> None:
    from cryptography import x509

    files, made = certificate.ready(tmp_path / "mlsim")
    assert made
    authority = x509.load_pem_x509_certificate(files.authority.read_bytes())
    constraints = authority.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    assert [str(n.value) for n in constraints.value.permitted_subtrees] == ["localhost", "127.0.0.1/32", "::1/128"]
    assert authority.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0
    leaf = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    lifetime = leaf.not_valid_after_utc - leaf.not_valid_before_utc
    assert lifetime < timedelta(days=825)
    keys = [p for p in files.key.parent.iterdir() if b"PRIVATE KEY" in p.read_bytes()]
    assert keys == [files.key]  # the authority's is gone
    if sys.platform != "win32":
        assert stat.S_IMODE(files.key.stat().st_mode) == 0o600
        assert stat.S_IMODE(files.key.parent.stat().st_mode) == 0o700


def test_it_is_kept_until_it_is_about_to_expire(tmp_path: Path) -> None:
    files, _ = certificate.ready(tmp_path)
    token = certificate.token(files)
    now = datetime.now(UTC)
    assert certificate.ready(tmp_path, now + timedelta(days=certificate.DAYS - 31)) == (files, False)
    assert certificate.token(files) == token
    assert certificate.ready(tmp_path, now + timedelta(days=certificate.DAYS - 29)) == (files, True)
    assert certificate.token(files) != token


@pytest.mark.parametrize("broken", ["authority", "certificate", "key"])
@pytest.mark.parametrize("content", [b"", b"-----BEGIN CERTIFICATE-----\n", None])
def test_what_is_broken_is_made_anew(tmp_path: Path, broken: str, content: bytes | None) -> None:
    files, _ = certificate.ready(tmp_path)
    path: Path = getattr(files, broken)
    path.unlink() if content is None else path.write_bytes(content)
    assert certificate.ready(tmp_path) == (files, True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    assert certificate.ready(tmp_path) == (files, False)


@pytest.mark.parametrize(
    ("system", "where", "step"),
    [("Windows", "mlsim", "certutil -user -addstore Root"), ("Darwin", "Application Support/mlsim", "security add-trusted-cert"),
     ("Linux", "mlsim", "import ")],
)  # fmt: skip
def test_each_system_has_its_folder_and_its_way_to_trust(
    system: str, where: str, step: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("platform.system", lambda: system)
    folder = certificate.configuration_folder()
    assert folder.as_posix().endswith(where)
    files = certificate.Files(*(tmp_path / name for name in ("a b.pem", "c", "k")))
    assert step in certificate.trust_step(files)
    assert "a b.pem" in certificate.trust_step(files)


# --- command ---------------------------------------------------------------------------------------------------------


def test_the_manifest_is_written_and_the_command_ends(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "m.xml"
    assert cli.main(["serve", "--port", "9999", "--manifest", str(out)]) == 0
    assert out.read_text() == generate.manifest(9999)
    assert "https://localhost:9999/pane.html" in out.read_text()
    assert capsys.readouterr().out == f"Wrote {out}, for a server on port 9999.\n"


def test_a_missing_extra_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "find_spec", lambda name: None if name == "uvicorn" else object())
    with pytest.raises(CellError, match=r"needs uvicorn, which is not installed: pip install 'mlsim\[web\]'\."):
        command.run(Namespace(port=8443, manifest=None))


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_port_that_cannot_be_is_a_sentence(port: int) -> None:
    with pytest.raises(CellError, match=f"--port must be between 1 and 65535, got {port}"):
        command.run(Namespace(port=port, manifest=None))


def test_a_port_in_use_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr("platform.system", lambda: "Linux")
    with command._listener(0) as busy:
        busy.listen()
        port: Any = busy.getsockname()[1]
        assert busy.getsockname()[0] == "127.0.0.1"
        with pytest.raises(CellError, match=f"Port {port} cannot be opened .* choose another with --port"):
            command.run(Namespace(port=port, manifest=None))


def test_the_steps_are_few_and_name_the_files(tmp_path: Path) -> None:
    files = certificate.Files(*(tmp_path / name for name in ("authority.pem", "c", "k")))
    lines = command.steps(8443, tmp_path / "manifest.xml", files, made=True)
    assert len(lines) <= 10
    text = "\n".join(lines)
    assert all(
        word in text for word in ("https://localhost:8443", "manifest.xml", "authority.pem", "Mac", "Windows", "Web")
    )
