"""Many independent tasks: each once, few in flight, refusals as sentences, and no process left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mlsim.errors import CellError, UnitError
from mlsim.files import FileError
from mlsim_workbooks import tasks


def square(number: int) -> int:
    return number * number


def slow_first(number: int) -> int:
    time.sleep(0.5 if number == 0 else 0.0)
    return number


def refuse(kind: str) -> None:
    raise {"unit": UnitError, "file": FileError}[kind](f"a {kind} was expected.")


def end_process() -> None:
    os._exit(7)


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def eventually(condition: Callable[[], bool]) -> bool:
    for _ in range(300):
        if condition():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("jobs", [1, 2])
def test_each_task_is_done_once(jobs: int) -> None:
    found = list(tasks.run(square, ((i,) for i in range(100)), jobs=jobs))
    assert sorted(found) == [(i, i * i) for i in range(100)]


@pytest.mark.parametrize("jobs", [1, 2])
def test_no_tasks_are_no_results(jobs: int) -> None:
    assert list(tasks.run(square, [], jobs=jobs)) == []


@pytest.mark.parametrize(("jobs", "most"), [(1, 1), (2, 12)])
def test_tasks_are_drawn_as_they_are_needed(jobs: int, most: int) -> None:
    drawn = 0

    def endless() -> Iterator[tuple[int]]:
        nonlocal drawn
        while True:
            drawn += 1
            yield (drawn,)

    results = tasks.run(square, endless(), jobs=jobs)
    for done in range(1, 51):
        next(results)
        assert drawn <= done + most
    results.close()


def test_a_slow_task_holds_the_others_back() -> None:
    """Otherwise whoever puts the results into order would hold all of them."""
    found = [i for i, _ in tasks.run(slow_first, ((i,) for i in range(60)), jobs=2, window=4)]
    assert sorted(found) == list(range(60))
    assert found.index(0) <= 8


def test_results_are_put_into_order() -> None:
    assert list(tasks.in_order([(2, "c"), (0, "a"), (1, "b"), (3, "d")])) == list(enumerate("abcd"))


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("kind", ["unit", "file"])
def test_a_refusal_keeps_its_sentence(jobs: int, kind: str) -> None:
    with pytest.raises(CellError) as error:
        list(tasks.run(refuse, [(kind,)] * 5, jobs=jobs))
    assert error.value.message == f"a {kind} was expected."
    assert error.value.code == "#VALUE!"


def test_a_worker_that_ends_is_a_sentence() -> None:
    with pytest.raises(CellError, match=r"A task ended the process that worked on it \(exit code 7\).*fewer jobs"):
        list(tasks.run(end_process, [()] * 3, jobs=2))


def test_another_version_is_a_sentence() -> None:
    result, refusal = tasks._call("0.0.1", (), square, (3,))
    assert result is None
    assert "install the same version on both" in refusal[1]
    assert "0.0.1" in refusal[1]


def test_a_wrong_address_is_a_sentence() -> None:
    for address in ("host", "tcp://host", "http://host:80", "tcp://host:8786/path"):
        with pytest.raises(CellError, match="is not the address of a Dask scheduler, such as tcp://host:8786"):
            list(tasks.run(square, [(1,)], scheduler=address))


def test_missing_dask_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(CellError, match=r'pip install "mlsim\[cluster\]"'):
        list(tasks.run(square, [(1,)], scheduler="tcp://127.0.0.1:1"))


CHILDREN = """
import os, signal, sys, time
from pathlib import Path
from mlsim_workbooks import tasks
def work(i):
    Path(sys.argv[1], str(os.getpid())).touch()
    time.sleep(600)
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in what a shell runs in the background
    try:
        list(tasks.run(work, ((i,) for i in range(10)), jobs=2))
    except KeyboardInterrupt:
        print("stopped")
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes through /proc")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_children_end_with_their_parent(tmp_path: Path, how: signal.Signals) -> None:
    script, pids = tmp_path / "script.py", tmp_path / "pids"
    script.write_text(CHILDREN)
    pids.mkdir()
    with subprocess.Popen(
        [sys.executable, str(script), str(pids)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as parent:
        try:
            assert eventually(lambda: len(list(pids.iterdir())) == 2)
            children = [int(file.name) for file in pids.iterdir()]
            assert all(map(alive, children))
            parent.send_signal(how)
            out, err = parent.communicate(timeout=30)
            assert eventually(lambda: not any(map(alive, children)))
        finally:
            parent.kill()
    assert err == ""
    assert out == ("stopped\n" if how == signal.SIGINT else "")
