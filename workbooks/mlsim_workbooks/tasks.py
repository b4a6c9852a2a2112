"""Runs many independent tasks: in this process, on this machine's cores, or on a Dask cluster."""

from __future__ import annotations

import logging
import re
import socket
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait
from contextlib import contextmanager
from importlib import import_module
from itertools import islice
from typing import Any, TypeVar

from mlsim import __version__
from mlsim.errors import CellError, shorten
from mlsim_workbooks import own_registry
from mlsim_workbooks.children import Children, Lost

__all__ = ["TaskError", "in_order", "run"]

Result = TypeVar("Result")

CONNECT_SECONDS = 10.0  # until a scheduler has answered
WORKER_SECONDS = 30.0  # without any worker, before the first task or between two
_LOOK_SECONDS = 1.0  # between two looks at whether there still is a worker
_LOST = "The scheduler was lost while tasks were running: start it again, and this command after it."
_ADDRESS = re.compile(r"(?:(?:tcp|tls)://)?[^\s/]+:\d+")
_LOCK = threading.Lock()  # a Dask worker has threads, but a process one registry and one engine
_PER_CORE = 2  # tasks in flight per core, so that none waits for this process


class TaskError(CellError):
    """Tasks that cannot be run, whatever they are; the message is a full sentence."""

    def __init__(self, message: str) -> None:
        super().__init__("#VALUE!", message)

    def __str__(self) -> str:
        return self.message


class _Gone(TaskError):
    """A task that took its process with it; ``why`` continues "the task ..."."""

    def __init__(self, message: str, why: str) -> None:
        super().__init__(message)
        self.why = why


def run(
    function: Callable[..., Result], tasks: Iterable[Sequence[Any]], *, jobs: int = 1, scheduler: str | None = None,
    window: int | None = None, seconds: float | None = None, lost: Callable[..., Result] | None = None,
) -> Generator[tuple[int, Result]]:  # fmt: skip
    """Call a function once for each task; yield the results as they come, each with its task's index.

    Parameters
    ----------
    function : callable
        A function of a module, which other processes can import.
    tasks : iterable of sequences
        The arguments of each call. It may be lazy: only as many are drawn as are in flight.
    jobs : int
        Processes on this machine; with one the calls are made in this process.
    scheduler : str, optional
        A Dask scheduler, such as ``"tcp://host:8786"``, whose workers make the calls instead. What a lost worker had
        is computed again on another. TLS comes from Dask's own configuration.
    window : int, optional
        Tasks in flight; by default two for each process or each thread of the cluster. No task starts more than twice
        as many after the oldest that is unfinished, so results put into order wait in bounded memory.

    seconds : float, optional
        How long a call may take on this machine; its process is then ended.
    lost : callable, optional
        Gives the result of a task that ended its process or took too long: ``lost(why, *args)``. With it the calls
        are made in processes of their own even for one job. Without it such a task ends the run.

    Raises
    ------
    CellError
        What a call raised, or what keeps the tasks from being run at all. Calls not finished are given up.
    """
    if scheduler:
        with _cluster(scheduler) as (pool, threads, check):
            yield from _stream(pool, function, tasks, lambda: window or max(4, _PER_CORE * threads()), check, lost)
    elif jobs <= 1 and lost is None:
        for i, args in enumerate(tasks):
            yield i, function(*args)
    else:
        with _processes(max(1, jobs), seconds) as pool:
            yield from _stream(pool, function, tasks, lambda: window or _PER_CORE * jobs, lambda: None, lost)


def in_order(results: Iterable[tuple[int, Result]], first: int = 0) -> Iterator[tuple[int, Result]]:
    """Yield numbered results in the order of their numbers, which start at ``first`` and leave none out."""
    early: dict[int, Result] = {}
    for i, result in results:
        early[i] = result
        while first in early:
            yield first, early.pop(first)
            first += 1


def _stream(
    pool: Executor, function: Callable[..., Result], tasks: Iterable[Sequence[Any]], window: Callable[[], int],
    check: Callable[[], None], lost: Callable[..., Result] | None,
) -> Generator[tuple[int, Result]]:  # fmt: skip
    """Keep a window of tasks in flight; ``check`` raises when waiting has become hopeless."""
    registry = own_registry.content()
    numbered = iter(enumerate(tasks))
    waiting: dict[Future[tuple[Any, CellError | None]], tuple[int, Sequence[Any]]] = {}
    started = 0
    try:
        while True:
            size = window()
            oldest = min((i for i, _ in waiting.values()), default=started)
            for i, args in islice(numbered, max(0, min(size - len(waiting), oldest + 2 * size - started))):
                waiting[pool.submit(_call, __version__, registry, function, tuple(args))] = (i, args)
                started = i + 1
            if not waiting:
                return
            done = wait(waiting, timeout=_LOOK_SECONDS, return_when=FIRST_COMPLETED).done
            if not done:
                check()
            for future in done:
                i, args = waiting.pop(future)
                result, refusal = _outcome(future)
                if isinstance(refusal, _Gone) and lost is not None:
                    result, refusal = lost(refusal.why, *args), None
                if refusal is not None:
                    raise refusal
                yield i, result
    finally:
        for future in waiting:
            future.cancel()


def _call(
    version: str, registry: tuple[str, ...], function: Callable[..., Result], args: tuple[Any, ...]
) -> tuple[Result | None, Any]:
    """Make a call in a worker, which then knows the user's own chips and models.

    A refusal travels as plain text: an exception of any class might not unpickle.
    """
    if version != __version__:
        here = f"{socket.gethostname()} has MLSIM {__version__}, this machine {version}"
        return None, TaskError(f"The worker on {here}: install the same version on both.").args
    try:
        with _LOCK:
            own_registry.adopt(registry)
            return function(*args), None
    except CellError as error:
        return None, (error.code, error.message)


def _outcome(future: Future[tuple[Any, Any]]) -> tuple[Any, CellError | None]:
    """Return a call's result and refusal; a fault of the machinery is a refusal too."""
    try:
        result, refusal = future.result()
        return result, CellError(*refusal) if refusal else None
    except Lost as lost:
        why = f"A task {lost}, perhaps because memory ran out: try again with fewer jobs."
        return None, _Gone(why, str(lost))
    except CancelledError:
        why = _LOST
    except ModuleNotFoundError as error:
        why = f"The cluster lacks the Python package {error.name}: install MLSIM there, the scheduler included."
    except Exception as error:
        if type(error).__name__ == "KilledWorker":  # Dask's: a task took several workers with it
            why = "One task ended every worker it ran on, perhaps because memory ran out: give the workers more memory."
            return None, _Gone(why, "ended every worker it ran on")
        elif "deserialization" in str(error):
            why = f"The cluster cannot load MLSIM {__version__}: install it on the workers and on the scheduler."
        else:
            raise
    return None, TaskError(why)


# --- this machine ------------------------------------------------------------------------------------------------


@contextmanager
def _processes(jobs: int, seconds: float | None) -> Iterator[Executor]:
    """Start worker processes; they end with this one, whichever way it ends."""
    pool = Children(jobs, seconds)
    try:
        yield pool
        pool.shutdown()
    except BaseException:  # Ctrl-C too, and a reader that has had enough
        pool.shutdown(wait=False, cancel_futures=True)
        raise


# --- a cluster ---------------------------------------------------------------------------------------------------


@contextmanager
def _cluster(address: str) -> Iterator[tuple[Executor, Callable[[], int], Callable[[], None]]]:
    """Connect to a scheduler; give its executor, its number of threads, and the look at whether there is a worker."""
    try:
        distributed: Any = import_module("distributed")
    except ImportError:
        raise TaskError('A cluster needs Dask: pip install "mlsim[cluster]".') from None
    if not _ADDRESS.fullmatch(address):
        raise TaskError(f"{shorten(address)} is not the address of a Dask scheduler, such as tcp://host:8786.")
    if address.startswith("tls:") and not distributed.Security().get_connection_args("client").get("ssl_context"):
        raise TaskError(
            f"{address} needs certificates: set Dask's distributed.comm.tls.ca-file and client.cert, in its configuration "
            "or as DASK_DISTRIBUTED__COMM__TLS__CA_FILE and __CLIENT__CERT."
        )
    with _quiet("distributed"):
        try:
            client = distributed.Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError, TypeError, RuntimeError, ImportError) as error:
            why = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
            raise TaskError(
                f"No Dask scheduler answered at {address} within {CONNECT_SECONDS:g} s ({why}): start it with "
                "'dask scheduler', or correct the address, such as tcp://host:8786."
            ) from None
        try:
            seen = [time.monotonic()]

            def threads() -> int:
                workers = client.scheduler_info(n_workers=-1)["workers"]
                if workers:
                    seen[0] = time.monotonic()
                return sum(worker["nthreads"] for worker in workers.values())

            def check() -> None:
                if not threads() and time.monotonic() - seen[0] > WORKER_SECONDS:
                    raise TaskError(
                        f"The scheduler at {address} has had no worker for {WORKER_SECONDS:g} s: start some with "
                        f"'dask worker {address}'."
                    )

            yield client.get_executor(pure=False), threads, check
        except distributed.comm.CommClosedError:
            raise TaskError(_LOST) from None
        finally:
            client.close(timeout=2)


@contextmanager
def _quiet(package: str) -> Iterator[None]:
    """Keep a package's log off the terminal: what goes wrong is said in one sentence instead."""
    loggers = [logging.getLogger(name) for name in logging.root.manager.loggerDict if name.split(".")[0] == package]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
