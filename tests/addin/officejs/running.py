"""A real ``mlsim serve`` for the tests, and a browser whose Excel is the maintained mock of Office.js."""

from __future__ import annotations

import base64
import getpass
import hashlib
import http.client
import http.server
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
OFFICE_HOST = "appsforoffice.microsoft.com"
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run", "--disable-dev-shm-usage",
)  # fmt: skip


def skip(what: str) -> None:
    """Skip a test, loudly."""
    message = f"{what}: the task pane was NOT run in a browser"
    warnings.warn(message, stacklevel=2)
    pytest.skip(message)


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@dataclass
class Served:
    """A running server: its port, its folder, what it printed."""

    port: int
    folder: Path
    printed: str
    pid: int

    @property
    def origin(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def token(self) -> str:
        return self.ask("GET", "/pane.html").body.split('name="mlsim-token" content="')[1].split('"')[0]

    def trusting(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.folder / "authority.pem"))

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, host: str = "localhost"
    ) -> Answer:
        connection = http.client.HTTPSConnection(host, self.port, context=self.trusting(), timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return Answer(response.status, response.read().decode("utf-8", "replace"), dict(response.getheaders()))
        finally:
            connection.close()

    def post(self, path: str, content: Any, token: str, **headers: str) -> Answer:
        raw = isinstance(content, bytes)
        sent = {
            "Content-Type": "application/octet-stream" if raw else "application/json", "X-Mlsim-Token": token,
            "Origin": self.origin, **{name.replace("_", "-"): value for name, value in headers.items()},
        }  # fmt: skip
        return self.ask("POST", path, content if raw else json.dumps(content), sent)


@dataclass
class Answer:
    status: int
    body: str
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@contextmanager
def serving(home: Path) -> Iterator[Served]:
    """Run ``mlsim serve`` with its settings in a folder of its own."""
    port = free_port()
    log = home / "printed.txt"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlsim_workbooks.cli", "serve", "--port", str(port)],
            stdout=out, stderr=subprocess.STDOUT,
            env={**os.environ, "XDG_CONFIG_HOME": str(home), "HOME": str(home), "APPDATA": str(home)},
        )  # fmt: skip
    try:
        _wait(process, port, log)
        folder = next(home.rglob("authority.pem")).parent
        yield Served(port, folder, log.read_text(), process.pid)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    for _ in range(300):
        assert process.poll() is None, log.read_text()
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"the server did not start: {log.read_text()}")


# --- the browser -----------------------------------------------------------------------------------------------------


def npm_folder() -> Path:
    """Return a folder outside the repository with the packages of package.json in it."""
    if not shutil.which("npm"):
        skip("npm is missing")
    package = (HERE / "package.json").read_bytes()
    place = (
        Path(tempfile.gettempdir()) / f"mlsim-officejs-{getpass.getuser()}-{hashlib.sha256(package).hexdigest()[:12]}"
    )
    place.mkdir(mode=0o700, exist_ok=True)
    if not (place / "complete").exists():
        (place / "package.json").write_bytes(package)
        done = subprocess.run(
            ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=place, capture_output=True, text=True, check=False
        )  # fmt: skip
        if done.returncode:
            skip(f"npm cannot install the mock of Office.js ({done.stderr.strip()[-200:]})")
        (place / "complete").touch()
    return place


def bundled_mock() -> bytes:
    """Return office.js with the mock in it."""
    place = npm_folder()
    shutil.copy(HERE / "office.js", place)
    real = "./node_modules/office-addin-manifest/lib/officeApp.js"  # the one part of it that the mock uses
    done = subprocess.run(
        [place / "node_modules/.bin/esbuild", "office.js", "--bundle", f"--alias:office-addin-manifest={real}"],
        cwd=place, capture_output=True, check=True,
    )  # fmt: skip
    return done.stdout


@contextmanager
def instead_of_microsoft(script: bytes, served: Served) -> Iterator[int]:
    """Serve a script on a port to which the browser is sent for Microsoft's."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/lib/1/hosted/office.js" else 404)
            self.send_header("Content-Type", "text/javascript")
            self.send_header("Content-Length", str(len(script)))
            self.end_headers()
            self.wfile.write(script)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(served.folder / "localhost.pem", served.folder / "localhost-key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()


@contextmanager
def browser(served: Served, profile: Path) -> Iterator[Any]:
    """Return a headless Chromium that knows no other machine than this one."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        skip("chromium or chromium-driver is missing")
    webdriver = pytest.importorskip("selenium.webdriver")
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = x509.load_pem_x509_certificate((served.folder / "localhost.pem").read_bytes()).public_key()
    known = base64.b64encode(
        hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()
    ).decode()
    with instead_of_microsoft(bundled_mock(), served) as port:
        options = webdriver.ChromeOptions()
        options.binary_location = chromium
        for flag in (
            *FLAGS, f"--user-data-dir={profile}", f"--ignore-certificate-errors-spki-list={known}",
            f"--host-resolver-rules=MAP {OFFICE_HOST}:443 127.0.0.1:{port}, MAP * ~NOTFOUND, EXCLUDE localhost",
        ):  # fmt: skip
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        window = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
        try:
            yield window
        finally:
            window.quit()
