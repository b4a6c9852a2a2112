"""Sweeps on a real Dask cluster on this machine: a scheduler and two workers, and what happens when one is killed."""

import os
import signal
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mlsim.errors import CellError
from mlsim_workbooks import tasks
from mlsim_workbooks.sweep import parts

try:
    import distributed  # noqa: F401
    from pyarrow import parquet
except ImportError as error:
    warnings.warn(f"{error.name} is missing: sweeps were NOT run on a cluster", stacklevel=1)
    pytest.skip(f"{error.name} is missing", allow_module_level=True)

GRID = (
    "sweep", "--grid", "MLSIM_DECODE_LATENCY", "--set", "model=Llama-3-70B", "--set", "hardware=H100,MI300X", "--set", "batch=1:1024",
    "--set", "context=512:131072:512", "--set", "tp=1,2,4,8",
)  # fmt: skip
POINTS = 2 * 1024 * 256 * 4


class Cluster:
    """A scheduler with workers, each a process of its own that ends with the test."""

    def __init__(self, folder: Path, protocol: str = "tcp", env: dict[str, str] | None = None) -> None:
        self.folder, self.env = folder, {**os.environ, **(env or {})}
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"{protocol}://127.0.0.1:{port}"
        self.processes: list[subprocess.Popen[bytes]] = []
        self.scheduler = self.start(
            "dask_scheduler", "--host", f"{protocol}://127.0.0.1", "--port", str(port), "--no-dashboard"
        )

    def start(self, program: str, *args: str) -> "subprocess.Popen[bytes]":
        with (self.folder / f"{program}-{len(self.processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.{program}", *args], stdout=log, stderr=log, env=self.env,
                cwd=self.folder,
            )  # fmt: skip
        self.processes.append(process)
        return process

    def worker(self, threads: int = 1) -> "subprocess.Popen[bytes]":
        return self.start("dask_worker", self.address, "--nthreads", str(threads), "--no-nanny", "--no-dashboard")

    def close(self) -> None:
        for process in reversed(self.processes):
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the sweep gives on this machine."""
    from mlsim_workbooks import cli

    out = tmp_path_factory.mktemp("local") / "out.parquet"
    assert cli.main([*GRID, "-o", str(out), "--jobs", "1"]) == 0
    found = parquet.read_table(out)
    assert found.num_rows == POINTS
    return found


def command(*args: str, env: dict[str, str] | None = None) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "mlsim_workbooks.cli", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, **(env or {})},
    )  # fmt: skip


def eventually(condition: Callable[[], bool], seconds: float = 60) -> bool:
    for _ in range(int(seconds / 0.02)):
        if condition():
            return True
        time.sleep(0.02)
    return False


def written(out: Path) -> int:
    return len(list(out.glob("part-*.parquet")))


def same(out: Path, local: Any) -> None:
    """Compare all values: which texts a stretch of the error column knows is its own affair."""
    found = parquet.read_table(out)
    assert found.num_rows == local.num_rows == POINTS
    assert found.schema.names == local.schema.names
    for name in local.schema.names:
        ours, theirs = (
            column.cast("string") if str(column.type).startswith("dictionary") else column
            for column in (found[name], local[name])
        )
        assert ours.equals(theirs), name


def test_a_cluster_gives_what_this_machine_gives(run, cluster: Cluster, tmp_path: Path, local: Any) -> None:  # type: ignore[no-untyped-def]
    cluster.worker()
    cluster.worker(threads=2)
    out = tmp_path / "out.parquet"
    code, printed, err = run(*GRID, "-o", str(out), "--scheduler", cluster.address)
    assert (code, err) == (0, "")
    assert f"{POINTS:,} points in" in printed
    assert written(out) == 16
    same(out, local)


def test_a_killed_workers_tasks_are_done_by_the_other(cluster: Cluster, tmp_path: Path, local: Any) -> None:
    victim = cluster.worker()
    cluster.worker()
    out = tmp_path / "out.parquet"
    client = command(*GRID, "-o", str(out), "--scheduler", cluster.address)
    try:
        assert eventually(lambda: written(out) >= 2)
        assert client.poll() is None
        victim.send_signal(signal.SIGKILL)
        printed, err = client.communicate(timeout=120)
    finally:
        client.kill()
    assert (client.returncode, err) == (0, "")
    assert f"{POINTS:,} points in" in printed
    same(out, local)


def test_a_killed_client_is_resumed(run, cluster: Cluster, tmp_path: Path, local: Any) -> None:  # type: ignore[no-untyped-def]
    cluster.worker()
    cluster.worker()
    out = tmp_path / "out.parquet"
    client = command(*GRID, "-o", str(out), "--scheduler", cluster.address)
    assert eventually(lambda: written(out) >= 3)
    client.send_signal(signal.SIGKILL)
    client.communicate(timeout=30)
    kept = {file.name: file.stat().st_mtime_ns for file in out.glob("part-*.parquet")}
    assert 3 <= len(kept) < 16
    assert (out / parts.MANIFEST).exists()

    code, printed, _ = run(*GRID, "-o", str(out), "--scheduler", cluster.address)
    assert code == 0
    assert f"({len(kept) * 131_072:,} were there)" in printed
    assert {name: (out / name).stat().st_mtime_ns for name in kept} == kept
    assert written(out) == 16
    assert not list(out.glob("*.tmp"))
    same(out, local)


def test_one_file_is_in_order_whatever_comes_first(run, cluster: Cluster, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    cluster.worker()
    cluster.worker()
    for name, more in (("a.csv", ("--scheduler", cluster.address)), ("b.csv", ("--jobs", "1"))):
        assert run(*GRID[:-1], "tp=1", "-o", str(tmp_path / name), *more)[0] == 0
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_a_workbook_on_a_cluster(run, cluster: Cluster, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """Workers with several threads, since an engine serves one at a time."""
    import openpyxl

    wb = openpyxl.Workbook()
    wb.active["A1"], wb.active["A2"] = 3, '=MLSIM_DECODE_LATENCY("Llama-3-8B","H100",A1)'
    wb.save(tmp_path / "book.xlsx")
    cluster.worker(threads=3)
    cluster.worker(threads=3)
    asked = ("sweep", str(tmp_path / "book.xlsx"), "--set", "Sheet!A1=1:3000", "--get", "Sheet!A2", "-o")
    assert run(*asked, str(tmp_path / "a.csv"), "--scheduler", cluster.address)[0] == 0
    assert run(*asked, str(tmp_path / "b.csv"), "--jobs", "1")[0] == 0
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_no_worker_is_a_sentence(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "WORKER_SECONDS", 1.0)
    with pytest.raises(CellError, match="has had no worker for 1 s: start some with 'dask worker tcp:"):
        list(tasks.run(pow, [(2, 3)], scheduler=cluster.address))


def test_no_worker_left_is_a_sentence(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "WORKER_SECONDS", 1.0)
    monkeypatch.setattr(tasks, "_LOOK_SECONDS", 0.2)
    worker = cluster.worker()
    results = tasks.run(time.sleep, ((0.2,) for _ in range(1000)), scheduler=cluster.address)
    for _ in range(3):
        next(results)
    worker.kill()
    with pytest.raises(CellError, match="has had no worker for 1 s"):
        list(results)


def test_a_lost_scheduler_is_a_sentence(cluster: Cluster) -> None:
    cluster.worker()
    results = tasks.run(time.sleep, ((0.2,) for _ in range(1000)), scheduler=cluster.address)
    next(results)
    cluster.scheduler.kill()
    with pytest.raises(CellError, match="The scheduler was lost"):
        list(results)


def test_no_scheduler_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "CONNECT_SECONDS", 1.0)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(CellError, match=r"No Dask scheduler answered at .* within 1 s"):
        list(tasks.run(pow, [(2, 3)], scheduler=address))


def test_a_worker_of_another_version_is_a_sentence(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster.worker()
    monkeypatch.setattr(tasks, "__version__", "99.0")
    with pytest.raises(CellError, match=r"The worker on .* has MLSIM .*, this machine 99.0: install the same version"):
        list(tasks.run(pow, [(2, 3)], scheduler=cluster.address))


def test_few_tasks_are_in_flight(cluster: Cluster) -> None:
    cluster.worker()
    drawn = 0

    def endless() -> Iterator[tuple[int, int]]:
        nonlocal drawn
        while True:
            drawn += 1
            yield 2, drawn

    results = tasks.run(pow, endless(), scheduler=cluster.address)
    for done in range(1, 51):
        i, value = next(results)
        assert value == 2 ** (i + 1)
        assert drawn <= done + 12
    results.close()


def test_tls_comes_from_dasks_configuration(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    pytest.importorskip("cryptography")
    env = certificates(tmp_path)
    made = Cluster(tmp_path, "tls", env)
    try:
        made.worker()
        asked = (*GRID[:-1], "tp=1", "-o", str(tmp_path / "out.parquet"), "--scheduler", made.address)
        client = command(*asked, env=env)
        _, err = client.communicate(timeout=120)
        assert (client.returncode, err) == (0, "")
        assert parquet.read_table(tmp_path / "out.parquet").num_rows == POINTS // 4
        asked = (*asked[:-3], str(tmp_path / "other.parquet"), *asked[-2:])
        client = command(*asked)  # without a certificate
        _, err = client.communicate(timeout=120)
        assert client.returncode == 2
        assert "needs certificates: set Dask's distributed.comm.tls.ca-file" in err
        assert len(err.strip().splitlines()) == 1
    finally:
        made.close()


def certificates(folder: Path) -> dict[str, str]:
    """Make a certificate that vouches for itself; return the environment that makes Dask use it."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mlsim test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(key, hashes.SHA256())
    )  # fmt: skip
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    env = {
        "DASK_DISTRIBUTED__COMM__TLS__CA_FILE": str(folder / "cert.pem"),
        "DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION": "True",
    }
    for role in ("CLIENT", "SCHEDULER", "WORKER"):
        env[f"DASK_DISTRIBUTED__COMM__TLS__{role}__CERT"] = str(folder / "cert.pem")
        env[f"DASK_DISTRIBUTED__COMM__TLS__{role}__KEY"] = str(folder / "key.pem")
    return env
