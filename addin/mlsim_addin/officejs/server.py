"""The server behind Excel's web add-in: it answers this machine only, knows no files and keeps nothing.

What it guards against is another web page in the user's browser. The token stands in the pane's page alone, which no
other origin can read; every request but those for fixed files carries it; the names in ``Host`` and ``Origin`` must be
this server's own, so that a foreign name that leads to 127.0.0.1 gets nothing. A program of this machine could fetch
the page as well: it would gain the evaluation of formulas, and no file, since no function reads one here.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import re
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from socket import socket
from typing import Any

import uvicorn
from anyio import Lock, to_thread
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from mlsim import __version__
from mlsim.errors import CellError
from mlsim_addin import host
from mlsim_addin.officejs import generate
from mlsim_addin.officejs.certificate import Files
from mlsim_workbooks.functions import CATALOGUE

__all__ = ["app", "listen"]

TOKEN_HEADER = "x-mlsim-token"
JSON_TYPE, BOOK_TYPE = "application/json", "application/octet-stream"
MIB = 2**20
MOST_BYTES, MOST_CALLS, MOST_BOOK_BYTES = 8 * MIB, 100_000, 32 * MIB
BODY_SECONDS = 30.0
CONNECTIONS = 64

# Where Excel on the web shows the pane in a frame; on Mac and Windows there is no frame.
OFFICE = (
    "https://*.officeapps.live.com", "https://*.sharepoint.com", "https://*.office.com", "https://*.office365.com",
    "https://*.cloud.microsoft", "https://onedrive.live.com", "https://*.onedrive.live.com", "https://*.microsoft365.com",
)  # fmt: skip
_OFFICE = re.compile("|".join(re.escape(pattern).replace(r"\*", r"[a-z0-9.-]+") for pattern in OFFICE))
POLICY = "; ".join(
    (
        "default-src 'none'", "script-src 'self' https://appsforoffice.microsoft.com", "style-src 'self'", "img-src 'self'",
        "connect-src 'self'", "base-uri 'none'", "form-action 'none'", f"frame-ancestors 'self' {' '.join(OFFICE)}",
    )
)  # fmt: skip
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_STATIC = {
    "pane.css": "text/css", "pane.js": "text/javascript", "names.js": "text/javascript",
    **{f"icon-{size}.png": "image/png" for size in generate.ICONS},
}  # fmt: skip
_FOREIGN_USES = {"functions.json", *(name for name in _STATIC if name.endswith(".png"))}  # Excel's own page loads them


_LOG = logging.getLogger(__name__)


class _RefusalError(Exception):
    """A request that is not answered: its status, and the sentence that says why."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


# --- the application -------------------------------------------------------------------------------------------------


def app(port: int, token: str) -> ASGIApp:
    """Return the application for a server on a port, whose requests carry a token."""
    hosts = {f"localhost:{port}", f"127.0.0.1:{port}"}
    calculation, checking = Lock(), Lock()  # one of each at a time: the machine is the user's, who is working on it

    def own(handler: Callable[[Request], Awaitable[Response]], content: str = "") -> Callable[..., Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            _check_token(request, token)
            if content:
                _check_content(request, content)
            return await handler(request)

        return guarded

    async def calculate(request: Request) -> Response:
        calls = _calls(await _body(request, MOST_BYTES))
        async with calculation:
            return _json(await to_thread.run_sync(answer, calls))

    async def lint(request: Request) -> Response:
        book = await _body(request, MOST_BOOK_BYTES)
        async with checking:
            return _json(await to_thread.run_sync(findings, book))

    async def sources(request: Request) -> Response:
        found = json_object(await _body(request, MIB)).get("names")
        if not isinstance(found, list) or not all(isinstance(name, str) for name in found) or len(found) > 100:
            raise _RefusalError(400, 'Expected {"names": [...]}, with at most 100 texts.')
        return _json({"sources": await to_thread.run_sync(generate.sources, found)})

    async def names(_: Request) -> Response:
        return _json(await to_thread.run_sync(generate.names))

    async def pane(request: Request) -> Response:
        _check_pane(request)
        page = (generate.STATIC / "pane.html").read_text(encoding="utf-8")
        return Response(page.replace("{{token}}", token), media_type="text/html")

    async def health(_: Request) -> Response:
        return _json({"mlsim": __version__})

    async def metadata(_: Request) -> Response:
        return _json(generate.functions_json())

    async def script(_: Request) -> Response:
        return Response(generate.functions_js(), media_type="text/javascript")

    async def manifest(_: Request) -> Response:
        return Response(generate.manifest(port), media_type="text/xml")

    routes = [
        Route("/", health),
        Route("/manifest.xml", manifest),
        Route("/functions.json", metadata),
        Route("/functions.js", script),
        Route("/pane.html", pane),
        *(Route(f"/{name}", _file(name, kind)) for name, kind in _STATIC.items()),
        Route("/names", own(names)),
        Route("/sources", own(sources, JSON_TYPE), methods=["POST"]),
        Route("/calculate", own(calculate, JSON_TYPE), methods=["POST"]),
        Route("/lint", own(lint, BOOK_TYPE), methods=["POST"]),
    ]
    handlers: dict[Any, Any] = {
        _RefusalError: lambda _, refusal: _json({"error": refusal.sentence}, refusal.status),
        CellError: lambda _, error: _json({"error": error.message}, 422),
        404: lambda _, error: _json({"error": "There is nothing here."}, 404),
        405: lambda _, error: _json({"error": "This address is asked for in another way."}, 405),
        500: lambda _, error: _json({"error": "The server failed, which is a defect of MLSIM: please report it."}, 500),
    }
    return _Guard(Starlette(routes=routes, exception_handlers=handlers), hosts)


def _file(name: str, kind: str) -> Callable[[Request], Awaitable[Response]]:
    async def send(_: Request) -> Response:
        return Response((generate.STATIC / name).read_bytes(), media_type=kind)

    return send


def _json(content: Any, status: int = 200) -> Response:
    return JSONResponse(content, status)


class _Guard:
    """What holds for every request: the names it was sent to and from, and the headers of its answer."""

    def __init__(self, inner: ASGIApp, hosts: set[str]) -> None:
        self.inner = inner
        self.hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            return
        request = Request(scope)
        origin = request.headers.get("origin", "")
        headers = dict(HEADERS)
        if scope["path"].endswith(".png"):
            headers["Cache-Control"] = "max-age=3600"  # Excel shows no icon that may not be kept
        if scope["path"].lstrip("/") in _FOREIGN_USES:
            headers["Cross-Origin-Resource-Policy"] = "cross-origin"
            headers["Vary"] = "Origin"
            if _OFFICE.fullmatch(origin):
                headers["Access-Control-Allow-Origin"] = origin

        async def with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] += [(k.lower().encode(), v.encode()) for k, v in headers.items()]
            await send(message)

        refusal = self._refusal(request, origin)
        try:
            await (refusal or self.inner)(scope, receive, with_headers)
        except Exception:  # it has been answered as a defect; the console is the user's
            _LOG.debug("%s failed", scope["path"], exc_info=True)

    def _refusal(self, request: Request, origin: str) -> Response | None:
        name = request.headers.get("host", "")
        if name not in self.hosts:
            return _json({"error": "This server answers as localhost only."}, 421)
        own = not origin or origin == f"https://{name}"
        if own or (request.method == "GET" and request.url.path.lstrip("/") in _FOREIGN_USES):
            return None
        return _json({"error": "This server answers its own pages only."}, 403)


# --- what a request must have ----------------------------------------------------------------------------------------


def _check_token(request: Request, token: str) -> None:
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise _RefusalError(403, "This server answers its own pages only.")
    given = request.headers.get(TOKEN_HEADER, "")
    if not hmac.compare_digest(given.encode(), token.encode()):
        raise _RefusalError(401, "The task pane is older than the server: close the workbook and open it again.")


def _check_pane(request: Request) -> None:
    """Refuse the page that holds the token to whatever does not show it: a script, an image, a style, a fetch."""
    mode = request.headers.get("sec-fetch-mode", "navigate")
    kind = request.headers.get("sec-fetch-dest", "document")
    if mode != "navigate" or kind not in ("document", "iframe"):
        raise _RefusalError(403, "This page is shown in Excel's task pane, and is not given to scripts.")


def _check_content(request: Request, kind: str) -> None:
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != kind:
        raise _RefusalError(415, f"Expected the content type {kind}.")


async def _body(request: Request, most: int) -> bytes:
    """Return a request's body, ending one that is too large or too slow."""
    too_large = _RefusalError(413, f"The request is larger than {most // MIB} MiB, which is the limit.")
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > most:
        raise too_large
    parts, size = [], 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.stream():
                size += len(part)
                if size > most:
                    raise too_large
                parts.append(part)
    except TimeoutError:
        raise _RefusalError(408, f"The request did not arrive within {BODY_SECONDS:.0f} seconds.") from None
    except ClientDisconnect:
        raise _RefusalError(400, "The request ended early.") from None
    return b"".join(parts)


# --- answers ---------------------------------------------------------------------------------------------------------


def json_object(body: bytes) -> dict[str, Any]:
    """Return the object that a request's JSON is; a number beyond those of a cell is refused."""
    try:
        found = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise _RefusalError(400, "The request is not a JSON object.")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _calls(body: bytes) -> list[Any]:
    calls = json_object(body).get("calls")
    if not isinstance(calls, list):
        raise _RefusalError(400, 'Expected {"calls": [[name, [argument, ...]], ...]}.')
    if len(calls) > MOST_CALLS:
        raise _RefusalError(413, f"The request has {len(calls):,} calls; the limit is {MOST_CALLS:,}.")
    return calls


_NO_FILES = {
    "error": "#VALUE!",
    "message": "MLSIM_LINT reads a file, which this host does not: Units in MLSIM's task pane checks the open workbook.",
}


def answer(calls: list[Any]) -> dict[str, Any]:
    """Answer calls as ``host.answer`` does, but for those that would read a file."""
    try:
        refused = [reads_file(call) for call in calls]
        results = iter(host.answer({"calls": [c for c, no in zip(calls, refused, strict=True) if not no]})["results"])
    except RecursionError:
        raise CellError(
            "#VALUE!", "A call's arguments lie too deep in lists: expected cells, or rows of cells."
        ) from None
    return {"results": [_refused(call) if no else next(results) for call, no in zip(calls, refused, strict=True)]}


def _refused(call: list[Any]) -> dict[str, Any]:
    """Return the answer to a call that would read a file: an error among its arguments comes first, as everywhere."""
    code = _error_in(call[1])
    if not code:
        return _NO_FILES
    error = host.argument_error(code)
    return {"error": error.code, "message": error.message}


def _error_in(value: Any) -> str:
    """Return the code of the first error among cells, "" when there is none."""
    if isinstance(value, list):
        return next((code for cell in value if (code := _error_in(cell))), "")
    return str(value.get("error")) if isinstance(value, dict) else ""


def reads_file(call: Any) -> bool:
    """Tell whether a call reads a file that it names: MLSIM_LINT, also when MLSIM_WHY or another passes it on."""
    if not isinstance(call, list) or len(call) != 2:
        return False
    name, cells = call
    return _is_lint(name) or (_passes_on(name) and any(map(_is_lint, _texts(cells))))


def _is_lint(name: Any) -> bool:
    return _plain(name) == "LINT"


def _passes_on(name: Any) -> bool:
    function = CATALOGUE.get(f"MLSIM_{_plain(name)}")
    return function is not None and any(arg.kind == "raw" for arg in function.args)


def _plain(name: Any) -> str:
    """Return a function's name as the catalogue looks it up, without the prefix."""
    return str(name).strip().upper().replace("MLSIM.", "MLSIM_").removeprefix("MLSIM_")


def _texts(value: Any) -> list[str]:
    if isinstance(value, list):
        return [text for cell in value for text in _texts(cell)]
    return [value] if isinstance(value, str) else []


def findings(book: bytes) -> dict[str, Any]:
    """Check a workbook's bytes; they lie in a private file meanwhile, which is gone afterwards.

    Raises
    ------
    CellError
        When they are not a workbook.
    """
    from mlsim_workbooks.lint.command import checked  # late: a calculation does not need the checker

    with tempfile.TemporaryDirectory(prefix="mlsim-pane-") as folder:
        path = Path(folder) / "The workbook.xlsx"
        path.write_bytes(book)
        try:
            result = checked(str(path))
        except CellError as error:
            raise CellError(error.code, error.message.replace(path.name, "The workbook")) from None
    return {
        "findings": [{**finding.as_dict(), "file": ""} for finding in result.findings],
        "formulas": result.formulas,
        "silenced": result.silenced,
        "notes": list(result.notes),
    }


# --- serving ---------------------------------------------------------------------------------------------------------


def listen(application: ASGIApp, listener: socket, files: Files) -> None:
    """Serve an application on a socket until the process is interrupted."""
    config = uvicorn.Config(
        application, ssl_certfile=str(files.certificate), ssl_keyfile=str(files.key), log_level="warning",
        access_log=False, server_header=False, date_header=False, lifespan="off", ws="none", http="h11", loop="asyncio",
        limit_concurrency=CONNECTIONS, timeout_keep_alive=30, timeout_graceful_shutdown=2, proxy_headers=False,
    )  # fmt: skip
    uvicorn.Server(config).run(sockets=[listener])
