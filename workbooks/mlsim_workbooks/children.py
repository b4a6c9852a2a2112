"""Processes of this machine for one task at a time each: one that crashes or hangs costs its own task, and nothing else.

The executor of the standard library gives up every task when one process dies, and cannot end a task that hangs.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import queue
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Any

__all__ = ["Children", "Lost"]

_LEAST = 4 << 30  # bytes that a process may address, however small its share of the machine
_FAREWELL = 10.0  # seconds for a process to end by itself


class Lost(Exception):
    """A task whose process ended, or was ended after its time; the message continues "the workbook ..."."""


class Children(Executor):
    """Worker processes behind the interface of the standard library's executors.

    Parameters
    ----------
    count : int
        Processes.
    seconds : float, optional
        How long a task may take; its process is then killed, and the task's future raises `Lost`.
    """

    def __init__(self, count: int, seconds: float | None = None) -> None:
        self._seconds = seconds
        self._free: queue.SimpleQueue[_Child] = queue.SimpleQueue()
        self._all: set[_Child] = set()
        self._closed = False
        self._memory = max(_memory() // count, _LEAST) if _memory() else 0
        for _ in range(count):
            self._add("fork" if sys.platform == "linux" else "spawn")
        self._threads = ThreadPoolExecutor(count)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Hand a call to the next process that is free."""
        return self._threads.submit(self._ask, fn, args, kwargs)

    def _add(self, method: str) -> None:
        child = _Child(method, self._memory, self._seconds)
        self._all.add(child)
        self._free.put(child)

    def _ask(self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        child = self._free.get()
        try:
            return child.ask((fn, args, kwargs), self._seconds)
        finally:
            if child.is_alive():
                self._free.put(child)
            else:
                child.kill()
                self._all.discard(child)
                if not self._closed:
                    self._add("spawn")  # there are threads by now, which a fork would not survive

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes: after their tasks, or at once when they are not waited for."""
        self._closed = True
        if not wait:
            for child in list(self._all):
                child.kill()
        self._threads.shutdown(wait=wait, cancel_futures=cancel_futures)
        for child in list(self._all):
            child.close()


class _Child:
    """One process, the connection to it, and the folder for its temporary files, which it may leave behind."""

    def __init__(self, method: str, memory: int, seconds: float | None) -> None:
        context: Any = multiprocessing.get_context(method)
        self._folder = tempfile.mkdtemp(prefix="mlsim-")
        self._connection, theirs = context.Pipe()
        arguments = (theirs, self._folder, memory, seconds)
        self._process = context.Process(target=_serve, args=arguments, daemon=False)
        self._process.start()
        theirs.close()  # before the next one is forked: the end of this process must be noticed

    def is_alive(self) -> bool:
        """Tell whether it can take another task."""
        return bool(self._process.is_alive())

    def ask(self, call: Any, seconds: float | None) -> Any:
        """Have a call made; return its result or raise what it raised."""
        try:
            self._connection.send(call)
            if not self._connection.poll(seconds):
                self.kill()
                raise Lost(f"took longer than {seconds:g} s")
            done, result = self._connection.recv()
        except (EOFError, BrokenPipeError, ConnectionResetError):
            self._process.join(_FAREWELL)
            code = self._process.exitcode
            why = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
            raise Lost(f"ended the process that worked on it ({why})") from None
        if not done:
            raise result
        return result

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.join(_FAREWELL)
        shutil.rmtree(self._folder, ignore_errors=True)

    def close(self) -> None:
        """Let the process end, or end it."""
        with contextlib.suppress(OSError):
            self._connection.send(None)
        self._process.join(_FAREWELL)
        self.kill()
        self._connection.close()


def _memory() -> int:
    """Return the bytes of memory of this machine; 0 where it is not known."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # Windows
        return 0


def _limit_memory(size: int) -> None:
    """Let this process fail rather than take the memory of all others."""
    if sys.platform == "linux" and size:
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (size if most == resource.RLIM_INFINITY else min(size, most), most))


def _serve(connection: Connection, folder: str, memory: int, seconds: float | None) -> None:
    """Make the calls that come through a connection, until there are no more."""
    tempfile.tempdir = folder
    _end_with_parent()
    _limit_memory(memory)
    while True:
        try:
            call = connection.recv()
        except EOFError:
            return
        if call is None:
            return
        fn, args, kwargs = call
        try:
            with _alarm(seconds):
                answer = (True, fn(*args, **kwargs))
        except BaseException as error:
            answer = (False, error)
        try:
            connection.send(answer)
        except OSError:
            return
        except Exception as error:  # what cannot be pickled
            connection.send((False, RuntimeError(f"{type(error).__name__}: {error}")))


@contextlib.contextmanager
def _alarm(seconds: float | None) -> Iterator[None]:
    """Have the system end this process when the parent, gone itself, does not: an engine may hold Python's lock."""
    if seconds is None or sys.platform == "win32":
        yield
        return
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(int(seconds + _FAREWELL) + 1)
    try:
        yield
    finally:
        signal.alarm(0)


def _end_with_parent() -> None:
    """Leave Ctrl-C to the parent, and end when it does, even when it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
