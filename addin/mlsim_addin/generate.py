"""Write what each host needs from the catalogue.

``python -m mlsim_addin.generate`` rewrites the files; with ``--check`` it writes nothing and exits with 1 when one is
stale.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from mlsim_addin.excel import generate as excel

__all__ = ["FILES", "main"]

_FOLDER = Path(__file__).parent
FILES: dict[Path, Callable[[], str]] = {
    _FOLDER / "excel" / "udfs.py": excel.python_source,
    _FOLDER / "excel" / "mlsim.bas": excel.vba_source,
}
"""The generated files and what makes them."""


def _stale(path: Path, text: str) -> bool:
    return not path.exists() or path.read_bytes().replace(b"\r\n", b"\n") != text.replace("\r\n", "\n").encode()


def main(argv: Sequence[str] | None = None) -> int:
    """Write the files, or with ``--check`` say whether they are stale; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m mlsim_addin.generate", description="Write what hosts need from the catalogue."
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 when a file is stale")
    check = parser.parse_args(argv).check
    stale = [(path, text) for path, make in FILES.items() if _stale(path, text := make())]
    for path, text in stale:
        if check:
            print(f"{path.name} is stale: run python -m mlsim_addin.generate", file=sys.stderr)
        else:
            path.write_bytes(text.encode())
            print(f"wrote {path.name}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
