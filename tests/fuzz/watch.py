"""What watches a fuzzed call or workbook: the time it takes, and what it does outside the process."""

from __future__ import annotations

import contextlib
import re
import signal
import sys
from collections.abc import Iterator
from types import FrameType

_OUTSIDE = ("socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.startfile", "urllib.",
            "ctypes.dlopen", "shutil.", "os.remove", "os.rename", "os.mkdir", "os.chmod", "os.link", "os.symlink")  # fmt: skip
_WRITING = re.compile("[wax+]")
_done: list[str] | None = None


class Late(BaseException):
    """A call that took too long; no ``except Exception`` swallows it."""


def _hook(event: str, args: tuple[object, ...]) -> None:
    if _done is None:
        return
    if event.startswith(_OUTSIDE) or (event == "open" and isinstance(args[1], str) and _WRITING.search(args[1])):
        _done.append(f"{event} {args!r}"[:300])
        raise PermissionError(f"{event} in a fuzzed call")


sys.addaudithook(_hook)


@contextlib.contextmanager
def nothing_outside() -> Iterator[list[str]]:
    """Refuse, and collect, what would reach another machine or program, or write a file."""
    global _done
    _done = []
    try:
        yield _done
    finally:
        _done = None


@contextlib.contextmanager
def in_time(processor: float, clock: float = 60.0) -> Iterator[None]:
    """Raise ``Late`` after so many seconds of the processor, or of the clock; a no-op without alarms (Windows)."""
    if not hasattr(signal, "setitimer"):
        yield
        return
    kinds = ((signal.ITIMER_VIRTUAL, signal.SIGVTALRM, processor), (signal.ITIMER_REAL, signal.SIGALRM, clock))

    def late(number: int, _: FrameType | None) -> None:
        raise Late(f"took more than {processor} s of the processor or {clock} s of the clock")

    before = [signal.signal(number, late) for _, number, _ in kinds]
    for kind, _, seconds in kinds:
        signal.setitimer(kind, seconds)
    try:
        yield
    finally:
        for (kind, number, _), old in zip(kinds, before, strict=True):
            signal.setitimer(kind, 0)
            signal.signal(number, old)
