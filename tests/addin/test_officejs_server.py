"""The server of Excel's web add-in: what it answers, what it refuses, and over which certificate."""

from __future__ import annotations

import asyncio
import http.client
import json
import random
import socket
import ssl
import tempfile
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from officejs.running import Served, serving
from openpyxl import Workbook

from mlsim.errors import CellError
from mlsim_addin import host
from mlsim_addin.officejs import generate, server
from mlsim_workbooks.functions import CATALOGUE
from mlsim_workbooks.lint import lint


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served")) as running:
        yield running


@pytest.fixture(scope="module")
def token(served: Served) -> str:
    return served.token


def book(mistake: bool = True) -> bytes:
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.title = "Plan"
    sheet.append(["Weights (GB)", "KV cache (GiB)" if mistake else "KV cache (GB)", "Total (GB)"])
    sheet.append([140, 24, "=A2+B2"])
    out = BytesIO()
    workbook.save(out)
    return out.getvalue()


SCALAR = ["MLSIM_DECODE_LATENCY", ["Llama-3-70B", "MI300X", 1, 4096]]

# --- answers ---------------------------------------------------------------------------------------------------------


def test_the_manifests_addresses_are_all_answered(served: Served) -> None:
    manifest = served.ask("GET", "/manifest.xml").body
    addresses = {
        value
        for element in ElementTree.fromstring(manifest).iter()
        for value in element.attrib.values()
        if value.startswith("https:")
    }
    assert len(addresses) >= 7
    for address in addresses:
        assert address.startswith(f"{served.origin}/")
        assert served.ask("GET", address.removeprefix(served.origin)).status == 200, address


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/", "application/json"), ("/functions.json", "application/json"), ("/functions.js", "text/javascript"),
     ("/pane.html", "text/html"), ("/pane.js", "text/javascript"), ("/names.js", "text/javascript"), ("/pane.css", "text/css"),
     ("/icon-16.png", "image/png"), ("/manifest.xml", "text/xml")],
)  # fmt: skip
def test_what_anybody_may_read(served: Served, path: str, kind: str) -> None:
    answer = served.ask("GET", path)
    assert answer.status == 200
    assert answer.headers["content-type"].startswith(kind)
    for header in (
        "content-security-policy",
        "x-content-type-options",
        "referrer-policy",
        "cross-origin-resource-policy",
    ):
        assert header in answer.headers
    assert answer.headers["cache-control"] == ("max-age=3600" if kind == "image/png" else "no-store")
    assert "server" not in answer.headers


def test_no_script_style_or_picture_holds_the_token(served: Served, token: str) -> None:
    assert len(token) == 64
    for path in ("/", "/functions.json", "/functions.js", "/pane.js", "/names.js", "/pane.css", "/manifest.xml"):
        assert token not in served.ask("GET", path).body


def test_the_policy_lets_nothing_in_but_microsofts_script(served: Served) -> None:
    answer = served.ask("GET", "/pane.html")
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self' https://appsforoffice.microsoft.com"
    assert policy["connect-src"] == "'self'"
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert "https://*.officeapps.live.com" in policy["frame-ancestors"]
    assert "*" not in policy["frame-ancestors"].split()
    assert "style=" not in answer.body
    assert "onclick" not in answer.body


def test_values_errors_and_ranges(served: Served, token: str) -> None:
    calls = [
        SCALAR, ["MLSIM_TPOT", ["nope", "H100"]], ["MLSIM_FITS", ["140 GB", "80 TFLOP/s"]],
        ["MLSIM_DECODE_LATENCY", [[["Llama-3-8B"], ["nope"]], "H100"]], ["MLSIM_TPOT", [{"error": "#DIV/0!"}]],
        ["MLSIM_NOPE", []], ["MLSIM_FITS", ["Llama-3-8B", "H100"]],
    ]  # fmt: skip
    answer = served.post("/calculate", {"calls": calls}, token)
    assert answer.status == 200
    value, unknown, unit, column, passed, no_function, truth = answer.json["results"]
    assert value == host.call(*SCALAR)
    assert unknown["error"] == no_function["error"] == "#N/A"
    assert unit["error"] == "#VALUE!"
    assert isinstance(column[0][0], float)
    assert column[1][0]["error"] == "#N/A"
    assert passed["error"] == "#DIV/0!"
    assert truth is True


def test_results_are_the_hosts(served: Served, token: str) -> None:
    calls = generated(400)
    answered = served.post("/calculate", {"calls": calls}, token).json["results"]
    expected = [json.loads(json.dumps(host._encoded(host.call(name, cells)))) for name, cells in calls]
    assert answered == expected
    kinds = {type(result).__name__ for result in expected}
    assert {"float", "dict", "list", "str"} <= kinds


def generated(count: int) -> list[Any]:
    """Return calls of all functions: their examples, with one argument or more made something else."""
    chance = random.Random(7)
    quick = [f for f in CATALOGUE.values() if f.name not in ("MLSIM_LINT", "MLSIM_PARALLEL_PLAN", "MLSIM_SERVING_PLAN")]
    others = [
        "",
        None,
        0,
        -1,
        2.5,
        True,
        "Llama-3-8B",
        "H100",
        "80 GB",
        "80 TFLOP/s",
        "nope",
        [["H100"], ["A100"]],
        [[1, 2]],
    ]
    calls = []
    for i in range(count):
        function = quick[i % len(quick)]
        example = next(f["example"] for f in generate.names()["functions"] if f"MLSIM_{f['id']}" == function.name)
        cells: list[Any] = [float(a) if a.replace(".", "").isdigit() else a for a in example]
        for _ in range(chance.randrange(3)):
            if cells:
                cells[chance.randrange(len(cells))] = chance.choice(others)
        calls.append([function.name, cells])
    return calls


def test_a_file_is_never_read(served: Served, token: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "plan.xlsx"
    path.write_bytes(book())
    where = str(path)
    names = ["MLSIM_LINT", "mlsim_lint", "LINT", " MLSIM.LINT ", "Mlsim_Lint"]
    calls = [[name, [where]] for name in names]
    for through in ("MLSIM_WHY", "why", "MLSIM.WHY", "MLSIM_INTERVAL"):
        calls += [[through, [name, where]] for name in names]
        calls += [[through, [[["MLSIM_LINT"]], where]], [through, ["MLSIM_WHY", "LINT", where]]]
    calls = [call for pair in zip(calls, [SCALAR] * len(calls), strict=True) for call in pair]
    results = served.post("/calculate", {"calls": calls}, token).json["results"]
    assert results[1::2] == [host.call(*SCALAR)] * (len(calls) // 2)
    for result in results[::2]:
        assert "does not: Units in MLSIM's task pane" in result["message"]

    def opened(*_: object) -> None:
        raise AssertionError("a file was read")

    monkeypatch.setattr("mlsim_workbooks.lint.command.checked", opened)
    server.answer(calls)
    assert "defect" in host.call("MLSIM_LINT", [where]).message  # what the door itself would have done


def test_the_open_workbook_is_checked_and_not_kept(served: Served, token: str, tmp_path: Path) -> None:
    (tmp_path / "plan.xlsx").write_bytes(book())
    before = set(Path(tempfile.gettempdir()).glob("mlsim-pane-*"))
    answer = served.post("/lint", book(), token)
    (expected,) = lint(tmp_path / "plan.xlsx")
    assert answer.json == {
        "findings": [{**expected.as_dict(), "file": ""}], "formulas": 1, "silenced": 0, "notes": []
    }  # fmt: skip
    assert served.post("/lint", book(mistake=False), token).json["findings"] == []
    assert set(Path(tempfile.gettempdir()).glob("mlsim-pane-*")) - before == set()


@pytest.mark.parametrize(
    "content", [b"", b"no workbook", b"PK\x03\x04" + bytes(100), bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600)]
)
def test_what_is_no_workbook_is_a_sentence(served: Served, token: str, content: bytes) -> None:
    answer = served.post("/lint", content, token)
    assert answer.status == 422
    assert answer.json["error"].startswith("The workbook ")
    assert "tmp" not in answer.body
    assert ".xlsx could" not in answer.body


def test_names_and_sources(served: Served, token: str) -> None:
    assert served.ask("GET", "/names", headers={"X-Mlsim-Token": token}).json == generate.names()
    found = served.post("/sources", {"names": ["MI300X", "../../etc/passwd"]}, token).json["sources"]
    assert [entry["name"] for entry in found] == ["MI300X"]


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", ["", "0" * 64, "é", "x" * 10_000])
def test_without_the_token_there_is_no_answer(served: Served, wrong: str) -> None:
    for path, content in (("/calculate", {"calls": [SCALAR]}), ("/sources", {"names": []}), ("/lint", book())):
        answer = served.post(path, content, wrong)
        assert answer.status == 401
        assert "close the workbook and open it again" in answer.json["error"]
    assert served.ask("GET", "/names", headers={"X-Mlsim-Token": wrong}).status == 401
    assert served.ask("GET", "/names").status == 401


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://localhost", "https://localhost", "https://excel.officeapps.live.com"],
)
def test_a_foreign_page_gets_nothing(served: Served, token: str, origin: str) -> None:
    answer = served.post("/calculate", {"calls": [SCALAR]}, token, Origin=origin)
    assert answer.status == 403
    assert not any(name.startswith("access-control") for name in answer.headers)
    assert served.ask("GET", "/pane.html", headers={"Origin": origin}).status == 403
    preflight = served.ask("OPTIONS", "/calculate", headers={"Origin": origin, "Access-Control-Request-Method": "POST"})
    assert preflight.status == 403


@pytest.mark.parametrize("headers", [
    {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none"},
])  # fmt: skip
def test_what_the_browser_says_of_a_foreign_page_is_believed(
    served: Served, token: str, headers: dict[str, str]
) -> None:
    assert served.post("/calculate", {"calls": [SCALAR]}, token, **headers).status == 403


@pytest.mark.parametrize(
    ("mode", "kind", "status"),
    [("navigate", "document", 200), ("navigate", "iframe", 200), ("no-cors", "script", 403), ("no-cors", "style", 403),
     ("no-cors", "image", 403), ("cors", "empty", 403), ("same-origin", "empty", 403), ("navigate", "embed", 403)],
)  # fmt: skip
def test_the_page_with_the_token_is_shown_and_nothing_else(served: Served, mode: str, kind: str, status: int) -> None:
    answer = served.ask("GET", "/pane.html", headers={"Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": kind})
    assert answer.status == status
    assert ("mlsim-token" in answer.body) == (status == 200)


@pytest.mark.parametrize("name", ["evil.example", "localhost", "localhost:1", "127.0.0.1.nip.io:8443", ""])
def test_another_name_for_this_machine_gets_nothing(served: Served, token: str, name: str) -> None:
    for path in ("/", "/pane.html", "/functions.json"):
        answer = served.ask("GET", path, headers={"Host": name})
        assert answer.status in (400, 421)
        assert "mlsim-token" not in answer.body
    assert served.post("/calculate", {"calls": [SCALAR]}, token, Host=name).status in (400, 421)


def test_excel_on_the_web_may_read_the_metadata_and_no_other_page(served: Served) -> None:
    for origin in (
        "https://excel.officeapps.live.com",
        "https://euc-excel.officeapps.live.com",
        "https://excel.cloud.microsoft",
    ):
        answer = served.ask("GET", "/functions.json", headers={"Origin": origin})
        assert answer.headers["access-control-allow-origin"] == origin
    for origin in ("https://evil.example", "https://officeapps.live.com.evil.example", "http://excel.officeapps.live.com",
                   "https://evil.example/.officeapps.live.com"):  # fmt: skip
        answer = served.ask("GET", "/functions.json", headers={"Origin": origin})
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonp"])
def test_another_content_type_is_refused(served: Served, token: str, kind: str) -> None:
    answer = served.post("/calculate", {"calls": [SCALAR]}, token, Content_Type=kind)
    assert (answer.status, answer.json["error"]) == (415, "Expected the content type application/json.")
    assert served.post("/lint", {"calls": []}, token).status == 415


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"1", b'{"calls": [[NaN]]}', b'{"calls": 1}', b"\xff\xfe", b"[" * 100_000,
                                  b'{"calls": [["MLSIM_TPOT", "x"]]}', b'{"calls": [[1, []]]}', b'{"calls": ["x"]}'])  # fmt: skip
def test_what_is_no_request_is_a_sentence(served: Served, token: str, text: bytes) -> None:
    sent = {"Content-Type": "application/json", "X-Mlsim-Token": token}
    answer = served.ask("POST", "/calculate", text, sent)
    assert answer.status in (400, 422)
    assert answer.json["error"].endswith(".")


def test_too_many_calls_and_too_many_bytes_are_sentences(served: Served, token: str) -> None:
    answer = served.post("/calculate", {"calls": [["MLSIM_FITS", []]] * 100_001}, token)
    assert (answer.status, answer.json["error"]) == (413, "The request has 100,001 calls; the limit is 100,000.")
    answer = served.post("/calculate", {"calls": [["MLSIM_CHECK", ["x" * (8 * server.MIB), "GB"]]]}, token)
    assert (answer.status, answer.json["error"]) == (413, "The request is larger than 8 MiB, which is the limit.")
    answer = served.post("/lint", bytes(32 * server.MIB + 1), token)
    assert answer.json["error"] == "The request is larger than 32 MiB, which is the limit."


@pytest.mark.parametrize(
    "path", ["/../pyproject.toml", "/static/pane.html", "/pane.html/..", "/%2e%2e/x", "/localhost-key.pem", "//"]
)
def test_no_path_leads_to_a_file(served: Served, path: str) -> None:
    answer = served.ask("GET", path)
    assert (answer.status, answer.json) == (404, {"error": "There is nothing here."})


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/calculate"), ("PUT", "/names"), ("DELETE", "/"), ("POST", "/pane.html")]
)
def test_another_method_is_refused(served: Served, method: str, path: str) -> None:
    assert served.ask(method, path).status == 405


# --- bodies that never end, in this process --------------------------------------------------------------------------


def run_app(parts: list[Any], length: str = "") -> tuple[int, dict[str, Any]]:
    """Send a body to the application part by part; a number is a pause, after the last part nothing comes."""
    sent: list[dict[str, Any]] = []
    waiting = list(parts)

    async def receive() -> dict[str, Any]:
        if not waiting:
            await asyncio.sleep(60)
        part = waiting.pop(0)
        if isinstance(part, bytes):
            return {"type": "http.request", "body": part, "more_body": True}
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    headers = [(b"host", b"localhost:8443"), (b"x-mlsim-token", b"t"), (b"content-type", b"application/json")]
    headers += [(b"content-length", length.encode())] if length else []
    scope = {
        "type": "http", "method": "POST", "path": "/calculate", "raw_path": b"/calculate", "query_string": b"", "headers": headers,
        "scheme": "https", "server": ("localhost", 8443), "root_path": "", "http_version": "1.1",
    }  # fmt: skip
    asyncio.run(server.app(8443, "t")(scope, receive, send))
    return sent[0]["status"], json.loads(b"".join(m.get("body", b"") for m in sent[1:]))


def test_an_endless_body_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_app([bytes(server.MIB)] * 20)[0] == 413  # by its size
    assert run_app([], length=str(10**12))[0] == 413  # before a byte of it has come
    monkeypatch.setattr(server, "BODY_SECONDS", 0.2)
    started = time.perf_counter()
    status, said = run_app([b"{"])
    assert status == 408
    assert "did not arrive within" in said["error"]
    assert time.perf_counter() - started < 5
    assert run_app([b"{", "gone"])[0] == 400


def test_a_defect_is_a_sentence_without_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: Any) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(server, "_body", fails)
    assert run_app([]) == (500, {"error": "The server failed, which is a defect of MLSIM: please report it."})


@pytest.mark.parametrize("depth", [3, 100, 900, 3000])
def test_lists_in_lists_are_refused(served: Served, token: str, depth: int) -> None:
    body = f'{{"calls": [["MLSIM_WHY", [{"[" * depth}"LINT"{"]" * depth}]]]}}'.encode()
    answer = served.ask("POST", "/calculate", body, {"Content-Type": "application/json", "X-Mlsim-Token": token})
    assert answer.status in (200, 400, 422)
    assert "error" in (answer.json["results"][0] if answer.status == 200 else answer.json)


def test_calls_that_are_none_are_refused() -> None:
    with pytest.raises(CellError):
        server.answer([["MLSIM_TPOT", "no list"]])
    assert server.answer([]) == {"results": []}


# --- the connection --------------------------------------------------------------------------------------------------


def test_the_certificate_holds_for_each_name_and_for_nobody_else(served: Served) -> None:
    for name in ("localhost", "127.0.0.1", "::1"):
        with (
            socket.create_connection(("127.0.0.1", served.port)) as plain,
            served.trusting().wrap_socket(plain, server_hostname=name) as secure,
        ):
            assert secure.version() in ("TLSv1.2", "TLSv1.3")
    with pytest.raises(ssl.SSLCertVerificationError):
        served.trusting().wrap_socket(
            socket.create_connection(("127.0.0.1", served.port)), server_hostname="example.com"
        )
    context = ssl.create_default_context()  # without the authority made here
    with pytest.raises(ssl.SSLCertVerificationError):
        context.wrap_socket(socket.create_connection(("127.0.0.1", served.port)), server_hostname="localhost")


def test_it_listens_on_this_machine_only(served: Served) -> None:
    own = next((a[4][0] for a in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)), "127.0.0.1")
    if own.startswith("127."):
        own = "127.0.0.2"  # another address that leads here, where the system has it
    with pytest.raises(OSError):  # noqa: PT011
        socket.create_connection((own, served.port), 2).close()


def test_plain_http_gets_no_answer(served: Served) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=5)
    connection.request("GET", "/")
    with pytest.raises((http.client.HTTPException, OSError)):
        connection.getresponse()


def test_it_prints_no_traceback(served: Served) -> None:
    printed = (served.folder.parent / "printed.txt").read_text()
    assert "Traceback" not in printed
    assert printed.splitlines()[: len(served.printed.splitlines())] == served.printed.splitlines()
