"""``mlsim serve``: the functions for Excel on Mac, Windows and the web, from this machine to itself."""

from __future__ import annotations

import argparse
import platform
import socket
from importlib.util import find_spec
from pathlib import Path

from mlsim.errors import CellError
from mlsim.files import write_file
from mlsim_addin.officejs import certificate
from mlsim_addin.officejs.generate import manifest

__all__ = ["run", "steps"]

_NEEDED = ("starlette", "uvicorn", "cryptography")
_ADDRESS = "127.0.0.1"


def run(args: argparse.Namespace) -> int:
    """Serve until stopped, or with ``--manifest`` write that file and end; return the exit code."""
    if not 1 <= args.port <= 65535:
        raise CellError("#VALUE!", f"--port must be between 1 and 65535, got {args.port}.")
    if args.manifest:
        write_file(args.manifest, manifest(args.port).encode())
        print(f"Wrote {args.manifest}, for a server on port {args.port}.")
        return 0
    if missing := [name for name in _NEEDED if find_spec(name) is None]:
        raise CellError(
            "#VALUE!", f"mlsim serve needs {', '.join(missing)}, which is not installed: pip install 'mlsim[web]'."
        )
    from mlsim_addin.officejs.server import app, listen

    folder = certificate.configuration_folder()
    files, made = certificate.ready(folder)
    place = folder / "manifest.xml"
    write_file(place, manifest(args.port).encode())
    with _listener(args.port) as listener:
        print("\n".join(steps(args.port, place, files, made)), flush=True)
        listen(app(args.port, certificate.token(files)), listener, files)
    return 0


def steps(port: int, place: Path, files: certificate.Files, made: bool) -> list[str]:
    """Return what a person reads when the server starts: its address, and how Excel comes to know it."""
    new = "This certificate is new: trust" if made else "If Excel does not trust the certificate yet, trust"
    return [
        f"MLSIM serves Excel at https://localhost:{port}, to this machine only. Ctrl+C ends it.",
        f"{new} it once, for two years: {certificate.trust_step(files)}",
        f"Once, give Excel the manifest {place}",
        "  Mac      copy it into ~/Library/Containers/com.microsoft.Excel/Data/Documents/wef (make the folder),",
        "           start Excel again: Home, Add-ins, MLSIM",
        "  Windows  put it into a shared folder; Excel: File, Options, Trust Center, Trusted Add-in Catalogs: add the",
        "           folder's \\\\machine\\share, tick Show in Menu; start Excel again: Home, Add-ins, Shared Folder",
        "  Web      Home, Add-ins, More Add-ins, My Add-ins, Upload My Add-in; allow access to this device when asked",
    ]


def _listener(port: int) -> socket.socket:
    """Return a socket on this machine's own address; a port in use is a sentence, before anything is printed."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if platform.system() != "Windows":  # there it would let two programs share a port
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((_ADDRESS, port))
    except OSError as error:
        listener.close()
        why = error.strerror or str(error)
        raise CellError(
            "#VALUE!",
            f"Port {port} cannot be opened ({why}): end the program that uses it, or choose another with --port; "
            "Excel then needs the new manifest.",
        ) from None
    return listener
