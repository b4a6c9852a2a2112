"""Recalculation by worker processes and on a real Dask cluster on this machine gives what this process gives."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from test_sweep_cluster import Cluster, command, eventually  # skips this module, too, where Dask is missing

OWN = "hardware:\n  OwnChip: {source: quote, memory: 96 GiB, memory bandwidth: 4 TB/s, bf16 peak: 900 TFLOP/s}\n"
BOOKS = 60


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("books")
    paths = []
    for number in range(BOOKS):
        book = openpyxl.Workbook()
        sheet = book.active
        assert sheet is not None
        for row in range(1, 151):
            sheet.append([row, f'=MLSIM_DECODE_LATENCY("Llama-3-70B","OwnChip",A{row},{512 + number})', f"=B{row}*2"])
        paths.append(str(folder / f"book {number}.xlsx"))
        book.save(paths[-1])
    broken = folder / "broken.xlsx"
    broken.write_bytes(Path(paths[0]).read_bytes()[:-40])
    return [*paths[:30], str(broken), *paths[30:]]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("own") / "own.yaml"
    path.write_text(OWN)
    return str(path)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory, books: list[str], own: str) -> dict[str, bytes]:
    """What one process of this machine gives."""
    folder = tmp_path_factory.mktemp("here")
    done = command("recalc", "--registry", own, *books, "-o", str(folder))
    out, err = done.communicate(timeout=120)
    assert done.returncode == 2
    assert "broken.xlsx is damaged" in err
    assert "300 formulas, 150 MLSIM calls, 300 values changed" in out
    found = contents(folder)
    assert len(found) == BOOKS
    return found


def finished(process: Any) -> tuple[str, str]:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 2
    assert err.count("\n") == 1
    assert "broken.xlsx is damaged" in err
    return out, err


def test_two_processes(tmp_path: Path, books: list[str], own: str, here: dict[str, bytes]) -> None:
    out, _ = finished(command("recalc", "--registry", own, *books, "-o", str(tmp_path), "--jobs", "2"))
    assert contents(tmp_path) == here
    assert [line.partition(": ")[0] for line in out.splitlines()[:BOOKS]] == [
        str(tmp_path / Path(book).name) for book in books if "broken" not in book
    ]


def test_a_cluster(cluster: Cluster, tmp_path: Path, books: list[str], own: str, here: dict[str, bytes]) -> None:
    cluster.worker()
    cluster.worker()
    finished(command("recalc", "--registry", own, *books, "-o", str(tmp_path), "--scheduler", cluster.address))
    assert contents(tmp_path) == here


def test_a_killed_worker(cluster: Cluster, tmp_path: Path, books: list[str], own: str, here: dict[str, bytes]) -> None:
    victim = cluster.worker()
    cluster.worker()
    client = command("recalc", "--registry", own, *books, "-o", str(tmp_path), "--scheduler", cluster.address)
    assert eventually(lambda: len(list(tmp_path.glob("*.xlsx"))) >= 5)
    assert client.poll() is None
    os.kill(victim.pid, signal.SIGKILL)
    out, _ = finished(client)
    assert contents(tmp_path) == here
    assert out.count("150 MLSIM calls") == BOOKS


def test_a_killed_client_leaves_whole_files(
    cluster: Cluster, tmp_path: Path, books: list[str], own: str, here: dict[str, bytes]
) -> None:
    cluster.worker()
    cluster.worker()
    again = ("recalc", "--registry", own, *books, "-o", str(tmp_path), "--scheduler", cluster.address)
    client = command(*again)
    assert eventually(lambda: len(list(tmp_path.glob("*.xlsx"))) >= 5)
    client.kill()
    client.wait()
    for path in tmp_path.glob("*.xlsx"):
        assert path.read_bytes() == here[path.name]
    finished(command(*again))
    assert {name: data for name, data in contents(tmp_path).items() if name.endswith(".xlsx")} == here
