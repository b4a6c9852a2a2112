"""Evaluate calls for a host that cannot import MLSIM: ``python -m mlsim_addin.worker``.

A line of JSON on standard input is a request, as in ``host.answer``; a line on standard output answers it. The end of
the input ends the process.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any, BinaryIO

from mlsim.errors import CellError
from mlsim_addin import host

__all__ = ["main", "serve"]


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer each request in turn until there are no more."""
    for line in requests:
        answers.write(json.dumps(_answer(line), allow_nan=False).encode() + b"\n")
        answers.flush()


def _answer(line: bytes) -> dict[str, Any]:
    try:
        return host.answer(json.loads(line))
    except CellError as error:
        return {"error": error.code, "message": error.message}
    except ValueError:
        return {"error": "#VALUE!", "message": "The request is not JSON."}


def main() -> int:
    """Serve standard input and output, which nothing else may write to."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a stray print must not end up between the answers
    sys.stdout = sys.stderr
    try:
        serve(sys.stdin.buffer, answers)
    except (BrokenPipeError, KeyboardInterrupt):
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
